// SPDX-License-Identifier: GPL-2.0
#include "gup_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/gntalloc.h>

#include "../../include/uapi/xen/gntmap.h"
#include "gup.h"
#include "numa.h"

#define SEED 47
#define PAGE NODE_PAGE_SIZE

bool gup_memory_has_node(const struct gup_memory *memory)
{
	return strcmp(memory->kind, GUP_ANONYMOUS) && strcmp(memory->kind, GUP_GNTALLOC);
}

uint64_t gup_memory_word(unsigned int page)
{
	return granter_word(SEED, page, 0);
}

static void fill(struct gup_memory *memory)
{
	for (unsigned int page = 0; page < memory->nr_pages; page++)
		*(volatile uint64_t *)gup_memory_page(memory, page) = gup_memory_word(page);
}

static int map_anonymous(struct gup_memory *memory, int prot, void *at)
{
	size_t size = (size_t)memory->nr_pages * PAGE;

	/* Between two pages that nobody may touch, else it is merged with other memory. */
	memory->merged = at;
	if (!at) {
		at = mmap(NULL, size + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (at == MAP_FAILED)
			return -errno;
		at = (char *)at + PAGE;
	}
	memory->addr = mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (memory->addr == MAP_FAILED || madvise(memory->addr, size, MADV_NOHUGEPAGE))
		return -errno;
	fill(memory);
	return mprotect(memory->addr, size, prot) ? -errno : 0;
}

static int map_frames(struct gup_memory *memory, bool writable)
{
	uint64_t gfns[GUP_MAX_PAGES];
	struct gntmap_map_foreign request = {
		.size = sizeof(request),
		.flags = writable ? GNTMAP_FOREIGN_WRITE : 0,
		.domid = memory->granter->domid,
		.nr = memory->nr_pages,
		.gfns = (uintptr_t)gfns,
	};

	if (granter_frames(memory->granter, 0, memory->nr_pages, gfns) ||
	    ioctl(memory->node_fd, GNTMAP_IOCTL_MAP_FOREIGN, &request))
		return -errno;
	memory->range = (struct node_range){ .index = request.offset, .count = memory->nr_pages };
	return 0;
}

static int map_node(struct gup_memory *memory, int prot, void *at)
{
	int ret;

	if (granter_fill(memory->granter, 0, memory->nr_pages, SEED))
		return -errno;
	if (memory->foreign || !strcmp(memory->kind, GUP_FOREIGN))
		ret = map_frames(memory, prot & PROT_WRITE);
	else
		ret = node_map_grant_ref(memory->node_fd, memory->granter->domid, memory->granter->first_ref,
					 memory->nr_pages, &memory->range);
	if (ret)
		return ret;
	memory->addr = mmap(at, (size_t)memory->nr_pages * PAGE, prot, MAP_SHARED | (at ? MAP_FIXED : 0), memory->node_fd,
			    memory->range.index);
	if (memory->addr == MAP_FAILED) {
		ret = -errno;
		node_unmap_grant_ref(memory->node_fd, &memory->range);
	}
	return ret;
}

static int map_gntalloc(struct gup_memory *memory, int prot, void *at)
{
	struct ioctl_gntalloc_alloc_gref *request = calloc(1, sizeof(*request) + memory->nr_pages * sizeof(uint32_t));
	size_t size = (size_t)memory->nr_pages * PAGE;
	int ret = 0;

	if (!request)
		return -ENOMEM;
	request->domid = memory->granter->domid;
	request->flags = GNTALLOC_FLAG_WRITABLE;
	request->count = memory->nr_pages;
	memory->gntalloc_fd = open("/dev/xen/gntalloc", O_RDWR | O_CLOEXEC);
	if (memory->gntalloc_fd < 0 || ioctl(memory->gntalloc_fd, IOCTL_GNTALLOC_ALLOC_GREF, request))
		ret = -errno;
	if (!ret) {
		memory->addr = mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | (at ? MAP_FIXED : 0),
				    memory->gntalloc_fd, request->index);
		if (memory->addr == MAP_FAILED)
			ret = -errno;
	}
	free(request);
	if (!ret) {
		fill(memory);
		if (mprotect(memory->addr, size, prot))
			ret = -errno;
	}
	/* Its pages go when they are neither mapped nor the file open. */
	if (ret && memory->gntalloc_fd >= 0)
		close(memory->gntalloc_fd);
	return ret;
}

int gup_memory_map(struct gup_memory *memory, unsigned int nr_pages, int prot, void *at)
{
	memory->nr_pages = nr_pages;
	if (!strcmp(memory->kind, GUP_ANONYMOUS))
		return map_anonymous(memory, prot, at);
	if (!strcmp(memory->kind, GUP_GNTALLOC))
		return map_gntalloc(memory, prot, at);
	return map_node(memory, prot, at);
}

int gup_memory_unmap(struct gup_memory *memory)
{
	size_t size = (size_t)memory->nr_pages * PAGE;
	char *start = memory->addr;

	if (!strcmp(memory->kind, GUP_ANONYMOUS) && !memory->merged) {
		start -= PAGE;
		size += 2 * PAGE;
	}
	if (munmap(start, size))
		return -errno;
	if (!strcmp(memory->kind, GUP_GNTALLOC))
		close(memory->gntalloc_fd);
	if (gup_memory_has_node(memory))
		return node_unmap_grant_ref(memory->node_fd, &memory->range);
	return 0;
}

static void *sleep_on(void *unused)
{
	for (;;)
		pause();
	return unused;
}

#define NR_ROUNDS 12
#define CONTROL_SIZE (16 * PAGE)

int gup_scan_until(int (*done)(void *arg), void *arg)
{
	struct numa_area control = { .start = numa_control_alloc(CONTROL_SIZE), .size = CONTROL_SIZE };
	pthread_t sleeper;
	int ret = 0;

	/*
	 * Single-threaded processes are scanned otherwise, and the first thread that a process starts sets its count of
	 * passes back to 0: there has to be one between the rounds.
	 */
	if (!control.start || pthread_create(&sleeper, NULL, sleep_on, NULL))
		return -ENOMEM;
	/* Nobody touches the memory: other memory is burnt, and two passes see every mapping that is new. */
	for (int round = 0; !ret && round < NR_ROUNDS; round++) {
		ret = numa_burn(&control, 1, 2, 2, 5000);
		ret = ret < 0 ? ret : done(arg);
	}
	numa_knobs_quiet();
	if (ret < 0)
		return ret;
	return ret ? 0 : -ETIMEDOUT;
}

struct scanned {
	const struct gup_memory *memory;
	int probe_fd;
};

static int all_are_prot_none(void *arg)
{
	const struct scanned *s = arg;
	int nr = gup_nr_ptes(s->probe_fd, s->memory->addr, s->memory->nr_pages, GUP_PTE_PROTNONE);

	return nr < 0 ? nr : nr == (int)s->memory->nr_pages;
}

int gup_memory_scan(const struct gup_memory *memory, int probe_fd)
{
	struct scanned scanned = { memory, probe_fd };

	return gup_scan_until(all_are_prot_none, &scanned);
}
