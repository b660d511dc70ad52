/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the library's files share. */
#ifndef INTERNAL_H
#define INTERNAL_H

#include <stdint.h>

#include <gntmap.h>

/* <xen/gntdev.h> uses these two of Xen's types without including them. */
typedef uint16_t domid_t;
typedef uint32_t grant_ref_t;
#include <xen/gntdev.h>

struct gntmap {
	int fd;
};

/* 0 or a negative errno. */
int gntmap_call(const struct gntmap *gntmap, unsigned long request, void *arg);

/* Shows a range just made, unless flags say otherwise; takes it away again if that fails. */
int gntmap_show_new(struct gntmap *gntmap, struct gntmap_mapping *range, unsigned int flags,
		    struct gntmap_mapping *mapping);

#endif
