/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gntmap-bench: this driver against the kernel's own and against the bare hypercalls, in one boot. Who calls whom:
 *
 *	gntmap-bench.c		the program: which workloads
 *	work_*.c		workloads, each in a process of its own
 *	result.c		what they found, as JSON
 *	side.c request.c floor.c	sides that take turns; what they do
 *	sample.c clock.c	figures
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "granter_client.h"
#include "result.h"
#include "side.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct bench {
	char kernel[65]; /* uname -r */
	char mode[8];	 /* "pv", "pvh", "hvm" */
	bool pv;
	unsigned int nr_cpus;
	double pace;		  /* seconds are multiplied by it */
	const char *block_device; /* for O_DIRECT, or NULL */
	struct granter *granter;  /* of the workload's process */
};

extern struct bench bench;
extern struct results *results;

/* The strategies that protect, and the one that does what the kernel's own driver does. */
#define NR_STRATEGIES 3
extern const char *const strategies[NR_STRATEGIES];
#define SAME_AS_THEIRS "mixedmap"

/* Ends the workload: what it found until then stays, with a line that says why the rest is missing. */
void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* A side whose fd is the node of a strategy or of "gntdev"; ends the workload when it cannot be opened. */
struct side bench_side(const char *name, int (*turn)(struct side *side, double *values));
/* The kernel's own, and ours with each strategy (or, only, with the one that does the same): their number. */
unsigned int bench_sides(struct side *sides, bool only, int (*turn)(struct side *side, double *values));
void bench_close(struct side *sides, unsigned int nr);
/* On one CPU, or on all of them again (-1). */
void bench_pin_cpu(int cpu);

void work_batch(void);
void work_held(void);
void work_memory(void);
void work_lock(void);
void work_pinned(void);
void work_copy(void);
void work_gup(void);
void work_numa(void);
void work_foreign(void);
void work_parallel(void);

#endif
