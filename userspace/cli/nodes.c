// SPDX-License-Identifier: GPL-2.0
#include "nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli.h"

bool read_line(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	bool good = file && fgets(text, size, file);

	if (file)
		fclose(file);
	if (good)
		text[strcspn(text, "\n")] = 0;
	return good;
}

/* Is it in modules.dep? Its lines begin with "path/NAME.ko:", or .ko.xz and the like. */
static bool installed(const char *module)
{
	struct utsname uts;
	char path[512], want[64];
	bool found = false;
	char *line = NULL;
	size_t size = 0;
	FILE *file;

	uname(&uts);
	snprintf(path, sizeof(path), ROOT "/lib/modules/%s/modules.dep", uts.release);
	snprintf(want, sizeof(want), "/%s.ko", module);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && getline(&line, &size, file) > 0) {
		char *at;

		line[strcspn(line, ":")] = 0;
		at = strstr(line, want);
		found = at && (!at[strlen(want)] || at[strlen(want)] == '.');
	}
	free(line);
	fclose(file);
	return found;
}

enum module_state module_state(const char *module)
{
	char path[128];

	snprintf(path, sizeof(path), ROOT "/sys/module/%s", module);
	for (char *c = path + strlen(ROOT "/sys/module/"); *c; c++)
		if (*c == '-')
			*c = '_';
	if (!access(path, F_OK))
		return MODULE_LOADED;
	return installed(module) ? MODULE_AVAILABLE : MODULE_ABSENT;
}

const char *module_state_name(enum module_state state)
{
	switch (state) {
	case MODULE_LOADED:
		return "loaded";
	case MODULE_AVAILABLE:
		return "available";
	default:
		return "absent";
	}
}

/* In sysfs a device's name has ! for /. */
static dev_t dev_of(const char *name)
{
	unsigned int major, minor;
	char path[160], text[32];

	snprintf(path, sizeof(path), ROOT "/sys/class/misc/%s/dev", name);
	for (char *c = path + strlen(ROOT "/sys/class/misc/"); c < path + strlen(path) - strlen("/dev"); c++)
		if (*c == '/')
			*c = '!';
	if (!read_line(path, text, sizeof(text)) || sscanf(text, "%u:%u", &major, &minor) != 2)
		return 0;
	return makedev(major, minor);
}

static void find_device(struct node *node, const char *name)
{
	char path[96];

	node->dev = dev_of(name);
	if (!node->dev)
		return;
	snprintf(node->name, sizeof(node->name), "%s", name);
	snprintf(path, sizeof(path), ROOT "/dev/%s", name);
	node->accessible = !access(path, R_OK | W_OK);
}

void nodes_look(struct node nodes[NR_NODES])
{
	static const char *const strategies[] = { "vmio", "mixedmap", "policy", "none" };
	bool gntdev_taken = false;

	memset(nodes, 0, NR_NODES * sizeof(*nodes));
	for (size_t i = 0; i < ARRAY_SIZE(strategies); i++) {
		char module[32], path[96], name[64];

		nodes[i].strategy = strategies[i];
		snprintf(module, sizeof(module), "gntmap-%s", strategies[i]);
		nodes[i].module = module_state(module);
		if (nodes[i].module != MODULE_LOADED)
			continue;
		snprintf(path, sizeof(path), ROOT "/sys/module/gntmap_%s/parameters/node", strategies[i]);
		if (!read_line(path, name, sizeof(name)) || !name[0])
			snprintf(name, sizeof(name), "xen/%s", module);
		find_device(&nodes[i], name);
		gntdev_taken |= !strcmp(nodes[i].name, "xen/gntdev");
	}
	nodes[NODE_GNTDEV].strategy = "xen-gntdev";
	nodes[NODE_GNTDEV].module = module_state("xen-gntdev");
	if (!gntdev_taken)
		find_device(&nodes[NODE_GNTDEV], "xen/gntdev");
}

const struct node *nodes_at_gntdev(const struct node nodes[NR_NODES])
{
	for (size_t i = 0; i < NR_NODES; i++)
		if (!strcmp(nodes[i].name, "xen/gntdev"))
			return &nodes[i];
	return NULL;
}
