// SPDX-License-Identifier: GPL-2.0
/*
 * Who has not the privilege to open a node gets a descriptor from somebody who has, or none. What a descriptor may do after it
 * was restricted is test_restrict's affair.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "foreign.h"
#include "suite.h"

#define RW (PROT_READ | PROT_WRITE)
#define FIRST 5u

static int restrict_to(int fd, uint32_t domid)
{
	struct gntmap_restrict op = { .size = sizeof(op), .domid = domid };

	return ioctl(fd, GNTMAP_IOCTL_RESTRICT, &op) ? -errno : 0;
}

static int restricted(void)
{
	int fd = open_node();

	expect(restrict_to(fd, suite.granter->domid), 0);
	return fd;
}

/* /proc/self/fd opens the node anew: a new file, without restriction, for whoever may open the node. */
static void becomes_nobody(void *arg)
{
	struct range r;
	char path[64];
	int fd;

	check(!setgid(65534) && !setuid(65534), "%s", strerror(errno));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", *(int *)arg);
	fd = open(path, O_RDWR);
	check(fd < 0 && errno == EACCES, "nobody opened it anew (%d)", fd);
	fd = open(suite.node, O_RDWR);
	check(fd < 0 && errno == EACCES, "nobody opened the node (%d)", fd);
	/* What was given to it works. */
	r = range_map(*(int *)arg, FIRST, 2, RW);
	range_check(&r);
	range_unmap(&r);
}

static void without_privilege(void)
{
	int fd = restricted();

	expect(run_child(becomes_nobody, &fd, true), 0);
}

static void in_user_namespace(void *arg)
{
	int fd;

	(void)arg;
	check(!setgid(65534) && !setuid(65534), "%s", strerror(errno));
	if (unshare(CLONE_NEWUSER))
		case_skip("user namespaces for everybody: %s", strerror(errno));
	/* All capabilities, in there. */
	fd = open(suite.node, O_RDWR);
	check(fd < 0 && errno == EACCES, "the node could be opened (%d)", fd);
}

static void no_namespace(void)
{
	int how = run_child(in_user_namespace, NULL, false);

	if (how == EXIT_SKIP)
		exit(EXIT_SKIP);
	expect(how, 0);
}

static const struct suite_case cases[] = {
	{ "nobody can use a descriptor that it was given, and open none itself", without_privilege },
	{ "a user namespace opens no node", no_namespace },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
