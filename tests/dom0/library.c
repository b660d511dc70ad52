// SPDX-License-Identifier: GPL-2.0
#include "library.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "suite.h"

#define GNTDEV "/dev/xen/gntdev"

void stand_at_gntdev(void)
{
	int fd;

	if (strategy_is("gntdev"))
		return;
	check(!unshare(CLONE_NEWNS), "%s", strerror(errno));
	check(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "%s", strerror(errno));
	if (access(GNTDEV, F_OK)) {
		fd = open(GNTDEV, O_CREAT | O_WRONLY, 0600);
		check(fd >= 0, "%s", strerror(errno));
		close(fd);
	}
	check(!mount(suite.node, GNTDEV, NULL, MS_BIND, NULL), "%s", strerror(errno));
}

xengnttab_handle *open_library(void)
{
	xengnttab_handle *h;

	stand_at_gntdev();
	h = xengnttab_open(NULL, 0);
	check(h, "%s", strerror(errno));
	return h;
}
