/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/backend.h"

/* DoIP (ISO 13400-2) as a kind of link: one TCP connection with routing activation, a channel each logical address. */
extern const RbLinkBackend rb_doip_link_backend; /* doip: */
extern const RbLinkBackend rb_doip_link_secured; /* doips: over TLS */
