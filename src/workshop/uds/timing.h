/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uds/nrc.h"

/*
 * How long a client waits, and how often it asks. The ECU may only announce or request times within these; whatever the
 * caller sets, no time is above the RB_TIMING_… bounds. Milliseconds.
 */
#define RB_TIMING_MAX_P2_MS 10000
#define RB_TIMING_MAX_P2_STAR_MS 60000
#define RB_TIMING_MAX_PENDING_MS 600000
#define RB_TIMING_MAX_BUSY_MS 60000
#define RB_TIMING_MAX_DELAY_MS 600000

typedef struct {
  gint64 p2_ms; /* 0: 150 */
  gint64 p2_star_ms; /* 0: 5000 */
  gint64 p2_max_ms; /* longest P2 that an ECU may announce; 0: 5000, or p2_ms if that is longer */
  gint64 p2_star_max_ms; /* longest P2*; 0: 10000, or p2_star_ms if that is longer */
  gint64 allowance_ms; /* for gateway and adapter, added to both; 0: 500 */
  guint max_pending; /* 0x78 in a row; 0: 200 */
  gint64 pending_limit_ms; /* from the request to its final response, with 0x78 between; 0: 120000 */
  gint64 busy_ms; /* a request rejected with 0x21 or 0x94 is repeated for so long; 0: 10000 */
  gint64 delay_ms; /* a security delay (0x37) that is waited for; 0: 15000 */
  guint repeats; /* times that a request is sent when no response comes; 0: 3 */
} RbUdsClientTiming;

/* The same with defaults and bounds; timing may be NULL. */
RbUdsClientTiming rb_timing_bounded (const RbUdsClientTiming *timing);
/* The ECU announces its times: 0 announces nothing. Both or none are taken over, each within its cap. */
void rb_timing_announce (RbUdsClientTiming *self, gint64 p2_ms, gint64 p2_star_ms);
