/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "session/session.h"

#include <adwaita.h>

#define RB_APPLICATION_ID "org.recallbay.Recallbay"
#define RB_APPLICATION_PATH "/org/recallbay/Recallbay/"

#define RB_TYPE_APPLICATION (rb_application_get_type ())
G_DECLARE_FINAL_TYPE (RbApplication, rb_application, RB, APPLICATION, AdwApplication)

RbApplication *rb_application_new (void);
/* Input that the session begins with. Takes its members. */
void rb_application_take_input (RbApplication *self, RbSessionInput *input);
/* The embedded files (templates, style); called before the first of them is used. */
void rb_application_register_resources (void);
/* Was the vehicle written to, without a signed record of it? TRUE also after the window closed. */
gboolean rb_application_is_unsigned (RbApplication *self);
