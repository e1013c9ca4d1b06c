/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include "core/files.h"
#include "crypto/digest.h"
#include "library/import.h"
#include "library/trust.h"

void
place_set_up (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fixture_init (&self->oem);
  self->folder = g_dir_make_tmp ("library-XXXXXX", &error);
  g_assert_no_error (error);
  self->data = g_build_filename (self->folder, "data", NULL);
  self->library = rb_library_new (self->data);
  g_autoptr (GBytes) root = fixture_anchor (&self->oem);
  g_autoptr (RbAnchor) anchor = rb_trust_add (self->data, "Fixture", root, NULL, FIXTURE_NOW, &error);
  g_assert_no_error (error);
  g_assert_cmpint (anchor->version, ==, 1);
}

void
place_tear_down (Place *self, gconstpointer data)
{
  g_assert_true (rb_files_remove_tree (self->folder, NULL));
  rb_library_free (self->library);
  fixture_clear (&self->oem);
  g_free (self->folder);
  g_free (self->data);
}

char *
place_write_bundle (Place *self, const FixtureBundle *bundle)
{
  char *path = g_strdup_printf ("%s/bundle-%u", self->folder, self->bundles++);
  fixture_write (&self->oem, bundle, path);
  return path;
}

static void
describe (const char *path, const char *inner, GString *out)
{
  g_auto (GStrv) names = rb_files_list (path, NULL);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autofree char *file = g_build_filename (path, names[i], NULL);
    g_autofree char *name = g_build_filename (inner, names[i], NULL);
    g_autoptr (GBytes) bytes = rb_files_is_folder (file) ? NULL : rb_files_read (file, G_MAXSIZE, NULL);
    if (bytes == NULL) {
      describe (file, name, out);
      continue;
    }
    g_autofree char *digest = rb_digest_sha256_hex_of (bytes);
    g_string_append_printf (out, "%s %s\n", name, digest);
  }
}

char *
place_stored (Place *self)
{
  GString *out = g_string_new (NULL);
  describe (self->data, ".", out);
  return g_string_free (out, FALSE);
}

void
place_import (Place *self, const FixtureBundle *bundle, gint64 now)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = place_write_bundle (self, bundle);
  g_autoptr (RbContents) contents = rb_import_bundle (self->library, path, FALSE, now, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (rb_contents_campaign (contents)->id, ==, bundle->id);
}

void
place_refuse (Place *self, const FixtureBundle *bundle, gint64 now, RbReason reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) same = NULL;
  g_autofree char *path = place_write_bundle (self, bundle);
  g_autofree char *before = place_stored (self);
  g_autoptr (RbContents) contents = rb_import_bundle (self->library, path, FALSE, now, NULL, NULL, &error);
  g_autofree char *after = place_stored (self);
  g_assert_null (contents);
  g_test_message ("%s", error->message);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (error)), ==, rb_reason_word (reason));
  g_assert_cmpstr (after, ==, before);
  g_autoptr (RbContents) verified = rb_import_verify (self->library, path, now, NULL, NULL, &same);
  g_assert_null (verified);
  g_assert_cmpstr (rb_reason_word (rb_reason_of (same)), ==, rb_reason_word (reason));
}
