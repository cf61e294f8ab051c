/* ctl.c - finding the MTA, talking to it, its lists. */
#include "proc/ctl/ctl_int.h"

#include "base/mem.h"
#include "base/text.h"
#include "flow/message/oraddr.h"
#include "proc/ctl/patience.h"
#include "proc/table/config.h"
#include "proc/table/rows.h"
#include "sys/loop.h"
#include "sys/process.h"

#include <jansson.h>
#include <limits.h>

enum { CTL_ARENA = 256 * 1024 * 1024, PATIENCE_MS = 5000, SAID_MAX = 1024 * 1024 };

void ctl_begin(struct ctl *c, const char *command)
{
	static const char program[] = "posthorn ";
	const bool is_whole = strncmp(command, program, strlen(program)) == 0;
	*c = (struct ctl){ .command = is_whole ? command + strlen(program) : command, .config = getenv("POSTHORN_CONFIG") };
	const char *directory = getenv("POSTHORN_DIRECTORY");
	snprintf(c->directory, sizeof c->directory, "%s", directory == NULL ? "" : directory);
	c->arena = arena_new(CTL_ARENA);
	const char *patience = getenv("POSTHORN_PATIENCE");
	if (patience == NULL || !ctl_patience(patience, &c->patience_ms))
		c->patience_ms = PATIENCE_MS;
	c->row = arena_new(CTL_ARENA);
	out_init(&c->message, CTL_ARENA);
}

void ctl_end(struct ctl *c)
{
	arena_free(&c->arena);
	arena_free(&c->row);
	out_fini(&c->message);
}

int ctl_say(struct ctl *c, int status, const char *fmt, ...)
{
	va_list args;
	char *said = NULL;
	struct out o;
	c->status = status;
	if (c->silent)
		return status;
	va_start(args, fmt);
	const int n = vasprintf(&said, fmt, args);
	va_end(args);
	out_init(&o, SAID_MAX);
	if (n >= 0)
		text_show(&o, view_of(said, (size_t)n), true);
	fprintf(stderr, "posthorn %s: %s\n", c->command, out_cstr(&o));
	out_fini(&o);
	free(said);
	return status;
}

bool ctl_find_mta(struct ctl *c)
{
	struct plan plan;
	struct err *e = &c->wrong;
	struct out text;
	if (c->config == NULL) {
		if (*c->directory == 0)
			ctl_say(c, CTL_USAGE, "want -c FILE (the MTA's settings) or -d DIRECTORY (of its store)");
		return *c->directory != 0;
	}
	out_init(&text, 16 * 1024 * 1024);
	bool good = config_read(c->config, &plan, &text, e) &&
		    settings_load(arena_copy(c->arena, out_view(&text)), c->config, &c->settings, c->arena, e);
	out_fini(&text);
	if (!good) {
		ctl_say(c, CTL_CONFIG, "%s (an MTA that runs answers meanwhile to -d DIRECTORY, that of its store)", e->text);
		return false;
	}
	snprintf(c->directory, sizeof c->directory, "%s", plan.directory);
	return true;
}

/* --- the conversation --- */

void ctl_over(struct ctl *c, int status)
{
	if (!c->over)
		c->status = status;
	c->over = true;
	loop_stop(c->env);
}

struct out *ctl_message(struct ctl *c)
{
	out_clear(&c->message);
	return &c->message;
}

void ctl_message_send(struct ctl *c, enum msg type)
{
	if (c->message.bad || out_len(&c->message) > msg_max(type))
		ctl_over(c, ctl_say(c, CTL_USAGE, "what is asked for is too long: want at most %zu octets in all", msg_max(type)));
	else
		chan_send(c->chan, (uint16_t)type, out_view(&c->message));
}

bool ctl_number(struct ctl *c, const char *what, const char *text, uint64_t *number_r)
{
	if (text_uint(view_str(text), UINT64_MAX, number_r))
		return true;
	ctl_say(c, CTL_USAGE, "%s \"%.60s\": want a number", what, text);
	return false;
}

static void on_closed(void *ctx, const struct err *why)
{
	struct ctl *c = ctx;
	if (c->over)
		return;
	if (c->other_version != 0)
		ctl_say(c, CTL_NO_MTA, "%s/: the MTA there is of another release (it speaks version %u of the protocol, this program %d)", c->directory,
			c->other_version, (int)CHAN_VERSION);
	else if (!c->is_silent && c->greeted)
		ctl_say(c, CTL_NO_MTA, "%s/: the MTA there has broken off, or does not know what was asked: %s", c->directory, why->text);
	else if (!c->is_silent)
		ctl_say(c, CTL_NO_MTA, "%s/: no MTA answers there: %s", c->directory, why->text);
	c->over = true;
	loop_stop(c->env);
}

static void on_hello(void *ctx, unsigned kind, uint32_t instance)
{
	struct ctl *c = ctx;
	(void)kind;
	(void)instance;
	c->greeted = true;
	patience_greeted(c->patience, c->endless);
	c->start(c);
}

static void on_silent(void *ctx)
{
	struct ctl *c = ctx;
	ctl_over(c, CTL_SILENT);
}

static void on_other_version(void *ctx, unsigned version)
{
	struct ctl *c = ctx;
	c->other_version = version;
}

static void no_opened(void *ctx)
{
	(void)ctx;
}

int ctl_converse(struct ctl *c, const char *socket, const struct chan_type *types, size_t n_types, void (*start)(struct ctl *c))
{
	char where[320];
	struct net_addr addr;
	struct err e;
	const struct chan_events events = { .types = types, .n_types = n_types, .closed = on_closed, .hello = on_hello, .other_version = on_other_version };
	static const struct stream_events none = { .opened = no_opened };
	snprintf(where, sizeof where, "unix:%s/%s", c->directory, socket);
	if (!net_addr_parse(where, &addr, &e))
		return ctl_say(c, CTL_NO_MTA, "%s", e.text);
	c->over = c->greeted = false;
	c->socket = socket;
	c->start = start;
	c->other_version = 0;
	c->status = CTL_NO_MTA;
	c->env = loop_new(NULL);
	struct stream *s = env_connect(c->env, &addr, NULL, &none, NULL);
	c->chan = chan_new(&s, &events, c, PROCESS_TOOL, 0);
	c->patience = patience_new(c->env, &addr, (int64_t)c->patience_ms, on_silent, c);
	if (c->begin != NULL)
		c->begin(c);
	loop_run(c->env);
	if (c->end != NULL)
		c->end(c);
	patience_free(&c->patience);
	chan_free(&c->chan, false);
	loop_free(&c->env);
	return c->status == CTL_SILENT && !c->is_silent ? ctl_say_silence(c) : c->status;
}

/* --- lists --- */

struct asking {
	enum msg_question what;
	const char *of, *key;
	uint64_t after;
	ctl_row_f *row;
};

static bool on_row(void *ctx, struct view payload, struct err *e)
{
	struct ctl *c = ctx;
	struct asking *q = c->user;
	struct msg_row m;
	if (!get_msg_row(payload, &m, e))
		return false;
	uint64_t at;
	arena_reset(c->row);
	if (text_uint(ctl_octets(m.pairs, q->key), UINT64_MAX, &at))
		q->after = at;
	q->row(c, m.pairs);
	return true;
}

static bool on_rows_end(void *ctx, struct view payload, struct err *e)
{
	struct ctl *c = ctx;
	struct asking *q = c->user;
	struct msg_answer m;
	if (!get_msg_answer(payload, &m, e))
		return false;
	uint64_t looked;
	c->more = m.accepted && m.duplicate;
	if (text_uint(m.mts_id, UINT64_MAX, &looked) && (looked > q->after || q->what == ASK_TRACK)) /* which goes back */
		q->after = looked;
	ctl_over(c, m.accepted ? CTL_DONE : ctl_say(c, CTL_REFUSED, "%s", m.err.text));
	return true;
}

static void ask(struct ctl *c)
{
	struct asking *q = c->user;
	struct msg_ask m = { .id = 1, .after = q->after, .what = q->what, .of = view_str(q->of) };
	put_msg_ask(ctl_message(c), &m);
	ctl_message_send(c, MSG_ASK);
}

int ctl_ask(struct ctl *c, enum msg_question what, const char *of, const char *key, uint64_t *after_io, unsigned pages, ctl_row_f *row)
{
	static const struct chan_type types[] = {
		{ .type = MSG_ROW, .name = "ROW", .handle = on_row, .max = 1024 * 1024 },
		{ .type = MSG_ROWS_END, .name = "ROWS_END", .handle = on_rows_end, .max = 1024 },
	};
	void *user = c->user;
	struct asking q = { .what = what, .of = of, .key = key, .after = *after_io, .row = row };
	c->user = &q;
	int status;
	do {
		c->more = false;
		status = ctl_converse(c, c->rows_of != NULL ? c->rows_of : "read", types, ARRAY_LEN(types), ask);
	} while (status == CTL_DONE && c->more && --pages > 0);
	*after_io = q.after;
	c->user = user;
	return status;
}

struct view ctl_octets(struct view pairs, const char *name)
{
	return rows_value(pairs, name);
}

const char *ctl_shown(struct ctl *c, struct view value)
{
	struct out o;
	out_init(&o, CTL_ARENA);
	text_show(&o, value, false);
	const char *text = arena_str(c->row, out_view(&o));
	out_fini(&o);
	return text == NULL ? "" : text;
}

const char *ctl_value(struct ctl *c, struct view pairs, const char *name)
{
	return ctl_shown(c, ctl_octets(pairs, name));
}

void ctl_print_json(struct view pairs)
{
	struct cur cur = cur_of(pairs);
	json_t *object = json_object();
	struct row_field f;
	while (rows_next(&cur, &f)) {
		char name[64];
		snprintf(name, sizeof name, "%.*s", (int)f.name.n, (const char *)f.name.p);
		json_t *v = f.is_number ? json_integer((json_int_t)f.number) : json_stringn((const char *)f.value.p, f.value.n);
		if (v == NULL) { /* not UTF-8 */
			char escaped[512];
			v = json_string(text_escaped(escaped, sizeof escaped, f.value));
		}
		json_object_set_new(object, name, v);
	}
	json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(object);
}

void ctl_print_texts(const char *const *pairs)
{
	struct out o;
	out_init(&o, 64 * 1024);
	for (; *pairs != NULL; pairs += 2)
		rows_text(&o, pairs[0], view_str(pairs[1]));
	ctl_print_json(out_view(&o));
	out_fini(&o);
}

bool ctl_address(struct ctl *c, const char *text, struct oraddr *addr)
{
	struct err e;
	const struct set_mailbox *boxes = c->settings.mailboxes.v;
	for (size_t i = 0; i < c->settings.mailboxes.n; i++)
		if (strcmp(boxes[i].name, text) == 0)
			text = ((const char *const *)boxes[i].addresses.v)[0];
	if (oraddr_parse(view_str(text), addr, c->arena, ORADDR_GENERATE, &e))
		return true;
	ctl_say(c, CTL_REFUSED, "\"%s\" is neither an O/R address nor a mailbox of the settings: %s", text, e.text);
	return false;
}
