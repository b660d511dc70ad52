/* SPDX-License-Identifier: GPL-2.0 */
/* What each way of reaching a grant's page from user space must answer, by strategy, mode and kernel. */
#ifndef GUP_RULES_H
#define GUP_RULES_H

/*
 * Whoever tries get_user_pages_fast() or pin_user_pages_fast() first: O_DIRECT and libaio and liburing with plain buffers
 * (iov_iter_extract_pages()), vmsplice(), get_mempolicy(MPOL_F_NODE). 0 or -EFAULT.
 *
 * The fast way never sees the VMA, so VM_IO counts for nothing where it takes the PTE. It leaves special PTEs (PV) to the slow way,
 * whose check_vma_flags() refuses VM_IO, and since 6.10 gup_fast_folio_allowed() leaves to it pages without ->mapping too.
 */
int gup_fast_rule(void);

/* Whoever goes by get_user_pages_remote() and its like: always check_vma_flags(). 0 or -EFAULT. */
int gup_slow_rule(void);

/*
 * io_uring's registered buffers: a long-term pin. Before 6.5 io_pin_pages() itself refuses what is a file's, after it has
 * pinned it the slow way.
 */
int gup_longterm_rule(void);

#endif
