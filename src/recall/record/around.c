/* SPDX-License-Identifier: Apache-2.0 */
#include "record/around.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/moment.h"
#include "model/campaign-ecu.h"
#include "record/predicate.h"

#include <string.h>

#define deny(error, reason, ...) rb_reason_deny (error, RB_RECORD_ERROR, reason, __VA_ARGS__)
#define MAX_DTCS 1024
#define CODE_DIGITS 12 /* of a fingerprint: the first of the certificate's digest */

static const char *
serial_of (const json_t *ecu)
{
  return rb_json_string_or (ecu, "ecuSerial", "");
}

/* quoting */

static json_t *
quote_coding (const RbCampaignCoding *coding)
{
  g_autofree char *did = g_strdup_printf ("%04X", coding->did);
  g_autofree char *value = rb_bytes_hex (coding->value);
  return json_pack ("{s:s,s:s}", "did", did, "value", value);
}

static json_t *
quote_condition (const RbCampaignCondition *condition)
{
  g_autofree char *did = g_strdup_printf ("%04X", condition->did);
  json_t *values = json_array ();
  for (guint i = 0; condition->values[i] != NULL; i++)
    json_array_append_new (values, json_string (condition->values[i]));
  return json_pack ("{s:s,s:s,s:o}", "kind", rb_campaign_ecu_condition_word (condition->kind), "did", did, "values",
                    values);
}

void
rb_around_quote (json_t *quote, const RbCampaignEcu *ecu)
{
  json_t *coding = json_array (), *conditions = json_array ();
  for (guint i = 0; ecu->coding != NULL && i < ecu->coding->len; i++)
    json_array_append_new (coding, quote_coding (ecu->coding->pdata[i]));
  for (guint i = 0; ecu->conditions != NULL && i < ecu->conditions->len; i++)
    json_array_append_new (conditions, quote_condition (ecu->conditions->pdata[i]));
  if (json_array_size (coding) > 0)
    json_object_set (quote, "coding", coding);
  if (json_array_size (conditions) > 0)
    json_object_set (quote, "conditions", conditions);
  json_decref (coding);
  json_decref (conditions);
}

/* members */

static gboolean
is_upper_hex (const json_t *value, gsize digits)
{
  const char *text = json_string_value (value);
  return text != NULL && strlen (text) == digits && strspn (text, "0123456789ABCDEF") == digits;
}

static gboolean
is_bytes (const json_t *value)
{
  const char *text = json_string_value (value);
  gsize length = text == NULL ? 0 : strlen (text);
  return length > 0 && length % 2 == 0 && strspn (text, "0123456789abcdef") == length;
}

static gboolean
is_bytes_or_null (const json_t *value)
{
  return json_is_null (value) || is_bytes (value);
}

static gboolean
is_dtc (const json_t *entry)
{
  gint64 status = rb_json_integer_or (entry, "status", -1);
  return is_upper_hex (json_object_get (entry, "code"), 6) && status >= 0 && status <= 255;
}

static gboolean
is_coding (const json_t *entry)
{
  static const char *const origins[] = { "campaign", "from-vehicle", NULL };
  return is_upper_hex (json_object_get (entry, "did"), 4)
         && g_strv_contains (origins, rb_json_string_or (entry, "origin", ""))
         && is_bytes_or_null (json_object_get (entry, "value"))
         && is_bytes_or_null (json_object_get (entry, "readBack"));
}

static gboolean
is_condition (const json_t *entry)
{
  return json_is_string (json_object_get (entry, "kind")) && is_upper_hex (json_object_get (entry, "did"), 4)
         && json_is_string (json_object_get (entry, "value"));
}

/* key: of which every value is there once. */
static gboolean
is_list (const json_t *list, const char *key, gboolean (*is_entry) (const json_t *entry))
{
  size_t i;
  json_t *entry;
  json_array_foreach ((json_t *) list, i, entry)
    if (!is_entry (entry)
        || (key != NULL && rb_predicate_entry (list, key, rb_json_string_or (entry, key, "")) != entry))
      return FALSE;
  return json_is_array (list) && json_array_size (list) <= MAX_DTCS;
}

static gboolean
is_fingerprint (const json_t *value)
{
  return json_is_object (value) && is_upper_hex (json_object_get (value, "did"), 4)
         && is_bytes (json_object_get (value, "value"));
}

gboolean
rb_around_is_well_formed (const json_t *ecu, GError **error)
{
  static const struct {
    const char *name, *key;
    gboolean may_be_null;
    gboolean (*is_entry) (const json_t *entry);
  } lists[] = { { "dtcBefore", "code", TRUE, is_dtc },
                { "dtcAfter", "code", TRUE, is_dtc },
                { "coding", "did", FALSE, is_coding },
                { "conditions", NULL, FALSE, is_condition } };
  const json_t *fingerprint = json_object_get (ecu, "fingerprint");
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++) {
    const json_t *list = json_object_get (ecu, lists[i].name);
    gboolean absent = list == NULL || (lists[i].may_be_null && json_is_null (list));
    if (!absent && !is_list (list, lists[i].key, lists[i].is_entry))
      return deny (error, RB_REASON_RECORD_MALFORMED, "ECU %s: “%s” is not what it has to be", serial_of (ecu),
                   lists[i].name);
  }
  return fingerprint == NULL || is_fingerprint (fingerprint)
         || deny (error, RB_REASON_RECORD_MALFORMED, "ECU %s: “fingerprint” is not what it has to be", serial_of (ecu));
}

/* (transfer full) */
static char *
codes_of (const json_t *list)
{
  g_autoptr (GString) text = g_string_new (NULL);
  size_t i;
  json_t *entry;
  json_array_foreach ((json_t *) list, i, entry)
    g_string_append_printf (text, "%s%s", i == 0 ? "" : ", ", rb_json_string_or (entry, "code", ""));
  return text->len == 0 ? g_strdup ("none") : g_string_free (g_steal_pointer (&text), FALSE);
}

char *
rb_around_dtc_difference (const json_t *before, const json_t *after)
{
  if (!json_is_array (before) || !json_is_array (after))
    return NULL;
  g_autofree char *first = codes_of (before);
  g_autofree char *last = codes_of (after);
  return strcmp (first, last) == 0 ? NULL : g_strdup_printf ("DTCs before: %s; after: %s", first, last);
}

/* evidence */

static gboolean
value_is_proven (const json_t *ecu, const json_t *entry, const json_t *wanted, GError **error)
{
  const char *did = rb_json_string_or (entry, "did", ""), *value = rb_json_string_or (entry, "value", NULL);
  const json_t *campaign = rb_predicate_entry (json_object_get (wanted, "coding"), "did", did);
  const char *origin = campaign == NULL ? "from-vehicle" : "campaign";
  if (value == NULL)
    return deny (error, RB_REASON_CODING_LOST, "ECU %s: the value of DID %s is not known", serial_of (ecu), did);
  if (strcmp (rb_json_string_or (entry, "origin", ""), origin) != 0
      || (campaign != NULL && g_strcmp0 (value, rb_json_string_or (campaign, "value", NULL)) != 0))
    return deny (error, RB_REASON_CODING_NOT_PROVEN, "ECU %s: DID %s: expected the value of origin %s", serial_of (ecu),
                 did, origin);
  if (g_strcmp0 (value, rb_json_string_or (entry, "readBack", NULL)) != 0)
    return deny (error, RB_REASON_CODING_NOT_PROVEN, "ECU %s: DID %s: expected %s, read back %s", serial_of (ecu), did,
                 value, rb_json_string_or (entry, "readBack", "nothing"));
  return TRUE;
}

static gboolean
lists_value (const json_t *values, const char *value, gboolean prefix)
{
  size_t i;
  json_t *entry;
  json_array_foreach ((json_t *) values, i, entry) {
    const char *text = json_string_value (entry);
    if (text != NULL && (prefix ? g_str_has_prefix (value, text) : strcmp (value, text) == 0))
      return TRUE;
  }
  return FALSE;
}

/* Judged where it has to be: always of the hardware version. */
static gboolean
condition_holds (const json_t *ecu, const json_t *condition, GError **error)
{
  const char *kind = rb_json_string_or (condition, "kind", ""), *did = rb_json_string_or (condition, "did", "");
  gboolean always = strcmp (kind, "hardware-version") == 0, judged = FALSE;
  size_t i;
  json_t *entry;
  json_array_foreach (json_object_get (ecu, "conditions"), i, entry) {
    if (strcmp (rb_json_string_or (entry, "kind", ""), kind) != 0
        || strcmp (rb_json_string_or (entry, "did", ""), did) != 0)
      continue;
    judged = TRUE;
    if (!lists_value (json_object_get (condition, "values"), rb_json_string_or (entry, "value", ""),
                      strcmp (kind, "coding-class") == 0))
      return deny (error, RB_REASON_NOT_COMPATIBLE, "ECU %s: its %s “%s” is not one of the campaign's", serial_of (ecu),
                   kind, rb_json_string_or (entry, "value", ""));
  }
  return judged || !always
         || deny (error, RB_REASON_NOT_COMPATIBLE, "ECU %s: its %s was not verified", serial_of (ecu), kind);
}

gboolean
rb_around_is_proven (const json_t *ecu, const json_t *wanted, GError **error)
{
  const json_t *coding = json_object_get (ecu, "coding");
  size_t i;
  json_t *entry;
  json_array_foreach ((json_t *) coding, i, entry)
    if (!value_is_proven (ecu, entry, wanted, error))
      return FALSE;
  json_array_foreach (json_object_get (wanted, "coding"), i, entry)
    if (rb_predicate_entry (coding, "did", rb_json_string_or (entry, "did", "")) == NULL)
      return deny (error, RB_REASON_CODING_NOT_PROVEN, "ECU %s: nothing is said of the campaign's value of DID %s",
                   serial_of (ecu), rb_json_string_or (entry, "did", ""));
  json_array_foreach (json_object_get (wanted, "conditions"), i, entry)
    if (!condition_holds (ecu, entry, error))
      return FALSE;
  return TRUE;
}

static char *
day_of (const json_t *predicate, const char *member)
{
  gint64 moment = 0;
  if (!rb_moment_from_text (rb_json_string_or (predicate, member, ""), &moment))
    return g_strdup ("");
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (moment);
  return g_date_time_format (date, "%y%m%d");
}

gboolean
rb_around_check_fingerprint (const json_t *predicate, const json_t *ecu, GError **error)
{
  const char *value = rb_json_string_or (json_object_get (ecu, "fingerprint"), "value", NULL);
  const char *workstation = rb_json_string_or (json_object_get (predicate, "workstation"), "certSha256", "");
  g_autofree char *first = day_of (predicate, "startedAt");
  g_autofree char *last = day_of (predicate, "finishedAt");
  if (value == NULL)
    return TRUE;
  g_autofree char *day = g_strndup (value, 6);
  if (strcmp (day, first) < 0 || strcmp (day, last) > 0)
    return deny (error, RB_REASON_RECORD_TIME, "ECU %s: the date of its fingerprint is not within the recovery's",
                 serial_of (ecu));
  if (strlen (value) != 6 + CODE_DIGITS || strncmp (value + 6, workstation, CODE_DIGITS) != 0)
    return deny (error, RB_REASON_RECORD_METHOD, "ECU %s: its fingerprint is not that of the workstation that signs",
                 serial_of (ecu));
  return TRUE;
}

static gboolean
names (const RbProfile *profile, const char *did)
{
  for (guint i = 0; profile->coding != NULL && i < profile->coding->len; i++) {
    g_autofree char *name = g_strdup_printf ("%04X", ((RbProfileCoding *) profile->coding->pdata[i])->did);
    if (strcmp (name, did) == 0)
      return TRUE;
  }
  return FALSE;
}

gboolean
rb_around_check_profile (const json_t *ecu, const RbProfile *profile, GError **error)
{
  const json_t *coding = json_object_get (ecu, "coding");
  gsize wanted = profile->coding == NULL ? 0 : profile->coding->len;
  size_t i;
  json_t *entry;
  if (!rb_predicate_claims_done (ecu))
    return TRUE;
  json_array_foreach ((json_t *) coding, i, entry)
    if (!names (profile, rb_json_string_or (entry, "did", "")))
      return deny (error, RB_REASON_CODING_NOT_PROVEN, "ECU %s: its profile names no DID %s", serial_of (ecu),
                   rb_json_string_or (entry, "did", ""));
  return json_array_size (coding) == wanted
         || deny (error, RB_REASON_CODING_NOT_PROVEN, "ECU %s: coding: expected %zu values, actual %zu",
                  serial_of (ecu), wanted, json_array_size (coding));
}
