/* ipm_track.h - what tracking knows an interpersonal message by: the first octets of a content to keys (flow/message/track_key.h). */
#pragma once
#include "flow/message/track_key.h"

enum { IPM_TRACK_OCTETS = 16 * 1024 }; /* more of a content are not looked at */

/* Adds the keys of subject, extended-subject (X.420 7.2.17, annex A.2) and IPM-identifier of the heading, as far as they lie in `head`, the first octets
 * of a content of type 2 or 22. What is no heading, or breaks off, gives those found before. Bounded: one walk, no recursion, memory
 * that does not grow with the input. */
void ipm_track_keys(struct view head, struct track_keys *keys);
