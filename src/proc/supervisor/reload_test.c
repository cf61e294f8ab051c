/* reload_test.c - new settings while everything runs: as a whole or not at all, whatever dies or hangs meanwhile. */
#include "proc/supervisor/supervisor_testing.h"

#include "sys/net.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define HUP(r) kill((r)->pid, SIGHUP)

static void expect_never(const struct run *r, const char *text)
{
	if (strstr(r->log, text) != NULL) {
		print_message("%s", r->log);
		fail_msg("\"%s\" has come", text);
	}
}

static void test_all_that_run_take_them(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc switch 0\nproc link 1\nproc link 2\nproc content 1\nrestart 1 10\nsay one\ndo content.1 always-set-once\n");
	expect(&r, "supervisor.up");
	rewrite(&r, "proc switch 0\nproc link 1\nproc link 2\nproc content 1\nrestart 1 10\nsay two\ndo content.1 always-set-once\n");
	HUP(&r);
	expect(&r, "switch.0/1: took two");
	expect(&r, "link.1/1: took two");
	expect(&r, "link.2/1: took two");
	/* Who cannot is ended in order and started with them; the switch hears that it was no fault. */
	expect(&r, "content.1/1: stop");
	expect(&r, "switch.0/1: told: content.1 fault=0");
	expect(&r, "content.1/2: born with two");
	expect(&r, "content.1/2: got control from switch.0/1");
	expect(&r, "config.changed what=\"something: old -> new\" who=\"SIGHUP (uid ");
	expect(&r, "config.reloaded who=\"SIGHUP (uid ");
	kill(pid_of(&r, "link.1"), SIGKILL);
	expect(&r, "link.1/2: born with two");
	assert_int_equal(stop(&r), 0);
	expect_never(&r, "link.2/2");
	expect_never(&r, "link.2/1: stop\nlink.2/1: stop");
}

/* The same once more is no change: nobody is ended, and yet all are told, for the files that the settings name. */
static void test_the_same_is_no_change(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc switch 0\nproc link 1\nproc content 1\nlisten reload 127.0.0.1:0 switch\nsay one\ndo content.1 always-set-once\n");
	expect(&r, "supervisor.up");
	connect_to(&r, "reload");
	expect(&r, "switch.0/1: reload 7 is same: \n");
	expect(&r, "link.1/1: took one");
	expect(&r, "config.unchanged who=\"the tester\"");
	expect_never(&r, "config.changed");
	expect_never(&r, "content.1/1: stop");
	assert_int_equal(stop(&r), 0);
	expect_never(&r, "content.1/2");
}

#define ASKED "proc switch 0\nproc link 1\nlisten reload 127.0.0.1:0 switch\nlisten dry 127.0.0.1:0 switch\n"

static void test_what_is_wrong_changes_nothing(void **state)
{
	(void)state;
	static const struct {
		const char *lines, *answer, *event, *before;
	} rows[] = {
		{ "nonsense 5\n", "reload 7 is wrong: /tmp/posthorn-sup-", "config.wrong who=\"the tester\" why=\"/tmp/posthorn-sup-" },
		{ "barred\n", "reload 7 is refused: this cannot change while it runs: restart", "config.refused who=\"the tester\" why=\"this cannot change" },
		{ "crash\n", "reload 7 is wrong: the process that reads the settings died of signal 9", "config.wrong who=\"the tester\"" },
		{ "hang\n", "reload 7 is wrong: reading the settings took too long", "config.wrong who=\"the tester\"", "watchdog 2000\n" },
		{ "dir /tmp/elsewhere\n", "reload 7 is refused: the directory and the user cannot change", "config.refused" },
		{ "listen p1 192.0.2.1:1 link\nproc link 2\n", "reload 7 is refused: ", "config.refused" }, /* RFC 5737: an address that nobody has */
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[400];
		struct run r;
		const char *before = rows[i].before == NULL ? "" : rows[i].before;
		begin(&r, ASKED "say one\n%s", before);
		expect(&r, "supervisor.up");
		snprintf(text, sizeof text, ASKED "say two\n%s%s", before, rows[i].lines);
		rewrite(&r, text);
		connect_to(&r, "reload");
		expect(&r, rows[i].answer);
		expect(&r, rows[i].event);
		expect_never(&r, "took two");
		expect_never(&r, "name=\"link.2\"");
		/* The next one is none the worse for it. */
		rewrite(&r, ASKED "say three\n");
		connect_to(&r, "reload");
		expect(&r, "switch.0/1: reload 7 is done: something: old -> new\n");
		expect(&r, "link.1/1: took three");
		assert_int_equal(stop(&r), 0);
	}
}

static void test_a_dry_run_changes_nothing(void **state)
{
	(void)state;
	struct run r;
	begin(&r, ASKED "say one\n");
	expect(&r, "supervisor.up");
	rewrite(&r, ASKED "say two\nproc link 2\n");
	connect_to(&r, "dry");
	expect(&r, "switch.0/1: reload 7 is dry: something: old -> new\n");
	rewrite(&r, ASKED "say one\n");
	connect_to(&r, "dry");
	expect(&r, "switch.0/1: reload 7 is same: ");
	assert_int_equal(stop(&r), 0);
	expect_never(&r, "took two");
	expect_never(&r, "config.");
}

/* By the numbers that links and movers have in the settings: who goes, or is another one now, has ended before anybody has the new ones. */
static void test_processes_go_come_and_are_renewed_in_order(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc switch 0\nproc interchange 1 11\nproc interchange 2 22\nproc mover 0 5\nproc mover 1 6\nsay one\n");
	expect(&r, "supervisor.up");
	rewrite(&r, "proc switch 0\nproc interchange 1 22\nproc mover 0 5\nproc mover 1 66\nproc content 3\nsay two\n");
	HUP(&r);
	const char *taken = expect(&r, "switch.0/1: took two");
	static const char *const ended[] = { "process.stopped name=\"interchange.1\"", "process.stopped name=\"interchange.2\"", "process.stopped name=\"mover.1\"" };
	for (size_t i = 0; i < ARRAY_LEN(ended); i++)
		assert_true(expect(&r, ended[i]) < taken);
	expect(&r, "interchange.1/2: born with two");
	expect(&r, "switch.0/1: got control from interchange.1/2");
	expect(&r, "mover.1/2: born with two");
	expect(&r, "content.3/1: born with two");
	expect(&r, "content.3/1: got control from switch.0/1");
	expect(&r, "mover.0/1: took two");
	expect(&r, "config.reloaded");
	/* And back: the place of one that went is taken again. */
	rewrite(&r, "proc switch 0\nproc interchange 1 11\nproc interchange 2 22\nproc mover 0 5\nsay three\n");
	HUP(&r);
	expect(&r, "interchange.2/1: born with three");
	expect(&r, "interchange.1/3: born with three");
	expect(&r, "process.stopped name=\"content.3\"");
	assert_int_equal(stop(&r), 0);
	expect_never(&r, "interchange.2/2");
	expect_never(&r, "mover.0/2");
}

/* One that does not end when it is asked to is ended; one that not even that ends keeps nobody. */
static void test_patience_with_those_that_go_is_bounded(void **state)
{
	(void)state;
	for (int unkillable = 0; unkillable < 2; unkillable++) {
		struct run r;
		if (unkillable)
			setenv("POSTHORN_FAULT", "supervisor:SUPERVISOR_KILL:1:fail", 1);
		begin(&r, "proc switch 0\nproc interchange 1\nstop 50\ndo interchange.1 stubborn\nsay one\n");
		unsetenv("POSTHORN_FAULT");
		expect(&r, "supervisor.up");
		rewrite(&r, "proc switch 0\nstop 50\nsay two\n");
		HUP(&r);
		expect(&r, unkillable ? "process.unkillable name=\"interchange.1\"" : "process.stopped name=\"interchange.1\" how=\"signal 9");
		expect(&r, "switch.0/1: took two");
		expect(&r, "config.reloaded");
		assert_int_equal(stop(&r), 0);
	}
}

static void test_one_after_the_other(void **state)
{
	(void)state;
	struct run r;
	begin(&r, ASKED "say one\n");
	expect(&r, "supervisor.up");
	rewrite(&r, ASKED "say two\n");
	HUP(&r);
	connect_to(&r, "reload");
	connect_to(&r, "reload");
	/* Whichever was heard first has changed them, and the others nothing. */
	const char *at = expect(&r, "config.reloaded");
	at = expect_after(&r, at, "config.unchanged");
	expect_after(&r, at + 1, "config.unchanged");
	at = expect(&r, "switch.0/1: reload 7 is ");
	expect_after(&r, at + 1, "switch.0/1: reload 7 is ");
	assert_int_equal(stop(&r), 0);
}

static void test_who_ends_does_not_reload(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc switch 0\nproc link 1\nlisten reload 127.0.0.1:0 switch\nstop 60000\ndo link.1 stubborn\nsay one\n");
	expect(&r, "supervisor.up");
	kill(r.pid, SIGTERM);
	expect(&r, "link.1/1: stop");
	connect_to(&r, "reload");
	expect(&r, "switch.0/1: reload 7 is refused: it is being ended");
	kill(pid_of(&r, "link.1"), SIGKILL);
	assert_int_equal(finish(&r), 0);
	expect_never(&r, "config.");
	/* And one under way is over. */
	begin(&r, ASKED "stop 60000\n");
	expect(&r, "supervisor.up");
	rewrite(&r, ASKED "stop 60000\nhang\n");
	connect_to(&r, "reload");
	expect(&r, "switch.0/1: accepted on reload");
	assert_int_equal(stop(&r), 0);
}

/* Whoever dies in the middle is there again, with the new ones; kill -9 of the child that reads them is an answer. */
static void test_a_death_in_the_middle(void **state)
{
	(void)state;
	static const char *const kinds[] = { "switch", "link", "content" };
	struct run r;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		char fault[100], text[100];
		snprintf(fault, sizeof fault, "%s:PROCESS_SETTINGS:1:kill", kinds[i]);
		setenv("POSTHORN_FAULT", fault, 1);
		begin(&r, "proc switch 0\nproc link 0\nproc content 0\nrestart 1 10\nsay one\n");
		unsetenv("POSTHORN_FAULT");
		expect(&r, "supervisor.up");
		rewrite(&r, "proc switch 0\nproc link 0\nproc content 0\nrestart 1 10\nsay two\n");
		HUP(&r);
		snprintf(text, sizeof text, "%s.0/2: born with two", kinds[i]);
		expect(&r, text);
		expect(&r, "config.reloaded");
		for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
			snprintf(text, sizeof text, "%s.0/1: took two", kinds[k]);
			if (k != i)
				expect(&r, text);
		}
		assert_int_equal(stop(&r), 0);
	}
	setenv("POSTHORN_FAULT", "supervisor:SUPERVISOR_CONFIG:1:fail", 1);
	begin(&r, ASKED "say one\n");
	unsetenv("POSTHORN_FAULT");
	expect(&r, "supervisor.up");
	rewrite(&r, ASKED "say two\n");
	connect_to(&r, "reload");
	expect(&r, "switch.0/1: reload 7 is wrong: the process that reads the settings died of signal 9");
	expect_never(&r, "took two");
	connect_to(&r, "reload");
	expect(&r, "switch.0/1: reload 7 is done");
	assert_int_equal(stop(&r), 0);
}

/* Bound before anything else happens, and given to who runs; what is no more is closed; what stays is the same socket. */
static void test_listeners_come_and_go(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc switch 0\nproc link 1\nproc link 2\nlisten keep 127.0.0.1:0 link\nlisten old 127.0.0.2:0 link\nlisten mine 127.0.0.3:0 link\n");
	expect(&r, "supervisor.up");
	connect_to(&r, "old");
	rewrite(&r, "proc switch 0\nproc link 1\nproc link 2\nlisten fresh 127.0.0.4:0 link\nlisten keep 127.0.0.1:0 link\nlisten yours 127.0.0.3:0 switch\n");
	HUP(&r);
	expect(&r, "config.reloaded");
	connect_to(&r, "fresh");
	expect(&r, "accepted on fresh");
	connect_to(&r, "keep");
	expect(&r, "accepted on keep");
	connect_to(&r, "mine"); /* the same address, for somebody else now */
	expect(&r, "switch.0/1: accepted on yours");
	assert_int_equal(try_to_connect(&r, "old"), -1);
	/* Who is started later has those of now. */
	kill(pid_of(&r, "link.1"), SIGKILL);
	kill(pid_of(&r, "link.2"), SIGKILL);
	connect_to(&r, "fresh");
	expect(&r, "/2: accepted on fresh");
	assert_int_equal(stop(&r), 0);
	expect_never(&r, "link.1/1: accepted on mine");
}

/* An address that overlaps the one of before, there and back, by one reload; when another one cannot be bound, the one of before is as it was. */
static void test_a_listener_moves_to_an_overlapping_address(void **state)
{
	(void)state;
#define MOVING "proc switch 0\nproc link 1\n"
	static const char *const kept[] = { "127.0.0.1", "0.0.0.0" }, *const others[] = { "0.0.0.0", "127.0.0.1" };
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		char text[300];
		struct run r;
		snprintf(text, sizeof text, MOVING "listen old %s:0 link\n", kept[i]);
		begin(&r, "%s", text);
		expect(&r, "supervisor.up");
		connect_to(&r, "old");
		const char *at = strstr(expect(&r, "supervisor.listening name=\"old\" address=\""), kept[i]);
		const int port = (int)strtoul(at + strlen(kept[i]) + 1, NULL, 10);
		/* With an address that nobody has (RFC 5737) beside it. */
		snprintf(text, sizeof text, MOVING "listen fresh %s:%d link\nlisten none 192.0.2.1:1 link\n", others[i], port);
		rewrite(&r, text);
		HUP(&r);
		expect(&r, "config.refused");
		connect_to(&r, "old");
		expect_after(&r, expect(&r, "accepted on old") + 1, "accepted on old");
		/* And so is one that would have to stand beside one that stays. */
		snprintf(text, sizeof text, MOVING "listen old %s:0 link\nlisten fresh %s:%d link\n", kept[i], others[i], port);
		rewrite(&r, text);
		HUP(&r);
		expect(&r, "the address is in use");
		snprintf(text, sizeof text, MOVING "listen fresh %s:%d link\n", others[i], port);
		rewrite(&r, text);
		HUP(&r);
		expect(&r, "config.reloaded");
		connect_to(&r, "fresh");
		expect(&r, "accepted on fresh");
		expect_never(&r, "link.1/2");
		/* As strict as ever with others of this user. */
		struct net_addr addr;
		struct err e;
		snprintf(addr.text, sizeof addr.text, "%s:%d", kept[i], port);
		assert_int_equal(net_listen(&addr, &e), -1);
		assert_int_equal(stop(&r), 0);
	}
}

/* At the start such a process ends everything; later, everything else goes on. */
static void test_a_new_process_that_cannot_run_ends_nobody(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc switch 0\nrestart 1 60000\nsay one\n");
	expect(&r, "supervisor.up");
	rewrite(&r, "proc switch 0\nproc link 3\nrestart 1 60000\ndo link.3 always-config\nsay two\n");
	HUP(&r);
	expect(&r, "process.restart name=\"link.3\"");
	expect(&r, "config.reloaded");
	rewrite(&r, "proc switch 0\nrestart 1 60000\nsay three\n");
	HUP(&r);
	expect(&r, "switch.0/1: took three");
	assert_int_equal(stop(&r), 0);
	expect_never(&r, "switch.0/1: stop\nswitch");
}

/* Started by root: nobody reads the file, which is root's alone, and which may be another file of that name by now. */
static void test_nobody_reads_it_again(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("not root: skipped\n");
		skip();
	}
	struct run r;
	begin(&r, "user nobody\nproc switch 0\nproc link 1\nlisten p1 127.0.0.1:0 link\nsay one\n");
	expect(&r, "supervisor.up");
	char moved[100];
	snprintf(moved, sizeof moved, "%s.old", r.config);
	assert_int_equal(rename(r.config, moved), 0);
	rewrite(&r, "whoami\nuser nobody\nproc switch 0\nproc link 1\nproc link 2\nlisten p1 127.0.0.1:0 link\nlisten p2 127.0.0.1:0 link\nsay two\n");
	HUP(&r);
	expect(&r, "config as 65534 in /tmp\n");
	expect(&r, "link.1/1: took two");
	expect(&r, "link.2/1: born with two");
	connect_to(&r, "p2");
	assert_int_equal(stop(&r), 0);
	unlink(moved);
}

/* What an operator wanted to hear is over: the levels are as the new settings say, and as the same ones say once more. */
static void test_levels_are_as_the_settings_say(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc recorder 0\nproc link 1\nrestart 1 10\ndo recorder.0 levels\nsay one\n");
	expect(&r, "link.1/1: level of \"store\" is 1\n");
	HUP(&r);
	expect(&r, "link.1/1: took one");
	expect(&r, "config.unchanged");
	kill(pid_of(&r, "link.1"), SIGKILL);
	expect(&r, "process.restart name=\"link.1\""); /* a notice: the supervisor is as before, too */
	expect(&r, "link.1/2: born with one");
	assert_int_equal(stop(&r), 0);
	expect_never(&r, "link.1/2: level");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_that_run_take_them),
		cmocka_unit_test(test_the_same_is_no_change),
		cmocka_unit_test(test_what_is_wrong_changes_nothing),
		cmocka_unit_test(test_a_dry_run_changes_nothing),
		cmocka_unit_test(test_processes_go_come_and_are_renewed_in_order),
		cmocka_unit_test(test_patience_with_those_that_go_is_bounded),
		cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_who_ends_does_not_reload),
		cmocka_unit_test(test_a_death_in_the_middle),
		cmocka_unit_test(test_listeners_come_and_go),
		cmocka_unit_test(test_a_listener_moves_to_an_overlapping_address),
		cmocka_unit_test(test_a_new_process_that_cannot_run_ends_nobody),
		cmocka_unit_test(test_nobody_reads_it_again),
		cmocka_unit_test(test_levels_are_as_the_settings_say),
	};
	int status;
	if (plays_a_role(argc, argv, &status))
		return status;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
