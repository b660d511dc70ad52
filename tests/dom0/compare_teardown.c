// SPDX-License-Identifier: GPL-2.0
/*
 * A mapping that goes while somebody holds one of its pages: by vmsplice(), which puts it into a pipe that is ours, or by a
 * direct IO that does not end before we say so. How many of the granter's pages are held then, and once nobody holds it?
 */
#include "compare.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "flight.h"
#include "gntmap_node.h"
#include "throttle.h"

#define NR_PAGES 8
#define HELD 5

#define WAYS(how) \
	"munmap, " how, "UNMAP_GRANT_REF, then munmap, " how, "close, then munmap, " how, "exit, " how, "kill -9, " how, \
	"rmmod, " how

enum way { MUNMAP, REMOVE, CLOSE, EXIT, KILL, UNLOAD, NR_WAYS };

const char *const pinned_rows[] = { WAYS("a page in a pipe"), NULL };
const char *const flying_rows[] = { WAYS("a page under direct IO"), NULL };

/* The process whose mapping goes. */
struct holder {
	struct probe *probe;
	enum way way;
	bool flies;
	int pipe[2];	/* what the page lies in */
	int said[2];	/* its answer: 0 or a negative errno */
	pid_t pid;
};

static int hold(struct holder *h, char *page, struct flight *flight)
{
	const struct iovec iov = { page, GRANTER_PAGE_SIZE };
	int ret;

	if (!h->flies)
		return vmsplice(h->pipe[1], &iov, 1, 0) == GRANTER_PAGE_SIZE ? 0 : -errno;
	ret = throttle_join();
	ret = ret ? ret : throttle_hold();
	ret = ret ? ret : flight_start(flight, TRANSFER_URING, h->probe->block_device, false, page, GRANTER_PAGE_SIZE);
	if (ret)
		return ret;
	/* What is refused lands at once. */
	usleep(50000);
	return flight_landed(flight) ? flight_land(flight) : 0;
}

static int unload(const char *strategy)
{
	char module[64];

	snprintf(module, sizeof(module), "gntmap_%s", strategy);
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

static void say(struct holder *h, int ret)
{
	if (write(h->said[1], &ret, sizeof(ret)) != sizeof(ret) || ret)
		_exit(1);
}

/* Maps and holds, lets the mapping go, and lives on, unless it shall not. */
static __attribute__((noreturn)) void be_holder(struct holder *h)
{
	int fd = node_open(h->probe->column->strategy), ret;
	struct granter *granter = granter_open();
	struct flight flight = { 0 };
	struct node_range range;

	/* Each open file keeps the module. */
	close(h->probe->fd);
	if (fd < 0 || !granter)
		_exit(1);
	ret = node_map(fd, granter->domid, granter->first_ref, NR_PAGES, PROT_READ | PROT_WRITE, &range);
	say(h, ret ? ret : hold(h, (char *)range.addr + HELD * GRANTER_PAGE_SIZE, &flight));
	if (h->way == REMOVE)
		node_unmap_grant_ref(fd, &range);
	if (h->way == CLOSE)
		close(fd);
	if (h->way != EXIT && h->way != KILL)
		node_munmap(&range);
	if (h->way == UNLOAD)
		close(fd);
	if (h->way != KILL)
		say(h, 0);
	if (h->way == EXIT)
		_exit(0);
	for (;;)
		pause();
}

/* 0, or why it holds nothing; then it is gone. */
static int start(struct probe *probe, struct holder *h)
{
	int ret;

	if (pipe2(h->pipe, O_CLOEXEC) || pipe2(h->said, O_CLOEXEC))
		probe_die(probe, "pipe: %m");
	h->pid = fork();
	if (h->pid < 0)
		probe_die(probe, "fork: %m");
	if (!h->pid)
		be_holder(h);
	close(h->said[1]);
	if (read(h->said[0], &ret, sizeof(ret)) != sizeof(ret))
		ret = -ECHILD;
	if (ret)
		waitpid(h->pid, NULL, 0);
	return ret;
}

/* Waits for nr pages that the granter cannot have back, for a machine that stalls; what it came to. */
static int64_t wait_held(struct probe *probe, int64_t nr)
{
	int64_t held = -1;

	for (int i = 0; i < 1000; i++) {
		held = granter_busy(probe->granter, 0, NR_PAGES, NULL);
		if (held == nr)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
	return held;
}

static void let_go(struct holder *h)
{
	char page[GRANTER_PAGE_SIZE];

	if (h->flies)
		throttle_release();
	else if (read(h->pipe[0], page, sizeof(page)) < 0)
		return;
}

/* What came of it: "1 of 8 held, then 0". */
static void run(struct probe *probe, const char *row, enum way way, bool flies)
{
	struct holder h = { .probe = probe, .way = way, .flies = flies };
	char command[64], refused[32] = "";
	int64_t held, left;
	int ret = start(probe, &h);

	if (ret) {
		observe_errno(probe, row, ret);
		return;
	}
	if (way == KILL)
		kill(h.pid, SIGKILL);
	else if (read(h.said[0], &ret, sizeof(ret)) != sizeof(ret))
		probe_die(probe, "the process died");
	if (way == KILL || way == EXIT)
		waitpid(h.pid, NULL, 0);
	held = wait_held(probe, 1);
	if (way == UNLOAD) {
		ret = unload(probe->column->strategy);
		if (ret)
			snprintf(refused, sizeof(refused), "%s, ", strerrorname_np(-ret));
	}
	let_go(&h);
	left = wait_held(probe, 0);
	observe(probe, row, "%s%ld of %d held, then %ld", refused, (long)held, NR_PAGES, (long)left);
	if (way != KILL && way != EXIT) {
		kill(h.pid, SIGKILL);
		waitpid(h.pid, NULL, 0);
	}
	close(h.said[0]);
	close(h.pipe[0]);
	close(h.pipe[1]);
	snprintf(command, sizeof(command), "modprobe gntmap-%s", probe->column->strategy);
	if (way == UNLOAD && !ret && system(command))
		probe_die(probe, "%s failed", command);
}

static void run_all(struct probe *probe, const char *const *rows, bool flies)
{
	close(probe->fd);
	probe->fd = -1;
	for (enum way way = 0; way < NR_WAYS; way++)
		run(probe, rows[way], way, flies);
}

void probe_pinned(struct probe *probe)
{
	run_all(probe, pinned_rows, false);
}

void probe_flying(struct probe *probe)
{
	int ret = probe->block_device ? throttle_create(probe->block_device) : -ENODEV;

	if (ret) {
		for (int i = 0; i < NR_WAYS; i++)
			skip(probe, flying_rows[i], probe->block_device ? "no io.max of cgroup2" : "no null_blk");
		return;
	}
	run_all(probe, flying_rows, true);
	throttle_remove();
}
