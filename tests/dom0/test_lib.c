// SPDX-License-Identifier: GPL-2.0
/* libgntmap: what <gntmap.h> promises, with real pages. What the driver itself promises is tested elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gntmap.h>

#include "fault.h"
#include "foreign.h"
#include "range.h"
#include "suite.h"

#define FIRST 4u
#define NR 5u
#define SIZE(nr) ((nr) * GNTMAP_PAGE_SIZE)

static struct gntmap *open_handle(void)
{
	struct gntmap *gntmap;

	expect(gntmap_open(&gntmap, suite.strategy), 0);
	return gntmap;
}

static uint32_t domid(void)
{
	return suite.granter->domid;
}

static const uint32_t *refs(uint32_t first, uint32_t nr)
{
	uint32_t *list = calloc(nr, sizeof(*list));

	check(list, "no memory");
	for (uint32_t i = 0; i < nr; i++)
		list[i] = suite.granter->first_ref + first + i;
	return list;
}

static struct gntmap_mapping map(struct gntmap *gntmap, uint32_t first, uint32_t nr, unsigned int flags)
{
	struct gntmap_mapping m;

	expect(gntmap_map_domain_grants(gntmap, domid(), refs(first, nr), nr, flags, &m), 0);
	return m;
}

static void check_has(struct gntmap *gntmap, uint64_t nr_ranges, uint64_t nr_pages)
{
	check_file_has(gntmap_fd(gntmap), nr_ranges, nr_pages);
}

static void default_node(void)
{
	struct gntmap *gntmap;
	struct gntmap_info info;
	char path[64];

	expect(gntmap_node_path(suite.strategy, path, sizeof(path)), 0);
	check(!strcmp(path, suite.node), "%s", path);
	check(!setenv("GNTMAP_NODE", suite.node, 1), "no memory");
	expect(gntmap_open(&gntmap, NULL), 0);
	expect(gntmap_get_info(gntmap, &info, sizeof(info)), 0);
	check(!strcmp(info.strategy, suite.strategy), "%s", info.strategy);
	gntmap_close(gntmap);

	/* Without it, /dev/xen/gntdev is there and is passed by, and the control too. */
	unsetenv("GNTMAP_NODE");
	check(!access("/dev/xen/gntdev", F_OK), "there is none");
	expect(gntmap_open(&gntmap, NULL), 0);
	expect(gntmap_get_info(gntmap, &info, sizeof(info)), 0);
	check(strcmp(info.strategy, "none"), "the control is the default");
	gntmap_close(gntmap);

	expect(gntmap_open(&gntmap, "/dev/xen/gntdev"), 0);
	/* It may be ours (module parameter node), and then it answers. */
	expect(gntmap_get_info(gntmap, &info, sizeof(info)), access("/sys/module/xen_gntdev", F_OK) ? 0 : -ENOTTY);
	gntmap_close(gntmap);
}

static void information(void)
{
	struct gntmap *gntmap = open_handle();
	struct gntmap_mapping m = map(gntmap, FIRST, NR, 0), other;
	struct gntmap_info info;

	expect(gntmap_map_domain_grants(gntmap, domid(), refs(FIRST, 2), 2, GNTMAP_NO_MMAP, &other), 0);
	expect(gntmap_get_info(gntmap, &info, sizeof(info)), 0);
	check(!strcmp(info.strategy, suite.strategy), "%s", info.strategy);
	check(!strcmp(info.backend, suite.pv ? "pv" : "xlate"), "%s", info.backend);
	check(info.nr_ranges == 2 && info.nr_pages == NR + 2 && info.nr_mapped_pages == NR, "%llu, %llu, %llu", info.nr_ranges,
	      info.nr_pages, info.nr_mapped_pages);
	check(info.domid == GNTMAP_DOMID_ANY && info.max_pages == UINT64_MAX, "%u, %llu", info.domid, info.max_pages);
	check(info.features & GNTMAP_FEATURE_FOREIGN, "%#llx", info.features);
	expect(gntmap_get_info(gntmap, &info, sizeof(info) + 8), -EINVAL);
	expect(gntmap_unmap(gntmap, &m), 0);
	expect(gntmap_unmap(gntmap, &other), 0);
	check_has(gntmap, 0, 0);
}

/* A line of fdinfo. */
static bool fdinfo_has(int fd, const char *want)
{
	char path[64], line[128];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	check(file, "%s: %s", path, strerror(errno));
	while (!found && fgets(line, sizeof(line), file))
		found = !strcmp(line, want);
	fclose(file);
	return found;
}

static void fdinfo(void)
{
	struct gntmap *gntmap = open_handle();
	struct gntmap_mapping m = map(gntmap, FIRST, NR, 0), other = map(gntmap, FIRST, 3, 0);
	char strategy[64];
	int fd = gntmap_fd(gntmap);

	snprintf(strategy, sizeof(strategy), "gntmap-strategy:\t%s\n", suite.strategy);
	expect(gntmap_munmap(&other), 0);
	check(fdinfo_has(fd, strategy), "no strategy");
	check(fdinfo_has(fd, "gntmap-ranges:\t2\n"), "ranges");
	check(fdinfo_has(fd, "gntmap-pages:\t8\n"), "pages");
	check(fdinfo_has(fd, "gntmap-mapped:\t5\n"), "mapped pages");
	check(fdinfo_has(fd, "gntmap-draining:\t0\n"), "draining pages");
	check(fdinfo_has(fd, "gntmap-max-pages:\tnone\n") && fdinfo_has(fd, "gntmap-domid:\tany\n"), "no cap, any domain");
	expect(gntmap_set_max_pages(gntmap, 20), 0);
	expect(gntmap_restrict(gntmap, 3), 0);
	check(fdinfo_has(fd, "gntmap-max-pages:\t20\n") && fdinfo_has(fd, "gntmap-domid:\t3\n"), "a cap, and one domain");
	expect(gntmap_unmap(gntmap, &m), 0);
	check(fdinfo_has(fd, "gntmap-mapped:\t0\n"), "mapped pages");
}

static void read_and_write(void)
{
	struct gntmap *gntmap = open_handle();
	struct gntmap_mapping m = map(gntmap, FIRST, NR, 0);

	check(m.addr && m.nr_pages == NR && m.offset == 0, "%p, %zu, %#lx", m.addr, m.nr_pages, m.offset);
	check_reads(m.addr, FIRST, NR);
	check(touch(m.addr, true) == SIGSEGV, "it can be written to");
	expect(try_mprotect(m.addr, SIZE(NR), PROT_READ | PROT_WRITE), -EACCES);
	expect(gntmap_unmap(gntmap, &m), 0);
	check(!m.addr && !m.nr_pages, "%p, %zu", m.addr, m.nr_pages);
	wait_busy(FIRST, NR, 0);

	m = map(gntmap, FIRST, NR, GNTMAP_WRITE);
	check_reads(m.addr, FIRST, NR);
	check_writes(m.addr, FIRST, NR);
	expect(gntmap_unmap(gntmap, &m), 0);
	check_has(gntmap, 0, 0);
}

/* More than the library keeps on its stack. */
static void many(void)
{
	uint32_t nr = suite.pv ? 300 : 80;
	struct gntmap *gntmap = open_handle();
	struct gntmap_mapping m = map(gntmap, FIRST, nr, GNTMAP_WRITE);

	check_reads(m.addr, FIRST, nr);
	expect(gntmap_unmap(gntmap, &m), 0);
}

/* The only domain that grants us anything is the granter; a second domain is one that does not. */
static void list_of_grants(void)
{
	uint32_t ref = suite.granter->first_ref;
	struct gntmap_grant grants[3] = { { domid(), ref + 9 }, { domid(), ref + 2 }, { domid(), ref + 7 } };
	struct gntmap *gntmap = open_handle();
	struct gntmap_mapping m = { .nr_pages = 77 };

	expect(gntmap_map_grants(gntmap, grants, 3, 0, &m), 0);
	check_reads(m.addr, 9, 1);
	check_reads((char *)m.addr + SIZE(1), 2, 1);
	check_reads((char *)m.addr + SIZE(2), 7, 1);
	expect(gntmap_unmap(gntmap, &m), 0);

	m.nr_pages = 77;
	grants[1].domid = domid() + 1000;
	expect(gntmap_map_grants(gntmap, grants, 3, 0, &m), -EINVAL);
	check(m.nr_pages == 77, "the mapping was changed");
	check_has(gntmap, 0, 0);
}

static void nothing_left(void)
{
	struct gntmap *gntmap = open_handle();
	uint32_t list[NR];
	struct gntmap_mapping m;

	memcpy(list, refs(FIRST, NR), sizeof(list));
	list[NR - 1] = 1000000;
	expect(gntmap_map_domain_grants(gntmap, domid(), list, NR, 0, &m), -EINVAL);
	check_has(gntmap, 0, 0);
	/* Read-only to the granter's mind. */
	list[NR - 1] = suite.granter->first_ref + suite.nr_rw;
	expect(gntmap_map_domain_grants(gntmap, domid(), list, NR, GNTMAP_WRITE, &m), -EINVAL);
	check_has(gntmap, 0, 0);
	expect(gntmap_map_domain_grants(gntmap, domid(), list, NR, 0, &m), 0);
	expect(gntmap_unmap(gntmap, &m), 0);
}

static void shown_later(void)
{
	struct gntmap *gntmap = open_handle();
	struct gntmap_mapping m, same;

	expect(gntmap_map_domain_grants(gntmap, domid(), refs(FIRST, NR), NR, GNTMAP_NO_MMAP, &m), 0);
	check(!m.addr && m.nr_pages == NR, "%p, %zu", m.addr, m.nr_pages);
	wait_busy(FIRST, NR, 0);
	expect(gntmap_mmap(gntmap, &m, GNTMAP_WRITE), 0);
	check_writes(m.addr, FIRST, NR);
	same = m;
	same.addr = NULL;
	expect(gntmap_mmap(gntmap, &same, 0), -EINVAL);
	expect(gntmap_munmap(&m), 0);
	check(!m.addr && m.nr_pages == NR, "%p, %zu", m.addr, m.nr_pages);
	wait_busy(FIRST, NR, 0);
	check_has(gntmap, 1, NR);
	expect(gntmap_munmap(&m), 0);
	expect(gntmap_mmap(gntmap, &m, 0), 0);
	check_reads(m.addr, FIRST, NR);
	expect(gntmap_unmap(gntmap, &m), 0);
	check_has(gntmap, 0, 0);
}

static void find(void)
{
	struct gntmap *gntmap = open_handle();
	struct gntmap_mapping a = map(gntmap, FIRST, 1, 0), b = map(gntmap, FIRST + 1, NR, 0), m;

	expect(gntmap_find(gntmap, a.addr, &m), 0);
	check(m.addr == a.addr && m.offset == a.offset && m.nr_pages == 1, "%p, %#lx, %zu", m.addr, m.offset, m.nr_pages);
	expect(gntmap_find(gntmap, (char *)b.addr + 2 * GNTMAP_PAGE_SIZE + 5, &m), 0);
	check(m.addr == (char *)b.addr + 2 * GNTMAP_PAGE_SIZE && m.offset == b.offset && m.nr_pages == NR, "%p, %#lx, %zu",
	      m.addr, m.offset, m.nr_pages);
	expect(gntmap_find(gntmap, &m, &m), -EINVAL);
	/* By what was found it can be unmapped. */
	expect(gntmap_find(gntmap, b.addr, &m), 0);
	expect(gntmap_unmap(gntmap, &m), 0);
	wait_busy(FIRST + 1, NR, 0);
	expect(gntmap_unmap(gntmap, &a), 0);
	check_has(gntmap, 0, 0);
}

static void removed_already(void)
{
	struct gntmap *gntmap = open_handle();
	struct gntmap_mapping m = map(gntmap, FIRST, NR, 0), copy = m;

	copy.addr = NULL;
	expect(gntmap_unmap(gntmap, &copy), 0);
	/* What is mapped lives on. */
	check_reads(m.addr, FIRST, NR);
	expect(gntmap_unmap(gntmap, &m), -ENOENT);
	check(!m.nr_pages, "%zu", m.nr_pages);
	wait_busy(FIRST, NR, 0);
}

static void outlives_the_handle(void)
{
	struct gntmap *gntmap = open_handle();
	struct gntmap_mapping m = map(gntmap, FIRST, NR, GNTMAP_WRITE);

	gntmap_close(gntmap);
	check_reads(m.addr, FIRST, NR);
	check_writes(m.addr, FIRST, NR);
	expect(gntmap_munmap(&m), 0);
	wait_busy(FIRST, NR, 0);
}

static void restricted(void)
{
	struct gntmap *gntmap = open_handle(), *handed;
	uint64_t *gfns = foreign_gfns(FIRST, 1);
	struct gntmap_mapping m, n;

	expect(gntmap_restrict(gntmap, 0x7FF0), -EINVAL);
	expect(gntmap_set_max_pages(gntmap, 8), 0);
	expect(gntmap_set_max_pages(gntmap, 9), -EPERM);
	/* It goes with the descriptor. */
	expect(gntmap_open_fd(&handed, dup(gntmap_fd(gntmap))), 0);
	expect(gntmap_restrict(handed, domid()), 0);
	expect(gntmap_restrict(gntmap, domid()), 0);
	expect(gntmap_restrict(gntmap, domid() + 1), -EPERM);
	expect(gntmap_map_domain_grants(gntmap, domid() + 1, refs(FIRST, 1), 1, 0, &m), -EPERM);
	expect(gntmap_map_foreign(gntmap, domid() + 1, gfns, 1, 0, NULL, &m), -EPERM);
	m = map(handed, FIRST, NR, 0);
	expect(gntmap_map_domain_grants(handed, domid(), refs(FIRST, NR), NR, 0, &n), -ENOSPC);
	expect(gntmap_map_domain_grants(handed, domid(), refs(FIRST, 3), 3, 0, &n), 0);
	expect(gntmap_set_max_pages(gntmap, 7), -EBUSY);
	expect(gntmap_unmap(gntmap, &m), 0);
	expect(gntmap_unmap(handed, &n), 0);
	gntmap_close(gntmap);
	gntmap_close(handed);
}

static void foreign(void)
{
	struct gntmap *gntmap = open_handle();
	uint64_t *gfns = foreign_gfns(FIRST, NR);
	struct gntmap_mapping m, n;
	int32_t errors[NR];

	memset(errors, 0x55, sizeof(errors));
	expect(gntmap_map_foreign(gntmap, domid(), gfns, NR, GNTMAP_WRITE, errors, &m), 0);
	for (uint32_t i = 0; i < NR; i++)
		check(!errors[i], "frame %u: %s", i, errno_name(errors[i]));
	check_reads(m.addr, FIRST, NR);
	check_writes(m.addr, FIRST, NR);

	expect(gntmap_map_foreign_run(gntmap, domid(), gfns[1], 1, 0, NULL, &n), 0);
	check_reads(n.addr, FIRST + 1, 1);
	check(touch(n.addr, true) == SIGSEGV, "it can be written to");
	expect(gntmap_munmap(&n), 0);
	expect(gntmap_mmap(gntmap, &n, GNTMAP_WRITE), -EACCES);
	expect(gntmap_mmap(gntmap, &n, 0), 0);
	check_reads(n.addr, FIRST + 1, 1);
	check_has(gntmap, 2, NR + 1);
	expect(gntmap_unmap(gntmap, &n), 0);
	expect(gntmap_unmap(gntmap, &m), 0);
	check_has(gntmap, 0, 0);
}

static void foreign_with_holes(void)
{
	struct gntmap *gntmap = open_handle();
	uint64_t *gfns = foreign_gfns(FIRST, 3);
	struct gntmap_mapping m = { .nr_pages = 77 };
	int32_t errors[3] = { 1, 1, 1 };

	gfns[1] = 1ull << 40;
	expect(gntmap_map_foreign(gntmap, domid(), gfns, 3, 0, errors, &m), -EINVAL);
	check(errors[0] <= 0 && errors[1] == -EINVAL && errors[2] <= 0, "%d, %d, %d", errors[0], errors[1], errors[2]);
	check(m.nr_pages == 77, "the mapping was changed");
	check_has(gntmap, 0, 0);

	expect(gntmap_map_foreign(gntmap, domid(), gfns, 3, GNTMAP_PARTIAL, errors, &m), 0);
	check(!errors[0] && errors[1] == -EINVAL && !errors[2], "%d, %d, %d", errors[0], errors[1], errors[2]);
	check_reads(m.addr, FIRST, 1);
	check_reads((char *)m.addr + SIZE(2), FIRST + 2, 1);
	check(touch((char *)m.addr + SIZE(1), false) == SIGBUS, "the hole is none");
	expect(gntmap_unmap(gntmap, &m), 0);

	expect(gntmap_map_foreign(gntmap, domid() + 1000, gfns, 1, 0, errors, &m), -ESRCH);
	check_has(gntmap, 0, 0);
}

static void notified(void)
{
	struct gntmap *gntmap = open_handle();
	struct gntmap_mapping m = map(gntmap, FIRST, NR, GNTMAP_WRITE);
	uint64_t word;

	check(!granter_poke(suite.granter, FIRST + 2, 16, UINT64_MAX), "%s", strerror(errno));
	expect(gntmap_notify_unmap(gntmap, &m, 1u << 7, 0, 0), -EINVAL);
	expect(gntmap_notify_unmap(gntmap, &m, GNTMAP_NOTIFY_CLEAR_BYTE, SIZE(NR), 0), -EINVAL);
	expect(gntmap_notify_unmap(gntmap, &m, GNTMAP_NOTIFY_CLEAR_BYTE, SIZE(2) + 18, 0), 0);
	expect(gntmap_unmap(gntmap, &m), 0);
	check(!granter_peek(suite.granter, FIRST + 2, 16, &word), "%s", strerror(errno));
	check(word == ~0xff0000ull, "%#lx", word);

	m = map(gntmap, FIRST, NR, GNTMAP_WRITE);
	expect(gntmap_notify_unmap(gntmap, &m, GNTMAP_NOTIFY_CLEAR_BYTE, SIZE(2) + 16, 0), 0);
	expect(gntmap_notify_unmap(gntmap, &m, 0, SIZE(2) + 16, 0), 0);
	expect(gntmap_unmap(gntmap, &m), 0);
	check(!granter_peek(suite.granter, FIRST + 2, 16, &word), "%s", strerror(errno));
	check(word == ~0xff0000ull, "taken back, and done even so: %#lx", word);
}

static void copied(void)
{
	struct gntmap *gntmap = open_handle();
	uint32_t ref = suite.granter->first_ref + FIRST;
	uint64_t words[4] = { 0 }, word;
	struct gntmap_copy pieces[3] = {
		{ .from.grant = { ref, 32, domid() }, .to.local = words, .len = 16, .flags = GNTMAP_COPY_FROM_GRANT },
		{ .from.local = &words[2], .to.grant = { ref + 1, 40, domid() }, .len = 8, .flags = GNTMAP_COPY_TO_GRANT },
		{ .from.grant = { 1000000, 0, domid() }, .to.local = &words[3], .len = 8, .flags = GNTMAP_COPY_FROM_GRANT },
	};

	check(!granter_fill(suite.granter, FIRST, 2, 5), "%s", strerror(errno));
	words[2] = 0x123456789abcdef0;
	expect(gntmap_copy(gntmap, pieces, 3), 0);
	check(pieces[0].status == 0 && pieces[1].status == 0 && pieces[2].status < 0, "%d, %d, %d", pieces[0].status,
	      pieces[1].status, pieces[2].status);
	check(words[0] == granter_word(5, FIRST, 4) && words[1] == granter_word(5, FIRST, 5), "%#lx, %#lx", words[0], words[1]);
	check(!granter_peek(suite.granter, FIRST + 1, 40, &word) && word == words[2], "%#lx", word);
	pieces[0].flags = 0;
	expect(gntmap_copy(gntmap, pieces, 1), -EINVAL);
}

/* The child's handle is on the same file: what it removes is removed. */
static void child_unmaps(void *arg)
{
	struct gntmap *gntmap = arg;
	struct gntmap_mapping m = { .nr_pages = NR, .offset = 0 };

	expect(gntmap_unmap(gntmap, &m), 0);
	gntmap_close(gntmap);
}

static void forked(void)
{
	struct gntmap *gntmap = open_handle();
	struct gntmap_mapping m;

	expect(gntmap_map_domain_grants(gntmap, domid(), refs(FIRST, NR), NR, GNTMAP_NO_MMAP, &m), 0);
	check(!run_child(child_unmaps, gntmap, false), "the child failed");
	check_has(gntmap, 0, 0);
	expect(gntmap_unmap(gntmap, &m), -ENOENT);
	m = map(gntmap, FIRST, NR, 0);
	expect(gntmap_unmap(gntmap, &m), 0);
}

struct worker {
	pthread_t thread;
	struct gntmap *gntmap;
	uint32_t first;
	int err;
	bool wrong;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	uint32_t ref = suite.granter->first_ref + w->first;
	unsigned int nr_rounds = suite.pv ? 200 : 15;

	for (unsigned int i = 0; i < nr_rounds && !w->err && !w->wrong; i++) {
		struct gntmap_mapping m, found;

		w->err = gntmap_map_domain_grants(w->gntmap, domid(), &ref, 1, GNTMAP_WRITE, &m);
		if (w->err)
			break;
		/* Each its own page, whatever offsets the others get. */
		w->wrong = *(volatile uint64_t *)m.addr != granter_word(9, w->first, 0) ||
			   gntmap_find(w->gntmap, m.addr, &found) || found.offset != m.offset;
		w->err = gntmap_unmap(w->gntmap, &m);
	}
	return NULL;
}

static void threads(void)
{
	enum { NR_WORKERS = 4 };
	struct gntmap *gntmap = open_handle();
	struct worker workers[NR_WORKERS];

	check(!granter_fill(suite.granter, FIRST, NR_WORKERS, 9), "%s", strerror(errno));
	for (unsigned int i = 0; i < NR_WORKERS; i++) {
		workers[i] = (struct worker){ .gntmap = gntmap, .first = FIRST + i };
		check(!pthread_create(&workers[i].thread, NULL, work, &workers[i]), "no thread");
	}
	for (unsigned int i = 0; i < NR_WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		check(!workers[i].err && !workers[i].wrong, "thread %u: %s%s", i, errno_name(workers[i].err),
		      workers[i].wrong ? ", wrong page" : "");
	}
	check_has(gntmap, 0, 0);
}

static const struct suite_case cases[] = {
	{ "the default node is what GNTMAP_NODE names, or one of ours, never the control", default_node },
	{ "information tells what the file has", information },
	{ "fdinfo tells the same", fdinfo },
	{ "grants are mapped to be read, or to be written", read_and_write },
	{ "many grants are mapped", many },
	{ "a list of grants is mapped in its order", list_of_grants },
	{ "a call that fails leaves nothing behind", nothing_left },
	{ "a range can be shown later, and again", shown_later },
	{ "a range is found by an address in it", find },
	{ "a range that is gone already is told, its memory unmapped", removed_already },
	{ "a mapping outlives its handle", outlives_the_handle },
	{ "a restriction and a cap go with the descriptor", restricted },
	{ "foreign frames are mapped, by list and by run", foreign },
	{ "frames that cannot be mapped have an errno, and leave holes if they may", foreign_with_holes },
	{ "a byte is cleared when a range goes away, unless that was taken back", notified },
	{ "pieces are copied from and to grants", copied },
	{ "a child's handle is on the same file", forked },
	{ "a handle serves several threads", threads },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
