/* SPDX-License-Identifier: Apache-2.0 */
#include "log/entry.h"

#include "core/json.h"

#include <string.h>

#define MAX_ENTRY 1024
#define VERSION 1

static const char *const kinds[] = { "record", "verdict" };
static const char *const what = "log entry";

GBytes *
rb_entry_write (const RbEntry *self)
{
  g_autoptr (json_t) json = json_object ();
  rb_json_set_integer (json, "v", VERSION);
  rb_json_set_string (json, "kind", kinds[self->kind]);
  rb_json_set_string (json, "record", self->record);
  rb_json_set_string (json, "envelope", self->envelope);
  rb_json_set_moment (json, "at", self->at);
  if (self->kind == RB_ENTRY_RECORD)
    rb_json_set_string (json, "workstation", self->workstation);
  else {
    rb_json_set_integer (json, "about", (gint64) self->about);
    rb_json_set_string (json, "reason", self->reason);
  }
  return rb_json_to_bytes (json);
}

static gboolean
read_record (RbEntry *self, const json_t *json, GError **error)
{
  if (!rb_json_only (json, what, error, "v", "kind", "record", "envelope", "at", "workstation", NULL))
    return FALSE;
  self->workstation = g_strdup (rb_json_sha256 (json, "workstation", what, error));
  return self->workstation != NULL;
}

static gboolean
read_verdict (RbEntry *self, const json_t *json, GError **error)
{
  gint64 about = 0;
  if (!rb_json_only (json, what, error, "v", "kind", "record", "envelope", "at", "about", "reason", NULL)
      || !rb_json_integer (json, "about", 0, G_MAXINT64, &about, what, error))
    return FALSE;
  self->about = (guint64) about;
  self->reason = g_strdup (rb_json_string (json, "reason", what, error));
  return self->reason != NULL;
}

static gboolean
read_entry (RbEntry *self, const json_t *json, GError **error)
{
  gint64 version = 0;
  const char *kind = rb_json_integer (json, "v", VERSION, VERSION, &version, what, error)
                       ? rb_json_string (json, "kind", what, error)
                       : NULL;
  if (kind == NULL)
    return FALSE;
  self->record = g_strdup (rb_json_sha256 (json, "record", what, error));
  self->envelope = self->record == NULL ? NULL : g_strdup (rb_json_sha256 (json, "envelope", what, error));
  if (self->envelope == NULL || !rb_json_moment (json, "at", &self->at, what, error))
    return FALSE;
  if (strcmp (kind, kinds[RB_ENTRY_RECORD]) == 0)
    return read_record (self, json, error);
  self->kind = RB_ENTRY_VERDICT;
  return strcmp (kind, kinds[RB_ENTRY_VERDICT]) == 0
           ? read_verdict (self, json, error)
           : rb_reason_deny (error, RB_LOG_ERROR, RB_REASON_MALFORMED, "%s: unknown kind “%s”", what, kind);
}

RbEntry *
rb_entry_parse (GBytes *bytes, GError **error)
{
  g_autoptr (json_t) json = rb_json_parse (bytes, MAX_ENTRY, what, error);
  g_autoptr (RbEntry) self = g_new0 (RbEntry, 1);
  return json != NULL && read_entry (self, json, error) ? g_steal_pointer (&self) : NULL;
}

void
rb_entry_free (RbEntry *self)
{
  g_free (self->record);
  g_free (self->envelope);
  g_free (self->workstation);
  g_free (self->reason);
  g_free (self);
}
