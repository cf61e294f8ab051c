/* track.h - the steps of tracking as the numbered events of Exchange's tracking log, so that what read that log finds the same numbers. */
#pragma once
#include "flow/store/store.h"

enum { TRACK_NO_EVENT = -1 };

/* What that step of such a thing is there; gateway: it went to, or came from, a link that leads out of X.400. */
int track_event(enum store_step_kind kind, enum message_kind of, bool gateway);
/* "message transfer in"; "" of TRACK_NO_EVENT and of numbers that no step here has. */
const char *track_event_name(int event);
