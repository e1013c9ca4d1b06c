/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/error.h"

/*
 * Faults to inject: ECU:KIND[=ARG][@WHEN]. ECU is a name, a serial or "*"; WHEN counts from 1: the block of a transfer
 * for drop-link and kill, the answer of that service for lose-answer, the request otherwise; a fault without WHEN holds
 * all the time, one with WHEN happens once.
 */
typedef struct {
  char *ecu;
  const char *kind; /* static */
  gint64 argument;
  gint64 when; /* 0: always */
  gboolean spent;
} RbFault;
RbFault *rb_fault_parse (const char *spec, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_fault_free (RbFault *self);
/* The text of --help-faults, static. */
const char *rb_fault_help (void);
/*
 * The fault of that kind that strikes this ECU now, NULL when none does; one with WHEN is spent by it. service: only a
 * fault with that ARG, 0 for any.
 */
const RbFault *rb_fault_match (GPtrArray *faults, const char *kind, const char *name, const char *serial,
                               guint8 service, gint64 count);
