/* settings_table.h - the one table of settings: struct and row side by side; parser, default, canonical print and
 * manual come from it. Names follow the X.400 Connector's property pages. */
#pragma once
#include "sys/env.h"
#include "sys/settings.h"

struct set_mta {
	const char *name;          /* MTA name in binds and internal trace */
	const char *domain;        /* global domain identifier as "C=GB; A=POSTHORN; P=LONDON" */
	const char *user;
};

struct set_store {
	const char *directory;
	uint64_t inline_max, cache;
	uint64_t min_free;         /* octets of disk: under it nothing is taken in */
	uint64_t keep_tracking_ms;
};

struct set_processes {
	uint64_t links, contents;
	uint64_t content_ms, content_memory; /* for one message; octets of address space */
	uint64_t restart_min_ms, restart_max_ms, stop_ms, watchdog_ms;
};

struct set_limits {
	uint64_t envelope;         /* octets of an encoded envelope */
	uint64_t message;          /* octets of content */
	uint64_t associations;     /* inbound, per link process */
	uint64_t strikes;          /* then quarantine */
	uint64_t memory;           /* octets that one process may spend on what is under way */
	uint64_t depth, elements;  /* BER */
	uint64_t connect_timeout_ms, response_timeout_ms, receive_timeout_ms, abort_timeout_ms;
};

enum link_kind { LINK_X400, LINK_CONNECTOR };

struct set_link {
	const char *name;
	const char *address;       /* host and port; empty: remote initiated only */
	const char *bind_address;
	const char *remote_mta, *remote_password; /* what the peer must say */
	const char *local_mta, *local_password;   /* what we say; empty: mta.name, no password */
	unsigned password_form;
	bool allow_null_bind;
	struct view calling_tsel, called_tsel, calling_ssel, called_ssel, calling_psel, called_psel;
	uint64_t tpdu_size;
	bool session_v1;
	uint64_t checkpoint_k, window;
	bool two_way_alternate;
	uint64_t max_open_retries, max_transfer_retries, open_interval_ms, transfer_interval_ms;
	uint64_t lifetime_ms, disconnect_ms, threshold, max_associations;
	uint64_t timeout_urgent_s, timeout_normal_s, timeout_non_urgent_s; /* per K */
	uint64_t size_limit;
	uint64_t wrap;             /* columns of text parts; 0: never */
	unsigned kind;             /* enum link_kind */
	unsigned extension_form;   /* standard, explicit, none */
};

struct set_route {
	const char *match;
	const char *to;            /* link name, "local", "reject" */
	uint64_t cost;
};

struct set_mailbox {
	const char *name;
	struct setting_list addresses;
};

struct set_expiry {
	uint64_t urgent_ms, normal_ms, non_urgent_ms;
};

struct settings {
	struct set_mta mta;
	struct set_store store;
	struct setting_list listen;  /* const char *: addresses for X.400 associations */
	unsigned events;             /* 0 text, 1 JSON */
	struct set_processes processes;
	struct set_limits limits;
	struct set_expiry expiry;
	struct setting_list links;   /* struct set_link */
	struct setting_list routes;  /* struct set_route */
	struct setting_list mailboxes; /* struct set_mailbox */
};

extern const struct settings_section settings_root;

/* Reads and checks what no single row can: names unique, routes to known links, addresses that parse. */
MUST_CHECK bool settings_load(struct view yaml, const char *name, struct settings *s_r, struct arena *a, struct err *e);
