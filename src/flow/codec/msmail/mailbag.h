/* mailbag.h - a mailbag: xxxxxxxx.MBG (records of 116 octets) and xxxxxxxx.KEY (560: counts and the bitmap of live records), facts A5. */
#pragma once
#include "flow/codec/msmail/names.h"

enum { MM_RECORD_SIZE = 116, MM_KEY_SIZE = 560, MM_BAG_RECORDS = 4096, MM_KEY_HEADER = 48, MM_RECORD_MAI_AT = 67 /* name of the MAI, MM_ID_LENGTH octets */ };

struct mm_header {
	char from[MM_NAME_MAX + 1];
	char subject[MM_SUBJECT_MAX + 1];
	struct mm_date date;
	struct mm_id mai;
	uint32_t size;
	uint16_t word_88;          /* 0x0018 in the dumps */
	uint32_t dword_108;        /* unknown; kept */
	char priority;             /* our choice of octet where one is written; 0: none */
	bool enveloped;            /* likewise: of an outbound bag, and not a client's: a P1 was there when it was written */
};
void mm_header_print(const struct mm_header *h, uint8_t record_r[MM_RECORD_SIZE]);
/* Tolerant of everything but the id of the MAI. Fails ERR_PERM, message. */
MUST_CHECK bool mm_header_parse(struct view record, struct mm_header *h_r, struct err *e);

/* The KEY's 560 octets, in place. All zero is an empty bag. Where things stand is our choice [?]: new-mail count and unread count, LE words at 0 and
 * 2, then zeros; from 48 on the bitmap, record r at bit r % 8 (1 << that) of octet r / 8, 1: live. add and drop of what is so already change
 * nothing; the counts never pass what is live. record < MM_BAG_RECORDS. */
struct mm_key { uint8_t octets[MM_KEY_SIZE]; };
MUST_CHECK bool mm_key_check(const struct mm_key *k, uint64_t mbg_size, struct err *e); /* counts agree, no live record beyond the file */
bool mm_key_is_live(const struct mm_key *k, unsigned record);
unsigned mm_key_live(const struct mm_key *k);                  /* counted from the bitmap (Q146113) */
int mm_key_free_slot(const struct mm_key *k, unsigned records); /* first not live of so many in the MBG, or the next behind; -1: all 4096 are (Q138054) */
void mm_key_add(struct mm_key *k, unsigned record, bool unread);
void mm_key_drop(struct mm_key *k, unsigned record, bool was_unread);
unsigned mm_key_new(const struct mm_key *k);                   /* new-mail count */
unsigned mm_key_unread(const struct mm_key *k);
