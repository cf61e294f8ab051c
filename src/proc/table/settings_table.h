/* settings_table.h - the one table of settings: struct and row side by side; parser, default, canonical print and
 * manual come from it. Names follow the X.400 Connector's property pages. */
#pragma once
#include "sys/env.h"
#include "sys/event.h"
#include "sys/settings.h"

struct set_mta {
	const char *name;          /* MTA name in binds and internal trace */
	const char *domain;        /* global domain identifier as "C=GB; A=POSTHORN; P=LONDON" */
	const char *user;
	const char *alternate;     /* O/R address for recipients in a local domain that are not known; empty: none */
	struct setting_place domain_at, alternate_at; /* in the file */
};

struct set_store {
	const char *directory;
	uint64_t inline_max, cache;
	uint64_t min_free;         /* octets of disk: under it nothing is taken in */
	uint64_t keep_tracking_ms;
	uint64_t tracking_size;    /* octets, about, that steps may take; the oldest go first; 0: by time only */
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
	uint64_t per_address;      /* inbound, not yet bound, per peer address and link process */
	uint64_t trace;            /* elements; from then on it is a loop */
	uint64_t reroutes;         /* of one message */
	uint64_t list_depth, list_members;
	uint64_t depth, elements;  /* BER */
	uint64_t connect_timeout_ms, response_timeout_ms, receive_timeout_ms, abort_timeout_ms;
};

/* TLS of the MTA itself; a link may have its own certificate. Files in PEM. */
struct set_tls {
	const char *certificate, *key, *authorities, *revoked;
};

enum link_kind { LINK_X400, LINK_CONNECTOR, LINK_MSMAIL };
enum link_schedule { SCHEDULE_ALWAYS, SCHEDULE_NEVER, SCHEDULE_SELECTED, SCHEDULE_REMOTE };
enum link_conformance { CONFORMANCE_1988, CONFORMANCE_X410, CONFORMANCE_1984 }; /* as enum x400_mode */
enum link_tls { LINK_TLS_NEVER, LINK_TLS_REQUIRED };
enum link_down { DOWN_NEVER, DOWN_TO_1984 };
enum link_up { UP_NEVER, UP_TO_1988 };
enum link_text { TEXT_AS_IS, TEXT_IA5, TEXT_TELETEX, TEXT_GENERAL };
enum list_reports { LIST_REPORTS_ORIGINATOR, LIST_REPORTS_OWNER, LIST_REPORTS_BOTH };

/* A link of kind msmail: the interchange with one postoffice, or with the directories of an FFAPI gateway. */
enum ffapi_lines { LINES_CR, LINES_LF, LINES_CRLF }; /* as enum ffapi_line_end */
struct set_msmail {
	const char *postoffice;    /* directory; or these two: */
	const char *ffapi_import, *ffapi_export; /* whence we take, whither we write */
	unsigned lines;            /* enum ffapi_lines */
	const char *network, *name;/* NETWORK and POSTOFFICE that we are; empty: as MASTER.GLB says; ffapi: needed */
	struct setting_list addresses; /* const char *: lines of the address map (codec/msmail/address.h) */
	const char *administrator; /* mailbox at this postoffice, or O/R address: gets what concerns nobody else; empty: nobody */
	uint64_t poll_ms;
	bool notify;               /* file notification beside polling */
	uint64_t quota;            /* headers in one round */
	uint64_t header_limit;     /* octets of To and Cc towards MS Mail */
	uint64_t code_page;
	const char *scramble;      /* mm_scramble_by_name */
	const char *zone;          /* of the postoffice's clocks, "+01:00": settings_zone_minutes */
	bool transit;              /* mail from one postoffice to another goes on here, too */
	uint64_t lock_patience_ms; /* a lock that somebody holds longer is an error that the operator hears of */
	bool read_only;            /* nothing is ever written: taken is remembered in our own store */
};

/* The mail of one postoffice between it and its peers: one process for its mailer, one for each peer. */
struct set_mover {
	const char *name;
	const char *postoffice;    /* directory */
	struct setting_list peers; /* const char *: directories of postoffices that its mail can be put into directly */
	bool mailer, dispatch;
	uint64_t interval_ms, quota;
	bool notify;
	uint64_t retries;          /* attempts that really failed, for each header */
	uint64_t give_up_ms;       /* and time since the first failure: both have to be over */
	uint64_t hops;             /* 0: as MASTER.GLB says */
	uint64_t size_limit;       /* octets of a message with its attachments; 0: none; not for $SYSTEM */
	uint64_t min_free;         /* octets of disk at a peer: under it nothing is put in */
	bool log_sent, log_received, four_digit_year;
	const char *scramble;
	const char *zone;
	uint64_t lock_patience_ms;
};

/* Test messages (probes, X.411 8.2.1.1.2) of the link monitor. */
struct set_monitor {
	const char *to;            /* O/R address beyond the link, that need not exist; empty: not monitored */
	uint64_t interval_ms, critical_interval_ms; /* critical: while the last one is not answered */
	uint64_t warning_ms, alert_ms; /* since the oldest probe without an answer */
};

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
	unsigned conformance;      /* enum link_conformance: what we call with; a caller's is recognised */
	bool only_conformance;     /* a caller has to use that too */
	struct setting_list more_addresses; /* const char * */
	struct setting_list peer_hosts;     /* const char *: whence it may call; none: anywhere */
	unsigned schedule;         /* enum link_schedule */
	struct setting_list times; /* const char *: "Mon-Fri 08:00-18:00", UTC */
	bool urgent_any_time, permanent;
	uint64_t recovery_timeout_ms, keepalive_ms;
	const char *remote_password_next;   /* as good as remote_password: for the change from one to the other */
	const char *remote_password_answer; /* in its answer to our bind; empty: remote_password */
	const char *local_password_answer;  /* in our answer to its bind; empty: local_password */
	struct setting_list accept_from, reject_from; /* const char *: O/R address patterns of originators */
	bool strip_bilateral, strip_internal_trace, keep_internal_trace_84, ask_content_return;
	unsigned down;             /* enum link_down: of contents */
	unsigned up;               /* enum link_up */
	bool free_form_names;
	bool body_part_15;
	unsigned text;             /* enum link_text */
	unsigned tls;              /* enum link_tls */
	const char *tls_name;      /* in the peer's certificate; empty: host of `address` */
	struct set_tls tls_own;    /* what is empty is taken from the MTA's */
	struct set_msmail msmail;  /* kind msmail */
	struct set_monitor monitor;
};

struct set_route {
	const char *match;
	const char *to;            /* link name, "local", "reject" */
	uint64_t cost;
};

struct set_mailbox {
	const char *name;
	struct setting_list addresses;
	const char *redirect;      /* recipient-assigned alternate recipient; empty: none */
};

/* A distribution list (X.411 14.3.4.6 and 8.2.1.1.1 dl-...). */
struct set_list {
	const char *name;
	struct setting_list addresses;  /* const char * */
	struct setting_list members;    /* const char *: O/R addresses, of lists too */
	struct setting_list submitters; /* const char *: O/R address patterns; none: anybody */
	const char *owner;              /* O/R address, or empty */
	unsigned reports;               /* enum list_reports */
};

struct set_routing {
	bool lowest_cost_first;
};

struct set_expiry {
	uint64_t urgent_ms, normal_ms, non_urgent_ms;
};


/* Which events there are, and where they go beside standard error. */
struct set_event_log {
	unsigned level;            /* enum event_level: of categories that `levels` does not name */
	struct setting_list levels;/* const char *: "CATEGORY LEVEL" */
	bool standard_error;
	const char *file;          /* empty: none */
	unsigned file_form;        /* 0 text, 1 JSON */
	uint64_t file_size, file_keep; /* octets before it is rotated; files kept */
	bool journal;              /* of systemd */
	uint64_t memory;           /* events kept for who follows later */
};

enum console_role { CONSOLE_VIEWER, CONSOLE_OPERATOR };
struct set_console_user {
	const char *name;
	unsigned role;             /* enum console_role */
	const char *password;      /* as `posthorn console-password` prints it */
};
struct set_console {
	struct setting_list listen;/* const char *: none: no console */
	struct setting_list users; /* struct set_console_user */
	uint64_t session_ms;       /* without a request; then it is over */
	bool metrics;              /* /metrics is given without login */
	const char *metrics_token; /* or to who says "Authorization: Bearer TOKEN"; empty: not asked for */
	const char *origin;        /* by which the browser reaches it, when that is not the address listened on: "https://mta.example" */
	uint64_t viewers;          /* at once, with live updates */
	struct setting_list trusted_proxies; /* const char *: addresses without port, whose X-Forwarded-For is believed */
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
	struct setting_list lists;   /* struct set_list */
	struct setting_list movers;  /* struct set_mover */
	struct set_routing routing;
	struct setting_list listen_tls; /* const char * */
	struct set_tls tls;
	struct set_event_log event_log;
	struct set_console console;
};

extern const struct settings_section settings_root, settings_mover; /* of struct settings, of struct set_mover */

/* How many processes the movers have, and whose the instance-th (from 0) is: *peer_r NULL: the mailer of the mover's postoffice; else the
 * dispatch from it to that peer. False: there is no such. */
size_t settings_movers_n(const struct settings *s);
MUST_CHECK bool settings_mover_at(const struct settings *s, uint32_t instance, const struct set_mover **mover_r, const char **peer_r);

/* "+01:00" -> 60. False: it is no such text. */
MUST_CHECK bool settings_zone_minutes(const char *zone, int *minutes_r);

/* Reads and checks what no single row can: names unique, routes to known links, addresses that parse. */
MUST_CHECK bool settings_load(struct view yaml, const char *name, struct settings *s_r, struct arena *a, struct err *e);
/* Again, of what it has taken, when the directories are whole ones: two that are written differently may be one. */
MUST_CHECK bool settings_check_directories(const struct settings *s, const char *name, struct arena *a, struct err *e);
