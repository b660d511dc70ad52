// SPDX-License-Identifier: GPL-2.0
/*
 * libxengnttab's calls, one after the other, with the granter at the other end, and libxengntshr as peer where dom0 can grant
 * to itself:
 *
 *	client-library [dom0]		dom0: with libxengntshr
 *
 * Prints one line "map STATE many STATE notify STATE copy STATE dma-buf STATE import STATE share STATE": ok, wrong (the data),
 * or the name of the errno. Exit code: 0 when map, many, notify, copy and, if asked for, share are ok, else 1. The dma-buf calls
 * are there or not as the kernel was built and the domain type allows.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xengnttab.h>

#include "granter_client.h"

#define PAGE 4096ul
#define WORDS (PAGE / 8)
#define NR 24u

static struct granter *granter;
static xengnttab_handle *grants;
static int failed;

/* 0: ok, -1: errno says what failed, 1: the data is wrong */
static void say(const char *what, int how, bool needed)
{
	const char *name = how > 0 ? "wrong" : how ? strerrorname_np(errno) : "ok";

	printf("%s %s ", what, name ? name : "?");
	fflush(stdout);
	if (how && needed)
		failed = 1;
}

static uint64_t sum(const void *start, uint32_t nr)
{
	return granter_sum(GRANTER_SUM_INIT, start, nr * WORDS);
}

/* What is mapped is what the granter has, and what we write is what it sees. */
static int compare(uint64_t *at, uint64_t first, uint32_t nr)
{
	uint64_t there;

	if (granter_fill(granter, first, nr, 5) || granter_sum_pages(granter, first, nr, &there))
		return -1;
	if (sum(at, nr) != there)
		return 1;
	for (uint32_t i = 0; i < nr * WORDS; i++)
		at[i] = granter_word(6, first, i);
	there = sum(at, nr);
	return granter_sum_pages(granter, first, nr, &there) ? -1 : there != sum(at, nr);
}

static int map(void)
{
	uint64_t *at = xengnttab_map_grant_ref(grants, granter->domid, granter->first_ref, PROT_READ | PROT_WRITE);
	int how;

	if (!at)
		return -1;
	how = compare(at, 0, 1);
	return xengnttab_unmap(grants, at, 1) ? -1 : how;
}

static int map_many(void)
{
	uint32_t refs[NR], domids[NR];
	uint64_t *at;
	int how;

	for (uint32_t i = 0; i < NR; i++) {
		refs[i] = granter->first_ref + 8 + i;
		domids[i] = granter->domid;
	}
	at = xengnttab_map_grant_refs(grants, NR, domids, refs, PROT_READ | PROT_WRITE);
	if (!at)
		return -1;
	how = compare(at, 8, NR);
	return xengnttab_unmap(grants, at, NR) ? -1 : how;
}

/* The byte is cleared when the mapping goes. */
static int notify(void)
{
	const uint32_t byte = 1234;
	uint8_t *at = xengnttab_map_grant_ref_notify(grants, granter->domid, granter->first_ref, PROT_READ | PROT_WRITE, byte,
						     -1);
	uint64_t word;

	if (!at)
		return -1;
	memset(at + byte - 4, 0xff, 8);
	if (xengnttab_unmap(grants, at, 1))
		return -1;
	/* words 1228 .. 1235 as the guest has them */
	if (granter_peek(granter, 0, 1232, &word))
		return -1;
	return (word & 0xffffffff) != 0xff00ffff;
}

static int copy(void)
{
	static uint64_t here[WORDS] __attribute__((aligned(PAGE))), back[WORDS] __attribute__((aligned(PAGE)));
	xengnttab_grant_copy_segment_t there = {
		.source.virt = here,
		.dest.foreign = { .ref = granter->first_ref + 2, .domid = granter->domid },
		.len = PAGE,
		.flags = GNTCOPY_dest_gref,
	}, from = {
		.source.foreign = { .ref = granter->first_ref + 2, .domid = granter->domid },
		.dest.virt = back,
		.len = PAGE,
		.flags = GNTCOPY_source_gref,
	};
	uint64_t seen;

	for (uint32_t i = 0; i < WORDS; i++)
		here[i] = granter_word(8, 0, i);
	if (xengnttab_grant_copy(grants, 1, &there) || xengnttab_grant_copy(grants, 1, &from) ||
	    granter_sum_pages(granter, 2, 1, &seen))
		return -1;
	return there.status || from.status || seen != sum(here, 1) || memcmp(here, back, PAGE);
}

static int dmabuf_export(void)
{
	uint32_t refs[] = { granter->first_ref, granter->first_ref + 1 }, fd;

	if (xengnttab_dmabuf_exp_from_refs(grants, granter->domid, GNTDEV_DMA_FLAG_WC, 2, refs, &fd))
		return -1;
	close(fd);
	return xengnttab_dmabuf_exp_wait_released(grants, fd, 10000);
}

static int dmabuf_import(void)
{
	uint32_t refs[1];

	/* No dma-buf at all: what is asked is whether the call is there. */
	return xengnttab_dmabuf_imp_to_refs(grants, granter->domid, -1, 1, refs);
}

static int share(void)
{
	xengntshr_handle *shr = xengntshr_open(NULL, 0);
	uint32_t refs[4];
	uint64_t *ours, *theirs;
	int how = 0;

	if (!shr)
		return -1;
	ours = xengntshr_share_pages(shr, 0, 4, refs, 1);
	if (!ours)
		return -1;
	theirs = xengnttab_map_domain_grant_refs(grants, 4, 0, refs, PROT_READ | PROT_WRITE);
	if (!theirs)
		return -1;
	for (uint32_t i = 0; i < 4 * WORDS; i++)
		ours[i] = granter_word(9, 0, i);
	how = memcmp(ours, theirs, 4 * PAGE);
	theirs[77] = 1;
	how |= ours[77] != 1;
	if (xengnttab_unmap(grants, theirs, 4) || xengntshr_unshare(shr, ours, 4) || xengntshr_close(shr))
		return -1;
	return !!how;
}

int main(int argc, char **argv)
{
	(void)argv;
	granter = granter_open();
	grants = xengnttab_open(NULL, 0);
	if (!granter || !grants) {
		fprintf(stderr, "client-library: %s\n", strerror(errno));
		return 1;
	}
	say("map", map(), true);
	say("many", map_many(), true);
	say("notify", notify(), true);
	say("copy", copy(), true);
	say("dma-buf", dmabuf_export(), false);
	say("import", dmabuf_import(), false);
	if (argc > 1)
		say("share", share(), true);
	puts("");
	xengnttab_close(grants);
	granter_close(granter);
	return failed;
}
