/* SPDX-License-Identifier: Apache-2.0 */
#include "record/outcome.h"

#include "core/json.h"
#include "core/moment.h"

void
rb_outcome_deny (RbVerifyOutcome *self, RbReason reason, const char *message)
{
  if (self->reason != RB_REASON_NONE)
    return;
  self->reason = reason;
  self->message = g_strdup (message);
}

void
rb_outcome_free (RbVerifyOutcome *self)
{
  if (self == NULL)
    return;
  g_free (self->message);
  g_free (self->digest);
  g_free (self->type);
  g_free (self->result);
  g_free (self->vin);
  g_free (self->campaign);
  g_free (self->workstation);
  g_free (self->stream);
  g_free (self->previous);
  json_decref (self->predicate);
  g_free (self);
}

static void
add_checked (json_t *list, gboolean checked, const char *name)
{
  if (checked)
    json_array_append_new (list, json_string (name));
}

json_t *
rb_outcome_to_json (const RbVerifyOutcome *self)
{
  json_t *object = json_object (), *checked = json_array ();
  add_checked (checked, self->signatures_checked, "signatures");
  add_checked (checked, self->certificates_checked, "certificates");
  add_checked (checked, self->result_checked, "result");
  add_checked (checked, self->sequence_checked, "sequence");
  add_checked (checked, self->campaign_checked, "campaign");
  add_checked (checked, self->creation_checked, "key-creation");
  rb_json_set_string (object, "digest", self->digest);
  rb_json_set_string (object, "type", self->type);
  rb_json_set_string (object, "result", self->result);
  rb_json_set_string (object, "vin", self->vin);
  rb_json_set (object, "checked", checked);
  if (self->revoked_since != 0)
    rb_json_set_moment (object, "revoked_since", self->revoked_since);
  return object;
}
