/* glb_rules.c - the directories and files of a postoffice, with their sizes (facts A1, A2: Q77926, Q132744, Q135868). */
#include "flow/codec/msmail/glb.h"

#define SIXTEEN(p) p "0", p "1", p "2", p "3", p "4", p "5", p "6", p "7", p "8", p "9", p "A", p "B", p "C", p "D", p "E", p "F"

const char *const mm_directories[51] = {
	"ATT", "CAL", "FOLDERS", "GLB", "GRP", "HLP", "INF", "INI", "KEY", "LOG", "MAI", "MBG", "MEM", "MMF", "NME", "P1", "TPL", "USR", "XTN",
	SIXTEEN("ATT/AT"), SIXTEEN("MAI/MA"),
};

enum { ABSENT = UINT32_MAX };
/* Rows by name come before the row of their suffix. The ones of fixed size that A2 lists for any postoffice are in a fresh one. */
#define FIXED(dir, name, size) { dir, name, NULL, size, 0, 0, size }
#define EMPTY(dir, name) { dir, name, NULL, 0, 1, 0, 0 }
#define KEPT(dir, name) { dir, name, NULL, MM_KEY_SIZE, 0, 0, MM_KEY_SIZE }
#define BAG(dir, name) { dir, name, NULL, 0, MM_RECORD_SIZE, MM_BAG_RECORDS, 0 }

const struct mm_file_rule mm_file_rules[] = {
	{ "GLB", "ACCESS.GLB", NULL, 0, MM_ACCESS_SIZE, MM_USERS_MAX, MM_ACCESS_SIZE },
	{ "GLB", "ACCESS2.GLB", NULL, 0, MM_ACCESS2_SIZE, MM_USERS_MAX, MM_ACCESS2_SIZE },
	{ "GLB", "ACCESS3.GLB", NULL, 0, MM_ACCESS3_SIZE, MM_USERS_MAX, MM_ACCESS3_SIZE },
	FIXED("GLB", "CONTROL.GLB", MM_CONTROL_SIZE),
	FIXED("GLB", "FLAG.GLB", 2),
	FIXED("GLB", "GLOBAL.GLB", 512),
	{ "GLB", "GROUP.GLB", NULL, 4, 51, 0, 4 },
	{ "GLB", "GRPMEM.GLB", NULL, 4, 128, 0, 4 },
	EMPTY("GLB", "GWTRANS.GLB"),
	FIXED("GLB", "MASTER.GLB", MM_MASTER_SIZE),
	FIXED("GLB", "MODEM.GLB", 64),
	{ "GLB", "NETPO.GLB", NULL, MM_NETPO_HEAD, MM_NETPO_SIZE, 0, MM_NETPO_HEAD },
	{ "GLB", "NETWORK.GLB", NULL, 0, MM_NETWORK_SIZE, 0, MM_NETWORK_SIZE },
	EMPTY("GLB", "NMETRANS.GLB"),
	{ "GLB", "PROCESS.GLB", NULL, 512, 197, 0, 512 },
	FIXED("GLB", "REQCONF.GLB", 512),
	EMPTY("GLB", "REQTRANS.GLB"),
	{ "GLB", "RNETSEM.GLB", NULL, 4, 0, 0, ABSENT },
	{ "GLB", "SERVER.GLB", NULL, 0, 181, 0, ABSENT },
	{ "GLB", "SRVCONF.GLB", NULL, 1024, 1024, 0, ABSENT },
	EMPTY("GLB", "SRVTRANS.GLB"),
	{ "GLB", "SVRCONF.GLB", NULL, 1024, 1024, 0, ABSENT },
	FIXED("GLB", "TID.GLB", 4),
	EMPTY("GLB", "USRTRANS.GLB"),
	KEPT("KEY", "00000000.KEY"), KEPT("KEY", "INQUEUE.KEY"), KEPT("KEY", "INQUEUE3.KEY"), KEPT("KEY", "SYSTEM.KEY"),
	BAG("MBG", "00000000.MBG"), BAG("MBG", "INQUEUE.MBG"), BAG("MBG", "INQUEUE3.MBG"), BAG("MBG", "SYSTEM.MBG"),
	{ "NME", "ADMIN.NME", NULL, 0, MM_ALIAS_SIZE, 0, MM_ALIAS_SIZE },
	{ "NME", "ADMINSHD.NME", NULL, 0, MM_ALIAS_SIZE, 0, MM_ALIAS_SIZE },
	{ "NME", "00000000.NME", NULL, 0, MM_ALIAS_SIZE, 0, 0 },
	{ "NME", "VIEW.NME", NULL, 0, MM_ALIAS_SIZE, 0, 0 },
	{ "GRP", "ADMIN.GRP", NULL, 0, MM_CHAIN_SIZE, 0, MM_CHAIN_SIZE },
	{ "GRP", "ADMINSHD.GRP", NULL, 0, MM_CHAIN_SIZE, 0, MM_CHAIN_SIZE },
	{ "GRP", "00000000.GRP", NULL, 0, MM_CHAIN_SIZE, 0, MM_CHAIN_SIZE },
	{ "XTN", "00000001.XTN", NULL, 0, MM_XTN_SIZE, 0, 0 },
	FIXED("FOLDERS", "SERIALNO.IDX", 4),
	{ "FOLDERS/LOC/00000000", "00000000.IDX", NULL, 100, 158, 0, 100 },
	{ "FOLDERS/PUB", "FOLDROOT.IDX", NULL, 100, 158, 0, 100 },
	{ "KEY", NULL, ".KEY", MM_KEY_SIZE, 0, 0, ABSENT },
	{ "MBG", NULL, ".MBG", 0, MM_RECORD_SIZE, MM_BAG_RECORDS, ABSENT },
	{ "GRP", NULL, ".GRP", 0, MM_CHAIN_SIZE, 0, ABSENT },
	{ "MEM", NULL, ".MEM", 0, MM_MEMBER_SIZE, 2000 / MM_MEMBER_SIZE, ABSENT },
	{ "NME", NULL, ".NME", 0, MM_ALIAS_SIZE, 0, ABSENT },
	{ "USR", NULL, ".USR", 0, 53, MM_USERS_MAX, ABSENT },
	{ "XTN", NULL, ".XTN", 0, MM_XTN_SIZE, 0, ABSENT },
};
const size_t mm_file_rules_n = ARRAY_LEN(mm_file_rules);

static bool ends_with(const char *name, const char *suffix)
{
	const size_t n = strlen(name), s = strlen(suffix);
	return n > s && view_eq_nocase(view_str(name + n - s), view_str(suffix));
}

const struct mm_file_rule *mm_file_rule_of(const char *dir, const char *name)
{
	for (size_t i = 0; i < mm_file_rules_n; i++) {
		const struct mm_file_rule *r = &mm_file_rules[i];
		if (!view_eq_nocase(view_str(dir), view_str(r->dir)))
			continue;
		if (r->name != NULL ? view_eq_nocase(view_str(name), view_str(r->name)) : ends_with(name, r->suffix))
			return r;
	}
	return NULL;
}

bool mm_file_size_fits(const struct mm_file_rule *rule, uint64_t size)
{
	if (size < rule->head)
		return false;
	const uint64_t rest = size - rule->head;
	if (rule->unit == 0)
		return rest == 0;
	return rest % rule->unit == 0 && (rule->max == 0 || rest / rule->unit <= rule->max);
}

bool mm_network_reserved(const char *network)
{
	static const char *const names[] = { "ATTMAIL", "COMPUSERVE", "DISOSS", "EASYLINK", "ENVOY", "FAX", "GTE", "MCI", "MHS", "MSMAIL", "OV",
					     "PROFS", "SMTP", "SNADS", "SOURCE", "VMGATE", "X400", "*EMS" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (view_eq_nocase(view_str(network), view_str(names[i])))
			return true;
	return false;
}
