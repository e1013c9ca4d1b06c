/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/reference-bundle.h"
#include "crypto/key.h"
#include "intake/error.h"

#include <gio/gio.h>

/* intake.json, read: what the intake needs beside its database. Files in it are named relative to it. Unknown members
 * are refused. */
typedef struct {
  GTlsCertificate *certificate; /* of the server, with its key */
  GPtrArray *client_cas; /* of RbCertificate: under them TLS clients have their certificates */
  GPtrArray *dealer_cas; /* of RbCertificate: under them workstations and technicians have theirs */
  RbReferenceBundle *testimony; /* the campaign */
  GPtrArray *bundles; /* of RbReferenceValues, borrowed from testimony */
  char *origin; /* of the log */
  RbPrivateKey *log_key;
} RbSettings;
/* Errors: not-found, malformed, missing, config (the log's key is another one than its vkey says). */
RbSettings *rb_settings_load (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_settings_free (RbSettings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbSettings, rb_settings_free)
