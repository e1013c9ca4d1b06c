/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/reason.h"
#include "model/recipe.h"

#include <gio/gio.h>

/* Events of a recovery: states of its ECUs, progress, steps for a person. */
typedef struct _RbRecovery RbRecovery;

/* State words of an ECU in work; the record and the screen use the same. */
typedef enum {
  RB_ECU_WAITING, /* nothing done yet */
  RB_ECU_CHECKED, /* observed: what does not hold is known */
  RB_ECU_UNLOCKED, /* authenticated for writing */
  RB_ECU_WRITING, /* roots, metadata, image or key on the way */
  RB_ECU_RESETTING, /* restarting */
  RB_ECU_READING_BACK, /* being proven in a new session */
  RB_ECU_DONE, /* proven */
  RB_ECU_PARKED, /* not done, for a reason; holds the vehicle back */
  RB_ECU_UNKNOWN, /* contact lost while writing; only reading it back leaves this state */
} RbEcuState;
const char *rb_event_state_word (RbEcuState state); /* "reading back" */

typedef enum {
  RB_EVENT_PHASE, /* text: "connect", "inspect", "plan", "run", "sign" */
  RB_EVENT_ECU, /* serial, name, state, reason, text */
  RB_EVENT_STEP, /* serial, name, text: the step's name ("image"), begun */
  RB_EVENT_PROGRESS, /* serial, name, done, total: bytes of an image that the ECU has acknowledged */
  RB_EVENT_MEASUREMENT, /* item, value, unit, good */
  RB_EVENT_WAITING, /* reason, text: the work waits for a person to mend this; told again when the text changes */
  RB_EVENT_RESUMED, /* what was waited for is there */
  RB_EVENT_RECIPE, /* serial, name, state, item: a step of the recovery recipe, text: what a person does, good: it is
                      done */
  RB_EVENT_DTCS, /* serial, name, state, text: its DTCs before and after the work, where they differ */
} RbEventKind;

typedef struct {
  RbEventKind kind;
  const char *serial; /* NULL when it is about the vehicle */
  const char *name; /* the ECU's label for people */
  RbEcuState state;
  RbReason reason;
  const char *text;
  const char *item; /* checklist item id */
  gint64 value;
  const char *unit;
  gboolean good;
  guint64 done, total;
} RbRecoveryEvent;
typedef void (*RbRecoveryWatch) (const RbRecoveryEvent *event, gpointer user_data);

/* Asks a person to do a step of a recovery recipe. TRUE: it is done; FALSE: it cannot be, or no person is there. In the
 * thread of the run; returns soon after cancellable is cancelled. */
typedef gboolean (*RbRecoveryConfirm) (const char *serial, const RbRecipeStep *step, GCancellable *cancellable,
                                       gpointer user_data);
