/* doors.c - see doors.h. */
#include "proc/supervisor/doors.h"

#include <fcntl.h>
#include <unistd.h>

static struct door door_of(const struct plan_listener *l, uint64_t number)
{
	struct door x = { .l = *l, .fd = -1, .number = number };
	memcpy(x.asked, l->addr, sizeof x.asked);
	return x;
}

int doors_open(struct doors *d, const struct plan *plan, const struct start_user *user)
{
	for (size_t i = 0; i < plan->n_listeners; i++) {
		struct door *x = &d->v[d->n];
		*x = door_of(&plan->listeners[i], ++d->last);
		const int status = start_listener(&x->l, user, &x->fd);
		if (status != 0)
			return status;
		d->n++;
	}
	return 0;
}

static void close_door(struct door *x)
{
	close(x->fd);
	x->fd = -1;
	if (strncmp(x->l.addr, "unix:", 5) == 0)
		(void)unlink(x->l.addr + 5); /* if not, the next start replaces it */
}

void doors_close(struct doors *d)
{
	for (size_t i = 0; i < d->n; i++)
		close_door(&d->v[i]);
	d->n = 0;
}

/* --- a reload --- */

static bool has_fd(const struct doors *d, int fd)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].fd == fd)
			return true;
	return false;
}

static bool is_same(const struct door *x, const struct plan_listener *l)
{
	return strcmp(x->asked, l->addr) == 0 && strcmp(x->l.name, l->name) == 0 && x->l.owner == l->owner;
}

/* One of the same address that is not in use in next: with the same name and kind if there is one. NULL: none. */
static const struct door *find(const struct doors *d, const struct doors *next, const struct plan_listener *l, bool same)
{
	for (size_t i = 0; i < d->n; i++)
		if (!has_fd(next, d->v[i].fd) && (same ? is_same(&d->v[i], l) : strcmp(d->v[i].asked, l->addr) == 0))
			return &d->v[i];
	return NULL;
}

/* Those that need no binding; the others have no descriptor yet. */
static void keep_same(const struct doors *d, const struct plan *plan, struct doors *next)
{
	*next = (struct doors){ .last = d->last };
	for (size_t i = 0; i < plan->n_listeners; i++) {
		const struct plan_listener *l = &plan->listeners[i];
		const struct door *same = find(d, next, l, true), *other = same != NULL ? NULL : find(d, next, l, false);
		struct door *x = &next->v[next->n++];
		*x = same != NULL ? *same : door_of(l, ++next->last);
		if (other == NULL)
			continue;
		x->fd = other->fd; /* it is for somebody else now; connections that wait in it are his */
		memcpy(x->l.addr, other->l.addr, sizeof x->l.addr);
	}
}

bool doors_plan(const struct doors *d, const struct plan *plan, const struct start_user *user, struct doors *next, struct err *e)
{
	int going[DOORS_MAX];
	size_t n = 0;
	keep_same(d, plan, next);
	for (size_t i = 0; i < d->n; i++)
		if (!has_fd(next, d->v[i].fd))
			going[n++] = d->v[i].fd;
	for (size_t i = 0; i < next->n; i++)
		if (next->v[i].fd < 0 && !start_listener_later(&next->v[i].l, user, going, n, &next->v[i].fd, e)) {
			doors_drop(d, next);
			return false;
		}
	return true;
}

void doors_drop(const struct doors *d, struct doors *next)
{
	for (size_t i = 0; i < next->n; i++)
		if (next->v[i].fd >= 0 && !has_fd(d, next->v[i].fd))
			close_door(&next->v[i]);
	next->n = 0;
}

void doors_take(struct doors *d, struct doors *next)
{
	for (size_t i = 0; i < d->n; i++)
		if (!has_fd(next, d->v[i].fd))
			close_door(&d->v[i]);
	*d = *next;
	next->n = 0;
}

/* --- to the processes --- */

static bool give(const struct door *x, struct child *c)
{
	struct wire_msg m = { .type = WIRE_LISTENER, .number = x->number };
	snprintf(m.name, sizeof m.name, "%s", x->l.name);
	int fd = fcntl(x->fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0)
		child_say(c, &m, &fd, 1);
	return fd >= 0;
}

static bool has_number(const struct doors *d, uint64_t number)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].number == number)
			return true;
	return false;
}

bool doors_give(const struct doors *d, struct child *c)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].l.owner == c->kind && !give(&d->v[i], c))
			return false;
	return true;
}

void doors_shut(const struct doors *old, const struct doors *next, struct child *c)
{
	for (size_t i = 0; i < old->n; i++)
		if (old->v[i].l.owner == c->kind && !has_number(next, old->v[i].number)) {
			const struct wire_msg m = { .type = WIRE_SHUT, .number = old->v[i].number };
			child_say(c, &m, NULL, 0);
		}
}

bool doors_bring(const struct doors *old, const struct doors *next, struct child *c)
{
	for (size_t i = 0; i < next->n; i++)
		if (next->v[i].l.owner == c->kind && !has_number(old, next->v[i].number) && !give(&next->v[i], c))
			return false;
	return true;
}
