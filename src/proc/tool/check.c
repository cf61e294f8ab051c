/* check.c - `posthorn check`: is a store whole, offline; and a whole copy of one that is not. */
#include "base/mem.h"
#include "flow/store/check.h"
#include "proc/tool/tool.h"
#include "sys/loop.h"

#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	EXIT_VIOLATED = 1,
	EXIT_USAGE = 64,
	EXIT_FOREIGN = 65,
	EXIT_NONE = 66,
	EXIT_COPY = 73,
	EXIT_IO = 74,
	EXIT_IN_USE = 75,
	PROGRESS_US = 200000,
	LINE_MAX_SHOWN = 79,
};

static const char help[] =
	"usage: posthorn check DIRECTORY|FILE [--json] [--quiet]\n"
	"       posthorn check --repair --output COPY DIRECTORY|FILE [--json] [--quiet]\n"
	"\n"
	"Proves that the store in DIRECTORY (or the database FILE of one) is whole: one sentence for each thing that is not, then\n"
	"totals. The MTA must not run on it. Nothing is written to.\n"
	"\n"
	"  --repair        make a whole store of what can be read, in the new or empty folder of --output; the original stays as it\n"
	"                  is. All that is taken away or changed is kept in COPY/removed, with the reason in COPY/removed/index.jsonl\n"
	"  --output COPY   the folder of the copy\n"
	"  --json          one JSON object a line\n"
	"  --quiet         no sentences and no totals\n"
	"  --help          this text\n"
	"\n"
	"Exit status: 0 it is whole, or the copy is; 1 it is not whole; 64 wrong usage; 65 not a store of ours, or of a version that\n"
	"this program does not know; 66 there is no store; 73 the copy cannot be made; 74 it cannot be read; 75 an MTA runs on it.\n";

struct options {
	const char *path, *output;
	bool repair, json, quiet;
};

struct view_of_it { /* what the person sees */
	const struct options *o;
	struct env *env;
	bool terminal, line; /* line: a progress line stands */
	int64_t began_us, shown_us;
	const char *what; /* the part of the work that is going on, since when, and the rows before it */
	int64_t since_us;
	uint64_t before, rows;
};

/* --- what is seen --- */
static void wipe(struct view_of_it *s)
{
	if (s->line)
		fprintf(stderr, "\r%*s\r", LINE_MAX_SHOWN, "");
	s->line = false;
}

static void print_json(const char *key, const char *text)
{
	printf("{\"%s\":\"", key);
	for (const char *c = text; *c != 0; c++) {
		const unsigned char u = (unsigned char)*c;
		if (u == '"' || u == '\\')
			printf("\\%c", u);
		else if (u < 0x20 || u > 0x7e)
			printf("\\u%04x", u);
		else
			putchar(u);
	}
	puts("\"}");
}

static void sentence(struct view_of_it *s, const char *key, const char *text)
{
	if (s->o->quiet)
		return;
	wipe(s);
	if (s->o->json)
		print_json(key, text);
	else
		printf("%s%s\n", strcmp(key, "did") == 0 ? "repaired: " : "", text);
}

static void on_found(void *ctx, const char *text)
{
	struct view_of_it *s = ctx;
	sentence(s, "found", text);
}

static void on_did(void *ctx, const char *text)
{
	sentence(ctx, "did", text);
}

static void on_progress(void *ctx, const char *what, double share, uint64_t rows)
{
	struct view_of_it *s = ctx;
	const int64_t now = s->terminal ? env_precise_us(s->env) : 0;
	if (!s->terminal || now - s->shown_us < PROGRESS_US)
		return;
	if (s->what == NULL || strcmp(what, s->what) != 0) {
		s->what = what;
		s->since_us = s->shown_us;
		s->before = s->rows < rows ? s->rows : rows;
	}
	s->shown_us = now;
	s->rows = rows;
	char left[32] = "", rate[64] = "";
	const double took = (double)(now - s->began_us) / 1e6, here = (double)(now - s->since_us) / 1e6;
	if (share > 0.02) {
		const long seconds = (long)(took * (1 - share) / share + 0.5);
		snprintf(left, sizeof left, ", %ld:%02ld left", seconds / 60, seconds % 60);
	}
	if (rows > s->before && here > 0)
		snprintf(rate, sizeof rate, ", %.0f rows/s", (double)(rows - s->before) / here);
	char line[200];
	snprintf(line, sizeof line, "%3d %% %s%s%s", (int)(share * 100), what, rate, left);
	fprintf(stderr, "\r%-*.*s", LINE_MAX_SHOWN, LINE_MAX_SHOWN, line);
	fflush(stderr);
	s->line = true;
}

/* --- totals --- */
static void totals(const struct options *o, const struct store_check_result *r, uint64_t found)
{
	const char *form = o->json ? "{\"messages\":%llu,\"recipients\":%llu,\"transfers\":%llu,\"deliveries\":%llu,\"quarantined\":%llu,"
				     "\"steps\":%llu,\"files\":%llu,\"violations\":%llu}\n"
				   : "%llu messages, %llu recipients, %llu transfers, %llu deliveries, %llu in quarantine, %llu steps, "
				     "%llu content files: %llu violations\n";
	if (!o->quiet)
		printf(form, (unsigned long long)r->messages, (unsigned long long)r->recipients, (unsigned long long)r->transfers,
		       (unsigned long long)r->deliveries, (unsigned long long)r->quarantined, (unsigned long long)r->steps,
		       (unsigned long long)r->files, (unsigned long long)found);
}

static void repair_totals(const struct options *o, const struct store_repair_result *r)
{
	const char *form = o->json ? "{\"damages\":%llu,\"changed\":%llu,\"removed\":%llu}\n"
				   : "the original has %llu damages that were seen while reading; %llu rows are changed, %llu things removed\n";
	if (!o->quiet)
		printf(form, (unsigned long long)r->found, (unsigned long long)r->changed, (unsigned long long)r->removed);
	totals(o, &r->is, r->is.found);
}

static int status_of(enum store_check_end end)
{
	switch (end) {
	case STORE_CHECK_DONE: return 0;
	case STORE_CHECK_NONE: return EXIT_NONE;
	case STORE_CHECK_IN_USE: return EXIT_IN_USE;
	case STORE_CHECK_FOREIGN: return EXIT_FOREIGN;
	case STORE_CHECK_FAILED: return EXIT_IO;
	case STORE_CHECK_COPY: return EXIT_COPY;
	}
	return EXIT_IO;
}

/* --- the work --- */
/* DIRECTORY, or the folder of FILE. */
static void split(const char *path, struct out *folder, const char **name_r)
{
	struct stat st;
	const char *slash = strrchr(path, '/');
	*name_r = "store.db";
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		out_str(folder, path);
		return;
	}
	*name_r = slash == NULL ? path : slash + 1;
	if (slash == NULL)
		out_str(folder, ".");
	else
		out_bytes(folder, view_of(path, slash == path ? 1 : (size_t)(slash - path)));
}

static int run(const struct options *o)
{
	struct out folder;
	const char *name;
	struct err e;
	out_init(&folder, 1 << 16);
	split(o->path, &folder, &name);
	struct env *env = loop_new(out_cstr(&folder)), *copy = o->repair ? loop_new(o->output) : NULL;
	struct view_of_it s = {.o = o, .env = env, .terminal = !o->quiet && isatty(STDERR_FILENO), .began_us = env_precise_us(env)};
	s.shown_us = s.began_us;
	const struct store_check_watch w = {.found = on_found, .did = on_did, .progress = on_progress, .ctx = &s};
	struct store_check_result checked;
	struct store_repair_result repaired;
	const enum store_check_end end =
		o->repair ? store_repair(env, name, copy, &w, &repaired, &e) : store_check_watched(env, name, &w, &checked, &e);
	wipe(&s);
	int status = status_of(end);
	if (end != STORE_CHECK_DONE)
		fprintf(stderr, "posthorn check: %s%s\n", e.text, end == STORE_CHECK_COPY ? " (the original is as it was)" : "");
	else if (o->repair)
		repair_totals(o, &repaired);
	else
		totals(o, &checked, checked.found);
	if (end == STORE_CHECK_DONE && !o->repair && checked.found > 0)
		status = EXIT_VIOLATED;
	loop_free(&copy);
	loop_free(&env);
	out_fini(&folder);
	if (fflush(stdout) != 0) {
		fprintf(stderr, "posthorn check: cannot write\n");
		status = EXIT_IO;
	}
	return status;
}

static int usage(const char *what)
{
	fprintf(stderr, "posthorn check: %s; --help tells more\n", what);
	return EXIT_USAGE;
}

int tool_check(int argc, char **argv)
{
	struct options o = {0};
	static const struct option options[] = {{"repair", no_argument, NULL, 'r'}, {"output", required_argument, NULL, 'o'},
						{"json", no_argument, NULL, 'j'},   {"quiet", no_argument, NULL, 'q'},
						{"help", no_argument, NULL, 'h'},   {0}};
	for (int c; (c = getopt_long(argc, argv, "ro:jqh", options, NULL)) != -1;)
		switch (c) {
		case 'r': o.repair = true; break;
		case 'o': o.output = optarg; break;
		case 'j': o.json = true; break;
		case 'q': o.quiet = true; break;
		case 'h': fputs(help, stdout); return 0;
		default: return EXIT_USAGE;
		}
	if (optind + 1 != argc)
		return usage("want one DIRECTORY or FILE");
	if (o.repair != (o.output != NULL))
		return usage("--repair and --output COPY go together");
	o.path = argv[optind];
	umask(S_IRWXG | S_IRWXO); /* the copy is mail, whoever may look into its folder */
	return run(&o);
}
