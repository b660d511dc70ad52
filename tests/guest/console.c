// SPDX-License-Identifier: GPL-2.0
/* The console ring, and the ways out. */
#include "guest.h"

#include <xen/io/console.h>
#include <xen/sched.h>

static char ring_page[PAGE_SIZE] PAGE_ALIGNED;
static uint32_t port;

void console_init(const struct start_info *si)
{
	map_frame(ring_page, si->console.domU.mfn);
	port = si->console.domU.evtchn;
}

static void console_vprint(const char *format, __builtin_va_list args)
{
	struct xencons_interface *ring = (struct xencons_interface *)ring_page;
	uint32_t prod = ring->out_prod, cons = load_acquire(&ring->out_cons);
	char line[160];
	size_t n = text_vformat(line, sizeof(line), format, args);

	/* The few lines of a life fit the ring: nobody waits for a reader who may not be there. */
	for (size_t i = 0; i < n && prod - cons < sizeof(ring->out); i++)
		ring->out[MASK_XENCONS_IDX(prod++, ring->out)] = line[i];
	store_release(&ring->out_prod, prod);
}

void console_print(const char *format, ...)
{
	__builtin_va_list args;

	__builtin_va_start(args, format);
	console_vprint(format, args);
	__builtin_va_end(args);
	event_send(port);
}

void shut_down(unsigned int reason)
{
	struct sched_shutdown op = { .reason = reason };

	for (;;)
		hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &op, 0);
}

void die(const char *what, long code)
{
	static bool dying;

	/* A console that fails must not call for itself; before it exists, Xen's log has the crash alone. */
	if (port && !dying) {
		dying = true;
		console_print("granter: %s failed: %ld\n", what, code);
	}
	shut_down(SHUTDOWN_crash);
}
