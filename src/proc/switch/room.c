/* room.c - exhaustion is back-pressure (DESIGN 6): disk nearly full, disk full, memory spent on what is under way, a disk that takes
 * seconds for a commit. Then nothing new is taken in, and the links answer their peers busy; what is here is delivered and
 * reported all the same, and what was begun may end. It is over by itself, with room to spare, so that it does not flutter. */
#include "proc/switch/switch_int.h"

enum {
	ROOM_MS = 1000,                     /* how often the disk is asked */
	SLOW_US = 3 * 1000 * 1000,          /* a commit that takes so long, in the running mean */
};

/* A limit with hysteresis: reached at `limit`, left below three quarters of it. */
static bool is_over(uint64_t used, uint64_t limit, bool was_over)
{
	return used > (was_over ? limit / 4 * 3 : limit);
}

static bool is_low(struct sw *s, struct err *e)
{
	uint64_t room, wanted = s->settings->store.min_free;
	if (wanted == 0 || !env_disk_free(s->host.env, &room))
		return false;
	if (s->low)
		wanted += wanted / 4;
	s->low = room < wanted;
	return s->low && !err_set(e, ERR_TEMP, ERR_OF_PROCESS, "%llu octets of disk are free, %llu are wanted (store.min-free)",
				  (unsigned long long)room, (unsigned long long)wanted);
}

static bool is_spent(struct sw *s, struct err *e)
{
	if (s->under_way > s->settings->limits.memory)
		convert_make_room(s);
	s->spent = is_over(s->under_way, s->settings->limits.memory, s->spent);
	return s->spent && !err_set(e, ERR_TEMP, ERR_OF_PROCESS, "%llu octets of messages are under way, %llu are allowed (limits.memory)",
				    (unsigned long long)s->under_way, (unsigned long long)s->settings->limits.memory);
}

static bool is_slow(struct sw *s, struct err *e)
{
	s->slow = is_over((uint64_t)s->commit_us, SLOW_US, s->slow);
	return s->slow && !err_set(e, ERR_TEMP, ERR_OF_PROCESS, "the disk takes %lld ms for a commit", (long long)s->commit_us / 1000);
}

/* All are asked: each keeps its own state. */
static bool is_busy(struct sw *s, struct err *e)
{
	bool slow = is_slow(s, e), spent = is_spent(s, e), low = is_low(s, e);
	if (s->full)
		err_set(e, ERR_TEMP, ERR_OF_PROCESS, "the disk is full");
	return slow || spent || low || s->full;
}

void room_tell(struct proc *p)
{
	struct sw *s = p->sw;
	struct out *o = proc_begin(p, MSG_BUSY);
	if (o == NULL)
		return;
	struct msg_busy m = { .busy = s->busy, .err = { .reason = -1, .diagnostic = -1 } };
	if (s->busy)
		m.err = s->busy_why;
	put_msg_busy(o, &m);
	proc_end(p);
}

void room_check(struct sw *s)
{
	struct err e = { .reason = -1, .diagnostic = -1 };
	bool was_low = s->low, busy = is_busy(s, &e);
	if (s->low && !was_low)
		EMIT(&s->host, STORE_LOW, "why", e.text);
	partial_room(s);
	if (busy)
		s->busy_why = e;
	if (busy == s->busy)
		return;
	s->busy = busy;
	if (busy)
		EMIT(&s->host, BUSY_BEGUN, "why", e.text);
	else
		EMIT(&s->host, BUSY_ENDED, "what", s->busy_why.text);
	for (struct proc *p = s->procs; p != NULL; p = p->next)
		if (p->kind == PROCESS_LINK || connector_is(p))
			room_tell(p);
}

/* Also the turn in which a group that found the disk full is tried again, and in which a slow disk that has nothing to do is
 * forgiven half of it. */
static void on_room(void *ctx)
{
	struct sw *s = ctx;
	timer_after(&s->room, ROOM_MS);
	if (s->slow && !store_has_group(s->store))
		s->commit_us /= 2;
	room_check(s);
}

void room_init(struct sw *s)
{
	timer_init(&s->room, s->host.env, on_room, s);
	on_room(s);
}
