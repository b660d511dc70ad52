/* SPDX-License-Identifier: GPL-2.0 */
/* A range of granter pages in the hands of a case: what must succeed ends the case when it does not. */
#ifndef RANGE_H
#define RANGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

/* gntdev.h uses their types without including them */
#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/gntdev.h>

#include "pin.h"

struct range {
	int fd;
	uint32_t first; /* the granter's page */
	uint32_t count;
	uint64_t offset;
	char *addr; /* NULL while not mapped */
	int prot;
};

/* These return 0 or a negative errno. */
int try_add(int fd, const struct ioctl_gntdev_grant_ref *refs, uint32_t count, uint64_t *offset);
int try_remove(int fd, uint64_t offset, uint32_t count);
int try_mmap(int fd, uint64_t offset, size_t length, int prot, int flags, void **addr);
int try_munmap(void *addr, size_t length);
int try_mprotect(void *addr, size_t length, int prot);

/* The references of count pages from `first` on. */
void fill_refs(struct ioctl_gntdev_grant_ref *refs, uint32_t first, uint32_t count);

int open_node(void);
struct range range_add(int fd, uint32_t first, uint32_t count);
void range_mmap(struct range *r, int prot);
/* The same after a page was held: between the last grant's return and the range's there is a moment in which it is busy. */
void range_mmap_drained(struct range *r, int prot);
struct range range_map(int fd, uint32_t first, uint32_t count, int prot);
void range_munmap(struct range *r);
void range_remove(struct range *r);
void range_unmap(struct range *r);

static inline size_t range_length(const struct range *r)
{
	return (size_t)r->count * 4096;
}

static inline char *range_page(const struct range *r, uint32_t page)
{
	return r->addr + (size_t)page * 4096;
}

/* nr pages at addr hold the pattern with `seed` of the granter's pages from `first` on. */
void check_pattern(const char *addr, uint32_t first, uint32_t nr, uint64_t seed);
/* They hold what the granter fills in now. */
void check_reads(const char *addr, uint32_t first, uint32_t nr);
/* What we write there now is what the granter sees. */
void check_writes(char *addr, uint32_t first, uint32_t nr);
/* Content and liveness of some of the range's pages, in every direction that its protection allows. */
void range_check_pages(const struct range *r, uint32_t page, uint32_t nr);
void range_check(const struct range *r);

/*
 * Holds on to a page of it. False: not to be had here, this kernel does not pin such pages so, or the strategy refuses it.
 * Any other failure is the case's.
 */
bool range_pin(const struct range *r, uint32_t page, enum pin_kind kind, struct pin *pin);

/* 0, or the signal that reading (or writing) one word there raises. */
int touch(void *addr, bool write);

/*
 * Waits, ten seconds at most (times suite_patience()), until just nr of the granter's pages first .. first + count - 1
 * are mapped by grant; fails the case when that does not come.
 */
void wait_busy(uint32_t first, uint32_t count, int64_t nr);

#endif
