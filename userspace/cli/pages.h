/* SPDX-License-Identifier: GPL-2.0 */
/* What `gntmap map' and `gntmap foreign' do with pages that are mapped: dump, to a file, from a file, hold. */
#ifndef PAGES_H
#define PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gntmap.h>

#include "numbers.h"

struct pages_use {
	const char *to, *from; /* files; "-" is stdout, stdin */
	bool write;	       /* asked for, or by ->from */
	bool direct;	       /* O_DIRECT */
	bool hold;
	uint64_t hold_ms; /* 0: until a signal */
};

#define PAGES_LETTERS "o:i:dwH::"
#define PAGES_OPTIONS                                 \
	{ "to", required_argument, NULL, 'o' },       \
	{ "from", required_argument, NULL, 'i' },     \
	{ "direct", no_argument, NULL, 'd' },         \
	{ "write", no_argument, NULL, 'w' },          \
	{ "hold", optional_argument, NULL, 'H' }

#define PAGES_HELP                                                                                            \
	"  -o, --to FILE    the pages' content into FILE (- is stdout) instead of a dump\n"                    \
	"  -i, --from FILE  FILE's content (- is stdin) into the pages; what is beyond its end stays\n"        \
	"  -d, --direct     open FILE with O_DIRECT: its device reads or writes the other domain's pages;\n"   \
	"                   under vmio that is EFAULT\n"                                                       \
	"  -w, --write      map with write access, with which --from comes by itself\n"                        \
	"  -H, --hold[=S]   keep the pages mapped for S seconds, or until SIGINT or SIGTERM; no dump\n"

/* Takes an option of the letters above. Returns false when it is none of them; *code is not 0 after a bad argument. */
bool pages_option(int option, struct pages_use *use, int *code);
/* Options that exclude each other. Returns the exit code. */
int pages_check(const struct pages_use *use);

/*
 * Does what was asked. @errors: NULL, or for each page 0 or why it is not there. @what a page is called in the dump, and
 * whether its number is told in hexadecimal. Returns the exit code.
 */
int pages_use(const struct pages_use *use, const struct gntmap_mapping *mapping, const struct numbers *numbers,
	      const int32_t *errors, const char *what, bool hex);

#endif
