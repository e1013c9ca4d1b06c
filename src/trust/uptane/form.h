/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/error.h"
#include <jansson.h>

/*
 * The form of what is signed: a member that restricts (threshold, keyids, paths, hardwareIds, …) is right, or the file
 * is rejected. A member of another type never counts as absent. null counts as absent only for "custom" and
 * "delegations", which servers in the field write so. Errors: malformed, illegal-threshold.
 */
gboolean rb_form_check_root (const json_t *part, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A targets file without its entries: those are read one by one (uptane/target.h). */
gboolean rb_form_check_targets (const json_t *part, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A member that may be absent. Else it is an array of strings. */
gboolean rb_form_check_strings (const json_t *object, const char *member, const char *what, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* "root", "timestamp", "snapshot", "targets": names that no delegated role has. */
gboolean rb_form_is_top_level (const char *role);
/* Which role of a rejected file has the illegal threshold; NULL: none. (transfer full) */
char *rb_form_illegal_role (const json_t *part);

/* sha256 and sha512 of "hashes": each is right where it stands, and NULL where not. Borrowed. */
gboolean rb_form_read_hashes (const json_t *hashes, const char *what, const char **sha256, const char **sha512,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
