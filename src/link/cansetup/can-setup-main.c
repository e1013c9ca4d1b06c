/* SPDX-License-Identifier: Apache-2.0 */
#include "cansetup/can-service.h"
#include "core/cli.h"
#include "link/can-preset.h"
#include "link/channel.h"

static int
serve (RbCli *cli, int argc, char **argv)
{
  int code;
  return rb_cli_parse (cli, NULL, &argc, &argv, &code) ? rb_can_service_run () : code;
}

/* set INTERFACE PRESET, restart INTERFACE */
static int
apply (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  return rb_can_setup_apply (argv[1], argc > 2 ? argv[2] : NULL, &error) ? RB_CLI_OK : rb_cli_fail (cli, error, NULL);
}

static const RbCliVerb verbs[] = {
  { "", "", "the service org.recallbay.CanSetup1, which D-Bus starts", serve },
  { "set", "INTERFACE " RB_CAN_PRESET_WORDS, "set a CAN interface up with the caller's privileges", apply, NULL, 2, 2 },
  { "restart", "INTERFACE", "restart it after bus-off", apply, NULL, 1, 1 },
  { NULL },
};
static const RbCliVerb *const groups[] = { verbs, NULL };

int
main (int argc, char **argv)
{
  static const RbCliProgram program
    = { "recall-can-setup", "Sets up CAN interfaces for Recallbay.", groups, RB_CLI_PLAIN };
  return rb_cli_main (&program, argc, argv);
}
