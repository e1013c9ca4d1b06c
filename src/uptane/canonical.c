/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/canonical.h"

#include "core/json.h"

#include <string.h>

/* jansson has sorted, compacted and escaped already; C takes the escapes of control characters back. */
static GBytes *
without_escapes (const char *text)
{
  static const char letters[] = "nrtbf";
  static const char controls[] = "\n\r\t\b\f";
  GString *out = g_string_new (NULL);
  for (gsize i = 0; text[i] != '\0'; i++) {
    const char *letter = text[i] == '\\' ? strchr (letters, text[i + 1]) : NULL;
    if (letter != NULL) {
      g_string_append_c (out, controls[letter - letters]);
      i++;
    } else if (text[i] == '\\' && text[i + 1] == 'u') {
      g_string_append_c (out, (char) (16 * g_ascii_xdigit_value (text[i + 4]) + g_ascii_xdigit_value (text[i + 5])));
      i += 5;
    } else {
      g_string_append_c (out, text[i]);
      if (text[i] == '\\')
        g_string_append_c (out, text[++i]);
    }
  }
  return g_string_free_to_bytes (out);
}

static void
append_escaped (GString *out, gunichar c)
{
  if (c >= 0x10000) {
    g_string_append_printf (out, "\\u%04x", 0xd800 + ((c - 0x10000) >> 10));
    c = 0xdc00 + ((c - 0x10000) & 0x3ff);
  }
  g_string_append_printf (out, "\\u%04x", c);
}

static GBytes *
ascii_only (const char *text)
{
  GString *out = g_string_new (NULL);
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);
    if (c < 0x80)
      g_string_append_c (out, (char) c);
    else
      append_escaped (out, c);
  }
  return g_string_free_to_bytes (out);
}

/* jansson writes the digits of \u001f in upper case, circe (ota-tuf) and jsoncpp (aktualizr) in lower case. */
static void
lower_escapes (char *text)
{
  for (char *at = strchr (text, '\\'); at != NULL; at = strchr (&at[2], '\\'))
    for (guint i = 2; at[1] == 'u' && i < 6; i++)
      at[i] = g_ascii_tolower (at[i]);
}

GBytes *
rb_canonical_form (const json_t *value, RbCanonical form)
{
  char *text = rb_json_to_text (value);
  lower_escapes (text);
  if (form == RB_CANONICAL_A)
    return g_bytes_new_take (text, strlen (text));
  g_autofree char *owned = text;
  return form == RB_CANONICAL_B ? ascii_only (owned) : without_escapes (owned);
}

GPtrArray *
rb_canonical_forms (const json_t *value)
{
  GPtrArray *forms = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  for (RbCanonical form = RB_CANONICAL_A; form <= RB_CANONICAL_C; form++) {
    GBytes *bytes = rb_canonical_form (value, form);
    if (forms->len > 0 && g_bytes_equal (bytes, forms->pdata[0]))
      g_bytes_unref (bytes);
    else
      g_ptr_array_add (forms, bytes);
  }
  return forms;
}
