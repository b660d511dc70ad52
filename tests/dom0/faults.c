// SPDX-License-Identifier: GPL-2.0
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "suite.h"

#define NODE "/dev/gntmap_fault"
#define MAX_SYMBOLS 3

/* A function of the kernel, under the names that it had. */
struct function {
	const char *symbols[MAX_SYMBOLS];
	enum fault_caller caller;
	int nr_values;
	int values[FAULTS_MAX_VALUES];
};

/*
 * A pointer's function returns NULL or an errno, user copies how many bytes are left, set_phys_to_machine() false. Where there
 * is nothing to return (0 values) calls are only counted.
 */
static const struct function functions[] = {
	{ { "__kmalloc_cache_noprof", "kmalloc_trace" }, FAULT_DIRECT, 1, { 0 } },
	{ { "__kmalloc_noprof", "__kmalloc" }, FAULT_DIRECT, 1, { 0 } },
	{ { "__kvmalloc_node_noprof", "kvmalloc_node" }, FAULT_DIRECT, 1, { 0 } },
	{ { "_copy_from_user" }, FAULT_DIRECT, 1, { 1 } },
	{ { "_copy_to_user" }, FAULT_DIRECT, 1, { 1 } },
	{ { "gnttab_alloc_pages" }, FAULT_DIRECT, 1, { -ENOMEM } },
	{ { "gnttab_free_pages" }, FAULT_DIRECT, 0, { 0 } },
	{ { "xen_alloc_ballooned_pages" }, FAULT_DIRECT, 1, { -ENOMEM } },
	{ { "xen_free_ballooned_pages" }, FAULT_DIRECT, 0, { 0 } },
	{ { "gnttab_pages_set_private" }, FAULT_DIRECT, 1, { -ENOMEM } },
	{ { "gnttab_map_refs" }, FAULT_DIRECT, 2, { -EFAULT, -ENOMEM } },
	{ { "gnttab_unmap_refs" }, FAULT_DIRECT, 0, { 0 } },
	/* PV, in gnttab_map_refs(): only half is mapped, or all but one frame get known. */
	{ { "set_foreign_p2m_mapping" }, FAULT_BELOW, 1, { -ENOMEM } },
	{ { "set_phys_to_machine" }, FAULT_BELOW, 1, { 0 } },
	{ { "mmu_interval_notifier_insert_locked" }, FAULT_DIRECT, 2, { -ENOMEM, -EINTR } },
	{ { "apply_to_page_range" }, FAULT_DIRECT, 1, { -ENOMEM } },
	{ { "vm_insert_pages" }, FAULT_DIRECT, 2, { -ENOMEM, -EFAULT } },
	/* In the middle of these two. */
	{ { "__pte_alloc" }, FAULT_BELOW, 1, { -ENOMEM } },
	{ { "pin_user_pages_fast" }, FAULT_DIRECT, 3, { -ENOMEM, -EFAULT, 0 } },
	{ { "evtchn_get" }, FAULT_DIRECT, 1, { -EINVAL } },
	{ { "get_unused_fd_flags" }, FAULT_DIRECT, 1, { -ENOMEM } },
	{ { "dma_buf_export" }, FAULT_DIRECT, 1, { -ENOMEM } },
	{ { "dma_buf_get" }, FAULT_DIRECT, 1, { -ENOMEM } },
	{ { "dma_buf_attach" }, FAULT_DIRECT, 1, { -ENOMEM } },
	{ { "dma_buf_map_attachment_unlocked", "dma_buf_map_attachment" }, FAULT_DIRECT, 2, { -ENOMEM, -EINTR } },
	{ { "sg_alloc_table_from_pages_segment" }, FAULT_BELOW, 1, { -ENOMEM } },
	{ { "gnttab_grant_foreign_access" }, FAULT_DIRECT, 1, { -ENOMEM } },
};

static int device = -1;
static struct fault faults[FAULT_MAX_SITES];
static size_t nr_faults;
static char missing[512];

static int add_function(const struct function *function)
{
	struct fault_add add = { .caller = function->caller };
	struct fault *fault = &faults[nr_faults];
	int site = -1;

	for (int i = 0; i < MAX_SYMBOLS && function->symbols[i] && site < 0; i++) {
		fault->name = function->symbols[i];
		snprintf(add.symbol, sizeof(add.symbol), "%s", fault->name);
		site = ioctl(device, FAULT_ADD, &add);
	}
	if (site < 0) {
		snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), "%s%s", *missing ? " " : "",
			 function->symbols[0]);
		return errno == ENOENT || errno == EINVAL || errno == EOPNOTSUPP ? 0 : -errno;
	}
	fault->site = site;
	fault->spoils = !strcmp(fault->name, "gnttab_map_refs");
	fault->nr_values = function->nr_values;
	memcpy(fault->values, function->values, sizeof(fault->values));
	nr_faults++;
	return 0;
}

static int add_hypercalls(void)
{
	struct fault_site site = { .site = nr_faults };
	int nr = ioctl(device, FAULT_ADD_HYPERCALLS);

	if (nr < 0)
		return -errno;
	for (; nr--; site.site++) {
		struct fault *fault = &faults[nr_faults];

		if (ioctl(device, FAULT_SITE, &site))
			return -errno;
		fault->name = strdup(site.name);
		if (!fault->name)
			return -ENOMEM;
		fault->site = site.site;
		fault->hypercall = true;
		fault->nr_values = 2;
		fault->values[0] = -ENOMEM;
		fault->values[1] = -ESRCH;
		nr_faults++;
	}
	return 0;
}

static int open_all(const char **what)
{
	int err;

	*what = NODE;
	device = open(NODE, O_RDWR | O_CLOEXEC);
	if (device < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		*what = functions[i].symbols[0];
		err = add_function(&functions[i]);
		if (err)
			return err;
	}
	*what = "probes at hypercalls";
	return add_hypercalls();
}

int faults_main(const struct suite_case *cases, size_t nr_cases, int argc, char **argv)
{
	const char *what;
	int err;

	if (system("modprobe -q gntmap_fault"))
		fprintf(stderr, "%s: there is no gntmap_fault\n", argv[0]);
	err = open_all(&what);
	if (err) {
		fprintf(stderr, "%s: %s: %s\n", argv[0], what, errno_name(err));
		return 2;
	}
	return suite_main(cases, nr_cases, argc, argv);
}

const char *faults_missing(void)
{
	return missing;
}

size_t faults_nr(void)
{
	return nr_faults;
}

const struct fault *faults_get(size_t i)
{
	return &faults[i];
}

const struct fault *faults_find(const char *name)
{
	for (size_t i = 0; i < nr_faults; i++)
		if (!strcmp(faults[i].name, name))
			return &faults[i];
	return NULL;
}

static void arm(const struct fault_arm *want)
{
	expect(ioctl(device, FAULT_ARM, want) ? -errno : 0, 0);
}

void faults_count(void)
{
	arm(&(struct fault_arm){ .what = FAULT_COUNT });
}

void faults_arm(const struct fault *fault, uint32_t k, int value, uint32_t spoil)
{
	arm(&(struct fault_arm){
		.site = fault->site,
		.what = spoil ? FAULT_SPOIL : FAULT_RETURN,
		.k = k,
		.value = value,
		.spoil = spoil,
	});
}

void faults_disarm(void)
{
	expect(ioctl(device, FAULT_DISARM) ? -errno : 0, 0);
}

int faults_undo(void)
{
	int nr = ioctl(device, FAULT_UNDO);

	check(nr >= 0, "%s", strerror(errno));
	return nr;
}

struct fault_site faults_seen(const struct fault *fault)
{
	struct fault_site site = { .site = fault->site };

	expect(ioctl(device, FAULT_SITE, &site) ? -errno : 0, 0);
	return site;
}
