/* p1_84.c - see p1_84.h: parts of an envelope that are octets in struct message and are written otherwise in 1984. */
#include "flow/codec/p1/p1_84.h"

#include "base/cur.h"

static struct view encoded(const struct ber_type *t, const void *value, struct arena *a)
{
	struct out o;
	struct view v = { NULL, 0 };
	out_init(&o, SIZE_MAX);
	if (ber_encode(t, value, &o, NULL))
		v = arena_copy(a, out_view(&o));
	out_fini(&o);
	return v;
}

/* --- encoded information types --- */

/* 2.6.3.4.n: the built-in types under their other names (X.411 annex). */
static unsigned bit_of(struct view oid)
{
	enum { UNDEFINED = 0, LAST = 9 };
	const bool built_in = oid.n == 4 && view_eq(view_first(oid, 3), VIEW("\x56\x03\x04"));
	return built_in && oid.p[3] <= LAST ? oid.p[3] : UNDEFINED;
}

static bool set_bit(struct ber_bits *bits, unsigned i, struct arena *a)
{
	const size_t n = bits->bytes.n > i / 8 ? bits->bytes.n : i / 8 + 1;
	uint8_t *p = arena_get(a, n);
	if (p == NULL)
		return false;
	if (bits->bytes.n > 0)
		memcpy(p, bits->bytes.p, bits->bytes.n);
	p[i / 8] |= (uint8_t)(0x80 >> i % 8);
	unsigned unused = 0;
	while (unused < 7 && (p[n - 1] >> unused & 1) == 0)
		unused++;
	*bits = (struct ber_bits){ view_of(p, n), n == bits->bytes.n && bits->unused < unused ? bits->unused : unused };
	return true;
}

struct view p1_84_eits_of(struct view tlv, struct arena *a)
{
	static const struct ber_limits limits = { .depth = 16, .elements = 4096, .bytes = SIZE_MAX };
	struct p1_eits eits;
	if (!ber_decode(&p1_eits_type, tlv, &eits, a, &limits, NULL))
		return (struct view){ NULL, 0 };
	const struct view *oid = eits.extended.v;
	for (size_t i = 0; i < eits.extended.n; i++)
		if (!set_bit(&eits.built_in, bit_of(oid[i]), a))
			return (struct view){ NULL, 0 };
	return encoded(&p1_84_eits, &eits, a);
}

/* --- contents with an object identifier --- */

/* Identifier octet and definite length; false: cut short (*short_r) or another. */
static bool take_header(struct cur *c, uint8_t tag, uint64_t *n_r, bool *short_r)
{
	uint8_t found = cur_u8(c), first = cur_u8(c);
	uint64_t n = first;
	if (!c->bad && first > 0x80 && first <= 0x84) {
		n = 0;
		for (unsigned i = 0; i < first - 0x80u; i++)
			n = n << 8 | cur_u8(c);
	}
	*short_r = c->bad;
	*n_r = n;
	return !c->bad && found == tag && first != 0x80 && first <= 0x84;
}

/* X.690 8.19.2: each part ends with an octet below 128, and does not begin with 128. */
static bool is_oid(struct view v)
{
	bool begins = true;
	for (size_t i = 0; i < v.n; i++) {
		if (begins && v.p[i] == 0x80)
			return false;
		begins = v.p[i] < 0x80;
	}
	return begins && v.n > 0;
}

enum step p1_84_external(struct view head, uint64_t n, struct p1_84_external *x_r)
{
	struct cur c = cur_of(head);
	uint64_t outer, oid, inner;
	bool cut;
	if (!take_header(&c, 0x28, &outer, &cut))
		return cut ? STEP_WAIT : STEP_FAIL;
	if (outer != n - (head.n - cur_left(&c)))
		return STEP_FAIL;
	if (!take_header(&c, 0x06, &oid, &cut))
		return cut ? STEP_WAIT : STEP_FAIL;
	if (oid == 0 || oid > P1_84_EXTERNAL_MAX - 20)
		return STEP_FAIL;
	struct view octets = cur_bytes(&c, (size_t)oid);
	if (c.bad)
		return STEP_WAIT;
	if (!is_oid(octets))
		return STEP_FAIL;
	if (!take_header(&c, 0x81, &inner, &cut))
		return cut ? STEP_WAIT : STEP_FAIL;
	const size_t header = head.n - cur_left(&c);
	if (inner != n - header)
		return STEP_FAIL;
	*x_r = (struct p1_84_external){ octets, header };
	return STEP_DONE;
}

bool p1_84_is_external(struct view envelope)
{
	static const struct ber_limits limits = { .depth = 512, .elements = SIZE_MAX, .bytes = SIZE_MAX };
	struct ber_tlv set, part;
	if (!ber_tlv(envelope, &set, &limits, NULL))
		return false;
	for (struct view rest = set.content; rest.n > 0; rest = view_from(rest, part.whole.n)) {
		if (!ber_tlv(rest, &part, &limits, NULL))
			return false;
		if (part.tag == BER_A(6))
			return view_eq(part.content, VIEW("\x01"));
	}
	return false;
}

/* --- bilateral information --- */

bool p1_84_has_bilateral(struct view tlv)
{
	static const struct ber_limits limits = { .depth = 32, .elements = 100000, .bytes = SIZE_MAX };
	struct ber_tlv whole, part;
	if (!ber_tlv(tlv, &whole, &limits, NULL) || !ber_tlv(whole.content, &part, &limits, NULL))
		return false;
	return ber_tlv(view_from(whole.content, part.whole.n), &part, &limits, NULL) && part.tag == BER_A(2);
}

/* --- internal trace --- */

enum { NAME_PRINTABLE = 1, NAME_IA5 = 2, RELAYED = 0, REROUTED = 1, REASSIGNED = 2 };

static bool is_printable(struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		const uint8_t c = v.p[i], low = c | 0x20;
		if (!(low >= 'a' && low <= 'z') && !(c >= '0' && c <= '9') && (c == 0 || strchr(" '()+,-./:=?", c) == NULL))
			return false;
	}
	return true;
}

static struct p1_words name_of(struct view mta)
{
	return (struct p1_words){ { .which = is_printable(mta) ? NAME_PRINTABLE : NAME_IA5 }, mta };
}

static struct view time_of(wall_ms_t at, struct view raw, struct arena *a)
{
	return raw.n > 0 ? raw : utctime_print(at, a);
}

struct view p1_84_motis_of(const struct trace *trace, struct arena *a)
{
	struct p1_84_motis_element *v = arena_array(a, trace->n, sizeof *v);
	if (v == NULL)
		return (struct view){ NULL, 0 };
	for (size_t i = 0; i < trace->n; i++) {
		const struct trace_element *t = &trace->v[i];
		struct p1_84_motis_supplied *s = &v[i].supplied;
		v[i].mta = name_of(t->mta);
		s->arrival = time_of(t->arrival, t->arrival_raw, a);
		s->action = (t->other_actions & TRACE_REDIRECTED) != 0 ? REASSIGNED : t->action == ROUTING_REROUTED ? REROUTED : RELAYED;
		if (t->deferred != 0 || t->deferred_raw.n > 0) {
			s->seq.has |= 1u << P1_84_MOTIS_DEFERRED;
			s->deferred = time_of(t->deferred, t->deferred_raw, a);
		}
		if (t->has_attempted && t->attempted_mta.n > 0) {
			s->seq.has |= 1u << P1_84_MOTIS_PREVIOUS;
			s->previous = name_of(t->attempted_mta);
		}
	}
	struct ber_list list = { v, trace->n };
	return arena_full(a) ? (struct view){ NULL, 0 } : encoded(&p1_84_motis_trace, &list, a);
}

static wall_ms_t parsed(struct view text)
{
	wall_ms_t at;
	return utctime_parse(text, &at) ? at : 0;
}

bool p1_84_motis_to(struct view tlv, const struct gdi *domain, struct trace *trace_r, struct arena *a)
{
	static const struct ber_limits limits = { .depth = 16, .elements = 16384, .bytes = SIZE_MAX };
	struct ber_list list;
	if (!ber_decode(&p1_84_motis_trace, tlv, &list, a, &limits, NULL) || list.n == 0)
		return false;
	struct trace_element *to = arena_array(a, list.n, sizeof *to);
	if (to == NULL)
		return false;
	const struct p1_84_motis_element *from = list.v;
	for (size_t i = 0; i < list.n; i++) {
		const struct p1_84_motis_supplied *s = &from[i].supplied;
		to[i] = (struct trace_element){ .domain = *domain, .mta = from[i].mta.value, .arrival = parsed(s->arrival),
						.arrival_raw = s->arrival };
		to[i].action = s->action == REROUTED ? ROUTING_REROUTED : ROUTING_RELAYED;
		to[i].other_actions = s->action == REASSIGNED ? TRACE_REDIRECTED : 0;
		if ((s->seq.has >> P1_84_MOTIS_DEFERRED & 1) != 0) {
			to[i].deferred = parsed(s->deferred);
			to[i].deferred_raw = s->deferred;
		}
		to[i].has_attempted = (s->seq.has >> P1_84_MOTIS_PREVIOUS & 1) != 0;
		if (to[i].has_attempted)
			to[i].attempted_mta = s->previous.value;
	}
	*trace_r = (struct trace){ to, list.n };
	return true;
}
