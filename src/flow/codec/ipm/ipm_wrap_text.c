/* ipm_wrap_text.c - lines of a text, each character looked at once. What is not changed is copied in runs. */
#include "flow/codec/ipm/ipm_wrap.h"

enum { CONVERSION_NOT_PERFORMED = 2, CONVERSION_IMPRACTICAL = 8 }; /* X.411 8.2.1.4 */

/* Positions are octets of the text. In each line: `col` columns so far, from `start` on. */
struct wrapper {
	struct view text;
	struct out *o;     /* NULL: only counted */
	size_t written;    /* octets of the result, of what lies before `from` */
	size_t from;       /* text from here on is not written yet */
	size_t width;
	size_t start, col;
	size_t indent;     /* blanks at the line's beginning */
	bool word;         /* something else has come */
	bool can_break;    /* behind a word there is: */
	size_t blank;      /* the blank that becomes the line end ... */
	size_t resume;     /* ... what the next line begins with ... */
	size_t behind;     /* ... and its columns so far */
	bool changed;
};

static void write_octets(struct wrapper *w, struct view octets)
{
	w->written += octets.n;
	if (w->o != NULL)
		out_bytes(w->o, octets);
}

/* All that is not written up to `at`; [at, to) is left out. */
static void leave_out(struct wrapper *w, size_t at, size_t to)
{
	if (at > w->from)
		write_octets(w, view_of(w->text.p + w->from, at - w->from));
	w->from = to;
	w->changed = true;
}

static void begin_line(struct wrapper *w, size_t start, size_t col)
{
	w->start = start;
	w->col = col;
	w->indent = 0;
	w->word = col > 0;
	w->can_break = false;
}

static void break_line(struct wrapper *w, size_t at, size_t resume, size_t col)
{
	leave_out(w, at, resume);
	write_octets(w, VIEW("\r\n"));
	begin_line(w, resume, col);
}

static void take_blank(struct wrapper *w, size_t at)
{
	if (!w->word) { /* may pass the width: what goes is known when a word comes, or the line's end */
		w->indent++;
		w->col++;
	} else if (w->col <= w->width) {
		w->can_break = true;
		w->blank = at;
		w->resume = at + 1;
		w->behind = 0;
		w->col++;
	} else {
		w->resume = at + 1;
	}
}

/* Before something of `columns` columns (0 or 1) that is no blank: makes room. */
static void make_room(struct wrapper *w, size_t at, size_t columns)
{
	if (w->col + columns <= w->width)
		return;
	if (w->can_break) {
		break_line(w, w->blank, w->resume, w->behind);
	} else if (w->indent > 0) { /* the word itself still fits in a line, so this is enough */
		const size_t less = w->col + columns - w->width;
		leave_out(w, w->start, w->start + less);
		w->start += less;
		w->indent -= less;
		w->col -= less;
	} else {
		break_line(w, at, at, 0);
	}
}

static void take_character(struct wrapper *w, size_t at, size_t columns)
{
	make_room(w, at, columns);
	w->word = true;
	w->col += columns;
	w->behind += columns;
}

static void end_line(struct wrapper *w, size_t at, size_t next)
{
	if (w->col > w->width) /* only blanks can have passed it */
		leave_out(w, w->word ? w->blank : w->start + w->width, at);
	begin_line(w, next, 0);
}

static bool out_of_time(const struct ipm_wrap *how, struct err *e)
{
	if (how->out_of_time == NULL || !how->out_of_time(how->ctx))
		return false;
	err_report(e, ERR_PERM, ERR_OF_MESSAGE, CONVERSION_NOT_PERFORMED, CONVERSION_IMPRACTICAL,
		   "content: wrapping its text takes longer than it may");
	return true;
}

static void take(struct wrapper *w, enum charset_unit unit, struct view octets, size_t at)
{
	if (unit == CHARSET_UNIT_LINE_END)
		end_line(w, at, at + octets.n);
	else if (unit == CHARSET_UNIT_ESCAPE)
		take_character(w, at, 0);
	else if (octets.n == 1 && (octets.p[0] == ' ' || octets.p[0] == '\t'))
		take_blank(w, at);
	else
		take_character(w, at, 1);
}

/* One pass. *left_r: it met something that it cannot wrap, and what it has written is worth nothing. */
static bool pass(struct wrapper *w, enum charset from, unsigned registration, const struct ipm_wrap *how, bool *left_r,
		 struct err *e)
{
	struct charset_walk walk = charset_walk_of(from, registration, w->text);
	struct view octets;
	size_t at = 0;
	*left_r = false;
	for (size_t units = 1;; units++) {
		const enum charset_unit unit = charset_walk_next(&walk, &octets);
		if (unit == CHARSET_UNIT_END)
			break;
		if (unit == CHARSET_UNIT_OTHER) {
			*left_r = true;
			return true;
		}
		if (units % IPM_WRAP_PIECE == 0 && out_of_time(how, e))
			return false;
		take(w, unit, octets, at);
		at += octets.n;
	}
	end_line(w, at, at);
	if (w->changed)
		leave_out(w, at, at);
	return true;
}

bool ipm_wrap_text(struct view text, enum charset from, unsigned registration, const struct ipm_wrap *how, struct out *o,
		   size_t *n_r, enum ipm_wrapped *w_r, struct err *e)
{
	bool left = false;
	*n_r = text.n;
	*w_r = IPM_WRAP_SAME;
	if (how->column == 0 || text.n <= how->column)
		return true;
	struct wrapper count = { .text = text, .width = how->column };
	if (!pass(&count, from, registration, how, &left, e))
		return false;
	if (left || !count.changed) {
		*w_r = left ? IPM_WRAP_LEFT : IPM_WRAP_SAME;
		return true;
	}
	*n_r = count.written;
	*w_r = IPM_WRAP_CHANGED;
	struct wrapper w = { .text = text, .width = how->column, .o = o };
	return o == NULL || pass(&w, from, registration, how, &left, e);
}
