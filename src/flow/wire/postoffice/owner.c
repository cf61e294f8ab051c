/* owner.c - whose an attachment is. Exactly one MAI names an ATT (Q87379), so one that names another message's, in error or in malice, does not get it, and does not
 * take it along when it goes. The format has no owner in an ATT: what tells is the size that the MAI has recorded, and another message that names it.
 *
 * Not every message is looked through for that, or each would cost as much as the postoffice is large. Numbers come from one counter, so what names an ATT was given
 * its own at about that time: a client makes the ATT first, a mover the MAI. Those NEAR numbers are looked at, and only for an ATT older than the message. */
#include "flow/wire/postoffice/po_int.h"

#include "base/mem.h"

enum { NEAR = 16, OTHER_MAX = 64 << 20, PARSED_MAX = 256 << 20 };

/* One that cannot be read says nothing. */
static bool names_it(struct postoffice *po, const struct mm_id *mai, const struct mm_id *att, bool *names_r, struct err *e)
{
	const struct mai_limits l = mai_limits_default();
	struct err why;
	struct mai m;
	struct out o;
	bool there = false;
	out_init(&o, OTHER_MAX);
	const bool ok = po_is_taken(po, po_rel_mai(mai).s, &there, &why) && (!there || po_read_file(po, po_rel_mai(mai).s, OTHER_MAX, &o, &there, &why));
	struct arena *a = ok && there ? arena_new(PARSED_MAX) : NULL;
	if (a != NULL && mai_parse(out_view(&o), po->scramble, &m, a, &l, NULL))
		for (size_t i = 0; i < m.n_attachments; i++)
			*names_r |= mm_same(m.attachments[i].file.s, att->s);
	if (a != NULL)
		arena_free(&a);
	out_fini(&o);
	if (ok || why.culprit != ERR_OF_LINK || po_alive(po, NULL))
		return true;
	if (e != NULL)
		*e = why;
	return false;
}

bool po_is_others(struct postoffice *po, const struct mm_id *mai, const struct mm_id *att, bool *others_r, struct err *e)
{
	uint32_t own, at;
	*others_r = false;
	if (!mm_id_parse(view_str(mai->s), NULL, &own, e) || !mm_id_parse(view_str(att->s), NULL, &at, e))
		return false;
	if (at > own)
		return true;
	for (uint32_t step = 1; step <= NEAR && !*others_r; step++) {
		const struct mm_id before = mm_id_of(at - step), behind = mm_id_of(at + step);
		if (step <= at && !names_it(po, &before, att, others_r, e))
			return false;
		if (at + step < own && !names_it(po, &behind, att, others_r, e))
			return false;
	}
	return true;
}

bool postoffice_open_own(struct postoffice *po, const struct mm_id *mai, const struct mm_attachment *a, struct po_file **f_r, uint64_t *size_r, struct err *e)
{
	struct po_file *f = NULL;
	uint64_t size;
	bool others;
	if (!postoffice_open_attachment(po, &a->file, &f, &size, e))
		return false;
	bool good = size == a->size || err_report(e, ERR_PERM, ERR_OF_MESSAGE, 0, 48, "[018] %s: has %llu octets, its message says %llu", po_rel_att(&a->file).s,
						  (unsigned long long)size, (unsigned long long)a->size);
	good = good && po_is_others(po, mai, &a->file, &others, e) &&
	       (!others || err_report(e, ERR_PERM, ERR_OF_MESSAGE, 0, 48, "[018] %s: is another message's", po_rel_att(&a->file).s));
	if (!good) {
		po_file_close(&f);
		return false;
	}
	*f_r = f;
	*size_r = size;
	return true;
}
