/* SPDX-License-Identifier: Apache-2.0 */
#include "oem/pki.h"

#include "core/bytes.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "keymaker/issue.h"
#include "keymaker/keygen.h"
#include "log/note.h"

#include <string.h>

#define CA_YEARS 10
#define PERSON_YEARS 1
#define DEALER "Riverside Garage"
#define DEALER_CODE "US-20417"
#define DEALER_COUNTRY "US"
#define PSEUDONYM_LENGTH 10
#define LOG_ORIGIN "recall.aurora-motors.example/log"

typedef struct {
  RbPrivateKey *key;
  RbCertificate *certificate;
} Issued;

static void
issued_clear (Issued *self)
{
  g_clear_pointer (&self->key, rb_key_private_unref);
  g_clear_pointer (&self->certificate, rb_certificate_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Issued, issued_clear)

static char *
to_pem (RbCertificate *certificate)
{
  g_autofree char *text = rb_bytes_to_base64 (rb_certificate_der (certificate));
  GString *pem = g_string_new ("-----BEGIN CERTIFICATE-----\n");
  for (gsize i = 0; i < strlen (text); i += 64)
    g_string_append_printf (pem, "%.64s\n", &text[i]);
  g_string_append (pem, "-----END CERTIFICATE-----\n");
  return g_string_free (pem, FALSE);
}

/* issuer NULL: a CA of its own. */
static gboolean
issue (Issued *out, RbIssueRequest *request, Issued *issuer, GError **error)
{
  out->key = rb_keygen_new (RB_KEY_EC_P256, error);
  if (out->key == NULL)
    return FALSE;
  out->certificate
    = rb_issue_certificate (request, rb_key_private_public (out->key), issuer == NULL ? NULL : issuer->certificate,
                            issuer == NULL ? out->key : issuer->key, error);
  if (out->certificate == NULL)
    g_prefix_error (error, "certificate of %s: ", request->common_name);
  return out->certificate != NULL;
}

static gboolean
issue_ca (Issued *out, const char *oem, const char *what, gint64 now, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s %s", oem, what);
  RbIssueRequest request = { .common_name = name,
                             .organisation = oem,
                             .purpose = -1,
                             .not_before = now - RB_MOMENT_DAY,
                             .not_after = now + (gint64) CA_YEARS * 365 * RB_MOMENT_DAY };
  return issue (out, &request, NULL, error);
}

static gboolean
issue_end (Issued *out, const char *name, RbPurpose purpose, Issued *ca, gint64 now, GError **error)
{
  static const char *const dns[] = { "localhost", "127.0.0.1", NULL };
  RbIssueRequest request = { .common_name = name,
                             .organisation = DEALER,
                             .unit = DEALER_CODE,
                             .country = DEALER_COUNTRY,
                             .dns = purpose == RB_PURPOSE_TLS_SERVER ? dns : NULL,
                             .purpose = purpose,
                             .not_before = now - RB_MOMENT_DAY,
                             .not_after = now + (gint64) PERSON_YEARS * 365 * RB_MOMENT_DAY };
  return issue (out, &request, ca, error);
}

/* Random, so that nothing about the person follows from it; no letters that are read for digits. */
static char *
make_pseudonym (void)
{
  static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  g_autoptr (GBytes) random = rb_digest_random (PSEUDONYM_LENGTH);
  const guint8 *bytes = g_bytes_get_data (random, NULL);
  g_autoptr (GString) text = g_string_new ("T-");
  for (guint i = 0; i < PSEUDONYM_LENGTH; i++)
    g_string_append_c (text, letters[bytes[i] % 32]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
register_person (RbPki *self, const char *name, const char *pseudonym, RbCertificate *certificate)
{
  json_array_append_new (self->people, json_pack ("{s:s,s:s,s:s,s:s}", "pseudonym", pseudonym, "name", name, "dealer",
                                                  DEALER_CODE, "certificate_sha256", rb_certificate_id (certificate)));
}

/* Certificate and file bear a pseudonym: they travel with every record. Who it is stands in the OEM's register alone.
 */
static GBytes *
make_person (RbPki *self, const char *name, Issued *ca, gint64 now, GError **error)
{
  g_auto (Issued) person = { NULL, NULL };
  g_autofree char *pseudonym = make_pseudonym ();
  if (!issue_end (&person, pseudonym, RB_PURPOSE_TECHNICIAN, ca, now, error))
    return NULL;
  register_person (self, name, pseudonym, person.certificate);
  g_autoptr (GPtrArray) chain = g_ptr_array_new ();
  g_ptr_array_add (chain, person.certificate);
  g_ptr_array_add (chain, ca->certificate);
  return rb_issue_pkcs12 (pseudonym, person.key, chain, self->passphrase, error);
}

static gboolean
make_workstation (RbPki *self, Issued *ca, gint64 now, GError **error)
{
  static const struct {
    RbPurpose purpose;
    const char *name;
  } keys[] = {
    { RB_PURPOSE_WORKSTATION, "Workstation 1 records" },
    { RB_PURPOSE_TLS_CLIENT, "Workstation 1 upload" },
    { RB_PURPOSE_DOIP_TLS, "Workstation 1 vehicle link" },
    { RB_PURPOSE_ECU_AUTHENTICATION, "Workstation 1 ECU authentication" },
    { RB_PURPOSE_KEY_AGREEMENT, "Workstation 1 key agreement" },
  };
  g_autoptr (GString) pem = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    g_auto (Issued) one = { NULL, NULL };
    if (!issue_end (&one, keys[i].name, keys[i].purpose, ca, now, error))
      return FALSE;
    g_autofree char *key = rb_key_private_pem (one.key, self->passphrase);
    g_autofree char *certificate = to_pem (one.certificate);
    g_string_append_printf (pem, "%s%s", key, certificate);
    if (keys[i].purpose == RB_PURPOSE_KEY_AGREEMENT)
      self->key_agreement = g_steal_pointer (&one.certificate);
  }
  g_string_append (pem, self->dealer_ca_pem);
  self->workstation = g_bytes_new (pem->str, pem->len);
  return TRUE;
}

static gboolean
make_server (RbPki *self, const char *oem, gint64 now, GError **error)
{
  g_auto (Issued) ca = { NULL, NULL };
  g_auto (Issued) server = { NULL, NULL };
  if (!issue_ca (&ca, oem, "Intake CA", now, error)
      || !issue_end (&server, "localhost", RB_PURPOSE_TLS_SERVER, &ca, now, error))
    return FALSE;
  self->intake_ca = rb_certificate_ref (ca.certificate);
  self->intake_ca_pem = to_pem (ca.certificate);
  self->server_pem = to_pem (server.certificate);
  self->server_key_pem = rb_key_private_pem (server.key, NULL);
  return TRUE;
}

static gboolean
make_log_key (RbPki *self, GError **error)
{
  g_autoptr (RbPrivateKey) key = rb_keygen_new (RB_KEY_ED25519, error);
  if (key == NULL)
    return FALSE;
  self->log_origin = g_strdup (LOG_ORIGIN);
  self->log_key_pem = rb_key_private_pem (key, NULL);
  self->log_vkey = rb_note_key_text (LOG_ORIGIN, rb_key_private_public (key));
  return TRUE;
}

/* A vehicle has no host name: its certificate is for its VIN. */
static gboolean
make_vehicle (RbPki *self, const char *oem, const char *vin, gint64 now, GError **error)
{
  g_auto (Issued) ca = { NULL, NULL };
  g_auto (Issued) vehicle = { NULL, NULL };
  RbIssueRequest request = { .common_name = vin,
                             .organisation = oem,
                             .purpose = RB_PURPOSE_TLS_SERVER,
                             .not_before = now - RB_MOMENT_DAY,
                             .not_after = now + (gint64) CA_YEARS * 365 * RB_MOMENT_DAY };
  if (!issue_ca (&ca, oem, "Vehicle CA", now, error) || !issue (&vehicle, &request, &ca, error))
    return FALSE;
  g_autofree char *key = rb_key_private_pem (vehicle.key, NULL);
  g_autofree char *certificate = to_pem (vehicle.certificate);
  self->vehicle_ca_pem = to_pem (ca.certificate);
  self->vehicle_pem = g_strconcat (key, certificate, NULL);
  return TRUE;
}

static char *
make_passphrase (void)
{
  g_autoptr (GBytes) random = rb_digest_random (12);
  return rb_bytes_hex (random);
}

RbPki *
rb_pki_new (const char *oem, const char *vin, gint64 now, GError **error)
{
  g_autoptr (RbPki) self = g_new0 (RbPki, 1);
  g_auto (Issued) ca = { NULL, NULL };
  if (!issue_ca (&ca, oem, "Dealer CA", now, error))
    return NULL;
  self->passphrase = make_passphrase ();
  self->people = json_array ();
  self->dealer_ca = rb_certificate_ref (ca.certificate);
  self->dealer_ca_pem = to_pem (ca.certificate);
  self->technician = make_person (self, "Jo Weber", &ca, now, error);
  if (self->technician == NULL)
    return NULL;
  self->second = make_person (self, "Sam Ortiz", &ca, now, error);
  if (self->second == NULL || !make_workstation (self, &ca, now, error) || !make_server (self, oem, now, error)
      || !make_vehicle (self, oem, vin, now, error) || !make_log_key (self, error))
    return NULL;
  self->key_agreement_pem = to_pem (self->key_agreement);
  return g_steal_pointer (&self);
}

void
rb_pki_free (RbPki *self)
{
  g_clear_pointer (&self->dealer_ca, rb_certificate_unref);
  g_clear_pointer (&self->intake_ca, rb_certificate_unref);
  g_clear_pointer (&self->key_agreement, rb_certificate_unref);
  g_clear_pointer (&self->technician, g_bytes_unref);
  g_clear_pointer (&self->second, g_bytes_unref);
  g_clear_pointer (&self->workstation, g_bytes_unref);
  json_decref (self->people);
  g_free (self->passphrase);
  g_free (self->dealer_ca_pem);
  g_free (self->key_agreement_pem);
  g_free (self->intake_ca_pem);
  g_free (self->vehicle_ca_pem);
  g_free (self->vehicle_pem);
  g_free (self->log_origin);
  g_free (self->log_key_pem);
  g_free (self->log_vkey);
  g_free (self->server_pem);
  g_free (self->server_key_pem);
  g_free (self);
}
