// SPDX-License-Identifier: GPL-2.0
/* A probe's process, and the cells it fills. */
#include "compare.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gntmap_node.h"
#include "gup_memory.h"

static struct cell *find_cell(struct probe *probe, const char *row)
{
	struct column *column = probe->column;
	char name[sizeof(column->cells[0].row)];
	struct cell *cell;

	snprintf(name, sizeof(name), "%s%s", row, probe->suffix);
	for (unsigned int i = 0; i < column->nr_cells; i++) {
		if (!strcmp(column->cells[i].row, name))
			return &column->cells[i];
	}
	if (column->nr_cells == MAX_CELLS)
		abort();
	cell = &column->cells[column->nr_cells++];
	strcpy(cell->row, name);
	return cell;
}

static void fill(struct probe *probe, const char *row, enum verdict verdict, const char *format, va_list args)
{
	struct cell *cell = find_cell(probe, row);

	vsnprintf(cell->observed, sizeof(cell->observed), format, args);
	cell->ordinary_pages = probe->ordinary_pages;
	expect(cell, row, probe->column->strategy);
	if (verdict)
		cell->verdict = verdict;
}

void observe(struct probe *probe, const char *row, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fill(probe, row, VERDICT_NONE, format, args);
	va_end(args);
}

void observe_value(struct probe *probe, const char *row, long value, const char *format, ...)
{
	struct cell *cell = find_cell(probe, row);
	va_list args;

	cell->has_value = true;
	cell->value = value;
	va_start(args, format);
	fill(probe, row, VERDICT_NONE, format, args);
	va_end(args);
}

void observe_errno(struct probe *probe, const char *row, int ret)
{
	observe(probe, row, "%s", ret ? strerrorname_np(-ret) : "ok");
}

void skip(struct probe *probe, const char *row, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fill(probe, row, VERDICT_SKIP, format, args);
	va_end(args);
}

void info(struct probe *probe, const char *row, long value, const char *format, ...)
{
	struct cell *cell = find_cell(probe, row);
	va_list args;

	cell->has_value = true;
	cell->value = value;
	va_start(args, format);
	fill(probe, row, VERDICT_INFO, format, args);
	va_end(args);
}

static const char *const *probe_rows;

/* Rows that nobody filled say why. */
static void fill_rest(struct probe *probe, const char *const *rows, const char *why)
{
	for (; *rows; rows++) {
		if (find_cell(probe, *rows)->verdict == VERDICT_NONE) {
			observe(probe, *rows, "%s", why);
			find_cell(probe, *rows)->verdict = VERDICT_FAIL;
		}
	}
}

void probe_die(struct probe *probe, const char *format, ...)
{
	char why[sizeof(probe->column->cells[0].observed)];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	fill_rest(probe, probe_rows, why);
	_exit(0);
}

/* Other memory is compared as well. */
static bool strategy_has_node(const char *strategy)
{
	const struct gup_memory memory = { .kind = strategy };

	return gup_memory_has_node(&memory) && strcmp(strategy, GUP_FOREIGN);
}

static int run_child(struct probe *probe, probe_fn fn, const char *const *rows, unsigned int timeout_s)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A child of its own group, so that what it forked ends with it. */
	setpgid(0, 0);
	alarm(timeout_s);
	probe_rows = rows;
	/* Mappings of the parent's handle are not inherited. */
	probe->granter = granter_open();
	if (!probe->granter)
		probe_die(probe, "no granter: %s", strerror(errno));
	probe->fd = node_open(probe->column->strategy);
	if (probe->fd < 0 && strategy_has_node(probe->column->strategy))
		probe_die(probe, "opening the node: %s", strerror(-probe->fd));
	fn(probe);
	return 0;
}

void probe_run(struct probe *probe, probe_fn fn, const char *const *rows, unsigned int timeout_s)
{
	char why[64];
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(run_child(probe, fn, rows, timeout_s));
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		snprintf(why, sizeof(why), "fork: %s", strerror(errno));
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(why, sizeof(why), "hung for %u s", timeout_s);
	else if (WIFSIGNALED(status))
		snprintf(why, sizeof(why), "killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
	else
		snprintf(why, sizeof(why), "not looked at");
	if (pid > 0)
		kill(-pid, SIGKILL);
	fill_rest(probe, rows, why);
}
