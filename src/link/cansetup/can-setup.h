/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <gio/gio.h>

/*
 * Bit rate and state of the kernel's CAN interfaces. Setting them takes CAP_NET_ADMIN, which no program of ours has but
 * recall-can-setup: a service on the system bus (org.recallbay.CanSetup1, started when it is called) that polkit guards
 * and that knows nothing but an interface and a preset of can-preset.h.
 *
 *   SetUp (s interface, s preset)   down, bit rate, restart after bus-off by itself, a queue that drops nothing, up;
 *                                   where it cannot be done the interface is put back as it was
 *   Restart (s interface)           after bus-off
 *
 * Errors of both are org.recallbay.Error. and the reason word with _ for -.
 */
#define RB_CAN_SETUP_NAME "org.recallbay.CanSetup1"
#define RB_CAN_SETUP_PATH "/org/recallbay/CanSetup1"
#define RB_CAN_SETUP_ERROR "org.recallbay.Error."
#define RB_CAN_SETUP_ACTION "org.recallbay.can-setup"

/* Asks the service; the person may be asked for a password meanwhile. preset NULL: restart alone. Errors of
 * RB_LINK_ERROR: usage, link-none, not-permitted, unsupported, in-use, io, not-found (there is no such service);
 * G_IO_ERROR_CANCELLED. */
gboolean rb_can_setup_ask (const char *interface, const char *preset, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/* The same directly; requires CAP_NET_ADMIN. */
gboolean rb_can_setup_apply (const char *interface, const char *preset, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Without CAP_NET_ADMIN: is it an interface and a preset that rb_can_setup_apply() accepts? */
gboolean rb_can_setup_check (const char *interface, const char *preset, GError **error) G_GNUC_WARN_UNUSED_RESULT;
