// SPDX-License-Identifier: GPL-2.0
/* Operations on files and ranges. */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "../../include/uapi/xen/gntmap.h"
#include "foreign.h"

static int free_fd(uint32_t choice)
{
	for (int i = 0; i < NR_FDS; i++)
		if (w->fds[(choice + i) % NR_FDS] < 0)
			return (choice + i) % NR_FDS;
	return -1;
}

static bool room_for_range(void)
{
	for (int i = 0; i < NR_RANGES; i++)
		if (!w->ranges[i].used)
			return true;
	return false;
}

void op_open(struct fuzz_op *op)
{
	int at = free_fd(op->arg[0]);
	struct ffile *file = at < 0 ? NULL : model_open();

	if (!file)
		return;
	w->fds[at] = open(suite.node, O_RDWR | O_CLOEXEC);
	must(w->fds[at] >= 0, "%s", strerror(errno));
	w->fd_files[at] = file;
}

void op_close(struct fuzz_op *op)
{
	int at = op->arg[0] % NR_FDS;

	if (w->fds[at] < 0)
		return;
	answer(close(w->fds[at]) ? -errno : 0, 0);
	w->fds[at] = -1;
}

static void take(int at, int fd, struct ffile *file)
{
	w->fds[at] = fd;
	w->fd_files[at] = file;
}

void op_dup(struct fuzz_op *op)
{
	int at = free_fd(op->arg[0]), fd, copy;
	struct ffile *file = model_any_file(op->arg[1], &fd);

	if (at < 0 || !file)
		return;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	must(copy >= 0, "%s", strerror(errno));
	take(at, copy, file);
}

/* A descriptor that goes through a socket is one more of the same file. */
void op_pass(struct fuzz_op *op)
{
	int at = free_fd(op->arg[0]), fd, pair[2];
	struct ffile *file = model_any_file(op->arg[1], &fd);
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };

	if (at < 0 || !file)
		return;
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "%s", strerror(errno));
	control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
					   .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	must(sendmsg(pair[0], &msg, 0) == 1, "%s", strerror(errno));
	must(recvmsg(pair[1], &msg, MSG_CMSG_CLOEXEC) == 1, "%s", strerror(errno));
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	close(pair[0]);
	close(pair[1]);
	take(at, fd, file);
}

/* arg: descriptor, pages, first page, what is odd about it */
void op_add(struct fuzz_op *op)
{
	struct granter *g = w->granter;
	struct ioctl_gntdev_grant_ref refs[RANGE_MAX];
	uint32_t nr = 1 + op->arg[1] % RANGE_MAX, odd = op->arg[3] % 32, page[RANGE_MAX], domid = g->domid;
	struct frange *r;
	struct ffile *file;
	uint64_t offset;
	int fd, err;

	file = model_any_file(op->arg[0], &fd);
	if (!file || !room_for_range())
		return;
	if (odd == 1)
		domid += 1;
	for (uint32_t i = 0; i < nr; i++) {
		page[i] = (op->arg[2] + i) % NR_PAGES;
		refs[i] = (struct ioctl_gntdev_grant_ref){ domid, g->first_ref + model_granter_page(page[i]) };
		if (odd == 2 && i == op->arg[3] / 32 % nr) {
			page[i] = NO_PAGE;
			refs[i].ref = 0x10000000;
		}
	}
	err = model_charge(file, nr);
	if (!err)
		err = model_may_name(file, domid);
	answer_charged(try_add(fd, refs, nr, &offset), err);
	if (err)
		return;
	r = model_add(file, nr);
	memcpy(r->page, page, sizeof(page));
	r->unknown = odd == 1;
	must(offset == r->index * PAGE_SIZE, "the offset is %#lx, not %#lx", offset, r->index * PAGE_SIZE);
}

/* Nothing may come of it. */
void op_add_bad(struct fuzz_op *op)
{
	struct ioctl_gntdev_grant_ref ref = { 0x10000 | op->arg[1], w->granter->first_ref };
	struct ioctl_gntdev_map_grant_ref big = { .count = op->arg[1] | 0x80000000 };
	struct ffile *file;
	uint64_t offset;
	int fd;

	file = model_any_file(op->arg[0], &fd);
	if (!file)
		return;
	switch (op->arg[2] % 4) {
	case 0:
		answer(try_add(fd, &ref, 0, &offset), -EINVAL);
		break;
	case 1:
		answer(ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, &big) ? -errno : 0, -EINVAL);
		break;
	case 2:
		answer(ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, 8ul) ? -errno : 0, -EFAULT);
		break;
	case 3:
		/* A cap may speak first. */
		answer_charged(try_add(fd, &ref, 1, &offset), model_charge(file, 1) ?: -EINVAL);
		break;
	}
}

/* arg: descriptor, pages, first page, flags */
void op_foreign(struct fuzz_op *op)
{
	uint32_t nr = 1 + op->arg[1] % RANGE_MAX, first = op->arg[2] % NR_PAGES, flags = op->arg[3] & 1;
	uint64_t gfns[RANGE_MAX], offset;
	struct ffile *file;
	struct frange *r;
	int fd, err;

	file = model_any_file(op->arg[0], &fd);
	if (!file || !room_for_range())
		return;
	for (uint32_t i = 0; i < nr; i++)
		gfns[i] = w->frames[(first + i) % NR_PAGES];
	err = model_may_name(file, w->granter->domid);
	if (!err)
		err = model_charge(file, nr);
	answer_charged(try_foreign(fd, w->granter->domid, flags, gfns, nr, NULL, &offset), err);
	if (err)
		return;
	r = model_add(file, nr);
	for (uint32_t i = 0; i < nr; i++)
		r->page[i] = (first + i) % NR_PAGES;
	r->foreign = true;
	r->writable = flags & GNTMAP_FOREIGN_WRITE;
	must(offset == r->index * PAGE_SIZE, "the offset is %#lx, not %#lx", offset, r->index * PAGE_SIZE);
}

/* arg: range, how */
void op_remove(struct fuzz_op *op)
{
	struct frange *r = model_any_range(op->arg[0]);
	int fd = r ? model_fd(r->file) : -1;

	if (fd < 0)
		return;
	switch (op->arg[1] % 8) {
	case 0: /* another size */
		answer(try_remove(fd, r->index * PAGE_SIZE, r->nr + 1), -ENOENT);
		break;
	case 1: /* in its middle, or where nothing is */
		answer(try_remove(fd, (r->index + r->nr) * PAGE_SIZE + (1ul << 40), r->nr), -ENOENT);
		if (r->nr > 1)
			answer(try_remove(fd, (r->index + 1) * PAGE_SIZE, 0), -ENOENT);
		break;
	default:
		answer(try_remove(fd, r->index * PAGE_SIZE, op->arg[1] % 2 ? r->nr : 0), 0);
		model_remove(r);
	}
}

void op_info(struct fuzz_op *op)
{
	struct gntmap_info info = { .size = sizeof(info) };
	struct model_info want;
	struct ffile *file;
	int fd;

	file = model_any_file(op->arg[0], &fd);
	if (!file)
		return;
	want = model_info(file);
	must(comes((info = (struct gntmap_info){ .size = sizeof(info) }, !ioctl(fd, GNTMAP_IOCTL_INFO, &info) &&
		    info.nr_draining_pages == want.nr_draining)), "%llu pages drain, not %lu",
	     (unsigned long long)info.nr_draining_pages, want.nr_draining);
	must(info.nr_ranges == want.nr_ranges && info.nr_pages == want.nr_pages, "%llu ranges, %llu pages, not %lu, %lu",
	     (unsigned long long)info.nr_ranges, (unsigned long long)info.nr_pages, want.nr_ranges, want.nr_pages);
	must(info.nr_mapped_pages == want.nr_mapped, "%llu pages mapped, not %lu",
	     (unsigned long long)info.nr_mapped_pages, want.nr_mapped);
	must(info.max_pages == file->max_pages && info.domid == file->domid, "%llu, %u",
	     (unsigned long long)info.max_pages, info.domid);
	info.flags = 1;
	answer(ioctl(fd, GNTMAP_IOCTL_INFO, &info) ? -errno : 0, -EINVAL);
}

void op_cap(struct fuzz_op *op)
{
	struct gntmap_set_max_pages cap = { .size = sizeof(cap), .max_pages = op->arg[1] % 64 };
	struct ffile *file;
	int fd;

	file = model_any_file(op->arg[0], &fd);
	if (!file)
		return;
	if (cap.max_pages > file->max_pages) {
		answer(ioctl(fd, GNTMAP_IOCTL_SET_MAX_PAGES, &cap) ? -errno : 0, -EPERM);
	} else if (cap.max_pages < file->nr_pages) {
		answer(ioctl(fd, GNTMAP_IOCTL_SET_MAX_PAGES, &cap) ? -errno : 0, -EBUSY);
	} else {
		must(comes(!ioctl(fd, GNTMAP_IOCTL_SET_MAX_PAGES, &cap)), "%s", strerror(errno));
		file->max_pages = cap.max_pages;
	}
}

void op_restrict(struct fuzz_op *op)
{
	struct gntmap_restrict want = { .size = sizeof(want), .domid = w->granter->domid };
	struct ffile *file;
	int fd, err;

	file = model_any_file(op->arg[0], &fd);
	if (!file)
		return;
	if (op->arg[1] % 8 == 0)
		want.domid++;
	if (op->arg[1] % 8 == 1) {
		want.domid = 0x7ff0 + op->arg[2] % 100000;
		answer(ioctl(fd, GNTMAP_IOCTL_RESTRICT, &want) ? -errno : 0, -EINVAL);
		return;
	}
	err = model_may_name(file, want.domid);
	answer(ioctl(fd, GNTMAP_IOCTL_RESTRICT, &want) ? -errno : 0, err);
	if (!err)
		file->domid = want.domid;
}

/* arg: range, action, page, port */
void op_notify(struct fuzz_op *op)
{
	struct ioctl_gntdev_unmap_notify want = { .action = op->arg[1] % 5 };
	struct frange *r = model_any_range(op->arg[0]);
	uint32_t i, byte;
	int fd = r ? model_fd(r->file) : -1, err = 0;

	if (fd < 0)
		return;
	i = op->arg[2] % r->nr;
	/* Nobody else's: two ranges may show one page. */
	byte = 3000 + (r - w->ranges);
	want.index = (r->index + i) * PAGE_SIZE + byte;
	want.event_channel_port = op->arg[3] % 8 ? w->port : 3000;
	if (want.action > 3)
		err = -EINVAL;
	else if (want.action & UNMAP_NOTIFY_SEND_EVENT)
		err = op->arg[3] % 8 ? model_may_name(r->file, w->granter->domid) : -EINVAL;
	if (!err && (want.action & UNMAP_NOTIFY_CLEAR_BYTE) && (r->foreign || (r->notify_mapped && !r->mapped_writable)))
		err = -EINVAL;
	answer(ioctl(fd, IOCTL_GNTDEV_SET_UNMAP_NOTIFY, &want) ? -errno : 0, err);
	if (err)
		return;
	r->action = want.action;
	if (r->page[i] == NO_PAGE || (want.action & UNMAP_NOTIFY_CLEAR_BYTE) == 0)
		return;
	r->byte = byte;
	r->notify_page = r->page[i];
	*(volatile char *)(w->truth + r->page[i] * PAGE_SIZE + byte) = 0x5a;
}

/* arg: descriptor, page, offset, direction and oddity */
void op_copy(struct fuzz_op *op)
{
	uint32_t page = op->arg[1] % NR_PAGES, offset = op->arg[2] % 16 * 8, len = 8 + op->arg[2] / 16 % 200;
	struct gntdev_grant_copy_segment segment = { 0 };
	struct ioctl_gntdev_grant_copy want = { .count = 1, .segments = &segment };
	char *at = w->truth + page * PAGE_SIZE + offset, memory[256];
	bool out = op->arg[3] & 1, fine;
	struct ffile *file;
	int fd, err;

	file = model_any_file(op->arg[0], &fd);
	if (!file)
		return;
	memset(memory, op->arg[3] >> 8, sizeof(memory));
	segment.len = len;
	/* None that there is: what is not written is no success. */
	segment.status = 1;
	if (out) {
		segment.flags = GNTCOPY_dest_gref;
		segment.source.virt = memory;
		segment.dest.foreign.ref = w->granter->first_ref + model_granter_page(page);
		segment.dest.foreign.offset = offset;
		segment.dest.foreign.domid = w->granter->domid;
	} else {
		segment.flags = GNTCOPY_source_gref;
		segment.dest.virt = memory;
		segment.source.foreign.ref = w->granter->first_ref + model_granter_page(page);
		segment.source.foreign.offset = offset;
		segment.source.foreign.domid = w->granter->domid;
	}
	err = model_may_name(file, w->granter->domid);
	answer(ioctl(fd, IOCTL_GNTDEV_GRANT_COPY, &want) ? -errno : 0, err);
	if (err)
		return;
	fine = !w->revoked[page] && !(out && page >= NR_PAGES - NR_READ_ONLY);
	must(fine == (segment.status == GNTST_okay), "status %d", segment.status);
	if (fine)
		must(!memcmp(at, memory, len), "page %u: the copy differs", page);
}

/* The granter can take a page back if nobody maps it, and only then. */
void op_revoke(struct fuzz_op *op)
{
	uint32_t page = op->arg[0] % NR_PAGES;
	enum fbusy busy;
	int64_t nr;

	if (w->revoked[page])
		return;
	busy = model_busy(page);
	if (busy != F_FREE) {
		nr = granter_revoke(w->granter, model_granter_page(page), 1, NULL);
		must(!nr || (nr == 1 && busy == F_PERHAPS), "page %u was not mapped any more", page);
		w->revoked[page] = nr;
		return;
	}
	must(comes((nr = granter_revoke(w->granter, model_granter_page(page), 1, NULL)) == 1), "page %u is still mapped",
	     page);
	w->revoked[page] = true;
}

static void grant(uint32_t page)
{
	if (!w->revoked[page])
		return;
	must(!granter_grant(w->granter, model_granter_page(page), 1, 0, page >= NR_PAGES - NR_READ_ONLY), "%s",
	     strerror(errno));
	w->revoked[page] = false;
}

void op_grant(struct fuzz_op *op)
{
	/* More often all of them, or soon nothing can be mapped. */
	if (op->arg[1] % 2) {
		grant(op->arg[0] % NR_PAGES);
		return;
	}
	for (uint32_t page = 0; page < NR_PAGES; page++)
		grant(page);
}

void op_audit(struct fuzz_op *op)
{
	int64_t sure = 0, most = 0, got = 0;

	(void)op;
	for (uint32_t page = 0; page < NR_PAGES - NR_READ_ONLY; page++) {
		sure += model_busy(page) == F_BUSY;
		most += model_busy(page) != F_FREE;
	}
	must(comes((got = granter_busy(w->granter, w->first, NR_PAGES - NR_READ_ONLY, NULL)) >= sure && got <= most),
	     "the granter finds %ld pages mapped, not %ld to %ld", got, sure, most);
	for (const struct frange *r = w->ranges; r < w->ranges + NR_RANGES; r++) {
		if (r->used && (r->action & UNMAP_NOTIFY_CLEAR_BYTE) && r->byte)
			must(w->truth[r->notify_page * PAGE_SIZE + r->byte] == 0x5a, "a byte was cleared too early");
	}
}
