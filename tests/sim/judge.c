/* judge.c - what lies in the stores at the end, and what should. */
#include "sim_int.h"

#include "base/mem.h"

static struct letter *letter_of(struct sim *m, const struct store_loaded *loaded)
{
	char head[32];
	unsigned number;
	snprintf(head, sizeof head, "%.*s", (int)(loaded->content.n < 20 ? loaded->content.n : 20), (const char *)loaded->content.p);
	if (sscanf(head, "letter %u", &number) != 1 || number == 0 || number > LETTERS)
		return NULL;
	return &m->letters[number - 1];
}

static void count_report(struct sim *m, const struct store_loaded *loaded)
{
	struct out id;
	out_init(&id, 1000);
	mts_id_print(&loaded->m->subject_id, &id);
	for (unsigned i = 0; i < LETTERS; i++)
		if (strcmp(m->letters[i].id, out_cstr(&id)) == 0)
			m->letters[i].reports++;
	out_fini(&id);
}

struct mailboxes {
	struct sim *m;
	struct mta *t;
	struct store *s;
	struct arena *a;
	uint64_t found;
};

static void read_one(void *ctx, uint64_t id)
{
	struct mailboxes *b = ctx;
	struct sim *m = b->m;
	struct store_loaded loaded;
	struct err e;
	uint8_t head[20];
	size_t got;
	arena_reset(b->a);
	if (!store_load_delivery(b->s, id, &loaded, b->a, &e))
		return;
	b->found++;
	if (loaded.m->kind == MESSAGE_REPORT) {
		count_report(m, &loaded);
		return;
	}
	if (loaded.in_file && store_read_content(b->s, loaded.message, 0, head, sizeof head, &got, &e))
		loaded.content = view_of(head, got);
	struct letter *l = letter_of(m, &loaded);
	if (l == NULL || loaded.content_size != l->size)
		sim_fail(m, "mailbox %c holds a message that nobody sent", b->t->name);
	else if (b->t->index == 1)
		l->copies_b++;
	else
		l->copies_c++;
}

static void count_quarantine(struct mailboxes *b, uint64_t counted)
{
	uint64_t ids[200];
	struct store_quarantine q;
	struct err e;
	size_t n = store_quarantine_next(b->s, STORE_QUARANTINE_KEPT, 0, ids, ARRAY_LEN(ids));
	for (size_t i = 0; i < n; i++) {
		if (!store_load_quarantine(b->s, ids[i], &q, b->a, &e)) {
			sim_fail(b->m, "quarantine %c: %s", b->t->name, e.text);
			return;
		}
		b->m->octets += q.octets;
		b->m->quarantined += !q.octets;
	}
	if (n != counted)
		sim_fail(b->m, "quarantine %c: %llu counted, %zu are kept", b->t->name, (unsigned long long)counted, n);
}

static void read_mailboxes(struct sim *m, struct mta *t)
{
	const struct store_events none = { 0 };
	const struct store_config c = { .path = "sim", .inline_max = 64 * 1024 };
	struct err e;
	bool disturbed;
	struct mailboxes b = { .m = m, .t = t, .a = arena_new(256 << 20) };
	b.s = m->run.on_disk ? sim_disk_open(t->sqlite, sim_env(m->god), &none, NULL, &disturbed, &e)
			 : store_open_memory(sim_env(m->god), t->disk, &c, &none, NULL, &e);
	if (b.s == NULL) {
		sim_fail(m, "store %c cannot be opened at the end: %s", t->name, e.text);
		arena_free(&b.a);
		return;
	}
	struct store_counts counts;
	store_count(b.s, &counts);
	if (m->run.on_disk)
		sim_disk_deliveries(t->sqlite, read_one, &b);
	for (uint64_t id = 1; !m->run.on_disk && b.found < counts.deliveries && id < 1000000; id++)
		read_one(&b, id);
	if (b.found != counts.deliveries)
		sim_fail(m, "mailbox %c: %llu entries counted, %llu found", t->name, (unsigned long long)counts.deliveries,
		     (unsigned long long)b.found);
	count_quarantine(&b, counts.quarantined);
	store_close(&b.s);
	arena_free(&b.a);
	char why[200];
	if (!m->run.on_disk)
		return;
	sim_disk_closed(t->sqlite);
	if (!sim_disk_check(t->sqlite, sim_env(m->god), why, sizeof why))
		sim_fail(m, "store %c is not whole: %s", t->name, why);
}

static void judge_one(struct sim *m, const struct letter *l, const char *where, unsigned least, unsigned most, unsigned copies)
{
	if (copies < least)
		sim_fail(m, "letter %u (%s): acknowledged and lost, %s", l->number, l->id, where);
	if (copies > most)
		sim_fail(m, "letter %u (%s): %u copies, %s", l->number, l->id, copies, where);
}

static void judge_good(struct sim *m, const struct letter *l)
{
	judge_one(m, l, "mailbox b", l->to_b && l->accepted, l->to_b, l->copies_b);
	judge_one(m, l, "far mailbox", l->to_c && l->accepted, l->to_c, l->copies_c);
	if (l->accepted)
		judge_one(m, l, "report", l->to_nobody, l->to_nobody, l->reports);
}

/* Delivered to nobody. What was taken in is in quarantine, with a report; octets at B, where nobody knows whom to tell. */
static void judge_poison(struct sim *m, const struct letter *l, size_t *messages, size_t *octets)
{
	judge_one(m, l, "mailbox b", 0, 0, l->copies_b);
	judge_one(m, l, "far mailbox", 0, 0, l->copies_c);
	if (l->poison == POISON_PLACE && (!l->answered || l->accepted))
		sim_fail(m, "letter %u: poison for the switch was %s", l->number, l->accepted ? "accepted" : "not refused");
	if (l->poison == POISON_PLACE || l->poison == POISON_DECODE || !l->accepted) {
		*octets += l->poison == POISON_DECODE && l->accepted;
		return;
	}
	++*messages;
	judge_one(m, l, "report about poison", !m->mta[l->origin].lost_report, 1, l->reports);
}

/* One that was not acknowledged may have been taken in all the same, and octets whose confirmation was lost are there twice. */
void sim_judge(struct sim *m)
{
	size_t messages = 0, octets = 0, unanswered = 0, deadly = 0;
	for (unsigned i = 0; i < MTAS; i++)
		read_mailboxes(m, &m->mta[i]);
	for (unsigned i = 0; i < LETTERS; i++) {
		const struct letter *l = &m->letters[i];
		if (l->poison == POISON_NONE) {
			judge_good(m, l);
			continue;
		}
		judge_poison(m, l, &messages, &octets);
		unanswered += l->sent && !l->accepted;
		deadly += l->poison != POISON_FAILS;
	}
	if (m->quarantined < messages || m->quarantined > messages + unanswered)
		sim_fail(m, "%zu messages are in quarantine, %zu belong there", m->quarantined, messages);
	if (m->octets < octets)
		sim_fail(m, "octets of %zu inputs are in quarantine, %zu belong there", m->octets, octets);
	/* A strike is lost when the switch is killed before it is durable, or does not hear of the death. */
	if (m->poison_deaths > STRIKES * deadly + m->kills)
		sim_fail(m, "%zu poisonous letters have killed %u times", deadly, m->poison_deaths);
}
