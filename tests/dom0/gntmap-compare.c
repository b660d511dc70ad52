// SPDX-License-Identifier: GPL-2.0
/*
 * gntmap-compare: what each strategy keeps, and what it costs, in this dom0.
 *
 * For each strategy probes look at the rows of its column, each probe in a process of its own, since being killed is
 * one of the things that are observed. Needs root, the strategies' modules, and the granter (granter_client.h).
 *
 * Exit code: 0, 1 when an observation is not what the kernel's source makes us expect, 2 when it cannot be run.
 */
#include "compare.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "block.h"
#include "gntmap_node.h"
#include "gup_rows.h"
#include "numa.h"

#define MAX_STRATEGIES 8
#define PROVIDER "/sys/module/gntmap/parameters/provider"

/* Memory that stands beside the strategies in the last table. */
static const char *const others[] = { GUP_FOREIGN, GUP_GNTALLOC, GUP_ANONYMOUS };
#define NR_OTHERS 3u

struct machine machine;

static __attribute__((noreturn)) void usage(int code)
{
	fprintf(code ? stderr : stdout,
		"usage: gntmap-compare [-o FILE] [-s STRATEGY]... [-p PROBE]\n"
		"  -o FILE      write the cells as JSON\n"
		"  -s STRATEGY  vmio, mixedmap, policy or none; all of them by default\n"
		"  -p PROBE     only the probes whose name contains this: vma scan direct_io process_vm vmsplice\n"
		"               proc_mem io_uring async_io ptrace futex advice numa_calls uffd soft_dirty fork\n"
		"               mprotect core cost leak splice lock mremap migrate forced pinned flying zombie gup\n");
	exit(code);
}

static bool read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	bool ok = file && fgets(line, size, file);

	if (file)
		fclose(file);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
}

static int write_line(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return -1;
	fputs(text, file);
	return fclose(file);
}

static __attribute__((noreturn, format(printf, 1, 2))) void missing(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "gntmap-compare: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(2);
}

/* What the comparison changed, and puts back however it ends. */
static char provider_found[32];

static void clean_up(void)
{
	numa_knobs_restore();
	block_remove();
	if (provider_found[0])
		write_line(PROVIDER, provider_found);
}

static void describe_machine(void)
{
	struct utsname uts;
	unsigned int major, minor;

	uname(&uts);
	strcpy(machine.kernel, uts.release);
	if (sscanf(uts.release, "%u.%u", &major, &minor) == 2)
		machine.version = VERSION(major, minor);
	if (!read_line("/sys/hypervisor/guest_type", machine.mode, sizeof(machine.mode)))
		missing("no /sys/hypervisor/guest_type: this is no Xen domain");
	for (char *c = machine.mode; *c; c++)
		*c |= 0x20;
	machine.xlate = strcmp(machine.mode, "pv");
}

static void check_strategy(const char *strategy)
{
	char command[128];
	int fd = node_open(strategy);

	if (fd == -ENOENT) {
		snprintf(command, sizeof(command), "modprobe gntmap-%s 2>/dev/null", strategy);
		if (!system(command))
			fd = node_open(strategy);
	}
	if (fd < 0)
		missing("/dev/xen/gntmap-%s: %s (modprobe gntmap-%s)", strategy, strerror(-fd), strategy);
	close(fd);
}

static void check_granter(void)
{
	struct granter *granter = granter_open();

	if (!granter)
		missing("no granter: %s (GRANTER_DOMID and its like, in the environment or in /run/granter.env)",
			strerror(errno));
	granter_close(granter);
}

static const char *only;

static void probe(struct probe *setup, const char *name, probe_fn fn, const char *const *rows, unsigned int timeout_s)
{
	if (!only || strstr(name, only))
		probe_run(setup, fn, rows, timeout_s);
}

static void probe_scans(struct probe *setup, const char *provider)
{
	static char suffix[32];
	int ret = numa_knobs_set();

	if (ret)
		missing("NUMA balancing's knobs: %s (CONFIG_NUMA_BALANCING, debugfs, no lockdown)", strerror(-ret));
	/* In PV the pages do not matter: the user's PTEs are special ones. */
	if (machine.xlate) {
		if (write_line(PROVIDER, provider))
			missing(PROVIDER ": %s", strerror(errno));
		snprintf(suffix, sizeof(suffix), " (%s pages)", provider);
		if (!setup->foreign)
			setup->suffix = suffix;
	}
	probe(setup, "scan", probe_scan, scan_rows, 180);
	if (!setup->foreign)
		setup->suffix = "";
	numa_knobs_restore();
}

/* The same rows of foreign frames, for which the same is expected. Behind pages that a scan would not spare. */
static void compare_foreign(struct probe setup)
{
	setup.foreign = true;
	setup.suffix = " (foreign frames)";
	probe(&setup, "vma", probe_vma, vma_rows, 30);
	probe_scans(&setup, "ballooned");
	if (numa_knobs_quiet())
		missing("/proc/sys/kernel/numa_balancing: %s", strerror(errno));
	if (machine.xlate)
		write_line(PROVIDER, "unpopulated");
	probe(&setup, "direct_io", probe_direct_io, direct_io_rows, 60);
	probe(&setup, "process_vm", probe_process_vm, process_vm_rows, 60);
	probe(&setup, "io_uring", probe_io_uring, io_uring_rows, 60);
	probe(&setup, "zombie", probe_zombie, zombie_rows, 120);
	numa_knobs_restore();
}

/* The scans first: the other probes' pages become dirty, and change_pte_range() leaves dirty file pages alone. */
static void compare(struct column *columns, struct column *uses, unsigned int nr, const char *block_device)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct probe setup = { .column = &columns[i], .suffix = "", .block_device = block_device };

		fprintf(stderr, "gntmap-compare: %s\n", columns[i].strategy);
		probe(&setup, "vma", probe_vma, vma_rows, 30);
		probe_scans(&setup, "unpopulated");
		if (machine.xlate)
			probe_scans(&setup, "ballooned");

		/* Whatever else is looked at, no scan shall come in between. */
		if (numa_knobs_quiet())
			missing("/proc/sys/kernel/numa_balancing: %s", strerror(errno));
		if (machine.xlate)
			write_line(PROVIDER, "unpopulated");
		probe(&setup, "direct_io", probe_direct_io, direct_io_rows, 60);
		probe(&setup, "process_vm", probe_process_vm, process_vm_rows, 60);
		probe(&setup, "vmsplice", probe_vmsplice, vmsplice_rows, 60);
		probe(&setup, "proc_mem", probe_proc_mem, proc_mem_rows, 60);
		probe(&setup, "io_uring", probe_io_uring, io_uring_rows, 60);
		probe(&setup, "fork", probe_fork, fork_rows, 60);
		probe(&setup, "mprotect", probe_mprotect, mprotect_rows, 60);
		probe(&setup, "core", probe_core, core_rows, 120);
		probe(&setup, "cost", probe_cost, cost_rows, 120);
		probe(&setup, "leak", probe_leak, leak_rows, 30);

		setup.column = &uses[i];
		probe(&setup, "async_io", probe_async_io, async_io_rows, 60);
		probe(&setup, "ptrace", probe_ptrace, ptrace_rows, 60);
		probe(&setup, "futex", probe_futex, futex_rows, 60);
		probe(&setup, "advice", probe_advice, advice_rows, 60);
		probe(&setup, "numa_calls", probe_numa_calls, numa_call_rows, 60);
		probe(&setup, "uffd", probe_uffd, uffd_rows, 60);
		probe(&setup, "soft_dirty", probe_soft_dirty, soft_dirty_rows, 60);
		probe(&setup, "splice", probe_splice, splice_rows, 60);
		probe(&setup, "lock", probe_lock, lock_rows, 60);
		probe(&setup, "mremap", probe_mremap, mremap_rows, 60);
		probe(&setup, "migrate", probe_migrate, migrate_rows, 60);
		probe(&setup, "forced", probe_forced, forced_rows, 60);
		probe(&setup, "pinned", probe_pinned, pinned_rows, 60);
		probe(&setup, "flying", probe_flying, flying_rows, 60);
		numa_knobs_restore();

		setup.column = &columns[i];
		compare_foreign(setup);
	}
}

/* In a process that is scanned, once. */
static void probe_scanned(struct probe *setup, probe_fn fn, const char *const *rows)
{
	int ret = numa_knobs_set();

	if (ret)
		missing("NUMA balancing's knobs: %s", strerror(-ret));
	probe(setup, "gup", fn, rows, 120);
	numa_knobs_restore();
}

/* One process for each state of the memory. */
static void compare_gup(struct column *column, const char *block_device)
{
	struct probe setup = { .column = column, .suffix = "", .block_device = block_device };

	probe(&setup, "gup", probe_gup_cost, gup_cost_rows, 60);
	for (enum gup_state state = 0; state < GUP_NR_STATES; state++) {
		if (!gup_has_state(column->strategy, state, machine.xlate))
			continue;
		setup.gup_state = state;
		if (state != GUP_HINTING) {
			probe(&setup, "gup", probe_gup, gup_row_names(state), 60);
			continue;
		}
		if (machine.xlate)
			write_line(PROVIDER, "ballooned");
		probe_scanned(&setup, probe_gup, gup_row_names(state));
		probe_scanned(&setup, probe_hint_cost, hint_cost_rows);
		if (machine.xlate)
			write_line(PROVIDER, "unpopulated");
	}
}

static int count_verdicts(const struct column *columns, unsigned int nr)
{
	unsigned int counts[5] = { 0 };

	for (unsigned int i = 0; i < nr; i++) {
		for (unsigned int row = 0; row < columns[i].nr_cells; row++)
			counts[columns[i].cells[row].verdict]++;
	}
	counts[VERDICT_FAIL] += counts[VERDICT_NONE];
	printf("%u passed, %u failed, %u skipped, %u figures\n", counts[VERDICT_PASS], counts[VERDICT_FAIL],
	       counts[VERDICT_SKIP], counts[VERDICT_INFO]);
	return counts[VERDICT_FAIL] || !counts[VERDICT_PASS];
}

int main(int argc, char **argv)
{
	const char *strategies[MAX_STRATEGIES] = { "vmio", "mixedmap", "policy", "none" };
	const char *output = NULL, *block_device;
	unsigned int nr = 0, nr_columns;
	struct column *columns;
	int option, ret;

	while ((option = getopt(argc, argv, "o:s:p:h")) != -1) {
		switch (option) {
		case 'o':
			output = optarg;
			break;
		case 's':
			if (nr == MAX_STRATEGIES)
				usage(2);
			strategies[nr++] = optarg;
			break;
		case 'p':
			only = optarg;
			break;
		default:
			usage(option == 'h' ? 0 : 2);
		}
	}
	if (optind < argc)
		usage(2);
	nr = nr ? nr : 4;

	if (geteuid())
		missing("must be run as root");
	describe_machine();
	for (unsigned int i = 0; i < nr; i++)
		check_strategy(strategies[i]);
	check_granter();
	if (!read_line(PROVIDER, provider_found, sizeof(provider_found)))
		missing("no " PROVIDER);
	atexit(clean_up);
	block_device = block_create(16);
	if (!block_device)
		fprintf(stderr, "gntmap-compare: no null_blk (%s): direct IO is skipped\n", strerror(errno));

	/* The strategies in each table, and more kinds of memory in the last one. */
	nr_columns = 3 * nr + NR_OTHERS;
	columns = mmap(NULL, nr_columns * sizeof(*columns), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (columns == MAP_FAILED)
		missing("no memory");
	for (unsigned int i = 0; i < nr_columns; i++) {
		columns[i].table = i < nr ? "strategies" : i < 2 * nr ? "uses" : "gup";
		columns[i].strategy = i < 3 * nr ? strategies[i % nr] : others[i - 3 * nr];
	}

	compare(columns, &columns[nr], nr, block_device);
	for (unsigned int i = 2 * nr; i < nr_columns; i++)
		compare_gup(&columns[i], block_device);
	print_table(stdout, columns, nr);
	print_table(stdout, &columns[nr], nr);
	print_table(stdout, &columns[2 * nr], nr + NR_OTHERS);
	ret = count_verdicts(columns, nr_columns);
	if (output && write_json(output, columns, nr_columns))
		missing("%s: %s", output, strerror(errno));
	return ret;
}
