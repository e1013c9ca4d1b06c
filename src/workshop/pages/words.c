/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/words.h"

#include <glib/gi18n-lib.h>
#include <string.h>

/* Marked for the catalogues here, translated when shown. The context keeps "key" the step apart from any other key. */
static const char *const states[] = {
  NC_ ("ECU state", "waiting"), NC_ ("ECU state", "checked"),   NC_ ("ECU state", "unlocked"),
  NC_ ("ECU state", "writing"), NC_ ("ECU state", "resetting"), NC_ ("ECU state", "reading back"),
  NC_ ("ECU state", "done"),    NC_ ("ECU state", "parked"),    NC_ ("ECU state", "unknown"),
};
static const char *const steps[] = {
  NC_ ("step", "unlock"), NC_ ("step", "roots"),  NC_ ("step", "drop"), NC_ ("step", "metadata"), NC_ ("step", "image"),
  NC_ ("step", "reset"),  NC_ ("step", "coding"), NC_ ("step", "key"),  NC_ ("step", "report"),
};
static const struct {
  const char *state, *text;
} link_states[] = {
  { "ready", NC_ ("link state", "ready") },
  { "not-ready", NC_ ("link state", "the vehicle is not ready: switch the ignition on") },
  { "in-use", NC_ ("link state", "in use by another program") },
  { "no-permission", NC_ ("link state", "no permission for this adapter") },
  { "down", NC_ ("link state", "the interface is down") },
  { "error-passive", NC_ ("link state", "errors on the bus: check plug and bit rate") },
  { "bus-off", NC_ ("link state", "bus off: check plug and bit rate") },
  { "dropping-qdisc", NC_ ("link state", "the interface is set up to drop frames") },
};
static const char *const results[] = {
  NC_ ("result", "completed"), NC_ ("result", "incomplete"),     NC_ ("result", "aborted"),
  NC_ ("result", "declined"),  NC_ ("result", "no-work-needed"), NC_ ("result", "exception"),
};

static const char *
translated (const char *const *words, guint n, const char *context, const char *word)
{
  for (guint i = 0; i < n; i++)
    if (strcmp (words[i], word) == 0)
      return g_dpgettext2 (GETTEXT_PACKAGE, context, words[i]);
  return word;
}

const char *
rb_words_state (RbEcuState state)
{
  return translated (states, G_N_ELEMENTS (states), "ECU state", rb_event_state_word (state));
}

const char *
rb_words_step (const char *step)
{
  return translated (steps, G_N_ELEMENTS (steps), "step", step);
}

const char *
rb_words_link_state (const char *state)
{
  for (guint i = 0; i < G_N_ELEMENTS (link_states); i++)
    if (strcmp (link_states[i].state, state) == 0)
      return g_dpgettext2 (GETTEXT_PACKAGE, "link state", link_states[i].text);
  return state;
}

const char *
rb_words_result (const char *result)
{
  return result == NULL ? "" : translated (results, G_N_ELEMENTS (results), "result", result);
}
