/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/certificate.h"
#include "crypto/secret.h"
#include "identitykey/identity-key.h"
#include "keymaker/request.h"

#include <string.h>

static GPtrArray *
make (RbIdentityKeyKind kind, char **keys)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *requests = NULL;
  *keys = rb_identity_key_make (kind, "bay 3", "secret", &requests, &error);
  g_assert_no_error (error);
  GPtrArray *list = rb_request_list_from_pem (requests, &error);
  g_assert_no_error (error);
  return list;
}

static void
test_workstation (void)
{
  static const RbPurpose purposes[] = { RB_PURPOSE_WORKSTATION, RB_PURPOSE_TLS_CLIENT, RB_PURPOSE_DOIP_TLS,
                                        RB_PURPOSE_ECU_AUTHENTICATION, RB_PURPOSE_KEY_AGREEMENT };
  char *keys = NULL;
  g_autoptr (GPtrArray) requests = make (RB_IDENTITY_KEY_WORKSTATION, &keys);
  g_assert_cmpuint (requests->len, ==, G_N_ELEMENTS (purposes));
  for (guint i = 0; i < requests->len; i++) {
    const RbRequest *request = requests->pdata[i];
    g_assert_cmpint (request->purpose, ==, (int) purposes[i]);
    g_assert_cmpstr (request->common_name, ==, "bay 3");
    for (guint other = 0; other < i; other++)
      g_assert_false (rb_key_public_equal (request->key, ((RbRequest *) requests->pdata[other])->key));
  }
  rb_secret_free (keys);
}

/* The key in the file is the one that the request is for, and needs its passphrase. */
static void
test_technician (void)
{
  g_autoptr (GError) error = NULL, none = NULL;
  char *keys = NULL;
  g_autoptr (GPtrArray) requests = make (RB_IDENTITY_KEY_TECHNICIAN, &keys);
  g_autoptr (RbPrivateKey) key = rb_key_private_from_pem (keys, "secret", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (requests->len, ==, 1);
  g_assert_true (rb_key_public_equal (rb_key_private_public (key), ((RbRequest *) requests->pdata[0])->key));
  g_assert_cmpint (((RbRequest *) requests->pdata[0])->purpose, ==, RB_PURPOSE_TECHNICIAN);
  g_assert_null (rb_key_private_from_pem (keys, "other", &none));
  g_assert_error (none, RB_CRYPTO_ERROR, RB_REASON_PASSPHRASE);
  rb_secret_free (keys);
}

static void
test_refused (void)
{
  g_autofree char *long_name = g_strnfill (65, 'x');
  const struct {
    const char *name, *passphrase;
    RbReason reason;
  } rows[] = { { "Jo", NULL, RB_REASON_PASSPHRASE },
               { "Jo", "", RB_REASON_PASSPHRASE },
               { "", "secret", RB_REASON_MALFORMED },
               { "\xff", "secret", RB_REASON_MALFORMED },
               { long_name, "secret", RB_REASON_MALFORMED } };
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    char *requests = NULL;
    g_assert_null (
      rb_identity_key_make (RB_IDENTITY_KEY_TECHNICIAN, rows[i].name, rows[i].passphrase, &requests, &error));
    g_assert_error (error, RB_CRYPTO_ERROR, (int) rows[i].reason);
    g_assert_null (requests);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/identity-key/workstation", test_workstation);
  g_test_add_func ("/identity-key/technician", test_technician);
  g_test_add_func ("/identity-key/refused", test_refused);
  return g_test_run ();
}
