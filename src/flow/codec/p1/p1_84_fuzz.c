/* p1_84_fuzz.c - any octets by the tables of 1984: an error with a reason, or a message that encodes as 1984, prints, and is the
 * same again; and any message, however it came, that can go to 1984 is one of 1984. */
#include "flow/codec/p1/p1.h"
#include "flow/message/downgrade.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ber_limits limits = { .depth = 40, .elements = 100000, .bytes = 1 << 20 };

static const struct gdi domain = { { ORA_PRINTABLE, { (const uint8_t *)"GB", 2 } },
				   { ORA_PRINTABLE, { (const uint8_t *)"ADMD", 4 } },
				   { ORA_PRINTABLE, { (const uint8_t *)"PRMD", 4 } },
				   true };

/* False: it has no form of 1984, and says so. */
static bool encode(const struct message *m, struct view content, struct out *o)
{
	const struct p1_encode_options options = { .as_1984 = true, .keep_internal_trace = true, .domain = &domain };
	struct err e;
	if (!p1_encode_head(m, content.n, &options, o, &e)) {
		assert(e.kind == ERR_PERM && e.reason == 2 && e.diagnostic == 47 && e.text[0] != '\0');
		return false;
	}
	out_bytes(o, content);
	return true;
}

/* What is of 1984 stays so, octet for octet. */
static void check_stable(const struct message *m, struct view content)
{
	struct arena *a = arena_new(64 << 20);
	struct out first, second;
	struct message back;
	struct view back_content;
	struct err e;
	out_init(&first, SIZE_MAX);
	out_init(&second, SIZE_MAX);
	if (encode(m, content, &first)) {
		if (!p1_decode_by(P1_1984, out_view(&first), &back, &back_content, a, &limits, &e))
			check_failed(__FILE__, __LINE__, e.text);
		assert(m->n_rcpt == back.n_rcpt && m->trace.n == back.trace.n);
		assert(back.ext.n == 0 && back.latest_raw.n == 0);
		if (!encode(&back, back_content, &second))
			check_failed(__FILE__, __LINE__, "what is of 1984 does not encode");
		assert(view_eq(out_view(&first), out_view(&second)));
		if (!upgrade_message(&back, &domain, a))
			check_failed(__FILE__, __LINE__, "the arena is full");
	}
	out_fini(&second);
	out_fini(&first);
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = view_of(data, size), content;
	struct arena *a = arena_new(16 << 20);
	struct message m;
	struct err e;
	struct out o;
	for (enum p1_tables tables = P1_1988; tables <= P1_1984; tables++) {
		arena_reset(a);
		if (p1_decode_by(tables, in, &m, &content, a, &limits, &e))
			check_stable(&m, content);
		else
			assert(e.kind == ERR_PERM && e.culprit == ERR_OF_MESSAGE && e.reason == 1 && e.text[0] != '\0');
	}
	arena_reset(a);
	out_init(&o, 1 << 20);
	p1_print(P1_1984, in, size % 2 == 0 ? BER_ASN1 : BER_JSON, 2, a, &limits, &o);
	out_fini(&o);
	arena_free(&a);
	return 0;
}
