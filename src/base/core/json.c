/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json.h"

#include "core/files.h"
#include "core/moment.h"
#include "core/reason.h"

#include <stdarg.h>
#include <string.h>

#define MAX_DEPTH 64

static gboolean
json_error (GError **error, RbReason reason, const char *what, const char *text)
{
  return rb_reason_deny (error, RB_CORE_ERROR, reason, "%s: %s", what, text);
}

/* jansson bounds depth at 2048 and recurses; ours is found before it starts. */
static gboolean
depth_is_bounded (const char *text, gsize length)
{
  guint depth = 0;
  gboolean in_string = FALSE;
  for (gsize i = 0; i < length; i++) {
    char c = text[i];
    if (in_string && c == '\\')
      i++;
    else if (c == '"')
      in_string = !in_string;
    else if (!in_string && (c == '{' || c == '[') && ++depth > MAX_DEPTH)
      return FALSE;
    else if (!in_string && (c == '}' || c == ']') && depth > 0)
      depth--;
  }
  return TRUE;
}

json_t *
rb_json_parse (GBytes *bytes, gsize max, const char *what, GError **error)
{
  gsize length = 0;
  const char *text = g_bytes_get_data (bytes, &length);
  json_error_t problem = { 0 };
  if (length > max) {
    json_error (error, RB_REASON_TOO_LARGE, what, "larger than anything of its kind");
    return NULL;
  }
  if (!depth_is_bounded (text, length)) {
    json_error (error, RB_REASON_MALFORMED, what, "nested too deeply");
    return NULL;
  }
  /* jansson 2.14 ignores a NUL that follows a number */
  if (length > 0 && memchr (text, '\0', length) != NULL) {
    json_error (error, RB_REASON_MALFORMED, what, "a NUL character");
    return NULL;
  }
  json_t *value = length == 0 ? NULL : json_loadb (text, length, JSON_REJECT_DUPLICATES, &problem);
  if (value == NULL)
    g_set_error (error, RB_CORE_ERROR, RB_REASON_MALFORMED, "%s: not valid JSON at line %d: %s", what, problem.line,
                 problem.text);
  return value;
}

json_t *
rb_json_load (const char *path, gsize max, GError **error)
{
  g_autoptr (GBytes) bytes = rb_files_read (path, max, error);
  return bytes == NULL ? NULL : rb_json_parse (bytes, max, path, error);
}

char *
rb_json_to_text (const json_t *value)
{
  char *text = json_dumps (value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
  g_assert (text != NULL);
  char *copy = g_strdup (text);
  free (text);
  return copy;
}

GBytes *
rb_json_to_bytes (const json_t *value)
{
  char *text = rb_json_to_text (value);
  return g_bytes_new_take (text, strlen (text));
}

char *
rb_json_to_pretty (const json_t *value)
{
  char *text = json_dumps (value, JSON_INDENT (2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
  g_assert (text != NULL);
  char *copy = g_strconcat (text, "\n", NULL);
  free (text);
  return copy;
}

static gboolean
name_is_listed (const char *name, va_list names)
{
  const char *listed;
  while ((listed = va_arg (names, const char *)) != NULL)
    if (strcmp (listed, name) == 0)
      return TRUE;
  return FALSE;
}

gboolean
rb_json_only (const json_t *object, const char *what, GError **error, ...)
{
  if (!json_is_object (object))
    return json_error (error, RB_REASON_MALFORMED, what, "not an object");
  const char *name;
  json_t *value;
  json_object_foreach ((json_t *) object, name, value) {
    va_list names;
    va_start (names, error);
    gboolean listed = name_is_listed (name, names);
    va_end (names);
    if (!listed) {
      g_set_error (error, RB_CORE_ERROR, RB_REASON_MALFORMED, "%s: unknown member “%s”", what, name);
      return FALSE;
    }
  }
  return TRUE;
}

static json_t *
get (const json_t *object, const char *member, json_type type, const char *type_name, const char *what, GError **error)
{
  json_t *value = json_object_get (object, member);
  if (value == NULL) {
    g_set_error (error, RB_CORE_ERROR, RB_REASON_MALFORMED, "%s: member “%s” is missing", what, member);
    return NULL;
  }
  if (json_typeof (value) != type) {
    g_set_error (error, RB_CORE_ERROR, RB_REASON_MALFORMED, "%s: member “%s” is not %s", what, member, type_name);
    return NULL;
  }
  return value;
}

const char *
rb_json_string (const json_t *object, const char *member, const char *what, GError **error)
{
  json_t *value = get (object, member, JSON_STRING, "a string", what, error);
  return value == NULL ? NULL : json_string_value (value);
}

json_t *
rb_json_object (const json_t *object, const char *member, const char *what, GError **error)
{
  return get (object, member, JSON_OBJECT, "an object", what, error);
}

json_t *
rb_json_array (const json_t *object, const char *member, const char *what, GError **error)
{
  return get (object, member, JSON_ARRAY, "an array", what, error);
}

gboolean
rb_json_integer (const json_t *object, const char *member, gint64 low, gint64 high, gint64 *value, const char *what,
                 GError **error)
{
  json_t *found = get (object, member, JSON_INTEGER, "an integer", what, error);
  if (found == NULL)
    return FALSE;
  *value = json_integer_value (found);
  if (*value >= low && *value <= high)
    return TRUE;
  g_set_error (error, RB_CORE_ERROR, RB_REASON_MALFORMED,
               "%s: member “%s” is %" G_GINT64_FORMAT ", not within %" G_GINT64_FORMAT "…%" G_GINT64_FORMAT, what,
               member, *value, low, high);
  return FALSE;
}

gboolean
rb_json_boolean (const json_t *object, const char *member, gboolean *value, const char *what, GError **error)
{
  json_t *found = json_object_get (object, member);
  *value = json_is_true (found);
  if (json_is_boolean (found))
    return TRUE;
  return rb_reason_deny (error, RB_CORE_ERROR, RB_REASON_MALFORMED, "%s: member “%s” is not true or false", what,
                         member);
}

gboolean
rb_json_moment (const json_t *object, const char *member, gint64 *moment, const char *what, GError **error)
{
  const char *text = rb_json_string (object, member, what, error);
  if (text == NULL)
    return FALSE;
  if (rb_moment_from_text (text, moment))
    return TRUE;
  return rb_reason_deny (error, RB_CORE_ERROR, RB_REASON_MALFORMED, "%s: member “%s” is not an RFC 3339 time in UTC",
                         what, member);
}

const char *
rb_json_sha256 (const json_t *object, const char *member, const char *what, GError **error)
{
  const char *text = rb_json_string (object, member, what, error);
  if (text == NULL)
    return NULL;
  if (strlen (text) == 64 && strspn (text, "0123456789abcdef") == 64)
    return text;
  g_set_error (error, RB_CORE_ERROR, RB_REASON_MALFORMED, "%s: member “%s” is not a SHA-256 in lower-case hex", what,
               member);
  return NULL;
}

const char *
rb_json_string_or (const json_t *object, const char *member, const char *fallback)
{
  const char *text = json_string_value (json_object_get (object, member));
  return text == NULL ? fallback : text;
}

gint64
rb_json_integer_or (const json_t *object, const char *member, gint64 fallback)
{
  json_t *value = json_object_get (object, member);
  return json_is_integer (value) ? json_integer_value (value) : fallback;
}

gboolean
rb_json_boolean_or (const json_t *object, const char *member, gboolean fallback)
{
  json_t *value = json_object_get (object, member);
  return json_is_boolean (value) ? json_is_true (value) : fallback;
}

void
rb_json_set (json_t *object, const char *member, json_t *value)
{
  g_assert (json_object_set_new (object, member, value) == 0);
}

void
rb_json_set_string (json_t *object, const char *member, const char *text)
{
  g_autofree char *valid = text == NULL ? NULL : g_utf8_make_valid (text, -1);
  rb_json_set (object, member, valid == NULL ? json_null () : json_string (valid));
}

void
rb_json_set_integer (json_t *object, const char *member, gint64 value)
{
  rb_json_set (object, member, json_integer (value));
}

void
rb_json_set_boolean (json_t *object, const char *member, gboolean value)
{
  rb_json_set (object, member, json_boolean (value));
}

void
rb_json_set_moment (json_t *object, const char *member, gint64 moment)
{
  g_autofree char *text = rb_moment_to_text (moment);
  rb_json_set_string (object, member, text);
}
