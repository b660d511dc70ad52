/* SPDX-License-Identifier: GPL-2.0 */
/* The probe speaks the newest kernel's dialect; here older ones learn it. */
#ifndef GUP_PROBE_COMPAT_H
#define GUP_PROBE_COMPAT_H

#include <linux/mm.h>
#include <linux/version.h>

#include "../../driver/compat.h"

/* The functions lost an argument for VMAs. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define probe_get_user_pages(addr, nr, flags, pages) \
	get_user_pages(addr, nr, flags, pages, NULL)
#define probe_pin_user_pages(addr, nr, flags, pages) \
	pin_user_pages(addr, nr, flags, pages, NULL)
#define probe_get_user_pages_remote(mm, addr, nr, flags, pages) \
	get_user_pages_remote(mm, addr, nr, flags, pages, NULL, NULL)
#define probe_pin_user_pages_remote(mm, addr, nr, flags, pages) \
	pin_user_pages_remote(mm, addr, nr, flags, pages, NULL, NULL)
#else
#define probe_get_user_pages(addr, nr, flags, pages) \
	get_user_pages(addr, nr, flags, pages)
#define probe_pin_user_pages(addr, nr, flags, pages) \
	pin_user_pages(addr, nr, flags, pages)
#define probe_get_user_pages_remote(mm, addr, nr, flags, pages) \
	get_user_pages_remote(mm, addr, nr, flags, pages, NULL)
#define probe_pin_user_pages_remote(mm, addr, nr, flags, pages) \
	pin_user_pages_remote(mm, addr, nr, flags, pages, NULL)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define PROBE_HONOR_NUMA_FAULT 0
#else
#define PROBE_HONOR_NUMA_FAULT FOLL_HONOR_NUMA_FAULT
#endif

/* Called by KVM and i915 only, until nobody did. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define PROBE_PIN_FAST_ONLY 1
#define probe_pin_user_pages_fast_only pin_user_pages_fast_only
#else
#define PROBE_PIN_FAST_ONLY 0
#define probe_pin_user_pages_fast_only(addr, nr, flags, pages) 0
#endif

/* pin_user_pages_unlocked() came to know FOLL_LONGTERM in 6.2; before it warned. */
#define PROBE_UNLOCKED_LONGTERM (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0))

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define probe_large_pins(folio) atomic_read(folio_pincount_ptr(folio))
#else
#define probe_large_pins(folio) atomic_read(&(folio)->_pincount)
#endif

/* What a secondary MMU answers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 1, 0)
#define PROBE_YOUNG int
#else
#define PROBE_YOUNG bool
#endif

#endif
