/* act.c - what the commands of an operator's hand share: one ACT after another, what became of it, totals. The reader selects, the
 * switch acts: an id that has gone meanwhile is told as gone, so that a command may be cut off and given again. */
#include "proc/ctl/ctl_int.h"

#include <pwd.h>
#include <unistd.h>

enum { BATCH = 50 };

static const char *const acted_names[] = { [ACTED_DONE] = "done", [ACTED_GONE] = "gone", [ACTED_IN_FLIGHT] = "in-flight",
					   [ACTED_REFUSED] = "refused" };
static const char *const act_names[ACT_COUNT] = {
	[ACT_HOLD] = "hold", [ACT_RELEASE] = "release", [ACT_RETRY] = "retry", [ACT_REROUTE] = "reroute", [ACT_RETURN] = "return",
	[ACT_DELETE] = "delete", [ACT_QUARANTINE_RELEASE] = "release", [ACT_QUARANTINE_DELETE] = "delete",
};

static bool is_of_quarantine(const struct ctl_act *a)
{
	return a->act == ACT_QUARANTINE_RELEASE || a->act == ACT_QUARANTINE_DELETE;
}

static size_t batch(const struct ctl_act *a)
{
	return a->n - a->answered < BATCH ? a->n - a->answered : BATCH;
}

/* Few at a time: each is a line of the audit, and who reads that must keep up. */
static void send_batch(struct ctl *c)
{
	const struct ctl_act *a = c->user;
	const struct passwd *user = getpwuid(getuid());
	struct out ids;
	out_init(&ids, BATCH * sizeof *a->ids);
	for (size_t i = 0; i < batch(a); i++)
		out_u64(&ids, a->ids[a->answered + i]);
	struct msg_act_on m = { .id = 1, .act = a->act, .arg = view_str(a->arg), .who = view_str(user == NULL ? "" : user->pw_name),
				.why = view_str(a->why), .ids = out_view(&ids) };
	put_msg_act_on(ctl_message(c), &m);
	ctl_message_send(c, MSG_ACT);
	out_fini(&ids);
}

static bool on_acted(void *ctx, struct view payload, struct err *e)
{
	struct ctl *c = ctx;
	struct ctl_act *a = c->user;
	struct msg_acted m;
	if (!get_msg_acted(payload, &m, e))
		return false;
	if (m.what.n != batch(a))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "the answer is about %zu of %zu", m.what.n, batch(a));
	for (size_t i = 0; i < m.what.n; i++) {
		unsigned what = m.what.p[i] <= ACTED_REFUSED ? m.what.p[i] : ACTED_REFUSED;
		a->counts[what]++;
		if (c->json)
			printf("{\"%s\":%llu,\"outcome\":\"%s\"}\n", is_of_quarantine(a) ? "quarantine" : "transfer",
			       (unsigned long long)a->ids[a->answered + i], acted_names[what]);
	}
	if (m.err.kind != ERR_NONE)
		ctl_say(c, CTL_REFUSED, "%s", m.err.text);
	a->answered += m.what.n;
	if (a->answered == a->n)
		ctl_over(c, CTL_DONE);
	else
		send_batch(c);
	return true;
}

int ctl_act(struct ctl *c, struct ctl_act *a)
{
	static const struct chan_type types[] = {
		{ .type = MSG_ACTED, .name = "ACTED", .handle = on_acted, .max = MSG_MAX_ACTED },
	};
	void *user = c->user;
	c->user = a;
	a->answered = 0;
	int status = ctl_converse(c, "control", types, ARRAY_LEN(types), send_batch);
	c->user = user;
	return status;
}

int ctl_act_total(struct ctl *c, const struct ctl_act *a, uint64_t found)
{
	unsigned long long n[] = { a->counts[ACTED_DONE], a->counts[ACTED_GONE], a->counts[ACTED_IN_FLIGHT], a->counts[ACTED_REFUSED] };
	if (c->json)
		printf("{\"act\":\"%s\",\"found\":%llu,\"done\":%llu,\"gone\":%llu,\"in-flight\":%llu,\"refused\":%llu}\n",
		       act_names[a->act], (unsigned long long)found, n[0], n[1], n[2], n[3]);
	else
		printf("%s: %llu found, %llu done, %llu gone meanwhile, %llu being handed over just now, %llu refused\n",
		       act_names[a->act], (unsigned long long)found, n[0], n[1], n[2], n[3]);
	if (a->counts[ACTED_REFUSED] > 0)
		c->status = CTL_REFUSED;
	return c->status;
}
