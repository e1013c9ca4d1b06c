/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "pages/page.h"

#define RB_TYPE_VEHICLE_PAGE (rb_vehicle_page_get_type ())
G_DECLARE_FINAL_TYPE (RbVehiclePage, rb_vehicle_page, RB, VEHICLE_PAGE, RbPage)
