/* process_wire.h - what the supervisor and its children say to each other: one packet a message, descriptors attached, over a
 * SOCK_SEQPACKET pair. Both ends are the same program file, so a message is a struct. */
#pragma once
#include "base/err.h"

enum {
	WIRE_FD = 3,       /* a child's end */
	WIRE_FDS_MAX = 2,
	WIRE_TEXT = 1024,
	WIRE_NOTE = 512,
};

enum wire_type {
	/* To the child, at birth and in this order: BIRTH, any of LISTENER, DIED, PEER, then GO. */
	WIRE_BIRTH = 1, /* fds: settings, last words; text: directory; number: life */
	WIRE_LISTENER,  /* fd; name; number: the supervisor's for it. Also later, after a reload */
	WIRE_PEER,      /* fds: control, bulk; kind, instance */
	WIRE_DIED,      /* kind, instance, flag: by a fault; text: last words; note */
	WIRE_GO,
	WIRE_STOP,
	WIRE_PING,      /* number */
	WIRE_SETTINGS,  /* fd: the new settings; number: to be given back in TAKEN */
	WIRE_SHUT,      /* number: a listener that is no more in the settings */
	WIRE_RELOADED,  /* fd: text of the answer, to the switch; number: the asker's; flag: enum process_reloaded */
	WIRE_BOARD,     /* at birth, before GO, to who shows it: fd: the board of all processes */
	/* From the child. */
	WIRE_TAKEN,     /* number: of SETTINGS; flag: they are in force; else it is to be started anew with them */
	WIRE_RELOAD,    /* number: the asker's; flag: dry; text: who. From the switch */
	WIRE_READY,
	WIRE_PONG,      /* number */
	WIRE_ACCUSE,    /* kind, instance; text: why. From the switch */
	/* Events. */
	WIRE_LINES,     /* at birth, before GO, to the recorder: fd: the end of the pipe that event lines come out of */
	WIRE_LEVEL,     /* both ways: text: category, "" for all; number: enum event_level. From the recorder, then to every child, and at birth to later ones */
};

struct wire_msg {
	uint32_t magic;
#define WIRE_MAGIC 0x50485731u
	uint32_t type, kind, instance, flag;
	uint64_t number;
	char name[16];
	char text[WIRE_TEXT];
	char note[WIRE_NOTE];
};

enum wire_result {
	WIRE_OK,
	WIRE_LATER, /* nothing there, or no room */
	WIRE_GONE,  /* the other end is, or has sent nonsense */
};

/* Neither waits. The magic is filled in; fds stay the caller's. */
enum wire_result wire_send(int fd, struct wire_msg *m, const int *fds, size_t n_fds);
/* Received descriptors are the caller's; fds_r[i] is -1 where there was none. */
enum wire_result wire_recv(int fd, struct wire_msg *m_r, int fds_r[WIRE_FDS_MAX]);

/* The last words: memory shared by a child, which writes, and the supervisor, which reads when the child is dead and
 * trusts nothing in it. */
struct wire_words {
	char note[WIRE_NOTE]; /* what it is doing */
	uint64_t progress;    /* notes so far, in this life */
	char death[512]; /* what it died of, as far as it could say */
};
enum { WIRE_WORDS_SIZE = 4096 };
