/* explain.c - EXPLAIN: where an address would go now, and why; every candidate with the live state of its link. */
#include "proc/switch/switch_int.h"

#include "base/text.h"

struct explaining {
	struct sw *s;
	struct out rows, row;
	bool is_full;                    /* the answer's frame is: the rest is left out, and said */
};

static void pair(struct explaining *x, const char *name, const char *value)
{
	put_string(&x->row, view_str(name));
	put_string(&x->row, view_str(value));
}

static void number(struct explaining *x, const char *name, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	pair(x, name, text);
}

static void end_row(struct explaining *x)
{
	enum { ROOM = MSG_MAX_EXPLAINED - 4096 };
	if (out_len(&x->rows) + out_len(&x->row) + 4 > ROOM) {
		if (!x->is_full) {
			out_clear(&x->row);
			pair(x, "kind", "rest");
			pair(x, "why", "there are more routes than can be told");
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

static void put_answer(struct explaining *x, const struct oraddr *addr, struct view from, uint64_t size)
{
	struct route_answer a;
	struct err e;
	char goes[100];
	pair(x, "kind", "answer");
	pair(x, "address", oraddr_text(addr, x->s->work));
	if (!reroute_choose(x->s, NULL, addr, from, size, &a, &e)) {
		pair(x, "goes", "nowhere");
		pair(x, "why", e.text);
		pair(x, "reason", reason_name(e.reason));
		pair(x, "diagnostic", diagnostic_name(e.diagnostic));
	} else {
		snprintf(goes, sizeof goes, "%s %s", a.target == ROUTE_LOCAL ? "mailbox" : "link", a.target == ROUTE_LOCAL ? a.mailbox : a.link);
		pair(x, "goes", goes);
	}
	end_row(x);
}

static bool explain(struct sw *s, const struct msg_explain *m, struct out *rows, struct err *e)
{
	struct explaining x = { .s = s };
	struct oraddr addr;
	arena_reset(s->work);
	if (!oraddr_parse(m->address, &addr, s->work, ORADDR_CARRY, e))
		return false;
	if (m->link.n > 0 && switch_link(s, m->link) == NULL) {
		char name[65];
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "no link is called \"%s\"", text_escaped(name, sizeof name, m->link));
	}
	out_init(&x.rows, MSG_MAX_EXPLAINED);
	out_init(&x.row, MSG_MAX_EXPLAINED);
	put_answer(&x, &addr, m->link, m->size);
	reroute_explain(s, &addr, m->link, m->size, put_candidate, &x);
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
