/* Policy of the mailer and of lanes, in a world of one postoffice NET/HERE: users ANN and BOB, group TEAM, outbound bags of NET/FAR, NET/HUB and the
 * gateway X400. Expected codes: facts A10; what is asked of each: the failure catalogue's row of that id. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/engine/msmail/mailer.h"

struct world {
	struct arena *arena;
	const char *team[8]; /* members, ended by NULL */
	const char *gone;    /* this address cannot be looked up now */
	bool no_group;
};

static bool is_name(const struct mm_address *a, const char *text)
{
	return view_eq_nocase(a->text, view_str(text));
}

static void set_bag(struct mailer_route *r, enum mailer_where where, const char *bag)
{
	r->where = where;
	snprintf(r->mailbag, sizeof r->mailbag, "%s", bag);
}

static bool route(void *ctx, const struct mm_address *to, struct mailer_route *r_r, struct err *e)
{
	struct world *w = ctx;
	if (w->gone != NULL && is_name(to, w->gone))
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "no answer");
	*r_r = (struct mailer_route){ .where = MAILER_NO_ROUTE };
	if (to->type == MM_ADDRESS_X400) {
		set_bag(r_r, MAILER_OUTBOUND, "00000040");
		return true;
	}
	assert_true(mm_name_parse(to->text, &r_r->name, NULL));
	r_r->next = r_r->name;
	r_r->next.mailbox[0] = 0;
	const bool here = mm_same(r_r->name.postoffice, "HERE");
	if (here && mm_same(r_r->name.mailbox, "ANN"))
		set_bag(r_r, MAILER_USER, "00000001");
	else if (here && mm_same(r_r->name.mailbox, "BOB"))
		set_bag(r_r, MAILER_USER, "00000002");
	else if (here && mm_same(r_r->name.mailbox, "$SYSTEM"))
		set_bag(r_r, MAILER_SYSTEM, "SYSTEM");
	else if (here && (mm_same(r_r->name.mailbox, "TEAM") || mm_same(r_r->name.mailbox, "OTHERS")))
		r_r->where = MAILER_GROUP;
	else if (here)
		r_r->where = mm_same(r_r->name.mailbox, "TWICE") ? MAILER_AMBIGUOUS : mm_same(r_r->name.mailbox, "MINE") ? MAILER_ELSEWHERE : MAILER_NO_USER;
	else if (mm_same(r_r->name.postoffice, "FAR") || mm_same(r_r->name.postoffice, "POSTOFFIC2"))
		set_bag(r_r, MAILER_OUTBOUND, "00000010");
	else if (mm_same(r_r->name.postoffice, "HUB"))
		set_bag(r_r, MAILER_OUTBOUND, "00000020");
	return true;
}

static bool members(void *ctx, const char *group, bool (*each)(void *each_ctx, const struct mm_name *member), void *each_ctx, struct err *e)
{
	struct world *w = ctx;
	if (w->no_group)
		return err_set(e, ERR_PERM, ERR_OF_RECIPIENT, "no group %s", group);
	if (mm_same(group, "OTHERS")) { /* holds the group that holds it */
		struct mm_name name = { "NET", "HERE", "TEAM" };
		each(each_ctx, &name);
		return true;
	}
	for (size_t i = 0; w->team[i] != NULL; i++) {
		struct mm_name name;
		assert_true(mm_name_parse(view_str(w->team[i]), &name, NULL));
		if (!each(each_ctx, &name))
			break;
	}
	return true;
}

static struct mailer_world world_of(struct world *w)
{
	w->arena = arena_new(1 << 20);
	return (struct mailer_world){ .own = { "NET", "HERE", "" }, .hop_limit = 10, .members_max = 100, .route = route, .members = members, .ctx = w };
}

/* Recipients by their names, ended by NULL, all responsible. */
static struct mm_envelope envelope(struct world *w, const char *const *names)
{
	struct mm_envelope v = { .state = MM_READY };
	while (names[v.n] != NULL)
		v.n++;
	v.recipients = arena_array(w->arena, v.n + 1, sizeof *v.recipients);
	for (size_t i = 0; i < v.n; i++)
		v.recipients[i] = (struct mm_recipient){ .address = { .type = MM_ADDRESS_MS, .text = view_str(names[i]) }, .responsible = true };
	return v;
}
#define ENVELOPE(w, ...) envelope((w), (const char *const[]){ __VA_ARGS__, NULL })

static void set_hops(struct world *w, struct mm_envelope *v, const char *const *postoffices, size_t n)
{
	v->hops = arena_array(w->arena, n + 1, sizeof *v->hops);
	v->n_hops = n;
	for (size_t i = 0; i < n; i++) {
		snprintf(v->hops[i].network, sizeof v->hops[i].network, "NET");
		snprintf(v->hops[i].postoffice, sizeof v->hops[i].postoffice, "%s", postoffices[i]);
	}
}
#define HOPS(w, v, ...) set_hops((w), (v), (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static const struct mm_recipient *recipient(const struct mm_envelope *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (is_name(&v->recipients[i].address, name))
			return &v->recipients[i];
	fail_msg("no recipient %s", name);
	return NULL;
}

static void assert_bag(const struct mm_envelope *v, const char *name, const char *bag)
{
	assert_string_equal(recipient(v, name)->bag, bag);
	assert_int_equal(recipient(v, name)->notice, 0);
}

static void assert_notice(const struct mm_envelope *v, const char *name, int notice)
{
	assert_int_equal(recipient(v, name)->notice, notice);
	assert_string_equal(recipient(v, name)->bag, "");
	assert_true(recipient(v, name)->why.n > 0);
}

static void each_recipient_goes_its_way(void **state)
{
	(void)state;
	struct world w = { .gone = NULL };
	const struct mailer_world world = world_of(&w);
	struct mm_envelope v = ENVELOPE(&w, "NET/HERE/ANN", "net/here/bob", "NET/FAR/CAT", "NET/HERE/$SYSTEM", "NET/HERE/MINE");
	assert_true(mailer_plan(&world, &v, w.arena, NULL));
	assert_bag(&v, "NET/HERE/ANN", "00000001");
	assert_bag(&v, "NET/HERE/BOB", "00000002");
	assert_bag(&v, "NET/FAR/CAT", "00000010");
	assert_bag(&v, "NET/HERE/$SYSTEM", "SYSTEM");
	assert_bag(&v, "NET/HERE/MINE", "");
	assert_int_equal(mailer_left(&v), 1);
	arena_free(&w.arena);
}

/* Only and all the failed ones, each with its own code. */
static void k127919_each_failure_has_its_code(void **state)
{
	(void)state;
	struct world w = { .gone = NULL };
	const struct mailer_world world = world_of(&w);
	struct mm_envelope v = ENVELOPE(&w, "NET/HERE/ANN", "NET/HERE/NOBODY", "NET/NOWHERE/X", "NET/HERE/TWICE");
	assert_true(mailer_plan(&world, &v, w.arena, NULL));
	assert_bag(&v, "NET/HERE/ANN", "00000001");
	assert_notice(&v, "NET/HERE/NOBODY", 2);
	assert_notice(&v, "NET/NOWHERE/X", 1);
	assert_notice(&v, "NET/HERE/TWICE", 30); /* Q165396 */
	arena_free(&w.arena);
}

static void somebody_elses_recipients_are_left_alone(void **state)
{
	(void)state;
	struct world w = { .gone = NULL };
	const struct mailer_world world = world_of(&w);
	struct mm_envelope v = ENVELOPE(&w, "NET/HERE/ANN", "NET/HERE/NOBODY");
	v.recipients[1].responsible = false;
	assert_true(mailer_plan(&world, &v, w.arena, NULL));
	assert_int_equal(v.recipients[1].notice, 0);
	assert_string_equal(v.recipients[1].bag, "");
	assert_int_equal(mailer_left(&v), 0);
	arena_free(&w.arena);
}

static void k165396_an_address_twice_is_served_once(void **state)
{
	(void)state;
	struct world w = { .gone = NULL };
	const struct mailer_world world = world_of(&w);
	struct mm_envelope v = ENVELOPE(&w, "NET/HERE/ANN", "net/HERE/ann");
	unsigned served = 0;
	assert_true(mailer_plan(&world, &v, w.arena, NULL));
	for (size_t i = 0; i < v.n; i++)
		served += v.recipients[i].bag[0] != 0;
	assert_int_equal(served, 1);
	assert_int_equal(mailer_left(&v), 0);
	arena_free(&w.arena);
}

static void k147471_the_hop_limit_is_ours(void **state)
{
	(void)state;
	struct world w = { .gone = NULL };
	struct mailer_world world = world_of(&w);
	world.hop_limit = 3;
	for (size_t hops = 2; hops <= 4; hops++) {
		struct mm_envelope v = ENVELOPE(&w, "NET/FAR/CAT", "NET/HERE/ANN");
		HOPS(&w, &v, "P1", "P2", "P3", "P4");
		v.n_hops = hops;
		assert_true(mailer_plan(&world, &v, w.arena, NULL));
		if (hops < 3)
			assert_bag(&v, "NET/FAR/CAT", "00000010");
		else
			assert_notice(&v, "NET/FAR/CAT", 3);
		assert_bag(&v, "NET/HERE/ANN", "00000001"); /* it has arrived */
	}
	arena_free(&w.arena);
}

static void a_step_made_before_is_a_circular_route(void **state)
{
	(void)state;
	struct world w = { .gone = NULL };
	const struct mailer_world world = world_of(&w);
	struct mm_envelope v = ENVELOPE(&w, "NET/HUB/CAT", "NET/FAR/DOG", "NET/HERE/ANN");
	HOPS(&w, &v, "here", "HUB");
	assert_true(mailer_plan(&world, &v, w.arena, NULL));
	assert_notice(&v, "NET/HUB/CAT", 4);
	assert_bag(&v, "NET/FAR/DOG", "00000010"); /* from here it has not gone there */
	assert_bag(&v, "NET/HERE/ANN", "00000001");
	arena_free(&w.arena);
}

static void k128627_all_ten_characters_of_a_hop_count(void **state)
{
	(void)state;
	struct world w = { .gone = NULL };
	const struct mailer_world world = world_of(&w);
	struct mm_envelope v = ENVELOPE(&w, "NET/POSTOFFIC2/CAT");
	HOPS(&w, &v, "HERE", "POSTOFFIC1");
	assert_true(mailer_plan(&world, &v, w.arena, NULL));
	assert_bag(&v, "NET/POSTOFFIC2/CAT", "00000010");
	HOPS(&w, &v, "HERE", "POSTOFFIC2");
	v.recipients[0].bag[0] = 0;
	assert_true(mailer_plan(&world, &v, w.arena, NULL));
	assert_notice(&v, "NET/POSTOFFIC2/CAT", 4);
	arena_free(&w.arena);
}

static void k117804_external_members_are_served_or_told_of(void **state)
{
	(void)state;
	struct world w = { .team = { "NET/HERE/ANN", "NET/FAR/CAT", "NET/NOWHERE/DOG", "NET/HERE/BOB" } };
	const struct mailer_world world = world_of(&w);
	struct mm_envelope v = ENVELOPE(&w, "NET/HERE/TEAM", "NET/HERE/BOB");
	assert_true(mailer_plan(&world, &v, w.arena, NULL));
	assert_bag(&v, "NET/HERE/ANN", "00000001");
	assert_bag(&v, "NET/FAR/CAT", "00000010");
	assert_notice(&v, "NET/NOWHERE/DOG", 1);
	assert_int_equal(v.n, 5); /* BOB only once */
	assert_false(recipient(&v, "NET/HERE/TEAM")->responsible);
	assert_int_equal(recipient(&v, "NET/HERE/TEAM")->notice, 0);
	assert_int_equal(mailer_left(&v), 0);
	arena_free(&w.arena);
}

static void k117895_a_group_without_members_is_no_failure(void **state)
{
	(void)state;
	struct world w = { .team = { NULL } };
	const struct mailer_world world = world_of(&w);
	struct mm_envelope v = ENVELOPE(&w, "NET/HERE/TEAM", "NET/HERE/BOB");
	assert_true(mailer_plan(&world, &v, w.arena, NULL));
	assert_int_equal(recipient(&v, "NET/HERE/TEAM")->notice, 0);
	assert_bag(&v, "NET/HERE/BOB", "00000002");
	arena_free(&w.arena);
}

static void groups_in_each_other_end(void **state)
{
	(void)state;
	struct world w = { .team = { "NET/HERE/OTHERS", "NET/HERE/ANN" } };
	const struct mailer_world world = world_of(&w);
	struct mm_envelope v = ENVELOPE(&w, "NET/HERE/TEAM");
	assert_true(mailer_plan(&world, &v, w.arena, NULL));
	assert_int_equal(v.n, 3);
	assert_bag(&v, "NET/HERE/ANN", "00000001");
	arena_free(&w.arena);
}

static void a_group_that_is_gone_is_007_for_itself_alone(void **state)
{
	(void)state;
	struct world w = { .no_group = true };
	const struct mailer_world world = world_of(&w);
	struct mm_envelope v = ENVELOPE(&w, "NET/HERE/TEAM", "NET/HERE/ANN");
	assert_true(mailer_plan(&world, &v, w.arena, NULL));
	assert_notice(&v, "NET/HERE/TEAM", 7);
	assert_bag(&v, "NET/HERE/ANN", "00000001");
	arena_free(&w.arena);
}

static void a_group_that_is_too_long_is_refused_whole(void **state)
{
	(void)state;
	struct world w = { .team = { "NET/HERE/ANN", "NET/FAR/A", "NET/FAR/B" } };
	struct mailer_world world = world_of(&w);
	struct mm_envelope v = ENVELOPE(&w, "NET/HERE/TEAM");
	world.members_max = 3; /* the group itself is one */
	assert_true(mailer_plan(&world, &v, w.arena, NULL));
	assert_int_equal(v.n, 1);
	assert_notice(&v, "NET/HERE/TEAM", 7);
	arena_free(&w.arena);
}

/* A member may go back where the message came from: whoever wrote to the group lives there. */
static void a_member_may_go_a_step_again(void **state)
{
	(void)state;
	struct world w = { .team = { "NET/HUB/CAT" } };
	struct mailer_world world = world_of(&w);
	struct mm_envelope v = ENVELOPE(&w, "NET/HERE/TEAM");
	HOPS(&w, &v, "HERE", "HUB");
	assert_true(mailer_plan(&world, &v, w.arena, NULL));
	assert_bag(&v, "NET/HUB/CAT", "00000020");
	arena_free(&w.arena);
}

static void a_table_that_cannot_be_read_plans_nothing(void **state)
{
	(void)state;
	struct world w = { .gone = "NET/HERE/BOB" };
	const struct mailer_world world = world_of(&w);
	struct mm_envelope v = ENVELOPE(&w, "NET/HERE/ANN", "NET/HERE/BOB");
	struct err e;
	assert_false(mailer_plan(&world, &v, w.arena, &e));
	assert_int_equal(e.culprit, ERR_OF_LINK);
	assert_int_equal(v.n, 2);
	assert_string_equal(v.recipients[0].bag, "");
	arena_free(&w.arena);
}

/* --- lanes --- */

static void a_clients_message_is_for_those_whose_route_it_is(void **state)
{
	(void)state;
	struct world w = { .gone = NULL };
	const struct mailer_world world = world_of(&w);
	struct mm_address to[] = { { .type = MM_ADDRESS_MS, .text = VIEW("NET/FAR/CAT") }, { .type = MM_ADDRESS_MS, .text = VIEW("NET/HERE/ANN") } };
	struct mm_address cc[] = { { .type = MM_ADDRESS_MS, .text = VIEW("NET/HUB/DOG") }, { .type = MM_ADDRESS_MS, .text = VIEW("NET/far/cat") } };
	const struct mai m = { .to = to, .n_to = 2, .cc = cc, .n_cc = 2, .from = { .type = MM_ADDRESS_MS, .text = VIEW("NET/HERE/BOB") } };
	const struct mm_id id = mm_id_of(0x62);
	struct mm_envelope v;
	assert_true(mailer_from_mai(&world, &m, &id, "00000010", &v, w.arena, NULL));
	assert_int_equal(v.n, 4);
	assert_string_equal(v.mai.s, "00000062");
	assert_true(v.recipients[0].responsible);
	assert_false(v.recipients[1].responsible);
	assert_false(v.recipients[2].responsible);
	assert_false(v.recipients[3].responsible); /* the first once more */
	assert_true(v.recipients[2].is_cc);
	assert_int_equal(mailer_of_bag(&v, "00000010"), 1);
	arena_free(&w.arena);
}

/* What is left of a message whose envelope is lost: its MAI, and only for a while. */
static void an_envelope_is_made_anew_for_who_lives_here(void **state)
{
	(void)state;
	struct world w = { .gone = NULL, .team = { "NET/HERE/BOB", NULL } };
	const struct mailer_world world = world_of(&w);
	char names[4][16] = { "NET/FAR/CAT", "NET/HERE/ANN", "NET/HERE/TEAM", "NET/HERE/MINE" };
	struct mm_address to[4];
	struct mai m = { .to = to, .n_to = 4, .from = { .type = MM_ADDRESS_MS, .text = view_str(names[0]) } };
	const struct mm_id id = mm_id_of(0x62);
	struct mm_envelope v;
	for (size_t i = 0; i < 4; i++)
		to[i] = (struct mm_address){ .type = MM_ADDRESS_MS, .text = view_str(names[i]) };
	assert_true(mailer_rebuild(&world, &m, &id, &v, w.arena, NULL));
	memset(names, '!', sizeof names);
	assert_string_equal(v.mai.s, "00000062");
	assert_true(view_eq(v.from.text, VIEW("NET/FAR/CAT")));
	assert_false(v.recipients[0].responsible);
	assert_string_equal(v.recipients[1].bag, "00000001");
	assert_false(v.recipients[2].responsible); /* its members take its place */
	assert_true(v.recipients[3].responsible && v.recipients[3].bag[0] == 0 && v.recipients[3].notice == 0);
	assert_int_equal(v.n, 5);
	assert_string_equal(v.recipients[4].bag, "00000002");
	to[0] = (struct mm_address){ .type = MM_ADDRESS_MS, .text = VIEW("NET/FAR/CAT") };
	m.n_to = 1; /* nobody lives here: it was on its way */
	assert_true(mailer_rebuild(&world, &m, &id, &v, w.arena, NULL));
	assert_true(v.recipients[0].responsible);
	assert_string_equal(v.recipients[0].bag, "00000010");
	for (int i = 0; i < 2; i++) {
		m.n_to = 0;
		assert_true(mailer_rebuild(&world, i == 0 ? &m : NULL, &id, &v, w.arena, NULL));
		assert_int_equal(v.n, 1);
		assert_true(v.recipients[0].responsible && view_eq(v.recipients[0].address.text, VIEW("?")));
	}
	w.gone = "NET/FAR/CAT";
	m.n_to = 1;
	assert_false(mailer_rebuild(&world, &m, &id, &v, w.arena, NULL));
	arena_free(&w.arena);
}

static void the_size_limit_is_not_for_system(void **state)
{
	(void)state;
	struct world w = { .gone = NULL };
	(void)world_of(&w);
	struct mm_envelope v = ENVELOPE(&w, "NET/FAR/CAT", "NET/FAR/$system", "NET/HUB/DOG");
	for (size_t i = 0; i < 2; i++)
		snprintf(v.recipients[i].bag, sizeof v.recipients[i].bag, "00000010");
	snprintf(v.recipients[2].bag, sizeof v.recipients[2].bag, "00000020");
	assert_int_equal(mailer_limit_size(&v, "00000010", 1000, 0), 2);
	assert_int_equal(mailer_limit_size(&v, "00000010", 1000, 1000), 2);
	assert_int_equal(mailer_limit_size(&v, "00000010", 1001, 1000), 1);
	assert_int_equal(v.recipients[0].notice, 9);
	assert_int_equal(v.recipients[1].notice, 0);
	assert_int_equal(v.recipients[2].notice, 0); /* another lane's */
	arena_free(&w.arena);
}

static void what_the_next_one_gets(void **state)
{
	(void)state;
	struct world w = { .gone = NULL };
	(void)world_of(&w);
	struct mm_envelope to, v = ENVELOPE(&w, "NET/FAR/CAT", "NET/HUB/DOG", "NET/FAR/COW");
	const struct mm_name own = { "NET", "HERE", "" };
	HOPS(&w, &v, "FIRST");
	snprintf(v.recipients[0].bag, sizeof v.recipients[0].bag, "00000010");
	snprintf(v.recipients[1].bag, sizeof v.recipients[1].bag, "00000020");
	snprintf(v.recipients[2].bag, sizeof v.recipients[2].bag, "00000010");
	v.recipients[2].notice = 9;
	v.recipients[0].number = 7;
	v.first_failed = 5;
	assert_true(mailer_hand_over(&v, "00000010", &own, 1234, &to, w.arena, NULL));
	assert_int_equal(to.state, MM_UNREADY);
	assert_int_equal(to.arrived, 1234); /* Q111558 d: of its own */
	assert_int_equal(to.first_failed, 0);
	assert_int_equal(to.n, 3);
	assert_true(to.recipients[0].responsible);
	assert_int_equal(to.recipients[0].number, 7);
	assert_false(to.recipients[1].responsible);
	assert_false(to.recipients[2].responsible); /* told of here */
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(to.recipients[i].bag, "");
		assert_int_equal(to.recipients[i].notice, 0);
	}
	assert_int_equal(to.n_hops, 2);
	assert_string_equal(to.hops[0].postoffice, "FIRST");
	assert_string_equal(to.hops[1].postoffice, "HERE");
	assert_string_equal(v.recipients[0].bag, "00000010"); /* ours is as it was */
	assert_int_equal(v.n_hops, 1);
	arena_free(&w.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_recipient_goes_its_way), cmocka_unit_test(k127919_each_failure_has_its_code),
		cmocka_unit_test(somebody_elses_recipients_are_left_alone), cmocka_unit_test(k165396_an_address_twice_is_served_once),
		cmocka_unit_test(k147471_the_hop_limit_is_ours), cmocka_unit_test(a_step_made_before_is_a_circular_route),
		cmocka_unit_test(k128627_all_ten_characters_of_a_hop_count), cmocka_unit_test(k117804_external_members_are_served_or_told_of),
		cmocka_unit_test(k117895_a_group_without_members_is_no_failure), cmocka_unit_test(groups_in_each_other_end),
		cmocka_unit_test(a_group_that_is_gone_is_007_for_itself_alone), cmocka_unit_test(a_group_that_is_too_long_is_refused_whole),
		cmocka_unit_test(a_member_may_go_a_step_again), cmocka_unit_test(a_table_that_cannot_be_read_plans_nothing),
		cmocka_unit_test(a_clients_message_is_for_those_whose_route_it_is), cmocka_unit_test(the_size_limit_is_not_for_system),
		cmocka_unit_test(what_the_next_one_gets),
		cmocka_unit_test(an_envelope_is_made_anew_for_who_lives_here),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
