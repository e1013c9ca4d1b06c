/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "session/session-task.h"

#include <gio/gio.h>

/*
 * One vehicle at this workstation as the screens see it. Everything here is called on the main thread; a task runs in
 * a thread of its own, one at a time, and what it finds is copied back by the main loop.
 *
 * Signals: "changed" (a task began or ended), "ecu-changed" (guint index), "ecus-changed", "measured" (const char
 * *item, gint64 value, gboolean good), "finished" (int task, gboolean ok).
 */
#define RB_TYPE_SESSION (rb_session_get_type ())
G_DECLARE_FINAL_TYPE (RbSession, rb_session, RB, SESSION, GObject)

RbSession *rb_session_new (const RbSessionInput *input);
/* Input of the technician; the next task takes a copy. */
RbSessionInput *rb_session_input (RbSession *self);
/* Replaces a string of the input. */
void rb_session_enter (char **place, const char *text);

/* Starts it now, or after the task that runs. The latest wins. */
void rb_session_start (RbSession *self, RbSessionTask task);
void rb_session_stop (RbSession *self);
RbSessionTask rb_session_task (RbSession *self); /* that runs or is about to */
gboolean rb_session_is_stopping (RbSession *self);
gboolean rb_session_is_working (RbSession *self); /* the vehicle is being written to */

/* Of the last task of that kind; borrowed, NULL when it went well or never ran. */
const GError *rb_session_error (RbSession *self, RbSessionTask task);
gboolean rb_session_succeeded (RbSession *self, RbSessionTask task);

GPtrArray *rb_session_found (RbSession *self); /* of RbSessionFound */
GPtrArray *rb_session_ecus (RbSession *self); /* of RbSessionEcu */
GPtrArray *rb_session_records (RbSession *self); /* of RbSessionRecord */
/* Cause of the pause of the running task, which a person has to resolve; NULL: not paused. */
const GError *rb_session_waiting (RbSession *self);
/* NULL before open. Immutable: may be read while a task runs. */
const RbCampaign *rb_session_campaign (RbSession *self);
/* A technician's answer; only while no task, or only measuring, runs. */
void rb_session_answer (RbSession *self, const char *item, gboolean passed, const char *note);
/* Sentence for the technician, static: whether the vehicle may be released. */
const char *rb_session_verdict (RbSession *self, gboolean complete);
/* Was the vehicle written to in this session, without a signed record of it yet? */
gboolean rb_session_is_unsigned (RbSession *self);
const char *rb_session_digest (RbSession *self); /* of the signed record, or NULL */
const char *rb_session_result (RbSession *self);
/* Forgets the vehicle; data dir, link and signing files stay. */
void rb_session_next_vehicle (RbSession *self);
