// SPDX-License-Identifier: GPL-2.0
#include "scan_time.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

#define TRACEFS "/sys/kernel/tracing"
#define DIR TRACEFS "/instances/gntmap-bench"
#define MAX_THREADS 16

static int write_text(const char *path, int flags, const char *text)
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

static int add_probe(const char *probe)
{
	int ret = write_text(TRACEFS "/kprobe_events", O_APPEND, probe);

	/* One that is there is as good as a new one. */
	return ret == -EEXIST || ret == -EBUSY ? 0 : ret;
}

int scan_time_start(void)
{
	static const struct {
		const char *path, *text;
	} settings[] = {
		{ DIR "/tracing_on", "0" },
		{ DIR "/buffer_size_kb", "1024" },
		{ DIR "/trace_clock", "x86-tsc" },
		{ DIR "/options/event-fork", "1" },
		{ DIR "/set_event_pid", NULL },
		{ DIR "/events/gntmap/work/enable", "1" },
		{ DIR "/events/gntmap/work_return/enable", "1" },
		{ DIR "/trace", "" },
		{ DIR "/tracing_on", "1" },
	};
	char pid[16];
	int ret;

	ret = add_probe("p:gntmap/work task_numa_work\n");
	if (!ret)
		ret = add_probe("r:gntmap/work_return task_numa_work\n");
	if (ret)
		return ret;
	rmdir(DIR);
	if (mkdir(DIR, 0700))
		return -errno;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]) && !ret; i++)
		ret = write_text(settings[i].path, O_TRUNC, settings[i].text ? settings[i].text : pid);
	if (ret)
		rmdir(DIR);
	return ret;
}

/* The last entry of each thread that has not returned. */
struct entries {
	unsigned int nr;
	struct {
		int pid;
		uint64_t ticks;
	} of[MAX_THREADS];
};

static uint64_t *entry_of(struct entries *entries, int pid)
{
	for (unsigned int i = 0; i < entries->nr; i++)
		if (entries->of[i].pid == pid)
			return &entries->of[i].ticks;
	if (entries->nr == MAX_THREADS)
		return NULL;
	entries->of[entries->nr].pid = pid;
	entries->of[entries->nr].ticks = 0;
	return &entries->of[entries->nr++].ticks;
}

/* "  name-123   [000] d.... 123456789: work: (task_numa_work+0x0/...)" */
static int read_line(const char *line, struct entries *entries, struct sample *us)
{
	const char *bracket = strstr(line, " ["), *name = strstr(line, ": work"), *number, *dash;
	uint64_t ticks, *entry;
	int pid;

	if (line[0] == '#' || !bracket || !name)
		return strstr(line, "LOST") ? -EOVERFLOW : 0;
	for (dash = bracket; dash > line && *dash != '-';)
		dash--;
	for (number = name; number > line && number[-1] != ' ';)
		number--;
	if (sscanf(dash, "-%d", &pid) != 1 || sscanf(number, "%" SCNu64, &ticks) != 1)
		return -EPROTO;
	entry = entry_of(entries, pid);
	if (!entry)
		return -EOVERFLOW;
	if (strncmp(name, ": work_return", 13)) {
		*entry = ticks;
	} else if (*entry) {
		sample_add(us, clock_us(ticks - *entry));
		*entry = 0;
	}
	return 0;
}

int scan_time_stop(struct sample *us)
{
	struct entries entries = { 0 };
	char line[512];
	FILE *file;
	int ret = 0;

	write_text(DIR "/tracing_on", 0, "0");
	file = fopen(DIR "/trace", "re");
	while (file && !ret && fgets(line, sizeof(line), file))
		ret = read_line(line, &entries, us);
	if (!file)
		ret = -ENOENT;
	else
		fclose(file);
	write_text(DIR "/events/enable", 0, "0");
	rmdir(DIR);
	return ret;
}
