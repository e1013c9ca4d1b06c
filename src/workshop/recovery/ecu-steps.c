/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/ecu-steps.h"

#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "recovery/coding.h"
#include "recovery/conditions.h"
#include "recovery/doubt.h"
#include "recovery/entry.h"
#include "recovery/holdings.h"
#include "recovery/observe.h"
#include "recovery/proof.h"
#include "vehicle/ecu-session.h"
#include "vehicle/ecu-keys.h"

/* ISO 14229-1: uploadDownloadNotAccepted, requestSequenceError */
enum { NRC_SEQUENCE = 0x24, NRC_NOT_ACCEPTED = 0x70 };

/* Once for each person: after a shift change the record still says who did what before. */
static gboolean
note_performer (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
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
write_step (RbEcuJob *self, const RbEcuJobContext *context, const char *step, RbEntryApply apply, GError **error)
{
  g_autofree char *detail = NULL;
  g_autoptr (GError) failure = NULL;
  self->wants_network = context->needs_network;
  if (context->needs_network)
    return rb_ecu_job_error (self, error, RB_REASON_NOT_STARTED,
                             "the network of the vehicle is not prepared for writing");
  rb_ecu_job_emit (self, context, (RbRecoveryEvent){ .kind = RB_EVENT_STEP, .text = step });
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
is_after (const RbEcuJob *self, RbStep step)
{
  for (guint i = 0; i < self->at; i++)
    if (self->profile->order[i] == step)
      return TRUE;
  return FALSE;
}

/* The reset that starts a new image ends the session in which it was written. */
static gboolean
unlock_after_image (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  if (!is_after (self, RB_STEP_IMAGE) || rb_ecu_client_is_unlocked (self->unit, self->session))
    return TRUE;
  if (!rb_entry_unlock (self, context, RB_ECU_SESSION_EXTENDED, error))
    return FALSE;
  rb_ecu_job_set_state (self, context, RB_ECU_WRITING, RB_REASON_NONE, NULL);
  return TRUE;
}

static gboolean
step_roots (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  if (self->need_director_root && !write_step (self, context, "director-root", rb_holdings_apply_director_root, error))
    return FALSE;
  if (self->need_image_root && !write_step (self, context, "image-root", rb_holdings_apply_image_root, error))
    return FALSE;
  return TRUE;
}

static gboolean
step_drop (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  gboolean higher = FALSE;
  if (!self->need_metadata)
    return TRUE;
  if (!rb_observe_claims (self, context, error) || !rb_holdings_are_higher (self, context, &higher, error))
    return FALSE;
  return !higher
         || (unlock_after_image (self, context, error)
             && write_step (self, context, "drop", rb_holdings_apply_drop, error));
}

static gboolean
step_metadata (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  return !self->need_metadata
         || (unlock_after_image (self, context, error)
             && write_step (self, context, "metadata", rb_holdings_apply_metadata, error));
}

typedef struct {
  RbEcuJob *self;
  const RbEcuJobContext *context;
} Progress;

static void
on_progress (guint64 done, guint64 total, gpointer user_data)
{
  const Progress *progress = user_data;
  rb_journal_progress (progress->context->journal, progress->self->row, done, total);
  rb_ecu_job_emit (progress->self, progress->context,
                   (RbRecoveryEvent){ .kind = RB_EVENT_PROGRESS, .done = done, .total = total });
}

static gboolean
write_fingerprint (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  if (self->profile->did_fingerprint == 0 || context->fingerprint == NULL)
    return TRUE;
  g_clear_pointer (&self->fingerprint, g_bytes_unref);
  if (!rb_ecu_client_write_did (self->unit, self->profile->did_fingerprint, context->fingerprint, context->cancellable,
                                error))
    return FALSE;
  self->fingerprint = g_bytes_ref (context->fingerprint);
  return TRUE;
}

static gboolean
apply_image (RbEcuJob *self, const RbEcuJobContext *context, char **detail, GError **error)
{
  Progress progress = { self, context };
  g_autoptr (GBytes) image = rb_contents_image (context->contents, self->wanted->image_sha256, error);
  *detail = g_strdup (self->wanted->image_sha256);
  return image != NULL && write_fingerprint (self, context, error)
         && rb_ecu_client_write_image (self->unit, image, on_progress, &progress, context->cancellable, error);
}

static gboolean
apply_reset (RbEcuJob *self, const RbEcuJobContext *context, char **detail, GError **error)
{
  return rb_ecu_client_reset (self->unit, context->cancellable, error);
}

/* A bootloader may hold on to a download that was interrupted, and reject every other one until it is reset. */
static gboolean
holds_old_download (RbEcuJob *self, const GError *failure)
{
  guint8 nrc = rb_ecu_client_last_nrc (self->unit);
  gboolean rejected = rb_reason_of (failure) == RB_REASON_REFUSED && (nrc == NRC_NOT_ACCEPTED || nrc == NRC_SEQUENCE);
  return rejected && !self->reset_for_download;
}

static gboolean
step_image (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
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
observe_coding_again (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  return rb_observe_claims (self, context, error) && rb_coding_observe (self, context, error);
}

/* After an erasure; or where the campaign wants another value than the ECU has. The bootloader, by which it was seen
 * last, tells none. */
static gboolean
step_coding (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  if ((self->need_image || !self->now->application) && !rb_entry_observe (self, context, observe_coding_again, error))
    return FALSE;
  if (!self->need_coding || !self->now->application) /* reading back tells of one that stays in its bootloader */
    return TRUE;
  if (!rb_coding_is_known (self, error) || !rb_entry_unlock (self, context, RB_ECU_SESSION_EXTENDED, error))
    return FALSE;
  rb_ecu_job_set_state (self, context, RB_ECU_WRITING, RB_REASON_NONE, NULL);
  return write_step (self, context, "coding", rb_coding_apply, error);
}

static gboolean
apply_asymmetric_key (RbEcuJob *self, const RbEcuJobContext *context, char **detail, GError **error)
{
  g_autoptr (GBytes) spki = rb_ecu_keys_make (self->unit, context->cancellable, error);
  g_autoptr (RbPublicKey) key = spki == NULL ? NULL : rb_key_public_from_spki (spki, error);
  *detail = key == NULL ? NULL : g_strdup (rb_key_public_id (key));
  return key != NULL;
}

static gboolean
apply_she_key (RbEcuJob *self, const RbEcuJobContext *context, char **detail, GError **error)
{
  const json_t *update = rb_ecu_job_she_update (self, context);
  g_autoptr (GBytes) request = update == NULL ? NULL : rb_proof_she_request (update);
  if (request == NULL)
    return rb_ecu_job_error (self, error, RB_REASON_HARDWARE_NEEDED, "the campaign has no key update for it");
  g_autoptr (GBytes) answer = rb_ecu_keys_load_she (self->unit, request, context->cancellable, error);
  if (answer == NULL)
    return FALSE;
  *detail = g_strdup_printf ("she:%d:%d", (int) rb_json_integer_or (update, "slot", 0),
                             (int) rb_json_integer_or (update, "counter", 0));
  return rb_proof_she_answer (update, answer)
         || rb_ecu_job_error (self, error, RB_REASON_KEY_NOT_PROVEN, "its answer M4, M5 is not the expected one");
}

static gboolean
step_key (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  if (!self->need_key)
    return TRUE;
  if (!rb_entry_unlock (self, context, RB_ECU_SESSION_EXTENDED, error))
    return FALSE;
  rb_ecu_job_set_state (self, context, RB_ECU_WRITING, RB_REASON_NONE, NULL);
  return write_step (self, context, "key",
                     self->profile->key_kind == RB_KEY_KIND_SHE ? apply_she_key : apply_asymmetric_key, error);
}

/* Nothing is verified by the root of a new image before the ECU says which one it holds. */
static gboolean
step_reset (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  if (self->written) {
    rb_ecu_job_set_state (self, context, RB_ECU_RESETTING, RB_REASON_NONE, NULL);
    if (!write_step (self, context, "reset", apply_reset, error))
      return FALSE;
    self->written = FALSE;
  }
  return !self->profile->root_in_image || !is_after (self, RB_STEP_IMAGE)
         || rb_holdings_read_back_roots (self, context, error);
}

static gboolean
step_unlock (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  if (!self->need_director_root && !self->need_image_root && !self->need_metadata && !self->need_image)
    return TRUE;
  if (!rb_entry_unlock (self, context, RB_ECU_SESSION_PROGRAMMING, error))
    return FALSE;
  rb_ecu_job_set_state (self, context, RB_ECU_WRITING, RB_REASON_NONE, NULL);
  return TRUE;
}

static gboolean
take_report (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  const RbCampaign *campaign = rb_contents_campaign (context->contents);
  g_autoptr (GBytes) nonce = rb_campaign_ecu_nonce (campaign, context->vin, self->assignment->serial);
  g_clear_pointer (&self->report_challenge, g_bytes_unref);
  g_clear_pointer (&self->report, g_bytes_unref);
  self->report_challenge = rb_digest_random (16);
  self->report = rb_ecu_keys_report (self->unit, nonce, self->report_challenge, context->cancellable, error);
  if (self->report == NULL)
    return FALSE;
  self->report_deferred = self->profile->key_kind == RB_KEY_KIND_SHE;
  return rb_proof_report (self->report, self->report_deferred ? NULL : self->key_spki, context->vin,
                          self->assignment->serial, self->wanted->image_sha256, nonce, self->report_challenge, error);
}

/* New session, everything anew: what holds now is what the record says. */
static gboolean
step_report (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  rb_ecu_job_emit (self, context, (RbRecoveryEvent){ .kind = RB_EVENT_STEP, .text = "report" });
  if (!rb_observe_ecu (self, context, error))
    return FALSE;
  rb_ecu_job_set_state (self, context, RB_ECU_READING_BACK, RB_REASON_NONE, NULL);
  if (!self->now->application)
    return rb_ecu_job_error (self, error, RB_REASON_BOOTLOADER, "it stays in its bootloader");
  if (self->need_image)
    return rb_ecu_job_error (self, error, RB_REASON_IMAGE_NOT_PROVEN,
                             "what is in its flash is not the campaign's image");
  if (self->need_director_root || self->need_image_root)
    return rb_ecu_job_error (self, error, RB_REASON_ROOT_NOT_PROVEN, "it does not hold the campaign's roots");
  if (self->need_metadata)
    return rb_ecu_job_error (self, error, RB_REASON_METADATA_NOT_PROVEN, "it does not hold the campaign's metadata");
  if (self->need_coding)
    return rb_coding_is_known (self, error)
           && rb_ecu_job_error (self, error, RB_REASON_CODING_NOT_PROVEN, "its coding is not what was written to it");
  if (self->need_key)
    return rb_ecu_job_error (self, error, RB_REASON_KEY_NOT_PROVEN, "it does not prove a key made in this campaign");
  return rb_entry_observe (self, context, take_report, error);
}

/* Observe, then apply what does not hold, in the order of the profile. A step that has nothing to do returns at once.
 */
static const struct {
  RbStep step;
  gboolean (*run) (RbEcuJob *self, const RbEcuJobContext *context, GError **error);
} steps[] = {
  { RB_STEP_UNLOCK, step_unlock },     { RB_STEP_ROOTS, step_roots }, { RB_STEP_DROP, step_drop },
  { RB_STEP_METADATA, step_metadata }, { RB_STEP_IMAGE, step_image }, { RB_STEP_RESET, step_reset },
  { RB_STEP_CODING, step_coding },     { RB_STEP_KEY, step_key },     { RB_STEP_REPORT, step_report },
};

static gboolean
run_step (RbEcuJob *self, const RbEcuJobContext *context, RbStep step, GError **error)
{
  self->stage = rb_profile_step_name (step);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    if (steps[i].step == step)
      return !g_cancellable_set_error_if_cancelled (context->cancellable, error)
             && context->safe_point (self, context->cancellable, context->safe_point_data, error)
             && steps[i].run (self, context, error);
  return rb_ecu_job_error (self, error, RB_REASON_UNSUPPORTED, "its profile has an unknown step");
}

static gboolean
attempt (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
{
  self->stage = RB_ECU_JOB_LOOK;
  self->at = 0;
  self->held = ~0u;
  if (!rb_observe_ecu (self, context, error) || !rb_conditions_check (self, context, error))
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
rb_ecu_steps_run (RbEcuJob *self, const RbEcuJobContext *context, GError **error)
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
  rb_ecu_job_set_state (self, context, RB_ECU_DONE, RB_REASON_NONE, NULL);
  return TRUE;
}
