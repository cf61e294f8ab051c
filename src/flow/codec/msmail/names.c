/* names.c - see names.h. */
#include "flow/codec/msmail/names.h"

#include "base/text.h"

#include <stdio.h>

static bool refuse_name(struct err *e, struct view text, const char *part, const char *what)
{
	char shown[96];
	return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 0, "\"%s\" is no NETWORK/POSTOFFICE/MAILBOX: the %s %s",
			  text_escaped(shown, sizeof shown, text), part, what);
}

/* Takes the octets up to the next `/` or the end. */
static struct view take_part(struct view *rest)
{
	const uint8_t *slash = rest->n == 0 ? NULL : memchr(rest->p, '/', rest->n);
	const struct view part = view_first(*rest, slash == NULL ? rest->n : (size_t)(slash - rest->p));
	*rest = view_from(*rest, part.n + 1);
	return part;
}

static bool parse_part(struct view part, const char *what, struct view all, char name_r[MM_NAME_MAX + 1], struct err *e)
{
	if (part.n == 0)
		return refuse_name(e, all, what, "is empty");
	if (part.n > MM_NAME_MAX)
		return refuse_name(e, all, what, "is longer than 10 characters");
	if (part.p[0] == ' ' || part.p[part.n - 1] == ' ')
		return refuse_name(e, all, what, "has a blank at an end");
	for (size_t i = 0; i < part.n; i++)
		if (part.p[i] < 0x20 || part.p[i] == 0x7f)
			return refuse_name(e, all, what, "has a control character");
	memcpy(name_r, part.p, part.n);
	name_r[part.n] = 0;
	return true;
}

bool mm_name_parse(struct view text, struct mm_name *name_r, struct err *e)
{
	struct mm_name name = { 0 };
	struct view rest = text;
	if (!parse_part(take_part(&rest), "network", text, name.network, e) || !parse_part(take_part(&rest), "postoffice", text, name.postoffice, e))
		return false;
	if (rest.n > 0 && !parse_part(take_part(&rest), "mailbox", text, name.mailbox, e))
		return false;
	if (rest.n > 0)
		return refuse_name(e, text, "name", "has more than three parts");
	*name_r = name;
	return true;
}

void mm_name_print(const struct mm_name *name, struct out *o)
{
	out_fmt(o, "%s/%s", name->network, name->postoffice);
	if (name->mailbox[0] != 0)
		out_fmt(o, "/%s", name->mailbox);
}

bool mm_same(const char *a, const char *b)
{
	return view_eq_nocase(view_str(a), view_str(b));
}

bool mm_same_postoffice(const struct mm_name *a, const struct mm_name *b)
{
	return mm_same(a->network, b->network) && mm_same(a->postoffice, b->postoffice);
}

struct mm_id mm_id_of(uint32_t number)
{
	struct mm_id id;
	snprintf(id.s, sizeof id.s, "%08X", (unsigned)number);
	return id;
}

static int digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool mm_id_parse(struct view text, struct mm_id *id_r, uint32_t *number_r, struct err *e)
{
	uint32_t number = 0;
	bool ok = text.n == MM_ID_LENGTH;
	for (size_t i = 0; ok && i < text.n; i++) {
		ok = digit_of(text.p[i]) >= 0;
		number = number << 4 | (uint32_t)(digit_of(text.p[i]) & 15);
	}
	if (!ok) {
		char shown[64];
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "\"%s\" is no file id, which has eight hexadecimal digits",
				  text_escaped(shown, sizeof shown, text));
	}
	if (id_r != NULL)
		*id_r = mm_id_of(number);
	if (number_r != NULL)
		*number_r = number;
	return true;
}

/* --- dates; days are counted from 1970-01-01 in the Gregorian calendar --- */

enum { MS_A_MINUTE = 60000 };
#define MS_A_DAY ((int64_t)86400000)

static bool is_leap(unsigned y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static unsigned days_of_month(unsigned y, unsigned m)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return m == 2 && is_leap(y) ? 29 : days[m - 1];
}

bool mm_date_is_valid(const struct mm_date *d)
{
	return d->year != 0 && d->month >= 1 && d->month <= 12 && d->day >= 1 && d->day <= days_of_month(d->year, d->month) && d->hour <= 23 &&
	       d->minute <= 59 && d->second <= 59;
}

/* Years are counted from March, so that a leap day is the last of its year; 719468 days lie between 0000-03-01 and 1970. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
	const int64_t y = (int64_t)year - (month <= 2);
	const int64_t m = (month + 9) % 12;
	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

wall_ms_t mm_date_to_wall(const struct mm_date *d, int zone_minutes, wall_ms_t fallback)
{
	if (!mm_date_is_valid(d))
		return fallback;
	const int64_t seconds = (d->hour * 60 + d->minute) * 60 + d->second;
	return days_of(d->year, d->month, d->day) * MS_A_DAY + seconds * 1000 - (int64_t)zone_minutes * MS_A_MINUTE;
}

struct mm_date mm_date_of_wall(wall_ms_t at, int zone_minutes)
{
	const wall_ms_t first = days_of(1, 1, 1) * MS_A_DAY, last = days_of(9999, 12, 31) * MS_A_DAY + MS_A_DAY - 1;
	const int64_t zone = (int64_t)zone_minutes * MS_A_MINUTE;
	if (at == 0 || at < first - zone || at > last - zone)
		return (struct mm_date){ 0 };
	const int64_t since = at + zone - first;
	const unsigned in_day = (unsigned)(since % MS_A_DAY / 1000);
	int64_t days = since / MS_A_DAY;
	unsigned y = (unsigned)(days * 400 / 146097) + 1; /* at most one year off, as the leap days are not spread evenly */
	while (days_of(y, 1, 1) - days_of(1, 1, 1) > days)
		y--;
	while (days_of(y + 1, 1, 1) - days_of(1, 1, 1) <= days)
		y++;
	unsigned day = (unsigned)(days - (days_of(y, 1, 1) - days_of(1, 1, 1))), m = 1;
	for (; day >= days_of_month(y, m); m++)
		day -= days_of_month(y, m);
	return (struct mm_date){ (uint16_t)y, (uint8_t)m, (uint8_t)(day + 1), (uint8_t)(in_day / 3600), (uint8_t)(in_day / 60 % 60),
				 (uint8_t)(in_day % 60) };
}

bool mm_date_has_room(const struct mm_date *d)
{
	return d->year != 0 && d->year <= 9999 && d->month <= 99 && d->day <= 99 && d->hour <= 99 && d->minute <= 99 && d->second <= 99;
}

void mm_date_print(const struct mm_date *d, struct out *o)
{
	if (mm_date_has_room(d))
		out_fmt(o, "%04u%02u%02u-%02u%02u%02u", d->year, d->month, d->day, d->hour, d->minute, d->second);
}

/* n digits; when there are fewer, nothing is taken and the answer is 0. */
static unsigned take_digits(struct view *text, size_t n)
{
	unsigned x = 0;
	if (text->n < n)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (text->p[i] < '0' || text->p[i] > '9')
			return 0;
		x = x * 10 + (unsigned)(text->p[i] - '0');
	}
	*text = view_from(*text, n);
	return x;
}

struct mm_date mm_date_parse(struct view text)
{
	struct mm_date d = { 0 };
	d.year = (uint16_t)take_digits(&text, 4);
	if (d.year == 0)
		return d;
	d.month = (uint8_t)take_digits(&text, 2);
	d.day = (uint8_t)take_digits(&text, 2);
	if (text.n == 0 || text.p[0] != '-')
		return d;
	text = view_from(text, 1);
	d.hour = (uint8_t)take_digits(&text, 2);
	d.minute = (uint8_t)take_digits(&text, 2);
	d.second = (uint8_t)take_digits(&text, 2);
	return d;
}
