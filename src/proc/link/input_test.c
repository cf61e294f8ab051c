/* input_test.c - what peers send, from the first octet on: held back, named, decoded or not, taken, counted. Reasons and
 * diagnostics are X.411's: 0/14 transfer-failure, protocol-violation; 1/7 content-too-long; 1/13 too-many-recipients and
 * other limits; 1/14 protocol-violation. */
#include "proc/link/link_testing.h"

#include <malloc.h>

#include "base/fault.h"
#include "base/mem.h"
#include "proc/link/link_int.h"

/* --- a sender without an association: octets in any pieces --- */

struct feed {
	struct inbound in;
	bool stalled;
	unsigned answers;
	struct err refused;
};

static void feed_stall(struct inbound *in, bool stalled)
{
	CONTAINER(in, struct feed, in)->stalled = stalled;
}

static void feed_answered(struct inbound *in, const struct err *refused)
{
	struct feed *f = CONTAINER(in, struct feed, in);
	f->answers++;
	if (refused != NULL)
		f->refused = *refused;
}

static const struct inbound_sender feeder = { .stall = feed_stall, .answered = feed_answered };

/* All of it in pieces of `chunk` (0: at once), with credit as the switch would give it. */
static void feed(struct world *w, struct feed *f, struct view octets, size_t chunk)
{
	w->data = 0;
	uint64_t credited = 0;
	inbound_begin(&f->in, "to-a", "127.0.0.1:4711", P1_1988);
	for (size_t at = 0; at < octets.n;) {
		const struct view part = view_first(view_from(octets, at), chunk == 0 ? octets.n : chunk);
		inbound_octets(&f->in, part);
		at += part.n;
		while (f->stalled) {
			fake_env_settle(w->env);
			const uint64_t more = w->data - credited;
			assert_true(more > 0 && more <= MSG_CREDIT);
			credited += more;
			say_count(w, MSG_OFFER_CREDIT, w->offer.offer, more);
		}
	}
	inbound_end(&f->in);
	fake_env_settle(w->env);
}

static void feed_begin(struct feed *f, struct world *w)
{
	*f = (struct feed){ 0 };
	inbound_init(&f->in, w->link, &feeder);
}

static struct out an_apdu(struct world *w, size_t size)
{
	struct out o;
	out_init(&o, SIZE_MAX / 2);
	encode_apdu(letter(w), size, &o);
	return o;
}

/* An idle sender keeps the first pages of its buffers, to save the next message an allocation. */
static void assert_holds_nothing(const struct world *w)
{
	assert_in_range(w->link->held, 0, 4096);
}

/* FNV-1a 64, test vectors of its authors (draft-eastlake-fnv, appendix): "", "a", "foobar". */
static void test_the_hash_is_fnv_1a(void **state)
{
	(void)state;
	assert_true(suspects_hash(VIEW("")) == UINT64_C(0xcbf29ce484222325));
	assert_true(suspects_hash(VIEW("a")) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(suspects_hash(VIEW("foobar")) == UINT64_C(0x85944171f73967e8));
}

static void test_any_chunking_gives_the_same_hash_and_the_same_offer(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0, 10, 400, 2000, 16384, 16385, 70000 }, chunks[] = { 1, 2, 3, 7, 511, 512, 513, 4096, 40000, 0 };
	struct world *w = world_new();
	struct feed f;
	feed_begin(&f, w);
	struct view packed = { NULL, 0 };
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (size_t k = 0; k < ARRAY_LEN(chunks); k++) {
			struct out o = an_apdu(w, sizes[i]);
			const unsigned offers = w->n_offers, begins = w->n_begins;
			feed(w, &f, out_view(&o), chunks[k]);
			const bool inline_ = sizes[i] <= MSG_INLINE_MAX;
			assert_int_equal(w->n_offers - offers, inline_ ? 1 : 0);
			assert_int_equal(w->n_begins - begins, inline_ ? 0 : 1);
			assert_int_equal(inline_ ? w->offer.content.n : w->end_total, sizes[i]);
			assert_int_equal(inline_ ? 0 : out_len(&w->streamed), inline_ ? 0 : sizes[i]);
			assert_true(w->offer.hash == suspects_hash(view_first(out_view(&o), 512)));
			assert_false(w->offer.octets);
			assert_int_equal(w->offer.examined, 0);
			assert_true(packed.p == NULL || view_eq(packed, w->offer.packed));
			packed = w->offer.packed;
			say_answer(w, true);
			out_fini(&o);
		}
	assert_int_equal(f.answers, ARRAY_LEN(sizes) * ARRAY_LEN(chunks));
	assert_int_equal(f.refused.kind, ERR_NONE);
	inbound_fini(&f.in);
	world_free(w);
}

/* Cut inside the envelope: the octets as they are. Cut after it: spoiled. Nothing is ever refused. */
static void test_op_10_cut_at_every_offset(void **state)
{
	(void)state;
	enum { SIZE = 700, CONTENT_HEADER = 4 /* 04 82 02 bc */ };
	struct world *w = world_new();
	struct feed f;
	feed_begin(&f, w);
	struct out o = an_apdu(w, SIZE);
	const size_t envelope_end = out_len(&o) - SIZE - CONTENT_HEADER;
	for (size_t cut = 0; cut < out_len(&o); cut++) {
		const struct view octets = view_first(out_view(&o), cut);
		const unsigned offers = w->n_offers, spoiled = w->n_spoiled;
		feed(w, &f, octets, cut % 2 == 0 ? 1 : 0);
		assert_true(w->offer.hash == suspects_hash(view_first(octets, 512)));
		if (cut < envelope_end) {
			assert_int_equal(w->n_offers - offers, 1);
			assert_true(w->offer.octets);
			assert_int_equal(w->offer.packed.n, 0);
			assert_true(view_eq(w->offer.content, octets));
			assert_int_equal(w->offer.err.kind, ERR_PERM);
			assert_int_equal(w->offer.err.diagnostic, 14);
		} else {
			const size_t content = cut < envelope_end + CONTENT_HEADER ? 0 : cut - envelope_end - CONTENT_HEADER;
			assert_int_equal(w->n_spoiled - spoiled, 1);
			assert_false(w->offer.octets);
			assert_int_equal(w->spoiled.n, content);
			assert_int_equal(w->spoiled.err.reason, 0);
			assert_int_equal(w->spoiled.err.diagnostic, 14);
		}
		say_answer(w, true);
	}
	assert_int_equal(f.answers, out_len(&o));
	assert_int_equal(f.refused.kind, ERR_NONE);
	out_fini(&o);
	inbound_fini(&f.in);
	world_free(w);
}

/* --- what cannot be decoded --- */

static void test_op_10_what_is_no_message_is_taken_as_octets(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	peer_sends_octets(p, VIEW("this is not a message"));
	assert_int_equal(w->n_offers, 1);
	assert_true(w->offer.octets);
	assert_true(view_eq(w->offer.content, VIEW("this is not a message")));
	assert_true(view_eq(w->offer.link, VIEW("to-a")));
	assert_int_equal(w->offer.err.kind, ERR_PEER);
	assert_true(w->offer.hash == suspects_hash(VIEW("this is not a message")));
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 0);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 1);
	peer_sends(p, 100, 0); /* the next one flows */
	assert_false(w->offer.octets);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 2);
	assert_int_equal(w->downs, 0);
	world_free(w);
}

/* What was sent, octet for octet, under credits. */
static void assert_taken_as_it_came(struct world *w, struct peer *p, struct view octets)
{
	const unsigned ends = w->n_ends, confirmed = p->seen[X400_TRANSFER_CONFIRMED];
	w->data = 0;
	peer_sends_octets(p, octets);
	for (uint64_t credited = 0; w->n_ends == ends;) {
		assert_true(w->data > credited && w->data - credited <= MSG_CREDIT);
		const uint64_t more = w->data - credited;
		credited = w->data;
		say_count(w, MSG_OFFER_CREDIT, w->offer.offer, more);
	}
	assert_true(w->offer.octets);
	assert_true(view_eq(out_view(&w->streamed), octets));
	assert_int_equal(w->end_total, octets.n);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED] - confirmed, 1);
}

static void test_op_10_long_octets_are_streamed_as_they_came(void **state)
{
	(void)state;
	enum { SIZE = 3 << 20 };
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	uint8_t *octets = mem_zero(SIZE);
	for (size_t i = 0; i < SIZE; i++)
		octets[i] = (uint8_t)(i * 7 + i / 256);
	assert_taken_as_it_came(w, p, view_of(octets, SIZE)); /* no BER from the first octet on */
	static const uint8_t head[] = { 0xa0, 0x80, 0x31, 0x84, 0, 0x1f, 0xff, 0xf0, 0x1f }; /* an envelope of 2 MB of nonsense */
	memcpy(octets, head, sizeof head);
	assert_taken_as_it_came(w, p, view_of(octets, SIZE));
	assert_int_equal(w->offer.err.kind, ERR_PERM);
	octets[4] = 0x7f; /* one of 2 GB: over limits.envelope */
	assert_taken_as_it_came(w, p, view_of(octets, SIZE));
	assert_int_equal(w->offer.err.diagnostic, 13);
	assert_holds_nothing(w);
	free(octets);
	world_free(w);
}

/* A million OCTET STRINGs, one in another: as the envelope's only element, and as the content. Neither costs memory. */
static void test_op_11_nested_octet_strings(void **state)
{
	(void)state;
	enum { DEPTH = 1000000 };
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	struct out o = an_apdu(w, 300), bomb;
	out_init(&bomb, SIZE_MAX / 2);
	out_bytes(&bomb, VIEW("\xa0\x80\x31\x80"));
	for (unsigned i = 0; i < DEPTH; i++)
		out_bytes(&bomb, VIEW("\x24\x80"));
	assert_taken_as_it_came(w, p, out_view(&bomb));
	out_clear(&bomb);
	size_t at = out_len(&o) - 300 - 4; /* the content's header, 04 82 01 2c */
	out_bytes(&bomb, VIEW("\x28\x80\x02\x01\x05\xa0\x80\xa0\x80"));
	size_t set = 0; /* the envelope as it is, in wrappers of indefinite length */
	while (out_view(&o).p[set] != 0x31)
		set++;
	out_bytes(&bomb, view_of(out_view(&o).p + set, at - set));
	for (unsigned i = 0; i < DEPTH; i++)
		out_bytes(&bomb, VIEW("\x24\x80"));
	peer_sends_octets(p, out_view(&bomb));
	assert_int_equal(w->n_spoiled, 1);
	assert_false(w->offer.octets);
	assert_int_equal(w->spoiled.n, 0);
	assert_int_equal(w->spoiled.err.reason, 0);
	assert_int_equal(w->spoiled.err.diagnostic, 14);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 2);
	out_fini(&o);
	out_fini(&bomb);
	world_free(w);
}

/* 2^31 octets are announced: of content, of an envelope, of everything. */
static void test_op_11_a_length_of_2_31(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	struct out o = an_apdu(w, 300), lie;
	out_init(&lie, SIZE_MAX / 2);
	size_t at = out_len(&o) - 300 - 4, set = 0;
	while (out_view(&o).p[set] != 0x31)
		set++;
	out_bytes(&lie, VIEW("\xa0\x80"));
	out_bytes(&lie, view_of(out_view(&o).p + set, at - set));
	out_bytes(&lie, VIEW("\x04\x84\x80\x00\x00\x00 some content"));
	peer_sends_octets(p, out_view(&lie));
	assert_int_equal(w->n_spoiled, 1);
	assert_int_equal(w->spoiled.n, 13);
	say_answer(w, true);
	peer_sends_octets(p, VIEW("\xa0\x80\x31\x84\x80\x00\x00\x00 some envelope"));
	assert_true(w->offer.octets);
	assert_int_equal(w->offer.err.diagnostic, 13);
	say_answer(w, true);
	peer_sends_octets(p, VIEW("\x28\x84\x80\x00\x00\x00\xa0\x84\x7f\xff\xff\x00 some apdu"));
	assert_true(w->offer.octets);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 3);
	out_fini(&o);
	out_fini(&lie);
	world_free(w);
}

static void test_content_that_is_no_octet_string_spoils_it(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	struct out o = an_apdu(w, 300);
	o.p[out_len(&o) - 304] = 0x24; /* constructed, and in it are no OCTET STRINGs (X.690 8.7.3.2) */
	peer_sends_octets(p, out_view(&o));
	assert_int_equal(w->n_offers, 0);
	assert_int_equal(w->n_spoiled, 1);
	assert_int_equal(w->spoiled.offer, w->offer.offer);
	assert_int_equal(w->spoiled.err.reason, 0);
	assert_int_equal(w->spoiled.err.diagnostic, 14);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 1);
	out_fini(&o);
	world_free(w);
}

static struct message *letter_to(struct world *w, size_t n)
{
	struct message *m = letter(w);
	struct recipient first = m->rcpt[0];
	m->rcpt = arena_array(w->a, n, sizeof *m->rcpt);
	m->n_rcpt = n;
	for (size_t i = 0; i < n; i++) {
		m->rcpt[i] = first;
		m->rcpt[i].number = (uint32_t)(i % 32767) + 1;
	}
	return m;
}

/* X.411 ub-recipients is 32767. */
static void test_most_recipients_are_taken_and_one_more_is_octets(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	struct out o;
	out_init(&o, SIZE_MAX / 2);
	encode_apdu(letter_to(w, 32767), 100, &o);
	peer_sends_octets(p, out_view(&o));
	assert_int_equal(w->n_begins, 1); /* a long envelope is not kept while the content comes */
	assert_int_equal(w->n_ends, 1);
	assert_false(w->offer.octets);
	assert_true(w->offer.packed.n > 32767);
	assert_holds_nothing(w);
	say_answer(w, true);
	out_clear(&o);
	encode_apdu(letter_to(w, 32768), 100, &o);
	assert_taken_as_it_came(w, p, out_view(&o));
	assert_int_equal(w->offer.err.diagnostic, 13);
	out_fini(&o);
	world_free(w);
}

/* Both end at limits.message, and say so. */
static void test_what_is_longer_than_the_limit_is_cut_there(void **state)
{
	(void)state;
	struct world *w = world_new_with("associations: 2, message: 100 K");
	struct peer *p = call(w, 0);
	peer_sends(p, 200000, 0);
	assert_int_equal(w->n_spoiled, 1);
	assert_int_equal(w->spoiled.n, 100 * 1024);
	assert_int_equal(out_len(&w->streamed), 100 * 1024);
	assert_int_equal(w->spoiled.err.reason, 1);
	assert_int_equal(w->spoiled.err.diagnostic, 7);
	say_answer(w, true);
	uint8_t *octets = mem_zero(200000);
	peer_sends_octets(p, view_of(octets, 200000));
	assert_int_equal(w->n_spoiled, 2);
	assert_true(w->offer.octets);
	assert_int_equal(w->spoiled.n, 100 * 1024);
	assert_non_null(strstr(w->spoiled.err.text, "limits.message"));
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 2);
	peer_sends(p, 100 * 1024, 0); /* exactly */
	assert_int_equal(w->n_ends, 1);
	free(octets);
	world_free(w);
}

/* --- suspects --- */

static void test_a_suspect_is_not_decoded_but_offered_as_octets(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	struct out o = an_apdu(w, 1000), long_one = an_apdu(w, 50000);
	const uint64_t hash = suspects_hash(view_first(out_view(&o), 512));
	say_suspect(w, hash, 1);
	peer_sends_octets(p, out_view(&o));
	assert_int_equal(w->n_offers, 1);
	assert_true(w->offer.octets);
	assert_int_equal(w->offer.err.kind, ERR_NONE);
	assert_true(w->offer.hash == hash);
	assert_true(view_eq(w->offer.content, out_view(&o)));
	assert_int_equal(out_len(&w->notes), 0);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 1);
	peer_sends_octets(p, out_view(&long_one)); /* another input of the same link */
	assert_false(w->offer.octets);
	say_answer(w, true);
	say_suspect(w, hash, 0);
	peer_sends_octets(p, out_view(&o));
	assert_false(w->offer.octets);
	say_answer(w, true);
	say_suspect(w, 0, 3); /* all inputs of that link */
	assert_taken_as_it_came(w, p, out_view(&long_one));
	assert_int_equal(w->offer.err.kind, ERR_NONE);
	peer_sends_octets(p, out_view(&o));
	assert_true(w->offer.octets);
	say_answer(w, true);
	say_suspect(w, 0, 0);
	peer_sends_octets(p, out_view(&o));
	assert_false(w->offer.octets);
	out_fini(&o);
	out_fini(&long_one);
	world_free(w);
}

static void test_more_suspects_than_there_is_room_for(void **state)
{
	(void)state;
	struct world *w = world_new();
	for (uint64_t i = 1; i <= SUSPECTS_MAX + 10; i++)
		suspects_set(w->link, &(struct msg_suspect){ .link = VIEW("to-a"), .hash = i, .strikes = 1 });
	suspects_set(w->link, &(struct msg_suspect){ .link = VIEW("gone"), .hash = 5000, .strikes = 1 });
	assert_false(suspects_has(w->link, "to-a", 10)); /* the oldest is forgotten */
	assert_true(suspects_has(w->link, "to-a", 11));
	assert_true(suspects_has(w->link, "to-a", SUSPECTS_MAX + 10));
	assert_false(suspects_has(w->link, "to-b", 11));
	world_free(w);
}

static bool has_noted(struct world *w, const char *note)
{
	char line[128];
	snprintf(line, sizeof line, "%s\n", note);
	return strstr(out_cstr(&w->notes), line) != NULL;
}

static void test_what_is_decoded_and_encoded_is_noted_and_forgotten(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	char note[64];
	peer_sends(p, 100000, 0);
	snprintf(note, sizeof note, "input to-a %016llx", (unsigned long long)w->offer.hash);
	assert_true(has_noted(w, note));
	assert_int_equal(out_view(&w->notes).p[out_len(&w->notes) - 2], '\n'); /* the last note is empty */
	out_clear(&w->notes);
	say_open(w, 5);
	assert_int_equal(out_len(&w->notes), 0); /* no message, no note */
	say_transfer(w, 70, 5, 100);
	assert_true(has_noted(w, "transfer 1070"));
	assert_int_equal(out_view(&w->notes).p[out_len(&w->notes) - 2], '\n');
	world_free(w);
}

static void test_a_decoder_that_fails_quarantines_and_an_encoder_that_fails_charges(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	struct err e;
	assert_true(fault_plan("LINK_DECODE:@letter-1:fail,LINK_ENCODE:@letter-1:fail", &e));
	struct out o = an_apdu(w, 100);
	peer_sends_octets(p, out_view(&o));
	say_open(w, 5);
	say_transfer(w, 70, 5, 100);
	assert_true(fault_plan(NULL, &e));
	assert_true(w->offer.octets);
	assert_true(view_eq(w->offer.content, out_view(&o)));
	assert_int_equal(w->n_results, 1);
	assert_int_equal(w->results[0].err.culprit, ERR_OF_MESSAGE);
	out_fini(&o);
	world_free(w);
}

/* --- alone --- */

static void test_examined_octets_become_an_offer(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct out o = an_apdu(w, 1000);
	say_examine(w, 9, 77, out_len(&o), out_view(&o));
	assert_int_equal(w->n_pulls, 0);
	assert_int_equal(w->n_offers, 1);
	assert_false(w->offer.octets);
	assert_int_equal(w->offer.examined, 9);
	assert_int_equal(w->offer.hash, 77); /* the switch's name for it */
	assert_int_equal(w->offer.content.n, 1000);
	assert_true(view_eq(w->offer.link, VIEW("to-a")));
	assert_true(view_eq(w->offer.peer, VIEW("127.0.0.1:4711")));
	assert_true(has_noted(w, "input to-a 000000000000004d"));
	assert_int_equal(w->n_examined, 0);
	say_answer(w, true);
	assert_int_equal(w->n_examined, 1);
	assert_int_equal(w->examined.examine, 9);
	assert_true(w->examined.offered);
	say_suspect(w, 0, 1); /* it is what suspects are examined with */
	say_examine(w, 10, 78, out_len(&o), out_view(&o));
	assert_false(w->offer.octets);
	say_answer(w, false);
	assert_int_equal(w->n_examined, 2);
	assert_false(w->examined.offered);
	assert_int_equal(w->examined.err.kind, ERR_TEMP);
	out_fini(&o);
	world_free(w);
}

/* Pieces of every size, under both sides' credits. */
static void test_examined_octets_are_pulled(void **state)
{
	(void)state;
	enum { SIZE = 700000 };
	struct world *w = world_new();
	struct out o = an_apdu(w, SIZE);
	say_examine(w, 9, 77, out_len(&o), (struct view){ NULL, 0 });
	uint64_t given = 0, credited = 0;
	for (size_t piece = 1; given < out_len(&o); piece += piece) {
		if (given == w->pulled) { /* out of credit: it asks for nothing more */
			const uint64_t more = w->data - credited;
			assert_int_equal(more, MSG_CREDIT);
			credited += more;
			say_count(w, MSG_OFFER_CREDIT, w->offer.offer, more);
		}
		const uint64_t asked = w->pulled - given;
		assert_true(asked > 0 && asked <= MSG_PIECE_MAX);
		const size_t n = piece < asked ? piece : (size_t)asked;
		say_piece(w, 9, view_first(view_from(out_view(&o), (size_t)given), n));
		given += n;
	}
	assert_int_equal(w->n_begins, 1);
	assert_int_equal(w->offer.examined, 9);
	if (w->n_ends == 0)
		say_count(w, MSG_OFFER_CREDIT, w->offer.offer, MSG_CREDIT);
	assert_int_equal(w->n_ends, 1);
	assert_int_equal(w->end_total, SIZE);
	say_answer(w, true);
	assert_true(w->examined.offered);
	assert_holds_nothing(w);
	out_fini(&o);
	world_free(w);
}

static void test_examined_octets_that_are_no_message(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_examine(w, 9, 77, 9, VIEW("no letter"));
	assert_int_equal(w->n_offers, 0); /* they are in the store already */
	assert_int_equal(w->n_examined, 1);
	assert_false(w->examined.offered);
	assert_int_equal(w->examined.err.kind, ERR_PEER);
	say_examine(w, 10, 77, 100000, (struct view){ NULL, 0 });
	uint8_t octets[50000] = { 0 };
	say_piece(w, 10, view_of(octets, sizeof octets)); /* half of it is enough to know */
	say_piece(w, 10, view_of(octets, MSG_PIECE_MAX - sizeof octets));
	assert_int_equal(w->n_examined, 2);
	assert_int_equal(w->examined.examine, 10);
	assert_int_equal(w->n_pulls, 1);
	struct out o = an_apdu(w, 1000);
	say_examine(w, 11, 77, out_len(&o) - 10, view_first(out_view(&o), out_len(&o) - 10));
	assert_int_equal(w->n_spoiled, 1);
	say_answer(w, true);
	assert_true(w->examined.offered);
	say_examine(w, 12, 77, 100000, (struct view){ NULL, 0 });
	say_piece(w, 12, (struct view){ NULL, 0 }); /* the store cannot read it */
	assert_int_equal(w->examined.examine, 12);
	assert_int_equal(w->examined.err.kind, ERR_TEMP);
	assert_int_equal(w->closed, 0);
	out_fini(&o);
	world_free(w);
}

static void test_two_examinations_at_once_are_nonsense(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_examine(w, 9, 77, 100000, (struct view){ NULL, 0 });
	say_examine(w, 10, 78, 100000, (struct view){ NULL, 0 });
	assert_true(w->closed > 0);
	switch_leaves(w);
	switch_joins(w);
	struct out o = an_apdu(w, 10);
	say_examine(w, 11, 79, out_len(&o), out_view(&o)); /* the new switch's is taken */
	assert_int_equal(w->n_offers, 1);
	out_fini(&o);
	world_free(w);
}

/* --- nothing can be taken --- */

static void test_op_02_busy_is_told_in_the_protocol(void **state)
{
	(void)state;
	struct world *w = world_new_with("associations: 4");
	struct peer *p = call(w, 0), *q = call(w, 1);
	peer_begins(q, 2000, VIEW("\xa0\x80")); /* under way */
	say_open(w, 5);
	say_busy(w, true);
	assert_int_equal(call(w, 3)->bind_error, X400_BUSY);
	assert_true(was_told(w, "link.busy"));
	peer_sends(p, 100, 0);
	assert_int_equal(w->n_offers, 0);
	assert_int_equal(p->seen[X400_ENDED], 1); /* not refused: the peer would count that against the message */
	uint8_t rest[1998] = { 0 };
	out_bytes(&q->to_send, view_of(rest, sizeof rest));
	peer_pump(q);
	fake_env_settle(w->env);
	assert_int_equal(w->n_offers, 1);
	say_answer(w, true);
	assert_int_equal(q->seen[X400_TRANSFER_CONFIRMED], 1);
	say_transfer(w, 70, 5, 100); /* what goes out goes on */
	assert_true(w->results[0].delivered);
	struct out o = an_apdu(w, 10);
	say_examine(w, 9, 77, out_len(&o), out_view(&o)); /* and what is in the store already is no more than before */
	assert_int_equal(w->offer.examined, 9);
	say_answer(w, true);
	say_busy(w, false);
	p = call(w, 4);
	peer_sends(p, 100, 0);
	assert_int_equal(w->n_offers, 3);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 1);
	out_fini(&o);
	world_free(w);
}

/* An envelope of 4 MB of which 1.5 MB come. */
static void begins_a_large_envelope(struct peer *p)
{
	enum { PART = 3 << 19 };
	uint8_t *octets = mem_zero(PART);
	memcpy(octets, "\xa0\x84\x00\x40\x00\x06\x31\x84\x00\x40\x00\x00", 12);
	peer_begins(p, 5 << 20, view_of(octets, PART));
	free(octets);
}

static void test_op_02_memory_is_shared_out_and_comes_back(void **state)
{
	(void)state;
	struct world *w = world_new_with("associations: 30, memory: 16 M");
	unsigned n = 0;
	while (!was_told(w, "link.memory")) {
		assert_true(n < 20);
		begins_a_large_envelope(call(w, n++));
		assert_true(w->link->held <= 17 << 20);
	}
	assert_true(n >= 3);
	assert_int_equal(call(w, n)->bind_error, X400_BUSY);
	struct peer *last = &w->peer[n - 1];
	uint8_t *rest = mem_zero(5 << 20);
	out_bytes(&last->to_send, view_of(rest, (5 << 20) - (3 << 19)));
	last->total = 0;
	peer_pump(last);
	fake_env_settle(w->env);
	assert_int_equal(last->seen[X400_ENDED], 1); /* for now; a refused transfer would count against its message */
	assert_true(w->link->held > 12 << 20);
	assert_false(was_told(w, "link.memory-free")); /* under three quarters it is */
	for (unsigned i = 0; i < n - 1; i++) {
		stream_close(&w->peer[i].stream, false);
		fake_env_settle(w->env);
	}
	assert_true(was_told(w, "link.memory-free"));
	assert_holds_nothing(w);
	last = call(w, n + 1);
	assert_int_equal(last->seen[X400_BOUND], 1);
	peer_sends(last, 100, 0);
	say_answer(w, true);
	assert_int_equal(last->seen[X400_TRANSFER_CONFIRMED], 1);
	free(rest);
	world_free(w);
}

/* It would never fit: temporary would be for ever. */
static void test_what_needs_more_than_half_is_taken_as_octets(void **state)
{
	(void)state;
	enum { SIZE = 7 << 20 };
	struct world *w = world_new_with("associations: 30, memory: 16 M");
	struct peer *p = call(w, 0);
	uint8_t *octets = mem_zero(SIZE);
	memcpy(octets, "\xa0\x84\x00\x6f\xff\xfa\x31\x84\x00\x6f\xff\xf4", 12);
	assert_taken_as_it_came(w, p, view_of(octets, SIZE));
	assert_non_null(strstr(w->offer.err.text, "limits.memory"));
	assert_false(was_told(w, "link.memory"));
	assert_holds_nothing(w);
	free(octets);
	world_free(w);
}

static void test_k271568_a_limit_over_the_descriptors_is_clamped(void **state)
{
	(void)state;
	struct world *w = world_new_with("associations: 500");
	link_clamp(w->link, 1024);
	assert_false(was_told(w, "link.associations-clamped"));
	link_clamp(w->link, 66);
	assert_true(was_told(w, "link.associations-clamped"));
	assert_true(was_told(w, "500"));
	assert_int_equal(call(w, 0)->seen[X400_BOUND], 1);
	assert_int_equal(call(w, 1)->seen[X400_BOUND], 1);
	assert_int_equal(call(w, 2)->bind_error, X400_BUSY);
	world_free(w);
}

/* --- failed connects leave nothing --- */

struct counters {
	size_t associations, inbound, by_id, by_offer, by_transfer, held, memory;
};

static struct counters counters_of(struct world *w)
{
	const struct link *l = w->link;
	struct counters c = { .inbound = l->n_inbound, .by_id = l->by_id.n, .by_offer = l->by_offer.n, .by_transfer = l->by_transfer.n,
			      .held = l->held, .memory = mallinfo2().uordblks };
	for (const struct assoc *a = l->assocs; a != NULL; a = a->next)
		c.associations++;
	for (const struct assoc *a = l->graves; a != NULL; a = a->next)
		c.associations++;
	return c;
}

static void assert_same(struct counters before, struct counters after)
{
	assert_int_equal(after.associations, before.associations);
	assert_int_equal(after.inbound, before.inbound);
	assert_int_equal(after.by_id, before.by_id);
	assert_int_equal(after.by_offer, before.by_offer);
	assert_int_equal(after.by_transfer, before.by_transfer);
	assert_int_equal(after.held, before.held);
	assert_in_range(after.memory, 0, before.memory + 16 * 1024); /* a free list's worth; with ASan it is always 0 */
}

/* A caller that says nothing, nonsense, half a connect, or a bind we refuse; and goes, or waits to be closed. */
static void misconfigured(struct world *w, unsigned kind)
{
	static const char *const said[] = { "", "GET / HTTP/1.0\r\n\r\n", "\3\0\0\x16\x11\xe0", "\3\0\0\x16\x11\xe0\0\0\0\1\0\xc0\1\x0a\xc1\1\1\xc2\2\2\2" };
	static const size_t said_n[] = { 0, 18, 6, 21 };
	struct stream *ours, *theirs;
	if (kind == 4) {
		struct x400_config c = peer_config(SESSION_INITIATOR);
		c.session.called_tsel = VIEW("OURS");
		c.session.send_tsel = true;
		c.own.mta_name = VIEW("nobody");
		struct peer *p = call_with(w, 1, &c);
		if (p->stream != NULL)
			stream_close(&p->stream, false);
		fake_env_settle(w->env);
		peer_free(p);
		return;
	}
	fake_env_pair(w->env, &ours, &theirs);
	link_accepted(w->link, theirs, false);
	stream_write(ours, view_of(said[kind], said_n[kind]));
	fake_env_settle(w->env);
	stream_close(&ours, false);
	fake_env_settle(w->env);
}

static void test_k152951_a_storm_of_misconfigured_connects_leaves_nothing(void **state)
{
	(void)state;
	struct world *w = world_new();
	for (unsigned i = 0; i < 100; i++)
		misconfigured(w, i % 5);
	const struct counters before = counters_of(w);
	for (unsigned i = 0; i < 2000; i++)
		misconfigured(w, i % 5);
	assert_same(before, counters_of(w));
	assert_int_equal(before.associations, 0);
	assert_int_equal(call(w, 0)->seen[X400_BOUND], 1);
	world_free(w);
}

static void test_k193894_k229643_connects_that_fail_leave_nothing(void **state)
{
	(void)state;
	struct world *w = world_new();
	listener_close(&w->listener); /* nobody is there */
	struct counters before = { 0 };
	for (unsigned i = 0; i < 2100; i++) {
		if (i == 100)
			before = counters_of(w);
		say_open(w, i + 1);
		assert_int_equal(w->downs, i + 1);
		if (i % 100 == 99)
			arena_reset(w->heard);
	}
	assert_same(before, counters_of(w));
	assert_int_equal(before.associations, 0);
	world_free(w);
}

/* A caller who came while there was no switch is not paused. It is not taken in before the next one, which may need long to
 * open its store, has said which inputs are suspect. */
static void test_nothing_is_taken_before_the_suspects_are_known(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct stream *ours, *theirs;
	switch_leaves(w);
	fake_env_pair(w->env, &ours, &theirs);
	link_accepted(w->link, theirs, false);
	switch_connects(w);
	struct x400_config c = peer_config(SESSION_INITIATOR);
	c.session.called_tsel = VIEW("OURS");
	c.session.send_tsel = true;
	struct peer *p = call_on(w, 0, &c, ours);
	assert_int_equal(p->bind_error, X400_BUSY);
	say_busy(w, false);
	assert_int_equal(call(w, 1)->seen[X400_BOUND], 1);
	world_free(w);
}

/* What an association has counted goes with it, else limits.memory is used up by those that are no more. */
static void test_associations_that_have_brought_mail_leave_nothing(void **state)
{
	(void)state;
	struct world *w = world_new();
	for (unsigned i = 0; i < 20; i++) {
		struct peer *p = call(w, 0);
		peer_sends(p, 100, 0);
		say_answer(w, true);
		assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 1);
		stream_close(&p->stream, false);
		fake_env_settle(w->env);
		peer_free(p);
		assert_int_equal(w->link->held, 0);
	}
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_hash_is_fnv_1a),
		cmocka_unit_test(test_any_chunking_gives_the_same_hash_and_the_same_offer),
		cmocka_unit_test(test_op_10_cut_at_every_offset),
		cmocka_unit_test(test_op_10_what_is_no_message_is_taken_as_octets),
		cmocka_unit_test(test_op_10_long_octets_are_streamed_as_they_came),
		cmocka_unit_test(test_op_11_nested_octet_strings),
		cmocka_unit_test(test_op_11_a_length_of_2_31),
		cmocka_unit_test(test_content_that_is_no_octet_string_spoils_it),
		cmocka_unit_test(test_most_recipients_are_taken_and_one_more_is_octets),
		cmocka_unit_test(test_what_is_longer_than_the_limit_is_cut_there),
		cmocka_unit_test(test_a_suspect_is_not_decoded_but_offered_as_octets),
		cmocka_unit_test(test_more_suspects_than_there_is_room_for),
		cmocka_unit_test(test_what_is_decoded_and_encoded_is_noted_and_forgotten),
		cmocka_unit_test(test_a_decoder_that_fails_quarantines_and_an_encoder_that_fails_charges),
		cmocka_unit_test(test_examined_octets_become_an_offer),
		cmocka_unit_test(test_examined_octets_are_pulled),
		cmocka_unit_test(test_examined_octets_that_are_no_message),
		cmocka_unit_test(test_two_examinations_at_once_are_nonsense),
		cmocka_unit_test(test_op_02_busy_is_told_in_the_protocol),
		cmocka_unit_test(test_op_02_memory_is_shared_out_and_comes_back),
		cmocka_unit_test(test_what_needs_more_than_half_is_taken_as_octets),
		cmocka_unit_test(test_k271568_a_limit_over_the_descriptors_is_clamped),
		cmocka_unit_test(test_k152951_a_storm_of_misconfigured_connects_leaves_nothing),
		cmocka_unit_test(test_k193894_k229643_connects_that_fail_leave_nothing),
		cmocka_unit_test(test_nothing_is_taken_before_the_suspects_are_known),
		cmocka_unit_test(test_associations_that_have_brought_mail_leave_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
