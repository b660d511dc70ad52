/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A PVH guest for test_foreign_hvm.c: some pages with a pattern, and two words through which one sees that it is alive. It has no
 * interrupts, no memory management, and asks Xen for nothing but to let others run.
 */
#include <xen/elfnote.h>

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
	.asciz "Xen"
	.long start

	/* Frame 0x100: see pvh_guest.lds. */
	.text
	.globl start
start:
	movl	$hypercall_page, %esp	/* what is left of this page */
	movl	$0x40000002, %eax	/* leaf: hypercalls; %ebx: the register that takes their page */
	cpuid
	movl	%ebx, %ecx
	movl	$hypercall_page, %eax
	xorl	%edx, %edx
	wrmsr
1:	movl	question, %eax
	notl	%eax
	movl	%eax, answer
	xorl	%ebx, %ebx		/* SCHEDOP_yield */
	call	hypercall_page + 29 * 32	/* sched_op */
	jmp	1b

	.balign 4096
hypercall_page:			/* 0x101 */
	.skip 4096

	.data
	.balign 4096
question:			/* 0x102 */
	.skip 4096
answer:				/* 0x103 */
	.skip 4096
	/* Page i of 16, from 0x104 on: each word is its number among all of them, times 3. */
	.set	word, 0
	.rept	16 * 1024
	.long	word * 3
	.set	word, word + 1
	.endr

	.section .note.GNU-stack, "", @progbits
