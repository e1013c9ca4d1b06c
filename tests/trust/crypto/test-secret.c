/* SPDX-License-Identifier: Apache-2.0 */
#include "core/files.h"
#include "crypto/secret.h"

#include <openssl/crypto.h>
#include <string.h>
#include <sys/resource.h>

/* Whether the page of an address is left out of core dumps: "dd" in smaps. */
static gboolean
is_left_out (gconstpointer address)
{
  g_autofree char *text = NULL;
  gboolean inside = FALSE;
  g_assert_true (g_file_get_contents ("/proc/self/smaps", &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    unsigned long start, end;
    if (sscanf (lines[i], "%lx-%lx ", &start, &end) == 2)
      inside = (gulong) address >= start && (gulong) address < end;
    if (inside && g_str_has_prefix (lines[i], "VmFlags:"))
      return strstr (lines[i], " dd") != NULL;
  }
  return FALSE;
}

static void
test_keys_have_pages_of_their_own (void)
{
  char *key = OPENSSL_secure_malloc (32);
  g_assert_true (CRYPTO_secure_allocated (key));
  g_assert_true (is_left_out (key));
  g_assert_false (is_left_out (&key));
  OPENSSL_secure_free (key);
}

static void
test_no_core_dump (void)
{
  struct rlimit limit;
  g_assert_cmpint (getrlimit (RLIMIT_CORE, &limit), ==, 0);
  g_assert_cmpuint (limit.rlim_cur, ==, 0);
  g_assert_cmpuint (limit.rlim_max, ==, 0);
}

/* Growing moves the memory; contents stay, and what is given back is cleared by the next owner's first look. */
static void
test_memory_of_openssl (void)
{
  char *text = OPENSSL_malloc (100);
  memset (text, 'k', 100);
  text = OPENSSL_realloc (text, 100000);
  for (guint i = 0; i < 100; i++)
    g_assert_cmpint (text[i], ==, 'k');
  text = OPENSSL_realloc (text, 50);
  g_assert_cmpint (text[49], ==, 'k');
  OPENSSL_free (text);
  g_assert_null (OPENSSL_realloc (OPENSSL_malloc (1), 0));
}

static void
test_read (void)
{
  g_autofree char *folder = g_dir_make_tmp ("recallbay-secret-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "key", NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (rb_files_write_private_text (path, "secret", NULL));
  g_autoptr (GBytes) bytes = rb_secret_read (path, 100, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "secret", 6);
  g_assert_null (rb_secret_read (path, 5, &error));
  g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_TOO_LARGE);
  g_assert_true (rb_files_remove_tree (folder, NULL));
  rb_secret_free (g_strdup ("text"));
  rb_secret_free (NULL);
}

int
main (int argc, char **argv)
{
  rb_secret_prepare ();
  rb_secret_hide_process ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/secret/keys-have-pages-of-their-own", test_keys_have_pages_of_their_own);
  g_test_add_func ("/secret/no-core-dump", test_no_core_dump);
  g_test_add_func ("/secret/memory-of-openssl", test_memory_of_openssl);
  g_test_add_func ("/secret/read", test_read);
  return g_test_run ();
}
