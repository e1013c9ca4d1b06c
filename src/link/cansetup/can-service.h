/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "cansetup/can-setup.h"

/*
 * The service of can-setup.h: on the system bus, until a minute passes without a call. Each call is looked at before
 * anybody is asked (an unknown preset, no such interface), then polkit decides, then one at a time is done.
 */
/* 0, or 1 when there is no system bus or the name is not ours to have. */
int rb_can_service_run (void);
