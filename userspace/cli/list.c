// SPDX-License-Identifier: GPL-2.0
/* gntmap list: modules, parameters, nodes. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "nodes.h"

#define PARAMETERS ROOT "/sys/module/gntmap/parameters"

static int is_parameter(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The core's parameters, whatever they are by now. */
static json_t *parameters(void)
{
	json_t *object = json_object();
	struct dirent **entries;
	int nr = scandir(PARAMETERS, &entries, is_parameter, alphasort);

	for (int i = 0; i < nr; i++) {
		char path[sizeof(PARAMETERS) + 256], value[128];

		snprintf(path, sizeof(path), PARAMETERS "/%s", entries[i]->d_name);
		/* One that may not be read is left out. */
		if (read_line(path, value, sizeof(value)))
			json_object_set_new(object, entries[i]->d_name, json_string(value));
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
	return object;
}

static int list_as_json(const struct node nodes[NR_NODES])
{
	const struct node *gntdev = nodes_at_gntdev(nodes);
	json_t *strategies = json_array();

	for (size_t i = 0; i < NODE_GNTDEV; i++) {
		char path[96];

		snprintf(path, sizeof(path), "/dev/%s", nodes[i].name);
		json_array_append_new(strategies,
				      json_pack("{s:s, s:s, s:o, s:b}", "strategy", nodes[i].strategy,
						"module", module_state_name(nodes[i].module),
						"node", nodes[i].name[0] ? json_string(path) : json_null(),
						"accessible", nodes[i].accessible));
	}
	return print_json(json_pack("{s:s, s:o, s:o, s:o}", "core", module_state_name(module_state("gntmap")),
				    "parameters", parameters(), "strategies", strategies,
				    "gntdev", gntdev ? json_string(gntdev->strategy) : json_null()),
			  JSON_INDENT(2));
}

static int list_as_text(const struct node nodes[NR_NODES])
{
	const struct node *gntdev = nodes_at_gntdev(nodes);
	json_t *core = parameters();
	json_t *value;
	const char *name;

	printf("%-9s  %-9s  %s\n", "STRATEGY", "MODULE", "NODE");
	for (size_t i = 0; i < NODE_GNTDEV; i++) {
		const struct node *node = &nodes[i];

		printf("%-9s  %-9s  %s%s%s\n", node->strategy, module_state_name(node->module),
		       node->name[0] ? "/dev/" : "-", node->name,
		       node->name[0] && !node->accessible ? " (not for this user)" : "");
	}
	printf("\ncore       %s", module_state_name(module_state("gntmap")));
	json_object_foreach(core, name, value)
		printf("%s%s=%s", value == json_object_iter_value(json_object_iter(core)) ? ": " : " ", name,
		       json_string_value(value));
	json_decref(core);
	printf("\n/dev/xen/gntdev  %s\n", gntdev ? gntdev->strategy : "nobody's");
	return finish_output(0);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { COMMON_OPTIONS, { 0 } };
	struct node nodes[NR_NODES];
	int option, code;

	while ((option = getopt_long(argc, argv, COMMON_LETTERS, options, NULL)) >= 0)
		if (common_option(option, &code))
			return code;
	if (optind < argc)
		return usage("`%s': list takes no arguments", argv[optind]);

	nodes_look(nodes);
	return settings.json ? list_as_json(nodes) : list_as_text(nodes);
}

const struct command command_list = {
	.name = "list",
	.arguments = "[OPTION]...",
	.summary = "The strategies: modules, nodes, parameters",
	.help = "For each strategy: is its module installed for this kernel, or loaded, and where is its node. Then the\n"
		"core's parameters, and who stands at /dev/xen/gntdev. Needs neither root nor a Xen host.\n\n",
	.run = run,
};
