/* decode_session.c - TSDUs as the SPDUs of X.225 in them, each parameter with its name, in the order found; then the user
 * data. Whether an SPDU is as X.225 wants it, the engine's own reader says. See decode_stack.h. */
#include "proc/tool/decode_stack.h"

#include "base/cur.h"
#include "base/text.h"

enum { SPDUS_MAX = 16, PGI_CONNECTION = 1, PGI_CONNECT = 5, PI_LINKING = 33 };

#define BIT(name) SPDU_BIT(name)

static const struct spdu_words {
	const char *name, *title;
	unsigned si, category, lead;
} words[] = {
#define SPDU(name, si, category, lead, needs, title, clause) [SPDU_##name] = { #name, title, si, category, (unsigned)(lead) },
#include "flow/engine/x400/spdu_table.h"
};

static const struct param_words {
	const char *title;
	unsigned code;
	bool linking;
} params[] = {
#define SPDU_PARAM(name, code, linking, min, max, title) [PARAM_##name] = { title, code, linking },
#include "flow/engine/x400/spdu_table.h"
};

/* One SPDU where it stands. */
struct found {
	bool known;
	enum spdu_kind kind;
	unsigned si;
	struct view whole;    /* DT: with all that follows */
	struct view field;    /* its parameters */
	struct view user;     /* user data, however carried */
	struct view reason;   /* PI 50 */
	struct view activity, serial, old_activity, old_serial; /* PI 41, 42, outside and inside of PI 33 */
	bool segment_ends;    /* of a segmented SPDU, or the only one */
	struct err err;       /* what X.225 has against it; kind NONE: nothing */
};

static size_t read_li(struct cur *c)
{
	const size_t n = cur_u8(c);
	return n == 255 ? cur_u16(c) : n;
}

static bool kind_of(unsigned si, enum spdu_lead lead, enum spdu_kind *kind_r)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (words[i].si != si || (words[i].category == 2) != (lead != LEAD_NONE))
			continue;
		*kind_r = (enum spdu_kind)i;
		return true;
	}
	return false;
}

/* One parameter of those that the rest needs; the first of a code counts. */
static void look_at(struct found *f, unsigned code, bool linking, struct view v)
{
	if (linking && code == params[PARAM_OLD_ACTIVITY].code)
		f->old_activity = v;
	else if (linking && code == params[PARAM_OLD_SERIAL].code)
		f->old_serial = v;
	else if (code == params[PARAM_ACTIVITY].code)
		f->activity = v;
	else if (code == params[PARAM_SERIAL].code)
		f->serial = v;
	else if ((code == params[PARAM_USER_DATA].code || code == params[PARAM_EXTENDED_DATA].code) && f->user.n == 0)
		f->user = v;
	else if (code == params[PARAM_REASON].code && f->reason.n == 0)
		f->reason = v;
	else if (code == params[PARAM_SYNC_TYPE].code && f->known && f->kind == SPDU_AE)
		f->kind = SPDU_MAP; /* 8.3.22 */
	else if (code == params[PARAM_ENCLOSURE].code && v.n == 1)
		f->segment_ends = (v.p[0] & ENCLOSURE_END) != 0;
}

/* Groups are looked into. */
static void look_for(struct found *f, struct view field, bool nested, bool linking)
{
	struct cur c = cur_of(field);
	while (cur_left(&c) > 0) {
		const unsigned code = cur_u8(&c);
		const struct view v = cur_bytes(&c, read_li(&c));
		if (c.bad)
			return;
		if (!nested && (code == PGI_CONNECTION || code == PGI_CONNECT || code == PI_LINKING))
			look_for(f, v, true, code == PI_LINKING);
		else
			look_at(f, code, linking, v);
	}
}

/* The SPDU at the front of v, as much of it as is there. */
static void find(struct view v, enum spdu_lead lead, struct found *f)
{
	struct cur c = cur_of(v);
	struct spdu strict;
	*f = (struct found){ .whole = v, .segment_ends = true };
	f->si = cur_u8(&c);
	f->known = kind_of(f->si, lead, &f->kind);
	if (spdu_parse(v, lead, &strict, &f->err))
		f->err = (struct err){ 0 };
	const size_t li = read_li(&c), left = cur_left(&c);
	f->field = cur_bytes(&c, li < left ? li : left);
	look_for(f, f->field, false, false);
	if (f->known && f->kind == SPDU_DT)
		f->user = cur_rest(&c);
	f->whole = view_first(v, v.n - cur_left(&c));
}

/* Basic concatenation (6.3.7): a category 0 SPDU leads, then those of category 2. Returns how many. */
static size_t find_all(struct view v, struct found found[SPDUS_MAX])
{
	enum spdu_lead lead = LEAD_NONE;
	size_t n = 0;
	do {
		struct found *f = &found[n++];
		find(v, lead, f);
		if (n == 1 && f->known && (f->kind == SPDU_GT || f->kind == SPDU_PT))
			lead = f->kind == SPDU_GT ? LEAD_GT : LEAD_PT;
		v = view_from(v, f->whole.n);
	} while (v.n > 0 && n < SPDUS_MAX && lead != LEAD_NONE && found[n - 1].whole.n > 0);
	if (v.n > 0 && found[n - 1].err.kind == ERR_NONE)
		err_set(&found[n - 1].err, ERR_PEER, ERR_OF_ASSOCIATION, "session: %zu octets follow it, want none", v.n);
	return n;
}

bool decode_is_tsdu(struct view v)
{
	struct found found[SPDUS_MAX];
	const size_t n = v.n < 2 ? 0 : find_all(v, found);
	for (size_t i = 0; i < n; i++)
		if (!found[i].known || found[i].err.kind != ERR_NONE)
			return false;
	return n > 1 || (n == 1 && found[0].kind != SPDU_GT && found[0].kind != SPDU_PT);
}

/* --- parameters --- */

static void show_reference(struct show *s, const char *key, struct view v)
{
	const struct ber_limits limits = { 2, 8, 256 };
	struct ber_tlv tlv;
	if (ber_tlv(v, &tlv, &limits, NULL) && tlv.whole.n == v.n && !tlv.constructed && tlv.content.n > 0)
		show_octets(s, key, tlv.content);
	else
		show_octets(s, key, v);
}

static void show_activity(struct show *s, const char *key, struct view v)
{
	if (v.n == 3 && v.p[0] == 2 && v.p[1] == 1) /* X.228 7.2.2.2 puts an INTEGER in it */
		show_uint(s, key, v.p[2]);
	else if (v.n == 4 && v.p[0] == 2 && v.p[1] == 2)
		show_uint(s, key, (unsigned)v.p[2] << 8 | v.p[3]);
	else
		show_octets(s, key, v);
}

static const char *refuse_name(unsigned reason)
{
	switch (reason) { /* 8.3.5.10 */
	case 0: return "by the called user, not specified";
	case 1: return "by the called user: congestion";
	case 2: return "by the called user, with user data";
	case 129: return "session selector unknown";
	case 130: return "user not attached to the SSAP";
	case 131: return "congestion at connect time";
	case 132: return "proposed versions not supported";
	case 133: return "by the provider, not specified";
	case 134: return "by the provider: implementation restriction";
	default: return NULL;
	}
}

static const char *trouble_name(unsigned reason)
{
	switch (reason) { /* 8.3.28, 8.3.31, 8.3.33 */
	case 0: return "no specific reason";
	case 1: return "temporarily unable to continue";
	case 3: return "user sequence error";
	case 5: return "local user error";
	case 6: return "unrecoverable procedural error";
	case 128: return "demand data token";
	default: return NULL;
	}
}

static void show_reason(struct show *s, const struct found *f, struct view v)
{
	const unsigned reason = v.n == 0 ? 0 : v.p[0];
	show_int(s, "reason", reason, f->known && f->kind == SPDU_RF ? refuse_name(reason) : trouble_name(reason));
	if (v.n > 1)
		show_uint(s, "user data octets", v.n - 1);
}

static unsigned number(struct view v)
{
	unsigned x = 0;
	for (size_t i = 0; i < v.n && i < 4; i++)
		x = x << 8 | v.p[i];
	return x;
}

static void show_token_setting(struct show *s, unsigned x)
{
	static const char *const owner[] = { "initiator", "responder", "responder's choice", "reserved" };
	show_fmt(s, "token setting", "data %s, minor sync %s, major/activity %s, release %s", owner[x & 3], owner[x >> 2 & 3],
		 owner[x >> 4 & 3], owner[x >> 6 & 3]);
}

static void show_flags(struct show *s, enum spdu_param p, unsigned x)
{
	static const char *const units[] = { "half-duplex", "duplex", "expedited data", "minor synchronize", "major synchronize",
					     "resynchronize", "activity management", "negotiated release", "capability data",
					     "exceptions", "typed data", "symmetric synchronize", "data separation" };
	static const char *const versions[] = { "1", "2" };
	static const char *const tokens[] = { "data", NULL, "minor sync", NULL, "major/activity", NULL, "release" };
	static const char *const disconnect[] = { "transport released", "user abort", "protocol error", "no reason",
						  "implementation restriction" };
	static const char *const enclosure[] = { "begins", "ends" };
	static const char *const options[] = { "extended concatenation" };
	const char *key = params[p].title;
	switch (p) {
	case PARAM_UNITS: show_bits(s, key, x, units, ARRAY_LEN(units)); break;
	case PARAM_VERSIONS: show_bits(s, "versions", x, versions, ARRAY_LEN(versions)); break;
	case PARAM_TOKENS: show_bits(s, key, x, tokens, ARRAY_LEN(tokens)); break;
	case PARAM_T_DISCONNECT: show_bits(s, key, x, disconnect, ARRAY_LEN(disconnect)); break;
	case PARAM_ENCLOSURE: show_bits(s, key, x, enclosure, ARRAY_LEN(enclosure)); break;
	default: show_bits(s, key, x, options, ARRAY_LEN(options)); break;
	}
}

static void show_known(struct show *s, const struct found *f, enum spdu_param p, struct view v)
{
	const char *key = params[p].title;
	switch (p) {
	case PARAM_CALLED_REF: case PARAM_CALLING_REF: case PARAM_COMMON_REF: case PARAM_ADDITIONAL_REF:
		show_reference(s, key, v);
		break;
	case PARAM_UNITS: case PARAM_VERSIONS: case PARAM_TOKENS: case PARAM_T_DISCONNECT: case PARAM_ENCLOSURE: case PARAM_OPTIONS:
		show_flags(s, p, number(v));
		break;
	case PARAM_TOKEN_SETTING:
		show_token_setting(s, number(v));
		break;
	case PARAM_TSDU_MAX:
		show_fmt(s, key, "%u from initiator, %u from responder", number(view_first(v, 2)), number(view_from(v, 2)));
		break;
	case PARAM_ACTIVITY: case PARAM_OLD_ACTIVITY:
		show_activity(s, key, v);
		break;
	case PARAM_SERIAL: case PARAM_OLD_SERIAL:
		show_text(s, key, v);
		break;
	case PARAM_SYNC_TYPE:
		show_int(s, key, number(v), NULL);
		break;
	case PARAM_OVERFLOW:
		show_bool(s, key, (number(v) & 1) != 0);
		break;
	case PARAM_REASON:
		show_reason(s, f, v);
		break;
	case PARAM_USER_DATA: case PARAM_EXTENDED_DATA:
		show_fmt(s, key, "%zu octets", v.n);
		break;
	default:
		show_octets(s, key, v);
	}
}

static bool known_param(unsigned code, bool linking, enum spdu_param *p_r)
{
	for (size_t i = 0; i < PARAM_COUNT; i++) {
		if (params[i].code != code || params[i].linking != linking)
			continue;
		*p_r = (enum spdu_param)i;
		return true;
	}
	return false;
}

static void show_param(struct show *s, const struct found *f, unsigned code, bool linking, struct view v)
{
	enum spdu_param p;
	char key[32];
	if (known_param(code, linking, &p) || (linking && known_param(code, false, &p))) {
		show_known(s, f, p, v);
		return;
	}
	snprintf(key, sizeof key, "parameter %u", code);
	if (f->kind == SPDU_CN || f->kind == SPDU_AC) /* damaged, it may be a piece of the bind */
		show_hidden(s, key, v);
	else
		show_octets(s, key, v);
}

/* False: the field ended inside a parameter, and a sentence says so. */
static bool show_params(struct show *s, const struct found *f, struct view field, bool linking, bool nested)
{
	struct cur c = cur_of(field);
	bool seen[256] = { false }, said = f->err.kind != ERR_NONE && !nested;
	while (cur_left(&c) > 0) {
		const unsigned code = cur_u8(&c);
		const size_t li = read_li(&c), left = cur_left(&c);
		const struct view v = cur_bytes(&c, li);
		if (c.bad) {
			if (!said)
				show_damaged(s, "session: parameter %u of %zu octets, and %zu are left in its field", code, li, left);
			return false;
		}
		if (seen[code]) { /* the first one is shown */
			if (!said)
				show_damaged(s, "session: parameter %u stands twice in its field", code);
			said = true;
			continue;
		}
		seen[code] = true;
		if (nested || (code != PGI_CONNECTION && code != PGI_CONNECT && code != PI_LINKING)) {
			show_param(s, f, code, linking, v);
			continue;
		}
		show_object(s, code == PGI_CONNECTION ? "connection identifier" : code == PGI_CONNECT ? "connect/accept item" :
					"linking information", NULL);
		const bool whole = show_params(s, f, v, code == PI_LINKING, true);
		show_end(s);
		if (!whole)
			return false;
	}
	return true;
}

static void show_spdu(struct show *s, const struct found *f)
{
	if (f->known)
		show_object(s, "session", "%s (%s)", words[f->kind].title, words[f->kind].name);
	else
		show_object(s, "session", "SPDU with SI %u", f->si);
	if (f->field.n > 0 || (f->known && f->kind == SPDU_DT))
		show_uint(s, "octets", f->whole.n);
	if (f->err.kind != ERR_NONE)
		show_damaged(s, "%s", f->err.text);
	if (f->known)
		(void)show_params(s, f, f->field, false, false);
	show_end(s);
}

/* --- a TSDU --- */

/* What an SPDU means for the transfer of its side, or of both; before it is shown, so that the message stands before the
 * end of its activity. */
static void before(struct decode_stack *d, bool responder, const struct found *f)
{
	struct decode_transfer *t = &d->side[responder].transfer;
	switch (f->kind) {
	case SPDU_AE:
		if (t->open)
			decode_transfer_end(d, responder, DECODE_ENDED);
		break;
	case SPDU_AS:
	case SPDU_AR:
		if (t->open)
			decode_transfer_end(d, responder, DECODE_REPLACED);
		break;
	case SPDU_AI:
	case SPDU_AD:
		if (t->open)
			decode_transfer_end(d, responder, f->kind == SPDU_AI ? DECODE_INTERRUPTED : DECODE_DISCARDED);
		break;
	case SPDU_AB:
		for (int i = 0; i < 2; i++)
			if (d->side[i].transfer.open)
				decode_transfer_end(d, i == 1, DECODE_ABORTED);
		break;
	default:
		break;
	}
}

/* Six digits at most; 0 for what is none. */
static uint32_t serial_of(struct view v)
{
	uint64_t x;
	return text_uint(v, SERIAL_MAX, &x) ? (uint32_t)x : 0;
}

static void after(struct decode_stack *d, bool responder, const struct found *f)
{
	struct decode_transfer *t = &d->side[responder].transfer;
	if (f->kind == SPDU_AS)
		decode_transfer_begin(t, f->activity);
	else if (f->kind == SPDU_AR)
		decode_transfer_resume(t, d->stash, f->activity, f->old_activity, serial_of(f->old_serial));
	else if (f->kind == SPDU_MIP && t->open)
		decode_transfer_mark(t, serial_of(f->serial));
}

/* The user data of an SPDU that may be one segment of several. */
static void user_data(struct decode_stack *d, struct decode_side *side, const struct found *f, bool cut)
{
	struct view v = f->kind == SPDU_RF ? view_from(f->reason, 1) : f->user;
	if (side->ssdu_open && side->ssdu_kind == f->kind) {
		out_bytes(&side->ssdu, view_first(v, out_room(&side->ssdu)));
		v = out_view(&side->ssdu);
	} else if (!f->segment_ends) {
		out_clear(&side->ssdu);
		out_bytes(&side->ssdu, v);
		side->ssdu_open = true;
		side->ssdu_kind = f->kind;
	}
	if (!f->segment_ends && !cut) {
		show_fmt(d->show, "segment", "%zu octets of user data so far", out_len(&side->ssdu));
		return;
	}
	if (v.n > 0)
		decode_user_data(d, side, f->kind, v);
	if (side->ssdu_open && side->ssdu_kind == f->kind) {
		side->ssdu_open = false;
		out_clear(&side->ssdu);
	}
}

static void show_framing(struct show *s, const struct decode_side *side)
{
	if (side->tpdus == 0)
		return; /* a TSDU from a file of octets */
	show_object(s, "tpkt", NULL);
	if (side->tpdus > 1)
		show_uint(s, "packets", side->tpdus);
	show_uint(s, "octets", side->framed);
	show_end(s);
	if (side->tpdus > 1)
		show_object(s, "cotp", "DT, %zu of them", side->tpdus);
	else
		show_object(s, "cotp", "DT");
	show_uint(s, "octets", side->tsdu_octets);
	show_end(s);
}

void decode_tsdu(struct decode_stack *d, bool responder, struct view v, bool cut)
{
	struct decode_side *side = &d->side[responder];
	struct found found[SPDUS_MAX];
	struct show *s = d->show;
	const size_t n = find_all(v, found);
	const struct found *last = &found[n - 1];
	if (last->known)
		before(d, responder, last);
	d->at.responder = responder;
	show_event(s, &d->at, last->known ? words[last->kind].title : "SPDU");
	show_framing(s, side);
	if (cut)
		show_damaged(s, "session: the TSDU is cut after %zu octets", v.n);
	show_list(s, "session");
	for (size_t i = 0; i < n; i++)
		show_spdu(s, &found[i]);
	show_end(s);
	if (last->known)
		user_data(d, side, last, cut);
	else
		show_hidden(s, "octets", last->whole);
	show_event_end(s);
	if (last->known)
		after(d, responder, last);
}
