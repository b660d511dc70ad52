/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TAP on standard output: one plain line per claim, the plan at the end. A claim's
 * line is its whole verdict; what explains it comes before it, in comments.
 */
#ifndef TAP_H
#define TAP_H

enum tap_verdict {
	TAP_PASS,
	TAP_FAIL,
	TAP_SKIP,
};

void tap_start(void);
void tap_diag(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* skipped: what is missing, for TAP_SKIP. The claim is the format and what follows it. */
void tap_line(enum tap_verdict verdict, const char *skipped, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Prints the plan. Returns the program's exit code: 1 if anything failed, or if nothing ran at all. */
int tap_end(void);

#endif
