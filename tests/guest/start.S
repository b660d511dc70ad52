/* SPDX-License-Identifier: GPL-2.0 */
/* How Xen finds and enters the guest. */

#include <xen/elfnote.h>

	.macro note type, desc:vararg
	.pushsection .note.Xen, "a", @note
	.balign 4
	.long 2f - 1f, 4f - 3f, \type
1:	.asciz "Xen"
2:	.balign 4
3:	\desc
4:	.balign 4
	.popsection
	.endm

	/* No FEATURES note: this guest asks nothing of Xen but what every PV guest gets. */
	note XEN_ELFNOTE_GUEST_OS,	 .asciz "granter"
	note XEN_ELFNOTE_XEN_VERSION,	 .asciz "xen-3.0"
	note XEN_ELFNOTE_LOADER,	 .asciz "generic"
	note XEN_ELFNOTE_VIRT_BASE,	 .quad VIRT_BASE
	note XEN_ELFNOTE_PADDR_OFFSET,	 .quad 0
	note XEN_ELFNOTE_ENTRY,		 .quad start
	note XEN_ELFNOTE_HYPERCALL_PAGE, .quad hypercall_page

	.text
	.globl start
start:
	cld
	leaq	stack_end(%rip), %rsp
	xorl	%ebp, %ebp
	movq	%rsi, %rdi		/* struct start_info */
	call	granter_main
	ud2

	.globl hypercall_page
	.balign 4096
hypercall_page:
	.skip 4096			/* filled by whoever builds the domain */

	.bss
	.balign 4096
	.skip 4 * 4096
stack_end:

	.section .note.GNU-stack, "", @progbits
