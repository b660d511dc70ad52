// SPDX-License-Identifier: GPL-2.0
#include "flight.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "block.h"
#include "throttle.h"

static void *move(void *arg)
{
	struct flight *f = arg;
	ssize_t ret;

	__atomic_store_n(&f->tid, gettid(), __ATOMIC_RELEASE);
	ret = transfer(TRANSFER_SYNC, f->fd, f->out, f->addr, f->length);
	f->result = ret;
	__atomic_store_n(&f->landed, true, __ATOMIC_RELEASE);
	return NULL;
}

static char state_of(pid_t tid)
{
	char path[64], state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	file = fopen(path, "re");
	if (file) {
		if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
			state = '?';
		fclose(file);
	}
	return state;
}

/* A thread that waits for a bio cannot be interrupted, and stays so. */
static int wait_for_sleep(struct flight *f)
{
	unsigned int nr_asleep = 0;

	for (int i = 0; i < 2000 && nr_asleep < 10; i++) {
		pid_t tid = __atomic_load_n(&f->tid, __ATOMIC_ACQUIRE);

		nr_asleep = tid && state_of(tid) == 'D' ? nr_asleep + 1 : 0;
		if (flight_landed(f))
			return 0;
		usleep(5000);
	}
	return nr_asleep ? 0 : -ETIMEDOUT;
}

static int start_aio(struct flight *f)
{
	struct iocb request, *requests[] = { &request };
	int ret = io_setup(1, &f->aio);

	if (ret)
		return ret;
	if (f->out)
		io_prep_pwrite(&request, f->fd, f->addr, f->length, 0);
	else
		io_prep_pread(&request, f->fd, f->addr, f->length, 0);
	ret = io_submit(f->aio, 1, requests);
	if (ret == 1)
		return 0;
	io_destroy(f->aio);
	return ret ? ret : -EAGAIN;
}

static int start_uring(struct flight *f)
{
	int ret = io_uring_queue_init(2, &f->ring, 0);

	if (ret)
		return ret;
	if (f->out)
		io_uring_prep_write(io_uring_get_sqe(&f->ring), f->fd, f->addr, f->length, 0);
	else
		io_uring_prep_read(io_uring_get_sqe(&f->ring), f->fd, f->addr, f->length, 0);
	ret = io_uring_submit(&f->ring);
	return ret < 0 ? ret : 0;
}

static bool throttled;

const char *flight_device_create(unsigned int size_mib, char *why, size_t why_size)
{
	const char *node = block_create(size_mib);
	int ret;

	if (!node) {
		snprintf(why, why_size, "null_blk: %s", strerror(errno));
		return NULL;
	}
	ret = throttle_create(node);
	if (ret) {
		snprintf(why, why_size, "cgroup2's io.max: %s", strerror(-ret));
		return NULL;
	}
	throttled = true;
	return node;
}

void flight_device_remove(void)
{
	if (throttled)
		throttle_remove();
	block_remove();
}

int flight_start(struct flight *f, enum transfer_kind kind, const char *node, bool out, void *addr, size_t length)
{
	int ret;

	*f = (struct flight){ .kind = kind, .out = out, .addr = addr, .length = length };
	f->fd = open(node, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (f->fd < 0)
		return -errno;
	switch (kind) {
	case TRANSFER_AIO:
		return start_aio(f);
	case TRANSFER_URING:
		return start_uring(f);
	default:
		ret = -pthread_create(&f->thread, NULL, move, f);
		return ret ? ret : wait_for_sleep(f);
	}
}

static void take_uring(struct flight *f, struct io_uring_cqe *cqe)
{
	f->result = cqe->res;
	f->landed = true;
	io_uring_cqe_seen(&f->ring, cqe);
}

bool flight_landed(struct flight *f)
{
	struct timespec now = { 0 };
	struct io_uring_cqe *cqe;
	struct io_event event;

	if (__atomic_load_n(&f->landed, __ATOMIC_ACQUIRE))
		return true;
	if (f->kind == TRANSFER_AIO && io_getevents(f->aio, 0, 1, &event, &now) == 1) {
		f->result = (long)event.res;
		f->landed = true;
	}
	if (f->kind == TRANSFER_URING && !io_uring_peek_cqe(&f->ring, &cqe))
		take_uring(f, cqe);
	return f->landed;
}

ssize_t flight_land(struct flight *f)
{
	struct io_uring_cqe *cqe;
	struct io_event event;
	int ret = 0;

	if (f->kind == TRANSFER_SYNC) {
		pthread_join(f->thread, NULL);
	} else if (f->kind == TRANSFER_AIO) {
		if (!f->landed) {
			ret = io_getevents(f->aio, 1, 1, &event, NULL);
			if (ret == 1)
				f->result = (long)event.res;
		}
		io_destroy(f->aio);
	} else {
		if (!f->landed) {
			ret = io_uring_wait_cqe(&f->ring, &cqe);
			if (!ret)
				take_uring(f, cqe);
		}
		io_uring_queue_exit(&f->ring);
	}
	close(f->fd);
	return ret < 0 ? ret : f->result;
}
