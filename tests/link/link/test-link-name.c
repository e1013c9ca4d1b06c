/* SPDX-License-Identifier: Apache-2.0 */
#include "core/files.h"
#include "link/backend.h"
#include "link/link-name.h"
#include "link/link.h"

#include <glib/gstdio.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Two URIs of one link have a name in common, two of different links have none. */

static gboolean
meet (const char *one, const char *two)
{
  g_auto (GStrv) of_one = rb_link_name_list (one, NULL), of_two = rb_link_name_list (two, NULL);
  for (guint i = 0; of_one[i] != NULL; i++)
    if (g_strv_contains ((const char *const *) of_two, of_one[i]))
      return TRUE;
  return FALSE;
}

static const struct {
  const char *one, *two;
  gboolean meet;
} pairs[] = {
  { "can:lo", "canfd:lo", TRUE },
  { "can:lo", "can:none0", FALSE },
  { "can:none0", "canfd:none0", TRUE },
  { "can:none0", "can:none1", FALSE },
  { "usb:ABC", "usb:ABC", TRUE },
  { "usb:ABC", "usb:ABC/1", TRUE },
  { "usb:ABC?500k", "usb:ABC/1?500k/2M", TRUE },
  { "usb:ABC", "usb:ABCD", FALSE },
  { "usb:", "usb:", FALSE }, /* which adapter it is shows when it is open */
  { "usb:?500k", "usb:/0", FALSE },
  { "doip://127.0.0.1", "doip://127.0.0.1:13400", TRUE },
  { "doips://127.0.0.1", "doips://127.0.0.1:3496", TRUE },
  { "doips://127.0.0.1:13400", "doip://127.0.0.1", TRUE },
  { "doip://127.0.0.1:1", "doip://127.0.0.1:2", FALSE },
  { "doip://127.0.0.1:1", "doip://127.0.0.2:1", FALSE },
  { "doip://localhost:7", "doip://127.0.0.1:7", TRUE },
  { "doip://[::1]:7", "doip://[0:0:0:0:0:0:0:1]:7", TRUE },
  { "doip://[::1]:7", "doip://127.0.0.1:7", FALSE },
  { "doip://:", "doip://:", TRUE },
  { "bus:/nowhere", "bus:/nowhere", TRUE },
  { "bus:/nowhere", "can:/nowhere", FALSE },
  { "other:x", "other:x", TRUE },
};

static void
test_pair (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_assert_cmpint (meet (pairs[i].one, pairs[i].two), ==, pairs[i].meet);
  g_assert_cmpint (meet (pairs[i].two, pairs[i].one), ==, pairs[i].meet);
}

/* an interface is its index: its name is only what it is called now */
static void
test_interface (void)
{
  g_auto (GStrv) names = rb_link_name_list ("canfd:lo", NULL);
  g_autofree char *expected = g_strdup_printf ("can/if%u", if_nametoindex ("lo"));
  g_assert_cmpuint (g_strv_length (names), ==, 1);
  g_assert_cmpstr (names[0], ==, expected);
}

/* a socket is its device and inode, by whatever path */
static void
test_socket (void)
{
  g_autofree char *folder = g_dir_make_tmp ("recallbay-name-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "bus", NULL), *other = g_build_filename (folder, "other", NULL);
  g_autofree char *symbolic = g_build_filename (folder, "symbolic", NULL),
                  *hard = g_build_filename (folder, "hard", NULL);
  g_autofree char *dotted = g_build_filename (folder, ".", "bus", NULL);
  g_assert_cmpint (mknod (path, S_IFSOCK | 0600, 0), ==, 0);
  g_assert_cmpint (mknod (other, S_IFSOCK | 0600, 0), ==, 0);
  g_assert_cmpint (symlink (path, symbolic), ==, 0);
  g_assert_cmpint (link (path, hard), ==, 0);
  g_autofree char *first = g_strconcat ("bus:", path, NULL);
  const struct {
    const char *path;
    gboolean meet;
  } others[] = { { path, TRUE }, { symbolic, TRUE }, { hard, TRUE }, { dotted, TRUE }, { other, FALSE } };
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autofree char *uri = g_strconcat ("bus:", others[i].path, NULL);
    g_assert_cmpint (meet (first, uri), ==, others[i].meet);
  }
  g_assert_true (rb_files_remove_tree (folder, NULL));
}

static gpointer
open_adapter (const char *rest, RbLinkInfo *info, GCancellable *cancellable, GError **error)
{
  info->serial = g_strdup (strcmp (rest, "old") == 0 ? NULL : "0042");
  return info;
}

static void
close_adapter (gpointer state)
{
}

/* What was opened without a serial number is the same adapter when it is opened again. */
static void
test_same_adapter (void)
{
  static const RbLinkBackend adapter = { .scheme = "usb", .open = open_adapter, .close = close_adapter };
  static const struct {
    const char *uri, *rest, *exact;
  } uris[] = { { "usb:", "", "usb:0042" },
               { "usb:/1", "/1", "usb:0042/1" },
               { "usb:?500k", "?500k", "usb:0042?500k" },
               { "usb:0007", "0007", "usb:0007" },
               { "usb:0007/1", "0007/1", "usb:0007/1" },
               { "usb:", "old", "usb:" },
               { "can:can0", "can0", "can:can0" } };
  for (guint i = 0; i < G_N_ELEMENTS (uris); i++) {
    g_autoptr (RbLink) link = rb_link_open_with_backend (&adapter, uris[i].uri, uris[i].rest, NULL, NULL, NULL);
    g_assert_cmpstr (rb_link_uri (link), ==, uris[i].exact);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++) {
    g_autofree char *path = g_strdup_printf ("/link-name/pair/%u", i);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_pair);
  }
  g_test_add_func ("/link-name/interface", test_interface);
  g_test_add_func ("/link-name/socket", test_socket);
  g_test_add_func ("/link-name/same-adapter", test_same_adapter);
  return g_test_run ();
}
