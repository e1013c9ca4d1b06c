/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/tokens.h"

/* Writes JSON text that was taken without a problem once again, in canonical form A (uptane/canonical.h). */
#define RB_REWRITE_MAX_SORTED \
  500000 /* members of all objects that are open at once: they need memory beside the text */

/* The value at a place of source. NULL when a name stands twice in one object or a number cannot be read, or with
 * *too_many beyond RB_REWRITE_MAX_SORTED. by_utf16: members are in order of UTF-16 code units, not of bytes. (transfer
 * full) */
GBytes *rb_rewrite_form_a (const RbTokens *source, gsize at, gsize length, gboolean by_utf16, gboolean *too_many);

/* The next byte of a name in form A without its escape, -1 at its end: "\u00XX" is a control character there. */
static inline int
rb_rewrite_name_byte (const char *name, gsize length, gsize *at)
{
  static const char letters[] = "nrtbf", controls[] = "\n\r\t\b\f";
  gsize i = *at;
  if (i >= length)
    return -1;
  *at = i + 1;
  if (name[i] != '\\' || i + 1 >= length)
    return (guchar) name[i];
  const char *letter = strchr (letters, name[i + 1]);
  *at = i + (name[i + 1] == 'u' ? 6 : 2);
  if (name[i + 1] == 'u' && i + 5 < length)
    return g_ascii_xdigit_value (name[i + 4]) * 16 + g_ascii_xdigit_value (name[i + 5]);
  return letter != NULL && *letter != '\0' ? controls[letter - letters] : (guchar) name[i + 1];
}
