/* SPDX-License-Identifier: GPL-2.0 */
/* gntmap: what the commands share. */
#ifndef CLI_H
#define CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <gntmap.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Exit codes */
#define EXIT_FAILED 1
#define EXIT_USAGE 2

/* Where /proc, /sys, /dev and /lib are looked for; the tests have some of their own. */
#ifndef ROOT
#define ROOT ""
#endif

struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *help;
	/* argv[0] is the command's name; returns the exit code. */
	int (*run)(int argc, char **argv);
	bool passes_on; /* its arguments are another program's */
};

extern const struct command command_info, command_list, command_map, command_foreign, command_watch, command_compare,
	command_bench;

/* What every command understands. */
struct settings {
	const struct command *command; /* NULL: none yet */
	const char *node;	       /* NULL: the library's default */
	bool json;
};
extern struct settings settings;

#define COMMON_LETTERS "n:jh"
#define COMMON_OPTIONS \
	{ "node", required_argument, NULL, 'n' }, { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' }

/*
 * Takes an option that is not the command's own. Returns 0, or -1 when the command is to end with *code: after --help
 * or after a wrong option.
 */
int common_option(int option, int *code);

/* One line on stderr, after "gntmap COMMAND: ". They return the exit code. */
int failed(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints and releases it. Returns the exit code. */
int print_json(json_t *object, size_t flags);
/* What stdout could not take is a failure of the command. Returns the exit code. */
int finish_output(int code);

/* "EINVAL" and the like for a negative errno. */
const char *errno_name(int negative_errno);

/* Opens settings.node; *code is the exit code when NULL is returned, and why has been said. */
struct gntmap *open_node(int *code);
const char *node_name(void);

#endif
