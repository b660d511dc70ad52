// SPDX-License-Identifier: GPL-2.0
/*
 * A stream through libxenvchan to a server that sends everything back:
 *
 *	client-vchan guest MEGABYTES		the granter is the server
 *	client-vchan dom0 MEGABYTES		a child is, which grants through gntalloc: for PV only, a PVH dom0 loses
 *						the pages that it grants to itself
 *
 * Prints "bytes N SUM back N SUM server N SUM" and then, as long as stdin is open, keeps the vchan. Exit code: 0 when all three
 * are the same, 1 when not, 2 when there was no vchan. A thread burns CPU time beside the stream, since that is what NUMA
 * scans are driven by.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libxenvchan.h>
#include <xenstore.h>

#include "granter_client.h"
#include "numa.h"

#define PAGE 4096ul
#define RING_ORDER 16
#define CONTROL_SIZE (4ul << 20)
/* No byte in either direction for so long: stuck */
#define PATIENCE_MS 30000

struct sum {
	uint64_t nr, sum;
};

static void give_up(const char *what)
{
	fprintf(stderr, "client-vchan: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void add(struct sum *sum, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sum->sum = granter_sum_byte(sum->sum, data[i]);
	sum->nr += size;
}

/* The byte at `at` of the stream */
static uint8_t stream_byte(uint64_t at)
{
	return granter_word(7, at / PAGE, at % PAGE / 8) >> at % 8 * 8;
}

/* Wait for the other side; false when it is silent for too long. */
static bool wait_event(struct libxenvchan *vchan)
{
	struct pollfd fd = { .fd = libxenvchan_fd_for_select(vchan), .events = POLLIN };

	if (poll(&fd, 1, PATIENCE_MS) != 1)
		return false;
	libxenvchan_wait(vchan);
	return true;
}

static void stream(struct libxenvchan *vchan, uint64_t size, struct sum *there, struct sum *back)
{
	static uint8_t out[1 << RING_ORDER], in[1 << RING_ORDER];
	size_t filled = 0;

	while (back->nr < size) {
		int sent = 0, got;

		while (filled < sizeof(out) && there->nr + filled < size) {
			out[filled] = stream_byte(there->nr + filled);
			filled++;
		}
		if (filled)
			sent = libxenvchan_write(vchan, out, filled);
		if (sent < 0)
			give_up("writing");
		add(there, out, sent);
		filled -= sent;
		memmove(out, out + sent, filled);
		got = libxenvchan_read(vchan, in, sizeof(in));
		if (got < 0)
			give_up("reading");
		add(back, in, got);
		if (!sent && !got && !wait_event(vchan)) {
			errno = ETIMEDOUT;
			give_up("the stream");
		}
	}
}

/* Runs in a child; returns through the pipe what it saw. */
static struct sum serve_in_guest(void)
{
	uint64_t arg[GRANTER_NR_ARGS] = { 0, RING_ORDER }, reply[GRANTER_NR_ARGS];
	struct granter *granter = granter_open();

	if (!granter)
		give_up("the granter");
	/* It answers when the stream is over. */
	granter->timeout_ms = 3600 * 1000;
	if (granter_call(granter, GRANTER_VCHAN_SERVE, arg, reply))
		give_up("the granter's vchan");
	return (struct sum){ reply[0], reply[1] };
}

static struct sum serve_here(const char *path)
{
	static uint8_t data[1 << RING_ORDER];
	struct libxenvchan *vchan = libxenvchan_server_init(NULL, 0, path, sizeof(data), sizeof(data));
	struct sum sum = { 0, GRANTER_SUM_INIT };

	if (!vchan)
		give_up("a server");
	vchan->blocking = 1;
	for (;;) {
		int got = libxenvchan_read(vchan, data, sizeof(data));

		if (got <= 0)
			break;
		add(&sum, data, got);
		if (libxenvchan_send(vchan, data, got) != got)
			give_up("sending back");
	}
	libxenvchan_close(vchan);
	return sum;
}

static void *burn(void *control)
{
	for (;;) {
		for (size_t at = 0; at < CONTROL_SIZE; at += PAGE)
			(void)*(volatile char *)((char *)control + at);
		for (volatile int i = 0; i < 100000; i++)
			;
	}
	return NULL;
}

static struct libxenvchan *connect_to(int domid, const char *path)
{
	struct libxenvchan *vchan = NULL;
	char key[128];

	for (int i = 0; i < PATIENCE_MS / 100 && !vchan; i++) {
		struct xs_handle *store = xs_open(0);
		char *value;

		snprintf(key, sizeof(key), "%s/ring-ref", path);
		value = xs_read(store, XBT_NULL, key, NULL);
		xs_close(store);
		if (value) {
			free(value);
			vchan = libxenvchan_client_init(NULL, domid, path);
			if (!vchan)
				give_up("a client");
		}
		usleep(100 * 1000);
	}
	if (!vchan) {
		errno = ETIMEDOUT;
		give_up("the server");
	}
	return vchan;
}

int main(int argc, char **argv)
{
	struct sum there = { 0, GRANTER_SUM_INIT }, back = there, server = { 0 };
	struct libxenvchan *vchan;
	pthread_t thread;
	char path[64], end;
	int domid = 0, pipefd[2];
	bool guest;
	pid_t child;

	if (argc != 3)
		return 2;
	guest = !strcmp(argv[1], "guest");
	if (guest) {
		struct granter *granter = granter_open();

		if (!granter)
			give_up("the granter");
		domid = granter->domid;
		granter_close(granter);
		snprintf(path, sizeof(path), "/local/domain/%d/data/vchan", domid);
	} else {
		snprintf(path, sizeof(path), "/local/domain/0/data/client-vchan-%d", getpid());
	}
	if (pipe(pipefd))
		give_up("a pipe");
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		server = guest ? serve_in_guest() : serve_here(path);
		exit(write(pipefd[1], &server, sizeof(server)) != sizeof(server));
	}
	close(pipefd[1]);
	vchan = connect_to(domid, path);
	if (pthread_create(&thread, NULL, burn, numa_control_alloc(CONTROL_SIZE)))
		give_up("a thread");
	stream(vchan, strtoul(argv[2], NULL, 0) << 20, &there, &back);
	printf("bytes %" PRIu64 " %016" PRIx64 " back %" PRIu64 " %016" PRIx64, there.nr, there.sum, back.nr, back.sum);
	fflush(stdout);
	while (read(0, &end, 1) > 0)
		;
	libxenvchan_close(vchan);
	if (read(pipefd[0], &server, sizeof(server)) != sizeof(server))
		give_up("the server's sum");
	waitpid(child, NULL, 0);
	printf(" server %" PRIu64 " %016" PRIx64 "\n", server.nr, server.sum);
	return there.nr != back.nr || there.sum != back.sum || server.nr != there.nr || server.sum != there.sum;
}
