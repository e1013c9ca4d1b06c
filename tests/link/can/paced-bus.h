/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "frame/isotp.h"

/*
 * A virtual bus with one bare ECU, in a process of its own: one tester may connect to PATH. Frames take their time on
 * it, the lowest identifier goes first, a late wake-up of ours slows nothing down. The ECU answers 36 (TransferData)
 * with 76 and its counter and everything else with the request's service id + 40, at once.
 */
typedef struct {
  const char *path;
  RbIsotpConfig ecu;
  guint32 bitrate, data_bitrate; /* 0: frames take no time */
  guint lose_every; /* a frame for the ECU that it does not see; 0: never */
} PacedBus;

/* Returns the process; it ends when the tester disconnects. */
int paced_bus_start (const PacedBus *bus);
void paced_bus_stop (int process);
