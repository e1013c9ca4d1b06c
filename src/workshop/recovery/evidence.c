/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/evidence.h"

#include "core/files.h"
#include "outbox/stored.h"
#include "recovery/coding.h"

/* A parked ECU is not erased; what is not observed yet is asked for when it is. */
static gboolean
loses_coding (const RbEcuJob *job)
{
  gboolean told = FALSE;
  for (guint i = 0; i < job->coding->len; i++)
    told = told || ((const RbCodingValue *) job->coding->pdata[i])->now != NULL;
  return told && job->need_image && job->state != RB_ECU_PARKED && job->state != RB_ECU_DONE;
}

static gboolean
write_record (const RbSign *sign, const char *folder, GError **error)
{
  RbSign partial = *sign;
  const char *result = NULL;
  partial.end = RB_STATEMENT_FINISHED; /* that completes nothing: a partial record */
  g_autofree char *digest = rb_files_make_folder (folder, error) ? rb_sign_record (&partial, &result, error) : NULL;
  g_autoptr (RbOutbox) outbox = digest == NULL ? NULL : rb_outbox_open (sign->data_dir, error);
  g_autoptr (RbStored) stored = outbox == NULL ? NULL : rb_stored_find (outbox, digest, error);
  if (stored == NULL)
    return FALSE;
  g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT "-%s.json", stored->outcome->sequence, digest);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  return rb_files_write_output (path, stored->envelope, 0644, error);
}

gboolean
rb_evidence_leave (const RbSign *sign, const RbEcuJobContext *context, const char *folder, GError **error)
{
  const GPtrArray *jobs = context->jobs;
  RbEcuJobContext recorded = *context;
  gboolean any = FALSE;
  recorded.needs_evidence = FALSE;
  for (guint i = 0; i < jobs->len; i++)
    any = any || loses_coding (jobs->pdata[i]);
  if (any && !write_record (sign, folder, error))
    return FALSE;
  for (guint i = 0; i < jobs->len; i++)
    if (loses_coding (jobs->pdata[i]) && !rb_coding_keep (jobs->pdata[i], &recorded, error))
      return FALSE;
  return TRUE;
}
