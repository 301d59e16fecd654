/* A session on a raw socket, with nothing else of a client: what the floors (floor_*.c) share. All of
   these give up when the server does. */

#ifndef BENCHMARK_RAW_H
#define BENCHMARK_RAW_H

#include "client.h"

#include <stddef.h>
#include <stdint.h>

/* Where a frame has the error in its header, after four bytes of length, and how long a request without
   parameters is. */
enum { ERROR_AT = 16, BARE_FRAME = 12 };

/* Write a number in the protocol's order, and return where the next one goes. */
char *put_int(char *at, uint32_t number);
uint32_t get_int(const char *at);

/* Connect to HOST:PORT, which is changed, and open a session; return the socket. */
int open_session(char *hosts);
void close_session(int fd);

void send_all(int fd, const char *bytes, size_t size);
/* Read what has come, at least a byte. */
size_t receive_some(int fd, char *bytes, size_t room);

/* Send a frame, read the one that answers it, and return its error. */
int32_t ask(int fd, const char *frame, size_t size, int has_header);

#endif
