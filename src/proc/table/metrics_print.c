/* metrics_print.c - metrics as Prometheus reads them (text format 0.0.4: all samples of a name together, after its HELP and TYPE), as
 * JSON, and as a page of the manual. All three go the same way over the table. */
#include "proc/table/metrics.h"

#include "base/version.h"

/* Who takes samples, one after the other; those of one metric come together. */
struct sink {
	struct out *o;
	void (*begin)(struct sink *k, enum metric m);
	/* labels: name, value, ... ended by NULL */
	void (*number)(struct sink *k, enum metric m, const struct view *labels, int64_t n);
	void (*histogram)(struct sink *k, enum metric m, const struct view *labels, const struct metric_histogram *h);
	bool has_begun;
};

enum { LABELS_MAX = 6 };

/* --- what there is --- */

static void give(struct sink *k, enum metric m, const struct view *labels, int64_t n)
{
	if (n == METRIC_ABSENT)
		return;
	if (!k->has_begun)
		k->begin(k, m);
	k->has_begun = true;
	k->number(k, m, labels, n);
}

static const char *words_label(enum metric m)
{
	return m == METRIC_LINK_PROTOCOL ? "kind" : m == METRIC_LINK_STATE ? "state" : "reason";
}

static void give_value(struct sink *k, enum metric m, struct view link, const struct metric_value *v)
{
	struct view labels[LABELS_MAX + 1] = { VIEW("link"), link };
	struct view *end = labels + (link.n == 0 ? 0 : 2);
	*end = (struct view){ NULL, 0 };
	if (metric_kinds[m].type == METRIC_WORDS && v->words.n > 0) {
		end[0] = view_str(words_label(m));
		end[1] = v->words;
		end[2] = (struct view){ NULL, 0 };
		give(k, m, labels, 1);
	} else if (metric_kinds[m].type == METRIC_HISTOGRAM && v->h != NULL) {
		if (!k->has_begun)
			k->begin(k, m);
		k->has_begun = true;
		k->histogram(k, m, labels, v->h);
	} else if (metric_kinds[m].type != METRIC_WORDS && metric_kinds[m].type != METRIC_HISTOGRAM) {
		give(k, m, labels, metric_kinds[m].type == METRIC_STAMP && v->n == 0 ? METRIC_ABSENT : v->n);
	}
}

static int64_t never_is_absent(int64_t ms)
{
	return ms == 0 ? METRIC_ABSENT : ms;
}

static int64_t of_process(enum metric m, const struct board_process *p)
{
	switch (m) {
	case METRIC_PROCESS_UP: return p->pid != 0 && p->ready != 0;
	case METRIC_PROCESS_STARTED: return never_is_absent(p->started_ms);
	case METRIC_PROCESS_STARTS: return p->lives;
	case METRIC_PROCESS_FAULTS: return p->faults;
	case METRIC_PROCESS_ANSWERED: return never_is_absent(p->answered_ms);
	case METRIC_PROCESS_BUSY: return p->busy;
	case METRIC_PROCESS_PROGRESS: return (int64_t)p->progress;
	default: break; /* all others are of another scope */
	}
	CANT_HAPPEN("a metric of processes that the board does not have");
}

static void give_processes(struct sink *k, enum metric m, const struct board *b)
{
	for (uint32_t i = 0; b != NULL && i < b->n; i++) {
		const struct board_process *p = &b->processes[i];
		char number[16];
		snprintf(number, sizeof number, "%u", (unsigned)p->instance);
		const struct view labels[] = { VIEW("process"), view_str(process_kind_name((enum process_kind)p->kind)), VIEW("number"),
					       view_str(number), { NULL, 0 } };
		give(k, m, labels, of_process(m, p));
	}
}

static void give_info(struct sink *k, struct view mta)
{
	const struct view info[] = { VIEW("mta"), mta, VIEW("version"), VIEW(POSTHORN_VERSION), { NULL, 0 } };
	if (mta.n > 0)
		give(k, METRIC_INFO, info, 1);
}

static void give_all(struct sink *k, const char *mta, const struct metrics *m, const struct board *board)
{
	const struct metric_set *set = m == NULL ? NULL : metrics_mta(m);
	const struct view none[] = { { NULL, 0 } };
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		k->has_begun = false;
		switch (metric_kinds[i].scope) {
		case METRIC_OF_MTA:
			if (i == METRIC_INFO)
				give_info(k, set != NULL ? set->v[i].words : view_str(mta));
			else if (set != NULL)
				give_value(k, (enum metric)i, (struct view){ NULL, 0 }, &set->v[i]);
			break;
		case METRIC_OF_LINK:
			for (size_t l = 0; set != NULL && l < metrics_links(m); l++)
				give_value(k, (enum metric)i, metrics_link(m, l)->link, &metrics_link(m, l)->v[i]);
			break;
		case METRIC_OF_PROCESS:
			give_processes(k, (enum metric)i, board);
			break;
		case METRIC_OF_SELF:
			give(k, (enum metric)i, none, set != NULL); /* there is but posthorn_up */
			break;
		}
	}
}

/* --- numbers and texts --- */

/* Seconds of a count of MS or US, exactly; others as they are. */
static void put_number(struct out *o, enum metric_unit unit, int64_t n)
{
	const uint64_t scale = unit == METRIC_MS ? 1000 : unit == METRIC_US ? 1000000 : 1, size = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
	char fraction[16];
	out_fmt(o, "%s%llu", n < 0 ? "-" : "", (unsigned long long)(size / scale));
	if (size % scale == 0)
		return;
	int digits = snprintf(fraction, sizeof fraction, "%0*llu", scale == 1000 ? 3 : 6, (unsigned long long)(size % scale));
	while (fraction[digits - 1] == '0')
		digits--;
	out_fmt(o, ".%.*s", digits, fraction);
}

/* UTF-8 must stay so; what is not printable ASCII in a text of ours is a peer's, and shown as ?. `"`, `\` and line ends are escaped the same
 * way in both formats. */
static void put_escaped(struct out *o, struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		const uint8_t c = v.p[i];
		if (c == '"' || c == '\\')
			out_u8(o, '\\');
		if (c == '\n')
			out_str(o, "\\n");
		else
			out_u8(o, c >= ' ' && c <= '~' ? c : '?');
	}
}

/* --- Prometheus --- */

static const char *prometheus_type(enum metric_type t)
{
	switch (t) {
	case METRIC_TOTAL:
	case METRIC_COUNTER: return "counter";
	case METRIC_GAUGE:
	case METRIC_STAMP:
	case METRIC_WORDS: return "gauge";
	case METRIC_HISTOGRAM: return "histogram";
	}
	CANT_HAPPEN("type of a metric");
}

/* In HELP only `\` and line ends are escaped: the table has neither (tested). */
static void text_begin(struct sink *k, enum metric m)
{
	const struct metric_kind *x = &metric_kinds[m];
	out_fmt(k->o, "# HELP %s %s", x->name, x->help);
	if (*x->rfc != 0 || *x->exchange != 0)
		out_fmt(k->o, " (%s%s%s%s)", *x->rfc == 0 ? "" : "RFC 2789 ", x->rfc, *x->rfc == 0 || *x->exchange == 0 ? "" : "; ", x->exchange);
	out_fmt(k->o, "\n# TYPE %s %s\n", x->name, prometheus_type(x->type));
}

static void put_sample(struct out *o, const char *name, const char *suffix, const struct view *labels, const char *bound)
{
	const char *before = "{";
	out_fmt(o, "%s%s", name, suffix);
	for (; labels[0].p != NULL; labels += 2, before = ",") {
		out_fmt(o, "%s%.*s=\"", before, (int)labels[0].n, (const char *)labels[0].p);
		put_escaped(o, labels[1]);
		out_u8(o, '"');
	}
	if (bound != NULL)
		out_fmt(o, "%sle=\"%s\"", before, bound);
	out_str(o, bound != NULL || *before == ',' ? "} " : " ");
}

static void text_number(struct sink *k, enum metric m, const struct view *labels, int64_t n)
{
	put_sample(k->o, metric_kinds[m].name, "", labels, NULL);
	put_number(k->o, metric_kinds[m].unit, n);
	out_u8(k->o, '\n');
}

static const char *bound_text(struct out *o, enum metric m, size_t bucket)
{
	out_clear(o);
	if (bucket == METRIC_BUCKETS)
		out_str(o, "+Inf");
	else
		put_number(o, metric_kinds[m].unit, (int64_t)metric_bounds(m)[bucket]);
	return out_cstr(o);
}

static void text_histogram(struct sink *k, enum metric m, const struct view *labels, const struct metric_histogram *h)
{
	struct out bound;
	uint64_t count = 0;
	out_init(&bound, 64);
	for (size_t i = 0; i <= METRIC_BUCKETS; i++) {
		count += h->n[i];
		put_sample(k->o, metric_kinds[m].name, "_bucket", labels, bound_text(&bound, m, i));
		out_fmt(k->o, "%llu\n", (unsigned long long)count);
	}
	put_sample(k->o, metric_kinds[m].name, "_sum", labels, NULL);
	put_number(k->o, metric_kinds[m].unit, (int64_t)h->sum);
	out_u8(k->o, '\n');
	put_sample(k->o, metric_kinds[m].name, "_count", labels, NULL);
	out_fmt(k->o, "%llu\n", (unsigned long long)count);
	out_fini(&bound);
}

void metrics_print(struct out *o, const char *mta, const struct metrics *m, const struct board *board)
{
	struct sink k = { .o = o, .begin = text_begin, .number = text_number, .histogram = text_histogram };
	give_all(&k, mta, m, board);
}

/* --- JSON --- */

static void json_begin(struct sink *k, enum metric m)
{
	(void)k, (void)m;
}

static void put_object(struct out *o, enum metric m, const struct view *labels)
{
	out_fmt(o, "{\"metric\":\"%s\"", metric_kinds[m].name);
	for (; labels[0].p != NULL; labels += 2) {
		out_fmt(o, ",\"%.*s\":\"", (int)labels[0].n, (const char *)labels[0].p);
		put_escaped(o, labels[1]);
		out_u8(o, '"');
	}
}

static void json_number(struct sink *k, enum metric m, const struct view *labels, int64_t n)
{
	put_object(k->o, m, labels);
	out_str(k->o, ",\"value\":");
	put_number(k->o, metric_kinds[m].unit, n);
	out_str(k->o, "}\n");
}

static void json_histogram(struct sink *k, enum metric m, const struct view *labels, const struct metric_histogram *h)
{
	struct out bound;
	uint64_t count = 0;
	out_init(&bound, 64);
	put_object(k->o, m, labels);
	out_str(k->o, ",\"buckets\":{");
	for (size_t i = 0; i <= METRIC_BUCKETS; i++) {
		count += h->n[i];
		out_fmt(k->o, "%s\"%s\":%llu", i == 0 ? "" : ",", bound_text(&bound, m, i), (unsigned long long)count);
	}
	out_fmt(k->o, "},\"count\":%llu,\"sum\":", (unsigned long long)count);
	put_number(k->o, metric_kinds[m].unit, (int64_t)h->sum);
	out_str(k->o, "}\n");
	out_fini(&bound);
}

void metrics_print_json(struct out *o, const char *mta, const struct metrics *m, const struct board *board)
{
	struct sink k = { .o = o, .begin = json_begin, .number = json_number, .histogram = json_histogram };
	give_all(&k, mta, m, board);
}

/* --- the manual --- */

static const char *labels_of(const struct metric_kind *k)
{
	switch (k->scope) {
	case METRIC_OF_MTA: return k->type == METRIC_WORDS ? "mta, version" : "";
	case METRIC_OF_LINK: return "link";
	case METRIC_OF_PROCESS: return "process, number";
	case METRIC_OF_SELF: return "";
	}
	CANT_HAPPEN("scope of a metric");
}

void metrics_manual(struct out *o)
{
	out_str(o, "| metric | type | labels | what | RFC 2789 | Exchange |\n| --- | --- | --- | --- | --- | --- |\n");
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		const struct metric_kind *k = &metric_kinds[i];
		const bool has_words = k->type == METRIC_WORDS && k->scope == METRIC_OF_LINK;
		out_fmt(o, "| `%s` | %s%s | %s%s%s | %s | %s%s%s | %s |\n", k->name, prometheus_type(k->type),
			k->type == METRIC_TOTAL || k->type == METRIC_STAMP ? ", durable" : "", labels_of(k),
			has_words ? ", " : "", has_words ? words_label(i) : "", k->help,
			*k->rfc == 0 ? "" : "`", k->rfc, *k->rfc == 0 ? "" : "`", k->exchange);
	}
}
