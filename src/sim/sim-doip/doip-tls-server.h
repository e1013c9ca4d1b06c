/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-ecu/error.h"
#include <gio/gio.h>

/*
 * TLS 1.2 and 1.3 on the vehicle's side (ISO 13400-2, port 3496). The vehicle's key and certificate are
 * doip/vehicle.pem of its state; a tester has to show a certificate for vehicle links (crypto/certificate.h) under one
 * of the authorities in doip/testers.pem.
 */
typedef struct _RbDoipTlsServer RbDoipTlsServer;
RbDoipTlsServer *rb_doip_tls_server_new (const char *state_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void rb_doip_tls_server_free (RbDoipTlsServer *self);

/* Takes stream. Not called if the handshake fails. */
typedef void (*RbDoipTlsServerPass) (gpointer data, GSocketConnection *connection, GIOStream *stream);
/* Begins a handshake on the default main context; it ends within 5 s, or with the server. */
void rb_doip_tls_server_accept (RbDoipTlsServer *self, GSocketConnection *connection, RbDoipTlsServerPass pass,
                                gpointer data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbDoipTlsServer, rb_doip_tls_server_free)
