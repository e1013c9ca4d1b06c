/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/holdings.h"

#include "recovery/doubt.h"

#include <string.h>

static void
observe_roots (RbEcuJob *self, const RbEcuJobContext *context)
{
  const RbCampaign *campaign = rb_contents_campaign (context->contents);
  gboolean again = rb_doubt_of (self, RB_STEP_ROOTS);
  self->need_director_root = again || strcmp (self->now->director.sha256, campaign->director_root.sha256) != 0;
  self->need_image_root = self->profile->did_image_root != 0
                          && (again || strcmp (self->now->image.sha256, campaign->image_root.sha256) != 0);
}

gboolean
rb_holdings_want_image (const RbEcuJob *self)
{
  return self->profile->root_in_image && !self->roots_read_back && (self->need_director_root || self->need_image_root);
}

static gboolean
fail_root (const RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  const RbCampaign *campaign = rb_contents_campaign (context->contents);
  const RbCampaignRoot *wanted = self->need_director_root ? &campaign->director_root : &campaign->image_root;
  const RbEcuRoot *held = self->need_director_root ? &self->now->director : &self->now->image;
  g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_ROOT_NOT_PROVEN,
               "%s: %s root after its image was written: expected version %" G_GINT64_FORMAT
               " with digest %s, actual version %" G_GINT64_FORMAT " with digest %s",
               self->model->label, self->need_director_root ? "Director" : "Image", wanted->version, wanted->sha256,
               held->version, held->sha256[0] == '\0' ? "none" : held->sha256);
  return FALSE;
}

static gboolean
read_roots (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  RbEcuClaims *claims = rb_ecu_claims_read (self->unit, context->cancellable, error);
  if (claims == NULL)
    return FALSE;
  g_clear_pointer (&self->now, rb_ecu_claims_free);
  self->now = claims;
  observe_roots (self, context);
  return TRUE;
}

gboolean
rb_holdings_read_back_roots (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  if (!self->need_image && !self->need_director_root && !self->need_image_root)
    return TRUE;
  if (!rb_entry_observe (self, context, read_roots, error))
    return FALSE;
  if (!self->now->application) {
    g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_BOOTLOADER, "%s: it stays in its bootloader", self->model->label);
    return FALSE;
  }
  self->roots_read_back = TRUE;
  return !(self->need_director_root || self->need_image_root) || fail_root (self, context, error);
}

static const RbEcuStoredRole *
stored (const RbEcuJob *self, int repo, const char *role)
{
  for (guint i = 0; i < self->now->stored->len; i++) {
    const RbEcuStoredRole *entry = self->now->stored->pdata[i];
    if (entry->repo == repo && strcmp (entry->role, role) == 0)
      return entry;
  }
  return NULL;
}

/* The files of a repository that this ECU stores: a partial verification one only the Director's targets. */
static GPtrArray *
files_for (const RbEcuJob *self, const RbEcuJobContext *context, RbContentsRepo repo, GError **error)
{
  g_autoptr (GPtrArray) files = rb_contents_roles (context->contents, repo, context->vin, error);
  gboolean full = self->model->full_verification;
  if (files == NULL)
    return NULL;
  for (guint i = files->len; i > 0; i--) {
    const RbContentsFile *file = files->pdata[i - 1];
    if (!full && (repo == RB_CONTENTS_IMAGE || strcmp (file->role, "targets") != 0))
      g_ptr_array_remove_index (files, i - 1);
  }
  return g_steal_pointer (&files);
}

/* Does it hold this file, or a newer one accepted under the same root? Delegated roles are stored only when they were
 * needed. */
static gboolean
holds_file (const RbEcuJob *self, RbContentsRepo repo, const RbContentsFile *file)
{
  static const char *const always[] = { "timestamp", "snapshot", "targets", NULL };
  const RbEcuStoredRole *entry = stored (self, repo == RB_CONTENTS_DIRECTOR ? 0 : 1, file->role);
  if (entry == NULL)
    return !g_strv_contains (always, file->role);
  return strcmp (entry->sha256, file->sha256) == 0;
}

static gboolean
observe_metadata (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  self->need_metadata = FALSE;
  if (!rb_profile_has_step (self->profile, RB_STEP_METADATA)) /* it stores none that could be replaced */
    return TRUE;
  self->need_metadata = self->need_director_root || self->need_image_root || rb_doubt_of (self, RB_STEP_METADATA);
  for (RbContentsRepo repo = RB_CONTENTS_DIRECTOR; repo <= RB_CONTENTS_IMAGE; repo++) {
    g_autoptr (GPtrArray) files = files_for (self, context, repo, error);
    if (files == NULL)
      return FALSE;
    for (guint i = 0; i < files->len; i++)
      self->need_metadata = self->need_metadata || !holds_file (self, repo, files->pdata[i]);
  }
  return TRUE;
}

static gboolean
stage_all (RbEcuJob *self, const RbEcuJobContext *context, GPtrArray *files, GError **error)
{
  for (guint i = 0; files != NULL && i < files->len; i++) {
    const RbContentsFile *file = files->pdata[i];
    if (!rb_ecu_client_stage (self->unit, file->path, file->bytes, context->cancellable, error))
      return FALSE;
    self->silent = 0;
  }
  return files != NULL;
}

static gboolean
walk_chain (RbEcuJob *self, const RbEcuJobContext *context, RbContentsRepo repo, gint64 above, GError **error)
{
  g_autoptr (GPtrArray) roots = rb_contents_roots (context->contents, repo, above, error);
  return stage_all (self, context, roots, error)
         && rb_ecu_client_install (self->unit,
                                   repo == RB_CONTENTS_DIRECTOR ? RB_INSTALL_DIRECTOR_ROOT : RB_INSTALL_IMAGE_ROOT,
                                   context->cancellable, error);
}

static gboolean
overwrite_anchor (RbEcuJob *self, const RbEcuJobContext *context, RbContentsRepo repo, GError **error)
{
  g_autoptr (GPtrArray) files = rb_contents_anchor_files (context->contents, repo, error);
  return stage_all (self, context, files, error)
         && rb_ecu_client_install_anchor (self->unit, repo == RB_CONTENTS_DIRECTOR ? 0 : 1, context->cancellable,
                                          error);
}

/* The chain where it is intact and the ECU can walk it; else the campaign's signatures carry the new anchor. */
static gboolean
replace_root (RbEcuJob *self, const RbEcuJobContext *context, RbContentsRepo repo, GError **error)
{
  const RbCampaign *campaign = rb_contents_campaign (context->contents);
  const RbCampaignRoot *wanted = repo == RB_CONTENTS_DIRECTOR ? &campaign->director_root : &campaign->image_root;
  gint64 found = repo == RB_CONTENTS_DIRECTOR ? self->now->director.version : self->now->image.version;
  if (self->model->full_verification && !wanted->pinned && found < wanted->version) {
    g_autoptr (GError) broken = NULL;
    if (walk_chain (self, context, repo, found, &broken))
      return TRUE;
    if (broken->domain != RB_VEHICLE_ERROR) {
      g_propagate_error (error, g_steal_pointer (&broken));
      return FALSE;
    }
    g_debug ("%s; the anchor is overwritten", broken->message);
  }
  return overwrite_anchor (self, context, repo, error);
}

gboolean
rb_holdings_apply_director_root (RbEcuJob *self, const RbEcuJobContext *context, char **detail, GError **error)
{
  *detail = g_strdup (rb_contents_campaign (context->contents)->director_root.sha256);
  return replace_root (self, context, RB_CONTENTS_DIRECTOR, error);
}

gboolean
rb_holdings_apply_image_root (RbEcuJob *self, const RbEcuJobContext *context, char **detail, GError **error)
{
  *detail = g_strdup (rb_contents_campaign (context->contents)->image_root.sha256);
  return replace_root (self, context, RB_CONTENTS_IMAGE, error);
}

/* A stored version above the campaign's, under keys that were replaced, is an attacker's: the ECU would reject the
 * campaign's as a rollback. */
static gboolean
drop_higher (RbEcuJob *self, const RbEcuJobContext *context, RbContentsRepo repo, GError **error)
{
  g_autoptr (GPtrArray) files = files_for (self, context, repo, error);
  int number = repo == RB_CONTENTS_DIRECTOR ? 0 : 1;
  for (guint i = 0; files != NULL && i < files->len; i++) {
    const RbContentsFile *file = files->pdata[i];
    const RbEcuStoredRole *entry = stored (self, number, file->role);
    if (entry != NULL && entry->version > file->version
        && !rb_ecu_client_delete_metadata (self->unit, number, file->role, context->cancellable, error))
      return FALSE;
  }
  return files != NULL;
}

gboolean
rb_holdings_apply_drop (RbEcuJob *self, const RbEcuJobContext *context, char **detail, GError **error)
{
  return drop_higher (self, context, RB_CONTENTS_DIRECTOR, error)
         && drop_higher (self, context, RB_CONTENTS_IMAGE, error);
}

gboolean
rb_holdings_are_higher (RbEcuJob *self, const RbEcuJobContext *context, gboolean *higher, GError **error)
{
  *higher = FALSE;
  for (RbContentsRepo repo = RB_CONTENTS_DIRECTOR; repo <= RB_CONTENTS_IMAGE; repo++) {
    g_autoptr (GPtrArray) files = files_for (self, context, repo, error);
    for (guint i = 0; files != NULL && i < files->len; i++) {
      const RbContentsFile *file = files->pdata[i];
      const RbEcuStoredRole *entry = stored (self, repo == RB_CONTENTS_DIRECTOR ? 0 : 1, file->role);
      *higher = *higher || (entry != NULL && entry->version > file->version);
    }
    if (files == NULL)
      return FALSE;
  }
  return TRUE;
}

gboolean
rb_holdings_apply_metadata (RbEcuJob *self, const RbEcuJobContext *context, char **detail, GError **error)
{
  g_autoptr (GPtrArray) director = files_for (self, context, RB_CONTENTS_DIRECTOR, error);
  g_autoptr (GPtrArray) image = director == NULL ? NULL : files_for (self, context, RB_CONTENTS_IMAGE, error);
  return stage_all (self, context, director, error) && stage_all (self, context, image, error)
         && rb_ecu_client_install (self->unit, RB_INSTALL_ALL, context->cancellable, error);
}

gboolean
rb_holdings_observe (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  observe_roots (self, context);
  return observe_metadata (self, context, error);
}
