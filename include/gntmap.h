/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libgntmap: grants and frames of other Xen domains in this process's memory, by way of gntmap's device nodes.
 *
 * A thin library: one open file for a handle, one or two system calls for a function, no thread, no lock, no memory
 * but the handle. What the calls mean, down to each errno, is the driver's: gntmap(4) and <xen/gntmap.h>.
 *
 * When to take something else
 *
 *	The nodes speak <xen/gntdev.h>, so that an unmodified libxengnttab runs on one that stands at /dev/xen/gntdev.
 *	A program that maps grants, and has to run on in-tree xen-gntdev, on other systems or in a Xen tool's company,
 *	is better off with libxengnttab. It also has what is not repeated here: dma-bufs (xengnttab_dmabuf_*), granting
 *	memory to others (xengntshr_*), and logging (xentoollog).
 *	libxenforeignmemory maps foreign frames on every dom0; pages that it maps cannot be pinned, so direct IO from and
 *	into them gives EFAULT.
 *	libgntmap is for what those have not: a choice of strategies in one program, foreign frames that direct IO works
 *	on, an errno for each frame, a file that can be restricted to one domain or to a number of pages, information.
 *
 * Conventions
 *
 *	Functions return 0 or a negative errno; errno itself is not touched in any way that means something. Whatever a
 *	function was to fill in is unchanged when it fails, unless said otherwise.
 *	Domain ids are 0 to 0x7FEF, sizes are in pages of GNTMAP_PAGE_SIZE bytes, offsets in bytes. DOMID_SELF is no id.
 *	Functions that end in a negative errno of the kernel list what they give besides: ENOTTY for a call that the node
 *	does not have (in-tree xen-gntdev, an older gntmap), EFAULT for pointers that lead nowhere.
 *
 * Threads
 *
 *	A handle may be used by any number of threads at the same time; gntmap_close() comes after the last use. A
 *	struct gntmap_mapping is the caller's own variable, and one thread at a time changes it.
 *	Mapping and unmapping take mmap_lock for writing: threads that do much of it wait for each other in the kernel.
 *
 * fork and exec
 *
 *	The child has a copy of the handle, on the same open file: what one of the two adds, removes, restricts or caps
 *	holds for both, and the file is closed when both have closed it. Mappings: in a PV domain the child does not have
 *	them (access is SIGSEGV), elsewhere parent and child share them, and the grants go back when both are done.
 *	Descriptors are opened with O_CLOEXEC; exec gives up mappings as munmap() does.
 *
 * Exit
 *
 *	Leaving a process, in whatever way, unmaps and closes everything, and the grants are back with their domain when
 *	it is gone, except for pages that somebody pins (direct IO under way, registered io_uring buffers, RDMA): each of
 *	these goes back with its last pin.
 *
 * Since 0.1, all of it.
 */
#ifndef GNTMAP_H
#define GNTMAP_H

#include <stddef.h>
#include <stdint.h>

#include <xen/gntmap.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GNTMAP_PAGE_SIZE 4096ul

/* A node that is open. */
struct gntmap;

/*
 * A range of pages on a node, and where this process sees it. Plain data: it may be copied, kept anywhere or thrown
 * away; what it describes lives in the kernel until gntmap_unmap(), gntmap_close() with munmap(), or exit.
 */
struct gntmap_mapping {
	void *addr;	 /* nr_pages pages; NULL while not mapped */
	size_t nr_pages;
	uint64_t offset; /* on the file, in bytes: what mmap() wants */
};

/*
 * Flags of the functions that map.
 *
 * GNTMAP_WRITE: with write access; without it pages can be read only, and mprotect() cannot make more of it (EACCES).
 * GNTMAP_PARTIAL, foreign frames only: those that cannot be mapped leave holes.
 * GNTMAP_NO_MMAP: make the range and leave @addr NULL; gntmap_mmap() shows it later, or another process that was handed
 *	gntmap_fd() calls mmap() at the offset.
 */
#define GNTMAP_WRITE	(1u << 0)
#define GNTMAP_PARTIAL	(1u << 1)
#define GNTMAP_NO_MMAP	(1u << 8)

/*
 * gntmap_open: open a node.
 *
 * @node: a path if it has a slash in it, such as "/dev/xen/gntdev"; else the name of a strategy ("mixedmap", "policy",
 *	"vmio", "none"), whose node is found wherever its module's parameter put it. NULL: the default, which is
 *	1. what the environment's GNTMAP_NODE names in either way, unless the program is set-user-ID or the like;
 *	2. /dev/xen/gntdev, if it is one of gntmap's: it is the administrator's choice;
 *	3. the first that there is of mixedmap, policy, vmio. Never "none".
 *
 * A path may lead to in-tree xen-gntdev; grants can then be mapped, and what is gntmap's own gives -ENOTTY.
 *
 * -ENOENT: no such node; its module may not be loaded. -EACCES, -EPERM: not allowed to open it. -ENAMETOOLONG.
 * -ENOMEM, -EMFILE and whatever else open() gives.
 */
int gntmap_open(struct gntmap **gntmap, const char *node);

/*
 * gntmap_open_fd: make a handle of a descriptor that is open already, such as one that another process opened,
 * restricted and sent. The handle owns @fd afterwards. -EBADF; -ENOMEM; then @fd is still the caller's.
 */
int gntmap_open_fd(struct gntmap **gntmap, int fd);

/*
 * gntmap_close: close the file and free the handle. NULL is allowed.
 *
 * What is mapped stays mapped and valid until munmap(), which gntmap_munmap() can still do; ranges that are not mapped are
 * gone.
 */
void gntmap_close(struct gntmap *gntmap);

/*
 * gntmap_fd: the descriptor, for mmap(), poll-free calls of one's own, or to be sent to another process. It stays the
 * handle's: do not close it.
 */
int gntmap_fd(const struct gntmap *gntmap);

/*
 * gntmap_node_path: where gntmap_open() would look for @strategy. Writes at most @size bytes with the final 0.
 *
 * The module's own word is taken if it is loaded, and "/dev/xen/gntmap-<strategy>" if not; so success does not say that
 * the node is there. After an error @path may have a part of it. -EINVAL: a name with a slash in it, or none at all; -ENAMETOOLONG: @size or the name is not fit.
 */
int gntmap_node_path(const char *strategy, char *path, size_t size);

/*
 * gntmap_get_info: what the file is, has and may do; struct gntmap_info is explained in <xen/gntmap.h>.
 *
 * @size: sizeof(*info), so that programs built with an older header go on working. After an error *info's size and flags
 * are set and nothing else.
 * -ENOTTY: not one of gntmap's nodes. -EINVAL: a @size that the driver does not know.
 */
int gntmap_get_info(struct gntmap *gntmap, struct gntmap_info *info, size_t size);

/*
 * gntmap_restrict: from now on only @domid may be named on this file, for good and for whoever has it. What is mapped
 * stays. -EINVAL: not the id of a domain; -EPERM: restricted to another one already.
 */
int gntmap_restrict(struct gntmap *gntmap, uint32_t domid);

/*
 * gntmap_set_max_pages: the ranges of this file may have @max_pages pages together. The cap can be lowered and never
 * raised. -EPERM: more than it is now; -EBUSY: the file has more.
 */
int gntmap_set_max_pages(struct gntmap *gntmap, uint64_t max_pages);

/* A grant: the domain that made it and its reference there. */
struct gntmap_grant {
	uint32_t domid;
	uint32_t ref;
};

/*
 * gntmap_map_grants: map @nr grants, of one domain or several, as one range of consecutive pages.
 * gntmap_map_domain_grants: the same, all from @domid.
 *
 * @flags: GNTMAP_WRITE, GNTMAP_NO_MMAP. All are mapped or none. With GNTMAP_NO_MMAP nobody has asked Xen yet: errors of
 * the references then come from gntmap_mmap(), and GNTMAP_WRITE belongs there.
 *
 * -EINVAL: @nr is 0 or above the driver's limit (65536 unless the administrator changed it), flags that are not known,
 *	or a grant that cannot be mapped so: there is none, it was revoked, it is for another domain, or it is read-only
 *	and GNTMAP_WRITE was asked for.
 * -ENOSPC: Xen's table of mappings is full, or the file's cap is reached.
 * -EPERM: the file is restricted to another domain.
 * -ENOMEM, -EINTR (a fatal signal).
 * No errno names the reference that is to blame; mapping one by one finds it.
 */
int gntmap_map_grants(struct gntmap *gntmap, const struct gntmap_grant *grants, uint32_t nr, unsigned int flags,
		      struct gntmap_mapping *mapping);
int gntmap_map_domain_grants(struct gntmap *gntmap, uint32_t domid, const uint32_t *refs, uint32_t nr, unsigned int flags,
			     struct gntmap_mapping *mapping);

/*
 * gntmap_map_foreign: map @nr frames of domain @domid, in the order of @gfns, as one range of consecutive pages.
 * gntmap_map_foreign_run: the same for frames first_gfn, first_gfn + 1, ...
 *
 * A frame is what privcmd and libxenforeignmemory call one: a guest frame for HVM and PVH domains, a machine frame for PV
 * domains.
 *
 * @flags: GNTMAP_WRITE (here also with GNTMAP_NO_MMAP: it is decided when frames are mapped), GNTMAP_PARTIAL,
 *	GNTMAP_NO_MMAP. Touching a hole that GNTMAP_PARTIAL left is SIGBUS.
 * @errors: NULL, or @nr entries that become 0 or a negative errno for each frame, whenever the frames were tried, also
 *	if the call then fails:
 *	-ESRCH		@domid is no domain, or not any more
 *	-EINVAL		no such frame, or not any more (the domain is dying), or it is not memory
 *	-ENOENT		paged out: try again, after a millisecond or so
 *	-EPERM		no privilege over @domid, or the frame cannot be written to
 *	-EOPNOTSUPP	this kind of frame cannot be mapped in this kind of domain
 *	-ENOMEM		Xen or this domain is out of memory
 *
 * Without GNTMAP_PARTIAL all frames are mapped or none, and the first error of a frame is the result; with it the call
 * succeeds if at least one was mapped. -EINVAL besides: @nr is 0 or above the limit, unknown flags. -ENOSPC: the file's
 * cap. -EPERM: the file is restricted to another domain. -ENOTTY: the driver has no foreign frames. -ENOMEM, -EINTR.
 *
 * The frames are mapped as long as the range is there, shown or not.
 */
int gntmap_map_foreign(struct gntmap *gntmap, uint32_t domid, const uint64_t *gfns, size_t nr, unsigned int flags,
		       int32_t *errors, struct gntmap_mapping *mapping);
int gntmap_map_foreign_run(struct gntmap *gntmap, uint32_t domid, uint64_t first_gfn, size_t nr, unsigned int flags,
			   int32_t *errors, struct gntmap_mapping *mapping);

/*
 * gntmap_mmap: show a range that is not mapped: one made with GNTMAP_NO_MMAP, or after gntmap_munmap().
 *
 * @mapping: says offset and size; addr is set. @flags: GNTMAP_WRITE.
 *
 * -EINVAL: no range of that size starts there, it is mapped somewhere already, or a grant cannot be mapped so.
 * -EBUSY: pages of its last mapping are pinned still. -EACCES: foreign frames without GNTMAP_WRITE. -ENOSPC, -ENOMEM,
 * -EINTR. The range stays as it was and may be tried again. -EIO: Xen refused to unmap its last mapping: it can only be
 * removed.
 */
int gntmap_mmap(struct gntmap *gntmap, struct gntmap_mapping *mapping, unsigned int flags);

/*
 * gntmap_munmap: take the pages out of this process and set addr to NULL; the range stays. Grants are handed back when
 * this returns (but for pinned pages); frames of a foreign range are mapped still. Needs no handle. A mapping without
 * addr is left alone. Plain munmap() does the same to the memory.
 */
int gntmap_munmap(struct gntmap_mapping *mapping);

/*
 * gntmap_unmap: gntmap_munmap(), and remove the range. Afterwards *mapping is all 0, the addresses are nobody's, and the
 * offset may be another range's. The grants and frames are back with their domain, except for pages that are pinned.
 *
 * -ENOENT: the range was removed already (by another thread or process that has the file): the memory is unmapped
 * even so, and *mapping is all 0. -EINVAL: *mapping is none (all 0, or unmapped before), or its memory cannot be unmapped
 * (addr or nr_pages is not what it was): nothing has happened.
 */
int gntmap_unmap(struct gntmap *gntmap, struct gntmap_mapping *mapping);

/*
 * gntmap_find: which range of this file is seen at @addr, an address anywhere in a mapping. Sets offset and nr_pages, and
 * addr to @addr rounded down to its page, which is the mapping's beginning only if @addr was in its first page.
 * -EINVAL: none is.
 */
int gntmap_find(struct gntmap *gntmap, const void *addr, struct gntmap_mapping *mapping);

/*
 * gntmap_notify_unmap: tell the other side when @mapping goes away, in whatever way: unmapped, closed, exited, killed.
 * One notification for a range; a later call replaces it, @actions 0 takes it back.
 *
 * @actions: GNTMAP_NOTIFY_CLEAR_BYTE: byte number @byte of the range (0 to nr_pages * GNTMAP_PAGE_SIZE - 1) becomes 0; the
 *	range has to be mapped with write access, or will be. GNTMAP_NOTIFY_SEND_EVENT: then, when the grants are back,
 *	the other side of local event channel @port hears of it. The port has to be open (libxenevtchn) at the time of this
 *	call and is kept from then on.
 *
 * -EINVAL: unknown actions, @byte outside of the range, or a port that is not open. -ENOENT: no such range. -ENOSPC: a byte,
 * in a PV domain, and Xen's table of mappings is full.
 */
#define GNTMAP_NOTIFY_CLEAR_BYTE (1u << 0)
#define GNTMAP_NOTIFY_SEND_EVENT (1u << 1)
int gntmap_notify_unmap(struct gntmap *gntmap, const struct gntmap_mapping *mapping, unsigned int actions, size_t byte,
			uint32_t port);

/* One end of a copy: memory of this process, or a place in a grant. */
union gntmap_copy_end {
	void *local;
	struct {
		uint32_t ref;
		uint16_t offset; /* bytes into the page */
		uint16_t domid;
	} grant;
};

/*
 * A piece to be copied. @len bytes, at most a page; the grant's end must not reach beyond its page, the local one may
 * cross pages. At least one end is a grant: GNTMAP_COPY_FROM_GRANT, GNTMAP_COPY_TO_GRANT or both.
 */
#define GNTMAP_COPY_FROM_GRANT	(1u << 0)
#define GNTMAP_COPY_TO_GRANT	(1u << 1)
struct gntmap_copy {
	union gntmap_copy_end from, to;
	uint16_t len;
	uint16_t flags;	 /* GNTMAP_COPY_* */
	int16_t status; /* out: 0, or Xen's GNTST_*, all negative: -3 no such grant, -9 out of its bounds, ... */
};

/*
 * gntmap_copy: let Xen copy between grants and this process's memory, without mapping anything.
 *
 * 0: all pieces were tried, and @status of each says what became of it. On failure none of them means anything.
 * -EINVAL: a piece without a grant, or one that leaves its page; -EFAULT: local memory; -EPERM: the file is restricted to
 * another domain; -ENOMEM.
 */
int gntmap_copy(struct gntmap *gntmap, struct gntmap_copy *pieces, uint32_t nr);

#ifdef __cplusplus
}
#endif

#endif
