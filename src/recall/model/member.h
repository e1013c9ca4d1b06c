/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/json.h"
#include "model/error.h"

/*
 * Members that vehicle models, profiles and campaigns have in common. Each function sets an error that
 * names the member and leaves *value alone when it fails. `what` is what a person calls the object.
 */

/* Letters, digits, '.', '_', '-', not first a '.', at most 64: fit for a file name. */
gboolean rb_member_id_is_valid (const char *id);
gboolean rb_member_id (const json_t *object, const char *member, char **value, const char *what, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* An id, or null or absent: NULL. */
gboolean rb_member_id_or_none (const json_t *object, const char *member, char **value, const char *what, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* "FOLDER/ID.json" */
gboolean rb_member_document (const json_t *object, const char *member, const char *folder, char **value,
                             const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Relative path of safe components, at most 512 bytes. */
gboolean rb_member_path (const json_t *object, const char *member, char **value, const char *what, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Text for people: 1…max characters, none of them a control character. */
gboolean rb_member_text (const json_t *object, const char *member, glong max, char **value, const char *what,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, or absent: NULL. */
gboolean rb_member_text_or_none (const json_t *object, const char *member, glong max, char **value, const char *what,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "0x1001", within 1…max. */
gboolean rb_member_number (const json_t *object, const char *member, guint32 max, guint32 *value, const char *what,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "F190": four hex digits, not 0000. */
gboolean rb_member_identifier (const json_t *object, const char *member, guint16 *value, const char *what,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Absent: 0. */
gboolean rb_member_identifier_or_none (const json_t *object, const char *member, guint16 *value, const char *what,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* 1…max bytes as hex, either case. (transfer full) */
gboolean rb_member_hex (const json_t *object, const char *member, gsize max, GBytes **value, const char *what,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* One of n names, as its index. */
gboolean rb_member_choice (const json_t *object, const char *member, const char *const *names, guint n, guint *value,
                           const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "format" is exactly that. */
gboolean rb_member_format (const json_t *object, const char *format, const char *what, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* malformed: "WHAT: TEXT"; FALSE. */
gboolean rb_member_refuse (GError **error, const char *what, const char *format, ...) G_GNUC_PRINTF (3, 4);
