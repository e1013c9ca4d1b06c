/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/target-list.h"

#include "authority/image-store.h"
#include "core/files.h"
#include "core/json.h"
#include "model/campaign.h"
#include "uptane/delegation.h"

#include <string.h>

static gboolean
target_list_error (GError **error, RbReason reason, const char *what, const char *text)
{
  return rb_reason_deny (error, RB_AUTHORITY_ERROR, reason, "%s: %s", what, text);
}

/* The object path → entry of a role; NULL: no such role. Borrowed. */
static json_t *
targets_of (const RbAuthoring *self, const char *role)
{
  return role == NULL ? self->targets : json_object_get (rb_authoring_delegation (self, role), "targets");
}

/* The entry of a path in any role, and that role's object. Borrowed. */
static json_t *
find (const RbAuthoring *self, const char *path, json_t **list)
{
  size_t i;
  json_t *delegation, *entry = json_object_get (self->targets, path);
  *list = self->targets;
  json_array_foreach (self->delegations, i, delegation)
    if (entry == NULL) {
      *list = json_object_get (delegation, "targets");
      entry = json_object_get (*list, path);
    }
  return entry;
}

const json_t *
rb_target_list_find (const RbAuthoring *self, const char *path)
{
  json_t *list;
  return find (self, path, &list);
}

static gboolean
check_delegation (const RbAuthoring *self, const RbTargetListImage *image, GError **error)
{
  const json_t *delegation = image->role == NULL ? NULL : rb_authoring_delegation (self, image->role);
  if (image->role == NULL)
    return TRUE;
  if (delegation == NULL)
    return target_list_error (error, RB_REASON_NOT_FOUND, image->role, "no such delegation");
  g_autoptr (json_t) patterns = json_pack ("{s:O}", "paths", json_object_get (delegation, "paths"));
  return rb_delegation_matches (patterns, image->path, NULL)
         || target_list_error (error, RB_REASON_PATH, image->path, "none of the delegation's paths");
}

static gboolean
check_image (const RbAuthoring *self, const RbTargetListImage *image, GError **error)
{
  gboolean service = strcmp (self->kind, "service") == 0;
  if (strcmp (self->kind, "director") == 0)
    return target_list_error (error, RB_REASON_USAGE, "director", "its targets are made by repo direct");
  if (!rb_files_path_is_safe (image->path))
    return target_list_error (error, RB_REASON_PATH, image->path, "not a relative path");
  if (!service && (image->hardware_ids == NULL || image->release_counter < 0))
    return target_list_error (error, RB_REASON_USAGE, image->path, "--hardware-id and --release-counter are expected");
  return check_delegation (self, image, error);
}

/* Nothing in another role, and no step back of the counter. */
static gboolean
check_before (const RbAuthoring *self, const RbTargetListImage *image, GError **error)
{
  json_t *list, *before = find (self, image->path, &list);
  gint64 counter = rb_json_integer_or (json_object_get (before, "custom"), "releaseCounter", -1);
  if (before != NULL && list != targets_of (self, image->role))
    return target_list_error (error, RB_REASON_EXISTS, image->path, "in another role of the repository");
  if (counter > image->release_counter)
    return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_RELEASE_COUNTER,
                           "%s: release counter is %" G_GINT64_FORMAT ", before it was %" G_GINT64_FORMAT, image->path,
                           image->release_counter, counter);
  return TRUE;
}

static json_t *
custom_of (const RbTargetListImage *image)
{
  json_t *custom = json_object (), *ids = json_array ();
  for (guint i = 0; image->hardware_ids != NULL && image->hardware_ids[i] != NULL; i++)
    json_array_append_new (ids, json_string (image->hardware_ids[i]));
  rb_json_set (custom, "hardwareIds", ids);
  rb_json_set_integer (custom, "releaseCounter", image->release_counter);
  rb_json_set_string (custom, "targetFormat", "BINARY");
  return custom;
}

gboolean
rb_target_list_add (RbAuthoring *self, const RbTargetListImage *image, GError **error)
{
  if (!check_image (self, image, error) || !check_before (self, image, error))
    return FALSE;
  json_t *entry = rb_image_store_keep (self, image->file, error);
  if (entry == NULL)
    return FALSE;
  if (image->hardware_ids != NULL)
    rb_json_set (entry, "custom", custom_of (image));
  rb_json_set (targets_of (self, image->role), image->path, entry);
  return TRUE;
}

gboolean
rb_target_list_remove (RbAuthoring *self, const char *path, GError **error)
{
  json_t *list;
  if (find (self, path, &list) == NULL)
    return target_list_error (error, RB_REASON_NOT_FOUND, path, "the repository does not list it");
  json_object_del (list, path);
  return TRUE;
}

/* The hardware identifier that an ECU is said to have, or the image's only one. */
static const char *
pick_hardware (const json_t *entry, const char *given)
{
  const json_t *ids = json_object_get (json_object_get (entry, "custom"), "hardwareIds");
  size_t i;
  json_t *id;
  if (given == NULL)
    return json_array_size (ids) == 1 ? json_string_value (json_array_get (ids, 0)) : NULL;
  json_array_foreach (ids, i, id)
    if (g_strcmp0 (json_string_value (id), given) == 0)
      return given;
  return NULL;
}

/* Adds one ECU to the entry of path. */
static gboolean
assign (json_t *targets, json_t *known, const json_t *entry, const char *path, const char *serial,
        const char *hardware_id, GError **error)
{
  json_t *own = json_object_get (targets, path);
  if (json_object_get (known, serial) != NULL)
    return target_list_error (error, RB_REASON_ECU_REPEATED, serial, "two images are assigned to it");
  rb_json_set_boolean (known, serial, TRUE);
  if (own == NULL) {
    json_t *custom = json_pack ("{s:{},s:O}", "ecuIdentifiers", "releaseCounter",
                                json_object_get (json_object_get (entry, "custom"), "releaseCounter"));
    own = json_copy ((json_t *) entry);
    rb_json_set (own, "custom", custom);
    rb_json_set (targets, path, own);
  }
  rb_json_set (json_object_get (json_object_get (own, "custom"), "ecuIdentifiers"), serial,
               json_pack ("{s:s}", "hardwareId", hardware_id));
  return TRUE;
}

static gboolean
add_assignment (const RbAuthoring *image, json_t *targets, json_t *known, const char *text, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, "=", 2);
  g_auto (GStrv) ecu = g_strsplit (parts[0] == NULL ? "" : parts[0], ":", 2);
  json_t *list;
  if (parts[0] == NULL || parts[1] == NULL || ecu[0] == NULL || ecu[0][0] == '\0')
    return target_list_error (error, RB_REASON_USAGE, text, "SERIAL=PATH is expected");
  const json_t *entry = find (image, parts[1], &list);
  if (entry == NULL)
    return target_list_error (error, RB_REASON_NOT_FOUND, parts[1], "the Image repository does not list it");
  const char *hardware_id = pick_hardware (entry, ecu[1]);
  if (hardware_id == NULL)
    return target_list_error (
      error, RB_REASON_HARDWARE_MISMATCH, text,
      "the image is not for this hardware, or for several: SERIAL:HARDWARE-ID=PATH is expected");
  return assign (targets, known, entry, parts[1], ecu[0], hardware_id, error);
}

gboolean
rb_target_list_direct (RbAuthoring *self, const RbAuthoring *image, const char *vin, const char *const *assignments,
                       GError **error)
{
  g_autoptr (json_t) targets = json_object ();
  g_autoptr (json_t) known = json_object ();
  if (!rb_campaign_vin_is_valid (vin))
    return target_list_error (error, RB_REASON_VIN_INVALID, vin,
                              "17 characters, upper case, without I, O and Q are expected");
  for (guint i = 0; assignments[i] != NULL; i++)
    if (!add_assignment (image, targets, known, assignments[i], error))
      return FALSE;
  rb_json_set (self->vehicles, vin, json_pack ("{s:O}", "targets", targets));
  return TRUE;
}
