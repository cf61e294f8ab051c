/* create.c - a fresh postoffice: the directories and files of facts A1 and A2, no more. CONTROL.GLB comes last: without it nobody attaches. */
#include "flow/wire/postoffice/po_make.h"

#include "base/fault.h"
#include "base/text.h"
#include "sys/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXCHANGE_SERIAL "22-28798" /* of every postoffice that the Exchange connector made (Q151228) */

enum { FRESH_MAX = MM_ACCESS_SIZE, ADMIN_TID = 1, FIRST_TID = 2, FIRST_BAG = 2 /* 0: Admin, 1: the own network's XTN file */, FIRST_LETTER = 1 };

static const struct mm_user admin = { .active = true, .mailbox = "Admin", .friendly = "Administrator", .mailbag = "00000000", .tid = ADMIN_TID };

struct fresh {
	struct postoffice *po;
	struct mm_master master;
};

/* Octets that are not zero. Places: codec/msmail/glb.h. */
static void fill(const struct fresh *f, const char *name, uint8_t octets[FRESH_MAX])
{
	uint8_t access[MM_ACCESS_SIZE] = { 0 }, access2[MM_ACCESS2_SIZE] = { 0 }, access3[MM_ACCESS3_SIZE] = { 0 };
	struct mm_network own = { .active = true, .type = MM_NETWORK_POSTOFFICES, .xtn = "00000001" };
	struct mm_alias alias = { .tid = ADMIN_TID, .type = MM_ALIAS_LOCAL };
	mm_user_print(&admin, access, access2, access3);
	if (strcmp(name, "ACCESS.GLB") == 0)
		memcpy(octets, access, sizeof access);
	else if (strcmp(name, "ACCESS2.GLB") == 0)
		memcpy(octets, access2, sizeof access2);
	else if (strcmp(name, "ACCESS3.GLB") == 0)
		memcpy(octets, access3, sizeof access3);
	else if (strcmp(name, "MASTER.GLB") == 0)
		mm_master_print(&f->master, octets);
	else if (strcmp(name, "CONTROL.GLB") == 0)
		mm_control_print(&(struct mm_control){ .nmailbag = FIRST_BAG, .nletter = FIRST_LETTER }, octets);
	else if (strcmp(name, "TID.GLB") == 0)
		octets[0] = FIRST_TID;
	else if (strcmp(name, "NETWORK.GLB") == 0) {
		memcpy(own.name, f->master.own.network, sizeof own.name);
		mm_network_print(&own, octets);
	} else if (strcmp(name, "ADMIN.NME") == 0 || strcmp(name, "ADMINSHD.NME") == 0) {
		memcpy(alias.alias, admin.friendly, sizeof alias.alias);
		memcpy(alias.file, admin.mailbag, sizeof alias.file);
		mm_alias_print(&alias, octets);
	}
}

/* Not synced one by one: syncfs at the end, before CONTROL.GLB. */
static bool write_one(struct postoffice *po, const char *dir, const char *name, struct view octets, struct err *e)
{
	const struct po_rel rel = po_rel_of(dir, name, "");
	int fd;
	if (!po_open(po, rel.s, O_RDWR | O_CREAT | O_EXCL, &fd, e))
		return false;
	if (fd < 0)
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "postoffice: %s is there already, want an empty directory", rel.s);
	const bool ok = po_write_at(po, fd, rel.s, octets.p, octets.n, 0, e);
	po_close(po, &fd);
	return ok;
}

static bool write_rule(struct fresh *f, const struct mm_file_rule *r, struct err *e)
{
	uint8_t octets[FRESH_MAX] = { 0 };
	assert(r->fresh <= sizeof octets);
	fill(f, r->name, octets);
	return write_one(f->po, r->dir, r->name, view_of(octets, r->fresh), e);
}

bool po_make_populated(struct postoffice *po, const char *dir, struct err *e)
{
	static const uint8_t one[1] = { 0 };
	return po_make_dir(po, dir, e) && write_one(po, dir, "POPULATE.MSM", view_of(one, 1), e);
}

static const char *const more[] = { "FOLDERS/LOC", "FOLDERS/LOC/00000000", "FOLDERS/PUB" };

static bool write_all(struct fresh *f, struct err *e)
{
	const struct mm_file_rule *control = mm_file_rule_of("GLB", "CONTROL.GLB");
	bool ok = true;
	for (size_t i = 0; ok && i < ARRAY_LEN(mm_directories); i++)
		ok = po_make_populated(f->po, mm_directories[i], e);
	for (size_t i = 0; ok && i < ARRAY_LEN(more); i++)
		ok = po_make_dir(f->po, more[i], e);
	for (size_t i = 0; ok && i < mm_file_rules_n; i++)
		if (mm_file_rules[i].fresh != UINT32_MAX && &mm_file_rules[i] != control)
			ok = write_rule(f, &mm_file_rules[i], e);
	if (!ok)
		return false;
	if (FAULT(PO_SYNC) || syncfs(f->po->root) != 0)
		return po_error(f->po, e, "sync", "", errno);
	if (!write_rule(f, control, e))
		return false;
	return syncfs(f->po->root) == 0 || po_error(f->po, e, "sync", "GLB/CONTROL.GLB", errno);
}

/* All of it was made just now, in a folder that was empty: what is left of it would hinder another try. */
static void unmake(const struct postoffice *po)
{
	char path[PO_REL_MAX + 32];
	for (size_t i = 0; i < mm_file_rules_n; i++) {
		snprintf(path, sizeof path, "%s/%s", mm_file_rules[i].dir, mm_file_rules[i].name);
		unlinkat(po->root, path, 0);
	}
	for (size_t i = ARRAY_LEN(more); i > 0; i--)
		unlinkat(po->root, more[i - 1], AT_REMOVEDIR);
	for (size_t i = ARRAY_LEN(mm_directories); i > 0; i--) {
		snprintf(path, sizeof path, "%s/POPULATE.MSM", mm_directories[i - 1]);
		unlinkat(po->root, path, 0);
		unlinkat(po->root, mm_directories[i - 1], AT_REMOVEDIR);
	}
}

static void random_serial(const struct postoffice *po, char serial_r[9])
{
	do {
		const unsigned site = (unsigned)(po_random(po) % 100), number = (unsigned)(po_random(po) % 100000);
		snprintf(serial_r, 9, "%02u-%05u", site, number);
	} while (strcmp(serial_r, EXCHANGE_SERIAL) == 0);
}

bool po_name_may_be_made(const char *what, const char *name, struct err *e)
{
	char shown[128];
	const size_t n = strlen(name);
	for (size_t i = 0; i < n; i++)
		if (!((name[i] >= '0' && name[i] <= '9') || ((name[i] | 0x20) >= 'a' && (name[i] | 0x20) <= 'z')))
			return err_set(e, ERR_PERM, ERR_OF_LINK, "%s \"%s\" has 0x%02X at %zu, want letters and digits", what,
				       text_escaped(shown, sizeof shown, view_str(name)), (unsigned char)name[i], i);
	return (n >= 1 && n <= MM_NAME_MAX) ||
	       err_set(e, ERR_PERM, ERR_OF_LINK, "%s \"%s\" has %zu characters, want 1 to %d", what, text_escaped(shown, sizeof shown, view_str(name)), n,
		       MM_NAME_MAX);
}

static bool names_ok(const struct mm_name *own, const char *serial, struct err *e)
{
	char shown[64];
	if (!po_name_may_be_made("the network", own->network, e) || !po_name_may_be_made("the postoffice", own->postoffice, e))
		return false;
	if (mm_network_reserved(own->network))
		return err_set(e, ERR_PERM, ERR_OF_LINK, "the network \"%s\" is a gateway's name, want another", own->network);
	return serial == NULL || mm_serial_is(view_str(serial)) ||
	       err_set(e, ERR_PERM, ERR_OF_LINK, "the serial number is \"%s\", want nn-nnnnn", text_escaped(shown, sizeof shown, view_str(serial)));
}

bool postoffice_create(const char *path, const struct mm_name *own, const char *serial, const struct postoffice_host *host, struct err *e)
{
	struct fresh f = { .master = { .own = *own, .hops = MM_HOPS_DEFAULT } };
	f.master.own.mailbox[0] = 0;
	if (!names_ok(own, serial, e))
		return false;
	(void)mkdir(path, 0770); /* for those who may use what is in it; folder_make says what is wrong */
	if (!folder_make(path, e) || !po_attach(path, 0, &mm_scramble_none, host, &f.po, e))
		return false;
	if (serial == NULL)
		random_serial(f.po, f.master.serial);
	else
		memcpy(f.master.serial, serial, sizeof f.master.serial);
	const bool ok = write_all(&f, e);
	if (!ok)
		unmake(f.po);
	postoffice_close(&f.po);
	return ok;
}
