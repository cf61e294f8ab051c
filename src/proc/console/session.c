/* session.c - see session.h. */
#include "proc/console/session.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/wire/scrypt.h"

#include <arpa/inet.h>

enum { SLOW_PLACES = 8 }; /* that a key may have */

/* Failures of an address or of a name; or a name that has logged in from an address, which nobody else's failures keep out. */
struct slow {
	uint64_t key;
	unsigned failures;
	bool known;
	int64_t last_ms, until_ms;
};

struct sessions {
	unsigned magic;
#define SESSIONS_MAGIC 0x5e551045u
	void (*give)(void *ctx, uint8_t *octets, size_t n);
	void *ctx;
	uint64_t salt;                /* of the keys, so that nobody can aim at another's */
	struct session *v[SESSIONS_MAX];
	size_t n;
	struct slow slow[SLOW_KEYS];
	int64_t second_ms;            /* checks are counted since */
	unsigned checks;
	const struct set_console *set;
};

bool session_same(struct view a, struct view b)
{
	volatile unsigned differs = a.n != b.n;
	for (size_t i = 0; i < a.n && i < b.n; i++)
		differs = differs | (unsigned)(a.p[i] ^ b.p[i]);
	return differs == 0;
}

struct sessions *sessions_new(void (*give)(void *ctx, uint8_t *octets, size_t n), void *ctx)
{
	struct sessions *s = mem_zero(sizeof *s);
	s->magic = SESSIONS_MAGIC;
	s->give = give;
	s->ctx = ctx;
	give(ctx, (uint8_t *)&s->salt, sizeof s->salt);
	return s;
}

static void end(struct sessions *s, size_t i)
{
	struct session *x = s->v[i];
	s->v[i] = s->v[--s->n];
	explicit_bzero(x, sizeof *x);
	free(x);
}

void sessions_free(struct sessions **sp)
{
	struct sessions *s = *sp;
	if (s == NULL)
		return;
	CHECK(s, SESSIONS_MAGIC);
	while (s->n > 0)
		end(s, s->n - 1);
	s->magic = 0;
	MEM_FREE(*sp);
}

size_t sessions_n(const struct sessions *s)
{
	return s->n;
}

static const struct set_console_user *find_user(const struct sessions *s, struct view name)
{
	const struct set_console_user *users = s->set == NULL ? NULL : s->set->users.v;
	for (size_t i = 0; users != NULL && i < s->set->users.n; i++)
		if (view_eq(view_str(users[i].name), name))
			return &users[i];
	return NULL;
}

void sessions_settings(struct sessions *s, const struct set_console *set)
{
	s->set = set;
	for (size_t i = s->n; i-- > 0;) {
		const struct set_console_user *u = find_user(s, view_str(s->v[i]->user));
		if (u == NULL || (enum console_role)u->role != s->v[i]->role || strcmp(u->password, s->v[i]->password) != 0)
			end(s, i);
	}
}

/* --- who fails too often --- */

/* Whoever has one address of a network of IPv6 has all of its lower half (RFC 4291 2.5.4): the network is one address. */
static void network_of(const char *address, char text[INET6_ADDRSTRLEN])
{
	struct in6_addr six;
	snprintf(text, INET6_ADDRSTRLEN, "%s", address);
	if (inet_pton(AF_INET6, address, &six) != 1 || IN6_IS_ADDR_V4MAPPED(&six))
		return;
	memset(six.s6_addr + 8, 0, 8);
	(void)inet_ntop(AF_INET6, &six, text, INET6_ADDRSTRLEN);
}

static uint64_t key_of(const struct sessions *s, char what, const char *address, struct view name)
{
	char text[256], network[INET6_ADDRSTRLEN];
	network_of(address, network);
	int n = snprintf(text, sizeof text, "%c%016llx %s ", what, (unsigned long long)s->salt, network);
	n += snprintf(text + n, sizeof text - (size_t)n, "%.*s", (int)(name.n < 65 ? name.n : 65), (const char *)name.p);
	return hash_octets(HASH_START, view_of(text, (size_t)n)) | 1;
}

static struct slow *places_of(struct sessions *s, uint64_t key)
{
	return &s->slow[key / 2 % (SLOW_KEYS / SLOW_PLACES) * SLOW_PLACES];
}

/* NULL: nothing is known of it. Makes no room: asking costs others nothing. */
static struct slow *find_slow(struct sessions *s, uint64_t key, int64_t now_ms)
{
	struct slow *places = places_of(s, key);
	for (size_t i = 0; i < SLOW_PLACES; i++)
		if (places[i].key == key) {
			if (now_ms - places[i].last_ms > SLOW_FORGET_MS && !places[i].known)
				places[i].failures = 0;
			return &places[i];
		}
	return NULL;
}

static bool goes_before(const struct slow *x, const struct slow *y)
{
	if (x->key == 0 || y->key == 0)
		return x->key == 0 && y->key != 0;
	return x->known != y->known ? y->known : x->last_ms < y->last_ms;
}

/* The one longest unused makes room for a new key, and who has logged in only for his like. */
static struct slow *slow_of(struct sessions *s, uint64_t key, int64_t now_ms)
{
	struct slow *places = places_of(s, key), *first = places, *found = find_slow(s, key, now_ms);
	if (found != NULL)
		return found;
	for (size_t i = 1; i < SLOW_PLACES; i++)
		if (goes_before(&places[i], first))
			first = &places[i];
	*first = (struct slow){ .key = key, .last_ms = now_ms };
	return first;
}

static void failed(struct slow *x, int64_t longest_ms, int64_t now_ms)
{
	x->failures++;
	x->last_ms = now_ms;
	if (x->failures <= SLOW_FREE)
		return;
	const unsigned doublings = x->failures - SLOW_FREE - 1;
	const int64_t wait = doublings > 16 ? longest_ms : INT64_C(1000) << doublings;
	x->until_ms = now_ms + (wait < longest_ms ? wait : longest_ms);
}

static int64_t wait_of(struct sessions *s, uint64_t key, int64_t now_ms)
{
	const struct slow *x = find_slow(s, key, now_ms);
	return x != NULL && x->until_ms > now_ms ? x->until_ms - now_ms : 0;
}

static const struct view nobody = { (const uint8_t *)"", 0 };

bool sessions_may_try(struct sessions *s, const char *address, struct view name, int64_t now_ms, int64_t *wait_ms_r)
{
	const struct slow *has_been = find_slow(s, key_of(s, 'k', address, name), now_ms);
	const bool known = has_been != NULL && has_been->known;
	int64_t wait = wait_of(s, key_of(s, 'a', address, nobody), now_ms);
	if (!known) {
		const int64_t of_name = wait_of(s, key_of(s, 'n', "", name), now_ms);
		wait = of_name > wait ? of_name : wait;
	}
	if (now_ms - s->second_ms >= 1000) {
		s->second_ms = now_ms;
		s->checks = 0;
	}
	if (wait == 0 && s->checks >= SLOW_CHECKS + (known ? SLOW_SPARE : 0))
		wait = s->second_ms + 1000 - now_ms;
	*wait_ms_r = wait;
	s->checks += wait == 0;
	return wait == 0;
}

/* --- login --- */

static void make_token(struct sessions *s, char text[SESSION_TEXT + 1])
{
	uint8_t octets[SESSION_TOKEN];
	s->give(s->ctx, octets, sizeof octets);
	for (size_t i = 0; i < sizeof octets; i++)
		snprintf(text + 2 * i, 3, "%02x", octets[i]);
}

/* The least lately used one of this user when he has too many, or of all. */
static void make_room(struct sessions *s, const char *user)
{
	size_t of_user = 0, oldest = SIZE_MAX, oldest_of_user = SIZE_MAX;
	for (size_t i = 0; i < s->n; i++) {
		if (oldest == SIZE_MAX || s->v[i]->used_ms < s->v[oldest]->used_ms)
			oldest = i;
		if (strcmp(s->v[i]->user, user) != 0)
			continue;
		of_user++;
		if (oldest_of_user == SIZE_MAX || s->v[i]->used_ms < s->v[oldest_of_user]->used_ms)
			oldest_of_user = i;
	}
	if (of_user >= SESSIONS_OF_ONE)
		end(s, oldest_of_user);
	else if (s->n == SESSIONS_MAX)
		end(s, oldest);
}

const struct session *sessions_login(struct sessions *s, const char *address, struct view name, struct view password, int64_t now_ms)
{
	const struct set_console_user *u = find_user(s, name);
	if (!scrypt_check(u == NULL ? NULL : u->password, password)) {
		failed(slow_of(s, key_of(s, 'a', address, nobody), now_ms), SLOW_ADDRESS_MS, now_ms);
		failed(slow_of(s, key_of(s, 'n', "", name), now_ms), SLOW_NAME_MS, now_ms);
		return NULL;
	}
	struct slow *known = slow_of(s, key_of(s, 'k', address, name), now_ms);
	known->known = true;
	known->last_ms = now_ms;
	struct slow *of_address = find_slow(s, key_of(s, 'a', address, nobody), now_ms);
	if (of_address != NULL)
		*of_address = (struct slow){ .key = 0 };
	make_room(s, u->name);
	struct session *x = mem_zero(sizeof *x);
	make_token(s, x->token);
	make_token(s, x->csrf);
	snprintf(x->user, sizeof x->user, "%s", u->name);
	snprintf(x->password, sizeof x->password, "%s", u->password);
	x->role = (enum console_role)u->role;
	x->used_ms = now_ms;
	s->v[s->n++] = x;
	return x;
}

const struct session *sessions_find(struct sessions *s, struct view token, bool touch, int64_t now_ms)
{
	if (token.n != SESSION_TEXT)
		return NULL;
	for (size_t i = 0; i < s->n; i++) {
		struct session *x = s->v[i];
		if (!session_same(token, view_str(x->token)))
			continue;
		if (now_ms - x->used_ms > (int64_t)s->set->session_ms) {
			end(s, i);
			return NULL;
		}
		x->used_ms = touch ? now_ms : x->used_ms;
		return x;
	}
	return NULL;
}

void sessions_logout(struct sessions *s, struct view token)
{
	for (size_t i = 0; i < s->n; i++)
		if (session_same(token, view_str(s->v[i]->token))) {
			end(s, i);
			return;
		}
}
