// SPDX-License-Identifier: GPL-2.0
/* Operations that make processes. */
#include "fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "fault.h"

/*
 * In PV a child has at most an empty VMA of a mapping; elsewhere it has all of it, but for what MADV_DONTFORK forbids.
 * words: what each page's first word must be.
 */
static void look(uint64_t words[NR_MAPPINGS][RANGE_MAX])
{
	for (int k = 0; k < NR_MAPPINGS; k++) {
		struct fmapping *m = &w->mappings[k];

		for (uint32_t i = 0; m->range && i < RANGE_MAX; i++) {
			int want = suite.pv ? SIGBUS : 0, sig;
			uint64_t seen = 0;

			if (!m->there[i])
				continue;
			if (m->not_inherited[i] || !(m->prot[i] & PROT_READ))
				want = SIGSEGV;
			sig = fault_read((uint64_t *)(m->place + i * PAGE_SIZE), &seen);
			must(sig == want, "mapping %d, page %u: signal %d, not %d", k, i, sig, want);
			must(sig || seen == words[k][i], "mapping %d, page %u: %#lx", k, i, seen);
		}
	}
}

/* The child looks at what it inherited, and maps and unmaps a range through an inherited descriptor. */
void op_fork(struct fuzz_op *op)
{
	uint64_t words[NR_MAPPINGS][RANGE_MAX] = { 0 };
	struct ioctl_gntdev_grant_ref ref = { w->granter->domid,
					      w->granter->first_ref + model_granter_page(op->arg[1] % 8) };
	bool fine = !w->revoked[op->arg[1] % 8];
	struct ffile *file;
	int fd, status;
	pid_t child;

	file = model_any_file(op->arg[0], &fd);
	for (int k = 0; k < NR_MAPPINGS; k++)
		for (uint32_t i = 0; w->mappings[k].range && i < w->mappings[k].range->nr; i++)
			words[k][i] = *(volatile uint64_t *)(w->truth + w->mappings[k].range->page[i] * PAGE_SIZE);
	child = fork();
	must(child >= 0, "%s", strerror(errno));
	if (!child) {
		struct range r = { .fd = fd, .count = 1 };
		void *addr;

		look(words);
		if (!file || try_add(fd, &ref, 1, &r.offset))
			_exit(0);
		answer(try_mmap(fd, r.offset, PAGE_SIZE, PROT_READ, MAP_SHARED, &addr), fine ? 0 : -EINVAL);
		must(!fine || !touch(addr, false), "the child cannot read its own");
		if (op->arg[2] % 2 && fine)
			answer(try_munmap(addr, PAGE_SIZE), 0);
		answer(try_remove(fd, r.offset, 1), 0);
		_exit(0);
	}
	must(waitpid(child, &status, 0) == child && !status, "the child ended with %#x", status);
}

void op_hold(struct fuzz_op *op)
{
	struct fholder *h = &w->holders[op->arg[0] % NR_HOLDERS];
	uint32_t bit = 1u << (h - w->holders);
	int fds[2];
	char byte;

	if (h->pid)
		return;
	must(!pipe2(fds, O_CLOEXEC), "%s", strerror(errno));
	h->pid = fork();
	must(h->pid >= 0, "%s", strerror(errno));
	if (!h->pid) {
		close(fds[1]);
		/* Another child's pipe must not stay open here. */
		for (struct fholder *other = w->holders; other < w->holders + NR_HOLDERS; other++)
			if (other != h && other->pid)
				close(other->pipe);
		_exit(read(fds[0], &byte, 1) != 0);
	}
	close(fds[0]);
	h->pipe = fds[1];
	h->files = 0;
	for (int i = 0; i < NR_FDS; i++)
		if (w->fds[i] >= 0)
			h->files |= 1u << (w->fd_files[i] - w->files);
	for (struct fmapping *m = w->mappings; m < w->mappings + NR_MAPPINGS; m++)
		for (uint32_t i = 0; m->range && i < RANGE_MAX; i++)
			if (m->there[i] && !m->not_inherited[i])
				m->range->holders |= bit;
	for (struct fbuffer *b = w->buffers; b < w->buffers + NR_BUFFERS; b++)
		if (b->used && b->fd >= 0)
			b->holders |= bit;
}

void op_release(struct fuzz_op *op)
{
	struct fholder *h = &w->holders[op->arg[0] % NR_HOLDERS];
	uint32_t bit = 1u << (h - w->holders);
	int status;

	if (!h->pid)
		return;
	if (op->arg[1] % 2)
		kill(h->pid, SIGKILL);
	close(h->pipe);
	must(waitpid(h->pid, &status, 0) == h->pid, "%s", strerror(errno));
	h->pid = 0;
	for (struct frange *r = w->ranges; r < w->ranges + NR_RANGES; r++)
		r->holders &= ~bit;
	for (struct fbuffer *b = w->buffers; b < w->buffers + NR_BUFFERS; b++)
		b->holders &= ~bit;
}
