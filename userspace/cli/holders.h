/* SPDX-License-Identifier: GPL-2.0 */
/* The processes that have a node open or mapped, by what /proc says. */
#ifndef HOLDERS_H
#define HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Also: no cap, any domain */
#define HOLDER_UNKNOWN UINT64_MAX

struct holder {
	pid_t pid;
	char command[16];
	int fd; /* -1: closed, and mapped still */
	char node[64];
	const char *strategy;
	uint64_t nr_ranges, nr_pages, nr_mapped_pages, nr_draining_pages, max_pages, domid;
};

struct holders {
	struct holder *list;
	size_t nr;
	bool hidden; /* some processes may not be looked into */
};

/* @pid: only this one, or 0. False: no memory. */
bool holders_look(struct holders *holders, pid_t pid);
void holders_free(struct holders *holders);

#endif
