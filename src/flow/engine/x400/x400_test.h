/* x400_test.h - a user on each side of an association, a wire between them, and a clock that only tests move. */
#pragma once
#include "flow/codec/osi/capture_test.h"
#include "flow/engine/x400/x400_private.h"

enum { EVENT_KINDS = X400_ENDED + 1 };

/* What a user does with its events. Everything it saw is in `count` and `log`. */
struct user {
	struct x400 *x;
	int64_t now;
	struct x400_credentials own, wanted;  /* responder: what it answers; what it asks for */
	enum x400_bind_error refuse;          /* X400_NO_BIND_ERROR: by credentials */
	bool hold_bind, hold_confirm, hold_end, refuse_transfer, hold_resume;
	bool keeps;                           /* recovers and resumes what broke off: `received` up to its points */
	uint64_t activity;                    /* the one in `received` */
	uint64_t point[1024];                 /* octets before each checkpoint */
	unsigned count[EVENT_KINDS];
	struct out received;                  /* of the transfer going on */
	uint64_t octets;                      /* of all transfers */
	uint32_t last_serial;
	unsigned priority;
	bool keep_octets;
	struct x400_event last[EVENT_KINDS];  /* the latest of each kind; views are not good any more */
	char peer_name[64], peer_password[64];
	struct out sent;                      /* every octet that left */
};

static inline struct x400_config config_of(enum session_side side)
{
	return (struct x400_config){
		.session = { .side = side, .calling_tsel = VIEW("a"), .called_tsel = VIEW("b"), .send_tsel = side == SESSION_INITIATOR,
			     .tpdu_size = 8192, .versions = 3, .user_ref = VIEW("\x04\x01x"),
			     .common_ref = VIEW("\x17\x0d" "261122003922Z"), .collect_max = 10240, .out_max = 1 << 16 },
		.own = { .present = true, .mta_name = VIEW("MTA-I"), .has_password = true, .password = VIEW("pi") },
		.checkpoint_size = 1, .window = 3,
		.connect_timeout_ms = 1000, .response_timeout_ms = 2000, .receive_timeout_ms = 3000, .idle_timeout_ms = 4000,
		.abort_timeout_ms = 500,
	};
}

static inline void user_init(struct user *u, const struct x400_config *c)
{
	*u = (struct user){ .now = 1000, .refuse = X400_NO_BIND_ERROR, .keep_octets = true };
	u->own = (struct x400_credentials){ .present = true, .mta_name = VIEW("MTA-R"), .has_password = true,
					    .password = VIEW("pr") };
	u->wanted = (struct x400_credentials){ .present = true, .mta_name = VIEW("MTA-I"), .has_password = true,
					       .password = VIEW("pi") };
	out_init(&u->received, 1 << 26);
	out_init(&u->sent, 1 << 26);
	u->x = x400_new(c, u->now);
}

static inline void user_fini(struct user *u)
{
	x400_free(&u->x);
	out_fini(&u->received);
	out_fini(&u->sent);
}

static inline void copy_text(char *to, size_t size, struct view v)
{
	const size_t n = v.n < size - 1 ? v.n : size - 1;
	memcpy(to, v.p == NULL ? (const uint8_t *)"" : v.p, n);
	to[n] = 0;
}

static inline void decide_bind(struct user *u, const struct x400_event *ev)
{
	struct err e;
	enum x400_bind_error why = u->refuse;
	if (why == X400_NO_BIND_ERROR && ev->recover && u->keeps) {
		assert_true(x400_bind_recover(u->x, &e));
		return;
	}
	if (why == X400_NO_BIND_ERROR && ev->recover)
		why = X400_BUSY;
	if (why == X400_NO_BIND_ERROR && u->wanted.present &&
	    (!ev->peer.present || !view_eq_nocase(ev->peer.mta_name, u->wanted.mta_name) ||
	     !view_eq_nocase(ev->peer.password, u->wanted.password)))
		why = X400_AUTHENTICATION;
	if (why == X400_NO_BIND_ERROR)
		assert_true(x400_bind_accept(u->x, &u->own, &e));
	else
		assert_true(x400_bind_refuse(u->x, why, &e));
}

static inline void decide_resume(struct user *u, const struct x400_resume *r)
{
	struct err e;
	if (u->keeps && r->activity == u->activity && r->serial < ARRAY_LEN(u->point) && u->point[r->serial] > 0) {
		u->received.n = (size_t)u->point[r->serial] + u->received.head;
		assert_true(x400_resume_accept(u->x, &e));
	} else {
		assert_true(x400_resume_refuse(u->x, u->now, &e));
	}
}

static inline void user_event(struct user *u, const struct x400_event *ev)
{
	struct err e;
	u->count[ev->kind]++;
	u->last[ev->kind] = *ev;
	if (ev->kind == X400_BIND || ev->kind == X400_BOUND) {
		copy_text(u->peer_name, sizeof u->peer_name, ev->peer.mta_name);
		copy_text(u->peer_password, sizeof u->peer_password, ev->peer.password);
	}
	switch (ev->kind) {
	case X400_BIND:
		if (!u->hold_bind)
			decide_bind(u, ev);
		break;
	case X400_TRANSFER_BEGIN:
		out_clear(&u->received);
		u->activity = ev->activity;
		memset(u->point, 0, sizeof u->point);
		break;
	case X400_TRANSFER_RESUME:
		if (!u->hold_resume)
			decide_resume(u, &ev->resume);
		break;
	case X400_TRANSFER_DATA:
		assert_true(ev->bytes.n > 0);
		u->octets += ev->bytes.n;
		if (u->keep_octets)
			out_bytes(&u->received, ev->bytes);
		break;
	case X400_TRANSFER_CHECKPOINT:
		u->last_serial = ev->serial;
		if (ev->serial < ARRAY_LEN(u->point))
			u->point[ev->serial] = out_len(&u->received);
		if (!u->hold_confirm)
			x400_checkpoint_confirm(u->x, ev->serial);
		break;
	case X400_TRANSFER_END:
		if (u->refuse_transfer)
			assert_true(x400_transfer_refuse(u->x, &e));
		else if (!u->hold_end)
			assert_true(x400_transfer_accept(u->x, &e));
		break;
	case X400_TURN_PLEASE:
		u->priority = ev->priority;
		break;
	case X400_BOUND: case X400_BIND_REFUSED: case X400_TRANSFER_CONFIRMED: case X400_TRANSFER_FAILED:
	case X400_TRANSFER_SYNCED: case X400_TRANSFER_INTERRUPTED:
	case X400_TRANSFER_ABORTED: case X400_TURN_GIVEN: case X400_UNBOUND: case X400_ENDED:
		break;
	}
}

/* Takes every event there is; true if there was one. */
static inline bool user_run(struct user *u)
{
	struct x400_event ev;
	bool any = false;
	for (;;) {
		const enum step step = x400_next(u->x, &ev, u->now);
		assert_int_not_equal(step, STEP_FAIL);
		x400_check_state(u->x);
		if (step == STEP_WAIT)
			return any;
		any = true;
		user_event(u, &ev);
		x400_check_state(u->x);
	}
}

/* Gives octets in pieces; every one is taken in the end. */
static inline void user_feed(struct user *u, struct view v, size_t chunk)
{
	unsigned stuck = 0;
	while (v.n > 0) {
		const size_t n = x400_feed(u->x, view_first(v, chunk), u->now);
		v = view_from(v, n);
		const bool any = user_run(u);
		stuck = n == 0 && !any ? stuck + 1 : 0;
		assert_true(stuck < 3); /* a full buffer and WAIT together */
	}
}

static inline void user_feed_hex(struct user *u, const char *hex)
{
	struct out o = from_hex(hex);
	user_feed(u, out_view(&o), 1 << 16);
	out_fini(&o);
}

/* Moves at most `chunk` octets of what one side has to send to the other; how many. */
static inline size_t wire_move(struct user *from, struct user *to, size_t chunk)
{
	struct out *o = x400_out(from->x);
	const struct view v = view_first(out_view(o), chunk);
	if (v.n == 0)
		return 0;
	const size_t n = x400_feed(to->x, v, to->now);
	out_bytes(&from->sent, view_first(v, n));
	out_drop(x400_out(from->x), n);
	(void)user_run(to);
	return n;
}

/* Until neither side has anything to say. rng: 0 moves everything at once, else pieces of 1 .. 100 octets. */
static inline void pump(struct user *a, struct user *b, uint32_t *rng)
{
	for (;;) {
		size_t chunk = SIZE_MAX;
		if (rng != NULL) {
			*rng = *rng * 1664525u + 1013904223u;
			chunk = 1 + (*rng >> 16) % 100;
		}
		(void)user_run(a);
		(void)user_run(b);
		const size_t n = wire_move(a, b, chunk), m = wire_move(b, a, chunk);
		if (n == 0 && m == 0)
			return;
	}
}

/* The octets that user i of a transfer sends: they say where they stand. */
static inline uint8_t octet_at(uint64_t i)
{
	return (uint8_t)(i * 31 + (i >> 8) + (i >> 16));
}

/* Gives what there is room for, from octet *done of `total`. */
static inline void give(struct user *u, uint64_t total, uint64_t *done)
{
	static uint8_t buf[1 << 16];
	for (;;) {
		size_t n = x400_transfer_room(u->x);
		if (n == 0 || *done == total)
			return;
		if (n > sizeof buf)
			n = sizeof buf;
		if (n > total - *done)
			n = (size_t)(total - *done);
		for (size_t i = 0; i < n; i++)
			buf[i] = octet_at(*done + i);
		x400_transfer_data(u->x, view_of(buf, n), u->now);
		x400_check_state(u->x);
		*done += n;
	}
}

/* Sends `total` octets to the end. */
static inline void transfer(struct user *from, struct user *to, uint64_t total, uint32_t *rng)
{
	struct err e;
	uint64_t done = 0;
	assert_true(x400_transfer_begin(from->x, total, from->now, &e));
	for (unsigned turns = 0; done < total; turns++) {
		assert_true(turns < 1000000);
		give(from, total, &done);
		pump(from, to, rng);
	}
}

static inline void assert_received(const struct user *u, uint64_t total)
{
	const struct view v = out_view(&u->received);
	assert_int_equal(v.n, total);
	for (uint64_t i = 0; i < total; i++)
		assert_int_equal(v.p[i], octet_at(i));
}

/* Both sides up to the bind. */
struct pair {
	struct user i, r;
	struct x400_config ci, cr;
};

static inline void pair_config(struct pair *p)
{
	p->ci = config_of(SESSION_INITIATOR);
	p->cr = config_of(SESSION_RESPONDER);
}

static inline void pair_start(struct pair *p)
{
	user_init(&p->i, &p->ci);
	user_init(&p->r, &p->cr);
}

static inline void pair_bind(struct pair *p, uint32_t *rng)
{
	pair_start(p);
	pump(&p->i, &p->r, rng);
	if (p->i.count[X400_BOUND] != 1)
		fail_msg("not bound: %s; %s; %s", x400_state_name(p->i.x), p->i.last[X400_ENDED].err.text,
			 p->r.last[X400_ENDED].err.text);
}

static inline void pair_open(struct pair *p)
{
	pair_config(p);
	pair_bind(p, NULL);
}

static inline void pair_close(struct pair *p)
{
	user_fini(&p->i);
	user_fini(&p->r);
}

/* How many TSDUs of a side's octets begin with these octets. */
static inline unsigned tsdus_that_begin(const struct out *octets, const char *hex)
{
	struct out tsdu, want = from_hex(hex);
	struct cur c = cur_of(out_view(octets));
	unsigned n = 0;
	out_init(&tsdu, 1 << 26);
	while (capture_tsdu(&c, &tsdu))
		n += view_eq(view_first(out_view(&tsdu), out_len(&want)), out_view(&want));
	out_fini(&tsdu);
	out_fini(&want);
	return n;
}
