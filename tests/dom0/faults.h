/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls of the driver that fail when a test wants it: /dev/gntmap_fault (tests/kernel/gntmap_fault.h), with all the sites
 * that gntmap has, so far as this kernel has them.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../kernel/gntmap_fault.h"
#include "suite.h"

#define FAULTS_MAX_VALUES 3

/* A place that the driver calls. */
struct fault {
	const char *name;
	uint32_t site;
	bool hypercall;
	bool spoils; /* it is gnttab_map_refs() */
	int nr_values; /* 0: it cannot fail */
	int values[FAULTS_MAX_VALUES]; /* what it may return in place of what it would */
};

/* As suite_main(), with the device open and the sites named. */
int faults_main(const struct suite_case *cases, size_t nr_cases, int argc, char **argv);
/* Functions that this kernel has not or that it lets nobody probe, separated by blanks; "" if there is none. */
const char *faults_missing(void);
/* How many places; and place i. */
size_t faults_nr(void);
const struct fault *faults_get(size_t i);
/* By name; NULL if it is missing. */
const struct fault *faults_find(const char *name);

/* The rest ends the case when it does not succeed. From here on this process's calls count. */
void faults_count(void);
/* ... and the k-th one of it fails: it returns `value`, or (spoil, FAULT_SPOIL_*) is given bad references, or not all of them. */
void faults_arm(const struct fault *fault, uint32_t k, int value, uint32_t spoil);
void faults_disarm(void);
/* Unmaps what was kept from being unmapped by then. Returns how many grants that were. */
int faults_undo(void);
/* What happened there since the last of these calls. */
struct fault_site faults_seen(const struct fault *fault);

#endif
