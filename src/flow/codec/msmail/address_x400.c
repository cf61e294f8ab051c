/* address_x400.c - X.400 addresses as MS Mail writes them (facts B1, B3, Q107098): `/c=us/a=x/dda.type=t/dda.value=v` and
 * `c=us;a=x;dda:t=v`, `$` before what would separate, `//` a slash in a value. Turned into F.401 and back, so that labels, forms and
 * bounds are those of oraddr.h; what is written in braces or behind a `*` there is the same here. */
#include "flow/codec/msmail/address_int.h"

#include "base/text.h"

enum { PIECES_MAX = 64 };

/* The gateway's keywords; others go to oraddr_parse as they are. */
static const struct keyword { const char *word, *label; } keywords[] = {
	{"c", "C"}, {"country", "C"}, {"a", "A"}, {"admd", "A"}, {"p", "P"}, {"prmd", "P"}, {"o", "O"}, {"org", "O"},
	{"ou", "OU"}, {"ou1", "OU1"}, {"ou2", "OU2"}, {"ou3", "OU3"}, {"ou4", "OU4"}, {"s", "S"}, {"g", "G"}, {"i", "I"},
	{"q", "Q"}, {"gq", "Q"}, {"cn", "CN"}, {"x121", "X.121"}, {"x.121", "X.121"}, {"t-id", "T-ID"}, {"ua-id", "N-ID"}, {"n-id", "N-ID"},
};

struct piece {
	const char *label;       /* of a keyword; NULL: `word` */
	struct view word, value; /* value: plain, without escapes */
	char pair;               /* 't', 'v': DDA.TYPEn and DDA.VALUEn, which come together; 0: neither */
	char number;             /* of the pair; 0: none */
};

struct reader {
	struct view text;
	size_t i;
	uint8_t delimiter;
	struct arena *a;
	struct err *e;
	struct piece v[PIECES_MAX];
	size_t n;
};

static struct view trim(struct view v)
{
	while (v.n > 0 && v.p[0] == ' ')
		v = view_from(v, 1);
	while (v.n > 0 && v.p[v.n - 1] == ' ')
		v.n--;
	return v;
}

/* One octet of a word or value; false: it ends here. */
static bool next_octet(struct reader *r, bool in_word, uint8_t *c_r)
{
	struct view t = r->text;
	if (r->i >= t.n)
		return false;
	uint8_t c = t.p[r->i], after = r->i + 1 < t.n ? t.p[r->i + 1] : 0;
	if (c == '$' && after != 0 && strchr("$/;=]", after) != NULL) { /* Q176425 */
		*c_r = after;
		r->i += 2;
		return true;
	}
	if (c == r->delimiter && !(c == '/' && after == '/' && !in_word)) /* Q177869: `//` in a value is a slash */
		return false;
	if (in_word && c == '=')
		return false;
	r->i += c == r->delimiter ? 2 : 1;
	*c_r = c;
	return true;
}

static struct view take(struct reader *r, bool in_word)
{
	uint8_t *buf = arena_get(r->a, r->text.n - r->i + 1);
	size_t n = 0;
	uint8_t c;
	if (buf == NULL)
		return (struct view){NULL, 0};
	while (next_octet(r, in_word, &c))
		buf[n++] = c;
	return trim(view_of(buf, n));
}

static const char *label_of(struct view word)
{
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (view_eq_nocase(word, view_str(keywords[i].word)))
			return keywords[i].label;
	return NULL;
}

static bool starts(struct view v, const char *word)
{
	return view_eq_nocase(view_first(v, strlen(word)), view_str(word));
}

/* DDA.TYPE, DDA.VALUE, DDA.TYPE1 .. DDA.VALUE4. */
static void find_pair(struct piece *p)
{
	static const struct { const char *word; char pair; } words[] = {{"dda.type", 't'}, {"dda.value", 'v'}};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t n = strlen(words[i].word);
		bool numbered = p->word.n == n + 1 && p->word.p[n] >= '1' && p->word.p[n] <= '4';
		if (!starts(p->word, words[i].word) || !(p->word.n == n || numbered))
			continue;
		p->pair = words[i].pair;
		p->number = numbered ? (char)p->word.p[n] : 0;
	}
}

static bool seen(const struct reader *r, const struct piece *p)
{
	if (p->label == NULL || strcmp(p->label, "OU") == 0)
		return false;
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].label == p->label || (r->v[i].label != NULL && strcmp(r->v[i].label, p->label) == 0))
			return true;
	return false;
}

/* What is empty says nothing, and of two the first counts (Q160947, Q165485, Q146588). */
static bool read_pieces(struct reader *r)
{
	while (r->i < r->text.n) {
		struct piece p = {0};
		if (r->text.p[r->i] == r->delimiter) {
			r->i++;
			continue;
		}
		p.word = take(r, true);
		bool has_value = r->i < r->text.n && r->text.p[r->i] == '=';
		r->i += has_value;
		if (has_value)
			p.value = take(r, false);
		if (arena_full(r->a))
			return mm_bad_address(r->e, "longer than the memory it may take", r->text);
		if (p.word.n == 0 && p.value.n == 0)
			continue;
		if (!has_value)
			return mm_bad_address(r->e, "want an attribute as label=value", p.word);
		p.label = label_of(p.word);
		find_pair(&p);
		if ((p.value.n == 0 && p.pair == 0) || seen(r, &p))
			continue;
		if (r->n == PIECES_MAX)
			return mm_bad_address(r->e, "more attributes than an address has", r->text);
		r->v[r->n++] = p;
	}
	return true;
}

static bool has(const struct reader *r, const char *label)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].label != NULL && strcmp(r->v[i].label, label) == 0)
			return true;
	return false;
}

/* "/o=Org/ou=Site/cn=Recipients/cn=Joe" is a name of a directory, and nobody resolved it (Q243701). */
static bool is_directory_name(const struct reader *r)
{
	size_t names = 0;
	for (size_t i = 0; i < r->n; i++)
		names += r->v[i].label != NULL && strcmp(r->v[i].label, "CN") == 0 && view_eq_nocase(r->v[i].value, VIEW("Recipients"));
	return names > 0 && !has(r, "C") && !has(r, "A") && !has(r, "P");
}

/* An octet of a word or value as F.401 has it. Nothing is unescaped here and no parenthesis escaped: who types an X.400 address types
 * (a) for @ himself (Q241365, Q254725); but what PrintableString lacks has no other way. */
static bool put_octet(struct reader *r, uint8_t c, struct out *o)
{
	if (c < 0x20 || c == 0x7f)
		return mm_bad_address(r->e, "a control character in it", r->text);
	if (c == '=' || c == '/')
		out_fmt(o, "{%03u}", c);
	else if (strchr("(){}*|", c) != NULL && c != 0)
		out_u8(o, c);
	else
		mm_escape_printable(view_of(&c, 1), o);
	return true;
}

static bool put_text(struct reader *r, struct view v, struct out *o)
{
	for (size_t i = 0; i < v.n; i++)
		if (!put_octet(r, v.p[i], o))
			return false;
	return true;
}

/* The value that belongs to a type, wherever it stands. */
static const struct piece *value_of(const struct reader *r, size_t type_at)
{
	const struct piece *type = &r->v[type_at], *any = NULL;
	size_t nth = 0, k = 0;
	for (size_t i = 0; i < type_at; i++)
		nth += r->v[i].pair == 't' && r->v[i].number == type->number;
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].pair == 'v' && r->v[i].number == type->number && k++ == nth)
			any = &r->v[i];
	return any;
}

/* `dda:type=value`, `dd.type=value` and what is no keyword keep their label; the first colon or dot in it is none to escape. */
static bool put_piece(struct reader *r, size_t at, struct out *o)
{
	const struct piece *p = &r->v[at];
	const struct piece *value = p->pair == 't' ? value_of(r, at) : p;
	if (p->pair == 'v' || value == NULL || value->value.n == 0 || (p->pair == 't' && p->value.n == 0))
		return true;
	size_t prefix = starts(p->word, "dda:") || starts(p->word, "dda.") ? 4 : starts(p->word, "dd.") ? 3 : 0;
	bool dda = p->pair == 't' || prefix > 0;
	struct view type = p->pair == 't' ? p->value : view_from(p->word, prefix);
	if (dda && type.n == 0)
		return true; /* Q160947 */
	bool ok = true;
	if (dda)
		out_str(o, "DDA:");
	if (p->label != NULL)
		out_str(o, p->label);
	else
		ok = put_text(r, type, o);
	out_u8(o, '=');
	ok = ok && put_text(r, value->value, o);
	out_u8(o, ';');
	return ok;
}

static bool complete(const struct mm_map *m, struct reader *r, const struct oraddr *parsed, struct oraddr *x_r)
{
	struct err why;
	struct oraddr x = mm_tidy(parsed, r->a);
	if (oraddr_find(&x, ORA_COUNTRY) == NULL && oraddr_find(&x, ORA_X121) == NULL)
		x = mm_in_our_domain(m, &x, r->a);
	if (arena_full(r->a))
		return mm_bad_address(r->e, "longer than the memory it may take", r->text);
	if (!oraddr_check(&x, &why))
		return mm_bad_address(r->e, why.text, r->text);
	*x_r = x;
	return true;
}

bool mm_x400_parse(const struct mm_map *map, struct view text, struct oraddr *x_r, struct arena *a, struct err *e)
{
	struct reader *r = arena_get(a, sizeof *r);
	struct oraddr parsed;
	struct err why;
	struct out o;
	if (r == NULL)
		return mm_bad_address(e, "longer than the memory it may take", text);
	*r = (struct reader){.text = text, .delimiter = text.n > 0 && text.p[0] == '/' ? '/' : ';', .a = a, .e = e};
	if (!read_pieces(r))
		return false;
	if (is_directory_name(r))
		return mm_unknown_address(e, "a directory name that nobody resolved", text);
	out_init(&o, 16 * ADDRESS_TEXT_MAX);
	bool ok = true;
	for (size_t i = 0; ok && i < r->n; i++)
		ok = put_piece(r, i, &o);
	if (ok && (out_len(&o) == 0 || !oraddr_parse(arena_copy(a, out_view(&o)), &parsed, a, ORADDR_CARRY, &why)))
		ok = mm_bad_address(e, out_len(&o) == 0 ? "no attribute in it" : why.text, text);
	out_fini(&o);
	return ok && complete(map, r, &parsed, x_r);
}

/* ---- the way back ---- */

struct written { struct view label, value; };

/* F.401 as oraddr_print makes it, cut at its `; `: in a piece `;;` and `==` stand for one. */
static struct view plain(struct view v, struct arena *a)
{
	uint8_t *buf = arena_get(a, v.n + 1);
	size_t n = 0;
	for (size_t i = 0; buf != NULL && i < v.n; i++) {
		buf[n++] = v.p[i];
		i += (v.p[i] == ';' || v.p[i] == '=') && i + 1 < v.n && v.p[i + 1] == v.p[i];
	}
	return view_of(buf, n);
}

static bool next_written(struct view *text, struct written *w_r, struct arena *a)
{
	size_t i = 0, equal = 0;
	while (i < text->n && !(text->p[i] == ';' && !(i + 1 < text->n && text->p[i + 1] == ';'))) {
		bool doubled = (text->p[i] == ';' || text->p[i] == '=') && i + 1 < text->n && text->p[i + 1] == text->p[i];
		if (!doubled && text->p[i] == '=' && equal == 0)
			equal = i;
		i += doubled ? 2 : 1;
	}
	if (i == 0)
		return false;
	w_r->label = plain(view_first(*text, equal), a);
	w_r->value = plain(view_from(view_first(*text, i), equal + 1), a);
	*text = view_from(*text, i + 2);
	return true;
}

/* Country first, as MS Mail shows it. */
static int rank(struct view label)
{
	static const char *const order[] = {"C", "A", "P", "O", "OU1", "OU2", "OU3", "OU4", "CN", "S", "G", "I", "Q"};
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (view_eq_nocase(label, view_str(order[i])))
			return (int)i;
	return (int)ARRAY_LEN(order);
}

static void put_escaped(struct view v, bool in_label, struct out *o)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '/' || v.p[i] == '$' || (in_label && v.p[i] == '='))
			out_u8(o, '$');
		out_u8(o, v.p[i]);
	}
}

/* `DDA:type` -> `dda:type`: only the label is folded, never a type. */
static void put_label(struct view label, struct out *o)
{
	size_t fold = rank(label) < (int)ARRAY_LEN(keywords) && label.n <= 3 ? label.n : starts(label, "DDA:") ? 4 : 0;
	for (size_t i = 0; i < fold; i++)
		out_u8(o, label.p[i] >= 'A' && label.p[i] <= 'Z' ? (uint8_t)(label.p[i] | 0x20) : label.p[i]);
	put_escaped(view_from(label, fold), true, o);
}

bool mm_x400_print(const struct oraddr *x, struct view *text_r, struct arena *a, struct err *e)
{
	struct out f401, o;
	size_t n = 0, cap = 2 * x->n + 8;
	struct written *v = arena_array(a, cap, sizeof *v);
	out_init(&f401, 1 << 20);
	out_init(&o, 1 << 20);
	oraddr_print(x, ORADDR_F401, &f401);
	struct view rest = out_view(&f401);
	while (v != NULL && n < cap && next_written(&rest, &v[n], a))
		n++;
	for (int want = 0; want <= rank(VIEW("")); want++)
		for (size_t i = 0; i < n; i++)
			if (rank(v[i].label) == want) {
				out_u8(&o, '/');
				put_label(v[i].label, &o);
				out_u8(&o, '=');
				put_escaped(v[i].value, false, &o);
			}
	*text_r = arena_copy(a, out_view(&o));
	bool fits = !f401.bad && !o.bad && out_len(&o) <= ADDRESS_TEXT_MAX;
	out_fini(&f401);
	out_fini(&o);
	if (arena_full(a) || !fits)
		return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 11, "address: its text is over %d octets", ADDRESS_TEXT_MAX);
	return true;
}
