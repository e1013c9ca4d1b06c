/* SPDX-License-Identifier: Apache-2.0 */
/* Large metadata: read in place, and judged as the tree judges it. */
#include "author/author.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "keymaker/keygen.h"
#include "uptane/canonical.h"
#include "uptane/metadata.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define N_TARGETS 2000
#define EXPIRES 1900000000
#define LIMIT (64 * 1024 * 1024)

typedef struct {
  RbPrivateKey *key;
  json_t *part;
  RbMetadataRole *role;
} Fixture;

static json_t *
make_targets (const char *odd)
{
  g_autoptr (GBytes) image = g_bytes_new_static ("image", 5);
  json_t *targets = json_object ();
  for (guint i = 0; i < N_TARGETS; i++) {
    g_autofree char *name = g_strdup_printf ("brake/ecu%u-1.0.bin", i);
    g_autoptr (json_t) custom
      = json_pack ("{s:[s],s:i,s:s}", "hardwareIds", "mk100", "releaseCounter", (int) i, "name", odd);
    json_object_set_new (targets, name, rb_author_target (image, custom));
  }
  return targets;
}

static void
set_up_with (Fixture *self, const char *odd)
{
  g_autoptr (json_t) targets = make_targets (odd);
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  self->key = rb_keygen_new (RB_KEY_ED25519, NULL);
  g_ptr_array_add (keys, rb_key_private_public (self->key));
  const RbAuthorRole role = { "targets", keys, 1 };
  g_autoptr (json_t) root = rb_author_root (RB_DIALECT_UPTANE, 1, EXPIRES, &role, 1);
  self->role = rb_metadata_role_new (json_object_get (root, "keys"),
                                     json_object_get (json_object_get (root, "roles"), "targets"), NULL);
  self->part = rb_author_targets (RB_DIALECT_UPTANE, 7, EXPIRES, targets, NULL, 0, NULL);
  g_assert_nonnull (self->role);
}

static void
set_up (Fixture *self, gconstpointer data)
{
  set_up_with (self, data == NULL ? "plain" : data);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  rb_key_private_unref (self->key);
  json_decref (self->part);
  rb_metadata_role_free (self->role);
}

static GBytes *
sign (const Fixture *self, RbDialect dialect)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  g_ptr_array_add (keys, self->key);
  GBytes *bytes = rb_author_sign (dialect, self->part, keys, &error);
  g_assert_no_error (error);
  return bytes;
}

static GBytes *
pretty (GBytes *bytes)
{
  g_autoptr (json_t) tree = rb_json_parse (bytes, LIMIT, "file", NULL);
  char *text = rb_json_to_pretty (tree);
  return g_bytes_new_take (text, strlen (text));
}

static gboolean
count (const char *name, const json_t *entry, gpointer data)
{
  guint *n = data;
  g_assert_true (g_str_has_prefix (name, "brake/"));
  g_assert_cmpint (rb_json_integer_or (entry, "length", 0), ==, 5);
  return ++*n < 1500;
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

static gboolean
count_all (const char *name, const json_t *entry, gpointer data)
{
  guint *n = data;
  ++*n;
  return TRUE;
}

static void
judge_entries (const RbMetadata *metadata)
{
  guint n = 0, all = 0;
  const json_t *entry = rb_metadata_entry (metadata, "brake/ecu1234-1.0.bin");
  g_assert_cmpint (rb_json_integer_or (json_object_get (entry, "custom"), "releaseCounter", 0), ==, 1234);
  g_assert_true (rb_metadata_entry (metadata, "brake/ecu1234-1.0.bin") == entry);
  g_assert_null (rb_metadata_entry (metadata, "brake/ecu1234-1.0.bi"));
  g_assert_null (rb_metadata_entry (metadata, "zzz"));
  g_assert_null (rb_metadata_entry (metadata, ""));
  g_assert_true (rb_metadata_each_entry (metadata, count_all, &all));
  g_assert_cmpuint (all, ==, N_TARGETS);
  g_assert_false (rb_metadata_each_entry (metadata, count, &n));
  g_assert_cmpuint (n, ==, 1500);
  g_assert_cmpint (metadata->version, ==, 7);
  g_assert_cmpint (metadata->expires, ==, EXPIRES);
}

static RbMetadata *
accepted (const Fixture *self, GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  RbMetadata *metadata = rb_metadata_parse (bytes, RB_METADATA_TARGETS, LIMIT, &error);
  g_assert_no_error (error);
  gboolean good = rb_metadata_verify (metadata, self->role, &error);
  g_assert_no_error (error);
  g_assert_true (good);
  return metadata;
}

static void
test_in_place (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) bytes = sign (self, RB_DIALECT_UPTANE);
  g_autoptr (RbMetadata) metadata = accepted (self, bytes);
  g_autoptr (GBytes) canonical = form_a_of (metadata);
  g_assert_nonnull (metadata->scan);
  g_assert_true (g_bytes_get_data (canonical, NULL) == g_bytes_get_data (bytes, NULL));
  judge_entries (metadata);
}

/* What differs only in layout is verified and read as a copy in canonical form. */
static void
test_pretty (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) bytes = sign (self, RB_DIALECT_UPTANE);
  g_autoptr (GBytes) indented = pretty (bytes);
  g_autoptr (RbMetadata) metadata = accepted (self, indented);
  g_autoptr (GBytes) canonical = form_a_of (metadata);
  g_autofree char *sha256 = rb_digest_sha256_hex_of (indented);
  g_assert_nonnull (metadata->scan);
  g_assert_true (g_bytes_equal (canonical, bytes));
  g_assert_cmpstr (metadata->sha256, ==, sha256);
  judge_entries (metadata);
}

/* The same value with the members of each object backwards. */
static json_t *
backwards (json_t *value)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *name;
  json_t *member;
  if (!json_is_object (value))
    return json_incref (value);
  json_object_foreach (value, name, member) {
    g_ptr_array_insert (names, 0, (gpointer) name);
  }
  json_t *copy = json_object ();
  for (guint i = 0; i < names->len; i++)
    json_object_set_new (copy, names->pdata[i], backwards (json_object_get (value, names->pdata[i])));
  return copy;
}

static void
test_backwards (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) bytes = sign (self, RB_DIALECT_UPTANE);
  g_autoptr (json_t) tree = rb_json_parse (bytes, LIMIT, "file", NULL);
  g_autoptr (json_t) turned = backwards (tree);
  char *text = json_dumps (turned, 0);
  g_autoptr (GBytes) changed = g_bytes_new (text, strlen (text));
  free (text);
  g_assert_false (g_bytes_equal (bytes, changed));
  g_autoptr (RbMetadata) metadata = accepted (self, changed);
  g_autoptr (GBytes) canonical = form_a_of (metadata);
  g_assert_nonnull (metadata->scan);
  g_assert_true (g_bytes_equal (canonical, bytes));
  judge_entries (metadata);
}

/* The canonical form of the whole is found also where only the ends of the file are not canonical. */
static void
test_space_around (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) bytes = sign (self, RB_DIALECT_UPTANE);
  g_autofree char *text = g_strdup_printf ("\n %s\n", (const char *) g_bytes_get_data (bytes, NULL));
  g_autoptr (GBytes) spaced = g_bytes_new (text, g_bytes_get_size (bytes) + 3);
  g_autoptr (RbMetadata) metadata = accepted (self, spaced);
  g_autoptr (GBytes) canonical = form_a_of (metadata);
  g_assert_nonnull (metadata->scan);
  g_assert_true (g_bytes_equal (canonical, bytes));
}

static json_t *
envelope_over (const Fixture *self, RbCanonical form)
{
  g_autoptr (GBytes) message = rb_canonical_form (self->part, form);
  g_autoptr (GBytes) signature
    = rb_key_sign (self->key, g_bytes_get_data (message, NULL), g_bytes_get_size (message), NULL);
  g_autofree char *base64 = g_base64_encode (g_bytes_get_data (signature, NULL), g_bytes_get_size (signature));
  g_autofree char *id = rb_author_key_id (RB_DIALECT_UPTANE, rb_key_private_public (self->key));
  return json_pack ("{s:[{s:s,s:s}],s:O}", "signatures", "keyid", id, "sig", base64, "signed", self->part);
}

/* Signed in any form, written in another: form C signs raw newlines, which the text cannot hold, form B escapes. */
static void
test_other_forms (Fixture *self, gconstpointer data)
{
  for (RbCanonical form = RB_CANONICAL_A; form <= RB_CANONICAL_C; form++) {
    g_autoptr (json_t) envelope = envelope_over (self, form);
    for (RbCanonical written = RB_CANONICAL_A; written <= RB_CANONICAL_B; written++) {
      g_autoptr (GBytes) bytes = rb_canonical_form (envelope, written);
      g_autoptr (RbMetadata) metadata = accepted (self, bytes);
      g_assert_nonnull (metadata->scan);
      judge_entries (metadata);
    }
  }
}

static void
judge_rejected (const Fixture *self, GString *text, RbReason reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new (text->str, text->len);
  g_autoptr (RbMetadata) metadata = rb_metadata_parse (bytes, RB_METADATA_TARGETS, LIMIT, &error);
  if (metadata != NULL)
    g_assert_false (rb_metadata_verify (metadata, self->role, &error));
  g_assert_error (error, RB_UPTANE_ERROR, (int) reason);
  g_clear_error (&error);
  /* by its head, what is wrong inside `signed` alone is judged after the signatures */
  g_autoptr (RbMetadata) head = rb_metadata_read (bytes, RB_METADATA_TARGETS, LIMIT, &error);
  if (head != NULL)
    g_assert_false (rb_metadata_verify (head, self->role, &error));
  g_assert_true (g_error_matches (error, RB_UPTANE_ERROR, (int) reason)
                 || (head != NULL && g_error_matches (error, RB_UPTANE_ERROR, RB_REASON_BAD_SIGNATURE)));
}

static void
test_head (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = sign (self, RB_DIALECT_UPTANE);
  g_autoptr (RbMetadata) metadata = rb_metadata_read (bytes, RB_METADATA_TARGETS, LIMIT, &error);
  g_assert_no_error (error);
  g_assert_true (metadata->is_head);
  g_assert_cmpuint (json_object_size (metadata->signed_part), ==, 3);
  g_assert_cmpint (metadata->version, ==, 7);
  g_assert_true (rb_metadata_verify (metadata, self->role, &error));
  g_assert_false (metadata->is_head);
  g_assert_cmpuint (json_object_size (metadata->signed_part), >, 3);
}

static void
test_refusals (Fixture *self, gconstpointer data)
{
  static const struct {
    const char *from, *to;
    RbReason reason;
  } cases[] = {
    { "\"length\":5", "\"length\":6", RB_REASON_BAD_SIGNATURE },
    { "ecu1001-1.0.bin\"", "ecu1000-1.0.bin\"", RB_REASON_MALFORMED }, /* twice, one after the other */
    { "ecu1801-1.0.bin\"", "ecu17-1.0.bin\"", RB_REASON_MALFORMED }, /* and far apart */
    { "\"length\":5", "\"length\":1,\"length\":5", RB_REASON_MALFORMED },
    { "\"length\":5", "\"length\":05", RB_REASON_MALFORMED },
    { "\"length\":5", "\"length\":99999999999999999999", RB_REASON_MALFORMED },
    { "\"plain\"", "\"pl\\u0000n\"", RB_REASON_MALFORMED },
    { "\"plain\"", "\"pl\xff\"", RB_REASON_MALFORMED },
    { "\"version\":7", "\"version\":7.0", RB_REASON_MALFORMED },
    { "\"version\":7", "\"version\":9007199254740993", RB_REASON_MALFORMED },
    { "\"Targets\"", "\"Snapshot\"", RB_REASON_WRONG_TYPE },
    { "{\"signatures\":[", "{\"signatures\":[],\"signatures\":[", RB_REASON_MALFORMED },
    { "{\"signatures\":[", "{\"signatures\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
      RB_REASON_MALFORMED },
    { "{\"signatures\":[", "{\"a\":1,\"a\":2,\"signatures\":[", RB_REASON_MALFORMED },
    { "{\"signatures\":[", "{\"a\":{\"b\":1,\"b\":2},\"signatures\":[", RB_REASON_MALFORMED },
    { "{\"signatures\":[", "{\"sign\\u0065d\":{},\"signatures\":[", RB_REASON_MALFORMED },
    { "\"signed\":{", "\"signed\":{},\"signed\":{", RB_REASON_MALFORMED },
    { "\"signed\":{", "\"Signed\":{", RB_REASON_MALFORMED },
    { "\"targets\":{", "\"target\":{", RB_REASON_MALFORMED },
  };
  g_autoptr (GBytes) bytes = sign (self, RB_DIALECT_UPTANE);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GString) text = g_string_new_len (g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
    g_assert_cmpuint (g_string_replace (text, cases[i].from, cases[i].to, 1), ==, 1);
    g_test_message ("%s", cases[i].to);
    judge_rejected (self, text, cases[i].reason);
  }
}

static gboolean
is_accepted (const Fixture *self, GBytes *bytes)
{
  g_autoptr (RbMetadata) metadata = rb_metadata_parse (bytes, RB_METADATA_TARGETS, LIMIT, NULL);
  return metadata != NULL && rb_metadata_verify (metadata, self->role, NULL);
}

static GBytes *
signed_form (GBytes *bytes)
{
  g_autoptr (json_t) tree = rb_json_parse (bytes, LIMIT, "file", NULL);
  const json_t *part = json_object_get (tree, "signed");
  return part == NULL ? g_bytes_new_static ("", 0) : rb_canonical_form (part, RB_CANONICAL_A);
}

/* A byte changed anywhere in `signed` is accepted only where jansson sees no difference. */
static void
test_flipped (Fixture *self, gconstpointer data)
{
  static const char bytes_to_try[] = "\"\\{}[],: 0-e\n";
  g_autoptr (GRand) random = g_rand_new_with_seed (99);
  g_autoptr (GBytes) good = sign (self, RB_DIALECT_UPTANE);
  g_autoptr (GBytes) good_form = signed_form (good);
  gsize length = g_bytes_get_size (good);
  for (guint i = 0; i < 60; i++) {
    char *text = g_memdup2 (g_bytes_get_data (good, NULL), length);
    text[g_rand_int_range (random, 300, (gint32) length)] = bytes_to_try[i % (sizeof bytes_to_try - 1)];
    g_autoptr (GBytes) changed = g_bytes_new_take (text, length);
    g_autoptr (GBytes) form = signed_form (changed);
    g_assert_cmpint (is_accepted (self, changed), ==, g_bytes_equal (form, good_form));
  }
}

static void
test_no_large_tree (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text
    = g_string_new ("{\"signatures\":[],\"signed\":{\"real\":1.5,\"version\":1,\"targets\":{}}}");
  gsize length = text->len;
  g_string_set_size (text, 33 * 1024 * 1024);
  memset (&text->str[length], ' ', text->len - length);
  g_autoptr (GBytes) bytes = g_bytes_new (text->str, text->len);
  g_assert_null (rb_metadata_read (bytes, RB_METADATA_TARGETS, LIMIT, &error));
  g_assert_error (error, RB_UPTANE_ERROR,
                  RB_REASON_MALFORMED); /* _type is missing: read without a tree, which had ten times its size */
  g_clear_error (&error);
  g_assert_null (rb_metadata_read (bytes, RB_METADATA_TARGETS, 1000, &error));
  g_assert_error (error, RB_UPTANE_ERROR, RB_REASON_TOO_LARGE);
}

/* circe and jsoncpp write lower-case digits in \u001f. */
static void
test_control_escapes (void)
{
  g_autoptr (json_t) value = json_pack ("[s]", "\x1f\n\\u001F \xc3\xa9\"");
  g_autoptr (GBytes) a = rb_canonical_form (value, RB_CANONICAL_A);
  g_autoptr (GBytes) b = rb_canonical_form (value, RB_CANONICAL_B);
  g_autoptr (GBytes) c = rb_canonical_form (value, RB_CANONICAL_C);
  g_autofree char *text_a = g_strndup (g_bytes_get_data (a, NULL), g_bytes_get_size (a));
  g_autofree char *text_b = g_strndup (g_bytes_get_data (b, NULL), g_bytes_get_size (b));
  g_autofree char *text_c = g_strndup (g_bytes_get_data (c, NULL), g_bytes_get_size (c));
  g_assert_cmpstr (text_a, ==, "[\"\\u001f\\n\\\\u001F \xc3\xa9\\\"\"]");
  g_assert_cmpstr (text_b, ==, "[\"\\u001f\\n\\\\u001F \\u00e9\\\"\"]");
  g_assert_cmpstr (text_c, ==, "[\"\x1f\n\\\\u001F \xc3\xa9\\\"\"]");
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/uptane/scan/in-place", Fixture, NULL, set_up, test_in_place, tear_down);
  g_test_add ("/uptane/scan/in-place-wide", Fixture, "caf\xc3\xa9", set_up, test_in_place, tear_down);
  g_test_add ("/uptane/scan/pretty", Fixture, NULL, set_up, test_pretty, tear_down);
  g_test_add ("/uptane/scan/pretty-wide", Fixture, "caf\xc3\xa9", set_up, test_pretty, tear_down);
  g_test_add ("/uptane/scan/backwards", Fixture, NULL, set_up, test_backwards, tear_down);
  g_test_add ("/uptane/scan/space-around", Fixture, NULL, set_up, test_space_around, tear_down);
  g_test_add ("/uptane/scan/other-forms", Fixture, "caf\xc3\xa9\n\x01\"", set_up, test_other_forms, tear_down);
  g_test_add ("/uptane/scan/head", Fixture, NULL, set_up, test_head, tear_down);
  g_test_add ("/uptane/scan/refusals", Fixture, NULL, set_up, test_refusals, tear_down);
  g_test_add ("/uptane/scan/flipped", Fixture, NULL, set_up, test_flipped, tear_down);
  g_test_add_func ("/uptane/scan/no-large-tree", test_no_large_tree);
  g_test_add_func ("/uptane/scan/control-escapes", test_control_escapes);
  return g_test_run ();
}
