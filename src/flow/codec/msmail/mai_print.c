/* mai_print.c - see mai.h: writing. Fields in the order of facts A6, then what the facts have no place for. */
#include "flow/codec/msmail/mai.h"

#include "flow/codec/msmail/fips.h"
#include "flow/codec/msmail/mai_private.h"

struct writer {
	const struct mm_scramble *scramble;
	struct out o;
	struct err *e;
};

/* One ASCII-String: a run of the scrambling. */
static bool put_string(struct writer *w, struct view text)
{
	if (!mm_scramble_covers(w->scramble, text.n, w->e))
		return false;
	const size_t begun = fips_begin(&w->o, FIPS_ASCII, -1);
	uint8_t *p = out_reserve(&w->o, text.n);
	if (p != NULL && text.n > 0) {
		uint8_t state = 0;
		memcpy(p, text.p, text.n);
		w->scramble->apply(p, text.n, 0, &state, true);
	}
	fips_end(&w->o, begun);
	return true;
}

static bool is_short(const struct writer *w, struct view text, const char *what)
{
	if (text.n <= MAI_STRING_MAX)
		return true;
	return err_report(w->e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "a MAI cannot hold %s of %zu octets: 65535 at most", what, text.n);
}

/* A field of one string; none when it is empty. */
static bool put_field(struct writer *w, unsigned field, struct view text)
{
	if (text.n == 0)
		return true;
	const size_t begun = fips_begin(&w->o, FIPS_FIELD, field);
	const bool ok = put_string(w, text);
	fips_end(&w->o, begun);
	return ok;
}

static bool put_short_field(struct writer *w, unsigned field, struct view text, const char *what)
{
	return is_short(w, text, what) && put_field(w, field, text);
}

static void put_number(struct writer *w, int64_t qualifier, uint64_t x)
{
	const size_t begun = fips_begin(&w->o, FIPS_VENDOR, qualifier);
	fips_put_le(&w->o, x);
	fips_end(&w->o, begun);
}

static bool put_address(struct writer *w, const struct mm_address *a)
{
	if (!is_short(w, a->text, "an address") || !is_short(w, a->rest, "what follows an address"))
		return false;
	if (a->text.n > 0 && memchr(a->text.p, 0, a->text.n) != NULL)
		return err_report(w->e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "an address with a NUL in it cannot stand in a MAI");
	struct out joined;
	out_init(&joined, (size_t)2 * MAI_STRING_MAX + 1);
	out_bytes(&joined, a->text);
	out_u8(&joined, 0);
	out_bytes(&joined, a->rest);
	const bool ok = put_string(w, out_view(&joined));
	out_fini(&joined);
	return ok;
}

static bool put_list(struct writer *w, unsigned field, const struct mm_address *list, size_t n)
{
	bool ok = true;
	if (n == 0)
		return true;
	const size_t begun = fips_begin(&w->o, FIPS_FIELD, field);
	for (size_t i = 0; ok && i < n; i++)
		ok = put_address(w, &list[i]);
	fips_end(&w->o, begun);
	return ok;
}

static bool put_date(struct writer *w, const struct mm_date *d)
{
	struct out text;
	out_init(&text, 64);
	mm_date_print(d, &text);
	const size_t begun = fips_begin(&w->o, FIPS_DATE, -1);
	const bool ok = put_string(w, out_view(&text));
	fips_end(&w->o, begun);
	out_fini(&text);
	return ok;
}

static bool put_date_field(struct writer *w, const struct mm_date *d)
{
	if (!mm_date_has_room(d))
		return true;
	const size_t begun = fips_begin(&w->o, FIPS_FIELD, FIPS_POSTED);
	const bool ok = put_date(w, d);
	fips_end(&w->o, begun);
	return ok;
}

/* Name, file id, size, date when there is one, position, kind. */
static bool put_attachment(struct writer *w, const struct mm_attachment *a)
{
	if (!is_short(w, a->name, "an attachment's name"))
		return false;
	const size_t begun = fips_begin(&w->o, FIPS_SEQUENCE, -1);
	const bool ok = put_string(w, a->name) && put_string(w, a->file.s[0] == 0 ? VIEW(NO_FILE) : view_str(a->file.s));
	fips_put_le(&w->o, a->size);
	const bool dated = ok && (!mm_date_has_room(&a->date) || put_date(w, &a->date));
	fips_put_le(&w->o, a->position);
	fips_put_le(&w->o, a->kind);
	fips_end(&w->o, begun);
	return dated;
}

static bool put_attachments(struct writer *w, const struct mai *m)
{
	bool ok = true;
	if (m->n_attachments == 0)
		return true;
	const size_t begun = fips_begin(&w->o, FIPS_VENDOR, FIPS_VENDOR_QUALIFIER | OUR_ATTACHMENTS);
	for (size_t i = 0; ok && i < m->n_attachments; i++)
		ok = put_attachment(w, &m->attachments[i]);
	fips_end(&w->o, begun);
	return ok;
}

static bool put_detail(struct writer *w, unsigned list, size_t index, const struct mm_address *a)
{
	if (a->type == MM_ADDRESS_MS && a->friendly.n == 0)
		return true;
	if (!is_short(w, a->friendly, "a friendly name"))
		return false;
	const size_t begun = fips_begin(&w->o, FIPS_VENDOR, FIPS_VENDOR_QUALIFIER | OUR_ADDRESS);
	fips_put_le(&w->o, list);
	fips_put_le(&w->o, index);
	fips_put_le(&w->o, a->type);
	const bool ok = put_string(w, a->friendly);
	fips_end(&w->o, begun);
	return ok;
}

static bool put_details(struct writer *w, const struct mai *m)
{
	bool ok = put_detail(w, LIST_FROM, 0, &m->from);
	for (size_t i = 0; ok && i < m->n_to; i++)
		ok = put_detail(w, LIST_TO, i, &m->to[i]);
	for (size_t i = 0; ok && i < m->n_cc; i++)
		ok = put_detail(w, LIST_CC, i, &m->cc[i]);
	return ok;
}

static bool put_dump_fields(struct writer *w, const struct mai *m)
{
	put_number(w, MS_BAGS, m->bags);
	put_number(w, MS_WORD_2, m->word_2 == 0 ? MS_WORD_2_VALUE : m->word_2);
	put_number(w, MS_HOPS, m->hops);
	put_number(w, MS_WORD_7, m->word_7 == 0 ? MS_WORD_7_VALUE : m->word_7);
	return put_list(w, FIPS_FROM, &m->from, 1) && put_list(w, FIPS_TO, m->to, m->n_to) && put_list(w, FIPS_CC, m->cc, m->n_cc) &&
	       put_date_field(w, &m->date) && put_field(w, FIPS_PRECEDENCE, view_of(&m->priority, m->priority != 0)) &&
	       put_short_field(w, FIPS_SUBJECT, m->subject, "a subject") && put_attachments(w, m) && put_field(w, FIPS_TEXT, m->text);
}

static bool put_our_fields(struct writer *w, const struct mai *m)
{
	const unsigned flags = (m->receipt ? FLAG_RECEIPT : 0u) | (m->is_receipt ? FLAG_IS_RECEIPT : 0u);
	if (!put_short_field(w, FIPS_MESSAGE_CLASS, m->class, "a message class") ||
	    !put_short_field(w, FIPS_MESSAGE_ID, m->message_id, "a message id"))
		return false;
	if (m->code_page != 0)
		put_number(w, FIPS_VENDOR_QUALIFIER | OUR_CODE_PAGE, m->code_page);
	if (flags != 0)
		put_number(w, FIPS_VENDOR_QUALIFIER | OUR_FLAGS, flags);
	if (!put_details(w, m))
		return false;
	for (size_t i = 0; i < m->n_extra; i++)
		out_bytes(&w->o, m->extra[i]);
	return true;
}

bool mai_print(const struct mai *m, const struct mm_scramble *s, struct out *o, struct err *e)
{
	struct writer w = { .scramble = s, .e = e };
	out_init(&w.o, out_room(o));
	/* Three octets of length, so that the counter stands at 0x0B, where readers of that time look (Q104423); four beyond 16 MB. */
	const size_t begun = fips_begin(&w.o, FIPS_MESSAGE, MESSAGE_TYPE);
	const bool ok = put_dump_fields(&w, m) && put_our_fields(&w, m);
	fips_end_wide(&w.o, begun, 3);
	if (ok)
		out_bytes(o, out_view(&w.o));
	const bool full = w.o.bad || o->bad;
	out_fini(&w.o);
	if (ok && full)
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "the MAI does not fit into %zu octets", o->max);
	return ok;
}
