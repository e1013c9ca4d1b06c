/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/vehicle.h"

#include "core/files.h"
#include "core/json.h"
#include "uptane/repository.h"

#include <string.h>

/* aktualizr takes 64 KiB, some 240 ECUs */
#define DEFAULT_MAX_DIRECTOR_TARGETS (1024 * 1024)
#define MAX_IMAGE ((gsize) 8 << 30)

void
rb_vehicle_assignment_free (RbAssignment *self)
{
  g_free (self->serial);
  g_free (self->hardware_id);
  g_clear_pointer (&self->target, rb_target_free);
  g_clear_pointer (&self->image, rb_target_free);
  g_free (self);
}

typedef struct {
  const RbVehicleRequest *request;
  RbRejection *verdict;
  GPtrArray *assignments; /* of RbAssignment */
} Check;

static gboolean G_GNUC_PRINTF (5, 6)
  refused (Check *check, const char *repo, GError **error, RbReason reason, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  GError *failure = g_error_new (RB_UPTANE_ERROR, (int) reason, "%s repository, targets: %s", repo, text);
  rb_rejection_set (check->verdict, repo, "targets", failure);
  g_propagate_error (error, failure);
  return FALSE;
}

static const RbVehicleEcu *
vehicle_ecu (const RbVehicleRequest *request, const char *serial)
{
  for (guint i = 0; i < request->n_ecus; i++)
    if (strcmp (request->ecus[i].serial, serial) == 0)
      return &request->ecus[i];
  return NULL;
}

static gboolean
already_assigned (Check *check, const char *serial)
{
  for (guint i = 0; i < check->assignments->len; i++)
    if (strcmp (((RbAssignment *) check->assignments->pdata[i])->serial, serial) == 0)
      return TRUE;
  return FALSE;
}

/* A name is a path of its own repository, never one out of it. The reference implementation begins all with "/". */
static const char *
file_of (const char *path)
{
  return path[0] == '/' ? &path[1] : path;
}

static gboolean
judge_path (Check *check, const char *path, GError **error)
{
  if (rb_files_path_is_safe (file_of (path)))
    return TRUE;
  return refused (check, "director", error, RB_REASON_PATH, "“%s” is not a valid name of an image", path);
}

/* Is the ECU in the vehicle, once, and of that hardware? */
static gboolean
judge_ecu (Check *check, const char *serial, const char *hardware_id, GError **error)
{
  const RbVehicleEcu *ecu = vehicle_ecu (check->request, serial);
  if (already_assigned (check, serial))
    return refused (check, "director", error, RB_REASON_ECU_REPEATED, "ECU %s is directed twice", serial);
  if (ecu == NULL && check->request->n_ecus > 0)
    return refused (check, "director", error, RB_REASON_ECU_UNKNOWN, "ECU %s is not in this vehicle", serial);
  if (ecu != NULL && ecu->hardware_id != NULL && hardware_id[0] != '\0' && strcmp (ecu->hardware_id, hardware_id) != 0)
    return refused (check, "director", error, RB_REASON_HARDWARE_MISMATCH, "ECU %s is of other hardware", serial);
  return TRUE;
}

static gboolean
assign (Check *check, const char *path, const json_t *entry, GError **error)
{
  g_autoptr (RbTarget) target = rb_target_from_json (path, entry, error);
  GHashTableIter iter;
  gpointer serial, hardware_id;
  if (target == NULL) {
    if (error != NULL && *error != NULL)
      rb_rejection_set (check->verdict, "director", "targets", *error);
    return FALSE;
  }
  if (!judge_path (check, path, error))
    return FALSE;
  if (target->ecus == NULL)
    return refused (check, "director", error, RB_REASON_MALFORMED, "“%s” names no ECU in its custom", path);
  g_hash_table_iter_init (&iter, target->ecus);
  while (g_hash_table_iter_next (&iter, &serial, &hardware_id)) {
    if (!judge_ecu (check, serial, hardware_id, error))
      return FALSE;
    const RbVehicleEcu *ecu = vehicle_ecu (check->request, serial);
    gboolean known_better = ((const char *) hardware_id)[0] == '\0' && ecu != NULL;
    RbAssignment *assignment = g_new0 (RbAssignment, 1);
    assignment->serial = g_strdup (serial);
    assignment->hardware_id = g_strdup (known_better ? ecu->hardware_id : hardware_id);
    assignment->target = rb_target_from_json (path, entry, NULL);
    assignment->director_counter = target->release_counter;
    g_ptr_array_add (check->assignments, assignment);
  }
  return TRUE;
}

typedef struct {
  Check *check;
  GError **error;
} Assign;

static gboolean
assign_entry (const char *path, const json_t *entry, gpointer data)
{
  const Assign *self = data;
  return assign (self->check, path, entry, self->error);
}

/* The Standard (5.2.3.1) leaves the member's name open: these are met. Each that is there names one vehicle, and the
 * same. *vin NULL: none is there. */
static gboolean
read_vehicle (Check *check, const json_t *part, const char **vin, GError **error)
{
  const json_t *custom = json_object_get (part, "custom");
  const json_t *members[]
    = { json_object_get (part, "vin"), json_object_get (part, "device_id"), json_object_get (custom, "vin") };
  *vin = NULL;
  if (custom != NULL && !json_is_object (custom) && !json_is_null (custom))
    return refused (check, "director", error, RB_REASON_MALFORMED, "member “custom” is not an object");
  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    const char *text = json_string_value (members[i]);
    if (members[i] != NULL && text == NULL)
      return refused (check, "director", error, RB_REASON_MALFORMED, "the vehicle they are for is not a string");
    if (text != NULL && *vin != NULL && strcmp (*vin, text) != 0)
      return refused (check, "director", error, RB_REASON_MALFORMED, "they name vehicle %s and vehicle %s", *vin, text);
    *vin = text != NULL ? text : *vin;
  }
  return TRUE;
}

static gboolean
judge_vin (Check *check, const RbMetadata *targets, GError **error)
{
  const char *vin = NULL;
  const char *wanted = check->request->vin;
  if (!read_vehicle (check, targets->signed_part, &vin, error))
    return FALSE;
  if (vin != NULL && wanted != NULL && strcmp (vin, wanted) != 0)
    return refused (check, "director", error, RB_REASON_VIN_MISMATCH, "they are for vehicle %s", vin);
  return TRUE;
}

/* What directs nothing fits every vehicle, so it has to say which one it is for. */
static gboolean
judge_missing_vin (Check *check, const RbMetadata *targets, GError **error)
{
  const RbVehicleRequest *request = check->request;
  const char *vin = NULL;
  gboolean needed = request->vin_needed || check->assignments->len == 0;
  if (!read_vehicle (check, targets->signed_part, &vin, error))
    return FALSE;
  if (!needed || request->vin == NULL || vin != NULL)
    return TRUE;
  return refused (check, "director", error, RB_REASON_VIN_MISMATCH, "they name no vehicle, expected %s", request->vin);
}

static gboolean
judge_director_targets (Check *check, const RbMetadata *targets, GError **error)
{
  const json_t *delegations = json_object_get (targets->signed_part, "delegations");
  Assign assign = { check, error };
  if (json_object_get (delegations, "succinct_roles") != NULL)
    return refused (check, "director", error, RB_REASON_MALFORMED, "the Director has succinct_roles");
  if (json_array_size (json_object_get (delegations, "roles")) > 0)
    return refused (check, "director", error, RB_REASON_DELEGATION_IN_DIRECTOR, "the Director delegates");
  return judge_vin (check, targets, error) && rb_metadata_each_entry (targets, assign_entry, &assign)
         && judge_missing_vin (check, targets, error);
}

static gboolean
is_judged (Check *check, const RbAssignment *assignment)
{
  return check->request->own_serial == NULL || strcmp (check->request->own_serial, assignment->serial) == 0;
}

static gboolean
judge_release_counter (Check *check, RbRepository *repository, const char *repo, const RbAssignment *assignment,
                       GError **error)
{
  gint64 stored = rb_repository_counter (repository, assignment->serial);
  gint64 now = assignment->target->release_counter;
  if (now >= stored)
    return TRUE;
  return refused (check, repo, error, RB_REASON_RELEASE_COUNTER,
                  "release counter for ECU %s is %" G_GINT64_FORMAT ", accepted before was %" G_GINT64_FORMAT,
                  assignment->serial, now, stored);
}

/* Each repository's counters bind by themselves: keys that one of them changes take only its own away. images: NULL in
 * partial verification. */
static gboolean
judge_release_counters (Check *check, RbRepository *director, RbRepository *images, GError **error)
{
  for (guint i = 0; i < check->assignments->len; i++) {
    const RbAssignment *assignment = check->assignments->pdata[i];
    if (is_judged (check, assignment)
        && (!judge_release_counter (check, director, "director", assignment, error)
            || (images != NULL && !judge_release_counter (check, images, "image", assignment, error))))
      return FALSE;
  }
  return TRUE;
}

/* Before the commit that makes them durable. */
static void
set_release_counters (Check *check, RbRepository *director, RbRepository *images)
{
  for (guint i = 0; i < check->assignments->len; i++) {
    const RbAssignment *assignment = check->assignments->pdata[i];
    if (!is_judged (check, assignment))
      continue;
    g_autoptr (RbTarget) directed = rb_target_copy (assignment->target);
    directed->release_counter = assignment->director_counter;
    rb_repository_set_counter (director, assignment->serial, directed);
    if (images != NULL && assignment->image != NULL)
      rb_repository_set_counter (images, assignment->serial, assignment->image);
  }
}

static gboolean
names_hardware (GStrv hardware_ids, const char *hardware_id)
{
  return hardware_ids == NULL || hardware_id[0] == '\0'
         || g_strv_contains ((const char *const *) hardware_ids, hardware_id);
}

/* What the Director orders must be what the Image repository offers under the same name, with the same custom fields.
 */
static gboolean
compare (Check *check, RbAssignment *assignment, const RbTarget *image, GError **error)
{
  RbTarget *directed = assignment->target;
  if (!rb_target_same_content (directed, image))
    return refused (check, "image", error, RB_REASON_TARGET_MISMATCH, "“%s” is not the image the Director means",
                    image->path);
  if (!names_hardware (directed->hardware_ids, assignment->hardware_id))
    return refused (check, "director", error, RB_REASON_HARDWARE_MISMATCH,
                    "“%s” is not for the hardware it is directed to", image->path);
  if (!names_hardware (image->hardware_ids, assignment->hardware_id))
    return refused (check, "image", error, RB_REASON_TARGET_MISMATCH,
                    "“%s” is for other hardware than the Director says", image->path);
  if (directed->release_counter >= 0 && image->release_counter >= 0
      && directed->release_counter != image->release_counter)
    return refused (check, "image", error, RB_REASON_TARGET_MISMATCH, "the release counters of “%s” differ",
                    image->path);
  /* a Director that is silent does not switch the counter off */
  directed->release_counter = MAX (directed->release_counter, image->release_counter);
  return TRUE;
}

static gboolean
compare_all (Check *check, RbRepository *images, GError **error)
{
  for (guint i = 0; i < check->assignments->len; i++) {
    RbAssignment *assignment = check->assignments->pdata[i];
    if (!is_judged (check, assignment))
      continue;
    assignment->image = rb_repository_find (images, assignment->target->path, assignment->hardware_id, error);
    if (assignment->image == NULL || !compare (check, assignment, assignment->image, error))
      return FALSE;
  }
  return TRUE;
}

GBytes *
rb_vehicle_fetch_image (RbSource *source, const RbTarget *target, GError **failure)
{
  const char *file = file_of (target->path);
  g_autofree char *folder = g_path_get_dirname (file);
  g_autofree char *base = g_path_get_basename (file);
  const char *hashes[] = { target->sha256, target->sha512 };
  g_autoptr (GError) absent = NULL;
  GBytes *bytes = rb_source_fetch (source, file, MAX_IMAGE, &absent);
  for (guint i = 0; i < G_N_ELEMENTS (hashes) && bytes == NULL && rb_reason_of (absent) == RB_REASON_MISSING; i++) {
    if (hashes[i] == NULL)
      continue;
    g_autofree char *name = g_strdup_printf ("%s.%s", hashes[i], base);
    g_autofree char *path = strcmp (folder, ".") == 0 ? g_strdup (name) : g_build_filename (folder, name, NULL);
    g_clear_error (&absent);
    bytes = rb_source_fetch (source, path, MAX_IMAGE, &absent);
  }
  if (bytes == NULL && rb_reason_of (absent) != RB_REASON_MISSING)
    g_propagate_error (failure, g_steal_pointer (&absent));
  return bytes;
}

static gboolean
judge_image (Check *check, RbAssignment *assignment, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) bytes = rb_vehicle_fetch_image (check->request->images, assignment->target, &failure);
  assignment->image_seen = bytes != NULL;
  if (failure == NULL && (bytes == NULL || rb_target_check_image (assignment->target, bytes, &failure)))
    return TRUE;
  return refused (check, "image", error, rb_reason_of (failure), "%s", failure->message);
}

/* A folder that holds metadata alone is one of metadata; where there are images, each must be there. */
static gboolean
judge_images (Check *check, GError **error)
{
  gboolean expected = check->request->images != NULL && rb_source_has_folder (check->request->images, "targets");
  for (guint i = 0; check->request->images != NULL && i < check->assignments->len; i++) {
    RbAssignment *assignment = check->assignments->pdata[i];
    if (is_judged (check, assignment) && !judge_image (check, assignment, error))
      return FALSE;
    expected = expected || assignment->image_seen;
  }
  for (guint i = 0; expected && i < check->assignments->len; i++) {
    const RbAssignment *assignment = check->assignments->pdata[i];
    if (is_judged (check, assignment) && !assignment->image_seen)
      return refused (check, "image", error, RB_REASON_MISSING, "the image “%s” is not there",
                      assignment->target->path);
  }
  return TRUE;
}

static gboolean
update_online_roles (RbRepository *repository, GError **error)
{
  return rb_repository_update_timestamp (repository, error) && rb_repository_update_snapshot (repository, error);
}

/* The Standard demands timestamp and snapshot of the Director; fielded Directors without them have a root that does not
 * list the roles, so they are demanded exactly when it does. */
static gboolean
update_director (RbRepository *director, GError **error)
{
  gboolean online = rb_repository_has_role (director, "timestamp") || rb_repository_has_role (director, "snapshot");
  return (!online || update_online_roles (director, error)) && rb_repository_update_targets (director, error);
}

static gboolean
own_is_assigned (Check *check, GError **error)
{
  const char *own = check->request->own_serial;
  if (own == NULL || already_assigned (check, own))
    return TRUE;
  return refused (check, "director", error, RB_REASON_TARGET_MISSING, "nothing is directed to ECU %s", own);
}

static RbPolicy
policy_for (const RbVehicleRequest *request, const char *repo)
{
  RbPolicy policy = rb_policy_uptane (repo, request->now);
  gsize director = request->max_director_targets > 0 ? request->max_director_targets : DEFAULT_MAX_DIRECTOR_TARGETS;
  gsize targets = strcmp (repo, "director") == 0 ? director : request->max_image_targets;
  policy.max_targets = targets > 0 ? targets : policy.max_targets;
  policy.max_snapshot = request->max_snapshot > 0 ? request->max_snapshot : policy.max_snapshot;
  policy.any_layout = request->any_layout;
  return policy;
}

static RbRepository *
repository_for (const RbVehicleRequest *request, const char *repo, RbStore *store, RbSource *source,
                RbRejection *verdict)
{
  const RbPolicy policy = policy_for (request, repo);
  return rb_repository_new_for_store (store, source, &policy, verdict);
}

static const RbMetadata *
targets_of (RbRepository *repository)
{
  return rb_repository_metadata (repository, "targets");
}

gboolean
rb_vehicle_verify_full (RbStore *director_store, RbSource *director_source, RbStore *image_store,
                        RbSource *image_source, const RbVehicleRequest *request, GPtrArray **assignments,
                        RbRejection *verdict, GError **error)
{
  g_autoptr (RbRepository) director = repository_for (request, "director", director_store, director_source, verdict);
  g_autoptr (RbRepository) images = repository_for (request, "image", image_store, image_source, verdict);
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_vehicle_assignment_free);
  Check check = { request, verdict, found };
  if (!rb_repository_update_root (director, error))
    return FALSE;
  if (!update_director (director, error) || !judge_director_targets (&check, targets_of (director), error)
      || !own_is_assigned (&check, error))
    return FALSE;
  if (!rb_repository_update_root (images, error) || !update_online_roles (images, error)
      || !rb_repository_update_targets (images, error) || !compare_all (&check, images, error)
      || !judge_release_counters (&check, director, images, error) || !judge_images (&check, error))
    return FALSE;
  set_release_counters (&check, director, images);
  if (request->keep_time)
    rb_store_set_time (director_store, request->now);
  if (!rb_repository_commit (images, error) || !rb_repository_commit (director, error))
    return FALSE;
  if (request->director_signed != NULL)
    *request->director_signed = json_incref (targets_of (director)->signed_part);
  if (assignments != NULL)
    *assignments = g_steal_pointer (&found);
  return TRUE;
}

gboolean
rb_vehicle_verify_partial (RbStore *director_store, RbSource *director_source, const RbVehicleRequest *request,
                           GPtrArray **assignments, RbRejection *verdict, GError **error)
{
  g_autoptr (RbRepository) director = repository_for (request, "director", director_store, director_source, verdict);
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_vehicle_assignment_free);
  Check check = { request, verdict, found };
  if (!rb_store_has_root (director_store)) {
    refused (&check, "director", error, RB_REASON_NO_TRUST_ANCHOR, "there is no trusted root");
    return FALSE;
  }
  if (!rb_repository_update_targets (director, error) || !judge_director_targets (&check, targets_of (director), error)
      || !own_is_assigned (&check, error) || !judge_release_counters (&check, director, NULL, error))
    return FALSE;
  set_release_counters (&check, director, NULL);
  if (!rb_repository_commit (director, error))
    return FALSE;
  if (assignments != NULL)
    *assignments = g_steal_pointer (&found);
  return TRUE;
}

gboolean
rb_vehicle_update_root (RbStore *store, RbSource *source, gint64 now, const char *repo, RbRejection *verdict,
                        GError **error)
{
  const RbPolicy policy = rb_policy_uptane (repo, now);
  g_autoptr (RbRepository) repository = rb_repository_new_for_store (store, source, &policy, verdict);
  return rb_repository_update_root (repository, error);
}
