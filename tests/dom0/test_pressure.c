// SPDX-License-Identifier: GPL-2.0
/*
 * Where something runs out: memory of a control group, room in Xen's maptrack table; and the biggest range. Takes long and
 * makes the kernel log what would be trouble elsewhere (a process that is killed for want of memory): see tests/pressure.sh.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pin.h"
#include "range.h"
#include "suite.h"
#include "tap.h"

#define RW (PROT_READ | PROT_WRITE)
#define MOST 65536u
#define GROUP_ROOT "/run/gntmap-pressure"
#define GROUP GROUP_ROOT "/gntmap"

/* As many references as wanted: the granter's pages over and over. */
static struct ioctl_gntdev_grant_ref *refs_of(uint32_t nr)
{
	struct ioctl_gntdev_grant_ref *refs = calloc(nr, sizeof(*refs));

	check(refs, "no memory");
	for (uint32_t i = 0; i < nr; i++)
		fill_refs(&refs[i], i % suite.nr_rw, 1);
	return refs;
}

static void look_at(const char *addr, uint32_t i)
{
	uint64_t got = *(volatile uint64_t *)(addr + i * PAGE_SIZE), want = granter_word(77, i % suite.nr_rw, 0);

	check(got == want, "page %u: %#lx, not %#lx", i, got, want);
}

static void biggest_range(void)
{
	struct ioctl_gntdev_grant_ref *refs = refs_of(MOST);
	struct range r = { .fd = open_node(), .count = MOST };
	uint64_t start = now_us();

	check(!granter_fill(suite.granter, 0, suite.nr_rw, 77), "%s", strerror(errno));
	expect(try_add(r.fd, refs, MOST, &r.offset), 0);
	range_mmap(&r, RW);
	tap_diag("mapped after %lu ms", (now_us() - start) / 1000);
	for (uint32_t i = 0; i < MOST; i++)
		look_at(r.addr, i);
	range_munmap(&r);
	tap_diag("gone after %lu ms", (now_us() - start) / 1000);
	wait_busy(0, suite.nr_rw, 0);
	range_mmap(&r, RW);
	look_at(r.addr, MOST - 1);
	range_unmap(&r);
}

#define PART 4096u

/*
 * Whoever comes when there is no room for more mappings gets ENOSPC, in the middle of a range. The granter's pages can be mapped
 * some 130 times each, so that Xen's table must not be as big as it usually is.
 */
static void maptrack_full(void)
{
	struct ioctl_gntdev_grant_ref *refs = refs_of(PART);
	struct range ranges[40], small;
	int fd = open_node(), ret = 0;
	size_t nr;

	check(!granter_fill(suite.granter, 0, suite.nr_rw, 77), "%s", strerror(errno));
	small = range_add(fd, 3, 40);
	for (nr = 0; nr < ARRAY_SIZE(ranges); nr++) {
		void *addr;

		ranges[nr] = (struct range){ .fd = fd, .count = PART, .prot = RW };
		expect(try_add(fd, refs, PART, &ranges[nr].offset), 0);
		ret = try_mmap(fd, ranges[nr].offset, range_length(&ranges[nr]), RW, MAP_SHARED, &addr);
		if (ret)
			break;
		ranges[nr].addr = addr;
	}
	tap_diag("%zu ranges of %u pages, then %s", nr, PART, errno_name(ret));
	if (!ret || ret == -EINVAL)
		case_skip("a small table: gnttab_max_maptrack_frames=600 for Xen");
	expect(ret, -ENOSPC);
	check(nr, "premise: none could be mapped");
	/* What failed kept nothing, so that this finds room, and the others are well. */
	range_mmap(&small, RW);
	range_check_pages(&small, 0, 2);
	range_unmap(&small);
	look_at(ranges[nr - 1].addr, PART - 1);
	/* Once there is room again, what failed works. */
	range_unmap(&ranges[nr - 1]);
	range_mmap(&ranges[nr], RW);
	look_at(ranges[nr].addr, PART - 1);
	range_unmap(&ranges[nr]);
	for (size_t i = 0; i + 1 < nr; i++)
		range_unmap(&ranges[i]);
	wait_busy(0, suite.nr_rw, 0);
}

static void put(const char *file, const char *text)
{
	char path[128];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", GROUP_ROOT, file);
	ret = write_file(path, text);
	check(!ret, "%s: %s", path, errno_name(ret));
}

static void make_group(const char *max)
{
	if (mkdir(GROUP_ROOT, 0700) && errno != EEXIST)
		case_skip("a folder for cgroup2");
	if (mount("cgroup2", GROUP_ROOT, "cgroup2", 0, NULL) && errno != EBUSY)
		case_skip("cgroup2");
	if (write_file(GROUP_ROOT "/cgroup.subtree_control", "+memory"))
		case_skip("cgroup2's memory controller");
	if (mkdir(GROUP, 0700))
		check(errno == EEXIST, "%s", strerror(errno));
	put("gntmap/memory.max", max);
}

static void join_group(void)
{
	put("gntmap/cgroup.procs", "0");
}

static void maps_until_killed(void *arg)
{
	struct ioctl_gntdev_grant_ref *refs = refs_of(MOST);
	int fd = open_node();
	uint64_t offset;
	int ret;

	(void)arg;
	join_group();
	do
		ret = try_add(fd, refs, MOST, &offset);
	while (!ret);
	/* That is fine too. */
	expect(ret, -ENOMEM);
	kill(getpid(), SIGKILL);
}

static void limit_stops_the_right_one(void)
{
	struct range r = range_map(open_node(), 3, 8, RW);

	make_group("12M");
	expect(run_child(maps_until_killed, NULL, true), 256 + SIGKILL);
	/* Whoever is not in the group is well, and nothing stayed. */
	range_check(&r);
	range_unmap(&r);
}

struct victim {
	uint32_t nr;
};

/* The kernel reaps a victim's memory before its exit: then a notifier must not sleep. */
static void eats_memory(void *arg)
{
	struct victim *v = arg;
	struct range r = range_map(open_node(), 0, v->nr, RW);
	char *at;

	range_check_pages(&r, 0, 1);
	join_group();
	for (;;) {
		at = mmap(NULL, 1 << 20, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		check(at != MAP_FAILED, "%s", strerror(errno));
		memset(at, 1, 1 << 20);
	}
}

static void victim_of_oom(void)
{
	struct victim v = { .nr = suite.pv ? suite.nr_rw : 64 };
	uint64_t start;

	for (int i = 0; i < 5; i++) {
		make_group("24M");
		start = now_us();
		expect(run_child(eats_memory, &v, true), 256 + SIGKILL);
		wait_busy(0, suite.nr_rw, 0);
		tap_diag("%u pages are back after %lu ms", v.nr, (now_us() - start) / 1000);
	}
}

/* ---- what is unplugged ---- */

#define CPU1 "/sys/devices/system/cpu/cpu1/online"
#define NR_TURNS 3

static bool over;

static void *map_on(void *unused)
{
	int fd = open_node();
	uintptr_t nr = 0;

	(void)unused;
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE) || !nr) {
		struct range r = range_map(fd, 64, 8, RW);

		range_unmap(&r);
		nr++;
	}
	return (void *)nr;
}

/* CPU 1 goes and comes while a range is shown, one waits for its pins, and a thread maps and unmaps. */
static void cpu_goes(void)
{
	struct range shown;
	pthread_t thread;
	void *nr;
	int fd;

	if (strategy_is("vmio"))
		case_skip("a pin: VM_IO refuses it");
	if (write_file(CPU1, "1"))
		case_skip("a second CPU that can be turned off");
	fd = open_node();
	shown = range_map(fd, 0, 8, RW);
	check(!pthread_create(&thread, NULL, map_on, NULL), "no thread");
	for (unsigned int turn = 0; turn < NR_TURNS; turn++) {
		struct range r = range_map(fd, 8, 2, RW);
		struct pin pin;

		expect(pin_page(&pin, PIN_PIPE, r.addr), 0);
		range_unmap(&r);
		wait_busy(8, 2, 1);
		expect(write_file(CPU1, "0"), 0);
		range_check(&shown);
		wait_busy(8, 2, 1);
		/* The work item looks on, on whatever CPU. */
		if (turn % 2)
			expect(write_file(CPU1, "1"), 0);
		expect(unpin_page(&pin, NULL), 0);
		wait_busy(8, 2, 0);
		if (turn % 2 == 0)
			expect(write_file(CPU1, "1"), 0);
	}
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	pthread_join(thread, &nr);
	range_check(&shown);
	range_unmap(&shown);
	tap_diag("%lu mappings by the other thread", (unsigned long)nr);
}

static const struct suite_case cases[] = {
	{ "64 K pages in one range", biggest_range, MODE_PV },
	{ "Xen's maptrack table full in the middle of a range: ENOSPC, and all else goes on", maptrack_full, MODE_PV,
	  .timeout_s = 600 },
	{ "a memory cgroup's limit stops the right process", limit_stops_the_right_one },
	{ "a process that is killed for want of memory gives its grants back", victim_of_oom },
	{ "a CPU goes and comes while pages are mapped and pinned", cpu_goes, MODE_PV },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
