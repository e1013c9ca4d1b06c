/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/work.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "recovery/coding.h"
#include "recovery/conditions.h"
#include "recovery/doubt.h"
#include "recovery/entry.h"
#include "recovery/holdings.h"
#include "recovery/proof.h"
#include "recovery/swapped.h"
#include "vehicle/ecu-session.h"

#include <string.h>

static const char LOOK[] = "look";

/* ISO 14229-1: uploadDownloadNotAccepted, requestSequenceError */
enum { NRC_SEQUENCE = 0x24, NRC_NOT_ACCEPTED = 0x70 };

RbWork *
rb_work_new (const RbModelEcu *model, const RbProfile *profile, const RbCampaignEcu *wanted)
{
  RbWork *self = g_new0 (RbWork, 1);
  self->model = model;
  self->profile = profile;
  self->wanted = wanted;
  self->stage = LOOK;
  self->coding = g_ptr_array_new_with_free_func (rb_coding_value_free);
  self->conditions = json_array ();
  return self;
}

void
rb_work_free (RbWork *self)
{
  g_clear_pointer (&self->unit, rb_unit_free);
  g_clear_pointer (&self->before, rb_unit_claims_free);
  g_clear_pointer (&self->now, rb_unit_claims_free);
  g_clear_pointer (&self->assignment, rb_vehicle_assignment_free);
  g_clear_pointer (&self->image_nonce, g_bytes_unref);
  g_clear_pointer (&self->key_challenge, g_bytes_unref);
  g_clear_pointer (&self->key_spki, g_bytes_unref);
  g_clear_pointer (&self->key_proof, g_bytes_unref);
  g_clear_pointer (&self->she_proof, g_bytes_unref);
  g_clear_pointer (&self->report_challenge, g_bytes_unref);
  g_clear_pointer (&self->report, g_bytes_unref);
  g_clear_pointer (&self->dtcs_before, g_bytes_unref);
  g_clear_pointer (&self->dtcs_after, g_bytes_unref);
  g_clear_pointer (&self->fingerprint, g_bytes_unref);
  g_ptr_array_unref (self->coding);
  json_decref (self->conditions);
  g_free (self->image_digest);
  g_free (self->image_record);
  g_free (self->key_id);
  g_free (self->key_record);
  g_free (self->text);
  g_free (self->part_number);
  g_free (self->replaces);
  g_free (self->performed_by);
  g_clear_pointer (&self->recipe_steps, g_ptr_array_unref);
  g_free (self);
}

const char *
rb_work_serial (const RbWork *self)
{
  return self->assignment != NULL ? self->assignment->serial : self->now != NULL ? self->now->serial : "";
}

static void
emit (const RbWork *self, const RbWorkContext *context, RbRecoveryEvent event)
{
  if (context->watch == NULL)
    return;
  event.serial = rb_work_serial (self);
  event.name = self->model->label;
  event.state = self->state;
  context->watch (&event, context->user_data);
}

void
rb_work_set_state (RbWork *self, const RbWorkContext *context, RbEcuState state, RbReason reason, const char *text)
{
  g_autofree char *copy = g_strdup (text);
  self->state = state;
  self->reason = reason;
  self->nrc = 0;
  g_free (self->text);
  self->text = g_steal_pointer (&copy);
  emit (self, context, (RbRecoveryEvent){ .kind = RB_EVENT_ECU, .reason = reason, .text = self->text });
}

void
rb_work_fail (RbWork *self, const RbWorkContext *context, RbEcuState state, const GError *failure)
{
  /* a failure of the workstation's own, as of a proof, is no rejection, whatever was rejected before */
  gboolean rejected = failure->domain == RB_UDS_ERROR && self->unit != NULL;
  rb_work_set_state (self, context, state, rb_reason_of (failure), failure->message);
  self->nrc = rejected ? rb_unit_last_nrc (self->unit) : 0;
}

static gboolean
fail (const RbWork *self, GError **error, RbReason reason, const char *text)
{
  g_set_error (error, RB_RECOVERY_ERROR, (int) reason, "%s: %s", self->model->label, text);
  return FALSE;
}

/*
 * A lost response can leave an ECU in its programming session: the bootloader answers although the application is
 * valid. The default session starts it (ISO 14229-1, 10.2.2.2). Erasing such an ECU as it is would lose its coding,
 * which only the application tells.
 */
static gboolean
start_application (RbWork *self, const RbWorkContext *context, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (self->now->application || !self->now->application_valid)
    return TRUE;
  if (rb_unit_session (self->unit, RB_ECU_SESSION_DEFAULT, context->cancellable, &failure)) {
    g_clear_pointer (&self->now, rb_unit_claims_free);
    self->now = rb_unit_claims_read (self->unit, context->cancellable, error);
    return self->now != NULL;
  }
  if (rb_unit_last_nrc (self->unit) != 0)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* The first sight is kept as it was; a copy of it is the newest. */
static gboolean
read_claims (RbWork *self, const RbWorkContext *context, GError **error)
{
  if (self->before == NULL)
    self->before = rb_unit_claims_read (self->unit, context->cancellable, error);
  if (self->before == NULL)
    return FALSE;
  g_clear_pointer (&self->now, rb_unit_claims_free);
  self->now = rb_unit_claims_read (self->unit, context->cancellable, error);
  return self->now != NULL;
}

/* Does the campaign direct something to another ECU with the serial number that responds here? */
static gboolean
is_known_elsewhere (const RbWork *self, const RbWorkContext *context)
{
  for (guint i = 0; i < context->works->len; i++)
    if (strcmp (rb_work_serial (context->works->pdata[i]), self->now->serial) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
refuse_other_serial (RbWork *self, const RbWorkContext *context, GError **error)
{
  gboolean replaced = !is_known_elsewhere (self, context);
  g_autofree char *text
    = g_strdup_printf ("serial number: expected %s, actual %s", self->assignment->serial, self->now->serial);
  if (replaced && self->part_number == NULL)
    self->part_number = rb_swapped_part_number (self->unit, self->profile, context->cancellable);
  return fail (self, error, replaced ? RB_REASON_ECU_REPLACED : RB_REASON_ECU_UNEXPECTED, text);
}

static gboolean
is_the_right_ecu (RbWork *self, const RbWorkContext *context, GError **error)
{
  if (strcmp (self->now->serial, self->assignment->serial) != 0)
    return refuse_other_serial (self, context, error);
  if (strcmp (self->now->hardware_id, self->assignment->hardware_id) != 0)
    return fail (self, error, RB_REASON_HARDWARE_MISMATCH, "its hardware is not what the campaign expects");
  return TRUE;
}

/*
 * A bootloader computes the digest from flash over a nonce of ours. An application may be the attacker's and know the
 * public image: its digest counts only for an image that the journal, or the record that closed it, shows to be written
 * in this campaign.
 */
static gboolean
vouches_for_image (const RbWork *self)
{
  return self->profile->digest_by_bootloader || self->image_record != NULL;
}

/* (transfer full) *record as of rb_journal_shows() */
static gboolean
find_record (const RbWork *self, const RbWorkContext *context, const char *step, const char *detail, char **record,
             GError **error)
{
  g_clear_pointer (record, g_free);
  return rb_journal_shows (context->journal, context->vin, rb_contents_campaign (context->contents)->id,
                           self->assignment->serial, step, detail, record, error);
}

static gboolean
observe_image (RbWork *self, const RbWorkContext *context, GError **error)
{
  g_clear_pointer (&self->image_nonce, g_bytes_unref);
  g_clear_pointer (&self->image_digest, g_free);
  self->image_nonce = rb_digest_random (32);
  self->need_image = TRUE;
  if (rb_doubt_of (self, RB_STEP_IMAGE))
    return TRUE;
  if (!rb_unit_session (self->unit, RB_ECU_SESSION_PROGRAMMING, context->cancellable, error))
    return FALSE;
  self->image_digest = rb_unit_digest (self->unit, self->image_nonce, context->cancellable, error);
  if (self->image_digest == NULL)
    return FALSE;
  g_autoptr (GBytes) image = rb_contents_image (context->contents, self->wanted->image_sha256, error);
  if (image == NULL || !find_record (self, context, "image", self->wanted->image_sha256, &self->image_record, error))
    return FALSE;
  /* the right bytes that were never checked and made valid leave an ECU in its bootloader: they are written again */
  self->need_image = !self->now->application || !rb_proof_image (image, self->image_nonce, self->image_digest)
                     || !vouches_for_image (self) || rb_holdings_want_image (self);
  return rb_unit_session (self->unit, RB_ECU_SESSION_DEFAULT, context->cancellable, error);
}

static gboolean
observe_asymmetric_key (RbWork *self, const RbWorkContext *context, GError **error)
{
  const RbCampaign *campaign = rb_contents_campaign (context->contents);
  g_autoptr (GBytes) nonce = rb_campaign_ecu_nonce (campaign, context->vin, self->assignment->serial);
  g_clear_pointer (&self->key_challenge, g_bytes_unref);
  g_clear_pointer (&self->key_spki, g_bytes_unref);
  g_clear_pointer (&self->key_proof, g_bytes_unref);
  g_clear_pointer (&self->key_id, g_free);
  g_clear_pointer (&self->key_record, g_free);
  self->key_challenge = rb_digest_random (16);
  if (!rb_unit_prove_key (self->unit, campaign->id, nonce, self->key_challenge, &self->key_spki, &self->key_proof,
                          context->cancellable, error))
    return FALSE;
  self->key_id = rb_proof_possession (campaign, context->vin, self->assignment->serial, self->key_spki,
                                      self->key_challenge, self->key_proof);
  if (self->key_id != NULL && !find_record (self, context, "key", self->key_id, &self->key_record, error))
    return FALSE;
  self->need_key = self->key_record == NULL;
  return TRUE;
}

static const json_t *
she_update (const RbWork *self, const RbWorkContext *context)
{
  const json_t *list = json_object_get (context->she, "updates");
  for (gsize i = 0; i < json_array_size (list); i++)
    if (strcmp (rb_json_string_or (json_array_get (list, i), "serial", ""), self->assignment->serial) == 0)
      return json_array_get (list, i);
  return NULL;
}

/*
 * Done when the slot's counter is the campaign's and the ECU tells the M4 and M5 that the OEM expects, which only the
 * new key gives. Another workstation may have loaded it; a load cannot be repeated, for the counter is used up.
 */
static gboolean
observe_she_key (RbWork *self, const RbWorkContext *context, GError **error)
{
  const json_t *update = she_update (self, context);
  guint slot = 0;
  g_clear_pointer (&self->she_proof, g_bytes_unref);
  g_clear_pointer (&self->key_id, g_free);
  g_clear_pointer (&self->key_record, g_free);
  if (update == NULL)
    return fail (self, error, RB_REASON_HARDWARE_NEEDED, "the campaign has no key update for it");
  if (!rb_unit_read_she (self->unit, &slot, &self->she_counter, &self->she_proof, context->cancellable, error))
    return FALSE;
  self->key_id = g_strdup_printf ("she:%u:%" G_GINT64_FORMAT, slot, self->she_counter);
  self->need_key = !rb_proof_she (update, slot, self->she_counter, self->she_proof);
  return find_record (self, context, "key", self->key_id, &self->key_record, error);
}

static gboolean
observe_key (RbWork *self, const RbWorkContext *context, GError **error)
{
  self->need_key = self->wanted->new_key && self->profile->key_kind != RB_KEY_KIND_NONE;
  /* a key is made on the known-good image, never on what was found */
  if (!self->need_key || self->need_image || !self->now->application || rb_doubt_of (self, RB_STEP_KEY))
    return TRUE;
  if (!rb_unit_session (self->unit, RB_ECU_SESSION_EXTENDED, context->cancellable, error))
    return FALSE;
  return self->profile->key_kind == RB_KEY_KIND_SHE ? observe_she_key (self, context, error)
                                                    : observe_asymmetric_key (self, context, error);
}

/* What the ECU rejects meanwhile, it rejects about that step. */
static gboolean
observe (RbWork *self, const RbWorkContext *context, RbStep step, RbEntryObserve look, GError **error)
{
  self->observing = step;
  if (!rb_entry_observe (self, context, look, error))
    return FALSE;
  self->observing = 0;
  return TRUE;
}

static gboolean
has_needs (const RbWork *self)
{
  return self->need_director_root || self->need_image_root || self->need_metadata || self->need_image
         || self->need_coding || self->need_key;
}

gboolean
rb_work_any_has_needs (GPtrArray *works)
{
  for (guint i = 0; i < works->len; i++) {
    const RbWork *work = works->pdata[i];
    if (work->state != RB_ECU_PARKED && has_needs (work))
      return TRUE;
  }
  return FALSE;
}

/* A lost response whose request was carried out is no failure: what did not hold before holds now. */
static void
note_success (RbWork *self)
{
  guint needs = (guint) self->need_director_root | (guint) self->need_image_root << 1 | (guint) self->need_metadata << 2
                | (guint) self->need_image << 3 | (guint) self->need_key << 4 | (guint) self->need_coding << 5;
  if (needs != self->needs)
    self->silent = 0;
  self->needs = needs;
}

/* For the screen. An ECU in its bootloader is written like any other. */
static const char *
boot_text (const RbUnitClaims *claims)
{
  static const char *const texts[]
    = { [RB_UNIT_BOOT_UNKNOWN] = "in its bootloader",
        [RB_UNIT_BOOT_INTERRUPTED] = "in its bootloader: a download was interrupted",
        [RB_UNIT_BOOT_NO_BANK] = "in its bootloader: none of its banks holds a valid application" };
  return claims->application ? NULL : texts[claims->boot_cause];
}

gboolean
rb_work_observe (RbWork *self, const RbWorkContext *context, GError **error)
{
  self->written = FALSE;
  self->observing = 0;
  if (!read_claims (self, context, error) || !start_application (self, context, error)
      || !is_the_right_ecu (self, context, error))
    return FALSE;
  if (!rb_holdings_observe (self, context, error) || !observe (self, context, RB_STEP_IMAGE, observe_image, error))
    return FALSE;
  note_success (self);
  if (!rb_entry_observe (self, context, rb_coding_observe, error)
      || !observe (self, context, RB_STEP_KEY, observe_key, error))
    return FALSE;
  note_success (self);
  rb_work_set_state (self, context, RB_ECU_CHECKED, RB_REASON_NONE, boot_text (self->now));
  return TRUE;
}

/* Once for each person: after a shift change the record still says who did what before. */
static gboolean
note_performer (RbWork *self, const RbWorkContext *context, GError **error)
{
  if (context->person == NULL || g_strcmp0 (self->performed_by, context->person) == 0)
    return TRUE;
  if (!rb_journal_perform (context->journal, context->recovery, self->assignment->serial, context->person, error))
    return FALSE;
  g_free (self->performed_by);
  self->performed_by = g_strdup (context->person);
  return TRUE;
}

/* One write: intent before, result after, whatever happens between. */
static gboolean
write_step (RbWork *self, const RbWorkContext *context, const char *step, RbEntryApply apply, GError **error)
{
  g_autofree char *detail = NULL;
  g_autoptr (GError) failure = NULL;
  self->wants_network = context->needs_network;
  if (context->needs_network)
    return fail (self, error, RB_REASON_NOT_STARTED, "the network of the vehicle is not prepared for writing");
  emit (self, context, (RbRecoveryEvent){ .kind = RB_EVENT_STEP, .text = step });
  if (!note_performer (self, context, error))
    return FALSE;
  if (!rb_journal_intend (context->journal, context->recovery, self->assignment->serial, step, rb_moment_now (),
                          &self->row, error))
    return FALSE;
  self->writes++;
  self->written = TRUE;
  gboolean good = rb_entry_apply (self, context, apply, &detail, &failure);
  const char *word = rb_reason_word (good ? RB_REASON_NONE : rb_reason_of (failure));
  if (!rb_journal_result (context->journal, self->row, word, detail, rb_moment_now (), good ? error : NULL))
    return FALSE;
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  else
    self->silent = 0;
  return good;
}

static gboolean
is_after (const RbWork *self, RbStep step)
{
  for (guint i = 0; i < self->at; i++)
    if (self->profile->order[i] == step)
      return TRUE;
  return FALSE;
}

/* The reset that starts a new image ends the session in which it was written. */
static gboolean
unlock_after_image (RbWork *self, const RbWorkContext *context, GError **error)
{
  if (!is_after (self, RB_STEP_IMAGE) || rb_unit_is_unlocked (self->unit, self->session))
    return TRUE;
  if (!rb_entry_unlock (self, context, RB_ECU_SESSION_EXTENDED, error))
    return FALSE;
  rb_work_set_state (self, context, RB_ECU_WRITING, RB_REASON_NONE, NULL);
  return TRUE;
}

static gboolean
step_roots (RbWork *self, const RbWorkContext *context, GError **error)
{
  if (self->need_director_root && !write_step (self, context, "director-root", rb_holdings_apply_director_root, error))
    return FALSE;
  if (self->need_image_root && !write_step (self, context, "image-root", rb_holdings_apply_image_root, error))
    return FALSE;
  return TRUE;
}

static gboolean
step_drop (RbWork *self, const RbWorkContext *context, GError **error)
{
  gboolean higher = FALSE;
  if (!self->need_metadata)
    return TRUE;
  if (!read_claims (self, context, error) || !rb_holdings_are_higher (self, context, &higher, error))
    return FALSE;
  return !higher
         || (unlock_after_image (self, context, error)
             && write_step (self, context, "drop", rb_holdings_apply_drop, error));
}

static gboolean
step_metadata (RbWork *self, const RbWorkContext *context, GError **error)
{
  return !self->need_metadata
         || (unlock_after_image (self, context, error)
             && write_step (self, context, "metadata", rb_holdings_apply_metadata, error));
}

typedef struct {
  RbWork *self;
  const RbWorkContext *context;
} Progress;

static void
on_progress (guint64 done, guint64 total, gpointer user_data)
{
  const Progress *progress = user_data;
  rb_journal_progress (progress->context->journal, progress->self->row, done, total);
  emit (progress->self, progress->context,
        (RbRecoveryEvent){ .kind = RB_EVENT_PROGRESS, .done = done, .total = total });
}

static gboolean
write_fingerprint (RbWork *self, const RbWorkContext *context, GError **error)
{
  if (self->profile->did_fingerprint == 0 || context->fingerprint == NULL)
    return TRUE;
  g_clear_pointer (&self->fingerprint, g_bytes_unref);
  if (!rb_unit_write_did (self->unit, self->profile->did_fingerprint, context->fingerprint, context->cancellable,
                          error))
    return FALSE;
  self->fingerprint = g_bytes_ref (context->fingerprint);
  return TRUE;
}

static gboolean
apply_image (RbWork *self, const RbWorkContext *context, char **detail, GError **error)
{
  Progress progress = { self, context };
  g_autoptr (GBytes) image = rb_contents_image (context->contents, self->wanted->image_sha256, error);
  *detail = g_strdup (self->wanted->image_sha256);
  return image != NULL && write_fingerprint (self, context, error)
         && rb_unit_write_image (self->unit, image, on_progress, &progress, context->cancellable, error);
}

static gboolean
apply_reset (RbWork *self, const RbWorkContext *context, char **detail, GError **error)
{
  return rb_unit_reset (self->unit, context->cancellable, error);
}

/* A bootloader may hold on to a download that was interrupted, and reject every other one until it is reset. */
static gboolean
holds_old_download (RbWork *self, const GError *failure)
{
  guint8 nrc = rb_unit_last_nrc (self->unit);
  gboolean rejected = rb_reason_of (failure) == RB_REASON_REFUSED && (nrc == NRC_NOT_ACCEPTED || nrc == NRC_SEQUENCE);
  return rejected && !self->reset_for_download;
}

static gboolean
step_image (RbWork *self, const RbWorkContext *context, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (self->need_image && !rb_coding_keep (self, context, error))
    return FALSE;
  if (!self->need_image || write_step (self, context, "image", apply_image, &failure))
    return TRUE;
  if (!holds_old_download (self, failure)) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  g_debug ("%s; the ECU is reset for it", failure->message);
  self->reset_for_download = TRUE;
  return write_step (self, context, "reset", apply_reset, error)
         && rb_entry_unlock (self, context, RB_ECU_SESSION_PROGRAMMING, error)
         && write_step (self, context, "image", apply_image, error);
}

static gboolean
observe_coding_again (RbWork *self, const RbWorkContext *context, GError **error)
{
  return read_claims (self, context, error) && rb_coding_observe (self, context, error);
}

/* After an erasure; or where the campaign wants another value than the ECU has. The bootloader, by which it was seen
 * last, tells none. */
static gboolean
step_coding (RbWork *self, const RbWorkContext *context, GError **error)
{
  if ((self->need_image || !self->now->application) && !rb_entry_observe (self, context, observe_coding_again, error))
    return FALSE;
  if (!self->need_coding || !self->now->application) /* reading back tells of one that stays in its bootloader */
    return TRUE;
  if (!rb_coding_is_known (self, error) || !rb_entry_unlock (self, context, RB_ECU_SESSION_EXTENDED, error))
    return FALSE;
  rb_work_set_state (self, context, RB_ECU_WRITING, RB_REASON_NONE, NULL);
  return write_step (self, context, "coding", rb_coding_apply, error);
}

static gboolean
apply_asymmetric_key (RbWork *self, const RbWorkContext *context, char **detail, GError **error)
{
  g_autoptr (GBytes) spki = rb_unit_make_key (self->unit, context->cancellable, error);
  g_autoptr (RbPublicKey) key = spki == NULL ? NULL : rb_key_public_from_spki (spki, error);
  *detail = key == NULL ? NULL : g_strdup (rb_key_public_id (key));
  return key != NULL;
}

static gboolean
apply_she_key (RbWork *self, const RbWorkContext *context, char **detail, GError **error)
{
  const json_t *update = she_update (self, context);
  g_autoptr (GBytes) request = update == NULL ? NULL : rb_proof_she_request (update);
  if (request == NULL)
    return fail (self, error, RB_REASON_HARDWARE_NEEDED, "the campaign has no key update for it");
  g_autoptr (GBytes) answer = rb_unit_load_she (self->unit, request, context->cancellable, error);
  if (answer == NULL)
    return FALSE;
  *detail = g_strdup_printf ("she:%d:%d", (int) rb_json_integer_or (update, "slot", 0),
                             (int) rb_json_integer_or (update, "counter", 0));
  return rb_proof_she_answer (update, answer)
         || fail (self, error, RB_REASON_KEY_NOT_PROVEN, "its answer M4, M5 is not the expected one");
}

static gboolean
step_key (RbWork *self, const RbWorkContext *context, GError **error)
{
  if (!self->need_key)
    return TRUE;
  if (!rb_entry_unlock (self, context, RB_ECU_SESSION_EXTENDED, error))
    return FALSE;
  rb_work_set_state (self, context, RB_ECU_WRITING, RB_REASON_NONE, NULL);
  return write_step (self, context, "key",
                     self->profile->key_kind == RB_KEY_KIND_SHE ? apply_she_key : apply_asymmetric_key, error);
}

/* Nothing is verified by the root of a new image before the ECU says which one it holds. */
static gboolean
step_reset (RbWork *self, const RbWorkContext *context, GError **error)
{
  if (self->written) {
    rb_work_set_state (self, context, RB_ECU_RESETTING, RB_REASON_NONE, NULL);
    if (!write_step (self, context, "reset", apply_reset, error))
      return FALSE;
    self->written = FALSE;
  }
  return !self->profile->root_in_image || !is_after (self, RB_STEP_IMAGE)
         || rb_holdings_read_back_roots (self, context, error);
}

static gboolean
step_unlock (RbWork *self, const RbWorkContext *context, GError **error)
{
  if (!self->need_director_root && !self->need_image_root && !self->need_metadata && !self->need_image)
    return TRUE;
  if (!rb_entry_unlock (self, context, RB_ECU_SESSION_PROGRAMMING, error))
    return FALSE;
  rb_work_set_state (self, context, RB_ECU_WRITING, RB_REASON_NONE, NULL);
  return TRUE;
}

static gboolean
take_report (RbWork *self, const RbWorkContext *context, GError **error)
{
  const RbCampaign *campaign = rb_contents_campaign (context->contents);
  g_autoptr (GBytes) nonce = rb_campaign_ecu_nonce (campaign, context->vin, self->assignment->serial);
  g_clear_pointer (&self->report_challenge, g_bytes_unref);
  g_clear_pointer (&self->report, g_bytes_unref);
  self->report_challenge = rb_digest_random (16);
  self->report = rb_unit_report (self->unit, nonce, self->report_challenge, context->cancellable, error);
  if (self->report == NULL)
    return FALSE;
  self->report_deferred = self->profile->key_kind == RB_KEY_KIND_SHE;
  return rb_proof_report (self->report, self->report_deferred ? NULL : self->key_spki, context->vin,
                          self->assignment->serial, self->wanted->image_sha256, nonce, self->report_challenge, error);
}

/* New session, everything anew: what holds now is what the record says. */
static gboolean
step_report (RbWork *self, const RbWorkContext *context, GError **error)
{
  emit (self, context, (RbRecoveryEvent){ .kind = RB_EVENT_STEP, .text = "report" });
  if (!rb_work_observe (self, context, error))
    return FALSE;
  rb_work_set_state (self, context, RB_ECU_READING_BACK, RB_REASON_NONE, NULL);
  if (!self->now->application)
    return fail (self, error, RB_REASON_BOOTLOADER, "it stays in its bootloader");
  if (self->need_image)
    return fail (self, error, RB_REASON_IMAGE_NOT_PROVEN, "what is in its flash is not the campaign's image");
  if (self->need_director_root || self->need_image_root)
    return fail (self, error, RB_REASON_ROOT_NOT_PROVEN, "it does not hold the campaign's roots");
  if (self->need_metadata)
    return fail (self, error, RB_REASON_METADATA_NOT_PROVEN, "it does not hold the campaign's metadata");
  if (self->need_coding)
    return rb_coding_is_known (self, error)
           && fail (self, error, RB_REASON_CODING_NOT_PROVEN, "its coding is not what was written to it");
  if (self->need_key)
    return fail (self, error, RB_REASON_KEY_NOT_PROVEN, "it does not prove a key made in this campaign");
  return rb_entry_observe (self, context, take_report, error);
}

/* Observe, then apply what does not hold, in the order of the profile. A step that has nothing to do returns at once.
 */
static const struct {
  RbStep step;
  gboolean (*run) (RbWork *self, const RbWorkContext *context, GError **error);
} steps[] = {
  { RB_STEP_UNLOCK, step_unlock },     { RB_STEP_ROOTS, step_roots }, { RB_STEP_DROP, step_drop },
  { RB_STEP_METADATA, step_metadata }, { RB_STEP_IMAGE, step_image }, { RB_STEP_RESET, step_reset },
  { RB_STEP_CODING, step_coding },     { RB_STEP_KEY, step_key },     { RB_STEP_REPORT, step_report },
};

static gboolean
run_step (RbWork *self, const RbWorkContext *context, RbStep step, GError **error)
{
  self->stage = rb_profile_step_name (step);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    if (steps[i].step == step)
      return !g_cancellable_set_error_if_cancelled (context->cancellable, error)
             && context->safe_point (self, context->cancellable, context->safe_point_data, error)
             && steps[i].run (self, context, error);
  return fail (self, error, RB_REASON_UNSUPPORTED, "its profile has an unknown step");
}

static gboolean
attempt (RbWork *self, const RbWorkContext *context, GError **error)
{
  self->stage = LOOK;
  self->at = 0;
  self->held = ~0u;
  if (!rb_work_observe (self, context, error) || !rb_conditions_check (self, context, error))
    return FALSE;
  rb_doubt_begin (self);
  for (; self->at < self->profile->n_order; self->at++) {
    RbStep step = self->profile->order[self->at];
    if (!run_step (self, context, step, error))
      return FALSE;
    rb_doubt_settle (self, step);
  }
  return TRUE;
}

gboolean
rb_work_run (RbWork *self, const RbWorkContext *context, GError **error)
{
  if (self->started == 0)
    self->started = rb_moment_now ();
  for (;;) {
    g_autoptr (GError) failure = NULL;
    if (attempt (self, context, &failure))
      break;
    if (!rb_doubt_take (self, failure)) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  }
  self->finished = rb_moment_now ();
  rb_work_set_state (self, context, RB_ECU_DONE, RB_REASON_NONE, NULL);
  return TRUE;
}
