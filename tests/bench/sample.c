// SPDX-License-Identifier: GPL-2.0
#include "sample.h"

#include <stdlib.h>

void sample_add(struct sample *sample, double value)
{
	if (sample->nr < SAMPLE_MAX)
		sample->values[sample->nr++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct spread sample_spread(const struct sample *sample)
{
	struct sample sorted = *sample;
	unsigned int last = sorted.nr - 1;

	if (!sorted.nr)
		return (struct spread){ 0 };
	qsort(sorted.values, sorted.nr, sizeof(sorted.values[0]), compare);
	return (struct spread){
		.median = (sorted.values[last / 2] + sorted.values[(last + 1) / 2]) / 2,
		.low = sorted.values[last / 4],
		.high = sorted.values[last - last / 4],
	};
}

struct spread sample_ratio(const struct sample *above, const struct sample *below)
{
	struct sample ratios = { 0 };

	for (unsigned int i = 0; i < above->nr && i < below->nr; i++)
		if (below->values[i] > 0)
			sample_add(&ratios, above->values[i] / below->values[i]);
	return sample_spread(&ratios);
}
