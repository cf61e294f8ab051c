/* x400_fuzz.c - an association whose peer says anything, at any moment of the bind and after it, while its user does
 * anything. The first octet chooses the side and how far the bind has come; then each step is an octet for what
 * happens, and for octets from the peer their length in two. What must hold: invariants of the state, no failure but as
 * an event, one end, progress, and nothing read or kept beyond its limit (sanitizers). */
#include "base/cur.h"
#include "base/text.h"
#include "flow/engine/x400/x400_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of x400-ping-success.pcap: the bind of an initiator, and the answer to it. */
static const char called[] =
	"0300001d18e000000de000c107583430302d3838c207583430302d3838"
	"030000cd02f0800dc4011d0a0a0408506572636976616c0b0f170d3035313030313134343835325a05091301001601021a010014020249c19431"
	"80a003800101a280a433300f020101060452010001300406025101300f02010306045600020c300406025101300f020105060456000207300406"
	"0251016150304e020101a0496047a106060456000106be3d283b06025101020103a032b03080013f820100a328a026b024a12280137065726369"
	"76616c2e736d68732e636f2e756ba10b1609657863616c6962757200000000";
static const char calling[] =
	"0300000b06d00001047c00"
	"030000ba02f0800eb1011d090a0408506572636976616c0b0f170d3035313030313134343835325a05091301001601021a010014020249340"
	"0c17f317da003800101a276a51b30078001008102510130078001008102510130078001008102510161573055020101a050614ea106060456"
	"000106a203020100a305a103020100be38283606025101020103a02db12b80013fa226a024b122a12080146775696e65766572652e736d687"
	"32e636f2e756ba10816066d65726c696e";

/* The same in X.410 mode, written after X.226 8.5 and X.419 13.2: P1 of 1984. */
static const char called_x410[] =
	"0300001d18e000000de000c107583430302d3838c207583430302d3838"
	"0300003c02f0800d330509130100160101"
	"1a010014020249c1223120a003800100a11980013fa311a00fa10d80054d54412d49a10416027069840101";
static const char calling_x410[] =
	"0300000b06d00001047c00"
	"0300003602f0800e2d05061301001601011402 0249c11f311da003800100a11680013fa211a00fa10d80054d54412d52a10416027072";

struct run {
	struct x400 *x;
	int64_t now;
	bool ended;
	uint64_t left; /* of the outbound transfer */
};

static void act_on(struct run *r, const struct x400_event *ev)
{
	struct err e;
	assert(!r->ended); /* nothing comes after the end */
	assert(ev->kind != X400_TRANSFER_RESUME || ev->resume.reference.user.n <= SESSION_REF_MAX);
	if (ev->kind == X400_BIND && ev->recover)
		(void)!x400_bind_recover(r->x, &e);
	else if (ev->kind == X400_BIND)
		(void)!x400_bind_accept(r->x, NULL, &e);
	if (ev->kind == X400_TRANSFER_RESUME)
		(void)!(ev->resume.serial % 2 == 1 ? x400_resume_accept(r->x, &e) : x400_resume_refuse(r->x, r->now, &e));
	r->ended = ev->kind == X400_ENDED || ev->kind == X400_UNBOUND || ev->kind == X400_BIND_REFUSED;
	if (r->ended)
		assert(ev->kind == X400_UNBOUND || ev->err.kind != ERR_NONE);
}

static void look(struct run *r)
{
	struct x400_event ev;
	for (;;) {
		const enum step step = x400_next(r->x, &ev, r->now);
		assert(step != STEP_FAIL);
		x400_check_state(r->x);
		if (step == STEP_WAIT)
			return;
		act_on(r, &ev);
	}
}

static void feed(struct run *r, struct view v)
{
	for (unsigned stuck = 0; v.n > 0; stuck++) {
		const size_t n = x400_feed(r->x, v, r->now);
		v = view_from(v, n);
		if (n > 0)
			stuck = 0;
		assert(stuck < 3); /* a full buffer, and nothing to say */
		look(r);
	}
}

/* In one DT, so that what is fuzzed is not TPKT's length. */
static void feed_tsdu(struct run *r, struct view v, bool eot)
{
	const uint8_t head[7] = { 3, 0, (uint8_t)((v.n + 7) >> 8), (uint8_t)(v.n + 7), 2, 0xf0, eot ? 0x80 : 0 };
	feed(r, view_of(head, sizeof head));
	feed(r, v);
}

static void send_some(struct run *r, size_t most)
{
	static const uint8_t octets[4096];
	size_t n = x400_transfer_room(r->x);
	n = n < most ? n : most;
	n = n < r->left ? n : (size_t)r->left;
	if (n == 0)
		return;
	x400_transfer_data(r->x, view_of(octets, n < sizeof octets ? n : sizeof octets), r->now);
	r->left -= n < sizeof octets ? n : sizeof octets;
}

/* Where it broke off, or anywhere. */
static void go_on(struct run *r, unsigned size)
{
	struct x400_resume at = { .activity = 1, .serial = 1 + size, .offset = 1024 };
	struct err e;
	if (!x400_resumable(r->x, &at))
		at.reference.user = VIEW("\x04\x01x");
	if (x400_transfer_resume(r->x, &at, at.offset + 1 + size * 16u, r->now, &e))
		r->left = 1 + size * 16u;
}

static void act(struct run *r, unsigned what, unsigned size)
{
	struct err e;
	switch (what) {
	case 0: (void)!x400_transfer_accept(r->x, &e); break;
	case 1: (void)!x400_transfer_refuse(r->x, &e); break;
	case 2: x400_checkpoint_confirm(r->x, size); break;
	case 3:
		if (x400_transfer_begin(r->x, 1 + size * 16u, r->now, &e))
			r->left = 1 + size * 16u;
		break;
	case 4: send_some(r, 1 + size); break;
	case 5: x400_transfer_discard(r->x); break;
	case 6: (void)!x400_turn_please(r->x, size, r->now, &e); break;
	case 7: (void)!x400_turn_give(r->x, &e); break;
	case 8: (void)!x400_unbind(r->x, r->now, &e); break;
	case 9:
		r->now += size * 10;
		x400_tick(r->x, r->now);
		break;
	case 10: x400_transport_closed(r->x, NULL); break;
	case 11: x400_transfer_interrupt(r->x); break;
	case 12: go_on(r, size); break;
	default: out_drop(x400_out(r->x), out_len(x400_out(r->x))); break;
	}
	x400_check_state(r->x);
	look(r);
}

static struct x400 *new_association(unsigned first)
{
	const bool initiator = (first & 1) != 0;
	const struct x400_config c = {
		.session = { .side = initiator ? SESSION_INITIATOR : SESSION_RESPONDER, .tpdu_size = 8192,
			     .versions = (first & 2) != 0 ? 3 : 2, .collect_max = 4096, .out_max = 1 << 14, .local_ref = 1,
			     .tsdu_max_in = (first & 4) != 0 ? 300 : 0, .tsdu_max_out = (first & 4) != 0 ? 300 : 0 },
		.mode = (enum x400_mode)((first >> 6) % X400_MODE_COUNT), /* and 3 is 0 again */
		.own = { .present = true, .mta_name = VIEW("MTA"), .has_password = true, .password = VIEW("p") },
		.checkpoint_size = (first & 8) != 0 ? 1 : 0, .window = 2, .resumes = true, .two_way_alternate = (first & 16) != 0,
		.apdu_max = 1 << 20, .connect_timeout_ms = 1000, .response_timeout_ms = 2000, .receive_timeout_ms = 3000,
		.idle_timeout_ms = 4000, .abort_timeout_ms = 500,
	};
	return x400_new(&c, 0);
}

static void bind(struct run *r, unsigned first)
{
	struct out o;
	out_init(&o, 1 << 12);
	const bool x410 = (first >> 6) % X400_MODE_COUNT != X400_NORMAL;
	if (x410)
		assert(text_unhex(&o, view_str((first & 1) != 0 ? calling_x410 : called_x410)));
	else
		assert(text_unhex(&o, view_str((first & 1) != 0 ? calling : called)));
	feed(r, out_view(&o));
	out_fini(&o);
	assert(r->x->state == X400_S_OPEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cur c = cur_of(view_of(data, size));
	const unsigned first = cur_u8(&c);
	struct run r = { .x = new_association(first) };
	look(&r);
	if ((first & 32) != 0)
		bind(&r, first);
	while (cur_left(&c) > 0) {
		const unsigned what = cur_u8(&c);
		if (what >= 16) {
			act(&r, what % 16, what / 16 * 16);
			continue;
		}
		const size_t length = cur_u16(&c);
		const struct view v = cur_bytes(&c, length < cur_left(&c) ? length : cur_left(&c));
		if (what % 3 == 0)
			feed_tsdu(&r, v, true);
		else if (what % 3 == 1)
			feed_tsdu(&r, v, false);
		else
			feed(&r, v);
	}
	x400_free(&r.x);
	return 0;
}
