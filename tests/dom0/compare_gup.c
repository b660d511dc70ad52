// SPDX-License-Identifier: GPL-2.0
/* Who reaches the pages through get_user_pages(), but for long-term pins. */
#include "compare.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "compare_buffer.h"

const char *const direct_io_rows[] = { "O_DIRECT write from it", "O_DIRECT read into it", NULL };

void probe_direct_io(struct probe *probe)
{
	struct buffer buffer;
	ssize_t moved;
	int fd;

	if (!probe->block_device) {
		skip(probe, direct_io_rows[0], "no null_blk");
		skip(probe, direct_io_rows[1], "no null_blk");
		return;
	}
	buffer_map(probe, &buffer);
	fd = open(probe->block_device, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		probe_die(probe, "%s: %m", probe->block_device);

	moved = pwrite(fd, buffer.addr, BUFFER_SIZE, 0);
	if (moved == BUFFER_SIZE && pread(fd, buffer.plain, BUFFER_SIZE, 0) != BUFFER_SIZE)
		probe_die(probe, "reading null_blk: %m");
	observe_out(probe, direct_io_rows[0], &buffer, moved);

	buffer_refill(&buffer);
	if (pwrite(fd, buffer.plain, BUFFER_SIZE, 0) != BUFFER_SIZE)
		probe_die(probe, "writing null_blk: %m");
	observe_in(probe, direct_io_rows[1], &buffer, pread(fd, buffer.addr, BUFFER_SIZE, 0));
	close(fd);
	buffer_unmap(probe, &buffer);
}

const char *const process_vm_rows[] = { "process_vm_readv()", "process_vm_writev()", NULL };

void probe_process_vm(struct probe *probe)
{
	struct iovec grants, plain;
	struct buffer buffer;

	buffer_map(probe, &buffer);
	grants = (struct iovec){ buffer.addr, BUFFER_SIZE };
	plain = (struct iovec){ buffer.plain, BUFFER_SIZE };
	/* Our own memory is "remote" memory like any other. */
	observe_out(probe, process_vm_rows[0], &buffer, process_vm_readv(getpid(), &plain, 1, &grants, 1, 0));
	buffer_refill(&buffer);
	observe_in(probe, process_vm_rows[1], &buffer, process_vm_writev(getpid(), &plain, 1, &grants, 1, 0));
	buffer_unmap(probe, &buffer);
}

const char *const vmsplice_rows[] = { "vmsplice() from it", NULL };

void probe_vmsplice(struct probe *probe)
{
	struct buffer buffer;
	struct iovec grants;
	ssize_t moved;
	int ends[2];

	buffer_map(probe, &buffer);
	grants = (struct iovec){ buffer.addr, BUFFER_SIZE };
	if (pipe2(ends, O_CLOEXEC))
		probe_die(probe, "pipe: %m");
	moved = vmsplice(ends[1], &grants, 1, 0);
	if (moved == BUFFER_SIZE && read(ends[0], buffer.plain, BUFFER_SIZE) != BUFFER_SIZE)
		probe_die(probe, "reading the pipe: %m");
	observe_out(probe, vmsplice_rows[0], &buffer, moved);
	close(ends[0]);
	close(ends[1]);
	buffer_unmap(probe, &buffer);
}

const char *const proc_mem_rows[] = { "/proc/PID/mem read", "/proc/PID/mem write", NULL };

void probe_proc_mem(struct probe *probe)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	struct buffer buffer;

	if (fd < 0)
		probe_die(probe, "/proc/self/mem: %m");
	buffer_map(probe, &buffer);
	observe_out(probe, proc_mem_rows[0], &buffer, pread(fd, buffer.plain, BUFFER_SIZE, (uintptr_t)buffer.addr));
	buffer_refill(&buffer);
	observe_in(probe, proc_mem_rows[1], &buffer, pwrite(fd, buffer.plain, BUFFER_SIZE, (uintptr_t)buffer.addr));
	close(fd);
	buffer_unmap(probe, &buffer);
}
