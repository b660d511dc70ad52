// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/gntmap_fault: makes calls of gntmap's modules fail, see gntmap_fault.h.
 *
 * A function is caught at its first instruction, where the return address on
 * the stack says who called, and is left again at once through a `ret` with the
 * result that was asked for. A hypercall cannot be caught so: its entry is
 * noinstr. What is probed is the instruction before the call in gntmap's
 * own code; when that was executed the call is stepped over.
 *
 * Every probe has a ->post_handler: with one, neither ftrace nor an optimised
 * probe stands in the way of a changed instruction pointer.
 */
#include <linux/capability.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/linkage.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>
#include <linux/uaccess.h>

#include <asm/ibt.h>
#include <asm/linkage.h>

#include <xen/grant_table.h>
#include <xen/interface/grant_table.h>
#include <xen/interface/xen.h>

#include "gntmap_fault.h"

#define CALL_SIZE	5	/* e8 and a 32-bit displacement */
#define MAX_INSN_SIZE	15
/* Added to a reference: nobody has so many. */
#define NO_REF		0x10000000
#define MAX_KEPT	128

struct site {
	struct kprobe probe;
	char name[FAULT_NAME_SIZE];
	enum fault_caller caller;
	unsigned long call;	/* address of the hypercall, or 0 */
	bool gives_pages;
	bool unmaps;
	atomic_t calls;
	atomic_t fired;
	atomic64_t sum;
	unsigned long nr;
	unsigned long arg;
};

static DEFINE_MUTEX(lock);	/* of the list, and of arming */
static struct site *sites[FAULT_MAX_SITES];
static unsigned int nr_sites;
static unsigned long in_use;

static struct page *stray;	/* that nobody has but we */

/* What stayed mapped. */
static struct gnttab_unmap_grant_ref kept[MAX_KEPT];
static struct page *kept_pages[MAX_KEPT];
static unsigned int nr_kept;

static struct fault_arm armed;
static pid_t armed_tgid;	/* 0: nobody; written last */

asmlinkage void gntmap_fault_return(void);
asm(".text\n"
    ".type gntmap_fault_return, @function\n"
    ".globl gntmap_fault_return\n"
    "gntmap_fault_return:\n"
    ASM_ENDBR
    ASM_RET
    ".size gntmap_fault_return, .-gntmap_fault_return\n");

/* The symbol that @addr is in: its begin and end if it is one of gntmap's modules. */
static bool is_ours(unsigned long addr, unsigned long *begin, unsigned long *end)
{
	char text[KSYM_SYMBOL_LEN], *place, *module;
	unsigned long offset, size;

	if (addr < MODULES_VADDR || addr >= MODULES_END)
		return false;
	sprint_symbol(text, addr);
	module = strchr(text, '[');
	place = strchr(text, '+');
	if (!module || !place || sscanf(place, "+0x%lx/0x%lx", &offset, &size) != 2)
		return false;
	if (begin)
		*begin = addr - offset;
	if (end)
		*end = addr - offset + size;
	return strstarts(module, "[gntmap") && !strstarts(module, "[gntmap_fault");
}

/*
 * Is it somebody who came between? A probe that is not ftrace's is a breakpoint, whose handler
 * counts as an NMI, and an NMI as an interrupt (__nmi_enter()).
 */
static bool interrupted(void)
{
	return in_serving_softirq() ||
		hardirq_count() >> HARDIRQ_SHIFT > in_nmi() >> NMI_SHIFT;
}

static bool called_by_us(struct site *site, const struct pt_regs *regs)
{
	unsigned long callers[32];
	unsigned int nr;

	if (READ_ONCE(armed_tgid) != task_tgid_nr(current))
		return false;
	/* Its place says it all. */
	if (site->call)
		return true;
	if (interrupted())
		return false;
	/* A call's return address is that of the instruction behind it. */
	if (is_ours(*(unsigned long *)regs->sp - 1, NULL, NULL))
		return true;
	if (site->caller != FAULT_BELOW)
		return false;
	nr = stack_trace_save(callers, ARRAY_SIZE(callers), 0);
	while (nr--)
		if (is_ours(callers[nr] - 1, NULL, NULL))
			return true;
	return false;
}

/* A call: is it the one that has to fail? */
static bool is_it(struct site *site)
{
	unsigned int k = atomic_inc_return(&site->calls);

	if (armed.what == FAULT_COUNT || sites[armed.site] != site || k != armed.k)
		return false;
	atomic_inc(&site->fired);
	return true;
}

static void spoil(struct gnttab_map_grant_ref *ops, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if ((armed.spoil & FAULT_SPOIL_ALL) ||
		    ((armed.spoil & FAULT_SPOIL_FIRST) && i == 0) ||
		    ((armed.spoil & FAULT_SPOIL_MIDDLE) && i == nr / 2) ||
		    ((armed.spoil & FAULT_SPOIL_LAST) && i == nr - 1))
			ops[i].ref += NO_REF;
}

/* gnttab_unmap_refs(unmap_ops, kunmap_ops, pages, count): the last @nr slots, or the first one, are left out. */
static void leave_out(struct pt_regs *regs, unsigned int nr, bool first)
{
	struct gnttab_unmap_grant_ref *ops = (void *)regs->di;
	struct page **pages = (struct page **)regs->dx;
	unsigned int i, from = first ? 0 : (u32)regs->cx - nr;

	/* What could not be undone is not done. */
	if (nr > MAX_KEPT - nr_kept)
		return;
	for (i = from; i < from + nr; i++) {
		kept[nr_kept] = ops[i];
		kept_pages[nr_kept++] = pages[i];
	}
	if (first) {
		regs->di += sizeof(*ops);
		regs->dx += sizeof(*pages);
	}
	regs->cx = (u32)regs->cx - nr;
}

static void spoil_unmap(struct pt_regs *regs)
{
	unsigned int nr = regs->cx;

	if (armed.spoil & FAULT_SPOIL_ALL)
		leave_out(regs, nr, false);
	else if (armed.spoil & FAULT_SPOIL_MIDDLE)
		leave_out(regs, nr - nr / 2, false);
	else
		leave_out(regs, 1, armed.spoil & FAULT_SPOIL_FIRST);
}

static int undo(void)
{
	unsigned int nr = nr_kept;
	int err;

	if (armed_tgid)
		return -EBUSY;
	nr_kept = 0;
	err = gnttab_unmap_refs(kept, NULL, kept_pages, nr);
	return err ?: nr;
}

/* pin_user_pages_fast(start, nr_pages, gup_flags, pages) */
static void give_stray_pages(const struct pt_regs *regs)
{
	struct page **pages = (struct page **)regs->cx;
	unsigned int i;

	for (i = 0; i < (u32)regs->si; i++)
		pages[i] = stray;
}

static int at_function(struct kprobe *probe, struct pt_regs *regs)
{
	struct site *site = container_of(probe, struct site, probe);

	if (!called_by_us(site, regs))
		return 0;
	atomic64_add((u32)regs->di, &site->sum);
	if (!is_it(site))
		return 0;
	if (armed.what == FAULT_SPOIL) {
		if (site->unmaps)
			spoil_unmap(regs);
		else
			spoil((void *)regs->di, regs->cx);
		return 0;
	}
	if (site->gives_pages)
		give_stray_pages(regs);
	regs->ax = armed.value;
	regs->ip = (unsigned long)gntmap_fault_return;
	return 1;
}

static void after_function(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static void before_hypercall(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
	struct site *site = container_of(probe, struct site, probe);

	if (regs->ip != site->call || !called_by_us(site, regs))
		return;
	site->nr = regs->ax;
	site->arg = regs->di;
	if (!is_it(site))
		return;
	if (armed.what == FAULT_SPOIL) {
		if (site->nr == __HYPERVISOR_grant_table_op &&
		    site->arg == GNTTABOP_map_grant_ref)
			spoil((void *)regs->si, regs->dx);
		return;
	}
	regs->ax = armed.value;
	regs->ip = site->call + CALL_SIZE;
}

static struct site *alloc_site(const char *name)
{
	struct site *site = kzalloc(sizeof(*site), GFP_KERNEL);

	if (site)
		strscpy(site->name, name, sizeof(site->name));
	return site;
}

static int add_function(const struct fault_add __user *arg)
{
	struct fault_add add;
	struct site *site;
	int err;

	if (copy_from_user(&add, arg, sizeof(add)))
		return -EFAULT;
	if (add.reserved || add.caller > FAULT_BELOW ||
	    strnlen(add.symbol, sizeof(add.symbol)) == sizeof(add.symbol))
		return -EINVAL;
	if (nr_sites == FAULT_MAX_SITES)
		return -ENOSPC;
	site = alloc_site(add.symbol);
	if (!site)
		return -ENOMEM;
	site->caller = add.caller;
	site->gives_pages = !strcmp(site->name, "pin_user_pages_fast");
	site->unmaps = !strcmp(site->name, "gnttab_unmap_refs");
	site->probe.symbol_name = site->name;
	site->probe.pre_handler = at_function;
	site->probe.post_handler = after_function;
	err = register_kprobe(&site->probe);
	if (err) {
		kfree(site);
		return err;
	}
	sites[nr_sites] = site;
	return nr_sites++;
}

/* Probes the instruction that ends at @call: only at the first byte of one does a probe stand. */
static int add_hypercall(unsigned long call)
{
	char name[KSYM_SYMBOL_LEN];
	struct site *site;
	unsigned int i;
	int err = -EILSEQ;

	if (nr_sites == FAULT_MAX_SITES)
		return -ENOSPC;
	sprint_symbol(name, call);
	site = alloc_site(name);
	if (!site)
		return -ENOMEM;
	site->call = call;
	site->probe.post_handler = before_hypercall;
	for (i = 1; i <= MAX_INSN_SIZE && err; i++) {
		site->probe.addr = (void *)(call - i);
		site->probe.flags = 0;
		err = register_kprobe(&site->probe);
	}
	if (err) {
		kfree(site);
		return err;
	}
	sites[nr_sites++] = site;
	return 0;
}

static bool is_hypercall(const u8 *at)
{
	char name[KSYM_SYMBOL_LEN];
	s32 displacement;

	if (*at != 0xe8)
		return false;
	memcpy(&displacement, at + 1, sizeof(displacement));
	sprint_symbol(name, (unsigned long)at + CALL_SIZE + displacement);
	return strstarts(name, "xen_hypercall_") || strstarts(name, "__SCT__xen_hypercall");
}

static int add_hypercalls(void)
{
	struct kprobe probe = { .symbol_name = "gntmap_mmap" };
	unsigned long begin, end, first, addr;
	unsigned int nr = nr_sites;
	int err;

	/* For its address only. */
	err = register_kprobe(&probe);
	if (err)
		return err;
	first = (unsigned long)probe.addr;
	unregister_kprobe(&probe);

	for (addr = first; is_ours(addr - 1, &begin, NULL); addr = begin)
		first = begin;
	/* 6.1 knows no symbol behind the text, but names one that ends there. */
	for (addr = first; is_ours(addr, NULL, &end) && end > addr; )
		for (; addr < end; addr++)
			if (addr + CALL_SIZE <= end && is_hypercall((u8 *)addr)) {
				err = add_hypercall(addr);
				if (err)
					return err;
			}
	return nr_sites - nr;
}

static void disarm(void)
{
	WRITE_ONCE(armed_tgid, 0);
	/* Handlers run without preemption. */
	synchronize_rcu();
}

static int arm(const struct fault_arm __user *arg)
{
	struct fault_arm want;
	unsigned int i;

	if (copy_from_user(&want, arg, sizeof(want)))
		return -EFAULT;
	if (want.what > FAULT_SPOIL || (want.what != FAULT_COUNT && !want.k))
		return -EINVAL;
	if (want.what != FAULT_COUNT && want.site >= nr_sites)
		return -ENOENT;
	if (want.what == FAULT_SPOIL && !sites[want.site]->call && !sites[want.site]->unmaps &&
	    strcmp(sites[want.site]->name, "gnttab_map_refs"))
		return -EINVAL;

	if (armed_tgid)
		disarm();
	for (i = 0; i < nr_sites; i++) {
		atomic_set(&sites[i]->calls, 0);
		atomic_set(&sites[i]->fired, 0);
		atomic64_set(&sites[i]->sum, 0);
	}
	init_page_count(stray);
	armed = want;
	smp_store_release(&armed_tgid, task_tgid_nr(current));
	return 0;
}

static int about_site(struct fault_site __user *arg)
{
	struct fault_site about;
	struct site *site;

	if (copy_from_user(&about, arg, sizeof(about)))
		return -EFAULT;
	if (about.site >= nr_sites)
		return -ENOENT;
	site = sites[about.site];
	about.calls = atomic_read(&site->calls);
	about.fired = atomic_read(&site->fired);
	about.hypercall = site->call != 0;
	about.nr = site->nr;
	about.arg = site->arg;
	about.sum = atomic64_read(&site->sum);
	about.stray_refs = page_count(stray);
	memcpy(about.name, site->name, sizeof(about.name));
	return copy_to_user(arg, &about, sizeof(about)) ? -EFAULT : 0;
}

static long fault_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	long ret = 0;

	if (mutex_lock_interruptible(&lock))
		return -EINTR;
	switch (cmd) {
	case FAULT_ADD:
		ret = add_function(user);
		break;
	case FAULT_ADD_HYPERCALLS:
		ret = add_hypercalls();
		break;
	case FAULT_ARM:
		ret = arm(user);
		break;
	case FAULT_DISARM:
		WRITE_ONCE(armed_tgid, 0);
		break;
	case FAULT_SITE:
		ret = about_site(user);
		break;
	case FAULT_UNDO:
		ret = undo();
		break;
	default:
		ret = -ENOTTY;
	}
	mutex_unlock(&lock);
	return ret;
}

static int fault_open(struct inode *inode, struct file *file)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (test_and_set_bit(0, &in_use))
		return -EBUSY;
	return nonseekable_open(inode, file);
}

static int fault_close(struct inode *inode, struct file *file)
{
	struct kprobe *probes[FAULT_MAX_SITES];
	unsigned int i;

	disarm();
	for (i = 0; i < nr_sites; i++)
		probes[i] = &sites[i]->probe;
	unregister_kprobes(probes, nr_sites);
	/* A test that failed has not done it. */
	undo();
	while (nr_sites)
		kfree(sites[--nr_sites]);
	clear_bit_unlock(0, &in_use);
	return 0;
}

static const struct file_operations fault_file_ops = {
	.owner = THIS_MODULE,
	.open = fault_open,
	.release = fault_close,
	.unlocked_ioctl = fault_ioctl,
};

static struct miscdevice fault_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "gntmap_fault",
	.fops = &fault_file_ops,
	.mode = 0600,
};

static int __init fault_init(void)
{
	int err;

	stray = alloc_page(GFP_KERNEL);
	if (!stray)
		return -ENOMEM;
	err = misc_register(&fault_device);
	if (err)
		__free_page(stray);
	return err;
}

static void __exit fault_exit(void)
{
	misc_deregister(&fault_device);
	__free_page(stray);
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Makes calls of gntmap's modules fail, for tests");
