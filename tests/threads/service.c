/* What is known of a service, by a clock of the test's own.
 *
 * Each word of standard input is something that happens to one operation, whose number is the argument:
 * `lost` (a new connection breaks at it), `others` (those of a hundred handles, at the same time as the last
 * one), `answered`, `denied` (the server says that it does not know it), or so many seconds that pass. For each a character is printed: whether the operation is left out from then on. */
#include "handle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t now = 1;
int64_t __wrap_core_now(void);
int64_t __wrap_core_now(void) { return now; }

const int ZOO_CONNECTED_STATE = 3;

int zoo_state(zhandle_t *zh) {
    (void)zh;
    return 0;
}

void log_say(ZooLogLevel level, const char *where, const char *format, ...) {
    (void)level, (void)where, (void)format;
}

int main(int count, char **arguments) {
    ability which = (ability)atoi(arguments[count - 1]);
    static zk_handle handle, others[100];
    handle.service = service_of("one.test:1");
    dispatch last = {0, 1, 100, 0};
    char word[20];
    while (scanf("%19s", word) == 1) {
        if (strcmp(word, "lost") == 0) {
            last = (dispatch){++handle.connections, 1, 100, now++};
            service_lost(&handle, which, last, ZCONNECTIONLOSS);
            now++;
        } else if (strcmp(word, "others") == 0) {
            for (int i = 0; i < 100; i++) {
                others[i].service = handle.service;
                others[i].connections++;
                service_lost(&others[i], which, last, ZCONNECTIONLOSS);
                now++;
            }
        } else if (strcmp(word, "answered") == 0) {
            service_answered(&handle, which);
        } else if (strcmp(word, "denied") == 0) {
            dispatch sent = {++handle.connections, 1, 100, now++};
            service_lost(&handle, which, sent, ZUNIMPLEMENTED);
        } else {
            now += atoi(word) * INT64_C(1000000000);
        }
        putchar(service_refuses(&handle, which) ? '-' : '+');
    }
    putchar('\n');
    service_release(handle.service);
    return 0;
}
