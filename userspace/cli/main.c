// SPDX-License-Identifier: GPL-2.0
/* gntmap: a dom0 administrator's way to the nodes. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const struct command *const commands[] = {
	&command_list, &command_info,	 &command_map,	 &command_foreign,
	&command_watch, &command_compare, &command_bench,
};

struct settings settings;

static void complain(const char *fmt, va_list args)
{
	fflush(stdout);
	fprintf(stderr, "gntmap%s%s: ", settings.command ? " " : "", settings.command ? settings.command->name : "");
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

int failed(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(fmt, args);
	va_end(args);
	return EXIT_FAILED;
}

void note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(fmt, args);
	va_end(args);
}

int usage(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complain(fmt, args);
	va_end(args);
	if (settings.command)
		fprintf(stderr, "Try `gntmap %s --help'.\n", settings.command->name);
	else
		fprintf(stderr, "Try `gntmap --help'.\n");
	return EXIT_USAGE;
}

int finish_output(int code)
{
	if (fflush(stdout) || ferror(stdout))
		return failed("writing to stdout: %s", strerror(errno));
	return code;
}

int print_json(json_t *object, size_t flags)
{
	if (!object)
		return failed("out of memory");
	json_dumpf(object, stdout, flags);
	putchar('\n');
	json_decref(object);
	return finish_output(0);
}

const char *errno_name(int negative_errno)
{
	const char *name = strerrorname_np(-negative_errno);

	return name ? name : "unknown errno";
}

static void help_all(void)
{
	puts("Usage: gntmap [--node NODE] [--json] COMMAND [ARGUMENT]...\n"
	     "Grants and frames of other Xen domains: what gntmap's nodes are and do.\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-9s %s\n", commands[i]->name, commands[i]->summary);
	puts("\n"
	     "  -n, --node NODE  a path, or a strategy's name (mixedmap, policy, vmio); else $GNTMAP_NODE,\n"
	     "                   else /dev/xen/gntdev if it is gntmap's, else the first of these three\n"
	     "  -j, --json       answer in JSON (info, list, map, foreign, watch)\n"
	     "  -h, --help       this, or after COMMAND its own help\n"
	     "  -V, --version\n"
	     "\n"
	     "Exit code: 0, 1 when something failed, 2 when called wrongly. See gntmap(1), gntmap(4).");
}

static void help_command(const struct command *command)
{
	printf("Usage: gntmap %s%s%s\n%s.\n\n%s", command->name, command->arguments[0] ? " " : "", command->arguments,
	       command->summary, command->help);
	if (command->passes_on)
		return;
	puts("  -n, --node NODE  a path, or a strategy's name\n"
	     "  -j, --json       answer in JSON\n"
	     "  -h, --help");
}

int common_option(int option, int *code)
{
	switch (option) {
	case 'n':
		settings.node = optarg;
		return 0;
	case 'j':
		settings.json = true;
		return 0;
	case 'h':
		help_command(settings.command);
		*code = finish_output(0);
		return -1;
	default:
		/* getopt has said what it does not know. */
		fprintf(stderr, "Try `gntmap %s --help'.\n", settings.command->name);
		*code = EXIT_USAGE;
		return -1;
	}
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int run_help(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		help_all();
		return finish_output(0);
	}
	command = find_command(argv[1]);
	if (!command)
		return usage("there is no command `%s'", argv[1]);
	help_command(command);
	return finish_output(0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_OPTIONS,
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	char *name;
	int option;

	/* A reader who has seen enough is no reason to die without a word. */
	signal(SIGPIPE, SIG_IGN);

	while ((option = getopt_long(argc, argv, "+V" COMMON_LETTERS, options, NULL)) >= 0) {
		switch (option) {
		case 'n':
			settings.node = optarg;
			break;
		case 'j':
			settings.json = true;
			break;
		case 'V':
			puts("gntmap " VERSION);
			return finish_output(0);
		case 'h':
			help_all();
			return finish_output(0);
		default:
			fprintf(stderr, "Try `gntmap --help'.\n");
			return EXIT_USAGE;
		}
	}
	argc -= optind;
	argv += optind;
	if (!argc)
		return usage("what shall be done? A command is missing");
	if (!strcmp(argv[0], "help"))
		return run_help(argc, argv);
	settings.command = find_command(argv[0]);
	if (!settings.command)
		return usage("there is no command `%s'", argv[0]);

	/* Options are complained about in the command's name. */
	if (asprintf(&name, "gntmap %s", argv[0]) < 0)
		return failed("out of memory");
	argv[0] = name;
	optind = 0;
	option = settings.command->run(argc, argv);
	free(name);
	return option;
}
