/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>

/* One result of a search for links: an adapter, a CAN interface, or a DoIP entity. */
typedef struct {
  char *uri; /* what rb_link_open_with() takes */
  char *kind; /* "doip", "can", "canfd", "usb", "bus" */
  char *name;
  char *serial; /* adapter's serial number, EID or "" */
  char *state; /* "ready", "in-use", "no-permission", "down", "error-passive", "bus-off", "dropping-qdisc" */
  char *vin; /* of a DoIP announcement, or "" */
} RbLinkEntry;

void rb_link_entry_free (RbLinkEntry *self);
