/* SPDX-License-Identifier: Apache-2.0 */
#include "core/output.h"

#include <errno.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

static char *
written_in (const char *locale, const char *text)
{
  char *bytes = NULL;
  size_t size = 0;
  FILE *stream = open_memstream (&bytes, &size);
  if (setlocale (LC_ALL, locale) == NULL)
    g_error ("no locale %s", locale);
  g_assert_cmpint (rb_output_write (stream, text), ==, 0);
  fclose (stream);
  return bytes;
}

static void
test_locale (void)
{
  g_autofree char *utf8 = written_in ("C.UTF-8", "Zürich… “x”");
  g_autofree char *ascii = written_in ("C", "Zürich… “x”");
  g_assert_cmpstr (utf8, ==, "Zürich… “x”");
  g_assert_true (g_str_is_ascii (ascii));
  g_assert_nonnull (strstr (ascii, "..."));
  g_assert_nonnull (strstr (ascii, "rich"));
}

static void
test_errors (void)
{
  FILE *full = fopen ("/dev/full", "w");
  g_assert_nonnull (full);
  g_assert_cmpint (rb_output_write (full, "text"), ==, ENOSPC);
  g_assert_cmpint (rb_output_write_raw (full, "{}\n"), ==, ENOSPC);
  fclose (full);
  int ends[2];
  g_assert_cmpint (pipe (ends), ==, 0);
  close (ends[0]);
  rb_output_prepare ();
  FILE *broken = fdopen (ends[1], "w");
  g_assert_cmpint (rb_output_write (broken, "text"), ==, EPIPE);
  fclose (broken);
}

static void
test_printable (void)
{
  g_autofree char *shown = rb_output_printable ("a\033[2Jb\r\tc\nd\xff");
  g_assert_null (strpbrk (shown, "\033\r"));
  g_assert_true (g_utf8_validate (shown, -1, NULL));
  g_assert_nonnull (strstr (shown, "\tc\nd"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/output/locale", test_locale);
  g_test_add_func ("/output/errors", test_errors);
  g_test_add_func ("/output/printable", test_printable);
  return g_test_run ();
}
