/* main.c - argv[1] -> subcommand. Children of the supervisor come in by `--process KIND INSTANCE`. */
#include "base/text.h"
#include "base/version.h"
#include "proc/console/console.h"
#include "proc/content/content.h"
#include "proc/content/converter.h"
#include "proc/ctl/ctl.h"
#include "proc/interchange/interchange.h"
#include "proc/link/link.h"
#include "proc/mover/mover.h"
#include "proc/reader/reader.h"
#include "proc/recorder/recorder.h"
#include "proc/switch/switch.h"
#include "proc/table/config.h"
#include "proc/tool/tool.h"
#include "sys/descriptors.h"
#include "sys/jail.h"

#include <errno.h>
#include <getopt.h>

enum { EXIT_USAGE = 64, EXIT_OSERR = 71, EXIT_IO = 74, NEAR = 2 /* a typing error or two */ };

struct command {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0]: "posthorn NAME", as getopt says it */
	const char *what;
};

static int cmd_run(int argc, char **argv)
{
	const char *path = NULL;
	static const struct option options[] = { { "config", required_argument, NULL, 'c' }, { "help", no_argument, NULL, 'h' }, { 0 } };
	for (int c; (c = getopt_long(argc, argv, "c:h", options, NULL)) != -1;)
		switch (c) {
		case 'c': path = optarg; break;
		case 'h':
			puts("usage: posthorn run -c FILE\n\n"
			     "Runs the MTA that FILE describes, in the foreground, until SIGTERM or SIGINT. Events go to standard error.\n"
			     "Exit status: 0 ended as asked, 64 wrong usage, 69 an address is in use, 73 the store cannot be opened,\n"
			     "75 another instance runs on it, 78 the settings are wrong.");
			return 0;
		default: return EXIT_USAGE;
		}
	if (path == NULL || optind < argc) {
		fprintf(stderr, "posthorn run: want -c FILE and nothing else\n");
		return EXIT_USAGE;
	}
	const struct config_reader reader = { config_read, config_compare };
	return supervisor_run(&reader, path);
}

static const struct command commands[] = {
	{ "run", cmd_run, "run the MTA that a settings file describes" },
	{ "demo", ctl_demo, "four sites on loopback: London - Paris - Tokyo, and a postoffice" },
	{ "send", ctl_send, "submit a message" },
	{ "read", ctl_read, "list and show what lies in a mailbox" },
	{ "status", ctl_status, "links, queues, totals" },
	{ "metrics", ctl_metrics, "everything that is counted, as Prometheus reads it" },
	{ "queue", ctl_queue, "list what waits; hold, release, retry, reroute, return, delete" },
	{ "quarantine", ctl_quarantine, "what was set aside: list, show, export, release, delete" },
	{ "link", ctl_link, "a link's associations; retry, close, stop, start it" },
	{ "route", ctl_route, "where an address goes now, and why" },
	{ "show", ctl_show, "one stored message: its envelope, and its content as text" },
	{ "trace", ctl_trace, "the journey of a message, with durations" },
	{ "track", ctl_track, "which messages fit an address, subject, time, event" },
	{ "events", ctl_events, "what has happened, live too; every kind of event; how much is said of what" },
	{ "console-password", ctl_console_password, "the line of the settings for somebody who may log in to the console" },
	{ "bench", tool_bench, "send load over P1, and swallow what is relayed" },
	{ "reload", ctl_reload, "have a running MTA read its settings file again, and show what changes" },
	{ "check-config", ctl_check_config, "check a settings file, print it in canonical form" },
	{ "check", tool_check, "is a store whole? offline; and a whole copy of one that is not" },
	{ "backup", ctl_backup, "a copy of the store at one moment, while the MTA runs or not" },
	{ "restore", ctl_restore, "a store made of a backup" },
	{ "postoffice", tool_postoffice, "Microsoft Mail postoffices: make, mend, look into, send and read" },
	{ "decode", tool_decode, "show every layer of a capture or of octets" },
};

static int usage(FILE *f)
{
	fputs("usage: posthorn COMMAND [OPTIONS]\n\n", f);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(f, "  %-14s %s\n", commands[i].name, commands[i].what);
	fputs("\nposthorn COMMAND --help tells more.\n", f);
	return f == stdout ? 0 : EXIT_USAGE;
}

/* Of a process with the files of a postoffice: no confinement to directories, which would hold on to the file server of the start when that is
 * mounted anew. What a message says is converted in the converter, which is in its own jail. */
static bool give_up_privileges(const char *kind)
{
	const struct jail_limits none = { .memory = 0 };
	struct err e;
	if (jail_enter(JAIL_NONE, &none, jail_build_flags(), &e))
		return true;
	fprintf(stderr, "posthorn: %s: %s\n", kind, e.text);
	return false;
}

static int run_process(const char *kind, const char *instance_text)
{
	static const struct {
		enum process_kind kind;
		int (*run)(uint32_t instance);
		bool has_files;
	} mains[] = {
		{ PROCESS_SWITCH, switch_main },
		{ PROCESS_LINK, link_main },
		{ PROCESS_ALONE, link_alone_main },
		{ PROCESS_READER, reader_main },
		{ PROCESS_RECORDER, recorder_main },
		{ PROCESS_CONTENT, content_main },
		{ PROCESS_CONVERTER, converter_main },
		{ PROCESS_CONSOLE, console_main },
		{ PROCESS_INTERCHANGE, interchange_main, .has_files = true },
		{ PROCESS_MOVER, mover_main, .has_files = true },
	};
	uint32_t instance = (uint32_t)strtoul(instance_text, NULL, 10);
	for (size_t i = 0; i < ARRAY_LEN(mains); i++)
		if (strcmp(kind, process_kind_name(mains[i].kind)) == 0)
			return mains[i].has_files && !give_up_privileges(kind) ? EXIT_OSERR : mains[i].run(instance);
	fprintf(stderr, "posthorn: no process is called \"%s\"\n", kind);
	return EXIT_USAGE;
}

static int unknown(const char *word)
{
	size_t nearest = 0, distance = NEAR + 1;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const size_t d = text_distance(word, commands[i].name);
		nearest = d < distance ? i : nearest;
		distance = d < distance ? d : distance;
	}
	fprintf(stderr, "posthorn: no command is called \"%s\"; ", word);
	if (distance <= NEAR)
		fprintf(stderr, "did you mean \"%s\"? ", commands[nearest].name);
	fprintf(stderr, "posthorn --help lists them\n");
	return EXIT_USAGE;
}

/* What a file has no room for is not done, whoever reads the status. */
static int ended(const char *name, int status)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (status != EXIT_IO) /* else it has said so */
		fprintf(stderr, "%s: standard output cannot be written%s%s\n", name, errno == 0 ? "" : ": ", errno == 0 ? "" : strerror(errno));
	return status == 0 ? EXIT_IO : status;
}

static int run_command(const struct command *k, int argc, char **argv)
{
	char name[64];
	snprintf(name, sizeof name, "posthorn %s", k->name);
	argv[0] = name;
	return ended(name, k->run(argc, argv));
}

int main(int argc, char **argv)
{
	if (!descriptors_take_standard())
		return EXIT_OSERR;
	if (argc == 4 && strcmp(argv[1], "--process") == 0)
		return run_process(argv[2], argv[3]);
	if (argc < 2)
		return usage(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
		return ended("posthorn", usage(stdout));
	if (strcmp(argv[1], "--version") == 0) {
		puts("posthorn " POSTHORN_VERSION);
		return ended("posthorn", 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return run_command(&commands[i], argc - 1, argv + 1);
	return unknown(argv[1]);
}
