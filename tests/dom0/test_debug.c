// SPDX-License-Identifier: GPL-2.0
/*
 * What a kernel with debug checks (tests/vm/debug.config) says of mistakes that a module makes on purpose: the premise of
 * all that `make check-debug` finds clean. The strategy does not matter. Its log is dirty afterwards, so that it has a boot
 * of its own.
 *
 * Whatever is wrong with memory switches lockdep off (add_taint()), as does its own first report: those come first.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "tap.h"

#define KMEMLEAK "/sys/kernel/debug/kmemleak"
#define MODULE "/sys/module/gntmap_mistakes"

/* Makes the mistake; true if the kernel's log then has @says in a line. */
static bool makes(const char *mistake, const char *says)
{
	char command[128], record[8192];
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	bool noticed = false;
	ssize_t n;

	check(log >= 0, "%s", strerror(errno));
	lseek(log, 0, SEEK_END);
	snprintf(command, sizeof(command), "modprobe -q gntmap_mistakes make=%s 2>/dev/null", mistake);
	check(system(command) != -1, "%s", strerror(errno));
	while (!noticed) {
		n = read(log, record, sizeof(record) - 1);
		/* Lines that were overwritten before we could read them */
		if (n < 0 && errno == EPIPE)
			continue;
		if (n <= 0)
			break;
		record[n] = 0;
		noticed = strstr(record, says);
	}
	close(log);
	return noticed;
}

#define NOTICED(name, says)                                                           \
	static void name(void)                                                        \
	{                                                                             \
		check(makes(#name, says), "the log does not say \"%s\"", says);       \
	}

NOTICED(sleep_in_atomic, "BUG: sleeping function called from invalid context")
NOTICED(locks_in_both_orders, "possible circular locking dependency detected")
NOTICED(read_after_free, "BUG: KASAN: slab-use-after-free in read_after_free")
NOTICED(slab_write_after_free, "Poison overwritten")
NOTICED(page_write_after_free, "pagealloc: memory corruption")
NOTICED(page_free_in_use, "BUG: Bad page state")
NOTICED(shift_too_far, "UBSAN: shift-out-of-bounds")
NOTICED(reference_too_few, "refcount_t: underflow")
NOTICED(list_del_twice, "list_del corruption")
NOTICED(work_free_pending, "ODEBUG: free active")

static void leak(void)
{
	char line[512];
	bool found = false;
	FILE *file;

	check(!system("modprobe gntmap_mistakes make=leak"), "premise: the module is there");
	/* kmemleak believes only what it has found twice, and nothing that is younger than five seconds. */
	for (int i = 0; i < 2; i++) {
		sleep_ms(6000);
		expect(write_file(KMEMLEAK, "scan"), 0);
	}
	file = fopen(KMEMLEAK, "re");
	check(file, "%s", strerror(errno));
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, "gntmap_mistakes");
	fclose(file);
	check(!system("rmmod gntmap_mistakes"), "it cannot be unloaded");
	check(found, KMEMLEAK " does not name who lost memory");
}

static void none(void)
{
	check(!makes("none", ""), "the log has something to say");
	check(!access(MODULE, F_OK), "premise: it was not loaded");
	check(!system("rmmod gntmap_mistakes"), "it cannot be unloaded");
}

static const struct suite_case cases[] = {
	{ "a module that makes no mistake is not complained of", none },
	{ "who sleeps under a spinlock is noticed", sleep_in_atomic },
	{ "who takes two locks in both orders is noticed", locks_in_both_orders },
	{ "who shifts too far is noticed", shift_too_far },
	{ "who deletes from a list twice is noticed", list_del_twice },
	{ "who drops a reference too many is noticed", reference_too_few },
	{ "who frees what works is noticed", work_free_pending },
	{ "who loses memory is noticed", leak },
	{ "who frees a page in use is noticed", page_free_in_use },
	{ "who writes to a freed page is noticed", page_write_after_free },
	/* A PV domain has no shadow memory; where there is one, freed objects wait in KASAN's quarantine. */
	{ "who writes to a freed object is noticed", slab_write_after_free, MODE_PV },
	{ "who reads a freed object is noticed", read_after_free, MODE_XLATE },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
