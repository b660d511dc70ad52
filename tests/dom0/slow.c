// SPDX-License-Identifier: GPL-2.0
#include "slow.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gup.h"
#include "suite.h"

#define LENGTH (16 * PAGE_SIZE)

struct slow slow_open(void)
{
	struct slow slow = { .probe = gup_open(), .memfd = memfd_create("cut", MFD_CLOEXEC) };

	if (slow.probe < 0)
		case_skip("the module gup_probe");
	check(slow.memfd >= 0 && !ftruncate(slow.memfd, LENGTH), "%s", strerror(errno));
	return slow;
}

void slow_prepare(struct slow *slow, unsigned int ms)
{
	void *shown = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, slow->memfd, 0);

	check(shown != MAP_FAILED, "%s", strerror(errno));
	memset(shown, 1, LENGTH);
	expect(gup_watch_slowly(slow->probe, shown, LENGTH, ms * suite_patience()), 0);
}

void slow_invalidate(struct slow *slow)
{
	check(!ftruncate(slow->memfd, 0), "%s", strerror(errno));
}

void slow_wait(struct slow *slow)
{
	static struct gup_event events[GUP_MAX_EVENTS];
	uint64_t begun = now_us();
	bool has_begun = false;
	int nr;

	while (!has_begun) {
		check(now_us() - begun < 10000000ull * suite_patience(), "premise: nothing is invalidated");
		nr = gup_events(slow->probe, events, GUP_MAX_EVENTS);
		check(nr >= 0, "%s", errno_name(nr));
		for (int i = 0; i < nr; i++) {
			has_begun |= events[i].kind == GUP_EVENT_START;
			check(events[i].kind != GUP_EVENT_END, "premise: it is over");
		}
	}
}
