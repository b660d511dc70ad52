// SPDX-License-Identifier: GPL-2.0
/* MAP_FOREIGN of what cannot be mapped, or not so: each frame has its own error, and nothing is left behind. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "block.h"
#include "foreign.h"
#include "suite.h"

#define RW (PROT_READ | PROT_WRITE)
#define WRITE GNTMAP_FOREIGN_WRITE
#define PARTIAL GNTMAP_FOREIGN_PARTIAL
#define RUN GNTMAP_FOREIGN_RUN
#define FIRST 3u
#define UNTOUCHED 12345
#define NO_POINTER 8ull

static int ask(int fd, struct gntmap_map_foreign *op)
{
	return ioctl(fd, GNTMAP_IOCTL_MAP_FOREIGN, op) ? -errno : 0;
}

/* A request that works, to be spoilt. */
static struct gntmap_map_foreign good(uint32_t nr)
{
	return (struct gntmap_map_foreign){
		.size = sizeof(struct gntmap_map_foreign),
		.domid = suite.granter->domid,
		.nr = nr,
		.gfns = (uintptr_t)foreign_gfns(FIRST, nr),
	};
}

static void malformed(void)
{
	struct gntmap_map_foreign op;
	char text[32];
	int fd = open_node();
	uint64_t limit;

	check(core_parameter("limit", text, sizeof(text)), "no limit");
	limit = strtoul(text, NULL, 10);
	for (int i = 0; i < 10; i++) {
		op = good(2);
		switch (i) {
		case 0: op.size--; break;
		case 1: op.size += 8; break;
		case 2: op.size = 0; break;
		case 3: op.flags = 8; break;
		case 4: op.flags = 1u << 31; break;
		case 5: op.reserved = 1; break;
		case 6: op.reserved2 = 1; break;
		case 7: op.nr = 0; break;
		case 8: op.nr = limit + 1; break;
		case 9: op.nr = 1ull << 63; break;
		}
		check(ask(fd, &op) == -EINVAL, "spoilt in way %d: %s", i, errno_name(-errno));
	}
	check_file_has(fd, 0, 0);
	op = good(2);
	expect(ask(fd, &op), 0);
	check_file_has(fd, 1, 2);
}

static void bad_memory(void)
{
	struct gntmap_map_foreign op, *readonly;
	int fd = open_node();

	expect(ask(fd, (void *)NO_POINTER), -EFAULT);
	op = good(2);
	op.gfns = NO_POINTER;
	expect(ask(fd, &op), -EFAULT);
	op = good(2);
	op.errors = NO_POINTER;
	expect(ask(fd, &op), -EFAULT);
	/* The offset cannot be told. */
	readonly = mmap(NULL, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(readonly != MAP_FAILED, "no memory");
	*readonly = good(2);
	check(!mprotect(readonly, PAGE_SIZE, PROT_READ), "%s", strerror(errno));
	expect(ask(fd, readonly), -EFAULT);
	check_file_has(fd, 0, 0);
	op = good(2);
	expect(ask(fd, &op), 0);
	check(!op.offset, "the offset is %#llx", op.offset);
}

static void no_domain(void)
{
	/* Ids with a meaning of their own, ids that are too wide, one that nobody has. */
	const uint32_t domids[] = { 0x7ff0, 0x7ff1, 0x7ff2, 0x7ff4, 0x7fff, 0xffff, 0x10000, ~0u,
				    0x10000 + suite.granter->domid, 31000 };
	uint64_t *gfns = foreign_gfns(FIRST, 2), offset;
	int fd = open_node();

	for (size_t i = 0; i < ARRAY_SIZE(domids); i++) {
		for (uint32_t flags = 0; flags <= (WRITE | PARTIAL); flags++) {
			int32_t errors[2] = { UNTOUCHED, UNTOUCHED };
			int ret = try_foreign(fd, domids[i], flags, gfns, 2, errors, &offset);

			check(ret == -ESRCH, "domain %#x: %s", domids[i], errno_name(ret));
			check(errors[0] == -ESRCH && errors[1] == -ESRCH, "domain %#x: %d, %d", domids[i], errors[0], errors[1]);
		}
	}
	/* Ourselves. */
	expect(try_foreign(fd, 0, 0, gfns, 2, NULL, &offset), suite.pv ? -ESRCH : -EPERM);
	check_file_has(fd, 0, 0);
}

/* No machine has it; above what any has; the local APIC; the IO-APIC; the first MiB, which no domU has. */
static const uint64_t bad_gfns[] = { 1ull << 39, ~0ull, 1ull << 52, 1ull << 40, 0xfee00, 0xfec00, 0xa0, 0 };

static void bad_frames(void)
{
	uint64_t *gfns = foreign_gfns(FIRST, 5), offset, was = gfns[2];
	int fd = open_node();

	for (size_t i = 0; i < ARRAY_SIZE(bad_gfns); i++) {
		for (uint32_t flags = 0; flags <= WRITE; flags++) {
			int32_t errors[5] = { UNTOUCHED, UNTOUCHED, UNTOUCHED, UNTOUCHED, UNTOUCHED };
			int ret = try_foreign(fd, suite.granter->domid, flags, &bad_gfns[i], 1, NULL, &offset);

			check(ret == -EINVAL, "frame %#lx: %s", bad_gfns[i], errno_name(ret));
			ret = try_foreign(fd, suite.granter->domid, flags | PARTIAL, &bad_gfns[i], 1, NULL, &offset);
			check(ret == -EINVAL, "frame %#lx, partially: %s", bad_gfns[i], errno_name(ret));

			gfns[2] = bad_gfns[i];
			ret = try_foreign(fd, suite.granter->domid, flags, gfns, 5, errors, &offset);
			check(ret == -EINVAL, "frame %#lx among good ones: %s", bad_gfns[i], errno_name(ret));
			for (int j = 0; j < 5; j++)
				check(errors[j] == (j == 2 ? -EINVAL : 0), "frame %d: %d", j, errors[j]);
			gfns[2] = was;
		}
	}
	check_file_has(fd, 0, 0);
	/* Premise: the others are good. */
	expect(try_foreign(fd, suite.granter->domid, WRITE, gfns, 5, NULL, &offset), 0);
}

static void runs_off(void)
{
	const uint64_t starts[] = { ~0ull, ~0ull - 1, (1ull << 40) - 1, 1ull << 40, 1ull << 52 };
	int fd = open_node();
	uint64_t offset;

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		int32_t errors[4] = { 0 };
		int ret = try_foreign(fd, suite.granter->domid, RUN | PARTIAL, &starts[i], 4, errors, &offset);

		check(ret == -EINVAL, "a run from %#lx: %s", starts[i], errno_name(ret));
		for (int j = 0; j < 4; j++)
			check(errors[j] == -EINVAL, "a run from %#lx, frame %d: %d", starts[i], j, errors[j]);
	}
	check_file_has(fd, 0, 0);
}

/* Bad ones on both sides of the boundaries of batches. */
static void many_errors(void)
{
	const uint32_t nr = suite.pv ? 1200 : 540, bad[] = { 0, 15, 16, 63, 64, 511, 512, 539 };
	uint64_t *gfns = foreign_gfns(0, nr), offset;
	int32_t *errors = calloc(nr, sizeof(*errors));
	struct range r = { .fd = open_node(), .count = nr };
	uint32_t nr_bad = 0;

	check(errors, "no memory");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		gfns[bad[i]] = 1ull << 39;
	expect(try_foreign(r.fd, suite.granter->domid, PARTIAL, gfns, nr, errors, &r.offset), 0);
	for (uint32_t i = 0; i < nr; i++) {
		check(errors[i] == (gfns[i] == 1ull << 39 ? -EINVAL : 0), "frame %u: %d", i, errors[i]);
		nr_bad += errors[i] != 0;
	}
	check(nr_bad == ARRAY_SIZE(bad), "%u", nr_bad);
	range_mmap(&r, PROT_READ);
	check_reads(range_page(&r, 17), 17, 3);
	range_unmap(&r);
	expect(try_foreign(r.fd, suite.granter->domid, 0, gfns, nr, errors, &offset), -EINVAL);
	check_file_has(r.fd, 0, 0);
}

static void check_not_written(struct range *r, const char *before, const char *how)
{
	check(!memcmp(before, r->addr, PAGE_SIZE), "%s wrote to a read-only frame", how);
}

/* Everybody who is known to get around protections. */
static void nobody_writes(struct range *r)
{
	char before[PAGE_SIZE], *bytes = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	struct iovec ours = { bytes, PAGE_SIZE }, theirs = { r->addr, PAGE_SIZE };
	const char *path = block_create(16);
	int fd;

	memset(bytes, 0xee, PAGE_SIZE);
	memcpy(before, r->addr, PAGE_SIZE);
	expect(try_mprotect(r->addr, range_length(r), RW), -EACCES);
	check(touch(r->addr, true), "a write goes through");
	check_not_written(r, before, "a store");

	/* FOLL_FORCE */
	fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	check(fd >= 0, "%s", strerror(errno));
	check(pwrite(fd, bytes, PAGE_SIZE, (uintptr_t)r->addr) == -1 && errno == EIO, "%s", strerror(errno));
	close(fd);
	check_not_written(r, before, "/proc/self/mem");
	check(process_vm_writev(getpid(), &ours, 1, &theirs, 1, 0) == -1 && errno == EFAULT, "%s", strerror(errno));
	check_not_written(r, before, "process_vm_writev()");
	if (path) {
		fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
		check(fd >= 0, "%s: %s", path, strerror(errno));
		check(pwrite(fd, bytes, PAGE_SIZE, 0) == PAGE_SIZE, "%s", strerror(errno));
		check(pread(fd, r->addr, PAGE_SIZE, 0) == -1 && errno == EFAULT, "%s", strerror(errno));
		close(fd);
		block_remove();
		check_not_written(r, before, "O_DIRECT");
	}
	check_reads(r->addr, r->first, 1);
}

static void read_only(void)
{
	struct range r = foreign_add(open_node(), FIRST, 2, 0);
	void *addr;

	expect(try_mmap(r.fd, r.offset, 2 * PAGE_SIZE, RW, MAP_SHARED, &addr), -EACCES);
	expect(try_mmap(r.fd, r.offset, 2 * PAGE_SIZE, PROT_WRITE, MAP_SHARED, &addr), -EACCES);
	expect(try_mmap(r.fd, r.offset, 2 * PAGE_SIZE, RW, MAP_PRIVATE, &addr), -EINVAL);
	range_mmap(&r, PROT_READ);
	nobody_writes(&r);
	range_munmap(&r);
	expect(try_mmap(r.fd, r.offset, 2 * PAGE_SIZE, PROT_READ, MAP_PRIVATE, &addr), 0);
	r.addr = addr;
	nobody_writes(&r);
	range_unmap(&r);
}

static void shown_read_only(void)
{
	struct range r = foreign_add(open_node(), FIRST, 2, WRITE);

	range_mmap(&r, PROT_READ);
	nobody_writes(&r);
	range_munmap(&r);
	range_mmap(&r, RW);
	range_check(&r);
	range_unmap(&r);
}

static void other_mmaps(void)
{
	struct range r = foreign_add(open_node(), FIRST, 4, WRITE);
	void *addr;

	expect(try_mmap(r.fd, r.offset, 3 * PAGE_SIZE, RW, MAP_SHARED, &addr), -EINVAL);
	expect(try_mmap(r.fd, r.offset, 5 * PAGE_SIZE, RW, MAP_SHARED, &addr), -EINVAL);
	expect(try_mmap(r.fd, r.offset + PAGE_SIZE, 3 * PAGE_SIZE, RW, MAP_SHARED, &addr), -EINVAL);
	expect(try_mmap(r.fd, r.offset, 4 * PAGE_SIZE, PROT_NONE, MAP_SHARED, &addr), 0);
	check(touch(addr, false) && touch(addr, true), "a mapping of PROT_NONE can be used");
	expect(try_munmap(addr, 4 * PAGE_SIZE), 0);
	range_mmap(&r, RW);
	expect(try_mmap(r.fd, r.offset, 4 * PAGE_SIZE, RW, MAP_SHARED, &addr), -EINVAL);
	range_check(&r);
	range_remove(&r);
	expect(try_remove(r.fd, r.offset, 4), -ENOENT);
	range_check(&r);
	range_munmap(&r);
}

/* Around the mailbox lie the granter's image and its page tables: Xen lets nobody write to these, PV dom0 included. */
static void page_tables(void)
{
	uint64_t start = suite.granter->mailbox_gfn - 1024, offset;
	static int32_t read_errors[2048], write_errors[2048];
	unsigned int nr_read = 0, nr_not_written = 0;
	int fd = open_node();

	expect(try_foreign(fd, suite.granter->domid, RUN | PARTIAL, &start, 2048, read_errors, &offset), 0);
	expect(try_remove(fd, offset, 2048), 0);
	expect(try_foreign(fd, suite.granter->domid, RUN | PARTIAL | WRITE, &start, 2048, write_errors, &offset), 0);
	expect(try_remove(fd, offset, 2048), 0);
	for (int i = 0; i < 2048; i++) {
		check(!read_errors[i] || read_errors[i] == -EINVAL, "frame %d: %d", i, read_errors[i]);
		nr_read += !read_errors[i];
		if (!read_errors[i] && write_errors[i] == -EPERM)
			nr_not_written++;
		else
			check(read_errors[i] == write_errors[i], "frame %d: %d, to write %d", i, read_errors[i], write_errors[i]);
	}
	check(nr_read > 8 && nr_read < 2048, "%u of 2048 frames are the granter's", nr_read);
	check(nr_not_written >= 4 && nr_not_written < nr_read / 2, "%u of %u cannot be written to", nr_not_written, nr_read);
}

static void restricted(void)
{
	struct gntmap_restrict op = { .size = sizeof(op), .domid = suite.granter->domid + 1 };
	struct gntmap_set_max_pages cap = { .size = sizeof(cap), .max_pages = 5 };
	uint64_t *gfns = foreign_gfns(FIRST, 4), offset;
	int32_t errors[4] = { UNTOUCHED, UNTOUCHED, UNTOUCHED, UNTOUCHED };
	int fd = open_node();

	check(!ioctl(fd, GNTMAP_IOCTL_RESTRICT, &op), "%s", strerror(errno));
	expect(try_foreign(fd, suite.granter->domid, 0, gfns, 4, errors, &offset), -EPERM);
	check(errors[0] == UNTOUCHED, "a frame was tried: %d", errors[0]);
	close(fd);

	fd = open_node();
	op.domid--;
	check(!ioctl(fd, GNTMAP_IOCTL_RESTRICT, &op), "%s", strerror(errno));
	check(!ioctl(fd, GNTMAP_IOCTL_SET_MAX_PAGES, &cap), "%s", strerror(errno));
	expect(try_foreign(fd, suite.granter->domid, 0, gfns, 4, NULL, &offset), 0);
	expect(try_foreign(fd, suite.granter->domid, 0, gfns, 2, NULL, &offset), -ENOSPC);
	check_file_has(fd, 1, 4);
	expect(try_remove(fd, 0, 4), 0);
	expect(try_foreign(fd, suite.granter->domid, 0, gfns, 2, NULL, &offset), 0);
}

static const struct suite_case cases[] = {
	{ "wrong sizes, flags, reserved fields and numbers give EINVAL", malformed },
	{ "memory that cannot be read or written gives EFAULT, and nothing is left", bad_memory },
	{ "ids that are no domain's give ESRCH, to each frame", no_domain },
	{ "frames that the domain has not, and MMIO, give EINVAL, the others 0", bad_frames },
	{ "a run beyond the last frame gives EINVAL", runs_off },
	{ "each of many frames has its own error", many_errors },
	{ "a read-only range stays read-only: mmap, mprotect, FOLL_FORCE, direct IO", read_only },
	{ "so does a writable one that is shown read-only", shown_read_only },
	{ "only a whole range can be shown, and once at a time", other_mmaps },
	{ "a page table of the domain gives EPERM to who would write to it", page_tables, MODE_PV },
	{ "a restriction gives EPERM, a cap ENOSPC", restricted },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
