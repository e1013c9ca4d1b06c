/* SPDX-License-Identifier: Apache-2.0 */
#include "record/chain.h"

#include "core/json.h"
#include "record/statement.h"

#include <string.h>

static int
compare (gconstpointer a, gconstpointer b)
{
  const RbVerifyOutcome *left = *(RbVerifyOutcome *const *) a, *right = *(RbVerifyOutcome *const *) b;
  int order = strcmp (left->workstation, right->workstation);
  if (order == 0)
    order = strcmp (left->stream, right->stream);
  if (order == 0)
    order = left->sequence < right->sequence ? -1 : left->sequence > right->sequence;
  return order != 0 ? order : strcmp (left->digest, right->digest);
}

static gboolean
same_chain (const RbVerifyOutcome *a, const RbVerifyOutcome *b)
{
  return strcmp (a->workstation, b->workstation) == 0 && strcmp (a->stream, b->stream) == 0;
}

static void
chain_error (RbVerifyOutcome *outcome, const char *format, const char *other)
{
  g_autofree char *text = g_strdup_printf ("Record %" G_GINT64_FORMAT " of stream %.8s: %s%s", outcome->sequence,
                                           outcome->stream, format, other);
  rb_outcome_deny (outcome, RB_REASON_RECORD_SEQUENCE, text);
}

static void
add_gap (GPtrArray *gaps, const RbVerifyOutcome *outcome, gint64 after)
{
  RbChainGap *gap = g_new0 (RbChainGap, 1);
  gap->workstation = g_strdup (outcome->workstation);
  gap->stream = g_strdup (outcome->stream);
  gap->after = after;
  gap->before = outcome->sequence;
  g_ptr_array_add (gaps, gap);
}

/* previous is the nearest earlier record given of the same chain, NULL for the first given. */
static void
check_pair (RbVerifyOutcome *previous, RbVerifyOutcome *outcome, GPtrArray *gaps)
{
  if (outcome->sequence == 1 && strcmp (outcome->previous, RB_STATEMENT_NO_PREVIOUS) != 0)
    chain_error (outcome, "it is the first and names a predecessor", "");
  if (outcome->sequence > 1 && strcmp (outcome->previous, RB_STATEMENT_NO_PREVIOUS) == 0)
    chain_error (outcome, "it is not the first and names no predecessor", "");
  if (previous == NULL) {
    if (outcome->sequence > 1)
      add_gap (gaps, outcome, 0);
    return;
  }
  if (previous->sequence == outcome->sequence) {
    outcome->sequence_checked = previous->sequence_checked = TRUE;
    chain_error (previous, "a fork, there is another one of this number: ", outcome->digest);
    chain_error (outcome, "a fork, there is another one of this number: ", previous->digest);
  } else if (previous->sequence + 1 < outcome->sequence)
    add_gap (gaps, outcome, previous->sequence);
  else {
    outcome->sequence_checked = previous->sequence_checked = TRUE;
    if (strcmp (outcome->previous, previous->digest) != 0)
      chain_error (outcome, "it names another predecessor than the one before it: ", outcome->previous);
  }
}

/* A record counts once, even if it is given again under another name or with other signatures. */
static void
deny_duplicates (GPtrArray *outcomes)
{
  g_autoptr (GHashTable) digests = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < outcomes->len; i++) {
    RbVerifyOutcome *outcome = outcomes->pdata[i];
    if (outcome->reason != RB_REASON_NONE || g_hash_table_add (digests, outcome->digest))
      continue;
    g_autofree char *text = g_strdup_printf ("Record %.16s: it is given twice", outcome->digest);
    rb_outcome_deny (outcome, RB_REASON_RECORD_DUPLICATE, text);
  }
}

static const char *
id_of (const RbVerifyOutcome *outcome)
{
  return rb_json_string_or (outcome->predicate, "recordId", "");
}

/* Two records of one id that are no fork: one of them is a copy of the other, signed again. */
static void
deny_copies (GPtrArray *outcomes)
{
  g_autoptr (GHashTable) ids = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < outcomes->len; i++) {
    RbVerifyOutcome *outcome = outcomes->pdata[i];
    RbVerifyOutcome *other = outcome->reason == RB_REASON_NONE ? g_hash_table_lookup (ids, id_of (outcome)) : NULL;
    if (outcome->reason == RB_REASON_NONE && other == NULL)
      g_hash_table_insert (ids, (gpointer) id_of (outcome), outcome);
    if (other == NULL)
      continue;
    g_autofree char *text = g_strdup_printf ("Record id %s: two different records have it", id_of (outcome));
    rb_outcome_deny (outcome, RB_REASON_RECORD_DUPLICATE, text);
    rb_outcome_deny (other, RB_REASON_RECORD_DUPLICATE, text);
  }
}

static void
gap_free (RbChainGap *self)
{
  g_free (self->workstation);
  g_free (self->stream);
  g_free (self);
}

GPtrArray *
rb_chain_check (GPtrArray *outcomes)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  GPtrArray *gaps = g_ptr_array_new_with_free_func ((GDestroyNotify) gap_free);
  RbVerifyOutcome *previous = NULL;
  deny_duplicates (outcomes);
  for (guint i = 0; i < outcomes->len; i++) {
    RbVerifyOutcome *outcome = outcomes->pdata[i];
    if (outcome->reason == RB_REASON_NONE)
      g_ptr_array_add (sorted, outcome);
  }
  g_ptr_array_sort (sorted, compare);
  for (guint i = 0; i < sorted->len; i++) {
    RbVerifyOutcome *outcome = sorted->pdata[i];
    if (previous != NULL && !same_chain (previous, outcome))
      previous = NULL;
    check_pair (previous, outcome, gaps);
    previous = outcome;
  }
  deny_copies (outcomes);
  return gaps;
}

char *
rb_chain_gap_text (const RbChainGap *self)
{
  if (self->after == 0)
    return g_strdup_printf ("Stream %.8s begins with record %" G_GINT64_FORMAT ", those before it are not here",
                            self->stream, self->before);
  return g_strdup_printf ("Stream %.8s: nothing between records %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT,
                          self->stream, self->after, self->before);
}
