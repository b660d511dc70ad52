// SPDX-License-Identifier: GPL-2.0
#include "kernel_faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"

#define DEBUGFS "/sys/kernel/debug/"

static int nth = -1;

/* Also what may sleep, and single pages. */
static const char *const settings[][2] = {
	{ "failslab/ignore-gfp-wait", "N" },
	{ "failslab/verbose", "0" },
	{ "fail_page_alloc/ignore-gfp-wait", "N" },
	{ "fail_page_alloc/ignore-gfp-highmem", "N" },
	{ "fail_page_alloc/min-order", "0" },
	{ "fail_page_alloc/verbose", "0" },
	{ "fail_usercopy/verbose", "0" },
};

const char *kernel_faults_open(void)
{
	static char path[128] = "/proc/thread-self/fail-nth";

	nth = open(path, O_RDWR | O_CLOEXEC);
	if (nth < 0)
		return path;
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		snprintf(path, sizeof(path), DEBUGFS "%s", settings[i][0]);
		if (write_file(path, settings[i][1]))
			return path;
	}
	return NULL;
}

void kernel_faults_arm(uint32_t k)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", k);

	check(pwrite(nth, text, length, 0) == length, "fail-nth: %s", strerror(errno));
}

bool kernel_faults_disarm(void)
{
	char text[16] = "1";
	/* What is read is from before reading it, which itself may be what fails. */
	bool fired = pread(nth, text, sizeof(text) - 1, 0) > 0 && atoi(text) == 0;

	while (pwrite(nth, "0", 1, 0) != 1)
		check(errno == EFAULT, "fail-nth: %s", strerror(errno));
	return fired;
}
