/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/people.h"

#include "core/bytes.h"
#include "core/files.h"
#include "core/json.h"
#include "core/moment.h"
#include "crypto/digest.h"
#include "crypto/secret.h"
#include "keymaker/issue.h"
#include "keymaker/keygen.h"
#include "keymaker/request.h"
#include "model/campaign.h"
#include "model/member.h"

#include <string.h>

#define MAX_FILE (64 * 1024 * 1024)
#define MAX_CA 65536
#define CA_YEARS 10
#define PERSON_YEARS 1
#define YEAR ((gint64) 365 * RB_MOMENT_DAY)
#define PSEUDONYM_LENGTH 10
#define VEHICLE_CA "vehicle"

static gboolean
people_error (GError **error, RbReason reason, const char *what, const char *text)
{
  return rb_reason_deny (error, RB_PKI_ERROR, reason, "%s: %s", what, text);
}

static char *
path_of (const char *folder, const char *name, const char *suffix)
{
  g_autofree char *file = g_strconcat (name, suffix, NULL);
  return g_build_filename (folder, "pki", file, NULL);
}

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

static json_t *
load_register (const char *folder, GError **error)
{
  g_autofree char *path = path_of (folder, "register", ".json");
  if (!rb_files_exists (path))
    return json_pack ("{s:s,s:i,s:[],s:[]}", "format", "recallbay-register-1", "trust_list", 0, "cas", "certificates");
  g_autoptr (json_t) value = rb_json_load (path, MAX_FILE, error);
  if (value == NULL || rb_json_array (value, "certificates", path, error) == NULL
      || rb_json_array (value, "cas", path, error) == NULL)
    return NULL;
  return g_steal_pointer (&value);
}

static gboolean
save_register (const char *folder, const json_t *value, GError **error)
{
  g_autofree char *path = path_of (folder, "register", ".json");
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *text = rb_json_to_pretty (value);
  return rb_files_make_folder (parent, error) && rb_files_write_private_text (path, text, error);
}

static gboolean
check_new_ca (const char *folder, const char *ca, GError **error)
{
  g_autofree char *path = path_of (folder, ca, ".pem");
  g_autofree char *parent = g_path_get_dirname (path);
  if (!rb_member_id_is_valid (ca))
    return people_error (error, RB_REASON_MALFORMED, ca, "letters, digits, '.', '_' and '-' are expected");
  if (rb_files_exists (path))
    return people_error (error, RB_REASON_EXISTS, ca, "a CA of that name is there");
  return rb_files_make_folder (parent, error);
}

static gboolean
keep_ca (const char *folder, const char *ca, RbCertificate *certificate, RbPrivateKey *key, const char *passphrase,
         GError **error)
{
  g_autoptr (json_t) list = load_register (folder, error);
  g_autofree char *key_path = path_of (folder, ca, ".key.pem"), *path = path_of (folder, ca, ".pem");
  g_autofree char *pem = to_pem (certificate);
  char *private = rb_key_private_pem (key, passphrase);
  gboolean kept = list != NULL && rb_files_write_private_text (key_path, private, error)
                  && rb_files_write_private_text (path, pem, error);
  rb_secret_free (private);
  if (!kept)
    return FALSE;
  json_array_append_new (json_object_get (list, "cas"), json_string (ca));
  return save_register (folder, list, error);
}

gboolean
rb_people_new_ca (const char *folder, const char *ca, const char *oem, const char *passphrase, gint64 now,
                  GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s %s CA", oem, ca);
  RbIssueRequest request = { .common_name = name,
                             .organisation = oem,
                             .purpose = -1,
                             .not_before = now - RB_MOMENT_DAY,
                             .not_after = now + CA_YEARS * YEAR };
  if (!check_new_ca (folder, ca, error))
    return FALSE;
  g_autoptr (RbPrivateKey) key = rb_keygen_new (RB_KEY_EC_P256, error);
  g_autoptr (RbCertificate) certificate
    = key == NULL ? NULL : rb_issue_certificate (&request, rb_key_private_public (key), NULL, key, error);
  return certificate != NULL && keep_ca (folder, ca, certificate, key, passphrase, error);
}

static char *
read_text (const char *path, GError **error)
{
  g_autoptr (GBytes) bytes = rb_secret_read (path, MAX_CA, error);
  return bytes == NULL ? NULL : g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

/* A certificate and its private key. */
static gboolean
load_pair (const char *certificate_path, const char *key_path, const char *passphrase, RbCertificate **certificate,
           RbPrivateKey **key, GError **error)
{
  g_autofree char *pem = read_text (certificate_path, error);
  g_autoptr (GPtrArray) list = pem == NULL ? NULL : rb_certificate_list_from_pem (pem, error);
  char *private = list == NULL ? NULL : read_text (key_path, error);
  if (private != NULL)
    *key = rb_key_private_from_pem (private, passphrase, error);
  rb_secret_free (private);
  if (*key == NULL)
    return FALSE;
  *certificate = rb_certificate_ref (list->pdata[0]);
  return rb_key_public_equal (rb_certificate_key (*certificate), rb_key_private_public (*key))
         || people_error (error, RB_REASON_IDENTITY, certificate_path, "the key is not that of the certificate");
}

gboolean
rb_people_import_ca (const char *folder, const char *ca, const char *certificate_path, const char *key_path,
                     const char *passphrase, GError **error)
{
  g_autoptr (RbCertificate) certificate = NULL;
  g_autoptr (RbPrivateKey) key = NULL;
  return check_new_ca (folder, ca, error)
         && load_pair (certificate_path, key_path, passphrase, &certificate, &key, error)
         && keep_ca (folder, ca, certificate, key, passphrase, error);
}

/* Random, so that nothing about the person follows from it. */
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

/* The purpose of a request of that kind; -1: it has none. */
static int
purpose_for (const char *kind, const RbRequest *request, GError **error)
{
  gboolean vehicle = strcmp (kind, "vehicle") == 0, technician = strcmp (kind, "technician") == 0;
  int expected = vehicle ? (int) RB_PURPOSE_TLS_SERVER : technician ? (int) RB_PURPOSE_TECHNICIAN : request->purpose;
  gboolean workstation = expected >= (int) RB_PURPOSE_WORKSTATION && expected <= (int) RB_PURPOSE_KEY_AGREEMENT;
  if (vehicle && !rb_campaign_vin_is_valid (request->common_name)) {
    people_error (error, RB_REASON_VIN_INVALID, request->common_name, "the common name is not a VIN");
    return -1;
  }
  if ((request->purpose >= 0 && request->purpose != expected) || (!vehicle && !technician && !workstation)) {
    people_error (error, RB_REASON_KEY_USAGE, request->common_name,
                  "the request's extended key usage is not of this kind");
    return -1;
  }
  return expected;
}

static gboolean
check_unused (const json_t *list, const RbRequest *request, GError **error)
{
  size_t i;
  json_t *line;
  json_array_foreach (json_object_get (list, "certificates"), i, line)
    if (strcmp (rb_json_string_or (line, "key_id", ""), rb_key_public_id (request->key)) == 0)
      return people_error (error, RB_REASON_EXISTS, request->common_name, "this key has a certificate");
  return TRUE;
}

static json_t *
register_line (const RbPeopleIssue *issue, const RbRequest *request, RbCertificate *certificate, RbCertificate *ca)
{
  g_autofree char *serial = rb_request_serial_of (certificate);
  g_autofree char *revocation = rb_certificate_revocation_id (certificate, ca);
  json_t *line = json_pack ("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "serial", serial, "kind", issue->kind, "ca", issue->ca,
                            "common_name", rb_certificate_common_name (certificate), "holder", request->common_name,
                            "key_id", rb_key_public_id (request->key), "revocation_id", revocation);
  rb_json_set_moment (line, "not_after", rb_certificate_not_after (certificate));
  return line;
}

static RbCertificate *
issue_one (const RbPeopleIssue *issue, const RbRequest *request, RbCertificate *ca, RbPrivateKey *key, GError **error)
{
  int purpose = purpose_for (issue->kind, request, error);
  g_autofree char *name = purpose == (int) RB_PURPOSE_TECHNICIAN ? make_pseudonym () : g_strdup (request->common_name);
  RbIssueRequest wanted
    = { .common_name = name,
        .organisation = issue->organisation,
        .unit = issue->unit,
        .country = issue->country,
        .purpose = purpose,
        .not_before = issue->now - RB_MOMENT_DAY,
        .not_after = issue->now + (purpose == (int) RB_PURPOSE_TLS_SERVER ? CA_YEARS - 1 : PERSON_YEARS) * YEAR };
  return purpose < 0 ? NULL : rb_issue_certificate (&wanted, request->key, ca, key, error);
}

char *
rb_people_issue (const char *folder, const RbPeopleIssue *issue, const char *requests, json_t **issued, GError **error)
{
  g_autofree char *path = path_of (folder, issue->ca, ".pem"), *key_path = path_of (folder, issue->ca, ".key.pem");
  g_autoptr (RbCertificate) ca = NULL;
  g_autoptr (RbPrivateKey) key = NULL;
  g_autoptr (json_t) list = load_register (folder, error);
  g_autoptr (json_t) lines = json_array ();
  g_autoptr (GString) pem = g_string_new (NULL);
  g_autoptr (GPtrArray) read = list == NULL ? NULL : rb_request_list_from_pem (requests, error);
  if (read == NULL || !load_pair (path, key_path, issue->passphrase, &ca, &key, error))
    return NULL;
  for (guint i = 0; i < read->len; i++) {
    const RbRequest *request = read->pdata[i];
    g_autoptr (RbCertificate) made
      = check_unused (list, request, error) ? issue_one (issue, request, ca, key, error) : NULL;
    if (made == NULL)
      return NULL;
    g_autofree char *text = to_pem (made);
    g_string_append (pem, text);
    json_array_append_new (lines, register_line (issue, request, made, ca));
  }
  g_autofree char *last = to_pem (ca);
  g_string_append (pem, last);
  json_array_extend (json_object_get (list, "certificates"), lines);
  if (!save_register (folder, list, error))
    return NULL;
  *issued = g_steal_pointer (&lines);
  return g_string_free (g_steal_pointer (&pem), FALSE);
}

gboolean
rb_people_revoke (const char *folder, const char *serial, gint64 since, const char *reason, GError **error)
{
  static const char *const words[]
    = { "unspecified", "key-compromise",         "ca-compromise",       "affiliation-changed",
        "superseded",  "cessation-of-operation", "privilege-withdrawn", NULL };
  g_autoptr (json_t) list = load_register (folder, error);
  g_autofree char *wanted = g_ascii_strdown (serial, -1);
  size_t i;
  json_t *line;
  if (!g_strv_contains (words, reason))
    return people_error (error, RB_REASON_USAGE, reason, "--reason is a word of RFC 5280, such as key-compromise");
  json_array_foreach (json_object_get (list, "certificates"), i, line)
    if (strcmp (rb_json_string_or (line, "serial", ""), wanted) == 0) {
      rb_json_set_moment (line, "revoked", since);
      rb_json_set_string (line, "reason", reason);
      return save_register (folder, list, error);
    }
  return list != NULL
         && people_error (error, RB_REASON_NOT_FOUND, serial, "no certificate with this serial number was issued");
}

/* Every CA that people and workstations have theirs from, DER in base64. */
static json_t *
dealer_cas (const char *folder, const json_t *list, GError **error)
{
  g_autoptr (json_t) cas = json_array ();
  size_t i;
  json_t *name;
  json_array_foreach (json_object_get (list, "cas"), i, name) {
    if (strcmp (json_string_value (name), VEHICLE_CA) == 0)
      continue;
    g_autofree char *path = path_of (folder, json_string_value (name), ".pem");
    g_autofree char *pem = read_text (path, error);
    g_autoptr (GPtrArray) read = pem == NULL ? NULL : rb_certificate_list_from_pem (pem, error);
    if (read == NULL)
      return NULL;
    g_autofree char *text = rb_bytes_to_base64 (rb_certificate_der (read->pdata[0]));
    json_array_append_new (cas, json_string (text));
  }
  return g_steal_pointer (&cas);
}

static json_t *
revoked (const json_t *list)
{
  json_t *revoked_list = json_array (), *line;
  size_t i;
  json_array_foreach (json_object_get (list, "certificates"), i, line)
    if (json_object_get (line, "revoked") != NULL)
      json_array_append_new (revoked_list,
                             json_pack ("{s:O,s:O,s:O}", "sha256", json_object_get (line, "revocation_id"), "since",
                                        json_object_get (line, "revoked"), "reason", json_object_get (line, "reason")));
  return revoked_list;
}

gboolean
rb_people_withdraw (const char *folder, const char *campaign, const char *reason, gint64 now, GError **error)
{
  g_autoptr (json_t) list = load_register (folder, error);
  json_t *line = json_pack ("{s:s,s:s}", "campaign", campaign, "reason", reason);
  if (list == NULL || rb_people_is_withdrawn (folder, campaign)) {
    json_decref (line);
    return list != NULL && people_error (error, RB_REASON_CAMPAIGN_WITHDRAWN, campaign, "withdrawn before");
  }
  rb_json_set_moment (line, "since", now);
  if (json_object_get (list, "withdrawn") == NULL)
    rb_json_set (list, "withdrawn", json_array ());
  json_array_append_new (json_object_get (list, "withdrawn"), line);
  return save_register (folder, list, error);
}

gboolean
rb_people_is_withdrawn (const char *folder, const char *campaign)
{
  g_autoptr (json_t) list = load_register (folder, NULL);
  size_t i;
  json_t *line;
  json_array_foreach (json_object_get (list, "withdrawn"), i, line)
    if (strcmp (rb_json_string_or (line, "campaign", ""), campaign) == 0)
      return TRUE;
  return FALSE;
}

/* What has been withdrawn. */
static json_t *
withdrawn (const json_t *list)
{
  json_t *lines = json_object_get (list, "withdrawn");
  return lines == NULL ? json_array () : json_incref (lines);
}

json_t *
rb_people_trust_list (const char *folder, const json_t *oem, gint64 days, const char *minimum_version, gint64 now,
                      GError **error)
{
  g_autoptr (json_t) list = load_register (folder, error);
  json_t *cas = list == NULL ? NULL : dealer_cas (folder, list, error);
  if (cas == NULL)
    return NULL;
  gint64 version = rb_json_integer_or (list, "trust_list", 0) + 1;
  rb_json_set_integer (list, "trust_list", version);
  if (minimum_version != NULL)
    rb_json_set_string (list, "minimum_version", minimum_version);
  g_autoptr (json_t) value = json_pack (
    "{s:s,s:I,s:O,s:I,s:s,s:O,s:o,s:o,s:o}", "format", "recallbay-trust-list-1", "version", (json_int_t) version, "oem",
    json_object_get (oem, "name"), "max_age_days", (json_int_t) days, "minimum_version",
    rb_json_string_or (list, "minimum_version", "0.1.0"), "wmis", json_object_get (oem, "wmi"), "dealer_cas", cas,
    "revoked", revoked (list), "withdrawn", withdrawn (list));
  rb_json_set_moment (value, "issued", now);
  return save_register (folder, list, error) ? g_steal_pointer (&value) : NULL;
}
