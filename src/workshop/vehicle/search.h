/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "link/channel.h"
#include "model/vehicle-model.h"

/*
 * Finds the ECUs of a vehicle without a model: a functional TesterPresent is sent, and each ECU that responds is
 * listed. By DoIP it goes to the group address 0xE400 and the addresses 0x1001 to 0x1010; by CAN to 7DF with the eight
 * pairs of ISO 15765-4, and to 18DB33F1 with all of normal fixed addressing. If no ECU responds, the former are
 * requested one by one. Addresses that only a model has are not found.
 */
/* (element-type RbModelEcu): only name, label and addresses are set. Errors: no-answer (there is none); those that make
 * the link useless (link-lost, no-ack, …). */
GPtrArray *rb_search_ecus (RbLink *link, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
