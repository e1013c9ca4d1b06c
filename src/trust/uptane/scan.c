/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/scan.h"

#include "uptane/rewrite.h"

#include <string.h>

static const char *const head_names[] = { "_type", "version", "expires" };

struct _RbScan {
  GBytes *bytes;
  RbTokens tokens;
  const char *table_name;
  RbTokensSpan envelope;
  RbTokensSpan signatures;
  RbTokensSpan signed_part;
  RbTokensSpan table;
  RbTokensSpan head[3]; /* values of head_names in signed */
  gboolean has_others; /* members beside "signatures" and "signed", which no tree is made of */
  guint signed_met;
  guint envelope_met;
  GArray *entries; /* of guint32: where the name of each begins, after its quote */
};

static gsize
take_table (RbScan *self, gsize begin)
{
  RbTokensMembers members = { 0 };
  gsize at = rb_tokens_enter (&self->tokens, begin);
  while (at != RB_TOKENS_FAILED && !members.ended) {
    at = rb_tokens_next_member (&self->tokens, at, &members);
    if (at == RB_TOKENS_FAILED || members.ended)
      break;
    guint32 name_at = (guint32) members.name.at;
    g_array_append_val (self->entries, name_at);
    at = rb_tokens_take_value (&self->tokens, at);
  }
  self->table = (RbTokensSpan){ begin, at - begin };
  return at;
}

static void
note_head (RbScan *self, const RbTokensMembers *members, gsize begin, gsize end)
{
  for (guint i = 0; i < G_N_ELEMENTS (head_names); i++)
    if (rb_tokens_is_named (&self->tokens, members, head_names[i]))
      self->head[i] = (RbTokensSpan){ begin, end - begin };
}

static gsize
take_signatures (RbScan *self, gsize begin)
{
  if (self->signatures.length > 0)
    return rb_tokens_fail (&self->tokens, begin, "“signatures” is there twice");
  gsize at = rb_tokens_take_value (&self->tokens, begin);
  self->signatures = (RbTokensSpan){ begin, at - begin };
  return at;
}

static gsize
take_signed (RbScan *self, gsize begin)
{
  RbTokensMembers members = { 0 };
  guint outside = self->tokens.met;
  if (self->signed_part.length > 0)
    return rb_tokens_fail (&self->tokens, begin, "“signed” is there twice");
  self->tokens.met = 0;
  gsize at = rb_tokens_enter (&self->tokens, begin);
  while (at != RB_TOKENS_FAILED && !members.ended) {
    at = rb_tokens_next_member (&self->tokens, at, &members);
    if (at == RB_TOKENS_FAILED || members.ended)
      break;
    gboolean is_table = self->table_name != NULL && self->table.length == 0
                        && rb_tokens_is_named (&self->tokens, &members, self->table_name)
                        && rb_tokens_peek (&self->tokens, at) == '{';
    gsize value_at = at;
    at = is_table ? take_table (self, at) : rb_tokens_take_value (&self->tokens, at);
    note_head (self, &members, value_at, at);
  }
  self->signed_part = (RbTokensSpan){ begin, at - begin };
  self->signed_met = self->tokens.met;
  self->tokens.met |= outside;
  return at;
}

static gsize
take_envelope (RbScan *self, gsize begin)
{
  RbTokensMembers members = { 0 };
  if (rb_tokens_peek (&self->tokens, begin) != '{')
    return rb_tokens_fail (&self->tokens, begin, "not an object");
  self->tokens.met = 0;
  gsize at = rb_tokens_enter (&self->tokens, begin);
  while (at != RB_TOKENS_FAILED && !members.ended) {
    at = rb_tokens_next_member (&self->tokens, at, &members);
    if (at == RB_TOKENS_FAILED || members.ended)
      break;
    gboolean is_signed
      = rb_tokens_is_named (&self->tokens, &members, "signed") && rb_tokens_peek (&self->tokens, at) == '{';
    gboolean is_signatures = rb_tokens_is_named (&self->tokens, &members, "signatures");
    self->has_others = self->has_others || !(is_signed || is_signatures);
    if (is_signatures)
      at = take_signatures (self, at);
    else
      at = is_signed ? take_signed (self, at) : rb_tokens_take_value (&self->tokens, at);
  }
  self->envelope = (RbTokensSpan){ begin, at - begin };
  self->envelope_met = self->tokens.met;
  return at;
}

static void
take_file (RbScan *self)
{
  gsize at = take_envelope (self, rb_tokens_skip_space (&self->tokens, 0));
  if (at != RB_TOKENS_FAILED && rb_tokens_skip_space (&self->tokens, at) != self->tokens.length)
    rb_tokens_fail (&self->tokens, at, "something stands after the end");
}

static RbScan *
scan_new (GBytes *bytes, const char *table)
{
  RbScan *self = g_new0 (RbScan, 1);
  self->bytes = g_bytes_ref (bytes);
  self->tokens.text = g_bytes_get_data (bytes, &self->tokens.length);
  self->table_name = table;
  self->entries = g_array_new (FALSE, FALSE, sizeof (guint32));
  take_file (self);
  return self;
}

static gboolean
malformed (GError **error, gsize at, const char *problem)
{
  return rb_reason_deny (error, RB_UPTANE_ERROR, RB_REASON_MALFORMED, "not valid JSON at byte %" G_GSIZE_FORMAT ": %s",
                         at, problem);
}

/* A text is one of the forms unless it mixes how they write what is beyond ASCII. */
static gboolean
is_canonical (guint met)
{
  return (met & RB_TOKENS_MET_FOREIGN) == 0
         && (met & (RB_TOKENS_MET_WIDE | RB_TOKENS_MET_WIDE_ESCAPE))
              != (RB_TOKENS_MET_WIDE | RB_TOKENS_MET_WIDE_ESCAPE);
}

/* A text that is no canonical form is scanned again in form A; so is one in whose envelope a member may stand twice. */
static gboolean
set_layout (RbScan **self, GError **error)
{
  gboolean is_doubtful
    = (*self)->has_others && ((*self)->envelope_met & (RB_TOKENS_MET_DISORDER | RB_TOKENS_MET_NAME)) != 0;
  if (is_canonical ((*self)->signed_met) && !is_doubtful)
    return TRUE;
  gboolean too_many = FALSE;
  g_autoptr (GBytes) bytes
    = rb_rewrite_form_a (&(*self)->tokens, (*self)->envelope.at, (*self)->envelope.length, FALSE, &too_many);
  if (bytes == NULL && too_many)
    return rb_reason_deny (error, RB_UPTANE_ERROR, RB_REASON_TOO_LARGE,
                           "not in canonical form, and more than %d members to sort", RB_REWRITE_MAX_SORTED);
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
  if (self->tokens.problem != NULL) {
    malformed (error, self->tokens.problem_at, self->tokens.problem);
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
  g_byte_array_append (out, (const guint8 *) &self->tokens.text[begin], (guint) (end - begin));
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
  return without_table (self, 0, self->tokens.length);
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
  const RbTokensSpan *span = whole ? &self->envelope : &self->signed_part;
  gboolean too_many = FALSE;
  return rb_rewrite_form_a (&self->tokens, span->at, span->length, by_utf16, &too_many);
}

static GBytes *
in_place (const RbScan *self, const RbTokensSpan *span)
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
  return (self->envelope_met & (RB_TOKENS_MET_WIDE | RB_TOKENS_MET_WIDE_ESCAPE)) != 0;
}

gboolean
rb_scan_is_plain (const RbScan *self, gboolean whole)
{
  return ((whole ? self->envelope_met : self->signed_met)
          & (RB_TOKENS_MET_CONTROL | RB_TOKENS_MET_WIDE | RB_TOKENS_MET_WIDE_ESCAPE))
         == 0;
}

GBytes *
rb_scan_envelope (const RbScan *self)
{
  gboolean is_form_a = (self->envelope_met & (RB_TOKENS_MET_FOREIGN | RB_TOKENS_MET_WIDE_ESCAPE)) == 0;
  return is_form_a ? in_place (self, &self->envelope) : NULL;
}

guint
rb_scan_size (const RbScan *self)
{
  return self->entries->len;
}

static RbTokensSpan
name_of (const RbScan *self, guint index)
{
  gsize at = g_array_index (self->entries, guint32, index), end = at;
  while (self->tokens.text[end] != '"')
    end += self->tokens.text[end] == '\\' ? 2 : 1;
  return (RbTokensSpan){ at, end - at };
}

char *
rb_scan_name (const RbScan *self, guint index)
{
  const RbTokensSpan name = name_of (self, index);
  g_autoptr (GString) out = g_string_sized_new (name.length);
  gsize at = 0;
  for (int c = rb_rewrite_name_byte (&self->tokens.text[name.at], name.length, &at); c >= 0;
       c = rb_rewrite_name_byte (&self->tokens.text[name.at], name.length, &at))
    g_string_append_c (out, (char) c);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* Without spaces a value stands between `":` and `,"` of the next entry, or the table's `}`. */
GBytes *
rb_scan_value (const RbScan *self, guint index)
{
  const RbTokensSpan name = name_of (self, index);
  gboolean is_last = index + 1 == self->entries->len;
  gsize end = is_last ? self->table.at + self->table.length - 1 : g_array_index (self->entries, guint32, index + 1) - 2;
  const RbTokensSpan value = { name.at + name.length + 2, end - (name.at + name.length + 2) };
  return in_place (self, &value);
}

/* wanted is no form: it has no escapes. */
static int
compare (const RbScan *self, const RbTokensSpan *name, const char *wanted)
{
  gsize at = 0;
  for (;; wanted++) {
    int c = rb_rewrite_name_byte (&self->tokens.text[name->at], name->length, &at);
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
    const RbTokensSpan found = name_of (self, middle);
    int order = compare (self, &found, name);
    if (order == 0) {
      *index = middle;
      return TRUE;
    }
    *(order < 0 ? &low : &high) = order < 0 ? middle + 1 : middle;
  }
  return FALSE;
}
