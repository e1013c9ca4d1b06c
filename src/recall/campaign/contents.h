/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "campaign/error.h"
#include "campaign/scratch.h"
#include "campaign/service.h"
#include "model/campaign.h"
#include "model/completeness.h"
#include "model/profile.h"
#include "model/trust-list.h"
#include "model/vehicle-model.h"
#include "uptane/vehicle.h"

/*
 * The verified contents of one bundle: everything in it has been reached from a trust anchor, Service repository
 * first. Immutable and usable from any thread. A VIN's Director metadata is verified when it is asked for, an image
 * each time its file is read.
 */
typedef struct _RbContents RbContents; /* ref counted */
RbContents *rb_contents_ref (RbContents *self);
void rb_contents_unref (RbContents *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbContents, rb_contents_unref)

typedef enum { RB_CONTENTS_DIRECTOR, RB_CONTENTS_IMAGE } RbContentsRepo;

/* A metadata file to hand to an ECU, under the path by which it is staged there. */
typedef struct {
  char *path; /* "director/2.root.json", "image/supplier-a.json", "service/targets.json", "campaign.json" */
  char *role; /* "root", "timestamp", "snapshot", "targets", "supplier-a"; "campaign" */
  gint64 version;
  char *sha256; /* of the bytes, hex */
  GBytes *bytes;
} RbContentsFile;
void rb_contents_file_free (RbContentsFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbContentsFile, rb_contents_file_free)

/* All borrowed. */
const RbCampaign *rb_contents_campaign (RbContents *self);
GBytes *rb_contents_campaign_json (RbContents *self);
const char *rb_contents_campaign_sha256 (RbContents *self); /* of campaign.json, hex */
const RbVehicleModel *rb_contents_model (RbContents *self);
/* The profile that the campaign gives that hardware id, NULL when it gives none. */
const RbProfile *rb_contents_profile (RbContents *self, const char *hardware_id);
/* The Service repository's trust list in this bundle, NULL when it has none; a newer one may be known
 * (library/authority.h). */
RbTrustList *rb_contents_trust_list (RbContents *self);
GBytes *rb_contents_trust_list_json (RbContents *self);
/* The name of the trust anchor it was verified from; NULL: taken as given. */
const char *rb_contents_anchor (RbContents *self);

/* Until when work on a vehicle may start: the earlier of the Service timestamp's and the campaign's expiry. */
gint64 rb_contents_valid_until (RbContents *self);
/* campaign-expired, expired or clock unless work on a vehicle may start at now. */
gboolean rb_contents_may_start (RbContents *self, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* VINs with a pack of their own, sorted. (transfer full) */
GStrv rb_contents_vins (RbContents *self);
/* Packs there are, those of regions included. */
guint64 rb_contents_packs (RbContents *self);
/* What the Director assigns to the ECUs of that vehicle, verified at moment against both repositories and the campaign:
 * (element-type RbAssignment) (transfer full). ecus: those found in the vehicle, an assignment to another one is
 * ecu-unknown; n_ecus 0: not verified. Errors: vin-missing, vin-invalid, not-in-scope, vin-pack-missing, expired and
 * the other words for metadata. Pass the time of the recovery's first start for a vehicle that was started in time. */
GPtrArray *rb_contents_assignments (RbContents *self, const char *vin, gint64 moment, const RbVehicleEcu *ecus,
                                    guint n_ecus, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* What has to be done for that vehicle to be complete, by the same metadata: (element-type RbCompletenessEcu) (transfer
 * full). Errors as above. */
GPtrArray *rb_contents_completeness (RbContents *self, const char *vin, gint64 moment, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The same by the bytes of Director targets that a record quotes: signed by the campaign's Director root for that
 * vehicle. */
GPtrArray *rb_contents_directed (RbContents *self, const char *vin, GBytes *targets, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* she.json of the VIN's pack: {"format", "updates": [{"serial", "slot", "counter", "m1", "m2", "m3", "answer_sha256":
 * of M4‖M5}]}. M1–M3 need no secrecy. NULL without error: there is none. Error malformed. (transfer full) */
json_t *rb_contents_she (RbContents *self, const char *vin, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* From now on images of at most 128 MiB in all stay in memory once they are verified. Called before other threads use
 * it. */
void rb_contents_keep_images (RbContents *self);
/* The image with that digest: kept, or mapped or read, and hashed now. Errors: image-missing, hash-mismatch. (transfer
 * full) */
GBytes *rb_contents_image (RbContents *self, const char *sha256, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Roots above a version, in order; 0: all. (element-type RbContentsFile) (transfer full) */
GPtrArray *rb_contents_roots (RbContents *self, RbContentsRepo repo, gint64 above, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* timestamp, snapshot, targets and the delegated roles by name, in this order. vin is for the Director, else unused.
 * (element-type RbContentsFile) (transfer full) */
GPtrArray *rb_contents_roles (RbContents *self, RbContentsRepo repo, const char *vin, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* What an ECU needs to accept a new anchor: every Service root, service/targets.json, campaign.json and
 * anchor/REPO.root.json. (element-type RbContentsFile) (transfer full) */
GPtrArray *rb_contents_anchor_files (RbContents *self, RbContentsRepo repo, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For this folder and the library: what is to be verified. */
typedef gboolean (*RbContentsCheckRoles) (RbContents *self, const char *vin, GHashTable *roles, const char *data_dir,
                                          GError **error);
typedef struct {
  const char *folder; /* of a bundle's shape, without images */
  const char *store; /* images by digest; NULL: none */
  const char *in_place; /* bundle whose images are read where they are; NULL: none */
  GPtrArray *anchors; /* of RbAnchor; NULL: taken as given */
  gboolean started; /* the vehicle is started with it; a newer root of the OEM does not end that work */
  gint64 moment; /* expiry is evaluated then, or when the campaign was issued where that is later */
  /* Judges the Director metadata (role → GBytes) of a VIN whose pack is one of a region, each time it is read; NULL:
   * not verified. */
  RbContentsCheckRoles check_roles;
  const char *data_dir; /* for check_roles */
} RbContentsSource;
/* owned (may be NULL) is taken when it succeeds: it goes with the contents. */
RbContents *rb_contents_verify (const RbContentsSource *source, RbScratch *owned, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* The same of a Service repository that has been verified, and is taken when it succeeds. */
RbContents *rb_contents_of_service (const RbContentsSource *source, RbService *service, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
RbService *rb_contents_service (RbContents *self); /* borrowed */
/* The pack of that VIN alone, whatever a region has for it. Errors as of rb_contents_assignments(). */
gboolean rb_contents_verify_pack (RbContents *self, const char *vin, gint64 moment, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;
/* A VIN pack or file of pieces has been added to the folder; for who has not handed the contents on yet. */
gboolean rb_contents_reread (RbContents *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The folder goes with the contents. Takes scratch. */
void rb_contents_own (RbContents *self, RbScratch *scratch);
/* Path in image/targets/ → sha256 (char *), all that the campaign names. (transfer full) */
GHashTable *rb_contents_images (RbContents *self);
