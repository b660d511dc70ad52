// SPDX-License-Identifier: GPL-2.0
/*
 * What memory management lets a user say about a mapping: madvise, NUMA calls, userfaultfd, soft-dirty. Most of it is refused or
 * changes nothing; what takes the pages away takes them away cleanly.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <numa.h>
#include <numaif.h>

#include "gup_rules.h"
#include "range.h"
#include "slow.h"
#include "suite.h"
#include "vma.h"

#define RW (PROT_READ | PROT_WRITE)
#define NR 6u
#define FIRST 2u

static struct range map_rw(void)
{
	return range_map(open_node(), FIRST, NR, RW);
}

static int try_madvise(void *addr, size_t length, int advice)
{
	return madvise(addr, length, advice) ? -errno : 0;
}

static void expect_flags(const struct range *r, const char *flags)
{
	struct vma vma;

	expect(vma_find(0, r->addr, &vma), 0);
	check(!strcmp(vma.flags, flags), "VmFlags %s, not %s", vma.flags, flags);
}

static void get_flags(const struct range *r, struct vma *vma)
{
	expect(vma_find(0, r->addr, vma), 0);
}

/* ---- madvise ---- */

struct advice {
	int advice;
	const char *name;
	int expected;
	int undo; /* an advice, or 0 */
};

/* Newer than the headers, or with a number of their own */
#define ADVICE_COLLAPSE 25
#define ADVICE_GUARD_INSTALL 102

static const struct advice advices[] = {
	{ MADV_NORMAL, "NORMAL" },
	{ MADV_RANDOM, "RANDOM", 0, MADV_NORMAL },
	{ MADV_SEQUENTIAL, "SEQUENTIAL", 0, MADV_NORMAL },
	{ MADV_DONTFORK, "DONTFORK" },
	{ MADV_DONTDUMP, "DONTDUMP" },
	/* vfs_fadvise() knows nothing to do for a device. */
	{ MADV_WILLNEED, "WILLNEED" },
	/* vma_ksm_compatible(): ignored for shared mappings */
	{ MADV_MERGEABLE, "MERGEABLE" },
	{ MADV_UNMERGEABLE, "UNMERGEABLE" },
	{ MADV_HUGEPAGE, "HUGEPAGE", 0, MADV_NOHUGEPAGE },
	{ MADV_NOHUGEPAGE, "NOHUGEPAGE" },
	/* VM_DONTEXPAND is one of VM_SPECIAL */
	{ MADV_DODUMP, "DODUMP", -EINVAL },
	{ ADVICE_GUARD_INSTALL, "GUARD_INSTALL", -EINVAL },
	{ ADVICE_COLLAPSE, "COLLAPSE", -EINVAL },
	/* For anonymous memory */
	{ MADV_FREE, "FREE", -EINVAL },
	{ MADV_WIPEONFORK, "WIPEONFORK", -EINVAL },
	/* vfs_fallocate(): neither a regular file nor a block device */
	{ MADV_REMOVE, "REMOVE", -ENODEV },
};

static void advise(void)
{
	struct range r = map_rw();
	struct vma before, after;

	get_flags(&r, &before);
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++) {
		const struct advice *a = &advices[i];
		/* Without CONFIG_KSM it is no advice. */
		bool unknown = strstr(a->name, "MERGEABLE") && access("/sys/kernel/mm/ksm", F_OK);
		int want = unknown ? -EINVAL : a->expected;
		int ret = try_madvise(r.addr, range_length(&r), a->advice);

		check(ret == want, "MADV_%s: %s, not %s", a->name, errno_name(ret), errno_name(want));
		get_flags(&r, &after);
		/* Advice about huge pages leaves its flag behind. */
		if (ret)
			check(!strcmp(after.flags, before.flags), "MADV_%s: %s became %s", a->name, before.flags, after.flags);
		range_check_pages(&r, 0, 2);
		if (a->undo)
			expect(try_madvise(r.addr, range_length(&r), a->undo), 0);
		get_flags(&r, &before);
	}
	range_check(&r);
	range_unmap(&r);
}

/* It asks GUP for the pages: faultin_page_range(), check_vma_flags(). */
static void populate(void)
{
	int rule = gup_slow_rule() ? -EINVAL : 0;
	struct range r = map_rw();

	expect(try_madvise(r.addr, range_length(&r), MADV_POPULATE_READ), rule);
	expect(try_madvise(r.addr, range_length(&r), MADV_POPULATE_WRITE), rule);
	range_check(&r);
	range_munmap(&r);
	range_mmap(&r, PROT_READ);
	expect(try_madvise(r.addr, range_length(&r), MADV_POPULATE_READ), rule);
	expect(try_madvise(r.addr, range_length(&r), MADV_POPULATE_WRITE), -EINVAL);
	range_check(&r);
}

/* Advice about a part has to cut the VMA in two. */
static void advise_part(void)
{
	struct range r = map_rw();
	struct vma before;

	get_flags(&r, &before);
	expect(try_madvise(range_page(&r, 2), 2 * PAGE_SIZE, MADV_SEQUENTIAL), suite.pv ? -EINVAL : 0);
	range_check(&r);
	expect(try_madvise(range_page(&r, 2), 2 * PAGE_SIZE, MADV_NORMAL), 0);
	/* The pieces have grown together again, or there were none. */
	if (suite.pv)
		expect_flags(&r, before.flags);
	range_check(&r);
	check(!munmap(r.addr, range_length(&r)), "%s", strerror(errno));
	wait_busy(FIRST, NR, 0);
}

static void read_in_child(void *arg)
{
	struct range *r = arg;
	int sig = touch(r->addr, false);

	check(sig == SIGBUS || sig == SIGSEGV, "%d", sig);
}

/*
 * MADV_DOFORK takes VM_DONTCOPY off (until 7.x, which refuses it for VM_SPECIAL; VM_IO has always been refused). A child must not
 * get PTEs that Xen has not written: it has an empty mapping then.
 */
static void pv_dofork(void)
{
	struct range r = map_rw();
	int ret = try_madvise(r.addr, range_length(&r), MADV_DOFORK);

	if (strategy_is("vmio") || ret)
		expect(ret, -EINVAL);
	check(run_child(read_in_child, &r, false) == 0, "the child failed");
	range_check(&r);
	/* In the kernel's own words, nothing is to be wiped any more. */
	expect(try_madvise(r.addr, range_length(&r), MADV_KEEPONFORK), 0);
	check(run_child(read_in_child, &r, false) == 0, "the child failed");
	range_check(&r);
	range_unmap(&r);
	wait_busy(FIRST, NR, 0);
}

#define SLOW_MS 2000

/* A private mapping, and then something that takes its time, so that SIGKILL finds it with all of its memory. */
static void dies_slowly(struct slow *slow, int fd, int ready)
{
	struct range r = range_add(fd, FIRST, NR);
	void *addr;

	expect(try_mmap(fd, r.offset, range_length(&r), PROT_READ, MAP_PRIVATE, &addr), 0);
	check(!touch(addr, false), "it cannot be read");
	slow_prepare(slow, SLOW_MS);
	check(write(ready, "", 1) == 1, "%s", strerror(errno));
	slow_invalidate(slow);
}

/*
 * process_mrelease() reaps the memory of a process that was killed as the kernel does when there is none left
 * (__oom_reap_task_mm()): what is private, and a notifier must not sleep.
 */
static void reaped(void)
{
	struct slow slow = slow_open();
	int ends[2], fd = open_node(), pidfd;
	pid_t child;
	char byte;
	long ret;

	check(!pipe2(ends, O_CLOEXEC), "%s", strerror(errno));
	child = fork();
	check(child >= 0, "%s", strerror(errno));
	if (!child) {
		dies_slowly(&slow, fd, ends[1]);
		_exit(0);
	}
	check(read(ends[0], &byte, 1) == 1, "%s", strerror(errno));
	slow_wait(&slow);
	pidfd = syscall(SYS_pidfd_open, child, 0);
	check(pidfd >= 0, "%s", strerror(errno));
	check(!kill(child, SIGKILL), "%s", strerror(errno));
	ret = syscall(SYS_process_mrelease, pidfd, 0) ? -errno : 0;
	/* In PV a grant can only be given back by who may sleep: it stays until the process has gone. */
	expect(ret, suite.pv ? -EAGAIN : 0);
	if (suite.pv)
		wait_busy(FIRST, NR, NR);
	check(waitpid(child, NULL, 0) == child, "%s", strerror(errno));
	wait_busy(FIRST, NR, 0);
}

static void lock_on_fault(void)
{
	struct range r = map_rw();
	struct vma vma;

	check(!mlock2(r.addr, range_length(&r), MLOCK_ONFAULT), "%s", strerror(errno));
	/* mlock_fixup(): nothing of VM_SPECIAL is ever locked, and nobody is told. */
	get_flags(&r, &vma);
	check(!vma_has_flag(&vma, "lo"), "%s", vma.flags);
	range_check(&r);
}

/* ---- NUMA ---- */

static void need_numa(void)
{
	if (numa_available() < 0)
		case_skip("NUMA");
}

/*
 * Pages that came from the page allocator: unpopulated ones may be ZONE_DEVICE, which all of these calls pass over, or, in a PVH
 * dom0, reserved ones (arch_xen_unpopulated_init()).
 */
static struct range map_ballooned(void)
{
	set_core_parameter("provider", "ballooned");
	return map_rw();
}

/* The node of each page, or a negative errno. */
static void ask_nodes(const struct range *r, int *nodes)
{
	void *pages[NR];

	for (uint32_t i = 0; i < NR; i++)
		pages[i] = range_page(r, i);
	check(!numa_move_pages(0, NR, pages, NULL, nodes, 0), "%s", strerror(errno));
}

/* move_pages() that asks looks at page tables and not at the VMA: VM_IO does not hide the page. */
static void move_pages_asks(void)
{
	struct range r = map_rw();
	int nodes[NR];

	need_numa();
	range_check(&r);
	ask_nodes(&r, nodes);
	for (uint32_t i = 0; i < NR; i++)
		check(nodes[i] == -ENOENT || (nodes[i] >= 0 && nodes[i] <= numa_max_node()), "page %u: %d", i, nodes[i]);
	range_unmap(&r);

	r = map_ballooned();
	range_check(&r);
	ask_nodes(&r, nodes);
	for (uint32_t i = 0; i < NR; i++)
		check(nodes[i] >= 0 && nodes[i] <= numa_max_node(), "ballooned page %u: %d", i, nodes[i]);
}

static void check_move_pages(struct range r)
{
	int nodes[NR], to[NR], status[NR];
	void *pages[NR];

	range_check(&r);
	ask_nodes(&r, nodes);
	for (int node = 0; node <= numa_max_node(); node++) {
		if (!numa_bitmask_isbitset(numa_all_nodes_ptr, node))
			continue;
		for (uint32_t i = 0; i < NR; i++) {
			pages[i] = range_page(&r, i);
			to[i] = node;
			status[i] = -1000;
		}
		check(numa_move_pages(0, NR, pages, to, status, MPOL_MF_MOVE_ALL) >= 0, "%s", strerror(errno));
		for (uint32_t i = 0; i < NR; i++) {
			int want;

			if (strategy_is("vmio"))
				want = -EFAULT; /* vma_migratable() */
			else if (nodes[i] < 0)
				want = -ENOENT; /* ZONE_DEVICE */
			else
				want = nodes[i] == node ? node : -EBUSY; /* on no LRU list */
			check(status[i] == want, "page %u to node %d: %d, not %d", i, node, status[i], want);
		}
		range_check(&r);
	}
	range_unmap(&r);
}

static void move_pages_moves(void)
{
	need_numa();
	check_move_pages(map_rw());
	check_move_pages(map_ballooned());
}

static void get_mempolicy_says(void)
{
	int rule = gup_fast_rule(), mode = -1, node = -1, nodes[NR];
	struct range r = map_rw();
	long ret;

	need_numa();
	range_check(&r);
	ret = get_mempolicy(&mode, NULL, 0, r.addr, MPOL_F_ADDR);
	check(!ret, "%s", strerror(errno));
	check(mode == (strategy_is("policy") ? MPOL_LOCAL : MPOL_DEFAULT), "policy %d", mode);

	/* lookup_node() gets the page by get_user_pages_fast(). */
	ret = get_mempolicy(&node, NULL, 0, r.addr, MPOL_F_ADDR | MPOL_F_NODE) ? -errno : 0;
	expect(ret, rule);
	ask_nodes(&r, nodes);
	if (!ret && nodes[0] >= 0)
		check(node == nodes[0], "node %d, not %d", node, nodes[0]);
}

static long try_mbind(void *addr, size_t length, int mode, int node, unsigned int flags)
{
	unsigned long mask = node < 0 ? 0 : 1ul << node;

	return mbind(addr, length, mode, node < 0 ? NULL : &mask, node < 0 ? 0 : 64, flags) ? -errno : 0;
}

/*
 * There is no ->set_policy(), so the VMA takes the policy; where the strategy has a ->get_policy(), that answers all the same.
 */
static void mbind_whole(void)
{
	struct range r = map_ballooned();
	int nodes[NR], mode = -1;

	need_numa();
	range_check(&r);
	ask_nodes(&r, nodes);
	for (int node = 0; node <= numa_max_node(); node++) {
		long want = 0;

		if (!numa_bitmask_isbitset(numa_all_nodes_ptr, node))
			continue;
		expect(try_mbind(r.addr, range_length(&r), MPOL_BIND, node, 0), 0);
		check(!get_mempolicy(&mode, NULL, 0, r.addr, MPOL_F_ADDR), "%s", strerror(errno));
		check(mode == (strategy_is("policy") ? MPOL_LOCAL : MPOL_BIND), "policy %d", mode);
		/* Pages that are elsewhere and on no LRU list cannot be moved: queue_folios_pte_range(). */
		for (uint32_t i = 0; i < NR; i++) {
			if (nodes[i] >= 0 && nodes[i] != node)
				want = -EIO;
		}
		expect(try_mbind(r.addr, range_length(&r), MPOL_BIND, node, MPOL_MF_MOVE_ALL | MPOL_MF_STRICT), want);
		expect(try_mbind(r.addr, range_length(&r), MPOL_BIND, node, MPOL_MF_MOVE), 0);
		range_check(&r);
	}
	expect(try_mbind(r.addr, range_length(&r), MPOL_DEFAULT, -1, 0), 0);
	range_check(&r);
	range_unmap(&r);
}

static void mbind_part(void)
{
	struct range r = map_rw();

	need_numa();
	expect(try_mbind(range_page(&r, 2), PAGE_SIZE, MPOL_BIND, 0, 0), suite.pv ? -EINVAL : 0);
	range_check(&r);
	check(!munmap(r.addr, range_length(&r)), "%s", strerror(errno));
	wait_busy(FIRST, NR, 0);
}

/*
 * With CAP_SYS_NICE all pages of the process are moved, the libraries' too that others use: under emulation each of them
 * is code to be translated anew, which was seen to take minutes.
 */
static void move_own_pages_only(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	check(!syscall(__NR_capget, &header, data), "%s", strerror(errno));
	data[CAP_TO_INDEX(CAP_SYS_NICE)].effective &= ~CAP_TO_MASK(CAP_SYS_NICE);
	check(!syscall(__NR_capset, &header, data), "%s", strerror(errno));
}

static void migrate(void)
{
	struct range r = map_ballooned();
	struct bitmask *from = numa_allocate_nodemask(), *to = numa_allocate_nodemask();

	need_numa();
	move_own_pages_only();
	range_check(&r);
	for (int node = 0; node <= numa_max_node(); node++) {
		if (!numa_bitmask_isbitset(numa_all_nodes_ptr, node))
			continue;
		copy_bitmask_to_bitmask(numa_all_nodes_ptr, from);
		numa_bitmask_clearall(to);
		numa_bitmask_setbit(to, node);
		check(numa_migrate_pages(0, from, to) >= 0, "to node %d: %s", node, strerror(errno));
		range_check(&r);
	}
}

/* ---- userfaultfd, soft-dirty ---- */

static int open_uffd(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		case_skip("userfaultfd: %s", strerror(errno));
	if (ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		return -errno;
	}
	return fd;
}

static int try_register(int fd, void *addr, size_t length, uint64_t mode)
{
	struct uffdio_register reg = { .range = { (uintptr_t)addr, length }, .mode = mode };

	return ioctl(fd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}

/* vma_can_userfault(): anonymous memory, shmem and hugetlbfs; write protection alone any memory since 6.7, but not VM_SPECIAL. */
static void userfaultfd(void)
{
	static const uint64_t modes[] = {
		UFFDIO_REGISTER_MODE_MISSING, UFFDIO_REGISTER_MODE_WP, UFFDIO_REGISTER_MODE_MINOR,
	};
	void *plain = mmap(NULL, PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const uint64_t wp_async = 1 << 15;
	struct range r = map_rw();
	int fd = open_uffd(0);

	check(fd >= 0, "%s", errno_name(fd));
	/* The premise */
	expect(try_register(fd, plain, PAGE_SIZE, UFFDIO_REGISTER_MODE_MISSING), 0);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		expect(try_register(fd, r.addr, range_length(&r), modes[i]), -EINVAL);
	close(fd);
	fd = open_uffd(wp_async);
	if (fd >= 0)
		expect(try_register(fd, r.addr, range_length(&r), UFFDIO_REGISTER_MODE_WP), -EINVAL);
	range_check(&r);
}

/* In PV whoever write-protects PTEs tells the notifier, which takes the grants out of them first. */
static void check_taken_away(struct range *r)
{
	if (!suite.pv) {
		range_check(r);
		return;
	}
	for (uint32_t i = 0; i < NR; i++) {
		int sig = touch(range_page(r, i), i & 1);

		check(sig == SIGBUS, "page %u: %s", i, sig ? strsignal(sig) : "no signal");
	}
	range_munmap(r);
	wait_busy(FIRST, NR, 0);
	range_mmap(r, RW);
	range_check(r);
}

/* clear_refs_write() (fs/proc/task_mmu.c): MMU_NOTIFY_SOFT_DIRTY, for the whole address space */
static void soft_dirty(void)
{
	struct range r = map_rw();
	int ret = write_file("/proc/self/clear_refs", "4");

	if (ret)
		case_skip("clear_refs: %s", errno_name(ret));
	check_taken_away(&r);
}

/*
 * In PV this is the kernel's end, whatever the driver: tests/findings.md. ptep_test_and_clear_young() writes to a page table that
 * Xen keeps read-only, and Xen does for no PTE that maps a grant what it does for all others.
 */
static bool survives_clear_refs(void)
{
	return !suite.pv || getenv("FINDINGS");
}

static void referenced(void)
{
	struct range r = map_rw();

	range_check(&r);
	expect(write_file("/proc/self/clear_refs", "1"), 0);
	range_check(&r);
	expect(write_file("/proc/self/clear_refs", "3"), 0);
	range_check(&r);
}

#ifdef PAGEMAP_SCAN
static void pagemap_scan(void)
{
	struct range r = map_rw();
	struct page_region region[4];
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.flags = PM_SCAN_WP_MATCHING,
		.start = (uintptr_t)r.addr,
		.end = (uintptr_t)r.addr + range_length(&r),
		.vec = (uintptr_t)region,
		.vec_len = ARRAY_SIZE(region),
		.category_mask = PAGE_IS_PRESENT,
		.return_mask = PAGE_IS_PRESENT,
	};
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), ret;

	check(fd >= 0, "%s", strerror(errno));
	ret = ioctl(fd, PAGEMAP_SCAN, &arg);
	if (ret < 0 && errno == ENOTTY)
		case_skip("PAGEMAP_SCAN (since 6.7)");
	/* Write protection is not to be had here, so no page matches; in PV the notifier has been told all the same. */
	check(!ret, "%d, %s", ret, strerror(errno));
	check_taken_away(&r);
}
#endif

static const struct suite_case cases[] = {
	{ "madvise does what it does to any device's mapping, and the pages stay", advise },
	{ "MADV_POPULATE_READ and _WRITE work unless VM_IO", populate },
	{ "madvise of a part is refused in PV and works elsewhere", advise_part },
	{ "who is killed can be reaped: a notifier that may not sleep refuses", reaped },
	{ "PV: a child gets no page, whatever MADV_DOFORK and MADV_KEEPONFORK did", pv_dofork, MODE_PV },
	{ "mlock2 locks nothing", lock_on_fault },
	{ "move_pages says where the pages are, VM_IO or not", move_pages_asks },
	{ "move_pages moves no page", move_pages_moves },
	{ "get_mempolicy gives the strategy's policy, and the node unless VM_IO", get_mempolicy_says },
	{ "mbind moves no page and beats no strategy's policy", mbind_whole },
	{ "mbind of a part is refused in PV and works elsewhere", mbind_part },
	{ "migrate_pages moves no page", migrate },
	{ "userfaultfd cannot be registered", userfaultfd },
	{ "clearing soft-dirty bits takes the pages away in PV, cleanly, and nothing elsewhere", soft_dirty },
	{ "clearing referenced bits changes nothing", referenced, .applies = survives_clear_refs },
#ifdef PAGEMAP_SCAN
	{ "PAGEMAP_SCAN that write-protects does so too", pagemap_scan },
#endif
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
