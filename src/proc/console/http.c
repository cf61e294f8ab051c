/* http.c - may he, and what: Host, Origin, session, token and role of a request, before its handler; then the handler by table. */
#include "proc/console/console_int.h"

#include "base/mem.h"
#include "proc/console/pages.h"

#include <stdarg.h>

enum { OPEN = 1, ACTS = 2 };

struct route {
	enum method method;
	const char *path;        /* after /api; "*": any segment */
	handler_f *handle;
	unsigned flags;          /* OPEN: without a session; ACTS: operators only */
};

static const struct route routes[] = {
	{ METHOD_GET, "openapi.yaml", api_contract, OPEN },
	{ METHOD_GET, "session", api_session, 0 },
	{ METHOD_POST, "login", api_login, OPEN },
	{ METHOD_POST, "logout", api_logout, 0 },
	{ METHOD_GET, "overview", api_overview, 0 },
	{ METHOD_GET, "history", api_history, 0 },
	{ METHOD_GET, "stream", api_stream, 0 },
	{ METHOD_GET, "events", api_events, 0 },
	{ METHOD_GET, "links/*", api_link, 0 },
	{ METHOD_POST, "links/*/*", api_link_act, ACTS },
	{ METHOD_GET, "queue", api_queue, 0 },
	{ METHOD_POST, "queue/*", api_queue_act, ACTS },
	{ METHOD_GET, "message/*/*", api_message, 0 },
	{ METHOD_GET, "message/*/*/text", api_text, 0 },
	{ METHOD_GET, "trace", api_trace, 0 },
	{ METHOD_GET, "track", api_track, 0 },
	{ METHOD_GET, "quarantine", api_quarantine, 0 },
	{ METHOD_POST, "quarantine/*", api_quarantine_act, ACTS },
};

/* --- answers --- */

/* What was found is in the answer now. */
static void give_up_memory(struct task *t)
{
	out_fini(&t->out);
	out_fini(&t->more);
	out_fini(&t->row);
	arena_reset(t->arena);
}

static void fail_with(struct task *t, int status, const char *text, const char *const *extra)
{
	t->answered = true;
	out_clear(&t->out);
	t->j = (struct jout){ &t->out, false };
	jout_open(&t->j, NULL, '{');
	jout_str(&t->j, "error", text);
	jout_close(&t->j, '}');
	request_answer(t->request, status, "application/json", out_view(&t->out), extra);
	give_up_memory(t);
}

void task_fail(struct task *t, int status, const char *fmt, ...)
{
	char text[300];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	fail_with(t, status, text, NULL);
}

bool task_may_hold(struct task *t, size_t n)
{
	char again[32];
	const char *const extra[] = { again, NULL };
	if (request_hold(t->request, n))
		return true;
	snprintf(again, sizeof again, "Retry-After: %d", HELD_AGAIN_S);
	EMIT(&t->console->host, CONSOLE_HELD, "of", t->request->payer, "peer", t->request->address);
	fail_with(t, 503, "answers that were not taken yet fill the memory of the console: come again in a few seconds", extra);
	return false;
}

bool task_grown(struct task *t)
{
	if (request_hold(t->request, t->out.cap + t->more.cap + t->row.cap))
		return true;
	upstream_forget(&t->call);
	return task_may_hold(t, SIZE_MAX / 2);
}

void task_failed(struct task *t, int status, const struct err *e)
{
	task_fail(t, status, "%s", e->text);
}

void task_upstream_failed(struct task *t, const struct call *c, const struct err *e)
{
	if (c->away)
		task_fail(t, 503, "%s", e->text);
	else
		task_fail(t, e->kind == ERR_TEMP ? 503 : 409, "%s", e->text);
}

void task_answer(struct task *t)
{
	static const char *const none[] = { NULL };
	if (t->out.bad) {
		task_fail(t, 500, "the answer is longer than the console can hold");
	} else if (task_may_hold(t, out_len(&t->out))) {
		t->answered = true;
		request_answer(t->request, 200, "application/json", out_view(&t->out), none);
		give_up_memory(t);
	}
}

void task_done(struct task *t)
{
	out_str(&t->out, "{\"done\":true}");
	task_answer(t);
}

bool task_page(struct task *t)
{
	int status;
	struct err e;
	const struct target *target = &t->request->target;
	if (target_number(target, "after", 0, INT64_MAX, 0, &t->after, &status, &e) &&
	    target_number(target, "max", 1, ROWS_MOST, ROWS_DEFAULT, &t->max, &status, &e))
		return true;
	task_failed(t, status, &e);
	return false;
}

/* --- who --- */

/* Cookies know no ports: consoles of one host have each its own. */
void http_cookie_name(const struct console *c, char name[32])
{
	uint16_t port = 0;
	if (server_ports(c->server, &port, 1) == 0 || *c->settings->console.origin != 0)
		port = 0;
	if (strncmp(c->settings->console.origin, "https://", 8) == 0)
		snprintf(name, 32, "__Host-posthorn"); /* RFC 6265bis 4.1.3.2: nobody but this host can have set it, by TLS and for all paths */
	else if (port == 0)
		snprintf(name, 32, "posthorn");
	else
		snprintf(name, 32, "posthorn%u", (unsigned)port);
}

static void find_session(struct task *t, bool touch)
{
	struct console *c = t->console;
	char name[32];
	http_cookie_name(c, name);
	const struct view token = parse_cookie(request_header(t->request, "Cookie", NULL), view_str(name));
	const struct session *s = sessions_find(c->sessions, token, touch, env_now_ms(c->host.env));
	if (s == NULL)
		return;
	t->who.known = true;
	t->who.role = s->role;
	snprintf(t->who.user, sizeof t->who.user, "%s", s->user);
	snprintf(t->who.token, sizeof t->who.token, "%s", s->token);
	snprintf(t->request->payer, sizeof t->request->payer, "user %s", s->user);
}

static bool has_csrf(struct task *t)
{
	const struct session *s = sessions_find(t->console->sessions, view_str(t->who.token), false, env_now_ms(t->console->host.env));
	return s != NULL && session_same(request_header(t->request, "X-Posthorn-CSRF", NULL), view_str(s->csrf));
}

/* --- is it meant for us, and from us? --- */

static void refused(struct task *t, int status, const char *why)
{
	char number[8];
	snprintf(number, sizeof number, "%d", status);
	EMIT(&t->console->host, CONSOLE_REFUSED, "peer", t->request->address, "status", number, "why", why);
	task_fail(t, status, "%s", why);
}

static bool is_for_us(struct task *t)
{
	uint16_t ports[SERVER_DOORS];
	const size_t n = server_ports(t->console->server, ports, SERVER_DOORS);
	if (parse_host_is_ours(request_header(t->request, "Host", NULL), ports, n, t->console->settings->console.origin))
		return true;
	refused(t, 421, "the console is not known by the name that the request gives (Host): use its address, localhost, or set console.origin");
	return false;
}

static bool is_json(struct view type)
{
	static const struct view json = { (const uint8_t *)"application/json", 16 };
	return view_eq_nocase(view_first(type, json.n), json) && (type.n == json.n || type.p[json.n] == ';' || type.p[json.n] == ' ');
}

/* A post from a page of somebody else's, or from none that a browser names so. */
static bool is_from_us(struct task *t)
{
	const struct request *r = t->request;
	unsigned n, n_sites;
	const struct view origin = request_header(r, "Origin", &n), site = request_header(r, "Sec-Fetch-Site", &n_sites);
	if (n > 1 || (n == 1 && !parse_origin_is_ours(origin, request_header(r, "Host", NULL), t->console->settings->console.origin))) {
		refused(t, 403, "the request comes from a page of another site (Origin)");
		return false;
	}
	if (n_sites > 0 && !view_eq(site, VIEW("same-origin")) && !view_eq(site, VIEW("none"))) {
		refused(t, 403, "the request comes from a page of another site (Sec-Fetch-Site)");
		return false;
	}
	if (!is_json(request_header(r, "Content-Type", NULL))) {
		refused(t, 415, "want Content-Type: application/json");
		return false;
	}
	return true;
}

/* --- which handler --- */

static bool path_fits(const char *path, const struct target *t)
{
	size_t i = 1; /* after "api" */
	while (*path != 0) {
		const char *slash = strchr(path, '/');
		const size_t n = slash == NULL ? strlen(path) : (size_t)(slash - path);
		if (i >= t->n_segments || (!(n == 1 && *path == '*') && !view_eq(view_of(path, n), t->segments[i])))
			return false;
		i++;
		path += n + (slash != NULL);
	}
	return i == t->n_segments;
}

static const struct route *find_route(const struct request *r, bool *other_method_r)
{
	const enum method method = r->method == METHOD_HEAD ? METHOD_GET : r->method;
	*other_method_r = false;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (path_fits(routes[i].path, &r->target)) {
			if (routes[i].method == method)
				return &routes[i];
			*other_method_r = true;
		}
	return NULL;
}

static void wrong_method(struct task *t, const char *allow)
{
	char header[64];
	const char *const extra[] = { header, NULL };
	snprintf(header, sizeof header, "Allow: %s", allow);
	fail_with(t, 405, "this address knows another method", extra);
}

static void run_api(struct task *t)
{
	bool other_method;
	const struct route *x = find_route(t->request, &other_method);
	if (x == NULL && other_method)
		wrong_method(t, t->request->method == METHOD_POST ? "GET, HEAD" : "POST");
	else if (x == NULL)
		task_fail(t, 404, "nothing is there");
	if (x == NULL || (x->method == METHOD_POST && !is_from_us(t)))
		return;
	find_session(t, x->handle != api_stream);
	if (!t->who.known && !(x->flags & OPEN)) {
		task_fail(t, 401, "log in first");
	} else if (x->method == METHOD_POST && !(x->flags & OPEN) && !has_csrf(t)) {
		refused(t, 403, "the request has not the token of its session (X-Posthorn-CSRF)");
	} else if ((x->flags & ACTS) && t->who.role != CONSOLE_OPERATOR) {
		EMIT(&t->console->host, CONSOLE_FORBIDDEN, "user", t->who.user, "peer", t->request->address, "path", x->path);
		task_fail(t, 403, "you may look, not act: your role is viewer");
	} else {
		x->handle(t);
	}
}

/* --- the page --- */

static void give_page(struct task *t, const struct page *p)
{
	char tag[80];
	const char *const extra[] = { "Cache-Control: no-cache", tag, NULL };
	snprintf(tag, sizeof tag, "ETag: %s", p->tag);
	t->answered = true;
	if (view_eq(request_header(t->request, "If-None-Match", NULL), view_str(p->tag)))
		request_answer_static(t->request, 304, p->type, (struct view){ NULL, 0 }, extra);
	else
		request_answer_static(t->request, 200, p->type, p->octets, extra);
}

static void run_page(struct task *t)
{
	const struct target *target = &t->request->target;
	const struct view name = target->n_segments == 0 ? VIEW("index.html") : target->segments[0];
	if (t->request->method == METHOD_POST) {
		wrong_method(t, "GET, HEAD");
		return;
	}
	for (size_t i = 0; target->n_segments <= 1 && i < n_pages; i++)
		if (view_eq(view_str(pages[i].name), name)) {
			give_page(t, &pages[i]);
			return;
		}
	task_fail(t, 404, "nothing is there");
}

/* --- a request --- */

static struct task *task_new(struct console *c, struct request *r)
{
	struct task *t = mem_zero(sizeof *t);
	t->magic = TASK_MAGIC;
	t->console = c;
	t->request = r;
	t->arena = arena_new(TASK_ARENA);
	out_init(&t->out, TASK_ANSWER);
	out_init(&t->more, TASK_ANSWER);
	out_init(&t->row, TASK_ANSWER);
	t->j = (struct jout){ &t->out, false };
	t->began_ms = env_now_ms(c->host.env);
	r->user = t;
	return t;
}

/* Two headers are no proxy's: it appends to the one that is there. */
static void find_client(const struct console *c, struct request *r)
{
	const struct setting_list *trusted = &c->settings->console.trusted_proxies;
	unsigned n;
	const struct view forwarded = request_header(r, "X-Forwarded-For", &n);
	if (n != 1 || trusted->n == 0)
		return;
	parse_client(forwarded, trusted->v, trusted->n, r->address);
	snprintf(r->payer, sizeof r->payer, "%s", r->address);
}

static void on_request(void *ctx, struct request *r)
{
	struct console *c = ctx;
	CHECK(c, CONSOLE_MAGIC);
	find_client(c, r);
	struct task *t = task_new(c, r);
	const struct target *target = &r->target;
	const bool is_metrics = target->n_segments == 1 && view_eq(target->segments[0], VIEW("metrics")) && r->method != METHOD_POST;
	/* Who has it is no browser that was led here by another name. */
	const bool has_token = *c->settings->console.metrics_token != 0;
	if (r->method == METHOD_OTHER)
		wrong_method(t, "GET, HEAD, POST");
	else if (is_metrics && has_token)
		api_metrics(t);
	else if (!is_for_us(t))
		return;
	else if (is_metrics)
		api_metrics(t);
	else if (target->n_segments > 0 && view_eq(target->segments[0], VIEW("api")))
		run_api(t);
	else
		run_page(t);
	if (!t->answered)
		request_later(r);
}

static void on_gone(void *ctx, struct request *r)
{
	struct task *t = r->user;
	(void)ctx;
	CHECK(t, TASK_MAGIC);
	upstream_forget(&t->call);
	arena_free(&t->arena);
	out_fini(&t->out);
	out_fini(&t->more);
	out_fini(&t->row);
	free(t->ids);
	t->magic = 0;
	free(t);
}

static void on_refused(void *ctx, const char *why, const char *address)
{
	struct console *c = ctx;
	EMIT(&c->host, CONSOLE_MALFORMED, "peer", address, "why", why);
}

const struct server_events http_events = { .handle = on_request, .gone = on_gone, .refused = on_refused };
