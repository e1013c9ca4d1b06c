/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/target.h"

#include "core/json.h"

#include <string.h>

void
rb_target_free (RbTarget *self)
{
  g_free (self->path);
  g_free (self->sha256);
  g_free (self->sha512);
  g_strfreev (self->hardware_ids);
  g_clear_pointer (&self->ecus, g_hash_table_unref);
  json_decref (self->custom);
  g_free (self);
}

static GStrv
read_hardware_ids (const json_t *custom)
{
  json_t *list = json_object_get (custom, "hardwareIds");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  if (!json_is_array (list))
    return NULL;
  for (gsize i = 0; i < json_array_size (list); i++)
    if (json_is_string (json_array_get (list, i)))
      g_strv_builder_add (builder, json_string_value (json_array_get (list, i)));
  return g_strv_builder_end (builder);
}

/* {"ecuIdentifiers":{SERIAL:{"hardwareId":H}}}, or the reference implementation's {"ecu_serial":SERIAL} */
static GHashTable *
read_ecus (const json_t *custom)
{
  json_t *list = json_object_get (custom, "ecuIdentifiers");
  const char *single = rb_json_string_or (custom, "ecu_serial", NULL);
  if (!json_is_object (list) && single == NULL)
    return NULL;
  GHashTable *ecus = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  const char *serial;
  json_t *value;
  json_object_foreach (list, serial, value) {
    g_hash_table_insert (ecus, g_strdup (serial), g_strdup (rb_json_string_or (value, "hardwareId", "")));
  }
  if (single != NULL)
    g_hash_table_insert (ecus, g_strdup (single), g_strdup (""));
  return ecus;
}

static char *
read_hash (const json_t *hashes, const char *name, gsize digits)
{
  const char *text = rb_json_string_or (hashes, name, NULL);
  if (text == NULL || strlen (text) != digits || strspn (text, "0123456789abcdefABCDEF") != digits)
    return NULL;
  return g_ascii_strdown (text, -1);
}

RbTarget *
rb_target_from_json (const char *path, const json_t *entry, GError **error)
{
  gint64 length = 0;
  json_t *hashes = rb_json_object (entry, "hashes", path, error);
  if (hashes == NULL || !rb_json_integer (entry, "length", 0, ((gint64) 1 << 53), &length, path, error))
    return NULL;
  g_autoptr (RbTarget) self = g_new0 (RbTarget, 1);
  json_t *custom = json_object_get (entry, "custom");
  self->path = g_strdup (path);
  self->length = (guint64) length;
  self->sha256 = read_hash (hashes, "sha256", 64);
  self->sha512 = read_hash (hashes, "sha512", 128);
  if (self->sha256 == NULL && self->sha512 == NULL) {
    g_set_error (error, RB_UPTANE_ERROR, RB_REASON_MALFORMED, "%s: neither sha256 nor sha512", path);
    return NULL;
  }
  self->hardware_ids = read_hardware_ids (custom);
  self->release_counter = rb_json_integer_or (custom, "releaseCounter", -1);
  self->ecus = read_ecus (custom);
  self->custom = json_incref (custom);
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
  return rb_target_same_content (a, b) && a->release_counter == b->release_counter && same_words (a->hardware_ids, b->hardware_ids);
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
  return copy;
}
