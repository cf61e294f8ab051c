/* convert_ipm.c - a MAI, or a file of the File Format API, to an envelope of ours and P22. */
#include "flow/codec/msmail/convert_private.h"

#include "base/mem.h"
#include "flow/codec/p1/p1_orname.h"
#include "flow/message/pack.h"
#include "flow/report/diagnostics.h"

enum {
	NUMBER_MAX = 32767, LOCAL_ID_MAX = 64, MTS_LOCAL_MAX = 32, CONTENT_ID_MAX = 16, SUPPLEMENTARY_MAX = 256,
	FREE_FORM_MAX = 64, CLASS_MAX = 256, IPM_MAX = 64 * 1024 * 1024,
	UNABLE_TO_TRANSFER = 1, TRANSFER_FAILURE = 0, CONTENT_SYNTAX = 12, CONTENT_MISSING = 48, CONTENT_TOO_LONG = 7,
};
#define DAY_MS INT64_C(86400000)
#define FIRST_MS INT64_C(473385600000) /* 1985-01-01: before there was any Microsoft Mail a clock is not set */

struct to_ipm {
	struct mmc c;
	const struct mm_envelope *given;
	struct mai mai;
	struct view *bodies;         /* of attachments, by index */
	struct view mts_local;
	wall_ms_t now, composed;     /* composed: a plausible date of the message */
	bool is_notice;
	unsigned eit_bits;           /* of BuiltInEncodedInformationTypes, bit 0 the top one */
	unsigned registrations[8];   /* of general texts */
	size_t n_registrations;
	bool has_file;
	unsigned n_embedded;         /* messages in this one: no two have one identifier */
};

/* --- what came --- */

static const struct mm_file *file_named(const struct mm_file *files, size_t n, struct view name)
{
	for (size_t i = 0; i < n; i++)
		if (view_eq_nocase(files[i].name, name))
			return &files[i];
	return NULL;
}

static bool missing(struct to_ipm *t, size_t i)
{
	char what[64];
	snprintf(what, sizeof what, "attachment %zu of %zu is missing", i + 1, t->mai.n_attachments);
	return mmc_fail(&t->c, TRANSFER_FAILURE, CONTENT_MISSING, what);
}

static bool read_ffapi(struct to_ipm *t, struct view file, const struct mm_file *files, size_t n)
{
	const struct mai_limits limits = mai_limits_default();
	struct ffapi_body *bodies;
	struct view text_file;
	if (!ffapi_parse(file, &t->mai, &bodies, &text_file, t->c.a, &limits, t->c.e))
		return false;
	if (text_file.n > 0) {
		const struct mm_file *text = file_named(files, n, text_file);
		if (text == NULL)
			return mmc_fail(&t->c, TRANSFER_FAILURE, CONTENT_MISSING, "the file of its text is missing");
		t->mai.text = text->octets;
	}
	t->bodies = arena_array(t->c.a, t->mai.n_attachments, sizeof *t->bodies);
	for (size_t i = 0; t->bodies != NULL && i < t->mai.n_attachments; i++) {
		const struct mm_file *body = bodies[i].in_file ? file_named(files, n, bodies[i].name) : NULL;
		if (bodies[i].in_file && body == NULL)
			return missing(t, i);
		t->bodies[i] = bodies[i].in_file ? body->octets : bodies[i].octets;
	}
	return !arena_full(t->c.a) || mmc_full(&t->c);
}

static bool read_mai(struct to_ipm *t, struct view file, const struct mm_file *files, size_t n)
{
	const struct mai_limits limits = mai_limits_default();
	if (!mai_parse(file, t->c.how->scramble, &t->mai, t->c.a, &limits, t->c.e))
		return false;
	t->bodies = arena_array(t->c.a, t->mai.n_attachments, sizeof *t->bodies);
	for (size_t i = 0; t->bodies != NULL && i < t->mai.n_attachments; i++) {
		if (i >= n)
			return missing(t, i);
		t->bodies[i] = files[i].octets;
	}
	return !arena_full(t->c.a) || mmc_full(&t->c);
}

static bool is_set(const struct mm_date *d)
{
	return d->year != 0;
}

/* When it was composed, as its date says (Q161933); a date that is none, of a clock that was never set or that runs ahead, is that of its
 * arrival at the postoffice. Never the time of now where something else is known: the same message is to give the same octets. */
static wall_ms_t date_of(const struct to_ipm *t, const struct mm_date *d)
{
	const wall_ms_t arrived = t->given->arrived != 0 ? t->given->arrived : t->now;
	const wall_ms_t at = is_set(d) ? mm_date_to_wall(d, t->c.how->zone_minutes, arrived) : arrived;
	return at < FIRST_MS || at > arrived + DAY_MS ? arrived : at;
}

/* --- addresses --- */

static bool has_address(const struct mm_address *x)
{
	return x->text.n > 0;
}

static struct view friendly(struct to_ipm *t, const struct mm_address *x)
{
	return mmc_one_line(&t->c, mmc_utf8(&t->c, x->friendly), FREE_FORM_MAX);
}

/* Who it is in a heading: with an address where one can be made, else by name only. */
static struct ipm_user user_of(struct to_ipm *t, const struct mm_address *x)
{
	struct ipm_user u = { .free_form = friendly(t, x) };
	if (!mm_to_oraddr(t->c.how->map, x, &u.addr, t->c.a, NULL))
		u.addr = (struct oraddr){ 0 };
	if (u.addr.n == 0 && u.free_form.n == 0)
		u.free_form = mmc_one_line(&t->c, mmc_utf8(&t->c, x->text), FREE_FORM_MAX);
	if (u.addr.n == 0 && u.free_form.n == 0)
		u.free_form = VIEW("?");
	return u;
}

/* The originator must have an address: reports go there. One that has none that can be mapped is the postmaster of our postoffice. */
static bool originator_of(struct to_ipm *t, struct oraddr *addr_r)
{
	const struct mm_address *const tries[] = { &t->given->from, &t->mai.from };
	for (size_t i = 0; i < ARRAY_LEN(tries); i++)
		if (has_address(tries[i]) && mm_to_oraddr(t->c.how->map, tries[i], addr_r, t->c.a, NULL))
			return true;
	const struct mm_address ours = { .type = MM_ADDRESS_MS,
					 .text = mmc_fmt(&t->c, "%s/%s/" NOTICE_FROM, t->c.how->own.network, t->c.how->own.postoffice) };
	return mm_to_oraddr(t->c.how->map, &ours, addr_r, t->c.a, t->c.e);
}

/* --- priority: facts B4, the table of docs/postoffice-format.md --- */

static enum priority priority_of(char c)
{
	return c == '1' ? PRIORITY_NON_URGENT : c == '5' ? PRIORITY_URGENT : PRIORITY_NORMAL;
}

static enum ipm_importance importance_of(char c)
{
	return c == '1' ? IPM_LOW : c == '5' ? IPM_HIGH : IPM_NORMAL;
}

/* --- the envelope --- */

static void refuse(struct mm_recipient *r, const struct err *why, struct arena *a)
{
	r->reason = why->reason >= 0 ? why->reason : UNABLE_TO_TRANSFER;
	r->diagnostic = why->diagnostic;
	r->notice = diagnostic_notice(r->reason, r->diagnostic);
	r->why = arena_copy(a, view_str(why->text));
}

static void fill_recipients(struct to_ipm *t, struct message *m, struct mm_envelope *answer)
{
	for (size_t i = 0; i < answer->n; i++) {
		struct mm_recipient *from = &answer->recipients[i];
		struct recipient *to = &m->rcpt[m->n_rcpt];
		struct err why = { .reason = -1, .diagnostic = -1 };
		if (!from->responsible)
			continue;
		from->notice = 0;
		from->reason = from->diagnostic = -1;
		if (from->number == 0) /* else the caller's, who may give a message in parts */
			from->number = (uint32_t)i + 1;
		if (from->number > NUMBER_MAX) {
			err_report(&why, ERR_PERM, ERR_OF_RECIPIENT, UNABLE_TO_TRANSFER, 16, "more than %d recipients", NUMBER_MAX);
			refuse(from, &why, t->c.a);
			continue;
		}
		if (!mm_to_oraddr(t->c.how->map, &from->address, &to->addr, t->c.a, &why)) {
			refuse(from, &why, t->c.a);
			continue;
		}
		/* facts B4: always basic non-delivery; with a return receipt confirmed delivery too. Nothing about a notice (Q98067). */
		const bool receipt = t->mai.receipt && !t->is_notice && !t->mai.is_receipt;
		to->number = from->number;
		to->responsible = true;
		to->mta_report = receipt ? REPORT_ALL : REPORT_NON_DELIVERY;
		to->originator_report = t->is_notice || t->mai.is_receipt ? REPORT_NONE : receipt ? REPORT_ALL : REPORT_NON_DELIVERY;
		to->reason = to->diagnostic = -1;
		to->type_of_user = UINT32_MAX;
		from->oraddr = view_str(oraddr_text(&to->addr, t->c.a));
		m->n_rcpt++;
	}
}

/* [APPLICATION 5] EncodedInformationTypes (X.411 8.5.6): [0] BIT STRING, [4] SET OF OBJECT IDENTIFIER. General text is
 * {1 0 10021 7 1 0 n} for each set, a file {2 6 1 12 0} (X.420 annex on encoded information types). */
static struct view eits(struct to_ipm *t)
{
	struct ipm_eits x = { .seq.has = 1 };
	const uint8_t bits[2] = { (uint8_t)(t->eit_bits >> 8), (uint8_t)t->eit_bits };
	const size_t n_bits = bits[0] == 0 ? 0 : 1;
	struct view *oids = arena_array(t->c.a, t->n_registrations + 3, sizeof *oids);
	struct out o;
	size_t n = 0;
	unsigned unused = 0;
	while (n_bits > 0 && (bits[0] >> unused & 1) == 0)
		unused++;
	x.built_in = (struct ber_bits){ arena_copy(t->c.a, view_of(bits, n_bits)), unused };
	if (oids == NULL)
		return (struct view){ NULL, 0 };
	for (size_t i = 0; i < t->n_registrations; i++) {
		out_init(&o, 64);
		char text[40];
		snprintf(text, sizeof text, "1.0.10021.7.1.0.%u", t->registrations[i]);
		if (ber_oid_parse(text, &o))
			oids[n++] = mmc_keep(&t->c, &o);
		else
			out_fini(&o);
	}
	if (t->has_file)
		oids[n++] = VIEW("\x56\x01\x0c\x00");
	if (n > 0)
		x.seq.has |= 1u << 3;
	x.extended = (struct ber_list){ oids, n };
	out_init(&o, 4096);
	if (!ber_encode(&ipm_eits_type, &x, &o, NULL))
		out_clear(&o);
	return mmc_keep(&t->c, &o);
}

static bool put_envelope(struct to_ipm *t, struct mm_converted *done)
{
	const struct mm_convert *how = t->c.how;
	struct trace_element here = { .domain = *how->domain, .arrival = t->composed, .action = ROUTING_RELAYED };
	struct message m = {
		.kind = MESSAGE_MESSAGE, .id = { *how->domain, t->mts_local }, .content_type = 22, .priority = priority_of(t->mai.priority),
		.indicators = t->is_notice ? 0 : IND_CONTENT_RETURN, .has_indicators = true, .content_length = -1, .trace = { &here, 1 },
		.original_eits = eits(t), .content_id = view_first(view_str(t->given->mai.s), CONTENT_ID_MAX),
	};
	here.arrival_raw = utctime_print(t->composed, t->c.a);
	if (t->given->priority != 0 && t->mai.priority == 0)
		m.priority = priority_of(t->given->priority);
	done->envelope = *t->given;
	done->envelope.recipients = arena_array(t->c.a, t->given->n, sizeof *done->envelope.recipients);
	m.rcpt = arena_array(t->c.a, t->given->n, sizeof *m.rcpt);
	if (arena_full(t->c.a))
		return mmc_full(&t->c);
	if (t->given->n > 0)
		memcpy(done->envelope.recipients, t->given->recipients, t->given->n * sizeof *t->given->recipients);
	if (!originator_of(t, &m.originator))
		return false;
	fill_recipients(t, &m, &done->envelope);
	if (arena_full(t->c.a))
		return mmc_full(&t->c);
	pack_message(&done->packed_or_mai, &m, 0, m.n_rcpt);
	return !done->packed_or_mai.bad || mmc_fail(&t->c, UNABLE_TO_TRANSFER, CONTENT_TOO_LONG, "its envelope is longer than a message may be");
}

/* --- body parts --- */

static void note_registration(struct to_ipm *t, unsigned registration)
{
	for (size_t i = 0; i < t->n_registrations; i++)
		if (t->registrations[i] == registration)
			return;
	if (t->n_registrations < ARRAY_LEN(t->registrations))
		t->registrations[t->n_registrations++] = registration;
}

static void note_text(struct to_ipm *t, struct view utf8)
{
	const unsigned registration = charset_choose(t->c.how->kit, utf8);
	if (registration == CHARSET_REG_ASCII) {
		t->eit_bits |= 0x2000; /* bit 2, ia5-text */
		return;
	}
	note_registration(t, CHARSET_REG_C0);
	note_registration(t, CHARSET_REG_ASCII);
	note_registration(t, registration);
}

struct part_list {
	struct ipm_compose_part *v;
	size_t n;
};

static void add_text(struct to_ipm *t, struct part_list *parts, struct view utf8)
{
	const struct view text = mmc_crlf(&t->c, utf8);
	parts->v[parts->n++] = (struct ipm_compose_part){ .kind = IPM_COMPOSE_TEXT, .data = text };
	note_text(t, text);
}

/* Where text is cut: characters are counted once, however many attachments there are. */
struct cutting {
	struct view text;
	size_t at;          /* octets that are counted */
	uint32_t character; /* and their characters */
	size_t done;        /* octets that are in a part */
};

/* Octets of the front of text up to the end of the line that the character at `position` stands in: a part is whole lines. Positions that go
 * back are where the last cut was. */
static size_t cut_at(struct cutting *x, uint32_t position)
{
	const struct view text = x->text;
	struct view rest = view_from(text, x->at);
	if (position == UINT32_MAX)
		return text.n;
	for (; x->character < position && rest.n > 0; x->character++)
		(void)charset_utf8_next(&rest);
	size_t at = x->at = text.n - rest.n;
	if (at <= x->done)
		return x->done;
	while (at < text.n && text.p[at - 1] != '\r' && text.p[at - 1] != '\n')
		at++;
	return at < text.n && text.p[at - 1] == '\r' && text.p[at] == '\n' ? at + 1 : at;
}

static bool compose(struct to_ipm *t, const struct mai *m, const struct view *bodies, struct view local_id, unsigned depth, struct out *o);

/* A message that lies in another as an attachment; false and no error: it is not one that can be read. */
static bool add_message(struct to_ipm *t, struct view octets, struct part_list *parts, unsigned depth)
{
	const struct mai_limits limits = mai_limits_default();
	struct out content;
	struct mai inner;
	if (depth >= MMC_DEPTH || !mai_parse(octets, t->c.how->scramble, &inner, t->c.a, &limits, NULL))
		return false;
	const unsigned page = t->c.page;
	struct err *e = t->c.e;
	t->c.page = inner.code_page != 0 ? inner.code_page : t->c.how->code_page;
	t->c.e = NULL;
	out_init(&content, t->c.how->out_max);
	const struct view local = mmc_printable(&t->c, t->mts_local, MTS_LOCAL_MAX);
	const struct view id = mmc_fmt(&t->c, "%.*s-%u", (int)local.n, (const char *)local.p, ++t->n_embedded);
	const bool ok = compose(t, &inner, NULL, id, depth, &content);
	t->c.page = page;
	t->c.e = e;
	parts->v[parts->n] = (struct ipm_compose_part){ .kind = IPM_COMPOSE_FORWARD, .data = mmc_keep(&t->c, &content) };
	parts->n += ok;
	return ok;
}

static void add_attachment(struct to_ipm *t, const struct mai *m, size_t i, struct view octets, struct part_list *parts, unsigned depth)
{
	const struct mm_attachment *from = &m->attachments[i];
	struct view name = mmc_file_name(&t->c, mmc_utf8(&t->c, from->name));
	if (from->kind == 1 && add_message(t, octets, parts, depth + 1))
		return;
	if (name.n == 0)
		name = mmc_fmt(&t->c, "ATT%05zu.%s", i + 1, from->kind == 1 ? "MAI" : from->kind == 2 ? "OLE" : "DAT");
	parts->v[parts->n++] = (struct ipm_compose_part){
		.kind = IPM_COMPOSE_FILE, .data = octets, .name = name,
		.modified_ms = is_set(&from->date) ? mm_date_to_wall(&from->date, t->c.how->zone_minutes, 0) : 0,
	};
	t->has_file = true;
}

static struct view not_here(struct to_ipm *t, const struct mm_attachment *x)
{
	const struct view name = mmc_file_name(&t->c, mmc_utf8(&t->c, x->name));
	return mmc_fmt(&t->c, "[An attachment of it is not here: %.*s]\r\n", (int)name.n, (const char *)name.p);
}

/* Text and attachments in order of their index (Q151249), each where it stands in the text. bodies NULL: those of an embedded message,
 * which nobody has; a line says so. */
static bool body(struct to_ipm *t, const struct mai *m, const struct view *bodies, unsigned depth, struct part_list *parts)
{
	struct cutting x = { .text = mmc_utf8(&t->c, m->text) };
	parts->v = arena_array(t->c.a, 2 * m->n_attachments + 2, sizeof *parts->v);
	parts->n = 0;
	if (parts->v == NULL)
		return mmc_full(&t->c);
	for (size_t i = 0; i < m->n_attachments; i++) {
		if (!mmc_may_go_on(&t->c))
			return false;
		const size_t to = cut_at(&x, m->attachments[i].position);
		if (to > x.done)
			add_text(t, parts, view_of(x.text.p + x.done, to - x.done));
		x.done = to;
		if (bodies != NULL)
			add_attachment(t, m, i, bodies[i], parts, depth);
		else
			add_text(t, parts, not_here(t, &m->attachments[i]));
	}
	if (x.done < x.text.n || parts->n == 0)
		add_text(t, parts, view_from(x.text, x.done));
	return true;
}

/* --- heading --- */

static bool fill_list(struct to_ipm *t, const struct mm_address *from, size_t n, bool ask, struct ipm_recipient **to_r)
{
	struct ipm_recipient *v = arena_array(t->c.a, n, sizeof *v);
	if (v == NULL && n > 0)
		return mmc_full(&t->c);
	for (size_t i = 0; i < n; i++) {
		if (i % 256 == 0 && !mmc_may_go_on(&t->c))
			return false;
		v[i].user = user_of(t, &from[i]);
		v[i].ask = ask ? IPM_ASK_RN | IPM_ASK_NRN : 0;
	}
	*to_r = v;
	return true;
}

static bool too_long_is_permanent(struct err *e, bool ok)
{
	if (!ok && e != NULL && e->kind == ERR_LOCAL) { /* a bound on the result: waiting would not help */
		e->kind = ERR_PERM;
		e->reason = UNABLE_TO_TRANSFER;
		e->diagnostic = CONTENT_TOO_LONG;
	}
	return ok;
}

static bool compose(struct to_ipm *t, const struct mai *m, const struct view *bodies, struct view local_id, unsigned depth, struct out *o)
{
	struct ipm_recipient *to, *cc;
	struct part_list parts;
	struct ipm_composed done;
	struct mmc_marks marks;
	const bool ask = m->receipt && !t->is_notice;
	if (!fill_list(t, m->to, m->n_to, ask, &to) || !fill_list(t, m->cc, m->n_cc, ask, &cc) || !body(t, m, bodies, depth, &parts))
		return false;
	mmc_get_marks(m, &marks);
	struct ipm_compose letter = {
		.local_id = local_id, .originator = user_of(t, &m->from), .to = to, .n_to = m->n_to, .cc = cc, .n_cc = m->n_cc,
		.subject = mmc_one_line(&t->c, mmc_utf8(&t->c, m->subject), MMC_SUBJECT_MAX), .importance = importance_of(m->priority),
		.sensitivity = marks.sensitivity, .auto_forwarded = marks.auto_forwarded, .auto_submitted = t->is_notice ? 1 : 0,
		.parts = parts.v, .n_parts = parts.n,
	};
	if (!mmc_is_plain_class(m->class))
		letter.category = mmc_one_line(&t->c, mmc_utf8(&t->c, m->class), CLASS_MAX);
	if (letter.originator.addr.n == 0 && depth == 0 && !originator_of(t, &letter.originator.addr))
		return false;
	if (!too_long_is_permanent(t->c.e, ipm_compose(&letter, t->c.how->kit, o, &done, t->c.a, t->c.e)))
		return false;
	t->c.replaced += done.replaced;
	return true;
}

/* The IPM's identifier: what is unique, and of the subject what there is room for, since whoever is notified of has nothing else to know it
 * by (Q168771): "LOCAL=Subject". */
static struct view local_id(struct to_ipm *t)
{
	struct out o;
	out_init(&o, LOCAL_ID_MAX);
	const struct view local = mmc_printable(&t->c, t->mts_local, MTS_LOCAL_MAX);
	for (size_t i = 0; i < local.n; i++)
		out_u8(&o, local.p[i] == '=' ? '-' : local.p[i]);
	const size_t replaced = t->c.replaced; /* of the subject: counted where it stands */
	const struct view subject = mmc_one_line(&t->c, mmc_utf8(&t->c, t->mai.subject), MMC_SUBJECT_MAX);
	t->c.replaced = replaced;
	if (subject.n > 0 && local.n + 2 < LOCAL_ID_MAX) {
		out_u8(&o, '=');
		out_bytes(&o, mmc_printable(&t->c, subject, LOCAL_ID_MAX - local.n - 1));
	}
	return mmc_keep(&t->c, &o);
}

/* --- receipts --- */

/* What the receipt is about: the IPM's identifier as it was put into the message, else what is left of the MTS-identifier. Without either
 * it is a letter that says so, for nobody could know what is notified of. */
static bool find_subject(struct to_ipm *t, struct ipm_identifier *id)
{
	struct mmc_marks marks;
	struct mts_id mts;
	struct oraddr user = { 0 };
	mmc_get_marks(&t->mai, &marks);
	const uint8_t *star = marks.ipm_id.n == 0 ? NULL : memchr(marks.ipm_id.p, '*', marks.ipm_id.n);
	if (star != NULL) {
		id->local = view_first(marks.ipm_id, (size_t)(star - marks.ipm_id.p));
		if (!oraddr_parse(view_from(marks.ipm_id, id->local.n + 1), &user, t->c.a, ORADDR_CARRY, NULL))
			user = (struct oraddr){ 0 };
	} else if (marks.ipm_id.n > 0) {
		id->local = marks.ipm_id;
	} else if (t->mai.message_id.n > 0) {
		id->local = mts_id_parse(t->mai.message_id, &mts, t->c.a, NULL) ? mts.local : t->mai.message_id;
	}
	id->local = mmc_printable(&t->c, id->local, LOCAL_ID_MAX);
	for (size_t i = 0; user.n == 0 && i < t->given->n; i++)
		if (t->given->recipients[i].responsible && !mm_to_oraddr(t->c.how->map, &t->given->recipients[i].address, &user, t->c.a, NULL))
			user = (struct oraddr){ 0 };
	if (id->local.n == 0 || user.n == 0)
		return false;
	id->seq.has = 1u << IPM_ID_LOCAL | 1u << IPM_ID_USER;
	id->user = arena_get(t->c.a, sizeof *id->user);
	const struct oraddr *kept = arena_get(t->c.a, sizeof *kept);
	if (id->user == NULL || kept == NULL)
		return false;
	*(struct oraddr *)kept = user;
	return p1_orname_of_addr(kept, id->user, t->c.a, NULL);
}

static bool is_non_receipt(const struct mai *m)
{
	return view_eq_nocase(m->class, VIEW(MMC_CLASS_NRN));
}

static void fill_fields(struct to_ipm *t, struct ipm_notification_fields *f)
{
	if (is_non_receipt(&t->mai)) {
		f->choice.which = IPM_NON_RECEIPT;
		f->non_receipt.seq.has = 1u << IPM_NRN_REASON | 1u << IPM_NRN_DISCARD;
		f->non_receipt.reason = 0;         /* ipm-discarded */
		f->non_receipt.discard_reason = 3; /* ipm-deleted: the postoffice says no more than that nobody read it */
		return;
	}
	f->choice.which = IPM_RECEIPT;
	f->receipt.seq.has = 1u << IPM_RN_TIME | 1u << IPM_RN_MODE;
	f->receipt.receipt_time = utctime_print(t->composed, t->c.a); /* Q214565: a date that is none is that of the arrival */
	f->receipt.acknowledgment = 0;                                 /* manual: somebody read it */
	f->receipt.supplementary =
		mmc_printable(&t->c, mmc_one_line(&t->c, mmc_utf8(&t->c, t->mai.subject), MMC_SUBJECT_MAX), SUPPLEMENTARY_MAX);
	if (f->receipt.supplementary.n > 0)
		f->receipt.seq.has |= 1u << IPM_RN_SUPPLEMENTARY;
}

/* A notification in place of the message; *done_r false: it cannot be one. */
static bool notify(struct to_ipm *t, struct out *o, bool *done_r)
{
	struct ipm_object *x = arena_get(t->c.a, sizeof *x);
	struct oraddr originator;
	if (x == NULL)
		return mmc_full(&t->c);
	struct ipm_ipn *n = &x->ipn;
	*done_r = false;
	if (!find_subject(t, &n->subject_ipm))
		return true;
	x->choice.which = IPM_OBJECT_IPN;
	fill_fields(t, &n->fields);
	if (!originator_of(t, &originator))
		return false;
	n->originator.formal_name = arena_get(t->c.a, sizeof *n->originator.formal_name);
	n->originator.free_form_name = (struct view){ NULL, 0 };
	if (n->originator.formal_name == NULL || !p1_orname_of_addr(&originator, n->originator.formal_name, t->c.a, t->c.e))
		return arena_full(t->c.a) ? mmc_full(&t->c) : false;
	n->originator.seq.has = 1u << IPM_DESCRIPTOR_FORMAL;
	n->seq.has = 1u << IPM_IPN_SUBJECT | 1u << IPM_IPN_FIELDS | 1u << IPM_IPN_ORIGINATOR;
	*done_r = true;
	return too_long_is_permanent(t->c.e, ber_encode(&ipm_object_outer_type, x, o, t->c.e));
}

/* --- the whole --- */

/* A mover's notice (facts A10): from a postmaster, and its text is one. */
static void look_for_notice(struct to_ipm *t, struct mm_converted *done)
{
	const struct mm_address *from = has_address(&t->mai.from) ? &t->mai.from : &t->given->from;
	const struct view mailbox = mmc_tail(from->text, sizeof NOTICE_FROM - 1);
	if (!view_eq_nocase(mailbox, VIEW(NOTICE_FROM)))
		return;
	const size_t replaced = t->c.replaced; /* it is counted when it is converted */
	done->is_notice = t->is_notice = notice_parse(mmc_utf8(&t->c, t->mai.text), &done->notice, t->c.a);
	t->c.replaced = replaced;
}

static bool convert(struct to_ipm *t, struct mm_converted *done)
{
	bool is_notification = false;
	t->composed = date_of(t, is_set(&t->mai.date) ? &t->mai.date : &t->given->date);
	look_for_notice(t, done);
	if (t->mai.is_receipt && !notify(t, &done->content, &is_notification))
		return false;
	if (!is_notification && !compose(t, &t->mai, t->bodies, local_id(t), 0, &done->content))
		return false;
	return put_envelope(t, done) && mmc_may_go_on(&t->c);
}

static void permanent(struct err *e)
{
	if (e == NULL || e->kind != ERR_PERM || e->reason >= 0)
		return;
	e->reason = UNABLE_TO_TRANSFER;
	e->diagnostic = CONTENT_SYNTAX;
}

bool mm_to_ipm(const struct mm_convert *how, struct view file, bool is_ffapi, const struct mm_envelope *envelope,
	       const struct mm_file *attachments, size_t n, const char *mts_local, wall_ms_t now, struct mm_converted *done_r, struct arena *a,
	       struct err *e)
{
	struct to_ipm t = {
		.c = { .how = how, .a = a, .e = e, .limits = ipm_limits_default(), .page = how->code_page },
		.given = envelope, .mts_local = view_str(mts_local), .now = now,
	};
	struct mm_converted done = { 0 };
	if (!(is_ffapi ? read_ffapi(&t, file, attachments, n) : read_mai(&t, file, attachments, n))) {
		permanent(e);
		return false;
	}
	if (t.mai.code_page != 0)
		t.c.page = t.mai.code_page;
	out_init(&done.packed_or_mai, how->out_max);
	out_init(&done.content, how->out_max);
	if (!convert(&t, &done)) {
		permanent(e);
		mm_converted_fini(&done);
		return false;
	}
	done.replaced = t.c.replaced;
	done.warned_code_page = t.c.warned;
	*done_r = done;
	return true;
}

void mm_converted_fini(struct mm_converted *c)
{
	out_fini(&c->packed_or_mai);
	out_fini(&c->content);
}
