/* SPDX-License-Identifier: Apache-2.0 */
#include "record/consistency.h"

#include "core/json.h"
#include "core/moment.h"
#include "record/around.h"
#include "record/checklist.h"
#include "record/ending.h"
#include "record/replaced.h"
#include "record/predicate.h"
#include "record/visited.h"

#include <string.h>

#define deny(error, reason, ...) rb_reason_deny (error, RB_RECORD_ERROR, reason, __VA_ARGS__)

static const char *
serial_of (const json_t *ecu)
{
  return rb_json_string_or (ecu, "ecuSerial", "");
}

static gboolean
is_completed (const json_t *predicate)
{
  return strcmp (rb_json_string_or (predicate, "result", ""), "completed") == 0;
}

/* times */

/* Well formed members are times; one that is not is none of them. */
static gint64
moment_of (const json_t *object, const char *member)
{
  gint64 moment = 0;
  return rb_moment_from_text (rb_json_string_or (object, member, ""), &moment) ? moment : G_MININT64;
}

typedef struct {
  gint64 from, to; /* both included */
} Span;

static gboolean
is_within (gint64 moment, const Span *span)
{
  return moment >= span->from && moment <= span->to;
}

static gboolean
check_ecu_times (const json_t *predicate, const Span *recovery, GError **error)
{
  size_t i;
  json_t *ecu;
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu) {
    gint64 started = moment_of (ecu, "startedAt"), finished = moment_of (ecu, "finishedAt");
    if (!is_within (started, recovery) || !is_within (finished, recovery) || finished < started)
      return deny (error, RB_REASON_RECORD_TIME, "ECU %s: its times are not within the recovery's", serial_of (ecu));
  }
  return TRUE;
}

static gboolean
check_inspection_times (const json_t *predicate, const Span *recovery, GError **error)
{
  const json_t *inspection = json_object_get (predicate, "inspection");
  size_t i;
  json_t *item;
  if (json_is_null (inspection))
    return TRUE;
  const Span span = { recovery->from, moment_of (inspection, "completedAt") };
  if (!is_within (span.to, recovery))
    return deny (error, RB_REASON_RECORD_TIME, "Inspection: it is not completed within the recovery");
  json_array_foreach (json_object_get (inspection, "items"), i, item)
    if (!is_within (moment_of (item, "at"), &span))
      return deny (error, RB_REASON_RECORD_TIME, "Inspection item %s: its time is not within the inspection's",
                   rb_json_string_or (item, "id", ""));
  return TRUE;
}

static gboolean
check_campaign_times (const json_t *predicate, const Span *recovery, GError **error)
{
  const json_t *campaign = json_object_get (predicate, "campaign"), *time = json_object_get (predicate, "time");
  const Span open = { moment_of (campaign, "issuedAt"), moment_of (campaign, "expiresAt") };
  gboolean quotes_campaign = strcmp (rb_json_string_or (time, "notBeforeSource", ""), "campaign") == 0;
  if (!is_within (recovery->from, &open))
    return deny (error, RB_REASON_RECORD_TIME, "Record: it starts %s",
                 recovery->from < open.from ? "before the campaign was issued" : "after the campaign's end");
  if (quotes_campaign && moment_of (time, "notBefore") != open.from)
    return deny (error, RB_REASON_RECORD_TIME,
                 "Record: notBefore is not the campaign's time of issue, which it names as its source");
  return TRUE;
}

static gboolean
check_times (const json_t *predicate, GError **error)
{
  const Span recovery = { moment_of (predicate, "startedAt"), moment_of (predicate, "finishedAt") };
  const json_t *first = json_object_get (predicate, "firstWriteAt");
  gint64 claimed = moment_of (json_object_get (predicate, "time"), "claimed");
  if (claimed < recovery.to)
    return deny (error, RB_REASON_RECORD_TIME, "Record: it claims a time before its own end");
  if (json_is_string (first) && !is_within (moment_of (predicate, "firstWriteAt"), &recovery))
    return deny (error, RB_REASON_RECORD_TIME, "Record: the first write is not within the recovery");
  return check_campaign_times (predicate, &recovery, error) && check_ecu_times (predicate, &recovery, error)
         && check_inspection_times (predicate, &recovery, error);
}

/* VIN */

static gboolean
check_vin (const json_t *predicate, GError **error)
{
  const json_t *vehicle = json_object_get (predicate, "vehicle"), *sources = json_object_get (vehicle, "vinSources");
  const char *vin = rb_json_string_or (vehicle, "vin", "");
  size_t i;
  json_t *source;
  if (json_array_size (sources) == 0 && !rb_ending_is_without_vehicle (predicate))
    return deny (error, RB_REASON_RECORD_VIN, "Record: no ECU reported the VIN");
  json_array_foreach ((json_t *) sources, i, source) {
    const char *serial = rb_json_string_or (source, "ecu", "");
    if (g_strcmp0 (rb_json_string_or (source, "value", NULL), vin) != 0)
      return deny (error, RB_REASON_RECORD_VIN, "ECU %s: the VIN it reported is not %s", serial, vin);
    if (rb_predicate_entry (json_object_get (predicate, "ecus"), "ecuSerial", serial) == NULL)
      return deny (error, RB_REASON_RECORD_VIN, "Record: the VIN is read from ECU %s, which it does not list", serial);
    if (rb_predicate_entry (sources, "ecu", serial) != source)
      return deny (error, RB_REASON_RECORD_VIN, "ECU %s: it is named twice as a source of the VIN", serial);
  }
  return TRUE;
}

/* preflight */

/* The performer, by pseudonym. */
static gboolean
check_performers (const json_t *list, const char *what, const char *member, GError **error)
{
  size_t i;
  json_t *entry;
  json_array_foreach ((json_t *) list, i, entry)
    if (rb_json_string_or (entry, "performedBy", "")[0] == '\0')
      return deny (error, RB_REASON_RECORD_MALFORMED, "%s %s: performedBy is empty", what,
                   rb_json_string_or (entry, member, ""));
  return TRUE;
}

static gboolean
lists (const json_t *list, const char *text)
{
  size_t i;
  json_t *entry;
  json_array_foreach ((json_t *) list, i, entry)
    if (strcmp (json_string_value (entry), text) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
was_expected (const json_t *ecu)
{
  return strcmp (rb_json_string_or (ecu, "outcome", ""), "not-fitted") != 0;
}

/* The name that the ECU reported when it was found; NULL: it was not found. */
static const char *
found_as (const json_t *ecu)
{
  return rb_json_string_or (json_object_get (ecu, "before"), "ecuSerial", NULL);
}

static gboolean
check_preflight_ecu (const json_t *preflight, const json_t *ecu, gsize *expected, gsize *found, GError **error)
{
  const char *serial = serial_of (ecu), *name = found_as (ecu);
  if (json_is_object (json_object_get (ecu, "before")) && name == NULL)
    return deny (error, RB_REASON_RECORD_PREFLIGHT, "ECU %s: its first state names no serial", serial);
  if (was_expected (ecu) && !lists (json_object_get (preflight, "ecusExpected"), serial))
    return deny (error, RB_REASON_RECORD_PREFLIGHT, "ECU %s: it is not among the ECUs expected", serial);
  if (name != NULL && !lists (json_object_get (preflight, "ecusFound"), name))
    return deny (error, RB_REASON_RECORD_PREFLIGHT,
                 "ECU %s: its first state was read, and it is not among the ECUs found", name);
  if (rb_predicate_claims_done (ecu) && g_strcmp0 (name, serial) != 0)
    return deny (error, RB_REASON_RECORD_PREFLIGHT, "ECU %s: it is done and was not found", serial);
  *expected += was_expected (ecu);
  *found += name != NULL;
  return TRUE;
}

static gboolean
check_preflight (const json_t *predicate, GError **error)
{
  const json_t *preflight = json_object_get (predicate, "preflight"),
               *unexpected = json_object_get (preflight, "unexpected");
  gsize expected = 0, found = 0;
  size_t i;
  json_t *ecu, *name;
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu)
    if (!check_preflight_ecu (preflight, ecu, &expected, &found, error))
      return FALSE;
  if (json_array_size (json_object_get (preflight, "ecusExpected")) != expected)
    return deny (error, RB_REASON_RECORD_PREFLIGHT, "Record: the ECUs expected are not those it lists");
  if (json_array_size (json_object_get (preflight, "ecusFound")) != found)
    return deny (error, RB_REASON_RECORD_PREFLIGHT, "Record: the ECUs found are not those whose first state it shows");
  json_array_foreach ((json_t *) unexpected, i, name)
    if (lists (json_object_get (preflight, "ecusExpected"), json_string_value (name)))
      return deny (error, RB_REASON_RECORD_PREFLIGHT, "ECU %s: it is both expected and unexpected",
                   json_string_value (name));
  return TRUE;
}

/* failures */

static gboolean
check_failure (const json_t *predicate, const json_t *failure, GError **error)
{
  const char *serial = rb_json_string_or (failure, "ecu", NULL), *reason = rb_json_string_or (failure, "reason", "");
  const json_t *ecu
    = rb_predicate_entry (json_object_get (predicate, "ecus"), "ecuSerial", serial == NULL ? "" : serial);
  if (rb_reason_from_word (reason) == RB_REASON_NONE)
    return deny (error, RB_REASON_RECORD_FAILURES, "Record: a failure has the unknown reason “%s”", reason);
  if (is_completed (predicate))
    return deny (error, RB_REASON_RECORD_FAILURES, "Record: it says completed and lists the failure “%s” of ECU %s",
                 reason, serial == NULL ? "?" : serial);
  if (json_object_get (failure, "ecu") == NULL)
    return TRUE;
  if (ecu == NULL || rb_predicate_claims_done (ecu))
    return deny (error, RB_REASON_RECORD_FAILURES, "Record: it lists a failure of ECU %s, %s",
                 serial == NULL ? "?" : serial, ecu == NULL ? "which it does not list" : "which it calls done");
  if (strcmp (rb_json_string_or (ecu, "reason", ""), reason) != 0)
    return deny (error, RB_REASON_RECORD_FAILURES, "ECU %s: its failure has another reason than its entry", serial);
  return TRUE;
}

static gboolean
check_failures (const json_t *predicate, GError **error)
{
  const json_t *failures = json_object_get (predicate, "failures");
  size_t i;
  json_t *entry;
  json_array_foreach ((json_t *) failures, i, entry)
    if (!check_failure (predicate, entry, error))
      return FALSE;
  json_array_foreach (json_object_get (predicate, "ecus"), i, entry)
    if (!rb_predicate_claims_done (entry) && was_expected (entry)
        && rb_predicate_entry (failures, "ecu", serial_of (entry)) == NULL)
      return deny (error, RB_REASON_RECORD_FAILURES, "ECU %s: it is not done and no failure is listed",
                   serial_of (entry));
  return TRUE;
}

/* outcomes */

static gboolean
check_method (const json_t *ecu, GError **error)
{
  static const char *const methods[] = { "bootloader-digest", "application-digest", NULL };
  const json_t *image = json_object_get (ecu, "image");
  const char *method = rb_json_string_or (image, "method", "");
  if (!json_is_object (image) || g_strv_contains (methods, method))
    return TRUE;
  return deny (error, RB_REASON_RECORD_METHOD, "ECU %s: unknown method of its image digest: “%s”", serial_of (ecu),
               method);
}

static gboolean
check_roots_method (const json_t *ecu, GError **error)
{
  static const char *const methods[] = { "metadata-write", "image-embedded", NULL };
  const json_t *roots = json_object_get (ecu, "roots");
  const char *method = rb_json_string_or (roots, "method", "");
  if (roots == NULL || g_strv_contains (methods, method))
    return TRUE;
  return deny (error, RB_REASON_RECORD_METHOD, "ECU %s: unknown method of its roots: “%s”", serial_of (ecu), method);
}

static gboolean
is_unchanged (const json_t *ecu)
{
  static const char *const members[] = { "directorRoot", "imageRoot", "keyId" };
  const json_t *before = json_object_get (ecu, "before"), *after = json_object_get (ecu, "after");
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (!json_equal (json_object_get (before, members[i]), json_object_get (after, members[i])))
      return FALSE;
  return TRUE;
}

gboolean
rb_consistency_check_ecu (const json_t *ecu, GError **error)
{
  static const char *const outcomes[]
    = { "replaced", "already-good", "hardware-replaced", "failed", "restored", "safe-state", "not-fitted", NULL };
  const char *outcome = rb_json_string_or (ecu, "outcome", "");
  gboolean written = rb_json_integer_or (ecu, "writes", 0) > 0;
  if (!g_strv_contains (outcomes, outcome))
    return deny (error, RB_REASON_RECORD_RESULT, "ECU %s: unknown outcome “%s”", serial_of (ecu), outcome);
  if (strcmp (outcome, "already-good") == 0 && (written || !is_unchanged (ecu)))
    return deny (error, RB_REASON_RECORD_RESULT, "ECU %s: it is called already good, and %s", serial_of (ecu),
                 written ? "was written to" : "its state before and after differs");
  if (strcmp (outcome, "replaced") == 0 && !written)
    return deny (error, RB_REASON_RECORD_RESULT, "ECU %s: it is called replaced, and nothing was written to it",
                 serial_of (ecu));
  if (strcmp (outcome, "hardware-replaced") == 0 && !written && !is_unchanged (ecu))
    return deny (error, RB_REASON_RECORD_RESULT,
                 "ECU %s: nothing was written to it, and its state before and after differs", serial_of (ecu));
  return check_method (ecu, error) && check_roots_method (ecu, error);
}

/* Declined, and no work needed: nothing was written. */
static gboolean
check_type (const json_t *predicate, GError **error)
{
  const char *type = rb_json_string_or (predicate, "type", "");
  size_t i;
  json_t *ecu;
  if (strcmp (type, "declined") != 0 && strcmp (type, "no-work-needed") != 0)
    return TRUE;
  gboolean written = !json_is_null (json_object_get (predicate, "firstWriteAt"));
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu)
    written = written || rb_json_integer_or (ecu, "writes", 0) > 0;
  return !written
         || deny (error, RB_REASON_RECORD_RESULT, "Record: its type is %s, and the vehicle was written to", type);
}

gboolean
rb_consistency_check (const json_t *predicate, GError **error)
{
  size_t i;
  json_t *ecu;
  if (!check_times (predicate, error) || !rb_ending_check (predicate, error) || !check_vin (predicate, error)
      || !rb_checklist_check (predicate, error) || !check_type (predicate, error)
      || !check_performers (json_object_get (predicate, "ecus"), "ECU", "ecuSerial", error)
      || !check_performers (json_object_get (json_object_get (predicate, "inspection"), "items"), "Inspection item",
                            "id", error))
    return FALSE;
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu)
    if (!rb_consistency_check_ecu (ecu, error) || !rb_around_check_fingerprint (predicate, ecu, error))
      return FALSE;
  return rb_replaced_check (predicate, error) && rb_visited_check (predicate, error)
         && check_preflight (predicate, error) && check_failures (predicate, error);
}
