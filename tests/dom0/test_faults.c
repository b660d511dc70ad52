// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever the driver calls may fail: each call of each operation is made to, one after the other, until none is left that
 * could. Afterwards the operation's errno is one that was promised, nothing is left behind, and the same operation on the same
 * file succeeds.
 *
 * Left out is what must not fail: operations are armed that map, not those that unmap, and a TLB flush is let through. Where
 * Xen refuses to unmap, the driver gives up the pages for good and says so, for which there is a case of its own. Not for the
 * user's PTEs in PV: Linux would overwrite one that still maps a grant, and then nobody can hand that back (a Xen with
 * _PAGE_GNTTAB even ends the domain: put_page_from_l1e(), xen/arch/x86/mm.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <xenevtchn.h>

#include "dmabuf.h"
#include "faults.h"
#include "foreign.h"
#include "kernel_faults.h"
#include "range.h"
#include "suite.h"
#include "tap.h"
#include "unpopulated.h"

#define RW (PROT_READ | PROT_WRITE)
#define FIRST 11u
#define NR 5u
#define MAX_BIG 150u
#define MAX_K 500
#define HYPERCALL_GRANT_TABLE_OP 20
#define HYPERCALL_MMUEXT_OP 26

/* What an operation works with. */
struct scene {
	int fd;
	uint32_t nr; /* pages */
	int prot;
	struct ioctl_gntdev_grant_ref refs[MAX_BIG];
	uint64_t gfns[MAX_BIG];
	int32_t errors[MAX_BIG];
	struct range range;
	xenevtchn_handle *channel;
	uint32_t port;
	struct gntdev_grant_copy_segment segments[3];
	char *memory;
	int buf;
};

/* What an operation may answer beside ENOMEM and EFAULT. */
#define ALSO_EINVAL 0x1
#define ALSO_EINTR 0x2
#define ALSO_ESRCH 0x4
#define ALSO_NOTHING 0x8 /* it tries in another way */

struct operation {
	void (*prepare)(struct scene *s);
	int (*run)(struct scene *s);	  /* the one that fails: 0 or a negative errno */
	void (*verify)(struct scene *s);  /* it succeeded */
	void (*undo)(struct scene *s);	  /* what it did, and `prepare` */
	unsigned int answers;		  /* ALSO_* */
	const char *must;		  /* a function that it calls */
};

/* Two batches of every kind; a p2m change of a PVH dom0 takes milliseconds under emulation. */
static uint32_t nr_big(void)
{
	return suite.pv ? MAX_BIG : 70;
}

static void nothing(struct scene *s)
{
	(void)s;
}

static void prepare_few(struct scene *s)
{
	struct gntmap_set_max_pages cap = { .size = sizeof(cap) };

	s->nr = s->nr ? s->nr : NR;
	s->prot = s->prot ? s->prot : RW;
	fill_refs(s->refs, FIRST, s->nr);
	s->fd = open_node();
	/* A page that is still counted for what failed is missing to what follows. */
	cap.max_pages = s->nr;
	expect(ioctl(s->fd, GNTMAP_IOCTL_SET_MAX_PAGES, &cap) ? -errno : 0, 0);
}

static void undo_fd(struct scene *s)
{
	check_file_has(s->fd, 0, 0);
	close(s->fd);
}

static int run_open(struct scene *s)
{
	int fd = open(suite.node, O_RDWR | O_CLOEXEC);

	s->fd = fd;
	return fd < 0 ? -errno : 0;
}

static int run_add(struct scene *s)
{
	s->range = (struct range){ .fd = s->fd, .first = FIRST, .count = s->nr };
	return try_add(s->fd, s->refs, s->nr, &s->range.offset);
}

static void verify_add(struct scene *s)
{
	check_file_has(s->fd, 1, s->nr);
	check(!s->range.offset, "%#lx", s->range.offset);
	/* What was given last is fine too. */
	if (s->refs[s->nr - 1].domid != s->refs[0].domid)
		return;
	range_mmap(&s->range, s->prot);
	range_check_pages(&s->range, s->nr - 2, 2);
	range_munmap(&s->range);
}

static void undo_add(struct scene *s)
{
	range_remove(&s->range);
	undo_fd(s);
}

static void prepare_big(struct scene *s)
{
	s->nr = nr_big();
	prepare_few(s);
}

static void prepare_domains(struct scene *s)
{
	s->nr = 40;
	prepare_few(s);
	for (uint32_t i = 33; i < s->nr; i++)
		s->refs[i].domid++;
}

static void prepare_range(struct scene *s)
{
	prepare_few(s);
	expect(run_add(s), 0);
}

static void prepare_read_only(struct scene *s)
{
	s->prot = PROT_READ;
	prepare_range(s);
}

static void prepare_big_range(struct scene *s)
{
	s->nr = nr_big();
	prepare_range(s);
}

static int run_mmap(struct scene *s)
{
	void *addr;
	int ret = try_mmap(s->fd, s->range.offset, range_length(&s->range), s->prot, MAP_SHARED, &addr);

	s->range.addr = ret ? NULL : addr;
	s->range.prot = s->prot;
	return ret;
}

/* At the end of one page table and the begin of the next, neither of which is there yet. */
static int run_mmap_big(struct scene *s)
{
	size_t table = 512 * PAGE_SIZE;
	char *hole = mmap(NULL, 4 * table, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *at;

	if (hole == MAP_FAILED)
		return -errno;
	at = (char *)(((uintptr_t)hole + 2 * table) & ~(table - 1));
	munmap(hole, 4 * table);
	s->range.prot = s->prot;
	s->range.addr = mmap(at - 30 * PAGE_SIZE, range_length(&s->range), s->prot, MAP_SHARED | MAP_FIXED_NOREPLACE, s->fd,
			     s->range.offset);
	if (s->range.addr != MAP_FAILED)
		return 0;
	s->range.addr = NULL;
	return -errno;
}

static void verify_mmap(struct scene *s)
{
	range_check_pages(&s->range, s->nr - 2, 2);
}

static void undo_mmap(struct scene *s)
{
	if (s->range.addr)
		range_munmap(&s->range);
	undo_add(s);
}

static void prepare_notify(struct scene *s)
{
	struct gntmap_restrict op = { .size = sizeof(op), .domid = suite.granter->domid };

	prepare_range(s);
	/* Then the driver asks Xen whose channel it is. */
	expect(ioctl(s->fd, GNTMAP_IOCTL_RESTRICT, &op) ? -errno : 0, 0);
	s->channel = xenevtchn_open(NULL, 0);
	check(s->channel, "%s", strerror(errno));
	s->port = xenevtchn_bind_unbound_port(s->channel, suite.granter->domid);
	check((int)s->port > 0, "%s", strerror(errno));
}

static int run_notify(struct scene *s)
{
	struct ioctl_gntdev_unmap_notify op = {
		.index = s->range.offset + 17,
		.action = UNMAP_NOTIFY_CLEAR_BYTE | UNMAP_NOTIFY_SEND_EVENT,
		.event_channel_port = s->port,
	};

	return ioctl(s->fd, IOCTL_GNTDEV_SET_UNMAP_NOTIFY, &op) ? -errno : 0;
}

static void undo_notify(struct scene *s)
{
	undo_add(s);
	xenevtchn_close(s->channel);
}

/* Two ways, across a page boundary of ours, and between two grants. */
static void prepare_copy(struct scene *s)
{
	struct granter *g = suite.granter;
	struct gntdev_grant_copy_segment *seg = s->segments;

	prepare_few(s);
	s->memory = aligned_alloc(PAGE_SIZE, 8 * PAGE_SIZE);
	check(s->memory, "no memory");
	memset(s->memory, 1, 8 * PAGE_SIZE);
	memset(seg, 0, sizeof(s->segments));
	seg[0].source.foreign.domid = seg[1].dest.foreign.domid = g->domid;
	seg[0].source.foreign.ref = g->first_ref + FIRST;
	seg[0].dest.virt = s->memory + 2000;
	seg[0].len = 4000;
	seg[0].flags = GNTCOPY_source_gref;
	seg[1].source.virt = s->memory + 4 * PAGE_SIZE + 100;
	seg[1].dest.foreign.ref = g->first_ref + FIRST + 1;
	seg[1].dest.foreign.offset = 8;
	seg[1].len = 4088;
	seg[1].flags = GNTCOPY_dest_gref;
	seg[2] = seg[1];
	seg[2].source = seg[0].source;
	seg[2].dest.foreign.ref = g->first_ref + FIRST + 2;
	seg[2].dest.foreign.offset = 0;
	seg[2].len = 4096;
	seg[2].flags = GNTCOPY_source_gref | GNTCOPY_dest_gref;
	check(!granter_fill(g, FIRST, 3, 5), "%s", strerror(errno));
}

static int run_copy(struct scene *s)
{
	struct ioctl_gntdev_grant_copy op = { .count = ARRAY_SIZE(s->segments), .segments = s->segments };

	for (size_t i = 0; i < ARRAY_SIZE(s->segments); i++)
		s->segments[i].status = GNTST_okay;
	if (ioctl(s->fd, IOCTL_GNTDEV_GRANT_COPY, &op))
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(s->segments); i++)
		check(s->segments[i].status == GNTST_okay || s->segments[i].status < 0, "%d", s->segments[i].status);
	/* Our errno for a copy that did not take place. */
	return s->segments[0].status || s->segments[1].status || s->segments[2].status ? -EFAULT : 0;
}

static void verify_copy(struct scene *s)
{
	uint64_t word = granter_word(5, FIRST, 0), got;

	check(!memcmp(s->memory + 2000, &word, 8), "it is not the granter's content");
	check(!granter_peek(suite.granter, FIRST + 1, 8, &got) && got == 0x0101010101010101, "the granter has %#lx", got);
	check(!granter_peek(suite.granter, FIRST + 2, 0, &got) && got == word, "the granter has %#lx", got);
}

static void undo_copy(struct scene *s)
{
	undo_fd(s);
	/* A page that is still pinned would be seen now: as one that is not reused. */
	free(s->memory);
}

static void prepare_foreign(struct scene *s)
{
	prepare_few(s);
	check(!granter_frames(suite.granter, FIRST, s->nr, s->gfns), "%s", strerror(errno));
}

static void prepare_foreign_big(struct scene *s)
{
	s->nr = nr_big();
	prepare_foreign(s);
}

static int run_foreign(struct scene *s)
{
	s->range = (struct range){ .fd = s->fd, .first = FIRST, .count = s->nr };
	return try_foreign(s->fd, suite.granter->domid, GNTMAP_FOREIGN_WRITE, s->gfns, s->nr, s->errors,
			   &s->range.offset);
}

/* Frames that cannot be mapped are left out. That is told, and then the range is of no more use here. */
static int run_partial(struct scene *s)
{
	int ret;

	s->range = (struct range){ .fd = s->fd, .first = FIRST, .count = s->nr };
	ret = try_foreign(s->fd, suite.granter->domid, GNTMAP_FOREIGN_WRITE | GNTMAP_FOREIGN_PARTIAL, s->gfns, s->nr,
			  s->errors, &s->range.offset);
	if (ret)
		return ret;
	for (uint32_t i = 0; i < s->nr; i++) {
		if (s->errors[i]) {
			ret = s->errors[i];
			range_mmap(&s->range, RW);
			check(touch(range_page(&s->range, i), false) == SIGBUS, "page %u is no hole", i);
			range_unmap(&s->range);
			break;
		}
	}
	return ret;
}

static void prepare_foreign_range(struct scene *s)
{
	s->nr = nr_big();
	prepare_foreign(s);
	expect(run_foreign(s), 0);
}

static int run_remove(struct scene *s)
{
	return try_remove(s->fd, s->range.offset, s->nr);
}

static void prepare_mapped(struct scene *s)
{
	prepare_range(s);
	expect(run_mmap(s), 0);
}

static void prepare_mapped_big(struct scene *s)
{
	prepare_big_range(s);
	expect(run_mmap(s), 0);
}

/* In the kernel somebody wants all of the pages. */
static int run_ask(struct scene *s)
{
	static char copy[MAX_BIG * PAGE_SIZE];
	struct iovec ours = { copy, range_length(&s->range) }, theirs = { s->range.addr, ours.iov_len };
	ssize_t ret = process_vm_readv(getpid(), &ours, 1, &theirs, 1, 0);

	if (ret < 0)
		return -errno;
	check(!memcmp(copy, s->range.addr, ret), "the kernel reads something else");
	return (size_t)ret == ours.iov_len ? 0 : -EFAULT;
}

static int run_find(struct scene *s)
{
	struct ioctl_gntdev_get_offset_for_vaddr op = { .vaddr = (uintptr_t)s->range.addr };

	return ioctl(s->fd, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, &op) ? -errno : 0;
}

static int run_max_pages(struct scene *s)
{
	struct gntmap_set_max_pages op = { .size = sizeof(op), .max_pages = s->nr };

	return ioctl(s->fd, GNTMAP_IOCTL_SET_MAX_PAGES, &op) ? -errno : 0;
}

static int run_restrict(struct scene *s)
{
	struct gntmap_restrict op = { .size = sizeof(op), .domid = suite.granter->domid };

	return ioctl(s->fd, GNTMAP_IOCTL_RESTRICT, &op) ? -errno : 0;
}

static int run_info(struct scene *s)
{
	struct gntmap_info op = { .size = sizeof(op) };

	return ioctl(s->fd, GNTMAP_IOCTL_INFO, &op) ? -errno : 0;
}

static bool promised(const struct operation *op, int ret)
{
	switch (ret) {
	case -ENOMEM:
	case -EFAULT:
		return true;
	case -EINVAL:
		return op->answers & ALSO_EINVAL;
	case -EINTR:
		return op->answers & ALSO_EINTR;
	case -ESRCH:
		return op->answers & ALSO_ESRCH;
	case 0:
		return op->answers & ALSO_NOTHING;
	default:
		return false;
	}
}

/* The operation once more, with nothing in its way; then all goes. */
static void finish(const struct operation *op, struct scene *s, bool again)
{
	if (again)
		expect(op->run(s), 0);
	op->verify(s);
	op->undo(s);
	wait_busy(FIRST, s->nr, 0);
}

/* One call fails; without a fault, whatever the kernel itself lets fail. False when there was none that could. */
static bool fail_once(const struct operation *op, const struct fault *fault, uint32_t k, int value, uint32_t spoil)
{
	struct gntmap_info before = { .size = sizeof(before) }, after = before;
	const char *name = fault ? fault->name : "what the kernel calls";
	struct scene s = { .fd = -1 };
	bool fired;
	int ret;

	op->prepare(&s);
	if (s.fd >= 0)
		expect(ioctl(s.fd, GNTMAP_IOCTL_INFO, &before), 0);
	if (fault)
		faults_arm(fault, k, value, spoil);
	else
		kernel_faults_arm(k);
	ret = op->run(&s);
	if (fault) {
		struct fault_site seen;

		faults_disarm();
		seen = faults_seen(fault);
		fired = seen.fired;
		check(seen.stray_refs == 1, "a page that was not pinned was unpinned: %lld references", (long long)seen.stray_refs);
	} else {
		fired = kernel_faults_disarm();
	}
	if (!fired) {
		check(!ret, "%s, and nothing had failed before call %u of %s", errno_name(ret), k, name);
		finish(op, &s, false);
		return false;
	}
	/* Who needed it may have got it in another way. */
	if (!fault && !ret) {
		finish(op, &s, false);
		return true;
	}
	check(promised(op, ret), "call %u of %s fails (%d, %#x): the answer is %s", k, name, value, spoil, errno_name(ret));
	if (s.fd >= 0) {
		expect(ioctl(s.fd, GNTMAP_IOCTL_INFO, &after), 0);
		check(!memcmp(&before, &after, sizeof(before)), "call %u of %s fails (%d, %#x): the file has something new", k,
		      name, value, spoil);
		wait_busy(FIRST, s.nr, s.range.addr ? s.nr : 0);
	}
	finish(op, &s, true);
	return true;
}

/* All calls of one place, one after the other. */
static unsigned int fail_all(const struct operation *op, const struct fault *fault, int value, uint32_t spoil)
{
	uint32_t k;

	for (k = 1; fail_once(op, fault, k, value, spoil); k++)
		check(k < MAX_K, "%s: no end", fault ? fault->name : "what the kernel calls");
	return k - 1;
}

static unsigned int spoil_all(const struct operation *op, const struct fault *fault)
{
	static const uint32_t slots[] = { FAULT_SPOIL_FIRST, FAULT_SPOIL_MIDDLE, FAULT_SPOIL_LAST, FAULT_SPOIL_ALL };
	unsigned int nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(slots); i++)
		nr += fail_all(op, fault, 0, slots[i]);
	return nr;
}

/* What is allocated once and for all is there from here on: our memory's pages too. */
static void rehearse(const struct operation *op)
{
	struct scene s = { .fd = -1 };

	/* No page is there before it is asked for, and none has to be exchanged. */
	unpopulated_sort();
	op->prepare(&s);
	expect(op->run(&s), 0);
	finish(op, &s, false);
}

static unsigned int survive(const struct operation *op)
{
	uint32_t calls[FAULT_MAX_SITES] = { 0 };
	bool spoils[FAULT_MAX_SITES] = { 0 };
	struct scene s = { .fd = -1 };
	unsigned int nr, all = 0;
	bool has = false;

	rehearse(op);
	op->prepare(&s);
	faults_count();
	expect(op->run(&s), 0);
	faults_disarm();
	for (size_t i = 0; i < faults_nr(); i++) {
		struct fault_site seen = faults_seen(faults_get(i));

		/* Without a flush the driver can only say so. */
		if (seen.hypercall && seen.calls && seen.nr == HYPERCALL_MMUEXT_OP)
			continue;
		calls[i] = seen.calls;
		spoils[i] = faults_get(i)->spoils || (seen.hypercall && seen.nr == HYPERCALL_GRANT_TABLE_OP &&
						      seen.arg == GNTTABOP_map_grant_ref);
		has |= seen.calls && !strcmp(seen.name, op->must);
	}
	finish(op, &s, false);
	check(has || !*op->must, "premise: it does not call %s", op->must);

	for (size_t i = 0; i < faults_nr(); i++) {
		const struct fault *fault = faults_get(i);

		if (!calls[i] || !fault->nr_values)
			continue;
		nr = 0;
		for (int v = 0; v < fault->nr_values; v++)
			nr += fail_all(op, fault, fault->values[v], 0);
		if (spoils[i])
			nr += spoil_all(op, fault);
		check(nr, "%s: no call failed, of %u", fault->name, calls[i]);
		tap_diag("%s: %u", fault->name, nr);
		all += nr;
	}
	tap_diag("failures: %u", all);
	return all;
}

/* A system call whose user copies are all that can fail: some kernels have them inline, where no probe stands. */
static void survive_copies(const struct operation *op)
{
	if (!survive(op))
		case_skip("functions that copy from and to users, on this kernel they are inline");
}

static void open_fails(void)
{
	survive(&(struct operation){ nothing, run_open, nothing, undo_fd, 0, "" });
}

static void add_fails(void)
{
	survive(&(struct operation){ prepare_few, run_add, verify_add, undo_add, 0, "gnttab_alloc_pages" });
}

static void add_big_fails(void)
{
	survive(&(struct operation){ prepare_big, run_add, verify_add, undo_add, 0, "gnttab_alloc_pages" });
}

static void add_domains_fails(void)
{
	survive(&(struct operation){ prepare_domains, run_add, verify_add, undo_add, 0, "gnttab_alloc_pages" });
}

static void remove_fails(void)
{
	survive_copies(&(struct operation){ prepare_range, run_remove, nothing, undo_fd, 0, "" });
}

static void find_fails(void)
{
	survive_copies(&(struct operation){ prepare_mapped, run_find, verify_mmap, undo_mmap, 0, "" });
}

#define MMAP_ANSWERS (ALSO_EINVAL | ALSO_EINTR)

/* In PV, grants are mapped by a bare hypercall. */
static const char *mmap_calls(void)
{
	return suite.pv ? "apply_to_page_range" : "gnttab_map_refs";
}

static void mmap_fails(void)
{
	survive(&(struct operation){ prepare_range, run_mmap, verify_mmap, undo_mmap, MMAP_ANSWERS, mmap_calls() });
}

static void mmap_read_only_fails(void)
{
	survive(&(struct operation){ prepare_read_only, run_mmap, verify_mmap, undo_mmap, MMAP_ANSWERS, mmap_calls() });
}

static void mmap_big_fails(void)
{
	survive(&(struct operation){ prepare_big_range, run_mmap_big, verify_mmap, undo_mmap, MMAP_ANSWERS, mmap_calls() });
}

static void notify_fails(void)
{
	survive(&(struct operation){ prepare_notify, run_notify, nothing, undo_notify, ALSO_EINVAL, "evtchn_get" });
}

static void copy_fails(void)
{
	survive(&(struct operation){ prepare_copy, run_copy, verify_copy, undo_copy, 0, "pin_user_pages_fast" });
}

static void foreign_fails(void)
{
	survive(&(struct operation){ prepare_foreign_big, run_foreign, verify_add, undo_add, ALSO_EINVAL | ALSO_ESRCH,
				     "gnttab_alloc_pages" });
}

static void foreign_partly_fails(void)
{
	survive(&(struct operation){ prepare_foreign, run_partial, verify_add, undo_add, ALSO_EINVAL | ALSO_ESRCH,
				     "gnttab_alloc_pages" });
}

static void foreign_mmap_fails(void)
{
	survive(&(struct operation){ prepare_foreign_range, run_mmap_big, verify_mmap, undo_mmap, MMAP_ANSWERS,
				     suite.pv ? "apply_to_page_range" : "" });
}

static void small_calls_fail(void)
{
	survive_copies(&(struct operation){ prepare_few, run_max_pages, nothing, undo_fd, 0, "" });
	survive_copies(&(struct operation){ prepare_few, run_restrict, nothing, undo_fd, 0, "" });
	survive_copies(&(struct operation){ prepare_few, run_info, nothing, undo_fd, 0, "" });
}

static int run_export(struct scene *s)
{
	return try_export(s->fd, 0, FIRST, s->nr, &s->buf);
}

static void verify_export(struct scene *s)
{
	for (uint32_t i = 0; i < s->nr; i++)
		dmabuf_swap(s->buf, i * PAGE_SIZE, i);
	wait_busy(FIRST, s->nr, s->nr);
}

static void undo_export(struct scene *s)
{
	close(s->buf);
	wait_busy(FIRST, s->nr, 0);
	undo_fd(s);
}

static void export_fails(void)
{
	survive(&(struct operation){ prepare_few, run_export, verify_export, undo_export, ALSO_EINVAL, "dma_buf_export" });
	survive(&(struct operation){ prepare_big, run_export, verify_export, undo_export, ALSO_EINVAL, "dma_buf_export" });
}

static void prepare_import(struct scene *s)
{
	prepare_few(s);
	s->buf = dmabuf_make(DMABUF_PAGES, s->nr);
}

static int run_import(struct scene *s)
{
	uint32_t refs[MAX_BIG];

	return try_import(s->fd, s->buf, s->nr, refs);
}

static void undo_import(struct scene *s)
{
	expect(try_import_release(s->fd, s->buf), 0);
	close(s->buf);
	/* A grant that was forgotten would keep it. */
	dmabuf_wait_dead();
	undo_fd(s);
}

static void import_fails(void)
{
	survive(&(struct operation){ prepare_import, run_import, nothing, undo_import, ALSO_EINTR, "dma_buf_attach" });
}

static bool can_ask(void)
{
	/* VM_IO keeps everybody from asking. */
	return suite.pv && !strategy_is("vmio");
}

static void ask_fails(void)
{
	survive(&(struct operation){ prepare_mapped_big, run_ask, verify_mmap, undo_mmap, ALSO_NOTHING, "gnttab_map_refs" });
}

/* The kernel has mapped something that is to be unmapped. */
static bool kernel_has(void)
{
	return !suite.pv || can_ask();
}

static void unmap_is_refused(void)
{
	static const struct {
		uint32_t slots, nr_kept;
	} each[] = { { FAULT_SPOIL_FIRST, 1 }, { FAULT_SPOIL_MIDDLE, NR - NR / 2 }, { FAULT_SPOIL_LAST, 1 }, { FAULT_SPOIL_ALL, NR } };
	const struct fault *fault = faults_find("gnttab_unmap_refs");
	struct scene s;
	struct range other;

	if (!fault)
		case_skip("a probe at gnttab_unmap_refs()");
	for (size_t i = 0; i < ARRAY_SIZE(each); i++) {
		s = (struct scene){ .fd = -1 };
		prepare_mapped(&s);
		if (suite.pv)
			expect(run_ask(&s), 0);
		faults_arm(fault, 1, 0, each[i].slots);
		expect(try_munmap(s.range.addr, range_length(&s.range)), 0);
		faults_disarm();
		check(faults_seen(fault).fired == 1, "premise: nothing was unmapped");
		wait_busy(FIRST, NR, each[i].nr_kept);

		/* A frame is mapped where the next one would go. */
		expect(run_mmap(&s), -EIO);
		wait_busy(FIRST, NR, each[i].nr_kept);
		undo_add(&s);

		/* What nobody has must not be given to somebody else. */
		other = range_map(open_node(), FIRST + NR, NR, RW);
		range_check(&other);
		range_unmap(&other);
		close(other.fd);
		check(faults_undo() == (int)each[i].nr_kept, "premise: not as many were kept");
		wait_busy(FIRST, NR, 0);
	}
}

/* Pages of several devices do for a range too: a request over their border is short, and nothing is lost. */
static void exchange_fails(void)
{
	const struct fault *alloc = faults_find("gnttab_alloc_pages"), *release = faults_find("gnttab_free_pages");
	const struct fault *array = faults_find("__kvmalloc_node_noprof") ?: faults_find("kvmalloc_node");
	const struct fault *each[] = { alloc, array };
	struct ioctl_gntdev_grant_ref refs[NR];

	if (!alloc || !release || !array)
		case_skip("a probe at gnttab_alloc_pages(), gnttab_free_pages() or kvmalloc_node()");
	fill_refs(refs, FIRST, NR);
	for (size_t i = 0; i < ARRAY_SIZE(each); i++) {
		unsigned int nr_did_without = 0;
		bool fired = true;

		for (uint32_t k = 1; fired; k++) {
			int fd = open_node(), ret;
			uint64_t offset, got;

			unpopulated_mix();
			faults_arm(each[i], k, each[i]->values[0], 0);
			ret = try_add(fd, refs, NR, &offset);
			faults_disarm();
			fired = faults_seen(each[i]).fired;
			got = faults_seen(alloc).sum - (fired && each[i] == alloc ? NR : 0);
			check(!ret || (fired && ret == -ENOMEM), "call %u of %s: %s", k, each[i]->name, errno_name(ret));
			if (!ret) {
				struct range r = { .fd = fd, .first = FIRST, .count = NR, .offset = offset };
				uint64_t kept = got - faults_seen(release).sum;

				check(kept == NR, "call %u of %s: the range has %lu pages", k, each[i]->name, kept);
				nr_did_without += fired;
				range_mmap(&r, RW);
				range_check(&r);
				range_unmap(&r);
			} else {
				check(got == faults_seen(release).sum, "call %u of %s: pages are lost", k, each[i]->name);
			}
			close(fd);
		}
		check(nr_did_without, "premise: %s never failed in an exchange", each[i]->name);
	}
	unpopulated_sort();
}

static long memory_kb(void)
{
	char text[32];

	check(read_line("/sys/devices/system/xen_memory/xen_memory0/info/current_kb", text, sizeof(text)), "no balloon");
	return atol(text);
}

/* The balloon takes back what is given to it, in its own time. */
static void wait_memory(long kb)
{
	uint64_t start = now_us();

	while (memory_kb() != kb) {
		check(now_us() - start < 30000000, "%ld KiB of memory have become %ld", kb, memory_kb());
		sleep_ms(20);
	}
}

static void ballooned_fails(void)
{
	long kb = memory_kb();

	set_core_parameter("provider", "ballooned");
	survive(&(struct operation){ prepare_few, run_add, verify_add, undo_add, 0, "xen_alloc_ballooned_pages" });
	survive(&(struct operation){ prepare_range, run_mmap, verify_mmap, undo_mmap, MMAP_ANSWERS, mmap_calls() });
	wait_memory(kb);
}

static void kernel_fails(void)
{
	static const struct {
		const char *name;
		struct operation op;
	} each[] = {
		{ "open", { nothing, run_open, nothing, undo_fd, 0, "" } },
		{ "MAP_GRANT_REF", { prepare_few, run_add, verify_add, undo_add, 0, "" } },
		{ "MAP_GRANT_REF of many", { prepare_big, run_add, verify_add, undo_add, 0, "" } },
		{ "mmap", { prepare_range, run_mmap, verify_mmap, undo_mmap, MMAP_ANSWERS, "" } },
		{ "mmap of many", { prepare_big_range, run_mmap, verify_mmap, undo_mmap, MMAP_ANSWERS, "" } },
		{ "SET_UNMAP_NOTIFY", { prepare_notify, run_notify, nothing, undo_notify, ALSO_EINVAL, "" } },
		{ "GRANT_COPY", { prepare_copy, run_copy, verify_copy, undo_copy, 0, "" } },
		{ "MAP_FOREIGN", { prepare_foreign, run_foreign, verify_add, undo_add, ALSO_EINVAL | ALSO_ESRCH, "" } },
		{ "DMABUF_IMP_TO_REFS", { prepare_import, run_import, nothing, undo_import, 0, "" } },
	};
	const char *missing = kernel_faults_open();
	unsigned int nr;

	if (missing)
		case_skip("%s (CONFIG_FAULT_INJECTION)", missing);
	for (size_t i = 0; i < ARRAY_SIZE(each); i++) {
		rehearse(&each[i].op);
		nr = fail_all(&each[i].op, NULL, 0, 0);
		tap_diag("%s: %u", each[i].name, nr);
		check(nr, "premise: nothing of %s failed", each[i].name);
	}
}

static void all_armed(void)
{
	size_t nr = 0;

	for (size_t i = 0; i < faults_nr(); i++)
		nr += faults_get(i)->hypercall;
	tap_diag("%zu functions and %zu hypercalls can fail", faults_nr() - nr, nr);
	check(nr, "premise: no hypercall was found");
	if (*faults_missing())
		case_skip("probes at %s", faults_missing());
}

static const struct suite_case cases[] = {
	{ "there is a probe wherever the driver calls what can fail", all_armed },
	{ "open survives each failure", open_fails },
	{ "MAP_GRANT_REF survives each failure", add_fails },
	{ "MAP_GRANT_REF of many references survives each failure", add_big_fails },
	{ "MAP_GRANT_REF of several domains' references survives each failure", add_domains_fails },
	{ "a range whose pages cannot be exchanged for those of one device has what there is", exchange_fails },
	{ "UNMAP_GRANT_REF survives each failure", remove_fails },
	{ "GET_OFFSET_FOR_VADDR survives each failure", find_fails },
	{ "mmap survives each failure", mmap_fails },
	{ "mmap for reading survives each failure", mmap_read_only_fails },
	{ "mmap of more than a batch, over two page tables, survives each failure", mmap_big_fails },
	{ "asking for mapped pages survives each failure", ask_fails, .applies = can_ask },
	{ "SET_UNMAP_NOTIFY survives each failure", notify_fails },
	{ "GRANT_COPY survives each failure", copy_fails },
	{ "MAP_FOREIGN survives each failure", foreign_fails },
	{ "MAP_FOREIGN with PARTIAL survives each failure", foreign_partly_fails },
	{ "mmap of foreign frames, over two page tables, survives each failure", foreign_mmap_fails },
	{ "SET_MAX_PAGES, RESTRICT and INFO survive each failure", small_calls_fail },
	{ "a dma-buf's export survives each failure", export_fails, MODE_XLATE },
	{ "a dma-buf's import survives each failure", import_fails },
	{ "with ballooned pages each failure is survived, and the memory comes back", ballooned_fails },
	{ "each operation survives the kernel's own fault injection", kernel_fails },
	{ "grants that Xen does not unmap cost their range's pages and nothing else", unmap_is_refused, .applies = kernel_has },
};

int main(int argc, char **argv)
{
	return faults_main(cases, ARRAY_SIZE(cases), argc, argv);
}
