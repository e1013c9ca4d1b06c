/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/anchor.h"

void
rb_anchor_free (RbAnchor *self)
{
  if (self == NULL)
    return;
  g_free (self->name);
  g_free (self->sha256);
  g_clear_pointer (&self->roots, g_ptr_array_unref);
  g_free (self->folder);
  g_free (self);
}

gboolean
rb_anchor_has (const RbAnchor *anchor, GBytes *root)
{
  for (guint i = 0; i < anchor->roots->len; i++)
    if (g_bytes_equal (anchor->roots->pdata[i], root))
      return TRUE;
  return FALSE;
}

gboolean
rb_anchor_knows (const RbAnchor *self, GPtrArray *roots)
{
  for (guint i = 0; i < roots->len; i++)
    if (rb_anchor_has (self, roots->pdata[i]))
      return TRUE;
  return FALSE;
}
