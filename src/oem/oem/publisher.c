/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/publisher.h"

#include "core/json.h"

#include <string.h>

enum { ROOT, TIMESTAMP, SNAPSHOT, TARGETS, N_ROLES };
static const char *const role_names[N_ROLES] = { "root", "timestamp", "snapshot", "targets" };

typedef struct {
  RbKeyring *keys;
  GStrv paths;
  GStrv hardware_ids;
  gint64 version;
  json_t *targets;
} Delegated;

struct _RbPublisher {
  char *kind;
  RbDialect dialect;
  RbKeyring *keys[N_ROLES];
  RbKeyring *previous_root; /* who signs for the newest published root */
  GPtrArray *roots; /* of GBytes, version 1 first */
  GPtrArray *delegated; /* of Delegated */
};

static void
delegated_free (Delegated *self)
{
  rb_keyring_unref (self->keys);
  g_strfreev (self->paths);
  g_strfreev (self->hardware_ids);
  json_decref (self->targets);
  g_free (self);
}

RbPublisher *
rb_publisher_new (const char *kind)
{
  RbPublisher *self = g_new0 (RbPublisher, 1);
  self->kind = g_strdup (kind);
  self->dialect = strcmp (kind, "service") == 0 ? RB_DIALECT_TUF : RB_DIALECT_UPTANE;
  self->roots = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  self->delegated = g_ptr_array_new_with_free_func ((GDestroyNotify) delegated_free);
  return self;
}

RbPublisher *
rb_publisher_copy (RbPublisher *self)
{
  RbPublisher *copy = rb_publisher_new (self->kind);
  for (guint i = 0; i < N_ROLES; i++)
    copy->keys[i] = self->keys[i] == NULL ? NULL : rb_keyring_ref (self->keys[i]);
  copy->previous_root = self->previous_root == NULL ? NULL : rb_keyring_ref (self->previous_root);
  for (guint i = 0; i < self->roots->len; i++)
    g_ptr_array_add (copy->roots, g_bytes_ref (self->roots->pdata[i]));
  for (guint i = 0; i < self->delegated->len; i++) {
    const Delegated *from = self->delegated->pdata[i];
    rb_publisher_delegate (copy, rb_keyring_ref (from->keys), (const char *const *) from->paths,
                           (const char *const *) from->hardware_ids);
    rb_publisher_set_delegated (copy, rb_keyring_role (from->keys), from->version, from->targets);
  }
  return copy;
}

void
rb_publisher_free (RbPublisher *self)
{
  for (guint i = 0; i < N_ROLES; i++)
    g_clear_pointer (&self->keys[i], rb_keyring_unref);
  g_clear_pointer (&self->previous_root, rb_keyring_unref);
  g_ptr_array_unref (self->roots);
  g_ptr_array_unref (self->delegated);
  g_free (self->kind);
  g_free (self);
}

const char *
rb_publisher_kind (RbPublisher *self)
{
  return self->kind;
}

static guint
role_index (const char *role)
{
  guint i = 0;
  while (i < N_ROLES && strcmp (role_names[i], role) != 0)
    i++;
  g_assert (i < N_ROLES);
  return i;
}

void
rb_publisher_set_keys (RbPublisher *self, RbKeyring *keys)
{
  guint role = role_index (rb_keyring_role (keys));
  g_clear_pointer (&self->keys[role], rb_keyring_unref);
  self->keys[role] = keys;
}

RbKeyring *
rb_publisher_keys (RbPublisher *self, const char *role)
{
  return self->keys[role_index (role)];
}

static Delegated *
find_delegated (RbPublisher *self, const char *name)
{
  for (guint i = 0; i < self->delegated->len; i++) {
    Delegated *delegated = self->delegated->pdata[i];
    if (strcmp (rb_keyring_role (delegated->keys), name) == 0)
      return delegated;
  }
  return NULL;
}

void
rb_publisher_delegate (RbPublisher *self, RbKeyring *keys, const char *const *paths, const char *const *hardware_ids)
{
  Delegated *delegated = find_delegated (self, rb_keyring_role (keys));
  if (delegated == NULL) {
    delegated = g_new0 (Delegated, 1);
    delegated->targets = json_object ();
    g_ptr_array_add (self->delegated, delegated);
  } else {
    rb_keyring_unref (delegated->keys);
    g_strfreev (delegated->paths);
    g_strfreev (delegated->hardware_ids);
  }
  delegated->keys = keys;
  delegated->paths = g_strdupv ((char **) paths);
  delegated->hardware_ids = g_strdupv ((char **) hardware_ids);
}

void
rb_publisher_set_delegated (RbPublisher *self, const char *name, gint64 version, json_t *targets)
{
  Delegated *delegated = find_delegated (self, name);
  g_assert (delegated != NULL);
  json_t *before = delegated->targets;
  delegated->targets = json_incref (targets);
  delegated->version = version;
  json_decref (before);
}

static void
add_signers (GPtrArray *signers, RbKeyring *keys)
{
  g_autoptr (GPtrArray) more = rb_keyring_signers (keys);
  for (guint i = 0; i < more->len; i++)
    g_ptr_array_add (signers, more->pdata[i]);
}

gboolean
rb_publisher_publish_root (RbPublisher *self, gint64 expires, gboolean chained, GError **error)
{
  RbAuthorRole roles[N_ROLES];
  for (guint i = 0; i < N_ROLES; i++)
    roles[i] = (RbAuthorRole){ role_names[i], rb_keyring_public (self->keys[i]), rb_keyring_threshold (self->keys[i]) };
  g_autoptr (json_t) part = rb_author_root (self->dialect, self->roots->len + 1, expires, roles, N_ROLES);
  g_autoptr (GPtrArray) signers = rb_keyring_signers (self->keys[ROOT]);
  if (chained && self->previous_root != NULL)
    add_signers (signers, self->previous_root);
  GBytes *root = rb_author_sign (self->dialect, part, signers, error);
  if (root == NULL)
    return FALSE;
  g_ptr_array_add (self->roots, root);
  g_clear_pointer (&self->previous_root, rb_keyring_unref);
  self->previous_root = rb_keyring_ref (self->keys[ROOT]);
  return TRUE;
}

GBytes *
rb_publisher_root (RbPublisher *self, guint version)
{
  g_assert (version >= 1 && version <= self->roots->len);
  return self->roots->pdata[version - 1];
}

guint
rb_publisher_root_version (RbPublisher *self)
{
  return self->roots->len;
}

/* Signs part and files it under name; what it gives is borrowed from files. */
static GBytes *
sign_into (RbPublisher *self, GHashTable *files, const char *name, json_t *part, RbKeyring *keys, GError **error)
{
  g_autoptr (GPtrArray) signers = rb_keyring_signers (keys);
  GBytes *bytes = rb_author_sign (self->dialect, part, signers, error);
  if (bytes == NULL)
    g_prefix_error (error, "%s %s: ", self->kind, name);
  else
    g_hash_table_insert (files, g_strdup (name), bytes);
  return bytes;
}

static gboolean
publish_delegated (RbPublisher *self, GHashTable *files, const RbPublisherPlan *plan, GError **error)
{
  for (guint i = 0; i < self->delegated->len; i++) {
    const Delegated *delegated = self->delegated->pdata[i];
    g_autofree char *name = g_strconcat (rb_keyring_role (delegated->keys), ".json", NULL);
    g_autoptr (json_t) part
      = rb_author_targets (self->dialect, delegated->version, plan->targets_expires, delegated->targets, NULL, 0, NULL);
    if (sign_into (self, files, name, part, delegated->keys, error) == NULL)
      return FALSE;
  }
  return TRUE;
}

static gboolean
publish_targets (RbPublisher *self, GHashTable *files, const RbPublisherPlan *plan, GError **error)
{
  guint n = self->delegated->len;
  g_autofree RbAuthorDelegation *delegations = g_new0 (RbAuthorDelegation, n + 1);
  for (guint i = 0; i < n; i++) {
    const Delegated *from = self->delegated->pdata[i];
    delegations[i] = (RbAuthorDelegation){ .name = rb_keyring_role (from->keys),
                                           .keys = rb_keyring_public (from->keys),
                                           .threshold = rb_keyring_threshold (from->keys),
                                           .paths = from->paths,
                                           .hardware_ids = from->hardware_ids };
  }
  g_autoptr (json_t) part = rb_author_targets (self->dialect, plan->targets_version, plan->targets_expires,
                                               plan->targets, delegations, n, plan->extra);
  return sign_into (self, files, "targets.json", part, self->keys[TARGETS], error) != NULL;
}

GHashTable *
rb_publisher_publish (RbPublisher *self, const RbPublisherPlan *plan, GError **error)
{
  g_autoptr (GHashTable) files
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
  if (!publish_delegated (self, files, plan, error) || !publish_targets (self, files, plan, error))
    return NULL;
  g_autoptr (json_t) snapshot = rb_author_snapshot (self->dialect, plan->version, plan->expires, files);
  GBytes *signed_snapshot = sign_into (self, files, "snapshot.json", snapshot, self->keys[SNAPSHOT], error);
  if (signed_snapshot == NULL)
    return NULL;
  g_autoptr (json_t) timestamp = rb_author_timestamp (self->dialect, plan->version, plan->expires, signed_snapshot);
  if (sign_into (self, files, "timestamp.json", timestamp, self->keys[TIMESTAMP], error) == NULL)
    return NULL;
  return g_steal_pointer (&files);
}

void
rb_publisher_add_roots (RbPublisher *self, GHashTable *files)
{
  for (guint i = 0; i < self->roots->len; i++)
    g_hash_table_insert (files, g_strdup_printf ("%u.root.json", i + 1), g_bytes_ref (self->roots->pdata[i]));
}

json_t *
rb_publisher_describe_keys (RbPublisher *self)
{
  json_t *description = json_object ();
  json_t *keys = json_array ();
  rb_json_set_string (description, "format", "recallbay-keys-1");
  rb_json_set_string (description, "kind", self->kind);
  rb_json_set (description, "keys", keys);
  for (guint i = 0; i < N_ROLES; i++)
    rb_keyring_describe (self->keys[i], self->dialect, keys);
  for (guint i = 0; i < self->delegated->len; i++)
    rb_keyring_describe (((Delegated *) self->delegated->pdata[i])->keys, self->dialect, keys);
  return description;
}
