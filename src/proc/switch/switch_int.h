/* switch_int.h - inside the switch. */
#pragma once
#include "base/fault.h"
#include "base/map.h"
#include "flow/message/pack.h"
#include "flow/queue/queue.h"
#include "flow/report/report.h"
#include "flow/route/route.h"
#include "proc/switch/switch.h"
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
	WORK_ARENA = 192 * 1024 * 1024,  /* a quota: one message of that many recipients, and the report about them all */
	HOT_MAX = 16 * 1024 * 1024,      /* octets of recently stored messages kept to save reading them back */
	SWEEP_MS = 30 * 1000,            /* how often expiry and old tracking are looked at */
	LAZY_MS = 5,                     /* a group that nobody waits for is committed after so long */
	GATHER_MS = 10,                  /* longest wait for a group to grow */
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
	struct map inbound;              /* link: id of an inbound association -> struct swlink */
	bool dead;
	struct render *render;           /* content: the one under way */
	unsigned n_assocs;               /* link: outbound associations given to it */
	struct proc *next;
};

/* A streamed offer on its way in. */
struct offer {
	uint64_t id;
	struct proc *proc;               /* it goes with its offers */
	char link[65], peer[108];
	struct out packed, small;        /* small: content until it is over the inline limit */
	struct store_content *file;
	uint64_t size;
	bool syncing, doomed;
	struct err why;                  /* doomed */
};

enum assoc_state { ASSOC_OPENING, ASSOC_OPEN, ASSOC_CLOSING };

struct swassoc {
	uint64_t id;
	struct proc *proc;
	struct swlink *link;
	enum assoc_state state;
	unsigned in_flight;
	struct order *held[HANDOVERS];   /* in flight, the first one first */
	struct swassoc *next;
};

/* A transfer in memory: waiting in the window or in flight. */
struct order {
	uint64_t transfer, message;
	struct swlink *link;
	enum priority priority;
	uint32_t attempts;
	unsigned losses;                 /* associations that ended with it in hand, while it was in memory */
	wall_ms_t arrived, expires;
	uint64_t size;                   /* content octets */
	uint64_t handover;               /* in flight: number of this attempt */
	struct swassoc *assoc;           /* in flight on it; NULL: waiting */
	int64_t sent_at_ms;
	uint64_t pulled;                 /* content octets given on pull */
	struct view hot_packed;          /* packed message, kept from intake or from the first load; NULL: in the store only */
	struct view hot_content;         /* inline content */
	bool has_hot;
	struct mts_id id;                /* for the journey; its octets are in id_octets */
	uint8_t *id_octets;
};

struct swlink {
	struct sw *sw;
	const struct set_link *set;
	struct view name;
	struct queue_policy policy;
	struct queue_window *window;
	struct store_place place[PRIORITY_COUNT];
	bool complete[PRIORITY_COUNT];   /* all that is ready in the store is in memory */
	bool missed[PRIORITY_COUNT];     /* something came since the listing began that is in the store only */
	struct swassoc *assocs;
	unsigned n_assocs, n_opening, n_inbound;
	struct timer open_timer;         /* next attempt after a failure */
	struct timer wake_timer;         /* a transfer's own time comes */
	uint32_t open_failures;
	wall_ms_t first_failure;
	char last_error[200];
	uint64_t queued, octets;         /* in the store and in the open group */
	uint64_t sent, received, in_flight;
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
	char mts_id[200];
	struct order **orders;           /* to enter their windows */
	size_t n_orders;
	struct store_content *file;
};

/* A mailbox entry on its way through a content process to a command line. */
struct render {
	struct sw *sw;
	struct render *next;
	uint64_t id, delivery;
	struct proc *asker;              /* NULL: gone */
	uint64_t asker_id;
	struct proc *worker;             /* NULL: waits */
	struct timer timer;
	unsigned tries;
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
	struct swlink *links;
	size_t n_links;
	struct proc *procs;
	struct map orders;               /* transfer id -> struct order */
	struct map handovers;            /* attempt -> struct order, while it is in flight */
	struct map assocs;               /* association id -> struct swassoc */
	struct waiting *waiting, **waiting_end;
	struct render *renders;
	unsigned n_waiting, n_before;    /* tickets that wait for the open group; for the last one */
	int64_t commit_us;               /* what a commit takes, a running mean */
	struct timer group_due;          /* set: the open group is held back until then */
	bool is_due;
	struct env_hook commit, reap;
	struct timer sweep;
	uint64_t next_handover, next_assoc, next_number, last_number, next_render, hot;
	int64_t started_wall_ms, started_ms;
	bool full, failed, stopping;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

/* switch.c */
struct swlink *switch_link(struct sw *s, struct view name);
struct waiting *switch_wait(struct sw *s, void (*done)(struct sw *s, struct waiting *w), struct proc *p, uint64_t id);
void switch_next_id(struct sw *s, struct mts_id *id_r, struct arena *a);
struct out *proc_begin(struct proc *p, enum msg m);   /* NULL when it has gone */
void proc_end(struct proc *p);
void proc_lost(struct proc *p, const struct err *why);
const struct chan_events *switch_control_events(enum process_kind kind);
const struct chan_events *switch_bulk_events(void);

/* intake.c: messages come in. */
bool intake_offer(void *ctx, struct view payload, struct err *e);
bool intake_begin(void *ctx, struct view payload, struct err *e);
bool intake_data(void *ctx, struct view payload, struct err *e);
bool intake_end(void *ctx, struct view payload, struct err *e);
bool intake_cancel(void *ctx, struct view payload, struct err *e);
void intake_proc_gone(struct proc *p);
struct incoming {
	struct message *m;
	struct view link;                /* empty: made or submitted here */
	struct view peer;
	struct view content;
	struct store_content *file;
	uint64_t size;
	const struct mts_id *about;      /* reports made here: the subject */
	const struct err *refusal;       /* permanent cause found before routing: every recipient is reported with it */
};

/* place.c: where each recipient goes, and the one operation that stores it all. Reports that are due are made and placed too.
 * Ownership of in->file passes to the ticket. */
void place_message(struct sw *s, const struct incoming *in, struct waiting *w);
/* A report about transfers that failed for good: every recipient in `loaded` that we are responsible for. */
void place_failure(struct sw *s, const struct store_loaded *loaded, const struct err *why, struct waiting *w);
void place_enter_windows(struct sw *s, struct waiting *w);

/* dispatch.c: the window, associations, orders. */
void dispatch_link_init(struct swlink *l, struct sw *s, const struct set_link *set);
void dispatch_link_fini(struct swlink *l);
void dispatch_enter(struct swlink *l, struct order *o);   /* a durable new transfer */
void dispatch_run(struct swlink *l);
void dispatch_wake_in(struct swlink *l, int64_t delay_ms);
struct order *order_new(struct swlink *l, const struct store_queued *q);
void order_keep_id(struct order *o, const struct mts_id *id);
void order_keep_hot(struct order *o, struct view packed, struct view content);
void order_free(struct order *o);
void dispatch_proc_gone(struct proc *p);
void dispatch_sweep(struct swlink *l);
bool dispatch_assoc_up(void *ctx, struct view payload, struct err *e);
bool dispatch_assoc_down(void *ctx, struct view payload, struct err *e);
bool dispatch_pull(void *ctx, struct view payload, struct err *e);
bool dispatch_result(void *ctx, struct view payload, struct err *e);
const char *dispatch_state(const struct swlink *l);

/* control.c: the command line and the content processes. */
bool control_status(void *ctx, struct view payload, struct err *e);
bool control_show_mail(void *ctx, struct view payload, struct err *e);
bool control_remove_mail(void *ctx, struct view payload, struct err *e);
bool control_rendered(void *ctx, struct view payload, struct err *e);
void control_proc_gone(struct proc *p);
void control_run_renders(struct sw *s);
