/* check_bags.c - see check_int.h: mailbags (KEY and MBG are mended as a pair, Q104279), messages and how many hold them, files that nobody names.
 *
 * A KEY that is lost takes the knowledge with it which records are live. It comes back from the messages: a message's counter says how many
 * mailbags hold it; what the sound ones do not account for is live in the damaged one. */
#include "flow/wire/postoffice/check_int.h"

#include "base/mem.h"

enum { MAI_HEAD = 4096, MAI_MAX = 1 << 28, MAI_ARENA = 1 << 28 };

static const char *const system_bags[] = { "INQUEUE3", "INQUEUE", "SYSTEM" };

struct bag {
	char name[MM_ID_LENGTH + 1];
	struct po_rel key_rel, mbg_rel;
	const char *owner;     /* NULL: nobody */
	bool has_key, has_mbg; /* the files are there */
	bool lost;             /* which records are live is not known */
	bool stuck;            /* a file of it is no plain one, or far too large: a person has to look */
	struct mm_key key;
	struct out mbg, key_was; /* the files as they were read */
	unsigned records;
	bool changed;
};

static void bag_fini(struct bag *b)
{
	out_fini(&b->mbg);
	out_fini(&b->key_was);
}

static uint64_t key_of(uint32_t number)
{
	return (uint64_t)number + 1;
}

/* --- what is there --- */
struct scan { struct check *c; const char *dir, *suffix; struct map *into, seen; size_t size; bool failed; };

static bool on_id_file(void *ctx, const char *name)
{
	struct scan *s = ctx;
	uint32_t number;
	if (!check_id_name(name, s->suffix, &number))
		return true;
	if (s->into == &s->c->found_bags)
		check_saw_bag(s->c, number);
	else if (number >= s->c->next_letter)
		s->c->next_letter = (uint64_t)number + 1;
	if (map_get(&s->seen, key_of(number)) != NULL) {
		const struct po_rel rel = po_rel_of(s->dir, name, "");
		check_found(s->c, rel.s, false, "another file has this name but for upper and lower case: one of the two is never read");
		return true;
	}
	map_put(&s->seen, key_of(number), s);
	if (map_get(s->into, key_of(number)) != NULL) /* a KEY's MBG */
		return true;
	void *value = arena_get(s->c->arena, s->size);
	s->failed = value == NULL;
	if (value != NULL)
		map_put(s->into, key_of(number), value);
	return !s->failed;
}

static bool scan_dir(struct check *c, const char *dir, const char *suffix, struct map *into, size_t size, struct err *e)
{
	struct scan s = { .c = c, .dir = dir, .suffix = suffix, .into = into, .size = size };
	const bool ok = po_list(c->po, dir, on_id_file, &s, e);
	map_fini(&s.seen);
	if (!ok)
		return false;
	return !s.failed || err_set(e, ERR_TEMP, ERR_OF_PROCESS, "postoffice: %s has more files than can be checked at once", dir);
}

static bool scan_messages(struct check *c, struct err *e)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < 16; i++) {
		const char mai[] = { 'M', 'A', 'I', '/', 'M', 'A', digits[i], 0 }, att[] = { 'A', 'T', 'T', '/', 'A', 'T', digits[i], 0 };
		if (!scan_dir(c, mai, ".MAI", &c->messages, sizeof(struct check_message), e) || !scan_dir(c, att, ".ATT", &c->attachments, sizeof(bool), e))
			return false;
	}
	return scan_dir(c, "P1", ".P1", &c->envelopes, 1, e);
}

/* --- a bag as it is --- */
static bool read_bag(struct check *c, struct bag *b, struct err *e)
{
	struct err why;
	bool there;
	b->key_rel = po_rel_of("KEY", b->name, ".KEY");
	b->mbg_rel = po_rel_of("MBG", b->name, ".MBG");
	const unsigned found = c->n.found;
	if (!check_read(c, b->key_rel.s, &b->key_was, &there, e) || !check_read(c, b->mbg_rel.s, &b->mbg, &b->has_mbg, e))
		return false;
	b->stuck = c->n.found > found;
	const size_t size = out_len(&b->key_was);
	b->has_key = there;
	b->lost = size != MM_KEY_SIZE;
	if (!b->lost)
		memcpy(b->key.octets, out_view(&b->key_was).p, MM_KEY_SIZE);
	const size_t records = out_len(&b->mbg) / MM_RECORD_SIZE;
	b->records = records > MM_BAG_RECORDS ? MM_BAG_RECORDS : (unsigned)records;
	if (b->owner == NULL) { /* what an aborted creation or a deleted user has left: only counted */
		b->lost = b->lost || !mm_key_check(&b->key, out_len(&b->mbg), NULL);
		return true;
	}
	c->unsure = c->unsure || b->stuck;
	if (b->stuck) /* said */
		return true;
	if (!b->has_key || !b->has_mbg) {
		check_found(c, b->has_key ? b->mbg_rel.s : b->key_rel.s, c->repair, "it is missing: the mailbag of %s", b->owner);
		b->changed = true;
	} else if (b->lost) {
		check_found(c, b->key_rel.s, c->repair, "it has %zu octets, want %d", size, MM_KEY_SIZE);
		b->changed = true;
	} else if (!mm_key_check(&b->key, out_len(&b->mbg), &why)) {
		check_found(c, b->key_rel.s, c->repair, "%s", why.text);
		b->changed = true;
	}
	if (out_len(&b->mbg) != (size_t)b->records * MM_RECORD_SIZE) {
		check_found(c, b->mbg_rel.s, c->repair, "it has %zu octets, want a multiple of %d, up to %d", out_len(&b->mbg), MM_RECORD_SIZE,
			    MM_BAG_RECORDS * MM_RECORD_SIZE);
		b->changed = true;
	}
	return true;
}

static struct view record_at(const struct bag *b, unsigned i)
{
	return view_first(view_from(out_view(&b->mbg), (size_t)i * MM_RECORD_SIZE), MM_RECORD_SIZE);
}

static bool is_user_bag(const struct bag *b)
{
	for (size_t i = 0; i < ARRAY_LEN(system_bags); i++)
		if (mm_same(b->name, system_bags[i]))
			return false;
	return b->owner != NULL && strncmp(b->owner, "the mailbox", 11) == 0;
}

/* Does an earlier live record name the same message? (Q77926: never) */
static bool is_twice(const struct bag *b, unsigned i, const char *id)
{
	struct mm_header h;
	for (unsigned k = 0; k < i; k++)
		if (mm_key_is_live(&b->key, k) && mm_header_parse(record_at(b, k), &h, NULL) && mm_same(h.mai.s, id))
			return true;
	return false;
}

static void drop(struct bag *b, unsigned i)
{
	mm_key_drop(&b->key, i, true);
	b->changed = true;
}

/* One live record: it names a message that is there, once. */
static void check_record(struct check *c, struct bag *b, unsigned i)
{
	struct mm_header h;
	struct err why;
	uint32_t number;
	if (!mm_header_parse(record_at(b, i), &h, &why)) {
		if (b->owner == NULL)
			return;
		check_found(c, b->mbg_rel.s, c->repair, "record %u: %s", i, why.text);
		drop(b, i);
		return;
	}
	if (!mm_id_parse(view_str(h.mai.s), NULL, &number, NULL))
		CANT_HAPPEN("a header with an id that is none");
	struct check_message *m = map_get(&c->messages, key_of(number));
	if (b->owner == NULL) {
		if (m != NULL)
			m->held++;
	} else if (m == NULL && is_user_bag(b)) {
		check_found(c, b->mbg_rel.s, c->repair, "record %u: its message %s is missing (from %.10s, %.40s)", i, h.mai.s, h.from, h.subject);
		drop(b, i);
	} else if (m == NULL) {
		check_found(c, b->mbg_rel.s, false, "record %u: its message %s is missing; who takes it tells its sender", i, h.mai.s);
	} else if (is_twice(b, i, h.mai.s)) {
		check_found(c, b->mbg_rel.s, c->repair, "record %u: message %s is in this mailbag already", i, h.mai.s);
		drop(b, i);
	} else {
		const bool queued = mm_same(b->name, system_bags[0]);
		m->held++;
		m->in_inqueue3 = m->in_inqueue3 || queued;
		if (queued && map_get(&c->envelopes, key_of(number)) == NULL)
			check_found(c, b->mbg_rel.s, false, "record %u: the envelope of its message %s is missing; who takes it tells its sender", i, h.mai.s);
	}
}

/* --- bringing a pair back --- */
/* The KEY is there but disagrees with the MBG: what it says of records that exist counts; how many are new, nobody knows. */
static void trim_key(struct bag *b)
{
	struct mm_key was = b->key;
	memset(&b->key, 0, sizeof b->key);
	for (unsigned i = 0; i < b->records; i++)
		if (mm_key_is_live(&was, i))
			mm_key_add(&b->key, i, true);
}

/* How many mailbags hold it by its own counter; 0: it cannot be said. */
static bool counter_of(struct check *c, const struct po_rel *rel, uint16_t *bags_r, struct err *e)
{
	uint8_t head[MAI_HEAD];
	size_t got = 0, at;
	int fd;
	*bags_r = 0;
	if (!po_open(c->po, rel->s, O_RDONLY, &fd, e))
		return false;
	if (fd < 0)
		return true;
	const bool ok = po_read_at(c->po, fd, rel->s, head, sizeof head, 0, &got, e);
	po_close(c->po, &fd);
	if (ok && !mai_bags(view_of(head, got), bags_r, &at, NULL))
		*bags_r = 0;
	return ok;
}

/* Every record whose message has more holders than are accounted for is live. The sound bags have been counted before. */
static bool bring_back(struct check *c, struct bag *b, struct err *e)
{
	unsigned n = 0;
	memset(&b->key, 0, sizeof b->key);
	for (unsigned i = 0; i < b->records; i++) {
		struct mm_header h;
		uint32_t number;
		uint16_t bags;
		if (!mm_header_parse(record_at(b, i), &h, NULL) || !mm_id_parse(view_str(h.mai.s), NULL, &number, NULL))
			continue;
		struct check_message *m = map_get(&c->messages, key_of(number));
		if (m == NULL || is_twice(b, i, h.mai.s))
			continue;
		const struct po_rel rel = po_rel_mai(&h.mai);
		if (!counter_of(c, &rel, &bags, e))
			return false;
		if (bags <= m->held)
			continue;
		mm_key_add(&b->key, i, true);
		m->held++;
		m->in_inqueue3 = m->in_inqueue3 || mm_same(b->name, "INQUEUE3");
		n++;
	}
	if ((n > 0 || b->records > 0) && !b->stuck)
		check_found(c, b->key_rel.s, c->repair, "%u of its %u records are live, by the counters of their messages", n, b->records);
	return true;
}

/* --- writing it --- */
static bool is_as_read(struct check *c, const struct po_rel *rel, struct view was, struct err *e)
{
	struct out o;
	bool there;
	out_init(&o, CHECK_FILE_MAX);
	bool ok = po_read_file(c->po, rel->s, CHECK_FILE_MAX, &o, &there, e);
	if (ok && !view_eq(out_view(&o), was))
		ok = err_set(e, ERR_TEMP, ERR_OF_LINK, "%s: has changed while it was mended: again, when nobody else works on it", rel->s);
	out_fini(&o);
	return ok;
}

static bool write_in_place(struct check *c, const struct po_rel *rel, int fd, struct view octets, struct err *e)
{
	return (octets.n == 0 || po_write_at(c->po, fd, rel->s, octets.p, octets.n, 0, e)) && po_truncate(c->po, fd, rel->s, octets.n, e) &&
	       po_sync(c->po, fd, rel->s, e);
}

/* Both in place, while the KEY is held: clients keep them open. */
static bool put_held_pair(struct check *c, const struct bag *b, int key, struct err *e)
{
	int mbg;
	if (!po_hold(c->po, key, b->key_rel.s, PO_EXCLUSIVE, e) || !is_as_read(c, &b->key_rel, out_view(&b->key_was), e) ||
	    !is_as_read(c, &b->mbg_rel, out_view(&b->mbg), e) || !check_backup(c, b->key_rel.s, e) || !check_backup(c, b->mbg_rel.s, e) ||
	    !po_open(c->po, b->mbg_rel.s, O_RDWR | O_CREAT, &mbg, e))
		return false;
	const bool ok = write_in_place(c, &b->mbg_rel, mbg, view_first(out_view(&b->mbg), (size_t)b->records * MM_RECORD_SIZE), e);
	po_close(c->po, &mbg);
	return ok && write_in_place(c, &b->key_rel, key, view_of(b->key.octets, MM_KEY_SIZE), e);
}

static bool put_pair(struct check *c, const struct bag *b, struct err *e)
{
	int key;
	if (!po_open(c->po, b->key_rel.s, O_RDWR | O_CREAT, &key, e))
		return false;
	const bool ok = put_held_pair(c, b, key, e);
	po_close(c->po, &key);
	return ok && po_sync_dir(c->po, "KEY", e) && po_sync_dir(c->po, "MBG", e);
}

static bool finish_bag(struct check *c, struct bag *b, struct err *e)
{
	if (b->owner == NULL) {
		const unsigned live = b->lost ? 0 : mm_key_live(&b->key);
		if (live > 0)
			check_found(c, b->mbg_rel.s, false, "%u records, and nobody has this mailbag", live);
		else
			c->n.orphans += b->has_key + b->has_mbg;
		return true; /* nothing of nobody's is changed */
	}
	return !b->changed || !c->repair || put_pair(c, b, e);
}

/* --- locks: nobody else works on any of them --- */
static bool lock_all(struct check *c, const struct bag *bags, size_t n, struct po_lock **locks, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (bags[i].owner == NULL) /* which is not changed */
			continue;
		if (!postoffice_lock(c->po, bags[i].name, &locks[i], e))
			return false;
		if (locks[i] == NULL) { /* e says who */
			e->kind = ERR_TEMP;
			return false;
		}
	}
	return true;
}

static void unlock_all(size_t n, struct po_lock **locks)
{
	for (size_t i = 0; i < n; i++)
		postoffice_unlock(&locks[i]);
}

/* --- all bags --- */
static void name_bag(struct bag *b, const char *name, const char *owner)
{
	*b = (struct bag){ .owner = owner };
	snprintf(b->name, sizeof b->name, "%.8s", name);
	out_init(&b->mbg, CHECK_FILE_MAX);
	out_init(&b->key_was, CHECK_FILE_MAX);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/* All of them, however many and whatever their numbers: what one that is passed over holds would count as held by nobody. */
static struct bag *list_bags(struct check *c, size_t *n_r)
{
	uint64_t *keys = mem_alloc(mem_mul(c->bags.n + c->found_bags.n + 1, sizeof *keys));
	size_t n = 0;
	for (size_t k = 0; k < c->bags.cap; k++)
		if (c->bags.slots[k].value != NULL)
			keys[n++] = c->bags.slots[k].key;
	for (size_t k = 0; k < c->found_bags.cap; k++)
		if (c->found_bags.slots[k].value != NULL && map_get(&c->bags, c->found_bags.slots[k].key) == NULL)
			keys[n++] = c->found_bags.slots[k].key;
	qsort(keys, n, sizeof *keys, by_number); /* so that findings are in order */
	struct bag *bags = mem_zero(mem_mul(n + ARRAY_LEN(system_bags), sizeof *bags));
	*n_r = 0;
	for (size_t k = 0; k < ARRAY_LEN(system_bags); k++)
		name_bag(&bags[(*n_r)++], system_bags[k], "the postoffice");
	for (size_t k = 0; k < n; k++)
		name_bag(&bags[(*n_r)++], mm_id_of((uint32_t)(keys[k] - 1)).s, map_get(&c->bags, keys[k]));
	mem_free_(keys);
	return bags;
}

static bool walk_bags(struct check *c, struct bag *bags, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct bag *b = &bags[i];
		if (!read_bag(c, b, e))
			return false;
		if (b->lost)
			continue;
		if (b->changed)
			trim_key(b);
		for (unsigned k = 0; k < b->records; k++)
			if (mm_key_is_live(&b->key, k))
				check_record(c, b, k);
		if (b->owner == NULL) /* there may be very many */
			bag_fini(b);
	}
	for (size_t i = 0; i < n; i++)
		if ((bags[i].lost && bags[i].owner != NULL && !bring_back(c, &bags[i], e)) || !finish_bag(c, &bags[i], e))
			return false;
	return true;
}

bool check_scan(struct check *c, struct err *e)
{
	return scan_messages(c, e) && scan_dir(c, "MBG", ".MBG", &c->found_bags, 1, e) && scan_dir(c, "KEY", ".KEY", &c->found_bags, 1, e);
}

bool check_bags(struct check *c, struct err *e)
{
	size_t n;
	struct bag *bags = list_bags(c, &n);
	struct po_lock **locks = mem_zero(mem_mul(n, sizeof(void *)));
	bool ok = (!c->repair || lock_all(c, bags, n, locks, e)) && walk_bags(c, bags, n, e);
	unlock_all(n, locks);
	for (size_t i = 0; i < n; i++)
		bag_fini(&bags[i]);
	mem_free_(bags);
	mem_free_(locks);
	return ok;
}

/* --- messages --- */
/* Marks the attachments of a message that somebody holds. */
static bool mark_attachments(struct check *c, const struct po_rel *rel, struct arena *a, struct err *e)
{
	const struct mai_limits limits = mai_limits_default();
	struct mai m;
	struct out o;
	struct err why;
	bool there;
	out_init(&o, MAI_MAX);
	bool ok = po_read_file(c->po, rel->s, MAI_MAX, &o, &there, &why);
	if (!ok && !(why.kind == ERR_PERM && why.culprit == ERR_OF_MESSAGE)) {
		*e = why;
		out_fini(&o);
		return false;
	}
	ok = ok && (!there || mai_parse(out_view(&o), c->po->scramble, &m, a, &limits, &why));
	if (!ok)
		check_found(c, rel->s, false, "%s", why.text);
	for (size_t i = 0; ok && there && i < m.n_attachments; i++) {
		uint32_t number;
		if (!mm_id_parse(view_str(m.attachments[i].file.s), NULL, &number, NULL))
			continue;
		bool *named = map_get(&c->attachments, key_of(number));
		if (named == NULL)
			check_found(c, rel->s, false, "its attachment %s is missing", m.attachments[i].file.s);
		else
			*named = true;
	}
	out_fini(&o);
	arena_reset(a);
	return true;
}

/* While its recipients are being placed the counter is ahead of the mailbags; INQUEUE3's record is not counted beside others. */
static bool is_settled(struct check *c, const struct mm_id *id, bool has_envelope, struct arena *a)
{
	struct mm_envelope v;
	const bool settled = !has_envelope || (postoffice_read_envelope(c->po, id, a, &v, NULL) && v.state == MM_READY);
	arena_reset(a);
	return settled;
}

static bool check_counter(struct check *c, const struct mm_id *id, const struct po_rel *rel, const struct check_message *m, bool has_envelope, struct arena *a,
			  struct err *e)
{
	const unsigned want = m->in_inqueue3 && m->held > 1 ? m->held - 1 : m->held;
	uint16_t is;
	struct err why;
	if (!counter_of(c, rel, &is, e))
		return false;
	if (is == want || is == 0 || !is_settled(c, id, has_envelope, a)) /* 0: it cannot be read, which is told below */
		return true;
	const bool may = want > is || !c->unsure; /* a mailbag that cannot be read may hold it, too */
	const bool mended = c->repair && may && postoffice_set_bags(c->po, id, want, &why);
	check_found(c, rel->s, mended, "it counts %u mailbags, and %u hold it", is, want);
	return true;
}

static bool check_message(struct check *c, uint32_t number, const struct check_message *m, struct arena *a, struct err *e)
{
	const struct mm_id id = mm_id_of(number);
	const struct po_rel rel = po_rel_mai(&id);
	const bool has_envelope = map_get(&c->envelopes, key_of(number)) != NULL;
	if (m->held == 0 && !has_envelope) {
		c->n.orphans++;
		return true;
	}
	c->n.messages++;
	return (m->held == 0 || check_counter(c, &id, &rel, m, has_envelope, a, e)) && mark_attachments(c, &rel, a, e);
}

bool check_messages(struct check *c, struct err *e)
{
	struct arena *a = arena_new(MAI_ARENA);
	bool ok = true;
	size_t i = 0;
	for (size_t k = 0; ok && k < c->messages.cap; k++)
		if (c->messages.slots[k].value != NULL)
			ok = check_message(c, (uint32_t)(c->messages.slots[k].key - 1), c->messages.slots[k].value, a, e);
	for (size_t k = 0; k < c->envelopes.cap; k++)
		if (c->envelopes.slots[k].value != NULL && map_get(&c->messages, c->envelopes.slots[k].key) == NULL)
			c->n.orphans++;
	for (const bool *named; (named = map_next(&c->attachments, &i)) != NULL;)
		c->n.orphans += !*named;
	arena_free(&a);
	return ok;
}
