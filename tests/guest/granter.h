/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the granter and the programs in dom0 say to each other.
 *
 * The granter owns nr_pages pages of data, granted to dom0 under consecutive
 * references: page i has reference first_ref + i. The last nr_ro of them are
 * granted read-only. One more page, granted read-write, is the mailbox below.
 *
 * The frames of the pages are *not* consecutive: the toolstack gives a PV guest
 * whatever machine frames it finds. So the granter writes them down: gfn_list
 * is the frame of a directory page, whose 64-bit entry k is the frame of list
 * page k (0 past the last), whose 64-bit entry j is the frame of data page
 * k * GRANTER_FRAMES_PER_LIST + j. These are the numbers that dom0 passes to map
 * a page as a foreign one, in PV and PVH dom0 alike.
 *
 * The granter publishes under data/granter/ in its xenstore directory, as
 * decimal text: first_ref, nr_refs, nr_ro, first_gfn (the frame of page 0, and of
 * no other), gfn_list, mailbox_ref, mailbox_gfn, port, and, last of all, state =
 * "ready". In dom0 key K becomes GRANTER_<K in capitals>, and the granter's
 * domain GRANTER_DOMID, in the environment or in /run/granter.env.
 *
 * A request: dom0 waits until response == request (with acquire semantics),
 * fills cmd and arg[], then stores request = request + 1 with release semantics
 * and notifies the event channel `port` (unbound, for dom0). The granter answers
 * by filling result and reply[], then storing response = request with release
 * semantics, and notifies the same channel. It looks at the mailbox at every
 * event, and every 10 ms when there was none, so that either notification may be
 * left out. One request at a time: programs in dom0 hold flock() on
 * GRANTER_LOCK meanwhile.
 *
 * It ends by GRANTER_EXIT or `xl destroy`; it does not listen to `xl shutdown`. When
 * something fails it says so on its console and crashes.
 */
#ifndef GRANTER_H
#define GRANTER_H

#include <stdint.h>

#define GRANTER_MAGIC 0x746e7267 /* "grnt" */
#define GRANTER_LOCK "/run/granter.lock"
#define GRANTER_PAGE_SIZE 4096
#define GRANTER_FRAMES_PER_LIST (GRANTER_PAGE_SIZE / 8)
#define GRANTER_NR_ARGS 6

enum granter_cmd {
	GRANTER_PING = 1, /* reply[0] = arg[0] + 1 */
	GRANTER_FILL,	  /* the pattern with seed arg[2] into pages arg[0] .. arg[0] + arg[1] - 1 */
	GRANTER_SUM,	  /* reply[0] = granter_sum() over those pages, in order */
	GRANTER_PEEK,	  /* reply[0] = the 64-bit word at byte arg[1] of page arg[0] */
	GRANTER_POKE,	  /* store arg[2] there */
	GRANTER_BUSY,	  /* reply[0] = how many of the references of pages arg[0] .. + arg[1] - 1 are mapped
			   * by somebody (GTF_reading or GTF_writing), reply[1] = index of the first one,
			   * or UINT64_MAX */
	GRANTER_REVOKE,	  /* end access to those pages where nobody maps them; reply[0] = how many
			   * were ended, reply[1] = index of the first that was in use, or UINT64_MAX;
			   * a page revoked already counts as ended */
	GRANTER_GRANT,	  /* grant pages arg[0] .. arg[0] + arg[1] - 1 anew, to domain arg[2], read-only if
			   * arg[3]; all of them or, with -EBUSY if one of them is granted now, none */
	GRANTER_WATCH,	  /* forget what was seen before; at the next event on channel reply[0] (unbound, for
			   * dom0, the same in every answer) look at those pages, as in GRANTER_BUSY,
			   * and at byte arg[2] of page arg[0] */
	GRANTER_WATCHED,  /* reply[0] = how many events were seen there since; at the first of them
			   * reply[1] references were mapped, and reply[2] was the byte */
	GRANTER_MAP,	  /* map the page that dom0 grants as reference arg[0], for writing; -EBUSY when one is
			   * mapped, -EINVAL when Xen refuses, with its status in the guest's console */
	GRANTER_SWAP,	  /* reply[0] = the 64-bit word at byte arg[0] of that page, which becomes arg[1];
			   * -ENOENT when none is mapped */
	GRANTER_UNMAP,	  /* unmap that page; -ENOENT */
	GRANTER_EXIT,	  /* shut down (SHUTDOWN_poweroff), after answering */

	/*
	 * A disk, if the domain was given one that some backend serves: the data pages are its buffers, by the
	 * references they have. -ENODEV: there is no open one.
	 */
	GRANTER_DISK_OPEN, /* connect to the backend of virtual device arg[0] (51712: xvda), whose ring will be
			    * granted to dom0; reply[0] = sectors, reply[1] = bytes of one. -ENODEV: there is
			    * no such device, or its frontend is not in state Initialising (yet); -ETIMEDOUT: the
			    * backend did not connect within 30 s; -EINVAL: its sectors are not of 512 bytes */
	GRANTER_DISK_IO,   /* enum granter_disk_op arg[0] from sector arg[1] on, with pages arg[2] .. arg[2] +
			    * arg[3] - 1, of each the sectors arg[4] .. arg[5] (0 and 7: all); requests of 11
			    * pages, up to 32 at a time. reply[0] = requests, reply[1] = those that failed,
			    * reply[2] = status of the first of them. -ETIMEDOUT: no answer for 30 s; the disk is
			    * then closed for good */
	GRANTER_DISK_CLOSE, /* tell the backend, and wait until it has closed (-ETIMEDOUT after 30 s) */

	GRANTER_VCHAN_SERVE, /* be the server of a vchan at data/vchan in our xenstore directory, whose two rings of
			      * 2^arg[1] bytes (12 to 20) are pages arg[0] and following, and send back all that
			      * comes, until the client goes. The answer comes only then: reply[0] = bytes,
			      * reply[1] = their granter_sum_byte(). -ETIMEDOUT: nothing came or went for 30 s, -EBUSY:
			      * the client keeps the shared page mapped */

	GRANTER_TALK, /* arg[0] times: a key to xenstore, and back, and a line "talk <arg[1]> <number>" to the
		       * console. More than 40 lines may be more than its ring holds, and get lost. reply[0] = how often
		       * what came back was not what was written */
};

enum granter_disk_op {
	GRANTER_DISK_READ,
	GRANTER_DISK_WRITE,
	GRANTER_DISK_FLUSH, /* the rest of arg[] means nothing */
};

/*
 * result is 0 or a negative Linux errno: -ENOSYS (no such command), -ERANGE (no
 * such page or byte), -EINVAL (byte not a multiple of 8, no such domain), -EBUSY,
 * -ENOENT.
 * When it is not 0 nothing was done and reply[] means nothing. A range of no
 * pages is a range. "index" is the number of a page, as in arg[0].
 */
struct granter_mailbox {
	uint32_t magic;
	uint32_t request;
	uint32_t response;
	int32_t result;
	uint32_t cmd;
	uint32_t pad;
	uint64_t arg[GRANTER_NR_ARGS];
	uint64_t reply[GRANTER_NR_ARGS];
};

/* The 64-bit word at index `word` of page `page` in the pattern with `seed`. The granter starts with seed 1. */
static inline uint64_t granter_word(uint64_t seed, uint64_t page, uint64_t word)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15ull + page * 512 + word + 1;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* FNV-1a over 64-bit words; start with sum = GRANTER_SUM_INIT */
#define GRANTER_SUM_INIT 0xcbf29ce484222325ull

static inline uint64_t granter_sum(uint64_t sum, const volatile uint64_t *words, uint64_t nr_words)
{
	for (uint64_t i = 0; i < nr_words; i++)
		sum = (sum ^ words[i]) * 0x100000001b3ull;
	return sum;
}

/* The same over bytes */
static inline uint64_t granter_sum_byte(uint64_t sum, uint8_t byte)
{
	return (sum ^ byte) * 0x100000001b3ull;
}

#endif
