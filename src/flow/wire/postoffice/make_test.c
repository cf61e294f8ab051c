/* make_test.c - a fresh postoffice, users, groups, external postoffices; what is damaged is found and mended. Files and sizes: facts A2 (Q135868,
 * Q77926); places in records are read here octet by octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "flow/wire/postoffice/postoffice_testing.h"

#include <dirent.h>

/* --- looking at files --- */
static size_t slurp(struct testing_po *t, const char *rel, uint8_t *buf, size_t max)
{
	FILE *f = fopen(testing_path(t, rel), "rb");
	if (f == NULL)
		fail_msg("%s is not there", rel);
	const size_t n = fread(buf, 1, max, f);
	fclose(f);
	return n;
}

static long size_of(struct testing_po *t, const char *rel)
{
	struct stat st;
	return stat(testing_path(t, rel), &st) == 0 ? (long)st.st_size : -1;
}

static void patch(struct testing_po *t, const char *rel, long at, const void *octets, size_t n)
{
	FILE *f = fopen(testing_path(t, rel), "r+b");
	assert_non_null(f);
	fseek(f, at, SEEK_SET);
	assert_int_equal(fwrite(octets, 1, n, f), n);
	fclose(f);
}

static void cut(struct testing_po *t, const char *rel, long size)
{
	assert_int_equal(truncate(testing_path(t, rel), size), 0);
}

/* --- findings --- */
struct findings {
	unsigned n;
	struct { char file[64], what[200]; bool mended; } f[64];
};

static void on_finding(void *ctx, const char *file, const char *what, bool mended)
{
	struct findings *x = ctx;
	assert_true(x->n < ARRAY_LEN(x->f));
	snprintf(x->f[x->n].file, sizeof x->f[0].file, "%s", file);
	snprintf(x->f[x->n].what, sizeof x->f[0].what, "%s", what);
	x->f[x->n++].mended = mended;
}

static struct postoffice_findings check(struct testing_po *t, bool repair, struct findings *x)
{
	struct postoffice_findings n;
	*x = (struct findings){ 0 };
	testing_attach(t, POSTOFFICE_UNCHECKED);
	GOOD(postoffice_check(t->po, repair, on_finding, x, &n, &t->e));
	assert_int_equal(n.found, x->n);
	return n;
}

static void want_whole(struct testing_po *t)
{
	struct findings x;
	const struct postoffice_findings n = check(t, false, &x);
	if (n.found > 0)
		fail_msg("%s: %s", x.f[0].file, x.f[0].what);
}

/* One finding about that file, which says that; mended, and whole after. */
static void want_mended(struct testing_po *t, const char *file, const char *what)
{
	struct findings x, y;
	check(t, false, &x);
	if (x.n != 1 || strcmp(x.f[0].file, file) != 0 || strstr(x.f[0].what, what) == NULL || x.f[0].mended)
		fail_msg("%u findings, the first %s: %s; want %s: %s", x.n, x.f[0].file, x.f[0].what, file, what);
	const struct postoffice_findings n = check(t, true, &y);
	if (n.mended != n.found || n.found != 1)
		fail_msg("%u of %u mended: %s: %s", n.mended, n.found, y.f[0].file, y.f[0].what);
	want_whole(t);
}

/* --- a fresh one --- */
struct want { const char *name; long size; bool seen; };

static const struct want fresh_files[] = { /* Q135868, and those of fixed size of Q77926 */
	{ "KEY/00000000.KEY", 560 }, { "KEY/INQUEUE.KEY", 560 }, { "KEY/INQUEUE3.KEY", 560 }, { "KEY/SYSTEM.KEY", 560 },
	{ "MBG/00000000.MBG", 0 }, { "MBG/INQUEUE.MBG", 0 }, { "MBG/INQUEUE3.MBG", 0 }, { "MBG/SYSTEM.MBG", 0 },
	{ "GLB/NETWORK.GLB", 122 }, { "GLB/ACCESS.GLB", 586 }, { "GLB/ACCESS2.GLB", 69 }, { "GLB/ACCESS3.GLB", 512 },
	{ "GLB/GROUP.GLB", 4 }, { "GLB/NETPO.GLB", 4 }, { "GLB/GRPMEM.GLB", 4 }, { "GLB/TID.GLB", 4 },
	{ "NME/ADMIN.NME", 45 }, { "NME/ADMINSHD.NME", 45 }, { "GRP/ADMIN.GRP", 8 }, { "GRP/ADMINSHD.GRP", 8 }, { "GRP/00000000.GRP", 8 },
	{ "XTN/00000001.XTN", 0 }, { "GLB/REQTRANS.GLB", 0 }, { "GLB/SRVTRANS.GLB", 0 }, { "GLB/USRTRANS.GLB", 0 }, { "GLB/GWTRANS.GLB", 0 },
	{ "GLB/NMETRANS.GLB", 0 }, { "GLB/PROCESS.GLB", 512 }, { "GLB/REQCONF.GLB", 512 }, { "NME/00000000.NME", 0 }, { "NME/VIEW.NME", 0 },
	{ "FOLDERS/SERIALNO.IDX", 4 }, { "FOLDERS/LOC/00000000/00000000.IDX", 100 }, { "FOLDERS/PUB/FOLDROOT.IDX", 100 },
	{ "GLB/CONTROL.GLB", 8 }, { "GLB/FLAG.GLB", 2 }, { "GLB/GLOBAL.GLB", 512 }, { "GLB/MASTER.GLB", 176 }, { "GLB/MODEM.GLB", 64 },
};
static struct want left[ARRAY_LEN(fresh_files)];
static unsigned seen_dirs, seen_populate;
static const char *root;

static int on_entry(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)f;
	const char *rel = path + strlen(root);
	if (flag == FTW_D) {
		seen_dirs += rel[0] != 0;
		return 0;
	}
	const size_t n = strlen(rel);
	if (n > 12 && strcmp(rel + n - 12, "POPULATE.MSM") == 0) {
		assert_int_equal(st->st_size, 1);
		seen_populate++;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(left); i++)
		if (strcmp(rel + 1, left[i].name) == 0) {
			if (st->st_size != left[i].size)
				fail_msg("%s has %ld octets, want %ld", rel, (long)st->st_size, left[i].size);
			left[i].seen = true;
			return 0;
		}
	fail_msg("%s is no file of a fresh postoffice", rel);
	return 1;
}

static int only_create(void **state)
{
	assert_int_equal(testing_setup(state), 0);
	struct testing_po *t = *state;
	const struct mm_name own = testing_name("TEST/FRESH");
	postoffice_close(&t->po);
	snprintf(t->path, sizeof t->path, "%s/FRESH", t->dir);
	GOOD(postoffice_create(t->path, &own, NULL, &t->host, &t->e));
	return 0;
}

static void test_fresh_has_exactly_its_files(void **state)
{
	struct testing_po *t = *state;
	memcpy(left, fresh_files, sizeof left);
	seen_dirs = seen_populate = 0;
	root = t->path;
	assert_int_equal(nftw(t->path, on_entry, 16, FTW_PHYS), 0);
	for (size_t i = 0; i < ARRAY_LEN(left); i++)
		if (!left[i].seen)
			fail_msg("%s is missing", left[i].name);
	assert_int_equal(seen_dirs, 51 + 3); /* and FOLDERS\LOC, LOC\00000000, PUB */
	assert_int_equal(seen_populate, 51);
	want_whole(t);
}

/* It is mail, and a file server's users are a group: what may be used in it is no use behind a root that may not be. */
static void test_the_root_is_for_whom_the_rest_is(void **state)
{
	struct testing_po *t = *state;
	struct stat root_of, in;
	char path[300];
	GOOD(stat(t->path, &root_of) == 0);
	snprintf(path, sizeof path, "%s/MAI", t->path);
	GOOD(stat(path, &in) == 0);
	assert_int_equal(root_of.st_mode, in.st_mode);
}

static void test_fresh_octets(void **state)
{
	struct testing_po *t = *state;
	uint8_t b[1024];
	static const uint8_t zeroes[560];
	assert_int_equal(slurp(t, "KEY/INQUEUE3.KEY", b, sizeof b), 560);
	assert_memory_equal(b, zeroes, 560); /* Q104279 */
	assert_int_equal(slurp(t, "GLB/NETWORK.GLB", b, sizeof b), 122);
	assert_int_equal(b[0], 1);
	assert_string_equal((char *)b + 2, "TEST");
	assert_string_equal((char *)b + 0x0D, "00000001");
	assert_int_equal(slurp(t, "GLB/CONTROL.GLB", b, sizeof b), 8);
	assert_int_equal(b[0], 2); /* above Admin's mailbag and the XTN file */
	assert_true(b[4] > 0);
}

static void test_k151228_serial_numbers(void **state)
{
	struct testing_po *t = *state;
	char path[120], first[9] = "";
	const struct mm_name own = testing_name("TEST/HOME");
	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/S%u", t->dir, i);
		struct postoffice *po;
		GOOD(postoffice_create(path, &own, NULL, &t->host, &t->e));
		GOOD(postoffice_open(path, 0, NULL, &t->host, &po, &t->e));
		const char *serial = postoffice_master(po)->serial;
		assert_true(mm_serial_is(view_str(serial)));
		assert_string_not_equal(serial, "22-28798");
		assert_string_not_equal(serial, first);
		snprintf(first, sizeof first, "%s", serial);
		postoffice_close(&po);
	}
	snprintf(path, sizeof path, "%s/GIVEN", t->dir);
	GOOD(postoffice_create(path, &own, "22-28798", &t->host, &t->e));
	snprintf(path, sizeof path, "%s/BAD", t->dir);
	BAD(postoffice_create(path, &own, "2-28798", &t->host, &t->e), ERR_PERM, ERR_OF_LINK);
	assert_string_equal(t->e.text, "the serial number is \"2-28798\", want nn-nnnnn");
	snprintf(path, sizeof path, "%s/GIVEN", t->dir); /* not empty */
	assert_false(postoffice_create(path, &own, NULL, &t->host, &t->e));
	const struct mm_name reserved = testing_name("SNADS/HOME");
	snprintf(path, sizeof path, "%s/RES", t->dir);
	BAD(postoffice_create(path, &reserved, NULL, &t->host, &t->e), ERR_PERM, ERR_OF_LINK);
}

/* The random serial number is never the Exchange connector's, also when chance says so first. */
static uint64_t loaded(void *ctx)
{
	static const uint64_t dice[] = { 22, 28798, 33, 44444 };
	unsigned *at = ctx;
	return dice[(*at)++ % ARRAY_LEN(dice)];
}

static void test_k151228_never_that_of_exchange(void **state)
{
	struct testing_po *t = *state;
	unsigned at = 0;
	const struct postoffice_host host = { .random = loaded, .ctx = &at };
	const struct mm_name own = testing_name("TEST/HOME");
	uint8_t b[MM_MASTER_SIZE];
	struct mm_master m;
	snprintf(t->path, sizeof t->path, "%s/LOADED", t->dir);
	GOOD(postoffice_create(t->path, &own, NULL, &host, &t->e));
	assert_int_equal(slurp(t, "GLB/MASTER.GLB", b, sizeof b), sizeof b);
	GOOD(mm_master_parse(view_of(b, sizeof b), &m, &t->e));
	assert_string_equal(m.serial, "33-44444");
}

/* --- users, groups --- */
static void test_users_stand_in_all_three(void **state)
{
	struct testing_po *t = *state;
	uint8_t b[4096];
	assert_int_equal(size_of(t, "GLB/ACCESS.GLB"), 586 * 3);
	assert_int_equal(size_of(t, "GLB/ACCESS2.GLB"), 69 * 3);
	assert_int_equal(size_of(t, "GLB/ACCESS3.GLB"), 512 * 3);
	assert_int_equal(size_of(t, "NME/ADMIN.NME"), 45 * 3);
	assert_int_equal(slurp(t, "GLB/ACCESS2.GLB", b, sizeof b), 69 * 3);
	assert_string_equal((char *)b + 69 + 1, "ANN");
	assert_string_equal((char *)b + 69 + 12, "00000002");
	assert_int_equal(size_of(t, "KEY/00000002.KEY"), 560);
	assert_int_equal(size_of(t, "MBG/00000002.MBG"), 0);
	assert_int_equal(slurp(t, "NME/ADMIN.NME", b, sizeof b), 45 * 3);
	assert_string_equal((char *)b + 45, "Ann");
	BAD(postoffice_add_user(t->po, "ann", NULL, &t->e), ERR_PERM, ERR_OF_LINK);
	assert_string_equal(t->e.text, "postoffice: there is a mailbox \"ANN\" already");
	BAD(postoffice_add_user(t->po, "", NULL, &t->e), ERR_PERM, ERR_OF_LINK);
	BAD(postoffice_add_user(t->po, "ELEVENCHARS", NULL, &t->e), ERR_PERM, ERR_OF_LINK);
	assert_string_equal(t->e.text, "the mailbox \"ELEVENCHARS\" has 11 characters, want 1 to 10");
	BAD(postoffice_add_user(t->po, "A/B", NULL, &t->e), ERR_PERM, ERR_OF_LINK);
	BAD(postoffice_add_user(t->po, "CARL", "A name of more than thirty octets", &t->e), ERR_PERM, ERR_OF_LINK);
	BAD(postoffice_add_user(t->po, "CARL", "A\nB", &t->e), ERR_PERM, ERR_OF_LINK);
	want_whole(t);
}

static void test_500_users(void **state)
{
	struct testing_po *t = *state;
	uint8_t access[MM_ACCESS_SIZE] = { 0 }, access2[MM_ACCESS2_SIZE] = { 0 }, access3[MM_ACCESS3_SIZE] = { 0 };
	struct mm_user u = { .active = true };
	FILE *f[3];
	static const char *const files[3] = { "GLB/ACCESS.GLB", "GLB/ACCESS2.GLB", "GLB/ACCESS3.GLB" };
	for (unsigned k = 0; k < 3; k++)
		assert_non_null(f[k] = fopen(testing_path(t, files[k]), "ab"));
	for (unsigned i = 3; i < 500; i++) {
		snprintf(u.mailbox, sizeof u.mailbox, "U%u", i);
		snprintf(u.mailbag, sizeof u.mailbag, "%08X", i + 100);
		u.index = i;
		mm_user_print(&u, access, access2, access3);
		fwrite(access, 1, sizeof access, f[0]);
		fwrite(access2, 1, sizeof access2, f[1]);
		fwrite(access3, 1, sizeof access3, f[2]);
	}
	for (unsigned k = 0; k < 3; k++)
		fclose(f[k]);
	BAD(postoffice_add_user(t->po, "ONEMORE", NULL, &t->e), ERR_PERM, ERR_OF_LINK);
	assert_string_equal(t->e.text, "postoffice: there are 500 users, want fewer: no more fit");
	patch(t, "GLB/ACCESS2.GLB", 69 * 400, "", 1); /* a deleted one's place is free */
	GOOD(postoffice_add_user(t->po, "ONEMORE", NULL, &t->e));
	assert_int_equal(size_of(t, "GLB/ACCESS2.GLB"), 69 * 500);
}

static bool count_member(void *ctx, const struct mm_name *member)
{
	unsigned *n = ctx;
	*n += mm_same(member->mailbox, "ANN") ? 1 : mm_same(member->mailbox, "BOB") ? 16 : 256;
	return true;
}

static void test_groups(void **state)
{
	struct testing_po *t = *state;
	static const char *const members[] = { "ann", "BOB" }, *const nobody[] = { "ann", "zoe" }, *const twice[] = { "ann", "ANN" };
	unsigned n = 0;
	uint8_t b[64];
	GOOD(postoffice_add_group(t->po, "ALL", members, 2, &t->e));
	GOOD(postoffice_group(t->po, "all", count_member, &n, &t->e));
	assert_int_equal(n, 17);
	DIR *d = opendir(testing_path(t, "MEM"));
	char rel[64] = "";
	for (const struct dirent *x; (x = readdir(d)) != NULL;)
		if (strstr(x->d_name, ".MEM") != NULL)
			snprintf(rel, sizeof rel, "MEM/%.20s", x->d_name);
	closedir(d);
	assert_int_equal(slurp(t, rel, b, sizeof b), 8); /* n * 4: mailbag numbers */
	static const uint8_t numbers[8] = { 2, 0, 0, 0, 3, 0, 0, 0 };
	assert_memory_equal(b, numbers, 8);
	memcpy(rel, "GRP", 3);
	memcpy(strstr(rel, ".MEM"), ".GRP", 4);
	assert_int_equal(slurp(t, rel, b, sizeof b), 16); /* TID, offset of the next, 0 at the end (Q107767) */
	assert_int_equal(b[4], 8);
	assert_int_equal(b[12], 0);
	BAD(postoffice_add_group(t->po, "All", members, 2, &t->e), ERR_PERM, ERR_OF_LINK);
	BAD(postoffice_add_group(t->po, "ann", members, 2, &t->e), ERR_PERM, ERR_OF_LINK);
	BAD(postoffice_add_group(t->po, "SOME", nobody, 2, &t->e), ERR_PERM, ERR_OF_LINK);
	BAD(postoffice_add_group(t->po, "SOME", twice, 2, &t->e), ERR_PERM, ERR_OF_LINK);
	want_whole(t);
	patch(t, rel, 4, "\4", 1);
	want_mended(t, rel, "at record 0");
	patch(t, rel, 4, "\10", 1);
	patch(t, rel, 12, "\10", 1); /* round and round */
	want_mended(t, rel, "at record 1");
	memcpy(rel, "MEM", 3);
	memcpy(strstr(rel, ".GRP"), ".MEM", 4);
	patch(t, rel, 4, "\77", 1);
	want_mended(t, rel, "1 members are no users");
	assert_int_equal(size_of(t, rel), 4);
}

/* --- others --- */
static void test_externals(void **state)
{
	struct testing_po *t = *state;
	uint8_t b[4096];
	const struct mm_name own = testing_name("TEST/HOME"), away = testing_name("test/away"), far = testing_name("FAR/OTHER"), x400 = testing_name("X400/PO"),
			     smtp = testing_name("SMTP/PO"), beyond = testing_name("FAR/BEYOND"), nowhere = testing_name("NO/WHERE");
	assert_int_equal(slurp(t, "XTN/00000001.XTN", b, sizeof b), 698); /* TEST/AWAY is of the own network */
	assert_int_equal(b[0], 1);
	assert_string_equal((char *)b + 1, "AWAY");
	assert_string_equal((char *)b + 0x0C, "00000004");
	assert_int_equal(b[0x289] | b[0x28A] << 8, 1); /* FAR/BEYOND is behind it */
	assert_int_equal(size_of(t, "KEY/00000004.KEY"), 560);
	BAD(postoffice_add_external(t->po, &away, NULL, &t->e), ERR_PERM, ERR_OF_LINK);
	BAD(postoffice_add_external(t->po, &own, NULL, &t->e), ERR_PERM, ERR_OF_LINK);
	BAD(postoffice_add_external(t->po, &x400, NULL, &t->e), ERR_PERM, ERR_OF_LINK); /* Q175978 */
	BAD(postoffice_add_external(t->po, &smtp, NULL, &t->e), ERR_PERM, ERR_OF_LINK);
	BAD(postoffice_add_external(t->po, &far, &beyond, &t->e), ERR_PERM, ERR_OF_LINK); /* no hop of a hop */
	BAD(postoffice_add_external(t->po, &far, &nowhere, &t->e), ERR_PERM, ERR_OF_LINK);
	BAD(postoffice_add_external(t->po, &far, &far, &t->e), ERR_PERM, ERR_OF_LINK);
	GOOD(postoffice_add_external(t->po, &far, &away, &t->e));
	slurp(t, "XTN/00000001.XTN", b, sizeof b);
	assert_int_equal(b[0x289], 2);
	BAD(postoffice_add_gateway(t->po, "smtp", MM_NETWORK_FFAPI, NULL, &t->e), ERR_PERM, ERR_OF_LINK);
	BAD(postoffice_add_gateway(t->po, "FAX", MM_NETWORK_POSTOFFICES, NULL, &t->e), ERR_PERM, ERR_OF_LINK);
	BAD(postoffice_add_gateway(t->po, "A/B", MM_NETWORK_FFAPI, NULL, &t->e), ERR_PERM, ERR_OF_LINK);
	BAD(postoffice_add_gateway(t->po, "ELEVENCHARS", MM_NETWORK_FFAPI, NULL, &t->e), ERR_PERM, ERR_OF_RECIPIENT);
	GOOD(postoffice_add_gateway(t->po, "FAX", MM_NETWORK_FFAPI, NULL, &t->e));
	const struct mm_name nobody = { .network = "NOBODY", .postoffice = "HERE" };
	BAD(postoffice_add_gateway(t->po, "X400", MM_NETWORK_FFAPI, &nobody, &t->e), ERR_PERM, ERR_OF_LINK);
	GOOD(postoffice_add_gateway(t->po, "X400", MM_NETWORK_FFAPI, &away, &t->e)); /* AWAY's own mailbag, which is no second owner */
	GOOD(postoffice_add_gateway(t->po, "SNADS", MM_NETWORK_FFAPI, &away, &t->e));
	want_whole(t);
	struct findings x;
	patch(t, "GLB/NETWORK.GLB", 122 * 3 + 0x21, "00000000", 8); /* FAX, behind TEST, FAR and SMTP: Admin's */
	assert_int_equal(check(t, false, &x).found, 1);
	assert_non_null(strstr(x.f[0].what, "the network FAX has the mailbag 00000000, which is also that of the mailbox \"Admin\""));
}

/* --- damage --- */
static void test_k124042_control_short(void **state)
{
	struct testing_po *t = *state;
	struct mm_id id;
	uint8_t b[16];
	GOOD(testing_put(t, "TEST/HOME/BOB", 2, 1, false, NULL, &id)); /* MAI, two ATT */
	const struct mm_header h = testing_header(&id);
	GOOD(postoffice_deliver(t->po, "00000003", &h, &t->e));
	slurp(t, "GLB/CONTROL.GLB", b, sizeof b);
	cut(t, "GLB/CONTROL.GLB", 5);
	want_mended(t, "GLB/CONTROL.GLB", "it has 5 octets, want 8");
	uint8_t again[16];
	assert_int_equal(slurp(t, "GLB/CONTROL.GLB", again, sizeof again), 8);
	assert_memory_equal(again, b, 8); /* from the highest that is there */
	assert_int_equal(size_of(t, "GLB/CONTROL.BAK"), 5);
	assert_int_equal(remove(testing_path(t, "GLB/CONTROL.GLB")), 0);
	want_mended(t, "GLB/CONTROL.GLB", "it is missing");
	patch(t, "GLB/CONTROL.GLB", 4, "\1", 1); /* behind: it would give an id that is in use */
	want_mended(t, "GLB/CONTROL.GLB", "higher ones are in use");
	assert_int_equal(size_of(t, "GLB/CONTROL.B01"), 8);
}

/* FFFFFFFF is in use: behind it the counters begin anew, and what is in use is skipped over. Nothing is wrong with that, and a lost file comes back. */
static void test_k124042_control_has_wrapped(void **state)
{
	struct testing_po *t = *state;
	struct mm_id id;
	uint8_t b[16];
	patch(t, "GLB/CONTROL.GLB", 4, "\377\377\377\377", 4);
	for (unsigned i = 0; i < 2; i++) {
		GOOD(testing_put(t, "TEST/HOME/BOB", 0, 1, false, NULL, &id));
		assert_string_equal(id.s, i == 0 ? "FFFFFFFF" : "00000001");
		const struct mm_header h = testing_header(&id);
		GOOD(postoffice_deliver(t->po, "00000003", &h, &t->e));
	}
	want_whole(t);
	slurp(t, "GLB/CONTROL.GLB", b, sizeof b);
	assert_int_equal(b[4], 2);
	cut(t, "GLB/CONTROL.GLB", 0);
	want_mended(t, "GLB/CONTROL.GLB", "it has 0 octets, want 8");
	testing_attach(t, 0);
	GOOD(testing_put(t, "TEST/HOME/BOB", 0, 1, false, NULL, &id));
	assert_string_equal(id.s, "00000002");
}

/* Without P1 locks cannot be tried when the postoffice is attached: once it is made they are, and all else is mended, too. */
static void test_k266442_repair_makes_p1(void **state)
{
	struct testing_po *t = *state;
	struct findings x;
	assert_int_equal(remove(testing_path(t, "P1/POPULATE.MSM")), 0);
	assert_int_equal(rmdir(testing_path(t, "P1")), 0);
	cut(t, "KEY/00000003.KEY", 100);
	const struct postoffice_findings n = check(t, true, &x);
	assert_int_equal(n.found, 2);
	assert_int_equal(n.mended, 2);
	want_whole(t);
}

static void test_missing_directories_and_files(void **state)
{
	struct testing_po *t = *state;
	assert_int_equal(remove(testing_path(t, "ATT/ATB/POPULATE.MSM")), 0);
	assert_int_equal(rmdir(testing_path(t, "ATT/ATB")), 0);
	want_mended(t, "ATT/ATB", "this directory is missing");
	assert_int_equal(size_of(t, "ATT/ATB/POPULATE.MSM"), 1);
	assert_int_equal(remove(testing_path(t, "GLB/FLAG.GLB")), 0);
	want_mended(t, "GLB/FLAG.GLB", "this file is missing");
	assert_int_equal(size_of(t, "GLB/FLAG.GLB"), 2);
	cut(t, "GLB/TID.GLB", 3);
	want_mended(t, "GLB/TID.GLB", "it has 3 octets, want 4");
	uint8_t b[8];
	slurp(t, "GLB/TID.GLB", b, sizeof b);
	assert_int_equal(b[0], 4); /* Admin 1, ANN 2, BOB 3 */
}

static void test_k110100_k110223_netpo(void **state)
{
	struct testing_po *t = *state;
	uint8_t file[4 + 43 * 2] = { 4 }, b[128];
	file[4] = 4; /* the first deleted record leads to itself */
	testing_write(t, "GLB/NETPO.GLB", (const char *)file, sizeof file);
	want_mended(t, "GLB/NETPO.GLB", "comes back to itself");
	assert_int_equal(slurp(t, "GLB/NETPO.GLB", b, sizeof b), sizeof file);
	file[0] = 0;
	assert_memory_equal(b, file, sizeof file); /* its head, nothing else */
	testing_write(t, "GLB/NETPO.GLB", (const char *)file, sizeof file - 1);
	want_mended(t, "GLB/NETPO.GLB", "want 4 and a multiple of 43; emptied");
	assert_int_equal(size_of(t, "GLB/NETPO.GLB"), 4);
	assert_int_equal(size_of(t, "GLB/NETPO.B01"), (long)sizeof file - 1);
}

static void test_k86625_indirect_count(void **state)
{
	struct testing_po *t = *state;
	uint8_t b[1024];
	patch(t, "XTN/00000001.XTN", 0x289, "\5\0", 2);
	want_mended(t, "XTN/00000001.XTN", "counts 5 postoffices behind it, and there are 1");
	slurp(t, "XTN/00000001.XTN", b, sizeof b);
	assert_int_equal(b[0x289], 1);
}

static void test_k166147_k201120_networks(void **state)
{
	struct testing_po *t = *state;
	uint8_t b[1024];
	const struct mm_name away = testing_name("TEST/AWAY");
	struct findings x;
	slurp(t, "GLB/NETWORK.GLB", b, sizeof b); /* TEST, FAR, SMTP */
	assert_string_equal((char *)b + 122 + 2, "FAR");
	char far_xtn[20];
	snprintf(far_xtn, sizeof far_xtn, "XTN/%.8s.XTN", (char *)b + 122 + 0x0D);
	patch(t, "GLB/NETWORK.GLB", 122 + 0x0D, "zzzzzzzz", 8);
	check(t, true, &x); /* the record is deleted, and its file, of which a copy stays */
	assert_int_equal(x.n, 3); /* and the count of postoffices behind TEST/AWAY */
	assert_string_equal(x.f[0].file, "GLB/NETWORK.GLB");
	assert_non_null(strstr(x.f[0].what, "record 1 is damaged or stale"));
	assert_false(testing_is_there(t, far_xtn));
	memcpy(strstr(far_xtn, ".XTN"), ".BAK", 4);
	assert_int_equal(size_of(t, far_xtn), 698);
	want_whole(t);
	const struct mm_name beyond = testing_name("FAR/BEYOND");
	testing_attach(t, 0);
	GOOD(postoffice_add_external(t->po, &beyond, &away, &t->e)); /* can be made again */
	slurp(t, "GLB/NETWORK.GLB", b, sizeof b);
	assert_string_equal((char *)b + 122 + 2, "FAR"); /* in the place of the deleted one */
	want_whole(t);
	assert_int_equal(remove(testing_path(t, "MBG/00000004.MBG")), 0);
	assert_int_equal(remove(testing_path(t, "KEY/00000004.KEY")), 0);
	want_mended(t, "KEY/00000004.KEY", "it is missing: the mailbag of TEST/AWAY");
	assert_int_equal(size_of(t, "KEY/00000004.KEY"), 560);
	assert_int_equal(size_of(t, "MBG/00000004.MBG"), 0);
	assert_int_equal(remove(testing_path(t, "XTN/00000001.XTN")), 0);
	check(t, true, &x);
	assert_string_equal(x.f[0].file, "XTN/00000001.XTN");
	assert_int_equal(size_of(t, "XTN/00000001.XTN"), 0);
}

static void test_users_cut_off(void **state)
{
	struct testing_po *t = *state;
	uint8_t record[MM_ACCESS_SIZE] = { 1 };
	FILE *f = fopen(testing_path(t, "GLB/ACCESS.GLB"), "ab"); /* one that was not made to the end */
	fwrite(record, 1, sizeof record, f);
	fclose(f);
	want_mended(t, "GLB/ACCESS.GLB", "want 1758 for the 3 users of ACCESS2.GLB");
	patch(t, "NME/ADMINSHD.NME", 0, "X", 1);
	want_mended(t, "NME/ADMINSHD.NME", "not the same as NME/ADMIN.NME");
	cut(t, "NME/ADMIN.NME", 45 * 2); /* BOB */
	struct findings x;
	const struct postoffice_findings n = check(t, true, &x);
	assert_int_equal(n.mended, n.found);
	assert_string_equal(x.f[0].file, "NME/ADMIN.NME");
	assert_int_equal(size_of(t, "NME/ADMIN.NME"), 45 * 3);
	want_whole(t);
	cut(t, "GLB/ACCESS3.GLB", 512); /* which two users were meant, nobody knows */
	const struct postoffice_findings lost = check(t, true, &x);
	assert_true(lost.found > lost.mended);
}

/* KEY and MBG are mended as a pair, and no mail is lost with the KEY: what is live comes back from the counters of the messages. */
static void test_k104279_key_lost(void **state)
{
	struct testing_po *t = *state;
	struct mm_id ids[3];
	struct po_bag_entry entries[4];
	unsigned n, all;
	for (unsigned i = 0; i < 3; i++) { /* each for ANN and BOB */
		GOOD(testing_put(t, "TEST/HOME/BOB", 0, 2, false, NULL, &ids[i]));
		const struct mm_header h = testing_header(&ids[i]);
		GOOD(postoffice_deliver(t->po, "00000002", &h, &t->e));
		GOOD(postoffice_deliver(t->po, "00000003", &h, &t->e));
	}
	GOOD(postoffice_bag(t->po, "00000003", 4, entries, &n, &all, &t->e));
	GOOD(postoffice_bag_drop(t->po, "00000003", entries[1].slot, &ids[1], false, &t->e));
	want_whole(t);
	cut(t, "KEY/00000003.KEY", 48);
	struct findings x;
	check(t, true, &x);
	assert_int_equal(x.n, 2);
	assert_string_equal(x.f[0].what, "it has 48 octets, want 560");
	assert_string_equal(x.f[1].what, "2 of its 3 records are live, by the counters of their messages");
	want_whole(t);
	GOOD(postoffice_bag(t->po, "00000003", 4, entries, &n, &all, &t->e));
	assert_int_equal(n, 2);
	assert_string_equal(entries[0].header.mai.s, ids[0].s);
	assert_string_equal(entries[1].header.mai.s, ids[2].s);
	assert_int_equal(size_of(t, "KEY/00000003.BAK"), 48);
	assert_int_equal(remove(testing_path(t, "KEY/00000003.KEY")), 0);
	check(t, true, &x);
	GOOD(postoffice_bag(t->po, "00000003", 4, entries, &n, &all, &t->e));
	assert_int_equal(n, 2);
	assert_int_equal(remove(testing_path(t, "MBG/00000003.MBG")), 0); /* records are gone: the pair is reset; the counters follow */
	check(t, true, &x);
	want_whole(t);
	assert_int_equal(size_of(t, "KEY/00000003.KEY"), 560);
	GOOD(postoffice_bag(t->po, "00000003", 4, entries, &n, &all, &t->e));
	assert_int_equal(n, 0);
}

/* Numbers of mailbags are 32 bits, and there may be more mailbags of nobody than anybody has users: what each holds counts. */
static void test_k124042_mailbags_of_any_number(void **state)
{
	struct testing_po *t = *state;
	struct mm_id id;
	char rel[40];
	for (unsigned i = 0x1000; i < 0x1000 + 9000; i++) {
		snprintf(rel, sizeof rel, "KEY/%08X.KEY", i);
		testing_write(t, rel, "", 0);
	}
	patch(t, "GLB/CONTROL.GLB", 0, "\0\0\120\0", 4);
	GOOD(postoffice_add_user(t->po, "HIGH", "High", &t->e));
	patch(t, "GLB/CONTROL.GLB", 0, "\377\377\377\377", 4);
	GOOD(postoffice_add_user(t->po, "LAST", "Last", &t->e));
	GOOD(testing_put(t, "TEST/HOME/BOB", 0, 3, false, NULL, &id));
	const struct mm_header h = testing_header(&id);
	GOOD(postoffice_deliver(t->po, "00000003", &h, &t->e));
	GOOD(postoffice_deliver(t->po, "00500000", &h, &t->e));
	GOOD(postoffice_deliver(t->po, "FFFFFFFF", &h, &t->e));
	want_whole(t);
	cut(t, "KEY/00500000.KEY", 100);
	struct findings x;
	check(t, true, &x);
	assert_int_equal(x.n, 2); /* it, and which of its records are live */
	want_whole(t);
	assert_int_equal(size_of(t, "KEY/00500000.KEY"), 560);
}

/* A KEY that is no file is said, the rest is mended; who has a message in that mailbag is not forgotten. */
static void test_k127002_k260962_a_mailbag_that_cannot_be_read(void **state)
{
	struct testing_po *t = *state;
	struct mm_id id;
	struct findings x;
	uint8_t b[100];
	GOOD(testing_put(t, "TEST/HOME/BOB", 0, 2, false, NULL, &id));
	const struct mm_header h = testing_header(&id);
	GOOD(postoffice_deliver(t->po, "00000002", &h, &t->e));
	GOOD(postoffice_deliver(t->po, "00000003", &h, &t->e));
	static const char *const files[] = { "KEY/00000002.KEY", "MBG/00000002.MBG" };
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char away[200];
		snprintf(away, sizeof away, "%s", testing_path(t, "away"));
		assert_int_equal(rename(testing_path(t, files[i]), away), 0);
		assert_int_equal(mkdir(testing_path(t, files[i]), 0777), 0);
		cut(t, "KEY/00000003.KEY", 100);
		check(t, true, &x);
		bool is_said = false;
		for (unsigned k = 0; k < x.n; k++)
			is_said = is_said || (strcmp(x.f[k].file, files[i]) == 0 && strstr(x.f[k].what, "no plain file") != NULL && !x.f[k].mended);
		assert_true(is_said);
		assert_int_equal(size_of(t, "KEY/00000003.KEY"), 560);
		slurp(t, "MAI/MA1/00000001.MAI", b, sizeof b);
		assert_int_equal(b[0x0B], 2);
		assert_int_equal(rmdir(testing_path(t, files[i])), 0);
		assert_int_equal(rename(away, testing_path(t, files[i])), 0);
		want_whole(t);
	}
}

static void test_mailbag_records(void **state)
{
	struct testing_po *t = *state;
	struct mm_id id, other;
	uint8_t b[MM_RECORD_SIZE];
	GOOD(testing_put(t, "TEST/HOME/BOB", 1, 1, false, NULL, &id));
	GOOD(testing_put(t, "TEST/HOME/BOB", 0, 1, false, NULL, &other));
	const struct mm_header h = testing_header(&id), h2 = testing_header(&other);
	GOOD(postoffice_deliver(t->po, "00000003", &h, &t->e));
	GOOD(postoffice_deliver(t->po, "00000003", &h2, &t->e));
	mm_header_print(&h, b);
	patch(t, "MBG/00000003.MBG", MM_RECORD_SIZE, b, sizeof b); /* the same message twice (Q77926); the other is an orphan */
	struct findings x;
	struct postoffice_findings n = check(t, true, &x);
	assert_int_equal(n.mended, 1);
	assert_non_null(strstr(x.f[0].what, "is in this mailbag already"));
	assert_int_equal(n.orphans, 1);
	assert_int_equal(n.messages, 1);
	FILE *f = fopen(testing_path(t, "MBG/00000003.MBG"), "ab");
	fwrite("half a record", 1, 13, f);
	fclose(f);
	want_mended(t, "MBG/00000003.MBG", "want a multiple of 116");
	GOOD(postoffice_set_bags(t->po, &id, 7, &t->e));
	char rel[40];
	snprintf(rel, sizeof rel, "MAI/MA%c/%s.MAI", id.s[7], id.s);
	want_mended(t, rel, "it counts 7 mailbags, and 1 hold it");
	snprintf(rel, sizeof rel, "MAI/MA%c/%s.MAI", id.s[7], id.s);
	assert_int_equal(remove(testing_path(t, rel)), 0);
	want_mended(t, "MBG/00000003.MBG", "is missing (from ANN, about it)");
	check(t, false, &x);
}

static void test_attachment_missing_is_said(void **state)
{
	struct testing_po *t = *state;
	struct mm_id id;
	struct findings x;
	GOOD(testing_put(t, "TEST/HOME/BOB", 2, 1, false, NULL, &id));
	const struct mm_header h = testing_header(&id);
	GOOD(postoffice_deliver(t->po, "00000003", &h, &t->e));
	want_whole(t);
	const struct mai_limits l = mai_limits_default();
	struct out o;
	struct mai m;
	out_init(&o, 1 << 20);
	GOOD(postoffice_read_mai(t->po, &id, 1 << 20, &o, &t->e));
	GOOD(mai_parse(out_view(&o), &mm_scramble_none, &m, t->a, &l, &t->e));
	assert_int_equal(remove(testing_path(t, po_rel_att(&m.attachments[1].file).s)), 0);
	out_fini(&o);
	const struct postoffice_findings n = check(t, true, &x);
	assert_int_equal(n.found, 1);
	assert_int_equal(n.mended, 0);
	assert_non_null(strstr(x.f[0].what, "is missing"));
}

/* A record of INQUEUE3 is nothing without its envelope: the finding says so, and whose it is. An outbound one's is a client's. */
static void test_a_missing_envelope_is_told(void **state)
{
	struct testing_po *t = *state;
	struct mm_id id, other;
	struct findings x;
	char away[9];
	testing_bag(t, "TEST/AWAY/X", away);
	GOOD(testing_put(t, "TEST/HOME/BOB", 0, 1, true, NULL, &id) && testing_put(t, "TEST/AWAY/X", 0, 1, false, NULL, &other));
	const struct mm_header h = testing_header(&id), to_away = testing_header(&other);
	GOOD(postoffice_deliver(t->po, "INQUEUE3", &h, &t->e) && postoffice_deliver(t->po, away, &to_away, &t->e));
	want_whole(t);
	assert_int_equal(remove(testing_path(t, po_rel_p1(&id).s)), 0);
	assert_int_equal(check(t, true, &x).mended, 0);
	assert_int_equal(x.n, 1);
	assert_string_equal(x.f[0].file, "MBG/INQUEUE3.MBG");
	assert_non_null(strstr(x.f[0].what, "envelope"));
}

/* A file server that tells upper from lower case may have both. */
static void test_k129456_names_that_differ_by_case_only(void **state)
{
	struct testing_po *t = *state;
	static const char *const files[] = { "MBG/00000003.mbg", "KEY/00000003.Key", "MAI/MA0/00000000.mai", "ATT/AT0/00000000.Att" };
	static const char *const others[] = { "MAI/MA0/00000000.MAI", "ATT/AT0/00000000.ATT" };
	struct findings x;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		testing_write(t, others[i], "x", 1);
	want_whole(t);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		testing_write(t, files[i], "x", 1);
	check(t, true, &x);
	assert_int_equal(x.n, ARRAY_LEN(files));
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		assert_non_null(strstr(x.f[i].what, "upper and lower case"));
		assert_false(x.f[i].mended);
	}
}

/* Q152903: on a server that tells upper from lower case somebody has made MAI beside mai. Messages are not mended away for what lies in the other one. */
static void test_two_directories_of_one_name(void **state)
{
	struct testing_po *t = *state;
	struct findings x;
	struct postoffice_findings n;
	struct mm_id id;
	char from[300], to[300];
	GOOD(testing_put(t, "TEST/HOME/BOB", 1, 0, false, NULL, &id));
	const struct mm_header h = testing_header(&id);
	GOOD(postoffice_deliver(t->po, "00000003", &h, &t->e));
	snprintf(from, sizeof from, "%s/MAI", t->path);
	snprintf(to, sizeof to, "%s/mai", t->path);
	assert_int_equal(rename(from, to), 0);
	want_whole(t);
	assert_int_equal(mkdir(from, 0700), 0);
	check(t, false, &x);
	assert_string_equal(x.f[0].file, "MAI");
	assert_non_null(strstr(x.f[0].what, "two directories"));
	testing_attach(t, POSTOFFICE_UNCHECKED);
	BAD(postoffice_check(t->po, true, on_finding, &(struct findings){ 0 }, &n, &t->e), ERR_PERM, ERR_OF_LINK);
	assert_int_equal(n.mended, 0);
	assert_int_equal(rmdir(from), 0);
	want_whole(t);
}

/* A postoffice of another program: places of ours mean nothing there. What is published is looked at; nothing is changed. */
static void test_foreign_postoffice_is_left_alone(void **state)
{
	struct testing_po *t = *state;
	static const uint8_t other[4] = { 0xA5, 0xA5, 0xA5, 0xA5 };
	struct findings x = { 0 };
	struct postoffice_findings n;
	patch(t, "GLB/MASTER.GLB", 0, other, 4);
	patch(t, "XTN/00000001.XTN", 0x28B, other, 4);
	patch(t, "XTN/00000001.XTN", 0x289, "\5", 1); /* not derived: next hops are not known there */
	testing_attach(t, POSTOFFICE_UNCHECKED);
	BAD(postoffice_check(t->po, true, on_finding, &x, &n, &t->e), ERR_PERM, ERR_OF_LINK);
	assert_int_equal(x.n, 0);
	check(t, false, &x);
	assert_int_equal(x.n, 1);
	assert_string_equal(x.f[0].file, "GLB/MASTER.GLB");
	cut(t, "GLB/CONTROL.GLB", 7);
	cut(t, "GLB/NETWORK.GLB", 122 * 3 - 1);
	check(t, false, &x);
	assert_int_equal(x.n, 3); /* and both sizes */
}

/* Some users' records were written by another program into a postoffice of ours: they are told, the address list stays as it is. */
static void test_users_not_understood(void **state)
{
	struct testing_po *t = *state;
	static const uint8_t other[4] = { 0xA5, 0xA5, 0xA5, 0xA5 };
	uint8_t before[4096], after[4096];
	struct findings x;
	patch(t, "GLB/ACCESS2.GLB", 69 * 2 + 65, other, 4);
	patch(t, "NME/ADMIN.NME", 45, "Somebody", 8);
	patch(t, "NME/ADMINSHD.NME", 45, "Somebody", 8);
	const size_t n = slurp(t, "NME/ADMIN.NME", before, sizeof before);
	check(t, true, &x);
	assert_non_null(strstr(x.f[0].what, "1 of 3 users cannot be read"));
	assert_int_equal(slurp(t, "NME/ADMIN.NME", after, sizeof after), n);
	assert_memory_equal(before, after, n);
}

static void test_repair_waits_for_locks(void **state)
{
	struct testing_po *t = *state;
	struct postoffice *other;
	struct po_lock *lock;
	struct findings x = { 0 };
	struct postoffice_findings n;
	GOOD(postoffice_open(t->path, 0, NULL, &t->host, &other, &t->e));
	GOOD(postoffice_lock(other, "INQUEUE3", &lock, &t->e));
	assert_non_null(lock);
	BAD(postoffice_check(t->po, true, on_finding, &x, &n, &t->e), ERR_TEMP, ERR_OF_LINK);
	GOOD(postoffice_check(t->po, false, on_finding, &x, &n, &t->e)); /* a look is free */
	postoffice_unlock(&lock);
	postoffice_close(&other);
	GOOD(postoffice_check(t->po, true, on_finding, &x, &n, &t->e));
	assert_int_equal(x.n, 0);
}

/* --- whatever call fails, at whatever step: what is there can be mended, and the request done again --- */
static bool make_some(struct testing_po *t, struct err *e)
{
	static const char *const members[] = { "NEW", "ANN" };
	const struct mm_name other = testing_name("OTHER/PO"), behind = testing_name("OTHER/BEHIND");
	return postoffice_add_user(t->po, "NEW", "New One", e) && postoffice_add_group(t->po, "GROUP", members, 2, e) &&
	       postoffice_add_external(t->po, &other, NULL, e) && postoffice_add_external(t->po, &behind, &other, e) &&
	       postoffice_add_gateway(t->po, "FAX", MM_NETWORK_FFAPI, NULL, e);
}

static void test_any_step_may_fail(void **state)
{
	struct testing_po *t = *state;
	unsigned failures = 0;
	for (unsigned step = 1;; step += 5) {
		char plan[40];
		struct err e;
		struct findings x;
		testing_attach(t, 0);
		snprintf(plan, sizeof plan, "*:%u:fail", step);
		GOOD(fault_plan(plan, &t->e));
		const bool ok = make_some(t, &e);
		const uint64_t passes = fault_passes_all();
		GOOD(fault_plan(NULL, &t->e));
		failures += !ok;
		const struct postoffice_findings n = check(t, true, &x);
		if (n.found != n.mended)
			fail_msg("step %u: %s: %s", step, x.f[x.n - 1].file, x.f[x.n - 1].what);
		want_whole(t);
		if (passes < step)
			break;
		assert_int_equal(testing_teardown(state), 0);
		assert_int_equal(testing_setup(state), 0);
		t = *state;
	}
	assert_true(failures > 5);
}

static void damage_much(struct testing_po *t)
{
	struct mm_id ids[2];
	for (unsigned i = 0; i < 2; i++) {
		GOOD(testing_put(t, "TEST/HOME/BOB", 1, 2, false, NULL, &ids[i]));
		const struct mm_header h = testing_header(&ids[i]);
		GOOD(postoffice_deliver(t->po, "00000002", &h, &t->e));
		GOOD(postoffice_deliver(t->po, "00000003", &h, &t->e));
	}
	cut(t, "KEY/00000003.KEY", 48);
	cut(t, "GLB/CONTROL.GLB", 1);
	assert_int_equal(remove(testing_path(t, "MBG/00000004.MBG")), 0);
	patch(t, "XTN/00000001.XTN", 0x289, "\5", 1);
	assert_int_equal(remove(testing_path(t, "INI/POPULATE.MSM")), 0);
	assert_int_equal(rmdir(testing_path(t, "INI")), 0);
	cut(t, "NME/ADMIN.NME", 45);
}

/* A repair that is cut off at any step is done again, and no mail is lost by it. */
static void test_repair_may_fail(void **state)
{
	struct testing_po *t = *state;
	unsigned failures = 0;
	for (unsigned step = 1;; step += 11) {
		char plan[40];
		struct err e;
		struct findings x = { 0 };
		struct postoffice_findings n;
		unsigned live, got;
		struct po_bag_entry entries[4];
		damage_much(t);
		testing_attach(t, POSTOFFICE_UNCHECKED);
		snprintf(plan, sizeof plan, "*:%u:fail", step);
		GOOD(fault_plan(plan, &t->e));
		failures += !postoffice_check(t->po, true, on_finding, &x, &n, &e);
		const uint64_t passes = fault_passes_all();
		GOOD(fault_plan(NULL, &t->e));
		n = check(t, true, &x);
		if (n.found != n.mended)
			fail_msg("step %u: %s: %s", step, x.f[x.n - 1].file, x.f[x.n - 1].what);
		want_whole(t);
		GOOD(postoffice_bag(t->po, "00000003", 4, entries, &got, &live, &t->e));
		assert_int_equal(live, 2);
		if (passes < step)
			break;
		assert_int_equal(testing_teardown(state), 0);
		assert_int_equal(testing_setup(state), 0);
		t = *state;
	}
	assert_true(failures > 5);
}

/* Half a postoffice is none: nobody attaches to it. */
static void test_creation_may_fail(void **state)
{
	struct testing_po *t = *state;
	const struct mm_name own = testing_name("TEST/HOME");
	unsigned failures = 0;
	for (unsigned step = 1;; step += 23) {
		char plan[40], path[120];
		struct postoffice *po;
		struct err e;
		snprintf(path, sizeof path, "%s/C%u", t->dir, step);
		snprintf(plan, sizeof plan, "*:%u:fail", step);
		GOOD(fault_plan(plan, &t->e));
		const bool ok = postoffice_create(path, &own, NULL, &t->host, &e);
		const uint64_t passes = fault_passes_all();
		GOOD(fault_plan(NULL, &t->e));
		failures += !ok;
		const bool is_one = postoffice_open(path, 0, NULL, &t->host, &po, &e);
		assert_int_equal(is_one, ok);
		if (is_one)
			postoffice_close(&po);
		else if (!postoffice_create(path, &own, NULL, &t->host, &e)) /* nothing of the first try hinders the second */
			fail_msg("step %u: %s", step, e.text);
		if (passes < step)
			break;
	}
	assert_true(failures > 5);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, testing_setup, testing_teardown)
#define FRESH(f) cmocka_unit_test_setup_teardown(f, only_create, testing_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(test_fresh_has_exactly_its_files),
		FRESH(test_fresh_octets), FRESH(test_the_root_is_for_whom_the_rest_is),
		TEST(test_k151228_serial_numbers),
		TEST(test_k151228_never_that_of_exchange),
		TEST(test_users_stand_in_all_three),
		TEST(test_500_users),
		TEST(test_groups),
		TEST(test_externals),
		TEST(test_k124042_control_short),
		TEST(test_k124042_control_has_wrapped),
		TEST(test_k266442_repair_makes_p1),
		TEST(test_missing_directories_and_files),
		TEST(test_k110100_k110223_netpo),
		TEST(test_k86625_indirect_count),
		TEST(test_k166147_k201120_networks),
		TEST(test_users_cut_off),
		TEST(test_k104279_key_lost),
		TEST(test_k124042_mailbags_of_any_number),
		TEST(test_k127002_k260962_a_mailbag_that_cannot_be_read),
		TEST(test_mailbag_records),
		TEST(test_attachment_missing_is_said),
		TEST(test_a_missing_envelope_is_told),
		TEST(test_k129456_names_that_differ_by_case_only),
		TEST(test_foreign_postoffice_is_left_alone),
		TEST(test_two_directories_of_one_name),
		TEST(test_users_not_understood),
		TEST(test_repair_waits_for_locks),
		TEST(test_any_step_may_fail),
		TEST(test_repair_may_fail),
		TEST(test_creation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
