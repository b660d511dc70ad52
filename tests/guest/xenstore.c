// SPDX-License-Identifier: GPL-2.0
/* A xenstore client that can write one key at a time. Paths are relative to the domain's own directory. */
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

void xenstore_write(const char *path, const char *value)
{
	uint64_t deadline = clock_ns() + REPLY_TIMEOUT_NS;
	size_t path_size = text_length(path) + 1, value_length = text_length(value);
	struct xsd_sockmsg head = { .type = XS_WRITE, .req_id = ++last_id, .len = path_size + value_length };
	char body[64];

	send(&head, sizeof(head), deadline);
	send(path, path_size, deadline);
	send(value, value_length, deadline);

	receive(&head, sizeof(head), deadline);
	if (head.req_id != last_id || head.len > sizeof(body))
		die("a reply of xenstored", head.type);
	receive(body, head.len, deadline);
	if (head.type != XS_WRITE) {
		body[sizeof(body) - 1] = 0;
		console_print("granter: xenstored says %s about %s\n", body, path);
		die("a write to xenstore", head.type);
	}
}
