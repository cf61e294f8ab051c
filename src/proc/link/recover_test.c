/* recover_test.c - transfers of a link process that break off and go on: in with what the switch keeps, out where the peer
 * has confirmed. */
#include "proc/link/link_testing.h"

#include "proc/link/link_int.h"

enum { K = 1024, CHECKPOINT = 30 * K /* agreed with the peers of link_testing */ };

/* --- in --- */

/* A letter as its octets go over the wire, and the content in it. */
static struct out letter_octets(struct world *w, size_t content)
{
	struct out o;
	out_init(&o, (size_t)64 << 20);
	encode_apdu(letter(w), content, &o);
	uint8_t *p = o.p + out_len(&o) - content;
	for (size_t i = 0; i < content; i++)
		p[i] = (uint8_t)(i * 31 + (i >> 8) + (i >> 16));
	return o;
}

static void assert_content(struct view got, size_t from, size_t n)
{
	assert_int_equal(got.n, n);
	for (size_t i = 0; i < n; i++)
		if (got.p[i] != (uint8_t)((from + i) * 31 + ((from + i) >> 8) + ((from + i) >> 16)))
			fail_msg("octet %zu of %zu is another one", i, n);
}

/* The message is offered once more, whole, and taken. */
static void take_offer(struct world *w, struct peer *p, size_t content)
{
	const unsigned confirmed = p->seen[X400_TRANSFER_CONFIRMED];
	for (unsigned i = 0; i < 1000 && w->n_ends == 0 && w->n_offers == 0; i++)
		say_count(w, MSG_OFFER_CREDIT, w->offer.offer, 64 * K);
	if (w->n_offers > 0)
		assert_content(w->offer.content, 0, content);
	else
		assert_content(out_view(&w->streamed), 0, content);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], confirmed + 1);
}

static void vanish(struct world *w, struct peer *p)
{
	struct err e;
	err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "the test cuts the line");
	if (p->stream != NULL)
		stream_close(&p->stream, false);
	x400_transport_closed(p->x, &e);
	peer_pump(p);
	fake_env_settle(w->env);
}

/* Goes on with `apdu` from where `was` broke off. */
static void go_on(struct peer *p, const struct x400_resume *at, struct view apdu)
{
	p->resumes = true;
	p->at = *at;
	peer_begins(p, apdu.n, view_from(apdu, (size_t)at->offset));
}

static void cut_at(size_t content, size_t cut)
{
	struct world *w = world_new();
	struct out apdu = letter_octets(w, content);
	struct x400_resume at;
	struct peer *p = call_named(w, 0, "one", NULL);
	assert_int_equal(p->seen[X400_BOUND], 1);
	peer_begins(p, out_len(&apdu), view_first(out_view(&apdu), cut));
	vanish(w, p);
	const bool kept = x400_resumable(p->x, &at);
	if (kept != (cut >= CHECKPOINT))
		fail_msg("cut at %zu: %s", cut, kept ? "kept" : "not kept");
	/* Later it waits for the switch's credit, and hears of the end when the peer is back. */
	assert_true(w->n_kept == kept || (cut > MSG_CREDIT && w->n_kept == 0));
	struct peer *q = call_named(w, 1, "two", kept ? &at.reference : NULL);
	assert_int_equal(w->n_kept, kept);
	assert_int_equal(q->seen[X400_BOUND], 1);
	if (kept) {
		assert_int_equal(w->n_hows, 1);
		assert_true(w->how.recovered);
		assert_true(was_told(w, "link.recovered"));
		go_on(q, &at, out_view(&apdu));
		assert_true(was_told(w, "link.transfer-resumed"));
	} else {
		peer_begins(q, out_len(&apdu), out_view(&apdu));
	}
	take_offer(w, q, content);
	for (size_t i = 0; i < PARTS; i++)
		assert_int_equal(w->part[i].id, 0); /* nothing is kept of what is complete */
	assert_int_equal(w->closed, 0);
	out_fini(&apdu);
	world_free(w);
}

static void test_rt_18_cut_and_resumed_on_a_recovered_association(void **state)
{
	(void)state;
	static const size_t edges[] = { 1, 100, 511, 513, CHECKPOINT - 1, CHECKPOINT, CHECKPOINT + 1, 2 * CHECKPOINT, 100 * K };
	for (size_t i = 0; i < ARRAY_LEN(edges); i++)
		cut_at(100 * K + 7, edges[i]);
	for (size_t cut = 1000; cut < 400 * K; cut += 9973)
		cut_at(400 * K, cut);
}

static void test_what_has_no_checkpoint_costs_the_switch_nothing(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call_named(w, 0, "one", NULL);
	peer_sends(p, 20 * K, 0);
	assert_int_equal(w->n_partials + w->n_syncs + w->n_dropped, 0);
	world_free(w);
}

/* Nothing is confirmed before it is durable (DESIGN 4.1). */
static void test_checkpoints_wait_for_the_switch(void **state)
{
	(void)state;
	struct world *w = world_new();
	w->hold_syncs = true;
	struct peer *p = call_named(w, 0, "one", NULL);
	struct out apdu = letter_octets(w, 200 * K);
	peer_begins(p, out_len(&apdu), out_view(&apdu));
	assert_int_equal(w->n_syncs, 5); /* the window */
	assert_int_equal(p->seen[X400_TRANSFER_SYNCED], 0);
	say_synced(w, w->sync.id, 1, true);
	fake_env_settle(w->env);
	assert_int_equal(p->seen[X400_TRANSFER_SYNCED], 1);
	peer_pump(p);
	fake_env_settle(w->env);
	assert_int_equal(w->n_syncs, 6);
	out_fini(&apdu);
	world_free(w);
}

static void test_what_cannot_be_kept_is_confirmed_at_once(void **state)
{
	(void)state;
	struct world *w = world_new();
	w->cannot_keep = true;
	struct peer *p = call_named(w, 0, "one", NULL);
	struct out apdu = letter_octets(w, 200 * K);
	peer_begins(p, out_len(&apdu), out_view(&apdu));
	assert_in_range(w->n_syncs, 1, 5); /* those that were on their way when it said so */
	assert_int_equal(w->n_dropped, 1);
	take_offer(w, p, 200 * K);
	out_fini(&apdu);
	world_free(w);
	w = world_new_as("associations: 2", "    recovery-timeout: 0\n");
	p = call_named(w, 0, "one", NULL);
	apdu = letter_octets(w, 200 * K);
	peer_begins(p, out_len(&apdu), out_view(&apdu));
	take_offer(w, p, 200 * K);
	assert_int_equal(w->n_partials, 0);
	out_fini(&apdu);
	world_free(w);
}

/* A peer without names for its associations cannot name them again. */
static void test_without_a_name_nothing_is_kept(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	peer_sends(p, 100 * K, 50 * K);
	assert_int_equal(w->n_partials, 0);
	assert_true(p->seen[X400_TRANSFER_SYNCED] > 0);
	world_free(w);
}

static void test_rt_15_recovery_of_what_is_not_kept_is_busy(void **state)
{
	(void)state;
	struct world *w = world_new();
	const struct x400_reference old = { VIEW("\x14\x03" "one"), VIEW("\x17\x0d" "261122003922Z"), { NULL, 0 } };
	struct peer *p = call_named(w, 0, "two", &old);
	assert_int_equal(p->seen[X400_BIND_REFUSED], 1);
	assert_int_equal(p->bind_error, X400_BUSY);
	assert_int_equal(w->ups, 0);
	assert_int_equal(call_named(w, 1, "three", NULL)->seen[X400_BOUND], 1);
	world_free(w);
}

/* It brings no credentials: another host does not get in by a name that it has heard. And the T61String form is as good. */
static void test_a_recovery_comes_from_the_host_that_had_it(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct out apdu = letter_octets(w, 200 * K);
	struct peer *p = call_named(w, 0, "one", NULL);
	peer_begins(p, out_len(&apdu), view_first(out_view(&apdu), 100 * K));
	vanish(w, p);
	const struct x400_reference old = { VIEW("\x14\x03" "one"), VIEW("\x17\x0d" "261122003922Z"), { NULL, 0 } };
	w->other_host = true;
	struct peer *q = call_named(w, 1, "two", &old);
	assert_int_equal(q->bind_error, X400_BUSY);
	assert_int_equal(w->ups, 1);
	w->other_host = false;
	q = call_named(w, 2, "three", &old);
	assert_int_equal(q->seen[X400_BOUND], 1);
	assert_int_equal(w->ups, 2);
	out_fini(&apdu);
	world_free(w);
}

static void test_a_resume_of_what_is_not_kept_is_answered(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct out apdu = letter_octets(w, 200 * K);
	struct x400_resume at = { .activity = 3, .serial = 2, .offset = 2 * CHECKPOINT };
	struct peer *p = call_named(w, 0, "one", NULL);
	go_on(p, &at, out_view(&apdu));
	assert_int_equal(p->seen[X400_ENDED], 1);
	assert_non_null(strstr(p->why.text, "unrecognizedActivity"));
	assert_int_equal(w->n_finds, 1);
	assert_int_equal(w->downs, 1);
	p = call_named(w, 1, "two", NULL); /* anew */
	peer_begins(p, out_len(&apdu), out_view(&apdu));
	take_offer(w, p, 200 * K);
	out_fini(&apdu);
	world_free(w);
}

static void test_rt_18_one_checkpoint_earlier(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct out apdu = letter_octets(w, 200 * K);
	struct x400_resume at;
	struct peer *p = call_named(w, 0, "one", NULL);
	peer_begins(p, out_len(&apdu), view_first(out_view(&apdu), 100 * K));
	vanish(w, p);
	assert_true(x400_resumable(p->x, &at));
	assert_int_equal(at.serial, 3);
	at.serial = 2;
	at.offset = 2 * CHECKPOINT;
	struct peer *q = call_named(w, 1, "two", &at.reference);
	go_on(q, &at, out_view(&apdu));
	take_offer(w, q, 200 * K);
	out_fini(&apdu);
	world_free(w);
}

static void test_rt_18_interrupted_and_resumed_on_the_same_association(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct out apdu = letter_octets(w, 300 * K);
	struct x400_resume at;
	struct peer *p = call_named(w, 0, "one", NULL);
	peer_begins(p, out_len(&apdu), view_first(out_view(&apdu), 100 * K));
	for (unsigned i = 1; i <= 3; i++) {
		x400_transfer_interrupt(p->x);
		peer_pump(p);
		fake_env_settle(w->env);
		if (p->seen[X400_TRANSFER_FAILED] != i)
			fail_msg("%u %s %s", i, x400_state_name(p->x), p->why.text);
		assert_int_equal(w->n_kept, i);
		assert_true(x400_resumable(p->x, &at));
		p->resumes = true;
		p->at = at;
		peer_begins(p, out_len(&apdu), view_first(view_from(out_view(&apdu), (size_t)at.offset), i < 3 ? 31 * K : 300 * K));
	}
	take_offer(w, p, 300 * K);
	assert_int_equal(w->n_partials, 1);
	out_fini(&apdu);
	world_free(w);
}

/* The peer has noticed the break and we have not. */
static void test_the_old_association_makes_way(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct out apdu = letter_octets(w, 200 * K);
	struct x400_resume at;
	struct peer *p = call_named(w, 0, "one", NULL);
	peer_begins(p, out_len(&apdu), view_first(out_view(&apdu), 100 * K));
	assert_true(x400_resumable(p->x, &at));
	struct peer *q = call_named(w, 1, "two", &at.reference);
	assert_int_equal(q->seen[X400_BOUND], 1);
	assert_int_equal(w->downs, 1);
	go_on(q, &at, out_view(&apdu));
	take_offer(w, q, 200 * K);
	out_fini(&apdu);
	world_free(w);
}

/* The settings may have changed since, and what a link wants of those that call it holds for those that recover, too. */
static void test_who_recovers_must_come_as_its_link_wants_it(void **state)
{
	(void)state;
	static const char *const elsewhere[] = { "192.0.2.7" };
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_new();
		struct out apdu = letter_octets(w, 200 * K);
		struct x400_resume at;
		struct set_link *k = (struct set_link *)(uintptr_t)link_find(w->link, VIEW("to-a"));
		struct peer *p = call_named(w, 0, "one", NULL);
		peer_begins(p, out_len(&apdu), view_first(out_view(&apdu), 100 * K));
		vanish(w, p);
		assert_true(x400_resumable(p->x, &at));
		if (i == 0) {
			k->tls = LINK_TLS_REQUIRED;
		} else {
			k->peer_hosts.v = (void *)(uintptr_t)elsewhere;
			k->peer_hosts.n = 1;
		}
		struct peer *q = call_named(w, 1, "two", &at.reference);
		assert_int_equal(q->seen[X400_BOUND], 0);
		assert_int_equal(q->bind_error, i == 0 ? X400_AUTHENTICATION : X400_BUSY);
		assert_int_equal(w->ups, 1);
		assert_int_equal(was_told(w, "link.tls-failed"), i == 0);
		out_fini(&apdu);
		world_free(w);
	}
}

static void test_a_stranger_ends_no_association_by_its_name(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct out apdu = letter_octets(w, 200 * K);
	struct x400_resume at;
	struct set_link *k = (struct set_link *)(uintptr_t)link_find(w->link, VIEW("to-a"));
	struct peer *p = call_named(w, 0, "one", NULL);
	peer_begins(p, out_len(&apdu), view_first(out_view(&apdu), 100 * K));
	assert_true(x400_resumable(p->x, &at));
	k->tls = LINK_TLS_REQUIRED; /* as if the first one had come with it */
	assert_int_equal(call_named(w, 1, "two", &at.reference)->seen[X400_BOUND], 0);
	assert_int_equal(w->downs, 0);
	k->tls = LINK_TLS_NEVER;
	out_fini(&apdu);
	world_free(w);
}

/* Two MTAs on one host: what one of them resumes is its own. */
static void test_another_link_ends_no_association_by_its_name(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 20", "  - name: to-b\n    address: \"127.0.0.1:3\"\n    remote-mta-name: mta-b\n"
							   "    remote-password: secret\n    calling-tsel: OURS\n");
	struct out apdu = letter_octets(w, 200 * K);
	struct x400_resume at;
	struct peer *p = call_named(w, 0, "one", NULL);
	peer_begins(p, out_len(&apdu), view_first(out_view(&apdu), 100 * K));
	assert_true(x400_resumable(p->x, &at));
	struct x400_config c = peer_config(SESSION_INITIATOR);
	c.session.called_tsel = VIEW("OURS");
	c.session.send_tsel = true;
	c.own.mta_name = VIEW("mta-b");
	c.resumes = true;
	struct peer *q = call_with(w, 1, &c);
	assert_int_equal(q->seen[X400_BOUND], 1);
	assert_int_equal(w->ups, 2);
	go_on(q, &at, out_view(&apdu));
	assert_int_equal(q->seen[X400_ENDED], 1); /* it has no such activity */
	assert_int_equal(w->downs, 1);
	assert_int_equal(w->n_finds, 1);
	assert_int_equal(p->seen[X400_ENDED], 0);
	out_fini(&apdu);
	world_free(w);
}

/* Refused for now, with checkpoints confirmed: the peer interrupts, and goes on when it may. */
static void test_what_is_refused_for_now_can_go_on(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct out apdu = letter_octets(w, 200 * K);
	struct x400_resume at;
	struct peer *p = call_named(w, 0, "one", NULL);
	peer_begins(p, out_len(&apdu), view_first(out_view(&apdu), 100 * K));
	say_busy(w, true);
	vanish(w, p);
	assert_true(x400_resumable(p->x, &at));
	assert_int_equal(call_named(w, 1, "two", &at.reference)->bind_error, X400_BUSY);
	say_busy(w, false);
	struct peer *q = call_named(w, 2, "three", &at.reference);
	assert_int_equal(q->seen[X400_BOUND], 1);
	say_busy(w, true);
	go_on(q, &at, out_view(&apdu));
	assert_non_null(strstr(q->why.text, "temporaryProblem"));
	say_busy(w, false);
	q = call_named(w, 3, "four", &at.reference);
	go_on(q, &at, out_view(&apdu));
	take_offer(w, q, 200 * K);
	out_fini(&apdu);
	world_free(w);
}

static void test_the_switch_goes_while_it_is_asked(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct out apdu = letter_octets(w, 200 * K);
	struct peer *p = call_named(w, 0, "one", NULL);
	peer_begins(p, out_len(&apdu), view_first(out_view(&apdu), 100 * K));
	switch_leaves(w);
	fake_env_settle(w->env);
	assert_int_equal(p->seen[X400_ENDED], 1);
	struct x400_resume at;
	assert_true(x400_resumable(p->x, &at));
	out_fini(&apdu);
	world_free(w);
}

/* --- out --- */

/* Hands a letter over on an association, and gives `given` octets of its content as they are pulled. */
static void hand_over(struct world *w, uint64_t transfer, uint64_t assoc, size_t size, size_t given)
{
	const uint64_t before = w->pulled;
	uint64_t done = 0;
	say_transfer(w, transfer, assoc, size);
	while (done < given && w->pulled - before > done) {
		const uint64_t asked = w->pulled - before - done;
		const size_t n = (size_t)(asked < given - done ? asked : given - done);
		say_content(w, transfer, n);
		done += n;
	}
}

/* On an association that the link opened. */
static struct peer *outbound(struct world *w, size_t size, size_t given)
{
	w->peers_keep = true;
	say_open(w, 7);
	assert_int_equal(w->ups, 1);
	hand_over(w, 1, 7, size, given);
	return &w->peer[0];
}

static void test_rt_18_out_cut_and_resumed_k194031(void **state)
{
	(void)state;
	enum { SIZE = 1500 * K };
	for (size_t given = 10 * K; given < 1400 * K; given += 77 * K) {
		struct world *w = world_new();
		struct peer *p = outbound(w, SIZE, given);
		vanish(w, p);
		if (w->n_results != 1)
			fail_msg("given %zu: %u %s %s %s", given, w->n_results, w->results[0].err.text, w->results[1].err.text, w->results[2].err.text);
		assert_int_not_equal(w->results[0].err.culprit, ERR_OF_MESSAGE);
		const bool kept = p->point[1] > 0;
		assert_int_equal(w->n_resumes, kept);
		if (kept) {
			assert_int_equal(w->resume.transfer, 1);
			assert_int_equal(w->resume.offset, w->resume.serial * CHECKPOINT);
			say_how(w, 8, w->resume.reference);
		}
		say_open(w, 8);
		assert_int_equal(w->ups, 2);
		assert_int_equal(w->n_hows, kept);
		struct peer *q = &w->peer[1];
		if (kept)
			say_resume(w, 2, &w->resume);
		hand_over(w, 2, 8, SIZE, SIZE);
		assert_int_equal(q->seen[X400_TRANSFER_RESUME], kept);
		assert_int_equal(w->n_results, 2);
		assert_true(w->results[1].delivered);
		struct out want;
		out_init(&want, (size_t)64 << 20);
		encode_apdu(letter(w), SIZE, &want);
		assert_true(view_eq(out_view(&q->received), out_view(&want)));
		out_fini(&want);
		world_free(w);
	}
}

/* The recovery is refused: a new connection in the same ASSOC_OPEN, and the transfer from its beginning. */
static void test_rt_16_refused_recovery_opens_afresh(void **state)
{
	(void)state;
	enum { SIZE = 200 * K };
	struct world *w = world_new();
	struct peer *p = outbound(w, SIZE, 100 * K);
	vanish(w, p);
	w->peers_keep = false;
	say_how(w, 8, w->resume.reference);
	say_open(w, 8);
	assert_int_equal(w->peer[1].seen[X400_BIND], 1);
	assert_int_equal(w->peer[1].seen[X400_BOUND], 0);
	assert_int_equal(w->peer[2].seen[X400_BIND], 1);
	assert_int_equal(w->ups, 2);
	assert_int_equal(w->downs, 1);
	assert_int_equal(w->n_hows, 0);
	assert_false(was_told(w, "link.open-failed"));
	say_resume(w, 2, &w->resume);
	hand_over(w, 2, 8, SIZE, SIZE);
	assert_int_equal(w->peer[2].seen[X400_TRANSFER_BEGIN], 1);
	assert_true(w->results[1].delivered);
	world_free(w);
}

/* A peer that hangs up on what it does not know. */
static void test_rt_16_k170007_recovery_is_hung_up_on(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = outbound(w, 200 * K, 100 * K);
	vanish(w, p);
	assert_int_equal(w->n_resumes, 1);
	const struct msg_resume resume = w->resume;
	listener_close(&w->listener);
	say_how(w, 8, resume.reference);
	say_open(w, 8); /* nobody is there: that is no answer to the recovery */
	assert_int_equal(w->ups, 1);
	assert_int_equal(w->downs, 2);
	assert_true(was_told(w, " warning link.open-failed"));
	assert_false(was_told(w, " error ") || was_told(w, " alarm ")); /* that a recovery does not succeed is no fault */
	world_free(w);
}

/* It recovers, and then does not know the activity: the next attempt starts anew. */
static void test_resume_refused_by_the_peer_starts_anew(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = outbound(w, 200 * K, 100 * K);
	vanish(w, p);
	say_how(w, 8, w->resume.reference);
	say_open(w, 8);
	struct peer *q = &w->peer[1];
	q->activity = 99;
	say_resume(w, 2, &w->resume);
	hand_over(w, 2, 8, 200 * K, 100 * K);
	assert_int_equal(q->seen[X400_TRANSFER_RESUME], 1);
	assert_int_equal(w->n_results, 2);
	assert_false(w->results[1].delivered);
	assert_int_equal(w->results[1].err.kind, ERR_TEMP);
	assert_int_not_equal(w->results[1].err.culprit, ERR_OF_MESSAGE); /* nobody's fault */
	assert_int_equal(w->n_resumes, 1);
	assert_int_equal(w->downs, 2);
	world_free(w);
}

/* Refused in the middle: interrupted, and taken up on the same association. */
static void test_interrupted_out_and_resumed_on_the_same_association(void **state)
{
	(void)state;
	enum { SIZE = 200 * K };
	struct world *w = world_new();
	struct err e;
	struct peer *p = outbound(w, SIZE, 100 * K);
	assert_true(x400_transfer_refuse(p->x, &e));
	peer_pump(p);
	fake_env_settle(w->env);
	assert_int_equal(p->seen[X400_TRANSFER_INTERRUPTED], 1);
	assert_int_equal(w->n_results, 1);
	assert_int_equal(w->n_resumes, 1);
	assert_int_equal(w->downs, 0);
	say_resume(w, 2, &w->resume);
	hand_over(w, 2, 7, SIZE, SIZE);
	assert_int_equal(p->seen[X400_TRANSFER_RESUME], 1);
	assert_true(w->results[1].delivered);
	struct out want;
	out_init(&want, (size_t)64 << 20);
	encode_apdu(letter(w), SIZE, &want);
	assert_true(view_eq(out_view(&p->received), out_view(&want)));
	out_fini(&want);
	world_free(w);
}

/* What was kept is of other octets than are to be sent now: from the beginning. */
static void test_other_octets_are_not_resumed(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = outbound(w, 200 * K, 100 * K);
	vanish(w, p);
	say_how(w, 8, w->resume.reference);
	say_open(w, 8);
	say_resume(w, 2, &w->resume);
	hand_over(w, 2, 8, 201 * K, 201 * K);
	assert_int_equal(w->peer[1].seen[X400_TRANSFER_RESUME], 0);
	assert_int_equal(w->peer[1].seen[X400_TRANSFER_BEGIN], 1);
	assert_true(w->results[1].delivered);
	world_free(w);
}

/* Names are told apart though both were given within one second. */
static void test_no_two_associations_have_one_name(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_open(w, 7);
	say_open(w, 8);
	const struct x400_reference a = x400_reference(w->peer[0].x), b = x400_reference(w->peer[1].x);
	assert_true(a.user.n > 2 && a.user.n <= 64 && a.user.p[0] == 4 && a.user.p[1] == a.user.n - 2);
	assert_true(view_eq(a.common, b.common));
	assert_false(view_eq(a.user, b.user));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rt_18_cut_and_resumed_on_a_recovered_association),
		cmocka_unit_test(test_what_has_no_checkpoint_costs_the_switch_nothing),
		cmocka_unit_test(test_checkpoints_wait_for_the_switch),
		cmocka_unit_test(test_what_cannot_be_kept_is_confirmed_at_once),
		cmocka_unit_test(test_without_a_name_nothing_is_kept),
		cmocka_unit_test(test_rt_15_recovery_of_what_is_not_kept_is_busy),
		cmocka_unit_test(test_a_recovery_comes_from_the_host_that_had_it),
		cmocka_unit_test(test_a_resume_of_what_is_not_kept_is_answered),
		cmocka_unit_test(test_rt_18_one_checkpoint_earlier),
		cmocka_unit_test(test_rt_18_interrupted_and_resumed_on_the_same_association),
		cmocka_unit_test(test_the_old_association_makes_way),
		cmocka_unit_test(test_who_recovers_must_come_as_its_link_wants_it),
		cmocka_unit_test(test_a_stranger_ends_no_association_by_its_name),
		cmocka_unit_test(test_another_link_ends_no_association_by_its_name),
		cmocka_unit_test(test_what_is_refused_for_now_can_go_on),
		cmocka_unit_test(test_the_switch_goes_while_it_is_asked),
		cmocka_unit_test(test_rt_18_out_cut_and_resumed_k194031),
		cmocka_unit_test(test_rt_16_refused_recovery_opens_afresh),
		cmocka_unit_test(test_rt_16_k170007_recovery_is_hung_up_on),
		cmocka_unit_test(test_resume_refused_by_the_peer_starts_anew),
		cmocka_unit_test(test_interrupted_out_and_resumed_on_the_same_association),
		cmocka_unit_test(test_other_octets_are_not_resumed),
		cmocka_unit_test(test_no_two_associations_have_one_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
