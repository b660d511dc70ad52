// SPDX-License-Identifier: GPL-2.0
#include "gup_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gup_callers.h"
#include "gup_told.h"
#include "numa.h"

#define RW (PROT_READ | PROT_WRITE)
#define NR_MANY 16u
#define NR_HALF 4u
#define MAX_ROWS 48

#define ALL_STEPS 3

/* A row calls one function, or a few in turn on the same page. */
struct row {
	enum gup_state state;
	struct gup_step steps[ALL_STEPS];
	unsigned int nr_steps;
	const char *name;		/* of several steps */
	gup_caller caller;		/* instead of steps */
};

#define ONE(state, function, flags) { state, { { GUP_##function, flags } }, 1, NULL, NULL }
#define WRITE GUP_WRITE
#define FORCE GUP_FORCE
#define LONGTERM GUP_LONGTERM
#define NOFAULT GUP_NOFAULT
#define HONOR GUP_HONOR_NUMA_FAULT
#define HWPOISON GUP_HWPOISON

static const struct row rows[] = {
	ONE(GUP_PRESENT, GET, 0),
	ONE(GUP_PRESENT, GET, WRITE),
	ONE(GUP_PRESENT, GET, WRITE | NOFAULT),
	ONE(GUP_PRESENT, GET, WRITE | FORCE),
	ONE(GUP_PRESENT, GET, WRITE | HONOR),
	ONE(GUP_PRESENT, GET_UNLOCKED, WRITE),
	ONE(GUP_PRESENT, GET_REMOTE, WRITE),
	ONE(GUP_PRESENT, GET_FAST, 0),
	ONE(GUP_PRESENT, GET_FAST, WRITE),
	ONE(GUP_PRESENT, GET_FAST_ONLY, 0),
	ONE(GUP_PRESENT, GET_FAST_ONLY, WRITE),
	ONE(GUP_PRESENT, PIN, WRITE),
	ONE(GUP_PRESENT, PIN, LONGTERM),
	ONE(GUP_PRESENT, PIN, WRITE | LONGTERM),
	ONE(GUP_PRESENT, PIN_UNLOCKED, WRITE),
	ONE(GUP_PRESENT, PIN_UNLOCKED, WRITE | LONGTERM),
	ONE(GUP_PRESENT, PIN_REMOTE, WRITE),
	ONE(GUP_PRESENT, PIN_FAST, 0),
	ONE(GUP_PRESENT, PIN_FAST, WRITE),
	ONE(GUP_PRESENT, PIN_FAST, WRITE | LONGTERM),
	ONE(GUP_PRESENT, PIN_FAST_ONLY, WRITE),

	ONE(GUP_READ_ONLY, GET, 0),
	ONE(GUP_READ_ONLY, GET, WRITE),
	ONE(GUP_READ_ONLY, GET, FORCE),
	ONE(GUP_READ_ONLY, GET, WRITE | FORCE),
	ONE(GUP_READ_ONLY, GET_FAST, 0),
	ONE(GUP_READ_ONLY, GET_FAST, WRITE),
	ONE(GUP_READ_ONLY, GET_FAST_ONLY, WRITE),
	ONE(GUP_READ_ONLY, PIN, LONGTERM),
	ONE(GUP_READ_ONLY, PIN_FAST, 0),

	ONE(GUP_REMOTE, GET_REMOTE, 0),
	ONE(GUP_REMOTE, GET_REMOTE, WRITE),
	ONE(GUP_REMOTE, PIN_REMOTE, WRITE),
	ONE(GUP_REMOTE, PIN_REMOTE, WRITE | LONGTERM),

	ONE(GUP_MANY, GET, WRITE),
	ONE(GUP_MANY, GET_FAST, WRITE),
	ONE(GUP_MANY, PIN_FAST, WRITE),
	ONE(GUP_MANY, PIN_FAST, WRITE | LONGTERM),
	ONE(GUP_ENDS_IN, GET, WRITE),
	ONE(GUP_ENDS_IN, PIN_FAST, WRITE),
	ONE(GUP_STARTS_IN, GET, WRITE),
	ONE(GUP_STARTS_IN, PIN_FAST, WRITE),
	ONE(GUP_ENDS_NOWHERE, GET, WRITE),
	ONE(GUP_ENDS_NOWHERE, PIN_FAST, WRITE),

	ONE(GUP_NOT_FAULTED, GET, 0),
	ONE(GUP_NOT_FAULTED, GET, WRITE),
	ONE(GUP_NOT_FAULTED, GET, WRITE | NOFAULT),
	ONE(GUP_NOT_FAULTED, GET_FAST, WRITE),
	ONE(GUP_NOT_FAULTED, GET_FAST_ONLY, WRITE),
	ONE(GUP_NOT_FAULTED, PIN_FAST, WRITE | LONGTERM),

	ONE(GUP_UNMAPPED, GET, 0),
	ONE(GUP_UNMAPPED, GET_FAST, 0),
	ONE(GUP_UNMAPPED, GET_FAST_ONLY, 0),
	ONE(GUP_UNMAPPED, PIN_FAST, WRITE | LONGTERM),

	ONE(GUP_INACCESSIBLE, GET, 0),
	ONE(GUP_INACCESSIBLE, GET, FORCE),
	ONE(GUP_INACCESSIBLE, GET, FORCE | HONOR),
	ONE(GUP_INACCESSIBLE, GET, WRITE | FORCE),
	ONE(GUP_INACCESSIBLE, GET_FAST, 0),
	ONE(GUP_INACCESSIBLE, GET_FAST_ONLY, 0),
	ONE(GUP_INACCESSIBLE, PIN_FAST, WRITE | LONGTERM),

	ONE(GUP_HINTING, GET, 0),
	ONE(GUP_HINTING, GET, HONOR),
	ONE(GUP_HINTING, GET, WRITE),
	ONE(GUP_HINTING, GET, WRITE | HONOR),
	ONE(GUP_HINTING, GET, FORCE),
	ONE(GUP_HINTING, GET, FORCE | HONOR),
	ONE(GUP_HINTING, GET, WRITE | FORCE),
	ONE(GUP_HINTING, GET, NOFAULT),
	ONE(GUP_HINTING, GET, NOFAULT | HONOR),
	ONE(GUP_HINTING, GET_REMOTE, 0),
	ONE(GUP_HINTING, GET_FAST, 0),
	ONE(GUP_HINTING, GET_FAST, HONOR),
	ONE(GUP_HINTING, GET_FAST, WRITE),
	ONE(GUP_HINTING, GET_FAST_ONLY, 0),
	ONE(GUP_HINTING, GET_FAST_ONLY, HONOR),
	ONE(GUP_HINTING, GET_FAST_ONLY, WRITE),
	ONE(GUP_HINTING, PIN, 0),
	ONE(GUP_HINTING, PIN_FAST, 0),
	ONE(GUP_HINTING, PIN_FAST, WRITE),
	ONE(GUP_HINTING, PIN_FAST, WRITE | LONGTERM),
	/* hva_to_pfn() (virt/kvm/kvm_main.c) */
	{ GUP_HINTING, { { GUP_GET_FAST_ONLY, WRITE }, { GUP_GET_UNLOCKED, WRITE | HWPOISON | HONOR } }, 2,
	  "KVM's write fault: fast_only(WRITE), unlocked(WRITE|HONOR)" },
	{ GUP_HINTING, { { GUP_GET_FAST_ONLY, WRITE }, { GUP_GET_UNLOCKED, WRITE | HWPOISON } }, 2,
	  "KVM's write fault without HONOR: fast_only(WRITE), unlocked(WRITE)" },
	{ GUP_HINTING, { { GUP_GET_FAST_ONLY, WRITE }, { GUP_GET_UNLOCKED, HWPOISON | HONOR }, { GUP_GET_FAST_ONLY, WRITE } },
	  3, "KVM's read fault: fast_only(WRITE), unlocked(HONOR), fast_only(WRITE)" },
	{ GUP_HINTING, { { GUP_GET_FAST_ONLY, WRITE }, { GUP_GET_UNLOCKED, HWPOISON }, { GUP_GET_FAST_ONLY, WRITE } }, 3,
	  "KVM's read fault without HONOR: fast_only(WRITE), unlocked(0), fast_only(WRITE)" },
	{ GUP_HINTING, .name = "O_DIRECT write from it", .caller = gup_direct_write },
	{ GUP_HINTING, .name = "O_DIRECT read into it", .caller = gup_direct_read },
	{ GUP_HINTING, .name = "process_vm_readv()", .caller = gup_process_vm_readv },
	{ GUP_HINTING, .name = "process_vm_writev()", .caller = gup_process_vm_writev },
	{ GUP_HINTING, .name = "/proc/PID/mem read", .caller = gup_proc_mem_read },
	{ GUP_HINTING, .name = "/proc/PID/mem write", .caller = gup_proc_mem_write },
	{ GUP_HINTING, .name = "smaps and pagemap", .caller = gup_smaps },
	{ GUP_HINTING, .name = "DAMON, test_young()", .caller = gup_told_of_damon_there },
	/* It cuts the VMA in pieces. */
	{ GUP_HINTING, .name = "mprotect(PROT_NONE)", .caller = gup_told_of_mprotect_again },

	{ GUP_TOLD, .name = "munmap()", .caller = gup_told_of_munmap },
	{ GUP_TOLD, .name = "madvise(MADV_DONTNEED)", .caller = gup_told_of_dontneed },
	{ GUP_TOLD, .name = "mprotect(PROT_NONE)", .caller = gup_told_of_mprotect },
	{ GUP_TOLD, .name = "mremap(), moving", .caller = gup_told_of_mremap },
	{ GUP_TOLD, .name = "/proc/PID/clear_refs 4", .caller = gup_told_of_clear_refs },
	{ GUP_TOLD, .name = "exit", .caller = gup_told_of_exit },
	{ GUP_TOLD, .name = "DAMON, test_young()", .caller = gup_told_of_damon },
};

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

const char *gup_state_name(enum gup_state state)
{
	static const char *const names[GUP_NR_STATES] = {
		[GUP_PRESENT] = "present",
		[GUP_READ_ONLY] = "read-only",
		[GUP_REMOTE] = "another process's",
		[GUP_MANY] = "16 pages",
		[GUP_ENDS_IN] = "8 pages, ending in another VMA",
		[GUP_STARTS_IN] = "8 pages, starting in another VMA",
		[GUP_ENDS_NOWHERE] = "8 pages, ending in no VMA",
		[GUP_NOT_FAULTED] = "not faulted",
		[GUP_UNMAPPED] = "after munmap",
		[GUP_INACCESSIBLE] = "mprotect(PROT_NONE)",
		[GUP_HINTING] = "hinting PTE",
		[GUP_TOLD] = "told to a secondary MMU",
	};

	return names[state];
}

bool gup_has_state(const char *kind, enum gup_state state, bool xlate)
{
	if (state != GUP_HINTING)
		return true;
	/* A scan takes unprotected grants away in PV and does not come near protected ones; gntalloc's are VM_MIXEDMAP. */
	return !strcmp(kind, GUP_ANONYMOUS) || (xlate && !strcmp(kind, "none"));
}

static void name_row(const struct row *row, char *name, size_t size)
{
	char call[64];

	snprintf(name, size, "%s, %s", row->name ? row->name :
		 gup_call_name(row->steps[0].function, row->steps[0].flags, call, sizeof(call)),
		 gup_state_name(row->state));
}

const char *const *gup_row_names(enum gup_state state)
{
	static const char *list[MAX_ROWS + 1];
	static char names[MAX_ROWS][128];
	unsigned int nr = 0;

	for (size_t i = 0; i < NR_ROWS && nr < MAX_ROWS; i++) {
		if (rows[i].state != state)
			continue;
		name_row(&rows[i], names[nr], sizeof(names[nr]));
		list[nr] = names[nr];
		nr++;
	}
	list[nr] = NULL;
	return list;
}

/* What a group of rows has. */
struct group {
	const struct gup_table *table;
	int probe_fd;
	struct gup_memory memory;
	struct gup_memory other;
	uint64_t words[GUP_MAX_PAGES];
	char *addr;		/* where calls on several pages begin */
	unsigned int nr_pages;	/* of them; 1: each row has a page of its own */
};

static int map(struct group *group, struct gup_memory *memory, const char *kind, unsigned int nr_pages, int prot, void *at)
{
	*memory = (struct gup_memory){
		.kind = kind,
		.foreign = group->table->foreign,
		.granter = group->table->granter,
		.node_fd = group->table->node_fd,
	};
	return gup_memory_map(memory, nr_pages, prot, at);
}

static void expect_words(struct group *group, unsigned int at, unsigned int nr_pages)
{
	for (unsigned int i = 0; i < nr_pages; i++)
		group->words[at + i] = gup_memory_word(i);
}

/* The memory beside anonymous memory or nothing: in a place where there is room for both. */
static int map_beside(struct group *group, enum gup_state state)
{
	char *place = mmap(NULL, 2 * NR_HALF * NODE_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool first = state != GUP_STARTS_IN;
	char *ours = place + (first ? 0 : NR_HALF * NODE_PAGE_SIZE);
	char *others = place + (first ? NR_HALF * NODE_PAGE_SIZE : 0);
	int ret;

	if (place == MAP_FAILED)
		return -errno;
	group->addr = place;
	group->nr_pages = 2 * NR_HALF;
	expect_words(group, 0, NR_HALF);
	expect_words(group, NR_HALF, NR_HALF);
	/* mmap() over it would do, but for PV, where a place that is taken is looked at. */
	munmap(place, 2 * NR_HALF * NODE_PAGE_SIZE);
	ret = map(group, &group->memory, group->table->kind, NR_HALF, RW, ours);
	if (!ret && state != GUP_ENDS_NOWHERE)
		ret = map(group, &group->other, GUP_ANONYMOUS, NR_HALF, RW, others);
	return ret;
}

/* Bring the memory into the state that the rows are about. -ENOTSUP: it cannot be in that state. */
static int prepare(struct group *group, enum gup_state state, unsigned int nr_rows)
{
	const char *kind = group->table->kind;
	size_t size = nr_rows * NODE_PAGE_SIZE;
	int ret;

	group->nr_pages = 1;
	expect_words(group, 0, nr_rows);
	switch (state) {
	case GUP_TOLD:
		/* Each row has memory of its own. */
		return 0;
	case GUP_ENDS_IN:
	case GUP_STARTS_IN:
	case GUP_ENDS_NOWHERE:
		return map_beside(group, state);
	case GUP_MANY:
		ret = map(group, &group->memory, kind, NR_MANY, RW, NULL);
		expect_words(group, 0, NR_MANY);
		group->addr = group->memory.addr;
		group->nr_pages = NR_MANY;
		return ret;
	case GUP_READ_ONLY:
		return map(group, &group->memory, kind, nr_rows, PROT_READ, NULL);
	default:
		ret = map(group, &group->memory, kind, nr_rows, RW, NULL);
	}
	if (ret)
		return ret;
	switch (state) {
	case GUP_REMOTE:
		/* Whoever calls is a child, and shall be a stranger to this memory. */
		return madvise(group->memory.addr, size, MADV_DONTFORK) ? -errno : 0;
	case GUP_NOT_FAULTED:
		if (!strcmp(kind, GUP_ANONYMOUS))
			memset(group->words, 0, sizeof(group->words));
		return madvise(group->memory.addr, size, MADV_DONTNEED) ? -errno : 0;
	case GUP_UNMAPPED:
		return gup_memory_unmap(&group->memory);
	case GUP_INACCESSIBLE:
		return mprotect(group->memory.addr, size, PROT_NONE) ? -ENOTSUP : 0;
	case GUP_HINTING:
		return gup_memory_scan(&group->memory, group->probe_fd);
	default:
		return 0;
	}
}

static bool run_steps(const struct group *group, const struct row *row, const struct gup_target *target, char *text)
{
	for (unsigned int i = 0; i < row->nr_steps; i++) {
		char one[GUP_TEXT_SIZE];

		if (!gup_observe(group->probe_fd, &row->steps[i], target, one, NULL)) {
			strcpy(text, one);
			return false;
		}
		snprintf(text + strlen(text), GUP_TEXT_SIZE - strlen(text), "%s%s", i ? "; " : "", one);
	}
	return true;
}

/*
 * What a fault in it says, the PTE and the machine's counter have to say as well. Somebody else may have had a hinting
 * fault meanwhile; if this one had none, it can be asked again.
 */
static bool run_hinting(const struct group *group, const struct row *row, const struct gup_target *target, char *text)
{
	for (int again = 0;; again++) {
		long count = numa_vmstat("numa_hint_faults");
		bool faulted, hinting, ok;

		text[0] = '\0';
		ok = row->caller ? row->caller(group->table, group->probe_fd, target, text) :
		     run_steps(group, row, target, text);
		count = numa_vmstat("numa_hint_faults") - count;
		faulted = strstr(text, "faulted");
		hinting = gup_nr_ptes(group->probe_fd, target->addr, 1, GUP_PTE_PROTNONE) == 1;
		if (!ok)
			return false;
		if (faulted == hinting)
			strcat(text, hinting ? ", yet PROT_NONE" : ", yet not PROT_NONE");
		else if (faulted && count <= 0)
			strcat(text, ", yet not counted");
		else if (!faulted && count > 0 && again < 10)
			continue;
		else if (!faulted && count > 0)
			strcat(text, ", yet counted");
		return true;
	}
}

/* In a child that has not got the memory. */
static bool run_remotely(const struct group *group, const struct row *row, struct gup_target target, char *text)
{
	struct {
		bool ok;
		char text[GUP_TEXT_SIZE];
	} *shared = mmap(NULL, sizeof(*shared), RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = -1;
	bool ok;

	if (shared != MAP_FAILED) {
		strcpy(shared->text, "the caller died");
		target.pid = getpid();
		child = fork();
	}
	if (!child) {
		shared->text[0] = '\0';
		shared->ok = run_steps(group, row, &target, shared->text);
		_exit(0);
	}
	if (child < 0 || waitpid(child, NULL, 0) != child) {
		strcpy(text, "no process for it");
		return true;
	}
	strcpy(text, shared->text);
	ok = shared->ok;
	munmap(shared, sizeof(*shared));
	return ok;
}

static void run_row(const struct group *group, const struct row *row, unsigned int i)
{
	struct gup_target target = {
		.addr = group->nr_pages > 1 ? group->addr : gup_memory_page(&group->memory, i),
		.nr_pages = group->nr_pages,
		.zero_pages = row->state == GUP_NOT_FAULTED,
		.words = group->nr_pages > 1 ? group->words : &group->words[i],
	};
	char name[128], text[2 * GUP_TEXT_SIZE] = "";
	bool ok;

	if (row->state == GUP_HINTING)
		ok = run_hinting(group, row, &target, text);
	else if (row->caller)
		ok = row->caller(group->table, group->probe_fd, &target, text);
	else if (row->state == GUP_REMOTE)
		ok = run_remotely(group, row, target, text);
	else
		ok = run_steps(group, row, &target, text);
	name_row(row, name, sizeof(name));
	group->table->told(group->table->arg, name, ok ? text : NULL, ok ? NULL : text);
}

static void run_group(struct group *group, const struct row *const *of_state, unsigned int nr_rows, int ret)
{
	for (unsigned int i = 0; i < nr_rows; i++) {
		char name[128];

		if (!ret) {
			run_row(group, of_state[i], i);
			continue;
		}
		name_row(of_state[i], name, sizeof(name));
		group->table->told(group->table->arg, name, NULL, "mprotect() refuses");
	}
}

int gup_run_rows(const struct gup_table *table, enum gup_state state, const char **failed)
{
	static struct group group;
	const struct row *of_state[MAX_ROWS];
	unsigned int nr_rows = 0;
	int ret;

	group = (struct group){ .table = table };
	for (size_t i = 0; i < NR_ROWS && nr_rows < MAX_ROWS; i++) {
		if (rows[i].state == state)
			of_state[nr_rows++] = &rows[i];
	}
	*failed = "gup_probe";
	group.probe_fd = gup_open();
	if (group.probe_fd < 0)
		return group.probe_fd;
	*failed = state == GUP_HINTING ? "the memory, or a scan of it" : "the memory";
	ret = prepare(&group, state, nr_rows);
	if (!ret || ret == -ENOTSUP) {
		run_group(&group, of_state, nr_rows, ret);
		*failed = "unmapping the memory";
		ret = state == GUP_UNMAPPED || state == GUP_TOLD ? 0 : gup_memory_unmap(&group.memory);
		if (!ret && group.other.addr)
			ret = gup_memory_unmap(&group.other);
	}
	close(group.probe_fd);
	return ret;
}
