// SPDX-License-Identifier: GPL-2.0
/*
 * The granter: a PV domain that grants pages to dom0 and does to them what dom0
 * asks. granter.h is its specification; the words pages= and ro= of its command line
 * are nr_refs and nr_ro there.
 */
#include "guest.h"

#include <xen/grant_table.h>
#include <xen/sched.h>

#include "granter.h"

#define IDLE_NS 10000000

#define MAILBOX_REF GNTTAB_NR_RESERVED_ENTRIES
#define FIRST_REF (MAILBOX_REF + 1)

static union {
	struct granter_mailbox box;
	char page[PAGE_SIZE];
} mailbox PAGE_ALIGNED;

/* What GRANTER_WATCH asked to look at, and what was seen. */
static struct {
	uint32_t port;
	uint64_t first, nr, byte;
	uint64_t nr_events, nr_busy, value;
} watch;

static bool is_range(const uint64_t *arg)
{
	return arg[0] <= nr_pages && arg[1] <= nr_pages - arg[0];
}

static int ping(const uint64_t *arg, uint64_t *reply)
{
	reply[0] = arg[0] + 1;
	return 0;
}

static int fill(const uint64_t *arg, uint64_t *reply)
{
	(void)reply;
	if (!is_range(arg))
		return -ERANGE;
	for (uint64_t i = 0; i < arg[1]; i++)
		page_fill(arg[0] + i, arg[2]);
	return 0;
}

static int sum(const uint64_t *arg, uint64_t *reply)
{
	if (!is_range(arg))
		return -ERANGE;
	reply[0] = GRANTER_SUM_INIT;
	for (uint64_t i = 0; i < arg[1]; i++)
		reply[0] = granter_sum(reply[0], page_words(arg[0] + i), NR_WORDS);
	return 0;
}

static int check_word(const uint64_t *arg)
{
	if (arg[0] >= nr_pages || arg[1] >= PAGE_SIZE)
		return -ERANGE;
	return arg[1] % 8 ? -EINVAL : 0;
}

static int peek(const uint64_t *arg, uint64_t *reply)
{
	int ret = check_word(arg);

	if (!ret)
		reply[0] = page_words(arg[0])[arg[1] / 8];
	return ret;
}

static int poke(const uint64_t *arg, uint64_t *reply)
{
	int ret = check_word(arg);

	(void)reply;
	if (!ret)
		page_words(arg[0])[arg[1] / 8] = arg[2];
	return ret;
}

static uint64_t count_busy(uint64_t first, uint64_t nr, uint64_t *first_busy)
{
	uint64_t nr_busy = 0;

	*first_busy = UINT64_MAX;
	for (uint64_t page = first; page < first + nr; page++)
		if (grant_busy(FIRST_REF + page) && nr_busy++ == 0)
			*first_busy = page;
	return nr_busy;
}

static int busy(const uint64_t *arg, uint64_t *reply)
{
	if (!is_range(arg))
		return -ERANGE;
	reply[0] = count_busy(arg[0], arg[1], &reply[1]);
	return 0;
}

/* Whoever sends us an event says that it has let go: is it so, at this moment? */
static void look(void)
{
	uint64_t first_busy;

	if (!event_take(watch.port))
		return;
	if (watch.nr_events++ || !watch.nr)
		return;
	watch.nr_busy = count_busy(watch.first, watch.nr, &first_busy);
	watch.value = ((volatile uint8_t *)page_words(watch.first))[watch.byte];
}

static int start_watch(const uint64_t *arg, uint64_t *reply)
{
	if (!is_range(arg) || arg[0] == nr_pages || arg[2] >= PAGE_SIZE)
		return -ERANGE;
	event_take(watch.port);
	watch.first = arg[0];
	watch.nr = arg[1];
	watch.byte = arg[2];
	watch.nr_events = watch.nr_busy = watch.value = 0;
	reply[0] = watch.port;
	return 0;
}

static int watched(const uint64_t *arg, uint64_t *reply)
{
	(void)arg;
	look();
	reply[0] = watch.nr_events;
	reply[1] = watch.nr_busy;
	reply[2] = watch.value;
	return 0;
}

static int revoke(const uint64_t *arg, uint64_t *reply)
{
	if (!is_range(arg))
		return -ERANGE;
	reply[0] = 0;
	reply[1] = UINT64_MAX;
	for (uint64_t page = arg[0]; page < arg[0] + arg[1]; page++) {
		if (grant_end(FIRST_REF + page))
			reply[0]++;
		else if (reply[1] == UINT64_MAX)
			reply[1] = page;
	}
	return 0;
}

static int grant_anew(const uint64_t *arg, uint64_t *reply)
{
	(void)reply;
	if (!is_range(arg))
		return -ERANGE;
	if (arg[2] >= DOMID_FIRST_RESERVED)
		return -EINVAL;
	for (uint64_t page = arg[0]; page < arg[0] + arg[1]; page++)
		if (grant_exists(FIRST_REF + page))
			return -EBUSY;
	for (uint64_t page = arg[0]; page < arg[0] + arg[1]; page++)
		grant(FIRST_REF + page, arg[2], page_mfn(page), arg[3]);
	return 0;
}

static int talk(const uint64_t *arg, uint64_t *reply)
{
	char text[48], back[48];

	for (uint64_t i = 0; i < arg[0]; i++) {
		size_t length = text_format(text, sizeof(text), "%lu %lu", arg[1], i);
		size_t same = 0;

		xenstore_write("data/talk", text);
		if (xenstore_read("data/talk", back, sizeof(back)))
			while (same < length && back[same] == text[same])
				same++;
		if (same != length || back[length])
			reply[0]++;
		console_print("talk %lu %lu\n", arg[1], i);
	}
	return 0;
}

/* The page of GRANTER_MAP. */
static volatile uint64_t *mapped;

static int map(const uint64_t *arg, uint64_t *reply)
{
	(void)reply;
	if (mapped)
		return -EBUSY;
	mapped = grant_map(arg[0]);
	return mapped ? 0 : -EINVAL;
}

static int swap(const uint64_t *arg, uint64_t *reply)
{
	if (!mapped)
		return -ENOENT;
	if (arg[0] >= PAGE_SIZE || arg[0] % 8)
		return -ERANGE;
	reply[0] = mapped[arg[0] / 8];
	mapped[arg[0] / 8] = arg[1];
	return 0;
}

static int unmap(const uint64_t *arg, uint64_t *reply)
{
	(void)arg;
	(void)reply;
	if (!mapped)
		return -ENOENT;
	mapped = NULL;
	grant_unmap();
	return 0;
}

static int leave(const uint64_t *arg, uint64_t *reply)
{
	(void)arg;
	(void)reply;
	return 0;
}

static int (*const commands[])(const uint64_t *arg, uint64_t *reply) = {
	[GRANTER_PING] = ping,	   [GRANTER_FILL] = fill,	 [GRANTER_SUM] = sum,
	[GRANTER_PEEK] = peek,	   [GRANTER_POKE] = poke,	 [GRANTER_BUSY] = busy,
	[GRANTER_REVOKE] = revoke, [GRANTER_GRANT] = grant_anew, [GRANTER_EXIT] = leave,
	[GRANTER_WATCH] = start_watch, [GRANTER_WATCHED] = watched,
	[GRANTER_DISK_OPEN] = disk_open, [GRANTER_DISK_IO] = disk_io, [GRANTER_DISK_CLOSE] = disk_close,
	[GRANTER_VCHAN_SERVE] = vchan_serve, [GRANTER_TALK] = talk,
	[GRANTER_MAP] = map,	   [GRANTER_SWAP] = swap,	 [GRANTER_UNMAP] = unmap,
};

static void answer(uint32_t request, uint32_t port)
{
	struct granter_mailbox *box = &mailbox.box;
	/* dom0 may write to its page while we look: decide on a copy. */
	struct granter_mailbox asked = *(volatile struct granter_mailbox *)box;
	uint64_t reply[ARRAY_SIZE(asked.reply)] = { 0 };
	int result = -ENOSYS;

	if (asked.cmd < ARRAY_SIZE(commands) && commands[asked.cmd])
		result = commands[asked.cmd](asked.arg, reply);
	memcpy(box->reply, reply, sizeof(reply));
	box->result = result;
	store_release(&box->response, request);
	event_send(port);
	if (asked.cmd == GRANTER_EXIT) {
		console_print("granter: told to exit\n");
		shut_down(SHUTDOWN_poweroff);
	}
}

static void publish(const char *key, uint64_t value)
{
	char path[48], text[24];

	text_format(path, sizeof(path), "data/granter/%s", key);
	text_format(text, sizeof(text), "%lu", value);
	xenstore_write(path, text);
}

_Noreturn void granter_main(const struct start_info *si);

void granter_main(const struct start_info *si)
{
	uint32_t ports[2], port;
	uint64_t nr, nr_ro;

	memory_init(si);
	event_init(si);
	console_init(si);
	xenstore_init(si);

	nr = text_option((const char *)si->cmd_line, "pages", 2048);
	nr_ro = text_option((const char *)si->cmd_line, "ro", 64);
	if (nr_ro > nr)
		die("ro=", nr_ro);
	pages_init(nr);
	/* Two more: a disk's ring, and the page that a vchan's sides share. */
	grants_init(FIRST_REF + nr + 2);
	disk_init(FIRST_REF, FIRST_REF + nr);
	vchan_init(FIRST_REF, FIRST_REF + nr + 1);
	mailbox.box.magic = GRANTER_MAGIC;
	grant(MAILBOX_REF, 0, image_to_mfn(&mailbox), false);
	for (uint64_t page = 0; page < nr; page++)
		grant(FIRST_REF + page, 0, page_mfn(page), page >= nr - nr_ro);
	port = event_alloc(0);
	watch.port = event_alloc(0);
	ports[0] = port;
	ports[1] = watch.port;

	publish("first_ref", FIRST_REF);
	publish("nr_refs", nr);
	publish("nr_ro", nr_ro);
	publish("first_gfn", page_mfn(0));
	publish("gfn_list", pages_directory_mfn());
	publish("mailbox_ref", MAILBOX_REF);
	publish("mailbox_gfn", image_to_mfn(&mailbox));
	publish("port", port);
	xenstore_write("data/granter/state", "ready");
	console_print("granter: %lu pages from ref %lu, the last %lu read-only\n", nr, (uint64_t)FIRST_REF, nr_ro);

	for (;;) {
		uint32_t request;

		look();
		event_take(port);
		request = load_acquire(&mailbox.box.request);
		if (request != mailbox.box.response)
			answer(request, port);
		else
			event_wait(ports, ARRAY_SIZE(ports), IDLE_NS);
	}
}
