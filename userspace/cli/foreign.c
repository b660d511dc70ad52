// SPDX-License-Identifier: GPL-2.0
/* gntmap foreign: frames of a domain. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "domain.h"
#include "numbers.h"
#include "pages.h"

struct request {
	uint32_t domid;
	struct numbers gfns;
	int32_t *errors;
	bool partial;
	struct pages_use use;
};

static const char *frame_error(int err)
{
	switch (err) {
	case -ESRCH:
		return "no such domain, or not any more";
	case -EINVAL:
		return "the domain has no such frame, or it is not memory";
	case -ENOENT:
		return "paged out, try again";
	case -EPERM:
		return "no privilege over this domain, or a frame that cannot be written to";
	case -EOPNOTSUPP:
		return "this kind of frame cannot be mapped in this kind of domain";
	default:
		return strerror(-err);
	}
}

static size_t nr_failed(const struct request *request)
{
	size_t nr = 0;

	for (size_t i = 0; i < request->gfns.nr; i++)
		nr += request->errors[i] != 0;
	return nr;
}

static int map_failed(const struct request *request, struct gntmap *gntmap, int err)
{
	size_t nr = nr_failed(request);
	struct gntmap_info info;

	if (err == -ENOTTY)
		return failed("%s maps no foreign frames: not a node of gntmap, or one of an older version", node_name());
	for (size_t i = 0; i < request->gfns.nr; i++)
		if (request->errors[i])
			return failed("domain %u, frame %#" PRIx64 ": %s%s", request->domid, request->gfns.list[i],
				      frame_error(request->errors[i]),
				      nr > 1 ? " (and more; --json names them all)" : "");
	if (err == -EINVAL && !gntmap_get_info(gntmap, &info, sizeof(info)) && request->gfns.nr > info.limit)
		return failed("%zu frames: one request may have %u (the parameter `limit' of the module gntmap)",
			      request->gfns.nr, info.limit);
	return failed("domain %u, %zu frames: %s", request->domid, request->gfns.nr, strerror(-err));
}

/* Told whether it worked or not: the errors are what a script wants to know. */
static int tell_json(const struct request *request, int err, uint64_t offset)
{
	json_t *list = json_array();

	for (size_t i = 0; i < request->gfns.nr; i++)
		json_array_append_new(list, json_pack("{s:I, s:o}", "gfn", (json_int_t)request->gfns.list[i], "error",
						      request->errors[i] ? json_string(errno_name(request->errors[i])) :
									   json_null()));
	return print_json(json_pack("{s:I, s:b, s:o, s:o, s:o}", "domid", (json_int_t)request->domid,
				    "writable", request->use.write, "error", err ? json_string(errno_name(err)) : json_null(),
				    "offset", err ? json_null() : json_integer(offset), "frames", list),
			  JSON_INDENT(2));
}

static int foreign(struct request *request)
{
	const struct numbers *gfns = &request->gfns;
	unsigned int flags = (request->use.write ? GNTMAP_WRITE : 0) | (request->partial ? GNTMAP_PARTIAL : 0);
	struct gntmap_mapping mapping = { 0 };
	struct gntmap *gntmap;
	int code, err;

	gntmap = open_node(&code);
	if (!gntmap)
		return code;
	request->errors = calloc(gfns->nr, sizeof(*request->errors));
	if (!request->errors) {
		code = failed("out of memory");
		goto out_close;
	}
	if (numbers_are_a_run(gfns))
		err = gntmap_map_foreign_run(gntmap, request->domid, gfns->list[0], gfns->nr, flags, request->errors,
					     &mapping);
	else
		err = gntmap_map_foreign(gntmap, request->domid, gfns->list, gfns->nr, flags, request->errors, &mapping);
	code = settings.json ? tell_json(request, err, mapping.offset) : 0;
	if (err)
		code = map_failed(request, gntmap, err);
	if (err || code)
		goto out_free;

	code = pages_use(&request->use, &mapping, gfns, request->errors, "frame", true);
	err = gntmap_unmap(gntmap, &mapping);
	if (err && !code)
		code = failed("unmapping: %s", strerror(-err));
	if (nr_failed(request))
		note("%zu of %zu frames could not be mapped", nr_failed(request), gfns->nr);

out_free:
	free(request->errors);
out_close:
	gntmap_close(gntmap);
	return code;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "partial", no_argument, NULL, 'p' },
		PAGES_OPTIONS,
		COMMON_OPTIONS,
		{ 0 },
	};
	struct request request = { 0 };
	int option, code;

	while ((option = getopt_long(argc, argv, "p" PAGES_LETTERS COMMON_LETTERS, options, NULL)) >= 0) {
		if (option == 'p')
			request.partial = true;
		else if (pages_option(option, &request.use, &code) ? code : common_option(option, &code))
			return code;
	}
	code = pages_check(&request.use);
	if (!code && request.partial && request.use.from)
		code = usage("--partial and --from: a file cannot go into holes");
	if (!code)
		code = domain_and_numbers(argc - optind, argv + optind, "frame", UINT64_MAX, &request.domid,
					  &request.gfns);
	if (!code)
		code = foreign(&request);
	numbers_free(&request.gfns);
	return code;
}

const struct command command_foreign = {
	.name = "foreign",
	.arguments = "[OPTION]... DOMID GFN...",
	.summary = "Map frames of a domain: dump them, or copy from and to a file",
	.help = "GFN is a frame's number, or FIRST-LAST or FIRST+COUNT; decimal, or hexadecimal after 0x: a guest frame of HVM and\n"
		"PVH domains, a machine frame of PV domains. All are mapped, or none. With --json, each frame's errno is told\n"
		"instead of a dump, also when mapping fails.\n\n"
		"  -p, --partial    go on if some of the frames cannot be mapped; in a file they are zeros\n" PAGES_HELP,
	.run = run,
};
