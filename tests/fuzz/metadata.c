/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata of all four types, its roles, thresholds and signatures, targets and delegations. Keys and signatures are
 * stand-ins (stand-in.c). Of some inputs, the same text made large is read as the small one is. */
#include "core/json.h"
#include "fuzz.h"
#include "uptane/delegation.h"
#include "uptane/metadata.h"
#include "uptane/target.h"

#include <string.h>

#define LARGE (256 * 1024)
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define LARGE_RUNS 2048 /* one run in so many */
#else
#define LARGE_RUNS 1
#endif

static gboolean
use_entry (const char *name, const json_t *entry, gpointer data)
{
  g_autoptr (RbTarget) target = rb_target_from_json (name, entry, NULL);
  guint *n = data;
  ++*n;
  return TRUE;
}

static void
use_roles (RbMetadata *metadata)
{
  const json_t *delegations = json_object_get (metadata->signed_part, "delegations");
  const json_t *keys = json_object_get (delegations, "keys");
  const json_t *roles = json_object_get (delegations, "roles");
  const json_t *succinct = json_object_get (delegations, "succinct_roles");
  if (succinct != NULL && rb_delegation_bin (succinct, "a/b.bin") >= rb_delegation_n_bins (succinct))
    g_error ("no such bin");
  for (gsize i = 0; i < json_array_size (roles); i++) {
    const json_t *delegation = json_array_get (roles, i);
    g_autoptr (RbMetadataRole) role = rb_metadata_role_new (keys, delegation, NULL);
    rb_delegation_matches (delegation, "a/b.bin", "hw");
    if (role != NULL && rb_metadata_verify (metadata, role, NULL) && role->threshold < 1)
      g_error ("nobody had to sign");
  }
}

static void
use_root (RbMetadata *metadata)
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
parse (const uint8_t *data, size_t size, RbMetadataType type, gsize padding, gboolean whole, GError **error)
{
  g_autofree char *text = g_malloc (padding + size + 1);
  memset (text, ' ', padding);
  if (size > 0)
    memcpy (&text[padding], data, size);
  g_autoptr (GBytes) bytes = g_bytes_new (text, padding + size);
  return whole ? rb_metadata_parse (bytes, type, padding + size, error)
               : rb_metadata_read (bytes, type, padding + size, error);
}

static gboolean
take_first (GBytes *form, gpointer data)
{
  *(GBytes **) data = g_bytes_ref (form);
  return TRUE;
}

static GBytes *
form_a_of (const RbMetadata *metadata)
{
  GBytes *form = NULL;
  rb_metadata_each_form (metadata, take_first, &form);
  return form;
}

/* The same text, large: the same verdict as a whole, the same entries; and by its head nothing is accepted that is not
 * signed. */
static void
compare (RbMetadata *small, RbMetadata *large, RbMetadata *whole, const GError *small_error, const GError *whole_error)
{
  guint n = 0, m = 0;
  g_autoptr (RbMetadataRole) nobody = g_new0 (RbMetadataRole, 1);
  nobody->keys = g_hash_table_new (g_str_hash, g_str_equal);
  nobody->absent = g_hash_table_new (g_str_hash, g_str_equal);
  nobody->threshold = 1;
  if (small != NULL && large == NULL)
    g_error ("large is rejected");
  if (large != NULL && rb_metadata_verify (large, nobody, NULL))
    g_error ("signed by nobody");
  if ((small == NULL) != (whole == NULL) || rb_reason_of (small_error) != rb_reason_of (whole_error))
    g_error ("small: %s, large: %s", small == NULL ? small_error->message : "good",
             whole == NULL ? whole_error->message : "good");
  if (small == NULL)
    return;
  rb_metadata_each_entry (small, use_entry, &n);
  rb_metadata_each_entry (whole, use_entry, &m);
  g_autoptr (GBytes) a = form_a_of (small);
  g_autoptr (GBytes) b = form_a_of (large);
  if (n != m || small->version != large->version || small->expires != large->expires || !g_bytes_equal (a, b))
    g_error ("small and large differ");
}

static void
use (const uint8_t *data, size_t size, RbMetadataType type)
{
  g_autoptr (RbMetadata) metadata = parse (data, size, type, 0, TRUE, NULL);
  if (metadata != NULL && type == RB_METADATA_ROOT)
    use_root (metadata);
  if (metadata != NULL && type == RB_METADATA_TARGETS)
    use_roles (metadata);
}

/* The type that the text names first, so that most inputs are parsed once. */
static RbMetadataType
type_of (const uint8_t *data, size_t size)
{
  static const char letters[] = "rtsa";
  g_autofree char *text = g_ascii_strdown ((const char *) data, (gssize) size);
  const char *type = g_strstr_len (text, (gssize) size, "\"_type\":\"");
  char letter = type == NULL || type + 10 >= text + size ? 't' : type[9] == 't' && type[10] == 'a' ? 'a' : type[9];
  const char *found = letter == '\0' ? NULL : strchr (letters, letter);
  return found == NULL ? RB_METADATA_TARGETS : (RbMetadataType) (found - letters);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  RbMetadataType type = type_of (data, size);
  use (data, size, type);
  if (size % 8 == 0)
    use (data, size, (RbMetadataType) (size / 8 % 4));
  if (g_bytes_hash (bytes) % LARGE_RUNS != 0)
    return 0;
  g_autoptr (GError) small_error = NULL;
  g_autoptr (GError) whole_error = NULL;
  g_autoptr (RbMetadata) small = parse (data, size, type, 0, TRUE, &small_error);
  g_autoptr (RbMetadata) whole = parse (data, size, type, LARGE, TRUE, &whole_error);
  g_autoptr (RbMetadata) large = parse (data, size, type, LARGE, FALSE, NULL);
  compare (small, large, whole, small_error, whole_error);
  return 0;
}
