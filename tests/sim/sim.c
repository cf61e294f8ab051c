/* sim.c - three MTAs in the simulated world: A - B - C, B relays. Users at A and C submit; connections are cut and stalled,
 * processes are killed. Then the world heals, and every message that was acknowledged must lie in its mailbox exactly once,
 * every one that was not at most once, and every unknown recipient must have brought one report.
 *
 *   sim --seeds N [--from SEED]     many seeds; each failing one prints the command that replays it
 *   sim --seed SEED [-v]            one
 *   sim --disk                      every seed with SQLite on simulated disks (else each fifth; the others with the memory store)
 *   sim --plant                     with an acknowledgement before the commit: must be found
 *   sim --plant-disk                with disks whose syncs now and then do nothing: must be found */
#include "base/fault.h"
#include "base/map.h"
#include "base/mem.h"
#include "flow/message/pack.h"
#include "flow/store/store.h"
#include "proc/link/link.h"
#include "proc/switch/switch.h"
#include "proc/table/msgs.h"
#include "sim_disk.h"
#include "sys/chan.h"
#include "world.h"

#include <getopt.h>

enum { MTAS = 3, LINKS = 2, LETTERS = 40, TROUBLE_MS = 40 * 1000, LIMIT_MS = 4 * 3600 * 1000, LONG_CONTENT = 150 * 1024 };

struct mta;

struct process {
	struct mta *mta;
	int index;              /* -1: switch */
	struct sim_process *sim;
	struct actor_host host;
	struct timer restart;   /* in the supervisor's env */
	struct link *link;
};

struct letter {
	unsigned number, origin; /* MTA */
	bool to_b, to_c, to_nobody; /* recipients; c: the far end */
	size_t size;
	bool sent, answered, accepted;
	char id[200];            /* local identifier */
	unsigned copies_b, copies_c, reports;
};

struct user {
	struct sim *sim;
	struct mta *mta;
	struct chan *chan;
	struct letter *now;      /* waiting for its answer */
	size_t given;
	uint64_t credit;
	uint8_t *content;
};

struct mta {
	struct sim *sim;
	char name;
	unsigned index;
	struct arena *arena;
	struct settings settings;
	struct store_disk *disk; /* one of them is NULL */
	struct sim_disk *sqlite;
	struct process sw, links[LINKS];
	struct sw *s;
	bool disturbed; /* the disk, while the store was opened */
	unsigned next_link;
	struct user user;
};

struct sim {
	uint64_t seed;
	bool verbose, on_disk;
	enum plant { PLANT_NOTHING, PLANT_EARLY, PLANT_SYNCS } plant;
	struct world *w;
	struct sim_process *god; /* supervisor and users: never killed */
	struct mta mta[MTAS];
	struct letter letters[LETTERS];
	struct timer trouble, submit;
	size_t next_letter;
	unsigned kills, cuts;
	char failure[300];
};

static const char *const countries[MTAS] = { "GB", "FR", "JP" };

static void fail(struct sim *m, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void fail(struct sim *m, const char *fmt, ...)
{
	va_list args;
	if (m->failure[0] != 0)
		return;
	va_start(args, fmt);
	vsnprintf(m->failure, sizeof m->failure, fmt, args);
	va_end(args);
}

/* --- MTAs --- */

static void write_settings(struct mta *m, struct out *o)
{
	out_fmt(o, "mta:\n  name: mta-%c\n  domain: \"C=%s; A=SIM; P=%c\"\nstore:\n  directory: sim\nlisten: [\"127.0.0.1:%u\"]\n", m->name,
		countries[m->index], m->name, 1000 + m->index);
	out_str(o, "limits:\n  response-timeout: 20 s\n  receive-timeout: 20 s\n  connect-timeout: 10 s\nlinks:\n");
	for (unsigned i = 0; i < MTAS; i++)
		if (i == m->index + 1 || i + 1 == m->index)
			out_fmt(o, "  - name: to-%c\n    address: \"127.0.0.1:%u\"\n    remote-mta-name: mta-%c\n    remote-password: secret-%c\n"
				"    local-password: secret-%c\n    open-interval: 2 s\n    transfer-interval: 2 s\n    max-transfer-retries: 100000\n"
				"    max-open-retries: 100000\n    threshold: 4\n    association-lifetime: 5 s\n    checkpoint-size: %u\n    window-size: 3\n",
				'a' + i, 1000 + i, 'a' + i, 'a' + i, m->name, m->index);
	out_str(o, "routes:\n");
	for (unsigned i = 0; i < MTAS; i++) {
		char to = i == m->index ? 0 : m->index == 1 ? (char)('a' + i) : 'b';
		if (to == 0)
			out_fmt(o, "  - match: \"C=%s; A=SIM; P=%c\"\n    to: local\n", countries[i], 'a' + i);
		else
			out_fmt(o, "  - match: \"C=%s; A=SIM; P=%c\"\n    to: to-%c\n", countries[i], 'a' + i, to);
	}
	out_fmt(o, "mailboxes:\n  - name: user\n    addresses: [\"S=user; P=%c; A=SIM; C=%s\"]\n", m->name, countries[m->index]);
}

static void no_note(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static void on_die(void *ctx, const struct err *why)
{
	struct process *p = ctx;
	if (p->mta->sim->verbose)
		printf("%8lld  %c %d dies: %s\n", (long long)world_now_ms(p->mta->sim->w), p->mta->name, p->index, why->text);
	sim_die(p->sim);
}

static void on_killed(void *ctx)
{
	struct process *p = ctx;
	struct sim *m = p->mta->sim;
	m->kills++;
	if (m->verbose)
		printf("%8lld  %c %d is dead\n", (long long)world_now_ms(m->w), p->mta->name, p->index);
	p->host.log = NULL;
	if (p->index < 0) {
		p->mta->s = NULL;
		if (p->mta->disk != NULL)
			store_disk_crashed(p->mta->disk);
		else if (sim_disk_crashed(p->mta->sqlite, world_random(m->w, 3) == 0))
			for (int i = 0; i < LINKS; i++) /* it was the machine's power */
				if (sim_is_alive(p->mta->links[i].sim))
					sim_kill_in(p->mta->links[i].sim, 1);
	} else {
		p->link = NULL;
	}
	timer_after(&p->restart, 100 + (int64_t)world_random(m->w, 2000));
}

static struct store *open_store(void *ctx, const struct store_events *ev, void *ev_ctx, struct err *e)
{
	struct mta *m = ctx;
	const struct store_config c = { .path = "sim", .inline_max = 64 * 1024 };
	if (m->disk != NULL)
		return store_open_memory(sim_env(m->sw.sim), m->disk, &c, ev, ev_ctx, e);
	return sim_disk_open(m->sqlite, sim_env(m->sw.sim), ev, ev_ctx, &m->disturbed, e);
}

static void host_of(struct process *p)
{
	p->host = (struct actor_host){ .env = sim_env(p->sim), .note = no_note, .die = on_die, .ctx = p };
	p->host.log = event_log_new(p->host.env, event_kinds, EVENT_KINDS, "sim", p->mta->sim->verbose ? 2 : -1, false);
	event_log_set_level(p->host.log, p->mta->sim->verbose ? EVENT_DEBUG : EVENT_ALARM);
}

static void birth_of_switch(void *ctx)
{
	struct mta *m = ctx;
	struct err e;
	host_of(&m->sw);
	m->s = switch_new(&m->sw.host, &m->settings, open_store, m, &e);
	if (m->s == NULL && m->disturbed)
		sim_die(m->sw.sim);
	else if (m->s == NULL)
		fail(m->sim, "switch %c: %s", m->name, e.text);
}

static void birth_of_link(void *ctx)
{
	struct process *p = ctx;
	host_of(p);
	p->link = link_new(&p->host, &p->mta->settings, (uint32_t)p->index);
}

struct pairing {
	struct process *link;
	bool bulk;
	struct stream *to_switch, *to_link;
};

static void adopt_in_switch(void *ctx)
{
	struct pairing *p = ctx;
	switch_adopt_peer(p->link->mta->s, PROCESS_LINK, (uint32_t)p->link->index, p->bulk, p->to_link);
}

static void adopt_in_link(void *ctx)
{
	struct pairing *p = ctx;
	link_adopt_switch(p->link->link, p->bulk, p->to_switch);
}

static void pair(struct process *link)
{
	struct mta *m = link->mta;
	for (int bulk = 0; bulk < 2; bulk++) {
		struct pairing p = { .link = link, .bulk = bulk != 0 };
		if (m->s == NULL || link->link == NULL || !sim_is_alive(m->sw.sim) || !sim_is_alive(link->sim))
			return;
		world_pair(m->sim->w, m->sw.sim, link->sim, &p.to_link, &p.to_switch);
		sim_run(m->sw.sim, adopt_in_switch, &p);
		if (link->link != NULL && sim_is_alive(link->sim))
			sim_run(link->sim, adopt_in_link, &p);
	}
}

static void start_process(void *ctx)
{
	struct process *p = ctx;
	struct mta *m = p->mta;
	char name[8];
	snprintf(name, sizeof name, "%c%d", m->name, p->index);
	p->sim = world_process(m->sim->w, name, on_killed, p);
	sim_run(p->sim, p->index < 0 ? birth_of_switch : birth_of_link, p->index < 0 ? (void *)m : (void *)p);
	for (int i = 0; i < LINKS; i++)
		if (p->index < 0 || p->index == i)
			pair(&m->links[i]);
}

/* The kernel gives a connection to any link process that is there. */
static struct sim_process *listening(void *ctx)
{
	struct mta *m = ctx;
	for (unsigned i = 0; i < LINKS; i++) {
		struct process *p = &m->links[(m->next_link + i) % LINKS];
		if (sim_is_alive(p->sim) && p->link != NULL)
			return p->sim;
	}
	return NULL;
}

static void on_accepted(void *ctx, struct stream *s)
{
	struct mta *m = ctx;
	for (unsigned i = 0; i < LINKS; i++) {
		struct process *p = &m->links[(m->next_link + i) % LINKS];
		if (sim_is_alive(p->sim) && p->link != NULL) {
			m->next_link = (m->next_link + i + 1) % LINKS;
			link_accepted(p->link, s);
			return;
		}
	}
}

/* --- users --- */

static void on_user_closed(void *ctx, const struct err *why)
{
	struct user *u = ctx;
	(void)why;
	if (u->chan != NULL)
		chan_free(&u->chan, false);
	if (u->now != NULL)
		u->now->answered = true; /* and not accepted: it may have arrived, or not */
	u->now = NULL;
}

static void give_pieces(struct user *u)
{
	while (u->now != NULL && u->credit > 0 && u->given < u->now->size) {
		size_t n = u->now->size - u->given < MSG_PIECE_MAX ? u->now->size - u->given : MSG_PIECE_MAX;
		struct msg_piece piece = { u->now->number, view_of(u->content + u->given, n) };
		put_msg_piece(chan_begin(u->chan, MSG_OFFER_DATA), &piece);
		chan_end(u->chan);
		u->given += n;
		u->credit = u->credit > n ? u->credit - n : 0;
		if (u->given == u->now->size) {
			struct msg_count end = { u->now->number, u->now->size };
			put_msg_count(chan_begin(u->chan, MSG_OFFER_END), &end);
			chan_end(u->chan);
		}
	}
}

static bool on_user_credit(void *ctx, struct view payload, struct err *e)
{
	struct user *u = ctx;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	u->credit += m.n;
	give_pieces(u);
	return true;
}

static bool on_user_answer(void *ctx, struct view payload, struct err *e)
{
	struct user *u = ctx;
	struct msg_answer m;
	if (!get_msg_answer(payload, &m, e))
		return false;
	if (u->now == NULL || u->now->number != m.id)
		return true;
	u->now->answered = true;
	u->now->accepted = m.accepted;
	snprintf(u->now->id, sizeof u->now->id, "%.*s", (int)m.mts_id.n, (const char *)m.mts_id.p);
	if (u->sim->verbose)
		printf("%8lld  letter %u: %s %s\n", (long long)world_now_ms(u->sim->w), u->now->number, m.accepted ? "accepted" : "refused", u->now->id);
	u->now = NULL;
	return true;
}

static const struct chan_type user_types[] = {
	{ .type = MSG_OFFER_CREDIT, .name = "OFFER_CREDIT", .handle = on_user_credit, .max = 16 },
	{ .type = MSG_OFFER_ANSWER, .name = "OFFER_ANSWER", .handle = on_user_answer, .max = 4096 },
};
static const struct chan_events user_events = { .types = user_types, .n_types = ARRAY_LEN(user_types), .closed = on_user_closed };

static void adopt_user(void *ctx)
{
	struct pairing *p = ctx;
	switch_adopt_control(p->link->mta->s, p->to_link);
}

static struct oraddr address(struct arena *a, const char *name, unsigned mta)
{
	char text[80];
	struct oraddr addr;
	struct err e;
	snprintf(text, sizeof text, "S=%s; P=%c; A=SIM; C=%s", name, 'a' + mta, countries[mta]);
	if (!oraddr_parse(view_str(text), &addr, a, ORADDR_GENERATE, &e))
		CANT_HAPPEN("the simulation's address does not parse");
	return addr;
}

static void add_recipient(struct message *m, struct oraddr addr)
{
	m->rcpt[m->n_rcpt] = (struct recipient){ .addr = addr, .number = (uint32_t)m->n_rcpt + 1, .responsible = true,
		.originator_report = REPORT_NON_DELIVERY, .mta_report = REPORT_NON_DELIVERY, .type_of_user = UINT32_MAX, .reason = -1, .diagnostic = -1 };
	m->n_rcpt++;
}

static void submit(struct user *u, struct letter *l)
{
	struct arena *a = arena_new(1 << 20);
	struct recipient rcpt[3];
	struct message m = { .kind = MESSAGE_MESSAGE, .content_type = 22, .priority = (enum priority)(l->number % PRIORITY_COUNT), .content_length = -1, .rcpt = rcpt };
	m.originator = address(a, "user", l->origin);
	if (l->to_c)
		add_recipient(&m, address(a, "user", 2 - l->origin));
	if (l->to_nobody)
		add_recipient(&m, address(a, "nobody", 2 - l->origin));
	if (l->to_b)
		add_recipient(&m, address(a, "user", 1));
	struct out packed;
	out_init(&packed, MSG_ENVELOPE_MAX);
	pack_message(&packed, &m, 0, m.n_rcpt);
	free(u->content);
	u->content = mem_alloc(l->size);
	memset(u->content, 'x', l->size);
	snprintf((char *)u->content, l->size, "letter %u", l->number);
	struct msg_offer offer = { .offer = l->number, .packed = out_view(&packed) };
	bool whole = l->size <= MSG_INLINE_MAX;
	if (whole)
		offer.content = view_of(u->content, l->size);
	u->now = l;
	u->given = 0;
	u->credit = MSG_CREDIT;
	l->sent = true;
	put_msg_offer(chan_begin(u->chan, whole ? MSG_OFFER : MSG_OFFER_BEGIN), &offer);
	chan_end(u->chan);
	if (!whole)
		give_pieces(u);
	out_fini(&packed);
	arena_free(&a);
}

static bool connect_user(struct user *u)
{
	struct mta *m = u->mta;
	struct stream *mine;
	struct pairing p = { .link = &m->sw };
	if (u->chan != NULL)
		return true;
	if (m->s == NULL || !sim_is_alive(m->sw.sim))
		return false;
	world_pair(u->sim->w, u->sim->god, m->sw.sim, &mine, &p.to_link);
	u->chan = chan_new(&mine, &user_events, u, PROCESS_TOOL, 0);
	sim_run(m->sw.sim, adopt_user, &p);
	return true;
}

/* --- the scenario --- */

static void on_submit(void *ctx)
{
	struct sim *m = ctx;
	if (m->next_letter == LETTERS)
		return;
	struct letter *l = &m->letters[m->next_letter];
	struct user *u = &m->mta[l->origin].user;
	timer_after(&m->submit, 1 + (int64_t)world_random(m->w, TROUBLE_MS / LETTERS * 2));
	if (u->now != NULL || !connect_user(u))
		return;
	m->next_letter++;
	submit(u, l);
}

static struct process *any_process(struct sim *m)
{
	struct mta *t = &m->mta[world_random(m->w, MTAS)];
	uint64_t i = world_random(m->w, LINKS + 1);
	return i == LINKS ? &t->sw : &t->links[i];
}

static void on_trouble(void *ctx)
{
	struct sim *m = ctx;
	if (world_now_ms(m->w) > TROUBLE_MS) {
		world_slow(m->w, 5);
		for (int i = 0; i < MTAS && m->on_disk; i++)
			sim_disk_heal(m->mta[i].sqlite);
		return;
	}
	if (m->on_disk)
		sim_disk_trouble(m->mta[world_random(m->w, MTAS)].sqlite, m->w);
	timer_after(&m->trouble, 100 + (int64_t)world_random(m->w, 4000));
	struct process *p = any_process(m);
	switch (world_random(m->w, 6)) {
	case 0:
	case 1:
		m->cuts += world_cut(m->w);
		break;
	case 2: world_stall(m->w, (int64_t)world_random(m->w, 60000)); break;
	case 3: world_slow(m->w, 1 + (int64_t)world_random(m->w, 300)); break;
	default:
		if (sim_is_alive(p->sim))
			sim_kill_in(p->sim, 1 + world_random(m->w, 200));
	}
}

static void make_letters(struct sim *m)
{
	for (unsigned i = 0; i < LETTERS; i++) {
		struct letter *l = &m->letters[i];
		*l = (struct letter){ .number = i + 1, .origin = world_random(m->w, 2) == 0 ? 0 : 2 };
		l->to_c = world_random(m->w, 8) != 0;
		l->to_b = !l->to_c || world_random(m->w, 3) == 0;
		l->to_nobody = world_random(m->w, 4) == 0;
		l->size = world_random(m->w, 8) == 0 ? LONG_CONTENT : 20 + (size_t)world_random(m->w, 3000);
	}
}

static bool is_quiet(struct sim *m)
{
	for (unsigned i = 0; i < MTAS; i++)
		if (m->mta[i].user.now != NULL)
			return false;
	if (m->next_letter < LETTERS)
		return false;
	for (unsigned i = 0; i < MTAS; i++) {
		struct store_counts c;
		if (m->mta[i].s == NULL)
			return false;
		switch_count(m->mta[i].s, &c);
		if (c.transfers > 0)
			return false;
	}
	return true;
}

/* --- the reckoning --- */

static struct letter *letter_of(struct sim *m, const struct store_loaded *loaded)
{
	char head[32];
	unsigned number;
	snprintf(head, sizeof head, "%.*s", (int)(loaded->content.n < 20 ? loaded->content.n : 20), (const char *)loaded->content.p);
	if (sscanf(head, "letter %u", &number) != 1 || number == 0 || number > LETTERS)
		return NULL;
	return &m->letters[number - 1];
}

static void count_report(struct sim *m, const struct store_loaded *loaded)
{
	struct out id;
	out_init(&id, 1000);
	mts_id_print(&loaded->m->subject_id, &id);
	for (unsigned i = 0; i < LETTERS; i++)
		if (strcmp(m->letters[i].id, out_cstr(&id)) == 0)
			m->letters[i].reports++;
	out_fini(&id);
}

struct mailboxes {
	struct sim *m;
	struct mta *t;
	struct store *s;
	struct arena *a;
	uint64_t found;
};

static void read_one(void *ctx, uint64_t id)
{
	struct mailboxes *b = ctx;
	struct sim *m = b->m;
	struct store_loaded loaded;
	struct err e;
	uint8_t head[20];
	size_t got;
	arena_reset(b->a);
	if (!store_load_delivery(b->s, id, &loaded, b->a, &e))
		return;
	b->found++;
	if (loaded.m->kind == MESSAGE_REPORT) {
		count_report(m, &loaded);
		return;
	}
	if (loaded.in_file && store_read_content(b->s, loaded.message, 0, head, sizeof head, &got, &e))
		loaded.content = view_of(head, got);
	struct letter *l = letter_of(m, &loaded);
	if (l == NULL || loaded.content_size != l->size)
		fail(m, "mailbox %c holds a message that nobody sent", b->t->name);
	else if (b->t->index == 1)
		l->copies_b++;
	else
		l->copies_c++;
}

static void read_mailboxes(struct sim *m, struct mta *t)
{
	const struct store_events none = { 0 };
	const struct store_config c = { .path = "sim", .inline_max = 64 * 1024 };
	struct err e;
	bool disturbed;
	struct mailboxes b = { .m = m, .t = t, .a = arena_new(256 << 20) };
	b.s = m->on_disk ? sim_disk_open(t->sqlite, sim_env(m->god), &none, NULL, &disturbed, &e)
			 : store_open_memory(sim_env(m->god), t->disk, &c, &none, NULL, &e);
	if (b.s == NULL) {
		fail(m, "store %c cannot be opened at the end: %s", t->name, e.text);
		arena_free(&b.a);
		return;
	}
	struct store_counts counts;
	store_count(b.s, &counts);
	if (m->on_disk)
		sim_disk_deliveries(t->sqlite, read_one, &b);
	for (uint64_t id = 1; !m->on_disk && b.found < counts.deliveries && id < 1000000; id++)
		read_one(&b, id);
	if (b.found != counts.deliveries)
		fail(m, "mailbox %c: %llu entries counted, %llu found", t->name, (unsigned long long)counts.deliveries,
		     (unsigned long long)b.found);
	store_close(&b.s);
	arena_free(&b.a);
	char why[200];
	if (!m->on_disk)
		return;
	sim_disk_closed(t->sqlite);
	if (!sim_disk_check(t->sqlite, sim_env(m->god), why, sizeof why))
		fail(m, "store %c is not whole: %s", t->name, why);
}

static void judge_one(struct sim *m, const struct letter *l, const char *where, bool wanted, unsigned copies)
{
	unsigned least = wanted && l->accepted ? 1 : 0, most = wanted ? 1 : 0;
	if (copies < least)
		fail(m, "letter %u (%s): acknowledged and lost, %s", l->number, l->id, where);
	if (copies > most)
		fail(m, "letter %u (%s): %u copies, %s", l->number, l->id, copies, where);
}

static void judge(struct sim *m)
{
	for (unsigned i = 0; i < MTAS; i++)
		read_mailboxes(m, &m->mta[i]);
	for (unsigned i = 0; i < LETTERS; i++) {
		const struct letter *l = &m->letters[i];
		judge_one(m, l, "mailbox b", l->to_b, l->copies_b);
		judge_one(m, l, "far mailbox", l->to_c, l->copies_c);
		if (l->accepted)
			judge_one(m, l, "report", l->to_nobody, l->reports);
	}
}

/* --- one run --- */

static void begin(struct sim *m)
{
	struct err e;
	for (unsigned i = 0; i < MTAS; i++) {
		struct mta *t = &m->mta[i];
		*t = (struct mta){ .sim = m, .name = (char)('a' + i), .index = i, .arena = arena_new(64 << 20) };
		if (m->on_disk)
			t->sqlite = sim_disk_new(t->name, m->seed);
		else
			t->disk = store_disk_new();
		if (m->plant == PLANT_SYNCS)
			sim_disk_drop_syncs(t->sqlite, 3);
		struct out text;
		out_init(&text, 1 << 20);
		write_settings(t, &text);
		if (!settings_load(arena_copy(t->arena, out_view(&text)), "sim", &t->settings, t->arena, &e))
			fail(m, "settings of %c: %s", t->name, e.text);
		out_fini(&text);
		t->user = (struct user){ .sim = m, .mta = t };
		char addr[32];
		snprintf(addr, sizeof addr, "127.0.0.1:%u", 1000 + i);
		world_listen(m->w, addr, listening, on_accepted, t);
		t->sw = (struct process){ .mta = t, .index = -1 };
		timer_init(&t->sw.restart, sim_env(m->god), start_process, &t->sw);
		timer_after(&t->sw.restart, 0);
		for (int j = 0; j < LINKS; j++) {
			t->links[j] = (struct process){ .mta = t, .index = j };
			timer_init(&t->links[j].restart, sim_env(m->god), start_process, &t->links[j]);
			timer_after(&t->links[j].restart, 1);
		}
	}
}

static void finish_switch(void *ctx)
{
	struct mta *t = ctx;
	switch_free(&t->s);
	if (t->sqlite != NULL)
		sim_disk_closed(t->sqlite);
	event_log_free(&t->sw.host.log);
}

static void finish_link(void *ctx)
{
	struct process *p = ctx;
	link_free(&p->link);
	event_log_free(&p->host.log);
}

static void end(struct sim *m)
{
	for (unsigned i = 0; i < MTAS; i++) {
		struct mta *t = &m->mta[i];
		for (int j = 0; j < LINKS; j++)
			if (t->links[j].link != NULL)
				sim_run(t->links[j].sim, finish_link, &t->links[j]);
		if (t->s != NULL)
			sim_run(t->sw.sim, finish_switch, t);
	}
}

static void on_god_killed(void *ctx)
{
	(void)ctx;
}

static struct sim_disk_figures figures; /* of all runs */

static void add_figures(const struct sim_disk *sd)
{
	const struct sim_disk_figures f = sim_disk_figures(sd);
	figures.calls += f.calls;
	figures.deaths += f.deaths;
	figures.cuts += f.cuts;
	figures.faults += f.faults;
}

static bool run_one(uint64_t seed, bool verbose, bool on_disk, enum plant plant, uint64_t *fingerprint_r, char *failure, size_t size)
{
	struct sim *m = mem_zero(sizeof *m);
	struct err e;
	m->seed = seed;
	m->verbose = verbose;
	m->on_disk = on_disk;
	m->plant = plant;
	m->w = world_new(seed);
	m->god = world_process(m->w, "god", on_god_killed, m);
	if (!fault_plan(plant == PLANT_EARLY ? "SWITCH_ANSWER_EARLY:1:stick" : NULL, &e))
		CANT_HAPPEN("the fault plan of the simulation is wrong");
	begin(m);
	make_letters(m);
	timer_init(&m->trouble, sim_env(m->god), on_trouble, m);
	timer_init(&m->submit, sim_env(m->god), on_submit, m);
	timer_after(&m->trouble, 3000);
	timer_after(&m->submit, 500);
	for (int64_t until = 1000; m->failure[0] == 0; until += 1000) {
		while (m->failure[0] == 0 && world_step(m->w, until))
			;
		if (until > TROUBLE_MS && is_quiet(m))
			break;
		if (until > LIMIT_MS)
			fail(m, "not over after %d s", LIMIT_MS / 1000);
	}
	*fingerprint_r = world_fingerprint(m->w);
	for (unsigned i = 0; i < MTAS && on_disk; i++)
		*fingerprint_r = *fingerprint_r * 31 + sim_disk_figures(m->mta[i].sqlite).calls;
	end(m);
	for (unsigned i = 0; i < MTAS && on_disk; i++) {
		sim_disk_end(m->mta[i].sqlite);
		add_figures(m->mta[i].sqlite);
	}
	if (m->failure[0] == 0)
		judge(m);
	if (verbose)
		printf("%u kills, %u cuts, over at %lld ms\n", m->kills, m->cuts, (long long)world_now_ms(m->w));
	for (unsigned i = 0; i < MTAS; i++) {
		store_disk_free(&m->mta[i].disk);
		sim_disk_free(&m->mta[i].sqlite);
		arena_free(&m->mta[i].arena);
		free(m->mta[i].user.content);
	}
	world_free(&m->w);
	bool good = m->failure[0] == 0;
	snprintf(failure, size, "%s", m->failure);
	free(m);
	return good;
}

/* With a planted fault some seed must lose a message: else the simulation sees nothing. */
static int find_plant(const char *self, enum plant plant)
{
	char failure[300];
	uint64_t fingerprint;
	for (uint64_t seed = 1; seed <= 200; seed++)
		if (!run_one(seed, false, plant == PLANT_SYNCS, plant, &fingerprint, failure, sizeof failure)) {
			printf("planted fault found with seed %llu: %s\nreplay: %s %s --seed %llu\n", (unsigned long long)seed, failure, self,
			       plant == PLANT_SYNCS ? "--plant-disk" : "--plant", (unsigned long long)seed);
			return 0;
		}
	printf("the planted fault was not found in 200 seeds\n");
	return 1;
}

enum { DISK_EVERY = 5 };

static int run_many(const char *self, uint64_t from, uint64_t n, bool all_on_disk)
{
	uint64_t failed = 0;
	char failure[300];
	for (uint64_t seed = from; seed < from + n; seed++) {
		uint64_t one, two;
		const bool on_disk = all_on_disk || seed % DISK_EVERY == 0;
		bool good = run_one(seed, false, on_disk, PLANT_NOTHING, &one, failure, sizeof failure);
		if (good && seed % 50 == 0 && (!run_one(seed, false, on_disk, PLANT_NOTHING, &two, failure, sizeof failure) || one != two)) {
			good = false;
			snprintf(failure, sizeof failure, "two runs of the seed differ");
		}
		if (!good) {
			failed++;
			printf("seed %llu: %s\nreplay: %s --seed %llu%s -v\n", (unsigned long long)seed, failure, self, (unsigned long long)seed,
			       on_disk ? " --disk" : "");
		}
	}
	printf("on disks: %llu switches died, %llu of them with the power, %llu failures of a disk, %llu calls of one\n",
	       (unsigned long long)figures.deaths, (unsigned long long)figures.cuts, (unsigned long long)figures.faults,
	       (unsigned long long)figures.calls);
	printf("%llu passed, %llu failed\n", (unsigned long long)(n - failed), (unsigned long long)failed);
	return failed > 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "seeds", 1, NULL, 'n' }, { "from", 1, NULL, 'f' }, { "seed", 1, NULL, 's' }, { "disk", 0, NULL, 'd' },
						 { "plant", 0, NULL, 'p' }, { "plant-disk", 0, NULL, 'q' }, { 0 } };
	uint64_t n = 20, from = 1, seed = 0, fingerprint;
	bool verbose = false, on_disk = false;
	enum plant plant = PLANT_NOTHING;
	char failure[300];
	for (int o; (o = getopt_long(argc, argv, "v", options, NULL)) != -1;)
		switch (o) {
		case 'n': n = strtoull(optarg, NULL, 10); break;
		case 'f': from = strtoull(optarg, NULL, 10); break;
		case 's': seed = strtoull(optarg, NULL, 10); break;
		case 'd': on_disk = true; break;
		case 'p': plant = PLANT_EARLY; break;
		case 'q': plant = PLANT_SYNCS; break;
		case 'v': verbose = true; break;
		default: return 64;
		}
	if (seed == 0)
		return plant != PLANT_NOTHING ? find_plant(argv[0], plant) : run_many(argv[0], from, n, on_disk);
	bool good = run_one(seed, verbose, on_disk || plant == PLANT_SYNCS, plant, &fingerprint, failure, sizeof failure);
	printf("seed %llu: %s (fingerprint %016llx)\n", (unsigned long long)seed, good ? "good" : failure, (unsigned long long)fingerprint);
	return !good;
}
