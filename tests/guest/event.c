// SPDX-License-Identifier: GPL-2.0
/*
 * Event channels without upcalls: every channel stays masked, and the guest sleeps
 * in SCHEDOP_poll, which looks at the pending bit and not at the mask.
 */
#include "guest.h"

#include <xen/event_channel.h>
#include <xen/sched.h>

static char shared_page[PAGE_SIZE] PAGE_ALIGNED;
static volatile struct shared_info *const shared = (volatile struct shared_info *)shared_page;

void event_init(const struct start_info *si)
{
	map_frame(shared_page, si->shared_info / PAGE_SIZE);
	shared->vcpu_info[0].evtchn_upcall_mask = 1;
	for (size_t i = 0; i < ARRAY_SIZE(shared->evtchn_mask); i++)
		shared->evtchn_mask[i] = ~0ul;
}

uint32_t event_alloc(domid_t remote)
{
	struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = remote };
	long ret = hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &op, 0);

	if (ret)
		die("EVTCHNOP_alloc_unbound", ret);
	return op.port;
}

void event_send(uint32_t port)
{
	struct evtchn_send op = { .port = port };
	long ret = hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &op, 0);

	if (ret)
		die("EVTCHNOP_send", ret);
}

bool event_take(uint32_t port)
{
	unsigned long bit = 1ul << port % 64;

	return __atomic_fetch_and(&shared->evtchn_pending[port / 64], ~bit, __ATOMIC_SEQ_CST) & bit;
}

void event_wait(const uint32_t *ports, unsigned int nr_ports, uint64_t timeout_ns)
{
	struct sched_poll op = { .nr_ports = nr_ports, .timeout = clock_ns() + timeout_ns };
	long ret;

	set_xen_guest_handle(op.ports, (evtchn_port_t *)ports);
	ret = hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, &op, 0);
	if (ret)
		die("SCHEDOP_poll", ret);
}

/* System time: what Xen last wrote down, plus the ticks since then. */
uint64_t clock_ns(void)
{
	volatile struct vcpu_time_info *time = &shared->vcpu_info[0].time;
	uint32_t version, low, high;
	uint64_t tsc, then, delta, ns;

	do {
		version = load_acquire(&time->version);
		asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
		tsc = (uint64_t)high << 32 | low;
		then = time->tsc_timestamp;
		/* Emulated CPUs' counters may differ: never let time jump ahead by 2^64 ticks. */
		delta = tsc > then ? tsc - then : 0;
		if (time->tsc_shift < 0)
			delta >>= -time->tsc_shift;
		else
			delta <<= time->tsc_shift;
		ns = time->system_time + (uint64_t)((unsigned __int128)delta * time->tsc_to_system_mul >> 32);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (version & 1 || version != time->version);
	return ns;
}
