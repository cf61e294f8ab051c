/* config.c - see config.h. */
#include "proc/table/config.h"

#include "base/hash.h"
#include "proc/table/events_table.h"
#include "proc/table/settings_compare.h"
#include "proc/table/settings_operate.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

enum { CONFIG_MAX = 8 * 1024 * 1024, CONFIG_ARENA = 64 * 1024 * 1024, DIRECTORY_MAX = 400 /* settings_table.c */ };

static bool read_file(const char *path, struct out *o, struct err *e)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: %s", path, strerror(errno));
	uint8_t buf[4096];
	size_t n;
	while (!o->bad && (n = fread(buf, 1, sizeof buf, f)) > 0)
		out_bytes(o, view_of(buf, n));
	bool failed = ferror(f) != 0;
	fclose(f);
	if (failed)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: cannot be read: %s", path, strerror(errno));
	if (o->bad)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: longer than %d octets", path, CONFIG_MAX);
	return true;
}

static void add_process(struct plan *p, enum process_kind kind, uint64_t n)
{
	for (uint32_t i = 0; i < n; i++)
		p->processes[p->n_processes++] = (struct plan_process){ .kind = kind, .instance = i };
}

/* One more of a kind, for what has struck already (DESIGN 2): it dies of that a bounded number of times, and is started again at once. */
static void add_for_suspects(struct plan *p, enum process_kind kind, uint64_t instance)
{
	p->processes[p->n_processes++] = (struct plan_process){ .kind = kind, .instance = (uint32_t)instance, .at_once = 1 };
}

static void add_listener(struct plan *p, const char *name, enum process_kind owner, const char *addr)
{
	struct plan_listener *l = &p->listeners[p->n_listeners++];
	snprintf(l->name, sizeof l->name, "%s", name);
	snprintf(l->addr, sizeof l->addr, "%.107s", addr);
	l->owner = owner;
}

static size_t count_processes(const struct settings *s)
{
	const struct set_link *links = s->links.v;
	size_t n = (size_t)(s->processes.contents + s->processes.links) + settings_movers_n(s) + 5; /* recorder, switch, reader, two for suspects */
	n += s->console.listen.n > 0;
	for (size_t i = 0; i < s->links.n; i++)
		n += links[i].kind == LINK_MSMAIL ? 2 : 0;
	return n;
}

/* --- what a process reads once --- */

static void print_numbers(struct out *o, const uint64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out_u64(o, v[i]);
}

static void print_what_it_reads(const struct settings *s, const struct plan_process *x, struct out *o)
{
	const struct set_link *links = s->links.v;
	const struct set_mover *mover;
	const char *peer;
	const uint64_t conversion[] = { s->processes.content_ms, s->processes.content_memory, s->limits.elements };
	if (x->kind == PROCESS_CONTENT || x->kind == PROCESS_CONVERTER)
		print_numbers(o, conversion, ARRAY_LEN(conversion));
	if (x->kind == PROCESS_CONVERTER || x->kind == PROCESS_INTERCHANGE) {
		const uint64_t numbers[] = { s->limits.message, s->limits.strikes, s->processes.content_ms, s->expiry.non_urgent_ms };
		print_numbers(o, numbers, ARRAY_LEN(numbers));
		settings_print(settings_link_section(), &links[x->instance], o);
	} else if (x->kind == PROCESS_MOVER && settings_mover_at(s, x->instance, &mover, &peer)) {
		print_numbers(o, &s->limits.strikes, 1);
		settings_print(&settings_mover, mover, o);
		out_str(o, peer == NULL ? "" : peer);
	}
}

/* Where a list of links or movers has grown or shrunk, the numbers after it are of others: their keys say so. */
static void set_keys(const struct settings *s, struct plan *p)
{
	for (size_t i = 0; i < p->n_processes; i++) {
		struct out o;
		out_init(&o, CONFIG_MAX);
		print_what_it_reads(s, &p->processes[i], &o);
		if (out_len(&o) > 0)
			p->processes[i].key = hash_octets(HASH_START, out_view(&o)) | 1;
		out_fini(&o);
	}
}

static bool make_plan(const struct settings *s, const char *path, struct plan *p, struct err *e)
{
	char unix_addr[128];
	const char *const *listen = s->listen.v, *const *listen_tls = s->listen_tls.v;
	const char *const *console = s->console.listen.v;
	*p = (struct plan){ .magic = PLAN_MAGIC };
	if (s->listen.n + s->listen_tls.n + s->console.listen.n + 4 > ARRAY_LEN(p->listeners))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: %zu listen addresses, at most %zu", path, s->listen.n + s->listen_tls.n + s->console.listen.n,
			       ARRAY_LEN(p->listeners) - 4);
	if (strlen(s->store.directory) > 90)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: store.directory is longer than 90 characters, a socket in it has no name",
			       path);
	if (count_processes(s) > ARRAY_LEN(p->processes))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: %zu processes are needed, at most %zu: fewer links of kind msmail, movers or peers of movers", path,
			       count_processes(s), ARRAY_LEN(p->processes));
	add_process(p, PROCESS_RECORDER, 1); /* first, so that it hears of the others' start */
	add_process(p, PROCESS_SWITCH, 1);
	add_process(p, PROCESS_READER, 1);
	add_process(p, PROCESS_CONTENT, s->processes.contents);
	add_process(p, PROCESS_LINK, s->processes.links);
	const struct set_link *links = s->links.v;
	for (uint32_t i = 0; i < s->links.n; i++)
		if (links[i].kind == LINK_MSMAIL) {
			p->processes[p->n_processes++] = (struct plan_process){ .kind = PROCESS_INTERCHANGE, .instance = i };
			p->processes[p->n_processes++] = (struct plan_process){ .kind = PROCESS_CONVERTER, .instance = i, .at_once = 1 };
		}
	add_process(p, PROCESS_MOVER, settings_movers_n(s));
	add_for_suspects(p, PROCESS_ALONE, 0);
	add_for_suspects(p, PROCESS_CONTENT, s->processes.contents);
	set_keys(s, p);
	for (size_t i = 0; i < s->listen.n; i++)
		add_listener(p, "p1", PROCESS_LINK, listen[i]);
	for (size_t i = 0; i < s->listen_tls.n; i++)
		add_listener(p, CONFIG_LISTENER_TLS, PROCESS_LINK, listen_tls[i]);
	snprintf(unix_addr, sizeof unix_addr, "unix:%s/control", s->store.directory);
	add_listener(p, "control", PROCESS_SWITCH, unix_addr);
	snprintf(unix_addr, sizeof unix_addr, "unix:%s/connect", s->store.directory);
	add_listener(p, "connect", PROCESS_SWITCH, unix_addr);
	snprintf(unix_addr, sizeof unix_addr, "unix:%s/read", s->store.directory);
	add_listener(p, "read", PROCESS_READER, unix_addr);
	snprintf(unix_addr, sizeof unix_addr, "unix:%s/events", s->store.directory);
	add_listener(p, "events", PROCESS_RECORDER, unix_addr);
	if (s->console.listen.n > 0)
		add_process(p, PROCESS_CONSOLE, 1);
	for (size_t i = 0; i < s->console.listen.n; i++)
		add_listener(p, "console", PROCESS_CONSOLE, console[i]);
	snprintf(p->directory, sizeof p->directory, "%s", s->store.directory);
	snprintf(p->user, sizeof p->user, "%s", s->mta.user);
	p->restart_min_ms = s->processes.restart_min_ms;
	p->restart_max_ms = s->processes.restart_max_ms;
	p->stop_ms = s->processes.stop_ms;
	p->watchdog_ms = s->processes.watchdog_ms;
	p->events_json = s->events == 1;
	p->events_quiet = !s->event_log.standard_error;
	/* Of the supervisor, which reads no settings: most of its events are of this category. */
	p->events_least = event_level_least(settings_level_of(&s->event_log, event_kinds[EV_PROCESS_STARTED].category));
	return true;
}

/* The folder of the settings file. */
static bool find_folder(const char *path, char full[PATH_MAX])
{
	bool is_copy = strncmp(path, "/proc/self/fd/", 14) == 0; /* process.h: the working directory is the file's */
	if ((is_copy ? getcwd(full, PATH_MAX) : realpath(path, full)) == NULL)
		return false;
	char *slash = is_copy ? NULL : strrchr(full, '/');
	if (slash != NULL)
		*slash = 0;
	return true;
}

struct resolving {
	const char *path, *folder;
	struct arena *a;
	struct err *e;
};

/* Every process reads it again, by the same limit. */
static bool resolve(const struct resolving *r, const char **directory)
{
	char joined[PATH_MAX + 512];
	if (**directory == 0 || **directory == '/')
		return true;
	snprintf(joined, sizeof joined, "%s/%s", r->folder, *directory);
	if (strlen(joined) > DIRECTORY_MAX)
		return err_set(r->e, ERR_LOCAL, ERR_OF_PROCESS, "%s: directory \"%.60s\" has more than %d characters with the folder of this file before it",
			       r->path, *directory, DIRECTORY_MAX);
	*directory = arena_str(r->a, view_str(joined));
	return true;
}

static bool resolve_all(const struct resolving *r, const char **directories, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!resolve(r, &directories[i]))
			return false;
	return true;
}

/* The directories as every process will see them, whatever its working directory: relative to the settings file. */
static bool resolve_directories(struct settings *s, const char *path, struct arena *a, struct err *e)
{
	char folder[PATH_MAX];
	struct set_link *links = s->links.v;
	struct set_mover *movers = s->movers.v;
	const struct resolving r = { path, folder, a, e };
	if (!find_folder(path, folder))
		return true;
	bool good = resolve(&r, &s->store.directory) && resolve(&r, &s->event_log.file);
	for (size_t i = 0; good && i < s->links.n; i++) {
		struct set_msmail *m = &links[i].msmail;
		good = resolve(&r, &m->postoffice) && resolve(&r, &m->ffapi_import) && resolve(&r, &m->ffapi_export);
	}
	for (size_t i = 0; good && i < s->movers.n; i++)
		good = resolve(&r, &movers[i].postoffice) && resolve_all(&r, movers[i].peers.v, movers[i].peers.n);
	return good;
}

bool config_read(const char *path, struct plan *plan_r, struct out *canonical, struct err *e)
{
	struct out text;
	struct settings s;
	struct arena *a = arena_new(CONFIG_ARENA);
	out_init(&text, CONFIG_MAX);
	bool good = read_file(path, &text, e) && settings_load(out_view(&text), path, &s, a, e);
	good = good && resolve_directories(&s, path, a, e) && settings_check_directories(&s, path, a, e) && make_plan(&s, path, plan_r, e);
	if (good && canonical != NULL)
		settings_print(&settings_root, &s, canonical);
	out_fini(&text);
	arena_free(&a);
	return good;
}

bool config_compare(struct view old, struct view now, struct out *lines, size_t *n_r, struct err *e)
{
	struct settings was, is;
	struct arena *a = arena_new(2 * CONFIG_ARENA);
	const bool good = settings_load(old, "the settings in force", &was, a, e) && settings_load(now, "the new settings", &is, a, e) &&
			  settings_compare(&was, &is, lines, n_r, e);
	arena_free(&a);
	return good;
}
