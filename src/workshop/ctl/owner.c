/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/owner.h"

#include "core/json.h"
#include "library/rollback-state.h"
#include "library/trust.h"

#include <string.h>

struct _RbOwners {
  RbRollbackState *pins;
  GPtrArray *anchors;
};

RbOwners *
rb_owner_load (const char *data_dir, GError **error)
{
  g_autoptr (RbOwners) self = g_new0 (RbOwners, 1);
  self->pins = rb_rollback_state_load (data_dir, error);
  self->anchors = self->pins == NULL ? NULL : rb_trust_list (data_dir, error);
  return self->anchors == NULL ? NULL : g_steal_pointer (&self);
}

void
rb_owner_free (RbOwners *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->pins, rb_rollback_state_free);
  g_clear_pointer (&self->anchors, g_ptr_array_unref);
  g_free (self);
}

/* NULL for a record that cannot be read; borrowed from both. */
static const char *
owner_of (RbOwners *self, const RbStored *record)
{
  if (record->outcome->predicate == NULL)
    return NULL;
  const json_t *campaign = json_object_get (record->outcome->predicate, "campaign");
  const char *owner = rb_rollback_state_owner (self->pins, rb_json_string_or (campaign, "campaignSha256", ""));
  return owner != NULL ? owner : rb_json_string_or (campaign, "oem", NULL);
}

/* Every OEM here: of the trust anchors and of the records. */
static GPtrArray *
all_owners (RbOwners *self, GPtrArray *records)
{
  GPtrArray *names = g_ptr_array_new ();
  for (guint i = 0; i < self->anchors->len; i++)
    g_ptr_array_add (names, ((RbAnchor *) self->anchors->pdata[i])->name);
  for (guint i = 0; i < records->len; i++) {
    const char *owner = owner_of (self, records->pdata[i]);
    if (owner != NULL && !g_ptr_array_find_with_equal_func (names, owner, g_str_equal, NULL))
      g_ptr_array_add (names, (gpointer) owner);
  }
  return names;
}

static gboolean
owner_error (RbReason reason, const char *text, GPtrArray *names, GError **error)
{
  g_autoptr (GString) list = g_string_new (NULL);
  for (guint i = 0; i < names->len; i++)
    g_string_append_printf (list, "%s“%s”", i == 0 ? "" : ", ", (char *) names->pdata[i]);
  return rb_reason_deny (error, RB_RECORD_ERROR, reason, "%s %s", text, list->len == 0 ? "none" : list->str);
}

gboolean
rb_owner_select (RbOwners *self, GPtrArray *records, const char *oem, GError **error)
{
  g_autoptr (GPtrArray) names = all_owners (self, records);
  if (oem == NULL && names->len > 1)
    return owner_error (RB_REASON_USAGE, "--oem is missing: this workstation has records or trust anchors of", names,
                        error);
  if (oem == NULL)
    return TRUE;
  if (!g_ptr_array_find_with_equal_func (names, oem, g_str_equal, NULL)) {
    g_autofree char *text = g_strdup_printf ("--oem “%s”: the OEMs here are", oem);
    return owner_error (RB_REASON_NOT_FOUND, text, names, error);
  }
  for (guint i = records->len; i > 0; i--) {
    const char *owner = owner_of (self, records->pdata[i - 1]);
    if (owner != NULL && strcmp (owner, oem) != 0)
      g_ptr_array_remove_index (records, i - 1);
  }
  return TRUE;
}
