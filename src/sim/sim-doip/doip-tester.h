/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "sim-doip/doip-discovery.h"
#include "sim-doip/doip-tls-server.h"
#include "sim-ecu/sim-vehicle.h"

/* The connections of testers to the entity: places among them, and responses at their time. */
typedef struct _RbDoipEntity RbDoipEntity;

struct _RbDoipEntity {
  RbSimVehicle *vehicle;
  GSocketService *service, *secured_service; /* either may be NULL */
  RbDoipDiscovery *discovery;
  RbDoipTlsServer *tls_server;
  char *address, *secured_address;
  GPtrArray *testers; /* of RbDoipTester, owned */
};

typedef struct _RbDoipTester RbDoipTester;
struct _RbDoipTester {
  RbDoipEntity *entity;
  GSocketConnection *connection;
  GIOStream *stream; /* the connection, or TLS over it */
  GSource *source;
  GByteArray *buffer;
  GPtrArray *delayed; /* of GSource: responses that wait for their time */
  guint32 to_skip; /* bytes of a refused message that are still to come */
  GSource *idle; /* closes the connection when nothing is said */
  guint16 address;
  gboolean active;
  RbDoipTester
    *address_holder; /* has the address that this one asks for, and is being asked whether it is alive; or NULL */
  gboolean awaiting_socket; /* asks for a place where there is none, and all others are being asked */
  gboolean alive_check_pending; /* for a client that awaits a socket; it has not answered */
  guint16 wanted;
  guint timer; /* of that question */
};

/* A vehicle of one ECU is its own DoIP node; else the gateway's edge has an address of its own. */
guint16 rb_doip_tester_entity_address (const RbDoipEntity *self);
/* Takes source. */
void rb_doip_tester_source_drop (GSource *source);
void rb_doip_tester_free (RbDoipTester *self);
void rb_doip_tester_write (RbDoipTester *self, GByteArray *message);
/* Responds to the routing activation of source; with RB_DOIP_ACTIVATED it is active from now on. */
void rb_doip_tester_answer_activation (RbDoipTester *self, guint16 source, guint8 code);
/* Testers whose routing is active. */
guint rb_doip_tester_count_active (const RbDoipEntity *self);
/* Ends the connection and frees the tester; reset: at once, without the rest of what was sent. */
void rb_doip_tester_close (RbDoipTester *self);
void rb_doip_tester_reset (RbDoipTester *self);
void rb_doip_tester_send_nack (RbDoipTester *self, guint8 code);
/* Responses of the ECU at address from, each at its time. (element-type RbAnswer) */
void rb_doip_tester_send_answers (RbDoipTester *self, guint16 from, GPtrArray *answers);
