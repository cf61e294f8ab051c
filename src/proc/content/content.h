/* content.h - the content process: shows messages and converts contents, one at a time, in a jail without files, network or
 * other programs, with a quota of memory and a budget of time for each. Whatever a content does to it, it is that
 * item's error: RENDERED or CONVERTED with the error, or the death of this process, which the switch charges to the item.
 * While it works on one, its note says `delivery ID` (RENDER) or `transfer ID` (CONVERT). */
#pragma once
#include "proc/content/render.h"
#include "proc/table/actor.h"

struct content;

/* limits: for each item; a conversion takes from them arena and elements (its out_of_time is replaced by budget_ms of processor and waiting time together). kit: borrowed, may
 * be NULL. domain: ours, for addresses that 1984 has no form for (ipm_convert.h); borrowed, may be NULL. */
struct gdi;
struct content *content_new(const struct actor_host *host, const struct render_limits *limits, int64_t budget_ms,
			    const struct charset_kit *kit, const struct gdi *domain, uint32_t instance);
void content_free(struct content **c);

/* A stream to the switch: control (RENDER and CONVERT come, RENDERED and CONVERTED go) or bulk (nothing yet). A new pair replaces one that has ended.
 * When none comes within CONTENT_ALONE_MS the process ends itself, so that its successor is connected anew. */
enum { CONTENT_ALONE_MS = 5000 };
void content_adopt_switch(struct content *c, bool bulk, struct stream *s);

/* main of the process. */
int content_main(uint32_t instance);
