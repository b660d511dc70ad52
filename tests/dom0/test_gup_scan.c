// SPDX-License-Identifier: GPL-2.0
/*
 * A scan of NUMA balancing, as others see it: a secondary MMU (gup_probe is one), smaps, and KVM's call on the CPU that faulted.
 * What else can be asked of PROT_NONE PTEs is among the rows of test_gup.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <numaif.h>

#include "gup.h"
#include "gup_memory.h"
#include "numa.h"
#include "range.h"
#include "suite.h"
#include "tap.h"

#define RW (PROT_READ | PROT_WRITE)
#define HUGE_SIZE (2ul << 20)

static int open_probe(void)
{
	int fd = gup_open();

	if (fd == -ENOENT)
		case_skip("gup_probe.ko");
	check(fd >= 0, "/dev/gup_probe: %s", errno_name(fd));
	return fd;
}

/* In a child, which takes the scan periods that are set now. */
static void with_balancing(void (*run)(void *))
{
	int ret, how = 0;

	if (!suite.pv)
		set_core_parameter("provider", "ballooned");
	ret = numa_knobs_set();
	if (!ret)
		how = run_child(run, NULL, true);
	numa_knobs_restore();
	if (ret)
		case_skip("NUMA balancing's knobs in debugfs: %s", errno_name(ret));
	if (how == EXIT_SKIP)
		exit(EXIT_SKIP);
	check(!how, "see above");
}

/* ---- a secondary MMU ---- */

#define NR 4u

static struct gup_memory map_watched(const char *kind, int probe)
{
	struct gup_memory memory = { .kind = kind, .granter = suite.granter, .node_fd = -1 };

	if (strcmp(kind, GUP_ANONYMOUS))
		memory.node_fd = open_node();
	expect(gup_memory_map(&memory, NR, RW, NULL), 0);
	expect(gup_watch(probe, memory.addr, NR * PAGE_SIZE, true), 0);
	return memory;
}

/* How often it was told of a change of protection, and *nr_events of anything. */
static unsigned int count_told(int probe, int *nr_events)
{
	static struct gup_event events[GUP_MAX_EVENTS];
	unsigned int nr = 0;

	*nr_events = gup_events(probe, events, GUP_MAX_EVENTS);
	check(*nr_events >= 0, "%s", errno_name(*nr_events));
	for (int i = 0; i < *nr_events; i++)
		nr += events[i].kind == GUP_EVENT_START && events[i].reason == GUP_REASON_PROTECTION_VMA;
	return nr;
}

/* Anonymous memory of the same process is scanned and told of; is ours? */
static void run_told(void *unused)
{
	int our_probe = open_probe(), control_probe = open_probe(), nr_ours, nr_control;
	struct gup_memory control;
	unsigned int nr;

	(void)unused;
	map_watched(suite.strategy, our_probe);
	control = map_watched(GUP_ANONYMOUS, control_probe);
	expect(gup_memory_scan(&control, control_probe), 0);
	check(count_told(control_probe, &nr_control), "nobody was told of the control's scan");
	nr = count_told(our_probe, &nr_ours);
	tap_diag("%d events of the control, %d of the mapping", nr_control, nr_ours);
	if (strategy_is("none"))
		check(nr, "nobody was told of the mapping's scan");
	else
		check(!nr_ours, "it was told %d times", nr_ours);
}

static void told(void)
{
	with_balancing(run_told);
}

/* ---- smaps ---- */

/* The sum of a line of smaps that counts pages, of the VMA at addr. */
static unsigned long smaps_kib(const void *addr, const char *line)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	unsigned long sum = 0;
	bool inside = false;
	char text[512];

	check(file, "%s", strerror(errno));
	while (fgets(text, sizeof(text), file)) {
		unsigned long start, end, kib;
		char name[32];

		if (sscanf(text, "%lx-%lx ", &start, &end) == 2)
			inside = (uintptr_t)addr >= start && (uintptr_t)addr < end;
		else if (inside && sscanf(text, "%31[^:]: %lu kB", name, &kib) == 2 && !strcmp(name, line))
			sum += kib;
	}
	fclose(file);
	return sum;
}

struct huge {
	int probe;
	char *place;
};

static int is_prot_none(void *arg)
{
	const struct huge *huge = arg;

	return gup_nr_ptes(huge->probe, huge->place, 1, GUP_PTE_HUGE | GUP_PTE_PROTNONE);
}

/* Before 6.6, smaps_pmd_entry() asks follow_trans_huge_pmd(), which honours the hint (gup_can_follow_protnone()). */
static void run_huge(void *unused)
{
	char *place = mmap(NULL, 2 * HUGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct huge huge = { .probe = open_probe() };
	unsigned long all = HUGE_SIZE / 1024, rss;

	(void)unused;
	/* No scan yet. */
	numa_knobs_quiet();
	check(place != MAP_FAILED, "no memory");
	place += -(uintptr_t)place % HUGE_SIZE;
	check(!madvise(place, HUGE_SIZE, MADV_HUGEPAGE), "%s", strerror(errno));
	memset(place, 1, HUGE_SIZE);
	if (smaps_kib(place, "AnonHugePages") != all)
		case_skip("a huge page");
	expect(numa_knobs_set(), 0);
	huge.place = place;
	expect(gup_scan_until(is_prot_none, &huge), 0);
	rss = smaps_kib(place, "Rss");
	check(rss == (kernel_since(6, 6) ? all : 0), "Rss: %lu kB of %lu", rss, all);
	check(smaps_kib(place, "AnonHugePages") == rss, "AnonHugePages is another");
	/* Touched, it is back. */
	check(*(volatile char *)place == 1, "its content is lost");
	rss = smaps_kib(place, "Rss");
	check(rss == all, "Rss: %lu kB of %lu after a touch", rss, all);
}

static void huge(void)
{
	with_balancing(run_huge);
}

/* ---- KVM ---- */

#define NR_FAULTS 4u

/* The faults of KVM's slow call (hva_to_pfn_slow()) on pages of a node: how many of them counted as local ones. */
static unsigned int count_local(int probe, const struct gup_memory *memory, unsigned int first)
{
	/* Until 6.6 there is no flag, and every call honours it. */
	unsigned int honor = kernel_since(6, 6) ? GUP_HONOR_NUMA_FAULT : 0;
	unsigned int nr_local = 0;

	for (unsigned int i = first; i < first + NR_FAULTS; i++) {
		long all = numa_vmstat("numa_hint_faults"), local = numa_vmstat("numa_hint_faults_local");
		struct gup_page page;
		struct gup_call call;

		expect(gup_call(probe, GUP_GET_UNLOCKED, GUP_HWPOISON | honor,
				gup_memory_page(memory, i), 1, false, &call, &page), 0);
		check(call.ret == 1 && page.pte_before & GUP_PTE_PROTNONE, "page %u: %ld", i, (long)call.ret);
		check(numa_vmstat("numa_hint_faults") > all, "page %u: the fault was not counted", i);
		nr_local += numa_vmstat("numa_hint_faults_local") > local;
	}
	return nr_local;
}

/* KVM calls on the CPU that faulted, and the fault says where the page is wanted. */
static void run_faulting_cpu(void *unused)
{
	struct gup_memory memory = { .kind = GUP_ANONYMOUS };
	unsigned int cpu, node, nr_local;
	int probe = open_probe();
	cpu_set_t cpus;

	(void)unused;
	expect(gup_memory_map(&memory, 2 * NR_FAULTS, RW, NULL), 0);
	/* In PV, the vDSO's getcpu() knows no CPU but the first under this emulation. */
	check(!syscall(SYS_getcpu, &cpu, &node, NULL), "%s", strerror(errno));
	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	check(!sched_setaffinity(0, sizeof(cpus), &cpus), "CPU %u: %s", cpu, strerror(errno));
	check(!syscall(SYS_getcpu, &cpu, &node, NULL), "%s", strerror(errno));
	for (unsigned int i = 0; i < 2 * NR_FAULTS; i++) {
		int to = i < NR_FAULTS ? (int)node : !node, status = -ENODEV;
		void *page = gup_memory_page(&memory, i);

		syscall(SYS_move_pages, 0, 1ul, &page, &to, &status, MPOL_MF_MOVE);
		if (i < NR_FAULTS)
			check(status == to, "page %u is on node %d, not %d", i, status, to);
		else if (status != to)
			case_skip("a second node with memory");
	}
	expect(gup_memory_scan(&memory, probe), 0);
	nr_local = count_local(probe, &memory, 0);
	check(nr_local == NR_FAULTS, "%u of %u faults on the CPU's own node are local ones", nr_local, NR_FAULTS);
	nr_local = count_local(probe, &memory, NR_FAULTS);
	/* Somebody else's fault may be counted in between, but not each time. */
	check(nr_local < NR_FAULTS, "faults on another node's pages are local ones");
}

static void faulting_cpu(void)
{
	with_balancing(run_faulting_cpu);
}

static const struct suite_case protected_cases[] = {
	{ "a scan that a secondary MMU is told of, of other memory, does not touch the mapping", told },
};

static const struct suite_case none_cases[] = {
	{ "a scan of the mapping tells a secondary MMU", told },
	{ "anonymous memory: smaps of a PROT_NONE PMD stays right, but before 6.6 it forgets the huge page", huge, MODE_XLATE,
	  },
	{ "anonymous memory: the hinting fault of KVM's call is one of the CPU that calls", faulting_cpu },
};

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "none"))
		return suite_main(none_cases, ARRAY_SIZE(none_cases), argc, argv);
	return suite_main(protected_cases, ARRAY_SIZE(protected_cases), argc, argv);
}
