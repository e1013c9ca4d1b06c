/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "recovery/recovery.h"

/*
 * Words of the record and of the JSON output in the language of the person who reads the screen. The records keep the
 * English words. All strings are static; a word that has no translation is returned as it is.
 */
const char *rb_words_state (RbEcuState state); /* "reading back" */
const char *rb_words_step (const char *step); /* a step of a profile, "metadata" */
const char *rb_words_link_state (const char *state); /* of a found link, "in-use" */
const char *rb_words_result (const char *result); /* the result of a record, "completed"; NULL: "" */
