/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/record-verdict.h"

#include "core/moment.h"
#include "record/verify.h"

#define GROUP 32
#define RETRY_US (G_USEC_PER_SEC)

struct _RbRecordVerdict {
  RbLedger *ledger;
  GMutex *lock; /* borrowed */
  GPtrArray *dealer_cas, *bundles; /* borrowed */
  GMutex state;
  GCond changed;
  gboolean woken, ending; /* under state */
  GThread *thread;
};

static void
verify (RbRecordVerdict *self, RbLedgerDue *due)
{
  const RbVerifyRequest request
    = { .anchors = self->dealer_cas, .bundles = self->bundles, .received = due->received, .other_campaigns = TRUE };
  g_autoptr (RbVerifyOutcome) outcome = rb_verify_record (due->envelope, &request);
  due->reason = g_strdup (rb_reason_word (outcome->reason));
}

static gboolean
is_ending (RbRecordVerdict *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->state);
  return self->ending;
}

/* FALSE with error where the database fails; *more: records may be left. */
static gboolean
verify_group (RbRecordVerdict *self, gboolean *more, GError **error)
{
  g_autoptr (GPtrArray) due = rb_ledger_due (self->ledger, GROUP, error);
  if (due == NULL)
    return FALSE;
  *more = due->len > 0;
  for (guint i = 0; i < due->len && !is_ending (self); i++)
    verify (self, due->pdata[i]);
  while (due->len > 0 && ((RbLedgerDue *) due->pdata[due->len - 1])->reason == NULL)
    g_ptr_array_set_size (due, (int) due->len - 1);
  if (due->len == 0)
    return TRUE;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (self->lock);
  return rb_ledger_add_verdicts (self->ledger, due, rb_moment_now (), error);
}

/* Until records are logged; after a failure only for a while. FALSE at the end. */
static gboolean
wait_for_work (RbRecordVerdict *self, gboolean failed)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->state);
  gint64 until = g_get_monotonic_time () + RETRY_US;
  while (!self->woken && !self->ending) {
    if (!failed)
      g_cond_wait (&self->changed, &self->state);
    else if (!g_cond_wait_until (&self->changed, &self->state, until))
      break;
  }
  self->woken = FALSE;
  return !self->ending;
}

static gpointer
run (gpointer data)
{
  RbRecordVerdict *self = data;
  gboolean failed = FALSE;
  do {
    gboolean more = TRUE;
    while (more && !is_ending (self)) {
      g_autoptr (GError) error = NULL;
      failed = !verify_group (self, &more, &error);
      if (failed)
        g_warning ("no verdicts: %s", error->message);
      more = more && !failed;
    }
  } while (wait_for_work (self, failed));
  return NULL;
}

RbRecordVerdict *
rb_record_verdict_new (RbLedger *ledger, GMutex *lock, GPtrArray *dealer_cas, GPtrArray *bundles)
{
  RbRecordVerdict *self = g_new0 (RbRecordVerdict, 1);
  self->ledger = ledger;
  self->lock = lock;
  self->dealer_cas = dealer_cas;
  self->bundles = bundles;
  g_mutex_init (&self->state);
  g_cond_init (&self->changed);
  self->thread = g_thread_new ("verdict", run, self);
  return self;
}

void
rb_record_verdict_wake (RbRecordVerdict *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->state);
  self->woken = TRUE;
  g_cond_signal (&self->changed);
}

void
rb_record_verdict_free (RbRecordVerdict *self)
{
  g_mutex_lock (&self->state);
  self->ending = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->state);
  g_thread_join (self->thread);
  rb_ledger_close (self->ledger);
  g_mutex_clear (&self->state);
  g_cond_clear (&self->changed);
  g_free (self);
}
