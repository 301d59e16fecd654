/* The addresses of a race, in their order; and the memory of those that failed (pure). */
#ifndef ZOOKEEPER_CANDIDATES_H
#define ZOOKEEPER_CANDIDATES_H

#include "address.h"

#include <stdint.h>

#define MAX_ADDRESSES 64

/* Addresses that failed lately. All zero: none. */
typedef struct {
    int count;
    struct {
        server_address address;
        int64_t at;
    } entries[MAX_ADDRESSES];
} failed_addresses;

void failed_note(failed_addresses *f, const server_address *address, int64_t now);
int failed_has(const failed_addresses *f, const server_address *address);
void failed_forget(failed_addresses *f, const server_address *address);
/* Fills `ordered` (room for MAX_ADDRESSES) from the `known` ones, and `asked`, where the C client wants to
 * go. Returns how many. `*all_failed` says whether all of them have: a round is over then, and nothing is
 * remembered of it. */
int candidates_choose(failed_addresses *f, const server_address *asked, const server_address *known, int count,
                      server_address *ordered, int *all_failed);
/* Try the addresses in the order in which the names are given, and not in a random one. Any thread may
 * say so. */
void candidates_in_given_order(int yes);

#endif
