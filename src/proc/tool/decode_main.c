/* decode_main.c - `posthorn decode`: a file in, text to standard output; all else is decode.h's. */
#include "proc/tool/decode.h"
#include "proc/tool/tool.h"
#include "proc/tool/tool_follow.h"

#include <errno.h>

enum { EXIT_DAMAGED = 1, EXIT_USAGE = 64, EXIT_NO_INPUT = 66, EXIT_IO = 74, FILE_MAX = 1 << 30, READ_PIECE = 1 << 16 };

static void write_out(void *ctx, struct view text)
{
	FILE *f = ctx;
	if (text.n > 0)
		fwrite(text.p, 1, text.n, f);
}

static bool read_all(FILE *f, const char *path, struct out *o, struct err *e)
{
	for (;;) {
		uint8_t piece[READ_PIECE];
		const size_t n = fread(piece, 1, sizeof piece, f);
		out_bytes(o, view_of(piece, n));
		if (o->bad)
			return err_set(e, ERR_PERM, ERR_OF_PROCESS, "decode: %.100s has more than %d octets", path, (int)FILE_MAX);
		if (n < sizeof piece)
			break;
	}
	if (ferror(f))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "decode: cannot read %.100s: %s", path, strerror(errno));
	return true;
}

static bool read_file(const char *path, struct out *o, struct err *e)
{
	if (strcmp(path, "-") == 0)
		return read_all(stdin, "standard input", o, e);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "decode: cannot open %.100s: %s", path, strerror(errno));
	const bool ok = read_all(f, path, o, e);
	fclose(f);
	return ok;
}

int tool_decode(int argc, char **argv)
{
	struct decode_options options;
	struct decode_totals totals;
	const char *path;
	struct out file;
	struct err e;
	if (!decode_arguments(argc, argv, &options, &path, &e)) {
		fprintf(stderr, "posthorn %s\n", e.text);
		return EXIT_USAGE;
	}
	if (path == NULL) {
		fputs(decode_help, stdout);
		return 0;
	}
	if (options.follow)
		return tool_follow(&options, path);
	out_init(&file, FILE_MAX);
	int status = EXIT_NO_INPUT;
	if (!read_file(path, &file, &e))
		fprintf(stderr, "posthorn %s\n", e.text);
	else
		status = decode_file(out_view(&file), &options, write_out, stdout, &totals) ? 0 : EXIT_DAMAGED;
	out_fini(&file);
	if (fflush(stdout) != 0) {
		fprintf(stderr, "posthorn decode: cannot write: %s\n", strerror(errno));
		status = EXIT_IO;
	}
	return status;
}
