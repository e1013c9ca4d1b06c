/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/draft-verbs.h"

#include "authority/draft-text.h"
#include "authority/policy-rules.h"
#include "authority/drafting.h"
#include "authority/install.h"
#include "authority/root-change.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/fingerprint.h"
#include "crypto/secret.h"
#include "keystore/token.h"
#include "oem/override.h"
#include "oem/secret-option.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_ROOT (64 * 1024 * 1024)

typedef struct {
  GStrv revoke, add, roles, approved_by;
  char *expires, *output, *key, *confirm, *base, *passphrase_file, *below_policy;
} Options;

static void
options_clear (Options *self)
{
  char *texts[]
    = { self->expires, self->output, self->key, self->confirm, self->base, self->passphrase_file, self->below_policy };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  g_strfreev (self->revoke);
  g_strfreev (self->add);
  g_strfreev (self->roles);
  g_strfreev (self->approved_by);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static gboolean
write_draft (const RbDraft *draft, const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = rb_draft_to_bytes (draft);
  return rb_files_write_output (path, bytes, 0644, error);
}

/* The digest that holders compare, in words. (transfer full) */
static char *
fingerprint_words (const RbDraft *draft)
{
  g_autofree char *fingerprint = rb_draft_fingerprint (draft);
  return rb_fingerprint_of (fingerprint, RB_FINGERPRINT_FULL);
}

/* {"fingerprint","words","documents"}: members of every verdict about a draft. NULL: error. */
static json_t *
describe (const RbDraft *draft, GError **error)
{
  g_autofree char *fingerprint = rb_draft_fingerprint (draft), *words = fingerprint_words (draft);
  json_t *documents = rb_draft_text_status (draft, error);
  return documents == NULL
           ? NULL
           : json_pack ("{s:s,s:s,s:o}", "fingerprint", fingerprint, "words", words, "documents", documents);
}

static json_t *
changes_json (GStrv lines)
{
  json_t *list = json_array ();
  for (guint i = 0; lines[i] != NULL; i++)
    json_array_append_new (list, json_string (lines[i]));
  return list;
}

/* The sentences of every document; adds them to documents as "changes". */
static gboolean
show_changes (RbCli *cli, const RbDraft *draft, json_t *documents, GError **error)
{
  for (guint i = 0; i < draft->documents->len; i++) {
    g_auto (GStrv) lines = rb_draft_text_changes (draft, draft->documents->pdata[i], error);
    if (lines == NULL)
      return FALSE;
    for (guint j = 0; lines[j] != NULL; j++)
      rb_cli_say (cli, "%s%s", j == 0 ? "" : "    ", lines[j]);
    rb_json_set (json_array_get (documents, i), "changes", changes_json (lines));
  }
  return TRUE;
}

static int
end_with_draft (RbCli *cli, const RbDraft *draft, const char *message)
{
  g_autoptr (GError) error = NULL;
  json_t *extra = describe (draft, &error);
  return extra == NULL ? rb_cli_fail (cli, error, NULL) : rb_cli_end (cli, RB_CLI_OK, "ok", message, extra);
}

static gboolean
read_expiry (const char *text, gint64 now, gint64 *moment, GError **error)
{
  if (text == NULL)
    return TRUE;
  if (!rb_moment_from_text (text, moment) || *moment <= now)
    return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_USAGE, "--expires %s: not a time in the future", text);
  return TRUE;
}

static gboolean
draft_kind (const RbOemFolder *folder, const char *kind, const Options *options, RbDraft *draft, GError **error)
{
  const RbRootChange change = { (const char *const *) options->revoke, (const char *const *) options->add,
                                (const char *const *) options->roles };
  gint64 now = rb_moment_now ();
  g_autoptr (RbPublishing) publishing
    = rb_authoring_check_kind (kind, error) ? rb_publishing_open (folder, kind, NULL, now, error) : NULL;
  if (publishing == NULL || !read_expiry (options->expires, now, &publishing->expires, error))
    return FALSE;
  g_autoptr (GPtrArray) roles = rb_root_change_apply (publishing->authoring, &change, error);
  const RbOverride override = { options->below_policy, options->approved_by };
  return roles != NULL && rb_override_check (&override, publishing->authoring, roles, publishing->policy, now, error)
         && rb_drafting_root (publishing, roles, draft, error) && rb_drafting_resign (publishing, draft, error)
         && rb_authoring_save (publishing->authoring, error);
}

static int
verb_root_draft (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (RbDraft) draft = rb_draft_new ();
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbOemFolder) folder = rb_oem_folder_open (cli->data_dir, &error);
  for (int i = 1; folder != NULL && error == NULL && i < argc; i++)
    if (!draft_kind (folder, argv[i], &options, draft, &error))
      break;
  if (error != NULL || !write_draft (draft, options.output, &error))
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *words = fingerprint_words (draft);
  g_autofree char *message
    = g_strdup_printf ("draft of %u roots: %s\n%s", draft->documents->len, options.output, words);
  return end_with_draft (cli, draft, message);
}

static int
verb_show (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autoptr (RbDraft) draft = rb_draft_load (argv[1], &error);
  g_autoptr (json_t) extra = draft == NULL ? NULL : describe (draft, &error);
  if (extra == NULL || !show_changes (cli, draft, json_object_get (extra, "documents"), &error))
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *words = fingerprint_words (draft);
  g_autofree char *message = g_strdup_printf ("fingerprint: %s", words);
  return rb_cli_end (cli, RB_CLI_OK, "ok", message, json_incref (extra));
}

static void
say_names (RbCli *cli, const char *what, const json_t *names)
{
  size_t i;
  json_t *name;
  json_array_foreach (names, i, name)
    rb_cli_say (cli, "    %s: %s", what, json_string_value (name));
}

static void
say_status (RbCli *cli, const json_t *documents)
{
  size_t i, j;
  json_t *document, *threshold;
  json_array_foreach (documents, i, document)
    json_array_foreach (json_object_get (document, "thresholds"), j, threshold) {
      const char *side = rb_json_string_or (threshold, "side", "");
      rb_cli_say (cli,
                  "%s %s %" G_GINT64_FORMAT "%s%s%s: %" G_GINT64_FORMAT " signatures, threshold is %" G_GINT64_FORMAT,
                  rb_json_string_or (document, "kind", ""), rb_json_string_or (document, "role", ""),
                  rb_json_integer_or (document, "version", 0), side[0] == '\0' ? "" : ", keys of the ", side,
                  side[0] == '\0' ? "" : " root", rb_json_integer_or (threshold, "have", 0),
                  rb_json_integer_or (threshold, "threshold", 0));
      say_names (cli, "signed", json_object_get (threshold, "signed"));
      say_names (cli, "missing", json_object_get (threshold, "missing"));
    }
}

static int
verb_status (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autoptr (RbDraft) draft = rb_draft_load (argv[1], &error);
  json_t *extra = draft == NULL ? NULL : describe (draft, &error);
  if (extra == NULL)
    return rb_cli_fail (cli, error, NULL);
  gboolean complete = rb_draft_is_complete (draft, NULL);
  say_status (cli, json_object_get (extra, "documents"));
  rb_json_set_boolean (extra, "complete", complete);
  return rb_cli_end (cli, RB_CLI_OK, "ok", complete ? "complete: it can be published" : "not complete", extra);
}

/* Did the person compare the fingerprint? Without a terminal --confirm has it. */
static gboolean
is_confirmed (RbCli *cli, const Options *options, const RbDraft *draft, GError **error)
{
  g_autofree char *fingerprint = rb_draft_fingerprint (draft);
  g_autofree char *words = rb_fingerprint_of (fingerprint, RB_FINGERPRINT_FULL);
  char line[256] = "";
  if (options->confirm != NULL)
    return rb_fingerprint_matches (fingerprint, options->confirm)
           || rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_DRAFT_UNCONFIRMED,
                              "--confirm: fingerprint of this draft is %s", words);
  if (cli->json || !isatty (STDIN_FILENO))
    return rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_DRAFT_UNCONFIRMED,
                           "without a terminal --confirm FINGERPRINT is expected");
  rb_cli_say (cli, "Fingerprint: %s\nCompare it with the other holders'. Type its last word to sign:", words);
  g_autofree char *typed = fgets (line, sizeof line, stdin) == NULL ? g_strdup ("") : g_strdup (g_strstrip (line));
  return strcmp (typed, &strrchr (words, '-')[1]) == 0
         || rb_reason_deny (error, RB_AUTHORITY_ERROR, RB_REASON_DRAFT_UNCONFIRMED, "not confirmed; nothing is signed");
}

/* A name in the folder's keys, or where the key is. (transfer full) */
static RbSigner *
open_key (RbCli *cli, const Options *options, RbKeyCard **card, GError **error)
{
  g_autofree char *folder = rb_oem_folder_find (cli->data_dir);
  g_autofree char *path = NULL;
  const char *where = options->key;
  if (rb_key_card_exists (folder, options->key)) {
    *card = rb_key_card_load (folder, options->key, error);
    if (*card == NULL)
      return NULL;
    path = rb_key_card_private_path (folder, options->key);
    where = (*card)->where == NULL ? path : (*card)->where;
  }
  char *secret = rb_secret_option_ask (cli, options->passphrase_file, where, error);
  if (secret == NULL)
    return NULL;
  RbSigner *signer
    = *card != NULL ? rb_key_card_open (*card, folder, secret, error) : rb_signer_open (where, secret, NULL, error);
  rb_secret_free (secret);
  return signer;
}

static void
note_signature (RbDraft *draft, RbSigner *signer)
{
  g_autofree char *fingerprint = rb_draft_fingerprint (draft);
  g_autofree char *who = rb_draft_text_key (draft, rb_signer_public (signer));
  json_t *line = json_pack ("{s:s,s:s,s:s,s:s}", "holder", who, "key_id", rb_key_public_id (rb_signer_public (signer)),
                            "where", rb_signer_label (signer), "fingerprint", fingerprint);
  rb_json_set_moment (line, "at", rb_moment_now ());
  json_array_append_new (draft->transcript, line);
}

static gboolean
check_base (const RbDraft *draft, const char *path, GError **error)
{
  g_autoptr (GBytes) root = path == NULL ? NULL : rb_files_read (path, MAX_ROOT, error);
  return path == NULL || (root != NULL && rb_draft_check_base (draft, root, error));
}

static int
verb_sign (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (RbKeyCard) card = NULL;
  guint signed_now = 0, had = 0;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbDraft) draft = rb_draft_load (argv[1], &error);
  g_autoptr (json_t) shown = draft == NULL ? NULL : describe (draft, &error);
  if (shown == NULL || !check_base (draft, options.base, &error)
      || !show_changes (cli, draft, json_object_get (shown, "documents"), &error)
      || !is_confirmed (cli, &options, draft, &error))
    return rb_cli_fail (cli, error, NULL);
  g_autoptr (RbSigner) signer = open_key (cli, &options, &card, &error);
  if (signer == NULL || !rb_draft_sign (draft, signer, &signed_now, &had, &error))
    return rb_cli_fail (cli, error, NULL);
  if (signed_now > 0) {
    note_signature (draft, signer);
    if (!write_draft (draft, options.output == NULL ? argv[1] : options.output, &error))
      return rb_cli_fail (cli, error, NULL);
  }
  g_autofree char *who = rb_draft_text_key (draft, rb_signer_public (signer));
  g_autofree char *message = signed_now > 0 ? g_strdup_printf ("signed %u documents by %s", signed_now, who)
                                            : g_strdup_printf ("%s has signed already; nothing is changed", who);
  return end_with_draft (cli, draft, message);
}

static int
verb_merge (RbCli *cli, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  guint added = 0, had = 0, bad = 0;
  int code;
  if (!rb_cli_parse (cli, NULL, &argc, &argv, &code))
    return code;
  g_autoptr (RbDraft) draft = rb_draft_load (argv[1], &error);
  for (int i = 2; draft != NULL && i < argc; i++) {
    g_autoptr (RbDraft) other = rb_draft_load (argv[i], &error);
    if (other == NULL || !rb_draft_merge (draft, other, &added, &had, &bad, &error)) {
      if (other != NULL)
        g_prefix_error (&error, "%s: ", argv[i]);
      break;
    }
  }
  if (error != NULL || !write_draft (draft, argv[1], &error))
    return rb_cli_fail (cli, error, NULL);
  g_autofree char *message = g_strdup_printf (
    "%u signatures added, %u were there already, %u do not verify and are left out", added, had, bad);
  return end_with_draft (cli, draft, message);
}

static gboolean
is_first_of_kind (const RbDraft *draft, guint index)
{
  for (guint i = 0; i < index; i++)
    if (strcmp (((RbDraftDocument *) draft->documents->pdata[i])->kind,
                ((RbDraftDocument *) draft->documents->pdata[index])->kind)
        == 0)
      return FALSE;
  return TRUE;
}

/* The signed draft with its transcript: the holder, time and key of each signature. */
static gboolean
keep_transcript (const RbOemFolder *folder, const RbDraft *draft, GError **error)
{
  g_autofree char *fingerprint = rb_draft_fingerprint (draft);
  g_autofree char *file = g_strdup_printf ("%.16s.draft", fingerprint);
  g_autofree char *ceremonies = g_build_filename (folder->path, "ceremonies", NULL);
  g_autofree char *path = g_build_filename (ceremonies, file, NULL);
  g_autoptr (GBytes) bytes = rb_draft_to_bytes (draft);
  return rb_files_make_folder (ceremonies, error) && rb_files_write_private (path, bytes, error);
}

static int
verb_publish (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  g_autoptr (GError) error = NULL;
  int code;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (RbDraft) draft = rb_draft_load (argv[1], &error);
  g_autoptr (RbOemFolder) folder = draft == NULL ? NULL : rb_oem_folder_open (cli->data_dir, &error);
  char *secret = folder == NULL ? NULL : rb_secret_option_of_folder (cli, options.passphrase_file, folder, &error);
  g_autoptr (json_t) done = json_object ();
  for (guint i = 0; folder != NULL && error == NULL && i < draft->documents->len; i++) {
    const RbDraftDocument *document = draft->documents->pdata[i];
    if (!is_first_of_kind (draft, i))
      continue;
    g_autoptr (RbPublishing) publishing = rb_publishing_open (folder, document->kind, secret, rb_moment_now (), &error);
    if (publishing != NULL && rb_install_draft (publishing, draft, &error))
      rb_json_set (done, document->kind, json_incref (publishing->done));
  }
  rb_secret_free (secret);
  if (error != NULL || !keep_transcript (folder, draft, &error))
    return rb_cli_fail (cli, error, json_pack ("{s:O}", "published", done));
  return rb_cli_end (cli, RB_CLI_OK, "ok", "published", json_pack ("{s:O}", "published", done));
}

static const RbOption root_options[] = {
  { "revoke", "KEY", "the key leaves every role; may be repeated", RB_OPTION_TEXTS (Options, revoke) },
  { "add", "KEY", "the key comes to the root role; may be repeated", RB_OPTION_TEXTS (Options, add) },
  { "role", "ROLE=THRESHOLD:KEY,KEY", "replace the keys of a role; may be repeated", RB_OPTION_TEXTS (Options, roles) },
  { "expires", "TIME", "when the root expires; default by the policy", RB_OPTION_TEXT (Options, expires) },
  { "below-policy", "TEXT", "why the policy is not met; two people approve it",
    RB_OPTION_TEXT (Options, below_policy) },
  { "approved-by", "KEY", "who approves that; twice", RB_OPTION_TEXTS (Options, approved_by) },
  { "output", "FILE", "the draft", RB_OPTION_FILE (Options, output), .needed = TRUE, .letter = 'o' },
  { NULL },
};

static const RbOption sign_options[] = {
  { "key", "NAME|FILE|URI", "a key of the folder, a file, or a token's key", RB_OPTION_TEXT (Options, key),
    .needed = TRUE },
  { "confirm", "FINGERPRINT", "the compared fingerprint: twelve words, or hex", RB_OPTION_TEXT (Options, confirm) },
  { "base", "ROOT.json", "refuse a draft that is not made on this root", RB_OPTION_FILE (Options, base) },
  { "passphrase-file", "FILE", "passphrase of the key, PIN of the token", RB_OPTION_FILE (Options, passphrase_file) },
  { "output", "FILE", "write the signed draft there; default in its place", RB_OPTION_FILE (Options, output),
    .letter = 'o' },
  { NULL },
};

static const RbOption publish_options[] = {
  { "passphrase-file", "FILE", "passphrase of the online keys", RB_OPTION_FILE (Options, passphrase_file) },
  { NULL },
};

const RbCliVerb rb_draft_verbs[] = {
  { "root draft", "KIND…", "the next root, as a draft that travels", verb_root_draft, root_options, 1, 3 },
  { "root sign", "FILE", "as draft sign", verb_sign, sign_options, 1, 1 },
  { "root status", "FILE", "as draft status", verb_status, NULL, 1, 1 },
  { "root publish", "FILE", "as draft publish", verb_publish, publish_options, 1, 1 },
  { "draft show", "FILE", "what a draft changes, and its fingerprint", verb_show, NULL, 1, 1 },
  { "draft sign", "FILE", "sign a draft, without network and OEM's folder", verb_sign, sign_options, 1, 1 },
  { "draft status", "FILE", "who has signed and who is missing", verb_status, NULL, 1, 1 },
  { "draft merge", "FILE FROM…", "take the signatures of other copies", verb_merge, NULL, 2, -1 },
  { "draft publish", "FILE", "publish what enough people have signed", verb_publish, publish_options, 1, 1 },
  { NULL },
};
