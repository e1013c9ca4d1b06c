/* SPDX-License-Identifier: Apache-2.0 */
#include "model/wmi.h"

#include <string.h>

gboolean
rb_wmi_is_valid (const char *prefix)
{
  gsize length = prefix == NULL ? 0 : strlen (prefix);
  return length >= 1 && length <= RB_WMI_MAX_LENGTH && strspn (prefix, "ABCDEFGHJKLMNPRSTUVWXYZ0123456789") == length;
}

gboolean
rb_wmi_holds (const char *const *set, const char *vin)
{
  for (guint i = 0; set != NULL && set[i] != NULL; i++)
    if (g_str_has_prefix (vin, set[i]))
      return TRUE;
  return FALSE;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* A prefix sorts right before what begins with it, so one look back is enough. */
static GStrv
reduce (GPtrArray *prefixes)
{
  GPtrArray *kept = g_ptr_array_new ();
  g_ptr_array_sort (prefixes, compare);
  for (guint i = 0; i < prefixes->len; i++)
    if (kept->len == 0 || !g_str_has_prefix (prefixes->pdata[i], kept->pdata[kept->len - 1]))
      g_ptr_array_add (kept, g_strdup (prefixes->pdata[i]));
  g_ptr_array_add (kept, NULL);
  return (GStrv) g_ptr_array_free (kept, FALSE);
}

GStrv
rb_wmi_intersect (const char *const *one, const char *const *two)
{
  g_autoptr (GPtrArray) both = g_ptr_array_new ();
  for (guint i = 0; one != NULL && one[i] != NULL; i++)
    for (guint j = 0; two != NULL && two[j] != NULL; j++) {
      if (g_str_has_prefix (one[i], two[j]))
        g_ptr_array_add (both, (gpointer) one[i]);
      else if (g_str_has_prefix (two[j], one[i]))
        g_ptr_array_add (both, (gpointer) two[j]);
    }
  return reduce (both);
}

static void
add_all (GPtrArray *all, const char *const *set)
{
  for (guint i = 0; set != NULL && set[i] != NULL; i++)
    g_ptr_array_add (all, (gpointer) set[i]);
}

GStrv
rb_wmi_unite (const char *const *one, const char *const *two)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  add_all (all, one);
  add_all (all, two);
  return reduce (all);
}
