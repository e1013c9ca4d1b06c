/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"

#include <adwaita.h>

/* Rows whose text is never markup. */
AdwActionRow *rb_row_new (const char *title, const char *subtitle);

/* State is icon, colour and word, never colour alone. */
typedef enum { RB_ROW_WAITING, RB_ROW_BUSY, RB_ROW_GOOD, RB_ROW_WARNING, RB_ROW_BAD } RbRowState;
GtkWidget *rb_row_icon (void);
void rb_row_icon_set (GtkWidget *icon, RbRowState state);
void rb_row_icon_set_word (GtkWidget *icon, RbRowState state, const char *word);
void rb_row_name (gpointer widget, const char *name); /* for assistive technology */
void rb_row_list_clear (GtkListBox *list);
