/* SPDX-License-Identifier: GPL-2.0 */
/* Ways of moving bytes between a file and memory whose pages the kernel gets by GUP and not by copying to the user. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum transfer_kind {
	TRANSFER_SYNC,	/* preadv(), pwritev() on a descriptor with O_DIRECT */
	TRANSFER_AIO,	/* libaio */
	TRANSFER_URING, /* liburing, buffers named in each request */
	NR_TRANSFER_KINDS,
};

const char *transfer_name(enum transfer_kind kind);

/*
 * Out of memory into the file (out) or back, from the file's offset 0 on. Returns the bytes moved, or a negative errno if there
 * are none; -ENOSYS when the kernel has not this kind.
 *
 * A short count is carried on from: on 7.2 a bio ends where pages of different pgmaps meet (iov_iter_extract_bvecs()), which
 * grants and ordinary memory are, and an asynchronous request is one bio.
 */
ssize_t transfer(enum transfer_kind kind, int fd, bool out, void *addr, size_t length);

/* In one go, with a buffer that is registered first (a long-term pin), by liburing. */
ssize_t transfer_fixed(int fd, bool out, void *addr, size_t length);

#endif
