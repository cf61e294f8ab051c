/* settings_fuzz.c - any text as settings: an error or settings whose canonical print reads back to itself. */
#include "sys/settings.h"

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct link {
	const char *name;
	uint64_t interval, window;
	struct view selector;
	struct setting_list addresses;
};
struct site {
	const char *mta;
	bool relay;
	unsigned level;
	struct link first;
	struct setting_list links;
};

static const struct setting link_rows[] = {
	{ "name", SETTING_STRING, offsetof(struct link, name), NULL, 1, 32 },
	{ "interval", SETTING_DURATION_MS, offsetof(struct link, interval), "10 min", 0, 86400000 },
	{ "window", SETTING_SIZE, offsetof(struct link, window), "64 K" },
	{ "selector", SETTING_SELECTOR, offsetof(struct link, selector), "", 0, 16 },
	{ "addresses", SETTING_STRINGS, offsetof(struct link, addresses), "[]" },
};
static const struct settings_section link_section = { "link", sizeof(struct link), link_rows, ARRAY_LEN(link_rows) };
static const char *const levels[] = { "none", "minimum", "maximum", NULL };
static const struct setting site_rows[] = {
	{ "mta", SETTING_STRING, offsetof(struct site, mta), "'here'" },
	{ "relay", SETTING_BOOL, offsetof(struct site, relay), "false" },
	{ "level", SETTING_ENUM, offsetof(struct site, level), "none", .words = levels },
	{ "first", SETTING_MAP, offsetof(struct site, first), "{name: x}", .of = &link_section },
	{ "links", SETTING_LIST, offsetof(struct site, links), "[]", .of = &link_section },
};
static const struct settings_section site_section = { "site", sizeof(struct site), site_rows, ARRAY_LEN(site_rows) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(1 << 20);
	struct site site = { 0 }, again = { 0 };
	struct err e = { 0 };
	if (settings_read(&site_section, view_of(data, size), "fuzz", &site, a, &e)) {
		struct out once, twice;
		out_init(&once, SIZE_MAX / 2);
		out_init(&twice, SIZE_MAX / 2);
		settings_print(&site_section, &site, &once);
		arena_reset(a);
		bool ok = settings_read(&site_section, out_view(&once), "print", &again, a, &e);
		assert(ok || arena_full(a) || out_len(&once) > 1 << 20);
		if (ok) {
			settings_print(&site_section, &again, &twice);
			assert(view_eq(out_view(&once), out_view(&twice)));
		}
		out_fini(&once);
		out_fini(&twice);
	} else {
		assert(e.kind == ERR_LOCAL && e.text[0] != 0);
	}
	arena_free(&a);
	return 0;
}
