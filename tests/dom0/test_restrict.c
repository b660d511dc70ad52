// SPDX-License-Identifier: GPL-2.0
/*
 * What a file is, has and may do: GNTMAP_IOCTL_INFO, RESTRICT and SET_MAX_PAGES, and whose memory it takes.
 *
 *	test_restrict name FD DOMID REF       is what this program becomes by exec, to see what a descriptor still may
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xenevtchn.h>

#include "channel.h"
#include "foreign.h"
#include "pin.h"
#include "range.h"
#include "suite.h"

#define RW (PROT_READ | PROT_WRITE)
#define NR 4u
#define FIRST 6u

static uint32_t granter_id(void)
{
	return suite.granter->domid;
}

/* A domain that grants us nothing, and need not even exist. */
static uint32_t other_id(void)
{
	return granter_id() + 1;
}

static int try_restrict(int fd, uint32_t domid)
{
	struct gntmap_restrict op = { .size = sizeof(op), .domid = domid };

	return ioctl(fd, GNTMAP_IOCTL_RESTRICT, &op) ? -errno : 0;
}

static int try_max_pages(int fd, uint64_t max_pages)
{
	struct gntmap_set_max_pages op = { .size = sizeof(op), .max_pages = max_pages };

	return ioctl(fd, GNTMAP_IOCTL_SET_MAX_PAGES, &op) ? -errno : 0;
}

static struct gntmap_info info_of(int fd)
{
	struct gntmap_info info = { .size = sizeof(info) };

	check(!ioctl(fd, GNTMAP_IOCTL_INFO, &info), "%s", strerror(errno));
	return info;
}

/* MAP_GRANT_REF of one grant; it is removed again. */
static int try_name(int fd, uint32_t domid)
{
	struct ioctl_gntdev_grant_ref ref = { .domid = domid, .ref = suite.granter->first_ref + FIRST };
	uint64_t offset;
	int ret = try_add(fd, &ref, 1, &offset);

	return ret ? ret : try_remove(fd, offset, 1);
}

static int restricted_node(void)
{
	int fd = open_node();

	expect(try_name(fd, other_id()), 0);
	expect(try_restrict(fd, granter_id()), 0);
	return fd;
}

/* ---- one domain ---- */

static void names_one_domain(void)
{
	int fd = restricted_node();
	struct ioctl_gntdev_grant_ref refs[3];
	struct range r = range_map(fd, FIRST, NR, RW);
	uint64_t *gfns = foreign_gfns(FIRST, 1), offset;

	range_check(&r);
	expect(try_name(fd, other_id()), -EPERM);
	/* One of many, the last one */
	fill_refs(refs, FIRST, 3);
	refs[2].domid = other_id();
	expect(try_add(fd, refs, 3, &offset), -EPERM);
	expect(try_foreign(fd, other_id(), 0, gfns, 1, NULL, &offset), -EPERM);
	expect(try_foreign(fd, granter_id(), 0, gfns, 1, NULL, &offset), 0);
	check_file_has(fd, 2, NR + 1);
}

static int copy(int fd, uint32_t from, uint32_t to, uint16_t flags)
{
	char memory[64];
	uint32_t ref = suite.granter->first_ref + FIRST;
	struct gntdev_grant_copy_segment s = { .len = 64, .flags = flags };
	struct ioctl_gntdev_grant_copy op = { .count = 1, .segments = &s };

	s.source.virt = memory;
	s.dest.virt = memory;
	if (flags & GNTCOPY_source_gref) {
		s.source.foreign.ref = ref;
		s.source.foreign.offset = 0;
		s.source.foreign.domid = from;
	}
	if (flags & GNTCOPY_dest_gref) {
		s.dest.foreign.ref = ref + 1;
		s.dest.foreign.offset = 0;
		s.dest.foreign.domid = to;
	}
	return ioctl(fd, IOCTL_GNTDEV_GRANT_COPY, &op) ? -errno : s.status;
}

static void copies_of_one_domain(void)
{
	int fd = restricted_node();
	uint32_t us = granter_id(), them = other_id();

	expect(copy(fd, us, 0, GNTCOPY_source_gref), 0);
	expect(copy(fd, 0, us, GNTCOPY_dest_gref), 0);
	expect(copy(fd, us, us, GNTCOPY_source_gref | GNTCOPY_dest_gref), 0);
	expect(copy(fd, them, 0, GNTCOPY_source_gref), -EPERM);
	expect(copy(fd, 0, them, GNTCOPY_dest_gref), -EPERM);
	expect(copy(fd, us, them, GNTCOPY_source_gref | GNTCOPY_dest_gref), -EPERM);
	expect(copy(fd, them, us, GNTCOPY_source_gref | GNTCOPY_dest_gref), -EPERM);
}

static int try_notify(int fd, uint64_t index, uint32_t port)
{
	struct ioctl_gntdev_unmap_notify op = {
		.index = index, .action = UNMAP_NOTIFY_SEND_EVENT, .event_channel_port = port,
	};

	return ioctl(fd, IOCTL_GNTDEV_SET_UNMAP_NOTIFY, &op) ? -errno : 0;
}

static void channels_to_one_domain(void)
{
	int fd = restricted_node();
	struct range r = range_add(fd, FIRST, NR);
	xenevtchn_handle *handle = xenevtchn_open(NULL, 0);
	int ours, theirs, nobodys;

	check(handle, "%s", strerror(errno));
	ours = xenevtchn_bind_unbound_port(handle, granter_id());
	theirs = xenevtchn_bind_unbound_port(handle, other_id());
	nobodys = xenevtchn_bind_virq(handle, VIRQ_TBUF);
	check(ours > 0 && theirs > 0 && nobodys > 0, "%d, %d, %d: %s", ours, theirs, nobodys, strerror(errno));
	expect(try_notify(fd, r.offset, ours), 0);
	expect(try_notify(fd, r.offset, theirs), -EPERM);
	expect(try_notify(fd, r.offset, nobodys), -EPERM);
	range_remove(&r);
	xenevtchn_close(handle);
}

/* Channels of which the other side has its end, too. */
static void bound_channels_to_one_domain(void)
{
	int fd = open_node(), other = open_node();
	struct range r = range_add(fd, FIRST, NR), others = range_add(other, FIRST, NR);
	xenevtchn_handle *handle;
	uint32_t port = bind_channel(&handle);

	expect(try_restrict(fd, granter_id()), 0);
	expect(try_restrict(other, other_id()), 0);
	expect(try_notify(fd, r.offset, port), 0);
	expect(try_notify(other, others.offset, port), -EPERM);
	range_remove(&r);
	range_remove(&others);
	xenevtchn_close(handle);
}

static int try_export(int fd, uint32_t domid)
{
	struct ioctl_gntdev_dmabuf_exp_from_refs op = {
		.count = 1, .domid = domid, .refs = { suite.granter->first_ref + FIRST },
	};

	return ioctl(fd, IOCTL_GNTDEV_DMABUF_EXP_FROM_REFS, &op) ? -errno : (int)op.fd;
}

static int try_import(int fd, uint32_t domid)
{
	struct ioctl_gntdev_dmabuf_imp_to_refs op = { .fd = -1, .count = 1, .domid = domid };

	return ioctl(fd, IOCTL_GNTDEV_DMABUF_IMP_TO_REFS, &op) ? -errno : 0;
}

static void dmabufs_of_one_domain(void)
{
	int fd = restricted_node(), ret;

	if (!(info_of(fd).features & GNTMAP_FEATURE_DMABUF))
		case_skip("dma-bufs in this kernel");
	expect(try_import(fd, other_id()), -EPERM);
	expect(try_import(fd, granter_id()), -EBADF);
	if (suite.pv)
		return;
	expect(try_export(fd, other_id()), -EPERM);
	ret = try_export(fd, granter_id());
	check(ret >= 0, "%s", errno_name(ret));
	close(ret);
}

static void what_it_has_stays(void)
{
	int fd = open_node();
	struct range mapped = range_map(fd, FIRST, NR, RW), added = range_add(fd, FIRST + NR, NR);

	expect(try_restrict(fd, other_id()), 0);
	range_check(&mapped);
	range_mmap(&added, RW);
	range_check(&added);
	expect(try_name(fd, granter_id()), -EPERM);
	range_unmap(&mapped);
	range_unmap(&added);
}

static void for_good(void)
{
	struct gntmap_restrict op = { .size = sizeof(op), .domid = granter_id() };
	int fd = open_node();

	check(info_of(fd).domid == GNTMAP_DOMID_ANY, "%#x", info_of(fd).domid);
	expect(try_restrict(fd, 0x7ff0), -EINVAL);
	expect(try_restrict(fd, GNTMAP_DOMID_ANY), -EINVAL);
	expect(try_restrict(fd, 0x10000 + granter_id()), -EINVAL);
	op.size--;
	expect(ioctl(fd, GNTMAP_IOCTL_RESTRICT, &op) ? -errno : 0, -EINVAL);
	op.size++;
	op.reserved = 1;
	expect(ioctl(fd, GNTMAP_IOCTL_RESTRICT, &op) ? -errno : 0, -EINVAL);
	expect(ioctl(fd, GNTMAP_IOCTL_RESTRICT, 8ul) ? -errno : 0, -EFAULT);
	check(info_of(fd).domid == GNTMAP_DOMID_ANY, "%#x", info_of(fd).domid);

	expect(try_restrict(fd, granter_id()), 0);
	expect(try_restrict(fd, granter_id()), 0);
	expect(try_restrict(fd, other_id()), -EPERM);
	expect(try_restrict(fd, 0), -EPERM);
	check(info_of(fd).domid == granter_id(), "%#x", info_of(fd).domid);
	/* Another file of the same node is another file. */
	expect(try_name(open_node(), other_id()), 0);
}

/* ---- wherever the descriptor goes ---- */

static void check_restricted(int fd)
{
	expect(try_name(fd, other_id()), -EPERM);
	expect(try_restrict(fd, other_id()), -EPERM);
	expect(try_name(fd, granter_id()), 0);
}

static void in_child(void *arg)
{
	check_restricted(*(int *)arg);
}

static void through_fork(void)
{
	int fd = restricted_node(), copy_of_it;

	expect(run_child(in_child, &fd, false), 0);
	copy_of_it = dup(fd);
	close(fd);
	expect(run_child(in_child, &copy_of_it, false), 0);
}

static void restrict_in_child(void *arg)
{
	expect(try_restrict(*(int *)arg, granter_id()), 0);
}

static void by_child(void)
{
	int fd = open_node();

	expect(try_name(fd, other_id()), 0);
	expect(run_child(restrict_in_child, &fd, false), 0);
	check_restricted(fd);
}

static void pass(int socket, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	check(sendmsg(socket, &msg, 0) == 1, "%s", strerror(errno));
}

static int receive(int socket)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd;

	check(recvmsg(socket, &msg, 0) == 1 && CMSG_FIRSTHDR(&msg), "%s", strerror(errno));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

static void receives(void *socket)
{
	check_restricted(receive(*(int *)socket));
}

static void through_a_socket(void)
{
	int fd = restricted_node(), sockets[2];

	check(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), "%s", strerror(errno));
	/* On its way it is nobody's but the message's. */
	pass(sockets[0], fd);
	close(fd);
	expect(run_child(receives, &sockets[1], false), 0);
}

/* argv: name FD DOMID REF; the exit code is the errno. */
static int name_after_exec(char **argv)
{
	struct ioctl_gntdev_grant_ref ref = { .domid = atoi(argv[2]), .ref = atoi(argv[3]) };
	uint64_t offset;

	return -try_add(atoi(argv[1]), &ref, 1, &offset);
}

struct exec_as {
	int fd;
	uint32_t domid;
};

static void exec_and_name(void *arg)
{
	struct exec_as *as = arg;
	char fd[16], domid[16], ref[16];

	snprintf(fd, sizeof(fd), "%d", as->fd);
	snprintf(domid, sizeof(domid), "%u", as->domid);
	snprintf(ref, sizeof(ref), "%u", suite.granter->first_ref + FIRST);
	fcntl(as->fd, F_SETFD, 0);
	execl("/proc/self/exe", "test_restrict", "name", fd, domid, ref, NULL);
	check(false, "%s", strerror(errno));
}

static void through_exec(void)
{
	struct exec_as as = { .fd = restricted_node(), .domid = other_id() };

	expect(run_child(exec_and_name, &as, false), EPERM);
	as.domid = granter_id();
	expect(run_child(exec_and_name, &as, false), 0);
}

static pthread_barrier_t barrier;
static int raced_fd;

static void *restrict_at_once(void *domid)
{
	pthread_barrier_wait(&barrier);
	return (void *)(long)try_restrict(raced_fd, *(uint32_t *)domid);
}

static void one_of_two_wins(void)
{
	uint32_t domids[2] = { granter_id(), other_id() };
	void *ret[2];

	for (int round = 0; round < 50; round++) {
		pthread_t threads[2];

		raced_fd = open_node();
		check(!pthread_barrier_init(&barrier, NULL, 2), "no barrier");
		for (int i = 0; i < 2; i++)
			check(!pthread_create(&threads[i], NULL, restrict_at_once, &domids[i]), "no thread");
		for (int i = 0; i < 2; i++)
			pthread_join(threads[i], &ret[i]);
		check(!ret[0] != !ret[1], "%s and %s", errno_name((long)ret[0]), errno_name((long)ret[1]));
		check(info_of(raced_fd).domid == domids[!ret[1]], "the one that lost is what holds");
		pthread_barrier_destroy(&barrier);
		close(raced_fd);
	}
}

/* ---- a cap ---- */

static int try_add_pages(int fd, uint32_t nr)
{
	struct ioctl_gntdev_grant_ref refs[16];
	uint64_t offset;

	fill_refs(refs, FIRST, nr);
	return try_add(fd, refs, nr, &offset);
}

static void cap_holds(void)
{
	struct gntmap_set_max_pages op = { .size = sizeof(op), .flags = 1 };
	uint64_t *gfns = foreign_gfns(FIRST, 3), offset;
	int fd = open_node();
	struct range r;

	check(info_of(fd).max_pages == UINT64_MAX, "%llu", info_of(fd).max_pages);
	expect(ioctl(fd, GNTMAP_IOCTL_SET_MAX_PAGES, &op) ? -errno : 0, -EINVAL);
	op.flags = 0;
	op.size++;
	expect(ioctl(fd, GNTMAP_IOCTL_SET_MAX_PAGES, &op) ? -errno : 0, -EINVAL);
	expect(ioctl(fd, GNTMAP_IOCTL_SET_MAX_PAGES, 8ul) ? -errno : 0, -EFAULT);

	expect(try_max_pages(fd, 10), 0);
	expect(try_max_pages(fd, 11), -EPERM);
	expect(try_max_pages(fd, UINT64_MAX), -EPERM);
	check(info_of(fd).max_pages == 10, "%llu", info_of(fd).max_pages);
	expect(try_add_pages(fd, 11), -ENOSPC);
	r = range_add(fd, FIRST, 8);
	expect(try_add_pages(fd, 3), -ENOSPC);
	expect(try_foreign(fd, granter_id(), 0, gfns, 3, NULL, &offset), -ENOSPC);
	expect(try_foreign(fd, granter_id(), 0, gfns, 2, NULL, &offset), 0);
	expect(try_add_pages(fd, 1), -ENOSPC);
	expect(try_max_pages(fd, 9), -EBUSY);
	/* What was refused counts for nothing. */
	range_remove(&r);
	expect(try_add_pages(fd, 8), 0);
	expect(try_max_pages(fd, 10), 0);
	check_file_has(fd, 2, 10);
	expect(try_add_pages(open_node(), 16), 0);
}

static void cap_and_what_lingers(void)
{
	int fd = open_node(), ret;
	struct range r;
	struct pin pin;

	expect(try_max_pages(fd, NR), 0);
	r = range_map(fd, FIRST, NR, RW);
	range_remove(&r);
	/* Removed, but mapped */
	expect(try_add_pages(fd, 1), -ENOSPC);
	ret = pin_page(&pin, PIN_PIPE, range_page(&r, 1));
	if (ret == -EFAULT && strategy_is("vmio"))
		case_skip("a pin: VM_IO refuses it");
	expect(ret, 0);
	range_munmap(&r);
	wait_busy(FIRST, NR, 1);
	/* Unmapped, but pinned */
	expect(try_add_pages(fd, 1), -ENOSPC);
	expect(unpin_page(&pin, NULL), 0);
	wait_busy(FIRST, NR, 0);
	for (uint64_t start = now_us(); (ret = try_add_pages(fd, NR)) == -ENOSPC && now_us() - start < 10000000;)
		sleep_ms(5);
	expect(ret, 0);
}

static void cap_and_dmabufs(void)
{
	int fd = open_node(), buf;

	if (!(info_of(fd).features & GNTMAP_FEATURE_DMABUF))
		case_skip("dma-bufs in this kernel");
	expect(try_max_pages(fd, 1), 0);
	buf = try_export(fd, granter_id());
	check(buf >= 0, "%s", errno_name(buf));
	expect(try_export(fd, granter_id()), -ENOSPC);
	expect(try_import(fd, granter_id()), -ENOSPC);
	expect(try_add_pages(fd, 1), -ENOSPC);
	close(buf);
	expect(try_import(fd, granter_id()), -EBADF);
	expect(try_add_pages(fd, 1), 0);
}

static atomic_uint nr_added;

static void *add_until_full(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&barrier);
	while (!try_add_pages(raced_fd, 3))
		atomic_fetch_add(&nr_added, 3);
	return NULL;
}

static void cap_for_threads(void)
{
	pthread_t threads[4];

	raced_fd = open_node();
	expect(try_max_pages(raced_fd, 200), 0);
	check(!pthread_barrier_init(&barrier, NULL, ARRAY_SIZE(threads)), "no barrier");
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		check(!pthread_create(&threads[i], NULL, add_until_full, NULL), "no thread");
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	check(atomic_load(&nr_added) == 198, "%u pages", atomic_load(&nr_added));
	check_file_has(raced_fd, 66, 198);
}

/* ---- information ---- */

static void information(void)
{
	char limit[16], provider[32];
	int fd = open_node();
	struct gntmap_info info = info_of(fd);

	check(core_parameter("limit", limit, sizeof(limit)) && core_parameter("provider", provider, sizeof(provider)), "no parameters");
	check(!strcmp(info.strategy, suite.strategy) && !strcmp(info.backend, suite.pv ? "pv" : "xlate"), "%s, %s", info.strategy,
	      info.backend);
	check(!strcmp(info.provider, provider) && info.limit == strtoul(limit, NULL, 0), "%s, %u", info.provider, info.limit);
	check(!info.nr_ranges && !info.nr_pages && !info.nr_mapped_pages && !info.nr_draining_pages, "a new file has something");
	for (size_t i = 0; i < ARRAY_SIZE(info.reserved); i++)
		check(!info.reserved[i], "%#llx", info.reserved[i]);

	set_core_parameter("provider", "ballooned");
	set_core_parameter("limit", "77");
	info = info_of(fd);
	check(!strcmp(info.provider, "ballooned") && info.limit == 77, "%s, %u", info.provider, info.limit);

	info.flags = 1;
	expect(ioctl(fd, GNTMAP_IOCTL_INFO, &info) ? -errno : 0, -EINVAL);
	info.flags = 0;
	info.size++;
	expect(ioctl(fd, GNTMAP_IOCTL_INFO, &info) ? -errno : 0, -EINVAL);
	info.size -= 2;
	expect(ioctl(fd, GNTMAP_IOCTL_INFO, &info) ? -errno : 0, -EINVAL);
	expect(ioctl(fd, GNTMAP_IOCTL_INFO, 8ul) ? -errno : 0, -EFAULT);
}

static void statistics(void)
{
	int fd = open_node();
	struct range a = range_map(fd, FIRST, NR, RW), b = range_map(fd, FIRST + NR, 3, PROT_READ), c = range_add(fd, 0, 2);
	struct gntmap_info info = info_of(fd);

	check(info.nr_ranges == 3 && info.nr_pages == NR + 5 && info.nr_mapped_pages == NR + 3 && !info.nr_draining_pages,
	      "%llu, %llu, %llu, %llu", info.nr_ranges, info.nr_pages, info.nr_mapped_pages, info.nr_draining_pages);
	range_munmap(&b);
	range_remove(&c);
	info = info_of(fd);
	check(info.nr_ranges == 2 && info.nr_pages == NR + 3 && info.nr_mapped_pages == NR, "%llu, %llu, %llu", info.nr_ranges,
	      info.nr_pages, info.nr_mapped_pages);
	range_unmap(&a);
}

static void statistics_of_a_pin(void)
{
	int fd = open_node(), ret;
	struct range a = range_map(fd, FIRST, NR, RW);
	struct gntmap_info info;
	struct pin pin;

	ret = pin_page(&pin, PIN_PIPE, range_page(&a, 0));
	if (ret == -EFAULT && strategy_is("vmio"))
		case_skip("a pin: VM_IO refuses it");
	expect(ret, 0);
	range_munmap(&a);
	info = info_of(fd);
	check(!info.nr_mapped_pages && info.nr_draining_pages == NR, "%llu, %llu", info.nr_mapped_pages, info.nr_draining_pages);
	expect(unpin_page(&pin, NULL), 0);
	for (uint64_t start = now_us(); info_of(fd).nr_draining_pages; sleep_ms(5))
		check(now_us() - start < 10000000, "it drains on");
}

/* ---- whose memory ---- */

#define GROUPS "/run/gntmap-memory"
#define GROUP GROUPS "/test"

static int64_t charged(void)
{
	char text[32];

	check(read_line(GROUP "/memory.current", text, sizeof(text)), "%s", strerror(errno));
	return strtoll(text, NULL, 10);
}

/* cgroup2 with the memory controller, and ourselves in a group of it. */
static void join_group(void)
{
	mkdir(GROUPS, 0700);
	if (mount("cgroup2", GROUPS, "cgroup2", 0, NULL) && errno != EBUSY)
		case_skip("cgroup2: %s", strerror(errno));
	if (write_file(GROUPS "/cgroup.subtree_control", "+memory"))
		case_skip("cgroup2's memory controller");
	check(!mkdir(GROUP, 0700) || errno == EEXIST, "%s", strerror(errno));
	expect(write_file(GROUP "/cgroup.procs", "0"), 0);
}

static void leave_group(void)
{
	expect(write_file(GROUPS "/cgroup.procs", "0"), 0);
	check(!rmdir(GROUP) && !umount(GROUPS), "%s", strerror(errno));
}

static void memory_is_charged(void)
{
	/* Each range takes 16 bytes a page at least, in allocations of its own. The references are never looked at. */
	enum { NR_RANGES = 8, EACH = 16384, LEAST = NR_RANGES * EACH * 16 };
	struct ioctl_gntdev_grant_ref *refs = calloc(EACH, sizeof(*refs));
	int64_t before, with, after;
	uint64_t offset;
	char *memory;
	int fd, ret;

	join_group();
	memory = mmap(NULL, LEAST, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	check(refs && memory != MAP_FAILED, "no memory");
	check(charged() >= LEAST, "premise: our own memory is not charged: %ld", charged());
	munmap(memory, LEAST);

	fd = open_node();
	before = charged();
	for (int i = 0; i < NR_RANGES; i++) {
		ret = try_add(fd, refs, EACH, &offset);
		if (ret == -ENOMEM) {
			leave_group();
			case_skip("memory for ranges of %d pages", NR_RANGES * EACH);
		}
		expect(ret, 0);
	}
	with = charged();
	/* The controller counts in steps. */
	check(with - before > LEAST * 3 / 4, "%ld bytes for ranges that take %d", with - before, LEAST);
	close(fd);
	after = charged();
	check(with - after > LEAST * 3 / 4, "%ld of %ld bytes come back", with - after, with - before);
	leave_group();
}

static const struct suite_case cases[] = {
	{ "a restricted file maps one domain's pages only", names_one_domain },
	{ "a restricted file copies one domain's grants only", copies_of_one_domain },
	{ "a restricted file notifies one domain only", channels_to_one_domain },
	{ "a restricted file uses no channel that another domain has bound", bound_channels_to_one_domain },
	{ "a restricted file exports and imports for one domain only", dmabufs_of_one_domain },
	{ "what a file has when it is restricted stays", what_it_has_stays },
	{ "a restriction is for good", for_good },
	{ "a restriction goes through dup and fork", through_fork },
	{ "a restriction by a child is everybody's", by_child },
	{ "a restriction goes with a descriptor that is passed", through_a_socket },
	{ "a restriction goes through exec", through_exec },
	{ "of two restrictions at once one wins", one_of_two_wins },
	{ "a file cannot have more pages than its cap", cap_holds },
	{ "pages that are removed and mapped, or pinned, count for the cap", cap_and_what_lingers },
	{ "pages of dma-bufs count for the cap", cap_and_dmabufs, MODE_XLATE },
	{ "threads cannot get past the cap", cap_for_threads },
	{ "INFO tells what a file is and may do", information },
	{ "INFO tells what a file has", statistics },
	{ "INFO tells what waits for a pin", statistics_of_a_pin },
	{ "what ranges take is charged to who made them", memory_is_charged },
};

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "name"))
		return name_after_exec(argv + 1);
	return suite_main(cases, ARRAY_SIZE(cases), argc, argv);
}
