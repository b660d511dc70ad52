// SPDX-License-Identifier: GPL-2.0
#include "blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/loop.h>

#include "block.h"

static struct {
	const char *node;
	char path[32];
	char why[96];
} blocks[NR_BLOCK_KINDS];

/* What we have made and must take away. */
static bool loaded_brd;
static int loop_fd = -1;

static void missing(enum block_kind kind, const char *what)
{
	snprintf(blocks[kind].why, sizeof(blocks[kind].why), "%s: %s", what, strerror(errno));
}

static bool wait_for_node(const char *path)
{
	for (int i = 0; i < 500 && access(path, F_OK); i++)
		usleep(10 * 1000);
	return !access(path, F_OK);
}

static void create_brd(unsigned int size_mib)
{
	char command[96];

	/* Somebody else's disks are not for us to write to. */
	if (!access("/sys/module/brd", F_OK)) {
		strcpy(blocks[BLOCK_BRD].why, "brd is in use by somebody else");
		return;
	}
	snprintf(command, sizeof(command), "modprobe brd rd_nr=1 rd_size=%u 2>/dev/null", size_mib * 1024);
	if (system(command)) {
		strcpy(blocks[BLOCK_BRD].why, "the module brd");
		return;
	}
	loaded_brd = true;
	if (wait_for_node("/dev/ram0"))
		blocks[BLOCK_BRD].node = "/dev/ram0";
	else
		missing(BLOCK_BRD, "/dev/ram0");
}

static void create_loop(const char *backing)
{
	struct loop_config config = { .info.lo_flags = LO_FLAGS_DIRECT_IO };
	char *path = blocks[BLOCK_LOOP].path;
	int control, nr, fd;

	if (system("modprobe loop max_loop=0 2>/dev/null")) {
		strcpy(blocks[BLOCK_LOOP].why, "the module loop");
		return;
	}
	wait_for_node("/dev/loop-control");
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	nr = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	if (nr < 0) {
		missing(BLOCK_LOOP, "/dev/loop-control");
		return;
	}
	snprintf(path, sizeof(blocks[0].path), "/dev/loop%d", nr);
	wait_for_node(path);
	loop_fd = open(path, O_RDWR | O_CLOEXEC);
	fd = open(backing, O_RDWR | O_DIRECT | O_CLOEXEC);
	config.fd = fd;
	if (loop_fd < 0 || fd < 0 || ioctl(loop_fd, LOOP_CONFIGURE, &config))
		missing(BLOCK_LOOP, path);
	else
		blocks[BLOCK_LOOP].node = path;
	close(fd);
}

void blocks_create(unsigned int size_mib)
{
	blocks[BLOCK_NULL].node = block_create(size_mib);
	if (!blocks[BLOCK_NULL].node)
		missing(BLOCK_NULL, "null_blk");
	create_brd(size_mib);
	if (blocks[BLOCK_NULL].node)
		create_loop(blocks[BLOCK_NULL].node);
	else
		strcpy(blocks[BLOCK_LOOP].why, "null_blk, which it lies on");
}

void blocks_remove(void)
{
	if (blocks[BLOCK_LOOP].node)
		ioctl(loop_fd, LOOP_CLR_FD, 0);
	if (loop_fd >= 0)
		close(loop_fd);
	if (loaded_brd && system("rmmod brd"))
		fprintf(stderr, "brd stays loaded\n");
	block_remove();
}

const char *block_node(enum block_kind kind, const char **why)
{
	*why = blocks[kind].why;
	return blocks[kind].node;
}

const char *block_name(enum block_kind kind)
{
	static const char *const names[NR_BLOCK_KINDS] = { "null_blk", "brd", "loop" };

	return names[kind];
}
