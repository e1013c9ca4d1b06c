/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/settings.h"

#include "core/json.h"
#include "crypto/certificate.h"
#include "log/note.h"

#include <string.h>

#define MAX_CONFIG (64 * 1024 * 1024)
#define FORMAT "recallbay-intake-1"

void
rb_settings_free (RbSettings *self)
{
  g_clear_object (&self->certificate);
  g_clear_pointer (&self->client_cas, g_ptr_array_unref);
  g_clear_pointer (&self->dealer_cas, g_ptr_array_unref);
  g_clear_pointer (&self->bundles, g_ptr_array_unref);
  g_clear_pointer (&self->testimony, rb_reference_bundle_free);
  g_clear_pointer (&self->log_key, rb_key_private_unref);
  g_free (self->origin);
  g_free (self);
}

static gboolean
read_tls (RbSettings *self, const json_t *json, const char *path, GError **error)
{
  const json_t *tls = rb_json_object (json, "tls", path, error);
  const char *certificate = tls == NULL ? NULL : rb_json_string (tls, "certificate", path, error);
  const char *key = certificate == NULL ? NULL : rb_json_string (tls, "key", path, error);
  if (key == NULL)
    return FALSE;
  g_autofree char *pem = g_strconcat (certificate, "\n", key, NULL);
  g_autoptr (GError) problem = NULL;
  self->certificate = g_tls_certificate_new_from_pem (pem, -1, &problem);
  return self->certificate != NULL
         || rb_reason_deny (error, RB_INTAKE_ERROR, RB_REASON_CONFIG, "%s: member “tls”: %s", path, problem->message);
}

static GPtrArray *
read_cas (const json_t *json, const char *member, const char *path, GError **error)
{
  const char *pem = rb_json_string (json, member, path, error);
  GPtrArray *list = pem == NULL ? NULL : rb_certificate_list_from_pem (pem, error);
  if (pem != NULL && list == NULL)
    g_prefix_error (error, "%s: member “%s”: ", path, member);
  return list;
}

static gboolean
read_log (RbSettings *self, const json_t *json, const char *path, GError **error)
{
  const json_t *log = rb_json_object (json, "log", path, error);
  const char *origin = log == NULL ? NULL : rb_json_string (log, "origin", path, error);
  const char *pem = origin == NULL ? NULL : rb_json_string (log, "key", path, error);
  const char *vkey = pem == NULL ? NULL : rb_json_string (log, "vkey", path, error);
  if (vkey == NULL)
    return FALSE;
  self->origin = g_strdup (origin);
  self->log_key = rb_key_private_from_pem (pem, NULL, error);
  if (self->log_key == NULL)
    return FALSE;
  gboolean fits = rb_key_public_type (rb_key_private_public (self->log_key)) == RB_KEY_ED25519;
  g_autofree char *own = fits ? rb_note_key_text (origin, rb_key_private_public (self->log_key)) : NULL;
  return g_strcmp0 (own, vkey) == 0
         || rb_reason_deny (error, RB_INTAKE_ERROR, RB_REASON_CONFIG,
                            "%s: member “log”: the key is not the one of “vkey”", path);
}

static char *
beside (const char *config, const char *name)
{
  g_autofree char *folder = g_path_get_dirname (config);
  return g_path_is_absolute (name) ? g_strdup (name) : g_build_filename (folder, name, NULL);
}

static gboolean
read_campaign (RbSettings *self, const json_t *json, const char *path, GError **error)
{
  const char *bundle = rb_json_string (json, "bundle", path, error);
  const char *root = bundle == NULL ? NULL : rb_json_string (json, "service_root", path, error);
  if (root == NULL)
    return FALSE;
  g_autofree char *bundle_path = beside (path, bundle);
  g_autofree char *root_path = beside (path, root);
  self->testimony = rb_reference_bundle_open (bundle_path, root_path, error);
  if (self->testimony == NULL)
    return FALSE;
  self->bundles = g_ptr_array_new ();
  g_ptr_array_add (self->bundles, (gpointer) rb_reference_bundle_values (self->testimony));
  return TRUE;
}

RbSettings *
rb_settings_load (const char *path, GError **error)
{
  g_autoptr (json_t) json = rb_json_load (path, MAX_CONFIG, error);
  g_autoptr (RbSettings) self = g_new0 (RbSettings, 1);
  const char *format = json != NULL
                           && rb_json_only (json, path, error, "format", "oem", "tls", "client_ca", "dealer_ca",
                                            "service_root", "bundle", "log", "she_keys", NULL)
                         ? rb_json_string (json, "format", path, error)
                         : NULL;
  if (format == NULL)
    return NULL;
  if (strcmp (format, FORMAT) != 0) {
    rb_reason_deny (error, RB_INTAKE_ERROR, RB_REASON_CONFIG, "%s: its format is “%s”, expected “%s”", path, format,
                    FORMAT);
    return NULL;
  }
  self->client_cas = read_cas (json, "client_ca", path, error);
  self->dealer_cas = self->client_cas == NULL ? NULL : read_cas (json, "dealer_ca", path, error);
  return self->dealer_cas != NULL && read_tls (self, json, path, error) && read_log (self, json, path, error)
             && read_campaign (self, json, path, error)
           ? g_steal_pointer (&self)
           : NULL;
}
