// SPDX-License-Identifier: GPL-2.0
/* gntmap watch: who has which node open, and how much of other domains' memory there. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "holders.h"
#include "numbers.h"

static void print_number(uint64_t number, int width)
{
	if (number == HOLDER_UNKNOWN)
		printf(" %*s", width, "?");
	else
		printf(" %*" PRIu64, width, number);
}

static void print_table(const struct holders *holders)
{
	printf("%7s %-15s %4s %-18s %7s %8s %8s %8s %6s\n", "PID", "COMMAND", "FD", "NODE", "RANGES", "PAGES", "MAPPED",
	       "DRAINING", "DOMAIN");
	for (size_t i = 0; i < holders->nr; i++) {
		const struct holder *h = &holders->list[i];

		printf("%7d %-15s", h->pid, h->command);
		if (h->fd < 0)
			printf(" %4s", "-");
		else
			printf(" %4d", h->fd);
		printf(" %-18s", h->node);
		print_number(h->nr_ranges, 7);
		print_number(h->nr_pages, 8);
		print_number(h->nr_mapped_pages, 8);
		print_number(h->nr_draining_pages, 8);
		if (h->domid == HOLDER_UNKNOWN)
			printf(" %6s\n", h->nr_pages == HOLDER_UNKNOWN ? "?" : "any");
		else
			printf(" %6" PRIu64 "\n", h->domid);
	}
}

static json_t *number_or_null(uint64_t number)
{
	return number == HOLDER_UNKNOWN ? json_null() : json_integer(number);
}

static json_t *as_json(const struct holders *holders)
{
	json_t *list = json_array();
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	for (size_t i = 0; i < holders->nr; i++) {
		const struct holder *h = &holders->list[i];
		char path[96];

		snprintf(path, sizeof(path), "/dev/%s", h->node);
		json_array_append_new(list, json_pack("{s:I, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
						      "pid", (json_int_t)h->pid, "command", h->command,
						      "fd", h->fd < 0 ? json_null() : json_integer(h->fd),
						      "node", path, "strategy", h->strategy,
						      "ranges", number_or_null(h->nr_ranges),
						      "pages", number_or_null(h->nr_pages),
						      "mapped_pages", number_or_null(h->nr_mapped_pages),
						      "draining_pages", number_or_null(h->nr_draining_pages),
						      "max_pages", number_or_null(h->max_pages),
						      "domid", number_or_null(h->domid)));
	}
	return json_pack("{s:f, s:o}", "time", (double)now.tv_sec + now.tv_nsec / 1000000 / 1000.0, "files", list);
}

static int watch(uint64_t interval_ms, uint64_t count, pid_t pid)
{
	struct timespec pause = { .tv_sec = interval_ms / 1000, .tv_nsec = interval_ms % 1000 * 1000000 };
	bool clear = count != 1 && isatty(STDOUT_FILENO) && !settings.json;
	struct holders holders;
	int code = 0;

	for (uint64_t i = 0; !code && (!count || i < count); i++) {
		if (i)
			nanosleep(&pause, NULL);
		if (!holders_look(&holders, pid))
			return failed("out of memory");
		if (settings.json) {
			code = print_json(as_json(&holders), JSON_COMPACT);
		} else {
			if (clear)
				fputs("\033[H\033[2J", stdout);
			else if (i)
				putchar('\n');
			print_table(&holders);
			code = finish_output(0);
		}
		if (holders.hidden && !i)
			note("the files of other users' processes are not shown: be root to see them");
		holders_free(&holders);
	}
	return code;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "interval", required_argument, NULL, 's' },
		{ "count", required_argument, NULL, 'c' },
		{ "once", no_argument, NULL, '1' },
		COMMON_OPTIONS,
		{ 0 },
	};
	uint64_t interval_ms = 2000, count = 0, pid = 0;
	int option, code;

	while ((option = getopt_long(argc, argv, "s:c:1" COMMON_LETTERS, options, NULL)) >= 0) {
		switch (option) {
		case 's':
			if (!number_parse_seconds(optarg, &interval_ms) || !interval_ms)
				return usage("--interval %s: not a number of seconds", optarg);
			break;
		case 'c':
			if (!number_parse(optarg, UINT64_MAX, &count) || !count)
				return usage("--count %s: not a number of times", optarg);
			break;
		case '1':
			count = 1;
			break;
		default:
			if (common_option(option, &code))
				return code;
		}
	}
	if (argc - optind > 1)
		return usage("one process at a time, `%s' is too much", argv[optind + 1]);
	if (optind < argc && (!number_parse(argv[optind], INT32_MAX, &pid) || !pid))
		return usage("`%s' is not the id of a process", argv[optind]);
	return watch(interval_ms, count, pid);
}

const struct command command_watch = {
	.name = "watch",
	.arguments = "[OPTION]... [PID]",
	.summary = "Who has which node open, and how many pages there",
	.help = "A line for each open file of gntmap's nodes and of /dev/xen/gntdev, whoever stands there; - for a file that is\n"
		"closed and mapped still. MAPPED is in some VMA, DRAINING waits for a pin, DOMAIN is the only one that the\n"
		"file may name. ?: the driver does not tell (in-tree xen-gntdev). With --json one object a line.\n\n"
		"  -s, --interval S between two looks, 2 seconds unless told otherwise\n"
		"  -c, --count N    so many looks; else until it is interrupted\n"
		"  -1, --once       one look\n",
	.run = run,
};
