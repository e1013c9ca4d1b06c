/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/sim-vehicle.h"

#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/certificate.h"

#include <stdio.h>
#include <string.h>

#define MAX_JSON (4 * 1024 * 1024)
#define PLAIN_VIN "SIMVEH00000014229"

static gboolean
make_one (RbSimVehicle *self, const json_t *entry, const char *seed, GError **error)
{
  const char *name = rb_json_string (entry, "name", "seed", error);
  const char *serial = name == NULL ? NULL : rb_json_string (entry, "serial", "seed", error);
  const RbModelEcu *ecu = serial == NULL ? NULL : rb_vehicle_model_by_name (self->model, name);
  if (serial == NULL)
    return FALSE;
  if (ecu == NULL || !rb_files_name_is_safe (serial)) {
    g_set_error (error, RB_SIM_ERROR, RB_REASON_MALFORMED, "seed: ECU “%s” is not in the model", name);
    return FALSE;
  }
  g_autofree char *folder = g_build_filename (self->state_dir, "ecus.new", serial, NULL);
  return rb_memory_make (folder, ecu, entry, seed, error);
}

/* Who verifies for the whole vehicle, for those who look at the memory without a model. */
static gboolean
write_primary (RbSimVehicle *self, const json_t *ecus, const char *path, GError **error)
{
  const RbModelEcu *primary = rb_vehicle_model_primary (self->model);
  for (gsize i = 0; primary != NULL && i < json_array_size (ecus); i++) {
    const json_t *entry = json_array_get (ecus, i);
    if (strcmp (rb_json_string_or (entry, "name", ""), primary->name) == 0)
      return rb_files_write_text (path, rb_json_string_or (entry, "serial", ""), error);
  }
  return TRUE;
}

/* A vehicle of plain ECUs alone needs no seed: all have what the model says, nothing in flash, and an application. */
static json_t *
plain_seed (const RbVehicleModel *model)
{
  g_autoptr (json_t) ecus = json_array ();
  for (guint i = 0; i < model->ecus->len; i++) {
    const RbModelEcu *ecu = model->ecus->pdata[i];
    g_autofree char *upper = g_ascii_strup (ecu->name, -1);
    g_autofree char *serial = g_strdup_printf ("SN-%s-0001", upper);
    if (!rb_ecu_state_is_plain (ecu))
      return NULL;
    json_t *entry
      = json_pack ("{s:s,s:s,s:s,s:b}", "name", ecu->name, "serial", serial, "software", "delivered", "valid", TRUE);
    json_array_append_new (ecus, entry);
  }
  return json_pack ("{s:s,s:O}", "vin", PLAIN_VIN, "ecus", ecus);
}

static json_t *
load_seed (RbSimVehicle *self, const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "seed.json", NULL);
  json_t *plain = rb_files_exists (path) ? NULL : plain_seed (self->model);
  return plain != NULL ? plain : rb_json_load (path, MAX_JSON, error);
}

/* What the DoIP edge has for TLS, if the seed has that. */
static gboolean
copy_doip (RbSimVehicle *self, const char *seed, GError **error)
{
  g_autofree char *from = g_build_filename (seed, "doip", NULL);
  g_autofree char *to = g_build_filename (self->state_dir, "doip", NULL);
  return !rb_files_is_folder (from) || rb_files_exists (to) || rb_files_copy_tree (from, to, error);
}

/* The state appears whole or not at all. */
static gboolean
make_state (RbSimVehicle *self, const char *model, const char *vin, GError **error)
{
  g_autofree char *beside = g_path_get_dirname (model);
  g_autofree char *seed = g_build_filename (beside, "vehicle", NULL);
  g_autofree char *fresh = g_build_filename (self->state_dir, "ecus.new", NULL);
  g_autofree char *final = g_build_filename (self->state_dir, "ecus", NULL);
  g_autofree char *vin_path = g_build_filename (self->state_dir, "vin", NULL);
  g_autoptr (json_t) description = load_seed (self, seed, error);
  json_t *ecus = description == NULL ? NULL : rb_json_array (description, "ecus", "seed", error);
  if (ecus == NULL || !rb_files_make_folder (self->state_dir, error) || !rb_files_remove_tree (fresh, error))
    return FALSE;
  for (gsize i = 0; i < json_array_size (ecus); i++)
    if (!make_one (self, json_array_get (ecus, i), seed, error))
      return FALSE;
  g_autofree char *primary_path = g_build_filename (self->state_dir, "primary", NULL);
  if (!copy_doip (self, seed, error) || !write_primary (self, ecus, primary_path, error)
      || !rb_files_write_text (vin_path, vin != NULL ? vin : rb_json_string_or (description, "vin", ""), error))
    return FALSE;
  if (rename (fresh, final) == 0)
    return TRUE;
  g_set_error (error, RB_SIM_ERROR, RB_REASON_IO, "%s could not be put in place", final);
  return FALSE;
}

static gint64
seed_voltage (const char *model)
{
  g_autofree char *beside = g_path_get_dirname (model);
  g_autofree char *path = g_build_filename (beside, "vehicle", "seed.json", NULL);
  g_autoptr (json_t) seed = rb_json_load (path, MAX_JSON, NULL);
  return rb_json_integer_or (seed, "voltage_mv", 13400);
}

RbLock *
rb_sim_vehicle_lock (const char *state_dir, GError **error)
{
  g_autofree char *subject = g_strdup_printf ("simulated vehicle %s", state_dir);
  return rb_lock_folder (state_dir, subject, error);
}

GPtrArray *
rb_sim_vehicle_memories (const char *state_dir, char **vin, GError **error)
{
  g_autofree char *folder = g_build_filename (state_dir, "ecus", NULL);
  g_autofree char *vin_path = g_build_filename (state_dir, "vin", NULL);
  g_autoptr (GBytes) text = rb_files_read (vin_path, 64, error);
  g_auto (GStrv) names = text == NULL ? NULL : rb_files_list (folder, error);
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_memory_free);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *path = g_build_filename (folder, names[i], NULL);
    RbMemory *memory = rb_memory_open (path, error);
    if (memory == NULL)
      return NULL;
    g_ptr_array_add (list, memory);
  }
  if (names == NULL)
    return NULL;
  *vin = g_strndup (g_bytes_get_data (text, NULL), g_bytes_get_size (text));
  return g_steal_pointer (&list);
}

static gboolean
load_ecus (RbSimVehicle *self, GError **error)
{
  g_autoptr (GPtrArray) memories = rb_sim_vehicle_memories (self->state_dir, &self->vin, error);
  if (memories == NULL)
    return FALSE;
  for (guint i = 0; i < self->model->ecus->len; i++) {
    const RbModelEcu *ecu = self->model->ecus->pdata[i];
    for (guint m = 0; m < memories->len; m++) {
      RbMemory *memory = memories->pdata[m];
      if (strcmp (memory->name, ecu->name) != 0)
        continue;
      g_ptr_array_set_free_func (memories, NULL);
      g_ptr_array_remove_index (memories, m);
      g_ptr_array_set_free_func (memories, (GDestroyNotify) rb_memory_free);
      g_ptr_array_add (self->ecus, rb_ecu_new (self, ecu, memory));
      break;
    }
  }
  return TRUE;
}

RbSimVehicle *
rb_sim_vehicle_open (const char *model, const char *state_dir, const char *vin, GError **error)
{
  g_autoptr (GBytes) bytes = rb_files_read (model, MAX_JSON, error);
  g_autoptr (RbVehicleModel) parsed = bytes == NULL ? NULL : rb_vehicle_model_parse (bytes, error);
  if (parsed == NULL) {
    g_prefix_error (error, "%s: ", model);
    return NULL;
  }
  g_autoptr (RbSimVehicle) self = g_new0 (RbSimVehicle, 1);
  g_autofree char *memory = g_build_filename (state_dir, "ecus", NULL);
  self->model = g_steal_pointer (&parsed);
  self->state_dir = g_strdup (state_dir);
  self->ecus = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_ecu_free);
  self->faults = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_fault_free);
  self->voltage_mv = seed_voltage (model);
  self->lock = rb_sim_vehicle_lock (state_dir, error);
  if (self->lock == NULL || (!rb_files_is_folder (memory) && !make_state (self, model, vin, error))
      || !load_ecus (self, error))
    return NULL;
  if (vin != NULL) {
    g_free (self->vin);
    self->vin = g_strdup (vin);
  }
  return g_steal_pointer (&self);
}

void
rb_sim_vehicle_free (RbSimVehicle *self)
{
  g_clear_pointer (&self->ecus, g_ptr_array_unref);
  g_clear_pointer (&self->faults, g_ptr_array_unref);
  g_clear_pointer (&self->lock, rb_lock_free);
  g_clear_pointer (&self->model, rb_vehicle_model_free);
  g_free (self->state_dir);
  g_free (self->vin);
  g_free (self->log_path);
  g_free (self);
}

RbEcu *
rb_sim_vehicle_by_logical (RbSimVehicle *self, guint16 logical)
{
  for (guint i = 0; i < self->ecus->len; i++)
    if (((RbEcu *) self->ecus->pdata[i])->model->logical == logical)
      return self->ecus->pdata[i];
  return NULL;
}
