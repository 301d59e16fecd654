/* The addresses of a race, in their order.
 *
 * The one that the C client has asked for comes first and the others at random (jitter), so that clients
 * spread over the servers; but what has failed lately is tried last, and first of that what has failed
 * longest ago.
 */
#include "candidates.h"

#include <stdlib.h>

static _Atomic int in_given_order;

void candidates_in_given_order(int yes) { in_given_order = yes; }

/* When the address has failed, or 0. */
static int64_t failed_at(const failed_addresses *f, const server_address *address) {
    for (int i = 0; i < f->count; i++)
        if (is_same_address(&f->entries[i].address, address)) return f->entries[i].at;
    return 0;
}

int failed_has(const failed_addresses *f, const server_address *address) { return failed_at(f, address) != 0; }

void failed_note(failed_addresses *f, const server_address *address, int64_t now) {
    int i = 0;
    while (i < f->count && !is_same_address(&f->entries[i].address, address)) i++;
    if (i == MAX_ADDRESSES) return;
    if (i == f->count) f->count++;
    f->entries[i].address = *address;
    f->entries[i].at = now;
}

void failed_forget(failed_addresses *f, const server_address *address) {
    for (int i = 0; i < f->count; i++)
        if (is_same_address(&f->entries[i].address, address)) {
            f->entries[i] = f->entries[--f->count];
            return;
        }
}

static void swap(server_address *x, server_address *y) {
    server_address swapped = *x;
    *x = *y;
    *y = swapped;
}

/* First what has not failed lately, then what has failed longest ago. */
static void sort_by_failure(const failed_addresses *f, server_address *addresses, int count) {
    for (int i = 1; i < count; i++)
        for (int j = i; j > 0; j--) {
            if (failed_at(f, &addresses[j - 1]) <= failed_at(f, &addresses[j])) break;
            swap(&addresses[j - 1], &addresses[j]);
        }
}

int candidates_choose(failed_addresses *f, const server_address *asked, const server_address *known, int count,
                      server_address *ordered, int *all_failed) {
    int first = 0, chosen = 0, failed = 0;
    while (first < count && !is_same_address(&known[first], asked)) first++;
    if (first == count) {
        /* It is no longer what a name stands for; the C client will know soon. */
        ordered[chosen++] = *asked;
        first = 0;
    }
    for (int i = 0; i < count && chosen < MAX_ADDRESSES; i++) ordered[chosen++] = known[(first + i) % count];
    if (!in_given_order)
        for (int i = chosen - 1; i > 1; i--) swap(&ordered[i], &ordered[1 + random() % i]);
    for (int i = 0; i < chosen; i++) failed += failed_at(f, &ordered[i]) != 0;
    sort_by_failure(f, ordered, chosen);
    *all_failed = failed == chosen;
    if (*all_failed) f->count = 0;
    return chosen;
}
