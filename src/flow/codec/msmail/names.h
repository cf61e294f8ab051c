/* names.h - the small things of Microsoft Mail postoffices: NETWORK/POSTOFFICE/MAILBOX, file ids, dates (facts A1, A5, A11). Names are
 * compared without case, over all of their 10 characters (Q128627). */
#pragma once
#include "base/err.h"
#include "base/out.h"
#include "flow/message/message.h"

enum {
	MM_NAME_MAX = 10,     /* octets of a network, postoffice or mailbox name */
	MM_SUBJECT_MAX = 40,  /* in a mailbag record; the MAI has all of it */
	MM_FRIENDLY_MAX = 30,
	MM_ID_LENGTH = 8,     /* upper-case hexadecimal digits */
};

/* Ended strings; "" where a part is not there. */
struct mm_name { char network[MM_NAME_MAX + 1], postoffice[MM_NAME_MAX + 1], mailbox[MM_NAME_MAX + 1]; };
struct mm_id { char s[MM_ID_LENGTH + 1]; };

/* "NET/PO/MBX", each 1..10 octets of letters, digits and what real sites used (no `/`, no control, no blank at an end).
 * MBX may be left out: then it is a postoffice. Fails (ERR_PERM, recipient, 1/0) naming the part. */
MUST_CHECK bool mm_name_parse(struct view text, struct mm_name *name_r, struct err *e);
void mm_name_print(const struct mm_name *name, struct out *o);
bool mm_same(const char *a, const char *b); /* two parts, without case */
bool mm_same_postoffice(const struct mm_name *a, const struct mm_name *b);

struct mm_id mm_id_of(uint32_t number);
MUST_CHECK bool mm_id_parse(struct view text, struct mm_id *id_r, uint32_t *number_r, struct err *e); /* either case */

/* Local time of the postoffice: no zone is kept anywhere. year 0: absent. What stood in a file is kept even if no calendar has it. */
struct mm_date { uint16_t year; uint8_t month, day, hour, minute, second; };
/* zone_minutes: east of UTC, a setting. A date that is none (Q214565) gives `fallback`. */
wall_ms_t mm_date_to_wall(const struct mm_date *d, int zone_minutes, wall_ms_t fallback);
struct mm_date mm_date_of_wall(wall_ms_t at, int zone_minutes);
bool mm_date_is_valid(const struct mm_date *d);
/* Can it be written: there is one, and no part needs more digits than FIPS 98 gives it. */
bool mm_date_has_room(const struct mm_date *d);
/* As FIPS 98 writes it, without a zone: yyyymmdd-hhmmss. A bad date is written as it is; one that has no room, not at all. */
void mm_date_print(const struct mm_date *d, struct out *o);
/* yyyymmdd[-hhmm[ss[-zone]]]: as many parts as there are; no date at all: absent. The zone is passed over. */
struct mm_date mm_date_parse(struct view text);
