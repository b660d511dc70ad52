// SPDX-License-Identifier: GPL-2.0
#include "conform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../include/uapi/xen/gntmap.h"
#include "conform_world.h"
#include "suite.h"
#include "tap.h"

#define GNTDEV "/dev/xen/gntdev"
/* Each range has so many pages of the arena, and lies in their middle. */
#define ROOM 32u
#define ARENA_SIZE (CONFORM_NR_RANGES * ROOM * PAGE_SIZE)
#define SETTLED_MS 10000

static char *memory(int prot, size_t size)
{
	char *addr = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(addr != MAP_FAILED, "%s", strerror(errno));
	return addr;
}

static struct conform_world *world_begin(const char *node)
{
	struct conform_world *w = calloc(1, sizeof(*w));

	check(w, "no memory");
	w->node = node;
	w->export = -1;
	w->fd = open(node, O_RDWR | O_CLOEXEC);
	check(w->fd >= 0, "%s: %s", node, strerror(errno));
	w->arena = memory(PROT_NONE, ARENA_SIZE);
	for (unsigned int i = 0; i < CONFORM_NR_RANGES; i++)
		w->ranges[i].addr = w->arena + (i * ROOM + ROOM / 2) * PAGE_SIZE;
	w->memory = memory(PROT_READ | PROT_WRITE, 3 * PAGE_SIZE);
	expect(try_mprotect(w->memory + PAGE_SIZE, PAGE_SIZE, PROT_READ), 0);
	expect(try_mprotect(w->memory + 2 * PAGE_SIZE, PAGE_SIZE, PROT_NONE), 0);
	check(!granter_fill(suite.granter, 0, 64, CONFORM_SEED), "%s", strerror(errno));
	check(!granter_fill(suite.granter, suite.nr_rw, 2, CONFORM_SEED), "%s", strerror(errno));
	return w;
}

static void world_end(struct conform_world *w)
{
	/* Whatever is mapped there. */
	munmap(w->arena, ARENA_SIZE);
	munmap(w->memory, 3 * PAGE_SIZE);
	if (w->export >= 0)
		close(w->export);
	if (w->fd >= 0)
		close(w->fd);
	if (w->events)
		xenevtchn_close(w->events);
	free(w);
	wait_busy(0, suite.granter->nr_refs, 0);
}

static int busy(void)
{
	int64_t nr = granter_busy(suite.granter, 0, suite.granter->nr_refs, NULL);

	check(nr >= 0, "%s", strerror(errno));
	return nr;
}

static const struct conform_difference *difference(const struct conform_step *step)
{
	unsigned int mode = suite.pv ? MODE_PV : MODE_XLATE;

	/* With in-tree on both sides there is none. */
	if (strategy_is("gntdev"))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(step->differs); i++)
		if (step->differs[i].modes & mode)
			return &step->differs[i];
	return NULL;
}

/* Does it only look? Then the granter, which is slow to ask, is not asked which grants are mapped. */
static bool is_question(const struct conform_step *step)
{
	static long (*const questions[])(struct conform_world *, const long *) = {
		conform_read, conform_find, conform_find_elsewhere, conform_find_memory, conform_find_hole, conform_status,
		conform_arrived, conform_byte, conform_events, conform_ioctl, conform_read_file, conform_write_file,
		conform_seek_file, conform_poll_file,
	};

	for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
		if (step->call == questions[i])
			return true;
	return false;
}

static struct conform_outcome run_step(struct conform_world *w, const struct conform_step *step,
				       const struct conform_outcome *want)
{
	struct conform_outcome outcome = { .got = step->call(w, step->arg), .busy = w->busy };
	uint64_t start = now_us();

	if (is_question(step))
		return outcome;
	/* Grants that go back do so at once, or nearly. */
	do
		outcome.busy = busy();
	while (want && !w->differs && outcome.busy != want->busy && now_us() - start < SETTLED_MS * 1000ull);
	/* Once is enough: the case has failed. */
	w->differs |= want && outcome.busy != want->busy;
	w->busy = outcome.busy;
	return outcome;
}

static const char *text(char *buffer, size_t size, struct conform_outcome outcome)
{
	if (outcome.got < 0)
		snprintf(buffer, size, "%s, %d mapped", errno_name(outcome.got), outcome.busy);
	else
		snprintf(buffer, size, "%ld, %d mapped", outcome.got, outcome.busy);
	return buffer;
}

static bool same(struct conform_outcome a, struct conform_outcome b)
{
	return a.got == b.got && a.busy == b.busy;
}

static bool tell(const char *who, const struct conform_step *step, struct conform_outcome outcome,
		 struct conform_outcome want)
{
	char got_text[64], want_text[64];

	if (same(outcome, want))
		return true;
	tap_diag("%s: %s gives %s, not %s", step->what, who, text(got_text, sizeof(got_text), outcome),
		 text(want_text, sizeof(want_text), want));
	return false;
}

void conform(const struct conform_step *steps, size_t nr_steps)
{
	struct conform_outcome *in_tree = calloc(nr_steps, sizeof(*in_tree));
	struct gntmap_info info = { .size = sizeof(info) };
	unsigned int nr_wrong = 0;
	struct conform_world *w;

	check(in_tree, "no memory");
	w = world_begin(GNTDEV);
	if (!ioctl(w->fd, GNTMAP_IOCTL_INFO, &info))
		case_skip("xen-gntdev: it is gntmap that stands at " GNTDEV);
	for (size_t i = 0; i < nr_steps; i++) {
		const struct conform_difference *d = difference(&steps[i]);

		w->listed = d ? &d->in_tree : NULL;
		in_tree[i] = run_step(w, &steps[i], w->listed);
		/* A call that this kernel has and others lack. */
		if (d && d->in_tree.got == -ENOTTY && in_tree[i].got != -ENOTTY)
			nr_wrong += !tell("xen-gntdev", &steps[i], in_tree[i], d->has);
		else if (d)
			nr_wrong += !tell("xen-gntdev", &steps[i], in_tree[i], d->in_tree);
	}
	world_end(w);

	w = world_begin(suite.node);
	for (size_t i = 0; i < nr_steps; i++) {
		const struct conform_difference *d = difference(&steps[i]);
		const struct conform_outcome *want = d ? &d->ours : &in_tree[i];

		w->listed = d ? &d->ours : NULL;
		nr_wrong += !tell(suite.strategy, &steps[i], run_step(w, &steps[i], want), *want);
	}
	world_end(w);
	check(!nr_wrong, "%u outcomes are not as listed", nr_wrong);
}
