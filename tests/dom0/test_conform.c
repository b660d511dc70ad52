// SPDX-License-Identifier: GPL-2.0
/*
 * The ABI of xen-gntdev: the same calls of it and of the strategy's node, in one boot, give the same: return values, errnos,
 * offsets, what is in memory, and which grants are mapped after each. Where they differ on purpose, the step says how and why.
 *
 * Left out, since in-tree does not survive it or spoils the kernel's log (tests/findings.md and bugs that are known):
 *	a pin on a page that is unmapped in PV; MADV_DOFORK and clear_refs in PV;
 *	a byte to clear that was asked for before the range is mapped read-only: it is written to in the kernel's read-only mapping;
 *	ranges beyond 2 GiB, whose offsets are negative in-tree, and which take all of dom0's memory there: test_abi has them for ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "conform.h"
#include "range.h"
#include "suite.h"

#define R PROT_READ
#define RW (PROT_READ | PROT_WRITE)
#define SHARED MAP_SHARED
#define PAGES(n) ((n) * PAGE_SIZE)
#define BOTH (MODE_PV | MODE_XLATE)
#define SEGV (CONFORM_SIGNAL + SIGSEGV)
#define BUS (CONFORM_SIGNAL + SIGBUS)
#define MAP IOCTL_GNTDEV_MAP_GRANT_REF
#define LIMIT 65536

/* Why ours differs. The manual page has this list too. */
static const char gap[] = "a gap that a range just fills is used; in-tree wants one page to spare";
static const char goes_back[] = "munmap and a failed mmap give the grants back in every mode; in-tree in PVH keeps them until "
				"the range is removed";
static const char again[] = "a range can be mapped again, also after a failure; in-tree never";
static const char width[] = "domain ids and offsets count in full; in-tree cuts them to 16 and 32 bits";
static const char place[] = "in PV a removed range keeps its place until munmap, so that mremap can be told";
static const char own[] = "only an address in a mapping of this descriptor is known; in-tree takes any descriptor's, and the next "
			  "mapping above";
static const char whole[] = "what would take a part of a mapping away, or move it, is refused in PV; in-tree's grants are gone";
static const char read_only[] = "a read-only map stays so";
static const char returns[] = "a page that MADV_DONTNEED dropped comes back outside PV; in-tree has SIGBUS";
static const char when[] = "the notification comes when the grants are back; in-tree's when the range is removed, too";
static const char honest[] = "no status says okay after a call that failed";
static const char dmabuf[] = "dma-bufs are there; in-tree has them with CONFIG_XEN_GNTDEV_DMABUF only, which Debian's kernels lack";

static const struct conform_step adding[] = {
	{ "no grants", conform_add_count, { 0 } },
	{ "one more than the limit", conform_add_count, { LIMIT + 1 } },
	{ "2^31 grants", conform_add_count, { 1u << 31 } },
	{ "2^32 - 1 grants", conform_add_count, { ~0u } },
	{ "a request that is nowhere", conform_ioctl, { MAP } },
	{ "a request without references", conform_ioctl, { MAP, 8, 3 } },
	{ "one reference of three", conform_ioctl, { MAP, 24, 3 } },
	{ "an answer that cannot be written", conform_add_unanswered },
	{ "the first range", conform_add, { A, 0, 1 } },
	{ "the next one", conform_add, { B, 1, 4 } },
	{ "and the next", conform_add, { C, 5, 1 } },
	{ "removing the middle one", conform_remove, { B } },
	{ "more than fits into the gap", conform_add, { B, 1, 5 } },
	{ "removing it", conform_remove, { B } },
	{ "less than the gap", conform_add, { B, 1, 3 } },
	{ "removing that", conform_remove, { B } },
	{ "just the gap", conform_add, { B, 1, 4 }, { { BOTH, { 6, 0 }, { 1, 0 }, gap } } },
};

static const struct conform_step mapping[] = {
	{ "adding", conform_add, { A, 0, 3 } },
	{ "mmap of what was not added", conform_mmap_at, { PAGES(3), 3, RW } },
	{ "mmap of its end", conform_mmap_at, { PAGES(1), 2, RW } },
	{ "mmap of its begin", conform_mmap_at, { 0, 2, RW } },
	{ "mmap of more", conform_mmap_at, { 0, 4, RW } },
	{ "a private writable mmap", conform_mmap, { A, RW, MAP_PRIVATE } },
	{ "mmap", conform_mmap, { A, RW, SHARED } },
	{ "reading", conform_read, { A, 2 } },
	{ "writing", conform_write, { A, 1 } },
	{ "a second mmap", conform_mmap_at, { 0, 3, RW } },
	{ "reading after that", conform_read, { A, 0 } },
	{ "growing", conform_grow, { A } },
	{ "munmap", conform_munmap, { A }, { { MODE_XLATE, { 0, 3 }, { 0, 0 }, goes_back } } },
	{ "mmap again", conform_mmap, { A, RW, SHARED },
	  { { MODE_PV, { -EINVAL, 0 }, { 0, 3 }, again }, { MODE_XLATE, { -EINVAL, 3 }, { 0, 3 }, again } } },
	{ "munmap again", conform_munmap, { A }, { { MODE_XLATE, { 0, 3 }, { 0, 0 }, goes_back } } },
	{ "removing", conform_remove, { A } },
	{ "mmap of what was removed", conform_mmap, { A, RW, SHARED } },
	{ "an offset is free again", conform_add, { B, 20, 2 } },
	{ "a private read-only mmap", conform_mmap, { B, R, MAP_PRIVATE } },
	{ "reading that", conform_read, { B, 1 } },
	{ "writing that", conform_write, { B, 1 } },
	{ "removing it while mapped", conform_remove, { B } },
	{ "munmap of a removed one", conform_munmap, { B } },
};

static const struct conform_step far_mmap[] = {
	{ "adding", conform_add, { A, 0, 3 } },
	{ "mmap 2^32 pages further", conform_mmap_at, { 1l << 44, 3, RW }, { { BOTH, { 0, 3 }, { -EINVAL, 0 }, width } } },
};

static const struct conform_step bad_grants[] = {
	{ "adding with a bad reference", conform_add_ref, { A, 0, 0x7fffffff } },
	{ "mmap of that", conform_mmap, { A, RW, SHARED }, { { MODE_XLATE, { -EINVAL, 2 }, { -EINVAL, 0 }, goes_back } } },
	{ "removing that", conform_remove, { A } },
	{ "adding with a domain that is not", conform_add_domid, { A, 0, 1000 } },
	{ "mmap of that domain's", conform_mmap, { A, R, SHARED }, { { MODE_XLATE, { -EINVAL, 2 }, { -EINVAL, 0 }, goes_back } } },
	{ "removing that domain's", conform_remove, { A } },
	{ "a domain id of 17 bits", conform_add_domid, { A, 0, 0x10000 }, { { BOTH, { 0, 0 }, { -EINVAL, 0 }, width } } },
	{ "mmap of its", conform_mmap, { A, RW, SHARED }, { { BOTH, { 0, 3 }, { -EINVAL, 0 }, width } } },
	{ "removing its", conform_remove, { A }, { { BOTH, { 0, 3 }, { -ENOENT, 0 }, width } } },
	{ "munmap of its", conform_munmap, { A } },
};

/* The granter's last pages are granted read-only. */
static struct conform_step read_only_grants[] = {
	{ "adding", conform_add, { A, 0, 2 } },
	{ "mmap for writing", conform_mmap, { A, RW, SHARED } },
	{ "mmap for reading after that", conform_mmap, { A, R, SHARED }, { { BOTH, { -EINVAL, 0 }, { 0, 2 }, again } } },
	{ "munmap", conform_munmap, { A } },
	{ "removing", conform_remove, { A } },
	{ "adding others", conform_add, { B, 0, 2 } },
	{ "mmap for reading", conform_mmap, { B, R, SHARED } },
	{ "reading", conform_read, { B, 1 } },
	{ "writing", conform_write, { B, 1 } },
	{ "mprotect for writing", conform_mprotect, { B, 0, 2, RW },
	  { { MODE_PV, { 0, 0 }, { -EACCES, 2 }, read_only }, { MODE_XLATE, { 0, 2 }, { -EACCES, 2 }, read_only } } },
	{ "munmap of the others", conform_munmap, { B }, { { MODE_XLATE, { 0, 2 }, { 0, 0 }, goes_back } } },
	{ "removing the others", conform_remove, { B } },
};

static const struct conform_step removing[] = {
	{ "a wild pointer", conform_ioctl, { IOCTL_GNTDEV_UNMAP_GRANT_REF } },
	{ "half a request", conform_ioctl, { IOCTL_GNTDEV_UNMAP_GRANT_REF, 8, 0 } },
	{ "removing nothing", conform_remove_at, { 0, 0 } },
	{ "adding", conform_add, { A, 0, 3 } },
	{ "with a smaller size", conform_remove_at, { 0, 2 } },
	{ "with a bigger size", conform_remove_at, { 0, 4 } },
	{ "its end", conform_remove_at, { PAGES(1), 2 } },
	{ "all of it, from its second page on", conform_remove_at, { PAGES(1), 3 } },
	{ "whatever its second page is in", conform_remove_at, { PAGES(1), 0 } },
	{ "what is behind it", conform_remove_at, { PAGES(3), 3 } },
	{ "somewhere in its first page", conform_remove_at, { 123, 3 } },
	{ "again", conform_remove_at, { 0, 3 } },
	{ "adding another", conform_add, { A, 0, 3 } },
	{ "of any size", conform_remove_at, { 0, 0 } },
	{ "adding a third", conform_add, { A, 0, 3 } },
	{ "2^32 pages further", conform_remove_at, { 1l << 44, 3 }, { { BOTH, { 0, 0 }, { -ENOENT, 0 }, width } } },
	{ "in its right place", conform_remove_at, { 0, 3 }, { { BOTH, { -ENOENT, 0 }, { 0, 0 }, width } } },
	{ "adding a fourth", conform_add, { A, 0, 3 } },
	{ "mmap", conform_mmap, { A, RW, SHARED } },
	{ "while it is mapped", conform_remove, { A } },
	{ "reading", conform_read, { A, 1 } },
	{ "writing", conform_write, { A, 1 } },
	{ "its address is known", conform_find, { A, PAGES(2) } },
	{ "the next one's place", conform_add, { B, 20, 1 }, { { MODE_PV, { 0, 3 }, { 3, 3 }, place } } },
	{ "munmap", conform_munmap, { A } },
	{ "its address is forgotten", conform_find, { A, 0 } },
};

static const struct conform_step finding[] = {
	{ "a wild pointer", conform_ioctl, { IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR } },
	{ "half a request", conform_ioctl, { IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, 16, 0 } },
	{ "adding", conform_add, { A, 0, 2 } },
	{ "adding another", conform_add, { B, 2, 3 } },
	{ "of what is not mapped", conform_find, { A, 0 } },
	{ "mmap", conform_mmap, { A, RW, SHARED } },
	{ "mmap of the other", conform_mmap, { B, R, SHARED } },
	{ "its begin", conform_find, { A, 0 } },
	{ "its last byte", conform_find, { A, PAGES(2) - 1 } },
	{ "behind its end", conform_find, { A, PAGES(2) } },
	{ "the other's middle", conform_find, { B, PAGES(1) + 17 } },
	{ "ordinary memory", conform_find_memory },
	{ "asked of another descriptor", conform_find_elsewhere, { B }, { { BOTH, { 203, 5 }, { -EINVAL, 5 }, own } } },
	{ "just below it", conform_find_hole, { A }, { { BOTH, { 2, 5 }, { -EINVAL, 5 }, own } } },
	{ "munmap", conform_munmap, { B }, { { MODE_XLATE, { 0, 5 }, { 0, 2 }, goes_back } } },
	{ "of what was mapped", conform_find, { B, 0 }, { { MODE_XLATE, { -EINVAL, 5 }, { -EINVAL, 2 }, goes_back } } },
};

static const struct conform_step parts_in_pv[] = {
	{ "adding", conform_add, { A, 0, 4 } },
	{ "mmap", conform_mmap, { A, RW, SHARED } },
	{ "munmap of the last page", conform_munmap_part, { A, 3, 1 }, { { MODE_PV, { 0, 3 }, { -EINVAL, 4 }, whole } } },
	{ "reading the first", conform_read, { A, 0 }, { { MODE_PV, { 0, 3 }, { 0, 4 }, whole } } },
	{ "mprotect of the first", conform_mprotect, { A, 0, 1, R }, { { MODE_PV, { 0, 2 }, { -EINVAL, 4 }, whole } } },
	{ "reading it", conform_read, { A, 0 }, { { MODE_PV, { BUS, 2 }, { 0, 4 }, whole } } },
	{ "munmap of all", conform_munmap, { A } },
	{ "removing", conform_remove, { A } },
	{ "adding another", conform_add, { B, 8, 2 } },
	{ "mmap of the other", conform_mmap, { B, RW, SHARED } },
	{ "moving it", conform_move, { B }, { { MODE_PV, { 0, 0 }, { -EINVAL, 2 }, whole } } },
	{ "reading what was moved", conform_read, { B, 1 }, { { MODE_PV, { BUS, 0 }, { 0, 2 }, whole } } },
};

static const struct conform_step parts_elsewhere[] = {
	{ "adding", conform_add, { A, 0, 4 } },
	{ "mmap", conform_mmap, { A, RW, SHARED } },
	{ "munmap of the last page", conform_munmap_part, { A, 3, 1 } },
	{ "reading the first", conform_read, { A, 0 } },
	{ "mprotect of the first", conform_mprotect, { A, 0, 1, R } },
	{ "writing it", conform_write, { A, 0 } },
	{ "writing the second", conform_write, { A, 1 } },
	{ "mprotect back", conform_mprotect, { A, 0, 1, RW } },
	{ "writing the first", conform_write, { A, 0 } },
	{ "dropping", conform_dontneed, { A } },
	{ "reading what was dropped", conform_read, { A, 0 }, { { MODE_XLATE, { BUS, 4 }, { 0, 4 }, returns } } },
	{ "munmap of all", conform_munmap, { A }, { { MODE_XLATE, { 0, 4 }, { 0, 0 }, goes_back } } },
	{ "removing", conform_remove, { A } },
	{ "adding another", conform_add, { B, 8, 2 } },
	{ "mmap of the other", conform_mmap, { B, RW, SHARED } },
	{ "moving it", conform_move, { B } },
	{ "reading what was moved", conform_read, { B, 1 } },
	{ "writing what was moved", conform_write, { B, 1 } },
};

static const struct conform_step children[] = {
	{ "adding", conform_add, { A, 0, 2 } },
	{ "mmap", conform_mmap, { A, RW, SHARED } },
	{ "a child reads", conform_child_reads, { A, 1 } },
	{ "a child unmaps", conform_child_unmaps, { A } },
	{ "reading", conform_read, { A, 0 } },
	{ "writing", conform_write, { A, 1 } },
	{ "a child adds", conform_child_adds, { B, 2, 3 } },
	{ "the next one's place", conform_add, { C, 8, 1 } },
	{ "mmap of the child's", conform_mmap, { B, R, SHARED } },
	{ "reading the child's", conform_read, { B, 2 } },
	{ "removing the child's", conform_remove, { B } },
	{ "a child maps and exits", conform_child_ends, { 0 } },
	{ "a child maps and is killed", conform_child_ends, { SIGKILL } },
	{ "close", conform_close },
	{ "reading after close", conform_read, { A, 0 } },
	{ "writing after close", conform_write, { A, 1 } },
	/* Mappings keep the file, and in-tree in PVH the file keeps the grants. */
	{ "munmap after close", conform_munmap, { A }, { { MODE_XLATE, { 0, 5 }, { 0, 3 }, goes_back } } },
	{ "munmap of the child's", conform_munmap, { B } },
};

#define CLEAR UNMAP_NOTIFY_CLEAR_BYTE
#define SEND UNMAP_NOTIFY_SEND_EVENT
/* The pattern's byte there: it is not 0. */
#define BYTE (PAGES(2) + 100)

static const struct conform_step notifying[] = {
	{ "a wild pointer", conform_ioctl, { IOCTL_GNTDEV_SET_UNMAP_NOTIFY } },
	{ "half a request", conform_ioctl, { IOCTL_GNTDEV_SET_UNMAP_NOTIFY, 8, 0 } },
	{ "for no range", conform_notify_at, { 0, CLEAR, 0 } },
	{ "an unknown action", conform_notify_at, { 0, 4, 0 } },
	{ "binding", conform_bind },
	{ "adding", conform_add, { A, 0, 3 } },
	{ "no such port", conform_notify_at, { 0, SEND, 4000 } },
	{ "port 0", conform_notify_at, { 0, SEND, 0 } },
	{ "behind its end", conform_notify, { A, PAGES(3), CLEAR } },
	{ "before mmap", conform_notify, { A, BYTE, CLEAR } },
	{ "mmap", conform_mmap, { A, RW, SHARED } },
	{ "another byte", conform_notify, { A, BYTE + 8, CLEAR | SEND } },
	{ "taken back", conform_notify, { A, 0, 0 } },
	{ "after all", conform_notify, { A, BYTE, CLEAR | SEND } },
	{ "no event yet", conform_events, { 0 } },
	{ "munmap", conform_munmap, { A }, { { MODE_XLATE, { 0, 3 }, { 0, 0 }, goes_back } } },
	{ "events", conform_events, { 0 }, { { MODE_PV, { 0, 0 }, { 1, 0 }, when }, { MODE_XLATE, { 0, 3 }, { 1, 0 }, when } } },
	{ "removing", conform_remove, { A } },
	{ "events by then", conform_events, { 0 }, { { BOTH, { 1, 0 }, { 0, 0 }, when } } },
	{ "the byte", conform_byte, { 2, 100 } },
	{ "the other byte", conform_byte, { 2, 108 } },
	{ "adding a read-only one", conform_add, { B, 4, 1 } },
	{ "mmap of that", conform_mmap, { B, R, SHARED } },
	{ "its byte", conform_notify, { B, 5, CLEAR } },
	{ "its event", conform_notify, { B, 0, SEND } },
	{ "removing it while mapped", conform_remove, { B } },
	{ "no event so far", conform_events, { 0 } },
	{ "munmap of it", conform_munmap, { B } },
	{ "its event comes", conform_events, { 1 } },
	{ "adding a third", conform_add, { C, 8, 2 } },
	{ "the event of what is not mapped", conform_notify, { C, 0, SEND } },
	{ "removing the third", conform_remove, { C } },
	{ "its event comes too", conform_events, { 1 } },
	{ "adding a fourth", conform_add, { C, 8, 2 } },
	{ "mmap of the fourth", conform_mmap, { C, RW, SHARED } },
	{ "its byte and event", conform_notify, { C, 100, CLEAR | SEND } },
	{ "close", conform_close },
	{ "nothing comes yet", conform_events, { 0 } },
	{ "munmap after close", conform_munmap, { C } },
	{ "they come", conform_events, { 1 } },
	{ "the fourth's byte", conform_byte, { 8, 100 } },
};

static const struct conform_step copying[] = {
	{ "a wild pointer", conform_ioctl, { IOCTL_GNTDEV_GRANT_COPY } },
	{ "half a request", conform_ioctl, { IOCTL_GNTDEV_GRANT_COPY, 8, 0 } },
	{ "a segment that is nowhere", conform_ioctl, { IOCTL_GNTDEV_GRANT_COPY, 16, 1 } },
	{ "no segments", conform_copy, { CONFORM_NO_SEGMENT } },
	{ "from and to grants", conform_copy, { CONFORM_FROM, CONFORM_TO } },
	{ "its status", conform_status, { 0 } },
	{ "the other's status", conform_status, { 1 } },
	{ "it arrived", conform_arrived, { 0 } },
	{ "the other arrived", conform_arrived, { 1 } },
	{ "between grants, and of nothing", conform_copy, { CONFORM_BETWEEN, CONFORM_EMPTY } },
	{ "status between", conform_status, { 0 } },
	{ "status of nothing", conform_status, { 1 } },
	{ "between arrived", conform_arrived, { 0 } },
	{ "nothing did not", conform_arrived, { 1 } },
	{ "a bad reference first", conform_copy, { CONFORM_BAD_REF, CONFORM_TO } },
	{ "its status", conform_status, { 0 } },
	{ "status after it", conform_status, { 1 } },
	{ "it did not arrive", conform_arrived, { 0 } },
	{ "what is after it arrived", conform_arrived, { 1 } },
	{ "to a read-only grant", conform_copy, { CONFORM_FROM, CONFORM_READ_ONLY_GRANT } },
	{ "status before it", conform_status, { 0 } },
	{ "its status", conform_status, { 1 } },
	{ "an unknown flag", conform_copy, { CONFORM_UNKNOWN_FLAG } },
	{ "its status", conform_status, { 0 } },
	{ "memory to memory", conform_copy, { CONFORM_NO_GRANT } },
	{ "its status", conform_status, { 0 }, { { BOTH, { CONFORM_UNTOUCHED, 0 }, { GNTST_general_error, 0 }, honest } } },
	{ "past a page, after another", conform_copy, { CONFORM_FROM, CONFORM_PAST_PAGE } },
	{ "the other's status", conform_status, { 0 }, { { BOTH, { 0, 0 }, { GNTST_general_error, 0 }, honest } } },
	{ "the other did not arrive", conform_arrived, { 0 } },
	{ "memory that is not, after another", conform_copy, { CONFORM_TO, CONFORM_NO_MEMORY } },
	{ "the other's status", conform_status, { 0 }, { { BOTH, { 0, 0 }, { GNTST_general_error, 0 }, honest } } },
	{ "its own", conform_status, { 1 }, { { BOTH, { 0, 0 }, { GNTST_general_error, 0 }, honest } } },
	{ "the other did not arrive", conform_arrived, { 0 } },
	{ "read-only memory", conform_copy, { CONFORM_READ_ONLY_MEMORY } },
	{ "its status", conform_status, { 0 }, { { BOTH, { 0, 0 }, { GNTST_general_error, 0 }, honest } } },
};

#define NO_DMABUF(ours) { { BOTH, { -ENOTTY, 0 }, { ours, 0 }, dmabuf, { ours, 0 } } }
/* Where in-tree has dma-bufs, it cannot export one (findings.md 8). */
#define EXPORT(ours, in_tree) { { BOTH, { -ENOTTY, 0 }, { ours, 2 }, dmabuf, { in_tree, 0 } } }

static const struct conform_step dmabufs_in_pv[] = {
	{ "an export", conform_export, { 0, 2, 0 }, NO_DMABUF(-EINVAL) },
	{ "an export that is nowhere", conform_ioctl, { IOCTL_GNTDEV_DMABUF_EXP_FROM_REFS }, NO_DMABUF(-EINVAL) },
	{ "waiting for nothing", conform_export_wait, { 0 }, NO_DMABUF(-ENOENT) },
};

static const struct conform_step dmabufs_elsewhere[] = {
	{ "an export that is nowhere", conform_ioctl, { IOCTL_GNTDEV_DMABUF_EXP_FROM_REFS }, NO_DMABUF(-EFAULT) },
	{ "an export of nothing", conform_export, { 0, 0, 0 }, NO_DMABUF(-EINVAL) },
	{ "flags that exclude each other", conform_export, { 0, 2, GNTDEV_DMA_FLAG_WC | GNTDEV_DMA_FLAG_COHERENT },
	  NO_DMABUF(-EINVAL) },
	{ "an export", conform_export, { 0, 2, 0 }, EXPORT(0, -EINVAL) },
	{ "waiting", conform_export_wait, { 0 }, EXPORT(-ETIMEDOUT, -ENOENT) },
	{ "closing it", conform_export_close },
	{ "waiting after that", conform_export_wait, { 0 }, NO_DMABUF(-ENOENT) },
};

static const struct conform_step importing[] = {
	{ "an import that is nowhere", conform_ioctl, { IOCTL_GNTDEV_DMABUF_IMP_TO_REFS }, NO_DMABUF(-EFAULT) },
	{ "of no pages", conform_import, { -1, 0 }, NO_DMABUF(-EINVAL) },
	{ "of more than the limit", conform_import, { -1, LIMIT + 1 }, NO_DMABUF(-EINVAL) },
	{ "of no descriptor", conform_import, { -1, 2 }, NO_DMABUF(-EBADF) },
	{ "of another file", conform_import, { -2, 2 }, NO_DMABUF(-EINVAL) },
	{ "releasing nothing", conform_import_release, { 5 }, NO_DMABUF(-ENOENT) },
	{ "a release that is nowhere", conform_ioctl, { IOCTL_GNTDEV_DMABUF_IMP_RELEASE }, NO_DMABUF(-EFAULT) },
	{ "a wait that is nowhere", conform_ioctl, { IOCTL_GNTDEV_DMABUF_EXP_WAIT_RELEASED }, NO_DMABUF(-EFAULT) },
};

static const struct conform_step descriptor[] = {
	{ "an ioctl that nobody knows", conform_ioctl, { _IOC(_IOC_NONE, 'G', 99, 8) } },
	{ "SET_MAX_GRANTS", conform_ioctl, { IOCTL_GNTDEV_SET_MAX_GRANTS } },
	{ "read()", conform_read_file },
	{ "write()", conform_write_file },
	{ "lseek()", conform_seek_file },
	{ "poll()", conform_poll_file },
	{ "opened for reading", conform_reopen, { O_RDONLY } },
	{ "adding", conform_add, { A, 0, 2 } },
	{ "mmap for writing", conform_mmap, { A, RW, SHARED } },
	{ "mmap for reading", conform_mmap, { A, R, SHARED } },
	{ "mprotect for writing", conform_mprotect, { A, 0, 2, RW } },
	{ "reading", conform_read, { A, 1 } },
};

#define SCRIPT(steps) static void run_##steps(void) { conform(steps, ARRAY_SIZE(steps)); }
SCRIPT(adding)
SCRIPT(mapping)
SCRIPT(far_mmap)
SCRIPT(bad_grants)
SCRIPT(removing)
SCRIPT(finding)
SCRIPT(parts_in_pv)
SCRIPT(parts_elsewhere)
SCRIPT(children)
SCRIPT(notifying)
SCRIPT(copying)
SCRIPT(dmabufs_in_pv)
SCRIPT(dmabufs_elsewhere)
SCRIPT(importing)
SCRIPT(descriptor)

static void run_read_only_grants(void)
{
	read_only_grants[0].arg[1] = suite.nr_rw;
	read_only_grants[5].arg[1] = suite.nr_rw;
	conform(read_only_grants, ARRAY_SIZE(read_only_grants));
}

static const struct suite_case cases[] = {
	{ "MAP_GRANT_REF as in-tree", run_adding },
	{ "mmap and munmap as in-tree", run_mapping },
	{ "mmap far behind a range as in-tree", run_far_mmap },
	{ "bad references and domains as in-tree", run_bad_grants },
	{ "read-only grants as in-tree", run_read_only_grants },
	{ "UNMAP_GRANT_REF as in-tree", run_removing },
	{ "GET_OFFSET_FOR_VADDR as in-tree", run_finding },
	{ "parts of mappings as in-tree, in PV", run_parts_in_pv, MODE_PV },
	{ "parts of mappings as in-tree, outside PV", run_parts_elsewhere, MODE_XLATE },
	{ "fork, exit and close as in-tree", run_children },
	{ "SET_UNMAP_NOTIFY as in-tree", run_notifying },
	{ "GRANT_COPY as in-tree", run_copying },
	{ "dma-bufs as in-tree, in PV", run_dmabufs_in_pv, MODE_PV },
	{ "dma-buf export as in-tree, outside PV", run_dmabufs_elsewhere, MODE_XLATE },
	{ "dma-buf import as in-tree", run_importing },
	{ "other system calls as in-tree", run_descriptor },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
