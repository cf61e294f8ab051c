/* notices.c - reports that the gateway owes (docs/connector.md, "You are the gateway"): who asked for one hears that his message was passed on; who could
 * not be served, why. And a mover's notice about mail that went out here becomes the report that X.400 knows: found in the sent journal by
 * subject and date, for the recipients that it names. A notice that is about nothing of ours is mail. */
#include "proc/interchange/interchange_int.h"

#include <inttypes.h>
#include <strings.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/message/pack.h"
#include "flow/report/diagnostics.h"
#include "flow/report/report.h"

enum { OTHER_USER = 6 /* X.411 TypeOfMTSUser */, NAMES_MAX = 4096 /* as many as codec/msmail reads */ };

static struct report_maker maker_of(const struct interchange *x, const char *local, wall_ms_t at)
{
	return (struct report_maker){ .domain = x->domain, .mta = view_str(x->settings->mta.name), .id = { x->domain, view_str(local) }, .now = at };
}

/* The name of this MTA in it would be a loop at the switch, which has not seen the report yet: the gateway has none, as in what it brings. */
MUST_CHECK static bool pack_report(const struct message *report, struct out *o, struct err *e)
{
	struct message m = *report;
	m.internal_trace = (struct trace){ NULL, 0 };
	out_clear(o);
	pack_message(o, &m, 0, m.n_rcpt);
	return !o->bad || err_set(e, ERR_PERM, ERR_OF_MESSAGE, "the report is too long");
}

bool notices_gateway_report(struct interchange *x, struct err *e)
{
	struct outward *o = &x->out;
	const struct message *m = &o->message;
	char local[33];
	struct report_result *results = arena_array(o->a, m->n_rcpt, sizeof *results);
	size_t n = 0;
	if (results == NULL)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "the report is too long");
	for (size_t i = 0; i < m->n_rcpt; i++) {
		const struct recipient *r = &m->rcpt[i];
		const bool delivered = r->outcome == OUTCOME_DELIVERED;
		if (!r->responsible)
			continue;
		results[n++] = (struct report_result){
			.rcpt = r, .delivered = delivered, .at = o->at, .reason = delivered ? -1 : r->reason, .diagnostic = delivered ? -1 : r->diagnostic,
			.supplementary = !delivered ? r->supplementary : m->kind == MESSAGE_PROBE ? VIEW("probe answered by gateway") : VIEW("delivered by gateway"),
			.type_of_user = OTHER_USER,
		};
	}
	snprintf(local, sizeof local, "GW-%016" PRIx64, o->key);
	const struct report_maker maker = maker_of(x, local, o->at);
	e->kind = ERR_NONE;
	const struct message *report = report_build(m, results, n, &maker, o->a, e);
	return report != NULL && pack_report(report, &o->packed, e);
}

/* --- a mover's notice --- */

struct told { struct view name; int code; size_t at; };
struct search {
	struct interchange *x;
	struct view subject, date;
	struct told *told;
	size_t n;
	struct out *packed;
	bool found;
};

static bool same_minute(const char *date, struct view as_told)
{
	enum { MINUTE = 12 };
	const bool is_none = as_told.n < MINUTE || memcmp(as_told.p, "0000", 4) == 0;
	return is_none || memcmp(date, as_told.p, MINUTE) == 0;
}

/* Any order without case does: the same names are beside each other, the first that was told of first. */
static int by_name(const void *p, const void *q)
{
	const struct told *a = p, *b = q;
	int order = (a->name.n > b->name.n) - (a->name.n < b->name.n);
	if (order == 0 && a->name.n > 0)
		order = strncasecmp((const char *)a->name.p, (const char *)b->name.p, a->name.n); /* names have no NUL */
	return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

static int code_of_name(const struct search *s, struct view name)
{
	const struct told want = { .name = name };
	size_t low = 0, high = s->n; /* the first that is not before it */
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (by_name(&s->told[middle], &want) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->n && view_eq_nocase(s->told[low].name, name) ? s->told[low].code : 0;
}

/* Codes by the recipients' numbers, from the lines "number name" of those that went out: the name is what he has in MS Mail. Each number once, the
 * first line that somebody was told of. */
static void find_codes(const struct search *s, struct view names, struct map *codes)
{
	while (names.n > 0) {
		const uint8_t *end = memchr(names.p, '\n', names.n);
		const struct view line = view_first(names, end == NULL ? names.n : (size_t)(end - names.p));
		const uint8_t *blank = line.n == 0 ? NULL : memchr(line.p, ' ', line.n);
		uint64_t n;
		names = view_from(names, line.n + 1);
		if (blank == NULL || !text_uint(view_first(line, (size_t)(blank - line.p)), UINT32_MAX, &n))
			continue;
		const int code = code_of_name(s, view_from(line, (size_t)(blank - line.p) + 1));
		if (code != 0 && map_get(codes, n) == NULL)
			map_put(codes, n, (void *)(intptr_t)code);
	}
}

/* True: it is about this one, and *s->packed has the report, or nothing when none is asked for. */
static bool report_about(struct search *s, const struct sent_entry *t, const struct message *m, struct view names, struct err *e)
{
	struct interchange *x = s->x;
	struct arena *a = x->in.a;
	char local[33];
	struct report_result *results = arena_array(a, m->n_rcpt, sizeof *results);
	struct map codes = { 0 };
	size_t n = 0;
	find_codes(s, names, &codes);
	for (size_t i = 0; results != NULL && i < m->n_rcpt; i++) {
		const int code = (int)(intptr_t)map_get(&codes, m->rcpt[i].number);
		char text[32];
		if (code == 0)
			continue;
		struct report_result *r = &results[n++];
		*r = (struct report_result){ .rcpt = &m->rcpt[i] };
		diagnostic_from_notice(code, &r->reason, &r->diagnostic);
		snprintf(text, sizeof text, "Microsoft Mail (%03d) ", code);
		r->supplementary = arena_copy(a, view_str(text));
	}
	map_fini(&codes);
	if (n == 0)
		return false;
	snprintf(local, sizeof local, "NT-%016" PRIx64, hash_octets(t->key, view_str(x->in.local_id)));
	const struct report_maker maker = maker_of(x, local, x->in.at);
	e->kind = ERR_NONE;
	const struct message *report = report_build(m, results, n, &maker, a, e);
	out_clear(s->packed);
	if (report != NULL && !pack_report(report, s->packed, e))
		out_clear(s->packed); /* as when nobody asked for one */
	return true;
}

static bool on_candidate(void *ctx, const struct sent_entry *t)
{
	struct search *s = ctx;
	struct interchange *x = s->x;
	struct view packed, names;
	struct message m;
	struct err e;
	if (!same_minute(t->date, s->date))
		return true;
	if (!sent_read(x->sent, t, x->in.a, &packed, &names, &e) || !unpack_message(packed, &m, x->in.a, &e)) {
		EMIT(&x->host, MSMAIL_NOTICE_FAILED, "link", x->link->name, "item", x->in.item, "why", e.text);
		return true;
	}
	s->found = report_about(s, t, &m, names, &e);
	if (s->found) {
		struct out id;
		out_init(&id, 400);
		mts_id_print(&m.id, &id);
		EMIT(&x->host, MSMAIL_NOTICE, "link", x->link->name, "item", x->in.item, "id", out_cstr(&id));
		out_fini(&id);
	}
	return !s->found;
}

bool notices_report(struct interchange *x, struct view notice, struct out *packed)
{
	struct cur c = cur_of(notice);
	struct search s = { .x = x, .packed = packed };
	(void)get_string(&c); /* the first cause: each name has its own */
	(void)get_string(&c);
	(void)get_string(&c);
	s.subject = get_string(&c);
	s.date = get_string(&c);
	s.told = arena_array(x->in.a, NAMES_MAX, sizeof *s.told);
	while (s.told != NULL && s.n < NAMES_MAX && cur_left(&c) > 0) {
		struct told *t = &s.told[s.n];
		uint64_t code;
		t->name = get_string(&c);
		const struct view digits = get_string(&c);
		if (c.bad || !text_uint(digits, 999, &code))
			break;
		t->code = (int)code;
		t->at = s.n + 1; /* 0 is before all */
		s.n += code != 0;
	}
	if (s.n > 0)
		qsort(s.told, s.n, sizeof *s.told, by_name);
	if (s.n > 0 && x->sent != NULL)
		sent_each_about(x->sent, sent_subject(s.subject), on_candidate, &s);
	return s.found;
}
