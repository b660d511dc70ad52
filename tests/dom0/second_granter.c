// SPDX-License-Identifier: GPL-2.0
#include "second_granter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenforeignmemory.h>

#include "domain_state.h"
#include "suite.h"

#define NAME "granter-second"
#define ENVIRONMENT "/run/granter-second.env"

void second_end(void)
{
	if (system("xl destroy " NAME " >/dev/null 2>&1"))
		return; /* there is none */
	unlink(ENVIRONMENT);
}

void second_pause(void)
{
	check(!system("xl pause " NAME " >/dev/null 2>&1"), "xl pause");
}

static uint64_t value(const char *name)
{
	FILE *file = fopen(ENVIRONMENT, "re");
	char line[128];
	size_t len = strlen(name);
	uint64_t value = 0;

	check(file, ENVIRONMENT ": %s", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, len) && line[len] == '=')
			value = strtoull(line + len + 1, NULL, 10);
	}
	fclose(file);
	check(value, "no %s", name);
	return value;
}

struct second_granter second_start(void)
{
	const char *start = getenv("GRANTER_START");
	struct second_granter second;
	char command[512];

	if (!start)
		case_skip("GRANTER_START, the command that starts a granter");
	second_end();
	snprintf(command, sizeof(command), "GRANTER_ENV=" ENVIRONMENT " %s 'name=\"" NAME "\"' >/dev/null 2>&1", start);
	check(!system(command), "%s", command);
	second.domid = value("GRANTER_DOMID");
	second.first_ref = value("GRANTER_FIRST_REF");
	second.gfn_list = value("GRANTER_GFN_LIST");
	return second;
}

static void read_frame(xenforeignmemory_handle *handle, uint32_t domid, xen_pfn_t frame, void *content)
{
	int err;
	void *page = xenforeignmemory_map(handle, domid, PROT_READ, 1, &frame, &err);

	check(page && !err, "frame %#lx of domain %u: %s", frame, domid, strerror(errno));
	memcpy(content, page, PAGE_SIZE);
	xenforeignmemory_unmap(handle, page, 1);
}

void second_frames(const struct second_granter *second, uint32_t nr, uint64_t *gfns)
{
	xenforeignmemory_handle *handle = xenforeignmemory_open(NULL, 0);
	uint64_t list[GRANTER_FRAMES_PER_LIST];

	check(handle, "%s", strerror(errno));
	read_frame(handle, second->domid, second->gfn_list, list);
	read_frame(handle, second->domid, list[0], list);
	memcpy(gfns, list, nr * sizeof(*gfns));
	xenforeignmemory_close(handle);
}

bool domain_is_gone(uint32_t domid)
{
	struct domain_state state;

	for (int i = 0; i < 200; i++) {
		if (!domain_state(domid, &state))
			return true;
		sleep_ms(50);
	}
	return false;
}
