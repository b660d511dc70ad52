// SPDX-License-Identifier: GPL-2.0
/* Cells as a table for people and as JSON for machines. */
#include "compare.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = { "fail", "pass", "fail", "skip", "info" };

	return names[verdict];
}

static const struct cell *find(const struct column *column, const char *row)
{
	for (unsigned int i = 0; i < column->nr_cells; i++) {
		if (!strcmp(column->cells[i].row, row))
			return &column->cells[i];
	}
	return NULL;
}

static void print_cell(FILE *out, const struct cell *cell)
{
	char text[sizeof(cell->observed) + 8];

	if (!cell)
		snprintf(text, sizeof(text), "-");
	else if (cell->verdict == VERDICT_FAIL)
		snprintf(text, sizeof(text), "%s FAIL", cell->observed);
	else if (cell->verdict == VERDICT_SKIP)
		snprintf(text, sizeof(text), "(%s)", cell->observed);
	else
		snprintf(text, sizeof(text), "%s", cell->observed);
	fprintf(out, " | %-18s", text);
}

static void print_row(FILE *out, const struct column *columns, unsigned int nr_columns, const char *row)
{
	fprintf(out, "%-80s", row);
	for (unsigned int i = 0; i < nr_columns; i++)
		print_cell(out, find(&columns[i], row));
	fprintf(out, "\n");
}

/* Columns may have rows that others have not. */
static bool is_known(const struct column *columns, unsigned int nr_columns, const char *row)
{
	for (unsigned int i = 0; i < nr_columns; i++) {
		if (find(&columns[i], row))
			return true;
	}
	return false;
}

static void print_failures(FILE *out, const struct column *column)
{
	for (unsigned int i = 0; i < column->nr_cells; i++) {
		const struct cell *cell = &column->cells[i];

		if (cell->verdict == VERDICT_FAIL)
			fprintf(out, "FAIL %s, %s: observed %s, expected %s: %s\n", column->strategy, cell->row,
				cell->observed, cell->expected, cell->decided_by);
	}
}

void print_table(FILE *out, struct column *columns, unsigned int nr_columns)
{
	fprintf(out, "\n%s, %s, %s\n\n%-80s", machine.kernel, machine.mode, columns[0].table, "");
	for (unsigned int i = 0; i < nr_columns; i++)
		fprintf(out, " | %-18s", columns[i].strategy);
	fprintf(out, "\n");
	for (unsigned int i = 0; i < nr_columns; i++) {
		for (unsigned int row = 0; row < columns[i].nr_cells; row++) {
			if (!is_known(columns, i, columns[i].cells[row].row))
				print_row(out, columns, nr_columns, columns[i].cells[row].row);
		}
	}
	fprintf(out, "\n");
	for (unsigned int i = 0; i < nr_columns; i++)
		print_failures(out, &columns[i]);
}

int write_json(const char *path, struct column *columns, unsigned int nr_columns)
{
	json_t *list = json_array();
	int ret = 0;

	for (unsigned int i = 0; i < nr_columns; i++) {
		for (unsigned int row = 0; row < columns[i].nr_cells; row++) {
			const struct cell *cell = &columns[i].cells[row];

			/* %s fails on what is not UTF-8; nothing here is made by others. */
			json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
				"kernel", machine.kernel, "mode", machine.mode, "table", columns[i].table,
				"strategy", columns[i].strategy,
				"row", cell->row, "observed", cell->observed, "expected", cell->expected,
				"verdict", verdict_name(cell->verdict), "decided_by", cell->decided_by));
		}
	}
	if (json_dump_file(list, path, JSON_INDENT(1)))
		ret = errno ? -errno : -EIO;
	json_decref(list);
	return ret;
}
