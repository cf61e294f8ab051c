/* owner.c - whose an attachment is. Exactly one MAI names an ATT (Q87379), so one that names another message's, in error or in malice, does not get it, and does not
 * take it along when it goes. The format has no owner in an ATT: what tells is the size that the MAI has recorded, and another message that names it.
 *
 * Not every message is looked through for that, or each would cost as much as the postoffice is large. Numbers come from one counter, so what names an ATT was given
 * its own at about that time: a client makes the ATT first, a mover the MAI. Those NEAR numbers are looked at, and only for an ATT older than the message: once for
 * all attachments of a message, which mostly lie side by side, and of each neighbour only the list of its attachments. */
#include "flow/wire/postoffice/po_int.h"

#include "base/mem.h"

enum {
	NEAR = 16,
	WINDOW = 4096,     /* octets of a neighbour that are read at once: mostly all that is read of it */
	WINDOWS_MAX = 256, /* of one neighbour: behind a list of addresses as long as no client writes it, it says nothing */
	LOOKED_AT = 8192,  /* numbers, and two for each attachment: any that lie side by side */
};

enum whose { OWN, OTHERS, TOO_FAR };

struct po_owner {
	unsigned magic;
#define PO_OWNER_MAGIC 0x0a77033eu
	struct mm_id mai;
	bool looked;
	size_t n;         /* attachments older than the message, each once */
	uint32_t *number; /* rising */
	uint8_t *whose;   /* enum whose, of each */
};

static int by_number(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

struct po_owner *postoffice_owner_new(const struct mm_id *mai, const struct mm_attachment *list, size_t n)
{
	struct po_owner *o = mem_zero(sizeof *o);
	uint32_t own, at;
	o->magic = PO_OWNER_MAGIC;
	o->mai = *mai;
	o->number = mem_alloc(mem_mul(n + 1, sizeof *o->number));
	if (mm_id_parse(view_str(mai->s), NULL, &own, NULL))
		for (size_t i = 0; i < n; i++)
			if (mm_id_parse(view_str(list[i].file.s), NULL, &at, NULL) && at <= own)
				o->number[o->n++] = at;
	qsort(o->number, o->n, sizeof *o->number, by_number);
	size_t kept = 0;
	for (size_t i = 0; i < o->n; i++)
		if (i == 0 || o->number[i] != o->number[i - 1])
			o->number[kept++] = o->number[i];
	o->n = kept;
	o->whose = mem_zero(kept + 1);
	return o;
}

void postoffice_owner_free(struct po_owner **o)
{
	if (*o == NULL)
		return;
	CHECK(*o, PO_OWNER_MAGIC);
	(*o)->magic = 0;
	mem_free_((*o)->number);
	mem_free_((*o)->whose);
	MEM_FREE(*o);
}

static uint8_t *whose_of(const struct po_owner *o, const struct mm_id *att)
{
	uint32_t at;
	if (!mm_id_parse(view_str(att->s), NULL, &at, NULL))
		return NULL;
	const uint32_t *found = bsearch(&at, o->number, o->n, sizeof *o->number, by_number);
	return found == NULL ? NULL : &o->whose[found - o->number];
}

/* --- one neighbour --- */

struct window { int fd; const char *rel; uint64_t size, at; size_t n; unsigned reads; uint8_t octets[WINDOW]; };

/* The file's octets from `at` on: a piece for mai_files_next. Nothing where it has said enough. */
static bool slide(struct postoffice *po, struct window *w, uint64_t at, struct view *piece_r, struct err *e)
{
	const bool is_in = w->n > 0 && at >= w->at && at + MAI_FILES_PIECE <= w->at + w->n;
	const bool is_last = w->n > 0 && at >= w->at && w->at + w->n == w->size;
	if (!is_in && !is_last) {
		if (w->reads++ == WINDOWS_MAX)
			return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%s: its attachments stand too far behind", w->rel);
		if (!po_read_at(po, w->fd, w->rel, w->octets, sizeof w->octets, at, &w->n, e))
			return false;
		w->at = at;
	}
	*piece_r = view_from(view_of(w->octets, w->n), (size_t)(at - w->at));
	return true;
}

static bool read_list(struct postoffice *po, struct po_owner *o, struct window *w, struct err *e)
{
	struct mai_files f = mai_files_of(w->size);
	struct view piece;
	struct mm_id id;
	for (;;) {
		if (!slide(po, w, f.at, &piece, e))
			return false;
		const enum step step = mai_files_next(&f, piece, po->scramble, &id, e);
		if (step != STEP_DONE && step != STEP_WAIT)
			return false;
		if (step == STEP_DONE && id.s[0] == 0)
			return true;
		uint8_t *whose = step == STEP_DONE ? whose_of(o, &id) : NULL;
		if (whose != NULL)
			*whose = OTHERS;
	}
}

static bool read_neighbour(struct postoffice *po, struct po_owner *o, const char *rel, struct err *e)
{
	struct window w = { .fd = -1, .rel = rel };
	struct po_stamp s;
	bool there;
	if (!po_is_taken(po, rel, &there, e) || (there && !po_open(po, rel, O_RDONLY, &w.fd, e)))
		return false;
	if (w.fd < 0)
		return true;
	bool ok = po_fstat(po, w.fd, rel, &s, NULL, e);
	w.size = ok ? s.size : 0;
	ok = ok && read_list(po, o, &w, e);
	po_close(po, &w.fd);
	return ok;
}

/* One that cannot be read says nothing, if the server is still there. */
static bool look_at(struct postoffice *po, struct po_owner *o, uint32_t number, struct err *e)
{
	struct err why;
	const struct mm_id neighbour = mm_id_of(number);
	if (read_neighbour(po, o, po_rel_mai(&neighbour).s, &why) || why.culprit != ERR_OF_LINK || po_alive(po, NULL))
		return true;
	if (e != NULL)
		*e = why;
	return false;
}

/* --- all of them --- */

/* From the highest on, which are nearest to the message: each number once. */
static bool look_around(struct postoffice *po, struct po_owner *o, struct err *e)
{
	uint32_t own;
	if (!mm_id_parse(view_str(o->mai.s), NULL, &own, e))
		return false;
	size_t left = LOOKED_AT + 2 * o->n;
	int64_t below = own;
	memset(o->whose, OWN, o->n);
	for (size_t i = o->n; i-- > 0;) {
		const int64_t at = o->number[i], first = at > NEAR ? at - NEAR : 0;
		for (int64_t x = at + NEAR < below ? at + NEAR : below - 1; x >= first; x--) {
			if (left-- == 0) {
				memset(o->whose, TOO_FAR, i + 1);
				return o->looked = true;
			}
			if (!look_at(po, o, (uint32_t)x, e))
				return false;
			below = x;
		}
	}
	return o->looked = true;
}

static bool find_whose(struct postoffice *po, struct po_owner *o, const struct mm_id *att, enum whose *whose_r, struct err *e)
{
	CHECK(o, PO_OWNER_MAGIC);
	const uint8_t *whose = whose_of(o, att);
	*whose_r = OWN;
	if (whose != NULL && !o->looked && !look_around(po, o, e))
		return false;
	*whose_r = whose == NULL ? OWN : (enum whose)*whose;
	return true;
}

bool po_is_others(struct postoffice *po, struct po_owner *o, const struct mm_id *att, bool *others_r, struct err *e)
{
	enum whose whose;
	const bool ok = find_whose(po, o, att, &whose, e);
	*others_r = ok && whose != OWN;
	return ok;
}

static bool is_own(struct postoffice *po, struct po_owner *o, const struct mm_id *att, struct err *e)
{
	enum whose whose;
	if (!find_whose(po, o, att, &whose, e))
		return false;
	return whose == OWN || err_report(e, ERR_PERM, ERR_OF_MESSAGE, 0, 48, "[018] %s: %s", po_rel_att(att).s, whose == OTHERS ? "is another message's" :
					  "its message names too many that are far from each other for their owners to be found");
}

bool postoffice_open_own(struct postoffice *po, struct po_owner *o, const struct mm_attachment *a, struct po_file **f_r, uint64_t *size_r, struct err *e)
{
	struct po_file *f = NULL;
	uint64_t size;
	if (!postoffice_open_attachment(po, &a->file, &f, &size, e))
		return false;
	bool good = size == a->size || err_report(e, ERR_PERM, ERR_OF_MESSAGE, 0, 48, "[018] %s: has %llu octets, its message says %llu", po_rel_att(&a->file).s,
						  (unsigned long long)size, (unsigned long long)a->size);
	if (!good || !is_own(po, o, &a->file, e)) {
		po_file_close(&f);
		return false;
	}
	*f_r = f;
	*size_r = size;
	return true;
}
