/* mover.c - see mover.h: the actor. A turn of the loop begins a round, takes one record (or a piece of it), or ends the round. */
#include "proc/mover/mover_int.h"

#include <inttypes.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/mem.h"

enum {
	MESSAGE_MEMORY = 256 * 1024 * 1024, /* envelope, MAI parsed, plan */
	SWEEP_STEPS = 200,                  /* names a round */
	SOON_MS = 200,                      /* after somebody who is about to end; doubled up to the interval while nothing moves */
};

/* --- rounds: when --- */

static void turn(void *ctx);

static void next_turn(struct mover *m)
{
	timer_after(&m->turn, 0);
}

static void next_round(struct mover *m)
{
	int64_t wait = (int64_t)m->set->interval_ms;
	if (m->again)
		wait = 0;
	else if (m->soon && m->soon_ms < wait)
		wait = m->soon_ms;
	m->soon_ms = !m->soon ? SOON_MS : m->soon_ms * 2 < (int64_t)m->set->interval_ms ? m->soon_ms * 2 : (int64_t)m->set->interval_ms;
	m->again = m->soon = false;
	timer_after(&m->turn, wait);
	status_tell(m, wait);
}

void mover_wake(struct mover *m)
{
	CHECK(m, MOVER_MAGIC);
	if (m->lock != NULL)
		m->again = true;
	else
		timer_after(&m->turn, 0);
}

bool mover_is_idle(const struct mover *m)
{
	CHECK(m, MOVER_MAGIC);
	return m->lock == NULL && timer_is_set(&m->turn) && m->turn.at_ms > env_now_ms(m->host->env);
}

enum mover_peer mover_peer_state(const struct mover *m)
{
	CHECK(m, MOVER_MAGIC);
	return m->state;
}

/* Our own rounds change MBG, too: what counts is that the bag is not as the last round left it. */
static void on_folder(void *ctx, const struct err *gone)
{
	struct mover *m = mover_check(ctx);
	uint64_t stamp;
	if (gone != NULL) {
		folder_unwatch(&m->watch);
		return; /* the interval's rounds find out what is the matter */
	}
	if (m->lock != NULL || m->here == NULL || m->bag[0] == 0)
		return;
	if (mail_stamp(m->here, m->bag, &stamp, NULL) && stamp != m->stamp)
		mover_wake(m);
}

static void watch(struct mover *m)
{
	char path[700];
	struct err e;
	if (!m->set->notify || m->watch != NULL)
		return;
	snprintf(path, sizeof path, "%s/MBG", postoffice_path(m->here));
	m->watch = env_watch_folder(m->host->env, path, on_folder, m, &e);
	if (m->watch == NULL && !m->unwatched_told)
		EMIT(m->host, MOVER_UNWATCHED, "mover", m->set->name, "postoffice", m->set->postoffice, "why", e.text);
	m->unwatched_told = m->watch == NULL;
}

/* --- postoffices --- */

static void detach_here(struct mover *m)
{
	folder_unwatch(&m->watch);
	mail_journal_close(&m->journal);
	postoffice_unlock(&m->lock);
	postoffice_close(&m->here);
}

static void say_detached(struct mover *m, const struct err *e)
{
	if (!m->detached_told)
		EMIT(m->host, MOVER_DETACHED, "mover", m->set->name, "postoffice", m->set->postoffice, "why", e->text);
	m->detached_told = true;
	mover_tell_peer(m, PEER_UNINIT, e->text);
}

static bool attach(struct mover *m, const char *path, struct postoffice **po_r, struct err *e)
{
	struct postoffice *po = NULL;
	if (FAULT(MOVER_ATTACH))
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: not attached (fault point)", path);
	if (!postoffice_open(path, POSTOFFICE_CREATE_DIRS, m->scramble, &m->files, &po, e))
		return false;
	const struct postoffice_health *h = postoffice_health(po);
	bool good = true;
	if (h->read_only)
		good = err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: it can only be read", path);
	else if (!h->locks_work) /* Q126750 */
		good = err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: the locks of its file server do not work, so nobody may share it", path);
	if (good && h->dirs_made > 0) {
		char n[16];
		snprintf(n, sizeof n, "%u", h->dirs_made);
		EMIT(m->host, MOVER_DIRS_MADE, "mover", m->set->name, "postoffice", path, "directories", n);
	}
	if (good)
		*po_r = po;
	else
		postoffice_close(&po);
	return good;
}

static bool attach_here(struct mover *m)
{
	struct err e;
	if (m->here != NULL)
		return true;
	if (!attach(m, m->set->postoffice, &m->here, &e)) {
		say_detached(m, &e);
		return false;
	}
	const struct mm_name *own = &postoffice_master(m->here)->own;
	m->detached_told = false;
	m->why[0] = 0;
	EMIT(m->host, MOVER_ATTACHED, "mover", m->set->name, "postoffice", m->set->postoffice, "network", own->network, "name", own->postoffice, "peer",
	     m->peer == NULL ? "" : m->peer);
	watch(m);
	return true;
}

/* --- the peer --- */

static void remember(struct mover *m)
{
	struct err e;
	const bool good = state_save(&m->memory, &e);
	if (!good && !m->state_told)
		EMIT(m->host, MOVER_FORGETFUL, "mover", m->set->name, "file", m->memory.path, "why", e.text);
	m->state_told = !good;
}

static void lose_peer(struct mover *m, enum mover_peer state, const struct err *e)
{
	postoffice_close(&m->there);
	mover_tell_peer(m, state, e->text);
	retry_probe_failed(&m->memory.retry, mover_now(m));
	m->memory.dirty = true;
	remember(m);
	m->probe_at = env_now_ms(m->host->env) + (int64_t)m->set->interval_ms;
}

struct find_bag { const struct mm_name *peer; char bag[MM_ID_LENGTH + 1]; };

static bool is_peers(void *ctx, const struct mm_name *next, const char *mailbag)
{
	struct find_bag *f = ctx;
	if (!mm_same_postoffice(next, f->peer))
		return true;
	snprintf(f->bag, sizeof f->bag, "%s", mailbag);
	return false;
}

/* Which bag here is the peer's. False: none, and that is told. */
static bool find_bag(struct mover *m)
{
	struct err e;
	struct find_bag f = { .peer = &postoffice_master(m->there)->own };
	if (!postoffice_each_outbound(m->here, is_peers, &f, &e)) {
		say_detached(m, &e);
		detach_here(m);
		return false;
	}
	if (f.bag[0] == 0) {
		char why[80];
		snprintf(why, sizeof why, "no mailbag here is for %s/%s", f.peer->network, f.peer->postoffice);
		mover_tell_peer(m, PEER_NO_REF, why);
		m->bag[0] = 0;
		return false;
	}
	m->memory.dirty |= strcmp(m->memory.bag, f.bag) != 0;
	memcpy(m->bag, f.bag, sizeof m->bag);
	memcpy(m->memory.bag, f.bag, sizeof m->memory.bag);
	return true;
}

/* Two postoffices of one serial number: one of them is a copy of the other (Q151228). */
static bool is_twin(struct mover *m)
{
	const struct mm_master *a = postoffice_master(m->here), *b = postoffice_master(m->there);
	if (strcmp(a->serial, b->serial) != 0 || a->serial[0] == 0)
		return false;
	if (m->state != PEER_FAILED)
		EMIT(m->host, MOVER_SERIAL, "mover", m->set->name, "peer", m->peer, "serial", a->serial);
	return true;
}

static void attach_peer(struct mover *m)
{
	struct err e;
	if (env_now_ms(m->host->env) < m->probe_at)
		return;
	if (!attach(m, m->peer, &m->there, &e)) {
		lose_peer(m, PEER_ERROR, &e);
		return;
	}
	if (is_twin(m)) {
		err_set(&e, ERR_LOCAL, ERR_OF_LINK, "%s has the serial number of %s", m->peer, m->set->postoffice);
		lose_peer(m, PEER_FAILED, &e);
		return;
	}
	m->memory.dirty |= m->memory.retry.n_probes > 0;
	if (m->trouble_is_peers && m->troubled.s[0] != 0) { /* it was there all the time: the failure was that message's */
		retry_failed(&m->memory.retry, &m->troubled, mover_now(m));
		m->memory.dirty = true;
	}
	m->trouble_is_peers = false;
	retry_probe_good(&m->memory.retry);
}

/* It may be full no more, though nothing waits to find that out. */
static void look_at_room(struct mover *m)
{
	struct po_bag_entry entry;
	uint64_t room;
	unsigned n, live;
	if (postoffice_space(m->there, &room, NULL, NULL) && room >= m->set->min_free &&
	    postoffice_bag(m->there, "INQUEUE3", 1, &entry, &n, &live, NULL) && live < MM_BAG_RECORDS)
		mover_tell_peer(m, PEER_OK, "");
}

/* True: there is a bag to be looked at, with or without the peer. */
static bool reach_peer(struct mover *m)
{
	struct err e;
	if (is_mailer(m))
		return true;
	if (m->there != NULL && !mail_is_there(m->there, &e))
		lose_peer(m, PEER_ERROR, &e);
	else if (m->there == NULL)
		attach_peer(m);
	if (m->there != NULL && !find_bag(m))
		return false;
	if (m->there != NULL && m->state == PEER_FULL)
		look_at_room(m);
	else if (m->there != NULL)
		mover_tell_peer(m, PEER_OK, "");
	if (m->there == NULL && m->bag[0] == 0) /* as it was called the last time */
		memcpy(m->bag, m->memory.bag, sizeof m->bag);
	return m->bag[0] != 0;
}

/* --- a round --- */

static bool take_lock(struct mover *m, struct err *e)
{
	const int64_t now = env_now_ms(m->host->env);
	if (!postoffice_lock(m->here, m->bag, &m->lock, e))
		return false;
	if (m->lock != NULL) {
		m->locked_since = 0;
		if (m->locked_told)
			m->why[0] = 0;
		m->locked_told = false;
		return true;
	}
	m->soon = true;
	if (m->locked_since == 0)
		m->locked_since = now;
	if (!m->locked_told && now - m->locked_since >= (int64_t)m->set->lock_patience_ms) {
		EMIT(m->host, MOVER_LOCKED, "mover", m->set->name, "mailbag", m->bag, "who", e->text);
		snprintf(m->why, sizeof m->why, "%s", e->text);
		m->locked_told = true;
	}
	return true;
}

/* So that one message that cannot be moved, and takes the round with it, keeps nobody else. */
static void troubled_last(struct mover *m)
{
	for (unsigned i = 0; m->troubled.s[0] != 0 && i + 1 < m->n; i++) {
		const struct po_bag_entry entry = m->entries[i];
		if (!entry.readable || !mm_same(entry.header.mai.s, m->troubled.s))
			continue;
		memmove(&m->entries[i], &m->entries[i + 1], (m->n - i - 1) * sizeof *m->entries);
		m->entries[m->n - 1] = entry;
		return;
	}
}

static bool open_bag(struct mover *m, struct err *e)
{
	unsigned live;
	if (!take_lock(m, e))
		return false;
	if (m->lock == NULL)
		return true;
	m->at = m->moved = m->unreadable = m->n = 0;
	if (!mail_stamp(m->here, m->bag, &m->stamp_begun, e) || !postoffice_bag(m->here, m->bag, MM_BAG_RECORDS, m->entries, &m->n, &live, e))
		return false;
	troubled_last(m);
	if (m->memory.retry.n_messages > m->n) /* somebody else took some */
		m->memory.dirty |= retry_keep(&m->memory.retry, mover_is_in_bag, m);
	return mail_journal_open(m->here, m->bag, &m->journal, e) && lane_settle(m, e);
}

static void end_round(struct mover *m)
{
	mover_note(m, NULL);
	lane_drop_job(m);
	mail_journal_close(&m->journal);
	if (m->here != NULL && !mail_stamp(m->here, m->bag, &m->stamp, NULL))
		m->stamp = 0;
	/* We have changed it, and perhaps somebody else has, too, whose notification came while nobody listened. */
	m->again |= m->here != NULL && m->set->notify && m->stamp != m->stamp_begun;
	postoffice_unlock(&m->lock);
	remember(m);
	m->waiting = m->n - m->moved;
	m->unreadable_told = m->unreadable;
	next_round(m);
}

/* A mailbag that is damaged or held is no reason to give the postoffice up, nor is a full disk. */
static void fail_here(struct mover *m, const struct err *e)
{
	const bool is_bag = e->culprit != ERR_OF_LINK;
	if (!is_bag && e->kind != ERR_TEMP) {
		say_detached(m, e);
		detach_here(m);
	}
	else if (!m->bag_told)
		EMIT(m->host, MOVER_LEFT, "mover", m->set->name, "peer", m->peer == NULL ? "" : m->peer, "item", m->bag, "why", e->text);
	m->bag_told = true;
	end_round(m);
}

static void sweep(struct mover *m)
{
	unsigned removed = 0;
	char n[16];
	if (!is_mailer(m) || !postoffice_sweep(m->here, SWEEP_STEPS, &removed, NULL) || removed == 0)
		return;
	snprintf(n, sizeof n, "%u", removed);
	EMIT(m->host, MOVER_SWEPT, "mover", m->set->name, "postoffice", m->set->postoffice, "files", n);
}

static void begin_round(struct mover *m)
{
	struct err e;
	m->round_at = mover_now(m);
	if (!attach_here(m) || !reach_peer(m)) {
		next_round(m);
		return;
	}
	if (m->watch == NULL)
		watch(m);
	if (!open_bag(m, &e))
		fail_here(m, &e);
	else if (m->lock == NULL)
		next_round(m);
	else {
		m->bag_told = false;
		next_turn(m);
	}
}

static enum did take(struct mover *m, const struct po_bag_entry *entry)
{
	const struct retry_policy policy = { m->set->retries, (int64_t)m->set->give_up_ms };
	struct err e;
	arena_reset(m->arena);
	mover_note(m, &entry->header.mai);
	m->last_try = retry_is_over(&m->memory.retry, &policy, &entry->header.mai, RETRY_NEVER, mover_now(m)); /* its own failures only */
	if (state_strikes(&m->memory, &entry->header.mai) >= m->strikes_max)
		return aside_take(m, entry);
	if (FAULT_ON(MOVER_TAKE, view_str(entry->header.subject))) {
		err_set(&e, ERR_LOCAL, ERR_OF_MESSAGE, "%s: not taken (fault point)", entry->header.mai.s);
		return mover_did(m, &e, false);
	}
	return is_mailer(m) ? mailer_take(m, entry) : lane_take(m, entry);
}

/* Once, not in every round that they are still there. */
static void say_unreadable(struct mover *m, const struct po_bag_entry *entry)
{
	char slot[16];
	if (++m->unreadable <= m->unreadable_told)
		return;
	snprintf(slot, sizeof slot, "%u", entry->slot);
	EMIT(m->host, MOVER_RECORD_BAD, "mover", m->set->name, "mailbag", m->bag, "slot", slot, "why", entry->why.text);
}

static void give_round_up(struct mover *m, bool peer)
{
	const struct err e = m->failure;
	lane_drop_job(m);
	m->troubled = m->entries[m->at - 1].header.mai;
	m->trouble_is_peers = peer;
	if (peer) {
		lose_peer(m, PEER_ERROR, &e);
		end_round(m);
	}
	else
		fail_here(m, &e);
}

static void after(struct mover *m, enum did did)
{
	const struct po_bag_entry *entry = &m->entries[m->at];
	if (did == DID_MORE) {
		next_turn(m);
		return;
	}
	lane_drop_job(m);
	m->at++;
	switch (did) {
	case DID_DONE:
		m->moved++;
		m->total++;
		m->waiting = m->n - m->moved;
		status_tell(m, -1);
		state_done(&m->memory, &entry->header.mai);
		break;
	case DID_FAIL:
		retry_failed(&m->memory.retry, &entry->header.mai, mover_now(m));
		m->memory.dirty = true;
		break;
	case DID_SOON:
		m->soon = true;
		break;
	case DID_LEAVE:
		break;
	case DID_FAIL_HERE:
	case DID_FAIL_PEER:
		give_round_up(m, did == DID_FAIL_PEER);
		return;
	case DID_MORE:
		CANT_HAPPEN("a piece was done and is not gone on with");
	}
	next_turn(m);
}

static void turn(void *ctx)
{
	struct mover *m = mover_check(ctx);
	if (m->lock == NULL) {
		begin_round(m);
		return;
	}
	if (m->job != NULL) {
		after(m, lane_go_on(m));
		return;
	}
	if (m->at < m->n && m->moved < m->set->quota) {
		const struct po_bag_entry *entry = &m->entries[m->at];
		if (entry->readable)
			after(m, take(m, entry));
		else {
			say_unreadable(m, entry);
			m->at++;
			next_turn(m);
		}
		return;
	}
	m->again |= m->at < m->n;
	sweep(m);
	end_round(m);
}

/* --- begin and end --- */

static void note_of_files(void *ctx, const char *text)
{
	struct mover *m = mover_check(ctx);
	if (m->host->note != NULL)
		m->host->note(m->host->ctx, *text == 0 ? m->item : text);
}

static wall_ms_t now_of_files(void *ctx)
{
	return mover_now(mover_check(ctx));
}

static uint64_t random_of_files(void *ctx)
{
	return env_random(mover_check(ctx)->host->env);
}

static void load_memory(struct mover *m, const char *directory)
{
	char path[600];
	struct err e;
	snprintf(m->directory, sizeof m->directory, "%s/mover-%s", directory, m->set->name);
	if (!state_make_directory(m->directory, &e))
		EMIT(m->host, MOVER_FORGETFUL, "mover", m->set->name, "file", m->directory, "why", e.text);
	if (is_mailer(m))
		snprintf(path, sizeof path, "%s/mailer", m->directory);
	else
		snprintf(path, sizeof path, "%s/lane-%016" PRIx64, m->directory, hash_octets(HASH_START, view_str(m->peer)));
	state_load(&m->memory, path);
}

struct mover *mover_new(const struct actor_host *host, const struct set_mover *set, const char *peer, const char *directory, unsigned strikes)
{
	struct mover *m = mem_zero(sizeof *m);
	m->magic = MOVER_MAGIC;
	m->host = host;
	m->set = set;
	m->peer = peer;
	m->strikes_max = strikes;
	m->soon_ms = SOON_MS;
	m->scramble = mm_scramble_by_name(set->scramble);
	if (m->scramble == NULL)
		m->scramble = &mm_scramble_none;
	if (!settings_zone_minutes(set->zone, &m->zone))
		m->zone = 0;
	m->files = (struct postoffice_host){ .note = note_of_files, .now = now_of_files, .random = random_of_files, .ctx = m };
	m->entries = mem_alloc(mem_mul(MM_BAG_RECORDS, sizeof *m->entries));
	m->arena = arena_new(MESSAGE_MEMORY);
	if (is_mailer(m))
		snprintf(m->bag, sizeof m->bag, "INQUEUE3");
	load_memory(m, directory);
	status_tell(m, 0);
	timer_init(&m->turn, host->env, turn, m);
	timer_after(&m->turn, 0);
	return m;
}

void mover_free(struct mover **at)
{
	struct mover *m = *at;
	if (m == NULL)
		return;
	CHECK(m, MOVER_MAGIC);
	timer_stop(&m->turn);
	lane_drop_job(m);
	detach_here(m);
	postoffice_close(&m->there);
	remember(m);
	state_fini(&m->memory);
	arena_free(&m->arena);
	MEM_FREE(m->entries);
	m->magic = 0;
	MEM_FREE(*at);
}

/* "INQUEUE3 00000062" */
static bool is_item(const char *note, struct mm_id *id_r)
{
	uint32_t number;
	const char *blank = strchr(note, ' ');
	if (blank == NULL || blank == note || blank - note > MM_ID_LENGTH || strlen(blank + 1) != MM_ID_LENGTH)
		return false;
	return mm_id_parse(view_str(blank + 1), id_r, &number, NULL);
}

void mover_predecessor_died(struct mover *m, bool by_fault, const char *note)
{
	CHECK(m, MOVER_MAGIC);
	struct mm_id id;
	char n[16];
	if (!by_fault || !is_item(note, &id))
		return;
	snprintf(n, sizeof n, "%u", state_strike(&m->memory, &id));
	EMIT(m->host, MOVER_STRUCK, "mover", m->set->name, "item", note, "strikes", n);
	remember(m);
}
