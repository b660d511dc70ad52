// SPDX-License-Identifier: GPL-2.0
#include "range.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fault.h"
#include "gntmap_node.h"
#include "suite.h"

#define WORDS (PAGE_SIZE / sizeof(uint64_t))

int try_add(int fd, const struct ioctl_gntdev_grant_ref *refs, uint32_t count, uint64_t *offset)
{
	struct ioctl_gntdev_map_grant_ref *op;
	int ret = 0;

	op = calloc(1, offsetof(struct ioctl_gntdev_map_grant_ref, refs) + (count + 1ul) * sizeof(*refs));
	check(op, "no memory");
	op->count = count;
	memcpy((char *)op + offsetof(struct ioctl_gntdev_map_grant_ref, refs), refs, count * sizeof(*refs));
	if (ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, op))
		ret = -errno;
	*offset = op->index;
	free(op);
	return ret;
}

int try_remove(int fd, uint64_t offset, uint32_t count)
{
	struct ioctl_gntdev_unmap_grant_ref op = { .index = offset, .count = count };

	return ioctl(fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, &op) ? -errno : 0;
}

int try_mmap(int fd, uint64_t offset, size_t length, int prot, int flags, void **addr)
{
	*addr = mmap(NULL, length, prot, flags, fd, offset);
	return *addr == MAP_FAILED ? -errno : 0;
}

int try_munmap(void *addr, size_t length)
{
	return munmap(addr, length) ? -errno : 0;
}

int try_mprotect(void *addr, size_t length, int prot)
{
	return mprotect(addr, length, prot) ? -errno : 0;
}

void fill_refs(struct ioctl_gntdev_grant_ref *refs, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		refs[i] = (struct ioctl_gntdev_grant_ref){
			.domid = suite.granter->domid,
			.ref = suite.granter->first_ref + first + i,
		};
}

int open_node(void)
{
	int fd = node_open(suite.strategy);

	check(fd >= 0, "%s: %s", suite.node, errno_name(fd));
	return fd;
}

struct range range_add(int fd, uint32_t first, uint32_t count)
{
	struct range r = { .fd = fd, .first = first, .count = count };
	struct ioctl_gntdev_grant_ref *refs = calloc(count, sizeof(*refs));

	check(refs, "no memory");
	check(first + count <= suite.granter->nr_refs, "the granter has %u pages only", suite.granter->nr_refs);
	fill_refs(refs, first, count);
	expect(try_add(fd, refs, count, &r.offset), 0);
	free(refs);
	return r;
}

void range_mmap(struct range *r, int prot)
{
	void *addr;

	expect(try_mmap(r->fd, r->offset, range_length(r), prot, MAP_SHARED, &addr), 0);
	r->addr = addr;
	r->prot = prot;
}

void range_mmap_drained(struct range *r, int prot)
{
	uint64_t start = now_us();
	void *addr;
	int ret;

	do {
		ret = try_mmap(r->fd, r->offset, range_length(r), prot, MAP_SHARED, &addr);
		if (ret != -EBUSY)
			break;
		sleep_ms(1);
	} while (now_us() - start < 10000000ull * suite_patience());
	check(!ret, "%s", errno_name(ret));
	r->addr = addr;
	r->prot = prot;
}

struct range range_map(int fd, uint32_t first, uint32_t count, int prot)
{
	struct range r = range_add(fd, first, count);

	range_mmap(&r, prot);
	return r;
}

void range_munmap(struct range *r)
{
	expect(try_munmap(r->addr, range_length(r)), 0);
	r->addr = NULL;
}

void range_remove(struct range *r)
{
	expect(try_remove(r->fd, r->offset, r->count), 0);
}

void range_unmap(struct range *r)
{
	range_munmap(r);
	range_remove(r);
}

static uint64_t next_seed(void)
{
	static uint64_t nr;

	return (uint64_t)getpid() << 32 | ++nr;
}

void check_pattern(const char *addr, uint32_t first, uint32_t nr, uint64_t seed)
{
	const volatile uint64_t *words = (const volatile uint64_t *)addr;

	fault_catch();
	for (uint32_t page = 0; page < nr; page++) {
		for (uint64_t word = 0; word < WORDS; word++) {
			uint64_t want = granter_word(seed, first + page, word), got = 0;
			const volatile uint64_t *at = &words[page * WORDS + word];
			int sig = 0;

			/* A page that can be read once can be read on. */
			if (word)
				got = *at;
			else
				sig = fault_read(at, &got);
			check(!sig, "page %u of %u: %s", page, nr, strsignal(sig));
			check(got == want, "page %u of %u, word %lu: %#lx, not %#lx", page, nr, word, got, want);
		}
	}
}

void check_reads(const char *addr, uint32_t first, uint32_t nr)
{
	uint64_t seed = next_seed();

	check(!granter_fill(suite.granter, first, nr, seed), "%s", strerror(errno));
	check_pattern(addr, first, nr, seed);
}

void check_writes(char *addr, uint32_t first, uint32_t nr)
{
	volatile uint64_t *words = (volatile uint64_t *)addr;
	uint64_t seed = next_seed(), ours = GRANTER_SUM_INIT, theirs;

	fault_catch();
	for (uint32_t page = 0; page < nr; page++) {
		for (uint64_t word = 0; word < WORDS; word++) {
			uint64_t value = granter_word(seed, first + page, word);
			int sig = 0;

			if (word)
				words[page * WORDS + word] = value;
			else
				sig = fault_write(&words[page * WORDS], value);
			check(!sig, "page %u of %u: %s", page, nr, strsignal(sig));
			ours = granter_sum(ours, &value, 1);
		}
	}
	check(!granter_sum_pages(suite.granter, first, nr, &theirs), "%s", strerror(errno));
	check(ours == theirs, "the granter does not see what was written to its pages %u to %u", first,
	      first + nr - 1);
}

void range_check_pages(const struct range *r, uint32_t page, uint32_t nr)
{
	check_reads(range_page(r, page), r->first + page, nr);
	if (r->prot & PROT_WRITE)
		check_writes(range_page(r, page), r->first + page, nr);
}

void range_check(const struct range *r)
{
	range_check_pages(r, 0, r->count);
}

int touch(void *addr, bool write)
{
	uint64_t word;

	fault_catch();
	if (write)
		return fault_write(addr, 0x6e65747469727721);
	return fault_read(addr, &word);
}

void wait_busy(uint32_t first, uint32_t count, int64_t nr)
{
	uint64_t start = now_us();
	int64_t busy;

	do {
		busy = granter_busy(suite.granter, first, count, NULL);
		check(busy >= 0, "%s", strerror(errno));
		if (busy == nr)
			return;
		sleep_ms(5);
	} while (now_us() - start < 10000000ull * suite_patience());
	check(busy == nr, "%ld of the granter's pages %u to %u are mapped, not %ld", busy, first, first + count - 1, nr);
}

bool range_pin(const struct range *r, uint32_t page, enum pin_kind kind, struct pin *pin)
{
	int ret = pin_page(pin, kind, range_page(r, page));

	if (kind == PIN_URING && (ret == -EOPNOTSUPP || ret == -ENOSYS))
		return false;
	if (ret == -EFAULT && strategy_is("vmio"))
		return false;
	check(!ret, "%s: %s", pin_name(kind), errno_name(ret));
	return true;
}
