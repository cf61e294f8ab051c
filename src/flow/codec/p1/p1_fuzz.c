/* p1_fuzz.c - any octets: an error with a reason, or a message that encodes, prints, packs, and is
 * the same again. */
#include "flow/codec/p1/p1.h"
#include "flow/message/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ber_limits limits = {.depth = 40, .elements = 100000, .bytes = 1 << 20};

static void encode(const struct message *m, struct view content, enum p1_extension_form form,
		   struct out *o)
{
	struct p1_encode_options options = {5, form};
	struct err e;
	if (!p1_encode_head(m, content.n, &options, o, &e))
		check_failed(__FILE__, __LINE__, e.text);
	out_bytes(o, content);
}

/* What was encoded decodes, and encodes to the same octets. */
static void check_stable(const struct message *m, struct view content)
{
	struct arena *a = arena_new(64 << 20);
	struct out first, second;
	struct message back;
	struct view back_content;
	struct err e;
	out_init(&first, SIZE_MAX);
	out_init(&second, SIZE_MAX);
	encode(m, content, P1_EXT_AS_CAME, &first);
	if (!p1_decode(out_view(&first), &back, &back_content, a, &limits, &e))
		check_failed(__FILE__, __LINE__, e.text);
	encode(&back, back_content, P1_EXT_AS_CAME, &second);
	assert(view_eq(out_view(&first), out_view(&second)));
	assert(view_eq(content, back_content));
	assert(m->n_rcpt == back.n_rcpt && m->trace.n == back.trace.n);
	out_fini(&second);
	out_fini(&first);
	arena_free(&a);
}

static void check_packed(const struct message *m, struct view content)
{
	struct arena *a = arena_new(64 << 20);
	struct out packed, first, second;
	struct message back;
	struct err e;
	out_init(&packed, SIZE_MAX);
	out_init(&first, SIZE_MAX);
	out_init(&second, SIZE_MAX);
	pack_message(&packed, m, 0, m->n_rcpt);
	if (!unpack_message(out_view(&packed), &back, a, &e))
		check_failed(__FILE__, __LINE__, e.text);
	encode(m, content, P1_EXT_EXPLICIT, &first);
	encode(&back, content, P1_EXT_EXPLICIT, &second);
	assert(view_eq(out_view(&first), out_view(&second)));
	out_fini(&second);
	out_fini(&first);
	out_fini(&packed);
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = view_of(data, size), content;
	struct arena *a = arena_new(16 << 20);
	struct message m;
	struct err e;
	struct out o;
	if (p1_decode(in, &m, &content, a, &limits, &e)) {
		check_stable(&m, content);
		check_packed(&m, content);
	} else {
		assert(e.kind == ERR_PERM && e.culprit == ERR_OF_MESSAGE && e.reason == 1 &&
		       e.text[0] != '\0');
	}
	arena_reset(a);
	out_init(&o, 1 << 20);
	p1_print(P1_1988, in, size % 2 == 0 ? BER_ASN1 : BER_JSON, 2, a, &limits, &o);
	out_fini(&o);
	arena_free(&a);
	return 0;
}
