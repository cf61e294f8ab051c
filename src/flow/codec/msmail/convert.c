/* convert.c - what X.400 transfers, to a MAI or a file of the File Format API. */
#include "flow/codec/msmail/convert_private.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "flow/message/pack.h"
#include "flow/report/diagnostics.h"

enum {
	UNABLE_TO_TRANSFER = 1, CONVERSION_NOT_PERFORMED = 2,
	CONTENT_TOO_LONG = 7, IMPLICIT_PROHIBITED = 9, CONTENT_SYNTAX = 12, TYPE_NOT_SUPPORTED = 15, LOSS_PROHIBITED = 19,
	P2 = 2, P22 = 22, CLASS_MAX = 256, LINE_AROUND = 4, /* of one address in a header: code, length, comma, blank */
};

struct to_mai {
	struct mmc c;
	struct message m;
	struct view content;
	struct mai mai;
	struct mmc_body body;
	struct view limit_line;
	size_t not_listed;
	struct map ours;     /* whom this copy is for, by hash of the address; made when first asked */
	bool has_ours;
};

/* --- the envelope --- */

static wall_ms_t submitted(const struct message *m)
{
	return m->trace.n > 0 ? m->trace.v[0].arrival : 0; /* the first domain writes it when the message is submitted (X.411 12.3.1) */
}

static void refuse(struct mm_recipient *to, const struct err *why, struct arena *a)
{
	to->reason = why->reason >= 0 ? why->reason : UNABLE_TO_TRANSFER;
	to->diagnostic = why->diagnostic;
	to->notice = diagnostic_notice(to->reason, to->diagnostic);
	to->why = arena_copy(a, view_str(why->text));
}

static void fill_recipient(struct to_mai *t, const struct recipient *from, struct mm_recipient *to)
{
	struct err why = { .reason = -1, .diagnostic = -1 };
	*to = (struct mm_recipient){ .number = from->number, .responsible = from->responsible, .reason = -1, .diagnostic = -1 };
	to->wants_delivery_report = from->originator_report >= REPORT_ALL || from->mta_report >= REPORT_ALL;
	to->oraddr = view_str(oraddr_text(&from->addr, t->c.a));
	if (!mm_from_oraddr(t->c.how->map, &from->addr, &to->address, t->c.a, &why)) {
		to->address = (struct mm_address){ .type = MM_ADDRESS_X400, .text = to->oraddr };
		if (from->responsible)
			refuse(to, &why, t->c.a);
	}
}

/* A report has one recipient: where it goes to. */
static bool fill_envelope(struct to_mai *t, struct mm_envelope *v)
{
	const struct message *m = &t->m;
	const bool is_report = m->kind == MESSAGE_REPORT;
	const struct recipient to = { .addr = m->originator, .responsible = true };
	v->n = is_report ? 1 : m->n_rcpt;
	v->recipients = arena_array(t->c.a, v->n, sizeof *v->recipients);
	if (v->recipients == NULL && v->n > 0)
		return mmc_full(&t->c);
	for (size_t i = 0; i < v->n; i++) {
		if (i % 256 == 0 && !mmc_may_go_on(&t->c))
			return false;
		fill_recipient(t, is_report ? &to : &m->rcpt[i], &v->recipients[i]);
	}
	v->from = is_report ? t->mai.from : mmc_address(&t->c, &m->originator, (struct view){ NULL, 0 });
	v->date = t->mai.date;
	v->priority = t->mai.priority;
	return true;
}

static void map_add(struct map *m, uint64_t key, void *value)
{
	if (map_get(m, key) == NULL)
		map_put(m, key, value);
}

static uint64_t text_key(struct view text)
{
	uint64_t h = HASH_START;
	for (size_t i = 0; i < text.n; i++) {
		const uint8_t x = text.p[i];
		h = hash_octets(h, view_of(&(uint8_t){ x >= 'a' && x <= 'z' ? (uint8_t)(x - 32) : x }, 1));
	}
	return h;
}

/* Who of the envelope stands among the copy recipients. */
static void mark_copies(struct to_mai *t, struct mm_envelope *v)
{
	struct map copies = { 0 };
	for (size_t k = 0; k < t->mai.n_cc; k++)
		map_add(&copies, text_key(t->mai.cc[k].text), &t->mai.cc[k]);
	for (size_t i = 0; i < v->n; i++)
		v->recipients[i].is_cc = map_get(&copies, text_key(v->recipients[i].address.text)) != NULL;
	map_fini(&copies);
}

/* --- the heading --- */

static bool asks_receipt(const struct ipm_recipient_specifier *r)
{
	/* rn is bit 0; whoever asks for it without nrn means it (Q164835), and no bits are no request (Q164528) */
	return (r->seq.has & 1u << IPM_RCPT_NOTIFICATION) && r->notification_requests.bytes.n > 0 &&
	       (r->notification_requests.bytes.p[0] & 0x80) != 0;
}

static uint64_t addr_key(const struct oraddr *addr, struct out *o)
{
	out_clear(o);
	oraddr_key(addr, o);
	return hash_octets(HASH_START, out_view(o));
}

/* Is it one of those whom this copy is for? */
static bool is_ours(struct to_mai *t, const struct oraddr *addr)
{
	struct out o;
	out_init(&o, 1 << 20);
	for (size_t i = 0; i < t->m.n_rcpt && !t->has_ours; i++)
		if (t->m.rcpt[i].responsible)
			map_add(&t->ours, addr_key(&t->m.rcpt[i].addr, &o), &t->m.rcpt[i]);
	t->has_ours = true;
	const bool is = map_get(&t->ours, addr_key(addr, &o)) != NULL;
	out_fini(&o);
	return is;
}

static bool fill_list(struct to_mai *t, const struct ber_list *from, struct mm_address **to_r, size_t *n_r)
{
	const struct ipm_recipient_specifier *v = from->v;
	struct mm_address *to = arena_array(t->c.a, from->n, sizeof *to);
	if (to == NULL && from->n > 0)
		return mmc_full(&t->c);
	for (size_t i = 0; i < from->n; i++) {
		if (i % 256 == 0 && !mmc_may_go_on(&t->c))
			return false;
		to[i] = mmc_descriptor(&t->c, &v[i].recipient);
		if (!t->mai.receipt && asks_receipt(&v[i])) {
			const struct oraddr addr = ipm_oraddr(v[i].recipient.formal_name, t->c.a);
			t->mai.receipt = is_ours(t, &addr);
		}
	}
	*to_r = to;
	*n_r = from->n;
	return true;
}

/* The heading says how important, the envelope how urgent it is; one that says "normal" leaves it to the other (facts B4). */
static char priority_of(const struct message *m, const struct ipm_heading *h)
{
	if (h->importance == IPM_HIGH)
		return '5';
	if (h->importance == IPM_LOW)
		return '1';
	return m->priority == PRIORITY_URGENT ? '5' : m->priority == PRIORITY_NON_URGENT ? '1' : 0;
}

static struct view class_of(struct mmc *c, const struct ipm_heading *h)
{
	const struct view tlv = ipm_heading_extension(h, IPM_X_INFORMATION_CATEGORY);
	struct ber_list list;
	struct ber_limits limits = c->limits;
	limits.bytes = tlv.n;
	if (tlv.n == 0 || !ber_decode(&ipm_information_categories_type, tlv, &list, c->a, &limits, NULL) || list.n == 0)
		return (struct view){ NULL, 0 };
	const struct ipm_information_category *v = list.v;
	if (!(v[0].seq.has & 1u << IPM_CATEGORY_DESCRIPTION))
		return (struct view){ NULL, 0 };
	const struct ipm_universal_or_bmp *d = &v[0].description;
	const struct view text = d->seq.has & 1u << IPM_UNIVERSAL_TWO ? mmc_string(c, CHARSET_BMP, 0, d->two_octets)
								      : mmc_string(c, CHARSET_UNIVERSAL, 0, d->four_octets);
	return mmc_octets(c, mmc_one_line(c, text, CLASS_MAX));
}

static bool fill_marks(struct to_mai *t, const struct ipm_heading *h)
{
	struct mmc_marks marks = { .sensitivity = mmc_has(h, IPM_H_SENSITIVITY) ? h->sensitivity : 0, .auto_forwarded = h->auto_forwarded };
	struct out o;
	if (t->mai.receipt) { /* what a receipt will have to name */
		const struct oraddr user = ipm_oraddr(h->this_ipm.user, t->c.a);
		out_init(&o, 4096);
		out_bytes(&o, mmc_printable(&t->c, h->this_ipm.local, 64));
		out_u8(&o, '*');
		oraddr_print(user.n > 0 ? &user : &t->m.originator, ORADDR_F401, &o);
		marks.ipm_id = mmc_keep(&t->c, &o);
	}
	const struct view element = mmc_put_marks(&t->c, &marks);
	if (element.n == 0)
		return true;
	t->mai.extra = arena_get(t->c.a, sizeof *t->mai.extra);
	if (t->mai.extra == NULL)
		return mmc_full(&t->c);
	t->mai.extra[0] = element;
	t->mai.n_extra = 1;
	return true;
}

static bool fill_heading(struct to_mai *t, const struct ipm_heading *h)
{
	struct mai *x = &t->mai;
	if (!fill_list(t, &h->primary_recipients, &x->to, &x->n_to) || !fill_list(t, &h->copy_recipients, &x->cc, &x->n_cc))
		return false;
	x->from = mmc_has(h, IPM_H_ORIGINATOR) && h->originator.formal_name != NULL
			  ? mmc_descriptor(&t->c, &h->originator)
			  : mmc_address(&t->c, &t->m.originator, (struct view){ NULL, 0 });
	x->subject = mmc_octets(&t->c, mmc_subject(&t->c, h));
	x->class = class_of(&t->c, h);
	x->priority = priority_of(&t->m, h);
	return fill_marks(t, h);
}

/* A heading that names nobody (Q168771) gets those whom the envelope names. */
static bool fill_missing(struct to_mai *t, const struct mm_envelope *v)
{
	if (t->mai.n_to > 0 || t->mai.n_cc > 0)
		return true;
	t->mai.to = arena_array(t->c.a, v->n, sizeof *t->mai.to);
	if (t->mai.to == NULL && v->n > 0)
		return mmc_full(&t->c);
	for (size_t i = 0; i < v->n; i++)
		if (v->recipients[i].responsible)
			t->mai.to[t->mai.n_to++] = v->recipients[i].address;
	return true;
}

/* As many as fit in what is left. */
static size_t fit(const struct mm_address *v, size_t n, size_t *left)
{
	for (size_t i = 0; i < n; i++) {
		const size_t need = mem_add(mem_add(v[i].text.n, v[i].friendly.n), LINE_AROUND);
		if (need > *left)
			return i;
		*left -= need;
	}
	return n;
}

/* Q193035: a client that reads a header of more than it can hold reads nothing any more. */
static void trim_lists(struct to_mai *t)
{
	size_t left = t->c.how->header_limit;
	if (left == 0)
		return;
	const size_t to = fit(t->mai.to, t->mai.n_to, &left);
	const size_t cc = to == t->mai.n_to ? fit(t->mai.cc, t->mai.n_cc, &left) : 0;
	const size_t cut = t->mai.n_to - to + t->mai.n_cc - cc;
	if (cut == 0)
		return;
	t->limit_line = mmc_fmt(&t->c, "[%zu more recipients of this message are not listed: the list is longer than %zu octets]\r\r", cut,
				 t->c.how->header_limit);
	t->mai.n_to = to;
	t->mai.n_cc = cc;
	t->not_listed = cut;
}

/* --- the whole --- */

static bool read_content(struct to_mai *t)
{
	struct ipm ipm;
	if (t->m.content_type != P2 && t->m.content_type != P22)
		return mmc_fail(&t->c, UNABLE_TO_TRANSFER, TYPE_NOT_SUPPORTED, "found a content that is no interpersonal message, want P2 or P22");
	if (!ipm_parse(t->content, &ipm, t->c.a, &t->c.limits, t->c.e))
		return arena_full(t->c.a) ? mmc_full(&t->c) : false;
	if (ipm.notification != NULL)
		return mmc_notification(&t->c, &t->m, ipm.notification, &t->mai, &t->body);
	return fill_heading(t, &ipm.message->heading) && mmc_body_parts(&t->c, ipm.message, &t->body, 0);
}

static bool no_loss(const struct message *m)
{
	for (size_t i = 0; i < m->ext.n; i++) {
		const struct extension *x = &m->ext.v[i];
		if (!x->is_private && x->number == EXT_LOSS_PROHIBITED)
			return x->value.n == 0 || x->value.p[x->value.n - 1] != 0; /* ENUMERATED, 0: allowed */
	}
	return false;
}

/* What nobody may lose is not sent on with `?` in it (X.411 8.2.1.1.1.9, conversion-with-loss-prohibited; .8). */
static bool check_loss(struct to_mai *t)
{
	if (t->c.replaced == 0)
		return true;
	if (no_loss(&t->m))
		return mmc_fail(&t->c, CONVERSION_NOT_PERFORMED, LOSS_PROHIBITED, "it has characters that the code page has not");
	if (t->m.has_indicators && (t->m.indicators & IND_CONVERSION_PROHIBITED))
		return mmc_fail(&t->c, CONVERSION_NOT_PERFORMED, IMPLICIT_PROHIBITED, "it has characters that the code page has not");
	return true;
}

static void fill_text(struct to_mai *t)
{
	struct out *text = &t->body.text;
	mmc_body_end(&t->body);
	struct view utf8 = out_view(text);
	if (t->limit_line.n > 0) {
		struct out longer;
		out_init(&longer, mem_add(t->limit_line.n, utf8.n));
		out_bytes(&longer, t->limit_line);
		out_bytes(&longer, utf8);
		utf8 = mmc_keep(&t->c, &longer);
		for (size_t i = 0; i < t->body.n; i++)
			if (t->body.attachments[i].position != UINT32_MAX)
				t->body.attachments[i].position += (uint32_t)t->limit_line.n;
	}
	t->mai.text = mmc_octets(&t->c, utf8);
	t->mai.attachments = t->body.attachments;
	t->mai.n_attachments = t->body.n;
}

static bool print(struct to_mai *t, bool to_ffapi, struct mm_converted *done)
{
	struct out *o = &done->packed_or_mai;
	const struct mmc_body *b = &t->body;
	if (to_ffapi) {
		struct ffapi_body *bodies = arena_array(t->c.a, b->n, sizeof *bodies);
		if (bodies == NULL && b->n > 0)
			return mmc_full(&t->c);
		for (size_t i = 0; i < b->n; i++)
			bodies[i] = (struct ffapi_body){ .name = b->attachments[i].name, .octets = b->octets[i] };
		t->mai.n_extra = 0; /* elements of a MAI are no tokens */
		return ffapi_print(&t->mai, bodies, t->c.how->line_end, o, t->c.e);
	}
	done->attachments = arena_array(t->c.a, b->n, sizeof *done->attachments);
	if (done->attachments == NULL && b->n > 0)
		return mmc_full(&t->c);
	for (size_t i = 0; i < b->n; i++)
		done->attachments[i] = (struct mm_file){ view_str(b->attachments[i].file.s), b->octets[i] };
	done->n_attachments = b->n;
	return mai_print(&t->mai, t->c.how->scramble, o, t->c.e);
}

static bool convert(struct to_mai *t, bool to_ffapi, struct mm_converted *done)
{
	struct out id;
	struct mai *x = &t->mai;
	const wall_ms_t at = submitted(&t->m);
	*x = (struct mai){ .bags = 1, .hops = 10, .code_page = t->c.how->code_page };
	if (at != 0)
		x->date = mm_date_of_wall(at, t->c.how->zone_minutes);
	out_init(&id, 1024);
	mts_id_print(&t->m.id, &id);
	x->message_id = mmc_keep(&t->c, &id);
	if (!(t->m.kind == MESSAGE_REPORT ? mmc_report(&t->c, &t->m, t->content, x, &t->body) : read_content(t)))
		return false;
	if (!fill_envelope(t, &done->envelope) || !fill_missing(t, &done->envelope))
		return false;
	mark_copies(t, &done->envelope);
	trim_lists(t);
	fill_text(t);
	if (!check_loss(t) || !mmc_may_go_on(&t->c))
		return false;
	if (!print(t, to_ffapi, done)) {
		if (t->c.e != NULL && t->c.e->kind == ERR_LOCAL) { /* a bound on the result: waiting would not help */
			t->c.e->kind = ERR_PERM;
			t->c.e->reason = UNABLE_TO_TRANSFER;
			t->c.e->diagnostic = CONTENT_TOO_LONG;
		}
		return false;
	}
	done->envelope.size = (uint32_t)out_len(&done->packed_or_mai);
	return true;
}

static bool start(struct to_mai *t, struct view packed)
{
	t->c.page = t->c.how->code_page;
	if (t->c.how->elements != 0)
		t->c.limits.elements = t->c.how->elements;
	if (!unpack_message(packed, &t->m, t->c.a, t->c.e))
		return false;
	return t->m.kind != MESSAGE_PROBE ||
	       mmc_fail(&t->c, UNABLE_TO_TRANSFER, TYPE_NOT_SUPPORTED, "found a probe, which is answered and not converted");
}

bool mm_to_mai(const struct mm_convert *how, struct view packed, struct view content, bool to_ffapi, struct mm_converted *done_r,
	       struct arena *a, struct err *e)
{
	struct to_mai t = { .c = { .how = how, .a = a, .e = e, .limits = ipm_limits_default() }, .content = content };
	struct mm_converted done = { 0 };
	out_init(&t.body.text, how->out_max);
	out_init(&done.packed_or_mai, how->out_max);
	const bool ok = start(&t, packed) && convert(&t, to_ffapi, &done);
	out_fini(&t.body.text);
	map_fini(&t.ours);
	if (!ok) {
		if (e != NULL && e->kind == ERR_PERM && e->reason < 0) {
			e->reason = UNABLE_TO_TRANSFER;
			e->diagnostic = CONTENT_SYNTAX;
		}
		mm_converted_fini(&done);
		return false;
	}
	done.replaced = t.c.replaced;
	done.warned_code_page = t.c.warned;
	done.not_listed = t.not_listed;
	*done_r = done;
	return true;
}
