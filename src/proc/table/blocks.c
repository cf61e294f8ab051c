/* blocks.c - see blocks.h. */
#include "proc/table/blocks.h"

#include "proc/table/rows.h"

static const char *const names[BLOCK_COUNT] = {
#define X(upper, name) name,
	BLOCKS(X)
#undef X
};

const char *block_name(enum block b)
{
	return names[b];
}

void blocks_of_env(const struct env *env, struct blocks *b)
{
	const struct env_counts c = env_count(env);
	b->n[BLOCK_TIMERS] = c.timers;
	b->n[BLOCK_STREAMS] = c.streams;
	b->n[BLOCK_FILES] = c.files;
}

void put_blocks(struct out *pairs, const char *process, const struct blocks *b)
{
	rows_text(pairs, "process", view_str(process));
	for (enum block i = 0; i < BLOCK_COUNT; i++)
		rows_number(pairs, names[i], b->n[i]);
}
