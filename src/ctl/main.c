/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/bundle.h"
#include "ctl/campaign.h"
#include "ctl/identify.h"
#include "ctl/outbox.h"
#include "ctl/record.h"
#include "ctl/recover.h"
#include "ctl/trust.h"
#include "ctl/tuf-client.h"
#include "ctl/uptane.h"

static const RbCliVerb verbs[] = {
  { "trust add", "ROOT.json --name OEM", "trust an OEM's Service repository from now on", rb_trust_verb_add },
  { "trust list", "", "the trust anchors", rb_trust_verb_list },
  { "trust update", "[FOLDER|BUNDLE|URL]…", "walk the anchors' chains to their newest roots", rb_trust_verb_update },
  { "trust replace", "ROOT.json --name OEM --identity ID --second ID", "put another root in an anchor's place; takes two people",
    rb_trust_verb_replace },
  { "bundle verify", "FILE", "check a bundle without storing anything", rb_bundle_verb_verify },
  { "bundle import", "FILE", "check a bundle and put it into the library", rb_bundle_verb_import },
  { "bundle list", "", "the campaigns in the library", rb_bundle_verb_list },
  { "bundle show", "CAMPAIGN", "one campaign, verified again", rb_bundle_verb_show },
  { "bundle remove", "CAMPAIGN", "remove a campaign; refused while a recovery of it is open", rb_bundle_verb_remove },
  { "campaign check", "VIN", "the open campaigns for a vehicle", rb_campaign_verb_check },
  { "links set", "INTERFACE PRESET", "set the bit rate of a CAN interface and put it up, by recall-can-setup", rb_identify_verb_links_set },
  { "links restart", "INTERFACE", "bring a CAN interface back after bus-off", rb_identify_verb_links_restart },
  { "links", "", "adapters and vehicles found now", rb_identify_verb_links },
  { "identify", "--link URI", "the VIN and the state of every ECU", rb_identify_verb },
  { "inspect", "--campaign ID --link URI", "the safety inspection alone", rb_recover_verb_inspect },
  { "recover", "--campaign ID --link URI …", "the whole recovery; again: resumes", rb_recover_verb },
  { "journal", "[--vin VIN]", "what was done, step by step", rb_identify_verb_journal },
  { "record list", "", "the records of this workstation", rb_record_verb_list },
  { "record show", "DIGEST", "one record", rb_record_verb_show },
  { "record export", "DIR", "every record as a file", rb_record_verb_export },
  { "record print", "DIGEST -o FILE.pdf", "the certificate of one record, on one page", rb_record_verb_print },
  { "record verify", "FILE…", "judge records; needs no data dir", rb_record_verb_verify },
  { "outbox export", "DIR", "records that the OEM has not acknowledged, as files", rb_outbox_verb_export },
  { "outbox", "", "records that the OEM has not acknowledged", rb_outbox_verb_list },
  { "uptane verify", "--director DIR --image DIR …", "judge metadata and images as a vehicle would", rb_uptane_verb_verify },
  { "tuf", "--metadata-dir DIR … init ROOT | refresh | download", "a client of any TUF repository", rb_tuf_client_verb },
  { NULL, NULL, NULL, NULL },
};

int
main (int argc, char **argv)
{
  return rb_cli_main ("recallctl", "Recovers vehicles after a key compromise, without a screen.", verbs, argc, argv);
}
