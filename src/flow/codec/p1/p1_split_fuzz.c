/* p1_split_fuzz.c - a transfer in pieces (sizes from the first octet, whose top bit chooses the tables of 1984) gives what it
 * gives as a whole, and what the whole decoder gives. */
#include "flow/codec/p1/p1.h"
#include "flow/message/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ber_limits limits = {.depth = 40, .elements = 100000, .bytes = 1 << 20};

struct result {
	struct out packed, content;
	enum step last;
	bool ended;
	struct err e;
};

static void run(enum p1_tables tables, struct view in, size_t piece, struct result *r)
{
	struct p1_split *s = p1_split_new(1 << 18, &limits);
	struct arena *a = arena_new(16 << 20);
	p1_split_tables(s, tables);
	out_init(&r->packed, SIZE_MAX);
	out_init(&r->content, SIZE_MAX);
	r->last = STEP_WAIT;
	r->ended = false;
	while (in.n > 0 && r->last == STEP_WAIT) {
		struct view part = view_first(in, piece);
		struct p1_split_event ev;
		in = view_from(in, part.n);
		while ((r->last = p1_split_next(s, &part, &ev, a, &r->e)) == STEP_DONE) {
			if (ev.what == P1_SPLIT_ENVELOPE)
				pack_message(&r->packed, ev.message, 0, ev.message->n_rcpt);
			else if (ev.what == P1_SPLIT_CONTENT)
				out_bytes(&r->content, ev.content);
			else
				r->ended = true;
		}
	}
	if (r->last == STEP_FAIL)
		assert(r->e.kind == ERR_PERM || r->e.kind == ERR_PEER);
	arena_free(&a);
	p1_split_free(&s);
}

static void fini(struct result *r)
{
	out_fini(&r->packed);
	out_fini(&r->content);
}

/* A transfer that ended well decodes in one go to the same message; the splitter asks no less than
 * that. */
static void check_whole(enum p1_tables tables, struct view in, const struct result *r)
{
	struct arena *a = arena_new(64 << 20);
	struct message m;
	struct view content;
	struct out packed;
	struct err e;
	if (!p1_decode_by(tables, in, &m, &content, a, &limits, &e))
		check_failed(__FILE__, __LINE__, e.text);
	out_init(&packed, SIZE_MAX);
	pack_message(&packed, &m, 0, m.n_rcpt);
	assert(view_eq(out_view(&packed), out_view(&r->packed)));
	assert(view_eq(content, out_view(&r->content)));
	out_fini(&packed);
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result whole, parts;
	if (size < 1)
		return 0;
	struct view in = view_of(data + 1, size - 1);
	enum p1_tables tables = (data[0] & 0x80) != 0 ? P1_1984 : P1_1988;
	run(tables, in, SIZE_MAX, &whole);
	run(tables, in, 1 + data[0] % 17u, &parts);
	assert(whole.last == parts.last && whole.ended == parts.ended);
	assert(view_eq(out_view(&whole.packed), out_view(&parts.packed)));
	if (whole.last != STEP_FAIL)
		assert(view_eq(out_view(&whole.content), out_view(&parts.content)));
	else
		assert(whole.e.kind == parts.e.kind && whole.e.diagnostic == parts.e.diagnostic);
	if (whole.ended && whole.last == STEP_WAIT)
		check_whole(tables, in, &whole);
	fini(&whole);
	fini(&parts);
	return 0;
}
