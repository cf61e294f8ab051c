/* postoffice_test.c - the core on real directories: ids, putting, bags, locks, routes, names in any case, what is in the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "flow/wire/postoffice/mail.h"
#include "flow/wire/postoffice/postoffice_testing.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static unsigned live(struct testing_po *t, const char *bag)
{
	struct po_bag_entry x;
	unsigned n, all;
	GOOD(postoffice_bag(t->po, bag, 1, &x, &n, &all, &t->e));
	return all;
}

/* --- put, deliver, read, drop --- */

static void read_back(struct testing_po *t, const struct mm_id *id, unsigned attachments, unsigned bags)
{
	const struct mai_limits l = mai_limits_default();
	struct out o;
	struct mai m;
	out_init(&o, 1 << 20);
	GOOD(postoffice_read_mai(t->po, id, 1 << 20, &o, &t->e));
	GOOD(mai_parse(out_view(&o), &mm_scramble_none, &m, t->a, &l, &t->e));
	assert_int_equal(m.bags, bags);
	assert_int_equal(m.n_attachments, attachments);
	for (unsigned i = 0; i < attachments; i++) {
		struct po_file *f;
		uint64_t size;
		char want[40], got[40];
		size_t n, all = 0;
		snprintf(want, sizeof want, "contents of %u", i);
		GOOD(postoffice_open_attachment(t->po, &m.attachments[i].file, &f, &size, &t->e));
		assert_int_equal(size, strlen(want));
		do { /* in pieces of three */
			GOOD(po_file_read(f, got + all, 3, &n, &t->e));
			all += n;
		} while (n > 0);
		assert_int_equal(all, size);
		assert_memory_equal(got, want, all);
		po_file_close(&f);
	}
	out_fini(&o);
}

static void test_message_put_delivered_and_dropped(void **state)
{
	struct testing_po *t = *state;
	char ann[9], bob[9];
	struct mm_id id;
	struct po_bag_entry x[2];
	unsigned n, all;
	testing_bag(t, "TEST/HOME/ANN", ann);
	testing_bag(t, "TEST/HOME/BOB", bob);
	assert_string_not_equal(ann, bob);
	GOOD(testing_put(t, "TEST/HOME/BOB", 3, 2, false, NULL, &id));
	const struct mm_header h = testing_header(&id);
	for (unsigned again = 0; again < 2; again++) { /* a bag holds a MAI at most once (Q77926) */
		GOOD(postoffice_deliver(t->po, ann, &h, &t->e));
		GOOD(postoffice_deliver(t->po, bob, &h, &t->e));
	}
	read_back(t, &id, 3, 2);
	GOOD(postoffice_bag(t->po, bob, 2, x, &n, &all, &t->e));
	assert_int_equal(n, 1);
	assert_int_equal(all, 1);
	assert_true(x[0].readable);
	assert_string_equal(x[0].header.mai.s, id.s);
	assert_string_equal(x[0].header.subject, "about it");
	for (unsigned again = 0; again < 2; again++) { /* a second drop takes nothing from the count */
		GOOD(postoffice_bag_drop(t->po, bob, x[0].slot, &id, false, &t->e));
		assert_int_equal(live(t, bob), 0);
		read_back(t, &id, 3, 1);
	}
	GOOD(postoffice_bag_drop(t->po, ann, 0, &id, false, &t->e));
	assert_false(testing_is_there(t, po_rel_mai(&id).s));
	for (uint32_t i = 0; i < 32; i++) { /* its attachments have gone with it */
		const struct mm_id att = mm_id_of(i);
		assert_false(testing_is_there(t, po_rel_att(&att).s));
	}
	struct out o;
	out_init(&o, 100);
	BAD(postoffice_read_mai(t->po, &id, 100, &o, &t->e), ERR_PERM, ERR_OF_MESSAGE);
	assert_int_equal(strncmp(t->e.text, "[016]", 5), 0);
	out_fini(&o);
}

static void test_dropped_put_leaves_nothing(void **state)
{
	struct testing_po *t = *state;
	struct po_put *p;
	struct mm_id id, att;
	GOOD(postoffice_put_begin(t->po, &p, &t->e));
	id = po_put_id(p);
	GOOD(po_put_attachment(p, 5, &att, &t->e));
	assert_true(testing_is_there(t, po_rel_mai(&id).s));
	assert_true(testing_is_there(t, po_rel_att(&att).s));
	BAD(po_put_octets(p, VIEW("more than five"), &t->e), ERR_PERM, ERR_OF_MESSAGE);
	po_put_end(&p, false);
	assert_null(p);
	assert_false(testing_is_there(t, po_rel_mai(&id).s));
	assert_false(testing_is_there(t, po_rel_att(&att).s));
}

static void test_k146113_slot_of_another_message_is_not_dropped(void **state)
{
	struct testing_po *t = *state;
	char bob[9];
	struct mm_id a, b;
	testing_bag(t, "TEST/HOME/BOB", bob);
	GOOD(testing_put(t, "TEST/HOME/BOB", 0, 1, false, NULL, &a));
	GOOD(testing_put(t, "TEST/HOME/BOB", 0, 1, false, NULL, &b));
	const struct mm_header ha = testing_header(&a), hb = testing_header(&b);
	GOOD(postoffice_deliver(t->po, bob, &ha, &t->e));
	GOOD(postoffice_bag_drop(t->po, bob, 0, &a, false, &t->e));
	GOOD(postoffice_deliver(t->po, bob, &hb, &t->e)); /* into the same slot (Q146113) */
	GOOD(postoffice_bag_drop(t->po, bob, 0, &a, false, &t->e));
	GOOD(postoffice_bag_forget(t->po, bob, 0, &a, &t->e));
	assert_int_equal(live(t, bob), 1);
	assert_true(testing_is_there(t, po_rel_mai(&b).s));
	GOOD(postoffice_bag_forget(t->po, bob, 0, &b, &t->e));
	assert_int_equal(live(t, bob), 0);
	assert_true(testing_is_there(t, po_rel_mai(&b).s));
}

static void test_envelope_goes_with_the_last_outbound_bag(void **state)
{
	struct testing_po *t = *state;
	char away[9], smtp[9], bob[9];
	struct mm_id id;
	struct mm_envelope v;
	testing_bag(t, "TEST/AWAY/X", away);
	testing_bag(t, "SMTP/Y/Z", smtp);
	testing_bag(t, "TEST/HOME/BOB", bob);
	GOOD(testing_put(t, "TEST/AWAY/X", 1, 3, true, away, &id));
	GOOD(postoffice_read_envelope(t->po, &id, t->a, &v, &t->e));
	assert_int_equal(v.state, MM_UNREADY);
	assert_string_equal(v.mai.s, id.s);
	struct mm_recipient r[3] = { v.recipients[0], v.recipients[0], v.recipients[0] };
	snprintf(r[1].bag, sizeof r[1].bag, "%s", smtp);
	snprintf(r[2].bag, sizeof r[2].bag, "%s", bob);
	v.recipients = r;
	v.n = 3;
	v.state = MM_READY;
	GOOD(postoffice_write_envelope(t->po, &v, &t->e));
	const struct mm_header h = testing_header(&id);
	GOOD(postoffice_deliver(t->po, away, &h, &t->e));
	GOOD(postoffice_deliver(t->po, smtp, &h, &t->e));
	GOOD(postoffice_deliver(t->po, bob, &h, &t->e));
	GOOD(postoffice_bag_drop(t->po, away, 0, &id, true, &t->e));
	assert_true(testing_is_there(t, po_rel_p1(&id).s));
	GOOD(postoffice_bag_drop(t->po, smtp, 0, &id, true, &t->e)); /* Bob has not read it; his bag needs no envelope */
	assert_false(testing_is_there(t, po_rel_p1(&id).s));
	read_back(t, &id, 1, 1);
	BAD(postoffice_read_envelope(t->po, &id, t->a, &v, &t->e), ERR_PERM, ERR_OF_MESSAGE);
	assert_int_equal(strncmp(t->e.text, "[021]", 5), 0);
	GOOD(postoffice_remove_envelope(t->po, &id, &t->e));
}

static void test_k138054_full_bag_is_of_that_recipient(void **state)
{
	struct testing_po *t = *state;
	char bob[9], ann[9];
	struct mm_key k = { { 0 } };
	uint8_t record[MM_RECORD_SIZE];
	testing_bag(t, "TEST/HOME/BOB", bob);
	testing_bag(t, "TEST/HOME/ANN", ann);
	struct out o;
	out_init(&o, MM_BAG_RECORDS * MM_RECORD_SIZE);
	for (unsigned i = 0; i < MM_BAG_RECORDS; i++) {
		const struct mm_id id = mm_id_of(0x70000000u + i);
		const struct mm_header h = testing_header(&id);
		mm_header_print(&h, record);
		out_bytes(&o, view_of(record, sizeof record));
		mm_key_add(&k, i, true);
	}
	testing_write(t, po_rel_of("MBG", bob, ".MBG").s, (const char *)out_view(&o).p, out_len(&o));
	testing_write(t, po_rel_of("KEY", bob, ".KEY").s, (const char *)k.octets, MM_KEY_SIZE);
	out_fini(&o);
	const struct mm_id id = mm_id_of(0x1234);
	const struct mm_header h = testing_header(&id);
	assert_int_equal(live(t, bob), 4096);
	BAD(postoffice_deliver(t->po, bob, &h, &t->e), ERR_PERM, ERR_OF_RECIPIENT);
	assert_int_equal(strncmp(t->e.text, "[017]", 5), 0);
	assert_int_equal(t->e.reason, 1); /* unable-to-transfer, recipient-unavailable: flow/report's row of [017] */
	assert_int_equal(t->e.diagnostic, 4);
	GOOD(postoffice_deliver(t->po, ann, &h, &t->e));
	const struct mm_id gone = mm_id_of(0x70000000u + 4000);
	GOOD(postoffice_bag_forget(t->po, bob, 4000, &gone, &t->e));
	GOOD(postoffice_deliver(t->po, bob, &h, &t->e));
	assert_int_equal(live(t, bob), 4096);
}

/* --- ids --- */

static void set_counter(struct testing_po *t, uint32_t next)
{
	const struct mm_control c = { .nmailbag = 100, .nletter = next };
	uint8_t octets[MM_CONTROL_SIZE];
	mm_control_print(&c, octets);
	testing_write(t, "GLB/CONTROL.GLB", (const char *)octets, sizeof octets);
}

static uint32_t counter(struct testing_po *t)
{
	struct mm_control c;
	struct out o;
	bool there;
	out_init(&o, 100);
	GOOD(po_read_file(t->po, "GLB/CONTROL.GLB", 8, &o, &there, &t->e));
	GOOD(mm_control_parse(out_view(&o), &c, &t->e));
	out_fini(&o);
	assert_int_equal(c.nmailbag, 100);
	return c.nletter;
}

static void test_ids_skip_what_is_taken(void **state)
{
	struct testing_po *t = *state;
	struct mm_id id;
	set_counter(t, 0x500);
	testing_write(t, "MAI/MA0/00000500.MAI", "x", 1);
	testing_write(t, "MAI/MA1/00000501.mai", "x", 1);
	testing_write(t, "P1/00000502.P1", "x", 1); /* an envelope that would be taken for the new message's */
	GOOD(testing_put(t, "TEST/HOME/BOB", 0, 1, false, NULL, &id));
	assert_string_equal(id.s, "00000503");
	assert_int_equal(counter(t), 0x504);
	set_counter(t, 0xffffffff); /* the last one; then 1 again, never 0 */
	GOOD(testing_put(t, "TEST/HOME/BOB", 0, 1, false, NULL, &id));
	assert_string_equal(id.s, "FFFFFFFF");
	GOOD(testing_put(t, "TEST/HOME/BOB", 0, 1, false, NULL, &id));
	assert_string_equal(id.s, "00000001");
}

/* A postoffice that other programs have made keeps its bitmaps and its envelopes elsewhere: it is looked at, and never written. */
static void test_a_postoffice_of_others_is_only_read(void **state)
{
	struct testing_po *t = *state;
	static const char zeroes[MM_MASTER_SIZE];
	struct postoffice *po = NULL;
	testing_write(t, "GLB/MASTER.GLB", zeroes, sizeof zeroes);
	BAD(postoffice_open(t->path, 0, NULL, &t->host, &po, &t->e), ERR_LOCAL, ERR_OF_LINK);
	assert_non_null(strstr(t->e.text, "GLB/MASTER.GLB: bears no mark"));
	GOOD(postoffice_open(t->path, POSTOFFICE_READ_ONLY, NULL, &t->host, &po, &t->e));
	postoffice_close(&po);
}

/* A scrambling that is known in part writes and shows no attachment: it is refused before a file is made. */
static void test_a_scrambling_known_in_part_is_refused(void **state)
{
	struct testing_po *t = *state;
	struct po_put *put;
	struct po_file *f = NULL;
	struct mm_id id, att;
	uint64_t size;
	GOOD(testing_put(t, "TEST/HOME/BOB", 1, 1, true, NULL, &id));
	att = mm_id_of((uint32_t)strtoul(id.s, NULL, 16) + 1);
	GOOD(postoffice_open_attachment(t->po, &att, &f, &size, &t->e));
	po_file_close(&f);
	t->po->scramble = &mm_scramble_chain;
	BAD(postoffice_open_attachment(t->po, &att, &f, &size, &t->e), ERR_PERM, ERR_OF_MESSAGE);
	assert_non_null(strstr(t->e.text, "\"chain\""));
	GOOD(postoffice_put_begin(t->po, &put, &t->e));
	BAD(po_put_attachment(put, 10, &att, &t->e), ERR_PERM, ERR_OF_MESSAGE);
	po_put_end(&put, false);
}

static void test_k124042_damaged_files_are_named(void **state)
{
	struct testing_po *t = *state;
	static const struct { const char *rel; size_t size; } files[] = {
		{ "GLB/CONTROL.GLB", 7 }, { "GLB/MASTER.GLB", 100 }, { "GLB/NETWORK.GLB", 123 }, { "KEY/INQUEUE.KEY", 559 }, { "KEY/INQUEUE3.KEY", 0 }, { "KEY/SYSTEM.KEY", 1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct stat st;
		struct postoffice *po = NULL;
		char *path = mem_strdup(testing_path(t, files[i].rel)), aside[200];
		snprintf(aside, sizeof aside, "%s/aside", t->dir);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(rename(path, aside), 0);
		BAD(postoffice_open(t->path, 0, NULL, &t->host, &po, &t->e), ERR_LOCAL, ERR_OF_LINK);
		assert_non_null(strstr(t->e.text, files[i].rel));
		static const char zeroes[600];
		testing_write(t, files[i].rel, zeroes, files[i].size);
		BAD(postoffice_open(t->path, 0, NULL, &t->host, &po, &t->e), ERR_LOCAL, ERR_OF_LINK);
		assert_non_null(strstr(t->e.text, files[i].rel));
		GOOD(postoffice_open(t->path, POSTOFFICE_UNCHECKED, NULL, &t->host, &po, &t->e)); /* for repair */
		assert_non_null(strstr(postoffice_health(po)->first.text, files[i].rel));
		postoffice_close(&po);
		assert_int_equal(rename(aside, path), 0);
		free(path);
	}
	testing_attach(t, 0);
	assert_int_equal(t->po->health.first.kind, ERR_NONE);
	/* Later, too: nothing can be put, and the file is named. */
	struct mm_id id;
	testing_write(t, "GLB/CONTROL.GLB", "1234567", 7);
	BAD(testing_put(t, "TEST/HOME/BOB", 0, 1, false, NULL, &id), ERR_LOCAL, ERR_OF_LINK);
	assert_non_null(strstr(t->e.text, "GLB/CONTROL.GLB"));
}

static void test_k266442_directories(void **state)
{
	struct testing_po *t = *state;
	struct postoffice *po = NULL;
	struct mm_id id;
	assert_int_equal(nftw(testing_path(t, "P1"), testing_remove, 4, FTW_DEPTH | FTW_PHYS), 0);
	BAD(postoffice_open(t->path, 0, NULL, &t->host, &po, &t->e), ERR_LOCAL, ERR_OF_LINK);
	assert_non_null(strstr(t->e.text, "P1"));
	testing_attach(t, POSTOFFICE_CREATE_DIRS);
	assert_true(testing_is_there(t, "P1"));
	assert_int_equal(t->po->health.dirs_missing, 0);
	assert_int_equal(t->po->health.dirs_made, 1);
	assert_int_equal(rmdir(testing_path(t, "P1")), 0); /* and under us: it is not made in the middle of the work */
	BAD(testing_put(t, "TEST/AWAY/X", 0, 1, true, NULL, &id), ERR_LOCAL, ERR_OF_LINK);
	assert_non_null(strstr(t->e.text, "P1"));
	testing_attach(t, POSTOFFICE_CREATE_DIRS);
	GOOD(testing_put(t, "TEST/AWAY/X", 0, 1, true, NULL, &id));
	assert_true(testing_is_there(t, po_rel_p1(&id).s));
	/* With mail in transit an empty one would say that it is done with. */
	const struct mm_header h = testing_header(&id);
	GOOD(postoffice_deliver(t->po, "INQUEUE3", &h, &t->e));
	char away[200];
	snprintf(away, sizeof away, "%s", testing_path(t, "P1.AWAY"));
	assert_int_equal(rename(testing_path(t, "P1"), away), 0);
	struct mm_envelope v;
	enum mail_found found;
	BAD(mail_look(t->po, &id, t->a, &v, &found, &t->e), ERR_LOCAL, ERR_OF_LINK);
	BAD(postoffice_open(t->path, POSTOFFICE_CREATE_DIRS, NULL, &t->host, &po, &t->e), ERR_LOCAL, ERR_OF_LINK);
	assert_non_null(strstr(t->e.text, "P1: this directory of the postoffice is missing, and 1 message"));
	assert_int_equal(rename(away, testing_path(t, "P1")), 0);
	testing_attach(t, POSTOFFICE_CREATE_DIRS);
	GOOD(mail_look(t->po, &id, t->a, &v, &found, &t->e));
	assert_int_equal(found, MAIL_NOT_YET);
	/* One that mail does not need hinders nobody. */
	assert_int_equal(nftw(testing_path(t, "HLP"), testing_remove, 4, FTW_DEPTH | FTW_PHYS), 0);
	testing_attach(t, 0);
	assert_int_equal(t->po->health.dirs_missing, 1);
	assert_non_null(strstr(t->po->health.first.text, "HLP"));
}

/* --- routes --- */

static enum mm_where where(struct testing_po *t, const char *who, struct mm_route *r)
{
	const struct mm_name name = testing_name(who);
	GOOD(postoffice_route(t->po, &name, r, &t->e));
	return r->where;
}

static bool count_bag(void *ctx, const struct mm_name *next, const char *mailbag)
{
	assert_int_equal(strlen(mailbag), 8);
	assert_true(next->network[0] != 0);
	++*(unsigned *)ctx;
	return true;
}

static void test_routes(void **state)
{
	struct testing_po *t = *state;
	struct mm_route r, s;
	assert_int_equal(where(t, "TEST/HOME/ann", &r), MM_LOCAL_USER);
	assert_int_equal(where(t, "test/home/$system", &r), MM_SYSTEM);
	assert_string_equal(r.mailbag, "SYSTEM");
	assert_int_equal(where(t, "TEST/HOME/CARL", &r), MM_NO_USER);
	assert_int_equal(where(t, "TEST/AWAY/X", &r), MM_OUTBOUND);
	assert_string_equal(r.next.postoffice, "AWAY");
	assert_int_equal(where(t, "FAR/BEYOND/X", &s), MM_OUTBOUND); /* by way of AWAY */
	assert_string_equal(s.mailbag, r.mailbag);
	assert_string_equal(s.next.network, "TEST");
	assert_string_equal(s.next.postoffice, "AWAY");
	assert_int_equal(where(t, "SMTP/ANY/THING", &r), MM_OUTBOUND);
	assert_int_equal(r.network_type, MM_NETWORK_FFAPI);
	assert_int_equal(where(t, "TEST/NOWHERE/X", &r), MM_NO_ROUTE);
	assert_int_equal(where(t, "NONE/NOWHERE/X", &r), MM_NO_ROUTE);
	unsigned n = 0;
	GOOD(postoffice_each_outbound(t->po, count_bag, &n, &t->e));
	assert_int_equal(n, 2);
}

/* Q131116: mail to a user added since the tables were read. Another process adds him; no time passes. */
static void test_k131116_new_user_is_found(void **state)
{
	struct testing_po *t = *state;
	struct postoffice *other = NULL;
	struct mm_route r;
	assert_int_equal(where(t, "TEST/HOME/CARL", &r), MM_NO_USER);
	GOOD(postoffice_open(t->path, 0, NULL, &t->host, &other, &t->e));
	GOOD(postoffice_add_user(other, "CARL", NULL, &t->e));
	postoffice_close(&other);
	assert_int_equal(where(t, "TEST/HOME/CARL", &r), MM_LOCAL_USER);
}

static bool take_member(void *ctx, const struct mm_name *member)
{
	char *all = ctx;
	const size_t n = strlen(all);
	snprintf(all + n, 64 - n, "%s/%s/%s ", member->network, member->postoffice, member->mailbox);
	return true;
}

static void test_k117895_groups(void **state)
{
	struct testing_po *t = *state;
	const char *const members[] = { "BOB", "ANN" };
	struct mm_route r;
	char all[64] = "";
	GOOD(postoffice_add_group(t->po, "STAFF", members, 2, &t->e));
	assert_int_equal(where(t, "TEST/HOME/STAFF", &r), MM_GROUP);
	GOOD(postoffice_group(t->po, "staff", take_member, all, &t->e));
	assert_string_equal(all, "TEST/HOME/BOB TEST/HOME/ANN ");
	DIR *d = opendir(testing_path(t, "MEM"));
	for (struct dirent *x; (x = readdir(d)) != NULL;)
		if (strstr(x->d_name, ".MEM") != NULL)
			assert_int_equal(unlinkat(dirfd(d), x->d_name, 0), 0);
	closedir(d);
	all[0] = 0;
	GOOD(postoffice_group(t->po, "STAFF", take_member, all, &t->e)); /* an empty local part */
	assert_string_equal(all, "");
	BAD(postoffice_group(t->po, "NONE", take_member, all, &t->e), ERR_PERM, ERR_OF_RECIPIENT);
	assert_int_equal(strncmp(t->e.text, "[007]", 5), 0);
}

static void test_k103383_missing_xtn_hinders_its_network_only(void **state)
{
	struct testing_po *t = *state;
	struct mm_route r;
	struct po_rel gone = { "" };
	const struct mm_name away = testing_name("TEST/AWAY/X");
	struct out o;
	bool there;
	out_init(&o, 100000);
	GOOD(po_read_file(t->po, "GLB/NETWORK.GLB", 100000, &o, &there, &t->e));
	for (struct view v = out_view(&o); v.n >= MM_NETWORK_SIZE; v = view_from(v, MM_NETWORK_SIZE)) {
		struct mm_network n;
		GOOD(mm_network_parse(view_first(v, MM_NETWORK_SIZE), &n, &t->e));
		if (n.active && mm_same(n.name, "TEST") && n.xtn[0] != 0)
			gone = po_rel_of("XTN", n.xtn, ".XTN");
	}
	out_fini(&o);
	assert_int_equal(unlink(testing_path(t, gone.s)), 0);
	testing_attach(t, 0);
	assert_non_null(strstr(t->po->health.first.text, gone.s));
	BAD(postoffice_route(t->po, &away, &r, &t->e), ERR_LOCAL, ERR_OF_RECIPIENT);
	assert_non_null(strstr(t->e.text, gone.s));
	assert_int_equal(where(t, "SMTP/A/B", &r), MM_OUTBOUND);
	assert_int_equal(where(t, "TEST/HOME/ANN", &r), MM_LOCAL_USER);
}

/* A member who is elsewhere is told of, not passed over. */
static void test_k117804_external_members_are_reported(void **state)
{
	struct testing_po *t = *state;
	const char *const members[] = { "BOB" };
	const struct mm_alias far = { .alias = "Eve/X elsewhere", .tid = 0x7777, .type = MM_ALIAS_EXTERNAL };
	uint8_t record[MM_ALIAS_SIZE];
	char all[64] = "";
	struct mm_route r;
	struct out nme, grp;
	bool there;
	GOOD(postoffice_add_group(t->po, "STAFF", members, 1, &t->e));
	out_init(&nme, 10000);
	out_init(&grp, 1000);
	GOOD(po_read_file(t->po, "NME/ADMIN.NME", 10000, &nme, &there, &t->e));
	char file[9] = "";
	for (struct view v = out_view(&nme); v.n >= MM_ALIAS_SIZE; v = view_from(v, MM_ALIAS_SIZE)) {
		struct mm_alias g;
		if (mm_alias_parse(view_first(v, MM_ALIAS_SIZE), &g, &t->e) && g.type == MM_ALIAS_GROUP)
			memcpy(file, g.file, sizeof file);
	}
	mm_alias_print(&far, record);
	out_bytes(&nme, view_of(record, sizeof record));
	testing_write(t, "NME/ADMIN.NME", (const char *)out_view(&nme).p, out_len(&nme));
	/* Q107767: TID, offset of the next; here a chain that comes back to itself, too. */
	GOOD(po_read_file(t->po, po_rel_of("GRP", file, ".GRP").s, 1000, &grp, &there, &t->e));
	assert_int_equal(out_len(&grp), 8);
	uint8_t chain[16] = { 0, 0, 0, 0, 8, 0, 0, 0, 0x77, 0x77, 0, 0, 8, 0, 0, 0 };
	memcpy(chain, out_view(&grp).p, 4);
	testing_write(t, po_rel_of("GRP", file, ".GRP").s, (const char *)chain, sizeof chain);
	t->now += 60000;
	GOOD(postoffice_group(t->po, "STAFF", take_member, all, &t->e));
	assert_string_equal(all, "TEST/HOME/BOB TEST/HOME/*Eve_X_els ");
	assert_int_equal(where(t, "TEST/HOME/*Eve_X_els", &r), MM_NO_USER);
	out_fini(&nme);
	out_fini(&grp);
}

/* --- locks --- */

static void test_k168857_lock_excludes_and_names_its_holder(void **state)
{
	struct testing_po *t = *state;
	struct postoffice *other = NULL;
	struct po_lock *a = NULL, *b = NULL, *c = NULL;
	char pid[20];
	GOOD(postoffice_open(t->path, 0, NULL, &t->host, &other, &t->e));
	GOOD(postoffice_lock(t->po, "INQUEUE3", &a, &t->e));
	assert_non_null(a);
	assert_true(testing_is_there(t, "P1/INQUEUE3.0LK"));
	GOOD(postoffice_lock(other, "INQUEUE3", &b, &t->e));
	assert_null(b);
	snprintf(pid, sizeof pid, " %ld ", (long)getpid());
	assert_non_null(strstr(t->e.text, pid));
	GOOD(postoffice_lock(other, "00000001", &c, &t->e)); /* another bag's is free */
	assert_non_null(c);
	postoffice_unlock(&c);
	postoffice_unlock(&a);
	assert_false(testing_is_there(t, "P1/INQUEUE3.0LK"));
	GOOD(postoffice_lock(other, "INQUEUE3", &b, &t->e));
	assert_non_null(b);
	postoffice_unlock(&b);
	postoffice_close(&other);
}

static void test_lock_of_the_dead_is_taken_over(void **state)
{
	struct testing_po *t = *state;
	struct po_lock *l = NULL;
	testing_write(t, "P1/INQUEUE3.0LK", "elsewhere 17 2001-01-01T00:00:00Z\r\n", 35);
	GOOD(postoffice_lock(t->po, "INQUEUE3", &l, &t->e));
	assert_non_null(l);
	postoffice_unlock(&l);
	/* Q152903: a server that stores names in lower case: the file is ours all the same. */
	testing_write(t, "P1/inqueue3.0lk", "", 0);
	GOOD(postoffice_lock(t->po, "INQUEUE3", &l, &t->e));
	assert_non_null(l);
	assert_false(testing_is_there(t, "P1/INQUEUE3.0LK"));
	postoffice_unlock(&l);
	assert_false(testing_is_there(t, "P1/inqueue3.0lk"));
}

static void test_k126750_no_sharing_without_locks(void **state)
{
	struct testing_po *t = *state;
	struct po_lock *l = NULL;
	struct mm_id id;
	char plan[40];
	/* The last lock of attaching is the second descriptor's. */
	GOOD(fault_plan("PO_LOCK:1000000:fail", &t->e));
	testing_attach(t, 0);
	assert_true(t->po->health.locks_work);
	snprintf(plan, sizeof plan, "PO_LOCK:%u:fail", (unsigned)fault_passes(FAULT_PO_LOCK));
	GOOD(fault_plan(plan, &t->e));
	testing_attach(t, 0);
	assert_false(t->po->health.locks_work);
	assert_non_null(strstr(t->po->health.first.text, "locks do not work"));
	BAD(postoffice_lock(t->po, "INQUEUE3", &l, &t->e), ERR_LOCAL, ERR_OF_LINK);
	BAD(testing_put(t, "TEST/HOME/BOB", 0, 1, false, NULL, &id), ERR_LOCAL, ERR_OF_LINK);
	GOOD(fault_plan(NULL, &t->e));
}

/* --- names in lower case, or in any --- */

static int to_lower(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	char to[300];
	(void)st, (void)flag;
	if (f->level == 0)
		return 0;
	snprintf(to, sizeof to, "%s", path);
	for (char *p = to + f->base; *p != 0; p++)
		*p = (char)tolower((unsigned char)*p);
	return rename(path, to);
}

static int to_title(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	char to[300];
	(void)st, (void)flag;
	if (f->level == 0)
		return 0;
	snprintf(to, sizeof to, "%s", path);
	for (char *p = to + f->base + 1; *p != 0; p++)
		*p = (char)tolower((unsigned char)*p);
	return rename(path, to);
}

static void works_whole(struct testing_po *t)
{
	char away[9], bob[9];
	struct mm_id id;
	struct mm_envelope v;
	struct po_lock *l = NULL;
	testing_bag(t, "TEST/AWAY/X", away);
	testing_bag(t, "TEST/HOME/BOB", bob);
	GOOD(postoffice_lock(t->po, away, &l, &t->e));
	assert_non_null(l);
	GOOD(testing_put(t, "TEST/AWAY/X", 2, 2, true, away, &id));
	const struct mm_header h = testing_header(&id);
	GOOD(postoffice_deliver(t->po, away, &h, &t->e));
	GOOD(postoffice_deliver(t->po, bob, &h, &t->e));
	GOOD(postoffice_read_envelope(t->po, &id, t->a, &v, &t->e));
	v.state = MM_READY;
	GOOD(postoffice_write_envelope(t->po, &v, &t->e));
	GOOD(postoffice_read_envelope(t->po, &id, t->a, &v, &t->e));
	assert_int_equal(v.state, MM_READY);
	read_back(t, &id, 2, 2);
	assert_int_equal(live(t, bob), 1);
	GOOD(postoffice_bag_drop(t->po, away, 0, &id, true, &t->e));
	GOOD(postoffice_bag_drop(t->po, bob, 0, &id, false, &t->e));
	BAD(postoffice_read_envelope(t->po, &id, t->a, &v, &t->e), ERR_PERM, ERR_OF_MESSAGE);
	postoffice_unlock(&l);
}

static void test_k152903_names_in_lower_case(void **state)
{
	struct testing_po *t = *state;
	works_whole(t);
	postoffice_close(&t->po);
	assert_int_equal(nftw(t->path, to_lower, 16, FTW_DEPTH | FTW_PHYS), 0);
	testing_attach(t, 0);
	assert_true(t->po->health.case_sensitive);
	works_whole(t);
	assert_int_equal(nftw(t->path, to_lower, 16, FTW_DEPTH | FTW_PHYS), 0); /* what was made meanwhile */
	works_whole(t);
}

static void test_k129456_names_in_any_case(void **state)
{
	struct testing_po *t = *state;
	postoffice_close(&t->po);
	assert_int_equal(nftw(t->path, to_title, 16, FTW_DEPTH | FTW_PHYS), 0);
	testing_attach(t, 0);
	works_whole(t);
	assert_int_equal(nftw(t->path, to_title, 16, FTW_DEPTH | FTW_PHYS), 0);
	works_whole(t);
}

static void test_k256187_upper_case_needs_no_listing(void **state)
{
	struct testing_po *t = *state;
	works_whole(t);
	t->lists = 0;
	char bob[9];
	struct mm_id id;
	testing_bag(t, "TEST/HOME/BOB", bob);
	GOOD(testing_put(t, "TEST/HOME/BOB", 2, 1, true, bob, &id));
	const struct mm_header h = testing_header(&id);
	GOOD(postoffice_deliver(t->po, bob, &h, &t->e));
	GOOD(postoffice_bag_drop(t->po, bob, 0, &id, true, &t->e));
	GOOD(postoffice_remove_envelope(t->po, &id, &t->e));
	assert_int_equal(t->lists, 0);
}

/* Names that are not there, as the envelope of each message that a client wrote, do not cost a look through P1 each. */
static void test_k256187_missing_envelopes_cost_one_listing(void **state)
{
	struct testing_po *t = *state;
	struct mm_envelope v;
	enum mail_found found;
	testing_attach(t, 0);
	t->lists = 0;
	for (uint32_t i = 0; i < 50; i++) {
		const struct mm_id id = mm_id_of(0xB000 + i), other = mm_id_of(0xC000 + i);
		GOOD(mail_look(t->po, &id, t->a, &v, &found, &t->e));
		assert_int_equal(found, MAIL_LOST);
		testing_write(t, po_rel_p1(&other).s, "", 0); /* the directory changes all the time */
	}
	assert_in_range(t->lists, 0, 1);
	/* One in neither case is found by who attaches, whatever came before. */
	testing_write(t, "P1/0000b0A0.p1", "junk", 4);
	testing_attach(t, 0);
	const struct mm_id odd = mm_id_of(0xB0A0);
	BAD(mail_look(t->po, &odd, t->a, &v, &found, &t->e), ERR_PERM, ERR_OF_MESSAGE);
}

/* --- what is no plain file --- */

static void nothing_leads_out(struct testing_po *t)
{
	const struct mm_id fifo = mm_id_of(0xA1), out_of_it = mm_id_of(0xA2), dir = mm_id_of(0xA3);
	struct out o;
	out_init(&o, 1000);
	assert_int_equal(mkfifo(testing_path(t, po_rel_mai(&fifo).s), 0600), 0);
	assert_int_equal(symlink("/etc/passwd", testing_path(t, po_rel_mai(&out_of_it).s)), 0);
	assert_int_equal(mkdir(testing_path(t, po_rel_mai(&dir).s), 0700), 0);
	BAD(postoffice_read_mai(t->po, &fifo, 1000, &o, &t->e), ERR_PERM, ERR_OF_MESSAGE);
	BAD(postoffice_read_mai(t->po, &out_of_it, 1000, &o, &t->e), ERR_PERM, ERR_OF_MESSAGE);
	BAD(postoffice_set_bags(t->po, &dir, 1, &t->e), ERR_PERM, ERR_OF_MESSAGE);
	/* A directory that is a link is the server's trouble: others go on, and no message is taken for damaged. */
	char elsewhere[200];
	snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", t->dir);
	assert_int_equal(rename(testing_path(t, "MAI/MA2"), elsewhere), 0);
	assert_int_equal(symlink(elsewhere, testing_path(t, "MAI/MA2")), 0);
	BAD(postoffice_read_mai(t->po, &out_of_it, 1000, &o, &t->e), ERR_LOCAL, ERR_OF_MESSAGE);
	BAD(po_remove(t->po, po_rel_mai(&out_of_it).s, &t->e), ERR_LOCAL, ERR_OF_LINK);
	assert_int_equal(out_len(&o), 0);
	out_fini(&o);
}

static void test_fifo_and_link_do_not_hang_nor_lead_out(void **state)
{
	nothing_leads_out(*state);
}

/* A kernel that has no openat2: the same, step by step. */
static void test_without_openat2(void **state)
{
	struct testing_po *t = *state;
	const pid_t child = fork();
	if (child == 0) {
		scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
		if (f == NULL || seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0) != 0 || seccomp_load(f) != 0)
			_exit(77);
		if (syscall(SYS_openat2, t->po->root, "GLB", NULL, 0) != -1 || errno != ENOSYS)
			_exit(77);
		works_whole(t);
		nothing_leads_out(t);
		_exit(0); /* a check that fails ends the process otherwise */
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static void test_vanished_postoffice_is_no_missing_message(void **state)
{
	struct testing_po *t = *state;
	const struct mm_id id = mm_id_of(0x77);
	struct po_lock *l = NULL;
	struct mm_envelope v;
	char away[200];
	struct out o;
	out_init(&o, 1000);
	snprintf(away, sizeof away, "%s/gone", t->dir);
	assert_int_equal(rename(t->path, away), 0);
	BAD(postoffice_read_mai(t->po, &id, 1000, &o, &t->e), ERR_LOCAL, ERR_OF_LINK);
	BAD(postoffice_read_envelope(t->po, &id, t->a, &v, &t->e), ERR_LOCAL, ERR_OF_LINK);
	BAD(postoffice_lock(t->po, "INQUEUE3", &l, &t->e), ERR_LOCAL, ERR_OF_LINK);
	assert_int_equal(mkdir(t->path, 0700), 0); /* what the server is mounted on */
	BAD(postoffice_read_mai(t->po, &id, 1000, &o, &t->e), ERR_LOCAL, ERR_OF_LINK);
	assert_int_equal(rmdir(t->path), 0);
	assert_int_equal(rename(away, t->path), 0);
	BAD(postoffice_read_mai(t->po, &id, 1000, &o, &t->e), ERR_PERM, ERR_OF_MESSAGE);
	out_fini(&o);
}

/* --- damage of one bag --- */

static void test_k127002_k260962_k104279_damaged_bag_is_alone(void **state)
{
	struct testing_po *t = *state;
	char ann[9], bob[9];
	struct mm_id id;
	struct po_bag_entry x;
	unsigned n, all;
	testing_bag(t, "TEST/HOME/ANN", ann);
	testing_bag(t, "TEST/HOME/BOB", bob);
	GOOD(testing_put(t, "TEST/HOME/BOB", 0, 1, false, NULL, &id));
	const struct mm_header h = testing_header(&id);
	const struct po_rel key = po_rel_of("KEY", ann, ".KEY"), mbg = po_rel_of("MBG", ann, ".MBG");
	testing_write(t, key.s, "short", 5);
	BAD(postoffice_deliver(t->po, ann, &h, &t->e), ERR_LOCAL, ERR_OF_RECIPIENT);
	assert_non_null(strstr(t->e.text, key.s));
	BAD(postoffice_bag(t->po, ann, 1, &x, &n, &all, &t->e), ERR_LOCAL, ERR_OF_RECIPIENT);
	GOOD(postoffice_deliver(t->po, bob, &h, &t->e));
	struct mm_key k = { { 0 } };
	mm_key_add(&k, 7, true); /* a record that the MBG does not have */
	testing_write(t, key.s, (const char *)k.octets, MM_KEY_SIZE);
	BAD(postoffice_deliver(t->po, ann, &h, &t->e), ERR_LOCAL, ERR_OF_RECIPIENT);
	assert_int_equal(unlink(testing_path(t, mbg.s)), 0);
	BAD(postoffice_deliver(t->po, ann, &h, &t->e), ERR_LOCAL, ERR_OF_RECIPIENT);
	assert_int_equal(unlink(testing_path(t, key.s)), 0);
	BAD(postoffice_deliver(t->po, ann, &h, &t->e), ERR_PERM, ERR_OF_RECIPIENT); /* none of the two: [001] */
	assert_int_equal(strncmp(t->e.text, "[001]", 5), 0);
	const struct mm_key empty = { { 0 } }; /* Q104279: the pair is made anew, and it is as any other */
	testing_write(t, key.s, (const char *)empty.octets, MM_KEY_SIZE);
	testing_write(t, mbg.s, "", 0);
	GOOD(postoffice_deliver(t->po, ann, &h, &t->e));
	assert_int_equal(live(t, ann), 1);
}

static void test_k237695_k212756_held_bag_is_waited_for(void **state)
{
	struct testing_po *t = *state;
	char bob[9];
	struct mm_id id;
	int fd;
	testing_bag(t, "TEST/HOME/BOB", bob);
	GOOD(testing_put(t, "TEST/HOME/BOB", 0, 1, false, NULL, &id));
	const struct mm_header h = testing_header(&id);
	const struct po_rel key = po_rel_of("KEY", bob, ".KEY");
	bool got;
	GOOD(po_open(t->po, key.s, O_RDWR, &fd, &t->e));
	GOOD(po_try_hold(t->po, fd, key.s, PO_EXCLUSIVE, &got, &t->e));
	assert_true(got);
	BAD(postoffice_deliver(t->po, bob, &h, &t->e), ERR_TEMP, ERR_OF_RECIPIENT);
	assert_int_equal(strncmp(t->e.text, "[008]", 5), 0);
	t->calls = 0;
	BAD(postoffice_deliver(t->po, bob, &h, &t->e), ERR_TEMP, ERR_OF_RECIPIENT); /* the next message does not wait as long */
	assert_true(t->calls < PO_LOCK_TRIES);
	po_close(t->po, &fd);
	GOOD(postoffice_deliver(t->po, bob, &h, &t->e));
}

static int to_open(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)flag, (void)f;
	return chmod(path, S_ISDIR(st->st_mode) ? 0777 : 0666);
}

/* Who waits for a KEY tells it. */
static void tell_waiting(void *ctx, const char *text)
{
	if (strncmp(text, "postoffice wait for", 19) == 0)
		assert_int_equal(write(*(int *)ctx, "w", 1), 1);
}

/* A pair that is made anew (or repaired) while somebody waits for its lock: he goes on with the new one. */
static void test_k104279_bag_is_replaced_while_waited_for(void **state)
{
	struct testing_po *t = *state;
	char bob[9], octet;
	struct mm_id id;
	int fd, pipes[2], status;
	bool got;
	const struct mm_key empty = { { 0 } };
	testing_bag(t, "TEST/HOME/BOB", bob);
	GOOD(testing_put(t, "TEST/HOME/BOB", 0, 1, false, NULL, &id));
	const struct mm_header h = testing_header(&id);
	const struct po_rel key = po_rel_of("KEY", bob, ".KEY");
	assert_int_equal(pipe(pipes), 0);
	GOOD(po_open(t->po, key.s, O_RDWR | O_CLOEXEC, &fd, &t->e));
	GOOD(po_try_hold(t->po, fd, key.s, PO_EXCLUSIVE, &got, &t->e));
	const pid_t child = fork();
	if (child == 0) {
		close(fd); /* the description, and its lock, are the parent's as long as he has it open */
		struct postoffice *po = NULL;
		const struct postoffice_host host = { .note = tell_waiting, .ctx = &pipes[1] };
		_exit(postoffice_open(t->path, POSTOFFICE_UNCHECKED, NULL, &host, &po, &t->e) && postoffice_deliver(po, bob, &h, &t->e) ? 0 : 1);
	}
	assert_int_equal(read(pipes[0], &octet, 1), 1);
	GOOD(po_replace(t->po, key.s, view_of(empty.octets, MM_KEY_SIZE), &t->e));
	po_close(t->po, &fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(status, 0);
	assert_int_equal(live(t, bob), 1);
}

/* Another program's lock, held by deny-all: nobody else can open it. Root can; so somebody else tries. */
static void test_k152903_lock_that_cannot_be_opened_is_held(void **state)
{
	struct testing_po *t = *state;
	int status;
	postoffice_close(&t->po);
	assert_int_equal(chmod(t->dir, 0755), 0);
	testing_write(t, "P1/INQUEUE3.0LK", "", 0);
	assert_int_equal(nftw(t->path, to_open, 16, FTW_PHYS), 0);
	assert_int_equal(chmod(testing_path(t, "P1/INQUEUE3.0LK"), 0), 0);
	const pid_t child = fork();
	if (child == 0) {
		struct po_lock *l = NULL;
		if (geteuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0))
			_exit(77);
		if (!postoffice_open(t->path, 0, NULL, &t->host, &t->po, &t->e))
			_exit(1);
		const bool ok = postoffice_lock(t->po, "INQUEUE3", &l, &t->e);
		_exit(ok && l == NULL && strstr(t->e.text, "held by a program that does not say who") != NULL ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* A record that a crash cut in the file: the KEY does not count it, and the next one is put over it. */
static void test_torn_record_is_written_over(void **state)
{
	struct testing_po *t = *state;
	char bob[9];
	struct mm_id id;
	struct po_bag_entry x[2];
	unsigned n, all;
	testing_bag(t, "TEST/HOME/BOB", bob);
	testing_write(t, po_rel_of("MBG", bob, ".MBG").s, "half a record", 13);
	GOOD(testing_put(t, "TEST/HOME/BOB", 0, 1, false, NULL, &id));
	const struct mm_header h = testing_header(&id);
	GOOD(postoffice_deliver(t->po, bob, &h, &t->e));
	GOOD(postoffice_bag(t->po, bob, 2, x, &n, &all, &t->e));
	assert_int_equal(n, 1);
	assert_string_equal(x[0].header.mai.s, id.s);
}

/* A live record that says nothing is shown as such, and can be taken out. */
static void test_unreadable_record(void **state)
{
	struct testing_po *t = *state;
	char bob[9];
	struct mm_id id;
	struct po_bag_entry x[2];
	unsigned n, all;
	testing_bag(t, "TEST/HOME/BOB", bob);
	struct mm_key k = { { 0 } };
	mm_key_add(&k, 0, true);
	char junk[MM_RECORD_SIZE];
	memset(junk, '?', sizeof junk);
	testing_write(t, po_rel_of("MBG", bob, ".MBG").s, junk, sizeof junk);
	testing_write(t, po_rel_of("KEY", bob, ".KEY").s, (const char *)k.octets, MM_KEY_SIZE);
	GOOD(testing_put(t, "TEST/HOME/BOB", 0, 1, false, NULL, &id));
	const struct mm_header h = testing_header(&id);
	GOOD(postoffice_deliver(t->po, bob, &h, &t->e));
	GOOD(postoffice_bag(t->po, bob, 2, x, &n, &all, &t->e));
	assert_int_equal(n, 2);
	assert_false(x[0].readable);
	assert_true(x[1].readable);
	GOOD(postoffice_bag_drop(t->po, bob, x[0].slot, NULL, false, &t->e));
	assert_int_equal(live(t, bob), 1);
}

/* --- attaching for reading only; a server that lets nothing be written; a full one --- */

static void test_read_only(void **state)
{
	struct testing_po *t = *state;
	char bob[9];
	struct mm_id id;
	struct po_lock *l = NULL;
	testing_bag(t, "TEST/HOME/BOB", bob);
	GOOD(testing_put(t, "TEST/HOME/BOB", 1, 1, false, NULL, &id));
	const struct mm_header h = testing_header(&id);
	GOOD(postoffice_deliver(t->po, bob, &h, &t->e));
	testing_attach(t, POSTOFFICE_READ_ONLY);
	assert_int_equal(live(t, bob), 1);
	read_back(t, &id, 1, 1);
	BAD(postoffice_deliver(t->po, bob, &h, &t->e), ERR_LOCAL, ERR_OF_LINK);
	BAD(postoffice_bag_drop(t->po, bob, 0, &id, false, &t->e), ERR_LOCAL, ERR_OF_LINK);
	BAD(postoffice_lock(t->po, bob, &l, &t->e), ERR_LOCAL, ERR_OF_LINK);
	BAD(testing_put(t, "TEST/HOME/BOB", 1, 1, false, NULL, &id), ERR_LOCAL, ERR_OF_LINK);
}

/* Who only reads gets what is there: a message in a directory that is missing says so by itself. */
static void test_k266442_a_reader_takes_what_is_there(void **state)
{
	static const char *const dirs[] = { "P1", "XTN", "ATT", "HLP", "MAI/MA1" };
	struct testing_po *t = *state;
	char bob[9];
	struct mm_id id[2];
	testing_bag(t, "TEST/HOME/BOB", bob);
	for (size_t i = 0; i < ARRAY_LEN(id); i++) {
		GOOD(testing_put(t, "TEST/HOME/BOB", 0, 1, false, NULL, &id[i]));
		const struct mm_header h = testing_header(&id[i]);
		GOOD(postoffice_deliver(t->po, bob, &h, &t->e));
	}
	assert_string_equal(id[0].s, "00000001");
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		assert_int_equal(nftw(testing_path(t, dirs[i]), testing_remove, 4, FTW_DEPTH | FTW_PHYS), 0);
	testing_attach(t, POSTOFFICE_READ_ONLY);
	assert_int_equal(t->po->health.dirs_missing, ARRAY_LEN(dirs) + 16);
	assert_non_null(strstr(t->po->health.first.text, "missing"));
	assert_int_equal(live(t, bob), 2);
	read_back(t, &id[1], 0, 1);
	struct out o;
	out_init(&o, 1000);
	BAD(postoffice_read_mai(t->po, &id[0], 1000, &o, &t->e), ERR_LOCAL, ERR_OF_LINK);
	assert_non_null(strstr(t->e.text, "MAI/MA1"));
	out_fini(&o);
	struct postoffice *po = NULL;
	BAD(postoffice_open(t->path, 0, NULL, &t->host, &po, &t->e), ERR_LOCAL, ERR_OF_LINK);
}

static int to_read_only(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)flag, (void)f;
	return chmod(path, S_ISDIR(st->st_mode) ? 0555 : 0444);
}

static int to_writable(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)flag, (void)f;
	return chmod(path, S_ISDIR(st->st_mode) ? 0755 : 0644);
}

/* As somebody who may not write there; who runs the tests as root steps down for it. */
static void test_directory_made_read_only(void **state)
{
	struct testing_po *t = *state;
	postoffice_close(&t->po);
	assert_int_equal(chmod(t->dir, 0755), 0);
	assert_int_equal(nftw(t->path, to_read_only, 16, FTW_PHYS | FTW_DEPTH), 0);
	const pid_t child = fork();
	if (child == 0) {
		if (geteuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0))
			_exit(77);
		struct err e = { 0 };
		struct postoffice *po = NULL;
		const bool open = postoffice_open(t->path, 0, NULL, &t->host, &po, &e);
		_exit(open && postoffice_health(po)->read_only && !postoffice_health(po)->locks_work ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(nftw(t->path, to_writable, 16, FTW_PHYS), 0);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static void test_full_disk_is_temporary(void **state)
{
	struct testing_po *t = *state;
	char bob[9];
	struct mm_id id;
	testing_bag(t, "TEST/HOME/BOB", bob);
	for (unsigned at = 1; at < 40; at++) { /* at each write of a put */
		char plan[40];
		snprintf(plan, sizeof plan, "PO_WRITE:%u:fail", at);
		GOOD(fault_plan(plan, &t->e));
		const bool ok = testing_put(t, "TEST/HOME/BOB", 2, 1, true, bob, &id);
		const bool fired = fault_passes(FAULT_PO_WRITE) >= at;
		GOOD(fault_plan(NULL, &t->e));
		if (!fired) {
			assert_true(ok);
			return;
		}
		assert_false(ok);
		assert_int_equal(t->e.kind, ERR_TEMP);
		assert_int_equal(t->e.culprit, ERR_OF_LINK);
	}
	fail_msg("there is no end to the writes");
}

static void test_k196537_space_in_64_bits(void **state)
{
	struct testing_po *t = *state;
	uint64_t n = 0, most = 0;
	struct statvfs st;
	GOOD(postoffice_space(t->po, &n, &most, &t->e));
	assert_true(most >= n);
	assert_int_equal(statvfs(t->path, &st), 0);
	/* In units first: more than 4 GB of octets do not fit 32 bits, and others use the disk meanwhile. */
	const uint64_t units = (uint64_t)st.f_bavail, is = n / st.f_frsize;
	assert_true(is <= units + 100000 && units <= is + 100000);
}

/* Each system call is announced, and its end too. */
static void test_note_before_each_call(void **state)
{
	struct testing_po *t = *state;
	GOOD(fault_plan("PO_OPEN:1:fail", &t->e));
	struct mm_envelope v;
	const struct mm_id id = mm_id_of(5);
	BAD(postoffice_read_envelope(t->po, &id, t->a, &v, &t->e), ERR_LOCAL, ERR_OF_MESSAGE);
	assert_string_equal(t->note, "");
	t->calls = 0;
	GOOD(fault_plan(NULL, &t->e));
	BAD(postoffice_read_envelope(t->po, &id, t->a, &v, &t->e), ERR_PERM, ERR_OF_MESSAGE);
	assert_true(t->calls > 0);
	assert_string_equal(t->note, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, testing_setup, testing_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_message_put_delivered_and_dropped),
		TEST(test_dropped_put_leaves_nothing),
		TEST(test_k146113_slot_of_another_message_is_not_dropped),
		TEST(test_envelope_goes_with_the_last_outbound_bag),
		TEST(test_k138054_full_bag_is_of_that_recipient),
		TEST(test_ids_skip_what_is_taken),
		TEST(test_a_postoffice_of_others_is_only_read),
		TEST(test_a_scrambling_known_in_part_is_refused),
		TEST(test_k124042_damaged_files_are_named),
		TEST(test_k266442_directories),
		TEST(test_routes),
		TEST(test_k131116_new_user_is_found),
		TEST(test_k117895_groups),
		TEST(test_k117804_external_members_are_reported),
		TEST(test_k103383_missing_xtn_hinders_its_network_only),
		TEST(test_k168857_lock_excludes_and_names_its_holder),
		TEST(test_lock_of_the_dead_is_taken_over),
		TEST(test_k126750_no_sharing_without_locks),
		TEST(test_k152903_names_in_lower_case),
		TEST(test_k129456_names_in_any_case),
		TEST(test_k256187_upper_case_needs_no_listing),
		TEST(test_k256187_missing_envelopes_cost_one_listing),
		TEST(test_fifo_and_link_do_not_hang_nor_lead_out),
		TEST(test_without_openat2),
		TEST(test_vanished_postoffice_is_no_missing_message),
		TEST(test_k127002_k260962_k104279_damaged_bag_is_alone),
		TEST(test_k237695_k212756_held_bag_is_waited_for),
		TEST(test_k104279_bag_is_replaced_while_waited_for),
		TEST(test_k152903_lock_that_cannot_be_opened_is_held),
		TEST(test_torn_record_is_written_over),
		TEST(test_unreadable_record),
		TEST(test_read_only),
		TEST(test_k266442_a_reader_takes_what_is_there),
		TEST(test_directory_made_read_only),
		TEST(test_full_disk_is_temporary),
		TEST(test_k196537_space_in_64_bits),
		TEST(test_note_before_each_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
