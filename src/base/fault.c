/* fault.c - see fault.h. Process-wide on purpose: a fault is a property of the world, not of an object. */
#include "base/fault.h"

#include "base/mem.h"
#include "base/text.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum action { ACT_FAIL, ACT_STICK, ACT_KILL, ACT_ABORT, ACT_HANG, ACT_EAT, ACT_COUNT };
enum { PLANS_MAX = 8, ANY_POINT = FAULT_COUNT, EAT_FIRST = 64 * 1024, EAT_STEP_MAX = 16 * 1024 * 1024 };

struct plan {
	unsigned point;
	uint64_t at;
	char text[FAULT_TEXT_MAX]; /* text_n > 0: fires on octets that contain it, whatever `at` is */
	size_t text_n;
	enum action action;
};

bool fault_armed;
static struct plan plans[PLANS_MAX];
static size_t n_plans;
static uint64_t passes[FAULT_COUNT], passes_all;
static void (*the_killer)(void);
static void (*the_witness)(enum fault_point point, uint64_t pass);

static const struct {
	const char *name, *where;
} rows[FAULT_COUNT] = {
#define X(name, where) { #name, where },
#include "base/fault_table.h"
#undef X
};

static const char *const action_names[ACT_COUNT] = { "fail", "stick", "kill", "abort", "hang", "eat" };

static bool find_point(struct view name, unsigned *point_r)
{
	if (view_eq(name, VIEW("*"))) {
		*point_r = ANY_POINT;
		return true;
	}
	for (unsigned i = 0; i < FAULT_COUNT; i++)
		if (view_eq_nocase(name, view_str(rows[i].name))) {
			*point_r = i;
			return true;
		}
	return false;
}

static bool find_action(struct view name, enum action *action_r)
{
	for (unsigned i = 0; i < ACT_COUNT; i++)
		if (view_eq(name, view_str(action_names[i]))) {
			*action_r = (enum action)i;
			return true;
		}
	return false;
}

static struct view take_until(struct view *v, uint8_t stop)
{
	size_t i = 0;
	while (i < v->n && v->p[i] != stop)
		i++;
	struct view head = view_first(*v, i);
	*v = view_from(*v, i + 1);
	return head;
}

/* `N` or `@TEXT`. The text is copied: a plan outlives the words it was made from. */
static bool take_when(struct view at, struct plan *plan)
{
	if (at.n == 0 || at.p[0] != '@')
		return text_uint(at, UINT64_MAX, &plan->at);
	const struct view text = view_from(at, 1);
	if (text.n == 0 || text.n > sizeof plan->text)
		return false;
	memcpy(plan->text, text.p, text.n);
	plan->text_n = text.n;
	return true;
}

static bool add_plan(struct view text, struct err *e)
{
	struct plan plan = { 0 };
	struct view all = text;
	struct view point = take_until(&text, ':'), at = take_until(&text, ':');
	if (n_plans == PLANS_MAX || !find_point(point, &plan.point) ||
	    !take_when(at, &plan) || !find_action(text, &plan.action))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "fault plan \"%.*s\": want NAME:N:ACTION or "
			"NAME:@TEXT:ACTION, ACTION fail, stick, kill, abort, hang or eat, at most %d plans",
			(int)all.n, (const char *)all.p, PLANS_MAX);
	plans[n_plans++] = plan;
	return true;
}

bool fault_plan(const char *text, struct err *e)
{
	n_plans = 0;
	passes_all = 0;
	memset(passes, 0, sizeof passes);
	fault_armed = text != NULL && *text != 0;
	struct view rest = view_str(text);
	while (rest.n > 0)
		if (!add_plan(take_until(&rest, ','), e))
			return fault_armed = false;
	return true;
}

static NORETURN void hang(void)
{
	for (;;)
		(void)poll(NULL, 0, -1); /* a wait that every jail allows; a signal only interrupts it */
}

/* What is eaten stays reachable, so that neither a compiler nor a leak checker takes it away. */
struct eaten {
	struct eaten *next;
};
static struct eaten *the_eaten;

static NORETURN void eat(void)
{
	size_t piece = EAT_FIRST;
	for (size_t total = 0; total < FAULT_EAT_MAX; total += piece) {
		if (piece < EAT_STEP_MAX && total > 0)
			piece *= 2;
		struct eaten *x = mem_alloc(piece);
		memset(x, 0xea, piece);
		x->next = the_eaten;
		the_eaten = x;
	}
	check_failed(__FILE__, __LINE__, "fault point: memory was eaten, and no limit has stopped it");
}

static bool act(enum action action)
{
	switch (action) {
	case ACT_FAIL:
	case ACT_STICK:
		return true;
	case ACT_KILL:
		if (the_killer != NULL)
			the_killer();
		else
			raise(SIGKILL);
		return true;
	case ACT_ABORT:
		abort();
	case ACT_HANG:
		hang();
	case ACT_EAT:
		eat();
	case ACT_COUNT:
		break;
	}
	CANT_HAPPEN("fault action out of range");
}

static bool applies(const struct plan *p, enum fault_point point, struct view octets)
{
	if (p->point != ANY_POINT && p->point != (unsigned)point)
		return false;
	if (p->text_n > 0)
		return octets.n > 0 && memmem(octets.p, octets.n, p->text, p->text_n) != NULL;
	const uint64_t seen = p->point == ANY_POINT ? passes_all : passes[point];
	return seen == p->at || (p->action == ACT_STICK && seen > p->at);
}

bool fault_fires_on(enum fault_point point, struct view octets)
{
	passes[point]++;
	passes_all++;
	for (size_t i = 0; i < n_plans; i++) {
		const struct plan *p = &plans[i];
		if (!applies(p, point, octets))
			continue;
		const uint64_t seen = p->point == ANY_POINT ? passes_all : passes[point];
		if (the_witness != NULL && (p->text_n > 0 || seen == p->at))
			the_witness(point, passes[point]);
		return act(p->action);
	}
	return false;
}

bool fault_fires(enum fault_point point)
{
	return fault_fires_on(point, (struct view){ NULL, 0 });
}

void fault_set_killer(void (*killer)(void))
{
	the_killer = killer;
}

void fault_set_witness(void (*witness)(enum fault_point point, uint64_t pass))
{
	the_witness = witness;
}

void (*fault_watcher)(const char *row);

void fault_tell_row(const char *layer, const char *state, const char *event)
{
	char row[100];
	snprintf(row, sizeof row, "%s %s %s", layer, state, event);
	fault_watcher(row);
}

uint64_t fault_passes(enum fault_point point)
{
	return passes[point];
}

uint64_t fault_passes_all(void)
{
	return passes_all;
}

const char *fault_name(enum fault_point point)
{
	return rows[point].name;
}

const char *fault_where(enum fault_point point)
{
	return rows[point].where;
}
