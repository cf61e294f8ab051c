/* monitor.h - test probes of links. Inside the switch. */
#pragma once
#include "flow/message/message.h"

struct sw;
struct swlink;
struct order;

enum monitor_state { MONITOR_OK, MONITOR_WARNING, MONITOR_ALERT };
struct monitor_shown {
	bool is_on;
	enum monitor_state state;
	int64_t trip_ms;                 /* -1: none has been answered yet */
	int64_t waits_ms;                /* since the oldest one that waits for an answer; 0: none does */
};
const char *monitor_state_name(enum monitor_state state);
MUST_CHECK bool monitor_init(struct sw *s, struct err *e); /* before any link */
void monitor_settings(struct swlink *l);                  /* a link is there, or has other settings, or is removed */
void monitor_forget(struct swlink *l);                    /* it begins anew with monitor_settings: the probe that waits goes */
/* It is in no list and no window, and loaded if it was to be handed over. True: it was a probe whose time is over, and is gone. */
MUST_CHECK bool monitor_drops(struct order *o);
void monitor_link_fini(struct swlink *l);
bool monitor_is_probe(const struct sw *s, const struct message *m); /* of this monitor: it takes no other way, and nobody is told of its failure */
bool monitor_takes(struct sw *s, const struct message *report, struct view link); /* true: it is about such a probe, and ends here. link: it came by */
void monitor_show(const struct swlink *l, struct monitor_shown *m_r);
