/* SPDX-License-Identifier: GPL-2.0 */
/* A page that somebody other than a page table holds on to, as direct IO does. */
#ifndef PIN_H
#define PIN_H

#include <stddef.h>

enum pin_kind {
	PIN_PIPE,  /* vmsplice(): a reference, until the pipe is read or gone */
	PIN_URING, /* io_uring's registered buffers: a long-term pin */
	NR_PIN_KINDS,
};

struct pin {
	enum pin_kind kind;
	int fds[2]; /* the pipe, or the ring and -1 */
};

/* Holds on to the page at addr. 0 or a negative errno; then nothing is left behind. */
int pin_page(struct pin *pin, enum pin_kind kind, void *addr);
/* Lets go. content, unless NULL, gets what the page held, from a pipe. 0 or a negative errno. */
int unpin_page(struct pin *pin, void *content);

const char *pin_name(enum pin_kind kind);

#endif
