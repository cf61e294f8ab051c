/* settings_table.c - the rows. Defaults of links are those of the X.400 Connector's property pages. */
#include "proc/table/settings_table.h"

#include "proc/table/settings_msmail.h"
#include "proc/table/settings_operate.h"
#include "proc/table/settings_who.h"

#include "flow/message/message.h"
#include "flow/queue/schedule.h"
#include "sys/net_prefix.h"

#define AT(type, member) offsetof(struct type, member)
#define DAY "86400 s"
enum { SECOND = 1000 };
#define MS_MAX (366ull * 86400 * SECOND)

static const struct setting mta_rows[] = {
	{ "name", SETTING_STRING, AT(set_mta, name), NULL, 1, 32, .manual = "MTA name, as peers know it (X.411 MTAName)" },
	{ "domain", SETTING_STRING, AT(set_mta, domain), NULL, 1, 128,
	  .manual = "global domain identifier: \"C=GB; A=EXAMPLE; P=SITE\"", .place = AT(set_mta, domain_at) },
	{ "user", SETTING_STRING, AT(set_mta, user), "\"\"", 0, 32,
	  .manual = "account to run as when started by root; empty keeps the caller's" },
	{ "alternate-recipient", SETTING_STRING, AT(set_mta, alternate), "\"\"", 0, 512,
	  .manual = "O/R address that gets messages for unknown recipients of a local domain whose originator allows an alternate recipient; empty: none", .place = AT(set_mta, alternate_at) },
};
static const struct settings_section mta_section = { "mta", sizeof(struct set_mta), mta_rows, ARRAY_LEN(mta_rows) };

static const struct setting store_rows[] = {
	{ "directory", SETTING_STRING, AT(set_store, directory), NULL, 1, 200, .manual = "where the store, its content files and the control sockets are" },
	{ "inline-content", SETTING_SIZE, AT(set_store, inline_max), "64 K", 0, 1 << 20,
	  .manual = "content up to this size lies in the database, longer content in a file of its own" },
	{ "cache", SETTING_SIZE, AT(set_store, cache), "8 M", 1 << 20, 1ull << 30, .manual = "page cache of the database" },
	{ "min-free", SETTING_SIZE, AT(set_store, min_free), "64 M", 0, 1ull << 40,
	  .manual = "with less free disk than this nothing is taken in, while deliveries and reports go on; taken in again with a quarter more" },
	{ "keep-tracking", SETTING_DURATION_MS, AT(set_store, keep_tracking_ms), "7 d", 0, MS_MAX,
	  .manual = "how long the steps of a message's journey, and with them the memory of duplicates, are kept" },
	{ "tracking-size", SETTING_SIZE, AT(set_store, tracking_size), "0", 0, 1ull << 44,
	  .manual = "about how much disk those steps may take: the oldest go first, before keep-tracking is over; 0: as much as they need" },
};
static const struct settings_section store_section = { "store", sizeof(struct set_store), store_rows, ARRAY_LEN(store_rows) };

static const struct setting process_rows[] = {
	{ "links", SETTING_UINT, AT(set_processes, links), "2", 1, 32, .manual = "link processes; as many as cores" },
	{ "contents", SETTING_UINT, AT(set_processes, contents), "1", 1, 16, .manual = "content processes, each handles one message at a time; one more is for messages that have struck" },
	{ "content-time", SETTING_DURATION_MS, AT(set_processes, content_ms), "10 s", 100, 600000, .manual = "what a content process may spend on one message; then it is that message's failure" },
	{ "content-memory", SETTING_SIZE, AT(set_processes, content_memory), "512 M", 64 << 20, 1ull << 40, .manual = "address space of a content process, 256 M for contents of 12 MB; a message that wants more ends it, which is that message's strike" },
	{ "restart-min", SETTING_DURATION_MS, AT(set_processes, restart_min_ms), "200 ms", 1, MS_MAX, .manual = "wait before a process is started again; doubles with each death after the eighth in a row" },
	{ "restart-max", SETTING_DURATION_MS, AT(set_processes, restart_max_ms), "60 s", 1, MS_MAX, .manual = "longest wait before a process is started again" },
	{ "stop", SETTING_DURATION_MS, AT(set_processes, stop_ms), "10 s", 100, MS_MAX, .manual = "patience with a process that was asked to end" },
	{ "watchdog", SETTING_DURATION_MS, AT(set_processes, watchdog_ms), "2 min", 0, MS_MAX, .manual = "a process that makes no progress for so long is ended, as a fault of its own; 0: never" },
};
static const struct settings_section processes_section = { "processes", sizeof(struct set_processes), process_rows, ARRAY_LEN(process_rows) };

static const struct setting limit_rows[] = {
	{ "envelope", SETTING_SIZE, AT(set_limits, envelope), "8 M", 4096, 13 << 20, .manual = "longest encoded envelope taken" },
	{ "message", SETTING_SIZE, AT(set_limits, message), "1 G", 1, 1ull << 40, .manual = "longest content taken" },
	{ "associations", SETTING_UINT, AT(set_limits, associations), "1000", 1, 65536, .manual = "inbound associations per link process; more are answered busy" },
	{ "associations-per-address", SETTING_UINT, AT(set_limits, per_address), "100", 1, 65536, .manual = "inbound connections of one address (IPv6: of the same first 64 bits) that have not bound yet, per link process; more are closed" },
	{ "trace", SETTING_UINT, AT(set_limits, trace), "512", 16, 32767, .manual = "elements of a trace from which on a message counts as looping (X.411: 512)" },
	{ "reroutes", SETTING_UINT, AT(set_limits, reroutes), "8", 0, 64, .manual = "how often one message is given to another link because one has failed" },
	{ "list-depth", SETTING_UINT, AT(set_limits, list_depth), "16", 1, 128, .manual = "deepest nesting of distribution lists" },
	{ "list-members", SETTING_UINT, AT(set_limits, list_members), "32767", 1, 32767, .manual = "most recipients that one list makes of one message" },
	{ "strikes", SETTING_UINT, AT(set_limits, strikes), "3", 1, 100, .manual = "a message that was in the hands of so many processes that died is put into quarantine" },
	{ "memory", SETTING_SIZE, AT(set_limits, memory), "64 M", 16 << 20, 1ull << 40, .manual = "what one process may spend on messages under way; beyond it peers are answered busy" },
	{ "ber-depth", SETTING_UINT, AT(set_limits, depth), "64", 16, 512, .manual = "deepest nesting of encoded elements" },
	{ "ber-elements", SETTING_UINT, AT(set_limits, elements), "2000000", 1000, 100000000, .manual = "most encoded elements in one envelope" },
	{ "connect-timeout", SETTING_DURATION_MS, AT(set_limits, connect_timeout_ms), "30 s", 100, MS_MAX, .manual = "from opening a connection to the bind result" },
	{ "response-timeout", SETTING_DURATION_MS, AT(set_limits, response_timeout_ms), "120 s", 100, MS_MAX, .manual = "longest wait for an answer that is due" },
	{ "receive-timeout", SETTING_DURATION_MS, AT(set_limits, receive_timeout_ms), "120 s", 100, MS_MAX, .manual = "longest silence of the peer inside a transfer" },
	{ "abort-timeout", SETTING_DURATION_MS, AT(set_limits, abort_timeout_ms), "5 s", 10, MS_MAX, .manual = "from an abort to closing the connection regardless" },
};
static const struct settings_section limits_section = { "limits", sizeof(struct set_limits), limit_rows, ARRAY_LEN(limit_rows) };

static const struct setting expiry_rows[] = {
	{ "urgent", SETTING_DURATION_MS, AT(set_expiry, urgent_ms), "2 d", 1000, MS_MAX, .manual = "an urgent message not delivered by then is reported" },
	{ "normal", SETTING_DURATION_MS, AT(set_expiry, normal_ms), "7 d", 1000, MS_MAX, .manual = "the same for normal priority" },
	{ "non-urgent", SETTING_DURATION_MS, AT(set_expiry, non_urgent_ms), "10 d", 1000, MS_MAX, .manual = "the same for non-urgent priority" },
};
static const struct settings_section expiry_section = { "expiry", sizeof(struct set_expiry), expiry_rows, ARRAY_LEN(expiry_rows) };

static const struct setting tls_rows[] = {
	{ "certificate", SETTING_STRING, AT(set_tls, certificate), "\"\"", 0, 400, .manual = "file of our certificate and what leads to its authority, PEM" },
	{ "key", SETTING_STRING, AT(set_tls, key), "\"\"", 0, 400, .manual = "file of its private key, PEM" },
	{ "authorities", SETTING_STRING, AT(set_tls, authorities), "\"\"", 0, 400, .manual = "file of the authorities that sign peers' certificates, PEM" },
	{ "revoked", SETTING_STRING, AT(set_tls, revoked), "\"\"", 0, 400, .manual = "file of certificate revocation lists, PEM; empty: none are looked at" },
};
static const struct settings_section tls_section = { "tls", sizeof(struct set_tls), tls_rows, ARRAY_LEN(tls_rows) };

static const char *const conformances[] = { "1988-normal", "1988-x410", "1984", NULL };
static const char *const schedules[] = { "always", "never", "selected-times", "remote-initiated", NULL };
static const char *const tls_words[] = { "never", "required", NULL };
static const char *const down_words[] = { "never", "1984", NULL };
static const char *const up_words[] = { "never", "1988", NULL };
static const char *const text_words[] = { "as-is", "ia5", "teletex", "general", NULL };
static const char *const list_report_words[] = { "originator", "owner", "both", NULL };
static const char *const password_forms[] = { "ia5", "octets", NULL };
static const char *const link_kinds[] = { "x400", "connector", "msmail", NULL };
static const char *const extension_forms[] = { "standard", "explicit", "none", NULL };

static const char *const lines_words[] = { "cr", "lf", "crlf", NULL };

static const struct setting msmail_rows[] = {
	{ "postoffice", SETTING_STRING, AT(set_msmail, postoffice), "\"\"", 0, 400, .manual = "directory of the connector's (shadow) postoffice; relative to this file" },
	{ "ffapi-import", SETTING_STRING, AT(set_msmail, ffapi_import), "\"\"", 0, 400, .manual = "instead of a postoffice: directory whose FFAPI message files are taken" },
	{ "ffapi-export", SETTING_STRING, AT(set_msmail, ffapi_export), "\"\"", 0, 400, .manual = "and directory into which FFAPI message files are written" },
	{ "ffapi-lines", SETTING_ENUM, AT(set_msmail, lines), "cr", .words = lines_words, .manual = "line end of FFAPI files that are written; all are read" },
	{ "network", SETTING_STRING, AT(set_msmail, network), "\"\"", 0, 10, .manual = "network name of the connector; empty: as the postoffice's MASTER.GLB says; with ffapi it is needed" },
	{ "postoffice-name", SETTING_STRING, AT(set_msmail, name), "\"\"", 0, 10, .manual = "postoffice name of the connector, likewise" },
	{ "addresses", SETTING_STRINGS, AT(set_msmail, addresses), "[]", 0, 1024, .manual = "address map, \"NET/PO/MBX = G=..; S=..; O=..; P=..; A=..; C=..\", the first that fits is taken; * for a whole part. What no line has is a DDA of type MS in this MTA's domain" },
	{ "administrator", SETTING_STRING, AT(set_msmail, administrator), "\"\"", 0, 512, .manual = "mailbox NET/PO/MBX, or O/R address, that gets what concerns nobody else; empty: nobody" },
	{ "poll", SETTING_DURATION_MS, AT(set_msmail, poll_ms), "60 s", 100, MS_MAX, .manual = "longest wait between two looks at what has come in" },
	{ "notify", SETTING_BOOL, AT(set_msmail, notify), "true", .manual = "look at once when the file system says that something has changed" },
	{ "quota", SETTING_UINT, AT(set_msmail, quota), "50", 1, 4096, .manual = "messages taken from a mailbag in one round" },
	{ "header-limit", SETTING_SIZE, AT(set_msmail, header_limit), "32 K", 0, 16 << 20, .manual = "octets of recipients' names that a message towards MS Mail shows (Message Header Size Limit); longer lists are cut, and say so; 0: no limit" },
	{ "code-page", SETTING_UINT, AT(set_msmail, code_page), "850", 37, 65001, .manual = "code page of texts and names where a message does not say" },
	{ "scramble", SETTING_STRING, AT(set_msmail, scramble), "\"none\"", 1, 20, .manual = "how message files are scrambled: none, or chain (docs/postoffice-format.md)" },
	{ "time-zone", SETTING_STRING, AT(set_msmail, zone), "\"+00:00\"", 6, 6, .manual = "how far east of UTC the clocks are by which the postoffice\'s dates are written, \"+01:00\"" },
	{ "transit", SETTING_BOOL, AT(set_msmail, transit), "true", .manual = "mail that is for other postoffices goes on into their outbound mailbags" },
	{ "lock-patience", SETTING_DURATION_MS, AT(set_msmail, lock_patience_ms), "60 s", 100, MS_MAX, .manual = "a mailbag that somebody holds longer is told of, and who it is" },
	{ "read-only", SETTING_BOOL, AT(set_msmail, read_only), "false", .manual = "an archive: nothing is written to the postoffice, what was taken is remembered in the store's directory" },
};
static const struct settings_section msmail_section = { "msmail", sizeof(struct set_msmail), msmail_rows, ARRAY_LEN(msmail_rows) };

static const struct setting link_rows[] = {
	{ "name", SETTING_STRING, AT(set_link, name), NULL, 1, 64, .manual = "name of the link, used by routes and commands" },
	{ "address", SETTING_STRING, AT(set_link, address), "\"\"", 0, 100, .manual = "where the peer listens, \"127.0.0.1:102\" or \"[::1]:102\"; empty: the peer calls us" },
	{ "bind-address", SETTING_STRING, AT(set_link, bind_address), "\"\"", 0, 100, .manual = "source address of outgoing connections, \"192.0.2.7:0\": port 0 leaves the port to the system" },
	{ "remote-mta-name", SETTING_STRING, AT(set_link, remote_mta), "\"\"", 0, 32, .manual = "what the peer calls itself in its bind; an x400 link has one" },
	{ "remote-password", SETTING_STRING, AT(set_link, remote_password), "\"\"", 0, 64, .manual = "password the peer must give; empty: none wanted" },
	{ "local-mta-name", SETTING_STRING, AT(set_link, local_mta), "\"\"", 0, 32, .manual = "what we call ourselves to this peer; empty: mta.name" },
	{ "local-password", SETTING_STRING, AT(set_link, local_password), "\"\"", 0, 64, .manual = "password we give" },
	{ "password-form", SETTING_ENUM, AT(set_link, password_form), "ia5", .words = password_forms, .manual = "ASN.1 type in which our password is written" },
	{ "allow-null-bind", SETTING_BOOL, AT(set_link, allow_null_bind), "false", .manual = "accept a caller without credentials that is known by its address and selector" },
	{ "calling-tsel", SETTING_SELECTOR, AT(set_link, calling_tsel), "\"\"", 0, 32, .manual = "transport selector of ours in outgoing connections" },
	{ "called-tsel", SETTING_SELECTOR, AT(set_link, called_tsel), "\"\"", 0, 32, .manual = "transport selector of the peer's in outgoing connections" },
	{ "calling-ssel", SETTING_SELECTOR, AT(set_link, calling_ssel), "\"\"", 0, 16, .manual = "session selector of ours" },
	{ "called-ssel", SETTING_SELECTOR, AT(set_link, called_ssel), "\"\"", 0, 16, .manual = "session selector of the peer's" },
	{ "calling-psel", SETTING_SELECTOR, AT(set_link, calling_psel), "\"\"", 0, 16, .manual = "presentation selector of ours" },
	{ "called-psel", SETTING_SELECTOR, AT(set_link, called_psel), "\"\"", 0, 16, .manual = "presentation selector of the peer's" },
	{ "tpdu-size", SETTING_SIZE, AT(set_link, tpdu_size), "65531", 128, 65531, .manual = "largest transport unit" },
	{ "session-version-1", SETTING_BOOL, AT(set_link, session_v1), "true", .manual = "offer and accept session version 1 beside 2" },
	{ "checkpoint-size", SETTING_UINT, AT(set_link, checkpoint_k), "30", 0, 65535, .manual = "in units of 1024 octets; 0: no checkpoints" },
	{ "window-size", SETTING_UINT, AT(set_link, window), "5", 1, 65535, .manual = "checkpoints sent without confirmation" },
	{ "two-way-alternate", SETTING_BOOL, AT(set_link, two_way_alternate), "false", .manual = "both sides may send on one association" },
	{ "max-open-retries", SETTING_UINT, AT(set_link, max_open_retries), "144", 1, 1000000, .manual = "attempts to open an association before a message is reported" },
	{ "max-transfer-retries", SETTING_UINT, AT(set_link, max_transfer_retries), "2", 0, 1000000, .manual = "attempts to transfer a message on an open association" },
	{ "open-interval", SETTING_DURATION_MS, AT(set_link, open_interval_ms), "600 s", 10, MS_MAX, .manual = "longest wait after a failed attempt to open; the first waits are a quarter and a half of it" },
	{ "transfer-interval", SETTING_DURATION_MS, AT(set_link, transfer_interval_ms), "120 s", 10, MS_MAX, .manual = "wait after a failed transfer" },
	{ "association-lifetime", SETTING_DURATION_MS, AT(set_link, lifetime_ms), "300 s", 10, MS_MAX, .manual = "an idle association is kept open this long" },
	{ "disconnect", SETTING_DURATION_MS, AT(set_link, disconnect_ms), "120 s", 10, MS_MAX, .manual = "wait for the answer to a release" },
	{ "threshold", SETTING_UINT, AT(set_link, threshold), "50", 1, 1000000, .manual = "queued messages per extra association" },
	{ "max-associations", SETTING_UINT, AT(set_link, max_associations), "10", 1, 1000, .manual = "outgoing associations at once; of two or more the last one is for urgent mail only" },
	{ "transfer-timeout-urgent", SETTING_UINT, AT(set_link, timeout_urgent_s), "1000", 1, 1000000, .manual = "seconds per K" },
	{ "transfer-timeout-normal", SETTING_UINT, AT(set_link, timeout_normal_s), "2000", 1, 1000000, .manual = "seconds per K" },
	{ "transfer-timeout-non-urgent", SETTING_UINT, AT(set_link, timeout_non_urgent_s), "3000", 1, 1000000, .manual = "seconds per K" },
	{ "size-limit", SETTING_SIZE, AT(set_link, size_limit), "0", 0, 1ull << 40, .manual = "longest content sent on this link; 0: no limit" },
	{ "wrap", SETTING_UINT, AT(set_link, wrap), "0", 0, 10000, .manual = "text parts sent on this link get lines of at most so many columns; 0: never" },
	{ "kind", SETTING_ENUM, AT(set_link, kind), "x400", .words = link_kinds, .manual = "x400: this MTA speaks to the peer; connector: a program of its own registers for the link (docs/connector.md), which then has no address, names, passwords or selectors; msmail: the interchange with a Microsoft Mail postoffice (see msmail), likewise" },
	{ "extension-form", SETTING_ENUM, AT(set_link, extension_form), "standard", .words = extension_forms, .manual = "how the type of an extension is written: as X.411 has it, with an explicit tag as ISODE writes it, or no extensions" },
	{ "conformance", SETTING_ENUM, AT(set_link, conformance), "1988-normal", .words = conformances, .manual = "the protocol we call with: P1 of 1988 in normal mode, P1 of 1988 in X.410 mode, or P1 of 1984; a caller's is recognised" },
	{ "only-conformance", SETTING_BOOL, AT(set_link, only_conformance), "false", .manual = "a caller that uses another protocol than conformance is refused" },
	{ "more-addresses", SETTING_STRINGS, AT(set_link, more_addresses), "[]", 0, 100, .manual = "where the peer listens too: all are tried in one attempt, first the one that answered last" },
	{ "peer-hosts", SETTING_STRINGS, AT(set_link, peer_hosts), "[]", 0, 100, .manual = "numeric addresses from which the peer may call, \"192.0.2.1\" or \"192.0.2.0/24\"; none: from anywhere" },
	{ "schedule", SETTING_ENUM, AT(set_link, schedule), "always", .words = schedules, .manual = "when we call: always, never, at selected-times (see times), or remote-initiated: not at all because the peer does (then mail goes out on its two-way alternate associations)" },
	{ "times", SETTING_STRINGS, AT(set_link, times), "[]", 0, 100, .manual = "for selected-times: \"Mon-Fri 08:00-18:00\", \"Sun 03:15-03:30\", \"22:00-06:00\" (every day); UTC, in steps of 15 minutes" },
	{ "urgent-any-time", SETTING_BOOL, AT(set_link, urgent_any_time), "true", .manual = "with selected-times: urgent messages do not wait; the association that they open takes no others, and is released after association-lifetime" },
	{ "permanent", SETTING_BOOL, AT(set_link, permanent), "false", .manual = "one association is kept open while the schedule allows it, even when there is nothing to send, and opened again when it is lost" },
	{ "recovery-timeout", SETTING_DURATION_MS, AT(set_link, recovery_timeout_ms), "60 s", 0, MS_MAX, .manual = "how long a transfer that was broken off can go on where it stood; 0: it starts anew" },
	{ "keepalive", SETTING_DURATION_MS, AT(set_link, keepalive_ms), "60 s", 0, MS_MAX, .manual = "silence on a connection before the transport asks whether the peer is still there; one that answers nothing for twice as long is gone; 0: never" },
	{ "remote-password-next", SETTING_STRING, AT(set_link, remote_password_next), "\"\"", 0, 64, .manual = "as good as remote-password, while the peer changes from one to the other" },
	{ "remote-password-answer", SETTING_STRING, AT(set_link, remote_password_answer), "\"\"", 0, 64, .manual = "what the peer must give in its answer to our bind; empty: remote-password or remote-password-next" },
	{ "local-password-answer", SETTING_STRING, AT(set_link, local_password_answer), "\"\"", 0, 64, .manual = "what we give in our answer to the peer's bind; empty: local-password" },
	{ "accept-from", SETTING_STRINGS, AT(set_link, accept_from), "[]", 0, 512, .manual = "originators that may send over this link, as patterns of routes; none: all" },
	{ "reject-from", SETTING_STRINGS, AT(set_link, reject_from), "[]", 0, 512, .manual = "originators that may not" },
	{ "strip-bilateral", SETTING_BOOL, AT(set_link, strip_bilateral), "false", .manual = "leave per-domain bilateral information out" },
	{ "strip-internal-trace", SETTING_BOOL, AT(set_link, strip_internal_trace), "false", .manual = "leave internal trace information out" },
	{ "keep-internal-trace-84", SETTING_BOOL, AT(set_link, keep_internal_trace_84), "false", .manual = "send internal trace information to a 1984 peer too, as MOTIS of 1986 had it" },
	{ "ask-content-return", SETTING_BOOL, AT(set_link, ask_content_return), "true", .manual = "false: the request to return the content with a report is not passed on" },
	{ "downgrade-content", SETTING_ENUM, AT(set_link, down), "never", .words = down_words, .manual = "1984: interpersonal messages of 1988 (P22) are sent as those of 1984 (P2)" },
	{ "upgrade-content", SETTING_ENUM, AT(set_link, up), "never", .words = up_words, .manual = "1988: what interpersonal messages of 1984 can only say in other words is sent as it was meant: domain-defined attributes that stand for others, texts that are MIME (RFC 1496); not together with downgrade-content" },
	{ "body-part-15", SETTING_BOOL, AT(set_link, body_part_15), "true", .manual = "the peer reads externally defined body parts; false: they are sent as the older parts that say the same, or as MIME in text (RFC 1496)" },
	{ "free-form-names", SETTING_BOOL, AT(set_link, free_form_names), "true", .manual = "false: the names that originators give people and themselves are left out where there is an address" },
	{ "text", SETTING_ENUM, AT(set_link, text), "as-is", .words = text_words, .manual = "the body part in which text is sent; a message that forbids its conversion is reported when it has another" },
	{ "tls", SETTING_ENUM, AT(set_link, tls), "never", .words = tls_words, .manual = "required: TLS around the transport, both sides show certificates; a caller of this link has to come by listen-tls" },
	{ "tls-name", SETTING_STRING, AT(set_link, tls_name), "\"\"", 0, 255, .manual = "name that the peer's certificate must bear; empty: the host of address" },
	{ "tls-own", SETTING_MAP, AT(set_link, tls_own), "{}", .of = &tls_section, .manual = "certificate and authorities for this peer; what is empty is taken from tls" },
	{ "msmail", SETTING_MAP, AT(set_link, msmail), "{}", .of = &msmail_section, .manual = "of a link of kind msmail" },
	{ "monitor", SETTING_MAP, AT(set_link, monitor), "{}", .of = &settings_monitor, .manual = "test messages that show whether the link and what is behind it work" },
};
static const struct settings_section link_section = { "link", sizeof(struct set_link), link_rows, ARRAY_LEN(link_rows) };

static const struct setting route_rows[] = {
	{ "match", SETTING_STRING, AT(set_route, match), NULL, 1, 512, .manual = "attributes an address must have, \"C=FR; A=EXAMPLE\"; * stands for any value. What is not there may be anything, the ADMD too: the blank one is written \"A= \"" },
	{ "to", SETTING_STRING, AT(set_route, to), NULL, 1, 64, .manual = "a link's name, local (mailboxes of this MTA), or reject" },
	{ "cost", SETTING_UINT, AT(set_route, cost), "1", 1, 100, .manual = "of equally specific routes the cheaper one; those that cost the same share the load, and what waits for a link that fails goes by another one" },
};
static const struct settings_section route_section = { "route", sizeof(struct set_route), route_rows, ARRAY_LEN(route_rows) };

static const struct setting mailbox_rows[] = {
	{ "name", SETTING_STRING, AT(set_mailbox, name), NULL, 1, 64, .manual = "name of the mailbox" },
	{ "addresses", SETTING_STRINGS, AT(set_mailbox, addresses), NULL, 1, 512, .manual = "its O/R addresses, the first is the one it sends as" },
	{ "redirect", SETTING_STRING, AT(set_mailbox, redirect), "\"\"", 0, 512, .manual = "O/R address that gets its mail in its stead (recipient-assigned alternate recipient); empty: none" },
};
static const struct settings_section mailbox_section = { "mailbox", sizeof(struct set_mailbox), mailbox_rows, ARRAY_LEN(mailbox_rows) };

static const struct setting list_rows[] = {
	{ "name", SETTING_STRING, AT(set_list, name), NULL, 1, 64, .manual = "name of the distribution list" },
	{ "addresses", SETTING_STRINGS, AT(set_list, addresses), NULL, 1, 512, .manual = "its O/R addresses" },
	{ "members", SETTING_STRINGS, AT(set_list, members), "[]", 1, 512, .manual = "O/R addresses of its members; of lists too" },
	{ "submitters", SETTING_STRINGS, AT(set_list, submitters), "[]", 1, 512, .manual = "who may send to it, as patterns of routes; none: anybody" },
	{ "owner", SETTING_STRING, AT(set_list, owner), "\"\"", 0, 512, .manual = "O/R address of its owner, who is no list" },
	{ "reports", SETTING_ENUM, AT(set_list, reports), "originator", .words = list_report_words, .manual = "who gets reports about members" },
};
static const struct settings_section list_section = { "list", sizeof(struct set_list), list_rows, ARRAY_LEN(list_rows) };

static const struct setting mover_rows[] = {
	{ "name", SETTING_STRING, AT(set_mover, name), NULL, 1, 64, .manual = "name of the mover, in events and commands" },
	{ "postoffice", SETTING_STRING, AT(set_mover, postoffice), NULL, 1, 400, .manual = "directory of the postoffice that it serves; relative to this file" },
	{ "peers", SETTING_STRINGS, AT(set_mover, peers), "[]", 1, 400, .manual = "directories of the postoffices into which its mail can be put directly; a process for each" },
	{ "mailer", SETTING_BOOL, AT(set_mover, mailer), "true", .manual = "deliver what has come in (INQUEUE3); false: somebody else does, as the interchange at its own postoffice" },
	{ "dispatch", SETTING_BOOL, AT(set_mover, dispatch), "true", .manual = "put what lies in outbound mailbags into the peers" },
	{ "interval", SETTING_DURATION_MS, AT(set_mover, interval_ms), "5 min", 100, MS_MAX, .manual = "longest wait between two rounds (IntervalRegular)" },
	{ "quota", SETTING_UINT, AT(set_mover, quota), "50", 1, 4096, .manual = "headers taken from one mailbag in a round (QueueInqueueLimit, QueueLanMailbagLimit)" },
	{ "notify", SETTING_BOOL, AT(set_mover, notify), "true", .manual = "a round begins at once when the file system says that something has changed" },
	{ "retries", SETTING_UINT, AT(set_mover, retries), "3", 1, 1000000, .manual = "attempts that have really failed, of each message, before it is returned with [005]" },
	{ "give-up", SETTING_DURATION_MS, AT(set_mover, give_up_ms), "24 h", 100, MS_MAX, .manual = "time since its first failure that has to be over, too" },
	{ "hop-limit", SETTING_UINT, AT(set_mover, hops), "0", 0, 100, .manual = "postoffices that a message may pass before it is returned with [003]; 0: as MASTER.GLB says" },
	{ "size-limit", SETTING_SIZE, AT(set_mover, size_limit), "0", 0, 1ull << 40, .manual = "longest message with its attachments, [009] beyond (MaxLanMailSize); not for $SYSTEM; 0: none" },
	{ "min-free", SETTING_SIZE, AT(set_mover, min_free), "100 K", 0, 1ull << 40, .manual = "room on a peer's disk under which nothing is put into it (MinKDiskFull)" },
	{ "log-sent", SETTING_BOOL, AT(set_mover, log_sent), "false", .manual = "a line in LOG\\SENT.LOG for each message put into a peer" },
	{ "log-received", SETTING_BOOL, AT(set_mover, log_received), "false", .manual = "a line in LOG\\RECV.LOG for each message that came in" },
	{ "four-digit-year", SETTING_BOOL, AT(set_mover, four_digit_year), "false", .manual = "in those lines" },
	{ "scramble", SETTING_STRING, AT(set_mover, scramble), "\"none\"", 1, 20, .manual = "as of a link of kind msmail" },
	{ "time-zone", SETTING_STRING, AT(set_mover, zone), "\"+00:00\"", 6, 6, .manual = "how far east of UTC the clocks are by which the postoffice\'s dates are written, \"+01:00\"" },
	{ "lock-patience", SETTING_DURATION_MS, AT(set_mover, lock_patience_ms), "60 s", 100, MS_MAX, .manual = "a mailbag that somebody holds longer is told of, and who it is" },
};
const struct settings_section settings_mover = { "mover", sizeof(struct set_mover), mover_rows, ARRAY_LEN(mover_rows) };

static const struct setting routing_rows[] = {
	{ "lowest-cost-first", SETTING_BOOL, AT(set_routing, lowest_cost_first), "false", .manual = "cost counts before tries and failures to open, so that a dearer link is used only when the cheaper one is not active by its schedule, or is given up" },
};
static const struct settings_section routing_section = { "routing", sizeof(struct set_routing), routing_rows, ARRAY_LEN(routing_rows) };

static const char *const event_forms[] = { "text", "json", NULL };

static const struct setting root_rows[] = {
	{ "mta", SETTING_MAP, AT(settings, mta), NULL, .of = &mta_section, .manual = "this MTA" },
	{ "store", SETTING_MAP, AT(settings, store), NULL, .of = &store_section, .manual = "the durable queue" },
	{ "listen", SETTING_STRINGS, AT(settings, listen), "[]", 0, 100, .manual = "addresses for X.400 associations, \"0.0.0.0:102\"" },
	{ "events", SETTING_ENUM, AT(settings, events), "text", .words = event_forms, .manual = "form of the event lines on standard error" },
	{ "processes", SETTING_MAP, AT(settings, processes), "{}", .of = &processes_section, .manual = "how many processes, how they are restarted" },
	{ "limits", SETTING_MAP, AT(settings, limits), "{}", .of = &limits_section, .manual = "what a peer may cost" },
	{ "expiry", SETTING_MAP, AT(settings, expiry), "{}", .of = &expiry_section, .manual = "how long messages are tried" },
	{ "links", SETTING_LIST, AT(settings, links), "[]", .of = &link_section, .manual = "the peers" },
	{ "routes", SETTING_LIST, AT(settings, routes), "[]", .of = &route_section, .manual = "whom to hand a recipient to" },
	{ "mailboxes", SETTING_LIST, AT(settings, mailboxes), "[]", .of = &mailbox_section, .manual = "the local users" },
	{ "lists", SETTING_LIST, AT(settings, lists), "[]", .of = &list_section, .manual = "distribution lists that are expanded here" },
	{ "movers", SETTING_LIST, AT(settings, movers), "[]", .of = &settings_mover, .manual = "mail between Microsoft Mail postoffices" },
	{ "routing", SETTING_MAP, AT(settings, routing), "{}", .of = &routing_section, .manual = "how a route is chosen" },
	{ "listen-tls", SETTING_STRINGS, AT(settings, listen_tls), "[]", 0, 100, .manual = "addresses for X.400 associations with TLS around the transport" },
	{ "tls", SETTING_MAP, AT(settings, tls), "{}", .of = &tls_section, .manual = "certificate, key and authorities of this MTA" },
	{ "event-log", SETTING_MAP, AT(settings, event_log), "{}", .of = &settings_event_log, .manual = "which events there are, and where they go beside standard error" },
	{ "console", SETTING_MAP, AT(settings, console), "{}", .of = &settings_console, .manual = "the web page for operators, its API and the metrics" },
};
const struct settings_section settings_root = { "posthorn", sizeof(struct settings), root_rows, ARRAY_LEN(root_rows) };

static bool find_link(const struct settings *s, const char *name)
{
	const struct set_link *links = s->links.v;
	for (size_t i = 0; i < s->links.n; i++)
		if (strcmp(links[i].name, name) == 0)
			return true;
	return false;
}

static bool check_address(const char *text, const char *what, const char *name, struct arena *a, struct err *e)
{
	struct oraddr addr;
	struct err why;
	if (oraddr_parse(view_str(text), &addr, a, ORADDR_CARRY, &why))
		return true;
	return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: %s \"%s\": %s", name, what, text, why.text);
}

/* It is what every trace element and MTS-identifier of ours begins with (X.411, GlobalDomainIdentifier). */
static bool check_domain(const struct set_mta *mta, const char *file, struct arena *a, struct err *e)
{
	char at[SETTINGS_PLACE_MAX];
	const char *text = mta->domain, *name = settings_place_of(&mta->domain_at, file, at);
	struct oraddr addr;
	struct gdi domain;
	struct err why;
	if (!oraddr_parse(view_str(text), &addr, a, ORADDR_GENERATE, &why) || !gdi_parse(view_str(text), &domain, a, &why))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: mta.domain \"%s\": %s", name, text, why.text);
	for (size_t i = 0; i < addr.n; i++)
		if (addr.v[i].type != ORA_COUNTRY && addr.v[i].type != ORA_ADMD && addr.v[i].type != ORA_PRMD)
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: mta.domain \"%s\": want C, A and P alone", name, text);
	return true;
}

static bool check_net(const char *text, const char *name, struct err *e)
{
	struct net_addr addr;
	struct err why;
	if (*text == 0 || net_addr_parse(text, &addr, &why))
		return true;
	return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: %s", name, why.text);
}

bool settings_zone_minutes(const char *zone, int *minutes_r)
{
	static const char form[] = "+00:00";
	for (size_t i = 0; i < sizeof form; i++)
		if (form[i] == '0' ? zone[i] < '0' || zone[i] > '9' : form[i] == '+' ? zone[i] != '+' && zone[i] != '-' : zone[i] != form[i])
			return false;
	const int hours = (zone[1] - '0') * 10 + zone[2] - '0', minutes = (zone[4] - '0') * 10 + zone[5] - '0';
	*minutes_r = (zone[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
	return hours <= 14 && minutes < 60;
}

static bool check_zone(const char *zone, const char *kind, const char *of, const char *name, struct err *e)
{
	int minutes;
	return settings_zone_minutes(zone, &minutes) ||
	       err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: %s \"%s\": found time-zone \"%s\", want it as \"+01:00\" or \"-05:30\"", name, kind, of, zone);
}

static bool check_msmail(const struct set_link *k, const char *name, struct err *e)
{
	const struct set_msmail *m = &k->msmail;
	const bool in = *m->ffapi_import != 0, out = *m->ffapi_export != 0;
	if (in != out || in == (*m->postoffice != 0))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS,
			       "%s: link \"%s\" is of kind msmail: want either postoffice, or ffapi-import and ffapi-export, in its msmail section", name, k->name);
	if (in && (*m->network == 0 || *m->name == 0))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\": with ffapi-import, network and postoffice-name are needed", name, k->name);
	if (in && strcmp(m->ffapi_import, m->ffapi_export) == 0)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\": ffapi-import and ffapi-export are one directory: what is written would be taken again", name,
			       k->name);
	return check_zone(m->zone, "link", k->name, name, e);
}

size_t settings_movers_n(const struct settings *s)
{
	const struct set_mover *m = s->movers.v;
	size_t n = 0;
	for (size_t i = 0; i < s->movers.n; i++)
		n += m[i].mailer + (m[i].dispatch ? m[i].peers.n : 0);
	return n;
}

bool settings_mover_at(const struct settings *s, uint32_t instance, const struct set_mover **mover_r, const char **peer_r)
{
	const struct set_mover *m = s->movers.v;
	size_t left = instance;
	for (size_t i = 0; i < s->movers.n; i++) {
		const size_t peers = m[i].dispatch ? m[i].peers.n : 0;
		*mover_r = &m[i];
		*peer_r = NULL;
		if (left < m[i].mailer)
			return true;
		left -= m[i].mailer;
		if (left < peers) {
			*peer_r = ((const char *const *)m[i].peers.v)[left];
			return true;
		}
		left -= peers;
	}
	return false;
}

/* What means nothing to a connector is a mistake: whoever wrote it expects that it does something. */
static bool check_kind(const struct set_link *k, const char *name, struct err *e)
{
	const struct { const char *key; bool is_set; } foreign[] = {
		{ "address", *k->address != 0 }, { "bind-address", *k->bind_address != 0 }, { "remote-mta-name", *k->remote_mta != 0 },
		{ "remote-password", *k->remote_password != 0 }, { "local-mta-name", *k->local_mta != 0 },
		{ "local-password", *k->local_password != 0 }, { "allow-null-bind", k->allow_null_bind },
		{ "calling-tsel", k->calling_tsel.n > 0 }, { "called-tsel", k->called_tsel.n > 0 }, { "calling-ssel", k->calling_ssel.n > 0 },
		{ "called-ssel", k->called_ssel.n > 0 }, { "calling-psel", k->calling_psel.n > 0 }, { "called-psel", k->called_psel.n > 0 },
		{ "more-addresses", k->more_addresses.n > 0 }, { "peer-hosts", k->peer_hosts.n > 0 }, { "permanent", k->permanent },
		{ "remote-password-next", *k->remote_password_next != 0 }, { "remote-password-answer", *k->remote_password_answer != 0 },
		{ "local-password-answer", *k->local_password_answer != 0 }, { "schedule: remote-initiated", k->schedule == SCHEDULE_REMOTE },
	};
	if (k->kind == LINK_MSMAIL && !check_msmail(k, name, e))
		return false;
	if (k->kind == LINK_X400)
		return *k->remote_mta != 0 || err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: key \"remote-mta-name\" is missing in link \"%s\"", name,
						      k->name);
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
		if (foreign[i].is_set)
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\" is of kind %s, which a program serves and no peer: found \"%s\", want none",
				       name, k->name, link_kinds[k->kind], foreign[i].key);
	return true;
}

/* Whether two addresses can be the ends of one connection. */
static bool is_of_family(const char *a, const char *b)
{
	return (*a == '[') == (*b == '[') && (*a == 'u') == (*b == 'u');
}

/* Q164400: an address that cannot be one is found here, and not at each attempt to call it. */
static bool check_peer_address(const struct set_link *k, const char *address, const char *name, struct err *e)
{
	const size_t n = strlen(address);
	if (!check_net(address, name, e))
		return false;
	if (n > 2 && strncmp(address, "unix:", 5) != 0 && strcmp(address + n - 2, ":0") == 0)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\": nobody can be called at port 0 of \"%s\"", name, k->name, address);
	if (*address != 0 && *k->bind_address != 0 && !is_of_family(address, k->bind_address))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\": address \"%s\" cannot be reached from bind-address \"%s\", want both IPv4 or both IPv6",
			       name, k->name, address, k->bind_address);
	return true;
}

static bool check_hosts(const struct set_link *k, const char *name, struct err *e)
{
	const char *const *more = k->more_addresses.v, *const *hosts = k->peer_hosts.v;
	struct net_prefix p;
	struct err why;
	if (!check_net(k->bind_address, name, e) || !check_peer_address(k, k->address, name, e))
		return false;
	if (k->more_addresses.n > 0 && *k->address == 0)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\" has more-addresses and no address", name, k->name);
	for (size_t i = 0; i < k->more_addresses.n; i++) {
		if (*more[i] == 0)
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\": an empty one among more-addresses", name, k->name);
		if (!check_peer_address(k, more[i], name, e))
			return false;
	}
	for (size_t i = 0; i < k->peer_hosts.n; i++)
		if (!net_prefix_parse(hosts[i], &p, &why))
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\": peer-hosts: %.300s", name, k->name, why.text);
	return true;
}

static bool check_schedule(const struct set_link *k, const char *name, struct err *e)
{
	const char *const *times = k->times.v;
	struct schedule s = { { 0 } };
	struct err why;
	const bool calls = k->schedule == SCHEDULE_ALWAYS || k->schedule == SCHEDULE_SELECTED;
	for (size_t i = 0; i < k->times.n; i++)
		if (!schedule_add(&s, view_str(times[i]), &why))
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\": %.300s", name, k->name, why.text);
	if ((k->schedule == SCHEDULE_SELECTED) != (k->times.n > 0))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\": schedule selected-times and times go together, one is missing", name,
			       k->name);
	if (k->schedule == SCHEDULE_REMOTE && !k->two_way_alternate)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\": schedule remote-initiated wants two-way-alternate: true, or no mail ever leaves",
			       name, k->name);
	if (k->permanent && (!calls || *k->address == 0))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\": permanent wants an address and a schedule by which it is called", name,
			       k->name);
	return true;
}

static bool check_contents(const struct set_link *k, const char *name, struct err *e)
{
	if (k->down != DOWN_NEVER && k->up != UP_NEVER)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link %s has downgrade-content and upgrade-content, want one of them", name,
			       k->name);
	if (k->text == TEXT_GENERAL && (k->down != DOWN_NEVER || !k->body_part_15))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link %s wants text: general, a body part that %s does not leave it", name,
			       k->name, k->down != DOWN_NEVER ? "downgrade-content: 1984" : "body-part-15: false");
	return true;
}

/* Each file that TLS needs is named: the link's own, or the MTA's. */
static bool check_tls(const struct settings *s, const struct set_tls *own, const char *who, const char *name, struct err *e)
{
	const struct { const char *key, *own, *common; } files[] = {
		{ "certificate", own->certificate, s->tls.certificate }, { "key", own->key, s->tls.key },
		{ "authorities", own->authorities, s->tls.authorities },
	};
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (*files[i].own == 0 && *files[i].common == 0)
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: %s wants TLS, and there is no %s in tls", name, who, files[i].key);
	return true;
}

static bool check_links(const struct settings *s, const char *file, struct err *e)
{
	char at[SETTINGS_PLACE_MAX];
	const struct set_link *links = s->links.v;
	for (size_t i = 0; i < s->links.n; i++) {
		const char *name = settings_place(&s->links, i, file, at);
		if (!check_kind(&links[i], name, e))
			return false;
		if (!check_hosts(&links[i], name, e) || !check_schedule(&links[i], name, e) || !check_contents(&links[i], name, e))
			return false;
		if (links[i].tls == LINK_TLS_REQUIRED && !check_tls(s, &links[i].tls_own, links[i].name, name, e))
			return false;
		if (strcmp(links[i].name, "local") == 0 || strcmp(links[i].name, "reject") == 0 ||
		    strcmp(links[i].name, ".") == 0 || strcmp(links[i].name, "..") == 0 || /* no address of the console's can have them in it */
		    *links[i].name == '+') /* queues of the switch's own */
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: a link cannot be called \"%s\"", name, links[i].name);
		for (size_t j = 0; j < i; j++)
			if (strcmp(links[i].name, links[j].name) == 0)
				return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: two links are called \"%s\"", name, links[i].name);
	}
	return true;
}

static bool check_routes(const struct settings *s, const char *file, struct arena *a, struct err *e)
{
	char at[SETTINGS_PLACE_MAX];
	const struct set_route *routes = s->routes.v;
	for (size_t i = 0; i < s->routes.n; i++) {
		const char *name = settings_place(&s->routes, i, file, at);
		const char *to = routes[i].to;
		if (strcmp(to, "local") != 0 && strcmp(to, "reject") != 0 && !find_link(s, to))
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: route to \"%s\", want local, reject or the name of a link", name, to);
		if (!check_address(routes[i].match, "route", name, a, e))
			return false;
	}
	return true;
}

static bool check_movers(const struct settings *s, const char *file, struct err *e)
{
	char at[SETTINGS_PLACE_MAX];
	const struct set_mover *m = s->movers.v;
	for (size_t i = 0; i < s->movers.n; i++) {
		const char *name = settings_place(&s->movers, i, file, at);
		for (size_t k = 0; k < i; k++)
			if (strcmp(m[i].name, m[k].name) == 0 || strcmp(m[i].postoffice, m[k].postoffice) == 0)
				return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: movers \"%s\" and \"%s\" have the same name or postoffice", name, m[k].name, m[i].name);
		if (!check_zone(m[i].zone, "mover", m[i].name, name, e))
			return false;
	}
	return true;
}

/* Else the second would be told to be another process's. */
static bool check_listeners(const struct settings *s, const char *file, struct err *e)
{
	char at[SETTINGS_PLACE_MAX];
	const char *const *plain = s->listen.v, *const *tls = s->listen_tls.v;
	const size_t n = s->listen.n + s->listen_tls.n;
	const struct set_tls none = { "", "", "", "" };
	for (size_t i = 0; i < n; i++) {
		const bool is_tls = i >= s->listen.n;
		const char *const text = is_tls ? tls[i - s->listen.n] : plain[i];
		const char *name = settings_place(is_tls ? &s->listen_tls : &s->listen, is_tls ? i - s->listen.n : i, file, at);
		if (!check_net(text, name, e) || (is_tls && !check_tls(s, &none, "listen-tls", name, e)))
			return false;
		for (size_t k = 0; k < i; k++) {
			const char *const other = k < s->listen.n ? plain[k] : tls[k - s->listen.n];
			if (strcmp(other, text) == 0)
				return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: address \"%s\" is given twice in listen and listen-tls", name, text);
			if (settings_addresses_meet(other, text))
				return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: addresses \"%s\" and \"%s\" of listen and listen-tls overlap: one of them is enough", name, other, text);
		}
	}
	return true;
}

bool settings_check_directories(const struct settings *s, const char *name, struct arena *a, struct err *e)
{
	return check_links(s, name, e) && check_movers(s, name, e) && settings_check_msmail(s, name, a, e);
}

bool settings_load(struct view yaml, const char *name, struct settings *s, struct arena *a, struct err *e)
{
	if (!settings_read(&settings_root, yaml, name, s, a, e))
		return false;
	return check_listeners(s, name, e) && check_links(s, name, e) && check_movers(s, name, e) && check_routes(s, name, a, e) && settings_check_who(s, name, a, e) &&
	       check_domain(&s->mta, name, a, e) && settings_check_msmail(s, name, a, e) &&
	       settings_check_operate(s, name, a, e);
}
