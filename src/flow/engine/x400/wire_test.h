/* wire_test.h - what the tests share that write a peer octet by octet above COTP, in the forms of upper_test.h. */
#pragma once
#include "flow/engine/x400/upper_test.h"
#include "flow/engine/x400/x400_test.h"

static struct arena *a; /* of a test */

static inline int begin(void **state)
{
	(void)state;
	a = arena_new(1 << 26);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	arena_free(&a);
	return 0;
}

/* One TSDU in TPDUs of at most `size` octets each. */
static inline void feed_tsdu(struct user *u, struct view v, size_t size)
{
	struct out o;
	out_init(&o, 1 << 24);
	do {
		const struct view part = view_first(v, size);
		v = view_from(v, part.n);
		out_u8(&o, 3);
		out_u8(&o, 0);
		out_u16(&o, (uint16_t)(part.n + 7));
		out_u8(&o, 2);
		out_u8(&o, 0xf0);
		out_u8(&o, v.n == 0 ? 0x80 : 0);
		out_bytes(&o, part);
	} while (v.n > 0);
	user_feed(u, out_view(&o), 1 << 16);
	out_fini(&o);
}

static inline void say(struct user *u, const char *form)
{
	feed_tsdu(u, octets_of(a, form), 60000);
}

static inline void drain(struct user *u)
{
	struct out *o = x400_out(u->x);
	out_clear(&u->sent);
	out_bytes(&u->sent, out_view(o));
	out_drop(o, out_len(o));
}

static inline void assert_ended(const struct user *u, const char *says)
{
	assert_int_equal(u->count[X400_ENDED], 1);
	if (strstr(u->last[X400_ENDED].err.text, says) == NULL)
		fail_msg("it says: %s", u->last[X400_ENDED].err.text);
}

/* The last TSDU that was sent, whole. */
static inline void assert_last_sent(struct user *u, const char *form)
{
	struct out tsdu, last;
	out_init(&tsdu, 1 << 20);
	out_init(&last, 1 << 20);
	drain(u);
	struct cur c = cur_of(out_view(&u->sent));
	while (capture_tsdu(&c, &tsdu)) {
		out_clear(&last);
		out_bytes(&last, out_view(&tsdu));
	}
	const struct view want = octets_of(a, form);
	if (!view_eq(out_view(&last), want)) {
		struct out x;
		out_init(&x, 1 << 20);
		text_hex(&x, out_view(&last));
		fail_msg("sent %s", out_cstr(&x));
	}
	out_fini(&tsdu);
	out_fini(&last);
}
