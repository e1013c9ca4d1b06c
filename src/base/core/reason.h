/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Reason words: the stable, machine readable half of every error a person can meet. A word is the same
 * in --json, the journal, the record and data/reasons.json, which says what it means for the vehicle
 * and what to do next.
 *
 * Every folder has a GError domain of its own; the code is an RbReason in all of them, so the reason of
 * an error is found without knowing who raised it.
 */
#define RB_REASONS(X) \
  /* usage and files */ \
  X (USAGE, "usage") \
  X (IO, "io") \
  X (NO_SPACE, "no-space") \
  X (IN_USE, "in-use") \
  X (NOT_PERMITTED, "not-permitted") \
  X (CANCELLED, "cancelled") \
  X (TIMEOUT, "timeout") \
  X (INTERNAL, "internal") \
  X (EXISTS, "exists") \
  X (NOT_FOUND, "not-found") \
  X (CONFIG, "config") \
  X (PASSPHRASE, "passphrase") \
  X (DATABASE, "database") \
  /* metadata */ \
  X (BAD_KEY_ID, "bad-key-id") \
  X (BAD_SIGNATURE, "bad-signature") \
  X (THRESHOLD_UNMET, "threshold-unmet") \
  X (DUPLICATE_SIGNATURE, "duplicate-signature") \
  X (ILLEGAL_THRESHOLD, "illegal-threshold") \
  X (EXPIRED, "expired") \
  X (WRONG_TYPE, "wrong-type") \
  X (ROOT_VERSION, "root-version") \
  X (ROLLBACK, "rollback") \
  X (VERSION_MISMATCH, "version-mismatch") \
  X (HASH_MISMATCH, "hash-mismatch") \
  X (LENGTH_MISMATCH, "length-mismatch") \
  X (MISSING, "missing") \
  X (ROOT_GAP, "root-gap") \
  X (DELEGATION_MISSING, "delegation-missing") \
  X (DELEGATION_IN_DIRECTOR, "delegation-in-director") \
  X (ECU_REPEATED, "ecu-repeated") \
  X (ECU_UNKNOWN, "ecu-unknown") \
  X (ECU_NOT_DIRECTED, "ecu-not-directed") \
  X (HARDWARE_MISMATCH, "hardware-mismatch") \
  X (TARGET_MISMATCH, "target-mismatch") \
  X (TARGET_MISSING, "target-missing") \
  X (TOO_LARGE, "too-large") \
  X (MALFORMED, "malformed") \
  X (PATH, "path") \
  X (RELEASE_COUNTER, "release-counter") \
  X (VIN_MISMATCH, "vin-mismatch") \
  X (PIN_MISMATCH, "pin-mismatch") \
  X (STORE_DAMAGED, "store-damaged") \
  /* trust, bundle and campaign */ \
  X (NO_TRUST_ANCHOR, "no-trust-anchor") \
  X (WRONG_OEM, "wrong-oem") \
  X (BUNDLE_TRUNCATED, "bundle-truncated") \
  X (CAMPAIGN_UNKNOWN, "campaign-unknown") \
  X (CAMPAIGN_AMBIGUOUS, "campaign-ambiguous") \
  X (CAMPAIGN_EXPIRED, "campaign-expired") \
  X (CAMPAIGN_ROLLBACK, "campaign-rollback") \
  X (CAMPAIGNS_CONFLICT, "campaigns-conflict") \
  X (CAMPAIGN_AFTER, "campaign-after") \
  X (CAMPAIGN_SUPERSEDED, "campaign-superseded") \
  X (CAMPAIGN_WITHDRAWN, "campaign-withdrawn") \
  X (NOT_IN_SCOPE, "not-in-scope") \
  X (NOT_IN_ANCHOR_SCOPE, "not-in-anchor-scope") \
  X (TRUST_LIST_MISSING, "trust-list-missing") \
  X (TRUST_LIST_EXPIRED, "trust-list-expired") \
  X (CLOCK, "clock") \
  X (RECOVERY_OPEN, "recovery-open") \
  X (VIN_MISSING, "vin-missing") \
  X (VIN_INVALID, "vin-invalid") \
  X (VIN_PACK_MISSING, "vin-pack-missing") \
  X (UNSUPPORTED, "unsupported") \
  X (IMAGE_MISSING, "image-missing") \
  /* identity */ \
  X (IDENTITY, "identity") \
  X (CERTIFICATE, "certificate") \
  X (CERTIFICATE_EXPIRED, "certificate-expired") \
  X (KEY_USAGE, "key-usage") \
  X (SAME_PERSON, "same-person") \
  X (UNSAFE_ALGORITHM, "unsafe-algorithm") \
  X (SIGNER_NOT_TRUSTED, "signer-not-trusted") \
  X (WORKSTATION_OUTDATED, "workstation-outdated") \
  /* link */ \
  X (LINK_LOST, "link-lost") \
  X (LINK_REFUSED, "link-refused") \
  X (LINK_CONFIRMATION, "link-confirmation") \
  X (LINK_NONE, "link-none") \
  X (LINK_PROTOCOL, "link-protocol") \
  X (TLS_REQUIRED, "tls-required") \
  X (TLS_REFUSED, "tls-refused") \
  X (VEHICLE_CERTIFICATE, "vehicle-certificate") \
  X (BUS_OFF, "bus-off") \
  X (NO_ACK, "no-ack") \
  X (WRONG_BITRATE, "wrong-bitrate") \
  X (TESTER_PRESENT, "tester-present") \
  /* ECU */ \
  X (NO_ANSWER, "no-answer") \
  X (REFUSED, "refused") \
  X (ECU_LOCKED, "ecu-locked") \
  X (ECU_LOCKED_OUT, "ecu-locked-out") \
  X (SECURITY_DELAY, "security-delay") \
  X (ECU_BUSY, "ecu-busy") \
  X (WRONG_ANSWER, "wrong-answer") \
  X (ECU_MISSING, "ecu-missing") \
  X (ECU_UNEXPECTED, "ecu-unexpected") \
  X (ECU_REPLACED, "ecu-replaced") \
  X (BLOCK_TOO_LONG, "block-too-long") \
  X (BOOTLOADER, "bootloader") \
  X (BOOT_FAILED, "boot-failed") \
  X (HARDWARE_NEEDED, "hardware-needed") \
  X (CODING_LOST, "coding-lost") \
  X (CODING_NOT_PROVEN, "coding-not-proven") \
  X (NOT_COMPATIBLE, "not-compatible") \
  /* inspection and interlocks */ \
  X (INSPECTION_MISSING, "inspection-missing") \
  X (INSPECTION_FAILED, "inspection-failed") \
  X (VOLTAGE_LOW, "voltage-low") \
  X (VOLTAGE_HIGH, "voltage-high") \
  X (IGNITION, "ignition") \
  X (MOVING, "moving") \
  X (SECOND_PERSON_MISSING, "second-person-missing") \
  /* recovery */ \
  X (IMAGE_NOT_PROVEN, "image-not-proven") \
  X (ROOT_NOT_PROVEN, "root-not-proven") \
  X (KEY_NOT_PROVEN, "key-not-proven") \
  X (REPORT_NOT_PROVEN, "report-not-proven") \
  X (METADATA_NOT_PROVEN, "metadata-not-proven") \
  X (NOT_COMPLETE, "not-complete") \
  X (NOT_STARTED, "not-started") \
  X (NO_WORK_NEEDED, "no-work-needed") \
  X (HANDED_OVER, "handed-over") \
  X (NOT_HANDED_OVER, "not-handed-over") \
  X (CLOSED_WITH_EXCEPTION, "closed-with-exception") \
  /* record */ \
  X (RECORD_MALFORMED, "record-malformed") \
  X (RECORD_SIGNATURE, "record-signature") \
  X (RECORD_CERTIFICATE, "record-certificate") \
  X (RECORD_RESULT, "record-result") \
  X (RECORD_SEQUENCE, "record-sequence") \
  X (RECORD_CAMPAIGN, "record-campaign") \
  X (RECORD_IMAGE, "record-image") \
  X (RECORD_ROOT, "record-root") \
  X (RECORD_REPLACEMENT, "record-replacement") \
  X (RECORD_SCOPE, "record-scope") \
  X (RECORD_NONCE, "record-nonce") \
  X (RECORD_KEY_KIND, "record-key-kind") \
  X (RECORD_TIME, "record-time") \
  X (RECORD_VIN, "record-vin") \
  X (RECORD_INSPECTION, "record-inspection") \
  X (RECORD_CREATED_BY, "record-created-by") \
  X (RECORD_METHOD, "record-method") \
  X (RECORD_PREFLIGHT, "record-preflight") \
  X (RECORD_FAILURES, "record-failures") \
  X (RECORD_CERTIFICATE_BYTES, "record-certificate-bytes") \
  X (RECORD_DUPLICATE, "record-duplicate") \
  X (RECORD_REPORT, "record-report") \
  X (RECORD_MANIFEST, "record-manifest") \
  X (NOT_COMPLETED, "not-completed") \
  X (SIGNER_MISSING, "signer-missing") \
  /* log */ \
  X (LOG_SIGNATURE, "log-signature") \
  X (LOG_PROOF, "log-proof") \
  X (LOG_FORK, "log-fork") \
  /* OEM */ \
  X (POLICY, "policy") \
  X (KEY_RETIRED, "key-retired") \
  X (DRAFT_MISMATCH, "draft-mismatch") \
  X (DRAFT_SIGNER, "draft-signer") \
  X (DRAFT_UNCONFIRMED, "draft-unconfirmed")

typedef enum {
  RB_REASON_NONE = 0,
#define RB_REASON_MEMBER(name, word) RB_REASON_##name,
  RB_REASONS (RB_REASON_MEMBER)
#undef RB_REASON_MEMBER
    RB_REASON_LAST
} RbReason;

/* The word of a reason, "ok" for RB_REASON_NONE. Never NULL. */
const char *rb_reason_word (RbReason reason);

/* The reason of a word; RB_REASON_NONE when it is not one. */
RbReason rb_reason_from_word (const char *word);

/* Is the link to the vehicle gone or useless, so that everything on it has to wait for it? */
gboolean rb_reason_is_link_lost (RbReason reason);

/* The reason of an error of any domain: its code where the domain is one of ours, else the nearest word
 * for GIO's and GLib's own errors (io, not-found, cancelled, ...). */
RbReason rb_reason_of (const GError *error);

/* Sets error (printf) and returns FALSE, so that a check can end with it. */
gboolean rb_reason_deny (GError **error, GQuark domain, RbReason reason, const char *format, ...) G_GNUC_PRINTF (4, 5);

/* Registers a domain whose codes are reasons. RB_DEFINE_ERROR_DOMAIN calls it. */
GQuark rb_reason_domain (const char *name);

/* In a folder's header: RB_DECLARE_ERROR_DOMAIN (uptane); #define RB_UPTANE_ERROR (rb_uptane_error_quark ())
 * and in one of its .c files: RB_DEFINE_ERROR_DOMAIN (uptane) */
#define RB_DECLARE_ERROR_DOMAIN(name) GQuark rb_##name##_error_quark (void)
#define RB_DEFINE_ERROR_DOMAIN(name) \
  GQuark rb_##name##_error_quark (void) \
  { \
    static gsize quark = 0; \
    if (g_once_init_enter (&quark)) \
      g_once_init_leave (&quark, rb_reason_domain ("rb-" #name "-error-quark")); \
    return (GQuark) quark; \
  }

RB_DECLARE_ERROR_DOMAIN (core);
#define RB_CORE_ERROR (rb_core_error_quark ())
