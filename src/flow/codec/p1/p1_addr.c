/* p1_addr.c - ORName to a flat list of attributes (the other way: p1_addr_name.c).
 *
 * Built-in attributes come first, in the order of enum oraddr_type, then the extension attributes
 * as they came. What has a shape that the list cannot hold (unknown elements inside, a second
 * teletex-personal-name) stays ORA_EXTENSION_RAW; an unknown element of the name is
 * ORA_UNKNOWN_RAW, `number` says where it stood. */
#include "flow/codec/p1/p1_attribute.h"

const struct p1_single p1_singles[P1_SINGLES] = {
	{ORA_COMMON_NAME, 1, 2, 24},
	{ORA_ORGANIZATION, 0, 3, 25}, /* printable: built-in */
	{ORA_PDS_NAME, 7, 0, 0},
};

/* PDSParameter: printable and teletex side by side. */
const struct p1_single p1_parameters[P1_PARAMETERS] = {
	{ORA_PD_OFFICE_NAME, 10, 10, 29},  {ORA_PD_OFFICE_NUMBER, 11, 11, 30},
	{ORA_PD_EXTENSION, 12, 12, 31},	   {ORA_PD_PERSON, 13, 13, 32},
	{ORA_PD_ORGANIZATION, 14, 14, 33}, {ORA_PD_COMPONENTS, 15, 15, 34},
	{ORA_PD_ADDRESS, 16, 16, 35},	   {ORA_STREET, 17, 17, 36},
	{ORA_PO_BOX, 18, 18, 37},	   {ORA_POSTE_RESTANTE, 19, 19, 38},
	{ORA_UNIQUE_POSTAL, 20, 20, 39},   {ORA_LOCAL_POSTAL, 21, 21, 40},
};

#define OPAQUE_PART(i, row_name)                                                                   \
	{                                                                                          \
		.name = row_name, P1_FIELD(p1_opaque_name, part[i]), .type = &p1_opaque_set,       \
		.tag = BER_C(i), .flags = BER_OPTIONAL                                             \
	}
static const struct ber_field opaque_name_rows[] = {
	OPAQUE_PART(0, "surname"),
	OPAQUE_PART(1, "given-name"),
	OPAQUE_PART(2, "initials"),
	OPAQUE_PART(3, "generation-qualifier"),
};
const struct ber_type p1_opaque_name_type = {.name = "UniversalPersonalName",
					     .kind = BER_SET,
					     .tag = BER_U(17),
					     .size = sizeof(struct p1_opaque_name),
					     P1_ROWS(opaque_name_rows)};
const struct ber_type p1_opaque_units_type = {.name = "UniversalOrganizationalUnitNames",
					      .kind = BER_SEQ_OF,
					      .tag = BER_U(16),
					      .size = sizeof(struct ber_list),
					      .of = &p1_opaque_set};
static const struct ber_field opaque_defined_rows[] = {
	{.name = "type", P1_FIELD(p1_opaque_defined, type), .type = &p1_opaque_set},
	{.name = "value", P1_FIELD(p1_opaque_defined, value), .type = &p1_opaque_set},
};
static const struct ber_type opaque_defined = {.name = "UniversalDomainDefinedAttribute",
					       .kind = BER_SEQ,
					       .tag = BER_U(16),
					       .size = sizeof(struct p1_opaque_defined),
					       P1_ROWS(opaque_defined_rows),
					       .closed = true};
const struct ber_type p1_opaque_defined_type = {.name = "UniversalDomainDefinedAttributes",
						.kind = BER_SEQ_OF,
						.tag = BER_U(16),
						.size = sizeof(struct ber_list),
						.of = &opaque_defined};

/* Counts first what there can be at most, so that the list is taken from the arena once. */
struct listing {
	struct oraddr_attr *v;
	size_t n, room;
	struct arena *a;
	uint64_t seen; /* bit: an extension attribute of that number has been taken apart */
};

static struct oraddr_attr *add(struct listing *l, enum oraddr_type type, enum oraddr_form form,
			       struct view value)
{
	if (l->n == l->room) {
		size_t room = l->room * 2 + 8;
		struct oraddr_attr *more = arena_array(l->a, room, sizeof *more);
		if (more == NULL)
			return NULL;
		if (l->n > 0)
			memcpy(more, l->v, l->n * sizeof *more);
		l->v = more;
		l->room = room;
	}
	l->v[l->n] = (struct oraddr_attr){.type = type, .form = form, .value = value};
	return &l->v[l->n++];
}

static void add_raw(struct listing *l, enum oraddr_type type, uint32_t number, struct view value)
{
	struct oraddr_attr *at = add(l, type, ORA_RAW, value);
	if (at != NULL)
		at->number = number;
}

static void add_words(struct listing *l, enum oraddr_type type, const struct p1_words *w)
{
	add(l, type, w->choice.which == P1_WORDS_NUMERIC ? ORA_NUMERIC : ORA_PRINTABLE, w->value);
}

static void add_unknown(struct listing *l, const struct ber_seq *seq, uint32_t where)
{
	for (size_t i = 0; i < seq->n_extra; i++)
		add_raw(l, ORA_UNKNOWN_RAW, where, seq->extra[i].tlv);
}

static bool has(const struct ber_seq *seq, unsigned i)
{
	return (seq->has >> i & 1) != 0;
}

/* X.411 has four units at most; more are carried where they do no harm. */
static void add_unit(struct listing *l, size_t i, struct view unit)
{
	if (i < P1_UNITS_MAX) {
		add(l, (enum oraddr_type)(ORA_OU1 + i), ORA_PRINTABLE, unit);
		return;
	}
	struct out o;
	out_init(&o, SIZE_MAX);
	ber_put_header(&o, p1_printable.tag, false, unit.n);
	out_bytes(&o, unit);
	add_raw(l, ORA_UNKNOWN_RAW, P1_IN_UNITS, arena_copy(l->a, out_view(&o)));
	out_fini(&o);
}

static void list_standard(struct listing *l, const struct p1_standard_attributes *s)
{
	if (has(&s->seq, P1_BSA_COUNTRY))
		add_words(l, ORA_COUNTRY, &s->country);
	if (has(&s->seq, P1_BSA_ADMD))
		add_words(l, ORA_ADMD, &s->admd);
	if (has(&s->seq, P1_BSA_PRMD) && s->prmd.value.n > 0)
		add_words(l, ORA_PRMD, &s->prmd);
	if (has(&s->seq, P1_BSA_ORGANIZATION))
		add(l, ORA_ORGANIZATION, ORA_PRINTABLE, s->organization);
	const struct view *unit = s->units.v;
	for (size_t i = 0; i < s->units.n; i++)
		add_unit(l, i, unit[i]);
	for (unsigned i = 0; i < 4; i++)
		if (has(&s->seq, P1_BSA_PERSONAL) && has(&s->personal.seq, i))
			add(l, (enum oraddr_type)(ORA_SURNAME + i), ORA_PRINTABLE,
			    s->personal.part[i]);
	if (has(&s->seq, P1_BSA_NETWORK))
		add(l, ORA_X121, ORA_NUMERIC, s->network);
	if (has(&s->seq, P1_BSA_TERMINAL))
		add(l, ORA_TERMINAL_ID, ORA_PRINTABLE, s->terminal);
	if (has(&s->seq, P1_BSA_NUMERIC_USER))
		add(l, ORA_NUMERIC_USER_ID, ORA_NUMERIC, s->numeric_user);
}

const struct ber_limits p1_inner_limits = {.depth = 16, .elements = 4096, .bytes = SIZE_MAX};

/* The content of an opaque SET in one piece; the raw elements lie one after the other unless they
 * came indefinite in between, so they are joined only then. */
static struct view opaque_octets(const struct ber_seq *seq, struct arena *a)
{
	size_t n = 0;
	bool joined = true;
	for (size_t i = 0; i < seq->n_extra; i++) {
		joined &= i == 0 ||
			  seq->extra[i].tlv.p == seq->extra[i - 1].tlv.p + seq->extra[i - 1].tlv.n;
		n += seq->extra[i].tlv.n;
	}
	if (n > 0 && joined)
		return view_of(seq->extra[0].tlv.p, n);
	uint8_t *p = arena_get(a, n);
	size_t at = 0;
	for (size_t i = 0; i < seq->n_extra && p != NULL; i++) {
		memcpy(p + at, seq->extra[i].tlv.p, seq->extra[i].tlv.n);
		at += seq->extra[i].tlv.n;
	}
	return view_of(p, p == NULL ? 0 : n);
}

static bool decode(const struct ber_type *t, struct view tlv, void *value, struct arena *a)
{
	return ber_decode(t, tlv, value, a, &p1_inner_limits, NULL);
}

/* Values that are one string or number. */
static bool list_single(struct listing *l, int64_t number, struct view tlv)
{
	struct view v;
	struct ber_seq set;
	for (size_t i = 0; i < P1_SINGLES + P1_PARAMETERS; i++) {
		bool parameter = i >= P1_SINGLES;
		const struct p1_single *s =
			parameter ? &p1_parameters[i - P1_SINGLES] : &p1_singles[i];
		if (s->universal == number) {
			if (!decode(&p1_opaque_set, tlv, &set, l->a) || set.n_extra == 0)
				return false;
			return add(l, s->type, ORA_UNIVERSAL, opaque_octets(&set, l->a)) != NULL;
		}
		if (parameter || (s->printable != number && s->teletex != number))
			continue;
		if (!decode(s->printable == number ? &p1_printable : &p1_teletex, tlv, &v, l->a))
			return false;
		return add(l, s->type, s->printable == number ? ORA_PRINTABLE : ORA_TELETEX, v) !=
		       NULL;
	}
	return false;
}

static enum oraddr_type parameter_type(int64_t number)
{
	for (size_t i = 0; i < P1_PARAMETERS; i++)
		if (p1_parameters[i].printable == number)
			return p1_parameters[i].type;
	return (enum oraddr_type)0;
}

static bool list_parameter(struct listing *l, int64_t number, struct view tlv)
{
	struct p1_pds_parameter p;
	if (!decode(&p1_pds_parameter_type, tlv, &p, l->a) || p.seq.has == 0 || p.seq.n_extra > 0)
		return false;
	if (has(&p.seq, P1_PDS_PRINTABLE))
		add(l, parameter_type(number), ORA_PRINTABLE, p.printable);
	if (has(&p.seq, P1_PDS_TELETEX))
		add(l, parameter_type(number), ORA_TELETEX, p.teletex);
	return true;
}

/* Lines are joined by a line feed, which no PrintableString holds. */
static bool list_lines(struct listing *l, struct view tlv)
{
	struct p1_postal_lines p;
	if (!decode(&p1_postal_lines_type, tlv, &p, l->a) || p.seq.has == 0 || p.seq.n_extra > 0)
		return false;
	const struct view *line = p.printable.v;
	size_t n = p.printable.n;
	for (size_t i = 0; i < p.printable.n; i++) {
		if (line[i].n > 0 && memchr(line[i].p, '\n', line[i].n) != NULL)
			return false;
		n += line[i].n;
	}
	if (has(&p.seq, P1_PDS_PRINTABLE)) {
		uint8_t *text = n == 0 ? NULL : arena_get(l->a, n - 1);
		size_t at = 0;
		if (text == NULL)
			return false;
		for (size_t i = 0; i < p.printable.n; i++) {
			if (i > 0)
				text[at++] = '\n';
			if (line[i].n > 0)
				memcpy(text + at, line[i].p, line[i].n);
			at += line[i].n;
		}
		add(l, ORA_PD_ADDRESS, ORA_PRINTABLE, view_of(text, at));
	}
	if (has(&p.seq, P1_PDS_TELETEX))
		add(l, ORA_PD_ADDRESS, ORA_TELETEX, p.teletex);
	return true;
}

static bool list_teletex_name(struct listing *l, struct view tlv)
{
	struct p1_personal_name p;
	if (!decode(&p1_teletex_name_type, tlv, &p, l->a) || p.seq.has == 0 || p.seq.n_extra > 0)
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (has(&p.seq, i))
			add(l, (enum oraddr_type)(ORA_SURNAME + i), ORA_TELETEX, p.part[i]);
	return true;
}

static bool list_universal_name(struct listing *l, struct view tlv)
{
	struct p1_opaque_name p;
	if (!decode(&p1_opaque_name_type, tlv, &p, l->a) || p.seq.has == 0 || p.seq.n_extra > 0)
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (has(&p.seq, i))
			add(l, (enum oraddr_type)(ORA_SURNAME + i), ORA_UNIVERSAL,
			    opaque_octets(&p.part[i], l->a));
	return true;
}

static bool list_units(struct listing *l, int64_t number, struct view tlv)
{
	bool universal = number == P1_ATTR_UNIVERSAL_UNITS;
	struct ber_list units;
	if (!decode(universal ? &p1_opaque_units_type : &p1_teletex_units_type, tlv, &units,
		    l->a) ||
	    units.n == 0 || units.n > P1_UNITS_MAX)
		return false;
	for (size_t i = 0; i < units.n; i++) {
		struct view v = universal
					? opaque_octets(&((const struct ber_seq *)units.v)[i], l->a)
					: ((const struct view *)units.v)[i];
		add(l, (enum oraddr_type)(ORA_OU1 + i), universal ? ORA_UNIVERSAL : ORA_TELETEX, v);
	}
	return true;
}

static void add_defined(struct listing *l, enum oraddr_form form, struct view type,
			struct view value)
{
	struct oraddr_attr *at = add(l, ORA_DDA, form, value);
	if (at != NULL)
		at->type_name = type;
}

static bool list_defined(struct listing *l, int64_t number, struct view tlv)
{
	struct ber_list list;
	bool universal = number == P1_ATTR_UNIVERSAL_DEFINED;
	if (!decode(universal ? &p1_opaque_defined_type : &p1_teletex_defined_type, tlv, &list,
		    l->a) ||
	    list.n == 0)
		return false;
	for (size_t i = 0; i < list.n; i++) {
		const struct p1_domain_defined *d = (const struct p1_domain_defined *)list.v + i;
		const struct p1_opaque_defined *u = (const struct p1_opaque_defined *)list.v + i;
		if (universal)
			add_defined(l, ORA_UNIVERSAL, opaque_octets(&u->type, l->a),
				    opaque_octets(&u->value, l->a));
		else
			add_defined(l, ORA_TELETEX, d->type, d->value);
	}
	return true;
}

static bool list_terminal(struct listing *l, struct view tlv)
{
	int64_t x;
	char text[24];
	if (!decode(&p1_terminal_type, tlv, &x, l->a) || x < 0)
		return false;
	int n = snprintf(text, sizeof text, "%lld", (long long)x);
	return add(l, ORA_TERMINAL_TYPE, ORA_NUMERIC, arena_copy(l->a, view_of(text, (size_t)n))) !=
	       NULL;
}

static bool list_words(struct listing *l, int64_t number, struct view tlv)
{
	struct p1_words w;
	bool country = number == P1_ATTR_PD_COUNTRY;
	if (!decode(country ? &p1_postal_country_type : &p1_postal_code_type, tlv, &w, l->a))
		return false;
	add_words(l, country ? ORA_PD_COUNTRY : ORA_POSTAL_CODE, &w);
	return true;
}

static bool list_extension(struct listing *l, int64_t number, struct view tlv)
{
	if (number < 1 || number > P1_ATTR_MAX || (l->seen >> number & 1) != 0)
		return false;
	l->seen |= UINT64_C(1) << number;
	switch (number) {
	case P1_ATTR_TELETEX_NAME: return list_teletex_name(l, tlv);
	case P1_ATTR_UNIVERSAL_NAME: return list_universal_name(l, tlv);
	case P1_ATTR_TELETEX_UNITS:
	case P1_ATTR_UNIVERSAL_UNITS: return list_units(l, number, tlv);
	case P1_ATTR_TELETEX_DEFINED:
	case P1_ATTR_UNIVERSAL_DEFINED: return list_defined(l, number, tlv);
	case P1_ATTR_PD_COUNTRY:
	case P1_ATTR_POSTAL_CODE: return list_words(l, number, tlv);
	case P1_ATTR_LINES: return list_lines(l, tlv);
	case P1_ATTR_NETWORK: return add(l, ORA_EXTENDED_NETWORK, ORA_RAW, tlv) != NULL;
	case P1_ATTR_TERMINAL: return list_terminal(l, tlv);
	default: break;
	}
	if (parameter_type(number) != 0)
		return list_parameter(l, number, tlv);
	return list_single(l, number, tlv);
}

bool p1_orname_to_addr(const struct p1_orname *name, struct oraddr *addr_r, struct arena *a)
{
	const struct p1_standard_attributes *s = &name->standard;
	/* Room for what nearly every name has; more is taken when there is more. */
	struct listing l = {.a = a};
	l.room = 6 + s->units.n + name->domain_defined.n + name->extensions.n;
	l.v = arena_array(a, l.room, sizeof *l.v);
	if (l.v == NULL)
		return false;
	list_standard(&l, s);
	const struct p1_domain_defined *d = name->domain_defined.v;
	for (size_t i = 0; i < name->domain_defined.n; i++)
		add_defined(&l, ORA_PRINTABLE, d[i].type, d[i].value);
	const struct p1_extension_attribute *x = name->extensions.v;
	for (size_t i = 0; i < name->extensions.n; i++) {
		size_t before = l.n;
		if (list_extension(&l, x[i].type, x[i].value))
			continue;
		l.n = before;
		if (x[i].type >= 0 && x[i].type <= UINT32_MAX)
			add_raw(&l, ORA_EXTENSION_RAW, (uint32_t)x[i].type, x[i].value);
	}
	add_unknown(&l, &s->personal.seq, P1_IN_PERSONAL);
	add_unknown(&l, &s->seq, P1_IN_STANDARD);
	add_unknown(&l, &name->seq, P1_IN_ADDRESS);
	*addr_r = (struct oraddr){l.v, l.n, name->directory_name};
	return !arena_full(a);
}
