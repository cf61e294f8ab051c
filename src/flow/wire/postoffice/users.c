/* users.c - local users and groups. ACCESS2.GLB comes last: who stands there is a user; what a crash has left before is written over by the next one
 * (ACCESS, ACCESS3) or found by the check (a mailbag, an alias). */
#include "flow/wire/postoffice/po_make.h"

#include "base/text.h"
#include "flow/codec/msmail/le.h"

enum { TID_SIZE = 4, IDX_SIZE = 100, LIST_MAX = 16 * 1024 * 1024 };

/* --- TID.GLB: read, give away, write one more --- */
static bool take_tid_of(struct postoffice *po, int fd, const char *rel, uint32_t *tid_r, struct err *e)
{
	uint8_t octets[TID_SIZE];
	size_t got;
	if (!po_hold(po, fd, rel, PO_EXCLUSIVE, e) || !po_read_at(po, fd, rel, octets, sizeof octets, 0, &got, e))
		return false;
	if (got != sizeof octets)
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "postoffice: %s has %zu octets, want %d", rel, got, TID_SIZE);
	const uint32_t tid = le32(octets);
	put_le32(octets, tid + 1);
	if (!po_write_at(po, fd, rel, octets, sizeof octets, 0, e) || !po_sync(po, fd, rel, e))
		return false;
	*tid_r = tid;
	return true;
}

static bool take_tid(struct postoffice *po, uint32_t *tid_r, struct err *e)
{
	static const char rel[] = "GLB/TID.GLB";
	int fd;
	if (!po_open(po, rel, O_RDWR, &fd, e))
		return false;
	if (fd < 0)
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "postoffice: %s is missing", rel);
	const bool ok = take_tid_of(po, fd, rel, tid_r, e);
	po_close(po, &fd);
	return ok;
}

/* --- the postoffice address list, and its shadow, which must equal it --- */
static bool add_alias(struct postoffice *po, const struct mm_alias *a, struct err *e)
{
	struct po_table t;
	struct mm_alias there;
	uint8_t record[MM_ALIAS_SIZE];
	if (!po_table_open(po, "NME", "ADMIN.NME", &t, e))
		return false;
	size_t at = po_table_n(&t);
	bool ok = true;
	for (size_t i = po_table_n(&t); ok && i-- > 0;) {
		if (!mm_alias_parse(po_table_record(&t, i), &there, NULL))
			continue;
		if (there.alias[0] == 0)
			at = i;
		else if (a->type == MM_ALIAS_GROUP && there.type == MM_ALIAS_GROUP && mm_same(there.alias, a->alias))
			ok = err_set(e, ERR_PERM, ERR_OF_LINK, "postoffice: there is a group \"%s\" already", there.alias);
	}
	mm_alias_print(a, record);
	ok = ok && po_table_put(&t, at, record, e) && po_replace(po, "NME/ADMINSHD.NME", out_view(&t.octets), e);
	po_table_close(&t);
	return ok;
}

/* --- a user's own files: address list, groups, folders; as Admin has them in a fresh postoffice (Q135868) --- */
static bool replace_zeroes(struct postoffice *po, struct po_rel rel, size_t n, struct err *e)
{
	static const uint8_t zeroes[IDX_SIZE];
	return po_replace(po, rel.s, view_of(zeroes, n), e);
}

static bool write_personal(struct postoffice *po, const struct mm_id *id, struct err *e)
{
	const struct po_rel folder = po_rel_of("FOLDERS/LOC", id->s, "");
	return replace_zeroes(po, po_rel_of("NME", id->s, ".NME"), 0, e) && replace_zeroes(po, po_rel_of("GRP", id->s, ".GRP"), MM_CHAIN_SIZE, e) &&
	       po_make_dir(po, folder.s, e) && replace_zeroes(po, po_rel_of(folder.s, id->s, ".IDX"), IDX_SIZE, e);
}

/* --- users --- */
struct users { struct po_table access, access2, access3; };

static void close_users(struct users *u)
{
	po_table_close(&u->access);
	po_table_close(&u->access2);
	po_table_close(&u->access3);
}

static bool open_users(struct postoffice *po, struct users *u, struct err *e)
{
	*u = (struct users){ 0 };
	if (!po_table_open(po, "GLB", "ACCESS2.GLB", &u->access2, e) || !po_table_open(po, "GLB", "ACCESS.GLB", &u->access, e) ||
	    !po_table_open(po, "GLB", "ACCESS3.GLB", &u->access3, e)) {
		close_users(u);
		return false;
	}
	const size_t n = po_table_n(&u->access2), a = po_table_n(&u->access), a3 = po_table_n(&u->access3);
	if (a >= n && a3 >= n)
		return true;
	close_users(u);
	return err_set(e, ERR_LOCAL, ERR_OF_LINK, "postoffice: ACCESS.GLB, ACCESS2.GLB and ACCESS3.GLB have %zu, %zu and %zu records, want as many", a, n, a3);
}

static bool user_at(const struct users *u, size_t i, struct mm_user *user_r, struct err *e)
{
	return mm_user_parse(po_table_record(&u->access, i), po_table_record(&u->access2, i), po_table_record(&u->access3, i), user_r, e);
}

/* Where a new user's records go: behind the last one, or in a deleted one's place when 500 are there. */
static bool find_place(const struct users *u, const char *mailbox, size_t *at_r, struct err *e)
{
	const size_t n = po_table_n(&u->access2);
	size_t free_one = n;
	for (size_t i = n; i-- > 0;) {
		struct mm_user there;
		if (!user_at(u, i, &there, e))
			return false;
		if (!there.active)
			free_one = i;
		else if (mm_same(there.mailbox, mailbox))
			return err_set(e, ERR_PERM, ERR_OF_LINK, "postoffice: there is a mailbox \"%s\" already", there.mailbox);
	}
	if (n == MM_USERS_MAX && free_one == n)
		return err_set(e, ERR_PERM, ERR_OF_LINK, "postoffice: there are %d users, want fewer: no more fit", MM_USERS_MAX);
	*at_r = n == MM_USERS_MAX ? free_one : n;
	return true;
}

static bool put_user(struct users *u, const struct mm_user *user, struct err *e)
{
	uint8_t access[MM_ACCESS_SIZE] = { 0 }, access2[MM_ACCESS2_SIZE] = { 0 }, access3[MM_ACCESS3_SIZE] = { 0 };
	mm_user_print(user, access, access2, access3);
	return po_table_put(&u->access, user->index, access, e) && po_table_put(&u->access3, user->index, access3, e) &&
	       po_table_put(&u->access2, user->index, access2, e);
}

static bool friendly_ok(const char *friendly, struct err *e)
{
	char shown[4 * MM_FRIENDLY_MAX + 1];
	for (const char *c = friendly; *c != 0; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return err_set(e, ERR_PERM, ERR_OF_LINK, "the name \"%s\" has a control character, want none",
				       text_escaped(shown, sizeof shown, view_str(friendly)));
	return (friendly[0] != 0 && strlen(friendly) <= MM_FRIENDLY_MAX) ||
	       err_set(e, ERR_PERM, ERR_OF_LINK, "the name \"%s\" has %zu octets, want 1 to %d", text_escaped(shown, sizeof shown, view_str(friendly)),
		       strlen(friendly), MM_FRIENDLY_MAX);
}

static bool make_user(struct postoffice *po, struct users *all, struct mm_user *u, struct err *e)
{
	struct mm_alias a = { .type = MM_ALIAS_LOCAL };
	struct mm_id bag;
	if (!take_tid(po, &u->tid, e) || !po_new_bag(po, &bag, e) || !write_personal(po, &bag, e))
		return false;
	memcpy(u->mailbag, bag.s, sizeof u->mailbag);
	memcpy(a.alias, u->friendly, sizeof a.alias);
	memcpy(a.file, u->mailbag, sizeof a.file);
	a.tid = u->tid;
	return add_alias(po, &a, e) && put_user(all, u, e);
}

bool postoffice_add_user(struct postoffice *po, const char *mailbox, const char *friendly, struct err *e)
{
	struct mm_user u = { .active = true };
	struct users all;
	size_t at = 0;
	po_check(po);
	if (friendly == NULL)
		friendly = mailbox;
	if (!po_name_may_be_made("the mailbox", mailbox, e) || !friendly_ok(friendly, e) || !open_users(po, &all, e))
		return false;
	snprintf(u.mailbox, sizeof u.mailbox, "%s", mailbox);
	snprintf(u.friendly, sizeof u.friendly, "%s", friendly);
	bool ok = find_place(&all, mailbox, &at, e);
	u.index = (uint32_t)at;
	ok = ok && make_user(po, &all, &u, e);
	close_users(&all);
	po_tables_free(&po->tables); /* they are read again */
	return ok;
}

/* --- groups: a chain of TIDs for those who show it, mailbag numbers for the mailer --- */
static bool create_mem(void *ctx, const struct mm_id *id, bool *taken_r, struct err *e)
{
	struct postoffice *po = ctx;
	const struct po_rel rel = po_rel_of("MEM", id->s, ".MEM");
	int fd;
	if (!po_open(po, rel.s, O_RDWR | O_CREAT | O_EXCL, &fd, e))
		return false;
	*taken_r = fd < 0;
	if (fd >= 0)
		po_close(po, &fd);
	return true;
}

static bool find_member(const struct users *all, const char *mailbox, struct mm_user *u_r, struct err *e)
{
	for (size_t i = 0; i < po_table_n(&all->access2); i++) {
		struct mm_user u;
		if (user_at(all, i, &u, NULL) && u.active && mm_same(u.mailbox, mailbox)) {
			*u_r = u;
			return true;
		}
	}
	char shown[64];
	return err_set(e, ERR_PERM, ERR_OF_LINK, "postoffice: there is no mailbox \"%s\"", text_escaped(shown, sizeof shown, view_str(mailbox)));
}

static bool group_octets(const struct users *all, const char *const *members, size_t n, struct out *mem, struct out *grp, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct mm_user u;
		struct mm_id bag;
		uint8_t record[MM_CHAIN_SIZE];
		uint32_t number;
		if (!find_member(all, members[i], &u, e) || !mm_id_parse(view_str(u.mailbag), &bag, &number, e))
			return false;
		put_le32(record, number);
		for (size_t k = 0; k < out_len(mem); k += MM_MEMBER_SIZE)
			if (memcmp(out_view(mem).p + k, record, MM_MEMBER_SIZE) == 0)
				return err_set(e, ERR_PERM, ERR_OF_LINK, "postoffice: \"%s\" is twice in the group, want once", u.mailbox);
		out_bytes(mem, view_of(record, MM_MEMBER_SIZE));
		put_le32(record, u.tid);
		put_le32(record + 4, i + 1 == n ? 0 : (uint32_t)((i + 1) * MM_CHAIN_SIZE));
		out_bytes(grp, view_of(record, MM_CHAIN_SIZE));
	}
	return true;
}

static bool write_group(struct postoffice *po, const char *group, struct view mem, struct view grp, struct err *e)
{
	struct mm_alias a = { .type = MM_ALIAS_GROUP };
	struct mm_id id;
	if (!take_tid(po, &a.tid, e) || !po_new_id(po, PO_NMAILBAG, create_mem, po, &id, e))
		return false;
	snprintf(a.alias, sizeof a.alias, "%s", group);
	memcpy(a.file, id.s, sizeof a.file);
	return po_replace(po, po_rel_of("MEM", id.s, ".MEM").s, mem, e) && po_replace(po, po_rel_of("GRP", id.s, ".GRP").s, grp, e) && add_alias(po, &a, e);
}

bool postoffice_add_group(struct postoffice *po, const char *group, const char *const *members, size_t n, struct err *e)
{
	struct users all;
	struct mm_user same;
	struct out mem, grp;
	po_check(po);
	if (!po_name_may_be_made("the group", group, e) || !open_users(po, &all, e))
		return false;
	out_init(&mem, MM_USERS_MAX * MM_MEMBER_SIZE);
	out_init(&grp, MM_USERS_MAX * MM_CHAIN_SIZE);
	bool ok = !find_member(&all, group, &same, NULL) || err_set(e, ERR_PERM, ERR_OF_LINK, "postoffice: there is a mailbox \"%s\" already", same.mailbox);
	ok = ok && group_octets(&all, members, n, &mem, &grp, e) && write_group(po, group, out_view(&mem), out_view(&grp), e);
	po_tables_free(&po->tables); /* they are read again */
	out_fini(&mem);
	out_fini(&grp);
	close_users(&all);
	return ok;
}

bool postoffice_each_group(struct postoffice *po, bool (*each)(void *ctx, const char *group), void *ctx, struct err *e)
{
	struct out o;
	bool there, go_on = true;
	po_check(po);
	out_init(&o, LIST_MAX);
	const bool ok = po_read_file(po, "NME/ADMIN.NME", LIST_MAX, &o, &there, e);
	for (size_t i = 0; ok && go_on && i < out_len(&o) / MM_ALIAS_SIZE; i++) {
		struct mm_alias a;
		if (mm_alias_parse(view_first(view_from(out_view(&o), i * MM_ALIAS_SIZE), MM_ALIAS_SIZE), &a, NULL) && a.alias[0] != 0 && a.type == MM_ALIAS_GROUP)
			go_on = each(ctx, a.alias);
	}
	out_fini(&o);
	return ok;
}
