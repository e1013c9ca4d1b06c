/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <adwaita.h>

/* Shows the error, its meaning for the vehicle, the next action, and the reason word, in this order. */
#define RB_TYPE_TROUBLE (rb_trouble_get_type ())
G_DECLARE_FINAL_TYPE (RbTrouble, rb_trouble, RB, TROUBLE, AdwBin)
/* NULL hides it. */
void rb_trouble_show (RbTrouble *self, const GError *error);
