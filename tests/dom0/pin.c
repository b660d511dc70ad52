// SPDX-License-Identifier: GPL-2.0
#include "pin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/io_uring.h>

#define PAGE 4096

const char *pin_name(enum pin_kind kind)
{
	return kind == PIN_PIPE ? "vmsplice" : "io_uring";
}

static void close_both(struct pin *pin)
{
	int saved = errno;

	close(pin->fds[0]);
	if (pin->fds[1] >= 0)
		close(pin->fds[1]);
	errno = saved;
}

static bool hold(struct pin *pin, const struct iovec *iov)
{
	if (pin->kind == PIN_PIPE)
		return vmsplice(pin->fds[1], iov, 1, 0) == PAGE;
	return !syscall(__NR_io_uring_register, pin->fds[0], IORING_REGISTER_BUFFERS, iov, 1);
}

int pin_page(struct pin *pin, enum pin_kind kind, void *addr)
{
	const struct iovec iov = { .iov_base = addr, .iov_len = PAGE };

	*pin = (struct pin){ .kind = kind, .fds = { -1, -1 } };
	if (kind == PIN_PIPE) {
		if (pipe2(pin->fds, O_CLOEXEC))
			return -errno;
	} else {
		struct io_uring_params params = { 0 };

		pin->fds[0] = syscall(__NR_io_uring_setup, 2, &params);
		if (pin->fds[0] < 0)
			return -errno;
	}
	if (!hold(pin, &iov)) {
		close_both(pin);
		return -errno;
	}
	return 0;
}

int unpin_page(struct pin *pin, void *content)
{
	char buf[PAGE];
	int ret = 0;

	if (pin->kind == PIN_PIPE) {
		if (read(pin->fds[0], content ? content : buf, PAGE) != PAGE)
			ret = -errno;
	} else if (syscall(__NR_io_uring_register, pin->fds[0], IORING_UNREGISTER_BUFFERS, NULL, 0)) {
		ret = -errno;
	}
	close_both(pin);
	return ret;
}
