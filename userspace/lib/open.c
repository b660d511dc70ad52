// SPDX-License-Identifier: LGPL-2.1-or-later
/* A node: finding it, opening it, what it is and may do. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

#define GNTDEV "/dev/xen/gntdev"
/* The driver's parameter has 64 characters, and "/dev/" comes before it. */
#define PATH_SIZE 96
#define NAME_MAX_LENGTH 32

int gntmap_call(const struct gntmap *gntmap, unsigned long request, void *arg)
{
	return ioctl(gntmap->fd, request, arg) < 0 ? -errno : 0;
}

/* The module says where its node is. */
static bool node_of_module(const char *strategy, char *node, size_t size)
{
	char path[128];
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "/sys/module/gntmap_%s/parameters/node", strategy);
	file = fopen(path, "re");
	if (!file)
		return false;
	good = fgets(node, size, file);
	fclose(file);
	if (good)
		node[strcspn(node, "\n")] = 0;
	return good && node[0];
}

int gntmap_node_path(const char *strategy, char *path, size_t size)
{
	char node[PATH_SIZE];
	int length;

	if (!strategy[0] || strchr(strategy, '/'))
		return -EINVAL;
	if (strlen(strategy) > NAME_MAX_LENGTH)
		return -ENAMETOOLONG;
	if (!node_of_module(strategy, node, sizeof(node)))
		snprintf(node, sizeof(node), "xen/gntmap-%s", strategy);
	length = snprintf(path, size, "/dev/%s", node);
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

static int open_path(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A path or a strategy's name. */
static int open_named(const char *node)
{
	char path[PATH_SIZE];
	int err;

	if (strchr(node, '/'))
		return open_path(node);
	err = gntmap_node_path(node, path, sizeof(path));
	return err ? err : open_path(path);
}

/* In-tree xen-gntdev stands there on most machines. */
static int open_gntdev_if_ours(void)
{
	struct gntmap_info info = { .size = sizeof(info) };
	int fd = open_path(GNTDEV);

	if (fd >= 0 && ioctl(fd, GNTMAP_IOCTL_INFO, &info)) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

static int open_default(void)
{
	static const char *const strategies[] = { "mixedmap", "policy", "vmio" };
	const char *named = secure_getenv("GNTMAP_NODE");
	int fd, err;

	if (named && named[0])
		return open_named(named);
	fd = open_gntdev_if_ours();
	err = fd;
	for (unsigned int i = 0; fd < 0 && i < sizeof(strategies) / sizeof(strategies[0]); i++) {
		fd = open_named(strategies[i]);
		/* A node that is there and cannot be opened says more than one that is not there. */
		if (fd < 0 && err == -ENOENT)
			err = fd;
	}
	return fd < 0 ? err : fd;
}

int gntmap_open_fd(struct gntmap **gntmap, int fd)
{
	struct gntmap *new;

	if (fcntl(fd, F_GETFD) < 0)
		return -errno;
	new = malloc(sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->fd = fd;
	*gntmap = new;
	return 0;
}

int gntmap_open(struct gntmap **gntmap, const char *node)
{
	int fd = node ? open_named(node) : open_default();
	int err;

	if (fd < 0)
		return fd;
	err = gntmap_open_fd(gntmap, fd);
	if (err)
		close(fd);
	return err;
}

void gntmap_close(struct gntmap *gntmap)
{
	if (!gntmap)
		return;
	close(gntmap->fd);
	free(gntmap);
}

int gntmap_fd(const struct gntmap *gntmap)
{
	return gntmap->fd;
}

int gntmap_get_info(struct gntmap *gntmap, struct gntmap_info *info, size_t size)
{
	/* The driver knows which sizes there have been; these bytes are what it reads before it knows. */
	if (size < offsetof(struct gntmap_info, strategy) || size > UINT32_MAX)
		return -EINVAL;
	info->size = size;
	info->flags = 0;
	return gntmap_call(gntmap, GNTMAP_IOCTL_INFO, info);
}

int gntmap_restrict(struct gntmap *gntmap, uint32_t domid)
{
	struct gntmap_restrict op = { .size = sizeof(op), .domid = domid };

	return gntmap_call(gntmap, GNTMAP_IOCTL_RESTRICT, &op);
}

int gntmap_set_max_pages(struct gntmap *gntmap, uint64_t max_pages)
{
	struct gntmap_set_max_pages op = { .size = sizeof(op), .max_pages = max_pages };

	return gntmap_call(gntmap, GNTMAP_IOCTL_SET_MAX_PAGES, &op);
}
