/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "oem/error.h"
#include <jansson.h>

/* The vehicles of the demo: their ECUs, software, model and profiles. Deterministic: the same numbers
 * always give the same vehicles and images. */
typedef struct {
  char *name;
  char *label;
  const char *supplier; /* "" for the OEM; static */
  char *hardware_id;
  char *part_number; /* of the spare part */
  const char *profile; /* static */
  const char *bus; /* static */
  gboolean primary, full, she;
  /* FALSE unless the caller sets them */
  gboolean root_in_image; /* its Director root is a segment of its image; its profile is then "partial-image-root" */
  gboolean optional; /* not every vehicle has it */
  gboolean unbuilt; /* not in the list of vehicle 1 as built */
  gboolean undirected; /* the campaign's Director targets leave it out in vehicle 1 */
} RbFleetEcu;

typedef struct {
  char *path; /* in the Image repository */
  char *version;
  gint64 counter; /* release counter */
  GBytes *image; /* segment container */
  char *sha256;
  json_t *entry; /* length and hashes as targets files have them */
} RbFleetSoftware;

typedef struct {
  GPtrArray *ecus; /* of RbFleetEcu */
  guint vehicles;
  gsize image_size;
  gboolean unlisted; /* the Director does not say how vehicles are built; FALSE unless the caller sets it */
  guint16 tester; /* the vehicles know no client with another logical address, nor another activation type than 0xE0; 0:
                     any */
} RbFleet;

#define RB_FLEET_ECUS_MIN 6
#define RB_FLEET_ECUS_MAX 120
#define RB_FLEET_IMAGE_MIN 1024
#define RB_FLEET_IMAGE_MAX (256 * 1024 * 1024)
#define RB_FLEET_VEHICLES_MAX 100000

RbFleet *rb_fleet_new (guint ecus, guint vehicles, gsize image_size);
void rb_fleet_free (RbFleet *self);
const RbFleetEcu *rb_fleet_ecu (const RbFleet *self, guint index);
/* number counts from 1. (transfer full) */
char *rb_fleet_vin (guint number); /* begins with RB_FLEET_WMI */
/* Coding and adaptation of every ECU, and its hardware version (F193). */
#define RB_FLEET_CODING "0600"
#define RB_FLEET_ADAPTATION "0601"
#define RB_FLEET_HARDWARE_VERSION "1.1"
#define RB_FLEET_WMI "1RB"
char *rb_fleet_serial (const RbFleetEcu *ecu, guint number);
/* What a version of every ECU's software is: of RbFleetSoftware, in the order of the ECUs. director_root: for images
 * that carry it. (transfer full) */
GPtrArray *rb_fleet_software (const RbFleet *self, const char *version, gint64 counter, GBytes *director_root);
/* Entries of the Image repository, of one supplier only ("" the OEM). (transfer full) */
json_t *rb_fleet_image_targets (const RbFleet *self, GPtrArray *software, const char *supplier);
/* The Director's assignments of one vehicle. (transfer full) */
json_t *rb_fleet_director_targets (const RbFleet *self, GPtrArray *software, guint number);
/* Members that the campaign's Director targets of a vehicle have besides: its VIN and how it is built. (transfer full)
 */
json_t *rb_fleet_director_members (const RbFleet *self, guint number);
/* models/ID.json and profiles/ID.json. (transfer full) */
json_t *rb_fleet_model (const RbFleet *self);
json_t *rb_fleet_profile (const char *id);
const char *const *rb_fleet_profiles (void); /* NULL-terminated */
/* Addresses of an ECU's flash; whole blocks, room for an image of image_size in two segments. */
#define RB_FLEET_FLASH_ADDRESS 0x08000000u
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RbFleet, rb_fleet_free)
