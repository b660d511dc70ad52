/* SPDX-License-Identifier: GPL-2.0 */
/* Direct IO that has begun and not ended: between the two it pins the memory it moves. */
#ifndef FLIGHT_H
#define FLIGHT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <libaio.h>
#include <liburing.h>

#include "transfer.h"

struct flight {
	enum transfer_kind kind;
	int fd;
	bool out;
	void *addr;
	size_t length;
	io_context_t aio;
	struct io_uring ring;
	pthread_t thread; /* that waits in preadv() or pwritev() */
	pid_t tid;
	ssize_t result;
	bool landed;
};

/*
 * The device that flights go to: one in memory (block.h), with throttle_create(). Once, before any child. Its node, or NULL
 * and in @why what is missing.
 */
const char *flight_device_create(unsigned int size_mib, char *why, size_t why_size);
void flight_device_remove(void);

/*
 * Begin to move memory out to the device, or in from it, at its offset 0. When this returns 0 the request is with the
 * device, if that is slow enough. Else a negative errno.
 */
int flight_start(struct flight *flight, enum transfer_kind kind, const char *node, bool out, void *addr, size_t length);

/* Whether it has ended; asked without waiting. */
bool flight_landed(struct flight *flight);

/* Wait for its end. The bytes that were moved, or a negative errno. */
ssize_t flight_land(struct flight *flight);

#endif
