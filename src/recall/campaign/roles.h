/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/error.h"

/* Metadata files by role: ROLE.json, or with consistent snapshots VERSION.ROLE.json. */

/* Every metadata file of a folder but its roots: name → GBytes. Errors: too-large, missing, io. (transfer full) */
GHashTable *rb_roles_read_folder (const char *folder, gsize max_file, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Role → GBytes of such a table; malformed where a role has two files. (transfer full) */
GHashTable *rb_roles_of (GHashTable *files, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* “version” of a metadata file, 0: it has none. Nothing is verified. */
gint64 rb_roles_version (GBytes *bytes);
