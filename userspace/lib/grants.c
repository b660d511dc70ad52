// SPDX-License-Identifier: LGPL-2.1-or-later
/* Grants: mapping them, copying from and to them. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Requests up to this size, which are most, need no memory. */
#define NR_ON_STACK 64

#define REQUEST_SIZE(nr) \
	(offsetof(struct ioctl_gntdev_map_grant_ref, refs) + (nr) * sizeof(struct ioctl_gntdev_grant_ref))

union small_request {
	struct ioctl_gntdev_map_grant_ref op;
	char bytes[REQUEST_SIZE(NR_ON_STACK)];
};

/* The list for the driver: grants as they are, or all references from one domain. */
static int map(struct gntmap *gntmap, const struct gntmap_grant *grants, uint32_t domid, const uint32_t *refs, uint32_t nr,
	       unsigned int flags, struct gntmap_mapping *mapping)
{
	struct gntmap_mapping range = { .nr_pages = nr };
	struct ioctl_gntdev_map_grant_ref *op;
	struct ioctl_gntdev_grant_ref *list;
	union small_request small;
	int err;

	_Static_assert(sizeof(struct gntmap_grant) == sizeof(struct ioctl_gntdev_grant_ref), "copied as they are");
	_Static_assert(offsetof(struct gntmap_grant, ref) == offsetof(struct ioctl_gntdev_grant_ref, ref),
		       "copied as they are");

	if (!nr || flags & ~(GNTMAP_WRITE | GNTMAP_NO_MMAP))
		return -EINVAL;
	op = nr <= NR_ON_STACK ? &small.op : malloc(REQUEST_SIZE((size_t)nr));
	if (!op)
		return -ENOMEM;
	op->count = nr;
	op->pad = 0;
	op->index = 0;
	list = (struct ioctl_gntdev_grant_ref *)((char *)op + offsetof(struct ioctl_gntdev_map_grant_ref, refs));
	if (grants)
		memcpy(list, grants, nr * sizeof(*list));
	for (uint32_t i = 0; !grants && i < nr; i++)
		list[i] = (struct ioctl_gntdev_grant_ref){ .domid = domid, .ref = refs[i] };

	err = gntmap_call(gntmap, IOCTL_GNTDEV_MAP_GRANT_REF, op);
	range.offset = op->index;
	if (op != &small.op)
		free(op);
	return err ? err : gntmap_show_new(gntmap, &range, flags, mapping);
}

int gntmap_map_grants(struct gntmap *gntmap, const struct gntmap_grant *grants, uint32_t nr, unsigned int flags,
		      struct gntmap_mapping *mapping)
{
	return map(gntmap, grants, 0, NULL, nr, flags, mapping);
}

int gntmap_map_domain_grants(struct gntmap *gntmap, uint32_t domid, const uint32_t *refs, uint32_t nr, unsigned int flags,
			     struct gntmap_mapping *mapping)
{
	return map(gntmap, NULL, domid, refs, nr, flags, mapping);
}

int gntmap_copy(struct gntmap *gntmap, struct gntmap_copy *pieces, uint32_t nr)
{
	struct ioctl_gntdev_grant_copy op = {
		.count = nr,
		.segments = (struct gntdev_grant_copy_segment *)pieces,
	};

#define SAME(ours, its)                                                                                       \
	_Static_assert(offsetof(struct gntmap_copy, ours) == offsetof(struct gntdev_grant_copy_segment, its), \
		       "handed over as they are")
	_Static_assert(sizeof(struct gntmap_copy) == sizeof(struct gntdev_grant_copy_segment), "handed over as they are");
	SAME(from.local, source.virt);
	SAME(from.grant.ref, source.foreign.ref);
	SAME(from.grant.offset, source.foreign.offset);
	SAME(from.grant.domid, source.foreign.domid);
	SAME(to, dest);
	SAME(len, len);
	SAME(flags, flags);
	SAME(status, status);
#undef SAME

	return gntmap_call(gntmap, IOCTL_GNTDEV_GRANT_COPY, &op);
}
