/* SPDX-License-Identifier: Apache-2.0 */
#include "model/campaign-ecu.h"

#include "core/bytes.h"
#include "model/member.h"
#include "model/profile.h"

#include <string.h>

enum { MAX_CONDITIONS = 16, MAX_VALUES = 64, MAX_TEXT = 128 };

static const char *const kinds[] = { [RB_CONDITION_HARDWARE_VERSION] = "hardware-version",
                                     [RB_CONDITION_SOFTWARE] = "software",
                                     [RB_CONDITION_CODING_CLASS] = "coding-class" };

const char *
rb_campaign_ecu_condition_word (RbConditionKind kind)
{
  return kinds[kind];
}

gboolean
rb_campaign_ecu_condition_holds (const RbCampaignCondition *self, const char *value)
{
  if (self->kind != RB_CONDITION_CODING_CLASS)
    return g_strv_contains ((const char *const *) self->values, value);
  for (guint i = 0; self->values[i] != NULL; i++)
    if (g_str_has_prefix (value, self->values[i]))
      return TRUE;
  return FALSE;
}

GBytes *
rb_campaign_ecu_coding (const RbCampaignEcu *ecu, guint16 did)
{
  for (guint i = 0; ecu->coding != NULL && i < ecu->coding->len; i++) {
    const RbCampaignCoding *coding = ecu->coding->pdata[i];
    if (coding->did == did)
      return coding->value;
  }
  return NULL;
}

static void
coding_free (gpointer data)
{
  RbCampaignCoding *self = data;
  g_clear_pointer (&self->value, g_bytes_unref);
  g_free (self);
}

static void
condition_free (gpointer data)
{
  RbCampaignCondition *self = data;
  g_strfreev (self->values);
  g_free (self);
}

static gboolean
read_coding (RbCampaignEcu *self, const json_t *json, const char *what, GError **error)
{
  RbCampaignCoding *coding = g_new0 (RbCampaignCoding, 1);
  guint16 did = 0;
  g_ptr_array_add (self->coding, coding);
  if (!rb_json_only (json, what, error, "did", "value", NULL) || !rb_member_identifier (json, "did", &did, what, error)
      || !rb_member_hex (json, "value", RB_PROFILE_MAX_CODING_BYTES, &coding->value, what, error))
    return FALSE;
  if (rb_campaign_ecu_coding (self, did) != NULL)
    return rb_member_refuse (error, what, "identifier %04X is there twice", did);
  coding->did = did;
  return TRUE;
}

/* NULL with error */
static char *
read_value (RbConditionKind kind, const json_t *value, const char *what, GError **error)
{
  const char *text = json_is_string (value) ? json_string_value (value) : "";
  g_autoptr (GBytes) bytes = kind == RB_CONDITION_CODING_CLASS ? rb_bytes_from_hex (text) : NULL;
  gboolean good = text[0] != '\0' && strlen (text) <= MAX_TEXT && (kind != RB_CONDITION_CODING_CLASS || bytes != NULL);
  if (good)
    return bytes == NULL ? g_strdup (text) : rb_bytes_hex (bytes);
  rb_member_refuse (error, what, "member “values”: expected %s of 1…%d characters",
                    kind == RB_CONDITION_CODING_CLASS ? "hex" : "texts", MAX_TEXT);
  return NULL;
}

static gboolean
read_values (RbCampaignCondition *self, const json_t *json, const char *what, GError **error)
{
  const json_t *list = rb_json_array (json, "values", what, error);
  gsize n = json_array_size (list);
  if (list == NULL)
    return FALSE;
  if (n < 1 || n > MAX_VALUES)
    return rb_member_refuse (error, what, "member “values” has not 1…%d entries", MAX_VALUES);
  self->values = g_new0 (char *, n + 1);
  for (gsize i = 0; i < n; i++)
    if ((self->values[i] = read_value (self->kind, json_array_get (list, i), what, error)) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
read_condition (RbCampaignEcu *self, const json_t *json, const char *what, GError **error)
{
  RbCampaignCondition *condition = g_new0 (RbCampaignCondition, 1);
  guint kind = 0;
  g_ptr_array_add (self->conditions, condition);
  if (!rb_json_only (json, what, error, "kind", "did", "values", NULL)
      || !rb_member_choice (json, "kind", kinds, G_N_ELEMENTS (kinds), &kind, what, error)
      || !rb_member_identifier (json, "did", &condition->did, what, error))
    return FALSE;
  condition->kind = (RbConditionKind) kind;
  return read_values (condition, json, what, error);
}

typedef gboolean (*Read) (RbCampaignEcu *self, const json_t *json, const char *what, GError **error);

static gboolean
read_list (RbCampaignEcu *self, const json_t *json, const char *member, gsize most, Read read, const char *owner,
           GError **error)
{
  g_autofree char *what = g_strdup_printf ("%s, %s", owner, member);
  if (json_object_get (json, member) == NULL)
    return TRUE;
  const json_t *list = rb_json_array (json, member, owner, error);
  if (list == NULL)
    return FALSE;
  if (json_array_size (list) < 1 || json_array_size (list) > most)
    return rb_member_refuse (error, owner, "member “%s” has not 1…%" G_GSIZE_FORMAT " entries", member, most);
  for (gsize i = 0; i < json_array_size (list); i++)
    if (!read (self, json_array_get (list, i), what, error))
      return FALSE;
  return TRUE;
}

gboolean
rb_campaign_ecu_read (RbCampaignEcu *self, const json_t *json, const char *what, GError **error)
{
  self->coding = g_ptr_array_new_with_free_func (coding_free);
  self->conditions = g_ptr_array_new_with_free_func (condition_free);
  return read_list (self, json, "coding", RB_PROFILE_MAX_CODING, read_coding, what, error)
         && read_list (self, json, "conditions", MAX_CONDITIONS, read_condition, what, error);
}
