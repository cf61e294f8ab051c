/* console.h - the console process: the page, its API, live updates and the metrics, for browsers and for Prometheus. It is a client of the
 * switch, the reader and the recorder, over their sockets as the commands are: whatever becomes of it, mail does not notice.
 *
 *     browser --HTTP--> server.c --request--> http.c (host, origin, session, role, which handler)
 *                          ^                     |
 *                          |                  api_*.c --call--> upstream.c --sockets--> switch, reader, recorder
 *                       stream.c <--frames-- sampler.c, feed.c <--answers, events--'
 */
#pragma once
#include "base/version.h"
#include "proc/table/actor.h"
#include "proc/table/settings_table.h"
#include "sys/board.h"

enum { CONSOLE_DESCRIPTORS = 4200 }; /* wanted: connections, and some beside */

struct console;

/* settings have to outlive it, or console_settings. descriptors: that may be open at once. */
struct console *console_new(const struct actor_host *host, const struct settings *settings, const struct board *board, size_t descriptors);
void console_free(struct console **c);
/* The descriptor is the console's from now on; fd -1: the one of that number is no more. */
void console_listening(struct console *c, uint64_t number, int fd);
/* Other settings, from now on; sessions stay whose user is as he was. */
void console_settings(struct console *c, const struct settings *settings);

/* main of the process. */
int console_main(uint32_t instance);
