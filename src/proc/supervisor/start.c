/* start.c - see start.h. */
#include "proc/supervisor/start.h"

#include "sys/event.h"
#include "sys/jail.h"
#include "sys/net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	UNAVAILABLE = 69, SOFTWARE = 70, OSERR = 71, CANTCREAT = 73, TEMPFAIL = 75, NOPERM = 77, CONFIG = 78, /* sysexits.h */
	NOBODY = 65534,
	FILE_MAX = 16 << 20,       /* copied for nobody to read; the reader has a limit of its own below it */
	READ_PATIENCE_MS = 60 * 1000,
	READ_CPU_S = 20,
};

static int say(int status, const char *fmt, ...) PRINTF_LIKE(2, 3);

static int say(int status, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	fprintf(stderr, "posthorn: %s\n", text);
	return status;
}

/* --- settings --- */

bool start_write_all(int fd, struct view v)
{
	while (v.n > 0) {
		ssize_t n = write(fd, v.p, v.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		v = view_from(v, (size_t)n);
	}
	return true;
}

/* What is relative in the file is relative to its folder. */
static bool enter_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];
	if (slash == NULL)
		return true;
	snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return chdir(folder) == 0;
}

/* The file may be root's alone. Its octets are copied, unread, to where nobody can open them. */
static bool copy_for_nobody(const char *path, char *copy_r, size_t size)
{
	uint8_t buf[4096];
	const char *slash = strrchr(path, '/');
	int from = open(slash == NULL ? path : slash + 1, O_RDONLY | O_CLOEXEC); /* we are in its folder */
	int to = from < 0 ? -1 : memfd_create("posthorn-config", MFD_CLOEXEC);
	ssize_t n = -1;
	for (size_t total = 0; to >= 0 && total < FILE_MAX; total += (size_t)n) {
		n = read(from, buf, sizeof buf);
		if (n <= 0 || !start_write_all(to, view_of(buf, (size_t)n)))
			break;
	}
	int code = errno;
	if (from >= 0)
		close(from);
	errno = code;
	snprintf(copy_r, size, "/proc/self/fd/%d", to);
	return to >= 0 && n >= 0;
}

/* The reader knew the copy by another name. */
static void correct_path(struct err *e, const char *copy, const char *path)
{
	const struct err old = *e;
	const char *at = *copy == 0 ? NULL : strstr(old.text, copy);
	if (at != NULL)
		err_set(e, old.kind, old.culprit, "%.*s%s%s", (int)(at - old.text), old.text, path, at + strlen(copy));
}

int start_read_here(read_config_f *read_config, const char *path, struct plan *plan_r, struct out *canonical, struct err *e)
{
	char copy[64] = "";
	const struct jail_limits limits = { .cpu_s = READ_CPU_S };
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (geteuid() == 0 && (!enter_folder_of(path) || !copy_for_nobody(path, copy, sizeof copy))) {
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "cannot read %s: %s", path, strerror(errno));
		return CONFIG;
	}
	if (geteuid() == 0 && !jail_become(NOBODY, NOBODY, e))
		return OSERR;
	if (!jail_enter(JAIL_NONE, &limits, jail_build_flags(), e))
		return OSERR;
	memset(plan_r, 0, sizeof *plan_r);
	if (!read_config(*copy == 0 ? path : copy, plan_r, canonical, e)) {
		correct_path(e, copy, path);
		return CONFIG;
	}
	plan_r->magic = PLAN_MAGIC;
	return 0;
}

static NORETURN void run_config_child(read_config_f *read_config, const char *path, int plan_fd, int settings_fd)
{
	struct plan plan;
	struct out canonical;
	struct err e = { 0 };
	out_init(&canonical, START_CANONICAL_MAX);
	const int status = start_read_here(read_config, path, &plan, &canonical, &e);
	if (status != 0)
		_exit(say(status, "%s", e.text));
	if (canonical.bad || !start_write_all(settings_fd, out_view(&canonical)) || !start_write_all(plan_fd, view_of(&plan, sizeof plan)))
		_exit(say(OSERR, "the settings cannot be handed over"));
	_exit(0);
}

static bool is_text(const char *s, size_t size)
{
	return memchr(s, 0, size) != NULL;
}

static bool is_ours(enum process_kind k)
{
	return (k > PROCESS_SUPERVISOR && k < PROCESS_CONFIG) || k == PROCESS_ALONE || k == PROCESS_INTERCHANGE || k == PROCESS_CONVERTER ||
	       k == PROCESS_MOVER || k == PROCESS_CONSOLE || k == PROCESS_RECORDER;
}

bool start_plan_ok(const struct plan *p)
{
	bool ok = p->magic == PLAN_MAGIC && p->n_processes <= ARRAY_LEN(p->processes) &&
		  p->n_listeners <= ARRAY_LEN(p->listeners) && is_text(p->directory, sizeof p->directory) &&
		  is_text(p->user, sizeof p->user);
	ok = ok && p->events_least <= EVENT_ALARM;
	for (size_t i = 0; ok && i < p->n_processes; i++)
		ok = is_ours(p->processes[i].kind);
	for (size_t i = 0; ok && i < p->n_listeners; i++)
		ok = is_text(p->listeners[i].name, sizeof p->listeners[i].name) &&
		     is_text(p->listeners[i].addr, sizeof p->listeners[i].addr) &&
		     is_ours(p->listeners[i].owner);
	return ok;
}

/* What came before the end of file, or patience, ran out. */
static size_t read_within(int fd, void *into, size_t size, int patience_ms)
{
	size_t got = 0;
	while (got < size) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int ready = poll(&p, 1, patience_ms);
		if (ready < 0 && errno == EINTR)
			continue;
		ssize_t n = ready <= 0 ? -1 : read(fd, (char *)into + got, size - got);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return got;
}

static int config_result(pid_t pid, const struct plan *plan, size_t got)
{
	int how = 0;
	if (got < sizeof *plan) /* ended by itself, or took too long: this is no news to the former */
		kill(pid, SIGKILL);
	while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
		;
	if (got == sizeof *plan && start_plan_ok(plan))
		return 0;
	if (WIFEXITED(how) && WEXITSTATUS(how) != 0)
		return WEXITSTATUS(how); /* it has said why */
	if (WIFSIGNALED(how))
		return say(SOFTWARE, "the process that reads the settings died of signal %d (%s)", WTERMSIG(how),
			   strsignal(WTERMSIG(how)));
	return say(SOFTWARE, "the process that reads the settings has given no usable plan");
}

int start_read_config(read_config_f *read_config, const char *path, struct plan *plan_r, int *settings_r)
{
	int fds[2];
	int settings = memfd_create("posthorn-settings", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (settings < 0 || pipe2(fds, O_CLOEXEC) != 0)
		return say(OSERR, "cannot read the settings: %s", strerror(errno));
	pid_t pid = fork();
	if (pid < 0)
		return say(OSERR, "cannot start a process to read the settings: %s", strerror(errno));
	if (pid == 0) {
		close(fds[0]);
		run_config_child(read_config, path, fds[1], settings);
	}
	close(fds[1]);
	size_t got = read_within(fds[0], plan_r, sizeof *plan_r, READ_PATIENCE_MS);
	close(fds[0]);
	int status = config_result(pid, plan_r, got);
	if (status == 0 && fcntl(settings, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
		status = say(OSERR, "the settings cannot be sealed: %s", strerror(errno));
	if (status != 0)
		close(settings);
	else
		*settings_r = settings;
	return status;
}

/* --- user and directory --- */

int start_find_user(const char *name, struct start_user *user_r)
{
	*user_r = (struct start_user){ false, geteuid(), getegid() };
	if (*name == 0)
		return 0;
	errno = 0;
	const struct passwd *pw = getpwnam(name);
	if (pw == NULL)
		return say(NOPERM, "user \"%s\" is not known here", name);
	if (geteuid() != 0)
		return pw->pw_uid == geteuid() ? 0 : say(NOPERM, "cannot become user \"%s\": not started by root", name);
	if (pw->pw_uid == 0)
		return say(NOPERM, "user \"%s\" is root: leave it out, or name one without privileges", name);
	*user_r = (struct start_user){ true, pw->pw_uid, pw->pw_gid };
	return 0;
}

static int take_lock(const char *directory, int *lock_r)
{
	char path[320], pid[16] = "";
	snprintf(path, sizeof path, "%s/posthorn.lock", directory);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return say(CANTCREAT, "cannot write in directory %s: %s", directory, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
		pid[n < 0 ? 0 : strspn(pid, "0123456789")] = 0;
		close(fd);
		return say(TEMPFAIL, "directory %s is in use by another instance (process %s)", directory,
			   *pid == 0 ? "unknown" : pid);
	}
	snprintf(pid, sizeof pid, "%d\n", (int)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, strlen(pid), 0) != (ssize_t)strlen(pid)) {
		int code = errno;
		close(fd);
		return say(CANTCREAT, "cannot write in directory %s: %s", directory, strerror(code));
	}
	*lock_r = fd;
	return 0;
}

static int make_directory(const char *directory, const struct start_user *user)
{
	struct stat st;
	if (mkdir(directory, 0700) == 0) {
		if (user->change && chown(directory, user->uid, user->gid) != 0)
			return say(CANTCREAT, "cannot give directory %s away: %s", directory, strerror(errno));
		return 0;
	}
	if (errno != EEXIST)
		return say(CANTCREAT, "cannot make directory %s: %s", directory, strerror(errno));
	if (stat(directory, &st) != 0 || !S_ISDIR(st.st_mode))
		return say(CANTCREAT, "%s is no directory", directory);
	return 0;
}

int start_directory(const char *directory, const struct start_user *user, int *lock_r)
{
	*lock_r = -1;
	if (*directory == 0)
		return 0;
	int status = make_directory(directory, user);
	if (status != 0)
		return status;
	/* As the user: what is made there must be the user's, and what the user cannot do must show now. */
	if (user->change && (setegid(user->gid) != 0 || seteuid(user->uid) != 0))
		return say(NOPERM, "cannot act as user %u: %s", (unsigned)user->uid, strerror(errno));
	if (faccessat(AT_FDCWD, directory, R_OK | W_OK | X_OK, AT_EACCESS) != 0)
		status = say(CANTCREAT, "cannot write in directory %s: %s", directory, strerror(errno));
	else
		status = take_lock(directory, lock_r);
	if (user->change && (seteuid(0) != 0 || setegid(0) != 0))
		status = say(OSERR, "cannot act as root again: %s", strerror(errno));
	return status;
}

/* --- listeners and what is left of root --- */

static int bind_listener(struct plan_listener *l, const struct start_user *user, const int *going, size_t n, int *fd_r, struct err *e)
{
	struct net_addr addr;
	*fd_r = -1;
	if (!net_addr_parse(l->addr, &addr, e))
		return CONFIG;
	*fd_r = net_listen_beside(&addr, going, n, e);
	if (*fd_r < 0)
		return UNAVAILABLE;
	bool local = strncmp(addr.text, "unix:", 5) == 0;
	if (local && user->change && lchown(addr.text + 5, user->uid, user->gid) != 0) { /* the folder is the user's: a link in its place is not followed */
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "cannot give %s away: %s", addr.text, strerror(errno));
		return UNAVAILABLE;
	}
	net_own_addr(*fd_r, &addr);
	memcpy(l->addr, addr.text, sizeof l->addr);
	return 0;
}

int start_listener(struct plan_listener *l, const struct start_user *user, int *fd_r)
{
	struct err e = { 0 };
	const int status = bind_listener(l, user, NULL, 0, fd_r, &e);
	return status == 0 ? 0 : say(status, "%s", e.text);
}

bool start_listener_later(struct plan_listener *l, const struct start_user *user, const int *going, size_t n, int *fd_r, struct err *e)
{
	if (bind_listener(l, user, going, n, fd_r, e) == 0)
		return true;
	if (*fd_r >= 0)
		close(*fd_r);
	*fd_r = -1;
	return false;
}

int start_drop_capabilities(const struct start_user *user)
{
	if (!user->change)
		return 0;
	const uint32_t needed = 1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_KILL;
	const uint32_t later = 1u << CAP_NET_BIND_SERVICE | 1u << CAP_DAC_READ_SEARCH; /* for a reload, where we have them */
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3] = { 0 };
	(void)syscall(SYS_capget, &h, have);
	const uint32_t kept = needed | (later & have[0].permitted);
	const struct __user_cap_data_struct want[_LINUX_CAPABILITY_U32S_3] = { { .effective = kept, .permitted = kept } };
	if (syscall(SYS_capset, &h, want) != 0 || syscall(SYS_capget, &h, have) != 0 ||
	    memcmp(want, have, sizeof want) != 0)
		return say(NOPERM, "cannot give up root's capabilities: %s", strerror(errno));
	return 0;
}
