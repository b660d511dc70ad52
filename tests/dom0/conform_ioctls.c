// SPDX-License-Identifier: GPL-2.0
/* Calls of a script (conform.h): the other ioctls, and what can be done to any descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "channel.h"
#include "conform_world.h"
#include "suite.h"

#define WITHIN_MS 10000
/* An event that must not come has had this long. */
#define QUIET_MS 60

static long failed(long ret)
{
	return ret < 0 ? -errno : 0;
}

/* ---- SET_UNMAP_NOTIFY ---- */

static long notify(struct conform_world *w, uint64_t index, uint32_t action, uint32_t port)
{
	struct ioctl_gntdev_unmap_notify op = { .index = index, .action = action, .event_channel_port = port };

	return failed(ioctl(w->fd, IOCTL_GNTDEV_SET_UNMAP_NOTIFY, &op));
}

long conform_notify(struct conform_world *w, const long *arg)
{
	return notify(w, w->ranges[arg[0]].offset + arg[1], arg[2], w->port);
}

long conform_notify_at(struct conform_world *w, const long *arg)
{
	return notify(w, arg[0], arg[1], arg[2]);
}

long conform_byte(struct conform_world *w, const long *arg)
{
	uint64_t word;

	(void)w;
	check(!granter_peek(suite.granter, arg[0], arg[1] & ~7, &word), "%s", strerror(errno));
	return ((uint8_t *)&word)[arg[1] % 8];
}

static void watch_anew(void)
{
	uint32_t port;

	check(!granter_watch(suite.granter, 0, 1, 0, &port), "%s", strerror(errno));
}

static long nr_events(void)
{
	uint64_t nr_busy;
	uint8_t value;
	long nr = granter_watched(suite.granter, &nr_busy, &value);

	check(nr >= 0, "%s", strerror(errno));
	return nr;
}

static void wait_event(void)
{
	for (uint64_t start = now_us(); !nr_events(); sleep_ms(1))
		if (now_us() - start > WITHIN_MS * 1000ull)
			return;
}

long conform_bind(struct conform_world *w, const long *arg)
{
	(void)arg;
	w->port = bind_channel(&w->events);
	check(!xenevtchn_notify(w->events, w->port), "%s", strerror(errno));
	wait_event();
	check(nr_events(), "premise: the granter does not hear us");
	watch_anew();
	return 0;
}

long conform_events(struct conform_world *w, const long *arg)
{
	long nr;

	if (w->listed ? w->listed->got : arg[0])
		wait_event();
	else
		sleep_ms(QUIET_MS);
	nr = nr_events();
	watch_anew();
	return nr;
}

/* ---- GRANT_COPY ---- */

#define LENGTH 64
#define OFFSET 128
/* The granter's pages that segment i is copied from and to. */
#define FROM_PAGE(i) (8 + (i))
#define TO_PAGE(i) (12 + (i))
#define LOCAL_WORD 0x6c6f63616c20776full

static char *local(struct conform_world *w, unsigned int i)
{
	return w->memory + i * LENGTH;
}

static void set_segment(struct conform_world *w, unsigned int i, long kind)
{
	struct gntdev_grant_copy_segment *s = &w->segments[i];
	uint32_t first = suite.granter->first_ref;
	domid_t domid = suite.granter->domid;

	*s = (struct gntdev_grant_copy_segment){
		.source.foreign = { first + FROM_PAGE(i), OFFSET, domid },
		.dest.virt = local(w, i),
		.len = LENGTH,
		.flags = GNTCOPY_source_gref,
		.status = CONFORM_UNTOUCHED,
	};
	for (unsigned int word = 0; word < LENGTH / 8; word++)
		((uint64_t *)local(w, i))[word] = LOCAL_WORD;

	switch (kind) {
	case CONFORM_TO:
	case CONFORM_READ_ONLY_GRANT:
		s->source.virt = local(w, i);
		s->dest.foreign.ref = first + (kind == CONFORM_TO ? TO_PAGE(i) : suite.nr_rw);
		s->dest.foreign.offset = OFFSET;
		s->dest.foreign.domid = domid;
		s->flags = GNTCOPY_dest_gref;
		break;
	case CONFORM_BETWEEN:
		s->dest.foreign.ref = first + TO_PAGE(i);
		s->dest.foreign.offset = OFFSET;
		s->dest.foreign.domid = domid;
		s->flags |= GNTCOPY_dest_gref;
		break;
	case CONFORM_EMPTY:
		s->len = 0;
		break;
	case CONFORM_NO_GRANT:
		s->source.virt = local(w, i);
		s->flags = 0;
		break;
	case CONFORM_PAST_PAGE:
		s->source.foreign.offset = PAGE_SIZE - LENGTH + 1;
		break;
	case CONFORM_NO_MEMORY:
		s->dest.virt = w->memory + 2 * PAGE_SIZE;
		break;
	case CONFORM_READ_ONLY_MEMORY:
		s->dest.virt = w->memory + PAGE_SIZE;
		break;
	case CONFORM_BAD_REF:
		s->source.foreign.ref = 0x7fffffff;
		break;
	case CONFORM_UNKNOWN_FLAG:
		s->flags |= 1 << 7;
		break;
	}
}

long conform_copy(struct conform_world *w, const long *arg)
{
	struct ioctl_gntdev_grant_copy op = { .segments = w->segments };

	check(!granter_fill(suite.granter, TO_PAGE(0), 2, CONFORM_SEED), "%s", strerror(errno));
	for (; op.count < 2 && arg[op.count] != CONFORM_NO_SEGMENT; op.count++)
		set_segment(w, op.count, arg[op.count]);
	return failed(ioctl(w->fd, IOCTL_GNTDEV_GRANT_COPY, &op));
}

long conform_status(struct conform_world *w, const long *arg)
{
	return w->segments[arg[0]].status;
}

long conform_arrived(struct conform_world *w, const long *arg)
{
	const struct gntdev_grant_copy_segment *s = &w->segments[arg[0]];
	uint64_t want = LOCAL_WORD, got;

	if (s->flags & GNTCOPY_source_gref)
		want = granter_word(CONFORM_SEED, FROM_PAGE(arg[0]), OFFSET / 8);
	if (s->flags & GNTCOPY_dest_gref)
		check(!granter_peek(suite.granter, TO_PAGE(arg[0]), OFFSET, &got), "%s", strerror(errno));
	else
		memcpy(&got, local(w, arg[0]), sizeof(got));
	return got == want;
}

/* ---- dma-bufs ---- */

/* Room for more references than the one that the structures have. */
#define MORE 16

long conform_export(struct conform_world *w, const long *arg)
{
	char room[sizeof(struct ioctl_gntdev_dmabuf_exp_from_refs) + MORE * sizeof(uint32_t)] = "";
	struct ioctl_gntdev_dmabuf_exp_from_refs op = { arg[2], arg[1], 0, suite.granter->domid, { 0 } };
	uint32_t *refs = (uint32_t *)(room + offsetof(struct ioctl_gntdev_dmabuf_exp_from_refs, refs));

	memcpy(room, &op, sizeof(op));
	for (unsigned int i = 0; i < MORE; i++)
		refs[i] = suite.granter->first_ref + arg[0] + i;
	if (ioctl(w->fd, IOCTL_GNTDEV_DMABUF_EXP_FROM_REFS, room))
		return -errno;
	memcpy(&op, room, sizeof(op));
	w->export = op.fd;
	w->export_name = op.fd;
	return 0;
}

long conform_export_wait(struct conform_world *w, const long *arg)
{
	struct ioctl_gntdev_dmabuf_exp_wait_released op = { .fd = w->export_name, .wait_to_ms = arg[0] };

	return failed(ioctl(w->fd, IOCTL_GNTDEV_DMABUF_EXP_WAIT_RELEASED, &op));
}

long conform_export_close(struct conform_world *w, const long *arg)
{
	(void)arg;
	if (w->export >= 0)
		close(w->export);
	w->export = -1;
	return 0;
}

long conform_import(struct conform_world *w, const long *arg)
{
	char room[sizeof(struct ioctl_gntdev_dmabuf_imp_to_refs) + MORE * sizeof(uint32_t)] = "";
	struct ioctl_gntdev_dmabuf_imp_to_refs op = {
		.fd = arg[0] == -2 ? w->fd : (int)arg[0], .count = arg[1], .domid = suite.granter->domid,
	};

	memcpy(room, &op, sizeof(op));
	return failed(ioctl(w->fd, IOCTL_GNTDEV_DMABUF_IMP_TO_REFS, room));
}

long conform_import_release(struct conform_world *w, const long *arg)
{
	struct ioctl_gntdev_dmabuf_imp_release op = { .fd = arg[0] };

	return failed(ioctl(w->fd, IOCTL_GNTDEV_DMABUF_IMP_RELEASE, &op));
}

/* ---- any descriptor ---- */

long conform_ioctl(struct conform_world *w, const long *arg)
{
	char *end = w->memory + 2 * PAGE_SIZE, *start = end - arg[1];
	uint32_t word = arg[2];

	if (!arg[1])
		return failed(ioctl(w->fd, arg[0], end));
	expect(try_mprotect(w->memory + PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	memset(start, 0, arg[1]);
	memcpy(start, &word, sizeof(word));
	expect(try_mprotect(w->memory + PAGE_SIZE, PAGE_SIZE, PROT_READ), 0);
	return failed(ioctl(w->fd, arg[0], start));
}

long conform_read_file(struct conform_world *w, const long *arg)
{
	char c;

	(void)arg;
	return failed(read(w->fd, &c, 1));
}

long conform_write_file(struct conform_world *w, const long *arg)
{
	(void)arg;
	return failed(write(w->fd, "", 1));
}

long conform_seek_file(struct conform_world *w, const long *arg)
{
	(void)arg;
	return failed(lseek(w->fd, 4096, SEEK_SET));
}

long conform_poll_file(struct conform_world *w, const long *arg)
{
	struct pollfd poll_fd = { .fd = w->fd, .events = POLLIN | POLLOUT };

	(void)arg;
	check(poll(&poll_fd, 1, 0) >= 0, "%s", strerror(errno));
	return poll_fd.revents;
}

long conform_reopen(struct conform_world *w, const long *arg)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = open(w->node, arg[0] | O_CLOEXEC);
	return w->fd < 0 ? -errno : 0;
}

long conform_close(struct conform_world *w, const long *arg)
{
	(void)arg;
	close(w->fd);
	w->fd = -1;
	return 0;
}
