/* The bytes of a server, frame by frame, before the C client sees them: data of the thread that works for the
 * handle (transport.c). */
#ifndef ZOOKEEPER_FRAMES_H
#define ZOOKEEPER_FRAMES_H

#include "asked.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WELCOME_FRAME 41 /* the answer to the first request, as the C client wants it */

/* One connection to a server. */
typedef struct {
    ssize_t (*read)(int fd, void *buffer, size_t size); /* as recv does */
    int phase;
    int asked_timeout;   /* milliseconds */
    int read_only;       /* a server that is cut off from the others will do */
    int is_held_back;    /* the C client hears of an open session only when others are done (sasl.c) */
    asked asked;
    int64_t welcomed_at; /* 0: no session yet */
    int served;          /* a request with a number has been answered */
    /* The frame that is being received: its first bytes, its size, and how much of it has been taken. */
    char head[WELCOME_FRAME];
    size_t head_count, size, taken;
    int32_t op; /* what is to be checked */
    long unasked;
} frames;

void frames_begin(frames *f); /* a new connection: forgets the last one */
void frames_clear(frames *f);
ssize_t frames_recv(frames *f, int fd, void *buffer, size_t size); /* as recv does */
int frames_spoken(const frames *f); /* anything has been sent at all */
int frames_is_greeted(const frames *f); /* the server has answered, if only to say that the session is over */
/* The server has opened the session, and the C client does not know it yet. Until it is let through, the
 * bytes that follow are for the caller to read. */
int frames_is_held(const frames *f);
/* The C client has been told of the session: all that comes is for it. */
int frames_is_open(const frames *f);
/* Whether all of the last frame has been taken, and nothing of the next one. */
int frames_is_between(const frames *f);
void frames_let_through(frames *f);
/* The C client hears that the connection is broken. */
void frames_end(frames *f);

#endif
