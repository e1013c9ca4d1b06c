/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "authority/error.h"
#include "keystore/signer.h"
#include <jansson.h>

/*
 * The public half of a signing key with its holder: keys/NAME.json, a file that travels. The private half is
 * keys/NAME.pem (encrypted PKCS#8), on a token, behind a key service, or elsewhere. Times are 0 where there is none.
 */
typedef struct {
  char *name, *holder, *organisation, *place;
  gboolean online;
  char *where; /* "pkcs11:…", "exec:…"; NULL: keys/NAME.pem, where it is at hand */
  char *token; /* label of the token; NULL: none */
  RbPublicKey *public;
  gint64 created, until; /* the holder's term ends */
  gint64 retired, since; /* it is not to be believed since then */
  char *reason; /* of retiring; else NULL */
} RbKeyCard;

void rb_key_card_free (RbKeyCard *self);
/* Letters, digits, '.', '_', '-', not first a '.'. Error malformed. */
gboolean rb_key_card_check_name (const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Errors: malformed. what: the file's name. */
RbKeyCard *rb_key_card_parse (const json_t *value, const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;
json_t *rb_key_card_to_json (const RbKeyCard *self);
/* Of folder/keys. Errors: not-found, malformed. */
RbKeyCard *rb_key_card_load (const char *folder, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rb_key_card_exists (const char *folder, const char *name);
gboolean rb_key_card_save (const RbKeyCard *self, const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of RbKeyCard, by name. No folder keys: an empty list. */
GPtrArray *rb_key_card_list (const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The card of that public key; NULL: none. Borrowed from cards. */
RbKeyCard *rb_key_card_of (GPtrArray *cards, RbPublicKey *key);
/* folder/keys/NAME.pem (transfer full) */
char *rb_key_card_private_path (const char *folder, const char *name);
/* Writes it, encrypted. */
gboolean rb_key_card_write_private (const char *folder, const char *name, RbPrivateKey *key, const char *passphrase,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Is the private half in the folder, on a token, or behind a service? */
gboolean rb_key_card_is_at_hand (const RbKeyCard *self, const char *folder);
/* Opens the private half. Errors: not-found, passphrase, identity; key-retired. */
RbSigner *rb_key_card_open (const RbKeyCard *self, const char *folder, const char *secret, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* "Ada Lane (token “ada-1”, able-…)": holder, token label or name, and the label of four words. (transfer full) */
char *rb_key_card_text (const RbKeyCard *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbKeyCard, rb_key_card_free)
