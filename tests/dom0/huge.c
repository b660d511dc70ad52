// SPDX-License-Identifier: GPL-2.0
#include "huge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "suite.h"

#define NUMBER "/proc/sys/vm/nr_hugepages"

void huge_page_reserve(void)
{
	char text[16];

	if (write_file(NUMBER, "1") || !read_line(NUMBER, text, sizeof(text)) || strcmp(text, "1"))
		case_skip("a huge page of 2 MiB (" NUMBER ")");
}

void huge_page_release(void)
{
	expect(write_file(NUMBER, "0"), 0);
}

unsigned int huge_pages_free(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned int nr = -1u;
	char line[128];

	check(file, "%s", strerror(errno));
	while (fgets(line, sizeof(line), file))
		sscanf(line, "HugePages_Free: %u", &nr);
	fclose(file);
	return nr;
}
