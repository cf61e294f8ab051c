/* glb_fuzz.c - any octets as each of the records: what parses prints as it was, and parses again to the same. */
#include "flow/codec/msmail/glb.h"

#define SAME(name, type, size)                                                                        \
	static void name##_again(struct view v)                                                       \
	{                                                                                             \
		struct type x, y;                                                                     \
		uint8_t r[size], again[size];                                                         \
		struct err e;                                                                         \
		if (!mm_##name##_parse(view_first(v, size), &x, &e))                                  \
			return;                                                                       \
		mm_##name##_print(&x, r);                                                             \
		assert(mm_##name##_parse(view_of(r, size), &y, &e));                                  \
		mm_##name##_print(&y, again);                                                         \
		assert(memcmp(r, again, size) == 0);                                                  \
	}
SAME(control, mm_control, MM_CONTROL_SIZE)
SAME(master, mm_master, MM_MASTER_SIZE)
SAME(network, mm_network, MM_NETWORK_SIZE)
SAME(xtn, mm_xtn, MM_XTN_SIZE)
SAME(alias, mm_alias, MM_ALIAS_SIZE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct view v = view_of(data, n);
	struct mm_user u;
	struct err e;
	control_again(v);
	master_again(v);
	network_again(v);
	xtn_again(v);
	alias_again(v);
	if (!mm_netpo_check(v, &e))
		assert(e.text[0] != 0);
	const struct view access = view_first(v, MM_ACCESS_SIZE), access2 = view_first(view_from(v, MM_ACCESS_SIZE), MM_ACCESS2_SIZE);
	if (mm_user_parse(access, access2, view_first(view_from(v, MM_ACCESS_SIZE + MM_ACCESS2_SIZE), MM_ACCESS3_SIZE), &u, &e) && u.active)
		assert(strlen(u.mailbox) <= MM_NAME_MAX && strlen(u.friendly) <= MM_FRIENDLY_MAX);
	return 0;
}
