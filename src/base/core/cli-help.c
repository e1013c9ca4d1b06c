/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli-help.h"

#include "core/json.h"

#include <string.h>

enum { VERB_COLUMN = 44, OPTION_COLUMN = 28 }; /* where summaries begin */

/* "  label   summary"; the summary on a line of its own where the label is too long. */
static void
add_row (GString *out, const char *label, guint column, const char *summary)
{
  guint width = (guint) g_utf8_strlen (label, -1);
  if (width <= column)
    g_string_append_printf (out, "  %s%*s %s\n", label, (int) (column - width), "", summary);
  else
    g_string_append_printf (out, "  %s\n  %*s %s\n", label, (int) column, "", summary);
}

/* Every verb is in the group "". */
static gboolean
is_in_group (const RbCliVerb *verb, const char *group)
{
  gsize length = strlen (group);
  if (verb->name[0] == '\0' || length == 0)
    return verb->name[0] != '\0';
  return strncmp (verb->name, group, length) == 0 && (verb->name[length] == '\0' || verb->name[length] == ' ');
}

static void
add_verbs (GString *out, const RbCliProgram *program, const char *group, const RbCliVerb *except)
{
  for (const RbCliVerb *const *table = program->groups; *table != NULL; table++)
    for (const RbCliVerb *verb = *table; verb->name != NULL; verb++) {
      g_autofree char *label = g_strdup_printf ("%s %s", verb->name, verb->arguments);
      if (verb != except && is_in_group (verb, group))
        add_row (out, g_strchomp (label), VERB_COLUMN, verb->summary);
    }
}

static void
add_options (GString *out, const RbOption *options)
{
  for (; options != NULL && options->name != NULL; options++) {
    g_autofree char *label = rb_option_label (options);
    add_row (out, label, OPTION_COLUMN, options->summary);
  }
}

char *
rb_cli_help_overview (const RbCliProgram *program, const char *group)
{
  GString *out = g_string_new (NULL);
  g_string_append_printf (out, "Usage: %s %s [OPTION…]\n\n%s\n\n", program->name, group == NULL ? "VERB" : group,
                          program->summary);
  add_verbs (out, program, group == NULL ? "" : group, NULL);
  if (program->common == RB_CLI_ALL)
    g_string_append (out,
                     "\nCommon options: --json  --data-dir DIR  --config FILE  --help  --version\n"
                     "Exit codes: 0 done and good, 1 refused or failed, 2 wrong usage, 3 a vehicle was touched and is "
                     "not complete.\n");
  return g_string_free (out, FALSE);
}

char *
rb_cli_help_verb (const RbCliProgram *program, const RbCliVerb *verb, const RbOption *common)
{
  GString *out = g_string_new (NULL);
  g_autofree char *words = g_strdup_printf ("%s %s", program->name, verb->name);
  g_autofree char *usage = g_strdup_printf ("%s [OPTION…] %s", g_strchomp (words), verb->arguments);
  g_string_append_printf (out, "Usage:\n  %s\n\n%s\n", g_strchomp (usage), verb->summary);
  g_string_append (out, verb->options == NULL ? "" : "\nOptions:\n");
  add_options (out, verb->options);
  g_string_append (out, "\nCommon options:\n");
  add_options (out, common);
  g_autoptr (GString) others = g_string_new (NULL);
  add_verbs (others, program, verb->name, verb);
  if (others->len > 0)
    g_string_append_printf (out, "\nOther commands:\n%s", others->str);
  return g_string_free (out, FALSE);
}

static json_t *
option_rows (const RbOption *options)
{
  json_t *rows = json_array ();
  for (; options != NULL && options->name != NULL; options++) {
    const char letter[] = { options->letter, '\0' };
    json_t *row = json_object ();
    rb_json_set_string (row, "name", options->name);
    rb_json_set_string (row, "letter", letter);
    rb_json_set_string (row, "value", options->value);
    rb_json_set_string (row, "kind", rb_option_kind_name (options->kind));
    rb_json_set_boolean (row, "list", rb_option_is_list (options->kind));
    rb_json_set_string (row, "summary", options->summary);
    json_array_append_new (rows, row);
  }
  return rows;
}

json_t *
rb_cli_help_table (const RbCliProgram *program, const RbOption *common)
{
  json_t *table = json_object (), *verbs = json_array ();
  rb_json_set_string (table, "program", program->name);
  rb_json_set_string (table, "summary", program->summary);
  rb_json_set (table, "common", option_rows (common));
  for (const RbCliVerb *const *group = program->groups; *group != NULL; group++)
    for (const RbCliVerb *verb = *group; verb->name != NULL; verb++) {
      json_t *row = json_object ();
      rb_json_set_string (row, "name", verb->name);
      rb_json_set_string (row, "arguments", verb->arguments);
      rb_json_set_string (row, "summary", verb->summary);
      rb_json_set (row, "options", option_rows (verb->options));
      json_array_append_new (verbs, row);
    }
  rb_json_set (table, "verbs", verbs);
  return table;
}
