/* The C core of the binding: what lies between the ZooKeeper C client and Python.
 *
 * Nothing here knows Python: objects pass through as `void *`, and no function needs or takes
 * the GIL. Four ideas carry it:
 *
 *   1. The C client's two threads (I/O, completion) never touch Python. What they have to tell
 *      goes into the handle's queue (queue.c); one Python thread per handle takes it from there.
 *   2. Every request is asynchronous. A synchronous call waits for it by itself (request.c), so that
 *      deadlines, Ctrl-C and closing work.
 *   3. Every request is in its handle's list of pending ones from before it is sent until it has
 *      finished. The C client forgets completions when it is closed; the list does not (handle.c).
 *   4. Requests that the C client's API does not offer (MultiRead, transactions of any operation,
 *      SetWatches) travel on its own session all the same (raw_request.c).
 *
 * Locks, in the order in which they may be taken together:
 *   bulk.lock -> handle.submit -> (the C client's own) -> service lock -> log and queue locks, which
 *   are leaves.
 * So nothing that the C client calls with a lock of its own held may take the first two: it has no
 * completions for credentials (credentials.c). `make tsan` looks at all of it.
 */
#ifndef ZOOKEEPER_CORE_H
#define ZOOKEEPER_CORE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pipe2, sem_clockwait */
#endif
#ifndef THREADED
#define THREADED
#endif
#include <zookeeper/zookeeper.h>

#include "../tls/layer.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>

/* Operation numbers of the protocol (zookeeper's ZooDefs.OpCode). */
enum {
    OP_CREATE = 1,
    OP_DELETE = 2,
    OP_EXISTS = 3,
    OP_GET_DATA = 4,
    OP_SET_DATA = 5,
    OP_GET_ACL = 6,
    OP_GET_CHILDREN = 8,
    OP_SYNC = 9,
    OP_PING = 11,
    OP_GET_CHILDREN2 = 12,
    OP_CHECK = 13,
    OP_MULTI = 14,
    OP_CREATE2 = 15,
    OP_CREATE_CONTAINER = 19,
    OP_CREATE_TTL = 21,
    OP_MULTI_READ = 22,
    OP_SET_WATCHES = 101,
    OP_ERROR = -1,
    OP_NONE = -100, /* nothing to be looked at */
    OP_EVENT = -101
};

/* Numbers (xid) that are not of a request. */
enum { XID_EVENT = -1, XID_PING = -2, XID_AUTH = -4, XID_SET_WATCHES = -8 };

/* Requests are cut into pieces well under the server's limit for one (jute.maxbuffer). */
#define PIECE_BYTES 400000

/* ---- memory.c ---------------------------------------------------------------------------- */

/* Like malloc, calloc, realloc; end the process when memory is out, as nothing useful can be done
 * on the C client's threads then. */
void *core_alloc(size_t size);
void *core_zeroed(size_t count, size_t size);
void *core_resize(void *memory, size_t size);

/* Many small allocations that are freed together. */
typedef struct arena_block arena_block;
typedef struct {
    arena_block *blocks;
} arena;

void *arena_alloc(arena *a, size_t size);
char *arena_copy(arena *a, const char *bytes, size_t length); /* adds a final NUL */
void arena_free(arena *a);

/* Nanoseconds of the monotonic clock. */
int64_t core_now(void);

/* Wait for a semaphore until a moment of that clock. 0, ETIMEDOUT, or EINTR after a signal, so
 * that the caller can let Python run its signal handlers. */
int core_wait(sem_t *semaphore, int64_t deadline);

/* ---- queue.c: what the Python thread of a handle has to do --------------------------------- */

typedef struct zk_handle zk_handle;

typedef enum { ITEM_EVENT, ITEM_CALL, ITEM_TRANSACTION, ITEM_WATCHES } item_kind;

typedef struct queue_item {
    struct queue_item *next;
    item_kind kind;
} queue_item;

/* A watch or session event. */
typedef struct {
    queue_item item;
    int type;
    int state;
    char path[];
} event_item;

/* Watches that are about to be set; `watches` is a Python object. */
typedef struct {
    queue_item item;
    void *watches;
} watches_item;

void queue_push(zk_handle *handle, queue_item *item);
int queue_push_watches(zk_handle *handle, void *watches);
/* Everything queued, in order; waits for something. NULL: woken for log lines, or stopped. */
queue_item *queue_take(zk_handle *handle);
/* The handle can be used: from now on what is queued may be taken. */
void queue_open(zk_handle *handle);
/* Have the Python thread look for log lines; says whether it is going to at once. */
int queue_poke(zk_handle *handle);
void queue_stop(zk_handle *handle);
int queue_stopped(zk_handle *handle);

/* ---- pauses.c: how long to wait before the next connection ----------------------------------- */

typedef struct {
    int failures;  /* connections in a row that were of no use */
    int64_t until; /* no connection before that */
    uint64_t random;
} pauses;

void pauses_init(pauses *p);
/* A connection is lost; its session was welcomed at that moment, or never (0), and requests were
 * answered or not. Says whether it is time to tell somebody. */
int pauses_lost(pauses *p, int64_t welcomed_at, int served, int64_t now, int session_timeout);
/* There is no socket, and the C client wants to wait for `pause`. */
void pauses_no_socket(pauses *p, int64_t now, int64_t pause);
int64_t pauses_left(const pauses *p, int64_t now);

/* ---- frames.c: what a server says, before the C client sees it -------------------------------- */

typedef struct {
    int32_t xid, op;
} asked;

#define GREETING_HEAD 28 /* up to the end of the session's number in the first request */
#define WELCOME_FRAME 41 /* the answer to it, as the C client wants it */

/* One connection to a server. */
typedef struct {
    int phase;
    int read_only;       /* a server that is cut off from the others will do */
    int greeted;         /* the first request has been sent */
    int64_t session;     /* it asked for this one; 0: for a new one */
    int64_t welcomed_at; /* 0: no session yet */
    /* What is being sent: how much of a frame, and its first bytes. */
    size_t sent;
    char sent_head[GREETING_HEAD];
    /* What is under way, in a ring; and how many requests without a number of their own. */
    asked *asked;
    size_t asked_first, asked_count, asked_room;
    long pings, auths, set_watches;
    int served; /* one of them has been answered */
    /* What is being received: its first bytes, its size, and how much of it has been taken. */
    char head[WELCOME_FRAME];
    size_t head_count, size, taken;
    int32_t op; /* what is to be checked */
    long unasked;
} frames;

void frames_begin(frames *f);
void frames_clear(frames *f);
void frames_sent(frames *f, const char *bytes, size_t count);
ssize_t frames_recv(frames *f, int fd, void *buffer, size_t size); /* as recv does */
int frames_spoken(const frames *f); /* anything has been sent at all */
int64_t frames_writes(void);        /* of all handles: grows with each request that may change nodes */

/* ---- answers.c ------------------------------------------------------------------------------- */

int answer_fits(int32_t op, const char *body, size_t size);
int event_fits(const char *body, size_t size);
int error_fits(int32_t code); /* a server's, and not what a client says of itself */

/* ---- transport.c: the C client's system calls to do with servers ------------------------------ */

typedef struct {
    int fd; /* -1: none */
    long ends; /* how often one has ended, or could not be made */
    frames frames;
    pauses pauses;
    /* From a read-only connection: the socket that asks another server, which one, and whether the
     * next connection is to go there. */
    int probe;
    struct sockaddr_storage probed, found;
    socklen_t probed_size, found_size;
    int is_found;
} connection;

void transport_init(connection *c, int read_only);
void transport_clear(connection *c);
/* This thread works for that handle, until it says otherwise. */
void transport_enter(zk_handle *handle);
void transport_leave(void);
void transport_closed(int fd);
ssize_t transport_read(int fd, void *buffer, size_t size);
/* ---- resolve.c: what the servers' names stand for -------------------------------------------- */

typedef struct {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t length;
} server_address;

static inline int is_same_address(const server_address *a, const server_address *b) {
    return a->length == b->length && memcmp(&a->any, &b->any, a->length) == 0;
}

/* The servers of a connection string, with the names that all handles share. */
typedef struct server_names server_names;

/* `hosts` as zookeeper.hosts makes it. Begins to look the names up. */
server_names *names_new(const char *hosts);
void names_free(server_names *list);
/* Waits until an address is known: 0. EAI_INTR after a signal, EAI_INPROGRESS after the deadline, or
 * why no name can be looked up. */
int names_wait(server_names *list, int64_t deadline);
/* Looks names up again, those for which it is time. The next moment for that, or INT64_MAX. */
int64_t names_refresh(server_names *list);
/* The host that the address is known by, without brackets; "" when it no longer is. */
void names_host(server_names *list, const server_address *address, char *host, size_t size);
/* What is known, each address once. Returns how many. */
int names_known(server_names *list, server_address *addresses, int most);
/* Write a byte to `fd` when a lookup has ended; -1: do not. */
void names_wake_by(server_names *list, int fd);
/* Whether this thread opens a handle, which does not take addresses. */
void names_opening(int yes);
void names_after_fork(void);

/* ---- attempt.c: from no connection to one ---------------------------------------------------- */

#define MOST_ADDRESSES 64

typedef enum {
    ATTEMPT_NONE,    /* connected, or not even trying */
    ATTEMPT_RACING,  /* until a server accepts */
    ATTEMPT_LOST,    /* the C client is about to hear that none has */
    ATTEMPT_SHAKING, /* a server has accepted, and the layer's handshake goes on */
    ATTEMPT_OPENING, /* a server has accepted, and is to open the session */
} attempt_phase;

typedef struct {
    server_address address;
    int fd; /* while it is being connected, or -1 */
} racer;

/* Of the I/O thread alone. */
typedef struct {
    attempt_phase phase;
    int fd; /* the C client's socket, or -1 */
    int count, next; /* racers, those before `next` have been started */
    int error;       /* of the last one that failed */
    int64_t next_start;
    int64_t opening_since;
    int64_t not_before; /* for the next connection */
    int failures;       /* in a row */
    int was_slow, rounds;
    server_address winner;
    racer racers[MOST_ADDRESSES];
    int failed_count; /* addresses that failed lately */
    struct {
        server_address address;
        int64_t at;
    } failed[MOST_ADDRESSES];
} attempt;

/* As connect does: begins the race. */
int attempt_connect(zk_handle *handle, int fd, const struct sockaddr *address, socklen_t length);
/* The server at the address answers: that it has failed before does not count. */
void attempt_answered(zk_handle *handle, const struct sockaddr *address, socklen_t length);
/* How long (nanoseconds) to wait as no address is known, or 0. */
int64_t attempt_wait_for_names(zk_handle *handle);
/* After each zookeeper_interest, which says how long to poll at most. */
void attempt_end_turn(zk_handle *handle, int state, struct timeval *tv);
/* The C client has closed its socket. */
void attempt_closed(zk_handle *handle);
void attempt_clear(zk_handle *handle);
/* Try the addresses in the order in which the names are given, and not in a random one. */
void attempt_in_given_order(int yes);

/* ---- layer.c: TLS, if there is any ------------------------------------------------------------- */

#define LAYER_SERVER 256 /* bytes of a server's name and port, cut if need be */

typedef struct {
    const layer_functions *functions; /* NULL: the socket is used as it is */
    layer_config *config;
    layer_memory *memory;
    layer_connection *connection; /* of the socket that there is, or NULL */
    char server[LAYER_SERVER];    /* of the socket, for messages */
    int is_late;                   /* the handshake has taken its share of the time */
    int has_failed;                /* whether there is a `why` */
    short read_waits, write_waits; /* events of poll; 0: the obvious ones */
    pthread_mutex_t lock;          /* a leaf */
    char why[LAYER_WHY];           /* guarded by lock: the last failure, "" since a server has spoken */
} layer;

void layer_init(layer *l);
void layer_clear(layer *l);
/* Have all connections go by that layer: before the handle is opened. */
void layer_use(layer *l, const layer_functions *functions, layer_config *config);
/* Why the last connection failed, LAYER_WHY bytes; "" if it did not. */
void layer_why(layer *l, char *why);
/* Begin on a socket that a server has accepted: 0, or -1. `host` is "" if it is not known. */
int layer_begin(layer *l, int fd, const char *host, const char *server);
/* The handshake has taken too long: the caller shuts the socket down. */
void layer_give_up(layer *l);
/* Go on with the handshake: 1 over, 0 waits for `events`, -1 failed. */
int layer_shake(layer *l, short *events);
void layer_end(layer *l);
/* As recv and send. */
ssize_t layer_read(layer *l, void *buffer, size_t size);
ssize_t layer_write(layer *l, const void *bytes, size_t size);
/* As poll, `socket` being the one of `fds` that the layer is on. */
int layer_poll(layer *l, struct pollfd *fds, nfds_t count, struct pollfd *socket, int timeout);

/* ---- handle.c ------------------------------------------------------------------------------ */

/* A request that has not finished. */
typedef struct pending {
    struct pending *previous, *next;
    void (*finish)(struct pending *, int code);
} pending;

/* What a service may turn out not to know (service.c). */
typedef enum { KNOWS_MULTI_READ, KNOWS_SET_WATCHES, KNOWS_TRANSACTIONS, KNOWS_REMOVE_WATCHES, ABILITIES } ability;

struct service;

struct zk_handle {
    zhandle_t *zh;
    struct zk_handle *next_open;
    char *chroot; /* "" or a path prefix that the server sees before every path of ours */
    server_names *names;
    attempt attempt;
    _Atomic int session_timeout; /* milliseconds: asked for, then as negotiated */
    _Atomic long connections; /* how often the session has been connected */
    _Atomic int turned_away;  /* the last connection ended because of a credential that is missing */

    /* Held while a request is handed to the C client, never while anybody waits. */
    pthread_mutex_t submit;
    int shut;          /* guarded by submit: no request may be handed over any more */
    _Atomic int farewell; /* the code of requests that are not answered before the end */
    _Atomic int closed; /* handle_close is done with it */
    pending requests;  /* guarded by submit: list head */

    pthread_mutex_t queue_lock;
    pthread_cond_t queue_filled;
    queue_item *queue_first, *queue_last;
    int queue_opened, queue_stop, queue_poked;
    int queue_idle; /* the Python thread waits for something */

    /* Which of the C client's threads calls completions (completions.c). */
    pthread_mutex_t completions_lock;
    pthread_cond_t completions_changed;
    int completions_apart;

    struct service *service;
    long struck[ABILITIES]; /* I/O thread: the connection of the last strike */
    _Atomic long doubtful;  /* requests under way that may never be answered */
    _Atomic int64_t doubted_at; /* when the first of them was sent, or the last one answered or probed */

    /* Credentials (credentials.c), guarded by submit, and how many of them the C client has not got. */
    struct credential *credentials;
    _Atomic int credentials_count, credentials_kept;
    struct call *credentials_waiting; /* for an answer; the newest first */
    long credentials_ends;            /* of the I/O thread: the ends of connections it knows of */

    connection connection; /* of the thread that works for the handle (transport.c) */
    layer layer;           /* the same, but for `why` */

    /* A reconnect's SetWatches (set_watches.c). */
    pthread_mutex_t set_watches_lock;
    _Atomic long set_watches_unanswered;  /* bytes of the C client's own one; 0: there is none */
    _Atomic int set_watches_redo;         /* it will not be answered: do its work by other means */
    struct set_watches *set_watches_sent; /* what it asked for, while nobody knows whether that works */
    struct set_watches *set_watches_rest; /* still to be sent */
    int64_t set_watches_zxid;             /* of the oldest one not confirmed by the server; 0: none */
    long set_watches_generation;
};

/* A handle whose queue works, so that its Python thread can be there before its session is.
 * Its servers' names are being looked up. */
zk_handle *handle_new(const char *hosts, int timeout_ms, int read_only);
server_names *handle_names(zk_handle *handle);
layer *handle_layer(zk_handle *handle);
/* Begins to connect; events wait for queue_open. 0, or an errno: EAGAIN when there are no more threads
 * to be had, otherwise why the C client refuses the arguments. */
int handle_open(zk_handle *handle, const char *hosts, const clientid_t *client);
/* Ends the session; afterwards every request has finished, those under way with the code `farewell`,
 * and the Python thread is told to end. Call it once, after handle_open has returned 0. */
void handle_close(zk_handle *handle, int farewell);
/* The same for many, side by side. Returns when all are closed, or at that moment of core_now: then
 * threads of ours go on closing the others, and these must not be freed before `handle_closed`. */
void handle_close_many(zk_handle **handles, long count, int64_t deadline);
int handle_closed(zk_handle *handle);
/* Of a handle that was never opened, or is closed. */
void handle_free(zk_handle *handle);
/* The session's state, as of zoo_state, and its id and password (`client` may be NULL). */
int handle_state(zk_handle *handle, clientid_t *client);

/* There are log lines: wakes the Python thread of an open handle. */
void handle_poke(void);
void handle_after_fork(void);

/* Hand a request over:
 *     int code = request_begin(handle, &p, finish);
 *     if (code == ZOK) code = request_sent(handle, &p, zoo_...(...));
 * After ZOK `finish` or the C client's completion, which must call request_done first, will be
 * called exactly once; request_done says whether it is the completion's turn. */
int request_begin(zk_handle *handle, pending *p, void (*finish)(pending *, int));
int request_sent(zk_handle *handle, pending *p, int code);
void request_done(zk_handle *handle, pending *p);
/* The same for one who holds `submit`. */
void request_unlist(pending *p);

/* What a request has come to, given the code of its completion. When answers do not come in the order
 * of the requests, as servers let happen to a session that comes back while its requests are under
 * way, the C client breaks the connection and tells everybody RUNTIMEINCONSISTENCY. That is a lost
 * connection; in transactions the word means something else. A server that wants another
 * authentication says so once, and hangs up on all that is under way. */
static inline int request_code(const zk_handle *handle, int code) {
    if (code == ZCLOSING) return handle->farewell;
    if (code == ZRUNTIMEINCONSISTENCY) code = ZCONNECTIONLOSS;
    return code == ZCONNECTIONLOSS && handle->turned_away ? ZSESSIONCLOSEDREQUIRESASLAUTH : code;
}

/* The watcher given to the C client for everything. */
void handle_event(zhandle_t *zh, int type, int state, const char *path, void *context);

/* ---- threads.c ----------------------------------------------------------------------------- */

/* Make the threads that the C client is going to ask for in this thread. 0 or an errno. */
int threads_prepare(int count);
/* End those that it did not ask for. */
void threads_release(void);
/* Like pthread_create, of a thread that blocks all signals. */
int core_thread(pthread_t *thread, void *(*run)(void *), void *argument);
/* Have this thread take no signals. */
void signals_block(sigset_t *former);
void signals_restore(const sigset_t *former);

/* ---- service.c ----------------------------------------------------------------------------- */

typedef struct service {
    struct service *next;
    int handles;
    _Atomic int64_t learned; /* when it turned out last not to do something; 0: it does all */
    _Atomic long piece_bytes; /* requests that can be cut are cut at so many */
    _Atomic long hung_up_at;  /* a request of so many bytes has ended connections; 0: none */
    struct {
        _Atomic int strikes, works, refused;
    } abilities[ABILITIES];
    char hosts[];
} service;

/* How a request was sent that may be lost because of what it asks. */
typedef struct {
    long connection;
    int was_connected;
    long bytes;
} dispatch;

/* What all handles with these hosts know; to be released. */
service *service_of(const char *hosts);
void service_release(service *s);
void service_after_fork(void);
/* Whether the service does without an operation; has proven to know it; at what size to cut. */
int service_refuses(const zk_handle *handle, ability which);
int service_is_proven(const zk_handle *handle, ability which);
long service_piece_bytes(const zk_handle *handle);
int service_hangs_up_at(const zk_handle *handle, long bytes);
/* A request was answered; lost, by `code`: whether to try again, with what has been learned; will
 * never be answered, as `evidence` shows: 1. */
void service_answered(zk_handle *handle, ability which);
int service_lost(zk_handle *handle, ability which, dispatch sent, int code);
int service_unknown(zk_handle *handle, ability which, const char *evidence);
/* A request that may never be answered is sent; has ended. */
void service_doubt(zk_handle *handle);
void service_trust(zk_handle *handle);
/* On the I/O thread, from time to time: find out whether such a request has been passed over. In how
 * many nanoseconds to come back; 0: no need to. */
int64_t service_probe(zk_handle *handle);

/* ---- completions.c -------------------------------------------------------------------------- */

/* The C client's completion thread is needed again: before closing. */
/* The handle whose answers this thread, an I/O thread, is just reading, or NULL. */
zk_handle *completions_whose(void);
void completions_apart(zk_handle *handle);
int completions_close(zhandle_t *zh);

/* ---- request.c: the operations of the C client's API ------------------------------------------ */

typedef enum { RESULT_NONE, RESULT_STAT, RESULT_DATA, RESULT_NAMES, RESULT_PATH, RESULT_ACL } result_kind;

typedef struct credential credential;

typedef struct call {
    queue_item item; /* first: a call is queued as itself */
    pending request;
    zk_handle *handle;
    _Atomic int references;
    sem_t finished;   /* posted when a waiting call is done */
    int waiting;      /* somebody waits: a synchronous call */
    _Atomic int abandoned; /* nobody waits any more */
    void *context;    /* a Python object; owned by whoever takes the call from the queue */
    int watched;      /* the context asks for a watch */
    dispatch sent;    /* of a request that the service may not know */
    credential *credential; /* an add_auth: whose answer it waits for, and who else waits for one */
    struct call *next_waiting;

    int code;
    struct Stat stat;
    int has_stat;
    char *value; /* RESULT_DATA, RESULT_PATH; NULL is null data */
    int length;
    struct String_vector names;
    struct ACL_vector acl;
} call;

call *call_new(zk_handle *handle, int waiting, void *context, int watched);
void call_release(call *c);
int call_wait(call *c, int64_t deadline);
/* The request is over: its end is told, and its reference given back. */
void call_ended(call *c, int code);

/* Each returns the C client's code for handing the request over; after ZOK one more reference to
 * the call is held until it has finished. */
int call_create(call *c, const char *path, const char *data, int length, const struct ACL_vector *acl,
                int flags, int64_t ttl, int with_stat);
int call_delete(call *c, const char *path, int version);
int call_exists(call *c, const char *path);
int call_get(call *c, const char *path);
int call_set(call *c, const char *path, const char *data, int length, int version);
int call_get_children(call *c, const char *path);
int call_get_acl(call *c, const char *path);
int call_set_acl(call *c, const char *path, int version, const struct ACL_vector *acl);
int call_sync(call *c, const char *path);
int call_add_auth(call *c, const char *scheme, const char *credential, int length);
int call_remove_watches(call *c, const char *path, int kind);
int call_get_config(call *c, const char *unused);

/* ---- credentials.c --------------------------------------------------------------------------- */

/* Have a credential sent, now or with the next connection, and the call told of the answer to it. With
 * `submit` held. */
int credential_add(call *c, const char *scheme, const char *secret, int length);
/* After each round of the I/O thread, which had that result. */
void credentials_attend(zk_handle *handle, zhandle_t *zh, int code);
void credentials_clear(zk_handle *handle);

/* ---- raw_request.c: requests that the C client's API does not offer ------------------------------- */

typedef struct raw_request {
    pending request;
    struct raw_request *next;
    zk_handle *handle;
    int32_t op;
    int32_t xid;
    dispatch sent; /* its bytes, where they matter, are for the caller to say */
    int written;  /* both parts of our request replaced the C client's */
    int answer_code; /* ZOK once read_answer has run and understood the answer */
    /* Write the request's body. Returns a jute code (< 0: failed). */
    int (*write)(struct raw_request *, struct oarchive *);
    /* Read the answer's body, on the I/O thread. Returns a jute code. */
    int (*read_answer)(struct raw_request *, struct iarchive *, int64_t zxid);
    /* Called exactly once after raw_request_send gave ZOK. */
    void (*finished)(struct raw_request *, int code);
} raw_request;

int raw_request_send(zk_handle *handle, raw_request *request);
/* A GetDataResponse inside an answer of ours: the C client's own function would ask us again. */
int raw_request_read_data(struct iarchive *in, struct GetDataResponse *v);
/* The zxid of the answer that is being handled; in completions only. */
int64_t raw_request_answer_zxid(void);
/* Whether this thread has seen an answer to a credential since it was last asked, and which: the first
 * that is an error, or ZOK. */
int raw_request_auth_answer(int *code);
/* A path as the server knows it, with the chroot (to be freed); the same written to a request; and
 * back: a server's path without the chroot. */
char *chroot_server_path(zk_handle *handle, const char *path);
int chroot_put_path(zk_handle *handle, struct oarchive *out, const char *path);
const char *chroot_client_path(zk_handle *handle, const char *path);
void raw_request_after_fork(void);

/* ---- bulk.c: what all operations on many nodes have in common ------------------------------ */

typedef struct bulk {
    zk_handle *handle;
    _Atomic int references;
    void (*dispose)(struct bulk *);
    void (*pump)(struct bulk *);  /* send what may be sent; called with the lock held */
    int (*complete)(struct bulk *); /* nothing left to send; called with the lock held */

    pthread_mutex_t lock;
    /* All guarded by lock. */
    int code;          /* first error that ends the whole operation */
    int abandoned;     /* nobody waits: send nothing more, touch nothing of the caller's */
    int over;
    long outstanding;  /* requests on their way */
    long done;         /* units done so far, to see a stall */
    long untold;       /* how many of them are nothing that progress counts */
    sem_t finished;
} bulk;

void bulk_init(bulk *b, zk_handle *handle, void (*pump)(bulk *), int (*complete)(bulk *),
               void (*dispose)(bulk *));
void bulk_retain(bulk *b);
void bulk_release(bulk *b);
void bulk_start(bulk *b);
int bulk_wait(bulk *b, int64_t deadline);
void bulk_abandon(bulk *b);
long bulk_progress(bulk *b, long *told);
/* To be called at the end of each request's completion, with the lock held. */
void bulk_advance(bulk *b);
/* Codes that say something of the connection and not of a node. */
int code_is_fatal(int code);
/* Those that say that a request got no answer. */
int code_is_of_the_session(int code);

/* ---- multi_read.c: many reads in one request ------------------------------------------------ */

typedef struct {
    const char *path;
    int code;
    int length; /* -1: null data */
    const char *data;
    struct Stat stat;
    int names_count;
    const char **names;
} node_read;

/* The read of one path; `op` is OP_GET_DATA, OP_GET_CHILDREN or OP_GET_CHILDREN2. */
typedef struct {
    int32_t op;
    node_read *node;
} read_item;

/* A read is asked for and answered in any number of requests: many in one MultiRead, or one each
 * (pipelined) when the server knows no MultiRead. */
typedef struct reader {
    bulk base;
    arena memory;      /* what the results point to */
    arena names;       /* child names, when they are only needed in `answered` */
    int keep_names;
    int64_t lowest_zxid;  /* of the answers: everything read is at least that new */
    double answer_bytes;  /* running mean of an answer's size: keeps requests' answers bounded */
    read_item *repeat;    /* handed out, lost, to be sent again before anything else */
    int repeat_count;
    /* The next reads to send: at most `most`, cut at about `bytes` of request. With the lock held. */
    int (*next_reads)(struct reader *, read_item *items, int most, int bytes);
    /* These have been answered. With the lock held. NULL: nothing to do. */
    void (*answered)(struct reader *, const read_item *items, int count);
} reader;

void reader_init(reader *r, zk_handle *handle, int (*complete)(bulk *), void (*dispose)(bulk *));
void reader_clear(reader *r);

/* ---- read_many.c: reads of given paths ------------------------------------------------------ */

typedef struct {
    reader reader;
    int32_t op; /* OP_GET_DATA or OP_GET_CHILDREN */
    long count, next;
    node_read nodes[];
} read_many;

read_many *read_many_new(zk_handle *handle, int32_t op, long count);
void read_many_path(read_many *r, long index, const char *path); /* copies it */

/* ---- subtree.c ----------------------------------------------------------------------------- */

typedef struct {
    node_read read;
    int64_t index;
    int64_t first_child; /* index; the children of a node lie next to each other, sorted */
    int32_t children;
    int32_t depth;
    int32_t path_length;
} tree_node;

typedef struct subtree {
    reader reader;
    tree_node **blocks; /* of TREE_BLOCK nodes each: a node never moves */
    long count, capacity;
    long next;          /* the first node not yet asked for */
    int64_t *parents;   /* queue of nodes whose children are to be read */
    long parents_first, parents_count, parents_capacity;
} subtree;

subtree *subtree_new(zk_handle *handle, const char *root);
tree_node *subtree_node(subtree *s, int64_t index);

/* ---- transaction.c, write_many.c --------------------------------------------------------------- */

/* One operation of a transaction. Strings belong to the caller until it has been sent. */
typedef struct {
    int32_t op;
    const char *path;
    const char *data;
    int length; /* -1: null data */
    int32_t version;
    int32_t flags;
    int64_t ttl;
    const struct ACL_vector *acl;
    int size; /* bytes in the request */
} write_op;

typedef struct {
    int32_t op; /* what was asked for */
    int code;
    const char *path; /* of a created node */
    struct Stat stat;
    int has_stat;
} write_result;

typedef struct transaction {
    queue_item item; /* first: an asynchronous transaction is queued as itself */
    raw_request raw;
    const write_op *ops;
    write_result *results;
    int count;
    arena *memory; /* of the results' paths */
    int failure;   /* why the request as a whole got no answer, or ZOK */
    int code;      /* that, or the code of the first operation that failed */
    void (*ended)(struct transaction *);
    void *owner;   /* the bulk_write it is a part of, or a Python object */
} transaction;

transaction *transaction_new(const write_op *ops, write_result *results, int count, arena *memory);
int transaction_send(zk_handle *handle, transaction *t);
/* An asynchronous one of its own: `context` comes back through the queue as an ITEM_TRANSACTION. */
int transaction_submit(zk_handle *handle, const write_op *ops, int count, void *context);
void transaction_free(transaction *t);
/* Bytes that an operation takes in a request. */
long write_op_size(zk_handle *handle, const write_op *op);

typedef struct {
    bulk base;
    arena memory;
    const write_op *ops;
    long count, next;
    long ready;       /* of the count, those that are written down */
    long batch;       /* operations in a transaction, at most */
    long batch_bytes; /* and bytes */
    int in_flight;    /* transactions, at most */
    int divisible;    /* without transactions it may be done node by node */
    int stop, failed; /* stop: after a transaction that failed, send no more */
    write_result results[];
} bulk_write;

/* `ops` has room for `count` operations; NULL without memory. Nothing is sent before bulk_write_ready has been called. */
bulk_write *bulk_write_new(zk_handle *handle, const write_op *ops, long count, long batch,
                           long batch_bytes, int in_flight, int stop, int divisible);
/* So many of the operations are written down; 0: no more will be sent, they are not needed. */
int bulk_write_ready(bulk_write *w, long count);

/* ---- write_one.c: for servers without transactions ------------------------------------------ */

/* Sends the next operation, if it is its turn. With the lock held. */
void write_one_by_one(bulk_write *w);

/* ---- set_watches.c: many watches at once ------------------------------------------------------- */

enum { WATCH_LIST_DATA, WATCH_LIST_EXISTS, WATCH_LIST_CHILDREN, WATCH_LISTS };

typedef struct {
    char **paths; /* as the server knows them: with the chroot */
    long count, capacity;
    long next;    /* the first not yet sent */
} watch_list;

typedef struct set_watches {
    bulk base;
    int64_t zxid; /* a node changed after it fires at once */
    watch_list lists[WATCH_LISTS];
    long generation; /* of the reconnect it belongs to; 0: it belongs to a call of ours */
} set_watches;

set_watches *set_watches_new(zk_handle *handle, int64_t zxid);
void set_watches_add(set_watches *s, int list, const char *path);
/* Tell the C client of the watches, so that it delivers and keeps them. Before bulk_start. */
void set_watches_activate(set_watches *s);
/* Send what the C client's SetWatches left over; on each connect. */
void set_watches_send_rest(zk_handle *handle);
/* The connection is lost; an answer came; both on the I/O thread. */
void set_watches_note_lost(zk_handle *handle);
void set_watches_note_answer(zk_handle *handle, const struct ReplyHeader *header);
/* Do by other means what the C client's SetWatches has turned out not to do. */
void set_watches_attend(zk_handle *handle);
/* Whether the C client is about to send one to a service that does not know it. */
int set_watches_leaves_out(void);

/* ---- watch_one.c: watches that are set one by one ------------------------------------------- */

/* Sends what may be sent of a bulk operation's watches. With its lock held. */
void watch_one_by_one(set_watches *s);
void set_watches_clear(zk_handle *handle);

/* ---- path.c -------------------------------------------------------------------------------- */

/* What is wrong with a path, or NULL; and the character that is, or 0. */
const char *path_fault(const char *path, size_t length, int sequential, uint32_t *character);

/* ---- log.c --------------------------------------------------------------------------------- */

typedef struct log_line {
    struct log_line *next;
    char text[];
} log_line;

void log_push(const char *text);
/* A line of ours among them. */
__attribute__((format(printf, 3, 4))) void log_say(ZooLogLevel level, const char *where, const char *format, ...);
log_line *log_take(long *dropped);
void log_after_fork(void);

#endif
