// SPDX-License-Identifier: GPL-2.0
/*
 * A block frontend: the handshake through xenstore, one ring of one page, and the data pages as buffers.
 * xen/io/blkif.h is the specification; this is the little of it that a frontend must have.
 */
#include "guest.h"

#define xen_mb() full_barrier()
#define xen_rmb() full_barrier()
#define xen_wmb() full_barrier()
#include <xen/grant_table.h>
#include <xen/io/blkif.h>
#include <xen/io/xenbus.h>

#include "granter.h"

#define SECTOR_SIZE 512
#define SECTORS_PER_PAGE (PAGE_SIZE / SECTOR_SIZE)
#define PATIENCE_NS 30000000000ull

static char ring_page[PAGE_SIZE] PAGE_ALIGNED;
static struct blkif_front_ring ring;
static uint32_t first_ref, ring_ref, port;
static uint64_t device;
static bool is_open;
static char frontend[32], backend[96];

void disk_init(uint32_t first, uint32_t ref)
{
	first_ref = first;
	ring_ref = ref;
}

static void write_key(const char *key, uint64_t value)
{
	char path[64], text[24];

	text_format(path, sizeof(path), "%s/%s", frontend, key);
	text_format(text, sizeof(text), "%lu", value);
	xenstore_write(path, text);
}

/* The number in a key of `end`, frontend or backend; 0, which is no state and no size, when there is none. */
static uint64_t read_key(const char *end, const char *key)
{
	char path[128], text[24];
	uint64_t value = 0;

	text_format(path, sizeof(path), "%s/%s", end, key);
	if (!xenstore_read(path, text, sizeof(text)))
		return 0;
	for (const char *digit = text; *digit >= '0' && *digit <= '9'; digit++)
		value = value * 10 + (*digit - '0');
	return value;
}

static int wait_for_state(uint64_t low, uint64_t high)
{
	uint64_t deadline = clock_ns() + PATIENCE_NS, state;

	while (state = read_key(backend, "state"), state < low || state > high) {
		if (clock_ns() > deadline)
			return -ETIMEDOUT;
		event_take(port);
		event_wait(&port, 1, 20000000);
	}
	return 0;
}

int disk_open(const uint64_t *arg, uint64_t *reply)
{
	struct blkif_sring *shared = (struct blkif_sring *)ring_page;
	char path[64];
	int ret;

	if (is_open)
		return -EBUSY;
	device = arg[0];
	text_format(frontend, sizeof(frontend), "device/vbd/%lu", device);
	text_format(path, sizeof(path), "%s/backend", frontend);
	if (!xenstore_read(path, backend, sizeof(backend)))
		return -ENODEV;
	/*
	 * Who makes the device may write our state last, with no transaction around it (QEMU's own xen-disk): what we write
	 * before that is lost, and the backend never hears of us.
	 */
	if (read_key(frontend, "state") != XenbusStateInitialising)
		return -ENODEV;
	if (!port)
		port = event_alloc(0);
	ret = wait_for_state(XenbusStateInitWait, XenbusStateInitWait);
	if (ret)
		return ret;
	/* Nobody maps the ring of an earlier disk any more: that one's backend has closed. */
	if (!grant_end(ring_ref))
		return -EBUSY;
	SHARED_RING_INIT(shared);
	FRONT_RING_INIT(&ring, shared, PAGE_SIZE);
	grant(ring_ref, 0, image_to_mfn(ring_page), false);

	text_format(path, sizeof(path), "%s/protocol", frontend);
	xenstore_write(path, "x86_64-abi");
	write_key("ring-ref", ring_ref);
	write_key("event-channel", port);
	write_key("state", XenbusStateInitialised);
	ret = wait_for_state(XenbusStateConnected, XenbusStateConnected);
	if (ret)
		return ret;
	reply[0] = read_key(backend, "sectors");
	reply[1] = read_key(backend, "sector-size");
	if (reply[1] != SECTOR_SIZE)
		return -EINVAL;
	write_key("state", XenbusStateConnected);
	is_open = true;
	return 0;
}

struct io {
	uint64_t op, sector, page, nr_pages;
	uint8_t first, last;
	uint64_t nr_requests, nr_failed, status, nr_pending;
};

static void push_request(struct io *io)
{
	struct blkif_request *req = RING_GET_REQUEST(&ring, ring.req_prod_pvt);
	uint64_t nr = io->nr_pages;

	if (nr > BLKIF_MAX_SEGMENTS_PER_REQUEST)
		nr = BLKIF_MAX_SEGMENTS_PER_REQUEST;
	ring.req_prod_pvt++;
	req->operation = io->op == GRANTER_DISK_READ  ? BLKIF_OP_READ :
			 io->op == GRANTER_DISK_WRITE ? BLKIF_OP_WRITE :
							BLKIF_OP_FLUSH_DISKCACHE;
	req->nr_segments = nr;
	req->handle = device;
	req->id = io->nr_requests++;
	req->sector_number = io->sector;
	for (uint64_t i = 0; i < nr; i++) {
		req->seg[i].gref = first_ref + io->page + i;
		req->seg[i].first_sect = io->first;
		req->seg[i].last_sect = io->last;
	}
	io->sector += nr * (io->last - io->first + 1);
	io->page += nr;
	io->nr_pages -= nr;
	io->nr_pending++;
}

static void take_responses(struct io *io)
{
	int more;

	do {
		RING_IDX end = load_acquire(&ring.sring->rsp_prod);

		for (; ring.rsp_cons != end; ring.rsp_cons++) {
			struct blkif_response *rsp = RING_GET_RESPONSE(&ring, ring.rsp_cons);

			io->nr_pending--;
			if (rsp->status != BLKIF_RSP_OKAY && io->nr_failed++ == 0)
				io->status = (int64_t)rsp->status;
		}
		RING_FINAL_CHECK_FOR_RESPONSES(&ring, more);
	} while (more);
}

static int run(struct io *io)
{
	uint64_t deadline = clock_ns() + PATIENCE_NS;
	bool flush = io->op == GRANTER_DISK_FLUSH;

	while (io->nr_pages || flush || io->nr_pending) {
		uint64_t before;
		int notify;

		while ((io->nr_pages || flush) && !RING_FULL(&ring)) {
			push_request(io);
			flush = false;
		}
		RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&ring, notify);
		if (notify)
			event_send(port);
		event_take(port);
		before = io->nr_pending;
		take_responses(io);
		if (io->nr_pending != before) {
			deadline = clock_ns() + PATIENCE_NS;
		} else if (clock_ns() > deadline) {
			is_open = false;
			return -ETIMEDOUT;
		} else {
			event_wait(&port, 1, 100000000);
		}
	}
	return 0;
}

int disk_io(const uint64_t *arg, uint64_t *reply)
{
	struct io io = { .op = arg[0], .sector = arg[1], .page = arg[2], .nr_pages = arg[3] };
	int ret;

	if (!is_open)
		return -ENODEV;
	if (io.op > GRANTER_DISK_FLUSH)
		return -EINVAL;
	if (io.op == GRANTER_DISK_FLUSH)
		io.nr_pages = 0;
	else if (io.page > nr_pages || io.nr_pages > nr_pages - io.page)
		return -ERANGE;
	else if (arg[4] > arg[5] || arg[5] >= SECTORS_PER_PAGE)
		return -ERANGE;
	io.first = arg[4];
	io.last = arg[5];
	ret = run(&io);
	reply[0] = io.nr_requests;
	reply[1] = io.nr_failed;
	reply[2] = io.status;
	return ret;
}

int disk_close(const uint64_t *arg, uint64_t *reply)
{
	int ret;

	(void)arg;
	(void)reply;
	if (!is_open)
		return -ENODEV;
	is_open = false;
	write_key("state", XenbusStateClosing);
	/* Some backends close at once, some wait to hear that we have. */
	ret = wait_for_state(XenbusStateClosing, XenbusStateClosed);
	write_key("state", XenbusStateClosed);
	return ret ? ret : wait_for_state(XenbusStateClosed, XenbusStateClosed);
}
