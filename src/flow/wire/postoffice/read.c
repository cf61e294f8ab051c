/* read.c - see postoffice.h: message files, envelopes, attachments. */
#include "flow/wire/postoffice/po_int.h"

#include "base/mem.h"

enum { ENVELOPE_MAX = 32 << 20 };

/* Missing for good, or because the file server lost more than this. */
static bool missing(struct postoffice *po, const char *rel, const char *dir, int diagnostic, int code, const char *what, struct err *e)
{
	bool there;
	if (!po_alive(po, e) || !po_dir_there(po, dir, &there, e))
		return false;
	if (!there)
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: this directory of the postoffice is missing", dir);
	return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 0, diagnostic, "[%03d] %s: %s", code, rel, what);
}

/* The server is there, and does not give this one file (a bad block, say): that hinders this message, and nobody else's. */
static bool of_file(struct postoffice *po, struct err *e)
{
	if (e != NULL && e->culprit == ERR_OF_LINK && e->kind == ERR_LOCAL && po_alive(po, NULL))
		e->culprit = ERR_OF_MESSAGE;
	return false;
}

static void dir_of_id(char dir[8], const char *in, const struct mm_id *id)
{
	snprintf(dir, 8, "%.3s/%.2s%c", in, in, id->s[MM_ID_LENGTH - 1]);
}

bool postoffice_read_mai(struct postoffice *po, const struct mm_id *id, uint64_t max, struct out *o, struct err *e)
{
	const struct po_rel rel = po_rel_mai(id);
	char dir[8];
	bool there;
	if (!po_read_file(po_check(po), rel.s, max, o, &there, e))
		return of_file(po, e);
	dir_of_id(dir, "MAI", id);
	return there || missing(po, rel.s, dir, 48, 16, "the message file is missing", e);
}

/* What is no file, or none that an envelope can be, is as good as a damaged one. */
static bool no_envelope(struct err *e)
{
	if (e == NULL || e->kind != ERR_PERM || e->culprit != ERR_OF_MESSAGE)
		return false;
	const struct err why = *e;
	return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 0, -1, "[024] %.180s", why.text);
}

bool postoffice_read_envelope(struct postoffice *po, const struct mm_id *id, struct arena *a, struct mm_envelope *v_r, struct err *e)
{
	const struct po_rel rel = po_rel_p1(id);
	struct out o;
	bool there;
	out_init(&o, ENVELOPE_MAX);
	bool ok = po_read_file(po_check(po), rel.s, ENVELOPE_MAX, &o, &there, e) || of_file(po, e) || no_envelope(e);
	if (ok && !there)
		ok = missing(po, rel.s, "P1", -1, 21, "the routing file is missing", e);
	const struct view octets = ok ? arena_copy(a, out_view(&o)) : (struct view){ NULL, 0 };
	out_fini(&o);
	if (ok && arena_full(a))
		ok = err_report(e, ERR_PERM, ERR_OF_MESSAGE, 0, -1, "[024] %s: is too long to be kept", rel.s);
	return ok && mm_envelope_parse(octets, v_r, a, e);
}

bool postoffice_write_envelope(struct postoffice *po, const struct mm_envelope *v, struct err *e)
{
	struct out o;
	out_init(&o, ENVELOPE_MAX);
	const bool ok = mm_envelope_print(v, &o, e) && (po_replace(po_check(po), po_rel_p1(&v->mai).s, out_view(&o), e) || no_envelope(e));
	out_fini(&o);
	return ok;
}

bool postoffice_remove_envelope(struct postoffice *po, const struct mm_id *id, struct err *e)
{
	return po_remove(po_check(po), po_rel_p1(id).s, e) && po_sync_dir(po, "P1", e);
}

/* --- attachments --- */
struct po_file {
	unsigned magic;
#define PO_FILE_MAGIC 0x0a77f11eu
	struct postoffice *po;
	struct po_rel rel;
	int fd;
	uint64_t at;
	uint8_t state;
};

bool postoffice_open_attachment(struct postoffice *po, const struct mm_id *id, struct po_file **f_r, uint64_t *size_r, struct err *e)
{
	struct po_file f = { .magic = PO_FILE_MAGIC, .po = po_check(po), .rel = po_rel_att(id), .fd = -1 };
	struct po_stamp s;
	char dir[8];
	dir_of_id(dir, "ATT", id);
	if (!po_open(po, f.rel.s, O_RDONLY, &f.fd, e))
		return of_file(po, e);
	if (f.fd < 0)
		return missing(po, f.rel.s, dir, 48, 18, "the attachment is missing", e);
	if (!po_fstat(po, f.fd, f.rel.s, &s, NULL, e) || !mm_scramble_covers(po->scramble, s.size, e)) {
		po_close(po, &f.fd);
		return false;
	}
	*size_r = s.size;
	*f_r = mem_dup(&f, sizeof f);
	return true;
}

bool po_file_read(struct po_file *f, void *buf, size_t n, size_t *got_r, struct err *e)
{
	CHECK(f, PO_FILE_MAGIC);
	size_t got;
	if (!po_read_at(f->po, f->fd, f->rel.s, buf, n, f->at, &got, e))
		return of_file(f->po, e);
	if (got > 0)
		f->po->scramble->apply(buf, got, f->at, &f->state, false);
	f->at += got;
	*got_r = got;
	return true;
}

void po_file_close(struct po_file **f)
{
	if (*f == NULL)
		return;
	CHECK(*f, PO_FILE_MAGIC);
	(*f)->magic = 0;
	po_close((*f)->po, &(*f)->fd);
	MEM_FREE(*f);
}
