/* glb.h - the global files of a postoffice (facts A2, A3, A4): sizes, and the fields whose places are known. One table says for each file
 * its directory, its size rule and what a fresh postoffice has in it. Records: what is not understood is kept as it was. */
#pragma once
#include "flow/codec/msmail/mailbag.h"

enum { MM_NETWORK_SIZE = 122, MM_XTN_SIZE = 698, MM_MASTER_SIZE = 176, MM_CONTROL_SIZE = 8, MM_ACCESS_SIZE = 586, MM_ACCESS2_SIZE = 69, MM_ACCESS3_SIZE = 512,
       MM_USERS_MAX = 500, MM_HOPS_DEFAULT = 10 };
enum { MM_NETWORK_MSMAIL = 0x10, MM_NETWORK_FFAPI = 0x64 }; /* record types; others [?]: ours for a network of PC postoffices is 0x01 */

struct mm_file_rule {
	const char *dir, *name;      /* "GLB", "NETWORK.GLB"; name NULL: every file of the directory with `suffix` */
	const char *suffix;
	uint32_t head, unit, max;    /* size = head + n * unit, n <= max (0: no bound) */
	uint32_t fresh;              /* octets in a fresh postoffice (A2); UINT32_MAX: not there */
};
extern const struct mm_file_rule mm_file_rules[];
extern const size_t mm_file_rules_n;
extern const char *const mm_directories[51]; /* "ATT", "ATT/AT0" ... as the integrity checker counts them */

struct mm_control { uint32_t nmailbag, nletter; };
struct mm_master {
	struct mm_name own;          /* mailbox "" */
	char serial[9];              /* "nn-nnnnn" */
	uint16_t hops;
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
	char via_network[MM_NAME_MAX + 1], via_postoffice[MM_NAME_MAX + 1]; /* our choice of place: the next hop; "": direct */
	uint16_t retries;            /* our choice of place */
	uint8_t raw[MM_XTN_SIZE];
};
struct mm_user {                  /* record i of ACCESS, ACCESS2, ACCESS3: only ACCESS2's log-on name and mailbag are facts, their places our choice */
	bool active;
	char mailbox[MM_NAME_MAX + 1];
	char friendly[MM_FRIENDLY_MAX + 1];
	char mailbag[9];
	uint32_t tid;
};
#define GLB_CODEC(name, type, size)                                                                       \
	void mm_##name##_print(const struct type *x, uint8_t record_r[size]); /* over x->raw where it has one */ \
	MUST_CHECK bool mm_##name##_parse(struct view record, struct type *x_r, struct err *e)
GLB_CODEC(control, mm_control, MM_CONTROL_SIZE);
GLB_CODEC(master, mm_master, MM_MASTER_SIZE);
GLB_CODEC(network, mm_network, MM_NETWORK_SIZE);
GLB_CODEC(xtn, mm_xtn, MM_XTN_SIZE);
void mm_user_print(const struct mm_user *u, uint8_t access[MM_ACCESS_SIZE], uint8_t access2[MM_ACCESS2_SIZE], uint8_t access3[MM_ACCESS3_SIZE]);
MUST_CHECK bool mm_user_parse(struct view access, struct view access2, struct view access3, struct mm_user *u_r, struct err *e);
