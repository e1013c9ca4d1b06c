/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/unit-text.h"

#include "core/advice.h"

RbRowState
rb_unit_text_state (const RbSessionUnit *unit)
{
  switch (unit->state) {
  case RB_ECU_DONE: return RB_ROW_GOOD;
  case RB_ECU_PARKED:
  case RB_ECU_UNKNOWN: return RB_ROW_BAD;
  case RB_ECU_WAITING:
  case RB_ECU_CHECKED: return RB_ROW_WAITING;
  default: return RB_ROW_BUSY;
  }
}

static void
add_root (GString *text, const char *name, gint64 found, gint64 wanted)
{
  if (wanted == 0)
    return;
  if (found == wanted)
    g_string_append_printf (text, "\n%s root: version %" G_GINT64_FORMAT " stays", name, found);
  else
    g_string_append_printf (text, "\n%s root: version %" G_GINT64_FORMAT " → %" G_GINT64_FORMAT, name, found, wanted);
}

char *
rb_unit_text_plan (const RbSessionUnit *unit)
{
  GString *text = g_string_new (NULL);
  g_string_append_printf (text, "Software: %s %s %s", unit->software == NULL ? "?" : unit->software,
                          unit->image_differs ? "→" : "=", unit->target == NULL ? "?" : unit->target);
  add_root (text, "Director", unit->director_root_found, unit->director_root_wanted);
  add_root (text, "Image", unit->image_root_found, unit->image_root_wanted);
  g_string_append (text, unit->new_key ? "\nKey: a new one is made in the ECU" : "\nKey: stays");
  if (!unit->abort_recoverable)
    g_string_append (text, "\nNot recoverable when the work is broken off");
  return g_string_free (text, FALSE);
}

static void
add_proof (GString *text, const RbSessionUnit *unit)
{
  g_string_append_printf (text, "Proven: %s", unit->target == NULL ? "" : unit->target);
  if (unit->director_root_wanted != 0)
    g_string_append_printf (text, " · Director root %" G_GINT64_FORMAT, unit->director_root_wanted);
  if (unit->image_root_wanted != 0)
    g_string_append_printf (text, " · Image root %" G_GINT64_FORMAT, unit->image_root_wanted);
}

static void
add_trouble (GString *text, const RbSessionUnit *unit)
{
  g_string_append (text, "Not proven");
  if (unit->text != NULL && *unit->text != '\0')
    g_string_append_printf (text, ": %s", unit->text);
  if (unit->reason != RB_REASON_NONE)
    g_string_append_printf (text, " (%s)\n%s\n%s", rb_reason_word (unit->reason), rb_advice_means (unit->reason),
                            rb_advice_next (unit->reason));
}

char *
rb_unit_text_result (const RbSessionUnit *unit)
{
  GString *text = g_string_new (NULL);
  if (unit->state == RB_ECU_DONE)
    add_proof (text, unit);
  else
    add_trouble (text, unit);
  if (unit->dtcs != NULL && *unit->dtcs != '\0')
    g_string_append_printf (text, "\n%s", unit->dtcs);
  return g_string_free (text, FALSE);
}
