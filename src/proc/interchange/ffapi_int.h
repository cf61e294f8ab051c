/* ffapi_int.h - within ffapi*.c: the files of an import directory. */
#pragma once

#include "proc/interchange/interchange_int.h"

enum { FFAPI_NAME_MAX = 255 }; /* as long as one can be */

struct seen {
	char name[FFAPI_NAME_MAX + 1];
	uint64_t size;
	int64_t changed_ns;
	unsigned looks;          /* at which it was the same */
	unsigned again_at;       /* looks, before which it is not read again */
	char *names;             /* of files that it names, each with its NUL; NULL: none */
	size_t names_n;          /* octets of them */
	bool here, is_done;
	bool is_read;            /* names are those of the file as it was at the last look */
	bool is_named;           /* by a message file that is here */
	bool is_reached;         /* nobody names it, or one that is reached does: else it is in a circle, or goes along with one */
};

struct ffapi {
	struct seen *v;          /* by name, the first n_sorted of them: all but during a look */
	size_t n, n_sorted, at;
	unsigned taken;          /* in this round */
	bool again;              /* something is not complete yet */
	int64_t looked_ms;
	/* the file at hand */
	char name[FFAPI_NAME_MAX + 1];
	struct out octets;
	struct mai mai;
	char **beside;
	size_t n_beside;
	bool is_growing;         /* one of them was another at the last look */
	/* what is written */
	int fd;
};

struct seen *ffapi_find_exactly(struct ffapi *f, const char *name);                     /* as it is spelt; NULL: not here */
struct seen *ffapi_find(struct ffapi *f, struct view name, const char *spelt);         /* so, else in any case */

/* ffapi_named.c: who goes along with whom. */
void ffapi_named_set(struct seen *s, struct view head); /* what the lines of `head`, the beginning of its file, name; none when it is no message */
void ffapi_named_mark(struct ffapi *f);                 /* is_named and is_reached of all; after each look */
const struct seen *ffapi_named_by(struct ffapi *f, const struct seen *s); /* the first that names it; NULL: nobody */
