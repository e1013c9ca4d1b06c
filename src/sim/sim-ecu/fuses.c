/* SPDX-License-Identifier: Apache-2.0 */
#include "sim-ecu/fuses.h"

#include "core/files.h"
#include "sim-ecu/session-control.h"

#include <stdio.h>
#include <string.h>

#define MAX_TEXT 64
#define MAX_POSITION 3

/* FILE holds "COUNT out" or "COUNT in": how often it was pulled, and how it is now. */
static gboolean
read_fuse (const char *state_dir, const char *serial, guint *pulled)
{
  g_autofree char *path = g_build_filename (state_dir, "fuses", serial, NULL);
  g_autoptr (GBytes) bytes = rb_files_exists (path) ? rb_files_read (path, MAX_TEXT, NULL) : NULL;
  g_autofree char *text = bytes == NULL ? NULL : g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  *pulled = text == NULL ? 0 : (guint) g_ascii_strtoull (text, NULL, 10);
  return text != NULL && strstr (text, "out") != NULL;
}

gboolean
rb_fuses_is_out (RbEcu *self)
{
  guint pulled = 0;
  gboolean out = read_fuse (self->vehicle->state_dir, self->memory->serial, &pulled);
  if (pulled != self->fuse_pulled)
    rb_session_control_lose_power (self);
  self->fuse_pulled = pulled;
  return out;
}

gboolean
rb_fuses_ignition (RbSimVehicle *self, gint64 *position)
{
  g_autofree char *path = g_build_filename (self->state_dir, "ignition", NULL);
  g_autoptr (GBytes) bytes = rb_files_exists (path) ? rb_files_read (path, MAX_TEXT, NULL) : NULL;
  g_autofree char *text = bytes == NULL ? NULL : g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  if (text == NULL)
    return FALSE;
  *position = g_ascii_strtoll (text, NULL, 10);
  return TRUE;
}

typedef struct {
  char *state;
} Options;

static void
clear_options (Options *self)
{
  g_free (self->state);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear_options)

static gboolean
set_fuse (const char *state_dir, const char *serial, gboolean out, GError **error)
{
  guint pulled = 0;
  g_autofree char *ecu = g_build_filename (state_dir, "ecus", serial, NULL),
                  *folder = g_build_filename (state_dir, "fuses", NULL);
  if (!rb_files_name_is_safe (serial) || !rb_files_is_folder (ecu))
    return rb_reason_deny (error, RB_SIM_ERROR, RB_REASON_NOT_FOUND, "%s has no ECU with serial number “%s”", state_dir,
                           serial);
  gboolean was_out = read_fuse (state_dir, serial, &pulled);
  g_autofree char *text = g_strdup_printf ("%u %s\n", pulled + (out && !was_out), out ? "out" : "in");
  g_autofree char *path = g_build_filename (folder, serial, NULL);
  return rb_files_make_folder (folder, error) && rb_files_write_text (path, text, error);
}

static int
verb_fuse (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  gboolean out = strcmp (argv[2], "out") == 0;
  if (!out && strcmp (argv[2], "in") != 0)
    return rb_cli_usage (cli, "a fuse is “out” or “in”, not “%s”", argv[2]);
  return set_fuse (options.state, argv[1], out, &error) ? RB_CLI_OK : rb_cli_fail (cli, error, NULL);
}

static int
verb_ignition (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  guint64 position = 0;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  if (!g_ascii_string_to_unsigned (argv[1], 10, 0, MAX_POSITION, &position, NULL))
    return rb_cli_usage (cli, "the ignition is at 0…%d, not “%s”", MAX_POSITION, argv[1]);
  g_autofree char *path = g_build_filename (options.state, "ignition", NULL);
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT "\n", position);
  if (!rb_files_is_folder (options.state))
    rb_reason_deny (&error, RB_SIM_ERROR, RB_REASON_NOT_FOUND, "%s is not there", options.state);
  return error == NULL && rb_files_write_text (path, text, &error) ? RB_CLI_OK : rb_cli_fail (cli, error, NULL);
}

static const RbOption options[] = {
  { "state", "DIR", "folder of the vehicle's memory", RB_OPTION_FOLDER (Options, state), .needed = TRUE },
  { NULL },
};

const RbCliVerb rb_fuses_verbs[] = {
  { "fuse", "--state DIR SERIAL out|in", "pull the fuse of an ECU of the running vehicle, or put it back", verb_fuse,
    options, 2, 2 },
  { "ignition", "--state DIR 0|1|2", "turn the ignition of the running vehicle", verb_ignition, options, 1, 1 },
  { NULL },
};
