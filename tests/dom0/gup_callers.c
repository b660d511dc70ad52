// SPDX-License-Identifier: GPL-2.0
#include "gup_callers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vma.h"

#define PAGE NODE_PAGE_SIZE
#define NEW_WORD 0x77697468206e6577

/* An ordinary page: what goes out of the target, or into it. */
static _Alignas(4096) uint64_t plain[PAGE / 8];

/* The PTE first: to look at the data from here is a fault. */
static void conclude(int probe_fd, const struct gup_target *target, ssize_t moved, bool into, char *text)
{
	bool faulted;

	if (moved != PAGE) {
		snprintf(text, GUP_TEXT_SIZE, "%s", moved < 0 ? strerrorname_np(errno) : "not all of it");
		return;
	}
	faulted = gup_nr_ptes(probe_fd, target->addr, 1, GUP_PTE_PROTNONE) != 1;
	if (!into && plain[0] != target->words[0])
		snprintf(text, GUP_TEXT_SIZE, "wrong data");
	else if (into && faulted && *(volatile const uint64_t *)target->addr != NEW_WORD)
		snprintf(text, GUP_TEXT_SIZE, "the data did not arrive");
	else
		snprintf(text, GUP_TEXT_SIZE, "ok%s", faulted ? ", faulted" : "");
}

static void prepare(bool into)
{
	memset(plain, 0, sizeof(plain));
	if (into)
		plain[0] = NEW_WORD;
}

static bool direct(const struct gup_table *table, int probe_fd, const struct gup_target *target, bool into, char *text)
{
	ssize_t moved = -1;
	int fd;

	if (!table->block_device) {
		snprintf(text, GUP_TEXT_SIZE, "no null_blk");
		return false;
	}
	prepare(into);
	fd = open(table->block_device, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd >= 0) {
		/* Both ways by O_DIRECT: the page cache must not know of it. */
		if (!into) {
			moved = pwrite(fd, target->addr, PAGE, 0);
			if (moved == PAGE && pread(fd, plain, PAGE, 0) != PAGE)
				plain[0] = 0;
		} else if (pwrite(fd, plain, PAGE, 0) == PAGE) {
			moved = pread(fd, (void *)target->addr, PAGE, 0);
		}
	}
	conclude(probe_fd, target, moved, into, text);
	if (fd >= 0)
		close(fd);
	return true;
}

bool gup_direct_write(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text)
{
	return direct(table, probe_fd, target, false, text);
}

bool gup_direct_read(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text)
{
	return direct(table, probe_fd, target, true, text);
}

bool gup_process_vm_readv(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text)
{
	const struct iovec local = { plain, PAGE }, remote = { (void *)target->addr, PAGE };

	(void)table;
	prepare(false);
	conclude(probe_fd, target, process_vm_readv(getpid(), &local, 1, &remote, 1, 0), false, text);
	return true;
}

bool gup_process_vm_writev(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text)
{
	const struct iovec local = { plain, PAGE }, remote = { (void *)target->addr, PAGE };

	(void)table;
	prepare(true);
	conclude(probe_fd, target, process_vm_writev(getpid(), &local, 1, &remote, 1, 0), true, text);
	return true;
}

static bool proc_mem(int probe_fd, const struct gup_target *target, bool into, char *text)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	off_t at = (uintptr_t)target->addr;
	ssize_t moved = -1;

	prepare(into);
	if (fd >= 0)
		moved = into ? pwrite(fd, plain, PAGE, at) : pread(fd, plain, PAGE, at);
	conclude(probe_fd, target, moved, into, text);
	if (fd >= 0)
		close(fd);
	return true;
}

bool gup_proc_mem_read(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text)
{
	(void)table;
	return proc_mem(probe_fd, target, false, text);
}

bool gup_proc_mem_write(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text)
{
	(void)table;
	return proc_mem(probe_fd, target, true, text);
}

bool gup_smaps(const struct gup_table *table, int probe_fd, const struct gup_target *target, char *text)
{
	struct vma vma;
	int ret = vma_find(0, target->addr, &vma);

	(void)table, (void)probe_fd;
	if (ret)
		snprintf(text, GUP_TEXT_SIZE, "smaps: %s", strerrorname_np(-ret));
	else if (vma.rss_kib * 1024 != vma.end - vma.start)
		snprintf(text, GUP_TEXT_SIZE, "Rss: %lu of %lu kB", vma.rss_kib, (vma.end - vma.start) / 1024);
	else if (vma_nr_present(target->addr, 1) != 1)
		snprintf(text, GUP_TEXT_SIZE, "pagemap: not present");
	else
		snprintf(text, GUP_TEXT_SIZE, "ok");
	return true;
}
