/* SPDX-License-Identifier: Apache-2.0 */
#include "model/trust-list.h"

#include "core/bytes.h"
#include "core/moment.h"
#include "model/member.h"
#include "model/wmi.h"

#include <string.h>

#define MAX_FILE (16 * 1024 * 1024)
#define MAX_VERSION G_GINT64_CONSTANT (2147483646)
#define MAX_AGE_DAYS 30
#define MAX_DEALER_CAS 64
#define MAX_REVOKED 100000
#define MAX_WITHDRAWN 10000
#define MAX_WMIS 1000
#define MAX_LOG_KEY 300
#define VERSION_PARTS 3

static const char *const what = "trust list";

static void
revoked_free (gpointer data)
{
  RbRevoked *self = data;
  g_free (self->reason);
  g_free (self);
}

static void
withdrawn_free (gpointer data)
{
  RbWithdrawn *self = data;
  g_free (self->reason);
  g_free (self);
}

static void
clear (gpointer data)
{
  RbTrustList *self = data;
  g_free (self->oem);
  g_ptr_array_unref (self->dealer_cas);
  g_hash_table_unref (self->revoked);
  g_free (self->minimum_version);
  g_hash_table_unref (self->withdrawn);
  g_strfreev (self->wmis);
  g_free (self->log_key);
}

RbTrustList *
rb_trust_list_ref (RbTrustList *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
rb_trust_list_unref (RbTrustList *self)
{
  if (self != NULL)
    g_atomic_rc_box_release_full (self, clear);
}

static const json_t *
bounded_array (const json_t *json, const char *member, gsize max, GError **error)
{
  const json_t *list = rb_json_array (json, member, what, error);
  if (list == NULL || json_array_size (list) <= max)
    return list;
  rb_member_refuse (error, what, "member “%s” has more than %" G_GSIZE_FORMAT " entries", member, max);
  return NULL;
}

static gboolean
read_dealer_cas (RbTrustList *self, const json_t *json, GError **error)
{
  const json_t *list = bounded_array (json, "dealer_cas", MAX_DEALER_CAS, error);
  for (gsize i = 0; i < json_array_size (list); i++) {
    const char *text = json_string_value (json_array_get (list, i));
    g_autoptr (GError) problem = NULL;
    g_autoptr (GBytes) der = text == NULL ? NULL : rb_bytes_from_base64 (text);
    RbCertificate *certificate = der == NULL ? NULL : rb_certificate_from_der (der, &problem);
    if (certificate == NULL)
      return rb_member_refuse (error, what,
                               "member “dealer_cas”: entry %" G_GSIZE_FORMAT " is not a certificate in base64", i + 1);
    g_ptr_array_add (self->dealer_cas, certificate);
  }
  return list != NULL;
}

static gboolean
read_revoked_entry (RbTrustList *self, const json_t *json, gsize index, GError **error)
{
  static const char *const reasons[]
    = { "unspecified", "key-compromise",         "ca-compromise",      "affiliation-changed",
        "superseded",  "cessation-of-operation", "privilege-withdrawn" };
  g_autofree char *name = g_strdup_printf ("%s, member “revoked”, entry %" G_GSIZE_FORMAT, what, index + 1);
  gint64 since = 0;
  guint reason = 0;
  const char *id = rb_json_only (json, name, error, "sha256", "since", "reason", NULL)
                     ? rb_json_sha256 (json, "sha256", name, error)
                     : NULL;
  if (id == NULL || !rb_json_moment (json, "since", &since, name, error)
      || !rb_member_choice (json, "reason", reasons, G_N_ELEMENTS (reasons), &reason, name, error))
    return FALSE;
  if (g_hash_table_contains (self->revoked, id))
    return rb_member_refuse (error, name, "member “sha256” is there twice");
  RbRevoked *entry = g_new0 (RbRevoked, 1);
  entry->since = since;
  entry->reason = g_strdup (reasons[reason]);
  g_hash_table_insert (self->revoked, g_strdup (id), entry);
  return TRUE;
}

static gboolean
read_withdrawn_entry (RbTrustList *self, const json_t *json, gsize index, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s, member “withdrawn”, entry %" G_GSIZE_FORMAT, what, index + 1);
  g_autofree char *campaign = NULL;
  g_autofree char *reason = NULL;
  gint64 since = 0;
  if (!rb_json_only (json, name, error, "campaign", "since", "reason", NULL)
      || !rb_member_id (json, "campaign", &campaign, name, error)
      || !rb_json_moment (json, "since", &since, name, error)
      || !rb_member_text (json, "reason", 500, &reason, name, error))
    return FALSE;
  if (g_hash_table_contains (self->withdrawn, campaign))
    return rb_member_refuse (error, name, "member “campaign” is there twice");
  RbWithdrawn *entry = g_new0 (RbWithdrawn, 1);
  entry->since = since;
  entry->reason = g_steal_pointer (&reason);
  g_hash_table_insert (self->withdrawn, g_steal_pointer (&campaign), entry);
  return TRUE;
}

static gboolean
read_entries (RbTrustList *self, const json_t *json, GError **error)
{
  const json_t *revoked = bounded_array (json, "revoked", MAX_REVOKED, error);
  const json_t *withdrawn = revoked == NULL ? NULL : bounded_array (json, "withdrawn", MAX_WITHDRAWN, error);
  if (withdrawn == NULL)
    return FALSE;
  for (gsize i = 0; i < json_array_size (revoked); i++)
    if (!read_revoked_entry (self, json_array_get (revoked, i), i, error))
      return FALSE;
  for (gsize i = 0; i < json_array_size (withdrawn); i++)
    if (!read_withdrawn_entry (self, json_array_get (withdrawn, i), i, error))
      return FALSE;
  return TRUE;
}

static gboolean
read_wmis (RbTrustList *self, const json_t *json, GError **error)
{
  const json_t *list = bounded_array (json, "wmis", MAX_WMIS, error);
  g_autoptr (GPtrArray) prefixes = g_ptr_array_new ();
  for (gsize i = 0; i < json_array_size (list); i++) {
    const char *prefix = json_string_value (json_array_get (list, i));
    if (!rb_wmi_is_valid (prefix))
      return rb_member_refuse (error, what, "member “wmis”: entry %" G_GSIZE_FORMAT " is not the beginning of a VIN",
                               i + 1);
    g_ptr_array_add (prefixes, (gpointer) prefix);
  }
  g_ptr_array_add (prefixes, NULL);
  self->wmis = rb_wmi_unite ((const char *const *) prefixes->pdata, NULL);
  return list != NULL;
}

/* "1.2.0": exactly VERSION_PARTS decimal numbers. */
static gboolean
parse_version (const char *text, guint64 parts[VERSION_PARTS])
{
  g_auto (GStrv) words = g_strsplit (text, ".", VERSION_PARTS + 1);
  if (g_strv_length (words) != VERSION_PARTS)
    return FALSE;
  for (guint i = 0; i < VERSION_PARTS; i++)
    if (!g_ascii_string_to_unsigned (words[i], 10, 0, 999999, &parts[i], NULL)
        || (words[i][0] == '0' && words[i][1] != '\0'))
      return FALSE;
  return TRUE;
}

static gboolean
read_limits (RbTrustList *self, const json_t *json, GError **error)
{
  guint64 parts[VERSION_PARTS];
  gint64 days = 0;
  if (!rb_json_integer (json, "version", 1, MAX_VERSION, &self->version, what, error)
      || !rb_member_text (json, "oem", 100, &self->oem, what, error)
      || !rb_json_moment (json, "issued", &self->issued, what, error)
      || !rb_json_integer (json, "max_age_days", 1, MAX_AGE_DAYS, &days, what, error)
      || !rb_member_text (json, "minimum_version", 64, &self->minimum_version, what, error))
    return FALSE;
  self->max_age = days * RB_MOMENT_DAY;
  return parse_version (self->minimum_version, parts)
         || rb_member_refuse (error, what, "member “minimum_version” is not a version like “1.2.0”");
}

RbTrustList *
rb_trust_list_parse (GBytes *bytes, GError **error)
{
  g_autoptr (json_t) json = rb_json_parse (bytes, MAX_FILE, what, error);
  g_autoptr (RbTrustList) self = g_atomic_rc_box_new0 (RbTrustList);
  self->dealer_cas = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_certificate_unref);
  self->revoked = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, revoked_free);
  self->withdrawn = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, withdrawn_free);
  if (json == NULL
      || !rb_json_only (json, what, error, "format", "version", "oem", "issued", "max_age_days", "minimum_version",
                        "wmis", "dealer_cas", "revoked", "withdrawn", "log_key", NULL)
      || !rb_member_format (json, "recallbay-trust-list-1", what, error) || !read_limits (self, json, error)
      || !read_wmis (self, json, error) || !read_dealer_cas (self, json, error) || !read_entries (self, json, error)
      || !rb_member_text_or_none (json, "log_key", MAX_LOG_KEY, &self->log_key, what, error))
    return NULL;
  return g_steal_pointer (&self);
}

gboolean
rb_trust_list_check_clock (const RbTrustList *self, gint64 now, GError **error)
{
  g_autofree char *issued = rb_moment_to_text (self->issued);
  g_autofree char *here = rb_moment_to_text (now);
  return now >= self->issued
         || rb_reason_deny (error, RB_MODEL_ERROR, RB_REASON_CLOCK,
                            "trust list of %s: issued on %s, but the clock says %s", self->oem, issued, here);
}

gboolean
rb_trust_list_check_age (const RbTrustList *self, gint64 now, GError **error)
{
  g_autofree char *issued = rb_moment_to_text (self->issued);
  g_autofree char *here = rb_moment_to_text (now);
  if (!rb_trust_list_check_clock (self, now, error))
    return FALSE;
  if (now - self->issued < self->max_age)
    return TRUE;
  return rb_reason_deny (error, RB_MODEL_ERROR, RB_REASON_TRUST_LIST_EXPIRED,
                         "trust list of %s: issued on %s, valid for %" G_GINT64_FORMAT " days, and the clock says %s",
                         self->oem, issued, self->max_age / RB_MOMENT_DAY, here);
}

gboolean
rb_trust_list_check_version (const RbTrustList *self, const char *version, GError **error)
{
  guint64 minimum[VERSION_PARTS] = { 0 }, own[VERSION_PARTS] = { 0 };
  gboolean known = parse_version (self->minimum_version, minimum) && parse_version (version, own);
  guint i = 0;
  while (i + 1 < VERSION_PARTS && own[i] == minimum[i])
    i++;
  if (known && own[i] >= minimum[i])
    return TRUE;
  return rb_reason_deny (error, RB_MODEL_ERROR, RB_REASON_WORKSTATION_OUTDATED,
                         "workstation software: version %s, %s requires %s", version, self->oem, self->minimum_version);
}

gboolean
rb_trust_list_check_campaign (const RbTrustList *self, const char *campaign, gint64 now, GError **error)
{
  const RbWithdrawn *entry = g_hash_table_lookup (self->withdrawn, campaign);
  if (entry == NULL || now < entry->since)
    return TRUE;
  g_autofree char *since = rb_moment_to_text (entry->since);
  return rb_reason_deny (error, RB_MODEL_ERROR, RB_REASON_CAMPAIGN_WITHDRAWN, "campaign %s: withdrawn by %s on %s: %s",
                         campaign, self->oem, since, entry->reason);
}

static gboolean
check_revoked (const RbTrustList *self, GPtrArray *path, gint64 moment, GError **error)
{
  for (guint i = 0; i + 1 < path->len; i++) {
    g_autofree char *id = rb_certificate_revocation_id (path->pdata[i], path->pdata[i + 1]);
    const RbRevoked *entry = g_hash_table_lookup (self->revoked, id);
    if (entry == NULL || moment < entry->since)
      continue;
    g_autofree char *since = rb_moment_to_text (entry->since);
    return rb_reason_deny (error, RB_MODEL_ERROR, RB_REASON_SIGNER_NOT_TRUSTED,
                           "certificate “%s”: revoked by %s since %s (%s)", rb_certificate_common_name (path->pdata[i]),
                           self->oem, since, entry->reason);
  }
  return TRUE;
}

gint64
rb_trust_list_revoked_since (const RbTrustList *self, GPtrArray *chain, RbPurpose purpose, gint64 moment)
{
  g_autoptr (GPtrArray) path = rb_certificate_find_path (chain, self->dealer_cas, (int) purpose, moment, NULL);
  gint64 first = 0;
  for (guint i = 0; path != NULL && i + 1 < path->len; i++) {
    g_autofree char *id = rb_certificate_revocation_id (path->pdata[i], path->pdata[i + 1]);
    const RbRevoked *entry = g_hash_table_lookup (self->revoked, id);
    if (entry != NULL && (first == 0 || entry->since < first))
      first = entry->since;
  }
  return first;
}

gboolean
rb_trust_list_check_signer (const RbTrustList *self, GPtrArray *chain, RbPurpose purpose, gint64 moment, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GPtrArray) path = rb_certificate_find_path (chain, self->dealer_cas, (int) purpose, moment, &problem);
  if (path != NULL)
    return check_revoked (self, path, moment, error);
  if (rb_reason_of (problem) == RB_REASON_CERTIFICATE)
    return rb_reason_deny (error, RB_MODEL_ERROR, RB_REASON_SIGNER_NOT_TRUSTED, "%s; it is under no dealer CA of %s",
                           problem->message, self->oem);
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}
