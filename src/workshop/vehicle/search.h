/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/channel.h"
#include "model/vehicle-model.h"

/*
 * Which ECUs there are, where no model says it: everybody is asked at once by a functional TesterPresent, and who
 * answers is there. By DoIP that is the group address 0xE400 and the addresses 0x1001 to 0x1010; by CAN 7DF with the
 * eight pairs of ISO 15765-4, and 18DB33F1 with all of normal fixed addressing. Where no ECU responds, the former are
 * asked each by itself. Addresses that only a model can know are not found.
 */
/* (element-type RbModelEcu): name, label and addresses alone. Errors: no-answer (there is none); those that make the
 * link useless (link-lost, no-ack, …). */
GPtrArray *rb_search_ecus (RbLink *link, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
