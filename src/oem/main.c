/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/audit.h"
#include "oem/demo.h"
#include "oem/policy.h"

static const RbCliVerb verbs[] = {
  { "audit verify", "DIR", "check every record in a folder, and their chains", rb_audit_verb_verify },
  { "demo", "DIR", "make a whole made-up OEM with a stolen key, its campaign and a vehicle, in DIR", rb_demo_verb },
  { "repo check", "DIR", "measure a repository's metadata against the key-management policy", rb_policy_verb_check },
  { NULL, NULL, NULL, NULL },
};

int
main (int argc, char **argv)
{
  return rb_cli_main ("recall-oem", "The OEM's side of a recall after a key compromise.", verbs, argc, argv);
}
