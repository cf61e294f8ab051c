/* convert_text.c - strings on their way between a code page and the strings of X.400. */
#include "flow/codec/msmail/convert_private.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "flow/codec/msmail/fips.h"

enum { NAME_MAX_CHARACTERS = 255, LINE_MAX_OCTETS = 4096, CTRL_Z = 0x1a };

bool mmc_fail(struct mmc *c, int reason, int diagnostic, const char *what)
{
	return err_report(c->e, ERR_PERM, ERR_OF_MESSAGE, reason, diagnostic, "convert: %s", what);
}

bool mmc_full(struct mmc *c)
{
	return err_report(c->e, ERR_PERM, ERR_OF_MESSAGE, 1, 7, "convert: needs more memory than its quota, %zu octets in use",
			  arena_used(c->a));
}

bool mmc_may_go_on(struct mmc *c)
{
	if (arena_full(c->a))
		return mmc_full(c);
	if (c->how->out_of_time != NULL && c->how->out_of_time(c->how->ctx))
		return mmc_fail(c, 2, 8, "it takes more time than a message may");
	return true;
}

struct view mmc_keep(struct mmc *c, struct out *o)
{
	const struct view v = arena_copy(c->a, out_view(o));
	out_fini(o);
	return v;
}

struct view mmc_fmt(struct mmc *c, const char *fmt, ...)
{
	char line[LINE_MAX_OCTETS];
	va_list ap;
	va_start(ap, fmt);
	const int n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	return arena_copy(c->a, view_of(line, n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1));
}

struct view mmc_tail(struct view v, size_t n)
{
	return n >= v.n ? v : view_from(v, v.n - n);
}

static bool is_ascii_text(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] >= 0x7f || (v.p[i] < 0x20 && v.p[i] != '\r' && v.p[i] != '\n' && v.p[i] != '\t' && v.p[i] != '\f'))
			return false;
	return true;
}

/* A page that is not known is warned of when it matters: for what is not ASCII. */
static void look_at_page(struct mmc *c, struct view text)
{
	if (!charset_page_known(c->how->kit, c->page) && !is_ascii_text(text))
		c->warned = true;
}

struct view mmc_utf8(struct mmc *c, struct view octets)
{
	while (octets.n > 0 && octets.p[octets.n - 1] == CTRL_Z) /* the end of a text file of DOS */
		octets.n--;
	if (is_ascii_text(octets))
		return octets;
	struct out o;
	out_init(&o, mem_add(mem_mul(octets.n, 4), 16));
	look_at_page(c, octets);
	c->replaced += charset_page_to_utf8(c->how->kit, c->page, octets, &o);
	return mmc_keep(c, &o);
}

struct view mmc_octets(struct mmc *c, struct view utf8)
{
	if (is_ascii_text(utf8))
		return utf8;
	struct out o;
	out_init(&o, mem_add(mem_mul(utf8.n, 2), 16));
	look_at_page(c, utf8);
	c->replaced += charset_page_from_utf8(c->how->kit, c->page, utf8, &o);
	return mmc_keep(c, &o);
}

/* NUL goes before the string is read, which would make a character of it (Q159179, Q181649). */
static struct view without_nul(struct mmc *c, struct view v)
{
	if (v.n == 0 || memchr(v.p, 0, v.n) == NULL)
		return v;
	uint8_t *p = arena_get(c->a, v.n);
	size_t n = 0;
	for (size_t i = 0; p != NULL && i < v.n; i++)
		if (v.p[i] != 0)
			p[n++] = v.p[i];
	return view_of(p, n);
}

/* What cannot be read is U+FFFD, which no code page has: it is counted when it is written. */
struct view mmc_string(struct mmc *c, enum charset from, unsigned registration, struct view octets)
{
	if (from != CHARSET_BMP && from != CHARSET_UNIVERSAL)
		octets = without_nul(c, octets);
	if ((from == CHARSET_IA5 || from == CHARSET_GENERAL) && is_ascii_text(octets))
		return octets;
	struct out o;
	out_init(&o, mem_add(mem_mul(octets.n, 4), 16));
	(void)charset_to_utf8(c->how->kit, from, registration, octets, &o);
	return mmc_keep(c, &o);
}

/* Every line end (CR LF, CR, LF) as `end`. */
static struct view line_ends(struct mmc *c, struct view text, struct view end)
{
	struct out o;
	bool is_it = true;
	for (size_t i = 0; i < text.n && is_it; i++) {
		if (text.p[i] != '\r' && text.p[i] != '\n')
			continue;
		is_it = text.n - i >= end.n && memcmp(text.p + i, end.p, end.n) == 0 &&
			(end.n == 2 || i + 1 == text.n || text.p[i + 1] != '\n');
		i += end.n - 1;
	}
	if (is_it)
		return text;
	out_init(&o, mem_add(mem_mul(text.n, 2), 1));
	size_t from = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '\r' && text.p[i] != '\n')
			continue;
		out_bytes(&o, view_of(text.p + from, i - from));
		out_bytes(&o, end);
		if (text.p[i] == '\r' && i + 1 < text.n && text.p[i + 1] == '\n')
			i++;
		from = i + 1;
	}
	out_bytes(&o, view_from(text, from));
	return mmc_keep(c, &o);
}

struct view mmc_crlf(struct mmc *c, struct view utf8)
{
	return line_ends(c, utf8, VIEW("\r\n"));
}

struct view mmc_cr(struct mmc *c, struct view utf8)
{
	return line_ends(c, utf8, VIEW("\r"));
}

/* The no-break space is one in pages that have no other. */
static bool is_blank(uint32_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == 0 || c == 0xa0;
}

struct view mmc_one_line(struct mmc *c, struct view utf8, size_t max)
{
	struct out o;
	out_init(&o, mem_add(mem_mul(utf8.n, 3), 4));
	for (size_t n = 0; utf8.n > 0 && n < max;) {
		const uint32_t x = charset_utf8_next(&utf8);
		if (is_blank(x) && out_len(&o) == 0)
			continue;
		charset_utf8_put(&o, is_blank(x) ? ' ' : x == UINT32_MAX ? '?' : x);
		n++;
	}
	while (out_len(&o) > 0 && o.p[o.n - 1] == ' ')
		o.n--;
	return mmc_keep(c, &o);
}

struct view mmc_file_name(struct mmc *c, struct view utf8)
{
	struct out o;
	size_t n = 0;
	for (size_t i = utf8.n; i > 0; i--)
		if (utf8.p[i - 1] == '/' || utf8.p[i - 1] == '\\' || utf8.p[i - 1] == ':') {
			utf8 = view_from(utf8, i);
			break;
		}
	utf8 = mmc_one_line(c, utf8, NAME_MAX_CHARACTERS);
	while (utf8.n > 0 && (utf8.p[utf8.n - 1] == '.' || utf8.p[utf8.n - 1] == ' '))
		utf8.n--;
	out_init(&o, mem_add(utf8.n, 1));
	for (; n < utf8.n; n++)
		out_u8(&o, utf8.p[n] < 0x20 || utf8.p[n] == 0x7f || strchr("*?\"<>|", utf8.p[n]) != NULL ? '_' : utf8.p[n]);
	return mmc_keep(c, &o);
}

struct view mmc_printable(struct mmc *c, struct view utf8, size_t max)
{
	struct out o;
	out_init(&o, mem_add(max, 64));
	while (utf8.n > 0) {
		struct view rest = utf8;
		const size_t before = out_len(&o);
		const uint32_t x = charset_utf8_next(&rest);
		if (x < 0x80)
			mm_escape_printable(view_first(utf8, 1), &o);
		else
			out_u8(&o, '?');
		if (out_len(&o) > max) {
			o.n = o.head + before;
			break;
		}
		utf8 = rest;
	}
	return mmc_keep(c, &o);
}

/* --- marks --- */

#define SENSITIVITY "Sensitivity: "
#define FORWARDED "Auto-Forwarded: yes\r"
#define IPM_ID "IPM-Id: "

static const char *const sensitivities[] = { "", "Personal", "Private", "Company-Confidential" };

struct view mmc_put_marks(struct mmc *c, const struct mmc_marks *m)
{
	struct out text, element;
	out_init(&text, LINE_MAX_OCTETS);
	if (m->sensitivity >= IPM_PERSONAL && m->sensitivity <= IPM_COMPANY_CONFIDENTIAL)
		out_fmt(&text, SENSITIVITY "%s\r", sensitivities[m->sensitivity]);
	if (m->auto_forwarded)
		out_str(&text, FORWARDED);
	if (m->ipm_id.n > 0 && m->ipm_id.n < LINE_MAX_OCTETS / 2) {
		out_str(&text, IPM_ID);
		out_bytes(&text, m->ipm_id);
		out_u8(&text, '\r');
	}
	const struct view all = mmc_keep(c, &text);
	if (all.n == 0)
		return all;
	out_init(&element, LINE_MAX_OCTETS);
	out_init(&text, LINE_MAX_OCTETS);
	fips_put(&text, FIPS_ASCII, -1, all);
	fips_put(&element, FIPS_FIELD, FIPS_COMMENTS, out_view(&text));
	out_fini(&text);
	return mmc_keep(c, &element);
}

static struct view after(struct view line, const char *front)
{
	const size_t n = strlen(front);
	return line.n >= n && memcmp(line.p, front, n) == 0 ? view_from(line, n) : (struct view){ NULL, 0 };
}

static void take_mark(struct view line, struct mmc_marks *m)
{
	const struct view word = after(line, SENSITIVITY), id = after(line, IPM_ID);
	for (int64_t i = IPM_PERSONAL; i <= IPM_COMPANY_CONFIDENTIAL; i++)
		if (view_eq_nocase(word, view_str(sensitivities[i])))
			m->sensitivity = i;
	if (id.n > 0)
		m->ipm_id = id;
	m->auto_forwarded |= view_eq_nocase(line, view_first(VIEW(FORWARDED), sizeof FORWARDED - 2));
}

void mmc_get_marks(const struct mai *m, struct mmc_marks *m_r)
{
	*m_r = (struct mmc_marks){ 0 };
	for (size_t i = 0; i < m->n_extra; i++) {
		struct fips_walk w = fips_walk_of(m->extra[i], 8);
		struct fips_element field, text;
		if (fips_next(&w, &field, NULL) != STEP_DONE || field.code != FIPS_FIELD || !field.has_qualifier || field.qualifier != FIPS_COMMENTS)
			continue;
		struct fips_walk in = fips_walk_in(&w, &field);
		if (fips_next(&in, &text, NULL) != STEP_DONE || text.code != FIPS_ASCII)
			continue;
		struct view rest = text.contents;
		while (rest.n > 0) {
			const uint8_t *end = memchr(rest.p, '\r', rest.n);
			const size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);
			take_mark(view_first(rest, n), m_r);
			rest = view_from(rest, n + 1);
		}
	}
}

bool mmc_is_plain_class(struct view class)
{
	return class.n == 0 || view_eq_nocase(class, VIEW("IPM")) || view_eq_nocase(class, VIEW("IPM.Note")) ||
	       view_eq_nocase(class, VIEW("IPM.Microsoft Mail.Note"));
}
