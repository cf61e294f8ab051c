/* reread.c - see reread.h. */
#include "proc/supervisor/reread.h"

#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OSERR = 71 };

/* The last that the child writes. */
struct answer {
	uint32_t magic;
#define ANSWER_MAGIC 0x52454c44u
	uint32_t how; /* enum process_reloaded */
	struct plan plan;
};

void reread_init(struct reread *r)
{
	*r = (struct reread){ 0, -1, -1, -1 };
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_files(struct reread *r)
{
	close_one(&r->answer);
	close_one(&r->settings);
	close_one(&r->text);
}

void reread_fini(struct reread *r)
{
	if (r->pid != 0)
		kill(r->pid, SIGKILL); /* it is waited for by nobody: we end, too */
	r->pid = 0;
	close_files(r);
}

/* --- the child --- */

/* It reads what anybody may have written, so it has none of our doors and channels. */
static void close_all_but(int *kept, size_t n)
{
	unsigned from = STDERR_FILENO + 1;
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			if (kept[k] < kept[i]) {
				const int x = kept[i];
				kept[i] = kept[k];
				kept[k] = x;
			}
	for (size_t i = 0; i < n; i++) {
		const unsigned fd = (unsigned)kept[i];
		if (fd > from)
			close_range(from, fd - 1, 0);
		if (fd >= from)
			from = fd + 1;
	}
	close_range(from, ~0u, 0);
}

static struct view map_file(int fd)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || st.st_size == 0)
		return (struct view){ NULL, 0 };
	void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	return at == MAP_FAILED ? (struct view){ NULL, 0 } : view_of(at, (size_t)st.st_size);
}

static enum process_reloaded look(const struct config_reader *reader, const char *path, int in_force, struct plan *plan, struct out *canonical,
				  struct out *text, struct err *e)
{
	size_t n = 0;
	if (start_read_here(reader->read, path, plan, canonical, e) != 0)
		return PROCESS_RELOAD_WRONG;
	if (canonical->bad) {
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: the settings are longer than %d octets", path, START_CANONICAL_MAX);
		return PROCESS_RELOAD_WRONG;
	}
	if (!reader->compare(map_file(in_force), out_view(canonical), text, &n, e))
		return PROCESS_RELOAD_REFUSED;
	return n == 0 ? PROCESS_RELOAD_SAME : PROCESS_RELOADED;
}

static NORETURN void run_child(const struct reread *r, const struct config_reader *reader, const char *path, int in_force, bool dies)
{
	struct answer answer = { .magic = ANSWER_MAGIC };
	struct out canonical, text;
	struct err e = { 0 };
	close_all_but((int[]){ r->answer, r->settings, r->text, in_force }, 4);
	if (dies)
		raise(SIGKILL);
	out_init(&canonical, START_CANONICAL_MAX);
	out_init(&text, REREAD_TEXT_MAX);
	const enum process_reloaded how = look(reader, path, in_force, &answer.plan, &canonical, &text, &e);
	answer.how = how;
	if (how == PROCESS_RELOAD_WRONG || how == PROCESS_RELOAD_REFUSED) {
		out_clear(&text);
		out_str(&text, e.text);
	}
	const bool handed = start_write_all(r->settings, out_view(&canonical)) && start_write_all(r->text, out_view(&text)) &&
			    start_write_all(r->answer, view_of(&answer, sizeof answer));
	_exit(handed ? 0 : OSERR);
}

/* --- the supervisor --- */

static bool make_files(struct reread *r)
{
	r->answer = memfd_create("posthorn-plan", MFD_CLOEXEC);
	r->settings = memfd_create("posthorn-settings", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	r->text = memfd_create("posthorn-answer", MFD_CLOEXEC);
	return r->answer >= 0 && r->settings >= 0 && r->text >= 0;
}

bool reread_begin(struct reread *r, const struct config_reader *reader, const char *path, int in_force, struct err *e)
{
	const bool made = make_files(r);
	const bool dies = FAULT(SUPERVISOR_CONFIG); /* counted here: each child is another */
	const pid_t pid = made && !FAULT(SUPERVISOR_FORK) ? fork() : -1;
	if (pid == 0)
		run_child(r, reader, path, in_force, dies);
	if (pid < 0) {
		err_set(e, ERR_TEMP, ERR_OF_PROCESS, "no process to read the settings can be started: %s", strerror(errno));
		close_files(r);
		return false;
	}
	r->pid = pid;
	return true;
}

/* More than it may be is cut; the child knows the limit, but it may have been anything. */
static void read_text(int fd, struct out *text_r)
{
	char buf[4096];
	ssize_t n;
	for (off_t at = 0; (n = pread(fd, buf, sizeof buf, at)) > 0 && out_room(text_r) >= (size_t)n; at += n)
		out_bytes(text_r, view_of(buf, (size_t)n));
}

static enum process_reloaded fail(struct out *text_r, const char *why)
{
	out_clear(text_r);
	out_str(text_r, why);
	return PROCESS_RELOAD_WRONG;
}

static enum process_reloaded judge(const struct reread *r, int how, struct plan *plan_r, struct out *text_r)
{
	struct answer answer;
	char why[120];
	if (WIFSIGNALED(how)) {
		snprintf(why, sizeof why, "the process that reads the settings died of signal %d (%s)", WTERMSIG(how), strsignal(WTERMSIG(how)));
		return fail(text_r, why);
	}
	if (WEXITSTATUS(how) != 0 || pread(r->answer, &answer, sizeof answer, 0) != (ssize_t)sizeof answer || answer.magic != ANSWER_MAGIC ||
	    answer.how > PROCESS_RELOAD_WRONG || answer.how == PROCESS_RELOAD_DRY)
		return fail(text_r, "the process that reads the settings has given no usable answer");
	read_text(r->text, text_r);
	if (answer.how != PROCESS_RELOADED)
		return (enum process_reloaded)answer.how;
	if (!start_plan_ok(&answer.plan))
		return fail(text_r, "the process that reads the settings has given no usable plan");
	if (fcntl(r->settings, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
		return fail(text_r, "the settings cannot be sealed");
	*plan_r = answer.plan;
	return PROCESS_RELOADED;
}

enum process_reloaded reread_end(struct reread *r, int how, struct plan *plan_r, int *settings_r, struct out *text_r)
{
	const enum process_reloaded found = judge(r, how, plan_r, text_r);
	*settings_r = -1;
	if (found == PROCESS_RELOADED) {
		*settings_r = r->settings;
		r->settings = -1;
	}
	r->pid = 0;
	close_files(r);
	return found;
}
