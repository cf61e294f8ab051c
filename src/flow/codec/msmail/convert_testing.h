/* convert_testing.h - a table of addresses, a kit and both conversions, for tests of the conversion. */
#pragma once
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "flow/codec/ipm/ipm.h"
#include "flow/codec/msmail/convert.h"
#include "flow/message/pack.h"

#define TESTING_NOW INT64_C(1767225600000) /* 2026-01-01 00:00 UTC */

struct testing_world {
	struct arena *a;
	struct charset_kit *kit;
	struct mm_map *map;
	struct gdi domain;
	struct mm_convert how;
};

static inline struct testing_world testing_world_new(void)
{
	static const char *const lines[] = {
		"NET1/PO1/BOB = G=Bob; S=Builder; O=Works; P=SITE; A=EXAMPLE; C=GB",
		"FAR/PO9/* = S=*; O=Far; P=AWAY; A=EXAMPLE; C=FR",
	};
	struct testing_world w = { .a = arena_new((size_t)256 << 20), .kit = charset_kit_new() };
	const struct mm_name own = { "NET1", "PO1", "" };
	struct err e;
	charset_kit_load_pages(w.kit);
	if (!mm_map_new(lines, 2, "C=GB; A=EXAMPLE; P=SITE", &own, &w.map, &e) || !gdi_parse(VIEW("C=GB; A=EXAMPLE; P=SITE"), &w.domain, w.a, &e)) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
	w.how = (struct mm_convert){ .map = w.map, .kit = w.kit, .scramble = &mm_scramble_none, .mta = "MTA1", .own = own, .code_page = 850,
				     .zone_minutes = 60, .out_max = (size_t)256 << 20 };
	return w;
}

static inline void testing_world_free(struct testing_world *w)
{
	mm_map_free(&w->map);
	charset_kit_free(&w->kit);
	arena_free(&w->a);
}

static inline struct oraddr testing_oraddr(struct testing_world *w, const char *text)
{
	struct oraddr addr;
	struct err e;
	if (!oraddr_parse(view_str(text), &addr, w->a, ORADDR_CARRY, &e)) {
		fprintf(stderr, "%s: %s\n", text, e.text);
		abort();
	}
	return addr;
}

static inline struct mm_address testing_ms(const char *text)
{
	return (struct mm_address){ .type = MM_ADDRESS_MS, .text = view_str(text) };
}

/* A MAI from NET1/PO1/BOB to FAR/PO9/ANN, 8 October 1993 16:25. `to` lives as long as the result. */
static inline struct mai testing_letter(struct testing_world *w, struct view subject, struct view text)
{
	struct mai m = { .bags = 1, .hops = 10, .code_page = 850, .from = testing_ms("NET1/PO1/BOB"), .date = { 1993, 10, 8, 16, 25, 0 },
			 .subject = subject, .text = text, .n_to = 1 };
	m.to = arena_get(w->a, sizeof *m.to);
	m.to[0] = testing_ms("FAR/PO9/ANN");
	return m;
}

static inline struct mm_envelope testing_envelope(struct testing_world *w, const struct mai *m)
{
	struct mm_envelope v = { .mai = mm_id_of(0x62), .state = MM_READY, .from = m->from, .n = m->n_to + m->n_cc, .date = m->date,
				 .arrived = INT64_C(750098600000), /* 1993-10-08 16:43:20 UTC */ .priority = m->priority };
	v.recipients = arena_array(w->a, v.n, sizeof *v.recipients);
	for (size_t i = 0; i < v.n; i++)
		v.recipients[i] = (struct mm_recipient){ .address = i < m->n_to ? m->to[i] : m->cc[i - m->n_to], .responsible = true,
							 .is_cc = i >= m->n_to, .reason = -1, .diagnostic = -1 };
	return v;
}

struct testing_ipm {
	struct mm_converted done;
	struct message m;
	struct ipm ipm;
	bool ok;
	struct err e;
};

static inline struct testing_ipm testing_to_ipm(struct testing_world *w, const struct mai *m, const struct mm_envelope *v,
						 const struct mm_file *files, size_t n)
{
	struct testing_ipm r = { 0 };
	struct ber_limits limits = ipm_limits_default();
	struct out file;
	out_init(&file, (size_t)256 << 20);
	w->how.domain = &w->domain;
	if (!mai_print(m, w->how.scramble, &file, &r.e)) {
		fprintf(stderr, "%s\n", r.e.text);
		abort();
	}
	const struct view octets = arena_copy(w->a, out_view(&file));
	out_fini(&file);
	r.ok = mm_to_ipm(&w->how, octets, false, v, files, n, "22-28798.00000062.A1B2", TESTING_NOW, &r.done, w->a, &r.e);
	if (r.ok && (!unpack_message(out_view(&r.done.packed_or_mai), &r.m, w->a, &r.e) ||
		     !ipm_parse(out_view(&r.done.content), &r.ipm, w->a, &limits, &r.e))) {
		fprintf(stderr, "%s\n", r.e.text);
		abort();
	}
	return r;
}

struct testing_mai {
	struct mm_converted done;
	struct mai m;
	bool ok;
	struct err e;
};

/* m->rcpt and the rest as the test wants them. */
static inline struct testing_mai testing_to_mai(struct testing_world *w, const struct message *m, struct view content)
{
	struct testing_mai r = { 0 };
	const struct mai_limits limits = mai_limits_default();
	struct out packed;
	out_init(&packed, 1 << 24);
	pack_message(&packed, m, 0, m->n_rcpt);
	const struct view octets = arena_copy(w->a, out_view(&packed));
	out_fini(&packed);
	w->how.domain = &w->domain;
	r.ok = mm_to_mai(&w->how, octets, content, false, &r.done, w->a, &r.e);
	if (r.ok && !mai_parse(out_view(&r.done.packed_or_mai), w->how.scramble, &r.m, w->a, &limits, &r.e)) {
		fprintf(stderr, "%s\n", r.e.text);
		abort();
	}
	return r;
}

/* A message from Paris to NET1/PO1/BOB, submitted 2005-10-01 11:30:50 UTC. */
static inline struct message testing_message(struct testing_world *w)
{
	struct message m = { .kind = MESSAGE_MESSAGE, .content_type = 22, .priority = PRIORITY_NORMAL, .content_length = -1,
			     .originator = testing_oraddr(w, "S=ann; O=Far; P=AWAY; A=EXAMPLE; C=FR"), .n_rcpt = 1 };
	struct err e;
	m.rcpt = arena_get(w->a, sizeof *m.rcpt);
	m.rcpt[0] = (struct recipient){ .addr = testing_oraddr(w, "G=Bob; S=Builder; O=Works; P=SITE; A=EXAMPLE; C=GB"), .number = 1,
					.responsible = true, .mta_report = 1, .originator_report = 1, .reason = -1, .diagnostic = -1,
					.type_of_user = UINT32_MAX };
	m.trace.v = arena_get(w->a, sizeof *m.trace.v);
	m.trace.n = 1;
	m.trace.v[0].domain = w->domain;
	m.trace.v[0].arrival = INT64_C(1128166250000);
	m.trace.v[0].arrival_raw = VIEW("051001113050Z");
	if (!mts_id_parse(VIEW("C=FR;A=EXAMPLE;P=AWAY;L=paris-1"), &m.id, w->a, &e))
		abort();
	return m;
}

/* A content from parts, by the composer that other tests hold against the standard. */
static inline struct view testing_content_of(struct testing_world *w, const struct ipm_compose *c)
{
	struct ipm_compose all = *c;
	struct ipm_composed done;
	struct ipm_recipient to = { .user.addr = testing_oraddr(w, "G=Bob; S=Builder; O=Works; P=SITE; A=EXAMPLE; C=GB") };
	struct out o;
	struct err e;
	if (all.local_id.n == 0)
		all.local_id = VIEW("paris-ipm-1");
	if (all.originator.addr.n == 0)
		all.originator.addr = testing_oraddr(w, "S=ann; O=Far; P=AWAY; A=EXAMPLE; C=FR");
	if (all.n_to == 0 && all.n_cc == 0) {
		all.to = &to;
		all.n_to = 1;
	}
	if (c->importance == 0 && c->sensitivity == 0)
		all.importance = IPM_NORMAL;
	out_init(&o, (size_t)256 << 20);
	if (!ipm_compose(&all, w->kit, &o, &done, w->a, &e)) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
	const struct view v = arena_copy(w->a, out_view(&o));
	out_fini(&o);
	return v;
}

static inline const char *testing_str(struct testing_world *w, struct view v)
{
	return arena_str(w->a, v);
}
