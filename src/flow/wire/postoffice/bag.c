/* bag.c - see postoffice.h: mailbags. KEY and MBG are touched while the KEY is held; what is wrong with a pair is charged to that
 * bag alone (ERR_OF_RECIPIENT), and is found again by whoever opens it, so that it is out of quarantine as soon as it is mended. */
#include "flow/wire/postoffice/po_int.h"

#include "base/fault.h"
#include "base/mem.h"

enum { REOPENS = 8, BUSY_MS = 5000, MAI_HEAD = 4096, MAI_PARSED_MAX = 256 << 20, PARSED_MAX = 256 << 20 };

struct bag {
	struct po_rel key_rel, mbg_rel;
	int key, mbg;
	bool there;
	struct mm_key k;
	unsigned records; /* whole ones in the MBG */
};

static void bag_close(struct postoffice *po, struct bag *b)
{
	po_close(po, &b->mbg);
	po_close(po, &b->key);
}

/* A failure to open or lock, as a fact about this bag where it is one. */
static bool of_bag(struct err *e)
{
	if (e == NULL || e->culprit != ERR_OF_MESSAGE)
		return false;
	char text[sizeof e->text];
	memcpy(text, e->text, sizeof text);
	if (e->kind == ERR_TEMP)
		return err_report(e, ERR_TEMP, ERR_OF_RECIPIENT, 1, 2, "[008] %.190s", text);
	return err_set(e, ERR_LOCAL, ERR_OF_RECIPIENT, "%.199s", text);
}

static bool damaged(struct err *e, const char *rel, const char *what)
{
	return err_set(e, ERR_LOCAL, ERR_OF_RECIPIENT, "%s: %.120s: this mailbag is left alone until it is repaired", rel, what);
}

/* A bag that was held all the time a moment ago is tried, not waited for: who has fifty messages for it waits once. */
static bool was_busy(const struct postoffice *po, const char *rel)
{
	const wall_ms_t now = po_now(po);
	for (size_t i = 0; i < ARRAY_LEN(po->busy); i++)
		if (strcmp(po->busy[i].key.s, rel) == 0 && now >= po->busy[i].at && now - po->busy[i].at < BUSY_MS)
			return true;
	return false;
}

static bool hold_key(struct postoffice *po, int fd, const char *rel, enum po_hold how, struct err *e)
{
	struct err why;
	bool got = false;
	const bool busy = was_busy(po, rel);
	bool asked;
	if (busy) {
		asked = po_try_hold(po, fd, rel, how, &got, &why);
	} else {
		got = po_hold(po, fd, rel, how, &why);
		asked = got || why.kind == ERR_TEMP;
	}
	if (got)
		return true;
	if (!asked) { /* the server's trouble */
		if (e != NULL)
			*e = why;
		return false;
	}
	if (!busy) {
		const unsigned i = po->next_busy++ % ARRAY_LEN(po->busy);
		snprintf(po->busy[i].key.s, sizeof po->busy[i].key.s, "%s", rel);
		po->busy[i].at = po_now(po);
	}
	return err_report(e, ERR_TEMP, ERR_OF_RECIPIENT, 1, 2, "[008] %s: somebody else has held this mailbag for a while", rel);
}

/* Opens the KEY and holds it. One that was replaced meanwhile is opened again. *fd -1: it is not there. */
static bool open_key(struct postoffice *po, const char *rel, int flags, int *fd, struct err *e)
{
	for (unsigned i = 0; i < REOPENS; i++) {
		struct po_stamp s;
		bool named = false;
		if (!po_open(po, rel, flags, fd, e))
			return of_bag(e);
		if (*fd < 0)
			return true;
		if (!hold_key(po, *fd, rel, flags == O_RDONLY ? PO_SHARED : PO_EXCLUSIVE, e) || !po_fstat(po, *fd, rel, &s, &named, e)) {
			po_close(po, fd);
			return false;
		}
		if (named)
			return true;
		po_close(po, fd);
	}
	return err_report(e, ERR_TEMP, ERR_OF_RECIPIENT, 1, 2, "[008] %s: is replaced again and again", rel);
}

static bool read_key(struct postoffice *po, struct bag *b, int flags, struct err *e)
{
	uint8_t octets[MM_KEY_SIZE + 1];
	size_t got;
	struct po_stamp s;
	struct err why;
	char what[60];
	if (!po_read_at(po, b->key, b->key_rel.s, octets, sizeof octets, 0, &got, e))
		return false;
	snprintf(what, sizeof what, "has %s%zu octets, want %d", got > MM_KEY_SIZE ? "more than " : "", got > MM_KEY_SIZE ? MM_KEY_SIZE : got, MM_KEY_SIZE);
	if (got != MM_KEY_SIZE)
		return damaged(e, b->key_rel.s, what);
	memcpy(b->k.octets, octets, MM_KEY_SIZE);
	if (!po_open(po, b->mbg_rel.s, flags, &b->mbg, e))
		return of_bag(e);
	if (b->mbg < 0)
		return damaged(e, b->mbg_rel.s, "is missing, its KEY is there");
	if (!po_fstat(po, b->mbg, b->mbg_rel.s, &s, NULL, e))
		return false;
	if (s.size > (uint64_t)MM_BAG_RECORDS * MM_RECORD_SIZE)
		return damaged(e, b->mbg_rel.s, "is longer than 4096 records");
	b->records = (unsigned)(s.size / MM_RECORD_SIZE); /* a piece behind them is of a write that a crash cut */
	return mm_key_check(&b->k, s.size, &why) || damaged(e, b->key_rel.s, why.text);
}

static bool bag_open(struct postoffice *po, const char *bag, bool to_write, struct bag *b_r, struct err *e)
{
	struct bag b = { .key_rel = po_rel_of("KEY", bag, ".KEY"), .mbg_rel = po_rel_of("MBG", bag, ".MBG"), .key = -1, .mbg = -1 };
	const int flags = to_write ? O_RDWR : O_RDONLY;
	struct po_stamp mbg;
	if (!open_key(po, b.key_rel.s, flags, &b.key, e))
		return false;
	b.there = b.key >= 0;
	bool ok = true;
	if (b.there)
		ok = read_key(po, &b, flags, e);
	else if ((ok = po_stat(po, b.mbg_rel.s, &mbg, e)) && mbg.there)
		ok = damaged(e, b.key_rel.s, "is missing, its MBG is there");
	if (!ok)
		bag_close(po, &b);
	*b_r = b;
	return ok;
}

/* Its records, all of them. The caller frees. */
static bool read_records(struct postoffice *po, const struct bag *b, uint8_t **records_r, unsigned *n_r, struct err *e)
{
	const size_t size = (size_t)b->records * MM_RECORD_SIZE;
	uint8_t *p = mem_alloc(size);
	size_t got = 0;
	if (size > 0 && !po_read_at(po, b->mbg, b->mbg_rel.s, p, size, 0, &got, e)) {
		mem_free_(p);
		return false;
	}
	*records_r = p;
	*n_r = (unsigned)(got / MM_RECORD_SIZE);
	return true;
}

static struct view record_at(const uint8_t *records, unsigned slot)
{
	return view_of(records + (size_t)slot * MM_RECORD_SIZE, MM_RECORD_SIZE);
}

static bool names(struct view record, const struct mm_id *mai)
{
	struct mm_header h;
	if (!view_eq_nocase(view_first(view_from(record, MM_RECORD_MAI_AT), MM_ID_LENGTH), view_str(mai->s)))
		return false; /* of 4096 records all are looked at, and one is it */
	return mm_header_parse(record, &h, NULL) && mm_same(h.mai.s, mai->s);
}

/* The live record that names mai; -1: none. */
static bool find(struct postoffice *po, const struct bag *b, const struct mm_id *mai, int *slot_r, struct err *e)
{
	uint8_t *records;
	unsigned n;
	*slot_r = -1;
	if (mm_key_live(&b->k) == 0)
		return true;
	if (!read_records(po, b, &records, &n, e))
		return false;
	for (unsigned i = 0; i < n && *slot_r < 0; i++)
		if (mm_key_is_live(&b->k, i) && names(record_at(records, i), mai))
			*slot_r = (int)i;
	mem_free_(records);
	return true;
}

static bool write_key(struct postoffice *po, const struct bag *b, struct err *e)
{
	return po_write_at(po, b->key, b->key_rel.s, b->k.octets, MM_KEY_SIZE, 0, e) && po_sync(po, b->key, b->key_rel.s, e);
}

static bool append(struct postoffice *po, struct bag *b, const char *bag, const struct mm_header *h, struct err *e)
{
	int slot;
	if (!find(po, b, &h->mai, &slot, e))
		return false;
	if (slot >= 0)
		return true;
	slot = mm_key_free_slot(&b->k, b->records);
	if (slot < 0)
		return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 4, "[017] mailbag %.20s is full: it holds %d messages", bag, MM_BAG_RECORDS);
	uint8_t record[MM_RECORD_SIZE];
	mm_header_print(h, record);
	if (!po_write_at(po, b->mbg, b->mbg_rel.s, record, sizeof record, (uint64_t)slot * MM_RECORD_SIZE, e) ||
	    !po_sync(po, b->mbg, b->mbg_rel.s, e))
		return false;
	mm_key_add(&b->k, (unsigned)slot, true);
	return write_key(po, b, e);
}

bool postoffice_deliver(struct postoffice *po, const char *bag, const struct mm_header *h, struct err *e)
{
	struct bag b;
	if (!po_may_write(po_check(po), "MBG", e) || !po_may_share(po, e) || !bag_open(po, bag, true, &b, e))
		return false;
	if (!b.there)
		return po_alive(po, e) && err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, -1, "[001] %s: the mailbag is missing", b.key_rel.s);
	const bool ok = append(po, &b, bag, h, e);
	bag_close(po, &b);
	return ok;
}

bool postoffice_holds(struct postoffice *po, const char *bag, const struct mm_id *mai, bool *holds_r, struct err *e)
{
	struct bag b;
	int slot = -1;
	if (!bag_open(po_check(po), bag, false, &b, e))
		return false;
	const bool ok = !b.there || find(po, &b, mai, &slot, e);
	bag_close(po, &b);
	*holds_r = slot >= 0;
	return ok;
}

bool postoffice_had(struct postoffice *po, const char *bag, const struct mm_header *h, bool *had_r, bool *holds_r, struct err *e)
{
	struct bag b;
	uint8_t *records;
	unsigned all;
	*had_r = *holds_r = false;
	if (!bag_open(po_check(po), bag, false, &b, e))
		return false;
	const bool ok = b.there && read_records(po, &b, &records, &all, e);
	const bool there = b.there;
	bag_close(po, &b);
	for (unsigned i = 0; ok && i < all; i++) {
		struct mm_header x;
		if (!names(record_at(records, i), &h->mai) || !mm_header_parse(record_at(records, i), &x, NULL) || strcmp(x.from, h->from) != 0 ||
		    strcmp(x.subject, h->subject) != 0)
			continue;
		*had_r = true;
		*holds_r |= mm_key_is_live(&b.k, i);
	}
	if (ok)
		mem_free_(records);
	return ok || !there;
}

bool postoffice_bag(struct postoffice *po, const char *bag, unsigned max, struct po_bag_entry *entries_r, unsigned *n_r, unsigned *live_r, struct err *e)
{
	struct bag b;
	uint8_t *records;
	unsigned n = 0, all;
	if (!bag_open(po_check(po), bag, false, &b, e))
		return false;
	if (!b.there)
		return po_alive(po, e) && err_set(e, ERR_LOCAL, ERR_OF_RECIPIENT, "%s: the mailbag is missing", b.key_rel.s);
	const unsigned live = mm_key_live(&b.k);
	const bool ok = read_records(po, &b, &records, &all, e);
	bag_close(po, &b);
	if (!ok)
		return false;
	for (unsigned i = 0; i < all && n < max; i++) {
		if (!mm_key_is_live(&b.k, i))
			continue;
		struct po_bag_entry *x = &entries_r[n++];
		*x = (struct po_bag_entry){ .slot = i };
		x->readable = mm_header_parse(record_at(records, i), &x->header, &x->why);
	}
	mem_free_(records);
	*n_r = n;
	*live_r = live;
	return true;
}

bool po_each_live(struct postoffice *po, const char *bag, void (*each)(void *ctx, const struct mm_header *h), void *ctx, struct err *e)
{
	struct bag b;
	uint8_t *records;
	unsigned n;
	if (!bag_open(po, bag, false, &b, e))
		return false;
	if (!b.there)
		return true;
	const bool ok = read_records(po, &b, &records, &n, e);
	bag_close(po, &b);
	for (unsigned i = 0; ok && i < n; i++) {
		struct mm_header h;
		if (mm_key_is_live(&b.k, i) && mm_header_parse(record_at(records, i), &h, NULL))
			each(ctx, &h);
	}
	if (ok)
		mem_free_(records);
	return ok;
}

/* --- taking out --- */

/* *was_r: there was such a record, and it is out now. mai NULL: whatever is in that slot. */
static bool take(struct postoffice *po, const char *bag, unsigned slot, const struct mm_id *mai, bool *was_r, struct err *e)
{
	struct bag b;
	*was_r = false;
	if (!po_may_write(po, "MBG", e) || !po_may_share(po, e) || !bag_open(po, bag, true, &b, e))
		return false;
	uint8_t record[MM_RECORD_SIZE];
	size_t got = 0;
	bool ok = true;
	if (b.there && slot < b.records && mm_key_is_live(&b.k, slot)) {
		ok = po_read_at(po, b.mbg, b.mbg_rel.s, record, sizeof record, (uint64_t)slot * MM_RECORD_SIZE, &got, e);
		*was_r = ok && got == sizeof record && (mai == NULL || names(view_of(record, got), mai));
	}
	if (*was_r) {
		mm_key_drop(&b.k, slot, mm_key_unread(&b.k) > 0);
		ok = write_key(po, &b, e);
	}
	bag_close(po, &b);
	return ok;
}

bool postoffice_bag_forget(struct postoffice *po, const char *bag, unsigned slot, const struct mm_id *mai, struct err *e)
{
	bool was;
	return take(po_check(po), bag, slot, mai, &was, e);
}

/* Its attachments' files go; those of a MAI that cannot be read, or is very long, are the sweep's. */
/* Its own. What is another's stays, for him. */
static bool remove_attachments(struct postoffice *po, const struct mm_id *mai, struct view file, struct err *e)
{
	struct arena *a = arena_new(PARSED_MAX);
	const struct mai_limits l = mai_limits_default();
	struct mai m;
	bool ok = true;
	if (mai_parse(file, po->scramble, &m, a, &l, NULL)) {
		struct po_owner *o = postoffice_owner_new(mai, m.attachments, m.n_attachments);
		for (size_t i = 0; i < m.n_attachments && ok; i++) {
			bool others = false;
			if (m.attachments[i].file.s[0] != 0)
				ok = po_is_others(po, o, &m.attachments[i].file, &others, e) && (others || po_remove(po, po_rel_att(&m.attachments[i].file).s, e));
		}
		postoffice_owner_free(&o);
	}
	arena_free(&a);
	return ok;
}

bool po_remove_message(struct postoffice *po, const struct mm_id *mai, int fd, const char *rel, struct err *e)
{
	struct po_stamp s;
	size_t got;
	if (!po_fstat(po, fd, rel, &s, NULL, e))
		return false;
	if (s.size > MAI_PARSED_MAX)
		return po_remove(po, rel, e);
	uint8_t *file = mem_alloc((size_t)s.size);
	bool ok = po_read_at(po, fd, rel, file, (size_t)s.size, 0, &got, e) && po_remove(po, rel, e);
	ok = ok && remove_attachments(po, mai, view_of(file, got), e);
	mem_free_(file);
	return ok;
}

/* The counter, with the file held. *fd -1: the file is gone; *at: where the counter is; 0: nowhere, for the head is damaged. */
static bool open_counter(struct postoffice *po, const char *rel, int *fd, uint16_t *bags_r, size_t *at_r, struct err *e)
{
	uint8_t head[MAI_HEAD];
	size_t got;
	struct po_stamp s;
	bool named;
	*at_r = 0;
	if (!po_open(po, rel, O_RDWR, fd, e))
		return false;
	if (*fd < 0)
		return true;
	if (!po_hold(po, *fd, rel, PO_EXCLUSIVE, e) || !po_fstat(po, *fd, rel, &s, &named, e) || !po_read_at(po, *fd, rel, head, sizeof head, 0, &got, e)) {
		po_close(po, fd);
		return false;
	}
	if (!named)
		po_close(po, fd);
	else if (!mai_bags(view_of(head, got), bags_r, at_r, NULL))
		*at_r = 0;
	return true;
}

static bool write_counter(struct postoffice *po, int fd, const char *rel, size_t at, unsigned bags, struct err *e)
{
	const uint8_t octets[2] = { (uint8_t)bags, (uint8_t)(bags >> 8) };
	return po_write_at(po, fd, rel, octets, sizeof octets, at, e);
}

bool po_release(struct postoffice *po, const struct mm_id *mai, struct err *e)
{
	const struct po_rel rel = po_rel_mai(mai);
	uint16_t bags = 0;
	size_t at;
	int fd;
	if (!open_counter(po, rel.s, &fd, &bags, &at, e))
		return false;
	bool ok = true;
	if (fd >= 0 && at > 0)
		ok = bags > 1 ? write_counter(po, fd, rel.s, at, bags - 1u, e) : po_remove_message(po, mai, fd, rel.s, e);
	po_close(po, &fd);
	return ok;
}

bool postoffice_count(struct postoffice *po, const struct mm_id *mai, unsigned *bags_r, struct err *e)
{
	uint16_t bags = 0;
	size_t at;
	int fd;
	if (!open_counter(po_check(po), po_rel_mai(mai).s, &fd, &bags, &at, e))
		return false;
	*bags_r = fd >= 0 && at > 0 ? bags : 0;
	po_close(po, &fd);
	return true;
}

bool postoffice_set_bags(struct postoffice *po, const struct mm_id *mai, unsigned bags, struct err *e)
{
	const struct po_rel rel = po_rel_mai(mai);
	uint16_t was;
	size_t at;
	int fd;
	assert(bags <= UINT16_MAX);
	if (!open_counter(po_check(po), rel.s, &fd, &was, &at, e))
		return false;
	if (fd < 0)
		return po_alive(po, e) && err_report(e, ERR_PERM, ERR_OF_MESSAGE, 0, 48, "[016] %s: the message file is missing", rel.s);
	const bool ok = at == 0 ? err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "[012] %s: its counter of mailbags cannot be found", rel.s) :
				  write_counter(po, fd, rel.s, at, bags, e) && po_sync(po, fd, rel.s, e);
	po_close(po, &fd);
	return ok;
}

/* --- the envelope goes with the last outbound bag that holds the message --- */
struct needing { struct postoffice *po; const struct mm_envelope *v; const struct mm_id *mai; bool needed, ok; struct err *e; };

static bool look_in(void *ctx, const struct mm_name *next, const char *mailbag)
{
	struct needing *x = ctx;
	bool listed = false;
	(void)next;
	for (size_t i = 0; i < x->v->n && !listed; i++)
		listed = mm_same(x->v->recipients[i].bag, mailbag);
	if (listed)
		x->ok = postoffice_holds(x->po, mailbag, x->mai, &x->needed, x->e);
	return x->ok && !x->needed;
}

static bool drop_envelope(struct postoffice *po, const struct mm_id *mai, struct err *e)
{
	struct arena *a = arena_new(PARSED_MAX);
	struct mm_envelope v;
	struct err why;
	bool ok = true;
	if (!postoffice_read_envelope(po, mai, a, &v, &why)) {
		ok = why.kind == ERR_PERM; /* gone already, or damaged: then the sweep takes it when no bag names it */
		if (!ok && e != NULL)
			*e = why;
	} else {
		struct needing x = { .po = po, .v = &v, .mai = mai, .ok = true, .e = e };
		ok = postoffice_each_outbound(po, look_in, &x, e) && x.ok;
		ok = ok && (x.needed || po_remove(po, po_rel_p1(mai).s, e));
	}
	arena_free(&a);
	return ok;
}

bool postoffice_bag_drop(struct postoffice *po, const char *bag, unsigned slot, const struct mm_id *mai, bool with_envelope, struct err *e)
{
	bool was;
	if (!take(po_check(po), bag, slot, mai, &was, e))
		return false;
	if (mai == NULL)
		return true;
	if (was && !po_release(po, mai, e))
		return false;
	return !with_envelope || drop_envelope(po, mai, e);
}
