/* pcap.h - octets of a connection as a capture file (pcap, LINKTYPE_RAW) with made-up IPv4 and TCP headers, so that whoever reads captures reads
 * what went over a connection in clear, TLS or not. Pure: appends to an out. */
#pragma once
#include "base/out.h"

enum { PCAP_SEGMENT = 16 * 1024, PCAP_OVERHEAD = 16 + 20 + 20 }; /* octets of a connection in one packet; of headers for each */

/* One connection. Both directions count from 1. */
struct pcap_connection {
	uint32_t address[2]; /* of who called, of who was called */
	uint16_t port[2];
	uint32_t next[2];    /* sequence number of the next octet */
};

/* What a file begins with. */
void pcap_begin(struct out *o);
/* who: 0 called, 1 was called. SYN, SYN and ACK, ACK: for a connection of which all is there. */
void pcap_open(struct out *o, struct pcap_connection *c, int64_t wall_us);
void pcap_octets(struct out *o, struct pcap_connection *c, unsigned who, struct view v, int64_t wall_us);
void pcap_close(struct out *o, struct pcap_connection *c, unsigned who, int64_t wall_us);
