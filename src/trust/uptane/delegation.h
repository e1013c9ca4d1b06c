/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "uptane/error.h"
#include <jansson.h>

/* Does an entry of delegations.roles speak for a target path? Paths are matched part by part, so that "*" does not
 * cross "/" (TUF 4.5); path_hash_prefixes by sha256 of the path; hardwareIds, where listed, must hold hardware_id
 * (which may be NULL: not verified). */
gboolean rb_delegation_matches (const json_t *delegation, const char *path, const char *hardware_id);
/* Hashed bins: succinct_roles ({"bit_length", "name_prefix", …}, TUF 4.5.1) of a file whose form is right. How many
 * there are, which of them speaks for path, and the name PREFIX-HEX of its role (transfer full). */
guint64 rb_delegation_n_bins (const json_t *succinct);
guint64 rb_delegation_bin (const json_t *succinct, const char *path);
char *rb_delegation_bin_name (const json_t *succinct, guint64 bin);
