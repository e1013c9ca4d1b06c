/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/target.h"

#include "core/json.h"
#include "crypto/digest.h"
#include "uptane/form.h"

#include <string.h>

#define MAX_NUMBER ((G_GINT64_CONSTANT (1) << 53) - 1)

void
rb_target_free (RbTarget *self)
{
  g_free (self->path);
  g_free (self->sha256);
  g_free (self->sha512);
  g_strfreev (self->hardware_ids);
  g_clear_pointer (&self->ecus, g_hash_table_unref);
  json_decref (self->custom);
  g_free (self->carrier);
  g_free (self->carrier_keys);
  g_free (self);
}

#define malformed(error, ...) rb_reason_deny (error, RB_UPTANE_ERROR, RB_REASON_MALFORMED, __VA_ARGS__)

/* NULL without error: none are listed. */
static gboolean
read_hardware_ids (RbTarget *self, GError **error)
{
  const json_t *list = json_object_get (self->custom, "hardwareIds");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  if (!rb_form_check_strings (self->custom, "hardwareIds", self->path, error))
    return FALSE;
  for (gsize i = 0; i < json_array_size (list); i++)
    g_strv_builder_add (builder, json_string_value (json_array_get (list, i)));
  self->hardware_ids = list == NULL ? NULL : g_strv_builder_end (builder);
  return TRUE;
}

static gboolean
read_release_counter (RbTarget *self, GError **error)
{
  self->release_counter = -1;
  return json_object_get (self->custom, "releaseCounter") == NULL
         || rb_json_integer (self->custom, "releaseCounter", 0, MAX_NUMBER, &self->release_counter, self->path, error);
}

static gboolean
add_ecu (RbTarget *self, const char *serial, const json_t *value, GError **error)
{
  const json_t *hardware_id = json_object_get (value, "hardwareId");
  if (!json_is_object (value) || (hardware_id != NULL && !json_is_string (hardware_id)))
    return malformed (error, "%s: ECU %s has no hardwareId that is a string", self->path, serial);
  g_hash_table_insert (self->ecus, g_strdup (serial),
                       g_strdup (hardware_id == NULL ? "" : json_string_value (hardware_id)));
  return TRUE;
}

/* {"ecuIdentifiers":{SERIAL:{"hardwareId":H}}}, or the reference implementation's {"ecu_serial":SERIAL} */
static gboolean
read_ecus (RbTarget *self, GError **error)
{
  const json_t *list = json_object_get (self->custom, "ecuIdentifiers");
  const json_t *single = json_object_get (self->custom, "ecu_serial");
  const char *serial;
  json_t *value;
  if (list == NULL && single == NULL)
    return TRUE;
  if ((list != NULL && !json_is_object (list)) || (single != NULL && !json_is_string (single)))
    return malformed (error, "%s: ecuIdentifiers is not an object, or ecu_serial not a string", self->path);
  self->ecus = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  json_object_foreach ((json_t *) list, serial, value) {
    if (!add_ecu (self, serial, value, error))
      return FALSE;
  }
  if (single != NULL)
    g_hash_table_insert (self->ecus, g_strdup (json_string_value (single)), g_strdup (""));
  return TRUE;
}

static gboolean
read_hashes (RbTarget *self, const json_t *entry, GError **error)
{
  const char *sha256 = NULL, *sha512 = NULL;
  const json_t *hashes = rb_json_object (entry, "hashes", self->path, error);
  if (hashes == NULL || !rb_form_read_hashes (hashes, self->path, &sha256, &sha512, error))
    return FALSE;
  self->sha256 = sha256 == NULL ? NULL : g_ascii_strdown (sha256, -1);
  self->sha512 = sha512 == NULL ? NULL : g_ascii_strdown (sha512, -1);
  return sha256 != NULL || sha512 != NULL || malformed (error, "%s: neither sha256 nor sha512", self->path);
}

/* Servers in the field write null for no custom. */
static gboolean
read_custom (RbTarget *self, const json_t *entry, GError **error)
{
  json_t *custom = json_object_get (entry, "custom");
  if (custom != NULL && !json_is_null (custom) && !json_is_object (custom))
    return malformed (error, "%s: member “custom” is not an object", self->path);
  self->custom = json_is_object (custom) ? json_incref (custom) : NULL;
  return read_hardware_ids (self, error) && read_release_counter (self, error) && read_ecus (self, error);
}

RbTarget *
rb_target_from_json (const char *path, const json_t *entry, GError **error)
{
  g_autoptr (RbTarget) self = g_new0 (RbTarget, 1);
  gint64 length = 0;
  self->path = g_strdup (path);
  if (!rb_json_integer (entry, "length", 0, MAX_NUMBER, &length, path, error) || !read_hashes (self, entry, error)
      || !read_custom (self, entry, error))
    return NULL;
  self->length = (guint64) length;
  return g_steal_pointer (&self);
}

/* One common algorithm must agree and none may disagree. */
gboolean
rb_target_same_content (const RbTarget *a, const RbTarget *b)
{
  gboolean both256 = a->sha256 != NULL && b->sha256 != NULL;
  gboolean both512 = a->sha512 != NULL && b->sha512 != NULL;
  return a->length == b->length && (both256 || both512) && (!both256 || strcmp (a->sha256, b->sha256) == 0)
         && (!both512 || strcmp (a->sha512, b->sha512) == 0);
}

static gboolean
same_words (GStrv a, GStrv b)
{
  if (a == NULL || b == NULL)
    return a == b;
  return g_strv_length (a) == g_strv_length (b) && g_strv_equal ((const char *const *) a, (const char *const *) b);
}

gboolean
rb_target_agrees (const RbTarget *a, const RbTarget *b)
{
  return rb_target_same_content (a, b) && a->release_counter == b->release_counter
         && same_words (a->hardware_ids, b->hardware_ids);
}

RbTarget *
rb_target_copy (const RbTarget *self)
{
  RbTarget *copy = g_new0 (RbTarget, 1);
  copy->path = g_strdup (self->path);
  copy->length = self->length;
  copy->sha256 = g_strdup (self->sha256);
  copy->sha512 = g_strdup (self->sha512);
  copy->hardware_ids = g_strdupv (self->hardware_ids);
  copy->release_counter = self->release_counter;
  copy->ecus = self->ecus == NULL ? NULL : g_hash_table_ref (self->ecus);
  copy->custom = json_incref (self->custom);
  copy->carrier = g_strdup (self->carrier);
  copy->carrier_keys = g_strdup (self->carrier_keys);
  return copy;
}

gboolean
rb_target_check_image (const RbTarget *target, GBytes *image, GError **error)
{
  gsize length = 0;
  gconstpointer data = g_bytes_get_data (image, &length);
  g_autofree char *sha256 = rb_digest_sha256_hex (data, length);
  g_autofree char *sha512 = target->sha512 == NULL ? NULL : rb_digest_sha512_hex (data, length);
  if (length != target->length) {
    g_set_error (error, RB_UPTANE_ERROR, RB_REASON_LENGTH_MISMATCH,
                 "%s: %" G_GSIZE_FORMAT " bytes, its metadata says %" G_GUINT64_FORMAT, target->path, length,
                 target->length);
    return FALSE;
  }
  if ((target->sha256 == NULL || strcmp (sha256, target->sha256) == 0)
      && (sha512 == NULL || strcmp (sha512, target->sha512) == 0))
    return TRUE;
  g_set_error (error, RB_UPTANE_ERROR, RB_REASON_HASH_MISMATCH, "%s: not the bytes its metadata names", target->path);
  return FALSE;
}
