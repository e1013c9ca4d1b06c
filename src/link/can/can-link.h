/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "can/can-backend.h"
#include "link/backend.h"

/*
 * Every CAN backend as a kind of link: ISO-TP above its frames, one I/O thread an interface.
 * An address whose response is 0 is functional: single frames go out, nothing comes in.
 */
extern const RbLinkBackend rb_can_link_can, rb_can_link_canfd, rb_can_link_usb, rb_can_link_bus;

/* For a backend of the caller's own, as tests do: the state for rb_can_link_any. Takes state. */
gpointer rb_can_link_new (const RbCanBackend *backend, gpointer state, GError **error) G_GNUC_WARN_UNUSED_RESULT;
extern const RbLinkBackend rb_can_link_any;
