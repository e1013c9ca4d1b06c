/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/uptane.h"

#include "core/files.h"
#include "core/json.h"
#include "core/lock.h"
#include "core/moment.h"
#include "crypto/secret.h"
#include "uptane/vehicle.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define MAX_ROOT (512 * 1024)
#define MAX_LIMIT (G_GINT64_CONSTANT (1) << 40) /* bytes */

typedef struct {
  char *director, *image, *director_root, *image_root, *state, *vin, *primary, *time;
  GStrv secondaries, partials;
  gint64 max_director_targets, max_image_targets, max_snapshot;
} Options;

/* One verification: what was asked, and what is opened for it. */
typedef struct {
  Options options;
  GArray *ecus; /* of RbVehicleEcu; the Primary first, the last n_partial by partial verification */
  GPtrArray *texts; /* owns the words of ecus */
  guint n_partial;
  gint64 now;
  RbLock *lock; /* of the state, from before it is read until it is written */
  RbStore *stores[2]; /* Director, Image */
  RbSource *sources[2];
  RbRejection verdict;
} Session;

static const char *const repos[] = { "director", "image" };

static void
session_clear (Session *self)
{
  Options *options = &self->options;
  char **texts[] = { &options->director, &options->image, &options->director_root, &options->image_root,
                     &options->state,    &options->vin,   &options->primary,       &options->time };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_clear_pointer (texts[i], g_free);
  g_clear_pointer (&options->secondaries, g_strfreev);
  g_clear_pointer (&options->partials, g_strfreev);
  g_clear_pointer (&self->ecus, g_array_unref);
  g_clear_pointer (&self->texts, g_ptr_array_unref);
  for (guint i = 0; i < G_N_ELEMENTS (repos); i++) {
    g_clear_pointer (&self->stores[i], rb_store_free);
    g_clear_pointer (&self->sources[i], rb_source_free);
  }
  g_clear_pointer (&self->lock, rb_lock_free);
  rb_rejection_clear (&self->verdict);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Session, session_clear)

#define usage(error, ...) rb_reason_deny (error, RB_CORE_ERROR, RB_REASON_USAGE, __VA_ARGS__)

static gboolean
is_listed (const Session *self, const char *serial)
{
  for (guint i = 0; i < self->ecus->len; i++)
    if (strcmp (g_array_index (self->ecus, RbVehicleEcu, i).serial, serial) == 0)
      return TRUE;
  return FALSE;
}

/* SERIAL:HWID; a serial may hold colons, a hardware id none. */
static gboolean
add_ecu (Session *self, const char *text, GError **error)
{
  const char *colon = strrchr (text, ':');
  if (colon == NULL || colon == text || colon[1] == '\0')
    return usage (error, "“%s” is not SERIAL:HWID", text);
  g_autofree char *serial = g_strndup (text, (gsize) (colon - text));
  if (is_listed (self, serial))
    return usage (error, "ECU %s is named twice", serial);
  const RbVehicleEcu ecu = { serial, g_strdup (&colon[1]) };
  g_ptr_array_add (self->texts, g_steal_pointer (&serial));
  g_ptr_array_add (self->texts, (gpointer) ecu.hardware_id);
  g_array_append_val (self->ecus, ecu);
  return TRUE;
}

static gboolean
add_ecus (Session *self, GError **error)
{
  const Options *options = &self->options;
  self->ecus = g_array_new (FALSE, FALSE, sizeof (RbVehicleEcu));
  self->texts = g_ptr_array_new_with_free_func (g_free);
  self->n_partial = options->partials == NULL ? 0 : g_strv_length (options->partials);
  if (!add_ecu (self, options->primary, error))
    return FALSE;
  for (guint i = 0; options->secondaries != NULL && options->secondaries[i] != NULL; i++)
    if (!add_ecu (self, options->secondaries[i], error))
      return FALSE;
  for (guint i = 0; i < self->n_partial; i++)
    if (!add_ecu (self, options->partials[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
check_options (Session *self, GError **error)
{
  const Options *options = &self->options;
  self->now = rb_moment_now ();
  if (options->time != NULL && !rb_moment_from_text (options->time, &self->now))
    return usage (error, "“%s” is not a time like 2026-11-23T07:00:00Z", options->time);
  return add_ecus (self, error);
}

/* A clock put back would make expired metadata good again. */
static gboolean
check_time (Session *self, GError **error)
{
  gint64 latest = rb_store_time (self->stores[0]);
  if (self->now >= latest)
    return TRUE;
  g_autofree char *before = rb_moment_to_text (latest);
  g_set_error (error, RB_UPTANE_ERROR, RB_REASON_CLOCK, "metadata was verified at %s already; time does not go back",
               before);
  return FALSE;
}

/* A root from the command line counts only while the store holds none. */
static gboolean
open_repository (Session *self, guint i, char **culprit, GError **error)
{
  const char *folders[] = { self->options.director, self->options.image };
  const char *anchors[] = { self->options.director_root, self->options.image_root };
  g_autofree char *path = g_build_filename (self->options.state, repos[i], NULL);
  g_autoptr (GBytes) anchor = NULL;
  self->sources[i] = rb_source_folder (folders[i]);
  self->stores[i] = rb_store_open (path, error);
  if (self->stores[i] == NULL || rb_store_has_root (self->stores[i]))
    return self->stores[i] != NULL;
  if (anchors[i] == NULL) {
    g_set_error (error, RB_UPTANE_ERROR, RB_REASON_NO_TRUST_ANCHOR, "no trusted root; give --%s-root", repos[i]);
    return FALSE;
  }
  anchor = rb_files_read (anchors[i], MAX_ROOT, error);
  if (anchor == NULL || rb_store_anchor (self->stores[i], anchor, error))
    return anchor != NULL;
  *culprit = rb_metadata_illegal_role (anchor);
  return FALSE;
}

static gboolean
open_session (Session *self, GError **error)
{
  GError *failure = NULL;
  self->lock = rb_lock_folder (self->options.state, self->options.state, error);
  if (self->lock == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (repos); i++) {
    g_autofree char *culprit = NULL;
    if (open_repository (self, i, &culprit, &failure))
      continue;
    g_prefix_error (&failure, "%s repository: ", repos[i]);
    rb_rejection_set (&self->verdict, repos[i], culprit == NULL ? "root" : culprit, failure);
    g_propagate_error (error, failure);
    return FALSE;
  }
  return check_time (self, error);
}

static GPtrArray *
verify (Session *self, GError **error)
{
  g_autoptr (GPtrArray) assignments = NULL;
  if (!open_session (self, error))
    return NULL;
  const RbVehicleRequest request = { .now = self->now,
                                     .vin = self->options.vin,
                                     .ecus = (const RbVehicleEcu *) (gpointer) self->ecus->data,
                                     .n_ecus = self->ecus->len,
                                     .max_director_targets = (gsize) self->options.max_director_targets,
                                     .max_image_targets = (gsize) self->options.max_image_targets,
                                     .max_snapshot = (gsize) self->options.max_snapshot,
                                     .images = self->sources[1],
                                     .keep_time = TRUE,
                                     .any_layout = TRUE };
  if (!rb_vehicle_verify_full (self->stores[0], self->sources[0], self->stores[1], self->sources[1], &request,
                               &assignments, &self->verdict, error))
    return NULL;
  return g_steal_pointer (&assignments);
}

/* {"root", "root_sha256", "timestamp", "snapshot", "targets", DELEGATION…: version} */
static json_t *
versions_of (RbStore *store)
{
  json_t *object = json_object ();
  g_auto (GStrv) roles = rb_store_roles (store);
  for (guint i = 0; roles[i] != NULL; i++)
    rb_json_set_integer (object, roles[i], rb_store_version (store, roles[i], NULL));
  /* after the delegated roles, which may have any other name */
  rb_json_set_integer (object, "root", rb_store_root_version (store));
  rb_json_set_string (object, "root_sha256", rb_store_root_sha256 (store));
  return object;
}

static gboolean
is_partial (const Session *self, const char *serial)
{
  for (guint i = self->ecus->len - self->n_partial; i < self->ecus->len; i++)
    if (strcmp (g_array_index (self->ecus, RbVehicleEcu, i).serial, serial) == 0)
      return TRUE;
  return FALSE;
}

static json_t *
row_of (const Session *self, const RbAssignment *assignment)
{
  json_t *row = json_object ();
  const RbTarget *target = assignment->target;
  rb_json_set_string (row, "serial", assignment->serial);
  rb_json_set_string (row, "hardware_id", assignment->hardware_id);
  rb_json_set_string (row, "verification", is_partial (self, assignment->serial) ? "partial" : "full");
  rb_json_set_string (row, "path", target->path);
  rb_json_set_boolean (row, "image_verified", assignment->image_seen);
  rb_json_set_integer (row, "length", (gint64) target->length);
  if (target->sha256 != NULL)
    rb_json_set_string (row, "sha256", target->sha256);
  if (target->release_counter >= 0)
    rb_json_set_integer (row, "release_counter", target->release_counter);
  return row;
}

static gboolean
director_is_fresh (const Session *self)
{
  const RbMetadata *root = rb_store_root_metadata (self->stores[0]);
  return json_object_get (json_object_get (root->signed_part, "roles"), "timestamp") != NULL;
}

/* Files of the stores that were damaged and are mended with what was accepted. NULL: none. (transfer full) */
static json_t *
damaged_files (const Session *self)
{
  g_autoptr (json_t) names = json_array ();
  for (guint i = 0; i < G_N_ELEMENTS (repos); i++) {
    GPtrArray *damaged = self->stores[i] == NULL ? NULL : rb_store_damaged (self->stores[i]);
    for (guint k = 0; damaged != NULL && k < damaged->len; k++) {
      g_autofree char *name = g_build_filename (repos[i], damaged->pdata[k], NULL);
      json_array_append_new (names, json_string (name));
    }
  }
  return json_array_size (names) > 0 ? g_steal_pointer (&names) : NULL;
}

static void
tell_damage (RbCli *cli, const Session *self, json_t *extra)
{
  json_t *names = damaged_files (self);
  for (gsize i = 0; i < json_array_size (names); i++)
    rb_cli_say (cli, _ ("%s/%s: the stored file was damaged"), self->options.state,
                json_string_value (json_array_get (names, i)));
  if (names != NULL)
    rb_json_set (extra, "store_damaged", names);
}

static int
accepted (RbCli *cli, const Session *self, GPtrArray *assignments)
{
  json_t *extra = json_object (), *rows = json_array ();
  for (guint i = 0; i < assignments->len; i++) {
    const RbAssignment *assignment = assignments->pdata[i];
    json_array_append_new (rows, row_of (self, assignment));
    rb_cli_say (cli, "%-24s %-16s %s%s", assignment->serial, assignment->hardware_id, assignment->target->path,
                assignment->image_seen ? "" : _ (" (the image itself is not here)"));
  }
  if (!director_is_fresh (self))
    rb_cli_say (cli, _ ("The Director's root lists no timestamp: only the expiry of its targets limits their age."));
  rb_json_set_string (extra, "vin", self->options.vin);
  rb_json_set_moment (extra, "time", self->now);
  rb_json_set (extra, "director", versions_of (self->stores[0]));
  rb_json_set (extra, "image", versions_of (self->stores[1]));
  rb_json_set_boolean (extra, "director_timestamp", director_is_fresh (self));
  rb_json_set (extra, "ecus", rows);
  tell_damage (cli, self, extra);
  g_autofree char *message
    = g_strdup_printf ("Accepted: %u of the vehicle's %u ECUs are directed, and both repositories agree",
                       assignments->len, self->ecus->len);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, extra);
}

static int
rejected (RbCli *cli, const Session *self, const GError *error)
{
  const RbRejection *verdict = &self->verdict;
  const char *attack = rb_rejection_attack (rb_reason_of (error));
  json_t *extra = json_object ();
  rb_json_set (extra, "repo", verdict->repo == NULL ? json_null () : json_string (verdict->repo));
  rb_json_set (extra, "role", verdict->role == NULL ? json_null () : json_string (verdict->role));
  tell_damage (cli, self, extra);
  rb_json_set_string (extra, "attack", attack);
  rb_json_set_string (extra, "attack_means", attack == NULL ? NULL : rb_rejection_attack_means (attack));
  g_autofree char *text = attack == NULL
                            ? g_strdup (error->message)
                            : g_strdup_printf (_ ("%s\nThis is what stops the attack “%s”: %s"), error->message, attack,
                                               _ (rb_rejection_attack_means (attack)));
  return rb_cli_end (cli, RB_CLI_FAILED, rb_reason_word (rb_reason_of (error)), cli->json ? error->message : text,
                     extra);
}

static int
verb_verify (RbCli *cli, int argc, char **argv)
{
  g_auto (Session) self = { { NULL } };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &self.options, &argc, &argv, &code))
    return code;
  rb_secret_show_process ();
  if (!check_options (&self, &error))
    return rb_cli_fail (cli, error, NULL);
  g_autoptr (GPtrArray) assignments = verify (&self, &error);
  if (rb_reason_of (error) == RB_REASON_IN_USE)
    return rb_cli_fail (cli, error, NULL);
  return assignments == NULL ? rejected (cli, &self, error) : accepted (cli, &self, assignments);
}

static const RbOption verify_options[] = {
  { "director", "DIR", "the Director's metadata", RB_OPTION_FOLDER (Options, director), .needed = TRUE },
  { "image", "DIR", "the Image repository's metadata and images", RB_OPTION_FOLDER (Options, image), .needed = TRUE },
  { "director-root", "FILE", "trusted while the state holds no Director root",
    RB_OPTION_FILE (Options, director_root) },
  { "image-root", "FILE", "trusted while the state holds no Image root", RB_OPTION_FILE (Options, image_root) },
  { "state", "DIR", "what was accepted before; kept up to date", RB_OPTION_FOLDER (Options, state), .needed = TRUE },
  { "vin", "VIN", "the vehicle", RB_OPTION_TEXT (Options, vin), .needed = TRUE },
  { "primary", "SERIAL:HWID", "its Primary", RB_OPTION_TEXT (Options, primary), .needed = TRUE },
  { "secondary", "SERIAL:HWID", "a Secondary with full verification; may be repeated",
    RB_OPTION_TEXTS (Options, secondaries) },
  { "partial", "SERIAL:HWID", "a Secondary with partial verification; may be repeated",
    RB_OPTION_TEXTS (Options, partials) },
  { "time", "T", "evaluate expiry at this time (default: now)", RB_OPTION_TEXT (Options, time) },
  { "max-director-targets", "N", "largest Director targets file, in bytes",
    RB_OPTION_NUMBER (Options, max_director_targets, 0, MAX_LIMIT) },
  { "max-image-targets", "N", "largest Image targets file, in bytes",
    RB_OPTION_NUMBER (Options, max_image_targets, 0, MAX_LIMIT) },
  { "max-snapshot", "N", "largest snapshot file, in bytes", RB_OPTION_NUMBER (Options, max_snapshot, 0, MAX_LIMIT) },
  { NULL },
};

const RbCliVerb rb_uptane_verbs[] = {
  { "uptane verify", "--director DIR --image DIR …", "verify metadata and images as a vehicle would", verb_verify,
    verify_options },
  { NULL },
};
