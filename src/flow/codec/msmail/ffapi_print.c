/* ffapi_print.c - a message file written. */
#include "flow/codec/msmail/ffapi.h"

#include "base/text.h"

struct writer {
	struct out *o;
	const char *end;
	struct err *e;
};

static const char *const ends[] = {[FFAPI_CR] = "\r", [FFAPI_LF] = "\n", [FFAPI_CRLF] = "\r\n"};

static bool is_control(uint8_t c)
{
	return c < 0x20 || c == 0x7f;
}

static void put_plain(struct writer *w, struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		out_u8(w->o, is_control(v.p[i]) ? ' ' : v.p[i]);
}

static void put_line(struct writer *w, const char *token, struct view value)
{
	out_str(w->o, token);
	put_plain(w, value);
	out_str(w->o, w->end);
}

static bool put_address(struct writer *w, const char *token, const struct mm_address *x)
{
	char shown[60];
	out_str(w->o, token);
	if (x->type == MM_ADDRESS_X400)
		out_str(w->o, "X400:");
	else if (x->type == MM_ADDRESS_MS && x->text.n > 0 && memchr(x->text.p, ':', x->text.n) != NULL)
		out_str(w->o, "CSI:");
	for (size_t i = 0; i < x->text.n; i++) {
		uint8_t c = x->text.p[i];
		if (c == '\r')
			out_str(w->o, "^0D"); /* Q94410 */
		else if (is_control(c))
			return err_report(w->e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "FFAPI: a control character in the address \"%s\"",
					  text_escaped(shown, sizeof shown, x->text));
		else
			out_u8(w->o, c);
	}
	out_str(w->o, w->end);
	return true;
}

/* A label: no path and no control character, whoever made it. */
static void put_name(struct writer *w, struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		out_u8(w->o, is_control(v.p[i]) || strchr("/\\:", v.p[i]) != NULL ? '_' : v.p[i]);
	if (v.n == 0)
		out_str(w->o, "ATT.DAT");
}

static bool is_file_name(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (is_control(v.p[i]) || strchr("/\\: ", v.p[i]) != NULL)
			return false;
	return v.n > 0 && v.p[0] != '.';
}

static bool put_attachments(struct writer *w, const struct mai *m, const struct ffapi_body *bodies)
{
	for (size_t i = 0; i < m->n_attachments; i++) {
		const struct ffapi_body *b = &bodies[i];
		if (b->in_file && !is_file_name(b->name))
			return err_report(w->e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "FFAPI: attachment %zu has no name of a file", i + 1);
		if (b->in_file) {
			out_str(w->o, "XATTACH:");
			out_bytes(w->o, b->name);
			out_u8(w->o, ' ');
			put_name(w, m->attachments[i].name);
		} else {
			out_str(w->o, "ATTACHMENTS:");
			put_name(w, m->attachments[i].name);
			out_fmt(w->o, " %zu", b->octets.n);
		}
		out_str(w->o, w->end);
	}
	return true;
}

/* "TOKEN:..." and nothing that a line cannot have: elements of a MAI stand in the same place. */
static bool is_line(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (is_control(v.p[i]) && v.p[i] != '\t')
			return false;
	for (size_t i = 0; i < v.n && v.p[i] != ':'; i++)
		if (v.p[i] >= 0x80)
			return false;
	const uint8_t *colon = v.n == 0 ? NULL : memchr(v.p, ':', v.n);
	struct view token = colon == NULL ? view_of(NULL, 0) : view_of(v.p, (size_t)(colon - v.p));
	while (token.n > 0 && token.p[token.n - 1] == ' ')
		token.n--;
	static const char *const ours[] = {"TO", "TEXT", "XTEXT", "ATTACHMENTS", "XATTACH", "VERSION"};
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (view_eq_nocase(token, view_str(ours[i])))
			return false;
	return token.n > 0 && token.p[0] != ' ';
}

static bool put_head(struct writer *w, const struct mai *m)
{
	out_str(w->o, "VERSION:3.00");
	out_str(w->o, w->end);
	bool ok = put_address(w, "FROM:", &m->from);
	for (size_t i = 0; ok && i < m->n_to; i++)
		ok = put_address(w, "TO:", &m->to[i]);
	for (size_t i = 0; ok && i < m->n_cc; i++)
		ok = put_address(w, "TO:", &m->cc[i]);
	if (m->date.year != 0)
		out_fmt(w->o, "Date:%04u-%02u-%02u%sTIME:%02u:%02u%s", m->date.year, m->date.month, m->date.day, w->end, m->date.hour,
			m->date.minute, w->end);
	if (m->subject.n > 0)
		put_line(w, "SUBJECT:", m->subject);
	if (m->priority != 0)
		put_line(w, "PRIORITY:", view_of(&m->priority, 1));
	for (size_t i = 0; i < m->n_extra; i++)
		if (is_line(m->extra[i])) {
			out_bytes(w->o, m->extra[i]);
			out_str(w->o, w->end);
		}
	return ok;
}

/* Each line end of the text, whichever it is, becomes `end`; o NULL: only counted. */
static size_t put_text(struct view v, const char *end, struct out *o)
{
	size_t n = 0, end_n = strlen(end);
	for (size_t i = 0; i < v.n;) {
		size_t run = i;
		while (run < v.n && v.p[run] != '\r' && v.p[run] != '\n')
			run++;
		n += run - i;
		if (o != NULL)
			out_bytes(o, view_of(v.p + i, run - i));
		if (run == v.n)
			break;
		n += end_n;
		if (o != NULL)
			out_str(o, end);
		i = run + (v.p[run] == '\r' && run + 1 < v.n && v.p[run + 1] == '\n' ? 2 : 1);
	}
	return n;
}

bool ffapi_print(const struct mai *m, const struct ffapi_body *bodies, enum ffapi_line_end end, struct out *o, struct err *e)
{
	struct writer w = {o, ends[end], e};
	size_t before = out_len(o);
	if (!put_head(&w, m) || !put_attachments(&w, m, bodies)) {
		o->n = o->head + before;
		return false;
	}
	out_fmt(o, "TEXT:%zu%s", put_text(m->text, w.end, NULL), w.end);
	put_text(m->text, w.end, o);
	for (size_t i = 0; i < m->n_attachments; i++)
		if (!bodies[i].in_file)
			out_bytes(o, bodies[i].octets);
	return !o->bad || err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "FFAPI: the file is over %zu octets", o->max);
}
