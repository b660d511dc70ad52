// SPDX-License-Identifier: GPL-2.0
/* Numbers, lists and dumps as the command line tool reads and writes them. TAP. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../userspace/cli/hexdump.h"
#include "../../userspace/cli/numbers.h"

static unsigned int nr, nr_failed;

static void ok(bool good, const char *claim)
{
	nr++;
	nr_failed += !good;
	printf("%sok %u - %s\n", good ? "" : "not ", nr, claim);
}

static bool is(const char *text, uint64_t max, uint64_t expected)
{
	uint64_t number = expected + 1;

	return number_parse(text, max, &number) && number == expected;
}

static bool refused(const char *text, uint64_t max)
{
	uint64_t number = 4711;

	return !number_parse(text, max, &number) && number == 4711;
}

/* The list that @text makes is @count numbers, from @first to @last. */
static bool lists(const char *text, uint64_t max, size_t count, uint64_t first, uint64_t last)
{
	struct numbers numbers = { 0 };
	bool good = !numbers_add(&numbers, text, max) && numbers.nr == count && numbers.list[0] == first &&
		    numbers.list[count - 1] == last;

	numbers_free(&numbers);
	return good;
}

static bool wrong(const char *text, uint64_t max)
{
	struct numbers numbers = { 0 };
	bool good = numbers_add(&numbers, text, max);

	numbers_free(&numbers);
	return good;
}

static bool seconds(const char *text, uint64_t expected)
{
	uint64_t ms;

	return number_parse_seconds(text, &ms) && ms == expected;
}

static bool no_seconds(const char *text)
{
	uint64_t ms;

	return !number_parse_seconds(text, &ms);
}

static bool run_of(const char *text, bool expected)
{
	struct numbers numbers = { 0 };
	bool good = !numbers_add(&numbers, text, UINT64_MAX) && numbers_are_a_run(&numbers) == expected;

	numbers_free(&numbers);
	return good;
}

static bool dumps(const void *bytes, size_t size, const char *expected)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	bool good;

	hexdump(out, bytes, size);
	fclose(out);
	good = !strcmp(text, expected);
	if (!good)
		printf("# %s", text);
	free(text);
	return good;
}

int main(void)
{
	char same[64];

	ok(is("0", 10, 0) && is("10", 10, 10) && is("010", 10, 10), "decimal, and no octal");
	ok(is("0x1F", 31, 31) && is("0xffffffffffffffff", UINT64_MAX, UINT64_MAX), "hexadecimal, up to 64 bits");
	ok(refused("11", 10) && refused("18446744073709551616", UINT64_MAX), "too large a number is refused");
	ok(refused("", 10) && refused("-1", UINT64_MAX) && refused("+1", 10) && refused(" 1", 10) && refused("1 ", 10) &&
		   refused("1k", 10) && refused("0x", 10) && refused("0x-1", UINT64_MAX) && refused("x1", 10),
	   "what is not just a number is refused");

	ok(lists("7", 10, 1, 7, 7), "a number is a list");
	ok(lists("3-6", 10, 4, 3, 6) && lists("5-5", 10, 1, 5, 5), "first to last");
	ok(lists("0x10+16", 0x1f, 16, 0x10, 0x1f), "first and count");
	ok(lists("1,3-4,8+2", 9, 5, 1, 9), "several with commas");
	ok(lists("0xffffffffffffffff+1", UINT64_MAX, 1, UINT64_MAX, UINT64_MAX), "the last number there is");
	ok(wrong("", 10) && wrong("4-3", 10) && wrong("3-", 10) && wrong("3+", 10) && wrong("3+0", 10) && wrong("3,", 10) &&
		   wrong(",3", 10) && wrong("1;2", 10) && wrong("1-2-3", 10),
	   "a list that makes no sense is refused");
	ok(wrong("8+4", 10) && wrong("3-11", 10) && wrong("0xffffffffffffffff+2", UINT64_MAX), "a list beyond the end is refused");
	ok(wrong("0-0xffffffffffffffff", UINT64_MAX) && wrong("0+0xffffffffffffffff", UINT64_MAX) && wrong("0+1048577", UINT64_MAX) &&
		   lists("0+1048576", UINT64_MAX, 1048576, 0, 1048575),
	   "a list without bounds is refused");
	ok(run_of("5-9", true) && run_of("5,6,7", true) && run_of("5", true) && run_of("5,7", false) && run_of("6,5", false),
	   "a run is told from a list");

	ok(seconds("0", 0) && seconds("2", 2000) && seconds("0.25", 250) && seconds("1.0009", 1000), "seconds with a fraction");
	ok(no_seconds("") && no_seconds("-1") && no_seconds(".5") && no_seconds("1s") && no_seconds("1.5.2"), "other times are refused");

	ok(dumps("gntmap\n\x80", 8, "00000000  67 6e 74 6d 61 70 0a 80                           |gntmap..|\n00000008\n"),
	   "a dump of a part of a line");
	memset(same, 'x', sizeof(same));
	same[63] = 'y';
	ok(dumps(same, 64,
		 "00000000  78 78 78 78 78 78 78 78  78 78 78 78 78 78 78 78  |xxxxxxxxxxxxxxxx|\n"
		 "*\n"
		 "00000030  78 78 78 78 78 78 78 78  78 78 78 78 78 78 78 79  |xxxxxxxxxxxxxxxy|\n"
		 "00000040\n"),
	   "lines that repeat are left out");

	printf("1..%u\n", nr);
	return nr_failed > 0;
}
