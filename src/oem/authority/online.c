/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/online.h"

#include "authority/image-store.h"
#include "authority/policy-rules.h"
#include "core/json.h"
#include "core/moment.h"
#include "uptane/form.h"

#include <string.h>

#define MAX_FILE (256 * 1024 * 1024)

/* Of an online key; NULL without error: it is not at hand. Borrowed. */
static RbSigner *
signer_of (RbPublishing *self, const RbKeyCard *card, GError **error)
{
  RbSigner *known = g_hash_table_lookup (self->signers, card->name);
  if (known != NULL || !card->online || card->retired != 0 || !rb_key_card_is_at_hand (card, self->authoring->oem))
    return known;
  RbSigner *opened = rb_key_card_open (card, self->authoring->oem, self->secret, error);
  if (opened != NULL)
    g_hash_table_insert (self->signers, g_strdup (card->name), opened);
  else
    g_prefix_error (error, "key %s: ", card->name);
  return opened;
}

gboolean
rb_online_sign_draft (RbPublishing *self, RbDraft *draft, GError **error)
{
  for (guint i = 0; i < self->cards->len; i++) {
    g_autoptr (GError) problem = NULL;
    const RbKeyCard *card = self->cards->pdata[i];
    guint now = 0, had = 0;
    RbSigner *signer = signer_of (self, card, &problem);
    if (problem == NULL
        && (signer == NULL || rb_draft_sign (draft, signer, &now, &had, &problem)
            || g_error_matches (problem, RB_AUTHORITY_ERROR, RB_REASON_DRAFT_SIGNER)))
      continue;
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  return TRUE;
}

/* (transfer full) */
static GBytes *
sign_role (RbPublishing *self, const char *role, json_t *part, GError **error)
{
  const RbRolePlan *plan = rb_role_plan_find (self->authoring->roles, role);
  g_autoptr (json_t) signatures = json_array ();
  g_autoptr (GBytes) message = rb_author_message (self->authoring->dialect, part);
  g_autoptr (GPtrArray) keys = rb_role_plan_keys (plan);
  if (!rb_author_check (self->authoring->dialect, part, keys, error))
    return NULL;
  for (guint i = 0; i < plan->cards->len && json_array_size (signatures) < plan->threshold; i++) {
    g_autoptr (GError) problem = NULL;
    RbSigner *signer = signer_of (self, plan->cards->pdata[i], &problem);
    g_autoptr (GBytes) signature = signer == NULL ? NULL : rb_signer_sign (signer, message, &problem);
    if (problem != NULL) {
      g_propagate_error (error, g_steal_pointer (&problem));
      return NULL;
    }
    if (signature != NULL)
      json_array_append_new (signatures,
                             rb_author_signature (self->authoring->dialect, rb_signer_public (signer), signature));
  }
  if (json_array_size (signatures) >= plan->threshold)
    return rb_author_envelope (part, signatures);
  rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_THRESHOLD_UNMET,
                  "%s %s: %zu online keys at hand, threshold is %u", self->authoring->kind, role,
                  json_array_size (signatures), plan->threshold);
  return NULL;
}

static gint64
expiry (const RbPublishing *self, const char *role)
{
  RbPolicyRule rule;
  rb_policy_rules_find (self->policy, self->authoring->kind, role, &rule);
  return self->now + rule.days * RB_MOMENT_DAY;
}

/* The time that a campaign has set for a vehicle's metadata, else by the policy. */
static gint64
vehicle_expiry (const RbPublishing *self, const json_t *vehicle, const char *role)
{
  gint64 expires;
  return json_object_get (vehicle, "expires") != NULL && rb_json_moment (vehicle, "expires", &expires, "vehicle", NULL)
           ? expires
           : expiry (self, role);
}

/* A new version of role: versions are counted by counter, files are below prefix. */
static GBytes *
put_role (RbPublishing *self, const char *prefix, const char *role, json_t *part, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s%s.json", prefix, role);
  g_autoptr (GBytes) bytes = sign_role (self, role, part, error);
  if (bytes == NULL || !rb_publication_put (self->publication, name, bytes, error))
    return NULL;
  json_array_append_new (
    self->done, json_sprintf ("%s%s %" G_GINT64_FORMAT, prefix, role, rb_json_integer_or (part, "version", 0)));
  return g_steal_pointer (&bytes);
}

/* Snapshot over files (name → GBytes), then timestamp. vehicle: whose they are; NULL: the repository's. */
static gboolean
put_snapshot (RbPublishing *self, const char *prefix, const char *counter, const json_t *vehicle, GHashTable *files,
              GError **error)
{
  gint64 version = rb_authoring_next_version (self->authoring, counter);
  g_autoptr (json_t) snapshot
    = rb_author_snapshot (self->authoring->dialect, version, vehicle_expiry (self, vehicle, "snapshot"), files);
  g_autoptr (GBytes) bytes = put_role (self, prefix, "snapshot", snapshot, error);
  if (bytes == NULL)
    return FALSE;
  g_autoptr (json_t) timestamp
    = rb_author_timestamp (self->authoring->dialect, version, vehicle_expiry (self, vehicle, "timestamp"), bytes);
  g_autoptr (GBytes) last = put_role (self, prefix, "timestamp", timestamp, error);
  return last != NULL;
}

/* Less than half of the time of this file left, or is it not there? */
static gboolean
is_due (RbPublishing *self, const char *prefix, const json_t *vehicle, const char *role)
{
  g_autofree char *name = g_strdup_printf ("%s%s.json", prefix, role);
  g_autoptr (GBytes) bytes = rb_publication_read (self->publication, name, NULL);
  g_autoptr (json_t) envelope = bytes == NULL ? NULL : rb_json_parse (bytes, MAX_FILE, name, NULL);
  gint64 expires = 0;
  if (envelope == NULL || !rb_json_moment (json_object_get (envelope, "signed"), "expires", &expires, name, NULL))
    return TRUE;
  return expires - self->now < (vehicle_expiry (self, vehicle, role) - self->now) / 2;
}

/* Every targets file that will be published, and the images that they list. */
typedef struct {
  GHashTable *files; /* name → GBytes */
  GHashTable *images; /* path → sha256 */
} Listing;

/* One file; part is its `signed`, NULL where the file is not there. */
static gboolean
take_file (RbPublishing *self, const char *role, Listing *listing, json_t **part, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *name = g_strconcat (role, ".json", NULL);
  g_autoptr (GBytes) bytes = rb_publication_read (self->publication, name, &problem);
  g_autoptr (json_t) envelope = bytes == NULL ? NULL : rb_json_parse (bytes, MAX_FILE, name, &problem);
  const char *path;
  json_t *entry;
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  *part = envelope == NULL ? NULL : json_incref (json_object_get (envelope, "signed"));
  if (bytes != NULL)
    g_hash_table_insert (listing->files, g_strdup (name), g_bytes_ref (bytes));
  json_object_foreach (json_object_get (*part, "targets"), path, entry)
    g_hash_table_insert (listing->images, g_strdup (path),
                         g_strdup (rb_json_string_or (json_object_get (entry, "hashes"), "sha256", "")));
  return TRUE;
}

static gboolean
take_listing (RbPublishing *self, Listing *listing, GError **error)
{
  g_autoptr (json_t) top = NULL;
  size_t i;
  json_t *role;
  if (!take_file (self, "targets", listing, &top, error))
    return FALSE;
  json_array_foreach (json_object_get (json_object_get (top, "delegations"), "roles"), i, role) {
    g_autoptr (json_t) part = NULL;
    if (!take_file (self, rb_json_string_or (role, "name", ""), listing, &part, error))
      return FALSE;
  }
  return TRUE;
}

/* Files of roles that are delegated to no more. */
static void
remove_stale (RbPublishing *self, const Listing *listing)
{
  g_auto (GStrv) names = rb_publication_list (self->publication, "");
  for (guint i = 0; names[i] != NULL; i++) {
    g_autofree char *role = g_strndup (names[i], strlen (names[i]) - strlen (".json"));
    gboolean other = strchr (names[i], '/') != NULL || g_str_has_suffix (role, ".root") || rb_form_is_top_level (role)
                     || strcmp (names[i], "keys.json") == 0;
    if (!other && !g_hash_table_contains (listing->files, names[i]))
      rb_publication_remove (self->publication, names[i]);
  }
}

static gboolean
sign_repository (RbPublishing *self, gboolean always, GError **error)
{
  g_autoptr (GHashTable) files
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  g_autoptr (GHashTable) images = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  Listing listing = { files, images };
  if (!rb_publication_has (self->publication, "targets.json")
      || (!always && !is_due (self, "", NULL, "timestamp") && !is_due (self, "", NULL, "snapshot")))
    return TRUE;
  if (!take_listing (self, &listing, error)
      || !rb_image_store_publish (self->authoring, self->publication, images, error))
    return FALSE;
  remove_stale (self, &listing);
  return put_snapshot (self, "", "snapshot", NULL, files, error);
}

/* The chain of roots beside a vehicle's own metadata: a client finds all in one folder. */
static gboolean
put_roots (RbPublishing *self, const char *prefix, GError **error)
{
  g_auto (GStrv) names = rb_publication_list (self->publication, "");
  for (guint i = 0; names[i] != NULL; i++) {
    g_autofree char *name = g_strconcat (prefix, names[i], NULL);
    if (strchr (names[i], '/') == NULL && g_str_has_suffix (names[i], "root.json")
        && !rb_publication_repeat (self->publication, names[i], name, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
sign_vehicle (RbPublishing *self, const char *vin, json_t *vehicle, gboolean always, GError **error)
{
  g_autofree char *prefix = g_strdup_printf ("vins/%s/", vin);
  g_autoptr (GHashTable) files
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  if (vehicle_expiry (self, vehicle, "targets") <= self->now) /* its campaign has ended */
    return TRUE;
  if (!always && !is_due (self, prefix, vehicle, "timestamp") && !is_due (self, prefix, vehicle, "targets"))
    return TRUE;
  gint64 version = rb_authoring_next_version (self->authoring, vin);
  g_autoptr (json_t) extra = json_pack ("{s:s}", "vin", vin);
  if (json_object_get (vehicle, "custom") != NULL)
    json_object_set (extra, "custom", json_object_get (vehicle, "custom"));
  g_autoptr (json_t) part
    = rb_author_targets (self->authoring->dialect, version, vehicle_expiry (self, vehicle, "targets"),
                         json_object_get (vehicle, "targets"), NULL, 0, extra);
  GBytes *targets = put_role (self, prefix, "targets", part, error);
  if (targets == NULL)
    return FALSE;
  g_autofree char *counter = g_strconcat (vin, "/snapshot", NULL);
  g_hash_table_insert (files, g_strdup ("targets.json"), targets);
  return put_snapshot (self, prefix, counter, vehicle, files, error) && put_roots (self, prefix, error);
}

gboolean
rb_online_sign_all (RbPublishing *self, gboolean always, GError **error)
{
  const char *vin;
  json_t *vehicle;
  if (!rb_publication_has (self->publication, "root.json"))
    return TRUE;
  if (strcmp (self->authoring->kind, "director") != 0)
    return sign_repository (self, always, error);
  json_object_foreach (self->authoring->vehicles, vin, vehicle)
    if (!sign_vehicle (self, vin, vehicle, always, error))
      return FALSE;
  return TRUE;
}

gboolean
rb_online_sign_vehicle (RbPublishing *self, const char *vin, GError **error)
{
  return sign_vehicle (self, vin, json_object_get (self->authoring->vehicles, vin), TRUE, error);
}
