/* SPDX-License-Identifier: GPL-2.0 */
/* What a case must not leave behind, seen from outside of the driver. Each says what it found, and returns false then. */
#ifndef LEAKS_H
#define LEAKS_H

#include <stdbool.h>

#include "granter_client.h"

/* The granter has all its pages back. Waits for that. */
bool leaks_no_page(struct granter *granter);
/*
 * Nobody has a file or a mapping of the strategy any more, and no range waits for a pin: the core is kept by what is loaded
 * on top of it only. Waits for that too.
 */
bool leaks_no_reference(const char *strategy);
/*
 * Xen's own tables know of no page of the granter that is mapped: a dump of them (debug key g) does not name its
 * references.
 */
bool leaks_no_grant(struct granter *granter);

#endif
