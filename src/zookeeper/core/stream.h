/* The bytes of a connection, those held back and those read ahead: data of the thread that works for the handle. */
#ifndef ZOOKEEPER_STREAM_H
#define ZOOKEEPER_STREAM_H

#include "client.h"

typedef struct {
    /* Between `first` and `end`: to be sent; read and not handed out. Both buffers are ours, NULL: nothing is there. */
    char *out, *in;
    size_t out_first, out_end, in_first, in_end;
    int error;    /* an errno: sending has failed, and nothing more is sent; 0: it has not */
    int is_short; /* the last bytes were not taken, or not all of them */
} stream;

/* A new connection, or none: forgets the last one. */
void stream_begin(stream *s);
int stream_is_held(const stream *s);
/* Whether the last bytes were not taken, or not all of them. */
int stream_is_short(const stream *s);
/* As send, on the handle's connection, and by way of its layer if there is one: bytes may be held until
 * stream_flush. They are taken then, and go out before all that comes later, or never. */
ssize_t stream_send(zk_handle *handle, const char *bytes, size_t size);
/* As stream_send, and nothing of these bytes is held. */
ssize_t stream_write(zk_handle *handle, const char *bytes, size_t size);
/* Send all that is held: 1, 0 if the rest has to wait for the socket, -1 if that fails. */
int stream_flush(zk_handle *handle);
/* As recv. If `ahead`, more than that may be read, and is for the next ones. */
ssize_t stream_read(zk_handle *handle, char *buffer, size_t size, int ahead);
/* Read ahead what there is: 1, 0 if there is nothing yet, -1 at the end or after a failure. */
int stream_fill(zk_handle *handle);
/* The bytes that have been read and not handed out. */
const char *stream_ahead(const stream *s, size_t *count);
/* Whether stream_read has something, if only an error, that the socket need not show. */
int stream_has_more(const stream *s);
/* The thread is about to wait: memory that holds nothing is given back. */
void stream_rest(stream *s);

#endif
