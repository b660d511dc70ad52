// SPDX-License-Identifier: GPL-2.0
/*
 * SET_UNMAP_NOTIFY: the granter hears that a mapping is gone, by a byte that becomes 0 and by an event, and finds its
 * grants back when the event comes.
 *
 * The granter itself looks at grants and byte when it wakes up (GRANTER_WATCH); what order the driver kept is seen there.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xengnttab.h>

#include "channel.h"
#include "library.h"
#include "pin.h"
#include "range.h"
#include "suite.h"

#define RW (PROT_READ | PROT_WRITE)
#define CLEAR UNMAP_NOTIFY_CLEAR_BYTE
#define SEND UNMAP_NOTIFY_SEND_EVENT
#define NR 5u
#define FIRST 7u
/* The byte, in the range and in its page. */
#define BYTE (3 * PAGE_SIZE + 1234)
#define PAGE (BYTE / PAGE_SIZE)
#define IN_PAGE (BYTE % PAGE_SIZE)
#define WITHIN_MS 10000
/* What must not come has had this long. */
#define QUIET_MS 150

static int try_notify(int fd, uint64_t index, uint32_t action, uint32_t port)
{
	struct ioctl_gntdev_unmap_notify op = { .index = index, .action = action, .event_channel_port = port };

	return ioctl(fd, IOCTL_GNTDEV_SET_UNMAP_NOTIFY, &op) ? -errno : 0;
}

static void watch_anew(void)
{
	uint32_t port;

	check(!granter_watch(suite.granter, FIRST + PAGE, 1, IN_PAGE, &port), "%s", strerror(errno));
}

static int64_t watched(uint64_t *nr_busy, uint8_t *value)
{
	int64_t nr = granter_watched(suite.granter, nr_busy, value);

	check(nr >= 0, "%s", strerror(errno));
	return nr;
}

/* Waits for an event: then the granter had its page back, and the byte was `value`. */
static void check_heard(uint8_t value)
{
	uint64_t start = now_us(), busy;
	uint8_t seen;
	int64_t nr;

	while (!(nr = watched(&busy, &seen)))
		check(now_us() - start < WITHIN_MS * 1000ull, "no event in %u ms", WITHIN_MS);
	check(nr == 1, "%ld events", (long)nr);
	check(!busy, "the page was still mapped when the event came");
	check(seen == value, "the byte was %u when the event came", seen);
}

static void check_silence(void)
{
	uint64_t busy;
	uint8_t seen;
	int64_t nr;

	sleep_ms(QUIET_MS);
	nr = watched(&busy, &seen);
	check(!nr, "%ld events", (long)nr);
}

/* A channel that the granter is seen to hear, and that it watches the page and the byte for from now on. */
static uint32_t watch(xenevtchn_handle **handle)
{
	uint32_t port = bind_channel(handle);
	uint64_t busy;
	uint8_t seen;

	check(!xenevtchn_notify(*handle, port), "%s", strerror(errno));
	for (uint64_t start = now_us(); !watched(&busy, &seen);)
		check(now_us() - start < WITHIN_MS * 1000ull, "premise: the granter does not hear us");
	watch_anew();
	return port;
}

/* The granter's pages hold the pattern with `seed`, and `value` where the byte is. */
static void check_content(uint64_t seed, uint8_t value)
{
	uint64_t want = GRANTER_SUM_INIT, sum;

	for (uint32_t page = 0; page < NR; page++) {
		for (uint32_t word = 0; word < PAGE_SIZE / 8; word++) {
			uint64_t w = granter_word(seed, FIRST + page, word);

			if (page == PAGE && word == IN_PAGE / 8)
				((uint8_t *)&w)[IN_PAGE % 8] = value;
			want = granter_sum(want, &w, 1);
		}
	}
	check(!granter_sum_pages(suite.granter, FIRST, NR, &sum), "%s", strerror(errno));
	check(sum == want, "byte %lu is not %u, or something else has changed", BYTE, value);
}

#define SEED 815
#define LIVE 0x5a

/* The pages hold the pattern, and LIVE where the byte is. */
static void set_content(void)
{
	uint64_t word;

	check(!granter_fill(suite.granter, FIRST, NR, SEED), "%s", strerror(errno));
	check(!granter_peek(suite.granter, FIRST + PAGE, IN_PAGE & ~7, &word), "%s", strerror(errno));
	((uint8_t *)&word)[IN_PAGE % 8] = LIVE;
	check(!granter_poke(suite.granter, FIRST + PAGE, IN_PAGE & ~7, word), "%s", strerror(errno));
	check_content(SEED, LIVE);
}

/* A mapped range with that content. */
static struct range prepare(int prot)
{
	set_content();
	return range_map(open_node(), FIRST, NR, prot);
}

static void byte_on_munmap(void)
{
	struct range r = prepare(RW);

	expect(try_notify(r.fd, r.offset + BYTE, CLEAR, 0), 0);
	check_content(SEED, LIVE);
	range_munmap(&r);
	check_content(SEED, 0);
}

static void event_on_munmap(void)
{
	xenevtchn_handle *handle;
	uint32_t port = watch(&handle);
	struct range r = prepare(RW);

	expect(try_notify(r.fd, r.offset, SEND, port), 0);
	check_silence();
	range_munmap(&r);
	check_heard(LIVE);
	check_content(SEED, LIVE);
	watch_anew();
	range_remove(&r);
	close(r.fd);
	check_silence();
}

static void both_on_munmap(void)
{
	xenevtchn_handle *handle;
	uint32_t port = watch(&handle);
	struct range r = prepare(RW);

	expect(try_notify(r.fd, r.offset + BYTE, CLEAR | SEND, port), 0);
	range_munmap(&r);
	check_heard(0);
	check_content(SEED, 0);
}

static void on_munmap_of_a_removed_range(void)
{
	xenevtchn_handle *handle;
	uint32_t port = watch(&handle);
	struct range r = prepare(RW);

	expect(try_notify(r.fd, r.offset + BYTE, CLEAR | SEND, port), 0);
	range_remove(&r);
	close(r.fd);
	check_silence();
	check_content(SEED, LIVE);
	range_munmap(&r);
	check_heard(0);
}

static void never_mapped(void)
{
	xenevtchn_handle *handle;
	uint32_t port = watch(&handle);
	struct range r;

	set_content();
	r = range_add(open_node(), FIRST, NR);
	expect(try_notify(r.fd, r.offset + BYTE, CLEAR | SEND, port), 0);
	check_silence();
	range_remove(&r);
	check_heard(LIVE);

	watch_anew();
	r = range_add(r.fd, FIRST, NR);
	expect(try_notify(r.fd, r.offset, SEND, port), 0);
	close(r.fd);
	check_heard(LIVE);
	check_content(SEED, LIVE);
}

static void map_and_end(void *how)
{
	xenevtchn_handle *handle;
	uint32_t port = watch(&handle);
	struct range r = prepare(RW);

	expect(try_notify(r.fd, r.offset + BYTE, CLEAR | SEND, port), 0);
	if (how)
		raise(*(int *)how);
}

static void on_exit_of_process(void)
{
	expect(run_child(map_and_end, NULL, true), 0);
	check_heard(0);
	check_content(SEED, 0);
}

static void on_kill(void)
{
	int sig = SIGKILL;

	expect(run_child(map_and_end, &sig, true), 256 + SIGKILL);
	check_heard(0);
	check_content(SEED, 0);
}

static void channel_closed_before(void)
{
	xenevtchn_handle *handle;
	uint32_t port = watch(&handle);
	struct range r = prepare(RW);

	expect(try_notify(r.fd, r.offset, SEND, port), 0);
	xenevtchn_close(handle);
	check_silence();
	range_munmap(&r);
	check_heard(LIVE);
	/* What the driver had was the last reference. */
	bind_channel(&handle);
}

static void pin_delays_the_event(void)
{
	xenevtchn_handle *handle;
	uint32_t port = watch(&handle);
	struct range r = prepare(RW);
	struct pin pin;
	int ret;

	expect(try_notify(r.fd, r.offset + BYTE, CLEAR | SEND, port), 0);
	/* Not the page that is watched: the event is the whole range's. */
	ret = pin_page(&pin, PIN_PIPE, range_page(&r, 0));
	if (ret == -EFAULT && strategy_is("vmio"))
		case_skip("a pin: VM_IO refuses it");
	expect(ret, 0);
	range_munmap(&r);
	wait_busy(FIRST, NR, 1);
	check_content(SEED, 0);
	check_silence();
	expect(unpin_page(&pin, NULL), 0);
	check_heard(0);
}

/* A notification that is set while pages are on their way back is for the next mapping. */
static void set_while_a_page_is_pinned(void)
{
	xenevtchn_handle *handle;
	uint32_t port = watch(&handle);
	struct range r = prepare(RW);
	struct pin pin;
	int ret;

	expect(try_notify(r.fd, r.offset, SEND, port), 0);
	ret = pin_page(&pin, PIN_PIPE, range_page(&r, PAGE));
	if (ret == -EFAULT && strategy_is("vmio"))
		case_skip("a pin: VM_IO refuses it");
	expect(ret, 0);
	range_munmap(&r);
	wait_busy(FIRST, NR, 1);
	expect(try_notify(r.fd, r.offset + BYTE, CLEAR | SEND, port), 0);
	check_silence();
	expect(unpin_page(&pin, NULL), 0);
	/* That is of the first one. */
	check_heard(LIVE);
	watch_anew();
	check_silence();
	check_content(SEED, LIVE);
	range_mmap(&r, RW);
	range_unmap(&r);
	check_heard(0);
	check_content(SEED, 0);
}

static void replaced(void)
{
	xenevtchn_handle *handle, *other;
	uint32_t port = watch(&handle), other_port;
	struct range r = prepare(RW);

	other = xenevtchn_open(NULL, 0);
	check(other, "%s", strerror(errno));
	other_port = xenevtchn_bind_unbound_port(other, suite.granter->domid);
	check((int)other_port > 0, "%s", strerror(errno));

	expect(try_notify(r.fd, r.offset + 17, CLEAR | SEND, other_port), 0);
	expect(try_notify(r.fd, r.offset + BYTE, CLEAR | SEND, port), 0);
	range_munmap(&r);
	check_heard(0);
	check_content(SEED, 0);
}

static void taken_back(void)
{
	xenevtchn_handle *handle;
	uint32_t port = watch(&handle);
	struct range r = prepare(RW);

	expect(try_notify(r.fd, r.offset + BYTE, CLEAR | SEND, port), 0);
	expect(try_notify(r.fd, r.offset + BYTE, 0, 0), 0);
	xenevtchn_close(handle);
	/* The driver has no reference any more. */
	bind_channel(&handle);
	watch_anew();
	range_unmap(&r);
	check_silence();
	check_content(SEED, LIVE);
}

static void used_up(void)
{
	xenevtchn_handle *handle;
	uint32_t port = watch(&handle);
	struct range r = prepare(RW);

	expect(try_notify(r.fd, r.offset + BYTE, CLEAR | SEND, port), 0);
	range_munmap(&r);
	check_heard(0);
	set_content();
	watch_anew();
	range_mmap(&r, RW);
	range_unmap(&r);
	check_silence();
	check_content(SEED, LIVE);
}

static void failed_mmap(void)
{
	xenevtchn_handle *handle;
	uint32_t port = watch(&handle);
	void *addr;
	struct range r;

	set_content();
	r = range_add(open_node(), FIRST, NR);
	expect(try_notify(r.fd, r.offset + BYTE, CLEAR | SEND, port), 0);
	check(granter_revoke(suite.granter, FIRST + 1, 1, NULL) == 1, "%s", strerror(errno));
	expect(try_mmap(r.fd, r.offset, range_length(&r), RW, MAP_SHARED, &addr), -EINVAL);
	check_silence();
	check_content(SEED, LIVE);
	check(!granter_grant(suite.granter, FIRST + 1, 1, 0, false), "%s", strerror(errno));
	range_mmap(&r, RW);
	range_unmap(&r);
	check_heard(0);
}

static void read_only_map(void)
{
	xenevtchn_handle *handle;
	uint32_t port = watch(&handle);
	struct range r;

	set_content();
	r = range_add(open_node(), FIRST, NR);
	/* Nobody knows yet what it will be. */
	expect(try_notify(r.fd, r.offset + BYTE, CLEAR, 0), 0);
	range_mmap(&r, PROT_READ);
	expect(try_notify(r.fd, r.offset + BYTE, CLEAR | SEND, port), -EINVAL);
	range_munmap(&r);
	check_content(SEED, LIVE);

	range_mmap(&r, PROT_READ);
	expect(try_notify(r.fd, r.offset + BYTE, SEND, port), 0);
	range_munmap(&r);
	check_heard(LIVE);
	check_content(SEED, LIVE);
}

static void last_vma(void)
{
	xenevtchn_handle *handle;
	uint32_t port = watch(&handle);
	struct range r = prepare(RW);
	int pipe_fds[2];
	pid_t child;
	char c;

	expect(try_notify(r.fd, r.offset + BYTE, CLEAR | SEND, port), 0);
	expect(try_munmap(range_page(&r, PAGE), PAGE_SIZE), 0);
	check_silence();
	check_content(SEED, LIVE);

	expect(pipe2(pipe_fds, O_CLOEXEC), 0);
	child = fork();
	check(child >= 0, "%s", strerror(errno));
	if (!child) {
		close(pipe_fds[1]);
		_exit(read(pipe_fds[0], &c, 1) != 0);
	}
	/* All that is left: the parts before and after that page. */
	expect(try_munmap(r.addr, range_length(&r)), 0);
	check_silence();
	close(pipe_fds[1]);
	expect(waitpid(child, NULL, 0), child);
	check_heard(0);
}

static void refused(void)
{
	xenevtchn_handle *handle;
	uint32_t port = watch(&handle);
	struct range r = prepare(RW), gone = range_add(r.fd, 0, 1);

	range_remove(&gone);
	for (int i = 0; i < 3; i++) {
		expect(try_notify(r.fd, r.offset, 4, port), -EINVAL);
		expect(try_notify(r.fd, r.offset, SEND | 1u << 31, port), -EINVAL);
		expect(try_notify(r.fd, r.offset, SEND, 0), -EINVAL);
		expect(try_notify(r.fd, r.offset, SEND, 3000), -EINVAL);
		expect(try_notify(r.fd, r.offset, SEND, ~0u), -EINVAL);
		expect(try_notify(r.fd, r.offset + range_length(&r), SEND, port), -ENOENT);
		expect(try_notify(r.fd, gone.offset, SEND, port), -ENOENT);
		expect(try_notify(r.fd, ~0ull, CLEAR | SEND, port), -ENOENT);
		expect(ioctl(r.fd, IOCTL_GNTDEV_SET_UNMAP_NOTIFY, 8ul) ? -errno : 0, -EFAULT);
	}
	/* Nothing holds the channel, and nothing was set. */
	xenevtchn_close(handle);
	bind_channel(&handle);
	watch_anew();
	range_munmap(&r);
	check_silence();
	check_content(SEED, LIVE);
}

static void library(void)
{
	struct granter *g = suite.granter;
	xenevtchn_handle *handle;
	uint32_t port = watch(&handle);
	xengnttab_handle *h;
	char *page;

	set_content();
	h = open_library();
	page = xengnttab_map_grant_ref_notify(h, g->domid, g->first_ref + FIRST + PAGE, RW, IN_PAGE, port);
	check(page, "%s", strerror(errno));
	check((uint8_t)page[IN_PAGE] == LIVE, "it is another page");
	check_silence();
	check(!xengnttab_unmap(h, page, 1), "%s", strerror(errno));
	check_heard(0);
	check_content(SEED, 0);
	xengnttab_close(h);
}

static struct range racing;
static atomic_bool stop;

static void *keep_setting(void *port)
{
	while (!atomic_load(&stop)) {
		int ret = try_notify(racing.fd, racing.offset + BYTE, CLEAR | SEND, *(uint32_t *)port);

		/* No range, or, now and then, one that is mapped for reading. */
		if (ret && ret != -ENOENT && ret != -EINVAL)
			return (void *)(long)ret;
	}
	return NULL;
}

static void set_while_unmapped(void)
{
	xenevtchn_handle *handle;
	uint32_t port = watch(&handle);
	pthread_t threads[2];
	void *ret;

	racing = range_add(open_node(), FIRST, NR);
	for (int i = 0; i < 2; i++)
		check(!pthread_create(&threads[i], NULL, keep_setting, &port), "no thread");
	for (int i = 0; i < 40; i++) {
		range_mmap(&racing, i % 2 ? RW : PROT_READ);
		range_munmap(&racing);
		if (i % 4 == 3) {
			range_remove(&racing);
			racing = range_add(racing.fd, FIRST, NR);
		}
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &ret);
		check(!ret, "%s", errno_name((long)ret));
	}
	close(racing.fd);
	xenevtchn_close(handle);
	bind_channel(&handle);
}

static const struct suite_case cases[] = {
	{ "munmap clears the byte that was asked for, and no other", byte_on_munmap },
	{ "munmap sends the event, once, when the grants are back", event_on_munmap },
	{ "munmap clears the byte, hands the grants back and then sends the event", both_on_munmap },
	{ "a range that was removed notifies when its mapping goes, not before", on_munmap_of_a_removed_range },
	{ "a range that was never mapped sends its event when it is removed or its file closed", never_mapped },
	{ "the exit of a process notifies", on_exit_of_process },
	{ "SIGKILL notifies", on_kill },
	{ "the event is sent though the process has closed its event channel, which goes with it", channel_closed_before },
	{ "a pin delays the event until all grants are back, not the byte", pin_delays_the_event },
	{ "a notification that is set while a page is still pinned is for the next mapping", set_while_a_page_is_pinned },
	{ "a second notification takes the first one's place", replaced },
	{ "action 0 takes a notification back, and the channel is free", taken_back },
	{ "a notification is used up by one munmap", used_up },
	{ "a failed mmap notifies nobody", failed_mmap, .revokes = true },
	{ "no byte is cleared in a read-only map, whenever it was asked for", read_only_map },
	{ "the last VMA's end notifies, not that of a part or of one process's", last_vma, MODE_XLATE },
	{ "what is refused leaves nothing behind", refused },
	{ "libxengnttab's notification clears the byte and sends the event", library },
	{ "notifications can be set while others map and unmap", set_while_unmapped },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
