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
#include "second_granter.h"
#include "suite.h"

#define NR 4u

static struct second_granter start(struct ioctl_gntdev_grant_ref *refs)
{
	struct second_granter second = second_start();

	for (uint32_t i = 0; i < NR; i++) {
		refs[i].domid = second.domid;
		refs[i].ref = second.first_ref + i;
	}
	return second;
}

static void no_zombie_once_let_go(void)
{
	struct ioctl_gntdev_grant_ref refs[NR];
	struct domain_state state;
	uint64_t offset;
	uint32_t domid;
	void *addr;
	int fd;

	domid = start(refs).domid;
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
	check(domain_is_gone(domid), "domain %u is a zombie 10 s after we let go", domid);
}

static void kill_lets_go(void)
{
	struct ioctl_gntdev_grant_ref refs[NR];
	uint64_t offset;
	void *addr;
	pid_t child;

	start(refs);
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
	check(domain_is_gone(refs[0].domid), "domain %u is a zombie 10 s after its user was killed", refs[0].domid);
}

static const struct suite_case cases[] = {
	{ "a granter destroyed while mapped is gone once we let go, and its pages are readable until then",
	  no_zombie_once_let_go },
	{ "a granter destroyed while mapped is gone once its user is killed", kill_lets_go },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
