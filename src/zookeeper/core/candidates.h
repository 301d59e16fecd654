/* The addresses of a race, in their order; and the memory of those that failed (pure). */
#ifndef ZOOKEEPER_CANDIDATES_H
#define ZOOKEEPER_CANDIDATES_H

#include "address.h"

#include <stdint.h>

/* Addresses that take part, of all names; of those that failed lately one more is remembered, where the C
 * client has gone. */
#define MAX_ADDRESSES 255
/* Connections that are tried at the same time. */
#define MAX_RACERS 64

/* Addresses that failed lately; beyond those the one that failed longest ago is forgotten. All zero: none. */
typedef struct {
    int count;
    struct {
        server_address address;
        int64_t at;
    } entries[MAX_ADDRESSES + 1];
} failed_addresses;

/* Those of a race. */
typedef struct {
    int count;
    server_address addresses[MAX_RACERS];
    int fresh;      /* the first so many have not failed lately */
    int left_out;   /* and so many more have not, for which there was no room */
    int all_failed; /* all have: a round is over, nothing is remembered of it, and each is fresh again */
} race_candidates;

void failed_note(failed_addresses *f, const server_address *address, int64_t now);
int failed_has(const failed_addresses *f, const server_address *address);
void failed_forget(failed_addresses *f, const server_address *address);
/* Chosen from the `known` ones, MAX_ADDRESSES at most, and `asked`, where the C client wants to go. */
void candidates_choose(failed_addresses *f, const server_address *asked, const server_address *known, int count,
                       race_candidates *chosen);
/* Try the addresses in the order in which the names are given, and not in a random one. Any thread may
 * say so. */
void candidates_in_given_order(int yes);

#endif
