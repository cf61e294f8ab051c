/* main.c - the console process in the real world. */
#include "proc/console/console.h"

#include "flow/wire/scrypt.h"
#include "proc/table/process_main.h"
#include "sys/descriptors.h"
#include "sys/jail.h"

enum { MEMORY = 1024 * 1024 * 1024 };

struct console_process {
	struct process_main main;
	struct console *console;
};

static void on_peer(void *ctx, enum process_kind kind, uint32_t instance, bool bulk, struct stream *s)
{
	(void)ctx;
	(void)kind;
	(void)instance;
	(void)bulk;
	stream_close(&s, false); /* it asks at the sockets, as the commands do */
}

static void on_listening(void *ctx, const char *listener, uint64_t number, int fd)
{
	struct console_process *p = ctx;
	(void)listener;
	console_listening(p->console, number, fd);
}

static void take(void *ctx, const struct settings *old, const struct settings *now)
{
	struct console_process *p = ctx;
	(void)old;
	console_settings(p->console, now);
}

static void on_settings(void *ctx)
{
	struct console_process *p = ctx;
	process_main_settings(&p->main, take, p);
}

static void on_stop(void *ctx)
{
	struct console_process *p = ctx;
	process_finished(p->main.process, 0);
}

/* The library that looks at passwords reads its settings the first time: not from inside the jail. The cheapest line there is. */
static void warm_up(void)
{
	if (scrypt_check("$scrypt$ln=10,r=1,p=1$AAECAwQFBgcICQoLDA0ODw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", VIEW("")))
		CANT_HAPPEN("a password of nobody's was right");
}

int console_main(uint32_t instance)
{
	struct console_process p = { 0 };
	const struct jail_limits limits = { .memory = MEMORY };
	struct err e;
	process_main_begin(&p.main, PROCESS_CONSOLE, instance);
	warm_up();
	const size_t descriptors = descriptors_allow(CONSOLE_DESCRIPTORS);
	if (!jail_enter(JAIL_CONSOLE, &limits, jail_build_flags(), &e)) {
		p.main.host.die(p.main.host.ctx, &e);
		process_main_end(&p.main);
		return 70;
	}
	p.console = console_new(&p.main.host, p.main.settings, process_board(p.main.process), descriptors);
	const struct process_events events = { .peer = on_peer, .listening = on_listening, .settings = on_settings, .stop = on_stop };
	int status = process_main_run(&p.main, &events, &p);
	console_free(&p.console);
	process_main_end(&p.main);
	return status;
}
