// SPDX-License-Identifier: GPL-2.0
#include "transfer.h"

#include <errno.h>
#include <sys/uio.h>

#include <libaio.h>
#include <liburing.h>

const char *transfer_name(enum transfer_kind kind)
{
	static const char *const names[NR_TRANSFER_KINDS] = { "preadv/pwritev", "libaio", "liburing" };

	return names[kind];
}

static ssize_t by_aio(int fd, bool out, const struct iovec *iov, off_t offset)
{
	struct iocb request, *requests[] = { &request };
	io_context_t context = NULL;
	struct io_event event;
	ssize_t ret;

	ret = io_setup(1, &context);
	if (ret)
		return ret;
	if (out)
		io_prep_pwritev(&request, fd, iov, 1, offset);
	else
		io_prep_preadv(&request, fd, iov, 1, offset);
	ret = io_submit(context, 1, requests);
	if (ret == 1)
		ret = io_getevents(context, 1, 1, &event, NULL);
	if (ret == 1)
		ret = (long)event.res;
	io_destroy(context);
	return ret;
}

static ssize_t finish(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	ssize_t ret;

	ret = io_uring_submit(ring);
	if (ret >= 0)
		ret = io_uring_wait_cqe(ring, &cqe);
	if (ret >= 0) {
		ret = cqe->res;
		io_uring_cqe_seen(ring, cqe);
	}
	return ret;
}

static ssize_t by_uring(int fd, bool out, const struct iovec *iov, off_t offset)
{
	struct io_uring ring;
	ssize_t ret;

	ret = io_uring_queue_init(2, &ring, 0);
	if (ret)
		return ret;
	if (out)
		io_uring_prep_writev(io_uring_get_sqe(&ring), fd, iov, 1, offset);
	else
		io_uring_prep_readv(io_uring_get_sqe(&ring), fd, iov, 1, offset);
	ret = finish(&ring);
	io_uring_queue_exit(&ring);
	return ret;
}

static ssize_t once(enum transfer_kind kind, int fd, bool out, const struct iovec *iov, off_t offset)
{
	ssize_t ret;

	switch (kind) {
	case TRANSFER_AIO:
		return by_aio(fd, out, iov, offset);
	case TRANSFER_URING:
		return by_uring(fd, out, iov, offset);
	default:
		ret = out ? pwritev(fd, iov, 1, offset) : preadv(fd, iov, 1, offset);
		return ret < 0 ? -errno : ret;
	}
}

ssize_t transfer(enum transfer_kind kind, int fd, bool out, void *addr, size_t length)
{
	size_t done = 0;
	ssize_t ret;

	do {
		const struct iovec iov = { (char *)addr + done, length - done };

		ret = once(kind, fd, out, &iov, done);
		if (ret > 0)
			done += ret;
	} while (ret > 0 && done < length);
	return done ? (ssize_t)done : ret;
}

ssize_t transfer_fixed(int fd, bool out, void *addr, size_t length)
{
	const struct iovec iov = { addr, length };
	struct io_uring ring;
	ssize_t ret;

	ret = io_uring_queue_init(2, &ring, 0);
	if (ret)
		return ret;
	ret = io_uring_register_buffers(&ring, &iov, 1);
	if (!ret) {
		if (out)
			io_uring_prep_write_fixed(io_uring_get_sqe(&ring), fd, addr, length, 0, 0);
		else
			io_uring_prep_read_fixed(io_uring_get_sqe(&ring), fd, addr, length, 0, 0);
		ret = finish(&ring);
	}
	io_uring_queue_exit(&ring);
	return ret;
}
