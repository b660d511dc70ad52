/* SPDX-License-Identifier: GPL-2.0 */
/* A block device in memory, for direct IO: null_blk with memory_backed=1, which copies real pages. */
#ifndef BLOCK_H
#define BLOCK_H

/* Returns the path of its node, or NULL and errno. Only one at a time. Loads null_blk if need be. */
const char *block_create(unsigned int size_mib);
void block_remove(void);

#endif
