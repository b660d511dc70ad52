// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on a strategy's node, each answer and each word compared with a model's:
 *
 *	gntmap-fuzz [-s SEED] [-n OPERATIONS] [-e EPISODE] [-j PROCESSES] [-v] STRATEGY
 *
 * A seed gives the same sequences everywhere. They are cut into episodes, each in a process of its own; in one of four,
 * three threads run a sequence each. After each episode the granter must have its pages back. An episode that fails is
 * made shorter as long as it fails and then shown. -e runs just that episode, -v shows every operation first.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "dmabuf.h"
#include "fault.h"
#include "leaks.h"
#include "tap.h"

#define EPISODE 200	/* operations of each thread */
#define MAX_THREADS 3
#define EPISODE_SECONDS 180
#define MAX_RERUNS 400
#define MAX_KINDS 64
#define BALANCING "/proc/sys/kernel/numa_balancing"

__thread struct worker *w;

/* What one process at a time works with. */
struct runner {
	uint32_t number;	/* its first worker's */
	uint64_t frames[MAX_THREADS][NR_PAGES];
};

struct episode {
	uint64_t seed;
	unsigned int nr_threads;
	struct fuzz_op ops[MAX_THREADS][EPISODE];
	unsigned int nr_ops[MAX_THREADS];
};

static bool verbose;
/* Of all processes, which share this. */
static struct {
	uint64_t nr;		/* operations */
	/* What was answered to calls of each kind of operation: a kind without success tests little. */
	struct {
		uint64_t success, error;
	} answers[MAX_KINDS];
} *done;

void fuzz_fail(const char *file, int line, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	tap_diag("worker %u, operation %u, %s: %s:%d: not true: %s", w->number, w->step,
		 w->now ? fuzz_kinds[w->now->kind].name : "the end", file, line, text);
	fflush(NULL);
	_exit(1);
	__builtin_unreachable();
}

void fuzz_answer(const char *file, int line, const char *call, long got, long expected)
{
	if (got != expected)
		fuzz_fail(file, line, "%s gives %s instead of %s", call, errno_name(got), errno_name(expected));
	if (w->now)
		__atomic_fetch_add(got ? &done->answers[w->now->kind].error : &done->answers[w->now->kind].success, 1,
				   __ATOMIC_RELAXED);
}

static void print_answers(void)
{
	tap_diag("calls that succeeded, and that were refused, as they had to:");
	for (unsigned int k = 0; k < fuzz_nr_kinds; k++)
		if (done->answers[k].success || done->answers[k].error)
			tap_diag("    %6lu %6lu  %s", done->answers[k].success, done->answers[k].error, fuzz_kinds[k].name);
}

static void begin(void)
{
	xenevtchn_handle *channel = xenevtchn_open(NULL, 0);
	char *place;

	w->granter = granter_open();
	must(w->granter && channel, "%s", strerror(errno));
	w->channel = channel;
	w->port = xenevtchn_bind_unbound_port(channel, w->granter->domid);
	must((int)w->port > 0, "%s", strerror(errno));
	w->memory = xenforeignmemory_open(NULL, 0);
	must(w->memory, "%s", strerror(errno));
	w->truth = xenforeignmemory_map(w->memory, w->granter->domid, PROT_READ | PROT_WRITE, NR_PAGES, w->frames, NULL);
	must(w->truth, "%s", strerror(errno));
	for (int i = 0; i < NR_FDS; i++)
		w->fds[i] = -1;
	place = mmap(NULL, (NR_MAPPINGS + 1) * 2 * RANGE_MAX * PAGE_SIZE, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(place != MAP_FAILED, "%s", strerror(errno));
	/* Apart, so that no two VMAs of ours touch. */
	for (int i = 0; i < NR_MAPPINGS; i++)
		w->mappings[i].place = place + 2 * i * RANGE_MAX * PAGE_SIZE;
	w->spare = place + 2 * NR_MAPPINGS * RANGE_MAX * PAGE_SIZE;
}

/* All that can be let go is; then nothing may be left. */
static void end(void)
{
	struct fuzz_op op = { 0 };

	w->now = NULL;
	for (uint32_t i = 0; i < NR_PINS; i++) {
		op.arg[0] = i;
		op_unpin(&op);
	}
	for (struct fmapping *m = w->mappings; m < w->mappings + NR_MAPPINGS; m++) {
		if (!m->range)
			continue;
		must(!munmap(m->place, RANGE_MAX * PAGE_SIZE), "%s", strerror(errno));
		memory_gone(m);
	}
	/* A file that only a mapping had is closed now, and its imports have ended. */
	model_settle();
	for (uint32_t i = 0; i < NR_BUFFERS; i++) {
		op.arg[0] = i;
		op_drop(&op);
	}
	for (uint32_t i = 0; i < NR_HOLDERS; i++) {
		op.arg[0] = i;
		op_release(&op);
	}
	model_settle();
	op_audit(&op);
	for (uint32_t i = 0; i < NR_FDS; i++) {
		op.arg[0] = i;
		op_info(&op);
	}
	for (uint32_t i = 0; i < NR_FDS; i++) {
		op.arg[0] = i;
		op_close(&op);
	}
	model_settle();
	for (const struct ffile *f = w->files; f < w->files + NR_FILES; f++)
		must(!f->used, "the model has an open file left");
}

struct thread {
	pthread_t id;
	struct worker worker;
	const struct fuzz_op *ops;
	unsigned int nr_ops;
	bool clean;
};

/* Whoever maps something anywhere must not get a place that another thread just unmapped. */
static pthread_barrier_t all_began;

static void *work(void *arg)
{
	struct thread *t = arg;
	struct fuzz_op all = { .arg = { 0, 0 } };

	w = &t->worker;
	begin();
	pthread_barrier_wait(&all_began);
	for (w->step = 0; w->step < t->nr_ops; w->step++) {
		struct fuzz_op op = t->ops[w->step];

		w->now = &op;
		if (verbose) {
			fuzz_print(w->step, &op);
			fflush(stdout);
		}
		fuzz_kinds[op.kind].run(&op);
		model_settle();
	}
	w->now = NULL;
	op_grant(&all);
	if (t->clean)
		end();
	__atomic_fetch_add(&done->nr, t->nr_ops, __ATOMIC_RELAXED);
	return NULL;
}

/* In a process of its own. */
static void run_episode(const struct runner *runner, const struct episode *episode)
{
	static struct thread threads[MAX_THREADS];
	int common = open(suite.node, O_RDWR | O_CLOEXEC);

	if (common < 0)
		_exit(2);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fault_catch();
	pthread_barrier_init(&all_began, NULL, episode->nr_threads);
	for (unsigned int i = 0; i < episode->nr_threads; i++) {
		struct thread *t = &threads[i];

		t->worker.number = runner->number + i;
		t->worker.first = (runner->number + i) * NR_PAGES;
		t->worker.common = common;
		t->worker.alone = episode->nr_threads == 1;
		memcpy(t->worker.frames, runner->frames[i], sizeof(t->worker.frames));
		t->ops = episode->ops[i];
		t->nr_ops = episode->nr_ops[i];
		/* The rest leaves it all to exit. */
		t->clean = episode->seed >> i & 1;
		if (episode->nr_threads == 1)
			work(t);
		else if (pthread_create(&t->id, NULL, work, t))
			_exit(2);
	}
	for (unsigned int i = 0; episode->nr_threads > 1 && i < episode->nr_threads; i++)
		pthread_join(threads[i].id, NULL);
	fflush(NULL);
	_exit(0);
}

/* It may have died with pages revoked. */
static void grant_anew(const struct runner *runner)
{
	struct granter *g = granter_open();
	uint32_t first = runner->number * NR_PAGES, first_ro = suite.nr_rw + runner->number * NR_READ_ONLY;

	if (!g)
		return;
	granter_revoke(g, first, MAX_THREADS * NR_PAGES, NULL);
	granter_revoke(g, first_ro, MAX_THREADS * NR_READ_ONLY, NULL);
	if (granter_grant(g, first, MAX_THREADS * NR_PAGES, 0, false) ||
	    granter_grant(g, first_ro, MAX_THREADS * NR_READ_ONLY, 0, true))
		tap_diag("the granter could not grant its pages anew: %s", strerror(errno));
	granter_close(g);
}

/* What it left behind. */
static bool clean(const struct runner *runner)
{
	struct granter *g = granter_open();
	uint64_t until = now_us() + 10000000;
	int64_t nr = -1;

	if (!g) {
		tap_diag("the granter cannot be opened: %s", strerror(errno));
		return false;
	}
	do {
		nr = granter_busy(g, runner->number * NR_PAGES, MAX_THREADS * NR_PAGES, NULL);
		if (nr)
			sleep_ms(5);
	} while (nr && now_us() < until);
	if (nr)
		tap_diag("%ld of the granter's pages are still mapped", (long)nr);
	granter_close(g);
	return !nr;
}

static bool passes(const struct runner *runner, const struct episode *episode, bool quiet)
{
	uint64_t until = now_us() + EPISODE_SECONDS * 1000000ull;
	int status = 0, null;
	bool good;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (!child) {
		if (quiet) {
			null = open("/dev/null", O_WRONLY);
			dup2(null, 1);
			dup2(null, 2);
		}
		run_episode(runner, episode);
	}
	if (child < 0) {
		tap_diag("fork: %s", strerror(errno));
		return false;
	}
	while (!waitpid(child, &status, WNOHANG)) {
		if (now_us() > until) {
			tap_diag("not done after %u s", EPISODE_SECONDS);
			kill(child, SIGKILL);
			waitpid(child, &status, 0);
			break;
		}
		usleep(500);
	}
	if (WIFSIGNALED(status) && !quiet)
		tap_diag("died of signal %d", WTERMSIG(status));
	good = clean(runner) && !status;
	if (!good)
		grant_anew(runner);
	return good;
}

static void generate(struct episode *episode, uint64_t seed, uint64_t number)
{
	uint64_t state = seed * 1000003 + number;

	episode->seed = fuzz_random(&state);
	episode->nr_threads = number % 4 == 3 ? MAX_THREADS : 1;
	for (unsigned int i = 0; i < episode->nr_threads; i++) {
		fuzz_generate(episode->ops[i], EPISODE, fuzz_random(&state), episode->nr_threads == 1);
		episode->nr_ops[i] = EPISODE;
	}
}

static void drop(struct episode *episode, unsigned int from, unsigned int nr)
{
	memmove(episode->ops[0] + from, episode->ops[0] + from + nr,
		(episode->nr_ops[0] - from - nr) * sizeof(struct fuzz_op));
	episode->nr_ops[0] -= nr;
}

/* Leaves out what is not needed to fail, in ever smaller pieces. */
static void shrink(const struct runner *runner, struct episode *episode)
{
	static struct episode shorter;
	unsigned int reruns = 0, piece, at;

	if (episode->nr_threads > 1) {
		tap_diag("threads: not made shorter");
		return;
	}
	if (passes(runner, episode, true)) {
		tap_diag("it does not fail again");
		return;
	}
	for (piece = episode->nr_ops[0] / 2; piece; piece /= 2) {
		for (at = 0; at + piece <= episode->nr_ops[0] && reruns < MAX_RERUNS; reruns++) {
			shorter = *episode;
			drop(&shorter, at, piece);
			if (passes(runner, &shorter, true))
				at += piece;
			else
				*episode = shorter;
		}
	}
	tap_diag("%u operations are enough (found by %u runs):", episode->nr_ops[0], reruns);
	verbose = true;
	passes(runner, episode, false);
}

static int run(uint32_t number, uint64_t seed, uint64_t first, uint64_t end, uint64_t step)
{
	static struct runner runner;
	static struct episode episode;
	struct granter *g = granter_open();

	runner.number = number * MAX_THREADS;
	for (uint32_t i = 0; g && i < MAX_THREADS; i++) {
		uint32_t worker = runner.number + i;

		if (granter_frames(g, worker * NR_PAGES, NR_PAGES - NR_READ_ONLY, runner.frames[i]) ||
		    granter_frames(g, suite.nr_rw + worker * NR_READ_ONLY, NR_READ_ONLY,
				   runner.frames[i] + NR_PAGES - NR_READ_ONLY))
			g = NULL;
	}
	if (!g) {
		tap_diag("the granter's pages are not to be had: %s", strerror(errno));
		return 1;
	}
	granter_close(g);
	grant_anew(&runner);
	for (uint64_t e = first; e < end; e += step) {
		generate(&episode, seed, e);
		if (passes(&runner, &episode, false))
			continue;
		tap_diag("SEED=%lu, episode %lu, failed", seed, e);
		shrink(&runner, &episode);
		return 1;
	}
	return 0;
}

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 0);
}

int main(int argc, char **argv)
{
	uint64_t seed = now_us(), nr_ops = 10000, only = UINT64_MAX, nr_episodes, start;
	unsigned int nr_processes = 1;
	char type[16], balancing[16] = "";
	struct granter *g;
	int opt, ret = 0;

	while ((opt = getopt(argc, argv, "s:n:e:j:v")) != -1) {
		switch (opt) {
		case 's':
			seed = number(optarg);
			break;
		case 'n':
			nr_ops = number(optarg);
			break;
		case 'e':
			only = number(optarg);
			break;
		case 'j':
			nr_processes = number(optarg);
			break;
		case 'v':
			verbose = true;
			break;
		default:
			return 2;
		}
	}
	if (optind + 1 != argc) {
		fprintf(stderr, "usage: gntmap-fuzz [-s SEED] [-n OPERATIONS] [-e EPISODE] [-j PROCESSES] [-v] STRATEGY\n");
		return 2;
	}
	suite.strategy = argv[optind];
	snprintf(suite.node, sizeof(suite.node), "/dev/xen/gntmap-%s", suite.strategy);
	done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	g = granter_open();
	if (done == MAP_FAILED || !g || !read_line("/sys/hypervisor/guest_type", type, sizeof(type))) {
		fprintf(stderr, "%s: no Xen, or no granter\n", argv[0]);
		return 2;
	}
	suite.pv = !strcmp(type, "PV");
	suite.granter = g;
	suite.nr_rw = g->nr_refs - g->nr_ro;
	if (nr_processes * MAX_THREADS * NR_READ_ONLY > g->nr_ro)
		nr_processes = g->nr_ro / MAX_THREADS / NR_READ_ONLY;
	/* The probe is open from here on. */
	if (system("modprobe -q dmabuf_probe") || dmabuf_nr_live()) {
		fprintf(stderr, "%s: no dmabuf_probe, or somebody else uses it\n", argv[0]);
		return 2;
	}
	if (read_line(BALANCING, balancing, sizeof(balancing)))
		write_file(BALANCING, "0");

	/* Every fourth episode has three times as many operations. */
	nr_episodes = nr_ops * 4 / (EPISODE * (3 + MAX_THREADS)) + 1;
	tap_start();
	tap_diag("SEED=%lu OPS=%lu", seed, nr_ops);
	start = now_us();
	for (unsigned int i = 0; i < nr_processes; i++) {
		fflush(NULL);
		if (!fork())
			exit(only == UINT64_MAX ? run(i, seed, i, nr_episodes, nr_processes) :
						  i ? 0 : run(0, seed, only, only + 1, 1));
	}
	for (unsigned int i = 0; i < nr_processes; i++) {
		int status = 1;

		wait(&status);
		ret |= status;
	}
	if (balancing[0])
		write_file(BALANCING, balancing);
	print_answers();
	tap_diag("%lu operations in %lu s", done->nr, (now_us() - start) / 1000000);
	tap_line(ret ? TAP_FAIL : TAP_PASS, NULL, "%s: random operations do what the model says (SEED=%lu)", suite.strategy,
		 seed);
	tap_line(comes(!dmabuf_nr_live()) ? TAP_PASS : TAP_FAIL, NULL, "%s: no dma-buf is left", suite.strategy);
	tap_line(leaks_no_reference(suite.strategy) ? TAP_PASS : TAP_FAIL, NULL, "%s: nothing keeps the modules",
		 suite.strategy);
	return tap_end();
}
