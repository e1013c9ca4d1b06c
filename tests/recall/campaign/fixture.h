/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "crypto/key.h"
#include <glib.h>

/* A made-up OEM whose bundle (a folder) can be signed with anything wrong in it. One key a repository, threshold 1. */
#define FIXTURE_NOW G_GINT64_CONSTANT (1800000000)
#define FIXTURE_VIN "1RBDM7AA2TA000001"
#define FIXTURE_OTHER_VIN "1RBDM7AA2TA000002"
#define FIXTURE_OTHER_WMI_VIN "2RBDM7AA0TA000002"
#define FIXTURE_WMI "1RB"
#define FIXTURE_DAY (24 * 60 * 60)

typedef struct {
  gint64 written; /* bundles, for the version of the next one's metadata */
  RbPrivateKey *service, *new_service, *director, *new_director, *image, *new_image;
  GBytes *primary_image, *door_image;
  GBytes *region_table, *also_table; /* of the region written last, and of the one before; NULL */
} Fixture;

typedef struct {
  const char *id;
  const char *title;
  gint64 version;
  gint64 issued, expires, service_expires, pack_expires;
  gint64 service_version, pack_version; /* 0: above every bundle written before */
  const char *scope; /* a VIN, NULL: all */
  const char *pack_vin; /* NULL: no pack */
  const char *pack_claims; /* VIN inside the Director targets, "": none, NULL: the pack's */
  const char *custom; /* JSON of "custom" there, NULL: none */
  gboolean service_rotated; /* a second Service root, with other keys */
  gboolean image_pinned; /* the second Image root is not signed by the first one's key */
  gboolean says_pinned; /* and the campaign says so */
  gboolean extra_root; /* a third Director root that the campaign does not know */
  gboolean wrong_root; /* the campaign names another digest for the Director root */
  gboolean other_image; /* the Director assigns the Primary's image to the door */
  gboolean unknown_ecu; /* the Director assigns to a hardware id that the campaign does not know */
  gboolean no_primary; /* the Director assigns nothing to the Primary */
  gboolean unknown_hardware; /* the campaign names a hardware id that the model does not know */
  const char *campaign_file; /* name of the campaign's file; NULL: by its id */
  gboolean second_campaign;
  gboolean no_campaign;
  gboolean no_trust_list;
  const char *wmi; /* of the trust list; NULL: FIXTURE_WMI */
  gint64 list_version; /* 0: 1 */
  const char *withdrawn; /* a campaign that the list withdraws; NULL: none */
  const char *minimum_version; /* NULL: "0.0.1" */
  const char *region; /* the pack is in the file of that region; NULL: alone */
  gboolean pack_stays; /* and alone too */
  const char
    *also_region; /* targets name that region's table too, and it is not in the bundle: the one written before; NULL */
  gboolean
    consistent; /* the vehicle repositories have consistent snapshots: roots say so, files are VERSION.ROLE.json */
  gboolean scope_in_table; /* scope is in a table */
  gboolean other_scope; /* and the campaign names another digest */
} FixtureBundle;

void fixture_init (Fixture *self);
void fixture_clear (Fixture *self);
FixtureBundle fixture_good (void);
void fixture_write (Fixture *self, const FixtureBundle *bundle, const char *folder);
/* The first Service root. (transfer full) */
GBytes *fixture_anchor (const Fixture *self);
