/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/doubt.h"

#define BIT(step) (1u << (step))

void
rb_doubt_begin (RbEcuJob *job)
{
  const struct {
    RbStep step;
    gboolean needed;
  } plan[] = { { RB_STEP_ROOTS, job->need_director_root || job->need_image_root },
               { RB_STEP_METADATA, job->need_metadata },
               { RB_STEP_IMAGE, job->need_image },
               { RB_STEP_KEY, job->need_key } };
  job->held = 0;
  for (guint i = 0; i < G_N_ELEMENTS (plan); i++)
    job->held |= plan[i].needed ? 0 : BIT (plan[i].step);
}

gboolean
rb_doubt_of (const RbEcuJob *job, RbStep step)
{
  return (job->doubt & BIT (step)) != 0;
}

void
rb_doubt_settle (RbEcuJob *job, RbStep step)
{
  job->doubt &= ~BIT (step);
}

/* A counter of a SHE key is used up by its load: what holds by its M4 and M5 is not loaded again. */
static gboolean
may_be_made_again (const RbEcuJob *job, RbStep step)
{
  gboolean key = job->wanted->new_key && job->profile->key_kind == RB_KEY_KIND_ASYMMETRIC;
  return (job->doubted & BIT (step)) == 0 && (step != RB_STEP_KEY || key);
}

/* Metadata that expired meanwhile are rejected rightly: only a fresh VIN pack helps. */
static gboolean
is_rejection (const GError *failure)
{
  RbReason reason = rb_reason_of (failure);
  gboolean of_metadata
    = failure->domain == RB_VEHICLE_ERROR && reason >= RB_REASON_BAD_KEY_ID && reason <= RB_REASON_PIN_MISMATCH;
  return reason == RB_REASON_REFUSED || reason == RB_REASON_REPORT_NOT_PROVEN
         || (of_metadata && reason != RB_REASON_EXPIRED);
}

static gboolean
depends_on_others (RbStep step)
{
  return step == RB_STEP_DROP || step == RB_STEP_METADATA || step == RB_STEP_IMAGE || step == RB_STEP_KEY
         || step == RB_STEP_REPORT;
}

static gboolean
take (RbEcuJob *job, RbStep step, const GError *failure)
{
  job->doubt |= BIT (step);
  job->doubted |= BIT (step);
  g_debug ("%s; %s is made again", failure->message, rb_profile_step_name (step));
  return TRUE;
}

gboolean
rb_doubt_take (RbEcuJob *job, const GError *failure)
{
  /* the key that was made need not be the one that a late response named */
  if (rb_reason_of (failure) == RB_REASON_KEY_NOT_PROVEN)
    return may_be_made_again (job, RB_STEP_KEY) && take (job, RB_STEP_KEY, failure);
  if (!is_rejection (failure))
    return FALSE;
  if (job->observing != 0)
    return (job->held & BIT (job->observing)) != 0 && may_be_made_again (job, (RbStep) job->observing)
           && take (job, (RbStep) job->observing, failure);
  guint at = job->at < job->profile->n_order && depends_on_others (job->profile->order[job->at]) ? job->at : 0;
  for (guint i = at; i > 0; i--) {
    RbStep step = job->profile->order[i - 1];
    if ((job->held & BIT (step)) != 0 && may_be_made_again (job, step))
      return take (job, step, failure);
  }
  return FALSE;
}
