/* SPDX-License-Identifier: Apache-2.0 */
#include "uds/nrc.h"

#include <glib.h>

RB_DEFINE_ERROR_DOMAIN (uds)

static const struct {
  guint8 nrc;
  RbReason reason;
  const char *name;
} codes[] = {
  { 0x10, RB_REASON_REFUSED, "generalReject" },
  { 0x11, RB_REASON_REFUSED, "serviceNotSupported" },
  { 0x12, RB_REASON_REFUSED, "subFunctionNotSupported" },
  { 0x13, RB_REASON_REFUSED, "incorrectMessageLengthOrInvalidFormat" },
  { 0x14, RB_REASON_REFUSED, "responseTooLong" },
  { 0x21, RB_REASON_ECU_BUSY, "busyRepeatRequest" },
  { 0x22, RB_REASON_REFUSED, "conditionsNotCorrect" },
  { 0x24, RB_REASON_REFUSED, "requestSequenceError" },
  { 0x25, RB_REASON_NO_ANSWER, "noResponseFromSubnetComponent" },
  { 0x26, RB_REASON_REFUSED, "failurePreventsExecutionOfRequestedAction" },
  { 0x31, RB_REASON_REFUSED, "requestOutOfRange" },
  { 0x33, RB_REASON_ECU_LOCKED, "securityAccessDenied" },
  { 0x34, RB_REASON_ECU_LOCKED, "authenticationRequired" },
  { 0x35, RB_REASON_ECU_LOCKED, "invalidKey" },
  { 0x36, RB_REASON_ECU_LOCKED_OUT, "exceededNumberOfAttempts" },
  { 0x37, RB_REASON_SECURITY_DELAY, "requiredTimeDelayNotExpired" },
  { 0x50, RB_REASON_ECU_LOCKED, "certificateVerificationFailed-InvalidTimePeriod" },
  { 0x51, RB_REASON_ECU_LOCKED, "certificateVerificationFailed-InvalidSignature" },
  { 0x52, RB_REASON_ECU_LOCKED, "certificateVerificationFailed-InvalidChainOfTrust" },
  { 0x53, RB_REASON_ECU_LOCKED, "certificateVerificationFailed-InvalidType" },
  { 0x54, RB_REASON_ECU_LOCKED, "certificateVerificationFailed-InvalidFormat" },
  { 0x55, RB_REASON_ECU_LOCKED, "certificateVerificationFailed-InvalidContent" },
  { 0x56, RB_REASON_ECU_LOCKED, "certificateVerificationFailed-InvalidScope" },
  { 0x57, RB_REASON_ECU_LOCKED, "certificateVerificationFailed-InvalidCertificate" },
  { 0x58, RB_REASON_ECU_LOCKED, "ownershipVerificationFailed" },
  { 0x59, RB_REASON_ECU_LOCKED, "challengeCalculationFailed" },
  { 0x5a, RB_REASON_ECU_LOCKED, "settingAccessRightsFailed" },
  { 0x70, RB_REASON_REFUSED, "uploadDownloadNotAccepted" },
  { 0x71, RB_REASON_REFUSED, "transferDataSuspended" },
  { 0x72, RB_REASON_REFUSED, "generalProgrammingFailure" },
  { 0x73, RB_REASON_REFUSED, "wrongBlockSequenceCounter" },
  { 0x78, RB_REASON_ECU_BUSY, "requestCorrectlyReceived-ResponsePending" },
  { 0x7e, RB_REASON_REFUSED, "subFunctionNotSupportedInActiveSession" },
  { 0x7f, RB_REASON_REFUSED, "serviceNotSupportedInActiveSession" },
  { 0x83, RB_REASON_IGNITION, "engineIsRunning" },
  { 0x84, RB_REASON_IGNITION, "engineIsNotRunning" },
  { 0x88, RB_REASON_MOVING, "vehicleSpeedTooHigh" },
  { 0x92, RB_REASON_VOLTAGE_HIGH, "voltageTooHigh" },
  { 0x93, RB_REASON_VOLTAGE_LOW, "voltageTooLow" },
  { 0x94, RB_REASON_ECU_BUSY, "resourceTemporarilyNotAvailable" },
};

const char *
rb_nrc_name (guint8 nrc)
{
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    if (codes[i].nrc == nrc)
      return codes[i].name;
  return "manufacturerSpecific";
}

RbReason
rb_nrc_reason (guint8 nrc)
{
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    if (codes[i].nrc == nrc)
      return codes[i].reason;
  return RB_REASON_REFUSED;
}
