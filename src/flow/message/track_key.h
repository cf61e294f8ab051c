/* track_key.h - what tracking finds a message by: hashes of its addresses, subject and identifiers, so that a search is a look into
 * an index, and no text of anybody's mail is kept for it.
 *
 * A key has its role in the three lowest bits; the rest is a hash of the normalised text, the same for equal ones. An originator and a
 * recipient of the same address differ in the role alone. 0 is no key. */
#pragma once
#include "base/cur.h"
#include "flow/message/oraddr.h"

enum track_role {
	TRACK_ORIGINATOR,
	TRACK_RECIPIENT,
	TRACK_SUBJECT,	  /* of the heading of an interpersonal message */
	TRACK_IPM_ID,	  /* local part of its IPM-identifier (X.420 7.1.8) */
	TRACK_GATEWAY_ID, /* by which the system behind a gateway knows it */
	TRACK_ROLES
};

enum {
	TRACK_CONTENT_MAX = 4, /* keys that come with an offer */
	TRACK_KEYS_MAX = 16,   /* of a set (struct track_keys) */
	TRACK_TEXT_MAX = 1024, /* octets of a subject or identifier that count */
};

static inline enum track_role track_key_role(uint64_t key)
{
	return (enum track_role)(key & 7);
}

/* Equal in all but the role. */
static inline bool track_key_same(uint64_t a, uint64_t b)
{
	return (a | 7) == (b | 7);
}

/* Equal for addresses that oraddr_eq calls equal. 0: the address has no attribute. */
uint64_t track_key_address(const struct oraddr *addr, enum track_role role);

/* Of UTF-8. A subject: letters in any case (ASCII, Latin-1, Greek, Cyrillic), white space as one blank, none at the ends, answers and
 * forwards ("Re:", "Fw:", "Fwd:", "AW:", "WG:", also several) as what they are about. An identifier: ASCII letters in any case, no blanks
 * at the ends. 0: nothing is left. role: not of an address. */
uint64_t track_key_text(struct view utf8, enum track_role role);

struct track_keys {
	uint64_t v[TRACK_KEYS_MAX];
	size_t n;
};
/* Adds one that is not 0 and not there yet, while there is room. */
void track_keys_add(struct track_keys *k, uint64_t key);

/* 8 octets each, big-endian, as they travel and are stored; reading gives at most TRACK_KEYS_MAX, and none of octets that are no keys. */
void track_keys_print(const struct track_keys *k, struct out *o);
void track_keys_read(struct view octets, struct track_keys *k_r);

/* Those octets one by one: a message has a key for each of its recipients. 0 is left out. */
void track_key_put(uint64_t key, struct out *o);
/* Reading: none of octets that were cut; the next that is a key. */
struct cur track_keys_cur(struct view octets);
MUST_CHECK bool track_keys_next(struct cur *c, uint64_t *key_r);
