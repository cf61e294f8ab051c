/* oraddr_parse.c - an O/R address from text, in both notations; the grammar is in oraddr.h. */
#include "flow/message/oraddr_int.h"

#include "base/text.h"

struct parse {
	struct arena *a;
	struct err *e;
	bool slash; /* RFC 2156: `/` separates and `$` escapes */
	bool is_pattern;
	struct oraddr_attr *v;
	size_t n, cap;
	uint64_t seen;	   /* bits of types */
	struct view ou[4]; /* values of OU without a number, raw, as they came */
	size_t n_ou;
	bool seen_ou_numbered, seen_pn;
	unsigned ous; /* bits of OU1..OU4 that were named by number, in any form */
	struct view line[ORA_LINES_MAX]; /* PD-A1 .. PD-A6, raw */
	unsigned lines;			 /* bits of those seen */
	struct view number, sub;	 /* E.163/4 digits */
	bool has_number, has_sub;
	struct view directory_name;
};

static bool fail(const struct parse *p, const char *what, struct view where)
{
	char text[100];
	return err_report(p->e, ERR_PERM, ERR_OF_RECIPIENT, 1, 11, "O/R address: \"%s\": %s",
			  text_escaped(text, sizeof text, where), what);
}

static bool fail_quota(const struct parse *p)
{
	return err_report(p->e, ERR_PERM, ERR_OF_RECIPIENT, 1, 11,
			  "O/R address: longer than the memory it may take");
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct view trim(struct view v)
{
	while (v.n > 0 && is_space(v.p[0]))
		v = view_from(v, 1);
	while (v.n > 0 && is_space(v.p[v.n - 1]))
		v.n--;
	return v;
}

/* ---- labels ---- */

/* The other spellings of RFC 2156 4.1.1 and RFC 1685; labels and keys themselves are in the table.
 */
static const struct alias {
	const char *label;
	enum oraddr_type type;
} aliases[] = {
	{"PD-OFFICE NUMBER", ORA_PD_OFFICE_NUMBER},
	{"E.164", ORA_EXTENDED_NETWORK},
	{"PD-SYSTEM", ORA_PDS_NAME},
};

static bool label_is(struct view label, const char *name)
{
	return view_eq_nocase(label, view_str(name));
}

/* 0 when there is no such attribute. OU without a number is not one: it has no type before all are
 * counted. */
static enum oraddr_type find_type(struct view label)
{
	for (unsigned t = ORA_COUNTRY; t < ORA_DDA; t++) {
		const struct oraddr_row *row = oraddr_row((enum oraddr_type)t);
		bool is_ou = t >= ORA_OU1 && t <= ORA_OU4;
		if (label_is(label, row->label) || (!is_ou && label_is(label, row->key)))
			return (enum oraddr_type)t;
	}
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (label_is(label, aliases[i].label))
			return aliases[i].type;
	return 0;
}

/* `DDA:type`, `DD.type`, `DD1.type` ...: the octets before the type; 0 for another label. */
static size_t dda_prefix(struct view label)
{
	size_t n = 2;
	if (label.n < 3 || !label_is(view_first(label, 2), "DD"))
		return 0;
	if (label.p[n] == 'A' || label.p[n] == 'a')
		n++;
	if (n < label.n && label.p[n] >= '1' && label.p[n] <= '4')
		n++;
	return n < label.n && (label.p[n] == ':' || label.p[n] == '.') ? n + 1 : 0;
}

/* PD-A1 .. PD-A6: the line from 1; 0 for another label. */
static unsigned line_label(struct view label)
{
	if (label.n != 5 || !label_is(view_first(label, 4), "PD-A"))
		return 0;
	uint8_t c = label.p[4];
	return c >= '1' && c < '1' + ORA_LINES_MAX ? c - '0' : 0;
}

static bool is_known_label(struct view label)
{
	return find_type(label) != 0 || dda_prefix(label) > 0 || line_label(label) > 0 ||
	       label_is(label, "OU") || label_is(label, "PN") || label_is(label, "RFC-822") ||
	       label_is(label, "NET-SUB");
}

/* ---- cutting the text into label and value ---- */

struct pair {
	struct view label, value; /* raw: still escaped, not trimmed */
};

/* Does what follows a `/` in F.401 look like the next attribute? */
static bool starts_attribute(struct view rest)
{
	size_t i = 0;
	while (i < rest.n && rest.p[i] != '=' && rest.p[i] != '/' && rest.p[i] != ';')
		i++;
	bool single = i < rest.n && rest.p[i] == '=' && !(i + 1 < rest.n && rest.p[i + 1] == '=');
	return single && is_known_label(trim(view_first(rest, i)));
}

static bool is_separator(const struct parse *p, struct view text, size_t i, bool in_plain_value)
{
	if (text.p[i] == ';')
		return true;
	if (text.p[i] != '/')
		return false;
	return p->slash || (in_plain_value && starts_attribute(view_from(text, i + 1)));
}

static bool is_doubled(const struct parse *p, struct view text, size_t i)
{
	uint8_t c = text.p[i];
	bool may = c == ';' || c == '=' || (c == '/' && p->slash);
	return may && i + 1 < text.n && text.p[i + 1] == c;
}

/* Takes the next non-empty piece between separators off *text; false at the end. equal_r: where its
 * `=` is, or its length. */
static bool next_piece(const struct parse *p, struct view *text, struct view *piece_r,
		       size_t *equal_r)
{
	size_t i = 0, start = 0, equal = SIZE_MAX;
	bool dda = false;
	while (i < text->n) {
		if (is_doubled(p, *text, i) || (p->slash && text->p[i] == '$' && i + 1 < text->n)) {
			i += 2;
			continue;
		}
		if (is_separator(p, *text, i, equal != SIZE_MAX && !dda)) {
			if (trim(view_of(text->p + start, i - start)).n > 0)
				break;
			start = i + 1;
		} else if (text->p[i] == '=' && equal == SIZE_MAX) {
			equal = i;
			dda = dda_prefix(trim(view_of(text->p + start, i - start))) > 0;
		}
		i++;
	}
	*piece_r = view_first(view_from(*text, start), i - start);
	*equal_r = equal == SIZE_MAX ? piece_r->n : equal - start;
	*text = view_from(*text, i + 1);
	return trim(*piece_r).n > 0;
}

/* ---- values ---- */

struct decoded {
	struct view ps, teletex;
	bool has_ps, has_teletex; /* with neither, the value was empty */
};

struct decoder {
	const struct parse *p;
	struct view raw;
	size_t i;
	bool pair;  /* a `*` begins the teletex form */
	bool lines; /* `|` ends a line */
	uint8_t *buf;
	size_t n, keep; /* octets in buf; those that the trimming of spaces must leave */
};

static void put(struct decoder *d, uint8_t c, bool literal)
{
	if (c == ' ' && !literal && d->n == 0)
		return;
	d->buf[d->n++] = c;
	if (c != ' ' || literal)
		d->keep = d->n;
}

/* `{ddd...}`: octets in decimal (RFC 2156 3.3.4). */
static bool decode_octets(struct decoder *d)
{
	size_t groups = 0;
	for (d->i++; d->i < d->raw.n && d->raw.p[d->i] != '}'; d->i += 3, groups++) {
		uint64_t x;
		struct view digits = view_first(view_from(d->raw, d->i), 3);
		if (digits.n < 3 || !text_uint(digits, 255, &x))
			return fail(
				d->p,
				"want {ddd} with three decimal digits, 000 to 255, for an octet",
				d->raw);
		put(d, (uint8_t)x, true);
	}
	if (d->i == d->raw.n || groups == 0)
		return fail(d->p, "want {ddd} with three decimal digits for an octet", d->raw);
	d->i++;
	return true;
}

/* Takes one octet, escaped or not. */
static bool decode_one(struct decoder *d)
{
	uint8_t c = d->raw.p[d->i];
	if (c == '{')
		return decode_octets(d);
	if (d->p->slash && c == '$') {
		if (d->i + 1 == d->raw.n)
			return fail(d->p, "ends in `$`, want a character after it", d->raw);
		put(d, d->raw.p[d->i + 1], true);
		d->i += 2;
		return true;
	}
	if (d->lines && c == '|')
		put(d, '\n', false);
	else
		put(d, is_space(c) ? ' ' : c, false);
	d->i += is_doubled(d->p, d->raw, d->i) ? 2 : 1;
	return true;
}

static bool decode_part(struct decoder *d, struct view *part_r)
{
	d->buf = arena_get(d->p->a, d->raw.n - d->i + 1);
	if (d->buf == NULL)
		return fail_quota(d->p);
	d->n = d->keep = 0;
	while (d->i < d->raw.n && !(d->pair && d->raw.p[d->i] == '*'))
		if (!decode_one(d))
			return false;
	*part_r = view_of(d->buf, d->keep);
	return true;
}

static bool decode(const struct parse *p, struct view raw, bool lines, struct decoded *r)
{
	struct decoder d = {.p = p, .raw = raw, .pair = true, .lines = lines};
	*r = (struct decoded){0};
	if (view_eq(trim(raw),
		    VIEW("*"))) { /* nothing in both forms means nothing: a route's wildcard */
		*r = (struct decoded){.ps = VIEW("*"), .has_ps = true};
		return true;
	}
	if (!decode_part(&d, &r->ps))
		return false;
	r->has_ps = r->ps.n > 0;
	if (d.i == raw.n)
		return true;
	d.i++;
	d.pair = d.lines = false;
	if (!decode_part(&d, &r->teletex))
		return false;
	r->has_teletex = r->teletex.n > 0;
	return true;
}

/* ---- attributes ---- */

static bool add(struct parse *p, struct oraddr_attr a)
{
	assert(p->n <
	       p->cap); /* no pair of label and value makes more than begin() counted for it */
	p->v[p->n++] = a;
	return true;
}

static bool add_decoded(struct parse *p, enum oraddr_type type, const struct decoded *d)
{
	if (d->has_ps || !d->has_teletex)
		add(p, (struct oraddr_attr){.type = type, .form = ORA_PRINTABLE, .value = d->ps});
	if (d->has_teletex)
		add(p,
		    (struct oraddr_attr){.type = type, .form = ORA_TELETEX, .value = d->teletex});
	return true;
}

static bool see(struct parse *p, enum oraddr_type type, struct view label)
{
	uint64_t bit = (uint64_t)1 << type;
	if ((p->seen & bit) != 0)
		return fail(p, "the attribute stands twice", label);
	p->seen |= bit;
	return true;
}

/* Decimal digits and spaces (NumericString), or with a leading sign and dashes for a telephone
 * number. */
static bool parse_numeric(struct parse *p, enum oraddr_type type, struct view raw)
{
	struct decoded d;
	if (!decode(p, raw, false, &d))
		return false;
	for (size_t i = 0; i < d.ps.n; i++)
		if ((d.ps.p[i] < '0' || d.ps.p[i] > '9') && d.ps.p[i] != ' ')
			return fail(p, "want digits", raw);
	if (d.has_teletex)
		return fail(p, "want digits, found a teletex form", raw);
	return add(p, (struct oraddr_attr){.type = type, .form = ORA_NUMERIC, .value = d.ps});
}

/* The digits of an E.163/4 number; signs that people write between them are dropped (RFC
 * 2156 4.1.1: local heuristics). */
static bool parse_phone(const struct parse *p, struct view raw, struct view *digits_r)
{
	struct decoded d;
	if (!decode(p, raw, false, &d))
		return false;
	uint8_t *buf = arena_get(p->a, d.ps.n + 1);
	size_t n = 0;
	if (buf == NULL)
		return fail_quota(p);
	for (size_t i = 0; i < d.ps.n; i++)
		if (d.ps.p[i] >= '0' && d.ps.p[i] <= '9')
			buf[n++] = d.ps.p[i];
		else if (strchr("+-() .", d.ps.p[i]) == NULL || d.ps.p[i] == 0)
			return fail(p, "want the digits of an E.163/E.164 number", raw);
	if (n == 0 || n > 120 || d.has_teletex)
		return fail(p, "want the digits of an E.163/E.164 number", raw);
	*digits_r = view_of(buf, n);
	return true;
}

/* `g3fax`, `g3fax (5)`, `(5)`, `5` (RFC 2156 3.3.6: the integer is taken, its label is free). */
static bool parse_terminal(struct parse *p, struct view raw)
{
	struct decoded d;
	if (!decode(p, raw, false, &d))
		return false;
	struct view digits = d.ps;
	uint64_t number = 0;
	for (uint64_t t = 3; t <= 8; t++)
		if (label_is(d.ps, oraddr_terminal_name(t)))
			number = t;
	const uint8_t *open = d.ps.n == 0 ? NULL : memchr(d.ps.p, '(', d.ps.n);
	if (open != NULL && d.ps.p[d.ps.n - 1] == ')')
		digits = trim(view_of(open + 1, (size_t)(d.ps.p + d.ps.n - 1 - (open + 1))));
	if (number == 0 && !text_uint(digits, UINT32_MAX, &number))
		return fail(p,
			    "want a terminal type: tlx, ttx, g3fax, g4fax, ia5, vtx, or its number",
			    raw);
	char *text = arena_get(p->a, 12);
	if (text == NULL)
		return fail_quota(p);
	int n = snprintf(text, 12, "%u", (unsigned)number);
	return add(p, (struct oraddr_attr){.type = ORA_TERMINAL_TYPE,
					   .form = ORA_NUMERIC,
					   .value = view_of(text, (size_t)n)});
}

/* Printable, but numeric when all of it is digits (RFC 2156 4.1.1); only domains may be blank. */
static bool parse_domain(struct parse *p, enum oraddr_type type, struct view raw)
{
	struct decoded d;
	if (!decode(p, raw, false, &d))
		return false;
	bool blank = d.ps.n == 0 && !d.has_teletex;
	if (blank && (type == ORA_ADMD || (type == ORA_PRMD && raw.n > 0)))
		d.ps = VIEW(" ");
	add_decoded(p, type, &d);
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].type == type && p->v[i].form == ORA_PRINTABLE &&
		    oraddr_all_digits(d.ps))
			p->v[i].form = ORA_NUMERIC;
	return true;
}

static bool parse_value(struct parse *p, enum oraddr_type type, struct view raw)
{
	struct decoded d;
	switch (oraddr_row(type)->enc) {
	case ORA_ENC_N: return parse_numeric(p, type, raw);
	case ORA_ENC_PN: return parse_domain(p, type, raw);
	case ORA_ENC_TTY: return parse_terminal(p, raw);
	case ORA_ENC_NET: p->has_number = true; return parse_phone(p, raw, &p->number);
	case ORA_ENC_P:
	case ORA_ENC_PT:
	case ORA_ENC_UPA:
		return decode(p, raw, type == ORA_PD_ADDRESS, &d) && add_decoded(p, type, &d);
	case ORA_ENC_NONE:
	case ORA_ENC_DDA:
	case ORA_ENC_RAW: break;
	}
	CANT_HAPPEN("these labels do not come from find_type");
}

/* RFC 2156 4.1.3: type and value have the same encoding; what has one form only serves both. */
static bool parse_dda(struct parse *p, struct view type_raw, struct view raw, bool backward)
{
	struct decoded t, v;
	if (!decode(p, type_raw, false, &t) || !decode(p, raw, false, &v))
		return false;
	struct oraddr_attr a = {.type = ORA_DDA,
				.form = ORA_PRINTABLE,
				.number = backward,
				.type_name = t.ps,
				.value = v.ps};
	if ((!t.has_teletex && !v.has_teletex) || (t.has_ps && v.has_ps))
		add(p, a);
	if (!t.has_teletex && !v.has_teletex)
		return true;
	a.form = ORA_TELETEX;
	a.type_name = t.has_teletex ? t.teletex : t.ps;
	a.value = v.has_teletex ? v.teletex : v.ps;
	return add(p, a);
}

static bool unhex(const struct parse *p, struct view raw, struct view *v_r)
{
	struct out o;
	out_init(&o, raw.n);
	bool ok = text_unhex(&o, trim(raw));
	if (!ok)
		fail(p, "want hexadecimal digits", raw);
	else
		*v_r = arena_copy(p->a, out_view(&o));
	out_fini(&o);
	return ok && (!arena_full(p->a) || fail_quota(p));
}

/* `U-label=hex` and `R-label=hex`. */
static bool parse_form(struct parse *p, struct view label, struct view raw, enum oraddr_form form)
{
	struct view name = view_from(label, 2);
	struct oraddr_attr a = {.type = find_type(name), .form = form};
	size_t prefix = dda_prefix(name);
	if (prefix > 0) {
		a.type = ORA_DDA;
		a.number = p->slash && prefix == 3;
		if (!unhex(p, view_from(name, prefix), &a.type_name))
			return false;
	}
	if (a.type == 0 || a.type == ORA_EXTENDED_NETWORK || a.type == ORA_TERMINAL_TYPE)
		return fail(p, "no attribute of that name", label);
	if (a.type >= ORA_OU1 && a.type <= ORA_OU4)
		p->ous |= 1u << (a.type - ORA_OU1);
	return unhex(p, raw, &a.value) && add(p, a);
}

static bool parse_extension(struct parse *p, struct view label, struct view raw)
{
	uint64_t number;
	if (!text_uint(view_from(label, 4), UINT32_MAX, &number))
		return fail(p, "want EXT- and the number of an extension attribute", label);
	struct oraddr_attr a = {
		.type = ORA_EXTENSION_RAW, .form = ORA_RAW, .number = (uint32_t)number};
	if (number == oraddr_row(ORA_EXTENDED_NETWORK)->ext) {
		a.type = ORA_EXTENDED_NETWORK;
		a.number = 0;
		if (!see(p, a.type, label))
			return false;
	}
	return unhex(p, raw, &a.value) && add(p, a);
}

/* EBNF.encoded-pn of RFC 2156 4.1.2: [ given "." ] *( initial "." ) surname. */
static bool parse_pn(struct parse *p, struct view raw)
{
	struct decoded d;
	if (!decode(p, raw, false, &d))
		return false;
	uint8_t *initials = arena_get(p->a, d.ps.n + 1);
	size_t n = 0;
	if (initials == NULL)
		return fail_quota(p);
	struct view rest = d.ps, given = {NULL, 0};
	for (bool first = true;; first = false) {
		const uint8_t *dot = rest.n == 0 ? NULL : memchr(rest.p, '.', rest.n);
		size_t len = dot == NULL ? 0 : (size_t)(dot - rest.p);
		bool letter = len == 1 && ((rest.p[0] | 0x20) >= 'a' && (rest.p[0] | 0x20) <= 'z');
		if (letter)
			initials[n++] = rest.p[0];
		else if (first && len >= 2)
			given = view_first(rest, len);
		else
			break;
		rest = view_from(rest, len + 1);
	}
	if (rest.n == 0 || d.has_teletex)
		return fail(p, "want a personal name as Given.I.Surname", raw);
	add(p, (struct oraddr_attr){.type = ORA_SURNAME, .value = rest});
	if (given.n > 0)
		add(p, (struct oraddr_attr){.type = ORA_GIVEN, .value = given});
	if (n > 0)
		add(p, (struct oraddr_attr){.type = ORA_INITIALS, .value = view_of(initials, n)});
	return true;
}

/* The labels that are no row of the table. done_r: whether it was one. */
static bool parse_special(struct parse *p, struct view label, struct view raw, bool *done_r)
{
	size_t dda = dda_prefix(label);
	unsigned line = line_label(label);
	struct oraddr_attr a = {.type = ORA_UNKNOWN_RAW, .form = ORA_RAW};
	*done_r = true;
	if (dda > 0) /* `DD` is RFC 2156's, and that counts from the right (4.3.3); `DDA` and `DD1`
			do not */
		return parse_dda(p, view_from(label, dda), raw, p->slash && dda == 3);
	if (label_is(label, "RFC-822"))
		return parse_dda(p, VIEW("RFC-822"), raw, p->slash);
	if (line > 0) {
		if ((p->lines >> line & 1) != 0)
			return fail(p, "the line stands twice", label);
		p->lines |= 1u << line;
		p->line[line - 1] = raw;
		return true;
	}
	if (label_is(label, "OU")) {
		if (p->n_ou == ARRAY_LEN(p->ou))
			return fail(p, "a fifth organizational unit, want 4 at most", raw);
		p->ou[p->n_ou++] = raw;
		return true;
	}
	if (label_is(label, "PN")) {
		if (p->seen_pn)
			return fail(p, "the attribute stands twice", label);
		p->seen_pn = true;
		return parse_pn(p, raw);
	}
	if (label_is(label, "NET-SUB")) {
		if (p->has_sub)
			return fail(p, "the attribute stands twice", label);
		p->has_sub = true;
		return parse_phone(p, raw, &p->sub);
	}
	if (label_is(label, "PSAP") || label_is(label, "NET-PSAP"))
		return fail(p, "a presentation address is not read as text here, want EXT-22=hex",
			    label);
	if (label_is(label, "RAW"))
		return unhex(p, raw, &a.value) && add(p, a);
	if (label_is(label, "X-DN"))
		return unhex(p, raw, &p->directory_name);
	if (label.n > 4 && label_is(view_first(label, 4), "EXT-"))
		return parse_extension(p, label, raw);
	if (label.n > 2 && label_is(view_first(label, 2), "U-"))
		return parse_form(p, label, raw, ORA_UNIVERSAL);
	if (label.n > 2 && label_is(view_first(label, 2), "R-"))
		return parse_form(p, label, raw, ORA_RAW);
	*done_r = false;
	return true;
}

static bool parse_pair(struct parse *p, struct view label, struct view raw)
{
	bool done;
	if (!parse_special(p, label, raw, &done))
		return false;
	if (done)
		return true;
	enum oraddr_type type = find_type(label);
	if (type == 0)
		return fail(p, "no attribute of that name", label);
	if (type >= ORA_OU1 && type <= ORA_OU4) {
		p->seen_ou_numbered = true;
		p->ous |= 1u << (type - ORA_OU1);
	}
	return see(p, type, label) && parse_value(p, type, raw);
}

/* ---- what needs all pairs ---- */

static bool finish_ous(struct parse *p)
{
	if (p->n_ou > 0 && p->seen_ou_numbered)
		return fail(p, "stands beside OU1..OU4, want one way or the other (RFC 2156 4.1.1)",
			    VIEW("OU"));
	for (size_t i = 0; i < p->n_ou; i++) {
		/* RFC 2156 4.3.3: in its notation the most significant is the last. */
		struct view raw = p->ou[p->slash ? p->n_ou - 1 - i : i];
		if (!parse_value(p, (enum oraddr_type)(ORA_OU1 + i), raw))
			return false;
	}
	unsigned ous = p->ous | ((1u << p->n_ou) - 1);
	if ((ous & (ous + 1)) != 0)
		return fail(p, "an organizational unit stands without the one above it",
			    VIEW("OU"));
	return true;
}

static bool finish_lines(struct parse *p)
{
	size_t n = 0, total = 0;
	for (unsigned lines = p->lines >> 1; lines != 0; lines >>= 1, n++) {
		if ((lines & 1) == 0)
			return fail(p, "a line of the postal address is missing before the last",
				    VIEW("PD-A"));
		total += p->line[n].n + 1;
	}
	if (n == 0)
		return true;
	if (!see(p, ORA_PD_ADDRESS, VIEW("PD-ADDRESS")))
		return false;
	uint8_t *buf = arena_get(p->a, total);
	size_t len = 0;
	if (buf == NULL)
		return fail_quota(p);
	for (size_t i = 0; i < n; i++) {
		struct decoded d;
		if (!decode(p, p->line[i], false, &d))
			return false;
		if (d.has_teletex)
			return fail(p, "a line takes no teletex form, want PD-ADDRESS", p->line[i]);
		if (i > 0)
			buf[len++] = '\n';
		if (d.ps.n > 0)
			memcpy(buf + len, d.ps.p, d.ps.n);
		len += d.ps.n;
	}
	return add(p, (struct oraddr_attr){.type = ORA_PD_ADDRESS, .value = view_of(buf, len)});
}

/* SEQUENCE { number [0] NumericString, sub-address [1] NumericString OPTIONAL }, implicit tags. */
static bool finish_network(struct parse *p)
{
	if (p->has_sub && !p->has_number)
		return fail(p, "stands without NET-NUM", VIEW("NET-SUB"));
	if (!p->has_number)
		return true;
	size_t len = 2 + p->number.n + (p->has_sub ? 2 + p->sub.n : 0);
	if (len > 127)
		return fail(p, "the number and its sub-address are too long", VIEW("NET-NUM"));
	uint8_t *buf = arena_get(p->a, 2 + len);
	if (buf == NULL)
		return fail_quota(p);
	buf[0] = 0x30;
	buf[1] = (uint8_t)len;
	buf[2] = 0x80;
	buf[3] = (uint8_t)p->number.n;
	memcpy(buf + 4, p->number.p, p->number.n);
	if (p->has_sub) {
		uint8_t *sub = buf + 4 + p->number.n;
		sub[0] = 0x81;
		sub[1] = (uint8_t)p->sub.n;
		memcpy(sub + 2, p->sub.p, p->sub.n);
	}
	return add(p, (struct oraddr_attr){.type = ORA_EXTENDED_NETWORK,
					   .form = ORA_RAW,
					   .value = view_of(buf, 2 + len)});
}

/* Stable, by type; types come nearly sorted or each once. */
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

/* Turns the order of the DDAs around that were written least significant first. */
static void reverse_ddas(struct parse *p)
{
	size_t i = 0, k = p->n;
	for (;;) {
		while (i < k && !(p->v[i].type == ORA_DDA && p->v[i].number != 0))
			i++;
		while (i < k && !(p->v[k - 1].type == ORA_DDA && p->v[k - 1].number != 0))
			k--;
		if (i >= k)
			break;
		struct oraddr_attr a = p->v[i];
		p->v[i] = p->v[k - 1];
		p->v[k - 1] = a;
		p->v[i++].number = 0;
		p->v[--k].number = 0;
	}
}

/* `C=*` is the pattern of any domain, not of those with a blank ADMD. */
static bool any_country(const struct parse *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].type == ORA_COUNTRY)
			return view_eq(p->v[i].value, VIEW("*"));
	return false;
}

static bool finish(struct parse *p)
{
	uint64_t personal =
		(uint64_t)1 << ORA_SURNAME | (uint64_t)1 << ORA_GIVEN | (uint64_t)1 << ORA_INITIALS;
	if (p->seen_pn && (p->seen & personal) != 0)
		return fail(p, "stands beside S, G or I, want one way or the other", VIEW("PN"));
	if (!finish_ous(p) || !finish_lines(p) || !finish_network(p))
		return false;
	if (!p->is_pattern && (p->seen >> ORA_COUNTRY & 1) != 0 &&
	    (p->seen >> ORA_ADMD & 1) == 0 && !any_country(p))
		add(p, (struct oraddr_attr){.type = ORA_ADMD,
					    .value = VIEW(" ")}); /* RFC 2156 4.1.3 */
	reverse_ddas(p);
	sort(p->v, p->n);
	return true;
}

static struct view skip_prefix(struct view text)
{
	static const char *const prefixes[] = {"X.400:", "X400:"}; /* RFC 1685 F.3.2.1 */
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		size_t n = strlen(prefixes[i]);
		if (view_eq_nocase(view_first(text, n), view_str(prefixes[i])))
			return trim(view_from(text, n));
	}
	return text;
}

/* Room for all attributes: two forms of each pair, three parts of PN, the ADMD. */
static bool begin(struct parse *p, struct view text)
{
	struct view piece;
	size_t equal;
	p->cap = 8;
	while (next_piece(p, &text, &piece, &equal))
		p->cap += 2;
	p->v = arena_array(p->a, p->cap, sizeof *p->v);
	return p->v != NULL || fail_quota(p);
}

/* A value keeps its space after the `=` for parse_domain; the end of a line is no part of it. */
static bool parse_all(struct parse *p, struct view text)
{
	struct view piece;
	size_t equal;
	while (next_piece(p, &text, &piece, &equal)) {
		if (equal == piece.n)
			return fail(p, "want an attribute as LABEL=value", piece);
		if (!parse_pair(p, trim(view_first(piece, equal)), view_from(piece, equal + 1)))
			return false;
	}
	return finish(p);
}

bool oraddr_parse(struct view text, struct oraddr *addr_r, struct arena *a,
		  enum oraddr_bounds bounds, struct err *e)
{
	text = skip_prefix(trim(text));
	struct parse p = {
		.a = a, .e = e, .is_pattern = bounds == ORADDR_PATTERN,
		.slash = text.n > 0 && (text.p[0] == '/' || text.p[0] == ';')};
	if (!begin(&p, text) || !parse_all(&p, text))
		return false;
	struct oraddr addr = {p.v, p.n, p.directory_name};
	if (addr.n == 0 && addr.directory_name.n == 0)
		return fail(&p, "no attribute, want for example `S=Smith; O=Org; P=Prmd; C=GB`",
			    text);
	if (bounds == ORADDR_GENERATE && !oraddr_check_bounds(&addr, e))
		return false;
	*addr_r = addr;
	return true;
}
