/* SPDX-License-Identifier: Apache-2.0 */
#include "record/creation.h"

#include "core/json.h"
#include "record/result.h"

#include <string.h>

typedef enum { SHOWN, NOT_GIVEN, NOT_SHOWN } Finding;

static const RbVerifyOutcome *
find_record (GPtrArray *outcomes, const char *digest)
{
  for (guint i = 0; i < outcomes->len; i++) {
    const RbVerifyOutcome *outcome = outcomes->pdata[i];
    if (g_strcmp0 (outcome->digest, digest) == 0)
      return outcome;
  }
  return NULL;
}

static const char *
named_record (const json_t *ecu)
{
  return rb_json_string_or (json_object_get (json_object_get (ecu, "key"), "createdBy"), "record", NULL);
}

/* The entry of the same ECU with the same key, in a record of the same vehicle and campaign. */
static const json_t *
same_key_entry (const RbVerifyOutcome *outcome, const RbVerifyOutcome *other, const json_t *ecu)
{
  const json_t *entry = rb_result_entry (json_object_get (other->predicate, "ecus"), "ecuSerial", rb_json_string_or (ecu, "ecuSerial", ""));
  const char *key_id = rb_json_string_or (json_object_get (ecu, "key"), "newKeyId", NULL);
  gboolean same = key_id != NULL && g_strcmp0 (rb_json_string_or (json_object_get (entry, "key"), "newKeyId", NULL), key_id) == 0;
  return same && strcmp (outcome->vin, other->vin) == 0 && strcmp (outcome->campaign, other->campaign) == 0 ? entry : NULL;
}

/* A record is named by its digest, so no record can name itself or a later one: this ends. */
static Finding
look_up (GPtrArray *outcomes, const RbVerifyOutcome *outcome, const json_t *ecu)
{
  const char *digest = named_record (ecu);
  if (digest == NULL)
    return SHOWN;
  const RbVerifyOutcome *other = find_record (outcomes, digest);
  if (other == NULL)
    return NOT_GIVEN;
  const json_t *entry = other->reason == RB_REASON_NONE ? same_key_entry (outcome, other, ecu) : NULL;
  if (entry == NULL || !rb_result_ecu_claims_done (entry))
    return NOT_SHOWN;
  return look_up (outcomes, other, entry);
}

typedef struct {
  const json_t *ecu; /* the first one whose key is not shown; NULL: none */
  gboolean all_given;
} Evidence;

static Evidence
weigh (GPtrArray *outcomes, const RbVerifyOutcome *outcome)
{
  Evidence evidence = { NULL, TRUE };
  size_t i;
  json_t *ecu;
  json_array_foreach (json_object_get (outcome->predicate, "ecus"), i, ecu) {
    Finding finding = look_up (outcomes, outcome, ecu);
    evidence.all_given = evidence.all_given && finding != NOT_GIVEN;
    if (finding == NOT_SHOWN && evidence.ecu == NULL)
      evidence.ecu = ecu;
  }
  return evidence;
}

void
rb_creation_check (GPtrArray *outcomes)
{
  g_autofree Evidence *found = g_new0 (Evidence, outcomes->len);
  for (guint i = 0; i < outcomes->len; i++)
    found[i] = weigh (outcomes, outcomes->pdata[i]);
  for (guint i = 0; i < outcomes->len; i++) {
    RbVerifyOutcome *outcome = outcomes->pdata[i];
    if (found[i].ecu == NULL) {
      outcome->creation_checked = outcome->reason == RB_REASON_NONE && found[i].all_given;
      continue;
    }
    g_autofree char *text = g_strdup_printf ("ECU %s: record %.16s, which it names, does not show that its key was made",
                                             rb_json_string_or (found[i].ecu, "ecuSerial", ""), named_record (found[i].ecu));
    rb_verify_outcome_deny (outcome, RB_REASON_RECORD_CREATED_BY, text);
  }
}
