// SPDX-License-Identifier: GPL-2.0
/* Operations on dma-bufs: grants exported as one, and one's pages granted. */
#include "fuzz.h"

#include <stdio.h>
#include <sys/ioctl.h>

#include "dmabuf.h"

static struct fbuffer *free_buffer(void)
{
	for (struct fbuffer *b = w->buffers; b < w->buffers + NR_BUFFERS; b++)
		if (!b->used)
			return b;
	return NULL;
}

/* That has a descriptor here. */
static struct fbuffer *any_buffer(uint32_t choice)
{
	for (uint32_t i = 0; i < NR_BUFFERS; i++) {
		struct fbuffer *b = &w->buffers[(choice + i) % NR_BUFFERS];

		if (b->used && b->fd >= 0)
			return b;
	}
	return NULL;
}

static struct fimport *any_import(uint32_t choice)
{
	for (uint32_t i = 0; i < NR_IMPORTS; i++) {
		struct fimport *import = &w->imports[(choice + i) % NR_IMPORTS];

		if (import->used)
			return import;
	}
	return NULL;
}

/* References to the open file of a buffer that has a descriptor here. */
static long buffer_refs(const struct fbuffer *b)
{
	char path[64], line[128];
	long nr = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", b->fd);
	f = fopen(path, "re");
	must(f, "%s: %s", path, strerror(errno));
	while (nr < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "count: %ld", &nr);
	fclose(f);
	return nr;
}

static void check_refs(const struct fbuffer *b)
{
	long got = 0, want = model_buffer_refs(b);

	if (b->fd >= 0)
		must(comes((got = buffer_refs(b)) == want), "the buffer has %ld references, not %ld", got, want);
}

/* arg: descriptor, pages, first page, what is odd about it */
void op_export(struct fuzz_op *op)
{
	uint32_t nr = 1 + op->arg[1] % RANGE_MAX, odd = op->arg[3] % 16, domid = w->granter->domid, flags = 0;
	struct fbuffer *b = free_buffer();
	uint32_t page[RANGE_MAX], refs[RANGE_MAX];
	struct ffile *file;
	int fd, buf, want;

	file = model_any_file(op->arg[0], &fd);
	if (!file || !b)
		return;
	if (odd == 1)
		domid++;
	if (odd == 2)
		flags = GNTDEV_DMA_FLAG_WC;
	want = model_may_name(file, domid);
	if (!want)
		want = model_charge(file, nr);
	if (!want && odd == 1)
		want = -EINVAL;
	for (uint32_t i = 0; i < nr; i++) {
		page[i] = (op->arg[2] + i) % NR_PAGES;
		refs[i] = w->granter->first_ref + model_granter_page(page[i]);
		/* Its buffer would be written to. */
		if (!want && (w->revoked[page[i]] || page[i] >= NR_PAGES - NR_READ_ONLY))
			want = -EINVAL;
	}
	if (flags)
		want = -EOPNOTSUPP;
	if (suite.pv)
		want = -EINVAL;
	answer_charged(try_export_refs(fd, flags, nr, domid, refs, &buf), want);
	if (want)
		return;
	*b = (struct fbuffer){ .used = true, .fd = buf, .number = buf, .file = file, .nr = nr };
	memcpy(b->page, page, sizeof(page));
	file->nr_pages += nr;
	check_refs(b);
}

/* arg: (none), pages */
void op_make(struct fuzz_op *op)
{
	struct fbuffer *b = free_buffer();

	if (!b)
		return;
	*b = (struct fbuffer){ .used = true, .nr = 1 + op->arg[1] % RANGE_MAX };
	b->fd = b->number = dmabuf_make(DMABUF_PAGES, b->nr);
}

void op_drop(struct fuzz_op *op)
{
	struct fbuffer *b = any_buffer(op->arg[0]);

	if (!b)
		return;
	check_refs(b);
	answer(close(b->fd) ? -errno : 0, 0);
	b->fd = -1;
}

/* arg: buffer, page, word */
void op_swap(struct fuzz_op *op)
{
	struct fbuffer *b = any_buffer(op->arg[0]);
	volatile uint64_t *truth;
	uint32_t i;
	uint64_t old, value = (uint64_t)op->arg[2] << 32 | op->arg[3];

	if (!b)
		return;
	i = op->arg[1] % b->nr;
	if (b->file) {
		truth = (uint64_t *)(w->truth + b->page[i] * PAGE_SIZE + FUZZ_WORD);
		*truth = ~value;
		old = dmabuf_swap(b->fd, i * PAGE_SIZE + FUZZ_WORD, value);
		must(old == ~value && *truth == value, "%#lx and %#lx, not %#lx", ~old, *truth, value);
	} else {
		old = dmabuf_swap(b->fd, i * PAGE_SIZE + FUZZ_WORD, value);
		must(old == b->word[i], "%#lx, not %#lx", old, b->word[i]);
		b->word[i] = value;
	}
}

/* arg: descriptor, buffer */
void op_wait(struct fuzz_op *op)
{
	struct fbuffer *b = &w->buffers[op->arg[1] % NR_BUFFERS];
	struct ioctl_gntdev_dmabuf_exp_wait_released wait = { .fd = b->number };
	int fd, want = -ENOENT;
	struct ffile *file;

	file = model_any_file(op->arg[0], &fd);
	if (!file)
		return;
	for (const struct fbuffer *other = w->buffers; other < w->buffers + NR_BUFFERS; other++)
		if (other->used && other->file == file && !other->forgotten && other->number == b->number)
			want = -ETIMEDOUT;
	answer(ioctl(fd, IOCTL_GNTDEV_DMABUF_EXP_WAIT_RELEASED, &wait) ? -errno : 0, want);
}

/* arg: descriptor, buffer, what is odd about it, whether it is one more of the same */
void op_import(struct fuzz_op *op)
{
	struct fbuffer *b = any_buffer(op->arg[1]);
	struct fimport *twin = op->arg[3] % 4 ? NULL : any_import(op->arg[1]);
	uint32_t odd = op->arg[2] % 16, refs[RANGE_MAX + 1], nr;
	struct fimport *import = w->imports;
	struct ffile *file;
	int fd, want;

	file = model_any_file(op->arg[0], &fd);
	if (twin && model_fd(twin->file) >= 0 && twin->buffer->fd >= 0) {
		b = twin->buffer;
		file = twin->file;
		fd = model_fd(file);
	}
	while (import < w->imports + NR_IMPORTS && import->used)
		import++;
	if (!file || !b || import == w->imports + NR_IMPORTS)
		return;
	nr = b->nr + (odd == 1) - (odd == 2);
	want = model_may_name(file, w->granter->domid);
	if (!want && !nr)
		want = -EINVAL;
	if (!want)
		want = model_charge(file, nr);
	if (!want && (nr != b->nr || odd == 3))
		want = odd == 3 ? -EBADF : -EINVAL;
	answer_charged(try_import(fd, odd == 3 ? 100000 : b->fd, nr, refs), want);
	if (!want) {
		*import = (struct fimport){ .used = true, .age = ++w->age, .file = file, .buffer = b, .number = b->fd };
		memcpy(import->refs, refs, sizeof(import->refs));
		file->nr_pages += nr;
	}
	check_refs(b);
}

/* arg: descriptor, import, whether the descriptor is any */
void op_import_release(struct fuzz_op *op)
{
	struct fimport *import = any_import(op->arg[1]);
	int number = import ? import->number : -1, fd;
	struct ffile *file;

	file = model_any_file(op->arg[0], &fd);
	if (import && op->arg[2] % 4) {
		file = import->file;
		fd = model_fd(file);
	}
	if (!file || fd < 0)
		return;
	import = model_find_import(file, number);
	answer(try_import_release(fd, number), import ? 0 : -ENOENT);
	if (!import)
		return;
	model_end_import(import);
	check_refs(import->buffer);
}

/* The granter sees an import's page, and keeps it while the import is released. arg: import, page, word, how */
void op_imported(struct fuzz_op *op)
{
	struct fimport *import = any_import(op->arg[0]);
	struct fbuffer *b = import ? import->buffer : NULL;
	uint64_t old, value = (uint64_t)op->arg[2] << 32 | op->arg[3];
	int fd = import ? model_fd(import->file) : -1;
	bool release;
	uint32_t i;

	/* Xen gives nobody a page that is somebody else's. */
	if (!import || b->file)
		return;
	i = op->arg[1] % b->nr;
	release = op->arg[3] % 2 && fd >= 0 && model_find_import(import->file, import->number) == import;
	if (granter_map(w->granter, import->refs[i])) {
		/* It maps one page at a time: another worker's. */
		must(errno == EBUSY, "%s", strerror(errno));
		return;
	}
	if (release)
		answer(try_import_release(fd, import->number), 0);
	must(!granter_swap(w->granter, FUZZ_WORD, value, &old), "%s", strerror(errno));
	must(old == b->word[i], "%#lx, not %#lx", old, b->word[i]);
	b->word[i] = value;
	/* It lingers, and keeps the buffer. */
	if (release)
		check_refs(b);
	must(!granter_unmap(w->granter), "%s", strerror(errno));
	if (!release)
		return;
	model_end_import(import);
	check_refs(b);
}
