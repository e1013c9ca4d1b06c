/* SPDX-License-Identifier: Apache-2.0 */
#include "core/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* A database opened as file 1 would get what is printed. The stream that takes its place cannot be used, so that
 * printing fails. */
static void
occupy (int fd, int flags)
{
  if (fcntl (fd, F_GETFD) >= 0 || errno != EBADF)
    return;
  int taken = open ("/dev/null", flags);
  if (taken >= 0 && taken != fd && (dup2 (taken, fd) < 0 || close (taken) != 0))
    _exit (1);
}

void
rb_output_prepare (void)
{
  occupy (STDIN_FILENO, O_WRONLY);
  occupy (STDOUT_FILENO, O_RDONLY);
  occupy (STDERR_FILENO, O_RDWR);
  signal (SIGPIPE, SIG_IGN);
  signal (SIGXFSZ, SIG_IGN); /* a write beyond the limit of a file is an error like a full disk */
}

/* A character that the locale does not have is replaced by a similar one, else by "?". */
static char *
to_locale (const char *text)
{
  const char *charset = NULL;
  if (g_get_charset (&charset))
    return g_strdup (text);
  if (g_str_has_prefix (charset, "ANSI_X3.4") || strcmp (charset, "US-ASCII") == 0)
    return g_str_to_ascii (text, "C");
  g_autofree char *similar = g_strconcat (charset, "//TRANSLIT", NULL);
  char *converted = g_convert (text, -1, similar, "UTF-8", NULL, NULL, NULL);
  if (converted == NULL)
    converted = g_convert_with_fallback (text, -1, charset, "UTF-8", "?", NULL, NULL, NULL);
  return converted == NULL ? g_str_to_ascii (text, NULL) : converted;
}

int
rb_output_write_raw (FILE *stream, const char *text)
{
  errno = 0;
  if (fputs (text, stream) >= 0 && fflush (stream) == 0)
    return 0;
  int code = errno == 0 ? EIO : errno;
  clearerr (stream);
  return code;
}

int
rb_output_write (FILE *stream, const char *text)
{
  g_autofree char *bytes = to_locale (text);
  return rb_output_write_raw (stream, bytes);
}

void
rb_output_complain (const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  int unused = rb_output_write (stderr, text);
  (void) unused;
}

int
rb_output_check (void)
{
  errno = 0;
  if (fflush (stdout) != 0)
    return errno == 0 ? EIO : errno;
  int copy = dup (STDOUT_FILENO);
  return copy >= 0 && close (copy) != 0 ? errno : 0;
}

char *
rb_output_printable (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *out = g_string_new (NULL);
  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);
    g_string_append_unichar (out, g_unichar_iscntrl (c) && c != '\n' && c != '\t' ? 0xFFFD : c);
  }
  return g_string_free (out, FALSE);
}
