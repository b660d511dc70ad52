// SPDX-License-Identifier: GPL-2.0
/*
 * dma-bufs: grants exported as one, and one's pages granted.
 *
 * What is in a buffer is seen through /dev/dmabuf_probe, which also makes buffers to import and knows which of them are
 * alive. What was granted is mapped by the granter.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <xengnttab.h>

#include "dmabuf.h"
#include "huge.h"
#include "library.h"
#include "range.h"
#include "suite.h"

#define NR 5u
#define FIRST 11u
#define WITHIN_MS 10000

static int export(int fd)
{
	int buf;

	expect(try_export(fd, 0, FIRST, NR, &buf), 0);
	check(fcntl(buf, F_GETFD) == FD_CLOEXEC, "descriptor %d: %s", buf, strerror(errno));
	return buf;
}

static int try_wait(int fd, uint32_t buf, uint32_t ms)
{
	struct ioctl_gntdev_dmabuf_exp_wait_released op = { .fd = buf, .wait_to_ms = ms };

	return ioctl(fd, IOCTL_GNTDEV_DMABUF_EXP_WAIT_RELEASED, &op) ? -errno : 0;
}

/* The buffer shows the granter's pages, for reading and for writing. */
static void check_exported(int buf)
{
	uint64_t word;

	check(!granter_fill(suite.granter, FIRST, NR, 51), "%s", strerror(errno));
	for (uint32_t page = 0; page < NR; page++) {
		check(dmabuf_swap(buf, page * PAGE_SIZE + 800, 4711 + page) == granter_word(51, FIRST + page, 100),
		      "page %u is another one", page);
		check(!granter_peek(suite.granter, FIRST + page, 800, &word), "%s", strerror(errno));
		check(word == 4711 + page, "the granter does not see what was written to page %u", page);
	}
}

static void exported(void)
{
	int fd = open_node(), buf = export(fd);

	wait_busy(FIRST, NR, NR);
	check(lseek(buf, 0, SEEK_END) == NR * PAGE_SIZE, "its size is not that of the grants");
	check_exported(buf);
	close(buf);
	wait_busy(FIRST, NR, 0);
	/* It had no offset: the first range still has 0. */
	check(!range_add(fd, 0, 1).offset, "an export takes an offset");
}

static void export_outlives_file(void)
{
	int fd = open_node(), buf = export(fd);

	close(fd);
	wait_busy(FIRST, NR, NR);
	check_exported(buf);
	close(buf);
	wait_busy(FIRST, NR, 0);
}

static void *close_later(void *buf)
{
	sleep_ms(300);
	close(*(int *)buf);
	return NULL;
}

static void nothing(int sig)
{
	(void)sig;
}

static void wait_released(void)
{
	const struct itimerval soon = { .it_value.tv_usec = 300000 };
	const struct sigaction action = { .sa_handler = nothing };
	int fd = open_node(), buf = export(fd), other;
	pthread_t thread;

	expect(try_wait(fd, 12345, 0), -ENOENT);
	expect(try_wait(fd, buf, 0), -ETIMEDOUT);
	expect(try_wait(fd, buf, 20), -ETIMEDOUT);
	other = open_node();
	expect(try_wait(other, buf, 0), -ENOENT);

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	expect(try_wait(fd, buf, ~0u), -EINTR);

	check(!pthread_create(&thread, NULL, close_later, &buf), "no thread");
	expect(try_wait(fd, buf, WITHIN_MS), 0);
	check(!granter_busy(suite.granter, FIRST, NR, NULL), "the grants are not back");
	pthread_join(thread, NULL);
	expect(try_wait(fd, buf, 0), -ENOENT);
}

/* The number of a descriptor that was closed is soon another buffer's, though the first buffer may still be there. */
static void wait_by_old_number(void)
{
	int fd = open_node(), old = export(fd), kept = dup(old), buf;
	pthread_t thread;

	close(old);
	buf = export(fd);
	check(buf == old, "premise: %d, not %d", buf, old);
	check(!pthread_create(&thread, NULL, close_later, &buf), "no thread");
	expect(try_wait(fd, buf, WITHIN_MS), 0);
	pthread_join(thread, NULL);
	expect(try_wait(fd, buf, 0), -ETIMEDOUT);
	close(kept);
	expect(try_wait(fd, buf, 0), -ENOENT);
	wait_busy(FIRST, NR, 0);
}

static void export_refused(void)
{
	int fd = open_node(), buf;
	char limit[16];

	expect(try_export(fd, 0, FIRST, 0, &buf), -EINVAL);
	check(core_parameter("limit", limit, sizeof(limit)), "no limit");
	set_core_parameter("limit", "4");
	expect(try_export(fd, 0, FIRST, 5, &buf), -EINVAL);
	set_core_parameter("limit", limit);
	expect(try_export(fd, GNTDEV_DMA_FLAG_WC | GNTDEV_DMA_FLAG_COHERENT, FIRST, NR, &buf), -EINVAL);
	expect(try_export(fd, GNTDEV_DMA_FLAG_WC, FIRST, NR, &buf), -EOPNOTSUPP);
	expect(try_export(fd, GNTDEV_DMA_FLAG_COHERENT, FIRST, NR, &buf), -EOPNOTSUPP);
	/* Its buffer would be written to. */
	expect(try_export(fd, 0, suite.nr_rw - 1, 2, &buf), -EINVAL);
	check(granter_revoke(suite.granter, FIRST + 2, 1, NULL) == 1, "%s", strerror(errno));
	expect(try_export(fd, 0, FIRST, NR, &buf), -EINVAL);
	expect(ioctl(fd, IOCTL_GNTDEV_DMABUF_EXP_FROM_REFS, 8ul) ? -errno : 0, -EFAULT);
	wait_busy(0, suite.granter->nr_refs, 0);
}

static void export_without_answer(void)
{
	struct ioctl_gntdev_dmabuf_exp_from_refs *op;
	int fd = open_node(), next = dup(fd);

	close(next);
	op = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(op != MAP_FAILED, "%s", strerror(errno));
	op->count = 1;
	op->domid = suite.granter->domid;
	op->refs[0] = suite.granter->first_ref + FIRST;
	expect(try_mprotect(op, PAGE_SIZE, PROT_READ), 0);
	expect(ioctl(fd, IOCTL_GNTDEV_DMABUF_EXP_FROM_REFS, op) ? -errno : 0, -EFAULT);
	check(fcntl(next, F_GETFD) < 0 && errno == EBADF, "a descriptor was left behind");
	wait_busy(FIRST, 1, 0);
}

static atomic_bool stop;

static void *keep_closing(void *fd)
{
	while (!atomic_load(&stop))
		close(*(int *)fd);
	return NULL;
}

/* The number of the next descriptor can be guessed. */
static void closed_at_once(void)
{
	int fd = open_node(), guess = dup(fd), buf, ret;
	pthread_t thread;

	close(guess);
	check(!pthread_create(&thread, NULL, keep_closing, &guess), "no thread");
	for (int i = 0; i < 100; i++) {
		expect(try_export(fd, 0, FIRST, 1, &buf), 0);
		check(buf == guess, "premise: the descriptor is %d, not %d", buf, guess);
		ret = try_wait(fd, buf, 0);
		check(!ret || ret == -ENOENT || ret == -ETIMEDOUT, "%s", errno_name(ret));
		for (uint64_t start = now_us(); fcntl(buf, F_GETFD) >= 0; sched_yield())
			check(now_us() - start < WITHIN_MS * 1000ull, "premise: nobody closes it");
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	wait_busy(FIRST, 1, 0);
}

static void no_export_in_pv(void)
{
	int fd = open_node(), buf;

	expect(try_export(fd, 0, FIRST, NR, &buf), -EINVAL);
	expect(try_wait(fd, 3, 0), -ENOENT);
}

/* The granter sees what is in the buffer's page, and we what it writes. */
static void check_imported(int buf, uint32_t page, uint32_t ref)
{
	uint64_t old;

	dmabuf_swap(buf, page * PAGE_SIZE + 1600, 8150 + page);
	check(!granter_map(suite.granter, ref), "reference %u: %s", ref, strerror(errno));
	check(!granter_swap(suite.granter, 1600, 4711 + page, &old), "%s", strerror(errno));
	check(old == 8150 + page, "page %u is another one", page);
	check(dmabuf_swap(buf, page * PAGE_SIZE + 1600, 0) == 4711 + page, "what the granter wrote to page %u is lost", page);
	check(!granter_unmap(suite.granter), "%s", strerror(errno));
}

static void let_go(void)
{
	/* What a case that failed left behind. */
	check(!granter_unmap(suite.granter) || errno == ENOENT, "%s", strerror(errno));
}

static void imported(void)
{
	int fd = open_node(), buf = dmabuf_make(DMABUF_PAGES, NR);
	uint32_t refs[NR];

	let_go();
	expect(try_import(fd, buf, NR, refs), 0);
	for (uint32_t page = 0; page < NR; page++)
		check_imported(buf, page, refs[page]);
	expect(try_import_release(fd, buf), 0);
	check(granter_map(suite.granter, refs[0]) && errno == EINVAL, "it is still granted");
	expect(try_import_release(fd, buf), -ENOENT);
	close(buf);
	dmabuf_wait_dead();
}

static void import_lingers(void)
{
	int fd = open_node(), buf = dmabuf_make(DMABUF_PAGES, NR);
	uint32_t refs[NR];
	uint64_t old;

	let_go();
	expect(try_import(fd, buf, NR, refs), 0);
	dmabuf_swap(buf, 3 * PAGE_SIZE, 0x5a);
	check(!granter_map(suite.granter, refs[3]), "%s", strerror(errno));
	expect(try_import_release(fd, buf), 0);
	expect(try_import_release(fd, buf), -ENOENT);
	close(buf);
	close(fd);
	/* The others are ended, but the pages are not given back under the granter's hands. */
	check(granter_map(suite.granter, refs[0]) && errno == EBUSY, "premise: it has one page");
	sleep_ms(300);
	check(dmabuf_nr_live() == 1, "the buffer is gone");
	check(!granter_swap(suite.granter, 0, 1, &old) && old == 0x5a, "it is another page");
	check(!granter_unmap(suite.granter), "%s", strerror(errno));
	dmabuf_wait_dead();
}

static void import_and_end(void *how)
{
	int fd = open_node(), buf = dmabuf_make(DMABUF_PAGES, NR);
	uint32_t refs[NR];

	expect(try_import(fd, buf, NR, refs), 0);
	expect(try_import(fd, buf, NR, refs), 0);
	raise(*(int *)how);
}

/* The number of a descriptor that was closed is soon another buffer's. */
static void import_by_old_number(void)
{
	int fd = open_node(), old = dmabuf_make(DMABUF_PAGES, NR), buf;
	uint32_t old_refs[NR], refs[NR];

	let_go();
	expect(try_import(fd, old, NR, old_refs), 0);
	close(old);
	buf = dmabuf_make(DMABUF_PAGES, NR);
	check(buf == old, "premise: %d, not %d", buf, old);
	expect(try_import(fd, buf, NR, refs), 0);
	expect(try_import_release(fd, buf), 0);
	check(granter_map(suite.granter, refs[0]) && errno == EINVAL, "the newer one is still granted");
	check(!granter_map(suite.granter, old_refs[0]), "the older one: %s", strerror(errno));
	check(!granter_unmap(suite.granter), "%s", strerror(errno));
	expect(try_import_release(fd, buf), 0);
	expect(try_import_release(fd, buf), -ENOENT);
	close(buf);
	dmabuf_wait_dead();
}

static void import_ends_with_file(void)
{
	int fd = open_node(), buf = dmabuf_make(DMABUF_PAGES, NR), sig = SIGKILL;
	uint32_t refs[NR];

	expect(try_import(fd, buf, NR, refs), 0);
	close(buf);
	check(dmabuf_nr_live() == 1, "premise: the import keeps the buffer");
	close(fd);
	dmabuf_wait_dead();
	expect(run_child(import_and_end, &sig, false), 256 + SIGKILL);
	dmabuf_wait_dead();
}

static void import_refused(void)
{
	static const int bad[] = { DMABUF_RESOURCE, DMABUF_ODD, DMABUF_UNEVEN, DMABUF_SHORT };
	int fd = open_node(), buf = dmabuf_make(DMABUF_PAGES, NR), ret;
	uint32_t refs[NR + 1];

	expect(try_import(fd, buf, 0, refs), -EINVAL);
	expect(try_import(fd, buf, NR - 1, refs), -EINVAL);
	expect(try_import(fd, buf, NR + 1, refs), -EINVAL);
	expect(try_import(fd, fd, NR, refs), -EINVAL);
	expect(try_import(fd, 12345, NR, refs), -EBADF);
	expect(ioctl(fd, IOCTL_GNTDEV_DMABUF_IMP_TO_REFS, 8ul) ? -errno : 0, -EFAULT);
	expect(ioctl(fd, IOCTL_GNTDEV_DMABUF_IMP_RELEASE, 8ul) ? -errno : 0, -EFAULT);
	expect(try_import_release(fd, buf), -ENOENT);
	close(buf);
	dmabuf_wait_dead();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		buf = dmabuf_make(bad[i], NR);
		ret = try_import(fd, buf, NR, refs);
		check(ret == -EINVAL || (ret == -EIO && bad[i] == DMABUF_RESOURCE), "kind %d: %s", bad[i],
		      errno_name(ret));
		close(buf);
		dmabuf_wait_dead();
	}
}

static void import_without_pages(void)
{
	int fd = open_node(), buf = dmabuf_make(DMABUF_NO_PAGES, NR);
	uint32_t refs[NR];
	uint64_t old;

	let_go();
	expect(try_import(fd, buf, NR, refs), 0);
	check(!granter_map(suite.granter, refs[NR - 1]), "%s", strerror(errno));
	check(!granter_swap(suite.granter, 0, 815, &old) && !old, "%s", strerror(errno));
	check(!granter_swap(suite.granter, 0, 0, &old) && old == 815, "%s", strerror(errno));
	check(!granter_unmap(suite.granter), "%s", strerror(errno));
	expect(try_import_release(fd, buf), 0);
	close(buf);
	dmabuf_wait_dead();
}

/* A display's buffer is one piece of memory, longer than what a device takes at once by default (64 KiB). */
static void import_of_one_run(void)
{
	const uint32_t nr = 40;
	int fd = open_node(), buf = dmabuf_make(DMABUF_ONE_RUN, nr);
	uint32_t refs[40];

	let_go();
	expect(try_import(fd, buf, nr, refs), 0);
	check_imported(buf, 0, refs[0]);
	check_imported(buf, nr - 1, refs[nr - 1]);
	expect(try_import_release(fd, buf), 0);
	close(buf);
	dmabuf_wait_dead();
}

/* A buffer that is pages @first to @first + NR - 1 of a file in memory of @size bytes. */
static void import_of(int memfd, size_t size, uint32_t first)
{
	struct udmabuf_create op = { .memfd = memfd, .flags = UDMABUF_FLAGS_CLOEXEC, .offset = first * PAGE_SIZE, .size = NR * PAGE_SIZE };
	int fd = open_node(), maker, buf;
	uint32_t refs[NR];
	uint64_t *words, old;

	maker = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	if (maker < 0)
		case_skip("/dev/udmabuf, which makes a dma-buf of a process's memory");
	let_go();
	check(!ftruncate(memfd, size) && !fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK), "%s", strerror(errno));
	words = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	check(words != MAP_FAILED, "%s", strerror(errno));
	/* What is about the buffer is not granted. */
	words += first * 512;
	buf = ioctl(maker, UDMABUF_CREATE, &op);
	check(buf >= 0, "%s", strerror(errno));
	expect(try_import(fd, buf, NR, refs), 0);
	for (uint32_t page = 0; page < NR; page++) {
		words[page * 512 + 9] = 77 + page;
		check(!granter_map(suite.granter, refs[page]), "%s", strerror(errno));
		check(!granter_swap(suite.granter, 72, 99 + page, &old), "%s", strerror(errno));
		check(old == 77 + page && words[page * 512 + 9] == 99 + page, "page %u is another one", page);
		check(!granter_unmap(suite.granter), "%s", strerror(errno));
	}
	expect(try_import_release(fd, buf), 0);
}

static void import_of_memfd(void)
{
	int memfd = memfd_create("buffer", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	check(memfd >= 0, "%s", strerror(errno));
	import_of(memfd, NR * PAGE_SIZE, 0);
}

/* In 6.12 udmabuf's list has the folio, and where in it each page is. */
static void import_of_a_part_of_a_huge_page(void)
{
	int memfd = memfd_create("buffer", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);

	check(memfd >= 0, "%s", strerror(errno));
	huge_page_reserve();
	import_of(memfd, HUGE_SIZE, 5);
}

static void library(void)
{
	struct granter *g = suite.granter;
	xengnttab_handle *h = open_library();
	uint32_t refs[NR], fd;
	int buf = dmabuf_make(DMABUF_PAGES, NR);

	let_go();
	check(!xengnttab_dmabuf_imp_to_refs(h, g->domid, buf, NR, refs), "%s", strerror(errno));
	check_imported(buf, 1, refs[1]);
	check(!xengnttab_dmabuf_imp_release(h, buf), "%s", strerror(errno));
	close(buf);
	dmabuf_wait_dead();
	if (suite.pv)
		return;

	for (uint32_t i = 0; i < NR; i++)
		refs[i] = g->first_ref + FIRST + i;
	check(!xengnttab_dmabuf_exp_from_refs(h, g->domid, 0, NR, refs, &fd), "%s", strerror(errno));
	check_exported(fd);
	close(fd);
	check(!xengnttab_dmabuf_exp_wait_released(h, fd, WITHIN_MS) || errno == ENOENT, "%s", strerror(errno));
}

static const struct suite_case cases[] = {
	{ "grants exported as a dma-buf are what a device sees", exported, MODE_XLATE },
	{ "an exported dma-buf outlives its file", export_outlives_file, MODE_XLATE },
	{ "whoever waits for a dma-buf's release is told, and finds the grants back", wait_released, MODE_XLATE },
	{ "of two exports under one number the newer one is waited for", wait_by_old_number, MODE_XLATE },
	{ "an export that cannot be leaves nothing behind", export_refused, MODE_XLATE, .revokes = true },
	{ "an export whose answer cannot be written leaves nothing behind", export_without_answer, MODE_XLATE },
	{ "an exported dma-buf can be closed at once by another thread", closed_at_once, MODE_XLATE },
	{ "grants cannot be exported where Xen writes the PTEs", no_export_in_pv, MODE_PV },
	{ "an imported dma-buf's pages are what the granter maps", imported },
	{ "an imported dma-buf lives on until the granter has let go", import_lingers },
	{ "of two imports under one number the newer one is released first", import_by_old_number },
	{ "imports end with their file, and with SIGKILL", import_ends_with_file },
	{ "an import that cannot be leaves nothing behind", import_refused },
	{ "a dma-buf without struct pages can be imported", import_without_pages },
	{ "a dma-buf that is one piece of memory can be imported", import_of_one_run },
	{ "a process's memory can be imported", import_of_memfd },
	{ "a part of a huge page can be imported", import_of_a_part_of_a_huge_page, MODE_XLATE },
	{ "libxengnttab exports and imports", library },
};

int main(int argc, char **argv)
{
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
