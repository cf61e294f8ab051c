/* p1_testing.h - for tests of this folder only: files of the corpus, and envelopes put together by hand from the
 * octets that the clauses give. Include after cmocka.h. */
#pragma once
#include "flow/codec/p1/p1.h"
#include "flow/message/pack.h"

#include "base/text.h"

static const struct ber_limits test_limits = { .depth = 64, .elements = 1000000, .bytes = 16 << 20 };

/* tests/corpus/p1_fuzz/NAME: the APDUs of the captures, `-canonical` the same made definite, primitive and in tag order
 * by a program that is not ours; `-full` written by hand from X.411 with every field, address attribute and extension. */
static inline struct view corpus(const char *name, struct arena *a)
{
	const char *root = getenv("POSTHORN_SOURCE");
	char path[1024];
	snprintf(path, sizeof path, "%s/tests/corpus/p1_fuzz/%s", root == NULL ? "." : root, name);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("%s cannot be read", path);
	static uint8_t buf[1 << 20];
	size_t n = fread(buf, 1, sizeof buf, f);
	fclose(f);
	return arena_copy(a, view_of(buf, n));
}

static inline struct view hex(struct arena *a, const char *digits)
{
	struct out o;
	out_init(&o, 1 << 20);
	assert_true(text_unhex(&o, view_str(digits)));
	struct view v = arena_copy(a, out_view(&o));
	out_fini(&o);
	return v;
}

static inline struct view join(struct arena *a, struct view x, struct view y)
{
	uint8_t *p = arena_get(a, x.n + y.n);
	if (x.n > 0)
		memcpy(p, x.p, x.n);
	if (y.n > 0)
		memcpy(p + x.n, y.p, y.n);
	return view_of(p, x.n + y.n);
}

/* A definite TLV with a one-octet tag. */
static inline struct view tlv(struct arena *a, uint8_t tag, struct view content)
{
	struct out o;
	out_init(&o, 16 << 20);
	ber_put_header(&o, (uint32_t)(tag >> 6) << 30 | (tag & 0x1f), (tag & 0x20) != 0, content.n);
	out_bytes(&o, content);
	struct view v = arena_copy(a, out_view(&o));
	out_fini(&o);
	return v;
}

/* The mandatory elements of a MessageTransferEnvelope, from the p772 capture. */
#define T_ID "6435 6311 61041302 6762 6203130120 1304736d6873 1620 706572636976616c2e733a3035353638303a3230303531303031313133303530"
#define T_ORIGINATOR "6026 3024 610413026762 6203130120 a2061304736d6873 8308706572636976616c a505800367616c"
#define T_CONTENT_TYPE "0608 2b1a00a236000401"
#define T_TRACE "6929 3027 6311 610413026762 6203130120 1304736d6873 3112 800d3035313030313131333035305a 820100"
#define T_NAME "6033 301e 610413026762 6203130120 a2061304736d6873 83096775696e6576657265 3111300f800101a10a1308657468657265616c"
#define T_RCPT "313c" T_NAME "800101 810200f0"
#define T_RCPTS "a23e" T_RCPT

/* [0] { SET { elements }, OCTET STRING 'x' } */
static inline struct view message_of(struct arena *a, const char *elements)
{
	struct view set = tlv(a, 0x31, hex(a, elements));
	return tlv(a, 0xa0, join(a, set, hex(a, "040178")));
}

#define T_PLAIN T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE T_RCPTS

static inline struct message *decoded(struct view apdu, struct view *content_r, struct arena *a)
{
	struct message *m = arena_get(a, sizeof *m);
	struct err e;
	if (!p1_decode(apdu, m, content_r, a, &test_limits, &e))
		fail_msg("%s", e.text);
	return m;
}

static inline struct view encoded(const struct message *m, struct view content, unsigned context,
				  enum p1_extension_form form, struct arena *a)
{
	struct p1_encode_options options = { context, form };
	struct out o;
	struct err e;
	out_init(&o, 64 << 20);
	if (!p1_encode_head(m, content.n, &options, &o, &e))
		fail_msg("%s", e.text);
	if (m->kind == MESSAGE_MESSAGE)
		out_bytes(&o, content);
	struct view v = arena_copy(a, out_view(&o));
	out_fini(&o);
	return v;
}

/* Through the codec and, in between, the store. */
static inline struct view again(struct view apdu, unsigned context, enum p1_extension_form form, struct arena *a)
{
	struct view content;
	struct message *m = decoded(apdu, &content, a), back;
	struct out o;
	struct err e;
	out_init(&o, 64 << 20);
	pack_message(&o, m, 0, m->n_rcpt);
	struct view packed = arena_copy(a, out_view(&o));
	out_fini(&o);
	if (!unpack_message(packed, &back, a, &e))
		fail_msg("%s", e.text);
	return encoded(&back, content, context, form, a);
}

static inline bool contains(struct view v, struct view part)
{
	return part.n == 0 || memmem(v.p, v.n, part.p, part.n) != NULL;
}

/* Some octets around that one, in hexadecimal. */
static inline const char *octets_text(char *buf, size_t size, struct view v, size_t at)
{
	struct out o;
	out_init(&o, 200);
	text_hex(&o, view_first(view_from(v, at < 8 ? 0 : at - 8), 24));
	snprintf(buf, size, "%s", out_cstr(&o));
	out_fini(&o);
	return buf;
}

static inline void assert_octets(struct view found, struct view want)
{
	size_t same = 0;
	while (same < found.n && same < want.n && found.p[same] == want.p[same])
		same++;
	if (same < found.n || same < want.n) {
		char a[100], b[100];
		fail_msg("octets differ at %zu: found %zu octets, want %zu; ...%s... and ...%s...", same, found.n, want.n,
			 octets_text(a, sizeof a, found, same), octets_text(b, sizeof b, want, same));
	}
}
