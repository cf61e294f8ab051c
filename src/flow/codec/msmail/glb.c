/* glb.c - records of the global files. Places of our own choice are named OUR_; each stands behind a mark. */
#include "flow/codec/msmail/glb.h"

#include "base/text.h"
#include "flow/codec/msmail/le.h"

enum { ID_FIELD = MM_ID_LENGTH + 1, NAME_FIELD = MM_NAME_MAX + 1, FRIENDLY_FIELD = MM_FRIENDLY_MAX + 1, MARK_SIZE = 4 };
static const uint8_t mark[MARK_SIZE] = { 'P', 'H', 'R', 'N' };

/* --- fields --- */
/* field octets with their NUL; the text ends at the NUL, or where the field does less one. */
static void get_text(const uint8_t *p, size_t field, char *s)
{
	size_t n = 0;
	while (n < field - 1 && p[n] != 0)
		n++;
	memcpy(s, p, n);
	s[n] = 0;
}

static void trim(char *s)
{
	for (size_t n = strlen(s); n > 0 && s[n - 1] == ' '; n--)
		s[n - 1] = 0;
}

static void put_text(uint8_t *p, size_t field, const char *s, bool any_case)
{
	char was[FRIENDLY_FIELD];
	assert(field <= sizeof was);
	get_text(p, field, was);
	trim(was);
	if (any_case ? view_eq_nocase(view_str(was), view_str(s)) : strcmp(was, s) == 0)
		return; /* as the other program wrote it, and what lies behind its NUL */
	const size_t n = strlen(s) < field - 1 ? strlen(s) : field - 1;
	memset(p, 0, field);
	memcpy(p, s, n);
}

/* The same but as it lies there, without a pad of blanks, and no control character in it. */
static bool get_name(struct view record, size_t at, size_t field, char *s, const char *what, struct err *e)
{
	get_text(record.p + at, field, s);
	trim(s);
	for (const char *c = s; *c != 0; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			char shown[4 * FRIENDLY_FIELD + 1];
			return err_set(e, ERR_PERM, ERR_OF_LINK, "%s at 0x%zX is \"%s\", want no control characters", what, at,
				       text_escaped(shown, sizeof shown, view_str(s)));
		}
	return true;
}

/* Eight hexadecimal digits, or nothing (also eight blanks). */
static bool get_id(struct view record, size_t at, char *id, const char *what, struct err *e)
{
	char s[ID_FIELD];
	if (!get_name(record, at, ID_FIELD, s, what, e))
		return false;
	const size_t n = strlen(s);
	for (size_t i = 0; i < n; i++) {
		if (s[i] >= 'a' && s[i] <= 'f')
			s[i] = (char)(s[i] - 'a' + 'A');
		if (n != MM_ID_LENGTH || !((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'A' && s[i] <= 'F'))) {
			char shown[4 * ID_FIELD + 1];
			return err_set(e, ERR_PERM, ERR_OF_LINK, "%s at 0x%zX is \"%s\", want 8 hexadecimal digits", what, at,
				       text_escaped(shown, sizeof shown, view_str(s)));
		}
	}
	memcpy(id, s, n + 1);
	return true;
}

static void put_id(uint8_t *p, const char *id)
{
	put_text(p, ID_FIELD, id, true);
}

static bool has_size(struct view record, size_t want, const char *what, struct err *e)
{
	return record.n == want || err_set(e, ERR_PERM, ERR_OF_LINK, "%s has %zu octets, want %zu", what, record.n, want);
}

/* 01 active, 00 deleted. */
static bool get_active(struct view record, bool *active_r, const char *what, struct err *e)
{
	*active_r = record.p[0] == 1;
	return record.p[0] <= 1 || err_set(e, ERR_PERM, ERR_OF_LINK, "%s begins with 0x%02X, want 01 (active) or 00 (deleted)", what, record.p[0]);
}

static bool is_marked(const uint8_t *p)
{
	return memcmp(p, mark, MARK_SIZE) == 0;
}

/* --- CONTROL.GLB (A3) --- */
void mm_control_print(const struct mm_control *x, uint8_t record_r[MM_CONTROL_SIZE])
{
	put_le32(record_r, x->nmailbag);
	put_le32(record_r + 4, x->nletter);
}

bool mm_control_parse(struct view record, struct mm_control *x_r, struct err *e)
{
	if (!has_size(record, MM_CONTROL_SIZE, "CONTROL.GLB", e))
		return false;
	*x_r = (struct mm_control){ .nmailbag = le32(record.p), .nletter = le32(record.p + 4) };
	return true;
}

/* --- MASTER.GLB (A4): 0x93, 0x94 are facts --- */
enum {
	MASTER_OUR_MARK = 0x00,
	MASTER_OUR_NETWORK = 0x04,
	MASTER_OUR_POSTOFFICE = MASTER_OUR_NETWORK + NAME_FIELD,
	MASTER_OUR_SERIAL = MASTER_OUR_POSTOFFICE + NAME_FIELD,
	MASTER_OUR_HOPS = MASTER_OUR_SERIAL + ID_FIELD,
	MASTER_COMPONENTS = 0x93,
	MASTER_SECURITY = 0x94,
};

bool mm_serial_is(struct view t)
{
	for (size_t i = 0; i < t.n; i++)
		if (i == 2 ? t.p[i] != '-' : t.p[i] < '0' || t.p[i] > '9')
			return false;
	return t.n == MM_ID_LENGTH;
}

void mm_master_print(const struct mm_master *x, uint8_t record_r[MM_MASTER_SIZE])
{
	memcpy(record_r, x->raw, MM_MASTER_SIZE);
	if (x->own.network[0] != 0) {
		memcpy(record_r + MASTER_OUR_MARK, mark, MARK_SIZE);
		put_text(record_r + MASTER_OUR_NETWORK, NAME_FIELD, x->own.network, false);
		put_text(record_r + MASTER_OUR_POSTOFFICE, NAME_FIELD, x->own.postoffice, false);
		put_text(record_r + MASTER_OUR_SERIAL, ID_FIELD, x->serial, false);
		put_le16(record_r + MASTER_OUR_HOPS, x->hops);
	}
	record_r[MASTER_COMPONENTS] = x->components;
	record_r[MASTER_SECURITY] = x->enhanced_security ? 1 : 0;
}

bool mm_master_parse(struct view record, struct mm_master *x_r, struct err *e)
{
	struct mm_master x = { .hops = MM_HOPS_DEFAULT };
	if (!has_size(record, MM_MASTER_SIZE, "MASTER.GLB", e))
		return false;
	memcpy(x.raw, record.p, MM_MASTER_SIZE);
	x.components = record.p[MASTER_COMPONENTS];
	x.enhanced_security = record.p[MASTER_SECURITY] != 0;
	if (is_marked(record.p + MASTER_OUR_MARK)) {
		if (!get_name(record, MASTER_OUR_NETWORK, NAME_FIELD, x.own.network, "the network in MASTER.GLB", e) ||
		    !get_name(record, MASTER_OUR_POSTOFFICE, NAME_FIELD, x.own.postoffice, "the postoffice in MASTER.GLB", e))
			return false;
		get_text(record.p + MASTER_OUR_SERIAL, ID_FIELD, x.serial);
		x.hops = le16(record.p + MASTER_OUR_HOPS);
	}
	*x_r = x;
	return true;
}

/* --- a record of NETWORK.GLB (A4, Q148666) --- */
enum { NETWORK_TYPE = 0x01, NETWORK_NAME = 0x02, NETWORK_XTN = 0x0D, NETWORK_MAILBAG = 0x21 };

void mm_network_print(const struct mm_network *x, uint8_t record_r[MM_NETWORK_SIZE])
{
	memcpy(record_r, x->raw, MM_NETWORK_SIZE);
	record_r[0] = x->active ? 1 : 0;
	record_r[NETWORK_TYPE] = x->type;
	put_text(record_r + NETWORK_NAME, NAME_FIELD, x->name, false);
	put_id(record_r + NETWORK_XTN, x->xtn);
	put_id(record_r + NETWORK_MAILBAG, x->mailbag);
}

bool mm_network_parse(struct view record, struct mm_network *x_r, struct err *e)
{
	struct mm_network x = { 0 };
	if (!has_size(record, MM_NETWORK_SIZE, "a record of NETWORK.GLB", e) || !get_active(record, &x.active, "a record of NETWORK.GLB", e))
		return false;
	memcpy(x.raw, record.p, MM_NETWORK_SIZE);
	x.type = record.p[NETWORK_TYPE];
	const bool ok = get_name(record, NETWORK_NAME, NAME_FIELD, x.name, "the name of a network", e) &&
			get_id(record, NETWORK_XTN, x.xtn, "the XTN file of a network", e) &&
			get_id(record, NETWORK_MAILBAG, x.mailbag, "the mailbag of a network", e);
	if (!ok && x.active)
		return false;
	*x_r = x;
	return true;
}

/* --- a record of an XTN file (A4, Q86625) --- */
enum {
	XTN_NAME = 0x001,
	XTN_MAILBAG = 0x00C,
	XTN_INDIRECT = 0x289,
	XTN_OUR_MARK = 0x28B,
	XTN_OUR_VIA_NETWORK = XTN_OUR_MARK + MARK_SIZE,
	XTN_OUR_VIA_POSTOFFICE = XTN_OUR_VIA_NETWORK + NAME_FIELD,
	XTN_OUR_RETRIES = XTN_OUR_VIA_POSTOFFICE + NAME_FIELD,
};

void mm_xtn_print(const struct mm_xtn *x, uint8_t record_r[MM_XTN_SIZE])
{
	memcpy(record_r, x->raw, MM_XTN_SIZE);
	record_r[0] = x->active ? 1 : 0;
	put_text(record_r + XTN_NAME, NAME_FIELD, x->name, false);
	put_id(record_r + XTN_MAILBAG, x->mailbag);
	put_le16(record_r + XTN_INDIRECT, x->indirect);
	if (!x->marked)
		return;
	memcpy(record_r + XTN_OUR_MARK, mark, MARK_SIZE);
	put_text(record_r + XTN_OUR_VIA_NETWORK, NAME_FIELD, x->via_network, false);
	put_text(record_r + XTN_OUR_VIA_POSTOFFICE, NAME_FIELD, x->via_postoffice, false);
	put_le16(record_r + XTN_OUR_RETRIES, x->retries);
}

bool mm_xtn_parse(struct view record, struct mm_xtn *x_r, struct err *e)
{
	struct mm_xtn x = { 0 };
	if (!has_size(record, MM_XTN_SIZE, "a record of an XTN file", e) || !get_active(record, &x.active, "a record of an XTN file", e))
		return false;
	memcpy(x.raw, record.p, MM_XTN_SIZE);
	x.indirect = le16(record.p + XTN_INDIRECT);
	bool ok = get_name(record, XTN_NAME, NAME_FIELD, x.name, "the name of a postoffice", e) &&
		  get_id(record, XTN_MAILBAG, x.mailbag, "the mailbag of a postoffice", e);
	x.marked = is_marked(record.p + XTN_OUR_MARK);
	if (ok && x.marked) {
		ok = get_name(record, XTN_OUR_VIA_NETWORK, NAME_FIELD, x.via_network, "the next hop's network", e) &&
		     get_name(record, XTN_OUR_VIA_POSTOFFICE, NAME_FIELD, x.via_postoffice, "the next hop", e);
		x.retries = le16(record.p + XTN_OUR_RETRIES);
	}
	if (!ok && x.active)
		return false;
	*x_r = x;
	return true;
}

/* --- a record of an address list (Q107767) --- */
enum { ALIAS_TID = FRIENDLY_FIELD, ALIAS_TYPE = ALIAS_TID + 4, ALIAS_FILE = ALIAS_TYPE + 1 };

void mm_alias_print(const struct mm_alias *x, uint8_t record_r[MM_ALIAS_SIZE])
{
	memcpy(record_r, x->raw, MM_ALIAS_SIZE);
	put_text(record_r, FRIENDLY_FIELD, x->alias, false);
	put_le32(record_r + ALIAS_TID, x->tid);
	record_r[ALIAS_TYPE] = x->type;
	if (x->type != MM_ALIAS_EXTERNAL) /* there it is what its writer put */
		put_id(record_r + ALIAS_FILE, x->file);
}

bool mm_alias_parse(struct view record, struct mm_alias *x_r, struct err *e)
{
	struct mm_alias x = { 0 };
	if (!has_size(record, MM_ALIAS_SIZE, "a record of an address list", e))
		return false;
	memcpy(x.raw, record.p, MM_ALIAS_SIZE);
	if (!get_name(record, 0, FRIENDLY_FIELD, x.alias, "an alias", e))
		return false;
	x.tid = le32(record.p + ALIAS_TID);
	x.type = record.p[ALIAS_TYPE];
	if ((x.type == MM_ALIAS_LOCAL || x.type == MM_ALIAS_GROUP) && !get_id(record, ALIAS_FILE, x.file, "the file of an alias", e))
		return false;
	*x_r = x;
	return true;
}

/* --- a user: one record in each of ACCESS, ACCESS2, ACCESS3 --- */
enum {
	USER_ACTIVE = 0,
	USER_OUR_NAME = 1,
	USER_OUR_MAILBAG = USER_OUR_NAME + NAME_FIELD,
	USER_OUR_INDEX = USER_OUR_MAILBAG + ID_FIELD,
	USER_OUR_TID = USER_OUR_INDEX + 4,
	USER_OUR_MARK = MM_ACCESS2_SIZE - MARK_SIZE,
	ENVIRONMENT_OUR_FRIENDLY = 1, /* of ACCESS.GLB */
	ENVIRONMENT_OUR_MARK = MM_ACCESS_SIZE - MARK_SIZE,
};

void mm_user_print(const struct mm_user *u, uint8_t access[MM_ACCESS_SIZE], uint8_t access2[MM_ACCESS2_SIZE], uint8_t access3[MM_ACCESS3_SIZE])
{
	access[USER_ACTIVE] = access2[USER_ACTIVE] = access3[USER_ACTIVE] = u->active ? 1 : 0;
	put_text(access2 + USER_OUR_NAME, NAME_FIELD, u->mailbox, false);
	put_id(access2 + USER_OUR_MAILBAG, u->mailbag);
	put_le32(access2 + USER_OUR_INDEX, u->index);
	put_le32(access2 + USER_OUR_TID, u->tid);
	memcpy(access2 + USER_OUR_MARK, mark, MARK_SIZE);
	put_text(access + ENVIRONMENT_OUR_FRIENDLY, FRIENDLY_FIELD, u->friendly, false);
	memcpy(access + ENVIRONMENT_OUR_MARK, mark, MARK_SIZE);
}

bool mm_user_parse(struct view access, struct view access2, struct view access3, struct mm_user *u_r, struct err *e)
{
	struct mm_user u = { 0 };
	if (!has_size(access, MM_ACCESS_SIZE, "a record of ACCESS.GLB", e) || !has_size(access2, MM_ACCESS2_SIZE, "a record of ACCESS2.GLB", e) ||
	    !has_size(access3, MM_ACCESS3_SIZE, "a record of ACCESS3.GLB", e))
		return false;
	if (!is_marked(access2.p + USER_OUR_MARK))
		return err_set(e, ERR_PERM, ERR_OF_LINK, "a record of ACCESS2.GLB bears no mark of ours at 0x%X: the places of its fields are not known",
			       (unsigned)USER_OUR_MARK);
	if (!get_active(access2, &u.active, "a record of ACCESS2.GLB", e))
		return false;
	bool ok = get_name(access2, USER_OUR_NAME, NAME_FIELD, u.mailbox, "a log-on name", e) &&
		  get_id(access2, USER_OUR_MAILBAG, u.mailbag, "the mailbag of a user", e);
	if (ok && is_marked(access.p + ENVIRONMENT_OUR_MARK))
		ok = get_name(access, ENVIRONMENT_OUR_FRIENDLY, FRIENDLY_FIELD, u.friendly, "a friendly name", e);
	u.index = le32(access2.p + USER_OUR_INDEX);
	u.tid = le32(access2.p + USER_OUR_TID);
	if (!ok && u.active)
		return false;
	*u_r = u;
	return true;
}

/* --- NETPO.GLB --- */
bool mm_netpo_check(struct view file, struct err *e)
{
	if (file.n < MM_NETPO_HEAD || (file.n - MM_NETPO_HEAD) % MM_NETPO_SIZE != 0)
		return err_set(e, ERR_PERM, ERR_OF_LINK, "NETPO.GLB has %zu octets, want 4 and a multiple of %d", file.n, MM_NETPO_SIZE);
	const size_t n = (file.n - MM_NETPO_HEAD) / MM_NETPO_SIZE;
	size_t at = le32(file.p), steps = 0;
	while (at != 0) {
		if (at < MM_NETPO_HEAD || (at - MM_NETPO_HEAD) % MM_NETPO_SIZE != 0 || (at - MM_NETPO_HEAD) / MM_NETPO_SIZE >= n)
			return err_set(e, ERR_PERM, ERR_OF_LINK, "the chain of deleted records in NETPO.GLB leads to 0x%zX, want the beginning of one of %zu records",
				       at, n);
		if (++steps > n)
			return err_set(e, ERR_PERM, ERR_OF_LINK, "the chain of deleted records in NETPO.GLB comes back to itself: more than %zu steps for %zu records", n, n);
		at = le32(file.p + at);
	}
	return true;
}
