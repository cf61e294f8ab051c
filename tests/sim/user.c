/* user.c - a user of the simulation: submits letters over the control socket, one at a time. */
#include "sim_int.h"

#include "base/mem.h"

static void on_user_closed(void *ctx, const struct err *why)
{
	struct user *u = ctx;
	(void)why;
	if (u->chan != NULL)
		chan_free(&u->chan, false);
	if (u->now != NULL && u->now->poison == POISON_PLACE)
		u->again = u->now;
	else if (u->now != NULL)
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
	if (u->sim->run.verbose)
		printf("%8lld  letter %u: %s %s\n", (long long)world_now_ms(u->sim->w), u->now->number, m.accepted ? "accepted" : "refused", u->now->id);
	u->now = NULL;
	return true;
}

static const struct chan_type user_types[] = {
	{ .type = MSG_OFFER_CREDIT, .name = "OFFER_CREDIT", .handle = on_user_credit, .max = 16 },
	{ .type = MSG_OFFER_ANSWER, .name = "OFFER_ANSWER", .handle = on_user_answer, .max = 4096 },
};
static const struct chan_events user_events = { .types = user_types, .n_types = ARRAY_LEN(user_types), .closed = on_user_closed };

struct connecting {
	struct mta *mta;
	struct stream *stream;
};

static void adopt_user(void *ctx)
{
	struct connecting *c = ctx;
	switch_adopt_control(c->mta->s, c->stream);
}

/* By these the fault plan knows them (sim.c). A content that is no text fails by itself. */
static const char *const markers[POISON_KINDS] = {
	[POISON_NONE] = "", [POISON_DECODE] = "PoisonD", [POISON_ENCODE] = "PoisonE", [POISON_CONVERT] = "PoisonC", [POISON_FAILS] = "",
	[POISON_PLACE] = "PoisonP",
};

static struct oraddr address(struct arena *a, const char *name, unsigned mta)
{
	char text[80];
	struct oraddr addr;
	struct err e;
	snprintf(text, sizeof text, "S=%s; P=%c; A=SIM; C=%s", name, 'a' + mta, sim_countries[mta]);
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

/* Some by lists of the MTA in the middle, or by a mailbox there that is redirected: what has to come of it is the same. */
static void add_recipients(struct message *m, const struct letter *l, struct arena *a)
{
	const bool plain = l->poison != POISON_NONE || l->number % 4 < 2, by_list = !plain && l->to_b && l->to_c;
	const unsigned far = 2 - l->origin;
	char news[8], lost[8], moved[8];
	snprintf(news, sizeof news, "news%u", far);
	snprintf(lost, sizeof lost, "lost%u", far);
	snprintf(moved, sizeof moved, "moved%u", far);
	if (by_list)
		add_recipient(m, address(a, news, 1));
	else if (l->to_c)
		add_recipient(m, plain ? address(a, "user", far) : address(a, moved, 1));
	if (l->to_nobody)
		add_recipient(m, plain ? address(a, "nobody", far) : address(a, lost, 1));
	if (l->to_b && !by_list)
		add_recipient(m, address(a, "user", 1));
}

void user_submit(struct user *u, struct letter *l)
{
	struct arena *a = arena_new(1 << 20);
	struct recipient rcpt[3];
	struct message m = { .kind = MESSAGE_MESSAGE, .content_type = 1, .priority = (enum priority)(l->number % PRIORITY_COUNT), .content_length = -1, .rcpt = rcpt };
	m.content_id = view_str(markers[l->poison]);
	if (l->poison == POISON_CONVERT || l->poison == POISON_FAILS)
		m.content_type = 22;
	m.originator = address(a, "user", l->origin);
	add_recipients(&m, l, a);
	struct out packed;
	out_init(&packed, MSG_ENVELOPE_MAX);
	pack_message(&packed, &m, 0, m.n_rcpt);
	free(u->content);
	u->content = mem_alloc(l->size);
	memset(u->content, 'x', l->size);
	snprintf((char *)u->content, l->size, "letter %u %s", l->number, l->poison == POISON_CONVERT ? markers[POISON_CONVERT] : "");
	l->tries++;
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

bool user_connect(struct user *u)
{
	struct mta *m = u->mta;
	struct stream *mine;
	struct connecting c = { .mta = m };
	if (u->chan != NULL)
		return true;
	if (m->s == NULL || !sim_is_alive(m->sw.sim))
		return false;
	world_pair(u->sim->w, u->sim->god, m->sw.sim, &mine, &c.stream);
	u->chan = chan_new(&mine, &user_events, u, PROCESS_TOOL, 0);
	sim_run(m->sw.sim, adopt_user, &c);
	return true;
}
