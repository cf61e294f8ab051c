/* postoffice_show.c - `posthorn postoffice show` and `read`: the records of a mailbag; a message with its envelope. */
#include "proc/tool/postoffice.h"

#include "base/mem.h"
#include "base/text.h"
#include "flow/wire/postoffice/mail.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 1024 * 1024, PIECE = 64 * 1024, NAME_SHOWN = 100, SAME_NAME_MAX = 1000 };

/* --- the records of a bag --- */
static void show_record_json(const struct po_tool *t, const struct po_bag_entry *x)
{
	bool first = true;
	char date[24];
	putchar('{');
	po_json_number(&first, "slot", x->slot);
	if (!x->readable) {
		po_json_text(t, &first, "unreadable", CHARSET_PAGE_UTF8, view_str(x->why.text));
	} else {
		po_print_date(&x->header.date, date);
		po_json_text(t, &first, "mai", t->code_page, view_str(x->header.mai.s));
		po_json_text(t, &first, "from", t->code_page, view_str(x->header.from));
		po_json_text(t, &first, "subject", t->code_page, view_str(x->header.subject));
		po_json_text(t, &first, "date", t->code_page, view_str(date));
		po_json_number(&first, "size", x->header.size);
	}
	puts("}");
}

static void show_record(const struct po_tool *t, const struct po_bag_entry *x)
{
	char date[24];
	if (t->json) {
		show_record_json(t, x);
		return;
	}
	if (!x->readable) {
		printf("%4u  cannot be read: %s\n", x->slot, x->why.text);
		return;
	}
	po_print_date(&x->header.date, date);
	printf("%4u  %s  %s %9u  ", x->slot, x->header.mai.s, date, (unsigned)x->header.size);
	po_print_line(t, t->code_page, view_str(x->header.from));
	fputs(": ", stdout);
	po_print_line(t, t->code_page, view_str(x->header.subject));
	putchar('\n');
}

static int show_bag(struct po_tool *t, const char *bag, struct err *e)
{
	struct po_entries x;
	if (!po_tool_entries(t, bag, &x, e))
		return po_tool_status(e);
	for (unsigned i = 0; i < x.n; i++)
		show_record(t, &x.entries[i]);
	if (!t->json)
		printf("%s: %u records\n", bag, x.live);
	po_tool_entries_free(&x);
	return 0;
}

/* --- an envelope --- */
static const char *state_name(enum mm_state s)
{
	switch (s) {
	case MM_UNREADY: return "not ready";
	case MM_READY: return "ready";
	case MM_PLACING: return "being placed";
	}
	return "?";
}

static void show_recipient_json(const struct po_tool *t, const struct mm_recipient *r)
{
	bool first = true;
	putchar('{');
	po_json_text(t, &first, "address", t->code_page, r->address.text);
	po_json_number(&first, "type", r->address.type);
	printf(",\"responsible\":%s", r->responsible ? "true" : "false");
	po_json_text(t, &first, "mailbag", t->code_page, view_str(r->bag));
	po_json_number(&first, "tries", r->tries);
	po_json_number(&first, "notice", (uint64_t)r->notice);
	putchar('}');
}

static void show_envelope_json(const struct po_tool *t, const struct mm_envelope *v)
{
	bool first = true;
	printf(",\"envelope\":{");
	po_json_text(t, &first, "state", t->code_page, view_str(state_name(v->state)));
	po_json_text(t, &first, "from", t->code_page, v->from.text);
	printf(",\"hops\":[");
	for (size_t i = 0; i < v->n_hops; i++) {
		char hop[2 * MM_NAME_MAX + 2];
		bool none = true;
		snprintf(hop, sizeof hop, "%s/%s", v->hops[i].network, v->hops[i].postoffice);
		printf("%s{", i == 0 ? "" : ",");
		po_json_text(t, &none, "postoffice", t->code_page, view_str(hop));
		putchar('}');
	}
	printf("],\"recipients\":[");
	for (size_t i = 0; i < v->n; i++) {
		fputs(i == 0 ? "" : ",", stdout);
		show_recipient_json(t, &v->recipients[i]);
	}
	printf("]}");
}

static void show_envelope(const struct po_tool *t, const struct mm_envelope *v)
{
	char shown[96], other[96];
	printf("Envelope:   %s, from ", state_name(v->state));
	po_print_line(t, t->code_page, v->from.text);
	putchar('\n');
	for (size_t i = 0; i < v->n_hops; i++)
		printf("  hop       %s/%s\n", text_escaped(shown, sizeof shown, view_str(v->hops[i].network)),
		       text_escaped(other, sizeof other, view_str(v->hops[i].postoffice)));
	for (size_t i = 0; i < v->n; i++) {
		const struct mm_recipient *r = &v->recipients[i];
		printf("  for       ");
		po_print_line(t, t->code_page, r->address.text);
		printf("%s%s%s%s", r->is_cc ? " (cc)" : "", r->responsible ? "" : " (not ours)", r->bag[0] == 0 ? "" : " in mailbag ", r->bag);
		if (r->tries > 0)
			printf(", tried %u times", r->tries);
		if (r->notice > 0)
			printf(", notice [%03d]", r->notice);
		putchar('\n');
	}
}

/* --- a message --- */
static void show_address(const struct po_tool *t, unsigned page, const char *label, const struct mm_address *a)
{
	printf("%-12s", label);
	if (a->friendly.n > 0) {
		po_print_line(t, page, a->friendly);
		fputs(" <", stdout);
	}
	po_print_line(t, page, a->text);
	puts(a->friendly.n > 0 ? ">" : "");
}

static void show_message(const struct po_tool *t, const struct mai *m)
{
	const unsigned page = po_tool_page(t, m);
	char date[24];
	show_address(t, page, "From:", &m->from);
	for (size_t i = 0; i < m->n_to; i++)
		show_address(t, page, "To:", &m->to[i]);
	for (size_t i = 0; i < m->n_cc; i++)
		show_address(t, page, "Cc:", &m->cc[i]);
	po_print_date(&m->date, date);
	printf("Date:       %s\nSubject:    ", date);
	po_print_line(t, page, m->subject);
	if (m->priority != 0)
		printf("\nPriority:   %c", m->priority > 0x20 && m->priority < 0x7f ? m->priority : '?');
	printf("\nMailbags:   %u\n", m->bags);
	if (m->receipt || m->is_receipt)
		printf("Receipt:    %s\n", m->is_receipt ? "this is one" : "asked for");
	for (size_t i = 0; i < m->n_attachments; i++) {
		printf("Attachment: %s  %llu octets  ", m->attachments[i].file.s, (unsigned long long)m->attachments[i].size);
		po_print_line(t, page, m->attachments[i].name);
		putchar('\n');
	}
	putchar('\n');
	po_print_text(t, page, m->text);
	if (m->text.n > 0)
		putchar('\n');
}

static void show_addresses_json(const struct po_tool *t, unsigned page, const char *key, const struct mm_address *a, size_t n)
{
	printf(",\"%s\":[", key);
	for (size_t i = 0; i < n; i++) {
		bool first = true;
		fputs(i == 0 ? "{" : ",{", stdout);
		po_json_text(t, &first, "address", page, a[i].text);
		po_json_text(t, &first, "friendly", page, a[i].friendly);
		po_json_number(&first, "type", a[i].type);
		putchar('}');
	}
	putchar(']');
}

static void show_message_json(const struct po_tool *t, const struct mai *m)
{
	const unsigned page = po_tool_page(t, m);
	const char priority[2] = { m->priority, 0 };
	char date[24];
	bool first = true;
	printf(",\"message\":{");
	po_print_date(&m->date, date);
	po_json_text(t, &first, "date", page, view_str(date));
	po_json_text(t, &first, "subject", page, m->subject);
	po_json_text(t, &first, "priority", page, view_str(priority));
	po_json_number(&first, "mailbags", m->bags);
	printf(",\"receipt\":%s,\"is_receipt\":%s", m->receipt ? "true" : "false", m->is_receipt ? "true" : "false");
	show_addresses_json(t, page, "from", &m->from, 1);
	show_addresses_json(t, page, "to", m->to, m->n_to);
	show_addresses_json(t, page, "cc", m->cc, m->n_cc);
	printf(",\"attachments\":[");
	for (size_t i = 0; i < m->n_attachments; i++) {
		bool one = true;
		fputs(i == 0 ? "{" : ",{", stdout);
		po_json_text(t, &one, "file", page, view_str(m->attachments[i].file.s));
		po_json_text(t, &one, "name", page, m->attachments[i].name);
		po_json_number(&one, "size", m->attachments[i].size);
		putchar('}');
	}
	putchar(']');
	po_json_text(t, &first, "text", page, m->text);
	putchar('}');
}

/* The envelope, when there is one and `envelopes`; the message. */
static void show_whole(struct po_tool *t, const struct po_bag_entry *x, const struct mai *m, bool envelopes)
{
	struct mm_envelope v;
	struct err why = { 0 };
	const bool has = envelopes && postoffice_read_envelope(t->po, &x->header.mai, t->arena, &v, &why);
	if (!t->json) {
		show_record(t, x);
		if (has)
			show_envelope(t, &v);
		else if (envelopes)
			printf("Envelope:   %s\n", mail_notice_of(&why) == 21 ? "none, as a client writes it" : why.text);
		show_message(t, m);
		return;
	}
	bool first = true;
	putchar('{');
	po_json_number(&first, "slot", x->slot);
	po_json_text(t, &first, "mai", t->code_page, view_str(x->header.mai.s));
	if (has)
		show_envelope_json(t, &v);
	show_message_json(t, m);
	puts("}");
}

/* --- attachments to files of this machine --- */
/* The last part of a name, in octets that any file system takes; never one that is hidden or a way elsewhere. */
static void file_name(const struct po_tool *t, unsigned page, const struct mm_attachment *a, size_t index, char name_r[NAME_SHOWN + 8])
{
	struct out o;
	out_init(&o, TEXT_MAX);
	const struct view v = out_view(po_utf8(t, page, a->name, &o));
	size_t n = 0;
	for (size_t i = 0; i < v.n && n < NAME_SHOWN; i++)
		if (v.p[i] == '/' || v.p[i] == '\\' || v.p[i] == ':')
			n = 0;
		else
			name_r[n++] = (char)(v.p[i] < 0x20 || v.p[i] == 0x7f ? '_' : v.p[i]);
	name_r[n] = 0;
	if (n == 0 || name_r[0] == '.')
		snprintf(name_r, NAME_SHOWN + 8, "attachment%zu", index + 1);
	out_fini(&o);
}

static bool copy_octets(struct po_tool *t, const struct mm_attachment *a, int fd, const char *path, struct err *e)
{
	struct po_file *f;
	uint64_t size;
	static const size_t piece = PIECE;
	if (!postoffice_open_attachment(t->po, &a->file, &f, &size, e))
		return false;
	uint8_t *buf = mem_alloc(piece);
	size_t got = 0;
	bool ok = true;
	while (ok && (ok = po_file_read(f, buf, piece, &got, e)) && got > 0)
		if (write(fd, buf, got) != (ssize_t)got)
			ok = err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "cannot write %.100s: %s", path, strerror(errno));
	mem_free_(buf);
	po_file_close(&f);
	return ok;
}

/* A name that is taken gets a number. */
static bool save_one(struct po_tool *t, const char *name, const struct mm_attachment *a, struct err *e)
{
	struct out path;
	int fd = -1;
	out_init(&path, 8192);
	for (unsigned i = 0; fd < 0 && i < SAME_NAME_MAX; i++) {
		out_clear(&path);
		out_fmt(&path, i == 0 ? "%s/%s" : "%s/%s.%u", t->save, name, i);
		fd = open(out_cstr(&path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	bool ok = fd >= 0 || err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "cannot make %.100s: %s", out_cstr(&path), strerror(errno));
	ok = ok && copy_octets(t, a, fd, out_cstr(&path), e);
	if (ok && fsync(fd) != 0)
		ok = err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "cannot write %.100s: %s", out_cstr(&path), strerror(errno));
	if (fd >= 0 && close(fd) != 0 && ok)
		ok = err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "cannot write %.100s: %s", out_cstr(&path), strerror(errno));
	if (ok && !t->json)
		printf("saved:      %s\n", out_cstr(&path));
	out_fini(&path);
	return ok;
}

static bool save_all(struct po_tool *t, const struct mai *m, struct err *e)
{
	char name[NAME_SHOWN + 8];
	if (mkdir(t->save, 0777) != 0 && errno != EEXIST)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "cannot make %.100s: %s", t->save, strerror(errno));
	for (size_t i = 0; i < m->n_attachments; i++) {
		file_name(t, po_tool_page(t, m), &m->attachments[i], i, name);
		if (!save_one(t, name, &m->attachments[i], e))
			return false;
	}
	return true;
}

/* --- the verbs --- */
/* What was shown and saved has arrived: only then may the message go. */
static bool has_arrived(const struct po_tool *t, struct err *e)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "cannot write: %s; the message stays", strerror(errno));
	return t->save == NULL || po_tool_sync_directory(t->save, e);
}

static int show_slot(struct po_tool *t, const char *bag, const char *slot, bool envelopes, struct err *e)
{
	struct po_bag_entry x;
	struct mai m;
	struct out file;
	if (!po_tool_entry(t, bag, slot, &x, e))
		return po_tool_status(e);
	if (!x.readable) {
		*e = x.why;
		return PO_EXIT_DATA;
	}
	out_init(&file, PO_FILE_MAX);
	bool ok = po_tool_mai(t, &x.header.mai, &file, &m, e);
	if (ok)
		show_whole(t, &x, &m, envelopes);
	ok = ok && (t->save == NULL || save_all(t, &m, e));
	ok = ok && (!t->delete || (has_arrived(t, e) && po_tool_drop(t, bag, &x, e)));
	out_fini(&file);
	return ok ? 0 : po_tool_status(e);
}

int po_tool_show(struct po_tool *t, struct err *e)
{
	char bag[9];
	if (!po_tool_bag(t, t->args[1], bag, e))
		return po_tool_status(e);
	return t->n_args < 3 ? show_bag(t, bag, e) : show_slot(t, bag, t->args[2], true, e);
}

int po_tool_read(struct po_tool *t, struct err *e)
{
	struct mm_user u;
	if (!po_tool_user(t, t->args[1], &u, e))
		return po_tool_status(e);
	if (t->n_args < 3 && (t->save != NULL || t->delete)) {
		err_set(e, ERR_PERM, ERR_OF_PROCESS, "--save and --delete want a SLOT");
		return PO_EXIT_USAGE;
	}
	return t->n_args < 3 ? show_bag(t, u.mailbag, e) : show_slot(t, u.mailbag, t->args[2], false, e);
}
