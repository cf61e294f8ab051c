/* supervisor_test.c - birth, death, order and what the others hear of it: see supervisor_testing.h for who plays what. */
#include "proc/supervisor/supervisor_testing.h"

#include "base/mem.h"
#include "sys/board.h"
#include "sys/env.h"
#include "sys/event.h"
#include "sys/loop.h"
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_all_are_connected_and_end_in_order(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc reader 0\nproc switch 0\nproc link 1\nproc link 2\nproc content 1\n");
	expect(&r, "supervisor.up");
	static const char *const pairs[] = { "link.1", "link.2", "reader.0", "content.1" };
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		char text[100];
		snprintf(text, sizeof text, "switch.0/1: got control from %s/1\n", pairs[i]);
		expect(&r, text);
		snprintf(text, sizeof text, "switch.0/1: got bulk from %s/1\n", pairs[i]);
		expect(&r, text);
		snprintf(text, sizeof text, "%s/1: got control from switch.0/1\n", pairs[i]);
		expect(&r, text);
	}
	assert_int_equal(stop(&r), 0);
	const char *switch_stop = expect(&r, "switch.0/1: stop");
	static const char *const ends[] = { "process.stopped name=\"link.1\"", "process.stopped name=\"link.2\"",
		"process.stopped name=\"reader.0\"", "process.stopped name=\"content.1\"" };
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		assert_true(expect(&r, ends[i]) < switch_stop);
	assert_true(expect(&r, "process.stopped name=\"link.2\"") < expect(&r, "reader.0/1: stop"));
	assert_true(expect(&r, "process.stopped name=\"link.1\"") < expect(&r, "content.1/1: stop"));
	expect(&r, "supervisor.down");
	assert_null(strstr(r.log, "link.1/1: got control from link"));
}

static void expect_pair(struct run *r, const char *a, const char *b)
{
	char text[100];
	static const char *const streams[] = { "control", "bulk" };
	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		snprintf(text, sizeof text, "%s/1: got %s from %s/1\n", a, streams[i], b);
		expect(r, text);
		snprintf(text, sizeof text, "%s/1: got %s from %s/1\n", b, streams[i], a);
		expect(r, text);
	}
}

/* An interchange has its own converter and the switch; a mover has nobody. All that write to postoffices end first, the converter after
 * its interchange, the switch last. */
static void test_interchanges_have_their_converters(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc switch 0\nproc interchange 1\nproc converter 1 at-once\nproc interchange 4\nproc converter 4 at-once\nproc mover 0\nproc mover 1\n");
	expect(&r, "supervisor.up");
	expect_pair(&r, "interchange.1", "switch.0");
	expect_pair(&r, "interchange.4", "switch.0");
	expect_pair(&r, "interchange.1", "converter.1");
	expect_pair(&r, "interchange.4", "converter.4");
	assert_int_equal(stop(&r), 0);
	static const char *const never[] = { "got control from mover", "mover.0/1: got", "mover.1/1: got", "switch.0/1: got control from converter",
		"interchange.1/1: got control from converter.4", "interchange.4/1: got control from converter.1", "converter.1/1: got control from switch" };
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		assert_null(strstr(r.log, never[i]));
	static const char *const first[] = { "interchange.1", "interchange.4", "mover.0", "mover.1" };
	for (size_t i = 0; i < ARRAY_LEN(first); i++) {
		char text[100];
		snprintf(text, sizeof text, "process.stopped name=\"%s\"", first[i]);
		assert_true(expect(&r, text) < expect(&r, "converter.1/1: stop"));
		assert_true(expect(&r, text) < expect(&r, "switch.0/1: stop"));
	}
	assert_true(expect(&r, "process.stopped name=\"converter.4\"") < expect(&r, "switch.0/1: stop"));
}

/* A converter that dies of a message is there again at once, and only its interchange hears of it; of an interchange the switch hears. */
static void test_a_converter_is_started_again_at_once(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc switch 0\nproc interchange 1\nproc converter 1 at-once\nproc interchange 2\nproc converter 2 at-once\nrestart 60000 60000\n"
		  "do converter.1 segv\n");
	expect(&r, "process.restart name=\"converter.1\" delay_ms=\"0\" life=\"2\"");
	expect(&r, "interchange.1/1: told: converter.1 fault=1 words=signal 11");
	expect(&r, "interchange.1/1: got bulk from converter.1/2");
	expect(&r, "converter.1/2: got bulk from interchange.1/1");
	assert_int_equal(stop(&r), 0);
	assert_null(strstr(r.log, "switch.0/1: told: converter"));
	assert_null(strstr(r.log, "interchange.2/1: told"));
	begin(&r, "proc switch 0\nproc interchange 1\nproc converter 1 at-once\nproc mover 0\nrestart 1 10\ndo interchange.1 segv\ndo mover.0 segv\n");
	expect(&r, "switch.0/1: told: interchange.1 fault=1 words=signal 11");
	expect(&r, "interchange.1/2: told: interchange.1 fault=1");
	expect(&r, "switch.0/1: got control from interchange.1/2");
	expect(&r, "converter.1/1: got control from interchange.1/2");
	expect(&r, "mover.0/2: told: mover.0 fault=1");
	assert_int_equal(stop(&r), 0);
	assert_null(strstr(r.log, "switch.0/1: told: mover"));
}

/* In a call on a file server that hangs not even SIGKILL ends it: the switch is ended all the same, and so are we. */
static void test_one_that_cannot_be_killed_keeps_nobody(void **state)
{
	(void)state;
	struct run r;
	setenv("POSTHORN_FAULT", "supervisor:SUPERVISOR_KILL:1:fail", 1);
	begin(&r, "proc switch 0\nproc interchange 1\nstop 50\ndo interchange.1 stubborn\n");
	unsetenv("POSTHORN_FAULT");
	expect(&r, "supervisor.up");
	expect(&r, "interchange.1/1: will not end");
	assert_int_equal(stop(&r), 0);
	const char *given_up = expect(&r, "error process.unkillable name=\"interchange.1\" note=\"message 42\"");
	expect_after(&r, given_up, "process.stopped name=\"switch.0\"");
	expect_after(&r, given_up, "supervisor.down");
}

/* As many as a plan may have. */
static void test_256_processes(void **state)
{
	(void)state;
	struct run r;
	struct out text;
	out_init(&text, 8000);
	out_str(&text, "stop 60000\nproc switch 0\nproc interchange 1\nproc converter 1\n");
	for (unsigned i = 0; i < 253; i++)
		out_fmt(&text, "proc mover %u\n", i);
	begin(&r, "%s", out_cstr(&text));
	expect(&r, "supervisor.up");
	expect(&r, "processes=\"256\"");
	assert_int_equal(stop(&r), 0); /* all have ended: a line of so many may be lost in our pipe */
	out_fini(&text);
}

static void test_listeners_belong_to_every_instance(void **state)
{
	(void)state;
	struct run r;
	char path[] = "/tmp/posthorn-sup-sock-XXXXXX";
	close(mkstemp(path));
	unlink(path);
	begin(&r, "proc switch 0\nproc link 1\nlisten p1 127.0.0.1:0 link\nlisten control unix:%s switch\n", path);
	expect(&r, "supervisor.up");
	connect_to(&r, "p1");
	expect(&r, "link.1/1: accepted on p1");
	connect_to(&r, "control");
	expect(&r, "switch.0/1: accepted on control");
	/* The listener outlives its process: a connection made meanwhile waits for the next one. */
	kill(pid_of(&r, "link.1"), SIGKILL);
	connect_to(&r, "p1");
	expect(&r, "link.1/2: accepted on p1");
	assert_int_equal(stop(&r), 0);
	assert_int_equal(access(path, F_OK), -1); /* the socket file is gone with it */
}

static void test_faults_are_told_with_last_words(void **state)
{
	(void)state;
	static const struct {
		const char *what, *words;
	} rows[] = {
		{ "segv", "fault=1 words=signal 11 (SIGSEGV): SIGSEGV at address 0x" },
		{ "check", "fault=1 words=signal 6 (SIGABRT): " },
		{ "bus", "fault=1 words=signal 7 (SIGBUS): SIGBUS; it was at: message 42" },
		{ "fpe", "fault=1 words=signal 8 (SIGFPE): SIGFPE; it was at: message 42" },
		{ "ill", "fault=1 words=signal 4 (SIGILL): SIGILL; it was at: message 42" },
		{ "sys", "fault=1 words=signal 31 (SIGSYS): SIGSYS; it was at: message 42" },
		{ "trap", "fault=1 words=signal 5 (SIGTRAP): SIGTRAP; it was at: message 42" },
		{ "xcpu", "fault=1 words=signal 24 (SIGXCPU): SIGXCPU; it was at: message 42" },
		{ "kill", "fault=0 words=signal 9 (SIGKILL); it was at: message 42" },
		{ "exit3", "fault=0 words=exit status 3; it was at: message 42" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct run r;
		char text[200];
		begin(&r, "proc switch 0\nproc link 1\nrestart 1 10\ndo link.1 %s\n", rows[i].what);
		snprintf(text, sizeof text, "switch.0/1: told: link.1 %s", rows[i].words);
		const char *told = expect(&r, text);
		expect_after(&r, told, "; it was at: message 42\n");
		/* Born again, with new streams on both sides; and it hears how it died. */
		expect(&r, "switch.0/1: got control from link.1/2");
		expect(&r, "link.1/2: got bulk from switch.0/1");
		snprintf(text, sizeof text, "link.1/2: told: link.1 %.20s", rows[i].words);
		expect(&r, text);
		expect(&r, strncmp(rows[i].words, "fault=1", 7) == 0 ? "alarm process.fault name=\"link.1\"" :
		       "warning process.ended name=\"link.1\"");
		assert_int_equal(stop(&r), 0);
	}
}

static void test_check_leaves_its_sentence(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc link 1\nrestart 1 10\ndo link.1 check\n");
	expect(&r, "supervisor_testing.c:");
	expect(&r, "cannot happen: as the test wants it; it was at: message 42");
	assert_int_equal(stop(&r), 0);
}

static void test_switch_hears_of_deaths_it_missed(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc link 1\nproc switch 0\nrestart 1 10\nstop 5000\ndo switch.0 segv\n");
	const char *own = expect(&r, "switch.0/2: told: switch.0 fault=1 words=signal 11");
	expect(&r, "link.1/1: told: switch.0 fault=1");
	const char *met = expect(&r, "switch.0/2: got control from link.1/1");
	assert_true(own < met);
	assert_int_equal(stop(&r), 0);
	/* A link that dies before there is a switch: its death waits. Fork fails for the switch the first time. */
	setenv("POSTHORN_FAULT", "supervisor:SUPERVISOR_FORK:2:fail", 1);
	begin(&r, "proc link 1\nproc switch 0\nrestart 300 300\ndo link.1 segv\n");
	unsetenv("POSTHORN_FAULT");
	expect(&r, "alarm process.unstarted name=\"switch.0\"");
	expect(&r, "switch.0/1: told: link.1 fault=1 words=signal 11");
	assert_int_equal(stop(&r), 0);
}

static void test_delay_doubles_to_the_maximum(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc link 1\nrestart 4 200\ndo link.1 always-exit3\n");
	static const char *const delays[] = { "delay_ms=\"4\" life=\"2\"", "delay_ms=\"4\" life=\"3\"", "delay_ms=\"4\" life=\"4\"",
		"delay_ms=\"4\" life=\"5\"", "delay_ms=\"4\" life=\"6\"", "delay_ms=\"4\" life=\"7\"", "delay_ms=\"4\" life=\"8\"",
		"delay_ms=\"4\" life=\"9\"", "delay_ms=\"8\" life=\"10\"", "delay_ms=\"16\" life=\"11\"", "delay_ms=\"32\" life=\"12\"",
		"delay_ms=\"64\" life=\"13\"", "delay_ms=\"128\" life=\"14\"", "delay_ms=\"200\" life=\"15\"", "delay_ms=\"200\" life=\"16\"" };
	/* A slow machine may let one live past the maximum, which begins anew: then this run says nothing. */
	const char *at = r.log;
	for (size_t i = 0; i < ARRAY_LEN(delays); i++) {
		at = expect_after(&r, at, "process.restart") + 1;
		expect_after(&r, at, "\n");
		if (i > 7 && strncmp(strstr(at, "delay_ms"), "delay_ms=\"4\"", 12) == 0)
			break;
		assert_memory_equal(strstr(at, "delay_ms"), delays[i], strlen(delays[i]));
	}
	assert_int_equal(stop(&r), 0);
}

static void test_a_hung_process_is_ended_as_a_fault(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc switch 0\nproc link 1\nrestart 1 10\nwatchdog 3000\ndo link.1 spin\n");
	expect(&r, "error process.hung name=\"link.1\"");
	expect(&r, "switch.0/1: told: link.1 fault=1 words=watchdog: no answer for ");
	expect(&r, ": SIGABRT; it was at: message 42");
	expect(&r, "switch.0/1: got control from link.1/2");
	assert_int_equal(stop(&r), 0);
	assert_null(strstr(r.log, "process.hung name=\"switch.0\""));
}

static void test_patience_at_the_end_is_bounded(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc switch 0\nproc link 1\nstop 50\ndo link.1 stubborn\ndo switch.0 stubborn\n");
	expect(&r, "link.1/1: will not end");
	expect(&r, "switch.0/1: will not end");
	expect(&r, "supervisor.up");
	assert_int_equal(stop(&r), 0);
	expect(&r, "process.killed name=\"link.1\"");
	expect(&r, "process.killed name=\"switch.0\"");
	begin(&r, "proc switch 0\nproc link 1\nstop 1000000\ndo link.1 stubborn\n");
	expect(&r, "supervisor.up");
	kill(r.pid, SIGINT);
	expect(&r, "link.1/1: stop");
	struct pollfd p = { .fd = r.fd, .events = POLLIN };
	while (strstr(r.log, "supervisor.down") == NULL) { /* asked again, until it counts as such */
		kill(r.pid, SIGTERM);
		if (poll(&p, 1, 50) == 1 && !more(&r))
			break;
	}
	assert_int_equal(finish(&r), 0);
	expect(&r, "process.killed name=\"link.1\"");
}

static void test_children_die_with_the_supervisor(void **state)
{
	(void)state;
	struct run r;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	begin(&r, "proc switch 0\nproc link 1\ndo link.1 spin\n");
	pid_t link = pid_of(&r, "link.1"), sw = pid_of(&r, "switch.0");
	expect(&r, "supervisor.up");
	kill(r.pid, SIGKILL);
	assert_int_equal(finish(&r), -SIGKILL);
	assert_int_equal(waitpid(link, NULL, 0), link);
	assert_int_equal(waitpid(sw, NULL, 0), sw);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void test_second_instance_is_refused(void **state)
{
	(void)state;
	struct run r, second;
	char text[200], want[200];
	begin(&r, "proc switch 0\n");
	expect(&r, "supervisor.up");
	snprintf(text, sizeof text, "dir %s\nproc switch 0\n", r.dir);
	begin_in(&second, r.dir, text);
	while (more(&second))
		;
	unlink(second.config);
	int how;
	waitpid(second.pid, &how, 0);
	close(second.fd);
	assert_int_equal(WEXITSTATUS(how), 75);
	snprintf(want, sizeof want, "posthorn: directory %s is in use by another instance (process %d)\n", r.dir, (int)r.pid);
	assert_string_equal(second.log, want);
	assert_int_equal(stop(&r), 0);
}

static void test_what_cannot_start_says_one_sentence(void **state)
{
	(void)state;
	struct run r;
	struct run holder;
	begin(&holder, "proc link 1\nlisten p1 127.0.0.1:0 link\n");
	const char *at = strstr(expect(&holder, "supervisor.listening"), "127.");
	expect_after(&holder, at, "\n");
	char addr[64], want[300];
	snprintf(addr, sizeof addr, "%.*s", (int)strcspn(at, "\""), at);
	begin(&r, "listen p1 %s link\n", addr);
	assert_int_equal(finish(&r), 69);
	snprintf(want, sizeof want, "posthorn: listen on %s: the address is in use by another process\n", addr);
	assert_string_equal(r.log, want);
	assert_int_equal(stop(&holder), 0);

	begin_in(&r, "/tmp/posthorn-sup-x", "dir /dev/null/store\nproc link 1\n");
	assert_int_equal(finish(&r), 73);
	assert_string_equal(r.log, "posthorn: cannot make directory /dev/null/store: Not a directory\n");
	begin_in(&r, "/tmp/posthorn-sup-x", "dir /dev/null\nproc link 1\n");
	assert_int_equal(finish(&r), 73);
	assert_string_equal(r.log, "posthorn: /dev/null is no directory\n");
	begin(&r, "procc link 1\n");
	assert_int_equal(finish(&r), 78);
	snprintf(want, sizeof want, "posthorn: %s:1:1: unknown key \"procc\"\n", r.config);
	assert_string_equal(r.log, want);
	begin(&r, "crash\n");
	assert_int_equal(finish(&r), 70);
	assert_non_null(strstr(r.log, "died of signal 9"));
	begin(&r, "user no-such-user\n");
	assert_int_equal(finish(&r), 77);
	assert_string_equal(r.log, "posthorn: user \"no-such-user\" is not known here\n");
	begin(&r, "proc switch 0\nproc link 1\ndo link.1 config\n");
	assert_int_equal(finish(&r), 78);
	assert_non_null(strstr(r.log, "supervisor.stopping"));
	begin(&r, "proc switch 0\nproc link 1\ndo switch.0 store\n");
	assert_int_equal(finish(&r), 73);
}

static void test_privileges_are_dropped(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	struct run r;
	begin(&r, "whoami\nuser nobody\nproc link 1\ndo link.1 always-whoami\nrestart 1 10\n");
	expect(&r, "config as 65534 in /tmp\n");
	expect(&r, "link.1/1: uid 65534 euid 65534 gid 65534");
	kill(pid_of(&r, "link.1"), SIGKILL); /* the capability to end and to start again is kept */
	expect(&r, "link.1/2: uid 65534 euid 65534 gid 65534");
	struct stat st;
	assert_int_equal(stat(r.dir, &st), 0);
	assert_int_equal(st.st_uid, 65534);
	assert_int_equal(stop(&r), 0);
}

static void test_lines_of_children_are_passed_whole(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc link 1\ndo link.1 longline\n");
	expect(&r, "link.1/1: after the long line\n");
	assert_int_equal(stop(&r), 0);
}

static void test_fault_plan_by_kind(void **state)
{
	(void)state;
	static const struct {
		const char *text, *of_link;
	} rows[] = {
		{ "", "" },
		{ "link:STORE_COMMIT:3:kill", "STORE_COMMIT:3:kill" },
		{ "switch:STORE_COMMIT:3:kill", "" },
		{ "STORE_COMMIT:3:kill", "STORE_COMMIT:3:kill" },
		{ "switch:*:1:fail,link:ENV_READ:2:abort,*:9:stick", "ENV_READ:2:abort,*:9:stick" },
		{ "link:LINK_OFFER:@POISON:hang,content:LINK_OFFER:@X:eat,LINK_OFFER:@a b:abort",
		  "LINK_OFFER:@POISON:hang,LINK_OFFER:@a b:abort" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct out o;
		process_fault_plan(rows[i].text, PROCESS_LINK, &o);
		assert_string_equal(out_cstr(&o), rows[i].of_link);
		out_fini(&o);
	}
	/* And armed in the first life only. */
	struct run r;
	setenv("POSTHORN_FAULT", "link:ENV_READ:1:abort", 1);
	begin(&r, "proc switch 0\nproc link 1\nrestart 1 10\n");
	unsetenv("POSTHORN_FAULT");
	expect(&r, "switch.0/1: told: link.1 fault=1 words=signal 6 (SIGABRT)");
	expect(&r, "link.1/2: got control from switch.0/1");
	assert_int_equal(stop(&r), 0);
}

static void test_child_by_hand_is_refused(void **state)
{
	(void)state;
	int how;
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		dup2(null, 2);
		close(3);
		execl("/proc/self/exe", "x", "--process", "link", "1", NULL);
		_exit(127);
	}
	waitpid(pid, &how, 0);
	assert_true(WIFEXITED(how));
	assert_int_equal(WEXITSTATUS(how), 64);
}

/* What the supervisor knows is on the board, for the console, the reader and the recorder, and nobody else. */
static void test_the_board_shows_what_the_supervisor_knows(void **state)
{
	struct run r;
	(void)state;
	begin(&r, "proc switch 0\nproc content 1\nproc console 0\nproc reader 0\nrestart 1 10\nwatchdog 10000\ndo content.1 segv\ndo console.0 board\n"
		  "do reader.0 board\ndo switch.0 no-board\n");
	expect(&r, "console.0/1: board: 1 of 4, faults 1, progress 1, answered 1, died of signal 11 (SIGSEGV): SIGSEGV at address 0x");
	expect(&r, "reader.0/1: board: 1 of 4, faults 1, progress 1, answered 1, died of signal 11 (SIGSEGV): SIGSEGV at address 0x");
	expect(&r, "switch.0/1: was given no board");
	kill(r.pid, SIGTERM);
	assert_int_equal(finish(&r), 0);
}

/* Events of all go to the recorder, as JSON; to standard error goes what was meant for it. The recorder ends last, when it has read all. */
static void test_lines_go_to_the_recorder(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc recorder 0\nproc switch 0\nproc link 1\ndo link.1 lines\n");
	expect(&r, "recorder.0/1: took " EVENT_OF("link-1") "\"keep1\":1}\n");
	expect(&r, "recorder.0/1: took " EVENT_OF("link-1") "\"keep2\":2}\n");
	expect(&r, "recorder.0/1: took " EVENT_OF("link-1") "keep4\n"); /* what makes sense is the recorder's affair */
	expect(&r, "recorder.0/1: took " EVENT_OF("link-1") "\"keep9\":9}\n");
	expect(&r, "supervisor.up");
	assert_int_equal(stop(&r), 0);
	assert_non_null(strstr(r.log, "\ntext, nobody's: keep0\n"));
	assert_non_null(strstr(r.log, "\n" EVENT_OF("link-1") "\"keep2\":2}\n"));
	assert_null(strstr(r.log, "took text"));
	assert_null(strstr(r.log, "\n" EVENT_OF("link-1") "\"keep1\""));
	assert_null(strstr(r.log, "took " EVENT_OF("switch-0"))); /* in the name of another: the switch, one whose name begins the same */
	assert_null(strstr(r.log, "took " EVENT_OF("link-11")));
	assert_null(strstr(r.log, "took {\"keep8\""));           /* in nobody's */
	assert_null(strchr(r.log, 0x1e));
	assert_null(strstr(r.log, "took " EVENT_OF("link-1") "\"keep3\""));  /* too long for an event */
	assert_non_null(strstr(r.log, "\n" EVENT_OF("link-1") "\"keep3\""));
	assert_true(expect(&r, "process.stopped name=\"switch.0\"") < expect(&r, "recorder.0/1: stop"));
	expect(&r, "recorder.0/1: end of lines");
	expect(&r, "process.stopped name=\"recorder.0\" how=\"exit status 0");
}

/* One that does not read costs nobody anything but the lines there is no room for; what is in the pipe outlives it. */
static void test_a_deaf_recorder(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc recorder 0\nproc link 1\nrestart 1 10\ndo recorder.0 deaf\ndo link.1 many\n");
	expect(&r, EVENT_OF("link-1") "\"keep\":\"last\"}\n");
	assert_null(strstr(r.log, "took"));
	assert_null(strstr(r.log, "events.lost"));
	kill(pid_of(&r, "recorder.0"), SIGKILL);
	expect(&r, "recorder.0/2: took " EVENT_OF("link-1") "\"keep\":\"first\"}");
	unsigned long lost = strtoul(expect(&r, "events.lost events=\"") + strlen("events.lost events=\""), NULL, 10);
	assert_in_range(lost, 4000 - (1 << 20) / 1000, 4000); /* a pipe has a megabyte at most */
	assert_int_equal(stop(&r), 0);
}

static void test_levels_reach_all_and_stay(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc recorder 0\nproc link 1\nrestart 1 10\ndo recorder.0 levels\n");
	expect(&r, "link.1/1: level of \"x400\" is 3\n");
	expect(&r, "recorder.0/1: level of \"x400\" is 3\n");
	expect(&r, "link.1/1: level of \"store\" is 1\n");
	kill(pid_of(&r, "link.1"), SIGKILL);
	expect(&r, "link.1/2: level of \"x400\" is 3\n");
	expect(&r, "link.1/2: level of \"process\" is 0\n");
	expect(&r, "link.1/2: level of \"store\" is 1\n");
	assert_int_equal(stop(&r), 0);
	assert_null(strstr(r.log, "link.1/2: level of \"store\" is 0\n")); /* the last word counts */
	assert_null(strstr(r.log, "process.restart name=\"link.1\"")); /* a notice of category process: the supervisor has heard it too */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_go_to_the_recorder),
		cmocka_unit_test(test_a_deaf_recorder),
		cmocka_unit_test(test_levels_reach_all_and_stay),
		cmocka_unit_test(test_all_are_connected_and_end_in_order),
		cmocka_unit_test(test_interchanges_have_their_converters),
		cmocka_unit_test(test_a_converter_is_started_again_at_once),
		cmocka_unit_test(test_one_that_cannot_be_killed_keeps_nobody),
		cmocka_unit_test(test_256_processes),
		cmocka_unit_test(test_listeners_belong_to_every_instance),
		cmocka_unit_test(test_faults_are_told_with_last_words),
		cmocka_unit_test(test_check_leaves_its_sentence),
		cmocka_unit_test(test_switch_hears_of_deaths_it_missed),
		cmocka_unit_test(test_delay_doubles_to_the_maximum),
		cmocka_unit_test(test_a_hung_process_is_ended_as_a_fault),
		cmocka_unit_test(test_patience_at_the_end_is_bounded),
		cmocka_unit_test(test_children_die_with_the_supervisor),
		cmocka_unit_test(test_second_instance_is_refused),
		cmocka_unit_test(test_what_cannot_start_says_one_sentence),
		cmocka_unit_test(test_privileges_are_dropped),
		cmocka_unit_test(test_lines_of_children_are_passed_whole),
		cmocka_unit_test(test_fault_plan_by_kind),
		cmocka_unit_test(test_child_by_hand_is_refused),
		cmocka_unit_test(test_the_board_shows_what_the_supervisor_knows),
	};
	int status;
	if (plays_a_role(argc, argv, &status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
