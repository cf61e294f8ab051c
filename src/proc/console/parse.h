/* parse.h - what a browser, or anybody, says to us: pure, no I/O, every length bounded. Octets in; views and numbers out, or a status of
 * HTTP with a sentence. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/out.h"

enum {
	PARSE_TARGET = 4096,      /* octets of a request's target */
	PARSE_SEGMENTS = 8,
	PARSE_QUERY = 24,         /* names in it */
	PARSE_BODY = 64 * 1024,
	PARSE_IDS = 500,          /* of one act */
	PARSE_SELECTION = 900,    /* octets of a selection for the reader */
	PARSE_NAME = 64, PARSE_PASSWORD = 256, PARSE_WHY = 300, PARSE_VALUE = 256,
};

/* Why not: *status_r is 400, 413, 414 ... and e->text what the client is told. */
bool parse_refuse(int *status_r, int status, struct err *e, const char *fmt, ...) PRINTF_LIKE(4, 5);

struct parse_pair {
	struct view name, value;
};

/* A target ("/api/links/a%20b?x=y"), each segment and each value decoded on its own. */
struct target {
	char text[PARSE_TARGET + 1];      /* decoded pieces; each ends with a NUL and has none inside */
	struct view segments[PARSE_SEGMENTS];
	size_t n_segments;                /* "/": 0 */
	struct parse_pair query[PARSE_QUERY];
	size_t n_query;
};
/* Refused: no leading '/', empty segments, "." and "..", a '\' as it is (one of a name comes as %5C), a '%' without two digits, NUL and other control characters, too much of anything. */
MUST_CHECK bool target_parse(struct view raw, struct target *t, int *status_r, struct err *e);
/* The value of a name; empty and *has_r false when it is not there. A name that stands twice: the first. */
struct view target_value(const struct target *t, const char *name, bool *has_r);
/* A number, `missing` when it is not there. */
MUST_CHECK bool target_number(const struct target *t, const char *name, uint64_t least, uint64_t most, uint64_t missing, uint64_t *x_r,
			      int *status_r, struct err *e);

/* The value of one cookie in a Cookie header; empty: not there. */
struct view parse_cookie(struct view header, struct view name);

/* Whom a request is of. address: of its peer; when that is one of the trusted proxies, the header X-Forwarded-For is read from its end - each
 * proxy appends who has come to it - over further trusted ones to the first address that is none, which takes its place, as inet_ntop
 * writes it. What is no address (with a port, a name, "unknown") ends that, and the last one that was read stays. */
enum { PARSE_ADDRESS = 64 };
void parse_client(struct view forwarded, const char *const *trusted, size_t n_trusted, char address[PARSE_ADDRESS]);

/* Whether a Host header names us: an IP address or "localhost" with one of these ports (without one: 80), or what `origin` names
 * ("https://mta.example", "" for none). A name that somebody made point here is none of these. */
MUST_CHECK bool parse_host_is_ours(struct view host, const uint16_t *ports, size_t n_ports, const char *origin);
/* Whether an Origin header is that of a page of ours, loaded from that Host, or is `origin`. */
MUST_CHECK bool parse_origin_is_ours(struct view header, struct view host, const char *origin);

struct parse_login {
	struct view name, password;
};
MUST_CHECK bool parse_login_body(struct view body, struct parse_login *x_r, struct arena *a, int *status_r, struct err *e);

/* What an act is done to, and by what right. */
struct parse_act {
	const uint64_t *ids;
	size_t n_ids;
	bool has_filter;
	struct view selection;    /* lines of ASK_SELECT; empty: everything */
	uint64_t after;
	const char *link, *why;   /* "" when absent */
};
/* now_ms: since 1970, for `older`. Exactly one of ids and filter when wants_subject, else neither. */
MUST_CHECK bool parse_act_body(struct view body, bool wants_subject, int64_t now_ms, struct parse_act *x_r, struct arena *a, int *status_r,
			       struct err *e);
/* The same selection from the query of GET /api/queue. */
MUST_CHECK bool parse_selection(const struct target *t, int64_t now_ms, struct out *selection, int *status_r, struct err *e);
/* RFC 3339 with any offset, or seconds since 1970 -> ms. */
MUST_CHECK bool parse_time(struct view text, int64_t *ms_r);
