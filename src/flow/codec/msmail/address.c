/* address.c - see address.h: which of the forms an address has, and the way there and back. */
#include "flow/codec/msmail/address_int.h"

#include "base/text.h"

/* ---- the table ---- */

static bool left_matches(const struct mm_map_line *l, const struct mm_name *n)
{
	return (l->any[0] || strcmp(l->ms.network, n->network) == 0) &&
	       (l->any[1] || strcmp(l->ms.postoffice, n->postoffice) == 0) &&
	       (l->any[2] || strcmp(l->ms.mailbox, n->mailbox) == 0);
}

static struct view escaped(struct view plain, struct arena *a)
{
	struct out o;
	out_init(&o, 5 * plain.n + 1);
	mm_escape_printable(plain, &o);
	struct view v = arena_copy(a, out_view(&o));
	out_fini(&o);
	return v;
}

static bool is_domain(enum oraddr_type type)
{
	return type == ORA_COUNTRY || type == ORA_ADMD || type == ORA_PRMD || type == ORA_PD_COUNTRY || type == ORA_POSTAL_CODE;
}

static bool all_digits(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return v.n > 0;
}

/* The line's O/R address with the parts of the name that its `*` stand for. False: one does not fit in there. */
static bool fill_right(const struct mm_map_line *l, struct mm_name *n, struct oraddr *x_r, struct arena *a)
{
	struct oraddr x = oraddr_copy(&l->x400, a);
	size_t k = 0;
	if (arena_full(a))
		return false;
	for (unsigned part = 0; part < 3; part++) {
		if (!l->any[part])
			continue;
		struct oraddr_attr *at = &x.v[l->loose[k++]];
		at->value = escaped(view_str(mm_name_part(n, part)), a);
		if (is_domain(at->type))
			at->form = all_digits(at->value) ? ORA_NUMERIC : ORA_PRINTABLE;
	}
	if (l->n_any == 0 && l->n_loose > 0) { /* the gateway's wildcards have no value outwards (Q107098) */
		size_t kept = 0;
		for (size_t i = 0; i < x.n; i++)
			if (!view_eq(x.v[i].value, VIEW("*")))
				x.v[kept++] = x.v[i];
		x.n = kept;
	}
	*x_r = x;
	return oraddr_check(&x, NULL) && !arena_full(a);
}

static bool map_out(const struct mm_map *m, struct mm_name *n, struct oraddr *x_r, struct arena *a)
{
	const struct mm_map_line *exact = map_get(&m->by_ms, mm_name_hash(n));
	while (exact != NULL && !left_matches(exact, n))
		exact = exact->next_ms;
	for (size_t i = 0; i < m->n_wild_ms; i++) {
		const struct mm_map_line *l = m->wild_ms[i];
		if (exact != NULL && l->number > exact->number)
			break;
		if (left_matches(l, n) && fill_right(l, n, x_r, a))
			return true;
	}
	return exact != NULL && fill_right(exact, n, x_r, a);
}

static struct view printed(const struct mm_name *n, struct arena *a)
{
	struct out o;
	out_init(&o, 64);
	mm_name_print(n, &o);
	struct view v = arena_copy(a, out_view(&o));
	out_fini(&o);
	return v;
}

/* A name that is the same when it is written and read again; a colon in its network would make that a type. */
static bool is_name(const struct mm_name *n, struct arena *a)
{
	struct mm_name again;
	return n->network[0] != 0 && strchr(n->network, ':') == NULL && n->postoffice[0] != 0 && n->mailbox[0] != 0 && mm_name_parse(printed(n, a), &again, NULL) &&
	       memcmp(&again, n, sizeof again) == 0;
}

static bool same_attribute(const struct oraddr_attr *a, const struct oraddr_attr *b)
{
	return a->type == b->type && (a->type != ORA_DDA || oraddr_value_eq(a->type_name, b->type_name));
}

static const struct oraddr_attr *find_like(const struct oraddr *x, const struct oraddr_attr *like)
{
	for (size_t i = 0; i < x->n; i++)
		if (same_attribute(&x->v[i], like))
			return &x->v[i];
	return NULL;
}

static bool set_part(struct mm_name *n, unsigned part, struct view value)
{
	struct out o;
	char *to = mm_name_part(n, part);
	out_init(&o, value.n + 1);
	mm_unescape_printable(value, &o);
	struct view v = out_view(&o);
	bool fits = v.n > 0 && v.n <= MM_NAME_MAX && memchr(v.p, 0, v.n) == NULL;
	memset(to, 0, MM_NAME_MAX + 1);
	if (fits)
		memcpy(to, v.p, v.n);
	out_fini(&o);
	return fits;
}

/* Does the line's right side match, and what name comes of it? */
static bool right_matches(const struct mm_map_line *l, const struct oraddr *x, struct mm_name *n_r, struct arena *a)
{
	struct oraddr filled = {.v = arena_array(a, l->x400.n + 1, sizeof *x->v)};
	if (filled.v == NULL)
		return false;
	for (size_t i = 0; i < l->x400.n; i++) {
		const struct oraddr_attr *like = &l->x400.v[i];
		bool is_loose = view_eq(like->value, VIEW("*"));
		const struct oraddr_attr *found = is_loose ? find_like(x, like) : like;
		if (found == NULL && l->n_any > 0)
			return false;
		if (found != NULL)
			filled.v[filled.n++] = *found;
	}
	if (!oraddr_eq(&filled, x))
		return false;
	*n_r = l->ms;
	for (unsigned part = 0, k = 0; part < 3; part++)
		if (l->any[part] && !set_part(n_r, part, find_like(x, &l->x400.v[l->loose[k++]])->value))
			return false;
	mm_name_upper(n_r);
	return is_name(n_r, a);
}

static bool map_in(const struct mm_map *m, const struct oraddr *x, struct mm_name *n_r, struct arena *a)
{
	const struct mm_map_line *exact = map_get(&m->by_x400, mm_oraddr_hash(x));
	while (exact != NULL && !oraddr_eq(&exact->x400, x))
		exact = exact->next_x400;
	for (size_t i = 0; i < m->n_wild_x400; i++) {
		const struct mm_map_line *l = m->wild_x400[i];
		if (exact != NULL && l->number > exact->number)
			break;
		if (right_matches(l, x, n_r, a))
			return true;
	}
	if (exact != NULL)
		*n_r = exact->ms;
	return exact != NULL;
}

/* ---- MS Mail to X.400 ---- */

static bool quota(struct err *e)
{
	return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 11, "address: longer than the memory it may take");
}

/* Domain-defined in the domain of this MTA (Q192052, Q146032). */
static bool with_dda(const struct mm_map *m, struct view type, struct view value, struct view where, struct oraddr *to_r,
		     struct arena *a, struct err *e)
{
	if (m->domain.n == 0)
		return mm_unknown_address(e, "the table does not have it, and no domain is set for others", where);
	if (type.n > DDA_TYPE_MAX)
		return mm_unknown_address(e, "a type of more than 8 characters is none for X.400", where);
	if (value.n > DDA_VALUE_MAX)
		return mm_unknown_address(e, "over 128 characters as X.400 has to write it", where);
	struct oraddr x = {.v = arena_array(a, m->domain.n + 1, sizeof *x.v)};
	if (x.v == NULL || arena_full(a))
		return quota(e);
	memcpy(x.v, m->domain.v, m->domain.n * sizeof *x.v);
	x.n = m->domain.n;
	x.v[x.n++] = (struct oraddr_attr){.type = ORA_DDA, .form = ORA_PRINTABLE, .type_name = type, .value = value};
	*to_r = oraddr_copy(&x, a);
	return !arena_full(a) || quota(e);
}

static bool has_control(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 0x20 || v.p[i] == 0x7f)
			return true;
	return false;
}

static bool ms_to_oraddr(const struct mm_map *m, struct view text, struct oraddr *to_r, struct arena *a, struct err *e)
{
	struct mm_name n = {0};
	struct err why;
	bool alone = memchr(text.p, '/', text.n) == NULL;
	if (has_control(text))
		return mm_unknown_address(e, "a control character in it", text);
	if (alone && text.n <= MM_NAME_MAX && m->own.network[0] != 0) {
		n = m->own;
		memset(n.mailbox, 0, sizeof n.mailbox);
		memcpy(n.mailbox, text.p, text.n);
	} else if (!mm_name_parse(text, &n, &why)) {
		return mm_unknown_address(e, "want NETWORK/POSTOFFICE/MAILBOX, each of 1 to 10 characters", text);
	}
	if (!is_name(&n, a))
		return mm_unknown_address(e, "no mailbox, or a colon, in it, want NETWORK/POSTOFFICE/MAILBOX", text);
	mm_name_upper(&n); /* Q183104 */
	if (map_out(m, &n, to_r, a))
		return true;
	if (arena_full(a))
		return quota(e);
	return with_dda(m, VIEW("MS"), escaped(printed(&n, a), a), text, to_r, a, e);
}

/* "user@host", "host!user" and "user" (Q94410, Q116466): no blank outside quotes, no part empty, at most one `@` (Q169671). */
static bool is_smtp(struct view v)
{
	bool quoted = false;
	size_t ats = 0, local = 0, domain = 0;
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];
		if (c < 0x20 || c == 0x7f)
			return false;
		if (quoted && c == '\\' && i + 1 < v.n) {
			i++;
			local++;
			continue;
		}
		if (c == '"')
			quoted = !quoted;
		if (!quoted && (c == ' ' || c == '<' || c == '>' || c == ','))
			return false;
		if (!quoted && c == '@') {
			ats++;
			continue;
		}
		bool dot_misplaced = ats == 1 && c == '.' && (domain == 0 || i + 1 == v.n || v.p[i + 1] == '.');
		if (dot_misplaced)
			return false;
		if (ats == 0)
			local++;
		else
			domain++;
	}
	return !quoted && local > 0 && (ats == 0 || (ats == 1 && domain > 0));
}

/* Those of FAX and MCI have carriage returns between their parts (Q94410). */
static bool has_lines(struct view type)
{
	return view_eq_nocase(type, VIEW("FAX")) || view_eq_nocase(type, VIEW("MCI"));
}

static bool typed_to_oraddr(const struct mm_map *m, struct view type, struct view value, struct view where, struct oraddr *to_r,
			    struct arena *a, struct err *e)
{
	struct out o;
	if (value.n == 0)
		return mm_unknown_address(e, "nothing behind its type", where);
	for (size_t i = 0; i < value.n; i++)
		if ((value.p[i] < 0x20 || value.p[i] == 0x7f) && !(value.p[i] == '\r' && has_lines(type)))
			return mm_unknown_address(e, "a control character in it", where);
	if (view_eq_nocase(type, VIEW("SMTP")) && !is_smtp(value))
		return mm_unknown_address(e, "no address of Internet mail, want user@host", where);
	out_init(&o, 5 * value.n + 8);
	mm_escape_typed(value, &o);
	bool ok = with_dda(m, type, out_view(&o), where, to_r, a, e);
	out_fini(&o);
	return ok;
}

static struct view trim(struct view v)
{
	while (v.n > 0 && v.p[0] == ' ')
		v = view_from(v, 1);
	while (v.n > 0 && v.p[v.n - 1] == ' ')
		v.n--;
	return v;
}

/* "Joe [SMTP:joe@host]": what stands in the brackets (Q116466). */
static struct view in_brackets(struct view v)
{
	const uint8_t *open = v.n > 0 && v.p[v.n - 1] == ']' ? memchr(v.p, '[', v.n) : NULL;
	if (open == NULL)
		return v;
	return trim(view_of(open + 1, (size_t)(v.p + v.n - 1 - (open + 1))));
}

/* The word before the first colon; empty: there is none. */
static struct view word_of(struct view v)
{
	size_t i = 0;
	for (; i < v.n && i <= MM_NAME_MAX; i++) {
		uint8_t c = v.p[i] | 0x20;
		bool good = (c >= 'a' && c <= 'z') || (v.p[i] >= '0' && v.p[i] <= '9') || v.p[i] == '-' || v.p[i] == '.';
		if (!good)
			break;
	}
	return i < v.n && v.p[i] == ':' ? view_first(v, i) : view_of(NULL, 0);
}

static bool is_word(struct view word, const char *a, const char *b, const char *c)
{
	return view_eq_nocase(word, view_str(a)) || view_eq_nocase(word, view_str(b)) || view_eq_nocase(word, view_str(c));
}

static bool has_octet(struct view v, uint8_t c)
{
	return v.n > 0 && memchr(v.p, c, v.n) != NULL;
}

/* What somebody has written: of which kind, and what stands behind its word. */
struct form { enum { FORM_MS, FORM_X400, FORM_DIRECTORY, FORM_TYPED } kind; struct view word, value; };

static struct form form_of(unsigned type, struct view text)
{
	const struct view v = in_brackets(text), word = word_of(v);
	struct form f = { FORM_TYPED, word, word.n == 0 ? v : trim(view_from(v, word.n + 1)) };
	if (is_word(word, "EX", "EXCHANGE", "EX"))
		f.kind = FORM_DIRECTORY;
	else if (is_word(word, "X400", "X.400", "X-400") || (word.n == 0 && type == MM_ADDRESS_X400))
		f.kind = FORM_X400;
	else if (word.n == 0 && f.value.n > 0 && (f.value.p[0] == '/' || (has_octet(f.value, ';') && has_octet(f.value, '='))))
		f.kind = FORM_X400;
	else if (is_word(word, "MS", "CSI", "PCM") || word.n == 0)
		f.kind = FORM_MS;
	return f;
}

static bool text_to_oraddr(const struct mm_map *m, unsigned type, struct view text, struct oraddr *to_r, struct arena *a, struct err *e)
{
	struct mm_name n;
	if (type == MM_ADDRESS_MS && mm_name_parse(text, &n, NULL) && is_name(&n, a))
		return ms_to_oraddr(m, text, to_r, a, e);
	const struct form f = form_of(type, text);
	switch (f.kind) {
	case FORM_DIRECTORY: return mm_unknown_address(e, "a directory name that nobody resolved", text); /* Q243701 */
	case FORM_X400: return mm_x400_parse(m, f.value, to_r, a, e);
	case FORM_MS: return f.value.n > 0 ? ms_to_oraddr(m, f.value, to_r, a, e) : mm_unknown_address(e, "empty", text);
	case FORM_TYPED: return typed_to_oraddr(m, f.word, f.value, text, to_r, a, e);
	}
	CANT_HAPPEN("an address of no form");
}

bool mm_route_name(const struct mm_address *address, struct mm_name *name_r, struct err *e)
{
	struct mm_name n = { 0 };
	const struct view text = trim(address->text);
	if (address->type == MM_ADDRESS_MS && mm_name_parse(text, &n, NULL) && strchr(n.network, ':') == NULL) {
		*name_r = n;
		return true;
	}
	const struct form f = form_of(address->type, text);
	if (f.kind == FORM_MS && address->type == MM_ADDRESS_TYPED && f.word.n == 0)
		return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 0, "address of type %u: found no network for it", address->type);
	if (f.kind == FORM_MS && address->type != MM_ADDRESS_X400)
		return mm_name_parse(f.value, name_r, e);
	if (f.kind == FORM_DIRECTORY)
		return mm_unknown_address(e, "a directory name that nobody resolved", text);
	n = (struct mm_name){ 0 };
	if (f.kind == FORM_X400 || address->type == MM_ADDRESS_X400)
		snprintf(n.network, sizeof n.network, "X400");
	else
		memcpy(n.network, f.word.p, f.word.n);
	*name_r = n;
	return true;
}

bool mm_to_oraddr(const struct mm_map *map, const struct mm_address *from, struct oraddr *to_r, struct arena *a, struct err *e)
{
	CHECK(map, MM_MAP_MAGIC);
	struct view text = trim(from->text);
	if (text.n == 0)
		return mm_unknown_address(e, "empty", text);
	if (text.n > ADDRESS_TEXT_MAX)
		return mm_unknown_address(e, "over 1024 octets", text);
	return text_to_oraddr(map, from->type, text, to_r, a, e);
}

/* ---- X.400 to MS Mail ---- */

static bool in_domain(const struct mm_map *m, const struct oraddr *x)
{
	for (size_t i = 0; i < m->domain.n; i++) {
		const struct oraddr_attr *found = find_like(x, &m->domain.v[i]);
		if (found == NULL || !oraddr_value_eq(found->value, m->domain.v[i].value))
			return false;
	}
	return m->domain.n > 0;
}

static const struct oraddr_attr *find_dda(const struct oraddr *x, const char *type)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->v[i].type == ORA_DDA && x->v[i].form == ORA_PRINTABLE && view_eq_nocase(x->v[i].type_name, view_str(type)))
			return &x->v[i];
	return NULL;
}

static bool ms_of(struct mm_name *n, struct mm_address *to_r, struct arena *a, struct err *e)
{
	mm_name_upper(n);
	*to_r = (struct mm_address){.type = MM_ADDRESS_MS, .text = printed(n, a)};
	return !arena_full(a) || quota(e);
}

static bool from_ms_dda(const struct oraddr_attr *dda, struct mm_address *to_r, struct arena *a, struct err *e)
{
	struct mm_name n;
	struct out o;
	out_init(&o, dda->value.n + 1);
	mm_unescape_printable(dda->value, &o);
	bool ok = mm_name_parse(out_view(&o), &n, NULL) && is_name(&n, a);
	out_fini(&o);
	if (!ok)
		return mm_unknown_address(e, "DDA:MS wants NETWORK/POSTOFFICE/MAILBOX, each of 1 to 10 characters", dda->value);
	return ms_of(&n, to_r, a, e);
}

/* A foreign address that was put into our domain; only what would be put there again. */
static bool from_typed(const struct mm_map *m, const struct oraddr *x, struct mm_address *to_r, struct arena *a)
{
	const struct oraddr_attr *dda = &x->v[x->n - 1];
	struct oraddr again;
	struct out o;
	if (x->n != m->domain.n + 1 || dda->type != ORA_DDA || dda->form != ORA_PRINTABLE)
		return false;
	out_init(&o, dda->type_name.n + dda->value.n + 2);
	out_bytes(&o, dda->type_name);
	out_u8(&o, ':');
	mm_unescape_typed(dda->value, &o);
	struct view text = arena_copy(a, out_view(&o));
	out_fini(&o);
	*to_r = (struct mm_address){.type = MM_ADDRESS_TYPED, .text = text};
	return !arena_full(a) && view_eq(trim(text), text) && text_to_oraddr(m, MM_ADDRESS_TYPED, text, &again, a, NULL) &&
	       again.n == x->n && view_eq(again.v[again.n - 1].type_name, dda->type_name);
}

bool mm_from_oraddr(const struct mm_map *map, const struct oraddr *from, struct mm_address *to_r, struct arena *a, struct err *e)
{
	CHECK(map, MM_MAP_MAGIC);
	struct oraddr x = mm_tidy(from, a);
	struct mm_name n;
	if (arena_full(a))
		return quota(e);
	if (x.n == 0) /* Q243701 */
		return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 0, "address: a directory name only, want an O/R address");
	if (map_in(map, &x, &n, a))
		return ms_of(&n, to_r, a, e);
	const struct oraddr_attr *ms = find_dda(&x, "MS");
	if (ms != NULL && in_domain(map, &x))
		return from_ms_dda(ms, to_r, a, e);
	if (in_domain(map, &x) && from_typed(map, &x, to_r, a))
		return true;
	to_r->type = MM_ADDRESS_X400;
	to_r->friendly = to_r->rest = view_of(NULL, 0);
	return mm_x400_print(&x, &to_r->text, a, e);
}
