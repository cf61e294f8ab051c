/* decode_follow.c - `posthorn decode --follow PREFIX`: traces whose files begin with this, decoded as they grow, until interrupted. */
#include "base/mem.h"
#include "proc/tool/decode_live.h"
#include "proc/tool/tool_follow.h"
#include "sys/moment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_MS = 100, FILES_MAX = 256, PIECE = 1 << 16, EXIT_NO_INPUT = 66, EXIT_IO = 74 };

struct followed {
	char name[NAME_MAX + 1];
	int fd;
	struct decode_live *live;
};

struct following {
	const struct decode_options *options;
	const char *folder, *prefix;
	struct followed *files[FILES_MAX];
	size_t n, connections;
};

static void write_out(void *ctx, struct view text)
{
	(void)ctx;
	if (text.n > 0)
		fwrite(text.p, 1, text.n, stdout);
}

static bool is_known(const struct following *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->files[i]->name, name) == 0)
			return true;
	return false;
}

static void look_for_files(struct following *f)
{
	DIR *d = opendir(f->folder);
	const struct dirent *entry;
	while (d != NULL && f->n < FILES_MAX && (entry = readdir(d)) != NULL) {
		if (strncmp(entry->d_name, f->prefix, strlen(f->prefix)) != 0 || is_known(f, entry->d_name))
			continue;
		const int fd = openat(dirfd(d), entry->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0)
			continue; /* gone, or not yet ours to read */
		struct followed *x = mem_zero(sizeof *x);
		snprintf(x->name, sizeof x->name, "%s", entry->d_name);
		x->fd = fd;
		x->live = decode_live_new(f->options, write_out, NULL, &f->connections);
		f->files[f->n++] = x;
	}
	if (d != NULL)
		closedir(d);
}

/* True: it had something. */
static bool read_on(struct followed *x)
{
	uint8_t piece[PIECE];
	struct err e;
	const ssize_t n = x->fd < 0 ? 0 : read(x->fd, piece, sizeof piece);
	if (n <= 0)
		return false;
	if (!decode_live_octets(x->live, view_of(piece, (size_t)n), &e)) {
		fprintf(stderr, "posthorn decode: %s: %s\n", x->name, e.text);
		close(x->fd);
		x->fd = -1;
	}
	return true;
}

int tool_follow(const struct decode_options *options, const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	struct following f = { .options = options, .folder = folder, .prefix = slash == NULL ? path : slash + 1 };
	snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path), slash == NULL ? "." : path);
	for (;;) {
		bool any = false;
		look_for_files(&f);
		for (size_t i = 0; i < f.n; i++)
			any = read_on(f.files[i]) || any;
		if (fflush(stdout) != 0)
			return EXIT_IO;
		if (!any)
			moment_wait_ms(LOOK_MS);
	}
}
