/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/ecu-state.h"

#include "core/json.h"

#include <string.h>

gboolean
rb_ecu_state_is_application (const RbEcu *self)
{
  return self->memory->valid && self->session != RB_ECU_PROGRAMMING;
}

gboolean
rb_ecu_state_is_plain (const RbModelEcu *model)
{
  return strcmp (rb_json_string_or (model->simulation, "kind", "uptane"), "plain") == 0;
}
