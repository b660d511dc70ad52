// SPDX-License-Identifier: GPL-2.0
#include "numbers.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The number that @text begins with; NULL if it does not begin with one. */
static const char *take_number(const char *text, uint64_t max, uint64_t *number)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned long long value;
	char *end;

	/* strtoull() likes blanks and signs. */
	if (hex ? !isxdigit((unsigned char)text[2]) : !isdigit((unsigned char)text[0]))
		return NULL;
	errno = 0;
	value = strtoull(hex ? text + 2 : text, &end, hex ? 16 : 10);
	if (errno || value > max)
		return NULL;
	*number = value;
	return end;
}

bool number_parse(const char *text, uint64_t max, uint64_t *number)
{
	uint64_t value;
	const char *end = take_number(text, max, &value);

	if (!end || *end)
		return false;
	*number = value;
	return true;
}

bool number_parse_seconds(const char *text, uint64_t *ms)
{
	uint64_t seconds, fraction = 0;
	const char *end = take_number(text, 1000000000, &seconds);

	if (!end)
		return false;
	if (*end == '.') {
		unsigned int unit = 100;

		for (end++; isdigit((unsigned char)*end); end++, unit /= 10)
			fraction += unit * (*end - '0');
	}
	if (*end)
		return false;
	*ms = seconds * 1000 + fraction;
	return true;
}

static const char *add_run(struct numbers *numbers, uint64_t first, uint64_t count)
{
	uint64_t *list;

	if (count > NUMBERS_MAX - numbers->nr)
		return "too many at once";
	list = realloc(numbers->list, (numbers->nr + count) * sizeof(*list));
	if (!list)
		return "out of memory";
	numbers->list = list;
	for (uint64_t i = 0; i < count; i++)
		list[numbers->nr++] = first + i;
	return NULL;
}

const char *numbers_add(struct numbers *numbers, const char *text, uint64_t max)
{
	uint64_t first, second, count = 1;
	const char *end = text, *wrong;

	do {
		end = take_number(end, max, &first);
		if (!end)
			return "not a number, or too large a one";
		if (*end == '-') {
			end = take_number(end + 1, max, &second);
			if (!end)
				return "what follows - is no number, or too large a one";
			if (second < first)
				return "the last is before the first";
			count = second - first + 1;
			if (!count)
				return "too many at once";
		} else if (*end == '+') {
			end = take_number(end + 1, UINT64_MAX, &count);
			if (!end || !count)
				return "what follows + is no count";
			if (count - 1 > max - first)
				return "goes beyond the largest number";
		} else {
			count = 1;
		}
		wrong = add_run(numbers, first, count);
		if (wrong)
			return wrong;
	} while (*end++ == ',');

	return end[-1] ? "neither a number nor FIRST-LAST nor FIRST+COUNT" : NULL;
}

bool numbers_are_a_run(const struct numbers *numbers)
{
	for (size_t i = 1; i < numbers->nr; i++)
		if (numbers->list[i] != numbers->list[0] + i)
			return false;
	return numbers->nr;
}

void numbers_free(struct numbers *numbers)
{
	free(numbers->list);
	*numbers = (struct numbers){ 0 };
}
