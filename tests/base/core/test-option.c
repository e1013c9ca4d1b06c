/* SPDX-License-Identifier: Apache-2.0 */
#include "core/option.h"

#include "core/reason.h"

#include <locale.h>
#include <string.h>

typedef struct {
  gboolean flag;
  char *text, *word, *file, *folder, *link;
  GStrv texts, files;
  gint64 number;
} Settings;

static const RbOption own[] = {
  { "flag", NULL, "a flag", RB_OPTION_FLAG (Settings, flag), .letter = 'f' },
  { "text", "TEXT", "a text", RB_OPTION_TEXT (Settings, text) },
  { "word", "real|fast", "a word", RB_OPTION_WORD (Settings, word) },
  { "output", "FILE", "a file", RB_OPTION_FILE (Settings, file), .letter = 'o', .needed = TRUE },
  { "folder", "DIR", "a folder", RB_OPTION_FOLDER (Settings, folder) },
  { "link", "URI", "a link", RB_OPTION_LINK (Settings, link) },
  { "texts", "TEXT", "texts", RB_OPTION_TEXTS (Settings, texts) },
  { "files", "FILE", "files", RB_OPTION_FILES (Settings, files) },
  { "number", "N", "a number", RB_OPTION_NUMBER (Settings, number, -2, 7) },
  { NULL },
};

typedef struct {
  gboolean json;
} Common;

static const RbOption common[] = { { "json", NULL, "JSON", RB_OPTION_FLAG (Common, json) }, { NULL } };

static void
settings_clear (Settings *self)
{
  char *const texts[] = { self->text, self->word, self->file, self->folder, self->link };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  g_strfreev (self->texts);
  g_strfreev (self->files);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Settings, settings_clear)

/* Takes every argument of the line. */
static gboolean
take (Settings *settings, Common *others, const char *line, GError **error)
{
  g_auto (GStrv) arguments = g_strsplit (line, " ", -1);
  const RbOptionSet set = { own, settings, common, others, NULL };
  guint at = 0;
  while (arguments[at] != NULL)
    if (!rb_option_take (&set, arguments, &at, error))
      return FALSE;
  return TRUE;
}

static void
test_every_kind (void)
{
  g_auto (Settings) settings = { .number = 5 };
  Common others = { FALSE };
  g_assert_true (take (&settings, &others,
                       "--flag --text a --word=fast -o x/y --folder=z --link can:can0 --number -2 --json", NULL));
  g_assert_true (settings.flag && others.json);
  g_assert_cmpstr (settings.text, ==, "a");
  g_assert_cmpstr (settings.word, ==, "fast");
  g_assert_cmpstr (settings.file, ==, "x/y");
  g_assert_cmpstr (settings.folder, ==, "z");
  g_assert_cmpstr (settings.link, ==, "can:can0");
  g_assert_cmpint (settings.number, ==, -2);
  g_assert_true (take (&settings, &others, "--texts a --files=b --texts c --files d -f -oq", NULL));
  g_assert_cmpuint (g_strv_length (settings.texts), ==, 2);
  g_assert_cmpstr (settings.texts[1], ==, "c");
  g_assert_cmpstr (settings.files[0], ==, "b");
  g_assert_cmpstr (settings.file, ==, "q");
}

static void
test_a_value_may_look_like_an_option (void)
{
  g_auto (Settings) settings = { 0 };
  Common others = { FALSE };
  g_assert_true (take (&settings, &others, "--text --json", NULL));
  g_assert_cmpstr (settings.text, ==, "--json");
  g_assert_false (others.json);
}

static void
test_refused (void)
{
  const char *const lines[] = { "--nonsense",  "-x",        "--flag=1",   "--json=yes",  "--text",
                                "--word slow", "--word=",   "--number 8", "--number -3", "--number 7x",
                                "--number=",   "--output=", "--folder=",  "-o" };
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_auto (Settings) settings = { .number = 5 };
    Common others = { FALSE };
    g_autoptr (GError) error = NULL;
    g_assert_false (take (&settings, &others, lines[i], &error));
    g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_USAGE);
    g_assert_cmpint (settings.number, ==, 5);
  }
}

static void
test_needed (void)
{
  g_auto (Settings) settings = { 0 };
  g_autoptr (GError) error = NULL;
  g_assert_false (rb_option_check_needed (own, &settings, &error));
  g_assert_cmpstr (error->message, ==, "--output FILE is missing");
  settings.file = g_strdup ("x");
  g_assert_true (rb_option_check_needed (own, &settings, NULL));
}

static void
test_labels (void)
{
  g_autofree char *flag = rb_option_label (&own[0]);
  g_autofree char *output = rb_option_label (rb_option_find (own, "output"));
  g_assert_cmpstr (flag, ==, "-f, --flag");
  g_assert_cmpstr (output, ==, "-o, --output FILE");
  g_assert_null (rb_option_find (own, "nonsense"));
  g_assert_null (rb_option_find (NULL, "output"));
  g_assert_cmpstr (rb_option_kind_name (RB_OPTION_FILES), ==, "file");
  g_assert_true (rb_option_is_list (RB_OPTION_FILES) && !rb_option_is_list (RB_OPTION_FILE));
}

/* In the C locale UTF-8 is taken as it is; bytes that are no text are refused as text and kept as a path. */
static void
test_encodings (void)
{
  g_auto (Settings) settings = { 0 };
  Common others = { FALSE };
  g_autoptr (GError) error = NULL;
  setlocale (LC_ALL, "C");
  g_assert_true (take (&settings, &others, "--text Z\xc3\xbcrich", NULL));
  g_assert_cmpstr (settings.text, ==, "Zürich");
  g_assert_false (take (&settings, &others, "--text Z\xfcrich", &error));
  g_assert_cmpint (rb_reason_of (error), ==, RB_REASON_USAGE);
  g_assert_true (take (&settings, &others, "--output Z\xfcrich", NULL));
  g_assert_cmpstr (settings.file, ==, "Z\xfcrich");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/option/every-kind", test_every_kind);
  g_test_add_func ("/option/a-value-may-look-like-an-option", test_a_value_may_look_like_an_option);
  g_test_add_func ("/option/refused", test_refused);
  g_test_add_func ("/option/needed", test_needed);
  g_test_add_func ("/option/labels", test_labels);
  g_test_add_func ("/option/encodings", test_encodings);
  return g_test_run ();
}
