/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <gio/gio.h>

/*
 * What a link's URI stands for on this computer, so that two URIs of one link have a name in common: "can/if3" for can:
 * and canfd: of an interface, "usb/SERIAL", "bus/DEVICE:INODE" of the socket, "doip/ADDRESS:PORT" for each address of
 * the host. A URI whose target is not there stands as it is written. "usb:" names no adapter before it is open: no
 * name. Blocks while a host name is resolved. (transfer full)
 */
GStrv rb_link_name_list (const char *uri, GCancellable *cancellable);
