// SPDX-License-Identifier: GPL-2.0
#include "dmabuf.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "range.h"
#include "suite.h"

#define WITHIN_MS 10000

static int probe = -1;

static void open_probe(void)
{
	if (probe < 0 && access("/dev/dmabuf_probe", F_OK) && system("modprobe -q dmabuf_probe"))
		case_skip("dmabuf_probe, the module that makes and reads dma-bufs");
	for (int i = 0; probe < 0 && i < 100; i++) {
		probe = open("/dev/dmabuf_probe", O_RDWR | O_CLOEXEC);
		sleep_ms(10);
	}
	check(probe >= 0, "%s", strerror(errno));
}

int dmabuf_make(enum dmabuf_kind kind, uint32_t nr)
{
	struct dmabuf_make op = { .kind = kind, .nr_pages = nr };

	open_probe();
	expect(ioctl(probe, DMABUF_PROBE_MAKE, &op) ? -errno : 0, 0);
	return op.fd;
}

uint64_t dmabuf_swap(int buf, uint64_t byte, uint64_t word)
{
	struct dmabuf_swap op = { .fd = buf, .byte = byte, .word = word };

	open_probe();
	expect(ioctl(probe, DMABUF_PROBE_SWAP, &op) ? -errno : 0, 0);
	return op.word;
}

uint32_t dmabuf_nr_live(void)
{
	uint32_t nr;

	open_probe();
	expect(ioctl(probe, DMABUF_PROBE_NR_LIVE, &nr) ? -errno : 0, 0);
	return nr;
}

void dmabuf_wait_dead(void)
{
	for (uint64_t start = now_us(); dmabuf_nr_live(); sleep_ms(5))
		check(now_us() - start < WITHIN_MS * 1000ull, "%u buffers live on", dmabuf_nr_live());
}

int try_export_refs(int fd, uint32_t flags, uint32_t count, uint32_t domid, const uint32_t *refs, int *buf)
{
	size_t size = offsetof(struct ioctl_gntdev_dmabuf_exp_from_refs, refs) + (count + 1) * sizeof(*refs);
	struct ioctl_gntdev_dmabuf_exp_from_refs *op = calloc(1, size);
	int ret;

	check(op, "no memory");
	op->flags = flags;
	op->count = count;
	op->domid = domid;
	op->fd = ~0u;
	memcpy(op->refs, refs, count * sizeof(*refs));
	ret = ioctl(fd, IOCTL_GNTDEV_DMABUF_EXP_FROM_REFS, op) ? -errno : 0;
	*buf = op->fd;
	free(op);
	return ret;
}

int try_export(int fd, uint32_t flags, uint32_t first, uint32_t count, int *buf)
{
	uint32_t refs[256] = { 0 };

	for (uint32_t i = 0; i < count && i < ARRAY_SIZE(refs); i++)
		refs[i] = suite.granter->first_ref + first + i;
	return try_export_refs(fd, flags, count, suite.granter->domid, refs, buf);
}

int try_import(int fd, int buf, uint32_t count, uint32_t *refs)
{
	size_t size = offsetof(struct ioctl_gntdev_dmabuf_imp_to_refs, refs) + (count + 1) * sizeof(*refs);
	struct ioctl_gntdev_dmabuf_imp_to_refs *op = calloc(1, size);
	int ret;

	check(op, "no memory");
	op->fd = buf;
	op->count = count;
	op->domid = suite.granter->domid;
	ret = ioctl(fd, IOCTL_GNTDEV_DMABUF_IMP_TO_REFS, op) ? -errno : 0;
	if (!ret)
		memcpy(refs, op->refs, count * sizeof(*refs));
	free(op);
	return ret;
}

int try_import_release(int fd, int buf)
{
	struct ioctl_gntdev_dmabuf_imp_release op = { .fd = buf };

	return ioctl(fd, IOCTL_GNTDEV_DMABUF_IMP_RELEASE, &op) ? -errno : 0;
}
