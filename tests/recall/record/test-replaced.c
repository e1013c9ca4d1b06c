/* SPDX-License-Identifier: Apache-2.0 */
#include "record/replaced.h"

#include "core/bytes.h"
#include "core/json.h"

#include <string.h>

/* What a record says of ECUs that were exchanged for a part, against the Director targets that it quotes. */

#define VIN "1RBDM7AA0TA000001"
#define PART "{\"old\":\"SN-1\",\"serial\":\"SN-7\",\"hardware_id\":\"hw-door-1\",\"approvedBy\":\"00\"}"

static json_t *
predicate (const char *ecu, const char *targets)
{
  g_autoptr (GBytes) bytes = targets == NULL ? NULL : g_bytes_new_static (targets, strlen (targets));
  g_autofree char *quoted = bytes == NULL ? NULL : rb_bytes_to_base64 (bytes);
  json_t *made = json_pack ("{s:{s:s},s:[o]}", "vehicle", "vin", VIN, "ecus", json_loads (ecu, 0, NULL));
  if (quoted != NULL)
    rb_json_set_string (made, "directorTargets", quoted);
  return made;
}

#define TARGETS(vin, replaced) "{\"signed\":{\"vin\":\"" vin "\",\"custom\":{\"replaced\":[" replaced "]}}}"
#define ECU(more) "{\"ecuSerial\":\"SN-7\",\"hardwareId\":\"hw-door-1\"," more "}"
#define DONE "\"outcome\":\"hardware-replaced\""

static void
test_entries (void)
{
  static const struct {
    const char *ecu, *targets;
    gboolean good;
  } cases[] = {
    { ECU (DONE ",\"replaces\":\"SN-1\""), TARGETS (VIN, PART), TRUE },
    { ECU ("\"outcome\":\"failed\",\"replaces\":\"SN-1\""), TARGETS (VIN, PART), TRUE },
    { ECU ("\"outcome\":\"replaced\""), NULL, TRUE },
    /* the old serial number is not named, is no text, or is another one */
    { ECU (DONE), TARGETS (VIN, PART), FALSE },
    { ECU (DONE ",\"replaces\":\"\""), TARGETS (VIN, PART), FALSE },
    { ECU (DONE ",\"replaces\":1"), TARGETS (VIN, PART), FALSE },
    { ECU (DONE ",\"replaces\":\"SN-2\""), TARGETS (VIN, PART), FALSE },
    /* no targets, of another vehicle, without the part, not JSON */
    { ECU (DONE ",\"replaces\":\"SN-1\""), NULL, FALSE },
    { ECU (DONE ",\"replaces\":\"SN-1\""), TARGETS ("1RBDM7AA0TA000002", PART), FALSE },
    { ECU (DONE ",\"replaces\":\"SN-1\""), TARGETS (VIN, ""), FALSE },
    { ECU (DONE ",\"replaces\":\"SN-1\""), "no", FALSE },
    /* the part is there, and the entry does not say so, or calls it otherwise */
    { ECU ("\"outcome\":\"replaced\""), TARGETS (VIN, PART), FALSE },
    { ECU ("\"outcome\":\"replaced\",\"replaces\":\"SN-1\""), TARGETS (VIN, PART), FALSE },
    { "{\"ecuSerial\":\"SN-7\",\"hardwareId\":\"hw-lamp-1\"," DONE ",\"replaces\":\"SN-1\"}", TARGETS (VIN, PART),
      FALSE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (json_t) record = predicate (cases[i].ecu, cases[i].targets);
    g_test_message ("%s", cases[i].ecu);
    g_assert_cmpint (rb_replaced_check (record, &error), ==, cases[i].good);
    if (!cases[i].good)
      g_assert_error (error, RB_RECORD_ERROR, RB_REASON_RECORD_REPLACEMENT);
  }
}

/* The old ECU has no entry beside that of the part. */
static void
test_old_entry (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) record = predicate (ECU (DONE ",\"replaces\":\"SN-1\""), TARGETS (VIN, PART));
  json_array_append_new (json_object_get (record, "ecus"),
                         json_pack ("{s:s,s:s}", "ecuSerial", "SN-1", "outcome", "replaced"));
  g_assert_false (rb_replaced_check (record, &error));
  g_assert_error (error, RB_RECORD_ERROR, RB_REASON_RECORD_REPLACEMENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/replaced/entries", test_entries);
  g_test_add_func ("/replaced/old-entry", test_old_entry);
  return g_test_run ();
}
