/* mai_testing.h - messages made from a seed, and whether two are the same: for tests of the files of Microsoft Mail. */
#pragma once
#include "flow/codec/msmail/mai.h"

struct testing_random { uint64_t x; };

/* splitmix64: the same numbers everywhere. */
static inline uint64_t testing_next(struct testing_random *r)
{
	uint64_t z = r->x += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline size_t testing_below(struct testing_random *r, size_t n)
{
	return n == 0 ? 0 : (size_t)(testing_next(r) % n);
}

/* Any octets but NUL; often none, sometimes as many as need another form of length. */
static inline struct view testing_string(struct testing_random *r, struct arena *a, size_t max)
{
	static const size_t lengths[] = { 0, 1, 5, 10, 40, 126, 127, 128, 254, 255, 256, 257, 1000, 65535 };
	size_t n = lengths[testing_below(r, sizeof lengths / sizeof *lengths)];
	n = n > max ? testing_below(r, max + 1) : n;
	uint8_t *p = arena_get(a, n + 1);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(1 + testing_below(r, 255));
	return view_of(p, n);
}

static inline struct mm_date testing_date(struct testing_random *r)
{
	if (testing_below(r, 4) == 0)
		return (struct mm_date){ 0 };
	return (struct mm_date){ (uint16_t)(1 + testing_below(r, 9999)), (uint8_t)testing_below(r, 100), (uint8_t)testing_below(r, 100),
				 (uint8_t)testing_below(r, 100), (uint8_t)testing_below(r, 100), (uint8_t)testing_below(r, 100) };
}

static inline struct mm_address testing_address(struct testing_random *r, struct arena *a)
{
	struct mm_address x = { .type = testing_below(r, 3) == 0 ? (unsigned)testing_below(r, 65536) : MM_ADDRESS_MS };
	x.text = testing_string(r, a, 300);
	x.friendly = testing_string(r, a, 30);
	x.rest = testing_string(r, a, 20);
	return x;
}

static inline struct mm_address *testing_list(struct testing_random *r, struct arena *a, size_t *n)
{
	*n = testing_below(r, 12);
	struct mm_address *list = arena_array(a, *n, sizeof *list);
	for (size_t i = 0; i < *n; i++)
		list[i] = testing_address(r, a);
	return list;
}

static inline struct mai testing_mai(struct testing_random *r, struct arena *a)
{
	static const unsigned pages[] = { 0, 437, 850, 1252, 65001 };
	struct mai m = { .bags = (uint16_t)testing_next(r), .hops = (uint16_t)testing_next(r), .word_2 = (uint16_t)(1 + testing_below(r, 65535)),
			 .word_7 = (uint16_t)(1 + testing_below(r, 65535)), .code_page = pages[testing_below(r, 5)] };
	m.from = testing_address(r, a);
	m.to = testing_list(r, a, &m.n_to);
	m.cc = testing_list(r, a, &m.n_cc);
	m.date = testing_date(r);
	m.priority = "\00012345RCFT"[testing_below(r, 10)];
	m.receipt = testing_below(r, 2);
	m.is_receipt = testing_below(r, 2);
	m.subject = testing_string(r, a, 65535);
	m.text = testing_string(r, a, 70000);
	m.class = testing_string(r, a, 100);
	m.message_id = testing_string(r, a, 100);
	m.n_attachments = testing_below(r, 21);
	m.attachments = arena_array(a, m.n_attachments, sizeof *m.attachments);
	for (size_t i = 0; i < m.n_attachments; i++) {
		struct mm_attachment *t = &m.attachments[i];
		if (testing_below(r, 3) > 0)
			t->file = mm_id_of((uint32_t)testing_next(r));
		t->name = testing_string(r, a, 255);
		t->size = testing_next(r) >> testing_below(r, 64);
		t->date = testing_date(r);
		t->position = (uint32_t)testing_next(r) | (testing_below(r, 2) ? UINT32_MAX : 0);
		t->kind = (uint32_t)testing_below(r, 3);
	}
	if (testing_below(r, 2)) {
		m.n_extra = 2;
		m.extra = arena_array(a, 2, sizeof *m.extra);
		m.extra[0] = VIEW("\x7f\x04\x72POE"); /* a vendor's element of another program */
		m.extra[1] = VIEW("\x4c\x0a\x22\x02\x07RUABCDE"); /* a field that is not known here: H.7 */
	}
	return m;
}

static inline bool testing_is_same_date(struct mm_date x, struct mm_date y)
{
	return x.year == y.year && x.month == y.month && x.day == y.day && x.hour == y.hour && x.minute == y.minute && x.second == y.second;
}

#define TESTING_SAME_DATE(x, y) assert_true(testing_is_same_date(x, y)) /* not as octets: there is padding in one */
#define TESTING_SAME_VIEW(x, y) assert_true(view_eq(x, y))

static inline void testing_same_addresses(const struct mm_address *x, const struct mm_address *y, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(x[i].type, y[i].type);
		TESTING_SAME_VIEW(x[i].text, y[i].text);
		TESTING_SAME_VIEW(x[i].friendly, y[i].friendly);
		TESTING_SAME_VIEW(x[i].rest, y[i].rest);
	}
}

static inline void testing_same_attachments(const struct mai *x, const struct mai *y)
{
	assert_int_equal(x->n_attachments, y->n_attachments);
	for (size_t i = 0; i < x->n_attachments; i++) {
		const struct mm_attachment *s = &x->attachments[i], *t = &y->attachments[i];
		assert_string_equal(s->file.s, t->file.s);
		TESTING_SAME_VIEW(s->name, t->name);
		assert_int_equal(s->size, t->size);
		TESTING_SAME_DATE(s->date, t->date);
		assert_int_equal(s->position, t->position);
		assert_int_equal(s->kind, t->kind);
	}
}

static inline void testing_same_mai(const struct mai *x, const struct mai *y)
{
	assert_int_equal(x->bags, y->bags);
	assert_int_equal(x->hops, y->hops);
	assert_int_equal(x->word_2, y->word_2);
	assert_int_equal(x->word_7, y->word_7);
	assert_int_equal(x->code_page, y->code_page);
	testing_same_addresses(&x->from, &y->from, 1);
	assert_int_equal(x->n_to, y->n_to);
	testing_same_addresses(x->to, y->to, x->n_to);
	assert_int_equal(x->n_cc, y->n_cc);
	testing_same_addresses(x->cc, y->cc, x->n_cc);
	TESTING_SAME_DATE(x->date, y->date);
	assert_int_equal(x->priority, y->priority);
	assert_int_equal(x->receipt, y->receipt);
	assert_int_equal(x->is_receipt, y->is_receipt);
	TESTING_SAME_VIEW(x->subject, y->subject);
	TESTING_SAME_VIEW(x->text, y->text);
	TESTING_SAME_VIEW(x->class, y->class);
	TESTING_SAME_VIEW(x->message_id, y->message_id);
	testing_same_attachments(x, y);
	assert_int_equal(x->n_extra, y->n_extra);
	for (size_t i = 0; i < x->n_extra; i++)
		TESTING_SAME_VIEW(x->extra[i], y->extra[i]);
}
