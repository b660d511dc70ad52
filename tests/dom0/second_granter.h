/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A second granter, to be destroyed while the first one stays for the other cases: started by the command in
 * GRANTER_START. There is no talking to it.
 */
#ifndef SECOND_GRANTER_H
#define SECOND_GRANTER_H

#include <stdbool.h>
#include <stdint.h>

struct second_granter {
	uint32_t domid;
	uint32_t first_ref;
	uint64_t gfn_list; /* as in granter.h */
};

/* Ends the case when it cannot; skips it without GRANTER_START. */
struct second_granter second_start(void);
/* It gets no CPU time any more. */
void second_pause(void);
/* xl destroy, if there is one. */
void second_end(void);

/* The frames of its pages 0 .. nr - 1; at most GRANTER_FRAMES_PER_LIST. */
void second_frames(const struct second_granter *second, uint32_t nr, uint64_t *gfns);

/* Waits, ten seconds at most, until there is no such domain. */
bool domain_is_gone(uint32_t domid);

#endif
