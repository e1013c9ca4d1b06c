/* SPDX-License-Identifier: Apache-2.0 */
#include "uptane/listed.h"

#include "core/json.h"
#include "crypto/digest.h"
#include "uptane/form.h"

#define MAX_NUMBER ((G_GINT64_CONSTANT (1) << 53) - 1)

/* An indented file is at most that much longer than the canonical form whose length aktualizr lists. */
#define MAX_LAYOUT 16
#define MIN_LAYOUT 65536

#define deny(error, reason, ...) rb_reason_deny (error, RB_UPTANE_ERROR, reason, __VA_ARGS__)

gboolean
rb_listed_read_entry (const json_t *entry, const char *name, RbListed *listed, GError **error)
{
  const json_t *hashes = json_object_get (entry, "hashes");
  *listed = (RbListed){ .length = -1 };
  if (!json_is_object (entry))
    return deny (error, RB_REASON_MALFORMED, "the entry of %s is not an object", name);
  if (!rb_json_integer (entry, "version", 0, MAX_NUMBER, &listed->version, name, error))
    return FALSE;
  if (json_object_get (entry, "length") != NULL
      && !rb_json_integer (entry, "length", 0, MAX_NUMBER, &listed->length, name, error))
    return FALSE;
  if (hashes == NULL)
    return TRUE;
  listed->has_hashes = TRUE;
  if (json_object_size (hashes) == 0)
    return deny (error, RB_REASON_MALFORMED, "%s: hashes are not an object with at least one", name);
  return rb_form_read_hashes (hashes, name, &listed->sha256, &listed->sha512, error);
}

gboolean
rb_listed_read (const RbMetadata *lister, const char *role, RbListed *listed, GError **error)
{
  g_autofree char *name = g_strconcat (role, ".json", NULL);
  const json_t *entry = lister == NULL ? NULL : rb_metadata_entry (lister, name);
  return entry != NULL && rb_listed_read_entry (entry, name, listed, error);
}

static gboolean
check_entry (const char *name, const json_t *entry, gpointer data)
{
  RbListed listed = { 0 };
  return rb_listed_read_entry (entry, name, &listed, data);
}

gboolean
rb_listed_check_all (const RbMetadata *lister, GError **error)
{
  return rb_metadata_each_entry (lister, check_entry, error);
}

/* Known algorithms must all agree, and one must be there. */
static gboolean
hashes_agree (const RbListed *self, GBytes *bytes, const char *known_sha256)
{
  gsize length = 0;
  gconstpointer data = g_bytes_get_data (bytes, &length);
  g_autofree char *sha256 = self->sha256 == NULL   ? NULL
                            : known_sha256 != NULL ? g_strdup (known_sha256)
                                                   : rb_digest_sha256_hex (data, length);
  g_autofree char *sha512 = self->sha512 == NULL ? NULL : rb_digest_sha512_hex (data, length);
  return (sha256 != NULL || sha512 != NULL) && (sha256 == NULL || g_ascii_strcasecmp (sha256, self->sha256) == 0)
         && (sha512 == NULL || g_ascii_strcasecmp (sha512, self->sha512) == 0);
}

static gboolean
too_long (const RbListed *self, gsize length, GError **error)
{
  return deny (error, RB_REASON_LENGTH_MISMATCH, "%" G_GSIZE_FORMAT " bytes, listed are %" G_GINT64_FORMAT, length,
               self->length);
}

static gboolean
length_fits (const RbListed *self, GBytes *bytes, gboolean exactly)
{
  gint64 length = (gint64) g_bytes_get_size (bytes);
  return self->length < 0 || (exactly ? length == self->length : length <= self->length);
}

typedef struct {
  const RbListed *listed;
  gboolean fits;
  gboolean agrees;
} Comparison;

static gboolean
compare_form (GBytes *form, gpointer data)
{
  Comparison *self = data;
  self->fits = self->fits || length_fits (self->listed, form, FALSE);
  self->agrees = self->agrees || hashes_agree (self->listed, form, NULL);
  return self->fits && self->agrees;
}

gboolean
rb_listed_check (const RbListed *self, const RbMetadata *file, gboolean any_form, GError **error)
{
  Comparison comparison = { self, length_fits (self, file->bytes, !any_form), TRUE };
  if (!comparison.fits && !any_form)
    return too_long (self, g_bytes_get_size (file->bytes), error);
  comparison.agrees = !self->has_hashes || hashes_agree (self, file->bytes, file->sha256);
  if (any_form && !(comparison.fits && comparison.agrees))
    rb_metadata_each_form (file, compare_form, &comparison);
  if (!comparison.fits)
    return too_long (self, g_bytes_get_size (file->bytes), error);
  return comparison.agrees || deny (error, RB_REASON_HASH_MISMATCH, "its hash is not the one that is listed");
}

gsize
rb_listed_bound (const RbListed *self, gsize max, gboolean any_form)
{
  if (self == NULL || self->length <= 0)
    return max;
  guint64 listed = (guint64) self->length;
  return (gsize) MIN (max, any_form ? listed * MAX_LAYOUT + MIN_LAYOUT : listed);
}

gboolean
rb_listed_fail (const RbListed *self, gsize bound, gsize max, GError *failure, GError **error)
{
  if (bound == max || rb_reason_of (failure) != RB_REASON_TOO_LARGE) {
    g_propagate_error (error, failure);
    return FALSE;
  }
  g_error_free (failure);
  return deny (error, RB_REASON_LENGTH_MISMATCH, "longer than the listed %" G_GINT64_FORMAT " bytes", self->length);
}
