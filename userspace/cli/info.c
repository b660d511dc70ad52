// SPDX-License-Identifier: GPL-2.0
/* gntmap info: what a node is and may do. And opening one, with an answer to why it does not work. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const struct {
	uint64_t bit;
	const char *name;
} features[] = {
	{ GNTMAP_FEATURE_FOREIGN, "foreign" },
	{ GNTMAP_FEATURE_NOTIFY, "notify" },
	{ GNTMAP_FEATURE_COPY, "copy" },
	{ GNTMAP_FEATURE_DMABUF, "dmabuf" },
};

const char *node_name(void)
{
	return settings.node ? settings.node : "the default node";
}

/* The path behind what was asked for, as far as it can be told. */
static void node_path(char *path, size_t size)
{
	if (!settings.node)
		snprintf(path, size, "no node of gntmap");
	else if (strchr(settings.node, '/') || gntmap_node_path(settings.node, path, size))
		snprintf(path, size, "%s", settings.node);
}

struct gntmap *open_node(int *code)
{
	struct gntmap *gntmap;
	char path[128];
	int err = gntmap_open(&gntmap, settings.node);

	if (!err)
		return gntmap;
	node_path(path, sizeof(path));
	if (err == -ENOENT && !settings.node)
		*code = failed("%s is there: load a strategy (modprobe gntmap-mixedmap), or name the node (--node)", path);
	else if (err == -ENOENT && !strchr(settings.node, '/'))
		*code = failed("%s is not there: load its module (modprobe gntmap-%s); `gntmap list' shows what there is",
			       path, settings.node);
	else if (err == -EACCES || err == -EPERM)
		*code = failed("%s: %s: be root, or see gntmap(4) for how to open it to a group", node_name(),
			       strerror(-err));
	else
		*code = failed("%s: %s", path, strerror(-err));
	return NULL;
}

static int info_as_json(const struct gntmap_info *info)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		if (info->features & features[i].bit)
			json_array_append_new(list, json_string(features[i].name));
	return print_json(json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:I, s:o, s:o}",
				    "strategy", info->strategy, "backend", info->backend, "provider", info->provider,
				    "ranges", (json_int_t)info->nr_ranges, "pages", (json_int_t)info->nr_pages,
				    "mapped_pages", (json_int_t)info->nr_mapped_pages,
				    "draining_pages", (json_int_t)info->nr_draining_pages,
				    "max_pages", info->max_pages > INT64_MAX ? json_null() : json_integer(info->max_pages),
				    "limit", (json_int_t)info->limit,
				    "domid", info->domid == GNTMAP_DOMID_ANY ? json_null() : json_integer(info->domid),
				    "features", list),
			  JSON_INDENT(2));
}

static int info_as_text(const struct gntmap_info *info)
{
	printf("strategy   %s\n", info->strategy);
	printf("backend    %s\n", info->backend);
	printf("provider   %s\n", info->provider);
	printf("limit      %u pages in one request\n", info->limit);
	if (info->max_pages <= INT64_MAX)
		printf("cap        %" PRIu64 " pages\n", (uint64_t)info->max_pages);
	if (info->domid != GNTMAP_DOMID_ANY)
		printf("domain     %u only\n", info->domid);
	printf("features  ");
	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		if (info->features & features[i].bit)
			printf(" %s", features[i].name);
	putchar('\n');
	return finish_output(0);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { COMMON_OPTIONS, { 0 } };
	struct gntmap_info info;
	struct gntmap *gntmap;
	int option, code, err;

	while ((option = getopt_long(argc, argv, COMMON_LETTERS, options, NULL)) >= 0)
		if (common_option(option, &code))
			return code;
	if (argc - optind > 1)
		return usage("one node at a time, `%s' is too much", argv[optind + 1]);
	if (optind < argc)
		settings.node = argv[optind];

	gntmap = open_node(&code);
	if (!gntmap)
		return code;
	err = gntmap_get_info(gntmap, &info, sizeof(info));
	gntmap_close(gntmap);
	if (err == -ENOTTY)
		return failed("%s is not a node of gntmap (in-tree xen-gntdev?): it has no information to give", node_name());
	if (err)
		return failed("%s: %s", node_name(), strerror(-err));
	return settings.json ? info_as_json(&info) : info_as_text(&info);
}

const struct command command_info = {
	.name = "info",
	.arguments = "[OPTION]... [NODE]",
	.summary = "What a node is and may do",
	.help = "Strategy, backend, provider of pages, the largest request, and which calls it has. What the files\n"
		"of other processes have is shown by `gntmap watch'.\n\n",
	.run = run,
};
