// SPDX-License-Identifier: GPL-2.0
#include "channel.h"

#include <errno.h>
#include <string.h>

#include "suite.h"

#define WITHIN_MS 10000

uint32_t bind_channel(xenevtchn_handle **handle)
{
	xenevtchn_port_or_error_t local;
	uint64_t start = now_us();
	uint32_t port;

	check(!granter_watch(suite.granter, 0, 0, 0, &port), "%s", strerror(errno));
	*handle = xenevtchn_open(NULL, 0);
	check(*handle, "%s", strerror(errno));
	do
		local = xenevtchn_bind_interdomain(*handle, suite.granter->domid, port);
	while (local < 0 && now_us() - start < WITHIN_MS * 1000ull);
	check(local > 0, "the channel is still bound: %s", strerror(errno));
	return local;
}
