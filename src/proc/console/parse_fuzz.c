/* parse_fuzz.c - targets, cookies, hosts, bodies and times of anybody. The first octet says which. */
#include "base/check.h"
#include "proc/console/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_target(struct view v)
{
	static struct target t;
	static struct out o;
	int status = 0;
	struct err e;
	if (!target_parse(v, &t, &status, &e)) {
		assert(status == 400 || status == 404 || status == 414);
		return;
	}
	for (size_t i = 0; i < t.n_segments; i++)
		assert(t.segments[i].n > 0 && t.segments[i].p[t.segments[i].n] == 0 && memchr(t.segments[i].p, 0, t.segments[i].n) == NULL);
	out_init(&o, PARSE_SELECTION);
	if (!parse_selection(&t, INT64_C(1795361931000), &o, &status, &e))
		assert(status == 400);
	out_fini(&o);
}

static void check_bodies(struct view v)
{
	struct arena *a = arena_new(1 << 20);
	struct parse_act act;
	struct parse_login login;
	int status = 0;
	struct err e;
	if (parse_act_body(v, true, INT64_C(1795361931000), &act, a, &status, &e))
		assert(act.has_filter != (act.n_ids > 0) && act.n_ids <= PARSE_IDS && act.selection.n <= PARSE_SELECTION);
	if (parse_login_body(v, &login, a, &status, &e))
		assert(login.name.n > 0 && login.name.n <= PARSE_NAME && login.password.n <= PARSE_PASSWORD);
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t ports[] = { 8025 };
	const struct view v = view_of(data + (size > 0), size - (size > 0));
	static const char *const trusted[] = { "127.0.0.1", "::1" };
	char address[PARSE_ADDRESS] = "127.0.0.1";
	int64_t ms;
	if (size == 0)
		return 0;
	switch (data[0] % 4) {
	case 0: check_target(v); break;
	case 1: check_bodies(v); break;
	case 2:
		(void)parse_cookie(v, VIEW("posthorn"));
		parse_client(v, trusted, 2, address);
		assert(strlen(address) >= 2 && strlen(address) < 46);
		break;
	default:
		assert(!parse_host_is_ours(v, ports, 1, "") || !parse_origin_is_ours(v, v, "https://mta.example")); /* an origin has a scheme */
		if (parse_time(v, &ms))
			assert(ms > -INT64_C(90000000));
	}
	return 0;
}
