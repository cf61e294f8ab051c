/* decode_transfer.c - see decode_stack.h. */
#include "proc/tool/decode_stack.h"

#include "base/mem.h"

void decode_transfer_begin(struct decode_transfer *t, struct view id)
{
	const struct view kept = view_first(id, sizeof t->id);
	t->open = true;
	t->headless = t->resumed = t->joined = t->gap = false;
	t->total = 0;
	t->pieces = t->checkpoints = 0;
	t->n_marks = 0;
	t->id_n = kept.n;
	if (kept.n > 0)
		memcpy(t->id, kept.p, kept.n);
	out_clear(&t->octets);
}

void decode_transfer_octets(struct decode_transfer *t, struct view v)
{
	if (!t->open) {
		decode_transfer_begin(t, (struct view){ NULL, 0 });
		t->headless = true;
	}
	t->pieces++;
	t->total += v.n;
	out_bytes(&t->octets, view_first(v, out_room(&t->octets)));
}

void decode_transfer_mark(struct decode_transfer *t, uint32_t serial)
{
	t->checkpoints++;
	if (t->n_marks == t->marks_cap) {
		t->marks_cap = t->marks_cap == 0 ? 16 : mem_mul(t->marks_cap, 2);
		t->marks = mem_grow(t->marks, mem_mul(t->marks_cap, sizeof *t->marks));
	}
	t->marks[t->n_marks++] = (struct decode_mark){ serial, out_len(&t->octets), t->pieces };
}

/* The marks up to and with `serial`; 0: it has none such. A number may come again after a resumption: the last counts. */
static size_t marks_to(const struct decode_transfer *t, uint32_t serial)
{
	for (size_t i = t->n_marks; i > 0; i--)
		if (t->marks[i - 1].serial == serial)
			return i;
	return 0;
}

/* Moves what is in `from`, whose memory ends here, to `t`. */
static void join(struct decode_transfer *t, struct decode_transfer *from, size_t marks)
{
	const size_t n = from->marks[marks - 1].offset;
	out_bytes(&t->octets, view_first(out_view(&from->octets), n < out_room(&t->octets) ? n : out_room(&t->octets)));
	t->total = n;
	t->gap = from->gap;
	for (size_t i = 0; i < marks; i++) {
		decode_transfer_mark(t, from->marks[i].serial);
		t->marks[i] = from->marks[i];
	}
	t->pieces = t->marks[marks - 1].pieces;
	t->joined = true;
	decode_transfer_fini(from);
}

void decode_transfer_resume(struct decode_transfer *t, struct decode_stash *stash, struct view id, struct view old_id,
			    uint32_t serial)
{
	decode_transfer_begin(t, id);
	t->resumed = true;
	for (size_t i = stash->n; i > 0; i--) {
		struct decode_transfer *old = &stash->v[i - 1];
		const size_t marks = view_eq(view_of(old->id, old->id_n), old_id) ? marks_to(old, serial) : 0;
		if (marks == 0)
			continue;
		join(t, old, marks);
		memmove(old, old + 1, (stash->n - i) * sizeof *old);
		stash->n--;
		return;
	}
}

void decode_transfer_close(struct decode_transfer *t, struct decode_stash *stash, bool keep)
{
	t->open = false;
	if (!keep || t->n_marks == 0) {
		out_clear(&t->octets);
		return;
	}
	if (stash->n == DECODE_STASHED_MAX) {
		decode_transfer_fini(&stash->v[0]);
		stash->n--;
		memmove(&stash->v[0], &stash->v[1], stash->n * sizeof stash->v[0]);
	}
	const size_t max = t->octets.max;
	stash->v[stash->n++] = *t;
	*t = (struct decode_transfer){ 0 };
	out_init(&t->octets, max);
}

void decode_transfer_fini(struct decode_transfer *t)
{
	out_fini(&t->octets);
	MEM_FREE(t->marks);
	*t = (struct decode_transfer){ 0 };
}

void decode_stash_fini(struct decode_stash *stash)
{
	for (size_t i = 0; i < stash->n; i++)
		decode_transfer_fini(&stash->v[i]);
	stash->n = 0;
}
