// SPDX-License-Identifier: GPL-2.0
/*
 * A granter that is destroyed while its pages are mapped: they stay readable, its domain stays a zombie as long as they
 * are mapped, and not longer. The granter of this is a second one, started by the command in GRANTER_START.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "domain_state.h"
#include "range.h"
#include "suite.h"

#define NR 4u
#define NAME "granter-second"
#define ENVIRONMENT "/run/granter-second.env"

static void second_end(void)
{
	if (system("xl destroy " NAME " >/dev/null 2>&1"))
		return; /* there is none */
	unlink(ENVIRONMENT);
}

static uint32_t second_value(const char *name)
{
	FILE *file = fopen(ENVIRONMENT, "re");
	char line[128];
	size_t len = strlen(name);
	uint32_t value = 0;

	check(file, ENVIRONMENT ": %s", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, len) && line[len] == '=')
			value = strtoul(line + len + 1, NULL, 10);
	}
	fclose(file);
	check(value, "no %s", name);
	return value;
}

static void second_start(struct ioctl_gntdev_grant_ref *refs)
{
	const char *start = getenv("GRANTER_START");
	char command[512];

	if (!start)
		case_skip("GRANTER_START, the command that starts a granter");
	second_end();
	snprintf(command, sizeof(command), "GRANTER_ENV=" ENVIRONMENT " %s 'name=\"" NAME "\"' >/dev/null 2>&1", start);
	check(!system(command), "%s", command);
	for (uint32_t i = 0; i < NR; i++) {
		refs[i].domid = second_value("GRANTER_DOMID");
		refs[i].ref = second_value("GRANTER_FIRST_REF") + i;
	}
}

/* Waits, five seconds at most, until there is no such domain. */
static bool is_gone(uint32_t domid)
{
	struct domain_state state;

	for (int i = 0; i < 100; i++) {
		if (!domain_state(domid, &state))
			return true;
		sleep_ms(50);
	}
	return false;
}

static void no_zombie_once_let_go(void)
{
	struct ioctl_gntdev_grant_ref refs[NR];
	struct domain_state state;
	uint64_t offset;
	uint32_t domid;
	void *addr;
	int fd;

	second_start(refs);
	domid = refs[0].domid;
	fd = open_node();
	expect(try_add(fd, refs, NR, &offset), 0);
	expect(try_mmap(fd, offset, NR * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, &addr), 0);
	check_pattern(addr, 0, NR, 1);
	expect(domain_state(domid, &state), 1);
	check(!state.dying, "it is dying before its time");

	second_end();
	/* Premise: what keeps it is our mapping. */
	sleep_ms(500);
	expect(domain_state(domid, &state), 1);
	check(state.dying, "it lives on");
	check(state.nr_pages >= NR, "it has %lu pages", (unsigned long)state.nr_pages);
	check_pattern(addr, 0, NR, 1);

	expect(try_munmap(addr, NR * PAGE_SIZE), 0);
	expect(try_remove(fd, offset, NR), 0);
	check(is_gone(domid), "domain %u is a zombie 5 s after we let go", domid);
}

static void kill_lets_go(void)
{
	struct ioctl_gntdev_grant_ref refs[NR];
	uint64_t offset;
	void *addr;
	pid_t child;

	second_start(refs);
	child = fork();
	check(child >= 0, "%s", strerror(errno));
	if (!child) {
		int fd = open_node();

		expect(try_add(fd, refs, NR, &offset), 0);
		expect(try_mmap(fd, offset, NR * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, &addr), 0);
		second_end();
		kill(getpid(), SIGKILL);
	}
	expect(waitpid(child, NULL, 0), child);
	check(is_gone(refs[0].domid), "domain %u is a zombie 5 s after its user was killed", refs[0].domid);
}

static const struct suite_case cases[] = {
	{ "a granter destroyed while mapped is gone once we let go, and its pages are readable until then",
	  no_zombie_once_let_go, .timeout_s = 180 },
	{ "a granter destroyed while mapped is gone once its user is killed", kill_lets_go, .timeout_s = 180 },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
