// SPDX-License-Identifier: GPL-2.0
/* What a secondary MMU (gup_probe is one) is told of the mapping. Beside `none`, what it is told of anonymous memory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "damon.h"
#include "gup.h"
#include "gup_memory.h"
#include "numa.h"
#include "range.h"
#include "suite.h"
#include "tap.h"

#define RW (PROT_READ | PROT_WRITE)
#define NR 4u
#define SIZE (NR * PAGE_SIZE)

/* A piece of memory, and who is told of it. */
struct told {
	struct gup_memory memory;
	int probe;
	struct gup_event events[GUP_MAX_EVENTS];
	int nr_events;
};

static const char *kind; /* of the memory in this case */

static void set_up(struct told *t, const char *of)
{
	*t = (struct told){ .memory = { .kind = of, .granter = suite.granter, .node_fd = -1 } };
	if (strcmp(of, GUP_ANONYMOUS))
		t->memory.node_fd = open_node();
	t->probe = gup_open();
	if (t->probe == -ENOENT)
		case_skip("gup_probe.ko");
	check(t->probe >= 0, "/dev/gup_probe: %s", errno_name(t->probe));
	expect(gup_memory_map(&t->memory, NR, RW, NULL), 0);
	expect(gup_watch(t->probe, t->memory.addr, SIZE, true), 0);
}

static void fetch(struct told *t)
{
	t->nr_events = gup_events(t->probe, t->events, GUP_MAX_EVENTS);
	check(t->nr_events >= 0, "%s", errno_name(t->nr_events));
}

/* How many events of this kind and reason are about all of the memory (or, any, about some). */
static unsigned int count(const struct told *t, unsigned int event, unsigned int reason, bool any)
{
	uintptr_t start = (uintptr_t)t->memory.addr;
	unsigned int nr = 0;

	for (int i = 0; i < t->nr_events; i++)
		nr += t->events[i].kind == event && t->events[i].reason == reason &&
		      (any || (t->events[i].start <= start && t->events[i].end >= start + SIZE));
	return nr;
}

static void check_told(struct told *t, unsigned int reason)
{
	fetch(t);
	check(count(t, GUP_EVENT_START, reason, false) == 1 && count(t, GUP_EVENT_END, reason, false) == 1,
	      "%d events, the first is %s, %s", t->nr_events,
	      t->nr_events ? gup_kind_name(t->events[0].kind) : "none",
	      t->nr_events ? gup_reason_name(t->events[0].reason) : "none");
}

static void protection(void)
{
	struct told t;

	set_up(&t, kind);
	expect(try_mprotect(t.memory.addr, SIZE, PROT_NONE), 0);
	check_told(&t, GUP_REASON_PROTECTION_VMA);
	check(gup_nr_ptes(t.probe, t.memory.addr, NR, GUP_PTE_PROTNONE) == NR, "not all PTEs are PROT_NONE");
	expect(try_mprotect(t.memory.addr, SIZE, RW), 0);
	check_told(&t, GUP_REASON_PROTECTION_VMA);
	expect(gup_memory_unmap(&t.memory), 0);
}

static void protection_refused(void)
{
	struct told t;

	set_up(&t, kind);
	expect(try_mprotect(t.memory.addr, SIZE, PROT_NONE), -EINVAL);
	fetch(&t);
	check(!t.nr_events, "it was told %d times, the first time by %s", t.nr_events, gup_kind_name(t.events[0].kind));
	expect(gup_memory_unmap(&t.memory), 0);
}

static void goes(void)
{
	struct told t;

	set_up(&t, kind);
	check(!madvise(t.memory.addr, SIZE, MADV_DONTNEED), "%s", strerror(errno));
	check_told(&t, GUP_REASON_CLEAR);
	expect(gup_memory_unmap(&t.memory), 0);
	check_told(&t, GUP_REASON_UNMAP);
}

/* The child's memory; the probe is ours too, and outlives it. */
static void exit_tells(void)
{
	struct told t = { .probe = gup_open() };
	int to_us[2], status;
	pid_t child;

	if (t.probe == -ENOENT)
		case_skip("gup_probe.ko");
	check(!pipe(to_us), "%s", strerror(errno));
	child = fork();
	check(child >= 0, "%s", strerror(errno));
	if (!child) {
		int probe = t.probe;

		child_open_granter();
		set_up(&t, kind);
		/* Not that of set_up(): the one that the parent has, too. */
		close(t.probe);
		expect(gup_watch(probe, t.memory.addr, SIZE, true), 0);
		check(write(to_us[1], &t.memory.addr, sizeof(t.memory.addr)) == sizeof(t.memory.addr), "pipe");
		_exit(0);
	}
	check(read(to_us[0], &t.memory.addr, sizeof(t.memory.addr)) == sizeof(t.memory.addr), "pipe");
	check(waitpid(child, &status, 0) == child && !status, "the child ended with %#x", status);
	fetch(&t);
	check(count(&t, GUP_EVENT_RELEASE, GUP_REASON_OTHER, false) == 1, "%d events", t.nr_events);
}

/* Fork a child, which takes the scan periods that are set now. */
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

/* Anonymous memory of the same process is scanned and told of; is ours? */
static void run_scan(void *unused)
{
	struct told ours, control;
	unsigned int nr;

	(void)unused;
	set_up(&ours, suite.strategy);
	set_up(&control, GUP_ANONYMOUS);
	expect(gup_memory_scan(&control.memory, control.probe), 0);
	fetch(&control);
	check(count(&control, GUP_EVENT_START, GUP_REASON_PROTECTION_VMA, true), "nobody was told of the control's scan");
	fetch(&ours);
	nr = count(&ours, GUP_EVENT_START, GUP_REASON_PROTECTION_VMA, true);
	tap_diag("%d events of the control, %d of the mapping", control.nr_events, ours.nr_events);
	if (strategy_is("none"))
		check(nr, "nobody was told of the mapping's scan");
	else
		check(!ours.nr_events, "it was told %d times, the first time by %s", ours.nr_events,
		      gup_kind_name(ours.events[0].kind));
}

static void scan(void)
{
	with_balancing(run_scan);
}

/*
 * Where GUP follows PROT_NONE PTEs, a page can be in a secondary MMU while its PTE is PROT_NONE. Then mprotect(PROT_NONE)
 * changes no PTE, and has to tell all the same.
 */
static void run_hinting(void *unused)
{
	struct told t;

	(void)unused;
	set_up(&t, kind);
	expect(gup_memory_scan(&t.memory, t.probe), 0);
	fetch(&t);
	expect(try_mprotect(t.memory.addr, SIZE, PROT_NONE), 0);
	check_told(&t, GUP_REASON_PROTECTION_VMA);
	check(gup_nr_ptes(t.probe, t.memory.addr, NR, GUP_PTE_PROTNONE) == NR, "not all PTEs are PROT_NONE");
	/* They were and are, so this is the premise: that scan made them so, they had been told of it before. */
	expect(gup_memory_unmap(&t.memory), 0);
	check_told(&t, GUP_REASON_UNMAP);
}

static void hinting(void)
{
	with_balancing(run_hinting);
}

/* DAMON on a few pages for a while: who asks whether they are young. */
static void damon(struct told *t)
{
	int ret;

	/* Pages on their way to the LRU lists are not yet looked at; this takes them there. */
	expect(write_file("/proc/sys/vm/drop_caches", "1"), 0);
	ret = damon_start(getpid(), t->memory.addr, SIZE);
	if (ret) {
		damon_stop();
		if (ret == -ENOENT)
			case_skip("DAMON");
		check(!ret, "DAMON: %s", errno_name(ret));
	}
	for (int i = 0; i < 100; i++) {
		sleep_ms(20);
		fetch(t);
		if (count(t, GUP_EVENT_TEST_YOUNG, GUP_REASON_OTHER, true) || (strcmp(t->memory.kind, GUP_ANONYMOUS) && i == 25))
			break;
	}
	damon_stop();
}

static void young_anonymous(void)
{
	struct told t;

	set_up(&t, GUP_ANONYMOUS);
	damon(&t);
	check(count(&t, GUP_EVENT_TEST_YOUNG, GUP_REASON_OTHER, true), "nobody asked whether a page is young");
	for (int i = 0; i < t.nr_events; i++)
		check(t.events[i].kind != GUP_EVENT_TEST_YOUNG || t.events[i].answer == 1, "it answered no");
}

/* Who asks begins by making pages old, and does that to pages of the LRU lists only. */
static void young_grants(void)
{
	struct told ours, control;

	set_up(&control, GUP_ANONYMOUS);
	damon(&control);
	check(count(&control, GUP_EVENT_TEST_YOUNG, GUP_REASON_OTHER, true), "nobody asked about the control either");
	set_up(&ours, suite.strategy);
	damon(&ours);
	check(!count(&ours, GUP_EVENT_TEST_YOUNG, GUP_REASON_OTHER, true), "somebody asked whether a grant is young");
	expect(gup_memory_unmap(&ours.memory), 0);
}

static void run_young_hinting(void *unused)
{
	struct told t;

	(void)unused;
	set_up(&t, GUP_ANONYMOUS);
	expect(gup_memory_scan(&t.memory, t.probe), 0);
	fetch(&t);
	damon(&t);
	check(count(&t, GUP_EVENT_TEST_YOUNG, GUP_REASON_OTHER, true), "nobody asked whether a page is young");
	check(gup_nr_ptes(t.probe, t.memory.addr, NR, GUP_PTE_PROTNONE) == NR, "not all PTEs are PROT_NONE");
}

static void young_hinting(void)
{
	with_balancing(run_young_hinting);
}

#define ON_ANONYMOUS(fn) static void anonymous_##fn(void) { kind = GUP_ANONYMOUS; fn(); }
#define ON_GRANTS(fn) static void grants_##fn(void) { kind = suite.strategy; fn(); }

ON_ANONYMOUS(protection)
ON_ANONYMOUS(goes)
ON_ANONYMOUS(exit_tells)
ON_ANONYMOUS(hinting)
ON_GRANTS(protection)
ON_GRANTS(protection_refused)
ON_GRANTS(goes)
ON_GRANTS(exit_tells)
ON_GRANTS(hinting)

#define CASES \
	{ "mprotect(PROT_NONE) and back tell a secondary MMU", grants_protection, MODE_XLATE }, \
	{ "PV: mprotect() is refused before anybody is told", grants_protection_refused, MODE_PV }, \
	{ "MADV_DONTNEED and munmap tell a secondary MMU", grants_goes }, \
	{ "exit tells a secondary MMU", grants_exit_tells }, \
	{ "nobody asks a secondary MMU whether a grant is young", young_grants }

static const struct suite_case protected_cases[] = {
	CASES,
	{ "a scan that a secondary MMU is told of, of other memory, does not touch the mapping", scan, .timeout_s = 150 },
};

static const struct suite_case none_cases[] = {
	CASES,
	{ "a scan of the mapping tells a secondary MMU", scan, .timeout_s = 150 },
	{ "mprotect(PROT_NONE) of PTEs that are PROT_NONE already tells a secondary MMU", grants_hinting, MODE_XLATE,
	  .timeout_s = 150 },
	{ "anonymous memory: mprotect(PROT_NONE) and back tell a secondary MMU", anonymous_protection },
	{ "anonymous memory: MADV_DONTNEED and munmap tell a secondary MMU", anonymous_goes },
	{ "anonymous memory: exit tells a secondary MMU", anonymous_exit_tells },
	{ "anonymous memory: mprotect(PROT_NONE) of PTEs that are PROT_NONE already tells a secondary MMU",
	  anonymous_hinting, .timeout_s = 150 },
	{ "anonymous memory: a secondary MMU is asked whether a page is young, and answers", young_anonymous },
	{ "anonymous memory: it is asked so of a page under a PROT_NONE PTE too", young_hinting, .timeout_s = 150 },
};

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "none"))
		return suite_main(none_cases, ARRAY_SIZE(none_cases), argc, argv);
	return suite_main(protected_cases, ARRAY_SIZE(protected_cases), argc, argv);
}
