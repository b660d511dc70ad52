/* SPDX-License-Identifier: GPL-2.0 */
/* The modules and nodes that this machine has, by what /sys, /dev and /lib/modules say. */
#ifndef NODES_H
#define NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum module_state {
	MODULE_ABSENT,	  /* not installed for the running kernel */
	MODULE_AVAILABLE, /* modprobe would find it */
	MODULE_LOADED,
};

struct node {
	const char *strategy; /* "xen-gntdev" for the kernel's own driver */
	enum module_state module;
	char name[64];	      /* below /dev; "" while there is none */
	dev_t dev;	      /* 0 while there is none */
	bool accessible;      /* we may open it */
};

/* The strategies, then xen-gntdev. */
#define NR_NODES 5
#define NODE_GNTDEV 4

void nodes_look(struct node nodes[NR_NODES]);
/* The one that stands at /dev/xen/gntdev, or NULL. */
const struct node *nodes_at_gntdev(const struct node nodes[NR_NODES]);
const char *module_state_name(enum module_state state);
enum module_state module_state(const char *module);

/* The first line of a file, without its newline. */
bool read_line(const char *path, char *text, size_t size);

#endif
