/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The block devices that direct IO is tried on, each another way for a page to be read and written:
 *
 *	null_blk	blk-mq, copies pages when the request is queued
 *	brd		takes bios as they come, no request queue
 *	loop		over null_blk with direct IO: the bio's pages go down another bio
 */
#ifndef BLOCKS_H
#define BLOCKS_H

#include <stdbool.h>

enum block_kind {
	BLOCK_NULL,
	BLOCK_BRD,
	BLOCK_LOOP,
	NR_BLOCK_KINDS,
};

/* Makes what can be made; to be called once, before any child, with blocks_remove() at the end. */
void blocks_create(unsigned int size_mib);
void blocks_remove(void);

/* The node of a device, or NULL: then *why says what is missing. */
const char *block_node(enum block_kind kind, const char **why);
const char *block_name(enum block_kind kind);

#endif
