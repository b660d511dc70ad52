// SPDX-License-Identifier: GPL-2.0
/* Calls the granter from a shell. Exit code: 0 done, 1 failed, 2 wrong use. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "granter_client.h"

static const char usage[] =
	"usage: granter COMMAND [ARGUMENT...]\n"
	"  ping                          is it there?\n"
	"  info                          what it published\n"
	"  fill FIRST NR SEED            the pattern with SEED into NR pages from page FIRST on\n"
	"  sum FIRST NR                  prints their sum\n"
	"  peek PAGE BYTE                prints the 64-bit word at BYTE of PAGE\n"
	"  poke PAGE BYTE WORD           stores it\n"
	"  busy FIRST NR                 prints how many are mapped, and the first of them or -\n"
	"  revoke FIRST NR               prints how many are not granted any more, and the first that is in use or -\n"
	"  grant FIRST NR DOMID [ro]     grants pages that were revoked\n"
	"  frames FIRST NR               prints their frames, one a line\n"
	"  talk NR WORD                  NR keys to xenstore and back, and NR lines to the console\n"
	"  exit                          shuts it down\n"
	"Numbers are decimal, or 0x and hexadecimal; NR may be `all': as many as there are.\n";

static int ping(struct granter *g, uint64_t *arg)
{
	(void)arg;
	return granter_ping(g);
}

static int info(struct granter *g, uint64_t *arg)
{
	(void)arg;
	printf("domid %u, %u pages from ref %u, the last %u read-only, mailbox at frame %" PRIu64 " and ref %u, %s\n",
	       g->domid, g->nr_refs, g->first_ref, g->nr_ro, g->mailbox_gfn, g->mailbox_ref,
	       g->has_event ? "with events" : "without events");
	return 0;
}

static int fill(struct granter *g, uint64_t *arg)
{
	return granter_fill(g, arg[0], arg[1], arg[2]);
}

static int print_word(int ret, uint64_t word)
{
	if (!ret)
		printf("0x%016" PRIx64 "\n", word);
	return ret;
}

static int sum(struct granter *g, uint64_t *arg)
{
	uint64_t word = 0;
	int ret = granter_sum_pages(g, arg[0], arg[1], &word);

	return print_word(ret, word);
}

static int peek(struct granter *g, uint64_t *arg)
{
	uint64_t word = 0;
	int ret = granter_peek(g, arg[0], arg[1], &word);

	return print_word(ret, word);
}

static int poke(struct granter *g, uint64_t *arg)
{
	return granter_poke(g, arg[0], arg[1], arg[2]);
}

static int print_count(int64_t count, uint64_t first)
{
	if (count < 0)
		return -1;
	if (first == UINT64_MAX)
		printf("%" PRId64 " -\n", count);
	else
		printf("%" PRId64 " %" PRIu64 "\n", count, first);
	return 0;
}

static int busy(struct granter *g, uint64_t *arg)
{
	uint64_t first = UINT64_MAX;
	int64_t count = granter_busy(g, arg[0], arg[1], &first);

	return print_count(count, first);
}

static int revoke(struct granter *g, uint64_t *arg)
{
	uint64_t first = UINT64_MAX;
	int64_t count = granter_revoke(g, arg[0], arg[1], &first);

	return print_count(count, first);
}

static int grant(struct granter *g, uint64_t *arg)
{
	return granter_grant(g, arg[0], arg[1], arg[2], arg[3]);
}

static int frames(struct granter *g, uint64_t *arg)
{
	uint64_t *list;
	int ret;

	if (arg[1] > g->nr_refs) {
		errno = ERANGE;
		return -1;
	}
	list = calloc(arg[1] + 1, sizeof(*list));
	if (!list)
		return -1;
	ret = granter_frames(g, arg[0], arg[1], list);
	for (uint64_t i = 0; !ret && i < arg[1]; i++)
		printf("%" PRIu64 "\n", list[i]);
	free(list);
	return ret;
}

static int talk(struct granter *g, uint64_t *arg)
{
	uint64_t reply[GRANTER_NR_ARGS];

	/* Each key is a matter of several processes. */
	g->timeout_ms = 120000;
	if (granter_call(g, GRANTER_TALK, arg, reply))
		return -1;
	if (!reply[0])
		return 0;
	errno = EBADMSG;
	return -1;
}

static int leave(struct granter *g, uint64_t *arg)
{
	(void)arg;
	return granter_exit(g);
}

static const struct command {
	const char *name;
	int min_args, max_args;
	int (*run)(struct granter *g, uint64_t *arg);
} commands[] = {
	{ "ping", 0, 0, ping },	    { "info", 0, 0, info },	{ "fill", 3, 3, fill },
	{ "sum", 2, 2, sum },	    { "peek", 2, 2, peek },	{ "poke", 3, 3, poke },
	{ "busy", 2, 2, busy },	    { "revoke", 2, 2, revoke }, { "grant", 3, 4, grant },
	{ "frames", 2, 2, frames }, { "exit", 0, 0, leave },
	{ "talk", 2, 2, talk },
};

static int wrong_use(void)
{
	fputs(usage, stderr);
	return 2;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;
	uint64_t arg[GRANTER_NR_ARGS] = { 0 };
	struct granter *g;
	bool all = false;
	int ret;

	if (!command || argc - 2 < command->min_args || argc - 2 > command->max_args)
		return wrong_use();
	for (int i = 2; i < argc; i++) {
		char *end;

		if (i == 3 && !strcmp(argv[i], "all")) {
			all = true;
		} else if (i == 5 && !strcmp(argv[i], "ro")) {
			arg[3] = true;
		} else {
			errno = 0;
			arg[i - 2] = strtoull(argv[i], &end, 0);
			if (errno || *end || end == argv[i])
				return wrong_use();
		}
	}
	g = granter_open();
	if (!g) {
		fprintf(stderr, "granter: open: %s\n", strerror(errno));
		return 1;
	}
	if (all)
		arg[1] = arg[0] < g->nr_refs ? g->nr_refs - arg[0] : 0;
	ret = command->run(g, arg);
	if (ret)
		fprintf(stderr, "granter: %s: %s\n", command->name, strerror(errno));
	granter_close(g);
	return ret ? 1 : 0;
}
