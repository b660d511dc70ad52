// SPDX-License-Identifier: GPL-2.0
#include "fuzz.h"

#include <stdio.h>

const struct fuzz_kind fuzz_kinds[] = {
	{ "open", 6, false, op_open },
	{ "close", 5, false, op_close },
	{ "dup", 2, false, op_dup },
	{ "pass a descriptor", 1, false, op_pass },
	{ "MAP_GRANT_REF", 16, false, op_add },
	{ "MAP_GRANT_REF, bad", 3, false, op_add_bad },
	{ "MAP_FOREIGN", 4, false, op_foreign },
	{ "UNMAP_GRANT_REF", 10, false, op_remove },
	{ "INFO", 4, false, op_info },
	{ "SET_MAX_PAGES", 1, false, op_cap },
	{ "RESTRICT", 1, false, op_restrict },
	{ "SET_UNMAP_NOTIFY", 5, false, op_notify },
	{ "GRANT_COPY", 4, false, op_copy },
	{ "revoke", 2, false, op_revoke },
	{ "grant", 2, false, op_grant },
	{ "audit", 1, false, op_audit },
	{ "mmap", 24, false, op_mmap },
	{ "mmap, bad", 4, false, op_mmap_bad },
	{ "munmap", 18, false, op_munmap },
	{ "GET_OFFSET_FOR_VADDR", 4, false, op_offset },
	{ "read", 16, false, op_read },
	{ "write", 16, false, op_write },
	{ "mprotect", 5, false, op_mprotect },
	{ "mremap", 4, false, op_mremap },
	{ "MADV_DONTNEED", 4, false, op_dontneed },
	{ "advice on fork", 3, false, op_advise },
	{ "a file that others use too", 4, false, op_common },
	{ "pin", 6, false, op_pin },
	{ "unpin", 6, false, op_unpin },
	{ "DMABUF_EXP_FROM_REFS", 4, false, op_export },
	{ "a dma-buf of other pages", 2, false, op_make },
	{ "a dma-buf is closed", 3, false, op_drop },
	{ "a dma-buf is read and written", 3, false, op_swap },
	{ "DMABUF_EXP_WAIT_RELEASED", 1, false, op_wait },
	{ "DMABUF_IMP_TO_REFS", 4, false, op_import },
	{ "DMABUF_IMP_RELEASE", 2, false, op_import_release },
	{ "the granter maps an import", 3, false, op_imported },
	{ "fork", 1, true, op_fork },
	{ "a child that holds", 1, true, op_hold },
	{ "that child ends", 1, true, op_release },
};
const unsigned int fuzz_nr_kinds = ARRAY_SIZE(fuzz_kinds);

/* splitmix64 */
uint64_t fuzz_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

void fuzz_generate(struct fuzz_op *ops, unsigned int nr, uint64_t seed, bool alone)
{
	unsigned int all = 0, at;

	for (unsigned int k = 0; k < fuzz_nr_kinds; k++)
		all += alone || !fuzz_kinds[k].alone ? fuzz_kinds[k].weight : 0;
	for (unsigned int i = 0; i < nr; i++) {
		at = fuzz_random(&seed) % all;
		for (unsigned int k = 0; k < fuzz_nr_kinds; k++) {
			if (fuzz_kinds[k].alone && !alone)
				continue;
			if (at < fuzz_kinds[k].weight) {
				ops[i].kind = k;
				break;
			}
			at -= fuzz_kinds[k].weight;
		}
		for (unsigned int j = 0; j < NR_ARGS; j++)
			ops[i].arg[j] = fuzz_random(&seed) >> 32;
	}
}

void fuzz_print(unsigned int number, const struct fuzz_op *op)
{
	printf("#   %u %s(%u, %u, %u, %u)\n", number, fuzz_kinds[op->kind].name, op->arg[0] % 1000, op->arg[1] % 1000,
	       op->arg[2] % 1000, op->arg[3] % 1000);
}
