/* Waiting for the answer to a call, at the connection's socket where the I/O thread rests. */
#ifndef ZOOKEEPER_LEADER_H
#define ZOOKEEPER_LEADER_H

#include "call.h"

/* As posts_wait, for the end of a synchronous call. */
int leader_wait(call *c, int64_t deadline);

#endif
