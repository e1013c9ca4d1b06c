/* SPDX-License-Identifier: Apache-2.0 */
#include "record/ending.h"

#include "core/json.h"
#include "record/predicate.h"

#include <string.h>

#define MAX_EVIDENCE 4096
#define deny(error, reason, ...) rb_reason_deny (error, RB_RECORD_ERROR, reason, __VA_ARGS__)

const char *const rb_ending_words[] = { "waiting-for-part", "towed", "left-against-advice", NULL };

static gboolean
is_digest (const char *text)
{
  return text != NULL && strlen (text) == 64 && strspn (text, "0123456789abcdef") == 64;
}

static gboolean
evidence_is_well_formed (const json_t *predicate, const json_t *entry)
{
  static const char *const steps[] = { "key", "image", "coding-value", NULL };
  const json_t *shown_by = json_object_get (entry, "shownBy");
  const char *record = rb_json_string_or (shown_by, "record", NULL), *detail = rb_json_string_or (entry, "detail", "");
  return rb_predicate_entry (json_object_get (predicate, "ecus"), "ecuSerial", rb_json_string_or (entry, "ecu", NULL))
           != NULL
         && g_strv_contains (steps, rb_json_string_or (entry, "step", "")) && detail[0] != '\0'
         && (record == NULL ? json_is_true (json_object_get (shown_by, "journal")) : is_digest (record));
}

static gboolean
hand_over_is_well_formed (const json_t *predicate, const json_t *hand_over, GError **error)
{
  const json_t *list = json_object_get (hand_over, "evidence");
  gboolean good = json_is_array (list) && json_array_size (list) <= MAX_EVIDENCE;
  size_t i;
  json_t *entry;
  json_array_foreach ((json_t *) list, i, entry)
    good = good && evidence_is_well_formed (predicate, entry);
  return good
         || deny (error, RB_REASON_RECORD_MALFORMED,
                  "Record: hand-over: its evidence is missing or not what it has to be");
}

static gboolean
exception_is_well_formed (const json_t *exception, GError **error)
{
  const json_t *photos = json_object_get (exception, "photos"), *text = json_object_get (exception, "text");
  gboolean good = g_strv_contains (rb_ending_words, rb_json_string_or (exception, "as", "")) && json_is_array (photos)
                  && json_array_size (photos) <= RB_ENDING_MAX_PHOTOS && (text == NULL || json_is_string (text));
  size_t i;
  json_t *photo;
  json_array_foreach ((json_t *) photos, i, photo)
    good
      = good && is_digest (rb_json_string_or (photo, "sha256", NULL)) && rb_json_integer_or (photo, "length", -1) >= 0;
  return good
         || deny (error, RB_REASON_RECORD_MALFORMED, "Record: exception: a member is missing or not what it has to be");
}

gboolean
rb_ending_is_well_formed (const json_t *predicate, GError **error)
{
  const json_t *hand_over = json_object_get (predicate, "handOver"),
               *exception = json_object_get (predicate, "exception");
  return (hand_over == NULL || hand_over_is_well_formed (predicate, hand_over, error))
         && (exception == NULL || exception_is_well_formed (exception, error));
}

gboolean
rb_ending_check (const json_t *predicate, GError **error)
{
  const char *type = rb_json_string_or (predicate, "type", "");
  gboolean is_exception = strcmp (type, RB_ENDING_TYPE_EXCEPTION) == 0;
  if (is_exception != (json_object_get (predicate, "exception") != NULL))
    return deny (error, RB_REASON_RECORD_RESULT, "Record: its type is %s, and an exception is %s", type,
                 is_exception ? "missing" : "in it");
  if (json_object_get (predicate, "handOver") != NULL && strcmp (type, "partial") != 0)
    return deny (error, RB_REASON_RECORD_RESULT, "Record: its type is %s, and a hand-over is in it", type);
  return !is_exception || json_is_object (json_object_get (predicate, "secondPerson"))
         || deny (error, RB_REASON_SECOND_PERSON_MISSING,
                  "Record: closed with exception: signed by one person, expected two");
}

/* The result for a type and completeness; NULL: the type is unknown or never has that completeness. */
static const char *
result_of_type (const char *type, gboolean complete)
{
  static const struct {
    const char *type, *result;
  } table[] = {
    { "partial", "incomplete" },
    { "aborted", "aborted" },
    { "declined", "declined" },
    { "no-work-needed", "no-work-needed" },
    { RB_ENDING_TYPE_EXCEPTION, "exception" },
  };
  if (complete)
    return strcmp (type, "completion") == 0 ? "completed" : NULL;
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    if (strcmp (type, table[i].type) == 0)
      return table[i].result;
  return NULL;
}

const char *
rb_ending_result (const json_t *predicate, gboolean complete)
{
  const char *type = rb_json_string_or (predicate, "type", ""), *result = result_of_type (type, complete);
  gboolean handed_over = json_object_get (predicate, "handOver") != NULL && strcmp (type, "partial") == 0;
  return result != NULL && handed_over ? RB_ENDING_HANDED_OVER : result;
}

gboolean
rb_ending_is_without_vehicle (const json_t *predicate)
{
  const json_t *found = json_object_get (json_object_get (predicate, "preflight"), "ecusFound");
  return (json_object_get (predicate, "handOver") != NULL || json_object_get (predicate, "exception") != NULL)
         && json_array_size (found) == 0;
}

const json_t *
rb_ending_evidence (const json_t *predicate, const char *serial, const char *step, const char *detail)
{
  size_t i;
  json_t *entry;
  json_array_foreach (json_object_get (json_object_get (predicate, "handOver"), "evidence"), i, entry)
    if (g_strcmp0 (rb_json_string_or (entry, "ecu", NULL), serial) == 0
        && g_strcmp0 (rb_json_string_or (entry, "step", NULL), step) == 0
        && g_strcmp0 (rb_json_string_or (entry, "detail", NULL), detail) == 0)
      return entry;
  return NULL;
}
