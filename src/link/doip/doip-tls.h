/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/address.h"

/*
 * Inside link/ only: TLS 1.2 or 1.3 over a connected socket. The vehicle's certificate has to lead to one of the
 * anchors, be valid now and be for a server; its host name does not count, since a vehicle has none. vin: the
 * certificate's common name where that is a VIN, else "". Errors: identity, tls-refused, vehicle-certificate,
 * G_IO_ERROR_CANCELLED. (transfer full)
 */
GIOStream *rb_doip_tls_start (GSocketConnection *connection, const RbLinkOptions *security, char vin[18],
                              GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
