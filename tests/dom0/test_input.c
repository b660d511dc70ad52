// SPDX-License-Identifier: GPL-2.0
/* Bad input to every ioctl and to mmap: which errno it gives, and that nothing is left behind. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "range.h"
#include "suite.h"

#define RW (PROT_READ | PROT_WRITE)
#define HEADER offsetof(struct ioctl_gntdev_map_grant_ref, refs)

static int raw_ioctl(int fd, unsigned long cmd, const void *arg)
{
	return ioctl(fd, cmd, arg) ? -errno : 0;
}

static unsigned int get_limit(void)
{
	char text[32];

	if (!core_parameter("limit", text, sizeof(text)))
		case_skip("the parameter limit");
	return strtoul(text, NULL, 0);
}

static void set_limit(unsigned int limit)
{
	char text[32];

	snprintf(text, sizeof(text), "%u", limit);
	set_core_parameter("limit", text);
}

/* A request for count pages, whose references are not there to be read unless count is small. */
static int add_count(int fd, uint32_t count)
{
	struct {
		struct ioctl_gntdev_map_grant_ref op;
		struct ioctl_gntdev_grant_ref more[64];
	} request = { .op.count = count };

	if (count <= 64)
		fill_refs(request.op.refs, 0, count);
	return raw_ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, &request);
}

static void offset_is_free(int fd)
{
	struct range r = range_add(fd, 0, 1);

	check(r.offset == 0, "%#lx: something was left behind", r.offset);
	range_remove(&r);
}

static void bad_counts(void)
{
	unsigned int limit = get_limit();
	int fd = open_node();

	expect(add_count(fd, 0), -EINVAL);
	expect(add_count(fd, limit + 1), -EINVAL);
	expect(add_count(fd, 1u << 31), -EINVAL);
	expect(add_count(fd, UINT32_MAX), -EINVAL);
	expect(add_count(fd, (1u << 31) - 1), -EINVAL);
	expect(add_count(fd, 1u << 20), -EINVAL);
	offset_is_free(fd);
}

static void counts_at_limit(void)
{
	const unsigned int limit = 4096;
	struct ioctl_gntdev_grant_ref *refs = calloc(limit + 1, sizeof(*refs));
	int fd = open_node();
	uint64_t offset;

	get_limit();
	check(refs, "no memory");
	set_limit(limit);
	expect(try_add(fd, refs, limit - 1, &offset), 0);
	expect(try_add(fd, refs, limit, &offset), 0);
	check(offset == (limit - 1) * PAGE_SIZE, "%#lx", offset);
	expect(try_add(fd, refs, limit + 1, &offset), -EINVAL);
}

static void counts_at_default_limit(void)
{
	unsigned int limit = get_limit();
	struct ioctl_gntdev_grant_ref *refs = calloc(limit + 1ul, sizeof(*refs));
	int fd = open_node(), ret;
	uint64_t offset;

	check(refs, "no memory");
	for (unsigned int count = limit - 1; count <= limit; count++) {
		ret = try_add(fd, refs, count, &offset);
		if (ret == -ENOMEM) {
			offset_is_free(fd);
			case_skip("memory for %u pages", count);
		}
		expect(ret, 0);
		check(offset == 0, "%#lx", offset);
		expect(try_remove(fd, offset, count), 0);
	}
	expect(try_add(fd, refs, limit + 1, &offset), -EINVAL);
}

static void limit_changes(void)
{
	int fd = open_node();
	struct range r;

	get_limit();
	set_limit(4);
	expect(add_count(fd, 5), -EINVAL);
	expect(add_count(fd, 4), 0);
	set_limit(0);
	expect(add_count(fd, 1), -EINVAL);
	set_limit(6);
	expect(add_count(fd, 5), 0);
	/* What exists is not touched by a lower one. */
	r = range_add(fd, 8, 6);
	set_limit(1);
	range_mmap(&r, RW);
	range_check(&r);
}

static void highest_limit(void)
{
	int fd = open_node(), ret;

	get_limit();
	set_limit(UINT32_MAX);
	ret = add_count(fd, UINT32_MAX);
	check(ret == -ENOMEM || ret == -EINVAL || ret == -EFAULT, "%s", errno_name(ret));
	ret = add_count(fd, 1u << 31);
	check(ret == -ENOMEM || ret == -EINVAL || ret == -EFAULT, "%s", errno_name(ret));
	offset_is_free(fd);
}

/* ---- user buffers ---- */

/* Two pages, the second of which cannot be touched. */
static char *page_with_end(void)
{
	char *pages = mmap(NULL, 2 * PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(pages != MAP_FAILED, "%s", strerror(errno));
	expect(try_mprotect(pages + PAGE_SIZE, PAGE_SIZE, PROT_NONE), 0);
	return pages;
}

static void unmapped_buffers(void)
{
	char *pages = page_with_end();
	int fd = open_node();
	static const unsigned long cmds[] = {
		IOCTL_GNTDEV_MAP_GRANT_REF, IOCTL_GNTDEV_UNMAP_GRANT_REF, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR,
	};

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		expect(raw_ioctl(fd, cmds[i], NULL), -EFAULT);
		expect(raw_ioctl(fd, cmds[i], pages + PAGE_SIZE), -EFAULT);
		expect(raw_ioctl(fd, cmds[i], (void *)0x8000000000000000), -EFAULT);
		expect(raw_ioctl(fd, cmds[i], (void *)-8ul), -EFAULT);
	}
	offset_is_free(fd);
}

static void short_buffers(void)
{
	struct ioctl_gntdev_unmap_grant_ref *unmap;
	struct ioctl_gntdev_get_offset_for_vaddr *find;
	struct ioctl_gntdev_map_grant_ref *map;
	char *end = page_with_end() + PAGE_SIZE;
	int fd = open_node();
	struct range r = range_map(fd, 0, 2, RW);

	/* only count */
	map = (void *)(end - 8);
	map->count = 3;
	expect(raw_ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, map), -EFAULT);
	/* no reference, one, and two of three */
	for (size_t refs = 0; refs < 3; refs++) {
		map = (void *)(end - HEADER - refs * sizeof(map->refs[0]));
		map->count = 3;
		fill_refs(map->refs, 4, refs);
		expect(raw_ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, map), -EFAULT);
	}
	unmap = (void *)(end - 8);
	unmap->index = r.offset;
	expect(raw_ioctl(fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, unmap), -EFAULT);
	find = (void *)(end - 16);
	find->vaddr = (uintptr_t)r.addr;
	expect(raw_ioctl(fd, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, find), -EFAULT);

	range_check(&r);
	range_unmap(&r);
	offset_is_free(fd);
}

static void read_only_buffers(void)
{
	union {
		struct ioctl_gntdev_map_grant_ref map;
		struct ioctl_gntdev_unmap_grant_ref unmap;
		struct ioctl_gntdev_get_offset_for_vaddr find;
	} *u = (void *)page_with_end();
	int fd = open_node();
	struct range r;

	u->map.count = 1;
	fill_refs(u->map.refs, 0, 1);
	expect(try_mprotect(u, PAGE_SIZE, PROT_READ), 0);
	expect(raw_ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, u), -EFAULT);
	offset_is_free(fd);

	r = range_map(fd, 0, 2, RW);
	expect(try_mprotect(u, PAGE_SIZE, RW), 0);
	u->find.vaddr = (uintptr_t)r.addr;
	expect(try_mprotect(u, PAGE_SIZE, PROT_READ), 0);
	expect(raw_ioctl(fd, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, u), -EFAULT);
	range_munmap(&r);

	/* UNMAP only reads. */
	expect(try_mprotect(u, PAGE_SIZE, RW), 0);
	u->unmap.index = r.offset;
	u->unmap.count = 2;
	expect(try_mprotect(u, PAGE_SIZE, PROT_READ), 0);
	expect(raw_ioctl(fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, u), 0);
	offset_is_free(fd);
}

/* ---- references ---- */

/* mmap of these must give EINVAL, the grants of the good ones must go back. */
static void refuse_refs(const struct ioctl_gntdev_grant_ref *refs, uint32_t count, int prot, const char *what)
{
	int fd = open_node(), ret;
	uint64_t offset;
	void *addr;

	ret = try_add(fd, refs, count, &offset);
	/* A domain that cannot exist may be refused at once. */
	if (!ret) {
		ret = try_mmap(fd, offset, count * PAGE_SIZE, prot, MAP_SHARED, &addr);
		check(ret == -EINVAL, "%s: mmap gives %s", what, errno_name(ret));
		wait_busy(0, suite.granter->nr_refs, 0);
	} else {
		check(ret == -EINVAL, "%s: MAP_GRANT_REF gives %s", what, errno_name(ret));
	}
	close(fd);
}

static void missing_references(void)
{
	static const uint32_t missing[] = { 0x7fffffff, 0xffffffff, 0xfffffffe, 0x10000 };
	struct ioctl_gntdev_grant_ref refs[3];

	for (size_t i = 0; i < ARRAY_SIZE(missing); i++) {
		fill_refs(refs, 0, 3);
		refs[1].ref = missing[i];
		refuse_refs(refs, 3, RW, "a reference beyond the table");
	}
	fill_refs(refs, 0, 1);
	refs[0].ref += suite.granter->nr_refs + 100;
	refuse_refs(refs, 1, RW, "a reference past the last one");
}

static void foreign_references(void)
{
	struct granter *g = suite.granter;
	struct ioctl_gntdev_grant_ref refs[3];

	fill_refs(refs, 0, 3);
	check(granter_revoke(g, 1, 1, NULL) == 1, "%s", strerror(errno));
	check(!granter_grant(g, 1, 1, g->domid, false), "%s", strerror(errno));
	refuse_refs(refs, 3, RW, "a page granted to another domain");
	refuse_refs(refs, 3, PROT_READ, "a page granted to another domain, read-only");
	check(granter_revoke(g, 1, 1, NULL) == 1, "%s", strerror(errno));
	refuse_refs(refs, 3, RW, "a page granted to nobody");
}

static void strange_domains(void)
{
	const uint32_t domids[] = {
		suite.granter->domid + 1000, 0x7ff0, 0x7ff1, 0x7ff2, 0x7ff3, 0x7ff4, 0x7fff, 0x8000, 0xffff,
		/* the granter, if only 16 bits are looked at */
		0x10000 + suite.granter->domid, 0xffff0000 + suite.granter->domid, 0xffffffff,
	};
	struct ioctl_gntdev_grant_ref refs[3];

	for (size_t i = 0; i < ARRAY_SIZE(domids); i++) {
		char what[64];

		snprintf(what, sizeof(what), "domain %#x", domids[i]);
		fill_refs(refs, 0, 3);
		/* a reference that dom0 has not granted itself */
		refs[2].domid = domids[i];
		refs[2].ref = 60000 + i;
		if ((domids[i] & 0xffff) == suite.granter->domid)
			refs[2].ref = suite.granter->first_ref + 2;
		refuse_refs(refs, 3, RW, what);
		if (i % 4 == 0)
			refuse_refs(&refs[2], 1, RW, what);
	}
}

enum place {
	FIRST,
	MIDDLE,
	LAST,
	ALL,
	NR_PLACES,
};

static void revoke_place(enum place place, uint32_t count)
{
	struct granter *g = suite.granter;
	uint32_t first = place == MIDDLE ? count / 2 : place == LAST ? count - 1 : 0;
	uint32_t nr = place == ALL ? count : 1;

	check(granter_revoke(g, first, nr, NULL) == nr, "%s", strerror(errno));
}

static void grant_place(enum place place, uint32_t count)
{
	uint32_t first = place == MIDDLE ? count / 2 : place == LAST ? count - 1 : 0;
	uint32_t nr = place == ALL ? count : 1;

	check(!granter_grant(suite.granter, first, nr, 0, false), "%s", strerror(errno));
}

/* The core's batches are of 64 pages to map, 32 to unmap. */
static void revoked_reference(uint32_t count)
{
	int fd = open_node();
	struct range r = range_add(fd, 0, count);

	for (enum place place = FIRST; place < NR_PLACES; place++) {
		void *addr;
		int ret;

		revoke_place(place, count);
		ret = try_mmap(fd, r.offset, range_length(&r), RW, MAP_SHARED, &addr);
		check(ret == -EINVAL, "place %d of %u: %s", place, count, errno_name(ret));
		wait_busy(0, count, 0);
		grant_place(place, count);
		/* In PVH every page costs: the range is usable, that is enough. */
		range_mmap(&r, RW);
		if (count < 10)
			range_check(&r);
		else
			range_check_pages(&r, count / 2, 1);
		range_munmap(&r);
	}
}

static void revoked_of_1(void)
{
	revoked_reference(1);
}

static void revoked_of_3(void)
{
	revoked_reference(3);
}

static void revoked_of_64(void)
{
	revoked_reference(64);
}

static void revoked_of_65(void)
{
	revoked_reference(65);
}

static void revoked_of_130(void)
{
	revoked_reference(130);
}

static void revoked_many_times(void)
{
	int fd = open_node();
	struct range r = range_add(fd, 0, 3);

	revoke_place(MIDDLE, 3);
	for (int i = 0; i < 50; i++) {
		void *addr;

		expect(try_mmap(fd, r.offset, range_length(&r), i % 2 ? RW : PROT_READ, MAP_SHARED, &addr), -EINVAL);
	}
	grant_place(MIDDLE, 3);
	range_mmap(&r, PROT_READ);
	range_check(&r);
}

static void writable_map_of_read_only_grant(void)
{
	struct granter *g = suite.granter;
	uint32_t first = suite.nr_rw - 1;
	int fd = open_node();
	struct range r = range_add(fd, first, 2);
	void *addr;

	check(g->nr_ro, "the granter has no read-only page");
	/* One page that may be written and one that may not. */
	expect(try_mmap(fd, r.offset, range_length(&r), RW, MAP_SHARED, &addr), -EINVAL);
	wait_busy(first, 2, 0);
	range_mmap(&r, PROT_READ);
	range_check(&r);
}

/* ---- mmap ---- */

static void refuse_mmap(const struct range *r, uint64_t offset, size_t length, int prot, int flags)
{
	void *addr;
	int ret = try_mmap(r->fd, offset, length, prot, flags, &addr);

	check(ret == -EINVAL, "offset %#lx, length %#lx, prot %#x, flags %#x: %s", offset, length, prot, flags,
	      errno_name(ret));
}

static void wrong_offsets(void)
{
	struct range r = range_add(open_node(), 0, 4);

	refuse_mmap(&r, r.offset + 4 * PAGE_SIZE, 4 * PAGE_SIZE, RW, MAP_SHARED);
	refuse_mmap(&r, r.offset + PAGE_SIZE, 4 * PAGE_SIZE, RW, MAP_SHARED);
	refuse_mmap(&r, r.offset + PAGE_SIZE, 3 * PAGE_SIZE, RW, MAP_SHARED);
	refuse_mmap(&r, 1ul << 40, 4 * PAGE_SIZE, RW, MAP_SHARED);
	/* What an index of 32 bits would take for 0. */
	refuse_mmap(&r, 1ul << 44, 4 * PAGE_SIZE, RW, MAP_SHARED);
	range_mmap(&r, RW);
	range_check(&r);
}

static void wrong_lengths(void)
{
	int fd = open_node();
	struct range r = range_add(fd, 0, 4), next = range_add(fd, 4, 2);

	refuse_mmap(&r, r.offset, 3 * PAGE_SIZE, RW, MAP_SHARED);
	refuse_mmap(&r, r.offset, 5 * PAGE_SIZE, RW, MAP_SHARED);
	refuse_mmap(&r, r.offset, 6 * PAGE_SIZE, RW, MAP_SHARED);
	refuse_mmap(&r, r.offset, 0, RW, MAP_SHARED);
	/* Not a multiple of a page: mmap rounds up. */
	refuse_mmap(&r, r.offset, 3 * PAGE_SIZE - 1, RW, MAP_SHARED);
	range_mmap(&r, RW);
	range_mmap(&next, RW);
	range_check(&r);
	range_check(&next);
}

static void private_maps(void)
{
	struct range r = range_add(open_node(), 0, 4);
	void *addr;

	refuse_mmap(&r, r.offset, 4 * PAGE_SIZE, RW, MAP_PRIVATE);
	refuse_mmap(&r, r.offset, 4 * PAGE_SIZE, PROT_WRITE, MAP_PRIVATE);
	expect(try_mmap(r.fd, r.offset, 4 * PAGE_SIZE, PROT_READ, MAP_PRIVATE, &addr), 0);
	r.addr = addr;
	r.prot = PROT_READ;
	range_check(&r);
	expect(try_mprotect(r.addr, range_length(&r), RW), -EACCES);
	range_check(&r);
	range_munmap(&r);
	range_mmap(&r, RW);
	range_check(&r);
}

static void mapped_twice(void)
{
	struct range r = range_map(open_node(), 0, 4, RW);

	refuse_mmap(&r, r.offset, 4 * PAGE_SIZE, RW, MAP_SHARED);
	refuse_mmap(&r, r.offset, 4 * PAGE_SIZE, PROT_READ, MAP_SHARED);
	range_check(&r);
	range_munmap(&r);
	range_mmap(&r, RW);
	range_check(&r);
}

static void removed_ranges(void)
{
	struct range r = range_add(open_node(), 0, 4);

	range_remove(&r);
	refuse_mmap(&r, r.offset, 4 * PAGE_SIZE, RW, MAP_SHARED);
}

/* ---- UNMAP ---- */

static void wrong_removes(void)
{
	int fd = open_node();
	struct range r = range_map(fd, 0, 4, RW), next = range_add(fd, 4, 1);

	expect(try_remove(fd, r.offset, 3), -ENOENT);
	expect(try_remove(fd, r.offset, 5), -ENOENT);
	expect(try_remove(fd, r.offset, UINT32_MAX), -ENOENT);
	expect(try_remove(fd, r.offset + PAGE_SIZE, 4), -ENOENT);
	expect(try_remove(fd, r.offset + PAGE_SIZE, 3), -ENOENT);
	expect(try_remove(fd, r.offset + PAGE_SIZE, 0), -ENOENT);
	expect(try_remove(fd, r.offset + 4 * PAGE_SIZE + 4 * PAGE_SIZE, 4), -ENOENT);
	expect(try_remove(fd, 1ul << 44, 4), -ENOENT);
	expect(try_remove(fd, ~0ul, 4), -ENOENT);
	expect(try_remove(fd, ~0ul, 0), -ENOENT);
	range_check(&r);
	/* As in-tree: an index counts as the page that it lies in, and 0 as any size. */
	expect(try_remove(fd, r.offset + 123, 4), 0);
	expect(try_remove(fd, r.offset, 4), -ENOENT);
	expect(try_remove(fd, next.offset, 0), 0);
	expect(try_remove(fd, next.offset, 0), -ENOENT);
	range_check(&r);
}

static void nothing_to_remove(void)
{
	int fd = open_node();

	expect(try_remove(fd, 0, 0), -ENOENT);
	expect(try_remove(fd, 0, 1), -ENOENT);
}

/* ---- the rest ---- */

static void unknown_ioctls(void)
{
	static const unsigned int known[] = { 0, 1, 2, 7, 8, 9, 10, 11, 12 };
	int fd = open_node();
	char buf[256] = { 0 };

	for (unsigned int nr = 0; nr < 256; nr++) {
		bool is_known = false;

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			is_known |= nr == known[i];
		/* A known number with another size is another ioctl. */
		for (unsigned int size = is_known ? 200 : 0; size <= 208; size += 8) {
			expect(raw_ioctl(fd, _IOC(_IOC_NONE, 'G', nr, size), buf), -ENOTTY);
			expect(raw_ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 'G', nr, size), buf), -ENOTTY);
		}
	}
	expect(raw_ioctl(fd, IOCTL_GNTDEV_SET_MAX_GRANTS, buf), -ENOTTY);
	expect(raw_ioctl(fd, IOCTL_GNTDEV_SET_MAX_GRANTS, NULL), -ENOTTY);
	expect(raw_ioctl(fd, _IOC(_IOC_NONE, 'H', 0, 24), buf), -ENOTTY);
	expect(raw_ioctl(fd, 0, buf), -ENOTTY);
	expect(raw_ioctl(fd, ~0u, buf), -ENOTTY);
	offset_is_free(fd);
}

static void no_file_of_bytes(void)
{
	int fd = open_node();
	char byte = 0;

	check(read(fd, &byte, 1) == -1 && errno == EINVAL, "%s", strerror(errno));
	check(write(fd, &byte, 1) == -1 && errno == EINVAL, "%s", strerror(errno));
}

static const struct suite_case cases[] = {
	{ "a count of 0, above the limit, 2^31 or 2^32-1 gives EINVAL", bad_counts },
	{ "counts of the limit and one less are taken, one more is not", counts_at_limit },
	{ "counts of the default limit and one less are taken, one more is not", counts_at_default_limit },
	{ "the limit can be changed at run time", limit_changes },
	{ "no limit makes a count overflow", highest_limit },
	{ "a buffer that is not mapped gives EFAULT", unmapped_buffers },
	{ "a buffer that ends too early gives EFAULT", short_buffers },
	{ "a buffer that cannot be written gives EFAULT and leaves no range", read_only_buffers },
	{ "references that do not exist give EINVAL", missing_references },
	{ "references for another domain or nobody give EINVAL", foreign_references, .revokes = true },
	{ "domains that do not exist or are special give EINVAL", strange_domains },
	{ "a bad reference anywhere in 1 page undoes mmap and leaves the range usable", revoked_of_1, .revokes = true },
	{ "a bad reference anywhere in 3 pages undoes mmap and leaves the range usable", revoked_of_3, .revokes = true },
	{ "a bad reference anywhere in 64 pages undoes mmap and leaves the range usable", revoked_of_64, .revokes = true },
	{ "a bad reference anywhere in 65 pages undoes mmap and leaves the range usable", revoked_of_65, .revokes = true },
	{ "a bad reference anywhere in 130 pages undoes mmap and leaves the range usable", revoked_of_130, .revokes = true },
	{ "mmap can fail many times before it works", revoked_many_times, .revokes = true },
	{ "a writable map of a read-only grant gives EINVAL, a read-only one works then", writable_map_of_read_only_grant },
	{ "mmap at an offset where no range starts gives EINVAL", wrong_offsets },
	{ "mmap of less or more than a range gives EINVAL", wrong_lengths },
	{ "a private writable map gives EINVAL, a private read-only one works", private_maps },
	{ "mapping a mapped range gives EINVAL", mapped_twice },
	{ "mapping a removed range gives EINVAL", removed_ranges },
	{ "UNMAP of anything but a whole range gives ENOENT", wrong_removes },
	{ "UNMAP on a new descriptor gives ENOENT", nothing_to_remove },
	{ "unknown ioctls give ENOTTY, SET_MAX_GRANTS too", unknown_ioctls },
	{ "read and write give EINVAL", no_file_of_bytes },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
