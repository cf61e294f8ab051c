/* postoffice_send.c - `posthorn postoffice send`: a message into mailbags, as a client of a postoffice writes it (facts A9, 1). */
#include "proc/tool/postoffice.h"

#include "base/mem.h"
#include "base/text.h"
#include "flow/codec/msmail/address.h"
#include "flow/wire/postoffice/mail.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 64 * 1024, BAGS_MAX = UINT16_MAX, PATIENCE = 10 /* times a second */, HEADER_WORD = 0x18 /* as in both dumps (A5) */ };

/* --- addresses --- */
static bool print_own(const struct po_tool *t, const char *mailbox, struct out *o, struct err *e)
{
	struct mm_name name = postoffice_master(t->po)->own;
	char shown[64];
	if (strlen(mailbox) == 0 || strlen(mailbox) > MM_NAME_MAX)
		return err_set(e, ERR_PERM, ERR_OF_LINK, "\"%s\" is no address: want a mailbox, NETWORK/POSTOFFICE/MAILBOX or TYPE:ADDRESS",
			       text_escaped(shown, sizeof shown, view_str(mailbox)));
	snprintf(name.mailbox, sizeof name.mailbox, "%.10s", mailbox);
	mm_name_print(&name, o);
	return true;
}

static bool make_address(struct po_tool *t, const char *text, struct out *o, struct mm_address *a_r, struct err *e)
{
	struct mm_name name;
	char shown[128];
	struct mm_address a = { .type = MM_ADDRESS_MS };
	const char *colon = strchr(text, ':');
	if (colon != NULL && colon > text) {
		a.type = view_eq_nocase(view_of(text, (size_t)(colon - text)), VIEW("X400")) ? MM_ADDRESS_X400 : MM_ADDRESS_TYPED;
		out_str(o, a.type == MM_ADDRESS_X400 ? colon + 1 : text);
	} else if (strchr(text, '/') == NULL) {
		if (!print_own(t, text, o, e))
			return false;
	} else if (!mm_name_parse(view_str(text), &name, e)) {
		return false;
	} else if (name.mailbox[0] == 0) {
		return err_set(e, ERR_PERM, ERR_OF_LINK, "\"%s\" is a postoffice, want NETWORK/POSTOFFICE/MAILBOX", text_escaped(shown, sizeof shown, view_str(text)));
	} else {
		out_str(o, text);
	}
	a.text = arena_copy(t->arena, out_view(o));
	*a_r = a;
	return true;
}

bool po_tool_address(struct po_tool *t, const char *text, struct mm_address *a_r, struct err *e)
{
	struct out utf8, page;
	out_init(&utf8, 4096);
	out_init(&page, 4096);
	struct mm_address a;
	bool ok = make_address(t, text, &utf8, &a, e);
	if (ok && charset_page_from_utf8(t->kit, t->code_page, a.text, &page) > 0)
		ok = err_set(e, ERR_PERM, ERR_OF_LINK, "\"%.60s\" has characters that code page %u has not", text, t->code_page);
	if (ok) {
		a.text = arena_copy(t->arena, out_view(&page));
		*a_r = a;
	}
	out_fini(&utf8);
	out_fini(&page);
	return ok;
}

/* --- which bags --- */
struct bags {
	char (*names)[9];
	size_t n;
	unsigned unreached; /* recipients who cannot be served; said already */
};

static void add_bag(struct bags *b, const char *bag)
{
	for (size_t i = 0; i < b->n; i++)
		if (mm_same(b->names[i], bag))
			return;
	if (b->n < BAGS_MAX)
		memcpy(b->names[b->n++], bag, sizeof b->names[0]);
}

struct expansion {
	struct po_tool *t;
	struct bags *bags;
	struct err *e;
	bool failed;
};

static bool add_recipient(struct po_tool *t, const struct mm_address *a, struct bags *b, struct err *e);

static bool on_member(void *ctx, const struct mm_name *member)
{
	struct expansion *x = ctx;
	struct mm_route r;
	x->failed = !postoffice_route(x->t->po, member, &r, x->e);
	if (!x->failed && (r.where == MM_LOCAL_USER || r.where == MM_OUTBOUND)) /* one who is gone is no reason to keep it from the others */
		add_bag(x->bags, r.mailbag);
	return !x->failed;
}

static void say_unreached(struct po_tool *t, const struct mm_address *a, struct bags *b, const char *why)
{
	struct err e;
	char shown[160];
	err_set(&e, ERR_PERM, ERR_OF_RECIPIENT, "%s", why);
	po_tool_say(t, text_escaped(shown, sizeof shown, a->text), &e);
	b->unreached++;
}

static bool add_recipient(struct po_tool *t, const struct mm_address *a, struct bags *b, struct err *e)
{
	struct expansion x = { .t = t, .bags = b, .e = e };
	struct mm_name name;
	struct mm_route r;
	struct err why;
	if (!mm_route_name(a, &name, &why)) {
		say_unreached(t, a, b, why.text);
		return true;
	}
	if (a->type == MM_ADDRESS_MS && name.mailbox[0] == 0) {
		say_unreached(t, a, b, "it is a postoffice: want NETWORK/POSTOFFICE/MAILBOX");
		return true;
	}
	if (!postoffice_route(t->po, &name, &r, e))
		return false;
	switch (r.where) {
	case MM_LOCAL_USER:
	case MM_SYSTEM:
	case MM_OUTBOUND: add_bag(b, r.mailbag); return true;
	case MM_GROUP: return postoffice_group(t->po, name.mailbox, on_member, &x, e) && !x.failed;
	case MM_NO_USER: say_unreached(t, a, b, "there is no such mailbox here"); return true;
	case MM_NO_ROUTE: say_unreached(t, a, b, "no such postoffice or gateway is known here"); return true;
	}
	CANT_HAPPEN("a route of no kind");
}

static bool find_bags(struct po_tool *t, const struct mai *m, struct bags *b, struct err *e)
{
	for (size_t i = 0; i < m->n_to + m->n_cc; i++)
		if (!add_recipient(t, i < m->n_to ? &m->to[i] : &m->cc[i - m->n_to], b, e))
			return false;
	if (b->unreached > 0)
		return err_set(e, ERR_PERM, ERR_OF_LINK, "%u recipients cannot be served: nothing is sent", b->unreached);
	return b->n > 0 || err_set(e, ERR_PERM, ERR_OF_LINK, "there is nobody to send it to");
}

/* --- attachments --- */
static bool put_file(struct po_put *p, int fd, const char *path, uint64_t size, struct err *e)
{
	uint8_t *buf = mem_alloc(PIECE);
	uint64_t done = 0;
	bool ok = true;
	while (ok && done < size) {
		const size_t want = size - done < PIECE ? (size_t)(size - done) : PIECE;
		const ssize_t n = read(fd, buf, want);
		if (n <= 0)
			ok = err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "cannot read %.100s: %s", path, n < 0 ? strerror(errno) : "it became shorter");
		else
			ok = po_put_octets(p, view_of(buf, (size_t)n), e);
		done += n > 0 ? (uint64_t)n : 0;
	}
	mem_free_(buf);
	return ok;
}

static bool put_source(struct po_put *p, const struct po_source *s, struct mm_attachment *a, struct err *e)
{
	struct stat st;
	if (s->path == NULL) {
		a->size = s->octets.n;
		return po_put_attachment(p, a->size, &a->file, e) && po_put_octets(p, s->octets, e);
	}
	const int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "cannot read %.100s: %s", s->path, fd < 0 ? strerror(errno) : "it is no file");
		if (fd >= 0)
			close(fd);
		return false;
	}
	a->size = (uint64_t)st.st_size;
	const bool ok = po_put_attachment(p, a->size, &a->file, e) && put_file(p, fd, s->path, a->size, e);
	close(fd);
	return ok;
}

/* --- posting --- */
static struct mm_header header_of(const struct mai *m, uint64_t size)
{
	const wall_ms_t now = po_tool_now(); /* a record has the time of arrival */
	struct mm_header h = { .date = mm_date_of_wall(now, po_tool_zone(now)), .size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size, .word_88 = HEADER_WORD, .priority = m->priority };
	struct mm_name from;
	const struct view who = mm_name_parse(m->from.text, &from, NULL) ? view_str(from.mailbox) : m->from.text;
	memcpy(h.from, who.p, who.n < MM_NAME_MAX ? who.n : MM_NAME_MAX);
	if (m->subject.n > 0)
		memcpy(h.subject, m->subject.p, m->subject.n < MM_SUBJECT_MAX ? m->subject.n : MM_SUBJECT_MAX);
	return h;
}

static bool deliver_to(struct po_tool *t, const char *bag, const struct mm_header *h, struct err *e)
{
	for (unsigned i = 0; i < PATIENCE; i++)
		if (postoffice_deliver(t->po, bag, h, e))
			return true;
		else if (e->kind != ERR_TEMP)
			break;
	return false;
}

/* A bag that cannot take it (full) does not keep it from the others; the counter says how many did. */
static bool deliver(struct po_tool *t, const struct mm_header *h, const struct bags *b, unsigned *n_r, struct err *e)
{
	*n_r = 0;
	for (size_t i = 0; i < b->n; i++) {
		struct err why = { 0 };
		if (deliver_to(t, b->names[i], h, &why)) {
			(*n_r)++;
		} else {
			po_tool_say(t, b->names[i], &why);
			*e = why;
		}
	}
	if (*n_r == b->n || *n_r == 0)
		return *n_r > 0;
	if (!postoffice_set_bags(t->po, &h->mai, *n_r, e))
		return false;
	return err_set(e, ERR_PERM, ERR_OF_LINK, "%s is in %u of its %zu mailbags", h->mai.s, *n_r, b->n); /* not to be sent again */
}

static bool put_message(struct po_tool *t, struct po_put *p, struct mai *m, const struct po_source *sources, const struct bags *b, struct mm_header *h_r,
			struct err *e)
{
	struct out file;
	uint64_t size = 0;
	for (size_t i = 0; i < m->n_attachments; i++) {
		if (!put_source(p, &sources[i], &m->attachments[i], e))
			return false;
		size += m->attachments[i].size;
	}
	out_init(&file, PO_FILE_MAX);
	m->bags = (uint16_t)b->n;
	const bool ok = mai_print(m, t->scramble, &file, e) && po_put_mai(p, out_view(&file), (unsigned)b->n, e);
	*h_r = header_of(m, size + out_len(&file));
	h_r->mai = po_put_id(p);
	out_fini(&file);
	return ok;
}

bool po_tool_post(struct po_tool *t, struct mai *m, const struct po_source *sources, struct mm_id *id_r, unsigned *bags_r, struct err *e)
{
	struct bags b = { .names = mem_alloc(mem_mul(BAGS_MAX, 9)) };
	struct po_put *p = NULL;
	struct mm_header h;
	*bags_r = 0;
	bool ok = find_bags(t, m, &b, e) && postoffice_put_begin(t->po, &p, e);
	ok = ok && put_message(t, p, m, sources, &b, &h, e);
	if (ok) {
		*id_r = h.mai;
		ok = deliver(t, &h, &b, bags_r, e);
	}
	if (p != NULL)
		po_put_end(&p, *bags_r > 0);
	mem_free_(b.names);
	return ok;
}

/* --- send --- */
bool po_tool_read_file(const char *path, struct out *o, struct err *e)
{
	FILE *f = fopen(path, "rbe");
	if (f == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "cannot open %.100s: %s", path, strerror(errno));
	uint8_t *buf = mem_alloc(PIECE);
	size_t n;
	while ((n = fread(buf, 1, PIECE, f)) > 0)
		out_bytes(o, view_of(buf, n));
	const bool ok = o->bad ? err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%.100s is larger than is read here", path)
			       : !ferror(f) || err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "cannot read %.100s: %s", path, strerror(errno));
	mem_free_(buf);
	fclose(f);
	return ok;
}

static bool from_utf8(struct po_tool *t, struct view utf8, const char *what, struct view *v_r, struct err *e)
{
	struct out o;
	out_init(&o, PO_FILE_MAX);
	const size_t lost = charset_page_from_utf8(t->kit, t->code_page, utf8, &o);
	*v_r = arena_copy(t->arena, out_view(&o));
	out_fini(&o);
	if (lost > 0)
		fprintf(stderr, "posthorn postoffice send: %s: %zu characters became `?`: code page %u has them not\n", what, lost, t->code_page);
	return !arena_full(t->arena) || err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%s is larger than %d MB", what, PO_ARENA >> 20);
}

static bool read_addresses(struct po_tool *t, const struct po_strings *from, struct mm_address **to_r, size_t *n_r, struct err *e)
{
	*to_r = arena_array(t->arena, from->n + 1, sizeof **to_r);
	*n_r = from->n;
	for (size_t i = 0; i < from->n; i++)
		if (!po_tool_address(t, from->s[i], &(*to_r)[i], e))
			return false;
	return true;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}

static bool read_attachments(struct po_tool *t, struct mai *m, struct po_source *sources, struct err *e)
{
	m->attachments = arena_array(t->arena, t->attach.n + 1, sizeof *m->attachments);
	m->n_attachments = t->attach.n;
	for (size_t i = 0; i < t->attach.n; i++) {
		m->attachments[i] = (struct mm_attachment){ .position = UINT32_MAX };
		sources[i] = (struct po_source){ .path = t->attach.s[i] };
		if (!from_utf8(t, view_str(last_part(t->attach.s[i])), "an attachment's name", &m->attachments[i].name, e))
			return false;
	}
	return true;
}

static bool read_text(struct po_tool *t, struct mai *m, struct err *e)
{
	struct out file;
	if (t->text_file == NULL)
		return from_utf8(t, view_str(t->text == NULL ? "" : t->text), "the text", &m->text, e);
	out_init(&file, PO_FILE_MAX);
	const bool ok = po_tool_read_file(t->text_file, &file, e) && from_utf8(t, out_view(&file), "the text", &m->text, e);
	out_fini(&file);
	return ok;
}

static bool compose(struct po_tool *t, struct mai *m, struct po_source *sources, struct err *e)
{
	struct mm_user u;
	const wall_ms_t now = po_tool_now();
	*m = (struct mai){ .hops = MM_HOPS_DEFAULT, .code_page = t->code_page, .date = mm_date_of_wall(now, po_tool_zone(now)), .priority = t->priority,
			   .receipt = t->receipt };
	if (!po_tool_user(t, t->from, &u, e) || !po_tool_address(t, u.mailbox, &m->from, e) || !read_addresses(t, &t->to, &m->to, &m->n_to, e) ||
	    !read_addresses(t, &t->cc, &m->cc, &m->n_cc, e))
		return false;
	m->from.friendly = view_str(arena_str(t->arena, view_str(u.friendly)));
	return from_utf8(t, view_str(t->subject == NULL ? "" : t->subject), "the subject", &m->subject, e) && read_text(t, m, e) &&
	       read_attachments(t, m, sources, e);
}

int po_tool_send(struct po_tool *t, struct err *e)
{
	struct po_source sources[PO_LIST_MAX];
	struct mai m;
	struct mm_id id;
	unsigned bags;
	if (t->from == NULL || t->to.n == 0 || (t->text != NULL && t->text_file != NULL)) {
		err_set(e, ERR_PERM, ERR_OF_PROCESS, "want --from MAILBOX, --to ADDRESS, and one text at most");
		return PO_EXIT_USAGE;
	}
	if (!compose(t, &m, sources, e) || !po_tool_post(t, &m, sources, &id, &bags, e))
		return po_tool_status(e);
	if (t->json)
		printf("{\"mai\":\"%s\",\"mailbags\":%u}\n", id.s, bags);
	else
		printf("%s is in %u mailbags\n", id.s, bags);
	return 0;
}
