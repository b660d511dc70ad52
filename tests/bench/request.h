/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A mapping request that is ready to be made: the four system calls of a mapping without anything around them. Functions
 * return 0 or a negative errno.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "granter_client.h"

struct request {
	uint32_t nr;	 /* pages */
	uint64_t offset; /* once added */
	void *addr;	 /* once mapped */
	void *ioctl;	 /* the argument of MAP_GRANT_REF */
};

/* nr writable pages of the granter from page `first` on; when there are no more it begins at page 0 again. */
int request_init(struct request *request, const struct granter *granter, uint32_t first, uint32_t nr);
void request_free(struct request *request);

int request_add(int fd, struct request *request);
int request_mmap(int fd, struct request *request);
int request_munmap(struct request *request);
int request_remove(int fd, struct request *request);

/* Both steps; what the first did is undone if the second fails. */
int request_map(int fd, struct request *request);
int request_unmap(int fd, struct request *request);

#endif
