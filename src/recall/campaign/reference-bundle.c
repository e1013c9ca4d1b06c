/* SPDX-License-Identifier: Apache-2.0 */
#include "campaign/reference-bundle.h"

#include "campaign/bundle.h"
#include "core/files.h"
#include "core/json.h"

#include <string.h>

#define ROOT_MAX (1024 * 1024)

struct _RbReferenceBundle {
  RbContents *contents;
  json_t *she; /* of the VIN that was asked for last */
  gboolean anchored;
  RbReferenceValues evidence;
};

static GBytes *
read_image (gpointer data, const char *sha256, GError **error)
{
  RbReferenceBundle *self = data;
  return rb_contents_image (self->contents, sha256, error);
}

/* Judged at the time of issue: packs expire, and a record of a vehicle is looked at years later. */
static GPtrArray *
read_completeness (gpointer data, const char *vin, GError **error)
{
  RbReferenceBundle *self = data;
  g_autoptr (GError) problem = NULL;
  g_autoptr (GPtrArray) ecus
    = rb_contents_completeness (self->contents, vin, self->evidence.campaign->issued, &problem);
  if (ecus == NULL && rb_reason_of (problem) != RB_REASON_VIN_PACK_MISSING)
    g_propagate_error (error, g_steal_pointer (&problem));
  return g_steal_pointer (&ecus);
}

static GPtrArray *
read_directed (gpointer data, const char *vin, GBytes *targets, GError **error)
{
  RbReferenceBundle *self = data;
  return rb_contents_directed (self->contents, vin, targets, error);
}

static const json_t *
find_she (gpointer data, const char *vin, const char *serial)
{
  RbReferenceBundle *self = data;
  size_t i;
  json_t *update;
  json_decref (self->she);
  self->she = rb_contents_she (self->contents, vin, NULL);
  json_array_foreach (json_object_get (self->she, "updates"), i, update)
    if (strcmp (rb_json_string_or (update, "serial", ""), serial) == 0)
      return update;
  return NULL;
}

static const RbProfile *
find_profile (gpointer data, const char *hardware_id)
{
  RbReferenceBundle *self = data;
  return rb_contents_profile (self->contents, hardware_id);
}

RbReferenceBundle *
rb_reference_bundle_of (RbContents *contents, const RbTrustList *list)
{
  RbReferenceBundle *self = g_new0 (RbReferenceBundle, 1);
  self->evidence = (RbReferenceValues){
    .campaign = rb_contents_campaign (contents),
    .campaign_sha256 = rb_contents_campaign_sha256 (contents),
    .model = rb_contents_model (contents),
    .trust_list = list,
    .image = read_image,
    .completeness = read_completeness,
    .directed = read_directed,
    .profile = find_profile,
    .she = find_she,
    .data = self,
  };
  self->contents = rb_contents_ref (contents);
  return self;
}

RbReferenceBundle *
rb_reference_bundle_open (const char *bundle, const char *service_root, GError **error)
{
  g_autoptr (GBytes) root = service_root == NULL ? NULL : rb_files_read (service_root, ROOT_MAX, error);
  if (service_root != NULL && root == NULL)
    return NULL;
  g_autoptr (RbContents) contents = rb_bundle_open (bundle, root, error);
  if (contents == NULL)
    return NULL;
  RbReferenceBundle *self = rb_reference_bundle_of (contents, rb_contents_trust_list (contents));
  self->anchored = root != NULL;
  return self;
}

void
rb_reference_bundle_free (RbReferenceBundle *self)
{
  rb_contents_unref (self->contents);
  json_decref (self->she);
  g_free (self);
}

const RbReferenceValues *
rb_reference_bundle_values (const RbReferenceBundle *self)
{
  return &self->evidence;
}

const char *
rb_reference_bundle_anchor (const RbReferenceBundle *self)
{
  return self->anchored ? "service-root" : "none";
}
