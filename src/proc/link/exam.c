/* exam.c - octets of a peer that the switch has taken as they were, decoded here where nothing else is at stake: the same
 * path as an association's, and the message is offered in the name of the link it came by. */
#include "proc/link/link_int.h"

#include "base/mem.h"

struct examination {
	unsigned magic;
#define EXAMINATION_MAGIC 0xe8a31e57u
	uint64_t id;          /* 0: none under way */
	uint64_t left, asked; /* octets not yet asked of the switch; asked for and not yet here */
	bool stalled;
	char name[MSG_FIELDS_MAX / 8], peer[MSG_FIELDS_MAX / 8];
	struct inbound in;
};

static struct examination *examination_of(struct inbound *in)
{
	struct examination *x = CONTAINER(in, struct examination, in);
	CHECK(x, EXAMINATION_MAGIC);
	return x;
}

/* A part is asked for when the last one is dealt with: this process has nothing else to do. */
static void advance(struct examination *x)
{
	struct link *l = x->in.link;
	if (x->id == 0 || x->stalled || x->asked > 0 || x->in.state == IN_OFFERED)
		return;
	if (x->left == 0 || x->in.state == IN_REFUSED) {
		inbound_end(&x->in);
		return;
	}
	x->asked = x->left < MSG_PIECE_MAX ? x->left : MSG_PIECE_MAX;
	x->left -= x->asked;
	const struct msg_count m = { x->id, x->asked };
	put_msg_count(chan_begin(l->control, MSG_TRANSFER_PULL), &m);
	chan_end(l->control);
}

static void stall(struct inbound *in, bool stalled)
{
	struct examination *x = examination_of(in);
	x->stalled = stalled;
	if (!stalled)
		advance(x);
}

static void answered(struct inbound *in, const struct err *refused)
{
	struct examination *x = examination_of(in);
	struct link *l = in->link;
	struct msg_examined m = { .examine = x->id, .offered = refused == NULL, .err = { .reason = -1, .diagnostic = -1 } };
	if (refused != NULL)
		m.err = *refused;
	if (l->control != NULL) {
		put_msg_examined(chan_begin(l->control, MSG_EXAMINED), &m);
		chan_end(l->control);
	}
	x->id = 0;
}

static const struct inbound_sender the_switch = { .stall = stall, .answered = answered };

struct examination *exam_new(struct link *l)
{
	struct examination *x = mem_zero(sizeof *x);
	x->magic = EXAMINATION_MAGIC;
	inbound_init(&x->in, l, &the_switch);
	return x;
}

void exam_free(struct examination **x)
{
	CHECK(*x, EXAMINATION_MAGIC);
	inbound_fini(&(*x)->in);
	(*x)->magic = 0;
	MEM_FREE(*x);
}

bool exam_is(const struct examination *x, uint64_t id)
{
	return x->id != 0 && x->id == id;
}

bool exam_is_idle(const struct examination *x)
{
	return x->id == 0;
}

bool exam_is_of(const struct examination *x, const struct partner *p)
{
	return x->in.held_of == &p->held;
}

bool exam_take(struct examination *x, const struct msg_examine *m, struct err *e)
{
	if (x->id != 0 || m->examine == 0 || m->content.n > m->size || m->link.n >= sizeof x->name)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "EXAMINE %llu while another one is under way, or with lengths that do not fit",
			       (unsigned long long)m->examine);
	x->id = m->examine;
	x->left = m->size - m->content.n;
	x->asked = 0;
	x->stalled = false;
	snprintf(x->name, sizeof x->name, "%.*s", (int)m->link.n, (const char *)m->link.p);
	snprintf(x->peer, sizeof x->peer, "%.*s", (int)m->peer.n, (const char *)m->peer.p);
	const struct set_link *peer = link_find(x->in.link, m->link); /* the mode it came in is not kept */
	const bool old = peer != NULL && peer->conformance == CONFORMANCE_1984;
	inbound_begin(&x->in, x->name, x->peer, old ? P1_1984 : P1_1988);
	x->in.examined = m->examine;
	x->in.hash = m->hash;
	inbound_octets(&x->in, m->content);
	advance(x);
	return true;
}

/* An empty piece: the octets cannot be read from the store. */
bool exam_content(struct examination *x, const struct msg_piece *piece, struct err *e)
{
	struct err why;
	if (piece->octets.n > x->asked)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "TRANSFER_DATA %llu: %zu octets, %llu were asked for",
			       (unsigned long long)piece->id, piece->octets.n, (unsigned long long)x->asked);
	if (piece->octets.n == 0) {
		err_set(&why, ERR_TEMP, ERR_OF_PROCESS, "the octets cannot be read from the store");
		inbound_cancel(&x->in);
		answered(&x->in, &why);
		return true;
	}
	x->asked -= piece->octets.n;
	inbound_octets(&x->in, piece->octets);
	advance(x);
	return true;
}

void exam_stop(struct examination *x)
{
	inbound_cancel(&x->in);
	x->id = 0;
}
