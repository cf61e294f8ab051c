/* notice_parse.c - a notice read, whoever's mover wrote it (Q127919, Q147471, Q154783, Q165396, Q99204 show some). */
#include "flow/codec/msmail/notice.h"

#include "base/text.h"

enum { LINES_MAX = 20000, LISTED_MAX = 4096, RULE_MIN = 10 };

enum place {
	IN_HEAD,      /* FROM .. SUBJECT, up to the rule or the first [nnn] */
	IN_SUBJECT,   /* and a subject that goes on */
	IN_SENTENCE,  /* behind [nnn] */
	IN_TARGET,    /* what a sentence that ends in "sending to:" is about */
	IN_ROUTE,
	IN_NAMES,
	BETWEEN,      /* behind an empty line: another cause, another list, or the text of the original */
	IN_ORIGINAL,
};

struct reader {
	struct arena *a;
	struct view rest;         /* of the text */
	struct mm_notice *n;
	enum place place;
	int code;                 /* of the cause at hand */
	bool has_from, has_subject, begun, listed; /* listed: the list at hand has an entry */
	struct out sentence;      /* as it is put together from its lines; of the cause at hand */
	struct out subject;
	bool has_date;
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct view trim(struct view v)
{
	while (v.n > 0 && is_blank(v.p[0]))
		v = view_from(v, 1);
	while (v.n > 0 && is_blank(v.p[v.n - 1]))
		v.n--;
	return v;
}

/* A line without its end, which is CR, LF or CR LF. */
static bool next_line(struct reader *r, struct view *line_r)
{
	size_t i = 0;
	if (r->rest.n == 0)
		return false;
	while (i < r->rest.n && r->rest.p[i] != '\r' && r->rest.p[i] != '\n')
		i++;
	*line_r = view_first(r->rest, i);
	if (i + 1 < r->rest.n && r->rest.p[i] == '\r' && r->rest.p[i + 1] == '\n')
		i++;
	r->rest = view_from(r->rest, i + 1);
	return true;
}

static bool starts(struct view v, const char *word)
{
	return view_eq_nocase(view_first(v, strlen(word)), view_str(word));
}

/* Where the word is in v; v.n: nowhere. */
static size_t find(struct view v, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i + n <= v.n; i++)
		if (starts(view_from(v, i), word))
			return i;
	return v.n;
}

static bool says(struct view v, const char *word)
{
	return find(v, word) < v.n;
}

static bool is_rule(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] != v.p[0] || strchr("-=_*", v.p[0]) == NULL)
			return false;
	return v.n >= RULE_MIN;
}

static bool is_cause(struct view v, int *code_r)
{
	uint64_t x;
	if (v.n < 5 || v.p[0] != '[' || v.p[4] != ']' || !text_uint(view_of(v.p + 1, 3), 99, &x) || x == 0)
		return false;
	*code_r = (int)x;
	return true;
}

/* ---- date and time ---- */

static bool number_at(struct view *v, uint64_t *x_r, size_t *digits_r)
{
	size_t n = 0;
	while (n < v->n && n < 4 && v->p[n] >= '0' && v->p[n] <= '9')
		n++;
	if (n == 0 || !text_uint(view_first(*v, n), 9999, x_r))
		return false;
	*digits_r = n;
	*v = view_from(*v, n);
	return true;
}

static bool separator(struct view *v, const char *which)
{
	if (v->n == 0 || v->p[0] == 0 || strchr(which, v->p[0]) == NULL)
		return false;
	*v = view_from(*v, 1);
	return true;
}

/* 05-21-94, 21-05-94, 21.05.1994, 1994-05-21; the century of two digits turns at 70. */
static void read_date(struct reader *r, struct view v)
{
	uint64_t x[3];
	size_t digits[3];
	for (size_t i = 0; i < 3; i++)
		if ((i > 0 && !separator(&v, "-/.")) || !number_at(&v, &x[i], &digits[i]))
			return;
	bool year_first = digits[0] == 4;
	uint64_t year = year_first ? x[0] : x[2], month = year_first ? x[1] : x[0], day = year_first ? x[2] : x[1];
	if (year < 100)
		year += year < 70 ? 2000 : 1900;
	if (!year_first && month > 12) {
		month = x[1];
		day = x[0];
	}
	if (month < 1 || month > 12 || day < 1 || day > 31)
		return;
	struct mm_date *d = &r->n->date;
	d->year = (uint16_t)year;
	d->month = (uint8_t)month;
	d->day = (uint8_t)day;
	r->n->date_may_be_swapped = !year_first && day <= 12 && day != month;
}

static void read_time(struct reader *r, struct view v)
{
	uint64_t x[3] = {0};
	size_t digits;
	if (!number_at(&v, &x[0], &digits) || !separator(&v, ":.") || !number_at(&v, &x[1], &digits))
		return;
	struct view rest = v;
	if (separator(&rest, ":.") && number_at(&rest, &x[2], &digits))
		v = rest;
	v = trim(v);
	if (starts(v, "PM") && x[0] < 12)
		x[0] += 12;
	else if (starts(v, "AM") && x[0] == 12)
		x[0] = 0;
	if (x[0] > 23 || x[1] > 59 || x[2] > 59)
		return;
	r->n->date.hour = (uint8_t)x[0];
	r->n->date.minute = (uint8_t)x[1];
	r->n->date.second = (uint8_t)x[2];
}

/* ---- the head ---- */

/* DATE may stand behind the name on the line of TO (Q154783). */
static struct view without_date(struct reader *r, struct view v)
{
	size_t at = find(v, " DATE:"), tab = find(v, "\tDATE:");
	at = tab < at ? tab : at;
	if (at < v.n)
		read_date(r, trim(view_from(v, at + 6)));
	return trim(view_first(v, at));
}

/* Lines that a memo's head may have, too, and that say nothing here. */
static bool is_passed_over(struct view label)
{
	return view_eq_nocase(label, VIEW("PRIORITY")) || view_eq_nocase(label, VIEW("ATTACHMENTS"));
}

/* False: the line is none of the five. */
static bool read_field(struct reader *r, struct view line)
{
	size_t colon = 0;
	while (colon < line.n && line.p[colon] != ':')
		colon++;
	if (colon == line.n)
		return false;
	struct view label = trim(view_first(line, colon)), value = trim(view_from(line, colon + 1));
	r->place = IN_HEAD;
	if (view_eq_nocase(label, VIEW("FROM"))) {
		r->n->from = without_date(r, value);
		r->has_from = true;
	} else if (view_eq_nocase(label, VIEW("TO"))) {
		r->n->to = without_date(r, value);
	} else if (view_eq_nocase(label, VIEW("DATE"))) {
		read_date(r, value);
	} else if (view_eq_nocase(label, VIEW("TIME"))) {
		read_time(r, value);
	} else if (view_eq_nocase(label, VIEW("SUBJECT"))) {
		out_clear(&r->subject);
		out_bytes(&r->subject, value);
		r->has_subject = true;
		r->place = IN_SUBJECT;
	} else if (!r->begun || !is_passed_over(label)) {
		return false;
	}
	return true;
}

static bool is_preface(struct view line)
{
	return starts(line, "Message data") || starts(line, "System log entry") || says(line, "has detected a mail problem");
}

/* False: this is no notice. */
static bool read_head(struct reader *r, struct view line)
{
	if (is_rule(line)) {
		r->place = IN_HEAD;
		return r->begun;
	}
	if (line.n == 0) {
		if (r->place == IN_SUBJECT)
			r->place = IN_HEAD;
		return true;
	}
	enum place before = r->place;
	if (read_field(r, line)) {
		r->begun = true;
		return true;
	}
	if (before == IN_SUBJECT) {
		out_u8(&r->subject, ' ');
		out_bytes(&r->subject, line);
		r->place = IN_SUBJECT;
		return true;
	}
	return is_preface(line);
}

/* ---- causes and lists ---- */

/* The sentence at hand is whole: of the first cause it is the notice's text, up to the words that a list follows. */
static void end_sentence(struct reader *r)
{
	static const char *const leads[] = {"Mail item was not delivered", "Message followed"};
	struct view v = trim(out_view(&r->sentence));
	for (size_t i = 0; i < ARRAY_LEN(leads); i++)
		v = trim(view_first(v, find(v, leads[i])));
	while (v.n > 0 && v.p[v.n - 1] == ':')
		v = trim(view_first(v, v.n - 1));
	if (v.n > 0 && r->n->text.n == 0 && r->code == r->n->code)
		r->n->text = arena_copy(r->a, v);
	out_clear(&r->sentence);
}

static void begin_cause(struct reader *r, int code, struct view line)
{
	end_sentence(r);
	r->code = code;
	r->listed = false;
	if (r->n->code == 0)
		r->n->code = code;
	out_bytes(&r->sentence, trim(view_from(line, 5)));
	r->place = IN_SENTENCE;
}

/* A line that ends in a colon leads to a list; which, its words say. */
static bool begin_list(struct reader *r, struct view sentence)
{
	if (sentence.n == 0 || sentence.p[sentence.n - 1] != ':')
		return false;
	r->listed = false;
	if (says(sentence, "route"))
		r->place = IN_ROUTE;
	else if (says(sentence, "sending to:") || says(sentence, "send to:"))
		r->place = IN_TARGET;
	else
		r->place = IN_NAMES;
	if (r->place != IN_TARGET)
		end_sentence(r);
	return true;
}

/* "NET/PO", also with blanks that fill the names up. */
static bool read_hop(struct view line, struct mm_hop *hop_r)
{
	const uint8_t *slash = line.n == 0 ? NULL : memchr(line.p, '/', line.n);
	if (slash == NULL)
		return false;
	struct view network = trim(view_first(line, (size_t)(slash - line.p)));
	struct view postoffice = trim(view_from(line, (size_t)(slash - line.p) + 1));
	struct view both[] = {network, postoffice};
	*hop_r = (struct mm_hop){0};
	for (size_t i = 0; i < 2; i++) {
		if (both[i].n == 0 || both[i].n > MM_NAME_MAX || memchr(both[i].p, '/', both[i].n) != NULL ||
		    memchr(both[i].p, ' ', both[i].n) != NULL || memchr(both[i].p, 0, both[i].n) != NULL)
			return false;
		memcpy(i == 0 ? hop_r->network : hop_r->postoffice, both[i].p, both[i].n);
	}
	return true;
}

/* The list with room for one more: it doubles from 8 on. NULL: no more of them. */
static void *grown(struct reader *r, void *list, size_t n, size_t size)
{
	bool full = n == 0 || (n >= 8 && (n & (n - 1)) == 0);
	if (n >= LISTED_MAX || !full)
		return n >= LISTED_MAX ? NULL : list;
	void *bigger = arena_array(r->a, n == 0 ? 8 : 2 * n, size);
	if (bigger != NULL && n > 0)
		memcpy(bigger, list, n * size);
	return bigger;
}

static void add_name(struct reader *r, struct view line)
{
	struct mm_notice *n = r->n;
	struct view *names = grown(r, n->unreached, n->n_unreached, sizeof *names);
	int *codes = grown(r, n->codes, n->n_unreached, sizeof *codes);
	if (names == NULL || codes == NULL)
		return;
	n->unreached = names;
	n->codes = codes;
	names[n->n_unreached] = line;
	codes[n->n_unreached++] = r->code;
	r->listed = true;
}

static bool add_hop(struct reader *r, struct view line)
{
	struct mm_hop hop;
	if (!read_hop(line, &hop))
		return false;
	struct mm_hop *hops = grown(r, r->n->hops, r->n->n_hops, sizeof *hops);
	if (hops != NULL) {
		r->n->hops = hops;
		hops[r->n->n_hops++] = hop;
	}
	r->listed = true;
	return true;
}

/* What may stand behind an empty line and is not yet the original. */
static bool goes_on(struct view line)
{
	return starts(line, "Missing file") || says(line, "not delivered") || starts(line, "while attempting") || says(line, "following route");
}

static void read_sentence(struct reader *r, struct view line)
{
	if (out_len(&r->sentence) > 0)
		out_u8(&r->sentence, ' ');
	out_bytes(&r->sentence, line);
	struct view whole = trim(out_view(&r->sentence));
	if (!begin_list(r, whole))
		r->place = IN_SENTENCE;
}

static void read_empty(struct reader *r)
{
	switch (r->place) {
	case IN_SENTENCE:
		end_sentence(r);
		r->place = BETWEEN;
		break;
	case IN_ROUTE:
	case IN_NAMES:
	case IN_TARGET:
		if (r->listed)
			r->place = BETWEEN;
		break;
	case IN_HEAD:
	case IN_SUBJECT:
	case BETWEEN:
	case IN_ORIGINAL: break;
	}
}

/* NETWORK/POSTOFFICE/MAILBOX and nothing else: who was not reached, also where no words lead to it (facts A10). */
static bool is_whole_name(struct view line)
{
	struct mm_name name;
	return memchr(line.p, ' ', line.n) == NULL && mm_name_parse(line, &name, NULL) && name.mailbox[0] != 0;
}

/* Takes a line behind the head; false: the original begins with it. */
static bool read_body(struct reader *r, struct view line)
{
	int code;
	if (line.n == 0) {
		read_empty(r);
		return true;
	}
	if (is_rule(line))
		return false;
	if (is_cause(line, &code)) {
		begin_cause(r, code, line);
		begin_list(r, trim(out_view(&r->sentence)));
		return true;
	}
	if (r->place == IN_TARGET && !r->listed) {
		out_u8(&r->sentence, ' ');
		out_bytes(&r->sentence, line);
		end_sentence(r);
		r->listed = true;
		return true;
	}
	if (r->place == IN_ROUTE && add_hop(r, line))
		return true;
	if (r->place == IN_NAMES) {
		add_name(r, line);
		return true;
	}
	if ((r->place != BETWEEN || !r->listed) && is_whole_name(line)) {
		end_sentence(r);
		r->place = IN_NAMES;
		add_name(r, line);
		return true;
	}
	if (r->place == BETWEEN && !goes_on(line))
		return false;
	read_sentence(r, line);
	return true;
}

static bool read_all(struct reader *r)
{
	struct view line, before = r->rest;
	int code;
	for (size_t lines = 0; next_line(r, &line); before = r->rest) {
		line = trim(line);
		if (lines++ == LINES_MAX)
			break;
		bool head = r->n->code == 0;
		if (head && !is_cause(line, &code)) {
			if (!read_head(r, line))
				return false;
			continue;
		}
		if (head && !(r->begun && r->has_from && r->has_subject))
			return false;
		if (!read_body(r, line)) {
			r->n->original = is_rule(line) ? r->rest : before;
			break;
		}
	}
	end_sentence(r);
	r->n->subject = arena_copy(r->a, out_view(&r->subject));
	return r->n->code != 0 && !arena_full(r->a);
}

bool notice_parse(struct view text, struct mm_notice *n_r, struct arena *a)
{
	struct mm_notice n = {0};
	struct reader r = {.a = a, .rest = text, .n = &n};
	out_init(&r.sentence, 4096);
	out_init(&r.subject, 4096);
	bool ok = read_all(&r);
	out_fini(&r.sentence);
	out_fini(&r.subject);
	if (ok)
		*n_r = n;
	return ok;
}
