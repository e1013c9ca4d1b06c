/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <gio/gio.h>
#include "core/reason.h"

/* The values that a link and its backends pass to one another: addresses, options, what an interface is. */

RB_DECLARE_ERROR_DOMAIN (link);
#define RB_LINK_ERROR (rb_link_error_quark ())

typedef struct _RbLink RbLink; /* ref counted */

/* Where an ECU is. Which fields count depends on the link: DoIP needs logical; CAN needs request/response. */
typedef struct {
  guint16 logical; /* DoIP logical address */
  guint32 request; /* CAN id, bit 31 set for 29 bit */
  guint32 response; /* 0: a functional address; single frames go out and nothing comes in */
  int extension; /* extended/mixed address byte, -1 none */
  int response_extension; /* -1 none */
  gboolean fd; /* CAN FD frames of up to 64 bytes */
  guint8 padding; /* filler byte, 0xCC by default */
} RbAddress;

typedef struct {
  char vin[18]; /* from the certificate of a doips:// vehicle, "" when the link does not know */
  guint16 logical; /* of the entity */
  guint32 max_message; /* largest UDS message the link carries, 0 unknown */
  char *kind, *vendor, *serial, *firmware; /* interface identity for the record */
} RbLinkInfo;

/* Opening waits for a person at the vehicle; text says what for. Called from another thread, and never after opening
 * has ended. */
typedef void (*RbLinkWait) (const char *text, gpointer user_data);

/*
 * What a link may need. For doips://, as PEM texts: the workstation's key for that link (PKCS#8, not encrypted) with
 * its certificates, own first, and the authorities under which a vehicle may have its certificate. Borrowed for the
 * call; nothing is read from files.
 */
typedef struct {
  const char *identity; /* NULL: none */
  const char *anchors;
  guint16 tester; /* logical address of the client on DoIP; 0: 0x0E80 */
  guint8 activation_type; /* of the DoIP routing activation */
  RbLinkWait wait; /* NULL: no call */
  gpointer wait_data;
} RbLinkOptions;

/*
 * What is to follow an answer at once, as the next block of a download: where the link is in another process, it goes
 * out while this one still hears of the answer, so that the wire does not wait for two processes to take turns.
 */
typedef struct {
  GBytes *after; /* the very answer, borrowed */
  GBytes *message; /* borrowed for the call */
  gboolean sent;
} RbChannelFollowUp;
#define RB_CHANNEL_MAX_TESTERS 512 /* ids that can be watched */
