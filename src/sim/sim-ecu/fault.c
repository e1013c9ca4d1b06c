/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/fault.h"

#include <string.h>

static const struct {
  const char *kind, *help;
} kinds[] = {
  { "drop-link", "the TCP connection is reset at block WHEN of a transfer" },
  { "kill", "the vehicle loses power (this process exits) at block WHEN of a transfer" },
  { "power-cut",
    "the vehicle loses power at write WHEN of the memory of its ECUs: before it, in its middle, after it" },
  { "torn-install", "the vehicle loses power between storing metadata and what they assign, at installation WHEN" },
  { "torn-key",
    "the vehicle loses power at the request to make a key: the old one is lost, the new one is not stored" },
  { "pending", "every long answer is preceded by ARG times 0x78" },
  { "slow", "long work of the ECU takes ARG milliseconds in which the whole vehicle does nothing else" },
  { "block-limit", "TransferData with more than ARG data bytes is rejected with 0x13, whatever was offered" },
  { "block-abort", "the same, and the download is given up" },
  { "long-nack", "the gateway rejects messages to the ECU of more than ARG bytes (DoIP NACK 04)" },
  { "long-header", "the DoIP entity rejects messages of more than ARG bytes (header NACK 02)" },
  { "overflow", "the ECU takes no messages of more than ARG bytes over CAN (FC OVFLW)" },
  { "busy", "request WHEN is answered 0x21 once" },
  { "no-answer", "request WHEN is not answered; without WHEN the ECU is dead" },
  { "lose-answer", "answer WHEN of service ARG (as 0x31) is lost; what was asked is done" },
  { "refuse", "every request of service ARG (as 0x31) is answered 0x22" },
  { "security-delay", "unlocking is rejected with 0x37 for ARG milliseconds after power-on" },
  { "hang", "after its reset WHEN the ECU is silent until it loses its power" },
  { "stuck-download",
    "a download that was interrupted makes the ECU reject every other one until it is reset; ARG 1: until it loses its power" },
  { "bad-banks", "at power-on no bank of the ECU holds a valid application: it is in its bootloader" },
  { "bad-flash", "erasing always fails (0x72)" },
  { "wrong-digest", "the digest over flash is wrong" },
  { "wrong-proof", "the proof of possession is by another key" },
  { "keep-key", "making a key answers well and keeps the old one" },
  { "keep-coding", "writing coding answers well and keeps the old one" },
  { "keep-root", "installing a root, or an image that carries one, answers well and keeps the old one" },
  { "lose-metadata", "a reset forgets the Director's targets" },
  { "other-vin", "the ECU comes from another vehicle: its VIN is 1M8GDM9AXKP042788" },
  { "pad", "every text of a DID is padded with NULs to ARG bytes" },
  { "pad-spaces", "every text of a DID is padded with spaces to ARG bytes" },
  { "confirm",
    "the DoIP entity asks for a confirmation of the connection (0x11), which is given after ARG milliseconds; 0: never" },
  { "voltage", "the supply is ARG millivolt" },
  { "voltage-dip", "the supply is 11 V for ARG milliseconds after the first unlocking of an ECU" },
  { "lose-session", "the ECU falls back to its default session before answer WHEN of service ARG (as 0x31)" },
  { "ignition", "the ignition is at ARG (0 off, 1 accessory, 2 on)" },
  { "speed", "the vehicle moves with ARG hundredths of km/h" },
};

RbFault *
rb_fault_parse (const char *spec, GError **error)
{
  g_autofree char *text = g_strdup (spec);
  char *kind = strchr (text, ':');
  char *when = strrchr (text, '@');
  RbFault *self = NULL;
  if (when != NULL)
    *when++ = '\0';
  if (kind != NULL)
    *kind++ = '\0';
  char *argument = kind == NULL ? NULL : strchr (kind, '=');
  if (argument != NULL)
    *argument++ = '\0';
  for (guint i = 0; kind != NULL && i < G_N_ELEMENTS (kinds) && self == NULL; i++)
    if (strcmp (kinds[i].kind, kind) == 0) {
      self = g_new0 (RbFault, 1);
      self->kind = kinds[i].kind;
    }
  if (self == NULL) {
    g_set_error (error, RB_SIM_ERROR, RB_REASON_USAGE, "“%s” is not a fault; --help-faults lists them", spec);
    return NULL;
  }
  self->ecu = g_strdup (text);
  self->argument = argument == NULL ? 0 : g_ascii_strtoll (argument, NULL, 0);
  if (when != NULL && g_str_has_prefix (when, "block="))
    when = strchr (when, '=') + 1;
  self->when = when == NULL ? 0 : g_ascii_strtoll (when, NULL, 10);
  return self;
}

void
rb_fault_free (RbFault *self)
{
  g_free (self->ecu);
  g_free (self);
}

const char *
rb_fault_help (void)
{
  static char *help;
  if (g_once_init_enter (&help)) {
    GString *text = g_string_new ("Faults: ECU:KIND[=ARG][@WHEN], ECU a name, a serial or *\n\n");
    for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
      g_string_append_printf (text, "  %-14s %s\n", kinds[i].kind, kinds[i].help);
    g_once_init_leave (&help, g_string_free (text, FALSE));
  }
  return help;
}

const RbFault *
rb_fault_match (GPtrArray *faults, const char *kind, const char *name, const char *serial, guint8 service, gint64 count)
{
  for (guint i = 0; i < faults->len; i++) {
    RbFault *fault = faults->pdata[i];
    gboolean here = strcmp (fault->ecu, "*") == 0 || strcmp (fault->ecu, name) == 0 || strcmp (fault->ecu, serial) == 0;
    gboolean other = service != 0 && fault->argument != service;
    if (!here || other || fault->spent || strcmp (fault->kind, kind) != 0 || (fault->when > 0 && fault->when != count))
      continue;
    fault->spent = fault->when > 0;
    return fault;
  }
  return NULL;
}
