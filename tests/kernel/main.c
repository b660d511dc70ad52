// SPDX-License-Identifier: GPL-2.0
/* /dev/gup_probe: who opens it may ask what get_user_pages() does, see gup_probe.h. */
#include <linux/capability.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "probe.h"

struct mm_struct *probe_mm(pid_t pid)
{
	struct task_struct *task;
	struct mm_struct *mm;
	struct pid *ref;

	if (!pid) {
		if (current->mm)
			mmget(current->mm);
		return current->mm;
	}
	ref = find_get_pid(pid);
	task = get_pid_task(ref, PIDTYPE_PID);
	put_pid(ref);
	if (!task)
		return NULL;
	mm = get_task_mm(task);
	put_task_struct(task);
	return mm;
}

bool probe_range_valid(u64 addr, u32 nr_pages)
{
	return PAGE_ALIGNED(addr) && nr_pages && nr_pages <= GUP_MAX_PAGES &&
	       access_ok((void __user *)(unsigned long)addr, (unsigned long)nr_pages << PAGE_SHIFT);
}

static int probe_open(struct inode *inode, struct file *file)
{
	struct probe *probe;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	probe = kzalloc_obj(*probe, GFP_KERNEL);
	if (!probe)
		return -ENOMEM;
	mutex_init(&probe->lock);
	file->private_data = probe;
	return nonseekable_open(inode, file);
}

static int probe_close(struct inode *inode, struct file *file)
{
	struct probe *probe = file->private_data;

	probe_unwatch(probe);
	probe_drop(probe);
	kfree(probe);
	return 0;
}

static int about(struct gup_about __user *arg)
{
	struct gup_about about = { 0 };

	probe_about(&about);
	return copy_to_user(arg, &about, sizeof(about)) ? -EFAULT : 0;
}

static long probe_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct probe *probe = file->private_data;
	void __user *user = (void __user *)arg;
	long ret;

	if (mutex_lock_interruptible(&probe->lock))
		return -EINTR;
	switch (cmd) {
	case GUP_PROBE_ABOUT:
		ret = about(user);
		break;
	case GUP_PROBE_CALL:
		ret = probe_call(probe, user);
		break;
	case GUP_PROBE_RELEASE:
		ret = probe_release(probe, user);
		break;
	case GUP_PROBE_WORD:
		ret = probe_word(probe, user);
		break;
	case GUP_PROBE_LOOK:
		ret = probe_look(user);
		break;
	case GUP_PROBE_WATCH:
		ret = probe_watch(probe, user);
		break;
	case GUP_PROBE_EVENTS:
		ret = probe_events(probe, user);
		break;
	default:
		ret = -ENOTTY;
	}
	mutex_unlock(&probe->lock);
	return ret;
}

static const struct file_operations probe_file_ops = {
	.owner = THIS_MODULE,
	.open = probe_open,
	.release = probe_close,
	.unlocked_ioctl = probe_ioctl,
};

static struct miscdevice probe_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "gup_probe",
	.fops = &probe_file_ops,
	.mode = 0600,
};

module_misc_device(probe_device);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What get_user_pages() does with user memory, for tests");
