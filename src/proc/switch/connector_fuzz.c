/* connector_fuzz.c - any frames from a program that serves a link, to a whole switch with a store in memory. One message waits for the
 * link. Input: steps of 3 octets (kind of step, length) and the payload. However it ends, the switch goes on and loses nothing.
 * interchange_fuzz.c is the same of an interchange, whose streams come from the supervisor, and of how it died. */
#include "base/mem.h"
#include "proc/switch/switch.h"
#include "proc/table/msgs.h"
#include "flow/message/pack.h"
#include "sys/chan.h"
#include "sys/fake_env.h"

#include "proc/switch/switch_int.h" /* its queue is looked at */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA = 64 * 1024 * 1024, STEPS_MAX = 200, WATCHDOG_MS = 1000 };

#ifdef AS_INTERCHANGE
#define KIND "msmail\n    msmail: { postoffice: /po }"
enum { IS_INTERCHANGE = 1 };
#else
#define KIND "connector"
enum { IS_INTERCHANGE = 0 };
#endif
static const char yaml[] =
	"mta:\n  name: m\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nprocesses:\n  watchdog: 1 s\nlinks:\n"
	"  - name: prog\n    kind: " KIND "\n    transfer-interval: 100 ms\n    open-interval: 100 ms\n"
	"routes:\n  - match: \"C=IT; A=SIM; P=prog\"\n    to: prog\n  - match: \"C=FR; A=SIM; P=p\"\n    to: local\n"
	"mailboxes:\n  - name: user\n    addresses: [\"S=user; P=p; A=SIM; C=FR\"]\n";

static const enum msg kinds[] = { MSG_OFFER, MSG_ASSOC_UP, MSG_ASSOC_DOWN, MSG_TRANSFER_PULL, MSG_TRANSFER_RESULT, MSG_ALIVE,
				  MSG_OFFER_BEGIN, MSG_OFFER_DATA, MSG_OFFER_END, MSG_OFFER_CANCEL, MSG_OFFER_SPOILED,
#ifdef AS_INTERCHANGE
				  MSG_EXAMINED,
#endif
};

struct bench {
	struct env *env;
	struct arena *a;
	struct event_log *log;
	struct store_disk *disk;
	struct settings settings;
	struct sw *sw;
	struct stream *stream[2];
	bool ended[2];
};

static void die(void *ctx, const struct err *why)
{
	(void)ctx;
	fprintf(stderr, "the switch gives up: %s\n", why->text);
	abort();
}

static void note(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static struct store *open_store(void *ctx, const struct store_events *ev, void *ev_ctx, struct err *e)
{
	struct bench *b = ctx;
	const struct store_config c = { .path = "x", .inline_max = 4096 };
	return store_open_memory(b->env, b->disk, &c, ev, ev_ctx, e);
}

static size_t on_data(void *ctx, struct view data)
{
	(void)ctx;
	return data.n;
}

static void on_closed(void *ctx, const struct err *why)
{
	(void)why;
	*(bool *)ctx = true;
}

static const struct stream_events events = { .data = on_data, .closed = on_closed };

static void put_frame(struct stream *s, uint16_t type, struct view payload)
{
	struct out o;
	out_init(&o, 1 << 20);
	out_u32(&o, (uint32_t)payload.n + 2);
	out_u16(&o, type);
	out_bytes(&o, payload);
	stream_write(s, out_view(&o));
	out_fini(&o);
}

static void hang_up(struct bench *b)
{
	for (size_t i = 0; i < 2; i++)
		if (b->stream[i] != NULL)
			stream_close(&b->stream[i], false);
	fake_env_settle(b->env);
}

static void enter_as_interchange(struct bench *b)
{
	for (size_t i = 0; i < 2; i++) {
		struct stream *theirs;
		fake_env_pair(b->env, &b->stream[i], &theirs);
		b->ended[i] = false;
		stream_set_events(b->stream[i], &events, &b->ended[i]);
		switch_adopt_peer(b->sw, PROCESS_INTERCHANGE, 0, i == 1, theirs);
		put_frame(b->stream[i], 0, VIEW("\0\1\0\x09\0\0\0\0"));
	}
	fake_env_settle(b->env);
	assert(b->sw->links[0]->connector != NULL);
}

static void enter(struct bench *b)
{
	if (IS_INTERCHANGE) {
		enter_as_interchange(b);
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		struct stream *theirs;
		struct out o;
		out_init(&o, 1000);
		const struct msg_register m = { .link = VIEW("prog"), .bulk = i == 1, .token = 1 };
		put_msg_register(&o, &m);
		fake_env_pair(b->env, &b->stream[i], &theirs);
		b->ended[i] = false;
		stream_set_events(b->stream[i], &events, &b->ended[i]);
		switch_adopt_connector(b->sw, theirs);
		put_frame(b->stream[i], 0, VIEW("\0\1\0\x08\0\0\0\0"));
		put_frame(b->stream[i], MSG_REGISTER, out_view(&o));
		out_fini(&o);
	}
	fake_env_pass(b->env, 500);
	assert(b->sw->links[0]->connector != NULL);
}

/* As the command line submits. */
static void submit(struct bench *b)
{
	struct message m = { .content_type = 22, .content_length = -1, .priority = PRIORITY_NORMAL };
	struct recipient r = { .responsible = true, .number = 1, .type_of_user = UINT32_MAX, .reason = -1, .diagnostic = -1 };
	struct stream *ours, *theirs;
	struct out packed, o;
	struct err e;
	bool ended = false;
	if (!oraddr_parse(VIEW("S=user; P=p; A=SIM; C=FR"), &m.originator, b->a, ORADDR_CARRY, &e) ||
	    !oraddr_parse(VIEW("S=ada; P=prog; A=SIM; C=IT"), &r.addr, b->a, ORADDR_CARRY, &e))
		abort();
	m.rcpt = &r;
	m.n_rcpt = 1;
	out_init(&packed, 10000);
	out_init(&o, 100000);
	pack_message(&packed, &m, 0, 1);
	const struct msg_offer offer = { .offer = 1, .packed = out_view(&packed), .content = VIEW("hello") };
	put_msg_offer(&o, &offer);
	fake_env_pair(b->env, &ours, &theirs);
	stream_set_events(ours, &events, &ended);
	switch_adopt_control(b->sw, theirs);
	put_frame(ours, 0, VIEW("\0\1\0\6\0\0\0\0"));
	put_frame(ours, MSG_OFFER, out_view(&o));
	fake_env_pass(b->env, 100);
	stream_close(&ours, false);
	out_fini(&packed);
	out_fini(&o);
	assert(b->sw->links[0]->queued == 1);
}

/* As the supervisor says; the note is its own. */
static void died(struct bench *b, struct view text, bool by_fault)
{
	char note_of_it[64];
	snprintf(note_of_it, sizeof note_of_it, "%.*s", (int)(text.n < 60 ? text.n : 60), (const char *)text.p);
	hang_up(b);
	switch_peer_died(b->sw, PROCESS_INTERCHANGE, 0, by_fault, "as the input says", note_of_it);
	enter(b);
}

static void run(struct bench *b, struct cur *c)
{
	for (unsigned i = 0; i < STEPS_MAX && cur_left(c) >= 3; i++) {
		unsigned kind = cur_u8(c), n = cur_u16(c);
		struct view payload = cur_bytes(c, n < cur_left(c) ? n : cur_left(c));
		size_t which = kind % (ARRAY_LEN(kinds) + 3);
		if (which < ARRAY_LEN(kinds))
			put_frame(b->stream[kinds[which] >= MSG_OFFER_BEGIN && kinds[which] <= MSG_OFFER_SPOILED], (uint16_t)kinds[which], payload);
		else if (which == ARRAY_LEN(kinds))
			fake_env_pass(b->env, n % (3 * WATCHDOG_MS));
		else if (IS_INTERCHANGE && which == ARRAY_LEN(kinds) + 1)
			died(b, payload, (kind & 0x80) != 0);
		else
			stream_write(b->stream[which & 1], payload);
		fake_env_settle(b->env);
		if (b->ended[0] || b->ended[1]) {
			hang_up(b);
			enter(b);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bench b = { .env = fake_env_new(), .a = arena_new(ARENA), .disk = store_disk_new() };
	struct err e;
	struct cur c = cur_of(view_of(data, size));
	b.log = event_log_new(b.env, event_kinds, EVENT_KINDS, "switch", -1, false);
	if (!settings_load(view_str(yaml), "fuzz", &b.settings, b.a, &e))
		abort();
	const struct actor_host host = { .env = b.env, .log = b.log, .note = note, .die = die, .ctx = &b };
	b.sw = switch_new(&host, &b.settings, open_store, &b, &e);
	assert(b.sw != NULL);
	submit(&b);
	enter(&b);
	run(&b, &c);
	hang_up(&b);
	fake_env_pass(b.env, 1000);
	assert(b.sw->links[0]->connector == NULL && b.sw->links[0]->in_flight == 0 && b.sw->links[0]->n_assocs == 0);
	switch_free(&b.sw);
	fake_env_settle(b.env);
	store_disk_free(&b.disk);
	event_log_free(&b.log);
	fake_env_free(&b.env);
	arena_free(&b.a);
	return 0;
}
