/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gntmap-compare: strategies side by side. Who calls whom:
 *
 *	compare.c			the program: which probes, for which strategy, in which order
 *	compare_{vma,scan,gup,life,cost}.c	probes: each looks at some rows of one strategy
 *	compare_{user,mm,teardown}.c	a second table, "uses", of all else that is done to the memory
 *	compare_gup_{probe,cost}.c	a third one: rows of gup_rows.h, and columns for other memory beside the strategies
 *	compare_foreign.c		what they map, grants or foreign frames; a probe of the frames' domain
 *	compare_expect.c		what the kernel's source makes us expect
 *	compare_cell.c			a probe's child process, and the cells it fills
 *	compare_table.c			cells as a table and as JSON
 */
#ifndef COMPARE_H
#define COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "granter_client.h"

enum verdict {
	VERDICT_NONE, /* the cell was never filled */
	VERDICT_PASS,
	VERDICT_FAIL,
	VERDICT_SKIP,
	VERDICT_INFO,
};

struct cell {
	char row[96];
	char observed[96];
	char expected[64];
	char decided_by[256];
	enum verdict verdict;
	bool has_value;
	long value;
	bool ordinary_pages; /* see struct probe */
};

#define MAX_CELLS 128

/* One strategy's column. Lives in memory that its probes' processes share with the parent. */
struct column {
	const char *table;    /* that it is in */
	const char *strategy; /* or another kind of memory */
	unsigned int nr_cells;
	struct cell cells[MAX_CELLS];
};

struct machine {
	char kernel[65];      /* uname -r */
	unsigned int version; /* VERSION(6, 12) */
	char mode[8];	      /* "pv", "pvh", "hvm" */
	bool xlate;
};

#define VERSION(major, minor) ((major) * 1000 + (minor))

extern struct machine machine;

/* What a probe has at hand, in its own process. */
struct probe {
	struct column *column;
	const char *suffix;	 /* of its rows' names, e.g. " (ballooned pages)", or "" */
	struct granter *granter;
	int fd;			 /* the strategy's node */
	const char *block_device; /* for O_DIRECT, or NULL */
	bool ordinary_pages;	 /* not all that it maps are ZONE_DEVICE pages */
	int gup_state;		 /* enum gup_state, for probe_gup() */
	bool foreign;		 /* it maps foreign frames, not grants */
};

/* compare_cell.c: a cell is what was observed; the verdict comes from compare_expect.c. */
__attribute__((format(printf, 3, 4)))
void observe(struct probe *probe, const char *row, const char *format, ...);
/* The same with a number, which an expectation may be about; the text is the number unless format says more. */
__attribute__((format(printf, 4, 5)))
void observe_value(struct probe *probe, const char *row, long value, const char *format, ...);
/* "ok" for 0, or the name of the negative errno. */
void observe_errno(struct probe *probe, const char *row, int ret);
/* The row cannot be looked at: what is missing. */
__attribute__((format(printf, 3, 4)))
void skip(struct probe *probe, const char *row, const char *format, ...);
/* A figure nobody expects anything of. */
__attribute__((format(printf, 4, 5)))
void info(struct probe *probe, const char *row, long value, const char *format, ...);
/* The set-up of the probe failed: all its rows do. Ends the probe's process. */
__attribute__((format(printf, 2, 3), noreturn))
void probe_die(struct probe *probe, const char *format, ...);

/* Run probe_fn in a child; rows (ended by NULL) that it did not fill, because it died or hung, become failures. */
typedef void (*probe_fn)(struct probe *probe);
void probe_run(struct probe *probe, probe_fn fn, const char *const *rows, unsigned int timeout_s);

/*
 * compare_expect.c: fill expected, decided_by and, from these and observed, the verdict. An expectation is a text to be
 * equal to, "!= text", or "= N", "> N", ">= N" for the value.
 */
void expect(struct cell *cell, const char *row, const char *strategy);

/* The probes and their rows, ended by NULL. */
void probe_vma(struct probe *probe);
extern const char *const vma_rows[];
void probe_scan(struct probe *probe);
extern const char *const scan_rows[];
void probe_direct_io(struct probe *probe);
extern const char *const direct_io_rows[];
void probe_process_vm(struct probe *probe);
extern const char *const process_vm_rows[];
void probe_vmsplice(struct probe *probe);
extern const char *const vmsplice_rows[];
void probe_proc_mem(struct probe *probe);
extern const char *const proc_mem_rows[];
void probe_io_uring(struct probe *probe);
extern const char *const io_uring_rows[];
void probe_async_io(struct probe *probe);
extern const char *const async_io_rows[];
void probe_ptrace(struct probe *probe);
extern const char *const ptrace_rows[];
void probe_futex(struct probe *probe);
extern const char *const futex_rows[];
void probe_advice(struct probe *probe);
extern const char *const advice_rows[];
void probe_numa_calls(struct probe *probe);
extern const char *const numa_call_rows[];
void probe_uffd(struct probe *probe);
extern const char *const uffd_rows[];
void probe_soft_dirty(struct probe *probe);
extern const char *const soft_dirty_rows[];
void probe_fork(struct probe *probe);
extern const char *const fork_rows[];
void probe_mprotect(struct probe *probe);
extern const char *const mprotect_rows[];
void probe_core(struct probe *probe);
extern const char *const core_rows[];
void probe_cost(struct probe *probe);
extern const char *const cost_rows[];
void probe_leak(struct probe *probe);
extern const char *const leak_rows[];
void probe_lock(struct probe *probe);
extern const char *const lock_rows[];
void probe_mremap(struct probe *probe);
extern const char *const mremap_rows[];
void probe_migrate(struct probe *probe);
extern const char *const migrate_rows[];
void probe_splice(struct probe *probe);
extern const char *const splice_rows[];
void probe_forced(struct probe *probe);
extern const char *const forced_rows[];
void probe_pinned(struct probe *probe);
extern const char *const pinned_rows[];
void probe_flying(struct probe *probe);
extern const char *const flying_rows[];

void probe_zombie(struct probe *probe);
extern const char *const zombie_rows[];

void probe_gup(struct probe *probe);
void probe_gup_cost(struct probe *probe);
extern const char *const gup_cost_rows[];
/* After numa_knobs_set(), where a scan can make the PTEs PROT_NONE. */
void probe_hint_cost(struct probe *probe);
extern const char *const hint_cost_rows[];

/* compare_cost.c: the frequency of the CPU's time stamp counter, or 0. */
double ticks_per_ns(void);

/* compare_table.c. write_json() returns 0 or a negative errno. */
void print_table(FILE *out, struct column *columns, unsigned int nr_columns);
int write_json(const char *path, struct column *columns, unsigned int nr_columns);
const char *verdict_name(enum verdict verdict);

#endif
