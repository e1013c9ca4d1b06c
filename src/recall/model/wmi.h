/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/*
 * Sets of VIN prefixes (world manufacturer identifiers): for which vehicles an OEM may speak. A set is a GStrv of valid
 * prefixes; NULL and the empty set hold no VIN.
 */

#define RB_WMI_MAX_LENGTH 8 /* characters of a prefix */

/* 1…RB_WMI_MAX_LENGTH characters that may stand in a VIN. */
gboolean rb_wmi_is_valid (const char *prefix);
/* Does the VIN begin with one of them? */
gboolean rb_wmi_holds (const char *const *set, const char *vin);
/* The set of the VINs that both sets hold, sorted. (transfer full) */
GStrv rb_wmi_intersect (const char *const *one, const char *const *two);
/* The set of the VINs that either set holds, sorted and without a prefix of which another one is the beginning.
 * (transfer full) */
GStrv rb_wmi_unite (const char *const *one, const char *const *two);
