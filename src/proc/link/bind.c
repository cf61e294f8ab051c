/* bind.c - who calls, and may they; what we say ourselves. */
#include "proc/link/link_int.h"

#include "base/mem.h"
#include "base/text.h"
#include "sys/net_prefix.h"

/* Of the inbound associations that a process may have: those that every other link finds free whatever one link's peer opens, but
 * no more than a quarter of all. */
enum { KEPT_FOR_A_LINK = 2, KEPT_PART = 4 };

static struct x400_credentials own_credentials(const struct link *l, const struct set_link *peer, bool initiator)
{
	const char *name = *peer->local_mta != 0 ? peer->local_mta : l->settings->mta.name;
	const char *password = !initiator && *peer->local_password_answer != 0 ? peer->local_password_answer : peer->local_password;
	return (struct x400_credentials){
		.present = true, .mta_name = view_str(name), .has_password = *password != 0, .password = view_str(password),
		.form = peer->password_form == 0 ? X400_PASSWORD_IA5 : X400_PASSWORD_OCTETS,
	};
}

/* A responder does not know yet who calls: the most generous of what its links allow; the peer's wishes only lower it. */
static void widest(const struct link *l, struct x400_config *c)
{
	c->two_way_alternate = true; /* whose link does not take it is told so by name */
	c->checkpoint_size = 0;
	c->window = 1;
	c->session.versions = 2;
	c->session.tpdu_size = 128;
	for (size_t i = 0; i < l->n_partners; i++) {
		const struct set_link *k = &l->partners[i]->set;
		if (k->checkpoint_k > c->checkpoint_size)
			c->checkpoint_size = (unsigned)k->checkpoint_k;
		if (k->window > c->window)
			c->window = (unsigned)k->window;
		if (k->tpdu_size > c->session.tpdu_size)
			c->session.tpdu_size = (size_t)k->tpdu_size;
		if (k->session_v1)
			c->session.versions = 3;
	}
}

/* X.228 8.1.1: the session connection identifier is the caller's name and the time as a UTCTime; a random part tells those
 * of one second apart. OCTET STRING, in X.410 mode T61String (X.410 4). */
void bind_references(struct assoc *a, struct session_config *c)
{
	const struct link *l = a->link;
	struct arena *scratch = arena_new(256);
	const struct view now = utctime_print(env_wall_ms(l->host.env), scratch);
	const bool x410 = a->peer->conformance != CONFORMANCE_1988;
	char name[64];
	const int n = snprintf(name, sizeof name, "%.32s-%012llx", l->settings->mta.name,
			       (unsigned long long)env_random(l->host.env) & 0xffffffffffffu);
	uint8_t *p = a->references;
	*p++ = x410 ? 0x14 : 0x04;
	*p++ = (uint8_t)n;
	memcpy(p, name, (size_t)n);
	p += n;
	c->user_ref = view_of(a->references, (size_t)n + 2);
	c->common_ref = view_of(p, now.n + 2);
	*p++ = 0x17;
	*p++ = (uint8_t)now.n;
	memcpy(p, now.p, now.n);
	arena_free(&scratch);
}

void bind_list_selectors(struct link *l)
{
	free(l->own_tsels);
	l->own_tsels = mem_zero(mem_mul(l->n_partners + 1, sizeof *l->own_tsels));
	l->n_own_tsels = 0;
	for (size_t i = 0; i < l->n_partners; i++) {
		const struct set_link *k = &l->partners[i]->set;
		if (k->kind != LINK_X400)
			continue;
		if (k->calling_tsel.n == 0) {
			l->n_own_tsels = 0;
			return;
		}
		l->own_tsels[l->n_own_tsels++] = k->calling_tsel;
	}
}

void bind_config(const struct link *l, const struct set_link *peer, bool initiator, struct x400_config *c)
{
	const struct set_limits *limits = &l->settings->limits;
	*c = (struct x400_config){
		.session = { .side = initiator ? SESSION_INITIATOR : SESSION_RESPONDER, .collect_max = 64 * 1024,
			     .out_max = UNSENT_HIGH },
		.connect_timeout_ms = (uint32_t)limits->connect_timeout_ms,
		.response_timeout_ms = (uint32_t)limits->response_timeout_ms,
		.receive_timeout_ms = (uint32_t)limits->receive_timeout_ms,
		.abort_timeout_ms = (uint32_t)limits->abort_timeout_ms,
		.turn_timeout_ms = (uint32_t)limits->response_timeout_ms,
	};
	if (peer == NULL) {
		widest(l, c);
		c->own_tsels = l->own_tsels;
		c->n_own_tsels = l->n_own_tsels;
		return;
	}
	c->session.versions = peer->session_v1 ? 3 : 2;
	c->session.tpdu_size = (size_t)peer->tpdu_size;
	c->session.calling_tsel = peer->calling_tsel;
	c->session.called_tsel = peer->called_tsel;
	c->session.send_tsel = peer->calling_tsel.n > 0 || peer->called_tsel.n > 0;
	c->session.calling_ssel = peer->calling_ssel;
	c->session.called_ssel = peer->called_ssel;
	c->session.send_ssel = (peer->calling_ssel.n > 0 || peer->called_ssel.n > 0) &&
			       peer->conformance == CONFORMANCE_1988; /* X.410 mode has none (Q152932) */
	c->calling_psel = peer->calling_psel;
	c->called_psel = peer->called_psel;
	c->send_psel = peer->calling_psel.n > 0 || peer->called_psel.n > 0;
	c->own = own_credentials(l, peer, initiator);
	c->checkpoint_size = (unsigned)peer->checkpoint_k;
	c->window = (unsigned)peer->window;
	c->two_way_alternate = peer->two_way_alternate;
	c->mode = (enum x400_mode)peer->conformance;
}

/* Compares in a time that does not depend on where the difference is. */
static bool same_secret(struct view a, struct view b)
{
	unsigned difference = a.n != b.n;
	for (size_t i = 0; i < a.n && i < b.n; i++)
		difference |= (unsigned)(a.p[i] ^ b.p[i]);
	return difference == 0;
}

static bool selector_fits(const struct set_link *k, const struct x400_event *ev)
{
	return (k->calling_tsel.n == 0 || view_eq(k->calling_tsel, ev->called_tsel)) &&
	       (k->called_tsel.n == 0 || view_eq(k->called_tsel, ev->calling_tsel));
}

static bool is_peer_host(const struct set_link *k, const char *caller)
{
	const char *const *hosts = k->peer_hosts.v;
	struct net_prefix p;
	struct err e;
	for (size_t i = 0; i < k->peer_hosts.n; i++)
		if (net_prefix_parse(hosts[i], &p, &e) && net_prefix_has(&p, caller))
			return true;
	return false;
}

/* A caller is known by its credentials. Where it calls from is looked at when the settings say so, and never looked up. */
static bool host_fits(const struct set_link *k, const char *caller)
{
	return k->peer_hosts.n == 0 || is_peer_host(k, caller);
}

/* Without credentials it is known by where it calls from, and by its selectors. */
static bool null_bind_fits(const struct set_link *k, const char *caller)
{
	const char *const *more = k->more_addresses.v;
	bool fits = net_same_host(caller, k->address) || is_peer_host(k, caller);
	for (size_t i = 0; i < k->more_addresses.n; i++)
		fits = fits || net_same_host(caller, more[i]);
	return k->allow_null_bind && fits;
}

/* What there is that a caller is known by. */
struct caller {
	bool named;                  /* a link has its name */
	const struct set_link *elsewhere; /* one of those, with its selectors, whose peer calls from another host */
};

/* Several links may name the same MTA (two selectors): the first whose selectors and hosts fit. */
static const struct set_link *find_caller(const struct assoc *a, const struct x400_event *ev, struct caller *c)
{
	const struct link *l = a->link;
	const char *from = stream_peer(a->stream);
	*c = (struct caller){ .elsewhere = NULL };
	for (size_t i = 0; i < l->n_partners; i++) {
		const struct set_link *k = &l->partners[i]->set;
		bool named = ev->peer.present ? view_eq_nocase(ev->peer.mta_name, view_str(k->remote_mta)) : null_bind_fits(k, from);
		if (!named || k->kind != LINK_X400)
			continue;
		c->named = true;
		if (!selector_fits(k, ev))
			continue;
		if (host_fits(k, from))
			return k;
		c->elsewhere = k;
	}
	return NULL;
}

static void refuse(struct assoc *a, enum x400_bind_error why, const struct err *cause)
{
	struct err e;
	a->why = *cause;
	a->told = true;
	if (!x400_bind_refuse(a->x, why, &e))
		assoc_abort(a, &e);
}

/* Of the links of that name the first one's: what the caller should have called. */
static struct view own_selector_for(const struct link *l, struct view mta)
{
	for (size_t i = 0; i < l->n_partners; i++)
		if (l->partners[i]->set.kind == LINK_X400 && view_eq_nocase(mta, view_str(l->partners[i]->set.remote_mta)))
			return l->partners[i]->set.calling_tsel;
	return (struct view){ NULL, 0 };
}

static const char *in_hex(char *to, size_t size, struct view selector)
{
	struct out o;
	out_init(&o, size);
	text_hex(&o, view_first(selector, SESSION_SELECTOR_MAX));
	snprintf(to, size, "%s", out_cstr(&o));
	out_fini(&o);
	return to;
}

static void refuse_caller(struct assoc *a, const struct x400_event *ev, const struct caller *c)
{
	char name[80], theirs[80], ours[80];
	struct err e;
	const struct actor_host *host = &a->link->host;
	const char *mta = text_escaped(name, sizeof name, ev->peer.mta_name);
	in_hex(theirs, sizeof theirs, ev->called_tsel);
	if (c->elsewhere != NULL) {
		EMIT(host, ASSOC_HOST, "link", c->elsewhere->name, "mta", mta, "peer", stream_peer(a->stream));
		err_set(&e, ERR_PEER, ERR_OF_ASSOCIATION, "MTA \"%s\" calls from %s, which is not among the peer-hosts of link %s", mta,
			stream_peer(a->stream), c->elsewhere->name);
		link_tell_refused(a->link, a, c->elsewhere, &e);
	} else if (c->named) {
		in_hex(ours, sizeof ours, own_selector_for(a->link, ev->peer.mta_name));
		EMIT(host, TSEL_UNKNOWN, "mta", mta, "peer", stream_peer(a->stream), "called-tsel", theirs, "our-tsel", ours);
		err_set(&e, ERR_PEER, ERR_OF_ASSOCIATION, "MTA \"%s\" called transport selector 0x%s, its link has 0x%s", mta, theirs, ours);
	} else {
		EMIT(host, ASSOC_UNKNOWN, "mta", mta, "peer", stream_peer(a->stream), "called-tsel", theirs);
		err_set(&e, ERR_PEER, ERR_OF_ASSOCIATION, "MTA \"%s\" is not the remote-mta-name of any link", mta);
	}
	refuse(a, X400_AUTHENTICATION, &e);
}

static bool is_password(const char *want, const struct x400_credentials *given)
{
	return *want != 0 && given->has_password && same_secret(given->password, view_str(want));
}

/* OP-12: while the peer changes its password, the old one and the next are as good as each other. */
static bool password_fits(const struct set_link *k, const struct x400_credentials *given)
{
	return *k->remote_password == 0 || is_password(k->remote_password, given) || is_password(k->remote_password_next, given);
}

/* In the peer's answer (RT-25, Q159182): what is set for that direction, and nothing else, when it is set. */
static bool answer_fits(const struct set_link *k, const struct x400_credentials *given)
{
	if (*k->remote_password_answer != 0)
		return is_password(k->remote_password_answer, given);
	return password_fits(k, given);
}

/* Nothing is kept to recover from; the peer opens afresh (RT-15). */
void bind_refuse_recovery(struct assoc *a)
{
	struct err e;
	err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "the peer asks to recover an old association, want a new one; answered busy");
	EMIT(&a->link->host, ASSOC_REFUSED, "peer", stream_peer(a->stream), "why", e.text);
	refuse(a, X400_BUSY, &e);
}

static void refuse_password(struct assoc *a, const struct set_link *k, bool given)
{
	struct err e;
	err_set(&e, ERR_PEER, ERR_OF_ASSOCIATION, "MTA \"%s\" gave %s, want the remote-password of link %s", k->remote_mta,
		given ? "another password" : "no password", k->name);
	EMIT(&a->link->host, ASSOC_CREDENTIALS, "link", k->name, "peer", stream_peer(a->stream), "why", e.text);
	link_tell_refused(a->link, a, k, &e);
	refuse(a, X400_AUTHENTICATION, &e);
}

static size_t share_of(const struct link *l)
{
	const size_t others = KEPT_FOR_A_LINK * (l->n_partners > 0 ? l->n_partners - 1 : 0), most = l->inbound_max / KEPT_PART;
	return l->inbound_max - (others < most ? others : most);
}

void bind_is_over(const struct assoc *a)
{
	partner_of(a->peer)->n_bound--;
}

/* Told in the protocol's own word, so that the peer keeps its mail and tries again. */
static bool refused_for_tls(struct assoc *a, const struct set_link *k)
{
	struct err e;
	if (secure_fits(a, k, &e))
		return false;
	EMIT(&a->link->host, TLS_FAILED, "link", k->name, "peer", stream_peer(a->stream), "why", e.text);
	link_tell_refused(a->link, a, k, &e);
	refuse(a, X400_AUTHENTICATION, &e);
	return true;
}

static bool refused_as_busy(struct assoc *a, const struct set_link *k)
{
	struct link *l = a->link;
	struct err e;
	if (l->n_inbound > l->inbound_max || partner_of(k)->n_bound >= share_of(l)) {
		EMIT(&l->host, ASSOC_LIMIT, "link", k->name, "peer", stream_peer(a->stream));
		err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "busy: the limit of associations is reached");
	} else if (link_is_stopped(l, k->name)) {
		err_set(&e, ERR_TEMP, ERR_OF_LINK, "busy: the link was stopped by an operator");
		EMIT(&l->host, ASSOC_BUSY, "link", k->name, "peer", stream_peer(a->stream), "why", e.text);
	} else if (link_is_busy(l, &e)) {
		EMIT(&l->host, ASSOC_BUSY, "link", k->name, "peer", stream_peer(a->stream), "why", e.text);
	} else {
		return false;
	}
	link_tell_refused(l, a, k, &e);
	refuse(a, X400_BUSY, &e);
	return true;
}

static void refuse_mode(struct assoc *a, const struct set_link *k, bool dialogue, const struct err *why)
{
	struct err e;
	EMIT(&a->link->host, ASSOC_MODE, "link", k->name, "peer", stream_peer(a->stream), "why", why->text);
	link_tell_refused(a->link, a, k, why);
	a->why = *why;
	a->told = true;
	if (!(dialogue ? x400_bind_refuse(a->x, X400_DIALOGUE_MODE, &e) : x400_bind_refuse_mode(a->x, &e)))
		assoc_abort(a, &e);
}

/* Q171113, Q169701: refused with the reason, and said on both sides. */
static bool refused_for_mode(struct assoc *a, const struct set_link *k, const struct x400_event *ev)
{
	struct err e;
	const enum x400_mode wanted = (enum x400_mode)k->conformance;
	if (ev->peer_two_way_alternate && !k->two_way_alternate) {
		err_set(&e, ERR_PEER, ERR_OF_ASSOCIATION, "MTA \"%s\" asks for two-way alternate dialogue, link %s has "
			"two-way-alternate: false", k->remote_mta, k->name);
		refuse_mode(a, k, true, &e);
	} else if (k->only_conformance && ev->mode != wanted) {
		err_set(&e, ERR_PEER, ERR_OF_ASSOCIATION, "MTA \"%s\" calls in mode %s, link %s takes only its conformance %s",
			k->remote_mta, x400_mode_name(ev->mode), k->name, x400_mode_name(wanted));
		refuse_mode(a, k, false, &e);
	} else {
		return false;
	}
	return true;
}

static void bound(struct assoc *a, const struct set_link *k, const struct x400_event *ev)
{
	struct link *l = a->link;
	a->peer = k;
	a->bound = true;
	turn_bound(a, ev->peer_two_way_alternate);
	partner_of(k)->n_bound++;
	crowd_leave(l, &a->crowd);
	stream_set_keepalive(a->stream, (int64_t)k->keepalive_ms);
	EMIT(&l->host, ASSOC_IN, "link", k->name, "peer", stream_peer(a->stream));
	recover_tell_how(a);
	link_tell_assoc(l, MSG_ASSOC_UP, a, NULL, false);
}

static void accept(struct assoc *a, const struct set_link *k, const struct x400_event *ev)
{
	struct link *l = a->link;
	struct x400_credentials own = own_credentials(l, k, false);
	struct err e;
	if (!x400_bind_accept(a->x, &own, &e)) {
		assoc_abort(a, &e);
		return;
	}
	bound(a, k, ev);
}

/* It brings no credentials: where it calls from, and that it knows the name, is what it is known by. */
void bind_recovered(struct assoc *a, const struct set_link *k)
{
	struct err e;
	if (k == NULL || k->kind != LINK_X400 || !host_fits(k, stream_peer(a->stream))) {
		bind_refuse_recovery(a); /* afresh it is told more */
		return;
	}
	const struct x400_event ev = { .mode = x400_mode(a->x), .peer_two_way_alternate = a->asks_two_way };
	if (refused_for_tls(a, k) || refused_for_mode(a, k, &ev) || refused_as_busy(a, k))
		return;
	if (!x400_bind_recover(a->x, &e)) {
		assoc_abort(a, &e);
		return;
	}
	a->recovered = true;
	bound(a, k, &ev);
}

void bind_indication(struct assoc *a, const struct x400_event *ev)
{
	struct caller c;
	if (ev->recover) {
		recover_asked(a, ev);
		return;
	}
	const struct set_link *k = find_caller(a, ev, &c);
	if (k == NULL)
		refuse_caller(a, ev, &c);
	else if (ev->peer.present && !password_fits(k, &ev->peer))
		refuse_password(a, k, ev->peer.has_password);
	else if (!refused_for_tls(a, k) && !refused_for_mode(a, k, ev) && !refused_as_busy(a, k))
		accept(a, k, ev);
}

void bind_confirmed(struct assoc *a, const struct x400_event *ev)
{
	const struct set_link *k = a->peer;
	struct err e;
	const bool wants = *k->remote_password != 0 || *k->remote_password_answer != 0;
	a->recovering = false;
	a->recovered = ev->recovered; /* then without credentials */
	if (wants && !a->recovered && (!ev->peer.present || !answer_fits(k, &ev->peer))) {
		err_set(&e, ERR_PEER, ERR_OF_LINK, "the bind was answered with %s, want the %s of link %s",
			!ev->peer.present ? "no credentials" : ev->peer.has_password ? "another password" : "no password",
			*k->remote_password_answer != 0 ? "remote-password-answer" : "remote-password", k->name);
		EMIT(&a->link->host, ASSOC_CREDENTIALS, "link", k->name, "peer", stream_peer(a->stream), "why", e.text);
		assoc_abort(a, &e);
		return;
	}
	a->bound = true;
	turn_bound(a, ev->peer_two_way_alternate);
	EMIT(&a->link->host, ASSOC_OUT, "link", k->name, "peer", stream_peer(a->stream));
	recover_tell_how(a);
	link_tell_assoc(a->link, MSG_ASSOC_UP, a, NULL, false);
}
