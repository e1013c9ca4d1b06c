/* SPDX-License-Identifier: Apache-2.0 */
#include "model/member.h"

#include "core/bytes.h"
#include "core/files.h"

#include <string.h>

#define ID_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
#define HEX_DIGITS "0123456789ABCDEFabcdef"

gboolean
rb_member_refuse (GError **error, const char *what, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, RB_MODEL_ERROR, RB_REASON_MALFORMED, "%s: %s", what, text);
  return FALSE;
}

gboolean
rb_member_id_is_valid (const char *id)
{
  gsize length = strlen (id);
  return length >= 1 && length <= 64 && id[0] != '.' && strspn (id, ID_LETTERS) == length;
}

gboolean
rb_member_id (const json_t *object, const char *member, char **value, const char *what, GError **error)
{
  const char *text = rb_json_string (object, member, what, error);
  if (text == NULL)
    return FALSE;
  if (!rb_member_id_is_valid (text))
    return rb_member_refuse (error, what, "member “%s” is not an identifier (letters, digits, “.”, “_”, “-”)", member);
  *value = g_strdup (text);
  return TRUE;
}

gboolean
rb_member_id_or_none (const json_t *object, const char *member, char **value, const char *what, GError **error)
{
  const json_t *found = json_object_get (object, member);
  return found == NULL || json_is_null (found) || rb_member_id (object, member, value, what, error);
}

gboolean
rb_member_document (const json_t *object, const char *member, const char *folder, char **value, const char *what,
                    GError **error)
{
  const char *text = rb_json_string (object, member, what, error);
  if (text == NULL)
    return FALSE;
  g_auto (GStrv) parts = g_strsplit (text, "/", -1);
  if (g_strv_length (parts) == 2 && strcmp (parts[0], folder) == 0 && g_str_has_suffix (parts[1], ".json")) {
    parts[1][strlen (parts[1]) - strlen (".json")] = '\0';
    if (rb_member_id_is_valid (parts[1])) {
      *value = g_strdup (text);
      return TRUE;
    }
  }
  return rb_member_refuse (error, what, "member “%s” is not of the form “%s/ID.json”", member, folder);
}

gboolean
rb_member_path (const json_t *object, const char *member, char **value, const char *what, GError **error)
{
  const char *text = rb_json_string (object, member, what, error);
  if (text == NULL)
    return FALSE;
  if (strlen (text) > 512 || !rb_files_path_is_safe (text))
    return rb_member_refuse (error, what, "member “%s” is not a safe relative path", member);
  *value = g_strdup (text);
  return TRUE;
}

static gboolean
has_control_character (const char *text)
{
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    if (g_unichar_iscntrl (g_utf8_get_char (at)))
      return TRUE;
  return FALSE;
}

gboolean
rb_member_text (const json_t *object, const char *member, glong max, char **value, const char *what, GError **error)
{
  const char *text = rb_json_string (object, member, what, error);
  if (text == NULL)
    return FALSE;
  if (text[0] == '\0' || g_utf8_strlen (text, -1) > max || has_control_character (text))
    return rb_member_refuse (error, what, "member “%s” is not a text of 1…%ld characters in one line", member, max);
  *value = g_strdup (text);
  return TRUE;
}

gboolean
rb_member_text_or_none (const json_t *object, const char *member, glong max, char **value, const char *what,
                        GError **error)
{
  return json_object_get (object, member) == NULL || rb_member_text (object, member, max, value, what, error);
}

gboolean
rb_member_number (const json_t *object, const char *member, guint32 max, guint32 *value, const char *what,
                  GError **error)
{
  const char *text = rb_json_string (object, member, what, error);
  if (text == NULL)
    return FALSE;
  const char *digits = g_str_has_prefix (text, "0x") ? strchr (text, 'x') + 1 : "";
  gsize length = strlen (digits);
  guint64 number = 0;
  if (length < 1 || length > 8 || strspn (digits, HEX_DIGITS) != length
      || !g_ascii_string_to_unsigned (digits, 16, 1, max, &number, NULL))
    return rb_member_refuse (error, what, "member “%s” is not a number like “0x1001” within 0x1…0x%X", member, max);
  *value = (guint32) number;
  return TRUE;
}

gboolean
rb_member_identifier (const json_t *object, const char *member, guint16 *value, const char *what, GError **error)
{
  const char *text = rb_json_string (object, member, what, error);
  guint64 number = 0;
  if (text == NULL)
    return FALSE;
  if (strlen (text) != 4 || strspn (text, HEX_DIGITS) != 4
      || !g_ascii_string_to_unsigned (text, 16, 1, G_MAXUINT16, &number, NULL))
    return rb_member_refuse (error, what, "member “%s” is not four hex digits like “F190”", member);
  *value = (guint16) number;
  return TRUE;
}

gboolean
rb_member_identifier_or_none (const json_t *object, const char *member, guint16 *value, const char *what,
                              GError **error)
{
  return json_object_get (object, member) == NULL || rb_member_identifier (object, member, value, what, error);
}

gboolean
rb_member_hex (const json_t *object, const char *member, gsize max, GBytes **value, const char *what, GError **error)
{
  const char *text = rb_json_string_or (object, member, "");
  g_autoptr (GBytes) bytes = strlen (text) > 2 * max ? NULL : rb_bytes_from_hex (text);
  if (bytes == NULL || g_bytes_get_size (bytes) == 0)
    return rb_member_refuse (error, what, "member “%s” is not 1…%" G_GSIZE_FORMAT " bytes in hex", member, max);
  *value = g_steal_pointer (&bytes);
  return TRUE;
}

gboolean
rb_member_choice (const json_t *object, const char *member, const char *const *names, guint n, guint *value,
                  const char *what, GError **error)
{
  const char *text = rb_json_string (object, member, what, error);
  if (text == NULL)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (strcmp (names[i], text) == 0) {
      *value = i;
      return TRUE;
    }
  return rb_member_refuse (error, what, "member “%s” is “%s”, which is not known here", member, text);
}

gboolean
rb_member_format (const json_t *object, const char *format, const char *what, GError **error)
{
  const char *text = rb_json_string (object, "format", what, error);
  if (text == NULL)
    return FALSE;
  if (strcmp (text, format) == 0)
    return TRUE;
  return rb_member_refuse (error, what, "member “format” is “%s”, only “%s” is understood", text, format);
}
