/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/shape.h"

#include "core/files.h"
#include "model/campaign.h"

#include <string.h>

#define IMAGES "image/targets/"
#define PIECES ".pieces"
#define TABLE ".table"

static const struct {
  const char *table, *pieces; /* folders */
} indices[] = { { "scopes/", "scopes/" }, { "regions/", "vins/regions/" } };

/* "200.targets.json" → "targets.json" */
static const char *
without_version (const char *name)
{
  gsize digits = strspn (name, "0123456789");
  return digits >= 1 && digits <= 10 && name[digits] == '.' ? &name[digits + 1] : name;
}

static gboolean
is_root_name (const char *name)
{
  return without_version (name) != name && strcmp (without_version (name), "root.json") == 0;
}

static gboolean
is_pack_file (char **parts, guint n)
{
  if (n < 3 || !rb_campaign_vin_is_valid (parts[1]))
    return FALSE;
  if (n == 3)
    return strcmp (parts[2], "she.json") == 0;
  return n == 4 && strcmp (parts[2], "director") == 0
         && (strcmp (parts[3], "timestamp.json") == 0 || strcmp (without_version (parts[3]), "snapshot.json") == 0
             || strcmp (without_version (parts[3]), "targets.json") == 0);
}

static gboolean
is_table_group (const char *group)
{
  return strcmp (group, "scopes") == 0 || strcmp (group, "regions") == 0;
}

static gboolean
is_service_file (char **parts, guint n)
{
  const char *name = parts[n - 1];
  if (n == 3 && strcmp (parts[1], "metadata") == 0)
    return g_str_has_suffix (name, ".json");
  return n == 4 && strcmp (parts[1], "targets") == 0
         && g_str_has_suffix (name, is_table_group (parts[2]) ? TABLE : ".json");
}

static gboolean
is_metadata_file (char **parts, guint n)
{
  if (n != 3 || strcmp (parts[1], "metadata") != 0 || !g_str_has_suffix (parts[2], ".json"))
    return FALSE;
  return strcmp (parts[0], "image") == 0 || is_root_name (parts[2]);
}

gboolean
rb_shape_part (const char *path, RbShapePart *part)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  g_autofree char *table = rb_shape_table (path);
  guint n = g_strv_length (parts);
  const char *first = n == 0 ? "" : parts[0];
  if (strcmp (first, "service") == 0) {
    *part = RB_SHAPE_SERVICE;
    return is_service_file (parts, n);
  }
  if (strcmp (first, "scopes") == 0) {
    *part = RB_SHAPE_SCOPES;
    return table != NULL;
  }
  if (strcmp (first, "vins") == 0) {
    *part = RB_SHAPE_VINS;
    return table != NULL || is_pack_file (parts, n);
  }
  *part = g_str_has_prefix (path, IMAGES) ? RB_SHAPE_IMAGES : RB_SHAPE_METADATA;
  return *part == RB_SHAPE_IMAGES
         || ((strcmp (first, "director") == 0 || strcmp (first, "image") == 0) && is_metadata_file (parts, n));
}

char *
rb_shape_vin (const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", 3);
  return g_strv_length (parts) == 3 && strcmp (parts[0], "vins") == 0 && rb_campaign_vin_is_valid (parts[1])
           ? g_strdup (parts[1])
           : NULL;
}

/* "FROM/NAME.OLD" → "TO/NAME.NEW" */
static char *
exchange (const char *path, const char *from, const char *old, const char *to, const char *new)
{
  if (!g_str_has_prefix (path, from) || !g_str_has_suffix (path, old) || strlen (path) <= strlen (from) + strlen (old))
    return NULL;
  g_autofree char *name = g_strndup (&path[strlen (from)], strlen (path) - strlen (from) - strlen (old));
  return rb_files_name_is_safe (name) ? g_strconcat (to, name, new, NULL) : NULL;
}

char *
rb_shape_table (const char *path)
{
  char *table = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (indices) && table == NULL; i++)
    table = exchange (path, indices[i].pieces, PIECES, indices[i].table, TABLE);
  return table;
}

char *
rb_shape_pieces (const char *table)
{
  char *pieces = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (indices) && pieces == NULL; i++)
    pieces = exchange (table, indices[i].table, TABLE, indices[i].pieces, PIECES);
  return pieces;
}

const char *
rb_shape_without_hash (const char *name)
{
  gsize digits = strspn (name, "0123456789abcdef");
  return (digits == 64 || digits == 128) && name[digits] == '.' && name[digits + 1] != '\0' ? &name[digits + 1] : NULL;
}

char *
rb_shape_image (const char *path, char **digest)
{
  if (digest != NULL)
    *digest = NULL;
  if (!g_str_has_prefix (path, IMAGES))
    return NULL;
  const char *slash = strrchr (path, '/');
  const char *plain = rb_shape_without_hash (&slash[1]);
  if (plain == NULL)
    return g_strdup (&path[strlen (IMAGES)]);
  if (digest != NULL)
    *digest = g_strndup (&slash[1], (gsize) (plain - &slash[2]));
  g_autofree char *folder = g_strndup (path, (gsize) (slash - path) + 1);
  return g_strconcat (&folder[strlen (IMAGES)], plain, NULL);
}
