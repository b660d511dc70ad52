// SPDX-License-Identifier: GPL-2.0
/*
 * Other processes that look into a mapping: process_vm_*, ptrace, /proc/PID/mem. And futexes, whose shared kind wants the page
 * behind an address too.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/futex.h>

#include "gup_rules.h"
#include "range.h"
#include "suite.h"

#define RW (PROT_READ | PROT_WRITE)
#define NR 3u	 /* pages of grants, and one of ordinary memory behind them */
#define FIRST 4u /* the granter's page that is our page 0 */
#define SIZE (NR * PAGE_SIZE)

/* ---- another process that has the mapping ---- */

struct target {
	pid_t pid;
	char *addr; /* in that process */
	int control[2], ready[2];
};

/* The child's half: map, say where, wait for the end. */
static void be_target(struct target *t, int map_prot, int prot)
{
	char *room = mmap(NULL, SIZE + PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct range r;
	char byte;

	child_open_granter();
	check(room != MAP_FAILED, "%s", strerror(errno));
	memset(room + SIZE, 0x77, PAGE_SIZE);
	r = range_add(open_node(), FIRST, NR);
	r.addr = mmap(room, SIZE, map_prot, MAP_SHARED | MAP_FIXED, r.fd, r.offset);
	check(r.addr == room, "%s", strerror(errno));
	touch(r.addr, false);
	/* The ordinary page too: it shows what the kernel lets anybody do. */
	if (prot != map_prot)
		expect(try_mprotect(room, SIZE + PAGE_SIZE, prot), 0);
	check(write(t->ready[1], &r.addr, sizeof(r.addr)) == sizeof(r.addr), "%s", strerror(errno));
	check(read(t->control[0], &byte, 1) >= 0, "%s", strerror(errno));
}

static struct target target_start(int map_prot, int prot)
{
	struct target t;

	check(!pipe(t.control) && !pipe(t.ready), "%s", strerror(errno));
	fflush(NULL);
	t.pid = fork();
	check(t.pid >= 0, "%s", strerror(errno));
	if (!t.pid) {
		close(t.control[1]);
		be_target(&t, map_prot, prot);
		_exit(0);
	}
	close(t.ready[1]);
	check(read(t.ready[0], &t.addr, sizeof(t.addr)) == sizeof(t.addr), "the child failed");
	return t;
}

static void target_stop(struct target *t)
{
	int status;

	close(t->control[1]);
	check(waitpid(t->pid, &status, 0) == t->pid && !status, "the child ended with %#x", status);
	wait_busy(FIRST, NR, 0);
}

static uint64_t buffer[(SIZE + PAGE_SIZE) / 8];
static uint64_t seed;

static void fill_granter(void)
{
	seed++;
	check(!granter_fill(suite.granter, FIRST, NR, seed), "%s", strerror(errno));
	memset(buffer, 0, sizeof(buffer));
}

static void fill_buffer(void)
{
	seed++;
	for (uint64_t i = 0; i < SIZE / 8; i++)
		buffer[i] = granter_word(seed, FIRST + i / 512, i % 512);
}

/* What a call that moves nr_bytes (SIZE, if it gets through) gave, and what was moved. */
static void check_got(const char *what, ssize_t ret, int rule)
{
	ssize_t got = ret < 0 ? -errno : ret;

	check(got == (rule ? rule : (ssize_t)SIZE), "%s: %s (%zd), not %s", what, errno_name(got < 0 ? got : 0), got,
	      errno_name(rule));
	if (!rule)
		check_pattern((char *)buffer, FIRST, NR, seed);
}

static void check_put(const char *what, ssize_t ret, int rule)
{
	ssize_t got = ret < 0 ? -errno : ret;
	uint64_t sum;

	check(got == (rule ? rule : (ssize_t)SIZE), "%s: %s (%zd), not %s", what, errno_name(got < 0 ? got : 0), got,
	      errno_name(rule));
	check(!granter_sum_pages(suite.granter, FIRST, NR, &sum), "%s", strerror(errno));
	check((granter_sum(GRANTER_SUM_INIT, buffer, SIZE / 8) == sum) == !rule, "%s: the granter has %s", what,
	      rule ? "what was refused" : "something else");
}

/* ---- process_vm_readv(), process_vm_writev() ---- */

static void process_vm(int map_prot, int prot, int read_rule, int write_rule)
{
	struct target t = target_start(map_prot, prot);
	struct iovec local = { buffer, SIZE }, remote = { t.addr, SIZE };

	fill_granter();
	check_got("process_vm_readv", process_vm_readv(t.pid, &local, 1, &remote, 1, 0), read_rule);
	fill_buffer();
	check_put("process_vm_writev", process_vm_writev(t.pid, &local, 1, &remote, 1, 0), write_rule);
	target_stop(&t);
}

static void process_vm_rw(void)
{
	process_vm(RW, RW, gup_slow_rule(), gup_slow_rule());
}

static void process_vm_ro(void)
{
	process_vm(PROT_READ, PROT_READ, gup_slow_rule(), -EFAULT);
}

static void process_vm_reprotected(void)
{
	process_vm(RW, PROT_READ, gup_slow_rule(), -EFAULT);
	process_vm(RW, PROT_NONE, -EFAULT, -EFAULT);
}

/* The end of the grants and the page behind them: refused pages end what is moved, page by page. */
static void process_vm_neighbour(void)
{
	struct target t = target_start(RW, RW);
	struct iovec local = { buffer, 2 * PAGE_SIZE };
	struct iovec remote[] = { { t.addr + SIZE, PAGE_SIZE }, { t.addr + SIZE - PAGE_SIZE, PAGE_SIZE } };
	ssize_t want = gup_slow_rule() ? PAGE_SIZE : 2 * PAGE_SIZE, got;

	fill_granter();
	got = process_vm_readv(t.pid, &local, 1, remote, 2, 0);
	check(got == want, "%zd bytes, not %zd", got, want);
	for (size_t i = 0; i < PAGE_SIZE; i++)
		check(((char *)buffer)[i] == 0x77, "byte %zu of ordinary memory", i);
	if (!gup_slow_rule())
		check_pattern((char *)buffer + PAGE_SIZE, FIRST + NR - 1, 1, seed);

	remote[0] = (struct iovec){ t.addr + SIZE - PAGE_SIZE, 2 * PAGE_SIZE };
	got = process_vm_readv(t.pid, &local, 1, remote, 1, 0);
	if (gup_slow_rule())
		check(got < 0 && errno == EFAULT, "%zd", got);
	else
		check(got == 2 * PAGE_SIZE, "%zd, %s", got, strerror(errno));
	target_stop(&t);
}

/* ---- ptrace() ---- */

static long peek(pid_t pid, void *addr, uint64_t *word)
{
	errno = 0;
	*word = ptrace(PTRACE_PEEKDATA, pid, addr, NULL);
	return -errno;
}

static void attach(pid_t pid)
{
	int status;

	check(!ptrace(PTRACE_SEIZE, pid, NULL, NULL) && !ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), "%s",
	      strerror(errno));
	check(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status), "%#x", status);
}

/* ptrace forces its way (FOLL_FORCE): past a missing VM_READ, but not past VM_IO nor a shared mapping's missing VM_WRITE. */
static void ptraced(int map_prot, int prot, int read_rule, int write_rule)
{
	struct target t = target_start(map_prot, prot);
	uint64_t word, now;
	long ret;

	attach(t.pid);
	fill_granter();
	ret = peek(t.pid, t.addr + PAGE_SIZE + 8, &word);
	expect(ret, read_rule);
	if (!ret)
		check(word == granter_word(seed, FIRST + 1, 1), "%#lx", word);
	ret = ptrace(PTRACE_POKEDATA, t.pid, t.addr + PAGE_SIZE + 8, 0x5eedul) ? -errno : 0;
	expect(ret, write_rule);
	check(!granter_peek(suite.granter, FIRST + 1, 8, &now), "%s", strerror(errno));
	check((now == 0x5eed) == !ret, "the granter has %#lx", now);
	check(!ptrace(PTRACE_DETACH, t.pid, NULL, NULL), "%s", strerror(errno));
	target_stop(&t);
}

static void ptrace_rw(void)
{
	int rule = gup_slow_rule() ? -EIO : 0;

	ptraced(RW, RW, rule, rule);
	ptraced(PROT_READ, PROT_READ, rule, -EIO);
}

static void ptrace_reprotected(void)
{
	int rule = gup_slow_rule() ? -EIO : 0;

	ptraced(RW, PROT_READ, rule, -EIO);
	ptraced(RW, PROT_NONE, rule, -EIO);
}

/* ---- /proc/PID/mem ---- */

/*
 * Whether the kernel uses FOLL_FORCE here: proc_mem_foll_force() (fs/proc/base.c) goes by the kernel's configuration
 * (Debian: always in 6.1 and 6.12, for the tracer in 7.2) and by proc_mem.force_override=.
 */
static bool is_forced(int fd, const char *plain)
{
	return pread(fd, buffer, PAGE_SIZE, (uintptr_t)plain) == PAGE_SIZE;
}

static void mem(int map_prot, int prot, bool traced, int read_rule, int write_rule)
{
	struct target t = target_start(map_prot, prot);
	char path[64];
	int fd;

	if (traced)
		attach(t.pid);
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)t.pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	check(fd >= 0, "%s: %s", path, strerror(errno));
	if (prot == PROT_NONE && !is_forced(fd, t.addr + SIZE))
		read_rule = -EIO;
	fill_granter();
	check_got("reading /proc/PID/mem", pread(fd, buffer, SIZE, (uintptr_t)t.addr), read_rule);
	fill_buffer();
	check_put("writing /proc/PID/mem", pwrite(fd, buffer, SIZE, (uintptr_t)t.addr), write_rule);
	close(fd);
	if (traced)
		check(!ptrace(PTRACE_DETACH, t.pid, NULL, NULL), "%s", strerror(errno));
	target_stop(&t);
}

static void mem_rw(void)
{
	int rule = gup_slow_rule() ? -EIO : 0;

	mem(RW, RW, false, rule, rule);
	mem(PROT_READ, PROT_READ, false, rule, -EIO);
}

/* Only force gets past PROT_NONE, and past a missing VM_WRITE not even force, in a shared mapping. */
static void mem_forced(void)
{
	int rule = gup_slow_rule() ? -EIO : 0;

	mem(RW, PROT_READ, false, rule, -EIO);
	mem(RW, PROT_NONE, false, rule, -EIO);
	mem(RW, PROT_NONE, true, rule, -EIO);
}

/* ---- futexes ---- */

static long futex(void *word, int op, uint32_t value, const struct timespec *timeout)
{
	long ret = syscall(__NR_futex, word, op, value, timeout, NULL, 0);

	return ret < 0 ? -errno : ret;
}

static const struct timespec soon = { .tv_nsec = 20000000 };

/*
 * A shared futex is known by its page's mapping and index, which a granter's page has not: get_futex_key()
 * (kernel/futex/core.c) gives EFAULT for it, whatever the strategy.
 */
static void futex_shared(void)
{
	struct range r = range_map(open_node(), FIRST, NR, RW);
	uint32_t *word = (uint32_t *)r.addr, *plain = mmap(NULL, PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	check(plain != MAP_FAILED, "%s", strerror(errno));
	/* The premise */
	expect(futex(plain, FUTEX_WAIT, *plain, &soon), -ETIMEDOUT);
	check(futex(plain, FUTEX_WAKE, 1, NULL) == 0, "a waiter");
	expect(futex(word, FUTEX_WAIT, *word, &soon), -EFAULT);
	expect(futex(word, FUTEX_WAKE, 1, NULL), -EFAULT);
	expect(futex(word, FUTEX_LOCK_PI, 0, &soon), -EFAULT);
	range_check_pages(&r, 0, 1);
}

struct waiter {
	uint32_t *word, value;
	long ret;
};

static void *wait_on(void *arg)
{
	struct waiter *w = arg;
	const struct timespec long_enough = { .tv_sec = 15 };

	w->ret = futex(w->word, FUTEX_WAIT_PRIVATE, w->value, &long_enough);
	return NULL;
}

/* A private futex is an address; its word is read as the user reads it. */
static void futex_private(void)
{
	struct range r = range_map(open_node(), FIRST, NR, RW);
	struct waiter w = { .word = (uint32_t *)(r.addr + PAGE_SIZE + 16), .value = 7 };
	long nr_woken = 0, ret;
	pthread_t thread;

	*w.word = 7;
	expect(futex(w.word, FUTEX_WAIT_PRIVATE, 8, &soon), -EAGAIN);
	expect(futex(w.word, FUTEX_WAIT_PRIVATE, 7, &soon), -ETIMEDOUT);
	check(!pthread_create(&thread, NULL, wait_on, &w), "no thread");
	for (int i = 0; i < 1500 && !nr_woken; i++) {
		sleep_ms(5);
		nr_woken = futex(w.word, FUTEX_WAKE_PRIVATE, 1, NULL);
		check(nr_woken >= 0, "%s", errno_name(nr_woken));
	}
	check(nr_woken == 1, "nobody was there to be woken");
	pthread_join(thread, NULL);
	expect(w.ret, 0);

	/* The kernel writes this one. */
	*w.word = 0;
	ret = futex(w.word, FUTEX_LOCK_PI_PRIVATE, 0, NULL);
	expect(ret, 0);
	check((*w.word & FUTEX_TID_MASK) == (uint32_t)gettid(), "%#x", *w.word);
	expect(futex(w.word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL), 0);
	check(*w.word == 0, "%#x", *w.word);
}

static const struct suite_case cases[] = {
	{ "process_vm_readv and process_vm_writev reach the pages unless VM_IO", process_vm_rw },
	{ "process_vm_readv reaches a read-only mapping, process_vm_writev does not", process_vm_ro },
	{ "process_vm_* respect mprotect", process_vm_reprotected, MODE_XLATE },
	{ "process_vm_readv stops at the grants or goes past them", process_vm_neighbour },
	{ "ptrace reads and writes the pages unless VM_IO, and never writes read-only ones", ptrace_rw },
	{ "ptrace reads past PROT_NONE", ptrace_reprotected, MODE_XLATE },
	{ "/proc/PID/mem reads and writes the pages unless VM_IO, and never writes read-only ones", mem_rw },
	{ "/proc/PID/mem reads past PROT_NONE if it may use force", mem_forced, MODE_XLATE },
	{ "a shared futex on a granter's page is refused", futex_shared },
	{ "a private futex on a granter's page works", futex_private },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
