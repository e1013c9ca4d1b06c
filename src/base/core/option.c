/* SPDX-License-Identifier: Apache-2.0 */
#include "core/option.h"

#include "core/reason.h"

#include <string.h>

#define usage(error, ...) rb_reason_deny (error, RB_CORE_ERROR, RB_REASON_USAGE, __VA_ARGS__)

static const struct {
  const char *name;
  gboolean list;
} kinds[] = {
  [RB_OPTION_FLAG] = { "flag", FALSE },     [RB_OPTION_TEXT] = { "text", FALSE },
  [RB_OPTION_TEXTS] = { "text", TRUE },     [RB_OPTION_WORD] = { "word", FALSE },
  [RB_OPTION_LINK] = { "link", FALSE },     [RB_OPTION_FILE] = { "file", FALSE },
  [RB_OPTION_FILES] = { "file", TRUE },     [RB_OPTION_FOLDER] = { "folder", FALSE },
  [RB_OPTION_NUMBER] = { "number", FALSE },
};

const char *
rb_option_kind_name (RbOptionKind kind)
{
  return kinds[kind].name;
}

gboolean
rb_option_is_list (RbOptionKind kind)
{
  return kinds[kind].list;
}

const RbOption *
rb_option_find (const RbOption *options, const char *name)
{
  for (; options != NULL && options->name != NULL; options++)
    if (strcmp (options->name, name) == 0)
      return options;
  return NULL;
}

static const RbOption *
find_letter (const RbOption *options, char letter)
{
  for (; options != NULL && options->name != NULL; options++)
    if (options->letter != 0 && options->letter == letter)
      return options;
  return NULL;
}

char *
rb_option_label (const RbOption *option)
{
  g_autofree char *letter = option->letter == 0 ? g_strdup ("") : g_strdup_printf ("-%c, ", option->letter);
  return g_strdup_printf ("%s--%s%s%s", letter, option->name, option->value == NULL ? "" : " ",
                          option->value == NULL ? "" : option->value);
}

/* In the C locale, which has no letters beyond ASCII, UTF-8 is taken as such. */
static char *
to_utf8 (const char *bytes)
{
  char *text = g_locale_to_utf8 (bytes, -1, NULL, NULL, NULL);
  return text != NULL || !g_utf8_validate (bytes, -1, NULL) ? text : g_strdup (bytes);
}

static gboolean
is_among (const char *words, const char *word)
{
  g_auto (GStrv) known = g_strsplit (words, "|", -1);
  return g_strv_contains ((const char *const *) known, word);
}

static void
append (GStrv *list, char *text)
{
  guint n = *list == NULL ? 0 : g_strv_length (*list);
  *list = g_renew (char *, *list, n + 2);
  (*list)[n] = text;
  (*list)[n + 1] = NULL;
}

static gboolean
store_number (const RbOption *option, gint64 *number, const char *value, GError **error)
{
  if (g_ascii_string_to_signed (value, 10, option->low, option->high, number, NULL))
    return TRUE;
  return usage (error, "--%s: a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT ", not “%s”", option->name,
                option->low, option->high, value);
}

gboolean
rb_option_store (const RbOption *option, gpointer settings, const char *value, GError **error)
{
  gpointer place = (char *) settings + option->at;
  gboolean path = option->kind == RB_OPTION_FILE || option->kind == RB_OPTION_FILES || option->kind == RB_OPTION_FOLDER;
  g_autofree char *text = path ? g_strdup (value) : to_utf8 (value);
  if (text == NULL)
    return usage (error, "--%s: the value is not text in the encoding of the locale", option->name);
  if (path && *text == '\0')
    return usage (error, "--%s: the path is empty", option->name);
  if (option->kind == RB_OPTION_NUMBER)
    return store_number (option, place, text, error);
  if (option->kind == RB_OPTION_WORD && !is_among (option->value, text))
    return usage (error, "--%s: one of %s, not “%s”", option->name, option->value, text);
  if (rb_option_is_list (option->kind)) {
    append (place, g_steal_pointer (&text));
    return TRUE;
  }
  g_free (*(char **) place);
  *(char **) place = g_steal_pointer (&text);
  return TRUE;
}

/* "--name", "--name=value", "-l" or "-lvalue": the option's name or letter, and the value that hangs on it. */
typedef struct {
  char *name;
  char letter;
  const char *value;
} Spelling;

static void
spelling_clear (Spelling *self)
{
  g_free (self->name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Spelling, spelling_clear)

static void
read_spelling (const char *argument, Spelling *out)
{
  if (argument[1] != '-') {
    out->letter = argument[1];
    out->value = argument[1] != '\0' && argument[2] != '\0' ? &argument[2] : NULL;
    return;
  }
  const char *equals = strchr (argument, '=');
  out->name = equals == NULL ? g_strdup (&argument[2]) : g_strndup (&argument[2], (gsize) (equals - argument) - 2);
  out->value = equals == NULL ? NULL : &equals[1];
}

static const RbOption *
find_spelling (const RbOption *options, const Spelling *spelling)
{
  return spelling->name != NULL ? rb_option_find (options, spelling->name) : find_letter (options, spelling->letter);
}

gboolean
rb_option_take (const RbOptionSet *set, char **arguments, guint *at, GError **error)
{
  g_auto (Spelling) spelling = { NULL };
  read_spelling (arguments[*at], &spelling);
  const RbOption *own = find_spelling (set->own, &spelling);
  const RbOption *option = own != NULL ? own : find_spelling (set->common, &spelling);
  gpointer place = own != NULL ? set->settings : set->common_settings;
  if (option == NULL)
    return usage (error, "%s: no such option", arguments[*at]);
  (*at)++;
  if (set->given != NULL)
    g_hash_table_add (set->given, (gpointer) option);
  if (option->kind == RB_OPTION_FLAG) {
    if (spelling.value != NULL)
      return usage (error, "--%s takes no value", option->name);
    *(gboolean *) ((char *) place + option->at) = TRUE;
    return TRUE;
  }
  const char *value = spelling.value != NULL ? spelling.value : arguments[*at];
  if (value == NULL)
    return usage (error, "--%s: the value %s is missing", option->name, option->value);
  *at += spelling.value == NULL;
  return rb_option_store (option, place, value, error);
}

gboolean
rb_option_check_needed (const RbOption *options, gconstpointer settings, GError **error)
{
  for (; options != NULL && options->name != NULL; options++)
    if (options->needed && *(char *const *) ((const char *) settings + options->at) == NULL)
      return usage (error, "--%s %s is missing", options->name, options->value);
  return TRUE;
}
