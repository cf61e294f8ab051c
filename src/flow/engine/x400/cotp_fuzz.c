/* cotp_fuzz.c - any octets to a responder and to an initiator: no crash, progress, bounded memory,
 * well-formed output. */
#include "base/mem.h"
#include "flow/engine/x400/cotp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What we send is TPKTs of at least 7 octets whose LI fits. */
static void check_output(struct view v)
{
	while (v.n > 0) {
		assert(v.n >= 7 && v.p[0] == 3 && v.p[1] == 0);
		size_t n = (size_t)v.p[2] << 8 | v.p[3];
		assert(n >= 7 && n <= v.n && v.p[4] + 5u <= n);
		v = view_from(v, n);
	}
}

static void pull(struct cotp *c, unsigned flags)
{
	static const uint8_t octets[300];
	struct cotp_event ev;
	enum step step;
	while ((step = cotp_next(c, &ev, NULL)) == STEP_DONE) {
		cotp_check_state(c);
		switch (ev.kind) {
		case COTP_CONNECT:
			assert(ev.calling.n <= COTP_TSEL_MAX && ev.called.n <= COTP_TSEL_MAX);
			if ((flags & 2) != 0)
				cotp_refuse(c, COTP_ADDRESS_UNKNOWN);
			else
				cotp_accept(c);
			break;
		case COTP_CONNECTED:
		case COTP_DISCONNECT: break;
		case COTP_DATA:
			assert(ev.bytes.n > 0 || ev.end);
			cotp_take(c, ev.end ? ev.bytes.n : (ev.bytes.n + 1) / 2);
			if (ev.end) {
				struct view v[2] = {view_of(octets, ev.bytes.n % 300),
						    view_of(octets, 200)};
				cotp_send(c, v, 2, true);
			}
			break;
		}
		check_output(out_view(cotp_out(c)));
		out_drop(cotp_out(c), out_len(cotp_out(c)));
	}
	assert(step == STEP_WAIT || cotp_is_closed(c));
	check_output(out_view(cotp_out(c)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > 1u << 16)
		return 0;
	unsigned flags = data[0];
	struct cotp *c = cotp_new(&(struct cotp_config){
		.initiator = (flags & 1) != 0,
		.send_tsel = (flags & 4) != 0,
		.tpdu_size = (flags & 8) != 0 ? 128u << (flags >> 5) : COTP_SIZE_UNSTATED,
		.rfc2126 = (flags & 16) != 0,
		.buf_max = 1024,
	});
	struct view in = view_of(data + 2, size - 2);
	while (in.n > 0) {
		size_t n = cotp_feed(c, view_first(in, 1u + data[1]));
		assert(n > 0);
		in = view_from(in, n);
		pull(c, flags);
		assert(cotp_buffer_size(c) < 16384);
	}
	cotp_free(&c);
	return 0;
}
