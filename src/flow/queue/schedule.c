/* schedule.c - see schedule.h. */
#include "flow/queue/schedule.h"

#include "base/cur.h"
#include "base/text.h"

enum {
	DAYS = 7,
	QUARTERS = 24 * 4,
	QUARTER_MS = 15 * 60 * 1000,
	EPOCH_DAY = 3, /* 1970-01-01 was a Thursday; Monday is day 0 */
};

static const char day_names[DAYS][4] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };

/* --- text --- */

struct range {
	unsigned first_day, n_days;
	unsigned begin, end; /* quarters of the day; end may be beyond it */
};

static bool take(struct view *v, char c)
{
	if (v->n == 0 || v->p[0] != (uint8_t)c)
		return false;
	*v = view_from(*v, 1);
	return true;
}

static bool take_day(struct view *v, unsigned *day_r)
{
	for (unsigned d = 0; d < DAYS; d++)
		if (v->n >= 3 && view_eq_nocase(view_first(*v, 3), view_str(day_names[d]))) {
			*v = view_from(*v, 3);
			*day_r = d;
			return true;
		}
	return false;
}

static bool take_two_digits(struct view *v, unsigned *n_r)
{
	if (v->n < 2 || v->p[0] < '0' || v->p[0] > '9' || v->p[1] < '0' || v->p[1] > '9')
		return false;
	*n_r = (unsigned)(v->p[0] - '0') * 10 + (unsigned)(v->p[1] - '0');
	*v = view_from(*v, 2);
	return true;
}

static bool take_time(struct view *v, unsigned *quarter_r)
{
	unsigned hours, minutes;
	if (!take_two_digits(v, &hours) || !take(v, ':') || !take_two_digits(v, &minutes) || minutes > 59 || minutes % 15 != 0 ||
	    hours * 60 + minutes > 24 * 60)
		return false;
	*quarter_r = hours * 4 + minutes / 15;
	return true;
}

static bool take_days(struct view *v, struct range *r)
{
	unsigned last;
	r->first_day = 0;
	r->n_days = DAYS;
	if (!take_day(v, &r->first_day))
		return true; /* none: every day */
	last = r->first_day;
	if (take(v, '-') && !take_day(v, &last))
		return false;
	r->n_days = (last + DAYS - r->first_day) % DAYS + 1;
	return take(v, ' ');
}

static bool parse(struct view v, struct range *r)
{
	if (!take_days(&v, r) || !take_time(&v, &r->begin) || !take(&v, '-') || !take_time(&v, &r->end) || v.n > 0 ||
	    r->begin == QUARTERS || r->end == 0 || r->end == r->begin)
		return false;
	if (r->end < r->begin)
		r->end += QUARTERS;
	return true;
}

bool schedule_add(struct schedule *s, struct view text, struct err *e)
{
	struct range r;
	char shown[80];
	if (!parse(text, &r))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS,
			       "times \"%s\": want days and two times on the quarter of an hour, as \"Mon-Fri 08:00-18:00\" or \"22:00-06:00\"",
			       text_escaped(shown, sizeof shown, text));
	for (unsigned d = 0; d < r.n_days; d++)
		for (unsigned q = r.begin; q < r.end; q++) {
			const unsigned slot = ((r.first_day + d) * QUARTERS + q) % SCHEDULE_SLOTS;
			s->slots[slot / 8] |= (uint8_t)(1u << slot % 8);
		}
	return true;
}

/* --- time --- */

static int64_t quarter_of(wall_ms_t now)
{
	return now / QUARTER_MS - (now % QUARTER_MS < 0); /* rounds down before 1970 too */
}

static bool is_open_in(const struct schedule *s, int64_t quarter)
{
	const int64_t since_monday = (quarter + EPOCH_DAY * QUARTERS) % SCHEDULE_SLOTS;
	const size_t slot = (size_t)(since_monday < 0 ? since_monday + SCHEDULE_SLOTS : since_monday);
	return (s->slots[slot / 8] >> slot % 8 & 1) != 0;
}

bool schedule_is_open(const struct schedule *s, wall_ms_t now)
{
	return is_open_in(s, quarter_of(now));
}

wall_ms_t schedule_changes(const struct schedule *s, wall_ms_t now)
{
	const int64_t quarter = quarter_of(now);
	for (int64_t i = 1; i <= SCHEDULE_SLOTS; i++)
		if (is_open_in(s, quarter + i) != is_open_in(s, quarter))
			return (quarter + i) * QUARTER_MS;
	return 0;
}
