/* select.c - which transfers an operator's command is about: what he asks for, put to the store, and each row in full. The reader
 * selects, the switch acts. */
#include "proc/reader/reader_int.h"

#include "base/text.h"
#include "flow/message/pack.h"

enum { LOADED_MAX = 50 }; /* rows of a page when each envelope has to be looked into */

struct selection {
	struct read_filter filter;
	uint64_t transfer;               /* 0: any */
	bool by_type;
	uint64_t content_type;
};

static bool read_number(struct view value, uint64_t *x_r, struct view name, struct err *e)
{
	return text_uint(value, INT64_MAX, x_r) ||
	       err_set(e, ERR_PERM, ERR_OF_PROCESS, "the selection's %.*s is no number", (int)name.n, (const char *)name.p);
}

static bool read_priority(struct view value, struct selection *s, struct err *e)
{
	s->filter.by_priority = true;
	for (int p = 0; p < PRIORITY_COUNT; p++)
		if (view_eq(value, view_str(priority_name((enum priority)p)))) {
			s->filter.priority = (enum priority)p;
			return true;
		}
	return err_set(e, ERR_PERM, ERR_OF_PROCESS, "the selection's priority is none");
}

static bool read_line(struct view name, struct view value, struct selection *s, struct err *e)
{
	uint64_t before = 0;
	if (value.n == 0) /* it would select everything */
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "the selection's %.*s is empty", (int)(name.n < 64 ? name.n : 64), (const char *)name.p);
	if (view_eq(name, VIEW("id")) && text_uint(value, INT64_MAX, &s->transfer))
		return s->transfer > 0 || err_set(e, ERR_PERM, ERR_OF_PROCESS, "no transfer has the number 0");
	if (view_eq(name, VIEW("priority")))
		return read_priority(value, s, e);
	if (view_eq(name, VIEW("larger")))
		return read_number(value, &s->filter.larger_than, name, e);
	if (view_eq(name, VIEW("before"))) {
		bool good = read_number(value, &before, name, e);
		s->filter.older_than = (wall_ms_t)before;
		return good;
	}
	if (view_eq(name, VIEW("content-type"))) {
		s->by_type = true;
		return read_number(value, &s->content_type, name, e);
	}
	if (view_eq(name, VIEW("id")))
		s->filter.mts_id = value;
	else if (view_eq(name, VIEW("originator")))
		s->filter.originator = value;
	else if (view_eq(name, VIEW("recipient")))
		s->filter.recipient = value;
	else if (view_eq(name, VIEW("link")))
		s->filter.queue = value;
	else if (view_eq(name, VIEW("held")))
		s->filter.held = READ_HELD_ONLY;
	else
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "nothing can be selected by \"%.*s\"", (int)(name.n < 64 ? name.n : 64),
			       (const char *)name.p);
	return true;
}

static bool read_selection(struct view of, struct selection *s, struct err *e)
{
	*s = (struct selection){ .transfer = 0 };
	while (of.n > 0) {
		size_t n = 0, at = 0;
		while (n < of.n && of.p[n] != '\n')
			n++;
		struct view line = view_first(of, n);
		while (at < line.n && line.p[at] != '=')
			at++;
		if (at == line.n)
			return err_set(e, ERR_PERM, ERR_OF_PROCESS, "a line of the selection is not NAME=VALUE");
		if (!read_line(view_first(line, at), view_from(line, at + 1), s, e))
			return false;
		of = view_from(of, n < of.n ? n + 1 : n);
	}
	return true;
}

static bool has_type(struct reader *rd, uint64_t transfer, uint64_t type)
{
	struct read_envelope x;
	struct message m;
	struct err e;
	arena_reset(rd->scratch);
	return store_read_envelope(rd->store, transfer, &x, rd->scratch, &e) && !x.octets &&
	       unpack_message(x.packed, &m, rd->scratch, &e) && m.content_type >= 0 && (uint64_t)m.content_type == type;
}

/* The row in full; it may have gone since it was selected. */
static bool send_one(struct reader *rd, uint64_t transfer, struct row *row, struct err *e)
{
	struct read_queue_row x;
	size_t n;
	uint64_t looked;
	bool more;
	arena_reset(rd->scratch);
	if (!store_read_queue(rd->store, (struct view){ NULL, 0 }, transfer - 1, &x, 1, &n, &looked, &more, rd->scratch, e))
		return false;
	if (n == 1 && x.transfer == transfer)
		row_send_queued(row, &x);
	return true;
}

bool reader_select(struct reader *rd, const struct msg_ask *q, struct row *row, bool *more_r, struct err *e)
{
	struct selection s;
	if (!read_selection(q->of, &s, e))
		return false;
	size_t max = s.transfer > 0 ? 1 : s.by_type && q->max > LOADED_MAX ? LOADED_MAX : q->max, n;
	struct read_selected *rows = arena_array(rd->arena, max, sizeof *rows);
	uint64_t after = s.transfer > 0 ? s.transfer - 1 : q->after;
	if (!store_read_select(rd->store, &s.filter, after, rows, max, &n, &row->looked, more_r, rd->arena, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		if ((s.transfer > 0 && rows[i].transfer != s.transfer) ||
		    (s.by_type && !has_type(rd, rows[i].transfer, s.content_type)))
			continue;
		if (!send_one(rd, rows[i].transfer, row, e))
			return false;
	}
	*more_r = *more_r && s.transfer == 0;
	return true;
}
