/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/online.h"

#include "authority/policy-rules.h"
#include "core/json.h"
#include "core/moment.h"

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

/* Snapshot over files (name → GBytes), then timestamp. */
static gboolean
put_snapshot (RbPublishing *self, const char *prefix, const char *counter, GHashTable *files, GError **error)
{
  gint64 version = rb_authoring_next_version (self->authoring, counter);
  g_autoptr (json_t) snapshot
    = rb_author_snapshot (self->authoring->dialect, version, expiry (self, "snapshot"), files);
  g_autoptr (GBytes) bytes = put_role (self, prefix, "snapshot", snapshot, error);
  if (bytes == NULL)
    return FALSE;
  g_autoptr (json_t) timestamp
    = rb_author_timestamp (self->authoring->dialect, version, expiry (self, "timestamp"), bytes);
  g_autoptr (GBytes) last = put_role (self, prefix, "timestamp", timestamp, error);
  return last != NULL;
}

static gboolean
take_file (RbPublishing *self, GHashTable *files, const char *role, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *name = g_strconcat (role, ".json", NULL);
  GBytes *bytes = rb_publication_read (self->publication, name, &problem);
  if (bytes != NULL)
    g_hash_table_insert (files, g_strdup (name), bytes);
  if (problem == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

/* Less than half of the time of this file left, or is it not there? */
static gboolean
is_due (RbPublishing *self, const char *prefix, const char *role)
{
  g_autofree char *name = g_strdup_printf ("%s%s.json", prefix, role);
  g_autoptr (GBytes) bytes = rb_publication_read (self->publication, name, NULL);
  g_autoptr (json_t) envelope = bytes == NULL ? NULL : rb_json_parse (bytes, MAX_FILE, name, NULL);
  gint64 expires = 0;
  if (envelope == NULL || !rb_json_moment (json_object_get (envelope, "signed"), "expires", &expires, name, NULL))
    return TRUE;
  return expires - self->now < (expiry (self, role) - self->now) / 2;
}

/* Images of the published targets files, and no other. */
static gboolean
put_images (RbPublishing *self, const json_t *targets, GError **error)
{
  const char *path;
  json_t *unused;
  json_object_foreach ((json_t *) targets, path, unused) {
    g_autofree char *source = rb_authoring_target_path (self->authoring, path);
    g_autofree char *name = g_build_filename ("targets", path, NULL);
    if (!rb_publication_put_file (self->publication, name, source, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
sign_repository (RbPublishing *self, gboolean always, GError **error)
{
  g_autoptr (GHashTable) files
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  if (!rb_publication_has (self->publication, "targets.json")
      || (!always && !is_due (self, "", "timestamp") && !is_due (self, "", "snapshot")))
    return TRUE;
  if (!take_file (self, files, "targets", error) || !put_images (self, self->authoring->targets, error))
    return FALSE;
  for (gsize i = 0; i < json_array_size (self->authoring->delegations); i++) {
    const json_t *one = json_array_get (self->authoring->delegations, i);
    if (!take_file (self, files, rb_json_string_or (one, "name", ""), error)
        || !put_images (self, json_object_get (one, "targets"), error))
      return FALSE;
  }
  return put_snapshot (self, "", "snapshot", files, error);
}

static gboolean
sign_vehicle (RbPublishing *self, const char *vin, json_t *vehicle, gboolean always, GError **error)
{
  g_autofree char *prefix = g_strdup_printf ("vins/%s/", vin);
  g_autoptr (GHashTable) files
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  if (!always && !is_due (self, prefix, "timestamp") && !is_due (self, prefix, "targets"))
    return TRUE;
  gint64 version = rb_authoring_next_version (self->authoring, vin);
  g_autoptr (json_t) extra = json_pack ("{s:s}", "vin", vin);
  g_autoptr (json_t) part = rb_author_targets (self->authoring->dialect, version, expiry (self, "targets"),
                                               json_object_get (vehicle, "targets"), NULL, 0, extra);
  GBytes *targets = put_role (self, prefix, "targets", part, error);
  if (targets == NULL)
    return FALSE;
  g_autofree char *counter = g_strconcat (vin, "/snapshot", NULL);
  g_hash_table_insert (files, g_strdup ("targets.json"), targets);
  return put_snapshot (self, prefix, counter, files, error);
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
