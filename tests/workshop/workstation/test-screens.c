/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/ecu-row.h"
#include "pages/words.h"
#include "session/workplace.h"
#include "workstation/application.h"
#include "workstation/flow.h"
#include "workstation/error-view.h"
#include "workstation/window.h"

#include <glib/gstdio.h>
#include <string.h>

static gboolean
is_named (GtkWidget *widget)
{
  const char *label = gtk_button_get_label (GTK_BUTTON (widget));
  if (label != NULL && *label != '\0')
    return TRUE;
  return gtk_test_accessible_has_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL)
         || gtk_widget_get_tooltip_text (widget) != NULL;
}

/* Buttons below the widget; each has to have a name. */
static guint
check_buttons (GtkWidget *widget, const char *where)
{
  guint n = 0;
  if (GTK_IS_BUTTON (widget)) {
    n++;
    if (!is_named (widget))
      g_error ("%s: a %s without a name", where, G_OBJECT_TYPE_NAME (widget));
  }
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    n += check_buttons (child, where);
  return n;
}

static void
test_every_screen (void)
{
  for (guint i = 0; i < rb_flow_n_steps (); i++) {
    const RbFlowStep *step = rb_flow_step (i);
    GtkWidget *page = g_object_ref_sink (g_object_new (step->type (), NULL));
    g_assert_nonnull (gtk_widget_get_first_child (page));
    g_assert_cmpuint (strlen (step->title), >, 0);
    g_assert_cmpuint (strlen (step->lead), >, 0);
    g_assert_cmpuint (strlen (step->primary), >, 0);
    check_buttons (page, step->name);
    g_object_unref (page);
  }
}

static GtkWidget *
find_label (GtkWidget *widget, const char *text)
{
  if (GTK_IS_LABEL (widget) && strcmp (gtk_label_get_text (GTK_LABEL (widget)), text) == 0)
    return widget;
  GtkWidget *found = NULL;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL && found == NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find_label (child, text);
  return found;
}

static void
test_window (void)
{
  RbSessionInput input = { .data_dir = "/nonexistent", .odometer_km = -1 };
  g_autoptr (RbSession) session = rb_session_new (&input);
  RbWindow *window = rb_window_new (NULL, session);
  g_assert_cmpuint (check_buttons (GTK_WIDGET (window), "window"), >, 5);
  g_assert_nonnull (find_label (GTK_WIDGET (window), "Step 1 of 9"));
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
test_trouble_says_all (void)
{
  g_autoptr (GError) error
    = g_error_new_literal (RB_RECOVERY_ERROR, RB_REASON_INSPECTION_FAILED, "<b>Brake</b> & more");
  RbErrorView *trouble = g_object_ref_sink (g_object_new (RB_TYPE_ERROR_VIEW, NULL));
  rb_error_view_show (trouble, error);
  g_assert_true (gtk_widget_get_visible (GTK_WIDGET (trouble)));
  g_assert_nonnull (find_label (GTK_WIDGET (trouble), "<b>Brake</b> & more"));
  g_assert_nonnull (find_label (GTK_WIDGET (trouble), "inspection-failed"));
  rb_error_view_show (trouble, NULL);
  g_assert_false (gtk_widget_get_visible (GTK_WIDGET (trouble)));
  g_object_unref (trouble);
}

static void
test_unit_in_words (void)
{
  RbSessionEcu unit = { .serial = "SN-1",
                        .name = "Brake <1> & 2",
                        .software = "1.0",
                        .target = "brake.bin",
                        .image_differs = TRUE,
                        .director_root_found = 1,
                        .director_root_wanted = 2,
                        .new_key = TRUE,
                        .abort_recoverable = FALSE,
                        .state = RB_ECU_WRITING,
                        .done = 1,
                        .total = 4 };
  g_autofree char *plan = rb_ecu_text_plan (&unit);
  g_assert_nonnull (strstr (plan, "1.0 → brake.bin"));
  g_assert_nonnull (strstr (plan, "Director root: version 1 → 2"));
  g_assert_null (strstr (plan, "Image root"));
  g_assert_nonnull (strstr (plan, "Not recoverable"));
  g_assert_cmpint (rb_ecu_text_state (&unit), ==, RB_ROW_BUSY);
  RbEcuRow *row = g_object_ref_sink (rb_ecu_row_new ());
  rb_ecu_row_show (row, &unit);
  g_assert_nonnull (find_label (GTK_WIDGET (row), "Brake <1> & 2"));
  g_assert_nonnull (find_label (GTK_WIDGET (row), "image, 25 %"));
  unit.state = RB_ECU_PARKED;
  unit.reason = RB_REASON_LINK_LOST;
  g_autofree char *result = rb_ecu_text_result (&unit);
  g_assert_nonnull (strstr (result, "Not verified"));
  g_assert_nonnull (strstr (result, "link-lost"));
  g_assert_cmpint (rb_ecu_text_state (&unit), ==, RB_ROW_BAD);
  unit.dtcs = (char *) "";
  g_autofree char *no_dtcs = rb_ecu_text_result (&unit);
  g_assert_cmpstr (no_dtcs, ==, result);
  unit.dtcs = (char *) "DTCs before: C10000; after: none";
  g_autofree char *dtcs = rb_ecu_text_result (&unit);
  g_assert_true (g_str_has_suffix (dtcs, "\nDTCs before: C10000; after: none"));
  g_object_unref (row);
}

/* Without a catalogue a word is itself, also one that is unknown here. */
static void
test_words (void)
{
  for (RbEcuState state = RB_ECU_WAITING; state <= RB_ECU_UNKNOWN; state++)
    g_assert_cmpstr (rb_words_state (state), ==, rb_event_state_word (state));
  g_assert_cmpstr (rb_words_step ("metadata"), ==, "metadata");
  g_assert_cmpstr (rb_words_step ("of a later profile"), ==, "of a later profile");
  g_assert_cmpstr (rb_words_result ("completed"), ==, "completed");
  g_assert_cmpstr (rb_words_result (NULL), ==, "");
  g_assert_cmpstr (rb_words_link_state ("in-use"), ==, "in use by another program");
  g_assert_cmpstr (rb_words_link_state ("of a later search"), ==, "of a later search");
}

static void
wait_for_read (RbWorkplace *workplace)
{
  gulong handler = g_signal_connect_swapped (workplace, "changed", G_CALLBACK (g_main_context_wakeup), NULL);
  rb_workplace_read (workplace);
  while (!rb_workplace_is_read (workplace))
    g_main_context_iteration (NULL, TRUE);
  g_signal_handler_disconnect (workplace, handler);
}

/* A data directory that is new has nothing, no journal is made in it, and the link used last is kept where it is a URI.
 */
static void
test_workplace (void)
{
  g_autofree char *folder = g_dir_make_tmp ("screens-XXXXXX", NULL);
  g_autofree char *database = g_build_filename (folder, "recallbay.db", NULL);
  g_autofree char *kept = g_build_filename (folder, "last-link", NULL);
  const char *const uris[][2] = { { "doip://192.0.2.1", "doip://192.0.2.1" }, { "nonsense", "" } };
  for (guint i = 0; i < G_N_ELEMENTS (uris); i++) {
    g_autoptr (RbWorkplace) workplace = rb_workplace_new (folder);
    rb_workplace_keep_link (folder, uris[i][0]);
    wait_for_read (workplace);
    g_assert_no_error (rb_workplace_error (workplace));
    g_assert_cmpuint (rb_workplace_n_anchors (workplace), ==, 0);
    g_assert_cmpuint (rb_workplace_n_campaigns (workplace), ==, 0);
    g_assert_cmpuint (rb_workplace_open (workplace)->len, ==, 0);
    g_assert_cmpstr (rb_workplace_last_link (workplace), ==, uris[i][1]);
  }
  g_assert_false (g_file_test (database, G_FILE_TEST_EXISTS));
  g_assert_cmpint (g_remove (kept), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

/* What the page of shortcuts shows is what the program listens to, and each has an action. */
static void
check_shortcut (GtkApplication *application, GtkWidget *shortcut)
{
  g_autofree char *action = NULL, *title = NULL;
  g_object_get (shortcut, "action-name", &action, "title", &title, NULL);
  g_assert_cmpuint (strlen (title), >, 0);
  if (action == NULL)
    return;
  g_auto (GStrv) keys = gtk_application_get_accels_for_action (application, action);
  g_assert_cmpuint (g_strv_length (keys), >, 0);
}

static guint
check_shortcuts (GtkApplication *application, GtkWidget *widget)
{
  guint n = 0;
  if (GTK_IS_SHORTCUTS_SHORTCUT (widget)) {
    check_shortcut (application, widget);
    return 1;
  }
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    n += check_shortcuts (application, child);
  return n;
}

static void
test_shortcuts (void)
{
  g_autoptr (RbApplication) application = rb_application_new ();
  g_autoptr (GError) error = NULL;
  g_assert_true (g_application_register (G_APPLICATION (application), NULL, &error));
  g_assert_no_error (error);
  RbSessionInput input = { .data_dir = "/nonexistent", .odometer_km = -1 };
  g_autoptr (RbSession) session = rb_session_new (&input);
  RbWindow *window = rb_window_new (GTK_APPLICATION (application), session);
  GtkShortcutsWindow *overlay = gtk_application_window_get_help_overlay (GTK_APPLICATION_WINDOW (window));
  g_assert_nonnull (overlay);
  g_assert_cmpuint (check_shortcuts (GTK_APPLICATION (application), GTK_WIDGET (overlay)), >=, 6);
  g_auto (GStrv) help = gtk_application_get_actions_for_accel (GTK_APPLICATION (application), "F1");
  g_assert_cmpstr (help[0], ==, "win.show-help-overlay");
  g_auto (GStrv) again = gtk_application_get_actions_for_accel (GTK_APPLICATION (application), "F5");
  g_assert_cmpstr (again[0], ==, "win.again");
  gtk_window_destroy (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  adw_init ();
  rb_application_register_resources ();
  g_test_add_func ("/screens/every", test_every_screen);
  g_test_add_func ("/screens/window", test_window);
  g_test_add_func ("/screens/trouble", test_trouble_says_all);
  g_test_add_func ("/screens/unit", test_unit_in_words);
  g_test_add_func ("/screens/words", test_words);
  g_test_add_func ("/screens/workplace", test_workplace);
  g_test_add_func ("/screens/shortcuts", test_shortcuts);
  return g_test_run ();
}
