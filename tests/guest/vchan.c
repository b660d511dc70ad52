// SPDX-License-Identifier: GPL-2.0
/*
 * The server of a vchan that sends back whatever it gets. xen/io/libxenvchan.h is the layout of the shared page; each
 * index belongs to one side, and each side's notify bits say what it wants to hear of.
 */
#include "guest.h"

#include <xen/io/libxenvchan.h>

#include "granter.h"

#define PATIENCE_NS 30000000000ull
#define PAGE_ORDER 12
#define MAX_ORDER 20
#define BOTH (VCHAN_NOTIFY_WRITE | VCHAN_NOTIFY_READ)

static char shared_page[PAGE_SIZE] PAGE_ALIGNED;
static volatile struct vchan_interface *const shared = (volatile struct vchan_interface *)shared_page;
static uint32_t first_ref, shared_ref, port;

void vchan_init(uint32_t first, uint32_t ref)
{
	first_ref = first;
	shared_ref = ref;
}

struct echo {
	uint64_t left, right; /* first pages of the rings */
	uint32_t size;
	uint64_t nr_bytes, sum;
};

/* As much as can be had without crossing a page of either ring; returns how much that was. */
static uint32_t echo_some(struct echo *e)
{
	static char bounce[PAGE_SIZE];
	uint32_t from = shared->left.cons % e->size, to = shared->right.prod % e->size;
	uint32_t filled = load_acquire(&shared->left.prod) - shared->left.cons;
	uint32_t space = e->size - (shared->right.prod - load_acquire(&shared->right.cons));
	uint32_t n = filled < space ? filled : space;

	if (n > PAGE_SIZE - from % PAGE_SIZE)
		n = PAGE_SIZE - from % PAGE_SIZE;
	if (n > PAGE_SIZE - to % PAGE_SIZE)
		n = PAGE_SIZE - to % PAGE_SIZE;
	if (!n)
		return 0;
	memcpy(bounce, (const char *)page_words(e->left + from / PAGE_SIZE) + from % PAGE_SIZE, n);
	for (uint32_t i = 0; i < n; i++)
		e->sum = granter_sum_byte(e->sum, bounce[i]);
	memcpy((char *)page_words(e->right + to / PAGE_SIZE) + to % PAGE_SIZE, bounce, n);
	store_release(&shared->left.cons, shared->left.cons + n);
	store_release(&shared->right.prod, shared->right.prod + n);
	e->nr_bytes += n;
	if (__atomic_fetch_and(&shared->srv_notify, ~BOTH, __ATOMIC_SEQ_CST) & BOTH)
		event_send(port);
	return n;
}

static int echo_all(struct echo *e)
{
	uint64_t deadline = clock_ns() + PATIENCE_NS;

	for (;;) {
		if (echo_some(e)) {
			deadline = clock_ns() + PATIENCE_NS;
			continue;
		}
		if (!load_acquire(&shared->cli_live))
			return 0;
		if (clock_ns() > deadline)
			return -ETIMEDOUT;
		event_take(port);
		__atomic_fetch_or(&shared->cli_notify, BOTH, __ATOMIC_SEQ_CST);
		if (!echo_some(e))
			event_wait(&port, 1, 100000000);
	}
}

static void set_up(uint16_t order, uint64_t page)
{
	uint64_t nr = 2ull << (order - PAGE_ORDER);

	memset(shared_page, 0, sizeof(shared_page));
	shared->left_order = order;
	shared->right_order = order;
	shared->cli_live = 2; /* not yet */
	shared->srv_live = 1;
	shared->cli_notify = VCHAN_NOTIFY_WRITE;
	for (uint64_t i = 0; i < nr; i++)
		shared->grants[i] = first_ref + page + i;
	grant(shared_ref, 0, image_to_mfn(shared_page), false);
	if (!port)
		port = event_alloc(0);
}

int vchan_serve(const uint64_t *arg, uint64_t *reply)
{
	struct echo e = { .left = arg[0], .sum = GRANTER_SUM_INIT };
	uint64_t order = arg[1], deadline;
	char text[24];
	int ret;

	if (order < PAGE_ORDER || order > MAX_ORDER)
		return -EINVAL;
	e.size = 1u << order;
	e.right = e.left + e.size / PAGE_SIZE;
	if (e.left > nr_pages || 2 * e.size / PAGE_SIZE > nr_pages - e.left)
		return -ERANGE;
	if (!grant_end(shared_ref))
		return -EBUSY;
	set_up(order, e.left);
	text_format(text, sizeof(text), "%lu", (uint64_t)port);
	xenstore_write("data/vchan/event-channel", text);
	text_format(text, sizeof(text), "%lu", (uint64_t)shared_ref);
	xenstore_write("data/vchan/ring-ref", text);

	ret = echo_all(&e);
	shared->srv_live = 0;
	event_send(port);
	reply[0] = e.nr_bytes;
	reply[1] = e.sum;
	/* The client says that it goes before it unmaps. */
	for (deadline = clock_ns() + PATIENCE_NS; !ret && !grant_end(shared_ref);) {
		if (clock_ns() > deadline)
			ret = -EBUSY;
		event_wait(&port, 1, 10000000);
		event_take(port);
	}
	return ret;
}
