/* track.c - the search of tracking: what is asked for, put to the store. */
#include "proc/reader/reader_int.h"

#include "base/text.h"
#include "flow/store/track.h"

static bool refuse(struct view name, const char *what, struct err *e)
{
	return err_set(e, ERR_PERM, ERR_OF_PROCESS, "the search's %.*s %s", (int)(name.n < 64 ? name.n : 64), (const char *)name.p, what);
}

static bool read_address(struct reader *rd, struct view name, struct view value, enum track_role role, uint64_t *key_r, struct err *e)
{
	struct oraddr addr;
	struct err why;
	if (!oraddr_parse(value, &addr, rd->arena, ORADDR_CARRY, &why))
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "the search's %.*s is no O/R address: %.150s", (int)name.n, (const char *)name.p, why.text);
	*key_r = track_key_address(&addr, role);
	return *key_r != 0 || refuse(name, "is empty", e);
}

static bool read_text(struct view name, struct view value, enum track_role role, uint64_t *key_r, struct err *e)
{
	*key_r = track_key_text(value, role);
	return *key_r != 0 || refuse(name, "is empty", e);
}

static bool read_time(struct view name, struct view value, wall_ms_t *at_r, struct err *e)
{
	uint64_t ms;
	if (!text_uint(value, INT64_MAX, &ms) || ms == 0)
		return refuse(name, "is no time in milliseconds", e);
	*at_r = (wall_ms_t)ms;
	return true;
}

static bool read_events(struct view name, struct view value, struct read_track *f, struct err *e)
{
	while (value.n > 0) {
		size_t n = 0;
		uint64_t event;
		while (n < value.n && value.p[n] != ',')
			n++;
		if (!text_uint(view_first(value, n), 99999, &event))
			return refuse(name, "are no numbers separated by commas", e);
		if (f->n_events == ARRAY_LEN(f->events))
			return refuse(name, "are more than 16", e);
		f->events[f->n_events++] = (int)event;
		value = view_from(value, n < value.n ? n + 1 : n);
	}
	return f->n_events > 0 || refuse(name, "is empty", e);
}

static bool read_line(struct reader *rd, struct view name, struct view value, struct read_track *f, struct err *e)
{
	static const struct {
		const char *name;
		enum track_role role;
	} keyed[] = { { "recipient", TRACK_RECIPIENT }, { "originator", TRACK_ORIGINATOR }, { "subject", TRACK_SUBJECT }, { "ipm-id", TRACK_IPM_ID } };
	for (size_t i = 0; i < ARRAY_LEN(keyed); i++) {
		if (!view_eq(name, view_str(keyed[i].name)))
			continue;
		if (f->n_keys == ARRAY_LEN(f->keys))
			return refuse(name, "is one too many", e);
		uint64_t *key = &f->keys[f->n_keys++];
		return keyed[i].role <= TRACK_RECIPIENT ? read_address(rd, name, value, keyed[i].role, key, e)
							: read_text(name, value, keyed[i].role, key, e);
	}
	if (view_eq(name, VIEW("address")))
		return read_address(rd, name, value, TRACK_RECIPIENT, &f->address, e);
	if (view_eq(name, VIEW("from")))
		return read_time(name, value, &f->from, e);
	if (view_eq(name, VIEW("to")))
		return read_time(name, value, &f->to, e);
	if (view_eq(name, VIEW("event")))
		return read_events(name, value, f, e);
	if (!view_eq(name, VIEW("id")))
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "nothing can be searched by \"%.*s\"", (int)(name.n < 64 ? name.n : 64),
			       (const char *)name.p);
	f->id = value;
	return value.n > 0 || refuse(name, "is empty", e);
}

static bool read_search(struct reader *rd, struct view of, struct read_track *f, struct err *e)
{
	*f = (struct read_track){ .n_keys = 0 };
	if (of.n == 0)
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "the search names nothing that is searched by");
	while (of.n > 0) {
		size_t n = 0, at = 0;
		while (n < of.n && of.p[n] != '\n')
			n++;
		const struct view line = view_first(of, n);
		while (at < line.n && line.p[at] != '=')
			at++;
		if (at == line.n)
			return err_set(e, ERR_PERM, ERR_OF_PROCESS, "a line of the search is not NAME=VALUE");
		if (!read_line(rd, view_first(line, at), view_from(line, at + 1), f, e))
			return false;
		of = view_from(of, n < of.n ? n + 1 : n);
	}
	return true;
}

void reader_put_steps(struct row *row, const struct read_step_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct read_step_row *x = &rows[i];
		row_put_number(row, "seq", x->seq);
		row_put_time(row, "at", x->at);
		row_put(row, "step", x->step);
		if (x->event == TRACK_NO_EVENT)
			row_put(row, "event", "");
		else
			row_put_number(row, "event", (uint64_t)x->event);
		row_put(row, "event-name", track_event_name(x->event));
		row_put(row, "id", x->mts_id);
		row_put(row, "other-id", x->other_id);
		row_put(row, "peer", x->peer);
		row_put(row, "text", x->text);
		row_put_number(row, "size", x->size);
		row_send(row);
	}
}

bool reader_track(struct reader *rd, const struct msg_ask *q, struct row *row, bool *more_r, struct err *e)
{
	struct read_track f;
	struct read_step_row *rows = arena_array(rd->arena, q->max, sizeof *rows);
	size_t n;
	if (!read_search(rd, q->of, &f, e) ||
	    !store_read_track(rd->store, &f, q->after, rows, q->max, &n, &row->looked, more_r, rd->arena, e))
		return false;
	reader_put_steps(row, rows, n);
	return true;
}
