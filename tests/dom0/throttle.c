// SPDX-License-Identifier: GPL-2.0
#include "throttle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#define GROUP "gntmap-throttle"

static char root[64];
static char device[32]; /* "major:minor" */

static int put(const char *dir, const char *file, const char *text)
{
	char path[160];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "%s%s/%s", root, dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int find_root(void)
{
	struct statfs fs;

	strcpy(root, "/sys/fs/cgroup");
	if (!statfs(root, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC)
		return 0;
	strcpy(root, "/run/gntmap-cgroup");
	if (mkdir(root, 0700) && errno != EEXIST)
		return -errno;
	if (!statfs(root, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC)
		return 0;
	return mount("cgroup2", root, "cgroup2", 0, NULL) ? -ENOTSUP : 0;
}

static int limit(const char *bytes_per_s)
{
	char line[96];

	snprintf(line, sizeof(line), "%s rbps=%s wbps=%s", device, bytes_per_s, bytes_per_s);
	return put("/" GROUP, "io.max", line);
}

int throttle_create(const char *node)
{
	char dir[96];
	struct stat st;
	int ret;

	if (stat(node, &st))
		return -errno;
	snprintf(device, sizeof(device), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	ret = find_root();
	if (ret)
		return ret;
	if (put("", "cgroup.subtree_control", "+io"))
		return -ENOTSUP;
	snprintf(dir, sizeof(dir), "%s/" GROUP, root);
	if (mkdir(dir, 0700) && errno != EEXIST)
		return -errno;
	return limit("max") ? -ENOTSUP : 0;
}

void throttle_remove(void)
{
	char dir[96];

	throttle_release();
	snprintf(dir, sizeof(dir), "%s/" GROUP, root);
	/* Who was killed a moment ago may still be in it. */
	for (int i = 0; i < 200 && rmdir(dir) && errno == EBUSY; i++)
		usleep(10 * 1000);
}

int throttle_join(void)
{
	return put("/" GROUP, "cgroup.procs", "0");
}

/* One page would take half an hour. */
int throttle_hold(void)
{
	return limit("2");
}

int throttle_release(void)
{
	return limit("max");
}
