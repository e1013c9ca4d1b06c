/* SPDX-License-Identifier: Apache-2.0 */
#include "link/can-preset.h"

static const RbCanPreset presets[] = {
  { "500k", 500000, 0 },          { "250k", 250000, 0 },          { "125k", 125000, 0 },
  { "500k/2M", 500000, 2000000 }, { "500k/5M", 500000, 5000000 },
};

const RbCanPreset *
rb_can_preset_find (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (presets); i++)
    if (g_strcmp0 (presets[i].name, name) == 0)
      return &presets[i];
  return NULL;
}

const char *
rb_can_preset_names (void)
{
  return "500k, 250k, 125k, 500k/2M, 500k/5M";
}
