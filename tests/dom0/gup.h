/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What get_user_pages() and its kin do, asked of the module gup_probe (tests/kernel). Everything returns 0 (or what is
 * said) or a negative errno; the errnos are in gup_probe.h.
 */
#ifndef GUP_H
#define GUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../kernel/gup_probe.h"

/* Opens /dev/gup_probe, after loading the module if need be; returns the descriptor. -ENOENT: there is no such module. */
int gup_open(void);

/* One call on memory of this process, or of `pid`. What it returned and took is in *call; pages[nr_pages]. */
int gup_call_pid(int fd, pid_t pid, unsigned int function, unsigned int flags, const void *addr, unsigned int nr_pages,
		 bool hold, struct gup_call *call, struct gup_page *pages);
int gup_call(int fd, unsigned int function, unsigned int flags, const void *addr, unsigned int nr_pages, bool hold,
	     struct gup_call *call, struct gup_page *pages);

/* Let go of what a call with `hold` got. Returns how many pages that were; `after` of each is in pages, unless NULL. */
int gup_release(int fd, bool dirty, struct gup_page *pages, unsigned int nr_pages);

/* A word of a page that is held, through the kernel's mapping. */
int gup_read_word(int fd, unsigned int page, unsigned int offset, uint64_t *value);
int gup_write_word(int fd, unsigned int page, unsigned int offset, uint64_t value);

/* PTEs and the pages behind them; nothing is called. */
int gup_look(int fd, const void *addr, unsigned int nr_pages, struct gup_page *pages);
/* How many of the PTEs have these bits of GUP_PTE_*. */
int gup_nr_ptes(int fd, const void *addr, unsigned int nr_pages, unsigned int bits);

/* Be a secondary MMU, that answers `young`; may be called again to change the answer. */
int gup_watch(int fd, const void *start, size_t size, bool young);
/* The same (it answers no), and the first invalidation there that may sleep takes so long before it starts. */
int gup_watch_slowly(int fd, const void *start, size_t size, unsigned int ms);
/* What it was told since the last time; returns how many events. -EOVERFLOW: there were more. */
int gup_events(int fd, struct gup_event *events, unsigned int nr_events);

/* "pin_user_pages_fast(WRITE|LONGTERM)", "get_user_pages(0)" */
const char *gup_call_name(unsigned int function, unsigned int flags, char *name, size_t size);
const char *gup_kind_name(unsigned int kind);
const char *gup_reason_name(unsigned int reason);

#endif
