/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/*
 * The bit rates that diagnostic connectors have, by name: what a person may ask of an adapter or of the helper that
 * sets interfaces up. No person types nanoseconds.
 */
typedef struct {
  const char *name; /* "500k", "500k/2M" */
  guint32 bitrate, data_bitrate; /* data_bitrate 0: classic CAN */
} RbCanPreset;

/* NULL: there is none of that name. */
const RbCanPreset *rb_can_preset_find (const char *name);
/* Names, a comma between them, static. */
const char *rb_can_preset_names (void);
/* The same for command lines. */
#define RB_CAN_PRESET_WORDS "500k|250k|125k|500k/2M|500k/5M"

/* Sample point in per mille of a bit (CiA 601-2). */
#define RB_CAN_SAMPLE_POINT 875
#define RB_CAN_DATA_SAMPLE_POINT 800
