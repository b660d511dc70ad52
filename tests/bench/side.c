// SPDX-License-Identifier: GPL-2.0
#include "side.h"

#include <string.h>

#include "clock.h"

static void take_turn(struct side *side, int counts)
{
	double values[SIDE_PARTS] = { 0 };

	if (side->error)
		return;
	side->error = side->turn(side, values);
	if (side->error || !counts)
		return;
	for (unsigned int part = 0; part < SIDE_PARTS; part++)
		sample_add(&side->samples[part], values[part]);
}

void sides_take_turns(struct side *sides, unsigned int nr, const struct pace *pace)
{
	uint64_t start;

	for (unsigned int i = 0; i < nr; i++)
		take_turn(&sides[i], 0);
	start = clock_ticks();
	for (unsigned int round = 0; round < pace->max_rounds; round++) {
		if (round >= pace->min_rounds && clock_us_since(start) > pace->seconds * 1e6)
			break;
		for (unsigned int i = 0; i < nr; i++)
			take_turn(&sides[(round + i) % nr], 1);
	}
}

void sides_reset(struct side *sides, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		memset(sides[i].samples, 0, sizeof(sides[i].samples));
		sides[i].error = 0;
	}
}
