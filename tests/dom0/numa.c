// SPDX-License-Identifier: GPL-2.0
/* Knobs and burning; what the scans did is watched in numa_watch.c. */
#include "numa.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"

#define DEBUGFS "/sys/kernel/debug"
#define SCHED DEBUGFS "/sched/numa_balancing/"
#define NUMA_PAGE_SIZE 4096

/*
 * scan_size_mb lowers the floor of the scan period: task_scan_min() never scans more than MAX_SCAN_WINDOW MB/s.
 * scan_delay_ms also is how long a VMA must have lived (6.12 and newer, vma->numab_state->next_scan).
 */
static struct knob {
	const char *path;
	const char *value;
	char found[16];
} knobs[] = {
	{ SCHED "scan_delay_ms", "10", "" },
	{ SCHED "scan_size_mb", "16", "" },
	{ SCHED "scan_period_min_ms", "10", "" },
	{ SCHED "scan_period_max_ms", "20", "" },
	/* last: nothing is scanned before all is set */
	{ "/proc/sys/kernel/numa_balancing", "1", "" },
};

#define NR_KNOBS (sizeof(knobs) / sizeof(knobs[0]))

static int write_knob(const struct knob *knob, const char *value)
{
	int fd = open(knob->path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* Remember what was there the first time. */
static int change_knob(struct knob *knob, const char *value)
{
	if (!knob->found[0]) {
		FILE *file = fopen(knob->path, "re");

		if (!file)
			return -errno;
		if (!fgets(knob->found, sizeof(knob->found), file))
			knob->found[0] = '\0';
		fclose(file);
	}
	return write_knob(knob, value);
}

int numa_knobs_set(void)
{
	int ret = 0;

	if (access(DEBUGFS "/sched", F_OK) && mount("debugfs", DEBUGFS, "debugfs", 0, NULL) && errno != EBUSY)
		return -errno;
	for (size_t i = 0; i < NR_KNOBS && !ret; i++)
		ret = change_knob(&knobs[i], knobs[i].value);
	return ret;
}

int numa_knobs_quiet(void)
{
	return change_knob(&knobs[NR_KNOBS - 1], "0");
}

void numa_knobs_restore(void)
{
	for (size_t i = NR_KNOBS; i--;) {
		if (knobs[i].found[0])
			write_knob(&knobs[i], knobs[i].found);
		knobs[i].found[0] = '\0';
	}
}

/* The number behind `name` in a file of lines "name  :  number" or "name number". */
static long read_number(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	size_t len = strlen(name);
	long number = -ENOENT;
	char line[256];

	if (!file)
		return -errno;
	while (number < 0 && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, len) && strchr(" :\t", line[len]))
			sscanf(line + len + strspn(line + len, " :\t"), "%ld", &number);
	}
	fclose(file);
	return number;
}

long numa_scan_seq(void)
{
	return read_number("/proc/self/sched", "mm->numa_scan_seq");
}

long numa_vmstat(const char *name)
{
	return read_number("/proc/vmstat", name);
}

void *numa_control_alloc(size_t size)
{
	/*
	 * Between two pages that nobody may touch: else it is merged with a thread's stack below it, which has
	 * VM_NOHUGEPAGE too since 6.7 (MAP_STACK), and scans start elsewhere.
	 */
	char *start = mmap(NULL, size + 2 * NUMA_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (start == MAP_FAILED)
		return NULL;
	start += NUMA_PAGE_SIZE;
	if (mprotect(start, size, PROT_READ | PROT_WRITE))
		return NULL;
	madvise(start, size, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < size; at += NUMA_PAGE_SIZE)
		*(volatile char *)(start + at) = 1;
	return start;
}

struct burn {
	struct numa_area *areas;
	unsigned int nr_areas;
	long first_seq;
	atomic_bool stop;
};

static void read_area(struct burn *burn, struct numa_area *area)
{
	for (size_t at = 0; at < area->size; at += NUMA_PAGE_SIZE) {
		uint64_t word;
		int sig = fault_read((char *)area->start + at, &word);

		if (sig) {
			area->fault_pass = numa_scan_seq() - burn->first_seq;
			__atomic_store_n(&area->fault_signal, sig, __ATOMIC_RELEASE);
			return;
		}
	}
}

static void *burn_thread(void *arg)
{
	struct burn *burn = arg;

	while (!atomic_load_explicit(&burn->stop, memory_order_relaxed)) {
		for (unsigned int i = 0; i < burn->nr_areas; i++) {
			if (!__atomic_load_n(&burn->areas[i].fault_signal, __ATOMIC_ACQUIRE))
				read_area(burn, &burn->areas[i]);
		}
		/* Scans are paid for with CPU time in user space; do not spend it all in faults. */
		for (volatile int i = 0; i < 20000; i++)
			;
	}
	return NULL;
}

#define SLEEP_MS 20

int numa_burn(struct numa_area *areas, unsigned int nr_areas, unsigned int nr_threads, unsigned int nr_passes,
	      unsigned int timeout_ms)
{
	struct burn burn = { .areas = areas, .nr_areas = nr_areas };
	/* In sleeps, not by the clock: the one of an emulated machine may jump. */
	unsigned int nr_sleeps = timeout_ms / SLEEP_MS;
	pthread_t threads[16];
	unsigned int started;
	long passes = 0;

	for (unsigned int i = 0; i < nr_areas; i++)
		areas[i] = (struct numa_area){ .start = areas[i].start, .size = areas[i].size };
	for (started = 0; started < nr_threads && started < 16; started++) {
		if (pthread_create(&threads[started], NULL, burn_thread, &burn))
			break;
	}
	/* Not earlier: the first thread of a process sets its count back to 0 (init_numa_balancing(), mm_users == 1). */
	burn.first_seq = numa_scan_seq();
	while (started && burn.first_seq >= 0 && passes < nr_passes && nr_sleeps--) {
		nanosleep(&(struct timespec){ .tv_nsec = SLEEP_MS * 1000000 }, NULL);
		passes = numa_scan_seq() - burn.first_seq;
	}
	atomic_store(&burn.stop, true);
	for (unsigned int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	if (burn.first_seq < 0)
		return burn.first_seq;
	return started == nr_threads ? passes : -EAGAIN;
}
