/* SPDX-License-Identifier: GPL-2.0 */
/* The arguments DOMID NUMBER... that two commands have. */
#ifndef DOMAIN_H
#define DOMAIN_H

#include <stdint.h>

#include "numbers.h"

/* @what the numbers are, for people. Returns the exit code. */
int domain_and_numbers(int argc, char **argv, const char *what, uint64_t max, uint32_t *domid, struct numbers *numbers);

#endif
