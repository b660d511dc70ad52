// SPDX-License-Identifier: GPL-2.0
#include "fault.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

/* volatile: the compiler sees nobody who could read it between two stores */
static __thread sigjmp_buf *volatile landing;

static void on_fault(int sig)
{
	if (landing)
		siglongjmp(*landing, sig);
	/* SA_RESETHAND is not for us: other threads go on. The access is repeated and kills. */
	signal(sig, SIG_DFL);
}

void fault_catch(void)
{
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

int fault_read(const volatile void *word, uint64_t *value)
{
	sigjmp_buf here;
	/* SA_NODEFER leaves the mask alone, so there is none to save. */
	int sig = sigsetjmp(here, 0);

	if (!sig) {
		landing = &here;
		*value = *(const volatile uint64_t *)word;
	}
	landing = NULL;
	return sig;
}

int fault_write(volatile void *word, uint64_t value)
{
	sigjmp_buf here;
	int sig = sigsetjmp(here, 0);

	if (!sig) {
		landing = &here;
		*(volatile uint64_t *)word = value;
	}
	landing = NULL;
	return sig;
}
