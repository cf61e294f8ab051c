/* put.c - see postoffice.h: files of a new message. All are on disk before anything names them. */
#include "flow/wire/postoffice/po_int.h"

#include "base/mem.h"

#include <unistd.h>

enum { SYNC_EVERY = 4 << 20 }; /* no call lasts longer than so much takes: a watchdog would end it each time at the same place */

struct po_put {
	unsigned magic;
#define PO_PUT_MAGIC 0x9a7e11e5u
	struct postoffice *po;
	struct mm_id id;
	int mai_fd;
	bool has_mai, has_p1, failed;
	struct mm_id *attachments;
	size_t n, cap;
	int fd;               /* of the attachment being written */
	uint64_t size, at;    /* of it */
	uint8_t state;        /* of its scrambling */
};

struct making { struct postoffice *po; bool is_mai; int fd; };

static bool make_file(void *ctx, const struct mm_id *id, bool *taken_r, struct err *e)
{
	struct making *m = ctx;
	const struct po_rel rel = m->is_mai ? po_rel_mai(id) : po_rel_att(id);
	/* A P1 that was left over would be taken for this message's. */
	if (m->is_mai && !po_is_taken(m->po, po_rel_p1(id).s, taken_r, e))
		return false;
	if (*taken_r)
		return true;
	if (!po_open(m->po, rel.s, O_RDWR | O_CREAT | O_EXCL, &m->fd, e))
		return false;
	*taken_r = m->fd < 0;
	return true;
}

/* A new file in MAI or ATT, opened. */
static bool new_file(struct postoffice *po, bool is_mai, struct mm_id *id_r, int *fd_r, struct err *e)
{
	struct making m = { .po = po, .is_mai = is_mai, .fd = -1 };
	if (!po_new_id(po, PO_NLETTER, make_file, &m, id_r, e)) {
		po_close(po, &m.fd); /* an orphan of no octets: the sweep's */
		return false;
	}
	*fd_r = m.fd;
	return true;
}

bool postoffice_put_begin(struct postoffice *po, struct po_put **put_r, struct err *e)
{
	struct po_put p = { .magic = PO_PUT_MAGIC, .po = po_check(po), .fd = -1, .mai_fd = -1 };
	if (!po_may_write(po, "MAI", e) || !po_may_share(po, e) || !new_file(po, true, &p.id, &p.mai_fd, e))
		return false;
	const struct po_rel rel = po_rel_mai(&p.id);
	if (!po_hold(po, p.mai_fd, rel.s, PO_EXCLUSIVE, e)) { /* so that no sweep takes it for a piece left over, however long it takes */
		po_close(po, &p.mai_fd);
		return false;
	}
	*put_r = mem_dup(&p, sizeof p);
	return true;
}

struct mm_id po_put_id(const struct po_put *p)
{
	CHECK(p, PO_PUT_MAGIC);
	return p->id;
}

/* Remembers a failure: what follows it would leave a hole. */
static bool went(struct po_put *p, bool ok)
{
	p->failed = p->failed || !ok;
	return ok;
}

static bool end_attachment(struct po_put *p, struct err *e)
{
	if (p->fd < 0)
		return true;
	const struct po_rel rel = po_rel_att(&p->attachments[p->n - 1]);
	bool ok = p->at == p->size || err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%s: %llu octets were given, %llu were announced", rel.s,
					      (unsigned long long)p->at, (unsigned long long)p->size);
	ok = ok && po_sync(p->po, p->fd, rel.s, e);
	po_close(p->po, &p->fd);
	char dir[] = { 'A', 'T', 'T', '/', 'A', 'T', p->attachments[p->n - 1].s[MM_ID_LENGTH - 1], 0 };
	return ok && po_sync_dir(p->po, dir, e);
}

bool po_put_attachment(struct po_put *p, uint64_t size, struct mm_id *id_r, struct err *e)
{
	CHECK(p, PO_PUT_MAGIC);
	assert(!p->has_mai && !p->failed);
	struct mm_id id;
	if (!went(p, mm_scramble_covers(p->po->scramble, size, e) && end_attachment(p, e) && new_file(p->po, false, &id, &p->fd, e)))
		return false;
	if (p->n == p->cap) {
		p->cap = p->cap == 0 ? 8 : p->cap * 2;
		p->attachments = mem_grow(p->attachments, mem_mul(p->cap, sizeof *p->attachments));
	}
	p->attachments[p->n++] = id;
	p->size = size;
	p->at = 0;
	p->state = 0;
	*id_r = id;
	return true;
}

bool po_put_octets(struct po_put *p, struct view octets, struct err *e)
{
	CHECK(p, PO_PUT_MAGIC);
	assert(p->fd >= 0 && !p->failed);
	const struct po_rel rel = po_rel_att(&p->attachments[p->n - 1]);
	uint8_t buf[4096];
	if (octets.n > p->size - p->at)
		return went(p, err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%s: more octets are given than the %llu announced", rel.s, (unsigned long long)p->size));
	while (octets.n > 0) {
		const struct view piece = view_first(octets, sizeof buf);
		memcpy(buf, piece.p, piece.n);
		p->po->scramble->apply(buf, piece.n, p->at, &p->state, true);
		if (!went(p, po_write_at(p->po, p->fd, rel.s, buf, piece.n, p->at, e)))
			return false;
		if (p->at / SYNC_EVERY != (p->at + piece.n) / SYNC_EVERY && !went(p, po_sync(p->po, p->fd, rel.s, e)))
			return false;
		p->at += piece.n;
		octets = view_from(octets, piece.n);
	}
	return true;
}

static bool write_mai(struct po_put *p, uint8_t *file, size_t n, unsigned bags, struct err *e)
{
	const struct po_rel rel = po_rel_mai(&p->id);
	uint16_t was;
	size_t at;
	if (!mai_rename_attachments(file, n, p->po->scramble, p->attachments, p->n, e) || !mai_bags(view_of(file, n), &was, &at, e))
		return false;
	file[at] = (uint8_t)bags;
	file[at + 1] = (uint8_t)(bags >> 8);
	const char dir[] = { 'M', 'A', 'I', '/', 'M', 'A', p->id.s[MM_ID_LENGTH - 1], 0 };
	const bool ok = po_write_at(p->po, p->mai_fd, rel.s, file, n, 0, e) && po_sync(p->po, p->mai_fd, rel.s, e);
	po_close(p->po, &p->mai_fd);
	return ok && po_sync_dir(p->po, dir, e);
}

bool po_put_mai(struct po_put *p, struct view mai, unsigned bags, struct err *e)
{
	CHECK(p, PO_PUT_MAGIC);
	assert(!p->has_mai && !p->failed && bags <= UINT16_MAX);
	uint8_t *copy = mem_dup(mai.p, mai.n);
	p->has_mai = went(p, end_attachment(p, e) && write_mai(p, copy, mai.n, bags, e));
	mem_free_(copy);
	return p->has_mai;
}

bool po_put_envelope(struct po_put *p, const struct mm_envelope *v, struct err *e)
{
	CHECK(p, PO_PUT_MAGIC);
	assert(p->has_mai && !p->failed);
	struct mm_envelope copy = *v;
	copy.mai = p->id;
	p->has_p1 = true; /* also when it is there only in part */
	return went(p, postoffice_write_envelope(p->po, &copy, e));
}

void po_put_end(struct po_put **put, bool keep)
{
	struct po_put *p = *put;
	if (p == NULL)
		return;
	CHECK(p, PO_PUT_MAGIC);
	assert(!keep || (p->has_mai && !p->failed));
	po_close(p->po, &p->fd);
	po_close(p->po, &p->mai_fd);
	bool gone = true; /* what cannot be removed now is an orphan, for the sweep */
	if (!keep && p->has_p1)
		gone = po_remove(p->po, po_rel_p1(&p->id).s, NULL);
	if (!keep)
		gone = po_remove(p->po, po_rel_mai(&p->id).s, NULL) && gone;
	for (size_t i = 0; !keep && i < p->n; i++)
		gone = po_remove(p->po, po_rel_att(&p->attachments[i]).s, NULL) && gone;
	(void)gone;
	MEM_FREE(p->attachments);
	p->magic = 0;
	MEM_FREE(*put);
}
