/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/canonical.h"

#include "core/json.h"

#include <stdlib.h>
#include <string.h>

/* jansson has sorted, compacted and escaped already; C takes the escapes of control characters back. */
static GBytes *
without_escapes (const char *text)
{
  static const char letters[] = "nrtbf";
  static const char controls[] = "\n\r\t\b\f";
  GString *out = g_string_new (NULL);
  for (const char *at = text, *escape = strchr (text, '\\'); *at != '\0'; escape = strchr (at, '\\')) {
    gsize run = escape == NULL ? strlen (at) : (gsize) (escape - at);
    g_string_append_len (out, at, (gssize) run);
    at = &at[run];
    const char *letter = escape == NULL ? NULL : strchr (letters, escape[1]);
    if (letter != NULL)
      g_string_append_c (out, controls[letter - letters]);
    else if (escape != NULL && escape[1] == 'u')
      g_string_append_c (out, (char) (16 * g_ascii_xdigit_value (at[4]) + g_ascii_xdigit_value (at[5])));
    else if (escape != NULL)
      g_string_append_len (out, at, 2);
    at = escape == NULL ? at : &at[letter == NULL && at[1] == 'u' ? 6 : 2];
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
  for (const char *at = text, *run = text; *run != '\0'; run = at) {
    while (*at != '\0' && (guchar) *at < 0x80)
      at++;
    g_string_append_len (out, run, at - run);
    if (*at == '\0')
      break;
    append_escaped (out, g_utf8_get_char (at));
    at = g_utf8_next_char (at);
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

/* Takes text, of form A. */
static GBytes *
in_form (char *text, RbCanonical form)
{
  if (form == RB_CANONICAL_A)
    return g_bytes_new_take (text, strlen (text));
  g_autofree char *owned = text;
  return form == RB_CANONICAL_B ? ascii_only (owned) : without_escapes (owned);
}

GBytes *
rb_canonical_form (const json_t *value, RbCanonical form)
{
  char *text = rb_json_to_text (value);
  lower_escapes (text);
  return in_form (text, form);
}

GBytes *
rb_canonical_from_form_a (GBytes *text, RbCanonical form)
{
  gsize length = 0;
  const char *data = g_bytes_get_data (text, &length);
  return form == RB_CANONICAL_A ? g_bytes_ref (text) : in_form (g_strndup (data, length), form);
}

char *
rb_canonical_scalar (const char *text, gsize length)
{
  g_autoptr (json_t) value = json_loadb (text, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
  char *form = value == NULL ? NULL : rb_json_to_text (value);
  if (form != NULL)
    lower_escapes (form);
  return form;
}

/* UTF-16 code units order as UTF-8 bytes do, but that those of U+10000 and above begin with 0xd800…0xdbff. */
int
rb_canonical_compare_utf16_bytes (int left, int right)
{
  gboolean left_is_pair = left >= 0xf0, right_is_pair = right >= 0xf0;
  if (left_is_pair != right_is_pair)
    return left_is_pair ? (right >= 0xee ? -1 : 1) : (left >= 0xee ? 1 : -1);
  return (left > right) - (left < right);
}

static int
compare_utf16 (gconstpointer a, gconstpointer b)
{
  const char *left = *(const char *const *) a, *right = *(const char *const *) b;
  while (*left != '\0' && *left == *right) {
    left++;
    right++;
  }
  return rb_canonical_compare_utf16_bytes ((guchar) *left, (guchar) *right);
}

static json_t *in_utf16_order (const json_t *value);

static json_t *
object_in_utf16_order (const json_t *object)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  json_t *copy = json_object ();
  const char *name;
  json_t *member;
  json_object_foreach ((json_t *) object, name, member) {
    g_ptr_array_add (names, (gpointer) name);
  }
  g_ptr_array_sort (names, compare_utf16);
  for (guint i = 0; i < names->len; i++)
    rb_json_set (copy, names->pdata[i], in_utf16_order (json_object_get (object, names->pdata[i])));
  return copy;
}

static json_t *
in_utf16_order (const json_t *value)
{
  if (json_is_object (value))
    return object_in_utf16_order (value);
  if (!json_is_array (value))
    return json_incref ((json_t *) value);
  json_t *copy = json_array ();
  for (gsize i = 0; i < json_array_size (value); i++)
    json_array_append_new (copy, in_utf16_order (json_array_get (value, i)));
  return copy;
}

/* (transfer full) */
static char *
text_in_utf16_order (const json_t *value)
{
  g_autoptr (json_t) ordered = in_utf16_order (value);
  char *text = json_dumps (ordered, JSON_COMPACT | JSON_ENCODE_ANY);
  g_assert (text != NULL);
  char *copy = g_strdup (text);
  free (text);
  lower_escapes (copy);
  return copy;
}

static gboolean
has_surrogates (const char *text)
{
  while (*text != '\0' && (guchar) *text < 0xf0)
    text++;
  return *text != '\0';
}

/* Takes text. */
static void
add_forms (GPtrArray *forms, char *text)
{
  for (RbCanonical form = RB_CANONICAL_A; form <= RB_CANONICAL_C; form++) {
    g_autoptr (GBytes) bytes = in_form (g_strdup (text), form);
    if (!g_ptr_array_find_with_equal_func (forms, bytes, (GEqualFunc) g_bytes_equal, NULL))
      g_ptr_array_add (forms, g_steal_pointer (&bytes));
  }
  g_free (text);
}

GPtrArray *
rb_canonical_forms (const json_t *value)
{
  GPtrArray *forms = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  char *text = rb_json_to_text (value);
  gboolean may_differ = has_surrogates (text);
  lower_escapes (text);
  add_forms (forms, text);
  if (may_differ)
    add_forms (forms, text_in_utf16_order (value));
  return forms;
}
