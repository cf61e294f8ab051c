/* table.c - a file of records, held while it is changed; and what a new mailbag is. */
#include "flow/wire/postoffice/po_make.h"

enum { TABLE_MAX = 16 * 1024 * 1024, PATIENCE = 10 /* times a second: several administrators at once on a slow server */ };

static bool hold(struct po_table *t, struct err *e)
{
	struct err why = { 0 };
	for (unsigned i = 0; i < PATIENCE; i++)
		if (po_hold(t->po, t->fd, t->rel.s, PO_EXCLUSIVE, &why))
			return true;
		else if (why.kind != ERR_TEMP)
			break;
	if (e != NULL)
		*e = why;
	return false;
}

static bool read_all(struct po_table *t, struct err *e)
{
	struct po_stamp s;
	size_t got;
	if (!po_fstat(t->po, t->fd, t->rel.s, &s, NULL, e))
		return false;
	if (!mm_file_size_fits(t->rule, s.size) || s.size > TABLE_MAX)
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "postoffice: %s has %llu octets, want %u and a multiple of %u: `posthorn postoffice check` says more",
			       t->rel.s, (unsigned long long)s.size, t->rule->head, t->rule->unit);
	uint8_t *p = out_reserve(&t->octets, s.size);
	if (s.size > 0 && !po_read_at(t->po, t->fd, t->rel.s, p, s.size, 0, &got, e))
		return false;
	return s.size == 0 || got == s.size || err_set(e, ERR_TEMP, ERR_OF_LINK, "postoffice: %s became shorter while it was read", t->rel.s);
}

bool po_table_open(struct postoffice *po, const char *dir, const char *name, struct po_table *t_r, struct err *e)
{
	*t_r = (struct po_table){ .po = po, .rule = mm_file_rule_of(dir, name), .rel = po_rel_of(dir, name, ""), .fd = -1 };
	assert(t_r->rule != NULL && t_r->rule->unit > 0);
	out_init(&t_r->octets, TABLE_MAX);
	if (!po_may_write(po, t_r->rel.s, e) || !po_open(po, t_r->rel.s, O_RDWR, &t_r->fd, e))
		goto bad;
	if (t_r->fd < 0) {
		err_set(e, ERR_LOCAL, ERR_OF_LINK, "postoffice: %s is missing: `posthorn postoffice check` says more", t_r->rel.s);
		goto bad;
	}
	if (hold(t_r, e) && read_all(t_r, e))
		return true;
bad:
	po_table_close(t_r);
	return false;
}

void po_table_close(struct po_table *t)
{
	if (t->po != NULL && t->fd >= 0)
		po_close(t->po, &t->fd);
	if (t->po != NULL)
		out_fini(&t->octets);
	t->po = NULL;
}

size_t po_table_n(const struct po_table *t)
{
	return (out_len(&t->octets) - t->rule->head) / t->rule->unit;
}

struct view po_table_record(const struct po_table *t, size_t i)
{
	assert(i < po_table_n(t));
	return view_first(view_from(out_view(&t->octets), t->rule->head + i * t->rule->unit), t->rule->unit);
}

bool po_table_put(struct po_table *t, size_t i, const void *record, struct err *e)
{
	const uint32_t unit = t->rule->unit;
	const size_t n = po_table_n(t), at = t->rule->head + i * unit;
	assert(i <= n);
	if (i == n && !mm_file_size_fits(t->rule, at + unit))
		return err_set(e, ERR_PERM, ERR_OF_LINK, "postoffice: %s has %zu records, want fewer: no more fit", t->rel.s, n);
	if (!po_write_at(t->po, t->fd, t->rel.s, record, unit, at, e) || !po_sync(t->po, t->fd, t->rel.s, e))
		return false;
	if (i == n)
		out_bytes(&t->octets, view_of(record, unit));
	else
		memcpy(t->octets.p + t->octets.head + at, record, unit);
	return true;
}

/* --- a new mailbag --- */
static bool create_mbg(void *ctx, const struct mm_id *id, bool *taken_r, struct err *e)
{
	struct postoffice *po = ctx;
	const struct po_rel rel = po_rel_of("MBG", id->s, ".MBG");
	int fd;
	if (!po_open(po, rel.s, O_RDWR | O_CREAT | O_EXCL, &fd, e))
		return false;
	*taken_r = fd < 0;
	if (fd < 0)
		return true;
	const bool ok = po_sync(po, fd, rel.s, e);
	po_close(po, &fd);
	return ok;
}

bool po_new_bag(struct postoffice *po, struct mm_id *id_r, struct err *e)
{
	static const struct mm_key empty;
	struct mm_id id;
	if (!po_new_id(po, PO_NMAILBAG, create_mbg, po, &id, e))
		return false;
	/* A KEY of that id without its MBG is what an aborted creation left: it goes. */
	if (!po_replace(po, po_rel_of("KEY", id.s, ".KEY").s, view_of(empty.octets, sizeof empty.octets), e))
		return false;
	*id_r = id;
	return true;
}
