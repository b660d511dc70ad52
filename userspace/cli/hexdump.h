/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HEXDUMP_H
#define HEXDUMP_H

#include <stddef.h>
#include <stdio.h>

/* As `hexdump -C' does it: 16 bytes a line, one * for lines that repeat the last one. */
void hexdump(FILE *out, const unsigned char *bytes, size_t size);

#endif
