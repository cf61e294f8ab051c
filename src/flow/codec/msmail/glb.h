/* glb.h - the global files of a postoffice (facts A2, A3, A4): sizes, and the fields whose places are known. One table says for each file
 * its directory, its size rule and what a fresh postoffice has in it. Records: what is not understood is kept as it was. */
#pragma once
#include "flow/codec/msmail/mailbag.h"

/* A place marked "ours" below is not public: it is read only in a record that bears the mark which we write with it, so that a file of
 * another program is never misread; there such a field is empty. docs/postoffice-format.md has the places. */
enum { MM_NETWORK_SIZE = 122, MM_XTN_SIZE = 698, MM_MASTER_SIZE = 176, MM_CONTROL_SIZE = 8, MM_ACCESS_SIZE = 586, MM_ACCESS2_SIZE = 69, MM_ACCESS3_SIZE = 512,
       MM_ALIAS_SIZE = 45, MM_MEMBER_SIZE = 4, MM_CHAIN_SIZE = 8, MM_NETPO_HEAD = 4, MM_NETPO_SIZE = 43, MM_USERS_MAX = 500, MM_HOPS_DEFAULT = 10 };
enum { MM_NETWORK_POSTOFFICES = 0x01, MM_NETWORK_MSMAIL = 0x10, MM_NETWORK_FFAPI = 0x64 }; /* record types; others [?]; ours: a network of PC postoffices */

struct mm_file_rule {
	const char *dir, *name;      /* "GLB", "NETWORK.GLB"; name NULL: every file of the directory with `suffix` */
	const char *suffix;
	uint32_t head, unit, max;    /* size = head + n * unit, n <= max (0: no bound) */
	uint32_t fresh;              /* octets in a fresh postoffice (A2); UINT32_MAX: not there */
};
extern const struct mm_file_rule mm_file_rules[];
extern const size_t mm_file_rules_n;
extern const char *const mm_directories[51]; /* "ATT", "ATT/AT0" ... as the integrity checker counts them; each parent before its children */

/* The rule for a file by directory and name, without case: its own row, else that of its suffix. NULL: none is known. */
const struct mm_file_rule *mm_file_rule_of(const char *dir, const char *name);
bool mm_file_size_fits(const struct mm_file_rule *rule, uint64_t size);

struct mm_control { uint32_t nmailbag, nletter; };
struct mm_master {
	struct mm_name own;          /* mailbox ""; ours: network "" where the file bears no mark of ours */
	char serial[9];              /* "nn-nnnnn"; ours: "" where the file bears no mark */
	uint16_t hops;               /* ours: MM_HOPS_DEFAULT where the file bears no mark */
	bool enhanced_security;
	uint8_t components;          /* 0x93 */
	uint8_t raw[MM_MASTER_SIZE]; /* as read */
};
struct mm_network { bool active; uint8_t type; char name[MM_NAME_MAX + 1]; char xtn[9], mailbag[9]; uint8_t raw[MM_NETWORK_SIZE]; };
struct mm_xtn {
	bool active;
	char name[MM_NAME_MAX + 1];  /* of the postoffice */
	char mailbag[9];             /* its outbound queue here; "": reached indirectly */
	uint16_t indirect;           /* stored count: never trusted (Q86625) */
	char via_network[MM_NAME_MAX + 1], via_postoffice[MM_NAME_MAX + 1]; /* ours: the next hop; "": direct, or no mark */
	uint16_t retries;            /* ours */
	bool marked;                 /* bears our mark: via and retries mean something */
	uint8_t raw[MM_XTN_SIZE];
};
struct mm_user {                  /* record i of ACCESS, ACCESS2, ACCESS3: that ACCESS2 has log-on name and mailbag is fact, their places are ours */
	bool active;
	char mailbox[MM_NAME_MAX + 1];
	char friendly[MM_FRIENDLY_MAX + 1];
	char mailbag[9];
	uint32_t tid;
	uint32_t index;              /* i, as ACCESS2 says it; the place of the record counts */
};
/* A record of an address list (.NME). The order alias, TID, type, pointer and the types group and external are facts; widths are inferred
 * from the sum, the type of a local user and the form of the pointer are ours. */
enum mm_alias_type { MM_ALIAS_LOCAL = 1, MM_ALIAS_EXTERNAL = 2, MM_ALIAS_GROUP = 4 };
struct mm_alias {
	char alias[MM_FRIENDLY_MAX + 1]; /* the name that users see; of a group: its name; "": a free record */
	uint32_t tid;
	uint8_t type;                /* enum mm_alias_type */
	char file[9];                /* local user: his mailbag; group: its GRP and MEM files; else "" */
	uint8_t raw[MM_ALIAS_SIZE];
};
/* parse: tolerant of a deleted record. Fails (ERR_PERM, link) for a size or an octet that no such record has: offset, found, wanted.
 * print: over x->raw where it has one: a field that says the same keeps all its octets, also those behind its end. */
#define GLB_CODEC(name, type, size)                                                                       \
	void mm_##name##_print(const struct type *x, uint8_t record_r[size]); /* over x->raw where it has one */ \
	MUST_CHECK bool mm_##name##_parse(struct view record, struct type *x_r, struct err *e)
GLB_CODEC(control, mm_control, MM_CONTROL_SIZE);
GLB_CODEC(master, mm_master, MM_MASTER_SIZE);
GLB_CODEC(network, mm_network, MM_NETWORK_SIZE);
GLB_CODEC(xtn, mm_xtn, MM_XTN_SIZE);
GLB_CODEC(alias, mm_alias, MM_ALIAS_SIZE);
/* Over the three records as they are (zeroes: a new one). */
void mm_user_print(const struct mm_user *u, uint8_t access[MM_ACCESS_SIZE], uint8_t access2[MM_ACCESS2_SIZE], uint8_t access3[MM_ACCESS3_SIZE]);
MUST_CHECK bool mm_user_parse(struct view access, struct view access2, struct view access3, struct mm_user *u_r, struct err *e);

/* "nn-nnnnn". */
bool mm_serial_is(struct view text);

/* NETPO.GLB (4 + n * 43): what is wrong with the size, or with the chain of deleted records, walked in n steps at most (Q110100, Q110223). The
 * head is the file offset of the first deleted record, 0: none (fact); the next one's offset in a record's first four octets is ours.
 * Fails ERR_PERM, link. */
MUST_CHECK bool mm_netpo_check(struct view file, struct err *e);

/* Network names that no network of PC postoffices may have (Q175978); a gateway of that kind may. */
bool mm_network_reserved(const char *network);
