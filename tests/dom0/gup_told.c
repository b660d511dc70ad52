// SPDX-License-Identifier: GPL-2.0
#include "gup_told.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "damon.h"
#include "suite.h"

#define RW (PROT_READ | PROT_WRITE)
#define NR 4u
#define SIZE (NR * PAGE_SIZE)

/* What is watched, and by whom. */
struct watched {
	struct gup_memory memory;
	int probe;
	uintptr_t start;
	uintptr_t end;
};

static int watch(struct watched *w, const char *addr, size_t size)
{
	w->start = (uintptr_t)addr;
	w->end = w->start + size;
	return gup_watch(w->probe, addr, size, true);
}

static int set_up(struct watched *w, const struct gup_table *table)
{
	int ret;

	*w = (struct watched){
		.memory = {
			.kind = table->kind,
			.foreign = table->foreign,
			.granter = table->granter,
			.node_fd = table->node_fd,
		},
		.probe = gup_open(),
	};
	if (w->probe < 0)
		return w->probe;
	ret = gup_memory_map(&w->memory, NR, RW, NULL);
	return ret ? ret : watch(w, w->memory.addr, SIZE);
}

/* The reasons that it was told, each once; a part of the memory, or a start without an end, is said. */
static void conclude(const struct watched *w, int done, char *text)
{
	static struct gup_event events[GUP_MAX_EVENTS];
	int nr = gup_events(w->probe, events, GUP_MAX_EVENTS), nr_open = 0;
	unsigned int seen = 0;
	size_t len = 0;

	if (done)
		len += snprintf(text, GUP_TEXT_SIZE, "%s, ", strerrorname_np(-done));
	if (nr < 0) {
		snprintf(text + len, GUP_TEXT_SIZE - len, "the probe: %s", strerrorname_np(-nr));
		return;
	}
	for (int i = 0; i < nr && len < GUP_TEXT_SIZE; i++) {
		const struct gup_event *e = &events[i];
		bool goes = e->kind == GUP_EVENT_RELEASE;
		unsigned int bit = goes ? 1u << 31 : 1u << e->reason;

		nr_open += (e->kind == GUP_EVENT_START) - (e->kind == GUP_EVENT_END);
		if ((e->kind != GUP_EVENT_START && !goes) || (seen & bit))
			continue;
		len += snprintf(text + len, GUP_TEXT_SIZE - len, "%s%s%s", seen ? ", " : "told: ",
				goes ? "release" : gup_reason_name(e->reason),
				!goes && (e->start > w->start || e->end < w->end) ? " of a part" : "");
		seen |= bit;
	}
	if (len < GUP_TEXT_SIZE && (!seen || nr_open))
		snprintf(text + len, GUP_TEXT_SIZE - len, seen ? ", without an end" : "not told");
}

static bool told_of(const struct gup_table *table, int (*act)(struct watched *w), char *text)
{
	struct watched w;
	int ret = set_up(&w, table);

	if (ret) {
		snprintf(text, GUP_TEXT_SIZE, "the memory: %s", strerrorname_np(-ret));
		return true;
	}
	conclude(&w, act(&w), text);
	close(w.probe);
	if (w.memory.addr && gup_memory_unmap(&w.memory))
		snprintf(text, GUP_TEXT_SIZE, "it cannot be unmapped");
	return true;
}

static int act_munmap(struct watched *w)
{
	int ret = gup_memory_unmap(&w->memory);

	w->memory.addr = NULL;
	return ret;
}

static int act_dontneed(struct watched *w)
{
	return madvise(w->memory.addr, SIZE, MADV_DONTNEED) ? -errno : 0;
}

static int act_mprotect(struct watched *w)
{
	return mprotect(w->memory.addr, SIZE, PROT_NONE) ? -errno : 0;
}

static int act_mremap(struct watched *w)
{
	void *to = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (to == MAP_FAILED || mremap(w->memory.addr, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED)
		return -errno;
	w->memory.addr = to;
	/* Its guard pages stay behind. */
	w->memory.merged = true;
	return 0;
}

static int act_clear_refs(struct watched *w)
{
	(void)w;
	return write_file("/proc/self/clear_refs", "4");
}

bool gup_told_of_munmap(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text)
{
	(void)probe_fd, (void)target;
	return told_of(table, act_munmap, text);
}

bool gup_told_of_dontneed(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text)
{
	(void)probe_fd, (void)target;
	return told_of(table, act_dontneed, text);
}

bool gup_told_of_mprotect(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text)
{
	(void)probe_fd, (void)target;
	return told_of(table, act_mprotect, text);
}

bool gup_told_of_mremap(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text)
{
	(void)probe_fd, (void)target;
	return told_of(table, act_mremap, text);
}

bool gup_told_of_clear_refs(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text)
{
	(void)probe_fd, (void)target;
	return told_of(table, act_clear_refs, text);
}

/* The child's memory, and the parent's probe, which outlives it. */
static void watch_and_exit(struct watched *w, const struct gup_table *table)
{
	struct gup_table own = *table;
	int probe = w->probe, ret = 0;

	if (gup_memory_has_node(&w->memory)) {
		/* Neither handle is for two processes. */
		own.granter = granter_open();
		own.node_fd = node_open(strcmp(table->kind, GUP_FOREIGN) ? table->kind : "mixedmap");
		ret = own.granter && own.node_fd >= 0 ? 0 : 1;
	}
	ret = ret ? ret : set_up(w, &own);
	w->probe = probe;
	ret = ret ? ret : watch(w, w->memory.addr, SIZE);
	_exit(ret ? 1 : 0);
}

bool gup_told_of_exit(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text)
{
	struct watched w = { .memory = { .kind = table->kind }, .probe = gup_open() };
	int status = -1;
	pid_t child;

	(void)probe_fd, (void)target;
	if (w.probe < 0) {
		snprintf(text, GUP_TEXT_SIZE, "the probe: %s", strerrorname_np(-w.probe));
		return true;
	}
	child = fork();
	if (!child)
		watch_and_exit(&w, table);
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		snprintf(text, GUP_TEXT_SIZE, "the child failed");
	else
		conclude(&w, 0, text);
	close(w.probe);
	return true;
}

/* DAMON begins by making PTEs old, and asks later about those that still are. */
static bool ask_young(struct watched *w, bool patient, char *text)
{
	static struct gup_event events[GUP_MAX_EVENTS];
	bool asked = false, young = true;
	int ret;

	/* Pages on their way to the LRU lists are not yet looked at; this takes them there. */
	write_file("/proc/sys/vm/drop_caches", "1");
	ret = damon_start(getpid(), (void *)w->start, w->end - w->start);
	for (int i = 0; !ret && !asked && i < (patient ? 500 : 25); i++) {
		int nr;

		usleep(20000);
		nr = gup_events(w->probe, events, GUP_MAX_EVENTS);
		for (int j = 0; j < nr; j++) {
			asked |= events[j].kind == GUP_EVENT_TEST_YOUNG;
			young &= events[j].kind != GUP_EVENT_TEST_YOUNG || events[j].answer;
		}
	}
	damon_stop();
	if (ret == -ENOENT)
		snprintf(text, GUP_TEXT_SIZE, "no DAMON");
	else if (ret)
		snprintf(text, GUP_TEXT_SIZE, "DAMON: %s", strerrorname_np(-ret));
	else
		snprintf(text, GUP_TEXT_SIZE, asked ? "asked, answers %s" : "not asked", young ? "young" : "old");
	return ret != -ENOENT;
}

static bool is_anonymous(const struct gup_table *table)
{
	return !strcmp(table->kind, GUP_ANONYMOUS);
}

bool gup_told_of_damon(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text)
{
	struct watched w;
	int ret = set_up(&w, table);
	bool ok;

	(void)probe_fd, (void)target;
	if (ret) {
		snprintf(text, GUP_TEXT_SIZE, "the memory: %s", strerrorname_np(-ret));
		return true;
	}
	ok = ask_young(&w, is_anonymous(table), text);
	close(w.probe);
	gup_memory_unmap(&w.memory);
	return ok;
}

static bool watch_there(struct watched *w, const struct gup_target *target, char *text)
{
	int ret;

	w->probe = gup_open();
	ret = w->probe < 0 ? w->probe : watch(w, target->addr, PAGE_SIZE);
	if (ret)
		snprintf(text, GUP_TEXT_SIZE, "the probe: %s", strerrorname_np(-ret));
	return !ret;
}

bool gup_told_of_mprotect_again(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text)
{
	struct watched w;

	(void)table, (void)probe_fd;
	if (watch_there(&w, target, text))
		conclude(&w, mprotect((void *)target->addr, PAGE_SIZE, PROT_NONE) ? -errno : 0, text);
	if (w.probe >= 0)
		close(w.probe);
	return true;
}

bool gup_told_of_damon_there(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text)
{
	struct watched w;
	bool ok = true;

	(void)probe_fd;
	if (watch_there(&w, target, text))
		ok = ask_young(&w, is_anonymous(table), text);
	if (w.probe >= 0)
		close(w.probe);
	return ok;
}
