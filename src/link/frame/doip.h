/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <glib.h>
#include "core/reason.h"

RB_DECLARE_ERROR_DOMAIN (frame);
#define RB_FRAME_ERROR (rb_frame_error_quark ())

/*
 * DoIP messages (ISO 13400-2) as bytes: an 8 byte header (version, its complement, payload type, length) and a
 * payload. No sockets and no clocks. Used by the tester and by the simulated vehicle; checked against scapy.
 */
#define RB_DOIP_HEADER 8
#define RB_DOIP_VERSION 0x02 /* ISO 13400-2:2012; what is read may be 01…04, and FF in identification requests */
#define RB_DOIP_ANY_VERSION 0xff
#define RB_DOIP_PORT 13400
#define RB_DOIP_TLS_PORT 3496
#define RB_DOIP_MAX_PAYLOAD (2 * 1024 * 1024)

typedef enum {
  RB_DOIP_HEADER_NACK = 0x0000,
  RB_DOIP_VEHICLE_ID_REQUEST = 0x0001,
  RB_DOIP_VEHICLE_ID_REQUEST_EID = 0x0002,
  RB_DOIP_VEHICLE_ID_REQUEST_VIN = 0x0003,
  RB_DOIP_ANNOUNCEMENT = 0x0004,
  RB_DOIP_ROUTING_ACTIVATION_REQUEST = 0x0005,
  RB_DOIP_ROUTING_ACTIVATION_RESPONSE = 0x0006,
  RB_DOIP_ALIVE_CHECK_REQUEST = 0x0007,
  RB_DOIP_ALIVE_CHECK_RESPONSE = 0x0008,
  RB_DOIP_ENTITY_STATUS_REQUEST = 0x4001,
  RB_DOIP_ENTITY_STATUS_RESPONSE = 0x4002,
  RB_DOIP_POWER_MODE_REQUEST = 0x4003,
  RB_DOIP_POWER_MODE_RESPONSE = 0x4004,
  RB_DOIP_DIAGNOSTIC = 0x8001,
  RB_DOIP_DIAGNOSTIC_ACK = 0x8002,
  RB_DOIP_DIAGNOSTIC_NACK = 0x8003,
} RbDoipType;

/* Codes of RB_DOIP_ROUTING_ACTIVATION_RESPONSE that are acted on */
enum {
  RB_DOIP_SOURCE_UNKNOWN = 0x00,
  RB_DOIP_TYPE_UNSUPPORTED = 0x06,
  RB_DOIP_TLS_REQUIRED = 0x07,
  RB_DOIP_ACTIVATED = 0x10,
  RB_DOIP_CONFIRMATION_REQUIRED = 0x11
};
/* Codes of RB_DOIP_HEADER_NACK */
enum {
  RB_DOIP_BAD_PATTERN = 0,
  RB_DOIP_UNKNOWN_TYPE = 1,
  RB_DOIP_TOO_LARGE = 2,
  RB_DOIP_NO_MEMORY = 3,
  RB_DOIP_BAD_LENGTH = 4
};

typedef struct {
  guint8 version;
  guint16 type;
  guint32 length; /* of the payload */
} RbDoipHeader;

typedef enum { RB_DOIP_HEADER_GOOD, RB_DOIP_HEADER_SHORT, RB_DOIP_HEADER_BAD } RbDoipHeaderState;
/* SHORT: fewer than 8 bytes are there yet. BAD: version and complement do not fit; the connection is closed. */
RbDoipHeaderState rb_doip_header_parse (gconstpointer data, gsize length, RbDoipHeader *header);
/* Appends header and payload. */
void rb_doip_write (GByteArray *out, guint16 type, gconstpointer payload, gsize length);
/* Makes the message at the beginning of out one of another edition. */
void rb_doip_set_version (GByteArray *out, guint8 version);

typedef struct {
  char vin[18];
  guint16 logical;
  guint8 eid[6], gid[6];
  guint8 further_action; /* 0x10: routing activation needed for central security */
  guint8 sync;
} RbDoipAnnouncement;
gboolean rb_doip_announcement_parse (gconstpointer payload, gsize length, RbDoipAnnouncement *out)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_doip_announcement_write (GByteArray *out, const RbDoipAnnouncement *announcement);

/* RB_DOIP_ROUTING_ACTIVATION_REQUEST */
gboolean rb_doip_activation_request_parse (gconstpointer payload, gsize length, guint16 *source, guint8 *type)
  G_GNUC_WARN_UNUSED_RESULT;
void rb_doip_activation_request_write (GByteArray *out, guint16 source, guint8 type);
/* RB_DOIP_ROUTING_ACTIVATION_RESPONSE; code 0x10 is success */
gboolean rb_doip_activation_response_parse (gconstpointer payload, gsize length, guint16 *tester, guint16 *entity,
                                            guint8 *code) G_GNUC_WARN_UNUSED_RESULT;
void rb_doip_activation_response_write (GByteArray *out, guint16 tester, guint16 entity, guint8 code);
/* Meaning of a routing activation response code, static. */
const char *rb_doip_activation_text (guint8 code);

/* Diagnostic message, ack and nack all start with source and target address. */
gboolean rb_doip_addresses_parse (gconstpointer payload, gsize length, guint16 *source, guint16 *target)
  G_GNUC_WARN_UNUSED_RESULT;
/* Its header and addresses, for a message that is written behind them. */
void rb_doip_diagnostic_header (GByteArray *out, guint16 source, guint16 target, gsize length);
void rb_doip_diagnostic_write (GByteArray *out, guint16 source, guint16 target, gconstpointer uds, gsize length);
/* type ACK (code 0) or NACK */
void rb_doip_diagnostic_ack_write (GByteArray *out, guint16 type, guint16 source, guint16 target, guint8 code);
const char *rb_doip_diagnostic_nack_text (guint8 code);
/* Meaning of a code of RB_DOIP_HEADER_NACK, static. */
const char *rb_doip_header_nack_text (guint8 code);
void rb_doip_status_write (GByteArray *out, guint8 node_type, guint8 max_sockets, guint8 open_sockets,
                           guint32 max_data);

typedef struct {
  guint8 node_type; /* 0 gateway, 1 node */
  guint8 max_sockets, open_sockets;
  guint32 max_data; /* 0: not reported */
} RbDoipStatusInfo;
/* RB_DOIP_ENTITY_STATUS_RESPONSE */
gboolean rb_doip_status_parse (gconstpointer payload, gsize length, RbDoipStatusInfo *out) G_GNUC_WARN_UNUSED_RESULT;
/* RB_DOIP_POWER_MODE_RESPONSE */
typedef enum { RB_DOIP_POWER_NOT_READY = 0, RB_DOIP_POWER_READY = 1, RB_DOIP_POWER_NOT_SUPPORTED = 2 } RbDoipPower;
gboolean rb_doip_power_parse (gconstpointer payload, gsize length, RbDoipPower *out) G_GNUC_WARN_UNUSED_RESULT;
