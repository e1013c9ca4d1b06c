/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/schedule.h"

#include "link/channel.h"

/* What the lanes did, in the order they did it. */
typedef struct {
  GMutex lock;
  GCond changed;
  GString *log; /* names of ECUs as they begin */
  guint inside, most; /* ECUs under way now, and at most */
  guint together; /* each waits until so many are under way; 0: none waits */
  const char *fails; /* this one fails ... */
  RbReason reason; /* ... for this */
  const char *cancelled; /* this one is cancelled */
} Played;

static RbEcuJob *
work_on (const char *name, const char *bus)
{
  RbModelEcu *ecu = g_new0 (RbModelEcu, 1);
  ecu->name = (char *) name;
  ecu->label = (char *) name;
  ecu->bus = (char *) bus;
  RbEcuJob *job = g_new0 (RbEcuJob, 1);
  job->model = ecu;
  return job;
}

static void
work_done (gpointer data)
{
  RbEcuJob *job = data;
  g_free ((gpointer) job->model);
  g_free (job);
}

static GPtrArray *
vehicle (const char *const *names_and_buses)
{
  GPtrArray *jobs = g_ptr_array_new_with_free_func (work_done);
  for (guint i = 0; names_and_buses[i] != NULL; i += 2)
    g_ptr_array_add (jobs, work_on (names_and_buses[i], names_and_buses[i + 1]));
  return jobs;
}

static void
wait_for_the_others (Played *played)
{
  gint64 end = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;
  while (played->most < played->together)
    if (!g_cond_wait_until (&played->changed, &played->lock, end))
      return;
}

static gboolean
play (RbEcuJob *job, gpointer user_data, GError **error)
{
  Played *played = user_data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&played->lock);
  g_string_append_printf (played->log, "%s ", job->model->name);
  played->inside++;
  played->most = MAX (played->most, played->inside);
  g_cond_broadcast (&played->changed);
  wait_for_the_others (played);
  played->inside--;
  if (g_strcmp0 (job->model->name, played->cancelled) == 0) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
    return FALSE;
  }
  if (g_strcmp0 (job->model->name, played->fails) != 0)
    return TRUE;
  g_set_error (error, RB_LINK_ERROR, (int) played->reason, "%s", job->model->name);
  return FALSE;
}

static void
played_begin (Played *played)
{
  g_mutex_init (&played->lock);
  g_cond_init (&played->changed);
  played->log = g_string_new (NULL);
}

static void
played_end (Played *played)
{
  g_string_free (played->log, TRUE);
  g_cond_clear (&played->changed);
  g_mutex_clear (&played->lock);
}

static void
test_one_bus (void)
{
  const char *const ecus[] = { "a", "drive", "b", "drive", "c", "drive", NULL };
  g_autoptr (GPtrArray) jobs = vehicle (ecus);
  g_autoptr (GError) error = NULL;
  Played played = { 0 };
  played_begin (&played);
  g_assert_true (rb_schedule_run (jobs, play, &played, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (played.log->str, ==, "a b c ");
  g_assert_cmpuint (played.most, ==, 1);
  played_end (&played);
}

/* Three buses: each first ECU waits until all three are under way, which only lanes side by side can do. */
static void
test_side_by_side (void)
{
  const char *const ecus[] = { "a", "drive", "b", "drive", "c", "body", "d", "backbone", "e", "body", NULL };
  g_autoptr (GPtrArray) jobs = vehicle (ecus);
  g_autoptr (GError) error = NULL;
  Played played = { .together = 3 };
  played_begin (&played);
  g_assert_true (rb_schedule_run (jobs, play, &played, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (played.most, ==, 3);
  g_assert_cmpuint (played.log->len, ==, 10);
  g_assert_true (strstr (played.log->str, "a ") < strstr (played.log->str, "b "));
  g_assert_true (strstr (played.log->str, "c ") < strstr (played.log->str, "e "));
  played_end (&played);
}

static void
test_nothing (void)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  Played played = { 0 };
  played_begin (&played);
  g_assert_true (rb_schedule_run (jobs, play, &played, &error));
  g_assert_cmpuint (played.log->len, ==, 0);
  played_end (&played);
}

static void
test_stops (void)
{
  const char *const ecus[] = { "a", "drive", "b", "drive", "c", "drive", NULL };
  g_autoptr (GPtrArray) jobs = vehicle (ecus);
  g_autoptr (GError) error = NULL;
  Played played = { .fails = "b", .reason = RB_REASON_LINK_LOST };
  played_begin (&played);
  g_assert_false (rb_schedule_run (jobs, play, &played, &error));
  g_assert_error (error, RB_LINK_ERROR, RB_REASON_LINK_LOST);
  g_assert_cmpstr (played.log->str, ==, "a b ");
  played_end (&played);
}

/* What a lane has under way when another fails comes to its own end, and no lane begins another. */
static void
test_others_end (void)
{
  const char *const ecus[] = { "a", "drive", "b", "drive", "c", "body", "d", "body", NULL };
  g_autoptr (GPtrArray) jobs = vehicle (ecus);
  g_autoptr (GError) error = NULL;
  Played played = { .together = 2, .fails = "a", .reason = RB_REASON_LINK_LOST, .cancelled = "c" };
  played_begin (&played);
  g_assert_false (rb_schedule_run (jobs, play, &played, &error));
  /* cancelled by a person wins over what broke at the same time */
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (strstr (played.log->str, "a ") != NULL && strstr (played.log->str, "c ") != NULL);
  played_end (&played);
}

static gboolean
play_without_error (RbEcuJob *job, gpointer user_data, GError **error)
{
  guint *begun = user_data;
  (*begun)++;
  return FALSE;
}

/* FALSE without error: no lane begins another ECU, and the caller decides. */
static void
test_stops_without_error (void)
{
  static const char *const ecus[] = { "one", "can", "two", "can", NULL };
  g_autoptr (GPtrArray) jobs = vehicle (ecus);
  g_autoptr (GError) error = NULL;
  guint begun = 0;
  g_assert_true (rb_schedule_run (jobs, play_without_error, &begun, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (begun, ==, 1);
}

static void
test_ranks (void)
{
  RbModelEcu primary = { .name = (char *) "primary", .primary = TRUE }, gateway = { .name = (char *) "gateway" },
             door = { .name = (char *) "door", .gateway = (char *) "gateway" };
  RbVehicleModel model = { .ecus = g_ptr_array_new () };
  g_ptr_array_add (model.ecus, &primary);
  g_ptr_array_add (model.ecus, &gateway);
  g_ptr_array_add (model.ecus, &door);
  g_assert_cmpint (rb_schedule_rank (&model, &door), ==, RB_SCHEDULE_SECONDARIES);
  g_assert_cmpint (rb_schedule_rank (&model, &gateway), ==, RB_SCHEDULE_GATEWAYS);
  g_assert_cmpint (rb_schedule_rank (&model, &primary), ==, RB_SCHEDULE_PRIMARY);
  door.gateway = (char *) "primary";
  g_assert_cmpint (rb_schedule_rank (&model, &primary), ==, RB_SCHEDULE_PRIMARY);
  g_assert_cmpint (rb_schedule_rank (&model, &gateway), ==, RB_SCHEDULE_SECONDARIES);
  g_ptr_array_unref (model.ecus);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/recovery/schedule/one-bus", test_one_bus);
  g_test_add_func ("/recovery/schedule/side-by-side", test_side_by_side);
  g_test_add_func ("/recovery/schedule/nothing", test_nothing);
  g_test_add_func ("/recovery/schedule/stops", test_stops);
  g_test_add_func ("/recovery/schedule/others-end", test_others_end);
  g_test_add_func ("/recovery/schedule/stops-without-error", test_stops_without_error);
  g_test_add_func ("/recovery/schedule/ranks", test_ranks);
  return g_test_run ();
}
