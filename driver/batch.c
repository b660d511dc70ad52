// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for the operations of one hypercall where nothing may be allocated.
 *
 * Whoever takes frames back must not fail, so each CPU has some. It is one's own
 * from gntmap_batch_get() to gntmap_batch_put(), with preemption off: fill it, make
 * the hypercall, look at the results, and do not sleep meanwhile.
 */
#include <linux/percpu.h>

#include "gntmap.h"

struct batch {
	u64 words[GNTMAP_BATCH_BYTES / sizeof(u64)];
};

static struct batch __percpu *batches;

/* Return: GNTMAP_BATCH_BYTES, not cleared. */
void *gntmap_batch_get(void)
{
	return get_cpu_ptr(batches)->words;
}

void gntmap_batch_put(void)
{
	put_cpu_ptr(batches);
}

int gntmap_batch_init(void)
{
	batches = alloc_percpu(struct batch);
	return batches ? 0 : -ENOMEM;
}

/* No range is left. */
void gntmap_batch_exit(void)
{
	free_percpu(batches);
}
