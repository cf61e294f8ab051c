/* reload.c - posthorn reload: has the running MTA read its settings again, and shows what has changed. */
#include "proc/ctl/ctl_int.h"

#include "base/text.h"
#include "sys/process.h"

#include <jansson.h>
#include <pwd.h>
#include <unistd.h>

static const char usage[] =
	"usage: posthorn reload [-c FILE | -d DIRECTORY] [--dry-run] [--json]\n\n"
	"Has the running MTA read its settings file again, as SIGHUP does: as a whole or not at all. Prints one line a change. Where anything is wrong\n"
	"(line and column), cannot change while it runs, or cannot be bound, nothing changes. What a change of a setting does is said in\n"
	"posthorn.yaml(5). Passwords are never shown.\n\n"
	"  -c FILE, -d DIRECTORY   the MTA: its settings, or its store's directory\n"
	CTL_PATIENCE
	"  --dry-run               only say what would change\n"
	"  --json                  one JSON object: outcome (reloaded, unchanged, dry-run, refused, wrong), changes, error\n"
	"\nExit status: 0 done, or nothing has changed; 1 refused; 64 wrong usage; 69 no MTA answers; 75 the switch does not answer, or the supervisor is stopped; 78 the settings are wrong.";

struct asking {
	bool dry;
	struct ctl *ctl;
	struct timer look;
	bool is_stopped;           /* the supervisor, at the last look */
};

/* The switch asks the supervisor, and greets whoever comes while that takes: so nobody else sees that it will not end. */
static void on_look(void *ctx)
{
	struct asking *q = ctx;
	const bool was_stopped = q->is_stopped;
	q->is_stopped = ctl_supervisor_is_stopped(q->ctl);
	if (was_stopped && q->is_stopped) { /* not for a moment alone */
		q->ctl->supervisor_stopped = true;
		ctl_over(q->ctl, CTL_SILENT);
	} else {
		timer_after(&q->look, (int64_t)q->ctl->patience_ms);
	}
}

static void begin_looking(struct ctl *c)
{
	struct asking *q = c->user;
	timer_init(&q->look, c->env, on_look, q);
	if (c->patience_ms > 0)
		timer_after(&q->look, (int64_t)c->patience_ms);
}

static void end_looking(struct ctl *c)
{
	struct asking *q = c->user;
	timer_stop(&q->look);
}

static void ask(struct ctl *c)
{
	const struct asking *q = c->user;
	const struct passwd *user = getpwuid(getuid());
	const struct msg_reload m = { .id = 1, .dry = q->dry, .who = view_str(user == NULL ? "" : user->pw_name) };
	put_msg_reload(chan_begin(c->chan, MSG_RELOAD), &m);
	chan_end(c->chan);
}

static const char *outcome(uint32_t how)
{
	static const char *const names[] = { [PROCESS_RELOADED] = "reloaded", [PROCESS_RELOAD_SAME] = "unchanged", [PROCESS_RELOAD_DRY] = "dry-run",
					     [PROCESS_RELOAD_REFUSED] = "refused", [PROCESS_RELOAD_WRONG] = "wrong" };
	return how < ARRAY_LEN(names) ? names[how] : "unknown";
}

static bool is_good(uint32_t how)
{
	return how == PROCESS_RELOADED || how == PROCESS_RELOAD_SAME || how == PROCESS_RELOAD_DRY;
}

/* One without octets that JSON cannot hold. */
static json_t *json_text(struct view v)
{
	char escaped[4096];
	json_t *text = json_stringn((const char *)v.p, v.n);
	return text != NULL ? text : json_string(text_escaped(escaped, sizeof escaped, v));
}

static void print_json(const struct msg_reloaded *m)
{
	json_t *object = json_object(), *changes = json_array();
	json_object_set_new(object, "outcome", json_string(outcome(m->how)));
	for (struct view rest = m->text; is_good(m->how) && rest.n > 0;) {
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		const size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);
		json_array_append_new(changes, json_text(view_first(rest, n)));
		rest = view_from(rest, n + (end != NULL));
	}
	json_object_set_new(object, "changes", changes);
	if (!is_good(m->how))
		json_object_set_new(object, "error", json_text(m->text));
	json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(object);
}

static void print_text(const struct msg_reloaded *m)
{
	if (!is_good(m->how))
		return;
	if (m->how == PROCESS_RELOAD_SAME)
		puts("nothing has changed");
	struct out o;
	out_init(&o, 4 * MSG_MAX_RELOADED + 1);
	text_show(&o, m->text, true);
	fputs(out_cstr(&o), stdout);
	out_fini(&o);
	if (m->how == PROCESS_RELOAD_DRY)
		puts("nothing was done");
}

static bool on_reloaded(void *ctx, struct view payload, struct err *e)
{
	struct ctl *c = ctx;
	struct msg_reloaded m;
	if (!get_msg_reloaded(payload, &m, e))
		return false;
	if (c->json)
		print_json(&m);
	else
		print_text(&m);
	if (is_good(m.how))
		ctl_over(c, CTL_DONE);
	else
		ctl_over(c, ctl_say(c, m.how == PROCESS_RELOAD_WRONG ? CTL_CONFIG : CTL_REFUSED, "%.*s", (int)m.text.n, (const char *)m.text.p));
	return true;
}

/* The directory of the store is enough to find it. A file that is wrong is no hindrance where that is known: the answer says so. */
static bool read_options(struct ctl *c, struct asking *q, int argc, char **argv)
{
	const struct ctl_option own[] = { { "dry-run", .flag = &q->dry, .letter = 'n' } };
	if (!ctl_options(c, argc, argv, usage, own, ARRAY_LEN(own)))
		return false;
	if (optind < argc)
		ctl_say(c, CTL_USAGE, "\"%.40s\" is one word too many", argv[optind]);
	return optind == argc;
}

/* The file is read here too, to find the MTA: who wants JSON gets the same of it as from there. */
static bool find_mta(struct ctl *c)
{
	if (ctl_find_mta(c))
		return true;
	if (c->json && c->status == CTL_CONFIG)
		print_json(&(struct msg_reloaded){ .how = PROCESS_RELOAD_WRONG, .text = view_str(c->wrong.text) });
	return false;
}

int ctl_reload(int argc, char **argv)
{
	static const struct chan_type types[] = { { .type = MSG_RELOADED, .name = "RELOADED", .handle = on_reloaded, .max = MSG_MAX_RELOADED } };
	struct ctl c;
	struct asking q = { .dry = false };
	ctl_begin(&c, argv[0]);
	q.ctl = &c;
	c.user = &q;
	c.begin = begin_looking;
	c.end = end_looking;
	if (read_options(&c, &q, argc, argv) && find_mta(&c))
		ctl_converse(&c, "control", types, ARRAY_LEN(types), ask);
	ctl_end(&c);
	return c.status;
}
