// SPDX-License-Identifier: GPL-2.0
#include "granter_client.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xenforeignmemory.h>

#define SETTINGS "/run/granter.env"

struct granter_private {
	int lock;
	struct xenforeignmemory_handle *memory;
	struct granter_mailbox *box;
	struct xenevtchn_handle *event; /* NULL: look from time to time */
	evtchn_port_t local_port;
};

/* Copies the value of `name` in SETTINGS to value[]; false when there is none. */
static bool read_setting(const char *name, char *value, size_t size)
{
	FILE *file = fopen(SETTINGS, "re");
	size_t length = strlen(name);
	char line[256];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		char *key = line;

		if (!strncmp(key, "export ", 7))
			key += 7;
		if (strncmp(key, name, length) || key[length] != '=')
			continue;
		key[strcspn(key, "\n")] = 0;
		found = (size_t)snprintf(value, size, "%s", key + length + 1) < size;
	}
	fclose(file);
	return found;
}

static int get_number(const char *name, uint64_t max, uint64_t *value)
{
	char buf[32], *end;
	const char *text = getenv(name);

	if (!text) {
		if (!read_setting(name, buf, sizeof(buf))) {
			errno = ENOENT;
			return -1;
		}
		text = buf;
	}
	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno || *end || !isdigit((unsigned char)text[0]) || *value > max) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

static int get_settings(struct granter *g)
{
	const struct {
		const char *name;
		uint32_t *narrow;
		uint64_t *wide;
	} settings[] = {
		{ "GRANTER_DOMID", &g->domid, NULL },
		{ "GRANTER_FIRST_REF", &g->first_ref, NULL },
		{ "GRANTER_NR_REFS", &g->nr_refs, NULL },
		{ "GRANTER_NR_RO", &g->nr_ro, NULL },
		{ "GRANTER_MAILBOX_REF", &g->mailbox_ref, NULL },
		{ "GRANTER_PORT", &g->port, NULL },
		{ "GRANTER_FIRST_GFN", NULL, &g->first_gfn },
		{ "GRANTER_GFN_LIST", NULL, &g->gfn_list },
		{ "GRANTER_MAILBOX_GFN", NULL, &g->mailbox_gfn },
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		uint64_t value;

		if (get_number(settings[i].name, settings[i].wide ? UINT64_MAX : UINT32_MAX, &value))
			return -1;
		if (settings[i].wide)
			*settings[i].wide = value;
		else
			*settings[i].narrow = value;
	}
	return 0;
}

static void *map_frame(struct granter *g, int prot, uint64_t frame)
{
	xen_pfn_t pfn = frame;

	/* No array of errors: the frame is mapped or the call fails. */
	return xenforeignmemory_map(g->private->memory, g->domid, prot, 1, &pfn, NULL);
}

static void unmap_frame(struct granter *g, void *page)
{
	int saved = errno;

	xenforeignmemory_unmap(g->private->memory, page, 1);
	errno = saved;
}

/* Not an error when it fails: another handle has the channel, or there is no /dev/xen/evtchn. */
static void open_event(struct granter *g)
{
	struct granter_private *p = g->private;
	xenevtchn_port_or_error_t port;

	p->event = xenevtchn_open(NULL, 0);
	if (!p->event)
		return;
	port = xenevtchn_bind_interdomain(p->event, g->domid, g->port);
	if (port < 0) {
		xenevtchn_close(p->event);
		p->event = NULL;
		return;
	}
	p->local_port = port;
	g->has_event = true;
}

struct granter *granter_open(void)
{
	struct granter *g = calloc(1, sizeof(*g));
	struct granter_private *p = calloc(1, sizeof(*p));

	if (!g || !p) {
		free(g);
		free(p);
		errno = ENOMEM;
		return NULL;
	}
	g->private = p;
	g->timeout_ms = 10000;
	p->lock = -1;
	if (get_settings(g))
		goto err;
	p->lock = open(GRANTER_LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (p->lock < 0)
		goto err;
	p->memory = xenforeignmemory_open(NULL, 0);
	if (!p->memory)
		goto err;
	p->box = map_frame(g, PROT_READ | PROT_WRITE, g->mailbox_gfn);
	if (!p->box)
		goto err;
	if (p->box->magic != GRANTER_MAGIC) {
		errno = EPROTO;
		goto err;
	}
	open_event(g);
	return g;

err:
	granter_close(g);
	return NULL;
}

void granter_close(struct granter *g)
{
	struct granter_private *p;
	int saved = errno;

	if (!g)
		return;
	p = g->private;
	if (p->event)
		xenevtchn_close(p->event);
	if (p->box)
		unmap_frame(g, p->box);
	if (p->memory)
		xenforeignmemory_close(p->memory);
	if (p->lock >= 0)
		close(p->lock);
	free(p);
	free(g);
	errno = saved;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

static int sleep_1ms(int64_t deadline)
{
	if (now_ms() >= deadline) {
		errno = ETIMEDOUT;
		return -1;
	}
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	return 0;
}

static int take_lock(struct granter *g, int64_t deadline)
{
	while (flock(g->private->lock, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		if (sleep_1ms(deadline))
			return -1;
	}
	return 0;
}

/* Waits a little for a notification, or just a little. */
static int wait_a_little(struct granter *g, int64_t deadline)
{
	struct granter_private *p = g->private;
	struct pollfd fd = { .events = POLLIN };
	xenevtchn_port_or_error_t port;

	if (!p->event)
		return sleep_1ms(deadline);
	if (now_ms() >= deadline) {
		errno = ETIMEDOUT;
		return -1;
	}
	fd.fd = xenevtchn_fd(p->event);
	/* A notification that got lost costs 20 ms, not the call. */
	if (poll(&fd, 1, 20) <= 0)
		return 0;
	port = xenevtchn_pending(p->event);
	if (port < 0)
		return sleep_1ms(deadline);
	xenevtchn_unmask(p->event, port);
	return 0;
}

static int wait_answer(struct granter *g, uint32_t request, int64_t deadline)
{
	while (__atomic_load_n(&g->private->box->response, __ATOMIC_ACQUIRE) != request)
		if (wait_a_little(g, deadline))
			return -1;
	return 0;
}

static int call_locked(struct granter *g, enum granter_cmd cmd, const uint64_t *arg, uint64_t *reply, int64_t deadline)
{
	struct granter_private *p = g->private;
	struct granter_mailbox *box = p->box;
	uint32_t request = box->request;

	if (box->magic != GRANTER_MAGIC) {
		errno = EPROTO;
		return -1;
	}
	/* Somebody may have given up waiting for the answer to the last request. */
	if (wait_answer(g, request, deadline))
		return -1;
	box->cmd = cmd;
	memcpy(box->arg, arg, sizeof(box->arg));
	request++;
	__atomic_store_n(&box->request, request, __ATOMIC_RELEASE);
	/* A notification that cannot be sent is not missed: the granter looks anyway, if it lives. */
	if (p->event)
		xenevtchn_notify(p->event, p->local_port);
	if (wait_answer(g, request, deadline))
		return -1;
	if (box->result) {
		errno = -box->result;
		return -1;
	}
	if (reply)
		memcpy(reply, box->reply, sizeof(box->reply));
	return 0;
}

int granter_call(struct granter *g, enum granter_cmd cmd, const uint64_t arg[GRANTER_NR_ARGS],
		 uint64_t reply[GRANTER_NR_ARGS])
{
	int64_t deadline = now_ms() + g->timeout_ms;
	int ret, saved;

	if (take_lock(g, deadline))
		return -1;
	ret = call_locked(g, cmd, arg, reply, deadline);
	saved = errno;
	flock(g->private->lock, LOCK_UN);
	errno = saved;
	return ret;
}

#define ARGS(...) ((const uint64_t[GRANTER_NR_ARGS]){ __VA_ARGS__ })

int granter_ping(struct granter *g)
{
	uint64_t reply[GRANTER_NR_ARGS], arg = (uint64_t)now_ms() << 8;

	if (granter_call(g, GRANTER_PING, ARGS(arg), reply))
		return -1;
	if (reply[0] != arg + 1) {
		errno = EPROTO;
		return -1;
	}
	return 0;
}

int granter_fill(struct granter *g, uint64_t first, uint64_t nr, uint64_t seed)
{
	return granter_call(g, GRANTER_FILL, ARGS(first, nr, seed), NULL);
}

int granter_sum_pages(struct granter *g, uint64_t first, uint64_t nr, uint64_t *sum)
{
	uint64_t reply[GRANTER_NR_ARGS];

	if (granter_call(g, GRANTER_SUM, ARGS(first, nr), reply))
		return -1;
	*sum = reply[0];
	return 0;
}

int granter_peek(struct granter *g, uint64_t page, uint64_t byte, uint64_t *word)
{
	uint64_t reply[GRANTER_NR_ARGS];

	if (granter_call(g, GRANTER_PEEK, ARGS(page, byte), reply))
		return -1;
	*word = reply[0];
	return 0;
}

int granter_poke(struct granter *g, uint64_t page, uint64_t byte, uint64_t word)
{
	return granter_call(g, GRANTER_POKE, ARGS(page, byte, word), NULL);
}

static int64_t call_count(struct granter *g, enum granter_cmd cmd, uint64_t first, uint64_t nr, uint64_t *first_busy)
{
	uint64_t reply[GRANTER_NR_ARGS];

	if (granter_call(g, cmd, ARGS(first, nr), reply))
		return -1;
	if (first_busy)
		*first_busy = reply[1];
	return reply[0];
}

int64_t granter_busy(struct granter *g, uint64_t first, uint64_t nr, uint64_t *first_busy)
{
	return call_count(g, GRANTER_BUSY, first, nr, first_busy);
}

int64_t granter_revoke(struct granter *g, uint64_t first, uint64_t nr, uint64_t *first_busy)
{
	return call_count(g, GRANTER_REVOKE, first, nr, first_busy);
}

int granter_grant(struct granter *g, uint64_t first, uint64_t nr, uint32_t domid, bool readonly)
{
	return granter_call(g, GRANTER_GRANT, ARGS(first, nr, domid, readonly), NULL);
}

int granter_watch(struct granter *g, uint64_t page, uint64_t nr, uint64_t byte, uint32_t *port)
{
	uint64_t reply[GRANTER_NR_ARGS];

	if (granter_call(g, GRANTER_WATCH, ARGS(page, nr, byte), reply))
		return -1;
	*port = reply[0];
	return 0;
}

int64_t granter_watched(struct granter *g, uint64_t *nr_busy, uint8_t *value)
{
	uint64_t reply[GRANTER_NR_ARGS];

	if (granter_call(g, GRANTER_WATCHED, ARGS(0), reply))
		return -1;
	*nr_busy = reply[1];
	*value = reply[2];
	return reply[0];
}

int granter_map(struct granter *g, uint32_t ref)
{
	return granter_call(g, GRANTER_MAP, ARGS(ref), NULL);
}

int granter_swap(struct granter *g, uint64_t byte, uint64_t word, uint64_t *old)
{
	uint64_t reply[GRANTER_NR_ARGS];

	if (granter_call(g, GRANTER_SWAP, ARGS(byte, word), reply))
		return -1;
	*old = reply[0];
	return 0;
}

int granter_unmap(struct granter *g)
{
	return granter_call(g, GRANTER_UNMAP, ARGS(0), NULL);
}

int granter_exit(struct granter *g)
{
	return granter_call(g, GRANTER_EXIT, ARGS(0), NULL);
}

int granter_frames(struct granter *g, uint64_t first, uint64_t nr, uint64_t *frames)
{
	uint64_t *directory, *list = NULL, shown = UINT64_MAX;
	int ret = 0;

	if (first > g->nr_refs || nr > g->nr_refs - first) {
		errno = ERANGE;
		return -1;
	}
	directory = map_frame(g, PROT_READ, g->gfn_list);
	if (!directory)
		return -1;
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t page = first + i, want = page / GRANTER_FRAMES_PER_LIST;

		if (shown != want) {
			if (list)
				unmap_frame(g, list);
			list = map_frame(g, PROT_READ, directory[want]);
			if (!list) {
				ret = -1;
				break;
			}
			shown = want;
		}
		frames[i] = list[page % GRANTER_FRAMES_PER_LIST];
	}
	if (list)
		unmap_frame(g, list);
	unmap_frame(g, directory);
	return ret;
}
