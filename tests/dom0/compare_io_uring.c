// SPDX-License-Identifier: GPL-2.0
/* A long-term pin: io_uring pins a registered buffer until it is unregistered. */
#include "compare.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <liburing.h>

#include "compare_buffer.h"

const char *const io_uring_rows[] = { "io_uring registered buffer", NULL };

static ssize_t write_fixed(struct io_uring *ring, int fd, const struct buffer *buffer)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	ssize_t moved;
	int ret;

	io_uring_prep_write_fixed(sqe, fd, buffer->addr, BUFFER_SIZE, 0, 0);
	ret = io_uring_submit(ring);
	if (ret >= 0)
		ret = io_uring_wait_cqe(ring, &cqe);
	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	moved = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	if (moved < 0) {
		errno = -moved;
		return -1;
	}
	return moved;
}

/* What was pinned is also what is read: write it out of the registered buffer, and read that. */
static void look_at_data(struct probe *probe, struct io_uring *ring, struct buffer *buffer)
{
	int fd = open(probe->block_device, O_RDWR | O_DIRECT | O_CLOEXEC);
	ssize_t moved;

	if (fd < 0)
		probe_die(probe, "%s: %m", probe->block_device);
	moved = write_fixed(ring, fd, buffer);
	if (moved == BUFFER_SIZE && pread(fd, buffer->plain, BUFFER_SIZE, 0) != BUFFER_SIZE)
		probe_die(probe, "reading null_blk: %m");
	observe_out(probe, io_uring_rows[0], buffer, moved);
	close(fd);
}

void probe_io_uring(struct probe *probe)
{
	struct buffer buffer;
	struct io_uring ring;
	struct iovec iov;
	int ret;

	ret = io_uring_queue_init(4, &ring, 0);
	if (ret == -ENOSYS || ret == -EPERM) {
		skip(probe, io_uring_rows[0], "no io_uring");
		return;
	}
	if (ret)
		probe_die(probe, "io_uring_setup: %s", strerror(-ret));
	buffer_map(probe, &buffer);
	iov = (struct iovec){ buffer.addr, BUFFER_SIZE };
	ret = io_uring_register_buffers(&ring, &iov, 1);
	if (ret || !probe->block_device)
		observe_errno(probe, io_uring_rows[0], ret);
	else
		look_at_data(probe, &ring, &buffer);
	io_uring_queue_exit(&ring);
	buffer_unmap(probe, &buffer);
}
