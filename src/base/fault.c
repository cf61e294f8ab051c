/* fault.c - see fault.h. Process-wide on purpose: a fault is a property of the world, not of an object. */
#include "base/fault.h"

#include "base/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum action { ACT_FAIL, ACT_STICK, ACT_KILL, ACT_ABORT, ACT_COUNT };
enum { PLANS_MAX = 8, ANY_POINT = FAULT_COUNT };

struct plan {
	unsigned point;
	uint64_t at;
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

static const char *const action_names[ACT_COUNT] = { "fail", "stick", "kill", "abort" };

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

static bool add_plan(struct view text, struct err *e)
{
	struct plan plan;
	struct view all = text;
	struct view point = take_until(&text, ':'), at = take_until(&text, ':');
	if (n_plans == PLANS_MAX || !find_point(point, &plan.point) ||
	    !text_uint(at, UINT64_MAX, &plan.at) || !find_action(text, &plan.action))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "fault plan \"%.*s\": want NAME:N:ACTION, "
			"ACTION fail, stick, kill or abort, at most %d plans",
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
	case ACT_COUNT:
		break;
	}
	CANT_HAPPEN("fault action out of range");
}

bool fault_fires(enum fault_point point)
{
	passes[point]++;
	passes_all++;
	for (size_t i = 0; i < n_plans; i++) {
		const struct plan *p = &plans[i];
		uint64_t seen = p->point == ANY_POINT ? passes_all : passes[point];
		if (p->point != ANY_POINT && p->point != (unsigned)point)
			continue;
		if (seen != p->at && (p->action != ACT_STICK || seen < p->at))
			continue;
		if (the_witness != NULL && seen == p->at)
			the_witness(point, passes[point]);
		return act(p->action);
	}
	return false;
}

void fault_set_killer(void (*killer)(void))
{
	the_killer = killer;
}

void fault_set_witness(void (*witness)(enum fault_point point, uint64_t pass))
{
	the_witness = witness;
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
