/* salvage_pages.c - see salvage_pages.h. */
#include "flow/store/salvage_pages.h"

#include "base/cur.h"
#include "base/mem.h"

enum {
	LOG_HEADER = 32,
	FRAME_HEADER = 24,
	FRAME = FRAME_HEADER + PAGE_OCTETS,
	LOG_MAGIC = 0x377f0682, /* the last bit: checksums of big-endian words */
	LOG_VERSION = 3007000,
};

struct source { /* a file, or octets in memory */
	struct file *file;
	struct view octets;
	uint64_t size;
};

struct place {
	uint32_t page, frame; /* frame: from 0 */
};

struct pages {
	unsigned magic;
#define PAGES_MAGIC 0x9a9e5000u
	struct source db, log;
	struct place *places; /* by page: the newest frame of each */
	size_t n_places;
	uint64_t count;
	struct pages_log said;
};

static bool source_read(const struct source *s, uint64_t at, uint8_t *buf, size_t n, size_t *got_r)
{
	if (s->file != NULL)
		return file_read(s->file, at, buf, n, got_r, NULL);
	const struct view part = view_first(at > s->octets.n ? (struct view){NULL, 0} : view_from(s->octets, (size_t)at), n);
	if (part.n > 0)
		memcpy(buf, part.p, part.n);
	*got_r = part.n;
	return true;
}

static bool source_get(const struct source *s, uint64_t at, uint8_t *buf, size_t n)
{
	size_t got;
	return source_read(s, at, buf, n, &got) && got == n;
}

/* The length, by halving: env.h has no question for it. A sector that cannot be read counts as there. */
static uint64_t file_length(struct file *f)
{
	uint8_t octet;
	size_t got = 0;
	uint64_t low = 0, high = 1; /* octet low - 1 is there, octet high - 1 is not */
	while (high < UINT64_C(1) << 62 && (!file_read(f, high - 1, &octet, 1, &got, NULL) || got == 1)) {
		low = high;
		high *= 2;
	}
	while (high - low > 1) {
		const uint64_t middle = low + (high - low) / 2;
		if (!file_read(f, middle - 1, &octet, 1, &got, NULL) || got == 1)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* --- the log --- */
struct sum {
	uint32_t a, b;
};

static struct sum sum_of(struct sum s, const uint8_t *p, size_t n, bool big)
{
	for (size_t i = 0; i + 8 <= n; i += 8) {
		uint32_t x[2];
		for (unsigned k = 0; k < 2; k++) {
			const uint8_t *w = p + i + (size_t)4 * k;
			x[k] = big ? (uint32_t)w[0] << 24 | (uint32_t)w[1] << 16 | (uint32_t)w[2] << 8 | w[3]
				   : (uint32_t)w[3] << 24 | (uint32_t)w[2] << 16 | (uint32_t)w[1] << 8 | w[0];
		}
		s.a += x[0] + s.b;
		s.b += x[1] + s.a;
	}
	return s;
}

struct log_state {
	struct sum sum;
	uint32_t salt[2];
	bool big;
	uint64_t database; /* pages, by the last commit */
	struct place *all;
	size_t n, cap, committed;
};

static bool log_header(struct pages *p, struct log_state *l)
{
	uint8_t header[LOG_HEADER];
	if (!source_get(&p->log, 0, header, sizeof header))
		return false;
	struct cur c = cur_of(view_of(header, sizeof header));
	const uint32_t magic = cur_u32(&c), version = cur_u32(&c), page = cur_u32(&c);
	(void)cur_u32(&c); /* how often it was begun anew */
	l->salt[0] = cur_u32(&c);
	l->salt[1] = cur_u32(&c);
	l->big = (magic & 1) != 0;
	l->sum = sum_of((struct sum){0, 0}, header, 24, l->big);
	return (magic & ~1u) == LOG_MAGIC && version == LOG_VERSION && page == PAGE_OCTETS && cur_u32(&c) == l->sum.a &&
	       cur_u32(&c) == l->sum.b;
}

static void log_add(struct log_state *l, uint32_t page, uint64_t frame)
{
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 1024 : mem_mul(l->cap, 2);
		l->all = mem_grow(l->all, mem_mul(l->cap, sizeof *l->all));
	}
	l->all[l->n++] = (struct place){page, (uint32_t)frame};
}

/* True: this frame follows the one before. *ours_r: it is of this log's life, whole or not. */
static bool log_frame(struct pages *p, struct log_state *l, uint64_t frame, uint32_t *page_r, uint32_t *commit_r, bool *ours_r)
{
	uint8_t octets[FRAME];
	*ours_r = false;
	if (!source_get(&p->log, LOG_HEADER + frame * FRAME, octets, sizeof octets))
		return false;
	struct cur c = cur_of(view_of(octets, FRAME_HEADER));
	*page_r = cur_u32(&c);
	*commit_r = cur_u32(&c);
	*ours_r = cur_u32(&c) == l->salt[0];
	*ours_r = (cur_u32(&c) == l->salt[1]) && *ours_r;
	const struct sum want = sum_of(sum_of(l->sum, octets, 8, l->big), octets + FRAME_HEADER, PAGE_OCTETS, l->big);
	if (!*ours_r || *page_r == 0 || cur_u32(&c) != want.a || cur_u32(&c) != want.b)
		return false;
	l->sum = want;
	return true;
}

static int place_cmp(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->page != y->page)
		return x->page < y->page ? -1 : 1;
	return x->frame > y->frame ? -1 : x->frame < y->frame; /* the newest first */
}

static void log_keep(struct pages *p, struct log_state *l)
{
	size_t n = 0;
	if (l->committed > 0)
		qsort(l->all, l->committed, sizeof *l->all, place_cmp);
	for (size_t i = 0; i < l->committed; i++)
		if (n == 0 || l->all[n - 1].page != l->all[i].page)
			l->all[n++] = l->all[i];
	p->places = l->all;
	p->n_places = n;
}

static void log_read(struct pages *p)
{
	struct log_state l = {0};
	p->said.present = p->log.size > 0;
	p->said.frames = p->log.size < LOG_HEADER ? 0 : (p->log.size - LOG_HEADER) / FRAME;
	if (p->said.frames == 0)
		return;
	if (!log_header(p, &l)) {
		p->said.header_bad = true;
		return;
	}
	uint32_t page, commit;
	bool ours;
	uint64_t frame = 0;
	for (; frame < p->said.frames && frame < UINT32_MAX && log_frame(p, &l, frame, &page, &commit, &ours); frame++) {
		log_add(&l, page, frame);
		if (commit == 0)
			continue;
		l.committed = l.n;
		l.database = commit;
		p->said.used = frame + 1;
	}
	for (frame++; frame < p->said.frames; frame++) {
		(void)!log_frame(p, &l, frame, &page, &commit, &ours);
		p->said.lost += ours;
	}
	log_keep(p, &l);
	const uint64_t most = p->count + p->said.frames; /* no more can be anywhere */
	if (l.database > p->count)
		p->count = l.database < most ? l.database : most;
}

/* --- pages --- */
static void start(struct pages *p)
{
	p->magic = PAGES_MAGIC;
	p->count = p->db.size / PAGE_OCTETS + (p->db.size % PAGE_OCTETS != 0);
	log_read(p);
}

struct pages *pages_open(struct env *env, const char *name, struct err *e)
{
	struct file *file = env_file_open(env, name, e);
	if (file == NULL)
		return NULL;
	struct pages *p = mem_zero(sizeof *p);
	struct out log;
	out_init(&log, 1 << 16);
	out_fmt(&log, "%s-wal", name);
	p->db = (struct source){.file = file, .size = file_length(file)};
	p->log.file = env_file_open(env, out_cstr(&log), NULL); /* none: all is in the file */
	p->log.size = p->log.file == NULL ? 0 : file_length(p->log.file);
	out_fini(&log);
	start(p);
	return p;
}

struct pages *pages_of(struct view file, struct view log)
{
	struct pages *p = mem_zero(sizeof *p);
	p->db = (struct source){.octets = file, .size = file.n};
	p->log = (struct source){.octets = log, .size = log.n};
	start(p);
	return p;
}

void pages_close(struct pages **p)
{
	if (*p == NULL)
		return;
	CHECK(*p, PAGES_MAGIC);
	(*p)->magic = 0;
	file_close(&(*p)->db.file);
	file_close(&(*p)->log.file);
	free((*p)->places);
	MEM_FREE(*p);
}

uint64_t pages_count(const struct pages *p)
{
	CHECK(p, PAGES_MAGIC);
	return p->count;
}

uint64_t pages_octets(const struct pages *p)
{
	CHECK(p, PAGES_MAGIC);
	return p->db.size;
}

const struct pages_log *pages_log(const struct pages *p)
{
	CHECK(p, PAGES_MAGIC);
	return &p->said;
}

/* NULL: the page is in the file. */
static const struct place *place_of(const struct pages *p, uint64_t no)
{
	size_t low = 0, high = p->n_places;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (p->places[middle].page == no)
			return &p->places[middle];
		if (p->places[middle].page < no)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool pages_get(const struct pages *p, uint64_t no, uint8_t buf[PAGE_OCTETS])
{
	CHECK(p, PAGES_MAGIC);
	if (no == 0 || no > p->count)
		return false;
	const struct place *in_log = place_of(p, no);
	if (in_log != NULL)
		return source_get(&p->log, LOG_HEADER + (uint64_t)in_log->frame * FRAME + FRAME_HEADER, buf, PAGE_OCTETS);
	size_t got = 0;
	if (!source_read(&p->db, (no - 1) * PAGE_OCTETS, buf, PAGE_OCTETS, &got) || got == 0)
		return false;
	memset(buf + got, 0, PAGE_OCTETS - got);
	return true;
}
