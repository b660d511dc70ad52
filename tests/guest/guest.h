/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the guest know of each other. */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>

#define PAGE_SIZE 4096
#define PAGE_ALIGNED __attribute__((aligned(PAGE_SIZE)))
#define NR_WORDS (PAGE_SIZE / 8)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
/* The ring protocols store an index, then look whether the other side still runs. */
#define full_barrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* Linux's numbers, which dom0 understands. */
enum { ENOENT = 2, EIO = 5, EBUSY = 16, ENODEV = 19, EINVAL = 22, ERANGE = 34, ENOSYS = 38, ETIMEDOUT = 110 };

/* Hypercalls return 0 or more, or a negative errno of Xen's. */
#define hypercall(nr, a1, a2, a3)                                                                  \
	({                                                                                         \
		long ret_, a1_ = (long)(a1), a2_ = (long)(a2), a3_ = (long)(a3);                    \
		asm volatile("call hypercall_page + %c[off]"                                       \
			     : "=a"(ret_), "+D"(a1_), "+S"(a2_), "+d"(a3_)                          \
			     : [off] "i"((nr) * 32)                                                \
			     : "rcx", "r8", "r9", "r10", "r11", "memory");                         \
		ret_;                                                                              \
	})

/* memory.c */
void memory_init(const struct start_info *si);
/* The machine frame of the page at pfn; of a page of the image. */
uint64_t pfn_to_mfn(uint64_t pfn);
uint64_t image_to_mfn(const void *page);
/* Show machine frame mfn at `page`, a page of the image that is given up for it. */
void map_frame(void *page, uint64_t mfn);
/* The first pfn that neither the image nor what the domain builder put behind it occupies, and their end. */
extern uint64_t free_pfn, end_pfn;

/* event.c */
void event_init(const struct start_info *si);
uint32_t event_alloc(domid_t remote);
void event_send(uint32_t port);
/* Was it pending? It is not any more. */
bool event_take(uint32_t port);
/* Sleep until one of the ports is pending or timeout_ns have gone by. */
void event_wait(const uint32_t *ports, unsigned int nr_ports, uint64_t timeout_ns);
uint64_t clock_ns(void);

/* text.c: %s, %lu and %ld, nothing else */
size_t text_format(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t text_vformat(char *buf, size_t size, const char *format, __builtin_va_list args);
size_t text_length(const char *text);
/* The number after "name=" among the words of `line`, or `fallback` when there is none; dies of nonsense. */
uint64_t text_option(const char *line, const char *name, uint64_t fallback);
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);

/* console.c */
void console_init(const struct start_info *si);
void console_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void shut_down(unsigned int reason);
/* Say that `what` failed with `code`, and crash the domain. */
_Noreturn void die(const char *what, long code);

/* xenstore.c */
void xenstore_init(const struct start_info *si);
void xenstore_write(const char *path, const char *value);
/* false: no such key; what does not fit is cut off */
bool xenstore_read(const char *path, char *value, size_t size);

/* grants.c */
void grants_init(uint32_t nr_refs);
void grant(uint32_t ref, domid_t to, uint64_t mfn, bool readonly);
bool grant_exists(uint32_t ref);
bool grant_busy(uint32_t ref);
/* Returns false, and changes nothing, while somebody maps the page. */
bool grant_end(uint32_t ref);

/* disk.c: the commands GRANTER_DISK_* of granter.h */
void disk_init(uint32_t first_ref, uint32_t ring_ref);
int disk_open(const uint64_t *arg, uint64_t *reply);
int disk_io(const uint64_t *arg, uint64_t *reply);
int disk_close(const uint64_t *arg, uint64_t *reply);

/* vchan.c: GRANTER_VCHAN_SERVE */
void vchan_init(uint32_t first_ref, uint32_t shared_ref);
int vchan_serve(const uint64_t *arg, uint64_t *reply);

/* The page that dom0 grants as `ref`, or NULL: Xen refuses. One at a time. */
volatile uint64_t *grant_map(uint32_t ref);
void grant_unmap(void);

/* pages.c */
void pages_init(uint64_t nr);
extern uint64_t nr_pages;
uint64_t page_mfn(uint64_t page);
/* The frame of the directory that granter.h calls gfn_list. */
uint64_t pages_directory_mfn(void);
/* The words of a page, until the next call. */
volatile uint64_t *page_words(uint64_t page);
void page_fill(uint64_t page, uint64_t seed);

#endif
