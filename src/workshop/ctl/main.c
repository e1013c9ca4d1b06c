/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secret.h"
#include "ctl/bundle.h"
#include "ctl/campaign.h"
#include "ctl/identify.h"
#include "ctl/identity.h"
#include "ctl/outbox.h"
#include "ctl/record.h"
#include "ctl/recover.h"
#include "ctl/recovery.h"
#include "ctl/request.h"
#include "ctl/trust.h"
#include "ctl/tuf-client.h"
#include "ctl/uptane.h"

static const RbCliVerb *const groups[] = {
  rb_trust_verbs,    rb_bundle_verbs,
  rb_campaign_verbs, rb_request_verbs,
  rb_identity_verbs, rb_identify_verbs,
  rb_recover_verbs,  rb_recovery_verbs,
  rb_record_verbs,   rb_identify_journal_verbs,
  rb_outbox_verbs,   rb_tuf_client_verbs,
  rb_uptane_verbs,   NULL,
};

int
main (int argc, char **argv)
{
  static const RbCliProgram program
    = { "recallctl", "Recovers vehicles after a key compromise, without a screen.", groups };
  rb_secret_prepare ();
  rb_secret_hide_process ();
  return rb_cli_main (&program, argc, argv);
}
