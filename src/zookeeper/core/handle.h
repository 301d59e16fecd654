/* A session's handle: what all parts of the core know of it, and its beginning and end. */
#ifndef ZOOKEEPER_HANDLE_H
#define ZOOKEEPER_HANDLE_H

#include "attempt.h"
#include "client.h"
#include "layer.h"
#include "locks.h"
#include "names.h"
#include "pending.h"
#include "queue.h"
#include "refusals.h"
#include "rests.h"
#include "sasl.h"
#include "service.h"
#include "transport.h"
#include "wakeups.h"

struct bulk;
struct call;
struct credential;
struct set_watches;

struct zk_handle {
    zhandle_t *zh; /* the C client's; NULL before handle_open has returned 0, and when it is closed */
    struct zk_handle *next_open; /* guarded by open_lock */
    char *chroot; /* ours: "" or a path prefix that the server sees before every path of ours */
    server_names *names; /* ours */
    attempt attempt;
    _Atomic int session_timeout; /* milliseconds: asked for, then as negotiated */
    _Atomic long connections; /* how often the session has been connected */
    _Atomic int turned_away;  /* the last connection ended because of a credential that is missing */

    /* Held while a request is handed to the C client, never while a thread waits. */
    core_mutex submit;
    int shut;          /* guarded by submit: no request may be handed over any more */
    _Atomic int farewell; /* the code of requests that are not answered before the end */
    _Atomic int closed; /* handle_close is done with it */
    pending requests;  /* guarded by submit: list head */

    core_mutex queue_lock;
    pthread_cond_t queue_filled;
    queue_item *queue_first, *queue_last; /* ours; NULL: empty */
    int queue_opened, queue_stop, queue_poked;
    int queue_idle; /* the Python thread waits for something */

    /* The bulk operations that no thread waits for. */
    core_mutex timed_lock;
    struct bulk *timed; /* theirs; NULL: none */

    /* Which of the C client's threads calls completions (completions.c). */
    core_mutex completions_lock;
    pthread_cond_t completions_changed;
    int completions_apart;

    service *service; /* one reference is ours */
    /* Guarded by services_lock: the connection of the last strike; of one at a large request; the last one whose
     * server could not be reached when it had ended. */
    long struck[ABILITIES], struck_large, excused;
    _Atomic long alive_on; /* the last connection that has answered anything */
    _Atomic long doubtful;  /* requests under way that may never be answered */
    _Atomic int64_t doubted_at; /* when the first of them was sent, or the last one answered or probed */

    /* Credentials (credentials.c), guarded by submit, and how many of them the C client has not got. */
    struct credential *credentials; /* ours; NULL: none */
    _Atomic int credentials_count, credentials_kept;
    struct call *credentials_waiting; /* for an answer; the newest first; NULL: none */
    long credentials_ends;            /* of the I/O thread: the ends of connections it knows of */

    /* Held by the thread that works for the handle (transport.c), which has the connection then. Which socket
     * it is the I/O thread alone changes; and so all but what is sent, where it does not rest (rests.c). */
    core_mutex sending;
    wakeups wakeups;
    rests rests;
    connection connection;
    layer layer;       /* of the I/O thread, but for `why` */
    sasl sasl;         /* the same, but for `steps` */
    refusals refusals; /* the same, but for `by_all` */

    /* A reconnect's SetWatches (reconnect.c). */
    core_mutex set_watches_lock;
    _Atomic long set_watches_unanswered;  /* bytes of the C client's own one; 0: there is none */
    int64_t set_watches_at;     /* the I/O thread's: when that was sent, by core_now */
    _Atomic int set_watches_redo;         /* it will not be answered: do its work by other means */
    struct set_watches *set_watches_sent; /* what it asked for, while it is not known whether that works; or NULL */
    struct set_watches *set_watches_rest; /* still to be sent; or NULL */
    _Atomic int set_watches_refused;      /* the server's reason not to set a part of the watches; 0: none */
    int64_t set_watches_zxid;             /* of the oldest one not confirmed by the server; 0: none */
    int set_watches_unconfirmed;          /* parts of the last one */
    long set_watches_generation;

    /* Watches that stay (standing.c). */
    void *standing; /* ours, guarded by submit; NULL: none */
    _Atomic long standing_number; /* of the connection, and between connections; written with submit held */
    _Atomic int64_t last_zxid; /* of the answers; written by the I/O thread */
};

/* A handle whose queue works, so that its Python thread can be there before its session is. Its
 * servers' names are being looked up. `hosts` is copied. To be freed by handle_free. */
zk_handle *handle_new(const char *hosts, int timeout_ms, int read_only);
/* Parts of the handle, which stay its own. */
server_names *handle_names(zk_handle *handle);
layer *handle_layer(zk_handle *handle);
/* Why the last connection failed by TLS or SASL, LAYER_WHY bytes; "" if it did not. */
void handle_why(zk_handle *handle, char *why);
/* Say what the one that is being made waits for, if that takes long, LAYER_WHY bytes; or "". */
void handle_awaited(zk_handle *handle, char *what);
/* Whether all servers have refused the credentials of SASL, and none has accepted them since. */
int handle_is_refused(const zk_handle *handle);
/* Begins to connect; events wait for queue_open. 0, or an errno: EAGAIN when there are no more threads
 * to be had, otherwise why the C client refuses the arguments. `client` is the session to resume, or
 * NULL. */
int handle_open(zk_handle *handle, const char *hosts, const clientid_t *client);
/* Ends the session; afterwards every request has finished, those under way with the code `farewell`,
 * and the Python thread is told to end. Call it once, after handle_open has returned 0. */
void handle_close(zk_handle *handle, int farewell);
int handle_closed(zk_handle *handle);
/* Of a handle that was never opened, or is closed; its Python thread has ended. */
void handle_free(zk_handle *handle);
/* The session's state, as of zoo_state, and its id and password (`client` may be NULL). */
int handle_state(zk_handle *handle, clientid_t *client);

#endif
