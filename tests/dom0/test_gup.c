// SPDX-License-Identifier: GPL-2.0
/*
 * get_user_pages() and its kin on the mapping, in every state of it that can be had: each row of gup_rows.c answers as
 * gup_expect.c says that the kernel's source makes us expect. Beside `none`, gntalloc's pages and anonymous memory, of which
 * everybody knows what they do.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "block.h"
#include "gup_rows.h"
#include "numa.h"
#include "range.h"
#include "suite.h"
#include "tap.h"

struct tally {
	const char *kind;
	unsigned int version;
	unsigned int nr_right;
	unsigned int nr_wrong;
	unsigned int nr_missing;
	char missing[GUP_TEXT_SIZE];
};

static unsigned int kernel_version(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname uts;

	uname(&uts);
	if (sscanf(uts.release, "%u.%u", &major, &minor) != 2)
		case_skip("a kernel version: %s", uts.release);
	return major * 1000 + minor;
}

static void tell(void *arg, const char *row, const char *text, const char *why)
{
	struct tally *tally = arg;
	const char *decided_by, *expected = gup_expect(row, tally->kind, tally->version, !suite.pv, &decided_by);

	if (!text) {
		tally->nr_missing++;
		snprintf(tally->missing, sizeof(tally->missing), "%s", why);
	} else if (expected && !strcmp(text, expected)) {
		tally->nr_right++;
	} else {
		tally->nr_wrong++;
		tap_diag("%s, %s: %s, not %s: %s", tally->kind, row, text, expected ? expected : "anything known",
			 decided_by);
	}
}

static bool foreign; /* frames instead of grants */

static void run_rows(const char *kind, enum gup_state state, const char *block_device)
{
	struct tally tally = { .kind = kind, .version = kernel_version() };
	struct gup_table table = {
		.kind = kind,
		.foreign = foreign,
		.granter = suite.granter,
		.node_fd = strategy_is(kind) ? open_node() : -1,
		.block_device = block_device,
		.told = tell,
		.arg = &tally,
	};
	const char *failed;
	int ret = gup_run_rows(&table, state, &failed);

	if (ret == -ENOENT && !strcmp(failed, "gup_probe"))
		case_skip("gup_probe.ko");
	check(!ret, "%s: %s", failed, errno_name(ret));
	check(!tally.nr_wrong, "%u rows of %u", tally.nr_wrong, tally.nr_right + tally.nr_wrong);
	tap_diag("%s, %s: %u rows%s%s", kind, gup_state_name(state), tally.nr_right, tally.nr_missing ? ", others: " : "",
		 tally.missing);
	if (!tally.nr_right)
		case_skip("%s", tally.missing);
}

static void on_grants(enum gup_state state)
{
	run_rows(suite.strategy, state, NULL);
}

static void present(void)
{
	on_grants(GUP_PRESENT);
}

static void read_only(void)
{
	on_grants(GUP_READ_ONLY);
}

static void remote(void)
{
	on_grants(GUP_REMOTE);
}

static void many(void)
{
	on_grants(GUP_MANY);
	on_grants(GUP_ENDS_IN);
	on_grants(GUP_STARTS_IN);
	on_grants(GUP_ENDS_NOWHERE);
}

static void not_there(void)
{
	on_grants(GUP_NOT_FAULTED);
	on_grants(GUP_UNMAPPED);
}

static void inaccessible(void)
{
	on_grants(GUP_INACCESSIBLE);
}

static void told(void)
{
	on_grants(GUP_TOLD);
}

static void on_foreign(void)
{
	foreign = true;
	on_grants(GUP_PRESENT);
	on_grants(GUP_READ_ONLY);
	on_grants(GUP_REMOTE);
	on_grants(GUP_MANY);
	on_grants(GUP_STARTS_IN);
	on_grants(GUP_NOT_FAULTED);
	on_grants(GUP_UNMAPPED);
	on_grants(GUP_TOLD);
}

static void on_ballooned(void)
{
	set_core_parameter("provider", "ballooned");
	on_grants(GUP_PRESENT);
	on_grants(GUP_READ_ONLY);
	on_grants(GUP_MANY);
	on_grants(GUP_NOT_FAULTED);
	on_grants(GUP_INACCESSIBLE);
}

struct hinting {
	const char *kind;
	const char *block_device;
};

static void run_hinting(void *arg)
{
	const struct hinting *h = arg;

	run_rows(h->kind, GUP_HINTING, h->block_device);
}

static void hinting(const char *kind)
{
	struct hinting h = { .kind = kind, .block_device = block_create(4) };
	int ret, how;

	if (!suite.pv)
		set_core_parameter("provider", "ballooned");
	/* A process takes the scan periods at fork. */
	ret = numa_knobs_set();
	if (!ret)
		how = run_child(run_hinting, &h, true);
	numa_knobs_restore();
	block_remove();
	if (ret)
		case_skip("NUMA balancing's knobs in debugfs: %s", errno_name(ret));
	if (how == EXIT_SKIP)
		exit(EXIT_SKIP);
	check(!how, "see above");
}

static void hinting_grants(void)
{
	hinting("none");
}

static void hinting_anonymous(void)
{
	hinting(GUP_ANONYMOUS);
}

static void on_everything(const char *kind)
{
	for (enum gup_state state = 0; state < GUP_NR_STATES; state++) {
		if (state != GUP_HINTING)
			run_rows(kind, state, NULL);
	}
}

static void on_anonymous(void)
{
	on_everything(GUP_ANONYMOUS);
}

static void on_gntalloc(void)
{
	on_everything(GUP_GNTALLOC);
}

#define CASES \
	{ "every function with every flag gives the page of a present PTE, or refuses as the source says", present }, \
	{ "a read-only mapping can be read and neither written nor forced", read_only }, \
	{ "another process can get and pin the pages, or is refused, as the source says", remote }, \
	{ "many pages, and pages of the VMA beside it, come as far as the source says", many }, \
	{ "what is not faulted in, or not mapped any more, comes as the source says", not_there }, \
	{ "an inaccessible mapping gives nothing unless it is forced", inaccessible, MODE_XLATE }, \
	{ "a secondary MMU is told of what is done to the pages, as the source says", told }, \
	{ "foreign frames answer as grants do", on_foreign }, \
	{ "with ballooned pages, grants answer as with unpopulated ones", on_ballooned, MODE_XLATE }

static const struct suite_case protected_cases[] = {
	CASES,
};

static const struct suite_case none_cases[] = {
	CASES,
	{ "anonymous memory answers as the source says", on_anonymous },
	{ "gntalloc's pages answer as the source says", on_gntalloc },
	{ "anonymous memory: who honours a hinting fault, by function, flag and caller", hinting_anonymous,
	  },
	{ "who honours a hinting fault, by function, flag and caller", hinting_grants, MODE_XLATE },
};

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "none"))
		return suite_main(none_cases, ARRAY_SIZE(none_cases), argc, argv);
	return suite_main(protected_cases, ARRAY_SIZE(protected_cases), argc, argv);
}
