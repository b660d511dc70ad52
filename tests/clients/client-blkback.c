// SPDX-License-Identifier: GPL-2.0
/*
 * A block backend in user space that works as QEMU's did until 2.12 (and as the bug report of 2016 has it): it maps the pages
 * of a request through libxengnttab and does the IO right on them. QEMU from 3.0 on copies instead, so that no QEMU of
 * today shows what O_DIRECT makes of the mapping.
 *
 *	client-blkback DOMID FILE direct|buffered
 *
 * Makes the device (xvda) in xenstore, serves it until the frontend closes it, and prints one line:
 *
 *	requests N failed N errno NAME scans N
 *
 * failed: requests that the kernel refused to do on the mapping (errno is the first one's), scans: how often NUMA balancing went
 * through this process. A thread burns CPU time beside the IO, since scans are driven by that. Exit code: 0 served, 2 could not.
 */
#include <errno.h>
#include <fcntl.h>
#include <libaio.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/fs.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include <xen/grant_table.h>
#include <xen/io/blkif.h>
#include <xen/io/xenbus.h>

#include "numa.h"

#define DEVICE 51712
#define SECTOR 512ul
#define PAGE 4096ul
#define MAX_PENDING 32
#define CONTROL_SIZE (4ul << 20)

static struct xs_handle *store;
static xengnttab_handle *grants;
static xenevtchn_handle *events;
static evtchn_port_t port;
static struct blkif_back_ring ring;
static int file, domid;
static bool direct;
static io_context_t aio;
static char front[64], back[64];

static unsigned long nr_requests, nr_failed;
static int first_error;

static void give_up(const char *what)
{
	fprintf(stderr, "client-blkback: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void set_key(const char *dir, const char *key, const char *format, ...)
{
	char path[128], value[128];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	snprintf(path, sizeof(path), "%s/%s", dir, key);
	if (!xs_write(store, XBT_NULL, path, value, strlen(value)))
		give_up(path);
}

/* -1: no such key */
static long get_key(const char *dir, const char *key)
{
	char path[128], *value;
	long number = -1;

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	value = xs_read(store, XBT_NULL, path, NULL);
	if (value)
		number = strtol(value, NULL, 10);
	free(value);
	return number;
}

/* Each end owns its folder, and the other may read it. */
static void make_folder(const char *path, unsigned int owner, unsigned int other)
{
	struct xs_permissions perms[] = { { owner, XS_PERM_NONE }, { other, XS_PERM_READ } };

	if (!xs_mkdir(store, XBT_NULL, path) || !xs_set_permissions(store, XBT_NULL, path, perms, 2))
		give_up(path);
}

static void announce(void)
{
	uint64_t size;

	if (ioctl(file, BLKGETSIZE64, &size))
		give_up("the size of the device");
	snprintf(front, sizeof(front), "/local/domain/%d/device/vbd/%d", domid, DEVICE);
	snprintf(back, sizeof(back), "/local/domain/0/backend/mapped/%d/%d", domid, DEVICE);
	make_folder(front, domid, 0);
	make_folder(back, 0, domid);
	set_key(back, "frontend", "%s", front);
	set_key(back, "frontend-id", "%d", domid);
	set_key(back, "online", "1");
	set_key(back, "sector-size", "%lu", SECTOR);
	set_key(back, "sectors", "%lu", size / SECTOR);
	set_key(back, "info", "0");
	set_key(front, "virtual-device", "%d", DEVICE);
	set_key(front, "backend-id", "0");
	set_key(front, "state", "%d", XenbusStateInitialising);
	set_key(front, "backend", "%s", back);
	set_key(back, "state", "%d", XenbusStateInitWait);
}

static void connect_ring(void)
{
	struct blkif_sring *shared;
	int local;

	while (get_key(front, "state") != XenbusStateInitialised)
		usleep(10000);
	shared = xengnttab_map_grant_ref(grants, domid, get_key(front, "ring-ref"), PROT_READ | PROT_WRITE);
	if (!shared)
		give_up("mapping the ring");
	BACK_RING_INIT(&ring, shared, PAGE);
	local = xenevtchn_bind_interdomain(events, domid, get_key(front, "event-channel"));
	if (local < 0)
		give_up("the event channel");
	port = local;
	set_key(back, "state", "%d", XenbusStateConnected);
}

struct request {
	struct blkif_request req;
	struct iovec iov[BLKIF_MAX_SEGMENTS_PER_REQUEST];
	struct iocb iocb;
	void *pages;
	int error;
};

static size_t map_segments(struct request *r)
{
	uint32_t refs[BLKIF_MAX_SEGMENTS_PER_REQUEST];
	size_t size = 0;

	for (int i = 0; i < r->req.nr_segments; i++)
		refs[i] = r->req.seg[i].gref;
	r->pages = xengnttab_map_domain_grant_refs(grants, r->req.nr_segments, domid, refs,
						   r->req.operation == BLKIF_OP_READ ? PROT_READ | PROT_WRITE : PROT_READ);
	if (!r->pages)
		give_up("mapping a request's pages");
	for (int i = 0; i < r->req.nr_segments; i++) {
		const struct blkif_request_segment *seg = &r->req.seg[i];

		r->iov[i].iov_base = (char *)r->pages + i * PAGE + seg->first_sect * SECTOR;
		r->iov[i].iov_len = (seg->last_sect - seg->first_sect + 1) * SECTOR;
		size += r->iov[i].iov_len;
	}
	return size;
}

static void finish(struct request *r)
{
	struct blkif_response *rsp = RING_GET_RESPONSE(&ring, ring.rsp_prod_pvt);

	if (r->pages && xengnttab_unmap(grants, r->pages, r->req.nr_segments))
		give_up("unmapping a request's pages");
	nr_requests++;
	if (r->error) {
		nr_failed++;
		if (!first_error)
			first_error = r->error;
	}
	rsp->id = r->req.id;
	rsp->operation = r->req.operation;
	rsp->status = r->error ? BLKIF_RSP_ERROR : BLKIF_RSP_OKAY;
	ring.rsp_prod_pvt++;
}

/* Everything that is on the ring now, all of it in flight at the same time if it is asynchronous. */
static void serve(void)
{
	static struct request pending[MAX_PENDING];
	unsigned int nr = 0, nr_flying = 0;
	struct io_event done[MAX_PENDING];
	RING_IDX end = ring.sring->req_prod;
	int notify;

	xen_rmb();
	for (; ring.req_cons != end && nr < MAX_PENDING; nr++) {
		struct request *r = &pending[nr];
		struct iocb *iocb = &r->iocb;
		size_t size;
		bool read;

		memset(r, 0, sizeof(*r));
		memcpy(&r->req, RING_GET_REQUEST(&ring, ring.req_cons), sizeof(r->req));
		ring.req_cons++;
		if (r->req.operation == BLKIF_OP_FLUSH_DISKCACHE) {
			if (fdatasync(file))
				r->error = errno;
			continue;
		}
		if (r->req.nr_segments > BLKIF_MAX_SEGMENTS_PER_REQUEST) {
			errno = EPROTO;
			give_up("a request");
		}
		read = r->req.operation == BLKIF_OP_READ;
		size = map_segments(r);
		if (!direct) {
			ssize_t did = read ? preadv(file, r->iov, r->req.nr_segments, r->req.sector_number * SECTOR) :
					     pwritev(file, r->iov, r->req.nr_segments, r->req.sector_number * SECTOR);

			if (did != (ssize_t)size)
				r->error = did < 0 ? errno : EIO;
			continue;
		}
		if (read)
			io_prep_preadv(iocb, file, r->iov, r->req.nr_segments, r->req.sector_number * SECTOR);
		else
			io_prep_pwritev(iocb, file, r->iov, r->req.nr_segments, r->req.sector_number * SECTOR);
		iocb->data = r;
		notify = io_submit(aio, 1, &iocb);
		if (notify == 1)
			nr_flying++;
		else
			r->error = -notify;
	}
	while (nr_flying) {
		int got = io_getevents(aio, 1, MAX_PENDING, done, NULL);

		for (int i = 0; i < got; i++) {
			struct request *r = done[i].data;

			if ((long)done[i].res < 0)
				r->error = -(long)done[i].res;
			nr_flying--;
		}
	}
	for (unsigned int i = 0; i < nr; i++)
		finish(&pending[i]);
	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&ring, notify);
	if (notify)
		xenevtchn_notify(events, port);
}

static void run(void)
{
	struct pollfd fds[] = { { .fd = xenevtchn_fd(events), .events = POLLIN },
				{ .fd = xs_fileno(store), .events = POLLIN } };
	int more;

	xs_watch(store, front, "front");
	for (;;) {
		poll(fds, 2, -1);
		if (fds[0].revents) {
			xenevtchn_unmask(events, xenevtchn_pending(events));
			do {
				serve();
				RING_FINAL_CHECK_FOR_REQUESTS(&ring, more);
			} while (more);
		}
		if (fds[1].revents) {
			unsigned int nr;
			long state;

			free(xs_read_watch(store, &nr));
			state = get_key(front, "state");
			if (state < 0 || state >= XenbusStateClosing)
				return;
		}
	}
}

static void *burn(void *control)
{
	for (;;) {
		for (size_t at = 0; at < CONTROL_SIZE; at += PAGE)
			(void)*(volatile char *)((char *)control + at);
		for (volatile int i = 0; i < 100000; i++)
			;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int ret;

	if (argc != 4)
		return 2;
	domid = atoi(argv[1]);
	direct = !strcmp(argv[3], "direct");
	file = open(argv[2], O_RDWR | O_CLOEXEC | (direct ? O_DIRECT : 0));
	if (file < 0)
		give_up(argv[2]);
	store = xs_open(0);
	grants = xengnttab_open(NULL, 0);
	events = xenevtchn_open(NULL, 0);
	if (!store || !grants || !events)
		give_up("Xen's libraries");
	ret = io_setup(MAX_PENDING, &aio);
	if (ret) {
		errno = -ret;
		give_up("asynchronous IO");
	}
	announce();
	connect_ring();
	if (pthread_create(&thread, NULL, burn, numa_control_alloc(CONTROL_SIZE)))
		give_up("a thread");
	run();
	xengnttab_unmap(grants, ring.sring, 1);
	set_key(back, "state", "%d", XenbusStateClosed);
	printf("requests %lu failed %lu errno %s scans %ld\n", nr_requests, nr_failed,
	       first_error ? strerrorname_np(first_error) : "-", numa_scan_seq());
	return 0;
}
