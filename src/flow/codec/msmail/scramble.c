/* scramble.c - see mai.h: what stands between the octets of a string and those in the file. */
#include "flow/codec/msmail/mai.h"

static void apply_none(uint8_t *octets, size_t n, uint64_t offset_in_run, uint8_t *state, bool hide)
{
	(void)octets;
	(void)n;
	(void)offset_in_run;
	(void)state;
	(void)hide;
}

/* Facts A6: c[i] = p[i] XOR c[i-1] XOR k[i], anew for each string. k is derived for these positions only, from one published dump
 * (Q104423); 12 to 15 support one another, the others rest on a guess of what the words are. */
enum { CHAIN_FIRST = 11, CHAIN_END = 20, CHAIN_CERTAIN_FIRST = 12, CHAIN_CERTAIN_END = 16, UNKNOWN = '?' };
static const uint8_t chain_key[CHAIN_END - CHAIN_FIRST] = { 0x52, 0x6e, 0x79, 0x68, 0x55, 0x48, 0x61, 0x66, 0x4b };

/* Shows what can be read and `?` elsewhere, so that a person may look. Nothing is hidden with it: mm_scramble_covers says so first. */
static void apply_chain(uint8_t *octets, size_t n, uint64_t offset_in_run, uint8_t *state, bool hide)
{
	assert(!hide);
	for (size_t i = 0; i < n; i++) {
		const uint8_t cipher = octets[i];
		const uint64_t at = offset_in_run + i;
		octets[i] = at >= CHAIN_FIRST && at < CHAIN_END ? (uint8_t)(cipher ^ *state ^ chain_key[at - CHAIN_FIRST]) : UNKNOWN;
		*state = cipher;
	}
}

const struct mm_scramble mm_scramble_none = { "none", apply_none, 0, UINT64_MAX };
const struct mm_scramble mm_scramble_chain = { "chain", apply_chain, CHAIN_CERTAIN_FIRST, CHAIN_CERTAIN_END };

const struct mm_scramble *mm_scramble_by_name(const char *name)
{
	static const struct mm_scramble *const all[] = { &mm_scramble_none, &mm_scramble_chain };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}

bool mm_scramble_covers(const struct mm_scramble *s, uint64_t run, struct err *e)
{
	if (run == 0 || (s->known_first == 0 && run <= s->known_end))
		return true;
	return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12,
			  "scrambling \"%s\" is not known for a run of %llu octets: only its octets %llu to %llu are (docs/postoffice-format.md)",
			  s->name, (unsigned long long)run, (unsigned long long)s->known_first, (unsigned long long)s->known_end - 1);
}
