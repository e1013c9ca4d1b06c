/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/hold.h"

#include "core/lock.h"
#include "link/link-name.h"

struct _RbHold {
  GHashTable *locks; /* name → RbLock */
};

static gboolean
add (RbHold *self, const char *kind, const char *name, const char *subject, GError **error)
{
  g_autofree char *full = g_strdup_printf ("recallbay/%s/%s", kind, name);
  g_autofree char *text = g_strdup_printf ("%s %s", kind, subject);
  if (g_hash_table_contains (self->locks, full))
    return TRUE;
  RbLock *lock = rb_lock_name (full, text, error);
  if (lock != NULL)
    g_hash_table_insert (self->locks, g_steal_pointer (&full), lock);
  return lock != NULL;
}

static gboolean
add_link (RbHold *self, const char *uri, GCancellable *cancellable, GError **error)
{
  g_auto (GStrv) names = rb_link_name_list (uri, cancellable);
  for (guint i = 0; names[i] != NULL; i++)
    if (!add (self, "link", names[i], uri, error))
      return FALSE;
  return TRUE;
}

RbHold *
rb_hold_take (const char *uri, const char *vin, GCancellable *cancellable, GError **error)
{
  g_autoptr (RbHold) self = g_new0 (RbHold, 1);
  self->locks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) rb_lock_free);
  if ((vin != NULL && !add (self, "vehicle", vin, vin, error))
      || (uri != NULL && !add_link (self, uri, cancellable, error)))
    return NULL;
  return g_steal_pointer (&self);
}

gboolean
rb_hold_add_link (RbHold *self, RbLink *link, GCancellable *cancellable, GError **error)
{
  return add_link (self, rb_link_uri (link), cancellable, error);
}

void
rb_hold_free (RbHold *self)
{
  g_hash_table_unref (self->locks);
  g_free (self);
}
