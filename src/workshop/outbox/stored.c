/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox/stored.h"

#include "core/json.h"
#include "core/moment.h"
#include "record/chain.h"
#include "record/creation.h"
#include "record/visited.h"
#include "record/ending.h"

#include <string.h>

void
rb_stored_free (RbStored *self)
{
  if (self == NULL)
    return;
  rb_outcome_free (self->outcome);
  g_bytes_unref (self->envelope);
  g_free (self->stored_as);
  g_free (self);
}

static RbStored *
read_row (const RbStatementRecord *row)
{
  const RbVerifyRequest request = { 0 };
  RbStored *self = g_new0 (RbStored, 1);
  self->outcome = rb_verify_record (row->envelope, &request);
  self->envelope = g_bytes_ref (row->envelope);
  self->stored_as = g_strdup (row->digest);
  self->acknowledged = row->acknowledged;
  if (!rb_moment_from_text (rb_json_string_or (self->outcome->predicate, "finishedAt", ""), &self->finished))
    self->finished = 0;
  return self;
}

static GStrv
gap_texts (GPtrArray *gaps)
{
  g_autoptr (GStrvBuilder) texts = g_strv_builder_new ();
  for (guint i = 0; i < gaps->len; i++) {
    g_autofree char *text = rb_chain_gap_text (gaps->pdata[i]);
    g_strv_builder_add (texts, text);
  }
  return g_strv_builder_end (texts);
}

static gboolean
is_wanted (const RbStored *self, const char *vin, const char *campaign)
{
  const RbVerifyOutcome *outcome = self->outcome;
  return outcome->predicate == NULL
         || ((vin == NULL || strcmp (outcome->vin, vin) == 0)
             && (campaign == NULL || strcmp (outcome->campaign, campaign) == 0));
}

GPtrArray *
rb_stored_list (RbOutbox *outbox, const char *vin, const char *campaign, GStrv *gaps, GError **error)
{
  g_autoptr (GPtrArray) rows = rb_outbox_rows (outbox, error);
  if (rows == NULL)
    return NULL;
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_stored_free);
  g_autoptr (GPtrArray) outcomes = g_ptr_array_new ();
  for (guint i = 0; i < rows->len; i++) {
    g_ptr_array_add (all, read_row (rows->pdata[i]));
    g_ptr_array_add (outcomes, ((RbStored *) all->pdata[i])->outcome);
  }
  g_autoptr (GPtrArray) found = rb_chain_check (outcomes);
  rb_creation_check (outcomes);
  rb_visited_check_records (outcomes);
  if (gaps != NULL)
    *gaps = gap_texts (found);
  for (guint i = all->len; i > 0; i--)
    if (!is_wanted (all->pdata[i - 1], vin, campaign))
      g_ptr_array_remove_index (all, i - 1);
  return all;
}

static gboolean
is_exception (const RbStored *self)
{
  return g_strcmp0 (self->outcome->type, RB_ENDING_TYPE_EXCEPTION) == 0;
}

GPtrArray *
rb_stored_pending (RbOutbox *outbox, GError **error)
{
  GPtrArray *all = rb_stored_list (outbox, NULL, NULL, NULL, error);
  guint first = 0;
  for (guint i = 0; all != NULL && i < all->len;) {
    if (((RbStored *) all->pdata[i])->acknowledged) {
      g_ptr_array_remove_index (all, i);
      continue;
    }
    if (is_exception (all->pdata[i]))
      g_ptr_array_insert (all, (int) first++, g_ptr_array_steal_index (all, i));
    i++;
  }
  return all;
}

static gboolean
is_digest_beginning (const char *text)
{
  gsize length = strlen (text);
  return length >= 8 && length <= 64 && strspn (text, "0123456789abcdef") == length;
}

static gboolean
not_found (GError **error, const char *how_many, const char *digest)
{
  return rb_reason_deny (error, RB_RECORD_ERROR, RB_REASON_NOT_FOUND, "%s record begins with %s", how_many, digest);
}

RbStored *
rb_stored_find (RbOutbox *outbox, const char *digest, GError **error)
{
  gboolean good
    = is_digest_beginning (digest)
      || rb_reason_deny (error, RB_RECORD_ERROR, RB_REASON_NOT_FOUND, "“%s” is not the digest of a record", digest);
  g_autoptr (GPtrArray) all = good ? rb_stored_list (outbox, NULL, NULL, NULL, error) : NULL;
  const RbStored *damaged = NULL;
  guint found = 0, at = 0;
  for (guint i = 0; all != NULL && i < all->len; i++) {
    const RbStored *stored = all->pdata[i];
    gboolean readable = stored->outcome->predicate != NULL;
    if (!readable && g_str_has_prefix (stored->stored_as, digest))
      damaged = stored;
    if (readable && g_str_has_prefix (stored->outcome->digest, digest)
        && stored->outcome->reason != RB_REASON_RECORD_DUPLICATE) {
      found++;
      at = i;
    }
  }
  if (all == NULL)
    return NULL;
  if (found == 1)
    return g_ptr_array_steal_index (all, at);
  if (found == 0 && damaged != NULL)
    rb_reason_deny (error, RB_RECORD_ERROR, damaged->outcome->reason, "Record stored as %.16s: %s", damaged->stored_as,
                    damaged->outcome->message);
  else
    not_found (error, found == 0 ? "No" : "More than one", digest);
  return NULL;
}
