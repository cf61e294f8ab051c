/* receive.c - an association's transfers in: what became of a message, in the words of the protocol. */
#include "proc/link/link_int.h"

static struct assoc *assoc_of(struct inbound *in)
{
	struct assoc *a = CONTAINER(in, struct assoc, in);
	CHECK(a, ASSOC_MAGIC);
	return a;
}

static void stall(struct inbound *in, bool stalled)
{
	struct assoc *a = assoc_of(in);
	if (stalled)
		assoc_stall(a, STALL_OFFER);
	else
		assoc_unstall(a, STALL_OFFER);
}

/* A refused transfer counts against its message at the peer, which reports it after a few. When nothing can be taken at all the
 * association ends instead, as by a temporary problem: then the peer waits as for a link that cannot be opened. */
static bool is_for_all(const struct err *refused)
{
	return refused != NULL && refused->kind == ERR_TEMP && refused->culprit == ERR_OF_PROCESS;
}

static void answered(struct inbound *in, const struct err *refused)
{
	struct assoc *a = assoc_of(in);
	struct err e;
	if (refused != NULL)
		EMIT(&a->link->host, MESSAGE_REFUSED, "link", a->peer->name, "why", refused->text);
	/* Durable as a message: what is kept of its octets may go, and goes with the confirmation. Refused: the peer says whether
	 * it will be resumed. */
	if (refused == NULL)
		keep_end(a, false);
	if (refused == NULL && FAULT(LINK_BEFORE_CONFIRM)) {
		err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "the confirmation is not sent (fault point)");
		assoc_abort(a, &e);
	} else if (is_for_all(refused)) {
		assoc_abort(a, refused);
	} else if (!(refused == NULL ? x400_transfer_accept(a->x, &e) : x400_transfer_refuse(a->x, &e))) {
		assoc_abort(a, &e);
	}
	if (!a->dead && (a->releasing || a->link->stopping))
		assoc_release_when_idle(a);
	else
		assoc_pump(a);
}

static const struct inbound_sender association = { .stall = stall, .answered = answered };

void receive_init(struct assoc *a)
{
	inbound_init(&a->in, a->link, &association);
}

void receive_again(struct assoc *a)
{
	const enum p1_tables tables = x400_mode(a->x) == X400_X410_84 ? P1_1984 : P1_1988;
	inbound_begin(&a->in, a->peer->name, stream_peer(a->stream), tables);
}

void receive_begin(struct assoc *a, uint64_t activity)
{
	struct err e;
	keep_begin(a, activity);
	receive_again(a);
	if (link_is_busy(a->link, &e))
		inbound_refuse(&a->in, &e);
}
