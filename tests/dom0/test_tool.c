// SPDX-License-Identifier: GPL-2.0
/* The tool gntmap in a real dom0: what needs a node and another domain's pages. The rest of it is tested in tests/unit. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block.h"
#include "foreign.h"
#include "gup_rules.h"
#include "suite.h"

#define FIRST 5u
#define NR 3u
#define FILE_NAME "/run/test_tool.file"

/* What the last call said, on stdout and stderr together. */
static char said[65536];

/* Runs the tool with this strategy's node: is that its exit code? */
__attribute__((format(printf, 2, 3))) static void tool(int code, const char *fmt, ...)
{
	char command[512];
	va_list args;
	FILE *pipe;
	size_t n, len;
	int status;

	len = snprintf(command, sizeof(command), "exec gntmap --node %s ", suite.strategy);
	va_start(args, fmt);
	len += vsnprintf(command + len, sizeof(command) - len, fmt, args);
	va_end(args);
	check(len + 6 < sizeof(command), "too long a command");
	strcat(command, " 2>&1");

	fflush(NULL);
	pipe = popen(command, "re");
	check(pipe, "%s", strerror(errno));
	n = fread(said, 1, sizeof(said) - 1, pipe);
	said[n] = 0;
	status = pclose(pipe);
	check(WIFEXITED(status) && WEXITSTATUS(status) == code, "%s: status %#x, not code %d: %.300s", command, status, code, said);
}

#define check_said(text) check(strstr(said, text), "it said: %.300s", said)

static unsigned int ref_of(uint32_t page)
{
	return suite.granter->first_ref + page;
}

/* The file holds the pages with the pattern. */
static void check_file(const char *name, uint32_t first, uint32_t nr, uint64_t seed)
{
	char *content = aligned_alloc(PAGE_SIZE, nr * PAGE_SIZE);
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	check(content && fd >= 0, "%s: %s", name, strerror(errno));
	check(read(fd, content, nr * PAGE_SIZE) == (ssize_t)(nr * PAGE_SIZE), "%s is too short", name);
	check_pattern(content, first, nr, seed);
	free(content);
	close(fd);
}

/* ... and the granter's pages what is written to the file now. */
static void make_file(const char *name, uint32_t first, uint32_t nr, uint64_t seed)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint64_t words[PAGE_SIZE / 8];

	check(fd >= 0, "%s", strerror(errno));
	for (uint32_t page = 0; page < nr; page++) {
		for (uint64_t i = 0; i < PAGE_SIZE / 8; i++)
			words[i] = granter_word(seed, first + page, i);
		check(write(fd, words, PAGE_SIZE) == PAGE_SIZE, "%s", strerror(errno));
	}
	close(fd);
}

static void check_granter(uint32_t first, uint32_t nr, uint64_t seed)
{
	uint64_t want = GRANTER_SUM_INIT, sum;

	for (uint32_t page = 0; page < nr; page++)
		for (uint64_t i = 0; i < PAGE_SIZE / 8; i++) {
			uint64_t word = granter_word(seed, first + page, i);

			want = granter_sum(want, &word, 1);
		}
	check(!granter_sum_pages(suite.granter, first, nr, &sum), "%s", strerror(errno));
	check(sum == want, "the granter has something else");
}

static void fill(uint64_t seed)
{
	check(!granter_fill(suite.granter, FIRST, NR, seed), "%s", strerror(errno));
}

static void lists(void)
{
	char text[64];

	tool(0, "list");
	snprintf(text, sizeof(text), "%-9s  loaded     /dev/xen/gntmap-%s\n", suite.strategy, suite.strategy);
	check_said(text);
	check_said("core       loaded: keep=");
	check_said(" limit=");
	tool(0, "--json list");
	snprintf(text, sizeof(text), "\"node\": \"/dev/xen/gntmap-%s\"", suite.strategy);
	check_said(text);
	check_said("\"core\": \"loaded\"");
}

static void tells(void)
{
	char text[64];

	tool(0, "info");
	snprintf(text, sizeof(text), "strategy   %s\nbackend    %s\n", suite.strategy, suite.pv ? "pv" : "xlate");
	check_said(text);
	check_said("features   foreign notify copy");
	tool(0, "info --json");
	snprintf(text, sizeof(text), "\"strategy\": \"%s\"", suite.strategy);
	check_said(text);
	check_said("\"max_pages\": null");
	tool(1, "info /dev/null");
	check_said("is not a node of gntmap");
}

static void dumps(void)
{
	char line[64];

	fill(3);
	check(!granter_poke(suite.granter, FIRST + 1, 0, 0x6f6c6c6548202020), "%s", strerror(errno));
	tool(0, "map %u %u-%u", suite.granter->domid, ref_of(FIRST), ref_of(FIRST + NR - 1));
	snprintf(line, sizeof(line), "grant %u\n", ref_of(FIRST + NR - 1));
	check_said(line);
	check_said("20 20 20 48 65 6c 6c 6f");
	check_said("   Hello");
}

static void copies_to_files(void)
{
	fill(4);
	tool(0, "map --to " FILE_NAME " %u %#x+%u", suite.granter->domid, ref_of(FIRST), NR);
	check_file(FILE_NAME, FIRST, NR, 4);
	make_file(FILE_NAME, FIRST, NR, 5);
	tool(0, "map --from " FILE_NAME " %u %u+%u", suite.granter->domid, ref_of(FIRST), NR);
	check_granter(FIRST, NR, 5);
	tool(1, "map --from " FILE_NAME " %u %u", suite.granter->domid, ref_of(FIRST));
	check_said("has more than the 4096 bytes");
	unlink(FILE_NAME);
}

static void direct(void)
{
	const char *device = block_create(4);
	bool refused = gup_fast_rule();

	if (!device)
		case_skip("null_blk: %s", strerror(errno));
	fill(6);
	tool(refused, "map --direct --to %s %u %u+%u", device, suite.granter->domid, ref_of(FIRST), NR);
	if (refused)
		check_said("take --node mixedmap or policy");
	else
		check_file(device, FIRST, NR, 6);
	block_remove();
}

static void what_is_refused(void)
{
	tool(1, "map %u %u", suite.granter->domid, 1000000);
	check_said("reference 1000000: not to be mapped: there is no such grant");
	tool(1, "map --write %u %u,%u", suite.granter->domid, ref_of(FIRST), ref_of(suite.nr_rw));
	check_said("not to be mapped writable");
	tool(1, "map %u %u", suite.granter->domid + 1000, ref_of(FIRST));
}

/* Somebody holds pages: who, and how many? */
static void watches(void)
{
	char node[64], text[160];
	pid_t child;

	fflush(NULL);
	child = fork();
	check(child >= 0, "%s", strerror(errno));
	if (!child) {
		char domid[16], refs[32];

		snprintf(domid, sizeof(domid), "%u", suite.granter->domid);
		snprintf(refs, sizeof(refs), "%u+%u", ref_of(FIRST), NR);
		freopen("/dev/null", "w", stderr);
		execlp("gntmap", "gntmap", "--node", suite.strategy, "map", "--hold", domid, refs, NULL);
		_exit(127);
	}
	wait_busy(FIRST, NR, NR);
	snprintf(node, sizeof(node), "xen/gntmap-%s", suite.strategy);
	tool(0, "watch --once %d", child);
	snprintf(text, sizeof(text), "%-18s %7d %8d %8d %8d %6s", node, 1, NR, NR, 0, "any");
	check_said(text);
	tool(0, "--json watch --count 2 --interval 0.05");
	snprintf(text, sizeof(text), "{\"pid\":%d,\"command\":\"gntmap\"", child);
	check_said(text);
	snprintf(text, sizeof(text), "\"ranges\":1,\"pages\":%d,\"mapped_pages\":%d,\"draining_pages\":0", NR, NR);
	check_said(text);
	kill(child, SIGTERM);
	check(waitpid(child, NULL, 0) == child, "%s", strerror(errno));
	tool(0, "--json watch --once %d", child);
	check_said("\"files\":[]");
}

static void foreign_frames(void)
{
	uint64_t *gfns = foreign_gfns(FIRST, NR);
	unsigned int domid = suite.granter->domid;

	fill(7);
	tool(0, "foreign --to " FILE_NAME " %u %#lx %#lx %lu", domid, gfns[0], gfns[1], gfns[2]);
	check_file(FILE_NAME, FIRST, NR, 7);
	make_file(FILE_NAME, FIRST, NR, 8);
	tool(0, "foreign --from " FILE_NAME " %u %#lx,%#lx,%lu", domid, gfns[0], gfns[1], gfns[2]);
	check_granter(FIRST, NR, 8);

	tool(1, "foreign %u %#lx 0x3fffffffff", domid, gfns[0]);
	tool(0, "foreign --partial --to " FILE_NAME " %u %#lx 0x3fffffffff %#lx", domid, gfns[0], gfns[2]);
	check_said("1 of 3 frames could not be mapped");
	check_file(FILE_NAME, FIRST, 1, 8);
	tool(0, "--json foreign --partial %u %#lx 0x3fffffffff", domid, gfns[0]);
	check_said("\"error\": \"EINVAL\"");
	check_said("\"error\": null");
	unlink(FILE_NAME);
}

static void passes_on(void)
{
	tool(0, "compare --help");
	check_said("Usage: gntmap compare");
	tool(0, "bench --help");
	check_said("Usage: gntmap bench");
	/* What they are called with goes to the programs. */
	tool(2, "compare --nosuch");
	check_said("gntmap-compare");
	tool(2, "bench --nosuch");
	check_said("gntmap-bench");
}

/* What has nothing to do with the strategy is tried with one: starting a program takes long under emulation. */
static bool once(void)
{
	return strategy_is("mixedmap");
}

static const struct suite_case cases[] = {
	{ "gntmap list shows the strategy and the core", lists, .applies = once },
	{ "gntmap info tells what the node is", tells },
	{ "gntmap map dumps grants", dumps, .applies = once },
	{ "gntmap map copies grants to a file and back", copies_to_files, .applies = once },
	{ "gntmap map --direct does direct IO on the pages, or says what can", direct },
	{ "gntmap map says which grant is to blame", what_is_refused, .applies = once },
	{ "gntmap watch shows who holds how many pages", watches },
	{ "gntmap foreign copies frames to a file and back, and tells errors", foreign_frames, .applies = once },
	{ "gntmap compare and bench run their programs", passes_on, .applies = once },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
