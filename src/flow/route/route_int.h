/* route_int.h - inside the routes: the table, and an address as it is looked up. */
#pragma once
#include "flow/route/route.h"

enum { TYPES = ORA_UNKNOWN_RAW + 1, NO_ENTRY = UINT32_MAX, SPECIFIC_PERSONAL = 16 /* bits below the personal attributes */ };

struct entry {
	struct oraddr pattern;
	enum route_target target;
	uint32_t link; /* index, NO_ENTRY without one */
	unsigned cost;
	int reason, diagnostic;
	uint64_t specific, mask, hash;
	uint32_t next;
};

struct mailbox {
	struct oraddr addr;
	const char *name;
	uint64_t hash;
	uint32_t next;
};

struct group {
	uint64_t mask, specific_max;
};

struct route_table {
	unsigned magic;
#define ROUTE_TABLE_MAGIC 0x40a77ab1u
	bool sealed;
	struct arena *memory;
	struct entry *entries;
	uint32_t n_entries, cap_entries;
	uint32_t *entry_buckets; /* sealed: heads of chains, entry_mask + 1 of them */
	uint32_t entry_mask;
	struct group *groups; /* sealed: most specific first */
	uint32_t n_groups;
	const char **links;
	bool *has_rival; /* sealed: of each link */
	uint32_t n_links, cap_links;
	struct mailbox *mailboxes;
	uint32_t n_mailboxes, cap_mailboxes;
	uint32_t *mailbox_buckets;
	uint32_t mailbox_mask;
};

/* The form of each attribute that comparison goes by (oraddr_eq), and its hash. */
struct probe {
	const struct oraddr *addr;
	const struct oraddr_attr *best[TYPES];
	uint64_t hash[TYPES];
	uint64_t present;
};

void route_probe_init(struct probe *p, const struct oraddr *addr);
uint64_t route_hash_of_mask(const struct probe *p, uint64_t mask);
uint64_t route_hash_of_all(const struct probe *p);
bool route_matches(const struct oraddr *pattern, const struct probe *p);
/* hash: route_hash_of_all; NULL: none of that address. */
const struct mailbox *route_mailbox(const struct route_table *t, const struct probe *p, uint64_t hash);
