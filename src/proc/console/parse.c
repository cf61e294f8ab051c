/* parse.c - see parse.h. */
#include "proc/console/parse.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdarg.h>

bool parse_refuse(int *status_r, int status, struct err *e, const char *fmt, ...)
{
	char text[180];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	*status_r = status;
	return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%s", text);
}

/* --- target --- */

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decoded into t->text from *at on; every piece is shorter than what it came from, and that has a separator for the NUL. */
static bool decode(struct target *t, size_t *at, struct view raw, bool plus, struct view *v_r)
{
	char *to = t->text + *at;
	size_t n = 0;
	for (size_t i = 0; i < raw.n; i++) {
		int c = raw.p[i];
		if (c == '%') {
			const int high = i + 1 < raw.n ? hex_digit(raw.p[i + 1]) : -1, low = i + 2 < raw.n ? hex_digit(raw.p[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			c = high << 4 | low;
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c < 0x20 || c == 0x7f)
			return false;
		to[n++] = (char)c;
	}
	to[n] = 0;
	*v_r = view_of(to, n);
	*at += n + 1;
	return true;
}

static struct view cut(struct view *rest, uint8_t separator)
{
	size_t n = 0;
	while (n < rest->n && rest->p[n] != separator)
		n++;
	struct view piece = view_first(*rest, n);
	*rest = view_from(*rest, n + 1);
	return piece;
}

static bool add_segment(struct target *t, size_t *at, struct view raw, int *status_r, struct err *e)
{
	struct view v;
	if (t->n_segments == PARSE_SEGMENTS)
		return parse_refuse(status_r, 404, e, "nothing is there");
	if (!decode(t, at, raw, false, &v))
		return parse_refuse(status_r, 400, e, "the address has a %% without two digits, or a control character");
	if (v.n == 0 || view_eq(v, VIEW(".")) || view_eq(v, VIEW("..")) || memchr(raw.p, '\\', raw.n) != NULL)
		return parse_refuse(status_r, 400, e, "the address has an empty part, or one that leads elsewhere");
	t->segments[t->n_segments++] = v;
	return true;
}

static bool add_pair(struct target *t, size_t *at, struct view raw, int *status_r, struct err *e)
{
	struct parse_pair *pair = &t->query[t->n_query];
	struct view value = raw, name = cut(&value, '=');
	if (raw.n == 0)
		return true;
	if (t->n_query == PARSE_QUERY)
		return parse_refuse(status_r, 400, e, "the address has more than %d parameters", PARSE_QUERY);
	if (!decode(t, at, name, true, &pair->name) || !decode(t, at, value, true, &pair->value))
		return parse_refuse(status_r, 400, e, "a parameter has a %% without two digits, or a control character");
	t->n_query++;
	return true;
}

bool target_parse(struct view raw, struct target *t, int *status_r, struct err *e)
{
	struct view query = raw, path = cut(&query, '?');
	size_t at = 0;
	t->n_segments = t->n_query = 0;
	if (raw.n >= PARSE_TARGET - PARSE_QUERY) /* a name without a value has two NULs */
		return parse_refuse(status_r, 414, e, "the address is longer than %d octets", PARSE_TARGET - PARSE_QUERY);
	if (path.n == 0 || path.p[0] != '/')
		return parse_refuse(status_r, 400, e, "the address does not begin with a slash");
	for (path = view_from(path, 1); path.n > 0;) {
		const bool ends_open = path.p[path.n - 1] == '/' && memchr(path.p, '/', path.n) == path.p + path.n - 1;
		if (!add_segment(t, &at, cut(&path, '/'), status_r, e))
			return false;
		if (ends_open)
			return parse_refuse(status_r, 404, e, "nothing is there");
	}
	while (query.n > 0)
		if (!add_pair(t, &at, cut(&query, '&'), status_r, e))
			return false;
	return true;
}

struct view target_value(const struct target *t, const char *name, bool *has_r)
{
	for (size_t i = 0; i < t->n_query; i++)
		if (view_eq(t->query[i].name, view_str(name))) {
			*has_r = true;
			return t->query[i].value;
		}
	*has_r = false;
	return (struct view){ NULL, 0 };
}

bool target_number(const struct target *t, const char *name, uint64_t least, uint64_t most, uint64_t missing, uint64_t *x_r, int *status_r,
		   struct err *e)
{
	bool has;
	struct view v = target_value(t, name, &has);
	*x_r = missing;
	if (has && (!text_uint(v, most, x_r) || *x_r < least))
		return parse_refuse(status_r, 400, e, "%s: want a number from %llu to %llu", name, (unsigned long long)least, (unsigned long long)most);
	return true;
}

/* --- headers --- */

static struct view trim(struct view v)
{
	while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t'))
		v = view_from(v, 1);
	while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
		v = view_first(v, v.n - 1);
	return v;
}

struct view parse_cookie(struct view header, struct view name)
{
	while (header.n > 0) {
		struct view value = trim(cut(&header, ';')), key = cut(&value, '=');
		if (view_eq(trim(key), name))
			return trim(value);
	}
	return (struct view){ NULL, 0 };
}

static bool is_ip(struct view v)
{
	char text[64];
	struct in_addr four;
	struct in6_addr six;
	const bool bracketed = v.n > 2 && v.p[0] == '[' && v.p[v.n - 1] == ']';
	if (bracketed)
		v = view_first(view_from(v, 1), v.n - 2);
	if (v.n == 0 || v.n >= sizeof text || memchr(v.p, 0, v.n) != NULL)
		return false;
	memcpy(text, v.p, v.n);
	text[v.n] = 0;
	return bracketed ? inet_pton(AF_INET6, text, &six) == 1 : inet_pton(AF_INET, text, &four) == 1;
}

/* As inet_ntop writes it; an address of IPv4 in one of IPv6 (RFC 4291 2.5.5.2) as one of IPv4. */
static bool read_ip(struct view v, char text_r[PARSE_ADDRESS])
{
	char text[PARSE_ADDRESS];
	struct in_addr four;
	struct in6_addr six;
	if (v.n == 0 || v.n >= sizeof text || memchr(v.p, 0, v.n) != NULL)
		return false;
	memcpy(text, v.p, v.n);
	text[v.n] = 0;
	if (inet_pton(AF_INET, text, &four) == 1)
		return inet_ntop(AF_INET, &four, text_r, PARSE_ADDRESS) != NULL;
	if (inet_pton(AF_INET6, text, &six) != 1)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&six))
		return inet_ntop(AF_INET, six.s6_addr + 12, text_r, PARSE_ADDRESS) != NULL;
	return inet_ntop(AF_INET6, &six, text_r, PARSE_ADDRESS) != NULL;
}

static bool is_trusted(const char *address, const char *const *trusted, size_t n)
{
	char one[PARSE_ADDRESS], same[PARSE_ADDRESS];
	for (size_t i = 0; i < n; i++)
		if (read_ip(view_str(trusted[i]), one) && read_ip(view_str(address), same) && strcmp(one, same) == 0)
			return true;
	return false;
}

void parse_client(struct view forwarded, const char *const *trusted, size_t n_trusted, char address[PARSE_ADDRESS])
{
	while (forwarded.n > 0 && is_trusted(address, trusted, n_trusted)) {
		char before[PARSE_ADDRESS];
		size_t comma = forwarded.n;
		while (comma > 0 && forwarded.p[comma - 1] != ',')
			comma--;
		if (!read_ip(trim(view_from(forwarded, comma)), before))
			return;
		memcpy(address, before, sizeof before);
		forwarded = view_first(forwarded, comma > 0 ? comma - 1 : 0);
	}
}

/* "https://mta.example" -> "mta.example" */
static struct view host_of_origin(const char *origin)
{
	const char *slashes = strstr(origin, "://");
	return slashes == NULL ? (struct view){ NULL, 0 } : view_str(slashes + 3);
}

/* Some proxies pass the name on with the port that the scheme has anyway (RFC 9110, 4.2.3: the same). */
static bool is_host_of(const char *origin, struct view host)
{
	const struct view name = host_of_origin(origin), port = strncmp(origin, "https:", 6) == 0 ? VIEW(":443") : VIEW(":80");
	return name.n > 0 && (view_eq_nocase(host, name) || (host.n == name.n + port.n && view_eq_nocase(view_first(host, name.n), name) &&
							     view_eq(view_from(host, name.n), port)));
}

bool parse_host_is_ours(struct view host, const uint16_t *ports, size_t n_ports, const char *origin)
{
	struct view name = host;
	uint64_t port = 80;
	if (host.n == 0)
		return false;
	if (is_host_of(origin, host))
		return true;
	for (size_t i = host.n; i > 0 && host.p[i - 1] != ']'; i--)
		if (host.p[i - 1] == ':') {
			if (!text_uint(view_from(host, i), 65535, &port))
				return false;
			name = view_first(host, i - 1);
			break;
		}
	if (!is_ip(name) && !view_eq_nocase(name, VIEW("localhost")))
		return false;
	for (size_t i = 0; i < n_ports; i++)
		if (ports[i] == port)
			return true;
	return false;
}

bool parse_origin_is_ours(struct view header, struct view host, const char *origin)
{
	static const struct view http = { (const uint8_t *)"http://", 7 };
	if (*origin != 0 && view_eq_nocase(header, view_str(origin)))
		return true;
	return view_eq(view_first(header, http.n), http) && view_eq_nocase(view_from(header, http.n), host);
}

/* --- bodies --- */

/* An object of JSON; the caller's. */
static json_t *load(struct view body, int *status_r, struct err *e)
{
	json_error_t error = { .text = "it is empty" };
	json_t *x = body.n == 0 ? NULL : json_loadb((const char *)body.p, body.n, JSON_REJECT_DUPLICATES, &error);
	if (x == NULL) {
		parse_refuse(status_r, 400, e, "the body is no JSON: %.100s", error.text);
	} else if (!json_is_object(x)) {
		parse_refuse(status_r, 400, e, "the body is no JSON object");
		json_decref(x);
		x = NULL;
	}
	return x;
}

/* A string, "" when it is not there; no control characters unless free. */
static bool get_text(const json_t *x, const char *name, size_t max, bool is_free, const char **text_r, struct arena *a, int *status_r, struct err *e)
{
	const json_t *v = json_object_get(x, name);
	*text_r = "";
	if (v == NULL || json_is_null(v))
		return true;
	if (!json_is_string(v) || json_string_length(v) > max)
		return parse_refuse(status_r, 400, e, "%s: want a string of at most %zu octets", name, max);
	const char *s = json_string_value(v);
	for (size_t i = 0; !is_free && s[i] != 0; i++)
		if ((uint8_t)s[i] < 0x20 || s[i] == 0x7f)
			return parse_refuse(status_r, 400, e, "%s: want one line without control characters", name);
	*text_r = arena_str(a, view_of(s, json_string_length(v)));
	return *text_r != NULL || parse_refuse(status_r, 413, e, "the body is too long");
}

bool parse_login_body(struct view body, struct parse_login *x_r, struct arena *a, int *status_r, struct err *e)
{
	const char *name, *password;
	json_t *x = load(body, status_r, e);
	bool good = x != NULL && get_text(x, "name", PARSE_NAME, false, &name, a, status_r, e) &&
		    get_text(x, "password", PARSE_PASSWORD, true, &password, a, status_r, e);
	if (good)
		*x_r = (struct parse_login){ view_str(name), view_str(password) };
	if (good && x_r->name.n == 0)
		good = parse_refuse(status_r, 400, e, "name: it is missing");
	json_decref(x);
	return good;
}

/* One condition of a selection; the reader looks at the values. */
static bool select_line(struct out *o, const char *name, struct view value, int *status_r, struct err *e)
{
	if (value.n == 0 || value.n > PARSE_VALUE)
		return parse_refuse(status_r, 400, e, "%s: want 1 to %d octets", name, PARSE_VALUE);
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] < 0x20 || value.p[i] == 0x7f)
			return parse_refuse(status_r, 400, e, "%s: want one line without control characters", name);
	out_fmt(o, "%s=%.*s\n", name, (int)value.n, (const char *)value.p);
	return !o->bad || parse_refuse(status_r, 400, e, "all conditions together have more than %d octets", PARSE_SELECTION);
}

static bool select_number(struct out *o, const char *name, uint64_t x, int *status_r, struct err *e)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)x);
	return select_line(o, name, view_str(text), status_r, e);
}

static bool select_older(struct out *o, uint64_t seconds, int64_t now_ms, int *status_r, struct err *e)
{
	const uint64_t now = (uint64_t)now_ms;
	return select_number(o, "before", seconds > now / 1000 ? 0 : now - seconds * 1000, status_r, e);
}

static const char *const text_conditions[] = { "link", "id", "originator", "recipient" };

static bool select_priority(struct out *o, struct view v, int *status_r, struct err *e)
{
	if (!view_eq(v, VIEW("urgent")) && !view_eq(v, VIEW("normal")) && !view_eq(v, VIEW("non-urgent")))
		return parse_refuse(status_r, 400, e, "priority: want urgent, normal or non-urgent");
	return select_line(o, "priority", v, status_r, e);
}

bool parse_selection(const struct target *t, int64_t now_ms, struct out *o, int *status_r, struct err *e)
{
	bool has;
	uint64_t x = 0;
	for (size_t i = 0; i < ARRAY_LEN(text_conditions); i++) {
		struct view v = target_value(t, text_conditions[i], &has);
		if (has && !select_line(o, text_conditions[i], v, status_r, e))
			return false;
	}
	struct view v = target_value(t, "priority", &has);
	if (has && !select_priority(o, v, status_r, e))
		return false;
	v = target_value(t, "held", &has);
	if (has && (!view_eq(v, VIEW("1")) ? !parse_refuse(status_r, 400, e, "held: want 1, or nothing") : !select_line(o, "held", v, status_r, e)))
		return false;
	target_value(t, "larger", &has);
	if (has && (!target_number(t, "larger", 0, INT64_MAX, 0, &x, status_r, e) || !select_number(o, "larger", x, status_r, e)))
		return false;
	target_value(t, "older", &has);
	return !has || (target_number(t, "older", 0, INT64_MAX, 0, &x, status_r, e) && select_older(o, x, now_ms, status_r, e));
}

static bool get_number(const json_t *v, const char *name, uint64_t *x_r, int *status_r, struct err *e)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return parse_refuse(status_r, 400, e, "%s: want a number", name);
	*x_r = (uint64_t)json_integer_value(v);
	return true;
}

static bool filter_one(const char *name, const json_t *v, bool *all, int64_t now_ms, struct out *o, int *status_r, struct err *e)
{
	const struct view text = json_is_string(v) ? view_of(json_string_value(v), json_string_length(v)) : (struct view){ NULL, 0 };
	uint64_t x = 0;
	for (size_t i = 0; i < ARRAY_LEN(text_conditions); i++)
		if (strcmp(name, text_conditions[i]) == 0)
			return select_line(o, name, text, status_r, e);
	if (strcmp(name, "priority") == 0)
		return select_priority(o, text, status_r, e);
	if (strcmp(name, "larger") == 0)
		return get_number(v, name, &x, status_r, e) && select_number(o, name, x, status_r, e);
	if (strcmp(name, "older") == 0)
		return get_number(v, name, &x, status_r, e) && select_older(o, x, now_ms, status_r, e);
	if (strcmp(name, "held") == 0 && json_is_true(v))
		return select_line(o, name, VIEW("1"), status_r, e);
	*all |= strcmp(name, "all") == 0 && json_is_true(v);
	return ((strcmp(name, "all") == 0 || strcmp(name, "held") == 0) && json_is_boolean(v)) ||
	       parse_refuse(status_r, 400, e, "filter: nothing can be selected by \"%.40s\"", name);
}

/* An empty one would reach everything by mistake: that has to be said. */
static bool get_filter(json_t *filter, int64_t now_ms, struct parse_act *x, struct arena *a, int *status_r, struct err *e)
{
	struct out o;
	const char *name;
	json_t *v;
	bool all = false, good = json_is_object(filter) || parse_refuse(status_r, 400, e, "filter: want an object");
	out_init(&o, PARSE_SELECTION);
	if (good)
		json_object_foreach(filter, name, v) {
			good = filter_one(name, v, &all, now_ms, &o, status_r, e);
			if (!good)
				break;
		}
	if (good && out_len(&o) == 0 && !all)
		good = parse_refuse(status_r, 400, e, "filter: without a condition say all");
	x->has_filter = true;
	x->selection = arena_copy(a, out_view(&o));
	out_fini(&o);
	return good;
}

static bool get_ids(const json_t *ids, struct parse_act *x, struct arena *a, int *status_r, struct err *e)
{
	const size_t n = json_array_size(ids);
	if (!json_is_array(ids) || n == 0 || n > PARSE_IDS)
		return parse_refuse(status_r, 400, e, "ids: want 1 to %d numbers", PARSE_IDS);
	uint64_t *v = arena_array(a, n, sizeof *v);
	if (v == NULL)
		return parse_refuse(status_r, 413, e, "the body is too long");
	for (size_t i = 0; i < n; i++)
		if (!get_number(json_array_get(ids, i), "ids", &v[i], status_r, e))
			return false;
	x->ids = v;
	x->n_ids = n;
	return true;
}

static bool get_act(const json_t *x, bool wants_subject, int64_t now_ms, struct parse_act *act, struct arena *a, int *status_r, struct err *e)
{
	const json_t *ids = json_object_get(x, "ids"), *after = json_object_get(x, "after");
	json_t *filter = json_object_get(x, "filter");
	if (!get_text(x, "link", PARSE_NAME, false, &act->link, a, status_r, e) || !get_text(x, "why", PARSE_WHY, false, &act->why, a, status_r, e))
		return false;
	if (!wants_subject)
		return true;
	if ((ids == NULL) == (filter == NULL))
		return parse_refuse(status_r, 400, e, "want either ids or a filter");
	if (after != NULL && !json_is_null(after) && !get_number(after, "after", &act->after, status_r, e))
		return false;
	return ids != NULL ? get_ids(ids, act, a, status_r, e) : get_filter(filter, now_ms, act, a, status_r, e);
}

bool parse_act_body(struct view body, bool wants_subject, int64_t now_ms, struct parse_act *x_r, struct arena *a, int *status_r, struct err *e)
{
	*x_r = (struct parse_act){ .link = "", .why = "" };
	if (body.n == 0 && !wants_subject)
		return true;
	json_t *x = load(body, status_r, e);
	bool good = x != NULL && get_act(x, wants_subject, now_ms, x_r, a, status_r, e);
	json_decref(x);
	return good;
}

/* --- time --- */

static bool digits(struct view *v, size_t n, int *x_r)
{
	uint64_t x = 0;
	if (v->n < n || !text_uint(view_first(*v, n), 9999, &x))
		return false;
	*x_r = (int)x;
	*v = view_from(*v, n);
	return true;
}

static bool one_of(struct view *v, const char *set, char *which_r)
{
	if (v->n == 0 || v->p[0] == 0 || strchr(set, v->p[0]) == NULL)
		return false;
	*which_r = (char)v->p[0];
	*v = view_from(*v, 1);
	return true;
}

/* Days since 1970-01-01 of the Gregorian calendar. */
static int64_t days(int year, int month, int day)
{
	const int64_t y = month <= 2 ? year - 1 : year, era = y / 400, of_era = y - era * 400;
	const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool offset(struct view v, char sign, int64_t *ms_io)
{
	int hour, minute;
	char c;
	if (sign == 'Z' || sign == 'z')
		return v.n == 0;
	if (!digits(&v, 2, &hour) || !one_of(&v, ":", &c) || !digits(&v, 2, &minute) || v.n > 0 || hour > 23 || minute > 59)
		return false;
	const int64_t ms = (hour * 60 + minute) * INT64_C(60000);
	*ms_io += sign == '+' ? -ms : ms;
	return true;
}

bool parse_time(struct view v, int64_t *ms_r)
{
	uint64_t seconds;
	int year, month, day, hour, minute, second, ignored;
	char c;
	if (text_uint(v, INT64_C(99999999999), &seconds)) {
		*ms_r = (int64_t)seconds * 1000;
		return true;
	}
	if (!digits(&v, 4, &year) || !one_of(&v, "-", &c) || !digits(&v, 2, &month) || !one_of(&v, "-", &c) || !digits(&v, 2, &day) ||
	    month < 1 || month > 12 || day < 1 || day > 31 || year < 1970)
		return false;
	int64_t ms = days(year, month, day) * INT64_C(86400000);
	if (v.n > 0) {
		if (!one_of(&v, "Tt ", &c) || !digits(&v, 2, &hour) || !one_of(&v, ":", &c) || !digits(&v, 2, &minute) || !one_of(&v, ":", &c) ||
		    !digits(&v, 2, &second) || hour > 23 || minute > 59 || second > 60)
			return false;
		ms += ((hour * 60 + minute) * 60 + second) * INT64_C(1000);
		int scale = 100;
		if (v.n > 0 && v.p[0] == '.')
			for (v = view_from(v, 1); digits(&v, 1, &ignored); scale /= 10)
				ms += ignored * scale;
		if (!one_of(&v, "Zz+-", &c) || !offset(v, c, &ms))
			return false;
	}
	*ms_r = ms;
	return true;
}
