/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "cansetup/can-setup.h"

/*
 * The service of can-setup.h: on the system bus, until a minute passes without a call. Each call is checked first (an
 * unknown preset, no such interface), then polkit decides, then calls are carried out one at a time.
 */
/* 0, or 1 without a system bus or if the name cannot be owned. */
int rb_can_service_run (void);
