/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/exception.h"

#include "core/files.h"
#include "core/json.h"
#include "crypto/digest.h"
#include "record/ending.h"

#include <string.h>

#define MAX_PHOTO (64 * 1024 * 1024)
#define deny(error, reason, ...) rb_reason_deny (error, RB_RECOVERY_ERROR, reason, __VA_ARGS__)

static gboolean
check_exception (const RbCaseOptions *options, const RbException *exception, GError **error)
{
  if (exception->as == NULL || !g_strv_contains (rb_ending_words, exception->as))
    return deny (error, RB_REASON_USAGE, "exception: “%s” is not a reason to close a vehicle",
                 exception->as == NULL ? "" : exception->as);
  if (exception->note != NULL
      && (!g_utf8_validate (exception->note, -1, NULL) || g_utf8_strlen (exception->note, -1) > RB_ENDING_MAX_TEXT))
    return deny (error, RB_REASON_USAGE, "exception: the note is longer than %d characters, or not UTF-8",
                 RB_ENDING_MAX_TEXT);
  if (exception->photos != NULL && g_strv_length ((GStrv) exception->photos) > RB_ENDING_MAX_PHOTOS)
    return deny (error, RB_REASON_USAGE, "exception: more than %d photos", RB_ENDING_MAX_PHOTOS);
  return options->second != NULL
         || deny (error, RB_REASON_SECOND_PERSON_MISSING,
                  "a vehicle is closed with exception by two people, the second is missing");
}

/* The copy stays when the stick of the camera does not. */
static json_t *
keep_photo (const char *data_dir, const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = rb_files_read (path, MAX_PHOTO, error);
  if (bytes == NULL)
    return NULL;
  g_autofree char *sha256 = rb_digest_sha256_hex_of (bytes);
  g_autofree char *folder = g_build_filename (data_dir, "photos", NULL),
                  *copy = g_build_filename (folder, sha256, NULL);
  if (!rb_files_make_folder (folder, error) || !rb_files_write_private (copy, bytes, error))
    return NULL;
  return json_pack ("{s:s,s:I}", "sha256", sha256, "length", (json_int_t) g_bytes_get_size (bytes));
}

/* (transfer full) */
static json_t *
exception_json (const char *data_dir, const RbException *exception, GError **error)
{
  g_autoptr (json_t) object = json_object ();
  json_t *photos = json_array ();
  rb_json_set_string (object, "as", exception->as);
  if (exception->note != NULL && exception->note[0] != '\0')
    rb_json_set_string (object, "text", exception->note);
  rb_json_set (object, "photos", photos);
  for (guint i = 0; exception->photos != NULL && exception->photos[i] != NULL; i++) {
    json_t *photo = keep_photo (data_dir, exception->photos[i], error);
    if (photo == NULL)
      return NULL;
    json_array_append_new (photos, photo);
  }
  return g_steal_pointer (&object);
}

GBytes *
rb_exception_close (const RbCaseOptions *options, const RbException *exception, char **digest, GError **error)
{
  g_autoptr (RbCase) found = check_exception (options, exception, error) ? rb_case_open (options, error) : NULL;
  g_autoptr (json_t) object
    = found == NULL || !rb_case_needs_work (found, error) ? NULL : exception_json (options->data_dir, exception, error);
  const RbCaseRecord record = {
    .end = RB_STATEMENT_EXCEPTION, .exception = object, .reason = RB_REASON_CLOSED_WITH_EXCEPTION, .text = exception->as
  };
  return object == NULL ? NULL : rb_case_sign (found, &record, digest, error);
}
