/* ffapi.c - a message file read: its lines first, then what they say, then the texts behind them by their sizes. */
#include "flow/codec/msmail/ffapi.h"

#include "base/text.h"

enum { SHOWN = 60 };

struct line {
	size_t number; /* from 1 */
	struct view whole, token, value;
};

struct reader {
	struct view file;
	size_t at;            /* what is read of it */
	struct arena *a;
	const struct mai_limits *l;
	struct err *e;
	struct line *lines;   /* of the head, its last one is TEXT or XTEXT */
	size_t n;
	bool only_cr;         /* all line ends so far were a CR alone */
	struct mai m;
	struct ffapi_body *bodies;
	uint64_t text_size;
	bool text_in_file;
	bool is_short; /* octets are missing that its sizes promise */
};

static bool bad_line(const struct reader *r, const struct line *l, const char *want)
{
	char found[SHOWN];
	return err_report(r->e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "FFAPI file, line %zu: found \"%s\", want %s", l->number,
			  text_escaped(found, sizeof found, l->whole), want);
}

static bool bad_file(const struct reader *r, const char *found, const char *want)
{
	return err_report(r->e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "FFAPI file, line %zu: found %s, want %s", r->n + 1, found, want);
}

static struct view trim(struct view v)
{
	while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t'))
		v = view_from(v, 1);
	while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
		v.n--;
	return v;
}

static bool is_token(const struct line *l, const char *token)
{
	return view_eq_nocase(l->token, view_str(token));
}

/* ---- the lines ---- */

static bool split(struct reader *r, struct line *l)
{
	const uint8_t *colon = memchr(l->whole.p, ':', l->whole.n);
	if (colon == NULL)
		return bad_line(r, l, "TOKEN:value");
	l->token = trim(view_first(l->whole, (size_t)(colon - l->whole.p)));
	l->value = trim(view_from(l->whole, (size_t)(colon - l->whole.p) + 1));
	return l->token.n > 0 || bad_line(r, l, "TOKEN:value");
}

static bool keep(struct reader *r, const struct line *l)
{
	bool full = r->n == 0 || (r->n >= 16 && (r->n & (r->n - 1)) == 0);
	if (r->n >= r->l->elements)
		return bad_file(r, "one more line", "no more than the limit");
	if (full) {
		struct line *more = arena_array(r->a, r->n == 0 ? 16 : 2 * r->n, sizeof *more);
		if (more == NULL)
			return bad_file(r, "more lines", "fewer, for the memory they may take");
		if (r->n > 0)
			memcpy(more, r->lines, r->n * sizeof *more);
		r->lines = more;
	}
	r->lines[r->n++] = *l;
	return true;
}

/* Up to TEXT or XTEXT. Its end is not taken yet: whether the LF of a CR LF belongs to it, the sizes say. */
static bool read_lines(struct reader *r)
{
	size_t number = 0;
	r->only_cr = true;
	while (r->at < r->file.n) {
		struct view rest = view_from(r->file, r->at);
		struct line l = {.number = ++number};
		size_t n = 0;
		while (n < rest.n && rest.p[n] != '\r' && rest.p[n] != '\n')
			n++;
		l.whole = view_first(rest, n);
		r->at += n;
		if (trim(l.whole).n > 0) {
			if (!split(r, &l) || !keep(r, &l))
				return false;
			if (is_token(&l, "TEXT") || is_token(&l, "XTEXT"))
				return true;
		}
		bool crlf = n + 1 < rest.n && rest.p[n] == '\r' && rest.p[n + 1] == '\n';
		r->only_cr = r->only_cr && n < rest.n && rest.p[n] == '\r' && !crlf;
		r->at += n == rest.n ? 0 : crlf ? 2 : 1;
	}
	return bad_file(r, "the end of the file", "TEXT:size or XTEXT:file");
}

/* XATTACH:physical [logical] */
static struct view physical_of(struct view value)
{
	size_t n = 0;
	while (n < value.n && value.p[n] != ' ' && value.p[n] != '\t')
		n++;
	return view_first(value, n);
}

bool ffapi_next_name(struct view head, size_t *at, struct view *name_r)
{
	while (*at < head.n) {
		const struct view rest = view_from(head, *at);
		size_t n = 0;
		while (n < rest.n && rest.p[n] != '\r' && rest.p[n] != '\n')
			n++;
		*at += n < rest.n ? n + 1 : n;
		const uint8_t *colon = memchr(rest.p, ':', n);
		if (colon == NULL)
			continue;
		const size_t token = (size_t)(colon - rest.p);
		const struct line l = { .token = trim(view_first(rest, token)), .value = trim(view_from(view_first(rest, n), token + 1)) };
		const bool is_text_file = is_token(&l, "XTEXT");
		if (is_text_file || is_token(&l, "TEXT"))
			*at = head.n; /* texts are behind it */
		*name_r = is_text_file ? l.value : physical_of(l.value);
		if (is_text_file || is_token(&l, "XATTACH"))
			return true;
	}
	return false;
}

/* ---- values ---- */

static bool digits(struct view v, size_t n, uint64_t *x_r)
{
	return v.n >= n && text_uint(view_first(v, n), UINT16_MAX, x_r);
}

/* yyyy-mm-dd */
static bool read_date(struct view v, struct mm_date *d)
{
	uint64_t year, month, day;
	if (v.n != 10 || !digits(v, 4, &year) || !digits(view_from(v, 5), 2, &month) || !digits(view_from(v, 8), 2, &day) || v.p[4] != '-' ||
	    v.p[7] != '-' || year == 0 || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	d->year = (uint16_t)year;
	d->month = (uint8_t)month;
	d->day = (uint8_t)day;
	return true;
}

/* hh:mm, and hh:mm:ss as some write */
static bool read_time(struct view v, struct mm_date *d)
{
	uint64_t hour, minute, second = 0;
	if ((v.n != 5 && v.n != 8) || !digits(v, 2, &hour) || v.p[2] != ':' || !digits(view_from(v, 3), 2, &minute))
		return false;
	if (v.n == 8 && (v.p[5] != ':' || !digits(view_from(v, 6), 2, &second)))
		return false;
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	d->hour = (uint8_t)hour;
	d->minute = (uint8_t)minute;
	d->second = (uint8_t)second;
	return true;
}

/* `^0D` is a carriage return (Q94410). */
static struct view with_returns(struct reader *r, struct view v)
{
	uint8_t *buf = arena_get(r->a, v.n + 1);
	size_t n = 0;
	for (size_t i = 0; buf != NULL && i < v.n; n++) {
		bool is_return = view_eq_nocase(view_first(view_from(v, i), 3), VIEW("^0D"));
		buf[n] = is_return ? '\r' : v.p[i];
		i += is_return ? 3 : 1;
	}
	return view_of(buf, n);
}

/* `Name [TYPE:address]`, as clients show it (Q94410, Q116466): the address is what stands in the brackets. */
static struct view in_brackets(struct view v, struct view *friendly_r)
{
	const uint8_t *open = v.n > 1 && v.p[v.n - 1] == ']' ? memchr(v.p, '[', v.n) : NULL;
	if (open == NULL)
		return v;
	const size_t at = (size_t)(open - v.p);
	const struct view inner = trim(view_first(view_from(v, at + 1), v.n - at - 2));
	if (inner.n == 0 || memchr(inner.p, ':', inner.n) == NULL)
		return v;
	*friendly_r = trim(view_first(v, at));
	return inner;
}

static struct mm_address read_address(struct reader *r, struct view v)
{
	static const struct { const char *type; unsigned number; } types[] = {
		{"CSI:", MM_ADDRESS_MS}, {"MS:", MM_ADDRESS_MS}, {"PCM:", MM_ADDRESS_MS}, {"X400:", MM_ADDRESS_X400},
	};
	struct mm_address a = {.type = MM_ADDRESS_MS};
	v = in_brackets(v, &a.friendly);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		size_t n = strlen(types[i].type);
		if (view_eq_nocase(view_first(v, n), view_str(types[i].type))) {
			a.type = types[i].number;
			a.text = trim(view_from(v, n));
			return a;
		}
	}
	if (v.n > 0 && memchr(v.p, ':', v.n) != NULL)
		a.type = MM_ADDRESS_TYPED;
	a.text = with_returns(r, v);
	return a;
}

static bool is_control(uint8_t c)
{
	return c < 0x20 || c == 0x7f;
}

/* A file beside the message file: a name and no path, on any system. */
static bool is_plain_name(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (is_control(v.p[i]) || strchr("/\\:", v.p[i]) != NULL)
			return false;
	return v.n > 0 && v.n <= 255 && v.p[0] != '.';
}

/* What a user sees of a name: the last part, if there is a path in it. */
static struct view last_part(struct view v)
{
	size_t from = 0;
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] == '/' || v.p[i] == '\\' || v.p[i] == ':')
			from = i + 1;
	return trim(view_from(v, from));
}

static bool size_of(struct reader *r, const struct line *l, struct view v, uint64_t *size_r)
{
	return text_uint(v, r->l->octets, size_r) || bad_line(r, l, "a size in decimal, within the limit");
}

/* ATTACHMENTS:name size */
static bool read_attachment(struct reader *r, const struct line *l)
{
	struct mm_attachment *x = &r->m.attachments[r->m.n_attachments];
	size_t i = l->value.n;
	while (i > 0 && l->value.p[i - 1] != ' ' && l->value.p[i - 1] != '\t')
		i--;
	struct view name = last_part(trim(view_first(l->value, i)));
	uint64_t size;
	if (i == 0 || name.n == 0)
		return bad_line(r, l, "ATTACHMENTS:name size");
	if (!size_of(r, l, view_from(l->value, i), &size))
		return false;
	*x = (struct mm_attachment){.name = name, .size = size, .position = UINT32_MAX};
	r->bodies[r->m.n_attachments++] = (struct ffapi_body){.name = name};
	return true;
}

static bool read_xattach(struct reader *r, const struct line *l)
{
	struct view physical = physical_of(l->value), logical = last_part(trim(view_from(l->value, physical.n)));
	if (!is_plain_name(physical))
		return bad_line(r, l, "XATTACH:name of a file in this directory, without a path");
	r->m.attachments[r->m.n_attachments] = (struct mm_attachment){.name = logical.n > 0 ? logical : physical, .position = UINT32_MAX};
	r->bodies[r->m.n_attachments++] = (struct ffapi_body){.name = physical, .in_file = true};
	return true;
}

static bool read_version(struct reader *r, const struct line *l)
{
	bool good = l->value.n >= 2 && (l->value.p[0] == '2' || l->value.p[0] == '3') && l->value.p[1] == '.';
	return good || view_eq(l->value, VIEW("3")) || view_eq(l->value, VIEW("2")) || bad_line(r, l, "VERSION:3.00 (or 2.xx)");
}

/* ---- what the lines say ---- */

enum once { ONCE_VERSION = 1, ONCE_FROM = 2, ONCE_DATE = 4, ONCE_TIME = 8, ONCE_SUBJECT = 16, ONCE_PRIORITY = 32 };

/* One that comes once and can be read; false: keep it as it is. */
static bool read_once(struct reader *r, const struct line *l, unsigned *seen)
{
	static const struct { const char *token; enum once bit; } once[] = {
		{"FROM", ONCE_FROM}, {"DATE", ONCE_DATE}, {"TIME", ONCE_TIME}, {"SUBJECT", ONCE_SUBJECT}, {"PRIORITY", ONCE_PRIORITY},
	};
	struct mai *m = &r->m;
	enum once bit = 0;
	for (size_t i = 0; i < ARRAY_LEN(once); i++)
		if (is_token(l, once[i].token))
			bit = once[i].bit;
	bool first = bit != 0 && (*seen & bit) == 0, read = first;
	if (first && bit == ONCE_FROM)
		m->from = read_address(r, l->value);
	else if (first && bit == ONCE_SUBJECT)
		m->subject = l->value;
	else if (first && bit == ONCE_DATE)
		read = read_date(l->value, &m->date);
	else if (first && bit == ONCE_TIME)
		read = read_time(l->value, &m->date);
	else if (first && bit == ONCE_PRIORITY)
		read = l->value.n == 1 && !is_control(l->value.p[0]);
	if (read && bit == ONCE_PRIORITY)
		m->priority = (char)l->value.p[0];
	if (read)
		*seen |= bit;
	return read;
}

static bool read_text_line(struct reader *r, const struct line *l, struct view *text_file_r)
{
	r->text_in_file = is_token(l, "XTEXT");
	if (!r->text_in_file)
		return size_of(r, l, l->value, &r->text_size);
	if (!is_plain_name(l->value))
		return bad_line(r, l, "XTEXT:name of a file in this directory, without a path");
	*text_file_r = l->value;
	return true;
}

static bool read_head(struct reader *r, struct view *text_file_r)
{
	struct mai *m = &r->m;
	unsigned seen = ONCE_TIME; /* of no day it says nothing, and is kept as it is */
	for (size_t i = 0; i < r->n; i++)
		if (is_token(&r->lines[i], "DATE") && read_date(r->lines[i].value, &(struct mm_date){0}))
			seen = 0;
	for (size_t i = 0; i < r->n; i++) {
		const struct line *l = &r->lines[i];
		bool ok = true;
		if (is_token(l, "TO"))
			m->to[m->n_to++] = read_address(r, l->value);
		else if (is_token(l, "ATTACHMENTS"))
			ok = read_attachment(r, l);
		else if (is_token(l, "XATTACH"))
			ok = read_xattach(r, l);
		else if (i + 1 == r->n)
			ok = read_text_line(r, l, text_file_r);
		else if (is_token(l, "VERSION"))
			ok = read_version(r, l);
		else if (!read_once(r, l, &seen))
			m->extra[m->n_extra++] = trim(l->whole);
		if (!ok)
			return false;
	}
	if ((seen & ONCE_FROM) == 0)
		return bad_file(r, "no FROM", "FROM:address");
	return m->n_to > 0 || bad_file(r, "no TO", "TO:address");
}

static bool make_room(struct reader *r)
{
	size_t to = 0, files = 0;
	for (size_t i = 0; i < r->n; i++) {
		to += is_token(&r->lines[i], "TO");
		files += is_token(&r->lines[i], "ATTACHMENTS") || is_token(&r->lines[i], "XATTACH");
	}
	r->m.to = arena_array(r->a, to + 1, sizeof *r->m.to);
	r->m.attachments = arena_array(r->a, files + 1, sizeof *r->m.attachments);
	r->bodies = arena_array(r->a, files + 1, sizeof *r->bodies);
	r->m.extra = arena_array(r->a, r->n - to - files + 1, sizeof *r->m.extra);
	return !arena_full(r->a) || bad_file(r, "more lines", "fewer, for the memory they may take");
}

/* ---- what follows them ---- */

/* The end of the last line: CR LF is one end, unless then an octet would be missing behind it. */
static void end_head(struct reader *r, uint64_t want)
{
	struct view rest = view_from(r->file, r->at);
	if (rest.n == 0)
		return;
	bool crlf = rest.n > 1 && rest.p[0] == '\r' && rest.p[1] == '\n';
	bool lf_is_text = crlf && r->only_cr && rest.n - 1 == want;
	r->at += crlf && !lf_is_text ? 2 : 1;
}

static bool take(struct reader *r, uint64_t size, const char *what, struct view *v_r)
{
	struct view rest = view_from(r->file, r->at);
	r->is_short = size > rest.n;
	if (r->is_short)
		return err_report(r->e, ERR_PERM, ERR_OF_MESSAGE, 1, 12,
				  "FFAPI file: found %zu octets at offset %zu, want %llu of %s", rest.n, r->at,
				  (unsigned long long)size, what);
	*v_r = view_first(rest, (size_t)size);
	r->at += (size_t)size;
	return true;
}

static bool read_contents(struct reader *r)
{
	uint64_t want = r->text_in_file ? 0 : r->text_size;
	for (size_t i = 0; i < r->m.n_attachments; i++)
		want += r->m.attachments[i].size; /* each within the limit, and their number too */
	end_head(r, want);
	if (!r->text_in_file && !take(r, r->text_size, "text", &r->m.text))
		return false;
	for (size_t i = 0; i < r->m.n_attachments; i++)
		if (!r->bodies[i].in_file && !take(r, r->m.attachments[i].size, "an attachment", &r->bodies[i].octets))
			return false;
	for (size_t i = r->at; i < r->file.n; i++)
		if (strchr(" \t\r\n\x1a", r->file.p[i]) == NULL)
			return err_report(r->e, ERR_PERM, ERR_OF_MESSAGE, 1, 12,
					  "FFAPI file: found %zu octets at offset %zu, want none behind the sizes that it gives",
					  r->file.n - r->at, r->at);
	return true;
}

bool ffapi_parse(struct view file, struct mai *m_r, struct ffapi_body **bodies_r, struct view *text_file_r, struct arena *a,
		 const struct mai_limits *l, struct err *e)
{
	struct reader r = {.file = file, .a = a, .l = l, .e = e, .m = {.bags = 1, .hops = 10}};
	struct view text_file = {NULL, 0};
	if (file.n > l->octets)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "FFAPI file: found %zu octets, want at most %zu", file.n, l->octets);
	if (!read_lines(&r) || !make_room(&r) || !read_head(&r, &text_file) || !read_contents(&r))
		return false;
	if (arena_full(a))
		return bad_file(&r, "more lines", "fewer, for the memory they may take");
	*m_r = r.m;
	*bodies_r = r.bodies;
	*text_file_r = text_file;
	return true;
}

bool ffapi_is_cut(struct view file, struct arena *a, const struct mai_limits *l)
{
	struct reader r = {.file = file, .a = a, .l = l};
	struct view text_file = {NULL, 0};
	if (!read_lines(&r) || !make_room(&r) || !read_head(&r, &text_file))
		return r.at >= file.n;
	return !read_contents(&r) && r.is_short;
}
