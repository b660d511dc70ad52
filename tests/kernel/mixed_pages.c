// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves the kernel's list of unpopulated pages, which is a stack, with pages of two devices by turns on its top, as a busy
 * dom0 comes to have it. Done when it is loaded; -ENOSPC if there are not two.
 */
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#include <xen/xen.h>

#include "compat.h"

#define NR 512u		/* of each */
/* More than are there before the list is filled again: in PVH all memory that dom0 has not got of the machine's, then sections. */
#define MOST (1u << 18)

struct mixed {
	unsigned int nr;
	struct page *pages[MOST + NR];
};

/* Takes pages until the last is of another device than the first. */
static int take(struct mixed *m)
{
	while (m->nr < MOST) {
		int err = xen_alloc_unpopulated_pages(1, &m->pages[m->nr]);

		if (err)
			return err;
		m->nr++;
		if (m->nr > NR &&
		    !zone_device_pages_have_same_pgmap(m->pages[0], m->pages[m->nr - 1]))
			return 0;
	}
	return -ENOSPC;
}

static int __init mixed_init(void)
{
	struct mixed *m = vzalloc(sizeof(*m));
	unsigned int i;
	int err;

	if (!m)
		return -ENOMEM;
	err = take(m);
	if (!err) {
		err = xen_alloc_unpopulated_pages(NR, m->pages + m->nr);
		if (!err)
			m->nr += NR;
	}
	if (err) {
		xen_free_unpopulated_pages(m->nr, m->pages);
		goto out;
	}
	xen_free_unpopulated_pages(m->nr - 2 * NR, m->pages + NR);
	for (i = 0; i < NR; i++) {
		xen_free_unpopulated_pages(1, &m->pages[i]);
		xen_free_unpopulated_pages(1, &m->pages[m->nr - NR + i]);
	}

out:
	vfree(m);
	return err;
}

static void __exit mixed_exit(void)
{
}

module_init(mixed_init);
module_exit(mixed_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Mixes the unpopulated pages of the kernel's list; for tests only");
