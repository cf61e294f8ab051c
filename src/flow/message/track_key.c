/* track_key.c - see track_key.h. */
#include "flow/message/track_key.h"

#include "base/hash.h"

enum { KEY_OCTETS = 8 };

/* Stafford's finalizer: FNV alone leaves the upper half, which is what the index goes by, too alike. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t key_of(uint64_t hash, enum track_role role)
{
	const uint64_t rest = mix(hash) & ~UINT64_C(7);
	return (rest == 0 ? 8 : rest) | (uint64_t)role;
}

uint64_t track_key_address(const struct oraddr *addr, enum track_role role)
{
	assert(role == TRACK_ORIGINATOR || role == TRACK_RECIPIENT);
	const uint64_t hash = oraddr_hash(addr, HASH_START);
	return hash == HASH_START ? 0 : key_of(hash, role);
}

/* --- subjects --- */
/* The next character; an octet that begins none stands for itself. */
static uint32_t next_char(struct cur *c)
{
	const uint32_t first = cur_u8(c);
	const size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
	if (more == 0 || cur_left(c) < more)
		return first;
	struct cur ahead = *c;
	uint32_t x = first & (0x3fu >> more);
	for (size_t i = 0; i < more; i++) {
		const uint32_t octet = cur_u8(&ahead);
		if ((octet & 0xc0) != 0x80)
			return first;
		x = x << 6 | (octet & 0x3f);
	}
	*c = ahead;
	return x;
}

/* Simple case folding of the scripts whose capitals T.61 or a code page of that time has. */
static uint32_t fold(uint32_t x)
{
	if (x >= 'A' && x <= 'Z')
		return x + 32;
	if ((x >= 0xc0 && x <= 0xde && x != 0xd7) || (x >= 0x391 && x <= 0x3a9) || (x >= 0x410 && x <= 0x42f))
		return x + 32;
	if (x >= 0x400 && x <= 0x40f)
		return x + 80;
	if (x >= 0x100 && x <= 0x137) /* pairs: even, odd */
		return x | 1;
	return x;
}

static bool is_blank(uint32_t x)
{
	return x <= ' ' || x == 0xa0 || x == 0x3000;
}

/* Folded characters, one blank between words. */
static size_t normalise(struct view utf8, uint32_t out[TRACK_TEXT_MAX])
{
	struct cur c = cur_of(view_first(utf8, TRACK_TEXT_MAX));
	size_t n = 0;
	bool blank = false;
	while (cur_left(&c) > 0) {
		const uint32_t x = next_char(&c);
		if (is_blank(x)) {
			blank = n > 0;
			continue;
		}
		if (blank)
			out[n++] = ' ';
		blank = false;
		out[n++] = fold(x);
	}
	return n;
}

/* How many characters an answer's mark at the start has, with the blank after it; 0: there is none. */
static size_t mark_at(const uint32_t *v, size_t n)
{
	static const char *const marks[] = {"re:", "fw:", "fwd:", "aw:", "wg:"};
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		size_t k = 0;
		while (marks[i][k] != 0 && k < n && v[k] == (uint32_t)marks[i][k])
			k++;
		if (marks[i][k] == 0)
			return k + (k < n && v[k] == ' ');
	}
	return 0;
}

static uint64_t hash_chars(const uint32_t *v, size_t n, uint64_t hash)
{
	for (size_t i = 0; i < n; i++)
		for (unsigned shift = 0; shift < 32; shift += 8)
			hash = (hash ^ (v[i] >> shift & 0xff)) * UINT64_C(0x100000001b3);
	return hash;
}

static struct view trimmed(struct view v)
{
	while (v.n > 0 && is_blank(v.p[0]))
		v = view_from(v, 1);
	while (v.n > 0 && is_blank(v.p[v.n - 1]))
		v.n--;
	return v;
}

static uint64_t id_key(struct view text, enum track_role role)
{
	uint64_t hash = HASH_START ^ (uint64_t)role;
	text = view_first(trimmed(text), TRACK_TEXT_MAX);
	for (size_t i = 0; i < text.n; i++)
		hash = (hash ^ fold(text.p[i] < 0x80 ? text.p[i] : 0x8000u + text.p[i])) * UINT64_C(0x100000001b3);
	return text.n == 0 ? 0 : key_of(hash, role);
}

uint64_t track_key_text(struct view utf8, enum track_role role)
{
	assert(role == TRACK_SUBJECT || role == TRACK_IPM_ID || role == TRACK_GATEWAY_ID);
	if (role != TRACK_SUBJECT)
		return id_key(utf8, role);
	uint32_t text[TRACK_TEXT_MAX];
	size_t n = normalise(utf8, text), at = 0;
	for (size_t mark; (mark = mark_at(text + at, n - at)) > 0;)
		at += mark;
	return at == n ? 0 : key_of(hash_chars(text + at, n - at, HASH_START ^ (uint64_t)role), role);
}

/* --- several --- */
void track_keys_add(struct track_keys *k, uint64_t key)
{
	if (key == 0 || k->n == TRACK_KEYS_MAX)
		return;
	for (size_t i = 0; i < k->n; i++)
		if (k->v[i] == key)
			return;
	k->v[k->n++] = key;
}

void track_keys_print(const struct track_keys *k, struct out *o)
{
	for (size_t i = 0; i < k->n; i++)
		out_u64(o, k->v[i]);
}

void track_keys_read(struct view octets, struct track_keys *k_r)
{
	struct cur c = track_keys_cur(octets);
	uint64_t key;
	k_r->n = 0;
	while (k_r->n < TRACK_KEYS_MAX && track_keys_next(&c, &key))
		track_keys_add(k_r, key);
}

void track_key_put(uint64_t key, struct out *o)
{
	if (key != 0)
		out_u64(o, key);
}

struct cur track_keys_cur(struct view octets)
{
	return cur_of(octets.n % KEY_OCTETS == 0 ? octets : (struct view){NULL, 0});
}

bool track_keys_next(struct cur *c, uint64_t *key_r)
{
	while (cur_left(c) > 0) {
		*key_r = cur_u64(c);
		if (*key_r != 0 && track_key_role(*key_r) < TRACK_ROLES)
			return true;
	}
	return false;
}
