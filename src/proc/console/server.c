/* server.c - see server.h. */
#include "proc/console/server.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SWEEP_MS = 1000 };

/* A connection. */
struct visitor {
	struct visitor *next, **prev;
	struct door *door;
	int fd;
	char address[64];
	int64_t since_ms;        /* it began, or had its last answer */
	bool busy;               /* a whole request is being answered */
	bool streams, ended, has_asked;
	bool sends;              /* octets of a stream that the library has, and the system does not take */
	bool silent;             /* it was ended, since it took nothing */
	int64_t taken_ms;        /* it took some of a stream last, as far as we know */
	uint64_t acked;          /* octets, of all */
};

struct door {
	struct server *server;
	uint64_t number;
	uint16_t port;
	struct MHD_Daemon *mhd;
	struct fd_watch *watch;
	struct timer timer;
	bool closing;            /* nobody is suspended any more: the library cannot end who is */
};

struct server {
	unsigned magic;
#define SERVER_MAGIC 0x5e44e400u
	struct env *env;
	struct server_limits limits;
	const struct server_events *events;
	void *ctx;
	struct door *doors[SERVER_DOORS];
	struct visitor *visitors;
	size_t n_visitors;
	struct request *requests;
	size_t held;             /* octets, of all requests */
	struct timer sweep;
};

/* --- driving the library --- */

static void run_door(void *ctx)
{
	struct door *d = ctx;
	MHD_UNSIGNED_LONG_LONG ms;
	MHD_run(d->mhd);
	if (MHD_get_timeout(d->mhd, &ms) == MHD_YES)
		timer_after(&d->timer, ms > 60000 ? 60000 : (int64_t)ms);
	else
		timer_stop(&d->timer);
}

/* Something of it was resumed: it is to look, but never from inside a call of ours. */
static void stir(struct door *d)
{
	timer_after(&d->timer, 0);
}

/* --- connections --- */

static void address_text(const struct sockaddr *a, char *text, size_t size)
{
	const void *from = a->sa_family == AF_INET6 ? (const void *)&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr
						    : (const void *)&((const struct sockaddr_in *)(const void *)a)->sin_addr;
	if ((a->sa_family != AF_INET && a->sa_family != AF_INET6) || inet_ntop(a->sa_family, from, text, (socklen_t)size) == NULL)
		snprintf(text, size, "local");
}

static void visitor_comes(struct door *d, struct MHD_Connection *c, void **ctx_r)
{
	struct server *s = d->server;
	struct visitor *v = mem_zero(sizeof *v);
	const int unsent = SERVER_UNSENT;
	v->door = d;
	v->fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	(void)setsockopt(v->fd, SOL_SOCKET, SO_SNDBUF, &unsent, sizeof unsent); /* else the system's own limit, of some MB */
	address_text(MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr, v->address, sizeof v->address);
	v->since_ms = env_now_ms(s->env);
	v->next = s->visitors;
	v->prev = &s->visitors;
	if (v->next != NULL)
		v->next->prev = &v->next;
	s->visitors = v;
	if (s->n_visitors++ == 0)
		timer_after(&s->sweep, SWEEP_MS);
	*ctx_r = v;
}

/* Octets have come, and the library made no request of them. (Browsers open connections beforehand, on which nothing comes.) */
static bool spoke_nonsense(const struct visitor *v)
{
	struct tcp_info info;
	socklen_t n = sizeof info;
	return !v->has_asked && getsockopt(v->fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 && info.tcpi_bytes_received > 1; /* 1: its end */
}

static void visitor_goes(struct server *s, struct visitor *v)
{
	if (!v->door->closing && spoke_nonsense(v))
		s->events->refused(s->ctx, "what came is no request of HTTP", v->address);
	*v->prev = v->next;
	if (v->next != NULL)
		v->next->prev = v->prev;
	s->n_visitors--;
	free(v);
}

static void on_connection(void *ctx, struct MHD_Connection *c, void **visitor, enum MHD_ConnectionNotificationCode code)
{
	struct door *d = ctx;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		visitor_comes(d, c, visitor);
	} else if (*visitor != NULL) {
		visitor_goes(d->server, *visitor);
		*visitor = NULL;
	}
}

/* The library sees the end of the connection then, and says so. */
static void end_connection(struct server *s, struct visitor *v, const char *why)
{
	if (v->ended)
		return;
	v->ended = true;
	shutdown(v->fd, SHUT_RDWR);
	if (why != NULL)
		s->events->refused(s->ctx, why, v->address);
}

/* What waits is thrown away, in the system too. */
static void cut_connection(struct server *s, struct visitor *v)
{
	const struct linger none = { .l_onoff = 1, .l_linger = 0 };
	(void)setsockopt(v->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	end_connection(s, v, NULL);
}

/* The library would end it too, by its own clock; ours is the world's. */
static bool is_silent(struct visitor *v, int64_t now_ms)
{
	struct tcp_info info;
	socklen_t n = sizeof info;
	if (getsockopt(v->fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 && info.tcpi_bytes_acked != v->acked) {
		v->acked = info.tcpi_bytes_acked;
		v->taken_ms = now_ms;
	}
	return v->sends && now_ms - v->taken_ms >= SERVER_SILENT_S * 1000;
}

static void on_sweep(void *ctx)
{
	struct server *s = ctx;
	const int64_t now = env_now_ms(s->env);
	for (struct visitor *v = s->visitors, *next; v != NULL; v = next) {
		next = v->next;
		if (!v->busy && now - v->since_ms > SERVER_REQUEST_MS)
			end_connection(s, v, NULL);
		else if (v->busy && !v->streams && now - v->since_ms > SERVER_ANSWER_MS)
			end_connection(s, v, "slow");
		else if (v->streams && !v->ended && is_silent(v, now)) {
			v->silent = true;
			cut_connection(s, v);
		}
	}
	if (s->n_visitors > 0)
		timer_after(&s->sweep, SWEEP_MS);
}

/* --- requests --- */

/* First word of a request, before its headers have come: raw, as it stands in the first line. */
static void *on_target(void *ctx, const char *uri, struct MHD_Connection *c)
{
	struct door *d = ctx;
	struct server *s = d->server;
	struct request *r = mem_zero(sizeof *r);
	r->magic = REQUEST_MAGIC;
	r->server = s;
	r->mhd = c;
	r->visitor = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	r->visitor->has_asked = true;
	snprintf(r->address, sizeof r->address, "%s", r->visitor->address);
	snprintf(r->payer, sizeof r->payer, "%s", r->address);
	out_init(&r->body, PARSE_BODY);
	if (!target_parse(view_str(uri), &r->target, &r->target_status, &r->target_error))
		r->target.n_segments = r->target.n_query = 0;
	r->next = s->requests;
	r->prev = &s->requests;
	if (r->next != NULL)
		r->next->prev = &r->next;
	s->requests = r;
	return r;
}

static void set_held(struct request *r, size_t octets)
{
	r->server->held += octets - r->held;
	r->held = octets;
}

bool request_hold(struct request *r, size_t octets)
{
	CHECK(r, REQUEST_MAGIC);
	const struct server *s = r->server;
	size_t of_payer = 0;
	if (octets > r->held && octets > SERVER_SMALL) {
		for (const struct request *x = s->requests; x != NULL; x = x->next)
			of_payer += x != r && strcmp(x->payer, r->payer) == 0 ? x->held : 0;
		if (of_payer + octets > s->limits.held_of_one || s->held - r->held + octets > s->limits.held)
			return false;
	}
	set_held(r, octets);
	return true;
}

static void on_completed(void *ctx, struct MHD_Connection *c, void **request, enum MHD_RequestTerminationCode code)
{
	struct door *d = ctx;
	struct request *r = *request;
	(void)c;
	if (r == NULL)
		return;
	CHECK(r, REQUEST_MAGIC);
	*request = NULL;
	if (r->stream != NULL)
		r->stream->gone(r->stream_ctx, r->visitor->silent || code == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED);
	if (!r->begun && !d->closing)
		d->server->events->refused(d->server->ctx, "its headers make no sense, are too long or did not come", r->address);
	if (r->handled)
		d->server->events->gone(d->server->ctx, r);
	r->visitor->busy = r->visitor->streams = false;
	r->visitor->since_ms = env_now_ms(d->server->env);
	set_held(r, 0);
	*r->prev = r->next;
	if (r->next != NULL)
		r->next->prev = r->prev;
	if (r->response != NULL)
		MHD_destroy_response(r->response);
	out_fini(&r->body);
	r->magic = 0;
	free(r);
}

struct counting {
	const char *name;
	struct view first;
	unsigned n;
};

static enum MHD_Result count_header(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_n, const char *value, size_t value_n)
{
	struct counting *x = ctx;
	(void)kind;
	if (!view_eq_nocase(view_of(name, name_n), view_str(x->name)))
		return MHD_YES;
	if (x->n++ == 0)
		x->first = view_of(value, value == NULL ? 0 : value_n);
	return MHD_YES;
}

struct view request_header(const struct request *r, const char *name, unsigned *n_r)
{
	struct counting x = { .name = name };
	MHD_get_connection_values_n(r->mhd, MHD_HEADER_KIND, count_header, &x);
	if (n_r != NULL)
		*n_r = x.n;
	return x.first;
}

static void refuse(struct request *r, int status, const char *sentence)
{
	struct out o;
	out_init(&o, 400);
	out_fmt(&o, "{\"error\":\"%s\"}", sentence);
	request_answer(r, status, "application/json", out_view(&o), NULL);
	out_fini(&o);
	r->server->events->refused(r->server->ctx, sentence, r->address);
}

static enum method method_of(const char *text)
{
	return strcmp(text, "GET") == 0 ? METHOD_GET : strcmp(text, "HEAD") == 0 ? METHOD_HEAD : strcmp(text, "POST") == 0 ? METHOD_POST : METHOD_OTHER;
}

static bool is_too_long(struct view length)
{
	uint64_t n = 0;
	for (size_t i = 0; i < length.n && length.p[i] >= '0' && length.p[i] <= '9' && n <= PARSE_BODY; i++)
		n = n * 10 + (length.p[i] - '0');
	return n > PARSE_BODY;
}

/* The headers are here. What cannot be right is answered before a body is waited for. */
static void begin(struct request *r, const char *method)
{
	unsigned n_lengths, n_hosts, n_codings;
	r->method = method_of(method);
	const struct view length = request_header(r, "Content-Length", &n_lengths);
	request_header(r, "Transfer-Encoding", &n_codings);
	request_header(r, "Host", &n_hosts);
	const bool has_body = n_codings > 0 || (n_lengths > 0 && !view_eq(length, VIEW("0")));
	if (r->visitor->door->closing)
		refuse(r, 503, "the console ends");
	else if (r->target_status != 0)
		refuse(r, r->target_status, r->target_error.text);
	else if (n_lengths > 1 || n_hosts > 1)
		refuse(r, 400, "a header that may stand once stands twice");
	else if (is_too_long(length))
		refuse(r, 413, "the body is longer than 64 K");
	else if (n_codings > 0 || (r->method == METHOD_POST && n_lengths == 0))
		refuse(r, 411, "want a Content-Length, and no Transfer-Encoding");
	else if (has_body && r->method != METHOD_POST)
		refuse(r, 400, "only POST has a body");
}

static enum MHD_Result send_answer(struct request *r)
{
	enum MHD_Result result = MHD_queue_response(r->mhd, (unsigned)r->status, r->response);
	MHD_destroy_response(r->response);
	r->response = NULL;
	return result;
}

/* Called for the headers, for each piece of the body, for the end of it, and when the request was resumed. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method, const char *version,
				  const char *octets, size_t *n, void **request)
{
	struct request *r = *request;
	struct server *s = ((struct door *)ctx)->server;
	(void)c;
	(void)url;
	(void)version;
	CHECK(r, REQUEST_MAGIC);
	if (!r->begun) {
		r->begun = true;
		begin(r, method);
		return r->response != NULL ? send_answer(r) : MHD_YES;
	}
	if (*n > 0) {
		out_bytes(&r->body, view_of(octets, *n));
		*n = 0;
		return r->body.bad ? MHD_NO : MHD_YES; /* the length was looked at: it lied */
	}
	if (!r->handled && r->visitor->door->closing) {
		refuse(r, 503, "the console ends");
	} else if (!r->handled) {
		r->handled = true;
		r->visitor->busy = true;
		r->visitor->since_ms = env_now_ms(s->env);
		s->events->handle(s->ctx, r);
	}
	if (r->response != NULL)
		return send_answer(r);
	assert(r->later);
	r->suspended = true;
	MHD_suspend_connection(r->mhd);
	return MHD_YES;
}

/* --- answers --- */

void request_later(struct request *r)
{
	CHECK(r, REQUEST_MAGIC);
	r->later = true;
}

static void add_headers(struct MHD_Response *response, const char *type, const char *const *extra)
{
	static const char *const always[][2] = {
		{ "Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'" },
		{ "X-Content-Type-Options", "nosniff" }, { "X-Frame-Options", "DENY" }, { "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Opener-Policy", "same-origin" }, { "Cross-Origin-Resource-Policy", "same-origin" },
	};
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		MHD_add_response_header(response, always[i][0], always[i][1]);
	MHD_add_response_header(response, "Content-Type", type);
	for (; extra != NULL && *extra != NULL; extra++) {
		char name[64];
		const char *colon = strstr(*extra, ": ");
		if (colon == NULL || (size_t)(colon - *extra) >= sizeof name)
			continue;
		memcpy(name, *extra, (size_t)(colon - *extra));
		name[colon - *extra] = 0;
		MHD_add_response_header(response, name, colon + 2);
	}
}

static void resume(struct request *r)
{
	if (!r->suspended)
		return;
	r->suspended = false;
	MHD_resume_connection(r->mhd);
	stir(r->visitor->door);
}

static void answer(struct request *r, int status, const char *type, struct view octets, enum MHD_ResponseMemoryMode mode, const char *const *extra)
{
	CHECK(r, REQUEST_MAGIC);
	assert(r->response == NULL && r->stream == NULL);
	r->response = MHD_create_response_from_buffer(octets.n, (void *)(uintptr_t)octets.p, mode);
	assert(r->response != NULL);
	r->status = status;
	out_fini(&r->body);
	set_held(r, mode == MHD_RESPMEM_PERSISTENT ? 0 : octets.n);
	add_headers(r->response, type, extra);
	if (mode != MHD_RESPMEM_PERSISTENT)
		MHD_add_response_header(r->response, "Cache-Control", "no-store");
	resume(r);
}

void request_answer(struct request *r, int status, const char *type, struct view octets, const char *const *extra)
{
	answer(r, status, type, octets, MHD_RESPMEM_MUST_COPY, extra);
}

void request_answer_static(struct request *r, int status, const char *type, struct view octets, const char *const *extra)
{
	answer(r, status, type, octets, MHD_RESPMEM_PERSISTENT, extra);
}

/* --- streams --- */

static ssize_t on_stream(void *ctx, uint64_t at, char *to, size_t n)
{
	struct request *r = ctx;
	bool end = false, broken = false;
	(void)at;
	CHECK(r, REQUEST_MAGIC);
	r->visitor->taken_ms = env_now_ms(r->server->env);
	r->visitor->sends = false;
	if (r->visitor->door->closing)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	const size_t got = r->stream->read(r->stream_ctx, (uint8_t *)to, n, &end, &broken);
	r->visitor->sends = got > 0;
	if (got > 0)
		return (ssize_t)got;
	if (end || broken)
		return broken ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
	r->suspended = true;
	MHD_suspend_connection(r->mhd);
	return 0;
}

void request_stream(struct request *r, const struct server_stream *stream, void *ctx)
{
	CHECK(r, REQUEST_MAGIC);
	assert(r->response == NULL && r->stream == NULL);
	r->stream = stream;
	r->stream_ctx = ctx;
	r->visitor->streams = true;
	r->response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16 * 1024, on_stream, r, NULL);
	assert(r->response != NULL);
	r->status = 200;
	add_headers(r->response, "text/event-stream", NULL);
	MHD_add_response_header(r->response, "Cache-Control", "no-store");
	MHD_add_response_header(r->response, "X-Accel-Buffering", "no"); /* a proxy is not to wait for more */
	resume(r);
}

void request_wake(struct request *r)
{
	CHECK(r, REQUEST_MAGIC);
	if (r->stream != NULL)
		resume(r);
}

void request_cut(struct request *r)
{
	CHECK(r, REQUEST_MAGIC);
	cut_connection(r->server, r->visitor);
	resume(r);
}

/* --- doors --- */

static uint16_t port_of(int fd)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof a;
	if (getsockname(fd, (struct sockaddr *)&a, &n) != 0)
		return 0;
	return a.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&a)->sin6_port)
	       : a.ss_family == AF_INET ? ntohs(((struct sockaddr_in *)&a)->sin_port) : 0;
}

static struct MHD_Daemon *start(struct door *d, int fd)
{
	const struct server_limits *l = &d->server->limits;
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, d, MHD_OPTION_LISTEN_SOCKET, fd,
				MHD_OPTION_CONNECTION_LIMIT, l->connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, l->of_address,
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SERVER_SILENT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVER_MEMORY,
				MHD_OPTION_NOTIFY_COMPLETED, on_completed, d, MHD_OPTION_NOTIFY_CONNECTION, on_connection, d,
				MHD_OPTION_URI_LOG_CALLBACK, on_target, d, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

bool server_listen(struct server *s, uint64_t number, int fd, struct err *e)
{
	CHECK(s, SERVER_MAGIC);
	size_t i = 0;
	while (i < SERVER_DOORS && s->doors[i] != NULL)
		i++;
	if (i == SERVER_DOORS) {
		close(fd);
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "more than %d addresses to listen on", SERVER_DOORS);
	}
	struct door *d = mem_zero(sizeof *d);
	d->server = s;
	d->number = number;
	d->port = port_of(fd);
	timer_init(&d->timer, s->env, run_door, d);
	d->mhd = start(d, fd);
	if (d->mhd == NULL) {
		close(fd);
		free(d);
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "the HTTP server does not start: no descriptors or memory");
	}
	d->watch = env_watch_fd(s->env, MHD_get_daemon_info(d->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, run_door, d, e);
	s->doors[i] = d;
	if (d->watch == NULL)
		server_unlisten(s, number);
	return s->doors[i] != NULL;
}

/* Suspended ones cannot be ended by the library: they get their end first. */
static void end_requests(struct server *s, struct door *d)
{
	d->closing = true;
	for (struct request *r = s->requests; r != NULL; r = r->next)
		if (r->visitor->door == d && r->suspended) {
			if (r->stream == NULL)
				refuse(r, 503, "the console ends");
			end_connection(s, r->visitor, NULL);
			resume(r);
		}
	MHD_run(d->mhd);
}

static void close_door(struct server *s, struct door **dp)
{
	struct door *d = *dp;
	end_requests(s, d);
	timer_stop(&d->timer);
	fd_unwatch(&d->watch);
	MHD_stop_daemon(d->mhd); /* closes the listener too */
	timer_stop(&d->timer);
	MEM_FREE(*dp);
}

void server_unlisten(struct server *s, uint64_t number)
{
	CHECK(s, SERVER_MAGIC);
	for (size_t i = 0; i < SERVER_DOORS; i++)
		if (s->doors[i] != NULL && s->doors[i]->number == number)
			close_door(s, &s->doors[i]);
}

size_t server_ports(const struct server *s, uint16_t *ports, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < SERVER_DOORS && n < max; i++)
		if (s->doors[i] != NULL)
			ports[n++] = s->doors[i]->port;
	return n;
}

size_t server_connections(const struct server *s)
{
	return s->n_visitors;
}

struct server *server_new(struct env *env, const struct server_limits *limits, const struct server_events *events, void *ctx)
{
	struct server *s = mem_zero(sizeof *s);
	s->magic = SERVER_MAGIC;
	s->env = env;
	s->limits = *limits;
	s->events = events;
	s->ctx = ctx;
	timer_init(&s->sweep, env, on_sweep, s);
	return s;
}

void server_free(struct server **sp)
{
	struct server *s = *sp;
	if (s == NULL)
		return;
	CHECK(s, SERVER_MAGIC);
	for (size_t i = 0; i < SERVER_DOORS; i++)
		if (s->doors[i] != NULL)
			close_door(s, &s->doors[i]);
	timer_stop(&s->sweep);
	s->magic = 0;
	MEM_FREE(*sp);
}
