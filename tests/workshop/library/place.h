/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fixture.h"
#include "library/library.h"

/* A library with one trust anchor, "Fixture", and bundles for it. */
typedef struct {
  Fixture oem;
  char *folder, *data;
  guint bundles;
  RbLibrary *library;
} Place;

void place_set_up (Place *self, gconstpointer data);
void place_tear_down (Place *self, gconstpointer data);
/* Returns the path, to be freed. */
char *place_write_bundle (Place *self, const FixtureBundle *bundle);
/* Every file of the data dir with its digest. */
char *place_stored (Place *self);
void place_import (Place *self, const FixtureBundle *bundle, gint64 now);
/* Import and verify refuse it for that reason, and nothing is stored. */
void place_refuse (Place *self, const FixtureBundle *bundle, gint64 now, RbReason reason);
