/* sampler.h - one look at the switch for everybody who watches: its links, totals and rates now, and their history in bounded memory. While
 * somebody looks it asks each second, else every 15 s. */
#pragma once
#include "proc/console/jout.h"
#include "proc/console/upstream.h"
#include "proc/table/settings_table.h"
#include "sys/board.h"

enum {
	SAMPLE_WHOLE = 200,       /* so many links are told of at one go; of more, page by page */
	SAMPLE_CHANGES = 512 * 1024, /* octets of links in what is told of as changed; the others follow with the next */
	SAMPLE_MS = 1000, SAMPLE_IDLE_MS = 15 * 1000,
	HISTORY_LINKS = 512,      /* links that have one: 50 KB each */
};

struct sampler;

struct sampler_events {
	/* There is a new sample, or the switch is away; changed: something is different that a person would see. */
	void (*sampled)(void *ctx, bool changed);
};

struct sampler *sampler_new(struct env *env, const struct settings *settings, const struct sampler_events *events, void *ctx);
void sampler_free(struct sampler **s);
/* From now on. */
void sampler_settings(struct sampler *s, const struct settings *settings);
void sampler_set_upstream(struct sampler *s, struct upstream *u);
void sampler_set_board(struct sampler *s, const struct board *board); /* NULL: none */
/* Somebody looks now; live: until he says otherwise (so many of them). */
void sampler_look(struct sampler *s);
void sampler_live(struct sampler *s, size_t n);

/* What upstream hears. */
void sampler_link(struct sampler *s, const struct msg_status_link *m);
void sampler_end(struct sampler *s, const struct msg_status_end *m);
void sampler_metric(struct sampler *s, struct view payload);
void sampler_metrics_end(struct sampler *s);
void sampler_turned(struct sampler *s);  /* the switch came or went */
void sampler_changed(struct sampler *s); /* another one did */

/* All of it. False: nothing was ever sampled. */
MUST_CHECK bool sampler_overview(struct sampler *s, struct out *o);
/* The same for who follows, however many links there are: at first without links when there are more than SAMPLE_WHOLE, then each page of them, then
 * changes. The series counts which links there are, in which order: when it changes all of it begins again. */
uint64_t sampler_series(const struct sampler *s);
MUST_CHECK bool sampler_first(struct sampler *s, struct out *o);
struct sampler_place { uint64_t series; size_t at; }; /* how far somebody was told; all zero: nothing */
/* {from, of, links}; false: he has been told of all of them. */
MUST_CHECK bool sampler_page(struct sampler *s, struct sampler_place *place_io, struct out *o);
/* As an overview whose links are those that have changed since the last call, some of them when they are too many. */
MUST_CHECK bool sampler_changes(struct sampler *s, struct out *o);
/* One object of a link; false: no such link. name: of the member, NULL: none. */
MUST_CHECK bool sampler_put_link(struct sampler *s, struct view link, const char *name, struct jout *j);
/* The samples of the last minutes of one link (empty: of all); false: no such link. */
MUST_CHECK bool sampler_history(struct sampler *s, struct view link, int minutes, struct out *o);
/* The last of them, of all links, as one object; false: none. */
MUST_CHECK bool sampler_last(struct sampler *s, struct out *o);
/* The Prometheus text of the last METRICS. */
void sampler_metrics(struct sampler *s, struct out *o);
/* Name of the MTA, as the settings have it. */
const char *sampler_mta(const struct sampler *s);
