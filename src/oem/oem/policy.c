/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/policy.h"

#include "authority/authoring.h"
#include "authority/policy-rules.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "oem/as-client.h"
#include "uptane/form.h"
#include "uptane/metadata.h"

#include <string.h>

#define FILE_MAX (64 * 1024 * 1024)
#define POLICY_MAX (1024 * 1024)
#define CAMPAIGN_DAYS 60

typedef struct {
  const char *folder;
  char *kind;
  const json_t *policy; /* borrowed; NULL: the default */
  gint64 now;
  json_t *findings;
  GPtrArray *roots; /* of RbMetadata, oldest first */
  RbMetadata *targets; /* may be NULL */
  json_t *records; /* key id → record of keys.json; NULL when there is none */
  GHashTable *users; /* key value → role it was met in first */
} Check;

static void
check_clear (Check *self)
{
  g_clear_pointer (&self->kind, g_free);
  g_clear_pointer (&self->findings, json_decref);
  g_clear_pointer (&self->roots, g_ptr_array_unref);
  g_clear_pointer (&self->targets, rb_metadata_free);
  g_clear_pointer (&self->records, json_decref);
  g_clear_pointer (&self->users, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Check, check_clear)

static void G_GNUC_PRINTF (5, 6)
  find (Check *self, const char *rule, const char *role, const char *severity, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  json_array_append_new (
    self->findings, json_pack ("{s:s,s:s,s:s,s:s}", "rule", rule, "role", role, "severity", severity, "text", text));
}

static RbMetadata *
newest_root (Check *self)
{
  return self->roots->pdata[self->roots->len - 1];
}

/* A file; *metadata stays NULL when it is not there. */
static gboolean
load (Check *self, const char *name, RbMetadataType type, RbMetadata **metadata, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  if (!rb_files_exists (path))
    return TRUE;
  g_autoptr (GBytes) bytes = rb_files_read (path, FILE_MAX, error);
  *metadata = bytes == NULL ? NULL : rb_metadata_parse (bytes, type, FILE_MAX, error);
  if (*metadata == NULL)
    g_prefix_error (error, "%s: ", name);
  return *metadata != NULL;
}

static gboolean
load_root (Check *self, const char *name, GError **error)
{
  RbMetadata *root = NULL;
  if (!load (self, name, RB_METADATA_ROOT, &root, error))
    return FALSE;
  if (root != NULL)
    g_ptr_array_add (self->roots, root);
  return TRUE;
}

static int
compare_versions (gconstpointer a, gconstpointer b)
{
  const RbMetadata *first = *(RbMetadata *const *) a, *second = *(RbMetadata *const *) b;
  return (first->version > second->version) - (first->version < second->version);
}

static gboolean
load_roots (Check *self, GError **error)
{
  g_auto (GStrv) names = rb_files_list (self->folder, error);
  self->roots = g_ptr_array_new_with_free_func ((GDestroyNotify) rb_metadata_free);
  if (names == NULL)
    return FALSE;
  for (guint i = 0; names[i] != NULL; i++)
    if (g_str_has_suffix (names[i], ".root.json") && !load_root (self, names[i], error))
      return FALSE;
  if (self->roots->len == 0 && !load_root (self, "root.json", error))
    return FALSE;
  g_ptr_array_sort (self->roots, compare_versions);
  if (self->roots->len == 0)
    g_set_error (error, RB_OEM_ERROR, RB_REASON_MISSING, "%s: no root metadata in it", self->folder);
  return self->roots->len > 0;
}

static gboolean
load_records (Check *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, "keys.json", NULL);
  if (!rb_files_exists (path))
    return TRUE;
  g_autoptr (json_t) file = rb_json_load (path, FILE_MAX, error);
  json_t *keys = file == NULL ? NULL : rb_json_array (file, "keys", "keys.json", error);
  json_t *key;
  size_t i;
  if (keys == NULL)
    return FALSE;
  self->records = json_object ();
  json_array_foreach (keys, i, key)
    rb_json_set (self->records, rb_json_string_or (key, "id", ""), json_incref (key));
  if (self->kind == NULL)
    self->kind = g_strdup (json_string_value (json_object_get (file, "kind")));
  return TRUE;
}

/* DIRECTOR/metadata holds roots alone, which do not tell: its name does. */
static char *
kind_of_path (const char *folder)
{
  g_autofree char *path = g_canonicalize_filename (folder, NULL);
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  for (guint i = g_strv_length (parts); i > 0; i--)
    if (strcmp (parts[i - 1], "director") == 0 || strcmp (parts[i - 1], "image") == 0)
      return g_strdup (parts[i - 1]);
  return NULL;
}

static gboolean
kind_is_known (Check *self, GError **error)
{
  const json_t *targets = self->targets == NULL ? NULL : self->targets->signed_part;
  if (self->kind == NULL && !newest_root (self)->uptane_dialect)
    self->kind = g_strdup ("service");
  if (self->kind == NULL && json_object_get (targets, "vin") != NULL)
    self->kind = g_strdup ("director");
  if (self->kind == NULL && json_object_get (targets, "delegations") != NULL)
    self->kind = g_strdup ("image");
  if (self->kind == NULL)
    self->kind = kind_of_path (self->folder);
  if (self->kind != NULL && rb_authoring_check_kind (self->kind, NULL))
    return TRUE;
  g_set_error (error, RB_OEM_ERROR, RB_REASON_USAGE, "%s: say what it is with --kind director, image or service",
               self->folder);
  return FALSE;
}

static void
judge_record (Check *self, const char *role, const char *id, gboolean offline)
{
  json_t *record = json_object_get (self->records, id);
  if (self->records == NULL)
    return;
  if (record == NULL)
    find (self, "key-recorded", role, "violation", "no holder is named for key %.16s…", id);
  else if (offline && rb_json_boolean_or (record, "online", TRUE))
    find (self, "offline", role, "violation", "key %.16s… (%s) is online, the policy wants it offline", id,
          rb_json_string_or (record, "holder", "?"));
}

static void
judge_key (Check *self, const char *role, const char *id, const json_t *keys, gboolean offline)
{
  json_t *value = json_object_get (json_object_get (keys, id), "keyval");
  const char *text = json_string_value (json_object_get (value, "public"));
  const char *user = text == NULL ? NULL : g_hash_table_lookup (self->users, text);
  if (text == NULL)
    find (self, "key-listed", role, "violation", "key %.16s… is named and not there", id);
  else if (user != NULL)
    find (self, "one-role", role, "violation", "key %.16s… serves %s too", id, user);
  else
    g_hash_table_insert (self->users, g_strdup (text), g_strdup (role));
  judge_record (self, role, id, offline);
}

/* entry: {"keyids","threshold"} as a root or a delegation has it. */
static void
judge_role (Check *self, const char *role, const RbPolicyRule *rule, const json_t *entry, const json_t *keys)
{
  json_t *ids = json_object_get (entry, "keyids");
  json_t *id;
  size_t i;
  gint64 threshold = rb_json_integer_or (entry, "threshold", 0);
  if (threshold < rule->threshold || (gint64) json_array_size (ids) < rule->keys)
    find (self, "threshold", role, "violation",
          "%" G_GINT64_FORMAT " of %zu, the policy wants at least %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT, threshold,
          json_array_size (ids), rule->threshold, rule->keys);
  json_array_foreach (ids, i, id)
    judge_key (self, role, json_string_value (id) == NULL ? "" : json_string_value (id), keys, rule->offline);
}

static void
judge_expiry (Check *self, const char *role, const RbPolicyRule *rule, const RbMetadata *file)
{
  g_autofree char *text = rb_moment_to_text (file->expires);
  gint64 left = file->expires - self->now;
  gboolean campaign = strcmp (self->kind, "director") == 0 && file->type != RB_METADATA_ROOT;
  if (left <= 0)
    find (self, "expiry", role, "violation", "it expired at %s", text);
  else if (left > rule->days * RB_MOMENT_DAY && campaign && left <= (gint64) CAMPAIGN_DAYS * RB_MOMENT_DAY)
    find (self, "expiry", role, "exception",
          "valid until %s: more than %" G_GINT64_FORMAT " day, allowed only for a campaign (at most %d days)", text,
          rule->days, CAMPAIGN_DAYS);
  else if (left > rule->days * RB_MOMENT_DAY)
    find (self, "expiry", role, "violation", "valid until %s, the policy allows %" G_GINT64_FORMAT " days", text,
          rule->days);
}

static void
judge_signatures (Check *self, const char *role, RbMetadata *file, const json_t *keys, const json_t *entry)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (RbMetadataRole) signers = rb_metadata_role_new (keys, entry, &error);
  if (signers == NULL || !rb_metadata_verify (file, signers, &error))
    find (self, "signed", role, "violation", "%s", error->message);
}

/* Keys, threshold, signatures and expiry of a role and its file, which may be NULL. */
static void
judge (Check *self, const char *role, const RbPolicyRule *rule, RbMetadata *file, const json_t *keys,
       const json_t *entry)
{
  judge_role (self, role, rule, entry, keys);
  if (file == NULL) {
    find (self, "published", role, "note", "%s.json is missing and not checked", role);
    return;
  }
  judge_signatures (self, role, file, keys, entry);
  judge_expiry (self, role, rule, file);
}

/* The root that a client has to begin with to reach the newest. */
static const RbMetadata *
judge_chain (Check *self)
{
  const RbMetadata *first = self->roots->pdata[0];
  for (guint i = 1; i < self->roots->len; i++) {
    const RbMetadata *before = self->roots->pdata[i - 1];
    RbMetadata *root = self->roots->pdata[i];
    g_autoptr (GError) error = NULL;
    if (root->version == before->version + 1 && rb_metadata_verify_by_root (root, before, "root", &error))
      continue;
    find (self, "chain", "root", "exception",
          "root %" G_GINT64_FORMAT " does not follow from root %" G_GINT64_FORMAT
          ": vehicles take it only where a campaign pins it",
          root->version, before->version);
    first = root->version == before->version + 1 ? root : first; /* a gap is the client's finding */
  }
  return first;
}

static gboolean
judge_top_level (Check *self, GError **error)
{
  static const RbMetadataType types[]
    = { RB_METADATA_ROOT, RB_METADATA_TIMESTAMP, RB_METADATA_SNAPSHOT, RB_METADATA_TARGETS };
  static const char *const roles[] = { "root", "timestamp", "snapshot", "targets" };
  const json_t *root = newest_root (self)->signed_part;
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++) {
    const json_t *entry = json_object_get (json_object_get (root, "roles"), roles[i]);
    g_autofree char *name = g_strconcat (roles[i], ".json", NULL);
    g_autoptr (RbMetadata) file = NULL;
    if (i > 0 && !load (self, name, types[i], &file, error))
      return FALSE;
    RbPolicyRule rule;
    rb_policy_rules_find (self->policy, self->kind, roles[i], &rule);
    if (entry == NULL)
      find (self, "threshold", roles[i], "violation", "the root names no such role");
    else
      judge (self, roles[i], &rule, i == 0 ? newest_root (self) : file, json_object_get (root, "keys"), entry);
  }
  return TRUE;
}

/* Roles that only the repository's own clients know ("offline-updates", …): their keys are as good as others. */
static void
judge_other_roles (Check *self)
{
  static const RbPolicyRule rule = { NULL, NULL, 1, 1, 366, TRUE };
  const json_t *root = newest_root (self)->signed_part;
  const char *role;
  json_t *entry;
  json_object_foreach (json_object_get (root, "roles"), role, entry) {
    if (!rb_form_is_top_level (role))
      judge_role (self, role, &rule, entry, json_object_get (root, "keys"));
  }
}

static gboolean
judge_delegations (Check *self, GError **error)
{
  const json_t *delegations
    = self->targets == NULL ? NULL : json_object_get (self->targets->signed_part, "delegations");
  RbPolicyRule rule;
  gboolean may_delegate = rb_policy_rules_find (self->policy, self->kind, "*", &rule);
  json_t *entry;
  size_t i;
  json_array_foreach (json_object_get (delegations, "roles"), i, entry) {
    const char *role = rb_json_string_or (entry, "name", "?");
    g_autofree char *name = g_strconcat (role, ".json", NULL);
    g_autoptr (RbMetadata) file = NULL;
    if (rb_files_name_is_safe (name) && !load (self, name, RB_METADATA_TARGETS, &file, error))
      return FALSE;
    if (!may_delegate)
      find (self, "delegation", role, "violation", "a %s repository delegates nothing", self->kind);
    else
      judge (self, role, &rule, file, json_object_get (delegations, "keys"), entry);
  }
  return TRUE;
}

/* folder holds metadata, and keys.json when who holds the keys is known. kind NULL: found out. (transfer full) */
static json_t *
check_repository (const char *folder, const char *kind, const json_t *policy, gint64 now, GError **error)
{
  g_auto (Check) self
    = { .folder = folder, .kind = g_strdup (kind), .policy = policy, .now = now, .findings = json_array () };
  self.users = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (!load_roots (&self, error) || !load_records (&self, error)
      || !load (&self, "targets.json", RB_METADATA_TARGETS, &self.targets, error) || !kind_is_known (&self, error))
    return NULL;
  if (self.records == NULL)
    find (&self, "offline", "root", "note",
          "no keys.json: the holders of the keys, and whether keys are online, are not checked");
  rb_as_client_check (folder, self.kind, judge_chain (&self)->bytes, self.findings);
  if (!judge_top_level (&self, error) || !judge_delegations (&self, error))
    return NULL;
  judge_other_roles (&self);
  return g_steal_pointer (&self.findings);
}

typedef struct {
  char *kind, *policy;
} Options;

static void
clear_options (Options *self)
{
  g_free (self->kind);
  g_free (self->policy);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, clear_options)

static int
verb_check (RbCli *cli, int argc, char **argv)
{
  g_auto (Options) options = { NULL };
  int code = 0;
  g_autoptr (GError) error = NULL;
  if (!rb_cli_parse (cli, &options, &argc, &argv, &code))
    return code;
  g_autoptr (json_t) policy = options.policy == NULL ? NULL : rb_json_load (options.policy, POLICY_MAX, &error);
  json_t *findings = error == NULL && rb_policy_rules_check_form (policy, &error)
                       ? check_repository (argv[1], options.kind, policy, rb_moment_now (), &error)
                       : NULL;
  if (findings == NULL)
    return rb_cli_fail (cli, error, NULL);
  guint violations = 0;
  json_t *finding;
  size_t i;
  json_array_foreach (findings, i, finding) {
    const char *severity = rb_json_string_or (finding, "severity", "");
    violations += strcmp (severity, "violation") == 0;
    rb_cli_say (cli, "%-9s  %-12s %-12s %s", severity, rb_json_string_or (finding, "role", ""),
                rb_json_string_or (finding, "rule", ""), rb_json_string_or (finding, "text", ""));
  }
  json_t *extra = json_pack ("{s:o,s:i}", "findings", findings, "violations", (int) violations);
  g_autofree char *message
    = g_strdup_printf ("%s: %u violation%s of the policy", argv[1], violations, violations == 1 ? "" : "s");
  return rb_cli_end (cli, violations == 0 ? RB_CLI_OK : RB_CLI_FAILED,
                     rb_reason_word (violations == 0 ? RB_REASON_NONE : RB_REASON_POLICY), message, extra);
}

static const RbOption check_options[] = {
  { "kind", "director|image|service", "kind of the repository (default: found out)", RB_OPTION_WORD (Options, kind) },
  { "policy", "FILE", "the OEM's own policy, as oem init takes it", RB_OPTION_FILE (Options, policy) },
  { NULL },
};

const RbCliVerb rb_policy_verbs[] = {
  { "repo check", "DIR", "measure a repository's metadata against the key-management policy", verb_check, check_options,
    1, 1 },
  { NULL },
};
