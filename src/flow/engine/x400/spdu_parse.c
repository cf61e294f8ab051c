/* spdu_parse.c - SPDUs of X.225 section 8 from octets; see session_private.h. */
#include "base/cur.h"
#include "base/text.h"
#include "flow/engine/x400/session_private.h"

#define BIT(name) SPDU_BIT(name)

static const struct spdu_row {
	const char *name, *title;
	unsigned si, category, lead;
	uint32_t needs;
} rows[] = {
#define SPDU(name, si, category, lead, needs, title, clause)                                       \
	[SPDU_##name] = {#name, title, si, category, (unsigned)(lead), needs},
#include "flow/engine/x400/spdu_table.h"
};

static const struct param_row {
	const char *title;
	unsigned code;
	bool linking;
	size_t min, max;
} params[] = {
#define SPDU_PARAM(name, code, linking, min, max, title)                                           \
	[PARAM_##name] = {title, code, linking, min, max},
#include "flow/engine/x400/spdu_table.h"
};

enum { GROUP_CONNECTION_ID = 1, GROUP_CONNECT_ACCEPT = 5 };

const char *spdu_title(enum spdu_kind kind)
{
	return rows[kind].title;
}

/* One octet, or 255 and two (8.2). */
static size_t read_li(struct cur *c)
{
	size_t n = cur_u8(c);
	return n == 255 ? cur_u16(c) : n;
}

static bool peer_err(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool peer_err(struct err *e, const char *fmt, ...)
{
	char text[200];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return err_set(e, ERR_PEER, ERR_OF_ASSOCIATION, "session: %s", text);
}

static bool keep_param(struct spdu *s, unsigned code, bool linking, struct view v, struct err *e)
{
	for (unsigned i = 0; i < PARAM_COUNT; i++) {
		if (params[i].code != code || params[i].linking != linking)
			continue;
		if (v.n == 0 && params[i].min > 0)
			return true; /* no value: as if absent */
		if (v.n < params[i].min || v.n > params[i].max)
			return peer_err(e, "%s: %s (PI %u) of %zu octets, want %zu..%zu",
					rows[s->kind].title, params[i].title, code, v.n,
					params[i].min, params[i].max);
		s->has |= 1u << i;
		s->param[i] = v;
		return true;
	}
	return true; /* unknown: ignored (A.4.3.1.1) */
}

static bool read_params(struct spdu *s, struct view v, bool linking, bool nested, struct err *e)
{
	struct cur c = cur_of(v);
	while (cur_left(&c) > 0) {
		unsigned code = cur_u8(&c);
		struct view value = cur_bytes(&c, read_li(&c));
		if (c.bad)
			return peer_err(e,
					"%s: parameter %u is longer than its field of %zu octets",
					rows[s->kind].title, code, v.n);
		if (!nested && (code == GROUP_CONNECTION_ID || code == GROUP_CONNECT_ACCEPT)) {
			if (!read_params(s, value, false, true, e))
				return false;
			continue;
		}
		if (!keep_param(s, code, linking, value, e))
			return false;
		if (!nested && code == params[PARAM_LINKING].code &&
		    !read_params(s, value, true, true, e))
			return false;
	}
	return true;
}

static const struct spdu_row *find_row(unsigned si, enum spdu_lead lead)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].si == si && (rows[i].category == 2) == (lead != LEAD_NONE))
			return &rows[i];
	return NULL;
}

/* Which SPDU an SI is where it stands, and whether it may stand there. */
static const struct spdu_row *choose_row(unsigned si, enum spdu_lead lead, struct err *e)
{
	const struct spdu_row *row = find_row(si, lead);
	if (row == NULL) {
		row = find_row(si, lead == LEAD_NONE ? LEAD_GT : LEAD_NONE);
		if (row == NULL)
			peer_err(e, "SPDU with SI %u, which X.225 does not have", si);
		else if (lead == LEAD_NONE)
			peer_err(e, "%s stands first in its TSDU, want it after %s", row->title,
				 (row->lead & LEAD_GT) != 0 ? "GIVE TOKENS" : "PLEASE TOKENS");
		else
			peer_err(e, "%s stands second in its TSDU, want it alone", row->title);
		return NULL;
	}
	if (lead != LEAD_NONE && (row->lead & (unsigned)lead) == 0) {
		peer_err(e, "%s after %s, want it after %s", row->title,
			 lead == LEAD_GT ? "GIVE TOKENS" : "PLEASE TOKENS",
			 lead == LEAD_GT ? "PLEASE TOKENS" : "GIVE TOKENS");
		return NULL;
	}
	return row;
}

static bool check_needs(const struct spdu *s, struct err *e)
{
	uint32_t missing = rows[s->kind].needs & ~s->has;
	for (unsigned i = 0; i < PARAM_COUNT; i++)
		if ((missing & 1u << i) != 0)
			return peer_err(e, "%s without %s (PI %u)", rows[s->kind].title,
					params[i].title, params[i].code);
	return true;
}

bool spdu_parse(struct view v, enum spdu_lead lead, struct spdu *s_r, struct err *e)
{
	struct cur c = cur_of(v);
	*s_r = (struct spdu){0};
	s_r->raw = v;
	unsigned si = cur_u8(&c);
	if (c.bad)
		return peer_err(e, "a TSDU with nothing in it");
	const struct spdu_row *row = choose_row(si, lead, e);
	if (row == NULL)
		return false;
	s_r->kind = (enum spdu_kind)(row - rows);
	size_t li = read_li(&c), left = cur_left(&c);
	struct view field = cur_bytes(&c, li);
	if (c.bad)
		return peer_err(e, "%s with length %zu, and %zu octets left in its TSDU",
				row->title, li, left);
	if (!read_params(s_r, field, false, false, e))
		return false;
	if (s_r->kind == SPDU_AE && spdu_has(s_r, PARAM_SYNC_TYPE))
		s_r->kind = SPDU_MAP; /* 8.3.22, 8.3.35 */
	s_r->user = s_r->param[spdu_has(s_r, PARAM_EXTENDED_DATA) ? PARAM_EXTENDED_DATA
								  : PARAM_USER_DATA];
	if (s_r->kind == SPDU_DT)
		s_r->user = cur_rest(&c);
	s_r->raw = view_first(v, v.n - cur_left(&c));
	return check_needs(s_r, e);
}

bool spdu_has(const struct spdu *s, enum spdu_param p)
{
	return (s->has & 1u << p) != 0;
}

unsigned spdu_uint(const struct spdu *s, enum spdu_param p, unsigned absent)
{
	if (!spdu_has(s, p))
		return absent;
	struct cur c = cur_of(s->param[p]);
	return s->param[p].n == 1 ? cur_u8(&c) : cur_u16(&c);
}

bool spdu_serial(const struct spdu *s, enum spdu_param p, uint32_t *serial_r, struct err *e)
{
	uint64_t x;
	if (!text_uint(s->param[p], SERIAL_MAX, &x)) {
		char shown[64];
		return peer_err(e, "%s with serial number \"%s\", want 1 to 6 digits",
				rows[s->kind].title,
				text_escaped(shown, sizeof shown, s->param[p]));
	}
	*serial_r = (uint32_t)x;
	return true;
}

/* False: more octets are wanted. */
static bool read_head(struct cur *c, unsigned *si_r, struct view *field_r)
{
	*si_r = cur_u8(c);
	size_t li = read_li(c);
	*field_r = cur_bytes(c, li);
	return !c->bad;
}

/* The one octet of parameter `code`; `absent` when it is not there. Errors are left to spdu_parse.
 */
static unsigned find_octet(struct view field, unsigned code, unsigned absent)
{
	struct cur c = cur_of(field);
	while (cur_left(&c) > 0) {
		unsigned found = cur_u8(&c);
		struct view v = cur_bytes(&c, read_li(&c));
		if (found == code && v.n == 1)
			return v.p[0];
	}
	return absent;
}

enum spdu_head spdu_data_head(struct view v, bool end, struct data_head *h_r)
{
	struct cur c = cur_of(v);
	unsigned si;
	struct view gt, dt;
	if (cur_left(&c) > 0 && cur_peek(&c) != rows[SPDU_GT].si)
		return HEAD_OTHER;
	if (!read_head(&c, &si, &gt))
		return end ? HEAD_OTHER : HEAD_MORE;
	if (cur_left(&c) == 0)
		return end ? HEAD_OTHER : HEAD_MORE;
	if (cur_peek(&c) != rows[SPDU_DT].si)
		return HEAD_OTHER;
	size_t at = v.n - cur_left(&c);
	if (!read_head(&c, &si, &dt))
		return end ? HEAD_OTHER : HEAD_MORE;
	*h_r = (struct data_head){
		.n = v.n - cur_left(&c),
		.tokens = find_octet(gt, params[PARAM_TOKENS].code, 0),
		.enclosure = find_octet(dt, params[PARAM_ENCLOSURE].code,
					ENCLOSURE_BEGIN | ENCLOSURE_END),
		.dt = view_first(view_from(v, at), v.n - cur_left(&c) - at),
	};
	return HEAD_DATA;
}
