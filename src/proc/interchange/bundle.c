/* bundle.c - a message of Microsoft Mail as it lies in quarantine: one run of octets, that an operator can save, and that this process can read
 * again when it is released: "MSMAIL1\n", then strings: envelope as a P1 file, local identifier, then 1 octet FFAPI or not, 8 octets
 * arrival, string of names and sizes as in XLATE; then the files' octets. */
#include "proc/interchange/interchange_int.h"

#define BUNDLE_MAGIC "MSMAIL1\n"

void bundle_begin(struct interchange *x, struct out *o, uint64_t *size_r)
{
	struct inward *in = &x->in;
	struct out envelope, files;
	struct err e;
	uint64_t sum = 0;
	out_init(&envelope, MSG_ENVELOPE_MAX / 2);
	out_init(&files, MSG_ENVELOPE_MAX / 4);
	if (!mm_envelope_print(&in->v, &envelope, &e))
		out_clear(&envelope);
	for (size_t i = 0; i < in->n_files; i++) {
		put_xlate_file(&files, in->files[i].name, in->files[i].size);
		sum += in->files[i].size;
	}
	out_str(o, BUNDLE_MAGIC);
	put_string(o, out_view(&envelope));
	put_string(o, view_str(in->local_id));
	out_u8(o, in->is_ffapi);
	out_u64(o, (uint64_t)in->at);
	put_string(o, out_view(&files));
	*size_r = out_len(o) + sum;
	out_fini(&envelope);
	out_fini(&files);
}

bool bundle_parse(struct interchange *x, struct view octets, struct err *e)
{
	struct inward *in = &x->in;
	struct cur c = cur_of(octets);
	struct xlate_file *files;
	uint64_t sum;
	size_t n;
	const bool magic = view_eq(cur_bytes(&c, sizeof BUNDLE_MAGIC - 1), VIEW(BUNDLE_MAGIC));
	const struct view envelope = get_string(&c), local = get_string(&c);
	in->is_ffapi = cur_u8(&c) != 0;
	in->at = (wall_ms_t)cur_u64(&c);
	const struct view list = get_string(&c);
	if (!magic || c.bad)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "the octets are no message of Microsoft Mail, as it was kept");
	if (!mm_envelope_parse(envelope, &in->v, in->a, e) || !get_xlate_files(list, &files, &n, &sum, in->a, e))
		return false;
	snprintf(in->local_id, sizeof in->local_id, "%.*s", (int)(local.n < 32 ? local.n : 32), (const char *)local.p);
	in->files = arena_array(in->a, n, sizeof *in->files);
	in->ours = arena_array(in->a, in->v.n, sizeof *in->ours);
	if (in->files == NULL || in->ours == NULL || n == 0 || cur_left(&c) != sum)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%zu files of %llu octets, found %zu", n, (unsigned long long)sum, cur_left(&c));
	for (size_t i = 0; i < n; i++)
		in->files[i] = (struct in_file){ .name = files[i].name, .size = files[i].size, .octets = cur_bytes(&c, (size_t)files[i].size), .in_memory = true };
	in->n_files = n;
	in->n_ours = 0;
	for (size_t i = 0; i < in->v.n; i++)
		if (in->v.recipients[i].responsible && in->v.recipients[i].bag[0] == 0) {
			in->v.recipients[i].notice = 0;
			in->ours[in->n_ours++] = i;
		}
	return in->n_ours > 0 || err_set(e, ERR_PERM, ERR_OF_MESSAGE, "nobody in it is for X.400");
}
