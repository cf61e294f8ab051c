/* decode_show.h - one tree, two forms: indented lines for a person, or one JSON object on a line. Private to decode.
 *
 * A key is ours, never a peer's. Values that are a peer's octets go through show_octets or show_text. */
#pragma once
#include "base/err.h"
#include "base/out.h"
#include "flow/codec/ber/ber.h"
#include "proc/tool/decode.h"

enum { SHOW_DEPTH = 24 };

struct show {
	bool json, secrets;
	struct out out;             /* the event in work */
	unsigned depth, indent;
	bool list[SHOW_DEPTH], filled[SHOW_DEPTH];
	decode_write_f *write;
	void *ctx;
	struct decode_totals *totals;
};

void show_init(struct show *s, const struct decode_options *options, decode_write_f *write, void *ctx,
	       struct decode_totals *totals);
void show_fini(struct show *s);

/* Where and when an event was. */
struct show_at {
	bool has_time, has_side;
	uint64_t time_ns;    /* since the first packet */
	bool nano;           /* the capture counts nanoseconds */
	size_t connection;   /* from 1; 0: none */
	bool responder;      /* sent by the side that was called */
};

/* One event: a line with its name, then what is shown until show_event_end, which hands the text on. */
void show_event(struct show *s, const struct show_at *at, const char *name);
void show_event_end(struct show *s);

/* An object; in the text a line "key: title" (title may be NULL) and what follows one deeper. JSON: "name" is the title.
 * Inside a list the key is only for the text. */
void show_object(struct show *s, const char *key, const char *title_fmt, ...) PRINTF_LIKE(3, 4);
/* A JSON array of objects; nothing in the text. */
void show_list(struct show *s, const char *key);
void show_end(struct show *s);

void show_uint(struct show *s, const char *key, uint64_t x);
void show_int(struct show *s, const char *key, int64_t x, const char *name); /* name: what it means, may be NULL */
void show_bool(struct show *s, const char *key, bool x);
void show_fmt(struct show *s, const char *key, const char *fmt, ...) PRINTF_LIKE(3, 4);
void show_text(struct show *s, const char *key, struct view v);   /* characters */
void show_octets(struct show *s, const char *key, struct view v); /* hexadecimal, and text when it is printable */
void show_dump(struct show *s, const char *key, struct view v);   /* the first octets, as a dump */
void show_oid(struct show *s, const char *key, struct view oid);
/* Names of the set bits of x, lowest first; bits without a name as numbers. */
void show_bits(struct show *s, const char *key, unsigned x, const char *const *names, size_t n);
/* A password: how long it is, or itself when secrets are shown. */
void show_secret(struct show *s, const char *key, struct view v);
/* Octets that may hold a password: a dump, or how many they are. */
void show_hidden(struct show *s, const char *key, struct view v);
/* TLVs without names. */
void show_raw(struct show *s, const char *key, struct view tlv);

/* A value that another printer writes: *form_r, *indent_r are for it. */
struct out *show_value(struct show *s, const char *key, enum ber_form *form_r, unsigned *indent_r);
void show_value_end(struct show *s);

/* One sentence about what was found and wanted; counts as damage. */
void show_damaged(struct show *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
