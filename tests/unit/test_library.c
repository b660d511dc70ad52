// SPDX-License-Identifier: GPL-2.0
/*
 * What libgntmap asks of the kernel, and what it makes of the answers. The kernel is the few functions below: the linker puts
 * them in the place of the system calls (--wrap). TAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "../../userspace/lib/internal.h"

static unsigned int nr, nr_failed;

static void ok(bool good, const char *claim)
{
	nr++;
	nr_failed += !good;
	printf("%sok %u - %s\n", good ? "" : "not ", nr, claim);
}

#define FD 100
#define OFFSET 0x7000ull

/* What the kernel will say, and what it was asked. */
static struct {
	int ioctl_errno, mmap_errno, munmap_errno, unmap_errno, info_errno;
	const char *node; /* the one that can be opened; others are not there */
	int open_errno;	  /* unless this is said of them */
	char *parameter;  /* that the module of the strategy policy has */
	char opened[256];
	int closed;
	unsigned int nr_unmap;
	unsigned long request;
	struct ioctl_gntdev_unmap_grant_ref unmap;
	struct ioctl_gntdev_grant_ref refs[200];
	struct ioctl_gntdev_map_grant_ref map;
	struct gntmap_map_foreign foreign;
	struct ioctl_gntdev_unmap_notify notify;
	size_t mmap_length;
	int prot, flags;
	off_t mmap_offset;
	void *munmap_addr;
	size_t munmap_length;
} kernel;

static char memory[16 * GNTMAP_PAGE_SIZE];

static int answer(int error)
{
	errno = error;
	return error ? -1 : 0;
}

int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
FILE *__wrap_fopen(const char *path, const char *mode);
int __wrap_fcntl(int fd, int cmd, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
void *__wrap_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
int __wrap_munmap(void *addr, size_t length);

int __wrap_open(const char *path, int flags, ...)
{
	strcat(kernel.opened, path);
	strcat(kernel.opened, " ");
	if (!kernel.node || strcmp(kernel.node, path))
		return answer(kernel.open_errno ? kernel.open_errno : ENOENT);
	return flags == (O_RDWR | O_CLOEXEC) ? FD : answer(EINVAL);
}

int __wrap_close(int fd)
{
	kernel.closed += fd == FD;
	return 0;
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	(void)mode;
	if (!kernel.parameter || strcmp(path, "/sys/module/gntmap_policy/parameters/node"))
		return NULL;
	return fmemopen(kernel.parameter, strlen(kernel.parameter), "r");
}

int __wrap_fcntl(int fd, int cmd, ...)
{
	return cmd == F_GETFD && fd == FD ? FD_CLOEXEC : answer(EBADF);
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (fd != FD)
		return answer(EBADF);
	if (request == IOCTL_GNTDEV_UNMAP_GRANT_REF) {
		kernel.nr_unmap++;
		memcpy(&kernel.unmap, arg, sizeof(kernel.unmap));
		return answer(kernel.unmap_errno);
	}
	kernel.request = request;
	if (request == GNTMAP_IOCTL_INFO)
		return answer(kernel.info_errno);
	if (kernel.ioctl_errno)
		return answer(kernel.ioctl_errno);
	if (request == IOCTL_GNTDEV_MAP_GRANT_REF) {
		struct ioctl_gntdev_map_grant_ref *op = arg;

		kernel.map = *op;
		memcpy(kernel.refs, (char *)op + offsetof(struct ioctl_gntdev_map_grant_ref, refs),
		       op->count * sizeof(kernel.refs[0]));
		op->index = OFFSET;
	} else if (request == GNTMAP_IOCTL_MAP_FOREIGN) {
		struct gntmap_map_foreign *op = arg;

		kernel.foreign = *op;
		op->offset = OFFSET;
	} else if (request == IOCTL_GNTDEV_SET_UNMAP_NOTIFY) {
		memcpy(&kernel.notify, arg, sizeof(kernel.notify));
	} else if (request == IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR) {
		struct ioctl_gntdev_get_offset_for_vaddr *op = arg;

		op->offset = OFFSET;
		op->count = 3;
	}
	return 0;
}

void *__wrap_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	(void)addr;
	kernel.mmap_length = length;
	kernel.prot = prot;
	kernel.flags = flags;
	kernel.mmap_offset = offset;
	if (fd != FD || kernel.mmap_errno) {
		errno = kernel.mmap_errno;
		return MAP_FAILED;
	}
	return memory;
}

int __wrap_munmap(void *addr, size_t length)
{
	kernel.munmap_addr = addr;
	kernel.munmap_length = length;
	return answer(kernel.munmap_errno);
}

static struct gntmap *fresh(void)
{
	struct gntmap *gntmap = NULL;

	memset(&kernel, 0, sizeof(kernel));
	if (gntmap_open_fd(&gntmap, FD))
		abort();
	return gntmap;
}

static bool opens(const char *node, const char *there, const char *tried, int expected)
{
	struct gntmap *gntmap = NULL;
	int err;

	kernel.opened[0] = 0;
	kernel.node = there;
	err = gntmap_open(&gntmap, node);
	gntmap_close(gntmap);
	if (err != expected || strcmp(kernel.opened, tried))
		printf("# %d, tried %s\n", err, kernel.opened);
	return err == expected && !strcmp(kernel.opened, tried);
}

#define MIXEDMAP "/dev/xen/gntmap-mixedmap"
#define POLICY "/dev/xen/gntmap-policy"
#define VMIO "/dev/xen/gntmap-vmio"
#define GNTDEV "/dev/xen/gntdev"

static void opening(void)
{
	char path[40];

	memset(&kernel, 0, sizeof(kernel));
	unsetenv("GNTMAP_NODE");
	ok(opens("/some/node", "/some/node", "/some/node ", 0) && kernel.closed == 1, "a path is opened as it is, and closed");
	ok(opens("policy", POLICY, POLICY " ", 0), "a strategy's node is found by its name");
	kernel.parameter = (char[]){ "xen/gntdev\n" };
	ok(opens("policy", GNTDEV, GNTDEV " ", 0), "wherever its module put it");
	kernel.parameter = NULL;
	ok(opens("policy", NULL, POLICY " ", -ENOENT), "a node that is not there is -ENOENT");
	ok(opens("", NULL, "", -EINVAL), "no name is -EINVAL");
	ok(opens("a_name_of_more_than_thirty-two_characters", NULL, "", -ENAMETOOLONG), "a name without end is -ENAMETOOLONG");

	ok(opens(NULL, GNTDEV, GNTDEV " ", 0), "the default is /dev/xen/gntdev if it is ours");
	kernel.info_errno = ENOTTY;
	kernel.closed = 0;
	ok(opens(NULL, GNTDEV, GNTDEV " " MIXEDMAP " " POLICY " " VMIO " ", -ENOENT) && kernel.closed == 1,
	   "in-tree's /dev/xen/gntdev is not the default, and is closed");
	ok(opens(NULL, VMIO, GNTDEV " " MIXEDMAP " " POLICY " " VMIO " ", 0), "the strategies are tried in their order, without the control");
	kernel.open_errno = EACCES;
	ok(opens(NULL, NULL, GNTDEV " " MIXEDMAP " " POLICY " " VMIO " ", -EACCES), "a node that may not be opened is said so");
	kernel.open_errno = 0;
	setenv("GNTMAP_NODE", "vmio", 1);
	ok(opens(NULL, VMIO, VMIO " ", 0), "GNTMAP_NODE names the default");
	ok(opens("policy", POLICY, POLICY " ", 0), "GNTMAP_NODE does not change what was asked for");
	unsetenv("GNTMAP_NODE");

	ok(!gntmap_node_path("vmio", path, sizeof(VMIO)) && !strcmp(path, VMIO), "a path that fits just");
	ok(gntmap_node_path("vmio", path, sizeof(VMIO) - 1) == -ENAMETOOLONG, "a path that does not fit is -ENAMETOOLONG");
	ok(gntmap_node_path("../vmio", path, sizeof(path)) == -EINVAL, "a strategy with a slash is -EINVAL");
	ok(gntmap_open_fd(&(struct gntmap *){ NULL }, FD + 1) == -EBADF, "a descriptor that is none is -EBADF");
}

static void grants(void)
{
	struct gntmap *gntmap = fresh();
	struct gntmap_grant list[2] = { { 1, 10 }, { 2, 20 } };
	struct gntmap_mapping m = { 0 };
	uint32_t refs[200];

	for (unsigned int i = 0; i < 200; i++)
		refs[i] = 1000 + i;

	ok(!gntmap_map_grants(gntmap, list, 2, 0, &m) && kernel.map.count == 2 && !kernel.map.pad && kernel.refs[0].domid == 1 &&
		   kernel.refs[0].ref == 10 && kernel.refs[1].domid == 2 && kernel.refs[1].ref == 20,
	   "grants of several domains are asked for");
	ok(m.addr == memory && m.nr_pages == 2 && m.offset == OFFSET && kernel.mmap_length == 2 * GNTMAP_PAGE_SIZE &&
		   kernel.mmap_offset == OFFSET && kernel.prot == PROT_READ && kernel.flags == MAP_SHARED,
	   "and shown, to be read");
	ok(!gntmap_unmap(gntmap, &m) && kernel.munmap_addr == memory && kernel.munmap_length == 2 * GNTMAP_PAGE_SIZE &&
		   kernel.nr_unmap == 1 && kernel.unmap.index == OFFSET && kernel.unmap.count == 2,
	   "unmapping is munmap and giving up the range");
	ok(!m.addr && !m.nr_pages && !m.offset, "nothing is left of the mapping");

	ok(!gntmap_map_domain_grants(gntmap, 7, refs, 200, GNTMAP_WRITE, &m) && kernel.map.count == 200 && kernel.refs[199].domid == 7 &&
		   kernel.refs[199].ref == 1199 && kernel.refs[0].ref == 1000 && kernel.prot == (PROT_READ | PROT_WRITE),
	   "many grants of one domain, to be written");
	ok(!gntmap_map_domain_grants(gntmap, 7, refs, 64, 0, &m) && kernel.refs[63].ref == 1063, "as many as need no memory");
	ok(!gntmap_map_domain_grants(gntmap, 7, refs, 65, 0, &m) && kernel.refs[64].ref == 1064, "one more");

	gntmap_close(gntmap);
	gntmap = fresh();
	m = (struct gntmap_mapping){ .nr_pages = 99 };
	kernel.mmap_errno = EINVAL;
	ok(gntmap_map_domain_grants(gntmap, 7, refs, 3, 0, &m) == -EINVAL && kernel.nr_unmap == 1 && kernel.unmap.index == OFFSET &&
		   kernel.unmap.count == 3,
	   "a range that cannot be shown is given up");
	ok(!m.addr && m.nr_pages == 99, "a failed call leaves the mapping alone");
	kernel.ioctl_errno = ENOSPC;
	ok(gntmap_map_domain_grants(gntmap, 7, refs, 100, 0, &m) == -ENOSPC && kernel.nr_unmap == 1, "the driver's errno comes through");
	kernel.ioctl_errno = kernel.mmap_errno = 0;
	ok(gntmap_map_domain_grants(gntmap, 7, refs, 0, 0, &m) == -EINVAL &&
		   gntmap_map_domain_grants(gntmap, 7, refs, 1, GNTMAP_PARTIAL, &m) == -EINVAL &&
		   gntmap_map_domain_grants(gntmap, 7, refs, 1, 1u << 31, &m) == -EINVAL,
	   "no grants, or flags that mean nothing, are -EINVAL");

	kernel.mmap_length = 0;
	ok(!gntmap_map_domain_grants(gntmap, 7, refs, 3, GNTMAP_NO_MMAP, &m) && !m.addr && m.nr_pages == 3 && m.offset == OFFSET &&
		   !kernel.mmap_length,
	   "a range can be made and not shown");
	ok(!gntmap_mmap(gntmap, &m, GNTMAP_WRITE) && m.addr == memory && kernel.prot == (PROT_READ | PROT_WRITE), "and shown later");
	ok(gntmap_mmap(gntmap, &m, 0) == -EINVAL, "what is shown is not shown twice");
	kernel.munmap_errno = EINVAL;
	ok(gntmap_unmap(gntmap, &m) == -EINVAL && m.addr == memory && kernel.nr_unmap == 1, "memory that cannot be unmapped keeps its range");
	kernel.munmap_errno = 0;
	ok(!gntmap_munmap(&m) && !m.addr && m.nr_pages == 3 && kernel.nr_unmap == 1, "the range outlives munmap");
	kernel.munmap_addr = NULL;
	kernel.unmap_errno = ENOENT;
	ok(gntmap_unmap(gntmap, &m) == -ENOENT && !m.nr_pages && !kernel.munmap_addr, "a range that is gone is -ENOENT, once");
	ok(gntmap_unmap(gntmap, &m) == -EINVAL && kernel.nr_unmap == 2, "what is no mapping any more unmaps nothing");
	m.nr_pages = 1ul << 32;
	ok(gntmap_unmap(gntmap, &m) == -EINVAL && kernel.nr_unmap == 2, "nor what is larger than any");
	gntmap_close(gntmap);
}

static void foreign(void)
{
	struct gntmap *gntmap = fresh();
	uint64_t gfns[2] = { 5, 9 };
	struct gntmap_mapping m;
	int32_t errors[2];

	ok(!gntmap_map_foreign(gntmap, 3, gfns, 2, GNTMAP_PARTIAL, errors, &m) && kernel.foreign.size == sizeof(kernel.foreign) &&
		   kernel.foreign.domid == 3 && kernel.foreign.nr == 2 && kernel.foreign.gfns == (uintptr_t)gfns &&
		   kernel.foreign.errors == (uintptr_t)errors && kernel.foreign.flags == GNTMAP_FOREIGN_PARTIAL &&
		   !kernel.foreign.reserved && !kernel.foreign.reserved2,
	   "a list of frames is asked for");
	ok(m.addr == memory && m.offset == OFFSET && m.nr_pages == 2 && kernel.prot == PROT_READ, "and shown");
	ok(!gntmap_map_foreign_run(gntmap, 3, 77, 4, GNTMAP_WRITE, NULL, &m) && kernel.foreign.gfns == 77 && kernel.foreign.nr == 4 &&
		   kernel.foreign.flags == (GNTMAP_FOREIGN_WRITE | GNTMAP_FOREIGN_RUN) && !kernel.foreign.errors &&
		   kernel.prot == (PROT_READ | PROT_WRITE),
	   "a run of frames is asked for by its first");
	kernel.mmap_length = 0;
	ok(!gntmap_map_foreign(gntmap, 3, gfns, 2, GNTMAP_NO_MMAP | GNTMAP_WRITE, NULL, &m) && !m.addr && !kernel.mmap_length &&
		   kernel.foreign.flags == GNTMAP_FOREIGN_WRITE,
	   "frames can be mapped and not shown");
	ok(gntmap_map_foreign(gntmap, 3, gfns, 2, GNTMAP_FOREIGN_RUN, NULL, &m) == -EINVAL, "the driver's own flag is none of ours");
	kernel.ioctl_errno = ESRCH;
	ok(gntmap_map_foreign(gntmap, 3, gfns, 2, 0, NULL, &m) == -ESRCH, "the driver's errno comes through");
	gntmap_close(gntmap);
}

static void rest(void)
{
	struct gntmap *gntmap = fresh();
	struct gntmap_mapping m = { .addr = memory, .nr_pages = 2, .offset = OFFSET };
	struct gntmap_mapping found;
	struct gntmap_info info;

	ok(!gntmap_notify_unmap(gntmap, &m, GNTMAP_NOTIFY_CLEAR_BYTE | GNTMAP_NOTIFY_SEND_EVENT, 4097, 12) &&
		   kernel.notify.index == OFFSET + 4097 && kernel.notify.action == 3 && kernel.notify.event_channel_port == 12,
	   "a notification names a byte of the file");
	kernel.request = 0;
	ok(gntmap_notify_unmap(gntmap, &m, GNTMAP_NOTIFY_CLEAR_BYTE, 2 * GNTMAP_PAGE_SIZE, 0) == -EINVAL && !kernel.request,
	   "a byte of the next range is -EINVAL");
	ok(!gntmap_find(gntmap, memory + 5000, &found) && found.offset == OFFSET && found.nr_pages == 3 &&
		   (char *)found.addr <= memory + 5000 && (char *)found.addr > memory + 5000 - GNTMAP_PAGE_SIZE &&
		   (uintptr_t)found.addr % GNTMAP_PAGE_SIZE == 0,
	   "a range is found by an address");
	ok(!gntmap_get_info(gntmap, &info, sizeof(info)) && info.size == sizeof(info) && !info.flags, "information is asked for by its size");
	ok(gntmap_get_info(gntmap, &info, 4) == -EINVAL, "a size without room for the size is -EINVAL");
	kernel.info_errno = ENOTTY;
	ok(gntmap_get_info(gntmap, &info, sizeof(info)) == -ENOTTY, "no node of ours is -ENOTTY");
	ok(gntmap_fd(gntmap) == FD, "the descriptor is told");
	gntmap_close(gntmap);
	gntmap_close(NULL);
	ok(kernel.closed == 1, "closing closes it, once");
}

int main(void)
{
	opening();
	grants();
	foreign();
	rest();
	printf("1..%u\n", nr);
	return nr_failed > 0;
}
