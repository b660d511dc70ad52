// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a mapping when its address space changes. In PV Xen writes the PTEs, so what would change them is
 * refused and leaves everything as it was; in an auto-translated domain it works as with any file.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gntmap_node.h"
#include "range.h"
#include "suite.h"
#include "vma.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MADV_COLD
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif

#define RW (PROT_READ | PROT_WRITE)
#define NR 6u

static struct range map_rw(void)
{
	return range_map(open_node(), 2, NR, RW);
}

static int try_mremap(void *addr, size_t old_length, size_t length, int flags, void *new_addr, void **moved)
{
	*moved = mremap(addr, old_length, length, flags, new_addr);
	return *moved == MAP_FAILED ? -errno : 0;
}

static int try_madvise(void *addr, size_t length, int advice)
{
	return madvise(addr, length, advice) ? -errno : 0;
}

/* Room that nobody else takes. */
static char *reserve(size_t pages)
{
	char *addr = mmap(NULL, pages * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	check(addr != MAP_FAILED, "%s", strerror(errno));
	return addr;
}

static void map_at(struct range *r, char *addr, int prot)
{
	r->addr = mmap(addr, range_length(r), prot, MAP_SHARED | MAP_FIXED, r->fd, r->offset);
	check(r->addr == addr, "%s", strerror(errno));
	r->prot = prot;
}

static void expect_signal(void *addr, bool write, int sig)
{
	int got = touch(addr, write);

	check(got == sig, "%s gives %s, not %s", write ? "writing" : "reading", got ? strsignal(got) : "no signal",
	      sig ? strsignal(sig) : "none");
}

/* ---- flags ---- */

static void expect_flag(const struct vma *vma, const char *flag, bool wanted)
{
	check(vma_has_flag(vma, flag) == wanted, "VmFlags %s: %s is %s", vma->flags, flag,
	      wanted ? "missing" : "set");
}

static void check_flags(const struct range *r)
{
	struct vma vma;

	expect(vma_find(0, r->addr, &vma), 0);
	check(vma.start == (uintptr_t)r->addr && vma.end - vma.start == range_length(r), "%#lx to %#lx", vma.start,
	      vma.end);
	expect_flag(&vma, "io", strategy_is("vmio"));
	expect_flag(&vma, "mm", strategy_is("mixedmap") || strategy_is("gntdev"));
	expect_flag(&vma, "pf", false);
	expect_flag(&vma, "de", true);
	expect_flag(&vma, "dd", true);
	expect_flag(&vma, "dc", suite.pv);
	expect_flag(&vma, "sh", true);
	expect_flag(&vma, "rd", true);
	expect_flag(&vma, "wr", r->prot & PROT_WRITE);
	expect_flag(&vma, "mw", r->prot & PROT_WRITE);
	if (vma.policy[0])
		check(!strcmp(vma.policy, strategy_is("policy") ? "local" : "default"), "policy %s", vma.policy);
}

static void flags_of_new_mapping(void)
{
	struct range r = map_rw();

	check_flags(&r);
	range_munmap(&r);
	range_mmap(&r, PROT_READ);
	check_flags(&r);
}

static void flags_after_use(void)
{
	struct range r = map_rw();
	void *page;

	range_check(&r);
	check(!posix_memalign(&page, PAGE_SIZE, PAGE_SIZE), "no memory");
	memcpy(page, r.addr, PAGE_SIZE);
	if (!suite.pv) {
		/* Every page comes in again through ->fault. */
		expect(try_madvise(r.addr, range_length(&r), MADV_DONTNEED), 0);
		range_check(&r);
	}
	check_flags(&r);
}

static void read_only_stays(void)
{
	struct range r = range_map(open_node(), 2, NR, PROT_READ);

	expect(try_mprotect(r.addr, range_length(&r), RW), -EACCES);
	expect(try_mprotect(r.addr, range_length(&r), PROT_WRITE), -EACCES);
	expect(try_mprotect(r.addr, PAGE_SIZE, RW), -EACCES);
	expect_signal(r.addr, true, SIGSEGV);
	range_check(&r);
}

/* ---- PV: refused ---- */

static void pv_partial_munmap(void)
{
	struct range r = map_rw();

	expect(try_munmap(r.addr, PAGE_SIZE), -EINVAL);
	expect(try_munmap(range_page(&r, 2), 2 * PAGE_SIZE), -EINVAL);
	expect(try_munmap(range_page(&r, NR - 1), PAGE_SIZE), -EINVAL);
	range_check(&r);
	check_flags(&r);
}

static void pv_munmap_with_neighbour(void)
{
	struct range r = range_add(open_node(), 2, NR);
	char *room = reserve(NR + 4);

	map_at(&r, room + 2 * PAGE_SIZE, RW);
	expect(try_mprotect(room, PAGE_SIZE, RW), 0);
	memset(room, 0x5a, PAGE_SIZE);
	expect(try_munmap(room, 3 * PAGE_SIZE), -EINVAL);
	check(room[100] == 0x5a, "the neighbour lost its content");
	expect(try_munmap(range_page(&r, NR - 1), 2 * PAGE_SIZE), -EINVAL);
	range_check(&r);
}

static void pv_map_over_part(void)
{
	struct range r = map_rw();
	void *over;

	over = mmap(range_page(&r, 1), PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	/* 6.1 says ENOMEM whatever the reason. */
	check(over == MAP_FAILED && (errno == EINVAL || errno == ENOMEM), "%p: %s", over, strerror(errno));
	range_check(&r);
}

static void pv_mprotect(void)
{
	struct range r = map_rw();

	expect(try_mprotect(r.addr, PAGE_SIZE, PROT_READ), -EINVAL);
	expect(try_mprotect(range_page(&r, 2), PAGE_SIZE, PROT_NONE), -EINVAL);
	expect(try_mprotect(r.addr, range_length(&r), PROT_READ), -EINVAL);
	expect(try_mprotect(r.addr, range_length(&r), PROT_NONE), -EINVAL);
	expect(try_mprotect(r.addr, range_length(&r), RW), 0);
	range_check(&r);
	check_flags(&r);
}

static void pv_mremap(struct range *r)
{
	char *room = reserve(4 * NR);
	size_t all = range_length(r);
	void *moved;

	expect(try_mremap(r->addr, all, all, MREMAP_MAYMOVE | MREMAP_FIXED, room, &moved), -EINVAL);
	range_check(r);
	expect(try_mremap(r->addr, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, room, &moved), -EINVAL);
	expect(try_mremap(range_page(r, 1), PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, room, &moved),
	       -EINVAL);
	range_check(r);
	expect(try_mremap(r->addr, all, all, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL, &moved), -EINVAL);
	expect(try_mremap(r->addr, all, all - PAGE_SIZE, 0, NULL, &moved), -EINVAL);
	expect(try_mremap(r->addr, all, all - PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, room, &moved), -EINVAL);
	range_check(r);
	expect(try_mremap(r->addr, all, all + PAGE_SIZE, MREMAP_MAYMOVE, NULL, &moved), -EFAULT);
	expect(try_mremap(r->addr, all, all + PAGE_SIZE, 0, NULL, &moved), -EFAULT);
	expect(try_mremap(r->addr, 0, all, MREMAP_MAYMOVE, NULL, &moved), -EFAULT);
	range_check(r);
	check_flags(r);
}

static void pv_mremap_mapped(void)
{
	struct range r = map_rw();

	pv_mremap(&r);
}

/* Its offset names nothing any more. */
static void pv_mremap_removed(void)
{
	struct range r = map_rw();

	range_remove(&r);
	pv_mremap(&r);
}

/* Nor is another range, or another mapping, taken for it. */
static void pv_mremap_replaced(void)
{
	struct range r = map_rw();

	range_remove(&r);
	range_add(r.fd, 20, NR);
	range_map(r.fd, 20, NR, RW);
	pv_mremap(&r);
}

/* A child that had an empty mapping of it goes, and the parent's is still there. */
static void pv_mremap_removed_after_fork(void)
{
	char *room = reserve(4 * NR), byte;
	struct range r = map_rw(), other;
	void *moved;
	int ends[2];
	pid_t child;

	if (strategy_is("vmio") || kernel_since(7, 2)) {
		expect(try_madvise(r.addr, range_length(&r), MADV_DOFORK), -EINVAL);
		case_skip("MADV_DOFORK of such a mapping%s", strategy_is("vmio") ? ": VM_IO refuses it" : ", before 7.2");
	}
	expect(try_madvise(r.addr, range_length(&r), MADV_DOFORK), 0);
	check(!pipe2(ends, O_CLOEXEC), "%s", strerror(errno));
	child = fork();
	check(child >= 0, "%s", strerror(errno));
	if (!child) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1));
	}
	range_remove(&r);
	close(ends[1]);
	check(waitpid(child, NULL, 0) == child, "%s", strerror(errno));
	expect(try_mremap(r.addr, range_length(&r), range_length(&r), MREMAP_MAYMOVE | MREMAP_FIXED, room, &moved), -EINVAL);
	range_check(&r);
	other = range_add(r.fd, 20, NR);
	check(other.offset != r.offset, "its place is another range's while it is mapped");
	range_munmap(&r);
	wait_busy(r.first, NR, 0);
	other = range_add(r.fd, 20, NR);
	check(other.offset == r.offset, "its place is not free");
}

static void pv_dontneed(void)
{
	struct range r = map_rw();

	expect(try_madvise(range_page(&r, 1), 2 * PAGE_SIZE, MADV_DONTNEED), 0);
	range_check_pages(&r, 0, 1);
	range_check_pages(&r, 3, NR - 3);
	expect_signal(range_page(&r, 1), false, SIGBUS);
	expect_signal(range_page(&r, 2), true, SIGBUS);
	expect(try_madvise(r.addr, range_length(&r), MADV_DONTNEED), 0);
	expect_signal(r.addr, false, SIGBUS);
	range_munmap(&r);
	wait_busy(2, NR, 0);
	range_mmap(&r, RW);
	range_check(&r);
}

static void read_in_child(void *arg)
{
	struct range *r = arg;

	for (uint32_t i = 0; i < r->count; i++)
		expect_signal(range_page(r, i), false, SIGSEGV);
	expect_signal(r->addr, true, SIGSEGV);
}

static void pv_fork(void)
{
	struct range r = map_rw();

	check(run_child(read_in_child, &r, false) == 0, "the child has the mapping");
	range_check(&r);
}

/* ---- auto-translated: works ---- */

static void xlate_partial_munmap(void)
{
	struct range r = range_map(open_node(), 2, 8, RW);
	uint32_t count;
	uint64_t offset;

	expect(try_munmap(r.addr, PAGE_SIZE), 0);
	expect(try_munmap(range_page(&r, 3), 2 * PAGE_SIZE), 0);
	expect(try_munmap(range_page(&r, 7), PAGE_SIZE), 0);
	range_check_pages(&r, 1, 2);
	range_check_pages(&r, 5, 2);
	expect_signal(r.addr, false, SIGSEGV);
	expect_signal(range_page(&r, 4), false, SIGSEGV);
	expect(node_offset_for_vaddr(r.fd, range_page(&r, 5), &offset, &count), 0);
	check(offset == r.offset && count == 8, "%#lx, %u", offset, count);
	/* The grants of a range go back together. */
	wait_busy(2, 8, 8);
	expect(try_munmap(range_page(&r, 1), 2 * PAGE_SIZE), 0);
	range_check_pages(&r, 5, 2);
	expect(try_munmap(range_page(&r, 5), 2 * PAGE_SIZE), 0);
	wait_busy(2, 8, 0);
	range_mmap(&r, RW);
	range_check(&r);
}

static void xlate_map_over_part(void)
{
	struct range r = map_rw();
	void *over;

	over = mmap(range_page(&r, 1), PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	check(over == range_page(&r, 1), "%s", strerror(errno));
	memset(over, 0x5a, PAGE_SIZE);
	range_check_pages(&r, 0, 1);
	range_check_pages(&r, 2, NR - 2);
	expect(try_munmap(r.addr, range_length(&r)), 0);
	wait_busy(2, NR, 0);
}

static void xlate_mprotect(void)
{
	struct range r = map_rw();

	expect(try_mprotect(range_page(&r, 1), 2 * PAGE_SIZE, PROT_READ), 0);
	expect_signal(range_page(&r, 1), true, SIGSEGV);
	check_reads(range_page(&r, 1), 3, 2);
	range_check_pages(&r, 0, 1);
	range_check_pages(&r, 3, NR - 3);

	expect(try_mprotect(r.addr, range_length(&r), PROT_NONE), 0);
	expect_signal(r.addr, false, SIGSEGV);
	wait_busy(2, NR, NR);
	expect(try_mprotect(r.addr, range_length(&r), RW), 0);
	range_check(&r);
}

static void xlate_mremap(void)
{
	char *room = reserve(4 * NR), *old;
	struct range r = map_rw();
	size_t all = range_length(&r);
	void *moved, *shrunk;

	old = r.addr;
	expect(try_mremap(r.addr, all, all, MREMAP_MAYMOVE | MREMAP_FIXED, room, &moved), 0);
	r.addr = moved;
	range_check(&r);
	expect_signal(old, false, SIGSEGV);
	check_flags(&r);

	/* Refused by the kernel itself: VM_DONTEXPAND */
	expect(try_mremap(r.addr, all, all, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL, &moved), -EINVAL);
	expect(try_mremap(r.addr, all, all + PAGE_SIZE, MREMAP_MAYMOVE, NULL, &moved), -EFAULT);
	expect(try_mremap(r.addr, 0, all, MREMAP_MAYMOVE, NULL, &moved), -EFAULT);
	range_check(&r);

	/* A part goes elsewhere, then the tail goes. */
	expect(try_mremap(range_page(&r, 1), 2 * PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
			  room + 2 * NR * PAGE_SIZE, &moved), 0);
	check_reads(moved, 3, 2);
	check_writes(moved, 3, 2);
	range_check_pages(&r, 0, 1);
	range_check_pages(&r, 3, NR - 3);
	expect(try_mremap(range_page(&r, 3), (NR - 3) * PAGE_SIZE, PAGE_SIZE, 0, NULL, &shrunk), 0);
	range_check_pages(&r, 3, 1);
	expect_signal(range_page(&r, 4), false, SIGSEGV);

	/* After faults too: each piece knows which pages it shows. */
	expect(try_madvise(moved, 2 * PAGE_SIZE, MADV_DONTNEED), 0);
	check_reads(moved, 3, 2);
	wait_busy(2, NR, NR);
	expect(try_munmap(r.addr, all), 0);
	check_reads(moved, 3, 2);
	wait_busy(2, NR, NR);
	expect(try_munmap(moved, 2 * PAGE_SIZE), 0);
	wait_busy(2, NR, 0);
}

static void xlate_dontneed(void)
{
	struct range r = map_rw();

	range_check(&r);
	expect(try_madvise(range_page(&r, 1), 2 * PAGE_SIZE, MADV_DONTNEED), 0);
	range_check(&r);
	/* The offset may be gone by the time of the fault, or another range's. */
	range_remove(&r);
	range_add(r.fd, 20, NR);
	expect(try_madvise(r.addr, range_length(&r), MADV_DONTNEED), 0);
	range_check(&r);
}

static void use_in_child(void *arg)
{
	struct range *r = arg;

	range_check(r);
}

static void xlate_fork(void)
{
	struct range r = map_rw();

	range_check(&r);
	check(run_child(use_in_child, &r, true) == 0, "the child failed");
	range_check(&r);
	range_munmap(&r);
	wait_busy(2, NR, 0);
}

static void xlate_fork_untouched(void)
{
	struct range r = range_map(open_node(), 2, NR, PROT_READ);

	check(run_child(use_in_child, &r, true) == 0, "the child failed");
	range_check(&r);
}

struct pair {
	struct range r;
	int to_child[2];
};

static void outlive_parent_mapping(void *arg)
{
	struct pair *p = arg;
	char byte;

	check(read(p->to_child[0], &byte, 1) == 1, "%s", strerror(errno));
	range_check(&p->r);
}

static void xlate_child_keeps(void)
{
	struct pair p = { .r = map_rw() };
	int status;
	pid_t child;

	check(!pipe(p.to_child), "%s", strerror(errno));
	fflush(NULL);
	child = fork();
	check(child >= 0, "%s", strerror(errno));
	if (!child) {
		child_open_granter();
		outlive_parent_mapping(&p);
		_exit(0);
	}
	range_unmap(&p.r);
	wait_busy(2, NR, NR);
	check(write(p.to_child[1], "", 1) == 1, "%s", strerror(errno));
	check(waitpid(child, &status, 0) == child && !status, "the child ended with %#x", status);
	wait_busy(2, NR, 0);
}

/* ---- both ---- */

static void map_over(void)
{
	struct range r = map_rw();
	char *over;

	over = mmap(r.addr, range_length(&r), RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	check(over == r.addr, "%s", strerror(errno));
	for (size_t i = 0; i < range_length(&r); i++)
		check(!over[i], "byte %zu", i);
	wait_busy(2, NR, 0);
	range_mmap(&r, RW);
	range_check(&r);
}

static void neighbours(void)
{
	int fd = open_node();
	struct range a = range_add(fd, 2, NR), b = range_add(fd, 2 + NR, NR), c = range_add(fd, 2 + 2 * NR, 1);
	char *room = reserve(2 * NR + 1);

	/* Side by side in the file and in memory */
	map_at(&a, room, RW);
	map_at(&b, room + NR * PAGE_SIZE, RW);
	map_at(&c, room + 2 * NR * PAGE_SIZE, RW);
	check_flags(&a);
	check_flags(&b);
	range_check(&a);
	range_check(&b);
	range_munmap(&b);
	wait_busy(2 + NR, NR, 0);
	range_check(&a);
	range_check(&c);
	/* One munmap for all, with a hole. */
	expect(try_munmap(room, (2 * NR + 1) * PAGE_SIZE), 0);
	wait_busy(2, 2 * NR + 1, 0);
}

static void across_page_tables(void)
{
	struct range r = range_add(open_node(), 2, NR);
	char *room = reserve(1024), *boundary;

	/* The range fits into the room on both sides of it. */
	boundary = (char *)(((uintptr_t)room + NR * PAGE_SIZE + (2ul << 20) - 1) & ~((2ul << 20) - 1));
	for (uint32_t before = 1; before < NR; before += 2) {
		map_at(&r, boundary - before * PAGE_SIZE, RW);
		range_check(&r);
		range_munmap(&r);
	}
	wait_busy(2, NR, 0);
}

static void cold_pages(void)
{
	struct range r = map_rw();
	int ret;

	range_check(&r);
	ret = try_madvise(r.addr, range_length(&r), MADV_COLD);
	check(!ret || ret == -EINVAL, "%s", errno_name(ret));
	range_check(&r);
	ret = try_madvise(r.addr, range_length(&r), MADV_PAGEOUT);
	check(!ret || ret == -EINVAL, "%s", errno_name(ret));
	range_check(&r);
}

static void locked(void)
{
	struct range r = map_rw();

	check(!mlock(r.addr, range_length(&r)), "%s", strerror(errno));
	range_check(&r);
	check(!munlock(r.addr, range_length(&r)), "%s", strerror(errno));
	range_check(&r);
	range_munmap(&r);
	check(!mlockall(MCL_CURRENT | MCL_FUTURE), "%s", strerror(errno));
	range_mmap(&r, RW);
	range_check(&r);
	range_munmap(&r);
	wait_busy(2, NR, 0);
}

static void map_and_exit(void *arg)
{
	(void)arg;
	range_map(open_node(), 2, NR, RW);
	range_map(open_node(), 20, 3, PROT_READ);
}

static void map_and_exec(void *arg)
{
	struct range r = range_map(open_node(), 2, NR, RW);

	(void)arg;
	touch(r.addr, true);
	execlp("true", "true", NULL);
	case_fail(__FILE__, __LINE__, "exec: %s", strerror(errno));
}

static void map_and_die(void *arg)
{
	struct range r = range_map(open_node(), 2, NR, RW);

	(void)arg;
	touch(r.addr, true);
	raise(SIGKILL);
}

static void exit_unmaps(void)
{
	check(run_child(map_and_exit, NULL, true) == 0, "the child failed");
	wait_busy(0, suite.granter->nr_refs, 0);
	check(run_child(map_and_exec, NULL, true) == 0, "the child failed");
	wait_busy(0, suite.granter->nr_refs, 0);
}

static void kill_unmaps(void)
{
	for (int i = 0; i < 3; i++) {
		int how = run_child(map_and_die, NULL, true);

		check(how == 256 + SIGKILL, "%d", how);
		wait_busy(0, suite.granter->nr_refs, 0);
	}
}

static void map_and_abort(void *arg)
{
	const struct rlimit any = { RLIM_INFINITY, RLIM_INFINITY };
	struct range r = range_map(open_node(), 2, NR, RW);

	(void)arg;
	range_check(&r);
	setrlimit(RLIMIT_CORE, &any);
	abort();
}

static void core_dump(void)
{
	struct range r = range_map(open_node(), 20, 2, RW);
	char pattern[256] = "core";
	int how;

	read_line("/proc/sys/kernel/core_pattern", pattern, sizeof(pattern));
	expect(write_file("/proc/sys/kernel/core_pattern", "/tmp/core.test_vma"), 0);
	how = run_child(map_and_abort, NULL, true);
	write_file("/proc/sys/kernel/core_pattern", pattern);
	check(how == 256 + SIGABRT, "%d", how);
	check(!unlink("/tmp/core.test_vma"), "no core: %s", strerror(errno));
	wait_busy(2, NR, 0);
	range_check(&r);
}

#define PV MODE_PV
#define XLATE MODE_XLATE

static const struct suite_case cases[] = {
	{ "a mapping has just its strategy's flags and policy", flags_of_new_mapping },
	{ "a mapping has just its strategy's flags and policy after use", flags_after_use },
	{ "mprotect cannot make a read-only mapping writable", read_only_stays },

	{ "PV: munmap of a part is refused and changes nothing", pv_partial_munmap, PV },
	{ "PV: munmap of a neighbour and a part is refused and changes nothing", pv_munmap_with_neighbour, PV },
	{ "PV: mapping something over a part is refused and changes nothing", pv_map_over_part, PV },
	{ "PV: mprotect that would change something is refused and changes nothing", pv_mprotect, PV },
	{ "PV: mremap is refused and changes nothing", pv_mremap_mapped, PV },
	{ "PV: mremap of a removed range is refused and changes nothing", pv_mremap_removed, PV },
	{ "PV: mremap of a removed range among others is refused and changes nothing", pv_mremap_replaced, PV },
	{ "PV: mremap of a removed range is refused after a child with an empty one has gone", pv_mremap_removed_after_fork, PV },
	{ "PV: MADV_DONTNEED gives up the pages named and no others", pv_dontneed, PV },
	{ "PV: a child does not get the mapping", pv_fork, PV },

	{ "munmap of a part leaves the rest, the grants go back with the last part", xlate_partial_munmap, XLATE },
	{ "mapping something over a part leaves the rest", xlate_map_over_part, XLATE },
	{ "mprotect changes the pages named and can be undone", xlate_mprotect, XLATE },
	{ "mremap moves and shrinks, growing and copying is refused", xlate_mremap, XLATE },
	{ "pages come back after MADV_DONTNEED", xlate_dontneed, XLATE },
	{ "a child shares the mapping", xlate_fork, XLATE },
	{ "a child shares a read-only mapping that was never touched", xlate_fork_untouched, XLATE },
	{ "the grants stay while a child has the mapping", xlate_child_keeps, XLATE },

	{ "mapping something over the whole unmaps it", map_over },
	{ "mappings side by side stay apart", neighbours },
	{ "a mapping can cross page tables", across_page_tables },
	{ "MADV_COLD and MADV_PAGEOUT change nothing", cold_pages },
	{ "mlock and mlockall change nothing", locked },
	{ "exit and exec give the grants back", exit_unmaps },
	{ "kill -9 gives the grants back", kill_unmaps },
	{ "a core dump gives the grants back and disturbs nobody", core_dump },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
