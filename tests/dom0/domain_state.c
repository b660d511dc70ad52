// SPDX-License-Identifier: GPL-2.0
#include "domain_state.h"

#include <errno.h>
#include <xenctrl.h>

int domain_state(uint32_t domid, struct domain_state *state)
{
	xc_interface *xc = xc_interface_open(NULL, NULL, 0);
	xc_domaininfo_t info;
	int nr;

	if (!xc)
		return -errno;
	/* The domains from domid on, at most one. */
	nr = xc_domain_getinfolist(xc, domid, 1, &info);
	if (nr < 0)
		nr = -errno;
	xc_interface_close(xc);
	if (nr < 0)
		return nr;
	if (!nr || info.domain != domid)
		return 0;
	state->dying = info.flags & XEN_DOMINF_dying;
	state->nr_pages = info.tot_pages;
	return 1;
}
