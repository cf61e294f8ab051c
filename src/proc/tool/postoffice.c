/* postoffice.c - `posthorn postoffice`: verbs and options. What the verbs do with messages is in postoffice_*.c. */
#include "proc/tool/postoffice.h"

#include "base/mem.h"
#include "base/text.h"
#include "proc/tool/tool.h"

#include <errno.h>
#include <getopt.h>
#include <sys/stat.h>
#include <time.h>

struct verb {
	const char *words;
	po_verb_f *run;
	const char *options; /* letters of long_options */
	size_t args_min, args_max;
	bool opens;          /* the postoffice is attached before run */
	bool reads;          /* for reading only */
	const char *usage;
};

static const struct option long_options[] = {
	{ "name", required_argument, NULL, 'n' },     { "serial", required_argument, NULL, 's' },   { "repair", no_argument, NULL, 'r' },
	{ "json", no_argument, NULL, 'j' },	      { "friendly", required_argument, NULL, 'f' }, { "via", required_argument, NULL, 'v' },
	{ "type", required_argument, NULL, 't' },     { "from", required_argument, NULL, 'F' },	    { "to", required_argument, NULL, 'T' },
	{ "cc", required_argument, NULL, 'C' },	      { "subject", required_argument, NULL, 'S' },  { "text", required_argument, NULL, 'x' },
	{ "text-file", required_argument, NULL, 'X' }, { "attach", required_argument, NULL, 'a' },  { "priority", required_argument, NULL, 'p' },
	{ "receipt", no_argument, NULL, 'R' },	      { "save", required_argument, NULL, 'd' },	    { "delete", no_argument, NULL, 'D' },
	{ "code-page", required_argument, NULL, 'c' }, { "scramble", required_argument, NULL, 'm' }, { "line-end", required_argument, NULL, 'l' },
	{ "help", no_argument, NULL, 'h' },	      { 0 },
};

/* --- verbs that make and mend --- */
static bool parse_postoffice(const char *text, struct mm_name *name_r, struct err *e)
{
	struct mm_name name;
	char shown[64];
	if (!mm_name_parse(view_str(text), &name, e))
		return false;
	if (name.mailbox[0] != 0)
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "\"%s\" has three parts, want NETWORK/POSTOFFICE", text_escaped(shown, sizeof shown, view_str(text)));
	*name_r = name;
	return true;
}

static int failed(const struct err *e)
{
	return po_tool_status(e);
}

static int run_create(struct po_tool *t, struct err *e)
{
	struct mm_name own;
	if (t->name == NULL) {
		err_set(e, ERR_PERM, ERR_OF_PROCESS, "want --name NETWORK/POSTOFFICE");
		return PO_EXIT_USAGE;
	}
	if (!parse_postoffice(t->name, &own, e))
		return PO_EXIT_USAGE;
	if (!postoffice_create(t->args[0], &own, t->serial, &(struct postoffice_host){ 0 }, e))
		return e->kind == ERR_PERM ? PO_EXIT_USAGE : PO_EXIT_CREATE;
	if (!postoffice_open(t->args[0], POSTOFFICE_READ_ONLY, t->scramble, &(struct postoffice_host){ 0 }, &t->po, e))
		return failed(e);
	printf("%s/%s is made in %s; its serial number is %s\n", own.network, own.postoffice, t->args[0], postoffice_master(t->po)->serial);
	return 0;
}

static int run_user_add(struct po_tool *t, struct err *e)
{
	struct out page;
	if (t->friendly == NULL)
		return postoffice_add_user(t->po, t->args[1], NULL, e) ? 0 : failed(e);
	out_init(&page, 2 * strlen(t->friendly) + 2);
	const bool has_all = charset_page_from_utf8(t->kit, t->code_page, view_str(t->friendly), &page) == 0 ||
			     err_set(e, ERR_PERM, ERR_OF_LINK, "the name \"%.60s\" has characters that code page %u has not", t->friendly, t->code_page);
	const bool ok = has_all && postoffice_add_user(t->po, t->args[1], out_cstr(&page), e);
	out_fini(&page);
	return ok ? 0 : failed(e);
}

static int run_group_add(struct po_tool *t, struct err *e)
{
	return postoffice_add_group(t->po, t->args[1], t->args + 2, t->n_args - 2, e) ? 0 : failed(e);
}

static int run_external_add(struct po_tool *t, struct err *e)
{
	struct mm_name other, via;
	if (!parse_postoffice(t->args[1], &other, e) || (t->via != NULL && !parse_postoffice(t->via, &via, e)))
		return PO_EXIT_USAGE;
	return postoffice_add_external(t->po, &other, t->via == NULL ? NULL : &via, e) ? 0 : failed(e);
}

static int run_gateway_add(struct po_tool *t, struct err *e)
{
	struct mm_name via;
	if (t->via != NULL && !parse_postoffice(t->via, &via, e))
		return PO_EXIT_USAGE;
	return postoffice_add_gateway(t->po, t->args[1], t->type, t->via == NULL ? NULL : &via, e) ? 0 : failed(e);
}

static void on_finding(void *ctx, const char *file, const char *what, bool mended)
{
	const struct po_tool *t = ctx;
	bool first = true;
	if (!t->json) {
		printf("%s%s: ", mended ? "mended: " : "", file);
		po_print_line(t, t->code_page, view_str(what)); /* subjects, names: as the postoffice has them */
		putchar('\n');
		return;
	}
	putchar('{');
	po_json_text(t, &first, "file", CHARSET_PAGE_UTF8, view_str(file));
	po_json_text(t, &first, "found", t->code_page, view_str(what));
	printf(",\"mended\":%s}\n", mended ? "true" : "false");
}

static int run_check(struct po_tool *t, struct err *e)
{
	struct postoffice_findings n;
	if (!postoffice_open(t->args[0], POSTOFFICE_UNCHECKED | (t->repair ? 0 : POSTOFFICE_READ_ONLY), t->scramble, &(struct postoffice_host){ 0 }, &t->po, e) ||
	    !postoffice_check(t->po, t->repair, on_finding, t, &n, e))
		return failed(e);
	const char *form = t->json ? "{\"found\":%u,\"mended\":%u,\"messages\":%u,\"orphans\":%u}\n"
				   : "%u findings, %u mended; %u messages, %u files that nobody names\n";
	printf(form, n.found, n.mended, n.messages, n.orphans);
	return n.found > n.mended ? PO_EXIT_FOUND : 0;
}

static int run_repair(struct po_tool *t, struct err *e)
{
	t->repair = true;
	return run_check(t, e);
}

#define COMMON_READ "  --code-page N        of texts that do not say theirs: 437, 850 (default), 1252, ...\n" \
		    "  --scramble none|chain   how message files are scrambled; none is the default, docs/postoffice-format.md\n"
static const struct verb verbs[] = {
	{ "create", run_create, "nsm", 1, 1, false, false,
	  "PATH --name NETWORK/POSTOFFICE [--serial NN-NNNNN]\n\n"
	  "Makes a postoffice in PATH, which is empty or not there yet. Without --serial the serial number is a random one; two postoffices\n"
	  "with the same one must never meet (22-28798 is what every Exchange connector had).\n" },
	{ "check", run_check, "rjm", 1, 1, false, false,
	  "PATH [--repair] [--json]\n\n"
	  "Is it whole? One line for each thing that is not: sizes, counters, KEY and MBG, networks and their postoffices, users, messages and\n"
	  "who holds them, files that nobody names. With --repair what can be mended is, while nothing else may work on it; a copy (.BAK, .B01,\n"
	  "...) of a file is made beside it before it is changed.\n" },
	{ "repair", run_repair, "jm", 1, 1, false, false, "PATH [--json]\n\nThe same as check --repair.\n" },
	{ "list", po_tool_list, "jcm", 1, 2, true, true,
	  "PATH [bags|users|postoffices|groups] [--json]\n\n"
	  "Who and what is there; all of it when not said what.\n" },
	{ "user add", run_user_add, "fc", 2, 2, true, false,
	  "PATH MAILBOX [--friendly NAME] [--code-page N]\n\nA local user with a mailbag. NAME is written in code page N, 850 when it is not said.\n" },
	{ "group add", run_group_add, "", 3, PO_LIST_MAX, true, false, "PATH GROUP MAILBOX ...\n\nA group with local members.\n" },
	{ "external add", run_external_add, "v", 2, 2, true, false,
	  "PATH NETWORK/POSTOFFICE [--via NETWORK/POSTOFFICE]\n\n"
	  "Another postoffice: with a mailbag of its own, or reached by way of one that is there and has.\n" },
	{ "gateway add", run_gateway_add, "tv", 2, 2, true, false,
	  "PATH NETWORK [--type 0x64] [--via NETWORK/POSTOFFICE]\n\nA network that a gateway serves: SMTP, X400, FAX, ...; 0x64 is one with the File Format API.\n"
	  "  --via NETWORK/POSTOFFICE   the gateway is there: its mail goes into the mailbag of that postoffice\n" },
	{ "show", po_tool_show, "jcm", 2, 3, true, true,
	  "PATH BAG [SLOT] [--json] [options]\n\n"
	  "The records of a mailbag; or one of them with its envelope, its message and its text.\n"
	  "BAG is INQUEUE3, INQUEUE, SYSTEM, a mailbox, NETWORK/POSTOFFICE, a gateway's network, or a mailbag's eight digits.\n" COMMON_READ },
	{ "send", po_tool_send, "FTCSxXapRcmj", 1, 1, true, false,
	  "PATH --from MAILBOX --to ADDRESS [--to ...] [--cc ...] [options]\n\n"
	  "Puts a message into the mailbags, as a Mail client does.\n\n"
	  "  --from MAILBOX       a local user\n"
	  "  --to, --cc ADDRESS   NETWORK/POSTOFFICE/MAILBOX, a mailbox or group here, or TYPE:ADDRESS of a gateway's network\n"
	  "  --subject TEXT, --text TEXT, --text-file FILE\n"
	  "  --attach FILE        may be repeated\n"
	  "  --priority 1..5|R|C|F|T   1 is low, 5 high\n"
	  "  --receipt            ask for one\n" COMMON_READ },
	{ "read", po_tool_read, "jdDcm", 2, 3, true, true,
	  "PATH MAILBOX [SLOT] [--save DIRECTORY] [--delete] [--json]\n\n"
	  "What lies in a mailbox; or one message. --save puts its attachments into DIRECTORY, --delete takes it out of the mailbox.\n" COMMON_READ },
	{ "import", po_tool_import, "Dcm", 2, 2, true, false,
	  "PATH DIRECTORY [--delete]\n\n"
	  "Posts the File Format API message files of DIRECTORY. One with a recipient who cannot be served is left and named, the others go on.\n"
	  "A bare name in FROM and TO is a mailbox of this postoffice. Message files that name each other as their files are left and named.\n"
	  "  --delete             the files that were posted are removed\n" COMMON_READ },
	{ "export", po_tool_export, "Dlcm", 3, 3, true, true,
	  "PATH BAG DIRECTORY [--line-end cr|lf|crlf] [--delete]\n\n"
	  "Writes the messages of a mailbag as File Format API message files, xxxxxxxx.TXT, attachments in them.\n"
	  "  --line-end           cr (-f0, the default), lf (-f1), crlf (-f2)\n"
	  "  --delete             what was written is taken out of the mailbag\n" COMMON_READ },
};

static const char statuses[] =
	"\nExit status: 0 done, 1 something is wrong with it or the request is refused, 64 wrong usage, 65 files that cannot be read as messages, 66 there is\n"
	"no postoffice, 73 it cannot be made, 74 its file server fails, 75 somebody else holds it, or its disk is full, just now.\n";

static int usage_all(FILE *f)
{
	fputs("usage: posthorn postoffice VERB PATH [arguments]\n\nMicrosoft Mail postoffices: made, mended, looked into, and mail in and out of them.\n\n", f);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		fprintf(f, "  posthorn postoffice %s %.*s\n", verbs[i].words, (int)strcspn(verbs[i].usage, "\n"), verbs[i].usage);
	fputs("\nposthorn postoffice VERB --help tells more.\n", f);
	fputs(statuses, f);
	return f == stdout ? 0 : PO_EXIT_USAGE;
}

/* --- options --- */
static bool wrong(struct err *e, const char *option, const char *found, const char *want)
{
	char shown[64];
	return err_set(e, ERR_PERM, ERR_OF_PROCESS, "--%s \"%s\": want %s", option, text_escaped(shown, sizeof shown, view_str(found)), want);
}

static bool add_string(struct po_strings *l, const char *s, struct err *e)
{
	if (l->n == PO_LIST_MAX)
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "more than %d of them", PO_LIST_MAX);
	l->s[l->n++] = s;
	return true;
}

static bool set_type(struct po_tool *t, const char *s, struct err *e)
{
	char *end;
	const unsigned long x = strtoul(s, &end, 0);
	if (*s == 0 || *end != 0 || x == 0 || x > 255)
		return wrong(e, "type", s, "0x01..0xFF");
	t->type = (uint8_t)x;
	return true;
}

static bool set_page(struct po_tool *t, const char *s, struct err *e)
{
	uint64_t x;
	if (!text_uint(view_str(s), UINT16_MAX, &x) || !charset_page_known(t->kit, (unsigned)x))
		return wrong(e, "code-page", s, "one that this system's iconv has: 437, 850, 1252, ...");
	t->code_page = (unsigned)x;
	return true;
}

static bool set_line_end(struct po_tool *t, const char *s, struct err *e)
{
	static const char *const names[] = { "cr", "lf", "crlf" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(s, names[i]) == 0) {
			t->line_end = (enum ffapi_line_end)i;
			return true;
		}
	return wrong(e, "line-end", s, "cr, lf or crlf");
}

static bool set_more(struct po_tool *t, int c, const char *s, struct err *e)
{
	switch (c) {
	case 't': return set_type(t, s, e);
	case 'c': return set_page(t, s, e);
	case 'l': return set_line_end(t, s, e);
	case 'T': return add_string(&t->to, s, e);
	case 'C': return add_string(&t->cc, s, e);
	case 'a': return add_string(&t->attach, s, e);
	case 'p':
		t->priority = s[0];
		return (strlen(s) == 1 && strchr("12345RCFT", s[0]) != NULL) || wrong(e, "priority", s, "1..5, R, C, F or T");
	case 'm':
		t->scramble = mm_scramble_by_name(s);
		return t->scramble != NULL || wrong(e, "scramble", s, "none or chain");
	default: return err_set(e, ERR_PERM, ERR_OF_PROCESS, "an option that is not known");
	}
}

static bool set_option(struct po_tool *t, int c, const char *s, struct err *e)
{
	switch (c) {
	case 'n': t->name = s; return true;
	case 's': t->serial = s; return true;
	case 'r': t->repair = true; return true;
	case 'j': t->json = true; return true;
	case 'f': t->friendly = s; return true;
	case 'v': t->via = s; return true;
	case 'F': t->from = s; return true;
	case 'S': t->subject = s; return true;
	case 'x': t->text = s; return true;
	case 'X': t->text_file = s; return true;
	case 'R': t->receipt = true; return true;
	case 'd': t->save = s; return true;
	case 'D': t->delete = true; return true;
	default: return set_more(t, c, s, e);
	}
}

static const char *option_name(int c)
{
	for (size_t i = 0; long_options[i].name != NULL; i++)
		if (long_options[i].val == c)
			return long_options[i].name;
	return "?";
}

/* *help_r: asked for. */
static bool parse_options(struct po_tool *t, const struct verb *v, int argc, char **argv, bool *help_r, struct err *e)
{
	*help_r = false;
	optind = 1;
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, "h", long_options, NULL)) != -1;) {
		if (c == 'h') {
			*help_r = true;
			return true;
		}
		if (c == '?')
			return err_set(e, ERR_PERM, ERR_OF_PROCESS, "\"%.60s\" is no option, or wants a value", argv[optind - 1]);
		if (strchr(v->options, c) == NULL)
			return err_set(e, ERR_PERM, ERR_OF_PROCESS, "--%s is no option of it", option_name(c));
		if (!set_option(t, c, optarg, e))
			return false;
	}
	for (int i = optind; i < argc; i++)
		if (t->n_args == PO_LIST_MAX)
			return err_set(e, ERR_PERM, ERR_OF_PROCESS, "more than %d arguments", PO_LIST_MAX);
		else
			t->args[t->n_args++] = argv[i];
	return (t->n_args >= v->args_min && t->n_args <= v->args_max) ||
	       err_set(e, ERR_PERM, ERR_OF_PROCESS, "found %zu arguments, want %.*s", t->n_args, (int)strcspn(v->usage, "\n"), v->usage);
}

/* --- running --- */
int po_tool_status(const struct err *e)
{
	switch (e->kind) {
	case ERR_TEMP: return PO_EXIT_BUSY;
	case ERR_LOCAL: return PO_EXIT_IO;
	case ERR_PERM: return e->culprit == ERR_OF_MESSAGE ? PO_EXIT_DATA : PO_EXIT_FOUND;
	case ERR_PEER:
	case ERR_NONE: break;
	}
	return PO_EXIT_FOUND;
}

void po_tool_say(struct po_tool *t, const char *about, const struct err *e)
{
	fprintf(stderr, "posthorn postoffice %s: %s%s%s\n", t->verb, about, about[0] == 0 ? "" : ": ", e->text);
	t->refused = true;
}

static bool is_directory(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int run_verb(struct po_tool *t, const struct verb *v)
{
	struct err e = { 0 };
	int status = PO_EXIT_NONE;
	if (v->run != run_create && !is_directory(t->args[0]))
		err_set(&e, ERR_LOCAL, ERR_OF_PROCESS, "there is no directory %.100s", t->args[0]);
	else if (v->opens && !postoffice_open(t->args[0], v->reads && !t->delete ? POSTOFFICE_READ_ONLY : 0, t->scramble, &(struct postoffice_host){ 0 }, &t->po, &e))
		status = e.kind == ERR_TEMP ? PO_EXIT_BUSY : PO_EXIT_NONE;
	else
		status = v->run(t, &e);
	if (e.kind != ERR_NONE && status != 0)
		po_tool_say(t, "", &e);
	postoffice_close(&t->po);
	if (fflush(stdout) != 0) {
		fprintf(stderr, "posthorn postoffice %s: cannot write: %s\n", t->verb, strerror(errno));
		status = PO_EXIT_IO;
	}
	return status;
}

static int start(const struct verb *v, int argc, char **argv)
{
	struct po_tool *t = mem_zero(sizeof *t); /* too large for some stacks */
	struct err e;
	bool help;
	int status = PO_EXIT_USAGE;
	*t = (struct po_tool){ .verb = v->words, .type = MM_NETWORK_FFAPI, .code_page = 850, .scramble = &mm_scramble_none,
			       .kit = charset_kit_new(), .arena = arena_new(PO_ARENA) };
	charset_kit_load_pages(t->kit);
	if (!parse_options(t, v, argc, argv, &help, &e))
		fprintf(stderr, "posthorn postoffice %s: %s; --help tells more\n", v->words, e.text);
	else if (help)
		status = printf("usage: posthorn postoffice %s %s%s", v->words, v->usage, statuses) < 0 ? PO_EXIT_IO : 0;
	else
		status = run_verb(t, v);
	charset_kit_free(&t->kit);
	arena_free(&t->arena);
	mem_free_(t);
	return status;
}

/* How many of argv are the verb's words; 0: it is not this one. */
static int words_of(const struct verb *v, int argc, char **argv)
{
	const char *blank = strchr(v->words, ' ');
	if (blank == NULL)
		return strcmp(argv[1], v->words) == 0 ? 1 : 0;
	return argc > 2 && view_eq(view_str(argv[1]), view_of(v->words, (size_t)(blank - v->words))) && strcmp(argv[2], blank + 1) == 0 ? 2 : 0;
}

static bool is_first_word(const char *word)
{
	const size_t n = strlen(word);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strncmp(verbs[i].words, word, n) == 0 && verbs[i].words[n] == ' ')
			return true;
	return false;
}

int tool_postoffice(int argc, char **argv)
{
	if (argc < 2)
		return usage_all(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return usage_all(stdout);
	umask(S_IRWXO); /* it is mail: the group of a file server, nobody else */
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		const int n = words_of(&verbs[i], argc, argv);
		if (n > 0)
			return start(&verbs[i], argc - n, argv + n);
	}
	const char *second = argc > 2 && is_first_word(argv[1]) ? argv[2] : NULL;
	fprintf(stderr, "posthorn postoffice: no verb is called \"%s%s%s\"; --help lists them\n", argv[1], second == NULL ? "" : " ",
		second == NULL ? "" : second);
	return PO_EXIT_USAGE;
}

wall_ms_t po_tool_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (wall_ms_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int po_tool_zone(wall_ms_t at)
{
	const time_t seconds = (time_t)(at / 1000);
	struct tm tm;
	return localtime_r(&seconds, &tm) == NULL ? 0 : (int)(tm.tm_gmtoff / 60);
}
