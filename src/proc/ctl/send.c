/* send.c - `posthorn send`: composes an interpersonal message, or a probe, and submits it. */
#include "proc/ctl/ctl_int.h"

#include "base/hash.h"
#include "base/mem.h"
#include "flow/codec/ipm/ipm.h"
#include "flow/message/pack.h"
#include "sys/loop.h"
#include "sys/settings_unit.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

enum { PARTS_MAX = 64, RECIPIENTS_MAX = 32767, FILE_MAX = 1 << 30 };

struct send {
	struct ctl ctl;
	const char *from, *subject;
	struct ipm_recipient *to, *cc;
	size_t n_to, n_cc;
	struct ipm_compose_part parts[PARTS_MAX];
	size_t n_parts;
	struct out files[PARTS_MAX]; /* what the parts that came from files point into */
	size_t n_files;
	enum priority priority;
	bool delivery_report, no_report, receipt, probe, return_content;
	bool no_alternate, no_lists;
	wall_ms_t defer, latest;
	const char *alternate;
	const char **except;
	size_t n_except;
	struct message m;
	struct out packed, content;
	uint64_t hash;
};

static const char usage[] =
	"usage: posthorn send -c FILE --from WHO --to ADDRESS [--to ADDRESS ...] [options] [TEXT]\n\n"
	"  -c FILE, -d DIRECTORY     the MTA to submit to: its settings, or its store's directory\n"
	"  --patience SECONDS        how long the switch may give no sign of life (5; 0: for ever)\n"
	"  --from WHO                an O/R address, or the name of a mailbox in the settings\n"
	"  --to, --cc ADDRESS        \"G=Hanako; S=Sato; O=Office; P=TOKYO; A=POSTHORN; C=JP\"; may be repeated\n"
	"  --subject TEXT\n"
	"  --text TEXT, --text-file FILE, --file FILE   body parts, in the order given; TEXT at the end is a text too\n"
	"  --priority urgent|normal|non-urgent\n"
	"  --report delivery|non-delivery|none          report wanted; non-delivery is the default,\n"
	"                                               of a probe delivery\n"
	"  --receipt                 ask the recipients' user agents for a receipt\n"
	"  --return-content          a non-delivery report is to bring the content back\n"
	"  --defer WHEN, --latest WHEN   not before; not after: \"+90min\" (s, min, h, d), or in UTC \"2026-11-22 10:30\"\n"
	"  --alternate ADDRESS       for recipients that cannot have it\n"
	"  --no-alternate            nobody else in a recipient's stead\n"
	"  --no-lists                to people only: distribution lists are not expanded\n"
	"  --except ADDRESS          who gets no copy as a member of a list; may be repeated\n"
	"  --probe                   send a probe: no content is transferred, reports say whether it could be\n"
	"  --json                    print the answer as JSON\n\n"
	"Prints the MTS-identifier once the message is durable.\n"
	"Exit status: 0 accepted, 1 refused, 64 wrong usage, 69 no MTA answers, 75 the switch does not answer, 78 the settings are wrong.";

static bool read_whole(struct send *s, const char *path, struct view *v)
{
	struct ctl *c = &s->ctl;
	if (s->n_files == PARTS_MAX) {
		ctl_say(c, CTL_USAGE, "at most %d files", PARTS_MAX);
		return false;
	}
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	if (f == NULL) {
		ctl_say(c, CTL_REFUSED, "%s: %s", path, strerror(errno));
		return false;
	}
	struct out *o = &s->files[s->n_files++];
	out_init(o, FILE_MAX);
	uint8_t buf[65536];
	for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0;)
		out_bytes(o, view_of(buf, n));
	if (f != stdin)
		fclose(f);
	if (o->bad)
		ctl_say(c, CTL_REFUSED, "%s: longer than %d octets", path, FILE_MAX);
	*v = out_view(o);
	return !o->bad;
}

static bool add_part(struct send *s, enum ipm_compose_kind kind, struct view data, const char *name)
{
	if (s->n_parts == PARTS_MAX) {
		ctl_say(&s->ctl, CTL_USAGE, "at most %d body parts", PARTS_MAX);
		return false;
	}
	s->parts[s->n_parts++] = (struct ipm_compose_part){ .kind = kind, .data = data, .name = view_str(name) };
	return true;
}

static bool add_file(struct send *s, enum ipm_compose_kind kind, const char *path)
{
	struct view data;
	return read_whole(s, path, &data) && add_part(s, kind, data, kind == IPM_COMPOSE_TEXT ? "" : path);
}

static struct send *send_of(struct ctl *c)
{
	return CONTAINER(c, struct send, ctl);
}

static bool take_part(struct ctl *c, const char *name, const char *text)
{
	struct send *s = send_of(c);
	if (strcmp(name, "text") == 0)
		return add_part(s, IPM_COMPOSE_TEXT, view_str(text), "");
	return add_file(s, strcmp(name, "file") == 0 ? IPM_COMPOSE_FILE : IPM_COMPOSE_TEXT, text);
}

/* Addresses wait as text until the settings are read. */
static bool take_recipient(struct ctl *c, const char *name, const char *text)
{
	struct send *s = send_of(c);
	const bool is_copy = strcmp(name, "cc") == 0;
	struct ipm_recipient **list = is_copy ? &s->cc : &s->to;
	size_t *n = is_copy ? &s->n_cc : &s->n_to;
	*list = mem_grow(*list, mem_mul(*n + 1, sizeof **list));
	(*list)[(*n)++] = (struct ipm_recipient){ .user = { .free_form = view_str(text) } };
	return true;
}

static bool take_except(struct ctl *c, const char *name, const char *text)
{
	struct send *s = send_of(c);
	(void)name;
	s->except = mem_grow(s->except, mem_mul(s->n_except + 1, sizeof *s->except));
	s->except[s->n_except++] = text;
	return true;
}

static bool choose(struct ctl *c, const char *option, const char *value, const char *const words[3], unsigned *index_r)
{
	for (unsigned i = 0; i < 3; i++)
		if (strcmp(words[i], value) == 0) {
			*index_r = i;
			return true;
		}
	ctl_say(c, CTL_USAGE, "--%s \"%s\": want one of %s, %s, %s", option, value, words[0], words[1], words[2]);
	return false;
}

static bool take_priority(struct ctl *c, const char *name, const char *text)
{
	static const char *const priorities[] = { "non-urgent", "normal", "urgent" };
	unsigned word = 0;
	if (!choose(c, name, text, priorities, &word))
		return false;
	send_of(c)->priority = (enum priority)word;
	return true;
}

static bool take_report(struct ctl *c, const char *name, const char *text)
{
	static const char *const reports[] = { "none", "non-delivery", "delivery" };
	unsigned word = 0;
	if (!choose(c, name, text, reports, &word))
		return false;
	send_of(c)->no_report = word == 0;
	send_of(c)->delivery_report = word == 2;
	return true;
}

/* From now, or in UTC: a zone would be another one when summer time begins. */
static bool take_when(struct ctl *c, const char *option, const char *text)
{
	wall_ms_t *at_r = strcmp(option, "defer") == 0 ? &send_of(c)->defer : &send_of(c)->latest;
	struct timespec now;
	struct tm t = { 0 };
	uint64_t ms;
	int used = 0;
	clock_gettime(CLOCK_REALTIME, &now);
	if (*text == '+' && settings_duration(view_str(text + 1), &ms)) {
		*at_r = (wall_ms_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + (wall_ms_t)ms;
		return true;
	}
	if (sscanf(text, "%4d-%2d-%2d%*1[ T]%2d:%2d%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min, &used) == 5 &&
	    (text[used] == 0 || strcmp(text + used, "Z") == 0) && t.tm_mon >= 1 && t.tm_mon <= 12 && t.tm_mday >= 1 && t.tm_mday <= 31 &&
	    t.tm_hour < 24 && t.tm_min < 60) {
		t.tm_year -= 1900;
		t.tm_mon--;
		*at_r = (wall_ms_t)timegm(&t) * 1000;
		return true;
	}
	ctl_say(c, CTL_USAGE, "--%s \"%s\": want \"+90min\" (s, min, h, d), or in UTC \"2026-11-22 10:30\"", option, text);
	return false;
}

static bool read_options(struct send *s, int argc, char **argv)
{
	const struct ctl_option own[] = {
		{ "from", .text = &s->from }, { "to", .take = take_recipient }, { "cc", .take = take_recipient }, { "subject", .text = &s->subject },
		{ "text", .take = take_part }, { "text-file", .take = take_part }, { "file", .take = take_part }, { "priority", .take = take_priority },
		{ "report", .take = take_report }, { "receipt", .flag = &s->receipt }, { "return-content", .flag = &s->return_content },
		{ "probe", .flag = &s->probe }, { "defer", .take = take_when }, { "latest", .take = take_when }, { "alternate", .text = &s->alternate },
		{ "no-alternate", .flag = &s->no_alternate }, { "no-lists", .flag = &s->no_lists }, { "except", .take = take_except },
	};
	if (!ctl_options(&s->ctl, argc, argv, usage, own, ARRAY_LEN(own)))
		return false;
	if (optind < argc && !add_part(s, IPM_COMPOSE_TEXT, view_str(argv[optind++]), ""))
		return false;
	if (s->from == NULL || s->n_to == 0 || optind < argc) {
		ctl_say(&s->ctl, CTL_USAGE, "want --from, at least one --to and at most one TEXT; --help tells more");
		return false;
	}
	return true;
}

static bool resolve(struct send *s, struct ipm_recipient *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *text = (const char *)list[i].user.free_form.p;
		list[i].user.free_form = (struct view){ NULL, 0 };
		list[i].ask = s->receipt ? IPM_ASK_RN | IPM_ASK_NRN : 0;
		if (!ctl_address(&s->ctl, text, &list[i].user.addr))
			return false;
	}
	return true;
}

static void add_envelope_recipients(struct send *s, const struct ipm_recipient *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct recipient *r = &s->m.rcpt[s->m.n_rcpt++];
		*r = (struct recipient){ .addr = list[i].user.addr, .number = (uint32_t)s->m.n_rcpt, .responsible = true,
					 .type_of_user = UINT32_MAX, .reason = -1, .diagnostic = -1 };
		r->originator_report = s->no_report ? REPORT_NONE : s->delivery_report || s->probe ? REPORT_ALL : REPORT_NON_DELIVERY;
		r->mta_report = r->originator_report == REPORT_ALL ? REPORT_ALL : REPORT_NON_DELIVERY;
	}
}

/* FNV-1a of the envelope without its correlator, which is another with each command: what the switch dies of is known by it when it
 * is submitted again. */
static uint64_t hash_of(struct message m)
{
	struct out packed;
	out_init(&packed, MSG_ENVELOPE_MAX);
	m.content_id = (struct view){ NULL, 0 };
	pack_message(&packed, &m, 0, m.n_rcpt);
	const uint64_t hash = hash_octets(HASH_START, out_view(&packed));
	out_fini(&packed);
	return hash;
}

/* Alternate recipient, exempted members, times. */
static bool add_wishes(struct send *s)
{
	struct ctl *c = &s->ctl;
	struct message *m = &s->m;
	struct oraddr *alternate = arena_get(c->arena, sizeof *alternate);
	m->exempted = arena_array(c->arena, s->n_except + 1, sizeof *m->exempted);
	m->deferred = s->defer;
	m->latest_delivery = s->latest;
	m->latest_crit = s->latest == 0 ? 0 : EXT_FOR_DELIVERY;
	m->reassignment_prohibited = s->no_alternate;
	m->dl_prohibited = s->no_lists;
	if (s->no_alternate)
		m->indicators &= ~(unsigned)IND_ALTERNATE_ALLOWED;
	for (; m->n_exempted < s->n_except; m->n_exempted++)
		if (!ctl_address(c, s->except[m->n_exempted], &m->exempted[m->n_exempted]))
			return false;
	if (s->alternate == NULL)
		return true;
	if (!ctl_address(c, s->alternate, alternate))
		return false;
	for (size_t i = 0; i < m->n_rcpt; i++)
		m->rcpt[i].alternate = alternate;
	return true;
}

static bool compose(struct send *s)
{
	struct ctl *c = &s->ctl;
	struct ipm_user originator = { 0 };
	struct ipm_composed done = { .content_type = 22 };
	struct err e;
	char id[64], correlator[17];
	if (!ctl_address(c, s->from, &originator.addr) || !resolve(s, s->to, s->n_to) || !resolve(s, s->cc, s->n_cc))
		return false;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(id, sizeof id, "%lld.%09ld.%d", (long long)now.tv_sec, now.tv_nsec, (int)getpid());
	snprintf(correlator, sizeof correlator, "%llx", (unsigned long long)now.tv_sec << 20 ^ (unsigned long long)now.tv_nsec >> 10);
	if (s->n_parts == 0 && !add_part(s, IPM_COMPOSE_TEXT, view_str(""), ""))
		return false;
	struct ipm_compose letter = {
		.local_id = view_str(id), .originator = originator, .to = s->to, .n_to = s->n_to, .cc = s->cc, .n_cc = s->n_cc,
		.subject = view_str(s->subject), .importance = IPM_NORMAL, .parts = s->parts, .n_parts = s->n_parts,
	};
	if (!ipm_compose(&letter, NULL, &s->content, &done, c->arena, &e)) {
		ctl_say(c, CTL_REFUSED, "%s", e.text);
		return false;
	}
	s->m = (struct message){
		.kind = s->probe ? MESSAGE_PROBE : MESSAGE_MESSAGE, .originator = originator.addr, .content_type = done.content_type,
		.content_id = arena_copy(c->arena, view_str(correlator)), .priority = s->priority, .has_indicators = true,
		.indicators = IND_ALTERNATE_ALLOWED | (s->return_content ? IND_CONTENT_RETURN : 0), .content_length = -1,
		.rcpt = arena_array(c->arena, s->n_to + s->n_cc, sizeof(struct recipient)),
	};
	add_envelope_recipients(s, s->to, s->n_to);
	add_envelope_recipients(s, s->cc, s->n_cc);
	if (!add_wishes(s))
		return false;
	if (s->probe) {
		s->m.content_length = (int64_t)out_len(&s->content);
		s->m.priority = PRIORITY_NORMAL;
		out_clear(&s->content);
	}
	s->hash = hash_of(s->m);
	pack_message(&s->packed, &s->m, 0, s->m.n_rcpt);
	if (s->packed.bad)
		ctl_say(c, CTL_REFUSED, "too many recipients: the envelope is longer than %d octets", MSG_ENVELOPE_MAX);
	return !s->packed.bad;
}

static void submit(struct send *s)
{
	struct ctl *c = &s->ctl;
	struct ctl_offer offer = { .packed = out_view(&s->packed), .content = out_view(&s->content), .hash = s->hash };
	if (ctl_offer(c, &offer) != CTL_DONE)
		return;
	struct view id = offer.answer.mts_id;
	if (c->json)
		ctl_print_texts((const char *const[]){ "id", arena_str(c->arena, id), NULL });
	else
		printf("%.*s\n", (int)id.n, (const char *)id.p);
}

int ctl_send(int argc, char **argv)
{
	struct send s = { .priority = PRIORITY_NORMAL, .subject = "" };
	ctl_begin(&s.ctl, argv[0]);
	out_init(&s.packed, MSG_ENVELOPE_MAX);
	out_init(&s.content, FILE_MAX);
	if (read_options(&s, argc, argv) && ctl_find_mta(&s.ctl) && compose(&s))
		submit(&s);
	int status = s.ctl.status;
	for (size_t i = 0; i < s.n_files; i++)
		out_fini(&s.files[i]);
	free(s.to);
	free(s.cc);
	free(s.except);
	out_fini(&s.packed);
	out_fini(&s.content);
	ctl_end(&s.ctl);
	return status;
}
