// SPDX-License-Identifier: GPL-2.0
#include "result.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <jansson.h>

struct results *results_alloc(void)
{
	struct results *results = mmap(NULL, sizeof(*results), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return results == MAP_FAILED ? NULL : results;
}

static struct row *new_row(struct results *results, const char *workload)
{
	struct row *row = &results->rows[results->nr];

	if (results->nr == RESULT_ROWS)
		return NULL;
	results->nr++;
	memset(row, 0, sizeof(*row));
	snprintf(row->workload, sizeof(row->workload), "%s", workload);
	return row;
}

static const struct side *find(const struct side *sides, unsigned int nr, enum side_kind kind)
{
	for (unsigned int i = 0; i < nr; i++)
		if (sides[i].kind == kind)
			return &sides[i];
	return NULL;
}

static void note_error(struct row *row, const struct side *side)
{
	size_t length = strlen(row->note);

	if (side && side->error)
		snprintf(row->note + length, sizeof(row->note) - length, "%s%s: %s", length ? ", " : "", side->name,
			 strerror(-side->error));
}

static void fill(struct row *row, const struct measure *m, const struct side *ours, const struct side *theirs,
		 const struct side *floor)
{
	const struct sample *sample = &ours->samples[m->part];

	snprintf(row->strategy, sizeof(row->strategy), "%s", ours->name);
	snprintf(row->of, sizeof(row->of), "%s", m->of);
	snprintf(row->unit, sizeof(row->unit), "%s", m->unit);
	row->size = m->size;
	row->more = m->more;
	row->rounds = sample->nr;
	row->ours = sample_spread(sample);
	if (theirs) {
		const struct sample *other = &theirs->samples[m->part];

		snprintf(row->theirs_name, sizeof(row->theirs_name), "%s", theirs->name);
		row->theirs = sample_spread(other);
		row->ratio = m->more ? sample_ratio(sample, other) : sample_ratio(other, sample);
	}
	if (floor) {
		row->floor = sample_spread(&floor->samples[m->part]);
		row->over_floor = sample_ratio(sample, &floor->samples[m->part]);
	}
	note_error(row, ours);
	note_error(row, theirs);
	note_error(row, floor);
}

static void print(const struct row *row)
{
	if (!row->strategy[0]) {
		printf("%-28s %s\n", row->workload, row->note);
		return;
	}
	printf("%-28s %6u %-8s %-8s %11.1f %11.1f %11.1f %-7s %6.2f (%.2f to %.2f) %5.2f %4u %s\n", row->workload, row->size,
	       row->of, row->strategy, row->ours.median, row->theirs.median, row->floor.median, row->unit,
	       row->ratio.median, row->ratio.low, row->ratio.high, row->over_floor.median, row->rounds, row->note);
}

void results_add(struct results *results, const struct measure *m, const struct side *sides, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct row *row;

		if (sides[i].kind != SIDE_OURS)
			continue;
		row = new_row(results, m->workload);
		if (!row)
			return;
		fill(row, m, &sides[i], find(sides, nr, SIDE_THEIRS), find(sides, nr, SIDE_FLOOR));
		print(row);
	}
	fflush(stdout);
}

void results_add_note(struct results *results, const char *workload, const char *note)
{
	struct row *row = new_row(results, workload);

	if (!row)
		return;
	snprintf(row->note, sizeof(row->note), "%s", note);
	print(row);
	fflush(stdout);
}

static json_t *spread_json(const struct spread *spread)
{
	if (!spread->median && !spread->high)
		return json_null();
	return json_pack("[f, f, f]", spread->low, spread->median, spread->high);
}

static json_t *median_json(const struct spread *spread)
{
	return spread->median || spread->high ? json_real(spread->median) : json_null();
}

static json_t *row_json(const struct row *row, const char *kernel, const char *mode)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:b, s:o, s:o, s:s, s:o, s:o, s:o, s:{s:o, s:o, s:o, s:o}, s:i, s:s}",
			 "mode", mode, "kernel", kernel, "workload", row->workload, "strategy", row->strategy,
			 "size", row->size, "of", row->of, "unit", row->unit, "more_is_better", row->more,
			 "ours", median_json(&row->ours), "theirs", median_json(&row->theirs), "theirs_is", row->theirs_name,
			 "floor", median_json(&row->floor), "ratio", median_json(&row->ratio),
			 "over_floor", median_json(&row->over_floor),
			 "spread", "ours", spread_json(&row->ours), "theirs", spread_json(&row->theirs),
			 "floor", spread_json(&row->floor), "ratio", spread_json(&row->ratio),
			 "rounds", row->rounds, "note", row->note);
}

int results_write(const struct results *results, const char *path, const char *kernel, const char *mode)
{
	json_t *list = json_array();
	int ret = 0;

	for (unsigned int i = 0; i < results->nr; i++)
		json_array_append_new(list, row_json(&results->rows[i], kernel, mode));
	if (json_array_size(list) != results->nr)
		ret = -ENOMEM;
	else if (json_dump_file(list, path, JSON_INDENT(1) | JSON_REAL_PRECISION(6)))
		ret = -EIO;
	json_decref(list);
	return ret;
}
