/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/host.h"

#include "core/json.h"
#include "core/moment.h"

#include <stdio.h>

#define DIP_MV 11000 /* of the fault voltage-dip */

void
rb_host_log (RbSimVehicle *self, const char *event, const RbEcu *ecu, json_t *detail)
{
  g_autoptr (json_t) line = detail == NULL ? json_object () : detail;
  if (self->log_path == NULL)
    return;
  rb_json_set_string (line, "event", event);
  rb_json_set_string (line, "serial", ecu->memory->serial);
  rb_json_set_moment (line, "time", rb_moment_now ());
  g_autofree char *text = rb_json_to_text (line);
  FILE *file = fopen (self->log_path, "ae");
  if (file == NULL || fprintf (file, "%s\n", text) < 0)
    g_warning ("%s cannot be written", self->log_path);
  if (file != NULL)
    fclose (file);
}

const RbFault *
rb_host_fault_of (RbSimVehicle *self, const char *kind, const RbEcu *ecu, guint8 service, gint64 count)
{
  return rb_fault_match (self->faults, kind, ecu->memory->name, ecu->memory->serial, service, count);
}

const RbFault *
rb_host_fault (RbSimVehicle *self, const char *kind, const RbEcu *ecu, gint64 count)
{
  return rb_host_fault_of (self, kind, ecu, 0, count);
}

gint64
rb_host_supply (RbSimVehicle *self, const RbEcu *ecu)
{
  const RbFault *fault = rb_host_fault (self, "voltage", ecu, 0);
  const RbFault *dip = rb_host_fault (self, "voltage-dip", ecu, 0);
  if (dip != NULL && self->unlocked_at != 0 && ecu->last_request < self->unlocked_at + dip->argument)
    return DIP_MV;
  return fault == NULL ? self->voltage_mv : fault->argument;
}

void
rb_host_unlock (RbSimVehicle *self, RbEcu *ecu)
{
  ecu->unlocked = TRUE;
  if (self->unlocked_at == 0)
    self->unlocked_at = ecu->last_request;
  rb_host_log (self, "unlock", ecu, NULL);
}

/* U0100 and those after it: lost communication with another ECU. */
static char *
lost_communication (RbSimVehicle *self, const RbEcu *silent)
{
  guint index = 0;
  if (!g_ptr_array_find (self->ecus, silent, &index))
    index = 0;
  return g_strdup_printf ("C1%02X00", index & 0xff);
}

gboolean
rb_host_miss (RbSimVehicle *self, const RbEcu *silent, GError **error)
{
  g_autofree char *code = lost_communication (self, silent);
  for (guint i = 0; i < self->ecus->len; i++) {
    RbEcu *ecu = self->ecus->pdata[i];
    gboolean misses = ecu != silent && rb_ecu_state_is_application (ecu) && !ecu->dtc_off
                      && g_strcmp0 (ecu->model->bus, silent->model->bus) == 0;
    if (misses && rb_memory_add_dtc (ecu->memory, code) && !rb_memory_save (ecu->memory, error))
      return FALSE;
  }
  return TRUE;
}
