/* SPDX-License-Identifier: Apache-2.0 */
#include "workstation/reason-text.h"

#include "core/json.h"

#include <gio/gio.h>

#define PATH "/org/recallbay/Recallbay/reasons.json"
#define MAX_TEXTS (1024 * 1024)

static json_t *
load_texts (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_resources_lookup_data (PATH, G_RESOURCE_LOOKUP_FLAGS_NONE, &error);
  json_t *texts = bytes == NULL ? NULL : rb_json_parse (bytes, MAX_TEXTS, "reasons", &error);
  if (texts == NULL)
    g_error ("%s: %s", PATH, error->message);
  return texts;
}

static const char *
lookup (RbReason reason, const char *member)
{
  static json_t *texts;
  const char *group;
  json_t *entries;
  if (g_once_init_enter (&texts))
    g_once_init_leave (&texts, load_texts ());
  json_object_foreach (texts, group, entries) {
    json_t *entry = json_object_get (entries, rb_reason_word (reason));
    if (entry != NULL)
      return rb_json_string_or (entry, member, "");
  }
  return "";
}

const char *
rb_reason_text_means (RbReason reason)
{
  return lookup (reason, "means");
}

const char *
rb_reason_text_next (RbReason reason)
{
  return lookup (reason, "next");
}
