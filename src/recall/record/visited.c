/* SPDX-License-Identifier: Apache-2.0 */
#include "record/visited.h"

#include "core/json.h"
#include "record/predicate.h"

#include <string.h>

#define deny(error, reason, ...) rb_reason_deny (error, RB_RECORD_ERROR, reason, __VA_ARGS__)

static gboolean
is_digest (const json_t *value)
{
  const char *text = json_string_value (value);
  return text != NULL && strlen (text) == 64 && strspn (text, "0123456789abcdef") == 64;
}

static gboolean
check_entry (const json_t *campaigns, const json_t *entry, GError **error)
{
  const char *id = rb_json_string_or (entry, "id", NULL);
  const json_t *record = json_object_get (entry, "record");
  if (id == NULL || !is_digest (json_object_get (entry, "campaignSha256"))
      || !(json_is_null (record) || is_digest (record)))
    return deny (error, RB_REASON_RECORD_MALFORMED, "Record: visit: an entry is not a campaign");
  if (rb_predicate_entry (campaigns, "id", id) != entry)
    return deny (error, RB_REASON_RECORD_MALFORMED, "Record: visit: campaign %s is there twice", id);
  return TRUE;
}

gboolean
rb_visited_check (const json_t *predicate, GError **error)
{
  const json_t *visit = json_object_get (predicate, "visit"), *campaigns = json_object_get (visit, "campaigns");
  const json_t *campaign = json_object_get (predicate, "campaign");
  size_t i;
  json_t *entry;
  if (visit == NULL)
    return TRUE;
  if (!json_is_array (campaigns) || json_array_size (campaigns) < 2)
    return deny (error, RB_REASON_RECORD_MALFORMED, "Record: visit: several campaigns are expected");
  json_array_foreach ((json_t *) campaigns, i, entry)
    if (!check_entry (campaigns, entry, error))
      return FALSE;
  const json_t *own = rb_predicate_entry (campaigns, "id", rb_json_string_or (campaign, "id", ""));
  if (own == NULL || !json_equal (json_object_get (own, "campaignSha256"), json_object_get (campaign, "campaignSha256"))
      || !json_is_null (json_object_get (own, "record")))
    return deny (error, RB_REASON_RECORD_CAMPAIGN, "Record: visit: the record's own campaign is not one of it");
  return TRUE;
}

static const RbVerifyOutcome *
find (GPtrArray *outcomes, const char *digest)
{
  for (guint i = 0; i < outcomes->len; i++) {
    const RbVerifyOutcome *outcome = outcomes->pdata[i];
    if (g_strcmp0 (outcome->digest, digest) == 0)
      return outcome;
  }
  return NULL;
}

static gboolean
is_completed_by (const RbVerifyOutcome *other, const RbVerifyOutcome *outcome, const json_t *entry)
{
  const json_t *campaign = json_object_get (other->predicate, "campaign");
  return strcmp (other->vin, outcome->vin) == 0 && strcmp (other->result, "completed") == 0
         && json_equal (json_object_get (campaign, "campaignSha256"), json_object_get (entry, "campaignSha256"));
}

/* One that is not given is not verified. */
static void
check_record (GPtrArray *outcomes, RbVerifyOutcome *outcome, const json_t *entry)
{
  const char *digest = rb_json_string_or (entry, "record", NULL);
  const RbVerifyOutcome *other = digest == NULL ? NULL : find (outcomes, digest);
  if (other == NULL || other->predicate == NULL || is_completed_by (other, outcome, entry))
    return;
  g_autofree char *text = g_strdup_printf ("Record: visit: record %.16s did not complete campaign %s on this vehicle",
                                           digest, rb_json_string_or (entry, "id", ""));
  rb_outcome_deny (outcome, RB_REASON_RECORD_CAMPAIGN, text);
}

void
rb_visited_check_records (GPtrArray *outcomes)
{
  for (guint i = 0; i < outcomes->len; i++) {
    RbVerifyOutcome *outcome = outcomes->pdata[i];
    size_t j;
    json_t *entry;
    json_array_foreach (json_object_get (json_object_get (outcome->predicate, "visit"), "campaigns"), j, entry)
      check_record (outcomes, outcome, entry);
  }
}
