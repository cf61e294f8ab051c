/* quarantine.c - `posthorn quarantine`: what was set aside because it kills a process or fails the same way each time. What is in
 * there is decoded here, in the process of the command: if that dies of it, the command dies and nothing else. */
#include "proc/ctl/quarantine_int.h"

#include "base/text.h"
#include "flow/codec/p1/p1.h"
#include "flow/message/pack.h"
#include "sys/folder.h"

#include <errno.h>

enum { DECODE_ARENA = 1 << 30, DECODE_DEPTH = 64, DECODE_ELEMENTS = 4000000, DECODE_ENVELOPE = 13 << 20 };

static const char usage[] =
	"usage: posthorn quarantine list -c FILE\n"
	"       posthorn quarantine show -c FILE ID [--octets]\n"
	"       posthorn quarantine export -c FILE ID TO [--p1]\n"
	"       posthorn quarantine release -c FILE ID ... [--to LINK] [--why TEXT]\n"
	"       posthorn quarantine delete -c FILE ID ... --why TEXT\n\n"
	"What was set aside: messages that processes have died of or that fail the same way each time, and octets of a\n"
	"peer that cannot be read.\n\n"
	"  list      what is in quarantine, and why\n"
	"  show      one of them: envelope, recipients, cause, last words of the process that died\n"
	"  export    the octets as they came, or a message's content, into the file TO (\"-\": standard output)\n"
	"  release   back to its link; octets are decoded here first, and offered as what came by their link; those of a\n"
	"            postoffice are given to its interchange again\n"
	"  delete    for good; its originator has had a report\n\n"
	"  --octets  show the first octets too\n"
	"  --p1      export: the whole APDU, envelope and content, for posthorn decode\n"
	"  --to LINK release: to that link instead of its own\n"
	"  --why TEXT              kept in the journey and in the audit; wanted for delete\n"
	"  --yes                   delete without --why\n"
	CTL_FIND CTL_STATUSES;

enum verb { LIST, SHOW, EXPORT, RELEASE, DELETE };

struct command {
	struct ctl ctl;
	enum verb verb;
	char **args;                     /* after the verb */
	size_t n_args;
	const char *to, *why;
	bool octets, p1, yes;
	uint64_t rows;
};

/* --- what is there --- */

static void print_row(struct ctl *c, struct view pairs)
{
	CONTAINER(c, struct command, ctl)->rows++;
	if (c->json) {
		ctl_print_json(pairs);
		return;
	}
	printf("%s  %s  %s  link %s  %s octets  strikes %s%s\n", ctl_value(c, pairs, "quarantine"), ctl_value(c, pairs, "what"),
	       ctl_value(c, pairs, "at"), ctl_value(c, pairs, "link"), ctl_value(c, pairs, "size"), ctl_value(c, pairs, "strikes"),
	       strcmp(ctl_value(c, pairs, "state"), "examine") == 0 ? "  waits to be examined alone" : "");
	if (*ctl_value(c, pairs, "id") != 0)
		printf("    %s\n    from %s\n", ctl_value(c, pairs, "id"), ctl_value(c, pairs, "originator"));
	printf("    %s\n", ctl_value(c, pairs, "cause"));
}

static void list(struct command *q)
{
	uint64_t after = 0;
	ctl_ask(&q->ctl, ASK_QUARANTINE, "", "quarantine", &after, UINT32_MAX, print_row);
	if (!q->ctl.json && q->ctl.status == CTL_DONE)
		printf("%llu in quarantine\n", (unsigned long long)q->rows);
}

/* --- one of them --- */

static void on_found(struct ctl *c, struct view pairs)
{
	struct quarantined *q = c->row_user;
	q->found = true;
	q->pairs = arena_copy(c->arena, pairs);
	q->octets = view_eq(ctl_octets(q->pairs, "what"), VIEW("octets"));
	q->msmail = view_eq(ctl_octets(q->pairs, "form"), VIEW("msmail"));
	q->link = ctl_octets(q->pairs, "link");
}

bool quarantine_find(struct ctl *c, const char *id, struct quarantined *q)
{
	uint64_t after = 0;
	*q = (struct quarantined){ .id = 0 };
	if (!text_uint(view_str(id), INT64_MAX, &q->id)) {
		ctl_say(c, CTL_USAGE, "\"%.40s\" is no number of something in quarantine", id);
		return false;
	}
	c->row_user = q;
	if (ctl_ask(c, ASK_QUARANTINE, id, "quarantine", &after, 1, on_found) != CTL_DONE)
		return false;
	if (!q->found)
		ctl_say(c, CTL_REFUSED, "nothing in quarantine has the number %llu", (unsigned long long)q->id);
	return q->found;
}

static void on_piece(struct ctl *c, struct view pairs)
{
	out_bytes(c->row_user, ctl_octets(pairs, "octets"));
}

bool quarantine_fetch(struct ctl *c, const struct quarantined *q, const char *part, size_t max, struct out *into)
{
	char of[64];
	uint64_t after = 0;
	snprintf(of, sizeof of, "%llu %s", (unsigned long long)q->id, part);
	c->row_user = into;
	do {
		if (ctl_ask(c, ASK_OCTETS, of, "next", &after, 1, on_piece) != CTL_DONE)
			return false;
	} while (c->more && out_len(into) < max && !into->bad);
	if (into->bad)
		ctl_say(c, CTL_REFUSED, "%llu: its %s is too long for this command", (unsigned long long)q->id, part);
	return !into->bad;
}

bool quarantine_envelope(struct ctl *c, const struct quarantined *q, struct message *m)
{
	struct out packed;
	struct err e;
	out_init(&packed, MSG_ENVELOPE_MAX);
	bool good = quarantine_fetch(c, q, "envelope", MSG_ENVELOPE_MAX, &packed);
	if (good && !unpack_message(arena_copy(c->arena, out_view(&packed)), m, c->arena, &e)) {
		ctl_say(c, CTL_REFUSED, "%llu: %s", (unsigned long long)q->id, e.text);
		good = false;
	}
	out_fini(&packed);
	return good;
}

/* --- export --- */

static bool write_file(struct ctl *c, const char *path, struct view octets)
{
	struct err e;
	if (strcmp(path, "-") != 0)
		return folder_write_file(path, octets, &e) || ctl_say(c, CTL_REFUSED, "%s", e.text) == CTL_DONE;
	if (fwrite(octets.p, 1, octets.n, stdout) == octets.n && fflush(stdout) == 0)
		return true;
	ctl_say(c, CTL_REFUSED, "standard output: %s", strerror(errno));
	return false;
}

/* What stands before the content: as a peer would get it, with the form of extensions in which it came. */
static bool put_head(struct ctl *c, const struct quarantined *q, uint64_t content_size, struct out *into)
{
	static const struct p1_encode_options bare = { .context_id = 0, .extension_form = P1_EXT_AS_CAME };
	struct message m;
	struct err e;
	if (!quarantine_envelope(c, q, &m))
		return false;
	if (!p1_encode_head(&m, content_size, &bare, into, &e)) {
		ctl_say(c, CTL_REFUSED, "%llu: %s", (unsigned long long)q->id, e.text);
		return false;
	}
	return true;
}

static void export(struct command *q)
{
	struct ctl *c = &q->ctl;
	struct quarantined x;
	struct out content, whole;
	if (!quarantine_find(c, q->args[0], &x))
		return;
	out_init(&content, QUARANTINE_OCTETS);
	out_init(&whole, QUARANTINE_OCTETS);
	if (x.octets && q->p1)
		ctl_say(c, CTL_USAGE, "%llu is octets as they came: --p1 is for a message", (unsigned long long)x.id);
	else if (quarantine_fetch(c, &x, "content", QUARANTINE_OCTETS, &content) &&
		 (!q->p1 || put_head(c, &x, out_len(&content), &whole))) {
		out_bytes(&whole, out_view(&content));
		write_file(c, q->args[1], out_view(&whole));
	}
	out_fini(&content);
	out_fini(&whole);
}

/* --- release and delete --- */

static bool act(struct command *q, enum msg_act what, uint64_t *ids, size_t n, const char *why)
{
	struct ctl *c = &q->ctl;
	struct ctl_act a = { .act = what, .arg = q->to, .why = why, .ids = ids, .n = n };
	if (what == ACT_QUARANTINE_DELETE)
		a.arg = "";
	if (ctl_act(c, &a) != CTL_DONE)
		return false;
	ctl_act_total(c, &a, n);
	if (a.counts[ACTED_GONE] == n)
		ctl_say(c, CTL_REFUSED, n == 1 ? "it is not in quarantine any more" : "they are not in quarantine any more");
	return c->status == CTL_DONE;
}

static bool decode(struct ctl *c, const struct quarantined *x, struct view octets, struct out *packed, struct view *content_r,
		   struct arena *a)
{
	const struct set_limits *set = &c->settings.limits;
	bool has = c->config != NULL;
	const struct ber_limits limits = { .depth = has ? (unsigned)set->depth : DECODE_DEPTH,
					   .elements = has ? (size_t)set->elements : DECODE_ELEMENTS,
					   .bytes = has ? (size_t)set->envelope : DECODE_ENVELOPE };
	struct message m;
	struct err e;
	if (!p1_decode(octets, &m, content_r, a, &limits, &e)) {
		ctl_say(c, CTL_REFUSED, "%llu stays in quarantine: %s", (unsigned long long)x->id, e.text);
		return false;
	}
	pack_message(packed, &m, 0, m.n_rcpt);
	if (packed->bad)
		ctl_say(c, CTL_REFUSED, "%llu stays in quarantine: its envelope is longer than %d octets", (unsigned long long)x->id,
			MSG_ENVELOPE_MAX);
	return !packed->bad;
}

/* Decoded here, offered as what the link brought, and removed when that is durable. Cut off in between it is offered again by the next
 * release, and known as a duplicate. */
static bool release_octets(struct command *q, struct quarantined *x)
{
	struct ctl *c = &q->ctl;
	struct out octets, packed;
	struct ctl_offer offer = { .link = x->link };
	struct arena *a = arena_new(DECODE_ARENA);
	char why[600];
	out_init(&octets, QUARANTINE_OCTETS);
	out_init(&packed, MSG_ENVELOPE_MAX);
	bool good = quarantine_fetch(c, x, "content", QUARANTINE_OCTETS, &octets) &&
		    decode(c, x, out_view(&octets), &packed, &offer.content, a);
	offer.packed = out_view(&packed);
	if (good && ctl_offer(c, &offer) == CTL_DONE) {
		snprintf(why, sizeof why, "released as %.*s%s%s", (int)offer.answer.mts_id.n, (const char *)offer.answer.mts_id.p,
			 *q->why == 0 ? "" : ": ", q->why);
		if (!c->json)
			printf("%llu: %s\n", (unsigned long long)x->id, why);
		good = act(q, ACT_QUARANTINE_DELETE, &x->id, 1, why);
	} else {
		good = false;
	}
	out_fini(&octets);
	out_fini(&packed);
	arena_free(&a);
	return good;
}

static bool read_ids(struct command *q, uint64_t *ids)
{
	for (size_t i = 0; i < q->n_args; i++)
		if (!text_uint(view_str(q->args[i]), INT64_MAX, &ids[i])) {
			ctl_say(&q->ctl, CTL_USAGE, "\"%.40s\" is no number of something in quarantine", q->args[i]);
			return false;
		}
	return true;
}

/* Messages together, and what the interchanges read; other octets one by one; one that fails leaves the others. */
static void release(struct command *q)
{
	struct ctl *c = &q->ctl;
	uint64_t ids[QUARANTINE_IDS];
	size_t n = 0;
	int worst = CTL_DONE;
	for (size_t i = 0; i < q->n_args && worst != CTL_NO_MTA; i++) {
		struct quarantined x;
		bool good = quarantine_find(c, q->args[i], &x);
		if (good && x.octets && *q->to != 0) {
			ctl_say(c, CTL_USAGE, "%llu is octets: they go in by the link they came by, and then where the routes say",
				(unsigned long long)x.id);
			good = false;
		}
		if (good && (!x.octets || x.msmail))
			ids[n++] = x.id;
		else if (good)
			good = release_octets(q, &x);
		if (!good)
			worst = c->status;
	}
	if (n > 0 && worst != CTL_NO_MTA && !act(q, ACT_QUARANTINE_RELEASE, ids, n, q->why))
		worst = c->status;
	c->status = worst;
}

static void delete(struct command *q)
{
	uint64_t ids[QUARANTINE_IDS];
	if (read_ids(q, ids))
		act(q, ACT_QUARANTINE_DELETE, ids, q->n_args, q->why);
}

/* --- what was asked --- */

static bool read_verb(struct command *q, size_t n, char **words)
{
	static const struct {
		const char *word;
		size_t least, most;
		const char *want;
	} verbs[] = {
		[LIST] = { "list", 0, 0, "list wants nothing more" },
		[SHOW] = { "show", 1, 1, "show wants one ID" },
		[EXPORT] = { "export", 2, 2, "export wants an ID and a file" },
		[RELEASE] = { "release", 1, QUARANTINE_IDS, "release wants one ID or more" },
		[DELETE] = { "delete", 1, QUARANTINE_IDS, "delete wants one ID or more" },
	};
	for (size_t i = 0; n > 0 && i < ARRAY_LEN(verbs); i++) {
		if (strcmp(words[0], verbs[i].word) != 0)
			continue;
		q->verb = (enum verb)i;
		q->args = words + 1;
		q->n_args = n - 1;
		if (q->n_args < verbs[i].least || q->n_args > verbs[i].most)
			ctl_say(&q->ctl, CTL_USAGE, "%s", verbs[i].want);
		return q->n_args >= verbs[i].least && q->n_args <= verbs[i].most;
	}
	ctl_say(&q->ctl, CTL_USAGE, "want list, show, export, release or delete; --help tells more");
	return false;
}

static bool is_sensible(struct command *q)
{
	struct ctl *c = &q->ctl;
	if (q->octets && q->verb != SHOW)
		ctl_say(c, CTL_USAGE, "--octets is for show only");
	else if (q->p1 && q->verb != EXPORT)
		ctl_say(c, CTL_USAGE, "--p1 is for export only");
	else if (*q->to != 0 && q->verb != RELEASE)
		ctl_say(c, CTL_USAGE, "--to is for release only");
	else if (q->verb == DELETE && *q->why == 0 && !q->yes)
		ctl_say(c, CTL_USAGE, "this cannot be undone: say --why TEXT, or --yes");
	else
		return true;
	return false;
}

static bool read_options(struct command *q, int argc, char **argv)
{
	const struct ctl_option own[] = { { "octets", .flag = &q->octets }, { "p1", .flag = &q->p1 }, { "to", .text = &q->to }, { "why", .text = &q->why },
					  { "yes", .flag = &q->yes } };
	if (!ctl_options(&q->ctl, argc, argv, usage, own, ARRAY_LEN(own)))
		return false;
	return read_verb(q, (size_t)(argc - optind), argv + optind) && is_sensible(q);
}

static void show(struct command *q)
{
	struct quarantined x;
	if (quarantine_find(&q->ctl, q->args[0], &x))
		quarantine_show(&q->ctl, &x, q->octets);
}

int ctl_quarantine(int argc, char **argv)
{
	struct command q = { .to = "", .why = "" };
	ctl_begin(&q.ctl, argv[0]);
	if (read_options(&q, argc, argv) && ctl_find_mta(&q.ctl))
		switch (q.verb) {
		case LIST: list(&q); break;
		case SHOW: show(&q); break;
		case EXPORT: export(&q); break;
		case RELEASE: release(&q); break;
		case DELETE: delete(&q); break;
		}
	ctl_end(&q.ctl);
	return q.ctl.status;
}
