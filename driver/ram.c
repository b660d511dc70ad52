// SPDX-License-Identifier: GPL-2.0
/*
 * Which of the machine's frames are RAM. Only PV domains see machine frames, and
 * only dom0 may ask Xen for the map of them.
 */
#include <linux/mutex.h>
#include <linux/pfn.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <asm/e820/types.h>
#include <asm/xen/hypercall.h>
#include <xen/interface/memory.h>
#include <xen/page.h>

#include "gntmap.h"

#define MAX_E820 512
/* To Xen all of the first MiB is IO, whatever the map says (arch_init_memory()). */
#define FIRST_PFN PFN_DOWN(SZ_1M)

static struct ram {
	unsigned int nr;
	struct {
		unsigned long first, end;	/* frames */
	} areas[];
} *ram;
static DEFINE_MUTEX(ram_lock);	/* who asks for it */

static struct ram *ask(void)
{
	struct xen_memory_map op = { .nr_entries = MAX_E820 };
	struct boot_e820_entry *map;
	struct ram *new = NULL;
	unsigned int i;

	map = kmalloc_array(MAX_E820, sizeof(*map), GFP_KERNEL);
	if (!map)
		return NULL;
	set_xen_guest_handle(op.buffer, map);
	if (!HYPERVISOR_memory_op(XENMEM_machine_memory_map, &op))
		new = kzalloc(struct_size(new, areas, op.nr_entries), GFP_KERNEL);
	for (i = 0; new && i < op.nr_entries; i++) {
		if (map[i].type != E820_TYPE_RAM)
			continue;
		new->areas[new->nr].first = max_t(unsigned long, PFN_UP(map[i].addr), FIRST_PFN);
		new->areas[new->nr++].end = PFN_DOWN(map[i].addr + map[i].size);
	}
	kfree(map);
	return new;
}

/* Can the question be answered? It sleeps the first time. */
bool gntmap_ram_known(void)
{
	mutex_lock(&ram_lock);
	if (!ram)
		ram = ask();
	mutex_unlock(&ram_lock);
	return ram;
}

/* Is this machine frame memory? After gntmap_ram_known() said yes. */
bool gntmap_ram_has(unsigned long mfn)
{
	unsigned int i;

	for (i = 0; i < ram->nr; i++)
		if (mfn >= ram->areas[i].first && mfn < ram->areas[i].end)
			return true;
	return false;
}

void gntmap_ram_exit(void)
{
	kfree(ram);
}
