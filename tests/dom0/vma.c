// SPDX-License-Identifier: GPL-2.0
#include "vma.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static FILE *open_proc(pid_t pid, const char *file)
{
	char path[64];

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	else
		snprintf(path, sizeof(path), "/proc/self/%s", file);
	return fopen(path, "re");
}

/* Cut what isspace() at both ends and keep one copy. */
static void copy_trimmed(char *to, size_t size, const char *from)
{
	size_t len;

	from += strspn(from, " \t");
	len = strcspn(from, "\n");
	while (len && from[len - 1] == ' ')
		len--;
	if (len >= size)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

static void find_policy(pid_t pid, struct vma *vma)
{
	FILE *file = open_proc(pid, "numa_maps");
	char line[4096];

	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		unsigned long start;
		char policy[sizeof(vma->policy)];

		if (sscanf(line, "%lx %63s", &start, policy) == 2 && start == vma->start) {
			strcpy(vma->policy, policy);
			break;
		}
	}
	fclose(file);
}

int vma_find(pid_t pid, const void *addr, struct vma *vma)
{
	FILE *file = open_proc(pid, "smaps");
	bool inside = false;
	char line[4096];

	if (!file)
		return -errno;
	memset(vma, 0, sizeof(*vma));
	while (fgets(line, sizeof(line), file)) {
		unsigned long start, end;
		char perms[5];
		int name;

		if (sscanf(line, "%lx-%lx %4s %*x %*s %*u%n", &start, &end, perms, &name) == 3) {
			if (inside)
				break;
			inside = (uintptr_t)addr >= start && (uintptr_t)addr < end;
			if (!inside)
				continue;
			vma->start = start;
			vma->end = end;
			strcpy(vma->perms, perms);
			copy_trimmed(vma->name, sizeof(vma->name), line + name);
		} else if (inside && !strncmp(line, "VmFlags:", 8)) {
			copy_trimmed(vma->flags, sizeof(vma->flags), line + 8);
		} else if (inside) {
			unsigned long kib;

			if (sscanf(line, "Rss: %lu", &kib) == 1)
				vma->rss_kib = kib;
		}
	}
	fclose(file);
	if (!vma->end)
		return -ENOENT;
	find_policy(pid, vma);
	return 0;
}

bool vma_has_flag(const struct vma *vma, const char *flag)
{
	for (const char *at = vma->flags; (at = strstr(at, flag)); at++) {
		bool begins = at == vma->flags || at[-1] == ' ';

		if (begins && (at[2] == ' ' || !at[2]))
			return true;
	}
	return false;
}

#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_PFN ((1ull << 55) - 1)

/* Calls count() with each present page's frame, and sums up what it returns. */
static long walk_pagemap(const void *addr, size_t nr_pages, long (*count)(uint64_t pfn))
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	long nr = 0;

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < nr_pages; i++) {
		uint64_t entry;
		off_t offset = ((uintptr_t)addr / sysconf(_SC_PAGESIZE) + i) * sizeof(entry);

		if (pread(fd, &entry, sizeof(entry), offset) != sizeof(entry)) {
			nr = errno ? -errno : -EIO;
			break;
		}
		if (entry & PAGEMAP_PRESENT)
			nr += count(entry & PAGEMAP_PFN);
	}
	close(fd);
	return nr;
}

static long count_any(uint64_t pfn)
{
	(void)pfn;
	return 1;
}

long vma_nr_present(const void *addr, size_t nr_pages)
{
	return walk_pagemap(addr, nr_pages, count_any);
}

/* fill_list() (drivers/xen/unpopulated-alloc.c) gives the region its name. */
static long count_device(uint64_t pfn)
{
	FILE *file = fopen("/proc/iomem", "re");
	uint64_t addr = pfn * sysconf(_SC_PAGESIZE);
	long found = 0;
	char line[256];

	while (file && !found && fgets(line, sizeof(line), file)) {
		unsigned long start, end;

		if (strstr(line, ": Xen scratch") && sscanf(line, " %lx-%lx", &start, &end) == 2)
			found = addr >= start && addr <= end;
	}
	if (file)
		fclose(file);
	return found;
}

long vma_nr_device_pages(const void *addr, size_t nr_pages)
{
	return walk_pagemap(addr, nr_pages, count_device);
}
