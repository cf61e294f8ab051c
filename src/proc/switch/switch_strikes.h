/* switch_strikes.h - inside the switch: what has killed a process or cannot be read, from the strike to the quarantine. A part of
 * switch_int.h, which is to be included instead. */
#pragma once

/* suspect.c: strikes. */
void suspect_start(struct sw *s);                         /* what the store has */
void suspect_fini(struct sw *s);
struct key suspect_key(const char *item, uint64_t id);
struct key suspect_input_key(const struct swlink *l, uint64_t hash); /* l NULL: submitted here */
struct suspect *suspect_find(struct sw *s, const struct key *k); /* NULL: none */
struct suspect *suspect_of(const struct order *o);        /* its message's; NULL: none */
bool suspect_is_over(const struct sw *s, const struct suspect *x); /* it has all the strikes there are */
/* One strike (one for each death) with an event; the store has it in the open group. NULL: there is no room for one more. */
struct suspect *suspect_strike(struct sw *s, const struct key *k, const char *words);
/* In a process that lives it fails the same way each time: a strike, then alone. */
void suspect_strike_order(struct order *o, const char *words);
void suspect_forget(struct sw *s, const struct key *k);
/* Its last strike came from its conversion, which is where it must be alone. Last words say it, since they are durable. */
#define OF_CONVERSION "conversion: "
bool suspect_of_conversion(const struct order *o);
void suspect_done(struct order *o, bool cleared);         /* this transfer is over; its message is no suspect any more when it was the last */
/* An operator lets it out of quarantine: it is handled alone, and has all strikes but one again. */
void suspect_released(struct sw *s, const struct key *k);
void suspect_tell_all(struct proc *p);                    /* a link process has come: which inputs it must not decode */
void suspect_sweep(struct sw *s);
void suspect_relink(struct sw *s);                        /* links have come or gone: whose inputs they are */
/* For limbo.c: one order in a ticket whose done is suspect_struck; "ITEM NUMBER", 0 when it is not that; "input LINK HASH". */
void suspect_strike_in(struct order *o, const char *words, struct waiting *w);
void suspect_struck(struct sw *s, struct waiting *w);
uint64_t suspect_number(const char *text, const char *item);
MUST_CHECK bool suspect_parse_input(struct sw *s, const char *text, struct swlink **link_r, uint64_t *hash_r);

/* limbo.c: what waits to know how its process died. */
void limbo_proc_gone(struct proc *p);                     /* what it has in hand goes there */
void limbo_fini(struct sw *s);

/* alone.c: suspects and octets, one at a time, in the process for them. */
void alone_init(struct sw *s);
void alone_fini(struct sw *s);
void alone_kick(struct sw *s);                            /* there may be something to do: soon, from the top of a turn */
void alone_add(struct order *o);                          /* a suspect that is in nobody's hands */
void alone_proc_gone(struct proc *p);                     /* any process; what was in its hands is in limbo; what was only chosen waits again */
void alone_up(struct swassoc *a);
void alone_down(struct swassoc *a, const struct err *why);

/* quarantine.c */
#define QUARANTINE_UNREPORTED "the switch has died of it: " /* begins the cause of what must not be loaded any more */
void quarantine_condemn(struct order *o, const char *cause); /* in nobody's hands; put into quarantine soon, from the top of a turn */
void quarantine_homeless(struct sw *s, uint64_t id, struct view queue, const struct suspect *x); /* of a link that is in the settings no more; its report follows */
bool quarantine_run(struct sw *s);                        /* does one of them; false: there is none */
void quarantine_unreported(struct sw *s, uint64_t id, const char *words); /* the switch has died of making its report */

/* examine.c: octets that are no message yet. */
void examine_take(struct proc *p, const struct arrival *about, struct incoming *in); /* an offer of octets; in->file is taken over */
void examine_init(struct sw *s);
bool examine_begin(struct sw *s, struct proc *alone);     /* gives it the next, or an interchange its own; alone NULL: there is none now. False: nothing is given */
bool examine_by(const struct proc *p);                    /* it has some in its hands */
void examine_proc_gone(struct proc *p);                   /* any process */
bool examine_has(const struct sw *s, uint64_t id);        /* that row is in its hands */
bool examine_is_of(const struct proc *p, uint64_t number);
void examine_keep_all(const struct swlink *l);             /* its kind is another now: what waits of it is kept for the operator */
void examine_release(struct sw *s, const struct store_quarantine *q); /* an operator lets octets of an interchange out of quarantine */
void examine_offered(struct sw *s);                       /* what they are is in the open group: the octets go with it */
bool examine_pull(struct proc *p, const struct msg_count *m, struct err *e);
bool examine_done(void *ctx, struct view payload, struct err *e);
void examine_struck(struct sw *s, const struct octets *x, const char *words);

struct order *alone_ready(struct swlink *l);              /* the first suspect that can be handed over as it is, out of its list; NULL: none. From the top of a turn */
