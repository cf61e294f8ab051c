/* mts_testing.h - for tests only: a bench whose settings have alternates, lists and restrictions. Include after cmocka.h. */
#pragma once
#include "proc/switch/switch_testing.h"

#define HERE "; P=p; A=SIM; C=FR"
#define MTS_HEAD(more)                                                                                                    \
	"mta:\n  name: mta-p\n  domain: \"C=FR; A=SIM; P=p\"\n" more "store:\n  directory: x\nlisten: [\"127.0.0.1:1\"]\n" \
	"limits:\n  message: 1 M\n  list-depth: 4\n  list-members: 3000\n"                                              \
	"expiry:\n  urgent: 1 h\n  normal: 2 h\n  non-urgent: 3 h\nroutes:\n"                                             \
	"  - match: \"C=GB; A=SIM; P=a\"\n    to: to-a\n  - match: \"C=JP; A=SIM; P=c\"\n    to: to-c\n"                     \
	"  - match: \"C=FR; A=SIM; P=p\"\n    to: local\n"
#define MTS_LINK(name, more)                                                                                              \
	"  - name: " name "\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-" name "\n    open-interval: 10 s\n"     \
	"    max-associations: 1\n    size-limit: 300 K\n" more
#define MTS_LINKS "links:\n" MTS_LINK("to-a", "") MTS_LINK("to-c", "")
#define MTS_BOXES                                                                                                        \
	"mailboxes:\n  - name: user\n    addresses: [\"S=user" HERE "\"]\n  - name: other\n    addresses: [\"S=other" HERE "\"]\n" \
	"  - name: owner\n    addresses: [\"S=owner" HERE "\"]\n"
#define BOX(name, to) "  - name: " name "\n    addresses: [\"S=" name HERE "\"]\n    redirect: \"" to "\"\n"
#define LIST(name, members, more) "  - name: " name "\n    addresses: [\"S=" name HERE "\"]\n    members: [" members "]\n" more
#define ONE(name) "\"S=" name HERE "\""
#define AT_C(name) "\"S=" name "; P=c; A=SIM; C=JP\""
#define TO(name) "S=" name HERE

static inline struct bench *mts_bench(const char *settings)
{
	struct bench *b = bench_with(settings);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	return b;
}

/* From GB over to-a; then everything that the switch has put aside for now is done. */
static inline void send(struct bench *b, const struct message *m, struct view content)
{
	const struct msg_answer *answer = offer_of(&b->link[0], "to-a", m, content);
	assert_non_null(answer);
	if (!answer->accepted)
		fail_msg("%s", answer->err.text);
	fake_env_pass(b->env, 50);
}

static inline void open_all(struct bench *b)
{
	struct player *p = &b->link[0];
	for (size_t i = 0; i < p->n_opens; i++) {
		struct msg_assoc a = p->opens[i];
		char link[65];
		if (a.assoc == 0)
			continue;
		snprintf(link, sizeof link, "%.*s", (int)a.link.n, (const char *)a.link.p);
		p->opens[i].assoc = 0;
		say_assoc(p, MSG_ASSOC_UP, a.assoc, link, NULL);
	}
}

/* All that goes out, confirmed one by one. */
static inline void drain(struct bench *b)
{
	struct player *p = &b->link[0];
	size_t done = 0;
	do {
		open_all(b);
		for (; done < p->n_transfers; done++)
			say_result(p, p->transfers[done].transfer, ERR_NONE, ERR_OF_MESSAGE);
		fake_env_pass(b->env, 50);
		open_all(b);
	} while (done < p->n_transfers);
}

/* Recipients that were handed over as ours, in all transfers of that kind. */
static inline size_t responsible_for(struct bench *b, enum message_kind kind, const char *address)
{
	struct oraddr addr;
	struct err e;
	size_t n = 0;
	if (address != NULL)
		assert_true(oraddr_parse(view_str(address), &addr, b->a, ORADDR_CARRY, &e));
	for (size_t i = 0; i < b->link[0].n_transfers; i++) {
		const struct message *m = &b->link[0].transfers[i].m;
		for (size_t k = 0; k < m->n_rcpt && m->kind == kind; k++)
			n += (m->rcpt[k].responsible || kind == MESSAGE_REPORT) && (address == NULL || oraddr_eq(&m->rcpt[k].addr, &addr));
	}
	return n;
}

/* The one transfer of that kind. */
static inline const struct message *only(struct bench *b, enum message_kind kind)
{
	const struct message *found = NULL;
	drain(b);
	for (size_t i = 0; i < b->link[0].n_transfers; i++) {
		if (b->link[0].transfers[i].m.kind != kind)
			continue;
		assert_null(found);
		found = &b->link[0].transfers[i].m;
	}
	assert_non_null(found);
	return found;
}

static inline bool is_addr(struct bench *b, const struct oraddr *addr, const char *text)
{
	struct oraddr other;
	struct err e;
	assert_true(oraddr_parse(view_str(text), &other, b->a, ORADDR_CARRY, &e));
	return oraddr_eq(addr, &other);
}

static inline const struct oraddr *addr_of(struct bench *b, const char *text)
{
	struct oraddr *addr = arena_get(b->a, sizeof *addr);
	struct err e;
	assert_true(oraddr_parse(view_str(text), addr, b->a, ORADDR_CARRY, &e));
	return addr;
}

static inline void assert_failed(const struct message *report, size_t i, int reason, int diagnostic)
{
	assert_true(i < report->n_rcpt);
	assert_int_equal(report->rcpt[i].outcome, OUTCOME_NOT_DELIVERED);
	assert_int_equal(report->rcpt[i].reason, reason);
	assert_int_equal(report->rcpt[i].diagnostic, diagnostic);
}

static inline void allow_alternates(struct message *m)
{
	m->has_indicators = true;
	m->indicators |= IND_ALTERNATE_ALLOWED;
}

/* Mail in mailboxes, and nothing waits. */
static inline void assert_delivered(struct bench *b, uint64_t n)
{
	const struct store_counts c = counts_of(b);
	assert_int_equal(c.transfers, 0);
	assert_int_equal(c.deliveries, n);
}
