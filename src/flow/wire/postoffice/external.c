/* external.c - other postoffices and gateways: NETWORK.GLB names networks, a network's XTN file its postoffices, each of these a mailbag. What a record
 * names is there before the record. */
#include "flow/wire/postoffice/po_make.h"

enum { EXTERNAL_FILE_MAX = 16 * 1024 * 1024 };

/* The active record of that name, or n: none. */
static size_t find_network(const struct po_table *t, const char *name, struct mm_network *n_r)
{
	for (size_t i = 0; i < po_table_n(t); i++)
		if (mm_network_parse(po_table_record(t, i), n_r, NULL) && n_r->active && mm_same(n_r->name, name))
			return i;
	return po_table_n(t);
}

static size_t find_xtn(const struct po_table *t, const char *name, struct mm_xtn *x_r)
{
	for (size_t i = 0; i < po_table_n(t); i++)
		if (mm_xtn_parse(po_table_record(t, i), x_r, NULL) && x_r->active && mm_same(x_r->name, name))
			return i;
	return po_table_n(t);
}

/* A deleted record's place, else behind the last. */
static size_t free_place(const struct po_table *t)
{
	for (size_t i = 0; i < po_table_n(t); i++)
		if (po_table_record(t, i).p[0] == 0)
			return i;
	return po_table_n(t);
}

static bool put_network(struct po_table *t, const struct mm_network *n, struct err *e)
{
	uint8_t record[MM_NETWORK_SIZE];
	mm_network_print(n, record);
	return po_table_put(t, free_place(t), record, e);
}

static bool put_xtn(struct po_table *t, size_t at, const struct mm_xtn *x, struct err *e)
{
	uint8_t record[MM_XTN_SIZE];
	mm_xtn_print(x, record);
	return po_table_put(t, at, record, e);
}

/* --- a network --- */
static bool create_xtn(void *ctx, const struct mm_id *id, bool *taken_r, struct err *e)
{
	struct postoffice *po = ctx;
	const struct po_rel rel = po_rel_of("XTN", id->s, ".XTN");
	int fd;
	if (!po_open(po, rel.s, O_RDWR | O_CREAT | O_EXCL, &fd, e))
		return false;
	*taken_r = fd < 0;
	if (fd < 0)
		return true;
	const bool ok = po_sync(po, fd, rel.s, e);
	po_close(po, &fd);
	return ok;
}

/* The network's record; made with an empty XTN file when there is none. */
static bool need_network(struct postoffice *po, struct po_table *networks, const char *name, struct mm_network *n_r, struct err *e)
{
	if (find_network(networks, name, n_r) < po_table_n(networks))
		return n_r->xtn[0] != 0 || err_set(e, ERR_PERM, ERR_OF_LINK, "postoffice: the network \"%s\" is a gateway (type 0x%02X), want one of postoffices",
						   n_r->name, n_r->type);
	struct mm_id id;
	*n_r = (struct mm_network){ .active = true, .type = MM_NETWORK_POSTOFFICES };
	snprintf(n_r->name, sizeof n_r->name, "%s", name);
	if (!po_new_id(po, PO_NMAILBAG, create_xtn, po, &id, e))
		return false;
	memcpy(n_r->xtn, id.s, sizeof n_r->xtn);
	return put_network(networks, n_r, e);
}

static bool open_xtn(struct postoffice *po, const struct mm_network *n, struct po_table *t_r, struct err *e)
{
	return po_table_open(po, "XTN", po_rel_of("", n->xtn, ".XTN").s, t_r, e);
}

/* --- the next hop: reached directly, and its count of those behind it --- */
static bool count_hop_in(struct po_table *t, const struct mm_name *via, struct err *e)
{
	struct mm_xtn hop;
	const size_t at = find_xtn(t, via->postoffice, &hop);
	if (at == po_table_n(t))
		return err_set(e, ERR_PERM, ERR_OF_LINK, "postoffice: the next hop %s/%s is not known here, want an external postoffice", via->network, via->postoffice);
	if (hop.mailbag[0] == 0)
		return err_set(e, ERR_PERM, ERR_OF_LINK, "postoffice: the next hop %s/%s is reached by way of another, want a direct one", via->network, via->postoffice);
	hop.indirect++;
	return put_xtn(t, at, &hop, e);
}

/* other_t: the XTN file that is open already, of `network`. */
static bool count_hop(struct postoffice *po, const struct po_table *networks, struct po_table *other_t, const struct mm_network *network,
		      const struct mm_name *via, struct err *e)
{
	struct mm_network n;
	struct po_table t;
	if (mm_same(via->network, network->name))
		return count_hop_in(other_t, via, e);
	if (find_network(networks, via->network, &n) == po_table_n(networks) || n.xtn[0] == 0)
		return err_set(e, ERR_PERM, ERR_OF_LINK, "postoffice: the next hop's network \"%s\" is not known here", via->network);
	if (!open_xtn(po, &n, &t, e))
		return false;
	const bool ok = count_hop_in(&t, via, e);
	po_table_close(&t);
	return ok;
}

static bool put_external(struct postoffice *po, const struct po_table *networks, struct po_table *t, const struct mm_network *network,
			 const struct mm_name *other, const struct mm_name *via, struct err *e)
{
	struct mm_xtn x;
	struct mm_id bag;
	if (find_xtn(t, other->postoffice, &x) < po_table_n(t))
		return err_set(e, ERR_PERM, ERR_OF_LINK, "postoffice: %s/%s is there already", network->name, x.name);
	x = (struct mm_xtn){ .active = true, .marked = true };
	snprintf(x.name, sizeof x.name, "%s", other->postoffice);
	if (via == NULL) {
		if (!po_new_bag(po, &bag, e))
			return false;
		memcpy(x.mailbag, bag.s, sizeof x.mailbag);
	} else {
		memcpy(x.via_network, via->network, sizeof x.via_network);
		memcpy(x.via_postoffice, via->postoffice, sizeof x.via_postoffice);
		if (!count_hop(po, networks, t, network, via, e))
			return false;
	}
	return put_xtn(t, free_place(t), &x, e);
}

static bool external_ok(const struct postoffice *po, const struct mm_name *other, const struct mm_name *via, struct err *e)
{
	if (other->network[0] == 0 || other->postoffice[0] == 0 || other->mailbox[0] != 0)
		return err_set(e, ERR_PERM, ERR_OF_LINK, "an external postoffice is NETWORK/POSTOFFICE, found \"%s/%s%s%s\"", other->network, other->postoffice,
			       other->mailbox[0] != 0 ? "/" : "", other->mailbox);
	if (mm_network_reserved(other->network))
		return err_set(e, ERR_PERM, ERR_OF_LINK, "the network \"%s\" is a gateway's name (Q175978), want another", other->network);
	if (mm_same_postoffice(other, &po->master.own))
		return err_set(e, ERR_PERM, ERR_OF_LINK, "%s/%s is this postoffice itself, want another", other->network, other->postoffice);
	return via == NULL || !mm_same_postoffice(via, other) ||
	       err_set(e, ERR_PERM, ERR_OF_LINK, "%s/%s is its own next hop, want another", other->network, other->postoffice);
}

bool postoffice_add_external(struct postoffice *po, const struct mm_name *other, const struct mm_name *via, struct err *e)
{
	struct po_table networks, t;
	struct mm_network network;
	po_check(po);
	if (!external_ok(po, other, via, e) || !po_table_open(po, "GLB", "NETWORK.GLB", &networks, e))
		return false;
	bool ok = need_network(po, &networks, other->network, &network, e) && open_xtn(po, &network, &t, e);
	if (ok) {
		ok = put_external(po, &networks, &t, &network, other, via, e);
		po_table_close(&t);
	}
	po_table_close(&networks);
	po_tables_free(&po->tables); /* they are read again */
	return ok;
}

/* --- a gateway: a network that has a queue itself --- */
static bool gateway_name_ok(const char *name, struct err *e)
{
	struct mm_name parsed;
	struct out both;
	if (mm_same(name, "*EMS")) /* the one reserved name that is no name */
		return true;
	out_init(&both, 256);
	out_fmt(&both, "%s/X", name);
	const bool ok = strchr(name, '/') == NULL ? mm_name_parse(out_view(&both), &parsed, e)
						  : err_set(e, ERR_PERM, ERR_OF_LINK, "the network \"%.20s\" has a `/`, want none", name);
	out_fini(&both);
	return ok;
}

/* The outbound mailbag of a postoffice that is reached directly. */
static bool bag_of_hop(struct postoffice *po, const struct mm_name *via, char bag_r[MM_ID_LENGTH + 1], struct err *e)
{
	struct mm_name any = *via;
	struct mm_route r;
	snprintf(any.mailbox, sizeof any.mailbox, "X");
	if (!postoffice_route(po, &any, &r, e))
		return false;
	if (r.where != MM_OUTBOUND || !mm_same_postoffice(&r.next, via))
		return err_set(e, ERR_PERM, ERR_OF_LINK, "postoffice: the next hop %s/%s is not known here as one that is reached directly", via->network,
			       via->postoffice);
	snprintf(bag_r, MM_ID_LENGTH + 1, "%s", r.mailbag);
	return true;
}

bool postoffice_add_gateway(struct postoffice *po, const char *network, uint8_t type, const struct mm_name *via, struct err *e)
{
	struct mm_network n;
	struct po_table networks;
	struct mm_id bag;
	po_check(po);
	if (type == MM_NETWORK_POSTOFFICES)
		return err_set(e, ERR_PERM, ERR_OF_LINK, "the type 0x%02X is a network of postoffices, want a gateway's (0x10, 0x64, ...)", type);
	if (!gateway_name_ok(network, e) || (via != NULL && !bag_of_hop(po, via, bag.s, e)) ||
	    !po_table_open(po, "GLB", "NETWORK.GLB", &networks, e)) /* held from here on */
		return false;
	bool ok = find_network(&networks, network, &n) == po_table_n(&networks) ||
		  err_set(e, ERR_PERM, ERR_OF_LINK, "postoffice: the network \"%s\" is there already (type 0x%02X)", n.name, n.type);
	n = (struct mm_network){ .active = true, .type = type };
	snprintf(n.name, sizeof n.name, "%s", network);
	ok = ok && (via != NULL || po_new_bag(po, &bag, e));
	if (ok) {
		memcpy(n.mailbag, bag.s, sizeof n.mailbag);
		ok = put_network(&networks, &n, e);
	}
	po_table_close(&networks);
	po_tables_free(&po->tables); /* they are read again */
	return ok;
}

/* --- listing --- */
struct each_external {
	bool (*each)(void *ctx, const struct postoffice_external *x);
	void *ctx;
	bool go_on;
};

static bool each_of_network(struct postoffice *po, const struct mm_network *n, struct each_external *w, struct err *e)
{
	struct out o;
	bool there = true;
	out_init(&o, EXTERNAL_FILE_MAX);
	const bool ok = po_read_file(po, po_rel_of("XTN", n->xtn, ".XTN").s, EXTERNAL_FILE_MAX, &o, &there, e);
	for (size_t i = 0; ok && w->go_on && i < out_len(&o) / MM_XTN_SIZE; i++) {
		struct mm_xtn x;
		struct postoffice_external out = { .type = n->type };
		if (!mm_xtn_parse(view_first(view_from(out_view(&o), i * MM_XTN_SIZE), MM_XTN_SIZE), &x, NULL) || !x.active)
			continue;
		memcpy(out.name.network, n->name, sizeof out.name.network);
		memcpy(out.name.postoffice, x.name, sizeof out.name.postoffice);
		memcpy(out.via.network, x.via_network, sizeof out.via.network);
		memcpy(out.via.postoffice, x.via_postoffice, sizeof out.via.postoffice);
		memcpy(out.mailbag, x.mailbag, sizeof out.mailbag);
		w->go_on = w->each(w->ctx, &out);
	}
	out_fini(&o);
	return ok;
}

static bool each_network(struct postoffice *po, struct view file, struct each_external *w, struct err *e)
{
	for (size_t i = 0; w->go_on && i < file.n / MM_NETWORK_SIZE; i++) {
		struct mm_network n;
		if (!mm_network_parse(view_first(view_from(file, i * MM_NETWORK_SIZE), MM_NETWORK_SIZE), &n, NULL) || !n.active)
			continue;
		if (n.mailbag[0] != 0) {
			struct postoffice_external out = { .type = n.type, .is_gateway = true };
			memcpy(out.name.network, n.name, sizeof out.name.network);
			memcpy(out.mailbag, n.mailbag, sizeof out.mailbag);
			w->go_on = w->each(w->ctx, &out);
		}
		if (w->go_on && n.xtn[0] != 0 && !each_of_network(po, &n, w, e))
			return false;
	}
	return true;
}

bool postoffice_each_external(struct postoffice *po, bool (*each)(void *ctx, const struct postoffice_external *x), void *ctx, struct err *e)
{
	struct each_external w = { .each = each, .ctx = ctx, .go_on = true };
	struct out o;
	bool there;
	po_check(po);
	out_init(&o, EXTERNAL_FILE_MAX);
	const bool ok = po_read_file(po, "GLB/NETWORK.GLB", EXTERNAL_FILE_MAX, &o, &there, e) && each_network(po, out_view(&o), &w, e);
	out_fini(&o);
	return ok;
}
