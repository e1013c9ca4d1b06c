/* SPDX-License-Identifier: Apache-2.0 */
#include "record/creation.h"

#include "core/json.h"
#include "record/ending.h"
#include "record/predicate.h"

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

/* Reasons for which a record may name another one: a key was made, an image was written. */
typedef struct {
  const char *part, *by, *identity, *step, *what;
} Claim;
static const Claim claims[] = {
  { "key", "createdBy", "newKeyId", "key", "its key was made" },
  { "image", "writtenBy", "sha256", "image", "its image was written" },
};

static const char *
named_record (const json_t *ecu, const Claim *claim)
{
  return rb_json_string_or (json_object_get (json_object_get (ecu, claim->part), claim->by), "record", NULL);
}

/* The key or image that is searched for: of this ECU, in this vehicle and campaign. */
typedef struct {
  const RbVerifyOutcome *outcome;
  const Claim *claim;
  const char *serial, *identity;
} Wanted;

/* The entry of the same ECU with the same key or image. */
static const json_t *
same_entry (const Wanted *wanted, const RbVerifyOutcome *other)
{
  const json_t *entry = rb_predicate_entry (json_object_get (other->predicate, "ecus"), "ecuSerial", wanted->serial);
  const char *identity
    = rb_json_string_or (json_object_get (entry, wanted->claim->part), wanted->claim->identity, NULL);
  return identity != NULL && g_strcmp0 (identity, wanted->identity) == 0 ? entry : NULL;
}

/* FALSE: the record does not show it; *next: the record that it names in turn, NULL where its own journal shows it. */
static gboolean
shows (const Wanted *wanted, const RbVerifyOutcome *other, const char **next)
{
  *next = NULL;
  if (other->reason != RB_REASON_NONE || strcmp (wanted->outcome->vin, other->vin) != 0
      || strcmp (wanted->outcome->campaign, other->campaign) != 0)
    return FALSE;
  const json_t *handed = rb_ending_evidence (other->predicate, wanted->serial, wanted->claim->step, wanted->identity);
  const json_t *entry = handed != NULL ? NULL : same_entry (wanted, other);
  if (handed != NULL)
    *next = rb_json_string_or (json_object_get (handed, "shownBy"), "record", NULL);
  else if (entry != NULL)
    *next = named_record (entry, wanted->claim);
  return handed != NULL || (entry != NULL && rb_predicate_claims_done (entry));
}

/* A record is named by its digest, so no record can name itself or a later one: this ends. */
static Finding
look_up (GPtrArray *outcomes, const RbVerifyOutcome *outcome, const json_t *ecu, const Claim *claim)
{
  const Wanted wanted = { outcome, claim, rb_json_string_or (ecu, "ecuSerial", ""),
                          rb_json_string_or (json_object_get (ecu, claim->part), claim->identity, NULL) };
  for (const char *digest = named_record (ecu, claim), *next; digest != NULL; digest = next) {
    const RbVerifyOutcome *other = find_record (outcomes, digest);
    if (other == NULL)
      return NOT_GIVEN;
    if (wanted.identity == NULL || !shows (&wanted, other, &next))
      return NOT_SHOWN;
  }
  return SHOWN;
}

typedef struct {
  const json_t *ecu; /* the first one whose key or image is not shown; NULL: none */
  const Claim *claim;
  gboolean all_given;
} Evidence;

static void
weigh_ecu (GPtrArray *outcomes, const RbVerifyOutcome *outcome, const json_t *ecu, Evidence *evidence)
{
  for (guint i = 0; i < G_N_ELEMENTS (claims); i++) {
    Finding finding = look_up (outcomes, outcome, ecu, &claims[i]);
    evidence->all_given = evidence->all_given && finding != NOT_GIVEN;
    if (finding == NOT_SHOWN && evidence->ecu == NULL) {
      evidence->ecu = ecu;
      evidence->claim = &claims[i];
    }
  }
}

static Evidence
weigh (GPtrArray *outcomes, const RbVerifyOutcome *outcome)
{
  Evidence evidence = { .all_given = TRUE };
  size_t i;
  json_t *ecu;
  json_array_foreach (json_object_get (outcome->predicate, "ecus"), i, ecu)
    weigh_ecu (outcomes, outcome, ecu, &evidence);
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
    g_autofree char *text = g_strdup_printf ("ECU %s: record %.16s, which it names, does not show that %s",
                                             rb_json_string_or (found[i].ecu, "ecuSerial", ""),
                                             named_record (found[i].ecu, found[i].claim), found[i].claim->what);
    rb_outcome_deny (outcome, RB_REASON_RECORD_CREATED_BY, text);
  }
}
