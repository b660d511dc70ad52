// SPDX-License-Identifier: GPL-2.0
#include "gup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NODE "/dev/gup_probe"

int gup_open(void)
{
	int fd = open(NODE, O_RDWR | O_CLOEXEC);

	/* modprobe says why it could not; then there is no node. */
	if (fd < 0 && errno == ENOENT && !system("modprobe gup_probe"))
		fd = open(NODE, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int gup_call_pid(int fd, pid_t pid, unsigned int function, unsigned int flags, const void *addr, unsigned int nr_pages,
		 bool hold, struct gup_call *call, struct gup_page *pages)
{
	*call = (struct gup_call){
		.function = function,
		.flags = flags,
		.addr = (uintptr_t)addr,
		.nr_pages = nr_pages,
		.pid = pid,
		.hold = hold,
		.pages = (uintptr_t)pages,
	};
	return ioctl(fd, GUP_PROBE_CALL, call) ? -errno : 0;
}

int gup_call(int fd, unsigned int function, unsigned int flags, const void *addr, unsigned int nr_pages, bool hold,
	     struct gup_call *call, struct gup_page *pages)
{
	return gup_call_pid(fd, 0, function, flags, addr, nr_pages, hold, call, pages);
}

int gup_release(int fd, bool dirty, struct gup_page *pages, unsigned int nr_pages)
{
	struct gup_release release = { .nr_pages = nr_pages, .dirty = dirty, .pages = (uintptr_t)pages };

	return ioctl(fd, GUP_PROBE_RELEASE, &release) ? -errno : (int)release.nr_pages;
}

int gup_read_word(int fd, unsigned int page, unsigned int offset, uint64_t *value)
{
	struct gup_word word = { .page = page, .offset = offset };

	if (ioctl(fd, GUP_PROBE_WORD, &word))
		return -errno;
	*value = word.value;
	return 0;
}

int gup_write_word(int fd, unsigned int page, unsigned int offset, uint64_t value)
{
	struct gup_word word = { .page = page, .offset = offset, .write = 1, .value = value };

	return ioctl(fd, GUP_PROBE_WORD, &word) ? -errno : 0;
}

int gup_look(int fd, const void *addr, unsigned int nr_pages, struct gup_page *pages)
{
	struct gup_look look = { .addr = (uintptr_t)addr, .nr_pages = nr_pages, .pages = (uintptr_t)pages };

	return ioctl(fd, GUP_PROBE_LOOK, &look) ? -errno : 0;
}

int gup_nr_ptes(int fd, const void *addr, unsigned int nr_pages, unsigned int bits)
{
	struct gup_page *pages = calloc(nr_pages, sizeof(*pages));
	int nr = pages ? gup_look(fd, addr, nr_pages, pages) : -ENOMEM;

	for (unsigned int i = 0; nr >= 0 && i < nr_pages; i++)
		nr += (pages[i].pte_before & bits) == bits;
	free(pages);
	return nr;
}

int gup_watch(int fd, const void *start, size_t size, bool young)
{
	struct gup_watch watch = { .start = (uintptr_t)start, .end = (uintptr_t)start + size, .young = young };

	return ioctl(fd, GUP_PROBE_WATCH, &watch) ? -errno : 0;
}

int gup_watch_slowly(int fd, const void *start, size_t size, unsigned int ms)
{
	struct gup_watch watch = { .start = (uintptr_t)start, .end = (uintptr_t)start + size, .slow_ms = ms };

	return ioctl(fd, GUP_PROBE_WATCH, &watch) ? -errno : 0;
}

int gup_events(int fd, struct gup_event *events, unsigned int nr_events)
{
	struct gup_events fetch = { .nr_events = nr_events, .events = (uintptr_t)events };

	if (ioctl(fd, GUP_PROBE_EVENTS, &fetch))
		return -errno;
	return fetch.nr_lost ? -EOVERFLOW : (int)fetch.nr_events;
}

const char *gup_call_name(unsigned int function, unsigned int flags, char *name, size_t size)
{
	static const char *const functions[GUP_NR_FUNCTIONS] = {
		[GUP_GET] = "get_user_pages",
		[GUP_GET_UNLOCKED] = "get_user_pages_unlocked",
		[GUP_GET_REMOTE] = "get_user_pages_remote",
		[GUP_GET_FAST] = "get_user_pages_fast",
		[GUP_GET_FAST_ONLY] = "get_user_pages_fast_only",
		[GUP_PIN] = "pin_user_pages",
		[GUP_PIN_UNLOCKED] = "pin_user_pages_unlocked",
		[GUP_PIN_REMOTE] = "pin_user_pages_remote",
		[GUP_PIN_FAST] = "pin_user_pages_fast",
		[GUP_PIN_FAST_ONLY] = "pin_user_pages_fast_only",
	};
	static const char *const flag_names[GUP_NR_FLAGS] = {
		"WRITE", "FORCE", "LONGTERM", "NOFAULT", "HWPOISON", "HONOR_NUMA_FAULT",
	};
	size_t len = snprintf(name, size, "%s(%s", functions[function], flags ? "" : "0");

	for (unsigned int i = 0; i < GUP_NR_FLAGS && len < size; i++) {
		if (flags & 1u << i)
			len += snprintf(name + len, size - len, "%s%s", flags & ((1u << i) - 1) ? "|" : "", flag_names[i]);
	}
	if (len < size)
		snprintf(name + len, size - len, ")");
	return name;
}

const char *gup_kind_name(unsigned int kind)
{
	static const char *const names[] = {
		"invalidate_range_start", "invalidate_range_end", "test_young", "clear_young", "clear_flush_young",
		"release",
	};

	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "?";
}

const char *gup_reason_name(unsigned int reason)
{
	static const char *const names[] = {
		"UNMAP", "CLEAR", "PROTECTION_VMA", "PROTECTION_PAGE", "SOFT_DIRTY", "RELEASE", "MIGRATE", "EXCLUSIVE",
		"other",
	};

	return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "?";
}
