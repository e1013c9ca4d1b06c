/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/partial-evidence.h"

#include "core/bytes.h"
#include "core/json.h"
#include "model/profile.h"
#include "record/predicate.h"

#include <string.h>

/* Takes detail. */
static void
add (GPtrArray *list, const json_t *ecu, const char *step, char *detail)
{
  RbJournalEvidence *evidence = g_new0 (RbJournalEvidence, 1);
  evidence->serial = g_strdup (rb_json_string_or (ecu, "ecuSerial", ""));
  evidence->step = g_strdup (step);
  evidence->detail = detail;
  evidence->record = g_strdup ("");
  g_ptr_array_add (list, evidence);
}

/* A symmetric key shows itself by the campaign's update. */
static void
add_key (GPtrArray *list, const json_t *ecu)
{
  const json_t *key = json_object_get (ecu, "key");
  const char *id = rb_json_string_or (key, "newKeyId", "");
  if (id[0] != '\0' && strcmp (rb_json_string_or (key, "kind", ""), "asymmetric") == 0)
    add (list, ecu, "key", g_strdup (id));
}

/* An image that was there already was not written by this campaign, unless the record says so. */
static void
add_image (GPtrArray *list, const json_t *ecu)
{
  const json_t *image = json_object_get (ecu, "image");
  const char *sha256 = rb_json_string_or (image, "sha256", "");
  gboolean written = json_is_object (json_object_get (image, "writtenBy"))
                     || strcmp (rb_json_string_or (ecu, "outcome", ""), "already-good") != 0;
  if (sha256[0] != '\0' && written)
    add (list, ecu, "image", g_strdup (sha256));
}

static void
add_value (GPtrArray *list, const json_t *ecu, const json_t *value)
{
  const char *did = rb_json_string_or (value, "did", ""), *hex = rb_json_string_or (value, "value", "");
  g_autoptr (GBytes) bytes = rb_bytes_from_hex (hex), number = rb_bytes_from_hex (did);
  gsize length = bytes == NULL ? 0 : g_bytes_get_size (bytes);
  if (number == NULL || g_bytes_get_size (number) != 2 || length < 1 || length > RB_PROFILE_MAX_CODING_BYTES
      || strcmp (rb_json_string_or (value, "origin", ""), "from-vehicle") != 0)
    return;
  g_autofree char *upper = g_ascii_strup (did, -1);
  add (list, ecu, "coding-value", g_strconcat (upper, "=", hex, NULL));
}

GPtrArray *
rb_partial_evidence_of (const json_t *predicate)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_journal_evidence_free);
  size_t i, j;
  json_t *ecu, *value;
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu) {
    if (rb_predicate_claims_done (ecu)) {
      add_key (list, ecu);
      add_image (list, ecu);
      continue;
    }
    json_array_foreach (json_object_get (ecu, "coding"), j, value)
      add_value (list, ecu, value);
  }
  return list;
}
