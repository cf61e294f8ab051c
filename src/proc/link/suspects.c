/* suspects.c - inputs that have struck are not decoded here, and what is being decoded or encoded is written down outside of
 * this process first, so that the item it dies of is known (last words: process.h). */
#include "proc/link/link_int.h"

#include "base/hash.h"

uint64_t suspects_hash(struct view head)
{
	const uint64_t h = hash_octets(HASH_START, head);
	return h == 0 ? 1 : h; /* 0 means all inputs of a link, and a peer can choose its octets */
}

static struct suspect *find(struct link *l, const struct set_link *k, uint64_t hash)
{
	for (size_t i = 0; i < l->n_suspects; i++)
		if (l->suspects[i].link == k && l->suspects[i].hash == hash)
			return &l->suspects[i];
	return NULL;
}

void suspects_set(struct link *l, const struct msg_suspect *m)
{
	const struct set_link *k = link_find(l, m->link);
	if (k == NULL)
		return; /* its strikes are older than the settings */
	struct suspect *s = find(l, k, m->hash);
	if (m->strikes == 0) {
		if (s != NULL)
			*s = l->suspects[--l->n_suspects];
		return;
	}
	if (s != NULL)
		return;
	if (l->n_suspects < SUSPECTS_MAX)
		s = &l->suspects[l->n_suspects++];
	else
		s = &l->suspects[l->oldest_suspect++ % SUSPECTS_MAX];
	*s = (struct suspect){ k, m->hash };
}

void suspects_forget(struct link *l, const struct set_link *k)
{
	for (size_t i = 0; i < l->n_suspects;)
		if (l->suspects[i].link == k)
			l->suspects[i] = l->suspects[--l->n_suspects];
		else
			i++;
}

bool suspects_has(const struct link *l, const char *name, uint64_t hash)
{
	for (size_t i = 0; i < l->n_suspects; i++) {
		const struct suspect *s = &l->suspects[i];
		if ((s->hash == hash || s->hash == 0) && strcmp(s->link->name, name) == 0)
			return true;
	}
	return false;
}

/* --- the note --- */

static bool is_new(struct link *l, const struct note *n)
{
	if (l->host.note == NULL || (l->note.kind == n->kind && l->note.id == n->id && l->note.name == n->name))
		return false;
	l->note = *n;
	return true;
}

void note_input(struct link *l, const char *name, uint64_t hash)
{
	char text[128];
	if (!is_new(l, &(struct note){ NOTE_INPUT, name, hash }))
		return;
	snprintf(text, sizeof text, "input %s %016llx", name, (unsigned long long)hash);
	l->host.note(l->host.ctx, text);
}

void note_transfer(struct link *l, uint64_t stored)
{
	char text[64];
	if (!is_new(l, &(struct note){ NOTE_TRANSFER, NULL, stored }))
		return;
	snprintf(text, sizeof text, "transfer %llu", (unsigned long long)stored);
	l->host.note(l->host.ctx, text);
}

void note_nothing(struct link *l)
{
	if (is_new(l, &(struct note){ NOTE_NOTHING, NULL, 0 }))
		l->host.note(l->host.ctx, "");
}
