// SPDX-License-Identifier: GPL-2.0
/* Foreign frames: what is behind the mapping, who else sees it, and who may do IO with it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <xenforeignmemory.h>

#include "block.h"
#include "fault.h"
#include "foreign.h"
#include "pin.h"
#include "suite.h"
#include "vma.h"

#define RW (PROT_READ | PROT_WRITE)
#define WRITE GNTMAP_FOREIGN_WRITE
#define NR 70u	 /* more than one batch of each kind */
#define FIRST 3u /* the granter's page that is our page 0 */

static bool refuses_pins(void)
{
	return strategy_is("vmio");
}

static void content(void)
{
	struct range r = foreign_map(open_node(), FIRST, NR, RW);
	struct vma vma;

	range_check(&r);
	expect(vma_find(0, r.addr, &vma), 0);
	check(vma_has_flag(&vma, "io") == strategy_is("vmio") && vma_has_flag(&vma, "mm") == strategy_is("mixedmap") &&
	      !vma_has_flag(&vma, "pf"), "not just the strategy's flags: %s", vma.flags);
	range_unmap(&r);
}

/* As many as the granter has; a p2m change of a PVH dom0 takes milliseconds under emulation. */
static void many(void)
{
	uint32_t nr = suite.pv ? suite.granter->nr_refs : 200;
	struct range r = foreign_map(open_node(), 0, nr, RW);

	check(!suite.pv || nr >= 2000, "only %u", nr);
	check_reads(r.addr, 0, nr);
	check_writes(range_page(&r, nr - 3), nr - 3, 3);
	range_unmap(&r);
}

static void run_of_frames(void)
{
	uint64_t *gfns = foreign_gfns(0, suite.granter->nr_refs), offset;
	uint32_t first = 0, nr = 1;
	struct range r;

	for (uint32_t i = 0, len = 1; i + 1 < suite.granter->nr_refs && nr < 16; i++) {
		len = gfns[i + 1] == gfns[i] + 1 ? len + 1 : 1;
		if (len > nr) {
			nr = len;
			first = i + 2 - len;
		}
	}
	if (nr == 1)
		case_skip("two frames of the granter in sequence");
	r = (struct range){ .fd = open_node(), .first = first, .count = nr };
	expect(try_foreign(r.fd, suite.granter->domid, WRITE | GNTMAP_FOREIGN_RUN, &gfns[first], nr, NULL, &offset), 0);
	r.offset = offset;
	range_mmap(&r, RW);
	range_check(&r);
	range_unmap(&r);
}

static void same_as_privcmd(void)
{
	uint64_t *gfns = foreign_gfns(FIRST, 4);
	xenforeignmemory_handle *handle = xenforeignmemory_open(NULL, 0);
	struct range r = foreign_map(open_node(), FIRST, 4, RW);
	xen_pfn_t frames[4];
	uint64_t word;
	int errs[4];
	char *theirs;

	check(handle, "%s", strerror(errno));
	for (int i = 0; i < 4; i++)
		frames[i] = gfns[i];
	theirs = xenforeignmemory_map(handle, suite.granter->domid, RW, 4, frames, errs);
	check(theirs, "%s", strerror(errno));
	check(!memcmp(theirs, r.addr, 4 * PAGE_SIZE), "they differ at first");
	check_reads(r.addr, FIRST, 4);
	check(!memcmp(theirs, r.addr, 4 * PAGE_SIZE), "they differ after the granter wrote");
	memset(theirs + PAGE_SIZE, 0x5a, PAGE_SIZE);
	check(!memcmp(theirs, r.addr, 4 * PAGE_SIZE), "they differ after a write through privcmd");
	memset(r.addr + 2 * PAGE_SIZE, 0xa5, PAGE_SIZE);
	check(!memcmp(theirs, r.addr, 4 * PAGE_SIZE), "they differ after a write of ours");
	check(!granter_peek(suite.granter, FIRST + 1, 8, &word) && word == 0x5a5a5a5a5a5a5a5a, "the granter has %#lx", word);
	check(!granter_peek(suite.granter, FIRST + 2, 8, &word) && word == 0xa5a5a5a5a5a5a5a5, "the granter has %#lx", word);
	xenforeignmemory_unmap(handle, theirs, 4);
	/* Whoever goes first leaves the other alone. */
	range_check(&r);
	range_unmap(&r);
	xenforeignmemory_close(handle);
}

static void beside_grants(void)
{
	int fd = open_node();
	struct range grants = range_map(fd, FIRST, 4, RW), r = foreign_map(fd, FIRST, 4, RW);
	uint64_t offset;
	void *addr;

	check(r.offset == 4 * PAGE_SIZE, "%#lx", r.offset);
	check_file_has(fd, 2, 8);
	check_reads(r.addr, FIRST, 4);
	check(!memcmp(grants.addr, r.addr, 4 * PAGE_SIZE), "the same page differs");
	memset(r.addr, 0x33, PAGE_SIZE);
	check(!memcmp(grants.addr, r.addr, 4 * PAGE_SIZE), "the same page differs");
	range_unmap(&grants);
	range_check(&r);
	range_munmap(&r);
	/* The frames are still there: only what shows them went. */
	expect(try_mmap(fd, r.offset, 4 * PAGE_SIZE, RW, MAP_SHARED, &addr), 0);
	r.addr = addr;
	range_check(&r);
	range_unmap(&r);
	check_file_has(fd, 0, 0);
	/* Its offset is free. */
	offset = foreign_add(fd, FIRST, 1, 0).offset;
	check(!offset, "%#lx", offset);
}

static void twice_the_same(void)
{
	uint64_t *gfns = foreign_gfns(FIRST, 1), twice[2] = { gfns[0], gfns[0] };
	struct range r = { .fd = open_node(), .count = 2 };

	expect(try_foreign(r.fd, suite.granter->domid, WRITE, twice, 2, NULL, &r.offset), 0);
	range_mmap(&r, RW);
	check_reads(r.addr, FIRST, 1);
	check_writes(r.addr + PAGE_SIZE, FIRST, 1);
	check(!memcmp(r.addr, r.addr + PAGE_SIZE, PAGE_SIZE), "the same frame differs");
	range_unmap(&r);
}

static int open_block(void)
{
	const char *path = block_create(16);
	int fd;

	if (!path)
		case_skip("null_blk (%s)", strerror(errno));
	fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	check(fd >= 0, "%s: %s", path, strerror(errno));
	return fd;
}

/* Special PTEs (PV) and gup_fast_folio_allowed() (6.10) keep get_user_pages_fast() off; before, vmio's VM_IO goes unseen. */
static void check_refused(ssize_t moved)
{
	if (suite.pv)
		check(moved == -1 && errno == EFAULT, "%zd, %s", moved, strerror(errno));
	else
		check((moved == -1 && errno == EFAULT) || moved > 0, "%zd, %s", moved, strerror(errno));
}

static void direct_io(void)
{
	struct range r = foreign_map(open_node(), FIRST, NR, RW);
	size_t size = range_length(&r);
	char *plain = mmap(NULL, size, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open_block();

	check(plain != MAP_FAILED, "no memory");
	check_reads(r.addr, FIRST, NR);
	if (refuses_pins()) {
		check_refused(pwrite(fd, r.addr, size, 0));
		check_refused(pread(fd, r.addr, size, 0));
		block_remove();
		return;
	}
	check(pwrite(fd, r.addr, size, 0) == (ssize_t)size, "from them: %s", strerror(errno));
	check(pread(fd, plain, size, 0) == (ssize_t)size, "%s", strerror(errno));
	check(!memcmp(plain, r.addr, size), "not what was written");

	for (uint32_t page = 0; page < NR; page++)
		for (uint64_t word = 0; word < PAGE_SIZE / 8; word++)
			((uint64_t *)plain)[page * PAGE_SIZE / 8 + word] = granter_word(77, FIRST + page, word);
	check(pwrite(fd, plain, size, 0) == (ssize_t)size, "%s", strerror(errno));
	check(pread(fd, r.addr, size, 0) == (ssize_t)size, "into them: %s", strerror(errno));
	check_pattern(r.addr, FIRST, NR, 77);
	for (uint32_t page = 0; page < NR; page += NR - 1) {
		uint64_t theirs, ours = granter_sum(GRANTER_SUM_INIT, (uint64_t *)range_page(&r, page), PAGE_SIZE / 8);

		check(!granter_sum_pages(suite.granter, FIRST + page, 1, &theirs) && theirs == ours,
		      "page %u is not the granter's", page);
	}
	close(fd);
	block_remove();
	range_unmap(&r);
}

static void remote_access(void)
{
	struct range r = foreign_map(open_node(), FIRST, 2, RW);
	char plain[2 * PAGE_SIZE];
	struct iovec ours = { plain, sizeof(plain) }, theirs = { r.addr, sizeof(plain) };
	ssize_t moved = process_vm_readv(getpid(), &ours, 1, &theirs, 1, 0);

	if (refuses_pins()) {
		check(moved == -1 && errno == EFAULT, "%zd", moved);
		return;
	}
	check(moved == sizeof(plain), "%s", strerror(errno));
	check(!memcmp(plain, r.addr, sizeof(plain)), "not what was read");
	memset(plain, 0x77, sizeof(plain));
	check(process_vm_writev(getpid(), &ours, 1, &theirs, 1, 0) == sizeof(plain), "%s", strerror(errno));
	check(!memcmp(plain, r.addr, sizeof(plain)), "not what was written");
	range_unmap(&r);
}

static void fork_child(void *arg)
{
	struct range *r = arg;
	int sig = touch(r->addr, true);

	if (suite.pv)
		check(sig == SIGSEGV, "%s", sig ? strsignal(sig) : "no signal");
	else
		range_check_pages(r, 0, 3);
}

static void across_fork(void)
{
	struct range r = foreign_map(open_node(), FIRST, 5, RW);

	check(!run_child(fork_child, &r, true), "in the child");
	range_check(&r);
	range_unmap(&r);
}

static void refused_changes(void)
{
	struct range r = foreign_map(open_node(), FIRST, 4, RW);
	long want = suite.pv ? -EINVAL : 0;

	expect(try_mprotect(r.addr, range_length(&r), PROT_READ), want);
	expect(try_mprotect(r.addr, range_length(&r), RW), 0);
	range_check(&r);
	expect(try_munmap(r.addr + PAGE_SIZE, PAGE_SIZE), want);
	range_check_pages(&r, 0, 1);
	range_check_pages(&r, 2, 2);
}

/* A hole in the middle and at both ends. */
static void holes(void)
{
	uint64_t *gfns = foreign_gfns(FIRST, 6), seen;
	struct range r = { .fd = open_node(), .first = FIRST, .count = 6 };
	int32_t errors[6] = { 1, 1, 1, 1, 1, 1 };
	char plain[PAGE_SIZE];
	struct iovec ours = { plain, PAGE_SIZE }, theirs;

	gfns[0] = gfns[3] = gfns[5] = 1ull << 39;
	expect(try_foreign(r.fd, suite.granter->domid, WRITE | GNTMAP_FOREIGN_PARTIAL, gfns, 6, errors, &r.offset), 0);
	range_mmap(&r, RW);
	fault_catch();
	for (uint32_t i = 0; i < 6; i++) {
		bool hole = i == 0 || i == 3 || i == 5;

		check(errors[i] == (hole ? -EINVAL : 0), "frame %u: %d", i, errors[i]);
		if (!hole) {
			range_check_pages(&r, i, 1);
			continue;
		}
		check(fault_read(range_page(&r, i), &seen) == SIGBUS, "hole %u can be read", i);
		check(fault_write(range_page(&r, i), 1) == SIGBUS, "hole %u can be written to", i);
		theirs = (struct iovec){ range_page(&r, i), PAGE_SIZE };
		check(process_vm_readv(getpid(), &ours, 1, &theirs, 1, 0) == -1 && errno == EFAULT, "hole %u: GUP", i);
	}
	range_munmap(&r);
	range_mmap(&r, RW);
	range_check_pages(&r, 1, 2);
	range_unmap(&r);
}

static const struct suite_case cases[] = {
	{ "foreign frames have the granter's content, and it has ours; the VMA has the strategy's flags only", content,
	  },
	{ "thousands of frames (hundreds in PVH) can be mapped by one request", many },
	{ "a run of frames can be named by its first", run_of_frames },
	{ "the same frames mapped by libxenforeignmemory hold the same, whoever writes", same_as_privcmd },
	{ "they live beside grants in one file, and can be shown again after munmap", beside_grants },
	{ "one frame can be mapped twice", twice_the_same },
	{ "O_DIRECT from and into foreign frames (EFAULT with vmio)", direct_io },
	{ "process_vm_readv() and _writev() reach them (EFAULT with vmio)", remote_access },
	{ "a forked child shares them, in PV it does not have them", across_fork },
	{ "what would change a part or the protection is refused in PV and works elsewhere", refused_changes },
	{ "PARTIAL leaves holes, which give SIGBUS and EFAULT", holes },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
