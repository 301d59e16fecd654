/* What is known of a service, by a clock of the test's own.
 *
 * Each word of standard input is something that happens to one operation, whose number is the argument:
 * `lost` (a new connection breaks at it), `others` (those of a hundred handles, at the same time as the last
 * one), `gone` (the server of that connection cannot be reached then), `alive` (the next connection answers
 * something), `answered`, `took` (another operation was answered), `denied` (the server says that it does not know
 * it), `anew` (another handle is opened), or so many seconds that pass. `lost`, `answered` and `took` may end with
 * the bytes of the request.
 *
 * For each a character is printed: `-` if the operation is left out from then on, `x` if a transaction is not sent
 * that is as large as the last request, `+` otherwise. Behind them are the bytes of pieces in the end. */
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

static zk_handle handle, others[100];
static ability which;
static dispatch last = {0, 1, 100, 0};

static void lose(zk_handle *loser, int code) {
    loser->service = handle.service;
    service_lost(loser, which, last, code);
    now++;
}

static void happen(const char *what) {
    if (strcmp(what, "lost") == 0 || strcmp(what, "denied") == 0) {
        last = (dispatch){++handle.connections, 1, last.bytes, now++};
        lose(&handle, *what == 'l' ? ZCONNECTIONLOSS : ZUNIMPLEMENTED);
    } else if (strcmp(what, "others") == 0) {
        for (int i = 0; i < 100; i++) {
            others[i].connections++;
            lose(&others[i], ZCONNECTIONLOSS);
        }
    } else if (strcmp(what, "gone") == 0) {
        service_excuse(&handle);
    } else if (strcmp(what, "alive") == 0) {
        handle.alive_on = handle.connections + 1;
    } else if (strcmp(what, "answered") == 0) {
        service_answered(&handle, which, last.bytes);
    } else if (strcmp(what, "took") == 0) {
        service_took(&handle, last.bytes);
    } else if (strcmp(what, "anew") == 0) {
        service_release(service_of("one.test:1"));
    } else {
        abort();
    }
}

int main(int count, char **arguments) {
    which = (ability)atoi(arguments[count - 1]);
    handle.service = service_of("one.test:1");
    char word[20], what[20];
    while (scanf("%19s", word) == 1) {
        what[0] = 0;
        last.bytes = 100;
        if (sscanf(word, "%19[a-z]%ld", what, &last.bytes) > 0)
            happen(what);
        else
            now += atoi(word) * INT64_C(1000000000);
        putchar(service_refuses(&handle, which) ? '-' : service_hangs_up_at(&handle, last.bytes) ? 'x' : '+');
    }
    printf(" %ld\n", service_piece_bytes(&handle));
    service_release(handle.service);
    return 0;
}
