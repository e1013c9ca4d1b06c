/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/tuf.h"

#include "uptane/repository.h"
#include "uptane/vehicle.h"

#include <string.h>

#define MAX_TARGET (G_GUINT64_CONSTANT (8) << 30)

struct _RbTuf {
  RbStore *store;
  RbSource *source;
  RbTufOptions options;
  RbVerdict verdict;
  RbRepository *repository;
};

RbTuf *
rb_tuf_new (RbStore *store, RbSource *source, const RbTufOptions *options)
{
  RbTuf *self = g_new0 (RbTuf, 1);
  self->store = store;
  self->source = source;
  self->options = *options;
  const RbRepositoryLimits limits = { options->repo, options->now, options->max_root, options->max_timestamp,
                                      options->max_snapshot, options->max_targets };
  self->repository = rb_repository_new (store, source, &limits, &self->verdict);
  return self;
}

void
rb_tuf_free (RbTuf *self)
{
  rb_repository_free (self->repository);
  rb_verdict_clear (&self->verdict);
  g_free (self);
}

/* Each verified file is stored before the next is fetched (TUF 5.3–5.6). */
static gboolean
refresh (RbTuf *self, GError **error)
{
  return rb_repository_update_root (self->repository, error)
         && rb_repository_update_timestamp (self->repository, error) && rb_repository_commit (self->repository, error)
         && rb_repository_update_snapshot (self->repository, error) && rb_repository_commit (self->repository, error)
         && rb_repository_update_targets (self->repository, error) && rb_repository_commit (self->repository, error);
}

gboolean
rb_tuf_refresh (RbTuf *self, RbVerdict *verdict, GError **error)
{
  gboolean good = refresh (self, error);
  if (!good && verdict != NULL) {
    rb_verdict_clear (verdict);
    *verdict = self->verdict;
    memset (&self->verdict, 0, sizeof self->verdict);
  }
  return good;
}

RbTarget *
rb_tuf_target (RbTuf *self, const char *path, GError **error)
{
  return rb_repository_find (self->repository, path, NULL, error);
}

GBytes *
rb_tuf_read_target (RbTuf *self, const RbTarget *target, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (target->path);
  g_autofree char *base = g_path_get_basename (target->path);
  g_autofree char *hashed_base = g_strdup_printf ("%s.%s", target->sha256 != NULL ? target->sha256 : target->sha512, base);
  g_autofree char *hashed = strcmp (folder, ".") == 0 ? g_strdup (hashed_base) : g_strdup_printf ("%s/%s", folder, hashed_base);
  g_autoptr (GError) absent = NULL;
  gsize max = (gsize) MIN (target->length, MAX_TARGET);
  GBytes *bytes = rb_source_fetch (self->source, target->path, max, &absent);
  if (bytes == NULL && rb_reason_of (absent) == RB_REASON_MISSING)
    bytes = rb_source_fetch (self->source, hashed, max, error);
  else if (bytes == NULL)
    g_propagate_error (error, g_steal_pointer (&absent));
  if (bytes != NULL && !rb_vehicle_check_image (target, bytes, error))
    g_clear_pointer (&bytes, g_bytes_unref);
  return bytes;
}

gint64
rb_tuf_expires (RbTuf *self, const char *role)
{
  const RbMetadata *metadata = strcmp (role, "root") == 0 ? rb_store_root_metadata (self->store)
                                                          : rb_repository_metadata (self->repository, role);
  return metadata == NULL ? 0 : metadata->expires;
}
