/* repair_content.c - the content of messages in a copy: files are shared with the original, and what does not fit is found out. */
#include "flow/store/repair_impl.h"

#include "base/mem.h"
#include "flow/store/sqlite_impl.h"
#include "sys/folder.h"

/* A path of the original or of the copy; good until the next. */
static const char *path_of(struct out *o, const char *folder, uint64_t file)
{
	char name[SQLITE_NAME_MAX];
	out_clear(o);
	out_fmt(o, "%s/%s", folder, sqlite_file_name(name, file));
	return out_cstr(o);
}

static size_t place_of(const struct repair *r, uint64_t file)
{
	size_t low = 0, high = r->files.n;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (r->files.v[middle] < file)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Do the message's parts, or the count of them, say this size? */
static bool parts_say(const struct group *g, int64_t size)
{
	bool any = g->has_share && g->share_size == size;
	for (size_t i = 0; i < g->n_parts; i++)
		any |= g->parts[i].size == size;
	return any;
}

/* The file gets its name in the copy: its own, or a new one when another message has that already. */
static void link_file(struct repair *r, struct group *g, uint64_t from, uint64_t octets, bool whole)
{
	struct out a, b;
	const size_t place = place_of(r, from);
	int64_t number = (int64_t)from;
	out_init(&a, 1 << 16);
	out_init(&b, 1 << 16);
	if (r->used[place]) {
		number = r->next_id++;
		repair_did(r, "message %lld shares its content file with another: it has one of its own, %lld", (long long)g->id,
			   (long long)number);
	}
	r->used[place] = 1;
	const char *there = path_of(&a, r->from, from), *here = path_of(&b, r->to, (uint64_t)number);
	if (!r->failed && !(whole ? folder_share_file(there, here, r->e) : folder_copy_file(there, here, octets, r->e)))
		r->failed = true;
	g->file = number;
	out_fini(&a);
	out_fini(&b);
}

static enum repair_content cut(struct repair *r, struct group *g, const char *what, uint64_t left, char why_r[CHECK_SENTENCE])
{
	snprintf(why_r, CHECK_SENTENCE, "%s: %llu of %lld octets are left", what, (unsigned long long)left, (long long)g->size);
	repair_did(r, "the content of message %lld is damaged: %s", (long long)g->id, why_r);
	g->size = (int64_t)left;
	return CONTENT_DAMAGED;
}

static enum repair_content in_row(struct repair *r, struct group *g, char why_r[CHECK_SENTENCE])
{
	g->has_file = false;
	if (g->size == g->content_octets)
		return CONTENT_WHOLE;
	if (g->size < 0 || g->n_parts == 0 || parts_say(g, g->content_octets)) {
		repair_did(r, "message %lld has %lld octets of content, and said %lld", (long long)g->id, (long long)g->content_octets,
			   (long long)g->size);
		g->size = g->content_octets;
		return CONTENT_WHOLE;
	}
	return cut(r, g, "the content in its row is not what it was", (uint64_t)g->content_octets, why_r);
}

static enum repair_content in_file(struct repair *r, struct group *g, char why_r[CHECK_SENTENCE])
{
	struct out path;
	const uint64_t file = (uint64_t)g->file;
	uint64_t there = 0;
	out_init(&path, 1 << 16);
	const bool has = g->file > 0 && check_files_has(&r->files, file) && folder_file_size(path_of(&path, r->from, file), &there);
	enum repair_content end = CONTENT_WHOLE;
	if (!has) {
		end = cut(r, g, "its content file is missing", 0, why_r);
		g->has_file = false; /* an empty content in the row */
	} else if (g->size >= 0 && there > (uint64_t)g->size && !parts_say(g, (int64_t)there)) {
		char what[64];
		snprintf(what, sizeof what, "content-%016llx", (unsigned long long)file);
		repair_did(r, "the content file of message %lld has %llu octets, and it came with %lld: the first ones are taken",
			   (long long)g->id, (unsigned long long)there, (long long)g->size);
		if (!r->failed)
			r->failed = !removed_file(r->kept, what, out_cstr(&path), "it is longer than its message says", r->e);
		link_file(r, g, file, (uint64_t)g->size, false);
	} else {
		if (there != (uint64_t)g->size && (g->size < 0 || parts_say(g, (int64_t)there)))
			g->size = (int64_t)there;
		else if (there != (uint64_t)g->size)
			end = cut(r, g, "its content file is cut", there, why_r);
		link_file(r, g, file, there, true);
	}
	out_fini(&path);
	return end;
}

enum repair_content repair_content_of(struct repair *r, struct group *g, char why_r[CHECK_SENTENCE])
{
	if (g->has_file && g->has_content && g->size == g->content_octets && !check_files_has(&r->files, (uint64_t)g->file))
		g->has_file = false;
	if (g->has_file)
		return in_file(r, g, why_r);
	if (g->has_content)
		return in_row(r, g, why_r);
	return cut(r, g, "it has no content", 0, why_r);
}

void repair_content_rest(struct repair *r)
{
	struct out path;
	char what[64];
	out_init(&path, 1 << 16);
	for (size_t i = 0; i < r->files.n && !r->failed; i++) {
		if (r->used[i])
			continue;
		snprintf(what, sizeof what, "content-%016llx", (unsigned long long)r->files.v[i]);
		r->failed = !removed_file(r->kept, what, path_of(&path, r->from, r->files.v[i]), "it belongs to no message", r->e);
		r->result.removed++;
		repair_did(r, "content/%016llx belongs to no message: it is in removed/", (unsigned long long)r->files.v[i]);
	}
	out_fini(&path);
}
