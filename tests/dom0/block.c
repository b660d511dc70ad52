// SPDX-License-Identifier: GPL-2.0
#include "block.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIGFS "/sys/kernel/config"
/* A name that no device of null_blk's own has; since 6.9 it is the disk's name too. */
#define NAME "nullb-gntmap"
#define DIR CONFIGFS "/nullb/" NAME

static int set(const char *attribute, const char *value)
{
	char path[128];
	int fd, ret = 0;

	snprintf(path, sizeof(path), DIR "/%s", attribute);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (write(fd, value, strlen(value)) < 0)
		ret = -1;
	close(fd);
	return ret;
}

static int find_node(char *node, size_t size)
{
	FILE *file = fopen(DIR "/index", "re");
	int index = -1;

	if (file) {
		if (fscanf(file, "%d", &index) != 1)
			index = -1;
		fclose(file);
	}
	/* devtmpfs makes it a little later than the write to "power" returns, if at all */
	for (int i = 0; i < 100; i++) {
		snprintf(node, size, "/dev/" NAME);
		if (!access(node, F_OK))
			return 0;
		snprintf(node, size, "/dev/nullb%d", index);
		if (!access(node, F_OK))
			return 0;
		usleep(10 * 1000);
	}
	errno = ENODEV;
	return -1;
}

const char *block_create(unsigned int size_mib)
{
	static char node[64];
	char size[16];

	if (system("modprobe null_blk nr_devices=0 2>/dev/null")) {
		errno = ENOENT;
		return NULL;
	}
	if (access(CONFIGFS "/nullb", F_OK) && mount("configfs", CONFIGFS, "configfs", 0, NULL) && errno != EBUSY)
		return NULL;
	/* left by somebody who was killed */
	block_remove();
	if (mkdir(DIR, 0700))
		return NULL;
	snprintf(size, sizeof(size), "%u", size_mib);
	if (set("size", size) || set("memory_backed", "1") || set("power", "1") || find_node(node, sizeof(node))) {
		int error = errno;

		block_remove();
		errno = error;
		return NULL;
	}
	return node;
}

void block_remove(void)
{
	set("power", "0");
	rmdir(DIR);
}
