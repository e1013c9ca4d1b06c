/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link-entry.h"

void
rb_link_entry_free (RbLinkEntry *self)
{
  g_free (self->uri);
  g_free (self->kind);
  g_free (self->name);
  g_free (self->serial);
  g_free (self->state);
  g_free (self->vin);
  g_free (self);
}
