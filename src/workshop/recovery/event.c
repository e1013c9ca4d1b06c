/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/event.h"

static const char *const state_words[] = {
  [RB_ECU_WAITING] = "waiting", [RB_ECU_CHECKED] = "checked",     [RB_ECU_UNLOCKED] = "unlocked",
  [RB_ECU_WRITING] = "writing", [RB_ECU_RESETTING] = "resetting", [RB_ECU_READING_BACK] = "reading back",
  [RB_ECU_DONE] = "done",       [RB_ECU_PARKED] = "parked",       [RB_ECU_UNKNOWN] = "unknown",
};

const char *
rb_event_state_word (RbEcuState state)
{
  return state_words[state];
}
