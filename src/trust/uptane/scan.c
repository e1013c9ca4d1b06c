/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/scan.h"

#include "uptane/canonical.h"

#include <string.h>

#define MAX_DEPTH 64
#define MAX_SORTED 500000 /* members of all objects that are open at once: they need memory beside the text */
#define MAX_DIGITS 18 /* fit a signed 64 bit integer, whatever they are */

/* What was met that a canonical form does not have, or that not every form writes alike. */
enum {
  MET_SPACE = 1 << 0,
  MET_DISORDER = 1 << 1, /* members out of order, or twice */
  MET_NAME = 1 << 7, /* escapes in a member's name */
  MET_NUMBER = 1 << 2, /* anything but an integer as a computer writes it */
  MET_ESCAPE = 1 << 3, /* one that no form writes */
  MET_CONTROL = 1 << 4, /* escaped control characters: raw in form C */
  MET_WIDE = 1 << 5, /* raw characters beyond ASCII: escaped in form B */
  MET_WIDE_ESCAPE = 1 << 6, /* those characters as form B writes them */
};
#define MET_LAYOUT (MET_SPACE | MET_DISORDER)
#define MET_FOREIGN (MET_LAYOUT | MET_NAME | MET_NUMBER | MET_ESCAPE)

static const char *const head_names[] = { "_type", "version", "expires" };

typedef struct {
  gsize at;
  gsize length;
} Span;

struct _RbScan {
  GBytes *bytes;
  const char *text;
  gsize length;
  guint depth;
  guint met;
  gboolean escaped; /* is an escape in the string taken last? */
  const char *problem; /* why no parser would take it; static */
  gsize problem_at;
  const char *table_name;
  Span envelope;
  Span signatures;
  Span signed_part;
  Span table;
  Span head[3]; /* values of head_names in signed */
  gboolean has_others; /* members beside "signatures" and "signed", which no tree is made of */
  guint signed_met;
  guint envelope_met;
  GArray *entries; /* of guint32: where the name of each begins, after its quote */
};

/* Each take_…() is given where its text begins and returns where it ends. */
#define FAILED G_MAXSIZE

static G_NO_INLINE gsize
bad (RbScan *self, gsize at, const char *problem)
{
  self->problem = problem;
  self->problem_at = at;
  return FAILED;
}

static inline int
peek (const RbScan *self, gsize at)
{
  return at < self->length ? (guchar) self->text[at] : -1;
}

static G_NO_INLINE gsize
skip_space_slowly (RbScan *self, gsize at)
{
  for (int c = peek (self, at); c == ' ' || c == '\n' || c == '\t' || c == '\r'; c = peek (self, at)) {
    self->met |= MET_SPACE;
    at++;
  }
  return at;
}

static inline gsize
skip_space (RbScan *self, gsize at)
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
skip_ordinary (const RbScan *self, gsize at)
{
  for (; self->length - at >= sizeof (Vector); at += sizeof (Vector)) {
    const Halves found = marks (*(const InText *) (gconstpointer) &self->text[at]);
    if ((found[0] | found[1]) != 0)
      return at + first_mark (found);
  }
  while (is_ordinary (peek (self, at)))
    at++;
  return at;
}

/* Four hex digits. Canonical ones are lower case. */
static gsize
take_hex (RbScan *self, gsize at, guint *value)
{
  *value = 0;
  for (guint i = 0; i < 4; i++, at++) {
    int c = peek (self, at);
    if (c < 0 || !g_ascii_isxdigit (c))
      return bad (self, at, "an escape without four hex digits");
    if (g_ascii_isupper (c))
      self->met |= MET_ESCAPE;
    *value = *value * 16 + (guint) g_ascii_xdigit_value ((char) c);
  }
  return at;
}

static gsize
take_low_surrogate (RbScan *self, gsize at)
{
  guint low = 0;
  if (peek (self, at) != '\\' || peek (self, at + 1) != 'u')
    return bad (self, at, "half a character");
  gsize end = take_hex (self, at + 2, &low);
  return end == FAILED || (low >= 0xdc00 && low <= 0xdfff) ? end : bad (self, at, "half a character");
}

static gsize
take_unicode_escape (RbScan *self, gsize at)
{
  guint value = 0;
  gsize end = take_hex (self, at, &value);
  if (end == FAILED)
    return FAILED;
  if (value == 0)
    return bad (self, at, "a NUL character");
  if (value >= 0x80)
    self->met |= MET_WIDE_ESCAPE;
  else if (value < 0x20 && strchr ("\b\t\n\f\r", (int) value) == NULL)
    self->met |= MET_CONTROL;
  else
    self->met |= MET_ESCAPE;
  if (value >= 0xdc00 && value <= 0xdfff)
    return bad (self, at, "half a character");
  return value < 0xd800 || value > 0xdbff ? end : take_low_surrogate (self, end);
}

static gsize
take_escape (RbScan *self, gsize at)
{
  int c = peek (self, at + 1);
  self->escaped = TRUE;
  if (c == 'u')
    return take_unicode_escape (self, at + 2);
  if (c == '/')
    self->met |= MET_ESCAPE;
  else if (c > 0 && strchr ("bfnrt", c) != NULL)
    self->met |= MET_CONTROL;
  else if (c != '"' && c != '\\')
    return bad (self, at, "an unknown escape");
  return at + 2;
}

static gsize
take_wide (RbScan *self, gsize at)
{
  gunichar c = g_utf8_get_char_validated (&self->text[at], (gssize) (self->length - at));
  if (c == (gunichar) -1 || c == (gunichar) -2)
    return bad (self, at, "text that is not UTF-8");
  self->met |= MET_WIDE;
  return at + (c < 0x800 ? 2 : c < 0x10000 ? 3 : 4);
}

/* What ends a run of ordinary characters, but is no quote. */
static G_NO_INLINE gsize
take_odd (RbScan *self, gsize at)
{
  int c = peek (self, at);
  if (c < 0x20)
    return bad (self, at, c < 0 ? "a string without end" : "a control character in a string");
  return c == '\\' ? take_escape (self, at) : take_wide (self, at);
}

/* From the opening to after the closing quote. */
static inline gsize
take_string (RbScan *self, gsize at)
{
  if (peek (self, at) != '"')
    return bad (self, at, "a string is missing");
  self->escaped = FALSE;
  for (at = skip_ordinary (self, at + 1); peek (self, at) != '"'; at = skip_ordinary (self, at)) {
    at = take_odd (self, at);
    if (at == FAILED)
      return FAILED;
  }
  return at + 1;
}

static inline gsize
skip_digits (const RbScan *self, gsize at)
{
  while (at < self->length && g_ascii_isdigit (self->text[at]))
    at++;
  return at;
}

/* Fractions and exponents are passed over, not judged: they leave the file to the tree. */
static gsize
take_number (RbScan *self, gsize begin)
{
  gboolean negative = peek (self, begin) == '-';
  gsize first = begin + (negative ? 1 : 0);
  gboolean zero = peek (self, first) == '0';
  gsize at = skip_digits (self, first);
  gsize digits = at - first;
  if (digits == 0 || (zero && digits > 1))
    return bad (self, begin, "not a number");
  if (digits > MAX_DIGITS || (zero && negative))
    self->met |= MET_NUMBER;
  for (int c = peek (self, at); c == '.' || c == 'e' || c == 'E'; c = peek (self, at)) {
    int sign = peek (self, at + 1);
    self->met |= MET_NUMBER;
    at = skip_digits (self, at + (sign == '-' || sign == '+' ? 2 : 1));
  }
  return at;
}

static gsize
take_word (RbScan *self, gsize at, const char *word)
{
  gsize length = strlen (word);
  if (at + length > self->length || memcmp (&self->text[at], word, length) != 0)
    return bad (self, at, "an unknown word");
  return at + length;
}

/* After the bracket that opens. */
static inline gsize
enter (RbScan *self, gsize at)
{
  return ++self->depth <= MAX_DEPTH ? at + 1 : bad (self, at, "nested too deeply");
}

typedef struct {
  Span name;
  gboolean begun;
  gboolean ended; /* at the closing brace */
} Members;

static inline gboolean
is_ascending (const RbScan *self, const Span *before, const Span *after)
{
  gsize common = MIN (before->length, after->length);
  const char *a = &self->text[before->at];
  const char *b = &self->text[after->at];
  int order = common > 0 && a[0] != b[0] ? (guchar) a[0] - (guchar) b[0] : memcmp (a, b, common);
  return order < 0 || (order == 0 && before->length < after->length);
}

/* To the next member's value, or past the end of the object. */
static inline __attribute__ ((always_inline)) gsize
next_member (RbScan *self, gsize at, Members *members)
{
  const Span before = members->name;
  at = skip_space (self, at);
  if (peek (self, at) == '}') {
    members->ended = TRUE;
    self->depth--;
    return at + 1;
  }
  if (members->begun) {
    if (peek (self, at) != ',')
      return bad (self, at, "a comma is missing");
    at = skip_space (self, at + 1);
  }
  members->name.at = at + 1;
  at = take_string (self, at);
  if (at == FAILED)
    return FAILED;
  members->name.length = at - 1 - members->name.at;
  if (self->escaped)
    self->met |= MET_NAME;
  if (members->begun && !is_ascending (self, &before, &members->name))
    self->met |= MET_DISORDER;
  members->begun = TRUE;
  at = skip_space (self, at);
  return peek (self, at) == ':' ? skip_space (self, at + 1) : bad (self, at, "a colon is missing");
}

static gsize take_value (RbScan *self, gsize at);

static gsize
take_object (RbScan *self, gsize at)
{
  Members members = { 0 };
  at = enter (self, at);
  while (at != FAILED) {
    at = next_member (self, at, &members);
    if (at == FAILED || members.ended)
      return at;
    at = take_value (self, at);
  }
  return at;
}

static gsize
take_array (RbScan *self, gsize at)
{
  gboolean begun = FALSE;
  at = enter (self, at);
  while (at != FAILED) {
    at = skip_space (self, at);
    if (peek (self, at) == ']') {
      self->depth--;
      return at + 1;
    }
    if (begun && peek (self, at) != ',')
      return bad (self, at, "a comma is missing");
    at = take_value (self, begun ? skip_space (self, at + 1) : at);
    begun = TRUE;
  }
  return at;
}

static gsize
take_value (RbScan *self, gsize at)
{
  switch (peek (self, at)) {
  case '"': return take_string (self, at);
  case '{': return take_object (self, at);
  case '[': return take_array (self, at);
  case 't': return take_word (self, at, "true");
  case 'f': return take_word (self, at, "false");
  case 'n': return take_word (self, at, "null");
  default: return take_number (self, at);
  }
}

static gsize
take_table (RbScan *self, gsize begin)
{
  Members members = { 0 };
  gsize at = enter (self, begin);
  while (at != FAILED && !members.ended) {
    at = next_member (self, at, &members);
    if (at == FAILED || members.ended)
      break;
    guint32 name_at = (guint32) members.name.at;
    g_array_append_val (self->entries, name_at);
    at = take_value (self, at);
  }
  self->table = (Span){ begin, at - begin };
  return at;
}

static gboolean
is_named (const RbScan *self, const Members *members, const char *wanted)
{
  return members->name.length == strlen (wanted)
         && memcmp (&self->text[members->name.at], wanted, members->name.length) == 0;
}

static void
note_head (RbScan *self, const Members *members, gsize begin, gsize end)
{
  for (guint i = 0; i < G_N_ELEMENTS (head_names); i++)
    if (is_named (self, members, head_names[i]))
      self->head[i] = (Span){ begin, end - begin };
}

static gsize
take_signatures (RbScan *self, gsize begin)
{
  if (self->signatures.length > 0)
    return bad (self, begin, "“signatures” is there twice");
  gsize at = take_value (self, begin);
  self->signatures = (Span){ begin, at - begin };
  return at;
}

static gsize
take_signed (RbScan *self, gsize begin)
{
  Members members = { 0 };
  guint outside = self->met;
  if (self->signed_part.length > 0)
    return bad (self, begin, "“signed” is there twice");
  self->met = 0;
  gsize at = enter (self, begin);
  while (at != FAILED && !members.ended) {
    at = next_member (self, at, &members);
    if (at == FAILED || members.ended)
      break;
    gboolean is_table = self->table_name != NULL && self->table.length == 0
                        && is_named (self, &members, self->table_name) && peek (self, at) == '{';
    gsize value_at = at;
    at = is_table ? take_table (self, at) : take_value (self, at);
    note_head (self, &members, value_at, at);
  }
  self->signed_part = (Span){ begin, at - begin };
  self->signed_met = self->met;
  self->met |= outside;
  return at;
}

static gsize
take_envelope (RbScan *self, gsize begin)
{
  Members members = { 0 };
  if (peek (self, begin) != '{')
    return bad (self, begin, "not an object");
  self->met = 0;
  gsize at = enter (self, begin);
  while (at != FAILED && !members.ended) {
    at = next_member (self, at, &members);
    if (at == FAILED || members.ended)
      break;
    gboolean is_signed = is_named (self, &members, "signed") && peek (self, at) == '{';
    gboolean is_signatures = is_named (self, &members, "signatures");
    self->has_others = self->has_others || !(is_signed || is_signatures);
    if (is_signatures)
      at = take_signatures (self, at);
    else
      at = is_signed ? take_signed (self, at) : take_value (self, at);
  }
  self->envelope = (Span){ begin, at - begin };
  self->envelope_met = self->met;
  return at;
}

static void
take_file (RbScan *self)
{
  gsize at = take_envelope (self, skip_space (self, 0));
  if (at != FAILED && skip_space (self, at) != self->length)
    bad (self, at, "something stands after the end");
}

/* Writes a text that was taken once again, without spaces and with its members sorted. */
typedef struct {
  RbScan *scan;
  GByteArray *out;
  GArray *members; /* of Written: those of the objects that are being written */
  gboolean twice; /* a name stands twice in one object */
  gboolean unreadable; /* a number that no computer holds */
  gboolean too_many; /* members in open objects */
  gboolean by_utf16; /* the order of members: UTF-16 code units, not bytes */
} Rewriter;

/* Where they stand after the object's brace. */
typedef struct {
  Span all; /* `"name":value` */
  Span name;
} Written;

static void
write_bytes (Rewriter *self, gconstpointer bytes, gsize length)
{
  g_byte_array_append (self->out, bytes, (guint) length);
}

/* The next byte of a name in form A without its escape, -1 at its end: "\u00XX" is a control character there. */
static inline int
name_byte (const char *name, gsize length, gsize *at)
{
  static const char letters[] = "nrtbf", controls[] = "\n\r\t\b\f";
  gsize i = *at;
  if (i >= length)
    return -1;
  *at = i + 1;
  if (name[i] != '\\' || i + 1 >= length)
    return (guchar) name[i];
  const char *letter = strchr (letters, name[i + 1]);
  *at = i + (name[i + 1] == 'u' ? 6 : 2);
  if (name[i + 1] == 'u' && i + 5 < length)
    return g_ascii_xdigit_value (name[i + 4]) * 16 + g_ascii_xdigit_value (name[i + 5]);
  return letter != NULL && *letter != '\0' ? controls[letter - letters] : (guchar) name[i + 1];
}

static int
compare_names (const char *left, gsize left_length, const char *right, gsize right_length, gboolean by_utf16)
{
  gsize i = 0, k = 0;
  int x, y;
  do {
    x = name_byte (left, left_length, &i);
    y = name_byte (right, right_length, &k);
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
  return length <= MAX_DIGITS;
}

/* A number, a word or a string as form A has it. */
static void
write_scalar (Rewriter *self, gsize at, gsize end)
{
  const char *text = &self->scan->text[at];
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
  Members members = { 0 };
  guint first = self->members->len;
  guint outside = self->scan->met;
  self->scan->met = 0;
  write_bytes (self, "{", 1);
  gsize begin = self->out->len;
  for (at = next_member (self->scan, at + 1, &members); !members.ended; at = next_member (self->scan, at, &members)) {
    if (self->out->len > begin)
      write_bytes (self, ",", 1);
    gsize place = self->out->len - begin;
    write_scalar (self, members.name.at - 1, members.name.at + members.name.length + 1);
    Written written = { { place, 0 }, { place + 1, self->out->len - begin - place - 2 } };
    write_bytes (self, ":", 1);
    at = write_value (self, at);
    written.all.length = self->out->len - begin - place;
    self->too_many = self->too_many || self->members->len >= MAX_SORTED;
    if (!self->too_many)
      g_array_append_val (self->members, written);
  }
  if (!self->too_many && ((self->scan->met & (MET_DISORDER | MET_NAME)) != 0 || self->by_utf16))
    sort_members (self, first, begin);
  self->scan->met = outside;
  g_array_set_size (self->members, first);
  write_bytes (self, "}", 1);
  return at;
}

static gsize
write_array (Rewriter *self, gsize at)
{
  const char *separator = "[";
  for (at = skip_space (self->scan, at + 1); peek (self->scan, at) != ']'; at = skip_space (self->scan, at)) {
    if (separator[0] == ',')
      at = skip_space (self->scan, at + 1);
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
  int c = peek (self->scan, at);
  if (c == '{')
    return write_object (self, at);
  if (c == '[')
    return write_array (self, at);
  gsize end = take_value (self->scan, at);
  write_scalar (self, at, end);
  return end;
}

/* The value at a place in form A. NULL when a name stands twice in one object, or a number cannot be read. */
static GBytes *
rewritten (RbScan *self, gsize at, gsize length, gboolean by_utf16, gboolean *too_many)
{
  g_autoptr (GArray) members = g_array_new (FALSE, FALSE, sizeof (Written));
  Rewriter rewriter
    = { .scan = self, .out = g_byte_array_sized_new ((guint) length + 1), .members = members, .by_utf16 = by_utf16 };
  guint met = self->met;
  write_value (&rewriter, at);
  self->met = met;
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (rewriter.out);
  *too_many = rewriter.too_many;
  return rewriter.twice || rewriter.unreadable || rewriter.too_many ? NULL : g_steal_pointer (&bytes);
}

static RbScan *
scan_new (GBytes *bytes, const char *table)
{
  RbScan *self = g_new0 (RbScan, 1);
  self->bytes = g_bytes_ref (bytes);
  self->text = g_bytes_get_data (bytes, &self->length);
  self->table_name = table;
  self->entries = g_array_new (FALSE, FALSE, sizeof (guint32));
  take_file (self);
  return self;
}

static gboolean
malformed (GError **error, gsize at, const char *problem)
{
  g_set_error (error, RB_UPTANE_ERROR, RB_REASON_MALFORMED, "not valid JSON at byte %" G_GSIZE_FORMAT ": %s", at,
               problem);
  return FALSE;
}

/* A text is one of the forms unless it mixes how they write what is beyond ASCII. */
static gboolean
is_canonical (guint met)
{
  return (met & MET_FOREIGN) == 0 && (met & (MET_WIDE | MET_WIDE_ESCAPE)) != (MET_WIDE | MET_WIDE_ESCAPE);
}

/* A text that is no canonical form is scanned again in form A; so is one in whose envelope a member may stand twice. */
static gboolean
set_layout (RbScan **self, GError **error)
{
  gboolean is_doubtful = (*self)->has_others && ((*self)->envelope_met & (MET_DISORDER | MET_NAME)) != 0;
  if (is_canonical ((*self)->signed_met) && !is_doubtful)
    return TRUE;
  gboolean too_many = FALSE;
  g_autoptr (GBytes) bytes = rewritten (*self, (*self)->envelope.at, (*self)->envelope.length, FALSE, &too_many);
  if (bytes == NULL && too_many)
    return rb_reason_deny (error, RB_UPTANE_ERROR, RB_REASON_TOO_LARGE,
                           "not in canonical form, and more than %d members to sort", MAX_SORTED);
  if (bytes == NULL)
    return malformed (error, (*self)->signed_part.at, "a member stands twice in one object, or a number is too large");
  RbScan *again = scan_new (bytes, (*self)->table_name);
  rb_scan_free (*self);
  *self = again;
  return TRUE;
}

RbScan *
rb_scan_new (GBytes *bytes, const char *table, GError **error)
{
  if (g_bytes_get_size (bytes) > G_MAXUINT32) {
    malformed (error, G_MAXUINT32, "larger than 4 GB");
    return NULL;
  }
  g_autoptr (RbScan) self = scan_new (bytes, table);
  if (self->problem != NULL) {
    malformed (error, self->problem_at, self->problem);
    return NULL;
  }
  if (self->signed_part.length == 0) {
    malformed (error, 0, "“signed” is not there, or no object");
    return NULL;
  }
  return set_layout (&self, error) ? g_steal_pointer (&self) : NULL;
}

void
rb_scan_free (RbScan *self)
{
  g_bytes_unref (self->bytes);
  g_array_unref (self->entries);
  g_free (self);
}

static void
append_span (const RbScan *self, GByteArray *out, gsize begin, gsize end)
{
  g_byte_array_append (out, (const guint8 *) &self->text[begin], (guint) (end - begin));
}

static void
append_text (GByteArray *out, const char *text)
{
  g_byte_array_append (out, (const guint8 *) text, (guint) strlen (text));
}

/* From begin to end, with an empty table. */
static GBytes *
without_table (const RbScan *self, gsize begin, gsize end)
{
  GByteArray *out = g_byte_array_new ();
  if (self->table.length > 0) {
    append_span (self, out, begin, self->table.at);
    append_text (out, "{}");
    begin = self->table.at + self->table.length;
  }
  append_span (self, out, begin, end);
  return g_byte_array_free_to_bytes (out);
}

GBytes *
rb_scan_rest (const RbScan *self)
{
  return without_table (self, 0, self->length);
}

GBytes *
rb_scan_signed_rest (const RbScan *self)
{
  return without_table (self, self->signed_part.at, self->signed_part.at + self->signed_part.length);
}

GBytes *
rb_scan_head (const RbScan *self)
{
  GByteArray *out = g_byte_array_new ();
  append_text (out, "{");
  if (self->signatures.length > 0) {
    append_text (out, "\"signatures\":");
    append_span (self, out, self->signatures.at, self->signatures.at + self->signatures.length);
    append_text (out, self->signed_part.length > 0 ? "," : "");
  }
  append_text (out, self->signed_part.length > 0 ? "\"signed\":{" : "");
  for (guint i = 0, n = 0; i < G_N_ELEMENTS (head_names); i++) {
    if (self->head[i].length == 0)
      continue;
    g_autofree char *name = g_strdup_printf ("%s\"%s\":", n++ > 0 ? "," : "", head_names[i]);
    append_text (out, name);
    append_span (self, out, self->head[i].at, self->head[i].at + self->head[i].length);
  }
  append_text (out, self->signed_part.length > 0 ? "}}" : "}");
  return g_byte_array_free_to_bytes (out);
}

GBytes *
rb_scan_form_a (const RbScan *self, gboolean whole, gboolean by_utf16)
{
  const Span *span = whole ? &self->envelope : &self->signed_part;
  g_autoptr (RbScan) scan = g_new0 (RbScan, 1); /* rewriting counts on a scan of its own */
  scan->bytes = g_bytes_ref (self->bytes);
  scan->text = self->text;
  scan->length = self->length;
  scan->entries = g_array_new (FALSE, FALSE, sizeof (guint32));
  gboolean too_many = FALSE;
  return rewritten (scan, span->at, span->length, by_utf16, &too_many);
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
rb_scan_is_wide (const RbScan *self)
{
  return (self->envelope_met & (MET_WIDE | MET_WIDE_ESCAPE)) != 0;
}

gboolean
rb_scan_is_plain (const RbScan *self, gboolean whole)
{
  return ((whole ? self->envelope_met : self->signed_met) & (MET_CONTROL | MET_WIDE | MET_WIDE_ESCAPE)) == 0;
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

static Span
name_of (const RbScan *self, guint index)
{
  gsize at = g_array_index (self->entries, guint32, index), end = at;
  while (self->text[end] != '"')
    end += self->text[end] == '\\' ? 2 : 1;
  return (Span){ at, end - at };
}

char *
rb_scan_name (const RbScan *self, guint index)
{
  const Span name = name_of (self, index);
  g_autoptr (GString) out = g_string_sized_new (name.length);
  gsize at = 0;
  for (int c = name_byte (&self->text[name.at], name.length, &at); c >= 0;
       c = name_byte (&self->text[name.at], name.length, &at))
    g_string_append_c (out, (char) c);
  return g_string_free (g_steal_pointer (&out), FALSE);
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

/* wanted is no form: it has no escapes. */
static int
compare (const RbScan *self, const Span *name, const char *wanted)
{
  gsize at = 0;
  for (;; wanted++) {
    int c = name_byte (&self->text[name->at], name->length, &at);
    int other = *wanted == '\0' ? -1 : (guchar) *wanted;
    if (c != other || c < 0)
      return (c > other) - (c < other);
  }
}

gboolean
rb_scan_find (const RbScan *self, const char *name, guint *index)
{
  guint low = 0;
  guint high = self->entries->len;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    const Span found = name_of (self, middle);
    int order = compare (self, &found, name);
    if (order == 0) {
      *index = middle;
      return TRUE;
    }
    *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
  }
  return FALSE;
}
