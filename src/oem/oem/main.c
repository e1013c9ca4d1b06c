/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secret.h"
#include "oem/audit.h"
#include "oem/campaign-end.h"
#include "oem/campaign-pack.h"
#include "oem/campaign-verbs.h"
#include "oem/demo.h"
#include "oem/draft-verbs.h"
#include "oem/intake.h"
#include "oem/key-verbs.h"
#include "oem/pki-verbs.h"
#include "oem/policy.h"
#include "oem/repo-verbs.h"
#include "oem/target-verbs.h"

static const RbCliVerb *const groups[] = { rb_audit_verbs,
                                           rb_campaign_end_verbs,
                                           rb_campaign_pack_verbs,
                                           rb_campaign_verbs,
                                           rb_demo_verbs,
                                           rb_draft_verbs,
                                           rb_intake_verbs,
                                           rb_key_verbs,
                                           rb_pki_verbs,
                                           rb_policy_verbs,
                                           rb_repo_verbs,
                                           rb_target_verbs,
                                           NULL };

int
main (int argc, char **argv)
{
  static const RbCliProgram program = { "recall-oem", "The OEM's side of a recall after a key compromise.", groups };
  rb_secret_prepare ();
  rb_secret_hide_process ();
  return rb_cli_main (&program, argc, argv);
}
