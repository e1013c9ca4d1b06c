/* SPDX-License-Identifier: Apache-2.0 */
#include "library/rollback-state.h"

#include "campaign/roles.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "model/member.h"

#include <string.h>

#define MAX_PINS (128 * 1024 * 1024)
#define FORMAT "recallbay-pins-1"

struct _RbRollbackState {
  char *path;
  json_t *json; /* {"campaigns": {ANCHOR: {ID: seen}}, "packs": {ANCHOR: {VIN: {ROOT: {ROLE: seen}}}},
                 * "imported": {ANCHOR: {SHA256 of campaign.json: seen}}, "floor"}; seen: {"version", "sha256"} */
};

static gboolean
check_seen (const json_t *seen, const char *what, GError **error)
{
  gint64 version;
  return rb_json_integer (seen, "version", 1, G_MAXINT64, &version, what, error)
         && rb_json_sha256 (seen, "sha256", what, error) != NULL;
}

/* Objects in objects, depth times, and what was seen in the innermost. */
static gboolean
check_table (const json_t *table, guint depth, const char *what, GError **error)
{
  const char *name;
  json_t *inner;
  if (depth == 0)
    return check_seen (table, what, error);
  if (!json_is_object (table))
    return rb_member_refuse (error, what, "an object is expected");
  json_object_foreach ((json_t *) table, name, inner)
    if (!check_table (inner, depth - 1, name, error))
      return FALSE;
  return TRUE;
}

static const struct {
  const char *name;
  guint depth;
} tables[] = { { "campaigns", 2 }, { "packs", 4 }, { "imported", 2 } };

/* A file of earlier builds has campaigns alone, and none at all no floor. */
static gboolean
check_tables (json_t *json, const char *what, GError **error)
{
  if (rb_json_object (json, "campaigns", what, error) == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++) {
    if (json_object_get (json, tables[i].name) == NULL)
      rb_json_set (json, tables[i].name, json_object ());
    if (!check_table (json_object_get (json, tables[i].name), tables[i].depth, what, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_file (json_t *json, const char *what, GError **error)
{
  gint64 floor;
  return rb_member_format (json, FORMAT, what, error) && check_tables (json, what, error)
         && (json_object_get (json, "floor") == NULL
             || rb_json_integer (json, "floor", 0, G_MAXINT64, &floor, what, error));
}

static json_t *
nothing_seen (void)
{
  json_t *json = json_object ();
  rb_json_set_string (json, "format", FORMAT);
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    rb_json_set (json, tables[i].name, json_object ());
  return json;
}

RbRollbackState *
rb_rollback_state_load (const char *data_dir, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (RbRollbackState) self = g_new0 (RbRollbackState, 1);
  self->path = g_build_filename (data_dir, "pins.json", NULL);
  self->json = rb_json_load (self->path, MAX_PINS, &failure);
  if (self->json == NULL && rb_reason_of (failure) == RB_REASON_NOT_FOUND) {
    self->json = nothing_seen ();
    return g_steal_pointer (&self);
  }
  if (self->json != NULL && check_file (self->json, self->path, &failure))
    return g_steal_pointer (&self);
  rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_STORE_DAMAGED, "what was imported before: %s", failure->message);
  return NULL;
}

void
rb_rollback_state_free (RbRollbackState *self)
{
  if (self == NULL)
    return;
  json_decref (self->json);
  g_free (self->path);
  g_free (self);
}

/* The object of that name, which is made. */
static json_t *
inner (json_t *table, const char *name)
{
  if (json_object_get (table, name) == NULL)
    rb_json_set (table, name, json_object ());
  return json_object_get (table, name);
}

static json_t *
of_anchor (RbRollbackState *self, const char *table, const char *anchor)
{
  return inner (json_object_get (self->json, table), anchor);
}

static void
see (json_t *table, const char *name, gint64 version, const char *sha256)
{
  json_t *seen = json_object ();
  rb_json_set_integer (seen, "version", version);
  rb_json_set_string (seen, "sha256", sha256);
  rb_json_set (table, name, seen);
}

/* Refused for reason: an older version than was seen, or other bytes under the same version. seen may be NULL. */
static gboolean
is_successor (const json_t *seen, gint64 version, const char *sha256, RbReason reason, const char *what, GError **error)
{
  gint64 before = json_integer_value (json_object_get (seen, "version"));
  if (seen == NULL || version > before)
    return TRUE;
  if (version < before)
    return rb_reason_deny (error, RB_CAMPAIGN_ERROR, reason,
                           "%s: version %" G_GINT64_FORMAT " is older than version %" G_GINT64_FORMAT
                           ", which was imported before",
                           what, version, before);
  return g_strcmp0 (json_string_value (json_object_get (seen, "sha256")), sha256) == 0
         || rb_reason_deny (error, RB_CAMPAIGN_ERROR, reason,
                            "%s: other bytes were imported before under the same version %" G_GINT64_FORMAT, what,
                            before);
}

gboolean
rb_rollback_state_check (RbRollbackState *self, RbContents *contents, GError **error)
{
  const RbCampaign *campaign = rb_contents_campaign (contents);
  const json_t *seen = json_object_get (of_anchor (self, "campaigns", rb_contents_anchor (contents)), campaign->id);
  g_autofree char *what = g_strconcat ("campaign ", campaign->id, NULL);
  return is_successor (seen, campaign->version, rb_contents_campaign_sha256 (contents), RB_REASON_CAMPAIGN_ROLLBACK,
                       what, error);
}

const char *
rb_rollback_state_campaign_sha256 (RbRollbackState *self, const char *anchor, const char *id)
{
  return json_string_value (json_object_get (json_object_get (of_anchor (self, "campaigns", anchor), id), "sha256"));
}

const char *
rb_rollback_state_owner (RbRollbackState *self, const char *campaign_sha256)
{
  const char *owner = NULL, *anchor;
  json_t *imported;
  json_object_foreach (json_object_get (self->json, "imported"), anchor, imported) {
    if (json_object_get (imported, campaign_sha256) == NULL)
      continue;
    if (owner != NULL)
      return NULL;
    owner = anchor;
  }
  return owner;
}

/* What was seen of a vehicle's pack under the campaign's Director root. */
static json_t *
of_pack (RbRollbackState *self, RbContents *contents, const char *vin)
{
  json_t *packs = of_anchor (self, "packs", rb_contents_anchor (contents));
  return inner (inner (packs, vin), rb_contents_campaign (contents)->director_root.sha256);
}

static gboolean
check_pack (RbRollbackState *self, RbContents *contents, const char *vin, GError **error)
{
  const json_t *roles = of_pack (self, contents, vin);
  g_autoptr (GPtrArray) files = rb_contents_roles (contents, RB_CONTENTS_DIRECTOR, vin, error);
  for (guint i = 0; files != NULL && i < files->len; i++) {
    const RbContentsFile *file = files->pdata[i];
    g_autofree char *what = g_strdup_printf ("VIN pack %s: %s", vin, file->path);
    if (!is_successor (json_object_get (roles, file->role), file->version, file->sha256, RB_REASON_ROLLBACK, what,
                       error))
      return FALSE;
  }
  return files != NULL;
}

gboolean
rb_rollback_state_check_roles (RbRollbackState *self, RbContents *contents, const char *vin, GHashTable *roles,
                               GError **error)
{
  const json_t *seen = of_pack (self, contents, vin);
  GHashTableIter iter;
  gpointer role, bytes;
  g_hash_table_iter_init (&iter, roles);
  while (g_hash_table_iter_next (&iter, &role, &bytes)) {
    g_autofree char *what = g_strdup_printf ("VIN pack %s: %s", vin, (char *) role);
    g_autofree char *sha256 = rb_digest_sha256_hex_of (bytes);
    if (!is_successor (json_object_get (seen, role), rb_roles_version (bytes), sha256, RB_REASON_ROLLBACK, what, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
rb_rollback_state_check_packs (RbRollbackState *self, RbContents *contents, GError **error)
{
  g_auto (GStrv) vins = rb_contents_vins (contents);
  for (guint i = 0; vins[i] != NULL; i++)
    if (!check_pack (self, contents, vins[i], error))
      return FALSE;
  return TRUE;
}

gint64
rb_rollback_state_floor (RbRollbackState *self)
{
  return json_integer_value (json_object_get (self->json, "floor"));
}

gboolean
rb_rollback_state_check_clock (RbRollbackState *self, gint64 now, GError **error)
{
  gint64 floor = rb_rollback_state_floor (self);
  if (now >= floor)
    return TRUE;
  g_autofree char *here = rb_moment_to_text (now);
  g_autofree char *signed_at = rb_moment_to_text (floor);
  return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_CLOCK,
                         "the clock of this computer says %s, but the OEM has signed something here on %s", here,
                         signed_at);
}

static gboolean
see_pack (RbRollbackState *self, RbContents *contents, const char *vin, GError **error)
{
  g_autoptr (GPtrArray) files = rb_contents_roles (contents, RB_CONTENTS_DIRECTOR, vin, error);
  for (guint i = 0; files != NULL && i < files->len; i++) {
    const RbContentsFile *file = files->pdata[i];
    see (of_pack (self, contents, vin), file->role, file->version, file->sha256);
  }
  return files != NULL;
}

static gboolean
see_packs (RbRollbackState *self, RbContents *contents, GError **error)
{
  g_auto (GStrv) vins = rb_contents_vins (contents);
  for (guint i = 0; vins[i] != NULL; i++)
    if (!see_pack (self, contents, vins[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
save (RbRollbackState *self, GError **error)
{
  g_autofree char *text = rb_json_to_pretty (self->json);
  rb_files_sweep (self->path); /* the caller holds the library's lock */
  if (strlen (text) > MAX_PINS)
    return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_TOO_LARGE, "%s: more than %d bytes", self->path,
                           MAX_PINS);
  return rb_files_write_private_text (self->path, text, error);
}

gboolean
rb_rollback_state_remember (RbRollbackState *self, RbContents *contents, GError **error)
{
  const RbCampaign *campaign = rb_contents_campaign (contents);
  see (of_anchor (self, "campaigns", rb_contents_anchor (contents)), campaign->id, campaign->version,
       rb_contents_campaign_sha256 (contents));
  see (of_anchor (self, "imported", rb_contents_anchor (contents)), rb_contents_campaign_sha256 (contents),
       campaign->version, rb_contents_campaign_sha256 (contents));
  rb_json_set_integer (self->json, "floor", MAX (rb_rollback_state_floor (self), campaign->issued));
  return see_packs (self, contents, error) && save (self, error);
}

gboolean
rb_rollback_state_remember_pack (RbRollbackState *self, RbContents *contents, const char *vin, GError **error)
{
  return see_pack (self, contents, vin, error) && save (self, error);
}
