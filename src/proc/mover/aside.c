/* aside.c - a message that ends the process that works on it: its files go into a directory of their own, its sender is told with [012]
 * (Q194600). The first time its files are looked into, for the sender and the attachments; when that ends the process as well, never again. */
#include "proc/mover/mover_int.h"

#include "base/fault.h"

enum { FILE_MAX = 256 * 1024 * 1024 };

static bool save(const char *directory, const char *id, const char *suffix, struct view octets, struct err *e)
{
	char path[700];
	snprintf(path, sizeof path, "%s/%s.%s", directory, id, suffix);
	return state_write(path, octets, e);
}

/* The file as it lies there; *o keeps it. A missing one is no failure. */
static bool save_raw(struct mover *m, const char *directory, const struct mm_id *id, bool envelope, struct out *o, struct err *e)
{
	bool there = false;
	out_clear(o);
	if (!mail_read_raw(m->here, envelope, id, FILE_MAX, o, &there, e))
		return false;
	return !there || save(directory, id->s, envelope ? "P1" : "MAI", out_view(o), e);
}

static bool save_attachment(struct mover *m, const char *directory, const struct mm_id *id, struct err *e)
{
	struct po_file *f = NULL;
	struct out o;
	uint64_t size;
	size_t got = 0;
	if (!postoffice_open_attachment(m->here, id, &f, &size, e))
		return e->kind == ERR_PERM; /* it was missing before */
	bool good = size <= FILE_MAX || err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "attachment %s: too long to be set aside", id->s);
	out_init(&o, FILE_MAX);
	uint8_t *to = good ? out_reserve(&o, (size_t)size) : NULL;
	good = good && (size == 0 || po_file_read(f, to, (size_t)size, &got, e)) && save(directory, id->s, "ATT", view_first(out_view(&o), got), e);
	po_file_close(&f);
	out_fini(&o);
	return good;
}

static bool save_attachments(struct mover *m, const char *directory, struct view mai, struct err *e)
{
	const struct mai_limits limits = mai_limits_default();
	struct mai parsed;
	if (mai.n == 0 || !mai_parse(mai, m->scramble, &parsed, m->arena, &limits, NULL))
		return true;
	for (size_t i = 0; i < parsed.n_attachments; i++)
		if (!save_attachment(m, directory, &parsed.attachments[i].file, e))
			return false;
	return true;
}

/* Its envelope, or what its MAI says in its place; everybody who is ours is refused. */
static bool read_envelope(struct mover *m, const struct po_bag_entry *entry, struct view mai, struct mm_envelope *v, struct err *e)
{
	enum mail_found found;
	if ((!mail_look(m->here, &entry->header.mai, m->arena, v, &found, NULL) || v->n == 0) && !tell_rebuild(m, entry, mai, v, e))
		return false;
	return true;
}

/* Who has it already keeps it, and is no failure. */
static bool look_who_has_it(struct mover *m, struct mm_envelope *v, struct mail_placed *placed, struct err *e)
{
	for (size_t i = 0; is_mailer(m) && i < v->n; i++) {
		struct mm_recipient *r = &v->recipients[i];
		bool holds = false;
		if (r->notice != 0 || r->bag[0] == 0)
			continue;
		if (!postoffice_holds(m->here, r->bag, &v->mai, &holds, e))
			return false;
		if (!holds) {
			r->bag[0] = 0;
			continue;
		}
		const bool outbound = mover_is_outbound(m, r->bag);
		placed->bags++;
		placed->outbound += outbound;
		r->responsible = false;
	}
	return true;
}

/* A lane looks for those of its bag that are responsible. */
static void give_back(struct mover *m, struct mm_envelope *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->recipients[i].notice == 0 && v->recipients[i].bag[0] != 0 && mover_is_outbound(m, v->recipients[i].bag))
			v->recipients[i].responsible = true;
}

static bool take_out(struct mover *m, const struct po_bag_entry *entry, struct mm_envelope *v, const struct mail_placed *placed, struct err *e)
{
	if (is_mailer(m) && v->n == 0) /* whoever has it: the sweep takes what nobody names */
		return mail_forget(m->here, m->bag, entry->slot, v, m->journal, e);
	if (is_mailer(m))
		return mail_finish(m->here, m->bag, entry->slot, v, placed, m->journal, e);
	return mail_drop(m->here, m->bag, entry->slot, v, m->journal, e);
}

static bool set_aside(struct mover *m, const struct po_bag_entry *entry, const char *directory, bool look_into, struct out *file, struct err *e)
{
	const struct mm_id *id = &entry->header.mai;
	struct mm_envelope v = { .mai = *id };
	struct mail_placed placed = { .bags = 0 };
	if (!state_make_directory(directory, e) || !save_raw(m, directory, id, true, file, e) || !save_raw(m, directory, id, false, file, e))
		return false;
	if (FAULT(MOVER_ASIDE))
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "%s: not set aside (fault point)", id->s);
	if (look_into && (!save_attachments(m, directory, out_view(file), e) || !read_envelope(m, entry, out_view(file), &v, e) ||
			  !look_who_has_it(m, &v, &placed, e)))
		return false;
	tell_refuse(&v, is_mailer(m) ? "" : m->bag, 12, 1, 12);
	if (look_into && !tell_sender(m, &v, &entry->header, out_view(file), "", e))
		return false;
	give_back(m, &v);
	return take_out(m, entry, &v, &placed, e);
}

enum did aside_take(struct mover *m, const struct po_bag_entry *entry)
{
	const struct mm_id *id = &entry->header.mai;
	const unsigned strikes = state_strikes(&m->memory, id);
	char directory[560], n[16];
	struct out file;
	struct err e;
	snprintf(directory, sizeof directory, "%s/%s-%s", m->directory, m->bag, id->s);
	snprintf(n, sizeof n, "%u", strikes);
	out_init(&file, FILE_MAX);
	m->last_try = true; /* who cannot be looked up now does not keep it here */
	const bool good = set_aside(m, entry, directory, strikes <= m->strikes_max, &file, &e);
	out_fini(&file);
	if (!good)
		return mover_did(m, &e, false);
	EMIT(m->host, MOVER_ASIDE, "mover", m->set->name, "message", id->s, "strikes", n, "directory", directory);
	return DID_DONE;
}
