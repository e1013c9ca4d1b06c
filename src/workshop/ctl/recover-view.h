/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/cli.h"
#include "recovery/event.h"

/*
 * Shows the events of a recovery on standard output: with --json an object each, on a terminal one line an ECU that is
 * drawn again where it stands, elsewhere one line a change. Colours on a terminal unless NO_COLOR is set.
 */
typedef struct _RbRecoverView RbRecoverView;

RbRecoverView *rb_recover_view_new (RbCli *cli);
void rb_recover_view_free (RbRecoverView *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbRecoverView, rb_recover_view_free)
/* (RbRecoveryWatch) */
void rb_recover_view_show (const RbRecoveryEvent *event, gpointer self);
