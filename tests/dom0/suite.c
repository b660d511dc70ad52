// SPDX-License-Identifier: GPL-2.0
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "leaks.h"
#include "module.h"
#include "tap.h"

/* For a machine that stalls. */
#define CASE_TIMEOUT_S 300
#define BALANCING "/proc/sys/kernel/numa_balancing"
#define PARAMETERS "/sys/module/gntmap/parameters/"

struct suite suite;

static const char *const parameters[] = { "limit", "provider", "keep" };

/* Why a case was skipped: memory that the child shares with us. */
static char *skipped;
#define SKIPPED_SIZE 256

bool strategy_is(const char *strategy)
{
	return !strcmp(suite.strategy, strategy);
}

bool kernel_since(unsigned int major, unsigned int minor)
{
	unsigned int have_major = 0, have_minor = 0;
	struct utsname uts;

	uname(&uts);
	sscanf(uts.release, "%u.%u", &have_major, &have_minor);
	return have_major > major || (have_major == major && have_minor >= minor);
}

const char *errno_name(long negative_errno)
{
	const char *name = strerrorname_np(-negative_errno);

	if (!negative_errno)
		return "success";
	return name ? name : "no errno";
}

static void die(int code)
{
	fflush(NULL);
	_exit(code);
}

void case_fail(const char *file, int line, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	tap_diag("%s:%d: %s", file, line, text);
	die(1);
	__builtin_unreachable();
}

void case_skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(skipped, SKIPPED_SIZE, fmt, args);
	va_end(args);
	die(EXIT_SKIP);
	__builtin_unreachable();
}

void case_expect(const char *file, int line, const char *call, long got, long expected)
{
	if (got != expected)
		case_fail(file, line, "%s gives %s (%ld) instead of %s", call, errno_name(got), got,
			  errno_name(expected));
}

unsigned int suite_patience(void)
{
	const char *times = getenv("SUITE_PATIENCE");
	unsigned int n = times ? strtoul(times, NULL, 10) : 1;

	return n ? n : 1;
}

uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

void sleep_ms(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	n = n < 0 ? -errno : 0;
	close(fd);
	return n;
}

bool read_line(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	bool ok = file && fgets(text, size, file);

	if (file)
		fclose(file);
	if (ok)
		text[strcspn(text, "\n")] = 0;
	return ok;
}

bool core_parameter(const char *name, char *value, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	return read_line(path, value, size);
}

void set_core_parameter(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	expect(write_file(path, value), 0);
}

static void open_granter(void)
{
	suite.granter = granter_open();
	if (!suite.granter) {
		tap_diag("the granter cannot be opened: %s", strerror(errno));
		die(1);
	}
	suite.nr_rw = suite.granter->nr_refs - suite.granter->nr_ro;
}

void child_open_granter(void)
{
	/* Its mappings are not ours; what little memory it holds goes with the child. */
	open_granter();
}

int run_child(void (*fn)(void *arg), void *arg, bool with_granter)
{
	pid_t child;
	int status;

	fflush(NULL);
	child = fork();
	check(child >= 0, "%s", strerror(errno));
	if (!child) {
		if (with_granter)
			child_open_granter();
		fn(arg);
		die(0);
	}
	check(waitpid(child, &status, 0) == child, "%s", strerror(errno));
	if (WIFSIGNALED(status))
		return 256 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

/* The verdict of what became of the child; says why, if it was not good. */
static enum tap_verdict judge(int status, bool timed_out, unsigned int timeout_s)
{
	if (timed_out) {
		tap_diag("not done after %u s", timeout_s);
		return TAP_FAIL;
	}
	if (WIFSIGNALED(status)) {
		tap_diag("died of signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
		return TAP_FAIL;
	}
	switch (WEXITSTATUS(status)) {
	case 0:
		return TAP_PASS;
	case EXIT_SKIP:
		return TAP_SKIP;
	default:
		return TAP_FAIL;
	}
}

static enum tap_verdict run_case(const struct suite_case *c)
{
	unsigned int timeout_s = (c->timeout_s > CASE_TIMEOUT_S ? c->timeout_s : CASE_TIMEOUT_S) * suite_patience();
	uint64_t deadline = now_us() + timeout_s * 1000000ull;
	bool timed_out = false;
	int status = 0;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child < 0) {
		tap_diag("fork: %s", strerror(errno));
		return TAP_FAIL;
	}
	if (!child) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		open_granter();
		c->run();
		die(0);
	}
	setpgid(child, child);
	for (unsigned int ms = 1; !waitpid(child, &status, WNOHANG); ms = ms < 16 ? ms * 2 : ms) {
		if (now_us() > deadline) {
			timed_out = true;
			kill(-child, SIGKILL);
			/* A process that cannot be killed must not stop the others. */
			for (int i = 0; i < 100 && !waitpid(child, &status, WNOHANG); i++)
				sleep_ms(50);
			break;
		}
		sleep_ms(ms);
	}
	/* Whatever it left behind. */
	kill(-child, SIGKILL);
	return judge(status, timed_out, timeout_s);
}

/* All pages granted as the granter's publication says, whatever they were. */
static bool grant_anew(void)
{
	struct granter *g = suite.granter;
	uint64_t first;
	int64_t nr;

	nr = granter_revoke(g, 0, g->nr_refs, &first);
	if (nr != g->nr_refs) {
		tap_diag("the granter could revoke %lld of %u pages, not page %llu", (long long)nr, g->nr_refs,
			 (unsigned long long)first);
		return false;
	}
	if (granter_grant(g, 0, suite.nr_rw, 0, false) || granter_grant(g, suite.nr_rw, g->nr_ro, 0, true)) {
		tap_diag("the granter could not grant its pages anew: %s", strerror(errno));
		return false;
	}
	return true;
}

static void run_and_tell(const struct suite_case *c)
{
	char saved[ARRAY_SIZE(parameters)][64], nr_huge[16];
	bool has[ARRAY_SIZE(parameters)], has_huge = read_line(NR_HUGE_PAGES, nr_huge, sizeof(nr_huge));
	enum tap_verdict verdict;
	uint64_t start = now_us();

	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		has[i] = core_parameter(parameters[i], saved[i], sizeof(saved[i]));

	verdict = run_case(c);

	/* Whoever turned it on may have been killed. */
	write_file(BALANCING, "0");
	if (has_huge)
		write_file(NR_HUGE_PAGES, nr_huge);
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
		char path[128];

		if (!has[i])
			continue;
		snprintf(path, sizeof(path), PARAMETERS "%s", parameters[i]);
		write_file(path, saved[i]);
	}
	/* A case that failed may have unloaded it. */
	if (access(suite.node, F_OK) && strategy_load())
		verdict = TAP_FAIL;
	open_granter();
	if (!leaks_no_page(suite.granter) || !leaks_no_reference(suite.strategy))
		verdict = TAP_FAIL;
	if ((c->revokes || verdict == TAP_FAIL) && !grant_anew())
		verdict = TAP_FAIL;
	granter_close(suite.granter);

	if (getenv("SUITE_TIMES"))
		tap_diag("%llu ms", (unsigned long long)(now_us() - start) / 1000);
	tap_line(verdict, skipped, "%s: %s", suite.strategy, c->claim);
}

int suite_main(const struct suite_case *cases, size_t nr_cases, int argc, char **argv)
{
	const struct rlimit no_core = { 0, 0 };
	char type[16], balancing[16] = "";
	int ret;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: %s STRATEGY [PART OF A CLAIM]\n", argv[0]);
		return 2;
	}
	suite.strategy = argv[1];
	snprintf(suite.node, sizeof(suite.node), "/dev/xen/%s%s", strategy_is("gntdev") ? "" : "gntmap-", argv[1]);

	skipped = mmap(NULL, SKIPPED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (skipped == MAP_FAILED || !read_line("/sys/hypervisor/guest_type", type, sizeof(type))) {
		fprintf(stderr, "%s: not a Xen domain\n", argv[0]);
		return 2;
	}
	suite.pv = !strcmp(type, "PV");
	setrlimit(RLIMIT_CORE, &no_core);
	/* A scan takes an unprotected mapping away: not while something else is tested. */
	if (read_line(BALANCING, balancing, sizeof(balancing)))
		write_file(BALANCING, "0");

	tap_start();
	if (access(suite.node, R_OK | W_OK)) {
		tap_line(TAP_FAIL, NULL, "%s: there is %s", suite.strategy, suite.node);
		return tap_end();
	}
	/* Whatever ran before us may have left it otherwise. */
	open_granter();
	if (!grant_anew())
		tap_diag("that was before the first case");
	granter_close(suite.granter);

	for (size_t i = 0; i < nr_cases; i++) {
		if (cases[i].modes && !(cases[i].modes & (suite.pv ? MODE_PV : MODE_XLATE)))
			continue;
		if (cases[i].applies && !cases[i].applies())
			continue;
		if (argc == 3 && !strstr(cases[i].claim, argv[2]))
			continue;
		run_and_tell(&cases[i]);
	}
	open_granter();
	tap_line(leaks_no_grant(suite.granter) ? TAP_PASS : TAP_FAIL, NULL,
		 "%s: Xen's grant tables show no mapping of the granter's pages", suite.strategy);
	tap_line(grant_anew() ? TAP_PASS : TAP_FAIL, NULL, "%s: the granter can revoke and grant every page", suite.strategy);
	granter_close(suite.granter);
	ret = tap_end();
	if (balancing[0])
		write_file(BALANCING, balancing);
	return ret;
}
