/* Calls of operations on one node that the C client lacks. */
#ifndef ZOOKEEPER_RAW_CALL_H
#define ZOOKEEPER_RAW_CALL_H

#include "request.h"

/* Whether the operation is one of these. */
int raw_call_knows(const operation *op);
/* As call_submit. */
int raw_call_submit(call *c, const operation *op);

#endif
