/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/pins.h"

#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"

#define MAX_PINS (16 * 1024 * 1024)
#define FORMAT "recallbay-pins-1"

struct _RbPins {
  char *path;
  json_t *json;
};

RbPins *
rb_pins_load (const char *data_dir, GError **error)
{
  g_autoptr (RbPins) self = g_new0 (RbPins, 1);
  self->path = g_build_filename (data_dir, "pins.json", NULL);
  if (rb_files_exists (self->path)) {
    self->json = rb_json_load (self->path, MAX_PINS, error);
    if (self->json == NULL || rb_json_object (self->json, "campaigns", self->path, error) == NULL)
      return NULL;
    return g_steal_pointer (&self);
  }
  self->json = json_object ();
  rb_json_set_string (self->json, "format", FORMAT);
  rb_json_set (self->json, "campaigns", json_object ());
  return g_steal_pointer (&self);
}

void
rb_pins_free (RbPins *self)
{
  if (self == NULL)
    return;
  json_decref (self->json);
  g_free (self->path);
  g_free (self);
}

static json_t *
of_anchor (RbPins *self, const char *anchor)
{
  json_t *campaigns = json_object_get (self->json, "campaigns");
  if (!json_is_object (json_object_get (campaigns, anchor)))
    rb_json_set (campaigns, anchor, json_object ());
  return json_object_get (campaigns, anchor);
}

gboolean
rb_pins_check (RbPins *self, RbContents *contents, GError **error)
{
  const RbCampaign *campaign = rb_contents_campaign (contents);
  const json_t *pin = json_object_get (of_anchor (self, rb_contents_anchor (contents)), campaign->id);
  gint64 seen = rb_json_integer_or (pin, "version", 0);
  if (campaign->version > seen)
    return TRUE;
  if (campaign->version < seen) {
    g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_CAMPAIGN_ROLLBACK,
                 "campaign %s: version %" G_GINT64_FORMAT " is older than version %" G_GINT64_FORMAT ", which was imported before",
                 campaign->id, campaign->version, seen);
    return FALSE;
  }
  if (g_strcmp0 (rb_json_string_or (pin, "sha256", NULL), rb_contents_campaign_sha256 (contents)) == 0)
    return TRUE;
  g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_CAMPAIGN_ROLLBACK,
               "campaign %s: another campaign was imported before under the same version %" G_GINT64_FORMAT, campaign->id, seen);
  return FALSE;
}

gint64
rb_pins_floor (RbPins *self)
{
  return rb_json_integer_or (self->json, "floor", 0);
}

gboolean
rb_pins_check_clock (RbPins *self, gint64 now, GError **error)
{
  gint64 floor = rb_pins_floor (self);
  if (now >= floor)
    return TRUE;
  g_autofree char *here = rb_moment_to_text (now);
  g_autofree char *signed_at = rb_moment_to_text (floor);
  g_set_error (error, RB_CAMPAIGN_ERROR, RB_REASON_CLOCK,
               "the clock of this computer says %s, but the OEM has signed something here on %s", here, signed_at);
  return FALSE;
}

gboolean
rb_pins_remember (RbPins *self, RbContents *contents, GError **error)
{
  const RbCampaign *campaign = rb_contents_campaign (contents);
  json_t *pin = json_object ();
  rb_json_set_integer (pin, "version", campaign->version);
  rb_json_set_string (pin, "sha256", rb_contents_campaign_sha256 (contents));
  rb_json_set (of_anchor (self, rb_contents_anchor (contents)), campaign->id, pin);
  rb_json_set_integer (self->json, "floor", MAX (rb_pins_floor (self), campaign->issued));
  g_autofree char *text = rb_json_to_pretty (self->json);
  rb_files_sweep (self->path); /* whoever remembers holds the library's lock */
  return rb_files_write_text (self->path, text, error);
}
