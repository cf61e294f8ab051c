/* strikes.c - durable counts by name, few of them: strikes of records, and what an archive that cannot be written has given. A line is
 * "COUNT NAME"; the last one of a name holds. */
#include "proc/interchange/interchange_int.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

struct entry {
	struct entry *next; /* of the same hash */
	unsigned count;
	char name[];
};

struct tally {
	struct journal *journal;
	struct map by_name;
};

static struct entry *find(const struct tally *t, const char *name)
{
	for (struct entry *y = map_get(&t->by_name, hash_octets(HASH_START, view_str(name))); y != NULL; y = y->next)
		if (strcmp(y->name, name) == 0)
			return y;
	return NULL;
}

static void set(struct tally *t, const char *name, unsigned count)
{
	struct entry *y = find(t, name);
	if (y == NULL) {
		const uint64_t hash = hash_octets(HASH_START, view_str(name));
		y = mem_zero(sizeof *y + strlen(name) + 1);
		memcpy(y->name, name, strlen(name) + 1);
		y->next = map_take(&t->by_name, hash);
		map_put(&t->by_name, hash, y);
	}
	y->count = count;
}

static bool on_line(void *ctx, struct view line, uint64_t at)
{
	struct tally *t = ctx;
	char name[512];
	uint64_t count;
	(void)at;
	const uint8_t *blank = line.n == 0 ? NULL : memchr(line.p, ' ', line.n);
	if (blank == NULL || !text_uint(view_first(line, (size_t)(blank - line.p)), UINT32_MAX, &count))
		return false;
	snprintf(name, sizeof name, "%.*s", (int)(line.n - (size_t)(blank - line.p) - 1), (const char *)blank + 1);
	set(t, name, (unsigned)count);
	return false;
}

static bool write_line(struct tally *t, const char *name, unsigned count, struct err *e)
{
	char line[540];
	snprintf(line, sizeof line, "%u %.500s", count, name);
	for (char *c = line; *c != 0; c++)
		*c = *c == '\n' ? '?' : *c;
	return journal_append(t->journal, view_str(line), NULL, e);
}

bool tally_open(struct interchange *x, const char *name, struct tally **t_r, struct err *e)
{
	struct tally *t = mem_zero(sizeof *t);
	unsigned damaged = 0;
	char count[12];
	bool ok = journal_open(x->host.env, x->folder, name, on_line, t, &t->journal, &damaged, e);
	size_t i = 0;
	for (struct entry *first; ok && (first = map_next(&t->by_name, &i)) != NULL;)
		for (struct entry *y = first; ok && y != NULL; y = y->next)
			ok = y->count == 0 || write_line(t, y->name, y->count, e);
	if (!ok) {
		tally_close(&t);
		return false;
	}
	snprintf(count, sizeof count, "%u", damaged);
	if (damaged > 0)
		EMIT(&x->host, INTERCHANGE_LOST, "link", x->link->name, "journal", name, "lines", count);
	journal_sync(t->journal, NULL, NULL);
	*t_r = t;
	return true;
}

void tally_close(struct tally **tp)
{
	struct tally *t = *tp;
	if (t == NULL)
		return;
	size_t i = 0;
	for (struct entry *y; (y = map_next(&t->by_name, &i)) != NULL;)
		for (struct entry *next; y != NULL; y = next) {
			next = y->next;
			free(y);
		}
	map_fini(&t->by_name);
	journal_close(&t->journal);
	MEM_FREE(*tp);
}

unsigned tally_of(const struct tally *t, const char *name)
{
	const struct entry *y = find(t, name);
	return y == NULL ? 0 : y->count;
}

bool tally_set(struct tally *t, const char *name, unsigned count, struct err *e)
{
	if (count == tally_of(t, name))
		return true;
	set(t, name, count);
	return write_line(t, name, count, e);
}

void tally_sync(struct tally *t, file_done_f *done, void *ctx)
{
	journal_sync(t->journal, done, ctx);
}

bool tally_is_broken(const struct tally *t)
{
	return journal_is_broken(t->journal);
}
