// SPDX-License-Identifier: GPL-2.0
/*
 * What /proc says of memory whose PTEs a scan has made PROT_NONE: what it said before. Of the mapping itself where it can be
 * scanned (`none`, auto-translated), and of anonymous memory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "gup.h"
#include "gup_memory.h"
#include "numa.h"
#include "range.h"
#include "suite.h"
#include "tap.h"
#include "vma.h"

#define RW (PROT_READ | PROT_WRITE)
#define NR 8u
#define HUGE_SIZE (2ul << 20)

/* The lines of smaps that count pages, and all their numbers added up in the order of the lines. */
static const char *const lines[] = {
	"Rss", "Pss", "Shared_Clean", "Shared_Dirty", "Private_Clean", "Private_Dirty", "Anonymous", "AnonHugePages",
};

struct smaps {
	unsigned long kib[ARRAY_SIZE(lines)];
	long nr_present; /* pagemap */
};

static void read_smaps(const void *addr, size_t size, struct smaps *smaps)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	bool inside = false;
	char line[512];

	check(file, "%s", strerror(errno));
	memset(smaps, 0, sizeof(*smaps));
	while (fgets(line, sizeof(line), file)) {
		unsigned long start, end, kib;
		char name[32];

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = (uintptr_t)addr >= start && (uintptr_t)addr < end;
		else if (inside && sscanf(line, "%31[^:]: %lu kB", name, &kib) == 2)
			for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
				smaps->kib[i] += strcmp(name, lines[i]) ? 0 : kib;
	}
	fclose(file);
	smaps->nr_present = vma_nr_present(addr, size / PAGE_SIZE);
}

static void compare(const struct smaps *before, const struct smaps *after)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		check(before->kib[i] == after->kib[i], "%s: %lu kB before, %lu kB after", lines[i], before->kib[i],
		      after->kib[i]);
	check(before->nr_present == after->nr_present, "pagemap: %ld pages before, %ld after", before->nr_present,
	      after->nr_present);
}

static int open_probe(void)
{
	int fd = gup_open();

	if (fd == -ENOENT)
		case_skip("gup_probe.ko");
	check(fd >= 0, "/dev/gup_probe: %s", errno_name(fd));
	return fd;
}

static void run(void *arg)
{
	struct gup_memory memory = { .kind = arg, .granter = suite.granter, .node_fd = -1 };
	struct smaps before, after;
	int probe = open_probe();

	if (strcmp(arg, GUP_ANONYMOUS))
		memory.node_fd = open_node();
	expect(gup_memory_map(&memory, NR, RW, NULL), 0);
	read_smaps(memory.addr, NR * PAGE_SIZE, &before);
	check(before.kib[0] == NR * 4, "Rss: %lu kB", before.kib[0]);
	check(before.nr_present == NR, "pagemap: %ld pages", before.nr_present);
	expect(gup_memory_scan(&memory, probe), 0);
	read_smaps(memory.addr, NR * PAGE_SIZE, &after);
	compare(&before, &after);
	/* Nor did looking change anything. */
	check(gup_nr_ptes(probe, memory.addr, NR, GUP_PTE_PROTNONE) == NR, "not all PTEs are PROT_NONE any more");
	expect(gup_memory_unmap(&memory), 0);
}

/* 6.1: smaps_pmd_entry() asks follow_trans_huge_pmd(), which honours the hint (gup_can_follow_protnone()). */
static bool forgets_huge_pages(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname uts;

	uname(&uts);
	sscanf(uts.release, "%u.%u", &major, &minor);
	return major * 1000 + minor < 6006;
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

static void run_huge(void *unused)
{
	char *place = mmap(NULL, 2 * HUGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct huge huge = { .probe = open_probe() };
	struct smaps before, after;

	(void)unused;
	/* No scan yet. */
	numa_knobs_quiet();
	check(place != MAP_FAILED, "no memory");
	place += -(uintptr_t)place % HUGE_SIZE;
	check(!madvise(place, HUGE_SIZE, MADV_HUGEPAGE), "%s", strerror(errno));
	memset(place, 1, HUGE_SIZE);
	read_smaps(place, HUGE_SIZE, &before);
	if (before.kib[7] * 1024 != HUGE_SIZE)
		case_skip("a huge page");
	expect(numa_knobs_set(), 0);
	huge.place = place;
	expect(gup_scan_until(is_prot_none, &huge), 0);
	read_smaps(place, HUGE_SIZE, &after);
	tap_diag("Rss: %lu kB before, %lu kB under a PROT_NONE PMD", before.kib[0], after.kib[0]);
	if (forgets_huge_pages())
		check(after.kib[0] == 0, "Rss: %lu kB, so this kernel has been mended", after.kib[0]);
	else
		compare(&before, &after);
	/* Touched, it is back. */
	check(*(volatile char *)place == 1, "its content is lost");
	read_smaps(place, HUGE_SIZE, &after);
	compare(&before, &after);
}

static void with_balancing(void (*fn)(void *), void *arg)
{
	int ret, how = 0;

	if (!suite.pv)
		set_core_parameter("provider", "ballooned");
	ret = numa_knobs_set();
	if (!ret)
		how = run_child(fn, arg, true);
	numa_knobs_restore();
	if (ret)
		case_skip("NUMA balancing's knobs in debugfs: %s", errno_name(ret));
	if (how == EXIT_SKIP)
		exit(EXIT_SKIP);
	check(!how, "see above");
}

static void anonymous(void)
{
	with_balancing(run, GUP_ANONYMOUS);
}

static void grants(void)
{
	with_balancing(run, (void *)suite.strategy);
}

static void huge(void)
{
	with_balancing(run_huge, NULL);
}

/* No other strategy's PTEs are ever made PROT_NONE by a scan. */
static const struct suite_case none_cases[] = {
	{ "anonymous memory: smaps and pagemap of PROT_NONE PTEs stay right", anonymous, .timeout_s = 150 },
	{ "smaps and pagemap of PROT_NONE PTEs stay right", grants, MODE_XLATE, .timeout_s = 150 },
	{ "anonymous memory: smaps of a PROT_NONE PMD stays right, but before 6.6 it forgets the huge page", huge, MODE_XLATE,
	  .timeout_s = 150 },
};

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "none"))
		return suite_main(none_cases, ARRAY_SIZE(none_cases), argc, argv);
	return suite_main(NULL, 0, argc, argv);
}
