/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <jansson.h>

/*
 * JSON by jansson, strictly: no duplicate members, no trailing text, no NUL, depth bounded, integers
 * exact. The typed getters set an error that names the member. `what` is what a person calls the
 * object ("campaign", "profile brake"). Errors: RB_CORE_ERROR malformed / missing / too-large.
 */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_t, json_decref)

/* Parses at most max bytes; depth at most 64. (transfer full: json_decref) */
json_t *rb_json_parse (GBytes *bytes, gsize max, const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;
json_t *rb_json_load (const char *path, gsize max, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Compact with sorted members: the same value always gives the same bytes. (transfer full) */
char *rb_json_to_text (const json_t *value);
GBytes *rb_json_to_bytes (const json_t *value);
/* Indented, for people, newline at the end. */
char *rb_json_to_pretty (const json_t *value);

/* Rejects members that are not in names, which ends with NULL. */
gboolean rb_json_only (const json_t *object, const char *what, GError **error, ...)
  G_GNUC_NULL_TERMINATED G_GNUC_WARN_UNUSED_RESULT;

/* Borrowed results; NULL (or FALSE) with error when the member is missing or of another type. */
const char *rb_json_string (const json_t *object, const char *member, const char *what, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
json_t *rb_json_object (const json_t *object, const char *member, const char *what, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
json_t *rb_json_array (const json_t *object, const char *member, const char *what, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Integer within low..high. */
gboolean rb_json_integer (const json_t *object, const char *member, gint64 low, gint64 high, gint64 *value,
                          const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_json_boolean (const json_t *object, const char *member, gboolean *value, const char *what, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* RFC 3339 */
gboolean rb_json_moment (const json_t *object, const char *member, gint64 *moment, const char *what, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* 64 lower-case hex digits; borrowed. */
const char *rb_json_sha256 (const json_t *object, const char *member, const char *what, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* Optional members: fallback when it is not there; a wrong type counts as not there. */
const char *rb_json_string_or (const json_t *object, const char *member, const char *fallback);
gint64 rb_json_integer_or (const json_t *object, const char *member, gint64 fallback);
gboolean rb_json_boolean_or (const json_t *object, const char *member, gboolean fallback);
/* Sets member to value and takes value; asserts that both are there (out of memory is fatal). */
void rb_json_set (json_t *object, const char *member, json_t *value);
/* NULL text becomes null; what is not UTF-8 in it is replaced */
void rb_json_set_string (json_t *object, const char *member, const char *text);
void rb_json_set_integer (json_t *object, const char *member, gint64 value);
void rb_json_set_boolean (json_t *object, const char *member, gboolean value);
void rb_json_set_moment (json_t *object, const char *member, gint64 moment);
