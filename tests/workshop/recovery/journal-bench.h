/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/journal.h"

#define VIN "RBY1DEM0XRA000042"
#define OTHER "RBY1DEM0XRA000043"

/* A journal in a folder of its own. The calls fail the test on an error. */
typedef struct {
  char *folder;
  RbJournal *journal;
} Bench;

void bench_open (Bench *bench, gconstpointer data);
void bench_close (Bench *bench, gconstpointer data);
void bench_reopen (Bench *bench);
/* Returns the number of the recovery. */
gint64 bench_begin (Bench *bench, const char *vin, const char *campaign, gint64 now);
/* The record that shows the step's result, "" for this journal's own, NULL when nothing does. */
char *bench_record_of (Bench *bench, const char *vin, const char *campaign, const char *serial, const char *name,
                       const char *detail);
char *bench_shown (Bench *bench, const char *serial, const char *name, const char *detail);
/* Writes the intent and, when reason is not NULL, the result a second later. Returns the row. */
gint64 bench_step (Bench *bench, gint64 number, const char *serial, const char *name, gint64 now, const char *reason,
                   const char *detail);
