// SPDX-License-Identifier: GPL-2.0
/* What the probes look at: grants, or foreign frames; and what becomes of the frames' domain. */
#include "compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../include/uapi/xen/gntmap.h"
#include "compare_buffer.h"
#include "domain_state.h"

#define NAME "granter-compare"
#define ENVIRONMENT "/run/" NAME ".env"

static void map_frames(struct probe *probe, uint32_t domid, const uint64_t *gfns, uint32_t nr, struct node_range *range)
{
	struct gntmap_map_foreign op = {
		.size = sizeof(op),
		.flags = GNTMAP_FOREIGN_WRITE,
		.domid = domid,
		.nr = nr,
		.gfns = (uintptr_t)gfns,
	};
	int ret;

	if (ioctl(probe->fd, GNTMAP_IOCTL_MAP_FOREIGN, &op))
		probe_die(probe, "MAP_FOREIGN: %s", strerror(errno));
	*range = (struct node_range){ .index = op.offset, .count = nr };
	ret = node_mmap(probe->fd, range, PROT_READ | PROT_WRITE);
	if (ret)
		probe_die(probe, "mmap: %s", strerror(-ret));
}

void probe_map(struct probe *probe, uint32_t nr, struct node_range *range)
{
	uint64_t *gfns;
	int ret;

	if (!probe->foreign) {
		ret = node_map(probe->fd, probe->granter->domid, probe->granter->first_ref, nr, PROT_READ | PROT_WRITE, range);
		if (ret)
			probe_die(probe, "map: %s", strerror(-ret));
		return;
	}
	gfns = calloc(nr, sizeof(*gfns));
	if (!gfns || granter_frames(probe->granter, 0, nr, gfns))
		probe_die(probe, "the granter's frames: %m");
	map_frames(probe, probe->granter->domid, gfns, nr, range);
	free(gfns);
}

const char *const zombie_rows[] = { "its domain, destroyed while it is mapped", NULL };

static uint64_t value(const char *name)
{
	FILE *file = fopen(ENVIRONMENT, "re");
	uint64_t value = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, strlen(name)))
			value = strtoull(line + strlen(name), NULL, 10);
	}
	if (file)
		fclose(file);
	return value;
}

static void destroy(void)
{
	if (system("xl destroy " NAME " >/dev/null 2>&1"))
		return; /* there is none */
	unlink(ENVIRONMENT);
}

static int wait_state(uint32_t domid, int wanted)
{
	struct domain_state state = { 0 };
	int is = 1;

	for (int i = 0; i < 200; i++) {
		is = domain_state(domid, &state);
		if (is != 1 || (wanted && state.dying))
			break;
		usleep(50 * 1000);
	}
	return is == 1 && !state.dying ? -EBUSY : is;
}

void probe_zombie(struct probe *probe)
{
	const char *start = getenv("GRANTER_START");
	struct node_range range;
	char command[512];
	uint64_t frame;
	uint32_t domid;

	if (!start) {
		skip(probe, zombie_rows[0], "no GRANTER_START");
		return;
	}
	destroy();
	snprintf(command, sizeof(command), "GRANTER_ENV=" ENVIRONMENT " %s 'name=\"" NAME "\"' >/dev/null 2>&1", start);
	if (system(command))
		probe_die(probe, "no second granter");
	domid = value("GRANTER_DOMID=");
	frame = value("GRANTER_FIRST_GFN=");
	map_frames(probe, domid, &frame, 1, &range);
	destroy();
	if (wait_state(domid, 1) != 1) {
		observe(probe, zombie_rows[0], "gone while it was mapped");
		return;
	}
	if (node_unmap(probe->fd, &range))
		probe_die(probe, "unmap: %m");
	observe(probe, zombie_rows[0], "%s", wait_state(domid, 0) ? "a zombie for 10 s" : "gone once unmapped");
}
