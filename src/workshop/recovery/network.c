/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/network.h"

#include "vehicle/ecu-session.h"
#include "vehicle/group.h"

#define S3_MS 5000
#define RESPONSE_MS 250 /* P2 and a slow gateway; a later response is dropped by the next request */
#define POLL_MS 50

enum { NORMAL_MESSAGES = 0x01, ENABLE_RX_DISABLE_TX = 0x01, DISABLE_RX_TX = 0x03 };

struct _RbNetwork {
  RbGroup *group;
  GPtrArray *jobs; /* borrowed */
  gint64 s3_ms; /* shortest of the ECUs in work */
  guint8 control; /* of 0x28 */
  GMutex lock; /* of group and ended */
  GCond changed;
  gboolean ended;
  GThread *heartbeat; /* NULL: not prepared */
};

static GPtrArray *
buses_of (GPtrArray *jobs)
{
  GPtrArray *buses = g_ptr_array_new ();
  for (guint i = 0; i < jobs->len; i++)
    g_ptr_array_add (buses, ((RbEcuJob *) jobs->pdata[i])->model->bus);
  return buses;
}

/* All ECUs hear the same request: the one that asks for less decides. */
static void
read_profiles (RbNetwork *self)
{
  self->control = DISABLE_RX_TX;
  self->s3_ms = S3_MS;
  for (guint i = 0; i < self->jobs->len; i++) {
    const RbProfile *profile = ((RbEcuJob *) self->jobs->pdata[i])->profile;
    if (!profile->disable_rx)
      self->control = ENABLE_RX_DISABLE_TX;
    self->s3_ms = MIN (self->s3_ms, profile->s3_ms);
  }
}

RbNetwork *
rb_network_new (RbLink *link, const RbVehicleModel *model, GPtrArray *jobs, GError **error)
{
  g_autoptr (GPtrArray) buses = buses_of (jobs);
  RbGroup *group = rb_group_new (link, model, buses, error);
  if (group == NULL)
    return NULL;
  RbNetwork *self = g_new0 (RbNetwork, 1);
  self->group = group;
  self->jobs = jobs;
  read_profiles (self);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  return self;
}

static void
end_heartbeat (RbNetwork *self)
{
  g_mutex_lock (&self->lock);
  self->ended = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
  if (self->heartbeat != NULL)
    g_thread_join (g_steal_pointer (&self->heartbeat));
}

void
rb_network_free (RbNetwork *self)
{
  end_heartbeat (self);
  rb_group_free (self->group);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}

static gboolean
any_is_pending (const RbNetwork *self)
{
  for (guint i = 0; i < self->jobs->len; i++) {
    const RbEcuJob *job = self->jobs->pdata[i];
    if (job->unit != NULL && rb_ecu_client_is_pending (job->unit))
      return TRUE;
  }
  return FALSE;
}

/* Under lock. FALSE: it ended. An ECU that asked for more time is left in peace, as long as S3 of the others allows it.
 */
static gboolean
wait_until_due (RbNetwork *self)
{
  gint64 now = g_get_monotonic_time ();
  gint64 due = now + self->s3_ms * 2 / 5 * 1000, latest = now + self->s3_ms * 7 / 10 * 1000;
  while (!self->ended) {
    if (!g_cond_wait_until (&self->changed, &self->lock, due)
        && (!any_is_pending (self) || g_get_monotonic_time () >= latest))
      return !self->ended;
    due = MAX (due, g_get_monotonic_time () + POLL_MS * 1000);
  }
  return FALSE;
}

static gpointer
beat (gpointer data)
{
  static const guint8 tester_present[] = { 0x3e, 0x80 };
  RbNetwork *self = data;
  g_mutex_lock (&self->lock);
  while (wait_until_due (self)) {
    g_autoptr (GError) error = NULL;
    if (!rb_group_send (self->group, tester_present, sizeof tester_present, NULL, &error))
      g_debug ("%s", error->message); /* the lanes hear of a lost link by themselves */
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

/* ECUs that are asked functionally keep silent about what they do not support; who responds has done it, or says why
 * not. */
static gboolean
ask (RbNetwork *self, const guint8 *request, gsize length, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < self->jobs->len; i++) {
    const RbEcuJob *job = self->jobs->pdata[i];
    if (job->unit != NULL)
      rb_ecu_client_begin_group (job->unit);
  }
  g_mutex_lock (&self->lock);
  gboolean sent = rb_group_send (self->group, request, length, cancellable, error);
  g_mutex_unlock (&self->lock);
  gint64 end = g_get_monotonic_time () / 1000 + RESPONSE_MS;
  for (guint i = 0; i < self->jobs->len && sent; i++) {
    const RbEcuJob *job = self->jobs->pdata[i];
    if (job->unit != NULL)
      rb_ecu_client_end_group (job->unit, request[0], end, cancellable);
  }
  return sent;
}

gboolean
rb_network_prepare (RbNetwork *self, GCancellable *cancellable, GError **error)
{
  const guint8 extended[] = { 0x10, 0x03 }, dtcs_off[] = { 0x85, 0x02 },
               silent[] = { 0x28, self->control, NORMAL_MESSAGES };
  if (!ask (self, extended, sizeof extended, cancellable, error)
      || !ask (self, dtcs_off, sizeof dtcs_off, cancellable, error)
      || !ask (self, silent, sizeof silent, cancellable, error))
    return FALSE;
  self->ended = FALSE;
  self->heartbeat = g_thread_new ("tester-present", beat, self);
  return TRUE;
}

void
rb_network_join (RbNetwork *self, RbEcuJob *job, GCancellable *cancellable)
{
  const guint8 dtcs_off[] = { 0x85, 0x02 }, silent[] = { 0x28, self->control, NORMAL_MESSAGES };
  g_autoptr (GError) error = NULL;
  if (job->unit == NULL)
    return;
  if (!rb_ecu_client_session (job->unit, RB_ECU_SESSION_EXTENDED, cancellable, &error)
      || !rb_ecu_client_tell (job->unit, dtcs_off, sizeof dtcs_off, cancellable, &error)
      || !rb_ecu_client_tell (job->unit, silent, sizeof silent, cancellable, &error))
    g_debug ("%s", error->message);
}

gboolean
rb_network_restore (RbNetwork *self, gboolean clear_dtcs, GError **error)
{
  static const guint8 talking[] = { 0x28, 0x00, NORMAL_MESSAGES }, dtcs_on[] = { 0x85, 0x01 };
  static const guint8 clear[] = { 0x14, 0xff, 0xff, 0xff }, usual[] = { 0x10, 0x01 };
  end_heartbeat (self);
  return ask (self, talking, sizeof talking, NULL, error) && ask (self, dtcs_on, sizeof dtcs_on, NULL, error)
         && (!clear_dtcs
             || (ask (self, clear, sizeof clear, NULL, error) && ask (self, usual, sizeof usual, NULL, error)));
}
