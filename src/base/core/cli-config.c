/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli-config.h"

#include "core/files.h"
#include "core/reason.h"

#include <string.h>

#define MAX_CONFIG (64 * 1024)

static const char *const programs[] = { "recallctl", "recall-oem", "recall-sim", "recallbay", "recall-can-setup" };
/* common options that a file cannot give */
static const char *const only_typed[] = { "config", "help", "version" };

#define malformed(error, ...) rb_reason_deny (error, RB_CORE_ERROR, RB_REASON_MALFORMED, __VA_ARGS__)

static const RbCliVerb *
find_verb (const RbCliProgram *program, const char *name)
{
  for (const RbCliVerb *const *group = program->groups; *group != NULL; group++)
    for (const RbCliVerb *verb = *group; verb->name != NULL; verb++)
      if (strcmp (verb->name, name) == 0)
        return verb;
  return NULL;
}

static gboolean
is_among (const char *const *words, gsize n, const char *word)
{
  for (gsize i = 0; i < n; i++)
    if (strcmp (words[i], word) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
store_list (const RbOption *option, gpointer settings, GKeyFile *file, const char *group, GError **error)
{
  g_auto (GStrv) values = g_key_file_get_string_list (file, group, option->name, NULL, error);
  for (guint i = 0; values != NULL && values[i] != NULL; i++)
    if (!rb_option_store (option, settings, values[i], error))
      return FALSE;
  return values != NULL;
}

static gboolean
store_flag (const RbOption *option, gpointer settings, GKeyFile *file, const char *group, GError **error)
{
  g_autoptr (GError) problem = NULL;
  gboolean flag = g_key_file_get_boolean (file, group, option->name, &problem);
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  *(gboolean *) ((char *) settings + option->at) = flag;
  return TRUE;
}

static gboolean
store_value (const RbOption *option, gpointer settings, GKeyFile *file, const char *group, GError **error)
{
  if (option->kind == RB_OPTION_FLAG)
    return store_flag (option, settings, file, group, error);
  if (rb_option_is_list (option->kind))
    return store_list (option, settings, file, group, error);
  g_autofree char *value = g_key_file_get_string (file, group, option->name, error);
  return value != NULL && rb_option_store (option, settings, value, error);
}

/* A group's keys; those of the running verb are stored. verb NULL: the group of a program without such a verb. */
static gboolean
read_group (RbCli *cli, GKeyFile *file, const char *group, const RbCliVerb *verb, const RbOption *common,
            gpointer settings, GError **error)
{
  g_auto (GStrv) keys = g_key_file_get_keys (file, group, NULL, error);
  for (guint i = 0; keys != NULL && keys[i] != NULL; i++) {
    const RbOption *option = verb == NULL ? NULL : rb_option_find (verb->options, keys[i]);
    gpointer place = verb == cli->verb ? settings : NULL;
    if (option == NULL && common != NULL && !is_among (only_typed, G_N_ELEMENTS (only_typed), keys[i])) {
      option = rb_option_find (common, keys[i]);
      place = cli;
    }
    g_autoptr (GError) problem = NULL;
    if (option == NULL)
      return malformed (error, "%s: [%s] has the unknown key %s", cli->config, group, keys[i]);
    if (place != NULL && !g_hash_table_contains (cli->given, option)
        && !store_value (option, place, file, group, &problem))
      return malformed (error, "%s: [%s]: %s", cli->config, group, problem->message);
  }
  return keys != NULL;
}

static gboolean
load (GKeyFile *file, const char *path, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (GBytes) bytes = rb_files_read (path, MAX_CONFIG, error);
  if (bytes == NULL)
    return FALSE;
  if (g_bytes_get_size (bytes) == 0 || g_key_file_load_from_bytes (file, bytes, G_KEY_FILE_NONE, &problem))
    return TRUE;
  return malformed (error, "%s: %s", path, problem->message);
}

gboolean
rb_cli_config_apply (RbCli *cli, const RbOption *common, gpointer settings, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  if (!load (file, cli->config, error))
    return FALSE;
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  for (guint i = 0; groups[i] != NULL; i++) {
    g_auto (GStrv) parts = g_strsplit (groups[i], " ", 2);
    gboolean whole = g_strv_length (parts) < 2;
    gboolean ours = g_strcmp0 (parts[0], cli->program->name) == 0;
    const RbCliVerb *verb = ours ? find_verb (cli->program, whole ? "" : parts[1]) : NULL;
    if (!ours && parts[0] != NULL && is_among (programs, G_N_ELEMENTS (programs), parts[0]))
      continue;
    if (!ours || (verb == NULL && !whole))
      return malformed (error, "%s: unknown group [%s]", cli->config, groups[i]);
    if (!read_group (cli, file, groups[i], verb, whole ? common : NULL, settings, error))
      return FALSE;
  }
  return TRUE;
}
