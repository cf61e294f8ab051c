/* oraddr.c - see oraddr.h: lookup, copy, comparison and key. Text is in oraddr_print.c and
 * oraddr_parse.c. */
#include "flow/message/oraddr_int.h"

#include "base/cur.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

static const struct oraddr_row rows[ORA_TYPES] = {
#define X(name, label, key, enc, ext, ext_teletex, ub)                                             \
	[ORA_##name] = {label, key, ORA_ENC_##enc, ext, ext_teletex, ub},
#include "flow/message/oraddr_table.h"
#undef X
};

const struct oraddr_row *oraddr_row(enum oraddr_type type)
{
	return &rows[(unsigned)type < ORA_TYPES ? type : 0];
}

const char *oraddr_type_label(enum oraddr_type type)
{
	const char *label = oraddr_row(type)->label;
	return label == NULL ? "?" : label;
}

bool oraddr_is_ps_char(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != 0 && strchr(" '()+,-./:=?", c) != NULL);
}

bool oraddr_all_ps(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!oraddr_is_ps_char(v.p[i]))
			return false;
	return true;
}

bool oraddr_all_digits(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return v.n > 0;
}

const char *oraddr_terminal_name(uint64_t type)
{
	static const char *const names[] = {"tlx", "ttx", "g3fax", "g4fax", "ia5", "vtx"};
	return type >= 3 && type - 3 < ARRAY_LEN(names) ? names[type - 3] : NULL;
}

/* A TLV of one-octet tag and definite short length: all that an E.163/4 address within its bounds
 * needs. */
static struct view short_tlv(struct cur *c, uint8_t tag)
{
	if (cur_u8(c) != tag)
		c->bad = true;
	uint8_t n = cur_u8(c);
	if (n >= 0x80)
		c->bad = true;
	return cur_bytes(c, n);
}

bool oraddr_net_split(struct view raw, struct view *number_r, struct view *sub_r)
{
	struct cur outer = cur_of(raw);
	struct cur c = cur_of(short_tlv(&outer, 0x30));
	if (outer.bad || cur_left(&outer) != 0)
		return false;
	struct view number = short_tlv(&c, 0x80), sub = {NULL, 0};
	if (!c.bad && cur_left(&c) != 0) {
		sub = short_tlv(&c, 0x81);
		if (!oraddr_all_digits(sub))
			return false;
	}
	if (c.bad || cur_left(&c) != 0 || !oraddr_all_digits(number))
		return false;
	*number_r = number;
	*sub_r = sub;
	return true;
}

const struct oraddr_attr *oraddr_find(const struct oraddr *addr, enum oraddr_type type)
{
	const struct oraddr_attr *found = NULL;
	for (size_t i = 0; i < addr->n; i++) {
		const struct oraddr_attr *a = &addr->v[i];
		if (a->type != type)
			continue;
		if (a->form == ORA_PRINTABLE || a->form == ORA_NUMERIC)
			return a;
		if (found == NULL)
			found = a;
	}
	return found;
}

struct oraddr oraddr_copy(const struct oraddr *addr, struct arena *a)
{
	struct oraddr copy = {0};
	if (addr->n > 0) {
		copy.v = arena_array(a, addr->n, sizeof *copy.v);
		if (copy.v == NULL)
			return copy;
	}
	for (size_t i = 0; i < addr->n; i++) {
		copy.v[i] = addr->v[i];
		copy.v[i].type_name = arena_copy(a, addr->v[i].type_name);
		copy.v[i].value = arena_copy(a, addr->v[i].value);
	}
	copy.n = addr->n;
	copy.directory_name = arena_copy(a, addr->directory_name);
	return arena_full(a) ? (struct oraddr){0} : copy;
}

/* The octets of a value as X.402 18.4 compares them: lower case, runs of spaces as one, none at the
 * ends. */
struct fold {
	const uint8_t *p, *end;
	bool any;
};

static struct fold fold_of(struct view v)
{
	return (struct fold){v.p, v.n == 0 ? v.p : v.p + v.n, false};
}

static int fold_next(struct fold *f)
{
	bool space = false;
	while (f->p != f->end && *f->p == ' ') {
		space = f->any;
		f->p++;
	}
	if (f->p == f->end)
		return -1;
	if (space) {
		f->any = false; /* the space is given; the next call takes the octet after it */
		return ' ';
	}
	f->any = true;
	uint8_t c = *f->p++;
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static int fold_cmp(struct view a, struct view b)
{
	struct fold x = fold_of(a), y = fold_of(b);
	for (;;) {
		int p = fold_next(&x), q = fold_next(&y);
		if (p != q)
			return p < q ? -1 : 1;
		if (p < 0)
			return 0;
	}
}

bool oraddr_value_eq(struct view a, struct view b)
{
	return fold_cmp(a, b) == 0;
}

uint64_t oraddr_value_hash(struct view v, uint64_t seed)
{
	uint64_t h = seed ^ 0xcbf29ce484222325u;
	struct fold f = fold_of(v);
	for (int c; (c = fold_next(&f)) >= 0;)
		h = (h ^ (uint64_t)c) * 0x100000001b3u;
	return h;
}

/* Which form decides when there are several: printable and numeric, teletex, universal, raw. */
static int form_rank(const struct oraddr_attr *a)
{
	switch (a->form) {
	case ORA_PRINTABLE:
	case ORA_NUMERIC: return 0;
	case ORA_TELETEX: return 1;
	case ORA_UNIVERSAL: return 2;
	case ORA_RAW: return 3;
	}
	CANT_HAPPEN("form of an attribute");
}

/* Text of any alphabet is one class, so that the same letters are equal in each. */
static int form_class(const struct oraddr_attr *a)
{
	int rank = form_rank(a);
	return rank <= 1 ? 0 : rank;
}

static int int_cmp(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Equal entries of two addresses, and the order of entries in a key. */
static int entry_cmp(const struct oraddr_attr *a, const struct oraddr_attr *b)
{
	int d = int_cmp(a->type, b->type);
	if (d == 0)
		d = int_cmp((uint64_t)form_class(a), (uint64_t)form_class(b));
	if (d == 0 && a->type == ORA_EXTENSION_RAW)
		d = int_cmp(a->number, b->number);
	if (d != 0)
		return d;
	if (form_class(a) != 0) {
		d = view_cmp(a->type_name, b->type_name);
		return d != 0 ? d : view_cmp(a->value, b->value);
	}
	d = a->type == ORA_DDA ? fold_cmp(a->type_name, b->type_name) : 0;
	return d != 0 ? d : fold_cmp(a->value, b->value);
}

/* As entry_cmp, but with the deciding form of each type first. */
static int sort_cmp(const void *pa, const void *pb)
{
	const struct oraddr_attr *a = *(const struct oraddr_attr *const *)pa;
	const struct oraddr_attr *b = *(const struct oraddr_attr *const *)pb;
	int d = int_cmp(a->type, b->type);
	if (d == 0 && a->type < ORA_DDA)
		d = form_rank(a) - form_rank(b);
	return d != 0 ? d : entry_cmp(a, b);
}

/* What of an address is compared: sorted, each entry once, only the deciding form of each type. */
enum { CANON_STACK = 40 };

struct canon {
	const struct oraddr_attr *few[CANON_STACK];
	const struct oraddr_attr **v; /* few, or the heap */
	size_t n;
};

static void canon_sort(struct canon *c)
{
	if (c->v !=
	    c->few) { /* many attributes come only from a hostile peer: no quadratic time for it */
		qsort(c->v, c->n, sizeof *c->v, sort_cmp);
		return;
	}
	for (size_t i = 1; i < c->n; i++) {
		const struct oraddr_attr *a = c->v[i];
		size_t k = i;
		for (; k > 0 && sort_cmp(&c->v[k - 1], &a) > 0; k--)
			c->v[k] = c->v[k - 1];
		c->v[k] = a;
	}
}

static bool is_blank(struct view v)
{
	return fold_cmp(v, (struct view){NULL, 0}) == 0;
}

static void canon_init(struct canon *c, const struct oraddr *addr)
{
	c->v = addr->n <= CANON_STACK ? c->few : mem_alloc(mem_mul(addr->n, sizeof *c->v));
	c->n = 0;
	for (size_t i = 0; i < addr->n; i++)
		if (addr->v[i].type != ORA_ADMD || !is_blank(addr->v[i].value))
			c->v[c->n++] = &addr->v[i];
	canon_sort(c);
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct oraddr_attr *a = c->v[i], *last = n == 0 ? NULL : c->v[n - 1];
		bool other_form = last != NULL && last->type == a->type && a->type < ORA_DDA &&
				  form_rank(last) < form_rank(a);
		if (!other_form && (last == NULL || entry_cmp(last, a) != 0))
			c->v[n++] = a;
	}
	c->n = n;
}

static void canon_fini(struct canon *c)
{
	if (c->v != c->few)
		free(c->v);
}

bool oraddr_eq(const struct oraddr *a, const struct oraddr *b)
{
	struct canon x, y;
	canon_init(&x, a);
	canon_init(&y, b);
	bool eq = x.n == y.n;
	for (size_t i = 0; eq && i < x.n; i++)
		eq = entry_cmp(x.v[i], y.v[i]) == 0;
	if (eq && x.n == 0)
		eq = view_eq(a->directory_name, b->directory_name);
	canon_fini(&x);
	canon_fini(&y);
	return eq;
}

static void key_octet(struct out *o, int c)
{
	if (c < 0x20 || c > 0x7e || c == '%' || c == ';' || c == '=')
		out_fmt(o, "%%%02x", (unsigned)c);
	else
		out_u8(o, (uint8_t)c);
}

static void key_text(struct out *o, struct view v)
{
	struct fold f = fold_of(v);
	for (int c; (c = fold_next(&f)) >= 0;)
		key_octet(o, c);
}

static void key_entry(struct out *o, const struct oraddr_attr *a)
{
	bool text = form_class(a) == 0;
	if (!text)
		out_str(o, a->form == ORA_UNIVERSAL ? "U-" : "R-");
	out_str(o, oraddr_type_label(a->type));
	if (a->type == ORA_EXTENSION_RAW)
		out_fmt(o, "-%u", a->number);
	if (a->type == ORA_DDA) {
		out_u8(o, ':');
		text ? key_text(o, a->type_name) : text_hex(o, a->type_name);
	}
	out_u8(o, '=');
	text ? key_text(o, a->value) : text_hex(o, a->value);
	out_u8(o, ';');
}

void oraddr_key(const struct oraddr *addr, struct out *o)
{
	struct canon c;
	canon_init(&c, addr);
	for (size_t i = 0; i < c.n; i++)
		key_entry(o, c.v[i]);
	if (c.n == 0 && addr->directory_name.n > 0) {
		out_str(o, "X-DN=");
		text_hex(o, addr->directory_name);
	}
	canon_fini(&c);
}

static uint64_t hash_text(uint64_t hash, struct view v)
{
	struct fold f = fold_of(v);
	for (int c; (c = fold_next(&f)) >= 0;)
		hash = (hash ^ (uint64_t)c) * UINT64_C(0x100000001b3);
	return (hash ^ 0x100) * UINT64_C(0x100000001b3); /* an end that no octet is */
}

static uint64_t hash_entry(uint64_t hash, const struct oraddr_attr *a)
{
	const bool text = form_class(a) == 0;
	const uint8_t head[] = { (uint8_t)a->type, text ? 0 : a->form == ORA_UNIVERSAL ? 1 : 2 };
	hash = hash_octets(hash, view_of(head, sizeof head));
	if (a->type == ORA_EXTENSION_RAW)
		hash = (hash ^ a->number) * UINT64_C(0x100000001b3);
	if (a->type == ORA_DDA)
		hash = text ? hash_text(hash, a->type_name) : hash_octets(hash, a->type_name);
	return text ? hash_text(hash, a->value) : hash_octets(hash, a->value);
}

uint64_t oraddr_hash(const struct oraddr *addr, uint64_t before)
{
	struct canon c;
	canon_init(&c, addr);
	for (size_t i = 0; i < c.n; i++)
		before = hash_entry(before, c.v[i]);
	if (c.n == 0 && addr->directory_name.n > 0)
		before = hash_octets(before ^ 0xd0, addr->directory_name);
	canon_fini(&c);
	return before;
}

const char *oraddr_text(const struct oraddr *addr, struct arena *a)
{
	struct out o;
	out_init(&o, SIZE_MAX / 4);
	oraddr_print(addr, ORADDR_F401, &o);
	const char *text = arena_str(a, out_view(&o));
	out_fini(&o);
	return text == NULL ? "" : text;
}
