/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/vehicle-link.h"

#include "core/files.h"
#include "crypto/secret.h"

#include <string.h>

#define MAX_ANCHORS (256 * 1024)

static char *
read_anchors (const RbVehicleLinkOptions *self, GError **error)
{
  g_autofree char *usual = g_build_filename (self->data_dir == NULL ? "" : self->data_dir, "vehicle-ca.pem", NULL);
  g_autoptr (GBytes) bytes = rb_files_read (self->vehicle_ca == NULL ? usual : self->vehicle_ca, MAX_ANCHORS, error);
  if (bytes == NULL)
    g_prefix_error (error, "the certificate of the vehicle authority (--vehicle-ca): ");
  return bytes == NULL ? NULL : g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static RbLinkOptions
options_of (const RbVehicleLinkOptions *self)
{
  return (RbLinkOptions){ .tester = self->model == NULL ? 0 : self->model->tester,
                          .activation_type = self->model == NULL ? 0 : self->model->activation_type,
                          .wait = self->wait,
                          .wait_data = self->wait_data };
}

static RbLink *
open_secured (const RbVehicleLinkOptions *self, GCancellable *cancellable, GError **error)
{
  if (self->workstation == NULL) {
    g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_IDENTITY, "%s: the workstation's identity is needed", self->uri);
    return NULL;
  }
  g_autofree char *anchors = read_anchors (self, error);
  char *identity = anchors == NULL ? NULL : rb_identity_set_link_pem (self->workstation, error);
  if (identity == NULL)
    return NULL;
  RbLinkOptions options = options_of (self);
  options.identity = identity;
  options.anchors = anchors;
  RbLink *link = rb_link_open_with (self->uri, &options, cancellable, error);
  rb_secret_free (identity);
  return link;
}

RbLink *
rb_vehicle_link_open (const RbVehicleLinkOptions *self, GCancellable *cancellable, GError **error)
{
  const RbLinkOptions options = options_of (self);
  g_autoptr (RbLink) link = g_str_has_prefix (self->uri, "doips:")
                              ? open_secured (self, cancellable, error)
                              : rb_link_open_with (self->uri, &options, cancellable, error);
  if (link == NULL || (self->vin != NULL && !rb_vehicle_link_check_vin (link, self->vin, self->model, error)))
    return NULL;
  return g_steal_pointer (&link);
}

gboolean
rb_vehicle_link_check_vin (RbLink *link, const char *vin, const RbVehicleModel *model, GError **error)
{
  const char *certified = rb_link_info (link)->vin;
  if (strcmp (certified, vin) == 0 || !g_str_has_prefix (rb_link_uri (link), "doips:"))
    return TRUE;
  if (certified[0] == '\0')
    return (model != NULL && model->certificate_without_vin)
           || rb_reason_deny (error, RB_RECOVERY_ERROR, RB_REASON_VEHICLE_CERTIFICATE,
                              "certificate of the vehicle: names no VIN, expected %s", vin);
  g_set_error (error, RB_RECOVERY_ERROR, RB_REASON_VIN_MISMATCH, "the vehicle's certificate is for %s, not for %s",
               certified, vin);
  return FALSE;
}
