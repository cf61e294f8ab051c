/* glb_test.c - the global files. Values from the published tables and dumps of Q148666, Q86625, Q87388, Q77926, Q135868 as the facts
 * restate them; where a place is ours the test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/codec/msmail/glb.h"

static struct err e;

static void test_directories(void **state)
{
	(void)state;
	unsigned top = 0, att = 0, mai = 0;
	for (size_t i = 0; i < ARRAY_LEN(mm_directories); i++) { /* A1: 19 + 16 + 16 */
		const char *d = mm_directories[i];
		if (strchr(d, '/') == NULL)
			top++;
		att += strncmp(d, "ATT/AT", 6) == 0 && strlen(d) == 7;
		mai += strncmp(d, "MAI/MA", 6) == 0 && strlen(d) == 7;
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(d, mm_directories[k]);
	}
	assert_int_equal(top, 19);
	assert_int_equal(att, 16);
	assert_int_equal(mai, 16);
}

static void test_sizes(void **state)
{
	(void)state;
	static const struct {
		const char *dir, *name;
		uint64_t size;
		bool fits;
	} rows[] = { /* A2 */
		{ "GLB", "ACCESS.GLB", 586, true },    { "GLB", "ACCESS.GLB", 587, false },     { "GLB", "ACCESS.GLB", 586 * 501, false },
		{ "GLB", "access2.glb", 69 * 500, true }, { "GLB", "ACCESS3.GLB", 1024, true }, { "GLB", "CONTROL.GLB", 8, true },
		{ "GLB", "CONTROL.GLB", 7, false },    { "GLB", "CONTROL.GLB", 16, false },     { "GLB", "FLAG.GLB", 2, true },
		{ "GLB", "GLOBAL.GLB", 512, true },    { "GLB", "REQCONF.GLB", 512, true },     { "GLB", "GROUP.GLB", 4 + 3 * 51, true },
		{ "GLB", "GROUP.GLB", 51, false },     { "GLB", "GRPMEM.GLB", 4 + 128, true },  { "GLB", "MASTER.GLB", 176, true },
		{ "GLB", "MODEM.GLB", 64, true },      { "GLB", "NETPO.GLB", 4 + 43 * 7, true }, { "GLB", "NETPO.GLB", 4 + 42, false },
		{ "GLB", "NETPO.GLB", 3, false },      { "GLB", "NETWORK.GLB", 122 * 45, true }, { "GLB", "NETWORK.GLB", 121, false },
		{ "GLB", "PROCESS.GLB", 512 + 197, true }, { "GLB", "SERVER.GLB", 181, true },  { "GLB", "SRVCONF.GLB", 2048, true },
		{ "GLB", "SVRCONF.GLB", 1024, true },  { "GLB", "TID.GLB", 4, true },           { "GLB", "RNETSEM.GLB", 4, true },
		{ "KEY", "0000001A.KEY", 560, true },  { "KEY", "INQUEUE3.KEY", 559, false },   { "MBG", "0000001A.MBG", 116 * 4096, true },
		{ "MBG", "0000001A.MBG", 116 * 4097, false }, { "mbg", "inqueue3.mbg", 117, false }, { "GRP", "X.GRP", 16, true },
		{ "MEM", "X.MEM", 2000, true },        { "MEM", "X.MEM", 2004, false },         { "NME", "GAL.NME", 45 * 1000, true },
		{ "USR", "0000001A.USR", 53 * 500, true }, { "USR", "0000001A.USR", 54, false }, { "XTN", "00000001.XTN", 698 * 2, true },
		{ "XTN", "00000001.XTN", 699, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct mm_file_rule *r = mm_file_rule_of(rows[i].dir, rows[i].name);
		if (r == NULL || mm_file_size_fits(r, rows[i].size) != rows[i].fits)
			fail_msg("%s/%s with %llu octets", rows[i].dir, rows[i].name, (unsigned long long)rows[i].size);
	}
	assert_null(mm_file_rule_of("ATT", "POPULATE.MSM"));
	assert_null(mm_file_rule_of("GLB", "ERRORADM.GLB"));
	assert_null(mm_file_rule_of("MBG", ".MBG"));
}

static void test_fresh_sizes(void **state)
{
	(void)state;
	static const struct {
		const char *dir, *name;
		uint32_t size;
	} rows[] = { /* Q135868 */
		{ "KEY", "00000000.KEY", 560 }, { "KEY", "INQUEUE.KEY", 560 }, { "KEY", "INQUEUE3.KEY", 560 }, { "KEY", "SYSTEM.KEY", 560 },
		{ "MBG", "00000000.MBG", 0 }, { "MBG", "INQUEUE.MBG", 0 }, { "MBG", "INQUEUE3.MBG", 0 }, { "MBG", "SYSTEM.MBG", 0 },
		{ "GLB", "NETWORK.GLB", 122 }, { "GLB", "ACCESS.GLB", 586 }, { "GLB", "ACCESS2.GLB", 69 }, { "GLB", "ACCESS3.GLB", 512 },
		{ "GLB", "GROUP.GLB", 4 }, { "GLB", "NETPO.GLB", 4 }, { "GLB", "GRPMEM.GLB", 4 }, { "GLB", "TID.GLB", 4 },
		{ "NME", "ADMIN.NME", 45 }, { "GRP", "ADMIN.GRP", 8 }, { "GRP", "00000000.GRP", 8 }, { "XTN", "00000001.XTN", 0 },
		{ "GLB", "REQTRANS.GLB", 0 }, { "GLB", "SRVTRANS.GLB", 0 }, { "GLB", "USRTRANS.GLB", 0 }, { "GLB", "GWTRANS.GLB", 0 },
		{ "GLB", "NMETRANS.GLB", 0 }, { "GLB", "PROCESS.GLB", 512 }, { "GLB", "REQCONF.GLB", 512 }, { "NME", "00000000.NME", 0 },
		{ "NME", "VIEW.NME", 0 }, { "FOLDERS", "SERIALNO.IDX", 4 }, { "FOLDERS/LOC/00000000", "00000000.IDX", 100 },
		{ "FOLDERS/PUB", "FOLDROOT.IDX", 100 }, { "NME", "ADMINSHD.NME", 45 }, { "GRP", "ADMINSHD.GRP", 8 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct mm_file_rule *r = mm_file_rule_of(rows[i].dir, rows[i].name);
		if (r == NULL || r->name == NULL || r->fresh != rows[i].size)
			fail_msg("%s/%s is not fresh with %u octets", rows[i].dir, rows[i].name, rows[i].size);
	}
	for (size_t i = 0; i < mm_file_rules_n; i++) /* what is fresh has a size that its own rule allows */
		assert_true(mm_file_rules[i].fresh == UINT32_MAX || mm_file_size_fits(&mm_file_rules[i], mm_file_rules[i].fresh));
}

static void test_control(void **state)
{
	(void)state;
	static const uint8_t file[8] = { 0x1A, 0, 0, 0, 0x63, 0x02, 0, 0 }; /* Q87388: little-endian longs */
	struct mm_control c;
	uint8_t again[8];
	assert_true(mm_control_parse(view_of(file, 8), &c, &e));
	assert_int_equal(c.nmailbag, 0x1A);
	assert_int_equal(c.nletter, 0x263);
	mm_control_print(&c, again);
	assert_memory_equal(file, again, 8);
	assert_false(mm_control_parse(view_of(file, 7), &c, &e)); /* Q124042 */
	assert_string_equal(e.text, "CONTROL.GLB has 7 octets, want 8");
}

/* Q148666: record 12 of NETWORK.GLB lies at 0x53E (DEBUG shows 0x63E): active, type 0x10, MSMAIL, no XTN file, a mailbag. */
static void test_network_record_12(void **state)
{
	(void)state;
	uint8_t file[MM_NETWORK_SIZE * 12] = { 0 }, again[MM_NETWORK_SIZE];
	uint8_t *r = file + 0x53E;
	r[0] = 0x01;
	r[1] = 0x10;
	memcpy(r + 0x02, "MSMAIL", 6);
	memset(r + 0x0D, ' ', 8);
	memcpy(r + 0x21, "0000001a", 8);
	r[0x60] = 0xEE; /* not understood: must stay */
	struct mm_network n;
	assert_int_equal(122 * (12 - 1), 0x53E);
	assert_true(mm_network_parse(view_of(r, MM_NETWORK_SIZE), &n, &e));
	assert_true(n.active);
	assert_int_equal(n.type, MM_NETWORK_MSMAIL);
	assert_string_equal(n.name, "MSMAIL");
	assert_string_equal(n.xtn, "");
	assert_string_equal(n.mailbag, "0000001A");
	mm_network_print(&n, again);
	assert_memory_equal(r, again, sizeof again);
	n.active = false; /* one octet, as the article patches it */
	mm_network_print(&n, again);
	r[0] = 0;
	assert_memory_equal(r, again, sizeof again);
}

static void test_network_damaged(void **state)
{
	(void)state;
	uint8_t r[MM_NETWORK_SIZE] = { 1, 1, 'A' };
	struct mm_network n;
	assert_false(mm_network_parse(view_of(r, 121), &n, &e));
	r[0] = 7;
	assert_false(mm_network_parse(view_of(r, sizeof r), &n, &e));
	assert_string_equal(e.text, "a record of NETWORK.GLB begins with 0x07, want 01 (active) or 00 (deleted)");
	r[0] = 1;
	memcpy(r + 0x0D, "0000Z001", 8);
	assert_false(mm_network_parse(view_of(r, sizeof r), &n, &e));
	assert_string_equal(e.text, "the XTN file of a network at 0xD is \"0000Z001\", want 8 hexadecimal digits");
	r[0] = 0; /* what is deleted may look as it likes */
	assert_true(mm_network_parse(view_of(r, sizeof r), &n, &e));
	assert_false(n.active);
	memcpy(r, "\1\1ABCDEFGHIJK", 13); /* eleven octets and no NUL: ten count */
	memset(r + 0x0D, 0, 20);
	assert_true(mm_network_parse(view_of(r, sizeof r), &n, &e));
	assert_string_equal(n.name, "ABCDEFGHIJ");
}

/* Q86625: DEBUG addresses of delete octet, name and counter of the first 20 records. */
static void test_xtn_offsets(void **state)
{
	(void)state;
	static const uint16_t first[] = { 0x100, 0x3BA, 0x674, 0x92E, 0xBE8, 0xEA2, 0x115C, 0x1416, 0x16D0, 0x198A,
					  0x1C44, 0x1EFE, 0x21B8, 0x2472, 0x272C, 0x29E6, 0x2CA0, 0x2F5A, 0x3214, 0x34CE };
	static const uint16_t count[] = { 0x389, 0x643, 0x8FD, 0xBB7, 0xE71, 0x112B, 0x13E5, 0x169F, 0x1959, 0x1C13,
					  0x1ECD, 0x2187, 0x2441, 0x26FB, 0x29B5, 0x2C6F, 0x2F29, 0x31E3, 0x349D, 0x3757 };
	static uint8_t file[MM_XTN_SIZE * 20];
	for (size_t i = 0; i < 20; i++) {
		file[first[i] - 0x100] = 1;
		snprintf((char *)file + first[i] - 0x100 + 1, 11, "PO%zu", i);
		memcpy(file + first[i] - 0x100 + 0x0C, "000000AB", 8); /* Q148666 */
		file[count[i] - 0x100] = (uint8_t)i;
		file[count[i] - 0x100 + 1] = 1;
	}
	for (size_t i = 0; i < 20; i++) {
		struct mm_xtn x;
		uint8_t again[MM_XTN_SIZE];
		char name[11];
		snprintf(name, sizeof name, "PO%zu", i);
		assert_true(mm_xtn_parse(view_of(file + i * MM_XTN_SIZE, MM_XTN_SIZE), &x, &e));
		assert_true(x.active);
		assert_string_equal(x.name, name);
		assert_string_equal(x.mailbag, "000000AB");
		assert_int_equal(x.indirect, 0x100 + i);
		assert_string_equal(x.via_network, "");
		x.indirect = 0;
		mm_xtn_print(&x, again);
		file[count[i] - 0x100] = file[count[i] - 0x100 + 1] = 0; /* all that the article changes */
		assert_memory_equal(file + i * MM_XTN_SIZE, again, MM_XTN_SIZE);
	}
}

static void test_xtn_next_hop(void **state)
{
	(void)state;
	struct mm_xtn x = { .active = true, .name = "EAST", .via_network = "HQ", .via_postoffice = "HUB", .retries = 259, .marked = true }, y;
	uint8_t r[MM_XTN_SIZE];
	memset(x.raw, 0xA5, sizeof x.raw); /* another program's record: nothing of it is taken for ours */
	memset(x.raw + 1, 0, 20);
	mm_xtn_print(&x, r);
	assert_true(mm_xtn_parse(view_of(r, sizeof r), &y, &e));
	assert_string_equal(y.via_network, "HQ");
	assert_string_equal(y.via_postoffice, "HUB");
	assert_int_equal(y.retries, 259);
	for (size_t i = 0x15; i < 0x289; i++)
		assert_int_equal(r[i], 0xA5);
	memset(r + 0x28B, 0, 4); /* no mark */
	assert_true(mm_xtn_parse(view_of(r, sizeof r), &y, &e));
	assert_false(y.marked);
	assert_string_equal(y.via_network, "");
	assert_int_equal(y.retries, 0);
}

/* Q104586: 0x94; Q148666: 0x93, there 71 with the Mac connection's bit 0x10 and 61 without; the file has B0 octets. */
static void test_master(void **state)
{
	(void)state;
	uint8_t file[0xB0], again[0xB0];
	for (size_t i = 0; i < sizeof file; i++)
		file[i] = (uint8_t)(i * 7);
	file[0x93] = 0x71;
	file[0x94] = 0x01;
	struct mm_master m;
	assert_true(mm_master_parse(view_of(file, sizeof file), &m, &e));
	assert_int_equal(m.components & 0x10, 0x10);
	assert_true(m.enhanced_security);
	assert_string_equal(m.own.network, ""); /* where a foreign one keeps it is not public */
	assert_string_equal(m.serial, "");
	assert_int_equal(m.hops, 10);
	m.components = 0x61;
	m.enhanced_security = false;
	mm_master_print(&m, again);
	file[0x93] = 0x61;
	file[0x94] = 0;
	assert_memory_equal(file, again, sizeof file);
	assert_false(mm_master_parse(view_of(file, 175), &m, &e));
}

static void test_master_ours(void **state)
{
	(void)state;
	struct mm_master m = { .own = { .network = "HQ", .postoffice = "LONDON1234" }, .serial = "11-12345", .hops = 12 }, n;
	uint8_t file[MM_MASTER_SIZE];
	mm_master_print(&m, file);
	assert_true(mm_master_parse(view_of(file, sizeof file), &n, &e));
	assert_string_equal(n.own.network, "HQ");
	assert_string_equal(n.own.postoffice, "LONDON1234");
	assert_string_equal(n.own.mailbox, "");
	assert_string_equal(n.serial, "11-12345");
	assert_int_equal(n.hops, 12);
	assert_true(mm_serial_is(VIEW("22-28798")));
	assert_false(mm_serial_is(VIEW("2228798")));
	assert_false(mm_serial_is(VIEW("22-2879")));
	assert_false(mm_serial_is(VIEW("22-2879x")));
}

/* A gateway kept them in 16 bits and did not start. */
static void test_k194712_serial_numbers_over_16_bits(void **state)
{
	static const char *const numbers[] = { "11-64537", "22-65536", "99-99999", "00-00000" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct mm_master m = { .own = { .network = "HQ", .postoffice = "LONDON" }, .hops = 10 }, n;
		uint8_t file[MM_MASTER_SIZE];
		snprintf(m.serial, sizeof m.serial, "%s", numbers[i]);
		mm_master_print(&m, file);
		assert_true(mm_master_parse(view_of(file, sizeof file), &n, &e));
		assert_string_equal(n.serial, numbers[i]);
		assert_true(mm_serial_is(view_str(numbers[i])));
	}
}

static void test_user_three_records(void **state)
{
	(void)state;
	const struct mm_user u = { .active = true, .mailbox = "ann", .friendly = "Ann Onymous, of thirty octets.", .mailbag = "0000000F", .tid = 9, .index = 3 };
	struct mm_user v;
	uint8_t a[MM_ACCESS_SIZE] = { 0 }, a2[MM_ACCESS2_SIZE] = { 0 }, a3[MM_ACCESS3_SIZE] = { 0 };
	a[200] = 0x77; /* a password or what it is: stays */
	mm_user_print(&u, a, a2, a3);
	assert_int_equal(a[200], 0x77);
	assert_true(mm_user_parse(view_of(a, sizeof a), view_of(a2, sizeof a2), view_of(a3, sizeof a3), &v, &e));
	assert_true(v.active);
	assert_string_equal(v.mailbox, "ann");
	assert_string_equal(v.friendly, u.friendly);
	assert_string_equal(v.mailbag, "0000000F");
	assert_int_equal(v.tid, 9);
	assert_int_equal(v.index, 3);
	memset(a2 + sizeof a2 - 4, 0, 4);
	assert_false(mm_user_parse(view_of(a, sizeof a), view_of(a2, sizeof a2), view_of(a3, sizeof a3), &v, &e));
	assert_false(mm_user_parse(view_of(a, sizeof a - 1), view_of(a2, sizeof a2), view_of(a3, sizeof a3), &v, &e));
}

static void test_alias(void **state)
{
	(void)state;
	struct mm_alias x = { .alias = "Sales", .tid = 0x01020304, .type = MM_ALIAS_GROUP, .file = "0000002B" }, y;
	uint8_t r[MM_ALIAS_SIZE];
	mm_alias_print(&x, r);
	assert_true(mm_alias_parse(view_of(r, sizeof r), &y, &e));
	assert_string_equal(y.alias, "Sales");
	assert_int_equal(y.tid, 0x01020304);
	assert_int_equal(y.type, 4); /* Q107767 */
	assert_string_equal(y.file, "0000002B");
	r[35] = MM_ALIAS_EXTERNAL; /* its pointer is no file's name */
	memset(r + 36, 0xFF, 9);
	assert_true(mm_alias_parse(view_of(r, sizeof r), &y, &e));
	uint8_t again[MM_ALIAS_SIZE];
	mm_alias_print(&y, again);
	assert_memory_equal(r, again, sizeof r);
	r[35] = MM_ALIAS_LOCAL;
	assert_false(mm_alias_parse(view_of(r, sizeof r), &y, &e));
}

static void link_deleted(uint8_t *file, size_t from, size_t to)
{
	file[from] = (uint8_t)to;
	file[from + 1] = (uint8_t)(to >> 8);
}

static void test_k110100_k110223_netpo_chain(void **state)
{
	(void)state;
	uint8_t file[4 + 43 * 5] = { 0 };
	assert_true(mm_netpo_check(view_of(file, sizeof file), &e));
	assert_true(mm_netpo_check(view_of(file, 4), &e));
	assert_false(mm_netpo_check(view_of(file, 3), &e));
	assert_false(mm_netpo_check(view_of(file, sizeof file - 1), &e));
	assert_string_equal(e.text, "NETPO.GLB has 218 octets, want 4 and a multiple of 43");
	link_deleted(file, 0, 4 + 43 * 4);
	link_deleted(file, 4 + 43 * 4, 4 + 43);
	assert_true(mm_netpo_check(view_of(file, sizeof file), &e));
	link_deleted(file, 4 + 43, 4 + 43 * 4); /* round and round */
	assert_false(mm_netpo_check(view_of(file, sizeof file), &e));
	link_deleted(file, 4 + 43, 5);
	assert_false(mm_netpo_check(view_of(file, sizeof file), &e));
	link_deleted(file, 4 + 43, sizeof file);
	assert_false(mm_netpo_check(view_of(file, sizeof file), &e));
	link_deleted(file, 0, 2);
	assert_false(mm_netpo_check(view_of(file, sizeof file), &e));
}

static void test_k175978_reserved_names(void **state)
{
	(void)state;
	assert_true(mm_network_reserved("x400"));
	assert_true(mm_network_reserved("*EMS"));
	assert_true(mm_network_reserved("SNADS"));
	assert_false(mm_network_reserved("X400B"));
	assert_false(mm_network_reserved(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_directories),	    cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_fresh_sizes),	    cmocka_unit_test(test_control),
		cmocka_unit_test(test_network_record_12),   cmocka_unit_test(test_network_damaged),
		cmocka_unit_test(test_xtn_offsets),	    cmocka_unit_test(test_xtn_next_hop),
		cmocka_unit_test(test_master),		    cmocka_unit_test(test_master_ours),
		cmocka_unit_test(test_k194712_serial_numbers_over_16_bits),
		cmocka_unit_test(test_user_three_records),  cmocka_unit_test(test_alias),
		cmocka_unit_test(test_k110100_k110223_netpo_chain), cmocka_unit_test(test_k175978_reserved_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
