// SPDX-License-Identifier: GPL-2.0
/*
 * Frames of an HVM-type domain: their numbers are guest frames, which Xen translates for us, holes and all. The domain is a
 * small PVH guest (pvh_guest.S), which is started and destroyed here. A frame that is paged out (ENOENT) cannot be had: it
 * takes a Xen with CONFIG_MEM_PAGING (xen/arch/x86/Kconfig), which Debian's is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenforeignmemory.h>

#include "block.h"
#include "domain_state.h"
#include "fault.h"
#include "foreign.h"
#include "second_granter.h"
#include "suite.h"
#include "tap.h"

#define RW (PROT_READ | PROT_WRITE)
#define WRITE GNTMAP_FOREIGN_WRITE
#define PARTIAL GNTMAP_FOREIGN_PARTIAL
#define RUN GNTMAP_FOREIGN_RUN
#define NAME "pvh-guest"
#define MEMORY_MB 8

/* As in pvh_guest.S. */
#define FIRST_GFN 0x102ull
#define QUESTION 0
#define ANSWER 1
#define PATTERN 2
#define NR 18
#define WORDS 1024

static uint32_t domid;

static void end_guest(void)
{
	if (system("xl destroy " NAME " >/dev/null 2>&1"))
		return; /* there is none */
}

static void start_guest(void)
{
	char line[16] = "";
	FILE *config, *pipe;

	if (system("xl info 2>/dev/null | grep '^virt_caps' | grep -qw hvm"))
		case_skip("hardware virtualisation (virt_caps of xl info has no hvm)");
	end_guest();
	config = fopen("/run/" NAME ".cfg", "we");
	check(config, "%s", strerror(errno));
	fprintf(config, "name = \"" NAME "\"\ntype = \"pvh\"\nkernel = \"");
	pipe = popen("command -v pvh-guest", "re");
	check(pipe, "%s", strerror(errno));
	for (int c = fgetc(pipe); c != EOF && c != '\n'; c = fgetc(pipe))
		fputc(c, config);
	check(!pclose(pipe), "no pvh-guest");
	fprintf(config, "\"\nmemory = %d\nvcpus = 1\non_crash = \"destroy\"\non_reboot = \"destroy\"\n", MEMORY_MB);
	check(!fclose(config), "%s", strerror(errno));
	check(!system("xl create -q /run/" NAME ".cfg >/run/" NAME ".log 2>&1"), "xl create");
	pipe = popen("xl domid " NAME, "re");
	check(pipe && fgets(line, sizeof(line), pipe) && !pclose(pipe), "xl domid");
	domid = strtoul(line, NULL, 10);
	check(domid, "domain id %s", line);
}

static uint32_t pattern_word(uint32_t page, uint32_t word)
{
	return ((page - PATTERN) * WORDS + word) * 3;
}

static void check_guest_pattern(const char *addr, uint32_t page, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		for (uint32_t word = 0; word < WORDS; word++) {
			uint32_t got = ((const uint32_t *)(addr + i * PAGE_SIZE))[word];

			check(got == pattern_word(page + i, word), "page %u, word %u: %#x", page + i, word, got);
		}
}

static struct range guest_map(int fd, uint32_t flags)
{
	struct range r = { .fd = fd, .count = NR };
	uint64_t first = FIRST_GFN;

	expect(try_foreign(fd, domid, flags | RUN, &first, NR, NULL, &r.offset), 0);
	range_mmap(&r, flags & WRITE ? RW : PROT_READ);
	return r;
}

/* It answers what is written into its memory, there. */
static void check_talks(struct range *r)
{
	volatile uint32_t *question = (volatile uint32_t *)range_page(r, QUESTION);
	volatile uint32_t *answer = (volatile uint32_t *)range_page(r, ANSWER);

	for (uint32_t i = 1; i <= 3; i++) {
		int ms;

		*question = i * 0x01234567;
		for (ms = 0; *answer != ~*question && ms < 10000; ms++)
			sleep_ms(1);
		check(*answer == ~*question, "%#x is answered by %#x", *question, *answer);
	}
}

static void check_same_as_privcmd(struct range *r)
{
	xenforeignmemory_handle *handle = xenforeignmemory_open(NULL, 0);
	xen_pfn_t frames[NR];
	int errs[NR];
	char *theirs;

	check(handle, "%s", strerror(errno));
	for (int i = 0; i < NR; i++)
		frames[i] = FIRST_GFN + i;
	theirs = xenforeignmemory_map(handle, domid, RW, NR, frames, errs);
	check(theirs, "%s", strerror(errno));
	check(!memcmp(theirs + PATTERN * PAGE_SIZE, range_page(r, PATTERN), (NR - PATTERN) * PAGE_SIZE), "they differ");
	memset(range_page(r, NR - 1), 0xa5, PAGE_SIZE);
	memset(theirs + (NR - 2) * PAGE_SIZE, 0x5a, PAGE_SIZE);
	check(!memcmp(theirs + PATTERN * PAGE_SIZE, range_page(r, PATTERN), (NR - PATTERN) * PAGE_SIZE),
	      "they differ after writes");
	xenforeignmemory_unmap(handle, theirs, NR);
	xenforeignmemory_close(handle);
}

static void check_direct_io(struct range *r)
{
	char *plain = aligned_alloc(PAGE_SIZE, 2 * PAGE_SIZE), *pages = range_page(r, PATTERN);
	const char *path = block_create(16);
	ssize_t moved;
	int fd;

	if (!path) {
		tap_diag("no null_blk: no direct IO");
		return;
	}
	fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	check(fd >= 0, "%s: %s", path, strerror(errno));
	moved = pwrite(fd, pages, 2 * PAGE_SIZE, 0);
	if (strategy_is("vmio")) {
		check(moved > 0 ? !suite.pv : errno == EFAULT, "%zd, %s", moved, strerror(errno));
	} else {
		check(moved == 2 * PAGE_SIZE, "from them: %s", strerror(errno));
		check(pread(fd, plain, 2 * PAGE_SIZE, 0) == moved, "%s", strerror(errno));
		check_guest_pattern(plain, PATTERN, 2);
		check(pread(fd, range_page(r, PATTERN + 4), 2 * PAGE_SIZE, 0) == moved, "into them: %s", strerror(errno));
		check(!memcmp(range_page(r, PATTERN + 4), plain, 2 * PAGE_SIZE), "not what was read");
	}
	close(fd);
	block_remove();
	free(plain);
}

/* Just above its memory; where the PCI hole of a PC is; the local APIC; above all memory. */
static void check_holes(int fd)
{
	const uint64_t bad[] = { MEMORY_MB * 256 + 64, 0xf0000, 0xfee00, 1ull << 32, 1ull << 39 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint64_t gfns[3] = { FIRST_GFN + PATTERN, bad[i], FIRST_GFN + PATTERN + 1 }, offset;
		int32_t errors[3] = { 1, 1, 1 };

		for (uint32_t flags = 0; flags <= WRITE; flags++) {
			int ret = try_foreign(fd, domid, flags, gfns, 3, errors, &offset);

			check(ret == -EINVAL && !errors[0] && errors[1] == -EINVAL && !errors[2],
			      "frame %#lx: %s; %d, %d, %d", bad[i], errno_name(ret), errors[0], errors[1], errors[2]);
		}
		expect(try_foreign(fd, domid, PARTIAL, gfns, 3, errors, &offset), 0);
		check(!errors[0] && errors[1] == -EINVAL && !errors[2], "frame %#lx: %d, %d, %d", bad[i], errors[0],
		      errors[1], errors[2]);
		expect(try_remove(fd, offset, 3), 0);
	}
}

static void hvm_guest(void)
{
	struct domain_state state;
	int fd = open_node();
	struct range r, read_only;
	uint64_t word;

	start_guest();
	r = guest_map(fd, WRITE);
	check_guest_pattern(range_page(&r, PATTERN), PATTERN, NR - PATTERN);
	check_talks(&r);
	check_direct_io(&r);
	check_same_as_privcmd(&r);
	check_holes(fd);
	read_only = guest_map(fd, 0);
	expect(try_mprotect(read_only.addr, range_length(&read_only), RW), -EACCES);
	fault_catch();
	check(fault_write(range_page(&read_only, PATTERN), 1) == SIGSEGV, "a read-only frame was written to");
	check(!fault_read(range_page(&read_only, PATTERN), &word), "it cannot be read");
	range_unmap(&read_only);

	end_guest();
	sleep_ms(300);
	expect(domain_state(domid, &state), 1);
	check(state.dying, "it lives on");
	check_guest_pattern(range_page(&r, PATTERN), PATTERN, 1);
	range_unmap(&r);
	check(domain_is_gone(domid), "domain %u is a zombie after we let go", domid);
}

/* What Xen makes of a frame's number does not depend on the VMA: one strategy with pins, one without. */
static bool is_one_of_two(void)
{
	return strategy_is("mixedmap") || strategy_is("vmio");
}

static const struct suite_case cases[] = {
	{ "frames of a PVH guest: content both ways, equality with privcmd, direct IO, holes, and no zombie", hvm_guest,
	  .applies = is_one_of_two },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
