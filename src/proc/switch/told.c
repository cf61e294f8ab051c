/* told.c - what a command has done beside the switch, told by it, becomes an event of the MTA: with who it was, as the kernel knows. */
#include "proc/switch/switch_int.h"

#include <inttypes.h>

static const char *number(char buf[24], uint64_t x)
{
	snprintf(buf, 24, "%" PRIu64, x);
	return buf;
}

static void answer(struct proc *p, uint64_t id)
{
	struct out *o = proc_begin(p, MSG_DONE);
	const struct msg_answer m = { .id = id, .accepted = true, .err = { .reason = -1, .diagnostic = -1 } };
	if (o == NULL)
		return;
	put_msg_answer(o, &m);
	proc_end(p);
}

bool told_backed_up(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_backed_up m;
	char target[512], who[512], why[256], by[560], messages[24], octets[24], took[24];
	if (!get_msg_backed_up(payload, &m, e))
		return false;
	snprintf(target, sizeof target, "%.*s", (int)m.target.n, (const char *)m.target.p);
	snprintf(who, sizeof who, "%.*s", (int)m.who.n, (const char *)m.who.p);
	snprintf(why, sizeof why, "%.*s", (int)m.why.n, (const char *)m.why.p);
	snprintf(by, sizeof by, p->user >= 0 ? "%s (uid %lld)" : "%s", who, (long long)p->user);
	if (m.why.n > 0)
		EMIT(&p->sw->host, BACKUP_FAILED, "target", target, "who", by, "why", why);
	else
		EMIT(&p->sw->host, BACKUP_DONE, "target", target, "who", by, "messages", number(messages, m.messages), "octets",
		     number(octets, m.octets), "ms", number(took, m.took_ms));
	answer(p, m.id);
	return true;
}
