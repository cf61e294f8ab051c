/* content.h - the content process: shows messages (later: converts them), one at a time, in a jail without files, network
 * or other programs, with a quota of memory and a budget of time for each. Whatever a content does to it, it is
 * that item's error: RENDERED with the error, or the death of this process, which the switch charges to the item. */
#pragma once
#include "proc/content/render.h"
#include "proc/table/actor.h"

struct content;

/* limits: for each item (its out_of_time is replaced by budget_ms of processor and waiting time together). kit: borrowed, may
 * be NULL. */
struct content *content_new(const struct actor_host *host, const struct render_limits *limits, int64_t budget_ms,
			    const struct charset_kit *kit, uint32_t instance);
void content_free(struct content **c);

/* A stream to the switch: control (RENDER comes, RENDERED goes) or bulk (nothing yet). A new pair replaces one that has ended.
 * When none comes within CONTENT_ALONE_MS the process ends itself, so that its successor is connected anew. */
enum { CONTENT_ALONE_MS = 5000 };
void content_adopt_switch(struct content *c, bool bulk, struct stream *s);

/* main of the process. */
int content_main(uint32_t instance);
