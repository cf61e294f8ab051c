/* jout.c - see jout.h. */
#include "proc/console/jout.h"

#include <math.h>
#include <time.h>

static void put_name(struct jout *j, const char *name)
{
	if (j->comma)
		out_u8(j->o, ',');
	j->comma = true;
	if (name != NULL)
		out_fmt(j->o, "\"%s\":", name);
}

void jout_open(struct jout *j, const char *name, char bracket)
{
	put_name(j, name);
	out_u8(j->o, (uint8_t)bracket);
	j->comma = false;
}

void jout_close(struct jout *j, char bracket)
{
	out_u8(j->o, (uint8_t)bracket);
	j->comma = true;
}

/* Octets of the character at v, 0: none begins there (RFC 3629 4). */
static size_t utf8_length(struct view v)
{
	const uint8_t *p = v.p;
	const size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] <= 0xdf ? 2 : p[0] >= 0xe0 && p[0] <= 0xef ? 3 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;
	if (n == 0 || n > v.n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

void jout_text(struct jout *j, const char *name, struct view v)
{
	put_name(j, name);
	out_u8(j->o, '"');
	while (v.n > 0) {
		const uint8_t b = v.p[0];
		const size_t n = utf8_length(v);
		if (n == 0)
			out_fmt(j->o, "\\\\x%02x", b);
		else if (b == '"' || b == '\\')
			out_fmt(j->o, "\\%c", b);
		else if (b == '\n')
			out_str(j->o, "\\n");
		else if (b < 0x20 || b == 0x7f)
			out_fmt(j->o, "\\u%04x", b);
		else
			out_bytes(j->o, view_first(v, n));
		v = view_from(v, n == 0 ? 1 : n);
	}
	out_u8(j->o, '"');
}

void jout_str(struct jout *j, const char *name, const char *s)
{
	jout_text(j, name, view_str(s == NULL ? "" : s));
}

void jout_int(struct jout *j, const char *name, int64_t x)
{
	put_name(j, name);
	out_fmt(j->o, "%lld", (long long)x);
}

void jout_real(struct jout *j, const char *name, double x)
{
	char text[40];
	put_name(j, name);
	if (!isfinite(x) || fabs(x) > 1e15) {
		out_str(j->o, "null");
		return;
	}
	int n = snprintf(text, sizeof text, "%.3f", x);
	while (n > 1 && text[n - 1] == '0')
		n--;
	if (n > 1 && text[n - 1] == '.')
		n--;
	out_bytes(j->o, view_of(text, (size_t)n));
}

void jout_bool(struct jout *j, const char *name, bool x)
{
	put_name(j, name);
	out_str(j->o, x ? "true" : "false");
}

void jout_null(struct jout *j, const char *name)
{
	put_name(j, name);
	out_str(j->o, "null");
}

void jout_time(struct jout *j, const char *name, int64_t wall_ms)
{
	char seconds[24];
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;
	if (wall_ms <= 0 || gmtime_r(&t, &tm) == NULL || strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
		jout_null(j, name);
		return;
	}
	put_name(j, name);
	out_fmt(j->o, "\"%s.%03dZ\"", seconds, (int)(wall_ms % 1000));
}
