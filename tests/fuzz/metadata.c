/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata of all four types, its keys and signatures, targets and delegations; large files are judged as small ones. */
#include "core/json.h"
#include "fuzz.h"
#include "uptane/delegation.h"
#include "uptane/metadata.h"
#include "uptane/target.h"

#include <string.h>

#define LARGE (256 * 1024)

static gboolean
use_entry (const char *name, const json_t *entry, gpointer data)
{
  g_autoptr (RbTarget) target = rb_target_from_json (name, entry, NULL);
  guint *n = data;
  ++*n;
  return TRUE;
}

static void
use_roles (const RbMetadata *metadata)
{
  const json_t *delegations = json_object_get (metadata->signed_part, "delegations");
  const json_t *keys = json_object_get (delegations, "keys");
  const json_t *roles = json_object_get (delegations, "roles");
  for (gsize i = 0; i < json_array_size (roles); i++) {
    const json_t *delegation = json_array_get (roles, i);
    g_autoptr (RbMetadataRole) role = rb_metadata_role_new (keys, delegation, NULL);
    rb_delegation_matches (delegation, "a/b.bin", "hw");
    if (role != NULL && rb_metadata_verify (metadata, role, NULL) && role->threshold < 1)
      g_error ("nobody had to sign");
  }
}

static void
use_root (const RbMetadata *metadata)
{
  static const char *const names[] = { "root", "timestamp", "snapshot", "targets" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (RbMetadataRole) role = rb_metadata_root_role (metadata, names[i], NULL);
    if (role == NULL)
      continue;
    if (rb_metadata_verify (metadata, role, NULL) && g_hash_table_size (role->keys) == 0)
      g_error ("signed by nobody");
    rb_metadata_role_same_keys (role, role) ? (void) 0 : abort ();
  }
}

static RbMetadata *
parse (const uint8_t *data, size_t size, RbMetadataType type, gsize padding, GError **error)
{
  g_autofree char *text = g_malloc (padding + size + 1);
  memset (text, ' ', padding);
  if (size > 0)
    memcpy (&text[padding], data, size);
  g_autoptr (GBytes) bytes = g_bytes_new (text, padding + size);
  return rb_metadata_parse (bytes, type, padding + size, error);
}

/* The same text, large: the same verdict, entries and signers. */
static void
compare (const RbMetadata *small, const RbMetadata *large, const GError *small_error, const GError *large_error)
{
  guint n = 0, m = 0;
  if ((small == NULL) != (large == NULL) || rb_reason_of (small_error) != rb_reason_of (large_error))
    g_error ("small: %s, large: %s", small == NULL ? small_error->message : "good", large == NULL ? large_error->message : "good");
  if (small == NULL)
    return;
  rb_metadata_each_entry (small, use_entry, &n);
  rb_metadata_each_entry (large, use_entry, &m);
  g_autoptr (GBytes) a = rb_metadata_canonical (small);
  g_autoptr (GBytes) b = rb_metadata_canonical (large);
  if (n != m || small->version != large->version || small->expires != large->expires || !g_bytes_equal (a, b))
    g_error ("small and large differ");
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  for (RbMetadataType type = RB_METADATA_ROOT; type <= RB_METADATA_TARGETS; type++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RbMetadata) metadata = parse (data, size, type, 0, &error);
    if (metadata != NULL && type == RB_METADATA_ROOT)
      use_root (metadata);
    if (metadata != NULL && type == RB_METADATA_TARGETS)
      use_roles (metadata);
    if (type == RB_METADATA_ROOT || type == RB_METADATA_TIMESTAMP)
      continue;
    g_autoptr (GError) large_error = NULL;
    g_autoptr (RbMetadata) large = parse (data, size, type, LARGE, &large_error);
    compare (metadata, large, error, large_error);
  }
  return 0;
}
