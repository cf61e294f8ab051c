/* retry.c - see retry.h. */
#include "flow/engine/msmail/retry.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/text.h"

void retry_init(struct retry *r)
{
	*r = (struct retry){ .n_probes = 0 };
}

void retry_fini(struct retry *r)
{
	MEM_FREE(r->messages);
	retry_init(r);
}

/* Each pair becomes its first: what a message that came between the two had failed counts one less, never one more. */
static void join_probes(struct retry *r)
{
	for (size_t i = 0; i < RETRY_PROBES_MAX / 2; i++)
		r->probes[i] = (struct retry_probe){ r->probes[2 * i].at, r->probes[2 * i].n + r->probes[2 * i + 1].n };
	r->n_probes = RETRY_PROBES_MAX / 2;
}

static void add_probe(struct retry *r, wall_ms_t at, uint64_t n)
{
	if (r->n_probes == RETRY_PROBES_MAX)
		join_probes(r);
	r->probes[r->n_probes++] = (struct retry_probe){ at, n };
}

void retry_probe_failed(struct retry *r, wall_ms_t now)
{
	add_probe(r, now, 1);
}

void retry_probe_good(struct retry *r)
{
	r->n_probes = 0;
}

static struct retry_message *find(const struct retry *r, const struct mm_id *id)
{
	for (size_t i = 0; i < r->n_messages; i++)
		if (mm_same(r->messages[i].id.s, id->s))
			return &r->messages[i];
	return NULL;
}

static struct retry_message *add_message(struct retry *r, const struct mm_id *id)
{
	struct retry_message *m = find(r, id);
	if (m != NULL)
		return m;
	if (r->n_messages == r->cap_messages) {
		r->cap_messages = r->cap_messages == 0 ? 16 : mem_mul(r->cap_messages, 2);
		r->messages = mem_grow(r->messages, mem_mul(r->cap_messages, sizeof *r->messages));
	}
	m = &r->messages[r->n_messages++];
	*m = (struct retry_message){ .id = *id, .first = RETRY_NEVER, .seen = RETRY_NEVER };
	return m;
}

void retry_failed(struct retry *r, const struct mm_id *id, wall_ms_t now)
{
	struct retry_message *m = add_message(r, id);
	m->first = m->n++ == 0 ? now : m->first;
}

void retry_done(struct retry *r, const struct mm_id *id)
{
	struct retry_message *m = find(r, id);
	if (m != NULL)
		*m = r->messages[--r->n_messages];
}

wall_ms_t retry_seen(struct retry *r, const struct mm_id *id, wall_ms_t round, bool *changed_r)
{
	struct retry_message *m = r->n_probes == 0 ? find(r, id) : add_message(r, id);
	if (m == NULL)
		return round;
	if (m->seen == RETRY_NEVER) {
		m->seen = round;
		*changed_r = true;
	}
	return m->seen;
}

bool retry_keep(struct retry *r, bool (*is_there)(const void *ctx, const struct mm_id *id), const void *ctx)
{
	const size_t before = r->n_messages;
	for (size_t i = r->n_messages; i-- > 0;)
		if (!is_there(ctx, &r->messages[i].id))
			r->messages[i] = r->messages[--r->n_messages];
	return r->n_messages < before;
}

/* Of both kinds, with the first of them. */
static uint64_t failures(const struct retry *r, const struct mm_id *id, wall_ms_t since, wall_ms_t *first_r)
{
	const struct retry_message *m = find(r, id);
	uint64_t n = m == NULL ? 0 : m->n;
	*first_r = m == NULL ? RETRY_NEVER : m->first;
	for (size_t i = 0; i < r->n_probes; i++) {
		if (r->probes[i].at < since)
			continue;
		n += r->probes[i].n;
		*first_r = r->probes[i].at < *first_r ? r->probes[i].at : *first_r;
	}
	return n;
}

uint64_t retry_count(const struct retry *r, const struct mm_id *id, wall_ms_t since)
{
	wall_ms_t first;
	return failures(r, id, since, &first);
}

bool retry_is_over(const struct retry *r, const struct retry_policy *p, const struct mm_id *id, wall_ms_t since, wall_ms_t now)
{
	wall_ms_t first;
	const uint64_t n = failures(r, id, since, &first);
	return n > 0 && n >= p->retries && now >= first && now - first >= p->give_up_ms;
}

/* --- text --- */

void retry_print(const struct retry *r, struct out *o)
{
	for (size_t i = 0; i < r->n_probes; i++)
		out_fmt(o, "P %" PRId64 " %" PRIu64 "\n", r->probes[i].at, r->probes[i].n);
	for (size_t i = 0; i < r->n_messages; i++) {
		const struct retry_message *m = &r->messages[i];
		if (m->n > 0)
			out_fmt(o, "F %s %" PRId64 " %" PRIu64 "\n", m->id.s, m->first, m->n);
		if (m->seen != RETRY_NEVER)
			out_fmt(o, "W %s %" PRId64 " 1\n", m->id.s, m->seen);
	}
}

/* The word before the next blank; *rest goes behind it. */
static struct view word(struct view *rest)
{
	size_t n = 0;
	while (n < rest->n && rest->p[n] != ' ')
		n++;
	const struct view w = view_first(*rest, n);
	*rest = view_from(*rest, n + 1);
	return w;
}

static void parse_line(struct retry *r, struct view line)
{
	uint64_t at, n;
	uint32_t number;
	struct mm_id id;
	const struct view verb = word(&line);
	const bool is_failure = view_eq(verb, VIEW("F")), is_seen = view_eq(verb, VIEW("W"));
	if (!is_failure && !is_seen && !view_eq(verb, VIEW("P")))
		return;
	if ((is_failure || is_seen) && !mm_id_parse(word(&line), &id, &number, NULL))
		return;
	if (!text_uint(word(&line), INT64_MAX, &at) || !text_uint(word(&line), UINT32_MAX, &n))
		return;
	if (is_seen)
		add_message(r, &id)->seen = (wall_ms_t)at;
	else if (is_failure) {
		struct retry_message *m = add_message(r, &id);
		m->first = (wall_ms_t)at;
		m->n = n;
	}
	else
		add_probe(r, (wall_ms_t)at, n);
}

void retry_parse(struct retry *r, struct view text)
{
	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		const size_t n = end == NULL ? text.n : (size_t)(end - text.p);
		parse_line(r, view_first(text, n));
		text = view_from(text, n + 1);
	}
}
