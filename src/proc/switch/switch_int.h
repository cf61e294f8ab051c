/* switch_int.h - inside the switch. */
#pragma once
#include "base/fault.h"
#include "base/hash.h"
#include "base/map.h"
#include "flow/message/pack.h"
#include "flow/queue/queue.h"
#include "flow/queue/schedule.h"
#include "flow/report/report.h"
#include "flow/route/route.h"
#include "proc/switch/monitor.h"
#include "proc/switch/switch.h"
#include "proc/switch/tally.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"

enum {
	LOSSES_MAX = 3,                  /* associations lost in a row before a message lets others go first */
	WINDOW_MAX = 1000,               /* entries of one link and priority in memory, while all orders together cost little */
	WINDOW_LOW = 8,                  /* then: so that no link stands still */
	ORDER_OCTETS = 1024,             /* of limits.memory for each order (it costs less than half of that) */
	HANDOVERS = 2,                   /* transfers given to one association at once */
	ID_BLOCK = 4096,                 /* numbers reserved for MTS-identifiers at a time */
	RECIPIENTS_MAX = 32767,          /* X.411 ub-recipients */
	STEPS_KEYS_MAX = (2 + TRACK_CONTENT_MAX + RECIPIENTS_MAX) * 8, /* octets of a step's keys */
	WORK_ARENA = 192 * 1024 * 1024,  /* a quota: one message of that many recipients, and the report about them all */
	HOT_MAX = 16 * 1024 * 1024,      /* octets of recently stored messages kept to save reading them back, shared out to the links: */
	HOT_LEAST = 256 * 1024,          /* what one link has at least of it, so that no other one's backlog takes it away */
	HOT_ALL = 64 * 1024 * 1024,      /* with very many links */
	SWEEP_MS = 30 * 1000,            /* how often expiry and old tracking are looked at */
	LAZY_MS = 5,                     /* a group that nobody waits for is committed after so long */
	GATHER_MS = 10,                  /* longest wait for a group to grow */
	KEY_MAX = 128,                   /* of a suspect, with its end */
	EARLY_MAX = 1000,                /* of one link process */
	WORDS_MAX = 300,                 /* last words kept in memory; the store has more of them */
	SUSPECTS_MAX = 4096,             /* known at once; beyond it the oldest input is forgotten */
	ALONE_MAX = 1000,                /* suspect transfers in memory; the others stay in the store */
	ALONE_IN_A_ROW = 16,             /* suspects of one link on one association, one after the other */
	GUARD_MS = 3600 * 1000,          /* strikes of one link's inputs are counted over so long (SUSPECT with hash 0) */
	GUARD_LIMITS = 4,                /* times the limit of strikes, by different inputs: then all inputs of the link are suspect */
	TOMBSTONE_MS = 60 * 1000,        /* a death nobody told of in time: the word may still come */
	HAND_GRACE_MS = 60 * 1000,       /* beyond the timeout that the link itself enforces */
	EXAMINE_MS = 60 * 1000,          /* octets are decoded and offered in that, after the last of them were asked for */
	EXAMINE_AGAIN_MS = 10 * 1000,    /* after a temporary refusal */
	FAILURES_MAX = 1024,             /* times of failures to open, kept for each link */
	CONVERTS_MAX = 16,               /* orders of one link that wait for a content process */
};

/* Another process, or a command line: a pair of channels (the command line has only the first). */
struct proc {
	unsigned magic;
#define PROC_MAGIC 0x9140c001u
	struct sw *sw;
	enum process_kind kind;
	uint32_t instance;
	struct chan *control, *bulk;
	struct map offers;               /* offer id -> struct offer, streamed ones */
	struct map partials;             /* link: its id -> struct partial, those in its hands */
	struct map inbound;              /* link: id of an inbound association -> struct swassoc */
	uint64_t two_way;                /* link: the inbound association that comes up next can carry our mail too; 0: none */
	int64_t user;                    /* of a command line: uid, as the kernel says; -1: not known */
	bool dead;
	struct render *render;           /* content: the one under way */
	struct conversion *conversion;   /* content: the one under way; a process has one or the other */
	bool accused;                    /* it makes no progress, or speaks nonsense: its end is a fault */
	bool must_settle;                /* link: it was here before the settings changed */
	uint64_t settled;                /* link: hash of the settings that it uses; 0: it has not said yet */
	struct early *early;             /* link: associations of links that we do not know yet */
	unsigned n_assocs;               /* link: outbound associations given to it */
	struct swlink *serves;           /* connector, interchange; NULL: it is none */
	/* connector, interchange: */
	struct timer watch;
	int64_t heard_ms;                /* its last frame; or when there was nothing to wait for */
	int64_t asked_ms;                /* ALIVE is not answered yet; 0: it is */
	uint64_t alive;                  /* number of the last ALIVE */
	bool is_full;                    /* it does not read */
	int64_t full_ms;
	char words[WORDS_MAX];           /* accused: of what */
	struct proc *next;
};

/* A key of what may have killed a process: "message ID", "input LINK HASH" (of a submission: no link), "delivery ID". Also
 * "quarantine ID": its report is still to be made. */
struct key {
	char text[KEY_MAX];
};

/* Something that was in the hands of a process when that died by a fault. Durable in the store. */
struct suspect {
	struct key key;
	uint32_t strikes;
	wall_ms_t at;                    /* of the last one */
	uint64_t death;                  /* the last death counted: one death, one strike */
	struct swlink *link;             /* of an input; NULL: none of ours */
	uint64_t hash;                   /* of an input */
	char words[WORDS_MAX];
};

/* What an offer is, beside its message. */
struct arrival {
	uint64_t offer;
	bool octets;
	uint64_t hash, examined;
	struct err err;
	uint64_t track[TRACK_CONTENT_MAX]; /* keys of its content that came with it; 0: none */
};

/* A streamed offer on its way in. */
struct offer {
	uint64_t id;
	struct proc *proc;               /* it goes with its offers */
	char link[65], peer[108];
	struct out packed, small;        /* small: content until it is over the inline limit */
	struct store_content *file;
	uint64_t size;
	uint64_t reserved;               /* of sw.under_way */
	bool syncing, doomed;
	struct err why;                  /* doomed */
	struct arrival about;            /* what OFFER_BEGIN said; its views are not kept */
	unsigned n_hashed;               /* octets: of which the hash is */
};

/* An association that a link process has taken by settings that we have not yet. */
struct early {
	struct early *next;
	uint64_t id;
	bool can_send;
	char link[65];
};

enum assoc_state { ASSOC_OPENING, ASSOC_OPEN, ASSOC_CLOSING };

struct swassoc {
	uint64_t id;
	struct proc *proc;
	struct swlink *link;
	enum assoc_state state;
	bool alone;                      /* for one suspect, in the process for them: in no list of its link */
	bool recovered;                  /* it has taken the place of one that was lost */
	bool inbound;                    /* the peer's: in proc->inbound, not in sw.assocs */
	bool sends;                      /* inbound: two-way alternate, and in its link's list; else it is only counted */
	bool kept;                       /* for urgent mail only */
	bool permanent;
	bool used;                       /* something has got through on it */
	bool is_outdated;                /* its link has other settings now: it is to end, and its end means nothing */
	uint32_t which, n_tried;         /* the peer's address; how many of them this attempt has come to, this one too */
	int64_t since_ms;                /* opening, or closing with nothing in flight */
	unsigned in_flight;
	struct order *held[HANDOVERS];   /* in flight, the first one first */
	struct swassoc *next;
};

struct order;

/* Orders that wait somewhere else than in a window. */
struct order_list {
	struct order *first, **end;
	size_t n;
};

/* A transfer in memory. It is in one of: its link's window; a list (suspects of its link, condemned, waiting for conversion); a
 * ticket, until it is durable; in somebody's hands: in flight on an association (or chosen for one), in a conversion, in limbo. */
struct order {
	struct order *next;              /* in its list */
	struct order_list *list;         /* NULL: in none */
	bool in_hand;
	uint64_t transfer, message;
	struct swlink *link;
	enum priority priority;
	uint32_t attempts;
	unsigned losses;                 /* associations that ended with it in hand, while it was in memory */
	uint64_t sent_before;            /* transfers that its link had confirmed when the first of them ended */
	wall_ms_t arrived, expires;
	uint64_t size;                   /* content octets */
	uint64_t size_sent;              /* the same, unless it was converted */
	int64_t content_type;
	bool may_convert;                /* a message that its link wants converted, and nobody has sealed */
	bool conversion_prohibited;      /* says so itself ... */
	bool loss_prohibited;            /* ... or only with loss */
	bool is_converted;               /* or needs none */
	bool is_probe_of_monitor;
	uint64_t reserved;               /* converted: of sw.under_way, what is only here ... */
	struct order *next_converted, **at_converted; /* ... and then it is in sw.converted */
	bool damaged;                    /* its content could not be read */
	char *cause;                     /* condemned: why; else NULL */
	uint64_t handover;               /* in flight: number of this attempt */
	struct swassoc *assoc;           /* in flight on it; NULL: waiting */
	int64_t sent_at_ms;
	uint64_t pulled;                 /* content octets given on pull */
	struct view hot_packed;          /* packed message, kept from intake or from the first load; NULL: in the store only */
	struct view hot_content;         /* inline content */
	bool has_hot, is_plain;          /* is_plain: packed for a connector */
	enum message_kind kind;          /* with the id: for the journey */
	struct mts_id id;                /* for the journey; its octets are in id_octets */
	uint8_t *id_octets;
	bool place_again;                /* in hand: when it comes back undelivered its way is looked for anew */
	struct act *act;                 /* in hand: what an operator wants done when it comes back undelivered; NULL: nothing */
};

/* What waits for a link that fails goes another way, or is given up: reroute.c. */
struct reroute {
	wall_ms_t *failures;             /* to open it, in a row: a ring of the last ones, one more than there may be retries */
	uint32_t skipped;                /* failures since the last one in there */
	uint32_t n, cap, oldest, counted;
	bool is_begun;                   /* a round through its queue is under way ... */
	enum priority priority;
	struct store_place place;        /* ... from here */
	bool may_look;                   /* for other ways */
	wall_ms_t before;                /* what has waited since then is given up, when there is none; 0: nothing */
	bool is_told;                    /* that it is */
};

/* A round through the queue of one link, for which other routes may hold now: again.c. */
struct again {
	bool is_begun;
	enum priority priority;
	struct store_place place;
};

enum calling { CALLING_NEVER, CALLING_URGENT, CALLING_ANY };

struct swlink {
	struct sw *sw;
	const struct set_link *set;      /* in the settings of now; of one that is removed: in `own` */
	struct view name;
	size_t index;                    /* in sw.links */
	bool is_stopped;                 /* by an operator: stops.c */
	bool is_removed;                 /* it is in the settings no more: what waits there is placed again, then it goes */
	struct arena *own;
	bool is_unknown_there;           /* a link process that was to open an association did not know it */
	struct queue_policy policy;
	struct queue_window *window;
	struct store_place place[PRIORITY_COUNT];
	bool complete[PRIORITY_COUNT];   /* all that is ready in the store is in memory */
	bool missed[PRIORITY_COUNT];     /* something came since the listing began that is in the store only */
	struct swassoc *assocs;
	unsigned n_assocs, n_opening, n_inbound; /* n_assocs: our own */
	unsigned n_kept, n_turns;        /* of our own: for urgent mail only; of the inbound: two-way alternate */
	struct schedule schedule;
	enum calling calling;            /* as it was when the schedule was last looked at */
	struct timer schedule_timer;     /* its next change */
	uint32_t address;                /* which of the peer's answered last */
	int64_t tried_ms, counted_ms;    /* the last call; the last failure to open that counted */
	bool owes_call;                  /* a two-way alternate association of ours was lost: the peer may have mail that waits for us to call */
	uint32_t lost_in_vain;           /* lost in a row, with nothing got through */
	struct timer more_timer;         /* set: the peer wants no more associations than are open, until then */
	struct timer open_timer;         /* next attempt after a failure */
	struct timer wake_timer;         /* a transfer's own time comes */
	uint32_t open_failures;
	wall_ms_t first_failure;
	char last_error[200];
	struct reroute way;
	struct again again;
	struct order_list suspects;      /* to be handled alone */
	int64_t alone_at_ms;             /* no attempt to open one for a suspect before */
	unsigned n_converting;           /* waiting for a content process, or in its hands */
	bool is_guarded;                 /* all its inputs are suspect */
	struct proc *connector;          /* of a link of that kind, or its interchange; NULL: none has come */
	int64_t register_ms;             /* the next one not before */
	bool is_missed;                  /* told that there is none */
	bool is_detached;                /* msmail: its interchange says that the postoffice is not there */
	uint64_t queued, octets;         /* in the store and in the open group */
	uint64_t hot;                    /* of sw.hot */
	uint64_t sent, received, in_flight;
	unsigned n_partials;             /* in hand and kept */
	uint64_t partial_octets;
	struct restriction *restriction; /* restrict.c */
	struct tally tally;
	struct monitor *monitor;         /* monitor.c; NULL: it has none */
};

/* What happens when a ticket is durable, in order. */
struct waiting {
	struct waiting *next;
	uint64_t ticket;
	void (*done)(struct sw *s, struct waiting *w);
	struct proc *proc;               /* who is answered; NULL when gone */
	uint64_t id;
	bool accepted, duplicate;
	uint8_t what;
	uint32_t serial;                 /* partial.c */
	char mts_id[200];
	struct order **orders;           /* to enter their windows */
	size_t n_orders;
	struct store_content *file;
	struct operate_answer *answer;   /* operate.c */
};

/* Octets of a peer that were given to be examined. */
struct octets {
	uint64_t id;                     /* of the quarantine's row; 0: none */
	struct key key;
	struct swlink *link;             /* NULL: it is no more in the settings */
	bool taken;                      /* what they are was offered: the row is gone */
};

/* What a process had in its hands when its channel ended, until it is known how it died. */
struct limbo {
	struct limbo *next;
	struct sw *sw;
	enum process_kind kind;
	uint32_t instance;
	bool accused;
	struct swlink *serves;           /* connector, interchange */
	bool over;                       /* nothing in it any more: stands for a word that may still come */
	char words[WORDS_MAX];           /* connector, interchange: what it was accused of */
	bool content;                    /* the orders were being converted */
	struct order_list orders;
	struct key *inputs;
	size_t n_inputs;
	struct octets octets;            /* id 0: none */
	struct timer timer;
};

/* A content on its way through a content process before its transfer. */
struct conversion {
	struct sw *sw;
	uint64_t id;
	struct order *order;
	struct proc *worker;
	struct timer timer;
};

/* Octets of a peer in the hands of the process for suspects, or of the interchange whose they are. */
struct examine {
	uint64_t number;                 /* of this attempt; 0: none under way */
	struct proc *by;                 /* under way */
	struct octets octets;
	uint64_t message, size, pulled;
	struct timer timer;              /* patience; or when to look again */
	uint64_t after;                  /* the last one looked at */
	struct { unsigned n; bool kept; } round; /* rounds in a row that came to nothing; something was kept in this one */
};

/* The process for suspects: one item in its hands at a time. */
struct alone {
	struct swassoc *assoc;           /* NULL: none; of one link's suspects, one after the other */
	struct order *order;             /* chosen for it; in flight when assoc->in_flight */
	unsigned in_a_row;               /* suspects given to it */
	struct examine examine;
	struct order_list condemned;     /* to be put into quarantine */
	struct key *owed;                /* "quarantine ID": reports that a switch before this one has not made */
	size_t n_owed;
	size_t next_link;
	bool missed;                     /* suspects beyond ALONE_MAX are in the store only */
	struct timer run;                /* set: there may be something to do */
};

/* A mailbox entry on its way through a content process to a command line. */
struct render {
	struct sw *sw;
	struct render *next;
	uint64_t id, delivery;           /* delivery: or what else was asked for */
	bool any;                        /* it may be any stored thing */
	struct proc *asker;              /* NULL: gone */
	uint64_t asker_id;
	struct proc *worker;             /* NULL: waits */
	struct timer timer;
	unsigned tries;
	bool is_gone;                    /* there is nothing to be shown any more: nobody is warned of that */
};

/* A link that an operator has stopped. */
struct stop {
	struct stop *next;
	char name[65];
};

struct sw {
	unsigned magic;
#define SW_MAGIC 0x57175717u
	struct actor_host host;
	const struct settings *settings;
	struct store *store;
	struct route_table *routes;
	struct gdi domain;
	struct view mta;
	struct arena *config_arena, *work;
	struct swlink **links;           /* those of the settings, in their order; then those that are removed */
	size_t n_links;
	bool is_changing;                /* its links get other settings: nothing goes out before all have them */
	uint64_t settings_hash;
	struct proc *procs;
	struct map orders;               /* transfer id -> struct order */
	struct map handovers;            /* attempt -> struct order, while it is in flight */
	struct map assocs;               /* association id -> struct swassoc */
	struct waiting *waiting, **waiting_end;
	struct render *renders;
	struct map suspects;             /* hash of the key -> struct suspect */
	struct limbo *limbos;
	struct guest *guests;            /* connector.c */
	unsigned n_guests;
	uint32_t next_connector;
	struct order_list converts;
	struct order *converted;         /* those that hold a converted content */
	bool suspects_have_content;      /* a content process that is for suspects has been here */
	struct alone alone;
	uint64_t n_deaths, next_conversion;
	bool noted;                      /* an item is noted, to be forgotten at the end of the turn */
	unsigned n_waiting, n_before;    /* tickets that wait for the open group; for the last one */
	int64_t commit_us;               /* what a commit takes, a running mean */
	struct timer group_due;          /* set: the open group is held back until then */
	bool is_due;
	struct env_hook commit, reap;
	struct timer sweep, expire;
	uint64_t expire_after;           /* the last transfer that the scan has looked at; 0: from the start */
	size_t expire_link;              /* whose turn it is to be rerouted */
	int64_t short_told_ms;           /* that steps had to go before their time; 0: never */
	uint64_t next_handover, next_assoc, next_number, last_number, next_render, hot;
	int64_t started_wall_ms, started_ms;
	struct partial *partials;        /* partial.c */
	struct map resumes;              /* transfer id -> struct resume */
	struct reload_asked *reloads;    /* reloads.c */
	struct traced *traced;           /* wiretrace.c */
	uint64_t n_reloads;
	struct census *censuses;         /* census.c */
	struct tallies tallies;
	struct arena *monitor_arena;
	const struct oraddr *monitor;    /* originator of the link monitor's probes */
	uint64_t n_censuses;
	struct timer jobs;               /* jobs.c */
	struct redirects *redirects;
	struct lists *lists, *older_lists; /* older: by which something is half expanded */
	struct timer room;               /* room.c */
	uint64_t under_way;              /* octets that streamed offers may hold in memory, and converted contents do */
	bool low, spent, slow, busy;     /* the first three: why busy */
	struct err busy_why;
	bool full, failed, stopping;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
	struct stop *stops;              /* links that an operator has stopped, also those that are not in the settings */
};

/* switch.c */
MUST_CHECK bool switch_compile(struct sw *s, struct err *e); /* sw.settings -> tables, in sw.config_arena; those of before are the caller's */
void switch_decompile(struct sw *s);
struct swlink *switch_link(struct sw *s, struct view name);
void switch_commit(struct sw *s);                        /* the open group, at once */
struct waiting *switch_wait(struct sw *s, void (*done)(struct sw *s, struct waiting *w), struct proc *p, uint64_t id);
/* Its operations are put in: it waits for the open group, or is done at once when nothing is in there. */
void switch_wait_no_more(struct sw *s, struct waiting *w);
void switch_next_id(struct sw *s, struct mts_id *id_r, struct arena *a);
struct out *proc_begin(struct proc *p, enum msg m);   /* NULL when it has gone */
void proc_end(struct proc *p);
void proc_lost(struct proc *p, const struct err *why);
/* It makes no progress: it is ended, as a fault. */
void proc_hung(struct proc *p, const struct err *why);
struct proc *proc_new(struct sw *s, enum process_kind kind, uint32_t instance);
struct proc *proc_find(struct sw *s, enum process_kind kind, uint32_t instance);
/* What the switch is about to do may kill it: noted first, so that its successor knows what did. Until the end of the turn. */
void switch_note(struct sw *s, const char *item, uint64_t id);
void switch_note_key(struct sw *s, const struct key *k);
const struct chan_events *switch_control_events(enum process_kind kind);
const struct chan_events *switch_bulk_events(void);

/* room.c: when nothing can be taken in. */
void room_init(struct sw *s);
void room_check(struct sw *s);     /* after something that it looks at has changed */
void room_tell(struct proc *p);    /* also one that has just come: a link takes nothing in before it has been told */

/* partial.c: what has come of transfers that may break off. */
bool partial_begin(void *ctx, struct view payload, struct err *e);
bool partial_data(void *ctx, struct view payload, struct err *e);
bool partial_sync(void *ctx, struct view payload, struct err *e);
bool partial_end(void *ctx, struct view payload, struct err *e);
bool partial_find(void *ctx, struct view payload, struct err *e);
bool partial_pull(void *ctx, struct view payload, struct err *e);
void partial_proc_gone(struct proc *p);
void partial_room(struct sw *s);   /* there is less of it than was */
void partial_start(struct sw *s);  /* what the store has */
void partial_link_gone(struct swlink *l);                 /* what is kept of it goes */
void partial_fini(struct sw *s);

/* resume.c: where transfers of ours broke off. */
bool resume_told(void *ctx, struct view payload, struct err *e);
struct view resume_reference(const struct swassoc *a); /* of the association that this new one is to recover; empty: none */
struct order *resume_first(struct swassoc *a);         /* it is up: out of its window, what goes on it first; NULL: nothing */
void resume_assoc_gone(const struct swassoc *a);
void resume_tell(const struct order *o, struct swassoc *a); /* before it is handed over there */
void resume_forget(struct sw *s, uint64_t transfer);
void resume_link_gone(const struct swlink *l);
void resume_fini(struct sw *s);

/* wiretrace.c: WIRETRACE, of an operator and of a link process that has one; a link process that has come goes on with those that are on. */
bool wiretrace_asked(void *ctx, struct view payload, struct err *e);
bool wiretrace_told(void *ctx, struct view payload, struct err *e);
void wiretrace_tell_all(struct proc *p);
void wiretrace_link_gone(const struct swlink *l);         /* it has no connections any more: its trace ends */
void wiretrace_fini(struct sw *s);

/* reloads.c: RELOAD. Its askers are command lines, all of which are gone before the switch is. */
bool reloads_asked(void *ctx, struct view payload, struct err *e);
void reloads_proc_gone(const struct proc *p);

/* census.c: live control blocks. */
bool census_asked(void *ctx, struct view payload, struct err *e);
bool census_told(void *ctx, struct view payload, struct err *e);
void census_proc_gone(struct proc *p);
void census_fini(struct sw *s);

/* intake.c: messages come in. */
bool intake_offer(void *ctx, struct view payload, struct err *e);
bool intake_begin(void *ctx, struct view payload, struct err *e);
bool intake_data(void *ctx, struct view payload, struct err *e);
bool intake_end(void *ctx, struct view payload, struct err *e);
bool intake_cancel(void *ctx, struct view payload, struct err *e);
bool intake_spoiled(void *ctx, struct view payload, struct err *e);
void intake_durable(struct sw *s, struct waiting *w);  /* answers: accepted */
void intake_refuse(struct proc *p, uint64_t offer, const struct err *why);
/* is_new: nothing of it is here yet; what has been streamed in already is taken even when there is no room for more. */
MUST_CHECK bool intake_is_ready(struct sw *s, bool is_new, struct err *e);
void intake_proc_gone(struct proc *p);
struct incoming {
	struct message *m;
	struct view link;                /* empty: made or submitted here */
	struct view peer;
	struct view content;
	struct store_content *file;
	uint64_t size;
	bool is_here;                    /* it was streamed in: taken even when there is no room for more */
	const struct mts_id *about;      /* reports made here: the subject */
	uint64_t hash;                   /* of its octets as they came; 0: not known */
	uint64_t examined;               /* the EXAMINE it comes from */
	const uint64_t *track;           /* TRACK_CONTENT_MAX of them, some 0; NULL: none */
	const struct err *refusal;       /* permanent cause found before routing: every recipient is reported with it */
	uint64_t content_of;             /* no content and file: a stored message whose file it is too */
	bool again;                      /* it has been placed before: deferred, redirected, expanded; its trace is written */
	unsigned depth;                  /* of a report: lists that it came by here */
	wall_ms_t arrived, expires;      /* again; 0: from now */
};

/* downgrade.c: false, and 2/47 with the reason: the link speaks 1984, and message or recipient has what is not to be left out. */
MUST_CHECK bool downgrade_link_takes(const struct sw *s, const struct swlink *l, const struct message *m, const struct recipient *r,
				     struct err *e);

/* steps.c: what the journeys say. */
bool steps_is_gateway(const struct swlink *l); /* NULL: no */
/* It has come in: submitted, or by in->link. */
void steps_arrived(struct sw *s, const struct incoming *in, const uint64_t digest[2]);
/* Keys by which a search finds it under a recipient of now. */
void steps_recipient_key(const struct oraddr *addr, struct out *keys);

/* place.c: where each recipient goes, and the one operation that stores it all. Reports that are due are made and placed too.
 * Ownership of in->file passes to the ticket; when something stored has it, in->content_of says what. */
void place_message(struct sw *s, struct incoming *in, struct waiting *w);
/* The report about these, as far as it is due. */
void place_results(struct sw *s, struct incoming *in, struct report_result *results, size_t n, struct waiting *w);
void place_name(struct waiting *w, const struct message *m); /* w->mts_id */
/* A report about transfers that failed for good: every recipient in `loaded` that we are responsible for. */
/* by: the link that failed; NULL: none. */
void place_failure(struct sw *s, const struct store_loaded *loaded, const struct swlink *by, const struct err *why, struct waiting *w);
void place_enter_windows(struct sw *s, struct waiting *w);

/* jobs.c: queues of the switch's own. No link has such a name: settings refuse it. */
#define JOBS_DEFERRED STORE_DEFERRED                      /* until its time */
#define JOBS_AGAIN "+again"                               /* to be placed again, for other recipients */
#define JOBS_LISTS "+lists"                               /* one list to be expanded, for the responsible recipient */
void jobs_init(struct sw *s);
void jobs_fini(struct sw *s);
void jobs_sweep(struct sw *s);
void jobs_at(struct sw *s, wall_ms_t at);                 /* there is something to do then */
bool jobs_is_queue(struct view name);
struct incoming jobs_incoming(const struct store_loaded *l);

/* redirect.c: alternate recipients. */
MUST_CHECK bool redirect_init(struct sw *s, struct err *e);
void redirect_fini(struct sw *s);
const struct oraddr *redirect_assigned(const struct sw *s, const struct oraddr *addr); /* by the mailbox; NULL: none */
const struct oraddr *redirect_default(const struct sw *s, const struct message *m, const struct oraddr *addr); /* by this domain, when the originator allows it; NULL: none */
/* The recipient that it becomes. False: it would go round, 1/27. */
MUST_CHECK bool redirect_to(const struct recipient *r, const struct oraddr *to, enum redirection_reason reason, wall_ms_t now, struct arena *a,
			    struct recipient *r_r, struct err *e);

/* restrict.c: patterns of O/R addresses. */
struct route_table *restrict_patterns(struct sw *s, const struct setting_list *patterns, const char *what, const char *name, bool *good_r,
				      struct err *e);     /* NULL: none, or !*good_r */
bool restrict_matches(const struct route_table *t, const struct oraddr *addr); /* NULL matches nobody */
struct restriction *restrict_new(struct sw *s, const struct set_link *set, struct err *e); /* NULL: a pattern is none */
void restrict_free(struct restriction **r);
bool restrict_allows(const struct swlink *l, const struct message *m); /* its originator, or the list that it comes from */

/* reports.c */
/* A report comes to a mailbox here: what it says of each recipient is put into the journey of its subject; a second report about the same
 * recipient is flagged (RP-21). */
void reports_note(struct sw *s, const struct message *report, uint64_t size, struct waiting *w);
/* What was reported of n recipients, for a journey; of more than four the first. */
void reports_show(const struct report_result *results, size_t n, struct out *o);

/* lists.c: distribution lists. */
MUST_CHECK bool lists_init(struct sw *s, struct err *e);  /* after the routes */
void lists_fini(struct sw *s);                            /* those of now */
void lists_keep(struct sw *s, struct lists **old);        /* others hold now; taken when something is half expanded by them: it goes on by them */
void lists_begun(struct sw *s, uint64_t transfer);        /* it is half expanded by those of now */
void lists_all_over(struct sw *s);                        /* nothing is half expanded any more */
void lists_forget_older(struct sw *s);
const struct list *lists_find(const struct sw *s, const struct oraddr *addr); /* NULL: no list of ours */
const char *lists_name(const struct list *l);
const struct set_list *lists_settings(const struct list *l);
/* Whom it stands for now, each address once, lists of ours in it followed; from: the one of them that has the member. refused: a list that is
 * not expanded there, as its submitters are others (of the originator nothing is known) or it has no members. In s->work. False: it has no
 * members, or too many. */
typedef void lists_member_f(void *ctx, const struct set_list *from, const struct oraddr *member, const struct err *refused);
MUST_CHECK bool lists_members(struct sw *s, const struct list *l, lists_member_f *each, void *ctx, struct err *e);
size_t lists_index(const struct sw *s, const struct list *l); /* below the number of lists in the settings */
enum lists_verdict { LISTS_EXPAND, LISTS_REFUSE, LISTS_AGAIN /* it is in itself: nothing is done, nothing reported */ };
enum lists_verdict lists_check(const struct sw *s, const struct message *m, const struct list *l, struct err *e);
/* One slice of a transfer of JOBS_LISTS. True: that was the last. */
bool lists_expand(struct sw *s, const struct store_queued *row, struct store_loaded *l, struct waiting *w);
/* A report whose destination is that list goes on by its policy. False: it has come by too many lists. */
bool lists_report(struct sw *s, struct incoming *in, const struct list *l, struct waiting *w);

/* order.c: one transfer in memory. */
struct order *order_new(struct swlink *l, const struct store_queued *q);
void order_keep_message(struct order *o, const struct message *m); /* what is needed of it: its id, may it be converted */
void order_pack(const struct order *o, struct out *packed, const struct message *m); /* as its link's process reads it */
void order_keep_hot(struct order *o, struct view packed, struct view content);
void order_forget_hot(struct order *o);
bool order_may_keep_hot(const struct swlink *l);             /* one more of its messages */
void order_set_converted(struct order *o, struct view packed, struct view content); /* in place of what is hot */
void order_forget_converted(struct order *o);    /* it is converted again when its time comes; not while in hand */
MUST_CHECK bool order_load(struct order *o, struct err *e);  /* keeps the message and inline content; noted before. False: the row is damaged, or ERR_PERM */
bool order_is_outdated(const struct order *o);   /* what is hot was packed when its link was of another kind */
MUST_CHECK bool order_have(struct order *o, struct err *e);  /* the same, unless it is hot already */
void order_free(struct order *o);
void order_gone(struct order *o);                            /* the same, and it waits for its link no more */
void order_step(struct order *o, enum store_step_kind kind, const char *text);
void order_list_add(struct order_list *l, struct order *o);
void order_list_put_first(struct order_list *l, struct order *o);
struct order *order_list_take(struct order_list *l);         /* NULL: empty */
void order_list_remove(struct order *o);                     /* from the one it is in; fine when in none */

/* window.c: orders in memory. */
void window_init(struct swlink *l);
void window_refill(struct swlink *l);                     /* when it runs low */

/* dispatch.c: associations, orders. */
void dispatch_link_init(struct swlink *l, struct sw *s, const struct set_link *set);
void dispatch_link_fini(struct swlink *l);
void dispatch_set_policy(struct swlink *l);               /* by its settings */
void dispatch_outdate_of(struct proc *p);                 /* those that we have opened in that process */
void dispatch_outdate(struct swlink *l);                  /* its associations end, each when what it has in hand is done; others are opened meanwhile */
void dispatch_inbound_up(struct proc *p, uint64_t id, struct swlink *l, bool can_send); /* of the peer's: with can_send our mail goes out on it too */
void dispatch_enter(struct swlink *l, struct order *o);   /* a durable new transfer */
void dispatch_put_back(struct order *o);                  /* from somebody's hands: first in line, or to the suspects when it is one */
void dispatch_run(struct swlink *l);
void dispatch_open(struct swlink *l);                     /* the associations that it wants now, and has not */
void dispatch_relist(struct swlink *l);                   /* looks at its queue from the start; what is in memory is skipped */
void dispatch_wake_in(struct swlink *l, int64_t delay_ms);
void dispatch_hand_over(struct order *o, struct swassoc *a);
void dispatch_release(struct order *o);                   /* it is in flight no more */
void dispatch_close_assoc(struct swassoc *a);
void dispatch_open_failed(struct swlink *l, const struct err *why);
void dispatch_give_up(struct order *o, const struct err *why);
void dispatch_proc_gone(struct proc *p);
void dispatch_sweep(struct swlink *l);

/* calling.c: when a link calls, and where. */
void calling_init(struct swlink *l);
void calling_settings(struct swlink *l);                  /* they are others now: schedule, and what follows from it */
void calling_fini(struct swlink *l);
enum calling calling_now(const struct swlink *l);         /* for what mail its schedule lets it call; not for what is open already */
unsigned calling_wanted(const struct swlink *l);          /* associations of our own, by what waits */
bool calling_has_open(const struct swlink *l);            /* one of our own */
bool calling_has_permanent(const struct swlink *l);
/* One beside others that are open could not be had: no more of them for a while. */
void calling_no_more(struct swlink *l, const struct err *why);
/* One that was open has ended; `used`: something had got through on it. */
void calling_lost(struct swlink *l, bool used, const struct err *why);
bool calling_has_somebody(const struct swlink *l);        /* an address, or a connector that has registered */
void calling_open(struct swassoc *a);                     /* tells a->proc, which is there: at address a->which */
bool calling_has_more(const struct swassoc *a);           /* it could not be opened, and its peer has an address that was not tried */
uint32_t calling_next(const struct swassoc *a);
const char *calling_address(const struct swlink *l);      /* tried first */
void calling_kick(struct swlink *l, bool spread);         /* an attempt that waits comes now or soon; spread: not with all the others */
void calling_watch_network(struct sw *s);
void calling_schedule(const struct swlink *l, char *buf, size_t size); /* for people */
/* For a report: which link, how often tried since when, why not. */
void calling_story(const struct swlink *l, uint32_t failures, wall_ms_t since, char *buf, size_t size);

/* reroute.c: the state of links as routing sees it; what waits for a link that fails. */
void reroute_link_fini(struct swlink *l);
void reroute_settings(struct swlink *l);                  /* it may be given up sooner or later than before */
void reroute_forget(struct swlink *l);                    /* its failures: it has other settings now */
void reroute_start(struct sw *s);                         /* links that are closed for good */
enum route_activation reroute_activation(const struct swlink *l);
/* route_choose with what is known of links now. arrival: link it came by, or empty. */
MUST_CHECK bool reroute_choose(struct sw *s, const struct message *m, const struct oraddr *addr, struct view arrival, uint64_t size,
			       struct route_answer *answer_r, struct err *e);
void reroute_explain(struct sw *s, const struct oraddr *addr, struct view arrival, uint64_t size,
		     void (*each)(void *ctx, const struct route_candidate *c), void *ctx);
/* It has been handed over in vain, and is in nobody's hands and no list. True: it goes another way, and is gone. */
MUST_CHECK bool reroute_order(struct order *o, const struct err *why);
/* The same when its content could not be converted: to a link that wants it otherwise. */
MUST_CHECK bool reroute_conversion(struct order *o, const struct err *why);
void reroute_open_failed(struct swlink *l);               /* once more, with no association of it open */
bool reroute_slices(struct sw *s, size_t max);            /* true: there is more to do */
/* `tried` with one link more (in s->work); and what it says in the trace. False: the quota of s->work is passed. */
struct view reroute_tried(const struct sw *s, struct view tried, const char *link);
MUST_CHECK bool reroute_trace(struct sw *s, struct message *m, struct view tried);

/* apply.c: other settings while mail runs. */
bool apply_is_settled(const struct proc *p);              /* a link process that uses the settings that we use */
bool apply_settled(void *ctx, struct view payload, struct err *e);
bool apply_early_up(struct proc *p, const struct msg_assoc *m); /* of a link that is none of ours. False: it is told to be nonsense */
void apply_early_down(struct proc *p, uint64_t assoc);
void apply_proc_gone(struct proc *p);
MUST_CHECK bool apply_start(struct sw *s, struct err *e);  /* the links; and queues in the store whose link is in the settings no more */
void apply_fini(struct sw *s);
void apply_sweep(struct sw *s);                           /* removed links that nothing refers to any more go */

/* again.c: what waits for a link is placed again, when that link is gone or other routes hold. In slices. */
void again_begin(struct swlink *l);
void again_start(struct sw *s);                           /* links that are gone */
bool again_slices(struct sw *s, size_t max, size_t *done_r); /* true: there is more to do */
/* It has come back undelivered, and is in no list and no window. True: it is placed again, and is gone. */
MUST_CHECK bool again_returned(struct order *o);

/* explain.c */
bool explain_asked(void *ctx, struct view payload, struct err *e);

/* expire.c: what has had its time, in slices. */
void expire_init(struct sw *s);
void expire_fini(struct sw *s);
/* Out of the window or list that it is in, or from the store. NULL: it is in somebody's hands or on its way there. */
struct order *expire_at_rest(struct swlink *l, const struct store_queued *row);
void expire_give_up(struct order *o, const struct err *why);
void dispatch_watch(struct sw *s);                        /* what is in hand for too long */
bool dispatch_assoc_how(void *ctx, struct view payload, struct err *e);
bool dispatch_assoc_up(void *ctx, struct view payload, struct err *e);
bool dispatch_assoc_down(void *ctx, struct view payload, struct err *e);
bool dispatch_pull(void *ctx, struct view payload, struct err *e);
bool dispatch_result(void *ctx, struct view payload, struct err *e);
const char *dispatch_state(const struct swlink *l);

#include "proc/switch/switch_strikes.h"

/* connector.c: programs of their own that serve a link, and interchanges, which do the same. */
void connector_fini(struct sw *s);
bool connector_is_link(const struct swlink *l);           /* it is served by one */
bool connector_is(const struct proc *p);                  /* it is one */
void connector_adopt(struct sw *s, uint32_t instance, bool bulk, struct stream *stream); /* an interchange's, from the supervisor */
void connector_told(const struct proc *p, struct swlink *l, const struct err *down); /* an association of its own has come up (NULL) or gone */
const char *connector_state(const struct swlink *l);      /* of kind msmail */
const char *connector_address(const struct swlink *l);    /* of its postoffice, or the directory of its gateway's files; else empty */
bool connector_takes(const struct swlink *l);             /* a transfer may be given now; of an x400 link always */
struct swassoc *connector_free_for_suspect(const struct swlink *l); /* nothing else is in its hands; NULL: not now */
void connector_hung(struct proc *p, const struct err *why);
void connector_gone(struct proc *p);                      /* any process */
void connector_let_go(struct swlink *l);                  /* its link is of another kind: a program ends when what it has in hand is done */
void connector_end_idle(struct sw *s);                    /* programs that serve no link any more and have nothing in hand */
void connector_sweep(struct swlink *l);                   /* mail waits and nobody serves it: told once */
MUST_CHECK bool connector_check_message(const struct message *m, struct err *e); /* made by a program that we do not know */

/* convert.c: content on its way out, through a content process. */
bool convert_is_wanted(const struct order *o);            /* by its link, for what the message says and its content type */
bool convert_wants(const struct order *o);                /* its message must be known: loaded, or hot */
void convert_enter(struct order *o);                      /* waits for a content process; comes back by dispatch_put_back */
void convert_run(struct sw *s);
bool convert_done(void *ctx, struct view payload, struct err *e);
void convert_forget(struct swlink *l);                    /* it wants other conversions now: those in nobody's hands */
void convert_fini(struct sw *s);
void convert_make_room(struct sw *s);                     /* memory is spent: what can be converted again is forgotten */
struct order *convert_take_back(struct proc *p);          /* its process has gone: what it had; NULL: nothing */

/* stops.c: the operator's hand on links. */
void stops_start(struct sw *s);          /* what the store has: before the links are made */
void stops_fini(struct sw *s);
bool stops_has(struct sw *s, struct view name);
void stops_tell_all(struct proc *p);     /* a link process that has come */
bool stops_act(void *ctx, struct view payload, struct err *e);

/* operate.c: the operator's hand. */
void operate_line(char *to, size_t size, struct view from); /* as one line: it stands in journeys and events */
bool operate_aims_at(const struct order *o, const struct swlink *l); /* by an act that is remembered */
bool operate_act(void *ctx, struct view payload, struct err *e);
enum { OPERATE_WHO_MAX = 96 };
void operate_who(const struct proc *p, struct view claimed, char who[OPERATE_WHO_MAX]); /* on one line, with the user that the kernel knows */
/* An order has come back undelivered, and is in no list and no window: the act that was remembered for it, if any, is done now.
 * True: the order is gone. */
MUST_CHECK bool operate_returned(struct order *o);

/* control.c: the command line and the content processes. */
bool control_status(void *ctx, struct view payload, struct err *e);
bool control_show_mail(void *ctx, struct view payload, struct err *e);
bool control_show(void *ctx, struct view payload, struct err *e);
bool control_remove_mail(void *ctx, struct view payload, struct err *e);
/* told.c: what a command has done beside the switch becomes an event of the MTA. */
bool told_backed_up(void *ctx, struct view payload, struct err *e);
bool control_rendered(void *ctx, struct view payload, struct err *e);
void control_proc_gone(struct proc *p);
void control_run_renders(struct sw *s);
int64_t control_patience_ms(const struct sw *s);          /* with a content process: twice what it gives itself */
