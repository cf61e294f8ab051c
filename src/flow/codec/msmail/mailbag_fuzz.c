/* mailbag_fuzz.c - a record that can be read is written and read the same; a KEY of any octets bears any steps. Input: a record, then
 * the KEY, then two octets a step. */
#include "base/cur.h"
#include "flow/codec/msmail/mailbag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void record(struct view v)
{
	struct mm_header h, again;
	struct err e = { 0 };
	uint8_t octets[MM_RECORD_SIZE], twice[MM_RECORD_SIZE];
	if (!mm_header_parse(v, &h, &e)) {
		assert(e.kind == ERR_PERM && e.text[0] != 0);
		return;
	}
	mm_header_print(&h, octets);
	assert(mm_header_parse(view_of(octets, sizeof octets), &again, &e));
	mm_header_print(&again, twice);
	assert(memcmp(octets, twice, sizeof octets) == 0);
	assert(strcmp(h.mai.s, again.mai.s) == 0 && strcmp(h.subject, again.subject) == 0 && h.size == again.size);
}

static void steps(struct mm_key *k, struct cur c)
{
	while (cur_left(&c) >= 2) {
		const unsigned x = cur_u16(&c), at = x % MM_BAG_RECORDS, live = mm_key_live(k);
		const bool was = mm_key_is_live(k, at), unread = x & 0x8000;
		if (x & 0x4000) {
			mm_key_add(k, at, unread);
			assert(mm_key_is_live(k, at) && mm_key_live(k) == live + !was);
		} else {
			mm_key_drop(k, at, unread);
			assert(!mm_key_is_live(k, at) && mm_key_live(k) == live - was);
		}
		const int slot = mm_key_free_slot(k, at);
		assert(slot >= 0 && slot <= (int)at && (slot == (int)at || !mm_key_is_live(k, (unsigned)slot)));
		(void)!mm_key_check(k, (uint64_t)at * MM_RECORD_SIZE, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cur c = cur_of(view_of(data, size));
	struct mm_key k = { 0 };
	record(cur_bytes(&c, size < MM_RECORD_SIZE ? size : MM_RECORD_SIZE));
	const struct view key = cur_bytes(&c, cur_left(&c) < MM_KEY_SIZE ? cur_left(&c) : MM_KEY_SIZE);
	if (key.n > 0)
		memcpy(k.octets, key.p, key.n);
	steps(&k, c);
	return 0;
}
