// SPDX-License-Identifier: GPL-2.0
#include "leaks.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenctrl.h>

#include "suite.h"
#include "tap.h"

/* Waits end when what is waited for is there: this is for a machine that stalls. */
#define BACK_WITHIN_MS 10000
#define DUMP_SIZE (256 * 1024)

bool leaks_no_page(struct granter *g)
{
	uint64_t start = now_us(), first;
	int64_t nr;

	do {
		nr = granter_busy(g, 0, g->nr_refs, &first);
		if (nr <= 0)
			break;
		sleep_ms(5);
	} while (now_us() - start < BACK_WITHIN_MS * 1000ull);

	if (nr < 0)
		tap_diag("the granter does not answer: %s", strerror(errno));
	else if (nr)
		tap_diag("%lld grants are still mapped %u ms later, page %llu is the first", (long long)nr,
			 BACK_WITHIN_MS, (unsigned long long)first);
	return !nr;
}

/* References to a module, or -1 if it is none. */
static long nr_references(const char *module)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	return read_line(path, text, sizeof(text)) ? atol(text) : -1;
}

/* Modules that use the module. */
static long nr_holders(const char *module)
{
	struct dirent *entry;
	char path[128];
	long nr = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/module/%s/holders", module);
	dir = opendir(path);
	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		nr += entry->d_name[0] != '.';
	closedir(dir);
	return nr;
}

static bool unused(const char *module)
{
	uint64_t start = now_us();
	long refs, holders;

	do {
		refs = nr_references(module);
		holders = nr_holders(module);
		if (refs < 0 || refs == holders)
			return true;
		sleep_ms(5);
	} while (now_us() - start < BACK_WITHIN_MS * 1000ull);
	tap_diag("%ld references to %s %u ms later, and %ld modules that use it", refs, module, BACK_WITHIN_MS, holders);
	return false;
}

bool leaks_no_reference(const char *strategy)
{
	char module[64];

	if (!strcmp(strategy, "gntdev"))
		return true; /* the toolstack uses it */
	snprintf(module, sizeof(module), "gntmap_%s", strategy);
	return unused(module) && unused("gntmap");
}

/* What Xen logs from now on, after `key`. */
static bool dump(xc_interface *xen, char key, char *text)
{
	unsigned int nr = DUMP_SIZE - 1;
	uint32_t index = 0;
	char keys[] = { key, 0 };

	if (xc_readconsolering(xen, text, &nr, 0, 1, &index) || xc_send_debug_keys(xen, keys))
		return false;
	nr = DUMP_SIZE - 1;
	if (xc_readconsolering(xen, text, &nr, 0, 1, &index))
		return false;
	text[nr] = 0;
	return true;
}

bool leaks_no_grant(struct granter *g)
{
	xc_interface *xen = xc_interface_open(NULL, NULL, 0);
	char *text = malloc(DUMP_SIZE), *line, *next, *table;
	unsigned int domid, ref, nr = 0, tables = 0;
	bool ours = false;

	if (!xen || !text || !dump(xen, 'g', text)) {
		tap_diag("Xen's grant tables cannot be looked at: %s", strerror(errno));
		nr++;
		goto out;
	}
	for (line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		table = strstr(line, "grant-table for remote d");
		if (table && sscanf(table, "grant-table for remote d%u", &domid) == 1) {
			ours = domid == g->domid;
			tables += ours;
			continue;
		}
		line = strchr(line, '[');
		if (!ours || !line || sscanf(line, "[0x%x]", &ref) != 1)
			continue;
		if (ref >= g->first_ref && ref - g->first_ref < g->nr_refs && !nr++)
			tap_diag("Xen says of page %u that it is mapped: %s", ref - g->first_ref, line);
	}
	if (!tables) {
		tap_diag("Xen's dump of grant tables does not show the granter's");
		nr++;
	}
out:
	free(text);
	if (xen)
		xc_interface_close(xen);
	return !nr;
}
