/* SPDX-License-Identifier: GPL-2.0 */
/* What was measured of one thing, round after round. */
#ifndef SAMPLE_H
#define SAMPLE_H

#define SAMPLE_MAX 256

struct sample {
	unsigned int nr;
	double values[SAMPLE_MAX];
};

/* The middle and the two quartiles; all 0 where there are no values. */
struct spread {
	double median, low, high;
};

/* More than SAMPLE_MAX are forgotten. */
void sample_add(struct sample *sample, double value);
struct spread sample_spread(const struct sample *sample);
/* Of above[i] / below[i], round by round: what disturbs a round disturbs both. */
struct spread sample_ratio(const struct sample *above, const struct sample *below);

#endif
