/* console_password.c - `posthorn console-password`: the line of the settings by which somebody logs in to the console. */
#include "proc/ctl/ctl_int.h"

#include "flow/wire/scrypt.h"

#include <errno.h>
#include <getopt.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_LEAST = 8, PASSWORD_MOST = 256 };

static const char usage[] =
	"usage: posthorn console-password [--name NAME] [--role viewer|operator]\n\n"
	"Asks for a password, twice and without showing it, and prints the lines for console.users in the settings: the password\n"
	"itself is not in them (scrypt). From something else than a terminal one line is read.\n\n"
	"  --name NAME   whose it is\n"
	"  --role ROLE   viewer (sees everything, changes nothing) or operator\n\n"
	"Exit status: 0 done, 1 the two differ or it is too short, 64 wrong usage.";

static bool read_line(char *text, size_t size)
{
	if (fgets(text, (int)size, stdin) == NULL)
		return false;
	text[strcspn(text, "\r\n")] = 0;
	return true;
}

/* What is typed is not shown; the terminal is as before afterwards. */
static bool ask(const char *prompt, char *text, size_t size)
{
	struct termios before, silent;
	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return read_line(text, size);
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	fputs(prompt, stderr);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	bool good = read_line(text, size);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	return good;
}

static bool read_password(struct ctl *c, char password[PASSWORD_MOST + 2])
{
	char again[PASSWORD_MOST + 2];
	bool good = ask("Password: ", password, PASSWORD_MOST + 2);
	if (!good)
		ctl_say(c, CTL_REFUSED, "no password was given");
	else if (strlen(password) < PASSWORD_LEAST || strlen(password) > PASSWORD_MOST)
		ctl_say(c, CTL_REFUSED, "want %d to %d octets", PASSWORD_LEAST, PASSWORD_MOST);
	else if (isatty(STDIN_FILENO) && (!ask("Again: ", again, sizeof again) || strcmp(password, again) != 0))
		ctl_say(c, CTL_REFUSED, "the two are not the same");
	else
		return true;
	return false;
}

static void print_user(struct ctl *c, const char *name, const char *role, const char *password)
{
	uint8_t salt[SCRYPT_SALT];
	struct out line;
	struct err e;
	out_init(&line, 300);
	if (getrandom(salt, sizeof salt, 0) != (ssize_t)sizeof salt) {
		ctl_say(c, CTL_REFUSED, "the system gives no random numbers: %s", strerror(errno));
	} else if (!scrypt_make(view_str(password), salt, &line, &e)) {
		ctl_say(c, CTL_REFUSED, "%s", e.text);
	} else {
		printf("    - name: \"%s\"\n      role: %s\n      password: \"%s\"\n", name, role, out_cstr(&line));
		c->status = CTL_DONE;
	}
	out_fini(&line);
}

static bool is_name(const char *name)
{
	for (const char *p = name; *p != 0; p++)
		if ((unsigned char)*p < 0x20 || *p == '"' || *p == '\\' || *p == 0x7f)
			return false;
	return *name != 0 && strlen(name) <= 64;
}

int ctl_console_password(int argc, char **argv)
{
	static const struct option options[] = { { "name", 1, NULL, 'n' }, { "role", 1, NULL, 'r' }, { "help", 0, NULL, 'h' }, { 0 } };
	const char *name = "operator", *role = "operator";
	char password[PASSWORD_MOST + 2] = "";
	struct ctl c;
	ctl_begin(&c, argv[0]);
	for (int o; (o = getopt_long(argc, argv, "h", options, NULL)) != -1;)
		switch (o) {
		case 'n': name = optarg; break;
		case 'r': role = optarg; break;
		case 'h':
			puts(usage);
			goto out;
		default:
			c.status = CTL_USAGE;
			goto out;
		}
	if (optind < argc)
		ctl_say(&c, CTL_USAGE, "\"%.40s\" is one word too many: the password is asked for", argv[optind]);
	else if (!is_name(name))
		ctl_say(&c, CTL_USAGE, "--name: want 1 to 64 octets without quotes");
	else if (strcmp(role, "viewer") != 0 && strcmp(role, "operator") != 0)
		ctl_say(&c, CTL_USAGE, "--role \"%.40s\": want viewer or operator", role);
	else if (read_password(&c, password))
		print_user(&c, name, role, password);
out:
	explicit_bzero(password, sizeof password);
	ctl_end(&c);
	return c.status;
}
