/* explain.c - EXPLAIN: where an address would go now, and why: the redirections on the way; of a list its members and where each goes; else
 * every candidate with the live state of its link. What hangs on the message (its originator, what that prohibits) is told, not known. */
#include "proc/switch/switch_int.h"

#include "base/text.h"
#include "proc/table/rows.h"

struct explaining {
	struct sw *s;
	struct out rows, row;
	bool is_full;                    /* the answer's frame is: the rest is left out, and said */
	struct view from;                /* the link it would have come by; empty: none */
	uint64_t size;
	uint64_t members;                /* of the list */
};

static void pair(struct explaining *x, const char *name, const char *value)
{
	rows_text(&x->row, name, view_str(value));
}

static void number(struct explaining *x, const char *name, uint64_t value)
{
	rows_number(&x->row, name, value);
}

static void end_row(struct explaining *x)
{
	enum { ROOM = MSG_MAX_EXPLAINED - 4096 };
	if (out_len(&x->rows) + out_len(&x->row) + 4 > ROOM) {
		if (!x->is_full) {
			out_clear(&x->row);
			pair(x, "kind", "rest");
			pair(x, "why", "there is more than can be told");
			put_string(&x->rows, out_view(&x->row));
		}
		x->is_full = true;
	} else {
		put_string(&x->rows, out_view(&x->row));
	}
	out_clear(&x->row);
}

static void put_link(struct explaining *x, const struct swlink *l)
{
	static const char *const activations[] = { [ROUTE_ACTIVE] = "now", [ROUTE_LATER] = "later", [ROUTE_NEVER] = "never",
						   [ROUTE_REMOTE] = "remote-initiated" };
	pair(x, "link", l->set->name);
	pair(x, "state", dispatch_state(l));
	pair(x, "active", activations[reroute_activation(l)]);
	number(x, "failures", l->open_failures);
	if (timer_is_set(&l->open_timer)) {
		const int64_t left = l->open_timer.at_ms - env_now_ms(x->s->host.env);
		number(x, "next-attempt-ms", left < 0 ? 0 : (uint64_t)left);
	}
	if (l->last_error[0] != 0)
		pair(x, "last-error", l->last_error);
	number(x, "queued", l->queued);
	if (l->set->size_limit != 0)
		number(x, "size-limit", l->set->size_limit);
}

static void put_candidate(void *ctx, const struct route_candidate *c)
{
	struct explaining *x = ctx;
	struct out match;
	pair(x, "kind", c->pattern == NULL ? "mailbox" : "route");
	if (c->pattern == NULL) {
		pair(x, "mailbox", c->mailbox);
	} else {
		out_init(&match, 2048);
		route_pattern_print(c->pattern, &match);
		number(x, "route", c->number);
		pair(x, "match", out_cstr(&match));
		number(x, "cost", c->cost);
		pair(x, "to", c->link != NULL ? c->link : c->target == ROUTE_LOCAL ? "local" : "reject");
		out_fini(&match);
	}
	number(x, "won", c->is_winner);
	pair(x, "why", c->why);
	if (c->link != NULL)
		put_link(x, switch_link(x->s, view_str(c->link)));
	end_row(x);
}

/* Where an address leads, by way of the alternate recipients of mailboxes here. */
struct way {
	struct recipient at;             /* the last address, and its redirections */
	const struct list *list;         /* NULL: none of ours */
	struct route_answer to;
	bool is_routed;
	struct err why;                  /* not routed */
};

static struct way way_of(struct explaining *x, const struct oraddr *addr)
{
	struct sw *s = x->s;
	struct way w = { .at = { .addr = *addr } };
	for (;;) {
		w.list = lists_find(s, &w.at.addr);
		w.is_routed = w.list != NULL || reroute_choose(s, NULL, &w.at.addr, x->from, x->size, &w.to, &w.why);
		if (!w.is_routed || w.list != NULL || w.to.target != ROUTE_LOCAL)
			return w;
		const struct oraddr *next = redirect_assigned(s, &w.at.addr);
		if (next == NULL)
			return w;
		w.is_routed = redirect_to(&w.at, next, REDIRECTED_BY_RECIPIENT, env_wall_ms(s->host.env), s->work, &w.at, &w.why);
		if (!w.is_routed)
			return w;
	}
}

static void put_way(struct explaining *x, const struct way *w)
{
	char goes[100];
	if (!w->is_routed)
		snprintf(goes, sizeof goes, "nowhere");
	else if (w->list != NULL)
		snprintf(goes, sizeof goes, "list %s", lists_name(w->list));
	else
		snprintf(goes, sizeof goes, "%s %s", w->to.target == ROUTE_LOCAL ? "mailbox" : "link",
			 w->to.target == ROUTE_LOCAL ? w->to.mailbox : w->to.link);
	pair(x, "goes", goes);
	if (w->at.n_redirections > 0)
		pair(x, "as", oraddr_text(&w->at.addr, x->s->work));
	if (w->is_routed)
		return;
	pair(x, "why", w->why.text);
	pair(x, "reason", reason_name(w->why.reason));
	pair(x, "diagnostic", diagnostic_name(w->why.diagnostic));
}

static void put_redirections(struct explaining *x, const struct way *w)
{
	for (size_t i = 0; i < w->at.n_redirections; i++) {
		const struct oraddr *next = i + 1 < w->at.n_redirections ? &w->at.redirections[i + 1].intended : &w->at.addr;
		pair(x, "kind", "redirect");
		pair(x, "address", oraddr_text(&w->at.redirections[i].intended, x->s->work));
		pair(x, "to", oraddr_text(next, x->s->work));
		pair(x, "why", "its mailbox has an alternate recipient; what must not be reassigned is reported");
		end_row(x);
	}
}

/* Nobody here has that address: what may have an alternate recipient goes to this domain's. */
static void put_default(struct explaining *x, const struct way *w)
{
	const struct message lenient = { .indicators = IND_ALTERNATE_ALLOWED };
	if (w->is_routed || w->why.reason != 1 || w->why.diagnostic != 0)
		return;
	const struct oraddr *to = redirect_default(x->s, &lenient, &w->at.addr);
	if (to == NULL)
		return;
	const struct way on = way_of(x, to);
	pair(x, "kind", "alternate");
	pair(x, "address", oraddr_text(&w->at.addr, x->s->work));
	pair(x, "to", oraddr_text(to, x->s->work));
	put_way(x, &on);
	end_row(x);
}

/* no-DL-submit-permission: who sends it is not known here. */
static bool is_of_submitters(const struct err *refused)
{
	return refused != NULL && refused->diagnostic == 29;
}

static void put_member(void *ctx, const struct set_list *from, const struct oraddr *member, const struct err *refused)
{
	enum { TOLD_MAX = 500 };
	struct explaining *x = ctx;
	if (x->members++ >= TOLD_MAX)
		return;
	struct way w = { .at = { .addr = *member }, .list = lists_find(x->s, member) };
	if (refused == NULL)
		w = way_of(x, member);
	else
		w.why = *refused;
	w.is_routed = w.is_routed || is_of_submitters(refused);
	pair(x, "kind", "member");
	pair(x, "list", from->name);
	pair(x, "address", oraddr_text(member, x->s->work));
	put_way(x, &w);
	if (is_of_submitters(refused))
		pair(x, "why", "only what its submitters send");
	end_row(x);
}

static void count_member(void *ctx, const struct set_list *from, const struct oraddr *member, const struct err *refused)
{
	struct explaining *x = ctx;
	(void)from, (void)member, (void)refused;
	x->members++;
}

static void put_list(struct explaining *x, const struct list *l)
{
	static const char *const reports[] = { [LIST_REPORTS_ORIGINATOR] = "originator", [LIST_REPORTS_OWNER] = "owner", [LIST_REPORTS_BOTH] = "both" };
	const struct set_list *set = lists_settings(l);
	struct err e;
	const bool good = lists_members(x->s, l, count_member, x, &e);
	pair(x, "kind", "list");
	pair(x, "list", set->name);
	number(x, "members", x->members);
	pair(x, "open-to", set->submitters.n == 0 ? "anybody" : "its submitters");
	pair(x, "reports-to", reports[set->reports]);
	if (!good) {
		pair(x, "why", e.text);
		pair(x, "reason", reason_name(e.reason));
		pair(x, "diagnostic", diagnostic_name(e.diagnostic));
	}
	end_row(x);
	x->members = 0;
	if (good && !lists_members(x->s, l, put_member, x, &e))
		CANT_HAPPEN("a list has other members the second time");
}

static bool explain(struct sw *s, const struct msg_explain *m, struct out *rows, struct err *e)
{
	struct explaining x = { .s = s, .from = m->link, .size = m->size };
	struct oraddr addr;
	arena_reset(s->work);
	if (!oraddr_parse(m->address, &addr, s->work, ORADDR_CARRY, e))
		return false;
	if (m->link.n > 0 && switch_link(s, m->link) == NULL) {
		char name[65];
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "no link is called \"%s\"", text_escaped(name, sizeof name, m->link));
	}
	const struct way w = way_of(&x, &addr);
	out_init(&x.rows, MSG_MAX_EXPLAINED);
	out_init(&x.row, MSG_MAX_EXPLAINED);
	pair(&x, "kind", "answer");
	pair(&x, "address", oraddr_text(&addr, s->work));
	put_way(&x, &w);
	end_row(&x);
	put_redirections(&x, &w);
	put_default(&x, &w);
	if (w.list != NULL)
		put_list(&x, w.list);
	else
		reroute_explain(s, &w.at.addr, m->link, m->size, put_candidate, &x);
	out_fini(&x.row);
	*rows = x.rows;
	return true;
}

bool explain_asked(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_explain m;
	struct msg_explained answer = { .err = { .kind = ERR_NONE, .reason = -1, .diagnostic = -1 } };
	struct out rows;
	if (!get_msg_explain(payload, &m, e))
		return false;
	out_init(&rows, 16);
	answer.id = m.id;
	if (explain(p->sw, &m, &rows, &answer.err))
		answer.rows = out_view(&rows);
	struct out *o = proc_begin(p, MSG_EXPLAINED);
	if (o != NULL) {
		put_msg_explained(o, &answer);
		proc_end(p);
	}
	out_fini(&rows);
	return true;
}
