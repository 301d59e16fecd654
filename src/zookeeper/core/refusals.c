/* Whether all servers refuse the credentials of SASL.
 *
 * One refusal says little. Servers get a new password one after the other; and those of 3.8 share what they know
 * of a login among all connections, so that a login may be refused because of another one at the same moment. So
 * each server has to refuse twice, and all together three times, which takes a fraction of a second for one
 * server. A name with several addresses, such as localhost, may have some where no server is.
 */
#include "refusals.h"
#include "memory.h"

#define MIN_REFUSALS 3

/* Whether one of the addresses has refused twice, and nothing is to be had from the others. */
static int is_server_refusing(const refusals *r, const server_address *addresses, int count,
                              const failed_addresses *failed) {
    int refusing = 0;
    for (int i = 0; i < count; i++)
        if (failed_has(&r->again, &addresses[i]))
            refusing = 1;
        else if (!failed_has(failed, &addresses[i]) || failed_has(&r->once, &addresses[i]))
            return 0;
    return refusing;
}

void refusals_note(refusals *r, const server_address *address, server_names *names, const failed_addresses *failed) {
    int64_t now = core_now();
    failed_note(failed_has(&r->once, address) ? &r->again : &r->once, address, now);
    if (++r->count < MIN_REFUSALS) return;
    int refusing = 1;
    for (int i = 0; i < names->count && refusing; i++) {
        server_address addresses[MAX_ADDRESSES];
        int count = names_of_server(names, i, addresses, MAX_ADDRESSES);
        refusing = is_server_refusing(r, addresses, count, failed);
    }
    if (refusing) r->by_all = 1;
}

void refusals_forget(refusals *r, const server_address *address) {
    failed_forget(&r->once, address);
    failed_forget(&r->again, address);
    r->by_all = 0;
}

void refusals_clear(refusals *r) {
    r->once.count = r->again.count = r->count = 0;
    r->by_all = 0;
}
