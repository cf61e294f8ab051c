/* demo.c - `posthorn demo`: three sites of our own on loopback, London - Paris - Tokyo, and a Microsoft Mail postoffice behind
 * London (demo_depot.c). Each site is `posthorn run` with a settings file written here; every act is one of the commands that an operator would
 * type. */
#include "proc/ctl/demo_int.h"

#include "base/mem.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct demo_site site_table[DEMO_SITES] = {
	{ .name = "london", .city = "LONDON", .country = "GB", .mailbox = "alice", .address = "G=Alice; S=Archer; O=Office; P=LONDON; A=POSTHORN; C=GB",
	  .neighbours = { "paris" } },
	{ .name = "paris", .city = "PARIS", .country = "FR", .mailbox = "claude", .address = "G=Claude; S=Colin; O=Office; P=PARIS; A=POSTHORN; C=FR",
	  .neighbours = { "london", "tokyo" } },
	{ .name = "tokyo", .city = "TOKYO", .country = "JP", .mailbox = "hanako", .address = "G=Hanako; S=Sato; O=Office; P=TOKYO; A=POSTHORN; C=JP",
	  .neighbours = { "paris" } },
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

bool demo_is_interrupted(void)
{
	return interrupted;
}

void demo_pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
	nanosleep(&t, NULL);
}

/* --- the sites' settings --- */

/* Ports that are free now, two for each site; all are held until the last was found, so that they differ. */
static bool choose_ports(struct demo *d)
{
	int held[2 * DEMO_SITES];
	bool good = true;
	for (int i = 0; i < 2 * DEMO_SITES; i++) {
		struct demo_site *s = &d->sites[i / 2];
		struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		socklen_t n = sizeof a;
		held[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		good = good && held[i] >= 0 && bind(held[i], (struct sockaddr *)&a, n) == 0 && getsockname(held[i], (struct sockaddr *)&a, &n) == 0;
		*(i % 2 == 0 ? &s->port : &s->console) = ntohs(a.sin_port);
	}
	for (int i = 0; i < 2 * DEMO_SITES; i++)
		if (held[i] >= 0)
			close(held[i]);
	return good;
}

static struct demo_site *find_site(struct demo *d, const char *name)
{
	for (int i = 0; i < DEMO_SITES; i++)
		if (strcmp(d->sites[i].name, name) == 0)
			return &d->sites[i];
	CANT_HAPPEN("a site of the table has no such neighbour");
}

static void write_links(FILE *f, struct demo *d, const struct demo_site *s)
{
	fputs("links:\n", f);
	for (int i = 0; s->neighbours[i] != NULL; i++) {
		const struct demo_site *peer = find_site(d, s->neighbours[i]);
		fprintf(f, "  - name: %s\n    address: \"127.0.0.1:%u\"\n    remote-mta-name: %s\n    remote-password: secret-%s\n"
			"    local-password: secret-%s\n    open-interval: 1 s\n    transfer-interval: 1 s\n", peer->name, peer->port,
			peer->name, peer->name, s->name);
	}
	if (s == d->sites)
		demo_depot_link(f, d);
}

/* Paris relays: whatever is not our own goes to the neighbour on the way. */
static void write_routes(FILE *f, struct demo *d, const struct demo_site *s)
{
	fprintf(f, "routes:\n  - match: \"C=%s; A=POSTHORN; P=%s\"\n    to: local\n", s->country, s->city);
	for (int i = 0; i < DEMO_SITES; i++) {
		const struct demo_site *other = &d->sites[i];
		if (other == s)
			continue;
		const char *via = s->neighbours[1] == NULL ? s->neighbours[0] : other->name;
		fprintf(f, "  - match: \"C=%s; A=POSTHORN; P=%s\"\n    to: %s\n", other->country, other->city, via);
	}
	if (s == d->sites)
		demo_depot_route(f);
}

/* By way of a buffer of its own: a site is a part of the struct that root is in, too. */
static void set_path(const struct demo *d, const char *name, const char *suffix, char *path_r, size_t size)
{
	char path[sizeof d->root + 64];
	snprintf(path, sizeof path, "%s/%s%s", d->root, name, suffix);
	snprintf(path_r, size, "%.*s", (int)size - 1, path);
}

static bool write_config(struct demo *d, struct demo_site *s)
{
	set_path(d, s->name, ".yaml", s->config, sizeof s->config);
	set_path(d, s->name, "", s->directory, sizeof s->directory);
	FILE *f = fopen(s->config, "w");
	if (f == NULL)
		return false;
	fprintf(f, "# One site of the demo: %s.\nmta:\n  name: %s\n  domain: \"C=%s; A=POSTHORN; P=%s\"\nstore:\n  directory: \"%s\"\n"
		"listen: [\"127.0.0.1:%u\"]\nprocesses:\n  links: 1\n", s->name, s->name, s->country, s->city, s->directory, s->port);
	demo_console_settings(f, d, s);
	write_links(f, d, s);
	write_routes(f, d, s);
	fprintf(f, "mailboxes:\n  - name: %s\n    addresses: [\"%s\"]\n", s->mailbox, s->address);
	if (s == d->sites)
		demo_depot_movers(f, d);
	return fclose(f) == 0;
}

/* --- processes --- */

static pid_t start(const char *const *argv, int in_fd, int out_fd, const char *log)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	int log_fd = log == NULL ? -1 : open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd >= 0) {
		dup2(log_fd, STDERR_FILENO);
		dup2(log_fd, STDOUT_FILENO);
		setpgid(0, 0); /* Ctrl-C is ours to pass on, in order */
	}
	if (in_fd >= 0)
		dup2(in_fd, STDIN_FILENO);
	if (out_fd >= 0)
		dup2(out_fd, STDOUT_FILENO);
	execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
	_exit(127);
}

static int wait_for(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* What is typed fits into a pipe, so that nobody waits. */
static int typed_fd(const char *typed)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) != 0)
		return -1;
	bool good = write(fds[1], typed, strlen(typed)) == (ssize_t)strlen(typed);
	close(fds[1]);
	if (good)
		return fds[0];
	close(fds[0]);
	return -1;
}

int demo_command_typed(const char *const *argv, const char *typed, char *said, size_t size)
{
	int fds[2] = { -1, -1 }, in_fd = typed == NULL ? -1 : typed_fd(typed);
	if ((typed != NULL && in_fd < 0) || (said != NULL && pipe2(fds, O_CLOEXEC) != 0))
		return 1;
	fflush(stdout);
	pid_t pid = start(argv, in_fd, fds[1], NULL);
	if (in_fd >= 0)
		close(in_fd);
	if (said != NULL) {
		close(fds[1]);
		FILE *f = fdopen(fds[0], "r");
		said[f == NULL ? 0 : fread(said, 1, size - 1, f)] = 0;
		if (f != NULL)
			fclose(f);
	}
	return wait_for(pid);
}

int demo_command(const char *const *argv, char *line, size_t size)
{
	int status = demo_command_typed(argv, NULL, line, size);
	if (line != NULL)
		line[strcspn(line, "\n")] = 0;
	return status;
}

static bool start_sites(struct demo *d)
{
	for (int i = 0; i < DEMO_SITES; i++) {
		struct demo_site *s = &d->sites[i];
		char log[320];
		snprintf(log, sizeof log, "%s/%s.events", d->root, s->name);
		const char *const argv[] = { "posthorn", "run", "-c", s->config, NULL };
		if (!write_config(d, s) || (s->pid = start(argv, -1, -1, log)) < 0) {
			fprintf(stderr, "posthorn demo: %s cannot be started: %s\n", s->name, strerror(errno));
			return false;
		}
		printf("  %-7s port %-5u  C=%s; A=POSTHORN; P=%-6s  user %s\n", s->name, s->port, s->country, s->city, s->mailbox);
	}
	return true;
}

static bool is_up(const struct demo_site *s)
{
	char path[320];
	struct stat st;
	const char *sockets[] = { "control", "read", "store.db" };
	for (size_t i = 0; i < ARRAY_LEN(sockets); i++) {
		snprintf(path, sizeof path, "%s/%s", s->directory, sockets[i]);
		if (stat(path, &st) != 0)
			return false;
	}
	return true;
}

static bool wait_up(struct demo *d)
{
	time_t until = time(NULL) + DEMO_PATIENCE_S;
	for (int i = 0; i < DEMO_SITES && !interrupted;) {
		int status;
		if (is_up(&d->sites[i])) {
			i++;
		} else if (waitpid(d->sites[i].pid, &status, WNOHANG) != 0 || time(NULL) > until) {
			fprintf(stderr, "posthorn demo: %s did not start; its events are in %s/%s.events\n", d->sites[i].name, d->root,
				d->sites[i].name);
			return false;
		} else {
			demo_pause_ms(20);
		}
	}
	return !interrupted;
}

static void stop_sites(struct demo *d)
{
	for (int i = 0; i < DEMO_SITES; i++)
		if (d->sites[i].pid > 0)
			kill(d->sites[i].pid, SIGTERM);
	for (int i = 0; i < DEMO_SITES; i++)
		if (d->sites[i].pid > 0)
			wait_for(d->sites[i].pid);
}

/* --- the show --- */

static bool send_one(struct demo *d, const char *to, const char *subject, const char *text, char *id, size_t size)
{
	struct demo_site *london = &d->sites[0];
	const char *const argv[] = { "posthorn", "send", "-c", london->config, "--from", "alice", "--to", to, "--subject", subject,
				     "--report", "delivery", text, NULL };
	printf("\n$ posthorn send -c %s --from alice \\\n    --to \"%s\" --subject \"%s\"\n", london->config, to, subject);
	int status = demo_command(argv, id, size);
	printf("  %s\n", status == 0 ? id : "not accepted");
	return status == 0;
}

enum { LINES_MAX = 64 };

/* What one look at the three sites has brought, to be shown in the order of time. */
struct lines {
	char text[LINES_MAX][400];
	size_t n;
};

struct follow {
	struct ctl ctl;
	struct demo *demo;
	struct demo_site *site;
	struct lines *lines;
};

static void on_step(struct ctl *c, struct view pairs)
{
	struct follow *f = CONTAINER(c, struct follow, ctl);
	const char *step = ctl_value(c, pairs, "step"), *peer = ctl_value(c, pairs, "peer"), *id = ctl_value(c, pairs, "id");
	const char *at = ctl_value(c, pairs, "at");
	if (f->lines->n < LINES_MAX)
		snprintf(f->lines->text[f->lines->n++], sizeof f->lines->text[0], "  %.12s  %-7s %-13s %-8s %s",
			 strlen(at) > 11 ? at + 11 : at, f->site->name, step, peer, ctl_value(c, pairs, "text"));
	if (strcmp(step, "delivered") == 0 && f->site == &f->demo->sites[2] && strcmp(id, f->demo->good_id) == 0)
		f->demo->delivered = true;
	f->demo->in_tokyo += strcmp(step, "delivered") == 0 && f->site == &f->demo->sites[2];
	f->demo->to_depot += strcmp(step, "transfer-out") == 0 && strcmp(peer, "depot") == 0;
	if (strcmp(step, "delivered") == 0 && f->site == &f->demo->sites[0])
		f->demo->reports++;
}

static void follow_site(struct demo *d, struct demo_site *s, struct lines *lines)
{
	struct follow f = { .demo = d, .site = s, .lines = lines };
	ctl_begin(&f.ctl, "demo");
	snprintf(f.ctl.directory, sizeof f.ctl.directory, "%.255s", s->directory);
	ctl_ask(&f.ctl, ASK_STEPS, "", "seq", &s->seen, 8, on_step);
	ctl_end(&f.ctl);
}

static int by_time(const void *a, const void *b)
{
	return strncmp(a, b, 14);
}

bool demo_watch(struct demo *d, bool (*is_over)(const struct demo *d))
{
	time_t until = time(NULL) + DEMO_PATIENCE_S;
	struct lines *lines = mem_zero(sizeof *lines);
	demo_pause_ms(300); /* so that the first look has most of it, in order */
	while (!interrupted && time(NULL) <= until && !is_over(d)) {
		lines->n = 0;
		for (int i = 0; i < DEMO_SITES; i++)
			follow_site(d, &d->sites[i], lines);
		qsort(lines->text, lines->n, sizeof lines->text[0], by_time);
		for (size_t i = 0; i < lines->n; i++)
			puts(lines->text[i]);
		demo_pause_ms(100);
	}
	free(lines);
	if (!is_over(d))
		fprintf(stderr, "posthorn demo: %s\n", interrupted ? "interrupted" : "the journey was not complete in time");
	return is_over(d);
}

static bool have_both_ended(const struct demo *d)
{
	return d->delivered && d->reports >= 2;
}

static void show_mailbox(struct demo_site *s)
{
	const char *const argv[] = { "posthorn", "read", "-c", s->config, s->mailbox, "--show", "all", NULL };
	printf("\n$ posthorn read -c %s %s --show all\n", s->config, s->mailbox);
	demo_command(argv, NULL, 0);
}

static bool play(struct demo *d)
{
	char unknown[] = "G=Nobody; S=Known; O=Office; P=TOKYO; A=POSTHORN; C=JP";
	if (!demo_depot_make(d) || !demo_console_users(d))
		return false;
	puts("\nThree sites are MTAs; London and Tokyo know only Paris, Paris relays:");
	if (!start_sites(d) || !wait_up(d))
		return false;
	demo_console_show(d);
	if (!send_one(d, d->sites[2].address, "Greetings from London", "The first message over three MTAs.", d->good_id, sizeof d->good_id) ||
	    !send_one(d, unknown, "To nobody", "This one cannot be delivered.", d->bad_id, sizeof d->bad_id))
		return false;
	puts("\nBoth journeys, step by step:");
	if (!demo_watch(d, have_both_ended))
		return false;
	puts("\nAs Hanako reads it in Tokyo:");
	show_mailbox(&d->sites[2]);
	puts("\nAs Alice reads her reports in London:");
	show_mailbox(&d->sites[0]);
	return demo_depot_play(d);
}

static void stay(struct demo *d)
{
	const char *config = d->sites[0].config;
	demo_console_show(d);
	printf("\nThe sites stay up. To try next, in another terminal:\n"
	       "  build/posthorn status -c %s\n  build/posthorn trace -c %s '%s'\n  build/posthorn queue -c %s/paris.yaml\n"
	       "  build/posthorn send -c %s --from alice --to \"%s\" hello\n"
	       "  build/posthorn read -c %s/tokyo.yaml hanako\n  build/posthorn postoffice list %s\n"
	       "  build/posthorn postoffice send %s --from OTTO --to GATE/LONDON/HANAKO --subject hello --text hello\n\nCtrl-C ends them.\n",
	       config, config, d->good_id, d->root, config, d->sites[2].address, d->root, d->depot, d->depot);
	fflush(stdout);
	while (!interrupted)
		demo_pause_ms(200);
	puts("\nending the sites");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static bool make_root(struct demo *d, const char *directory)
{
	if (directory == NULL) {
		snprintf(d->root, sizeof d->root, "/tmp/posthorn-demo-XXXXXX");
		return mkdtemp(d->root) != NULL;
	}
	if (mkdir(directory, 0700) != 0 && errno != EEXIST)
		return false;
	char *path = realpath(directory, NULL); /* the sites' settings are in it, and would take "d/london" for a folder beside them */
	const bool good = path != NULL && strlen(path) < sizeof d->root;
	if (path != NULL && !good)
		errno = ENAMETOOLONG;
	if (good)
		snprintf(d->root, sizeof d->root, "%s", path);
	free(path);
	return good;
}

int ctl_demo(int argc, char **argv)
{
	static const struct option options[] = { { "directory", 1, NULL, 'd' }, { "no-stay", 0, NULL, 'n' }, { "help", 0, NULL, 'h' }, { 0 } };
	struct demo d = { .delivered = false };
	const char *directory = NULL;
	bool no_stay = !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO);
	for (int o; (o = getopt_long(argc, argv, "d:nh", options, NULL)) != -1;)
		switch (o) {
		case 'd': directory = optarg; break;
		case 'n': no_stay = true; break;
		case 'h':
			puts("usage: posthorn demo [-d DIRECTORY] [--no-stay]\n\n"
			     "Starts three MTAs on loopback (London - Paris - Tokyo), with a Microsoft Mail postoffice behind London. Sends a message to a\n"
			     "Tokyo user and one to an unknown Tokyo user, then one from the postoffice to Tokyo, and an answer; shows the journeys, the\n"
			     "messages as read and the reports, then stays up until Ctrl-C. Without a terminal, or with --no-stay, it ends after the show.\n\n"
			     "Exit status: 0 all journeys were seen, 1 not.");
			return CTL_DONE;
		default: return CTL_USAGE;
		}
	if (optind < argc) {
		fprintf(stderr, "posthorn demo: found \"%s\", want no argument\n", argv[optind]);
		return CTL_USAGE;
	}
	memcpy(d.sites, site_table, sizeof d.sites);
	if (!make_root(&d, directory) || !choose_ports(&d)) {
		fprintf(stderr, "posthorn demo: no directory or ports for the sites: %s\n", strerror(errno));
		return CTL_REFUSED;
	}
	struct sigaction action = { .sa_handler = on_signal };
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	bool seen = play(&d);
	if (seen && !no_stay)
		stay(&d);
	stop_sites(&d);
	if (seen && directory == NULL)
		nftw(d.root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	else
		printf("the sites' files are in %s\n", d.root);
	return seen ? CTL_DONE : CTL_REFUSED;
}
