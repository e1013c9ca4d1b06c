/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/outbox.h"
#include "ctl/record.h"

static const RbCliVerb verbs[] = {
  { "record list", "", "the records of this workstation", rb_record_verb_list },
  { "record show", "DIGEST", "one record", rb_record_verb_show },
  { "record export", "DIR", "every record as a file", rb_record_verb_export },
  { "record verify", "FILE…", "judge records; needs no data dir", rb_record_verb_verify },
  { "outbox export", "DIR", "records that the OEM has not acknowledged, as files", rb_outbox_verb_export },
  { "outbox", "", "records that the OEM has not acknowledged", rb_outbox_verb_list },
  { NULL, NULL, NULL, NULL },
};

int
main (int argc, char **argv)
{
  return rb_cli_main ("recallctl", "Recovers vehicles after a key compromise, without a screen.", verbs, argc, argv);
}
