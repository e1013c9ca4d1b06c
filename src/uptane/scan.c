/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/scan.h"

#include <string.h>

#define MAX_DEPTH 64
#define MAX_DIGITS 18 /* fit a signed 64 bit integer, whatever they are */

/* What was met that a canonical form does not have, or that not every form writes alike. */
enum {
  MET_SPACE = 1 << 0,
  MET_DISORDER = 1 << 1, /* members out of order, or twice, or with escapes in their names */
  MET_NUMBER = 1 << 2,   /* anything but an integer as a computer writes it */
  MET_ESCAPE = 1 << 3,   /* one that no form writes */
  MET_CONTROL = 1 << 4,  /* escaped control characters: raw in form C */
  MET_WIDE = 1 << 5,     /* raw characters beyond ASCII: escaped in form B */
  MET_WIDE_ESCAPE = 1 << 6, /* those characters as form B writes them */
};
#define MET_FOREIGN (MET_SPACE | MET_DISORDER | MET_NUMBER | MET_ESCAPE)

typedef struct {
  gsize at;
  gsize length;
} Span;

struct _RbScan {
  GBytes *bytes;
  const char *text;
  gsize length;
  gsize at;
  guint depth;
  guint met;
  const char *problem; /* why no parser would take it; static */
  const char *table_name;
  Span envelope;
  Span signed_part;
  Span table;
  guint signed_met;
  guint envelope_met;
  GArray *entries; /* of guint32: where the name of each begins, after its quote */
};

static gboolean
bad (RbScan *self, const char *problem)
{
  self->problem = problem;
  return FALSE;
}

static int
peek (const RbScan *self)
{
  return self->at < self->length ? (guchar) self->text[self->at] : -1;
}

static void
skip_space (RbScan *self)
{
  while (self->at < self->length && (guchar) self->text[self->at] <= ' ') {
    char c = self->text[self->at];
    if (c != ' ' && c != '\n' && c != '\t' && c != '\r')
      return;
    self->met |= MET_SPACE;
    self->at++;
  }
}

static gboolean
take (RbScan *self, char wanted)
{
  skip_space (self);
  if (peek (self) != wanted)
    return FALSE;
  self->at++;
  return TRUE;
}

static guint64
in_each_byte (guint8 value)
{
  return G_MAXUINT64 / 255 * value;
}

/* Eight bytes at once: the top bit of each that ends a run of ordinary characters ('"', '\', below 0x20, above 0x7f).
 * A borrow can only reach bytes after one that is marked truly, so the first mark is exact. */
static guint64
marks (guint64 word)
{
  guint64 quote = word ^ in_each_byte ('"');
  guint64 slash = word ^ in_each_byte ('\\');
  return ((word - in_each_byte (0x20)) | (quote - in_each_byte (1)) | (slash - in_each_byte (1)) | word) & in_each_byte (0x80);
}

static void
skip_ordinary (RbScan *self)
{
  while (self->at + 8 <= self->length) {
    guint64 word;
    memcpy (&word, &self->text[self->at], sizeof word);
    guint64 found = marks (GUINT64_FROM_LE (word));
    if (found != 0) {
      self->at += (gsize) __builtin_ctzll (found) / 8;
      return;
    }
    self->at += 8;
  }
  for (int c = peek (self); c >= 0x20 && c < 0x80 && c != '"' && c != '\\'; c = peek (self))
    self->at++;
}

/* Four hex digits. Canonical ones are lower case. */
static gboolean
take_hex (RbScan *self, guint *value)
{
  *value = 0;
  for (guint i = 0; i < 4; i++, self->at++) {
    int c = peek (self);
    if (c < 0 || !g_ascii_isxdigit (c))
      return bad (self, "an escape without four hex digits");
    if (g_ascii_isupper (c))
      self->met |= MET_ESCAPE;
    *value = *value * 16 + (guint) g_ascii_xdigit_value ((char) c);
  }
  return TRUE;
}

static gboolean
take_low_surrogate (RbScan *self)
{
  guint low = 0;
  if (self->at + 2 > self->length || memcmp (&self->text[self->at], "\\u", 2) != 0)
    return bad (self, "half a character");
  self->at += 2;
  if (!take_hex (self, &low))
    return FALSE;
  return (low >= 0xdc00 && low <= 0xdfff) || bad (self, "half a character");
}

static gboolean
take_unicode_escape (RbScan *self)
{
  guint value = 0;
  if (!take_hex (self, &value))
    return FALSE;
  if (value == 0)
    return bad (self, "a NUL character");
  if (value >= 0x80)
    self->met |= MET_WIDE_ESCAPE;
  else if (value < 0x20 && strchr ("\b\t\n\f\r", (int) value) == NULL)
    self->met |= MET_CONTROL;
  else
    self->met |= MET_ESCAPE;
  if (value >= 0xdc00 && value <= 0xdfff)
    return bad (self, "half a character");
  return value < 0xd800 || value > 0xdbff || take_low_surrogate (self);
}

static gboolean
take_escape (RbScan *self)
{
  self->at++;
  int c = peek (self);
  self->at++;
  if (c == '"' || c == '\\')
    return TRUE;
  if (c == 'u')
    return take_unicode_escape (self);
  if (c == '/')
    self->met |= MET_ESCAPE;
  else if (c > 0 && strchr ("bfnrt", c) != NULL)
    self->met |= MET_CONTROL;
  else
    return bad (self, "an unknown escape");
  return TRUE;
}

static gboolean
take_wide (RbScan *self)
{
  gunichar c = g_utf8_get_char_validated (&self->text[self->at], (gssize) (self->length - self->at));
  if (c == (gunichar) -1 || c == (gunichar) -2)
    return bad (self, "text that is not UTF-8");
  self->met |= MET_WIDE;
  self->at += c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  return TRUE;
}

/* From the opening to after the closing quote; contents is what stands between. */
static gboolean
take_string (RbScan *self, Span *contents)
{
  if (!take (self, '"'))
    return bad (self, "a string is missing");
  contents->at = self->at;
  for (;;) {
    skip_ordinary (self);
    int c = peek (self);
    if (c == '"')
      break;
    if (c < 0x20)
      return bad (self, c < 0 ? "a string without end" : "a control character in a string");
    if (c == '\\' ? !take_escape (self) : !take_wide (self))
      return FALSE;
  }
  contents->length = self->at - contents->at;
  self->at++;
  return TRUE;
}

static gsize
skip_digits (RbScan *self)
{
  gsize before = self->at;
  while (self->at < self->length && g_ascii_isdigit (self->text[self->at]))
    self->at++;
  return self->at - before;
}

/* Fractions and exponents are passed over, not judged: they leave the file to the tree. */
static gboolean
take_number (RbScan *self)
{
  gboolean negative = peek (self) == '-';
  self->at += negative ? 1 : 0;
  gboolean zero = peek (self) == '0';
  gsize digits = skip_digits (self);
  if (digits == 0 || (zero && digits > 1))
    return bad (self, "not a number");
  if (digits > MAX_DIGITS || (zero && negative))
    self->met |= MET_NUMBER;
  while (self->at < self->length && strchr (".eE", self->text[self->at]) != NULL && self->text[self->at] != '\0') {
    self->met |= MET_NUMBER;
    self->at++;
    if (peek (self) == '-' || peek (self) == '+')
      self->at++;
    skip_digits (self);
  }
  return TRUE;
}

static gboolean
take_word (RbScan *self, const char *word)
{
  gsize length = strlen (word);
  if (self->at + length > self->length || memcmp (&self->text[self->at], word, length) != 0)
    return bad (self, "an unknown word");
  self->at += length;
  return TRUE;
}

static gboolean
enter (RbScan *self)
{
  self->at++;
  return ++self->depth <= MAX_DEPTH || bad (self, "nested too deeply");
}

typedef struct {
  Span name;
  gboolean begun;
} Members;

static gboolean
is_ascending (const RbScan *self, const Span *before, const Span *after)
{
  int order = memcmp (&self->text[before->at], &self->text[after->at], MIN (before->length, after->length));
  return order < 0 || (order == 0 && before->length < after->length);
}

/* To the next member's value. FALSE at the end of the object, or with a problem. */
static gboolean
next_member (RbScan *self, Members *members)
{
  const Span before = members->name;
  if (take (self, '}')) {
    self->depth--;
    return FALSE;
  }
  if (members->begun && !take (self, ','))
    return bad (self, "a comma is missing");
  if (!take_string (self, &members->name))
    return FALSE;
  if (memchr (&self->text[members->name.at], '\\', members->name.length) != NULL
      || (members->begun && !is_ascending (self, &before, &members->name)))
    self->met |= MET_DISORDER;
  members->begun = TRUE;
  if (!take (self, ':'))
    return bad (self, "a colon is missing");
  skip_space (self);
  return TRUE;
}

static gboolean take_value (RbScan *self);

static gboolean
take_object (RbScan *self)
{
  Members members = { 0 };
  if (!enter (self))
    return FALSE;
  while (next_member (self, &members))
    if (!take_value (self))
      return FALSE;
  return self->problem == NULL;
}

static gboolean
take_array (RbScan *self)
{
  if (!enter (self))
    return FALSE;
  for (gboolean begun = FALSE; !take (self, ']'); begun = TRUE) {
    if (begun && !take (self, ','))
      return bad (self, "a comma is missing");
    skip_space (self);
    if (!take_value (self))
      return FALSE;
  }
  self->depth--;
  return TRUE;
}

static gboolean
take_value (RbScan *self)
{
  Span contents;
  switch (peek (self)) {
  case '"': return take_string (self, &contents);
  case '{': return take_object (self);
  case '[': return take_array (self);
  case 't': return take_word (self, "true");
  case 'f': return take_word (self, "false");
  case 'n': return take_word (self, "null");
  default: return take_number (self);
  }
}

static gboolean
is_named (const RbScan *self, const Span *name, const char *wanted)
{
  return name->length == strlen (wanted) && memcmp (&self->text[name->at], wanted, name->length) == 0;
}

static gboolean
take_table (RbScan *self)
{
  Members members = { 0 };
  self->table.at = self->at;
  if (!enter (self))
    return FALSE;
  while (next_member (self, &members)) {
    guint32 at = (guint32) members.name.at;
    g_array_append_val (self->entries, at);
    if (!take_value (self))
      return FALSE;
  }
  self->table.length = self->at - self->table.at;
  return self->problem == NULL;
}

static gboolean
take_signed (RbScan *self)
{
  Members members = { 0 };
  guint outside = self->met;
  if (self->signed_part.length > 0)
    return bad (self, "“signed” is there twice");
  self->signed_part.at = self->at;
  self->met = 0;
  if (!enter (self))
    return FALSE;
  while (next_member (self, &members)) {
    gboolean is_table = self->table.length == 0 && is_named (self, &members.name, self->table_name) && peek (self) == '{';
    if (is_table ? !take_table (self) : !take_value (self))
      return FALSE;
  }
  self->signed_part.length = self->at - self->signed_part.at;
  self->signed_met = self->met;
  self->met |= outside;
  return self->problem == NULL;
}

static gboolean
take_envelope (RbScan *self)
{
  Members members = { 0 };
  skip_space (self);
  self->met = 0;
  self->envelope.at = self->at;
  if (peek (self) != '{')
    return bad (self, "not an object");
  if (!enter (self))
    return FALSE;
  while (next_member (self, &members)) {
    gboolean is_signed = is_named (self, &members.name, "signed") && peek (self) == '{';
    if (is_signed ? !take_signed (self) : !take_value (self))
      return FALSE;
  }
  self->envelope.length = self->at - self->envelope.at;
  self->envelope_met = self->met;
  skip_space (self);
  return self->problem == NULL && (self->at == self->length || bad (self, "something stands after the end"));
}

/* A text is one of the forms unless it mixes how they write what is beyond ASCII. */
static gboolean
is_canonical (guint met)
{
  return (met & MET_FOREIGN) == 0 && (met & (MET_WIDE | MET_WIDE_ESCAPE)) != (MET_WIDE | MET_WIDE_ESCAPE);
}

RbScan *
rb_scan_new (GBytes *bytes, const char *table, GError **error)
{
  g_autoptr (RbScan) self = g_new0 (RbScan, 1);
  self->bytes = g_bytes_ref (bytes);
  self->text = g_bytes_get_data (bytes, &self->length);
  self->table_name = table;
  self->entries = g_array_new (FALSE, FALSE, sizeof (guint32));
  if (self->length > G_MAXUINT32)
    return NULL;
  if (!take_envelope (self)) {
    g_set_error (error, RB_UPTANE_ERROR, RB_REASON_MALFORMED, "not valid JSON at byte %" G_GSIZE_FORMAT ": %s", self->at,
                 self->problem);
    return NULL;
  }
  return self->table.length > 0 && is_canonical (self->signed_met) ? g_steal_pointer (&self) : NULL;
}

void
rb_scan_free (RbScan *self)
{
  g_bytes_unref (self->bytes);
  g_array_unref (self->entries);
  g_free (self);
}

GBytes *
rb_scan_rest (const RbScan *self)
{
  gsize after = self->table.at + self->table.length;
  GByteArray *rest = g_byte_array_new ();
  g_byte_array_append (rest, (const guint8 *) self->text, (guint) self->table.at);
  g_byte_array_append (rest, (const guint8 *) "{}", 2);
  g_byte_array_append (rest, (const guint8 *) &self->text[after], (guint) (self->length - after));
  return g_byte_array_free_to_bytes (rest);
}

static GBytes *
in_place (const RbScan *self, const Span *span)
{
  return g_bytes_new_from_bytes (self->bytes, span->at, span->length);
}

GBytes *
rb_scan_signed (const RbScan *self)
{
  return in_place (self, &self->signed_part);
}

gboolean
rb_scan_is_plain (const RbScan *self)
{
  return (self->signed_met & (MET_CONTROL | MET_WIDE | MET_WIDE_ESCAPE)) == 0;
}

GBytes *
rb_scan_envelope (const RbScan *self)
{
  gboolean is_form_a = (self->envelope_met & (MET_FOREIGN | MET_WIDE_ESCAPE)) == 0;
  return is_form_a ? in_place (self, &self->envelope) : NULL;
}

guint
rb_scan_size (const RbScan *self)
{
  return self->entries->len;
}

/* Names of the table are without escapes, so the next quote ends them. */
static Span
name_of (const RbScan *self, guint index)
{
  gsize at = g_array_index (self->entries, guint32, index);
  const char *end = memchr (&self->text[at], '"', self->length - at);
  return (Span){ at, (gsize) (end - &self->text[at]) };
}

char *
rb_scan_name (const RbScan *self, guint index)
{
  const Span name = name_of (self, index);
  return g_strndup (&self->text[name.at], name.length);
}

/* Without spaces a value stands between `":` and `,"` of the next entry, or the table's `}`. */
GBytes *
rb_scan_value (const RbScan *self, guint index)
{
  const Span name = name_of (self, index);
  gboolean is_last = index + 1 == self->entries->len;
  gsize end = is_last ? self->table.at + self->table.length - 1 : g_array_index (self->entries, guint32, index + 1) - 2;
  const Span value = { name.at + name.length + 2, end - (name.at + name.length + 2) };
  return in_place (self, &value);
}

static int
compare (const RbScan *self, const Span *name, const char *wanted, gsize length)
{
  int order = memcmp (&self->text[name->at], wanted, MIN (name->length, length));
  return order != 0 ? order : (name->length > length) - (name->length < length);
}

gboolean
rb_scan_find (const RbScan *self, const char *name, guint *index)
{
  guint low = 0;
  guint high = self->entries->len;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    const Span found = name_of (self, middle);
    int order = compare (self, &found, name, strlen (name));
    if (order == 0) {
      *index = middle;
      return TRUE;
    }
    *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
  }
  return FALSE;
}
