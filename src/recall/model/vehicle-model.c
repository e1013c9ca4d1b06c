/* SPDX-License-Identifier: Apache-2.0 */
#include "model/vehicle-model.h"

#include "model/member.h"

#include <string.h>

#define MAX_FILE (1024 * 1024)
#define MAX_ECUS 200
#define MAX_BUSES 32
#define CAN_EXTENDED_ID 0x80000000u
#define CAN_STANDARD_MAX 0x7FF
#define CAN_EXTENDED_MAX 0x1FFFFFFF

static void
bus_free (gpointer data)
{
  RbModelBus *self = data;
  g_free (self->name);
  g_free (self->kind);
  g_free (self);
}

static void
ecu_free (gpointer data)
{
  RbModelEcu *self = data;
  g_free (self->name);
  g_free (self->label);
  g_free (self->hardware_id);
  g_free (self->supplier);
  g_free (self->profile);
  g_free (self->bus);
  g_free (self->gateway);
  json_decref (self->simulation);
  g_free (self);
}

void
rb_vehicle_model_free (RbVehicleModel *self)
{
  if (self == NULL)
    return;
  g_free (self->id);
  g_free (self->name);
  g_ptr_array_unref (self->buses);
  g_ptr_array_unref (self->ecus);
  g_free (self);
}

static const RbModelBus *
find_bus (const RbVehicleModel *self, const char *name)
{
  for (guint i = 0; i < self->buses->len; i++) {
    const RbModelBus *bus = self->buses->pdata[i];
    if (strcmp (bus->name, name) == 0)
      return bus;
  }
  return NULL;
}

static gboolean
read_bitrate (const json_t *json, const char *member, gint64 *value, const char *what, GError **error)
{
  return json_object_get (json, member) == NULL || rb_json_integer (json, member, 10000, 20000000, value, what, error);
}

static gboolean
read_bus (RbVehicleModel *self, const json_t *json, guint index, GError **error)
{
  static const char *const kinds[] = { "can", "canfd", "ethernet" };
  g_autofree char *what = g_strdup_printf ("vehicle model, bus %u", index + 1);
  RbModelBus *bus = g_new0 (RbModelBus, 1);
  g_ptr_array_add (self->buses, bus);
  guint kind = 0;
  if (!rb_json_only (json, what, error, "name", "kind", "bitrate", "data_bitrate", NULL)
      || !rb_member_id (json, "name", &bus->name, what, error)
      || !rb_member_choice (json, "kind", kinds, G_N_ELEMENTS (kinds), &kind, what, error)
      || !read_bitrate (json, "bitrate", &bus->bitrate, what, error)
      || !read_bitrate (json, "data_bitrate", &bus->data_bitrate, what, error))
    return FALSE;
  bus->kind = g_strdup (kinds[kind]);
  if (find_bus (self, bus->name) != bus)
    return rb_member_refuse (error, what, "member “name”: “%s” is there twice", bus->name);
  return TRUE;
}

static gboolean
read_can_id (const json_t *json, const char *member, guint32 *id, const char *what, GError **error)
{
  if (!rb_member_number (json, member, CAN_EXTENDED_MAX, id, what, error))
    return FALSE;
  if (*id > CAN_STANDARD_MAX)
    *id |= CAN_EXTENDED_ID;
  return TRUE;
}

static gboolean
read_can (RbModelEcu *ecu, const json_t *json, const char *whose, GError **error)
{
  g_autofree char *what = g_strconcat (whose, ", can", NULL);
  gint64 extension = -1;
  ecu->can_extension = ecu->can_response_extension = -1;
  if (json == NULL)
    return TRUE;
  if (!rb_json_only (json, what, error, "request", "response", "extension", "response_extension", "fd", NULL)
      || !read_can_id (json, "request", &ecu->can_request, what, error)
      || !read_can_id (json, "response", &ecu->can_response, what, error))
    return FALSE;
  if (json_object_get (json, "extension") != NULL
      && !rb_json_integer (json, "extension", 0, 255, &extension, what, error))
    return FALSE;
  ecu->can_extension = ecu->can_response_extension = (int) extension;
  if (json_object_get (json, "response_extension") != NULL) {
    if (extension < 0)
      return rb_member_refuse (error, what, "member “response_extension” needs “extension”");
    if (!rb_json_integer (json, "response_extension", 0, 255, &extension, what, error))
      return FALSE;
    ecu->can_response_extension = (int) extension;
  }
  if (json_object_get (json, "fd") != NULL && !rb_json_boolean (json, "fd", &ecu->can_fd, what, error))
    return FALSE;
  if (ecu->can_request == ecu->can_response)
    return rb_member_refuse (error, what, "members “request” and “response” are the same identifier");
  return TRUE;
}

static gboolean
read_supplier (RbModelEcu *ecu, const json_t *json, const char *what, GError **error)
{
  const char *text = rb_json_string (json, "supplier", what, error);
  if (text == NULL)
    return FALSE;
  if (text[0] != '\0')
    return rb_member_id (json, "supplier", &ecu->supplier, what, error);
  ecu->supplier = g_strdup ("");
  return TRUE;
}

static gboolean
read_names (RbModelEcu *ecu, const json_t *json, const char *what, GError **error)
{
  return rb_json_only (json, what, error, "name", "label", "hardware_id", "supplier", "profile", "primary",
                       "verification", "optional", "bus", "gateway", "logical", "can", "simulation", NULL)
         && rb_member_id (json, "name", &ecu->name, what, error)
         && rb_member_text (json, "label", 100, &ecu->label, what, error)
         && rb_member_id (json, "hardware_id", &ecu->hardware_id, what, error) && read_supplier (ecu, json, what, error)
         && rb_member_id (json, "profile", &ecu->profile, what, error)
         && rb_json_boolean (json, "primary", &ecu->primary, what, error)
         && rb_member_id (json, "bus", &ecu->bus, what, error)
         && rb_member_id_or_none (json, "gateway", &ecu->gateway, what, error);
}

static gboolean
read_ecu (RbVehicleModel *self, const json_t *json, guint index, GError **error)
{
  static const char *const levels[] = { "partial", "full" };
  const char *name = rb_json_string_or (json, "name", NULL);
  g_autofree char *what = name != NULL ? g_strdup_printf ("vehicle model, ECU “%.64s”", name)
                                       : g_strdup_printf ("vehicle model, ECU %u", index + 1);
  RbModelEcu *ecu = g_new0 (RbModelEcu, 1);
  guint level = 0;
  guint32 logical = 0;
  g_ptr_array_add (self->ecus, ecu);
  if (!read_names (ecu, json, what, error)
      || !rb_member_choice (json, "verification", levels, G_N_ELEMENTS (levels), &level, what, error)
      || !rb_member_number (json, "logical", G_MAXUINT16, &logical, what, error)
      || !read_can (ecu, json_object_get (json, "can"), what, error))
    return FALSE;
  ecu->full_verification = level == 1;
  if (json_object_get (json, "optional") != NULL && !rb_json_boolean (json, "optional", &ecu->optional, what, error))
    return FALSE;
  ecu->logical = (guint16) logical;
  json_t *simulation = json_object_get (json, "simulation");
  if (simulation != NULL && !json_is_object (simulation))
    return rb_member_refuse (error, what, "member “simulation” is not an object");
  ecu->simulation = json_incref (simulation);
  if (ecu->primary && !ecu->full_verification)
    return rb_member_refuse (error, what, "member “verification”: a Primary has full verification");
  if (ecu->primary && ecu->optional)
    return rb_member_refuse (error, what, "member “optional”: every vehicle has a Primary");
  return TRUE;
}

static gboolean
check_unique (const RbVehicleModel *self, const RbModelEcu *ecu, GError **error)
{
  g_autofree char *what = g_strdup_printf ("vehicle model, ECU “%s”", ecu->name);
  for (guint i = 0; i < self->ecus->len && self->ecus->pdata[i] != ecu; i++) {
    const RbModelEcu *other = self->ecus->pdata[i];
    if (strcmp (other->name, ecu->name) == 0)
      return rb_member_refuse (error, what, "member “name” is there twice");
    if (strcmp (other->hardware_id, ecu->hardware_id) == 0)
      return rb_member_refuse (error, what, "member “hardware_id” is also that of “%s”", other->name);
    if (other->logical == ecu->logical)
      return rb_member_refuse (error, what, "member “logical” is also that of “%s”", other->name);
    if (ecu->can_request != 0 && other->can_request == ecu->can_request && other->can_extension == ecu->can_extension)
      return rb_member_refuse (error, what, "member “can” is also that of “%s”", other->name);
  }
  return TRUE;
}

/* Every step up must be an ECU, and the way must end. */
static gboolean
check_route (const RbVehicleModel *self, const RbModelEcu *ecu, GError **error)
{
  g_autofree char *what = g_strdup_printf ("vehicle model, ECU “%s”", ecu->name);
  const RbModelEcu *at = ecu;
  for (guint steps = 0; at->gateway != NULL; steps++) {
    const RbModelEcu *next = rb_vehicle_model_by_name (self, at->gateway);
    if (next == NULL)
      return rb_member_refuse (error, what, "member “gateway”: there is no ECU “%s”", at->gateway);
    if (steps >= self->ecus->len)
      return rb_member_refuse (error, what, "member “gateway” leads in a circle");
    at = next;
  }
  if (strcmp (ecu->bus, "ethernet") != 0 && find_bus (self, ecu->bus) == NULL)
    return rb_member_refuse (error, what, "member “bus”: there is no bus “%s”", ecu->bus);
  return TRUE;
}

static gboolean
check_ecus (const RbVehicleModel *self, GError **error)
{
  guint primaries = 0;
  for (guint i = 0; i < self->ecus->len; i++) {
    const RbModelEcu *ecu = self->ecus->pdata[i];
    primaries += ecu->primary ? 1 : 0;
    if (!check_unique (self, ecu, error) || !check_route (self, ecu, error))
      return FALSE;
    if (ecu->logical == self->functional)
      return rb_member_refuse (error, "vehicle model", "member “functional” is also the address of “%s”", ecu->name);
  }
  if (primaries != 1)
    return rb_member_refuse (error, "vehicle model", "member “ecus” has %u Primaries, a vehicle has one", primaries);
  return TRUE;
}

static gboolean
read_lists (RbVehicleModel *self, const json_t *json, GError **error)
{
  const char *what = "vehicle model";
  json_t *buses = rb_json_array (json, "buses", what, error);
  json_t *ecus = buses == NULL ? NULL : rb_json_array (json, "ecus", what, error);
  if (ecus == NULL)
    return FALSE;
  if (json_array_size (buses) > MAX_BUSES)
    return rb_member_refuse (error, what, "member “buses” has more than %d entries", MAX_BUSES);
  if (json_array_size (ecus) < 1 || json_array_size (ecus) > MAX_ECUS)
    return rb_member_refuse (error, what, "member “ecus” has not 1…%d entries", MAX_ECUS);
  for (guint i = 0; i < json_array_size (buses); i++)
    if (!read_bus (self, json_array_get (buses, i), i, error))
      return FALSE;
  for (guint i = 0; i < json_array_size (ecus); i++)
    if (!read_ecu (self, json_array_get (ecus, i), i, error))
      return FALSE;
  return check_ecus (self, error);
}

static gboolean
read_functional (RbVehicleModel *self, const json_t *json, GError **error)
{
  const char *what = "vehicle model";
  guint32 logical = 0xE400;
  self->can_functional = 0x7DF;
  if (json_object_get (json, "functional") != NULL
      && !rb_member_number (json, "functional", G_MAXUINT16, &logical, what, error))
    return FALSE;
  self->functional = (guint16) logical;
  return json_object_get (json, "can_functional") == NULL
         || read_can_id (json, "can_functional", &self->can_functional, what, error);
}

/* How the vehicle wants to be connected to. */
static gboolean
read_link (RbVehicleModel *self, const json_t *json, GError **error)
{
  const char *what = "vehicle model, link";
  static const char *const certificates[] = { "vin", "any" };
  guint32 tester = 0, type = 0;
  guint certificate = 0;
  const json_t *link = json_object_get (json, "link");
  if (link == NULL)
    return TRUE;
  if (!json_is_object (link))
    return rb_member_refuse (error, "vehicle model", "member “link” is not an object");
  if (!rb_json_only (link, what, error, "tester", "activation_type", "vehicle_certificate", NULL)
      || (json_object_get (link, "tester") != NULL
          && !rb_member_number (link, "tester", G_MAXUINT16, &tester, what, error))
      || (json_object_get (link, "activation_type") != NULL
          && !rb_member_number (link, "activation_type", G_MAXUINT8, &type, what, error))
      || (json_object_get (link, "vehicle_certificate") != NULL
          && !rb_member_choice (link, "vehicle_certificate", certificates, G_N_ELEMENTS (certificates), &certificate,
                                what, error)))
    return FALSE;
  self->certificate_without_vin = certificate == 1;
  self->tester = (guint16) tester;
  self->activation_type = (guint8) type;
  for (guint i = 0; tester != 0 && i < self->ecus->len; i++)
    if (((RbModelEcu *) self->ecus->pdata[i])->logical == tester || self->functional == tester)
      return rb_member_refuse (error, what, "member “tester” is also the address of an ECU");
  return TRUE;
}

RbVehicleModel *
rb_vehicle_model_parse (GBytes *bytes, GError **error)
{
  const char *what = "vehicle model";
  g_autoptr (json_t) json = rb_json_parse (bytes, MAX_FILE, what, error);
  g_autoptr (RbVehicleModel) self = g_new0 (RbVehicleModel, 1);
  self->buses = g_ptr_array_new_with_free_func (bus_free);
  self->ecus = g_ptr_array_new_with_free_func (ecu_free);
  if (json == NULL
      || !rb_json_only (json, what, error, "format", "id", "name", "functional", "can_functional", "link", "buses",
                        "ecus", NULL)
      || !rb_member_format (json, "recallbay-vehicle-model-1", what, error)
      || !rb_member_id (json, "id", &self->id, what, error)
      || !rb_member_text (json, "name", 200, &self->name, what, error) || !read_functional (self, json, error)
      || !read_lists (self, json, error) || !read_link (self, json, error))
    return NULL;
  return g_steal_pointer (&self);
}

const RbModelEcu *
rb_vehicle_model_primary (const RbVehicleModel *self)
{
  for (guint i = 0; i < self->ecus->len; i++) {
    const RbModelEcu *ecu = self->ecus->pdata[i];
    if (ecu->primary)
      return ecu;
  }
  return NULL;
}

const RbModelEcu *
rb_vehicle_model_by_hardware_id (const RbVehicleModel *self, const char *hardware_id)
{
  for (guint i = 0; i < self->ecus->len; i++) {
    const RbModelEcu *ecu = self->ecus->pdata[i];
    if (g_strcmp0 (ecu->hardware_id, hardware_id) == 0)
      return ecu;
  }
  return NULL;
}

const RbModelEcu *
rb_vehicle_model_by_name (const RbVehicleModel *self, const char *name)
{
  for (guint i = 0; i < self->ecus->len; i++) {
    const RbModelEcu *ecu = self->ecus->pdata[i];
    if (g_strcmp0 (ecu->name, name) == 0)
      return ecu;
  }
  return NULL;
}
