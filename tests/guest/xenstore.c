// SPDX-License-Identifier: GPL-2.0
/* A xenstore client that can write and read one key at a time. Relative paths start at the domain's own directory. */
#include "guest.h"

#include <xen/io/xs_wire.h>

#define REPLY_TIMEOUT_NS 60000000000ull

static char ring_page[PAGE_SIZE] PAGE_ALIGNED;
static struct xenstore_domain_interface *const ring = (struct xenstore_domain_interface *)ring_page;
static uint32_t port, last_id;

void xenstore_init(const struct start_info *si)
{
	map_frame(ring_page, si->store_mfn);
	port = si->store_evtchn;
}

static void wait_for_daemon(uint64_t deadline)
{
	if (clock_ns() > deadline)
		die("waiting for xenstored", -1);
	event_wait(&port, 1, 100000000);
}

static void send(const void *data, size_t n, uint64_t deadline)
{
	const char *from = data;
	uint32_t prod = ring->req_prod;

	while (n) {
		event_take(port);
		if (prod - load_acquire(&ring->req_cons) == sizeof(ring->req)) {
			wait_for_daemon(deadline);
			continue;
		}
		ring->req[MASK_XENSTORE_IDX(prod++)] = *from++;
		n--;
		store_release(&ring->req_prod, prod);
	}
	full_barrier();
	event_send(port);
}

static void receive(void *data, size_t n, uint64_t deadline)
{
	char *to = data;
	uint32_t cons = ring->rsp_cons;

	while (n) {
		event_take(port);
		if (cons == load_acquire(&ring->rsp_prod)) {
			wait_for_daemon(deadline);
			continue;
		}
		*to++ = ring->rsp[MASK_XENSTORE_IDX(cons++)];
		n--;
		store_release(&ring->rsp_cons, cons);
	}
	full_barrier();
	event_send(port);
}

/* One request about `path`, and its answer, cut to `size` with its end marked. Returns false when xenstored says no. */
static bool call(uint32_t type, const char *path, const char *value, size_t value_length, char *answer, size_t size)
{
	uint64_t deadline = clock_ns() + REPLY_TIMEOUT_NS;
	struct xsd_sockmsg head = { .type = type, .req_id = ++last_id };
	size_t path_size = text_length(path) + 1, kept;
	char rest;

	head.len = path_size + value_length;
	send(&head, sizeof(head), deadline);
	send(path, path_size, deadline);
	send(value, value_length, deadline);

	receive(&head, sizeof(head), deadline);
	if (head.req_id != last_id || head.len > XENSTORE_PAYLOAD_MAX || (head.type != type && head.type != XS_ERROR))
		die("a reply of xenstored", head.type);
	kept = head.len < size ? head.len : size - 1;
	receive(answer, kept, deadline);
	answer[kept] = 0;
	for (size_t i = kept; i < head.len; i++)
		receive(&rest, 1, deadline);
	return head.type == type;
}

void xenstore_write(const char *path, const char *value)
{
	char answer[64];

	if (!call(XS_WRITE, path, value, text_length(value), answer, sizeof(answer))) {
		console_print("granter: xenstored says %s about %s\n", answer, path);
		die("a write to xenstore", XS_WRITE);
	}
}

bool xenstore_read(const char *path, char *value, size_t size)
{
	return call(XS_READ, path, "", 0, value, size);
}
