/* http_login.c - in and out, and the contract of the API. */
#include "proc/console/console_int.h"

extern const char console_openapi[];

static void put_session(struct task *t, const struct session *s)
{
	struct jout *j = &t->j;
	jout_open(j, NULL, '{');
	jout_str(j, "user", s->user);
	jout_str(j, "role", s->role == CONSOLE_OPERATOR ? "operator" : "viewer");
	jout_str(j, "csrf", s->csrf);
	jout_str(j, "mta", sampler_mta(t->console->sampler));
	jout_str(j, "version", POSTHORN_VERSION);
	jout_int(j, "idle_ms", (int64_t)t->console->settings->console.session_ms);
	jout_close(j, '}');
}

void api_session(struct task *t)
{
	const struct session *s = sessions_find(t->console->sessions, view_str(t->who.token), true, env_now_ms(t->console->host.env));
	put_session(t, s);
	task_answer(t);
}

static void too_often(struct task *t, struct view name, int64_t wait_ms)
{
	char header[48], seconds[24], who[200];
	const char *const extra[] = { header, NULL };
	snprintf(seconds, sizeof seconds, "%lld", (long long)(wait_ms + 999) / 1000);
	snprintf(header, sizeof header, "Retry-After: %s", seconds);
	snprintf(who, sizeof who, "%.*s", (int)name.n, (const char *)name.p);
	EMIT(&t->console->host, CONSOLE_SLOWED, "user", who, "peer", t->request->address, "seconds", seconds);
	out_fmt(&t->out, "{\"error\":\"too many failures: come again in %s s\"}", seconds);
	t->answered = true;
	request_answer(t->request, 429, "application/json", out_view(&t->out), extra);
}

static void set_cookie(const struct console *c, const char *value, bool ends, char *text, size_t size)
{
	char name[32];
	http_cookie_name(c, name);
	const bool secure = strncmp(c->settings->console.origin, "https://", 8) == 0;
	snprintf(text, size, "Set-Cookie: %s=%s; Path=/; HttpOnly; SameSite=Strict%s%s", name, value, secure ? "; Secure" : "", ends ? "; Max-Age=0" : "");
}

void api_login(struct task *t)
{
	struct console *c = t->console;
	const int64_t now = env_now_ms(c->host.env);
	struct parse_login x;
	int64_t wait_ms;
	int status;
	struct err e;
	if (!parse_login_body(out_view(&t->request->body), &x, t->arena, &status, &e)) {
		task_failed(t, status, &e);
		return;
	}
	if (!sessions_may_try(c->sessions, t->request->address, x.name, now, &wait_ms)) {
		too_often(t, x.name, wait_ms);
		return;
	}
	const char *name = arena_str(t->arena, x.name);
	const struct session *s = sessions_login(c->sessions, t->request->address, x.name, x.password, now);
	if (s == NULL) {
		EMIT(&c->host, CONSOLE_LOGIN_FAILED, "user", name, "peer", t->request->address);
		task_fail(t, 401, "name or password is wrong");
		return;
	}
	char cookie[200];
	const char *const extra[] = { cookie, NULL };
	set_cookie(c, s->token, false, cookie, sizeof cookie);
	EMIT(&c->host, CONSOLE_LOGIN, "user", name, "peer", t->request->address);
	put_session(t, s);
	if (t->who.known) { /* the same browser has had another session, and forgets it now */
		sessions_logout(c->sessions, view_str(t->who.token));
		timer_after(&c->review, 0);
	}
	t->answered = true;
	request_answer(t->request, 200, "application/json", out_view(&t->out), extra);
}

void api_logout(struct task *t)
{
	struct console *c = t->console;
	char cookie[200];
	const char *const extra[] = { cookie, NULL };
	set_cookie(c, "", true, cookie, sizeof cookie);
	sessions_logout(c->sessions, view_str(t->who.token));
	EMIT(&c->host, CONSOLE_LOGOUT, "user", t->who.user, "peer", t->request->address);
	timer_after(&c->review, 0); /* his streams end */
	t->answered = true;
	request_answer(t->request, 200, "application/json", VIEW("{\"done\":true}"), extra);
}

void api_contract(struct task *t)
{
	static const char *const extra[] = { "Cache-Control: no-cache", NULL };
	t->answered = true;
	request_answer_static(t->request, 200, "application/yaml", view_str(console_openapi), extra);
}
