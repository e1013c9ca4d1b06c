/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "core/bytes.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "sim-ecu/memory.h"

/* State of one ECU of the simulated vehicle while it has power, and helpers that its services share. */
typedef struct _RbSimVehicle RbSimVehicle;

typedef struct {
  guint8 number; /* next counter a TransferData must have; 0 before the first */
  guint8 last; /* last accepted counter, answered again without writing */
  gboolean any; /* was one accepted? */
  gboolean active;
  gboolean to_file; /* into the staging area, else into flash */
  char *path; /* file being staged */
  GByteArray *file;
  guint32 address, size, done;
} RbTransfer;

/* Diagnostic sessions (ISO 14229-1, 10.2). */
enum { RB_ECU_DEFAULT = 1, RB_ECU_PROGRAMMING = 2, RB_ECU_EXTENDED = 3 };

typedef struct {
  const RbModelEcu *model;
  RbMemory *memory;
  RbSimVehicle *vehicle; /* borrowed */
  guint8 session; /* one of those above */
  gboolean unlocked;
  gboolean fingerprinted; /* since the session was entered */
  guint32 seed; /* given by 27 01 and not yet answered; 0 none */
  GBytes *server_challenge, *client_challenge; /* between 29 01 and 29 03 */
  RbPublicKey *client_key;
  guint8 client_certificate[RB_SHA256_LENGTH]; /* digest of the certificate that holds it */
  RbTransfer transfer;
  GHashTable *staging; /* path → GBytes; lost with power */
  gint64 last_request; /* monotonic ms */
  gint64 powered_at;
  gint64 locked_until; /* unlocking is rejected with 0x37 until then */
  gint64 busy_until; /* booting: it hears nothing */
  gint64 working_until; /* its last answer comes then */
  gboolean dtc_off, silent;
  gboolean over_can; /* the request came over CAN */
  gboolean hung; /* fault: silent until it loses its power */
  gboolean stuck; /* fault: holds on to a download that was interrupted */
  guint resets; /* since power on, for faults */
  guint fuse_pulled; /* how often, when it last looked */
  gboolean hearing; /* a request of several frames is arriving: S3 stands still */
  guint answered[256]; /* requests answered by service id, for faults */
  guint blocks; /* TransferData accepted since power on, for faults */
  guint installs; /* installations of metadata since power on, for faults */
  GBytes *deferred; /* request that was answered with 0x78 and is not done yet; or NULL */
  guint deferred_ms; /* how long its work takes */
} RbEcu;

/* Response of a service: out holds the positive response; the result is 0 or an NRC. */
typedef guint8 (*RbService) (RbEcu *self, RbReader *request, GByteArray *out);
enum {
  RB_NRC_SUB_FUNCTION = 0x12,
  RB_NRC_LENGTH = 0x13,
  RB_NRC_BUSY = 0x21,
  RB_NRC_CONDITIONS = 0x22,
  RB_NRC_SEQUENCE = 0x24,
  RB_NRC_RANGE = 0x31,
  RB_NRC_LOCKED = 0x33,
  RB_NRC_NOT_AUTHENTICATED = 0x34,
  RB_NRC_NOT_ACCEPTED = 0x70,
  RB_NRC_SUSPENDED = 0x71,
  RB_NRC_PROGRAMMING = 0x72,
  RB_NRC_COUNTER = 0x73,
  RB_NRC_NOT_IN_SESSION = 0x7f,
};

/* Does its application run, else its bootloader? */
gboolean rb_ecu_state_is_application (const RbEcu *self);
/* Is it of kind "plain" (sim-ecu/reference-ecu.h)? */
gboolean rb_ecu_state_is_plain (const RbModelEcu *model);
