// SPDX-License-Identifier: GPL-2.0
/* gntmap map: grants of a domain. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "domain.h"
#include "numbers.h"
#include "pages.h"

/* Which reference is to blame? The driver does not say; each one alone does. */
static bool find_culprit(struct gntmap *gntmap, uint32_t domid, const uint32_t *refs, size_t nr, unsigned int flags,
			 uint32_t *culprit)
{
	struct gntmap_mapping mapping;

	for (size_t i = 0; i < nr; i++) {
		if (gntmap_map_domain_grants(gntmap, domid, &refs[i], 1, flags, &mapping)) {
			*culprit = refs[i];
			return true;
		}
		gntmap_unmap(gntmap, &mapping);
	}
	return false;
}

static int map_failed(struct gntmap *gntmap, int err, uint32_t domid, const uint32_t *refs, size_t nr,
		      unsigned int flags)
{
	struct gntmap_info info;
	uint32_t culprit;

	if (!gntmap_get_info(gntmap, &info, sizeof(info)) && err == -EINVAL && nr > info.limit)
		return failed("%zu grants: one request may have %u (the parameter `limit' of the module gntmap)", nr,
			      info.limit);
	if (err == -EINVAL && find_culprit(gntmap, domid, refs, nr, flags, &culprit))
		return failed("domain %u, reference %u: not to be mapped%s: there is no such grant, it is not for this domain%s",
			      domid, culprit, flags & GNTMAP_WRITE ? " writable" : "",
			      flags & GNTMAP_WRITE ? ", or it is read-only" : "");
	if (err == -ENOSPC)
		return failed("domain %u, %zu grants: %s: Xen's maptrack table is full, or the file is capped", domid, nr,
			      strerror(-err));
	return failed("domain %u, %zu grants: %s", domid, nr, strerror(-err));
}

static json_t *as_json(const struct gntmap_mapping *mapping, uint32_t domid, const uint32_t *refs, bool write)
{
	json_t *list = json_array();

	for (size_t i = 0; i < mapping->nr_pages; i++)
		json_array_append_new(list, json_integer(refs[i]));
	return json_pack("{s:I, s:o, s:b, s:I, s:I}", "domid", (json_int_t)domid, "refs", list, "writable", write,
			 "pages", (json_int_t)mapping->nr_pages, "offset", (json_int_t)mapping->offset);
}

static int map(uint32_t domid, const struct numbers *numbers, const struct pages_use *use)
{
	unsigned int flags = use->write ? GNTMAP_WRITE : 0;
	struct gntmap_mapping mapping;
	struct gntmap *gntmap;
	uint32_t *refs;
	int code, err;

	gntmap = open_node(&code);
	if (!gntmap)
		return code;
	refs = malloc(numbers->nr * sizeof(*refs));
	if (!refs) {
		code = failed("out of memory");
		goto out_close;
	}
	for (size_t i = 0; i < numbers->nr; i++)
		refs[i] = numbers->list[i];

	err = gntmap_map_domain_grants(gntmap, domid, refs, numbers->nr, flags, &mapping);
	if (err) {
		code = map_failed(gntmap, err, domid, refs, numbers->nr, flags);
		goto out_free;
	}
	code = settings.json ? print_json(as_json(&mapping, domid, refs, use->write), JSON_INDENT(2)) : 0;
	if (!code)
		code = pages_use(use, &mapping, numbers, NULL, "grant", false);
	err = gntmap_unmap(gntmap, &mapping);
	if (err && !code)
		code = failed("unmapping: %s", strerror(-err));

out_free:
	free(refs);
out_close:
	gntmap_close(gntmap);
	return code;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { PAGES_OPTIONS, COMMON_OPTIONS, { 0 } };
	struct numbers numbers = { 0 };
	struct pages_use use = { 0 };
	uint32_t domid;
	int option, code;

	while ((option = getopt_long(argc, argv, PAGES_LETTERS COMMON_LETTERS, options, NULL)) >= 0) {
		if (pages_option(option, &use, &code) ? code : common_option(option, &code))
			return code;
	}
	code = pages_check(&use);
	if (!code)
		code = domain_and_numbers(argc - optind, argv + optind, "reference", UINT32_MAX, &domid, &numbers);
	if (!code)
		code = map(domid, &numbers, &use);
	numbers_free(&numbers);
	return code;
}

const struct command command_map = {
	.name = "map",
	.arguments = "[OPTION]... DOMID REF...",
	.summary = "Map grants of a domain: dump them, or copy from and to a file",
	.help = "REF is a grant's reference, or FIRST-LAST or FIRST+COUNT; decimal, or hexadecimal after 0x. All are mapped as\n"
		"one range, or none. With --json, what was mapped is told instead of a dump.\n\n" PAGES_HELP,
	.run = run,
};
