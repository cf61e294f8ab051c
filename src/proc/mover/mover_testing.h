/* mover_testing.h - three real postoffices in a directory of their own and the movers between them, in a world of fake time:
 *
 *     NET/ALPHA (ANN, AMY) <-> NET/HUB (HAL, HEN) <-> NET/BETA (BOB, BEA)        ALPHA and BETA reach each other through HUB */
#pragma once
#include "base/fault.h"
#include "base/mem.h"
#include "flow/wire/postoffice/mail.h"
#include "proc/mover/mover.h"
#include "sys/fake_env.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ALPHA, HUB, BETA, OFFICES };
enum { ALPHA_MAILER, HUB_MAILER, BETA_MAILER, ALPHA_HUB, HUB_ALPHA, HUB_BETA, BETA_HUB, MOVERS };
static const char *const testing_offices[OFFICES] = { "ALPHA", "HUB", "BETA" };

struct world {
	char dir[64], store[80], paths[OFFICES][100];
	struct env *env;
	struct actor_host host;
	struct postoffice_host files;
	struct postoffice *po[OFFICES]; /* the users' and the judge's, not the movers' */
	struct set_mover set[OFFICES];
	struct mover *mover[MOVERS];
	struct arena *a;
	struct err e;
	int events;                     /* a file of lines of JSON */
	char note[100];                 /* the last one */
};

#define OK(x)                                              \
	do {                                               \
		if (!(x))                                  \
			fail_msg("%s: %s", #x, w->e.text); \
	} while (0)

static inline struct mm_name testing_name(const char *text)
{
	struct mm_name n;
	struct err e;
	if (!mm_name_parse(view_str(text), &n, &e))
		fail_msg("%s", e.text);
	return n;
}

static inline wall_ms_t testing_now(void *ctx) { return env_wall_ms(((struct world *)ctx)->env); }
static inline uint64_t testing_random(void *ctx) { return env_random(((struct world *)ctx)->env); }
static inline void testing_note(void *ctx, const char *text)
{
	struct world *w = ctx;
	snprintf(w->note, sizeof w->note, "%s", text);
}

static inline void testing_attach(struct world *w, int i)
{
	postoffice_close(&w->po[i]);
	OK(postoffice_open(w->paths[i], 0, &mm_scramble_none, &w->files, &w->po[i], &w->e));
}

static inline void testing_create(struct world *w, int i, const char *name, const char *serial, const char *user, const char *other)
{
	const struct mm_name own = testing_name(name);
	OK(postoffice_create(w->paths[i], &own, serial, &w->files, &w->e));
	testing_attach(w, i);
	OK(postoffice_add_user(w->po[i], user, NULL, &w->e));
	OK(postoffice_add_user(w->po[i], other, NULL, &w->e));
}

static inline void testing_external(struct world *w, int i, const char *other, const char *via)
{
	const struct mm_name name = testing_name(other), hop = via == NULL ? name : testing_name(via);
	OK(postoffice_add_external(w->po[i], &name, via == NULL ? NULL : &hop, &w->e));
}

static inline void testing_settings(struct world *w, int i)
{
	w->set[i] = (struct set_mover){ .name = testing_offices[i], .postoffice = w->paths[i], .mailer = true, .dispatch = true, .interval_ms = 300000, .quota = 50,
					.notify = true, .retries = 3, .give_up_ms = 24 * 3600 * 1000, .scramble = "none", .zone = "+00:00",
					.lock_patience_ms = 60000 };
}

/* A directory for a world, made. */
static inline void testing_directory(char dir_r[64])
{
	const char *tmp = getenv("TMPDIR"), *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; /* these tests sync a lot */
	snprintf(dir_r, 64, "%.40s/mover.XXXXXX", tmp == NULL ? memory : tmp);
	assert_non_null(mkdtemp(dir_r));
	assert_int_equal(chmod(dir_r, 0755), 0);
}

/* Time, settings, events; the postoffices are there, or are made by the caller. */
static inline struct world *testing_world_in(const char *dir)
{
	struct world *w = mem_zero(sizeof *w);
	char log[100];
	snprintf(w->dir, sizeof w->dir, "%s", dir);
	snprintf(w->store, sizeof w->store, "%s/store", dir);
	assert_true(mkdir(w->store, 0777) == 0 || errno == EEXIST);
	snprintf(log, sizeof log, "%s/events", dir);
	w->events = open(log, O_RDWR | O_CREAT | O_APPEND, 0666);
	w->env = fake_env_new();
	w->a = arena_new(64 << 20);
	w->host = (struct actor_host){ .env = w->env, .note = testing_note, .ctx = w };
	w->host.log = event_log_new(w->env, event_kinds, EVENT_KINDS, "mover", w->events, true);
	event_log_set_level(w->host.log, EVENT_DEBUG);
	w->files = (struct postoffice_host){ .now = testing_now, .random = testing_random, .ctx = w };
	OK(fault_plan(NULL, &w->e));
	for (int i = 0; i < OFFICES; i++) {
		snprintf(w->paths[i], sizeof w->paths[i], "%s/%s", dir, testing_offices[i]);
		testing_settings(w, i);
	}
	return w;
}

/* Without movers yet. */
static inline struct world *testing_world(void)
{
	char dir[64];
	testing_directory(dir);
	struct world *w = testing_world_in(dir);
	testing_create(w, ALPHA, "NET/ALPHA", "10-00001", "ANN", "AMY");
	testing_create(w, HUB, "NET/HUB", "10-00002", "HAL", "HEN");
	testing_create(w, BETA, "NET/BETA", "10-00003", "BOB", "BEA");
	testing_external(w, ALPHA, "NET/HUB", NULL);
	testing_external(w, ALPHA, "NET/BETA", "NET/HUB");
	testing_external(w, HUB, "NET/ALPHA", NULL);
	testing_external(w, HUB, "NET/BETA", NULL);
	testing_external(w, BETA, "NET/HUB", NULL);
	testing_external(w, BETA, "NET/ALPHA", "NET/HUB");
	return w;
}

static inline void testing_start(struct world *w, int which)
{
	static const int home[MOVERS] = { ALPHA, HUB, BETA, ALPHA, HUB, HUB, BETA };
	static const int peer[MOVERS] = { -1, -1, -1, HUB, ALPHA, BETA, HUB };
	w->mover[which] = mover_new(&w->host, &w->set[home[which]], peer[which] < 0 ? NULL : w->paths[peer[which]], w->store, 3);
}

static inline void testing_start_all(struct world *w)
{
	for (int i = 0; i < MOVERS; i++)
		testing_start(w, i);
}

static inline void testing_stop_all(struct world *w)
{
	for (int i = 0; i < MOVERS; i++)
		mover_free(&w->mover[i]);
}

/* Rounds of everybody until mail has had time to get anywhere. Nothing waits for the interval. */
static inline void testing_run(struct world *w)
{
	for (int i = 0; i < 8; i++) {
		for (int k = 0; k < MOVERS; k++)
			if (w->mover[k] != NULL)
				mover_wake(w->mover[k]);
		fake_env_settle(w->env);
	}
}

static inline int testing_remove(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return remove(path);
}

static inline void testing_end(struct world **at)
{
	struct world *w = *at;
	testing_stop_all(w);
	for (int i = 0; i < OFFICES; i++)
		postoffice_close(&w->po[i]);
	event_log_free(&w->host.log);
	fake_env_free(&w->env);
	arena_free(&w->a);
	close(w->events);
	nftw(w->dir, testing_remove, 16, FTW_DEPTH | FTW_PHYS);
	OK(fault_plan(NULL, &w->e));
	free(w);
	*at = NULL;
}

/* --- events --- */

/* How many events of that name there were; with `text` in their line, if any. */
static inline unsigned testing_events(struct world *w, const char *name, const char *text)
{
	char path[100], line[5000], want[100];
	unsigned n = 0;
	snprintf(path, sizeof path, "%s/events", w->dir);
	snprintf(want, sizeof want, "\"%s\"", name);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL)
		n += strstr(line, want) != NULL && (text == NULL || strstr(line, text) != NULL);
	fclose(f);
	return n;
}

/* --- a client --- */

struct letter {
	int office;
	const char *from, *to, *cc; /* names with blanks between */
	const char *subject, *text;
	const size_t *attachments;  /* sizes; ended by SIZE_MAX. NULL: none */
};

static inline size_t testing_addresses(struct world *w, const char *names, struct mm_address *list)
{
	size_t n = 0;
	while (names != NULL && *names != 0) {
		const size_t len = strcspn(names, " ");
		list[n++] = (struct mm_address){ .type = MM_ADDRESS_MS, .text = arena_copy(w->a, view_of(names, len)) };
		names += len + (names[len] == ' ');
	}
	return n;
}

/* Octet i of attachment k. */
static inline uint8_t testing_octet(size_t k, size_t i) { return (uint8_t)(i * 7 + i / 251 + k); }

static inline void testing_put_attachment(struct world *w, struct po_put *p, size_t k, size_t size)
{
	uint8_t *octets = mem_alloc(size);
	struct mm_id id;
	for (size_t i = 0; i < size; i++)
		octets[i] = testing_octet(k, i);
	OK(po_put_attachment(p, size, &id, &w->e));
	OK(size == 0 || po_put_octets(p, view_of(octets, size), &w->e));
	free(octets);
}

/* As a client does: MAI and attachments, then a header into each bag involved. */
static inline struct mm_id testing_send(struct world *w, const struct letter *l)
{
	struct postoffice *po = w->po[l->office];
	struct mm_address *to = arena_array(w->a, 40, sizeof *to), *cc = arena_array(w->a, 40, sizeof *cc);
	struct mm_attachment *files = arena_array(w->a, 21, sizeof *files);
	struct mai m = { .hops = 10, .from = { .type = MM_ADDRESS_MS, .text = view_str(l->from) }, .to = to, .cc = cc, .date = { 1999, 12, 31, 23, 59, 0 },
			 .subject = view_str(l->subject), .text = view_str(l->text), .attachments = files, .priority = '3' };
	struct po_put *p;
	struct out o;
	char bags[40][9];
	unsigned n = 0;
	m.n_to = testing_addresses(w, l->to, to);
	m.n_cc = testing_addresses(w, l->cc, cc);
	for (; l->attachments != NULL && l->attachments[m.n_attachments] != SIZE_MAX; m.n_attachments++)
		files[m.n_attachments] = (struct mm_attachment){ .file = mm_id_of(1), .name = VIEW("A.TXT"), .size = l->attachments[m.n_attachments], .position = UINT32_MAX };
	for (size_t i = 0; i < m.n_to + m.n_cc; i++) {
		struct mm_name name;
		struct mm_route r;
		bool is_new = true;
		OK(mm_name_parse(i < m.n_to ? to[i].text : cc[i - m.n_to].text, &name, &w->e));
		OK(postoffice_route(po, &name, &r, &w->e));
		if (r.where != MM_LOCAL_USER && r.where != MM_OUTBOUND)
			continue; /* as a client that knows its address list */
		for (unsigned k = 0; k < n; k++)
			is_new &= strcmp(bags[k], r.mailbag) != 0;
		if (is_new)
			memcpy(bags[n++], r.mailbag, 9);
	}
	OK(postoffice_put_begin(po, &p, &w->e));
	for (size_t i = 0; i < m.n_attachments; i++)
		testing_put_attachment(w, p, i, l->attachments[i]);
	out_init(&o, 64 << 20);
	OK(mai_print(&m, &mm_scramble_none, &o, &w->e));
	OK(po_put_mai(p, out_view(&o), n, &w->e));
	const struct mm_id id = po_put_id(p);
	po_put_end(&p, true);
	struct mm_header h = { .date = m.date, .mai = id, .size = (uint32_t)out_len(&o), .word_88 = 0x18, .priority = '3' };
	const struct mm_name from = testing_name(l->from);
	snprintf(h.from, sizeof h.from, "%s", from.mailbox);
	snprintf(h.subject, sizeof h.subject, "%s", l->subject);
	for (unsigned i = 0; i < n; i++)
		OK(postoffice_deliver(po, bags[i], &h, &w->e));
	out_fini(&o);
	return id;
}
static inline struct mm_id testing_write(struct world *w, const char *from, const char *to, const char *subject)
{
	const struct letter l = { .office = strncmp(from, "NET/ALPHA", 9) == 0 ? ALPHA : strncmp(from, "NET/HUB", 7) == 0 ? HUB : BETA, .from = from, .to = to,
				  .subject = subject, .text = "the text\r\n" };
	return testing_send(w, &l);
}

/* --- a judge --- */

static inline void testing_bag_of(struct world *w, int office, const char *who, char bag_r[9])
{
	const struct mm_name name = testing_name(who);
	struct mm_route r;
	OK(postoffice_route(w->po[office], &name, &r, &w->e));
	assert_true(r.where == MM_LOCAL_USER || r.where == MM_OUTBOUND);
	memcpy(bag_r, r.mailbag, 9);
}

/* Live records of a bag; with that subject, if any. *last_r: the last one of these. */
static inline unsigned testing_records(struct world *w, int office, const char *bag, const char *subject, struct mm_header *last_r)
{
	struct po_bag_entry *entries = mem_alloc(MM_BAG_RECORDS * sizeof *entries);
	unsigned n = 0, live, found = 0;
	OK(postoffice_bag(w->po[office], bag, MM_BAG_RECORDS, entries, &n, &live, &w->e));
	for (unsigned i = 0; i < n; i++)
		if (subject == NULL || strcmp(entries[i].header.subject, subject) == 0) {
			found++;
			if (last_r != NULL)
				*last_r = entries[i].header;
		}
	free(entries);
	return found;
}

/* What lies in that user's mailbag: name is NET/PO/MBX. */
static inline unsigned testing_got(struct world *w, const char *who, const char *subject, struct mm_header *last_r)
{
	char bag[9];
	const int office = strncmp(who, "NET/ALPHA", 9) == 0 ? ALPHA : strncmp(who, "NET/HUB", 7) == 0 ? HUB : BETA;
	testing_bag_of(w, office, who, bag);
	return testing_records(w, office, bag, subject, last_r);
}

/* Views live as long as the world. */
static inline struct mai testing_read(struct world *w, int office, const struct mm_id *id)
{
	const struct mai_limits limits = mai_limits_default();
	struct mai m;
	struct out o;
	out_init(&o, 64 << 20);
	OK(postoffice_read_mai(w->po[office], id, 64 << 20, &o, &w->e));
	OK(mai_parse(arena_copy(w->a, out_view(&o)), &mm_scramble_none, &m, w->a, &limits, &w->e));
	out_fini(&o);
	return m;
}

static inline void testing_check_attachment(struct world *w, int office, const struct mai *m, size_t k, size_t size)
{
	struct po_file *f;
	uint64_t found;
	uint8_t *octets = mem_alloc(size + 1);
	size_t got;
	OK(postoffice_open_attachment(w->po[office], &m->attachments[k].file, &f, &found, &w->e));
	assert_int_equal(found, size);
	OK(po_file_read(f, octets, size + 1, &got, &w->e));
	assert_int_equal(got, size);
	for (size_t i = 0; i < size; i++)
		if (octets[i] != testing_octet(k, i))
			fail_msg("attachment %zu differs at octet %zu", k, i);
	po_file_close(&f);
	free(octets);
}

/* Files of messages in a postoffice: names of 8 digits in MAI, ATT, P1. */
static unsigned testing_counted;
static inline int testing_count(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	const char *dot = strrchr(path, '.');
	(void)st, (void)f;
	testing_counted += flag == FTW_F && dot != NULL && (strcasecmp(dot, ".MAI") == 0 || strcasecmp(dot, ".ATT") == 0 || strcasecmp(dot, ".P1") == 0);
	return 0;
}
static inline unsigned testing_files(struct world *w, int office)
{
	testing_counted = 0;
	nftw(w->paths[office], testing_count, 16, FTW_PHYS);
	return testing_counted;
}
