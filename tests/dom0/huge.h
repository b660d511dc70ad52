/* SPDX-License-Identifier: GPL-2.0 */
/* One huge page, for a while. Only domains that are not PV have any. */
#ifndef HUGE_H
#define HUGE_H

#define HUGE_SIZE (2ul << 20)

/* There is one from now on, which nobody has. Skips the case if the kernel has none to give. */
void huge_page_reserve(void);
/* Once nobody has it any more. */
void huge_page_release(void);
unsigned int huge_pages_free(void);

#endif
