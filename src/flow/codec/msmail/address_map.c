/* address_map.c - the table of addresses, compiled once. */
#include "flow/codec/msmail/address_int.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

#define LOOSE_MARK "987650"

enum { MAP_QUOTA = 1 << 30, LINE_MAX_OCTETS = 4096 };

bool mm_unknown_address(struct err *e, const char *what, struct view where)
{
	char text[100];
	return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 0, "address \"%s\": %s", text_escaped(text, sizeof text, where), what);
}

bool mm_bad_address(struct err *e, const char *what, struct view where)
{
	char text[100];
	return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 11, "address \"%s\": %s", text_escaped(text, sizeof text, where), what);
}

char *mm_name_part(struct mm_name *n, unsigned i)
{
	return i == 0 ? n->network : i == 1 ? n->postoffice : n->mailbox;
}

void mm_name_upper(struct mm_name *n)
{
	for (unsigned i = 0; i < 3; i++)
		for (char *p = mm_name_part(n, i); *p != 0; p++)
			if (*p >= 'a' && *p <= 'z')
				*p = (char)(*p - 'a' + 'A');
}

uint64_t mm_name_hash(const struct mm_name *n)
{
	uint64_t h = hash_octets(HASH_START, view_str(n->network));
	h = hash_octets(h, VIEW("/"));
	h = hash_octets(h, view_str(n->postoffice));
	h = hash_octets(h, VIEW("/"));
	return hash_octets(h, view_str(n->mailbox));
}

uint64_t mm_oraddr_hash(const struct oraddr *x)
{
	struct out o;
	out_init(&o, 1 << 20);
	oraddr_key(x, &o);
	uint64_t h = hash_octets(HASH_START, out_view(&o));
	out_fini(&o);
	return h;
}

/* ---- one form of each address ---- */

static bool says_nothing(const struct oraddr_attr *a)
{
	if (a->type == ORA_DDA)
		return a->type_name.n == 0 || a->value.n == 0;
	return a->value.n == 0 || (a->type == ORA_PRMD && view_eq(a->value, VIEW(" ")));
}

static bool stands_before(const struct oraddr_attr *v, size_t n, const struct oraddr_attr *a)
{
	if (a->type >= ORA_DDA)
		return false;
	for (size_t i = 0; i < n; i++)
		if (v[i].type == a->type && (v[i].form == ORA_TELETEX) == (a->form == ORA_TELETEX) &&
		    (v[i].form == ORA_UNIVERSAL) == (a->form == ORA_UNIVERSAL))
			return true;
	return false;
}

struct oraddr mm_tidy(const struct oraddr *x, struct arena *a)
{
	struct oraddr t = {.v = arena_array(a, x->n + 1, sizeof *x->v), .directory_name = x->directory_name};
	for (size_t i = 0; t.v != NULL && i < x->n; i++) {
		if (says_nothing(&x->v[i]) || stands_before(t.v, t.n, &x->v[i]))
			continue;
		t.v[t.n] = x->v[i];
		if (x->v[i].type == ORA_ADMD && view_eq(x->v[i].value, VIEW("0"))) {
			t.v[t.n].value = VIEW(" ");
			t.v[t.n].form = ORA_PRINTABLE;
		}
		t.n++;
	}
	return t;
}

/* Stable, by type. */
static void sort(struct oraddr_attr *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct oraddr_attr a = v[i];
		size_t k = i;
		for (; k > 0 && v[k - 1].type > a.type; k--)
			v[k] = v[k - 1];
		v[k] = a;
	}
}

struct oraddr mm_in_our_domain(const struct mm_map *m, const struct oraddr *x, struct arena *a)
{
	struct oraddr whole = {.v = arena_array(a, m->domain.n + x->n + 1, sizeof *x->v), .directory_name = x->directory_name};
	bool other_admd = oraddr_find(x, ORA_ADMD) != NULL;
	for (size_t i = 0; whole.v != NULL && i < m->domain.n; i++) {
		enum oraddr_type type = m->domain.v[i].type;
		if (type <= ORA_PRMD && oraddr_find(x, type) == NULL && !(type == ORA_PRMD && other_admd))
			whole.v[whole.n++] = m->domain.v[i];
	}
	for (size_t i = 0; whole.v != NULL && i < x->n; i++)
		whole.v[whole.n++] = x->v[i];
	sort(whole.v, whole.n);
	return whole;
}

/* ---- a line ---- */

struct compile {
	struct mm_map *m;
	size_t number; /* of the line, from 1 */
	struct view line;
	struct err *e;
};

static bool bad_line(const struct compile *c, const char *found, const char *want)
{
	char text[60];
	return err_set(c->e, ERR_LOCAL, ERR_OF_PROCESS, "address map, line %zu (\"%s\"): %s, want %s", c->number,
		       text_escaped(text, sizeof text, c->line), found, want);
}

static struct view trim(struct view v)
{
	while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t' || v.p[0] == '\r' || v.p[0] == '\n'))
		v = view_from(v, 1);
	while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t' || v.p[v.n - 1] == '\r' || v.p[v.n - 1] == '\n'))
		v.n--;
	return v;
}

static bool starts(struct view v, const char *word)
{
	return view_eq_nocase(view_first(v, strlen(word)), view_str(word));
}

/* "NET/PO/MBX = address", and the gateway's own "MSM:NET/PO/MBX  X400:address" (Q107098). */
static bool cut_line(const struct compile *c, struct view *left_r, struct view *right_r)
{
	struct view v = trim(c->line);
	bool gateway = starts(v, "MSM:");
	if (gateway)
		v = view_from(v, 4);
	for (size_t i = 0; i < v.n; i++) {
		bool cut = gateway ? starts(view_from(v, i), "X400:") : v.p[i] == '=';
		if (!cut)
			continue;
		*left_r = trim(view_first(v, i));
		*right_r = trim(view_from(v, i + (gateway ? 5 : 1)));
		return true;
	}
	return bad_line(c, gateway ? "no `X400:`" : "no `=`", "NET/PO/MBX = O/R address");
}

/* `{129}` is an octet in decimal: of a name in the postoffice's code page, which this text is not in. 0: too long, or empty. */
static size_t left_octets(struct view left, uint8_t *text, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < left.n; n++) {
		uint64_t octet;
		bool escaped = left.p[i] == '{' && i + 4 < left.n && left.p[i + 4] == '}' && text_uint(view_of(left.p + i + 1, 3), UINT8_MAX, &octet) &&
			       octet != '/';
		if (n == max)
			return 0;
		text[n] = escaped ? (uint8_t)octet : left.p[i];
		i += escaped ? 5 : 1;
	}
	return n;
}

/* The parser of names has to see a name: a `*` is read as a letter first. */
static bool read_left(const struct compile *c, struct view left, struct mm_map_line *l)
{
	uint8_t text[3 * (MM_NAME_MAX + 1)];
	struct err why;
	size_t part = 0, begin = 0;
	size_t n = left_octets(left, text, sizeof text);
	if (n == 0)
		return bad_line(c, "a name that is none", "NET/PO/MBX of 10 octets each");
	for (size_t i = 0; i <= n; i++) {
		if (i < n && text[i] != '/')
			continue;
		if (part < 3 && i - begin == 1 && text[begin] == '*') {
			l->any[part] = true;
			l->n_any++;
			text[begin] = 'X';
		}
		part++;
		begin = i + 1;
	}
	if (part != 3)
		return bad_line(c, "a name that has not three parts", "NET/PO/MBX");
	if (!mm_name_parse(view_of(text, n), &l->ms, &why) || l->ms.mailbox[0] == 0)
		return bad_line(c, why.text, "NET/PO/MBX");
	mm_name_upper(&l->ms);
	return true;
}

/* The values that are `*` become numbers that no address has, so that their order is known after the parser has sorted them. */
static struct view mark_loose(const struct compile *c, struct view right, size_t *n_r)
{
	struct out o;
	out_init(&o, 1 << 20);
	*n_r = 0;
	for (size_t i = 0; i < right.n; i++) {
		size_t before = i, after = i + 1;
		while (before > 0 && right.p[before - 1] == ' ')
			before--;
		while (after < right.n && right.p[after] == ' ')
			after++;
		bool alone = right.p[i] == '*' && before > 0 && right.p[before - 1] == '=' &&
			     (after == right.n || right.p[after] == ';' || right.p[after] == '/');
		if (alone)
			out_fmt(&o, "%s%zu", LOOSE_MARK, (*n_r)++);
		else
			out_u8(&o, right.p[i]);
	}
	struct view marked = arena_copy(c->m->a, out_view(&o));
	out_fini(&o);
	return marked;
}

static bool mark_of(struct view value, uint64_t *n_r)
{
	struct view mark = VIEW(LOOSE_MARK);
	return value.n > mark.n && view_eq(view_first(value, mark.n), mark) && text_uint(view_from(value, mark.n), UINT16_MAX, n_r);
}

/* What is between the marks is checked with `1` for each of them, which is good for any attribute but C. */
static bool check_right(const struct compile *c, struct mm_map_line *l)
{
	struct err why;
	struct oraddr sample = oraddr_copy(&l->x400, c->m->a);
	for (size_t i = 0; i < sample.n; i++)
		if (view_eq(sample.v[i].value, VIEW("*")))
			sample.v[i].value = VIEW("1");
	return oraddr_check(&sample, &why) || bad_line(c, why.text, "an O/R address");
}

static bool read_right(const struct compile *c, struct view right, struct mm_map_line *l)
{
	struct err why = {0};
	struct oraddr x;
	size_t n_marks;
	if (!oraddr_parse(mark_loose(c, right, &n_marks), &x, c->m->a, ORADDR_PATTERN, &why))
		return bad_line(c, why.text, "an O/R address");
	if (oraddr_find(&x, ORA_COUNTRY) == NULL)
		x = mm_in_our_domain(c->m, &x, c->m->a); /* as the gateway's table is written */
	l->x400 = mm_tidy(&x, c->m->a);
	if (oraddr_find(&l->x400, ORA_COUNTRY) == NULL)
		return bad_line(c, "no country", "C=.. in it, or in the domain of this MTA");
	if (oraddr_find(&l->x400, ORA_ADMD) == NULL) { /* the parser leaves it out in a pattern */
		struct oraddr_attr *v = arena_array(c->m->a, l->x400.n + 1, sizeof *v);
		v[0] = l->x400.v[0];
		v[1] = (struct oraddr_attr){.type = ORA_ADMD, .form = ORA_PRINTABLE, .value = VIEW(" ")};
		memcpy(v + 2, l->x400.v + 1, (l->x400.n - 1) * sizeof *v);
		l->x400 = (struct oraddr){.v = v, .n = l->x400.n + 1};
	}
	l->n_loose = n_marks;
	for (size_t i = 0; i < l->x400.n; i++) {
		uint64_t k;
		if (!mark_of(l->x400.v[i].value, &k))
			continue;
		l->x400.v[i].value = VIEW("*");
		if (k < ARRAY_LEN(l->loose))
			l->loose[k] = i;
	}
	return check_right(c, l);
}

static bool read_line(struct compile *c, struct mm_map_line *l)
{
	struct view left, right;
	if (c->line.n > LINE_MAX_OCTETS)
		return bad_line(c, "too long a line", "4096 octets at most");
	if (!cut_line(c, &left, &right) || !read_left(c, left, l) || !read_right(c, right, l))
		return false;
	if (l->n_any != 0 && l->n_any != l->n_loose)
		return bad_line(c, "as many `*` on one side as not on the other", "the same number, or none on the left");
	return true;
}

/* ---- the table ---- */

static void chain(struct map *by, uint64_t hash, struct mm_map_line *l, size_t next_at)
{
	struct mm_map_line *first = map_get(by, hash);
	if (first == NULL) {
		map_put(by, hash, l);
		return;
	}
	for (;;) { /* at its end: the first entry is found first */
		struct mm_map_line **next = (struct mm_map_line **)(void *)((char *)first + next_at);
		if (*next == NULL) {
			*next = l;
			return;
		}
		first = *next;
	}
}

static void enter(struct mm_map *m, struct mm_map_line *l)
{
	if (l->n_any > 0)
		m->wild_ms[m->n_wild_ms++] = l;
	else
		chain(&m->by_ms, mm_name_hash(&l->ms), l, offsetof(struct mm_map_line, next_ms));
	if (l->n_loose > 0)
		m->wild_x400[m->n_wild_x400++] = l;
	else
		chain(&m->by_x400, mm_oraddr_hash(&l->x400), l, offsetof(struct mm_map_line, next_x400));
}

static bool read_domain(struct mm_map *m, const char *own_domain, struct err *e)
{
	struct oraddr x;
	struct err why;
	if (own_domain == NULL || own_domain[0] == 0)
		return true;
	struct view text = arena_copy(m->a, view_str(own_domain));
	bool ok = oraddr_parse(text, &x, m->a, ORADDR_CARRY, &why);
	if (ok) {
		m->domain = mm_tidy(&x, m->a); /* its bounds are looked at without what says nothing (Q165485) */
		ok = oraddr_parse(view_str(oraddr_text(&m->domain, m->a)), &x, m->a, ORADDR_GENERATE, &why);
	}
	return ok || err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "address map: the domain of this MTA: %s", why.text);
}

bool mm_map_new(const char *const *lines, size_t n, const char *own_domain, const struct mm_name *own_postoffice,
		struct mm_map **map_r, struct err *e)
{
	struct mm_map *m = mem_zero(sizeof *m);
	m->magic = MM_MAP_MAGIC;
	m->a = arena_new(MAP_QUOTA);
	m->wild_ms = arena_array(m->a, n + 1, sizeof *m->wild_ms);
	m->wild_x400 = arena_array(m->a, n + 1, sizeof *m->wild_x400);
	if (own_postoffice != NULL)
		m->own = *own_postoffice;
	mm_name_upper(&m->own);
	if (!read_domain(m, own_domain, e))
		goto bad;
	struct mm_map_line *all = m->lines = arena_array(m->a, n + 1, sizeof *all);
	m->n = n;
	assert(all != NULL && !arena_full(m->a)); /* the settings' file is smaller than that */
	for (size_t i = 0; i < n; i++) {
		struct compile c = {m, i + 1, arena_copy(m->a, view_str(lines[i])), e};
		all[i].number = i;
		if (!read_line(&c, &all[i]))
			goto bad;
		enter(m, &all[i]);
	}
	*map_r = m;
	return true;
bad:
	mm_map_free(&m);
	return false;
}

void mm_map_free(struct mm_map **map)
{
	if (*map == NULL)
		return;
	CHECK(*map, MM_MAP_MAGIC);
	(*map)->magic = 0;
	map_fini(&(*map)->by_ms);
	map_fini(&(*map)->by_x400);
	arena_free(&(*map)->a);
	MEM_FREE(*map);
}
