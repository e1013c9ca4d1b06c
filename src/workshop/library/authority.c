/* SPDX-License-Identifier: Apache-2.0 */
#include "library/authority.h"

#include "core/files.h"
#include "core/json.h"
#include "crypto/dsse.h"
#include "library/anchor-scope.h"
#include "library/trust.h"
#include "model/wmi.h"

#include <string.h>

#define STATEMENT_FORMAT "recallbay-anchor-scope-change-1"
#define STATEMENT_TYPE "application/vnd.recallbay.anchor-scope+json"
#define SET(strv) ((const char *const *) (strv))

void
rb_authority_free (RbAuthority *self)
{
  if (self == NULL)
    return;
  g_free (self->anchor);
  g_strfreev (self->bound);
  g_clear_pointer (&self->list, rb_trust_list_unref);
  g_clear_pointer (&self->list_json, g_bytes_unref);
  g_strfreev (self->wmis);
  g_free (self);
}

static char *
folder_of (const char *data_dir, const char *anchor)
{
  return g_build_filename (data_dir, "trust", anchor, NULL);
}

static void
narrow (RbAuthority *self)
{
  g_strfreev (self->wmis);
  self->wmis = rb_wmi_intersect (SET (self->bound), self->list == NULL ? NULL : SET (self->list->wmis));
}

RbAuthority *
rb_authority_load (const char *data_dir, const char *anchor, GError **error)
{
  g_autoptr (RbAuthority) self = g_new0 (RbAuthority, 1);
  g_autofree char *folder = folder_of (data_dir, anchor);
  self->anchor = g_strdup (anchor);
  if (!rb_anchor_scope_read (folder, &self->bound, error)
      || !rb_anchor_scope_read_list (folder, &self->list, &self->list_json, error)) {
    g_prefix_error (error, "trust anchor “%s”: ", anchor);
    return NULL;
  }
  narrow (self);
  return g_steal_pointer (&self);
}

static gboolean
take_newer (RbAuthority *self, RbTrustList *list, GBytes *json, GError **error)
{
  if (list == NULL || (self->list != NULL && list->version < self->list->version))
    return TRUE;
  if (self->list != NULL && list->version == self->list->version && !g_bytes_equal (json, self->list_json))
    return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_ROLLBACK,
                           "trust list of “%s”: version %" G_GINT64_FORMAT " is known with other contents",
                           self->anchor, list->version);
  g_clear_pointer (&self->list, rb_trust_list_unref);
  g_clear_pointer (&self->list_json, g_bytes_unref);
  self->list = rb_trust_list_ref (list);
  self->list_json = g_bytes_ref (json);
  return TRUE;
}

/* The scope in a first trust list counts only if it does not overlap that of another anchor. */
static gboolean
check_apart (const RbAuthority *self, const char *data_dir, GError **error)
{
  g_autoptr (GPtrArray) anchors = rb_trust_list (data_dir, error);
  for (guint i = 0; anchors != NULL && i < anchors->len; i++) {
    const RbAnchor *anchor = anchors->pdata[i];
    if (strcmp (anchor->name, self->anchor) == 0)
      continue;
    g_autoptr (RbAuthority) other = rb_authority_load (data_dir, anchor->name, error);
    if (other == NULL)
      return FALSE;
    g_auto (GStrv) both = rb_wmi_intersect (SET (self->list->wmis), SET (other->bound));
    g_autofree char *text = rb_anchor_scope_text (SET (both));
    if (both[0] != NULL)
      return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_NOT_IN_ANCHOR_SCOPE,
                             "trust list of “%s”: names vehicles (%s) of trust anchor “%s”", self->anchor, text,
                             other->anchor);
  }
  return anchors != NULL;
}

/* list may be NULL. */
static RbAuthority *
with_list (const char *data_dir, const char *anchor, RbTrustList *list, GBytes *json, GError **error)
{
  g_autoptr (RbAuthority) self = rb_authority_load (data_dir, anchor, error);
  if (self == NULL || !take_newer (self, list, json, error))
    return NULL;
  if (self->bound == NULL && self->list != NULL && self->list->wmis[0] != NULL) {
    if (!check_apart (self, data_dir, error))
      return NULL;
    self->bound = g_strdupv (self->list->wmis);
  }
  narrow (self);
  return g_steal_pointer (&self);
}

RbAuthority *
rb_authority_of (const char *data_dir, RbContents *contents, GError **error)
{
  return with_list (data_dir, rb_contents_anchor (contents), rb_contents_trust_list (contents),
                    rb_contents_trust_list_json (contents), error);
}

static gboolean
write_list (const RbAuthority *self, const char *data_dir, GError **error)
{
  g_autofree char *folder = folder_of (data_dir, self->anchor);
  return (self->list == NULL || rb_anchor_scope_write_list (folder, self->list_json, error))
         && (self->bound == NULL || rb_anchor_scope_write (folder, SET (self->bound), error));
}

gboolean
rb_authority_remember (const char *data_dir, RbContents *contents, GError **error)
{
  g_autoptr (RbAuthority) self = rb_authority_of (data_dir, contents, error);
  return self != NULL && write_list (self, data_dir, error);
}

gboolean
rb_authority_remember_list (const char *data_dir, const char *anchor, GBytes *json, GError **error)
{
  g_autoptr (RbTrustList) list = rb_trust_list_parse (json, error);
  g_autoptr (RbAuthority) self = list == NULL ? NULL : with_list (data_dir, anchor, list, json, error);
  return self != NULL && write_list (self, data_dir, error);
}

gboolean
rb_authority_has_list (const RbAuthority *self, GError **error)
{
  return self->list != NULL
         || rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_TRUST_LIST_MISSING,
                            "trust anchor “%s”: no trust list was imported", self->anchor);
}

gboolean
rb_authority_check (const RbAuthority *self, const RbCampaign *campaign, const char *vin, gint64 now, gboolean started,
                    GError **error)
{
  if (!rb_authority_has_list (self, error))
    return FALSE;
  g_autofree char *scope = rb_anchor_scope_text (SET (self->wmis));
  if (!rb_wmi_holds (SET (self->wmis), vin))
    return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_NOT_IN_ANCHOR_SCOPE,
                           "vehicle %s: outside the scope of trust anchor “%s” (%s)", vin, self->anchor, scope);
  return rb_trust_list_check_version (self->list, RB_VERSION, error)
         && rb_trust_list_check_clock (self->list, now, error)
         && (started
             || (rb_trust_list_check_age (self->list, now, error)
                 && rb_trust_list_check_campaign (self->list, campaign->id, now, error)));
}

static gboolean
check_people (const RbAuthority *self, RbIdentity *first, RbIdentity *second, gint64 now, GError **error)
{
  RbCertificate *one = rb_identity_certificate (first), *two = rb_identity_certificate (second);
  if (!rb_authority_has_list (self, error))
    return FALSE;
  if (rb_certificate_same_holder (one, two))
    return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_SAME_PERSON, "both certificates are of “%s”",
                           rb_certificate_common_name (one));
  return rb_trust_list_check_clock (self->list, now, error)
         && rb_trust_list_check_signer (self->list, rb_identity_chain (first), RB_PURPOSE_TECHNICIAN, now, error)
         && rb_trust_list_check_signer (self->list, rb_identity_chain (second), RB_PURPOSE_TECHNICIAN, now, error);
}

static json_t *
set_json (const char *const *wmis)
{
  json_t *list = json_array ();
  for (guint i = 0; wmis != NULL && wmis[i] != NULL; i++)
    json_array_append_new (list, json_string (wmis[i]));
  return list;
}

static gboolean
write_statement (const RbAuthority *self, const char *folder, const char *const *after, RbIdentity *first,
                 RbIdentity *second, gint64 now, GError **error)
{
  g_autofree char *name = g_strdup_printf ("scope-%" G_GINT64_FORMAT ".json", now);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (json_t) statement = json_object ();
  rb_json_set_string (statement, "format", STATEMENT_FORMAT);
  rb_json_set_string (statement, "name", self->anchor);
  rb_json_set (statement, "before", set_json (SET (self->bound)));
  rb_json_set (statement, "after", set_json (after));
  rb_json_set_moment (statement, "at", now);
  g_autoptr (GBytes) payload = rb_json_to_bytes (statement);
  g_autoptr (RbDsse) envelope = rb_dsse_new (STATEMENT_TYPE, payload);
  if (!rb_identity_sign_envelope (first, envelope, error) || !rb_identity_sign_envelope (second, envelope, error))
    return FALSE;
  g_autoptr (GBytes) json = rb_dsse_to_json (envelope);
  return rb_files_write_private (path, json, error);
}

gboolean
rb_authority_widen (const char *data_dir, const char *anchor, const char *const *wmis, RbIdentity *first,
                    RbIdentity *second, gint64 now, GError **error)
{
  g_autofree char *folder = rb_files_name_is_safe (anchor) ? folder_of (data_dir, anchor) : NULL;
  if (folder == NULL || !rb_files_is_folder (folder))
    return rb_reason_deny (error, RB_CAMPAIGN_ERROR, RB_REASON_NOT_FOUND, "trust anchor “%s”: not found", anchor);
  g_autoptr (RbLock) lock = rb_trust_lock (data_dir, error);
  g_autoptr (RbAuthority) self = lock == NULL ? NULL : rb_authority_load (data_dir, anchor, error);
  if (self == NULL || !check_people (self, first, second, now, error))
    return FALSE;
  g_auto (GStrv) after = rb_wmi_unite (SET (self->bound), wmis);
  return write_statement (self, folder, SET (after), first, second, now, error)
         && rb_anchor_scope_write (folder, SET (after), error);
}
