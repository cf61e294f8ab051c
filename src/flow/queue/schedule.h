/* schedule.h - the selected times of a link: quarters of an hour of the week, in UTC, so that no summer time moves them.
 * Pure: the time comes in. */
#pragma once
#include "base/err.h"
#include "base/view.h"
#include "flow/message/message.h"

enum { SCHEDULE_SLOTS = 7 * 24 * 4 };

struct schedule {
	uint8_t slots[SCHEDULE_SLOTS / 8]; /* a bit a quarter, the first of Monday first; all zero: never open */
};

/* Adds what `text` names: "Mon-Fri 08:00-18:00", "Sun 03:15-03:30", "22:00-06:00" (every day). A range of days may go over the
 * end of the week ("Sat-Mon"). Times are on the quarter, the last one 24:00; an end that is not after the begin is the next
 * day's, after Sunday Monday's. False: *e says what was found and what was wanted, and *s is as before. */
MUST_CHECK bool schedule_add(struct schedule *s, struct view text, struct err *e);

bool schedule_is_open(const struct schedule *s, wall_ms_t now);

/* The next time after `now` when it opens or closes; 0: it does neither, being always open or never. */
wall_ms_t schedule_changes(const struct schedule *s, wall_ms_t now);
