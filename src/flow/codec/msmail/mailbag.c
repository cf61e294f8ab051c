/* mailbag.c - see mailbag.h. Offsets of a record: facts A5 (dump in Q108027); those of the KEY, of the priority and of the mark behind it, are ours. */
#include "flow/codec/msmail/mailbag.h"

#include "flow/codec/msmail/le.h"

enum {
	FROM_AT = 2, SUBJECT_AT = 13, DATE_AT = 56, MAI_AT = MM_RECORD_MAI_AT, SIZE_AT = 78, WORD_AT = 88, PRIORITY_AT = 90, ENVELOPED_AT = 91, DWORD_AT = 108,
	NEW_AT = 0, UNREAD_AT = 2, /* in the KEY: words, little-endian */
};

/* A field of `size` octets with its NUL; text that has none ends where the field does. */
static void get_text(const uint8_t *p, size_t size, char *text_r)
{
	memcpy(text_r, p, size - 1);
	text_r[size - 1] = 0;
}

static void put_text(uint8_t *p, size_t size, const char *text)
{
	memcpy(p, text, strnlen(text, size - 1));
}

void mm_header_print(const struct mm_header *h, uint8_t record_r[MM_RECORD_SIZE])
{
	memset(record_r, 0, MM_RECORD_SIZE);
	put_text(record_r + FROM_AT, sizeof h->from, h->from);
	put_text(record_r + SUBJECT_AT, sizeof h->subject, h->subject);
	const uint16_t date[] = { h->date.minute, h->date.hour, h->date.day, h->date.month, h->date.year };
	for (size_t i = 0; i < ARRAY_LEN(date); i++)
		put_le16(record_r + DATE_AT + 2 * i, date[i]);
	put_text(record_r + MAI_AT, sizeof h->mai.s, h->mai.s);
	put_le32(record_r + SIZE_AT, h->size);
	put_le16(record_r + WORD_AT, h->word_88);
	record_r[PRIORITY_AT] = (uint8_t)h->priority;
	record_r[ENVELOPED_AT] = h->enveloped;
	put_le32(record_r + DWORD_AT, h->dword_108);
}

/* A part that no field of ours holds makes the date absent, not the record bad (Q214565). */
static struct mm_date get_date(const uint8_t *p)
{
	uint16_t part[5];
	for (size_t i = 0; i < ARRAY_LEN(part); i++) {
		part[i] = le16(p + 2 * i);
		if (i < 4 && part[i] > UINT8_MAX)
			return (struct mm_date){ 0 };
	}
	return (struct mm_date){ .year = (uint16_t)part[4], .month = (uint8_t)part[3], .day = (uint8_t)part[2], .hour = (uint8_t)part[1],
				 .minute = (uint8_t)part[0] };
}

bool mm_header_parse(struct view record, struct mm_header *h_r, struct err *e)
{
	if (record.n != MM_RECORD_SIZE)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "a mailbag record has %zu octets, not %d", record.n, MM_RECORD_SIZE);
	struct mm_header h = { 0 };
	if (!mm_id_parse(view_of(record.p + MAI_AT, MM_ID_LENGTH), &h.mai, NULL, e))
		return false;
	get_text(record.p + FROM_AT, sizeof h.from, h.from);
	get_text(record.p + SUBJECT_AT, sizeof h.subject, h.subject);
	h.date = get_date(record.p + DATE_AT);
	h.size = le32(record.p + SIZE_AT);
	h.word_88 = le16(record.p + WORD_AT);
	h.priority = (char)record.p[PRIORITY_AT];
	h.enveloped = record.p[ENVELOPED_AT] == 1;
	h.dword_108 = le32(record.p + DWORD_AT);
	*h_r = h;
	return true;
}

/* --- KEY --- */

static unsigned bit_of(unsigned record)
{
	return 1u << (record % 8);
}

static uint8_t *octet_of(struct mm_key *k, unsigned record)
{
	assert(record < MM_BAG_RECORDS);
	return &k->octets[MM_KEY_HEADER + record / 8];
}

bool mm_key_is_live(const struct mm_key *k, unsigned record)
{
	assert(record < MM_BAG_RECORDS);
	return (k->octets[MM_KEY_HEADER + record / 8] & bit_of(record)) != 0;
}

unsigned mm_key_live(const struct mm_key *k)
{
	unsigned n = 0;
	for (size_t i = MM_KEY_HEADER; i < MM_KEY_SIZE; i++)
		n += (unsigned)__builtin_popcount(k->octets[i]);
	return n;
}

unsigned mm_key_new(const struct mm_key *k)
{
	return le16(k->octets + NEW_AT);
}

unsigned mm_key_unread(const struct mm_key *k)
{
	return le16(k->octets + UNREAD_AT);
}

bool mm_key_check(const struct mm_key *k, uint64_t mbg_size, struct err *e)
{
	const uint64_t records = mbg_size / MM_RECORD_SIZE;
	if (records > MM_BAG_RECORDS)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "the MBG has %llu records, more than 4096", (unsigned long long)records);
	for (unsigned i = (unsigned)records; i < MM_BAG_RECORDS; i++)
		if (mm_key_is_live(k, i))
			return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "the KEY has record %u as live and the MBG ends after %llu", i,
				       (unsigned long long)records);
	const unsigned live = mm_key_live(k);
	if (mm_key_new(k) > live || mm_key_unread(k) > live)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "the KEY counts %u new and %u unread messages, and its bitmap has %u", mm_key_new(k),
			       mm_key_unread(k), live);
	return true;
}

int mm_key_free_slot(const struct mm_key *k, unsigned records)
{
	for (unsigned i = 0; i < records && i < MM_BAG_RECORDS; i++)
		if (!mm_key_is_live(k, i))
			return (int)i;
	return records < MM_BAG_RECORDS ? (int)records : -1;
}

static void change_counts(struct mm_key *k, int by)
{
	const int live = (int)mm_key_live(k), count[] = { (int)mm_key_new(k) + by, (int)mm_key_unread(k) + by };
	for (size_t i = 0; i < ARRAY_LEN(count); i++) {
		const int least = count[i] < 0 ? 0 : count[i];
		put_le16(k->octets + (i == 0 ? NEW_AT : UNREAD_AT), (uint16_t)(least > live ? live : least));
	}
}

void mm_key_add(struct mm_key *k, unsigned record, bool unread)
{
	if (mm_key_is_live(k, record))
		return;
	*octet_of(k, record) |= (uint8_t)bit_of(record);
	change_counts(k, unread ? 1 : 0);
}

void mm_key_drop(struct mm_key *k, unsigned record, bool was_unread)
{
	if (!mm_key_is_live(k, record))
		return;
	*octet_of(k, record) &= (uint8_t)~bit_of(record);
	change_counts(k, was_unread ? -1 : 0);
}
