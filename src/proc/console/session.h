/* session.h - who may log in, who is, and who tries too often. Time and random octets come in; nothing is written anywhere. Memory is
 * bounded: the session that has been idle longest makes room, and so does the failure that is longest ago. */
#pragma once
#include "proc/table/settings_table.h"

enum {
	SESSION_TOKEN = 32,           /* octets of it, 256 bits */
	SESSION_TEXT = 2 * SESSION_TOKEN,
	SESSIONS_MAX = 1000, SESSIONS_OF_ONE = 50,
	SLOW_FREE = 3,                /* failures that cost nothing */
	SLOW_ADDRESS_MS = 60 * 1000,  /* the longest wait: of an address */
	SLOW_NAME_MS = 10 * 1000,     /* of a name: anybody can fail in the name of another */
	SLOW_FORGET_MS = 15 * 60 * 1000,
	SLOW_KEYS = 4096,
	SLOW_CHECKS = 10,             /* passwords looked at in a second, of all together */
	SLOW_SPARE = 2,               /* besides, of names that have logged in from where they try */
};

struct session {
	char token[SESSION_TEXT + 1], csrf[SESSION_TEXT + 1];
	char user[65];
	enum console_role role;
	char password[301];           /* the line it was opened with: another one ends it */
	int64_t used_ms;
};

struct sessions;
/* give: random octets. */
struct sessions *sessions_new(void (*give)(void *ctx, uint8_t *octets, size_t n), void *ctx);
void sessions_free(struct sessions **s);
/* Other settings: whose user is not in them, or in another role or with another password, is out. *set has to last until the
 * next call. */
void sessions_settings(struct sessions *s, const struct set_console *set);

/* May a password be looked at? Else *wait_ms_r says when to come again. address: of the peer, without its port. */
MUST_CHECK bool sessions_may_try(struct sessions *s, const char *address, struct view name, int64_t now_ms, int64_t *wait_ms_r);
/* After it: looks at the password (a tenth of a second, also for a name that nobody has). NULL: wrong. Else the new session, good until the next call. */
MUST_CHECK const struct session *sessions_login(struct sessions *s, const char *address, struct view name, struct view password, int64_t now_ms);
/* Whose token it is; NULL: nobody's, or it is over. touch: that is a request of his. Good until the next call. */
MUST_CHECK const struct session *sessions_find(struct sessions *s, struct view token, bool touch, int64_t now_ms);
void sessions_logout(struct sessions *s, struct view token);
size_t sessions_n(const struct sessions *s);
/* Compares all of both, whatever differs. */
bool session_same(struct view a, struct view b);
