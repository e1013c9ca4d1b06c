/* SPDX-License-Identifier: Apache-2.0 */
/* A demonstration whose OEM made a mistake, or whose vehicles differ: altered-demo FOLDER [WORD | WORD=ECU]…
 *
 *   unlisted         the Director does not say how vehicles are built
 *   unbuilt=ECU      not in the list of vehicle 1 as built
 *   undirected=ECU   left out of what the campaign directs in vehicle 1
 *   optional=ECU     the vehicle model calls it optional
 *   application=ECU  its profile lets the application compute the digest
 *   image-root=ECU   its Director root is part of its image
 */
#include "oem/demo.h"

#include <string.h>

static RbFleetEcu *
find (RbFleet *fleet, const char *name)
{
  for (guint i = 0; i < fleet->ecus->len; i++)
    if (strcmp (((RbFleetEcu *) fleet->ecus->pdata[i])->name, name) == 0)
      return fleet->ecus->pdata[i];
  g_error ("no ECU %s", name);
}

static void
alter (RbFleet *fleet, const char *change)
{
  g_auto (GStrv) parts = g_strsplit (change, "=", 2);
  RbFleetEcu *ecu = parts[1] == NULL ? NULL : find (fleet, parts[1]);
  fleet->unlisted |= strcmp (change, "unlisted") == 0;
  if (ecu == NULL)
    return;
  ecu->unbuilt |= strcmp (parts[0], "unbuilt") == 0;
  ecu->undirected |= strcmp (parts[0], "undirected") == 0;
  ecu->optional |= strcmp (parts[0], "optional") == 0;
  if (strcmp (parts[0], "application") == 0)
    ecu->profile = "partial-application";
  ecu->root_in_image |= strcmp (parts[0], "image-root") == 0;
  if (ecu->root_in_image)
    ecu->profile = "partial-image-root";
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  RbFleet *fleet = rb_fleet_new (7, 1, 16384);
  for (int i = 2; i < argc; i++)
    alter (fleet, argv[i]);
  if (argc > 1 && rb_demo_write (RB_SCENARIO_DIRECTOR, fleet, FALSE, argv[1], &error))
    return 0;
  g_printerr ("altered-demo: %s\n", error == NULL ? "no folder" : error->message);
  return 1;
}
