/* event.c - see event.h. */
#include "sys/event.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <unistd.h>

enum {
	LINE_MAX_OCTETS = 4000, /* below PIPE_BUF: lines of several processes into one pipe never mix */
	VALUE_MAX = 1000,
	FIELDS_MAX = 16,
};

/* One kind's recent past. A window is a second; a storm lasts while each window has more than EVENT_STORM_MAX. */
struct storm {
	int64_t window_ms, told_ms;
	unsigned in_window;
	uint64_t held;  /* not written since the last line */
	bool rages;
};

struct event_log {
	unsigned magic;
#define EVENT_LOG_MAGIC 0xe4e47100u
	struct env *env;
	const struct event_kind *kinds;
	size_t n_kinds;
	struct storm *storms;
	struct timer timer; /* set while a storm rages */
	char *process;
	int fd;
	bool json, doubled;      /* doubled: a line of text is said again as JSON */
	uint8_t *least;          /* enum event_severity, by kind */
	bool (*take)(void *ctx, struct view line);
	void *take_ctx;
	uint64_t lost;           /* of fd */
	uint64_t untold, untold_copies; /* lost since the last line that got through: of fd; of the recorder's form */
	struct out line;
};

enum event_severity event_level_least(enum event_level level)
{
	switch (level) {
	case EVENT_LEVEL_NONE: return EVENT_ERROR;
	case EVENT_LEVEL_MINIMUM: return EVENT_WARNING;
	case EVENT_LEVEL_MEDIUM: return EVENT_INFO;
	case EVENT_LEVEL_MAXIMUM: return EVENT_DEBUG;
	case EVENT_LEVEL_COUNT: break;
	}
	CANT_HAPPEN("event level out of range");
}

enum event_level event_level_of(enum event_severity least)
{
	unsigned level = EVENT_LEVEL_NONE;
	while (level < EVENT_LEVEL_MAXIMUM && event_level_least((enum event_level)level) > least)
		level++;
	return (enum event_level)level;
}

const char *event_severity_name(enum event_severity s)
{
	switch (s) {
	case EVENT_DEBUG: return "debug";
	case EVENT_INFO: return "info";
	case EVENT_NOTICE: return "notice";
	case EVENT_WARNING: return "warning";
	case EVENT_ERROR: return "error";
	case EVENT_ALARM: return "alarm";
	}
	return "unknown";
}

bool event_severity_of(struct view name, enum event_severity *s_r)
{
	for (unsigned s = EVENT_DEBUG; s <= EVENT_ALARM; s++)
		if (view_eq(name, view_str(event_severity_name((enum event_severity)s)))) {
			*s_r = (enum event_severity)s;
			return true;
		}
	return false;
}

/* --- lines --- */

static void json_text(struct out *o, struct view v)
{
	size_t more = v.n > VALUE_MAX ? v.n - VALUE_MAX : 0;
	v = view_first(v, VALUE_MAX);
	out_u8(o, '"');
	while (v.n > 0) {
		uint32_t c;
		size_t n = 1;
		if (v.p[0] == '"' || v.p[0] == '\\')
			out_fmt(o, "\\%c", v.p[0]);
		else if (v.p[0] >= 0x20 && v.p[0] < 0x7f)
			out_u8(o, v.p[0]);
		else if (v.p[0] >= 0x80 && (n = text_utf8(v, &c)) > 0)
			out_bytes(o, view_first(v, n));
		else
			out_fmt(o, "\\u%04x", v.p[0]); /* an octet of no character: shown as its number */
		v = view_from(v, n == 0 ? 1 : n);
	}
	if (more > 0)
		out_fmt(o, "...(%zu more)", more);
	out_u8(o, '"');
}

/* By hand, since gmtime_r opens the time zone file the first time, which a jailed process dies of. Gregorian calendar,
 * years counted from March so that the leap day is the last of its year. */
void event_show_time(char text[EVENT_TIME], int64_t wall_ms)
{
	enum { DAY_MS = 86400000, DAYS_400_YEARS = 146097, DAYS_TO_1970 = 719468 /* since 1 March of year 0 */ };
	int64_t ms = wall_ms < 0 ? 0 : wall_ms;
	int64_t days = ms / DAY_MS + DAYS_TO_1970, rest = ms % DAY_MS;
	int64_t era = days / DAYS_400_YEARS, day = days % DAYS_400_YEARS;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= 365 * year + year / 4 - year / 100;
	int month = (int)((5 * day + 2) / 153); /* 0: March */
	int of_month = (int)(day - (153 * month + 2) / 5) + 1;
	year += era * 400 + (month >= 10);
	month = month < 10 ? month + 3 : month - 9;
	snprintf(text, EVENT_TIME, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)year % 10000, (unsigned)month % 100, (unsigned)of_month % 100,
		 (unsigned)(rest / 3600000) % 100, (unsigned)(rest / 60000 % 60), (unsigned)(rest / 1000 % 60), (unsigned)(rest % 1000));
}

/* One event on its way out. */
struct said {
	const struct event_kind *kind;
	const struct event_field *fields;
	size_t n;
	uint64_t repeated;
	char time[EVENT_TIME]; /* the same in both forms */
};

static void show_json(struct event_log *log, const struct said *x, size_t n, uint64_t lost, struct out *o)
{
	const struct event_kind *k = x->kind;
	out_fmt(o, "{\"time\":\"%s\",\"process\":", x->time);
	json_text(o, view_str(log->process));
	out_fmt(o, ",\"severity\":\"%s\",\"event\":\"%s\",\"id\":%u,\"category\":\"%s\"",
		event_severity_name(k->severity), k->name, k->id, k->category);
	if (k->source != NULL && *k->source != 0)
		out_fmt(o, ",\"source\":\"%s\"", k->source);
	if (x->repeated > 0)
		out_fmt(o, ",\"repeated\":%llu", (unsigned long long)x->repeated);
	if (lost > 0)
		out_fmt(o, ",\"lost\":%llu", (unsigned long long)lost);
	out_str(o, n == 0 ? "" : ",\"fields\":{");
	for (size_t i = 0; i < n; i++) {
		out_str(o, i == 0 ? "" : ",");
		json_text(o, view_str(x->fields[i].name));
		out_u8(o, ':');
		json_text(o, view_str(x->fields[i].value));
	}
	out_str(o, n == 0 ? "}\n" : "}}\n");
}

/* As show_json begins it. */
bool event_is_of(struct view line, const char *process)
{
	static const struct view before = { (const uint8_t *)"{\"time\":\"", 9 }, between = { (const uint8_t *)"\",\"process\":\"", 13 };
	const size_t n = strlen(process);
	line = line.n > 0 && line.p[0] == EVENT_RECORD ? view_from(line, 1) : line;
	if (line.n < before.n + EVENT_TIME - 1 + between.n + n + 1)
		return false;
	const struct view time = view_first(view_from(line, before.n), EVENT_TIME - 1), rest = view_from(line, before.n + EVENT_TIME - 1);
	return view_eq(view_first(line, before.n), before) && memchr(time.p, '"', time.n) == NULL && view_eq(view_first(rest, between.n), between) &&
	       view_eq(view_first(view_from(rest, between.n), n), view_str(process)) && view_eq(view_first(view_from(rest, between.n + n), 1), VIEW("\""));
}

void event_show(struct out *o, const char *time, const char *process, const char *severity, const char *event, const char *source,
		const struct event_field *fields, size_t n, uint64_t repeated, uint64_t lost)
{
	out_fmt(o, "%s %s %s %s", time, process, severity, event);
	for (size_t i = 0; i < n; i++) {
		out_fmt(o, " %s=\"", fields[i].name);
		text_escape(o, view_str(fields[i].value), VALUE_MAX);
		out_u8(o, '"');
	}
	if (source != NULL && *source != 0)
		out_fmt(o, " (%s)", source);
	if (repeated > 0)
		out_fmt(o, " and %llu more like it", (unsigned long long)repeated);
	if (lost > 0)
		out_fmt(o, " (%llu lines lost before)", (unsigned long long)lost);
	out_u8(o, '\n');
}

static void show_plain(struct event_log *log, const struct said *x, size_t n, uint64_t lost, struct out *o)
{
	event_show(o, x->time, log->process, event_severity_name(x->kind->severity), x->kind->name, x->kind->source, x->fields, n,
		   x->repeated, lost);
}

/* A line too long loses its last fields. */
static struct view line_of(struct event_log *log, const struct said *x, bool json, bool marked, uint64_t lost)
{
	for (size_t n = x->n;; n--) {
		out_clear(&log->line);
		if (marked)
			out_u8(&log->line, EVENT_RECORD);
		(json ? show_json : show_plain)(log, x, n, lost, &log->line);
		if (!log->line.bad || n == 0)
			return out_view(&log->line);
	}
}

/* Whole or not at all, and never waited for: asked first, since the descriptor may be one that blocks. */
static bool write_line(int fd, struct view line)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	if (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0)
		return false;
	ssize_t n;
	do
		n = write(fd, line.p, line.n);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)line.n;
}

static void count(uint64_t *untold, bool good)
{
	*untold = good ? 0 : *untold + 1;
}

static void put(struct event_log *log, struct said *x)
{
	event_show_time(x->time, env_wall_ms(log->env));
	bool good = write_line(log->fd, line_of(log, x, log->json, false, log->untold));
	log->lost += !good;
	count(&log->untold, good);
	if (log->doubled && !log->json)
		count(&log->untold_copies, write_line(log->fd, line_of(log, x, true, true, log->untold_copies)));
	if (log->take != NULL)
		count(&log->untold_copies, log->take(log->take_ctx, line_of(log, x, true, false, log->untold_copies)));
}

/* --- storms --- */

static void tell_storm(struct event_log *log, unsigned kind)
{
	struct storm *s = &log->storms[kind];
	uint64_t held = s->held;
	s->held = 0;
	s->told_ms = env_now_ms(log->env);
	struct said x = { .kind = &log->kinds[kind], .repeated = held };
	if (held > 0)
		put(log, &x);
}

/* Begins a new window when the old one is over; a quiet window ends the storm. */
static void roll_window(struct event_log *log, unsigned kind)
{
	struct storm *s = &log->storms[kind];
	int64_t now = env_now_ms(log->env);
	if (now - s->window_ms < EVENT_STORM_WINDOW_MS)
		return;
	if (s->rages && (s->in_window <= EVENT_STORM_MAX || now - s->window_ms >= 2 * EVENT_STORM_WINDOW_MS)) {
		s->rages = false;
		tell_storm(log, kind);
	} else if (s->rages && now - s->told_ms >= EVENT_STORM_TELL_MS) {
		tell_storm(log, kind);
	}
	s->window_ms = now;
	s->in_window = 0;
}

static void on_timer(void *ctx)
{
	struct event_log *log = ctx;
	CHECK(log, EVENT_LOG_MAGIC);
	bool any = false;
	for (unsigned i = 0; i < log->n_kinds; i++) {
		if (log->storms[i].rages)
			roll_window(log, i);
		any = any || log->storms[i].rages;
	}
	if (any)
		timer_after(&log->timer, EVENT_STORM_WINDOW_MS);
}

static bool is_held(struct event_log *log, unsigned kind)
{
	struct storm *s = &log->storms[kind];
	roll_window(log, kind);
	s->in_window++;
	if (!s->rages && s->in_window <= EVENT_STORM_MAX)
		return false;
	if (!s->rages) {
		s->rages = true;
		s->told_ms = env_now_ms(log->env);
		if (!timer_is_set(&log->timer))
			timer_after(&log->timer, EVENT_STORM_WINDOW_MS);
	}
	s->held++;
	return true;
}

/* --- public --- */

void event_emit(struct event_log *log, unsigned kind_index, ...)
{
	CHECK(log, EVENT_LOG_MAGIC);
	assert(kind_index < log->n_kinds);
	const struct event_kind *kind = &log->kinds[kind_index];
	/* What operators do is an audit: each is written, however many there are. */
	bool is_audit = strcmp(kind->category, EVENT_AUDIT) == 0;
	if (!event_is_heard(log, kind_index) || (!is_audit && is_held(log, kind_index)))
		return;
	struct event_field fields[FIELDS_MAX];
	struct said x = { .kind = kind, .fields = fields };
	va_list args;
	va_start(args, kind_index);
	for (const char *name; (name = va_arg(args, const char *)) != NULL;) {
		const char *value = va_arg(args, const char *);
		assert(x.n < FIELDS_MAX);
		fields[x.n++] = (struct event_field){ name, value == NULL ? "" : value };
	}
	va_end(args);
	put(log, &x);
}

bool event_is_heard(const struct event_log *log, unsigned kind_index)
{
	CHECK(log, EVENT_LOG_MAGIC);
	const struct event_kind *kind = &log->kinds[kind_index];
	return (unsigned)kind->severity >= log->least[kind_index] || strcmp(kind->category, EVENT_AUDIT) == 0;
}

struct event_log *event_log_new(struct env *env, const struct event_kind *kinds, size_t n_kinds, const char *process,
				int fd, bool json)
{
	struct event_log *log = mem_zero(sizeof *log);
	log->magic = EVENT_LOG_MAGIC;
	log->env = env;
	log->kinds = kinds;
	log->n_kinds = n_kinds;
	log->storms = mem_zero(mem_mul(n_kinds, sizeof *log->storms));
	for (size_t i = 0; i < n_kinds; i++)
		log->storms[i].window_ms = env_now_ms(env);
	log->process = mem_strdup(process);
	log->fd = fd;
	log->json = json;
	log->least = mem_zero(n_kinds);
	event_log_set_level(log, event_level_least(EVENT_LEVEL_MEDIUM));
	out_init(&log->line, LINE_MAX_OCTETS);
	timer_init(&log->timer, env, on_timer, log);
	return log;
}

void event_log_free(struct event_log **log)
{
	if (*log == NULL)
		return;
	CHECK(*log, EVENT_LOG_MAGIC);
	for (unsigned i = 0; i < (*log)->n_kinds; i++)
		tell_storm(*log, i);
	timer_stop(&(*log)->timer);
	out_fini(&(*log)->line);
	MEM_FREE((*log)->storms);
	MEM_FREE((*log)->least);
	MEM_FREE((*log)->process);
	(*log)->magic = 0;
	MEM_FREE(*log);
}

void event_log_set_level(struct event_log *log, enum event_severity least)
{
	CHECK(log, EVENT_LOG_MAGIC);
	for (size_t i = 0; i < log->n_kinds; i++)
		log->least[i] = (uint8_t)least;
}

bool event_log_set_category(struct event_log *log, const char *category, enum event_severity least)
{
	CHECK(log, EVENT_LOG_MAGIC);
	bool found = false;
	for (size_t i = 0; i < log->n_kinds; i++)
		if (strcmp(log->kinds[i].category, category) == 0) {
			log->least[i] = (uint8_t)least;
			found = true;
		}
	return found;
}

enum event_severity event_log_least(const struct event_log *log, unsigned kind_index)
{
	CHECK(log, EVENT_LOG_MAGIC);
	assert(kind_index < log->n_kinds);
	return (enum event_severity)log->least[kind_index];
}

void event_log_set_json(struct event_log *log, bool json)
{
	CHECK(log, EVENT_LOG_MAGIC);
	log->json = json;
}

void event_log_for_recorder(struct event_log *log)
{
	CHECK(log, EVENT_LOG_MAGIC);
	log->doubled = true;
}

void event_log_copy(struct event_log *log, bool (*take)(void *ctx, struct view line), void *ctx)
{
	CHECK(log, EVENT_LOG_MAGIC);
	log->take = take;
	log->take_ctx = ctx;
}

uint64_t event_lost(const struct event_log *log)
{
	CHECK(log, EVENT_LOG_MAGIC);
	return log->lost;
}
