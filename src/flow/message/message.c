/* message.c - names, equality, times and copies of the canonical form. */
#include "flow/message/message.h"

#include "base/cur.h"
#include "flow/message/pack.h"

struct message *message_copy(const struct message *m, struct arena *a)
{
	struct message *copy = arena_get(a, sizeof *copy);
	if (copy == NULL)
		return NULL;
	struct out o;
	out_init(&o, SIZE_MAX);
	pack_message(&o, m, 0, m->n_rcpt);
	struct view packed = arena_copy(a, out_view(&o));
	out_fini(&o);
	if (arena_full(a) || !unpack_message(packed, copy, a, NULL))
		return NULL;
	return copy;
}

static const struct extension *unknown_and_critical(const struct extensions *x, unsigned criticality)
{
	enum { LAST_KNOWN = 46 }; /* certificate-selectors-override */
	for (size_t i = 0; i < x->n; i++) {
		const struct extension *ext = &x->v[i];
		bool known = !ext->is_private && ext->number >= 1 && ext->number <= LAST_KNOWN;
		if (!known && (ext->criticality & criticality) != 0)
			return ext;
	}
	return NULL;
}

const struct extension *extensions_unsupported(const struct extensions *x)
{
	return unknown_and_critical(x, EXT_FOR_TRANSFER);
}

const struct extension *extensions_undeliverable(const struct extensions *x)
{
	return unknown_and_critical(x, EXT_FOR_DELIVERY);
}

struct extensions extensions_without(const struct extensions *x, uint32_t number, struct arena *a)
{
	if (!extensions_has(x, number))
		return *x;
	struct extensions rest = {arena_array(a, x->n, sizeof *rest.v), 0};
	for (size_t i = 0; i < x->n && rest.v != NULL; i++)
		if (x->v[i].is_private || x->v[i].number != number)
			rest.v[rest.n++] = x->v[i];
	return rest;
}

bool extensions_has(const struct extensions *x, uint32_t number)
{
	for (size_t i = 0; i < x->n; i++)
		if (!x->v[i].is_private && x->v[i].number == number)
			return true;
	return false;
}

/* --- domains and identifiers --- */

static uint8_t fold(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* The next octet as X.402 18.4 compares: leading spaces were skipped before, a run of spaces is one
 * and none at the end. -1: no more. */
static int next_folded(struct view v, size_t *i)
{
	if (*i >= v.n)
		return -1;
	if (v.p[*i] != ' ')
		return fold(v.p[(*i)++]);
	while (*i < v.n && v.p[*i] == ' ')
		(*i)++;
	return *i < v.n ? ' ' : -1;
}

static bool part_eq(struct view a, struct view b)
{
	size_t i = 0, j = 0;
	while (i < a.n && a.p[i] == ' ')
		i++;
	while (j < b.n && b.p[j] == ' ')
		j++;
	for (;;) {
		int x = next_folded(a, &i), y = next_folded(b, &j);
		if (x != y)
			return false;
		if (x < 0)
			return true;
	}
}

bool gdi_eq(const struct gdi *a, const struct gdi *b)
{
	/* An absent, an empty and a single-space ADMD all fold to nothing. */
	return part_eq(a->country.value, b->country.value) &&
	       part_eq(a->admd.value, b->admd.value) &&
	       part_eq(a->has_prmd ? a->prmd.value : (struct view){NULL, 0},
		       b->has_prmd ? b->prmd.value : (struct view){NULL, 0});
}

bool mts_id_eq(const struct mts_id *a, const struct mts_id *b)
{
	return view_eq(a->local, b->local) && gdi_eq(&a->domain, &b->domain);
}

static void print_value(struct view v, struct out *o)
{
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];
		if (c >= 0x20 && c < 0x7f && c != ';' && c != '\\')
			out_u8(o, c);
		else
			out_fmt(o, "\\x%02x", c);
	}
}

static void print_part(const char *label, struct view v, struct out *o)
{
	if (v.p == NULL)
		return;
	out_str(o, label);
	print_value(v, o);
	out_u8(o, ';');
}

static void print_domain(const struct gdi *d, struct out *o)
{
	print_part("C=", d->country.value, o);
	print_part("A=", d->admd.value, o);
	if (d->has_prmd)
		print_part("P=", d->prmd.value, o);
}

void gdi_print(const struct gdi *d, struct out *o)
{
	size_t before = out_len(o);
	print_domain(d, o);
	if (!o->bad && out_len(o) > before)
		o->n--; /* the last `;` */
}

static struct gdi_part part_in(const struct oraddr *addr, enum oraddr_type type)
{
	const struct oraddr_attr *at = oraddr_find(addr, type);
	return at == NULL ? (struct gdi_part){0} : (struct gdi_part){at->form, at->value};
}

bool gdi_parse(struct view text, struct gdi *domain_r, struct arena *a, struct err *e)
{
	struct oraddr addr;
	if (!oraddr_parse(text, &addr, a, ORADDR_CARRY, e))
		return false;
	struct gdi d = {.country = part_in(&addr, ORA_COUNTRY),
			.admd = part_in(&addr, ORA_ADMD),
			.prmd = part_in(&addr, ORA_PRMD)};
	d.has_prmd = d.prmd.value.p != NULL;
	if (d.country.value.p == NULL || d.admd.value.p == NULL)
		return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 11,
				  "global domain \"%.*s\": want a country C and an ADMD A", (int)text.n,
				  (const char *)text.p);
	*domain_r = d;
	return true;
}

void mts_id_print(const struct mts_id *id, struct out *o)
{
	print_domain(&id->domain, o);
	out_str(o, "L=");
	print_value(id->local, o);
}

static int hex_digit(uint8_t c)
{
	c = fold(c);
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One value up to `;` or the end, escapes undone; false on a bad escape. */
static bool parse_value(struct cur *c, struct view *value_r, struct arena *a)
{
	struct view rest = {c->p, cur_left(c)};
	size_t n = 0;
	while (n < rest.n && rest.p[n] != ';')
		n++;
	struct cur in = cur_of(cur_bytes(c, n));
	uint8_t *p = arena_get(a, n);
	size_t len = 0;
	while (cur_left(&in) > 0 && p != NULL) {
		uint8_t x = cur_u8(&in);
		if (x == '\\') {
			bool hex = cur_u8(&in) == 'x';
			int high = hex_digit(cur_u8(&in)), low = hex_digit(cur_u8(&in));
			if (in.bad || !hex || high < 0 || low < 0)
				return false;
			x = (uint8_t)(high * 16 + low);
		}
		p[len++] = x;
	}
	*value_r = (struct view){p, len};
	return p != NULL;
}

static bool digits_only(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return v.n > 0;
}

static struct gdi_part part_of(struct view v)
{
	return (struct gdi_part){digits_only(v) ? ORA_NUMERIC : ORA_PRINTABLE, v};
}

static bool set_part(struct mts_id *id, uint8_t label, struct view v)
{
	switch (label) {
	case 'c': id->domain.country = part_of(v); return true;
	case 'a': id->domain.admd = part_of(v); return true;
	case 'p':
		id->domain.prmd = part_of(v);
		id->domain.has_prmd = true;
		return true;
	case 'l': id->local = v; return true;
	default: return false;
	}
}

bool mts_id_parse(struct view text, struct mts_id *id_r, struct arena *a, struct err *e)
{
	struct mts_id id = {0};
	struct cur c = cur_of(text);
	while (cur_left(&c) > 0) {
		uint8_t label = fold(cur_u8(&c));
		bool equals = cur_u8(&c) == '=';
		struct view v;
		if (!equals || !parse_value(&c, &v, a) || !set_part(&id, label, v))
			return err_report(
				e, ERR_PERM, ERR_OF_MESSAGE, 1, 11,
				"MTS-identifier: octet %zu is not C=, A=, P= or L= with a value",
				text.n - cur_left(&c));
		(void)cur_u8(&c); /* `;` */
		c.bad = false;	  /* the last value has none */
	}
	if (id.domain.country.value.n == 0 || id.local.n == 0)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 11,
				  "MTS-identifier: found no %s, want C=..;A=..;P=..;L=..",
				  id.local.n == 0 ? "L=" : "C=");
	*id_r = id;
	return true;
}

/* --- time --- */

/* Days since 1970-01-01 of a proleptic Gregorian date. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t in_era = year - era * 400;
	int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static void date_of(int64_t days, int64_t *year_r, int64_t *month_r, int64_t *day_r)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t in_era = days - era * 146097;
	int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
	int64_t shifted = (5 * in_year + 2) / 153;
	*day_r = in_year - (153 * shifted + 2) / 5 + 1;
	*month_r = shifted < 10 ? shifted + 3 : shifted - 9;
	*year_r = year + era * 400 + (*month_r <= 2);
}

static int two_digits(struct cur *c)
{
	int high = cur_u8(c) - '0', low = cur_u8(c) - '0';
	if (c->bad || high < 0 || high > 9 || low < 0 || low > 9) {
		c->bad = true;
		return 0;
	}
	return high * 10 + low;
}

static int month_length(int64_t year, int month)
{
	static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return month == 2 && leap ? 29 : length[month - 1];
}

bool utctime_parse(struct view text, wall_ms_t *at_r)
{
	struct cur c = cur_of(text);
	int64_t year = two_digits(&c);
	year += year >= 80 ? 1900 : 2000; /* RFC 2156 3.3.5 */
	int month = two_digits(&c), day = two_digits(&c);
	int hour = two_digits(&c), minute = two_digits(&c), second = 0;
	if (cur_peek(&c) >= '0' && cur_peek(&c) <= '9')
		second = two_digits(&c);
	uint8_t zone = cur_u8(&c);
	int64_t offset = 0; /* minutes */
	if (zone == '+' || zone == '-') {
		int h = two_digits(&c), m = two_digits(&c);
		if (h > 23 || m > 59)
			return false;
		offset = (zone == '+' ? 1 : -1) * (h * 60 + m);
	} else if (zone != 'Z') {
		return false;
	}
	if (c.bad || cur_left(&c) > 0 || month < 1 || month > 12 || day < 1 ||
	    day > month_length(year, month) || hour > 23 || minute > 59 || second > 60)
		return false;
	int64_t minutes = days_of(year, month, day) * 1440 + hour * 60 + minute - offset;
	*at_r = (minutes * 60 + second) * 1000;
	return true;
}

struct view utctime_print(wall_ms_t at, struct arena *a)
{
	int64_t seconds = at / 1000 - (at % 1000 < 0);
	int64_t days = seconds / 86400 - (seconds % 86400 < 0);
	int64_t in_day = seconds - days * 86400;
	int64_t year, month, day;
	date_of(days, &year, &month, &day);
	const int64_t part[] = {((year % 100) + 100) % 100, month,	day, in_day / 3600,
				in_day / 60 % 60,	    in_day % 60};
	uint8_t text[13];
	for (size_t i = 0; i < ARRAY_LEN(part); i++) {
		text[2 * i] = (uint8_t)('0' + part[i] / 10);
		text[2 * i + 1] = (uint8_t)('0' + part[i] % 10);
	}
	text[12] = 'Z';
	return arena_copy(a, view_of(text, sizeof text));
}

/* --- words --- */

const char *priority_name(enum priority p)
{
	static const char *const name[] = {"non-urgent", "normal", "urgent"};
	return (size_t)p < ARRAY_LEN(name) ? name[p] : "unknown";
}

const char *message_kind_name(enum message_kind k)
{
	static const char *const name[] = {"message", "report", "probe"};
	return (size_t)k < ARRAY_LEN(name) ? name[k] : "unknown";
}

/* X.411 NonDeliveryReasonCode. */
static const char *const reasons[] = {
	"transfer-failure",
	"unable-to-transfer",
	"conversion-not-performed",
	"physical-rendition-not-performed",
	"physical-delivery-not-performed",
	"restricted-delivery",
	"directory-operation-unsuccessful",
	"deferred-delivery-not-performed",
	"transfer-failure-for-security-reason",
};

static const char *const diagnostics[] = {
#define X(number, name) [number] = name,
#include "flow/message/diagnostic_table.h"
#undef X
};

static const char *word(const char *const *table, size_t n, int i)
{
	if (i == -1)
		return "none";
	return i >= 0 && (size_t)i < n ? table[i] : "unknown";
}

const char *reason_name(int reason)
{
	return word(reasons, ARRAY_LEN(reasons), reason);
}

const char *diagnostic_name(int diagnostic)
{
	return word(diagnostics, ARRAY_LEN(diagnostics), diagnostic);
}

const char *extension_name(uint32_t number)
{
	static const char *const names[] = {
#define X(number, name) [number] = name,
#include "flow/message/extension_table.h"
#undef X
	};
	return number < ARRAY_LEN(names) ? names[number] : NULL;
}
