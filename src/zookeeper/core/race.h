/* A race among addresses, for the first server that accepts a connection: data of the I/O thread. */
#ifndef ZOOKEEPER_RACE_H
#define ZOOKEEPER_RACE_H

#include "attempt.h"
#include "client.h"

#include <poll.h>

/* A server's share of the session timeout is counted in it (nanoseconds). */
int64_t race_session_timeout(const zk_handle *handle);
/* Begins, as connect does, with addresses that the C client's own one is among. */
void race_begin(zk_handle *handle, const server_address *asked);
/* Starts the racers that are due, and waits for one of them or for the C client's pipe. */
void race_poll(zk_handle *handle, struct pollfd *pipe, int timeout);
/* All servers have refused: a pause, and the C client is about to hear of that error. */
void race_lose(zk_handle *handle, int error);
/* Nothing is to be had from the address. */
void race_note_failed(zk_handle *handle, const server_address *address);
/* Closes the racers' sockets. */
void race_clear(attempt *a);

#endif
