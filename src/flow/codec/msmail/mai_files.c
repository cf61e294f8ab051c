/* mai_files.c - see mai.h: which files a MAI names, without the rest of it. */
#include "flow/codec/msmail/fips.h"
#include "flow/codec/msmail/mai.h"
#include "flow/codec/msmail/mai_private.h"

enum { IN_FILE, IN_MESSAGE, IN_LIST, IN_ATTACHMENT };

struct mai_files mai_files_of(uint64_t file_size)
{
	return (struct mai_files){ .end = { file_size }, .elements_left = mai_limits_default().elements };
}

static enum step refuse(const struct mai_files *f, const char *what, struct err *e)
{
	err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "MAI at offset %llu: %s", (unsigned long long)f->at, what);
	return STEP_FAIL;
}

/* Whether a step goes into x and does not pass over it. */
static bool leads_on(const struct mai_files *f, const struct fips_element *x)
{
	switch (f->depth) {
	case IN_FILE:
		return x->code == FIPS_MESSAGE;
	case IN_MESSAGE:
		return x->code == FIPS_VENDOR && x->vendor_qualifier && x->qualifier == OUR_ATTACHMENTS;
	default:
		return f->depth == IN_LIST && x->code == FIPS_SEQUENCE;
	}
}

static enum step go_in(struct mai_files *f, size_t head, uint64_t length)
{
	f->at += head;
	f->depth++;
	f->end[f->depth] = length == UINT64_MAX ? UINT64_MAX : f->at + length;
	f->strings = 0;
	return STEP_WAIT;
}

/* Not a number that anybody could have: none. */
static bool read_id(struct view octets, const struct mm_scramble *s, struct mm_id *id_r)
{
	uint8_t plain[MM_ID_LENGTH], state = 0;
	if (octets.n < sizeof plain || !mm_scramble_covers(s, sizeof plain, NULL))
		return false;
	memcpy(plain, octets.p, sizeof plain);
	s->apply(plain, sizeof plain, 0, &state, false);
	return mm_id_parse(view_of(plain, sizeof plain), id_r, NULL, NULL);
}

/* At an End-of-Constructor. */
static enum step leave(struct mai_files *f, uint64_t whole)
{
	f->at += whole;
	if (f->passed > 0)
		f->passed--;
	else if (f->depth > IN_FILE && f->end[f->depth] == UINT64_MAX)
		f->depth--;
	return STEP_WAIT;
}

/* The end of what is open here, as its length says; of the Message: of all. */
static bool is_at_end(struct mai_files *f)
{
	while (f->depth > IN_FILE && f->passed == 0 && f->end[f->depth] <= f->at)
		f->depth--;
	return f->depth == IN_FILE;
}

static bool goes_beyond(const struct mai_files *f, uint64_t end)
{
	for (unsigned i = IN_FILE; i <= f->depth; i++)
		if (f->end[i] < end)
			return true;
	return false;
}

enum step mai_files_next(struct mai_files *f, struct view piece, const struct mm_scramble *s, struct mm_id *id_r, struct err *e)
{
	struct fips_element x;
	size_t head;
	uint64_t length;
	*id_r = (struct mm_id){ "" };
	if (f->at > 0 && is_at_end(f))
		return STEP_DONE;
	if (f->elements_left-- == 0)
		return refuse(f, "there are more elements than the limit", e);
	if (!fips_head(piece, (size_t)f->at, &x, &head, &length, e))
		return STEP_FAIL;
	if (goes_beyond(f, f->at + head + (length == UINT64_MAX ? 0 : length)))
		return refuse(f, "an element's length goes beyond what holds it", e);
	if (f->depth == IN_FILE && x.code != FIPS_MESSAGE)
		return refuse(f, "it does not begin with a Message element (4D)", e);
	if (x.code == FIPS_EOC)
		return leave(f, head + length);
	if (f->passed == 0 && leads_on(f, &x))
		return go_in(f, head, length);
	if (length == UINT64_MAX) {
		f->passed++;
		f->at += head;
		return STEP_WAIT;
	}
	const bool is_id = f->passed == 0 && f->depth == IN_ATTACHMENT && x.code == FIPS_ASCII && ++f->strings == 2 && length == MM_ID_LENGTH;
	const bool found = is_id && read_id(view_from(piece, head), s, id_r);
	f->at += head + length;
	return found ? STEP_DONE : STEP_WAIT;
}
