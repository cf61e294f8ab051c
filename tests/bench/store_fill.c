/* store_fill.c - a store of many waiting messages, to measure check and repair on: each of 2 KB with its arrival step; every tenth has
 * three recipients in two transfers and a mailbox entry, every thousandth a content file.
 *
 * usage: store_fill DIRECTORY MESSAGES [EXPIRES]: makes store.db there; EXPIRES: ms since 1970, else they have expired long ago. */
#include "base/check.h"
#include "base/mem.h"
#include "flow/store/store.h"
#include "sys/loop.h"
#include "store_must.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { OCTETS = 2048, LONG_OCTETS = 100000, GROUP = 1000, ARENA = 1 << 20, INLINE_MAX = 65536 };

struct fill {
	struct env *env;
	struct store *store;
	struct arena *arena;
	struct message m;
	struct recipient rcpt[3];
	char local[32];
	int64_t expires;
	uint8_t content[LONG_OCTETS];
};

static void on_durable(void *ctx, uint64_t ticket)
{
	(void)ctx, (void)ticket;
}

static const struct store_events events = { on_durable, must_not_fail, must_not_be_full };

static void make_message(struct fill *f)
{
	static const char address[] = "C=GB; A=GOLD; P=LONDON; O=Example; OU1=Operations; S=Sender; G=Some";
	struct message *m = &f->m;
	m->kind = MESSAGE_MESSAGE;
	m->id.domain = (struct gdi){ { ORA_PRINTABLE, VIEW("GB") }, { ORA_PRINTABLE, VIEW("GOLD") }, { ORA_PRINTABLE, VIEW("LONDON") },
				     true };
	must(oraddr_parse(VIEW(address), &m->originator, f->arena, ORADDR_CARRY, NULL), "address");
	m->content_type = 22;
	m->priority = PRIORITY_NORMAL;
	m->content_length = -1;
	m->rcpt = f->rcpt;
	for (uint32_t i = 0; i < ARRAY_LEN(f->rcpt); i++) {
		must(oraddr_parse(VIEW(address), &f->rcpt[i].addr, f->arena, ORADDR_CARRY, NULL), "address");
		f->rcpt[i].number = i + 1;
		f->rcpt[i].responsible = true;
	}
}

static void synced(void *ctx, const struct err *failed)
{
	struct fill *f = ctx;
	must(failed == NULL, "a content file cannot be synced");
	loop_stop(f->env);
}

static struct store_content *make_file(struct fill *f)
{
	struct err e;
	struct store_content *c = store_content_new(f->store, &e);
	must(c != NULL && store_content_append(c, view_of(f->content, LONG_OCTETS), &e), "a content file cannot be written");
	store_content_sync(c, synced, f);
	loop_run(f->env);
	return c;
}

static void put(struct fill *f, uint64_t i)
{
	const bool many = i % 10 == 0;
	snprintf(f->local, sizeof f->local, "LONDON-%016llx", (unsigned long long)(i * UINT64_C(0x9e3779b97f4a7c15)));
	f->m.id.local = view_str(f->local);
	f->m.n_rcpt = many ? 3 : 1;
	struct store_recipient r[] = { { &f->rcpt[0], STORE_RCPT_QUEUED, 0 },
				       { &f->rcpt[1], STORE_RCPT_QUEUED, 1 },
				       { &f->rcpt[2], STORE_RCPT_DELIVERED, 0 } };
	struct store_transfer t[] = { { VIEW("TOKYO"), 0, 0 }, { VIEW("PARIS"), 0, 0 } };
	struct store_delivery d = { VIEW("anna"), 2, 0 };
	struct store_message message = { .m = &f->m, .peer = VIEW("LONDON"), .content = view_of(f->content, OCTETS),
					 .arrived = 1767225600000, .expires = f->expires, .recipients = r, .n_recipients = f->m.n_rcpt,
					 .transfers = t, .n_transfers = many ? 2 : 1, .deliveries = &d, .n_deliveries = many ? 1 : 0 };
	if (i % 1000 == 1) {
		message.file = make_file(f);
		message.content = (struct view){ NULL, 0 };
	}
	const struct store_step step = { .kind = STEP_TRANSFER_IN, .id = &f->m.id, .peer = VIEW("LONDON"), .size = OCTETS,
					 .text = VIEW("C=JP; A=GOLD; P=TOKYO; S=Recipient"), .digest = { i, i + 1 } };
	store_put_message(f->store, &message);
	store_put_step(f->store, &step);
	store_content_free(&message.file);
}

int main(int argc, char **argv)
{
	must(argc == 3 || argc == 4, "usage: store_fill DIRECTORY MESSAGES [EXPIRES]");
	struct err e;
	const uint64_t n = strtoull(argv[2], NULL, 10);
	must(mkdir(argv[1], 0700) == 0, "the folder cannot be made");
	struct fill *f = mem_zero(sizeof *f);
	f->expires = argc == 4 ? strtoll(argv[3], NULL, 10) : 1767398400000;
	f->env = loop_new(argv[1]);
	f->arena = arena_new(ARENA);
	const struct store_config c = { "store.db", INLINE_MAX, 64 << 20 };
	f->store = store_open_sqlite(f->env, &c, &events, f, &e);
	must(f->store != NULL, e.text);
	make_message(f);
	for (uint64_t i = 0; i < n; i++) {
		put(f, i);
		if (i % GROUP != GROUP - 1 && i + 1 != n)
			continue;
		store_commit(f->store);
		env_run_timers(f->env);
	}
	store_close(&f->store);
	loop_free(&f->env);
	arena_free(&f->arena);
	free(f);
	return 0;
}
