/* report.c - see report.h: reports as X.411 12.2.1.3 has them. */
#include "flow/report/report.h"

#include "base/mem.h"

enum { SUPPLEMENTARY_MAX = 256 };	    /* X.411 ub-supplementary-info-length */
enum { USER_PUBLIC = 0, USER_PRIVATE = 1 }; /* X.411 TypeOfMTSUser */

bool report_is_due(const struct message *subject, const struct recipient *r, bool delivered)
{
	if (subject->kind == MESSAGE_REPORT)
		return false;
	/* Both requests count alike up to REPORT_ALL; audited is the originating MTA's alone and
	 * includes the rest. */
	unsigned asked =
		r->originator_report > r->mta_report ? r->originator_report : r->mta_report;
	return asked >= (delivered ? REPORT_ALL : REPORT_NON_DELIVERY);
}

bool report_returns_content(const struct message *subject)
{
	bool known = subject->content_type >= 0 ||
		     (subject->content_type == -1 && subject->content_type_oid.n > 0);
	return subject->kind == MESSAGE_MESSAGE && subject->has_indicators &&
	       (subject->indicators & IND_CONTENT_RETURN) != 0 && known;
}

/* PrintableString for one octet; the escapes are those of RFC 2156 3.4, and round brackets stay
 * readable. */
static const char *printable(uint8_t c, char buf[8])
{
	switch (c) {
	case '@': return "(a)";
	case '_': return "(u)";
	case '%': return "(p)";
	case '!': return "(b)";
	case '"': return "'";
	case ';': return ",";
	default: break;
	}
	bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		     (c != 0 && strchr(" '()+,-./:=?", c) != NULL);
	if (plain)
		snprintf(buf, 8, "%c", c);
	else if (c > ' ' && c < 0x7f)
		snprintf(buf, 8, "(%03u)", c);
	else
		snprintf(buf, 8, "%s", c == '\n' || c == '\r' || c == '\t' ? " " : "?");
	return buf;
}

/* Cut where an escape would not fit whole. Empty when the quota is passed. */
static struct view supplementary_of(struct view text, struct arena *a)
{
	char buf[8];
	size_t n = 0;
	if (text.n == 0)
		return (struct view){NULL, 0};
	uint8_t *p = arena_get(a, SUPPLEMENTARY_MAX);
	if (p == NULL)
		return (struct view){NULL, 0};
	for (size_t i = 0; i < text.n; i++) {
		const char *s = printable(text.p[i], buf);
		size_t len = strlen(s);
		if (n + len > SUPPLEMENTARY_MAX)
			break;
		memcpy(p + n, s, len);
		n += len;
	}
	return view_of(p, n);
}

static const struct extension *find_extension(const struct extensions *ext, uint32_t number)
{
	for (size_t i = 0; i < ext->n; i++)
		if (!ext->v[i].is_private && ext->v[i].number == number)
			return &ext->v[i];
	return NULL;
}

/* At most one extension, in place: the list it came from lives as long as the subject. */
static struct extensions only_extension(const struct extensions *ext, uint32_t number)
{
	const struct extension *found = find_extension(ext, number);
	if (found == NULL)
		return (struct extensions){NULL, 0};
	return (struct extensions){ext->v + (found - ext->v), 1};
}

/* LastTraceInformation: when the subject came into the domain that reports. */
static wall_ms_t arrival_of(const struct message *subject, const struct report_maker *maker)
{
	const struct trace *t = &subject->trace;
	for (size_t i = t->n; i > 0; i--)
		if (gdi_eq(&t->v[i - 1].domain, &maker->domain))
			return t->v[i - 1].arrival;
	return maker->now;
}

static struct recipient recipient_of(const struct report_result *result,
				     const struct report_maker *maker,
				     struct trace_element *arrival, struct arena *a)
{
	const struct recipient *subject = result->rcpt;
	struct recipient r = {
		.addr = subject->addr,
		.number = subject->number,
		.responsible = subject->responsible,
		.mta_report = subject->mta_report,
		.originator_report = subject->originator_report,
		.indicators_raw = subject->indicators_raw,
		.ext = only_extension(&subject->ext, EXT_REDIRECTION_HISTORY),
		.redirections = subject->redirections,
		.n_redirections = subject->n_redirections,
		.type_of_user = UINT32_MAX,
		.reason = -1,
		.diagnostic = -1,
		.has_intended = subject->has_intended,
		.intended = subject->intended,
		.supplementary = supplementary_of(result->supplementary, a),
		.arrival = {arrival, 1},
	};
	if (r.n_redirections > 0) { /* whom the originator knows */
		r.has_intended = true;
		r.intended = subject->redirections[0].intended;
	}
	if (r.addr.n == 0 && r.addr.directory_name.n == 0 && r.has_intended)
		r.addr = r.intended; /* the actual recipient name is mandatory (RP-12) */
	if (result->delivered) {
		r.outcome = OUTCOME_DELIVERED;
		r.delivered_at = result->at == 0 ? maker->now : result->at;
		r.type_of_user = maker->domain.has_prmd ? USER_PRIVATE : USER_PUBLIC;
		if (result->type_of_user != 0)
			r.type_of_user = result->type_of_user;
		return r;
	}
	r.outcome = OUTCOME_NOT_DELIVERED;
	r.reason = result->reason;
	r.diagnostic = result->diagnostic;
	return r;
}

static struct trace_element element_of(const struct report_maker *maker, wall_ms_t at,
				       struct arena *a)
{
	return (struct trace_element){.domain = maker->domain,
				      .action = ROUTING_RELAYED,
				      .arrival = at,
				      .arrival_raw = utctime_print(at, a)};
}

static struct message envelope_of(const struct message *subject, const struct report_maker *maker)
{
	return (struct message){
		.kind = MESSAGE_REPORT,
		.id = maker->id,
		.originator = subject->originator,
		.original_eits = subject->original_eits,
		.content_type = subject->content_type,
		.content_type_oid = subject->content_type_oid,
		.content_id = subject->content_id,
		.priority = PRIORITY_URGENT,
		.content_length = -1,
		.subject_id = subject->id,
		.content_ext = only_extension(&subject->ext, EXT_CONTENT_CORRELATOR),
	};
}

/* Where it goes: the list that the subject came from last knows what its policy is (X.411 14.3.4). */
static bool address_it(struct message *report, const struct message *subject, struct arena *a)
{
	const struct history *h = &subject->dl_history;
	if (h->n == 0)
		return true;
	struct name_at *v = arena_array(a, h->n + 1, sizeof *v);
	if (v == NULL)
		return false;
	v[0] = (struct name_at){.name = subject->originator, .at = subject->trace.n > 0 ? subject->trace.v[0].arrival : h->v[0].at};
	if (subject->trace.n > 0)
		v[0].at_raw = subject->trace.v[0].arrival_raw;
	memcpy(v + 1, h->v, h->n * sizeof *v);
	report->originator = h->v[h->n - 1].name;
	report->origin_history = (struct history){v, h->n + 1};
	return true;
}

struct message *report_build(const struct message *subject, const struct report_result *results,
			     size_t n, const struct report_maker *maker, struct arena *a,
			     struct err *e)
{
	bool audited = false;
	struct message report = envelope_of(subject, maker), *copy = NULL;
	struct trace_element arrival = element_of(maker, arrival_of(subject, maker), a);
	struct trace_element domain = element_of(maker, maker->now, a), internal = domain;
	internal.mta = maker->mta;
	report.trace = (struct trace){&domain, 1};
	report.internal_trace = (struct trace){&internal, 1};
	report.rcpt = mem_alloc(mem_mul(n, sizeof *report.rcpt));
	for (size_t i = 0; i < n; i++) {
		if (!report_is_due(subject, results[i].rcpt, results[i].delivered))
			continue;
		report.rcpt[report.n_rcpt++] = recipient_of(&results[i], maker, &arrival, a);
		audited = audited || results[i].rcpt->mta_report == REPORT_ALL_AUDITED;
	}
	if (audited)
		report.subject_trace = subject->trace;
	*e = (struct err){.kind = ERR_NONE, .reason = -1, .diagnostic = -1};
	if (report.n_rcpt > 0) {
		copy = address_it(&report, subject, a) ? message_copy(&report, a) : NULL;
		if (copy == NULL || arena_full(a)) {
			copy = NULL;
			err_set(e, ERR_TEMP, ERR_OF_MESSAGE,
				"report: longer than the memory it may take");
		}
	}
	free(report.rcpt);
	return copy;
}
