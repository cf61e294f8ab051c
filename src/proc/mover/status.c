/* status.c - what a process of a mover says of itself for `posthorn status`: the file STATE.status beside its state, lines "name value".
 * A convenience: written without sync, and a failure is nobody's. */
#include "proc/mover/mover_int.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/text.h"

enum {
	STATUS_OFTEN_MS = 2 * 1000,   /* at most so often while mail moves */
	STATUS_LEAST_MS = 30 * 1000,  /* at least so often, by rounds that come */
	STATUS_GRACE_MS = 120 * 1000, /* beyond the next round: then it hangs, or does not run */
};

static const char *state_of(const struct mover *m)
{
	if (!is_mailer(m) && m->here != NULL)
		return mover_peer_name(m->state);
	return m->here == NULL ? "detached" : "attached";
}

static void put_time(struct out *o, const char *name, wall_ms_t at)
{
	const time_t seconds = (time_t)(at / 1000);
	struct tm utc;
	char text[32] = "";
	if (gmtime_r(&seconds, &utc) != NULL)
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
	out_fmt(o, "%s %s\n", name, text);
}

static void put_text(struct out *o, const char *name, const char *text)
{
	out_fmt(o, "%s ", name);
	text_escape(o, view_str(text), 1000);
	out_str(o, "\n");
}

static void put_what(const struct mover *m, struct out *o)
{
	put_text(o, "mover", m->set->name);
	put_text(o, "postoffice", m->set->postoffice);
	if (!is_mailer(m))
		put_text(o, "peer", m->peer);
	out_fmt(o, "state %s\n", state_of(m));
	if (m->why[0] != 0)
		put_text(o, "why", m->why);
	if (m->bag[0] != 0)
		out_fmt(o, "mailbag %s.MBG\n", m->bag);
	out_fmt(o, "waiting %u\nmoved %llu\n", m->waiting, (unsigned long long)m->total);
}

static void write_file(const struct mover *m, struct view octets)
{
	char path[620], beside[630];
	snprintf(path, sizeof path, "%s.status", m->memory.path);
	snprintf(beside, sizeof beside, "%s.new", path);
	const int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	const bool good = write(fd, octets.p, octets.n) == (ssize_t)octets.n;
	close(fd);
	if (!good || rename(beside, path) != 0)
		unlink(beside);
}

void status_tell(struct mover *m, int64_t next_ms)
{
	struct out o;
	const int64_t now = env_now_ms(m->host->env);
	out_init(&o, 16 * 1024);
	put_what(m, &o);
	const uint64_t hash = hash_octets(HASH_START, out_view(&o));
	const int64_t least = hash == m->status_hash ? STATUS_LEAST_MS : next_ms < 0 ? STATUS_OFTEN_MS : 0;
	if (m->status_hash == 0 || now - m->status_ms >= least) {
		put_time(&o, "at", mover_now(m));
		out_fmt(&o, "due %lld\n", (long long)(mover_now(m) + (next_ms < 0 ? 0 : next_ms) + STATUS_GRACE_MS) / 1000);
		write_file(m, out_view(&o));
		m->status_hash = hash;
		m->status_ms = now;
	}
	out_fini(&o);
}
