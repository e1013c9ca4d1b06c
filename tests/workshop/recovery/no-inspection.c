/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/identity.h"
#include "recovery/recovery.h"

/* Connects and runs a recovery without its inspection; prints the reason word and the number of writes.
 * Usage: no-inspection DATA-DIR CAMPAIGN LINK VIN TECHNICIAN WORKSTATION PASSPHRASE */
int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  if (argc != 8)
    return 2;
  g_autoptr (RbIdentitySet) technician = rb_identity_set_load (argv[5], argv[7], &error);
  g_autoptr (RbIdentitySet) workstation = technician == NULL ? NULL : rb_identity_set_load (argv[6], argv[7], &error);
  const RbRecoveryOptions options = { .data_dir = argv[1],
                                      .campaign = argv[2],
                                      .link = argv[3],
                                      .vin = argv[4],
                                      .odometer_km = -1,
                                      .technician = technician,
                                      .workstation = workstation };
  g_autoptr (RbRecovery) recovery = workstation == NULL ? NULL : rb_recovery_open (&options, &error);
  gboolean ran = recovery != NULL && rb_recovery_connect (recovery, NULL, &error) && rb_recovery_plan (recovery, &error)
                 && rb_recovery_run (recovery, NULL, &error);
  g_print ("%s %u\n", ran ? "ok" : rb_reason_word (rb_reason_of (error)),
           recovery == NULL ? 0 : rb_recovery_writes (recovery));
  return ran ? 0 : 1;
}
