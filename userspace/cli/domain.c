// SPDX-License-Identifier: GPL-2.0
#include "domain.h"

#include "cli.h"

/* Beyond it are Xen's reserved ids: DOMID_SELF and the like. */
#define DOMID_MAX 0x7FEF

int domain_and_numbers(int argc, char **argv, const char *what, uint64_t max, uint32_t *domid, struct numbers *numbers)
{
	uint64_t number;

	if (!argc)
		return usage("a domain id is missing (`xl domid NAME' tells it)");
	if (!number_parse(argv[0], DOMID_MAX, &number))
		return usage("`%s' is not the id of a domain: 0 to %u (`xl domid NAME' tells it)", argv[0], DOMID_MAX);
	*domid = number;
	if (argc < 2)
		return usage("at least one %s is missing", what);
	for (int i = 1; i < argc; i++) {
		const char *wrong = numbers_add(numbers, argv[i], max);

		if (wrong)
			return usage("%s `%s': %s", what, argv[i], wrong);
	}
	return 0;
}
