// SPDX-License-Identifier: LGPL-2.1-or-later
/* Foreign frames: mapping them. */
#include <errno.h>
#include <stdint.h>

#include "internal.h"

static int map(struct gntmap *gntmap, uint32_t domid, uint64_t gfns, size_t nr, unsigned int flags, unsigned int run,
	       int32_t *errors, struct gntmap_mapping *mapping)
{
	struct gntmap_mapping range = { .nr_pages = nr };
	struct gntmap_map_foreign op = {
		.size = sizeof(op),
		.flags = (flags & (GNTMAP_WRITE | GNTMAP_PARTIAL)) | run,
		.domid = domid,
		.nr = nr,
		.gfns = gfns,
		.errors = (uintptr_t)errors,
	};
	int err;

	_Static_assert(GNTMAP_WRITE == GNTMAP_FOREIGN_WRITE && GNTMAP_PARTIAL == GNTMAP_FOREIGN_PARTIAL,
		       "the driver's word for it");

	if (flags & ~(GNTMAP_WRITE | GNTMAP_PARTIAL | GNTMAP_NO_MMAP))
		return -EINVAL;
	err = gntmap_call(gntmap, GNTMAP_IOCTL_MAP_FOREIGN, &op);
	if (err)
		return err;
	range.offset = op.offset;
	return gntmap_show_new(gntmap, &range, flags, mapping);
}

int gntmap_map_foreign(struct gntmap *gntmap, uint32_t domid, const uint64_t *gfns, size_t nr, unsigned int flags,
		       int32_t *errors, struct gntmap_mapping *mapping)
{
	return map(gntmap, domid, (uintptr_t)gfns, nr, flags, 0, errors, mapping);
}

int gntmap_map_foreign_run(struct gntmap *gntmap, uint32_t domid, uint64_t first_gfn, size_t nr, unsigned int flags,
			   int32_t *errors, struct gntmap_mapping *mapping)
{
	return map(gntmap, domid, first_gfn, nr, flags, GNTMAP_FOREIGN_RUN, errors, mapping);
}
