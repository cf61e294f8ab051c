/* switch_testing.h - for tests only: link processes and a command line played over channels against a real switch, with a
 * store in memory and a clock that stands still. Include after cmocka.h. */
#pragma once
#include "base/mem.h"
#include "flow/message/pack.h"
#include "flow/report/report.h"
#include "proc/switch/switch.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"
#include "sys/fake_env.h"

enum { SEEN_MAX = 400 };

struct seen_transfer {
	uint64_t transfer, assoc, size, stored;
	struct message m;                /* in the bench's arena */
	struct view content;
};

/* A process as the switch sees it. */
struct player {
	struct bench *b;
	struct chan *control, *bulk;
	unsigned closed;                 /* channels that the switch has ended */
	struct msg_assoc opens[SEEN_MAX];
	size_t n_opens;
	struct msg_assoc_how hows[SEEN_MAX];
	size_t n_hows;
	uint64_t closes[SEEN_MAX];
	size_t n_closes;
	struct msg_answer answers[SEEN_MAX];
	size_t n_answers;
	struct seen_transfer transfers[SEEN_MAX];
	size_t n_transfers;
	struct msg_status_link status[8];
	size_t n_status;
	struct msg_status_end totals;
	struct msg_render shown, render; /* SHOWN_MAIL to a command line, RENDER to a content process */
	unsigned n_shown, n_renders, n_done, empty_pieces;
	struct msg_acted acted;          /* ACTED to a command line, the last one */
	unsigned n_acted;
	struct msg_suspect suspects[SEEN_MAX];
	size_t n_suspects;
	struct msg_examine examine;      /* EXAMINE to the process for suspects, the last one */
	struct msg_convert convert;      /* CONVERT to a content process, the last one */
	unsigned n_examines, n_converts;
	bool busy;                       /* as last told */
	char busy_why[400];
	unsigned n_busy;
	struct msg_answer registered[2]; /* the last two */
	unsigned n_registered, n_alive;
	uint64_t alive;                  /* number of the last ALIVE */
	uint64_t credit;
	struct msg_sync syncs[SEEN_MAX]; /* PARTIAL_SYNCED */
	size_t n_syncs;
	struct msg_partial found;        /* PARTIAL_FOUND, the last one */
	unsigned n_found;
	struct msg_assoc_how how;        /* ASSOC_HOW and TRANSFER_RESUME, the last one */
	struct msg_resume resume;
	unsigned n_resumes;
	struct msg_reloaded reloaded;    /* RELOADED to a command line, the last one */
	unsigned n_reloaded;
	struct msg_link_act_on link_act; /* LINK_ACT to a link, the last one */
	unsigned n_link_acts, n_refused; /* n_refused: of n_done */
	struct msg_row row;              /* ROW to a command line, the last one */
	unsigned n_rows;
	struct msg_row blocks;           /* BLOCKS, the last one */
	unsigned n_blocks;
	struct msg_explained explained;  /* EXPLAINED, the last one */
	unsigned n_explained;
	struct out partial;              /* PARTIAL_DATA */
	unsigned empty_partials;
	struct out data;                 /* pieces of content */
};

struct bench {
	struct env *env;
	struct arena *a;
	struct event_log *log;
	struct store_disk *disk;
	struct settings settings;
	struct sw *sw;
	struct player link[2], tool, content, alone, program[2];
	unsigned deaths, n_accused;
	enum process_kind accused;       /* the last one */
	uint64_t reloads[8];             /* asked of the supervisor */
	size_t n_reloads;
	bool is_dry;                     /* the last one */
	char reload_who[100];
	char note[200];                  /* what the switch has noted that was not empty, the last one */
	uint64_t next_offer;
};

/* --- what a player hears; views are kept in the bench's arena --- */

static inline bool play_open(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	assert_true(p->n_opens < SEEN_MAX);
	return get_msg_assoc(arena_copy(p->b->a, payload), &p->opens[p->n_opens++], e);
}

static inline bool play_how(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	assert_true(p->n_hows < SEEN_MAX);
	if (!get_msg_assoc_how(arena_copy(p->b->a, payload), &p->how, e))
		return false;
	p->hows[p->n_hows++] = p->how;
	return true;
}

static inline bool play_close(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	struct msg_count m;
	assert_true(p->n_closes < SEEN_MAX);
	if (!get_msg_count(payload, &m, e))
		return false;
	p->closes[p->n_closes++] = m.id;
	return true;
}

static inline bool play_answer(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	assert_true(p->n_answers < SEEN_MAX);
	return get_msg_answer(arena_copy(p->b->a, payload), &p->answers[p->n_answers++], e);
}

static inline bool play_credit(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	p->credit += m.n;
	return true;
}

static inline bool play_transfer(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	struct msg_transfer t;
	assert_true(p->n_transfers < SEEN_MAX);
	struct seen_transfer *seen = &p->transfers[p->n_transfers++];
	if (!get_msg_transfer(arena_copy(p->b->a, payload), &t, e))
		return false;
	*seen = (struct seen_transfer){ .transfer = t.transfer, .assoc = t.assoc, .size = t.content_size, .stored = t.stored, .content = t.content };
	return unpack_message(t.packed, &seen->m, p->b->a, e);
}

static inline bool play_data(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	struct msg_piece m;
	if (!get_msg_piece(payload, &m, e))
		return false;
	p->empty_pieces += m.octets.n == 0;
	out_bytes(&p->data, m.octets);
	return true;
}

static inline bool play_synced(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	assert_true(p->n_syncs < SEEN_MAX);
	return get_msg_sync(payload, &p->syncs[p->n_syncs++], e);
}

static inline bool play_found(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	p->n_found++;
	return get_msg_partial(arena_copy(p->b->a, payload), &p->found, e);
}

static inline bool play_resume(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	p->n_resumes++;
	return get_msg_resume(arena_copy(p->b->a, payload), &p->resume, e);
}

static inline bool play_blocks(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	p->n_blocks++;
	return get_msg_row(arena_copy(p->b->a, payload), &p->blocks, e);
}

static inline bool play_partial(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	struct msg_piece m;
	if (!get_msg_piece(payload, &m, e))
		return false;
	p->empty_partials += m.octets.n == 0;
	out_bytes(&p->partial, m.octets);
	return true;
}

static inline bool play_status(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	assert_true(p->n_status < ARRAY_LEN(p->status));
	return get_msg_status_link(arena_copy(p->b->a, payload), &p->status[p->n_status++], e);
}

static inline bool play_totals(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	return get_msg_status_end(arena_copy(p->b->a, payload), &p->totals, e);
}

static inline bool play_shown(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	p->n_shown++;
	return get_msg_render(arena_copy(p->b->a, payload), &p->shown, e);
}

static inline bool play_render(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	p->n_renders++;
	return get_msg_render(arena_copy(p->b->a, payload), &p->render, e);
}

static inline bool play_suspect(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	assert_true(p->n_suspects < SEEN_MAX);
	return get_msg_suspect(arena_copy(p->b->a, payload), &p->suspects[p->n_suspects++], e);
}

static inline bool play_examine(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	p->n_examines++;
	return get_msg_examine(arena_copy(p->b->a, payload), &p->examine, e);
}

static inline bool play_convert(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	p->n_converts++;
	return get_msg_convert(arena_copy(p->b->a, payload), &p->convert, e);
}

static inline bool play_done(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	struct msg_answer m;
	p->n_done++;
	if (!get_msg_answer(payload, &m, e))
		return false;
	p->n_refused += !m.accepted;
	return true;
}

static inline bool play_link_act(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	p->n_link_acts++;
	return get_msg_link_act_on(arena_copy(p->b->a, payload), &p->link_act, e);
}

static inline bool play_row(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	p->n_rows++;
	return get_msg_row(arena_copy(p->b->a, payload), &p->row, e);
}

static inline bool play_explained(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	p->n_explained++;
	return get_msg_explained(arena_copy(p->b->a, payload), &p->explained, e);
}

static inline bool play_acted(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	p->n_acted++;
	return get_msg_acted(arena_copy(p->b->a, payload), &p->acted, e);
}

static inline void play_closed(void *ctx, const struct err *why)
{
	struct player *p = ctx;
	(void)why;
	p->closed++;
}

static inline bool play_busy(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	struct msg_busy m;
	if (!get_msg_busy(payload, &m, e))
		return false;
	p->n_busy++;
	p->busy = m.busy;
	snprintf(p->busy_why, sizeof p->busy_why, "%s", m.err.text);
	return true;
}

static inline bool play_registered(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	p->n_registered++;
	p->registered[0] = p->registered[1];
	return get_msg_answer(arena_copy(p->b->a, payload), &p->registered[1], e);
}

static inline bool play_alive(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	p->n_alive++;
	p->alive = m.id;
	return true;
}

static inline bool play_reloaded(void *ctx, struct view payload, struct err *e)
{
	struct player *p = ctx;
	p->n_reloaded++;
	return get_msg_reloaded(arena_copy(p->b->a, payload), &p->reloaded, e);
}

#define HEARD(m, f) { .type = MSG_##m, .name = #m, .handle = f, .max = CHAN_FRAME_MAX }
static const struct chan_type play_types[] = {
	HEARD(OFFER_CREDIT, play_credit), HEARD(OFFER_ANSWER, play_answer), HEARD(SUSPECT, play_suspect), HEARD(BUSY, play_busy),
	HEARD(ASSOC_OPEN, play_open),
	HEARD(ASSOC_CLOSE, play_close), HEARD(TRANSFER, play_transfer), HEARD(TRANSFER_DATA, play_data),
	HEARD(EXAMINE, play_examine), HEARD(RENDER, play_render), HEARD(CONVERT, play_convert),
	HEARD(STATUS_LINK, play_status), HEARD(STATUS_END, play_totals), HEARD(SHOWN_MAIL, play_shown), HEARD(DONE, play_done),
	HEARD(ACTED, play_acted), HEARD(ROW, play_row), HEARD(REGISTERED, play_registered), HEARD(ALIVE, play_alive),
	HEARD(EXPLAINED, play_explained), HEARD(ASSOC_HOW, play_how), HEARD(TRANSFER_RESUME, play_resume), HEARD(BLOCKS, play_blocks),
	HEARD(PARTIAL_DATA, play_partial), HEARD(PARTIAL_SYNCED, play_synced), HEARD(PARTIAL_FOUND, play_found),
	HEARD(RELOADED, play_reloaded), HEARD(LINK_ACT, play_link_act),
};
static const struct chan_events play_events = { play_types, ARRAY_LEN(play_types), NULL, NULL, play_closed };

/* --- the bench --- */

#define BENCH_SETTINGS                                                                                                   \
	"mta:\n  name: mta-p\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlisten: [\"127.0.0.1:1\"]\n"          \
	"limits:\n  message: 1 M\nexpiry:\n  urgent: 1 h\n  normal: 2 h\n  non-urgent: 3 h\nlinks:\n"                      \
	"  - name: to-a\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-a\n    open-interval: 10 s\n"               \
	"    transfer-interval: 10 s\n    max-open-retries: 3\n    max-transfer-retries: 2\n    max-associations: 1\n"     \
	"  - name: to-c\n    address: \"127.0.0.1:3\"\n    remote-mta-name: mta-c\n    open-interval: 10 s\n"               \
	"    size-limit: 300 K\n    max-associations: 1\n"                                                                 \
	"routes:\n  - match: \"C=GB; A=SIM; P=a\"\n    to: to-a\n  - match: \"C=JP; A=SIM; P=c\"\n    to: to-c\n"             \
	"  - match: \"C=FR; A=SIM; P=p\"\n    to: local\n"                                                                \
	"mailboxes:\n  - name: user\n    addresses: [\"S=user; P=p; A=SIM; C=FR\"]\n"

#define FROM_A "S=bob; P=a; A=SIM; C=GB"
#define TO_US "S=user; P=p; A=SIM; C=FR"
#define TO_NOBODY "S=nobody; P=p; A=SIM; C=FR"
#define TO_C "S=eve; P=c; A=SIM; C=JP"
#define TO_C2 "S=mallory; P=c; A=SIM; C=JP"

static inline void bench_die(void *ctx, const struct err *why)
{
	struct bench *b = ctx;
	(void)why;
	b->deaths++;
}

static inline void bench_note(void *ctx, const char *text)
{
	struct bench *b = ctx;
	if (*text != 0)
		snprintf(b->note, sizeof b->note, "%s", text);
}

static inline void bench_accuse(void *ctx, enum process_kind kind, uint32_t instance, const char *why)
{
	struct bench *b = ctx;
	(void)instance;
	assert_true(strlen(why) > 10);
	b->n_accused++;
	b->accused = kind;
}

static inline void bench_reload(void *ctx, uint64_t id, bool dry, const char *who)
{
	struct bench *b = ctx;
	assert_true(b->n_reloads < ARRAY_LEN(b->reloads));
	b->reloads[b->n_reloads++] = id;
	b->is_dry = dry;
	snprintf(b->reload_who, sizeof b->reload_who, "%s", who);
}

static inline struct store *bench_open(void *ctx, const struct store_events *ev, void *ev_ctx, struct err *e)
{
	struct bench *b = ctx;
	const struct store_config c = { .path = "x", .inline_max = (size_t)b->settings.store.inline_max };
	return store_open_memory(b->env, b->disk, &c, ev, ev_ctx, e);
}

static inline void bench_start(struct bench *b)
{
	struct err e;
	const struct actor_host host = { .env = b->env, .log = b->log, .note = bench_note, .die = bench_die,
					 .accuse = bench_accuse, .reload = bench_reload, .ctx = b };
	b->sw = switch_new(&host, &b->settings, bench_open, b, &e);
	assert_non_null(b->sw);
}

static inline struct bench *bench_with(const char *settings)
{
	struct bench *b = mem_zero(sizeof *b);
	struct err e;
	b->env = fake_env_new();
	b->a = arena_new((size_t)256 << 20);
	b->log = event_log_new(b->env, event_kinds, EVENT_KINDS, "switch", -1, false);
	event_log_set_level(b->log, EVENT_ALARM);
	b->disk = store_disk_new();
	if (!settings_load(view_str(settings), "test", &b->settings, b->a, &e))
		fail_msg("%s", e.text);
	bench_start(b);
	return b;
}

static inline struct bench *bench_new(void)
{
	return bench_with(BENCH_SETTINGS);
}

static inline void bench_join(struct bench *b, struct player *p, enum process_kind kind, uint32_t instance)
{
	struct stream *ours, *theirs;
	p->b = b;
	out_init(&p->data, (size_t)64 << 20);
	out_init(&p->partial, (size_t)64 << 20);
	fake_env_pair(b->env, &ours, &theirs);
	p->control = chan_new(&ours, &play_events, p, kind, instance);
	if (kind == PROCESS_TOOL) {
		switch_adopt_control(b->sw, theirs);
	} else {
		switch_adopt_peer(b->sw, kind, instance, false, theirs);
		fake_env_pair(b->env, &ours, &theirs);
		p->bulk = chan_new(&ours, &play_events, p, kind, instance);
		switch_adopt_peer(b->sw, kind, instance, true, theirs);
	}
	fake_env_settle(b->env);
}

static inline void bench_leave(struct bench *b, struct player *p)
{
	if (p->control != NULL)
		chan_free(&p->control, false);
	if (p->bulk != NULL)
		chan_free(&p->bulk, false);
	out_fini(&p->data);
	out_fini(&p->partial);
	*p = (struct player){ 0 };
	fake_env_settle(b->env);
}

static inline void bench_free(struct bench *b)
{
	struct player *all[] = { &b->link[0], &b->link[1], &b->tool, &b->content, &b->alone, &b->program[0], &b->program[1] };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i]->control != NULL)
			bench_leave(b, all[i]);
	switch_free(&b->sw);
	fake_env_settle(b->env);
	store_disk_free(&b->disk);
	event_log_free(&b->log);
	fake_env_free(&b->env);
	arena_free(&b->a);
	free(b);
}

/* Its process dies, and the supervisor says so. */
static inline void bench_dies(struct bench *b, struct player *p, enum process_kind kind, uint32_t instance, bool by_fault, const char *note)
{
	bench_leave(b, p);
	switch_peer_died(b->sw, kind, instance, by_fault, by_fault ? "link-1 died of signal 11" : "link-1 was killed", note);
	fake_env_settle(b->env);
}

/* The switch dies of what it has noted, and its successor hears of it. Players must have left. */
static inline void bench_switch_dies(struct bench *b, const char *note)
{
	char text[200];
	snprintf(text, sizeof text, "%s", note);
	switch_free(&b->sw);
	fake_env_settle(b->env);
	store_disk_crashed(b->disk);
	b->note[0] = 0;
	bench_start(b);
	switch_peer_died(b->sw, PROCESS_SWITCH, 1, true, "switch-1 died of signal 11", text);
	fake_env_settle(b->env);
}

/* --- what a player says --- */

static inline struct gdi domain_of(const char *country, const char *prmd)
{
	return (struct gdi){ .country = { ORA_PRINTABLE, view_str(country) }, .admd = { ORA_PRINTABLE, VIEW("SIM") },
			     .prmd = { ORA_PRINTABLE, view_str(prmd) }, .has_prmd = true };
}

static inline void add_trace(struct bench *b, struct message *m, struct gdi domain, const char *mta)
{
	assert_true(trace_add(m, &domain, view_str(mta), true, FAKE_WALL_MS - 1000, b->a));
}

/* From GB to n recipients, as the peer of link to-a sends it; every recipient asks for a non-delivery report. */
static inline struct message *letter(struct bench *b, const char *id, size_t n, const char *const *to)
{
	struct message *m = arena_get(b->a, sizeof *m);
	struct err e;
	*m = (struct message){ .kind = MESSAGE_MESSAGE, .content_type = 22, .content_length = -1, .priority = PRIORITY_NORMAL };
	m->id = (struct mts_id){ domain_of("GB", "a"), view_str(id) };
	assert_true(oraddr_parse(VIEW(FROM_A), &m->originator, b->a, ORADDR_GENERATE, &e));
	m->rcpt = arena_array(b->a, n, sizeof *m->rcpt);
	m->n_rcpt = n;
	for (size_t i = 0; i < n; i++) {
		m->rcpt[i] = (struct recipient){ .number = (uint32_t)i + 1, .responsible = true, .reason = -1, .diagnostic = -1,
						 .originator_report = REPORT_NON_DELIVERY, .mta_report = REPORT_NON_DELIVERY,
						 .type_of_user = UINT32_MAX };
		assert_true(oraddr_parse(view_str(to[i]), &m->rcpt[i].addr, b->a, ORADDR_GENERATE, &e));
	}
	add_trace(b, m, domain_of("GB", "a"), "mta-a");
	return m;
}
#define LETTER(b, id, ...) letter(b, id, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *), (const char *const[]){ __VA_ARGS__ })

static inline void put_offer(struct player *p, struct chan *c, enum msg kind, uint64_t offer, const char *link, const struct message *m,
			     struct view content)
{
	struct out packed;
	out_init(&packed, MSG_ENVELOPE_MAX);
	pack_message(&packed, m, 0, m->n_rcpt);
	assert_false(packed.bad);
	struct msg_offer o = { .offer = offer, .link = view_str(link), .peer = VIEW("127.0.0.1:9"), .packed = out_view(&packed),
			       .content = content };
	put_msg_offer(chan_begin(c, (uint16_t)kind), &o);
	chan_end(c);
	out_fini(&packed);
	(void)p;
}

/* Offers and settles; the answer is the player's last one. */
static inline const struct msg_answer *offer_of(struct player *p, const char *link, const struct message *m, struct view content)
{
	size_t before = p->n_answers;
	put_offer(p, p->control, MSG_OFFER, ++p->b->next_offer, link, m, content);
	fake_env_settle(p->b->env);
	return p->n_answers == before ? NULL : &p->answers[p->n_answers - 1];
}

static inline void say_count(struct chan *c, enum msg kind, uint64_t id, uint64_t n)
{
	const struct msg_count m = { id, n };
	put_msg_count(chan_begin(c, (uint16_t)kind), &m);
	chan_end(c);
}

static inline void say_piece(struct player *p, uint64_t id, struct view octets)
{
	const struct msg_piece m = { id, octets };
	put_msg_piece(chan_begin(p->bulk, MSG_OFFER_DATA), &m);
	chan_end(p->bulk);
}

static inline void say_assoc(struct player *p, enum msg kind, uint64_t id, const char *link, const struct err *why)
{
	struct msg_assoc m = { .assoc = id, .link = view_str(link), .err = { .reason = -1, .diagnostic = -1 } };
	if (why != NULL)
		m.err = *why;
	put_msg_assoc(chan_begin(p->control, (uint16_t)kind), &m);
	chan_end(p->control);
	fake_env_settle(p->b->env);
}

/* Of an inbound association that comes up next. */
static inline void say_can_send(struct player *p, uint64_t id)
{
	const struct msg_assoc_how m = { .assoc = id, .can_send = true };
	put_msg_assoc_how(chan_begin(p->control, MSG_ASSOC_HOW), &m);
	chan_end(p->control);
}

static inline void say_result(struct player *p, uint64_t transfer, enum err_kind kind, enum err_culprit culprit)
{
	struct msg_result m = { .transfer = transfer, .delivered = kind == ERR_NONE, .err = { .reason = -1, .diagnostic = -1 } };
	if (kind != ERR_NONE)
		err_set(&m.err, kind, culprit, "as the test says");
	put_msg_result(chan_begin(p->control, MSG_TRANSFER_RESULT), &m);
	chan_end(p->control);
	fake_env_settle(p->b->env);
}

static inline struct store_counts counts_of(struct bench *b)
{
	struct store_counts c;
	switch_count(b->sw, &c);
	return c;
}

static inline uint64_t last_open(const struct player *p)
{
	assert_true(p->n_opens > 0);
	return p->opens[p->n_opens - 1].assoc;
}

static inline const struct seen_transfer *last_transfer(const struct player *p)
{
	assert_true(p->n_transfers > 0);
	return &p->transfers[p->n_transfers - 1];
}

/* The association asked for last comes up. */
static inline void open_up(struct player *p)
{
	const struct msg_assoc *a = &p->opens[p->n_opens - 1];
	char link[65];
	snprintf(link, sizeof link, "%.*s", (int)a->link.n, (const char *)a->link.p);
	say_assoc(p, MSG_ASSOC_UP, a->assoc, link, NULL);
}

static inline bool is_local_id(const struct message *m, const char *id)
{
	return view_eq(m->id.local, view_str(id));
}
