/* downgrade.c - see downgrade.h. */
#include "flow/message/downgrade.h"

#include "flow/message/oraddr_int.h"

enum {
	CONVERSION_NOT_PERFORMED = 2,
	UNABLE_TO_DOWNGRADE = 47, /* X.411 */
	PIECES_MAX = 4,           /* X400-88, X400-C1 .. X400-C3 */
	REASON_84_MAX = 2,
	DIAGNOSTIC_84_MAX = 11,
};

static const char *const pieces[PIECES_MAX] = { "X400-88", "X400-C1", "X400-C2", "X400-C3" };

/* --- attributes --- */

/* X.411 (1984) StandardAttributeList and DomainDefinedAttributeList. */
static bool is_of_1984(const struct oraddr_attr *at)
{
	if (at->form != ORA_PRINTABLE && at->form != ORA_NUMERIC)
		return false;
	return (at->type >= ORA_COUNTRY && at->type <= ORA_OU4) || (at->type >= ORA_SURNAME && at->type <= ORA_NUMERIC_USER_ID) ||
	       at->type == ORA_DDA;
}

static bool is_common_name(const struct oraddr_attr *at)
{
	return at->type == ORA_COMMON_NAME && at->form == ORA_PRINTABLE && at->value.n > 0 && at->value.n <= ORA_DDA_VALUE_UB;
}

static bool is_dda(const struct oraddr_attr *at, const char *type)
{
	return at->type == ORA_DDA && at->form == ORA_PRINTABLE && oraddr_value_eq(at->type_name, view_str(type));
}

static bool is_common_dda(const struct oraddr_attr *at)
{
	return is_dda(at, "Common") || is_dda(at, "common-name"); /* RFC 1328 3.2, RFC 1615 4.2 */
}

static const struct oraddr_attr *find_dda(const struct oraddr *addr, const char *type)
{
	for (size_t i = 0; i < addr->n; i++)
		if (is_dda(&addr->v[i], type))
			return &addr->v[i];
	return NULL;
}

static struct oraddr_attr dda_of(const char *type, struct view value)
{
	return (struct oraddr_attr){ .type = ORA_DDA, .form = ORA_PRINTABLE, .type_name = view_str(type), .value = value };
}

/* --- an address in the alphabet of PrintableString (RFC 2156 3.4) --- */

static const struct {
	uint8_t octet, letter;
} shorts[] = { { '@', 'a' }, { '%', 'p' }, { '!', 'b' }, { '"', 'q' }, { '_', 'u' }, { '(', 'l' }, { ')', 'r' } };

static void put_encoded(struct out *o, uint8_t c)
{
	for (size_t i = 0; i < ARRAY_LEN(shorts); i++)
		if (shorts[i].octet == c) {
			out_fmt(o, "(%c)", shorts[i].letter);
			return;
		}
	if (oraddr_is_ps_char(c))
		out_u8(o, c);
	else
		out_fmt(o, "(%03u)", c);
}

/* What stands between the brackets at the start of v, with both; 0: none of the forms. */
static size_t take_encoded(struct view v, uint8_t *c_r)
{
	if (v.n >= 3 && v.p[2] == ')')
		for (size_t i = 0; i < ARRAY_LEN(shorts); i++)
			if (shorts[i].letter == (v.p[1] | 0x20)) {
				*c_r = shorts[i].octet;
				return 3;
			}
	if (v.n < 5 || v.p[4] != ')' || !oraddr_all_digits(view_of(v.p + 1, 3)))
		return 0;
	unsigned x = (v.p[1] - '0') * 100u + (v.p[2] - '0') * 10u + (v.p[3] - '0');
	*c_r = (uint8_t)x;
	return x <= 127 ? 5 : 0;
}

static bool decode_text(struct view v, struct out *o)
{
	while (v.n > 0) {
		uint8_t c = v.p[0];
		size_t used = c == '(' ? take_encoded(v, &c) : 1;
		if (used == 0)
			return false;
		out_u8(o, c);
		v = view_from(v, used);
	}
	return true;
}

/* --- to 1984 --- */

static bool unable(struct err *e, enum err_culprit culprit, const char *what, const char *why)
{
	return err_report(e, ERR_PERM, culprit, CONVERSION_NOT_PERFORMED, UNABLE_TO_DOWNGRADE,
			  "a system of 1984 cannot take the %s: %s", what, why);
}

/* Of what is left when none of 1988 is there: 0, 1 (one common name), 2 (more than that). */
static unsigned beyond_1984(const struct oraddr *addr)
{
	unsigned names = 0;
	for (size_t i = 0; i < addr->n; i++)
		if (is_common_name(&addr->v[i]))
			names++;
		else if (!is_of_1984(&addr->v[i]))
			return 2;
	if (addr->n == 0)
		return 2;
	return names;
}

static size_t count_ddas(const struct oraddr *addr)
{
	size_t n = 0;
	for (size_t i = 0; i < addr->n; i++)
		n += addr->v[i].type == ORA_DDA;
	return n;
}

/* Common stands before the other domain-defined attributes, where their order would be the most significant one's. */
static bool name_as_dda(const struct oraddr *addr, struct oraddr *addr_r, struct arena *a)
{
	struct oraddr to = { arena_array(a, addr->n, sizeof *to.v), 0, { NULL, 0 } };
	if (to.v == NULL)
		return false;
	for (size_t i = 0; i < addr->n; i++)
		if (is_of_1984(&addr->v[i]) && addr->v[i].type != ORA_DDA)
			to.v[to.n++] = addr->v[i];
	for (size_t i = 0; i < addr->n; i++)
		if (is_common_name(&addr->v[i]))
			to.v[to.n++] = dda_of("Common", addr->v[i].value);
	for (size_t i = 0; i < addr->n; i++)
		if (is_of_1984(&addr->v[i]) && addr->v[i].type == ORA_DDA)
			to.v[to.n++] = addr->v[i];
	*addr_r = to;
	return true;
}

static void add_part(struct oraddr *to, enum oraddr_type type, const struct gdi_part *part)
{
	if (part->value.n > 0)
		to->v[to->n++] = (struct oraddr_attr){ .type = type, .form = part->form, .value = part->value };
}

/* Country and domains: the relay's, or those of the address. Room for three. */
static void add_domain(struct oraddr *to, const struct oraddr *addr, const struct gdi *relay)
{
	if (relay != NULL) {
		add_part(to, ORA_COUNTRY, &relay->country);
		add_part(to, ORA_ADMD, &relay->admd);
		if (relay->has_prmd)
			add_part(to, ORA_PRMD, &relay->prmd);
		return;
	}
	for (enum oraddr_type type = ORA_COUNTRY; type <= ORA_PRMD; type++) {
		const struct oraddr_attr *at = oraddr_find(addr, type);
		if (at != NULL && is_of_1984(at))
			to->v[to->n++] = *at;
	}
}

static bool address_as_ddas(const struct oraddr *addr, const struct gdi *relay, struct oraddr *addr_r, struct arena *a,
			    struct err *e)
{
	struct out plain, text;
	out_init(&plain, 64 * 1024);
	out_init(&text, PIECES_MAX * ORA_DDA_VALUE_UB);
	oraddr_print(addr, ORADDR_RFC2156, &plain);
	const struct view v = out_view(&plain);
	for (size_t i = 0; i < v.n && !text.bad; i++)
		put_encoded(&text, v.p[i]);
	const bool fits = !plain.bad && !text.bad && out_len(&text) > 0;
	struct view left = fits ? arena_copy(a, out_view(&text)) : (struct view){ NULL, 0 };
	out_fini(&text);
	out_fini(&plain);
	if (!fits)
		return unable(e, ERR_OF_RECIPIENT, "address", "it has attributes of 1988, and is longer than X400-88 to X400-C3 hold");
	struct oraddr to = { arena_array(a, 3 + PIECES_MAX, sizeof *to.v), 0, { NULL, 0 } };
	if (to.v == NULL || left.n == 0)
		return unable(e, ERR_OF_RECIPIENT, "address", "no memory for its attributes of 1988");
	add_domain(&to, addr, relay);
	if (to.n == 0)
		return unable(e, ERR_OF_RECIPIENT, "address", "it has attributes of 1988, and no country to stand beside them");
	for (size_t i = 0; left.n > 0; i++) {
		struct view piece = view_first(left, ORA_DDA_VALUE_UB);
		to.v[to.n++] = dda_of(pieces[i], piece);
		left = view_from(left, piece.n);
	}
	*addr_r = to;
	return true;
}

bool downgrade_address(const struct oraddr *addr, const struct gdi *relay, struct oraddr *addr_r, struct arena *a, struct err *e)
{
	const unsigned beyond = beyond_1984(addr);
	if (beyond == 0) {
		*addr_r = (struct oraddr){ addr->v, addr->n, { NULL, 0 } };
		return true;
	}
	bool common = false;
	for (size_t i = 0; i < addr->n; i++)
		common = common || is_common_dda(&addr->v[i]);
	if (beyond == 1 && !common && count_ddas(addr) < ORA_DDA_MAX)
		return name_as_dda(addr, addr_r, a) || unable(e, ERR_OF_RECIPIENT, "address", "no memory for its common name");
	if (addr->n == 0 && addr->directory_name.n == 0)
		return unable(e, ERR_OF_RECIPIENT, "address", "it is empty");
	return address_as_ddas(addr, relay, addr_r, a, e);
}

bool downgrade_address_rest(const struct oraddr *addr, const struct gdi *relay, struct oraddr *addr_r, struct arena *a)
{
	if (downgrade_address(addr, relay, addr_r, a, NULL))
		return true;
	struct oraddr to = { arena_array(a, addr->n + 3, sizeof *to.v), 0, { NULL, 0 } };
	if (to.v == NULL)
		return false;
	for (size_t i = 0; i < addr->n; i++)
		if (is_of_1984(&addr->v[i]))
			to.v[to.n++] = addr->v[i];
	if (to.n == 0)
		add_domain(&to, addr, relay);
	*addr_r = to;
	return !arena_full(a);
}

/* --- from 1984 --- */

static struct gdi_part part_of(const struct oraddr *addr, enum oraddr_type type)
{
	const struct oraddr_attr *at = oraddr_find(addr, type);
	return at == NULL ? (struct gdi_part){ 0 } : (struct gdi_part){ at->form, at->value };
}

static bool is_in(const struct oraddr *addr, const struct gdi *relay)
{
	struct gdi own = { part_of(addr, ORA_COUNTRY), part_of(addr, ORA_ADMD), part_of(addr, ORA_PRMD), false };
	own.has_prmd = own.prmd.value.n > 0;
	return gdi_eq(&own, relay);
}

/* False: it is none, or not one that can be read. */
static bool address_of_ddas(const struct oraddr *addr, struct oraddr *addr_r, struct arena *a)
{
	struct out joined, plain;
	bool good = find_dda(addr, pieces[0]) != NULL;
	if (!good)
		return false;
	out_init(&joined, 64 * 1024);
	out_init(&plain, 64 * 1024);
	for (size_t i = 0; i < PIECES_MAX; i++) {
		const struct oraddr_attr *at = find_dda(addr, pieces[i]);
		if (at == NULL)
			break;
		out_bytes(&joined, at->value);
	}
	good = !joined.bad && decode_text(out_view(&joined), &plain) && out_len(&plain) > 0 && out_view(&plain).p[0] == '/' &&
	       oraddr_parse(out_view(&plain), addr_r, a, ORADDR_CARRY, NULL) &&
	       (addr_r->n > 0 || addr_r->directory_name.n > 0);
	out_fini(&plain);
	out_fini(&joined);
	return good;
}

/* The one that becomes a common name; NULL: none does. */
static const struct oraddr_attr *common_of(const struct oraddr *addr)
{
	const struct oraddr_attr *found = NULL;
	for (size_t i = 0; i < addr->n; i++) {
		const struct oraddr_attr *at = &addr->v[i];
		if (at->type == ORA_COMMON_NAME || (is_common_dda(at) && found != NULL))
			return NULL;
		if (is_common_dda(at))
			found = at;
	}
	return found != NULL && found->value.n > 0 && found->value.n <= oraddr_row(ORA_COMMON_NAME)->ub ? found : NULL;
}

bool upgrade_address(const struct oraddr *addr, const struct gdi *relay, struct oraddr *addr_r, struct arena *a)
{
	struct oraddr to;
	if ((relay == NULL || is_in(addr, relay)) && address_of_ddas(addr, &to, a)) {
		*addr_r = to;
		return !arena_full(a);
	}
	const struct oraddr_attr *common = common_of(addr);
	to = *addr;
	if (common != NULL) {
		to.v = arena_array(a, addr->n, sizeof *to.v);
		if (to.v == NULL)
			return false;
		to.n = 0;
		for (size_t i = 0; i < addr->n; i++)
			if (&addr->v[i] != common)
				to.v[to.n++] = addr->v[i];
		to.v[to.n++] = (struct oraddr_attr){ .type = ORA_COMMON_NAME, .form = ORA_PRINTABLE, .value = common->value };
	}
	*addr_r = to;
	return !arena_full(a);
}

bool upgrade_message(struct message *m, const struct gdi *relay, struct arena *a)
{
	bool good = upgrade_address(&m->originator, relay, &m->originator, a);
	for (size_t i = 0; i < m->n_rcpt && good; i++) {
		struct recipient *r = &m->rcpt[i];
		good = upgrade_address(&r->addr, relay, &r->addr, a) &&
		       (!r->has_intended || upgrade_address(&r->intended, relay, &r->intended, a));
	}
	return good;
}

/* --- what may not be left out --- */

static bool check_extensions(const struct extensions *x, enum err_culprit culprit, struct err *e)
{
	for (size_t i = 0; i < x->n; i++) {
		char what[80];
		const char *name = x->v[i].is_private ? NULL : extension_name(x->v[i].number);
		if ((x->v[i].criticality & EXT_FOR_TRANSFER) == 0)
			continue;
		if (x->v[i].is_private)
			snprintf(what, sizeof what, "private extension");
		else if (name == NULL)
			snprintf(what, sizeof what, "extension %u", x->v[i].number);
		else
			snprintf(what, sizeof what, "extension %s", name);
		return unable(e, culprit, what, "it is critical for transfer");
	}
	return true;
}

bool downgrade_check(const struct message *m, const struct gdi *relay, struct arena *a, struct err *e)
{
	struct oraddr tried;
	if (m->kind == MESSAGE_REPORT)
		return true;
	if (!check_extensions(&m->ext, ERR_OF_MESSAGE, e))
		return false;
	if ((m->latest_delivery != 0 || m->latest_raw.n > 0) && (m->latest_crit & EXT_FOR_TRANSFER) != 0)
		return unable(e, ERR_OF_MESSAGE, "extension latest-delivery-time", "it is critical for transfer");
	if (downgrade_address(&m->originator, relay, &tried, a, e))
		return true;
	if (e != NULL)
		e->culprit = ERR_OF_MESSAGE;
	return false;
}

bool downgrade_check_recipient(const struct message *m, const struct recipient *r, const struct gdi *relay, struct arena *a,
			       struct err *e)
{
	struct oraddr tried;
	if (m->kind == MESSAGE_REPORT)
		return true;
	return check_extensions(&r->ext, ERR_OF_RECIPIENT, e) && downgrade_address(&r->addr, relay, &tried, a, e);
}

int downgrade_reason(int reason)
{
	return reason >= 0 && reason <= REASON_84_MAX ? reason : 1;
}

int downgrade_diagnostic(int diagnostic)
{
	return diagnostic <= DIAGNOSTIC_84_MAX ? diagnostic : -1;
}
