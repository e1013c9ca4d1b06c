/* SPDX-License-Identifier: Apache-2.0 */
#include "model/completeness.h"

#include "model/member.h"

#include <string.h>

#define MAX_ECUS 200

static void
ecu_free (gpointer data)
{
  RbCompletenessEcu *self = data;
  g_free (self->serial);
  g_free (self->hardware_id);
  g_free (self->replaces);
  g_free (self);
}

RbCompletenessVerdict
rb_completeness_judge (const RbCompletenessEcu *ecu)
{
  if (!ecu->directed)
    return ecu->built || ecu->found ? RB_COMPLETENESS_NOT_DIRECTED : RB_COMPLETENESS_NOT_FITTED;
  return ecu->done ? RB_COMPLETENESS_DONE : RB_COMPLETENESS_OPEN;
}

static gboolean
read_built (GHashTable *list, const json_t *entry, const char *what, GError **error)
{
  const char *serial = rb_json_string (entry, "serial", what, error);
  const char *hardware_id = serial == NULL ? NULL : rb_json_string (entry, "hardware_id", what, error);
  if (hardware_id == NULL || !rb_json_only (entry, what, error, "serial", "hardware_id", NULL))
    return FALSE;
  if (serial[0] == '\0' || hardware_id[0] == '\0')
    return rb_member_refuse (error, what, "an entry is empty");
  if (!g_hash_table_insert (list, g_strdup (serial), g_strdup (hardware_id)))
    return rb_member_refuse (error, what, "ECU “%s” is there twice", serial);
  return TRUE;
}

GHashTable *
rb_completeness_as_built (const json_t *part, GError **error)
{
  const char *what = "vehicle as built";
  const json_t *custom = json_object_get (part, "custom"), *built = json_object_get (custom, "asBuilt");
  g_autoptr (GHashTable) list = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (custom != NULL && !json_is_object (custom)) {
    rb_member_refuse (error, what, "member “custom” is not an object");
    return NULL;
  }
  if (built == NULL)
    return NULL;
  if (!json_is_array (built) || json_array_size (built) < 1 || json_array_size (built) > MAX_ECUS) {
    rb_member_refuse (error, what, "member “asBuilt” is not a list of 1…%d ECUs", MAX_ECUS);
    return NULL;
  }
  for (gsize i = 0; i < json_array_size (built); i++)
    if (!read_built (list, json_array_get (built, i), what, error))
      return NULL;
  return g_steal_pointer (&list);
}

/* Neither is named twice, and the old one is gone: nothing is assigned to it. */
static gboolean
read_replaced (GHashTable *list, GHashTable *gone, GHashTable *assigned, const json_t *entry, const char *what,
               GError **error)
{
  const char *old = rb_json_string (entry, "old", what, error);
  const char *serial = old == NULL ? NULL : rb_json_string (entry, "serial", what, error);
  const char *hardware_id = serial == NULL ? NULL : rb_json_string (entry, "hardware_id", what, error);
  if (hardware_id == NULL || rb_json_string (entry, "approvedBy", what, error) == NULL
      || !rb_json_only (entry, what, error, "old", "serial", "hardware_id", "approvedBy", NULL))
    return FALSE;
  if (old[0] == '\0' || g_hash_table_contains (assigned, old))
    return rb_member_refuse (error, what, "ECU “%s” is replaced, and something is assigned to it", old);
  if (g_strcmp0 (g_hash_table_lookup (assigned, serial), hardware_id) != 0)
    return rb_member_refuse (error, what, "nothing is assigned to part “%s” of hardware “%s”", serial, hardware_id);
  if (!g_hash_table_insert (list, g_strdup (serial), g_strdup (old)) || !g_hash_table_add (gone, g_strdup (old)))
    return rb_member_refuse (error, what, "ECU “%s” or part “%s” is there twice", old, serial);
  return TRUE;
}

GHashTable *
rb_completeness_replaced (const json_t *part, GHashTable *assigned, GError **error)
{
  const char *what = "replaced ECUs";
  const json_t *entries = json_object_get (json_object_get (part, "custom"), "replaced");
  g_autoptr (GHashTable) list = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GHashTable) gone = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (entries != NULL && (!json_is_array (entries) || json_array_size (entries) > MAX_ECUS)) {
    rb_member_refuse (error, what, "member “replaced” is not a list of at most %d ECUs", MAX_ECUS);
    return NULL;
  }
  for (gsize i = 0; i < json_array_size (entries); i++)
    if (!read_replaced (list, gone, assigned, json_array_get (entries, i), what, error))
      return NULL;
  return g_steal_pointer (&list);
}

static RbCompletenessEcu *
add (GPtrArray *ecus, const char *serial, const char *hardware_id)
{
  RbCompletenessEcu *ecu = g_new0 (RbCompletenessEcu, 1);
  ecu->serial = g_strdup (serial);
  ecu->hardware_id = g_strdup (hardware_id);
  g_ptr_array_add (ecus, ecu);
  return ecu;
}

static RbCompletenessEcu *
by_serial (GPtrArray *ecus, const char *serial)
{
  for (guint i = 0; i < ecus->len; i++)
    if (g_strcmp0 (((RbCompletenessEcu *) ecus->pdata[i])->serial, serial) == 0)
      return ecus->pdata[i];
  return NULL;
}

static RbCompletenessEcu *
by_hardware (GPtrArray *ecus, const char *hardware_id)
{
  for (guint i = 0; i < ecus->len; i++)
    if (strcmp (((RbCompletenessEcu *) ecus->pdata[i])->hardware_id, hardware_id) == 0)
      return ecus->pdata[i];
  return NULL;
}

static void
add_table (GPtrArray *ecus, GHashTable *table, gboolean built)
{
  g_autoptr (GList) serials = table == NULL ? NULL : g_list_sort (g_hash_table_get_keys (table), (GCompareFunc) strcmp);
  for (const GList *each = serials; each != NULL; each = each->next) {
    RbCompletenessEcu *ecu = by_serial (ecus, each->data);
    if (ecu == NULL)
      ecu = add (ecus, each->data, g_hash_table_lookup (table, each->data));
    ecu->built = ecu->built || built;
    ecu->directed = ecu->directed || !built;
  }
}

/* What campaign and vehicle model share; with a list of the vehicle as built only what may yet be found. */
static void
add_model (GPtrArray *ecus, const RbCampaign *campaign, const RbVehicleModel *model, gboolean listed)
{
  for (guint i = 0; i < model->ecus->len; i++) {
    const RbModelEcu *known = model->ecus->pdata[i];
    RbCompletenessEcu *ecu = by_hardware (ecus, known->hardware_id);
    if (rb_campaign_ecu (campaign, known->hardware_id) == NULL)
      continue;
    if (ecu == NULL)
      ecu = add (ecus, NULL, known->hardware_id);
    ecu->built = ecu->built || (!listed && !known->optional);
  }
}

static void
add_replaced (GPtrArray *ecus, GHashTable *replaced)
{
  for (guint i = 0; replaced != NULL && i < ecus->len; i++) {
    RbCompletenessEcu *ecu = ecus->pdata[i];
    ecu->replaces = ecu->serial == NULL ? NULL : g_strdup (g_hash_table_lookup (replaced, ecu->serial));
  }
}

GPtrArray *
rb_completeness_list (const RbCampaign *campaign, const RbVehicleModel *model, GHashTable *assigned,
                      GHashTable *as_built, GHashTable *replaced)
{
  GPtrArray *ecus = g_ptr_array_new_with_free_func (ecu_free);
  add_table (ecus, assigned, FALSE);
  add_table (ecus, as_built, TRUE);
  add_model (ecus, campaign, model, as_built != NULL);
  add_replaced (ecus, replaced);
  return ecus;
}

gboolean
rb_completeness_is_directed (GPtrArray *ecus, const RbVehicleModel *model, GError **error)
{
  for (guint i = 0; i < ecus->len; i++) {
    const RbCompletenessEcu *ecu = ecus->pdata[i];
    const RbModelEcu *known = rb_vehicle_model_by_hardware_id (model, ecu->hardware_id);
    if (rb_completeness_judge (ecu) != RB_COMPLETENESS_NOT_DIRECTED)
      continue;
    return rb_reason_deny (error, RB_MODEL_ERROR, RB_REASON_ECU_NOT_DIRECTED,
                           "ECU %s (%s): %s, and the campaign's Director targets for this vehicle direct nothing to it",
                           known != NULL ? known->label : ecu->serial, ecu->hardware_id,
                           ecu->built ? "is part of the vehicle as built" : "answers in the vehicle");
  }
  return TRUE;
}
