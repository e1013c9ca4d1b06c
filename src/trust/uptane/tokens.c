/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/tokens.h"

#include <string.h>

#define MAX_DEPTH 64

gsize
rb_tokens_fail (RbTokens *self, gsize at, const char *problem)
{
  self->problem = problem;
  self->problem_at = at;
  return RB_TOKENS_FAILED;
}

static G_NO_INLINE gsize
skip_space_slowly (RbTokens *self, gsize at)
{
  for (int c = rb_tokens_peek (self, at); c == ' ' || c == '\n' || c == '\t' || c == '\r';
       c = rb_tokens_peek (self, at)) {
    self->met |= RB_TOKENS_MET_SPACE;
    at++;
  }
  return at;
}

static inline gsize
skip_space (RbTokens *self, gsize at)
{
  return at < self->length && (guchar) self->text[at] <= ' ' ? skip_space_slowly (self, at) : at;
}

static inline gboolean
is_ordinary (int c)
{
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* GCC's and clang's vectors: 16 bytes at once, from any address, on every machine. */
typedef gint8 Vector __attribute__ ((vector_size (16)));
typedef Vector InText __attribute__ ((aligned (1), may_alias));
typedef guint64 Halves __attribute__ ((vector_size (16)));

/* All ones in each byte that ends a run of ordinary characters; as signed numbers those above 0x7f are below 0x20. */
static inline Halves
marks (Vector bytes)
{
  return (Halves) ((bytes < 0x20) | (bytes == '"') | (bytes == '\\'));
}

static inline gsize
first_mark (Halves found)
{
  gboolean in_second = found[0] == 0;
  return (gsize) __builtin_ctzll (GUINT64_FROM_LE (in_second ? found[1] : found[0])) / 8 + (in_second ? 8 : 0);
}

static inline gsize
skip_ordinary (const RbTokens *self, gsize at)
{
  for (; self->length - at >= sizeof (Vector); at += sizeof (Vector)) {
    const Halves found = marks (*(const InText *) (gconstpointer) &self->text[at]);
    if ((found[0] | found[1]) != 0)
      return at + first_mark (found);
  }
  while (is_ordinary (rb_tokens_peek (self, at)))
    at++;
  return at;
}

/* Four hex digits. Canonical ones are lower case. */
static gsize
take_hex (RbTokens *self, gsize at, guint *value)
{
  *value = 0;
  for (guint i = 0; i < 4; i++, at++) {
    int c = rb_tokens_peek (self, at);
    if (c < 0 || !g_ascii_isxdigit (c))
      return rb_tokens_fail (self, at, "an escape without four hex digits");
    if (g_ascii_isupper (c))
      self->met |= RB_TOKENS_MET_ESCAPE;
    *value = *value * 16 + (guint) g_ascii_xdigit_value ((char) c);
  }
  return at;
}

static gsize
take_low_surrogate (RbTokens *self, gsize at)
{
  guint low = 0;
  if (rb_tokens_peek (self, at) != '\\' || rb_tokens_peek (self, at + 1) != 'u')
    return rb_tokens_fail (self, at, "half a character");
  gsize end = take_hex (self, at + 2, &low);
  return end == RB_TOKENS_FAILED || (low >= 0xdc00 && low <= 0xdfff) ? end
                                                                     : rb_tokens_fail (self, at, "half a character");
}

static gsize
take_unicode_escape (RbTokens *self, gsize at)
{
  guint value = 0;
  gsize end = take_hex (self, at, &value);
  if (end == RB_TOKENS_FAILED)
    return RB_TOKENS_FAILED;
  if (value == 0)
    return rb_tokens_fail (self, at, "a NUL character");
  if (value >= 0x80)
    self->met |= RB_TOKENS_MET_WIDE_ESCAPE;
  else if (value < 0x20 && strchr ("\b\t\n\f\r", (int) value) == NULL)
    self->met |= RB_TOKENS_MET_CONTROL;
  else
    self->met |= RB_TOKENS_MET_ESCAPE;
  if (value >= 0xdc00 && value <= 0xdfff)
    return rb_tokens_fail (self, at, "half a character");
  return value < 0xd800 || value > 0xdbff ? end : take_low_surrogate (self, end);
}

static gsize
take_escape (RbTokens *self, gsize at)
{
  int c = rb_tokens_peek (self, at + 1);
  self->escaped = TRUE;
  if (c == 'u')
    return take_unicode_escape (self, at + 2);
  if (c == '/')
    self->met |= RB_TOKENS_MET_ESCAPE;
  else if (c > 0 && strchr ("bfnrt", c) != NULL)
    self->met |= RB_TOKENS_MET_CONTROL;
  else if (c != '"' && c != '\\')
    return rb_tokens_fail (self, at, "an unknown escape");
  return at + 2;
}

static gsize
take_wide (RbTokens *self, gsize at)
{
  gunichar c = g_utf8_get_char_validated (&self->text[at], (gssize) (self->length - at));
  if (c == (gunichar) -1 || c == (gunichar) -2)
    return rb_tokens_fail (self, at, "text that is not UTF-8");
  self->met |= RB_TOKENS_MET_WIDE;
  return at + (c < 0x800 ? 2 : c < 0x10000 ? 3 : 4);
}

/* End of a run of ordinary characters that is not a quote. */
static G_NO_INLINE gsize
take_odd (RbTokens *self, gsize at)
{
  int c = rb_tokens_peek (self, at);
  if (c < 0x20)
    return rb_tokens_fail (self, at, c < 0 ? "a string without end" : "a control character in a string");
  return c == '\\' ? take_escape (self, at) : take_wide (self, at);
}

/* From the opening to after the closing quote. */
static inline gsize
take_string (RbTokens *self, gsize at)
{
  if (rb_tokens_peek (self, at) != '"')
    return rb_tokens_fail (self, at, "a string is missing");
  self->escaped = FALSE;
  for (at = skip_ordinary (self, at + 1); rb_tokens_peek (self, at) != '"'; at = skip_ordinary (self, at)) {
    at = take_odd (self, at);
    if (at == RB_TOKENS_FAILED)
      return RB_TOKENS_FAILED;
  }
  return at + 1;
}

static inline gsize
skip_digits (const RbTokens *self, gsize at)
{
  while (at < self->length && g_ascii_isdigit (self->text[at]))
    at++;
  return at;
}

/* Fractions and exponents are passed over, not verified: they leave the file to the tree. */
static gsize
take_number (RbTokens *self, gsize begin)
{
  gboolean negative = rb_tokens_peek (self, begin) == '-';
  gsize first = begin + (negative ? 1 : 0);
  gboolean zero = rb_tokens_peek (self, first) == '0';
  gsize at = skip_digits (self, first);
  gsize digits = at - first;
  if (digits == 0 || (zero && digits > 1))
    return rb_tokens_fail (self, begin, "not a number");
  if (digits > RB_TOKENS_MAX_DIGITS || (zero && negative))
    self->met |= RB_TOKENS_MET_NUMBER;
  for (int c = rb_tokens_peek (self, at); c == '.' || c == 'e' || c == 'E'; c = rb_tokens_peek (self, at)) {
    int sign = rb_tokens_peek (self, at + 1);
    self->met |= RB_TOKENS_MET_NUMBER;
    at = skip_digits (self, at + (sign == '-' || sign == '+' ? 2 : 1));
  }
  return at;
}

static gsize
take_word (RbTokens *self, gsize at, const char *word)
{
  gsize length = strlen (word);
  if (at + length > self->length || memcmp (&self->text[at], word, length) != 0)
    return rb_tokens_fail (self, at, "an unknown word");
  return at + length;
}

/* After the bracket that opens. */
static inline gsize
enter (RbTokens *self, gsize at)
{
  return ++self->depth <= MAX_DEPTH ? at + 1 : rb_tokens_fail (self, at, "nested too deeply");
}

static inline gboolean
is_ascending (const RbTokens *self, const RbTokensSpan *before, const RbTokensSpan *after)
{
  gsize common = MIN (before->length, after->length);
  const char *a = &self->text[before->at];
  const char *b = &self->text[after->at];
  int order = common > 0 && a[0] != b[0] ? (guchar) a[0] - (guchar) b[0] : memcmp (a, b, common);
  return order < 0 || (order == 0 && before->length < after->length);
}

/* To the next member's value, or past the end of the object. */
static inline __attribute__ ((always_inline)) gsize
next_member (RbTokens *self, gsize at, RbTokensMembers *members)
{
  const RbTokensSpan before = members->name;
  at = skip_space (self, at);
  if (rb_tokens_peek (self, at) == '}') {
    members->ended = TRUE;
    self->depth--;
    return at + 1;
  }
  if (members->begun) {
    if (rb_tokens_peek (self, at) != ',')
      return rb_tokens_fail (self, at, "a comma is missing");
    at = skip_space (self, at + 1);
  }
  members->name.at = at + 1;
  at = take_string (self, at);
  if (at == RB_TOKENS_FAILED)
    return RB_TOKENS_FAILED;
  members->name.length = at - 1 - members->name.at;
  if (self->escaped)
    self->met |= RB_TOKENS_MET_NAME;
  if (members->begun && !is_ascending (self, &before, &members->name))
    self->met |= RB_TOKENS_MET_DISORDER;
  members->begun = TRUE;
  at = skip_space (self, at);
  return rb_tokens_peek (self, at) == ':' ? skip_space (self, at + 1) : rb_tokens_fail (self, at, "a colon is missing");
}

static gsize take_value (RbTokens *self, gsize at);

static gsize
take_object (RbTokens *self, gsize at)
{
  RbTokensMembers members = { 0 };
  at = enter (self, at);
  while (at != RB_TOKENS_FAILED) {
    at = next_member (self, at, &members);
    if (at == RB_TOKENS_FAILED || members.ended)
      return at;
    at = take_value (self, at);
  }
  return at;
}

static gsize
take_array (RbTokens *self, gsize at)
{
  gboolean begun = FALSE;
  at = enter (self, at);
  while (at != RB_TOKENS_FAILED) {
    at = skip_space (self, at);
    if (rb_tokens_peek (self, at) == ']') {
      self->depth--;
      return at + 1;
    }
    if (begun && rb_tokens_peek (self, at) != ',')
      return rb_tokens_fail (self, at, "a comma is missing");
    at = take_value (self, begun ? skip_space (self, at + 1) : at);
    begun = TRUE;
  }
  return at;
}

static gsize
take_value (RbTokens *self, gsize at)
{
  switch (rb_tokens_peek (self, at)) {
  case '"': return take_string (self, at);
  case '{': return take_object (self, at);
  case '[': return take_array (self, at);
  case 't': return take_word (self, at, "true");
  case 'f': return take_word (self, at, "false");
  case 'n': return take_word (self, at, "null");
  default: return take_number (self, at);
  }
}

/* Others than this file call these; here they are inlined. */
gsize
rb_tokens_skip_space (RbTokens *self, gsize at)
{
  return skip_space (self, at);
}

gsize
rb_tokens_take_value (RbTokens *self, gsize at)
{
  return take_value (self, at);
}

gsize
rb_tokens_enter (RbTokens *self, gsize at)
{
  return enter (self, at);
}

gsize
rb_tokens_next_member (RbTokens *self, gsize at, RbTokensMembers *members)
{
  return next_member (self, at, members);
}

gboolean
rb_tokens_is_named (const RbTokens *self, const RbTokensMembers *members, const char *wanted)
{
  return members->name.length == strlen (wanted)
         && memcmp (&self->text[members->name.at], wanted, members->name.length) == 0;
}
