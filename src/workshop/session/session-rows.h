/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/recovery.h"

/* Rows that a task hands to the screens. An array of rows frees them. */

/* A campaign that is open for the VIN. */
typedef struct {
  char *id, *title, *oem;
  char *name; /* by which it is opened */
  guint n_ecus;
  gint64 valid_until;
} RbSessionFound;

/* An ECU on screen. */
typedef struct {
  char *serial, *name, *hardware_id, *software, *target;
  RbEcuState state;
  RbReason reason;
  char *step, *text;
  char *dtcs; /* before and after the work, where they differ; else NULL or empty */
  guint64 done, total;
  gboolean planned, new_key, abort_recoverable, image_differs;
  gint64 director_root_found, director_root_wanted, image_root_found, image_root_wanted;
} RbSessionEcu;

typedef struct {
  char *digest, *vin, *campaign, *result;
  gint64 finished;
  gboolean acknowledged;
} RbSessionRecord;

/* A technician's answer to a manual item of the inspection. */
typedef struct {
  char *item, *note;
  gboolean passed;
} RbSessionAnswer;

GPtrArray *rb_session_rows_new_found (void);
GPtrArray *rb_session_rows_new_ecus (void);
GPtrArray *rb_session_rows_new_records (void);
GPtrArray *rb_session_rows_new_answers (void);
