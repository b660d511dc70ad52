// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tap.h"

static unsigned int nr_lines, nr_failed;

void tap_start(void)
{
	/* A child that dies must not take a half-written line with it. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("TAP version 13");
}

void tap_diag(const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		printf("# %s\n", line);
}

void tap_line(enum tap_verdict verdict, const char *skipped, const char *fmt, ...)
{
	char claim[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(claim, sizeof(claim), fmt, args);
	va_end(args);

	nr_lines++;
	if (verdict == TAP_FAIL)
		nr_failed++;
	printf("%sok %u - %s", verdict == TAP_FAIL ? "not " : "", nr_lines, claim);
	if (verdict == TAP_SKIP)
		printf(" # SKIP %s", skipped);
	putchar('\n');
}

int tap_end(void)
{
	printf("1..%u\n", nr_lines);
	return nr_failed || !nr_lines;
}
