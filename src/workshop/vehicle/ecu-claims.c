/* SPDX-License-Identifier: Apache-2.0 */
#include "vehicle/ecu-claims.h"

#include "core/bytes.h"
#include "crypto/digest.h"
#include "uds/response.h"
#include "vehicle/did-text.h"
#include "vehicle/ecu-client-inside.h"

#include <string.h>

/* Of this project's ECUs; a profile need not name it since nothing is decided by what it says. */
#define DID_CLAIMED_DIGEST 0xfd20

static void
stored_free (gpointer data)
{
  RbEcuStoredRole *self = data;
  if (self == NULL)
    return;
  g_free (self->role);
  g_free (self);
}

void
rb_ecu_claims_free (RbEcuClaims *self)
{
  g_free (self->serial);
  g_free (self->hardware_id);
  g_free (self->software);
  g_free (self->key_id);
  g_free (self->rxswin);
  g_clear_pointer (&self->stored, g_ptr_array_unref);
  g_free (self);
}

static gboolean
read_root (RbEcuClient *self, guint16 did, RbEcuRoot *root, GCancellable *cancellable, GError **error)
{
  if (did == 0)
    return TRUE;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) bytes = rb_uds_client_read_did (self->client, did, cancellable, &failure);
  if (bytes == NULL && self->profile->root_in_image && rb_reason_of (failure) == RB_REASON_REFUSED)
    return TRUE; /* without an image there is no root */
  if (bytes == NULL) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return rb_ecu_client_prefixed (self, FALSE, error);
  }
  RbReader reader = rb_reader_from_bytes (bytes);
  root->version = rb_reader_u32be (&reader);
  rb_ecu_client_take_digest (&reader, root->sha256);
  return rb_reader_done (&reader)
         || rb_ecu_client_fail (self, error, RB_REASON_WRONG_ANSWER, "its answer about a root has a wrong length");
}

/* NULL: its role is not a text. One that is cut off shows in the reader. */
static RbEcuStoredRole *
take_stored (RbReader *reader, GError **error)
{
  guint8 repo = rb_reader_u8 (reader);
  guint8 length = rb_reader_u8 (reader);
  const guint8 *role = rb_reader_take (reader, length);
  g_autofree char *text = role == NULL ? g_strdup ("") : rb_did_text_parse (role, length, error);
  if (text == NULL)
    return NULL;
  RbEcuStoredRole *stored = g_new0 (RbEcuStoredRole, 1);
  stored->repo = repo;
  stored->role = g_steal_pointer (&text);
  stored->version = rb_reader_u32be (reader);
  rb_ecu_client_take_digest (reader, stored->sha256);
  return stored;
}

static gboolean
read_stored (RbEcuClient *self, RbEcuClaims *claims, GCancellable *cancellable, GError **error)
{
  claims->stored = g_ptr_array_new_with_free_func (stored_free);
  if (self->profile == NULL || self->profile->did_stored_metadata == 0)
    return TRUE;
  g_autoptr (GBytes) bytes
    = rb_uds_client_read_did (self->client, self->profile->did_stored_metadata, cancellable, error);
  if (!rb_ecu_client_prefixed (self, bytes != NULL, error))
    return FALSE;
  RbReader reader = rb_reader_from_bytes (bytes);
  guint8 count = rb_reader_u8 (&reader);
  for (guint i = 0; i < count && rb_reader_ok (&reader); i++) {
    g_ptr_array_add (claims->stored, take_stored (&reader, error));
    if (!rb_ecu_client_prefixed_did (self, self->profile->did_stored_metadata, claims->stored->pdata[i] != NULL, error))
      return FALSE;
  }
  return rb_reader_done (&reader)
         || rb_ecu_client_fail (self, error, RB_REASON_WRONG_ANSWER, "its list of stored metadata has a wrong length");
}

const char *
rb_ecu_claims_boot_word (RbEcuBootCause cause)
{
  static const char *const words[] = { [RB_ECU_BOOT_UNKNOWN] = "",
                                       [RB_ECU_BOOT_INTERRUPTED] = "download-interrupted",
                                       [RB_ECU_BOOT_NO_BANK] = "no-valid-bank" };
  return words[cause];
}

static gboolean
read_boot (RbEcuClient *self, RbEcuClaims *claims, GCancellable *cancellable, GError **error)
{
  guint16 did = self->profile == NULL ? 0 : self->profile->did_boot;
  claims->application = claims->application_valid = TRUE;
  if (did == 0)
    return TRUE;
  g_autoptr (GBytes) bytes = rb_uds_client_read_did (self->client, did, cancellable, error);
  if (!rb_ecu_client_prefixed (self, bytes != NULL, error))
    return FALSE;
  RbReader reader = rb_reader_from_bytes (bytes);
  claims->application = rb_reader_u8 (&reader) == 0;
  claims->application_valid = rb_reader_u8 (&reader) == 1;
  guint8 cause = claims->application || rb_reader_left (&reader) == 0
                   ? 0
                   : rb_reader_u8 (&reader); /* not every bootloader tells it */
  claims->boot_cause = cause > RB_ECU_BOOT_NO_BANK ? RB_ECU_BOOT_UNKNOWN : (RbEcuBootCause) cause;
  return rb_reader_done (&reader)
         || rb_ecu_client_fail (self, error, RB_REASON_WRONG_ANSWER, "its boot state has a wrong length");
}

/* Identifiers of an ECU are never blank: an ECU without a serial number is not another ECU. */
static char *
read_name (RbEcuClient *self, guint16 did, GCancellable *cancellable, GError **error)
{
  g_autofree char *text = rb_ecu_client_read_text (self, did, cancellable, error);
  if (text == NULL || text[0] != '\0')
    return g_steal_pointer (&text);
  g_set_error (error, RB_VEHICLE_ERROR, RB_REASON_WRONG_ANSWER, "%s: DID %04X: expected a text, got only padding",
               self->model->label, did);
  return NULL;
}

/* "" where the ECU rejects the request: it has no such text, or not in its bootloader. */
static gboolean
read_optional (RbEcuClient *self, guint16 did, char **text, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  *text = did == 0 ? g_strdup ("") : rb_ecu_client_read_text (self, did, cancellable, &failure);
  if (failure == NULL)
    return TRUE;
  gboolean rejected = rb_ecu_client_was_rejected (self, failure);
  if (rejected)
    *text = g_strdup ("");
  else
    g_propagate_error (error, g_steal_pointer (&failure));
  return rejected;
}

static gboolean
read_optionals (RbEcuClient *self, RbEcuClaims *claims, GCancellable *cancellable, GError **error)
{
  const RbProfile *profile = self->profile;
  return read_optional (self, profile == NULL ? 0xf195 : profile->did_software, &claims->software, cancellable, error)
         && read_optional (self, profile == NULL ? 0 : profile->did_key_id, &claims->key_id, cancellable, error)
         && read_optional (self, profile == NULL ? 0 : profile->did_rxswin, &claims->rxswin, cancellable, error);
}

static void
read_claimed_digest (RbEcuClient *self, RbEcuClaims *claims, GCancellable *cancellable)
{
  g_autoptr (GError) refused = NULL;
  g_autoptr (GBytes) bytes = rb_uds_client_read_did (self->client, DID_CLAIMED_DIGEST, cancellable, &refused);
  if (bytes == NULL)
    return;
  RbReader reader = rb_reader_from_bytes (bytes);
  rb_ecu_client_take_digest (&reader, claims->claimed_sha256);
}

RbEcuClaims *
rb_ecu_claims_read (RbEcuClient *self, GCancellable *cancellable, GError **error)
{
  const RbProfile *profile = self->profile;
  g_autoptr (RbEcuClaims) claims = g_new0 (RbEcuClaims, 1);
  claims->serial = read_name (self, profile == NULL ? 0xf18c : profile->did_serial, cancellable, error);
  if (claims->serial == NULL)
    return NULL;
  claims->hardware_id = read_name (self, profile == NULL ? 0xf191 : profile->did_hardware_id, cancellable, error);
  if (claims->hardware_id == NULL || !read_boot (self, claims, cancellable, error)
      || (profile != NULL && !read_root (self, profile->did_director_root, &claims->director, cancellable, error))
      || (profile != NULL && !read_root (self, profile->did_image_root, &claims->image, cancellable, error))
      || !read_stored (self, claims, cancellable, error) || !read_optionals (self, claims, cancellable, error))
    return NULL;
  read_claimed_digest (self, claims, cancellable);
  return g_steal_pointer (&claims);
}
