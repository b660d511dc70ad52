/* SPDX-License-Identifier: GPL-2.0 */
/* Our end of the granter's event channel (GRANTER_WATCH). */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <stdint.h>

#include <xenevtchn.h>

/* Bound as soon as nobody else has it any more; fails the case when that does not come. */
uint32_t bind_channel(xenevtchn_handle **handle);

#endif
