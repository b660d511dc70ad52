// SPDX-License-Identifier: GPL-2.0
/*
 * What scans do to some areas, by events of a tracing instance.
 *
 * The calls are counted at change_prot_numa()'s entry, whose arguments say which part of which mapping is meant, and
 * the PTEs at its return: the return value of an area's call is that of the next return event of the same thread.
 * Only calls on watched areas pass the entry event's filter, so a return without an entry is somebody else's.
 * A hinting fault is any page fault in an area whose pages were all there before.
 */
#include "numa.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRACEFS "/sys/kernel/tracing"
#define MAX_THREADS 64

static const char *const probes[] = {
	"p:gntmap/scan change_prot_numa start=%si end=%dx\n",
	"r:gntmap/scan_return change_prot_numa nr=$retval:u64\n",
	"p:gntmap/fault handle_mm_fault addr=%si\n",
};

struct numa_watch {
	char dir[96]; /* of the instance */
	bool has_reason;
	unsigned int nr_areas;
	struct {
		uintptr_t start, end;
	} areas[NUMA_MAX_AREAS];
};

static int write_file(const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

__attribute__((format(printf, 3, 4)))
static int set(const struct numa_watch *watch, const char *file, const char *format, ...)
{
	char path[192], text[1024];
	va_list args;

	snprintf(path, sizeof(path), "%s/%s", watch->dir, file);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return write_file(path, 0, text);
}

/* "LO >= start && HI < end" for every area, LO and HI being fields of an event */
static void area_filter(const struct numa_watch *watch, const char *field, char *filter, size_t size)
{
	size_t len = 0;

	for (unsigned int i = 0; i < watch->nr_areas; i++)
		len += snprintf(filter + len, size - len, "%s(%s >= 0x%lx && %s < 0x%lx)", i ? " || " : "", field,
				watch->areas[i].start, field, watch->areas[i].end);
}

static int enable_event(const struct numa_watch *watch, const char *event, const char *field)
{
	char file[96], filter[512];
	int ret = 0;

	if (field) {
		area_filter(watch, field, filter, sizeof(filter));
		snprintf(file, sizeof(file), "events/%s/filter", event);
		ret = set(watch, file, "%s\n", filter);
	}
	snprintf(file, sizeof(file), "events/%s/enable", event);
	return ret ? ret : set(watch, file, "1\n");
}

static int add_probes(void)
{
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		/* The event outlives us and is the same for all: one that exists is as good as a new one. */
		int ret = write_file(TRACEFS "/kprobe_events", O_APPEND, probes[i]);

		if (ret && ret != -EEXIST && ret != -EBUSY)
			return ret;
	}
	return 0;
}

static int enable_events(struct numa_watch *watch)
{
	int ret = enable_event(watch, "gntmap/scan", "start");

	if (!ret)
		ret = enable_event(watch, "gntmap/scan_return", NULL);
	if (!ret)
		ret = enable_event(watch, "gntmap/fault", "addr");
	if (!ret) {
		int reason = enable_event(watch, "sched/sched_skip_vma_numa", "vm_start");

		watch->has_reason = !reason;
		if (reason != -ENOENT)
			ret = reason;
	}
	return ret;
}

int numa_watch_open(struct numa_watch **result, const struct numa_area *areas, unsigned int nr_areas)
{
	struct numa_watch *watch;
	int ret;

	if (nr_areas > NUMA_MAX_AREAS)
		return -EINVAL;
	if (access(TRACEFS "/kprobe_events", F_OK) && mount("tracefs", TRACEFS, "tracefs", 0, NULL) && errno != EBUSY)
		return -errno;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	watch->nr_areas = nr_areas;
	for (unsigned int i = 0; i < nr_areas; i++) {
		watch->areas[i].start = (uintptr_t)areas[i].start;
		watch->areas[i].end = watch->areas[i].start + areas[i].size;
	}
	ret = add_probes();
	if (ret)
		goto err_free;
	snprintf(watch->dir, sizeof(watch->dir), TRACEFS "/instances/gntmap-%d", (int)getpid());
	if (mkdir(watch->dir, 0700)) {
		ret = -errno;
		goto err_free;
	}
	/* Only this process; threads are tasks of their own, hence event-fork. */
	ret = set(watch, "tracing_on", "0\n");
	if (!ret)
		ret = set(watch, "buffer_size_kb", "1024\n");
	if (!ret)
		ret = set(watch, "options/event-fork", "1\n");
	if (!ret)
		ret = set(watch, "set_event_pid", "%d\n", (int)getpid());
	if (!ret)
		ret = enable_events(watch);
	if (ret)
		goto err_close;
	*result = watch;
	return 0;

err_close:
	numa_watch_close(watch);
	return ret;
err_free:
	free(watch);
	return ret;
}

void numa_watch_close(struct numa_watch *watch)
{
	set(watch, "tracing_on", "0\n");
	set(watch, "events/enable", "0\n");
	rmdir(watch->dir);
	free(watch);
}

bool numa_watch_has_reason(const struct numa_watch *watch)
{
	return watch->has_reason;
}

int numa_watch_start(struct numa_watch *watch)
{
	int ret = set(watch, "trace", "\n");

	return ret ? ret : set(watch, "tracing_on", "1\n");
}

int numa_watch_stop(struct numa_watch *watch)
{
	return set(watch, "tracing_on", "0\n");
}

static int find_area(const struct numa_watch *watch, unsigned long addr)
{
	for (unsigned int i = 0; i < watch->nr_areas; i++) {
		if (addr >= watch->areas[i].start && addr < watch->areas[i].end)
			return i;
	}
	return -1;
}

/* For each thread, the area whose call has not returned yet */
struct open_call {
	int tid;
	int area;
};

static struct open_call *find_call(struct open_call *calls, int tid)
{
	for (unsigned int i = 0; i < MAX_THREADS; i++) {
		if (calls[i].tid == tid)
			return &calls[i];
		if (!calls[i].tid) {
			calls[i] = (struct open_call){ .tid = tid, .area = -1 };
			return &calls[i];
		}
	}
	return NULL;
}

/* The number after "key" in an event's text */
static unsigned long field(const char *text, const char *key, int base)
{
	const char *at = strstr(text, key);

	return at ? strtoul(at + strlen(key), NULL, base) : 0;
}

/* The header owns up to events that later ones have overwritten. */
static int read_header(const char *line)
{
	unsigned long kept, written;

	if (sscanf(line, "# entries-in-buffer/entries-written: %lu/%lu", &kept, &written) == 2 && kept != written)
		return -EOVERFLOW;
	return 0;
}

/* The fields of the line if it is this event's: "comm-TID [cpu] flags time: event: fields"; else NULL */
static const char *fields(const char *line, const char *event)
{
	char name[32];

	snprintf(name, sizeof(name), ": %s: ", event);
	return strstr(line, name);
}

static int thread_of(const char *line)
{
	const char *at = strstr(line, " [");

	while (at > line && *at != '-')
		at--;
	return atoi(at + 1);
}

static void read_scan(const struct numa_watch *watch, struct numa_seen *seen, struct open_call *call, const char *text)
{
	unsigned long addr = field(text, " start=", 16);
	int area = find_area(watch, addr);

	if (area < 0 || !call)
		return;
	call->area = area;
	seen[area].nr_calls++;
	seen[area].nr_passes += addr == watch->areas[area].start;
}

static void read_skip(const struct numa_watch *watch, struct numa_seen *seen, const char *text)
{
	const char *reason = strstr(text, " reason=");
	int area = find_area(watch, field(text, " vm_start=", 16));

	if (area < 0 || !reason)
		return;
	seen[area].nr_skips++;
	if (sscanf(reason, " reason=%23s", seen[area].skip_reason) != 1)
		seen[area].skip_reason[0] = '\0';
}

static int read_line(const struct numa_watch *watch, struct numa_seen *seen, struct open_call *calls, const char *line)
{
	struct open_call *call;
	const char *text;
	int area;

	if (line[0] == '#')
		return read_header(line);
	if (!strstr(line, " ["))
		return 0;
	call = find_call(calls, thread_of(line));
	text = fields(line, "scan");
	if (text)
		read_scan(watch, seen, call, text);
	text = fields(line, "scan_return");
	if (text && call && call->area >= 0) {
		seen[call->area].nr_ptes += field(text, " nr=", 10);
		call->area = -1;
	}
	text = fields(line, "fault");
	area = text ? find_area(watch, field(text, " addr=", 16)) : -1;
	if (area >= 0)
		seen[area].nr_faults++;
	text = fields(line, "sched_skip_vma_numa");
	if (text)
		read_skip(watch, seen, text);
	return 0;
}

int numa_watch_read(struct numa_watch *watch, struct numa_seen *seen)
{
	struct open_call calls[MAX_THREADS] = {};
	char path[128], line[1024];
	FILE *file;
	int ret = 0;

	memset(seen, 0, watch->nr_areas * sizeof(*seen));
	snprintf(path, sizeof(path), "%s/trace", watch->dir);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (!ret && fgets(line, sizeof(line), file))
		ret = read_line(watch, seen, calls, line);
	fclose(file);
	return ret;
}
