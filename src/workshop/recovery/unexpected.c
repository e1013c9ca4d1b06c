/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/unexpected.h"

#include "vehicle/search.h"

static gboolean
is_known (const RbVehicleModel *model, const RbModelEcu *found)
{
  for (guint i = 0; i < model->ecus->len; i++) {
    const RbModelEcu *ecu = model->ecus->pdata[i];
    if (found->logical != 0 ? ecu->logical == found->logical : ecu->can_request == found->can_request)
      return TRUE;
  }
  return FALSE;
}

GPtrArray *
rb_unexpected_search (RbLink *link, const RbVehicleModel *model, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) found = rb_search_ecus (link, cancellable, &failure);
  if (found == NULL && rb_reason_of (failure) != RB_REASON_NO_ANSWER) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return NULL;
  }
  for (guint i = 0; found != NULL && i < found->len; i++) {
    const RbModelEcu *ecu = found->pdata[i];
    if (!is_known (model, ecu))
      g_ptr_array_add (names, g_strdup (ecu->name));
  }
  return g_steal_pointer (&names);
}
