/* SPDX-License-Identifier: Apache-2.0 */
#include "core/moment.h"

#include <string.h>

gint64
rb_moment_now (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

char *
rb_moment_to_text (gint64 moment)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (moment);
  if (time == NULL)
    return g_strdup ("");
  g_autofree char *rest = g_date_time_format (time, "-%m-%dT%H:%M:%SZ");
  return g_strdup_printf ("%04d%s", g_date_time_get_year (time), rest); /* GLib's %Y has no leading zeros */
}

static gboolean
looks_like_time (const char *text)
{
  static const char shape[] = "dddd-dd-ddTdd:dd:dd";
  for (gsize i = 0; i < strlen (shape); i++)
    if (shape[i] == 'd' ? !g_ascii_isdigit (text[i]) : text[i] != shape[i])
      return FALSE;
  const char *rest = &text[strlen (shape)];
  if (*rest == '.') {
    if (!g_ascii_isdigit (rest[1]))
      return FALSE;
    rest++;
    while (g_ascii_isdigit (*rest))
      rest++;
  }
  return strcmp (rest, "Z") == 0;
}

static int
number (const char *text, gsize at, gsize digits)
{
  int value = 0;
  for (gsize i = at; i < at + digits; i++)
    value = 10 * value + (text[i] - '0');
  return value;
}

gboolean
rb_moment_from_text (const char *text, gint64 *moment)
{
  if (text == NULL || strlen (text) > 40 || strlen (text) < 20 || !looks_like_time (text))
    return FALSE;
  g_autoptr (GDateTime) time = g_date_time_new_utc (number (text, 0, 4), number (text, 5, 2), number (text, 8, 2),
                                                    number (text, 11, 2), number (text, 14, 2), number (text, 17, 2));
  if (time == NULL)
    return FALSE;
  *moment = g_date_time_to_unix (time);
  return TRUE;
}

gboolean
rb_moment_pause (gint64 milliseconds, GCancellable *cancellable, GError **error)
{
  GPollFD fd;
  if (cancellable != NULL && g_cancellable_make_pollfd (cancellable, &fd)) {
    g_poll (&fd, 1, (gint) milliseconds);
    g_cancellable_release_fd (cancellable);
  } else {
    g_poll (NULL, 0, (gint) milliseconds);
  }
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}
