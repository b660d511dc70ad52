// SPDX-License-Identifier: GPL-2.0
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "hexdump.h"

bool pages_option(int option, struct pages_use *use, int *code)
{
	*code = 0;
	switch (option) {
	case 'o':
		use->to = optarg;
		return true;
	case 'i':
		use->from = optarg;
		use->write = true;
		return true;
	case 'd':
		use->direct = true;
		return true;
	case 'w':
		use->write = true;
		return true;
	case 'H':
		use->hold = true;
		if (optarg && !number_parse_seconds(optarg, &use->hold_ms))
			*code = usage("--hold=%s: not a number of seconds", optarg);
		return true;
	default:
		return false;
	}
}

int pages_check(const struct pages_use *use)
{
	if (use->to && use->from)
		return usage("--to and --from: one at a time");
	if (use->direct && !use->to && !use->from)
		return usage("--direct needs --to or --from");
	if (use->direct && !strcmp(use->to ? use->to : use->from, "-"))
		return usage("--direct needs a file, - is none");
	if (settings.json && use->to && !strcmp(use->to, "-"))
		return usage("--json and --to -: both want stdout");
	return 0;
}

static bool is_hole(const int32_t *errors, size_t page)
{
	return errors && errors[page];
}

static void dump(const struct gntmap_mapping *mapping, const struct numbers *numbers, const int32_t *errors,
		 const char *what, bool hex)
{
	for (size_t i = 0; i < mapping->nr_pages && !ferror(stdout); i++) {
		printf(hex ? "%s %#" PRIx64 : "%s %" PRIu64, what, numbers->list[i]);
		if (is_hole(errors, i)) {
			printf(": %s\n", strerror(-errors[i]));
			continue;
		}
		putchar('\n');
		hexdump(stdout, (const unsigned char *)mapping->addr + i * GNTMAP_PAGE_SIZE, GNTMAP_PAGE_SIZE);
	}
}

static int file_failed(const struct pages_use *use, const char *file)
{
	int err = errno;

	if (err == EFAULT && use->direct)
		return failed("%s: %s: this strategy's pages cannot be pinned for direct IO; take --node mixedmap or policy",
			      file, strerror(err));
	if (err == EINVAL && use->direct)
		return failed("%s: %s: its file system may not have direct IO", file, strerror(err));
	return failed("%s: %s", file, strerror(err));
}

/* Straight from the mapping: no copy of ours is between the other domain's page and the file. */
static int write_all(int fd, const char *from, size_t size)
{
	while (size) {
		ssize_t n = write(fd, from, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		from += n;
		size -= n;
	}
	return 0;
}

/* Pages next to each other go in one call; holes become zeros. */
static int write_pages(int fd, const struct gntmap_mapping *mapping, const int32_t *errors)
{
	static const char zeros[GNTMAP_PAGE_SIZE] __attribute__((aligned(GNTMAP_PAGE_SIZE)));
	size_t nr;

	for (size_t i = 0; i < mapping->nr_pages; i += nr) {
		nr = 1;
		if (is_hole(errors, i)) {
			if (write_all(fd, zeros, sizeof(zeros)))
				return -1;
			continue;
		}
		while (i + nr < mapping->nr_pages && !is_hole(errors, i + nr))
			nr++;
		if (write_all(fd, (char *)mapping->addr + i * GNTMAP_PAGE_SIZE, nr * GNTMAP_PAGE_SIZE))
			return -1;
	}
	return 0;
}

static int to_file(const struct pages_use *use, const struct gntmap_mapping *mapping, const int32_t *errors)
{
	bool is_stdout = !strcmp(use->to, "-");
	int fd = is_stdout ? STDOUT_FILENO : open(use->to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
							 (use->direct ? O_DIRECT : 0), 0600);
	int code = 0;

	if (fd < 0 || write_pages(fd, mapping, errors))
		code = file_failed(use, use->to);
	if (fd >= 0 && !is_stdout && close(fd) && !code)
		code = file_failed(use, use->to);
	return code;
}

/* How much of @size came before the end of the file; -1 and errno. */
static ssize_t read_some(int fd, char *to, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, to + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		done += n;
	}
	return done;
}

static int from_file(const struct pages_use *use, const struct gntmap_mapping *mapping)
{
	static char more[GNTMAP_PAGE_SIZE] __attribute__((aligned(GNTMAP_PAGE_SIZE)));
	size_t size = mapping->nr_pages * GNTMAP_PAGE_SIZE;
	bool is_stdin = !strcmp(use->from, "-");
	int fd = is_stdin ? STDIN_FILENO : open(use->from, O_RDONLY | O_CLOEXEC | (use->direct ? O_DIRECT : 0));
	ssize_t n = -1;
	int code = 0;

	if (fd >= 0)
		n = read_some(fd, mapping->addr, size);
	if (n < 0)
		code = file_failed(use, use->from);
	else if ((size_t)n == size && read_some(fd, more, sizeof(more)) > 0)
		code = failed("%s has more than the %zu bytes of these pages, which hold its beginning now", use->from, size);
	if (fd >= 0 && !is_stdin)
		close(fd);
	return code;
}

static void hold(const struct pages_use *use)
{
	struct timespec ts = { .tv_sec = use->hold_ms / 1000, .tv_nsec = use->hold_ms % 1000 * 1000000 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (use->hold_ms)
		note("held for %" PRIu64 ".%03" PRIu64 " s", use->hold_ms / 1000, use->hold_ms % 1000);
	else
		note("held until SIGINT or SIGTERM comes");
	fflush(stdout);
	while (sigtimedwait(&set, NULL, use->hold_ms ? &ts : NULL) < 0 && errno == EINTR)
		;
}

int pages_use(const struct pages_use *use, const struct gntmap_mapping *mapping, const struct numbers *numbers,
	      const int32_t *errors, const char *what, bool hex)
{
	int code = 0;

	if (use->from)
		code = from_file(use, mapping);
	else if (use->to)
		code = to_file(use, mapping, errors);
	else if (!settings.json && !use->hold)
		dump(mapping, numbers, errors, what, hex);
	if (use->hold && !code)
		hold(use);
	return finish_output(code);
}
