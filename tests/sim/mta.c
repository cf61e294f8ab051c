/* mta.c - one MTA of the simulation: a switch, two links, the process for suspects, a content process. What the supervisor does is
 * done here: it starts them again, joins them, and tells the switch how they died, soon, late or not at all. */
#include "sim_int.h"

#include "base/mem.h"

enum { NAMES_TO, NAMES_VIA, NAMES_BOTH_TO, NAMES_BOTH_VIA, NAMES_BOTH };

static void write_link(struct mta *m, const char *name, unsigned to, struct out *o)
{
	out_fmt(o, "  - name: %s-%c\n    address: \"127.0.0.1:%u\"\n    remote-mta-name: mta-%c\n    remote-password: secret-%c\n"
		"    local-password: %s-%c\n    open-interval: %u s\n    transfer-interval: 2 s\n    max-transfer-retries: 100000\n"
		"    max-open-retries: 100000\n    threshold: 4\n    association-lifetime: 5 s\n",
		name, 'a' + to, 1000 + to, 'a' + to, 'a' + to, m->odd_password ? "odd" : "secret", m->name, m->interval);
	if (m->sim->run.recovery != NULL)
		recovery_settings(m->sim->run.recovery, m->index, o);
	else
		out_fmt(o, "    checkpoint-size: %u\n    window-size: 3\n    wrap: %u\n", m->index, m->sim->poisoned ? 72 : 0);
}

static void write_address(struct out *o, const char *name, int far, unsigned mta)
{
	out_fmt(o, "\"S=%s", name);
	if (far >= 0)
		out_fmt(o, "%d", far);
	out_fmt(o, "; P=%c; A=SIM; C=%s\"", 'a' + mta, sim_countries[mta]);
}

static void write_list(struct out *o, const char *name, int far)
{
	out_fmt(o, "  - name: %s%d\n    addresses: [", name, far);
	write_address(o, name, far, 1);
	out_str(o, "]\n    members: [");
}

/* For letters to either end: mailboxes that are redirected there, lists with one member there and one here (and themselves, and
 * another list with the same member), and lists of nobody. */
static void write_lists(struct out *o)
{
	for (int far = 0; far <= 2; far += 2) {
		out_fmt(o, "  - name: moved%d\n    addresses: [", far);
		write_address(o, "moved", far, 1);
		out_str(o, "]\n    redirect: ");
		write_address(o, "user", -1, (unsigned)far);
		out_str(o, "\n");
	}
	out_str(o, "lists:\n");
	for (int far = 0; far <= 2; far += 2) {
		write_list(o, "news", far);
		write_address(o, "user", -1, (unsigned)far);
		out_str(o, ", ");
		write_address(o, "news", far, 1);
		out_str(o, ", ");
		write_address(o, "inner", far, 1);
		out_str(o, "]\n");
		write_list(o, "inner", far);
		write_address(o, "USER", -1, 1);
		out_str(o, ", ");
		write_address(o, "user", -1, (unsigned)far);
		out_str(o, "]\n");
		write_list(o, "lost", far);
		write_address(o, "nobody", -1, (unsigned)far);
		out_str(o, "]\n");
	}
}

static void write_settings(struct mta *m, struct out *o)
{
	out_fmt(o, "mta:\n  name: mta-%c\n  domain: \"C=%s; A=SIM; P=%c\"\nstore:\n  directory: sim\nlisten: [\"127.0.0.1:%u\"]\n", m->name,
		sim_countries[m->index], m->name, 1000 + m->index);
	out_str(o, "limits:\n  response-timeout: 20 s\n  receive-timeout: 20 s\n  connect-timeout: 10 s\n");
	out_fmt(o, "  strikes: %u\nlinks:\n", STRIKES);
	for (unsigned i = 0; i < MTAS; i++)
		if (i == m->index + 1 || i + 1 == m->index) {
			if (m->names != NAMES_VIA)
				write_link(m, "to", i, o);
			if (m->names != NAMES_TO)
				write_link(m, "via", i, o);
		}
	out_str(o, "routes:\n");
	for (unsigned i = 0; i < MTAS; i++) {
		char to = i == m->index ? 0 : m->index == 1 ? (char)('a' + i) : 'b';
		if (to == 0)
			out_fmt(o, "  - match: \"C=%s; A=SIM; P=%c\"\n    to: local\n", sim_countries[i], 'a' + i);
		if (to != 0 && m->names != NAMES_VIA && m->names != NAMES_BOTH_VIA)
			out_fmt(o, "  - match: \"C=%s; A=SIM; P=%c\"\n    to: to-%c\n", sim_countries[i], 'a' + i, to);
		if (to != 0 && m->names != NAMES_TO && m->names != NAMES_BOTH_TO)
			out_fmt(o, "  - match: \"C=%s; A=SIM; P=%c\"\n    to: via-%c\n", sim_countries[i], 'a' + i, to);
	}
	out_fmt(o, "mailboxes:\n  - name: user\n    addresses: [\"S=user; P=%c; A=SIM; C=%s\"]\n", m->name, sim_countries[m->index]);
	if (m->index == 1)
		write_lists(o);
}

/* --- versions of the settings --- */

static void let_go(struct version **v)
{
	struct version *x = *v;
	*v = NULL;
	if (x == NULL || --x->refs > 0)
		return;
	arena_free(&x->arena);
	free(x);
}

void mta_new_version(struct mta *t)
{
	struct version *v = mem_zero(sizeof *v);
	struct err e;
	struct out text;
	v->arena = arena_new(64 << 20);
	v->refs = 1;
	v->number = t->version == NULL ? 1 : t->version->number + 1;
	out_init(&text, 1 << 20);
	write_settings(t, &text);
	if (!settings_load(arena_copy(v->arena, out_view(&text)), "sim", &v->settings, v->arena, &e))
		sim_fail(t->sim, "settings of %c: %s", t->name, e.text);
	out_fini(&text);
	let_go(&t->version);
	t->version = v;
}

bool mta_uses_settings(const struct process *p)
{
	return sim_is_alive(p->sim) && (p->kind == PROCESS_SWITCH ? p->mta->s != NULL : p->link != NULL);
}

static void take_settings(void *ctx)
{
	struct process *p = ctx;
	struct err e;
	if (p->kind != PROCESS_SWITCH)
		link_settings(p->link, &p->has->settings);
	else if (!switch_settings(p->mta->s, &p->has->settings, &e))
		sim_fail(p->mta->sim, "switch %c does not take its settings: %s", p->mta->name, e.text);
}

void mta_take_version(struct process *p, struct version *v)
{
	struct version *before = p->has;
	if (v != NULL)
		v->refs++;
	p->has = v;
	if (v != NULL && before != NULL && mta_uses_settings(p))
		sim_run(p->sim, take_settings, p);
	let_go(&before);
}

static void on_note(void *ctx, const char *text)
{
	struct process *p = ctx;
	snprintf(p->note, sizeof p->note, "%s", text);
}

static void on_die(void *ctx, const struct err *why)
{
	struct process *p = ctx;
	if (p->mta->sim->run.verbose)
		printf("%8lld  %c %d dies: %s\n", (long long)world_now_ms(p->mta->sim->w), p->mta->name, p->index, why->text);
	sim_die(p->sim);
}

/* --- deaths --- */

struct death {
	struct process *p;
	unsigned life;            /* of the switch */
	bool by_fault;
	char note[200];
	struct timer timer;
};

static void tell(void *ctx)
{
	struct death *d = ctx;
	switch_peer_died(d->p->mta->s, d->p->kind, (uint32_t)d->p->index, d->by_fault, "killed in the simulation", d->note);
}

/* The word may come before the ends of the streams are read or long after; a switch that was not there hears nothing. */
static void on_word(void *ctx)
{
	struct death *d = ctx;
	struct mta *m = d->p->mta;
	if (m->s != NULL && sim_is_alive(m->sw.sim) && m->lives == d->life)
		sim_run(m->sw.sim, tell, d);
	free(d);
}

static void send_word(struct process *p, bool by_poison)
{
	struct sim *m = p->mta->sim;
	int64_t delay = (int64_t)world_random(m->w, 3) * 1000;
	if (!by_poison && world_random(m->w, 6) == 0)
		return; /* not at all */
	if (!by_poison && world_random(m->w, 6) == 0)
		delay = 20 * 1000; /* too late */
	struct death *d = mem_zero(sizeof *d);
	*d = (struct death){ .p = p, .life = p->mta->lives, .by_fault = p->by_fault };
	snprintf(d->note, sizeof d->note, "%s", p->note);
	timer_init(&d->timer, sim_env(m->god), on_word, d);
	timer_after(&d->timer, delay);
}

/* By poison always a fault; else by chance, but fewer than a message may bear. */
static bool is_fault(struct process *p, bool by_poison)
{
	struct mta *t = p->mta;
	if (by_poison || !t->sim->poisoned || t->faults + 2 >= STRIKES || world_random(t->sim->w, 2) == 0)
		return by_poison;
	t->faults++;
	t->lost_report = t->lost_report || strncmp(p->note, "quarantine", 10) == 0;
	return true;
}

static void switch_is_dead(struct mta *t)
{
	struct sim *m = t->sim;
	t->s = NULL;
	if (t->disk != NULL)
		store_disk_crashed(t->disk);
	else if (sim_disk_crashed(t->sqlite, world_random(m->w, 3) == 0))
		for (int i = 0; i < POSTS; i++) /* it was the machine's power */
			if (sim_is_alive(t->posts[i].sim))
				sim_kill_in(t->posts[i].sim, 1);
}

static void on_killed(void *ctx)
{
	struct process *p = ctx;
	struct sim *m = p->mta->sim;
	bool by_poison = sim_was_fault(p->sim);
	m->kills += !by_poison;
	m->poison_deaths += by_poison;
	p->by_fault = is_fault(p, by_poison);
	if (m->run.verbose)
		printf("%8lld  %c %d is dead%s%s: %s\n", (long long)world_now_ms(m->w), p->mta->name, p->index, by_poison ? " of poison" : "",
		       p->by_fault ? ", by a fault" : "", p->note);
	p->host.log = NULL;
	p->link = NULL;
	mta_take_version(p, NULL);
	p->content = NULL;
	if (p->kind == PROCESS_SWITCH)
		switch_is_dead(p->mta);
	else
		send_word(p, by_poison);
	timer_after(&p->restart, 100 + (int64_t)world_random(m->w, 2000));
}

/* --- births --- */

static struct store *open_store(void *ctx, const struct store_events *ev, void *ev_ctx, struct err *e)
{
	struct mta *m = ctx;
	const struct store_config c = { .path = "sim", .inline_max = 64 * 1024 };
	if (m->disk != NULL)
		return store_open_memory(sim_env(m->sw.sim), m->disk, &c, ev, ev_ctx, e);
	return sim_disk_open(m->sqlite, sim_env(m->sw.sim), ev, ev_ctx, &m->disturbed, e);
}

static void host_of(struct process *p)
{
	p->host = (struct actor_host){ .env = sim_env(p->sim), .note = on_note, .die = on_die, .ctx = p };
	char name[16];
	snprintf(name, sizeof name, "%c%d", p->mta->name, p->index);
	/* What is said asks for the time, which a kill may wait for: a replay of a failure says all, the run that failed nothing. */
	p->host.log = event_log_new(sim_observer(p->sim), event_kinds, EVENT_KINDS, name, p->mta->sim->run.events == 0 ? -1 : p->mta->sim->run.events, false);
	event_log_set_level(p->host.log, p->mta->sim->run.events == 0 ? EVENT_ALARM : EVENT_DEBUG);
}

static void birth_of_switch(void *ctx)
{
	struct mta *m = ctx;
	struct err e;
	char predecessor[sizeof m->sw.note];
	snprintf(predecessor, sizeof predecessor, "%s", m->sw.note);
	host_of(&m->sw);
	m->s = switch_new(&m->sw.host, &m->sw.has->settings, open_store, m, &e);
	if (m->s == NULL && m->disturbed)
		sim_die(m->sw.sim);
	else if (m->s == NULL)
		sim_fail(m->sim, "switch %c: %s", m->name, e.text);
	else if (m->lives++ > 0) /* how its predecessor died is told before anything else */
		switch_peer_died(m->s, PROCESS_SWITCH, 1, m->sw.by_fault, "killed in the simulation", predecessor);
}

static void birth_of_post(void *ctx)
{
	struct process *p = ctx;
	const struct render_limits limits = render_limits_default();
	host_of(p);
	if (p->kind == PROCESS_CONTENT)
		p->content = content_new(&p->host, &limits, 10 * 1000, NULL, NULL, (uint32_t)p->index);
	else
		p->link = link_new(&p->host, &p->has->settings, (uint32_t)p->index);
}

struct pairing {
	struct process *post;
	bool bulk;
	struct stream *to_switch, *to_post;
};

static void adopt_in_switch(void *ctx)
{
	struct pairing *p = ctx;
	switch_adopt_peer(p->post->mta->s, p->post->kind, (uint32_t)p->post->index, p->bulk, p->to_post);
}

static void adopt_in_post(void *ctx)
{
	struct pairing *p = ctx;
	if (p->post->kind == PROCESS_CONTENT)
		content_adopt_switch(p->post->content, p->bulk, p->to_switch);
	else
		link_adopt_switch(p->post->link, p->bulk, p->to_switch);
}

static bool is_there(const struct process *p)
{
	return sim_is_alive(p->sim) && (p->link != NULL || p->content != NULL);
}

static void pair(struct process *post)
{
	struct mta *m = post->mta;
	for (int bulk = 0; bulk < 2; bulk++) {
		struct pairing p = { .post = post, .bulk = bulk != 0 };
		if (m->s == NULL || !sim_is_alive(m->sw.sim) || !is_there(post))
			return;
		world_pair(m->sim->w, m->sw.sim, post->sim, &p.to_post, &p.to_switch);
		sim_run(m->sw.sim, adopt_in_switch, &p);
		if (is_there(post))
			sim_run(post->sim, adopt_in_post, &p);
	}
}

static void start_process(void *ctx)
{
	struct process *p = ctx;
	struct mta *m = p->mta;
	char name[8];
	snprintf(name, sizeof name, "%c%d", m->name, p->index);
	p->sim = world_process(m->sim->w, name, on_killed, p);
	if (p->kind != PROCESS_CONTENT)
		mta_take_version(p, m->version);
	sim_run(p->sim, p->kind == PROCESS_SWITCH ? birth_of_switch : birth_of_post, p->kind == PROCESS_SWITCH ? (void *)m : (void *)p);
	for (int i = 0; i < POSTS; i++)
		if (p->kind == PROCESS_SWITCH || p->index == i)
			pair(&m->posts[i]);
}

/* The kernel gives a connection to any link process that is there. */
static struct sim_process *listening(void *ctx)
{
	struct mta *m = ctx;
	for (unsigned i = 0; i < LINKS; i++) {
		struct process *p = &m->posts[(m->next_link + i) % LINKS];
		if (sim_is_alive(p->sim) && p->link != NULL)
			return p->sim;
	}
	return NULL;
}

static void on_accepted(void *ctx, struct stream *s)
{
	struct mta *m = ctx;
	for (unsigned i = 0; i < LINKS; i++) {
		struct process *p = &m->posts[(m->next_link + i) % LINKS];
		if (sim_is_alive(p->sim) && p->link != NULL) {
			m->next_link = (m->next_link + i + 1) % LINKS;
			link_accepted(p->link, s, false);
			return;
		}
	}
}

void mta_begin(struct sim *m, unsigned i)
{
	struct mta *t = &m->mta[i];
	*t = (struct mta){ .sim = m, .name = (char)('a' + i), .index = i, .interval = 2, .arena = arena_new(64 << 20) };
	if (m->run.on_disk)
		t->sqlite = sim_disk_new(t->name, m->run.seed);
	else
		t->disk = store_disk_new();
	if (m->run.plant == PLANT_SYNCS)
		sim_disk_drop_syncs(t->sqlite, 3);
	mta_new_version(t);
	t->user = (struct user){ .sim = m, .mta = t };
	char addr[32];
	snprintf(addr, sizeof addr, "127.0.0.1:%u", 1000 + i);
	world_listen(m->w, addr, listening, on_accepted, t);
	t->sw = (struct process){ .mta = t, .kind = PROCESS_SWITCH, .index = -1 };
	timer_init(&t->sw.restart, sim_env(m->god), start_process, &t->sw);
	timer_after(&t->sw.restart, 0);
	for (int j = 0; j < POSTS; j++) {
		struct process *p = &t->posts[j];
		*p = (struct process){ .mta = t, .index = j };
		p->kind = j < LINKS ? PROCESS_LINK : j == LINKS ? PROCESS_ALONE : PROCESS_CONTENT;
		timer_init(&p->restart, sim_env(m->god), start_process, p);
		timer_after(&p->restart, 1);
	}
}

static void finish_switch(void *ctx)
{
	struct mta *t = ctx;
	switch_free(&t->s);
	if (t->sqlite != NULL)
		sim_disk_closed(t->sqlite);
	event_log_free(&t->sw.host.log);
}

static void finish_post(void *ctx)
{
	struct process *p = ctx;
	link_free(&p->link);
	content_free(&p->content);
	event_log_free(&p->host.log);
}

void mta_end(struct mta *t)
{
	for (int j = 0; j < POSTS; j++)
		if (is_there(&t->posts[j]))
			sim_run(t->posts[j].sim, finish_post, &t->posts[j]);
	if (t->s != NULL)
		sim_run(t->sw.sim, finish_switch, t);
	for (int j = 0; j < POSTS; j++)
		mta_take_version(&t->posts[j], NULL);
	mta_take_version(&t->sw, NULL);
	let_go(&t->version);
}
