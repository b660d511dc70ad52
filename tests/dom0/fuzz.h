/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gntmap-fuzz: random sequences of operations, with a model that knows what each must answer.
 *
 *	fuzz_op.c	what a sequence is made of
 *	fuzz_model.c	files, ranges, offsets and grants as they have to be
 *	fuzz_file.c	operations on files and ranges
 *	fuzz_memory.c	operations on mappings
 *	fuzz_dmabuf.c	operations on dma-bufs
 *	fuzz_process.c	operations that make processes
 *	gntmap-fuzz.c	episodes, verdicts, shrinking
 *
 * An operation names what it works with by numbers that are taken modulo what there is, and does nothing where there is
 * nothing: so any part of a sequence is a sequence.
 *
 * A worker has pages of the granter's, files, ranges and mappings of its own. What its pages hold it sees through privcmd,
 * which has nothing to do with the driver.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xenforeignmemory.h>

#include "pin.h"
#include "range.h"
#include "suite.h"

#define NR_ARGS 4
#define NR_FDS 4	/* descriptors */
#define NR_FILES 12	/* open files; some live on in mappings */
#define NR_RANGES 24
#define NR_MAPPINGS 6
#define NR_PINS 4
#define NR_HOLDERS 2	/* children that only hold what they inherited */
#define NR_BUFFERS 4	/* dma-bufs */
#define NR_IMPORTS 4
#define RANGE_MAX 8	/* pages */
#define NR_PAGES 16	/* of the granter's, for one worker */
#define NR_READ_ONLY 2	/* the last of them */
#define NO_PAGE 0xffu	/* in place of one: a reference that does not exist */

struct fuzz_op {
	uint32_t kind;
	uint32_t arg[NR_ARGS];
};

struct fuzz_kind {
	const char *name;
	unsigned int weight;
	bool alone;	/* not while other threads are there: it makes processes */
	void (*run)(struct fuzz_op *op);
};

/* An open file, as the model has it. */
struct ffile {
	bool used;
	uint64_t max_pages;
	uint64_t nr_pages;	/* charged */
	uint32_t domid;
};

enum fstate { F_IDLE, F_MAPPED, F_DRAINING };

struct frange {
	bool used;		/* pages are charged */
	struct ffile *file;
	bool placed;		/* has its place among the offsets */
	bool removed;		/* but nobody finds it any more */
	bool gone;		/* no reference but that of its draining */
	bool foreign;
	bool writable;		/* foreign: frames are */
	bool unknown;		/* another domain's references */
	uint64_t index;		/* in pages */
	uint32_t nr;
	uint32_t page[RANGE_MAX];	/* of the worker's, or NO_PAGE */
	enum fstate state;
	bool mapped_writable;
	uint32_t nr_pins[RANGE_MAX];
	bool lost[RANGE_MAX];	/* its PTE was given up (PV), and its grant if the kernel had not asked for the page */
	uint32_t holders;	/* bit: that child has VMAs of it */
	/* notification */
	uint32_t action;
	uint32_t byte;		/* of the worker's page `notify_page` */
	uint32_t notify_page;
	bool notify_mapped;
};

struct fmapping {
	char *place;		/* RANGE_MAX pages of address space that nobody else uses */
	struct frange *range;	/* NULL: none */
	struct ffile *file;
	bool there[RANGE_MAX];	/* a VMA shows the page */
	bool lost[RANGE_MAX];	/* but its PTE was given up (PV) */
	int prot[RANGE_MAX];
	int max_prot;
	bool cut;		/* maybe several VMAs: those with a ->close are not always put together again */
	bool not_inherited[RANGE_MAX];	/* MADV_DONTFORK, which a VMA has from the start in PV */
	bool kept;		/* PV: MADV_KEEPONFORK */
};

struct fpin {
	bool used;
	struct pin pin;
	struct frange *range;
	uint32_t page;
};

/* A dma-buf: grants of ours, or pages of dmabuf_probe's. */
struct fbuffer {
	bool used;
	int fd;			/* -1: closed */
	int number;		/* what the file knows it as */
	struct ffile *file;	/* that exported it; NULL: it is the probe's */
	bool forgotten;		/* that file is closed */
	uint32_t nr;
	uint32_t page[RANGE_MAX];	/* exported: of the worker's */
	uint64_t word[RANGE_MAX];	/* the probe's: at FUZZ_WORD of each page */
	uint32_t holders;
};
#define FUZZ_WORD 1600	/* byte */

struct fimport {
	bool used;
	uint64_t age;		/* a higher one is newer */
	struct ffile *file;
	struct fbuffer *buffer;
	int number;		/* what the file knows it as: may be another buffer's by now */
	uint32_t refs[RANGE_MAX];
};

struct fholder {
	pid_t pid;		/* 0: none */
	int pipe;
	uint32_t files;		/* bits */
};

struct worker {
	struct granter *granter;
	uint32_t number;
	uint32_t first;		/* the granter's pages */
	bool alone;
	uint64_t random;
	int fds[NR_FDS];	/* -1 */
	struct ffile *fd_files[NR_FDS];
	struct ffile files[NR_FILES];
	struct frange ranges[NR_RANGES];
	struct fmapping mappings[NR_MAPPINGS];
	struct fpin pins[NR_PINS];
	struct fholder holders[NR_HOLDERS];
	struct fbuffer buffers[NR_BUFFERS];
	struct fimport imports[NR_IMPORTS];
	uint64_t age;		/* of the newest import */
	bool advised;		/* the kernel has taken a MADV_DOFORK */
	int common;		/* a file that all threads have */
	char *spare;		/* one more place */
	xenforeignmemory_handle *memory;
	uint64_t frames[NR_PAGES];
	char *truth;		/* the worker's pages through privcmd */
	bool revoked[NR_PAGES];
	xenevtchn_handle *channel;
	uint32_t port;
	uint32_t step;
	const struct fuzz_op *now;
};

extern __thread struct worker *w;

/* What the operation at work did was wrong: ends the process. */
void fuzz_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
#define must(cond, ...)                                                              \
	do {                                                                         \
		if (!(cond))                                                         \
			fuzz_fail(__FILE__, __LINE__, #cond ": " __VA_ARGS__);       \
	} while (0)
#define answer(call, expected) fuzz_answer(__FILE__, __LINE__, #call, call, expected)
void fuzz_answer(const char *file, int line, const char *call, long got, long expected);
/* What a drained pin or a lingering import undoes comes a moment later: ask again for up to ten seconds. */
#define comes(cond)                                                                  \
	({                                                                           \
		uint64_t until_ = now_us() + 10000000;                               \
		bool ok_;                                                            \
		while (!(ok_ = (cond)) && now_us() < until_)                         \
			sleep_ms(2);                                                 \
		ok_;                                                                 \
	})
/* For what charges pages: those that are given up at this moment may still count. */
#define answer_charged(call, expected)                                               \
	({                                                                           \
		int want_ = (expected), got_;                                        \
		comes((got_ = (call)) == want_ || got_ != -ENOSPC);                  \
		fuzz_answer(__FILE__, __LINE__, #call, got_, want_);                 \
	})

/* fuzz_op.c */
extern const struct fuzz_kind fuzz_kinds[];
extern const unsigned int fuzz_nr_kinds;
uint64_t fuzz_random(uint64_t *state);
void fuzz_generate(struct fuzz_op *ops, unsigned int nr, uint64_t seed, bool alone);
void fuzz_print(unsigned int number, const struct fuzz_op *op);

/* fuzz_model.c */
uint32_t model_granter_page(uint32_t page);
struct ffile *model_open(void);
/* Whether the file may name that domain: 0 or a negative errno. */
int model_may_name(const struct ffile *file, uint32_t domid);
/* Whether a request for nr pages is refused: 0 or a negative errno. */
int model_charge(const struct ffile *file, uint64_t nr);
struct frange *model_add(struct ffile *file, uint32_t nr);
void model_remove(struct frange *range);
/* The file's range that starts there and was not removed, or NULL. */
struct frange *model_find(const struct ffile *file, uint64_t index);
struct frange *model_find_at(const struct ffile *file, uint64_t index);
/* What mmap() with that protection answers. */
int model_mmap(const struct frange *range, int prot);
/* After each operation: what follows from it. */
void model_settle(void);
/* What INFO must say. */
struct model_info {
	uint64_t nr_ranges, nr_pages, nr_mapped, nr_draining;
};
struct model_info model_info(const struct ffile *file);
/* Whether somebody has the page mapped by grant. */
enum fbusy { F_FREE, F_PERHAPS, F_BUSY };
enum fbusy model_busy(uint32_t page);
/* The references that the buffer's open file has. */
long model_buffer_refs(const struct fbuffer *buffer);
/* Which one the file means by that number: the newest, or NULL. */
struct fimport *model_find_import(const struct ffile *file, int number);
void model_end_import(struct fimport *import);
/* A descriptor of the file, or -1. */
int model_fd(const struct ffile *file);
struct ffile *model_any_file(uint32_t choice, int *fd);
struct frange *model_any_range(uint32_t choice);
struct fmapping *model_any_mapping(uint32_t choice);

void op_open(struct fuzz_op *op);
void op_close(struct fuzz_op *op);
void op_dup(struct fuzz_op *op);
void op_pass(struct fuzz_op *op);
void op_add(struct fuzz_op *op);
void op_add_bad(struct fuzz_op *op);
void op_foreign(struct fuzz_op *op);
void op_remove(struct fuzz_op *op);
void op_info(struct fuzz_op *op);
void op_cap(struct fuzz_op *op);
void op_restrict(struct fuzz_op *op);
void op_notify(struct fuzz_op *op);
void op_copy(struct fuzz_op *op);
void op_revoke(struct fuzz_op *op);
void op_grant(struct fuzz_op *op);
void op_audit(struct fuzz_op *op);

void op_mmap(struct fuzz_op *op);
void op_mmap_bad(struct fuzz_op *op);
void op_munmap(struct fuzz_op *op);
void op_offset(struct fuzz_op *op);
void op_read(struct fuzz_op *op);
void op_write(struct fuzz_op *op);
void op_mprotect(struct fuzz_op *op);
void op_mremap(struct fuzz_op *op);
void op_dontneed(struct fuzz_op *op);
void op_advise(struct fuzz_op *op);
void op_common(struct fuzz_op *op);
void op_pin(struct fuzz_op *op);
void op_unpin(struct fuzz_op *op);

void op_export(struct fuzz_op *op);
void op_make(struct fuzz_op *op);
void op_drop(struct fuzz_op *op);
void op_swap(struct fuzz_op *op);
void op_wait(struct fuzz_op *op);
void op_import(struct fuzz_op *op);
void op_import_release(struct fuzz_op *op);
void op_imported(struct fuzz_op *op);

void op_fork(struct fuzz_op *op);
void op_hold(struct fuzz_op *op);
void op_release(struct fuzz_op *op);

/* Nothing but the place. */
void memory_reserve(char *place);
/* A mapping was unmapped as a whole. */
void memory_gone(struct fmapping *m);
/* One page of a mapping: can be read or written as the model says, and is the page it should be. */
void memory_check(const struct fmapping *m, uint32_t i, bool write, uint64_t value);

#endif
