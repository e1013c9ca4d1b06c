/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/keyring.h"

#include "core/json.h"
#include "keymaker/keygen.h"

struct _RbKeyring {
  gatomicrefcount references;
  char *role;
  guint threshold;
  gboolean online;
  GPtrArray *private; /* of RbPrivateKey */
  GPtrArray *public; /* of RbPublicKey */
  GPtrArray *organisations; /* of char, one a key */
};

static void
keyring_free (RbKeyring *self)
{
  g_free (self->role);
  g_ptr_array_unref (self->private);
  g_ptr_array_unref (self->public);
  g_ptr_array_unref (self->organisations);
  g_free (self);
}

static RbKeyring *
empty (const char *role, guint threshold, gboolean online)
{
  RbKeyring *self = g_new0 (RbKeyring, 1);
  g_atomic_ref_count_init (&self->references);
  self->role = g_strdup (role);
  self->threshold = threshold;
  self->online = online;
  self->private = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_key_private_unref);
  self->public = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_key_public_unref);
  self->organisations = g_ptr_array_new_with_free_func (g_free);
  return self;
}

RbKeyring *
rb_keyring_of (const char *role, GPtrArray *keys)
{
  RbKeyring *self = empty (role, keys->len, TRUE);
  for (guint i = 0; i < keys->len; i++) {
    g_ptr_array_add (self->private, rb_key_private_ref (keys->pdata[i]));
    g_ptr_array_add (self->public, rb_key_public_ref (rb_key_private_public (keys->pdata[i])));
    g_ptr_array_add (self->organisations, g_strdup (""));
  }
  return self;
}

RbKeyring *
rb_keyring_new (const char *role, guint n, guint threshold, gboolean online, const char *const *organisations,
                GError **error)
{
  g_autoptr (RbKeyring) self = empty (role, threshold, online);
  guint n_organisations = g_strv_length ((char **) organisations);
  for (guint i = 0; i < n; i++) {
    RbPrivateKey *key = rb_keygen_new (RB_KEY_ED25519, error);
    if (key == NULL)
      return NULL;
    g_ptr_array_add (self->private, key);
    g_ptr_array_add (self->public, rb_key_public_ref (rb_key_private_public (key)));
    g_ptr_array_add (self->organisations, g_strdup (organisations[i % n_organisations]));
  }
  return g_steal_pointer (&self);
}

RbKeyring *
rb_keyring_ref (RbKeyring *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
rb_keyring_unref (RbKeyring *self)
{
  if (g_atomic_ref_count_dec (&self->references))
    keyring_free (self);
}

const char *
rb_keyring_role (RbKeyring *self)
{
  return self->role;
}

guint
rb_keyring_threshold (RbKeyring *self)
{
  return self->threshold;
}

GPtrArray *
rb_keyring_public (RbKeyring *self)
{
  return self->public;
}

GPtrArray *
rb_keyring_private (RbKeyring *self)
{
  return self->private;
}

GPtrArray *
rb_keyring_signers (RbKeyring *self)
{
  GPtrArray *signers = g_ptr_array_new ();
  for (guint i = 0; i < self->threshold; i++)
    g_ptr_array_add (signers, self->private->pdata[i]);
  return signers;
}

void
rb_keyring_describe (RbKeyring *self, RbDialect dialect, json_t *list)
{
  for (guint i = 0; i < self->public->len; i++) {
    g_autofree char *holder = g_strdup_printf ("%s %u", self->role, i + 1);
    g_autofree char *id = rb_author_key_id (dialect, self->public->pdata[i]);
    json_t *key = json_object ();
    rb_json_set_string (key, "id", id);
    rb_json_set_string (key, "role", self->role);
    rb_json_set_string (key, "holder", holder);
    rb_json_set_string (key, "organisation", self->organisations->pdata[i]);
    rb_json_set_boolean (key, "online", self->online);
    json_array_append_new (list, key);
  }
}
