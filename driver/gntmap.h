/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gntmap: internal types, and who calls whom.
 *
 *	strategy_*.c, main.c			who we are, what domain this is
 *	backend_pv.c, backend_xlate.c		what the domain demands
 *	foreign_pv.c, foreign_xlate.c		how each of them has foreign frames
 *	file.c, info.c, fdinfo.c		what a user asks
 *	mmap.c, grant.c, foreign.c,
 *	dmabuf_export.c				the ways into a range
 *	offsets.c				where a file's ranges are
 *	range.c					the life of a mapping
 *	pages.c batch.c notify.c copy.c account.c ram.c dmabuf_import.c
 *						what stands alone
 *
 * Calls go down only; whoever must be called back hands over an ops struct.
 */
#ifndef GNTMAP_H
#define GNTMAP_H

#undef pr_fmt
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <xen/interface/grant_table.h>
#include <xen/interface/xen.h>

#include "../include/uapi/xen/gntmap.h"
#include "compat.h"

/* Foreign frames in one hypercall: Xen looks for something more urgent after each. */
#define GNTMAP_FRAMES_BATCH	512u

/*
 * For arrays whose size the user chooses: with a high limit they may be too
 * big for kvmalloc(), which is the user's ENOMEM and no reason to warn.
 */
#define GFP_USER_SIZED		(GFP_KERNEL_ACCOUNT | __GFP_NOWARN)

struct gntmap_range;
struct gntmap_file;
struct gntmap_frames;

/**
 * struct gntmap_strategy - how a VMA is kept out of NUMA balancing
 * @name: the token that names it everywhere
 * @vm_flags: VMA flags that are its mechanism (0 where the mechanism is none)
 * @vm_ops: starts with GNTMAP_VM_OPS, may add ->get_policy
 * @populate: puts @nr pages with ordinary PTEs into a VMA under ->mmap, from
 *	@addr on. The VMA's flags must be the same before and after it.
 */
struct gntmap_strategy {
	const char *name;
	vm_flags_t vm_flags;
	const struct vm_operations_struct *vm_ops;
	int (*populate)(struct vm_area_struct *vma, unsigned long addr, struct page **pages,
			unsigned long nr);
};

struct gntmap_device;

struct gntmap_device *gntmap_strategy_register(const struct gntmap_strategy *strategy,
					       struct module *owner, const char *node);
void gntmap_strategy_unregister(struct gntmap_device *device);
int gntmap_insert_pages(struct vm_area_struct *vma, unsigned long addr, struct page **pages,
			unsigned long nr);

void gntmap_vma_open(struct vm_area_struct *vma);
void gntmap_vma_close(struct vm_area_struct *vma);
int gntmap_vma_may_split(struct vm_area_struct *vma, unsigned long addr);
int gntmap_vma_mprotect(struct vm_area_struct *vma, unsigned long start,
			unsigned long end, unsigned long newflags);
vm_fault_t gntmap_vma_fault(struct vm_fault *vmf);
struct page *gntmap_vma_normal_page(struct vm_area_struct *vma, unsigned long addr);

#define GNTMAP_VM_OPS						\
	.open			= gntmap_vma_open,		\
	.close			= gntmap_vma_close,		\
	.may_split		= gntmap_vma_may_split,		\
	.mprotect		= gntmap_vma_mprotect,		\
	.fault			= gntmap_vma_fault,		\
	.GNTMAP_NORMAL_PAGE_OP	= gntmap_vma_normal_page

/**
 * struct gntmap_source - what gives a range its frames and takes them back
 * @lasting: the frames are there from the range's birth to its end; otherwise
 *	from mmap() until the last VMA is gone
 * @alloc: makes room for what must be known of nr_pages frames; after a failure
 *	@free is called too
 * @free: undoes @alloc; no frame is there any more
 * @map: under ->mmap: from now on the frames are there, and in the user's PTEs
 *	if range->user says where these are. After an error a part may be
 *	mapped: @unmap_user and @unmap undo it.
 * @reach: if not NULL, a page is not the kernel's to use before this returned 0 for
 *	it; the caller has range->lock. -ENOENT: the user has not got it either;
 *	-ENOSPC: Xen refuses. Does not sleep.
 * @unmap_user: takes pages @first to @end - 1 out of the user's page tables, when
 *	nobody looks at these any more; their frames stay. Sleeps, allocates
 *	nothing. The caller holds range->user->lock, or nobody else can see the
 *	range.
 * @zap_user: the same while others may look at them. NULL: as @unmap_user
 * @unmap: takes back the frames of pages that nobody pins, and returns how many
 *	are pinned. The range is in nobody's page tables. Sleeps, allocates
 *	nothing, and runs in one context at a time.
 */
struct gntmap_source {
	bool lasting;
	int (*alloc)(struct gntmap_range *range);
	void (*free)(struct gntmap_range *range);
	int (*map)(struct gntmap_range *range, struct vm_area_struct *vma);
	int (*reach)(struct gntmap_range *range, unsigned int i);
	void (*unmap_user)(struct gntmap_range *range, unsigned int first, unsigned int end);
	void (*zap_user)(struct gntmap_range *range, unsigned int first, unsigned int end);
	unsigned int (*unmap)(struct gntmap_range *range);
};

/**
 * struct gntmap_backend - what the type of our domain demands
 * @name: "pv" or "xlate"
 * @vm_flags: VMA flags it needs whatever the strategy
 * @fixed: a VMA must keep its place, size and protection for life
 * @room: bytes that it wants of each small range (gntmap_range_room())
 * @mmap: maps the range's frames and shows them in @vma; undoes all on failure
 * @close: the last VMA is gone; nothing of it may be left
 * @fault: a PTE of the VMA is not there
 * @foreign: how it takes back foreign frames
 * @map_foreign: maps frames->gfns into pages @first to @first + @nr - 1, none of
 *	which has a frame; frames->errs says which of them have one now
 */
struct gntmap_backend {
	const char *name;
	vm_flags_t vm_flags;
	bool fixed;
	size_t room;
	int (*mmap)(struct gntmap_range *range, struct vm_area_struct *vma);
	void (*close)(struct gntmap_range *range);
	vm_fault_t (*fault)(struct gntmap_range *range, struct vm_fault *vmf);
	const struct gntmap_source *foreign;
	void (*map_foreign)(struct gntmap_range *range, unsigned int first, unsigned int nr,
			    struct gntmap_frames *frames);
};

extern const struct gntmap_backend gntmap_backend_pv;
extern const struct gntmap_backend gntmap_backend_xlate;

/* Where pages come from and go back to (pages.c). */
enum gntmap_provider {
	GNTMAP_UNPOPULATED,	/* page structs without memory, ZONE_DEVICE */
	GNTMAP_BALLOONED,	/* ordinary memory given back to Xen first */
};

const char *gntmap_pages_provider(void);
int gntmap_pages_alloc(struct page **pages, unsigned int nr, enum gntmap_provider *provider);
void gntmap_pages_free(struct page **pages, unsigned int nr, enum gntmap_provider provider);
void gntmap_pages_exit(void);

/* PV: the machine's memory (ram.c). */
bool gntmap_ram_known(void);
bool gntmap_ram_has(unsigned long mfn);
void gntmap_ram_exit(void);

/* Operations where nothing may be allocated (batch.c). */
#define GNTMAP_BATCH_BYTES	5120

void *gntmap_batch_get(void);
void gntmap_batch_put(void);
int gntmap_batch_init(void);
void gntmap_batch_exit(void);

/* What a file may do (account.c). */
struct gntmap_account {
	refcount_t refs;	/* the file and each charged range hold one */
	u32 domid;		/* the only one to be named, or GNTMAP_DOMID_ANY; set once */
	spinlock_t lock;	/* what follows */
	u64 nr_pages;
	u64 max_pages;
};

unsigned int gntmap_limit(void);
struct gntmap_account *gntmap_account_alloc(void);
void gntmap_account_put(struct gntmap_account *account);
int gntmap_account_charge(struct gntmap_account *account, u64 nr);
void gntmap_account_uncharge(struct gntmap_account *account, unsigned int nr);
int gntmap_account_set_max_pages(struct gntmap_account *account, u64 max_pages);
u64 gntmap_account_max_pages(struct gntmap_account *account);
int gntmap_account_restrict(struct gntmap_account *account, u32 domid);
u32 gntmap_account_domid(struct gntmap_account *account);

/* The grants behind a range (grant.c). */
struct gntmap_grants {
	domid_t domid;			/* of all references, unless domids is there */
	domid_t *domids;
	u32 map_flags;			/* of the last mapping */
	grant_ref_t *refs;
	grant_handle_t *handles;	/* the kernel's; PV: under range->lock while MAPPED */
	grant_handle_t *user_handles;	/* PV, behind them: the user's PTEs, under range->lock */
};

/* The foreign frames behind a range (foreign.c). */
struct gntmap_foreign {
	domid_t domid;
	bool writable;
	unsigned long *shown;	/* PV, bit i: the user's PTE has page i's frame */
};

/* A batch of them while they are mapped. */
struct gntmap_frames {
	xen_ulong_t *gfns;	/* their numbers in their domain */
	s32 *errs;		/* 0 or a negative errno */
	void *scratch;		/* GNTMAP_FRAME_SCRATCH bytes for each */
};

/* xlate: one of our frames; PV: an update and the PTE that it is for. */
#define GNTMAP_FRAME_SCRATCH \
	max(sizeof(xen_pfn_t), sizeof(struct mmu_update) + sizeof(pte_t *))

/* PV: the user's PTEs that Xen writes (backend_pv.c). */
struct gntmap_user_ptes {
	struct mmu_interval_notifier notifier;
	struct mutex lock;	/* serialises unmapping them; never held over an allocation */
	struct gntmap_range *range;
	unsigned long vm_start;
	u64 tables[];		/* machine address of the first PTE used in each page table */
};

/* What to tell the granter, and how (notify.c). */
struct gntmap_notify {
	u32 action;		/* UNMAP_NOTIFY_*, 0: nothing */
	u32 port;		/* of UNMAP_NOTIFY_SEND_EVENT, with a reference */
	u64 byte;		/* of the range, for UNMAP_NOTIFY_CLEAR_BYTE */
	u32 drained_port;	/* of the last mapping's, until its pages have gone back; 0: none */
	bool mapped;		/* mmap() succeeded, and a VMA shows it */
	bool writable;		/* that mapping was */
};

enum gntmap_range_state {
	GNTMAP_RANGE_IDLE,	/* no VMA shows it, and no grant is mapped */
	GNTMAP_RANGE_MAPPED,	/* from the begin of ->mmap to the close of the last VMA */
	GNTMAP_RANGE_DRAINING,	/* pages go back as their last pins are dropped */
};

struct gntmap_range {
	refcount_t refs;		/* the file's offset, each VMA, and draining hold one */
	unsigned int nr_pages;
	const struct gntmap_strategy *strategy;	/* valid while a file or VMA has us */
	const struct gntmap_source *source;
	const struct gntmap_backend *backend;
	struct gntmap_account *account;	/* that our pages are charged to */

	/* place among the file's offsets, under the lock of struct gntmap_offsets */
	struct rb_node node;
	unsigned long index;		/* in pages */
	unsigned long gap;		/* free pages just below index */
	unsigned long max_gap;		/* the largest gap in this subtree */
	bool removed;			/* given up while mapped: only its place is left */

	spinlock_t lock;		/* state, nr_vmas, and what says so; inside PTE locks */
	enum gntmap_range_state state;
	unsigned int nr_vmas;

	enum gntmap_provider provider;
	bool lost;			/* Xen refused an unmap: never use the pages again */
	/* Of a lasting source; bit i: page i has its frame. Set before the range has an offset. */
	unsigned long *present;
	union {				/* by source */
		struct gntmap_grants grants;
		struct gntmap_foreign foreign;
	};
	struct gntmap_notify notify;	/* under lock */
	struct gntmap_user_ptes *user;	/* PV, while mapped */

	unsigned long drain_delay;	/* jiffies */
	struct delayed_work drain;
	struct page **pages;
	void *room;			/* of a small range, for arrays still to come */
};

/*
 * What is known of each page of so many lies behind the range. Of more, each array is
 * a piece of its own: together they would be rounded up to the next power of two.
 */
#define GNTMAP_SMALL_RANGE	16
/* Bytes that a source keeps there for a page: a reference and two handles. */
#define GNTMAP_SOURCE_ROOM	(sizeof(grant_ref_t) + 2 * sizeof(grant_handle_t))

void *gntmap_range_array(struct gntmap_range *range, size_t size);
void gntmap_range_free_array(struct gntmap_range *range, void *array);
void *gntmap_range_room(struct gntmap_range *range);
struct gntmap_range *gntmap_range_alloc(struct gntmap_file *priv,
					const struct gntmap_source *source, u64 nr);
void gntmap_range_put(struct gntmap_range *range);
int gntmap_range_begin(struct gntmap_range *range);
void gntmap_range_get_vma(struct gntmap_range *range);
void gntmap_range_put_vma(struct gntmap_range *range);
int gntmap_range_reach(struct gntmap_range *range, unsigned int i);
bool gntmap_range_mapped(struct gntmap_range *range);
const struct gntmap_backend *gntmap_range_backend(void);
int gntmap_range_init(const struct gntmap_backend *backend);
void gntmap_range_exit(void);

int gntmap_notify_reach(struct gntmap_range *range, bool writable);
void gntmap_notify_mapped(struct gntmap_range *range, bool writable);
void gntmap_notify_unmapped(struct gntmap_range *range);
u32 gntmap_notify_take(struct gntmap_range *range);
u32 gntmap_notify_drained(struct gntmap_range *range);
void gntmap_notify_send(u32 port);

/* The offsets of a file: which pages of it belong to which range (offsets.c). */
struct gntmap_offsets {
	spinlock_t lock;	/* the tree, and the place of each range in it */
	struct rb_root root;
};

void gntmap_offsets_init(struct gntmap_offsets *offsets);
void gntmap_offsets_exit(struct gntmap_offsets *offsets);
int gntmap_offsets_add(struct gntmap_offsets *offsets, struct gntmap_range *range,
		       __u64 __user *offset);
bool gntmap_offsets_remove(struct gntmap_offsets *offsets, struct gntmap_range *range);
void gntmap_offsets_unmapped(struct gntmap_offsets *offsets, struct gntmap_range *range);
bool gntmap_offsets_has(struct gntmap_offsets *offsets, struct gntmap_range *range);
bool gntmap_offsets_fixed(struct gntmap_offsets *offsets, unsigned long index);
struct gntmap_range *gntmap_offsets_get(struct gntmap_offsets *offsets, unsigned long index);
struct gntmap_range *gntmap_offsets_get_at(struct gntmap_offsets *offsets, unsigned long index);
struct gntmap_range *gntmap_offsets_next(struct gntmap_offsets *offsets, unsigned long index);

int gntmap_grants_copy_refs(struct gntmap_range *range, struct gntmap_file *priv,
			    const void __user *refs);

int gntmap_grants_map(struct gntmap_range *range, bool writable);

extern const struct gntmap_source gntmap_grants;

int gntmap_foreign_alloc(struct gntmap_range *range);
void gntmap_foreign_free(struct gntmap_range *range);
int gntmap_foreign_check(struct gntmap_range *range, struct vm_area_struct *vma);
void gntmap_foreign_lose(struct gntmap_range *range, unsigned int i, int err);

extern const struct gntmap_source gntmap_foreign_pv;
extern const struct gntmap_source gntmap_foreign_xlate;
void gntmap_foreign_pv_map(struct gntmap_range *range, unsigned int first, unsigned int nr,
			   struct gntmap_frames *frames);
void gntmap_foreign_xlate_map(struct gntmap_range *range, unsigned int first, unsigned int nr,
			      struct gntmap_frames *frames);

u64 gntmap_user_pte(const struct gntmap_range *range, unsigned int i);

/* An open file (file.c, mmap.c). */
struct gntmap_file {
	const struct gntmap_strategy *strategy;
	struct gntmap_account *account;
	struct gntmap_offsets offsets;
#ifdef CONFIG_DMA_SHARED_BUFFER
	struct list_head exports;	/* under a lock of dmabuf_export.c's */
	struct mutex imports_lock;
	struct list_head imports;
#endif
};

int gntmap_file_may_name(struct gntmap_file *priv, u32 domid);
struct ioctl_gntdev_unmap_notify;
long gntmap_set_unmap_notify(struct gntmap_file *priv,
			     struct ioctl_gntdev_unmap_notify __user *u);
struct ioctl_gntdev_grant_copy;
long gntmap_grant_copy(struct gntmap_file *priv, struct ioctl_gntdev_grant_copy __user *u);
void gntmap_info_fill(struct gntmap_file *priv, struct gntmap_info *info);
void gntmap_show_fdinfo(struct seq_file *m, struct file *file);
long gntmap_info(struct gntmap_file *priv, struct gntmap_info __user *u);
long gntmap_map_foreign(struct gntmap_file *priv, struct gntmap_map_foreign __user *u);
long gntmap_restrict(struct gntmap_file *priv, struct gntmap_restrict __user *u);
long gntmap_set_max_pages(struct gntmap_file *priv, struct gntmap_set_max_pages __user *u);

/* dma-bufs; without them as in-tree without CONFIG_XEN_GNTDEV_DMABUF (dmabuf.c). */
#ifdef CONFIG_DMA_SHARED_BUFFER
void gntmap_dmabuf_open(struct gntmap_file *priv);
void gntmap_dmabuf_release(struct gntmap_file *priv);
long gntmap_dmabuf_ioctl(struct gntmap_file *priv, unsigned int cmd, void __user *u);
int gntmap_dmabuf_init(void);
void gntmap_dmabuf_exit(void);
#else
static inline void gntmap_dmabuf_open(struct gntmap_file *priv)
{
}

static inline void gntmap_dmabuf_release(struct gntmap_file *priv)
{
}

static inline long gntmap_dmabuf_ioctl(struct gntmap_file *priv, unsigned int cmd, void __user *u)
{
	return -ENOTTY;
}

static inline int gntmap_dmabuf_init(void)
{
	return 0;
}

static inline void gntmap_dmabuf_exit(void)
{
}
#endif

extern const struct file_operations gntmap_file_ops;
const struct gntmap_strategy *gntmap_device_strategy(const struct file *file);
int gntmap_mmap(struct file *file, struct vm_area_struct *vma);
unsigned long gntmap_get_unmapped_area(struct file *file, unsigned long addr, unsigned long len,
				       unsigned long pgoff, unsigned long flags);

#endif
