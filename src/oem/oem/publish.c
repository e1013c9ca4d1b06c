/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/publish.h"

#include "authority/drafting.h"
#include "authority/install.h"
#include "core/files.h"

static gboolean
write_draft (const RbOemFolder *folder, const RbPublishing *publishing, const char *output, const RbDraft *draft,
             char **path, GError **error)
{
  g_autofree char *fingerprint = rb_draft_fingerprint (draft);
  g_autofree char *file = g_strdup_printf ("%s-%.16s.draft", publishing->authoring->kind, fingerprint);
  g_autofree char *drafts = g_build_filename (folder->path, "drafts", NULL);
  g_autoptr (GBytes) bytes = rb_draft_to_bytes (draft);
  *path = output != NULL ? g_strdup (output) : g_build_filename (drafts, file, NULL);
  return rb_files_make_folder (drafts, error) && rb_files_write_output (*path, bytes, 0644, error);
}

gboolean
rb_publish_or_draft (const RbOemFolder *folder, RbPublishing *publishing, const char *output, char **draft,
                     GError **error)
{
  g_autoptr (RbDraft) changes = rb_draft_new ();
  *draft = NULL;
  if (!rb_drafting_changes (publishing, changes, error))
    return FALSE;
  if (changes->documents->len > 0 && !rb_draft_is_complete (changes, NULL))
    return write_draft (folder, publishing, output, changes, draft, error);
  return rb_install_draft (publishing, changes, error);
}
