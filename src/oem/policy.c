/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/policy.h"

#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"

#include <string.h>

#define FILE_MAX (64 * 1024 * 1024)
#define CAMPAIGN_DAYS 60

typedef struct {
  const char *kind;
  const char *role; /* "*": a delegated role */
  gint64 threshold, keys;
  gint64 days;      /* it may be valid for, from now */
  gboolean offline; /* its keys must be */
} Rule;

static const Rule rules[] = {
  { "director", "root", 5, 8, 366, TRUE },   { "director", "timestamp", 1, 1, 1, FALSE },
  { "director", "snapshot", 1, 1, 1, FALSE }, { "director", "targets", 1, 1, 1, FALSE },
  { "image", "root", 5, 8, 366, TRUE },      { "image", "timestamp", 1, 2, 60, FALSE },
  { "image", "snapshot", 1, 2, 60, FALSE },  { "image", "targets", 3, 4, 366, TRUE },
  { "image", "*", 1, 2, 366, TRUE },         { "service", "root", 5, 8, 366, TRUE },
  { "service", "timestamp", 1, 2, 30, FALSE }, { "service", "snapshot", 1, 2, 30, FALSE },
  { "service", "targets", 3, 5, 366, TRUE },
};

typedef struct {
  const char *folder;
  char *kind;
  gint64 now;
  json_t *findings;
  json_t *root;      /* signed part of the newest root */
  json_t *targets;   /* signed part, may be NULL */
  json_t *records;   /* key id → record of keys.json; NULL when there is none */
  GHashTable *users; /* key value → role it was met in first */
} Check;

static void
check_clear (Check *self)
{
  g_clear_pointer (&self->kind, g_free);
  g_clear_pointer (&self->findings, json_decref);
  g_clear_pointer (&self->root, json_decref);
  g_clear_pointer (&self->targets, json_decref);
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
  json_array_append_new (self->findings, json_pack ("{s:s,s:s,s:s,s:s}", "rule", rule, "role", role, "severity", severity,
                                                    "text", text));
}

/* The signed part of a file; NULL without error when it is not there. (transfer full) */
static json_t *
load (Check *self, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  if (!rb_files_exists (path))
    return NULL;
  g_autoptr (json_t) envelope = rb_json_load (path, FILE_MAX, error);
  json_t *part = envelope == NULL ? NULL : rb_json_object (envelope, "signed", name, error);
  return part == NULL ? NULL : json_incref (part);
}

static json_t *
load_newest_root (Check *self, GError **error)
{
  g_auto (GStrv) names = rb_files_list (self->folder, error);
  guint64 newest = 0;
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    char *rest = NULL;
    guint64 version = g_ascii_strtoull (names[i], &rest, 10);
    if (strcmp (rest, ".root.json") == 0 && g_ascii_isdigit (names[i][0]))
      newest = MAX (newest, version);
  }
  if (names == NULL)
    return NULL;
  g_autofree char *name = newest == 0 ? g_strdup ("root.json") : g_strdup_printf ("%" G_GUINT64_FORMAT ".root.json", newest);
  json_t *root = load (self, name, error);
  if (root == NULL && (error == NULL || *error == NULL))
    g_set_error (error, RB_OEM_ERROR, RB_REASON_MISSING, "%s: no root metadata in it", self->folder);
  return root;
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

static const Rule *
rule_of (Check *self, const char *role)
{
  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    if (strcmp (rules[i].kind, self->kind) == 0 && strcmp (rules[i].role, role) == 0)
      return &rules[i];
  return NULL;
}

static gboolean
kind_is_known (Check *self, GError **error)
{
  if (self->kind == NULL && g_ascii_islower (rb_json_string_or (self->root, "_type", "R")[0]))
    self->kind = g_strdup ("service");
  if (self->kind == NULL && json_object_get (self->targets, "vin") != NULL)
    self->kind = g_strdup ("director");
  if (self->kind == NULL && json_object_get (self->targets, "delegations") != NULL)
    self->kind = g_strdup ("image");
  if (self->kind != NULL && rule_of (self, "root") != NULL)
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
    find (self, "key-recorded", role, "violation", "nobody is named as holder of key %.16s…", id);
  else if (offline && rb_json_boolean_or (record, "online", TRUE))
    find (self, "offline", role, "violation", "key %.16s… (%s) is online, the policy wants it offline", id,
          rb_json_string_or (record, "holder", "?"));
}

static void
judge_key (Check *self, const char *role, const char *id, json_t *keys, gboolean offline)
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
judge_role (Check *self, const char *role, const Rule *rule, json_t *entry, json_t *keys)
{
  json_t *ids = json_object_get (entry, "keyids");
  json_t *id;
  size_t i;
  gint64 threshold = rb_json_integer_or (entry, "threshold", 0);
  if (threshold < rule->threshold || (gint64) json_array_size (ids) < rule->keys)
    find (self, "threshold", role, "violation", "%" G_GINT64_FORMAT " of %zu, the policy wants at least %" G_GINT64_FORMAT
          " of %" G_GINT64_FORMAT, threshold, json_array_size (ids), rule->threshold, rule->keys);
  json_array_foreach (ids, i, id)
    judge_key (self, role, json_string_value (id) == NULL ? "" : json_string_value (id), keys, rule->offline);
}

static void
judge_expiry (Check *self, const char *role, const Rule *rule, json_t *part)
{
  gint64 expires = 0;
  const char *text = rb_json_string_or (part, "expires", "");
  gint64 allowed = self->now + rule->days * RB_MOMENT_DAY;
  gboolean campaign = strcmp (self->kind, "director") == 0 && strcmp (role, "root") != 0;
  if (!rb_moment_from_text (text, &expires))
    find (self, "expiry", role, "violation", "“%s” is no time", text);
  else if (expires <= self->now)
    find (self, "expiry", role, "violation", "it expired at %s", text);
  else if (expires > allowed && campaign && expires <= self->now + (gint64) CAMPAIGN_DAYS * RB_MOMENT_DAY)
    find (self, "expiry", role, "exception", "valid until %s: more than %" G_GINT64_FORMAT
          " day, allowed only for a campaign (at most %d days)", text, rule->days, CAMPAIGN_DAYS);
  else if (expires > allowed)
    find (self, "expiry", role, "violation", "valid until %s, the policy allows %" G_GINT64_FORMAT " days", text, rule->days);
}

static gboolean
judge_file (Check *self, const char *role, const Rule *rule, GError **error)
{
  g_autofree char *name = g_strconcat (role, ".json", NULL);
  g_autoptr (GError) problem = NULL;
  g_autoptr (json_t) part = rb_files_name_is_safe (name) ? load (self, name, &problem) : NULL;
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  if (part == NULL)
    find (self, "published", role, "note", "%s is not there and not judged", name);
  else
    judge_expiry (self, role, rule, part);
  return TRUE;
}

static gboolean
judge_top_level (Check *self, GError **error)
{
  static const char *const roles[] = { "root", "timestamp", "snapshot", "targets" };
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++) {
    const Rule *rule = rule_of (self, roles[i]);
    json_t *entry = json_object_get (json_object_get (self->root, "roles"), roles[i]);
    if (entry == NULL)
      find (self, "threshold", roles[i], "violation", "the root names no such role");
    else
      judge_role (self, roles[i], rule, entry, json_object_get (self->root, "keys"));
    if (i == 0)
      judge_expiry (self, "root", rule, self->root);
    else if (!judge_file (self, roles[i], rule, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
judge_delegations (Check *self, GError **error)
{
  json_t *delegations = json_object_get (self->targets, "delegations");
  const Rule *rule = rule_of (self, "*");
  json_t *entry;
  size_t i;
  json_array_foreach (json_object_get (delegations, "roles"), i, entry) {
    const char *name = rb_json_string_or (entry, "name", "?");
    if (rule == NULL) {
      find (self, "delegation", name, "violation", "a %s repository delegates nothing", self->kind);
      continue;
    }
    judge_role (self, name, rule, entry, json_object_get (delegations, "keys"));
    if (!judge_file (self, name, rule, error))
      return FALSE;
  }
  return TRUE;
}

json_t *
rb_policy_check (const char *folder, const char *kind, gint64 now, GError **error)
{
  g_auto (Check) self = { .folder = folder, .kind = g_strdup (kind), .now = now, .findings = json_array () };
  g_autoptr (GError) problem = NULL;
  self.users = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self.root = load_newest_root (&self, error);
  if (self.root == NULL || !load_records (&self, error))
    return NULL;
  self.targets = load (&self, "targets.json", &problem);
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return NULL;
  }
  if (!kind_is_known (&self, error))
    return NULL;
  if (self.records == NULL)
    find (&self, "offline", "root", "note", "no keys.json: who holds the keys, and whether online, is not judged");
  if (!judge_top_level (&self, error) || !judge_delegations (&self, error))
    return NULL;
  return g_steal_pointer (&self.findings);
}

int
rb_policy_verb_check (RbCli *cli, int argc, char **argv)
{
  g_autofree char *kind = NULL;
  const GOptionEntry entries[] = {
    { "kind", 0, 0, G_OPTION_ARG_STRING, &kind, "director, image or service (default: found out)", "KIND" },
    { NULL },
  };
  int code = 0;
  g_autoptr (GError) error = NULL;
  if (!rb_cli_parse (cli, entries, 1, 1, &argc, &argv, &code))
    return code;
  json_t *findings = rb_policy_check (argv[1], kind, rb_moment_now (), &error);
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
  g_autofree char *message = g_strdup_printf ("%s: %u violation%s of the policy", argv[1], violations,
                                              violations == 1 ? "" : "s");
  return rb_cli_end (cli, violations == 0 ? RB_CLI_OK : RB_CLI_FAILED,
                     rb_reason_word (violations == 0 ? RB_REASON_NONE : RB_REASON_POLICY), message, extra);
}
