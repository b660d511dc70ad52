// SPDX-License-Identifier: GPL-2.0
#include "hexdump.h"

#include <stdbool.h>
#include <string.h>

#define LINE 16

static void print_line(FILE *out, size_t offset, const unsigned char *bytes, size_t size)
{
	fprintf(out, "%08zx ", offset);
	for (size_t i = 0; i < LINE; i++) {
		if (i % 8 == 0)
			fputc(' ', out);
		if (i < size)
			fprintf(out, "%02x ", bytes[i]);
		else
			fputs("   ", out);
	}
	fputs(" |", out);
	for (size_t i = 0; i < size; i++)
		fputc(bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '.', out);
	fputs("|\n", out);
}

void hexdump(FILE *out, const unsigned char *bytes, size_t size)
{
	unsigned char last[LINE], line[LINE];
	bool skipping = false;

	for (size_t at = 0; at < size; at += LINE) {
		size_t length = size - at < LINE ? size - at : LINE;

		/* Taken once: the other domain may be writing to it. */
		memcpy(line, bytes + at, length);
		if (at && length == LINE && !memcmp(line, last, LINE)) {
			if (!skipping)
				fputs("*\n", out);
			skipping = true;
			continue;
		}
		skipping = false;
		print_line(out, at, line, length);
		memcpy(last, line, length);
	}
	fprintf(out, "%08zx\n", size);
}
