/* SPDX-License-Identifier: GPL-2.0 */
/* Ways of moving bytes between a file and memory whose pages the kernel gets by GUP and not by copying to the user. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

enum transfer_kind {
	TRANSFER_SYNC,	/* preadv(), pwritev() on a descriptor with O_DIRECT */
	TRANSFER_AIO,	/* libaio */
	TRANSFER_URING, /* liburing, buffers named in each request */
	NR_TRANSFER_KINDS,
};

const char *transfer_name(enum transfer_kind kind);

/*
 * Out of memory into the file (out) or back, all of the vector, from the file's offset 0 on. Returns the bytes moved, or
 * a negative errno; -ENOSYS when the kernel has not this kind.
 */
ssize_t transfer(enum transfer_kind kind, int fd, bool out, const struct iovec *iov, unsigned int nr_iovs);

/* The same with a buffer that is registered first (a long-term pin), by liburing. */
ssize_t transfer_fixed(int fd, bool out, void *addr, size_t length);

#endif
