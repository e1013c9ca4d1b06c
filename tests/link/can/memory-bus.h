/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "can/can-link.h"
#include "link/channel.h"
#include "frame/isotp.h"

/*
 * A CAN backend in memory with one ECU behind it, whose every misbehaviour a test can switch on. Each frame of ours is
 * confirmed and, unless lost, taken by the ECU's own ISO-TP engine; `answer` makes its answer.
 */
typedef struct {
  GMutex lock;
  int event; /* readable: receive has something to say */
  GQueue *input; /* of MemoryInput */
  GPtrArray *ecus; /* of MemoryEcu */
  guint again; /* so many sends find no room */
  gboolean mute; /* frames are taken and never confirmed, nor seen by the ECU */
  gboolean unmarked; /* our frames come back once more as anybody's */
  gboolean gone; /* unplugged */
  guint lose_every; /* 0: never */
  guint sent, mended, filters;
  gboolean no_fd;
  RbCanState state;
  gboolean state_known;
  gboolean mends;
  GAsyncQueue *seen; /* an item a frame that send was called for */
  int users; /* calls under way; never two */
} MemoryBus;

typedef struct {
  RbIsotp *engine;
  GBytes *(*answer) (GBytes *request); /* NULL: silent; returns (transfer full) */
} MemoryEcu;

MemoryBus *memory_bus_new (void);
void memory_bus_add_ecu (MemoryBus *bus, const RbIsotpConfig *config, GBytes *(*answer) (GBytes *request));
/* As if it came from the bus. */
void memory_bus_inject (MemoryBus *bus, const RbCanFrame *frame);
void memory_bus_unplug (MemoryBus *bus);
RbLink *memory_bus_link (MemoryBus *bus);
extern const RbCanBackend memory_bus_backend;
