// SPDX-License-Identifier: GPL-2.0
/* gntmap compare and gntmap bench: programs of their own, which belong to the tests and need the granter. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static int run_program(int argc, char **argv, const char *program)
{
	static const struct option options[] = { COMMON_OPTIONS, { 0 } };
	int code;

	/* Only what comes first and is --help is for us: all else is the program's. */
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		if (common_option(getopt_long(argc, argv, COMMON_LETTERS, options, NULL), &code))
			return code;
	}
	argv[0] = (char *)program;
	execvp(program, argv);
	if (errno == ENOENT)
		return failed("%s is not installed: it comes with gntmap's sources, whose `make compare' and `make bench' build "
			      "and run it", program);
	return failed("%s: %s", program, strerror(errno));
}

static int run_compare(int argc, char **argv)
{
	return run_program(argc, argv, "gntmap-compare");
}

static int run_bench(int argc, char **argv)
{
	return run_program(argc, argv, "gntmap-bench");
}

#define HELP(program)                                                                                          \
	"Runs " program ", which must be on PATH and gets all arguments. It needs a granter: a domain that\n" \
	"grants pages on request, as the test bed of gntmap's sources starts one.\n"

const struct command command_compare = {
	.name = "compare",
	.arguments = "[ARGUMENT]...",
	.summary = "The strategies side by side in this dom0",
	.help = HELP("gntmap-compare"),
	.run = run_compare,
	.passes_on = true,
};

const struct command command_bench = {
	.name = "bench",
	.arguments = "[ARGUMENT]...",
	.summary = "Speed and memory against the kernel's own drivers",
	.help = HELP("gntmap-bench"),
	.run = run_bench,
	.passes_on = true,
};
