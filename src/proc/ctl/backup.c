/* backup.c - `posthorn backup` and `posthorn restore`. The work is done here, in a process of its own: the MTA does not wait for it. */
#include "flow/store/backup.h"

#include "base/text.h"
#include "proc/ctl/ctl_int.h"
#include "proc/table/rows.h"
#include "sys/loop.h"
#include "sys/moment.h"

#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	EXIT_FOREIGN = 65, EXIT_NONE = 66, EXIT_COPY = 73, EXIT_IO = 74, EXIT_IN_USE = 75, /* sysexits.h */
	GENTLE = 10,              /* of nice(2) */
	REST_MS = 5,              /* work shorter than that is added up */
	PROGRESS_MS = 200,
	LINE_SHOWN = 60,
	TOLD_MAX = 500,           /* octets of a name in an event */
	MIN_FREE = 64 << 20,      /* where no settings say it */
};

#define STATUSES                                                                                                                 \
	"\nExit status: 0 done; 64 wrong usage; 65 not a store or backup of ours, or of a version that this program does not know;\n" \
	"66 there is none; 73 it cannot be written; 74 it cannot be read, or is not whole; 75 another backup is being made;\n"   \
	"78 the settings are wrong."

static const char backup_help[] =
	"usage: posthorn backup -c FILE|-d DIRECTORY [OPTIONS] TARGET\n"
	"\n"
	"Makes the new folder TARGET with all that the store has at one moment: messages, mailboxes, quarantine, journeys, and what interchanges\n"
	"and movers of Microsoft Mail remember. The MTA may run: it goes on meanwhile, and waits for nothing. TARGET gets its name when all of it\n"
	"is on disk, was checked as by posthorn check, and has a checksum of every file in TARGET/manifest; until then it is TARGET.part, and\n"
	"whatever ends the command leaves no TARGET. With -c the settings file is kept too, as TARGET/settings.yaml. Not in it: what peers are\n"
	"still handing over (they send it again from its beginning; it is said how many there are), and the postoffices themselves.\n"
	"\n"
	"Long contents are shared with the store by reflink or hard link when TARGET is on the same file system: copy TARGET to another\n"
	"machine. It goes slowly, to leave disk and processor to the MTA, and gives up when less than store.min-free (with -d: 64M) is free.\n"
	"\n"
	"  -c FILE, -d DIRECTORY   the MTA: its settings, or its store's directory\n"
	"  --fast                  without rests\n"
	"  --json                  what came of it as one JSON object\n"
	"  --quiet                 say nothing when all is well\n"
	"  --help                  this text\n" STATUSES;

static const char restore_help[] =
	"usage: posthorn restore [OPTIONS] BACKUP DIRECTORY\n"
	"\n"
	"Makes a store in DIRECTORY, which is new or empty, of what posthorn backup has made. Every file is compared with its checksum and the\n"
	"new store checked before it counts as one; whatever ends the command before leaves none. BACKUP stays as it is.\n"
	"\n"
	"What was handed over after the backup was made is in it as not handed over: an MTA that starts on it sends that again. With --hold\n"
	"everything that waits is held (posthorn queue list --held), to be looked through and released; what its originator has deferred to a\n"
	"time still to come waits for that.\n"
	"\n"
	"What interchanges and movers remember of their postoffices is brought back as it was then, and said: the postoffices are as they are now,\n"
	"so what was put into them after the backup would be put there twice. It is not when interchange-*/sent.* of the lost store's\n"
	"directory, where it can be read, is copied over that of DIRECTORY before the MTA starts. Transfers that peers were in the middle of\n"
	"begin again.\n"
	"\n"
	"  --hold        hold everything that waits, but for a time to come\n"
	"  --user NAME   started by root: whose the store is to be (else the owner of DIRECTORY if it is there, else the store's\n"
	"                when the backup was made)\n"
	"  --json        what came of it as one JSON object\n"
	"  --quiet       say nothing when all is well\n"
	"  --help        this text\n" STATUSES;

struct work {
	struct ctl c;
	bool fast, quiet, terminal, line;
	int64_t since_us, shown_us; /* work since the last rest */
	struct env *clock;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	interrupted = signal;
}

/* Ends the work in order, so that nothing is left of it. */
static void watch_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal };
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
}

static void wipe(struct work *w)
{
	if (w->line)
		fprintf(stderr, "\r%*s\r", LINE_SHOWN, "");
	w->line = false;
}

static void on_progress(void *ctx, const char *what, double share)
{
	struct work *w = ctx;
	const int64_t now = env_precise_us(w->clock);
	if (!w->terminal || now - w->shown_us < PROGRESS_MS * 1000)
		return;
	w->shown_us = now;
	w->line = true;
	fprintf(stderr, "\r%3d %% %-*s", (int)(share * 100), LINE_SHOWN - 8, what);
	fflush(stderr);
}

/* As long a rest as the work before it: whoever else needs the machine gets at least half of it. */
static bool on_rest(void *ctx)
{
	struct work *w = ctx;
	const int64_t took = (env_precise_us(w->clock) - w->since_us) / 1000;
	if (!w->fast && took >= REST_MS) {
		moment_wait_ms((unsigned)(took < 1000 ? took : 1000));
		w->since_us = env_precise_us(w->clock);
	}
	return interrupted == 0;
}

static int status_of(enum store_check_end end)
{
	switch (end) {
	case STORE_CHECK_DONE: return CTL_DONE;
	case STORE_CHECK_NONE: return EXIT_NONE;
	case STORE_CHECK_IN_USE: return EXIT_IN_USE;
	case STORE_CHECK_FOREIGN: return EXIT_FOREIGN;
	case STORE_CHECK_FAILED: return EXIT_IO;
	case STORE_CHECK_COPY: return EXIT_COPY;
	}
	return EXIT_IO;
}

static void begin(struct work *w, const char *command)
{
	*w = (struct work){ .terminal = isatty(STDERR_FILENO) == 1 };
	ctl_begin(&w->c, command);
	w->clock = loop_new(NULL);
	w->since_us = w->shown_us = env_precise_us(w->clock);
	umask(S_IRWXG | S_IRWXO); /* it is mail */
}

static int finish(struct work *w, int status)
{
	loop_free(&w->clock);
	ctl_end(&w->c);
	return status;
}

/* A folder's name without the slashes at its end. */
static const char *trimmed(struct ctl *c, const char *path)
{
	struct view v = view_str(path);
	while (v.n > 1 && v.p[v.n - 1] == '/')
		v.n--;
	return arena_str(c->arena, v);
}

/* --- backup --- */
static void print_json(const char *target, const struct store_backup_result *r)
{
	const struct { const char *name; uint64_t value; } numbers[] = {
		{ "messages", r->is.messages }, { "transfers", r->is.transfers }, { "deliveries", r->is.deliveries }, { "quarantined", r->is.quarantined },
		{ "files", r->files }, { "octets", r->octets }, { "msmail_files", r->beside }, { "under_way", r->partials } };
	struct out o;
	out_init(&o, 64 * 1024);
	rows_text(&o, "target", view_str(target));
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		rows_number(&o, numbers[i].name, numbers[i].value);
	ctl_print_json(out_view(&o));
	out_fini(&o);
}

static void print_backup(const struct work *w, const char *target, const struct store_backup_result *r)
{
	if (w->quiet)
		return;
	if (w->c.json)
		print_json(target, r);
	else
		printf("%s: %" PRIu64 " messages, %" PRIu64 " transfers, %" PRIu64 " deliveries, %" PRIu64 " in quarantine; %" PRIu64
		       " files, %" PRIu64 " octets, of these %" PRIu64 " files of interchanges and movers; %" PRIu64
		       " transfers left out that peers are in the middle of; whole\n",
		       target, r->is.messages, r->is.transfers, r->is.deliveries, r->is.quarantined, r->files, r->octets, r->beside, r->partials);
}

/* --- the MTA, if one runs, is told: it becomes an event there --- */
struct telling {
	const char *target, *why;
	const struct store_backup_result *made;
	int64_t took_us;
};

static bool on_done(void *ctx, struct view payload, struct err *e)
{
	struct msg_answer m;
	if (!get_msg_answer(payload, &m, e))
		return false;
	ctl_over(ctx, CTL_DONE);
	return true;
}

static void say_backed_up(struct ctl *c)
{
	const struct telling *t = c->user;
	const struct passwd *user = getpwuid(getuid());
	const struct msg_backed_up m = { .id = 1, .target = view_first(view_str(t->target), TOLD_MAX), .why = view_str(t->why),
					 .who = view_first(view_str(user == NULL ? "" : user->pw_name), TOLD_MAX), .messages = t->made->is.messages,
					 .octets = t->made->octets, .took_ms = (uint64_t)(t->took_us / 1000) };
	put_msg_backed_up(chan_begin(c->chan, MSG_BACKED_UP), &m);
	chan_end(c->chan);
}

static void tell(struct work *w, const struct telling *t)
{
	static const struct chan_type types[] = { { .type = MSG_DONE, .name = "DONE", .handle = on_done, .max = MSG_MAX_DONE } };
	w->c.silent = true; /* it need not run */
	w->c.user = (void *)(uintptr_t)t;
	(void)ctl_converse(&w->c, "control", types, ARRAY_LEN(types), say_backed_up);
	w->c.silent = false;
}

/* Who reads the event does not know where the command was given. */
static const char *whole_path(struct work *w, const char *target)
{
	char here[PATH_MAX];
	struct out o;
	if (*target == '/' || getcwd(here, sizeof here) == NULL)
		return target;
	out_init(&o, 2 * PATH_MAX);
	out_fmt(&o, "%s/%s", here, target);
	const char *path = arena_str(w->c.arena, out_view(&o));
	out_fini(&o);
	return path == NULL ? target : path;
}

static int run_backup(struct work *w, const char *target)
{
	struct err e;
	struct store_backup_result r = { .files = 0 };
	if (!ctl_find_mta(&w->c))
		return w->c.status;
	const int64_t began_us = env_precise_us(w->clock);
	struct env *env = loop_new(w->c.directory);
	const struct store_backup_config config = {
		.settings = w->c.config,
		.min_free = w->c.config != NULL ? w->c.settings.store.min_free : MIN_FREE,
		.now = moment_wall_ms(),
	};
	const struct store_backup_watch watch = { .progress = on_progress, .rest = on_rest, .ctx = w };
	const enum store_check_end end = store_backup(env, "store.db", target, &config, &watch, &r, &e);
	wipe(w);
	if (end == STORE_CHECK_DONE)
		print_backup(w, target, &r);
	else
		ctl_say(&w->c, status_of(end), "%s", e.text);
	const struct telling t = { .target = whole_path(w, target), .why = end == STORE_CHECK_DONE ? "" : e.text, .made = &r,
				   .took_us = env_precise_us(w->clock) - began_us };
	loop_free(&env);
	tell(w, &t);
	return status_of(end);
}

int ctl_backup(int argc, char **argv)
{
	struct work w;
	const struct ctl_option own[] = { { "fast", .flag = &w.fast, .letter = 'f' }, { "quiet", .flag = &w.quiet, .letter = 'q' } };
	begin(&w, "backup");
	if (!ctl_options(&w.c, argc, argv, backup_help, own, ARRAY_LEN(own)))
		return finish(&w, w.c.status);
	if (optind + 1 != argc || argv[optind][0] == 0)
		return finish(&w, ctl_say(&w.c, CTL_USAGE, "want one TARGET; --help tells more"));
	(void)setpriority(PRIO_PROCESS, 0, GENTLE); /* where that is refused it goes without */
	watch_signals();
	return finish(&w, run_backup(&w, trimmed(&w.c, argv[optind])));
}

/* --- restore --- */
static bool user_named(const char *name, struct store_restore_config *config_io)
{
	uint64_t number;
	const struct passwd *pw = getpwnam(name);
	if (pw == NULL && text_uint(view_str(name), UINT32_MAX - 1, &number))
		pw = getpwuid((uid_t)number);
	if (pw == NULL)
		return false;
	config_io->give = true;
	config_io->user = pw->pw_uid;
	config_io->group = pw->pw_gid;
	return true;
}

/* Only root gives files away. */
static bool find_user(struct work *w, const char *user, const char *backup, const char *directory, struct store_restore_config *config_io)
{
	char owner[64];
	struct stat st;
	struct err e;
	if (user != NULL)
		return user_named(user, config_io) || (ctl_say(&w->c, CTL_USAGE, "user \"%s\" is not known here", user), false);
	if (geteuid() != 0)
		return true;
	if (stat(directory, &st) == 0) {
		config_io->give = true;
		config_io->user = st.st_uid;
		config_io->group = st.st_gid;
	} else if (store_backup_owner(backup, owner, sizeof owner, &e) && !user_named(owner, config_io)) {
		ctl_say(&w->c, CTL_USAGE, "user \"%s\", whose the store was, is not known here: name another with --user", owner);
		return false;
	}
	return true; /* a backup that cannot be read is told of by who reads it */
}

static void print_restore(const struct work *w, const struct store_restore_result *r)
{
	char when[24] = "";
	struct tm tm;
	const time_t seconds = (time_t)(r->taken / 1000);
	printf(w->c.json ? "{\"messages\":%" PRIu64 ",\"transfers\":%" PRIu64 ",\"deliveries\":%" PRIu64 ",\"quarantined\":%" PRIu64
			   ",\"held\":%" PRIu64 ",\"msmail_files\":%" PRIu64 "}\n"
			 : "%" PRIu64 " messages, %" PRIu64 " transfers, %" PRIu64 " deliveries, %" PRIu64 " in quarantine; %" PRIu64
			   " held; %" PRIu64 " files of interchanges and movers; whole\n",
	       r->is.messages, r->is.transfers, r->is.deliveries, r->is.quarantined, r->held, r->beside);
	if (w->c.json || r->beside == 0)
		return;
	if (gmtime_r(&seconds, &tm) != NULL)
		strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
	printf("What interchanges and movers remember is of %s, their postoffices are as they are now: what was put into them since goes there\n"
	       "again, unless it is held, or interchange-*/sent.* of the store's last directory is copied here before the MTA starts.\n", when);
}

static int run_restore(struct work *w, const char *backup, const char *directory, const struct store_restore_config *config)
{
	struct err e;
	struct store_restore_result r;
	const struct store_backup_watch watch = { .progress = on_progress, .rest = on_rest, .ctx = w };
	const enum store_check_end end = store_restore(backup, directory, config, &watch, &r, &e);
	wipe(w);
	if (end != STORE_CHECK_DONE)
		return ctl_say(&w->c, status_of(end), "%s", e.text);
	if (!w->quiet)
		print_restore(w, &r);
	return CTL_DONE;
}

int ctl_restore(int argc, char **argv)
{
	struct work w;
	struct store_restore_config config = { .now = moment_wall_ms() };
	const char *user = NULL;
	static const struct option options[] = { { "hold", no_argument, NULL, 'o' },  { "user", required_argument, NULL, 'u' },
						 { "json", no_argument, NULL, 'j' },  { "quiet", no_argument, NULL, 'q' },
						 { "help", no_argument, NULL, 'h' },  { 0 } };
	begin(&w, "restore");
	w.fast = true; /* nobody else works on it */
	for (int c; (c = getopt_long(argc, argv, "ou:jqh", options, NULL)) != -1;)
		switch (c) {
		case 'o': config.hold = true; break;
		case 'u': user = optarg; break;
		case 'j': w.c.json = true; break;
		case 'q': w.quiet = true; break;
		case 'h': puts(restore_help); return finish(&w, CTL_DONE);
		default: return finish(&w, CTL_USAGE);
		}
	if (optind + 2 != argc || argv[optind][0] == 0 || argv[optind + 1][0] == 0)
		return finish(&w, ctl_say(&w.c, CTL_USAGE, "want BACKUP and DIRECTORY; --help tells more"));
	const char *backup = trimmed(&w.c, argv[optind]), *directory = trimmed(&w.c, argv[optind + 1]);
	if (!find_user(&w, user, backup, directory, &config))
		return finish(&w, w.c.status);
	watch_signals();
	return finish(&w, run_restore(&w, backup, directory, &config));
}
