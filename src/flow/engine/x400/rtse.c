#include "flow/engine/x400/rtse.h"

#include "base/mem.h"

#include <limits.h>

static const char LAYER[] = "rtse";

static struct rtse_apdu_connection_data connection_data(const struct rtse_open *v)
{
	if (v->recover)
		return (struct rtse_apdu_connection_data){ .choice.which = RTSE_APDU_RECOVER, .recover = v->recovers };
	return (struct rtse_apdu_connection_data){ .choice.which = RTSE_APDU_OPEN, .open = v->user_data };
}

static void take_connection_data(const struct rtse_apdu_connection_data *data, struct rtse_open *v_r)
{
	v_r->recover = data->choice.which == RTSE_APDU_RECOVER;
	if (v_r->recover)
		v_r->recovers = data->recover;
	else if (data->choice.which == RTSE_APDU_OPEN)
		v_r->user_data = data->open;
}

void rtse_fill_rtorq(const struct rtse_open *v, struct rtse_apdu_rtorq *apdu_r)
{
	*apdu_r = (struct rtse_apdu_rtorq){
		.seq.has = 1u << RTSE_APDU_RTORQ_CHECKPOINT | 1u << RTSE_APDU_RTORQ_WINDOW | 1u << RTSE_APDU_RTORQ_DIALOGUE |
			   1u << RTSE_APDU_RTORQ_DATA,
		.checkpoint_size = v->checkpoint_size,
		.window_size = v->window,
		.dialogue_mode = v->two_way_alternate ? RTSE_APDU_TWA : RTSE_APDU_MONOLOGUE,
		.data = connection_data(v),
		.application_protocol = v->application_protocol,
	};
	if (v->application_protocol != 0)
		apdu_r->seq.has |= 1u << RTSE_APDU_RTORQ_PROTOCOL;
}

void rtse_fill_rtoac(const struct rtse_open *v, struct rtse_apdu_rtoac *apdu_r)
{
	*apdu_r = (struct rtse_apdu_rtoac){
		.seq.has = 1u << RTSE_APDU_RTOAC_CHECKPOINT | 1u << RTSE_APDU_RTOAC_WINDOW | 1u << RTSE_APDU_RTOAC_DATA,
		.checkpoint_size = v->checkpoint_size,
		.window_size = v->window,
		.data = connection_data(v),
	};
}

bool rtse_rtorq(const struct rtse_open *v, struct out *o, struct err *e)
{
	struct rtse_apdu apdu = { .choice.which = RTSE_APDU_RTORQ };
	rtse_fill_rtorq(v, &apdu.rtorq);
	return layer_encode(LAYER, &rtse_apdu_type, &apdu, o, e);
}

bool rtse_rtoac(const struct rtse_open *v, struct out *o, struct err *e)
{
	struct rtse_apdu apdu = { .choice.which = RTSE_APDU_RTOAC };
	rtse_fill_rtoac(v, &apdu.rtoac);
	return layer_encode(LAYER, &rtse_apdu_type, &apdu, o, e);
}

bool rtse_rtorj(struct view user_data, struct out *o, struct err *e)
{
	struct rtse_apdu apdu = { .choice.which = RTSE_APDU_RTORJ };
	apdu.rtorj.seq.has = 1u << RTSE_APDU_RTORJ_USER_DATA;
	apdu.rtorj.user_data = user_data;
	return layer_encode(LAYER, &rtse_apdu_type, &apdu, o, e);
}

bool rtse_rtab(enum rtse_abort_reason reason, struct out *o, struct err *e)
{
	struct rtse_apdu apdu = { .choice.which = RTSE_APDU_RTAB };
	apdu.rtab.seq.has = 1u << RTSE_APDU_RTAB_REASON;
	apdu.rtab.reason = reason;
	return layer_encode(LAYER, &rtse_apdu_type, &apdu, o, e);
}

bool rtse_rttp(unsigned priority, struct out *o, struct err *e)
{
	const struct rtse_apdu apdu = { .choice.which = RTSE_APDU_RTTP, .rttp = priority };
	return layer_encode(LAYER, &rtse_apdu_type, &apdu, o, e);
}

static bool read_apdu(struct view in, struct arena *a, uint32_t which, const char *wanted, struct rtse_apdu *v_r,
		      struct err *e)
{
	if (in.n == 0)
		return layer_error(e, LAYER, "no APDU where %s is due", wanted);
	if (!layer_decode(LAYER, &rtse_apdu_type, in, v_r, a, e))
		return false;
	if (v_r->choice.which != which)
		return layer_error(e, LAYER, "another APDU (first octet %02x) where %s is due", in.p[0], wanted);
	return true;
}

static bool read_size(int64_t x, const char *what, unsigned *size_r, struct err *e)
{
	if (x < 0)
		return layer_error(e, LAYER, "%s %lld", what, (long long)x);
	*size_r = x > UINT_MAX ? UINT_MAX : (unsigned)x;
	return true;
}

bool rtse_take_rtorq(const struct rtse_apdu_rtorq *apdu, struct rtse_open *v_r, struct err *e)
{
	*v_r = (struct rtse_open){ 0 };
	if (!read_size(apdu->checkpoint_size, "checkpoint size", &v_r->checkpoint_size, e) ||
	    !read_size(apdu->window_size, "window size", &v_r->window, e))
		return false;
	v_r->two_way_alternate = apdu->dialogue_mode == RTSE_APDU_TWA;
	if (apdu->dialogue_mode != RTSE_APDU_TWA && apdu->dialogue_mode != RTSE_APDU_MONOLOGUE)
		return layer_error(e, LAYER, "dialogue mode %lld, wanted monologue (0) or two-way alternate (1)",
				   (long long)apdu->dialogue_mode);
	if ((apdu->seq.has & 1u << RTSE_APDU_RTORQ_PROTOCOL) != 0)
		v_r->application_protocol = apdu->application_protocol;
	take_connection_data(&apdu->data, v_r);
	return true;
}

bool rtse_read_rtorq(struct view in, struct arena *a, struct rtse_open *v_r, struct err *e)
{
	struct rtse_apdu v;
	return read_apdu(in, a, RTSE_APDU_RTORQ, "an RTORQ", &v, e) && rtse_take_rtorq(&v.rtorq, v_r, e);
}

bool rtse_take_rtoac(const struct rtse_apdu_rtoac *apdu, struct rtse_open *v_r, struct err *e)
{
	*v_r = (struct rtse_open){ 0 };
	if (!read_size(apdu->checkpoint_size, "checkpoint size", &v_r->checkpoint_size, e) ||
	    !read_size(apdu->window_size, "window size", &v_r->window, e))
		return false;
	take_connection_data(&apdu->data, v_r);
	return true;
}

bool rtse_read_rtoac(struct view in, struct arena *a, struct rtse_open *v_r, struct err *e)
{
	struct rtse_apdu v;
	return read_apdu(in, a, RTSE_APDU_RTOAC, "an RTOAC", &v, e) && rtse_take_rtoac(&v.rtoac, v_r, e);
}

bool rtse_read_rtorj(struct view in, struct arena *a, struct view *user_data_r, struct err *e)
{
	struct rtse_apdu v;
	*user_data_r = (struct view){ NULL, 0 };
	if (!read_apdu(in, a, RTSE_APDU_RTORJ, "an RTORJ", &v, e))
		return false;
	if ((v.rtorj.seq.has & 1u << RTSE_APDU_RTORJ_USER_DATA) != 0)
		*user_data_r = v.rtorj.user_data;
	return true;
}

bool rtse_read_rtab(struct view in, struct arena *a, int64_t *reason_r, struct err *e)
{
	struct rtse_apdu v;
	if (!read_apdu(in, a, RTSE_APDU_RTAB, "an RTAB", &v, e))
		return false;
	*reason_r = (v.rtab.seq.has & 1u << RTSE_APDU_RTAB_REASON) != 0 ? v.rtab.reason : -1;
	return true;
}

bool rtse_read_rttp(struct view in, struct arena *a, unsigned *priority_r, struct err *e)
{
	struct rtse_apdu v;
	return read_apdu(in, a, RTSE_APDU_RTTP, "an RTTP", &v, e) && read_size(v.rttp, "turn priority", priority_r, e);
}

static unsigned lesser(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

struct rtse_open rtse_answer(const struct rtse_open *proposed, const struct rtse_open *own)
{
	const unsigned window = own->window == 0 ? RTSE_WINDOW_DEFAULT : own->window;
	return (struct rtse_open){
		.checkpoint_size = lesser(proposed->checkpoint_size, own->checkpoint_size),
		.window = proposed->window == 0 ? 1 : lesser(proposed->window, window),
		.two_way_alternate = proposed->two_way_alternate && own->two_way_alternate,
	};
}

struct rtse_open rtse_agree(const struct rtse_open *proposed, const struct rtse_open *answered)
{
	struct rtse_open r = *proposed;
	if (proposed->checkpoint_size == 0)
		r.checkpoint_size = answered->checkpoint_size;
	else
		r.checkpoint_size = lesser(proposed->checkpoint_size, answered->checkpoint_size);
	r.window = answered->window == 0 ? 1 : lesser(proposed->window, answered->window);
	return r;
}

/* --- sending --- */

void rtse_sender_init(struct rtse_sender *s, uint64_t total, const struct rtse_open *agreed)
{
	*s = (struct rtse_sender){
		.total = total,
		.checkpoint_octets = (uint64_t)agreed->checkpoint_size * RTSE_CHECKPOINT_UNIT,
		.window = agreed->window == 0 ? 1 : agreed->window,
	};
}

void rtse_sender_resume(struct rtse_sender *s, uint64_t total, const struct rtse_open *agreed, uint32_t serial, uint64_t offset)
{
	assert(offset < total);
	rtse_sender_init(s, total, agreed);
	s->last_serial = s->base_serial = serial;
	s->sent = s->base = offset;
}

uint64_t rtse_sender_offset(const struct rtse_sender *s, uint32_t serial)
{
	assert(serial >= s->base_serial && serial <= s->last_serial);
	return s->base + (uint64_t)(serial - s->base_serial) * s->checkpoint_octets;
}

/* There are no more numbers for minor syncs: what is left is one segment (SS-20). */
static bool is_last_segment(const struct rtse_sender *s)
{
	return s->checkpoint_octets == 0 || s->last_serial >= RTSE_SERIAL_MAX;
}

uint64_t rtse_sender_allowed(const struct rtse_sender *s)
{
	const uint64_t left = s->total - s->sent;
	/* Each segment but the last is followed by a minor sync; with a full window no segment may begin. */
	const uint64_t open = s->segment_left;
	if (is_last_segment(s))
		return open > 0 || s->unconfirmed < s->window ? left : 0;
	uint64_t syncs = s->window - s->unconfirmed - (open > 0 ? 1 : 0);
	const uint64_t numbers = RTSE_SERIAL_MAX - s->last_serial - (open > 0 ? 1 : 0);
	if (syncs > numbers)
		syncs = numbers;
	const uint64_t most = syncs > left / s->checkpoint_octets ? left : open + syncs * s->checkpoint_octets;
	return most < left ? most : left;
}

uint64_t rtse_sender_segment(const struct rtse_sender *s)
{
	const uint64_t left = s->total - s->sent;
	return is_last_segment(s) || left < s->checkpoint_octets ? left : s->checkpoint_octets;
}

bool rtse_sender_confirm(struct rtse_sender *s, uint32_t serial)
{
	if (serial > s->last_serial || s->last_serial - serial >= s->unconfirmed)
		return false;
	s->unconfirmed = s->last_serial - serial;
	return true;
}

void rtse_segment_header(int64_t context, uint64_t n, struct out *o)
{
	const size_t length = (size_t)n;
	const size_t octets = length + ber_header_size(BER_U(4), length);
	size_t id_size = 1; /* of an INTEGER above 0, with its sign bit clear */
	while (context >> (8 * id_size - 1) > 0)
		id_size++;
	const size_t list = ber_header_size(BER_U(2), id_size) + id_size + ber_header_size(BER_C(0), octets) + octets;
	ber_put_header(o, BER_A(1), true, list + ber_header_size(BER_U(16), list));
	ber_put_header(o, BER_U(16), true, list);
	ber_put_header(o, BER_U(2), false, id_size);
	for (size_t i = id_size; i-- > 0;)
		out_u8(o, (uint8_t)(context >> (8 * i)));
	ber_put_header(o, BER_C(0), true, octets);
	ber_put_header(o, BER_U(4), false, length);
}

/* --- receiving --- */

/* Depth of each element of P-DATA: 61 { 30 { 02 | a0 { 04 } | 81 } }. */
enum { DEPTH_USER_DATA = 1, DEPTH_LIST, DEPTH_ITEM, DEPTH_VALUE };

enum part { PART_NONE, PART_TRANSFER, PART_CONTEXT, PART_SINGLE, PART_OCTETS };

struct rtse_reader {
	unsigned magic;
#define RTSE_READER_MAGIC 0x57e2ead1u
	const struct presentation *p;
	struct ber_stream *outer, *inner; /* inner: the value inside octet-aligned [1] */
	struct view inner_left;
	enum part part;       /* what the item of the PDV-list is that is being read */
	uint64_t context;
	unsigned context_octets;
	bool has_context;     /* of the current list, and it is RTSE's */
	bool has_value;       /* an RTTR has begun in the current list */
	bool inner_done, done, below, any_list;
};

struct rtse_reader *rtse_reader_new(const struct presentation *p)
{
	struct rtse_reader *r = mem_zero(sizeof *r);
	r->magic = RTSE_READER_MAGIC;
	r->p = p;
	r->outer = ber_stream_new(LAYER_DEPTH_MAX);
	r->inner = ber_stream_new(LAYER_DEPTH_MAX);
	return r;
}

void rtse_reader_free(struct rtse_reader **r)
{
	if (*r == NULL)
		return;
	CHECK(*r, RTSE_READER_MAGIC);
	(*r)->magic = 0;
	ber_stream_free(&(*r)->outer);
	ber_stream_free(&(*r)->inner);
	MEM_FREE(*r);
}

void rtse_reader_reset(struct rtse_reader *r)
{
	CHECK(r, RTSE_READER_MAGIC);
	ber_stream_reset(r->outer);
	r->inner_left = (struct view){ NULL, 0 };
	r->done = r->any_list = r->has_context = r->has_value = r->below = false;
	r->part = PART_NONE;
}

bool rtse_reader_failed_below(const struct rtse_reader *r)
{
	CHECK(r, RTSE_READER_MAGIC);
	return r->below;
}

static bool below(struct rtse_reader *r, struct err *e, const char *what, uint32_t tag)
{
	r->below = true;
	return layer_error(e, "presentation", "P-DATA: %s (tag class %d number %u)", what, (int)ber_tag_class(tag),
			   (unsigned)ber_tag_number(tag));
}

static bool open_item(struct rtse_reader *r, const struct ber_stream_event *ev, struct err *e)
{
	if (ev->tag == BER_U(6) && !r->has_context && r->part == PART_NONE) {
		r->part = PART_TRANSFER;
		return true;
	}
	if (ev->tag == BER_U(2) && !ev->constructed && !r->has_context) {
		r->part = PART_CONTEXT;
		r->context = 0;
		r->context_octets = 0;
		return true;
	}
	if (!r->has_context || r->has_value)
		return below(r, e, "an element out of place in a PDV-list", ev->tag);
	if (ev->tag == BER_C(0) && ev->constructed) {
		r->part = PART_SINGLE;
		return true;
	}
	if (ev->tag == BER_C(1)) {
		r->part = PART_OCTETS;
		r->has_value = true;
		r->inner_done = false;
		ber_stream_reset(r->inner);
		return true;
	}
	return below(r, e, "the value is neither single-ASN1-type [0] nor octet-aligned [1]", ev->tag);
}

static bool open_element(struct rtse_reader *r, const struct ber_stream_event *ev, struct err *e)
{
	switch (ev->depth) {
	case DEPTH_USER_DATA:
		if (r->done || ev->tag != BER_A(1) || !ev->constructed)
			return below(r, e, r->done ? "more than one value in the user data" : "not fully encoded data",
				     ev->tag);
		return true;
	case DEPTH_LIST:
		if (ev->tag != BER_U(16) || !ev->constructed)
			return below(r, e, "not a PDV-list", ev->tag);
		r->has_context = r->has_value = false;
		r->any_list = true;
		r->part = PART_NONE;
		return true;
	case DEPTH_ITEM:
		return open_item(r, ev, e);
	default:
		break;
	}
	if (ev->tag != BER_U(4))
		return layer_error(e, LAYER, "the value is no RTTR: tag class %d number %u, wanted OCTET STRING",
				   (int)ber_tag_class(ev->tag), (unsigned)ber_tag_number(ev->tag));
	if (r->part == PART_SINGLE && ev->depth == DEPTH_VALUE) {
		if (r->has_value)
			return layer_error(e, LAYER, "two values in one PDV-list");
		r->has_value = true;
	}
	return true;
}

static bool close_element(struct rtse_reader *r, const struct ber_stream_event *ev, struct err *e)
{
	if (ev->depth == DEPTH_USER_DATA) {
		r->done = true;
		return r->any_list || below(r, e, "no PDV-list", ev->tag);
	}
	if (ev->depth == DEPTH_LIST)
		return r->has_value || below(r, e, "a PDV-list without value", ev->tag);
	if (ev->depth != DEPTH_ITEM)
		return true;
	if (r->part == PART_CONTEXT) {
		const enum presentation_syntax syntax = presentation_find(r->p, (int64_t)r->context);
		if (syntax == PRESENTATION_UNKNOWN) {
			r->below = true;
			return layer_error(e, "presentation", "P-DATA: context %llu is not in the defined context set",
					   (unsigned long long)r->context);
		}
		if (syntax != PRESENTATION_RTSE)
			return layer_error(e, LAYER, "data in context %llu, which is not RTSE's",
					   (unsigned long long)r->context);
		r->has_context = true;
	} else if (r->part == PART_OCTETS && !r->inner_done) {
		return layer_error(e, LAYER, "the octet-aligned value ends inside the RTTR");
	}
	r->part = PART_NONE;
	return true;
}

static bool context_bytes(struct rtse_reader *r, struct view v, struct err *e)
{
	enum { ID_OCTETS_MAX = 4 };
	for (size_t i = 0; i < v.n; i++) {
		if (++r->context_octets > ID_OCTETS_MAX)
			return below(r, e, "a context identifier of more than 4 octets", BER_U(2));
		r->context = r->context << 8 | v.p[i];
	}
	return true;
}

/* STEP_WAIT: the part of [1] that was at hand is used up. */
static enum step inner_next(struct rtse_reader *r, struct view *octets_r, struct err *e)
{
	while (r->part == PART_OCTETS) {
		struct ber_stream_event ev;
		struct err cause;
		if (r->inner_done && r->inner_left.n > 0) {
			layer_error(e, LAYER, "octets after the RTTR in the octet-aligned value");
			return STEP_FAIL;
		}
		const enum step step = ber_stream_next(r->inner, &r->inner_left, &ev, &cause);
		if (step == STEP_FAIL) {
			layer_error(e, LAYER, "RTTR: %s", cause.text);
			return STEP_FAIL;
		}
		if (step == STEP_WAIT)
			break;
		if (ev.what == BER_S_OPEN && ev.tag != BER_U(4)) {
			layer_error(e, LAYER, "the octet-aligned value is no RTTR");
			return STEP_FAIL;
		}
		if (ev.what == BER_S_CLOSE && ev.depth == 1)
			r->inner_done = true;
		if (ev.what == BER_S_BYTES && ev.bytes.n > 0) {
			*octets_r = ev.bytes;
			return STEP_DONE;
		}
	}
	return STEP_WAIT;
}

enum step rtse_reader_next(struct rtse_reader *r, struct view *in, struct view *octets_r, struct err *e)
{
	CHECK(r, RTSE_READER_MAGIC);
	for (;;) {
		struct ber_stream_event ev;
		struct err cause;
		enum step step = inner_next(r, octets_r, e);
		if (step != STEP_WAIT)
			return step;
		step = ber_stream_next(r->outer, in, &ev, &cause);
		if (step == STEP_WAIT)
			return STEP_WAIT;
		if (step == STEP_FAIL) {
			r->below = true;
			layer_error(e, "presentation", "P-DATA: %s", cause.text);
			return STEP_FAIL;
		}
		bool good = true;
		if (ev.what == BER_S_OPEN)
			good = open_element(r, &ev, e);
		else if (ev.what == BER_S_CLOSE)
			good = close_element(r, &ev, e);
		else if (r->part == PART_CONTEXT)
			good = context_bytes(r, ev.bytes, e);
		else if (r->part == PART_OCTETS)
			r->inner_left = ev.bytes;
		if (!good)
			return STEP_FAIL;
		if (ev.what == BER_S_BYTES && r->part == PART_SINGLE && ev.bytes.n > 0) {
			*octets_r = ev.bytes;
			return STEP_DONE;
		}
	}
}

bool rtse_reader_end(struct rtse_reader *r, struct err *e)
{
	CHECK(r, RTSE_READER_MAGIC);
	if (!r->done)
		return below(r, e, "the user data end inside the value", BER_A(1));
	rtse_reader_reset(r);
	return true;
}
