/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/error.h"
#include "model/trust-list.h"

/*
 * Files of a trust anchor. FOLDER/scope.json: the WMI prefixes of which its trust list can only take away, set when the
 * anchor is added, by its first trust list, or by two people. FOLDER/trust-list.json: the newest trust list that was
 * verified under it.
 */

/* wmis: as model/wmi.h. */
gboolean rb_anchor_scope_write (const char *folder, const char *const *wmis, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* *wmis NULL: none has been set. (out) (transfer full) */
gboolean rb_anchor_scope_read (const char *folder, GStrv *wmis, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* *list NULL: none was seen. (out) (transfer full) */
gboolean rb_anchor_scope_read_list (const char *folder, RbTrustList **list, GBytes **json, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_anchor_scope_write_list (const char *folder, GBytes *json, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "1RB, 2XY"; "none" of an empty set. (transfer full) */
char *rb_anchor_scope_text (const char *const *wmis);
