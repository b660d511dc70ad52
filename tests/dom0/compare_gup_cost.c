// SPDX-License-Identifier: GPL-2.0
/* How long get_user_pages() and its kin take for a page. Only ratios of one boot mean anything. */
#include "compare.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "gup_rows.h"

#define NR_PAGES 64
#define NR_RUNS 15

static const struct gup_step steps[] = {
	{ GUP_GET_FAST, GUP_WRITE },
	{ GUP_PIN_FAST, GUP_WRITE },
	{ GUP_PIN_FAST, GUP_WRITE | GUP_LONGTERM },
	{ GUP_PIN, GUP_WRITE },
	{ GUP_PIN_REMOTE, GUP_WRITE },
};
#define NR_STEPS (sizeof(steps) / sizeof(steps[0]))

const char *const gup_cost_rows[] = {
	"get_user_pages_fast(WRITE), ns a page",
	"pin_user_pages_fast(WRITE), ns a page",
	"pin_user_pages_fast(WRITE|LONGTERM), ns a page",
	"pin_user_pages(WRITE), ns a page",
	"pin_user_pages_remote(WRITE), ns a page",
	NULL,
};

const char *const hint_cost_rows[] = { "hinting PTE not honoured, ns a page", "hinting PTE honoured, ns a page", NULL };

static int compare_ticks(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void tell(struct probe *probe, const char *row, uint64_t *ticks, unsigned int nr, unsigned int nr_pages)
{
	long ns;

	qsort(ticks, nr, sizeof(*ticks), compare_ticks);
	ns = ticks[nr / 2] / ticks_per_ns() / nr_pages;
	info(probe, row, ns, "%ld", ns);
}

/* The memory of the probe's column. */
static int set_up(struct probe *probe, struct gup_memory *memory)
{
	int fd = gup_open(), ret;

	if (fd < 0)
		probe_die(probe, "gup_probe: %s", strerror(-fd));
	*memory = (struct gup_memory){
		.kind = probe->column->strategy,
		.granter = probe->granter,
		.node_fd = probe->fd,
	};
	if (!strcmp(memory->kind, GUP_FOREIGN))
		memory->node_fd = node_open("mixedmap");
	ret = gup_memory_map(memory, NR_PAGES, PROT_READ | PROT_WRITE, NULL);
	if (ret)
		probe_die(probe, "the memory: %s", strerror(-ret));
	return fd;
}

void probe_gup_cost(struct probe *probe)
{
	struct gup_page pages[NR_PAGES];
	struct gup_memory memory;
	int fd = set_up(probe, &memory);

	for (size_t i = 0; i < NR_STEPS; i++) {
		uint64_t ticks[NR_RUNS];
		struct gup_call call;

		for (int run = 0; run < NR_RUNS; run++) {
			if (gup_call(fd, steps[i].function, steps[i].flags, memory.addr, NR_PAGES, false, &call, pages))
				probe_die(probe, "the call");
			ticks[run] = call.ticks;
		}
		if (call.status == GUP_CALLED && call.ret == NR_PAGES)
			tell(probe, gup_cost_rows[i], ticks, NR_RUNS, NR_PAGES);
		else
			skip(probe, gup_cost_rows[i], "%s", call.ret < 0 ? strerrorname_np(-call.ret) : "not all pages");
	}
	gup_memory_unmap(&memory);
}

/* Page after page, since who honours a hint ends it. */
static void hint(struct probe *probe, int fd, const struct gup_memory *memory, unsigned int first, bool honour)
{
	/* Before 6.6 there is no flag: who does not force honours. */
	unsigned int flags = machine.version >= VERSION(6, 6) ? (honour ? GUP_HONOR_NUMA_FAULT : 0) : (honour ? 0 : GUP_FORCE);
	const char *row = hint_cost_rows[honour];
	uint64_t ticks[NR_PAGES / 2];

	for (unsigned int i = 0; i < NR_PAGES / 2; i++) {
		struct gup_page page;
		struct gup_call call;

		if (gup_call(fd, GUP_GET, flags, gup_memory_page(memory, first + i), 1, false, &call, &page) || call.ret != 1)
			probe_die(probe, "the call");
		if (!call.nr_faults != !honour)
			probe_die(probe, "%lu faults", (unsigned long)call.nr_faults);
		ticks[i] = call.ticks;
	}
	tell(probe, row, ticks, NR_PAGES / 2, 1);
}

void probe_hint_cost(struct probe *probe)
{
	struct gup_memory memory;
	int fd = set_up(probe, &memory), ret = gup_memory_scan(&memory, fd);

	if (ret)
		probe_die(probe, "a scan: %s", strerror(-ret));
	hint(probe, fd, &memory, 0, false);
	hint(probe, fd, &memory, NR_PAGES / 2, true);
	gup_memory_unmap(&memory);
}
