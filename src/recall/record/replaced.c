/* SPDX-License-Identifier: Apache-2.0 */
#include "record/replaced.h"

#include "core/bytes.h"
#include "core/json.h"
#include "record/predicate.h"

#include <string.h>

#define MAX_TARGETS (4 * 1024 * 1024)
#define deny(error, ...) rb_reason_deny (error, RB_RECORD_ERROR, RB_REASON_RECORD_REPLACEMENT, __VA_ARGS__)

GBytes *
rb_replaced_targets (const json_t *predicate)
{
  const char *text = rb_json_string_or (predicate, "directorTargets", NULL);
  return text == NULL ? NULL : rb_bytes_from_base64 (text);
}

/* The target of the part with that serial number; NULL: none. */
static const json_t *
directed (const json_t *targets, const char *serial)
{
  const json_t *custom = json_object_get (json_object_get (targets, "signed"), "custom");
  return rb_predicate_entry (json_object_get (custom, "replaced"), "serial", serial);
}

static gboolean
check_ecu (const json_t *predicate, const json_t *ecu, const json_t *targets, GError **error)
{
  const char *serial = rb_json_string_or (ecu, "ecuSerial", ""), *replaces = rb_json_string_or (ecu, "replaces", NULL);
  const json_t *part = directed (targets, serial);
  const char *old = rb_json_string_or (part, "old", NULL);
  gboolean claimed = strcmp (rb_json_string_or (ecu, "outcome", ""), "hardware-replaced") == 0;
  if (json_object_get (ecu, "replaces") != NULL && (replaces == NULL || replaces[0] == '\0'))
    return deny (error, "ECU %s: member “replaces” is not a serial number", serial);
  if (claimed && replaces == NULL)
    return deny (error, "ECU %s: it is called hardware-replaced and names no old serial number", serial);
  if (replaces != NULL
      && (g_strcmp0 (old, replaces) != 0
          || g_strcmp0 (rb_json_string_or (part, "hardware_id", NULL), rb_json_string_or (ecu, "hardwareId", "")) != 0))
    return deny (error, "ECU %s: no Director targets in the record put it in the place of ECU %s", serial, replaces);
  if (replaces == NULL && part != NULL)
    return deny (error, "ECU %s: Director targets put it in the place of ECU %s, and its entry does not", serial,
                 old == NULL ? "?" : old);
  if (replaces != NULL && rb_predicate_claims_done (ecu) && !claimed)
    return deny (error, "ECU %s: it replaces ECU %s and is not called hardware-replaced", serial, replaces);
  if (replaces != NULL && rb_predicate_entry (json_object_get (predicate, "ecus"), "ecuSerial", replaces) != NULL)
    return deny (error, "ECU %s: it replaces ECU %s, which has an entry of its own", serial, replaces);
  return TRUE;
}

static json_t *
parse_targets (const json_t *predicate, GError **error)
{
  const char *vin = rb_json_string_or (json_object_get (predicate, "vehicle"), "vin", "");
  g_autoptr (GError) problem = NULL;
  g_autoptr (GBytes) bytes = rb_replaced_targets (predicate);
  g_autoptr (json_t) targets = bytes == NULL ? NULL : rb_json_parse (bytes, MAX_TARGETS, "Director targets", &problem);
  if (targets != NULL && strcmp (rb_json_string_or (json_object_get (targets, "signed"), "vin", ""), vin) == 0)
    return g_steal_pointer (&targets);
  deny (error, "Record: the Director targets it quotes: %s",
        problem != NULL ? problem->message : "they are not of this vehicle");
  return NULL;
}

gboolean
rb_replaced_check (const json_t *predicate, GError **error)
{
  gboolean quoted = json_object_get (predicate, "directorTargets") != NULL;
  g_autoptr (json_t) targets = quoted ? parse_targets (predicate, error) : NULL;
  size_t i;
  json_t *ecu;
  if (quoted && targets == NULL)
    return FALSE;
  json_array_foreach (json_object_get (predicate, "ecus"), i, ecu)
    if (!check_ecu (predicate, ecu, targets, error))
      return FALSE;
  return TRUE;
}
