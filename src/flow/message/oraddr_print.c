/* oraddr_print.c - an O/R address as text, in both notations. What neither can carry is written so
 * that oraddr_parse reads it back: octets as {ddd}, whole elements in hexadecimal (oraddr.h). */
#include "flow/message/oraddr_int.h"

#include "base/text.h"

struct printer {
	struct out *o;
	enum oraddr_notation notation;
	bool begun;
	bool more;	 /* a teletex form follows the printable one */
	bool number_ous; /* RFC 2156: OU alone would say the wrong one */
};

/* Where a value stands decides what in it must be escaped. */
enum place { IN_VALUE, IN_DDA_VALUE, IN_DDA_TYPE, IN_LINES };

/* RFC 1685 table F.1, the other attributes before O: X.400 leaves their place open. */
static const enum oraddr_type order_f401[] = {
	ORA_GIVEN,
	ORA_INITIALS,
	ORA_SURNAME,
	ORA_GENERATION,
	ORA_COMMON_NAME,
	ORA_X121,
	ORA_EXTENDED_NETWORK,
	ORA_NUMERIC_USER_ID,
	ORA_TERMINAL_ID,
	ORA_TERMINAL_TYPE,
	ORA_PD_PERSON,
	ORA_PD_EXTENSION,
	ORA_PD_COMPONENTS,
	ORA_PD_OFFICE_NUMBER,
	ORA_PD_OFFICE_NAME,
	ORA_PD_ORGANIZATION,
	ORA_STREET,
	ORA_PD_ADDRESS,
	ORA_UNIQUE_POSTAL,
	ORA_LOCAL_POSTAL,
	ORA_POSTE_RESTANTE,
	ORA_PO_BOX,
	ORA_POSTAL_CODE,
	ORA_PDS_NAME,
	ORA_PD_COUNTRY,
	ORA_DDA,
	ORA_EXTENSION_RAW,
	ORA_UNKNOWN_RAW,
	ORA_ORGANIZATION,
	ORA_OU1,
	ORA_OU2,
	ORA_OU3,
	ORA_OU4,
	ORA_PRMD,
	ORA_ADMD,
	ORA_COUNTRY,
};

/* RFC 2156 4.3.3: the most significant last, organizational units before O. */
static const enum oraddr_type order_rfc2156[] = {
	ORA_UNKNOWN_RAW,
	ORA_EXTENSION_RAW,
	ORA_DDA,
	ORA_TERMINAL_TYPE,
	ORA_TERMINAL_ID,
	ORA_NUMERIC_USER_ID,
	ORA_EXTENDED_NETWORK,
	ORA_X121,
	ORA_PD_PERSON,
	ORA_PD_EXTENSION,
	ORA_PD_COMPONENTS,
	ORA_PD_OFFICE_NUMBER,
	ORA_PD_OFFICE_NAME,
	ORA_PD_ORGANIZATION,
	ORA_STREET,
	ORA_PD_ADDRESS,
	ORA_UNIQUE_POSTAL,
	ORA_LOCAL_POSTAL,
	ORA_POSTE_RESTANTE,
	ORA_PO_BOX,
	ORA_POSTAL_CODE,
	ORA_PDS_NAME,
	ORA_PD_COUNTRY,
	ORA_COMMON_NAME,
	ORA_GIVEN,
	ORA_INITIALS,
	ORA_SURNAME,
	ORA_GENERATION,
	ORA_OU4,
	ORA_OU3,
	ORA_OU2,
	ORA_OU1,
	ORA_ORGANIZATION,
	ORA_PRMD,
	ORA_ADMD,
	ORA_COUNTRY,
};

_Static_assert(ARRAY_LEN(order_f401) == ORA_TYPES - 1, "each type is printed once");
_Static_assert(ARRAY_LEN(order_rfc2156) == ORA_TYPES - 1, "each type is printed once");

static void begin(struct printer *p)
{
	if (p->notation == ORADDR_RFC2156)
		out_u8(p->o, '/');
	else if (p->begun)
		out_str(p->o, "; ");
	p->begun = true;
}

static const char *label_of(const struct printer *p, enum oraddr_type type)
{
	const struct oraddr_row *row = oraddr_row(type);
	bool numbered = p->number_ous && type >= ORA_OU1 && type <= ORA_OU4;
	return p->notation == ORADDR_F401 || numbered ? row->label : row->key;
}

static void begin_type(struct printer *p, enum oraddr_type type)
{
	begin(p);
	out_str(p->o, label_of(p, type));
}

/* Would a reader of F.401 take this `/` for a delimiter? Asked generously: any `=` after it will
 * do. */
static bool like_a_label(struct view rest)
{
	return rest.n > 0 && memchr(rest.p, '=', rest.n) != NULL;
}

static bool doubled_equal(struct view v, size_t i)
{
	return (i > 0 && v.p[i - 1] == '=') || (i + 1 < v.n && v.p[i + 1] == '=');
}

/* One of the three octets that separate, which octet i of v is. */
static void print_delimiter(struct printer *p, struct view v, size_t i, enum place place)
{
	uint8_t c = v.p[i];
	if (p->notation == ORADDR_RFC2156) {
		out_str(p->o, c == ';' ? "{059}" : c == '/' ? "$/" : "$=");
	} else if (c == ';') {
		out_str(p->o, ";;");
	} else if (c == '/') {
		bool splits = (place == IN_VALUE || place == IN_LINES) &&
			      (p->more || like_a_label(view_from(v, i + 1)));
		out_str(p->o, splits ? "{047}" : "/");
	} else if (place == IN_DDA_TYPE) {
		out_str(p->o, "==");
	} else if (i == 0) {
		out_str(p->o, "{061}"); /* `==` would read as a part of the label */
	} else {
		out_str(p->o, doubled_equal(v, i) ? "==" : "=");
	}
}

static bool is_plain(struct view v, size_t i, bool teletex, enum place place)
{
	uint8_t c = v.p[i];
	if (c == ' ') /* at an end a reader drops it */
		return i > 0 && i + 1 < v.n &&
		       !(place == IN_LINES && (v.p[i - 1] == '\n' || v.p[i + 1] == '\n'));
	if (teletex)
		return oraddr_is_ps_char(c);
	return c > ' ' && c < 0x7f && c != '{' && c != '}' && c != '*' && c != '$' && !(place == IN_LINES && c == '|');
}

static void print_octets(struct printer *p, struct view v, bool teletex, enum place place)
{
	bool open = false;
	if (!teletex && !p->more && view_eq(v, VIEW("*"))) { /* alone it begins no teletex form */
		out_u8(p->o, '*');
		return;
	}
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];
		bool line = place == IN_LINES && !teletex && c == '\n';
		bool plain = line || is_plain(v, i, teletex, place);
		if (open && plain)
			out_u8(p->o, '}');
		if (!plain) /* RFC 2156 3.3.4: one pair of braces keeps the shift state */
			out_fmt(p->o, "%s%03u", open ? "" : "{", c);
		else if (line)
			out_u8(p->o, '|');
		else if (c == ';' || c == '/' || c == '=')
			print_delimiter(p, v, i, place);
		else
			out_u8(p->o, c);
		open = !plain;
	}
	if (open)
		out_u8(p->o, '}');
}

/* RFC 2156 4.1.1: teletex of printable characters only is written as printable. */
static void print_string(struct printer *p, struct view v, bool teletex, enum place place)
{
	bool starred = teletex && !oraddr_all_ps(v);
	if (starred)
		out_u8(p->o, '*');
	print_octets(p, v, starred, place);
}

static void print_hex(struct printer *p, const char *prefix, const struct oraddr_attr *a)
{
	bool is_ou = a->type >= ORA_OU1 && a->type <= ORA_OU4;
	begin(p);
	out_str(p->o, prefix);
	out_str(p->o, is_ou ? oraddr_type_label(a->type) : label_of(p, a->type));
	if (a->type == ORA_EXTENSION_RAW)
		out_fmt(p->o, "-%u", a->number);
	if (a->type == ORA_DDA) {
		out_u8(p->o, ':');
		text_hex(p->o, a->type_name);
	}
	out_u8(p->o, '=');
	text_hex(p->o, a->value);
}

static void print_dda(struct printer *p, const struct oraddr_attr *a)
{
	bool teletex = a->form == ORA_TELETEX;
	begin_type(p, ORA_DDA);
	out_u8(p->o, p->notation == ORADDR_F401 ? ':' : '.');
	print_string(p, a->type_name, teletex, IN_DDA_TYPE);
	out_u8(p->o, '=');
	print_string(p, a->value, teletex, IN_DDA_VALUE);
}

static void print_network(struct printer *p, const struct oraddr_attr *a)
{
	struct view number, sub;
	if (a->form != ORA_RAW || !oraddr_net_split(a->value, &number, &sub)) {
		begin(p);
		out_str(p->o, "EXT-22=");
		text_hex(p->o, a->value);
		return;
	}
	begin_type(p, ORA_EXTENDED_NETWORK);
	out_u8(p->o, '=');
	out_bytes(p->o, number);
	if (sub.n > 0) {
		begin(p);
		out_str(p->o, "NET-SUB=");
		out_bytes(p->o, sub);
	}
}

static void print_terminal(struct printer *p, const struct oraddr_attr *a)
{
	uint64_t number = 0;
	const char *name =
		text_uint(a->value, UINT32_MAX, &number) ? oraddr_terminal_name(number) : NULL;
	begin_type(p, a->type);
	out_u8(p->o, '=');
	if (p->notation == ORADDR_F401 && name != NULL) {
		out_str(p->o, name);
		return;
	}
	out_str(p->o, name == NULL ? "(" : name);
	out_str(p->o, name == NULL ? "" : "(");
	print_octets(p, a->value, false, IN_VALUE);
	out_u8(p->o, ')');
}

/* F.401 has a label for each of six lines, and none for the teletex form. */
static void print_lines_f401(struct printer *p, struct view v)
{
	for (unsigned line = 1;; line++) {
		size_t n = 0;
		while (n < v.n && v.p[n] != '\n')
			n++;
		begin_type(p, ORA_PD_ADDRESS);
		out_fmt(p->o, "%u=", line);
		print_octets(p, view_first(v, n), false, IN_VALUE);
		if (n == v.n)
			return;
		v = view_from(v, n + 1);
	}
}

static size_t lines_of(struct view v)
{
	size_t n = 1;
	for (size_t i = 0; i < v.n; i++)
		n += v.p[i] == '\n';
	return n;
}

/* A value that is one space: only the names of domains have that (RFC 1685 F.3.1). */
static bool is_single_space(const struct oraddr_attr *a)
{
	return (a->type == ORA_ADMD || a->type == ORA_PRMD) && view_eq(a->value, VIEW(" "));
}

/* A printable and a teletex form of one type, either may be NULL, as one `printable*teletex`.
 * Teletex of plain letters is written as printable (RFC 2156 4.1.1), unless a different printable
 * form stands beside it. */
static void print_pair(struct printer *p, const struct oraddr_attr *ps, const struct oraddr_attr *t)
{
	enum oraddr_type type = ps != NULL ? ps->type : t->type;
	if (ps != NULL && t != NULL && oraddr_value_eq(ps->value, t->value))
		t = NULL;
	if (type == ORA_PD_ADDRESS && t == NULL && p->notation == ORADDR_F401 &&
	    lines_of(ps->value) <= ORA_LINES_MAX) {
		print_lines_f401(p, ps->value);
		return;
	}
	begin_type(p, type);
	out_u8(p->o, '=');
	p->more = t != NULL;
	if (ps != NULL && is_single_space(ps))
		out_u8(p->o, ' ');
	else if (ps != NULL)
		print_octets(p, ps->value, false, type == ORA_PD_ADDRESS ? IN_LINES : IN_VALUE);
	if (t != NULL && (ps != NULL || !oraddr_all_ps(t->value)))
		out_u8(p->o, '*');
	p->more = false;
	if (t != NULL)
		print_octets(p, t->value, true, IN_VALUE);
}

static bool is_special(enum oraddr_type type)
{
	return type == ORA_DDA || type == ORA_EXTENSION_RAW || type == ORA_UNKNOWN_RAW ||
	       type == ORA_EXTENDED_NETWORK || type == ORA_TERMINAL_TYPE;
}

static void print_special(struct printer *p, const struct oraddr_attr *a)
{
	if (a->type == ORA_EXTENSION_RAW || a->type == ORA_UNKNOWN_RAW)
		print_hex(p, "", a);
	else if (a->type == ORA_EXTENDED_NETWORK)
		print_network(p, a);
	else if (a->form == ORA_UNIVERSAL || a->form == ORA_RAW)
		print_hex(p, a->form == ORA_RAW ? "R-" : "U-", a);
	else if (a->type == ORA_DDA)
		print_dda(p, a);
	else
		print_terminal(p, a);
}

static void print_type(struct printer *p, const struct oraddr *addr, enum oraddr_type type)
{
	const struct oraddr_attr *ps = NULL, *t = NULL;
	for (size_t k = 0; k < addr->n; k++) {
		/* RFC 2156 4.3.3: the first DDA is the most significant, and that goes last. */
		bool backward = p->notation == ORADDR_RFC2156 && type == ORA_DDA;
		const struct oraddr_attr *a = &addr->v[backward ? addr->n - 1 - k : k];
		if (a->type != type)
			continue;
		if (is_special(type))
			print_special(p, a);
		else if (a->form == ORA_UNIVERSAL || a->form == ORA_RAW)
			print_hex(p, a->form == ORA_RAW ? "R-" : "U-", a);
		else if (a->form == ORA_TELETEX)
			t = t == NULL ? a : t;
		else
			ps = ps == NULL ? a : ps;
	}
	if (ps != NULL || t != NULL)
		print_pair(p, ps, t);
}

/* RFC 1685 section 2: the blank ADMD is written by leaving it out; a reader puts it back beside a
 * country. */
static bool leaves_out(const struct printer *p, const struct oraddr *addr, enum oraddr_type type)
{
	const struct oraddr_attr *a = type == ORA_ADMD ? oraddr_find(addr, type) : NULL;
	return p->notation == ORADDR_F401 && a != NULL && is_single_space(a) &&
	       oraddr_find(addr, ORA_COUNTRY) != NULL;
}

/* Units that have only a universal form, above one that has text: then OU alone would name the
 * wrong unit. */
static bool needs_numbers(const struct oraddr *addr)
{
	unsigned text = 0, all = 0;
	for (size_t i = 0; i < addr->n; i++) {
		const struct oraddr_attr *a = &addr->v[i];
		unsigned bit =
			a->type >= ORA_OU1 && a->type <= ORA_OU4 ? 1u << (a->type - ORA_OU1) : 0;
		all |= bit;
		text |= a->form <= ORA_TELETEX ? bit : 0;
	}
	return text != all || (all & (all + 1)) != 0;
}

void oraddr_print(const struct oraddr *addr, enum oraddr_notation notation, struct out *o)
{
	struct printer p = {o, notation, false, false, needs_numbers(addr)};
	const enum oraddr_type *order = notation == ORADDR_F401 ? order_f401 : order_rfc2156;
	uint64_t present =
		0; /* so that the usual short address costs one pass, not one for each type */
	for (size_t i = 0; i < addr->n; i++)
		present |= (uint64_t)1 << addr->v[i].type;
	for (size_t i = 0; i < ARRAY_LEN(order_f401); i++)
		if ((present >> order[i] & 1) != 0 && !leaves_out(&p, addr, order[i]))
			print_type(&p, addr, order[i]);
	if (addr->n == 0 && addr->directory_name.n > 0) {
		begin(&p);
		out_str(o, "X-DN=");
		text_hex(o, addr->directory_name);
	}
	if (notation == ORADDR_RFC2156 && p.begun)
		out_u8(o, '/');
}
