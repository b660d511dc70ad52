// SPDX-License-Identifier: GPL-2.0
#include "fuzz.h"

#include <errno.h>
#include <sys/mman.h>

#include "../../include/uapi/xen/gntmap.h"

uint32_t model_granter_page(uint32_t page)
{
	if (page < NR_PAGES - NR_READ_ONLY)
		return w->first + page;
	return suite.nr_rw + w->number * NR_READ_ONLY + page - (NR_PAGES - NR_READ_ONLY);
}

struct ffile *model_open(void)
{
	for (struct ffile *f = w->files; f < w->files + NR_FILES; f++) {
		if (f->used)
			continue;
		*f = (struct ffile){ .used = true, .max_pages = UINT64_MAX, .domid = GNTMAP_DOMID_ANY };
		return f;
	}
	return NULL;
}

int model_may_name(const struct ffile *file, uint32_t domid)
{
	if (domid > UINT16_MAX)
		return -EINVAL;
	return file->domid == GNTMAP_DOMID_ANY || file->domid == domid ? 0 : -EPERM;
}

int model_charge(const struct ffile *file, uint64_t nr)
{
	return nr > file->max_pages - file->nr_pages ? -ENOSPC : 0;
}

/* The lowest place for nr pages. */
static uint64_t lowest(const struct ffile *file, uint32_t nr)
{
	uint64_t index = 0;
	bool moved;

	do {
		moved = false;
		for (const struct frange *r = w->ranges; r < w->ranges + NR_RANGES; r++) {
			if (r->used && r->placed && r->file == file && r->index < index + nr && index < r->index + r->nr) {
				index = r->index + r->nr;
				moved = true;
			}
		}
	} while (moved);
	return index;
}

struct frange *model_add(struct ffile *file, uint32_t nr)
{
	for (struct frange *r = w->ranges; r < w->ranges + NR_RANGES; r++) {
		if (r->used)
			continue;
		*r = (struct frange){ .used = true, .file = file, .placed = true, .nr = nr };
		r->placed = false;
		r->index = lowest(file, nr);
		r->placed = true;
		file->nr_pages += nr;
		return r;
	}
	return NULL;
}

void model_remove(struct frange *range)
{
	if (suite.pv && range->state == F_MAPPED)
		range->removed = true;
	else
		range->placed = false;
}

struct frange *model_find(const struct ffile *file, uint64_t index)
{
	for (struct frange *r = w->ranges; r < w->ranges + NR_RANGES; r++)
		if (r->used && r->file == file && r->placed && !r->removed && r->index == index)
			return r;
	return NULL;
}

struct frange *model_find_at(const struct ffile *file, uint64_t index)
{
	for (struct frange *r = w->ranges; r < w->ranges + NR_RANGES; r++)
		if (r->used && r->file == file && r->placed && !r->removed && index >= r->index && index < r->index + r->nr)
			return r;
	return NULL;
}

int model_mmap(const struct frange *range, int prot)
{
	if (range->state == F_MAPPED)
		return -EINVAL;
	if (range->state == F_DRAINING)
		return -EBUSY;
	if (range->foreign)
		return (prot & PROT_WRITE) && !range->writable ? -EACCES : 0;
	for (uint32_t i = 0; i < range->nr; i++) {
		uint32_t page = range->page[i];

		if (page == NO_PAGE || range->unknown || w->revoked[page])
			return -EINVAL;
		if ((prot & PROT_WRITE) && page >= NR_PAGES - NR_READ_ONLY)
			return -EINVAL;
	}
	return 0;
}

static bool shown(const struct frange *range)
{
	for (const struct fmapping *m = w->mappings; m < w->mappings + NR_MAPPINGS; m++)
		if (m->range == range)
			return true;
	return range->holders;
}

static uint32_t pins(const struct frange *range)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < range->nr; i++)
		nr += range->nr_pins[i];
	return nr;
}

static bool lost(const struct frange *range, uint32_t page)
{
	for (uint32_t i = 0; i < range->nr; i++)
		if (range->page[i] == page && range->lost[i])
			return true;
	return false;
}

/* The last VMA is gone. */
static void unmapped(struct frange *range)
{
	if (range->notify_mapped) {
		volatile uint8_t *byte = (uint8_t *)w->truth + range->notify_page * PAGE_SIZE + range->byte;

		/* A page that had been lost before the byte was named cannot be written to. */
		if ((range->action & UNMAP_NOTIFY_CLEAR_BYTE) && range->mapped_writable && !lost(range, range->notify_page))
			must(*byte == 0, "the byte that was to be cleared is %#x", *byte);
		/* What is set from now on is for the next mapping. */
		range->action = range->foreign ? range->action & ~UNMAP_NOTIFY_CLEAR_BYTE : 0;
		range->notify_mapped = false;
	}
	range->state = F_DRAINING;
}

static void settle_range(struct frange *range)
{
	if (range->state == F_MAPPED && !shown(range))
		unmapped(range);
	if (range->removed && range->state != F_MAPPED) {
		range->removed = false;
		range->placed = false;
	}
	/* Foreign frames stay for the next mmap(); it is the range's end that waits for pins. */
	if (range->state == F_DRAINING && ((range->foreign && range->placed) || !pins(range)))
		range->state = F_IDLE;
	if (!range->placed && range->state == F_IDLE && pins(range))
		range->state = F_DRAINING;
	if (!range->placed && range->state == F_IDLE) {
		range->file->nr_pages -= range->nr;
		range->used = false;
	}
}

/* By a descriptor, a mapping, or a child that has one of them. */
static bool is_open(const struct ffile *file)
{
	for (int i = 0; i < NR_FDS; i++)
		if (w->fds[i] >= 0 && w->fd_files[i] == file)
			return true;
	for (const struct fholder *h = w->holders; h < w->holders + NR_HOLDERS; h++)
		if (h->pid && (h->files & 1u << (file - w->files)))
			return true;
	for (const struct frange *r = w->ranges; r < w->ranges + NR_RANGES; r++)
		if (r->used && r->file == file && r->state == F_MAPPED)
			return true;
	return false;
}

long model_buffer_refs(const struct fbuffer *buffer)
{
	long nr = (buffer->fd >= 0) + __builtin_popcount(buffer->holders);

	for (const struct fimport *i = w->imports; i < w->imports + NR_IMPORTS; i++)
		nr += i->used && i->buffer == buffer;
	return nr;
}

struct fimport *model_find_import(const struct ffile *file, int number)
{
	struct fimport *newest = NULL;

	for (struct fimport *i = w->imports; i < w->imports + NR_IMPORTS; i++)
		if (i->used && i->file == file && i->number == number && (!newest || i->age > newest->age))
			newest = i;
	return newest;
}

void model_end_import(struct fimport *import)
{
	import->file->nr_pages -= import->buffer->nr;
	import->used = false;
}

/* Nobody has the file any more. */
static void forget(struct ffile *file)
{
	for (struct frange *r = w->ranges; r < w->ranges + NR_RANGES; r++) {
		if (!r->used || r->file != file)
			continue;
		r->placed = false;
		r->removed = false;
		settle_range(r);
	}
	for (struct fimport *i = w->imports; i < w->imports + NR_IMPORTS; i++)
		if (i->used && i->file == file)
			model_end_import(i);
	for (struct fbuffer *b = w->buffers; b < w->buffers + NR_BUFFERS; b++)
		if (b->file == file)
			b->forgotten = true;
}

static bool has_pages(const struct ffile *file)
{
	for (const struct frange *r = w->ranges; r < w->ranges + NR_RANGES; r++)
		if (r->used && r->file == file)
			return true;
	for (const struct fbuffer *b = w->buffers; b < w->buffers + NR_BUFFERS; b++)
		if (b->used && b->file == file)
			return true;
	return false;
}

void model_settle(void)
{
	for (struct frange *r = w->ranges; r < w->ranges + NR_RANGES; r++)
		if (r->used)
			settle_range(r);
	for (struct ffile *f = w->files; f < w->files + NR_FILES; f++)
		if (f->used && !is_open(f))
			forget(f);
	for (struct fbuffer *b = w->buffers; b < w->buffers + NR_BUFFERS; b++) {
		if (!b->used || model_buffer_refs(b))
			continue;
		if (b->file)
			b->file->nr_pages -= b->nr;
		b->used = false;
	}
	/* What drains or is exported still counts for a file that nobody can ask any more. */
	for (struct ffile *f = w->files; f < w->files + NR_FILES; f++)
		f->used = f->used && (is_open(f) || has_pages(f));
}

struct model_info model_info(const struct ffile *file)
{
	struct model_info info = { 0 };

	for (const struct frange *r = w->ranges; r < w->ranges + NR_RANGES; r++) {
		if (!r->used || r->file != file || !r->placed || r->removed)
			continue;
		info.nr_ranges++;
		info.nr_pages += r->nr;
		info.nr_mapped += r->state == F_MAPPED ? r->nr : 0;
		info.nr_draining += r->state == F_DRAINING ? r->nr : 0;
	}
	return info;
}

enum fbusy model_busy(uint32_t page)
{
	enum fbusy busy = F_FREE;

	for (const struct frange *r = w->ranges; r < w->ranges + NR_RANGES; r++) {
		if (!r->used || r->foreign || r->state == F_IDLE)
			continue;
		for (uint32_t i = 0; i < r->nr; i++) {
			if (r->page[i] != page)
				continue;
			if (r->nr_pins[i] || (r->state == F_MAPPED && !r->lost[i]))
				return F_BUSY;
			if (r->state == F_MAPPED)
				busy = F_PERHAPS;
		}
	}
	for (const struct fbuffer *b = w->buffers; b < w->buffers + NR_BUFFERS; b++)
		for (uint32_t i = 0; b->used && b->file && i < b->nr; i++)
			if (b->page[i] == page)
				return F_BUSY;
	return busy;
}

int model_fd(const struct ffile *file)
{
	for (int i = 0; i < NR_FDS; i++)
		if (w->fds[i] >= 0 && w->fd_files[i] == file)
			return w->fds[i];
	return -1;
}

struct ffile *model_any_file(uint32_t choice, int *fd)
{
	for (int i = 0; i < NR_FDS; i++) {
		int at = (choice + i) % NR_FDS;

		if (w->fds[at] < 0)
			continue;
		*fd = w->fds[at];
		return w->fd_files[at];
	}
	return NULL;
}

/* That somebody can name. */
struct frange *model_any_range(uint32_t choice)
{
	for (uint32_t i = 0; i < NR_RANGES; i++) {
		struct frange *r = &w->ranges[(choice + i) % NR_RANGES];

		if (r->used && r->placed && !r->removed)
			return r;
	}
	return NULL;
}

struct fmapping *model_any_mapping(uint32_t choice)
{
	for (uint32_t i = 0; i < NR_MAPPINGS; i++) {
		struct fmapping *m = &w->mappings[(choice + i) % NR_MAPPINGS];

		if (m->range)
			return m;
	}
	return NULL;
}
