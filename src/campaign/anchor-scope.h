/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/error.h"

/*
 * FOLDER/scope.json of a trust anchor: the WMI prefixes of which its trust list can only take away. Set when the anchor is added,
 * by its first trust list, or by two people.
 */

/* wmis: as model/wmi.h. */
gboolean rb_anchor_scope_write (const char *folder, const char *const *wmis, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* *wmis NULL: none has been set. (out) (transfer full) */
gboolean rb_anchor_scope_read (const char *folder, GStrv *wmis, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "1RB, 2XY"; "none" of an empty set. (transfer full) */
char *rb_anchor_scope_text (const char *const *wmis);
