/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/office.h"

#include "core/files.h"
#include "core/json.h"
#include "crypto/certificate.h"
#include "model/member.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FORMAT "recallbay-oem-1"
#define MAX_JSON (16 * 1024 * 1024)
#define MAX_KEY (64 * 1024)
#define MAX_LINE (1024 * 1024)

struct _RbOffice {
  char *folder;
  char *passphrase_file;
  json_t *config;
};

void
rb_office_free (RbOffice *self)
{
  if (self == NULL)
    return;
  json_decref (self->config);
  g_free (self->folder);
  g_free (self->passphrase_file);
  g_free (self);
}

static char *
find_folder (const char *folder)
{
  g_autofree char *inner = g_build_filename (folder, "oem", NULL);
  g_autofree char *there = g_build_filename (folder, "oem.json", NULL);
  g_autofree char *inside = g_build_filename (inner, "oem.json", NULL);
  return g_strdup (!rb_files_exists (there) && rb_files_exists (inside) ? inner : folder);
}

RbOffice *
rb_office_open (const char *folder, GError **error)
{
  g_autoptr (RbOffice) self = g_new0 (RbOffice, 1);
  self->folder = find_folder (folder);
  g_autofree char *path = g_build_filename (self->folder, "oem.json", NULL);
  self->config = rb_json_load (path, MAX_JSON, error);
  if (self->config == NULL || !rb_member_format (self->config, FORMAT, path, error)
      || rb_json_array (self->config, "approvers", path, error) == NULL)
    return NULL;
  const char *passphrase = rb_json_string_or (self->config, "passphrase_file", NULL);
  self->passphrase_file = passphrase == NULL ? NULL : g_build_filename (self->folder, passphrase, NULL);
  return g_steal_pointer (&self);
}

const char *
rb_office_folder (RbOffice *self)
{
  return self->folder;
}

const char *
rb_office_passphrase_file (RbOffice *self)
{
  return self->passphrase_file;
}

static char *
key_path (RbOffice *self, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".pem", NULL);
  g_autofree char *path = g_build_filename (self->folder, "keys", file, NULL);
  return rb_files_name_is_safe (file) && rb_files_exists (path) ? g_steal_pointer (&path) : g_strdup (name);
}

RbPrivateKey *
rb_office_key (RbOffice *self, const char *name, const char *passphrase, GError **error)
{
  g_autofree char *path = key_path (self, name);
  g_autoptr (GBytes) bytes = rb_files_read (path, MAX_KEY, error);
  if (bytes == NULL)
    return NULL;
  g_autofree char *pem = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  RbPrivateKey *key = rb_key_private_from_pem (pem, passphrase, error);
  if (key == NULL)
    g_prefix_error (error, "key %s: ", name);
  return key;
}

gboolean
rb_office_check_approver (RbOffice *self, RbPublicKey *key, GError **error)
{
  const char *id = rb_key_public_id (key);
  size_t i;
  json_t *approver;
  json_array_foreach (json_object_get (self->config, "approvers"), i, approver)
    if (g_strcmp0 (json_string_value (approver), id) == 0)
      return TRUE;
  return rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_SIGNER_NOT_TRUSTED, "key %.16s: not one of the OEM's approvers",
                         id);
}

/* NAME-1.pem, NAME-2.pem, … */
static RbKeyring *
read_keyring (RbOffice *self, const char *role, const char *passphrase, GError **error)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_key_private_unref);
  for (guint i = 1;; i++) {
    g_autofree char *name = g_strdup_printf ("director-%s-%u", role, i);
    g_autofree char *path = key_path (self, name);
    if (i > 1 && !rb_files_exists (path))
      return rb_keyring_of (role, keys);
    RbPrivateKey *key = rb_office_key (self, name, passphrase, error);
    if (key == NULL)
      return NULL;
    g_ptr_array_add (keys, key);
  }
}

RbPublisher *
rb_office_director (RbOffice *self, const char *passphrase, GError **error)
{
  static const char *const roles[] = { "timestamp", "snapshot", "targets" };
  g_autoptr (RbPublisher) director = rb_publisher_new ("director");
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++) {
    RbKeyring *keys = read_keyring (self, roles[i], passphrase, error);
    if (keys == NULL)
      return NULL;
    rb_publisher_set_keys (director, keys);
  }
  return g_steal_pointer (&director);
}

static char *
campaign_path (RbOffice *self, const char *id, const char *suffix, GError **error)
{
  g_autofree char *file = g_strconcat (id, suffix, NULL);
  g_autofree char *path = g_build_filename (self->folder, "campaigns", file, NULL);
  if (rb_member_id_is_valid (id) && rb_files_exists (path))
    return g_steal_pointer (&path);
  rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_CAMPAIGN_UNKNOWN, "campaign %s: the OEM's folder does not have it",
                  id);
  return NULL;
}

/* Takes what its table is, where it has one. */
static gboolean
read_scope (RbOffice *self, const char *id, RbCampaign *campaign, GError **error)
{
  if (campaign->scope_table == NULL)
    return TRUE;
  g_autofree char *path = campaign_path (self, id, ".table", error);
  g_autofree char *pieces = path == NULL ? NULL : campaign_path (self, id, ".pieces", error);
  g_autoptr (GBytes) table = pieces == NULL ? NULL : rb_files_read (path, RB_VIN_INDEX_TABLE, error);
  RbVinIndex *scope = table == NULL ? NULL : rb_vin_index_new (table, campaign->scope_table, pieces, error);
  return scope != NULL && rb_campaign_take_scope (campaign, scope, error);
}

GBytes *
rb_office_campaign (RbOffice *self, const char *id, RbCampaign **campaign, GError **error)
{
  g_autofree char *path = campaign_path (self, id, ".json", error);
  g_autoptr (GBytes) bytes = path == NULL ? NULL : rb_files_read (path, MAX_JSON, error);
  g_autoptr (RbCampaign) parsed = bytes == NULL ? NULL : rb_campaign_parse (bytes, error);
  if (parsed == NULL || !read_scope (self, id, parsed, error))
    return NULL;
  *campaign = g_steal_pointer (&parsed);
  return g_steal_pointer (&bytes);
}

json_t *
rb_office_plan (RbOffice *self, const char *id, GError **error)
{
  g_autofree char *path = campaign_path (self, id, ".director.json", error);
  g_autoptr (json_t) plan = path == NULL ? NULL : rb_json_load (path, MAX_JSON, error);
  gint64 version;
  if (plan == NULL || !rb_member_format (plan, "recallbay-director-plan-1", path, error)
      || !rb_json_integer (plan, "version", 1, G_MAXINT32, &version, path, error)
      || rb_json_object (plan, "targets", path, error) == NULL)
    return NULL;
  return g_steal_pointer (&plan);
}

/* The lines whose member has that value. An error names the file; one that is not there has no lines. (transfer full)
 */
static json_t *
find_lines (RbOffice *self, const char *name, const char *member, const char *value, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  g_autoptr (json_t) found = json_array ();
  g_autoptr (GBytes) bytes = rb_files_exists (path) ? rb_files_map (path, G_MAXSIZE, error) : g_bytes_new (NULL, 0);
  if (bytes == NULL)
    return NULL;
  gsize left = 0;
  const char *at = g_bytes_get_data (bytes, &left);
  while (left > 0) {
    const char *end = memchr (at, '\n', left);
    gsize length = end == NULL ? left : (gsize) (end - at);
    if (length > 0 && length <= MAX_LINE && memmem (at, length, value, strlen (value)) != NULL) {
      g_autoptr (GBytes) line = g_bytes_new (at, length);
      json_t *parsed = rb_json_parse (line, MAX_LINE, path, error);
      if (parsed == NULL)
        return NULL;
      if (strcmp (rb_json_string_or (parsed, member, ""), value) == 0)
        json_array_append_new (found, parsed);
      else
        json_decref (parsed);
    }
    left -= end == NULL ? left : length + 1;
    at = &at[end == NULL ? length : length + 1];
  }
  return g_steal_pointer (&found);
}

json_t *
rb_office_vehicle (RbOffice *self, const char *vin, GError **error)
{
  g_autoptr (json_t) lines = find_lines (self, "vehicles.jsonl", "vin", vin, error);
  if (lines == NULL)
    return NULL;
  if (json_array_size (lines) > 0)
    return json_incref (json_array_get (lines, 0));
  rb_reason_deny (error, RB_OEM_ERROR, RB_REASON_NOT_FOUND,
                  "vehicle %s: the OEM's folder does not say how it was built", vin);
  return NULL;
}

json_t *
rb_office_part (RbOffice *self, const char *serial)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (json_t) lines = find_lines (self, "parts.jsonl", "serial", serial, &problem);
  if (problem != NULL)
    g_warning ("%s", problem->message);
  return json_array_size (lines) == 0 ? NULL : json_incref (json_array_get (lines, 0));
}

json_t *
rb_office_packs (RbOffice *self, const char *vin, GError **error)
{
  return find_lines (self, "packs.jsonl", "vin", vin, error);
}

gboolean
rb_office_note_pack (RbOffice *self, const json_t *line, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, "packs.jsonl", NULL);
  g_autofree char *text = rb_json_to_text (line);
  g_autofree char *whole = g_strconcat (text, "\n", NULL);
  int fd = open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  gboolean noted = fd >= 0 && write (fd, whole, strlen (whole)) == (ssize_t) strlen (whole) && fsync (fd) == 0;
  if (!noted)
    rb_reason_deny (error, RB_OEM_ERROR, errno == ENOSPC ? RB_REASON_NO_SPACE : RB_REASON_IO, "%s: %s", path,
                    g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return noted;
}
