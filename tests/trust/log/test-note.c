/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "keymaker/keygen.h"
#include "log/checkpoint.h"
#include "log/receipt.h"
#include "vectors.h"

static void
test_published_note (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) vectors = load_vectors ();
  const json_t *vector = json_object_get (vectors, "signedNote");
  g_autoptr (RbNoteKey) key = rb_note_key_parse (rb_json_string_or (vector, "vkey", ""), &error);
  g_assert_no_error (error);
  g_autofree char *text = rb_note_open (rb_json_string_or (vector, "note", ""), key, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "This is an example message.\n");
  g_assert_cmpstr (rb_note_key_name (key), ==, "example.com/foo");
}

static void
test_published_checkpoint (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) vectors = load_vectors ();
  const json_t *vector = json_object_get (vectors, "checkpoint");
  g_autoptr (RbNoteKey) key = rb_note_key_parse (rb_json_string_or (vector, "vkey", ""), &error);
  g_assert_no_error (error);
  g_autoptr (RbCheckpoint) checkpoint = rb_checkpoint_open (rb_json_string_or (vector, "note", ""), key, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (checkpoint->origin, ==, "go.sum database tree");
  g_assert_cmpuint (checkpoint->size, ==, 6476701);
}

static void
test_bad_keys (void)
{
  static const char *const bad[] = {
    "",
    "example.com/foo",
    "example.com/foo+530d903a",
    "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "example.com/foo+530d903a+AekyeRrm",
  };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (rb_note_key_parse (bad[i], &error));
    g_assert_error (error, RB_LOG_ERROR, RB_REASON_MALFORMED);
  }
}

typedef struct {
  RbPrivateKey *log, *witness;
  RbNoteKey *log_key;
} Case;

static void
set_up (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  self->log = rb_keygen_new (RB_KEY_ED25519, &error);
  self->witness = rb_keygen_new (RB_KEY_ED25519, &error);
  g_assert_no_error (error);
  g_autofree char *vkey = rb_note_key_text ("oem.example/log", rb_key_private_public (self->log));
  self->log_key = rb_note_key_parse (vkey, &error);
  g_assert_no_error (error);
}

static void
tear_down (Case *self, gconstpointer data)
{
  rb_key_private_unref (self->log);
  rb_key_private_unref (self->witness);
  rb_note_key_free (self->log_key);
}

static void
expect_refused (const char *note, const RbNoteKey *key, RbReason reason)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (rb_note_open (note, key, &error));
  g_assert_error (error, RB_LOG_ERROR, (int) reason);
}

static void
test_sign (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *note = rb_note_sign ("a\n\nb\n", "oem.example/log", self->log, &error);
  g_assert_no_error (error);
  g_autofree char *other = rb_note_sign ("a\n\nb\n", "witness.example", self->witness, &error);
  g_autofree char *same_name = rb_note_sign ("a\n\nb\n", "oem.example/log", self->witness, &error);
  g_autofree char *both = g_strconcat (other, strstr (note, "—"), NULL);
  g_autofree char *text = rb_note_open (note, self->log_key, &error);
  g_autofree char *text_of_both = rb_note_open (both, self->log_key, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "a\n\nb\n");
  g_assert_cmpstr (text_of_both, ==, text);
  expect_refused (other, self->log_key, RB_REASON_LOG_SIGNATURE);
  expect_refused (same_name, self->log_key, RB_REASON_LOG_SIGNATURE);
  g_autofree char *changed = g_strdup (note);
  changed[0] = 'c';
  expect_refused (changed, self->log_key, RB_REASON_LOG_SIGNATURE);
}

static void
test_malformed_notes (Case *self, gconstpointer data)
{
  static const char *const bad[]
    = { "", "text\n", "text\n\n", "text\n\n— oem.example/log AAAA", "text\n\nno signature\n", "\xff\n\n— a AAAA\n" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    expect_refused (bad[i], self->log_key, RB_REASON_MALFORMED);
  g_autoptr (GError) error = NULL;
  g_assert_null (rb_note_sign ("no newline", "oem.example/log", self->log, &error));
  g_assert_error (error, RB_LOG_ERROR, RB_REASON_MALFORMED);
}

static void
test_bad_checkpoints (Case *self, gconstpointer data)
{
  static const char *const bad[]
    = { "origin\n", "origin\n5\n", "origin\n05\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "origin\n-5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "origin\n5\nAAAA\n" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *note = rb_note_sign (bad[i], "oem.example/log", self->log, &error);
    g_assert_null (rb_checkpoint_open (note, self->log_key, &error));
    g_assert_error (error, RB_LOG_ERROR, RB_REASON_MALFORMED);
  }
}

static GBytes *
make_receipt (Case *self, guint index, guint claimed, guint size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) leaves = make_leaves (size);
  g_autoptr (GArray) proof = rb_merkle_inclusion (leaves, index, size);
  RbMerkleHash root = rb_merkle_root (leaves, size);
  g_autofree char *checkpoint = rb_checkpoint_sign ("oem.example/log", size, &root, self->log, &error);
  g_assert_no_error (error);
  return rb_receipt_write (NULL, claimed, proof, checkpoint);
}

static void
expect_receipt (Case *self, GBytes *receipt, const char *entry, RbReason reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbReceipt) checked = rb_receipt_check (receipt, entry, strlen (entry), self->log_key, &error);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, rb_reason_word (reason));
  g_assert_true ((checked != NULL) == (reason == RB_REASON_NONE));
}

static void
test_receipt (Case *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) receipt = make_receipt (self, 6, 6, 11), first = make_receipt (self, 0, 0, 1);
  g_autoptr (RbReceipt) checked = rb_receipt_check (receipt, "6", 1, self->log_key, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (checked->index, ==, 6);
  g_assert_cmpuint (checked->size, ==, 11);
  g_assert_cmpstr (checked->origin, ==, "oem.example/log");
  expect_receipt (self, first, "0", RB_REASON_NONE);
  expect_receipt (self, receipt, "7", RB_REASON_LOG_PROOF);
  g_autoptr (GBytes) elsewhere = make_receipt (self, 6, 7, 11);
  expect_receipt (self, elsewhere, "6", RB_REASON_LOG_PROOF);
}

static GBytes *
edit (GBytes *receipt, const char *old, const char *new)
{
  g_autofree char *text = g_strndup (g_bytes_get_data (receipt, NULL), g_bytes_get_size (receipt));
  g_auto (GStrv) parts = g_strsplit (text, old, 2);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  char *edited = g_strjoinv (new, parts);
  return g_bytes_new_take (edited, strlen (edited));
}

static void
test_edited_receipts (Case *self, gconstpointer data)
{
  static const struct {
    const char *old, *new;
    RbReason reason;
  } edits[] = {
    { "index 6", "extra AAAA\nindex 6", RB_REASON_NONE },
    { "tlog-proof@v1", "tlog-proof@v2", RB_REASON_MALFORMED },
    { "index 6", "index 06", RB_REASON_MALFORMED },
    { "index 6", "index", RB_REASON_MALFORMED },
    { "index 6\n", "index 6\nAAAA\n", RB_REASON_MALFORMED },
    { "\n11\n", "\n12\n", RB_REASON_LOG_SIGNATURE },
    { "\n\noem", "\noem", RB_REASON_MALFORMED },
  };
  g_autoptr (GBytes) receipt = make_receipt (self, 6, 6, 11);
  for (guint i = 0; i < G_N_ELEMENTS (edits); i++) {
    g_autoptr (GBytes) edited = edit (receipt, edits[i].old, edits[i].new);
    g_test_message ("edit %u", i);
    expect_receipt (self, edited, "6", edits[i].reason);
  }
  g_autofree char *much = g_strnfill (70000, 'a');
  g_autoptr (GBytes) large = g_bytes_new (much, 70000);
  expect_receipt (self, large, "6", RB_REASON_TOO_LARGE);
}

#define ADD(path, function) g_test_add ("/note/" path, Case, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/note/published-note", test_published_note);
  g_test_add_func ("/note/published-checkpoint", test_published_checkpoint);
  g_test_add_func ("/note/bad-keys", test_bad_keys);
  ADD ("sign", test_sign);
  ADD ("malformed-notes", test_malformed_notes);
  ADD ("bad-checkpoints", test_bad_checkpoints);
  ADD ("receipt", test_receipt);
  ADD ("edited-receipts", test_edited_receipts);
  return g_test_run ();
}
