/* sent.c - the sent journal: which message of the postoffice a transfer has become, so that it is not put in twice, and what a mover's
 * notice about it is matched with. Kept as long as a message that nobody hurries with lives (expiry.non-urgent).
 *
 *     KEY ID AT DATE SUBJECT PACKED NAMES
 *
 * KEY, SUBJECT: 16 hexadecimal digits; ID: 8, or `-`; AT: milliseconds; DATE: yyyymmddhhmmss, or `-`; PACKED, NAMES: hexadecimal,
 * or `-`. In memory are all but the last two. */
#include "proc/interchange/interchange_int.h"

#include <inttypes.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/message/pack.h"

enum { FIELDS = 7 };

struct sent {
	struct interchange *x;
	struct journal *journal;
	struct map by_key;      /* struct sent_entry */
	struct map by_subject;  /* the first one of those with it; by `next` */
	struct map seen;        /* while it is opened: hashes of lines */
};

static bool split(struct view line, struct view v[FIELDS])
{
	for (size_t i = 0; i < FIELDS; i++) {
		const uint8_t *end = line.n == 0 ? NULL : memchr(line.p, ' ', line.n);
		const size_t n = end == NULL ? line.n : (size_t)(end - line.p);
		v[i] = view_first(line, n);
		if (n == 0 || (end == NULL) != (i == FIELDS - 1))
			return false;
		line = view_from(line, n + 1);
	}
	return true;
}

static bool hex_number(struct view v, uint64_t *x_r)
{
	uint64_t x = 0;
	for (size_t i = 0; i < v.n; i++) {
		const uint8_t c = v.p[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		x = x << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*x_r = x;
	return v.n == 16;
}

static bool read_entry(struct view line, struct sent_entry *t)
{
	struct view v[FIELDS];
	uint64_t at;
	uint32_t number;
	*t = (struct sent_entry){ 0 };
	if (!split(line, v) || !hex_number(v[0], &t->key) || !hex_number(v[4], &t->subject) || !text_uint(v[2], INT64_MAX, &at))
		return false;
	t->at = (wall_ms_t)at;
	if (!view_eq(v[1], VIEW("-")) && !mm_id_parse(v[1], &t->id, &number, NULL))
		return false;
	if (v[3].n < sizeof t->date && !view_eq(v[3], VIEW("-")))
		memcpy(t->date, v[3].p, v[3].n);
	return true;
}

static void unlink_subject(struct sent *s, struct sent_entry *t)
{
	struct sent_entry *first = map_take(&s->by_subject, t->subject);
	for (struct sent_entry **at = &first; *at != NULL; at = &(*at)->next)
		if (*at == t) {
			*at = t->next;
			break;
		}
	if (first != NULL)
		map_put(&s->by_subject, t->subject, first);
}

static void remember(struct sent *s, const struct sent_entry *entry)
{
	struct sent_entry *old = map_take(&s->by_key, entry->key);
	if (old != NULL) {
		unlink_subject(s, old);
		free(old);
	}
	struct sent_entry *t = mem_dup(entry, sizeof *entry);
	t->next = map_take(&s->by_subject, t->subject);
	map_put(&s->by_subject, t->subject, t);
	map_put(&s->by_key, t->key, t);
}

/* A generation is a copy of those before it: when a crash has left several, each line is there that often. */
static bool is_copy(struct sent *s, struct view line)
{
	static const char there = 1;
	const uint64_t hash = hash_octets(HASH_START, line);
	if (map_get(&s->seen, hash) != NULL)
		return true;
	map_put(&s->seen, hash, (void *)(uintptr_t)&there);
	return false;
}

static bool on_line(void *ctx, struct view line, uint64_t at)
{
	struct sent *s = ctx;
	struct sent_entry t;
	if (!read_entry(line, &t) || is_copy(s, line))
		return false;
	const wall_ms_t age = interchange_wall(s->x) - t.at;
	if (age > (wall_ms_t)s->x->settings->expiry.non_urgent_ms)
		return false;
	t.line = at;
	remember(s, &t);
	return true;
}

bool sent_open(struct interchange *x, struct sent **s_r, struct err *e)
{
	struct sent *s = mem_zero(sizeof *s);
	unsigned damaged = 0;
	char count[12];
	s->x = x;
	const bool ok = journal_open(x->host.env, x->folder, "sent", on_line, s, &s->journal, &damaged, e);
	map_fini(&s->seen);
	if (!ok) {
		sent_close(&s);
		return false;
	}
	snprintf(count, sizeof count, "%u", damaged);
	if (damaged > 0)
		EMIT(&x->host, INTERCHANGE_LOST, "link", x->link->name, "journal", "sent", "lines", count);
	journal_sync(s->journal, NULL, NULL);
	*s_r = s;
	return true;
}

void sent_close(struct sent **sp)
{
	struct sent *s = *sp;
	if (s == NULL)
		return;
	size_t i = 0;
	for (struct sent_entry *t; (t = map_next(&s->by_key, &i)) != NULL;)
		free(t);
	map_fini(&s->by_key);
	map_fini(&s->by_subject);
	journal_close(&s->journal);
	MEM_FREE(*sp);
}

const struct sent_entry *sent_find(const struct sent *s, uint64_t key)
{
	return map_get(&s->by_key, key);
}

const struct sent_entry *sent_find_message(const struct sent *s, const struct mm_id *id)
{
	const struct sent_entry *last = NULL;
	size_t i = 0;
	for (const struct sent_entry *t; (t = map_next(&s->by_key, &i)) != NULL;)
		if (mm_same(t->id.s, id->s) && (last == NULL || t->at > last->at))
			last = t;
	return last;
}

struct view sent_name(struct view names, uint32_t number)
{
	char want[16];
	const size_t n = (size_t)snprintf(want, sizeof want, "%u ", number);
	while (names.n > 0) {
		const uint8_t *end = memchr(names.p, '\n', names.n);
		const struct view line = view_first(names, end == NULL ? names.n : (size_t)(end - names.p));
		if (line.n > n && memcmp(line.p, want, n) == 0)
			return view_from(line, n);
		names = view_from(names, line.n + 1);
	}
	return (struct view){ NULL, 0 };
}

void sent_each_about(const struct sent *s, uint64_t subject, bool (*each)(void *ctx, const struct sent_entry *t), void *ctx)
{
	for (const struct sent_entry *t = map_get(&s->by_subject, subject); t != NULL && each(ctx, t); t = t->next)
		;
}

static void put_hex(struct out *o, struct view v)
{
	if (v.n == 0)
		out_u8(o, '-');
	else
		text_hex(o, v);
}

bool sent_add(struct sent *s, const struct sent_entry *entry, struct view packed, struct view names, struct err *e)
{
	struct out line;
	struct sent_entry t = *entry;
	out_init(&line, JOURNAL_LINE_MAX - 64);
	out_fmt(&line, "%016" PRIx64 " %s %lld %s %016" PRIx64 " ", t.key, *t.id.s != 0 ? t.id.s : "-",
		(long long)t.at, *t.date != 0 ? t.date : "-", t.subject);
	put_hex(&line, packed);
	out_u8(&line, ' ');
	put_hex(&line, names);
	bool ok = !line.bad || err_set(e, ERR_PERM, ERR_OF_MESSAGE, "the envelope is too long for the sent journal: %zu octets", packed.n);
	ok = ok && journal_append(s->journal, out_view(&line), &t.line, e);
	out_fini(&line);
	if (ok)
		remember(s, &t);
	return ok;
}

void sent_sync(struct sent *s, file_done_f *done, void *ctx)
{
	journal_sync(s->journal, done, ctx);
}

static bool get_hex(struct view hex, struct arena *a, struct view *v_r, struct err *e)
{
	struct out o;
	out_init(&o, JOURNAL_LINE_MAX);
	const bool ok = view_eq(hex, VIEW("-")) || text_unhex(&o, hex);
	*v_r = arena_copy(a, out_view(&o));
	out_fini(&o);
	return (ok && !arena_full(a)) || err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "sent journal: a line cannot be read");
}

bool sent_read(struct sent *s, const struct sent_entry *t, struct arena *a, struct view *packed_r, struct view *names_r, struct err *e)
{
	struct out line;
	struct view v[FIELDS];
	out_init(&line, JOURNAL_LINE_MAX);
	const bool ok = journal_read(s->journal, t->line, &line, e) &&
			(split(out_view(&line), v) || err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "sent journal: a line cannot be read")) &&
			get_hex(v[5], a, packed_r, e) && get_hex(v[6], a, names_r, e);
	out_fini(&line);
	return ok;
}

bool sent_is_broken(const struct sent *s)
{
	return journal_is_broken(s->journal);
}

/* What a transfer is known by when it comes again (docs/connector.md, "Duplicates"). */
uint64_t sent_key(const struct message *m)
{
	struct out o;
	out_init(&o, 1 << 24);
	mts_id_print(&m->id, &o);
	for (size_t i = 0; i < m->n_rcpt; i++)
		if (m->rcpt[i].responsible)
			out_fmt(&o, "\n%u", m->rcpt[i].number);
	for (size_t i = 0; i < m->trace.n; i++) {
		out_fmt(&o, "\n%lld ", (long long)m->trace.v[i].arrival);
		gdi_print(&m->trace.v[i].domain, &o);
	}
	for (size_t i = 0; i < m->internal_trace.n; i++) {
		out_fmt(&o, "\n%lld ", (long long)m->internal_trace.v[i].arrival);
		out_bytes(&o, m->internal_trace.v[i].mta);
	}
	const uint64_t key = hash_octets(HASH_START, out_view(&o));
	out_fini(&o);
	return key;
}

uint64_t sent_subject(struct view subject)
{
	uint64_t h = HASH_START;
	subject = view_first(subject, MM_SUBJECT_MAX);
	while (subject.n > 0 && (subject.p[subject.n - 1] == ' ' || subject.p[subject.n - 1] == 0))
		subject.n--;
	for (size_t i = 0; i < subject.n; i++) {
		const uint8_t c = subject.p[i] >= 'a' && subject.p[i] <= 'z' ? (uint8_t)(subject.p[i] - 32) : subject.p[i];
		h = hash_octets(h, view_of(&c, 1));
	}
	return h;
}
