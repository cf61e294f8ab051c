/* settings_operate.c - see settings_operate.h. */
#include "proc/table/settings_operate.h"

#include <arpa/inet.h>

#include "base/text.h"
#include "flow/message/oraddr.h"
#include "proc/table/events_table.h"
#include "sys/net.h"

#define AT(type, member) offsetof(struct type, member)
enum { LEVELS_ARENA = 8 * 1024 * 1024 };
#define MS_MAX (366ull * 86400 * 1000)

const char *const settings_level_names[] = { "none", "minimum", "medium", "maximum", NULL };
static const char *const file_forms[] = { "text", "json", NULL };
static const char *const roles[] = { "viewer", "operator", NULL };

static const struct setting event_log_rows[] = {
	{ "level", SETTING_ENUM, AT(set_event_log, level), "medium", .words = settings_level_names,
	  .manual = "how much is said: none: errors and alarms, minimum: warnings too, medium: what happens, too, maximum: everything; acts of operators always" },
	{ "levels", SETTING_STRINGS, AT(set_event_log, levels), "[]", 0, 100, .manual = "the same for one category: \"x400 maximum\"" },
	{ "standard-error", SETTING_BOOL, AT(set_event_log, standard_error), "true", .manual = "events go to standard error" },
	{ "file", SETTING_STRING, AT(set_event_log, file), "\"\"", 0, 400, .manual = "and to this file; relative to the settings file; empty: to none" },
	{ "file-form", SETTING_ENUM, AT(set_event_log, file_form), "json", .words = file_forms, .manual = "form of its lines" },
	{ "file-size", SETTING_SIZE, AT(set_event_log, file_size), "10 M", 64 << 10, 1ull << 40, .manual = "a longer file is put aside as FILE.1, and a new one begun" },
	{ "file-keep", SETTING_UINT, AT(set_event_log, file_keep), "5", 0, 1000, .manual = "how many of those are kept" },
	{ "journal", SETTING_BOOL, AT(set_event_log, journal), "false", .manual = "and to the journal of systemd, with their fields; not when standard error goes there" },
	{ "memory", SETTING_UINT, AT(set_event_log, memory), "10000", 100, 1000000, .manual = "events kept in memory, for who follows later and for the console" },
};
const struct settings_section settings_event_log = { "event-log", sizeof(struct set_event_log), event_log_rows, ARRAY_LEN(event_log_rows) };

static const struct setting user_rows[] = {
	{ "name", SETTING_STRING, AT(set_console_user, name), NULL, 1, 64, .manual = "who logs in; in audit events as console:NAME" },
	{ "role", SETTING_ENUM, AT(set_console_user, role), "viewer", .words = roles, .manual = "viewer sees everything and changes nothing; operator acts" },
	{ "password", SETTING_STRING, AT(set_console_user, password), NULL, 1, 300, .manual = "as posthorn console-password prints it; never the password itself" },
};
static const struct settings_section user_section = { "user", sizeof(struct set_console_user), user_rows, ARRAY_LEN(user_rows) };

static const struct setting console_rows[] = {
	{ "listen", SETTING_STRINGS, AT(set_console, listen), "[]", 0, 100, .manual = "addresses for browsers and for Prometheus, \"127.0.0.1:8025\"; none: no console. There is no TLS: beyond this host put a proxy that has it before it" },
	{ "users", SETTING_LIST, AT(set_console, users), "[]", .of = &user_section, .manual = "who may log in" },
	{ "session-time", SETTING_DURATION_MS, AT(set_console, session_ms), "8 h", 1000, MS_MAX, .manual = "a session without a request for so long is over" },
	{ "metrics", SETTING_BOOL, AT(set_console, metrics), "true", .manual = "/metrics is there, for Prometheus, without login" },
	{ "metrics-token", SETTING_STRING, AT(set_console, metrics_token), "\"\"", 0, 200, .manual = "what Prometheus has to say as its bearer token; empty: nothing" },
	{ "origin", SETTING_STRING, AT(set_console, origin), "\"\"", 0, 200, .manual = "how browsers name the console when they come through a proxy: \"https://mta.example\"" },
	{ "trusted-proxies", SETTING_STRINGS, AT(set_console, trusted_proxies), "[]", 0, 100, .manual = "addresses of proxies, without port (\"127.0.0.1\"), that are believed when they say in X-Forwarded-For whom they speak for: guessed passwords slow that address then, and events name it. A proxy that passes on what its client has said there is not to be trusted" },
	{ "viewers", SETTING_UINT, AT(set_console, viewers), "200", 1, 10000, .manual = "pages with live updates at once, three quarters of them at most for one user; more are told to come later" },
};
const struct settings_section settings_console = { "console", sizeof(struct set_console), console_rows, ARRAY_LEN(console_rows) };

static const struct setting monitor_rows[] = {
	{ "to", SETTING_STRING, AT(set_monitor, to), "\"\"", 0, 512, .manual = "O/R address beyond the link to which probes go; it need not exist, a non-delivery report is an answer too; empty: no monitor" },
	{ "interval", SETTING_DURATION_MS, AT(set_monitor, interval_ms), "15 min", 100, MS_MAX, .manual = "between probes" },
	{ "critical-interval", SETTING_DURATION_MS, AT(set_monitor, critical_interval_ms), "5 min", 100, MS_MAX, .manual = "the same while one has not been answered for longer than warning" },
	{ "warning", SETTING_DURATION_MS, AT(set_monitor, warning_ms), "30 min", 100, MS_MAX, .manual = "a probe without an answer for so long is a warning" },
	{ "alert", SETTING_DURATION_MS, AT(set_monitor, alert_ms), "60 min", 100, MS_MAX, .manual = "and for so long an alert" },
};
const struct settings_section settings_monitor = { "monitor", sizeof(struct set_monitor), monitor_rows, ARRAY_LEN(monitor_rows) };

bool settings_event_level(const char *text, const char **category_r, enum event_level *level_r, struct arena *a)
{
	const char *space = strchr(text, ' ');
	if (space == NULL)
		return false;
	*category_r = arena_str(a, view_of((const uint8_t *)text, (size_t)(space - text)));
	for (unsigned i = 0; settings_level_names[i] != NULL; i++)
		if (strcmp(space + 1, settings_level_names[i]) == 0) {
			*level_r = (enum event_level)i;
			return true;
		}
	return false;
}

enum event_level settings_level_of(const struct set_event_log *set, const char *category)
{
	const char *const *levels = set->levels.v, *one;
	enum event_level level = (enum event_level)set->level;
	struct arena *a = arena_new(LEVELS_ARENA);
	for (size_t i = 0; i < set->levels.n; i++) {
		enum event_level x;
		if (settings_event_level(levels[i], &one, &x, a) && strcmp(one, category) == 0)
			level = x;
	}
	arena_free(&a);
	return level;
}

static bool is_category(const char *name)
{
	for (size_t i = 0; i < EVENT_KINDS; i++)
		if (strcmp(event_kinds[i].category, name) == 0)
			return true;
	return false;
}

static bool check_levels(const struct set_event_log *log, const char *file, struct arena *a, struct err *e)
{
	char at[SETTINGS_PLACE_MAX];
	const char *const *lines = log->levels.v;
	for (size_t i = 0; i < log->levels.n; i++) {
		const char *category;
		enum event_level level;
		if (!settings_event_level(lines[i], &category, &level, a))
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: event-log: found level \"%s\", want a category and one of none, minimum, medium, maximum: \"x400 maximum\"", settings_place(&log->levels, i, file, at), lines[i]);
		if (!is_category(category))
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: event-log: no event is of category \"%s\"; posthorn events list names them", settings_place(&log->levels, i, file, at), category);
	}
	return true;
}

static bool is_ip(const char *text)
{
	struct in_addr four;
	struct in6_addr six;
	return inet_pton(AF_INET, text, &four) == 1 || inet_pton(AF_INET6, text, &six) == 1;
}

struct door {
	bool is_net, is_all;
	int family;
	uint8_t octets[16];
	unsigned long port;
};

/* Of a text that net_addr_parse takes. */
static struct door door_of(const char *text)
{
	struct door d = { .is_net = strncmp(text, "unix:", 5) != 0 };
	static const uint8_t all[16];
	char host[INET6_ADDRSTRLEN + 8];
	const char *colon = strrchr(text, ':');
	if (!d.is_net || colon == NULL)
		return d;
	const bool six = *text == '[';
	snprintf(host, sizeof host, "%.*s", (int)(colon - text - (six ? 2 : 0)), text + (six ? 1 : 0));
	d.family = six ? AF_INET6 : AF_INET;
	d.port = strtoul(colon + 1, NULL, 10);
	d.is_net = inet_pton(d.family, host, d.octets) == 1;
	d.is_all = memcmp(d.octets, all, sizeof all) == 0;
	return d;
}

bool settings_addresses_meet(const char *a, const char *b)
{
	const struct door x = door_of(a), y = door_of(b);
	if (!x.is_net || !y.is_net)
		return strcmp(a, b) == 0;
	return x.port == y.port && x.port != 0 && x.family == y.family && (x.is_all || y.is_all || memcmp(x.octets, y.octets, sizeof x.octets) == 0);
}

static bool meets_one_of(const char *addr, const struct setting_list *others, size_t n, const char **other_r)
{
	const char *const *v = others->v;
	for (size_t i = 0; i < n; i++)
		if (settings_addresses_meet(addr, v[i])) {
			*other_r = v[i];
			return true;
		}
	return false;
}

/* Else the second would be told, at the start, to be another process's. */
static bool check_console_doors(const struct settings *s, const char *file, struct err *e)
{
	const struct setting_list *mine = &s->console.listen;
	const char *const *listen = mine->v, *other;
	char at[SETTINGS_PLACE_MAX];
	for (size_t i = 0; i < mine->n; i++) {
		const bool of_peers = meets_one_of(listen[i], &s->listen, s->listen.n, &other) || meets_one_of(listen[i], &s->listen_tls, s->listen_tls.n, &other);
		if (of_peers || meets_one_of(listen[i], mine, i, &other))
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: console: address \"%s\" is taken by \"%s\" of %s", settings_place(mine, i, file, at), listen[i],
				       other, of_peers ? "listen or listen-tls" : "console.listen");
	}
	return true;
}

/* As a browser says it in the header Origin (RFC 6454, 6.2), for it is compared with that; and with Host, what follows the scheme. */
static bool is_origin(const char *text)
{
	const bool secure = strncmp(text, "https://", 8) == 0;
	if (!secure && strncmp(text, "http://", 7) != 0)
		return false;
	const char *host = text + (secure ? 8 : 7);
	size_t n = strspn(host, "-._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
	if (*host == '[') {
		n = 1 + strspn(host + 1, ":.0123456789abcdefABCDEF");
		n = n > 1 && host[n] == ']' ? n + 1 : 0;
	}
	uint64_t port;
	if (n == 0 || host[n] == 0)
		return n > 0;
	return host[n] == ':' && text_uint(view_str(host + n + 1), 65535, &port) && port != 0 && port != (secure ? 443 : 80);
}

static bool check_console(const struct set_console *c, const char *file, struct err *e)
{
	const struct set_console_user *users = c->users.v;
	const char *const *listen = c->listen.v, *const *proxies = c->trusted_proxies.v;
	struct net_addr addr;
	struct err why;
	char at[SETTINGS_PLACE_MAX];
	if (*c->origin != 0 && !is_origin(c->origin))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: console: found origin \"%.60s\", want what browsers say, \"https://mta.example\": http or https, a host, :PORT only where it is another than 443 or 80, and nothing behind",
			       file, c->origin);
	for (size_t i = 0; i < c->listen.n; i++)
		if (!net_addr_parse(listen[i], &addr, &why))
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: console: %s", settings_place(&c->listen, i, file, at), why.text);
	for (size_t i = 0; i < c->trusted_proxies.n; i++)
		if (!is_ip(proxies[i]))
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: console: found trusted proxy \"%s\", want an address of IPv4 or IPv6 without a port: \"127.0.0.1\"", settings_place(&c->trusted_proxies, i, file, at), proxies[i]);
	for (size_t i = 0; i < c->users.n; i++)
		if (strncmp(users[i].password, "$scrypt$", 8) != 0)
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: console: the password of \"%s\" is not what posthorn console-password prints", settings_place(&c->users, i, file, at), users[i].name);
	for (size_t i = 0; i < c->users.n; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(users[i].name, users[k].name) == 0)
				return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: console: two users are called \"%s\"", settings_place(&c->users, i, file, at), users[i].name);
	return true;
}

bool settings_check_operate(const struct settings *s, const char *file, struct arena *a, struct err *e)
{
	const struct set_link *links = s->links.v;
	char at[SETTINGS_PLACE_MAX];
	for (size_t i = 0; i < s->links.n; i++) {
		const struct set_monitor *m = &links[i].monitor;
		struct oraddr addr;
		struct err why;
		if (*m->to != 0 && !oraddr_parse(view_str(m->to), &addr, a, ORADDR_CARRY, &why))
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\": monitor \"%s\": %s", settings_place(&s->links, i, file, at), links[i].name, m->to, why.text);
		if (m->alert_ms < m->warning_ms)
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\": alert of its monitor comes before its warning", settings_place(&s->links, i, file, at), links[i].name);
	}
	return check_levels(&s->event_log, file, a, e) && check_console(&s->console, file, e) && check_console_doors(s, file, e);
}
