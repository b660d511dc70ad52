// SPDX-License-Identifier: GPL-2.0
/*
 * What /proc/PID/fdinfo tells of an open file: the numbers of GNTMAP_IOCTL_INFO,
 * for those who look at other processes' files.
 */
#include <linux/seq_file.h>

#include "gntmap.h"

void gntmap_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct gntmap_info info = {};

	gntmap_info_fill(file->private_data, &info);
	seq_printf(m, "gntmap-strategy:\t%s\n", info.strategy);
	seq_printf(m, "gntmap-ranges:\t%llu\n", info.nr_ranges);
	seq_printf(m, "gntmap-pages:\t%llu\n", info.nr_pages);
	seq_printf(m, "gntmap-mapped:\t%llu\n", info.nr_mapped_pages);
	seq_printf(m, "gntmap-draining:\t%llu\n", info.nr_draining_pages);
	if (info.max_pages == U64_MAX)
		seq_puts(m, "gntmap-max-pages:\tnone\n");
	else
		seq_printf(m, "gntmap-max-pages:\t%llu\n", info.max_pages);
	if (info.domid == GNTMAP_DOMID_ANY)
		seq_puts(m, "gntmap-domid:\tany\n");
	else
		seq_printf(m, "gntmap-domid:\t%u\n", info.domid);
}
