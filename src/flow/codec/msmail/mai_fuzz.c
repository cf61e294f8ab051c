/* mai_fuzz.c - what can be read can be written, and is read the same again; the small looks and patches agree with the reader. */
#include "base/mem.h"
#include "flow/codec/msmail/mai.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void patches(struct view file, const struct mai *m, struct arena *a, const struct mai_limits *l)
{
	struct err e;
	struct mai got;
	struct mm_id *ids = arena_array(a, m->n_attachments, sizeof *ids);
	for (size_t i = 0; i < m->n_attachments; i++)
		ids[i] = mm_id_of((uint32_t)i);
	uint8_t *copy = mem_dup(file.p, file.n);
	assert(mai_rename_attachments(copy, file.n, &mm_scramble_none, ids, m->n_attachments, &e));
	assert(mai_parse(view_of(copy, file.n), &mm_scramble_none, &got, a, l, &e));
	for (size_t i = 0; i < m->n_attachments; i++)
		assert(strcmp(got.attachments[i].file.s, ids[i].s) == 0);
	uint16_t bags;
	size_t at;
	assert(mai_bags(file, &bags, &at, &e) && bags == m->bags);
	free(copy);
}

/* The look at attachments alone, with no more octets than it asks for, finds what the reader has found. */
static void look(struct view file, const struct mai *m)
{
	struct mai_files f = mai_files_of(file.n);
	struct mm_id id;
	enum step step;
	struct err e;
	size_t n = 0;
	while ((step = mai_files_next(&f, view_first(view_from(file, (size_t)f.at), MAI_FILES_PIECE), &mm_scramble_none, &id, &e)) != STEP_FAIL) {
		if (step == STEP_DONE && id.s[0] == 0)
			break;
		if (step == STEP_WAIT)
			continue;
		while (m != NULL && n < m->n_attachments && m->attachments[n].file.s[0] == 0)
			n++;
		assert(m == NULL || (n < m->n_attachments && strcmp(m->attachments[n].file.s, id.s) == 0));
		n++;
	}
	while (m != NULL && n < m->n_attachments && m->attachments[n].file.s[0] == 0)
		n++;
	assert(m == NULL || (step == STEP_DONE && n == m->n_attachments));
}

/* An address without a NUL is written with one, so the first reading may differ from the second, and no later one. */
static void round_trip(const struct mai *m, struct arena *a, const struct mai_limits *l)
{
	struct out o, o2;
	struct err e;
	struct mai again;
	out_init(&o, 1u << 22);
	out_init(&o2, 1u << 22);
	assert(mai_print(m, &mm_scramble_none, &o, &e));
	assert(mai_parse(out_view(&o), &mm_scramble_none, &again, a, l, &e));
	assert(again.n_to == m->n_to && again.n_cc == m->n_cc && again.n_attachments == m->n_attachments && again.n_extra == m->n_extra);
	assert(view_eq(again.text, m->text) && view_eq(again.subject, m->subject) && again.bags == m->bags);
	assert(mai_print(&again, &mm_scramble_none, &o2, &e));
	assert(view_eq(out_view(&o), out_view(&o2)));
	patches(out_view(&o), &again, a, l);
	look(out_view(&o), &again);
	out_fini(&o);
	out_fini(&o2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mai_limits l = { 10000, 1u << 18 };
	struct arena *a = arena_new(1u << 24);
	struct err e = { 0 };
	struct mai m;
	const struct view file = view_of(data, size);
	if (mai_parse(file, &mm_scramble_none, &m, a, &l, &e))
		round_trip(&m, a, &l);
	else
		assert(e.kind == ERR_PERM && e.culprit == ERR_OF_MESSAGE && e.text[0] != 0);
	uint16_t bags;
	size_t at;
	if (mai_bags(file, &bags, &at, &e))
		assert(at + 2 <= size && bags == (data[at] | data[at + 1] << 8));
	look(file, NULL);
	uint8_t *copy = mem_dup(data, size);
	(void)!mai_rename_attachments(copy, size, &mm_scramble_none, NULL, 0, &e);
	assert(memcmp(copy, data, size) == 0);
	(void)!mai_parse(file, &mm_scramble_chain, &m, a, &l, &e);
	free(copy);
	arena_free(&a);
	return 0;
}
