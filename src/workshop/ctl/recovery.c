/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/recovery.h"

#include "core/files.h"
#include "core/json.h"
#include "ctl/identities.h"
#include "record/sheet.h"
#include "record/statement.h"
#include "recovery/exception.h"
#include "recovery/hand-over.h"

typedef struct {
  char *vin, *output, *campaign, *identity, *workstation, *second, *passphrase_file, *tag, *as, *note;
  GStrv photos;
  RbIdentitySet *people[3]; /* technician, workstation, second person */
} Settings;

static void
settings_clear (Settings *self)
{
  char *const texts[] = { self->vin,    self->output,          self->campaign, self->identity, self->workstation,
                          self->second, self->passphrase_file, self->tag,      self->as,       self->note };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  g_strfreev (self->photos);
  for (guint i = 0; i < G_N_ELEMENTS (self->people); i++)
    g_clear_pointer (&self->people[i], rb_identity_set_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Settings, settings_clear)

static gboolean
load_people (RbCli *cli, Settings *self, GError **error)
{
  const char *const paths[] = { self->identity, self->workstation, self->second };
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    self->people[i] = paths[i] == NULL ? NULL : rb_identities_load (cli, paths[i], self->passphrase_file, error);
    if (paths[i] != NULL && self->people[i] == NULL)
      return FALSE;
  }
  return TRUE;
}

/* Makes a record of the case that is signed by the people of the command line. */
typedef GBytes *(*SignCase) (const RbCaseOptions *options, const Settings *settings, char **digest, GError **error);

static GBytes *
sign_case (RbCli *cli, Settings *self, SignCase make, char **digest, GError **error)
{
  if (!load_people (cli, self, error))
    return NULL;
  const RbCaseOptions options = { .data_dir = cli->data_dir,
                                  .vin = self->vin,
                                  .campaign = self->campaign,
                                  .technician = self->people[0],
                                  .workstation = self->people[1],
                                  .second = self->people[2] };
  return make (&options, self, digest, error);
}

/* The page that stays at the vehicle. */
static gboolean
print_tag (const Settings *self, GBytes *envelope, GError **error)
{
  g_autoptr (GBytes) page = self->tag == NULL ? NULL : rb_sheet_draw (envelope, error);
  return self->tag == NULL || (page != NULL && rb_files_write_output (self->tag, page, 0644, error));
}

static json_t *
details (const char *vin, const char *result, const char *record)
{
  json_t *object = json_object ();
  rb_json_set_string (object, "vin", vin);
  rb_json_set_string (object, "result", result);
  rb_json_set_string (object, "record", record);
  return object;
}

static GBytes *
make_hand_over (const RbCaseOptions *options, const Settings *settings, char **digest, GError **error)
{
  return rb_hand_over_make (options, digest, error);
}

static int
verb_hand_over (RbCli *cli, int argc, char **argv)
{
  g_auto (Settings) settings = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *digest = NULL;
  int code;
  if (!rb_cli_parse (cli, &settings, &argc, &argv, &code))
    return code;
  g_autoptr (GBytes) envelope = sign_case (cli, &settings, make_hand_over, &digest, &error);
  if (envelope == NULL || !rb_files_write_output (settings.output, envelope, 0644, &error)
      || !print_tag (&settings, envelope, &error))
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message
    = g_strdup_printf ("Vehicle %s is handed over with %s. Do not release it; take the file over at the other "
                       "workstation and start the same recovery there. Record %s.",
                       settings.vin, settings.output, digest);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, details (settings.vin, "handed-over", digest));
}

static int
verb_take_over (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autoptr (GBytes) envelope = rb_files_read (argv[1], RB_STATEMENT_MAX_BYTES, &error);
  g_autoptr (RbHandOverTaken) taken = envelope == NULL ? NULL : rb_hand_over_take (cli->data_dir, envelope, 0, &error);
  if (taken == NULL)
    return rb_cli_fail (cli, error, NULL);
  json_t *extra = details (taken->vin, taken->result, taken->record);
  rb_json_set_string (extra, "campaign", taken->campaign);
  rb_json_set_integer (extra, "keys", taken->keys);
  rb_json_set_integer (extra, "images", taken->images);
  rb_json_set_integer (extra, "coding", taken->coding);
  g_autofree char *message
    = g_strdup_printf ("Vehicle %s, campaign %s: evidence of %u keys, %u images and %u coding values is taken over. "
                       "Start the recovery.",
                       taken->vin, taken->campaign, taken->keys, taken->images, taken->coding);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, extra);
}

static GBytes *
make_exception (const RbCaseOptions *options, const Settings *settings, char **digest, GError **error)
{
  const RbException exception = { settings->as, settings->note, (const char *const *) settings->photos };
  return rb_exception_close (options, &exception, digest, error);
}

static int
verb_close (RbCli *cli, int argc, char **argv)
{
  g_auto (Settings) settings = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *digest = NULL;
  int code;
  if (!rb_cli_parse (cli, &settings, &argc, &argv, &code))
    return code;
  g_autoptr (GBytes) envelope = sign_case (cli, &settings, make_exception, &digest, &error);
  if (envelope == NULL || !print_tag (&settings, envelope, &error))
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message
    = g_strdup_printf ("Vehicle %s is closed with exception (%s). It stays open and must not be driven. Record %s.",
                       settings.vin, settings.as, digest);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, details (settings.vin, "exception", digest));
}

#define VIN \
  { \
    "vin", "VIN", "VIN as on the plate", RB_OPTION_TEXT (Settings, vin), .needed = TRUE \
  }
#define IDENTITY \
  { \
    "identity", "ID", "the technician's identity", RB_OPTION_FILE (Settings, identity) \
  }
#define WORKSTATION \
  { \
    "workstation", "ID", "the workstation's identities", RB_OPTION_FILE (Settings, workstation) \
  }
#define PASSPHRASE \
  { \
    "passphrase-file", "FILE", "passphrase of all identities", RB_OPTION_FILE (Settings, passphrase_file) \
  }
#define CAMPAIGN \
  { \
    "campaign", "ID", "campaign; needed where several are open for the vehicle", RB_OPTION_TEXT (Settings, campaign) \
  }
#define TAG \
  { \
    "tag", "FILE.pdf", "a page for the vehicle, with the record's QR code", RB_OPTION_FILE (Settings, tag) \
  }

static const RbOption hand_over_options[] = {
  VIN,
  { "output", "FILE", "the file that travels", RB_OPTION_FILE (Settings, output), .needed = TRUE, .letter = 'o' },
  TAG,
  IDENTITY,
  WORKSTATION,
  { "second", "ID", "a second person's identity", RB_OPTION_FILE (Settings, second) },
  PASSPHRASE,
  CAMPAIGN,
  { NULL },
};

static const RbOption close_options[] = {
  VIN,
  { "as", "waiting-for-part|towed|left-against-advice", "why the vehicle leaves", RB_OPTION_WORD (Settings, as),
    .needed = TRUE },
  { "note", "TEXT", "more about it, for the record", RB_OPTION_TEXT (Settings, note) },
  { "photo", "FILE", "a photo, which the record names by its digest; may be repeated",
    RB_OPTION_FILES (Settings, photos) },
  TAG,
  IDENTITY,
  WORKSTATION,
  { "second", "ID", "a second person's identity", RB_OPTION_FILE (Settings, second) },
  PASSPHRASE,
  CAMPAIGN,
  { NULL },
};

const RbCliVerb rb_recovery_verbs[] = {
  { "recovery hand-over", "--vin VIN -o FILE", "sign what is done, for another workstation", verb_hand_over,
    hand_over_options },
  { "recovery take-over", "FILE", "continue a recovery of another workstation", verb_take_over, NULL, 1, 1 },
  { "recovery close", "--vin VIN --as WORD --identity ID --second ID", "close a vehicle with exception, by two people",
    verb_close, close_options },
  { NULL },
};
