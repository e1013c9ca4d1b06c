/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <adwaita.h>

/* Shows the error, its meaning for the vehicle, the next action, and the reason word, in this order. */
#define RB_TYPE_ERROR_VIEW (rb_error_view_get_type ())
G_DECLARE_FINAL_TYPE (RbErrorView, rb_error_view, RB, ERROR_VIEW, AdwBin)
/* NULL hides it. */
void rb_error_view_show (RbErrorView *self, const GError *error);
