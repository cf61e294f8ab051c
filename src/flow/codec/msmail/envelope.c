/* envelope.c - see envelope.h. A vendor-defined element of ours with version and state in front, so that the state has a fixed place, then
 * one vendor-defined element for each part. Plain parts are rows of the tables below, read and written by the same rows. */
#include "flow/codec/msmail/envelope.h"

#include "flow/codec/msmail/fips.h"

#include <limits.h>

enum { OUR_ENVELOPE = 0x5080, ELEMENTS_MAX = 1000000 };

/* Qualifiers of the parts; never given another meaning. Those of plain parts stand in the tables. */
enum { PART_FROM = 0x20, PART_RECIPIENT = 0x21, PART_HOP = 0x22 };

enum kind { KIND_TEXT /* char[size] */, KIND_VIEW, KIND_UINT, KIND_INT, KIND_WORD, KIND_FLAG, KIND_OCTET, KIND_WALL, KIND_DATE };

struct part {
	uint8_t qualifier;
	enum kind kind;
	size_t offset, size;
};

#define PART(q, kind, type, member) { q, kind, offsetof(struct type, member), sizeof(((struct type *)0)->member) }

static const struct part envelope_parts[] = {
	PART(0x01, KIND_TEXT, mm_envelope, mai),
	PART(0x02, KIND_DATE, mm_envelope, date),
	PART(0x03, KIND_WALL, mm_envelope, arrived),
	PART(0x04, KIND_WALL, mm_envelope, first_failed),
	PART(0x05, KIND_OCTET, mm_envelope, priority),
	PART(0x06, KIND_UINT, mm_envelope, size),
};

static const struct part address_parts[] = {
	PART(0x31, KIND_UINT, mm_address, type),
	PART(0x32, KIND_VIEW, mm_address, text),
	PART(0x33, KIND_VIEW, mm_address, friendly),
	PART(0x34, KIND_VIEW, mm_address, rest),
};

static const struct part recipient_parts[] = {
	PART(0x41, KIND_UINT, mm_recipient, number),
	PART(0x42, KIND_FLAG, mm_recipient, responsible),
	PART(0x43, KIND_FLAG, mm_recipient, is_cc),
	PART(0x44, KIND_FLAG, mm_recipient, wants_delivery_report),
	PART(0x45, KIND_TEXT, mm_recipient, bag),
	PART(0x46, KIND_WORD, mm_recipient, tries),
	PART(0x47, KIND_INT, mm_recipient, notice),
	PART(0x48, KIND_INT, mm_recipient, reason),
	PART(0x49, KIND_INT, mm_recipient, diagnostic),
	PART(0x4a, KIND_VIEW, mm_recipient, why),
	PART(0x4b, KIND_VIEW, mm_recipient, oraddr),
};

static const struct part hop_parts[] = {
	PART(0x51, KIND_TEXT, mm_hop, network),
	PART(0x52, KIND_TEXT, mm_hop, postoffice),
};

/* --- writing --- */

/* A number that is 0, a text that is empty, is left out: that is what is read when it is not there. */
static uint64_t number_in(const struct part *part, const void *member)
{
	switch (part->kind) {
	case KIND_UINT: return *(const uint32_t *)member;
	case KIND_INT: return (uint64_t)(int64_t)*(const int *)member;
	case KIND_WORD: return *(const uint16_t *)member;
	case KIND_FLAG: return *(const bool *)member;
	case KIND_OCTET: return *(const uint8_t *)member;
	case KIND_WALL: return (uint64_t)*(const wall_ms_t *)member;
	case KIND_TEXT: case KIND_VIEW: case KIND_DATE: break;
	}
	CANT_HAPPEN("a part that is no number");
}

static void put_text(const struct part *part, struct view text, struct out *o)
{
	if (text.n == 0)
		return;
	const size_t begun = fips_begin(o, FIPS_VENDOR, part->qualifier);
	fips_put(o, FIPS_ASCII, -1, text);
	fips_end(o, begun);
}

static void put_date(const struct part *part, const struct mm_date *d, struct out *o)
{
	struct out text;
	out_init(&text, 64);
	mm_date_print(d, &text);
	put_text(part, out_view(&text), o);
	out_fini(&text);
}

static void put_number(const struct part *part, uint64_t x, struct out *o)
{
	if (x == 0)
		return;
	const size_t begun = fips_begin(o, FIPS_VENDOR, part->qualifier);
	fips_put_le(o, x);
	fips_end(o, begun);
}

static void put_parts(const struct part *parts, size_t n, const void *x, struct out *o)
{
	for (const struct part *part = parts; part < parts + n; part++) {
		const void *member = (const uint8_t *)x + part->offset;
		if (part->kind == KIND_TEXT)
			put_text(part, view_of(member, strnlen(member, part->size)), o);
		else if (part->kind == KIND_VIEW)
			put_text(part, *(const struct view *)member, o);
		else if (part->kind == KIND_DATE)
			put_date(part, member, o);
		else
			put_number(part, number_in(part, member), o);
	}
}
#define PUT_PARTS(parts, x, o) put_parts(parts, ARRAY_LEN(parts), x, o)

bool mm_envelope_print(const struct mm_envelope *v, struct out *o, struct err *e)
{
	const size_t all = fips_begin(o, FIPS_VENDOR, FIPS_VENDOR_QUALIFIER | OUR_ENVELOPE);
	fips_put_le(o, MM_ENVELOPE_VERSION);
	fips_put_le(o, v->state);
	PUT_PARTS(envelope_parts, v, o);
	const size_t from = fips_begin(o, FIPS_VENDOR, PART_FROM);
	PUT_PARTS(address_parts, &v->from, o);
	fips_end(o, from);
	for (size_t i = 0; i < v->n; i++) {
		const size_t begun = fips_begin(o, FIPS_VENDOR, PART_RECIPIENT);
		PUT_PARTS(address_parts, &v->recipients[i].address, o);
		PUT_PARTS(recipient_parts, &v->recipients[i], o);
		fips_end(o, begun);
	}
	for (size_t i = 0; i < v->n_hops; i++) {
		const size_t begun = fips_begin(o, FIPS_VENDOR, PART_HOP);
		PUT_PARTS(hop_parts, &v->hops[i], o);
		fips_end(o, begun);
	}
	for (size_t i = 0; i < v->n_extra; i++)
		out_bytes(o, v->extra[i]);
	fips_end_wide(o, all, 4); /* of one width always, for MM_ENVELOPE_STATE_AT */
	if (o->bad)
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "the envelope does not fit into %zu octets", o->max);
	return true;
}

/* --- reading --- */

static bool refuse(struct err *e, const struct fips_element *x, const char *what)
{
	return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "envelope element %02X (qualifier %X) at offset %zu: %s", x->code,
			  (unsigned)x->qualifier, x->offset, what);
}

static bool set_number(const struct part *part, uint64_t x, void *member)
{
	const int64_t as_signed = (int64_t)x;
	switch (part->kind) {
	case KIND_UINT: *(uint32_t *)member = (uint32_t)x; return x <= UINT32_MAX;
	case KIND_INT: *(int *)member = (int)as_signed; return as_signed >= INT_MIN && as_signed <= INT_MAX;
	case KIND_WORD: *(uint16_t *)member = (uint16_t)x; return x <= UINT16_MAX;
	case KIND_FLAG: *(bool *)member = x != 0; return x <= 1;
	case KIND_OCTET: *(uint8_t *)member = (uint8_t)x; return x <= UINT8_MAX;
	case KIND_WALL: *(wall_ms_t *)member = as_signed; return true;
	case KIND_TEXT: case KIND_VIEW: case KIND_DATE: break;
	}
	CANT_HAPPEN("a part that is no number");
}

/* The one value inside a part's element. */
static bool set_part(const struct part *part, const struct fips_walk *w, const struct fips_element *x, void *member, struct err *e)
{
	struct fips_walk in = fips_walk_in(w, x);
	struct fips_element value;
	const enum step step = fips_next(&in, &value, e);
	if (step == STEP_FAIL)
		return false;
	if (step == STEP_WAIT)
		return refuse(e, x, "it is empty");
	const bool is_text = value.code == FIPS_ASCII;
	uint64_t number;
	switch (part->kind) {
	case KIND_TEXT:
		if (!is_text || value.contents.n == 0 || value.contents.n >= part->size || memchr(value.contents.p, 0, value.contents.n) != NULL)
			break;
		memset(member, 0, part->size);
		memcpy(member, value.contents.p, value.contents.n);
		return true;
	case KIND_VIEW: *(struct view *)member = value.contents; return is_text || refuse(e, x, "found no ASCII-String in it");
	case KIND_DATE: *(struct mm_date *)member = mm_date_parse(value.contents); return is_text || refuse(e, x, "found no ASCII-String in it");
	case KIND_UINT: case KIND_INT: case KIND_WORD: case KIND_FLAG: case KIND_OCTET: case KIND_WALL:
		if (fips_le(&value, &number) && set_number(part, number, member))
			return true;
	}
	return refuse(e, x, "found a value that is not of its kind or length");
}

static const struct part *part_of(const struct part *parts, size_t n, const struct fips_element *x)
{
	for (const struct part *part = parts; part < parts + n; part++)
		if (fips_is_vendor(x, part->qualifier))
			return part;
	return NULL;
}

struct target { const struct part *parts; size_t n; void *x; };

/* Fills one or two structs from the parts inside an element. */
static bool set_parts(const struct target *targets, size_t n, const struct fips_walk *w, const struct fips_element *outer, struct err *e)
{
	struct fips_walk in = fips_walk_in(w, outer);
	struct fips_element x;
	enum step step;
	while ((step = fips_next(&in, &x, e)) == STEP_DONE)
		for (const struct target *t = targets; t < targets + n; t++) {
			const struct part *part = part_of(t->parts, t->n, &x);
			if (part != NULL && !set_part(part, &in, &x, (uint8_t *)t->x + part->offset, e))
				return false;
		}
	return step == STEP_WAIT;
}

static bool read_recipient(struct mm_recipient *r, const struct fips_walk *w, const struct fips_element *x, struct err *e)
{
	const struct target targets[] = { { address_parts, ARRAY_LEN(address_parts), &r->address },
					  { recipient_parts, ARRAY_LEN(recipient_parts), r } };
	return set_parts(targets, ARRAY_LEN(targets), w, x, e);
}

/* One element behind version and state. Before the lists are allotted it only counts. */
static bool read_element(struct mm_envelope *v, bool counting, const struct fips_walk *w, const struct fips_element *x, struct err *e)
{
	const struct part *part = part_of(envelope_parts, ARRAY_LEN(envelope_parts), x);
	if (part != NULL)
		return set_part(part, w, x, (uint8_t *)v + part->offset, e);
	if (fips_is_vendor(x, PART_FROM))
		return set_parts(&(struct target){ address_parts, ARRAY_LEN(address_parts), &v->from }, 1, w, x, e);
	if (fips_is_vendor(x, PART_RECIPIENT)) {
		const size_t i = v->n++;
		return counting || read_recipient(&v->recipients[i], w, x, e);
	}
	if (fips_is_vendor(x, PART_HOP)) {
		const size_t i = v->n_hops++;
		return counting || set_parts(&(struct target){ hop_parts, ARRAY_LEN(hop_parts), &v->hops[i] }, 1, w, x, e);
	}
	const size_t i = v->n_extra++;
	if (!counting)
		v->extra[i] = x->whole;
	return true;
}

static bool read_all(struct mm_envelope *v, bool counting, struct fips_walk w, struct err *e)
{
	struct fips_element x;
	enum step step;
	while ((step = fips_next(&w, &x, e)) == STEP_DONE)
		if (!read_element(v, counting, &w, &x, e))
			return false;
	return step == STEP_WAIT;
}

/* Version and state; *in_r then stands behind them. */
static bool read_front(struct view file, struct fips_walk *in_r, enum mm_state *state_r, struct err *e)
{
	struct fips_walk w = fips_walk_of(file, ELEMENTS_MAX);
	struct fips_element all, version, state;
	uint64_t number, state_number;
	const enum step step = fips_next(&w, &all, e);
	if (step == STEP_FAIL)
		return false;
	if (step == STEP_WAIT || all.code != FIPS_VENDOR || !all.vendor_qualifier || all.qualifier != OUR_ENVELOPE)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "the P1 file of %zu octets is no envelope of a form known here", file.n);
	*in_r = fips_walk_in(&w, &all);
	in_r->elements_left = ELEMENTS_MAX;
	if (fips_next(in_r, &version, e) != STEP_DONE || !fips_le(&version, &number))
		return refuse(e, &all, "found no version in it");
	if (number != MM_ENVELOPE_VERSION)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "the envelope is of version %llu, and 1 is known here",
				  (unsigned long long)number);
	if (fips_next(in_r, &state, e) != STEP_DONE || !fips_le(&state, &state_number) || state_number > MM_PLACING)
		return refuse(e, &all, "found no state in it, which is 0, 1 or 2");
	*state_r = (enum mm_state)state_number;
	return true;
}

bool mm_envelope_parse(struct view file, struct mm_envelope *v_r, struct arena *a, struct err *e)
{
	struct mm_envelope counted = { 0 }, v = { 0 };
	struct fips_walk w;
	if (!read_front(file, &w, &v.state, e) || !read_all(&counted, true, w, e))
		return false;
	v.recipients = arena_array(a, counted.n, sizeof *v.recipients);
	v.hops = arena_array(a, counted.n_hops, sizeof *v.hops);
	v.extra = arena_array(a, counted.n_extra, sizeof *v.extra);
	if (arena_full(a))
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "the envelope's %zu recipients need more memory than the limit", counted.n);
	if (!read_all(&v, false, w, e))
		return false;
	*v_r = v;
	return true;
}

bool mm_envelope_has_notices(const struct mm_envelope *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->recipients[i].notice != 0)
			return true;
	return false;
}
