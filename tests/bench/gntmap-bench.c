// SPDX-License-Identifier: GPL-2.0
/*
 * gntmap-bench: this driver, the kernel's own and the bare hypercalls, taking turns in this dom0.
 *
 * Each workload runs in a process of its own. Needs root, the strategies' modules, the granter (granter_client.h) and,
 * for the floor, the module grant_floor. Only ratios of one boot mean anything.
 *
 * Exit code: 0; 1 when a workload could not be measured; 2 when nothing could.
 */
#include "bench.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block.h"
#include "clock.h"
#include "floor.h"
#include "gntmap_node.h"
#include "numa.h"

struct bench bench = { .pace = 1 };
const char *const strategies[NR_STRATEGIES] = { "vmio", "mixedmap", "policy" };
struct results *results;

static const struct work {
	const char *name;
	void (*run)(void);
	unsigned int timeout_s;
} works[] = {
	{ "batch", work_batch, 300 },	    { "held", work_held, 900 },	  { "memory", work_memory, 300 },
	{ "lock", work_lock, 300 },	    { "pinned", work_pinned, 300 }, { "copy", work_copy, 300 },
	{ "gup", work_gup, 300 },	    { "numa", work_numa, 300 },	  { "foreign", work_foreign, 300 },
	{ "parallel", work_parallel, 300 },
};

static const char *current_work;

static __attribute__((noreturn)) void usage(int code)
{
	fprintf(code ? stderr : stdout,
		"usage: gntmap-bench [-o FILE] [-p PACE] [WORKLOAD]...\n"
		"  -o FILE  write the figures as JSON\n"
		"  -p PACE  this times the usual number of seconds for each figure\n"
		"  WORKLOAD ");
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		fprintf(code ? stderr : stdout, " %s", works[i].name);
	fputs("; all of them by default\n", code ? stderr : stdout);
	exit(code);
}

static __attribute__((noreturn, format(printf, 1, 2))) void missing(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "gntmap-bench: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(2);
}

void bench_die(const char *format, ...)
{
	char note[128];
	va_list args;

	va_start(args, format);
	vsnprintf(note, sizeof(note), format, args);
	va_end(args);
	results_add_note(results, current_work, note);
	exit(1);
}

struct side bench_side(const char *name, int (*turn)(struct side *side, double *values))
{
	struct side side = {
		.kind = strcmp(name, "gntdev") ? SIDE_OURS : SIDE_THEIRS,
		.name = name,
		.fd = node_open(name),
		.turn = turn,
	};

	if (side.fd < 0)
		bench_die("%s: %s", name, strerror(-side.fd));
	return side;
}

unsigned int bench_sides(struct side *sides, bool only, int (*turn)(struct side *side, double *values))
{
	unsigned int nr = 0;

	sides[nr++] = bench_side("gntdev", turn);
	for (unsigned int i = 0; i < NR_STRATEGIES; i++)
		if (!only || !strcmp(strategies[i], SAME_AS_THEIRS))
			sides[nr++] = bench_side(strategies[i], turn);
	return nr;
}

void bench_close(struct side *sides, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (sides[i].fd >= 0)
			close(sides[i].fd);
		sides[i].fd = -1;
	}
}

void bench_pin_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (unsigned int i = 0; i < bench.nr_cpus; i++)
		if (cpu < 0 || i == (unsigned int)cpu)
			CPU_SET(i, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void describe_machine(void)
{
	FILE *file = fopen("/sys/hypervisor/guest_type", "re");
	struct utsname uts;

	uname(&uts);
	strcpy(bench.kernel, uts.release);
	if (!file || fscanf(file, "%7s", bench.mode) != 1)
		missing("no /sys/hypervisor/guest_type: this is no Xen domain");
	fclose(file);
	for (char *c = bench.mode; *c; c++)
		*c |= 0x20;
	bench.pv = !strcmp(bench.mode, "pv");
	bench.nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (!clock_ticks_per_us())
		missing("no CPU frequency in /proc/cpuinfo");
}

static void check_nodes(void)
{
	for (unsigned int i = 0; i < NR_STRATEGIES; i++) {
		char command[64];
		int fd;

		snprintf(command, sizeof(command), "modprobe gntmap-%s", strategies[i]);
		fd = node_open(strategies[i]);
		if (fd == -ENOENT && !system(command))
			fd = node_open(strategies[i]);
		if (fd < 0)
			missing("/dev/xen/gntmap-%s: %s", strategies[i], strerror(-fd));
		close(fd);
	}
}

static void run_in_child(const struct work *work)
{
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(work->timeout_s);
	current_work = work->name;
	/* Only a handle of its own is mapped in this process. */
	bench.granter = granter_open();
	if (!bench.granter)
		bench_die("no granter: %s", strerror(errno));
	err = floor_open();
	if (err)
		fprintf(stderr, "gntmap-bench: no floor: %s\n", strerror(-err));
	bench_pin_cpu(0);
	work->run();
	floor_close();
	granter_close(bench.granter);
	exit(0);
}

static int run_work(const struct work *work)
{
	uint64_t start = clock_ticks();
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid)
		run_in_child(work);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		missing("fork: %s", strerror(errno));
	fprintf(stderr, "gntmap-bench: %s took %.0f s\n", work->name, clock_us_since(start) / 1e6);
	if (WIFSIGNALED(status))
		results_add_note(results, work->name, strsignal(WTERMSIG(status)));
	return status ? 1 : 0;
}

static bool chosen(const char *name, char **names, int nr)
{
	for (int i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return true;
	return !nr;
}

static void clean_up(void)
{
	/* A workload's process is no place for it. */
	if (current_work)
		return;
	numa_knobs_restore();
	block_remove();
}

int main(int argc, char **argv)
{
	const char *output = NULL;
	int option, ret = 0;

	while ((option = getopt(argc, argv, "o:p:h")) != -1) {
		switch (option) {
		case 'o':
			output = optarg;
			break;
		case 'p':
			bench.pace = atof(optarg);
			break;
		default:
			usage(option == 'h' ? 0 : 2);
		}
	}
	if (bench.pace <= 0)
		usage(2);
	if (geteuid())
		missing("must be run as root");
	describe_machine();
	check_nodes();
	results = results_alloc();
	if (!results)
		missing("no memory");
	setpriority(PRIO_PROCESS, 0, -20);
	atexit(clean_up);
	bench.block_device = block_create(16);
	/* Only the workload that is about scans wants them. */
	if (numa_knobs_quiet())
		fprintf(stderr, "gntmap-bench: NUMA balancing cannot be turned off\n");

	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		if (chosen(works[i].name, argv + optind, argc - optind))
			ret |= run_work(&works[i]);
	if (output && results_write(results, output, bench.kernel, bench.mode))
		missing("%s: cannot be written", output);
	return ret;
}
