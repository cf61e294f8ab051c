/* cotp.c - see cotp.h. */
#include "flow/engine/x400/cotp.h"

#include "base/cur.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/engine/x400/tpkt.h"

enum cotp_code {
#define COTP_TPDU(name, code) TPDU_##name = code,
#include "flow/engine/x400/cotp_table.h"
};

enum cotp_state {
#define COTP_STATE(name, truth) COTP_##name,
#include "flow/engine/x400/cotp_table.h"
};

enum { /* parameters, X.224 13.3.4 */
       PARAM_SIZE = 0xc0,
       PARAM_CALLING = 0xc1,
       PARAM_CALLED = 0xc2,
       PARAM_OPTIONS = 0xc6,
       PARAM_CLASSES = 0xc7,
       PARAM_SIZE_PREFERRED = 0xf0,
};

enum {
	DT_HEADER = 3, /* LI, code, TPDU-NR and EOT */
	DT_EOT = 0x80,
	SIZE_CODE_MIN = 7,  /* 128 */
	SIZE_CODE_MAX = 13, /* 8192 */
	OPTION_EXPEDITED = 0x01,
	BUF_DEFAULT = 65536,
	OUT_KEPT = 4096, /* an empty output of no more is not worth giving back */
};

/* What CR and CC say. */
struct params {
	struct view calling, called, classes;
	bool has_calling, has_called, has_size, has_preferred, expedited;
	unsigned size_code;
	size_t preferred; /* in units of 128 */
};

struct cotp {
	unsigned magic;
#define COTP_MAGIC 0xc0791006u
	enum cotp_state state;
	bool initiator, failed, in_dt, dt_end, answered;
	struct cotp_config config;
	uint8_t own_calling[COTP_TSEL_MAX], own_called[COTP_TSEL_MAX];
	uint8_t calling[COTP_TSEL_MAX], called[COTP_TSEL_MAX];
	struct params peer;
	uint16_t own_ref, peer_ref;
	size_t size;	/* agreed or proposed */
	size_t dt_left; /* of the current DT's user data, not taken */
	size_t skip;	/* of a TPDU dealt with */
	struct tpkt *tpkt;
	struct out out;
	struct err err; /* when failed */
};

struct tpdu {
	enum cotp_code code;
	uint16_t dst, src;
	unsigned last; /* class, reason or cause */
	struct params params;
};

typedef bool cotp_action_f(struct cotp *c, const struct tpdu *t, struct cotp_event *ev_r,
			   struct err *e);

static void change_state(struct cotp *c, enum cotp_state to)
{
	assert(c->state != COTP_CLOSED || to == COTP_CLOSED);
	c->state = to;
	cotp_check_state(c);
}

/* ---- output ---- */

static size_t put_tpdu_begin(struct cotp *c)
{
	size_t at = out_len(&c->out);
	out_bytes(&c->out,
		  VIEW("\0\0\0\0\0")); /* TPKT header and LI, patched when the length is known */
	return at;
}

static void put_tpdu_end(struct cotp *c, size_t at)
{
	size_t len = out_len(&c->out) - at - TPKT_HEADER;
	uint8_t *p = c->out.p + c->out.head + at;
	assert(len - 1 <= 254);
	tpkt_put_header(p, len);
	p[TPKT_HEADER] = (uint8_t)(len - 1);
}

static void put_param(struct cotp *c, unsigned code, struct view v)
{
	out_u8(&c->out, (uint8_t)code);
	out_u8(&c->out, (uint8_t)v.n);
	out_bytes(&c->out, v);
}

static void put_head(struct cotp *c, enum cotp_code code, unsigned last)
{
	out_u8(&c->out, (uint8_t)code);
	out_u16(&c->out, c->peer_ref);
	out_u16(&c->out, c->own_ref);
	out_u8(&c->out, (uint8_t)last);
}

static void put_tsels(struct cotp *c)
{
	if (!c->config.send_tsel)
		return;
	put_param(c, PARAM_CALLING, c->config.calling);
	put_param(c, PARAM_CALLED, c->config.called);
}

/* The largest size code that is not over `size`. */
static unsigned size_code(size_t size)
{
	unsigned code = SIZE_CODE_MAX;
	while (code > SIZE_CODE_MIN && ((size_t)1 << code) > size)
		code--;
	return code;
}

static void put_size(struct cotp *c, unsigned code)
{
	uint8_t octet = (uint8_t)code;
	c->size = (size_t)1 << code;
	put_param(c, PARAM_SIZE, view_of(&octet, 1));
}

static void put_cr(struct cotp *c)
{
	size_t at = put_tpdu_begin(c);
	put_head(c, TPDU_CR, 0);
	put_tsels(c);
	if (c->size < COTP_SIZE_UNSTATED)
		put_size(c, size_code(c->size));
	put_tpdu_end(c, at);
}

static void put_dr(struct cotp *c, unsigned reason)
{
	size_t at = put_tpdu_begin(c);
	put_head(c, TPDU_DR, reason);
	put_tpdu_end(c, at);
}

/* The size is agreed while CC is written: never more than CR proposed, and unstated only where CR
 * stated none. */
static void put_cc_size(struct cotp *c)
{
	size_t own = c->config.tpdu_size;
	const struct params *p = &c->peer;
	if (p->has_preferred) { /* X.224 13.3.4 e: units of 128 octets */
		size_t units = own / 128 < p->preferred ? own / 128 : p->preferred;
		uint8_t octets[2] = {(uint8_t)(units >> 8), (uint8_t)units};
		put_param(c, PARAM_SIZE_PREFERRED,
			  units > 255 ? view_of(octets, 2) : view_of(octets + 1, 1));
		c->size = units * 128;
	} else if (p->has_size) {
		unsigned code = own < COTP_SIZE_UNSTATED ? size_code(own) : SIZE_CODE_MAX;
		put_size(c, code < p->size_code ? code : p->size_code);
	} else if (own < COTP_SIZE_UNSTATED || c->config.rfc2126) {
		put_size(c, size_code(own));
	} else {
		c->size = COTP_SIZE_UNSTATED; /* RFC 1006 5, RFC 2126 6.4 */
	}
}

void cotp_accept(struct cotp *c)
{
	CHECK(c, COTP_MAGIC);
	if (c->state != COTP_ASKED)
		return; /* the peer has gone meanwhile */
	size_t at = put_tpdu_begin(c);
	put_head(c, TPDU_CC, 0);
	put_tsels(c);
	put_cc_size(c);
	if (c->peer.expedited) /* asked for: say no, or the peer waits for it */
		put_param(c, PARAM_OPTIONS, view_of("", 1));
	put_tpdu_end(c, at);
	change_state(c, COTP_OPEN);
}

void cotp_refuse(struct cotp *c, enum cotp_reason reason)
{
	CHECK(c, COTP_MAGIC);
	if (c->state != COTP_ASKED)
		return;
	c->own_ref = 0; /* X.224 13.5.3: no connection, no reference of ours */
	put_dr(c, (unsigned)reason);
	change_state(c, COTP_CLOSED);
}

void cotp_send(struct cotp *c, const struct view *v, size_t n, bool end)
{
	CHECK(c, COTP_MAGIC);
	if (c->state != COTP_OPEN)
		return;
	size_t total = 0, i = 0, at = 0;
	for (size_t k = 0; k < n; k++)
		total = mem_add(total, v[k].n);
	if (total == 0 && !end)
		return;
	do {
		size_t len = total < cotp_payload_max(c) ? total : cotp_payload_max(c);
		uint8_t *p = out_reserve(&c->out, TPKT_HEADER + DT_HEADER + len);
		assert(p != NULL);
		tpkt_put_header(p, DT_HEADER + len);
		p[4] = DT_HEADER - 1;
		p[5] = TPDU_DT;
		p[6] = end && len == total ? DT_EOT : 0;
		p += TPKT_HEADER + DT_HEADER;
		total -= len;
		while (len > 0) {
			size_t left = v[i].n - at, k = left < len ? left : len;
			if (k > 0)
				memcpy(p, v[i].p + at, k);
			p += k;
			len -= k;
			at += k;
			if (at == v[i].n) {
				i++;
				at = 0;
			}
		}
	} while (total > 0);
}

/* ---- input ---- */

static enum step fail_silently(struct cotp *c, struct err *e)
{
	c->failed = true;
	change_state(c, COTP_CLOSED);
	if (e != NULL)
		*e = c->err;
	return STEP_FAIL;
}

static enum step fail(struct cotp *c, unsigned reason, struct err *e)
{
	if (c->state == COTP_WAIT_CR || c->state == COTP_ASKED) {
		c->own_ref = 0;
		put_dr(c, reason);
	}
	return fail_silently(c, e);
}

static bool peer_err(struct cotp *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool peer_err(struct cotp *c, const char *fmt, ...)
{
	char text[sizeof c->err.text];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return err_set(&c->err, ERR_PEER, ERR_OF_ASSOCIATION, "%s", text);
}

static bool read_size(struct cotp *c, struct view v, struct params *p)
{
	if (v.n != 1 || v.p[0] < SIZE_CODE_MIN)
		return peer_err(c,
				"cotp: TPDU size parameter of %zu octets, code 0x%02x; want one "
				"octet of 07..0d",
				v.n, v.n > 0 ? v.p[0] : 0u);
	p->has_size = true;
	p->size_code = v.p[0] < SIZE_CODE_MAX ? v.p[0] : SIZE_CODE_MAX; /* we may always lower it */
	return true;
}

static bool read_preferred(struct cotp *c, struct view v, struct params *p)
{
	uint64_t units = 0;
	for (size_t i = 0; i < v.n && i < 4; i++)
		units = units << 8 | v.p[i];
	if (v.n == 0 || v.n > 4 || units == 0)
		return peer_err(
			c,
			"cotp: preferred maximum TPDU size of %zu octets, want 1 to 4 and not zero",
			v.n);
	p->has_preferred = true;
	p->preferred = units < COTP_SIZE_UNSTATED / 128 ? (size_t)units : COTP_SIZE_UNSTATED / 128;
	return true;
}

static bool read_tsel(struct cotp *c, struct view v, const char *which, struct view *v_r,
		      bool *has_r)
{
	if (v.n > COTP_TSEL_MAX)
		return peer_err(c, "cotp: %s TSEL of %zu octets, want at most %d", which, v.n,
				COTP_TSEL_MAX);
	*v_r = v;
	*has_r = true;
	return true;
}

static bool read_param(struct cotp *c, unsigned code, struct view v, struct params *p)
{
	switch (code) {
	case PARAM_SIZE: return read_size(c, v, p);
	case PARAM_SIZE_PREFERRED: return read_preferred(c, v, p);
	case PARAM_CALLING: return read_tsel(c, v, "calling", &p->calling, &p->has_calling);
	case PARAM_CALLED: return read_tsel(c, v, "called", &p->called, &p->has_called);
	case PARAM_CLASSES: p->classes = v; return true;
	case PARAM_OPTIONS: p->expedited = v.n > 0 && (v.p[0] & OPTION_EXPEDITED) != 0; return true;
	default: /* unknown ones are ignored (X.224 13.3.4) */ return true;
	}
}

/* head: the TPDU's header without its LI octet. */
static bool read_tpdu(struct cotp *c, struct view head, struct tpdu *t)
{
	struct cur cur = cur_of(head);
	t->code = (enum cotp_code)(cur_u8(&cur) &
				   0xf0); /* CR and CC carry a credit, zero in class 0 */
	if (t->code == TPDU_ER) {
		t->dst = cur_u16(&cur);
		t->last = cur_u8(&cur);
	} else {
		t->dst = cur_u16(&cur);
		t->src = cur_u16(&cur);
		t->last = cur_u8(&cur);
	}
	if (cur.bad)
		return peer_err(c, "cotp: TPDU 0x%02x of %zu octets is too short",
				(unsigned)t->code, head.n + 1);
	if (t->code != TPDU_CR && t->code != TPDU_CC)
		return true; /* the parameters of DR and ER are remarks */
	while (cur_left(&cur) > 0) {
		unsigned code = cur_u8(&cur);
		struct view v = cur_bytes(&cur, cur_u8(&cur));
		if (cur.bad)
			return peer_err(
				c, "cotp: parameter 0x%02x is longer than its TPDU of %zu octets",
				code, head.n + 1);
		if (!read_param(c, code, v, &t->params))
			return false;
	}
	return true;
}

static struct view keep(uint8_t *to, struct view v)
{
	if (v.n > 0)
		memcpy(to, v.p, v.n);
	return view_of(to, v.n);
}

static bool class_0_possible(const struct tpdu *t)
{
	unsigned preferred = t->last >> 4;
	if (preferred <= 1) /* X.224 6.5.5 table 3: class 1 may be answered with 0 */
		return true;
	for (size_t i = 0; i < t->params.classes.n; i++)
		if (t->params.classes.p[i] >> 4 == 0)
			return true;
	return false;
}

static bool on_cr(struct cotp *c, const struct tpdu *t, struct cotp_event *ev, struct err *e)
{
	(void)e;
	c->peer_ref = t->src;
	if (!class_0_possible(t))
		return peer_err(c, "cotp: CR proposes class %u and no class 0; want class 0",
				t->last >> 4);
	c->peer = t->params;
	c->peer.classes = (struct view){0};
	c->peer.calling = keep(c->calling, t->params.calling);
	c->peer.called = keep(c->called, t->params.called);
	*ev = (struct cotp_event){
		.kind = COTP_CONNECT,
		.calling = c->peer.calling,
		.called = c->peer.called,
		.has_calling = c->peer.has_calling,
		.has_called = c->peer.has_called,
	};
	return true;
}

static bool on_cc(struct cotp *c, const struct tpdu *t, struct cotp_event *ev, struct err *e)
{
	(void)e;
	if (t->dst != c->own_ref)
		return peer_err(c, "cotp: CC for reference %04x, want %04x", t->dst, c->own_ref);
	if (t->last >> 4 != 0)
		return peer_err(c, "cotp: CC selects class %u, want class 0", t->last >> 4);
	size_t stated = t->params.has_preferred ? t->params.preferred * 128
			: t->params.has_size	? (size_t)1 << t->params.size_code
						: c->size;
	if (c->size < COTP_SIZE_UNSTATED && stated > c->size)
		return peer_err(c, "cotp: CC states TPDU size %zu, want at most the proposed %zu",
				stated, c->size);
	c->peer_ref = t->src;
	c->size = stated;
	*ev = (struct cotp_event){.kind = COTP_CONNECTED};
	return true;
}

/* "591 \"353931\"" is how an operator finds the selector in either form. */
static void show_tsel(struct out *o, const char *name, struct view v, bool present)
{
	out_fmt(o, ", %s TSEL ", name);
	if (!present) {
		out_str(o, "absent");
		return;
	}
	text_hex(o, v);
	out_str(o, " \"");
	text_escape(o, v, COTP_TSEL_MAX);
	out_str(o, "\"");
}

static bool on_dr(struct cotp *c, const struct tpdu *t, struct cotp_event *ev, struct err *e)
{
	(void)e;
	struct out text;
	out_init(&text, 1024);
	out_fmt(&text, "cotp: peer disconnected, reason %u (%s)", t->last,
		cotp_reason_name(t->last));
	if (c->state == COTP_WAIT_CC) {
		show_tsel(&text, "called", c->config.called, c->config.send_tsel);
		show_tsel(&text, "calling", c->config.calling, c->config.send_tsel);
	}
	*ev = (struct cotp_event){.kind = COTP_DISCONNECT, .reason = t->last};
	err_set(&ev->err, ERR_PEER, ERR_OF_ASSOCIATION, "%s", out_cstr(&text));
	out_fini(&text);
	return true;
}

static bool on_er(struct cotp *c, const struct tpdu *t, struct cotp_event *ev, struct err *e)
{
	(void)c;
	(void)e;
	*ev = (struct cotp_event){.kind = COTP_DISCONNECT};
	err_set(&ev->err, ERR_PEER, ERR_OF_ASSOCIATION, "cotp: peer reports a TPDU error, cause %u",
		t->last);
	return true;
}

/* The table has the row; DT itself is read by its own path. */
static bool on_dt(struct cotp *c, const struct tpdu *t, struct cotp_event *ev, struct err *e)
{
	(void)c;
	(void)t;
	(void)ev;
	(void)e;
	CANT_HAPPEN("DT comes through next_dt");
}

static const struct cotp_row {
	enum cotp_state state;
	enum cotp_code code;
	cotp_action_f *action;
	enum cotp_state next;
} rows[] = {
#define COTP_ROW(state, tpdu, action, next, clause)                                                \
	{COTP_##state, TPDU_##tpdu, action, COTP_##next},
#include "flow/engine/x400/cotp_table.h"
};

static const struct cotp_row *find_row(const struct cotp *c, unsigned code)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].state == c->state && (unsigned)rows[i].code == code)
			return &rows[i];
	return NULL;
}

static const char *tpdu_name(unsigned code)
{
	static const struct {
		unsigned code;
		const char *name;
	} names[] = {
#define COTP_TPDU(name, code) {code, #name},
#include "flow/engine/x400/cotp_table.h"
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].code == code)
			return names[i].name;
	return "of no class 0 kind";
}

static bool next_dt(struct cotp *c, struct view head)
{
	unsigned nr = head.n == DT_HEADER ? head.p[2] : 0;
	if (head.n != DT_HEADER ||
	    (nr & ~(unsigned)DT_EOT) != 0) /* RFC 2126 6.5: no longer ignored */
		return peer_err(c, "cotp: DT header of %zu octets with TPDU-NR %u, want 3 and 0",
				head.n, nr & ~(unsigned)DT_EOT);
	c->in_dt = true;
	c->dt_end = (nr & DT_EOT) != 0;
	return true;
}

/* Reads one TPDU's header. WAIT and DONE as in cotp_next; STEP_DONE without an event (in_dt) is a
 * DT begun. */
static enum step next_header(struct cotp *c, const struct tpkt_part *part, struct cotp_event *ev,
			     struct err *e)
{
	if (part->bytes.n == 0)
		return STEP_WAIT;
	size_t n = (size_t)part->bytes.p[0] + 1;
	if (n < DT_HEADER || n > part->left || n > 255) {
		peer_err(c, "cotp: header of %zu octets in a TPDU of %zu, want 3..255 and inside",
			 n, part->left);
		return fail(c, COTP_PROTOCOL_ERROR, e);
	}
	if (part->bytes.n < n)
		return STEP_WAIT;
	struct view head = view_first(part->bytes, n);
	unsigned code = head.p[1] == TPDU_DT ? TPDU_DT : head.p[1] & 0xf0u;
	const struct cotp_row *row = find_row(c, code);
	if (row == NULL || (code == TPDU_DT && head.p[1] != TPDU_DT)) {
		peer_err(c, "cotp: TPDU 0x%02x (%s) in state %s", head.p[1], tpdu_name(code),
			 cotp_state_name(c));
		return fail(c, COTP_PROTOCOL_ERROR, e);
	}
	if (code == TPDU_DT) {
		if (!next_dt(c, head))
			return fail(c, COTP_PROTOCOL_ERROR, e);
		FAULT_ROW("cotp", cotp_state_name(c), "DT");
		c->dt_left = part->left - n;
		tpkt_take(c->tpkt, n);
		return STEP_DONE;
	}
	struct tpdu t = {0};
	if (!read_tpdu(c, view_from(head, 1), &t))
		return fail(c, COTP_PROTOCOL_ERROR, e);
	if (!row->action(c, &t, ev, e))
		return fail(c, COTP_NEGOTIATION_FAILED, e);
	c->skip = part->left; /* user data of CR, CC, DR are not for class 0 */
	const char *before = cotp_state_name(c);
	change_state(c, row->next);
	FAULT_ROW("cotp", before, tpdu_name(code));
	return STEP_DONE;
}

/* A part of the current DT; WAIT when nothing of it is here. */
static enum step next_part(struct cotp *c, struct cotp_event *ev, struct err *e)
{
	struct tpkt_part part = {0};
	if (c->dt_left > 0) {
		enum step step = tpkt_peek(c->tpkt, &part, e);
		assert(step == STEP_DONE && part.left == c->dt_left);
		if (part.bytes.n == 0)
			return STEP_WAIT;
	}
	*ev = (struct cotp_event){
		.kind = COTP_DATA,
		.bytes = part.bytes,
		.end = c->dt_end && part.bytes.n == c->dt_left,
	};
	return STEP_DONE;
}

static void skip(struct cotp *c, size_t here)
{
	size_t n = here < c->skip ? here : c->skip;
	tpkt_take(c->tpkt, n);
	c->skip -= n;
}

enum step cotp_next(struct cotp *c, struct cotp_event *ev_r, struct err *e)
{
	CHECK(c, COTP_MAGIC);
	for (;;) {
		if (c->failed) {
			if (e != NULL)
				*e = c->err;
			return STEP_FAIL;
		}
		if (c->state == COTP_CLOSED)
			return STEP_WAIT;
		if (c->in_dt && (c->dt_left > 0 || c->dt_end))
			return next_part(c, ev_r, e);
		c->in_dt = false; /* a DT with nothing in it */
		struct tpkt_part part;
		enum step step = tpkt_peek(c->tpkt, &part, &c->err);
		if (step == STEP_FAIL) /* no TPKT: whoever it is would not know a DR either */
			return fail_silently(c, e);
		if (step == STEP_WAIT)
			return step;
		if (c->skip > 0) {
			if (part.bytes.n == 0)
				return STEP_WAIT;
			skip(c, part.bytes.n);
			continue;
		}
		step = next_header(c, &part, ev_r, e);
		if (step != STEP_DONE || !c->in_dt)
			return step;
	}
}

void cotp_take(struct cotp *c, size_t n)
{
	CHECK(c, COTP_MAGIC);
	assert(c->in_dt && n <= c->dt_left);
	if (n > 0)
		tpkt_take(c->tpkt, n);
	c->dt_left -= n;
	if (c->dt_left == 0)
		c->in_dt = false;
}

size_t cotp_feed(struct cotp *c, struct view src)
{
	CHECK(c, COTP_MAGIC);
	return c->state == COTP_CLOSED ? src.n : tpkt_feed(c->tpkt, src);
}

uint8_t *cotp_space(struct cotp *c, size_t want, size_t *n_r)
{
	CHECK(c, COTP_MAGIC);
	return tpkt_space(c->tpkt, want, n_r);
}

void cotp_filled(struct cotp *c, size_t n)
{
	CHECK(c, COTP_MAGIC);
	if (c->state != COTP_CLOSED)
		tpkt_filled(c->tpkt, n);
}

/* ---- life ---- */

struct cotp *cotp_new(const struct cotp_config *config)
{
	assert(config->calling.n <= COTP_TSEL_MAX && config->called.n <= COTP_TSEL_MAX);
	struct cotp *c = mem_zero(sizeof *c);
	c->magic = COTP_MAGIC;
	c->config = *config;
	c->config.calling = keep(c->own_calling, config->calling);
	c->config.called = keep(c->own_called, config->called);
	if (c->config.tpdu_size == 0 || c->config.tpdu_size > COTP_SIZE_UNSTATED)
		c->config.tpdu_size = COTP_SIZE_UNSTATED;
	c->initiator = config->initiator;
	c->own_ref = config->ref == 0 ? 1 : config->ref;
	c->size = c->config.tpdu_size;
	c->tpkt = tpkt_new(config->buf_max == 0 ? BUF_DEFAULT : config->buf_max);
	out_init(&c->out, SIZE_MAX / 2); /* its user bounds it before it writes */
	c->state = COTP_WAIT_CR;
	if (config->initiator) {
		put_cr(c);
		change_state(c, COTP_WAIT_CC);
	}
	return c;
}

void cotp_free(struct cotp **c)
{
	if (*c == NULL)
		return;
	CHECK(*c, COTP_MAGIC);
	(*c)->magic = 0;
	tpkt_free(&(*c)->tpkt);
	out_fini(&(*c)->out);
	free(*c);
	*c = NULL;
}

void cotp_close(struct cotp *c)
{
	CHECK(c, COTP_MAGIC);
	change_state(c, COTP_CLOSED);
}

void cotp_rest(struct cotp *c)
{
	CHECK(c, COTP_MAGIC);
	tpkt_rest(c->tpkt);
	if (out_len(&c->out) == 0 && c->out.cap > OUT_KEPT) {
		size_t max = c->out.max;
		out_fini(&c->out);
		out_init(&c->out, max);
	}
}

struct out *cotp_out(struct cotp *c)
{
	CHECK(c, COTP_MAGIC);
	return &c->out;
}

bool cotp_is_open(const struct cotp *c)
{
	CHECK(c, COTP_MAGIC);
	return c->state == COTP_OPEN;
}

bool cotp_is_closed(const struct cotp *c)
{
	CHECK(c, COTP_MAGIC);
	return c->state == COTP_CLOSED;
}

size_t cotp_tpdu_size(const struct cotp *c)
{
	CHECK(c, COTP_MAGIC);
	return c->size;
}

size_t cotp_payload_max(const struct cotp *c)
{
	CHECK(c, COTP_MAGIC);
	return c->size - DT_HEADER;
}

size_t cotp_buffer_size(const struct cotp *c)
{
	CHECK(c, COTP_MAGIC);
	return mem_add(tpkt_buffer_size(c->tpkt), c->out.cap);
}

const char *cotp_state_name(const struct cotp *c)
{
	CHECK(c, COTP_MAGIC);
	static const char *const names[] = {
#define COTP_STATE(name, truth) [COTP_##name] = #name,
#include "flow/engine/x400/cotp_table.h"
	};
	return names[c->state];
}

const char *cotp_reason_name(unsigned reason)
{
	static const struct {
		unsigned reason;
		const char *name;
	} names[] = {
		{COTP_NOT_SPECIFIED, "not specified"},
		{COTP_CONGESTION, "congestion at TSAP"},
		{COTP_NOT_ATTACHED, "session entity not attached"},
		{COTP_ADDRESS_UNKNOWN, "address unknown"},
		{COTP_NORMAL, "normal disconnect"},
		{COTP_REMOTE_CONGESTION, "remote congestion at connect request"},
		{COTP_NEGOTIATION_FAILED, "negotiation failed"},
		{0x83, "duplicate source reference"},
		{0x84, "mismatched references"},
		{COTP_PROTOCOL_ERROR, "protocol error"},
		{0x87, "reference overflow"},
		{0x88, "connection request refused"},
		{0x8a, "header or parameter length invalid"},
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].reason == reason)
			return names[i].name;
	return "unknown reason";
}

void cotp_check_state(const struct cotp *c)
{
	CHECK(c, COTP_MAGIC);
	assert(c->size >= 128 && c->size <= COTP_SIZE_UNSTATED);
	switch (c->state) {
	case COTP_WAIT_CR:
	case COTP_ASKED: assert(!c->initiator && !c->in_dt && out_len(&c->out) == 0); break;
	case COTP_WAIT_CC: assert(c->initiator && !c->in_dt); break;
	case COTP_OPEN: assert(!c->failed && c->own_ref != 0); break;
	case COTP_CLOSED: break;
	}
}
