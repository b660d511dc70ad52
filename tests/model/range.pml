/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of a range, as the essay in driver/range.c tells it, small enough for every order of events to be tried.
 *
 * One range of NR_PAGES pages. A file whose offset shows it, a user who maps it, forks and unmaps (twice, so that a second
 * life is tried), another who removes the range at any moment, somebody who pins pages while they are in a page table,
 * and the work item. LASTING is the kind of source: 0 as grants (frames are there from mmap() to the end of draining), 1 as
 * foreign frames (from birth to the last reference). LAZY is grants in PV: the user's PTE has one, the kernel only if it
 * asked for the page, and there is somebody who takes PTEs away from under the VMA, as MADV_DONTNEED does; a child has a VMA
 * without any, if at all, and a range that is removed while it is mapped keeps its offset until the last VMA is gone. MUTANT
 * takes one precaution out, to show that the model notices.
 *
 *   spin -DLASTING=0 -a range.pml && cc -DSAFETY -o pan pan.c && ./pan
 */
#ifndef LASTING
#define LASTING 0
#endif
#ifndef LAZY
#define LAZY 0
#endif
#ifndef MUTANT
#define MUTANT 0
#endif
#define NR_PAGES 2
#define NR_LIVES 2

mtype = { IDLE, MAPPED, DRAINING };

mtype state = IDLE;
byte refs = 1;		/* the file's offset */
byte nr_vmas;
bool has_offset = true;
bool removed;		/* LAZY: but nobody finds it there any more */
bool freed;
bool work_queued;
byte nr_draining;	/* contexts that drain */
byte frame[NR_PAGES] = LASTING;	/* 1: another domain's frame is behind the page, for the kernel */
byte user[NR_PAGES];	/* LAZY, 1: the user's PTE has it by a mapping of its own */
byte pte[NR_PAGES];	/* page tables that have it */
bool pte_lock[NR_PAGES];	/* LAZY */
bool findable;		/* LAZY: a VMA that who has mmap_lock can find */
byte nr_lookers;	/* LAZY: who have mmap_lock for reading */
byte pins[NR_PAGES];
bool user_done, remover_done;

/* gntmap_grants.unmap, and the foreign source's: hands back each frame that nobody pins. */
inline unmap_frames(nr_pinned)
{
	assert(!freed);
	nr_draining++;
	assert(nr_draining == 1);
	nr_pinned = 0;
	i = 0;
	do
	:: i < NR_PAGES ->
		assert(pte[i] == 0 && user[i] == 0);
		if
		:: frame[i] && pins[i] && MUTANT != 1 -> nr_pinned++
		:: frame[i] && (!pins[i] || MUTANT == 1) ->
			/* pinned and handed back: a device writes to somebody's memory */
			assert(pins[i] == 0);
			frame[i] = 0
		:: else
		fi;
		i++
	:: else -> break
	od;
	nr_draining--
}

inline drain_begin()
{
	assert(!work_queued);
	work_queued = true
}

inline range_put(nr_pinned)
{
	atomic {
		assert(refs > 0 && !freed);
		refs--;
		last = (refs == 0)
	}
	if
	:: last && LASTING ->
		unmap_frames(nr_pinned);
		if
		:: nr_pinned > 0 ->
			state = DRAINING;
			refs = 1;
			drain_begin();
			last = false
		:: else
		fi
	:: else
	fi;
	if
	:: last ->
		assert(state == IDLE || LASTING);
		assert(nr_vmas == 0 && !has_offset && !work_queued);
		/* Every frame went back, no page is pinned: its struct page may be anybody's next. */
		i = 0;
		do
		:: i < NR_PAGES -> assert(!frame[i] && !user[i] && !pins[i] && !pte[i]); i++
		:: else -> break
		od;
		freed = true
	:: else
	fi
}

inline range_put_vma(nr_pinned)
{
	atomic {
		assert(state == MAPPED && nr_vmas > 0);
		nr_vmas--;
		last_vma = (nr_vmas == 0);
		if
		:: last_vma -> state = (MUTANT == 2 -> IDLE : DRAINING)
		:: else
		fi
	}
	if
	:: last_vma && LASTING -> state = IDLE; range_put(nr_pinned)
	:: last_vma && !LASTING ->
		unmap_frames(nr_pinned);
		if
		:: nr_pinned > 0 -> drain_begin()	/* our reference is the work item's now */
		:: else -> state = IDLE; range_put(nr_pinned)
		fi
	:: else -> range_put(nr_pinned)
	fi
}

/* Of mmap.c, with gntmap_offsets_unmapped(). */
inline put_vma(nr_pinned)
{
	refs++;
	range_put_vma(nr_pinned);
	atomic {
		was = has_offset && removed && (state != MAPPED || MUTANT == 4);
		if
		:: was -> has_offset = false
		:: else
		fi;
		/* mremap() knows the VMA by its offset. */
		assert(!(removed && state == MAPPED) || has_offset)
	}
	if
	:: was -> range_put(nr_pinned)
	:: else
	fi;
	range_put(nr_pinned)
}

active proctype User()
{
	byte i, nr_pinned, lives;
	bool last, last_vma, got, was;

	do
	:: lives < NR_LIVES ->
		lives++;
		/* gntmap_offsets_get() and gntmap_range_begin() */
		atomic {
			got = has_offset && !removed;
			if
			:: got -> refs++
			:: else
			fi
		}
		if
		:: !got -> break
		:: else
		fi;
		atomic {
			got = (state == IDLE);
			if
			:: got -> state = MAPPED; nr_vmas = 1
			:: else
			fi
		}
		if
		:: !got -> range_put(nr_pinned)		/* EBUSY */
		:: got && (!has_offset || removed) -> put_vma(nr_pinned)	/* UNMAP_GRANT_REF came just before */
		:: got && has_offset && !removed ->
			i = 0;
			do
			:: i < NR_PAGES ->
				/* A frame is mapped once: the second time is a grant that nobody will ever give back. */
				assert(LASTING || (!frame[i] && !user[i]));
				if
				:: LAZY -> user[i] = 1
				:: else -> frame[i] = 1
				fi;
				pte[i]++;
				i++
			:: else -> break
			od;
			findable = true;
			if
			:: !LAZY ->
				/* fork: one more VMA, and one more page table */
				atomic { refs++; nr_vmas++ };
				i = 0;
				do
				:: i < NR_PAGES -> pte[i]++; i++
				:: else -> break
				od;
				i = 0;
				do
				:: i < NR_PAGES -> pte[i]--; i++
				:: else -> break
				od;
				put_vma(nr_pinned)
			:: LAZY ->
				/* fork after MADV_DOFORK: a VMA with nothing in it */
				atomic { refs++; nr_vmas++ };
				put_vma(nr_pinned)
			:: true
			fi;
			/* munmap or exit: the page tables first, then ->close() */
			atomic { !LAZY || nr_lookers == 0 -> findable = false };
			i = 0;
			do
			:: i < NR_PAGES && LAZY -> pte[i] = 0; user[i] = 0; i++	/* nobody looks: no lock */
			:: i < NR_PAGES && !LAZY -> pte[i]--; i++
			:: else -> break
			od;
			put_vma(nr_pinned)
		fi
	:: else -> break
	od;
	user_done = true
}

/* UNMAP_GRANT_REF, or the release of the file. */
active proctype Remover()
{
	byte i, nr_pinned;
	bool last, was;

	atomic {
		was = has_offset && !(LAZY && state == MAPPED);
		if
		:: was -> has_offset = false
		:: else -> removed = has_offset
		fi
	}
	if
	:: was -> range_put(nr_pinned)
	:: else
	fi;
	remover_done = true
}

/* Direct IO: takes a pin where a page table has the page, drops it whenever it likes. */
active [2] proctype Pinner()
{
	byte i;
	bool got;

	if
	:: i = 0
	:: i = 1
	fi;
	if
	:: atomic { LAZY && findable -> nr_lookers++ };
		atomic { !pte_lock[i] -> pte_lock[i] = true };
		got = (pte[i] > 0);
		if
		:: got ->
			/* gntmap_range_reach(): the same grant, as long as the user has it */
			assert(frame[i] || user[i]);
			frame[i] = 1;
			pins[i]++
		:: else
		fi;
		pte_lock[i] = false;
		nr_lookers--;
		if
		:: got -> atomic { assert(frame[i] && !freed); pins[i]-- }
		:: else
		fi
	:: atomic { !LAZY && pte[i] > 0 -> assert(frame[i] && !freed); pins[i]++ };
		/* The page is the granter's as long as we have it. */
		assert(frame[i] && !freed);
		atomic { assert(frame[i] && !freed); pins[i]-- }
	:: user_done
	fi
}

/* MADV_DONTNEED, a scan: the MMU notifier takes a page out of the page table, the VMA stays. */
active proctype Zapper()
{
	byte i;

	if
	:: i = 0
	:: i = 1
	fi;
	if
	:: atomic { LAZY && findable -> nr_lookers++ };
		atomic { !pte_lock[i] || MUTANT == 3 -> pte_lock[i] = true };
		pte[i] = 0;
		user[i] = 0;
		pte_lock[i] = false;
		nr_lookers--
	:: user_done
	fi
}

active proctype Work()
{
	byte i, nr_pinned;
	bool last;

end:	do
	:: work_queued ->
		unmap_frames(nr_pinned);
		if
		:: nr_pinned > 0	/* queued again */
		:: else ->
			work_queued = false;
			state = IDLE;
			range_put(nr_pinned);
			if
			:: freed -> break
			:: else
			fi
		fi
	:: freed -> break
	od
}

init {
	/* Whatever the order, it ends with a range that is gone: nothing leaks and nobody waits forever. */
	(user_done && remover_done) -> freed
}
