/* settings_diff_fuzz.c - two texts, with a NUL between them, as versions of settings: nothing differs when, and only when, their
 * canonical prints are the same; and no secret is shown. */
#include "sys/settings_diff.h"

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct link {
	const char *name, *password;
	uint64_t interval;
	struct view selector;
	struct setting_list addresses;
};
struct route {
	const char *match, *to;
	bool good;
};
struct site {
	const char *mta;
	struct link first;
	struct setting_list links, routes;
};

static const struct setting link_rows[] = {
	{ "n", SETTING_STRING, offsetof(struct link, password), "\"\"", 0, 32 },
	{ "name", SETTING_STRING, offsetof(struct link, name), "\"\"", 0, 32 },
	{ "i", SETTING_DURATION_MS, offsetof(struct link, interval), "10 min" },
	{ "s", SETTING_SELECTOR, offsetof(struct link, selector), "", 0, 16 },
	{ "a", SETTING_STRINGS, offsetof(struct link, addresses), "[]" },
};
static const struct settings_section link_section = { "link", sizeof(struct link), link_rows, ARRAY_LEN(link_rows) };
static const struct setting route_rows[] = {
	{ "m", SETTING_STRING, offsetof(struct route, match), "\"\"" },
	{ "t", SETTING_STRING, offsetof(struct route, to), "\"\"" },
	{ "g", SETTING_BOOL, offsetof(struct route, good), "no" },
};
static const struct settings_section route_section = { "route", sizeof(struct route), route_rows, ARRAY_LEN(route_rows) };
static const struct setting site_rows[] = {
	{ "m", SETTING_STRING, offsetof(struct site, mta), "here" },
	{ "f", SETTING_MAP, offsetof(struct site, first), "{}", .of = &link_section },
	{ "l", SETTING_LIST, offsetof(struct site, links), "[]", .of = &link_section },
	{ "r", SETTING_LIST, offsetof(struct site, routes), "[]", .of = &route_section },
};
static const struct settings_section site_section = { "site", sizeof(struct site), site_rows, ARRAY_LEN(site_rows) };
static bool is_secret(const char *path)
{
	return strcmp(path, "l.n") == 0 || strcmp(path, "f.n") == 0;
}

static void look_at(void *ctx, const struct settings_diff_line *x)
{
	size_t *n = ctx;
	(*n)++;
	if (is_secret(x->path))
		assert(strcmp(x->line + strlen(x->where), ": another one") == 0);
}

static void compare(const struct site *old, const struct site *now)
{
	struct out x, y;
	size_t n = 0;
	out_init(&x, SIZE_MAX / 2);
	out_init(&y, SIZE_MAX / 2);
	settings_print(&site_section, old, &x);
	settings_print(&site_section, now, &y);
	const size_t told = settings_diff(&site_section, old, now, is_secret, look_at, &n);
	assert(told == n);
	assert(settings_diff(&site_section, now, old, is_secret, NULL, NULL) == n);
	assert((n == 0) == view_eq(out_view(&x), out_view(&y)));
	out_fini(&x);
	out_fini(&y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(1 << 20);
	struct site old = { 0 }, now = { 0 };
	const uint8_t *nul = size == 0 ? NULL : memchr(data, 0, size);
	const size_t n = nul == NULL ? size : (size_t)(nul - data);
	const struct view all = view_of(data, size);
	if (settings_read(&site_section, view_first(all, n), "old", &old, a, NULL) &&
	    settings_read(&site_section, view_from(all, n < size ? n + 1 : size), "now", &now, a, NULL))
		compare(&old, &now);
	arena_free(&a);
	return 0;
}
