/* SPDX-License-Identifier: GPL-2.0 */
/* Xen's libraries, unmodified, on the node of the strategy that is tested. */
#ifndef LIBRARY_H
#define LIBRARY_H

#include <xengnttab.h>

/*
 * From here on this process sees the node at /dev/xen/gntdev, the only path that libxengnttab knows; the rest of the
 * system does not. Ends the case when it cannot be.
 */
void stand_at_gntdev(void);

/* That, and a handle of libxengnttab. */
xengnttab_handle *open_library(void);

#endif
