/* stops.c - links that an operator has stopped, as the switch says: a peer that calls is answered busy. */
#include "proc/link/link_int.h"

#include "base/mem.h"

static struct stop **find(struct link *l, struct view name)
{
	struct stop **at = &l->stops;
	while (*at != NULL && !view_eq(view_str((*at)->name), name))
		at = &(*at)->next;
	return at;
}

bool link_is_stopped(struct link *l, const char *name)
{
	return *find(l, view_str(name)) != NULL;
}

static void drop(struct stop **at)
{
	struct stop *x = *at;
	*at = x->next;
	free(x);
}

void link_stops_forget(struct link *l)
{
	while (l->stops != NULL)
		drop(&l->stops);
}

bool link_stop_told(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_link_act_on m;
	if (!get_msg_link_act_on(payload, &m, e))
		return false;
	struct stop **at = find(l, m.link);
	if (m.act == LINK_ACT_STOP && *at == NULL && m.link.n < sizeof (*at)->name) {
		*at = mem_zero(sizeof **at);
		memcpy((*at)->name, m.link.p, m.link.n);
	} else if (m.act == LINK_ACT_START && *at != NULL) {
		drop(at);
	}
	return true;
}
