/* tpkt.c - see tpkt.h. */
#include "flow/engine/x400/tpkt.h"

#include "base/cur.h"
#include "base/mem.h"

enum { TPKT_VERSION = 3, BUF_FIRST = 4096 }; /* RFC 1006 6 */

struct tpkt {
	unsigned magic;
#define TPKT_MAGIC 0x7d1b0c06u
	size_t max, cap, head, tail; /* head <= tail <= cap <= max, always */
	size_t left; /* of the current TPDU, not yet taken; 0: a header comes next */
	bool failed;
	unsigned bad_version;
	size_t bad_len;
	uint8_t *buf;
};

struct tpkt *tpkt_new(size_t buf_max)
{
	assert(buf_max >= TPKT_BUF_MIN);
	struct tpkt *t = mem_zero(sizeof *t);
	t->magic = TPKT_MAGIC;
	t->max = buf_max;
	return t;
}

void tpkt_free(struct tpkt **t)
{
	if (*t == NULL)
		return;
	CHECK(*t, TPKT_MAGIC);
	(*t)->magic = 0; /* so a stale pointer trips CHECK */
	MEM_FREE((*t)->buf);
	free(*t);
	*t = NULL;
}

uint8_t *tpkt_space(struct tpkt *t, size_t want, size_t *n_r)
{
	CHECK(t, TPKT_MAGIC);
	if (t->cap - t->tail < want && t->head > 0) {
		memmove(t->buf, t->buf + t->head, t->tail - t->head);
		t->tail -= t->head;
		t->head = 0;
	}
	size_t cap = t->cap == 0 ? BUF_FIRST : t->cap;
	while (cap < t->max && cap - t->tail < want)
		cap *= 2;
	cap = cap < t->max ? cap : t->max;
	if (cap > t->cap) {
		t->buf = mem_grow(t->buf, cap);
		t->cap = cap;
	}
	*n_r = t->cap - t->tail;
	return *n_r == 0 ? NULL : t->buf + t->tail;
}

void tpkt_filled(struct tpkt *t, size_t n)
{
	CHECK(t, TPKT_MAGIC);
	assert(n <= t->cap - t->tail);
	t->tail += n;
}

size_t tpkt_feed(struct tpkt *t, struct view src)
{
	CHECK(t, TPKT_MAGIC);
	if (src.n == 0)
		return 0;
	size_t room;
	uint8_t *p = tpkt_space(t, src.n, &room);
	size_t n = src.n < room ? src.n : room;
	if (n > 0)
		memcpy(p, src.p, n);
	t->tail += n;
	return n;
}

static enum step fail(struct tpkt *t, struct err *e)
{
	t->failed = true;
	err_set(e, ERR_PEER, ERR_OF_ASSOCIATION, "tpkt: version %u length %zu, want 3 and %d..%d",
		t->bad_version, t->bad_len, TPKT_MIN, TPKT_MAX);
	return STEP_FAIL;
}

enum step tpkt_peek(struct tpkt *t, struct tpkt_part *part_r, struct err *e)
{
	CHECK(t, TPKT_MAGIC);
	if (t->failed)
		return fail(t, e);
	if (t->left == 0) {
		struct cur c = cur_of(view_of(t->buf + t->head, t->tail - t->head));
		unsigned version = cur_u8(&c);
		(void)cur_u8(&c); /* reserved, and given no value: ignored */
		size_t len = cur_u16(&c);
		bool whole = !c.bad;
		/* A wrong version is known from the first octet: do not wait for more of what is no
		 * TPKT. */
		if (t->tail > t->head && (version != TPKT_VERSION || (whole && len < TPKT_MIN))) {
			t->bad_version = version;
			t->bad_len = len;
			return fail(t, e);
		}
		if (!whole)
			return STEP_WAIT;
		t->head += TPKT_HEADER;
		t->left = len - TPKT_HEADER;
	}
	size_t here = t->tail - t->head;
	*part_r = (struct tpkt_part){
		.bytes = view_of(t->buf + t->head, here < t->left ? here : t->left),
		.left = t->left,
	};
	return STEP_DONE;
}

void tpkt_take(struct tpkt *t, size_t n)
{
	CHECK(t, TPKT_MAGIC);
	assert(n <= t->left && n <= t->tail - t->head);
	t->head += n;
	t->left -= n;
}

void tpkt_rest(struct tpkt *t)
{
	CHECK(t, TPKT_MAGIC);
	if (t->head != t->tail)
		return;
	MEM_FREE(t->buf);
	t->cap = t->head = t->tail = 0;
}

size_t tpkt_buffer_size(const struct tpkt *t)
{
	CHECK(t, TPKT_MAGIC);
	return t->cap;
}

void tpkt_put_header(uint8_t p[TPKT_HEADER], size_t tpdu_len)
{
	assert(tpdu_len >= TPKT_MIN - TPKT_HEADER && tpdu_len <= TPKT_TPDU_MAX);
	size_t len = tpdu_len + TPKT_HEADER;
	p[0] = TPKT_VERSION;
	p[1] = 0; /* reserved: always zero from us, other values were refused by some peers */
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
}
