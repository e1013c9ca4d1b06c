/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/doubt.h"

#define BIT(step) (1u << (step))

void
rb_doubt_begin (RbWork *work)
{
  const struct {
    RbStep step;
    gboolean needed;
  } plan[] = { { RB_STEP_ROOTS, work->need_director_root || work->need_image_root },
               { RB_STEP_METADATA, work->need_metadata },
               { RB_STEP_IMAGE, work->need_image },
               { RB_STEP_KEY, work->need_key } };
  work->held = 0;
  for (guint i = 0; i < G_N_ELEMENTS (plan); i++)
    work->held |= plan[i].needed ? 0 : BIT (plan[i].step);
}

gboolean
rb_doubt_of (const RbWork *work, RbStep step)
{
  return (work->doubt & BIT (step)) != 0;
}

void
rb_doubt_settle (RbWork *work, RbStep step)
{
  work->doubt &= ~BIT (step);
}

/* A counter of a SHE key is used up by its load: what holds by its M4 and M5 is not loaded again. */
static gboolean
may_be_made_again (const RbWork *work, RbStep step)
{
  gboolean key = work->wanted->new_key && work->profile->key_kind == RB_KEY_KIND_ASYMMETRIC;
  return (work->doubted & BIT (step)) == 0 && (step != RB_STEP_KEY || key);
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
take (RbWork *work, RbStep step, const GError *failure)
{
  work->doubt |= BIT (step);
  work->doubted |= BIT (step);
  g_debug ("%s; %s is made again", failure->message, rb_profile_step_name (step));
  return TRUE;
}

gboolean
rb_doubt_take (RbWork *work, const GError *failure)
{
  /* the key that was made need not be the one that a late response named */
  if (rb_reason_of (failure) == RB_REASON_KEY_NOT_PROVEN)
    return may_be_made_again (work, RB_STEP_KEY) && take (work, RB_STEP_KEY, failure);
  if (!is_rejection (failure))
    return FALSE;
  if (work->observing != 0)
    return (work->held & BIT (work->observing)) != 0 && may_be_made_again (work, (RbStep) work->observing)
           && take (work, (RbStep) work->observing, failure);
  guint at = work->at < work->profile->n_order && depends_on_others (work->profile->order[work->at]) ? work->at : 0;
  for (guint i = at; i > 0; i--) {
    RbStep step = work->profile->order[i - 1];
    if ((work->held & BIT (step)) != 0 && may_be_made_again (work, step))
      return take (work, step, failure);
  }
  return FALSE;
}
