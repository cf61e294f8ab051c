/* p1_addr_name.c - a flat list of attributes to ORName. The extension attributes are written in the
 * order in which their first part stands in the list. */
#include "flow/codec/p1/p1_attribute.h"

struct naming {
	const struct oraddr *addr;
	struct p1_orname *name;
	struct p1_extension_attribute *ext;
	struct arena *a;
	struct out scratch;
	uint64_t done; /* bit: the extension attribute of that number is written */
	struct view unit[P1_UNITS_MAX];
	size_t more_units; /* P1_IN_UNITS */
	struct err *e;
};

static bool refuse(struct naming *n, const struct oraddr_attr *at)
{
	return err_report(n->e, ERR_PERM, ERR_OF_RECIPIENT, 1, 11,
			  "O/R address: attribute type %d in form %d has no place in an ORName",
			  (int)at->type, (int)at->form);
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

static bool set_words(struct ber_seq *seq, unsigned i, struct p1_words *w,
		      const struct oraddr_attr *at)
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
	case ORA_ORGANIZATION:
		return set_string(&s->seq, P1_BSA_ORGANIZATION, &s->organization, at->value);
	case ORA_X121: return set_string(&s->seq, P1_BSA_NETWORK, &s->network, at->value);
	case ORA_TERMINAL_ID: return set_string(&s->seq, P1_BSA_TERMINAL, &s->terminal, at->value);
	case ORA_NUMERIC_USER_ID:
		return set_string(&s->seq, P1_BSA_NUMERIC_USER, &s->numeric_user, at->value);
	case ORA_SURNAME:
	case ORA_GIVEN:
	case ORA_INITIALS:
	case ORA_GENERATION: {
		unsigned i = (unsigned)(at->type - ORA_SURNAME);
		set(&s->seq, P1_BSA_PERSONAL);
		return set_string(&s->personal.seq, i, &s->personal.part[i], at->value);
	}
	case ORA_OU1:
	case ORA_OU2:
	case ORA_OU3:
	case ORA_OU4: n->unit[at->type - ORA_OU1] = at->value; return true;
	default: return false;
	}
}

/* Units without a gap: in the protocol they have places, no numbers, so that OU2 alone becomes the first. */
static bool name_units(struct naming *n)
{
	struct p1_standard_attributes *s = &n->name->standard;
	size_t most = n->more_units;
	for (size_t i = 0; i < P1_UNITS_MAX; i++)
		most += n->unit[i].p != NULL;
	if (most == 0)
		return true;
	struct view *v = arena_array(n->a, most, sizeof *v);
	if (v == NULL)
		return full(n);
	for (size_t i = 0; i < P1_UNITS_MAX; i++)
		if (n->unit[i].p != NULL)
			v[s->units.n++] = n->unit[i];
	for (size_t i = 0; i < n->addr->n && n->more_units > 0; i++) {
		const struct oraddr_attr *at = &n->addr->v[i];
		if (at->type != ORA_UNKNOWN_RAW || at->number != P1_IN_UNITS)
			continue;
		if (!ber_decode(&p1_printable, at->value, &v[s->units.n++], n->a, &p1_inner_limits,
				NULL))
			return refuse(n, at);
	}
	s->units.v = v;
	set(&s->seq, P1_BSA_UNITS);
	return true;
}

static bool add_extension(struct naming *n, unsigned number, struct view tlv)
{
	n->ext[n->name->extensions.n++] =
		(struct p1_extension_attribute){.type = number, .value = tlv};
	return true;
}

static bool add_encoded(struct naming *n, unsigned number, const struct ber_type *t,
			const void *value)
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
static const struct oraddr_attr *find(const struct naming *n, enum oraddr_type type,
				      enum oraddr_form form)
{
	for (size_t i = 0; i < n->addr->n; i++)
		if (n->addr->v[i].type == type && n->addr->v[i].form == form)
			return &n->addr->v[i];
	return NULL;
}

/* An opaque SET whose content octets are `v`. */
static struct ber_seq opaque_of(struct naming *n, struct view v)
{
	struct ber_seq seq = {.extra = arena_get(n->a, sizeof *seq.extra)};
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

static bool name_parameter(struct naming *n, const struct p1_single *s,
			   const struct oraddr_attr *at)
{
	struct p1_pds_parameter p = {0};
	if (at->form == ORA_UNIVERSAL) {
		struct ber_seq set_of = opaque_of(n, at->value);
		return add_encoded(n, s->universal, &p1_opaque_set, &set_of);
	}
	if (is_done(n, s->printable))
		return true;
	const struct oraddr_attr *printable = find(n, at->type, ORA_PRINTABLE),
				 *teletex = find(n, at->type, ORA_TELETEX);
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
	struct p1_postal_lines p = {0};
	if (is_done(n, P1_ATTR_LINES))
		return true;
	const struct oraddr_attr *printable = find(n, at->type, ORA_PRINTABLE),
				 *teletex = find(n, at->type, ORA_TELETEX);
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
	return add_encoded(n, P1_ATTR_LINES, &p1_postal_lines_type, &p);
}

static bool name_personal(struct naming *n, const struct oraddr_attr *at)
{
	struct p1_personal_name teletex = {0};
	struct p1_opaque_name universal = {0};
	bool is_universal = at->form == ORA_UNIVERSAL;
	unsigned number = is_universal ? P1_ATTR_UNIVERSAL_NAME : P1_ATTR_TELETEX_NAME;
	if (is_done(n, number))
		return true;
	for (unsigned i = 0; i < 4; i++) {
		const struct oraddr_attr *part =
			find(n, (enum oraddr_type)(ORA_SURNAME + i), at->form);
		if (part == NULL)
			continue;
		set(&teletex.seq, i);
		set(&universal.seq, i);
		teletex.part[i] = part->value;
		if (is_universal)
			universal.part[i] = opaque_of(n, part->value);
	}
	if (is_universal)
		return add_encoded(n, number, &p1_opaque_name_type, &universal);
	return add_encoded(n, number, &p1_teletex_name_type, &teletex);
}

static bool name_form_units(struct naming *n, const struct oraddr_attr *at)
{
	struct view v[P1_UNITS_MAX];
	struct ber_seq set_of[P1_UNITS_MAX];
	struct ber_list list = {0};
	bool universal = at->form == ORA_UNIVERSAL;
	unsigned number = universal ? P1_ATTR_UNIVERSAL_UNITS : P1_ATTR_TELETEX_UNITS;
	if (is_done(n, number))
		return true;
	for (unsigned i = 0; i < P1_UNITS_MAX; i++) {
		const struct oraddr_attr *unit = find(n, (enum oraddr_type)(ORA_OU1 + i), at->form);
		if (unit == NULL)
			continue;
		v[list.n] = unit->value;
		if (universal)
			set_of[list.n] = opaque_of(n, unit->value);
		list.n++;
	}
	list.v = universal ? (void *)set_of : (void *)v;
	return add_encoded(n, number, universal ? &p1_opaque_units_type : &p1_teletex_units_type,
			   &list);
}

/* All domain-defined attributes of one form, in their order. */
static bool name_defined(struct naming *n, const struct oraddr_attr *at)
{
	static const unsigned numbers[] = {[ORA_PRINTABLE] = 0,
					   [ORA_NUMERIC] = 0,
					   [ORA_TELETEX] = P1_ATTR_TELETEX_DEFINED,
					   [ORA_UNIVERSAL] = P1_ATTR_UNIVERSAL_DEFINED};
	if ((size_t)at->form >= ARRAY_LEN(numbers))
		return refuse(n, at);
	unsigned number = numbers[at->form];
	bool universal = at->form == ORA_UNIVERSAL;
	size_t size =
		universal ? sizeof(struct p1_opaque_defined) : sizeof(struct p1_domain_defined);
	if (is_done(n, number)) /* bit 0: the built-in ones */
		return true;
	struct ber_list list = {arena_array(n->a, n->addr->n, size), 0};
	for (size_t i = 0; i < n->addr->n && list.v != NULL; i++) {
		const struct oraddr_attr *x = &n->addr->v[i];
		if (x->type != ORA_DDA || (size_t)x->form >= ARRAY_LEN(numbers) ||
		    numbers[x->form] != number)
			continue;
		if (universal)
			((struct p1_opaque_defined *)list.v)[list.n++] =
				(struct p1_opaque_defined){.type = opaque_of(n, x->type_name),
							   .value = opaque_of(n, x->value)};
		else
			((struct p1_domain_defined *)list.v)[list.n++] =
				(struct p1_domain_defined){.type = x->type_name, .value = x->value};
	}
	if (list.v == NULL)
		return full(n);
	if (number == 0) {
		n->name->domain_defined = list;
		set(&n->name->seq, P1_ORNAME_DOMAIN_DEFINED);
		return true;
	}
	return add_encoded(n, number,
			   universal ? &p1_opaque_defined_type : &p1_teletex_defined_type, &list);
}

static bool name_terminal(struct naming *n, const struct oraddr_attr *at)
{
	int64_t x = 0;
	for (size_t i = 0; i < at->value.n; i++) {
		if (at->value.p[i] < '0' || at->value.p[i] > '9' || i > 17)
			return refuse(n, at);
		x = x * 10 + (at->value.p[i] - '0');
	}
	return at->value.n == 0 ? refuse(n, at)
				: add_encoded(n, P1_ATTR_TERMINAL, &p1_terminal_type, &x);
}

static bool name_single(struct naming *n, const struct p1_single *s, const struct oraddr_attr *at)
{
	switch (at->form) {
	case ORA_PRINTABLE:
	case ORA_NUMERIC:
		return s->printable == 0 ? refuse(n, at)
					 : add_encoded(n, s->printable, &p1_printable, &at->value);
	case ORA_TELETEX:
		return s->teletex == 0 ? refuse(n, at)
				       : add_encoded(n, s->teletex, &p1_teletex, &at->value);
	case ORA_UNIVERSAL: {
		struct ber_seq set_of = opaque_of(n, at->value);
		return s->universal == 0 ? refuse(n, at)
					 : add_encoded(n, s->universal, &p1_opaque_set, &set_of);
	}
	case ORA_RAW: break;
	}
	return s->printable == 0 ? refuse(n, at) : add_extension(n, s->printable, at->value);
}

static bool name_words(struct naming *n, const struct oraddr_attr *at)
{
	bool country = at->type == ORA_PD_COUNTRY;
	struct p1_words w;
	struct ber_seq unused = {0};
	if (at->form != ORA_PRINTABLE && at->form != ORA_NUMERIC)
		return refuse(n, at);
	w = (struct p1_words){0};
	set_words(&unused, 0, &w, at);
	return add_encoded(n, country ? P1_ATTR_PD_COUNTRY : P1_ATTR_POSTAL_CODE,
			   country ? &p1_postal_country_type : &p1_postal_code_type, &w);
}

static bool add_unknown_to(struct naming *n, const struct oraddr_attr *at)
{
	struct ber_seq *seq = at->number == P1_IN_PERSONAL   ? &n->name->standard.personal.seq
			      : at->number == P1_IN_STANDARD ? &n->name->standard.seq
							     : &n->name->seq;
	if (at->value.n == 0)
		return refuse(n, at);
	if (at->number == P1_IN_UNITS) {
		n->more_units++;
		return true;
	}
	if (at->number == P1_IN_PERSONAL)
		set(&n->name->standard.seq, P1_BSA_PERSONAL);
	if (seq->extra == NULL)
		seq->extra = arena_array(n->a, n->addr->n, sizeof *seq->extra);
	if (seq->extra == NULL)
		return full(n);
	seq->extra[seq->n_extra++] = (struct ber_raw){at->value, 64}; /* behind all fields */
	return true;
}

static bool name_extended(struct naming *n, const struct oraddr_attr *at)
{
	switch (at->type) {
	case ORA_SURNAME:
	case ORA_GIVEN:
	case ORA_INITIALS:
	case ORA_GENERATION: return at->form == ORA_RAW ? refuse(n, at) : name_personal(n, at);
	case ORA_OU1:
	case ORA_OU2:
	case ORA_OU3:
	case ORA_OU4: return at->form == ORA_RAW ? refuse(n, at) : name_form_units(n, at);
	case ORA_DDA: return name_defined(n, at);
	case ORA_PD_COUNTRY:
	case ORA_POSTAL_CODE: return name_words(n, at);
	case ORA_TERMINAL_TYPE: return name_terminal(n, at);
	case ORA_EXTENDED_NETWORK:
		return at->value.n == 0 ? refuse(n, at)
					: add_extension(n, P1_ATTR_NETWORK, at->value);
	case ORA_EXTENSION_RAW:
		return at->value.n == 0 ? refuse(n, at) : add_extension(n, at->number, at->value);
	case ORA_UNKNOWN_RAW: return add_unknown_to(n, at);
	default: break;
	}
	for (size_t i = 0; i < P1_SINGLES; i++)
		if (p1_singles[i].type == at->type)
			return name_single(n, &p1_singles[i], at);
	if (at->form == ORA_RAW)
		return refuse(n, at);
	if (at->type == ORA_PD_ADDRESS && at->form != ORA_UNIVERSAL)
		return name_lines(n, at);
	for (size_t i = 0; i < P1_PARAMETERS; i++)
		if (p1_parameters[i].type == at->type)
			return name_parameter(n, &p1_parameters[i], at);
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

bool p1_orname_of_addr(const struct oraddr *addr, struct p1_orname *name_r, struct arena *a,
		       struct err *e)
{
	*name_r = (struct p1_orname){0};
	struct naming n = {.addr = addr, .name = name_r, .a = a, .e = e};
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
