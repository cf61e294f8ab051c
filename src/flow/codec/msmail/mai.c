/* mai.c - see mai.h: reading. Two passes over the Message's elements: one counts what lists may need, one fills them. */
#include "flow/codec/msmail/mai.h"

#include "flow/codec/msmail/fips.h"
#include "flow/codec/msmail/mai_private.h"

struct counts { size_t to, cc, attachments, extra; };

struct reader {
	const struct mm_scramble *scramble;
	struct arena *arena;
	struct mai m;
	struct counts room; /* in its lists */
	uint32_t seen; /* rows of `known` whose element has come: of those that come once, the first that says something is the message's */
	bool said_nothing; /* what was just read is as if it were not there, and is not written again */
	struct err *e;
};

struct mai_limits mai_limits_default(void)
{
	return (struct mai_limits){ 200000, (size_t)1 << 30 };
}

static bool refuse(struct err *e, const struct fips_element *x, const char *what)
{
	return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "MAI element %02X (qualifier %X) at offset %zu: %s", x->code, (unsigned)x->qualifier,
			  x->offset, what);
}

/* --- values inside an element --- */

/* The next element of this code, others passed over. */
static enum step next_of(struct fips_walk *w, uint8_t code, struct fips_element *x_r, struct err *e)
{
	enum step step;
	do
		step = fips_next(w, x_r, e);
	while (step == STEP_DONE && x_r->code != code);
	return step;
}

static bool open_string(const struct reader *r, const struct fips_element *x, struct view *v_r)
{
	*v_r = x->contents;
	if (!mm_scramble_covers(r->scramble, x->contents.n, r->e))
		return false;
	if (r->scramble == &mm_scramble_none)
		return true;
	uint8_t *p = arena_get(r->arena, x->contents.n);
	if (p == NULL)
		return true; /* the end of mai_parse looks at the arena */
	if (x->contents.n > 0)
		memcpy(p, x->contents.p, x->contents.n);
	uint8_t state = 0;
	r->scramble->apply(p, x->contents.n, 0, &state, false);
	*v_r = view_of(p, x->contents.n);
	return true;
}

/* All strings of a field, joined. */
static bool strings_of(struct reader *r, const struct fips_walk *w, const struct fips_element *field, struct view *v_r)
{
	struct fips_element x;
	enum step step;
	size_t n = 0, total = 0;
	for (struct fips_walk in = fips_walk_in(w, field); (step = next_of(&in, FIPS_ASCII, &x, r->e)) == STEP_DONE; n++) {
		total += x.contents.n;
		if (!open_string(r, &x, v_r))
			return false;
	}
	if (step == STEP_FAIL)
		return false;
	if (n == 0)
		return refuse(r->e, field, "found no ASCII-String in it");
	r->said_nothing = total == 0;
	if (n == 1)
		return true;
	uint8_t *p = arena_get(r->arena, total);
	size_t at = 0;
	for (struct fips_walk in = fips_walk_in(w, field); p != NULL && next_of(&in, FIPS_ASCII, &x, r->e) == STEP_DONE; at += x.contents.n)
		if (open_string(r, &x, v_r) && v_r->n > 0)
			memcpy(p + at, v_r->p, v_r->n);
	*v_r = view_of(p, p == NULL ? 0 : total);
	return true;
}

static bool number_of(const struct reader *r, const struct fips_walk *w, const struct fips_element *outer, uint64_t max, uint64_t *x_r)
{
	struct fips_walk in = fips_walk_in(w, outer);
	struct fips_element x;
	const enum step step = next_of(&in, FIPS_INTEGER, &x, r->e);
	if (step == STEP_FAIL)
		return false;
	if (step == STEP_WAIT || !fips_le(&x, x_r) || *x_r > max)
		return refuse(r->e, outer, "found no INTEGER in its range");
	return true;
}

static bool word_of(const struct reader *r, const struct fips_walk *w, const struct fips_element *x, uint16_t *word_r)
{
	uint64_t value;
	if (!number_of(r, w, x, UINT16_MAX, &value))
		return false;
	*word_r = (uint16_t)value;
	return true;
}

/* The octets of an address end at a NUL; behind it is what nobody has explained (facts A6). */
static bool address_of(const struct reader *r, const struct fips_element *x, struct mm_address *address)
{
	struct view v;
	if (!open_string(r, x, &v))
		return false;
	const uint8_t *nul = v.n == 0 ? NULL : memchr(v.p, 0, v.n);
	address->text = nul == NULL ? v : view_first(v, (size_t)(nul - v.p));
	address->rest = nul == NULL ? (struct view){ NULL, 0 } : view_from(v, address->text.n + 1);
	return true;
}

/* --- one reader for each element that is known --- */

typedef bool read_f(struct reader *r, const struct fips_walk *w, const struct fips_element *x);

static bool read_bags(struct reader *r, const struct fips_walk *w, const struct fips_element *x) { return word_of(r, w, x, &r->m.bags); }
static bool read_word_2(struct reader *r, const struct fips_walk *w, const struct fips_element *x) { return word_of(r, w, x, &r->m.word_2); }
static bool read_hops(struct reader *r, const struct fips_walk *w, const struct fips_element *x) { return word_of(r, w, x, &r->m.hops); }
static bool read_word_7(struct reader *r, const struct fips_walk *w, const struct fips_element *x) { return word_of(r, w, x, &r->m.word_7); }
static bool read_subject(struct reader *r, const struct fips_walk *w, const struct fips_element *x) { return strings_of(r, w, x, &r->m.subject); }
static bool read_text(struct reader *r, const struct fips_walk *w, const struct fips_element *x) { return strings_of(r, w, x, &r->m.text); }
static bool read_class(struct reader *r, const struct fips_walk *w, const struct fips_element *x) { return strings_of(r, w, x, &r->m.class); }
static bool read_id(struct reader *r, const struct fips_walk *w, const struct fips_element *x) { return strings_of(r, w, x, &r->m.message_id); }

static bool read_from(struct reader *r, const struct fips_walk *w, const struct fips_element *field)
{
	struct fips_walk in = fips_walk_in(w, field);
	struct fips_element x;
	const enum step step = next_of(&in, FIPS_ASCII, &x, r->e);
	if (step == STEP_WAIT)
		return refuse(r->e, field, "found no ASCII-String in it");
	return step == STEP_DONE && address_of(r, &x, &r->m.from);
}

static bool read_list(struct reader *r, const struct fips_walk *w, const struct fips_element *field, struct mm_address *list, size_t *n)
{
	struct fips_walk in = fips_walk_in(w, field);
	struct fips_element x;
	enum step step;
	for (; (step = next_of(&in, FIPS_ASCII, &x, r->e)) == STEP_DONE; ++*n)
		if (!address_of(r, &x, &list[*n]))
			return false;
	return step == STEP_WAIT;
}

static bool read_to(struct reader *r, const struct fips_walk *w, const struct fips_element *x) { return read_list(r, w, x, r->m.to, &r->m.n_to); }
static bool read_cc(struct reader *r, const struct fips_walk *w, const struct fips_element *x) { return read_list(r, w, x, r->m.cc, &r->m.n_cc); }

static bool read_date(struct reader *r, const struct fips_walk *w, const struct fips_element *field)
{
	struct fips_walk in = fips_walk_in(w, field);
	struct fips_element x;
	const enum step step = next_of(&in, FIPS_DATE, &x, r->e);
	if (step == STEP_WAIT)
		return refuse(r->e, field, "found no Date in it");
	struct view text;
	if (step == STEP_FAIL || !strings_of(r, &in, &x, &text))
		return false;
	r->m.date = mm_date_parse(text);
	r->said_nothing = r->m.date.year == 0;
	return true;
}

static bool read_priority(struct reader *r, const struct fips_walk *w, const struct fips_element *x)
{
	struct view text;
	if (!strings_of(r, w, x, &text))
		return false;
	if (text.n != 1 || text.p[0] == 0)
		return refuse(r->e, x, "found no single character in it");
	r->m.priority = (char)text.p[0];
	return true;
}

static bool read_code_page(struct reader *r, const struct fips_walk *w, const struct fips_element *x)
{
	uint64_t value;
	if (!number_of(r, w, x, UINT16_MAX, &value))
		return false;
	r->m.code_page = (unsigned)value;
	r->said_nothing = value == 0;
	return true;
}

static bool read_flags(struct reader *r, const struct fips_walk *w, const struct fips_element *x)
{
	uint64_t value;
	if (!number_of(r, w, x, UINT64_MAX, &value))
		return false;
	r->m.receipt = value & FLAG_RECEIPT;
	r->m.is_receipt = value & FLAG_IS_RECEIPT;
	r->said_nothing = (value & (FLAG_RECEIPT | FLAG_IS_RECEIPT)) == 0;
	return true;
}

/* Takes up to n INTEGERs and, to strings, up to n_strings ASCII-Strings of a constructor, in any mixture. */
struct values {
	uint64_t number[3];
	size_t n_numbers;
	struct view string[2];
	size_t n_strings;
	struct mm_date date;
};

static bool values_of(struct reader *r, const struct fips_walk *w, const struct fips_element *outer, struct values *v_r)
{
	struct fips_walk in = fips_walk_in(w, outer);
	struct fips_element x;
	enum step step;
	*v_r = (struct values){ 0 };
	while ((step = fips_next(&in, &x, r->e)) == STEP_DONE) {
		struct view date;
		if (x.code == FIPS_INTEGER && v_r->n_numbers < ARRAY_LEN(v_r->number) && fips_le(&x, &v_r->number[v_r->n_numbers]))
			v_r->n_numbers++;
		else if (x.code == FIPS_ASCII && v_r->n_strings < ARRAY_LEN(v_r->string) && open_string(r, &x, &v_r->string[v_r->n_strings]))
			v_r->n_strings++;
		else if (x.code == FIPS_DATE && strings_of(r, &in, &x, &date))
			v_r->date = mm_date_parse(date);
		else
			return refuse(r->e, &x, "it does not belong here");
	}
	return step == STEP_WAIT;
}

/* What an address' string has no place for: INTEGER list, INTEGER index, INTEGER type, ASCII-String friendly name. */
static bool read_address(struct reader *r, const struct fips_walk *w, const struct fips_element *x)
{
	struct values v;
	if (!values_of(r, w, x, &v))
		return false;
	if (v.n_numbers != 3 || v.n_strings != 1 || v.number[0] > LIST_CC || v.number[2] > UINT16_MAX)
		return refuse(r->e, x, "found not list, index, type and name");
	struct mm_address *const lists[] = { &r->m.from, r->m.to, r->m.cc };
	const size_t n[] = { 1, r->room.to, r->room.cc };
	if (v.number[1] >= n[v.number[0]])
		return true; /* one that another program has taken out of the list: of no use any more */
	struct mm_address *address = &lists[v.number[0]][v.number[1]];
	address->type = (unsigned)v.number[2];
	address->friendly = v.string[0];
	return true;
}

static bool read_attachment(struct reader *r, const struct fips_walk *w, const struct fips_element *x)
{
	struct values v;
	if (!values_of(r, w, x, &v))
		return false;
	if (v.n_numbers != 3 || v.n_strings != 2 || v.number[1] > UINT32_MAX || v.number[2] > UINT32_MAX || v.string[1].n != MM_ID_LENGTH)
		return refuse(r->e, x, "found not name, file id, size, position and kind");
	struct mm_attachment *a = &r->m.attachments[r->m.n_attachments++];
	*a = (struct mm_attachment){ .name = v.string[0], .size = v.number[0], .date = v.date, .position = (uint32_t)v.number[1],
				     .kind = (uint32_t)v.number[2] };
	return view_eq(v.string[1], VIEW(NO_FILE)) || mm_id_parse(v.string[1], &a->file, NULL, r->e);
}

static bool read_attachments(struct reader *r, const struct fips_walk *w, const struct fips_element *x)
{
	struct fips_walk in = fips_walk_in(w, x);
	struct fips_element one;
	enum step step;
	while ((step = next_of(&in, FIPS_SEQUENCE, &one, r->e)) == STEP_DONE)
		if (!read_attachment(r, &in, &one))
			return false;
	return step == STEP_WAIT;
}

/* --- the Message --- */

enum {
	MUST = 1, /* a message cannot do without: what cannot be understood makes it corrupt, and is not an unknown field */
	MANY = 2, /* one after the other adds to the same list */
};

static const struct known {
	uint8_t code;
	bool vendor; /* the qualifier's form */
	uint32_t qualifier;
	unsigned bits;
	read_f *read;
} known[] = {
	{ FIPS_VENDOR, false, MS_BAGS, MUST, read_bags },
	{ FIPS_VENDOR, false, MS_WORD_2, 0, read_word_2 },
	{ FIPS_VENDOR, false, MS_HOPS, 0, read_hops },
	{ FIPS_VENDOR, false, MS_WORD_7, 0, read_word_7 },
	{ FIPS_FIELD, false, FIPS_FROM, MUST, read_from },
	{ FIPS_FIELD, false, FIPS_TO, MUST | MANY, read_to },
	{ FIPS_FIELD, false, FIPS_CC, MUST | MANY, read_cc },
	{ FIPS_FIELD, false, FIPS_POSTED, 0, read_date },
	{ FIPS_FIELD, false, FIPS_PRECEDENCE, 0, read_priority },
	{ FIPS_FIELD, false, FIPS_SUBJECT, 0, read_subject },
	{ FIPS_FIELD, false, FIPS_TEXT, MUST, read_text },
	{ FIPS_FIELD, false, FIPS_MESSAGE_CLASS, 0, read_class },
	{ FIPS_FIELD, false, FIPS_MESSAGE_ID, 0, read_id },
	{ FIPS_VENDOR, true, OUR_ATTACHMENTS, MUST | MANY, read_attachments },
	{ FIPS_VENDOR, true, OUR_ADDRESS, MUST | MANY, read_address },
	{ FIPS_VENDOR, true, OUR_CODE_PAGE, 0, read_code_page },
	{ FIPS_VENDOR, true, OUR_FLAGS, 0, read_flags },
};

static const struct known *known_of(const struct fips_element *x)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].code == x->code && known[i].vendor == x->vendor_qualifier && known[i].qualifier == x->qualifier)
			return &known[i];
	return NULL;
}

static void keep(struct reader *r, const struct fips_element *x)
{
	r->m.extra[r->m.n_extra++] = x->whole;
}

static bool read_element(struct reader *r, const struct fips_walk *w, const struct fips_element *x)
{
	if (x->code == FIPS_NO_OP || x->code == FIPS_PADDING || x->code == FIPS_EOC)
		return true;
	const struct known *k = known_of(x);
	const uint32_t bit = k == NULL ? 0 : 1u << (k - known);
	if (k == NULL || (r->seen & bit)) {
		keep(r, x);
		return true;
	}
	const struct mai before = r->m;
	r->said_nothing = false;
	if (k->read(r, w, x)) {
		r->seen |= (k->bits & MANY) || r->said_nothing ? 0 : bit;
		return true;
	}
	if (k->bits & MUST)
		return false;
	r->m = before;
	keep(r, x);
	return true;
}

static bool read_all(struct reader *r, struct fips_walk w)
{
	struct fips_element x;
	enum step step;
	while ((step = fips_next(&w, &x, r->e)) == STEP_DONE)
		if (!read_element(r, &w, &x))
			return false;
	return step == STEP_WAIT;
}

/* --- how much there may be --- */

static bool count_in(const struct fips_walk *w, const struct fips_element *outer, uint8_t code, size_t *n, struct err *e)
{
	struct fips_walk in = fips_walk_in(w, outer);
	struct fips_element x;
	enum step step;
	while ((step = next_of(&in, code, &x, e)) == STEP_DONE)
		++*n;
	return step == STEP_WAIT;
}

/* Whether an element is understood is seen only when it is read, so each that is in no list counts as one that will be kept. */
static bool count_all(struct fips_walk w, struct counts *c, struct err *e)
{
	struct fips_element x;
	enum step step;
	while ((step = fips_next(&w, &x, e)) == STEP_DONE) {
		const struct known *k = known_of(&x);
		bool ok = true;
		if (k != NULL && k->read == read_to)
			ok = count_in(&w, &x, FIPS_ASCII, &c->to, e);
		else if (k != NULL && k->read == read_cc)
			ok = count_in(&w, &x, FIPS_ASCII, &c->cc, e);
		else if (k != NULL && k->read == read_attachments)
			ok = count_in(&w, &x, FIPS_SEQUENCE, &c->attachments, e);
		else
			c->extra++;
		if (!ok)
			return false;
	}
	return step == STEP_WAIT;
}

static bool allot(struct reader *r)
{
	const struct counts *c = &r->room;
	struct mai *m = &r->m;
	m->from.type = MM_ADDRESS_MS;
	m->to = arena_array(r->arena, c->to, sizeof *m->to);
	m->cc = arena_array(r->arena, c->cc, sizeof *m->cc);
	m->attachments = arena_array(r->arena, c->attachments, sizeof *m->attachments);
	m->extra = arena_array(r->arena, c->extra, sizeof *m->extra);
	if (arena_full(r->arena))
		return false;
	for (size_t i = 0; i < c->to; i++)
		m->to[i].type = MM_ADDRESS_MS;
	for (size_t i = 0; i < c->cc; i++)
		m->cc[i].type = MM_ADDRESS_MS;
	return true;
}

static bool open_message(struct view file, size_t elements, struct fips_walk *in_r, struct err *e)
{
	struct fips_walk w = fips_walk_of(file, elements);
	struct fips_element x;
	const enum step step = fips_next(&w, &x, e);
	if (step == STEP_FAIL)
		return false;
	if (step == STEP_WAIT || x.code != FIPS_MESSAGE)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "the MAI of %zu octets does not begin with a Message element (4D)", file.n);
	*in_r = fips_walk_in(&w, &x);
	in_r->elements_left = elements;
	return true;
}

_Static_assert(ARRAY_LEN(known) <= 32, "seen has a bit for each row");

bool mai_parse(struct view file, const struct mm_scramble *s, struct mai *m_r, struct arena *a, const struct mai_limits *l, struct err *e)
{
	struct reader r = { .scramble = s, .arena = a, .e = e };
	struct fips_walk w;
	if (file.n > l->octets)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 7, "the MAI has %zu octets, more than the limit of %zu", file.n, l->octets);
	if (!open_message(file, l->elements, &w, e) || !count_all(w, &r.room, e))
		return false;
	if (allot(&r) && !read_all(&r, w))
		return false;
	if (arena_full(a))
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "the MAI's parts need more memory than the limit");
	*m_r = r.m;
	return true;
}

/* --- looks and patches --- */

bool mai_bags(struct view head, uint16_t *bags_r, size_t *offset_r, struct err *e)
{
	struct fips_element x;
	size_t n, at = 0;
	uint64_t length = 0;
	if (!fips_head(head, 0, &x, &n, &length, e))
		return false;
	if (x.code != FIPS_MESSAGE)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "the MAI does not begin with a Message element (4D)");
	for (at = n; at < head.n; at += (size_t)length) {
		if (!fips_head(view_from(head, at), at, &x, &n, &length, e))
			return false;
		at += n;
		struct cur c = cur_of(view_from(head, at));
		if (fips_is_vendor(&x, MS_BAGS) && cur_u8(&c) == FIPS_INTEGER && cur_u8(&c) == 2 && cur_left(&c) >= 2) {
			*offset_r = at + 2;
			*bags_r = (uint16_t)(head.p[at + 2] | head.p[at + 3] << 8);
			return true;
		}
		if (length > head.n - at)
			break;
	}
	return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "the MAI's first %zu octets have no counter of mailbags (7F 05 31 20 02)", head.n);
}

struct renaming {
	uint8_t *file; /* NULL: only counts and checks */
	const struct mm_scramble *scramble;
	const struct mm_id *ids;
	size_t n;
};

static bool rename_one(struct renaming *r, const struct fips_walk *w, const struct fips_element *attachment, struct err *e)
{
	struct fips_walk in = fips_walk_in(w, attachment);
	struct fips_element x;
	if (next_of(&in, FIPS_ASCII, &x, e) != STEP_DONE || next_of(&in, FIPS_ASCII, &x, e) != STEP_DONE || x.contents.n != MM_ID_LENGTH)
		return refuse(e, attachment, "found no file id of eight octets");
	if (r->file != NULL) {
		uint8_t *id = r->file + (x.contents.p - w->all.p), state = 0;
		memcpy(id, r->ids[r->n].s, MM_ID_LENGTH);
		r->scramble->apply(id, MM_ID_LENGTH, 0, &state, true);
	}
	r->n++;
	return true;
}

static bool rename_all(struct renaming *r, struct fips_walk w, struct err *e)
{
	struct fips_element x, one;
	enum step step;
	while ((step = next_of(&w, FIPS_VENDOR, &x, e)) == STEP_DONE) {
		if (!x.vendor_qualifier || x.qualifier != OUR_ATTACHMENTS)
			continue;
		struct fips_walk in = fips_walk_in(&w, &x);
		while ((step = next_of(&in, FIPS_SEQUENCE, &one, e)) == STEP_DONE)
			if (!rename_one(r, &in, &one, e))
				return false;
		if (step == STEP_FAIL)
			return false;
	}
	return step == STEP_WAIT;
}

bool mai_rename_attachments(uint8_t *file, size_t n, const struct mm_scramble *s, const struct mm_id *ids, size_t n_ids, struct err *e)
{
	struct renaming checked = { NULL, s, ids, 0 }, renamed = { file, s, ids, 0 };
	struct fips_walk w;
	if (!open_message(view_of(file, n), mai_limits_default().elements, &w, e) || !rename_all(&checked, w, e))
		return false;
	if (checked.n != n_ids)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "the MAI has %zu attachments, and %zu ids are to be put in", checked.n, n_ids);
	if (n_ids > 0 && !mm_scramble_covers(s, MM_ID_LENGTH, e))
		return false;
	return rename_all(&renamed, w, e);
}
