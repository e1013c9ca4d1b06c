/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/* What the technician enters for a vehicle. The texts belong to it; the passphrases are wiped when it is cleared. */
typedef struct {
  char *data_dir, *vin, *campaign, *link, *repair_order;
  gint64 odometer_km;
  char *identity, *workstation, *second, *passphrase, *second_passphrase;
} RbSessionInput;

/* Every text of the copy is set, "" where the original has none. to is empty. */
void rb_session_input_copy (RbSessionInput *to, const RbSessionInput *from);
void rb_session_input_clear (RbSessionInput *input);
/* Does that link need the workstation's key file before it is opened? */
gboolean rb_session_input_link_has_key (const char *link);
