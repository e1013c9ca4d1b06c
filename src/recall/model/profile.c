/* SPDX-License-Identifier: Apache-2.0 */
#include "model/profile.h"

#include "model/member.h"

#include <string.h>

#define DID_RXSWIN 0xf1ef
#define DID_PART_NUMBER 0xf187 /* vehicleManufacturerSparePartNumber of ISO 14229 */
#define MAX_FILE (256 * 1024)
#define MAX_STEPS 32
/* Upper bound of every time in a profile: one ECU must not stop the vehicle. */
enum { MAX_P2_MS = 10000, MAX_P2_STAR_MS = 60000, MAX_BUSY_MS = 60000, MAX_DELAY_MS = 600000 };
enum { DEFAULT_LOST_RESPONSES = 2, MAX_LOST_RESPONSES = 100 };

static const char *const step_names[] = {
  [RB_STEP_UNLOCK] = "unlock",     [RB_STEP_ROOTS] = "roots", [RB_STEP_DROP] = "drop",
  [RB_STEP_METADATA] = "metadata", [RB_STEP_IMAGE] = "image", [RB_STEP_RESET] = "reset",
  [RB_STEP_CODING] = "coding",     [RB_STEP_KEY] = "key",     [RB_STEP_REPORT] = "report",
};

const char *
rb_profile_step_name (RbStep step)
{
  return step_names[step];
}

void
rb_profile_free (RbProfile *self)
{
  if (self == NULL)
    return;
  g_free (self->id);
  g_free (self->name);
  g_free (self->security_algorithm);
  g_clear_pointer (&self->coding, g_ptr_array_unref);
  g_free (self->order);
  rb_recipe_free (self->recipe);
  g_free (self);
}

/* Optional; value stays as it is when the member is absent. */
static gboolean
read_time (const json_t *timing, const char *member, gint64 most, gint64 *value, GError **error)
{
  return json_object_get (timing, member) == NULL
         || rb_json_integer (timing, member, 1, most, value, "profile, timing", error);
}

static gboolean
read_waits (RbProfile *self, const json_t *timing, GError **error)
{
  gint64 lost = DEFAULT_LOST_RESPONSES;
  if (!read_time (timing, "p2_max_ms", MAX_P2_MS, &self->p2_max_ms, error)
      || !read_time (timing, "p2_star_max_ms", MAX_P2_STAR_MS, &self->p2_star_max_ms, error)
      || !read_time (timing, "busy_ms", MAX_BUSY_MS, &self->busy_ms, error)
      || !read_time (timing, "security_delay_ms", MAX_DELAY_MS, &self->security_delay_ms, error)
      || !read_time (timing, "lost_responses", MAX_LOST_RESPONSES, &lost, error))
    return FALSE;
  self->lost_responses = (guint) lost;
  return TRUE;
}

static gboolean
read_timing (RbProfile *self, const json_t *json, GError **error)
{
  const char *what = "profile, timing";
  gint64 pending = 0;
  const json_t *timing = rb_json_object (json, "timing", "profile", error);
  if (timing == NULL
      || !rb_json_only (timing, what, error, "p2_ms", "p2_star_ms", "s3_ms", "erase_ms", "boot_ms", "max_pending",
                        "p2_max_ms", "p2_star_max_ms", "busy_ms", "security_delay_ms", "lost_responses", NULL)
      || !rb_json_integer (timing, "p2_ms", 1, MAX_P2_MS, &self->p2_ms, what, error)
      || !rb_json_integer (timing, "p2_star_ms", 1, MAX_P2_STAR_MS, &self->p2_star_ms, what, error)
      || !rb_json_integer (timing, "s3_ms", 1, 60000, &self->s3_ms, what, error)
      || !rb_json_integer (timing, "erase_ms", 0, 600000, &self->erase_ms, what, error)
      || !rb_json_integer (timing, "boot_ms", 0, 600000, &self->boot_ms, what, error)
      || !rb_json_integer (timing, "max_pending", 0, 10000, &pending, what, error))
    return FALSE;
  self->max_pending = (guint) pending;
  return read_waits (self, timing, error);
}

static gboolean
read_security_access (RbProfile *self, const json_t *unlock, const char *what, GError **error)
{
  gint64 level = 0;
  if (!rb_json_integer (unlock, "level", 1, 0x7D, &level, what, error)
      || !rb_member_id (unlock, "algorithm", &self->security_algorithm, what, error))
    return FALSE;
  self->security_level = (guint8) level;
  return level % 2 == 1 || rb_member_refuse (error, what, "member “level” is even, a seed is asked for at an odd one");
}

/* Absent: the message binds vehicle and ECU. */
static gboolean
read_proof (RbProfile *self, const json_t *unlock, const char *what, GError **error)
{
  static const char *const proofs[] = { "recallbay-0x29-v2", "bare-challenge" };
  guint proof = 0;
  if (json_object_get (unlock, "proof") != NULL
      && !rb_member_choice (unlock, "proof", proofs, G_N_ELEMENTS (proofs), &proof, what, error))
    return FALSE;
  self->bare_challenge = proof == 1;
  return TRUE;
}

/* Absent: the ECUs still receive. */
static gboolean
read_communication (RbProfile *self, const json_t *json, GError **error)
{
  static const char *const controls[] = { "enable-rx-disable-tx", "disable-rx-tx" };
  guint control = 0;
  if (json_object_get (json, "communication_control") != NULL
      && !rb_member_choice (json, "communication_control", controls, G_N_ELEMENTS (controls), &control, "profile",
                            error))
    return FALSE;
  self->disable_rx = control == 1;
  return TRUE;
}

static gboolean
read_unlock (RbProfile *self, const json_t *json, GError **error)
{
  static const char *const methods[] = { [RB_UNLOCK_NONE] = "none",
                                         [RB_UNLOCK_AUTHENTICATION] = "authentication",
                                         [RB_UNLOCK_SECURITY_ACCESS] = "security-access" };
  const char *what = "profile, unlock";
  guint method = 0;
  const json_t *unlock = rb_json_object (json, "unlock", "profile", error);
  if (unlock == NULL || !rb_json_only (unlock, what, error, "method", "level", "algorithm", "proof", NULL)
      || !rb_member_choice (unlock, "method", methods, G_N_ELEMENTS (methods), &method, what, error))
    return FALSE;
  self->unlock = (RbUnlock) method;
  if (self->unlock != RB_UNLOCK_AUTHENTICATION && json_object_get (unlock, "proof") != NULL)
    return rb_member_refuse (error, what, "member “proof” belongs to “authentication” only");
  if (self->unlock == RB_UNLOCK_SECURITY_ACCESS)
    return read_security_access (self, unlock, what, error);
  if (json_object_get (unlock, "level") != NULL || json_object_get (unlock, "algorithm") != NULL)
    return rb_member_refuse (error, what, "members “level” and “algorithm” belong to “security-access” only");
  if (self->unlock == RB_UNLOCK_AUTHENTICATION)
    return read_proof (self, unlock, what, error);
  return TRUE;
}

static gboolean
read_identification (RbProfile *self, const json_t *json, GError **error)
{
  const char *what = "profile, identification";
  const json_t *dids = rb_json_object (json, "identification", "profile", error);
  self->did_rxswin = DID_RXSWIN;
  self->did_part_number = DID_PART_NUMBER;
  return dids != NULL
         && rb_json_only (dids, what, error, "vin", "serial", "hardware_id", "software", "boot", "director_root",
                          "image_root", "key_id", "stored_metadata", "voltage", "ignition", "speed", "she_counter",
                          "rxswin", "part_number", NULL)
         && rb_member_identifier (dids, "vin", &self->did_vin, what, error)
         && rb_member_identifier (dids, "serial", &self->did_serial, what, error)
         && rb_member_identifier (dids, "hardware_id", &self->did_hardware_id, what, error)
         && rb_member_identifier (dids, "software", &self->did_software, what, error)
         && rb_member_identifier (dids, "boot", &self->did_boot, what, error)
         && rb_member_identifier (dids, "director_root", &self->did_director_root, what, error)
         && rb_member_identifier_or_none (dids, "image_root", &self->did_image_root, what, error)
         && rb_member_identifier (dids, "key_id", &self->did_key_id, what, error)
         && rb_member_identifier (dids, "stored_metadata", &self->did_stored_metadata, what, error)
         && rb_member_identifier_or_none (dids, "voltage", &self->did_voltage, what, error)
         && rb_member_identifier_or_none (dids, "ignition", &self->did_ignition, what, error)
         && rb_member_identifier_or_none (dids, "speed", &self->did_speed, what, error)
         && rb_member_identifier_or_none (dids, "she_counter", &self->did_she_counter, what, error)
         && (json_object_get (dids, "rxswin") == NULL
             || rb_member_identifier (dids, "rxswin", &self->did_rxswin, what, error))
         && (json_object_get (dids, "part_number") == NULL
             || rb_member_identifier (dids, "part_number", &self->did_part_number, what, error));
}

static gboolean
read_flash (RbProfile *self, const json_t *json, GError **error)
{
  static const char *const by[] = { "application", "bootloader" };
  const char *what = "profile, flash";
  guint who = 0;
  gint64 block = 0;
  const json_t *flash = rb_json_object (json, "flash", "profile", error);
  if (flash == NULL
      || !rb_json_only (flash, what, error, "erase", "digest", "dependencies", "digest_by", "max_block", "fingerprint",
                        NULL)
      || !rb_member_identifier (flash, "erase", &self->routine_erase, what, error)
      || !rb_member_identifier (flash, "digest", &self->routine_digest, what, error)
      || !rb_member_identifier (flash, "dependencies", &self->routine_dependencies, what, error)
      || !rb_member_identifier_or_none (flash, "fingerprint", &self->did_fingerprint, what, error)
      || !rb_member_choice (flash, "digest_by", by, G_N_ELEMENTS (by), &who, what, error))
    return FALSE;
  if (json_object_get (flash, "max_block") != NULL
      && !rb_json_integer (flash, "max_block", 0, 1024 * 1024, &block, what, error))
    return FALSE;
  self->digest_by_bootloader = who == 1;
  self->max_block = (gsize) block;
  return TRUE;
}

static gboolean
read_metadata (RbProfile *self, const json_t *json, GError **error)
{
  const char *what = "profile, metadata";
  const json_t *metadata = rb_json_object (json, "metadata", "profile", error);
  if (metadata == NULL || !rb_json_only (metadata, what, error, "install", "anchor", "drop", "root_in_image", NULL)
      || !rb_json_boolean (metadata, "root_in_image", &self->root_in_image, what, error))
    return FALSE;
  if (self->root_in_image)
    return rb_member_identifier_or_none (metadata, "install", &self->routine_install, what, error)
           && rb_member_identifier_or_none (metadata, "anchor", &self->routine_anchor, what, error)
           && rb_member_identifier_or_none (metadata, "drop", &self->routine_drop, what, error);
  return rb_member_identifier (metadata, "install", &self->routine_install, what, error)
         && rb_member_identifier (metadata, "anchor", &self->routine_anchor, what, error)
         && rb_member_identifier (metadata, "drop", &self->routine_drop, what, error);
}

static gboolean
read_she (RbProfile *self, const json_t *key, const char *what, GError **error)
{
  gint64 slot = 0;
  if (!rb_json_only (key, what, error, "kind", "she_load", "she_slot", NULL)
      || !rb_member_identifier (key, "she_load", &self->routine_she_load, what, error)
      || !rb_json_integer (key, "she_slot", 1, 14, &slot, what, error))
    return FALSE;
  self->she_slot = (guint8) slot;
  if (self->did_she_counter == 0)
    return rb_member_refuse (error, "profile, identification", "member “she_counter” is missing, a SHE key needs it");
  return TRUE;
}

static gboolean
read_key (RbProfile *self, const json_t *json, GError **error)
{
  static const char *const kinds[]
    = { [RB_KEY_KIND_NONE] = "none", [RB_KEY_KIND_ASYMMETRIC] = "asymmetric", [RB_KEY_KIND_SHE] = "she" };
  const char *what = "profile, key";
  guint kind = 0;
  const json_t *key = rb_json_object (json, "key", "profile", error);
  if (key == NULL || !rb_member_choice (key, "kind", kinds, G_N_ELEMENTS (kinds), &kind, what, error))
    return FALSE;
  self->key_kind = (RbKeyKind) kind;
  if (self->key_kind == RB_KEY_KIND_SHE)
    return read_she (self, key, what, error);
  if (self->key_kind == RB_KEY_KIND_NONE)
    return rb_json_only (key, what, error, "kind", NULL);
  return rb_json_only (key, what, error, "kind", "make", "prove", NULL)
         && rb_member_identifier (key, "make", &self->routine_make_key, what, error)
         && rb_member_identifier (key, "prove", &self->routine_prove_key, what, error);
}

static gboolean
read_report (RbProfile *self, const json_t *json, GError **error)
{
  const char *what = "profile, report";
  const json_t *report = rb_json_object (json, "report", "profile", error);
  return report != NULL && rb_json_only (report, what, error, "routine", "manifest", NULL)
         && rb_member_identifier (report, "routine", &self->routine_report, what, error)
         && rb_member_identifier_or_none (report, "manifest", &self->routine_manifest, what, error);
}

static void
coding_free (gpointer data)
{
  RbProfileCoding *self = data;
  g_free (self->name);
  g_clear_pointer (&self->empty, g_bytes_unref);
  g_free (self);
}

static gboolean
has_coding (const RbProfile *self, guint16 did)
{
  for (guint i = 0; i < self->coding->len; i++)
    if (((RbProfileCoding *) self->coding->pdata[i])->did == did)
      return TRUE;
  return FALSE;
}

static gboolean
read_one_coding (RbProfile *self, const json_t *json, GError **error)
{
  const char *what = "profile, coding";
  guint16 did = 0;
  g_autofree char *name = NULL;
  g_autoptr (GBytes) empty = NULL;
  if (!rb_json_only (json, what, error, "did", "name", "empty", NULL)
      || !rb_member_identifier (json, "did", &did, what, error)
      || !rb_member_text (json, "name", 100, &name, what, error)
      || (json_object_get (json, "empty") != NULL
          && !rb_member_hex (json, "empty", RB_PROFILE_MAX_CODING_BYTES, &empty, what, error)))
    return FALSE;
  if (has_coding (self, did))
    return rb_member_refuse (error, what, "identifier %04X is there twice", did);
  RbProfileCoding *coding = g_new0 (RbProfileCoding, 1);
  *coding = (RbProfileCoding){ did, g_steal_pointer (&name), g_steal_pointer (&empty) };
  g_ptr_array_add (self->coding, coding);
  return TRUE;
}

static gboolean
read_coding (RbProfile *self, const json_t *json, GError **error)
{
  self->coding = g_ptr_array_new_with_free_func (coding_free);
  if (json_object_get (json, "coding") == NULL)
    return TRUE;
  const json_t *list = rb_json_array (json, "coding", "profile", error);
  if (list == NULL)
    return FALSE;
  if (json_array_size (list) < 1 || json_array_size (list) > RB_PROFILE_MAX_CODING)
    return rb_member_refuse (error, "profile", "member “coding” has not 1…%d entries", RB_PROFILE_MAX_CODING);
  for (gsize i = 0; i < json_array_size (list); i++)
    if (!read_one_coding (self, json_array_get (list, i), error))
      return FALSE;
  return TRUE;
}

gboolean
rb_profile_has_step (const RbProfile *self, RbStep step)
{
  for (guint i = 0; i < self->n_order; i++)
    if (self->order[i] == step)
      return TRUE;
  return FALSE;
}

/* The ECU verifies metadata by the root of the image that it runs: they come once that image has been written and
 * started. */
static gboolean
check_order_of_root_in_image (const RbProfile *self, GError **error)
{
  const char *what = "profile";
  gboolean written = FALSE, runs = FALSE;
  if (rb_profile_has_step (self, RB_STEP_ROOTS))
    return rb_member_refuse (error, what, "member “order” has “roots”, the root comes with the image");
  if (rb_profile_has_step (self, RB_STEP_METADATA) && self->routine_install == 0)
    return rb_member_refuse (error, what, "member “order” has “metadata”, and member “metadata” has no “install”");
  if (rb_profile_has_step (self, RB_STEP_DROP) && self->routine_drop == 0)
    return rb_member_refuse (error, what, "member “order” has “drop”, and member “metadata” has no “drop”");
  for (guint i = 0; i < self->n_order; i++) {
    RbStep step = self->order[i];
    written = written || step == RB_STEP_IMAGE;
    runs = runs || (written && step == RB_STEP_RESET);
    if ((step == RB_STEP_DROP || step == RB_STEP_METADATA) && !runs)
      return rb_member_refuse (error, what,
                               "member “order”: “%s” is not after “image” and “reset”, the root comes with the image",
                               step_names[step]);
  }
  return TRUE;
}

/* A key is made only on the image that has been written and started; the report comes last and speaks of all. */
static gboolean
check_order (const RbProfile *self, GError **error)
{
  const char *what = "profile";
  guint counts[G_N_ELEMENTS (step_names)] = { 0 };
  gboolean image_runs = FALSE;
  for (guint i = 0; i < self->n_order; i++) {
    RbStep step = self->order[i];
    if (++counts[step] > 1 && step != RB_STEP_RESET)
      return rb_member_refuse (error, what, "member “order”: “%s” is there twice", step_names[step]);
    image_runs = image_runs || (step == RB_STEP_RESET && counts[RB_STEP_IMAGE] > 0);
    if ((step == RB_STEP_KEY || step == RB_STEP_CODING) && !image_runs)
      return rb_member_refuse (error, what, "member “order”: “%s” is not after “image” and “reset”", step_names[step]);
    if (step == RB_STEP_UNLOCK && i > 0)
      return rb_member_refuse (error, what, "member “order”: “unlock” is not first");
    if (step == RB_STEP_REPORT && i + 1 < self->n_order)
      return rb_member_refuse (error, what, "member “order”: “report” is not last");
  }
  if (!image_runs)
    return rb_member_refuse (error, what, "member “order” has not “image” and then “reset”");
  if (!rb_profile_has_step (self, RB_STEP_REPORT))
    return rb_member_refuse (error, what, "member “order” has no “report”");
  if (rb_profile_has_step (self, RB_STEP_KEY) != (self->key_kind != RB_KEY_KIND_NONE))
    return rb_member_refuse (error, what, "member “order”: “key” does not agree with the kind of key");
  if (rb_profile_has_step (self, RB_STEP_CODING) != (self->coding->len > 0))
    return rb_member_refuse (error, what, "member “order”: “coding” does not agree with the member “coding”");
  if (rb_profile_has_step (self, RB_STEP_UNLOCK) != (self->unlock != RB_UNLOCK_NONE))
    return rb_member_refuse (error, what, "member “order”: “unlock” does not agree with the method of unlocking");
  if (!self->root_in_image
      && !(rb_profile_has_step (self, RB_STEP_ROOTS) && rb_profile_has_step (self, RB_STEP_METADATA)))
    return rb_member_refuse (error, what, "member “order” has not “roots” and “metadata”");
  return !self->root_in_image || check_order_of_root_in_image (self, error);
}

static gboolean
read_order (RbProfile *self, const json_t *json, GError **error)
{
  const char *what = "profile";
  json_t *order = rb_json_array (json, "order", what, error);
  if (order == NULL)
    return FALSE;
  gsize n = json_array_size (order);
  if (n < 1 || n > MAX_STEPS)
    return rb_member_refuse (error, what, "member “order” has not 1…%d steps", MAX_STEPS);
  self->order = g_new0 (RbStep, n);
  for (gsize i = 0; i < n; i++) {
    const char *name = json_string_value (json_array_get (order, i));
    guint step = 0;
    while (step < G_N_ELEMENTS (step_names) && g_strcmp0 (step_names[step], name) != 0)
      step++;
    if (step == G_N_ELEMENTS (step_names))
      return rb_member_refuse (error, what, "member “order”: “%s” is not a step", name == NULL ? "" : name);
    self->order[self->n_order++] = (RbStep) step;
  }
  return check_order (self, error);
}

static gboolean
read_recipe (RbProfile *self, const json_t *json, GError **error)
{
  const json_t *recipe = json_object_get (json, "recipe");
  self->recipe = recipe == NULL ? NULL : rb_recipe_parse (recipe, error);
  return recipe == NULL || self->recipe != NULL;
}

RbProfile *
rb_profile_parse (GBytes *bytes, GError **error)
{
  const char *what = "profile";
  g_autoptr (json_t) json = rb_json_parse (bytes, MAX_FILE, what, error);
  g_autoptr (RbProfile) self = g_new0 (RbProfile, 1);
  if (json == NULL
      || !rb_json_only (json, what, error, "format", "id", "name", "timing", "unlock", "identification", "flash",
                        "metadata", "key", "report", "order", "abort_recoverable", "communication_control", "coding",
                        "recipe", NULL)
      || !rb_member_format (json, "recallbay-profile-1", what, error)
      || !rb_member_id (json, "id", &self->id, what, error)
      || !rb_member_text (json, "name", 200, &self->name, what, error) || !read_communication (self, json, error)
      || !read_timing (self, json, error) || !read_unlock (self, json, error)
      || !read_identification (self, json, error) || !read_flash (self, json, error)
      || !read_metadata (self, json, error) || !read_key (self, json, error) || !read_report (self, json, error)
      || !read_coding (self, json, error) || !read_order (self, json, error)
      || !rb_json_boolean (json, "abort_recoverable", &self->abort_recoverable, what, error)
      || !read_recipe (self, json, error))
    return NULL;
  return g_steal_pointer (&self);
}
