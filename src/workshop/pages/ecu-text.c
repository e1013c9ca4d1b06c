/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/ecu-text.h"

#include "core/advice.h"

#include <glib/gi18n-lib.h>

RbRowState
rb_ecu_text_state (const RbSessionEcu *unit)
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
  g_autofree char *from = g_strdup_printf ("%" G_GINT64_FORMAT, found);
  g_autofree char *to = g_strdup_printf ("%" G_GINT64_FORMAT, wanted);
  g_string_append_c (text, '\n');
  if (found == wanted)
    /* Translators: name of a repository (Director or Image) and a version; a root is metadata of Uptane */
    g_string_append_printf (text, _ ("%s root: version %s, unchanged"), name, from);
  else
    /* Translators: name of a repository (Director or Image), the version in the ECU and the new version */
    g_string_append_printf (text, _ ("%s root: version %s → %s"), name, from, to);
}

char *
rb_ecu_text_plan (const RbSessionEcu *unit)
{
  GString *text = g_string_new (NULL);
  /* Translators: the software in the ECU, an arrow or an equals sign, the image of the campaign */
  g_string_append_printf (text, _ ("Software: %s %s %s"), unit->software == NULL ? "?" : unit->software,
                          unit->image_differs ? "→" : "=", unit->target == NULL ? "?" : unit->target);
  add_root (text, "Director", unit->director_root_found, unit->director_root_wanted);
  add_root (text, "Image", unit->image_root_found, unit->image_root_wanted);
  g_string_append (text, unit->new_key ? _ ("\nKey: new, generated in the ECU") : _ ("\nKey: unchanged"));
  if (!unit->abort_recoverable)
    g_string_append (text, _ ("\nNot recoverable after an interruption"));
  return g_string_free (text, FALSE);
}

static void
add_root_verified (GString *text, const char *name, gint64 version)
{
  g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT, version);
  if (version != 0)
    /* Translators: name of a repository (Director or Image) and the version of its root metadata */
    g_string_append_printf (text, _ (" · %s root %s"), name, number);
}

static void
add_proof (GString *text, const RbSessionEcu *unit)
{
  /* Translators: %s is the name of an image */
  g_string_append_printf (text, _ ("Verified: %s"), unit->target == NULL ? "" : unit->target);
  add_root_verified (text, "Director", unit->director_root_wanted);
  add_root_verified (text, "Image", unit->image_root_wanted);
}

static void
add_trouble (GString *text, const RbSessionEcu *unit)
{
  g_string_append (text, _ ("Not verified"));
  if (unit->text != NULL && *unit->text != '\0')
    g_string_append_printf (text, ": %s", unit->text);
  if (unit->reason != RB_REASON_NONE)
    g_string_append_printf (text, " (%s)\n%s\n%s", rb_reason_word (unit->reason), rb_advice_means (unit->reason),
                            rb_advice_next (unit->reason));
}

char *
rb_ecu_text_result (const RbSessionEcu *unit)
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
