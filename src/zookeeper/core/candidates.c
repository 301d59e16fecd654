/* The addresses of a race, in their order.
 *
 * The one that the C client has asked for comes first and the others at random (jitter), so that clients
 * spread over the servers; but what has failed lately is tried last, and first of that what has failed
 * longest ago. So all have their turn before any is tried twice, also where they are more than race at a
 * time.
 */
#include "candidates.h"

#include <stdlib.h>
#include <string.h>

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
    int i = 0, oldest = 0;
    for (; i < f->count && !is_same_address(&f->entries[i].address, address); i++)
        if (f->entries[i].at < f->entries[oldest].at) oldest = i;
    if (i == MAX_ADDRESSES + 1)
        i = oldest;
    else if (i == f->count)
        f->count++;
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

/* First what has not failed lately, then what has failed longest ago. `at` is when, or 0. */
static void sort_by_failure(server_address *addresses, int64_t *at, int count) {
    for (int i = 1; i < count; i++)
        for (int j = i; j > 0 && at[j - 1] > at[j]; j--) {
            swap(&addresses[j - 1], &addresses[j]);
            int64_t later = at[j - 1];
            at[j - 1] = at[j];
            at[j] = later;
        }
}

void candidates_choose(failed_addresses *f, const server_address *asked, const server_address *known, int count,
                       race_candidates *chosen) {
    server_address all[MAX_ADDRESSES + 1];
    int64_t at[MAX_ADDRESSES + 1];
    int first = 0, total = 0, failed = 0;
    while (first < count && !is_same_address(&known[first], asked)) first++;
    if (first == count) {
        /* It is no longer what a name stands for; the C client will know soon. */
        all[total++] = *asked;
        first = 0;
    }
    for (int i = 0; i < count; i++) all[total++] = known[(first + i) % count];
    if (!in_given_order)
        for (int i = total - 1; i > 1; i--) swap(&all[i], &all[1 + random() % i]);
    for (int i = 0; i < total; i++) failed += (at[i] = failed_at(f, &all[i])) != 0;
    sort_by_failure(all, at, total);
    chosen->all_failed = failed == total;
    int fresh = chosen->all_failed ? total : total - failed;
    chosen->count = total < MAX_RACERS ? total : MAX_RACERS;
    chosen->fresh = fresh < chosen->count ? fresh : chosen->count;
    chosen->left_out = fresh - chosen->fresh;
    memcpy(chosen->addresses, all, sizeof *all * (size_t)chosen->count);
    if (chosen->all_failed) f->count = 0;
}
