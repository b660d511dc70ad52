// SPDX-License-Identifier: GPL-2.0
/* What becomes of the mapping: fork, mprotect, core dump. */
#include "compare.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "gntmap_node.h"

#define NR_PAGES 16
#define SIZE ((size_t)NR_PAGES * GRANTER_PAGE_SIZE)
#define SEED 31

static void map(struct probe *probe, struct node_range *range)
{
	int ret;

	if (granter_fill(probe->granter, 0, NR_PAGES, SEED))
		probe_die(probe, "the granter does not fill: %m");
	ret = node_map(probe->fd, probe->granter->domid, probe->granter->first_ref, NR_PAGES, PROT_READ | PROT_WRITE,
		       range);
	if (ret)
		probe_die(probe, "map: %s", strerror(-ret));
}

const char *const fork_rows[] = { "fork: child reads it", "fork: parent reads it", NULL };

/* Reads the first word of each page; returns -1 for a wrong one, else the signal that a read raised or 0. */
static int read_pages(char *addr, long *nr_faults)
{
	struct rusage before, after;
	uint64_t words[NR_PAGES];
	int sig = 0;

	/* What the loop itself touches must be there: its stack is written, its code has been run once. */
	memset(words, 0, sizeof(words));
	getrusage(RUSAGE_SELF, &before);
	for (size_t page = 0; page < NR_PAGES && !sig; page++)
		sig = fault_read(addr + page * GRANTER_PAGE_SIZE, &words[page]);
	getrusage(RUSAGE_SELF, &after);
	*nr_faults = after.ru_minflt - before.ru_minflt;
	for (size_t page = 0; page < NR_PAGES && !sig; page++) {
		if (words[page] != granter_word(SEED, page, 0))
			sig = -1;
	}
	return sig;
}

static void observe_read(struct probe *probe, const char *row, int sig, const char *how)
{
	if (sig > 0)
		observe(probe, row, "SIG%s", sigabbrev_np(sig));
	else
		observe(probe, row, "%s", sig ? "wrong data" : how);
}

void probe_fork(struct probe *probe)
{
	struct node_range range;
	long nr_faults;
	pid_t pid;
	int sig;

	fault_catch();
	map(probe, &range);
	sig = read_pages(range.addr, &nr_faults);
	if (sig)
		probe_die(probe, "cannot be read before fork");
	pid = fork();
	if (pid < 0)
		probe_die(probe, "fork: %m");
	if (!pid) {
		/* Once elsewhere, for the faults of a new process. */
		fault_read(&pid, &(uint64_t){ 0 });
		sig = read_pages(range.addr, &nr_faults);
		observe_read(probe, fork_rows[0], sig, nr_faults < NR_PAGES / 2 ? "ok, PTEs copied" : "ok, faulted in");
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	sig = read_pages(range.addr, &nr_faults);
	observe_read(probe, fork_rows[1], sig, "ok");
	node_unmap(probe->fd, &range);
}

const char *const mprotect_rows[] = { "mprotect(PROT_READ) and back", NULL };

void probe_mprotect(struct probe *probe)
{
	const char *row = mprotect_rows[0];
	struct node_range range;
	uint64_t word;
	int sig;

	fault_catch();
	map(probe, &range);
	if (mprotect(range.addr, SIZE, PROT_READ)) {
		int error = errno;

		/* Refused must mean untouched. */
		sig = fault_write(range.addr, 1);
		if (sig)
			observe(probe, row, "%s, then SIG%s", strerrorname_np(error), sigabbrev_np(sig));
		else
			observe_errno(probe, row, -error);
	} else if ((sig = fault_read(range.addr, &word))) {
		observe(probe, row, "ok, but reading gets SIG%s", sigabbrev_np(sig));
	} else if (fault_write(range.addr, 1) != SIGSEGV) {
		observe(probe, row, "ok, but still writable");
	} else if (mprotect(range.addr, SIZE, PROT_READ | PROT_WRITE)) {
		observe(probe, row, "ok, back: %s", strerrorname_np(errno));
	} else {
		sig = fault_write(range.addr, 2);
		if (granter_peek(probe->granter, 0, 0, &word))
			probe_die(probe, "the granter does not answer: %m");
		observe(probe, row, "%s", !sig && word == 2 ? "ok" : "ok, but lost");
	}
	node_unmap(probe->fd, &range);
}

const char *const core_rows[] = { "in a core dump", "in a core dump after MADV_DODUMP", NULL };

#define CORE_PATTERN "/proc/sys/kernel/core_pattern"
#define CORE_DIR "/tmp/gntmap-compare.core"

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t ret;

	if (fd < 0)
		return -1;
	ret = write(fd, text, strlen(text));
	close(fd);
	return ret < 0 ? -1 : 0;
}

/* Dies with a core, in which `control` must be and the grants may be. */
static void die_with_core(char *grants, volatile uint64_t *control)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	uint64_t word;

	setrlimit(RLIMIT_CORE, &limit);
	/* All kinds of mappings: only the VMA's flags are to decide. */
	write_text("/proc/self/coredump_filter", "0x7f");
	*control = granter_word(SEED + 1, 0, 0);
	fault_read(grants, &word);
	signal(SIGABRT, SIG_DFL);
	abort();
}

/* How many 64-bit words of the file are this one */
static long count_word(const char *path, uint64_t word)
{
	FILE *file = fopen(path, "re");
	uint64_t words[512];
	size_t nr_words;
	long nr = 0;

	if (!file)
		return -1;
	while ((nr_words = fread(words, sizeof(words[0]), 512, file))) {
		for (size_t i = 0; i < nr_words; i++)
			nr += words[i] == word;
	}
	fclose(file);
	return nr;
}

/* The child maps by itself: PV mappings are not inherited. */
static void dump(struct probe *probe, const char *row, bool dodump)
{
	int fd = node_open(probe->column->strategy);
	struct node_range range;
	char path[64];
	uint64_t *control;
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		probe_die(probe, "fork: %m");
	if (!pid) {
		control = mmap(NULL, GRANTER_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (node_map(fd, probe->granter->domid, probe->granter->first_ref, NR_PAGES, PROT_READ | PROT_WRITE,
			     &range))
			_exit(1);
		if (dodump && madvise(range.addr, SIZE, MADV_DODUMP)) {
			observe_errno(probe, row, -errno);
			_exit(0);
		}
		die_with_core(range.addr, control);
	}
	close(fd);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return;
	snprintf(path, sizeof(path), CORE_DIR "/%d", (int)pid);
	if (!WIFSIGNALED(status) || !WCOREDUMP(status) || count_word(path, granter_word(SEED + 1, 0, 0)) < 1)
		skip(probe, row, "no core file with the control in it");
	else
		/* One more word than the first, lest a copy in a register or on the stack count. */
		observe(probe, row, "%s", count_word(path, granter_word(SEED, 1, 7)) > 0 ? "yes" : "no");
	unlink(path);
}

void probe_core(struct probe *probe)
{
	char pattern[256] = "";
	FILE *file = fopen(CORE_PATTERN, "re");

	if (!file || !fgets(pattern, sizeof(pattern), file)) {
		skip(probe, core_rows[0], "no " CORE_PATTERN);
		skip(probe, core_rows[1], "no " CORE_PATTERN);
		return;
	}
	fclose(file);
	if (granter_fill(probe->granter, 0, NR_PAGES, SEED))
		probe_die(probe, "the granter does not fill: %m");
	if (mkdir(CORE_DIR, 0700) && errno != EEXIST)
		probe_die(probe, CORE_DIR ": %m");
	if (write_text(CORE_PATTERN, CORE_DIR "/%p"))
		probe_die(probe, CORE_PATTERN ": %m");
	dump(probe, core_rows[0], false);
	dump(probe, core_rows[1], true);
	write_text(CORE_PATTERN, pattern);
	rmdir(CORE_DIR);
}
