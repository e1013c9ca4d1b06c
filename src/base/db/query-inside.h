/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "db/query.h"

#include <sqlite3.h>

/* SQLite's view of a row, for db/ only: the statement at it, borrowed. */
sqlite3_stmt *rb_query_statement (RbQueryRow *row);
