/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the dom0 tests share: a program is a list of cases, each a claim about the strategy
 * that the command line names.
 *
 *	test_NOUN STRATEGY [PART OF A CLAIM]
 *
 * STRATEGY `gntdev` means the kernel's own driver: some claims hold for it, and the
 * others show that a test can fail.
 *
 * Every case runs in a child of its own, in a process group of its own, with a time
 * limit; it ends at the first check that fails. Whatever became of it, it must leave
 * nothing behind (leaks.h): the granter gets all its pages back, and nothing keeps the
 * modules. That is part of the case's verdict. The last claims of every program are that
 * Xen's own grant tables show no mapping, and that the granter can revoke every page and
 * grant it again, as it does after cases that revoke pages themselves, and after failures.
 *
 * Afterwards the core's parameters and the number of huge pages are what they were. NUMA balancing is off, unless
 * a case turns it on.
 */
#ifndef SUITE_H
#define SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "granter_client.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE_SIZE 4096ul
#define NR_HUGE_PAGES "/proc/sys/vm/nr_hugepages"
/* How case_skip() ends a process */
#define EXIT_SKIP 77

enum {
	MODE_PV = 1,
	MODE_XLATE = 2,
};

struct suite_case {
	const char *claim;
	void (*run)(void);
	unsigned int modes;	/* 0: any */
	unsigned int timeout_s; /* if more than usual */
	bool revokes;		/* pages may not be granted afterwards as they were */
	bool (*applies)(void);	/* NULL: it does */
};

struct suite {
	const char *strategy;
	char node[64];
	bool pv;
	struct granter *granter; /* this process's own: fork() takes it away */
	uint32_t nr_rw;		 /* pages granted writable: 0 .. nr_rw - 1 */
};

extern struct suite suite;

int suite_main(const struct suite_case *cases, size_t nr_cases, int argc, char **argv);

bool strategy_is(const char *strategy);

/* Whether this kernel is of that series or a later one. */
bool kernel_since(unsigned int major, unsigned int minor);

/* End the case. check() is the usual way. */
void case_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
void case_skip(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Ends the case unless cond holds; what follows says what was seen. */
#define check(cond, ...)                                                                      \
	do {                                                                                  \
		if (!(cond))                                                                  \
			case_fail(__FILE__, __LINE__, "not true: " #cond ": " __VA_ARGS__);   \
	} while (0)

/* expected is 0 or a negative errno, as is what `call` returns. */
#define expect(call, expected) case_expect(__FILE__, __LINE__, #call, call, expected)
void case_expect(const char *file, int line, const char *call, long got, long expected);

const char *errno_name(long negative_errno);

/*
 * Runs fn(arg) in a child, with a granter handle of its own if with_granter, and waits
 * for it. Returns its exit code, or 256 + the signal that killed it. A case that fails in there, fails here.
 */
int run_child(void (*fn)(void *arg), void *arg, bool with_granter);

/* In a child that the case forked by itself: opens a granter handle of its own. */
void child_open_granter(void);

/*
 * How much slower than usual this kernel may be (SUITE_PATIENCE, at least 1): what bounds a time that nothing should take is
 * multiplied by it.
 */
unsigned int suite_patience(void);

uint64_t now_us(void);
void sleep_ms(unsigned int ms);

/* A module parameter of the core as text without its newline; false when there is none. */
bool core_parameter(const char *name, char *value, size_t size);
void set_core_parameter(const char *name, const char *value);

/* What is written to a file, and 0 or a negative errno. */
int write_file(const char *path, const char *text);
bool read_line(const char *path, char *text, size_t size);

#endif
