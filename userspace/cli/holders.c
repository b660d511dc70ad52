// SPDX-License-Identifier: GPL-2.0
#include "holders.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "nodes.h"
#include "numbers.h"

static struct holder *add(struct holders *holders, pid_t pid, int fd, const struct node *node)
{
	struct holder *list, *new;
	char path[64];

	list = realloc(holders->list, (holders->nr + 1) * sizeof(*list));
	if (!list)
		return NULL;
	holders->list = list;
	new = &list[holders->nr++];
	*new = (struct holder){
		.pid = pid,
		.fd = fd,
		.strategy = node->strategy,
		.nr_ranges = HOLDER_UNKNOWN,
		.nr_pages = HOLDER_UNKNOWN,
		.nr_mapped_pages = HOLDER_UNKNOWN,
		.nr_draining_pages = HOLDER_UNKNOWN,
		.max_pages = HOLDER_UNKNOWN,
		.domid = HOLDER_UNKNOWN,
	};
	snprintf(new->node, sizeof(new->node), "%s", node->name);
	snprintf(path, sizeof(path), ROOT "/proc/%d/comm", pid);
	if (!read_line(path, new->command, sizeof(new->command)))
		strcpy(new->command, "?");
	/* A process calls itself what it likes; a terminal and JSON want plain text. */
	for (char *c = new->command; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return new;
}

/* The lines that gntmap's files add to fdinfo; a number, or a word ("none", "any") that stands for unknown. */
static void read_fdinfo(struct holder *holder)
{
	const struct {
		const char *key;
		uint64_t *to;
	} keys[] = {
		{ "gntmap-ranges:", &holder->nr_ranges },
		{ "gntmap-pages:", &holder->nr_pages },
		{ "gntmap-mapped:", &holder->nr_mapped_pages },
		{ "gntmap-draining:", &holder->nr_draining_pages },
		{ "gntmap-max-pages:", &holder->max_pages },
		{ "gntmap-domid:", &holder->domid },
	};
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), ROOT "/proc/%d/fdinfo/%d", holder->pid, holder->fd);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			size_t length = strlen(keys[i].key);

			if (strncmp(line, keys[i].key, length))
				continue;
			line[strcspn(line, "\n")] = 0;
			number_parse(line + length + strspn(line + length, " \t"), UINT64_MAX, keys[i].to);
		}
	}
	fclose(file);
}

static const struct node *node_by_dev(const struct node *nodes, dev_t dev)
{
	for (size_t i = 0; i < NR_NODES; i++)
		if (nodes[i].dev && nodes[i].dev == dev)
			return &nodes[i];
	return NULL;
}

/* By device number: whatever the name under which the node was opened. */
static bool look_at_files(struct holders *holders, const struct node *nodes, pid_t pid)
{
	const struct node *node;
	struct dirent *entry;
	char path[320];
	bool good = true;
	struct stat st;
	DIR *dir;

	snprintf(path, sizeof(path), ROOT "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir) {
		holders->hidden |= errno == EACCES;
		return true;
	}
	while (good && (entry = readdir(dir))) {
		struct holder *holder;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), ROOT "/proc/%d/fd/%s", pid, entry->d_name);
		if (stat(path, &st) || !S_ISCHR(st.st_mode))
			continue;
		node = node_by_dev(nodes, st.st_rdev);
		if (!node)
			continue;
		holder = add(holders, pid, atoi(entry->d_name), node);
		good = holder;
		if (holder)
			read_fdinfo(holder);
	}
	closedir(dir);
	return good;
}

static struct holder *of_node(struct holders *holders, size_t from, const struct node *node)
{
	for (size_t i = from; i < holders->nr; i++)
		if (!strcmp(holders->list[i].node, node->name))
			return &holders->list[i];
	return NULL;
}

/* Mappings of @node in a process: what its files do not tell, and what outlived them. */
static bool look_at_mappings(struct holders *holders, size_t from, const struct node *node, pid_t pid)
{
	char path[96], want[80], line[512];
	struct holder *holder;
	uint64_t bytes = 0;
	FILE *file;

	snprintf(want, sizeof(want), " /dev/%s\n", node->name);
	snprintf(path, sizeof(path), ROOT "/proc/%d/maps", pid);
	file = fopen(path, "re");
	if (!file)
		return true;
	while (fgets(line, sizeof(line), file)) {
		uint64_t start, end;
		size_t length = strlen(line);

		if (length > strlen(want) && !strcmp(line + length - strlen(want), want) &&
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2)
			bytes += end - start;
	}
	fclose(file);
	if (!bytes)
		return true;
	holder = of_node(holders, from, node);
	if (!holder)
		holder = add(holders, pid, -1, node);
	if (holder && holder->nr_mapped_pages == HOLDER_UNKNOWN)
		holder->nr_mapped_pages = bytes / GNTMAP_PAGE_SIZE;
	return holder;
}

static bool look_at_process(struct holders *holders, const struct node *nodes, pid_t pid)
{
	size_t from = holders->nr;

	if (!look_at_files(holders, nodes, pid))
		return false;
	for (size_t i = 0; i < NR_NODES; i++)
		if (nodes[i].dev && !look_at_mappings(holders, from, &nodes[i], pid))
			return false;
	return true;
}

static int by_pid(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	return x->pid != y->pid ? (x->pid > y->pid) - (x->pid < y->pid) : x->fd - y->fd;
}

bool holders_look(struct holders *holders, pid_t pid)
{
	struct node nodes[NR_NODES];
	struct dirent *entry;
	bool good = true;
	uint64_t number;
	DIR *dir;

	*holders = (struct holders){ 0 };
	nodes_look(nodes);
	if (pid) {
		good = look_at_process(holders, nodes, pid);
	} else {
		dir = opendir(ROOT "/proc");
		while (good && dir && (entry = readdir(dir)))
			if (number_parse(entry->d_name, INT32_MAX, &number))
				good = look_at_process(holders, nodes, number);
		if (dir)
			closedir(dir);
	}
	if (!good) {
		holders_free(holders);
		return false;
	}
	if (holders->nr)
		qsort(holders->list, holders->nr, sizeof(*holders->list), by_pid);
	return true;
}

void holders_free(struct holders *holders)
{
	free(holders->list);
	holders->list = NULL;
	holders->nr = 0;
}
