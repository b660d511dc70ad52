// SPDX-License-Identifier: GPL-2.0
#include "huge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"

void huge_page_reserve(void)
{
	unsigned int before = huge_pages_free();
	char text[16], more[16];

	if (!read_line(NR_HUGE_PAGES, text, sizeof(text)))
		case_skip("huge pages (" NR_HUGE_PAGES ")");
	snprintf(more, sizeof(more), "%lu", strtoul(text, NULL, 10) + 1 - before);
	if (write_file(NR_HUGE_PAGES, more) || huge_pages_free() != 1)
		case_skip("a huge page of 2 MiB (" NR_HUGE_PAGES ")");
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
