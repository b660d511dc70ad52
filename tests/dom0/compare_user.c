// SPDX-License-Identifier: GPL-2.0
/* What else user space may do with the memory: asynchronous direct IO, ptrace, futexes, madvise, NUMA calls, userfaultfd. */
#include "compare.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <numaif.h>

#include "compare_buffer.h"
#include "fault.h"
#include "transfer.h"

const char *const async_io_rows[] = { "libaio: O_DIRECT read into it", "io_uring: O_DIRECT read into it", NULL };

void probe_async_io(struct probe *probe)
{
	static const enum transfer_kind kinds[] = { TRANSFER_AIO, TRANSFER_URING };
	struct buffer buffer;
	int fd;

	if (!probe->block_device) {
		skip(probe, async_io_rows[0], "no null_blk");
		skip(probe, async_io_rows[1], "no null_blk");
		return;
	}
	buffer_map(probe, &buffer);
	fd = open(probe->block_device, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		probe_die(probe, "%s: %m", probe->block_device);
	for (int i = 0; i < 2; i++) {
		ssize_t moved;

		buffer_refill(&buffer);
		if (pwrite(fd, buffer.plain, BUFFER_SIZE, 0) != BUFFER_SIZE)
			probe_die(probe, "writing null_blk: %m");
		moved = transfer(kinds[i], fd, false, buffer.addr, BUFFER_SIZE);
		errno = moved < 0 ? -moved : 0;
		if (moved == -ENOSYS || moved == -EPERM)
			skip(probe, async_io_rows[i], "no %s", transfer_name(kinds[i]));
		else
			observe_in(probe, async_io_rows[i], &buffer, moved);
	}
	close(fd);
	buffer_unmap(probe, &buffer);
}

const char *const ptrace_rows[] = { "ptrace(PTRACE_PEEKDATA)", "ptrace(PTRACE_POKEDATA)", NULL };

/* We are the tracee, since a PV mapping is not inherited; our child looks into us. */
static void trace_parent(struct probe *probe, struct buffer *buffer)
{
	pid_t parent = getppid();
	uint64_t word;
	int status;

	if (ptrace(PTRACE_SEIZE, parent, NULL, NULL) || ptrace(PTRACE_INTERRUPT, parent, NULL, NULL) ||
	    waitpid(parent, &status, 0) != parent)
		_exit(1);
	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, parent, buffer->addr + 8, NULL);
	if (!errno && word != granter_word(buffer->seed, 0, 1))
		observe(probe, ptrace_rows[0], "wrong data");
	else
		observe_errno(probe, ptrace_rows[0], -errno);
	observe_errno(probe, ptrace_rows[1], ptrace(PTRACE_POKEDATA, parent, buffer->addr + 8, 815ul) ? -errno : 0);
	ptrace(PTRACE_DETACH, parent, NULL, NULL);
	_exit(0);
}

void probe_ptrace(struct probe *probe)
{
	struct buffer buffer;
	pid_t child;

	buffer_map(probe, &buffer);
	child = fork();
	if (child < 0)
		probe_die(probe, "fork: %m");
	if (!child)
		trace_parent(probe, &buffer);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	buffer_unmap(probe, &buffer);
}

const char *const futex_rows[] = { "futex, shared", "futex, private", NULL };

void probe_futex(struct probe *probe)
{
	struct buffer buffer;

	buffer_map(probe, &buffer);
	observe_errno(probe, futex_rows[0], syscall(__NR_futex, buffer.addr, FUTEX_WAKE, 1, NULL) < 0 ? -errno : 0);
	/* It does read the word: a wrong one is EAGAIN. */
	if (syscall(__NR_futex, buffer.addr, FUTEX_WAIT_PRIVATE, *(uint32_t *)buffer.addr + 1, NULL) < 0 && errno == EAGAIN)
		errno = 0;
	observe_errno(probe, futex_rows[1], -errno);
	buffer_unmap(probe, &buffer);
}

const char *const advice_rows[] = { "madvise(MADV_POPULATE_WRITE)", "madvise(MADV_DOFORK)", NULL };

void probe_advice(struct probe *probe)
{
	struct buffer buffer;

	buffer_map(probe, &buffer);
	observe_errno(probe, advice_rows[0], madvise(buffer.addr, BUFFER_SIZE, MADV_POPULATE_WRITE) ? -errno : 0);
	observe_errno(probe, advice_rows[1], madvise(buffer.addr, BUFFER_SIZE, MADV_DOFORK) ? -errno : 0);
	buffer_unmap(probe, &buffer);
}

const char *const numa_call_rows[] = { "get_mempolicy(MPOL_F_NODE)", "policy after mbind(MPOL_BIND)", NULL };

void probe_numa_calls(struct probe *probe)
{
	static const char *const modes[] = { "default", "preferred", "bind", "interleave", "local" };
	unsigned long first_node = 1;
	struct buffer buffer;
	int answer = -1;

	buffer_map(probe, &buffer);
	observe_errno(probe, numa_call_rows[0],
		      get_mempolicy(&answer, NULL, 0, buffer.addr, MPOL_F_NODE | MPOL_F_ADDR) ? -errno : 0);
	if (mbind(buffer.addr, BUFFER_SIZE, MPOL_BIND, &first_node, 64, 0) ||
	    get_mempolicy(&answer, NULL, 0, buffer.addr, MPOL_F_ADDR))
		observe_errno(probe, numa_call_rows[1], -errno);
	else if (answer >= 0 && answer < 5)
		observe(probe, numa_call_rows[1], "%s", modes[answer]);
	else
		observe(probe, numa_call_rows[1], "%d", answer);
	buffer_unmap(probe, &buffer);
}

const char *const uffd_rows[] = { "userfaultfd registration", NULL };

void probe_uffd(struct probe *probe)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC);
	struct buffer buffer;

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api)) {
		skip(probe, uffd_rows[0], "no userfaultfd");
		return;
	}
	buffer_map(probe, &buffer);
	reg.range.start = (uintptr_t)buffer.addr;
	reg.range.len = BUFFER_SIZE;
	observe_errno(probe, uffd_rows[0], ioctl(fd, UFFDIO_REGISTER, &reg) ? -errno : 0);
	close(fd);
	buffer_unmap(probe, &buffer);
}

const char *const soft_dirty_rows[] = { "read after clearing soft-dirty bits", NULL };

void probe_soft_dirty(struct probe *probe)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC), sig;
	struct buffer buffer;
	uint64_t word;

	fault_catch();
	buffer_map(probe, &buffer);
	if (fd < 0 || write(fd, "4", 1) != 1) {
		skip(probe, soft_dirty_rows[0], "no /proc/PID/clear_refs");
	} else {
		sig = fault_read(buffer.addr, &word);
		if (sig)
			observe(probe, soft_dirty_rows[0], "SIG%s", sigabbrev_np(sig));
		else
			observe(probe, soft_dirty_rows[0], "%s",
				word == granter_word(buffer.seed, 0, 0) ? "ok" : "wrong data");
	}
	close(fd);
	buffer_unmap(probe, &buffer);
}
