/* check.c - see postoffice.h: is a postoffice whole, and what can be mended of it. Directories, sizes and counters; tables and mailbags are in
 * check_tables.c and check_bags.c. */
#include "flow/wire/postoffice/check_int.h"

#include "base/mem.h"

#include <stdarg.h>

enum { BACKUPS = 100, ARENA_QUOTA = 1 << 30, TID_SIZE = 4 };

void check_found(struct check *c, const char *file, bool mended, const char *fmt, ...)
{
	char what[CHECK_TEXT];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	c->n.found++;
	c->n.mended += mended;
	c->each(c->ctx, file, what, mended);
}

bool check_read(struct check *c, const char *rel, struct out *o, bool *there_r, struct err *e)
{
	struct err why;
	out_clear(o);
	if (po_read_file(c->po, rel, CHECK_FILE_MAX, o, there_r, &why))
		return true;
	if (why.kind != ERR_PERM || why.culprit != ERR_OF_MESSAGE) {
		if (e != NULL)
			*e = why;
		return false;
	}
	check_found(c, rel, false, "%s", why.text); /* no plain file, or too large */
	*there_r = false;
	return true;
}

/* "GLB/NETWORK.GLB" -> "GLB/NETWORK.BAK", ".B01" ... */
static struct po_rel backup_name(const char *rel, unsigned i)
{
	struct po_rel to;
	const char *slash = strrchr(rel, '/'), *dot = strrchr(rel, '.');
	const size_t n = dot != NULL && (slash == NULL || dot > slash) ? (size_t)(dot - rel) : strlen(rel);
	if (i == 0)
		snprintf(to.s, sizeof to.s, "%.*s.BAK", (int)n, rel);
	else
		snprintf(to.s, sizeof to.s, "%.*s.B%02u", (int)n, rel, i);
	return to;
}

bool check_backup(struct check *c, const char *rel, struct err *e)
{
	struct out o;
	struct po_stamp s;
	bool there = false, ok;
	out_init(&o, CHECK_FILE_MAX);
	ok = po_read_file(c->po, rel, CHECK_FILE_MAX, &o, &there, e);
	if (!ok || !there) {
		out_fini(&o);
		return ok;
	}
	for (unsigned i = 0; i < BACKUPS; i++) {
		const struct po_rel to = backup_name(rel, i);
		ok = po_stat(c->po, to.s, &s, e);
		if (ok && s.there)
			continue;
		ok = ok && po_write_new(c->po, to.s, out_view(&o), e);
		out_fini(&o);
		return ok;
	}
	out_fini(&o);
	return err_set(e, ERR_PERM, ERR_OF_LINK, "postoffice: %s has %d copies beside it: it is not changed until some are removed", rel, BACKUPS);
}

bool check_put(struct check *c, const char *rel, struct view octets, bool *mended_r, struct err *e)
{
	struct err why = { 0 };
	*mended_r = c->repair && check_backup(c, rel, &why) && po_replace(c->po, rel, octets, &why);
	if (*mended_r || why.kind == ERR_NONE || why.kind == ERR_PERM)
		return true;
	if (e != NULL)
		*e = why;
	return false;
}

void check_saw_bag(struct check *c, uint32_t number)
{
	if (number >= c->next_bag)
		c->next_bag = (uint64_t)number + 1;
}

void check_saw_tid(struct check *c, uint32_t tid)
{
	if (tid >= c->next_tid && tid < UINT32_MAX)
		c->next_tid = tid + 1;
}

bool check_id_name(const char *name, const char *suffix, uint32_t *number_r)
{
	const size_t n = strlen(name);
	return n == MM_ID_LENGTH + strlen(suffix) && view_eq_nocase(view_of(name + MM_ID_LENGTH, n - MM_ID_LENGTH), view_str(suffix)) &&
	       mm_id_parse(view_of(name, MM_ID_LENGTH), NULL, number_r, NULL);
}

/* --- directories --- */
struct twins { struct check *c; const char *parent; bool seen[ARRAY_LEN(mm_directories)]; unsigned n; };

static bool on_directory(void *ctx, const char *name)
{
	struct twins *t = ctx;
	char rel[32];
	const int n = snprintf(rel, sizeof rel, "%s%s%s", t->parent, *t->parent == 0 ? "" : "/", name);
	for (size_t i = 0; n < (int)sizeof rel && i < ARRAY_LEN(mm_directories); i++) {
		if (!mm_same(mm_directories[i], rel))
			continue;
		if (t->seen[i])
			check_found(t->c, mm_directories[i], false, "two directories have this name but for upper and lower case: what is in one of them is never seen");
		t->n += t->seen[i];
		t->seen[i] = true;
	}
	return true;
}

/* What lies in the other one would count as missing, and be mended away. */
static bool check_twins(struct check *c, struct err *e)
{
	static const char *const parents[] = { "", "ATT", "MAI" };
	unsigned n = 0;
	for (size_t i = 0; i < ARRAY_LEN(parents); i++) {
		struct twins t = { .c = c, .parent = parents[i] };
		if (!po_list(c->po, parents[i], on_directory, &t, e))
			return false;
		n += t.n;
	}
	return n == 0 || !c->repair ||
	       err_set(e, ERR_PERM, ERR_OF_LINK, "two directories have one name but for upper and lower case: put the files of both into one of them first");
}

static bool check_dir(struct check *c, const char *dir, struct err *e)
{
	bool there, mended = false;
	if (!po_dir_there(c->po, dir, &there, e))
		return false;
	if (there)
		return true;
	if (c->repair) {
		if (!po_make_populated(c->po, dir, e))
			return false;
		mended = true;
	}
	check_found(c, dir, mended, "this directory is missing");
	/* The locks could not be tried without it (Q266442). */
	if (mended && strcmp(dir, "P1") == 0 && !c->po->health.locks_work)
		return po_look_at_locks(c->po, e);
	return true;
}

/* --- files that every postoffice has --- */
/* What a missing one cannot be made up from: users, names, routes. Mailbags and the counters have their own parts. */
static bool is_made_up(const struct mm_file_rule *r)
{
	static const char *const not[] = { "ACCESS.GLB", "ACCESS2.GLB", "ACCESS3.GLB", "MASTER.GLB", "NETWORK.GLB", "ADMIN.NME" };
	for (size_t i = 0; i < ARRAY_LEN(not); i++)
		if (strcmp(r->name, not[i]) == 0)
			return false;
	return true;
}

static bool has_own_part(const struct mm_file_rule *r)
{
	return strcmp(r->dir, "KEY") == 0 || strcmp(r->dir, "MBG") == 0 || strcmp(r->dir, "XTN") == 0 || strcmp(r->name, "CONTROL.GLB") == 0 ||
	       strcmp(r->name, "TID.GLB") == 0;
}

static bool make_dirs_of(struct check *c, const char *dir, struct err *e)
{
	for (const char *slash = strchr(dir, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		char parent[PO_REL_MAX + 1];
		snprintf(parent, sizeof parent, "%.*s", (int)(slash - dir), dir);
		if (!po_make_dir(c->po, parent, e))
			return false;
	}
	return po_make_dir(c->po, dir, e);
}

static bool check_there(struct check *c, const struct mm_file_rule *r, struct err *e)
{
	static const uint8_t zeroes[512];
	const struct po_rel rel = po_rel_of(r->dir, r->name, "");
	struct po_stamp s;
	bool mended = false;
	if (!po_stat(c->po, rel.s, &s, e))
		return false;
	if (s.there)
		return true;
	if (c->repair && is_made_up(r)) {
		assert(r->fresh <= sizeof zeroes);
		if (!make_dirs_of(c, r->dir, e) || !po_replace(c->po, rel.s, view_of(zeroes, r->fresh), e))
			return false;
		mended = true;
	}
	check_found(c, rel.s, mended, "this file is missing%s", is_made_up(r) ? "" : ": only a copy from elsewhere can bring it back");
	return true;
}

/* --- sizes --- */
struct names { char (*s)[PO_REL_MAX + 1]; size_t n; struct arena *arena; };

static bool add_name(void *ctx, const char *name)
{
	struct names *l = ctx;
	if (strlen(name) > PO_REL_MAX)
		return true;
	if ((l->n & (l->n - 1)) == 0) { /* grows by doubling, in the arena */
		char(*more)[PO_REL_MAX + 1] = arena_array(l->arena, l->n == 0 ? 64 : l->n * 2 + 64, sizeof *more);
		if (more == NULL)
			return false;
		if (l->n > 0)
			memcpy(more, l->s, l->n * sizeof *more);
		l->s = more;
	}
	snprintf(l->s[l->n++], PO_REL_MAX + 1, "%s", name);
	return true;
}

/* What is too much or half goes; what is too short gets zeroes where these say nothing. False in *how_r: only a person knows. */
static bool fit(const struct mm_file_rule *r, struct out *o)
{
	const size_t n = out_len(o);
	static const uint8_t zeroes[8];
	if (n < r->head) {
		const bool says_nothing = r->head <= sizeof zeroes; /* FLAG, heads of GROUP and GRPMEM, SERIALNO */
		out_bytes(o, view_of(zeroes, says_nothing ? r->head - n : 0));
		return says_nothing;
	}
	size_t keep = r->unit == 0 ? r->head : r->head + (n - r->head) / r->unit * r->unit;
	if (r->unit != 0 && r->max != 0 && (keep - r->head) / r->unit > r->max)
		return false; /* whole records are not thrown away */
	if (r->unit == 0 && r->head > sizeof zeroes && keep != n)
		return false;
	o->n = o->head + keep;
	return true;
}

static bool check_size(struct check *c, const char *dir, const char *name, struct err *e)
{
	const struct mm_file_rule *r = mm_file_rule_of(dir, name);
	const struct po_rel rel = po_rel_of(dir, name, "");
	struct po_stamp s;
	struct out o;
	bool there, mended = false;
	if (r == NULL || strcmp(name, "CONTROL.GLB") == 0 || strcmp(name, "TID.GLB") == 0 || strncmp(name, "ACCESS", 6) == 0 || strcmp(name, "NETPO.GLB") == 0)
		return true;
	if (!po_stat(c->po, rel.s, &s, e))
		return false;
	if (!s.there || mm_file_size_fits(r, s.size))
		return true;
	out_init(&o, CHECK_FILE_MAX);
	bool ok = !c->repair || check_read(c, rel.s, &o, &there, e);
	if (ok && c->repair && there && fit(r, &o))
		ok = check_put(c, rel.s, out_view(&o), &mended, e);
	out_fini(&o);
	if (!ok)
		return false;
	if (r->unit == 0)
		check_found(c, rel.s, mended, "it has %llu octets, want %u", (unsigned long long)s.size, r->head);
	else
		check_found(c, rel.s, mended, "it has %llu octets, want %u and a multiple of %u%s", (unsigned long long)s.size, r->head, r->unit,
			    r->max == 0 ? "" : ", up to its limit");
	return true;
}

static bool check_sizes(struct check *c, struct err *e)
{
	static const char *const dirs[] = { "GLB", "GRP", "MEM", "NME", "USR", "XTN", "FOLDERS" };
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		struct names l = { .arena = c->arena };
		if (!po_list(c->po, dirs[i], add_name, &l, e))
			return false;
		for (size_t k = 0; k < l.n; k++) {
			uint32_t number;
			if (strcmp(dirs[i], "XTN") == 0 && check_id_name(l.s[k], ".XTN", &number))
				check_saw_bag(c, number);
			if ((strcmp(dirs[i], "MEM") == 0 && check_id_name(l.s[k], ".MEM", &number)) || (strcmp(dirs[i], "GRP") == 0 && check_id_name(l.s[k], ".GRP", &number)))
				check_saw_bag(c, number);
			if (!check_size(c, dirs[i], l.s[k], e))
				return false;
		}
	}
	return true;
}

/* --- NETPO.GLB (Q110100, Q110223) --- */
static bool check_netpo(struct check *c, struct err *e)
{
	static const char rel[] = "GLB/NETPO.GLB";
	static const uint8_t zeroes[MM_NETPO_HEAD];
	struct out o;
	struct err why;
	bool there, mended = false, ok = true;
	out_init(&o, CHECK_FILE_MAX);
	if (!check_read(c, rel, &o, &there, e))
		ok = false;
	else if (there && !mm_netpo_check(out_view(&o), &why)) {
		const bool whole = out_len(&o) >= MM_NETPO_HEAD && (out_len(&o) - MM_NETPO_HEAD) % MM_NETPO_SIZE == 0;
		if (whole)
			memset(o.p + o.head, 0, MM_NETPO_HEAD); /* deleted places are lost, nothing else */
		ok = check_put(c, rel, whole ? out_view(&o) : view_of(zeroes, sizeof zeroes), &mended, e);
		if (ok)
			check_found(c, rel, mended, "%s%s", why.text, whole ? "" : "; emptied, external names of address lists and groups must be added again");
	}
	out_fini(&o);
	return ok;
}

/* --- counters: in place, while held, for who allocates holds the file --- */
static bool put_held(struct check *c, const char *rel, struct view octets, struct err *e)
{
	int fd;
	if (!check_backup(c, rel, e) || !po_open(c->po, rel, O_RDWR | O_CREAT, &fd, e))
		return false;
	const bool ok = po_hold(c->po, fd, rel, PO_EXCLUSIVE, e) && po_write_at(c->po, fd, rel, octets.p, octets.n, 0, e) &&
			po_truncate(c->po, fd, rel, octets.n, e) && po_sync(c->po, fd, rel, e);
	po_close(c->po, &fd);
	return ok;
}

/* Behind the highest number there is none: then it has begun anew, and who allocates skips over what is in use. */
static uint32_t at_least(uint32_t is, uint64_t next)
{
	return next > UINT32_MAX || is >= next ? is : (uint32_t)next;
}

static bool check_control(struct check *c, struct err *e)
{
	static const char rel[] = "GLB/CONTROL.GLB";
	uint8_t octets[MM_CONTROL_SIZE];
	struct mm_control is = { 0 }, want;
	struct out o;
	struct err why = { 0 };
	bool there;
	out_init(&o, CHECK_FILE_MAX);
	bool ok = check_read(c, rel, &o, &there, e);
	const bool whole = ok && there && mm_control_parse(out_view(&o), &is, &why);
	const size_t size = out_len(&o);
	out_fini(&o);
	if (!ok)
		return false;
	want.nmailbag = at_least(is.nmailbag, c->next_bag);
	want.nletter = at_least(is.nletter, c->next_letter);
	if (whole && want.nmailbag == is.nmailbag && want.nletter == is.nletter)
		return true;
	mm_control_print(&want, octets);
	if (c->repair && !put_held(c, rel, view_of(octets, sizeof octets), e))
		return false;
	if (!whole)
		check_found(c, rel, c->repair, "it %s%zu octets, want 8: the counters are %08X and %08X by what is there", there ? "has " : "is missing: ", size,
			    (unsigned)want.nmailbag, (unsigned)want.nletter);
	else
		check_found(c, rel, c->repair, "the counters are %08X and %08X, want at least %08X and %08X: higher ones are in use", (unsigned)is.nmailbag,
			    (unsigned)is.nletter, (unsigned)want.nmailbag, (unsigned)want.nletter);
	return true;
}

static bool check_tid(struct check *c, struct err *e)
{
	static const char rel[] = "GLB/TID.GLB";
	struct out o;
	uint8_t octets[TID_SIZE];
	uint32_t is = 0;
	bool there;
	out_init(&o, CHECK_FILE_MAX);
	bool ok = check_read(c, rel, &o, &there, e);
	const size_t size = out_len(&o);
	if (ok && size == TID_SIZE)
		for (size_t i = TID_SIZE; i-- > 0;)
			is = is << 8 | out_view(&o).p[i];
	out_fini(&o);
	if (!ok || (there && size == TID_SIZE && is >= c->next_tid))
		return ok;
	for (size_t i = 0; i < TID_SIZE; i++)
		octets[i] = (uint8_t)((is > c->next_tid ? is : c->next_tid) >> 8 * i);
	if (c->repair && !put_held(c, rel, view_of(octets, sizeof octets), e))
		return false;
	if (there && size == TID_SIZE)
		check_found(c, rel, c->repair, "the next TID is %u, want at least %u", (unsigned)is, (unsigned)c->next_tid);
	else
		check_found(c, rel, c->repair, "it has %zu octets, want %d", size, TID_SIZE);
	return true;
}

/* --- all of it --- */
static bool check_files(struct check *c, struct err *e)
{
	if (!check_twins(c, e))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(mm_directories); i++)
		if (!check_dir(c, mm_directories[i], e))
			return false;
	for (size_t i = 0; i < mm_file_rules_n; i++)
		if (mm_file_rules[i].fresh != UINT32_MAX && !has_own_part(&mm_file_rules[i]) && !check_there(c, &mm_file_rules[i], e))
			return false;
	return check_sizes(c, e) && check_netpo(c, e);
}

/* What has been made elsewhere keeps what is not public in other places: only what is published is looked at there, and nothing is mended. */
static bool check_foreign(struct check *c, struct err *e)
{
	if (c->repair)
		return err_set(e, ERR_PERM, ERR_OF_LINK, "GLB/MASTER.GLB: bears no mark of ours: mending would be by guess, so this postoffice is only looked at");
	check_found(c, "GLB/MASTER.GLB", false, "it bears no mark of ours: users, mailbags and messages are not looked at");
	return check_files(c, e) && check_networks(c, e) && check_scan(c, e) && check_control(c, e);
}

static bool check_ours(struct check *c, struct err *e)
{
	return check_files(c, e) && check_users(c, e) && check_networks(c, e) && check_scan(c, e) && check_control(c, e) && check_bags(c, e) &&
	       check_messages(c, e) && check_tid(c, e);
}

bool postoffice_check(struct postoffice *po, bool repair, void (*each)(void *ctx, const char *file, const char *what, bool mended), void *ctx,
		      struct postoffice_findings *n_r, struct err *e)
{
	struct err why = { 0 };
	struct check c = { .po = po_check(po), .repair = repair, .each = each, .ctx = ctx, .arena = arena_new(ARENA_QUOTA), .next_bag = 1, .next_letter = 0 };
	const bool ok = po->master.own.network[0] == 0 ? check_foreign(&c, &why) : check_ours(&c, &why);
	map_fini(&c.bags);
	map_fini(&c.messages);
	map_fini(&c.envelopes);
	map_fini(&c.attachments);
	map_fini(&c.found_bags);
	arena_free(&c.arena);
	if (!ok && e != NULL)
		*e = why;
	*n_r = c.n;
	return ok;
}
