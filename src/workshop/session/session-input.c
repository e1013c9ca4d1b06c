/* SPDX-License-Identifier: Apache-2.0 */
#include "session/session-input.h"

#include "crypto/secret.h"

gboolean
rb_session_input_link_has_key (const char *link)
{
  return g_str_has_prefix (link, "doips:");
}

void
rb_session_input_clear (RbSessionInput *input)
{
  g_clear_pointer (&input->data_dir, g_free);
  g_clear_pointer (&input->vin, g_free);
  g_clear_pointer (&input->campaign, g_free);
  g_clear_pointer (&input->link, g_free);
  g_clear_pointer (&input->repair_order, g_free);
  g_clear_pointer (&input->identity, g_free);
  g_clear_pointer (&input->workstation, g_free);
  g_clear_pointer (&input->second, g_free);
  g_clear_pointer (&input->passphrase, rb_secret_free);
  g_clear_pointer (&input->second_passphrase, rb_secret_free);
}

static char *
copy_text (const char *text)
{
  return g_strdup (text == NULL ? "" : text);
}

void
rb_session_input_copy (RbSessionInput *to, const RbSessionInput *from)
{
  to->data_dir = copy_text (from->data_dir);
  to->vin = copy_text (from->vin);
  to->campaign = copy_text (from->campaign);
  to->link = copy_text (from->link);
  to->repair_order = copy_text (from->repair_order);
  to->odometer_km = from->odometer_km;
  to->identity = copy_text (from->identity);
  to->workstation = copy_text (from->workstation);
  to->second = copy_text (from->second);
  to->passphrase = copy_text (from->passphrase);
  to->second_passphrase = copy_text (from->second_passphrase);
}
