/* decode_stack.c - octets to TPKT packets to TPDUs to TSDUs; see decode_stack.h. */
#include "proc/tool/decode_stack.h"

#include "base/cur.h"
#include "flow/engine/x400/tpkt.h"

enum { PIECE = 65536, STREAM_MAX = 4 * PIECE, TSDU_MAX = 64 << 20, TRANSFER_MAX = 256 << 20, ARENA = 256 << 20 };

enum tpdu_code {
#define COTP_TPDU(name, code) TPDU_##name = code,
#include "flow/engine/x400/cotp_table.h"
};

enum { DT_HEADER = 3, DT_EOT = 0x80, CR_HEADER = 7 };

void decode_stack_init(struct decode_stack *d, struct show *show, const struct decode_options *options,
		       const struct show_at *at, struct decode_stash *stash)
{
	*d = (struct decode_stack){
		.show = show,
		.stash = stash,
		.at = *at,
		.tsdu_max = options->tsdu_max == 0 ? TSDU_MAX : options->tsdu_max,
		.transfer_max = options->transfer_max == 0 ? TRANSFER_MAX : options->transfer_max,
		.arena = arena_new(options->arena == 0 ? ARENA : options->arena),
		.print = arena_new(options->arena == 0 ? ARENA : options->arena),
	};
	for (int i = 0; i < 2; i++) {
		out_init(&d->side[i].stream, STREAM_MAX);
		out_init(&d->side[i].tsdu, d->tsdu_max);
		out_init(&d->side[i].ssdu, d->tsdu_max);
		out_init(&d->side[i].transfer.octets, d->transfer_max);
	}
}

void decode_stack_fini(struct decode_stack *d)
{
	for (int i = 0; i < 2; i++) {
		out_fini(&d->side[i].stream);
		out_fini(&d->side[i].tsdu);
		out_fini(&d->side[i].ssdu);
		decode_transfer_fini(&d->side[i].transfer);
	}
	arena_free(&d->arena);
	arena_free(&d->print);
}

static void event(struct decode_stack *d, bool responder, const char *name)
{
	d->at.responder = responder;
	show_event(d->show, &d->at, name);
}

/* --- COTP (X.224 13) --- */

static const char *tpdu_name(unsigned code)
{
	switch (code) {
#define COTP_TPDU(name, code) \
	case code:            \
		return #name;
#include "flow/engine/x400/cotp_table.h"
	case 0x10: return "ED";
	case 0x20: return "EA";
	case 0x50: return "RJ";
	case 0x60: return "AK";
	case 0xc0: return "DC";
	default: return NULL;
	}
}

bool decode_is_tpkt(struct view v)
{
	struct cur c = cur_of(v);
	const unsigned version = cur_u8(&c);
	(void)cur_u8(&c);
	const size_t length = cur_u16(&c), li = cur_u8(&c);
	const unsigned code = cur_u8(&c);
	if (c.bad || version != 3 || length < TPKT_MIN || li + 1 > length - TPKT_HEADER || li < 2)
		return false;
	if (code == TPDU_DT)
		return li == DT_HEADER - 1 && (cur_u8(&c) & ~(unsigned)DT_EOT) == 0;
	if (code != TPDU_CR && code != TPDU_CC && code != TPDU_DR && code != TPDU_ER)
		return false;
	return li >= 4 && li + 1 == length - TPKT_HEADER; /* user data in them are other classes' */
}

static void show_size(struct show *s, struct view v)
{
	if (v.n == 1 && v.p[0] >= 7 && v.p[0] <= 13)
		show_uint(s, "maximum TPDU size", 1u << v.p[0]);
	else
		show_octets(s, "maximum TPDU size", v);
}

static void show_preferred(struct show *s, struct view v)
{
	uint64_t units = 0;
	for (size_t i = 0; i < v.n && i < 4; i++)
		units = units << 8 | v.p[i];
	show_uint(s, "preferred maximum TPDU size", units * 128);
}

static void show_param(struct show *s, unsigned code, struct view v)
{
	static const char *const options[] = { "transport expedited", "no checksum", "receipt confirmation", "network expedited" };
	switch (code) {
	case 0xc0:
		show_size(s, v);
		break;
	case 0xf0:
		show_preferred(s, v);
		break;
	case 0xc1:
		show_octets(s, "calling TSEL", v);
		break;
	case 0xc2:
		show_octets(s, "called TSEL", v);
		break;
	case 0xc6:
		show_bits(s, "additional options", v.n == 0 ? 0 : v.p[0], options, ARRAY_LEN(options));
		break;
	case 0xc7:
		show_octets(s, "alternative classes", v);
		break;
	case 0xe0:
		show_octets(s, "additional information", v);
		break;
	default: {
		char key[32];
		snprintf(key, sizeof key, "parameter 0x%02x", code);
		show_octets(s, key, v);
	}
	}
}

static void show_params(struct show *s, struct cur c)
{
	bool seen[256] = { false };
	while (cur_left(&c) > 0) {
		const unsigned code = cur_u8(&c);
		const size_t n = cur_u8(&c), left = cur_left(&c);
		const struct view v = cur_bytes(&c, n);
		if (c.bad) {
			show_damaged(s, "cotp: parameter 0x%02x of %zu octets, and %zu are left in the header", code, n, left);
			return;
		}
		if (seen[code]) {
			show_damaged(s, "cotp: parameter 0x%02x stands twice in the header", code);
			return;
		}
		seen[code] = true;
		show_param(s, code, v);
	}
}

/* What stands in the header of a TPDU other than DT. */
static void show_header(struct show *s, unsigned code, struct cur c)
{
	show_fmt(s, "destination reference", "%04x", cur_u16(&c));
	if (code == TPDU_ER) {
		static const char *const causes[] = { "not specified", "invalid parameter code", "invalid TPDU type",
						      "invalid parameter value" };
		const unsigned cause = cur_u8(&c);
		show_int(s, "reject cause", cause, cause < ARRAY_LEN(causes) ? causes[cause] : NULL);
	} else {
		show_fmt(s, "source reference", "%04x", cur_u16(&c));
		const unsigned last = cur_u8(&c);
		if (code == TPDU_DR)
			show_int(s, "reason", last, cotp_reason_name(last));
		else
			show_uint(s, "class", last >> 4);
	}
	if (c.bad)
		show_damaged(s, "cotp: the header ends before its fixed part");
	else
		show_params(s, c);
}

static void show_framing(struct decode_stack *d, size_t packets, size_t framed)
{
	show_object(d->show, "tpkt", NULL);
	if (packets > 1)
		show_uint(d->show, "packets", packets);
	show_uint(d->show, "octets", framed);
	show_end(d->show);
}

static void other_tpdu(struct decode_stack *d, bool responder, unsigned code, struct view head, struct view data)
{
	struct show *s = d->show;
	const char *name = tpdu_name(code);
	event(d, responder, name == NULL ? "TPDU" : name);
	show_framing(d, 1, head.n + data.n + TPKT_HEADER);
	show_object(s, "cotp", "%s", name == NULL ? "unknown TPDU" : name);
	struct cur c = cur_of(view_from(head, 2));
	if (code == TPDU_CR || code == TPDU_CC || code == TPDU_DR || code == TPDU_ER) {
		show_header(s, code, c);
	} else {
		show_octets(s, "header", head);
		show_damaged(s, "cotp: found a TPDU with code 0x%02x, want one of class 0", code);
	}
	if (data.n > 0)
		show_octets(s, "user data", data);
	show_end(s);
	show_event_end(s);
}

static void tsdu_done(struct decode_stack *d, bool responder, bool cut)
{
	struct decode_side *side = &d->side[responder];
	d->at.responder = responder;
	decode_tsdu(d, responder, out_view(&side->tsdu), cut || side->tsdu_octets > out_len(&side->tsdu));
	out_clear(&side->tsdu);
	side->tsdu_octets = 0;
	side->tpdus = side->framed = 0;
}

static void on_dt(struct decode_stack *d, bool responder, struct view head, struct view data)
{
	struct decode_side *side = &d->side[responder];
	const unsigned nr = head.n > 2 ? head.p[2] : 0;
	if (head.n != DT_HEADER || (nr & ~(unsigned)DT_EOT) != 0) { /* RFC 2126 6.5 */
		event(d, responder, "DT");
		show_damaged(d->show, "cotp: DT header of %zu octets with TPDU-NR %u, want 3 and 0", head.n,
			     nr & ~(unsigned)DT_EOT);
		show_event_end(d->show);
	}
	side->tpdus++;
	side->framed += head.n + data.n + TPKT_HEADER;
	side->tsdu_octets += data.n;
	out_bytes(&side->tsdu, view_first(data, out_room(&side->tsdu)));
	if ((nr & DT_EOT) != 0)
		tsdu_done(d, responder, false);
}

static void on_tpdu(struct decode_stack *d, bool responder, struct view v)
{
	const size_t li = v.p[0];
	if (li < 1 || li + 1 > v.n) {
		event(d, responder, "TPDU");
		show_damaged(d->show, "cotp: header of %zu octets in a TPDU of %zu", li + 1, v.n);
		show_hidden(d->show, "octets", v);
		show_event_end(d->show);
		return;
	}
	const struct view head = view_first(v, li + 1), data = view_from(v, li + 1);
	if (v.p[1] == TPDU_DT)
		on_dt(d, responder, head, data);
	else
		other_tpdu(d, responder, v.p[1] & 0xf0u, head, data);
}

/* --- TPKT (RFC 1006 6) --- */

static void out_of_step(struct decode_stack *d, bool responder, unsigned version, size_t length)
{
	event(d, responder, "TPKT");
	show_damaged(d->show, "tpkt: version %u and length %zu, want 3 and %d..%d; looking for the next packet", version, length,
		     TPKT_MIN, TPKT_MAX);
	show_hidden(d->show, "octets", out_view(&d->side[responder].stream));
	show_event_end(d->show);
	d->side[responder].searching = true;
}

static void say_skipped(struct decode_stack *d, bool responder)
{
	struct decode_side *side = &d->side[responder];
	if (side->skipped == 0)
		return;
	event(d, responder, "TPKT");
	show_uint(d->show, "octets skipped", side->skipped);
	show_event_end(d->show);
	side->skipped = 0;
}

/* False: nothing that looks like a packet is here. */
static bool search(struct decode_stack *d, bool responder)
{
	enum { LOOK = 7 };
	struct decode_side *side = &d->side[responder];
	const struct view v = out_view(&side->stream);
	size_t at = 0;
	while (at + LOOK <= v.n && !decode_is_tpkt(view_from(v, at)))
		at++;
	const bool found = at + LOOK <= v.n;
	side->skipped += at;
	out_drop(&side->stream, at);
	if (!found)
		return false;
	side->searching = false;
	say_skipped(d, responder);
	return true;
}

/* False: more octets are wanted. */
static bool next_packet(struct decode_stack *d, bool responder)
{
	struct decode_side *side = &d->side[responder];
	if (side->searching && !search(d, responder))
		return false;
	struct cur c = cur_of(out_view(&side->stream));
	const unsigned version = cur_u8(&c);
	(void)cur_u8(&c);
	const size_t length = cur_u16(&c);
	if (c.bad)
		return false;
	if (version != 3 || length < TPKT_MIN) {
		out_of_step(d, responder, version, length);
		return true;
	}
	const struct view tpdu = cur_bytes(&c, length - TPKT_HEADER);
	if (c.bad)
		return false;
	on_tpdu(d, responder, tpdu);
	out_drop(&side->stream, length);
	return true;
}

void decode_octets(struct decode_stack *d, bool responder, struct view v)
{
	while (v.n > 0) {
		out_bytes(&d->side[responder].stream, view_first(v, PIECE));
		v = view_from(v, PIECE);
		while (next_packet(d, responder))
			;
		assert(!d->side[responder].stream.bad); /* a packet is shorter than the room */
	}
}

void decode_gap(struct decode_stack *d, bool responder)
{
	struct decode_side *side = &d->side[responder];
	const size_t n = out_len(&side->stream);
	if (n > 0 && !side->searching) {
		event(d, responder, "TPKT");
		show_damaged(d->show, "tpkt: a packet ends after %zu octets", n);
		show_hidden(d->show, "octets", out_view(&side->stream));
		show_event_end(d->show);
	}
	if (side->searching) {
		side->skipped += n;
		say_skipped(d, responder);
	}
	out_clear(&side->stream);
	if (side->tpdus > 0)
		tsdu_done(d, responder, true);
	side->searching = true;
	side->transfer.gap = side->transfer.open;
}

void decode_end(struct decode_stack *d)
{
	for (int i = 0; i < 2; i++) {
		struct decode_side *side = &d->side[i];
		if (out_len(&side->stream) > 0 || side->tpdus > 0 || side->skipped > 0)
			decode_gap(d, i == 1);
		if (side->transfer.open)
			decode_transfer_end(d, i == 1, DECODE_UNENDED);
	}
}
