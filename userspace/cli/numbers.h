/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers as people write them: 12, 0x1f, 8-15, 0x1000+16. */
#ifndef NUMBERS_H
#define NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct numbers {
	uint64_t *list;
	size_t nr;
};

/* More than this is a slip of the finger. */
#define NUMBERS_MAX (1u << 20)

/* Decimal, or hexadecimal after 0x; nothing before or after it. */
bool number_parse(const char *text, uint64_t max, uint64_t *number);
/* Seconds with an optional fraction, as milliseconds. */
bool number_parse_seconds(const char *text, uint64_t *ms);

/*
 * Adds what @text says: N, FIRST-LAST or FIRST+COUNT, or several of them with commas between. Returns NULL, or what is
 * wrong with it; then the list is what it was or longer.
 */
const char *numbers_add(struct numbers *numbers, const char *text, uint64_t max);
/* Does each follow the one before? */
bool numbers_are_a_run(const struct numbers *numbers);
void numbers_free(struct numbers *numbers);

#endif
