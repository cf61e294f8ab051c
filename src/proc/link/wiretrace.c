/* wiretrace.c - the octets of one link's connections in clear, as a capture: bounded in octets and time, for an operator who looks for what a peer
 * says. An association that was open before it shows from the middle on; of a caller the first octets are kept until it is known whose it is. */
#include "proc/link/link_int.h"

#include "base/mem.h"
#include "flow/wire/pcap.h"

#include <arpa/inet.h>

enum {
	EARLY_MAX = 64 * 1024,      /* of a caller that has not bound yet */
	OURS = 0xc0000201, THEIRS = 0xc0000202, /* 192.0.2.1 and .2 (RFC 5737), where a peer has no IPv4 address */
	CALLED_PORT = 102,          /* by which readers of captures know RFC 1006 */
	CALLING_PORT = 20000, CALLING_PORTS = 40000,
	PACKETS_MAX = 4 * 1024 * 1024,
	TRACE_NAME = 96,
	LIVES_MAX = 50,             /* that go on with one trace */
};
#define FULL "it has as many octets as it may"

struct wiretrace {
	struct link *link;
	char *name, *trace;         /* of the link; what names of its files begin with */
	char path[160];             /* of the file, from the first octets on */
	struct file *file;          /* NULL: no octets yet */
	uint64_t before, written, max; /* before: in the files of processes before this one */
	bool failed;                /* no octets could be written */
	struct timer timer;
	struct wiretrace *next;
};

/* Of an association. */
struct wire {
	struct pcap_connection c;
	struct out packets;         /* not in the file yet */
};

static struct wiretrace *find(const struct link *l, const char *name)
{
	struct wiretrace *t = l->traces;
	while (t != NULL && strcmp(t->name, name) != 0)
		t = t->next;
	return t;
}

static void end(struct wiretrace *t, const char *why)
{
	char octets[24];
	struct wiretrace **at = &t->link->traces;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	snprintf(octets, sizeof octets, "%llu", (unsigned long long)t->written);
	if (t->file != NULL || t->failed)
		EMIT(&t->link->host, WIRETRACE_ENDED, "link", t->name, "file", t->path, "octets", octets, "why", why);
	if (t->file != NULL)
		file_close(&t->file);
	timer_stop(&t->timer);
	MEM_FREE(t->name);
	MEM_FREE(t->trace);
	free(t);
}

static void on_time(void *ctx)
{
	end(ctx, "its time is over");
}

/* Found by reading, since the world tells it in no other way. */
static uint64_t length_of(struct file *f, struct err *e)
{
	uint64_t least = 0, most = UINT64_C(1) << 40;
	while (least < most) {
		uint8_t octet;
		size_t got = 0;
		const uint64_t middle = least + (most - least) / 2;
		if (!file_read(f, middle, &octet, 1, &got, e) || got == 0)
			most = middle;
		else
			least = middle + 1;
	}
	return least;
}

/* A process before this one may have died in the middle of a packet, and its connections were others: each has a file of its own. */
static void find_path(struct wiretrace *t)
{
	const struct link *l = t->link;
	char again[8] = "";
	struct err e;
	for (unsigned life = 2;; life++) {
		snprintf(t->path, sizeof t->path, "trace/%s-%s.%u%s.pcap", t->trace, l->is_alone ? "alone" : "link", (unsigned)l->instance, again);
		struct file *f = life > LIVES_MAX ? NULL : env_file_open(l->host.env, t->path, &e);
		if (f == NULL)
			return;
		t->before += length_of(f, &e);
		file_close(&f);
		snprintf(again, sizeof again, "-%u", life);
	}
}

/* The first octets: a process that has none for it makes no file. */
static bool be_open(struct wiretrace *t, struct err *e)
{
	if (t->file != NULL)
		return true;
	find_path(t);
	if (t->before >= t->max)
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s", FULL);
	t->file = env_file_create(t->link->host.env, t->path, e);
	if (t->file != NULL)
		EMIT(&t->link->host, WIRETRACE_BEGUN, "link", t->name, "file", t->path);
	return t->file != NULL;
}

/* Takes what is in *o; the trace may be over after it. */
static void write_packets(struct wiretrace *t, struct out *o)
{
	struct err e;
	struct out head;
	out_init(&head, 64);
	const bool is_new = t->file == NULL;
	pcap_begin(&head);
	bool good = be_open(t, &e) && (!is_new || file_append(t->file, out_view(&head), &e)) && file_append(t->file, out_view(o), &e);
	t->failed = !good;
	t->written += out_len(o);
	out_fini(&head);
	out_clear(o);
	if (!good)
		end(t, e.text);
	else if (t->before + t->written >= t->max)
		end(t, FULL);
}

static uint32_t address_of(const struct assoc *a)
{
	char host[108];
	struct in_addr in;
	snprintf(host, sizeof host, "%s", a->stream == NULL ? "" : stream_peer(a->stream));
	host[strcspn(host, ":")] = 0;
	return inet_pton(AF_INET, host, &in) == 1 ? ntohl(in.s_addr) : THEIRS;
}

static struct wire *wire_new(const struct assoc *a, bool from_the_start)
{
	const int64_t now_us = env_wall_ms(a->link->host.env) * 1000;
	struct wire *w = mem_zero(sizeof *w);
	const unsigned ours = a->initiator ? 0 : 1;
	w->c.address[ours] = OURS;
	w->c.address[!ours] = address_of(a);
	w->c.port[0] = (uint16_t)(CALLING_PORT + a->id % CALLING_PORTS);
	w->c.port[1] = CALLED_PORT;
	w->c.next[0] = w->c.next[1] = 1;
	out_init(&w->packets, PACKETS_MAX);
	if (from_the_start)
		pcap_open(&w->packets, &w->c, now_us);
	return w;
}

static void forget(struct assoc *a)
{
	if (a->wire != NULL)
		out_fini(&a->wire->packets);
	MEM_FREE(a->wire);
}

void wiretrace_octets(struct assoc *a, bool ours, struct view v)
{
	struct link *l = a->link;
	const bool from_the_start = !a->has_talked;
	a->has_talked = a->has_talked || v.n > 0;
	if (v.n == 0 || (l->traces == NULL && a->wire == NULL))
		return;
	struct wiretrace *t = a->peer == NULL ? NULL : find(l, a->peer->name);
	if (l->traces == NULL || (a->peer != NULL && t == NULL)) {
		forget(a); /* it is not of a link that is traced, or not any more */
		return;
	}
	if (a->wire == NULL)
		a->wire = wire_new(a, from_the_start);
	pcap_octets(&a->wire->packets, &a->wire->c, ours == a->initiator ? 0 : 1, v, env_wall_ms(l->host.env) * 1000);
	if (t != NULL)
		write_packets(t, &a->wire->packets);
	else if (out_len(&a->wire->packets) > EARLY_MAX)
		forget(a);
}

void wiretrace_closed(struct assoc *a)
{
	struct wiretrace *t = a->peer == NULL || a->wire == NULL ? NULL : find(a->link, a->peer->name);
	if (t != NULL) {
		pcap_close(&a->wire->packets, &a->wire->c, a->initiator ? 0 : 1, env_wall_ms(a->link->host.env) * 1000);
		write_packets(t, &a->wire->packets);
	}
	forget(a);
	a->has_talked = false; /* it may be opened afresh */
}

void wiretrace_take(struct link *l, const struct msg_wiretrace *m)
{
	char name[256], trace[TRACE_NAME];
	snprintf(name, sizeof name, "%.*s", (int)(m->link.n < sizeof name ? m->link.n : sizeof name - 1), (const char *)m->link.p);
	snprintf(trace, sizeof trace, "%.*s", (int)(m->name.n < sizeof trace ? m->name.n : sizeof trace - 1), (const char *)m->name.p);
	struct wiretrace *t = find(l, name);
	if (t != NULL && m->on && strcmp(t->trace, trace) == 0)
		return; /* a new switch has heard of it */
	if (t != NULL)
		end(t, m->on ? "another one is begun" : "an operator has ended it");
	if (!m->on)
		return;
	t = mem_zero(sizeof *t);
	t->link = l;
	t->name = mem_strdup(name);
	t->trace = mem_strdup(trace);
	t->max = m->octets;
	t->next = l->traces;
	l->traces = t;
	timer_init(&t->timer, l->host.env, on_time, t);
	timer_after(&t->timer, (int64_t)m->time_ms);
}

void wiretrace_report(struct link *l)
{
	const int64_t now = env_now_ms(l->host.env);
	for (const struct wiretrace *t = l->traces; t != NULL; t = t->next) {
		const struct msg_wiretrace m = { .link = view_str(t->name), .on = true, .octets = t->max, .name = view_str(t->trace),
						 .time_ms = t->timer.at_ms > now ? (uint64_t)(t->timer.at_ms - now) : 1 };
		put_msg_wiretrace(chan_begin(l->control, MSG_WIRETRACE), &m);
		chan_end(l->control);
	}
}

void wiretrace_end_all(struct link *l)
{
	while (l->traces != NULL)
		end(l->traces, "the process ends");
}
