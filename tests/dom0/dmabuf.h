/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dma-bufs to export and to import. The module dmabuf_probe makes some, looks into any, and knows which of its own are alive; a
 * case that calls what wants it is skipped where it is missing.
 */
#ifndef DMABUF_H
#define DMABUF_H

#include <stdint.h>

#include "../kernel/dmabuf_probe.h"

/* The descriptor of a new buffer. */
int dmabuf_make(enum dmabuf_kind kind, uint32_t nr_pages);
/* Writes a word of a buffer and returns what was there. */
uint64_t dmabuf_swap(int buf, uint64_t byte, uint64_t word);
uint32_t dmabuf_nr_live(void);
/* Until nobody has any of the buffers that were made. */
void dmabuf_wait_dead(void);

/* The ioctls: 0 or a negative errno. */
int try_export_refs(int fd, uint32_t flags, uint32_t count, uint32_t domid, const uint32_t *refs, int *buf);
/* The granter's pages from `first` on. */
int try_export(int fd, uint32_t flags, uint32_t first, uint32_t count, int *buf);
/* For the granter. */
int try_import(int fd, int buf, uint32_t count, uint32_t *refs);
int try_import_release(int fd, int buf);

#endif
