/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/certificate.h"
#include "oem/error.h"
#include <jansson.h>

/* Certificates of the demo dealer network: dealer CA, two technicians (by pseudonym), one workstation, the intake's TLS
 * server, and the DoIP end of a vehicle. */
typedef struct {
  RbCertificate *dealer_ca;
  RbCertificate *intake_ca;
  RbCertificate *key_agreement; /* the workstation's, to encrypt to */
  char *key_agreement_pem;
  char *passphrase;
  GBytes *technician, *second; /* PKCS#12, of pseudonyms */
  json_t *people; /* the OEM's register: [{pseudonym, name, dealer, certificate_sha256}] */
  GBytes *workstation; /* PEM: five encrypted keys with certificates, then the CA */
  char *dealer_ca_pem, *intake_ca_pem;
  char *vehicle_ca_pem; /* the authority of vehicles' certificates for DoIP */
  char *vehicle_pem; /* vehicle 1's key (not encrypted) and certificate */
  char *log_origin, *log_key_pem, *log_vkey; /* the log of records; the key is not encrypted */
  char *server_pem, *server_key_pem; /* localhost and 127.0.0.1; the key is not encrypted */
} RbPki;

RbPki *rb_pki_new (const char *oem, const char *vin, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_pki_free (RbPki *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbPki, rb_pki_free)
