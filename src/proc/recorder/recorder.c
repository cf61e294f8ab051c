/* recorder.c - see recorder.h: lines in; memory, file and journal out. */
#include "proc/recorder/recorder_int.h"

#include "base/mem.h"
#include "base/text.h"
#include "proc/table/settings_operate.h"

#include <ctype.h>

enum {
	LINE_OCTETS = 4096,        /* an event has 4000 at most */
	ENTRY_OCTETS = 64 * 1024,  /* of the journal: more than a line, whatever its escapes */
	BATCH_OCTETS = 256 * 1024, /* one write; more is written at once */
	FILE_AGAIN_MS = 1000,
	FIRST_PER_MS = 1000,       /* numbers begin at the time of birth in so many parts of a millisecond, and so above those of a recorder before */
};

static const char *number(char buf[24], uint64_t x)
{
	snprintf(buf, 24, "%llu", (unsigned long long)x);
	return buf;
}

/* --- the file --- */

static void file_failed(struct recorder *r, const struct err *why)
{
	r->file_lost += r->in_batch;
	r->file_again_ms = env_now_ms(r->host.env) + FILE_AGAIN_MS;
	out_clear(&r->batch);
	r->in_batch = 0;
	if (!r->file_failing)
		EMIT(&r->host, RECORDER_FILE_FAILED, "why", why->text);
	r->file_failing = true;
}

static void file_written(struct recorder *r)
{
	char n[24];
	struct err why;
	uint64_t lost = r->file_lost;
	out_clear(&r->batch);
	r->in_batch = r->file_lost = 0;
	if (r->file_failing)
		EMIT(&r->host, RECORDER_FILE_AGAIN, "missing", number(n, lost));
	r->file_failing = false;
	if (logfile_take_rotated(r->file))
		event_emit(r->host.log, EV_RECORDER_ROTATED, NULL);
	if (logfile_take_not_rotated(r->file, &why))
		EMIT(&r->host, RECORDER_NOT_ROTATED, "why", why.text);
}

/* What it says of itself meanwhile goes into the next batch. */
static void write_batch(struct recorder *r)
{
	struct err why;
	int64_t now = env_now_ms(r->host.env);
	if (out_len(&r->batch) == 0)
		return;
	if (r->file_failing && now < r->file_again_ms) {
		r->file_lost += r->in_batch;
		r->in_batch = 0;
		out_clear(&r->batch);
	} else if (logfile_write(r->file, out_view(&r->batch), now, &why)) {
		file_written(r);
	} else {
		file_failed(r, &why);
	}
}

void recorder_flush(struct recorder *r)
{
	CHECK(r, RECORDER_MAGIC);
	for (unsigned i = 0; i < 2 && r->file != NULL; i++) /* twice: what it says of the first */
		write_batch(r);
}

static void to_file(struct recorder *r, struct view line, const struct event_line *p)
{
	if (r->file == NULL)
		return;
	if (r->as_json) {
		out_bytes(&r->batch, line);
		out_u8(&r->batch, '\n');
	} else {
		event_line_show(p, &r->batch);
	}
	r->in_batch++;
	if (out_len(&r->batch) >= BATCH_OCTETS)
		write_batch(r);
}

/* --- the journal --- */

/* syslog(3) */
static unsigned priority_of(enum event_severity s)
{
	switch (s) {
	case EVENT_DEBUG: return 7;
	case EVENT_INFO: return 6;
	case EVENT_NOTICE: return 5;
	case EVENT_WARNING: return 4;
	case EVENT_ERROR: return 3;
	case EVENT_ALARM: return 1;
	}
	CANT_HAPPEN("severity out of range");
}

static void add_number(struct out *entry, const char *name, uint64_t x)
{
	char text[24];
	journal_field(entry, name, number(text, x));
}

/* "last-words" -> "POSTHORN_FIELD_LAST_WORDS" */
static void add_field(struct out *entry, const struct event_field *f)
{
	char name[64] = "POSTHORN_FIELD_";
	size_t at = strlen(name);
	for (const char *c = f->name; *c != 0 && at + 1 < sizeof name; c++)
		name[at++] = (char)(isalnum((unsigned char)*c) ? toupper((unsigned char)*c) : '_');
	name[at] = 0;
	journal_field(entry, name, f->value);
}

/* What the line says after time, process and severity, which are fields of their own. */
static void add_message(struct out *entry, const struct event_line *p)
{
	struct out o;
	out_init(&o, ENTRY_OCTETS);
	event_show(&o, "", p->process, "", p->event, p->source, p->fields, p->n_fields, p->repeated, p->lost);
	char *text = mem_strdup(out_cstr(&o) + strlen(p->process) + 3); /* three spaces */
	text[strcspn(text, "\n")] = 0;
	journal_field(entry, "MESSAGE", text);
	free(text);
	out_fini(&o);
}

static void make_entry(struct out *entry, const struct event_line *p)
{
	add_message(entry, p);
	add_number(entry, "PRIORITY", priority_of(p->severity));
	journal_field(entry, "SYSLOG_IDENTIFIER", "posthorn");
	journal_field(entry, "POSTHORN_EVENT", p->event);
	add_number(entry, "POSTHORN_ID", p->id);
	journal_field(entry, "POSTHORN_CATEGORY", p->category);
	journal_field(entry, "POSTHORN_SEVERITY", event_severity_name(p->severity));
	journal_field(entry, "POSTHORN_PROCESS", p->process);
	journal_field(entry, "POSTHORN_TIME", p->time);
	if (*p->source != 0)
		journal_field(entry, "POSTHORN_SOURCE", p->source);
	for (size_t i = 0; i < p->n_fields; i++)
		add_field(entry, &p->fields[i]);
}

static void to_journal(struct recorder *r, const struct event_line *p)
{
	struct out entry;
	struct err why;
	char text[24];
	out_init(&entry, ENTRY_OCTETS);
	make_entry(&entry, p);
	bool good = journal_send(r->journal, out_view(&entry), &why);
	out_fini(&entry);
	r->journal_lost += !good;
	if (good == !r->journal_failing)
		return;
	r->journal_failing = !good; /* before it is told, which comes here again */
	uint64_t lost = r->journal_lost;
	if (good) {
		r->journal_lost = 0;
		EMIT(&r->host, RECORDER_JOURNAL_AGAIN, "missing", number(text, lost));
	} else {
		EMIT(&r->host, RECORDER_JOURNAL_FAILED, "why", why.text);
	}
}

/* --- lines --- */

static void record(struct recorder *r, struct view line)
{
	struct event_line p;
	struct err why;
	if (!event_line_parse(line, &p, &why)) {
		EMIT(&r->host, RECORDER_NONSENSE, "why", why.text);
		return;
	}
	struct record *x = record_new(line, &p);
	ring_add(r->ring, &x);
	to_file(r, line, &p);
	if (r->journal != NULL)
		to_journal(r, &p);
	event_line_fini(&p);
}

void recorder_lines(struct recorder *r, struct view octets)
{
	CHECK(r, RECORDER_MAGIC);
	while (octets.n > 0) {
		const uint8_t *end = memchr(octets.p, '\n', octets.n);
		size_t n = end == NULL ? octets.n : (size_t)(end - octets.p);
		if (!r->in_long_line)
			out_bytes(&r->in, view_first(octets, n));
		r->in_long_line = r->in_long_line || r->in.bad;
		octets = view_from(octets, n + 1);
		if (end == NULL)
			return;
		if (r->in_long_line)
			EMIT(&r->host, RECORDER_NONSENSE, "why", "it is longer than an event");
		else if (out_len(&r->in) > 0)
			record(r, out_view(&r->in));
		r->in_long_line = false;
		out_clear(&r->in);
	}
}

/* A line of the recorder's own log. */
static bool take_own(void *ctx, struct view line)
{
	struct recorder *r = ctx;
	CHECK(r, RECORDER_MAGIC);
	record(r, view_first(line, line.n - 1));
	return true;
}

/* --- begin and end --- */

static void end_of_turn(void *ctx)
{
	struct recorder *r = ctx;
	CHECK(r, RECORDER_MAGIC);
	recorder_flush(r);
	followers_serve(r);
}

static void on_more(void *ctx)
{
	(void)ctx; /* a turn is all it takes */
}

static void use_outputs(struct recorder *r, const struct set_event_log *set)
{
	logfile_free(&r->file);
	if (*set->file != 0)
		r->file = logfile_new(set->file, set->file_size, (unsigned)set->file_keep);
	r->as_json = set->file_form == 1;
	journal_free(&r->journal);
	if (set->journal)
		r->journal = journal_new(JOURNAL_SOCKET);
	for (size_t i = 0; i < EVENT_KINDS; i++)
		r->configured[i] = (uint8_t)settings_level_of(set, event_kinds[i].category);
}

void recorder_set(struct recorder *r, const struct set_event_log *set)
{
	CHECK(r, RECORDER_MAGIC);
	recorder_flush(r);
	out_clear(&r->batch); /* what the old file has no room for any more is counted */
	r->in_batch = 0;
	use_outputs(r, set);
	ring_resize(r->ring, (size_t)set->memory);
}

struct recorder *recorder_new(const struct actor_host *host, const struct set_event_log *set, recorder_level_f *level, void *ctx)
{
	struct recorder *r = mem_zero(sizeof *r);
	r->magic = RECORDER_MAGIC;
	r->host = *host;
	r->level = level;
	r->level_ctx = ctx;
	r->ring = ring_new((size_t)set->memory, (uint64_t)env_wall_ms(host->env) * FIRST_PER_MS);
	out_init(&r->in, LINE_OCTETS);
	out_init(&r->batch, 2 * BATCH_OCTETS);
	use_outputs(r, set);
	r->hook = (struct env_hook){ .run = end_of_turn, .ctx = r, .order = 50 };
	env_add_hook(host->env, &r->hook);
	timer_init(&r->more, host->env, on_more, r);
	event_log_copy(host->log, take_own, r);
	return r;
}

void recorder_free(struct recorder **rp)
{
	struct recorder *r = *rp;
	if (r == NULL)
		return;
	CHECK(r, RECORDER_MAGIC);
	recorder_flush(r);
	followers_free(r);
	event_log_copy(r->host.log, NULL, NULL);
	env_remove_hook(r->host.env, &r->hook);
	timer_stop(&r->more);
	logfile_free(&r->file);
	journal_free(&r->journal);
	ring_free(&r->ring);
	out_fini(&r->in);
	out_fini(&r->batch);
	r->magic = 0;
	MEM_FREE(*rp);
}
