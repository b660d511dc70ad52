/* SPDX-License-Identifier: GPL-2.0 */
/* One huge page, as long as the case takes. Only domains that are not PV have any. */
#ifndef HUGE_H
#define HUGE_H

#define HUGE_SIZE (2ul << 20)

/* There is just one from now on that nobody has. Skips the case if the kernel has none to give. */
void huge_page_reserve(void);
unsigned int huge_pages_free(void);

#endif
