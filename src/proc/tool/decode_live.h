/* decode_live.h - a capture that is still being written, decoded as it comes: for traces of a link (flow/wire/pcap.h), whose packets are all there
 * and in order. Pure. Private to decode. */
#pragma once
#include "proc/tool/decode.h"

struct decode_live;

/* options must outlive it. *connections_io: numbers of connections, shared by all files. */
struct decode_live *decode_live_new(const struct decode_options *options, decode_write_f *write, void *ctx, size_t *connections_io);
/* What is not over is shown as far as it goes. */
void decode_live_free(struct decode_live **d);
/* The next octets of the file. False: it is no capture, and nothing of it is read any more; or it is damaged here (ERR_PERM). */
MUST_CHECK bool decode_live_octets(struct decode_live *d, struct view v, struct err *e);
