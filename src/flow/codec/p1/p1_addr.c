/* p1_addr.c - ORName to a flat list of attributes and back.
 *
 * Built-in attributes come first, in the order of enum oraddr_type, then the extension attributes as they came; the
 * other way the extension attributes are written in the order in which their first part stands in the list. What has
 * a shape that the list cannot hold (unknown elements inside, a second teletex-personal-name) stays
 * ORA_EXTENSION_RAW; an unknown element of the name is ORA_UNKNOWN_RAW, `number` says where it stood. */
#include "flow/codec/p1/p1_attribute.h"

/* oraddr_attr.number of ORA_UNKNOWN_RAW; IN_UNITS: a fifth organizational unit, as a PrintableString's TLV. */
enum { IN_ADDRESS, IN_STANDARD, IN_PERSONAL, IN_UNITS };

enum { UNITS_MAX = 4, EXT_MAX = 40 };

/* The extension attributes that hold one value of one type. `universal` has the number of the UniversalOrBMPString. */
struct single {
	enum oraddr_type type;
	unsigned printable, teletex, universal;
};
static const struct single singles[] = {
	{ ORA_COMMON_NAME, 1, 2, 24 },
	{ ORA_ORGANIZATION, 0, 3, 25 }, /* printable: built-in */
	{ ORA_PDS_NAME, 7, 0, 0 },
};

/* PDSParameter: printable and teletex side by side. */
static const struct single parameters[] = {
	{ ORA_PD_OFFICE_NAME, 10, 10, 29 }, { ORA_PD_OFFICE_NUMBER, 11, 11, 30 }, { ORA_PD_EXTENSION, 12, 12, 31 },
	{ ORA_PD_PERSON, 13, 13, 32 }, { ORA_PD_ORGANIZATION, 14, 14, 33 }, { ORA_PD_COMPONENTS, 15, 15, 34 },
	{ ORA_PD_ADDRESS, 16, 16, 35 }, { ORA_STREET, 17, 17, 36 }, { ORA_PO_BOX, 18, 18, 37 },
	{ ORA_POSTE_RESTANTE, 19, 19, 38 }, { ORA_UNIQUE_POSTAL, 20, 20, 39 }, { ORA_LOCAL_POSTAL, 21, 21, 40 },
};

enum {
	EXT_TELETEX_NAME = 4, EXT_TELETEX_UNITS = 5, EXT_TELETEX_DEFINED = 6, EXT_PD_COUNTRY = 8, EXT_POSTAL_CODE = 9,
	EXT_LINES = 16, EXT_NETWORK = 22, EXT_TERMINAL = 23, EXT_UNIVERSAL_NAME = 26, EXT_UNIVERSAL_UNITS = 27,
	EXT_UNIVERSAL_DEFINED = 28,
};

/* A UniversalOrBMPString is kept as the content octets of its SET, alphabet and language with it. */
struct opaque_name {
	struct ber_seq seq;
	struct ber_seq part[4];
};
#define OPAQUE_PART(i, row_name) \
	{ .name = row_name, P1_FIELD(opaque_name, part[i]), .type = &p1_opaque_set, .tag = BER_C(i), \
	  .flags = BER_OPTIONAL }
static const struct ber_field opaque_name_rows[] = {
	OPAQUE_PART(0, "surname"), OPAQUE_PART(1, "given-name"), OPAQUE_PART(2, "initials"),
	OPAQUE_PART(3, "generation-qualifier"),
};
static const struct ber_type opaque_name = { .name = "UniversalPersonalName", .kind = BER_SET, .tag = BER_U(17),
					     .size = sizeof(struct opaque_name), P1_ROWS(opaque_name_rows) };
static const struct ber_type opaque_units = { .name = "UniversalOrganizationalUnitNames", .kind = BER_SEQ_OF,
					      .tag = BER_U(16), .size = sizeof(struct ber_list),
					      .of = &p1_opaque_set };
struct opaque_defined {
	struct ber_seq seq;
	struct ber_seq type, value;
};
static const struct ber_field opaque_defined_rows[] = {
	{ .name = "type", P1_FIELD(opaque_defined, type), .type = &p1_opaque_set },
	{ .name = "value", P1_FIELD(opaque_defined, value), .type = &p1_opaque_set },
};
static const struct ber_type opaque_defined = { .name = "UniversalDomainDefinedAttribute", .kind = BER_SEQ,
						.tag = BER_U(16), .size = sizeof(struct opaque_defined),
						P1_ROWS(opaque_defined_rows), .closed = true };
static const struct ber_type opaque_defined_list = { .name = "UniversalDomainDefinedAttributes", .kind = BER_SEQ_OF,
						     .tag = BER_U(16), .size = sizeof(struct ber_list),
						     .of = &opaque_defined };

/* --- to the list --- */

/* Counts first what there can be at most, so that the list is taken from the arena once. */
struct listing {
	struct oraddr_attr *v;
	size_t n, room;
	struct arena *a;
	uint64_t seen; /* bit: an extension attribute of that number has been taken apart */
};

static struct oraddr_attr *add(struct listing *l, enum oraddr_type type, enum oraddr_form form, struct view value)
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
	l->v[l->n] = (struct oraddr_attr){ .type = type, .form = form, .value = value };
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
	if (i < UNITS_MAX) {
		add(l, (enum oraddr_type)(ORA_OU1 + i), ORA_PRINTABLE, unit);
		return;
	}
	struct out o;
	out_init(&o, SIZE_MAX);
	ber_put_header(&o, p1_printable.tag, false, unit.n);
	out_bytes(&o, unit);
	add_raw(l, ORA_UNKNOWN_RAW, IN_UNITS, arena_copy(l->a, out_view(&o)));
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
			add(l, (enum oraddr_type)(ORA_SURNAME + i), ORA_PRINTABLE, s->personal.part[i]);
	if (has(&s->seq, P1_BSA_NETWORK))
		add(l, ORA_X121, ORA_NUMERIC, s->network);
	if (has(&s->seq, P1_BSA_TERMINAL))
		add(l, ORA_TERMINAL_ID, ORA_PRINTABLE, s->terminal);
	if (has(&s->seq, P1_BSA_NUMERIC_USER))
		add(l, ORA_NUMERIC_USER_ID, ORA_NUMERIC, s->numeric_user);
}

static const struct ber_limits inner_limits = { .depth = 16, .elements = 4096, .bytes = SIZE_MAX };

/* The content of an opaque SET in one piece; the raw elements lie one after the other unless they came indefinite
 * in between, so they are joined only then. */
static struct view opaque_octets(const struct ber_seq *seq, struct arena *a)
{
	size_t n = 0;
	bool joined = true;
	for (size_t i = 0; i < seq->n_extra; i++) {
		joined &= i == 0 || seq->extra[i].tlv.p == seq->extra[i - 1].tlv.p + seq->extra[i - 1].tlv.n;
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
	return ber_decode(t, tlv, value, a, &inner_limits, NULL);
}

/* Values that are one string or number. */
static bool list_single(struct listing *l, int64_t number, struct view tlv)
{
	struct view v;
	struct ber_seq set;
	for (size_t i = 0; i < ARRAY_LEN(singles) + ARRAY_LEN(parameters); i++) {
		bool parameter = i >= ARRAY_LEN(singles);
		const struct single *s = parameter ? &parameters[i - ARRAY_LEN(singles)] : &singles[i];
		if (s->universal == number) {
			if (!decode(&p1_opaque_set, tlv, &set, l->a) || set.n_extra == 0)
				return false;
			return add(l, s->type, ORA_UNIVERSAL, opaque_octets(&set, l->a)) != NULL;
		}
		if (parameter || (s->printable != number && s->teletex != number))
			continue;
		if (!decode(s->printable == number ? &p1_printable : &p1_teletex, tlv, &v, l->a))
			return false;
		return add(l, s->type, s->printable == number ? ORA_PRINTABLE : ORA_TELETEX, v) != NULL;
	}
	return false;
}

static enum oraddr_type parameter_type(int64_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(parameters); i++)
		if (parameters[i].printable == number)
			return parameters[i].type;
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
	struct opaque_name p;
	if (!decode(&opaque_name, tlv, &p, l->a) || p.seq.has == 0 || p.seq.n_extra > 0)
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (has(&p.seq, i))
			add(l, (enum oraddr_type)(ORA_SURNAME + i), ORA_UNIVERSAL, opaque_octets(&p.part[i], l->a));
	return true;
}

static bool list_units(struct listing *l, int64_t number, struct view tlv)
{
	bool universal = number == EXT_UNIVERSAL_UNITS;
	struct ber_list units;
	if (!decode(universal ? &opaque_units : &p1_teletex_units_type, tlv, &units, l->a) || units.n == 0 ||
	    units.n > UNITS_MAX)
		return false;
	for (size_t i = 0; i < units.n; i++) {
		struct view v = universal ? opaque_octets(&((const struct ber_seq *)units.v)[i], l->a)
					  : ((const struct view *)units.v)[i];
		add(l, (enum oraddr_type)(ORA_OU1 + i), universal ? ORA_UNIVERSAL : ORA_TELETEX, v);
	}
	return true;
}

static void add_defined(struct listing *l, enum oraddr_form form, struct view type, struct view value)
{
	struct oraddr_attr *at = add(l, ORA_DDA, form, value);
	if (at != NULL)
		at->type_name = type;
}

static bool list_defined(struct listing *l, int64_t number, struct view tlv)
{
	struct ber_list list;
	bool universal = number == EXT_UNIVERSAL_DEFINED;
	if (!decode(universal ? &opaque_defined_list : &p1_teletex_defined_type, tlv, &list, l->a) || list.n == 0)
		return false;
	for (size_t i = 0; i < list.n; i++) {
		const struct p1_domain_defined *d = (const struct p1_domain_defined *)list.v + i;
		const struct opaque_defined *u = (const struct opaque_defined *)list.v + i;
		if (universal)
			add_defined(l, ORA_UNIVERSAL, opaque_octets(&u->type, l->a), opaque_octets(&u->value, l->a));
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
	return add(l, ORA_TERMINAL_TYPE, ORA_NUMERIC, arena_copy(l->a, view_of(text, (size_t)n))) != NULL;
}

static bool list_words(struct listing *l, int64_t number, struct view tlv)
{
	struct p1_words w;
	bool country = number == EXT_PD_COUNTRY;
	if (!decode(country ? &p1_postal_country_type : &p1_postal_code_type, tlv, &w, l->a))
		return false;
	add_words(l, country ? ORA_PD_COUNTRY : ORA_POSTAL_CODE, &w);
	return true;
}

static bool list_extension(struct listing *l, int64_t number, struct view tlv)
{
	if (number < 1 || number > EXT_MAX || (l->seen >> number & 1) != 0)
		return false;
	l->seen |= UINT64_C(1) << number;
	switch (number) {
	case EXT_TELETEX_NAME: return list_teletex_name(l, tlv);
	case EXT_UNIVERSAL_NAME: return list_universal_name(l, tlv);
	case EXT_TELETEX_UNITS: case EXT_UNIVERSAL_UNITS: return list_units(l, number, tlv);
	case EXT_TELETEX_DEFINED: case EXT_UNIVERSAL_DEFINED: return list_defined(l, number, tlv);
	case EXT_PD_COUNTRY: case EXT_POSTAL_CODE: return list_words(l, number, tlv);
	case EXT_LINES: return list_lines(l, tlv);
	case EXT_NETWORK: return add(l, ORA_EXTENDED_NETWORK, ORA_RAW, tlv) != NULL;
	case EXT_TERMINAL: return list_terminal(l, tlv);
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
	struct listing l = { .a = a };
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
	add_unknown(&l, &s->personal.seq, IN_PERSONAL);
	add_unknown(&l, &s->seq, IN_STANDARD);
	add_unknown(&l, &name->seq, IN_ADDRESS);
	*addr_r = (struct oraddr){ l.v, l.n, name->directory_name };
	return !arena_full(a);
}

/* --- from the list --- */

struct naming {
	const struct oraddr *addr;
	struct p1_orname *name;
	struct p1_extension_attribute *ext;
	struct arena *a;
	struct out scratch;
	uint64_t done;    /* bit: the extension attribute of that number is written */
	struct view unit[UNITS_MAX];
	size_t more_units; /* IN_UNITS */
	struct err *e;
};

static bool refuse(struct naming *n, const struct oraddr_attr *at)
{
	return err_report(n->e, ERR_PERM, ERR_OF_RECIPIENT, 1, 11,
			  "O/R address: attribute type %d in form %d has no place in an ORName", (int)at->type,
			  (int)at->form);
}

static bool full(struct naming *n)
{
	return err_report(n->e, ERR_PERM, ERR_OF_RECIPIENT, 1, 11,
			  "O/R address: its encoding needs more memory than the quota");
}

static void set(struct ber_seq *seq, unsigned i)
{
	seq->has |= UINT64_C(1) << i;
}

static bool set_words(struct ber_seq *seq, unsigned i, struct p1_words *w, const struct oraddr_attr *at)
{
	set(seq, i);
	w->choice.which = at->form == ORA_NUMERIC ? P1_WORDS_NUMERIC : P1_WORDS_PRINTABLE;
	w->value = at->value;
	return true;
}

static bool set_string(struct ber_seq *seq, unsigned i, struct view *to, struct view value)
{
	set(seq, i);
	*to = value;
	return true;
}

/* Built-in attributes; false: it is none of them in this form. */
static bool name_standard(struct naming *n, const struct oraddr_attr *at)
{
	struct p1_standard_attributes *s = &n->name->standard;
	if (at->form != ORA_PRINTABLE && at->form != ORA_NUMERIC)
		return false;
	switch (at->type) {
	case ORA_COUNTRY: return set_words(&s->seq, P1_BSA_COUNTRY, &s->country, at);
	case ORA_ADMD: return set_words(&s->seq, P1_BSA_ADMD, &s->admd, at);
	case ORA_PRMD: return at->value.n == 0 || set_words(&s->seq, P1_BSA_PRMD, &s->prmd, at);
	case ORA_ORGANIZATION: return set_string(&s->seq, P1_BSA_ORGANIZATION, &s->organization, at->value);
	case ORA_X121: return set_string(&s->seq, P1_BSA_NETWORK, &s->network, at->value);
	case ORA_TERMINAL_ID: return set_string(&s->seq, P1_BSA_TERMINAL, &s->terminal, at->value);
	case ORA_NUMERIC_USER_ID: return set_string(&s->seq, P1_BSA_NUMERIC_USER, &s->numeric_user, at->value);
	case ORA_SURNAME: case ORA_GIVEN: case ORA_INITIALS: case ORA_GENERATION: {
		unsigned i = (unsigned)(at->type - ORA_SURNAME);
		set(&s->seq, P1_BSA_PERSONAL);
		return set_string(&s->personal.seq, i, &s->personal.part[i], at->value);
	}
	case ORA_OU1: case ORA_OU2: case ORA_OU3: case ORA_OU4:
		n->unit[at->type - ORA_OU1] = at->value;
		return true;
	default:
		return false;
	}
}

/* Units without a gap: OU2 alone becomes the first. */
static bool name_units(struct naming *n)
{
	struct p1_standard_attributes *s = &n->name->standard;
	size_t most = n->more_units;
	for (size_t i = 0; i < UNITS_MAX; i++)
		most += n->unit[i].p != NULL;
	if (most == 0)
		return true;
	struct view *v = arena_array(n->a, most, sizeof *v);
	if (v == NULL)
		return full(n);
	for (size_t i = 0; i < UNITS_MAX; i++)
		if (n->unit[i].p != NULL)
			v[s->units.n++] = n->unit[i];
	for (size_t i = 0; i < n->addr->n && n->more_units > 0; i++) {
		const struct oraddr_attr *at = &n->addr->v[i];
		if (at->type != ORA_UNKNOWN_RAW || at->number != IN_UNITS)
			continue;
		if (!ber_decode(&p1_printable, at->value, &v[s->units.n++], n->a, &inner_limits, NULL))
			return refuse(n, at);
	}
	s->units.v = v;
	set(&s->seq, P1_BSA_UNITS);
	return true;
}

static bool add_extension(struct naming *n, unsigned number, struct view tlv)
{
	n->ext[n->name->extensions.n++] = (struct p1_extension_attribute){ .type = number, .value = tlv };
	return true;
}

static bool add_encoded(struct naming *n, unsigned number, const struct ber_type *t, const void *value)
{
	out_clear(&n->scratch);
	if (!ber_encode(t, value, &n->scratch, n->e))
		return false;
	struct view tlv = arena_copy(n->a, out_view(&n->scratch));
	if (arena_full(n->a))
		return full(n);
	return add_extension(n, number, tlv);
}

/* The first attribute of that type and form, or NULL. */
static const struct oraddr_attr *find(const struct naming *n, enum oraddr_type type, enum oraddr_form form)
{
	for (size_t i = 0; i < n->addr->n; i++)
		if (n->addr->v[i].type == type && n->addr->v[i].form == form)
			return &n->addr->v[i];
	return NULL;
}

/* An opaque SET whose content octets are `v`. */
static struct ber_seq opaque_of(struct naming *n, struct view v)
{
	struct ber_seq seq = { .extra = arena_get(n->a, sizeof *seq.extra) };
	if (seq.extra != NULL) {
		seq.extra[0].tlv = v;
		seq.n_extra = 1;
	}
	return seq;
}

/* Several attributes make one extension attribute: written where the first of them stands. */
static bool is_done(struct naming *n, unsigned number)
{
	bool done = (n->done >> number & 1) != 0;
	n->done |= UINT64_C(1) << number;
	return done;
}

static bool name_parameter(struct naming *n, const struct single *s, const struct oraddr_attr *at)
{
	struct p1_pds_parameter p = { 0 };
	if (at->form == ORA_UNIVERSAL) {
		struct ber_seq set_of = opaque_of(n, at->value);
		return add_encoded(n, s->universal, &p1_opaque_set, &set_of);
	}
	if (is_done(n, s->printable))
		return true;
	const struct oraddr_attr *printable = find(n, at->type, ORA_PRINTABLE), *teletex = find(n, at->type, ORA_TELETEX);
	if (printable != NULL)
		set_string(&p.seq, P1_PDS_PRINTABLE, &p.printable, printable->value);
	if (teletex != NULL)
		set_string(&p.seq, P1_PDS_TELETEX, &p.teletex, teletex->value);
	return add_encoded(n, s->printable, &p1_pds_parameter_type, &p);
}

static size_t split_lines(struct view text, struct view *line)
{
	size_t n = 0;
	for (;;) {
		const uint8_t *end = text.n == 0 ? NULL : memchr(text.p, '\n', text.n);
		size_t len = end == NULL ? text.n : (size_t)(end - text.p);
		if (line != NULL)
			line[n] = view_first(text, len);
		n++;
		if (end == NULL)
			return n;
		text = view_of(end + 1, text.n - len - 1);
	}
}

static bool name_lines(struct naming *n, const struct oraddr_attr *at)
{
	struct p1_postal_lines p = { 0 };
	if (is_done(n, EXT_LINES))
		return true;
	const struct oraddr_attr *printable = find(n, at->type, ORA_PRINTABLE), *teletex = find(n, at->type, ORA_TELETEX);
	if (printable != NULL) {
		p.printable.n = split_lines(printable->value, NULL);
		p.printable.v = arena_array(n->a, p.printable.n, sizeof(struct view));
		if (p.printable.v == NULL)
			return full(n);
		split_lines(printable->value, p.printable.v);
		set(&p.seq, P1_PDS_PRINTABLE);
	}
	if (teletex != NULL)
		set_string(&p.seq, P1_PDS_TELETEX, &p.teletex, teletex->value);
	return add_encoded(n, EXT_LINES, &p1_postal_lines_type, &p);
}

static bool name_personal(struct naming *n, const struct oraddr_attr *at)
{
	struct p1_personal_name teletex = { 0 };
	struct opaque_name universal = { 0 };
	bool is_universal = at->form == ORA_UNIVERSAL;
	unsigned number = is_universal ? EXT_UNIVERSAL_NAME : EXT_TELETEX_NAME;
	if (is_done(n, number))
		return true;
	for (unsigned i = 0; i < 4; i++) {
		const struct oraddr_attr *part = find(n, (enum oraddr_type)(ORA_SURNAME + i), at->form);
		if (part == NULL)
			continue;
		set(&teletex.seq, i);
		set(&universal.seq, i);
		teletex.part[i] = part->value;
		if (is_universal)
			universal.part[i] = opaque_of(n, part->value);
	}
	if (is_universal)
		return add_encoded(n, number, &opaque_name, &universal);
	return add_encoded(n, number, &p1_teletex_name_type, &teletex);
}

static bool name_form_units(struct naming *n, const struct oraddr_attr *at)
{
	struct view v[UNITS_MAX];
	struct ber_seq set_of[UNITS_MAX];
	struct ber_list list = { 0 };
	bool universal = at->form == ORA_UNIVERSAL;
	unsigned number = universal ? EXT_UNIVERSAL_UNITS : EXT_TELETEX_UNITS;
	if (is_done(n, number))
		return true;
	for (unsigned i = 0; i < UNITS_MAX; i++) {
		const struct oraddr_attr *unit = find(n, (enum oraddr_type)(ORA_OU1 + i), at->form);
		if (unit == NULL)
			continue;
		v[list.n] = unit->value;
		if (universal)
			set_of[list.n] = opaque_of(n, unit->value);
		list.n++;
	}
	list.v = universal ? (void *)set_of : (void *)v;
	return add_encoded(n, number, universal ? &opaque_units : &p1_teletex_units_type, &list);
}

/* All domain-defined attributes of one form, in their order. */
static bool name_defined(struct naming *n, const struct oraddr_attr *at)
{
	static const unsigned numbers[] = { [ORA_PRINTABLE] = 0, [ORA_NUMERIC] = 0,
					    [ORA_TELETEX] = EXT_TELETEX_DEFINED,
					    [ORA_UNIVERSAL] = EXT_UNIVERSAL_DEFINED };
	if ((size_t)at->form >= ARRAY_LEN(numbers))
		return refuse(n, at);
	unsigned number = numbers[at->form];
	bool universal = at->form == ORA_UNIVERSAL;
	size_t size = universal ? sizeof(struct opaque_defined) : sizeof(struct p1_domain_defined);
	if (is_done(n, number)) /* bit 0: the built-in ones */
		return true;
	struct ber_list list = { arena_array(n->a, n->addr->n, size), 0 };
	for (size_t i = 0; i < n->addr->n && list.v != NULL; i++) {
		const struct oraddr_attr *x = &n->addr->v[i];
		if (x->type != ORA_DDA || (size_t)x->form >= ARRAY_LEN(numbers) || numbers[x->form] != number)
			continue;
		if (universal)
			((struct opaque_defined *)list.v)[list.n++] =
				(struct opaque_defined){ .type = opaque_of(n, x->type_name), .value = opaque_of(n, x->value) };
		else
			((struct p1_domain_defined *)list.v)[list.n++] =
				(struct p1_domain_defined){ .type = x->type_name, .value = x->value };
	}
	if (list.v == NULL)
		return full(n);
	if (number == 0) {
		n->name->domain_defined = list;
		set(&n->name->seq, P1_ORNAME_DOMAIN_DEFINED);
		return true;
	}
	return add_encoded(n, number, universal ? &opaque_defined_list : &p1_teletex_defined_type, &list);
}

static bool name_terminal(struct naming *n, const struct oraddr_attr *at)
{
	int64_t x = 0;
	for (size_t i = 0; i < at->value.n; i++) {
		if (at->value.p[i] < '0' || at->value.p[i] > '9' || i > 17)
			return refuse(n, at);
		x = x * 10 + (at->value.p[i] - '0');
	}
	return at->value.n == 0 ? refuse(n, at) : add_encoded(n, EXT_TERMINAL, &p1_terminal_type, &x);
}

static bool name_single(struct naming *n, const struct single *s, const struct oraddr_attr *at)
{
	switch (at->form) {
	case ORA_PRINTABLE: case ORA_NUMERIC:
		return s->printable == 0 ? refuse(n, at) : add_encoded(n, s->printable, &p1_printable, &at->value);
	case ORA_TELETEX:
		return s->teletex == 0 ? refuse(n, at) : add_encoded(n, s->teletex, &p1_teletex, &at->value);
	case ORA_UNIVERSAL: {
		struct ber_seq set_of = opaque_of(n, at->value);
		return s->universal == 0 ? refuse(n, at) : add_encoded(n, s->universal, &p1_opaque_set, &set_of);
	}
	case ORA_RAW: break;
	}
	return s->printable == 0 ? refuse(n, at) : add_extension(n, s->printable, at->value);
}

static bool name_words(struct naming *n, const struct oraddr_attr *at)
{
	bool country = at->type == ORA_PD_COUNTRY;
	struct p1_words w;
	struct ber_seq unused = { 0 };
	if (at->form != ORA_PRINTABLE && at->form != ORA_NUMERIC)
		return refuse(n, at);
	w = (struct p1_words){ 0 };
	set_words(&unused, 0, &w, at);
	return add_encoded(n, country ? EXT_PD_COUNTRY : EXT_POSTAL_CODE,
			   country ? &p1_postal_country_type : &p1_postal_code_type, &w);
}

static bool add_unknown_to(struct naming *n, const struct oraddr_attr *at)
{
	struct ber_seq *seq = at->number == IN_PERSONAL ? &n->name->standard.personal.seq
			      : at->number == IN_STANDARD ? &n->name->standard.seq : &n->name->seq;
	if (at->value.n == 0)
		return refuse(n, at);
	if (at->number == IN_UNITS) {
		n->more_units++;
		return true;
	}
	if (at->number == IN_PERSONAL)
		set(&n->name->standard.seq, P1_BSA_PERSONAL);
	if (seq->extra == NULL)
		seq->extra = arena_array(n->a, n->addr->n, sizeof *seq->extra);
	if (seq->extra == NULL)
		return full(n);
	seq->extra[seq->n_extra++] = (struct ber_raw){ at->value, 64 }; /* behind all fields */
	return true;
}

static bool name_extended(struct naming *n, const struct oraddr_attr *at)
{
	switch (at->type) {
	case ORA_SURNAME: case ORA_GIVEN: case ORA_INITIALS: case ORA_GENERATION:
		return at->form == ORA_RAW ? refuse(n, at) : name_personal(n, at);
	case ORA_OU1: case ORA_OU2: case ORA_OU3: case ORA_OU4:
		return at->form == ORA_RAW ? refuse(n, at) : name_form_units(n, at);
	case ORA_DDA: return name_defined(n, at);
	case ORA_PD_COUNTRY: case ORA_POSTAL_CODE: return name_words(n, at);
	case ORA_TERMINAL_TYPE: return name_terminal(n, at);
	case ORA_EXTENDED_NETWORK:
		return at->value.n == 0 ? refuse(n, at) : add_extension(n, EXT_NETWORK, at->value);
	case ORA_EXTENSION_RAW:
		return at->value.n == 0 ? refuse(n, at) : add_extension(n, at->number, at->value);
	case ORA_UNKNOWN_RAW: return add_unknown_to(n, at);
	default: break;
	}
	for (size_t i = 0; i < ARRAY_LEN(singles); i++)
		if (singles[i].type == at->type)
			return name_single(n, &singles[i], at);
	if (at->form == ORA_RAW)
		return refuse(n, at);
	if (at->type == ORA_PD_ADDRESS && at->form != ORA_UNIVERSAL)
		return name_lines(n, at);
	for (size_t i = 0; i < ARRAY_LEN(parameters); i++)
		if (parameters[i].type == at->type)
			return name_parameter(n, &parameters[i], at);
	return refuse(n, at);
}

/* Country, O, S and the like as printable strings: nothing but the structure itself is needed. */
static bool name_all(struct naming *n)
{
	for (size_t i = 0; i < n->addr->n; i++) {
		const struct oraddr_attr *at = &n->addr->v[i];
		if (name_standard(n, at))
			continue;
		if (n->ext == NULL) {
			n->ext = arena_array(n->a, n->addr->n, sizeof *n->ext);
			if (n->ext == NULL)
				return full(n);
		}
		if (!name_extended(n, at))
			return false;
	}
	return name_units(n);
}

bool p1_orname_of_addr(const struct oraddr *addr, struct p1_orname *name_r, struct arena *a, struct err *e)
{
	*name_r = (struct p1_orname){ 0 };
	struct naming n = { .addr = addr, .name = name_r, .a = a, .e = e };
	out_init(&n.scratch, SIZE_MAX);
	bool good = name_all(&n);
	out_fini(&n.scratch);
	if (!good)
		return false;
	if (arena_full(a))
		return full(&n);
	name_r->extensions.v = n.ext;
	if (name_r->extensions.n > 0)
		set(&name_r->seq, P1_ORNAME_EXTENSIONS);
	name_r->directory_name = addr->directory_name;
	if (addr->directory_name.n > 0)
		set(&name_r->seq, P1_ORNAME_DIRECTORY_NAME);
	return true;
}
