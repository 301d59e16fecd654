/* The bytes of a server, frame by frame, before the C client sees them: data of the I/O thread. */
#ifndef ZOOKEEPER_FRAMES_H
#define ZOOKEEPER_FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    int32_t xid, op;
} asked;

#define GREETING_HEAD 28 /* up to the end of the session's number in the first request */
#define WELCOME_FRAME 41 /* the answer to it, as the C client wants it */

/* One connection to a server. */
typedef struct {
    ssize_t (*read)(int fd, void *buffer, size_t size); /* as recv does */
    int phase;
    int read_only;       /* a server that is cut off from the others will do */
    int greeted;         /* the first request has been sent */
    int64_t session;     /* it asked for this one; 0: for a new one */
    int64_t welcomed_at; /* 0: no session yet */
    /* The frame that is being sent: how much of it, and its first bytes. */
    size_t sent;
    char sent_head[GREETING_HEAD];
    /* Requests under way, in a ring (NULL: none yet); and how many requests without a number of their own. */
    asked *asked;
    size_t asked_first, asked_count, asked_room;
    long pings, auths, set_watches;
    int served; /* one of them has been answered */
    /* The frame that is being received: its first bytes, its size, and how much of it has been taken. */
    char head[WELCOME_FRAME];
    size_t head_count, size, taken;
    int32_t op; /* what is to be checked */
    long unasked;
} frames;

void frames_begin(frames *f); /* a new connection: forgets the last one */
void frames_clear(frames *f);
void frames_sent(frames *f, const char *bytes, size_t count);
ssize_t frames_recv(frames *f, int fd, void *buffer, size_t size); /* as recv does */
int frames_spoken(const frames *f); /* anything has been sent at all */
/* Of all handles, and for any thread: grows with each request that may change nodes. */
int64_t frames_writes(void);

#endif
