/* SPDX-License-Identifier: Apache-2.0 */
/* A recovery reads an image's file once, and what the file becomes after that is not what it gives. */
#include "campaign/bundle.h"
#include "campaign/images.h"
#include "core/files.h"
#include "crypto/digest.h"
#include "fixture.h"

typedef struct {
  Fixture oem;
  char *folder;
  char *bundle;
  RbContents *contents;
} Place;

static void
set_up (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const FixtureBundle bundle = fixture_good ();
  fixture_init (&self->oem);
  self->folder = g_dir_make_tmp ("recallbay-images-XXXXXX", &error);
  g_assert_no_error (error);
  self->bundle = g_build_filename (self->folder, "bundle", NULL);
  fixture_write (&self->oem, &bundle, self->bundle);
  g_autoptr (GBytes) anchor = fixture_anchor (&self->oem);
  self->contents = rb_bundle_open (self->bundle, anchor, &error);
  g_assert_no_error (error);
}

static void
tear_down (Place *self, gconstpointer data)
{
  g_clear_pointer (&self->contents, rb_contents_unref);
  g_assert_true (rb_files_remove_tree (self->folder, NULL));
  g_free (self->bundle);
  g_free (self->folder);
  fixture_clear (&self->oem);
}

/* In the place of the door's image, and in that of the Primary's, stands the other's. */
static void
swap (Place *self)
{
  g_autofree char *door = g_build_filename (self->bundle, "image", "targets", "parts", "door.bin", NULL);
  g_autofree char *primary = g_build_filename (self->bundle, "image", "targets", "primary.bin", NULL);
  g_assert_true (rb_files_write (door, self->oem.primary_image, NULL));
  g_assert_true (rb_files_write (primary, self->oem.door_image, NULL));
}

static void
assert_rejected (Place *self, GBytes *wanted)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *sha256 = rb_digest_sha256_hex_of (wanted);
  g_autoptr (GBytes) image = rb_contents_image (self->contents, sha256, &error);
  g_assert_null (image);
  g_assert_error (error, RB_CAMPAIGN_ERROR, RB_REASON_HASH_MISMATCH);
}

static void
test_kept (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *sha256 = rb_digest_sha256_hex_of (self->oem.door_image);
  rb_contents_keep_images (self->contents);
  g_autoptr (GBytes) image = rb_contents_image (self->contents, sha256, &error);
  g_assert_no_error (error);
  swap (self);
  g_autoptr (GBytes) again = rb_contents_image (self->contents, sha256, &error);
  g_assert_no_error (error);
  g_assert_true (again == image && g_bytes_equal (again, self->oem.door_image));
  assert_rejected (self, self->oem.primary_image);
  assert_rejected (self, self->oem.primary_image); /* what is wrong is not kept */
}

static void
test_not_kept (Place *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *sha256 = rb_digest_sha256_hex_of (self->oem.door_image);
  g_autoptr (GBytes) image = rb_contents_image (self->contents, sha256, &error);
  g_assert_no_error (error);
  swap (self);
  assert_rejected (self, self->oem.door_image);
}

static void
test_room (void)
{
  g_autoptr (RbImages) images = rb_images_new (10);
  g_autoptr (GBytes) large = g_bytes_new_static ("12345678901", 11);
  g_autoptr (GBytes) first = g_bytes_new_static ("123456", 6);
  g_autoptr (GBytes) second = g_bytes_new_static ("12345", 5);
  GBytes *files[] = { large, first, second };
  const char *const names[] = { "large", "first", "second" };
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autoptr (GBytes) read = rb_images_read (images, files[i]);
    g_assert_true (g_bytes_equal (read, files[i]));
    g_assert_cmpint (read != files[i], ==, i == 1);
    rb_images_keep (images, names[i], read, files[i]);
    rb_images_keep (images, names[i], read, files[i]);
    g_autoptr (GBytes) kept = rb_images_get (images, names[i]);
    g_assert_true (kept == (i == 1 ? read : NULL));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/images/kept", Place, NULL, set_up, test_kept, tear_down);
  g_test_add ("/images/not-kept", Place, NULL, set_up, test_not_kept, tear_down);
  g_test_add_func ("/images/room", test_room);
  return g_test_run ();
}
