/* The servers that refuse the credentials of SASL: data of the handle's I/O thread. */
#ifndef ZOOKEEPER_REFUSALS_H
#define ZOOKEEPER_REFUSALS_H

#include "candidates.h"
#include "names.h"

/* All zero: none. */
typedef struct {
    failed_addresses once, again;
    int count;
    _Atomic int by_all; /* any thread may look */
} refusals;

/* The server at the address has refused them. `failed` are the addresses that nothing can be had from just now. */
void refusals_note(refusals *r, const server_address *address, server_names *names, const failed_addresses *failed);
/* The server has not even got to that. */
void refusals_forget(refusals *r, const server_address *address);
/* A server has accepted them. */
void refusals_clear(refusals *r);

#endif
