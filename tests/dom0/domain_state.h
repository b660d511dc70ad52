/* SPDX-License-Identifier: GPL-2.0 */
/* What Xen says of a domain (libxenctrl). */
#ifndef DOMAIN_STATE_H
#define DOMAIN_STATE_H

#include <stdbool.h>
#include <stdint.h>

struct domain_state {
	bool dying;		/* destroyed, but somebody holds pages of it: a zombie */
	uint64_t nr_pages;
};

/* 1 if there is such a domain, 0 if there is none, or a negative errno. */
int domain_state(uint32_t domid, struct domain_state *state);

#endif
