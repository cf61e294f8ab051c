/* interchange.c - the actor: what comes from the switch, whether the postoffice is there, and whose turn it is to work. */
#include "proc/interchange/interchange_int.h"

#include "base/fault.h"
#include "base/hash.h"
#include "base/mem.h"

enum {
	RETRY_MIN_MS = 1000, RETRY_MAX_MS = 5 * 60 * 1000,
	SWEEP_STEPS = 200,             /* at each look */
	KEPT_MAX = 1 << 20,
	RENEW_MS = 24 * 3600 * 1000,   /* journals are written anew */
	FOLDER_PREFIX = sizeof "interchange-" - 1,
	XLATE_PATIENCE_MS = 60 * 1000, /* beyond the converter's own budget */
};

static const char *const state_names[] = { "detached", "attached", "degraded" };

const char *interchange_state(const struct interchange *x)
{
	return state_names[x->state];
}

wall_ms_t interchange_wall(const struct interchange *x)
{
	return env_wall_ms(x->host.env);
}

void interchange_note(struct interchange *x, const char *item)
{
	snprintf(x->item, sizeof x->item, "%s", item);
	if (x->host.note != NULL)
		x->host.note(x->host.ctx, x->item);
}

/* The postoffice's own note stands while its call is under way; then that of the item again. */
static void po_note(void *ctx, const char *text)
{
	struct interchange *x = ctx;
	if (x->host.note != NULL)
		x->host.note(x->host.ctx, *text != 0 ? text : x->item);
}

static wall_ms_t po_now(void *ctx)
{
	return interchange_wall(ctx);
}

static uint64_t po_random(void *ctx)
{
	struct interchange *x = ctx;
	return env_random(x->host.env);
}

bool interchange_is_link_failure(const struct err *e)
{
	return e->culprit == ERR_OF_LINK;
}

/* --- associations: for a postoffice one is nothing but a word --- */

static void say_assoc(struct interchange *x, enum msg m, uint64_t id, bool was_open, const struct err *why)
{
	struct msg_assoc a = { .assoc = id, .link = view_str(x->link->name), .was_open = was_open, .err = { .reason = -1, .diagnostic = -1 } };
	if (why != NULL)
		a.err = *why;
	if (x->control == NULL)
		return;
	put_msg_assoc(chan_begin(x->control, (uint16_t)m), &a);
	chan_end(x->control);
}

static void end_assocs(struct interchange *x, const struct err *why)
{
	for (struct assoc *a; (a = x->assocs) != NULL;) {
		x->assocs = a->next;
		say_assoc(x, MSG_ASSOC_DOWN, a->id, true, why);
		free(a);
	}
}

/* Those that were asked to end, and have nothing in hand any more. */
static void end_closing(struct interchange *x)
{
	for (struct assoc **at = &x->assocs, *a; (a = *at) != NULL;) {
		if (!a->closing || outward_has(x, a->id)) {
			at = &a->next;
			continue;
		}
		*at = a->next;
		say_assoc(x, MSG_ASSOC_DOWN, a->id, true, NULL);
		free(a);
	}
}

void interchange_result(struct interchange *x, const struct transfer *t, const struct err *e)
{
	struct msg_result r = { .transfer = t->id, .delivered = e == NULL, .err = { .reason = -1, .diagnostic = -1 } };
	if (e != NULL)
		r.err = *e;
	if (x->control == NULL)
		return;
	put_msg_result(chan_begin(x->control, MSG_TRANSFER_RESULT), &r);
	chan_end(x->control);
}

/* The switch shows it as the link's state: an association of our own number. */
static void tell_switch(struct interchange *x)
{
	const bool up = x->state == INTERCHANGE_ATTACHED;
	if (x->control == NULL || x->bulk == NULL || (up && x->told_up) || (!up && x->why.text[0] == 0))
		return;
	say_assoc(x, up ? MSG_ASSOC_UP : MSG_ASSOC_DOWN, MSG_INBOUND_BIT, x->told_up, up ? NULL : &x->why);
	x->told_up = up;
}

/* --- the postoffice --- */

static void unwatch(struct interchange *x)
{
	if (x->watch != NULL)
		folder_unwatch(&x->watch);
}

static void on_folder(void *ctx, const struct err *gone)
{
	struct interchange *x = ctx;
	uint64_t stamp;
	if (gone != NULL)
		unwatch(x); /* polling goes on */
	/* Our own steps are changes, too: what counts is that INQUEUE3 is not as the last round found it. */
	if (!x->is_ffapi && x->po != NULL && inward_is_idle(x) && mail_stamp(x->po, "INQUEUE3", &stamp, NULL) && stamp == x->stamp)
		return;
	inward_look(x);
}

static void watch(struct interchange *x, const char *path)
{
	struct err e;
	unwatch(x);
	if (x->set->notify)
		x->watch = env_watch_folder(x->host.env, path, on_folder, x, &e);
}

/* What keeps a postoffice from being written is said when an association is asked for; an archive only gives. */
static bool may_write(struct interchange *x, struct err *e)
{
	uint64_t room;
	if (x->set->read_only)
		return err_set(e, ERR_TEMP, ERR_OF_LINK, "msmail: %s is an archive (read-only): nothing is written to it", x->set->postoffice);
	if (x->is_ffapi)
		return true;
	if (postoffice_health(x->po)->read_only)
		return err_set(e, ERR_TEMP, ERR_OF_LINK, "msmail: %s cannot be written", x->set->postoffice);
	if (!postoffice_space(x->po, &room, NULL, e))
		return false;
	return room >= ROOM || err_set(e, ERR_TEMP, ERR_OF_LINK, "msmail: %s has no room, %llu octets are left", x->set->postoffice, (unsigned long long)room);
}

static void tell_health(struct interchange *x)
{
	const struct postoffice_health *h = postoffice_health(x->po);
	const char *what = !h->locks_work && !x->set->read_only ? "locks do not work there: nobody else may write to it" : h->dirs_missing > 0 ? "directories are missing"
			 : h->case_sensitive ? NULL : NULL;
	if (what != NULL)
		EMIT(&x->host, INTERCHANGE_HEALTH, "link", x->link->name, "postoffice", x->set->postoffice, "what", what, "first", h->first.text);
}

/* A link's name may hold what a file's name may not. */
static void name_folder(const char *name, char folder_r[64])
{
	char safe[41];
	size_t n = 0;
	for (; name[n] != 0 && n < sizeof safe - 1; n++) {
		const char c = name[n];
		const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
		safe[n] = fine ? c : '_';
	}
	safe[n] = 0;
	if (strcmp(safe, name) == 0 && strcmp(safe, "serials") != 0) /* which is everybody's */
		snprintf(folder_r, 64, "interchange-%s", safe);
	else
		snprintf(folder_r, 64, "interchange-%.20s-%08x", safe, (unsigned)hash_octets(HASH_START, view_str(name)));
}

struct serials { struct interchange *x; const char *serial; };

/* The file of a link that is in the settings no more says nothing, nor does our own. */
static bool is_others(const struct interchange *x, const char *name)
{
	const struct set_link *links = x->settings->links.v;
	for (size_t i = 0; i < x->settings->links.n; i++) {
		char folder[64];
		if (links[i].kind != LINK_MSMAIL || i == x->instance)
			continue;
		name_folder(links[i].name, folder);
		if (strcmp(folder + FOLDER_PREFIX, name) == 0)
			return true;
	}
	return false;
}

static void on_serial(void *ctx, const char *name)
{
	const struct serials *s = ctx;
	const size_t n = strlen(s->serial);
	if (strncmp(name, s->serial, n) == 0 && name[n] == '.' && is_others(s->x, name + n + 1))
		EMIT(&s->x->host, MSMAIL_SERIAL, "link", s->x->link->name, "serial", s->serial, "other", name + n + 1);
}

/* Each interchange of this MTA leaves its postoffice's serial number in one folder, where the others see it (Q151228). */
static void compare_serials(struct interchange *x)
{
	char path[120];
	struct err e;
	const char *serial = postoffice_master(x->po)->serial;
	if (*serial == 0)
		return;
	snprintf(path, sizeof path, "interchange-serials/%s.%s", serial, x->folder + FOLDER_PREFIX);
	struct file *f = env_file_create(x->host.env, path, &e);
	if (f != NULL)
		file_close(&f);
	struct serials s = { x, serial };
	(void)!env_file_list(x->host.env, "interchange-serials", on_serial, &s, &e);
}

static bool attach_postoffice(struct interchange *x, struct err *e)
{
	const unsigned bits = x->set->read_only ? POSTOFFICE_READ_ONLY : POSTOFFICE_CREATE_DIRS;
	char path[520];
	if (FAULT(INTERCHANGE_ATTACH))
		return err_set(e, ERR_TEMP, ERR_OF_LINK, "msmail: %s does not answer (fault point)", x->set->postoffice);
	if (!postoffice_open(x->set->postoffice, bits, x->scramble, &x->po_host, &x->po, e))
		return false;
	const struct mm_name *own = &postoffice_master(x->po)->own;
	snprintf(x->own.network, sizeof x->own.network, "%s", *x->set->network != 0 ? x->set->network : own->network);
	snprintf(x->own.postoffice, sizeof x->own.postoffice, "%s", *x->set->name != 0 ? x->set->name : own->postoffice);
	tell_health(x);
	compare_serials(x);
	snprintf(path, sizeof path, "%s/MBG", x->set->postoffice); /* not P1: there our own lock comes and goes */
	watch(x, path);
	return true;
}

bool interchange_memory(struct interchange *x, struct err *e)
{
	if (x->sent != NULL && sent_is_broken(x->sent))
		sent_close(&x->sent);
	if (x->sent == NULL)
		x->syncs = 0; /* a journal that was closed calls nobody */
	if (x->strikes != NULL && tally_is_broken(x->strikes))
		tally_close(&x->strikes);
	if (x->taken != NULL && tally_is_broken(x->taken))
		tally_close(&x->taken);
	return (x->sent != NULL || sent_open(x, &x->sent, e)) && (x->strikes != NULL || tally_open(x, "strikes", &x->strikes, e)) &&
	       (x->taken != NULL || tally_open(x, "taken", &x->taken, e));
}

static void tell_up(struct interchange *x)
{
	EMIT(&x->host, INTERCHANGE_UP, "link", x->link->name, "postoffice", x->is_ffapi ? x->set->ffapi_import : x->set->postoffice, "network", x->own.network,
	     "name", x->own.postoffice);
	x->why.text[0] = 0;
	tell_switch(x);
}

static bool attach(struct interchange *x, struct err *e)
{
	if (x->state == INTERCHANGE_ATTACHED)
		return true;
	if (!interchange_memory(x, e)) {
		EMIT(&x->host, INTERCHANGE_JOURNAL, "link", x->link->name, "why", e->text);
		return false;
	}
	interchange_note(x, x->is_ffapi ? "FFAPI" : "");
	const bool ok = x->is_ffapi ? ffapi_attach(x, e) : attach_postoffice(x, e);
	interchange_note(x, "");
	if (!ok)
		return false;
	if (x->is_ffapi)
		watch(x, x->set->ffapi_import);
	/* One that can be attached, and where everything fails (a full disk), is not well again at each try: that has to be proven. */
	const bool doubtful = x->state == INTERCHANGE_DEGRADED && !x->proven;
	x->proven = false;
	x->state = INTERCHANGE_ATTACHED; /* the time between two tries stays what it is until something has gone well: interchange_proven */
	timer_stop(&x->retry);
	snprintf(x->own_text, sizeof x->own_text, "%s/%s", x->own.network, x->own.postoffice);
	if (!doubtful)
		tell_up(x);
	inward_look(x);
	return true;
}

void interchange_proven(struct interchange *x)
{
	x->proven = true;
	if (x->state == INTERCHANGE_ATTACHED && x->why.text[0] != 0)
		tell_up(x);
	x->retry_ms = RETRY_MIN_MS;
}

static void try_later(struct interchange *x)
{
	if (x->stopping)
		return;
	timer_after(&x->retry, x->retry_ms);
	x->retry_ms = x->retry_ms * 2 < RETRY_MAX_MS ? x->retry_ms * 2 : RETRY_MAX_MS;
}

/* Said once for each cause, not for each try. */
static void tell_down(struct interchange *x, const struct err *why)
{
	if (strcmp(x->why.text, why->text) != 0)
		EMIT(&x->host, INTERCHANGE_DOWN, "link", x->link->name, "postoffice", x->is_ffapi ? x->set->ffapi_import : x->set->postoffice, "why", why->text);
	const bool news = x->told_up || strcmp(x->why.text, why->text) != 0;
	x->why = *why;
	if (news)
		tell_switch(x);
}

/* What a failure to attach is to the switch: of the link, and worth another try whatever the server said. */
static struct err link_err(const struct err *why)
{
	struct err e = *why;
	e.culprit = ERR_OF_LINK;
	e.kind = ERR_TEMP;
	e.reason = e.diagnostic = -1;
	return e;
}

void interchange_degrade(struct interchange *x, const struct err *why)
{
	const struct err e = link_err(why);
	x->state = INTERCHANGE_DEGRADED;
	tell_down(x, &e);
	inward_drop(x);
	outward_drop(x, 0);
	end_assocs(x, &e);
	unwatch(x);
	if (x->po != NULL)
		postoffice_close(&x->po);
	interchange_note(x, "");
	try_later(x);
}

static void on_retry(void *ctx)
{
	struct interchange *x = ctx;
	struct err e;
	CHECK(x, INTERCHANGE_MAGIC);
	if (attach(x, &e))
		return;
	tell_down(x, &e);
	try_later(x);
}

/* The mailer of a postoffice sweeps up what nobody names (Q256187): here that is us. */
static void sweep(struct interchange *x)
{
	struct err e;
	unsigned removed;
	if (x->po == NULL || x->set->read_only || !inward_is_idle(x) || x->out.state != OUT_NONE)
		return;
	if (!postoffice_sweep(x->po, SWEEP_STEPS, &removed, &e) && interchange_is_link_failure(&e))
		interchange_degrade(x, &e);
}

/* What is too old goes, and so does what was written twice. */
static void renew_memory(struct interchange *x)
{
	struct err e;
	if (env_now_ms(x->host.env) - x->renewed_ms < RENEW_MS || !inward_is_idle(x) || x->out.state != OUT_NONE || x->state != INTERCHANGE_ATTACHED)
		return;
	sent_close(&x->sent);
	tally_close(&x->strikes);
	tally_close(&x->taken);
	x->renewed_ms = env_now_ms(x->host.env);
	if (!interchange_memory(x, &e)) {
		EMIT(&x->host, INTERCHANGE_JOURNAL, "link", x->link->name, "why", e.text);
		interchange_degrade(x, &e);
	}
}

static void on_poll(void *ctx)
{
	struct interchange *x = ctx;
	CHECK(x, INTERCHANGE_MAGIC);
	renew_memory(x);
	sweep(x);
	timer_after(&x->poll, (int64_t)x->set->poll_ms);
	inward_look(x);
}

/* --- slices of work --- */

void interchange_clear(struct out *o)
{
	const size_t max = o->max;
	if (o->cap > KEPT_MAX) {
		out_fini(o);
		out_init(o, max);
	} else {
		out_clear(o);
	}
}

void interchange_work(struct interchange *x)
{
	if (!x->slice_running && !timer_is_set(&x->work))
		timer_after(&x->work, 0);
}

static void look_whether_stopped(struct interchange *x)
{
	if (!x->stopping || x->stopped == NULL || x->transfers != NULL || !inward_is_idle(x))
		return;
	void (*stopped)(void *) = x->stopped;
	x->stopped = NULL;
	end_assocs(x, NULL);
	stopped(x->stopped_ctx);
}

/* One step of each direction by turns, for as long as a slice lasts. */
static void on_work(void *ctx)
{
	struct interchange *x = ctx;
	CHECK(x, INTERCHANGE_MAGIC);
	const int64_t until = env_precise_us(x->host.env) + INTERCHANGE_SLICE_MS * 1000;
	bool more = true;
	unsigned idle = 0;
	x->slice_running = true;
	for (unsigned steps = 0; more && steps < 1000; steps++) {
		const bool did = x->turn++ % 2 == 0 ? outward_step(x) : inward_step(x);
		idle = did ? 0 : idle + 1;
		if (idle == 2)
			more = false;
		else if (env_precise_us(x->host.env) >= until)
			break;
	}
	x->slice_running = false;
	end_closing(x);
	look_whether_stopped(x);
	if (more)
		interchange_work(x);
}

static void on_converter_free(void *ctx)
{
	interchange_work(ctx);
}

/* --- what the switch says --- */

static bool on_assoc_open(void *ctx, struct view payload, struct err *e)
{
	struct interchange *x = ctx;
	struct msg_assoc m;
	struct err why;
	if (!get_msg_assoc(payload, &m, e))
		return false;
	if (x->stopping) {
		err_set(&why, ERR_TEMP, ERR_OF_LINK, "this MTA is stopping");
		say_assoc(x, MSG_ASSOC_DOWN, m.assoc, false, &why);
		return true;
	}
	if (!attach(x, &why)) {
		why = link_err(&why);
		tell_down(x, &why);
		if (!timer_is_set(&x->retry))
			try_later(x);
		say_assoc(x, MSG_ASSOC_DOWN, m.assoc, false, &why);
		return true;
	}
	if (!may_write(x, &why)) {
		why = link_err(&why);
		say_assoc(x, MSG_ASSOC_DOWN, m.assoc, false, &why);
		return true;
	}
	struct assoc *a = mem_zero(sizeof *a);
	a->id = m.assoc;
	a->next = x->assocs;
	x->assocs = a;
	say_assoc(x, MSG_ASSOC_UP, m.assoc, false, NULL);
	return true;
}

static struct assoc *find_assoc(struct interchange *x, uint64_t id)
{
	for (struct assoc *a = x->assocs; a != NULL; a = a->next)
		if (a->id == id)
			return a;
	return NULL;
}

static bool on_assoc_close(void *ctx, struct view payload, struct err *e)
{
	struct interchange *x = ctx;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	struct assoc *a = find_assoc(x, m.id);
	if (a != NULL)
		a->closing = true;
	interchange_work(x);
	return true;
}

static bool on_transfer(void *ctx, struct view payload, struct err *e)
{
	struct interchange *x = ctx;
	struct msg_transfer m;
	if (!get_msg_transfer(payload, &m, e))
		return false;
	return find_assoc(x, m.assoc) == NULL || outward_transfer(x, &m, e); /* it crossed the association's end: it goes back by itself */
}

static bool on_transfer_data(void *ctx, struct view payload, struct err *e)
{
	struct interchange *x = ctx;
	struct msg_piece m;
	if (!get_msg_piece(payload, &m, e))
		return false;
	return x->in.state == IN_EXAMINE && m.id == x->in.examine ? inward_examine_data(x, &m, e) : outward_data(x, &m, e);
}

static bool on_examine(void *ctx, struct view payload, struct err *e)
{
	struct msg_examine m;
	return get_msg_examine(payload, &m, e) && inward_examine(ctx, &m, e);
}

static bool on_offer_credit(void *ctx, struct view payload, struct err *e)
{
	struct msg_count m;
	return get_msg_count(payload, &m, e) && offers_on_credit(ctx, &m);
}

static bool on_offer_answer(void *ctx, struct view payload, struct err *e)
{
	struct msg_answer m;
	return get_msg_answer(payload, &m, e) && offers_on_answer(ctx, &m);
}

static bool on_busy(void *ctx, struct view payload, struct err *e)
{
	struct interchange *x = ctx;
	struct msg_busy m;
	if (!get_msg_busy(payload, &m, e))
		return false;
	x->busy = m.busy;
	if (!x->busy)
		inward_look(x);
	return true;
}

static bool on_alive(void *ctx, struct view payload, struct err *e)
{
	struct interchange *x = ctx;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	put_msg_count(chan_begin(x->control, MSG_ALIVE), &m);
	chan_end(x->control);
	return true;
}

/* Without the switch nothing can be made durable: what is in hand is left; the next one gives it again. */
static void on_closed(void *ctx, const struct err *why)
{
	struct interchange *x = ctx;
	CHECK(x, INTERCHANGE_MAGIC);
	EMIT(&x->host, CHANNEL_CLOSED, "to", "switch", "why", why->text);
	if (x->control != NULL)
		chan_free(&x->control, false);
	if (x->bulk != NULL)
		chan_free(&x->bulk, false);
	offers_lost(x);
	inward_switch_gone(x);
	outward_drop(x, 0);
	end_assocs(x, NULL);
	x->busy = x->told_up = false;
	interchange_work(x);
	if (!x->stopping)
		timer_after(&x->alone, INTERCHANGE_ALONE_MS);
}

static void on_alone(void *ctx)
{
	struct interchange *x = ctx;
	struct err why;
	CHECK(x, INTERCHANGE_MAGIC);
	err_set(&why, ERR_LOCAL, ERR_OF_PROCESS, "interchange: no switch for %d ms", INTERCHANGE_ALONE_MS);
	x->host.die(x->host.ctx, &why);
}

#define TYPE(m, handler) { .type = MSG_##m, .name = #m, .handle = handler, .max = MSG_MAX_##m }
static const struct chan_type control_types[] = {
	TYPE(OFFER_CREDIT, on_offer_credit), TYPE(OFFER_ANSWER, on_offer_answer), TYPE(BUSY, on_busy), TYPE(ASSOC_OPEN, on_assoc_open),
	TYPE(ASSOC_CLOSE, on_assoc_close), TYPE(TRANSFER, on_transfer), TYPE(EXAMINE, on_examine), TYPE(ALIVE, on_alive),
};
static const struct chan_type bulk_types[] = { TYPE(TRANSFER_DATA, on_transfer_data) };
static const struct chan_events control_events = { control_types, ARRAY_LEN(control_types), NULL, NULL, on_closed, NULL };
static const struct chan_events bulk_events = { bulk_types, ARRAY_LEN(bulk_types), NULL, NULL, on_closed, NULL };

void interchange_adopt_switch(struct interchange *x, bool bulk, struct stream *s)
{
	CHECK(x, INTERCHANGE_MAGIC);
	struct chan **c = bulk ? &x->bulk : &x->control;
	struct err why;
	if (*c != NULL) {
		err_set(&why, ERR_LOCAL, ERR_OF_PROCESS, "a new switch has taken over");
		on_closed(x, &why);
	}
	*c = chan_new(&s, bulk ? &bulk_events : &control_events, x, PROCESS_INTERCHANGE, x->instance);
	if (x->control == NULL || x->bulk == NULL)
		return;
	timer_stop(&x->alone);
	tell_switch(x);
	if (x->state != INTERCHANGE_ATTACHED && !timer_is_set(&x->retry))
		timer_after(&x->retry, 0);
	inward_look(x);
}

void interchange_adopt_converter(struct interchange *x, bool bulk, struct stream *s)
{
	CHECK(x, INTERCHANGE_MAGIC);
	xlate_adopt(x->xlate, bulk, s);
}

/* --- deaths --- */

/* "INQUEUE3 00000062" and "FFAPI name" are names of records; "postoffice ..." is the file server's, "transfer ..." the switch's business. */
static void strike_record(struct interchange *x, const char *words, const char *note)
{
	struct err e;
	char count[12];
	if (!interchange_memory(x, &e)) {
		EMIT(&x->host, INTERCHANGE_JOURNAL, "link", x->link->name, "why", e.text);
		return;
	}
	const unsigned n = tally_of(x->strikes, note) + 1;
	snprintf(count, sizeof count, "%u", n);
	EMIT(&x->host, MSMAIL_STRUCK, "link", x->link->name, "record", note, "strikes", count, "words", words);
	char died[90];
	snprintf(died, sizeof died, "died %.80s", note);
	if (!tally_set(x->strikes, note, n, &e) || !tally_set(x->strikes, died, n, &e))
		EMIT(&x->host, INTERCHANGE_JOURNAL, "link", x->link->name, "why", e.text);
	tally_sync(x->strikes, NULL, NULL);
}

void interchange_peer_died(struct interchange *x, enum process_kind kind, bool by_fault, const char *words, const char *note)
{
	CHECK(x, INTERCHANGE_MAGIC);
	if (kind == PROCESS_CONVERTER) {
		xlate_died(x->xlate, by_fault, words, note);
		return;
	}
	if (kind != PROCESS_INTERCHANGE || *note == 0)
		return;
	if (by_fault && strncmp(note, "postoffice ", 11) == 0)
		EMIT(&x->host, MSMAIL_ACCUSED, "link", x->link->name, "at", note, "words", words);
	else if (by_fault && (strncmp(note, "INQUEUE3 ", 9) == 0 || strncmp(note, "FFAPI ", 6) == 0))
		strike_record(x, words, note);
}

/* --- life --- */

struct interchange *interchange_new(const struct actor_host *host, const struct settings *settings, uint32_t instance)
{
	struct interchange *x = mem_zero(sizeof *x);
	x->magic = INTERCHANGE_MAGIC;
	x->host = *host;
	x->settings = settings;
	x->instance = instance;
	assert(instance < settings->links.n);
	x->link = (const struct set_link *)settings->links.v + instance;
	x->set = &x->link->msmail;
	assert(x->link->kind == LINK_MSMAIL);
	x->is_ffapi = *x->set->ffapi_import != 0;
	x->source = x->is_ffapi ? &source_ffapi : &source_queue;
	name_folder(x->link->name, x->folder);
	x->config_arena = arena_new(SIZE_MAX);
	if (!gdi_parse(view_str(settings->mta.domain), &x->domain, x->config_arena, NULL))
		x->domain = (struct gdi){ 0 };
	if (!settings_zone_minutes(x->set->zone, &x->zone_minutes))
		x->zone_minutes = 0;
	x->scramble = mm_scramble_by_name(x->set->scramble);
	x->po_host = (struct postoffice_host){ po_note, po_now, po_random, x };
	x->retry_ms = RETRY_MIN_MS;
	x->renewed_ms = env_now_ms(host->env);
	timer_init(&x->alone, host->env, on_alone, x);
	timer_init(&x->retry, host->env, on_retry, x);
	timer_init(&x->poll, host->env, on_poll, x);
	timer_init(&x->work, host->env, on_work, x);
	x->xlate = xlate_new(host, instance, (int64_t)settings->processes.content_ms + XLATE_PATIENCE_MS);
	xlate_on_free(x->xlate, on_converter_free, x);
	outward_init(x);
	inward_init(x);
	timer_after(&x->poll, (int64_t)x->set->poll_ms);
	return x;
}

void interchange_free(struct interchange **xp)
{
	struct interchange *x = *xp;
	if (x == NULL)
		return;
	CHECK(x, INTERCHANGE_MAGIC);
	inward_drop(x);
	if (x->control != NULL)
		chan_free(&x->control, true);
	if (x->bulk != NULL)
		chan_free(&x->bulk, true);
	outward_drop(x, 0);
	end_assocs(x, NULL);
	inward_fini(x);
	outward_fini(x);
	offers_lost(x);
	map_fini(&x->offers);
	xlate_free(&x->xlate);
	unwatch(x);
	ffapi_detach(x);
	if (x->po != NULL)
		postoffice_close(&x->po);
	sent_close(&x->sent);
	tally_close(&x->strikes);
	tally_close(&x->taken);
	timer_stop(&x->alone);
	timer_stop(&x->retry);
	timer_stop(&x->poll);
	timer_stop(&x->work);
	arena_free(&x->config_arena);
	x->magic = 0;
	MEM_FREE(*xp);
}

void interchange_stop(struct interchange *x, void (*stopped)(void *ctx), void *ctx)
{
	CHECK(x, INTERCHANGE_MAGIC);
	x->stopping = true;
	x->stopped = stopped;
	x->stopped_ctx = ctx;
	timer_stop(&x->retry);
	timer_stop(&x->poll);
	interchange_work(x);
}
