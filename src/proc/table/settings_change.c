/* settings_change.c - see settings_change.h. */
#include "proc/table/settings_change.h"

#include "base/hash.h"

struct change_row {
	const char *path;  /* of a setting, or of a section all of which is so */
	enum settings_change change;
	const char *why;   /* CHANGE_RESTART: why it cannot change */
	bool secret;       /* its value is never shown */
};

#define KNOWN "peers, traces and identifiers know this MTA by it"
#define OPEN "the store is open with it"
#define COUNTED "how many there are is decided at the start"

/* The longest that fits counts. Each setting of a link stands here by itself: whether it faces the peer is to be decided. */
static const struct change_row rows[] = {
	/* The name is in every trace, every MTS-identifier and every bind; the account is given up at the start. */
	{ "mta.name", CHANGE_RESTART, KNOWN },
	{ "mta.domain", CHANGE_RESTART, KNOWN },
	{ "mta.user", CHANGE_RESTART, "the processes have become that user at the start" },
	{ "mta.alternate-recipient", CHANGE_AT_ONCE },
	/* The store is opened with these. */
	{ "store.directory", CHANGE_RESTART, "the store is open there" },
	{ "store.inline-content", CHANGE_RESTART, OPEN },
	{ "store.cache", CHANGE_RESTART, OPEN },
	{ "store.min-free", CHANGE_AT_ONCE },
	{ "store.keep-tracking", CHANGE_AT_ONCE },
	{ "store.tracking-size", CHANGE_AT_ONCE },
	{ "listen", CHANGE_AT_ONCE },
	{ "listen-tls", CHANGE_AT_ONCE },
	{ "events", CHANGE_AT_ONCE },
	{ "processes.links", CHANGE_RESTART, COUNTED },
	{ "processes.contents", CHANGE_RESTART, COUNTED },
	{ "processes.content-memory", CHANGE_PROCESS },
	{ "processes", CHANGE_AT_ONCE },
	{ "limits", CHANGE_AT_ONCE },
	{ "expiry", CHANGE_AT_ONCE },
	{ "links", CHANGE_AT_ONCE },
	{ "links.name", CHANGE_AT_ONCE },
	{ "links.address", CHANGE_LINK },
	{ "links.bind-address", CHANGE_LINK },
	{ "links.remote-mta-name", CHANGE_LINK },
	{ "links.remote-password", CHANGE_LINK, .secret = true },
	{ "links.local-mta-name", CHANGE_LINK },
	{ "links.local-password", CHANGE_LINK, .secret = true },
	{ "links.password-form", CHANGE_LINK },
	{ "links.allow-null-bind", CHANGE_LINK },
	{ "links.calling-tsel", CHANGE_LINK },
	{ "links.called-tsel", CHANGE_LINK },
	{ "links.calling-ssel", CHANGE_LINK },
	{ "links.called-ssel", CHANGE_LINK },
	{ "links.calling-psel", CHANGE_LINK },
	{ "links.called-psel", CHANGE_LINK },
	{ "links.tpdu-size", CHANGE_LINK },
	{ "links.session-version-1", CHANGE_LINK },
	{ "links.checkpoint-size", CHANGE_LINK },
	{ "links.window-size", CHANGE_LINK },
	{ "links.two-way-alternate", CHANGE_LINK },
	{ "links.max-open-retries", CHANGE_AT_ONCE },
	{ "links.max-transfer-retries", CHANGE_AT_ONCE },
	{ "links.open-interval", CHANGE_AT_ONCE },
	{ "links.transfer-interval", CHANGE_AT_ONCE },
	{ "links.association-lifetime", CHANGE_AT_ONCE },
	{ "links.disconnect", CHANGE_AT_ONCE },
	{ "links.threshold", CHANGE_AT_ONCE },
	{ "links.max-associations", CHANGE_AT_ONCE },
	{ "links.transfer-timeout-urgent", CHANGE_AT_ONCE },
	{ "links.transfer-timeout-normal", CHANGE_AT_ONCE },
	{ "links.transfer-timeout-non-urgent", CHANGE_AT_ONCE },
	{ "links.size-limit", CHANGE_AT_ONCE },
	{ "links.wrap", CHANGE_AT_ONCE },
	{ "links.kind", CHANGE_LINK },
	{ "links.extension-form", CHANGE_AT_ONCE },
	{ "links.conformance", CHANGE_LINK },
	{ "links.only-conformance", CHANGE_LINK },
	{ "links.more-addresses", CHANGE_LINK },
	{ "links.peer-hosts", CHANGE_LINK },
	{ "links.schedule", CHANGE_AT_ONCE },
	{ "links.times", CHANGE_AT_ONCE },
	{ "links.urgent-any-time", CHANGE_AT_ONCE },
	{ "links.permanent", CHANGE_AT_ONCE },
	{ "links.recovery-timeout", CHANGE_AT_ONCE },
	{ "links.keepalive", CHANGE_AT_ONCE },
	{ "links.remote-password-next", CHANGE_AT_ONCE, .secret = true }, /* what has been let in by remote-password stays */
	{ "links.remote-password-answer", CHANGE_LINK, .secret = true },
	{ "links.local-password-answer", CHANGE_LINK, .secret = true },
	{ "links.accept-from", CHANGE_AT_ONCE },
	{ "links.reject-from", CHANGE_AT_ONCE },
	{ "links.strip-bilateral", CHANGE_AT_ONCE },
	{ "links.strip-internal-trace", CHANGE_AT_ONCE },
	{ "links.keep-internal-trace-84", CHANGE_AT_ONCE },
	{ "links.ask-content-return", CHANGE_AT_ONCE },
	{ "links.downgrade-content", CHANGE_AT_ONCE },
	{ "links.upgrade-content", CHANGE_AT_ONCE },
	{ "links.body-part-15", CHANGE_AT_ONCE },
	{ "links.free-form-names", CHANGE_AT_ONCE },
	{ "links.text", CHANGE_AT_ONCE },
	{ "links.tls", CHANGE_LINK },
	{ "links.tls-name", CHANGE_LINK },
	{ "links.tls-own", CHANGE_LINK },
	{ "links.msmail", CHANGE_PROCESS },
	{ "links.monitor", CHANGE_AT_ONCE },
	{ "routes", CHANGE_AT_ONCE },
	{ "mailboxes", CHANGE_AT_ONCE },
	{ "lists", CHANGE_AT_ONCE },
	{ "movers", CHANGE_PROCESS },
	{ "routing", CHANGE_AT_ONCE },
	{ "tls", CHANGE_AT_ONCE }, /* for the connections that come next */
	{ "event-log", CHANGE_AT_ONCE },
	{ "console", CHANGE_AT_ONCE },
	{ "console.users.password", CHANGE_AT_ONCE, .secret = true },
	{ "console.metrics-token", CHANGE_AT_ONCE, .secret = true },
};

static bool is_within(const char *path, const char *row)
{
	const size_t n = strlen(row);
	return strncmp(path, row, n) == 0 && (path[n] == 0 || path[n] == '.');
}

static bool exists(const struct settings_section *section, const char *path)
{
	for (size_t i = 0; i < section->n_rows; i++) {
		const struct setting *x = &section->rows[i];
		const size_t n = strlen(x->key);
		if (!is_within(path, x->key))
			continue;
		return path[n] == 0 || (x->of != NULL && exists(x->of, path + n + 1));
	}
	return false;
}

static const struct change_row *row_of(const char *path)
{
	const struct change_row *best = NULL;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (is_within(path, rows[i].path) && (best == NULL || strlen(rows[i].path) > strlen(best->path)))
			best = &rows[i];
	return best;
}

const char *settings_change_why(const char *path)
{
	const struct change_row *row = row_of(path);
	return row == NULL || row->why == NULL ? "" : row->why;
}

bool settings_is_secret(const char *path)
{
	const struct change_row *row = row_of(path);
	return row != NULL && row->secret;
}

bool settings_change_of(const char *path, enum settings_change *change_r)
{
	const struct change_row *best = row_of(path);
	if (best == NULL || !exists(&settings_root, path))
		return false;
	*change_r = best->change;
	return true;
}

void settings_change_note(const char *path, struct out *o)
{
	enum settings_change change;
	if (!settings_change_of(path, &change))
		return;
	switch (change) {
	case CHANGE_AT_ONCE:
		out_str(o, "Reload: at once, for what comes next.");
		return;
	case CHANGE_LINK:
		out_str(o, "Reload: the associations of the link are released when what they have in hand is done, and opened anew.");
		return;
	case CHANGE_PROCESS:
		out_str(o, "Reload: its process is ended in order and started anew.");
		return;
	case CHANGE_RESTART:
		out_fmt(o, "Reload: not while it runs (%s).", settings_change_why(path));
		return;
	}
	CANT_HAPPEN("no such change");
}

/* --- comparing --- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_list(const struct setting *row, const struct setting_list *a, const struct setting_list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (row->type == SETTING_STRINGS ? !same_text(((const char *const *)a->v)[i], ((const char *const *)b->v)[i])
						 : !settings_same(row->of, (const char *)a->v + i * row->of->size, (const char *)b->v + i * row->of->size))
			return false;
	return true;
}

static bool same_value(const struct setting *row, const void *a, const void *b)
{
	switch (row->type) {
	case SETTING_STRING: return same_text(*(const char *const *)a, *(const char *const *)b);
	case SETTING_UINT:
	case SETTING_DURATION_MS:
	case SETTING_SIZE: return *(const uint64_t *)a == *(const uint64_t *)b;
	case SETTING_BOOL: return *(const bool *)a == *(const bool *)b;
	case SETTING_ENUM: return *(const unsigned *)a == *(const unsigned *)b;
	case SETTING_SELECTOR: return view_eq(*(const struct view *)a, *(const struct view *)b);
	case SETTING_STRINGS:
	case SETTING_LIST: return same_list(row, a, b);
	case SETTING_MAP: return settings_same(row->of, a, b);
	}
	CANT_HAPPEN("no such type of setting");
}

static bool same_row(const struct setting *row, const void *a, const void *b)
{
	return same_value(row, (const char *)a + row->offset, (const char *)b + row->offset);
}

bool settings_same(const struct settings_section *section, const void *a, const void *b)
{
	for (size_t i = 0; i < section->n_rows; i++)
		if (!same_row(&section->rows[i], a, b))
			return false;
	return true;
}

static const struct settings_section *section_of(const char *key)
{
	for (size_t i = 0; i < settings_root.n_rows; i++)
		if (strcmp(settings_root.rows[i].key, key) == 0)
			return settings_root.rows[i].of;
	CANT_HAPPEN("settings without links or lists");
}

const struct settings_section *settings_link_section(void)
{
	return section_of("links");
}

const struct settings_section *settings_list_section(void)
{
	return section_of("lists");
}

bool settings_link_differs(const struct set_link *a, const struct set_link *b)
{
	const struct settings_section *section = settings_link_section();
	char path[100];
	enum settings_change change;
	for (size_t i = 0; i < section->n_rows; i++) {
		snprintf(path, sizeof path, "links.%s", section->rows[i].key);
		if (settings_change_of(path, &change) && change == CHANGE_LINK && !same_row(&section->rows[i], a, b))
			return true;
	}
	return false;
}

/* --- copying --- */

static void copy_list(const struct setting *row, struct setting_list *to, struct arena *a)
{
	const struct setting_list from = *to;
	const size_t size = row->type == SETTING_STRINGS ? sizeof(char *) : row->of->size;
	if (from.n == 0)
		return;
	to->v = arena_array(a, from.n, size);
	assert(to->v != NULL);
	for (size_t i = 0; i < from.n; i++) {
		if (row->type == SETTING_STRINGS)
			((const char **)to->v)[i] = arena_str(a, view_str(((const char *const *)from.v)[i]));
		else
			settings_copy(row->of, (const char *)from.v + i * size, (char *)to->v + i * size, a);
	}
}

static void copy_value(const struct setting *row, void *at, struct arena *a)
{
	const char **text = at;
	struct view *selector = at;
	switch (row->type) {
	case SETTING_STRING:
		if (*text != NULL)
			*text = arena_str(a, view_str(*text));
		return;
	case SETTING_SELECTOR:
		if (selector->n > 0)
			*selector = arena_copy(a, *selector);
		return;
	case SETTING_STRINGS:
	case SETTING_LIST: copy_list(row, at, a); return;
	case SETTING_MAP: settings_copy(row->of, at, at, a); return;
	case SETTING_UINT:
	case SETTING_DURATION_MS:
	case SETTING_SIZE:
	case SETTING_BOOL:
	case SETTING_ENUM: return;
	}
}

void settings_copy(const struct settings_section *section, const void *from, void *to, struct arena *a)
{
	if (to != from)
		memcpy(to, from, section->size);
	for (size_t i = 0; i < section->n_rows; i++)
		copy_value(&section->rows[i], (char *)to + section->rows[i].offset, a);
}

static void blank_strings(const struct settings_section *section, void *at)
{
	for (size_t i = 0; i < section->n_rows; i++) {
		const struct setting *row = &section->rows[i];
		if (row->type == SETTING_STRING)
			*(const char **)(void *)((char *)at + row->offset) = "";
		else if (row->type == SETTING_MAP)
			blank_strings(row->of, (char *)at + row->offset);
	}
}

void settings_blank(const struct settings_section *section, void *to)
{
	memset(to, 0, section->size);
	blank_strings(section, to);
}

uint64_t settings_hash(const struct settings *s)
{
	struct out o;
	out_init(&o, SIZE_MAX / 2);
	settings_print(&settings_root, s, &o);
	const uint64_t h = hash_octets(HASH_START, out_view(&o));
	out_fini(&o);
	return h == 0 ? 1 : h;
}
