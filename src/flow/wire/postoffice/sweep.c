/* sweep.c - see postoffice.h: files that nobody names, left over from crashes of whoever (Q256187). What counts as named: a live record of
 * any bag (of a damaged bag each of its records), and an envelope of that name. Bags are written while this looks at them, so that a message may go
 * from one not yet looked at to one already done: suspects are removed only when a second look at all bags does not find them either.
 *
 *     BAGS P1S MAIS   who is named; who is there and old, and not named
 *     BAGS P1S REMOVE the same again, then those still not named go, with their attachments
 *     NAMED ATTS      once a day: attachments that the remaining messages name; when all of these could be read, old ones beside them go */
#include "flow/wire/postoffice/po_int.h"

#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

enum { YOUNG_MS = 3600 * 1000, STEP_MS = 60 * 1000, DAMAGED_MS = 24 * 3600 * 1000, REST_MS = 600 * 1000, NAMED_EVERY_MS = 24 * 3600 * 1000, SUSPECTS_MAX = 4096, FOLDERS = 16, MBG_MAX = MM_BAG_RECORDS * MM_RECORD_SIZE };
enum { MAI_MAX = 256 << 20, PARSED_MAX = 512 << 20 };

enum phase { BAGS, P1S, MAIS, BAGS_AGAIN, P1S_AGAIN, REMOVE, NAMED, ATTS, REST };

struct po_sweep {
	enum phase phase;
	DIR *dir;               /* where the walk of this phase stands */
	unsigned folder;        /* MAx or ATx */
	struct map in_bags, in_p1, in_mai;
	struct map in_transit;  /* named in INQUEUE3 or an outbound bag: these need their envelope */
	uint32_t *suspects;     /* MAI */
	size_t n_suspects, at;
	uint32_t *envelopes;    /* P1 that no bag names */
	size_t n_envelopes;
	bool unclear;           /* some MAI cannot be read: no attachment goes in this round */
	wall_ms_t rested;       /* REST: since when */
	wall_ms_t stepped;      /* when the server's clock, or ours, was last found to have been set; 0: never */
	wall_ms_t named_at;     /* when attachments were last looked at: that reads every message */
};

static void forget_sets(struct po_sweep *s)
{
	map_fini(&s->in_bags);
	map_fini(&s->in_transit);
	map_fini(&s->in_p1);
}

static void to_phase(struct po_sweep *s, enum phase next)
{
	if (s->dir != NULL)
		closedir(s->dir);
	s->dir = NULL;
	s->folder = 0;
	s->at = 0;
	s->phase = next;
}

static void start_over(struct postoffice *po, struct po_sweep *s, enum phase next)
{
	to_phase(s, next);
	forget_sets(s);
	map_fini(&s->in_mai);
	s->n_suspects = s->n_envelopes = 0;
	s->unclear = false;
	s->rested = po_now(po);
}

static void to_attachments(struct postoffice *po, struct po_sweep *s)
{
	const wall_ms_t now = po_now(po), since = now - s->named_at;
	if (s->named_at != 0 && since >= 0 && since < NAMED_EVERY_MS) {
		start_over(po, s, REST);
		return;
	}
	s->named_at = now;
	to_phase(s, NAMED);
}

void po_sweep_free(struct po_sweep **s)
{
	if (*s == NULL)
		return;
	if ((*s)->dir != NULL)
		closedir((*s)->dir);
	forget_sets(*s);
	map_fini(&(*s)->in_mai);
	mem_free_((*s)->suspects);
	mem_free_((*s)->envelopes);
	MEM_FREE(*s);
}

static void put_in(struct map *m, uint32_t id)
{
	static const char there = 1;
	if (map_get(m, id) == NULL)
		map_put(m, id, (void *)(uintptr_t)&there);
}

/* "0000006A.MAI" in any case -> 0x6A. */
static bool id_of_name(const char *name, const char *suffix, struct mm_id *id_r, uint32_t *number_r)
{
	return strlen(name) == MM_ID_LENGTH + 4 && strcasecmp(name + MM_ID_LENGTH, suffix) == 0 &&
	       mm_id_parse(view_of(name, MM_ID_LENGTH), id_r, number_r, NULL);
}

static bool is_old(const struct postoffice *po, const struct po_stamp *s, wall_ms_t age)
{
	return s->there && po_now(po) + po->skew_ms - ((wall_ms_t)s->seconds * 1000 + s->nanoseconds / 1000000) > age;
}

/* Ages are by the server's clock. It counts while it has gone with ours for as long as a file is young: what was written since then has its right age, and all
 * else is older. After one of the two was set, nothing is removed for that time. */
static bool is_steady(struct postoffice *po, struct po_sweep *s, bool *steady_r, struct err *e)
{
	wall_ms_t skew;
	if (!po_measure_skew(po, &skew, e))
		return false;
	const wall_ms_t now = po_now(po), step = skew - po->skew_ms;
	if (step > STEP_MS || step < -STEP_MS)
		s->stepped = now;
	po->skew_ms = skew;
	*steady_r = s->stepped == 0 || (now >= s->stepped && now - s->stepped > YOUNG_MS);
	return true;
}

/* The next name of this phase's directory. *name_r NULL: no more. */
static bool next_name(struct postoffice *po, struct po_sweep *s, const char *rel, const char **name_r, struct err *e)
{
	*name_r = NULL;
	if (s->dir == NULL) {
		int fd;
		const char *none;
		char inside[PO_REL_MAX + 1];
		snprintf(inside, sizeof inside, "%s/.", rel);
		if (!po_open_parent(po, inside, &fd, &none, e))
			return false;
		if (fd < 0)
			return true;
		s->dir = fdopendir(fd);
		if (s->dir == NULL) {
			const int code = errno;
			close(fd);
			return po_error(po, e, "list", rel, code);
		}
	}
	po_note(po, "list", rel);
	errno = 0;
	const struct dirent *x = readdir(s->dir);
	const int code = errno;
	po_note(po, NULL, NULL);
	if (x == NULL && code != 0)
		return po_error(po, e, "list", rel, code);
	*name_r = x == NULL ? NULL : x->d_name;
	return true;
}

/* --- who is named --- */

struct taking { struct po_sweep *s; bool in_transit; };

static void take_header(void *ctx, const struct mm_header *h)
{
	struct taking *t = ctx;
	struct mm_id id;
	uint32_t number;
	if (!mm_id_parse(view_str(h->mai.s), &id, &number, NULL))
		return;
	put_in(&t->s->in_bags, number);
	if (t->in_transit)
		put_in(&t->s->in_transit, number);
}

/* A damaged bag: whatever its records name is named. */
static bool take_raw(struct postoffice *po, const char *rel, struct taking *t, struct err *e)
{
	struct out o;
	bool there;
	out_init(&o, MBG_MAX);
	const bool ok = po_read_file(po, rel, MBG_MAX, &o, &there, e);
	const struct view all = out_view(&o);
	for (size_t at = 0; ok && at + MM_RECORD_SIZE <= all.n; at += MM_RECORD_SIZE) {
		struct mm_header h;
		if (mm_header_parse(view_first(view_from(all, at), MM_RECORD_SIZE), &h, NULL))
			take_header(t, &h);
	}
	out_fini(&o);
	return ok;
}

static bool step_bags(struct postoffice *po, struct po_sweep *s, struct err *e)
{
	const char *name;
	char bag[PO_REL_MAX + 1];
	if (!next_name(po, s, "MBG", &name, e))
		return false;
	if (name == NULL) {
		to_phase(s, s->phase == BAGS ? P1S : P1S_AGAIN);
		return true;
	}
	const size_t n = strlen(name);
	if (n <= 4 || n > 20 || strcasecmp(name + n - 4, ".MBG") != 0)
		return true;
	snprintf(bag, sizeof bag, "%.*s", (int)(n - 4), name);
	struct err why;
	struct taking t = { s, mm_same(bag, "INQUEUE3") || postoffice_is_outbound(po, bag) };
	if (po_each_live(po, bag, take_header, &t, &why))
		return true;
	if (why.culprit != ERR_OF_LINK && take_raw(po, po_rel_of("MBG", bag, ".MBG").s, &t, &why))
		return true;
	if (why.culprit == ERR_OF_LINK) {
		if (e != NULL)
			*e = why;
		return false;
	}
	start_over(po, s, REST); /* what that bag names cannot be said: nothing is an orphan for sure */
	return true;
}

static bool old_file(struct postoffice *po, const char *rel, wall_ms_t age, bool *old_r, struct err *e)
{
	struct po_stamp s;
	if (!po_stat(po, rel, &s, e))
		return false;
	*old_r = is_old(po, &s, age);
	return true;
}

/* An envelope that is over: its message is in mailboxes at most; or nobody can read it. */
static bool look_at_p1(struct postoffice *po, struct po_sweep *s, const struct mm_id *id, uint32_t number, struct err *e)
{
	bool old;
	if (map_get(&s->in_transit, number) != NULL || s->n_envelopes == SUSPECTS_MAX)
		return true;
	if (!old_file(po, po_rel_p1(id).s, YOUNG_MS, &old, e))
		return false;
	if (old)
		s->envelopes[s->n_envelopes++] = number;
	return true;
}

/* Pieces that a crash left in P1: an envelope not yet in its place, a test of locks. */
static bool look_at_piece(struct postoffice *po, const char *name, unsigned *removed, struct err *e)
{
	struct mm_id id;
	uint32_t number;
	bool old;
	const bool is_new = id_of_name(name, ".NEW", &id, &number);
	if (!is_new && !id_of_name(name, ".TST", &id, &number))
		return true;
	const struct po_rel rel = po_rel_of("P1", id.s, is_new ? ".NEW" : ".TST");
	if (!old_file(po, rel.s, YOUNG_MS, &old, e))
		return false;
	if (!old)
		return true;
	++*removed;
	return po_remove(po, rel.s, e);
}

static bool step_p1(struct postoffice *po, struct po_sweep *s, unsigned *removed, struct err *e)
{
	const char *name;
	struct mm_id id;
	uint32_t number;
	if (!next_name(po, s, "P1", &name, e))
		return false;
	if (name == NULL) {
		to_phase(s, s->phase == P1S ? MAIS : REMOVE);
		return true;
	}
	if (strlen(name) != MM_ID_LENGTH + 3 || strcasecmp(name + MM_ID_LENGTH, ".P1") != 0 || !mm_id_parse(view_of(name, MM_ID_LENGTH), &id, &number, NULL))
		return s->phase != P1S || look_at_piece(po, name, removed, e);
	put_in(&s->in_p1, number);
	return s->phase != P1S || look_at_p1(po, s, &id, number, e);
}

/* --- messages --- */

static bool step_mai(struct postoffice *po, struct po_sweep *s, struct err *e)
{
	char rel[] = { 'M', 'A', 'I', '/', 'M', 'A', "0123456789ABCDEF"[s->folder], 0 };
	const char *name;
	struct mm_id id;
	uint32_t number;
	bool old;
	if (!next_name(po, s, rel, &name, e))
		return false;
	if (name == NULL || s->n_suspects == SUSPECTS_MAX) {
		const unsigned next = s->folder + 1;
		to_phase(s, MAIS);
		s->folder = next;
		if (next == FOLDERS || s->n_suspects == SUSPECTS_MAX) {
			const bool again = s->n_suspects + s->n_envelopes > 0;
			if (again)
				to_phase(s, BAGS_AGAIN);
			else
				to_attachments(po, s);
			forget_sets(s);
		}
		return true;
	}
	if (!id_of_name(name, ".MAI", &id, &number) || map_get(&s->in_bags, number) != NULL || map_get(&s->in_p1, number) != NULL)
		return true;
	if (!old_file(po, po_rel_mai(&id).s, YOUNG_MS, &old, e))
		return false;
	if (old)
		s->suspects[s->n_suspects++] = number;
	return true;
}

/* Goes unless somebody writes it just now (who puts a message in holds its file), or has since. */
static bool remove_mai(struct postoffice *po, const struct mm_id *id, unsigned *removed, struct err *e)
{
	const struct po_rel rel = po_rel_mai(id);
	struct po_stamp s;
	int fd;
	bool got = false, named;
	if (!po_open(po, rel.s, O_RDWR, &fd, e))
		return e->culprit != ERR_OF_LINK; /* e is never NULL here. Held, or no file: left alone */
	if (fd < 0)
		return true;
	bool ok = po_try_hold(po, fd, rel.s, PO_EXCLUSIVE, &got, e) && po_fstat(po, fd, rel.s, &s, &named, e);
	if (ok && got && named && is_old(po, &s, YOUNG_MS)) {
		ok = po_remove_message(po, id, fd, rel.s, e);
		*removed += ok;
	}
	po_close(po, &fd);
	return ok;
}

static bool remove_envelope(struct postoffice *po, const struct mm_id *id, unsigned *removed, struct err *e)
{
	struct arena *a = arena_new(PARSED_MAX);
	struct mm_envelope v;
	struct err why;
	bool old = true;
	const bool readable = postoffice_read_envelope(po, id, a, &v, &why);
	bool goes = readable && v.state != MM_UNREADY; /* that one may be in a journal, however old */
	arena_free(&a);
	if (!readable && why.culprit == ERR_OF_LINK) {
		if (e != NULL)
			*e = why;
		return false;
	}
	if (!old_file(po, po_rel_p1(id).s, readable ? YOUNG_MS : DAMAGED_MS, &old, e))
		return false;
	goes = old && (goes || (!readable && why.kind == ERR_PERM));
	*removed += goes;
	return !goes || po_remove(po, po_rel_p1(id).s, e);
}

static bool step_remove(struct postoffice *po, struct po_sweep *s, unsigned *removed, struct err *e)
{
	if (s->at < s->n_suspects) {
		const uint32_t number = s->suspects[s->at++];
		const struct mm_id id = mm_id_of(number);
		const bool is_named = map_get(&s->in_bags, number) != NULL || map_get(&s->in_p1, number) != NULL;
		return is_named || remove_mai(po, &id, removed, e);
	}
	if (s->at - s->n_suspects < s->n_envelopes) {
		const uint32_t number = s->envelopes[s->at++ - s->n_suspects];
		const struct mm_id id = mm_id_of(number);
		return map_get(&s->in_transit, number) != NULL || remove_envelope(po, &id, removed, e);
	}
	/* Not all of them fit: the others' turn comes before the attachments'. */
	if (s->n_suspects == SUSPECTS_MAX)
		start_over(po, s, BAGS);
	else
		to_attachments(po, s);
	return true;
}

/* --- attachments --- */

/* Which files a message names. False: cannot be said. */
static bool take_attachments(const struct postoffice *po, struct view file, struct map *m)
{
	struct arena *a = arena_new(PARSED_MAX);
	const struct mai_limits l = mai_limits_default();
	struct mai mai;
	/* What is not understood in it may name some: another program's attachments do. */
	bool ok = mai_parse(file, po->scramble, &mai, a, &l, NULL) && mai.n_extra == 0;
	for (size_t i = 0; ok && i < mai.n_attachments; i++) {
		struct mm_id id;
		uint32_t number;
		ok = mm_id_parse(view_str(mai.attachments[i].file.s), &id, &number, NULL);
		if (ok)
			put_in(m, number);
	}
	arena_free(&a);
	return ok;
}

static bool step_named(struct postoffice *po, struct po_sweep *s, struct err *e)
{
	char rel[] = { 'M', 'A', 'I', '/', 'M', 'A', "0123456789ABCDEF"[s->folder], 0 };
	const char *name;
	struct mm_id id;
	uint32_t number;
	if (!next_name(po, s, rel, &name, e))
		return false;
	if (name == NULL) {
		const unsigned next = s->folder + 1;
		to_phase(s, NAMED);
		s->folder = next;
		if (next == FOLDERS)
			to_phase(s, ATTS);
		return true;
	}
	if (!id_of_name(name, ".MAI", &id, &number))
		return true;
	struct out o;
	struct err why;
	bool there = false;
	out_init(&o, MAI_MAX);
	const bool ok = po_read_file(po, po_rel_mai(&id).s, MAI_MAX, &o, &there, &why);
	if ((!ok || there) && !(ok && take_attachments(po, out_view(&o), &s->in_mai)))
		s->unclear = true;
	out_fini(&o);
	if (!ok && why.culprit == ERR_OF_LINK && why.kind != ERR_PERM && !po_alive(po, e))
		return false;
	s->unclear |= !ok; /* a file that the server cannot give may name some */
	if (s->unclear)
		start_over(po, s, REST);
	return true;
}

static bool step_att(struct postoffice *po, struct po_sweep *s, unsigned *removed, struct err *e)
{
	char rel[] = { 'A', 'T', 'T', '/', 'A', 'T', "0123456789ABCDEF"[s->folder], 0 };
	const char *name;
	struct mm_id id;
	uint32_t number;
	bool old;
	if (!next_name(po, s, rel, &name, e))
		return false;
	if (name == NULL) {
		const unsigned next = s->folder + 1;
		to_phase(s, ATTS);
		s->folder = next;
		if (next == FOLDERS)
			start_over(po, s, REST);
		return true;
	}
	if (!id_of_name(name, ".ATT", &id, &number) || map_get(&s->in_mai, number) != NULL)
		return true;
	if (!old_file(po, po_rel_att(&id).s, YOUNG_MS, &old, e))
		return false;
	*removed += old;
	return !old || po_remove(po, po_rel_att(&id).s, e);
}

/* At the beginning, and before anything goes. */
static bool is_due(const struct po_sweep *s)
{
	return s->at == 0 && s->folder == 0 && s->dir == NULL && (s->phase == BAGS || s->phase == REMOVE || s->phase == ATTS);
}

static bool step(struct postoffice *po, struct po_sweep *s, unsigned *removed, struct err *e)
{
	bool steady = true;
	if (is_due(s) && !is_steady(po, s, &steady, e))
		return false;
	if (!steady) {
		start_over(po, s, REST);
		return true;
	}
	switch (s->phase) {
	case BAGS:
	case BAGS_AGAIN:
		return step_bags(po, s, e);
	case P1S:
	case P1S_AGAIN:
		return step_p1(po, s, removed, e);
	case MAIS:
		return step_mai(po, s, e);
	case REMOVE:
		return step_remove(po, s, removed, e);
	case NAMED:
		return step_named(po, s, e);
	case ATTS:
		return step_att(po, s, removed, e);
	case REST:
		return true;
	}
	CANT_HAPPEN("a phase of the sweep");
}

bool postoffice_sweep(struct postoffice *po, unsigned steps, unsigned *removed_r, struct err *e)
{
	struct err why = { 0 };
	unsigned removed = 0;
	if (!po_may_write(po_check(po), "MAI", e))
		return false;
	if (po->sweep == NULL) {
		po->sweep = mem_zero(sizeof *po->sweep);
		po->sweep->suspects = mem_alloc(SUSPECTS_MAX * sizeof(uint32_t));
		po->sweep->envelopes = mem_alloc(SUSPECTS_MAX * sizeof(uint32_t));
	}
	struct po_sweep *s = po->sweep;
	const wall_ms_t since = po_now(po) - s->rested;
	if (s->phase == REST && (since >= REST_MS || since < 0))
		start_over(po, s, BAGS);
	bool ok = true;
	for (unsigned i = 0; i < steps && ok && s->phase != REST; i++)
		ok = step(po, s, &removed, &why);
	if (!ok) {
		start_over(po, s, REST);
		if (e != NULL)
			*e = why;
	}
	*removed_r = removed;
	return ok;
}
