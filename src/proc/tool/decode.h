/* decode.h - every layer of a capture or of some octets, for a person or as JSON lines. Pure: octets in, text out, in
 * pieces. Nothing of a peer is trusted: what is damaged is shown as far as it goes with one sentence, and the rest goes on.
 *
 * What is read:
 *   pcap     both byte orders, micro- and nanoseconds; pcapng. Ethernet (with VLAN tags), Linux cooked 1 and 2, raw IP,
 *            BSD null and loopback; IPv4, IPv6; TCP put in order, with what was lost, sent again or overlapped named.
 *            A connection is decoded when it looks like TPKT (RFC 1006) or has one of the ports given.
 *            BUGS: IP fragments are counted, not joined.
 *   octets   TPKT packets of one side of a connection; one or more BER values (an MTS-APDU bare or in its EXTERNAL, a
 *            P2/P22 content, a PPDU, an ACSE, RTSE or MTA bind APDU; any other value without names); one TSDU of session.
 *   hex      the same two as hexadecimal digits; blanks, colons and lines that begin with # are skipped. A line of one `>`
 *            or `<` says which side the TPKT packets that follow are from (each line of digits whole octets then).
 *
 * Text: one block an event (connection by connection, in time order within each), indented by layer, one line a simple
 * field. Each begins with the seconds since the first packet, `>` (sent by the side that opened the connection) or `<`,
 * and the name of the SPDU, TPDU or APDU.
 * JSON: one object a line. Every one has "event"; those of a connection "time", "connection" and "from". */
#pragma once
#include "base/err.h"
#include "base/out.h"

enum { DECODE_PORTS_MAX = 16 };

struct decode_options {
	bool json;
	bool secrets;            /* show passwords, and octets that may hold one */
	bool follow;             /* of the command: files of a trace, as they grow */
	uint16_t ports[DECODE_PORTS_MAX];
	size_t n_ports;
	size_t tsdu_max;         /* octets of one TSDU or one SSDU; 0: 64 MiB */
	size_t transfer_max;     /* octets of one transfer; 0: 256 MiB */
	size_t event_max;        /* octets of text of one event; 0: 512 MiB */
	size_t arena;            /* octets of memory for decoding one APDU; 0: 256 MiB */
};

struct decode_totals {
	size_t packets, skipped; /* packets, and those that hold no TCP we can read */
	size_t connections;
	size_t other_connections; /* of another protocol: named, not decoded */
	size_t messages, reports, probes; /* whole ones */
	size_t damaged;          /* sentences about damage */
};

/* Takes a piece of the text; `text` is good for the call only. */
typedef void decode_write_f(void *ctx, struct view text);

/* Decodes all of `file`. Memory: an index no larger than the file, and what the options allow. The last event is a
 * summary. True when nothing was damaged. */
bool decode_file(struct view file, const struct decode_options *options, decode_write_f *write, void *ctx,
		 struct decode_totals *totals_r);

/* The options of `posthorn decode` from argv[1..]; *path_r borrowed from argv, NULL when --help was asked. */
MUST_CHECK bool decode_arguments(int argc, char **argv, struct decode_options *options_r, const char **path_r,
				 struct err *e);

extern const char decode_help[];
