/* SPDX-License-Identifier: Apache-2.0 */
/* author-tool DIR: metadata of both dialects by keys of every type, and reports, for test-author.py to judge. */
#include "author/author.h"
#include "core/files.h"
#include "core/json.h"
#include "keymaker/keygen.h"
#include "uptane/report.h"

#include <string.h>

#define EXPIRES 1900000000
#define ODD_TEXT "caf\u00e9 \"quoted\" back\\slash\ttab\nline \x01"

static const char *folder;

static void
save (const char *name, GBytes *bytes, GError *error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_assert_no_error (error);
  g_assert_true (rb_files_write (path, bytes, &error));
}

static GPtrArray *
make_keys (RbDialect dialect)
{
  GPtrArray *keys = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_key_private_unref);
  g_ptr_array_add (keys, rb_keygen_new (RB_KEY_ED25519, NULL));
  g_ptr_array_add (keys, rb_keygen_new (RB_KEY_RSA, NULL));
  if (dialect == RB_DIALECT_TUF)
    g_ptr_array_add (keys, rb_keygen_new (RB_KEY_EC_P256, NULL));
  return keys;
}

static GPtrArray *
publics (GPtrArray *keys)
{
  GPtrArray *list = g_ptr_array_new ();
  for (guint i = 0; i < keys->len; i++)
    g_ptr_array_add (list, rb_key_private_public (keys->pdata[i]));
  return list;
}

static void
write_metadata (RbDialect dialect, const char *prefix)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) keys = make_keys (dialect);
  g_autoptr (GPtrArray) list = publics (keys);
  char *paths[] = { "a/*", NULL };
  const RbAuthorRole roles[]
    = { { "root", list, 2 }, { "timestamp", list, 1 }, { "snapshot", list, 1 }, { "targets", list, 1 } };
  const RbAuthorDelegation delegation = { "a", list, 1, paths, TRUE, NULL };
  g_autofree char *root_name = g_strconcat (prefix, "-root.json", NULL);
  g_autofree char *targets_name = g_strconcat (prefix, "-targets.json", NULL);
  g_autoptr (json_t) root = rb_author_root (dialect, 7, EXPIRES, roles, G_N_ELEMENTS (roles));
  g_ptr_array_add (keys, rb_key_private_ref (keys->pdata[0])); /* signing twice with one key is signing once */
  g_autoptr (GBytes) signed_root = rb_author_sign (dialect, root, keys, &error);
  save (root_name, signed_root, error);
  g_autoptr (json_t) entries = json_object ();
  g_autoptr (json_t) extra = json_pack ("{s:s}", "note", ODD_TEXT);
  g_autoptr (json_t) targets = rb_author_targets (dialect, 1, EXPIRES, entries, &delegation, 1, extra);
  g_autoptr (GBytes) signed_targets = rb_author_sign (dialect, targets, keys, &error);
  save (targets_name, signed_targets, error);
}

static void
refuse (RbDialect dialect, gint64 version, RbKeyType type, RbReason reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_key_private_unref);
  g_autoptr (json_t) part = json_pack ("{s:I}", "version", (json_int_t) version);
  g_ptr_array_add (keys, rb_keygen_new (type, NULL));
  g_autoptr (GBytes) bytes = rb_author_sign (dialect, part, keys, &error);
  g_assert_null (bytes);
  g_assert_cmpint (rb_reason_of (error), ==, reason);
}

static void
write_reports (void)
{
  static const RbKeyType types[] = { RB_KEY_ED25519, RB_KEY_EC_P256 };
  static const char *const names[] = { "report-ed25519.json", "report-ecdsa.json" };
  g_autoptr (json_t) part = json_pack ("{s:s,s:s}", "ecu_serial", "SN-1", "note", "caf\u00e9");
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (RbPrivateKey) key = rb_keygen_new (types[i], NULL);
    g_autoptr (GBytes) report = rb_report_sign (part, key, &error);
    save (names[i], report, error);
    g_autofree char *name = g_strconcat (names[i], ".pem", NULL);
    g_autofree char *pem = rb_key_public_pem (rb_key_private_public (key));
    g_autoptr (GBytes) bytes = g_bytes_new (pem, strlen (pem));
    save (name, bytes, NULL);
  }
  static const guint8 key[16] = { 0x2b, 0x7e, 0x15, 0x16 };
  g_autoptr (GBytes) mac = rb_report_mac (part, key, "she:4:2");
  save ("report-cmac.json", mac, NULL);
}

int
main (int argc, char **argv)
{
  g_assert_cmpint (argc, ==, 2);
  folder = argv[1];
  write_metadata (RB_DIALECT_UPTANE, "uptane");
  write_metadata (RB_DIALECT_TUF, "tuf");
  refuse (RB_DIALECT_TUF, G_MAXINT32, RB_KEY_ED25519, RB_REASON_MALFORMED);
  refuse (RB_DIALECT_TUF, 0, RB_KEY_ED25519, RB_REASON_MALFORMED);
  refuse (RB_DIALECT_UPTANE, 1, RB_KEY_EC_P256, RB_REASON_UNSUPPORTED);
  write_reports ();
  return 0;
}
