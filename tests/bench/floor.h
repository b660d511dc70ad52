/* SPDX-License-Identifier: GPL-2.0 */
/* The bare hypercalls, timed by the module grant_floor. Functions return 0 or a negative errno. */
#ifndef FLOOR_H
#define FLOOR_H

#include <stdint.h>

#include "grant_floor.h"
#include "granter_client.h"

/* Loads the module if need be. -ENOENT: there is none. */
int floor_open(void);
void floor_close(void);

/*
 * The time of what (FLOOR_*) for nr pages, in us: mapping them, or copying nr segments of so many bytes, and unmapping
 * them.
 */
int floor_run(const struct granter *granter, uint32_t what, uint32_t nr, uint32_t bytes, double *map_us,
	      double *unmap_us);

#endif
