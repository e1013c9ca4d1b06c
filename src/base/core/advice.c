/* SPDX-License-Identifier: Apache-2.0 */
#include "core/advice.h"

#include "core/files.h"

#include <glib/gi18n-lib.h>
#include <locale.h>

static const struct {
  const char *means, *next;
} table[RB_REASON_LAST] = {
#include "advice-table.h"
};

void
rb_advice_set_language (const char *program_path)
{
  g_autofree char *beside = g_build_filename (program_path, "..", "po", NULL);
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, rb_files_is_folder (beside) ? beside : RB_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
}

const char *
rb_advice_means (RbReason reason)
{
  return reason > RB_REASON_NONE && reason < RB_REASON_LAST && table[reason].means != NULL ? _ (table[reason].means)
                                                                                           : "";
}

const char *
rb_advice_next (RbReason reason)
{
  return reason > RB_REASON_NONE && reason < RB_REASON_LAST && table[reason].next != NULL ? _ (table[reason].next) : "";
}
