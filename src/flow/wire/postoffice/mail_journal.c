/* mail_journal.c - P1\<bag>.0JN, see mail.h. A line is "C 00000062 00000017" CR LF: of fixed length, so that a cut one is known. */
#include "flow/wire/postoffice/mail.h"

#include "base/fault.h"
#include "base/mem.h"
#include "flow/wire/postoffice/po_int.h"

enum { LINE = 21, JOURNAL_MAX = 4 * 1024 * 1024 };

struct line { char verb; struct mm_id x, y; };

struct mail_journal {
	unsigned magic;
#define JOURNAL_MAGIC 0x30a10a17u
	struct postoffice *po;
	struct po_rel rel;
	struct line *lines;
	size_t n, cap;
	uint64_t size; /* of the file */
	bool broken;   /* a line may be there or not: nobody knows until it is read again */
};

static void keep(struct mail_journal *j, char verb, const struct mm_id *x, const struct mm_id *y)
{
	if (j->n == j->cap) {
		j->cap = j->cap == 0 ? 16 : mem_mul(j->cap, 2);
		j->lines = mem_grow(j->lines, mem_mul(j->cap, sizeof *j->lines));
	}
	j->lines[j->n++] = (struct line){ verb, *x, *y };
}

static void print(char buf[LINE + 1], char verb, const struct mm_id *x, const struct mm_id *y)
{
	snprintf(buf, LINE + 1, "%c %-8.8s %-8.8s\r\n", verb, x->s, y->s);
}

static void parse(struct mail_journal *j, struct view text)
{
	for (; text.n >= LINE; text = view_from(text, LINE)) {
		const struct view line = view_first(text, LINE);
		struct mm_id x, y;
		uint32_t number;
		if (line.p[LINE - 1] == '\n' && line.p[1] == ' ' && line.p[10] == ' ' && mm_id_parse(view_of(line.p + 2, 8), &x, &number, NULL) &&
		    mm_id_parse(view_of(line.p + 11, 8), &y, &number, NULL))
			keep(j, (char)line.p[0], &x, &y);
	}
}

bool mail_journal_open(struct postoffice *po, const char *bag, struct mail_journal **j_r, struct err *e)
{
	struct mail_journal *j = mem_zero(sizeof *j);
	struct out o;
	bool there;
	*j = (struct mail_journal){ .magic = JOURNAL_MAGIC, .po = po, .rel = po_rel_of("P1", bag, ".0JN") };
	out_init(&o, JOURNAL_MAX);
	const bool good = po_read_file(po, j->rel.s, JOURNAL_MAX, &o, &there, e);
	if (good) {
		parse(j, out_view(&o));
		j->size = out_len(&o) - out_len(&o) % LINE; /* what is behind is cut off by the next line */
		*j_r = j;
	}
	else
		mail_journal_close(&j);
	out_fini(&o);
	return good;
}

void mail_journal_close(struct mail_journal **j)
{
	if (*j == NULL)
		return;
	CHECK(*j, JOURNAL_MAGIC);
	(*j)->magic = 0;
	MEM_FREE((*j)->lines);
	MEM_FREE(*j);
}

bool mail_journal_is_broken(const struct mail_journal *j)
{
	CHECK(j, JOURNAL_MAGIC);
	return j->broken;
}

bool mail_journal_find(const struct mail_journal *j, enum mail_verb verb, const struct mm_id *x, struct mm_id *y_r)
{
	CHECK(j, JOURNAL_MAGIC);
	for (size_t i = 0; i < j->n; i++)
		if (j->lines[i].verb == (char)verb && mm_same(j->lines[i].x.s, x->s)) {
			*y_r = j->lines[i].y;
			return true;
		}
	return false;
}

static bool append(struct mail_journal *j, const char *line, struct err *e)
{
	struct postoffice *po = j->po;
	int fd;
	if (!po_open(po, j->rel.s, O_RDWR | O_CREAT, &fd, e))
		return false;
	if (fd < 0)
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s/%s: cannot be made", po->path, j->rel.s);
	const bool good = po_truncate(po, fd, j->rel.s, j->size, e) && po_write_at(po, fd, j->rel.s, line, LINE, j->size, e) &&
			  po_sync(po, fd, j->rel.s, e) && (j->size > 0 || po_sync_dir(po, "P1", e));
	j->broken = !good && !po_truncate(po, fd, j->rel.s, j->size, NULL);
	po_close(po, &fd);
	return good;
}

bool mail_journal_add(struct mail_journal *j, enum mail_verb verb, const struct mm_id *x, const struct mm_id *y, struct err *e)
{
	CHECK(j, JOURNAL_MAGIC);
	char line[LINE + 1];
	print(line, (char)verb, x, y);
	if (FAULT(MAIL_JOURNAL))
		return err_set(e, ERR_TEMP, ERR_OF_LINK, "%s/%s: not written (fault point)", j->po->path, j->rel.s);
	if (j->broken)
		return err_set(e, ERR_TEMP, ERR_OF_LINK, "%s/%s: could not be written, and has to be read again", j->po->path, j->rel.s);
	if (!append(j, line, e))
		return false;
	j->size += LINE;
	keep(j, (char)verb, x, y);
	return true;
}

static bool write_rest(struct mail_journal *j, struct err *e)
{
	struct out o;
	char line[LINE + 1];
	int fd;
	if (j->n == 0) { /* as almost always */
		if (!po_open(j->po, j->rel.s, O_RDWR, &fd, e))
			return false;
		const bool good = fd < 0 || po_truncate(j->po, fd, j->rel.s, 0, e);
		po_close(j->po, &fd);
		return good;
	}
	out_init(&o, JOURNAL_MAX);
	for (size_t i = 0; i < j->n; i++) {
		print(line, j->lines[i].verb, &j->lines[i].x, &j->lines[i].y);
		out_bytes(&o, view_of(line, LINE));
	}
	const bool good = po_replace(j->po, j->rel.s, out_view(&o), e);
	out_fini(&o);
	return good;
}

bool mail_journal_forget(struct mail_journal *j, const struct mm_id *x, struct err *e)
{
	CHECK(j, JOURNAL_MAGIC);
	size_t left = 0;
	for (size_t i = 0; i < j->n; i++)
		if (!mm_same(j->lines[i].x.s, x->s))
			j->lines[left++] = j->lines[i];
	if (left == j->n)
		return true;
	j->n = left;
	if (!write_rest(j, e))
		return false;
	j->size = left * LINE;
	return true;
}

void mail_journal_each(const struct mail_journal *j, bool (*each)(void *ctx, const struct mm_id *x), void *ctx)
{
	CHECK(j, JOURNAL_MAGIC);
	for (size_t i = 0; i < j->n; i++) {
		bool was = false;
		for (size_t k = 0; k < i && !was; k++)
			was = mm_same(j->lines[k].x.s, j->lines[i].x.s);
		if (!was && !each(ctx, &j->lines[i].x))
			return;
	}
}
