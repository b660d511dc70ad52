// SPDX-License-Identifier: GPL-2.0
/* What memory management lets a user do with the mapping: lock, move, advise; and the page's way through pipes. */
#include "compare.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <numaif.h>

#include "compare_buffer.h"
#include "fault.h"
#include "vma.h"

/* Newer than the headers */
#define ADVICE_COLLAPSE 25
#define ADVICE_GUARD_INSTALL 102

static bool is_intact(const struct buffer *buffer, const char *addr)
{
	uint64_t word = 0;

	return !fault_read(addr, &word) && word == granter_word(buffer->seed, 0, 0);
}

const char *const lock_rows[] = { "mlock()", "madvise() refuses", NULL };

void probe_lock(struct probe *probe)
{
	static const struct {
		int advice;
		const char *name;
	} advices[] = {
		{ MADV_NORMAL, "NORMAL" }, { MADV_RANDOM, "RANDOM" }, { MADV_SEQUENTIAL, "SEQUENTIAL" },
		{ MADV_WILLNEED, "WILLNEED" }, { MADV_COLD, "COLD" }, { MADV_PAGEOUT, "PAGEOUT" },
		{ MADV_DONTFORK, "DONTFORK" }, { MADV_DONTDUMP, "DONTDUMP" }, { MADV_MERGEABLE, "MERGEABLE" },
		{ MADV_UNMERGEABLE, "UNMERGEABLE" }, { MADV_HUGEPAGE, "HUGEPAGE" }, { MADV_NOHUGEPAGE, "NOHUGEPAGE" },
		{ MADV_DODUMP, "DODUMP" }, { MADV_FREE, "FREE" }, { MADV_WIPEONFORK, "WIPEONFORK" },
		{ MADV_REMOVE, "REMOVE" }, { ADVICE_COLLAPSE, "COLLAPSE" }, { ADVICE_GUARD_INSTALL, "GUARD_INSTALL" },
	};
	char refused[sizeof(probe->column->cells[0].observed)] = "";
	struct buffer buffer;
	struct vma vma;

	fault_catch();
	buffer_map(probe, &buffer);
	if (mlock(buffer.addr, BUFFER_SIZE))
		observe_errno(probe, lock_rows[0], -errno);
	else if (vma_find(0, buffer.addr, &vma))
		probe_die(probe, "smaps");
	else
		observe(probe, lock_rows[0], "ok, %s", vma_has_flag(&vma, "lo") ? "locked" : "nothing is locked");
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
		size_t len = strlen(refused);

		if (madvise(buffer.addr, BUFFER_SIZE, advices[i].advice))
			snprintf(refused + len, sizeof(refused) - len, "%s%s", len ? ", " : "", advices[i].name);
	}
	observe(probe, lock_rows[1], "%s", is_intact(&buffer, buffer.addr) ? refused : "the data is lost");
	buffer_unmap(probe, &buffer);
}

const char *const mremap_rows[] = { "mremap(), growing", "mremap(), moving", NULL };

void probe_mremap(struct probe *probe)
{
	struct buffer buffer;
	void *to;

	fault_catch();
	buffer_map(probe, &buffer);
	if (mremap(buffer.addr, BUFFER_SIZE, 2 * BUFFER_SIZE, MREMAP_MAYMOVE) == MAP_FAILED)
		observe_errno(probe, mremap_rows[0], -errno);
	else
		probe_die(probe, "it grew");
	to = mmap(NULL, BUFFER_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mremap(buffer.addr, BUFFER_SIZE, BUFFER_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED) {
		int error = errno;

		observe(probe, mremap_rows[1], "%s%s", strerrorname_np(error),
			is_intact(&buffer, buffer.addr) ? "" : ", and the data is lost");
	} else {
		observe(probe, mremap_rows[1], "%s", is_intact(&buffer, to) ? "ok" : "the data is lost");
		buffer.range.addr = to;
	}
	buffer_unmap(probe, &buffer);
}

const char *const migrate_rows[] = { "move_pages(), asking", "move_pages(), moving", "migrate_pages()", NULL };

static void observe_status(struct probe *probe, const char *row, const struct buffer *buffer, long ret, int status)
{
	if (ret < 0)
		observe_errno(probe, row, -errno);
	else if (!is_intact(buffer, buffer->addr))
		observe(probe, row, "the data is lost");
	else if (status < 0)
		observe_errno(probe, row, status);
	else
		observe(probe, row, "node %d", status);
}

void probe_migrate(struct probe *probe)
{
	unsigned long all = ~0ul, first = 1;
	int node = 0, status = 0;
	struct buffer buffer;
	void *page;
	long ret;

	fault_catch();
	buffer_map(probe, &buffer);
	page = buffer.addr;
	ret = move_pages(0, 1, &page, NULL, &status, 0);
	observe_status(probe, migrate_rows[0], &buffer, ret, status);
	ret = move_pages(0, 1, &page, &node, &status, MPOL_MF_MOVE);
	observe_status(probe, migrate_rows[1], &buffer, ret < 0 ? ret : 0, status);
	ret = migrate_pages(0, 64, &all, &first);
	if (ret < 0)
		observe_errno(probe, migrate_rows[2], -errno);
	else
		observe(probe, migrate_rows[2], is_intact(&buffer, page) ? "ok" : "the data is lost");
	buffer_unmap(probe, &buffer);
}

const char *const splice_rows[] = { "vmsplice(SPLICE_F_GIFT), then splice() to a block device", NULL };

void probe_splice(struct probe *probe)
{
	const char *row = splice_rows[0];
	struct buffer buffer;
	ssize_t moved, one;
	struct iovec iov;
	int ends[2], fd;
	loff_t at = 0;

	if (!probe->block_device) {
		skip(probe, row, "no null_blk");
		return;
	}
	buffer_map(probe, &buffer);
	fd = open(probe->block_device, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pipe2(ends, O_CLOEXEC))
		probe_die(probe, "a pipe or a device: %m");
	iov = (struct iovec){ buffer.addr, BUFFER_SIZE };
	moved = vmsplice(ends[1], &iov, 1, SPLICE_F_GIFT);
	for (ssize_t left = moved; left > 0; left -= one) {
		one = splice(ends[0], NULL, fd, &at, left, 0);
		if (one <= 0)
			probe_die(probe, "splice: %m");
	}
	if (moved == BUFFER_SIZE && pread(fd, buffer.plain, BUFFER_SIZE, 0) != BUFFER_SIZE)
		probe_die(probe, "reading null_blk: %m");
	observe_out(probe, row, &buffer, moved);
	close(fd);
	close(ends[0]);
	close(ends[1]);
	buffer_unmap(probe, &buffer);
}

const char *const forced_rows[] = { "/proc/PID/mem read after mprotect(PROT_NONE)", NULL };

void probe_forced(struct probe *probe)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	struct buffer buffer;

	if (fd < 0)
		probe_die(probe, "/proc/self/mem: %m");
	buffer_map(probe, &buffer);
	if (mprotect(buffer.addr, BUFFER_SIZE, PROT_NONE))
		skip(probe, forced_rows[0], "mprotect() refuses");
	else
		observe_out(probe, forced_rows[0], &buffer,
			    pread(fd, buffer.plain, BUFFER_SIZE, (uintptr_t)buffer.addr));
	close(fd);
	buffer_unmap(probe, &buffer);
}
