/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of targets files, and patterns of delegations: the input's first line is a path, the rest an entry or
 * pattern. */
#include "core/json.h"
#include "fuzz.h"
#include "uptane/delegation.h"
#include "uptane/target.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  char *end = strchr (text, '\n');
  if (end == NULL)
    return 0;
  *end = '\0';
  const char *rest = &end[1];
  g_autoptr (json_t) delegation = json_pack ("{s:[s]}", "paths", rest); /* NULL: not UTF-8 */
  gboolean crosses = delegation != NULL && rb_delegation_matches (delegation, text, NULL) && strchr (text, '/') != NULL
                     && strchr (rest, '/') == NULL;
  if (crosses)
    g_error ("a pattern without / matched a path with one");
  g_autoptr (GBytes) bytes = g_bytes_new (rest, strlen (rest));
  g_autoptr (json_t) entry = rb_json_parse (bytes, 1 << 20, "entry", NULL);
  if (entry == NULL)
    return 0;
  rb_delegation_matches (entry, text, "hw");
  g_autoptr (RbTarget) target = rb_target_from_json (text, entry, NULL);
  if (target != NULL && (!rb_target_same_content (target, target) || target->length > (G_GUINT64_CONSTANT (1) << 53)))
    g_error ("not the same as itself");
  return 0;
}
