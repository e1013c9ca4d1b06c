/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/observe.h"

#include "crypto/digest.h"
#include "recovery/coding.h"
#include "recovery/doubt.h"
#include "recovery/entry.h"
#include "recovery/holdings.h"
#include "recovery/proof.h"
#include "recovery/swapped.h"
#include "vehicle/ecu-session.h"
#include "vehicle/ecu-keys.h"

#include <string.h>

/*
 * A lost response can leave an ECU in its programming session: the bootloader answers although the application is
 * valid. The default session starts it (ISO 14229-1, 10.2.2.2). Erasing such an ECU as it is would lose its coding,
 * which only the application tells.
 */
static gboolean
start_application (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (self->now->application || !self->now->application_valid)
    return TRUE;
  if (rb_ecu_client_session (self->unit, RB_ECU_SESSION_DEFAULT, context->cancellable, &failure)) {
    g_clear_pointer (&self->now, rb_ecu_claims_free);
    self->now = rb_ecu_claims_read (self->unit, context->cancellable, error);
    return self->now != NULL;
  }
  if (rb_ecu_client_last_nrc (self->unit) != 0)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* The first sight is kept as it was; a copy of it is the newest. */
gboolean
rb_observe_claims (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  if (self->before == NULL)
    self->before = rb_ecu_claims_read (self->unit, context->cancellable, error);
  if (self->before == NULL)
    return FALSE;
  g_clear_pointer (&self->now, rb_ecu_claims_free);
  self->now = rb_ecu_claims_read (self->unit, context->cancellable, error);
  return self->now != NULL;
}

/* Does the campaign direct something to another ECU with the serial number that responds here? */
static gboolean
is_known_elsewhere (const RbEcuJob *self, const RbEcuJobContext *context)
{
  for (guint i = 0; i < context->jobs->len; i++)
    if (strcmp (rb_ecu_job_serial (context->jobs->pdata[i]), self->now->serial) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
refuse_other_serial (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  gboolean replaced = !is_known_elsewhere (self, context);
  g_autofree char *text
    = g_strdup_printf ("serial number: expected %s, actual %s", self->assignment->serial, self->now->serial);
  if (replaced && self->part_number == NULL)
    self->part_number = rb_swapped_part_number (self->unit, self->profile, context->cancellable);
  return rb_ecu_job_error (self, error, replaced ? RB_REASON_ECU_REPLACED : RB_REASON_ECU_UNEXPECTED, text);
}

static gboolean
is_the_right_ecu (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  if (strcmp (self->now->serial, self->assignment->serial) != 0)
    return refuse_other_serial (self, context, error);
  if (strcmp (self->now->hardware_id, self->assignment->hardware_id) != 0)
    return rb_ecu_job_error (self, error, RB_REASON_HARDWARE_MISMATCH, "its hardware is not what the campaign expects");
  return TRUE;
}

/*
 * A bootloader computes the digest from flash over a nonce of ours. An application may be the attacker's and know the
 * public image: its digest counts only for an image that the journal, or the record that closed it, shows to be written
 * in this campaign.
 */
static gboolean
vouches_for_image (const RbEcuJob *self)
{
  return self->profile->digest_by_bootloader || self->image_record != NULL;
}

/* (transfer full) *record as of rb_journal_shows() */
static gboolean
find_record (const RbEcuJob *self, const RbEcuJobContext *context, const char *step, const char *detail, char **record,
             GError **error)
{
  g_clear_pointer (record, g_free);
  return rb_journal_shows (context->journal, context->vin, rb_contents_campaign (context->contents)->id,
                           self->assignment->serial, step, detail, record, error);
}

static gboolean
observe_image (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  g_clear_pointer (&self->image_nonce, g_bytes_unref);
  g_clear_pointer (&self->image_digest, g_free);
  self->image_nonce = rb_digest_random (32);
  self->need_image = TRUE;
  if (rb_doubt_of (self, RB_STEP_IMAGE))
    return TRUE;
  if (!rb_ecu_client_session (self->unit, RB_ECU_SESSION_PROGRAMMING, context->cancellable, error))
    return FALSE;
  self->image_digest = rb_ecu_client_digest (self->unit, self->image_nonce, context->cancellable, error);
  if (self->image_digest == NULL)
    return FALSE;
  g_autoptr (GBytes) image = rb_contents_image (context->contents, self->wanted->image_sha256, error);
  if (image == NULL || !find_record (self, context, "image", self->wanted->image_sha256, &self->image_record, error))
    return FALSE;
  /* the right bytes that were never checked and made valid leave an ECU in its bootloader: they are written again */
  self->need_image = !self->now->application || !rb_proof_image (image, self->image_nonce, self->image_digest)
                     || !vouches_for_image (self) || rb_holdings_want_image (self);
  return rb_ecu_client_session (self->unit, RB_ECU_SESSION_DEFAULT, context->cancellable, error);
}

static gboolean
observe_asymmetric_key (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  const RbCampaign *campaign = rb_contents_campaign (context->contents);
  g_autoptr (GBytes) nonce = rb_campaign_ecu_nonce (campaign, context->vin, self->assignment->serial);
  g_clear_pointer (&self->key_challenge, g_bytes_unref);
  g_clear_pointer (&self->key_spki, g_bytes_unref);
  g_clear_pointer (&self->key_proof, g_bytes_unref);
  g_clear_pointer (&self->key_id, g_free);
  g_clear_pointer (&self->key_record, g_free);
  self->key_challenge = rb_digest_random (16);
  if (!rb_ecu_keys_prove (self->unit, campaign->id, nonce, self->key_challenge, &self->key_spki, &self->key_proof,
                          context->cancellable, error))
    return FALSE;
  self->key_id = rb_proof_possession (campaign, context->vin, self->assignment->serial, self->key_spki,
                                      self->key_challenge, self->key_proof);
  if (self->key_id != NULL && !find_record (self, context, "key", self->key_id, &self->key_record, error))
    return FALSE;
  self->need_key = self->key_record == NULL;
  return TRUE;
}

/*
 * Done when the slot's counter is the campaign's and the ECU tells the M4 and M5 that the OEM expects, which only the
 * new key gives. Another workstation may have loaded it; a load cannot be repeated, for the counter is used up.
 */
static gboolean
observe_she_key (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  const json_t *update = rb_ecu_job_she_update (self, context);
  guint slot = 0;
  g_clear_pointer (&self->she_proof, g_bytes_unref);
  g_clear_pointer (&self->key_id, g_free);
  g_clear_pointer (&self->key_record, g_free);
  if (update == NULL)
    return rb_ecu_job_error (self, error, RB_REASON_HARDWARE_NEEDED, "the campaign has no key update for it");
  if (!rb_ecu_keys_read_she (self->unit, &slot, &self->she_counter, &self->she_proof, context->cancellable, error))
    return FALSE;
  self->key_id = g_strdup_printf ("she:%u:%" G_GINT64_FORMAT, slot, self->she_counter);
  self->need_key = !rb_proof_she (update, slot, self->she_counter, self->she_proof);
  return find_record (self, context, "key", self->key_id, &self->key_record, error);
}

static gboolean
observe_key (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  self->need_key = self->wanted->new_key && self->profile->key_kind != RB_KEY_KIND_NONE;
  /* a key is made on the known-good image, never on what was found */
  if (!self->need_key || self->need_image || !self->now->application || rb_doubt_of (self, RB_STEP_KEY))
    return TRUE;
  if (!rb_ecu_client_session (self->unit, RB_ECU_SESSION_EXTENDED, context->cancellable, error))
    return FALSE;
  return self->profile->key_kind == RB_KEY_KIND_SHE ? observe_she_key (self, context, error)
                                                    : observe_asymmetric_key (self, context, error);
}

/* What the ECU rejects meanwhile, it rejects about that step. */
static gboolean
observe (RbEcuJob *self, const RbEcuJobContext *context, RbStep step, RbEntryObserve look, GError **error)
{
  self->observing = step;
  if (!rb_entry_observe (self, context, look, error))
    return FALSE;
  self->observing = 0;
  return TRUE;
}

/* A lost response whose request was carried out is no failure: what did not hold before holds now. */
static void
note_success (RbEcuJob *self)
{
  guint needs = (guint) self->need_director_root | (guint) self->need_image_root << 1 | (guint) self->need_metadata << 2
                | (guint) self->need_image << 3 | (guint) self->need_key << 4 | (guint) self->need_coding << 5;
  if (needs != self->needs)
    self->silent = 0;
  self->needs = needs;
}

/* For the screen. An ECU in its bootloader is written like any other. */
static const char *
boot_text (const RbEcuClaims *claims)
{
  static const char *const texts[]
    = { [RB_ECU_BOOT_UNKNOWN] = "in its bootloader",
        [RB_ECU_BOOT_INTERRUPTED] = "in its bootloader: a download was interrupted",
        [RB_ECU_BOOT_NO_BANK] = "in its bootloader: none of its banks holds a valid application" };
  return claims->application ? NULL : texts[claims->boot_cause];
}

gboolean
rb_observe_ecu (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  self->written = FALSE;
  self->observing = 0;
  if (!rb_observe_claims (self, context, error) || !start_application (self, context, error)
      || !is_the_right_ecu (self, context, error))
    return FALSE;
  if (!rb_holdings_observe (self, context, error) || !observe (self, context, RB_STEP_IMAGE, observe_image, error))
    return FALSE;
  note_success (self);
  if (!rb_entry_observe (self, context, rb_coding_observe, error)
      || !observe (self, context, RB_STEP_KEY, observe_key, error))
    return FALSE;
  note_success (self);
  rb_ecu_job_set_state (self, context, RB_ECU_CHECKED, RB_REASON_NONE, boot_text (self->now));
  return TRUE;
}
