/* SPDX-License-Identifier: Apache-2.0 */
#include "workstation/window.h"

#include "workstation/flow.h"
#include "workstation/error-view.h"

#include <glib/gi18n-lib.h>

struct _RbWindow {
  AdwApplicationWindow parent_instance;
  RbSession *session;
  guint step;
  guint inhibited;
  gboolean closing;
  AdwWindowTitle *title;
  GtkLabel *heading, *lead, *status, *count;
  GtkStack *pages;
  GtkButton *primary, *stop, *back;
  GtkSpinner *spinner;
  RbErrorView *error_view;
  GtkScrolledWindow *scroller;
};

G_DEFINE_FINAL_TYPE (RbWindow, rb_window, ADW_TYPE_APPLICATION_WINDOW)

static const char *const doing[] = {
  [RB_TASK_FIND] = N_ ("Searching for campaigns…"),   [RB_TASK_OPEN] = N_ ("Verifying the campaign…"),
  [RB_TASK_CONNECT] = N_ ("Reading the vehicle…"),    [RB_TASK_MEASURE] = "",
  [RB_TASK_INSPECT] = N_ ("Measuring and planning…"), [RB_TASK_AUTHORISE] = N_ ("Opening the keys…"),
  [RB_TASK_RUN] = N_ ("Working on the vehicle…"),     [RB_TASK_SIGN] = N_ ("Signing…"),
  [RB_TASK_RECORDS] = N_ ("Reading the outbox…"),     [RB_TASK_NONE] = "",
};

static RbPage *
page_at (RbWindow *self, guint i)
{
  return RB_PAGE (gtk_stack_get_child_by_name (self->pages, rb_flow_step (i)->name));
}

static gboolean
is_busy (RbWindow *self)
{
  RbSessionTask task = rb_session_task (self->session);
  return task != RB_TASK_NONE && task != RB_TASK_MEASURE;
}

/* The error that this screen shows is that of its own tasks. */
static const GError *
current_error (RbWindow *self)
{
  const RbFlowStep *step = rb_flow_step (self->step);
  const GError *error = rb_session_error (self->session, step->action);
  if (error == NULL)
    error = rb_session_error (self->session, step->on_enter);
  if (error == NULL && self->step == 0)
    error = rb_session_error (self->session, RB_TASK_FIND);
  if (error == NULL && step->action == RB_TASK_INSPECT)
    error = rb_session_error (self->session, RB_TASK_MEASURE);
  return error;
}

static void
update_inhibit (RbWindow *self)
{
  GtkApplication *application = gtk_window_get_application (GTK_WINDOW (self));
  gboolean working = rb_session_is_working (self->session);
  if (application == NULL)
    return;
  if (working && self->inhibited == 0)
    self->inhibited = gtk_application_inhibit (application, GTK_WINDOW (self),
                                               GTK_APPLICATION_INHIBIT_LOGOUT | GTK_APPLICATION_INHIBIT_SUSPEND
                                                 | GTK_APPLICATION_INHIBIT_IDLE | GTK_APPLICATION_INHIBIT_SWITCH,
                                               _ ("A vehicle is being written to"));
  if (!working && self->inhibited != 0) {
    gtk_application_uninhibit (application, self->inhibited);
    self->inhibited = 0;
  }
}

static void
update_title (RbWindow *self)
{
  const RbSessionInput *input = rb_session_input (self->session);
  g_autofree char *vin
    = self->step == 0 || input->vin == NULL || *input->vin == '\0' ? NULL : g_strdup_printf (_ ("VIN %s"), input->vin);
  gboolean campaign = self->step > 0 && input->campaign != NULL && *input->campaign != '\0';
  g_autofree char *title = campaign ? /* Translators: %s is the number of a campaign */
                             g_strdup_printf (_ ("Recall %s"), input->campaign)
                                    : g_strdup ("Recallbay");
  adw_window_title_set_title (self->title, title);
  adw_window_title_set_subtitle (self->title, vin == NULL ? "" : vin);
}

/* There is something to read, and work that went well is not done twice. */
static gboolean
may_begin_again (RbWindow *self, const RbFlowStep *step)
{
  return step->on_enter != RB_TASK_NONE
         && (step->on_enter != RB_TASK_RUN || rb_session_error (self->session, RB_TASK_RUN) != NULL);
}

/* Also read out with the primary button, whose state it explains. */
static void
show_status (RbWindow *self, const char *status)
{
  gtk_label_set_text (self->status, status);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->status), status);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->primary), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, status, -1);
}

/* After a run that failed the primary action resumes it; the page offers the result then. */
static void
update_primary (RbWindow *self, const RbFlowStep *step, gboolean busy)
{
  gboolean resumes = !busy && step->on_enter == RB_TASK_RUN && rb_session_error (self->session, RB_TASK_RUN) != NULL;
  const char *label = resumes ? _ ("Resume recovery") : _ (step->primary);
  if (g_strcmp0 (gtk_button_get_label (self->primary), label) == 0)
    return;
  gtk_button_set_label (self->primary, label);
  rb_row_name (self->primary, label);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (self->primary), resumes ? "win.again" : "win.next");
}

static void
update (RbWindow *self)
{
  const RbFlowStep *step = rb_flow_step (self->step);
  gboolean busy = is_busy (self);
  gboolean working = rb_session_is_working (self->session);
  RbSessionTask task = rb_session_task (self->session);
  const GError *waiting = busy ? rb_session_waiting (self->session) : NULL;
  const char *status = busy && rb_session_is_stopping (self->session) ? _ ("Stopping at the next safe point…")
                       : waiting != NULL                              ? _ ("Waiting. Resumes automatically.")
                       : *doing[task] == '\0'                         ? ""
                                                                      : _ (doing[task]);
  g_autofree char *missing = busy ? NULL : rb_page_missing (page_at (self, self->step));
  show_status (self, missing == NULL ? status : missing);
  gtk_spinner_set_spinning (self->spinner, busy);
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), busy);
  gtk_widget_set_visible (GTK_WIDGET (self->stop), working || task == RB_TASK_CONNECT);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.stop",
                                 (working || task == RB_TASK_CONNECT) && !rb_session_is_stopping (self->session));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.next", !busy && missing == NULL);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.back", !busy && step->back);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.again", !busy && may_begin_again (self, step));
  gtk_widget_set_visible (GTK_WIDGET (self->back), step->back);
  update_primary (self, step, busy);
  rb_error_view_show (self->error_view, busy ? waiting : current_error (self));
  gtk_accessible_update_state (GTK_ACCESSIBLE (self->pages), GTK_ACCESSIBLE_STATE_BUSY, busy, -1);
  update_inhibit (self);
  update_title (self);
}

static void
show_step (RbWindow *self, guint i)
{
  const RbFlowStep *step = rb_flow_step (i);
  guint from = self->step;
  g_autofree char *count = g_strdup_printf (_ ("Step %u of %u"), i + 1, rb_flow_n_steps ());
  rb_page_leave (page_at (self, self->step));
  gtk_widget_set_visible (GTK_WIDGET (page_at (self, i)), TRUE);
  gtk_stack_set_visible_child_name (self->pages, step->name);
  for (guint other = 0; other < rb_flow_n_steps (); other++)
    gtk_widget_set_visible (GTK_WIDGET (page_at (self, other)), other == i);
  self->step = i;
  gtk_label_set_text (self->heading, _ (step->title));
  gtk_label_set_text (self->lead, _ (step->lead));
  gtk_label_set_text (self->count, count);
  if (i > from || step->on_enter != RB_TASK_RUN) /* going back to the work does not resume it */
    rb_session_start (self->session, step->on_enter);
  rb_page_enter (page_at (self, i));
  update (self);
  gtk_adjustment_set_value (gtk_scrolled_window_get_vadjustment (self->scroller), 0);
  gtk_widget_grab_focus (GTK_WIDGET (self->heading));
}

static void
go_on (RbWindow *self)
{
  if (self->step + 1 < rb_flow_n_steps ()) {
    show_step (self, self->step + 1);
    return;
  }
  rb_session_next_vehicle (self->session);
  show_step (self, 0);
}

static void
action_next (GtkWidget *widget, const char *name, GVariant *parameter)
{
  RbWindow *self = RB_WINDOW (widget);
  const RbFlowStep *step = rb_flow_step (self->step);
  if (is_busy (self) || !rb_page_is_complete (page_at (self, self->step)))
    return;
  if (step->action == RB_TASK_NONE)
    go_on (self);
  else
    rb_session_start (self->session, step->action);
}

static void
action_back (GtkWidget *widget, const char *name, GVariant *parameter)
{
  RbWindow *self = RB_WINDOW (widget);
  if (self->step > 0 && rb_flow_step (self->step)->back)
    show_step (self, self->step - 1);
}

static void
action_stop (GtkWidget *widget, const char *name, GVariant *parameter)
{
  rb_session_stop (RB_WINDOW (widget)->session);
}

/* Starts the first task of the screen again: reads the vehicle again, or resumes the recovery. */
static void
action_again (GtkWidget *widget, const char *name, GVariant *parameter)
{
  RbWindow *self = RB_WINDOW (widget);
  if (!is_busy (self))
    rb_session_start (self->session, rb_flow_step (self->step)->on_enter);
}

static void
on_finished (RbWindow *self, int task, gboolean ok)
{
  if (self->closing) {
    gtk_window_destroy (GTK_WINDOW (self));
    return;
  }
  const RbFlowStep *step = rb_flow_step (self->step);
  if (ok && task != RB_TASK_NONE && (RbSessionTask) task == step->action)
    go_on (self);
  if (!ok && task != RB_TASK_MEASURE && task != RB_TASK_FIND) {
    update (self);
    gtk_adjustment_set_value (gtk_scrolled_window_get_vadjustment (self->scroller), 0);
    gtk_widget_grab_focus (GTK_WIDGET (self->heading));
  }
}

static void
on_close_response (RbWindow *self, const char *response)
{
  if (g_str_equal (response, "stop"))
    rb_session_stop (self->session);
}

static void
ask_before_closing (RbWindow *self)
{
  GtkWidget *dialog = adw_message_dialog_new (GTK_WINDOW (self), _ ("The vehicle is being written to"),
                                              _ ("The window stays open until the work has stopped at a safe point."));
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "keep", _ ("Keep working"), "stop", _ ("Stop safely"),
                                    NULL);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "keep");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "keep");
  g_signal_connect_object (dialog, "response", G_CALLBACK (on_close_response), self, G_CONNECT_SWAPPED);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
on_leave_response (RbWindow *self, const char *response)
{
  if (g_str_equal (response, "close"))
    gtk_window_destroy (GTK_WINDOW (self));
}

/* The vehicle was written to and no record says what was done. */
static void
ask_before_leaving (RbWindow *self)
{
  GtkWidget *dialog
    = adw_message_dialog_new (GTK_WINDOW (self), _ ("The work on this vehicle is not signed"),
                              _ ("Do not release the vehicle. The next start shows it under Recoveries in progress."));
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "keep", _ ("Keep open"), "close",
                                    _ ("Close without a record"), NULL);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "keep");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "keep");
  g_signal_connect_object (dialog, "response", G_CALLBACK (on_leave_response), self, G_CONNECT_SWAPPED);
  gtk_window_present (GTK_WINDOW (dialog));
}

static gboolean
close_request (GtkWindow *window)
{
  RbWindow *self = RB_WINDOW (window);
  if (rb_session_is_working (self->session)) {
    ask_before_closing (self);
    return TRUE;
  }
  if (rb_session_task (self->session) != RB_TASK_NONE) {
    self->closing = TRUE;
    rb_session_stop (self->session);
    return TRUE;
  }
  if (rb_session_is_unsigned (self->session)) {
    ask_before_leaving (self);
    return TRUE;
  }
  return GTK_WINDOW_CLASS (rb_window_parent_class)->close_request (window);
}

void
rb_window_terminate (RbWindow *self)
{
  if (rb_session_task (self->session) == RB_TASK_NONE) {
    gtk_window_destroy (GTK_WINDOW (self));
    return;
  }
  self->closing = TRUE;
  rb_session_stop (self->session);
}

static void
dispose (GObject *object)
{
  g_clear_object (&RB_WINDOW (object)->session);
  G_OBJECT_CLASS (rb_window_parent_class)->dispose (object);
}

static void
rb_window_class_init (RbWindowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (class);
  G_OBJECT_CLASS (class)->dispose = dispose;
  GTK_WINDOW_CLASS (class)->close_request = close_request;
  g_type_ensure (RB_TYPE_ERROR_VIEW);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/recallbay/Recallbay/window.ui");
  gtk_widget_class_bind_template_child (widget_class, RbWindow, title);
  gtk_widget_class_bind_template_child (widget_class, RbWindow, heading);
  gtk_widget_class_bind_template_child (widget_class, RbWindow, lead);
  gtk_widget_class_bind_template_child (widget_class, RbWindow, status);
  gtk_widget_class_bind_template_child (widget_class, RbWindow, count);
  gtk_widget_class_bind_template_child (widget_class, RbWindow, pages);
  gtk_widget_class_bind_template_child (widget_class, RbWindow, primary);
  gtk_widget_class_bind_template_child (widget_class, RbWindow, stop);
  gtk_widget_class_bind_template_child (widget_class, RbWindow, back);
  gtk_widget_class_bind_template_child (widget_class, RbWindow, spinner);
  gtk_widget_class_bind_template_child (widget_class, RbWindow, error_view);
  gtk_widget_class_bind_template_child (widget_class, RbWindow, scroller);
  gtk_widget_class_install_action (widget_class, "win.next", NULL, action_next);
  gtk_widget_class_install_action (widget_class, "win.back", NULL, action_back);
  gtk_widget_class_install_action (widget_class, "win.stop", NULL, action_stop);
  gtk_widget_class_install_action (widget_class, "win.again", NULL, action_again);
}

static void
rb_window_init (RbWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

RbWindow *
rb_window_new (GtkApplication *application, RbSession *session)
{
  RbWindow *self = g_object_new (RB_TYPE_WINDOW, "application", application, NULL);
  self->session = g_object_ref (session);
  for (guint i = 0; i < rb_flow_n_steps (); i++) {
    RbPage *page = g_object_new (rb_flow_step (i)->type (), NULL);
    gtk_stack_add_named (self->pages, GTK_WIDGET (page), rb_flow_step (i)->name);
    rb_page_bind (page, session);
    g_signal_connect_object (page, "complete-changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  }
  g_signal_connect_object (session, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (session, "finished", G_CALLBACK (on_finished), self, G_CONNECT_SWAPPED);
  show_step (self, 0);
  return self;
}
