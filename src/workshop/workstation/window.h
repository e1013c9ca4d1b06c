/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "session/session.h"

#include <adwaita.h>

#define RB_TYPE_WINDOW (rb_window_get_type ())
G_DECLARE_FINAL_TYPE (RbWindow, rb_window, RB, WINDOW, AdwApplicationWindow)
RbWindow *rb_window_new (GtkApplication *application, RbSession *session);
/* Ends as soon as the vehicle allows it: the work stops at a safe point first. Shows no dialog. */
void rb_window_terminate (RbWindow *self);
