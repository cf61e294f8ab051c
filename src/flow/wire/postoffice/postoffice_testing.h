/* postoffice_testing.h - a real postoffice in a directory of its own, for tests: TEST/HOME with users ANN and BOB, an external postoffice TEST/AWAY, one
 * behind it (FAR/BEYOND), a gateway SMTP. The clock moves only by hand. */
#pragma once
#include "base/fault.h"
#include "base/mem.h"
#include "flow/wire/postoffice/po_int.h"

#include <ftw.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct testing_po {
	char dir[64], path[80];
	struct postoffice_host host;
	struct postoffice *po;
	struct arena *a;
	struct err e;
	wall_ms_t now;
	uint64_t random;
	unsigned lists, calls; /* notes */
	char note[128];        /* what is being done */
};

static void testing_note(void *ctx, const char *text)
{
	struct testing_po *t = ctx;
	t->calls += text[0] != 0;
	t->lists += strncmp(text, "postoffice list", 15) == 0;
	snprintf(t->note, sizeof t->note, "%s", text);
}
static wall_ms_t testing_now(void *ctx) { return ((struct testing_po *)ctx)->now; }
static uint64_t testing_random_u64(void *ctx)
{
	struct testing_po *t = ctx;
	return t->random = t->random * 6364136223846793005u + 1442695040888963407u;
}

/* A failure that is not expected says what it was. */
#define GOOD(x)                                                   \
	do {                                                      \
		if (!(x))                                         \
			fail_msg("%s: %s", #x, t->e.text);        \
	} while (0)
#define BAD(x, want_kind, want_culprit)                           \
	do {                                                      \
		if (x)                                            \
			fail_msg("%s: has not failed", #x);       \
		if (t->e.kind != (want_kind) || t->e.culprit != (want_culprit)) \
			fail_msg("%s: %s, %s: %s", #x, err_kind_name(t->e.kind), err_culprit_name(t->e.culprit), t->e.text); \
	} while (0)

static inline void testing_attach(struct testing_po *t, unsigned bits)
{
	postoffice_close(&t->po);
	GOOD(postoffice_open(t->path, bits, NULL, &t->host, &t->po, &t->e));
}

static inline struct mm_name testing_name(const char *text)
{
	struct mm_name n;
	struct err e;
	if (!mm_name_parse(view_str(text), &n, &e))
		fail_msg("%s", e.text);
	return n;
}

static inline int testing_setup(void **state)
{
	struct testing_po *t = mem_zero(sizeof *t);
	const struct mm_name own = testing_name("TEST/HOME"), away = testing_name("TEST/AWAY"), beyond = testing_name("FAR/BEYOND");
	const char *tmp = getenv("TMPDIR");
	const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; /* no test here cuts the power */
	snprintf(t->dir, sizeof t->dir, "%.40s/po.XXXXXX", tmp == NULL ? memory : tmp);
	assert_non_null(mkdtemp(t->dir));
	snprintf(t->path, sizeof t->path, "%s/MAILDATA", t->dir);
	t->now = 1000000000000;
	t->random = 1;
	t->a = arena_new(64 << 20);
	t->host = (struct postoffice_host){ .note = testing_note, .now = testing_now, .random = testing_random_u64, .ctx = t };
	GOOD(fault_plan(NULL, &t->e));
	GOOD(postoffice_create(t->path, &own, "11-11111", &t->host, &t->e));
	testing_attach(t, 0);
	GOOD(postoffice_add_user(t->po, "ANN", "Ann", &t->e));
	GOOD(postoffice_add_user(t->po, "BOB", "Bob", &t->e));
	GOOD(postoffice_add_external(t->po, &away, NULL, &t->e));
	GOOD(postoffice_add_external(t->po, &beyond, &away, &t->e));
	GOOD(postoffice_add_gateway(t->po, "SMTP", MM_NETWORK_FFAPI, NULL, &t->e));
	*state = t;
	return 0;
}

static inline int testing_remove(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return remove(path);
}

static inline int testing_teardown(void **state)
{
	struct testing_po *t = *state;
	postoffice_close(&t->po);
	arena_free(&t->a);
	nftw(t->dir, testing_remove, 16, FTW_DEPTH | FTW_PHYS);
	return fault_plan(NULL, &t->e) ? (free(t), 0) : 1;
}

static inline char *testing_path(struct testing_po *t, const char *rel)
{
	static char path[200];
	snprintf(path, sizeof path, "%s/%s", t->path, rel);
	return path;
}
static inline bool testing_is_there(struct testing_po *t, const char *rel) { return access(testing_path(t, rel), F_OK) == 0; }

static inline void testing_write(struct testing_po *t, const char *rel, const char *octets, size_t n)
{
	FILE *f = fopen(testing_path(t, rel), "w");
	assert_non_null(f);
	assert_int_equal(fwrite(octets, 1, n, f), n);
	fclose(f);
}

/* The file's time: so many hours ago, by the server's clock. */
static inline void testing_make_old(struct testing_po *t, const char *rel, long hours)
{
	struct timespec times[2];
	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= hours * 3600;
	times[1] = times[0];
	assert_int_equal(utimensat(AT_FDCWD, testing_path(t, rel), times, AT_SYMLINK_NOFOLLOW), 0);
}

/* Time goes by, at the server too. */
static inline void testing_pass(struct testing_po *t, wall_ms_t ms)
{
	t->now += ms;
	t->po->skew_ms -= ms;
}

static inline const char *testing_bag(struct testing_po *t, const char *who, char bag[9])
{
	const struct mm_name name = testing_name(who);
	struct mm_route r;
	GOOD(postoffice_route(t->po, &name, &r, &t->e));
	snprintf(bag, 9, "%s", r.mailbag);
	return bag;
}

static inline struct mm_header testing_header(const struct mm_id *id)
{
	return (struct mm_header){ .from = "ANN", .subject = "about it", .date = { 2001, 2, 3, 4, 5, 0 }, .mai = *id, .size = 77 };
}

/* A message to `who` with so many attachments of a few octets; in no bag yet. with_p1: UNREADY, its recipient in `bag`. */
static inline bool testing_put(struct testing_po *t, const char *who, unsigned attachments, unsigned bags, bool with_p1, const char *bag, struct mm_id *id_r)
{
	struct mm_attachment files[32] = { 0 };
	struct mm_address to = { .type = MM_ADDRESS_MS, .text = view_str(who) };
	struct mai m = { .hops = 10, .from = { .type = MM_ADDRESS_MS, .text = VIEW("TEST/HOME/ANN") }, .to = &to, .n_to = 1, .date = { 2001, 2, 3, 4, 5, 6 },
			 .subject = VIEW("about it"), .text = VIEW("the text\r\n"), .attachments = files, .n_attachments = attachments };
	struct po_put *p = NULL;
	struct out o;
	out_init(&o, 1 << 20);
	bool ok = postoffice_put_begin(t->po, &p, &t->e);
	for (unsigned i = 0; i < attachments && ok; i++) {
		struct mm_id att;
		char octets[40];
		const int n = snprintf(octets, sizeof octets, "contents of %u", i);
		files[i] = (struct mm_attachment){ .file = mm_id_of(i + 1), .name = VIEW("FILE.TXT"), .size = (uint64_t)n, .position = UINT32_MAX };
		ok = po_put_attachment(p, (uint64_t)n, &att, &t->e) && po_put_octets(p, view_of(octets, (size_t)n), &t->e);
	}
	ok = ok && mai_print(&m, &mm_scramble_none, &o, &t->e) && po_put_mai(p, out_view(&o), bags, &t->e);
	out_fini(&o);
	if (ok && with_p1) {
		struct mm_recipient r = { .address = to, .responsible = true, .reason = -1, .diagnostic = -1 };
		snprintf(r.bag, sizeof r.bag, "%s", bag == NULL ? "" : bag);
		const struct mm_envelope v = { .state = MM_UNREADY, .from = m.from, .recipients = &r, .n = 1, .date = m.date, .arrived = t->now };
		ok = po_put_envelope(p, &v, &t->e);
	}
	if (ok)
		*id_r = po_put_id(p);
	po_put_end(&p, ok);
	return ok;
}
