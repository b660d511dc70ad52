// SPDX-License-Identifier: GPL-2.0
/* Calls of a script (conform.h): ranges, their memory, and children. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conform_world.h"
#include "fault.h"
#include "gntmap_node.h"
#include "suite.h"

/* The word of a page that is read and written. */
#define WORD 8

static struct conform_range *range_of(struct conform_world *w, const long *arg)
{
	return &w->ranges[arg[0]];
}

static char *page_of(struct conform_world *w, const long *arg)
{
	return range_of(w, arg)->addr + arg[1] * PAGE_SIZE;
}

static long failed(long ret)
{
	return ret < 0 ? -errno : 0;
}

/* ---- MAP_GRANT_REF, UNMAP_GRANT_REF, GET_OFFSET_FOR_VADDR ---- */

static long add(struct conform_world *w, struct conform_range *r, const struct ioctl_gntdev_grant_ref *refs)
{
	long ret = try_add(w->fd, refs, r->count, &r->offset);

	return ret ? ret : (long)(r->offset / PAGE_SIZE);
}

long conform_add(struct conform_world *w, const long *arg)
{
	struct conform_range *r = range_of(w, arg);
	struct ioctl_gntdev_grant_ref refs[16];

	r->first = arg[1];
	r->count = arg[2];
	check(r->count <= ARRAY_SIZE(refs), "a script with too many pages");
	fill_refs(refs, r->first, r->count);
	return add(w, r, refs);
}

static long add_three(struct conform_world *w, const long *arg, uint32_t domid, const uint32_t *ref)
{
	struct conform_range *r = range_of(w, arg);
	struct ioctl_gntdev_grant_ref refs[3];

	r->first = arg[1];
	r->count = 3;
	fill_refs(refs, r->first, r->count);
	refs[1].domid = domid;
	if (ref)
		refs[1].ref = *ref;
	return add(w, r, refs);
}

long conform_add_ref(struct conform_world *w, const long *arg)
{
	uint32_t ref = arg[2];

	return add_three(w, arg, suite.granter->domid, &ref);
}

long conform_add_domid(struct conform_world *w, const long *arg)
{
	return add_three(w, arg, suite.granter->domid + arg[2], NULL);
}

struct request {
	struct ioctl_gntdev_map_grant_ref op;
	struct ioctl_gntdev_grant_ref more[2];
};

long conform_add_count(struct conform_world *w, const long *arg)
{
	struct request request = { .op.count = arg[0] };

	fill_refs(request.op.refs, 0, 3);
	return failed(ioctl(w->fd, IOCTL_GNTDEV_MAP_GRANT_REF, &request));
}

long conform_add_unanswered(struct conform_world *w, const long *arg)
{
	char *page = w->memory + PAGE_SIZE;
	struct request request = { .op.count = 3 };

	(void)arg;
	fill_refs(request.op.refs, 0, 3);
	expect(try_mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	memcpy(page, &request, sizeof(request));
	expect(try_mprotect(page, PAGE_SIZE, PROT_READ), 0);
	return failed(ioctl(w->fd, IOCTL_GNTDEV_MAP_GRANT_REF, page));
}

long conform_remove(struct conform_world *w, const long *arg)
{
	struct conform_range *r = range_of(w, arg);

	return try_remove(w->fd, r->offset, r->count);
}

long conform_remove_at(struct conform_world *w, const long *arg)
{
	return try_remove(w->fd, arg[0], arg[1]);
}

static long find(int fd, const void *addr)
{
	uint32_t count;
	uint64_t index;
	long ret = node_offset_for_vaddr(fd, addr, &index, &count);

	return ret ? ret : (long)(index / PAGE_SIZE * 100 + count);
}

long conform_find(struct conform_world *w, const long *arg)
{
	return find(w->fd, range_of(w, arg)->addr + arg[1]);
}

long conform_find_elsewhere(struct conform_world *w, const long *arg)
{
	int fd = open(w->node, O_RDWR | O_CLOEXEC);
	long ret;

	check(fd >= 0, "%s", strerror(errno));
	ret = find(fd, range_of(w, arg)->addr);
	close(fd);
	return ret;
}

long conform_find_memory(struct conform_world *w, const long *arg)
{
	(void)arg;
	return find(w->fd, w->memory);
}

long conform_find_hole(struct conform_world *w, const long *arg)
{
	char *hole = range_of(w, arg)->addr - PAGE_SIZE;

	expect(try_munmap(hole, PAGE_SIZE), 0);
	return find(w->fd, hole);
}

/* ---- memory ---- */

static long map_at(struct conform_world *w, char *addr, uint64_t offset, size_t size, int prot, int flags)
{
	char *got = mmap(addr, size, prot, flags | MAP_FIXED, w->fd, offset);

	return got == MAP_FAILED ? -errno : 0;
}

long conform_mmap(struct conform_world *w, const long *arg)
{
	struct conform_range *r = range_of(w, arg);

	return map_at(w, r->addr, r->offset, r->count * PAGE_SIZE, arg[1], arg[2]);
}

long conform_mmap_at(struct conform_world *w, const long *arg)
{
	return map_at(w, w->ranges[C].addr, arg[0], arg[1] * PAGE_SIZE, arg[2], MAP_SHARED);
}

long conform_munmap(struct conform_world *w, const long *arg)
{
	struct conform_range *r = range_of(w, arg);

	return try_munmap(r->addr, r->count * PAGE_SIZE);
}

long conform_munmap_part(struct conform_world *w, const long *arg)
{
	return try_munmap(page_of(w, arg), arg[2] * PAGE_SIZE);
}

long conform_mprotect(struct conform_world *w, const long *arg)
{
	return try_mprotect(page_of(w, arg), arg[2] * PAGE_SIZE, arg[3]);
}

long conform_move(struct conform_world *w, const long *arg)
{
	struct conform_range *r = range_of(w, arg);
	size_t size = r->count * PAGE_SIZE;
	char *to = r->addr + 8 * PAGE_SIZE;

	if (mremap(r->addr, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED)
		return -errno;
	r->addr = to;
	return 0;
}

long conform_grow(struct conform_world *w, const long *arg)
{
	struct conform_range *r = range_of(w, arg);
	size_t size = r->count * PAGE_SIZE;

	return mremap(r->addr, size, size + PAGE_SIZE, MREMAP_MAYMOVE) == MAP_FAILED ? -errno : 0;
}

long conform_dontneed(struct conform_world *w, const long *arg)
{
	struct conform_range *r = range_of(w, arg);

	return failed(madvise(r->addr, r->count * PAGE_SIZE, MADV_DONTNEED));
}

static long look(char *page, uint64_t want)
{
	uint64_t word;
	int sig;

	fault_catch();
	sig = fault_read(page + 8 * WORD, &word);
	if (sig)
		return CONFORM_SIGNAL + sig;
	return word == want ? CONFORM_SAME : CONFORM_OTHER;
}

static uint64_t granters_word(const struct conform_range *r, long page)
{
	uint64_t word;

	check(!granter_peek(suite.granter, r->first + page, 8 * WORD, &word), "%s", strerror(errno));
	return word;
}

long conform_read(struct conform_world *w, const long *arg)
{
	return look(page_of(w, arg), granters_word(range_of(w, arg), arg[1]));
}

long conform_write(struct conform_world *w, const long *arg)
{
	uint64_t word = granters_word(range_of(w, arg), arg[1]) + 1;
	int sig;

	fault_catch();
	sig = fault_write(page_of(w, arg) + 8 * WORD, word);
	if (sig)
		return CONFORM_SIGNAL + sig;
	return granters_word(range_of(w, arg), arg[1]) == word ? CONFORM_SAME : CONFORM_OTHER;
}

/* ---- children ---- */

struct child {
	struct conform_world *w;
	const long *arg;
	uint64_t word;
};

static void child_reads(void *arg)
{
	struct child *c = arg;

	_exit(look(page_of(c->w, c->arg), c->word));
}

long conform_child_reads(struct conform_world *w, const long *arg)
{
	struct child c = { w, arg, granters_word(range_of(w, arg), arg[1]) };

	return run_child(child_reads, &c, false);
}

static void child_unmaps(void *arg)
{
	struct child *c = arg;

	_exit(conform_munmap(c->w, c->arg) != 0);
}

long conform_child_unmaps(struct conform_world *w, const long *arg)
{
	struct child c = { w, arg, 0 };

	return run_child(child_unmaps, &c, false);
}

/* Its granter handle is for the references only. */
static void child_adds(void *arg)
{
	struct child *c = arg;
	long ret = conform_add(c->w, c->arg);

	_exit(ret < 0 ? 200 : ret);
}

long conform_child_adds(struct conform_world *w, const long *arg)
{
	struct child c = { w, arg, 0 };
	struct conform_range *r = range_of(w, arg);
	int ret = run_child(child_adds, &c, false);

	/* What the child knows of it and we do not. */
	r->first = arg[1];
	r->count = arg[2];
	r->offset = ret * PAGE_SIZE;
	return ret;
}

static void child_ends(void *arg)
{
	static const long add[] = { C, 40, 3 }, map[] = { C, PROT_READ | PROT_WRITE, MAP_SHARED };
	struct child *c = arg;

	conform_reopen(c->w, (const long[]){ O_RDWR });
	check(conform_add(c->w, add) == 0 && conform_mmap(c->w, map) == 0, "the child cannot map");
	if (c->arg[0])
		raise(c->arg[0]);
}

long conform_child_ends(struct conform_world *w, const long *arg)
{
	struct child c = { w, arg, 0 };

	return run_child(child_ends, &c, false);
}
