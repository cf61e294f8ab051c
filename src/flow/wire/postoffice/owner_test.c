/* owner_test.c - whose an attachment is, and what it costs to see it: the files that are opened and the reads are counted, not the time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/wire/postoffice/postoffice_testing.h"

enum { FIRST = 0x100, MANY = 20, SIZE = 3 };

/* --- counting, at the note that is before each call of the system --- */
struct costs { unsigned looked, opened, reads; struct testing_po *t; };

static void count(void *ctx, const char *text)
{
	struct costs *c = ctx;
	testing_note(c->t, text);
	const bool is_mai = strstr(text, ".MAI") != NULL; /* and no directory */
	c->looked += is_mai && strncmp(text, "postoffice look at ", 19) == 0;
	c->opened += is_mai && strncmp(text, "postoffice open ", 16) == 0;
	c->reads += is_mai && strncmp(text, "postoffice read ", 16) == 0;
}

static void begin_counting(struct testing_po *t, struct costs *c)
{
	*c = (struct costs){ .t = t };
	t->po->host.note = count;
	t->po->host.ctx = c;
	t->po->host.now = NULL;
	t->po->host.random = NULL;
}

static void end_counting(struct testing_po *t) { t->po->host = t->host; }

/* --- messages as a client makes them: attachments, then the MAI --- */

/* A MAI of that number that names n attachments, and has so many recipients and octets of text. */
static void write_mai(struct testing_po *t, uint32_t number, const uint32_t *names, size_t n, size_t n_to, size_t text)
{
	const struct mm_id id = mm_id_of(number);
	struct mm_address from = { .type = MM_ADDRESS_MS, .text = VIEW("TEST/HOME/ANN"), .friendly = VIEW("Ann of the postoffice") };
	struct mm_address *to = arena_array(t->a, n_to, sizeof *to);
	struct mm_attachment *list = arena_array(t->a, n, sizeof *list);
	uint8_t *words = arena_get(t->a, text + 1);
	memset(words, 'x', text);
	for (size_t i = 0; i < n_to; i++)
		to[i] = from;
	for (size_t i = 0; i < n; i++)
		list[i] = (struct mm_attachment){ .file = mm_id_of(names[i]), .name = VIEW("FILE.TXT"), .size = SIZE, .position = UINT32_MAX };
	const struct mai m = { .bags = 1, .hops = 10, .from = from, .to = to, .n_to = n_to, .subject = VIEW("about it"), .text = view_of(words, text),
			       .attachments = list, .n_attachments = n };
	struct out o;
	out_init(&o, 64u << 20);
	GOOD(mai_print(&m, &mm_scramble_none, &o, &t->e));
	testing_write(t, po_rel_mai(&id).s, (const char *)out_view(&o).p, out_len(&o));
	out_fini(&o);
}

static void write_att(struct testing_po *t, uint32_t number)
{
	const struct mm_id id = mm_id_of(number);
	testing_write(t, po_rel_att(&id).s, "abc", SIZE);
}

/* Opens each of the message's attachments; how many are its own. A failure is [018] and names the file. */
static unsigned open_all(struct testing_po *t, uint32_t number, const uint32_t *names, size_t n)
{
	struct mm_attachment *list = arena_array(t->a, n, sizeof *list);
	const struct mm_id mai = mm_id_of(number);
	unsigned own = 0;
	for (size_t i = 0; i < n; i++)
		list[i] = (struct mm_attachment){ .file = mm_id_of(names[i]), .size = SIZE };
	struct po_owner *o = postoffice_owner_new(&mai, list, n);
	for (size_t i = 0; i < n; i++) {
		struct po_file *f = NULL;
		uint64_t size;
		if (postoffice_open_own(t->po, o, &list[i], &f, &size, &t->e)) {
			own++;
			po_file_close(&f);
			continue;
		}
		assert_int_equal(t->e.kind, ERR_PERM);
		assert_int_equal(t->e.culprit, ERR_OF_MESSAGE);
		assert_memory_equal(t->e.text, "[018]", 5);
		assert_non_null(strstr(t->e.text, list[i].file.s));
	}
	postoffice_owner_free(&o);
	return own;
}

static void number_from(uint32_t *names, uint32_t first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		names[i] = first + (uint32_t)i;
}

/* 20 attachments in a row, 16 messages on their lower side, each with a text of 300 KB and an attachment of its own; four on the upper side: of each at most 8 KB is
 * read, once. Every number from 16 below the first to the message's own is looked at, and no other. */
static void test_neighbours_are_read_once_and_little_of_them(void **state)
{
	struct testing_po *t = *state;
	struct costs c;
	uint32_t names[MANY], other[1] = { 0x40 };
	number_from(names, FIRST, MANY);
	for (uint32_t i = 0; i < MANY; i++)
		write_att(t, FIRST + i);
	for (uint32_t i = 1; i <= 16; i++)
		write_mai(t, FIRST - i, other, i % 2, 1, 300 << 10);
	for (uint32_t i = 0; i < 4; i++)
		write_mai(t, FIRST + MANY + i, NULL, 0, 1, 300 << 10);
	write_mai(t, FIRST + MANY + 4, names, MANY, 1, 100);
	begin_counting(t, &c);
	assert_int_equal(open_all(t, FIRST + MANY + 4, names, MANY), MANY);
	end_counting(t);
	assert_int_equal(c.opened, 20);
	assert_int_equal(c.reads, 2 * 20); /* 4 KB each: what is before the text, and what is behind it */
	assert_true(c.looked <= 2 * 20 + 16 + MANY);
}

/* A list of 20,000 addresses before the attachments is passed over; that of friendly names behind the text is not, so far. */
static void test_long_lists_are_passed_over(void **state)
{
	struct testing_po *t = *state;
	struct costs c;
	const uint32_t name[] = { FIRST };
	write_att(t, FIRST);
	write_mai(t, FIRST + 1, name, 1, 20000, 4 << 20);
	write_mai(t, FIRST + 2, name, 1, 1, 100);
	begin_counting(t, &c);
	assert_int_equal(open_all(t, FIRST + 2, name, 1), 0);
	end_counting(t);
	assert_int_equal(c.opened, 1);
	assert_true(c.reads <= 257);
	assert_non_null(strstr(t->e.text, "another message's"));
}

/* Q87379: what another message names is its own, whichever of the two came first; who has made the ATT after his MAI (a mover) is not asked. */
static void test_another_message_has_it(void **state)
{
	struct testing_po *t = *state;
	const uint32_t theirs[] = { FIRST, FIRST + 1 }, both[] = { FIRST - 5, FIRST + 1, FIRST + 9, FIRST + 30 };
	for (uint32_t i = 0; i < 40; i++)
		write_att(t, FIRST - 5 + i);
	write_mai(t, FIRST + 2, theirs, 2, 1, 10);
	write_mai(t, FIRST + 10, both, 4, 1, 10);
	assert_int_equal(open_all(t, FIRST + 10, both, 4), 3);
	assert_int_equal(open_all(t, FIRST + 2, theirs, 2), 2);
	/* One that cannot be read says nothing; one that was cut behind its list has said it. */
	const struct mm_id victim = mm_id_of(FIRST + 2);
	testing_write(t, po_rel_mai(&victim).s, "no message", 10);
	assert_int_equal(open_all(t, FIRST + 10, both, 4), 4);
	/* In lower case, as a server may have it. */
	write_mai(t, FIRST + 2, theirs, 2, 1, 10);
	char from[200];
	snprintf(from, sizeof from, "%s", testing_path(t, po_rel_mai(&victim).s));
	assert_int_equal(rename(from, testing_path(t, "MAI/MA2/00000102.mai")), 0);
	assert_int_equal(open_all(t, FIRST + 10, both, 4), 3);
}

/* One that says 3000 numbers, all over the place, costs no more than is laid down, and what was not looked at it does not get. */
static void test_numbers_all_over_the_place(void **state)
{
	struct testing_po *t = *state;
	enum { NUMBERS = 3000 };
	struct costs c;
	uint32_t *names = arena_array(t->a, NUMBERS, sizeof *names);
	for (uint32_t i = 0; i < NUMBERS; i++) {
		names[i] = FIRST + i * 40;
		if (i % 100 == 0)
			write_att(t, names[i]);
	}
	begin_counting(t, &c);
	const unsigned own = open_all(t, 0x100000, names, NUMBERS);
	end_counting(t);
	assert_true(own > 0 && own < NUMBERS / 100);
	assert_true(c.looked <= 8192 + 2 * NUMBERS);
	/* As many in a row, and each of them twice, are looked at wholly: far less. */
	number_from(names, FIRST, NUMBERS / 2);
	number_from(names + NUMBERS / 2, FIRST, NUMBERS / 2);
	write_att(t, FIRST);
	begin_counting(t, &c);
	assert_int_equal(open_all(t, 0x100000, names, 1), 1);
	assert_true(open_all(t, 0x100000, names, NUMBERS) >= 2);
	end_counting(t);
	assert_true(c.looked <= NUMBERS / 2 + 100);
}

/* What goes takes its own files along, and nobody else's, in one look at the neighbours. */
static void test_files_go_with_their_message(void **state)
{
	struct testing_po *t = *state;
	struct costs c;
	uint32_t names[MANY + 1];
	char bag[9];
	const uint32_t theirs[] = { FIRST - 3 };
	struct mm_header h = testing_header(&(struct mm_id){ "00000120" });
	number_from(names, FIRST, MANY);
	names[MANY] = theirs[0];
	for (uint32_t i = 0; i <= MANY; i++)
		write_att(t, names[i]);
	write_mai(t, FIRST - 2, theirs, 1, 1, 10);
	write_mai(t, 0x120, names, MANY + 1, 1, 10);
	GOOD(postoffice_deliver(t->po, testing_bag(t, "TEST/HOME/BOB", bag), &h, &t->e));
	begin_counting(t, &c);
	GOOD(postoffice_bag_drop(t->po, bag, 0, &h.mai, false, &t->e));
	end_counting(t);
	for (uint32_t i = 0; i < MANY; i++) {
		const struct mm_id id = mm_id_of(FIRST + i);
		assert_false(testing_is_there(t, po_rel_att(&id).s));
	}
	const struct mm_id left = mm_id_of(theirs[0]);
	assert_true(testing_is_there(t, po_rel_att(&left).s));
	assert_false(testing_is_there(t, "MAI/MA0/00000120.MAI"));
	assert_true(c.opened <= 3);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, testing_setup, testing_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_neighbours_are_read_once_and_little_of_them), CASE(test_long_lists_are_passed_over), CASE(test_another_message_has_it),
		CASE(test_numbers_all_over_the_place), CASE(test_files_go_with_their_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
