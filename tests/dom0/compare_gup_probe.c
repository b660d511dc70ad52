// SPDX-License-Identifier: GPL-2.0
/* The last table: what get_user_pages() and its kin do, asked of the kernel itself (gup_rows.h). */
#include "compare.h"

#include <errno.h>
#include <string.h>

#include "gup_rows.h"

static void told(void *arg, const char *row, const char *text, const char *why)
{
	if (text)
		observe(arg, row, "%s", text);
	else
		skip(arg, row, "%s", why);
}

void probe_gup(struct probe *probe)
{
	struct gup_table table = {
		.kind = probe->column->strategy,
		.granter = probe->granter,
		.node_fd = probe->fd,
		.block_device = probe->block_device,
		.told = told,
		.arg = probe,
	};
	const char *failed;
	int ret;

	if (!strcmp(table.kind, GUP_FOREIGN)) {
		table.node_fd = node_open("mixedmap");
		if (table.node_fd < 0)
			probe_die(probe, "the node of mixedmap: %s", strerror(-table.node_fd));
	}
	ret = gup_run_rows(&table, probe->gup_state, &failed);

	if (ret)
		probe_die(probe, "%s: %s", failed, strerror(-ret));
}
