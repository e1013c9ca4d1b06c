/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/delegation.h"

#include "core/json.h"
#include "crypto/digest.h"

#include <fnmatch.h>
#include <string.h>

/* Part by part. */
static gboolean
path_matches (const char *pattern, const char *path)
{
  g_auto (GStrv) patterns = g_strsplit (pattern, "/", -1);
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  if (g_strv_length (patterns) != g_strv_length (parts))
    return FALSE;
  for (guint i = 0; parts[i] != NULL; i++)
    if (fnmatch (patterns[i], parts[i], FNM_NOESCAPE) != 0)
      return FALSE;
  return TRUE;
}

static gboolean
matches_path (const json_t *delegation, const char *path)
{
  const json_t *paths = json_object_get (delegation, "paths");
  const json_t *prefixes = json_object_get (delegation, "path_hash_prefixes");
  g_autofree char *hash = rb_digest_sha256_hex (path, strlen (path));
  for (gsize i = 0; i < json_array_size (paths); i++) {
    const char *pattern = json_string_value (json_array_get (paths, i));
    if (pattern != NULL && path_matches (pattern, path))
      return TRUE;
  }
  for (gsize i = 0; i < json_array_size (prefixes); i++) {
    const char *prefix = json_string_value (json_array_get (prefixes, i));
    if (prefix != NULL && g_str_has_prefix (hash, prefix))
      return TRUE;
  }
  return FALSE;
}

static gboolean
matches_hardware (const json_t *delegation, const char *hardware_id)
{
  const json_t *list = json_object_get (delegation, "hardwareIds");
  if (!json_is_array (list) || hardware_id == NULL)
    return TRUE;
  for (gsize i = 0; i < json_array_size (list); i++)
    if (g_strcmp0 (json_string_value (json_array_get (list, i)), hardware_id) == 0)
      return TRUE;
  return FALSE;
}

gboolean
rb_delegation_matches (const json_t *delegation, const char *path, const char *hardware_id)
{
  return matches_path (delegation, path) && matches_hardware (delegation, hardware_id);
}

static guint
bits_of (const json_t *succinct)
{
  return (guint) CLAMP (rb_json_integer_or (succinct, "bit_length", 1), 1, 32);
}

guint64
rb_delegation_n_bins (const json_t *succinct)
{
  return G_GUINT64_CONSTANT (1) << bits_of (succinct);
}

guint64
rb_delegation_bin (const json_t *succinct, const char *path)
{
  g_autofree char *hash = rb_digest_sha256_hex (path, strlen (path));
  hash[8] = '\0';
  return g_ascii_strtoull (hash, NULL, 16) >> (32 - bits_of (succinct));
}

char *
rb_delegation_bin_name (const json_t *succinct, guint64 bin)
{
  int digits = (int) (bits_of (succinct) + 3) / 4;
  return g_strdup_printf ("%s-%0*" G_GINT64_MODIFIER "x", rb_json_string_or (succinct, "name_prefix", ""), digits, bin);
}
