// SPDX-License-Identifier: GPL-2.0
/* Operations on mappings. */
#include "fuzz.h"

#include <signal.h>
#include <sys/ioctl.h>

#include "../../include/uapi/xen/gntmap.h"
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)
#define LENGTH (RANGE_MAX * PAGE_SIZE)

void memory_reserve(char *place)
{
	void *at = mmap(place, LENGTH, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	must(at == place, "%s", strerror(errno));
}

/* Parts of a place where nothing is. */
static void reserve_part(char *at, uint32_t nr)
{
	void *got = mmap(at, nr * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	must(got == at, "%s", strerror(errno));
}

/* arg: range, mapping, protection */
void op_mmap(struct fuzz_op *op)
{
	struct frange *r = model_any_range(op->arg[0]);
	struct fmapping *m = &w->mappings[op->arg[1] % NR_MAPPINGS];
	int fd = r ? model_fd(r->file) : -1, prot = op->arg[2] % 3 ? RW : PROT_READ, want, got;
	size_t length;
	void *at;

	if (fd < 0 || m->range)
		return;
	length = r->nr * PAGE_SIZE;
	want = model_mmap(r, prot);
	/* The last pin of a range that drains may have gone just now. */
	must(comes((at = mmap(m->place, length, prot, MAP_SHARED | MAP_FIXED, fd, r->index * PAGE_SIZE),
		    got = at == MAP_FAILED ? -errno : 0, want == -EBUSY || got != -EBUSY)), "%s", errno_name(got));
	if (got)
		memory_reserve(m->place);
	answer(got, want);
	if (want)
		return;
	m->range = r;
	m->file = r->file;
	m->max_prot = prot;
	m->cut = false;
	m->kept = false;
	for (uint32_t i = 0; i < RANGE_MAX; i++) {
		m->there[i] = i < r->nr;
		m->lost[i] = false;
		m->not_inherited[i] = suite.pv;
		r->lost[i] = false;
		m->prot[i] = prot;
	}
	r->state = F_MAPPED;
	r->mapped_writable = prot & PROT_WRITE;
	r->notify_mapped = true;
}

void op_mmap_bad(struct fuzz_op *op)
{
	struct frange *r = model_any_range(op->arg[0]);
	int fd = r ? model_fd(r->file) : -1, prot = RW, flags = MAP_SHARED;
	uint64_t offset;
	uint32_t nr;
	void *at;

	if (fd < 0)
		return;
	nr = r->nr;
	offset = r->index * PAGE_SIZE;
	switch (op->arg[2] % 4) {
	case 0:
		nr++;
		break;
	case 1:
		offset += 1ul << 40;
		break;
	case 2:
		flags = MAP_PRIVATE;
		break;
	case 3:
		if (nr < 2)
			return;
		nr--;
		offset += PAGE_SIZE;
		if (model_find(r->file, r->index + 1))
			return;
		break;
	}
	at = mmap(NULL, nr * PAGE_SIZE, prot, flags, fd, offset);
	must(at == MAP_FAILED, "it was mapped");
	answer(-errno, -EINVAL);
}

/* The longest run of pages that are there, all with the same protection, from some page on. */
static uint32_t run(const struct fmapping *m, uint32_t choice, uint32_t *first)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < RANGE_MAX; i++) {
		uint32_t at = (choice + i) % RANGE_MAX;

		if (!m->there[at])
			continue;
		*first = at;
		while (at + nr < RANGE_MAX && m->there[at + nr] && m->prot[at + nr] == m->prot[at])
			nr++;
		return nr;
	}
	return 0;
}

static bool whole(const struct fmapping *m)
{
	uint32_t first;

	return run(m, 0, &first) == m->range->nr && !first;
}

static void forget_if_empty(struct fmapping *m)
{
	for (uint32_t i = 0; i < RANGE_MAX; i++)
		if (m->there[i])
			return;
	m->range = NULL;
}

void memory_gone(struct fmapping *m)
{
	/* A child's VMA is still there, which is empty. */
	for (uint32_t i = 0; suite.pv && m->range->holders && i < m->range->nr; i++)
		m->range->lost[i] = true;
	m->range = NULL;
}

/* arg: mapping, first, number */
void op_munmap(struct fuzz_op *op)
{
	struct fmapping *m = model_any_mapping(op->arg[0]);
	uint32_t first, nr;

	if (!m)
		return;
	if (op->arg[1] % 4) {
		/* All of it, and what is not there does not matter. */
		answer(munmap(m->place, m->range->nr * PAGE_SIZE) ? -errno : 0, 0);
		memory_reserve(m->place);
		memory_gone(m);
		return;
	}
	nr = run(m, op->arg[2], &first);
	nr = 1 + op->arg[3] % nr;
	if (suite.pv && nr < m->range->nr) {
		answer(munmap(m->place + first * PAGE_SIZE, nr * PAGE_SIZE) ? -errno : 0, -EINVAL);
		return;
	}
	answer(munmap(m->place + first * PAGE_SIZE, nr * PAGE_SIZE) ? -errno : 0, 0);
	reserve_part(m->place + first * PAGE_SIZE, nr);
	for (uint32_t i = first; i < first + nr; i++)
		m->there[i] = false;
	forget_if_empty(m);
}

/* arg: mapping, page, descriptor */
void op_offset(struct fuzz_op *op)
{
	struct fmapping *m = model_any_mapping(op->arg[0]);
	struct ioctl_gntdev_get_offset_for_vaddr want = { 0 };
	struct ffile *file;
	uint32_t i;
	int fd;

	file = model_any_file(op->arg[2], &fd);
	if (!m || !file)
		return;
	i = op->arg[1] % RANGE_MAX;
	want.vaddr = (uintptr_t)m->place + i * PAGE_SIZE + op->arg[3] % PAGE_SIZE;
	if (!m->there[i] || file != m->file) {
		answer(ioctl(fd, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, &want) ? -errno : 0, -EINVAL);
		return;
	}
	answer(ioctl(fd, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, &want) ? -errno : 0, 0);
	must(want.offset == m->range->index * PAGE_SIZE && want.count == m->range->nr, "%#llx, %u pages",
	     (unsigned long long)want.offset, want.count);
}

void memory_check(const struct fmapping *m, uint32_t i, bool write, uint64_t value)
{
	uint32_t page = m->range->page[i], word = value % 64;
	volatile uint64_t *at = (uint64_t *)(m->place + i * PAGE_SIZE) + word;
	volatile uint64_t *truth = (uint64_t *)(w->truth + page * PAGE_SIZE) + word;
	int need = write ? PROT_WRITE : PROT_READ, sig = 0, got;
	uint64_t seen = 0;

	if (!(m->prot[i] & need))
		sig = SIGSEGV;
	else if (m->lost[i])
		sig = SIGBUS;
	if (!write)
		*truth = value;
	got = write ? fault_write(at, value) : fault_read(at, &seen);
	must(got == sig, "signal %d, not %d", got, sig);
	if (sig)
		return;
	if (write)
		must(*truth == value, "the granter has %#lx, not %#lx", *truth, value);
	else
		must(seen == value, "%#lx, not %#lx", seen, value);
}

static void access_page(struct fuzz_op *op, bool write)
{
	struct fmapping *m = model_any_mapping(op->arg[0]);
	uint32_t i = op->arg[1] % RANGE_MAX;

	if (m && m->there[i])
		memory_check(m, i, write, (uint64_t)op->arg[2] << 32 | op->arg[3]);
}

void op_read(struct fuzz_op *op)
{
	access_page(op, false);
}

void op_write(struct fuzz_op *op)
{
	access_page(op, true);
}

/* arg: mapping, first, number, protection */
void op_mprotect(struct fuzz_op *op)
{
	static const int prots[] = { PROT_NONE, PROT_READ, RW, RW };
	struct fmapping *m = model_any_mapping(op->arg[0]);
	uint32_t first = 0, nr;
	int prot = prots[op->arg[3] % 4], want = 0;

	if (!m)
		return;
	nr = run(m, op->arg[1], &first);
	nr = 1 + op->arg[2] % nr;
	if (prot & ~m->max_prot & PROT_WRITE)
		want = -EACCES;
	else if (suite.pv && prot != m->prot[first])
		want = -EINVAL;
	answer(mprotect(m->place + first * PAGE_SIZE, nr * PAGE_SIZE, prot) ? -errno : 0, want);
	if (want)
		return;
	m->cut |= nr < m->range->nr && prot != m->prot[first];
	for (uint32_t i = first; i < first + nr; i++)
		m->prot[i] = prot;
}

/* arg: mapping, how */
void op_mremap(struct fuzz_op *op)
{
	struct fmapping *m = model_any_mapping(op->arg[0]);
	size_t length;
	char *old;
	void *at;

	if (!m || !whole(m))
		return;
	old = m->place;
	length = m->range->nr * PAGE_SIZE;
	if (op->arg[1] % 4 == 0) {
		at = mremap(old, length, length + PAGE_SIZE, MREMAP_MAYMOVE);
		must(at == MAP_FAILED, "it grew");
		answer(-errno, -EFAULT);
		return;
	}
	at = mremap(old, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, w->spare);
	if (suite.pv) {
		must(at == MAP_FAILED, "it moved");
		answer(-errno, -EINVAL);
		memory_reserve(w->spare);
		return;
	}
	if (m->cut && at == MAP_FAILED && errno == EFAULT) {
		memory_reserve(w->spare);
		return;
	}
	must(at == w->spare, "%s", strerror(errno));
	memory_reserve(old);
	m->place = w->spare;
	w->spare = old;
}

/* arg: mapping, first, number */
void op_dontneed(struct fuzz_op *op)
{
	struct fmapping *m = model_any_mapping(op->arg[0]);
	uint32_t first = 0, nr;

	if (!m)
		return;
	nr = run(m, op->arg[1], &first);
	nr = 1 + op->arg[2] % nr;
	answer(madvise(m->place + first * PAGE_SIZE, nr * PAGE_SIZE, MADV_DONTNEED) ? -errno : 0, 0);
	for (uint32_t i = first; suite.pv && i < first + nr; i++) {
		m->lost[i] = true;
		m->range->lost[i] = true;
	}
}

/* arg: mapping, first, number, advice */
void op_advise(struct fuzz_op *op)
{
	static const int advices[] = { MADV_DONTFORK, MADV_DOFORK, MADV_DOFORK, MADV_KEEPONFORK, MADV_WIPEONFORK };
	struct fmapping *m = model_any_mapping(op->arg[0]);
	int advice = advices[op->arg[3] % ARRAY_SIZE(advices)], want = 0, got;
	uint32_t first = 0, nr;
	bool changes = false;

	if (!m)
		return;
	nr = run(m, op->arg[1], &first);
	nr = op->arg[2] % 2 ? nr : 1 + op->arg[2] / 2 % nr;
	for (uint32_t i = first; i < first + nr; i++) {
		changes |= advice == MADV_DONTFORK && !m->not_inherited[i];
		changes |= advice == MADV_DOFORK && m->not_inherited[i];
	}
	changes |= advice == MADV_KEEPONFORK && suite.pv && !m->kept;
	/* What would cut a VMA in two is refused. */
	if (advice == MADV_WIPEONFORK || (suite.pv && changes && nr < m->range->nr))
		want = -EINVAL;
	got = madvise(m->place + first * PAGE_SIZE, nr * PAGE_SIZE, advice) ? -errno : 0;
	/* It is always refused for VM_IO, and from 7.x on for all of VM_SPECIAL. */
	if (advice == MADV_DOFORK && got == -EINVAL && !w->advised)
		want = got;
	if (strategy_is("vmio") && advice == MADV_DOFORK)
		want = -EINVAL;
	answer(got, want);
	if (want)
		return;
	w->advised |= advice == MADV_DOFORK;
	m->kept |= advice == MADV_KEEPONFORK;
	m->cut |= changes && nr < m->range->nr;
	for (uint32_t i = first; i < first + nr && advice != MADV_KEEPONFORK; i++)
		m->not_inherited[i] = advice == MADV_DONTFORK;
}

/* A whole life of a range, in a file in which other threads have theirs. arg: pages, first page, protection, how */
void op_common(struct fuzz_op *op)
{
	uint32_t nr = 1 + op->arg[0] % RANGE_MAX, at = op->arg[3] % nr, page[RANGE_MAX];
	int prot = op->arg[2] % 2 ? RW : PROT_READ, want = 0;
	struct ioctl_gntdev_grant_ref refs[RANGE_MAX];
	struct ioctl_gntdev_get_offset_for_vaddr where = { .vaddr = (uintptr_t)w->spare };
	uint32_t word = at * PAGE_SIZE / 8 + op->arg[3] % 64;
	uint64_t offset, seen = 0;
	int sig;
	void *addr;

	for (uint32_t i = 0; i < nr; i++) {
		page[i] = (op->arg[1] + i) % NR_PAGES;
		refs[i] = (struct ioctl_gntdev_grant_ref){ w->granter->domid,
							   w->granter->first_ref + model_granter_page(page[i]) };
		if (w->revoked[page[i]] || (prot == RW && page[i] >= NR_PAGES - NR_READ_ONLY))
			want = -EINVAL;
	}
	answer(try_add(w->common, refs, nr, &offset), 0);
	addr = mmap(w->spare, nr * PAGE_SIZE, prot, MAP_SHARED | MAP_FIXED, w->common, offset);
	answer(addr == MAP_FAILED ? -errno : 0, want);
	if (!want) {
		((volatile uint64_t *)(w->truth + page[at] * PAGE_SIZE))[op->arg[3] % 64] = op->arg[2];
		sig = fault_read((uint64_t *)w->spare + word, &seen);
		must(!sig && seen == op->arg[2], "signal %d, %#lx, not %#x", sig, seen, op->arg[2]);
		answer(ioctl(w->common, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, &where) ? -errno : 0, 0);
		must(where.offset == offset && where.count == nr, "%#llx, %u pages", (unsigned long long)where.offset,
		     where.count);
	}
	if (op->arg[2] % 4 < 2)
		answer(try_remove(w->common, offset, nr), 0);
	memory_reserve(w->spare);
	if (op->arg[2] % 4 >= 2)
		answer(try_remove(w->common, offset, nr), 0);
}

/* arg: mapping, page */
void op_pin(struct fuzz_op *op)
{
	struct fmapping *m = model_any_mapping(op->arg[0]);
	uint32_t i = op->arg[1] % RANGE_MAX;
	struct fpin *pin = &w->pins[op->arg[2] % NR_PINS];
	int want = 0, got;

	if (!m || !m->there[i] || pin->used)
		return;
	got = pin_page(&pin->pin, PIN_PIPE, m->place + i * PAGE_SIZE);
	if (!(m->prot[i] & PROT_READ) || m->lost[i])
		want = -EFAULT;
	/* GUP-fast does not look at VM_IO, so that it depends on the kernel whether it is asked first. */
	if (!want && strategy_is("vmio") && got == -EFAULT)
		want = got;
	answer(got, want);
	if (want)
		return;
	pin->used = true;
	pin->range = m->range;
	pin->page = i;
	m->range->nr_pins[i]++;
}

/* The work item that hands back the last page has run: what it uses up, a notification, does not come later. */
static void wait_drained(struct ffile *file)
{
	struct gntmap_info info;
	struct model_info want;
	int fd = model_fd(file);

	model_settle();
	want = model_info(file);
	if (fd < 0)
		return;
	must(comes((info = (struct gntmap_info){ .size = sizeof(info) }, !ioctl(fd, GNTMAP_IOCTL_INFO, &info) &&
		    info.nr_draining_pages == want.nr_draining)), "%llu pages drain, not %lu",
	     (unsigned long long)info.nr_draining_pages, want.nr_draining);
}

void op_unpin(struct fuzz_op *op)
{
	struct fpin *pin = &w->pins[op->arg[0] % NR_PINS];
	volatile uint64_t *truth;
	uint64_t content[PAGE_SIZE / 8], value = (uint64_t)op->arg[1] << 32 | op->arg[2];

	if (!pin->used)
		return;
	truth = (uint64_t *)(w->truth + pin->range->page[pin->page] * PAGE_SIZE) + 5;
	*truth = value;
	answer(unpin_page(&pin->pin, content), 0);
	must(content[5] == value, "the pinned page had %#lx, not %#lx", content[5], value);
	pin->used = false;
	pin->range->nr_pins[pin->page]--;
	wait_drained(pin->range->file);
}
