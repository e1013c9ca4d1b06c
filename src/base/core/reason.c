/* SPDX-License-Identifier: Apache-2.0 */
#include "core/reason.h"

#include <gio/gio.h>

static const char *const words[] = { [RB_REASON_NONE] = "ok",
#define RB_REASON_WORD(name, word) [RB_REASON_##name] = word,
                                     RB_REASONS (RB_REASON_WORD)
#undef RB_REASON_WORD
};

static GMutex domains_lock;
static GArray *domains; /* of GQuark, guarded by domains_lock */

RB_DEFINE_ERROR_DOMAIN (core)

const char *
rb_reason_word (RbReason reason)
{
  if (reason >= RB_REASON_LAST)
    return words[RB_REASON_INTERNAL];
  return words[reason];
}

RbReason
rb_reason_from_word (const char *word)
{
  for (guint i = 1; i < RB_REASON_LAST; i++)
    if (g_strcmp0 (words[i], word) == 0)
      return (RbReason) i;
  return RB_REASON_NONE;
}

GQuark
rb_reason_domain (const char *name)
{
  GQuark quark = g_quark_from_string (name);
  g_mutex_lock (&domains_lock);
  if (domains == NULL)
    domains = g_array_new (FALSE, FALSE, sizeof (GQuark));
  g_array_append_val (domains, quark);
  g_mutex_unlock (&domains_lock);
  return quark;
}

static gboolean
domain_is_ours (GQuark domain)
{
  gboolean found = FALSE;
  g_mutex_lock (&domains_lock);
  for (guint i = 0; domains != NULL && i < domains->len && !found; i++)
    found = g_array_index (domains, GQuark, i) == domain;
  g_mutex_unlock (&domains_lock);
  return found;
}

static RbReason
reason_of_gio (int code)
{
  switch (code) {
  case G_IO_ERROR_NOT_FOUND: return RB_REASON_NOT_FOUND;
  case G_IO_ERROR_EXISTS: return RB_REASON_EXISTS;
  case G_IO_ERROR_NO_SPACE: return RB_REASON_NO_SPACE;
  case G_IO_ERROR_TIMED_OUT: return RB_REASON_TIMEOUT;
  case G_IO_ERROR_CANCELLED: return RB_REASON_CANCELLED;
  case G_IO_ERROR_BUSY: return RB_REASON_IN_USE;
  default: return RB_REASON_IO;
  }
}

RbReason
rb_reason_of (const GError *error)
{
  if (error == NULL)
    return RB_REASON_NONE;
  if (domain_is_ours (error->domain))
    return (RbReason) error->code;
  if (error->domain == G_IO_ERROR)
    return reason_of_gio (error->code);
  if (error->domain == G_FILE_ERROR)
    return error->code == G_FILE_ERROR_NOENT   ? RB_REASON_NOT_FOUND
           : error->code == G_FILE_ERROR_NOSPC ? RB_REASON_NO_SPACE
                                               : RB_REASON_IO;
  if (error->domain == G_OPTION_ERROR)
    return RB_REASON_USAGE;
  return RB_REASON_INTERNAL;
}

gboolean
rb_reason_is_link_lost (RbReason reason)
{
  return reason == RB_REASON_LINK_LOST || reason == RB_REASON_BUS_OFF || reason == RB_REASON_NO_ACK
         || reason == RB_REASON_WRONG_BITRATE;
}

gboolean
rb_reason_deny (GError **error, GQuark domain, RbReason reason, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, domain, (int) reason, text);
  return FALSE;
}
