/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/rewrite.h"

#include "uptane/canonical.h"

#include <string.h>

/* Writes a text that was taken once again, without spaces and with its members sorted. */
typedef struct {
  RbTokens *tokens;
  GByteArray *out;
  GArray *members; /* of Written: those of the objects that are being written */
  gboolean twice; /* a name stands twice in one object */
  gboolean unreadable; /* a number that no computer holds */
  gboolean too_many; /* members in open objects */
  gboolean by_utf16; /* the order of members: UTF-16 code units, not bytes */
} Rewriter;

/* Where they stand after the object's brace. */
typedef struct {
  RbTokensSpan all; /* `"name":value` */
  RbTokensSpan name;
} Written;

static void
write_bytes (Rewriter *self, gconstpointer bytes, gsize length)
{
  g_byte_array_append (self->out, bytes, (guint) length);
}

static int
compare_names (const char *left, gsize left_length, const char *right, gsize right_length, gboolean by_utf16)
{
  gsize i = 0, k = 0;
  int x, y;
  do {
    x = rb_rewrite_name_byte (left, left_length, &i);
    y = rb_rewrite_name_byte (right, right_length, &k);
  } while (x == y && x >= 0);
  return by_utf16 ? rb_canonical_compare_utf16_bytes (x, y) : (x > y) - (x < y);
}

typedef struct {
  const char *bytes;
  gboolean by_utf16;
} Order;

static int
compare_written (gconstpointer a, gconstpointer b, gpointer data)
{
  const Written *left = a, *right = b;
  const Order *how = data;
  return compare_names (&how->bytes[left->name.at], left->name.length, &how->bytes[right->name.at], right->name.length,
                        how->by_utf16);
}

/* The members from first on, which stand in out from begin on. */
static void
sort_members (Rewriter *self, guint first, gsize begin)
{
  guint n = self->members->len - first;
  if (n < 2)
    return;
  Written *members = &g_array_index (self->members, Written, first);
  g_autofree char *before = g_memdup2 (&self->out->data[begin], self->out->len - begin);
  Order order = { before, self->by_utf16 };
  g_qsort_with_data (members, (int) n, sizeof *members, compare_written, &order);
  g_byte_array_set_size (self->out, (guint) begin);
  for (guint i = 0; i < n; i++) {
    if (i > 0)
      write_bytes (self, ",", 1);
    self->twice = self->twice || (i > 0 && compare_written (&members[i - 1], &members[i], &order) == 0);
    write_bytes (self, &before[members[i].all.at], members[i].all.length);
  }
}

/* As form A has it already: a string without escapes, a word, a positive integer of few digits. */
static gboolean
is_form_a (const char *text, gsize length)
{
  if (text[0] == '"')
    return memchr (text, '\\', length) == NULL;
  if (g_ascii_isalpha (text[0]))
    return TRUE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isdigit (text[i]))
      return FALSE;
  return length <= RB_TOKENS_MAX_DIGITS;
}

/* A number, a word or a string as form A has it. */
static void
write_scalar (Rewriter *self, gsize at, gsize end)
{
  const char *text = &self->tokens->text[at];
  if (is_form_a (text, end - at)) {
    write_bytes (self, text, end - at);
    return;
  }
  g_autofree char *form = rb_canonical_scalar (text, end - at);
  self->unreadable = self->unreadable || form == NULL;
  if (form != NULL)
    write_bytes (self, form, strlen (form));
}

static gsize write_value (Rewriter *self, gsize at);

static gsize
write_object (Rewriter *self, gsize at)
{
  RbTokensMembers members = { 0 };
  guint first = self->members->len;
  guint outside = self->tokens->met;
  self->tokens->met = 0;
  write_bytes (self, "{", 1);
  gsize begin = self->out->len;
  for (at = rb_tokens_next_member (self->tokens, at + 1, &members); !members.ended;
       at = rb_tokens_next_member (self->tokens, at, &members)) {
    if (self->out->len > begin)
      write_bytes (self, ",", 1);
    gsize place = self->out->len - begin;
    write_scalar (self, members.name.at - 1, members.name.at + members.name.length + 1);
    Written written = { { place, 0 }, { place + 1, self->out->len - begin - place - 2 } };
    write_bytes (self, ":", 1);
    at = write_value (self, at);
    written.all.length = self->out->len - begin - place;
    self->too_many = self->too_many || self->members->len >= RB_REWRITE_MAX_SORTED;
    if (!self->too_many)
      g_array_append_val (self->members, written);
  }
  if (!self->too_many && ((self->tokens->met & (RB_TOKENS_MET_DISORDER | RB_TOKENS_MET_NAME)) != 0 || self->by_utf16))
    sort_members (self, first, begin);
  self->tokens->met = outside;
  g_array_set_size (self->members, first);
  write_bytes (self, "}", 1);
  return at;
}

static gsize
write_array (Rewriter *self, gsize at)
{
  const char *separator = "[";
  for (at = rb_tokens_skip_space (self->tokens, at + 1); rb_tokens_peek (self->tokens, at) != ']';
       at = rb_tokens_skip_space (self->tokens, at)) {
    if (separator[0] == ',')
      at = rb_tokens_skip_space (self->tokens, at + 1);
    write_bytes (self, separator, 1);
    at = write_value (self, at);
    separator = ",";
  }
  write_bytes (self, separator[0] == '[' ? "[]" : "]", separator[0] == '[' ? 2 : 1);
  return at + 1;
}

static gsize
write_value (Rewriter *self, gsize at)
{
  int c = rb_tokens_peek (self->tokens, at);
  if (c == '{')
    return write_object (self, at);
  if (c == '[')
    return write_array (self, at);
  gsize end = rb_tokens_take_value (self->tokens, at);
  write_scalar (self, at, end);
  return end;
}

GBytes *
rb_rewrite_form_a (const RbTokens *source, gsize at, gsize length, gboolean by_utf16, gboolean *too_many)
{
  g_autoptr (GArray) members = g_array_new (FALSE, FALSE, sizeof (Written));
  RbTokens tokens = { .text = source->text, .length = source->length };
  Rewriter rewriter = {
    .tokens = &tokens, .out = g_byte_array_sized_new ((guint) length + 1), .members = members, .by_utf16 = by_utf16
  };
  write_value (&rewriter, at);
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (rewriter.out);
  *too_many = rewriter.too_many;
  return rewriter.twice || rewriter.unreadable || rewriter.too_many ? NULL : g_steal_pointer (&bytes);
}
