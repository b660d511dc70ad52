// SPDX-License-Identifier: GPL-2.0
/* How the mapping looks in /proc, and what is left when all is over. */
#include "compare.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compare_buffer.h"
#include "vma.h"

const char *const vma_rows[] = { "VMA flags", "numa_maps policy", NULL };

/* Without what only says how it was mapped: readable, writable, shared, their "may" twins, soft-dirty. */
static void mechanism_flags(const struct vma *vma, char *text, size_t size)
{
	static const char boring[] = " rd wr sh mr mw me ms sd ";
	size_t len = 0;

	text[0] = '\0';
	for (const char *at = vma->flags; *at; at += at[2] ? 3 : 2) {
		char flag[5] = { ' ', at[0], at[1], ' ', '\0' };

		if (!strstr(boring, flag))
			len += snprintf(text + len, size - len, "%s%.2s", len ? " " : "", at);
	}
}

void probe_vma(struct probe *probe)
{
	struct node_range range;
	struct vma vma;
	char flags[64];
	int ret;

	probe_map(probe, 4, &range);
	ret = vma_find(0, range.addr, &vma);
	if (ret)
		probe_die(probe, "smaps: %s", strerror(-ret));
	mechanism_flags(&vma, flags, sizeof(flags));
	observe(probe, "VMA flags", "%s", flags);
	if (vma.policy[0])
		observe(probe, "numa_maps policy", "%s", vma.policy);
	else
		skip(probe, "numa_maps policy", "no /proc/self/numa_maps");
	node_unmap(probe->fd, &range);
}

const char *const leak_rows[] = { "references still busy", NULL };

void probe_leak(struct probe *probe)
{
	int64_t busy = -1;

	/* A page that was pinned goes back a little later than its mapping. */
	for (int i = 0; i < 20 && busy; i++) {
		busy = granter_busy(probe->granter, 0, probe->granter->nr_refs, NULL);
		if (busy < 0)
			probe_die(probe, "the granter does not answer: %m");
		if (busy)
			usleep(100 * 1000);
	}
	observe_value(probe, "references still busy", busy, "%lld", (long long)busy);
}
